/*
 * How it works: a form is one list of values sorted by (box, row, cell), each with a text of its
 * own. A box of type FIELDS keeps its values under row 0 with the dictionary field as cell; a box
 * of type ROWS under its row with the column as cell, and counts its rows beside, so that a row may
 * be empty while it is being filled. Everything enters through `put`, which has had the text
 * checked; so a form holds lawful values at any time, and rg_form_check only asks what is missing
 * and whether the classes fit. A packed form is the same with all its memory in one block.
 */
#include "client/form.h"

#include "core/digest.h"
#include "core/settings.h"

#include <stdlib.h>
#include <string.h>

#define ALIGN 16
#define VALUES_STEP 16

struct value {
    uint16_t box, row, cell;
    char *text;
};

struct rg_form {
    const struct rg_form_table *table;
    struct value *value;
    size_t count, capacity;
    uint16_t *rows; /* per box */
};

/* ---- tables ---- */

const struct rg_box *rg_form_box(const struct rg_form_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->box[i].name, name) == 0) {
            return &table->box[i];
        }
    }
    return NULL;
}

static const struct rg_box *box_of_type(const struct rg_form_table *table, enum rg_box_type type)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->box[i].type == type) {
            return &table->box[i];
        }
    }
    return NULL;
}

static uint16_t index_of(const struct rg_form_table *table, const struct rg_box *box)
{
    return (uint16_t)(box - table->box);
}

#define ALL_CLASSES ((1u << RG_CLASS_COUNT) - 1)

unsigned rg_form_table_required(const struct rg_form_table *table)
{
    unsigned classes = 0;
    for (size_t i = 0; i < table->count; i++) {
        if (table->box[i].class_ != 0 && table->box[i].required) {
            classes |= RG_CLASS_BIT(table->box[i].class_);
        }
    }
    return classes;
}

/* ---- the store ---- */

rg_outcome rg_form_new(const struct rg_form_table *table, struct rg_form **form_out,
                       struct rg_reason *why)
{
    RG_CHECK(table != NULL && table->count <= RG_FORM_BOXES_MAX, why, RG_MALFORMED, "form-field",
             "no table of boxes");
    struct rg_form *form = calloc(1, sizeof(*form));
    uint16_t *rows = calloc(table->count + 1, sizeof(*rows));
    if (form == NULL || rows == NULL) {
        free(form);
        free(rows);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for a form");
    }
    form->table = table;
    form->rows = rows;
    *form_out = form;
    return rg_ok();
}

static void text_free(char *text)
{
    if (text != NULL) {
        rg_wipe(text, strlen(text));
        free(text);
    }
}

void rg_form_free(struct rg_form *form)
{
    if (form == NULL) {
        return;
    }
    for (size_t i = 0; i < form->count; i++) {
        text_free(form->value[i].text);
    }
    free(form->value);
    free(form->rows);
    free(form);
}

void rg_form_free_at(struct rg_form **form)
{
    rg_form_free(*form);
    *form = NULL;
}

const struct rg_form_table *rg_form_table_of(const struct rg_form *form)
{
    return form->table;
}

static int place_compare(const struct value *a, const struct value *b)
{
    int box = (int)a->box - (int)b->box;
    int row = (int)a->row - (int)b->row;
    return box != 0 ? box : row != 0 ? row : (int)a->cell - (int)b->cell;
}

/* Index of the first value that is not before `place`. */
static size_t lower_bound(const struct rg_form *form, const struct value *place)
{
    size_t low = 0;
    size_t high = form->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_compare(&form->value[middle], place) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const char *text_at(const struct rg_form *form, struct value place)
{
    size_t at = lower_bound(form, &place);
    bool found = at < form->count && place_compare(&form->value[at], &place) == 0;
    return found ? form->value[at].text : "";
}

static void remove_at(struct rg_form *form, struct value place)
{
    size_t at = lower_bound(form, &place);
    if (at < form->count && place_compare(&form->value[at], &place) == 0) {
        text_free(form->value[at].text);
        form->count--;
        memmove(form->value + at, form->value + at + 1, (form->count - at) * sizeof(*form->value));
    }
}

static rg_outcome room(struct rg_form *form, struct rg_reason *why)
{
    if (form->count < form->capacity) {
        return rg_ok();
    }
    size_t capacity = form->capacity + form->capacity / 2 + VALUES_STEP;
    struct value *grown = reallocarray(form->value, capacity, sizeof(*grown));
    RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "no memory for a form");
    form->value = grown;
    form->capacity = capacity;
    return rg_ok();
}

