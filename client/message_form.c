/*
 * How it works: a table of boxes is turned into a codec shape when it is needed: one slot per box,
 * each with a cell in a block that is laid out at the same time, so there is no state to guard. Row
 * lists and the dictionary fields are arrays in that block. Encoding puts the form's texts into
 * cells, decoding sets the cells' texts in a new form, which checks them as it checks any text; a
 * text that comes out other than it came in was not in its normal form and is refused. So what is
 * accepted has one encoding. The block is wiped: it holds numbers of persons and dates.
 */
#include "client/message_inside.h"

#include "client/form_tables.h"
#include "core/codec.h"
#include "core/settings.h"

#include "referral.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTS_MAX 2 /* ROWS in one table */
#define FORM_TEXT_BYTES 64

struct cell {
    struct rg_bytes text;
    uint64_t number;
    bool yes, has;
};
struct field_cell {
    uint32_t number;
    struct rg_bytes value;
};

struct form_shape {
    struct rg_shape shape;
    struct rg_slot slot[RG_FORM_BOXES_MAX];
    struct rg_shape row_shape[LISTS_MAX];
    struct rg_slot row_slot[LISTS_MAX][RG_FORM_COLUMNS_MAX];
    size_t row_lists;
    size_t bytes; /* of the block */
};

static const struct rg_slot field_slot[] = {
    RG_SLOT_NUMBER(1, struct field_cell, number, 1, UINT16_MAX),
    RG_SLOT_VIEW(2, struct field_cell, value, 1, RG_FIELD_BYTES_MAX, NULL),
};
static const struct rg_shape field_shape =
    RG_SHAPE(referral__content__field__descriptor, field_slot);

static const struct {
    const struct rg_form_table *table;
    const ProtobufCMessageDescriptor *descriptor;
} forms[] = {
#define X(kind, number, name) {&rg_form_##name, &referral__content__##name##__descriptor},
    RG_FORM_KINDS(X)
#undef X
};
#define FORMS (sizeof(forms) / sizeof(forms[0]))

static const ProtobufCMessageDescriptor *descriptor_of(const struct rg_form_table *table)
{
    for (size_t i = 0; i < FORMS; i++) {
        if (forms[i].table == table) {
            return forms[i].descriptor;
        }
    }
    return NULL;
}

/* ---- shapes ---- */

static uint32_t codes_count(const struct rg_box *box)
{
    uint32_t count = 0;
    for (const char *const *code = rg_box_codes(box); *code != NULL; code++) {
        count++;
    }
    return count;
}

static void slot_number(struct rg_slot *slot, size_t at, uint64_t min, uint64_t max)
{
    slot->form = RG_FORM_NUMBER;
    slot->offset = (uint32_t)(at + offsetof(struct cell, number));
    slot->size = sizeof(uint64_t);
    slot->min = min;
    slot->max = max;
}

static void slot_view(struct rg_slot *slot, size_t at, size_t min, size_t max)
{
    slot->form = RG_FORM_VIEW;
    slot->offset = (uint32_t)(at + offsetof(struct cell, text));
    slot->size = sizeof(struct rg_bytes);
    slot->min = min;
    slot->max = max;
}

static size_t one_bytes_max(const struct rg_box *box)
{
    struct rg_box one = *box;
    one.many = false;
    return rg_box_bytes_max(&one);
}

/* A slot for a single value whose cell is at `at`. */
static void slot_single(const struct rg_box *box, size_t at, struct rg_slot *slot)
{
    *slot = (struct rg_slot){.number = box->number,
                             .flag = (uint32_t)(at + offsetof(struct cell, has))};
    switch (box->type) {
    case RG_BOX_CODE:
        slot_number(slot, at, 1, codes_count(box));
        return;
    case RG_BOX_CODES:
        slot_number(slot, at, 1, (UINT64_C(1) << codes_count(box)) - 1);
        return;
    case RG_BOX_DATE:
    case RG_BOX_PARTIAL:
        slot_number(slot, at, 19000000, 21001231);
        return;
    case RG_BOX_MONTH:
        slot_number(slot, at, 190001, 210012);
        return;
    case RG_BOX_TIME:
        slot_number(slot, at, 0, RG_WALL_MS_MAX);
        return;
    case RG_BOX_NUMBER:
        slot_number(slot, at, 0, rg_box_number_max(box));
        return;
    case RG_BOX_BOOL:
        slot->form = RG_FORM_NUMBER;
        slot->offset = (uint32_t)(at + offsetof(struct cell, yes));
        slot->size = sizeof(bool);
        slot->max = 1;
        return;
    case RG_BOX_ID:
        slot_view(slot, at, 32, 32);
        return;
    case RG_BOX_CASE:
        slot_view(slot, at, 16, 16);
        return;
    case RG_BOX_LINE:
    case RG_BOX_WORDS:
    case RG_BOX_NAME:
    case RG_BOX_AMOUNT:
    case RG_BOX_CURRENCY:
    case RG_BOX_COUNTRY:
    case RG_BOX_OFFICE:
    case RG_BOX_PRINCIPAL:
    case RG_BOX_LANGUAGE:
    case RG_BOX_POINT:
    case RG_BOX_REFERENCE:
    case RG_BOX_FIELD:
    case RG_BOX_VALUE:
    case RG_BOX_FIELDS:
    case RG_BOX_ROWS:
        break;
    }
    slot_view(slot, at, 1, one_bytes_max(box));
}

