/*
 * How it works: jansson parses and prints, the table leads. Reading goes through the boxes in the
 * order of the table, not of the file, so that a row's field is known before its value; then every
 * key that no box has asked for is refused, unless it is a comment. A value becomes the text that a
 * person would write, and enters the form by the same door as any text. Writing goes through the
 * boxes too. The template is printed by hand, because comments stand beside what they explain.
 */
#include "client/form.h"

#include "core/limits.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define JSON_BYTES_MAX RG_MIB

static bool is_list(const struct rg_box *box)
{
    return box->many || box->type == RG_BOX_CODES;
}

/* ---- reading ---- */

static rg_outcome wrong_type(const char *name, const char *allowed, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "form-json", "%s: in JSON, %s", name, allowed);
}

static rg_outcome string_append(const json_t *value, struct rg_buffer *text, struct rg_reason *why)
{
    return rg_buffer_append(text, rg_bytes_of(json_string_value(value), json_string_length(value)),
                            why);
}

static rg_outcome array_text(const char *name, const json_t *value, struct rg_buffer *text,
                             struct rg_reason *why)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *part = json_array_get(value, i);
        if (!json_is_string(part) ||
            memchr(json_string_value(part), ';', json_string_length(part)) != NULL) {
            return wrong_type(name, "a list of strings, none with ';'", why);
        }
        if (json_string_length(part) > 0) {
            RG_TRY(rg_buffer_append_text(text, text->len == 0 ? "" : ";", why));
            RG_TRY(string_append(part, text, why));
        }
    }
    return rg_ok();
}

/* The text that a value stands for; null, "" and [] are no text. Replaces what is in `text`. */
static rg_outcome value_text(const char *name, const json_t *value, struct rg_buffer *text,
                             struct rg_reason *why)
{
    rg_buffer_clear(text);
    switch (json_typeof(value)) {
    case JSON_NULL:
        return rg_ok();
    case JSON_STRING:
        return string_append(value, text, why);
    case JSON_INTEGER:
        return rg_buffer_print(text, why, "%lld", (long long)json_integer_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return rg_buffer_append_text(text, json_is_true(value) ? "true" : "false", why);
    case JSON_ARRAY:
        return array_text(name, value, text, why);
    case JSON_REAL:
        return wrong_type(name, "an amount is a string, as \"1250.50\"", why);
    case JSON_OBJECT:
        break;
    }
    return wrong_type(name, "a single value", why);
}

static bool is_comment(const char *key)
{
    return key[0] == '/' && key[1] == '/';
}

/* Every key is a box or a comment. */
static rg_outcome keys_check(const struct rg_form_table *table, json_t *object,
                             struct rg_reason *why)
{
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        if (!is_comment(key) && rg_form_box(table, key) == NULL) {
            return rg_fail(why, RG_MALFORMED, "form-field", "%s has a key that is no box of it",
                           table->name);
        }
    }
    return rg_ok();
}

static rg_outcome fields_read(struct rg_form *form, const struct rg_box *box, json_t *object,
                              struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {.secret = true};
    if (!json_is_object(object)) {
        return wrong_type(box->name, "an object with names of dictionary fields", why);
    }
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        enum rg_field field;
        if (is_comment(key)) {
            continue;
        }
        RG_CHECK(rg_field_find(rg_bytes_of_text(key), &field), why, RG_MALFORMED, "form-field",
                 "%s: a key that is no field of the dictionary", box->name);
        RG_TRY(value_text(key, json_object_iter_value(at), &text, why));
        if (text.len > 0) {
            RG_TRY(rg_form_field_set(form, field, rg_buffer_peek(&text), why));
        }
    }
    return rg_ok();
}

static rg_outcome cells_read(struct rg_form *form, const struct rg_box *list, const json_t *object,
                             struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {.secret = true};
    size_t row = SIZE_MAX;
    for (size_t i = 0; i < list->rows->count; i++) {
        const char *name = list->rows->box[i].name;
        const json_t *value = json_object_get(object, name);
        if (value == NULL) {
            continue;
        }
        RG_TRY(value_text(name, value, &text, why));
        if (text.len == 0) {
            continue;
        }
        if (row == SIZE_MAX) { /* an empty row of a template is none */
            RG_TRY(rg_form_row_add(form, list->name, &row, why));
        }
        RG_TRY(rg_form_row_set(form, list->name, row, name, rg_buffer_peek(&text), why));
    }
    return rg_ok();
}

static rg_outcome rows_read(struct rg_form *form, const struct rg_box *box, const json_t *array,
                            struct rg_reason *why)
{
    if (!json_is_array(array)) {
        return wrong_type(box->name, "a list of objects", why);
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        json_t *object = json_array_get(array, i);
        struct rg_reason inner = {0};
        if (!json_is_object(object)) {
            return wrong_type(box->name, "a list of objects", why);
        }
        rg_outcome outcome = keys_check(box->rows, object, &inner);
        outcome = rg_is_ok(outcome) ? cells_read(form, box, object, &inner) : outcome;
        if (!rg_is_ok(outcome)) {
            return rg_fail(why, outcome.code, inner.id, "%s, row %zu: %s", box->name, i + 1,
                           inner.text);
        }
    }
    return rg_ok();
}

