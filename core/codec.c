/*
 * How it works: one function, `message_walk`, both checks and fills. It runs twice: the first time
 * without a place to write to, when every bound is checked and the memory needed for lists is
 * summed up; the second time it fills the struct, and lists take their elements from the arena in
 * order. Invariants: nothing is written before the whole input has passed; the second walk takes
 * exactly the memory the first one counted (asserted); a list's elements are neighbours, because
 * elements of lists in memory hold no such lists themselves. Since order, presence, varint length
 * and absence have one lawful form each, every accepted message has one encoding.
 */
#include "core/codec.h"

#include "core/limits.h"

#include <string.h>

#define ARENA_ALIGN 16

enum { WIRE_VARINT = 0, WIRE_BYTES = 2 };

struct walk {
    struct rg_reason *why;
    uint8_t *arena; /* NULL while measuring */
    size_t used;    /* bytes of lists so far */
};

struct cursor {
    const uint8_t *at, *end;
};

struct place { /* where in a message the walk is */
    const struct rg_shape *shape;
    uint8_t *out;                  /* NULL while measuring */
    size_t slot;                   /* index of the present slot */
    uint32_t seen;                 /* times its field was seen */
    uint32_t fields;               /* different fields seen in all */
    const struct rg_slot *missing; /* the first one that should have been seen */
};

static const char *name_of(const struct place *place)
{
    return place->shape->descriptor->fields[place->slot].name;
}

#define FIELD_CHECK(condition, place, walk, code, id, says)                                        \
    RG_CHECK(condition, (walk)->why, code, id, "%s.%s: %s",                                        \
             (place)->shape->descriptor->short_name, name_of(place), says)

bool rg_utf8_ok(struct rg_bytes text)
{
    size_t i = 0;
    while (i < text.len) {
        uint8_t lead = text.data[i++];
        if (lead == 0) {
            return false;
        }
        if (lead < 0x80) {
            continue;
        }
        size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || more > text.len - i) {
            return false;
        }
        uint32_t point = lead & (0x3fU >> more);
        for (size_t k = 0; k < more; k++) {
            uint8_t next = text.data[i++];
            if ((next & 0xc0) != 0x80) {
                return false;
            }
            point = point << 6 | (next & 0x3fU);
        }
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
    }
    return true;
}

static rg_outcome varint_read(struct cursor *cursor, uint64_t *out, struct rg_reason *why)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        RG_CHECK(cursor->at < cursor->end, why, RG_MALFORMED, "wire-truncated",
                 "the bytes end inside a number");
        uint8_t byte = *cursor->at++;
        RG_CHECK(shift < 63 || byte <= 1, why, RG_MALFORMED, "wire-varint",
                 "a number has more than 64 bits");
        value |= (uint64_t)(byte & 0x7fU) << shift;
        if (byte < 0x80) {
            RG_CHECK(byte != 0 || shift == 0, why, RG_MALFORMED, "wire-varint",
                     "a number is not in its shortest form");
            *out = value;
            return rg_ok();
        }
    }
    return rg_fail(why, RG_MALFORMED, "wire-varint", "a number has more than 64 bits");
}

static void number_store(uint8_t *to, size_t size, uint64_t value)
{
    uint8_t one = (uint8_t)value;
    uint16_t two = (uint16_t)value;
    uint32_t four = (uint32_t)value;
    const void *from = size == 1   ? (const void *)&one
                       : size == 2 ? (const void *)&two
                       : size == 4 ? (const void *)&four
                                   : (const void *)&value;
    memcpy(to, from, size);
}

static uint64_t number_load(const uint8_t *from, size_t size)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case 1:
        return *from;
    case 2:
        memcpy(&two, from, sizeof(two));
        return two;
    case 4:
        memcpy(&four, from, sizeof(four));
        return four;
    default:
        memcpy(&eight, from, sizeof(eight));
        return eight;
    }
}

static bool is_repeated(const struct place *place)
{
    return place->shape->descriptor->fields[place->slot].label == PROTOBUF_C_LABEL_REPEATED;
}