/* A list in the block: a size_t count, then the elements. */
static size_t slot_list(struct rg_slot *slot, size_t at, size_t size, uint32_t count_max)
{
    slot->flag = (uint32_t)at;
    slot->offset = (uint32_t)(at + sizeof(size_t));
    slot->size = (uint32_t)size;
    slot->count_max = count_max;
    return sizeof(size_t) + size * count_max;
}

static uint32_t rows_max(const struct rg_box *box)
{
    return box->max == 0 ? RG_FORM_ROWS_MAX : box->max;
}

static size_t slot_rows(struct form_shape *to, const struct rg_box *box, size_t at,
                        const ProtobufCFieldDescriptor *field)
{
    RG_ASSERT(to->row_lists < LISTS_MAX && box->rows->count <= RG_FORM_COLUMNS_MAX);
    struct rg_slot *slot = &to->slot[to->shape.slot_count];
    struct rg_shape *row = &to->row_shape[to->row_lists];
    struct rg_slot *row_slot = to->row_slot[to->row_lists++];
    for (size_t i = 0; i < box->rows->count; i++) {
        slot_single(&box->rows->box[i], i * sizeof(struct cell), &row_slot[i]);
    }
    *row = (struct rg_shape){
        .descriptor = field->descriptor, .slot = row_slot, .slot_count = box->rows->count};
    slot->form = RG_FORM_MESSAGE;
    slot->max = RG_CONTENT_BYTES_MAX;
    slot->shape = row;
    return slot_list(slot, at, box->rows->count * sizeof(struct cell), rows_max(box));
}

/* Returns the bytes that the box takes in the block. */
static size_t slot_add(struct form_shape *to, const struct rg_box *box, size_t at,
                       const ProtobufCFieldDescriptor *field)
{
    struct rg_slot *slot = &to->slot[to->shape.slot_count];
    slot_single(box, at, slot);
    if (box->type == RG_BOX_ROWS) {
        return slot_rows(to, box, at, field);
    }
    if (box->type == RG_BOX_FIELDS) {
        slot->form = RG_FORM_MESSAGE;
        slot->min = 0;
        slot->max = RG_FIELD_BYTES_MAX + 16;
        slot->shape = &field_shape;
        return slot_list(slot, at, sizeof(struct field_cell), RG_FIELD_COUNT);
    }
    if (box->many) {
        return slot_list(slot, at, sizeof(struct rg_bytes), RG_FORM_MANY_MAX);
    }
    return sizeof(struct cell);
}

static void shape_make(const struct rg_form_table *table,
                       const ProtobufCMessageDescriptor *descriptor, struct form_shape *to)
{
    memset(to, 0, sizeof(*to));
    to->shape = (struct rg_shape){.descriptor = descriptor, .slot = to->slot};
    RG_ASSERT(descriptor->n_fields == table->count);
    for (size_t i = 0; i < table->count; i++) {
        to->bytes += slot_add(to, &table->box[i], to->bytes, &descriptor->fields[i]);
        to->shape.slot_count++;
    }
}

/* Zeroed; the buffer is secret, so it is wiped when it is dropped. */
static rg_outcome block_new(const struct form_shape *shape, struct rg_buffer *block,
                            struct rg_reason *why)
{
    size_t bytes = shape->bytes + sizeof(struct cell);
    RG_TRY(rg_buffer_reserve(block, bytes, why));
    memset(block->data, 0, bytes);
    block->len = bytes;
    return rg_ok();
}

