/* How it works: nothing here changes anything. A case is shown from its file in the casebook, a
 * message from its row and its opened first section, the timeline from messages and proofs in the
 * order of this folder. Texts handed out live in the handle until the next call. Cursors are plain
 * row numbers, so a program can keep one and go on another day. */
#include "client/referral_inside.h"

#include "client/rules.h"
#include "core/digest.h"
#include "core/trust.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_PER_MESSAGE 16
#define PROOFS_MAX 12

static struct referral_result end_of_list(void)
{
    return (struct referral_result){.code = REFERRAL_END};
}

/* ---- words ---- */

static const char *sex_word(uint32_t position)
{
    static const char *const word[] = {"sex not stated",    "female",          "male",
                                       "transgender woman", "transgender man", "non-conforming",
                                       "sex not stated"};
    return position < sizeof(word) / sizeof(word[0]) ? word[position] : word[0];
}

static const char *language_word(const char *code)
{
    static const char *const word[][2] = {
        {"khm", "Khmer"},          {"zho", "Chinese"}, {"lao", "Lao"},
        {"mya", "Burmese"},        {"tha", "Thai"},    {"vie", "Vietnamese"},
        {"", "language not known"}};
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
        if (strcmp(word[i][0], code) == 0) {
            return word[i][1];
        }
    }
    return code;
}

static const char *reason_word(enum rg_referral_reason reason)
{
    static const char *const word[] = {
        "",       "return", "tracing only", "services", "late identification", "family reunion",
        "witness"};
    return (unsigned)reason < sizeof(word) / sizeof(word[0]) ? word[reason] : "";
}

static void add(char *out, size_t room, const char *format, ...) RG_PRINTF(3, 4);
static void add(char *out, size_t room, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out + used, room - used, format, arguments);
    va_end(arguments);
}

static void preview_words(const struct rg_preview *preview, char *out, size_t room)
{
    out[0] = '\0';
    add(out, room, "%s, %s, %s; %s", preview->age == RG_AGE_ADULT ? "adult" : "child",
        sex_word(preview->sex), language_word(preview->language), reason_word(preview->reason));
    for (uint32_t i = 0; i < 32; i++) {
        const char *need =
            (preview->needs >> i & 1u) != 0 ? rg_code_text(RG_FIELD_NEEDS, i + 1) : NULL;
        if (need != NULL) {
            add(out, room, ", needs %s", need);
        }
    }
    if (preview->urgency != RG_URGENCY_ROUTINE) {
        add(out, room, "; %s", preview->urgency == RG_URGENCY_URGENT ? "urgent" : "emergency");
    }
    if (preview->expected_month.year != 0) {
        add(out, room, "; expected %04d-%02d", preview->expected_month.year,
            preview->expected_month.month);
    }
}

/* ---- cases ---- */

static const char *state_word(const struct rg_case_file *file)
{
    static const char *const word[RG_CASE_STATE_COUNT] = {
        [RG_CASE_NONE] = "new",           [RG_CASE_HELD] = "held",
        [RG_CASE_READY] = "ready",        [RG_CASE_PROPOSED] = "proposed",
        [RG_CASE_FORWARDED] = "accepted", [RG_CASE_REFERRED] = "referred",
        [RG_CASE_RETURNED] = "returned",  [RG_CASE_ACCEPTED] = "accepted",
        [RG_CASE_RELEASED] = "released",  [RG_CASE_DECLINED] = "declined",
    };
    if (file->now.state == RG_CASE_RELEASED) {
        bool whole = file->now.side == RG_SIDE_ORIGIN || file->details_opened;
        return whole ? "identity_released" : "details_sent";
    }
    return (unsigned)file->now.state < RG_CASE_STATE_COUNT ? word[file->now.state] : "unknown";
}

static const char *side_word(const struct rg_case_file *file)
{
    return file->now.side == RG_SIDE_PROPOSER ? "ngo" : rg_case_side_name(file->now.side);
}