/* Where the next element goes; NULL while measuring. */
static uint8_t *element_place(struct walk *walk, const struct place *place,
                              const struct rg_slot *slot)
{
    if (!slot->in_memory) {
        size_t nth = is_repeated(place) ? place->seen : 0;
        return place->out == NULL ? NULL : place->out + slot->offset + nth * slot->size;
    }
    if (place->seen == 0) {
        walk->used += (ARENA_ALIGN - walk->used % ARENA_ALIGN) % ARENA_ALIGN;
    }
    uint8_t *element = place->out == NULL ? NULL : walk->arena + walk->used;
    if (place->out != NULL && place->seen == 0) {
        memcpy(place->out + slot->offset, &element, sizeof(element));
    }
    walk->used += slot->size;
    return element;
}

/* Leaves the present slot: counts and absence are written. What is missing is said at the end only,
 * because it may come yet, out of order, which is another fault. */
static void slot_close(struct place *place)
{
    const struct rg_slot *slot = &place->shape->slot[place->slot];
    ProtobufCLabel label = place->shape->descriptor->fields[place->slot].label;
    bool required = label == PROTOBUF_C_LABEL_REQUIRED;
    if ((required && place->seen == 0) || place->seen < slot->count_min) {
        place->missing = place->missing == NULL ? slot : place->missing;
        return;
    }
    uint8_t *out = place->out;
    /* The members of a choice share memory: only the one that is set may be written. */
    if (out == NULL || place->shape->choice) {
        return;
    }
    if (label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = place->seen;
        memcpy(out + slot->flag, &count, sizeof(count));
        if (count == 0 && slot->in_memory) {
            static const void *const none = NULL;
            memcpy(out + slot->offset, &none, sizeof(none));
        }
        return;
    }
    if (label == PROTOBUF_C_LABEL_OPTIONAL && slot->flag != RG_NO_FLAG) {
        number_store(out + slot->flag, sizeof(bool), place->seen > 0);
    }
    if (place->seen == 0) {
        memset(out + slot->offset, 0, slot->size);
    }
}

static rg_outcome unknown(const struct place *place, uint64_t number, struct walk *walk)
{
    for (size_t i = 0; i < place->slot; i++) {
        RG_CHECK(place->shape->slot[i].number != number, walk->why, RG_MALFORMED, "wire-order",
                 "%s: fields are not in number order", place->shape->descriptor->short_name);
    }
    return rg_fail(walk->why, RG_MALFORMED, "wire-unknown-field", "%s has no such field",
                   place->shape->descriptor->short_name);
}

