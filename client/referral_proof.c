/* How it works: what a verified log entry says about a message of ours. Each kind of entry moves
 * the message one step further and never back; the case is told when the other side's gateway has
 * our request or our details, or refused them. All of it stands inside the batch of
 * referral_sync.c. */
#include "client/referral_inside.h"

#include <stdio.h>
#include <string.h>

#define PROOFS_MAX 12

rg_outcome rg_proof_keep(struct referral *office, int64_t seq, const struct rg_proven *proven,
                         bool *new_out, struct rg_reason *why)
{
    struct rg_proof_row row = {
        .kind = proven->log_entry->kind,
        .leaf_index = proven->entry->leaf_index,
        .head = *proven->head,
        .inclusion = proven->entry->inclusion,
        .time_ms = proven->log_entry->time.ms,
        .log_entry_len = proven->entry->log_entry.len,
    };
    RG_CHECK(row.log_entry_len <= sizeof(row.log_entry), why, RG_LIMIT, "proof-size",
             "a log entry is too long");
    memcpy(row.log_entry, proven->entry->log_entry.data, row.log_entry_len);
    RG_TRY(rg_spool_proof_add(office->spool, seq, &row, new_out, why));
    office->moved.proofs += *new_out;
    return rg_ok();
}

struct effect { /* what a proof does to a message of ours */
    enum rg_entry_kind kind;
    enum rg_message_state state;
    bool own_log, their_log; /* whose log may say so */
};

static const struct effect effects[] = {
    {RG_ENTRY_ACCEPTED, RG_OUT_ACCEPTED, true, false},
    {RG_ENTRY_RECEIVED, RG_OUT_RECEIVED, false, true},
    {RG_ENTRY_COLLECTED, RG_OUT_COLLECTED, false, true},
    {RG_ENTRY_REFUSED, RG_OUT_REFUSED, true, true},
    {RG_ENTRY_CLOSED, RG_OUT_REFUSED, false, true},
};

static const struct effect *effect_of(enum rg_entry_kind kind)
{
    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
        if (effects[i].kind == kind) {
            return &effects[i];
        }
    }
    return NULL;
}

rg_outcome rg_proof_state(struct referral *office, struct rg_message_row *row,
                          struct rg_reason *why)
{
    struct rg_proof_row proof[PROOFS_MAX];
    size_t count = 0;
    row->state = RG_OUT_ACCEPTED;
    RG_TRY(rg_spool_proofs(office->spool, row->seq, proof, PROOFS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const struct effect *effect = effect_of(proof[i].kind);
        if (effect != NULL && effect->state > row->state) {
            row->state = effect->state;
        }
    }
    return rg_ok();
}

static void count_effect(struct referral *office, enum rg_message_state state)
{
    office->moved.accepted += state == RG_OUT_ACCEPTED;
    office->moved.received += state == RG_OUT_RECEIVED;
    office->moved.collected += state == RG_OUT_COLLECTED;
    office->moved.refused += state == RG_OUT_REFUSED;
}

/* A request or details that the other side's gateway refused never arrived: the house's own part of
 * the case goes back. Once for an office: what a colleague's message decided already is no news. */
static void undelivered(struct rg_case_file *file, const struct rg_message_row *row)
{
    struct rg_case next;
    unsigned actions = 0;
    bool decided = row->code == RG_REFUSE_ALREADY_DECIDED;
    if (!decided && rg_is_ok(rg_case_step(&file->now, RG_EVENT_UNDELIVERED, rg_wall_now(), &next,
                                          &actions, NULL))) {
        file->now = next;
    }
}

/* What is owed now; what waits for a key card stays owed. */
static rg_outcome act_now(struct referral *office, struct rg_case_file *file, struct rg_reason *why)
{
    size_t done = 0;
    rg_outcome outcome = rg_office_act(office, file, &done, why);
    return outcome.code == RG_AGAIN ? rg_ok() : outcome;
}

/* A colleague has decided first: where the asked house stands is what the office has said. */
static rg_outcome overruled(struct referral *office, struct rg_case_file *file,
                            struct rg_reason *why)
{
    enum rg_process_state state = file->process.state;
    enum rg_case_state house = file->details_here ? RG_CASE_RELEASED : RG_CASE_ACCEPTED;
    if (file->now.side != RG_SIDE_ORIGIN || state == RG_PROCESS_NONE) {
        return rg_ok();
    }
    if (state == RG_PROCESS_REFERRED || state == RG_PROCESS_NEEDS_INFO) {
        house = RG_CASE_REFERRED;
    }
    house = state == RG_PROCESS_DECLINED ? RG_CASE_DECLINED : house;
    file->decline = house == RG_CASE_DECLINED ? file->decline : 0;
    file->now.since = file->now.state == house ? file->now.since : rg_wall_now();
    file->now.state = house;
    return act_now(office, file, why);
}

/* The case knows by proof that the other side's gateway has our request or our details. What never
 * arrives is no part of the process. */
static rg_outcome proof_to_case(struct referral *office, const struct rg_message_row *row,
                                struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    bool request = file.has_request && rg_id_same(row->id, file.request);
    bool details = file.has_details && rg_id_same(row->id, file.details);
    bool refused = row->state == RG_OUT_REFUSED;
    if (refused && (request || details)) {
        undelivered(&file, row);
    }
    if (!refused) {
        file.request_received = file.request_received || request;
        file.details_received = file.details_received || details;
    }
    if (refused && file.now.side != RG_SIDE_PROPOSER) {
        RG_TRY(rg_office_fold(office, &file, NULL, NULL, why));
        bool decided = row->code == RG_REFUSE_ALREADY_DECIDED;
        RG_TRY(decided ? overruled(office, &file, why) : rg_ok());
    }
    return refused || request || details ? rg_casebook_put(office->book, &file, why) : rg_ok();
}

/* It had been taken back here, but was on its way already: it counts after all. */
static rg_outcome revived(struct referral *office, struct rg_message_row *row,
                          struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    row->state = RG_OUT_WAITING;
    RG_TRY(rg_spool_message_update(office->spool, row, why));
    RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    RG_TRY(rg_office_fold(office, &file, NULL, NULL, why));
    (void)snprintf(office->moved.alarm, sizeof(office->moved.alarm),
                   "a message of case %.40s had left before it was taken back, and counts: if the "
                   "person has withdrawn, say it once more, with: referral withdraw %.40s",
                   file.number, file.number);
    return rg_casebook_put(office->book, &file, why);
}

/* Received is final: who signs afterwards that it was refused has lied once; both proofs stay. */
static rg_outcome contradiction(struct referral *office, const struct rg_message_row *row)
{
    (void)snprintf(office->moved.alarm, sizeof(office->moved.alarm),
                   "a gateway signed that it refused a message of ours after it was received at "
                   "%.60s: the evidence of the message shows both",
                   row->other);
    return rg_ok();
}

/* From now on both offices know the same time, and read the author's clock by it. */
static rg_outcome accepted_at(struct referral *office, const struct rg_message_row *row,
                              struct rg_wall accepted, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_process_message note;
    bool found = false;
    if (row->case_row == 0) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_note_get(office->book, row->seq, &note, &found, why));
    struct rg_wall made = found ? rg_process_made(note.made, accepted) : (struct rg_wall){0};
    bool declines = found && note.kind == RG_KIND_DECLINE; /* only now it is the office's word */
    if (!found || (made.ms == note.made.ms && !declines)) {
        return rg_ok();
    }
    note.made = made;
    RG_TRY(rg_casebook_note_put(office->book, row->seq, &note, why));
    RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    if (file.now.side == RG_SIDE_PROPOSER) {
        return rg_ok();
    }
    RG_TRY(rg_office_fold(office, &file, NULL, NULL, why));
    RG_TRY(act_now(office, &file, why));
    return rg_casebook_put(office->book, &file, why);
}