static void waiting_words(const struct rg_case_file *file, const struct rg_file_waiting *waiting,
                          char *out, size_t room)
{
    out[0] = '\0';
    if (waiting->mover == RG_MOVER_US) {
        add(out, room, "us: %s", waiting->what);
    }
    if (waiting->mover == RG_MOVER_OTHER_SIDE || waiting->mover == RG_MOVER_OWN_FOCAL) {
        add(out, room, "%s: %s", file->partner, waiting->what);
    }
}

struct rg_deadline_clock rg_office_clock(const struct referral *office,
                                         const struct rg_file_waiting *waiting)
{
    if (waiting->due.ms != 0) {
        return (struct rg_deadline_clock){.due = waiting->due};
    }
    struct rg_span span = rg_deadlines_span(office->deadlines, waiting->awaited);
    return rg_deadlines_clock(office->deadlines, span, waiting->country, waiting->since,
                              rg_office_now(office));
}

static void case_show(struct referral *office, struct referral_case *out)
{
    struct rg_case_file *file = &office->shown;
    struct rg_file_waiting waiting = rg_case_file_waiting(file);
    const struct rg_rule_row *rule = rg_rule_row((enum rg_rule)file->rule);
    const char *decline = rg_decline_name((enum rg_decline_code)file->decline);
    /* Accepted, and a rule keeps the details here: held as well, in words if not in state. */
    bool held =
        file->now.state == RG_CASE_HELD || (file->now.state == RG_CASE_ACCEPTED && file->rule != 0);
    bool declined = file->now.state == RG_CASE_DECLINED && decline != NULL;
    office->text[0][0] = '\0';
    if (file->has_preview) {
        preview_words(&file->preview, office->text[0], sizeof(office->text[0]));
    }
    waiting_words(file, &waiting, office->text[1], sizeof(office->text[1]));
    office->text[2][0] = '\0';
    if (held) {
        add(office->text[2], sizeof(office->text[2]), "%s; %s", rule->meaning, rule->what_next);
    }
    *out = (struct referral_case){
        .id = file->number,
        .reference = file->reference,
        .name_native = file->name_native,
        .name_latin = file->name_latin,
        .host = file->host,
        .origin = file->origin,
        .side = side_word(file),
        .proposed_by = file->proposed_by,
        .state = state_word(file),
        .summary = office->text[0],
        .waiting_for = office->text[1],
        .reason = held       ? office->text[2]
                  : declined ? decline
                             : "",
        .reason_id = held       ? rule->id
                     : declined ? decline
                                : "",
        .our_move = waiting.mover == RG_MOVER_US,
        .details_sent = file->details_sent,
        .details_here = file->details_here,
        .receipt_verified = file->request_received,
        .opened_there = file->request_opened,
        .details_opened = file->details_opened,
        .refused_by_person = held && rule->refused,
        .since_ms = file->now.since.ms,
        .due_ms = rg_office_clock(office, &waiting).due.ms,
    };
}

struct referral_result referral_next_case(struct referral *office, struct referral_cursor *cursor,
                                          struct referral_case *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = rg_casebook_next(office->book, cursor->at, &office->shown, &found, &why);
    if (!rg_is_ok(outcome) || !found) {
        return rg_is_ok(outcome) ? end_of_list() : rg_result(outcome, &why);
    }
    cursor->at = office->shown.row;
    case_show(office, out);
    return rg_result(outcome, NULL);
}

struct referral_result referral_case(struct referral *office, const char *id,
                                     struct referral_case *out)
{
    struct rg_reason why = {0};
    rg_outcome outcome = rg_office_case(office, id, &office->shown, &why);
    if (rg_is_ok(outcome)) {
        case_show(office, out);
    }
    return rg_result(outcome, &why);
}

/* ---- messages ---- */

rg_outcome rg_office_content(struct referral *office, const struct rg_message_row *row,
                             size_t index, struct rg_content *content_out,
                             struct rg_buffer *memory_out, bool *found_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    *found_out = false;
    rg_outcome outcome =
        rg_casebook_section_get(office->book, row->seq, index, &bytes, found_out, why);
    if (outcome.code == RG_DENIED) {
        *found_out = false; /* erased */
        return rg_ok();
    }
    RG_TRY(outcome);
    return *found_out ? rg_content_decode(rg_buffer_peek(&bytes), content_out, memory_out, why)
                      : rg_ok();
}

