/* How it works: what an opened message does to its case. The case is found by the handle inside the
 * sealed content, never by anything a gateway could see; then the row of its kind acts. The answers
 * the library makes by itself (details after an accept, acknowledgements, an answer passed on to
 * the NGO) happen in the same inner step: if the case cannot take the message, it is still opened
 * and kept. */
#include "client/referral_inside.h"

#include "client/rules.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static rg_outcome arrive_step(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    enum rg_case_event event =
        rg_case_event_of(arrival->opened->first->kind, !arrival->ours, arrival->crosses);
    unsigned actions = 0; /* the process says what is to be done */
    if (event == RG_EVENT_DETAILS_IN && file->now.state == RG_CASE_REFERRED) {
        /* Details only follow an accept: a colleague sent it before this device was known. */
        RG_TRY(rg_office_step(file, RG_EVENT_ACCEPT_OUT, &actions, why));
    }
    return rg_office_step(file, event, &actions, why);
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
    return outcome.code == RG_DENIED ? rg_ok() : outcome;
}

/* ---- what a colleague of this office has sent ---- */

/* It left: so the rules let it, as the colleague's record stands. */
static rg_outcome copy_leaves(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    if (file->now.state == RG_CASE_NONE || file->now.state == RG_CASE_HELD) {
        unsigned actions = 0;
        return rg_office_step(file, RG_EVENT_RULES_OK, &actions, why);
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
    if (content->kind == RG_KIND_DECLINE && !arrival->crosses) {
        return rg_office_erase_received(arrival->office, file, why);
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

static rg_outcome copy_withdrawal(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_erasure erasure;
    const struct rg_form *form = arrival->opened->first->form;
    RG_TRY(rg_office_overtake(arrival->office, arrival->file, rg_form_codes(form, "scopes"), why));
    return rg_office_erase_withdrawn(arrival->office, arrival->file, form, &erasure, why);
}

/* ---- finding the case ---- */

typedef rg_outcome (*arrival_act)(struct rg_arrival *arrival, struct rg_reason *why);

/* What is not known yet of the person and stands in this part of a form. */
static rg_outcome fields_of_form(const struct rg_form *form, struct rg_record *record,
                                 struct rg_reason *why)
{
    for (unsigned f = 0; f < RG_FIELD_COUNT; f++) {
        const char *value = rg_form_field_get(form, (enum rg_field)f);
        if (value[0] != '\0' && !rg_record_has(record, (enum rg_field)f)) {
            RG_TRY(rg_record_set(record, (enum rg_field)f, rg_bytes_of_text(value), why));
        }
    }
    return rg_ok();
}

/* The asked side learns names and needs from more than kind 17. */
static rg_outcome fields_take(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    RG_OWNED_RECORD record = NULL;
    if (arrival->ours || file->now.side != RG_SIDE_ORIGIN) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_record_get(arrival->office->book, file->row, &record, why));
    for (size_t i = 0; i < arrival->opened->count; i++) {
        const struct rg_opened_section *section = &arrival->opened->section[i];
        if (section->here && section->content.body == RG_BODY_FORM) {
            RG_TRY(fields_of_form(section->content.form, record, why));
        }
    }
    rg_office_names(file, record);
    return rg_casebook_record_put(arrival->office->book, file->row, record, why);
}

/* Opens a case without being asked about one: a notice of identification, an emergency return, an
 * onward referral. */
static rg_outcome take_opening(struct rg_arrival *arrival, struct rg_reason *why)
{
    if (arrival->opened->first->kind == RG_KIND_EMERGENCY_RETURN) {
        arrival->file->now.state = RG_CASE_RELEASED;
        arrival->file->now.since = rg_wall_now();
    }
    return fields_take(arrival, why);
}

/* Each device erases what it holds itself, whoever of the office answers. */
static rg_outcome take_withdrawal(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_erasure erasure;
    const struct rg_form *form = arrival->opened->first->form;
    RG_TRY(rg_office_overtake(arrival->office, arrival->file, rg_form_codes(form, "scopes"), why));
    return rg_office_erase_withdrawn(arrival->office, arrival->file, form, &erasure, why);
}

static rg_outcome take_erasure_order(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_reason said = {0};
    bool spoken = false;
    return by_itself(rg_office_erase_ordered(arrival->office, arrival->file,
                                             arrival->opened->first->form, arrival->row->id, &said),
                     &said, &spoken, why);
}

static rg_outcome take_stop(struct rg_arrival *arrival, struct rg_reason *why)
{
    return rg_office_overtake(arrival->office, arrival->file, RG_SCOPES_ALL, why);
}

static rg_outcome is_of_colleague(const struct rg_arrival *arrival, struct rg_reason *why)
{
    bool own = strcmp(arrival->row->other, rg_office_own(arrival->office)) == 0;
    RG_CHECK(own && arrival->opened->first->body == RG_BODY_FORM, why, RG_DENIED, "case-office",
             "only an officer of this office tells of its protections");
    return rg_ok();
}

/* Putting in place alone is told, so twice, or in another order, comes to the same. */
static rg_outcome take_protection(struct rg_arrival *arrival, struct rg_reason *why)
{
    RG_TRY(is_of_colleague(arrival, why));
    if (rg_form_true(arrival->opened->first->form, "open")) {
        RG_TRY(rg_office_claim_told(arrival->office, arrival->file, why));
    }
    for (size_t i = 0; i < arrival->opened->count; i++) {
        const struct rg_opened_section *section = &arrival->opened->section[i];
        bool named = section->here && section->content.class_ == RG_CLASS_SECURITY &&
                     section->content.body == RG_BODY_FORM;
        if (named) {
            RG_TRY(rg_office_exclude_told(arrival->office, arrival->file,
                                          rg_form_get(section->content.form, "shut_out"),
                                          arrival->opened->signer.text, why));
        }
    }
    return rg_ok();
}

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
    {RG_KIND_IDENTIFICATION_NOTICE, true, take_opening, take_opening},
    {RG_KIND_EMERGENCY_RETURN, true, take_opening, take_opening},
    {RG_KIND_ONWARD_REFERRAL, true, take_opening, take_opening},
    {RG_KIND_CONSENT_WITHDRAWN, false, take_withdrawal, copy_withdrawal},
    {RG_KIND_CANCEL, false, take_stop, take_stop},
    {RG_KIND_ERASURE_ORDER, false, take_erasure_order, NULL},
    {RG_KIND_PROTECTION_NOTICE, false, take_protection, NULL},
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

static bool is_late(const struct rg_content *first)
{
    return first->body == RG_BODY_PREVIEW && first->preview.reason == RG_REASON_LATE_IDENTIFICATION;
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
    /* Who is asked is the country of origin; identified late, it is the country she was in. */
    bool is_host = asked == is_late(arrival->opened->first);
    (void)snprintf(file->host, sizeof(file->host), "%s", is_host ? own : other);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", is_host ? other : own);
    bool from_ngo = proposal && !arrival->ours;
    (void)snprintf(from_ngo ? file->proposed_by : file->partner, RG_OFFICE_BYTES, "%s",
                   arrival->row->other);
}

/* An alert may come straight from an NGO, on a thread of its own. */
static bool is_alert(const struct rg_arrival *arrival)
{
    uint32_t kind = arrival->opened->first->kind;
    return kind == RG_KIND_CONSENT_WITHDRAWN || kind == RG_KIND_TRANSIT_ALERT ||
           kind == RG_KIND_SAFETY_CONCERN;
}

/* Drafts, copies and requests to sign go about inside the country, each on a thread of its own. */
static bool is_inner_work(const struct rg_arrival *arrival)
{
    return !arrival->crosses && (arrival->opened->first->kind >= RG_KIND_DESK_DRAFT ||
                                 arrival->file->now.side == RG_SIDE_PROPOSER);
}

/* A desk works on what its focal point hands it; it has no part in the process. */
static bool is_desk_work(const struct rg_arrival *arrival)
{
    return !arrival->crosses && !arrival->ours && !rg_home_is_focal(arrival->office->home);
}

/* The countries of the case, by what the desk is handed: who wrote it, which way it went. */
static void desk_countries(struct rg_arrival *arrival)
{
    struct rg_case_file *file = arrival->file;
    const char *own = arrival->office->home->principal.country;
    char other[RG_COUNTRY_BYTES] = "";
    bool host = true;
    for (size_t i = 0; i < arrival->opened->count; i++) {
        const struct rg_opened_section *section = &arrival->opened->section[i];
        const struct rg_kind_row *row = rg_kind_row(section->content.kind);
        struct rg_core core;
        if (!section->forwarded || !rg_is_ok(rg_core_peek(section->passed.core, &core, NULL))) {
            continue;
        }
        rg_office_country(core.from_office, other);
        bool ours = strcmp(other, own) == 0;
        bool back =
            section->here && row != NULL &&
            (row->direction == RG_DIRECTION_BACK || row->direction == RG_DIRECTION_ORIGIN_TO_HOST);
        if (ours) {
            (void)snprintf(other, sizeof(other), "%s", core.to_country);
        }
        host = ours != back;
    }
    (void)snprintf(file->host, sizeof(file->host), "%s", host ? own : other);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", host ? other : own);
}

static void desk_begin(struct rg_arrival *arrival)
{
    struct rg_case_file *file = arrival->file;
    file->handle = arrival->opened->first->handle;
    file->made_ms = rg_wall_now().ms;
    file->now = (struct rg_case){
        .side = RG_SIDE_PROPOSER, .state = RG_CASE_FORWARDED, .since = rg_wall_now()};
    file->thread = arrival->row->thread;
    file->has_thread = true;
    (void)snprintf(file->partner, sizeof(file->partner), "%s", arrival->row->other);
    desk_countries(arrival);
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
    bool own = is_alert(arrival) || is_inner_work(arrival);
    RG_CHECK((of_proposer ? proposal : main) || own, why, RG_DENIED, "case-thread",
             "the message came in another thread than its case has with that office");
    return rg_ok();
}

/* ... of one of the two countries of the case. */
static bool is_alert_of(const struct rg_arrival *arrival)
{
    char partner[RG_COUNTRY_BYTES];
    char other[RG_COUNTRY_BYTES];
    rg_office_country(arrival->file->partner, partner);
    rg_office_country(arrival->row->other, other);
    return is_alert(arrival) && (!arrival->crosses || strcmp(partner, other) == 0);
}

/* The office at the other end of this message is the one that the case has there. */
static rg_outcome office_check(const struct rg_arrival *arrival, struct rg_reason *why)
{
    const struct rg_case_file *file = arrival->file;
    bool first = arrival->ours && file->partner[0] == '\0'; /* a colleague has just asked them */
    const char *expected =
        arrival->crosses || file->now.side == RG_SIDE_PROPOSER ? file->partner : file->proposed_by;
    bool same = strcmp(expected, arrival->row->other) == 0;
    bool inner = !arrival->crosses && arrival->opened->first->kind >= RG_KIND_DESK_DRAFT;
    RG_CHECK(first || same || inner || is_alert_of(arrival), why, RG_DENIED, "case-office",
             "the message speaks about a case of another office");
    return rg_ok();
}

/* The first message across the border, of either side, begins the case's thread. */
static void thread_take(struct rg_arrival *arrival)
{
    struct rg_case_file *file = arrival->file;
    if (!arrival->crosses || file->has_thread || is_alert(arrival)) {
        return;
    }
    file->thread = arrival->row->thread;
    file->has_thread = true;
    (void)snprintf(file->partner, sizeof(file->partner), "%s", arrival->row->other);
}

/* A colleague asks to sign the first message of a case that this device has not seen yet. */
static rg_outcome second_begin(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    struct rg_core core;
    RG_TRY(rg_core_peek(arrival->opened->first->countersign.core, &core, why));
    file->handle = arrival->opened->first->handle;
    file->made_ms = rg_wall_now().ms;
    file->now =
        (struct rg_case){.side = RG_SIDE_HOST, .state = RG_CASE_READY, .since = rg_wall_now()};
    file->thread = core.thread;
    file->has_thread = true;
    (void)snprintf(file->partner, sizeof(file->partner), "%s", core.to_office[0]);
    (void)snprintf(file->host, sizeof(file->host), "%s", arrival->office->home->principal.country);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", core.to_country);
    return rg_ok();
}

/* A colleague protects a case that has not been referred yet: it is known here by its number, or
 * not at all. The person's record comes when the case is referred. */
static rg_outcome protected_begin(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct rg_case_file *file = arrival->file;
    const char *own = arrival->office->home->principal.country;
    int64_t row = 0;
    bool found = false;
    RG_TRY(is_of_colleague(arrival, why));
    const struct rg_form *form = arrival->opened->first->form;
    const char *reference = rg_form_get(form, "reference");
    RG_CHECK(strcmp(rg_form_get(form, "host"), own) == 0, why, RG_DENIED, "case-elsewhere",
             "the case is with a colleague of this office");
    if (reference[0] != '\0') {
        RG_TRY(rg_casebook_find(arrival->office->book, RG_CASE_BY_REFERENCE,
                                rg_bytes_of_text(reference), &row, &found, why));
    }
    if (found) {
        return rg_casebook_get(arrival->office->book, row, file, why);
    }
    file->handle = arrival->opened->first->handle;
    file->made_ms = rg_wall_now().ms;
    file->now =
        (struct rg_case){.side = RG_SIDE_HOST, .state = RG_CASE_HELD, .since = rg_wall_now()};
    (void)snprintf(file->host, sizeof(file->host), "%s", own);
    (void)snprintf(file->origin, sizeof(file->origin), "%s", rg_form_get(form, "origin"));
    (void)snprintf(file->reference, sizeof(file->reference), "%s", reference);
    file->rule = RG_RULE_PREVIEW_INCOMPLETE;
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
    bool asked = arrival->opened->first->kind == RG_KIND_COUNTERSIGN_REQUEST;
    bool guarded = arrival->opened->first->kind == RG_KIND_PROTECTION_NOTICE && !arrival->ours;
    bool opens = (taking != NULL && taking->opens_case) || is_desk_work(arrival) || asked;
    if (!found && guarded) {
        return protected_begin(arrival, why);
    }
    RG_CHECK(found || opens, why, RG_DENIED, "case-elsewhere",
             "the case is with a colleague of this office");
    if (!found && is_desk_work(arrival)) {
        desk_begin(arrival);
        return rg_ok();
    }
    if (!found && asked) {
        return second_begin(arrival, why);
    }
    if (!found) {
        file_begin(arrival);
        thread_take(arrival);
        return rg_ok();
    }
    RG_TRY(rg_casebook_get(arrival->office->book, row, file, why));
    RG_TRY(office_check(arrival, why));
    thread_take(arrival);
    return opens ? rg_ok() : thread_check(arrival, why);
}

/* ---- filing ---- */

/* Notices to everybody and the directory belong to no case. */
static bool has_no_case(uint32_t kind)
{
    return kind == RG_KIND_DIRECTORY_UPDATE || kind == RG_KIND_PROCEDURE_NOTICE ||
           kind == RG_KIND_BREACH_NOTICE;
}

/* What both offices must know of it, for the fold. A void message is kept, and acts on nothing. */
static rg_outcome process_take(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    const struct rg_content *section[RG_SECTIONS_MAX];
    struct rg_process_message note;
    bool relevant = false;
    enum rg_void said = RG_VOID_NOT;
    size_t count = 0;
    for (size_t i = 0; i < arrival->opened->count; i++) {
        if (arrival->opened->section[i].here) {
            section[count++] = &arrival->opened->section[i].content;
        }
    }
    struct rg_noting noting = {.section = section,
                               .count = count,
                               .id = arrival->row->id,
                               .thread = arrival->row->thread,
                               .own_country = arrival->ours || !arrival->crosses};
    RG_TRY(rg_office_note(office, arrival->file, &noting, &note, &relevant, why));
    if (!relevant) {
        return rg_ok();
    }
    note.made = rg_process_made(note.made, (struct rg_wall){arrival->row->time_ms});
    RG_TRY(rg_casebook_note_put(office->book, arrival->row->seq, &note, why));
    RG_TRY(rg_spool_message_update(office->spool, arrival->row, why));
    RG_TRY(rg_office_fold(office, arrival->file, &arrival->row->id, &said, why));
    RG_TRY(rg_spool_message_get(office->spool, arrival->row->id, arrival->row, &relevant, why));
    arrival->counts = said == RG_VOID_NOT;
    return rg_ok();
}

static bool is_of_the_process(const struct rg_arrival *arrival)
{
    bool notice = !arrival->ours && !arrival->crosses && is_alert(arrival);
    return arrival->file->now.side != RG_SIDE_PROPOSER && (arrival->crosses || notice);
}

/* What a desk or an NGO may answer: the message of the case that its focal point has shown it. */
static rg_outcome desk_note(struct rg_arrival *arrival, struct rg_reason *why)
{
    const struct rg_content *first = arrival->opened->first;
    uint32_t kind = first->kind;
    for (size_t i = 0; i < arrival->opened->count; i++) {
        if (arrival->opened->section[i].here) {
            kind = arrival->opened->section[i].content.kind;
        }
    }
    const struct rg_process_message note = {
        .id = first->has_answers ? first->answers : arrival->row->id,
        .from = RG_PARTY_NONE,
        .kind = kind,
        .made = first->made,
    };
    return rg_casebook_note_put(arrival->office->book, arrival->row->seq, &note, why);
}

/* What an NGO learns of a case it has proposed: that it goes on, and how it ends. */
static bool is_milestone(uint32_t kind)
{
    static const uint8_t milestones[] = {
        RG_KIND_INFO_REQUEST,     RG_KIND_CANCEL,           RG_KIND_CONSENT_WITHDRAWN,
        RG_KIND_HANDOVER_REPLY,   RG_KIND_HANDOVER_CHANGE,  RG_KIND_RECEPTION_CONFIRM,
        RG_KIND_TRANSIT_ALERT,    RG_KIND_TRANSIT_RESOLVED, RG_KIND_REINTEGRATION_PLAN,
        RG_KIND_FOLLOW_UP_REPORT, RG_KIND_CLOSURE,          RG_KIND_CLOSURE_REPLY};
    for (size_t i = 0; i < sizeof(milestones); i++) {
        if (milestones[i] == kind) {
            return true;
        }
    }
    return false;
}

static rg_outcome milestone_relay(struct rg_arrival *arrival, struct rg_reason *why)
{
    const struct rg_content *first = arrival->opened->first;
    struct rg_reason said = {0};
    bool done = false;
    if (!arrival->file->has_proposal || !arrival->counts || first->body != RG_BODY_FORM ||
        first->class_ != RG_CLASS_CASE || !is_milestone(first->kind)) {
        return rg_ok();
    }
    RG_TRY(by_itself(
        rg_office_relay_form(arrival->office, arrival->file, first, arrival->row->id, &said), &said,
        &done, why));
    arrival->office->moved.relayed += done;
    return rg_ok();
}

/* What the library does by itself now, and the word that it was opened, when nothing says so. */
static rg_outcome answer(struct rg_arrival *arrival, struct rg_reason *why)
{
    size_t done = 0;
    uint32_t kind = arrival->opened->first->kind;
    bool notice = is_alert(arrival) && !arrival->crosses; /* its thread is not ours to write in */
    bool wanted = arrival->counts && !arrival->ours && !notice && kind != RG_KIND_ACKNOWLEDGEMENT &&
                  kind != RG_KIND_DESK_COPY && kind != RG_KIND_COUNTERSIGN_REQUEST &&
                  kind != RG_KIND_PROTECTION_NOTICE;
    RG_TRY(rg_office_act(arrival->office, arrival->file, &done, why));
    if (arrival->crosses && !arrival->ours) {
        RG_TRY(rg_office_desk_copies(arrival, why));
        RG_TRY(milestone_relay(arrival, why));
    }
    return wanted && done == 0 ? acknowledge(arrival, why) : rg_ok();
}

/* The house's own part. What it cannot do with the message does not undo that it came: both offices
 * count it alike. */
static rg_outcome house_take(struct rg_arrival *arrival, const struct taking *taking,
                             struct rg_reason *why)
{
    arrival_act act = taking == NULL ? NULL : arrival->ours ? taking->ours : taking->theirs;
    RG_CASE_FILE before = *arrival->file;
    struct rg_reason said = {0};
    RG_SPOOL_STEP step = {0};
    if (!arrival->counts) {
        return rg_ok();
    }
    rg_office_family_take(arrival->file, arrival->opened->first);
    RG_TRY(rg_spool_step_begin(arrival->office->spool, &step, why));
    rg_outcome outcome = act != NULL ? act(arrival, &said) : rg_ok();
    outcome = rg_is_ok(outcome) ? fields_take(arrival, &said) : outcome;
    if (rg_is_ok(outcome)) {
        return rg_spool_step_commit(&step, why);
    }
    if (outcome.code != RG_DENIED) {
        *why = said;
        return outcome;
    }
    *arrival->file = before;
    arrival->counts = false;
    (void)snprintf(arrival->row->reason, sizeof(arrival->row->reason), "%s", said.id);
    return rg_ok();
}

static rg_outcome file_in_case(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    const struct taking *taking = taking_of(arrival->opened->first->kind);
    RG_TRY(file_find(arrival, taking, why));
    RG_TRY(rg_casebook_put(office->book, arrival->file, why)); /* a row for what follows */
    arrival->row->case_row = arrival->file->row;
    arrival->counts = true;
    if (is_of_the_process(arrival)) {
        RG_TRY(process_take(arrival, why));
    }
    if (arrival->file->now.side == RG_SIDE_PROPOSER && !arrival->ours) {
        RG_TRY(desk_note(arrival, why));
    }
    if (arrival->ours && arrival->envelope->core.has_decides) {
        RG_TRY(rg_office_draft_done(office, arrival->envelope->core.decides, why));
    }
    RG_TRY(house_take(arrival, taking, why));
    RG_TRY(rg_casebook_put(office->book, arrival->file, why));
    RG_TRY(answer(arrival, why));
    return rg_casebook_put(office->book, arrival->file, why);
}

rg_outcome rg_arrival_file(struct rg_arrival *arrival, struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    if (has_no_case(arrival->opened->first->kind)) {
        return rg_ok();
    }
    RG_TRY(rg_spool_step_begin(arrival->office->spool, &step, why));
    RG_TRY(file_in_case(arrival, why));
    return rg_spool_step_commit(&step, why);
}