static size_t list_count(const struct rg_buffer *block, const struct rg_slot *slot)
{
    size_t count;
    memcpy(&count, block->data + slot->flag, sizeof(count));
    return count;
}

/* ---- texts to cells ---- */

static uint8_t hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* In place of the cell's text: the bytes fit where their digits were. */
static struct rg_bytes hex_bytes(const char *text, uint8_t to[32])
{
    size_t len = strlen(text) / 2;
    RG_ASSERT(len <= 32);
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return rg_bytes_of(to, len);
}

static uint64_t date_number(enum rg_box_type type, const char *text)
{
    struct rg_date date = {0};
    RG_ASSERT(rg_date_parse(rg_bytes_of_text(text), &date));
    uint64_t month = (uint64_t)date.year * 100 + (uint64_t)date.month;
    return type == RG_BOX_MONTH ? month : month * 100 + (uint64_t)date.day;
}

static uint64_t number_of(const struct rg_box *box, const char *text)
{
    struct rg_wall wall = {0};
    switch ((int)box->type) {
    case RG_BOX_CODE:
        return rg_box_code_find(box, rg_bytes_of_text(text));
    case RG_BOX_CODES:
        return rg_box_codes_set(box, text);
    case RG_BOX_TIME:
        RG_ASSERT(rg_is_ok(rg_wall_parse(text, &wall, NULL)));
        return (uint64_t)wall.ms;
    case RG_BOX_NUMBER:
        return strtoul(text, NULL, 10);
    default:
        return date_number(box->type, text);
    }
}

static bool is_number(enum rg_box_type type)
{
    return type == RG_BOX_CODE || type == RG_BOX_CODES || type == RG_BOX_DATE ||
           type == RG_BOX_PARTIAL || type == RG_BOX_MONTH || type == RG_BOX_TIME ||
           type == RG_BOX_NUMBER;
}

static bool is_hex(enum rg_box_type type)
{
    return type == RG_BOX_ID || type == RG_BOX_CASE;
}

/* `hex` grows by what the ids of this form need; it was reserved for all of them. */
static rg_outcome cell_fill(const struct rg_box *box, const char *text, struct rg_buffer *hex,
                            struct cell *cell, struct rg_reason *why)
{
    cell->has = true;
    cell->text = rg_bytes_of_text(text);
    if (box->type == RG_BOX_BOOL) {
        cell->yes = text[0] == 't';
    } else if (is_number(box->type)) {
        cell->number = number_of(box, text);
    } else if (is_hex(box->type)) {
        uint8_t bytes[32];
        struct rg_bytes raw = hex_bytes(text, bytes);
        RG_ASSERT(raw.len <= hex->capacity - hex->len);
        size_t at = hex->len;
        RG_TRY(rg_buffer_append(hex, raw, why));
        cell->text = rg_bytes_of(hex->data + at, raw.len);
    }
    return rg_ok();
}

static void many_fill(struct rg_buffer *block, const struct rg_slot *slot, const char *text)
{
    size_t count = 0;
    for (const char *at = text; at != NULL && count < slot->count_max; count++) {
        const char *end = strchr(at, ';');
        struct rg_bytes part = rg_bytes_of(at, end == NULL ? strlen(at) : (size_t)(end - at));
        memcpy(block->data + slot->offset + count * slot->size, &part, sizeof(part));
        at = end == NULL ? NULL : end + 1;
    }
    memcpy(block->data + slot->flag, &count, sizeof(count));
}

static void field_fill(struct rg_buffer *block, const struct rg_slot *slot,
                       const struct rg_form_value *value)
{
    enum rg_field field;
    RG_ASSERT(rg_field_find(rg_bytes_of_text(value->label), &field));
    struct field_cell cell = {rg_field_row(field)->number, rg_bytes_of_text(value->text)};
    size_t count = list_count(block, slot);
    memcpy(block->data + slot->offset + count * slot->size, &cell, sizeof(cell));
    count++;
    memcpy(block->data + slot->flag, &count, sizeof(count));
}