static const char *message_state(enum rg_message_state state)
{
    switch (state) {
    case RG_OUT_WAITING:
        return "waiting";
    case RG_OUT_ACCEPTED:
        return "accepted";
    case RG_OUT_RECEIVED:
        return "received";
    case RG_OUT_COLLECTED:
        return "collected";
    case RG_OUT_REFUSED:
        return "refused";
    case RG_IN_STORED:
        return "stored";
    case RG_IN_OPENED:
        return "opened";
    case RG_IN_UNOPENED:
        return "unopened";
    }
    return "unknown";
}

static void content_words(const struct rg_content *content, char *out, size_t room)
{
    out[0] = '\0';
    switch (content->body) {
    case RG_BODY_PREVIEW:
        add(out, room, "referral request: ");
        preview_words(&content->preview, out + strlen(out), room - strlen(out));
        return;
    case RG_BODY_PROPOSAL:
        add(out, room, "proposal of a referral: ");
        preview_words(&content->proposal.preview, out + strlen(out), room - strlen(out));
        return;
    case RG_BODY_DETAILS:
        add(out, room, "details of the case");
        return;
    case RG_BODY_ACCEPT:
        add(out, room, "accepted; responsible: %.60s", content->accept.desk);
        return;
    case RG_BODY_DECLINE:
        add(out, room, "declined: %s%s%.200s", rg_decline_name(content->decline.code),
            content->decline.text[0] != '\0' ? ", " : "", content->decline.text);
        return;
    case RG_BODY_ACKNOWLEDGEMENT:
        add(out, room, "acknowledgement: the message has been opened");
        return;
    case RG_BODY_FORM:
    case RG_BODY_DESK_DRAFT:
    case RG_BODY_FORWARDED:
    case RG_BODY_COUNTERSIGN:
        add(out, room, "%s", rg_kind_row(content->kind)->meaning);
        return;
    case RG_BODY_WITHHELD:
    case RG_BODY_NONE:
        return;
    }
}

static rg_outcome message_case(struct referral *office, const struct rg_message_row *row,
                               struct rg_reason *why)
{
    rg_case_file_drop(&office->shown);
    return row->case_row != 0 ? rg_casebook_get(office->book, row->case_row, &office->shown, why)
                              : rg_ok();
}

static rg_outcome message_show(struct referral *office, const struct rg_message_row *row,
                               struct referral_message *out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(message_case(office, row, why));
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    office->text[3][0] = '\0';
    if (found) {
        content_words(&content, office->text[3], sizeof(office->text[3]));
    }
    rg_hex(rg_bytes_of(row->id.b, sizeof(row->id.b)), office->hex);
    (void)snprintf(office->office_from, sizeof(office->office_from), "%s",
                   row->ours ? rg_office_own(office) : row->other);
    (void)snprintf(office->office_to, sizeof(office->office_to), "%s",
                   row->ours ? row->other : rg_office_own(office));
    (void)snprintf(office->text[2], sizeof(office->text[2]), "%s",
                   row->state == RG_OUT_REFUSED ? rg_refusal_row(row->code)->name : row->reason);
    *out = (struct referral_message){
        .id = office->hex,
        .case_id = office->shown.number,
        .from = office->office_from,
        .to = office->office_to,
        .kind = found ? rg_kind_name(content.kind) : "",
        .kind_number = found ? (int)content.kind : 0,
        .state = message_state(row->state),
        .reason = office->text[2],
        .text = office->text[3],
        .ours = row->ours,
        .emergency = row->priority == RG_EMERGENCY,
        .sections = row->sections,
        .time_ms = row->time_ms,
    };
    return rg_ok();
}

