/*
 * How it works: `row_next` cuts one row out of the text into cells; it knows RFC 4180 and nothing
 * else. The header maps columns to fields. Each further row goes into the intake; reading goes on
 * after an error so that one pass lists up to twenty, except after an open quote, when no later row
 * could be trusted. An error's text is made from the dictionary and from numbers, never from a
 * cell; a column's name is repeated only if it looks like one and the row is plainly a header.
 * Invariant: what is written reads back as the same records.
 */
#include "client/record_inside.h"

#include <string.h>

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
    struct rg_column column[RG_CSV_COLUMNS_MAX];
    size_t count;
    bool has[RG_FIELD_COUNT];
};

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

static void unknown_column(const struct row *row, size_t i, struct rg_import_report *report)
{
    struct rg_bytes name = cell_of(row, i);
    if (rg_column_is_plain(name)) {
        rg_import_error(report, row->line, "", "column %zu: %.*s is not in the dictionary", i + 1,
                        (int)name.len, (const char *)name.data);
        return;
    }
    rg_import_error(report, row->line, "", "column %zu: its name is not in the dictionary", i + 1);
}

/* Without one known name the first row is data, and nothing of it is shown. */
static bool is_header(const struct row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        if (rg_column_of(cell_of(row, i)).kind == RG_COLUMN_FIELD) {
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
            rg_import_error(report, line, field->name, "this column is needed");
        }
    }
}

static void column_read(const struct row *row, size_t i, struct header *header,
                        struct rg_import_report *report)
{
    struct rg_column column = rg_column_of(cell_of(row, i));
    header->column[i] = column;
    if (column.kind == RG_COLUMN_UNKNOWN) {
        unknown_column(row, i, report);
    }
    if (column.kind != RG_COLUMN_FIELD) {
        return;
    }
    if (header->has[column.field]) {
        rg_import_error(report, row->line, rg_field_row(column.field)->name,
                        "this column stands twice");
    }
    header->has[column.field] = true;
}

/* Survey tools may write a column for each code beside the one that holds them all. */
static void split_check(const struct row *row, const struct header *header,
                        struct rg_import_report *report)
{
    size_t left_out = 0;
    for (size_t i = 0; i < header->count; i++) {
        const struct rg_column *column = &header->column[i];
        left_out += column->kind == RG_COLUMN_TOOL || column->kind == RG_COLUMN_SPLIT;
        if (column->kind == RG_COLUMN_SPLIT && !header->has[column->field]) {
            rg_import_error(report, row->line, rg_field_row(column->field)->name,
                            "column %zu: a column for one code is not read; export the column that "
                            "holds all its codes",
                            i + 1);
        }
    }
    if (left_out > 0) {
        rg_import_warning(report, row->line, "", "%zu columns of the survey tool are left out",
                          left_out);
    }
}

