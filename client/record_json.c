/*
 * How it works: one object is parsed at a time, so that its line is known and a large file is never
 * a tree in memory; between objects this file reads the brackets and commas itself. jansson's words
 * about a mistake hold pieces of the text and are never passed on. Invariant: what is written reads
 * back as the same records.
 */
#include "client/record_inside.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define GROUPS_MAX 4 /* deep */

/* ---- out ---- */

static json_t *json_list(const char *joined)
{
    json_t *list = json_array();
    while (list != NULL && *joined != '\0') {
        size_t len = strcspn(joined, ";");
        if (json_array_append_new(list, json_stringn(joined, len)) != 0) {
            json_decref(list);
            return NULL;
        }
        joined += joined[len] == ';' ? len + 1 : len;
    }
    return list;
}

static json_t *json_value(enum rg_field field, const char *text)
{
    if (rg_field_is_multi(field)) {
        return json_list(text);
    }
    if (rg_field_row(field)->type == RG_TYPE_BOOL) {
        return json_boolean(text[0] == 't');
    }
    return json_string(text);
}

static json_t *json_of(const struct rg_record *record)
{
    json_t *object = json_object();
    for (unsigned i = 0; object != NULL && i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        const char *text = rg_record_get(record, field);
        if (text[0] != '\0' && !rg_field_is_old(field) &&
            json_object_set_new(object, rg_field_row(field)->name, json_value(field, text)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static int json_append(const char *text, size_t len, void *out)
{
    return rg_is_ok(rg_buffer_append(out, rg_bytes_of(text, len), NULL)) ? 0 : -1;
}

rg_outcome rg_record_json(const struct rg_record *record, struct rg_buffer *out,
                          struct rg_reason *why)
{
    size_t start = out->len;
    json_t *object = json_of(record);
    RG_CHECK(object != NULL, why, RG_IO, "out-of-memory", "cannot allocate JSON");
    int failed = json_dump_callback(object, json_append, out, JSON_COMPACT);
    json_decref(object);
    if (failed != 0) {
        out->len = start;
        return rg_fail(why, RG_LIMIT, "record-limit", "JSON is larger than the buffer may be");
    }
    return rg_ok();
}

/* ---- in: values ---- */

static rg_outcome list_text(enum rg_field field, const json_t *value, struct rg_buffer *text,
                            struct rg_reason *why)
{
    RG_CHECK(rg_field_is_multi(field), why, RG_MALFORMED, "field-value",
             "a list; allowed: one value");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *part = json_array_get(value, i);
        bool good = json_is_string(part) &&
                    memchr(json_string_value(part), ';', json_string_length(part)) == NULL &&
                    json_string_length(part) > 0;
        RG_CHECK(good, why, RG_MALFORMED, "field-value",
                 "a list; allowed: a list of texts, none empty and none with ';' in it");
        RG_TRY(rg_buffer_append_text(text, i == 0 ? "" : ";", why));
        RG_TRY(rg_buffer_append(
            text, rg_bytes_of(json_string_value(part), json_string_length(part)), why));
    }
    return rg_ok();
}

/* The dictionary takes eight places at most, which a double holds. */
static rg_outcome real_text(enum rg_field field, double value, struct rg_buffer *text,
                            struct rg_reason *why)
{
    char digits[64] = "";
    bool fits = rg_field_row(field)->type == RG_TYPE_COORDINATE && value > -1000 && value < 1000;
    RG_CHECK(fits, why, RG_MALFORMED, "field-value", "a broken number; allowed: a text");
    (void)snprintf(digits, sizeof(digits), "%.8f", value);
    size_t len = strlen(digits);
    while (len > 0 && digits[len - 1] == '0') {
        len--;
    }
    len -= len > 0 && digits[len - 1] == '.';
    return rg_buffer_append(text, rg_bytes_of(digits, len), why);
}

static rg_outcome value_text(enum rg_field field, const json_t *value, struct rg_buffer *text,
                             struct rg_reason *why)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        return rg_buffer_append(
            text, rg_bytes_of(json_string_value(value), json_string_length(value)), why);
    case JSON_INTEGER:
        return rg_buffer_print(text, why, "%lld", (long long)json_integer_value(value));
    case JSON_REAL:
        return real_text(field, json_real_value(value), text, why);
    case JSON_TRUE:
    case JSON_FALSE:
        RG_CHECK(rg_field_row(field)->type == RG_TYPE_BOOL, why, RG_MALFORMED, "field-value",
                 "true or false; allowed: a text");
        return rg_buffer_append_text(text, json_is_true(value) ? "true" : "false", why);
    case JSON_ARRAY:
        return list_text(field, value, text, why);
    case JSON_OBJECT:
        return rg_fail(why, RG_MALFORMED, "field-value", "an object; allowed: one value");
    case JSON_NULL:
    default:
        return rg_ok();
    }
}

/* ---- in: objects ---- */

struct reader {
    struct rg_bytes text;
    size_t at;
    uint32_t line;
    struct rg_intake *intake;
};

static void unknown_name(struct reader *reader, struct rg_bytes name)
{
    if (rg_column_is_plain(name)) {
        rg_import_error(reader->intake->report, reader->line, "", "%.*s is not in the dictionary",
                        (int)name.len, (const char *)name.data);
        return;
    }
    rg_import_error(reader->intake->report, reader->line, "",
                    "a name that is not in the dictionary");
}

static rg_outcome value_take(struct reader *reader, enum rg_field field, const json_t *value,
                             bool *has, struct rg_reason *why)
{
    struct rg_intake *intake = reader->intake;
    struct rg_reason inner = {0};
    RG_OWNED_BUFFER text = {.secret = true};
    const char *shown = rg_field_row(field)->name;
    if (has[field]) {
        rg_import_error(intake->report, reader->line, shown, "stands twice");
        return rg_ok();
    }
    has[field] = true;
    rg_outcome outcome = value_text(field, value, &text, &inner);
    if (outcome.code == RG_MALFORMED) {
        rg_import_error(intake->report, reader->line, shown, "%s", inner.text);
        return rg_ok();
    }
    RG_TRY(outcome);
    return rg_intake_value(intake, field, rg_buffer_peek(&text), reader->line, why);
}

/* An object within objects, and how far it has been read. */
struct level {
    json_t *object;
    void *at;
};

static rg_outcome member_take(struct reader *reader, const struct level *level, bool *has,
                              struct rg_reason *why)
{
    struct rg_bytes name = rg_bytes_of_text(json_object_iter_key(level->at));
    struct rg_column column = rg_column_of(name);
    if (column.kind == RG_COLUMN_UNKNOWN) {
        unknown_name(reader, name);
    }
    return column.kind == RG_COLUMN_FIELD
               ? value_take(reader, column.field, json_object_iter_value(level->at), has, why)
               : rg_ok();
}

/* A group of a survey form: an object whose name is no field's. */
static bool is_group(const struct level *level)
{
    struct rg_bytes name = rg_bytes_of_text(json_object_iter_key(level->at));
    return json_is_object(json_object_iter_value(level->at)) &&
           rg_column_of(name).kind != RG_COLUMN_FIELD;
}

static rg_outcome members_take(struct reader *reader, json_t *object, bool *has,
                               struct rg_reason *why)
{
    struct level level[GROUPS_MAX + 1] = {{object, json_object_iter(object)}};
    for (size_t depth = 0;;) {
        struct level *here = &level[depth];
        if (here->at == NULL && depth == 0) {
            return rg_ok();
        }
        if (here->at == NULL) { /* the group ends: on behind it */
            here = &level[--depth];
        } else if (depth < GROUPS_MAX && is_group(here)) {
            json_t *group = json_object_iter_value(here->at);
            level[++depth] = (struct level){group, json_object_iter(group)};
            continue;
        } else {
            RG_TRY(member_take(reader, here, has, why));
        }
        here->at = json_object_iter_next(here->object, here->at);
    }
}

static rg_outcome object_take(struct reader *reader, json_t *object, struct rg_reason *why)
{
    bool has[RG_FIELD_COUNT] = {false};
    struct rg_import_report *report = reader->intake->report;
    report->rows++;
    RG_CHECK(report->rows <= RG_CSV_ROWS_MAX, why, RG_LIMIT, "json-limit", "more than %d cases",
             RG_CSV_ROWS_MAX);
    if (!json_is_object(object)) {
        rg_import_error(report, reader->line, "", "allowed: one object for each case");
        return rg_ok();
    }
    RG_TRY(members_take(reader, object, has, why));
    return rg_intake_row(reader->intake, reader->line, why);
}

/* ---- in: the file ---- */

static void go_on(struct reader *reader, size_t bytes)
{
    for (size_t i = 0; i < bytes && reader->at < reader->text.len; i++, reader->at++) {
        reader->line += reader->text.data[reader->at] == '\n';
    }
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The next byte that is no blank; 0 at the end. */
static uint8_t next(struct reader *reader)
{
    while (reader->at < reader->text.len && is_blank(reader->text.data[reader->at])) {
        go_on(reader, 1);
    }
    return reader->at < reader->text.len ? reader->text.data[reader->at] : 0;
}

static rg_outcome not_json(uint32_t line, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "json-form",
                   "line %u: not JSON; allowed: a list of objects, one for each case", line);
}

static rg_outcome object_next(struct reader *reader, struct rg_reason *why)
{
    json_error_t error;
    const char *rest = (const char *)reader->text.data + reader->at;
    json_t *object = json_loadb(rest, reader->text.len - reader->at,
                                JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        return not_json(reader->line + (error.line > 0 ? (uint32_t)error.line - 1 : 0), why);
    }
    rg_outcome outcome = object_take(reader, object, why);
    json_decref(object);
    go_on(reader, error.position > 0 ? (size_t)error.position : 1);
    return outcome;
}

static rg_outcome list_read(struct reader *reader, struct rg_reason *why)
{
    go_on(reader, 1);
    bool more = next(reader) != ']';
    while (more) {
        RG_TRY(object_next(reader, why));
        more = next(reader) == ',';
        go_on(reader, more ? 1 : 0);
        (void)next(reader);
    }
    if (next(reader) != ']') {
        return not_json(reader->line, why);
    }
    go_on(reader, 1);
    return next(reader) == 0 ? rg_ok() : not_json(reader->line, why);
}

static rg_outcome file_read(struct reader *reader, struct rg_reason *why)
{
    bool marked = reader->text.len >= 3 && memcmp(reader->text.data, "\xEF\xBB\xBF", 3) == 0;
    go_on(reader, marked ? 3 : 0);
    uint8_t first = next(reader);
    if (first == '[') {
        return list_read(reader, why);
    }
    if (first != '{') {
        return not_json(reader->line, why);
    }
    while (next(reader) == '{') {
        RG_TRY(object_next(reader, why));
    }
    return next(reader) == 0 ? rg_ok() : not_json(reader->line, why);
}

rg_outcome rg_records_read_json(struct rg_bytes text, struct rg_date today,
                                struct rg_records **records_out,
                                struct rg_import_report *report_out, struct rg_reason *why)
{
    memset(report_out, 0, sizeof(*report_out));
    RG_CHECK(text.len <= RG_CSV_BYTES_MAX, why, RG_LIMIT, "json-limit",
             "the file is larger than %d bytes", RG_CSV_BYTES_MAX);
    RG_INTAKE intake = {0};
    RG_TRY(rg_intake_begin(&intake, today, report_out, why));
    struct reader reader = {.text = text, .line = 1, .intake = &intake};
    RG_TRY(file_read(&reader, why));
    return rg_intake_end(&intake, "json-rows", records_out, why);
}