static rg_outcome value_fill(const struct rg_form_table *table, const struct form_shape *shape,
                             const struct rg_form_value *value, struct rg_buffer *hex,
                             struct rg_buffer *block, struct rg_reason *why)
{
    const struct rg_slot *slot = &shape->slot[value->box - table->box];
    struct cell cell = {0};
    if (value->box->type == RG_BOX_FIELDS) {
        field_fill(block, slot, value);
        return rg_ok();
    }
    if (value->box->many) {
        many_fill(block, slot, value->text);
        return rg_ok();
    }
    const struct rg_box *box = value->cell == NULL ? value->box : value->cell;
    RG_TRY(cell_fill(box, value->text, hex, &cell, why));
    size_t at = slot->flag - offsetof(struct cell, has);
    if (value->cell != NULL) {
        size_t count = value->row + 1;
        at = slot->offset + value->row * slot->size +
             (size_t)(value->cell - value->box->rows->box) * sizeof(cell);
        memcpy(block->data + slot->flag, &count, sizeof(count));
    }
    memcpy(block->data + at, &cell, sizeof(cell));
    return rg_ok();
}

rg_outcome rg_message_form_encode(const struct rg_form *form, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    const struct rg_form_table *table = rg_form_table_of(form);
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(table);
    RG_CHECK(descriptor != NULL, why, RG_MALFORMED, "content-body", "%s is not a form",
             table->name);
    struct form_shape shape;
    shape_make(table, descriptor, &shape);
    RG_OWNED_BUFFER hex = {.secret = true};
    size_t count = rg_form_value_count(form);
    RG_TRY(rg_buffer_reserve(&hex, count * 32 + 1, why));
    RG_OWNED_BUFFER block = {.secret = true};
    RG_TRY(block_new(&shape, &block, why));
    for (size_t i = 0; i < count; i++) {
        struct rg_form_value value = rg_form_value_at(form, i);
        RG_TRY(value_fill(table, &shape, &value, &hex, &block, why));
    }
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_encode(&shape.shape, block.data, out, &inner);
    return rg_is_ok(outcome) ? outcome : rg_content_failed(outcome, &inner, why);
}

/* ---- cells to texts ---- */

static rg_outcome not_normal(const char *name, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "content-field", "%s: not in its normal form", name);
}

static size_t date_print(enum rg_box_type type, uint64_t number, char out[FORM_TEXT_BYTES])
{
    unsigned whole = (unsigned)(type == RG_BOX_MONTH ? number * 100 : number);
    unsigned year = whole / 10000;
    unsigned month = whole / 100 % 100;
    unsigned day = whole % 100;
    if (type == RG_BOX_MONTH || day == 0) {
        bool year_only = month == 0 && type == RG_BOX_PARTIAL;
        return (size_t)(year_only ? snprintf(out, FORM_TEXT_BYTES, "%04u", year)
                                  : snprintf(out, FORM_TEXT_BYTES, "%04u-%02u", year, month));
    }
    return (size_t)snprintf(out, FORM_TEXT_BYTES, "%04u-%02u-%02u", year, month, day);
}

static rg_outcome codes_print(const struct rg_box *box, uint64_t set, struct rg_buffer *out,
                              struct rg_reason *why)
{
    const char *const *codes = rg_box_codes(box);
    for (uint32_t i = 0; codes[i] != NULL; i++) {
        if ((set >> i & 1u) != 0) {
            RG_TRY(rg_buffer_append_text(out, out->len == 0 ? "" : ";", why));
            RG_TRY(rg_buffer_append_text(out, codes[i], why));
        }
    }
    return rg_ok();
}

static rg_outcome hex_print(struct rg_bytes bytes, struct rg_buffer *out, struct rg_reason *why)
{
    for (size_t i = 0; i < bytes.len; i++) {
        RG_TRY(rg_buffer_print(out, why, "%02x", bytes.data[i]));
    }
    return rg_ok();
}

/* Replaces what is in `out`. */
static rg_outcome cell_text(const struct rg_box *box, const struct cell *cell,
                            struct rg_buffer *out, struct rg_reason *why)
{
    char text[FORM_TEXT_BYTES] = "";
    rg_buffer_clear(out);
    if (is_hex(box->type)) {
        return hex_print(cell->text, out, why);
    }
    if (box->type == RG_BOX_BOOL) {
        return rg_buffer_append_text(out, cell->yes ? "true" : "false", why);
    }
    if (!is_number(box->type)) {
        return rg_buffer_append(out, cell->text, why);
    }
    switch ((int)box->type) {
    case RG_BOX_CODE:
        return rg_buffer_append_text(out, rg_box_codes(box)[cell->number - 1], why);
    case RG_BOX_CODES:
        return codes_print(box, cell->number, out, why);
    case RG_BOX_NUMBER:
        return rg_buffer_print(out, why, "%u", (unsigned)cell->number);
    case RG_BOX_TIME:
        if (cell->number % 1000 != 0) {
            return not_normal(box->name, why);
        }
        rg_wall_print((struct rg_wall){.ms = (int64_t)cell->number}, text);
        break;
    default:
        (void)date_print(box->type, cell->number, text);
        break;
    }
    return rg_buffer_append_text(out, text, why);
}