static struct referral_result next_message(struct referral *office, enum rg_spool_order order,
                                           int64_t key, struct referral_cursor *cursor,
                                           struct referral_message *out)
{
    struct rg_reason why = {0};
    struct rg_message_row row;
    size_t count = 0;
    rg_outcome outcome =
        rg_spool_list(office->spool, order, key, cursor->at, &row, 1, &count, &why);
    if (rg_is_ok(outcome) && count == 0) {
        return end_of_list();
    }
    if (rg_is_ok(outcome)) {
        outcome = message_show(office, &row, out, &why);
    }
    if (rg_is_ok(outcome)) {
        cursor->at = row.seq;
    }
    return rg_result(outcome, &why);
}

struct referral_result referral_next_message(struct referral *office,
                                             struct referral_cursor *cursor,
                                             struct referral_message *out)
{
    return next_message(office, RG_BY_ARRIVAL, 0, cursor, out);
}

struct referral_result referral_next_of_case(struct referral *office, const char *id,
                                             struct referral_cursor *cursor,
                                             struct referral_message *out)
{
    struct rg_reason why = {0};
    RG_CASE_FILE file = {0};
    rg_outcome outcome = rg_office_case(office, id, &file, &why);
    return rg_is_ok(outcome) ? next_message(office, RG_BY_CASE, file.row, cursor, out)
                             : rg_result(outcome, &why);
}

/* ---- the timeline ---- */

static const char *proof_words(const struct rg_message_row *row, const struct rg_proof_row *proof)
{
    switch (proof->kind) {
    case RG_ENTRY_ACCEPTED:
        return row->ours ? "took our message" : "took their message";
    case RG_ENTRY_RECEIVED:
        return row->ours ? "has our message" : "has it for us";
    case RG_ENTRY_COLLECTED:
        return "an officer there has opened it";
    case RG_ENTRY_REFUSED:
        return "refused it for good";
    case RG_ENTRY_CLOSED:
        return "closed it: never received";
    case RG_ENTRY_UNCONFIRMED:
        return "holds no receipt for it";
    case RG_ENTRY_RECEIPT_VERIFIED:
    case RG_ENTRY_ERASED:
    case RG_ENTRY_PAGE:
    case RG_ENTRY_PEER_HEAD:
    case RG_ENTRY_EPOCH:
        return "noted it";
    }
    return "noted it";
}

static void event_of_proof(struct referral *office, const struct rg_message_row *row,
                           const struct rg_proof_row *proof, struct referral_event *out)
{
    const char *country = rg_home_log_country(office->home, proof->head.origin);
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s gateway", country);
    (void)snprintf(office->text[1], sizeof(office->text[1]), "%s", proof_words(row, proof));
    *out = (struct referral_event){.time_ms = proof->time_ms,
                                   .clock = office->text[0],
                                   .who = office->text[0],
                                   .what = office->text[1],
                                   .proven = true};
}

static rg_outcome event_of_message(struct referral *office, const struct rg_message_row *row,
                                   struct referral_event *out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s",
                   row->ours ? rg_office_own(office) : row->other);
    office->text[1][0] = '\0';
    if (found) {
        content_words(&content, office->text[1], sizeof(office->text[1]));
    }
    if (!found) {
        add(office->text[1], sizeof(office->text[1]), "a sealed message (%s)",
            row->reason[0] != '\0' ? row->reason : "erased");
    }
    if (row->ours) {
        add(office->text[1], sizeof(office->text[1]), " -> %s", row->other);
    }
    *out = (struct referral_event){.time_ms = found ? content.made.ms : row->time_ms,
                                   .clock = row->ours ? "ours" : "theirs",
                                   .who = office->text[0],
                                   .what = office->text[1]};
    return rg_ok();
}

static void proofs_sort(struct rg_proof_row *proof, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t k = i; k > 0 && proof[k].time_ms < proof[k - 1].time_ms; k--) {
            struct rg_proof_row swap = proof[k];
            proof[k] = proof[k - 1];
            proof[k - 1] = swap;
        }
    }
}

