/*
 * How it works: `row_next` cuts one row out of the text into cells; it knows RFC 4180 and nothing
 * else. The header maps columns to fields. Each further row becomes a record or an error; reading
 * goes on after an error so that one pass lists up to twenty, except after an open quote, when no
 * later row could be trusted. Invariant: records are handed out only when there was no error at
 * all. An error's text is made from the dictionary and from numbers, never from a cell; a column's
 * name is repeated only if it looks like one and the row is plainly a header.
 */
#include "client/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN_NAME_SHOWN_MAX 40

struct rg_records {
    struct rg_record **record;
    uint32_t *line; /* where the row began */
    size_t count, capacity;
};

struct reader {
    struct rg_bytes text;
    size_t at;
    uint32_t line;
    struct rg_import_report *report;
};

struct row {
    struct rg_buffer cells; /* secret; cell texts one after the other */
    size_t end[RG_CSV_COLUMNS_MAX];
    size_t count;
    uint32_t line;
    const char *fault; /* what is wrong with its form, NULL: nothing */
    bool hopeless;     /* nothing after it can be read */
};

struct header {
    enum rg_field field[RG_CSV_COLUMNS_MAX];
    size_t count;
    bool has[RG_FIELD_COUNT];
};

/* ---- errors ---- */

static void RG_PRINTF(4, 5) report_error(struct rg_import_report *report, uint32_t line,
                                         const char *column, const char *format, ...);

static void report_error(struct rg_import_report *report, uint32_t line, const char *column,
                         const char *format, ...)
{
    report->error_count++;
    if (report->error_kept == RG_IMPORT_ERRORS_MAX) {
        return;
    }
    struct rg_import_error *error = &report->error[report->error_kept++];
    error->line = line;
    (void)snprintf(error->column, sizeof(error->column), "%s", column);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
}

/* ---- rows ---- */

static bool at_end(const struct reader *reader)
{
    return reader->at == reader->text.len;
}

static uint8_t peek(const struct reader *reader)
{
    return at_end(reader) ? '\n' : reader->text.data[reader->at];
}

static struct rg_bytes rest_of(const struct reader *reader, size_t from)
{
    return rg_bytes_of(reader->text.data + from, reader->text.len - from);
}

/* Up to and with the closing quote; a doubled quote stands for one. */
static rg_outcome quoted_cell(struct reader *reader, struct row *row, struct rg_reason *why)
{
    reader->at++;
    for (;;) {
        struct rg_bytes rest = rest_of(reader, reader->at);
        const uint8_t *quote = rest.len == 0 ? NULL : memchr(rest.data, '"', rest.len);
        if (quote == NULL) {
            row->fault = "a quoted cell is not closed before the end of the file";
            row->hopeless = true;
            reader->at = reader->text.len;
            return rg_ok();
        }
        size_t len = (size_t)(quote - rest.data);
        for (size_t i = 0; i < len; i++) {
            reader->line += rest.data[i] == '\n';
        }
        reader->at += len + 1;
        bool doubled = !at_end(reader) && peek(reader) == '"';
        RG_TRY(rg_buffer_append(&row->cells, rg_bytes_of(rest.data, len + doubled), why));
        if (!doubled) {
            return rg_ok();
        }
        reader->at++;
    }
}

static rg_outcome plain_cell(struct reader *reader, struct row *row, struct rg_reason *why)
{
    size_t from = reader->at;
    while (!at_end(reader) && peek(reader) != ',' && peek(reader) != '\n') {
        if (peek(reader) == '"') {
            row->fault = "a quote inside a cell that is not quoted";
        }
        reader->at++;
    }
    size_t len = reader->at - from;
    bool before_feed = peek(reader) == '\n';
    if (before_feed && len > 0 && reader->text.data[reader->at - 1] == '\r') {
        len--;
    }
    return rg_buffer_append(&row->cells, rg_bytes_of(reader->text.data + from, len), why);
}

static rg_outcome cell_next(struct reader *reader, struct row *row, struct rg_reason *why)
{
    if (at_end(reader) || peek(reader) != '"') {
        return plain_cell(reader, row, why);
    }
    RG_TRY(quoted_cell(reader, row, why));
    if (peek(reader) == '\r') {
        reader->at++;
    }
    if (peek(reader) != ',' && peek(reader) != '\n') {
        row->fault = "text after the closing quote of a cell";
        while (!at_end(reader) && peek(reader) != ',' && peek(reader) != '\n') {
            reader->at++;
        }
    }
    return rg_ok();
}

