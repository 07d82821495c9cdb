/* How it works: a message enters the casebook once, by its id; a repeated delivery is a line in the
 * journal. It is checked and opened (client/post), then filed with its case (referral_arrive.c),
 * and its opened sections are kept. A message that does not hold is kept with the reason and never
 * acknowledged; one that waits for a page or a key card stays to be opened when that is here. All
 * of it stands inside the batch of referral_sync.c and becomes durable with it. */
#include "client/referral_inside.h"

#include <stdio.h>
#include <string.h>

#define STORED_ROWS 32

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

static bool is_copy(const struct referral *office, const struct rg_core *core)
{
    for (size_t i = 0; i < core->to_office_count; i++) {
        if (strcmp(core->to_office[i], rg_office_own(office)) == 0) {
            return false;
        }
    }
    return strcmp(core->from_office, rg_office_own(office)) == 0;
}

/* It is open: theirs is told to their gateway after the batch; a colleague's stands where the
 * proofs that are here say. */
static rg_outcome opened_note(struct referral *office, struct rg_message_row *row,
                              struct rg_reason *why)
{
    if (row->ours) {
        return rg_proof_state(office, row, why);
    }
    row->state = RG_IN_OPENED;
    office->moved.opened++;
    return rg_office_tell_opened(office, row, why);
}

/* Its sections first: what the library does by itself may need to read them. */
static rg_outcome keep_and_file(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    struct rg_message_row *row = arrival->row;
    struct rg_reason said = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(sections_keep(office, row, arrival->opened, why));
    rg_outcome outcome = arrival->opened->first->kind == RG_KIND_PROCEDURE_NOTICE
                             ? rg_arrival_notice(arrival, &said)
                             : rg_arrival_file(arrival, &said);
    if (!rg_is_ok(outcome)) {
        row->case_row = 0;
        (void)snprintf(row->reason, sizeof(row->reason), "%s", said.id != NULL ? said.id : "");
    }
    if (rg_stops_all(outcome) || outcome.code == RG_AGAIN) {
        *why = said;
        return outcome;
    }
    RG_TRY(opened_note(office, row, why));
    RG_TRY(rg_spool_message_update(office->spool, row, why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome open_message(struct referral *office, struct rg_message_row *row,
                               const struct rg_envelope *envelope, struct rg_reason *why)
{
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    RG_CASE_FILE file = {0};
    struct rg_reason said = {0};
    char other[RG_COUNTRY_BYTES];
    rg_outcome outcome = rg_post_open(office->home, envelope, (struct rg_wall){row->time_ms},
                                      rg_wall_now(), &opened, &said);
    if (!rg_is_ok(outcome) && !rg_stops_all(outcome) && outcome.code != RG_AGAIN) {
        return unopened(office, row, &said, why);
    }
    if (rg_is_ok(outcome)) {
        rg_office_country(row->other, other);
        struct rg_arrival arrival = {
            .office = office,
            .row = row,
            .opened = &opened,
            .envelope = envelope,
            .ours = row->ours,
            .crosses = strcmp(other, office->home->principal.country) != 0,
            .file = &file,
        };
        outcome = keep_and_file(&arrival, &said);
    }
    if (rg_stops_all(outcome)) {
        *why = said;
        return outcome;
    }
    return rg_ok(); /* RG_AGAIN: it stays to be opened when a page or a key card is here */
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
        .ours = is_copy(office, &envelope->core),
    };
    (void)snprintf(row.other, sizeof(row.other), "%s",
                   row.ours ? envelope->core.to_office[0] : envelope->core.from_office);
    RG_TRY(rg_spool_message_add(office->spool, &row, envelope->whole, why));
    RG_TRY(rg_spool_journal_add(office->spool, row.id, row.position, office->home->device,
                                rg_wall_now().ms, true, why));
    office->moved.delivered++;
    if (failed) {
        office->moved.proofs_failed++;
        return unopened(office, &row, delivery->failed, why);
    }
    RG_TRY(rg_proof_keep(office, row.seq, &delivery->accepted, &fresh, why));
    RG_TRY(rg_proof_keep(office, row.seq, &delivery->received, &fresh, why));
    return open_message(office, &row, envelope, why);
}

/* It came before with proofs that do not hold, and was kept unread. Now they hold. */
static rg_outcome proven_at_last(struct referral *office, struct rg_message_row *row,
                                 const struct rg_delivery *delivery, struct rg_reason *why)
{
    bool fresh = false;
    RG_TRY(rg_proof_keep(office, row->seq, &delivery->accepted, &fresh, why));
    if (!fresh) {
        return rg_ok(); /* its proofs held before: it is kept closed for another reason */
    }
    RG_TRY(rg_proof_keep(office, row->seq, &delivery->received, &fresh, why));
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
    if (known.state == RG_IN_OPENED) {
        RG_TRY(rg_office_tell_opened(office, &known, why)); /* our Collected may have been lost */
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