/* Place `at` of one message: 0 the message, then its proofs by time. Theirs: proofs come first. */
static rg_outcome event_at(struct referral *office, const struct rg_message_row *row, size_t at,
                           struct referral_event *out, bool *found_out, struct rg_reason *why)
{
    struct rg_proof_row proof[PROOFS_MAX];
    size_t count = 0;
    *found_out = true;
    if (at == 0) {
        return event_of_message(office, row, out, why);
    }
    RG_TRY(rg_spool_proofs(office->spool, row->seq, proof, PROOFS_MAX, &count, why));
    if (at > count) {
        *found_out = false;
        return rg_ok();
    }
    proofs_sort(proof, count);
    event_of_proof(office, row, &proof[at - 1], out);
    return rg_ok();
}

static bool entered_here(const struct rg_case_file *file)
{
    return file->now.side != RG_SIDE_ORIGIN && file->proposed_by[0] == '\0';
}

static rg_outcome next_event(struct referral *office, const char *id,
                             struct referral_cursor *cursor, struct referral_event *out,
                             bool *found_out, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    *found_out = true;
    if (cursor->at == 0) {
        cursor->at = EVENTS_PER_MESSAGE; /* messages begin at 1 */
        if (entered_here(&file)) {
            *out = (struct referral_event){.time_ms = file.made_ms,
                                           .clock = "ours",
                                           .who = rg_office_own(office),
                                           .what = "entered into the casebook"};
            return rg_ok();
        }
    }
    for (;;) {
        struct rg_message_row row;
        size_t count = 0;
        int64_t seq = cursor->at / EVENTS_PER_MESSAGE;
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file.row, seq - 1, &row, 1, &count, why));
        if (count == 0) {
            *found_out = false;
            return rg_ok();
        }
        size_t at = row.seq == seq ? (size_t)(cursor->at % EVENTS_PER_MESSAGE) : 0;
        RG_TRY(event_at(office, &row, at, out, found_out, why));
        cursor->at = *found_out ? row.seq * EVENTS_PER_MESSAGE + (int64_t)at + 1
                                : (row.seq + 1) * EVENTS_PER_MESSAGE;
        if (*found_out) {
            return rg_ok();
        }
    }
}

struct referral_result referral_next_event(struct referral *office, const char *id,
                                           struct referral_cursor *cursor,
                                           struct referral_event *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_event(office, id, cursor, out, &found, &why);
    return rg_is_ok(outcome) && !found ? end_of_list() : rg_result(outcome, &why);
}

/* ---- one message or case by its name ---- */

static rg_outcome message_by_name(struct referral *office, const char *id,
                                  struct rg_message_row *out, struct rg_reason *why)
{
    uint8_t prefix[32];
    size_t digits = strlen(id) / 2 * 2;
    bool found = false;
    char even[65];
    RG_CHECK(digits >= 8 && digits <= 64 && id[strspn(id, "0123456789abcdefABCDEF")] == '\0', why,
             RG_DENIED, "case-unknown",
             "there is no such case or message here; see: referral list");
    (void)snprintf(even, sizeof(even), "%.*s", (int)digits, id);
    RG_TRY(rg_hex_parse(even, prefix, digits / 2, why));
    RG_TRY(rg_spool_message_by_prefix(office->spool, rg_bytes_of(prefix, digits / 2), out, &found,
                                      why));
    RG_CHECK(found, why, RG_DENIED, "message-unknown", "there is no such message here");
    return rg_ok();
}

/* Calls `each` for the message named, or for every message of the case named. */
static rg_outcome each_named(struct referral *office, const char *id,
                             rg_outcome (*each)(void *context, const struct rg_message_row *row,
                                                struct rg_reason *why),
                             void *context, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_message_row row;
    size_t count = 1;
    if (!rg_is_ok(rg_office_case(office, id, &file, NULL))) {
        RG_TRY(message_by_name(office, id, &row, why));
        return each(context, &row, why);
    }
    row.seq = 0;
    for (;;) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file.row, row.seq, &row, 1, &count, why));
        if (count == 0) {
            return rg_ok();
        }
        RG_TRY(each(context, &row, why));
    }
}

/* ---- sections ---- */

struct finding {
    size_t left; /* sections to pass over */
    struct rg_message_row row;
    size_t index;
    bool found;
};

