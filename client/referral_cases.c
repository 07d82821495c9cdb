/* How it works: every change of a case goes through the table of client/cases: the event of what
 * is about to leave is asked first, the message is composed and spooled, and the case is stored,
 * all in one step of the spool; if any part fails, nothing has happened. A message of ours names
 * the last one of each side in its thread. What may be sent is asked of client/rules again at the
 * moment of sending, since consent may have ended since the import. */
#include "client/referral_inside.h"

#include "client/rules.h"

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

/* The longest name leaves no room for the NUL here: cut between letters, not within one. */
static void name_take(const struct rg_record *record, enum rg_field field,
                      char out[RG_NAME_BYTES_MAX])
{
    struct rg_bytes name = rg_bytes_of_text(rg_record_get(record, field));
    size_t len = rg_text_cut(name, RG_NAME_BYTES_MAX - 1);
    (void)snprintf(out, RG_NAME_BYTES_MAX, "%.*s", (int)len, (const char *)name.data);
}

void rg_office_names(struct rg_case_file *file, const struct rg_record *record)
{
    name_take(record, RG_FIELD_FULL_NAME_NATIVE, file->name_native);
    name_take(record, RG_FIELD_FULL_NAME_LATIN, file->name_latin);
}

/* The event must be lawful in the case's state: changes `file` only then. */
rg_outcome rg_office_step(struct rg_case_file *file, enum rg_case_event event,
                          unsigned *actions_out, struct rg_reason *why)
{
    struct rg_case next;
    RG_TRY(rg_case_step(&file->now, event, rg_wall_now(), &next, actions_out, why));
    file->now = next;
    return rg_ok();
}

/* ---- rules ---- */

rg_outcome rg_office_judge(struct referral *office, struct rg_case_file *file,
                           const struct rg_record *record, struct rg_reason *why)
{
    struct rg_rules_verdict verdict = rg_rules_judge(record, rg_office_today(office));
    unsigned actions = 0;
    RG_TRY(rg_office_step(file, verdict.may_send ? RG_EVENT_RULES_OK : RG_EVENT_RULES_HOLD,
                          &actions, why));
    file->rule = verdict.may_send ? 0 : (uint32_t)verdict.rule[0];
    file->has_preview = verdict.may_send;
    if (verdict.may_send) {
        RG_TRY(rg_record_preview(record, &file->preview, why));
    }
    return rg_ok();
}

rg_outcome rg_office_rule_says(const struct rg_case_file *file, struct rg_reason *why)
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

bool rg_office_may_change(const struct rg_case_file *file)
{
    return file->row == 0 || file->now.state == RG_CASE_HELD || file->now.state == RG_CASE_READY;
}

/* Accepted there, but a rule, or a missing key card, kept the details here. */
bool rg_office_owes_details(const struct rg_case_file *file)
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
    if (!same) {
        RG_TRY(rg_office_protect_record(office, file, record, why));
    }
    if (found && !same && rg_office_owes_details(file)) {
        return mend_owed(office, file, record, counts, why);
    }
    if (!rg_office_may_change(file) || same) {
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

/* Cases of people who are here; and of those who were recognised only after they had come home,
 * which go to the country they were in. */
static bool is_ours_to_refer(const struct referral *office, const struct rg_record *record)
{
    char host[RG_COUNTRY_BYTES];
    char origin[RG_COUNTRY_BYTES];
    const char *own = office->home->principal.country;
    lower(rg_record_get(record, RG_FIELD_HOST_COUNTRY), host, sizeof(host));
    lower(rg_record_get(record, RG_FIELD_ORIGIN_COUNTRY), origin, sizeof(origin));
    bool late = rg_record_reason(record) == RG_REASON_LATE_IDENTIFICATION;
    return strcmp(host, own) == 0 || (late && strcmp(origin, own) == 0);
}

rg_outcome rg_office_import(struct referral *office, const struct rg_records *records,
                            struct referral_imported *counts, struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    for (size_t i = 0; i < rg_records_count(records); i++) {
        const struct rg_record *record = rg_records_peek(records, i);
        RG_CASE_FILE file = {0};
        if (!is_ours_to_refer(office, record)) {
            counts->elsewhere++;
            continue;
        }
        RG_TRY(import_one(office, record, &file, counts, why));
    }
    return rg_spool_step_commit(&step, why);
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
        RG_TRY(rg_record_set_written(record, which, rg_bytes_of_text(field[i].value),
                                     rg_office_today(office), why));
    }
    RG_CHECK(
        rg_record_has(record, RG_FIELD_CASE_REF) && rg_record_has(record, RG_FIELD_HOST_COUNTRY) &&
            rg_record_has(record, RG_FIELD_ORIGIN_COUNTRY),
        why, RG_MALFORMED, "field-missing", "case_ref, host_country and origin_country are needed");
    RG_CHECK(is_ours_to_refer(office, record), why, RG_MALFORMED, "field-host",
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
    RG_CHECK(rg_office_may_change(&file), why, RG_DENIED, "case-step",
             "this case has left the house already: it is %s", rg_case_state_name(file.now.state));
    RG_TRY(rg_casebook_record_get(office->book, file.row, &record, why));
    RG_TRY(rg_office_judge(office, &file, record, why));
    return file.now.state == RG_CASE_READY ? rg_ok() : rg_office_rule_says(&file, why);
}

struct referral_result referral_check(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    return rg_result(check(office, id, &why), &why);
}