static rg_outcome box_read(struct rg_form *form, const struct rg_box *box, json_t *value,
                           struct rg_reason *why)
{
    if (json_is_null(value)) {
        return rg_ok();
    }
    if (box->type == RG_BOX_ROWS) {
        return rows_read(form, box, value, why);
    }
    if (box->type == RG_BOX_FIELDS) {
        return fields_read(form, box, value, why);
    }
    RG_OWNED_BUFFER text = {.secret = true};
    RG_TRY(value_text(box->name, value, &text, why));
    return rg_form_set(form, box->name, rg_buffer_peek(&text), why);
}

static rg_outcome object_read(struct rg_form *form, json_t *object, struct rg_reason *why)
{
    const struct rg_form_table *table = rg_form_table_of(form);
    RG_TRY(keys_check(table, object, why));
    for (size_t i = 0; i < table->count; i++) {
        json_t *value = json_object_get(object, table->box[i].name);
        if (value != NULL) {
            RG_TRY(box_read(form, &table->box[i], value, why));
        }
    }
    return rg_ok();
}

static void object_free(json_t **object)
{
    json_decref(*object);
}

rg_outcome rg_form_read_json(const struct rg_form_table *table, struct rg_bytes json,
                             struct rg_form **form_out, struct rg_reason *why)
{
    RG_CHECK(json.len <= JSON_BYTES_MAX, why, RG_LIMIT, "form-limit", "JSON of at most %d bytes",
             JSON_BYTES_MAX);
    json_error_t error;
    RG_CLEANUP(object_free)
    json_t *object = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, &error);
    RG_CHECK(object != NULL, why, RG_MALFORMED, "form-json",
             "line %d: not JSON, or a key given twice", error.line);
    RG_CHECK(json_is_object(object), why, RG_MALFORMED, "form-json", "not one JSON object");
    RG_OWNED_FORM form = NULL;
    RG_TRY(rg_form_new(table, &form, why));
    RG_TRY(object_read(form, object, why));
    *form_out = form;
    form = NULL;
    return rg_ok();
}

/* ---- writing ---- */

static json_t *list_json(const char *joined)
{
    json_t *list = json_array();
    while (list != NULL && *joined != '\0') {
        size_t len = strcspn(joined, ";");
        if (json_array_append_new(list, json_stringn(joined, len)) != 0) {
            json_decref(list);
            return NULL;
        }
        joined += len + (joined[len] == ';');
    }
    return list;
}

static json_t *text_json(const struct rg_box *box, const char *text)
{
    if (is_list(box)) {
        return list_json(text);
    }
    if (box->type == RG_BOX_BOOL) {
        return json_boolean(text[0] == 't');
    }
    if (box->type == RG_BOX_NUMBER) {
        long long number = 0;
        return sscanf(text, "%lld", &number) == 1 ? json_integer(number) : NULL;
    }
    return json_string(text);
}

/* The object of row `row`, made when it is missing. NULL: no memory. */
static json_t *row_json(json_t *object, const char *list, size_t row)
{
    json_t *array = json_object_get(object, list);
    if (array == NULL) {
        array = json_array();
        if (json_object_set_new(object, list, array) != 0) {
            return NULL;
        }
    }
    while (json_array_size(array) <= row) {
        if (json_array_append_new(array, json_object()) != 0) {
            return NULL;
        }
    }
    return json_array_get(array, row);
}

static json_t *fields_json(json_t *object, const char *name)
{
    json_t *fields = json_object_get(object, name);
    if (fields == NULL) {
        fields = json_object();
        return json_object_set_new(object, name, fields) == 0 ? fields : NULL;
    }
    return fields;
}

static bool value_write(json_t *object, const struct rg_form_value *value)
{
    json_t *to = object;
    const struct rg_box *box = value->cell == NULL ? value->box : value->cell;
    if (value->box->type == RG_BOX_ROWS) {
        to = row_json(object, value->box->name, value->row);
    }
    if (value->box->type == RG_BOX_FIELDS) {
        to = fields_json(object, value->box->name);
    }
    return to != NULL && json_object_set_new(to, value->label, text_json(box, value->text)) == 0;
}

struct sink {
    struct rg_buffer *out;
    struct rg_reason *why;
    rg_outcome outcome; /* of the first append that failed: jansson may overlook it */
};

static int dump(const char *text, size_t len, void *context)
{
    struct sink *sink = context;
    if (rg_is_ok(sink->outcome)) {
        sink->outcome = rg_buffer_append(sink->out, rg_bytes_of(text, len), sink->why);
    }
    return rg_is_ok(sink->outcome) ? 0 : -1;
}

