/* How it works: every change of a case goes through the table of client/cases: the event of what
 * is about to leave is asked first, the message is composed and spooled, and the case is stored,
 * all in one step of the spool; if any part fails, nothing has happened. A message of ours names
 * the last one of each side in its thread. What may be sent is asked of client/rules again at the
 * moment of sending, since consent may have ended since the import. */
#include "client/referral_inside.h"

#include "client/rules.h"
#include "core/digest.h"
#include "core/trust.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CSV_LINE_BYTES (64 * RG_KIB)

static void lower(const char *text, char *out, size_t room)
{
    (void)snprintf(out, room, "%s", text);
    for (char *c = out; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

void rg_office_names(struct rg_case_file *file, const struct rg_record *record)
{
    (void)snprintf(file->name_native, sizeof(file->name_native), "%s",
                   rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE));
    (void)snprintf(file->name_latin, sizeof(file->name_latin), "%s",
                   rg_record_get(record, RG_FIELD_FULL_NAME_LATIN));
}

enum rg_priority rg_office_priority(const struct rg_case_file *file)
{
    static const enum rg_priority of[] = {RG_ROUTINE, RG_ROUTINE, RG_URGENT, RG_EMERGENCY};
    unsigned urgency = file->has_preview ? (unsigned)file->preview.urgency : 0;
    return urgency < sizeof(of) / sizeof(of[0]) ? of[urgency] : RG_ROUTINE;
}

/* The event must be lawful in the case's state: changes `file` only then. */
static rg_outcome step_case(struct rg_case_file *file, enum rg_case_event event,
                            unsigned *actions_out, struct rg_reason *why)
{
    struct rg_case next;
    RG_TRY(rg_case_step(&file->now, event, rg_wall_now(), &next, actions_out, why));
    file->now = next;
    return rg_ok();
}

/* ---- composing ---- */

static rg_outcome content_common(struct referral *office, const struct rg_case_file *file,
                                 const struct rg_letter *letter, struct rg_wall now,
                                 struct rg_reason *why)
{
    struct rg_content common = {.kind = letter->kind,
                                .handle = file->handle,
                                .has_answers = letter->has_answers,
                                .answers = letter->answers,
                                .exercise = office->home->exercise,
                                .made = now};
    RG_TRY(rg_spool_thread_last(office->spool, letter->thread, true, &common.previous,
                                &common.has_previous, why));
    RG_TRY(rg_spool_thread_last(office->spool, letter->thread, false, &common.seen,
                                &common.has_seen, why));
    for (size_t i = 0; i < letter->count; i++) {
        struct rg_content *content = &letter->content[i];
        content->kind = common.kind;
        content->handle = common.handle;
        content->has_previous = common.has_previous;
        content->previous = common.previous;
        content->has_seen = common.has_seen;
        content->seen = common.seen;
        content->has_answers = common.has_answers;
        content->answers = common.answers;
        content->exercise = common.exercise;
        content->made = common.made;
        (void)snprintf(content->author, sizeof(content->author), "%s",
                       office->home->principal.text);
    }
    return rg_ok();
}

static rg_outcome counter_next(struct referral *office, uint64_t *out, struct rg_reason *why)
{
    int64_t counter = 0;
    RG_TRY(rg_spool_number_get(office->spool, "author-counter", 0, &counter, why));
    RG_TRY(rg_spool_number_set(office->spool, "author-counter", counter + 1, why));
    *out = (uint64_t)counter + 1;
    return rg_ok();
}

static rg_outcome keep_own(struct referral *office, const struct rg_case_file *file,
                           const struct rg_letter *letter, struct rg_bytes envelope,
                           struct rg_id id, struct rg_wall now, struct rg_reason *why)
{
    struct rg_message_row row = {
        .id = id,
        .thread = letter->thread,
        .state = RG_OUT_WAITING,
        .ours = true,
        .case_row = file->row,
        .time_ms = now.ms,
        .priority = (int32_t)letter->priority,
        .sections = (uint32_t)letter->count,
    };
    (void)snprintf(row.other, sizeof(row.other), "%s", letter->to_office);
    RG_TRY(rg_spool_message_add(office->spool, &row, envelope, why));
    for (size_t i = 0; i < letter->count; i++) {
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_TRY(rg_content_encode(&letter->content[i], &bytes, why));
        RG_TRY(rg_casebook_section_put(office->book, row.seq, i, rg_buffer_peek(&bytes), why));
    }
    return rg_ok();
}

rg_outcome rg_office_post(struct referral *office, const struct rg_case_file *file,
                          struct rg_letter *letter, struct rg_id *id_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER envelope = {0};
    struct rg_wall now = rg_wall_now();
    struct rg_draft draft = {
        .to_office = letter->to_office,
        .thread = letter->thread,
        .priority = letter->priority,
        .has_decides = letter->decides,
        .decides = letter->answers,
        .content = letter->content,
        .count = letter->count,
    };
    RG_TRY(content_common(office, file, letter, now, why));
    RG_TRY(counter_next(office, &draft.counter, why));
    RG_TRY(rg_post_seal(office->home, &draft, now, &envelope, id_out, why));
    return keep_own(office, file, letter, rg_buffer_peek(&envelope), *id_out, now, why);
}

/* ---- rules ---- */

rg_outcome rg_office_judge(struct referral *office, struct rg_case_file *file,
                           const struct rg_record *record, struct rg_reason *why)
{
    struct rg_rules_verdict verdict = rg_rules_judge(record, rg_office_today(office));
    unsigned actions = 0;
    RG_TRY(
        step_case(file, verdict.may_send ? RG_EVENT_RULES_OK : RG_EVENT_RULES_HOLD, &actions, why));
    file->rule = verdict.may_send ? 0 : (uint32_t)verdict.rule[0];
    file->has_preview = verdict.may_send;
    if (verdict.may_send) {
        RG_TRY(rg_record_preview(record, &file->preview, why));
    }
    return rg_ok();
}

static rg_outcome rule_says(const struct rg_case_file *file, struct rg_reason *why)
{
    const struct rg_rule_row *row = rg_rule_row((enum rg_rule)file->rule);
    return rg_fail(why, RG_DENIED, row->id, "%s; %s", row->meaning, row->what_next);
}

/* ---- import ---- */

static void file_from_record(const struct referral *office, const struct rg_record *record,
                             struct rg_case_file *file)
{
    lower(rg_record_get(record, RG_FIELD_HOST_COUNTRY), file->host, sizeof(file->host));
    lower(rg_record_get(record, RG_FIELD_ORIGIN_COUNTRY), file->origin, sizeof(file->origin));
    (void)snprintf(file->reference, sizeof(file->reference), "%s",
                   rg_record_get(record, RG_FIELD_CASE_REF));
    file->now.side = rg_home_is_focal(office->home) ? RG_SIDE_HOST : RG_SIDE_PROPOSER;
    rg_office_names(file, record);
}

static bool may_change(const struct rg_case_file *file)
{
    return file->row == 0 || file->now.state == RG_CASE_HELD || file->now.state == RG_CASE_READY;
}

/* Accepted there, but a rule, or a missing key card, kept the details here. */
static bool owes_details(const struct rg_case_file *file)
{
    return file->now.side == RG_SIDE_HOST && file->now.state == RG_CASE_ACCEPTED;
}

/* The record is mended; what it now allows is asked when it is sent. */
static rg_outcome mend_owed(struct referral *office, struct rg_case_file *file,
                            const struct rg_record *record, struct referral_imported *counts,
                            struct rg_reason *why)
{
    counts->updated++;
    rg_office_names(file, record);
    RG_TRY(rg_casebook_put(office->book, file, why));
    return rg_casebook_record_put(office->book, file->row, record, why);
}

static rg_outcome record_same(struct referral *office, const struct rg_case_file *file,
                              const struct rg_record *record, bool *same_out, struct rg_reason *why)
{
    RG_OWNED_RECORD held = NULL;
    RG_OWNED_BUFFER a = {.secret = true};
    RG_OWNED_BUFFER b = {.secret = true};
    RG_TRY(rg_casebook_record_get(office->book, file->row, &held, why));
    RG_TRY(rg_record_encode(held, &a, why));
    RG_TRY(rg_record_encode(record, &b, why));
    *same_out = rg_bytes_equal(rg_buffer_peek(&a), rg_buffer_peek(&b));
    return rg_ok();
}

static void import_count(const struct rg_case_file *file, bool fresh,
                         struct referral_imported *counts)
{
    counts->added += fresh;
    counts->updated += !fresh;
    counts->ready += file->now.state == RG_CASE_READY;
    counts->held += file->now.state == RG_CASE_HELD;
}

static rg_outcome import_one(struct referral *office, const struct rg_record *record,
                             struct rg_case_file *file, struct referral_imported *counts,
                             struct rg_reason *why)
{
    int64_t row = 0;
    bool found = false;
    bool same = false;
    struct rg_bytes reference = rg_bytes_of_text(rg_record_get(record, RG_FIELD_CASE_REF));
    RG_TRY(rg_casebook_find(office->book, RG_CASE_BY_REFERENCE, reference, &row, &found, why));
    if (found) {
        RG_TRY(rg_casebook_get(office->book, row, file, why));
        RG_TRY(record_same(office, file, record, &same, why));
    }
    if (found && !same && owes_details(file)) {
        return mend_owed(office, file, record, counts, why);
    }
    if (!may_change(file) || same) {
        counts->unchanged++;
        return rg_ok();
    }
    file_from_record(office, record, file);
    file->made_ms = found ? file->made_ms : rg_wall_now().ms;
    RG_TRY(rg_office_judge(office, file, record, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    RG_TRY(rg_casebook_record_put(office->book, file->row, record, why));
    import_count(file, !found, counts);
    return rg_ok();
}

static rg_outcome import_all(struct referral *office, const struct rg_records *records,
                             struct referral_imported *counts, struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    for (size_t i = 0; i < rg_records_count(records); i++) {
        const struct rg_record *record = rg_records_peek(records, i);
        RG_CASE_FILE file = {0};
        char host[RG_COUNTRY_BYTES];
        lower(rg_record_get(record, RG_FIELD_HOST_COUNTRY), host, sizeof(host));
        if (strcmp(host, office->home->principal.country) != 0) {
            counts->elsewhere++;
            continue;
        }
        RG_TRY(import_one(office, record, &file, counts, why));
    }
    return rg_spool_step_commit(&step, why);
}

static rg_outcome import_text(struct referral *office, struct rg_bytes text,
                              struct referral_imported *out, struct rg_reason *why)
{
    RG_OWNED_RECORDS records = NULL;
    struct rg_import_report report = {0};
    rg_outcome outcome = rg_records_read_csv(text, &records, &report, why);
    out->rows = report.rows;
    if (!rg_is_ok(outcome)) {
        const struct rg_import_error *first = &report.error[0];
        bool known = report.error_kept > 0;
        out->line = known ? first->line : 0;
        (void)snprintf(out->column, sizeof(out->column), "%s", known ? first->column : "");
        return known ? rg_fail(why, outcome.code, "csv-rows", "line %u%s%.60s: %.160s", first->line,
                               first->column[0] != '\0' ? ", column " : "", first->column,
                               first->text)
                     : outcome;
    }
    return import_all(office, records, out, why);
}

struct referral_result referral_import_text(struct referral *office, const char *csv, size_t bytes,
                                            struct referral_imported *out)
{
    struct rg_reason why = {0};
    *out = (struct referral_imported){0};
    return rg_result(import_text(office, rg_bytes_of(csv, bytes), out, &why), &why);
}

struct referral_result referral_import_file(struct referral *office, const char *path,
                                            struct referral_imported *out)
{
    struct rg_reason why = {0};
    RG_OWNED_BUFFER text = {.secret = true};
    *out = (struct referral_imported){0};
    rg_outcome outcome = rg_file_read(path, RG_CSV_BYTES_MAX, &text, &why);
    if (!rg_is_ok(outcome)) {
        struct referral_result result = rg_result(outcome, &why);
        result.code = REFERRAL_DATA;
        return result;
    }
    return rg_result(import_text(office, rg_buffer_peek(&text), out, &why), &why);
}

/* ---- one case, field by field ---- */

static rg_outcome compose(struct referral *office, const struct referral_field *field, size_t count,
                          char case_out[REFERRAL_CASE_BYTES], struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct referral_imported counts = {0};
    RG_CASE_FILE file = {0};
    RG_TRY(rg_record_new(&record, why));
    for (size_t i = 0; i < count; i++) {
        enum rg_field which;
        RG_CHECK(rg_field_find(rg_bytes_of_text(field[i].name), &which), why, RG_MALFORMED,
                 "field-unknown", "there is no field \"%.60s\"", field[i].name);
        RG_TRY(rg_record_set(record, which, rg_bytes_of_text(field[i].value), why));
    }
    RG_CHECK(
        rg_record_has(record, RG_FIELD_CASE_REF) && rg_record_has(record, RG_FIELD_HOST_COUNTRY) &&
            rg_record_has(record, RG_FIELD_ORIGIN_COUNTRY),
        why, RG_MALFORMED, "field-missing", "case_ref, host_country and origin_country are needed");
    char host[RG_COUNTRY_BYTES];
    lower(rg_record_get(record, RG_FIELD_HOST_COUNTRY), host, sizeof(host));
    RG_CHECK(strcmp(host, office->home->principal.country) == 0, why, RG_MALFORMED, "field-host",
             "host_country must be the country of this office");
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(import_one(office, record, &file, &counts, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    (void)snprintf(case_out, REFERRAL_CASE_BYTES, "%s", file.number);
    return rg_ok();
}

struct referral_result referral_compose(struct referral *office, const struct referral_field *field,
                                        size_t count, char case_out[REFERRAL_CASE_BYTES])
{
    struct rg_reason why = {0};
    return rg_result(compose(office, field, count, case_out, &why), &why);
}

static rg_outcome check(struct referral *office, const char *id, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_CHECK(may_change(&file), why, RG_DENIED, "case-step",
             "this case has left the house already: it is %s", rg_case_state_name(file.now.state));
    RG_TRY(rg_casebook_record_get(office->book, file.row, &record, why));
    RG_TRY(rg_office_judge(office, &file, record, why));
    return file.now.state == RG_CASE_READY ? rg_ok() : rule_says(&file, why);
}

struct referral_result referral_check(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    return rg_result(check(office, id, &why), &why);
}

/* ---- sending ---- */

static void thread_new(bool *has, struct rg_thread_id *thread)
{
    if (!*has) {
        rg_random(thread->b, sizeof(thread->b));
        *has = true;
    }
}

static rg_outcome send_request(struct referral *office, struct rg_case_file *file,
                               const struct rg_record *record, struct rg_reason *why)
{
    struct rg_content content = {
        .class_ = RG_CLASS_CASE, .body = RG_BODY_PREVIEW, .preview = file->preview};
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    const enum rg_class later[] = {RG_CLASS_IDENTITY, RG_CLASS_FAMILY};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        bool may = (classes & RG_CLASS_BIT(later[i])) != 0;
        content.label[content.label_count++] = (struct rg_label){
            .class_ = later[i], .state = may ? RG_LABEL_AFTER_ACCEPT : RG_LABEL_WITHHELD};
    }
    RG_TRY(rg_home_focal(office->home, file->origin, file->partner, why));
    thread_new(&file->has_thread, &file->thread);
    struct rg_letter letter = {
        .kind = RG_KIND_REQUEST,
        .to_office = file->partner,
        .thread = file->thread,
        .priority = rg_office_priority(file),
        .content = &content,
        .count = 1,
    };
    file->has_request = true;
    return rg_office_post(office, file, &letter, &file->request, why);
}

/* Details of one class, or a notice that it is withheld. */
static void details_of(const struct rg_record *record, enum rg_class class_, unsigned classes,
                       struct rg_content *out)
{
    out->class_ = class_;
    if ((classes & RG_CLASS_BIT(class_)) == 0) {
        out->body = RG_BODY_WITHHELD;
        out->withheld = RG_LABEL_WITHHELD;
        return;
    }
    out->body = RG_BODY_DETAILS;
    rg_record_fields(record, class_, &out->details);
}

static void label_all(struct rg_content *content, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        bool here = content[i].body != RG_BODY_WITHHELD;
        content[0].label[content[0].label_count++] =
            (struct rg_label){.class_ = content[i].class_,
                              .state = here ? RG_LABEL_ATTACHED : RG_LABEL_WITHHELD,
                              .index = here ? (uint32_t)i : 0};
    }
}

static rg_outcome send_proposal(struct referral *office, struct rg_case_file *file,
                                const struct rg_record *record, struct rg_reason *why)
{
    struct rg_content content[3] = {{.class_ = RG_CLASS_CASE, .body = RG_BODY_PROPOSAL}};
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    content[0].proposal.preview = file->preview;
    content[0].proposal.case_ref = file->reference;
    (void)snprintf(content[0].proposal.origin_country, sizeof(content[0].proposal.origin_country),
                   "%s", file->origin);
    rg_record_fields(record, RG_CLASS_CASE, &content[0].proposal.fields);
    details_of(record, RG_CLASS_IDENTITY, classes, &content[1]);
    details_of(record, RG_CLASS_FAMILY, classes, &content[2]);
    label_all(content, 3);
    RG_TRY(rg_home_focal(office->home, office->home->principal.country, file->partner, why));
    thread_new(&file->has_thread, &file->thread);
    struct rg_letter letter = {
        .kind = RG_KIND_PROPOSAL,
        .to_office = file->partner,
        .thread = file->thread,
        .priority = rg_office_priority(file),
        .content = content,
        .count = 3,
    };
    file->has_request = true;
    return rg_office_post(office, file, &letter, &file->request, why);
}

static rg_outcome send_checked(struct referral *office, struct rg_case_file *file,
                               struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    unsigned actions = 0;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    RG_TRY(rg_office_judge(office, file, record, why));
    if (file->now.state != RG_CASE_READY) {
        RG_TRY(rg_casebook_put(office->book, file, why));
        return rg_ok();
    }
    bool host = file->now.side == RG_SIDE_HOST;
    RG_TRY(step_case(file, host ? RG_EVENT_REQUEST_OUT : RG_EVENT_PROPOSAL_OUT, &actions, why));
    RG_TRY(host ? send_request(office, file, record, why)
                : send_proposal(office, file, record, why));
    return rg_casebook_put(office->book, file, why);
}

rg_outcome rg_office_send_details(struct referral *office, struct rg_case_file *file,
                                  struct rg_id accept, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_content content[3] = {{.class_ = RG_CLASS_CASE}};
    RG_SPOOL_STEP step = {0};
    struct rg_case next;
    unsigned actions = 0;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    struct rg_rules_verdict verdict = rg_rules_judge(record, rg_office_today(office));
    unsigned classes = rg_rules_classes(record, rg_office_today(office));
    file->rule = verdict.may_send ? 0 : (uint32_t)verdict.rule[0];
    if (!verdict.may_send) {
        return rule_says(file, why);
    }
    RG_TRY(rg_case_step(&file->now, RG_EVENT_DETAILS_OUT, rg_wall_now(), &next, &actions, why));
    details_of(record, RG_CLASS_CASE, classes, &content[0]);
    details_of(record, RG_CLASS_IDENTITY, classes, &content[1]);
    details_of(record, RG_CLASS_FAMILY, classes, &content[2]);
    label_all(content, 3);
    struct rg_letter letter = {
        .kind = RG_KIND_DETAILS,
        .to_office = file->partner,
        .thread = file->thread,
        .priority = rg_office_priority(file),
        .has_answers = true,
        .answers = accept,
        .content = content,
        .count = 3,
    };
    struct rg_id id;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_office_post(office, file, &letter, &id, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    file->now = next; /* only now: a case whose details could not be sealed stays ACCEPTED */
    file->details = id;
    file->has_details = true;
    file->details_sent = true;
    return rg_ok();
}

/* The other side's accept, which the details answer. */
static rg_outcome accept_find(struct referral *office, const struct rg_case_file *file,
                              struct rg_id *out, struct rg_reason *why)
{
    struct rg_message_row row;
    size_t count = 0;
    int64_t after = 0;
    for (;;) {
        struct rg_content content = {0};
        RG_OWNED_BUFFER memory = {.secret = true};
        bool found = false;
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file->row, after, &row, 1, &count, why));
        RG_CHECK(count > 0, why, RG_DENIED, "case-step", "no accept of the other side is here");
        after = row.seq;
        if (!row.ours && row.state == RG_IN_OPENED) {
            RG_TRY(rg_office_content(office, &row, 0, &content, &memory, &found, why));
        }
        if (found && content.kind == RG_KIND_ACCEPT && strcmp(row.other, file->partner) == 0) {
            *out = row.id;
            return rg_ok();
        }
    }
}

static rg_outcome send_owed(struct referral *office, struct rg_case_file *file,
                            struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    struct rg_id accept;
    RG_TRY(accept_find(office, file, &accept, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_office_send_details(office, file, accept, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome send_one(struct referral *office, const char *id, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    if (owes_details(&file)) {
        return send_owed(office, &file, why);
    }
    RG_CHECK(may_change(&file), why, RG_DENIED, "case-step",
             "this case has left the house already: it is %s", rg_case_state_name(file.now.state));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(send_checked(office, &file, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    return file.now.state == RG_CASE_HELD ? rule_says(&file, why) : rg_ok();
}

struct referral_result referral_send(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    return rg_result(send_one(office, id, &why), &why);
}

/* ---- answering ---- */

static rg_outcome answer(struct referral *office, struct rg_case_file *file,
                         struct rg_content *content, uint32_t kind, struct rg_reason *why)
{
    bool proposal = file->now.side == RG_SIDE_HOST;
    bool open = proposal ? file->has_proposal : file->has_request;
    RG_CHECK(open && (!proposal || kind == RG_KIND_DECLINE), why, RG_DENIED, "case-step",
             "there is nothing to answer in this case: it is %s",
             rg_case_state_name(file->now.state));
    unsigned actions = 0;
    RG_TRY(step_case(file, rg_case_event_of(kind, false, !proposal), &actions, why));
    struct rg_letter letter = {
        .kind = kind,
        .to_office = proposal ? file->proposed_by : file->partner,
        .thread = proposal ? file->proposal_thread : file->thread,
        .priority = rg_office_priority(file),
        .has_answers = true,
        .decides = true,
        .answers = proposal ? file->proposal : file->request,
        .content = content,
        .count = 1,
    };
    struct rg_id id;
    RG_TRY(rg_office_post(office, file, &letter, &id, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    if ((actions & RG_CASE_DO_ERASE_RECEIVED) != 0) {
        RG_TRY(rg_casebook_erase(office->book, file->row, true, why));
    }
    return rg_ok();
}

static rg_outcome answer_case(struct referral *office, const char *id, struct rg_content *content,
                              uint32_t kind, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    file.decline = kind == RG_KIND_DECLINE ? (uint32_t)content->decline.code : 0;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(answer(office, &file, content, kind, why));
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_accept(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_ACCEPT};
    content.accept.desk = rg_office_own(office);
    content.accept.contact_route = "in this thread";
    content.accept.next_steps = "send the details; then tracing and assessment";
    return rg_result(answer_case(office, id, &content, RG_KIND_ACCEPT, &why), &why);
}

struct referral_result referral_decline(struct referral *office, const char *id, const char *code,
                                        const char *text)
{
    struct rg_reason why = {0};
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_DECLINE};
    content.decline.code = rg_decline_find(code);
    content.decline.text = text != NULL ? text : "";
    content.decline.suggested_party = "";
    if (content.decline.code == 0) {
        struct referral_result result =
            rg_result(rg_fail(&why, RG_MALFORMED, "decline-code",
                              "the code must be one of NOT_OUR_NATIONAL, NO_CAPACITY, UNSAFE_HERE, "
                              "CONSENT_MISSING, INCOMPLETE, DUPLICATE_OF, CONFLICT_OF_INTEREST, "
                              "NO_LEGAL_BASIS, OTHER"),
                      &why);
        result.code = REFERRAL_USAGE;
        return result;
    }
    return rg_result(answer_case(office, id, &content, RG_KIND_DECLINE, &why), &why);
}

rg_outcome rg_office_relay(struct referral *office, struct rg_case_file *file,
                           const struct rg_content *received, struct rg_reason *why)
{
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = received->body};
    unsigned actions = 0;
    bool accept = received->kind == RG_KIND_ACCEPT;
    if (accept) {
        content.accept = received->accept;
    }
    if (!accept) {
        content.decline = received->decline;
    }
    RG_TRY(step_case(file, accept ? RG_EVENT_PROPOSAL_ACCEPT_OUT : RG_EVENT_PROPOSAL_DECLINE_OUT,
                     &actions, why));
    struct rg_letter letter = {
        .kind = received->kind,
        .to_office = file->proposed_by,
        .thread = file->proposal_thread,
        .priority = rg_office_priority(file),
        .has_answers = true,
        .decides = true,
        .answers = file->proposal,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

rg_outcome rg_office_acknowledge(struct referral *office, const struct rg_case_file *file,
                                 const struct rg_message_row *opened, const char *to_office,
                                 struct rg_reason *why)
{
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_ACKNOWLEDGEMENT};
    content.acknowledgement.opened = opened->id;
    content.acknowledgement.opened_at = rg_wall_now();
    struct rg_letter letter = {
        .kind = RG_KIND_ACKNOWLEDGEMENT,
        .to_office = to_office,
        .thread = opened->thread,
        .priority = RG_ROUTINE,
        .has_answers = true,
        .answers = opened->id,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

static rg_outcome erase(struct referral *office, const char *id, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_casebook_erase(office->book, file.row, false, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    office->erased = true;
    return rg_office_tidy(office, why);
}

struct referral_result referral_erase(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    return rg_result(erase(office, id, &why), &why);
}