/* Reads one row; the reader stands behind its line end afterwards. */
static rg_outcome row_next(struct reader *reader, struct row *row, struct rg_reason *why)
{
    rg_buffer_clear(&row->cells);
    row->count = 0;
    row->line = reader->line;
    row->fault = NULL;
    for (;;) {
        RG_TRY(cell_next(reader, row, why));
        if (row->count < RG_CSV_COLUMNS_MAX) {
            row->end[row->count++] = row->cells.len;
        } else {
            row->fault = "too many cells";
        }
        bool more = !at_end(reader) && peek(reader) == ',';
        reader->at += at_end(reader) ? 0 : 1;
        if (!more) {
            reader->line++;
            return rg_ok();
        }
    }
}

static struct rg_bytes cell_of(const struct row *row, size_t i)
{
    size_t from = i == 0 ? 0 : row->end[i - 1];
    return row->end[i] == from ? rg_bytes_of(NULL, 0)
                               : rg_bytes_of(row->cells.data + from, row->end[i] - from);
}

static bool is_blank_row(const struct row *row)
{
    return row->count == 1 && row->end[0] == 0 && row->fault == NULL;
}

/* ---- the header ---- */

static bool looks_like_a_column(struct rg_bytes name)
{
    bool good = name.len > 0 && name.len <= COLUMN_NAME_SHOWN_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.data[i];
        good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    }
    return good;
}

static void unknown_column(const struct row *row, size_t i, struct rg_import_report *report)
{
    struct rg_bytes name = cell_of(row, i);
    if (looks_like_a_column(name)) {
        report_error(report, row->line, "", "column %zu: %.*s is not in the dictionary", i + 1,
                     (int)name.len, (const char *)name.data);
        return;
    }
    report_error(report, row->line, "", "column %zu: its name is not in the dictionary", i + 1);
}

/* Without one known name the first row is data, and nothing of it is shown. */
static bool is_header(const struct row *row)
{
    enum rg_field field;
    for (size_t i = 0; i < row->count; i++) {
        if (rg_field_find(cell_of(row, i), &field)) {
            return true;
        }
    }
    return false;
}

static void missing_columns(const struct header *header, uint32_t line,
                            struct rg_import_report *report)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        const struct rg_field_row *field = rg_field_row((enum rg_field)i);
        bool must = field->place == RG_PLACE_MUST || field->place == RG_PLACE_MUST_HOME;
        if (must && !header->has[i]) {
            report_error(report, line, field->name, "this column is needed");
        }
    }
}

static void header_read(const struct row *row, struct header *header,
                        struct rg_import_report *report)
{
    header->count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        enum rg_field field = RG_FIELD_COUNT;
        if (!rg_field_find(cell_of(row, i), &field)) {
            unknown_column(row, i, report);
            continue;
        }
        if (header->has[field]) {
            report_error(report, row->line, rg_field_row(field)->name, "this column stands twice");
        }
        header->has[field] = true;
        header->field[i] = field;
    }
    missing_columns(header, row->line, report);
}

static rg_outcome header_next(struct reader *reader, struct row *row, struct header *header,
                              struct rg_reason *why)
{
    if (rest_of(reader, 0).len >= 3 && memcmp(reader->text.data, "\xEF\xBB\xBF", 3) == 0) {
        reader->at = 3;
    }
    bool utf16 = reader->text.len >= 2 && (memcmp(reader->text.data, "\xFF\xFE", 2) == 0 ||
                                           memcmp(reader->text.data, "\xFE\xFF", 2) == 0);
    RG_CHECK(!utf16, why, RG_MALFORMED, "csv-encoding",
             "the file is UTF-16; save it again as \"CSV UTF-8\"");
    RG_TRY(row_next(reader, row, why));
    RG_CHECK(row->fault == NULL && is_header(row), why, RG_MALFORMED, "csv-header",
             "the first row must name the columns, as case_ref,host_country,...");
    header_read(row, header, reader->report);
    RG_CHECK(reader->report->error_count == 0, why, RG_MALFORMED, "csv-header",
             "the columns are not as needed; see the list of errors");
    return rg_ok();
}

/* ---- data rows ---- */

static void need_value(const struct rg_record *record, enum rg_field field, uint32_t line,
                       struct rg_import_report *report)
{
    if (!rg_record_has(record, field)) {
        report_error(report, line, rg_field_row(field)->name, "must not be empty");
    }
}