static rg_outcome proof_take(struct referral *office, struct rg_message_row *row,
                             const struct rg_proven *proven, struct rg_reason *why)
{
    bool fresh = false;
    const struct effect *effect = effect_of(proven->log_entry->kind);
    bool own = strcmp(proven->country, office->home->principal.country) == 0;
    char to_country[RG_COUNTRY_BYTES];
    rg_office_country(row->other, to_country);
    bool theirs = strcmp(proven->country, to_country) == 0;
    RG_CHECK(effect == NULL || (own && effect->own_log) || (theirs && effect->their_log), why,
             RG_DENIED, "exchange-origin", "a proof about our message comes from a third log");
    RG_TRY(rg_proof_keep(office, row->seq, proven, &fresh, why));
    if (!fresh || effect == NULL) {
        return rg_ok();
    }
    if (row->state == RG_OUT_WITHDRAWN && effect->state != RG_OUT_REFUSED) {
        RG_TRY(revived(office, row, why));
    }
    bool final = row->state == RG_OUT_RECEIVED || row->state == RG_OUT_COLLECTED;
    if (effect->state == RG_OUT_REFUSED && final) {
        return contradiction(office, row);
    }
    count_effect(office, effect->state);
    bool news = effect->state > row->state;
    if (news) {
        row->state = effect->state;
        row->code = proven->log_entry->code;
        RG_TRY(rg_spool_message_update(office->spool, row, why));
    }
    if (effect->kind == RG_ENTRY_ACCEPTED) { /* a decline that has left is asked for by its state */
        RG_TRY(accepted_at(office, row, proven->log_entry->time, why));
    }
    bool tells_case = news && row->case_row != 0 && effect->state != RG_OUT_ACCEPTED &&
                      effect->state != RG_OUT_COLLECTED;
    return tells_case ? proof_to_case(office, row, why) : rg_ok();
}

rg_outcome rg_inbox_proof(void *context, const struct rg_proven *proven, struct rg_reason *why)
{
    struct referral *office = context;
    struct rg_message_row row;
    bool found = false;
    rg_office_moved(office);
    RG_TRY(rg_spool_message_get(office->spool, proven->log_entry->envelope_id, &row, &found, why));
    if (!found || !row.ours) {
        return rg_ok(); /* a colleague's message: the status is for the whole office */
    }
    return proof_take(office, &row, proven, why);
}

rg_outcome rg_inbox_not_now(void *context, struct rg_id id, enum rg_refusal code,
                            uint32_t retry_after_ms, struct rg_reason *why)
{
    struct referral *office = context;
    struct rg_message_row row;
    bool found = false;
    RG_TRY(rg_spool_message_get(office->spool, id, &row, &found, why));
    if (!found || row.state != RG_OUT_WAITING) {
        return rg_ok();
    }
    row.not_before = rg_wall_now().ms + retry_after_ms;
    row.code = code;
    return rg_spool_message_update(office->spool, &row, why);
}