static rg_outcome form_failed(rg_outcome outcome, const struct rg_reason *inner,
                              struct rg_reason *why)
{
    return rg_is_ok(outcome) ? outcome : rg_content_failed(outcome, inner, why);
}

static rg_outcome same(const char *kept, struct rg_bytes given, const char *name,
                       struct rg_reason *why)
{
    bool is = rg_bytes_equal(rg_bytes_of_text(kept), given);
    return is ? rg_ok() : not_normal(name, why);
}

static rg_outcome many_take(const struct rg_buffer *block, const struct rg_slot *slot,
                            const struct rg_box *box, struct rg_form *form, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {.secret = true};
    struct rg_reason inner = {0};
    size_t count = list_count(block, slot);
    for (size_t i = 0; i < count; i++) {
        struct rg_bytes part;
        memcpy(&part, block->data + slot->offset + i * slot->size, sizeof(part));
        RG_TRY(rg_buffer_append_text(&text, i == 0 ? "" : ";", why));
        RG_TRY(rg_buffer_append(&text, part, why));
    }
    RG_TRY(form_failed(rg_form_set(form, box->name, rg_buffer_peek(&text), &inner), &inner, why));
    return same(rg_form_get(form, box->name), rg_buffer_peek(&text), box->name, why);
}

static rg_outcome fields_take(const struct rg_buffer *block, const struct rg_slot *slot,
                              struct rg_form *form, struct rg_reason *why)
{
    size_t count = list_count(block, slot);
    struct rg_reason inner = {0};
    uint32_t before = 0;
    for (size_t i = 0; i < count; i++) {
        struct field_cell cell;
        enum rg_field field;
        memcpy(&cell, block->data + slot->offset + i * slot->size, sizeof(cell));
        RG_CHECK(rg_field_of_number(cell.number, &field), why, RG_MALFORMED, "content-field",
                 "a field that the dictionary does not know");
        const char *name = rg_field_row(field)->name;
        RG_CHECK(cell.number > before, why, RG_MALFORMED, "content-field",
                 "%s: fields are not in number order", name);
        before = cell.number;
        RG_TRY(form_failed(rg_form_field_set(form, field, cell.value, &inner), &inner, why));
        RG_TRY(same(rg_form_field_get(form, field), cell.value, name, why));
    }
    return rg_ok();
}

static rg_outcome row_take(const struct rg_buffer *block, size_t at, const struct rg_box *list,
                           struct rg_form *form, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {.secret = true};
    struct rg_reason inner = {0};
    size_t row = 0;
    RG_TRY(form_failed(rg_form_row_add(form, list->name, &row, &inner), &inner, why));
    for (size_t i = 0; i < list->rows->count; i++) {
        const struct rg_box *box = &list->rows->box[i];
        struct cell cell;
        memcpy(&cell, block->data + at + i * sizeof(cell), sizeof(cell));
        if (!cell.has) {
            continue;
        }
        RG_TRY(cell_text(box, &cell, &text, why));
        RG_TRY(form_failed(
            rg_form_row_set(form, list->name, row, box->name, rg_buffer_peek(&text), &inner),
            &inner, why));
        RG_TRY(same(rg_form_row_get(form, list->name, row, box->name), rg_buffer_peek(&text),
                    box->name, why));
    }
    return rg_ok();
}

static rg_outcome rows_take(const struct rg_buffer *block, const struct rg_slot *slot,
                            const struct rg_box *box, struct rg_form *form, struct rg_reason *why)
{
    size_t count = list_count(block, slot);
    for (size_t i = 0; i < count; i++) {
        RG_TRY(row_take(block, slot->offset + i * slot->size, box, form, why));
    }
    return rg_ok();
}