static rg_outcome find_section(void *context, const struct rg_message_row *row,
                               struct rg_reason *why)
{
    struct finding *finding = context;
    (void)why;
    if (!finding->found && finding->left < row->sections) {
        finding->row = *row;
        finding->index = finding->left;
        finding->found = true;
    }
    finding->left -= finding->found ? 0 : row->sections;
    return rg_ok();
}

static rg_outcome section_sealed(struct referral *office, const struct finding *finding,
                                 struct rg_buffer *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_envelope envelope;
    RG_TRY(rg_spool_envelope(office->spool, finding->row.seq, &bytes, why));
    RG_TRY(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, why));
    RG_CHECK(finding->index < envelope.core.section_count, why, RG_DENIED, "section-unknown",
             "there is no such section");
    return rg_buffer_append(out, envelope.sealed[finding->index], why);
}

static rg_outcome fields_text(const struct rg_fields *fields, struct rg_buffer *out,
                              struct rg_reason *why)
{
    for (size_t i = 0; i < fields->count; i++) {
        RG_TRY(rg_buffer_print(out, why, "%s: %s\n", rg_field_row(fields->item[i].field)->name,
                               fields->item[i].value));
    }
    return rg_ok();
}

static rg_outcome content_text(const struct rg_content *content, struct rg_buffer *out,
                               struct rg_reason *why)
{
    char words[1024];
    content_words(content, words, sizeof(words));
    RG_TRY(rg_buffer_print(out, why, "kind: %u %s\nclass: %s\nauthor: %s\n", content->kind,
                           rg_kind_name(content->kind), rg_class_name(content->class_),
                           content->author));
    if (words[0] != '\0') {
        RG_TRY(rg_buffer_print(out, why, "what: %s\n", words));
    }
    if (content->body == RG_BODY_ACCEPT) {
        RG_TRY(rg_buffer_print(out, why, "contact: %s\nnext: %s\n", content->accept.contact_route,
                               content->accept.next_steps));
    }
    if (content->body == RG_BODY_PROPOSAL) {
        RG_TRY(fields_text(&content->proposal.fields, out, why));
    }
    if (content->body == RG_BODY_WITHHELD) {
        RG_TRY(rg_buffer_print(out, why, "this part is withheld\n"));
    }
    return content->body == RG_BODY_DETAILS ? fields_text(&content->details, out, why) : rg_ok();
}

static rg_outcome section_text(struct referral *office, const struct finding *finding,
                               struct rg_buffer *out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(
        rg_office_content(office, &finding->row, finding->index, &content, &memory, &found, why));
    RG_CHECK(found, why, RG_DENIED, "section-closed",
             "this section is not open here: withheld, erased or not for this officer");
    return content_text(&content, out, why);
}

static rg_outcome section(struct referral *office, const char *id, size_t number,
                          enum referral_form form, struct rg_buffer *out, struct rg_reason *why)
{
    struct finding finding = {.left = number - 1};
    RG_CHECK(number > 0, why, RG_DENIED, "section-unknown", "sections are counted from 1");
    RG_TRY(each_named(office, id, find_section, &finding, why));
    RG_CHECK(finding.found, why, RG_DENIED, "section-unknown", "there is no such section");
    return form == REFERRAL_SEALED ? section_sealed(office, &finding, out, why)
                                   : section_text(office, &finding, out, why);
}

struct referral_result referral_section(struct referral *office, const char *id, size_t number,
                                        enum referral_form form, uint8_t **data_out,
                                        size_t *bytes_out)
{
    struct rg_reason why = {0};
    RG_OWNED_BUFFER out = {.secret = true};
    rg_outcome outcome = section(office, id, number, form, &out, &why);
    if (rg_is_ok(outcome)) {
        *data_out = out.data;
        *bytes_out = out.len;
        out = (struct rg_buffer){0}; /* the caller's now */
    }
    return rg_result(outcome, &why);
}

void referral_free(void *data, size_t bytes)
{
    if (data != NULL) {
        rg_wipe(data, bytes);
        free(data);
    }
}

/* ---- the journal ---- */

