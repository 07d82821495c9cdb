/*
 * How it works: a file comes in whole: it is told by its first byte whether it is CSV or JSON, read
 * into records or into a report, and only a file without a mistake goes on to the casebook, in one
 * step of the spool. Going out, cases are visited one by one and each is written as it is read.
 */
#include "client/referral_inside.h"

#include <stdio.h>
#include <string.h>

/* ---- in ---- */

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_json(struct rg_bytes text)
{
    bool marked = text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0;
    size_t at = marked ? 3 : 0;
    while (at < text.len && is_blank(text.data[at])) {
        at++;
    }
    return at < text.len && (text.data[at] == '[' || text.data[at] == '{');
}

/* The first mistake, for callers who read one sentence only. */
static rg_outcome first_mistake(const struct rg_import_report *report, rg_outcome outcome,
                                struct referral_imported *out, struct rg_reason *why)
{
    const struct rg_import_error *first = &report->error[0];
    if (report->error_kept == 0) {
        return outcome;
    }
    out->line = first->line;
    (void)snprintf(out->column, sizeof(out->column), "%s", first->column);
    return rg_fail(why, outcome.code, "csv-rows", "line %u%s%.60s: %.160s", first->line,
                   first->column[0] != '\0' ? ", column " : "", first->column, first->text);
}

static rg_outcome import_text(struct referral *office, struct rg_bytes text,
                              struct referral_imported *out, struct rg_reason *why)
{
    RG_OWNED_RECORDS records = NULL;
    struct rg_import_report *report = &office->report;
    struct rg_date today = rg_office_today(office);
    rg_outcome outcome = is_json(text) ? rg_records_read_json(text, today, &records, report, why)
                                       : rg_records_read_csv(text, today, &records, report, why);
    out->rows = report->rows;
    out->errors = report->error_count;
    out->warnings = report->warning_count;
    return rg_is_ok(outcome) ? rg_office_import(office, records, out, why)
                             : first_mistake(report, outcome, out, why);
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
    office->report = (struct rg_import_report){0};
    rg_outcome outcome = rg_file_read(path, RG_CSV_BYTES_MAX, &text, &why);
    if (!rg_is_ok(outcome)) {
        struct referral_result result = rg_result(outcome, &why);
        result.code = REFERRAL_DATA;
        return result;
    }
    return rg_result(import_text(office, rg_buffer_peek(&text), out, &why), &why);
}

struct referral_result referral_next_import_problem(struct referral *office,
                                                    struct referral_cursor *cursor,
                                                    struct referral_problem *out)
{
    const struct rg_import_report *report = &office->report;
    int64_t errors = report->error_kept;
    int64_t warnings = report->warning_kept;
    if (cursor->at < 0 || cursor->at >= errors + warnings) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    bool warning = cursor->at >= errors;
    office->problem = warning ? report->warning[cursor->at - errors] : report->error[cursor->at];
    cursor->at++;
    *out = (struct referral_problem){.line = office->problem.line,
                                     .column = office->problem.column,
                                     .text = office->problem.text,
                                     .warning = warning};
    return (struct referral_result){.code = REFERRAL_OK};
}

/* ---- out ---- */

struct export
{
    enum referral_format format;
    referral_sink write;
    void *context;
    size_t cases;
    struct rg_buffer text; /* of one case, secret */
};

static rg_outcome export_flush(struct export *export, struct rg_reason *why)
{
    bool written =
        export->write(export->context, (const char *)export->text.data, export->text.len);
    RG_CHECK(written, why, RG_MALFORMED, "export-write", "the export cannot be written");
    rg_buffer_clear(&export->text);
    return rg_ok();
}

/* A case that came from elsewhere stays with those who entered it. */
static bool is_ours(const struct rg_case_file *file)
{
    return !file->erased && file->reference[0] != '\0' &&
           (file->now.side == RG_SIDE_HOST || file->now.side == RG_SIDE_PROPOSER);
}

static rg_outcome export_record(struct export *export, const struct rg_record *record,
                                struct rg_reason *why)
{
    if (export->format == REFERRAL_CSV) {
        RG_TRY(rg_record_csv(record, &export->text, why));
    }
    if (export->format == REFERRAL_JSON) {
        RG_TRY(rg_buffer_append_text(&export->text, export->cases == 0 ? "[\n" : ",\n", why));
        RG_TRY(rg_record_json(record, &export->text, why));
    }
    export->cases++;
    return export_flush(export, why);
}

static rg_outcome export_cases(struct referral *office, struct export *export,
                               struct rg_reason *why)
{
    bool found = true;
    for (int64_t row = 0; found;) {
        RG_CASE_FILE file = {0};
        RG_OWNED_RECORD record = NULL;
        RG_TRY(rg_casebook_next(office->book, row, &file, &found, why));
        row = file.row;
        if (!found || !is_ours(&file)) {
            continue;
        }
        RG_TRY(rg_casebook_record_get(office->book, file.row, &record, why));
        if (rg_record_has(record, RG_FIELD_CASE_REF)) {
            RG_TRY(export_record(export, record, why));
        }
    }
    return rg_ok();
}

static rg_outcome export_all(struct referral *office, struct export *export, struct rg_reason *why)
{
    if (export->format == REFERRAL_CSV) {
        RG_TRY(rg_csv_header(&export->text, why));
        RG_TRY(export_flush(export, why));
    }
    RG_TRY(export_cases(office, export, why));
    if (export->format == REFERRAL_JSON) {
        RG_TRY(rg_buffer_append_text(&export->text, export->cases == 0 ? "[]\n" : "\n]\n", why));
        RG_TRY(export_flush(export, why));
    }
    return rg_ok();
}

struct referral_result referral_export(struct referral *office, enum referral_format format,
                                       referral_sink write, void *context, size_t *cases_out)
{
    struct rg_reason why = {0};
    struct export export = {
        .format = format, .write = write, .context = context, .text.secret = true};
    if (format != REFERRAL_CSV && format != REFERRAL_JSON) {
        struct referral_result result = rg_result(
            rg_fail(&why, RG_MALFORMED, "export-format", "the format is CSV or JSON"), &why);
        result.code = REFERRAL_USAGE;
        return result;
    }
    rg_outcome outcome = export_all(office, &export, &why);
    rg_buffer_drop(&export.text);
    *cases_out = export.cases;
    return rg_result(outcome, &why);
}
