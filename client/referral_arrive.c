/* How it works: what an opened message does to its case. The case is found by the handle inside the
 * sealed content, never by anything a gateway could see; then the row of its kind acts. The answers
 * the library makes by itself (details after an accept, acknowledgements, an answer passed on to
 * the NGO) happen in the same inner step: if the case cannot take the message, it is still opened
 * and kept. */
#include "client/referral_inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static rg_outcome arrive_step(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    enum rg_case_event event =
        rg_case_event_of(arrival->opened->first->kind, !arrival->ours, arrival->crosses);
    if (event == RG_EVENT_DETAILS_IN && file->now.state == RG_CASE_REFERRED) {
        /* Details only follow an accept: a colleague sent it before this device was known. */
        RG_TRY(rg_office_step(file, RG_EVENT_ACCEPT_OUT, &arrival->actions, why));
    }
    return rg_office_step(file, event, &arrival->actions, why);
}

static rg_outcome merge_all(struct rg_arrival *arrival, struct rg_record *record,
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

static rg_outcome take_request(struct rg_arrival *arrival, struct rg_reason *why)
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

static rg_outcome take_proposal(struct rg_arrival *arrival, struct rg_reason *why)
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
bool rg_stops_all(rg_outcome outcome)
{
    return outcome.code == RG_BROKEN || outcome.code == RG_IO;
}

/* What the library says by itself must not undo what has arrived. Only what may work later, or a
 * folder that fails, stands in the way of the whole message; it then stays to be opened. */
static rg_outcome by_itself(rg_outcome outcome, const struct rg_reason *said, bool *done_out,
                            struct rg_reason *why)
{
    *done_out = rg_is_ok(outcome);
    if (rg_stops_all(outcome) || outcome.code == RG_AGAIN) {
        *why = *said;
        return outcome;
    }
    return rg_ok();
}

static rg_outcome release(struct rg_arrival *arrival, struct rg_reason *why)
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

static rg_outcome relay(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool done = false;
    RG_TRY(by_itself(rg_office_relay(arrival->office, arrival->file, arrival->opened->first, &said),
                     &said, &done, why));
    arrival->office->moved.relayed += done;
    return rg_ok();
}

static rg_outcome acknowledge(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool done = false;
    RG_TRY(by_itself(rg_office_acknowledge(arrival->office, arrival->file, arrival->row,
                                           arrival->row->other, &said),
                     &said, &done, why));
    arrival->office->moved.acknowledged += done;
    return rg_ok();
}

static rg_outcome take_answer(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const struct rg_content *content = arrival->opened->first;
    RG_CHECK(file->has_request && rg_id_same(content->answers, file->request), why, RG_DENIED,
             "case-answers", "the answer is to another message than our open one");
    RG_TRY(arrive_step(arrival, why));
    file->request_opened = true; /* who answers has read it */
    file->decline = content->kind == RG_KIND_DECLINE ? (uint32_t)content->decline.code : 0;
    if ((arrival->actions & RG_CASE_DO_SEND_DETAILS) != 0) {
        RG_TRY(release(arrival, why));
    }
    return file->has_proposal && arrival->crosses ? relay(arrival, why) : rg_ok();
}

static rg_outcome take_details(struct rg_arrival *arrival, struct rg_reason *why)
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

static rg_outcome take_acknowledgement(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    struct rg_id opened = arrival->opened->first->acknowledgement.opened;
    file->request_opened =
        file->request_opened || (file->has_request && rg_id_same(opened, file->request));
    file->details_opened =
        file->details_opened || (file->has_details && rg_id_same(opened, file->details));
    /* An acknowledgement that comes late for the state is still true. */
    rg_outcome outcome = arrive_step(arrival, why);
    arrival->actions = 0;
    return outcome.code == RG_DENIED ? rg_ok() : outcome;
}

/* ---- what a colleague of this office has sent ---- */

/* It left: so the rules let it, as the colleague's record stands. */
static rg_outcome copy_leaves(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    if (file->now.state == RG_CASE_NONE || file->now.state == RG_CASE_HELD) {
        return rg_office_step(file, RG_EVENT_RULES_OK, &arrival->actions, why);
    }
    return rg_ok();
}

static rg_outcome copy_request(struct rg_arrival *arrival, struct rg_reason *why)
{
    RG_TRY(copy_leaves(arrival, why));
    RG_TRY(take_request(arrival, why));
    arrival->file->rule = 0;
    return rg_ok();
}

static rg_outcome copy_proposal(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const struct rg_content *content = arrival->opened->first;
    RG_OWNED_RECORD record = NULL;
    RG_CHECK(content->body == RG_BODY_PROPOSAL, why, RG_DENIED, "case-proposal",
             "the case section of the proposal is not for this officer");
    file->thread = arrival->row->thread;
    file->has_thread = true;
    file->request = arrival->row->id;
    file->has_request = true;
    file->preview = content->proposal.preview;
    file->has_preview = true;
    (void)snprintf(file->origin, sizeof(file->origin), "%s", content->proposal.origin_country);
    (void)snprintf(file->reference, sizeof(file->reference), "%s", content->proposal.case_ref);
    RG_TRY(copy_leaves(arrival, why));
    RG_TRY(arrive_step(arrival, why));
    RG_TRY(rg_casebook_record_get(arrival->office->book, file->row, &record, why));
    RG_TRY(merge_all(arrival, record, why));
    rg_office_names(file, record);
    return rg_casebook_record_put(arrival->office->book, file->row, record, why);
}

static rg_outcome copy_answer(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const struct rg_content *content = arrival->opened->first;
    RG_TRY(arrive_step(arrival, why));
    file->decline = content->kind == RG_KIND_DECLINE ? (uint32_t)content->decline.code : 0;
    if ((arrival->actions & RG_CASE_DO_ERASE_RECEIVED) != 0) {
        RG_TRY(rg_casebook_put(arrival->office->book, file, why));
        RG_TRY(rg_casebook_erase(arrival->office->book, file->row, true, why));
        RG_TRY(rg_casebook_get(arrival->office->book, file->row, file, why));
    }
    return rg_ok();
}

static rg_outcome copy_details(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    RG_OWNED_RECORD record = NULL;
    if (file->now.state == RG_CASE_ACCEPTED) {
        RG_TRY(arrive_step(arrival, why));
    }
    file->rule = 0;
    file->details = arrival->row->id;
    file->has_details = true;
    file->details_sent = true;
    RG_TRY(rg_casebook_record_get(arrival->office->book, file->row, &record, why));
    RG_TRY(merge_all(arrival, record, why));
    rg_office_names(file, record);
    return rg_casebook_record_put(arrival->office->book, file->row, record, why);
}

/* ---- finding the case ---- */

typedef rg_outcome (*arrival_act)(struct rg_arrival *arrival, struct rg_reason *why);

struct taking { /* what a kind does to the house's own part of a case */
    uint32_t kind;
    bool opens_case;
    arrival_act theirs, ours;
};

static const struct taking takings[] = {
    {RG_KIND_REQUEST, true, take_request, copy_request},
    {RG_KIND_PROPOSAL, true, take_proposal, copy_proposal},
    {RG_KIND_ACCEPT, false, take_answer, copy_answer},
    {RG_KIND_DECLINE, false, take_answer, copy_answer},
    {RG_KIND_DETAILS, false, take_details, copy_details},
    {RG_KIND_ACKNOWLEDGEMENT, false, take_acknowledgement, NULL},
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

/* A case begins with a message: whose it is says on which side of it we are. */
static void file_begin(struct rg_arrival *arrival)
{
    struct rg_case_file *file = arrival->file;
    bool proposal = arrival->opened->first->kind == RG_KIND_PROPOSAL;
    bool asked = !arrival->ours && !proposal;
    char other[RG_COUNTRY_BYTES];
    const char *own = arrival->office->home->principal.country;
    rg_office_country(arrival->row->other, other);
    file->handle = arrival->opened->first->handle;
    file->made_ms = rg_wall_now().ms;
    file->now.side = asked                       ? RG_SIDE_ORIGIN
                     : arrival->ours && proposal ? RG_SIDE_PROPOSER
                                                 : RG_SIDE_HOST;
    (void)snprintf(file->host, sizeof(file->host), "%s", asked ? other : own);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", asked ? own : other);
    bool from_ngo = proposal && !arrival->ours;
    (void)snprintf(from_ngo ? file->proposed_by : file->partner, RG_OFFICE_BYTES, "%s",
                   arrival->row->other);
}

/* What answers comes in the thread of what it answers. */
static rg_outcome thread_check(const struct rg_arrival *arrival, struct rg_reason *why)
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

/* The office at the other end of this message is the one that the case has there. */
static rg_outcome office_check(const struct rg_arrival *arrival, struct rg_reason *why)
{
    const struct rg_case_file *file = arrival->file;
    bool first = arrival->ours && file->partner[0] == '\0'; /* a colleague has just asked them */
    const char *expected =
        arrival->crosses || file->now.side == RG_SIDE_PROPOSER ? file->partner : file->proposed_by;
    RG_CHECK(first || strcmp(expected, arrival->row->other) == 0, why, RG_DENIED, "case-office",
             "the message speaks about a case of another office");
    return rg_ok();
}

/* The case of the handle, or a new one when this kind may open one. */
static rg_outcome file_find(struct rg_arrival *arrival, const struct taking *taking,
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
    RG_TRY(office_check(arrival, why));
    if (arrival->crosses && file->partner[0] == '\0') {
        (void)snprintf(file->partner, sizeof(file->partner), "%s", arrival->row->other);
    }
    return taking->opens_case ? rg_ok() : thread_check(arrival, why);
}

rg_outcome rg_arrival_file(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    const struct taking *taking = taking_of(arrival->opened->first->kind);
    RG_SPOOL_STEP step = {0};
    RG_CHECK(taking != NULL, why, RG_DENIED, "content-kind",
             "this program cannot act on messages of this kind yet");
    arrival_act act = arrival->ours ? taking->ours : taking->theirs;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(file_find(arrival, taking, why));
    RG_TRY(rg_casebook_put(office->book, arrival->file, why)); /* a row for what follows */
    if (act != NULL) {
        RG_TRY(act(arrival, why));
    }
    RG_TRY(rg_casebook_put(office->book, arrival->file, why));
    if ((arrival->actions & RG_CASE_DO_ACKNOWLEDGE) != 0 && !arrival->ours) {
        RG_TRY(acknowledge(arrival, why));
    }
    arrival->row->case_row = arrival->file->row;
    return rg_spool_step_commit(&step, why);
}