/* Moves to the slot of field `number`, closing those before it. 0: to the end. */
static rg_outcome slot_find(struct walk *walk, struct place *place, uint64_t number)
{
    const struct rg_shape *shape = place->shape;
    while (place->slot < shape->slot_count &&
           (number == 0 || shape->slot[place->slot].number < number)) {
        slot_close(place);
        place->slot++;
        place->seen = 0;
    }
    if (number == 0) {
        return rg_ok();
    }
    if (place->slot == shape->slot_count || shape->slot[place->slot].number != number) {
        return unknown(place, number, walk);
    }
    if (is_repeated(place)) {
        FIELD_CHECK(place->seen < shape->slot[place->slot].count_max, place, walk, RG_LIMIT,
                    "wire-count-limit", "too many of them");
        return rg_ok();
    }
    FIELD_CHECK(place->seen == 0, place, walk, RG_MALFORMED, "wire-duplicate", "given twice");
    return rg_ok();
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the shapes, whatever the bytes say */
static rg_outcome message_walk(struct walk *walk, const struct rg_shape *shape,
                               struct rg_bytes bytes, uint8_t *out);

static rg_outcome text_check(const struct walk *walk, const struct place *place,
                             const struct rg_slot *slot, struct rg_bytes value)
{
    FIELD_CHECK(rg_utf8_ok(value), place, walk, RG_MALFORMED, "wire-text",
                "not UTF-8, or holds a NUL");
    FIELD_CHECK(slot->syntax == NULL || slot->syntax(value), place, walk, RG_MALFORMED,
                "wire-syntax", "not in the form this field has");
    return rg_ok();
}

static rg_outcome bytes_check(const struct walk *walk, const struct place *place,
                              const struct rg_slot *slot, uint64_t len)
{
    FIELD_CHECK(len >= slot->min, place, walk, RG_MALFORMED, "wire-length", "too short");
    FIELD_CHECK(len <= slot->max || slot->form != RG_FORM_FIXED, place, walk, RG_MALFORMED,
                "wire-length", "too long");
    FIELD_CHECK(len <= slot->max, place, walk, RG_LIMIT, "wire-length-limit",
                "longer than the limit");
    return rg_ok();
}

static bool is_zero(const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (from[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Where zero means absent, a zero that is present would be a second encoding. */
static rg_outcome fixed_check(const struct walk *walk, const struct place *place,
                              const struct rg_slot *slot, struct rg_bytes value)
{
    ProtobufCLabel label = place->shape->descriptor->fields[place->slot].label;
    bool by_zero = label == PROTOBUF_C_LABEL_OPTIONAL && slot->flag == RG_NO_FLAG;
    FIELD_CHECK(!by_zero || !is_zero(value.data, value.len), place, walk, RG_MALFORMED,
                "wire-value", "all zero, and present");
    return rg_ok();
}

static rg_outcome bytes_read(struct walk *walk, const struct place *place,
                             const struct rg_slot *slot, struct rg_bytes value)
{
    uint8_t *to = element_place(walk, place, slot);
    switch (slot->form) {
    case RG_FORM_MESSAGE:
        return message_walk(walk, slot->shape, value, to);
    case RG_FORM_VIEW:
        /* What is only looked at takes no memory, so a walk of its own will do, and once. */
        if (slot->shape != NULL && to == NULL) {
            RG_TRY(rg_codec_check(slot->shape, value, walk->why));
        }
        if (place->shape->descriptor->fields[place->slot].type == PROTOBUF_C_TYPE_STRING) {
            RG_TRY(text_check(walk, place, slot, value));
        }
        break;
    case RG_FORM_TEXT:
        RG_TRY(text_check(walk, place, slot, value));
        break;
    case RG_FORM_FIXED:
        RG_TRY(fixed_check(walk, place, slot, value));
        break;
    case RG_FORM_CONSTANT:
    case RG_FORM_NUMBER:
        break;
    }
    if (to == NULL) {
        return rg_ok();
    }
    if (slot->form == RG_FORM_VIEW) {
        memcpy(to, &value, sizeof(value));
        return rg_ok();
    }
    if (value.len > 0) {
        memcpy(to, value.data, value.len);
    }
    if (slot->form == RG_FORM_TEXT) {
        memset(to + value.len, 0, slot->size - value.len);
    }
    return rg_ok();
}

static rg_outcome field_read(struct walk *walk, const struct place *place, struct cursor *cursor,
                             uint64_t wire_type)
{
    const struct rg_slot *slot = &place->shape->slot[place->slot];
    bool number = slot->form == RG_FORM_NUMBER || slot->form == RG_FORM_CONSTANT;
    FIELD_CHECK(wire_type == (number ? WIRE_VARINT : WIRE_BYTES), place, walk, RG_MALFORMED,
                "wire-type", "wrong wire type");
    uint64_t value = 0;
    RG_TRY(varint_read(cursor, &value, walk->why));
    if (number) {
        FIELD_CHECK(value >= slot->min && value <= slot->max, place, walk, RG_MALFORMED,
                    "wire-value", "value out of its range");
        if (place->out != NULL && slot->form == RG_FORM_NUMBER) {
            number_store(element_place(walk, place, slot), slot->size, value);
        }
        return rg_ok();
    }
    RG_TRY(bytes_check(walk, place, slot, value));
    FIELD_CHECK(value <= (uint64_t)(cursor->end - cursor->at), place, walk, RG_MALFORMED,
                "wire-truncated", "the bytes end inside it");
    struct rg_bytes view = rg_bytes_of(cursor->at, (size_t)value);
    cursor->at += value;
    return bytes_read(walk, place, slot, view);
}

static rg_outcome message_walk(struct walk *walk, const struct rg_shape *shape,
                               struct rg_bytes bytes, uint8_t *out)
{
    struct place place = {.shape = shape, .out = out};
    if (bytes.len > 0) {
        struct cursor cursor = {.at = bytes.data, .end = bytes.data + bytes.len};
        while (cursor.at < cursor.end) {
            uint64_t tag = 0;
            RG_TRY(varint_read(&cursor, &tag, walk->why));
            RG_CHECK(tag >> 3 > 0, walk->why, RG_MALFORMED, "wire-unknown-field", "field 0");
            RG_TRY(slot_find(walk, &place, tag >> 3));
            RG_TRY(field_read(walk, &place, &cursor, tag & 7));
            place.fields += place.seen == 0;
            place.seen++;
            if (shape->choice && out != NULL) {
                number_store(out + shape->kind, sizeof(uint32_t), tag >> 3);
            }
        }
    }
    RG_TRY(slot_find(walk, &place, 0));
    RG_CHECK(place.missing == NULL, walk->why, RG_MALFORMED, "wire-missing",
             "%s: field %u is required, but absent, or too few", shape->descriptor->short_name,
             place.missing->number);
    RG_CHECK(!shape->choice || place.fields == 1, walk->why, RG_MALFORMED, "wire-choice",
             "%s: exactly one field must be set", shape->descriptor->short_name);
    return rg_ok();
}

rg_outcome rg_codec_check(const struct rg_shape *shape, struct rg_bytes bytes,
                          struct rg_reason *why)
{
    struct walk walk = {.why = why};
    return message_walk(&walk, shape, bytes, NULL);
}

/* NOLINTEND(misc-no-recursion) */

/* A copy of the input, and behind it, aligned, room for the lists. */
static rg_outcome memory_take(struct rg_bytes bytes, size_t lists, struct rg_buffer *memory,
                              struct rg_reason *why)
{
    size_t cap = RG_DECODE_CAP_BASE_BYTES + RG_DECODE_CAP_FACTOR * bytes.len;
    RG_CHECK(lists <= cap, why, RG_LIMIT, "wire-memory-limit",
             "decoding %zu bytes needs more than %zu", bytes.len, cap);
    memory->limit = bytes.len + ARENA_ALIGN + lists; /* exactly so much is taken */
    RG_TRY(rg_buffer_reserve(memory, memory->limit, why));
    return rg_buffer_append(memory, bytes, why);
}

rg_outcome rg_codec_decode(const struct rg_shape *shape, struct rg_bytes bytes, void *out,
                           struct rg_buffer *memory_out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_BUFFER_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "message longer than the limit");
    struct walk measure = {.why = why};
    RG_TRY(message_walk(&measure, shape, bytes, NULL));
    struct walk fill = {.why = why};
    if (memory_out == NULL) {
        RG_ASSERT(measure.used == 0);
        return message_walk(&fill, shape, bytes, out);
    }
    RG_OWNED_BUFFER memory = {0};
    RG_TRY(memory_take(bytes, measure.used, &memory, why));
    uintptr_t behind = (uintptr_t)memory.data + bytes.len;
    fill.arena = memory.data + bytes.len + (ARENA_ALIGN - behind % ARENA_ALIGN) % ARENA_ALIGN;
    RG_TRY(message_walk(&fill, shape, rg_buffer_peek(&memory), out));
    RG_ASSERT(fill.used == measure.used);
    rg_buffer_drop(memory_out);
    *memory_out = rg_buffer_take(&memory);
    return rg_ok();
}

size_t rg_varint_bytes(uint64_t value)
{
    size_t bytes = 1;
    while (value >= 0x80) {
        value >>= 7;
        bytes++;
    }
    return bytes;
}

static size_t varint_put(uint8_t *to, uint64_t value)
{
    size_t len = 0;
    while (value >= 0x80) {
        to[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[len++] = (uint8_t)value;
    return len;
}

static size_t prefix_put(uint8_t to[20], uint32_t number, unsigned wire_type, uint64_t value)
{
    size_t len = varint_put(to, (uint64_t)number << 3 | wire_type);
    return len + varint_put(to + len, value);
}

static rg_outcome bytes_write(uint32_t number, struct rg_bytes value, struct rg_buffer *out,
                              struct rg_reason *why)
{
    uint8_t prefix[20];
    size_t len = prefix_put(prefix, number, WIRE_BYTES, value.len);
    RG_TRY(rg_buffer_append(out, rg_bytes_of(prefix, len), why));
    return rg_buffer_append(out, value, why);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the shapes */
static rg_outcome message_write(const struct rg_shape *shape, const uint8_t *from,
                                struct rg_buffer *out, struct rg_reason *why);

/* The length comes before the body and is known after it: the body is written and moved up. */
static rg_outcome nested_write(const struct rg_slot *slot, const uint8_t *from,
                               struct rg_buffer *out, struct rg_reason *why)
{
    uint8_t prefix[20];
    size_t start = out->len;
    RG_TRY(message_write(slot->shape, from, out, why));
    size_t body = out->len - start;
    size_t len = prefix_put(prefix, slot->number, WIRE_BYTES, body);
    RG_TRY(rg_buffer_reserve(out, len, why));
    memmove(out->data + start + len, out->data + start, body);
    memcpy(out->data + start, prefix, len);
    out->len += len;
    return rg_ok();
}

static rg_outcome element_write(const struct rg_slot *slot, const uint8_t *from,
                                struct rg_buffer *out, struct rg_reason *why)
{
    uint8_t prefix[20];
    uint64_t number = slot->min;
    struct rg_bytes view;
    switch (slot->form) {
    case RG_FORM_NUMBER:
        number = number_load(from, slot->size);
        break;
    case RG_FORM_CONSTANT:
        break;
    case RG_FORM_TEXT:
        return bytes_write(slot->number, rg_bytes_of(from, strnlen((const char *)from, slot->size)),
                           out, why);
    case RG_FORM_FIXED:
        return bytes_write(slot->number, rg_bytes_of(from, slot->size), out, why);
    case RG_FORM_VIEW:
        memcpy(&view, from, sizeof(view));
        return bytes_write(slot->number, view, out, why);
    case RG_FORM_MESSAGE:
        return nested_write(slot, from, out, why);
    }
    return rg_buffer_append(
        out, rg_bytes_of(prefix, prefix_put(prefix, slot->number, WIRE_VARINT, number)), why);
}

static bool is_absent(const struct rg_slot *slot, const uint8_t *from)
{
    if (slot->flag != RG_NO_FLAG) {
        return from[slot->flag] == 0;
    }
    if (slot->form == RG_FORM_TEXT) {
        return from[slot->offset] == '\0';
    }
    if (slot->form == RG_FORM_VIEW) {
        struct rg_bytes view;
        memcpy(&view, from + slot->offset, sizeof(view));
        return view.len == 0;
    }
    return slot->form != RG_FORM_MESSAGE && is_zero(from + slot->offset, slot->size);
}

static rg_outcome list_write(const struct rg_slot *slot, const uint8_t *from, struct rg_buffer *out,
                             struct rg_reason *why)
{
    size_t count;
    memcpy(&count, from + slot->flag, sizeof(count));
    RG_CHECK(count <= slot->count_max, why, RG_LIMIT, "wire-count-limit",
             "more than %u elements in a list", slot->count_max);
    const uint8_t *element = from + slot->offset;
    if (slot->in_memory) {
        memcpy(&element, from + slot->offset, sizeof(element));
    }
    for (size_t i = 0; i < count; i++) {
        RG_TRY(element_write(slot, element + i * slot->size, out, why));
    }
    return rg_ok();
}

static rg_outcome slot_write(const struct rg_slot *slot, ProtobufCLabel label, const uint8_t *from,
                             struct rg_buffer *out, struct rg_reason *why)
{
    if (label == PROTOBUF_C_LABEL_REPEATED) {
        return list_write(slot, from, out, why);
    }
    if (label == PROTOBUF_C_LABEL_OPTIONAL && is_absent(slot, from)) {
        return rg_ok();
    }
    return element_write(slot, from + slot->offset, out, why);
}

static rg_outcome message_write(const struct rg_shape *shape, const uint8_t *from,
                                struct rg_buffer *out, struct rg_reason *why)
{
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct rg_slot *slot = &shape->slot[i];
        if (shape->choice && number_load(from + shape->kind, sizeof(uint32_t)) != slot->number) {
            continue;
        }
        RG_TRY(slot_write(slot, shape->descriptor->fields[i].label, from, out, why));
    }
    return rg_ok();
}

/* NOLINTEND(misc-no-recursion) */

rg_outcome rg_codec_encode(const struct rg_shape *shape, const void *from, struct rg_buffer *out,
                           struct rg_reason *why)
{
    size_t start = out->len;
    rg_outcome outcome = message_write(shape, from, out, why);
    if (rg_is_ok(outcome)) {
        struct rg_bytes written =
            rg_bytes_of(out->data == NULL ? NULL : out->data + start, out->len - start);
        outcome = rg_codec_check(shape, written, why);
    }
    if (!rg_is_ok(outcome)) {
        out->len = start;
    }
    return outcome;
}

static bool form_fits(enum rg_slot_form form, ProtobufCType type)
{
    static const struct {
        enum rg_slot_form form;
        ProtobufCType type;
    } pair[] = {
        {RG_FORM_CONSTANT, PROTOBUF_C_TYPE_UINT32}, {RG_FORM_NUMBER, PROTOBUF_C_TYPE_UINT32},
        {RG_FORM_NUMBER, PROTOBUF_C_TYPE_UINT64},   {RG_FORM_NUMBER, PROTOBUF_C_TYPE_BOOL},
        {RG_FORM_TEXT, PROTOBUF_C_TYPE_STRING},     {RG_FORM_FIXED, PROTOBUF_C_TYPE_BYTES},
        {RG_FORM_NUMBER, PROTOBUF_C_TYPE_ENUM},     {RG_FORM_VIEW, PROTOBUF_C_TYPE_STRING},
        {RG_FORM_VIEW, PROTOBUF_C_TYPE_BYTES},      {RG_FORM_VIEW, PROTOBUF_C_TYPE_MESSAGE},
        {RG_FORM_MESSAGE, PROTOBUF_C_TYPE_MESSAGE},
    };
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        if (pair[i].form == form && pair[i].type == type) {
            return true;
        }
    }
    return false;
}

static bool range_fits(const struct rg_slot *slot, ProtobufCType type)
{
    if (type == PROTOBUF_C_TYPE_BOOL) {
        return slot->max == 1 && slot->size == sizeof(bool);
    }
    if (slot->form != RG_FORM_NUMBER) {
        return slot->form == RG_FORM_CONSTANT || slot->max <= RG_BUFFER_BYTES_MAX;
    }
    bool fits_place = slot->size == 8 || slot->max < UINT64_C(1) << 8 * slot->size;
    return fits_place && (type == PROTOBUF_C_TYPE_UINT64 || slot->max <= UINT32_MAX);
}

rg_outcome rg_codec_shape_check(const struct rg_shape *shape, struct rg_reason *why)
{
    const ProtobufCMessageDescriptor *descriptor = shape->descriptor;
    RG_CHECK(shape->slot_count == descriptor->n_fields, why, RG_BROKEN, "shape", "%s: %u fields",
             descriptor->name, descriptor->n_fields);
    for (size_t i = 0; i < shape->slot_count; i++) {
        const struct rg_slot *slot = &shape->slot[i];
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        RG_CHECK(slot->number == field->id && (i == 0 || slot[-1].number < slot->number), why,
                 RG_BROKEN, "shape", "%s.%s: number", descriptor->name, field->name);
        RG_CHECK(form_fits(slot->form, field->type) && range_fits(slot, field->type), why,
                 RG_BROKEN, "shape", "%s.%s: type", descriptor->name, field->name);
        bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        RG_CHECK(list == (slot->count_max > 0) && (!list || slot->flag != RG_NO_FLAG) &&
                     (list || !slot->in_memory),
                 why, RG_BROKEN, "shape", "%s.%s: label", descriptor->name, field->name);
        RG_CHECK(field->type != PROTOBUF_C_TYPE_MESSAGE ||
                     (slot->shape != NULL && slot->shape->descriptor == field->descriptor),
                 why, RG_BROKEN, "shape", "%s.%s: nested message", descriptor->name, field->name);
        bool by_zero = field->label == PROTOBUF_C_LABEL_OPTIONAL && slot->flag == RG_NO_FLAG;
        RG_CHECK(!by_zero || shape->choice || slot->min > 0, why, RG_BROKEN, "shape",
                 "%s.%s: absent and zero look alike", descriptor->name, field->name);
    }
    return rg_ok();
}