static rg_outcome object_dump(const json_t *object, struct rg_buffer *out, struct rg_reason *why)
{
    struct sink sink = {.out = out, .why = why};
    int failed = json_dump_callback(object, dump, &sink, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    RG_TRY(sink.outcome);
    RG_CHECK(failed == 0, why, RG_IO, "out-of-memory", "no memory for JSON");
    return rg_buffer_append_text(out, "\n", why);
}

rg_outcome rg_form_write_json(const struct rg_form *form, struct rg_buffer *out,
                              struct rg_reason *why)
{
    RG_CLEANUP(object_free) json_t *object = json_object();
    bool good = object != NULL;
    for (size_t i = 0; good && i < rg_form_value_count(form); i++) {
        struct rg_form_value value = rg_form_value_at(form, i);
        good = value_write(object, &value);
    }
    RG_CHECK(good, why, RG_IO, "out-of-memory", "no memory for JSON");
    size_t start = out->len;
    rg_outcome outcome = object_dump(object, out, why);
    if (!rg_is_ok(outcome)) {
        out->len = start;
    }
    return outcome;
}

/* ---- the template ---- */

/* `text` is ours: ASCII without quotes. */
static rg_outcome comment(const char *indent, const struct rg_box *box, const char *class_name,
                          struct rg_buffer *out, struct rg_reason *why)
{
    RG_TRY(rg_buffer_print(out, why, "%s\"// %s\": \"%s%s%s%s", indent, box->name, class_name,
                           class_name[0] == '\0' ? "" : ", ",
                           box->required ? "required" : "optional",
                           box->when == NULL ? "" : ", required when "));
    RG_TRY(rg_buffer_print(out, why, "%s: %s; %s", box->when == NULL ? "" : box->when, box->meaning,
                           rg_box_allowed(box)));
    if (box->type == RG_BOX_NUMBER) {
        RG_TRY(rg_buffer_print(out, why, " %u", rg_box_number_max(box)));
    }
    const char *const *codes = rg_box_codes(box);
    for (size_t i = 0; codes != NULL && codes[i] != NULL; i++) {
        RG_TRY(rg_buffer_print(out, why, "%s%s", i == 0 ? " " : ", ", codes[i]));
    }
    return rg_buffer_append_text(out, "\",\n", why);
}

static const char *empty_json(const struct rg_box *box)
{
    if (is_list(box)) {
        return "[]";
    }
    return box->type == RG_BOX_BOOL || box->type == RG_BOX_NUMBER ? "null" : "\"\"";
}

static rg_outcome rows_template(const struct rg_box *list, struct rg_buffer *out,
                                struct rg_reason *why)
{
    RG_TRY(rg_buffer_append_text(out, "[\n    {\n", why));
    for (size_t i = 0; i < list->rows->count; i++) {
        const struct rg_box *box = &list->rows->box[i];
        RG_TRY(comment("      ", box, "", out, why));
        RG_TRY(rg_buffer_print(out, why, "      \"%s\": %s%s\n", box->name, empty_json(box),
                               i + 1 < list->rows->count ? "," : ""));
    }
    return rg_buffer_append_text(out, "    }\n  ]", why);
}

static rg_outcome fields_template(const struct rg_box *box, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    bool first = true;
    RG_TRY(rg_buffer_append_text(out, "{", why));
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        const struct rg_field_row *row = rg_field_row((enum rg_field)i);
        if (!rg_field_crosses((enum rg_field)i) ||
            (box->class_ != 0 && box->class_ != row->class_)) {
            continue;
        }
        RG_TRY(rg_buffer_print(out, why, "%s\n    \"// %s\": \"%s", first ? "" : ",", row->name,
                               rg_class_name(row->class_)));
        for (size_t k = 0; row->codes != NULL && row->codes[k] != NULL; k++) {
            RG_TRY(rg_buffer_print(out, why, "%s%s", k == 0 ? "; " : ", ", row->codes[k]));
        }
        RG_TRY(rg_buffer_print(out, why, "\",\n    \"%s\": \"\"", row->name));
        first = false;
    }
    return rg_buffer_append_text(out, "\n  }", why);
}

rg_outcome rg_form_template(const struct rg_form_table *table, const char *title,
                            struct rg_buffer *out, struct rg_reason *why)
{
    RG_TRY(rg_buffer_print(out, why, "{\n  \"// %s\": \"%s\"", title,
                           "keys that start with // are comments; leave empty what is not known"));
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_box *box = &table->box[i];
        RG_TRY(rg_buffer_append_text(out, ",\n", why));
        RG_TRY(
            comment("  ", box,
                    box->class_ == 0 ? "in the section of the field" : rg_class_name(box->class_),
                    out, why));
        RG_TRY(rg_buffer_print(out, why, "  \"%s\": ", box->name));
        if (box->type == RG_BOX_ROWS) {
            RG_TRY(rows_template(box, out, why));
        } else if (box->type == RG_BOX_FIELDS) {
            RG_TRY(fields_template(box, out, why));
        } else {
            RG_TRY(rg_buffer_append_text(out, empty_json(box), why));
        }
    }
    return rg_buffer_append_text(out, "\n}\n", why);
}