/* Cursor: 0 and above: messages of ours; below: journal rows, counted down from -1. */
static rg_outcome line_of_message(struct referral *office, const struct rg_message_row *row,
                                  struct referral_line *out, struct rg_reason *why)
{
    struct referral_message message = {0};
    RG_TRY(message_show(office, row, &message, why));
    *out = (struct referral_line){.ours = row->ours,
                                  .id = message.id,
                                  .kind = message.kind,
                                  .kind_number = message.kind_number,
                                  .state = message.state,
                                  .from = message.from,
                                  .to = message.to,
                                  .position = row->position,
                                  .time_ms = row->time_ms,
                                  .entered = true};
    return rg_ok();
}

static rg_outcome next_line(struct referral *office, struct referral_cursor *cursor,
                            struct referral_line *out, bool *found_out, struct rg_reason *why)
{
    struct rg_message_row row;
    struct rg_journal_row line;
    size_t count = 0;
    *found_out = true;
    if (cursor->at >= 0) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_DEPARTURE, 0, cursor->at, &row, 1, &count, why));
        cursor->at = count > 0 ? row.seq : -1;
        if (count > 0) {
            return line_of_message(office, &row, out, why);
        }
    }
    RG_TRY(rg_spool_journal(office->spool, -cursor->at - 1, &line, 1, &count, why));
    *found_out = count > 0;
    if (count == 0) {
        return rg_ok();
    }
    bool known = false;
    cursor->at = -line.row - 1;
    RG_TRY(rg_spool_message_get(office->spool, line.id, &row, &known, why));
    RG_CHECK(known, why, RG_BROKEN, "spool-corrupt", "the journal names a message that is gone");
    RG_TRY(line_of_message(office, &row, out, why));
    out->position = line.position;
    out->time_ms = line.at_ms;
    out->entered = line.entered;
    return rg_ok();
}

struct referral_result referral_next_line(struct referral *office, struct referral_cursor *cursor,
                                          struct referral_line *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_line(office, cursor, out, &found, &why);
    return rg_is_ok(outcome) && !found ? end_of_list() : rg_result(outcome, &why);
}

/* ---- proofs again, evidence ---- */

struct verifying {
    struct referral *office;
    struct referral_verified *counts;
    struct rg_checked_heads checked;
};