static void precision_check(const struct rg_record *record, uint32_t line,
                            struct rg_import_report *report)
{
    size_t len = strlen(rg_record_get(record, RG_FIELD_PRS_BIRTHDATE));
    const char *precision = rg_record_get(record, RG_FIELD_DOB_PRECISION);
    bool good = strcmp(precision, "day") != 0 || len == 10;
    good = good && (strcmp(precision, "month") != 0 || len >= 7);
    good = good && (strcmp(precision, "year") != 0 || len >= 4);
    if (!good) {
        report_error(report, line, rg_field_row(RG_FIELD_PRS_BIRTHDATE)->name,
                     "must be as exact as dob_precision says");
    }
}

/* Values that are not allowed go to the report; only memory and limits of the record fail. */
static rg_outcome row_fill(const struct row *row, const struct header *header,
                           struct rg_record *record, struct rg_import_report *report,
                           struct rg_reason *why)
{
    for (size_t i = 0; i < row->count; i++) {
        struct rg_reason inner = {0};
        rg_outcome outcome = rg_record_set(record, header->field[i], cell_of(row, i), &inner);
        if (outcome.code == RG_MALFORMED || outcome.code == RG_LIMIT) {
            report_error(report, row->line, rg_field_row(header->field[i])->name, "%s", inner.text);
            continue;
        }
        if (!rg_is_ok(outcome)) {
            return rg_fail(why, outcome.code, "out-of-memory", "%s", inner.text);
        }
    }
    need_value(record, RG_FIELD_CASE_REF, row->line, report);
    need_value(record, RG_FIELD_HOST_COUNTRY, row->line, report);
    need_value(record, RG_FIELD_ORIGIN_COUNTRY, row->line, report);
    precision_check(record, row->line, report);
    return rg_ok();
}

static rg_outcome records_grow(struct rg_records *records, struct rg_reason *why)
{
    if (records->count < records->capacity) {
        return rg_ok();
    }
    size_t capacity = records->capacity == 0 ? 256 : records->capacity * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    struct rg_record **record = reallocarray(records->record, capacity, sizeof(*record));
    RG_CHECK(record != NULL, why, RG_IO, "out-of-memory", "cannot allocate the list of cases");
    records->record = record;
    uint32_t *line = reallocarray(records->line, capacity, sizeof(*line));
    RG_CHECK(line != NULL, why, RG_IO, "out-of-memory", "cannot allocate the list of cases");
    records->line = line;
    records->capacity = capacity;
    return rg_ok();
}

static rg_outcome row_take(const struct row *row, const struct header *header,
                           struct rg_records *records, struct rg_import_report *report,
                           struct rg_reason *why)
{
    report->rows++;
    RG_CHECK(report->rows <= RG_CSV_ROWS_MAX, why, RG_LIMIT, "csv-limit", "more than %d rows",
             RG_CSV_ROWS_MAX);
    if (row->fault != NULL) {
        report_error(report, row->line, "", "%s", row->fault);
        return rg_ok();
    }
    if (row->count != header->count) {
        report_error(report, row->line, "", "%zu cells, but the header has %zu", row->count,
                     header->count);
        return rg_ok();
    }
    RG_TRY(records_grow(records, why));
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_record_new(&record, why));
    RG_TRY(row_fill(row, header, record, report, why));
    records->record[records->count] = record;
    records->line[records->count++] = row->line;
    record = NULL;
    return rg_ok();
}

/* ---- one case_ref, one case ---- */

struct reference {
    const char *text;
    uint32_t line;
};

