/* How it works: nothing here changes anything. A message is shown from its row and its opened first
 * section. Texts handed out live in the handle until the next call. Cursors are plain row numbers,
 * so a program can keep one and go on another day. */
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
    case RG_OUT_WITHDRAWN:
        return "withdrawn";
    case RG_IN_STORED:
        return "stored";
    case RG_IN_OPENED:
        return "opened";
    case RG_IN_UNOPENED:
        return "unopened";
    }
    return "unknown";
}

static rg_outcome message_case(struct referral *office, const struct rg_message_row *row,
                               struct rg_reason *why)
{
    rg_case_file_drop(&office->shown);
    return row->case_row != 0 ? rg_casebook_get(office->book, row->case_row, &office->shown, why)
                              : rg_ok();
}

rg_outcome rg_office_show_message(struct referral *office, const struct rg_message_row *row,
                                  struct referral_message *out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(message_case(office, row, why));
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    office->text[3][0] = '\0';
    if (found) {
        rg_words_content(&content, office->text[3], sizeof(office->text[3]));
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
        return rg_end_of_list();
    }
    if (rg_is_ok(outcome)) {
        outcome = rg_office_show_message(office, &row, out, &why);
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

/* ---- one message or case by its name ---- */

rg_outcome rg_office_message(struct referral *office, const char *id, struct rg_message_row *out,
                             struct rg_reason *why)
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
        RG_TRY(rg_office_message(office, id, &row, why));
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

/* "verdict: SAFE", "areas 1 level: LOW" */
static rg_outcome form_text(const struct rg_form *form, struct rg_buffer *out,
                            struct rg_reason *why)
{
    for (size_t i = 0; i < rg_form_value_count(form); i++) {
        struct rg_form_value value = rg_form_value_at(form, i);
        if (value.cell != NULL) {
            RG_TRY(rg_buffer_print(out, why, "%s %zu %s: %s\n", value.box->name, value.row + 1,
                                   value.label, value.text));
            continue;
        }
        RG_TRY(rg_buffer_print(out, why, "%s: %s\n", value.label, value.text));
    }
    return rg_ok();
}

rg_outcome rg_office_content_text(const struct rg_content *content, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    char words[1024];
    rg_words_content(content, words, sizeof(words));
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
    if (content->body == RG_BODY_FORM) {
        return form_text(content->form, out, why);
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
    return rg_office_content_text(&content, out, why);
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
    RG_TRY(rg_office_show_message(office, row, &message, why));
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
    return rg_is_ok(outcome) && !found ? rg_end_of_list() : rg_result(outcome, &why);
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