static rg_outcome text_copy(struct rg_bytes text, char **out, struct rg_reason *why)
{
    char *copy = malloc(text.len + 1);
    RG_CHECK(copy != NULL, why, RG_IO, "out-of-memory", "no memory for a form");
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *out = copy;
    return rg_ok();
}

/* `text` has passed its box. */
static rg_outcome put(struct rg_form *form, struct value place, struct rg_bytes text,
                      struct rg_reason *why)
{
    if (text.len == 0) {
        remove_at(form, place);
        return rg_ok();
    }
    RG_TRY(room(form, why));
    RG_TRY(text_copy(text, &place.text, why));
    remove_at(form, place);
    size_t at = lower_bound(form, &place);
    memmove(form->value + at + 1, form->value + at, (form->count - at) * sizeof(*form->value));
    form->value[at] = place;
    form->count++;
    return rg_ok();
}

static rg_outcome check_and_put(struct rg_form *form, const struct rg_box *box,
                                const enum rg_field *of, struct value place, struct rg_bytes text,
                                struct rg_reason *why)
{
    RG_OWNED_BUFFER normal = {.secret = true};
    RG_TRY(rg_box_check(box, of, text, &normal, why));
    return put(form, place, rg_buffer_peek(&normal), why);
}

/* ---- single boxes ---- */

rg_outcome rg_form_set(struct rg_form *form, const char *name, struct rg_bytes text,
                       struct rg_reason *why)
{
    const struct rg_box *box = rg_form_box(form->table, name);
    RG_CHECK(box != NULL, why, RG_MALFORMED, "form-field", "%s has no such box", form->table->name);
    struct value place = {.box = index_of(form->table, box)};
    return check_and_put(form, box, NULL, place, text, why);
}

const char *rg_form_get(const struct rg_form *form, const char *name)
{
    const struct rg_box *box = rg_form_box(form->table, name);
    return box == NULL ? "" : text_at(form, (struct value){.box = index_of(form->table, box)});
}

static uint32_t position_of(const struct rg_box *box, const char *text)
{
    return box == NULL ? 0 : rg_box_code_find(box, rg_bytes_of_text(text));
}

uint32_t rg_form_code(const struct rg_form *form, const char *name)
{
    return position_of(rg_form_box(form->table, name), rg_form_get(form, name));
}

uint32_t rg_form_codes(const struct rg_form *form, const char *name)
{
    const struct rg_box *box = rg_form_box(form->table, name);
    return box == NULL ? 0 : rg_box_codes_set(box, rg_form_get(form, name));
}

uint32_t rg_form_number(const struct rg_form *form, const char *name)
{
    return (uint32_t)strtoul(rg_form_get(form, name), NULL, 10);
}

bool rg_form_is(const struct rg_form *form, const char *name, const char *text)
{
    return strcmp(rg_form_get(form, name), text) == 0;
}

bool rg_form_true(const struct rg_form *form, const char *name)
{
    return rg_form_is(form, name, "true");
}

bool rg_form_date(const struct rg_form *form, const char *name, struct rg_date *date_out)
{
    return rg_date_parse(rg_bytes_of_text(rg_form_get(form, name)), date_out);
}

bool rg_form_time(const struct rg_form *form, const char *name, struct rg_wall *wall_out)
{
    const char *text = rg_form_get(form, name);
    return text[0] != '\0' && rg_is_ok(rg_wall_parse(text, wall_out, NULL));
}

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