static int by_text_then_line(const void *a, const void *b)
{
    const struct reference *x = a;
    const struct reference *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static rg_outcome doubles_check(const struct rg_records *records, struct rg_import_report *report,
                                struct rg_reason *why)
{
    if (records->count == 0) {
        return rg_ok();
    }
    struct reference *reference = calloc(records->count, sizeof(*reference));
    RG_CHECK(reference != NULL, why, RG_IO, "out-of-memory", "cannot compare the case numbers");
    for (size_t i = 0; i < records->count; i++) {
        reference[i].text = rg_record_get(records->record[i], RG_FIELD_CASE_REF);
        reference[i].line = records->line[i];
    }
    qsort(reference, records->count, sizeof(*reference), by_text_then_line);
    for (size_t i = 1; i < records->count; i++) {
        if (reference[i].text[0] != '\0' && strcmp(reference[i].text, reference[i - 1].text) == 0) {
            report_error(report, reference[i].line, rg_field_row(RG_FIELD_CASE_REF)->name,
                         "the same as on line %u; each case stands once", reference[i - 1].line);
        }
    }
    free(reference);
    return rg_ok();
}

static rg_outcome rows_read(struct reader *reader, struct row *row, struct rg_records *records,
                            struct rg_reason *why)
{
    struct header header = {0};
    RG_TRY(header_next(reader, row, &header, why));
    while (!at_end(reader) && !row->hopeless) {
        RG_TRY(row_next(reader, row, why));
        if (!is_blank_row(row)) {
            RG_TRY(row_take(row, &header, records, reader->report, why));
        }
    }
    return doubles_check(records, reader->report, why);
}

static rg_outcome all_or_none(struct rg_bytes text, struct rg_records *records,
                              struct rg_import_report *report, struct rg_reason *why)
{
    struct reader reader = {.text = text, .line = 1, .report = report};
    struct row row = {.cells.secret = true};
    rg_outcome outcome = rows_read(&reader, &row, records, why);
    rg_buffer_drop(&row.cells);
    RG_TRY(outcome);
    RG_CHECK(report->error_count == 0, why, RG_MALFORMED, "csv-rows",
             "%u errors in %u rows; nothing was imported", report->error_count, report->rows);
    return rg_ok();
}

rg_outcome rg_records_read_csv(struct rg_bytes text, struct rg_records **records_out,
                               struct rg_import_report *report_out, struct rg_reason *why)
{
    memset(report_out, 0, sizeof(*report_out));
    RG_CHECK(text.len <= RG_CSV_BYTES_MAX, why, RG_LIMIT, "csv-limit",
             "the file is larger than %d bytes", RG_CSV_BYTES_MAX);
    struct rg_records *records = calloc(1, sizeof(*records));
    RG_CHECK(records != NULL, why, RG_IO, "out-of-memory", "cannot allocate the list of cases");
    rg_outcome outcome = all_or_none(text, records, report_out, why);
    if (!rg_is_ok(outcome)) {
        rg_records_free(records);
        return outcome;
    }
    *records_out = records;
    return outcome;
}

void rg_records_free(struct rg_records *records)
{
    if (records == NULL) {
        return;
    }
    for (size_t i = 0; i < records->count; i++) {
        rg_record_free(records->record[i]);
    }
    free(records->record);
    free(records->line);
    free(records);
}

void rg_records_cleanup(struct rg_records **records)
{
    rg_records_free(*records);
    *records = NULL;
}

size_t rg_records_count(const struct rg_records *records)
{
    return records->count;
}

const struct rg_record *rg_records_peek(const struct rg_records *records, size_t i)
{
    return i < records->count ? records->record[i] : NULL;
}

struct rg_record *rg_records_take(struct rg_records *records, size_t i)
{
    struct rg_record *record = i < records->count ? records->record[i] : NULL;
    if (record != NULL) {
        records->record[i] = NULL;
    }
    return record;
}

/* ---- out ---- */

static rg_outcome cell_write(struct rg_bytes cell, struct rg_buffer *out, struct rg_reason *why)
{
    bool plain = true;
    for (size_t i = 0; i < cell.len; i++) {
        plain = plain && strchr(",\"\r\n", cell.data[i]) == NULL;
    }
    if (plain) {
        return rg_buffer_append(out, cell, why);
    }
    RG_TRY(rg_buffer_append_text(out, "\"", why));
    for (size_t i = 0; i < cell.len; i++) {
        RG_TRY(rg_buffer_append_text(out, cell.data[i] == '"' ? "\"" : "", why));
        RG_TRY(rg_buffer_append(out, rg_bytes_of(cell.data + i, 1), why));
    }
    return rg_buffer_append_text(out, "\"", why);
}

rg_outcome rg_csv_header(struct rg_buffer *out, struct rg_reason *why)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        RG_TRY(rg_buffer_append_text(out, i == 0 ? "" : ",", why));
        RG_TRY(rg_buffer_append_text(out, rg_field_row((enum rg_field)i)->name, why));
    }
    return rg_buffer_append_text(out, "\r\n", why);
}

rg_outcome rg_record_csv(const struct rg_record *record, struct rg_buffer *out,
                         struct rg_reason *why)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        RG_TRY(rg_buffer_append_text(out, i == 0 ? "" : ",", why));
        RG_TRY(cell_write(rg_bytes_of_text(rg_record_get(record, (enum rg_field)i)), out, why));
    }
    return rg_buffer_append_text(out, "\r\n", why);
}