static rg_outcome verify_one(void *context, const struct rg_message_row *row, struct rg_reason *why)
{
    struct verifying *verifying = context;
    struct rg_proof_row proof[PROOFS_MAX];
    size_t count = 0;
    RG_TRY(rg_spool_proofs(verifying->office->spool, row->seq, proof, PROOFS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        verifying->counts->checked++;
        verifying->counts->failed += !rg_is_ok(
            rg_evidence_check(verifying->office->home, row, &proof[i], &verifying->checked, NULL));
    }
    return rg_ok();
}

static rg_outcome verify_all(struct verifying *verifying, struct rg_reason *why)
{
    static const enum rg_spool_order both[] = {RG_BY_DEPARTURE, RG_BY_ARRIVAL};
    for (size_t i = 0; i < 2; i++) {
        struct rg_message_row row = {0};
        size_t count = 1;
        for (;;) {
            RG_TRY(
                rg_spool_list(verifying->office->spool, both[i], 0, row.seq, &row, 1, &count, why));
            if (count == 0) {
                break;
            }
            RG_TRY(verify_one(verifying, &row, why));
        }
    }
    return rg_ok();
}

struct referral_result referral_verify(struct referral *office, const char *id,
                                       struct referral_verified *out)
{
    struct rg_reason why = {0};
    struct verifying verifying = {.office = office, .counts = out};
    *out = (struct referral_verified){0};
    rg_outcome outcome = id == NULL ? verify_all(&verifying, &why)
                                    : each_named(office, id, verify_one, &verifying, &why);
    return rg_result(outcome, &why);
}

struct bundling {
    struct referral *office;
    const char *folder;
    size_t written;
};

static rg_outcome evidence_one(void *context, const struct rg_message_row *row,
                               struct rg_reason *why)
{
    struct bundling *bundling = context;
    char path[RG_PATH_BYTES];
    char hex[17];
    bundling->written++;
    rg_hex(rg_bytes_of(row->id.b, 8), hex);
    int len = snprintf(path, sizeof(path), "%s/%s", bundling->folder, hex);
    RG_CHECK(len > 0 && len < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long", "a path is too long");
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(rg_office_content(bundling->office, row, 0, &content, &memory, &found, why));
    return rg_evidence_write(bundling->office->home, bundling->office->spool, row,
                             found ? content.author : "", path, why);
}

struct referral_result referral_evidence(struct referral *office, const char *id,
                                         const char *folder)
{
    struct rg_reason why = {0};
    struct bundling bundling = {.office = office, .folder = folder};
    rg_outcome outcome = rg_evidence_folder(folder, &why);
    if (rg_is_ok(outcome)) {
        outcome = each_named(office, id, evidence_one, &bundling, &why);
        (void)rmdir(folder); /* only when it is empty */
    }
    if (rg_is_ok(outcome) && bundling.written == 0) {
        outcome = rg_fail(&why, RG_AGAIN, "evidence-none",
                          "nothing about this case has been sent or received yet");
    }
    return rg_result(outcome, &why);
}

/* ---- status ---- */

static void count_case(const struct rg_case_file *file, struct referral_status *out)
{
    struct rg_file_waiting waiting = rg_case_file_waiting(file);
    bool asked = file->now.side == RG_SIDE_HOST && file->has_request;
    out->cases++;
    out->held += file->now.state == RG_CASE_HELD;
    out->ready += file->now.state == RG_CASE_READY;
    out->our_move += waiting.mover == RG_MOVER_US;
    out->their_move += waiting.mover == RG_MOVER_OTHER_SIDE || waiting.mover == RG_MOVER_OWN_FOCAL;
    out->sent += asked;
    out->received += asked && file->request_received;
    out->opened += asked && file->request_opened;
    out->accepted +=
        asked && (file->now.state == RG_CASE_ACCEPTED || file->now.state == RG_CASE_RELEASED);
    out->declined += asked && file->now.state == RG_CASE_DECLINED;
    out->identity_released += asked && file->details_opened;
}

static rg_outcome count_cases(struct referral *office, struct referral_status *out,
                              struct rg_reason *why)
{
    int64_t at = 0;
    bool found = true;
    for (;;) {
        RG_CASE_FILE file = {0};
        RG_TRY(rg_casebook_next(office->book, at, &file, &found, why));
        if (!found) {
            return rg_ok();
        }
        at = file.row;
        count_case(&file, out);
    }
}

static rg_outcome status(struct referral *office, struct referral_status *out,
                         struct rg_reason *why)
{
    struct rg_spool_counts counts = {0};
    const struct rg_home *home = office->home;
    const struct rg_country *country = rg_trust_country(home->trust, home->principal.country);
    RG_TRY(count_cases(office, out, why));
    RG_TRY(rg_spool_count(office->spool, &counts, why));
    RG_TRY(rg_spool_number_get(office->spool, "last-sync", 0, &out->last_sync_ms, why));
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s:%u", home->host, home->port);
    out->office = home->principal.office;
    out->principal = home->principal.text;
    out->gateway = office->text[0];
    out->exercise = home->exercise;
    out->outbox = counts.waiting;
    out->unproven = counts.accepted;
    out->unopened = counts.unopened + counts.stored;
    out->refused = counts.refused;
    out->deliveries = counts.deliveries;
    out->duplicates = counts.duplicates;
    out->proofs = counts.proofs;
    out->page_valid_until_ms = country != NULL ? country->valid_until.ms : 0;
    if (home->reading_count > 0) {
        out->reading_key_until_ms = rg_certificate_not_after(home->reading[0].certificate).ms;
    }
    return rg_ok();
}

struct referral_result referral_status(struct referral *office, struct referral_status *out)
{
    struct rg_reason why = {0};
    *out = (struct referral_status){0};
    return rg_result(status(office, out, &why), &why);
}