static void header_read(const struct row *row, struct header *header,
                        struct rg_import_report *report)
{
    header->count = row->count;
    for (size_t i = 0; i < row->count; i++) {
        column_read(row, i, header, report);
    }
    split_check(row, header, report);
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

static bool is_words(enum rg_field field)
{
    enum rg_value_type type = rg_field_row(field)->type;
    return type == RG_TYPE_TEXT || type == RG_TYPE_LONG_TEXT || type == RG_TYPE_NAME ||
           type == RG_TYPE_NAMES || type == RG_TYPE_IDENTIFIER;
}

/* A spreadsheet would run it. With apostrophes before it, too, so that taking one off undoes it. */
static bool is_formula(struct rg_bytes cell)
{
    size_t at = 0;
    while (at < cell.len && cell.data[at] == '\'') {
        at++;
    }
    return at < cell.len && strchr("=+-@", cell.data[at]) != NULL;
}

static struct rg_bytes value_of(const struct row *row, size_t i, enum rg_field field)
{
    struct rg_bytes cell = cell_of(row, i);
    bool marked = is_words(field) && cell.len > 0 && cell.data[0] == '\'' && is_formula(cell);
    return marked ? rg_bytes_of(cell.data + 1, cell.len - 1) : cell;
}

static rg_outcome row_take(const struct row *row, const struct header *header,
                           struct rg_intake *intake, struct rg_reason *why)
{
    struct rg_import_report *report = intake->report;
    report->rows++;
    RG_CHECK(report->rows <= RG_CSV_ROWS_MAX, why, RG_LIMIT, "csv-limit", "more than %d rows",
             RG_CSV_ROWS_MAX);
    if (row->fault != NULL) {
        rg_import_error(report, row->line, "", "%s", row->fault);
        return rg_ok();
    }
    if (row->count != header->count) {
        rg_import_error(report, row->line, "", "%zu cells, but the header has %zu", row->count,
                        header->count);
        return rg_ok();
    }
    for (size_t i = 0; i < row->count; i++) {
        enum rg_field field = header->column[i].field;
        if (header->column[i].kind == RG_COLUMN_FIELD) {
            RG_TRY(rg_intake_value(intake, field, value_of(row, i, field), row->line, why));
        }
    }
    return rg_intake_row(intake, row->line, why);
}

static rg_outcome rows_read(struct reader *reader, struct row *row, struct rg_intake *intake,
                            struct rg_reason *why)
{
    struct header header = {0};
    RG_TRY(header_next(reader, row, &header, why));
    while (!at_end(reader) && !row->hopeless) {
        RG_TRY(row_next(reader, row, why));
        if (!is_blank_row(row)) {
            RG_TRY(row_take(row, &header, intake, why));
        }
    }
    return rg_ok();
}

rg_outcome rg_records_read_csv(struct rg_bytes text, struct rg_date today,
                               struct rg_records **records_out, struct rg_import_report *report_out,
                               struct rg_reason *why)
{
    memset(report_out, 0, sizeof(*report_out));
    RG_CHECK(text.len <= RG_CSV_BYTES_MAX, why, RG_LIMIT, "csv-limit",
             "the file is larger than %d bytes", RG_CSV_BYTES_MAX);
    RG_INTAKE intake = {0};
    RG_TRY(rg_intake_begin(&intake, today, report_out, why));
    struct reader reader = {.text = text, .line = 1, .report = report_out};
    struct row row = {.cells.secret = true};
    rg_outcome outcome = rows_read(&reader, &row, &intake, why);
    rg_buffer_drop(&row.cells);
    RG_TRY(outcome);
    return rg_intake_end(&intake, "csv-rows", records_out, why);
}

/* ---- out ---- */

static rg_outcome cell_write(struct rg_bytes cell, bool formula, struct rg_buffer *out,
                             struct rg_reason *why)
{
    bool plain = true;
    for (size_t i = 0; i < cell.len; i++) {
        plain = plain && strchr(",\"\r\n", cell.data[i]) == NULL;
    }
    RG_TRY(rg_buffer_append_text(out, plain ? "" : "\"", why));
    RG_TRY(rg_buffer_append_text(out, formula ? "'" : "", why));
    for (size_t i = 0; i < cell.len && !plain; i++) {
        RG_TRY(rg_buffer_append_text(out, cell.data[i] == '"' ? "\"" : "", why));
        RG_TRY(rg_buffer_append(out, rg_bytes_of(cell.data + i, 1), why));
    }
    RG_TRY(rg_buffer_append(out, rg_bytes_of(cell.data, plain ? cell.len : 0), why));
    return rg_buffer_append_text(out, plain ? "" : "\"", why);
}

rg_outcome rg_csv_header(struct rg_buffer *out, struct rg_reason *why)
{
    bool first = true;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        if (!rg_field_is_old((enum rg_field)i)) {
            RG_TRY(rg_buffer_append_text(out, first ? "" : ",", why));
            RG_TRY(rg_buffer_append_text(out, rg_field_row((enum rg_field)i)->name, why));
            first = false;
        }
    }
    return rg_buffer_append_text(out, "\r\n", why);
}

rg_outcome rg_record_csv(const struct rg_record *record, struct rg_buffer *out,
                         struct rg_reason *why)
{
    bool first = true;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        if (rg_field_is_old(field)) {
            continue;
        }
        struct rg_bytes value = rg_bytes_of_text(rg_record_get(record, field));
        RG_TRY(rg_buffer_append_text(out, first ? "" : ",", why));
        RG_TRY(cell_write(value, is_words(field) && is_formula(value), out, why));
        first = false;
    }
    return rg_buffer_append_text(out, "\r\n", why);
}
