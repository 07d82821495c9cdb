/* How it works: what a proof or a message does here. A message enters the casebook once, by its id;
 * a repeated delivery is a line in the journal. A message that does not hold is kept with the
 * reason and never acknowledged. What a message does to its case, and the answers the library makes
 * by itself (details after an accept, acknowledgements, an answer passed on to the NGO), happen in
 * an inner step: if the case cannot take it, the message is still opened and kept. All of it stands
 * inside the batch of referral_sync.c and becomes durable with it.
 */
#include "client/referral_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define STORED_ROWS 32

static bool id_same(struct rg_id a, struct rg_id b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

/* ---- proofs about our messages ---- */

static rg_outcome proof_keep(struct referral *office, int64_t seq, const struct rg_proven *proven,
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

static void count_effect(struct referral *office, enum rg_message_state state)
{
    office->moved.accepted += state == RG_OUT_ACCEPTED;
    office->moved.received += state == RG_OUT_RECEIVED;
    office->moved.collected += state == RG_OUT_COLLECTED;
    office->moved.refused += state == RG_OUT_REFUSED;
}

/* The case knows by proof that the other side's gateway has our request or our details. */
static rg_outcome proof_to_case(struct referral *office, const struct rg_message_row *row,
                                struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_case next;
    unsigned actions = 0;
    RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    bool request = file.has_request && id_same(row->id, file.request);
    bool details = file.has_details && id_same(row->id, file.details);
    if (!request && !details) {
        return rg_ok();
    }
    if (row->state != RG_OUT_REFUSED) {
        file.request_received = file.request_received || request;
        file.details_received = file.details_received || details;
        return rg_casebook_put(office->book, &file, why);
    }
    if (rg_is_ok(
            rg_case_step(&file.now, RG_EVENT_UNDELIVERED, rg_wall_now(), &next, &actions, NULL))) {
        file.now = next;
    }
    return rg_casebook_put(office->book, &file, why);
}

/* Received is final: who signs afterwards that it was refused has lied once; both proofs stay. */
static rg_outcome contradiction(struct referral *office, const struct rg_message_row *row)
{
    if (row->state != RG_OUT_REFUSED) {
        (void)snprintf(
            office->moved.alarm, sizeof(office->moved.alarm),
            "a gateway signed that it refused a message of ours after it was received at "
            "%.60s: the evidence of the message shows both",
            row->other);
    }
    return rg_ok();
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
    RG_TRY(proof_keep(office, row->seq, proven, &fresh, why));
    if (!fresh || effect == NULL) {
        return rg_ok();
    }
    if (effect->state == RG_OUT_REFUSED && row->state >= RG_OUT_RECEIVED) {
        return contradiction(office, row);
    }
    count_effect(office, effect->state);
    if (effect->state <= row->state) {
        return rg_ok();
    }
    row->state = effect->state;
    row->code = proven->log_entry->code;
    RG_TRY(rg_spool_message_update(office->spool, row, why));
    bool tells_case =
        row->case_row != 0 && effect->state != RG_OUT_ACCEPTED && effect->state != RG_OUT_COLLECTED;
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

/* ---- what a message does to its case ---- */

struct arrival { /* one opened message on its way into the casebook */
    struct referral *office;
    struct rg_message_row *row;
    const struct rg_opened *opened;
    const char *from_office;
    bool crosses;
    struct rg_case_file *file;
    unsigned actions;
};

static rg_outcome arrive_step(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case next;
    struct rg_case *now = &arrival->file->now;
    enum rg_case_event event =
        rg_case_event_of(arrival->opened->first->kind, true, arrival->crosses);
    if (event == RG_EVENT_DETAILS_IN && now->state == RG_CASE_REFERRED) {
        /* Details only follow an accept: a colleague of this office has accepted. */
        RG_TRY(
            rg_case_step(now, RG_EVENT_ACCEPT_OUT, rg_wall_now(), &next, &arrival->actions, why));
        *now = next;
    }
    RG_TRY(rg_case_step(now, event, rg_wall_now(), &next, &arrival->actions, why));
    *now = next;
    return rg_ok();
}

static rg_outcome merge_all(struct arrival *arrival, struct rg_record *record,
                            struct rg_reason *why)
{
    for (size_t i = 0; i < arrival->opened->count; i++) {
        if (arrival->opened->section[i].here) {
            RG_TRY(rg_record_merge(record, &arrival->opened->section[i].content, why));
        }
    }
    return rg_ok();
}

static rg_outcome country_set(struct rg_record *record, enum rg_field field, const char *country,
                              struct rg_reason *why)
{
    char upper[RG_COUNTRY_BYTES];
    (void)snprintf(upper, sizeof(upper), "%s", country);
    for (char *c = upper; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    return rg_record_set(record, field, rg_bytes_of_text(upper), why);
}

static rg_outcome take_request(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    file->thread = arrival->row->thread;
    file->has_thread = true;
    file->request = arrival->row->id;
    file->has_request = true;
    file->preview = arrival->opened->first->preview;
    file->has_preview = true;
    return arrive_step(arrival, why);
}

static rg_outcome take_proposal(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const struct rg_proposal *proposal = &arrival->opened->first->proposal;
    RG_OWNED_RECORD record = NULL;
    RG_CHECK(arrival->opened->first->body == RG_BODY_PROPOSAL, why, RG_DENIED, "case-proposal",
             "the case section of the proposal is not for this officer");
    file->proposal_thread = arrival->row->thread;
    file->has_proposal_thread = true;
    file->proposal = arrival->row->id;
    file->has_proposal = true;
    (void)snprintf(file->origin, sizeof(file->origin), "%s", proposal->origin_country);
    (void)snprintf(file->reference, sizeof(file->reference), "%s", proposal->case_ref);
    RG_TRY(arrive_step(arrival, why));
    RG_TRY(rg_record_new(&record, why));
    RG_TRY(merge_all(arrival, record, why));
    RG_TRY(country_set(record, RG_FIELD_HOST_COUNTRY, file->host, why));
    RG_TRY(country_set(record, RG_FIELD_ORIGIN_COUNTRY, file->origin, why));
    rg_office_names(file, record);
    RG_TRY(rg_office_judge(arrival->office, file, record, why));
    RG_TRY(rg_casebook_put(arrival->office->book, file, why));
    return rg_casebook_record_put(arrival->office->book, file->row, record, why);
}

/* The disk or the folder fails: stop the batch. */
static bool stops_all(rg_outcome outcome)
{
    return outcome.code == RG_BROKEN || outcome.code == RG_IO;
}

/* What the library says by itself must not undo what has arrived. Only what may work later, or a
 * folder that fails, stands in the way of the whole message; it then stays to be opened. */
static rg_outcome by_itself(rg_outcome outcome, const struct rg_reason *said, bool *done_out,
                            struct rg_reason *why)
{
    *done_out = rg_is_ok(outcome);
    if (stops_all(outcome) || outcome.code == RG_AGAIN) {
        *why = *said;
        return outcome;
    }
    return rg_ok();
}

static rg_outcome release(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool done = false;
    RG_TRY(
        by_itself(rg_office_send_details(arrival->office, arrival->file, arrival->row->id, &said),
                  &said, &done, why));
    if (done) {
        arrival->actions &= ~RG_CASE_DO_ACKNOWLEDGE; /* `seen` in the details says it */
        arrival->office->moved.details_sent++;
    }
    return rg_ok();
}

static rg_outcome relay(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool done = false;
    RG_TRY(by_itself(rg_office_relay(arrival->office, arrival->file, arrival->opened->first, &said),
                     &said, &done, why));
    arrival->office->moved.relayed += done;
    return rg_ok();
}

static rg_outcome acknowledge(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool done = false;
    RG_TRY(by_itself(rg_office_acknowledge(arrival->office, arrival->file, arrival->row,
                                           arrival->from_office, &said),
                     &said, &done, why));
    arrival->office->moved.acknowledged += done;
    return rg_ok();
}

static rg_outcome take_answer(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const struct rg_content *content = arrival->opened->first;
    RG_CHECK(file->has_request && id_same(content->answers, file->request), why, RG_DENIED,
             "case-answers", "the answer is to another message than our open one");
    RG_TRY(arrive_step(arrival, why));
    file->request_opened = true; /* who answers has read it */
    file->decline = content->kind == RG_KIND_DECLINE ? (uint32_t)content->decline.code : 0;
    if ((arrival->actions & RG_CASE_DO_SEND_DETAILS) != 0) {
        RG_TRY(release(arrival, why));
    }
    return file->has_proposal && arrival->crosses ? relay(arrival, why) : rg_ok();
}

static rg_outcome take_details(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    RG_OWNED_RECORD record = NULL;
    RG_TRY(arrive_step(arrival, why));
    RG_TRY(rg_casebook_record_get(arrival->office->book, file->row, &record, why));
    RG_TRY(merge_all(arrival, record, why));
    rg_office_names(file, record);
    file->details_here = true;
    return rg_casebook_record_put(arrival->office->book, file->row, record, why);
}

static rg_outcome take_acknowledgement(struct arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    struct rg_id opened = arrival->opened->first->acknowledgement.opened;
    file->request_opened =
        file->request_opened || (file->has_request && id_same(opened, file->request));
    file->details_opened =
        file->details_opened || (file->has_details && id_same(opened, file->details));
    /* An acknowledgement that comes late for the state is still true. */
    rg_outcome outcome = arrive_step(arrival, why);
    arrival->actions = 0;
    return outcome.code == RG_DENIED ? rg_ok() : outcome;
}

struct taking {
    uint32_t kind;
    bool opens_case;
    rg_outcome (*take)(struct arrival *arrival, struct rg_reason *why);
};

static const struct taking takings[] = {
    {RG_KIND_REQUEST, true, take_request},  {RG_KIND_PROPOSAL, true, take_proposal},
    {RG_KIND_ACCEPT, false, take_answer},   {RG_KIND_DECLINE, false, take_answer},
    {RG_KIND_DETAILS, false, take_details}, {RG_KIND_ACKNOWLEDGEMENT, false, take_acknowledgement},
};

static const struct taking *taking_of(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(takings) / sizeof(takings[0]); i++) {
        if (takings[i].kind == kind) {
            return &takings[i];
        }
    }
    return NULL;
}

static void file_begin(struct arrival *arrival)
{
    struct rg_case_file *file = arrival->file;
    bool proposal = arrival->opened->first->kind == RG_KIND_PROPOSAL;
    const char *own = arrival->office->home->principal.country;
    file->handle = arrival->opened->first->handle;
    file->made_ms = rg_wall_now().ms;
    file->now.side = proposal ? RG_SIDE_HOST : RG_SIDE_ORIGIN;
    rg_office_country(arrival->from_office, file->host);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", own);
    (void)snprintf(proposal ? file->proposed_by : file->partner, RG_OFFICE_BYTES, "%s",
                   arrival->from_office);
}

/* What answers comes in the thread of what it answers. */
static rg_outcome thread_check(const struct arrival *arrival, struct rg_reason *why)
{
    const struct rg_case_file *file = arrival->file;
    const struct rg_thread_id *thread = &arrival->row->thread;
    bool main = file->has_thread && memcmp(file->thread.b, thread->b, sizeof(thread->b)) == 0;
    bool proposal = file->has_proposal_thread &&
                    memcmp(file->proposal_thread.b, thread->b, sizeof(thread->b)) == 0;
    bool of_proposer = file->now.side == RG_SIDE_HOST && !arrival->crosses;
    RG_CHECK(of_proposer ? proposal : main, why, RG_DENIED, "case-thread",
             "the message came in another thread than its case has with that office");
    return rg_ok();
}

/* The case of the handle, or a new one when this kind may open one. */
static rg_outcome file_find(struct arrival *arrival, const struct taking *taking,
                            struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    int64_t row = 0;
    bool found = false;
    RG_TRY(rg_casebook_find(
        arrival->office->book, RG_CASE_BY_HANDLE,
        rg_bytes_of(arrival->opened->first->handle.b, sizeof(struct rg_case_handle)), &row, &found,
        why));
    RG_CHECK(found || taking->opens_case, why, RG_DENIED, "case-elsewhere",
             "the case is with a colleague of this office");
    if (!found) {
        file_begin(arrival);
        return rg_ok();
    }
    RG_TRY(rg_casebook_get(arrival->office->book, row, file, why));
    const char *expected =
        arrival->crosses || file->now.side == RG_SIDE_PROPOSER ? file->partner : file->proposed_by;
    RG_CHECK(strcmp(expected, arrival->from_office) == 0, why, RG_DENIED, "case-office",
             "the message speaks about a case of another office");
    return taking->opens_case ? rg_ok() : thread_check(arrival, why);
}

static rg_outcome file_message(struct arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    const struct taking *taking = taking_of(arrival->opened->first->kind);
    RG_SPOOL_STEP step = {0};
    RG_CHECK(taking != NULL, why, RG_DENIED, "content-kind",
             "this program cannot act on messages of this kind yet");
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(file_find(arrival, taking, why));
    RG_TRY(rg_casebook_put(office->book, arrival->file, why)); /* a row for what follows */
    RG_TRY(taking->take(arrival, why));
    RG_TRY(rg_casebook_put(office->book, arrival->file, why));
    if ((arrival->actions & RG_CASE_DO_ACKNOWLEDGE) != 0) {
        RG_TRY(acknowledge(arrival, why));
    }
    arrival->row->case_row = arrival->file->row;
    return rg_spool_step_commit(&step, why);
}

/* ---- opening ---- */

static rg_outcome unopened(struct referral *office, struct rg_message_row *row,
                           const struct rg_reason *reason, struct rg_reason *why)
{
    row->state = RG_IN_UNOPENED;
    (void)snprintf(row->reason, sizeof(row->reason), "%s",
                   reason->id != NULL ? reason->id : "unknown");
    office->moved.unopened++;
    return rg_spool_message_update(office->spool, row, why);
}

static rg_outcome sections_keep(struct referral *office, const struct rg_message_row *row,
                                const struct rg_opened *opened, struct rg_reason *why)
{
    for (size_t i = 0; i < opened->count; i++) {
        if (opened->section[i].here) {
            RG_TRY(rg_casebook_section_put(office->book, row->seq, i,
                                           rg_buffer_peek(&opened->section[i].bytes), why));
        }
    }
    return rg_ok();
}

static rg_outcome open_message(struct referral *office, struct rg_message_row *row,
                               const struct rg_envelope *envelope, struct rg_reason *why)
{
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    RG_CASE_FILE file = {0};
    struct rg_reason said = {0};
    char from[RG_COUNTRY_BYTES];
    rg_outcome outcome = rg_post_open(office->home, envelope, (struct rg_wall){row->time_ms},
                                      rg_wall_now(), &opened, &said);
    if (stops_all(outcome)) {
        *why = said;
        return outcome;
    }
    if (!rg_is_ok(outcome)) {
        return outcome.code == RG_AGAIN ? rg_ok() : unopened(office, row, &said, why);
    }
    rg_office_country(envelope->core.from_office, from);
    struct arrival arrival = {
        .office = office,
        .row = row,
        .opened = &opened,
        .from_office = envelope->core.from_office,
        .crosses = strcmp(from, office->home->principal.country) != 0,
        .file = &file,
    };
    outcome = file_message(&arrival, &said);
    if (stops_all(outcome)) {
        *why = said;
        return outcome;
    }
    if (outcome.code == RG_AGAIN) {
        row->case_row = 0;
        return rg_ok(); /* a page or a key card is missing: it stays to be opened when that is here
                         */
    }
    row->state = RG_IN_OPENED;
    (void)snprintf(row->reason, sizeof(row->reason), "%s",
                   rg_is_ok(outcome) || said.id == NULL ? "" : said.id);
    RG_TRY(sections_keep(office, row, &opened, why));
    office->moved.opened++;
    if (office->opened_count < RG_OPENED_IDS_MAX) {
        office->opened[office->opened_count++] = row->id;
    }
    return rg_spool_message_update(office->spool, row, why);
}

/* Messages that could not be opened when they came, since a page was missing. */
rg_outcome rg_inbox_open_stored(struct referral *office, struct rg_reason *why)
{
    struct rg_message_row row[STORED_ROWS];
    size_t count = 0;
    int64_t after = 0;
    do {
        RG_TRY(rg_spool_list(office->spool, RG_BY_STORED, 0, after, row, STORED_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            RG_OWNED_BUFFER bytes = {0};
            struct rg_envelope envelope;
            after = row[i].seq;
            RG_TRY(rg_spool_envelope(office->spool, row[i].seq, &bytes, why));
            RG_TRY(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, why));
            RG_TRY(open_message(office, &row[i], &envelope, why));
        }
    } while (count == STORED_ROWS && office->opened_count + STORED_ROWS <= RG_OPENED_IDS_MAX);
    return rg_ok();
}

static rg_outcome enter(struct referral *office, const struct rg_delivery *delivery,
                        struct rg_reason *why)
{
    const struct rg_envelope *envelope = delivery->envelope;
    bool fresh = false;
    bool failed = delivery->failed != NULL;
    struct rg_message_row row = {
        .id = envelope->id,
        .thread = envelope->core.thread,
        .state = RG_IN_STORED,
        .position = (int64_t)delivery->position,
        .time_ms = failed ? rg_wall_now().ms : delivery->accepted.log_entry->time.ms,
        .priority = (int32_t)envelope->core.priority,
        .sections = (uint32_t)envelope->core.section_count,
    };
    (void)snprintf(row.other, sizeof(row.other), "%s", envelope->core.from_office);
    RG_TRY(rg_spool_message_add(office->spool, &row, envelope->whole, why));
    RG_TRY(rg_spool_journal_add(office->spool, row.id, row.position, office->home->device,
                                rg_wall_now().ms, true, why));
    office->moved.delivered++;
    if (failed) {
        office->moved.proofs_failed++;
        return unopened(office, &row, delivery->failed, why);
    }
    RG_TRY(proof_keep(office, row.seq, &delivery->accepted, &fresh, why));
    RG_TRY(proof_keep(office, row.seq, &delivery->received, &fresh, why));
    return open_message(office, &row, envelope, why);
}

/* It came before with proofs that do not hold, and was kept unread. Now they hold. */
static rg_outcome proven_at_last(struct referral *office, struct rg_message_row *row,
                                 const struct rg_delivery *delivery, struct rg_reason *why)
{
    bool fresh = false;
    RG_TRY(proof_keep(office, row->seq, &delivery->accepted, &fresh, why));
    if (!fresh) {
        return rg_ok(); /* its proofs held before: it is kept closed for another reason */
    }
    RG_TRY(proof_keep(office, row->seq, &delivery->received, &fresh, why));
    row->state = RG_IN_STORED;
    row->reason[0] = '\0';
    row->time_ms = delivery->accepted.log_entry->time.ms;
    RG_TRY(rg_spool_message_update(office->spool, row, why));
    return open_message(office, row, delivery->envelope, why);
}

rg_outcome rg_inbox_deliver(void *context, const struct rg_delivery *delivery,
                            struct rg_reason *why)
{
    struct referral *office = context;
    struct rg_message_row known;
    bool found = false;
    rg_office_moved(office);
    RG_TRY(rg_spool_message_get(office->spool, delivery->envelope->id, &known, &found, why));
    if ((int64_t)delivery->position > office->position) {
        office->position = (int64_t)delivery->position;
    }
    if (!found) {
        return enter(office, delivery, why);
    }
    office->moved.repeated++;
    if (known.state == RG_IN_OPENED && office->opened_count < RG_OPENED_IDS_MAX) {
        office->opened[office->opened_count++] = known.id; /* our Collected may have been lost */
    }
    if (known.state == RG_IN_UNOPENED && delivery->failed == NULL) {
        RG_TRY(proven_at_last(office, &known, delivery, why));
    }
    return rg_spool_journal_add(office->spool, known.id, (int64_t)delivery->position,
                                office->home->device, rg_wall_now().ms, false, why);
}

/* Signed by nobody whom the page listed: the officer may be as new as the page that now came. */
rg_outcome rg_inbox_unknown_again(struct referral *office, struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_ARRIVAL, 0, row.seq, &row, 1, &count, why));
        if (count == 0) {
            return rg_ok();
        }
        if (row.state == RG_IN_UNOPENED && strcmp(row.reason, "seal-signer") == 0) {
            row.state = RG_IN_STORED;
            row.reason[0] = '\0';
            RG_TRY(rg_spool_message_update(office->spool, &row, why));
        }
    }
}