bool rg_form_id(const struct rg_form *form, const char *name, struct rg_id *id_out)
{
    const char *text = rg_form_get(form, name);
    if (strlen(text) != 2 * sizeof(id_out->b)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(id_out->b); i++) {
        id_out->b[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return true;
}

/* ---- rows ---- */

static const struct rg_box *list_find(const struct rg_form *form, const char *list)
{
    const struct rg_box *box = rg_form_box(form->table, list);
    return box == NULL || box->type != RG_BOX_ROWS ? NULL : box;
}

static uint32_t rows_max(const struct rg_box *box)
{
    return box->max == 0 ? RG_FORM_ROWS_MAX : box->max;
}

size_t rg_form_row_count(const struct rg_form *form, const char *list)
{
    const struct rg_box *box = list_find(form, list);
    return box == NULL ? 0 : form->rows[index_of(form->table, box)];
}

rg_outcome rg_form_row_add(struct rg_form *form, const char *list, size_t *row_out,
                           struct rg_reason *why)
{
    const struct rg_box *box = list_find(form, list);
    RG_CHECK(box != NULL, why, RG_MALFORMED, "form-field", "%s has no such list",
             form->table->name);
    uint16_t *rows = &form->rows[index_of(form->table, box)];
    RG_CHECK(*rows < rows_max(box), why, RG_LIMIT, "form-limit", "%s: at most %u rows", box->name,
             rows_max(box));
    *row_out = (*rows)++;
    return rg_ok();
}

/* The dictionary field that a row names; false when it names none yet. */
static bool row_field(const struct rg_form *form, const struct rg_box *list, size_t row,
                      enum rg_field *field_out)
{
    const struct rg_box *cell = box_of_type(list->rows, RG_BOX_FIELD);
    if (cell == NULL) {
        return false;
    }
    struct value place = {.box = index_of(form->table, list),
                          .row = (uint16_t)row,
                          .cell = index_of(list->rows, cell)};
    return rg_field_find(rg_bytes_of_text(text_at(form, place)), field_out);
}

/* A value belongs to the field it was checked against. */
static void row_forget_value(struct rg_form *form, const struct rg_box *list, size_t row)
{
    const struct rg_box *cell = box_of_type(list->rows, RG_BOX_VALUE);
    if (cell != NULL) {
        remove_at(form, (struct value){.box = index_of(form->table, list),
                                       .row = (uint16_t)row,
                                       .cell = index_of(list->rows, cell)});
    }
}

rg_outcome rg_form_row_set(struct rg_form *form, const char *list, size_t row, const char *name,
                           struct rg_bytes text, struct rg_reason *why)
{
    const struct rg_box *box = list_find(form, list);
    RG_CHECK(box != NULL, why, RG_MALFORMED, "form-field", "%s has no such list",
             form->table->name);
    RG_CHECK(row < form->rows[index_of(form->table, box)], why, RG_MALFORMED, "form-row",
             "%s: no such row", box->name);
    const struct rg_box *cell = rg_form_box(box->rows, name);
    RG_CHECK(cell != NULL, why, RG_MALFORMED, "form-field", "%s has no such box", box->name);
    struct value place = {
        .box = index_of(form->table, box), .row = (uint16_t)row, .cell = index_of(box->rows, cell)};
    if (cell->type == RG_BOX_VALUE) {
        enum rg_field of;
        RG_CHECK(row_field(form, box, row, &of), why, RG_MALFORMED, "form-required",
                 "%s: needs the name of its field first", box->name);
        return check_and_put(form, cell, &of, place, text, why);
    }
    if (cell->type == RG_BOX_FIELD) {
        row_forget_value(form, box, row);
    }
    return check_and_put(form, cell, NULL, place, text, why);
}

const char *rg_form_row_get(const struct rg_form *form, const char *list, size_t row,
                            const char *name)
{
    const struct rg_box *box = list_find(form, list);
    const struct rg_box *cell = box == NULL ? NULL : rg_form_box(box->rows, name);
    if (cell == NULL || row > UINT16_MAX) {
        return "";
    }
    return text_at(form, (struct value){.box = index_of(form->table, box),
                                        .row = (uint16_t)row,
                                        .cell = index_of(box->rows, cell)});
}

uint32_t rg_form_row_code(const struct rg_form *form, const char *list, size_t row,
                          const char *name)
{
    const struct rg_box *box = list_find(form, list);
    const struct rg_box *cell = box == NULL ? NULL : rg_form_box(box->rows, name);
    return position_of(cell, rg_form_row_get(form, list, row, name));
}

/* ---- dictionary fields ---- */

rg_outcome rg_form_field_set(struct rg_form *form, enum rg_field field, struct rg_bytes text,
                             struct rg_reason *why)
{
    const struct rg_box *box = box_of_type(form->table, RG_BOX_FIELDS);
    RG_CHECK(box != NULL, why, RG_MALFORMED, "form-field", "%s holds no dictionary fields",
             form->table->name);
    RG_CHECK((unsigned)field < RG_FIELD_COUNT && rg_field_crosses(field), why, RG_MALFORMED,
             "form-field", "a field that never stands in a message");
    RG_CHECK(box->class_ == 0 || rg_field_row(field)->class_ == box->class_, why, RG_MALFORMED,
             "form-class", "%s: %s is of another class", box->name, rg_field_row(field)->name);
    struct value place = {.box = index_of(form->table, box), .cell = (uint16_t)field};
    return check_and_put(form, box, &field, place, text, why);
}

const char *rg_form_field_get(const struct rg_form *form, enum rg_field field)
{
    const struct rg_box *box = box_of_type(form->table, RG_BOX_FIELDS);
    struct value place = {.cell = (uint16_t)field};
    if (box == NULL) {
        return "";
    }
    place.box = index_of(form->table, box);
    return text_at(form, place);
}

/* ---- classes, and what is missing ---- */

/* 0: of a row that names no field. */
static enum rg_class class_of(const struct rg_form *form, const struct value *value)
{
    const struct rg_box *box = &form->table->box[value->box];
    enum rg_field field;
    if (box->class_ != 0) {
        return box->class_;
    }
    if (box->type == RG_BOX_FIELDS) {
        return rg_field_row((enum rg_field)value->cell)->class_;
    }
    return row_field(form, box, value->row, &field) ? rg_field_row(field)->class_
                                                    : (enum rg_class)0;
}

unsigned rg_form_classes(const struct rg_form *form)
{
    unsigned classes = 0;
    for (size_t i = 0; i < form->count; i++) {
        enum rg_class class_ = class_of(form, &form->value[i]);
        classes |= class_ == 0 ? 0 : RG_CLASS_BIT(class_);
    }
    return classes;
}

/* Boxes that stand beside each other: those of the form, or those of one row. */
struct scope {
    const struct rg_form *form;
    const struct rg_form_table *table;
    const struct rg_box *list; /* NULL: the form itself */
    size_t row;
};

static const char *scope_text(const struct scope *scope, const struct rg_box *box)
{
    uint16_t index = index_of(scope->table, box);
    if (scope->list == NULL) {
        return text_at(scope->form, (struct value){.box = index});
    }
    return text_at(scope->form, (struct value){.box = index_of(scope->form->table, scope->list),
                                               .row = (uint16_t)scope->row,
                                               .cell = index});
}

static bool scope_has(const struct scope *scope, const struct rg_box *box)
{
    if (scope->list == NULL && box->type == RG_BOX_ROWS) {
        return scope->form->rows[index_of(scope->table, box)] > 0;
    }
    if (scope->list == NULL && box->type == RG_BOX_FIELDS) {
        uint16_t index = index_of(scope->table, box);
        size_t at = lower_bound(scope->form, &(struct value){.box = index});
        return at < scope->form->count && scope->form->value[at].box == index;
    }
    return scope_text(scope, box)[0] != '\0';
}

/* "box=CODE,CODE": is one of them there? */
static bool holds(const struct scope *scope, const char *when)
{
    const char *equal = strchr(when, '=');
    RG_ASSERT(equal != NULL);
    for (size_t i = 0; i < scope->table->count; i++) {
        const struct rg_box *box = &scope->table->box[i];
        if (strlen(box->name) != (size_t)(equal - when) ||
            memcmp(box->name, when, (size_t)(equal - when)) != 0) {
            continue;
        }
        const char *text = scope_text(scope, box);
        size_t len = strlen(text);
        for (const char *at = equal; len > 0 && at != NULL; at = strchr(at + 1, ',')) {
            if (strncmp(at + 1, text, len) == 0 && (at[1 + len] == ',' || at[1 + len] == '\0')) {
                return true;
            }
        }
        return false;
    }
    return false;
}

static bool is_wanted(const struct rg_box *box, unsigned classes)
{
    if (box->class_ == 0) { /* of no class by itself: some section has it */
        return (classes & (classes - 1)) != 0;
    }
    return (classes & RG_CLASS_BIT(box->class_)) != 0;
}

static rg_outcome scope_check(const struct scope *scope, unsigned classes, struct rg_reason *why)
{
    for (size_t i = 0; i < scope->table->count; i++) {
        const struct rg_box *box = &scope->table->box[i];
        if ((scope->list == NULL && !is_wanted(box, classes)) || scope_has(scope, box)) {
            continue;
        }
        RG_CHECK(!box->required, why, RG_MALFORMED, "form-required", "%s%s%s: required",
                 scope->list == NULL ? "" : scope->list->name, scope->list == NULL ? "" : ".",
                 box->name);
        RG_CHECK(box->when == NULL || !holds(scope, box->when), why, RG_MALFORMED, "form-required",
                 "%s%s%s: required when %s", scope->list == NULL ? "" : scope->list->name,
                 scope->list == NULL ? "" : ".", box->name, box->when);
    }
    return rg_ok();
}

static rg_outcome rows_check(const struct rg_form *form, struct rg_reason *why)
{
    for (size_t i = 0; i < form->table->count; i++) {
        const struct rg_box *list = &form->table->box[i];
        for (size_t row = 0; list->type == RG_BOX_ROWS && row < form->rows[i]; row++) {
            struct scope scope = {form, list->rows, list, row};
            RG_TRY(scope_check(&scope, 0, why));
        }
    }
    return rg_ok();
}

rg_outcome rg_form_check(const struct rg_form *form, unsigned classes, struct rg_reason *why)
{
    RG_TRY(rows_check(form, why));
    for (size_t i = 0; i < form->count; i++) {
        enum rg_class class_ = class_of(form, &form->value[i]);
        const char *name = form->table->box[form->value[i].box].name;
        RG_CHECK(class_ != 0 && (classes & RG_CLASS_BIT(class_)) != 0, why, RG_MALFORMED,
                 "form-class", "%s belongs in the %s section", name, rg_class_name(class_));
    }
    struct scope scope = {.form = form, .table = form->table};
    return scope_check(&scope, classes, why);
}

/* ---- parts ---- */

static rg_outcome row_follow(struct rg_form *form, uint16_t box, bool fresh, struct rg_reason *why)
{
    const struct rg_box *list = &form->table->box[box];
    if (!fresh) {
        return rg_ok();
    }
    RG_CHECK(form->rows[box] < rows_max(list), why, RG_LIMIT, "form-limit", "%s: at most %u rows",
             list->name, rows_max(list));
    form->rows[box]++;
    return rg_ok();
}

/* Takes over the values of `from` that are of `classes`; rows come behind those that are here. */
static rg_outcome values_take(struct rg_form *form, const struct rg_form *from, unsigned classes,
                              struct rg_reason *why)
{
    const struct value *before = NULL; /* the row taken last */
    for (size_t i = 0; i < from->count; i++) {
        const struct value *value = &from->value[i];
        struct value place = {.box = value->box, .row = value->row, .cell = value->cell};
        enum rg_class class_ = class_of(from, value);
        if (class_ == 0 || (classes & RG_CLASS_BIT(class_)) == 0) {
            continue;
        }
        if (from->table->box[value->box].type == RG_BOX_ROWS) {
            bool fresh = before == NULL || before->box != value->box || before->row != value->row;
            RG_TRY(row_follow(form, value->box, fresh, why));
            before = value;
            place.row = (uint16_t)(form->rows[value->box] - 1);
        }
        RG_TRY(put(form, place, rg_bytes_of_text(value->text), why));
    }
    return rg_ok();
}

rg_outcome rg_form_part(const struct rg_form *form, enum rg_class class_, struct rg_form **part_out,
                        struct rg_reason *why)
{
    struct rg_form *part = NULL;
    RG_TRY(rg_form_new(form->table, &part, why));
    rg_outcome outcome = values_take(part, form, RG_CLASS_BIT(class_), why);
    if (!rg_is_ok(outcome)) {
        rg_form_free(part);
        return outcome;
    }
    *part_out = part;
    return rg_ok();
}

rg_outcome rg_form_merge(struct rg_form *form, const struct rg_form *part, struct rg_reason *why)
{
    RG_ASSERT(form->table == part->table);
    return values_take(form, part, ALL_CLASSES, why);
}

size_t rg_form_value_count(const struct rg_form *form)
{
    return form->count;
}

struct rg_form_value rg_form_value_at(const struct rg_form *form, size_t index)
{
    RG_ASSERT(index < form->count);
    const struct value *value = &form->value[index];
    const struct rg_box *box = &form->table->box[value->box];
    struct rg_form_value out = {.box = box,
                                .label = box->name,
                                .row = value->row,
                                .class_ = class_of(form, value),
                                .text = value->text};
    if (box->type == RG_BOX_ROWS) {
        out.cell = &box->rows->box[value->cell];
        out.label = out.cell->name;
    }
    if (box->type == RG_BOX_FIELDS) {
        out.label = rg_field_row((enum rg_field)value->cell)->name;
    }
    return out;
}

/* ---- in one block ---- */

static size_t aligned(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t rg_form_packed_bytes(const struct rg_form *form)
{
    size_t bytes = aligned(sizeof(*form)) + aligned(form->count * sizeof(*form->value)) +
                   aligned(form->table->count * sizeof(*form->rows));
    for (size_t i = 0; i < form->count; i++) {
        bytes += strlen(form->value[i].text) + 1;
    }
    return bytes;
}

/* Memory of an empty buffer is as malloc gave it, so aligned for anything. */
rg_outcome rg_form_pack(const struct rg_form *form, struct rg_buffer *memory,
                        const struct rg_form **form_out, struct rg_reason *why)
{
    RG_ASSERT(memory->len == 0);
    size_t bytes = rg_form_packed_bytes(form);
    RG_TRY(rg_buffer_reserve(memory, bytes, why));
    memset(memory->data, 0, bytes);
    struct rg_form *packed = (struct rg_form *)(void *)memory->data;
    uint8_t *at = memory->data + aligned(sizeof(*form));
    *packed = (struct rg_form){.table = form->table, .count = form->count};
    packed->value = (struct value *)(void *)at;
    at += aligned(form->count * sizeof(*form->value));
    packed->rows = (uint16_t *)(void *)at;
    memcpy(packed->rows, form->rows, form->table->count * sizeof(*form->rows));
    at += aligned(form->table->count * sizeof(*form->rows));
    for (size_t i = 0; i < form->count; i++) {
        size_t len = strlen(form->value[i].text) + 1;
        packed->value[i] = form->value[i];
        packed->value[i].text = (char *)at;
        memcpy(at, form->value[i].text, len);
        at += len;
    }
    memory->len = bytes;
    *form_out = packed;
    return rg_ok();
}