static rg_outcome box_take(const struct rg_buffer *block, const struct rg_slot *slot,
                           const struct rg_box *box, struct rg_form *form, struct rg_reason *why)
{
    if (box->type == RG_BOX_ROWS) {
        return rows_take(block, slot, box, form, why);
    }
    if (box->type == RG_BOX_FIELDS) {
        return fields_take(block, slot, form, why);
    }
    if (box->many) {
        return many_take(block, slot, box, form, why);
    }
    struct cell cell;
    memcpy(&cell, block->data + slot->flag - offsetof(struct cell, has), sizeof(cell));
    if (!cell.has) {
        return rg_ok();
    }
    RG_OWNED_BUFFER text = {.secret = true};
    struct rg_reason inner = {0};
    RG_TRY(cell_text(box, &cell, &text, why));
    RG_TRY(form_failed(rg_form_set(form, box->name, rg_buffer_peek(&text), &inner), &inner, why));
    return same(rg_form_get(form, box->name), rg_buffer_peek(&text), box->name, why);
}

rg_outcome rg_message_form_decode(const struct rg_form_table *table, struct rg_bytes bytes,
                                  struct rg_form **form_out, struct rg_reason *why)
{
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(table);
    RG_CHECK(descriptor != NULL, why, RG_MALFORMED, "content-body", "%s is not a form",
             table->name);
    struct form_shape shape;
    shape_make(table, descriptor, &shape);
    RG_OWNED_BUFFER block = {.secret = true};
    RG_TRY(block_new(&shape, &block, why));
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_decode(&shape.shape, bytes, block.data, NULL, &inner);
    RG_TRY(form_failed(outcome, &inner, why));
    RG_OWNED_FORM form = NULL;
    RG_TRY(rg_form_new(table, &form, why));
    for (size_t i = 0; i < table->count; i++) {
        RG_TRY(box_take(&block, &shape.slot[i], &table->box[i], form, why));
    }
    *form_out = form;
    form = NULL;
    return rg_ok();
}

/* ---- the tables and the .proto ---- */

static rg_outcome codes_fit(const struct rg_box *box, const ProtobufCFieldDescriptor *field,
                            struct rg_reason *why)
{
    const ProtobufCEnumDescriptor *list = field->descriptor;
    RG_CHECK(list->n_values == codes_count(box), why, RG_BROKEN, "shape", "%s: codes", box->name);
    for (unsigned i = 0; i < list->n_values; i++) {
        RG_CHECK(list->values[i].value == (int)i + 1 &&
                     strcmp(list->values[i].name, rg_box_codes(box)[i]) == 0,
                 why, RG_BROKEN, "shape", "%s: code %u", box->name, i + 1);
    }
    return rg_ok();
}

/* Names and code lists; numbers and types are the codec's to compare. */
static rg_outcome names_fit(const struct rg_form_table *table,
                            const ProtobufCMessageDescriptor *descriptor, struct rg_reason *why)
{
    RG_CHECK(strcmp(table->name, descriptor->short_name) == 0, why, RG_BROKEN, "shape", "%s: name",
             table->name);
    RG_CHECK(table->count == descriptor->n_fields, why, RG_BROKEN, "shape", "%s: count",
             table->name);
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_box *box = &table->box[i];
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        RG_CHECK(box->number == field->id && strcmp(box->name, field->name) == 0, why, RG_BROKEN,
                 "shape", "%s.%s: number or name", table->name, box->name);
        if (field->type == PROTOBUF_C_TYPE_ENUM) {
            RG_TRY(codes_fit(box, field, why));
        }
        RG_CHECK(box->type != RG_BOX_CODE || box->codes == NULL ||
                     field->type == PROTOBUF_C_TYPE_ENUM,
                 why, RG_BROKEN, "shape", "%s.%s: has no enum", table->name, box->name);
    }
    return rg_ok();
}

static rg_outcome rows_fit(const struct rg_form_table *table,
                           const ProtobufCMessageDescriptor *descriptor, struct rg_reason *why)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->box[i].type == RG_BOX_ROWS) {
            RG_TRY(names_fit(table->box[i].rows, descriptor->fields[i].descriptor, why));
        }
    }
    return rg_ok();
}

rg_outcome rg_message_form_shapes_check(struct rg_reason *why)
{
    for (size_t i = 0; i < FORMS; i++) {
        struct form_shape shape;
        RG_TRY(names_fit(forms[i].table, forms[i].descriptor, why));
        RG_TRY(rows_fit(forms[i].table, forms[i].descriptor, why));
        shape_make(forms[i].table, forms[i].descriptor, &shape);
        RG_TRY(rg_codec_shape_check(&shape.shape, why));
        for (size_t k = 0; k < shape.row_lists; k++) {
            RG_TRY(rg_codec_shape_check(&shape.row_shape[k], why));
        }
    }
    return rg_ok();
}
