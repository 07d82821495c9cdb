/*
 * How it works: blind mutation of protobuf mostly breaks a length and dies at the outermost layer.
 * This mutator goes down through nested fields, changes something there (a value, a whole field
 * twice, gone, moved, or a number made longer than it need be), and writes the lengths above anew.
 * What looks like a message is taken for one; a wrong guess is only one more strange input.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#define DEPTH_MAX 8
#define WORK_BYTES (512 * 1024)

struct layer { /* body of a length-delimited field within the layer above */
    size_t length_at, body_at, body_len;
};

struct field {
    size_t at, value_at, len; /* tag and all; where the value begins; whole length */
    bool nested;
};

static unsigned random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 1103515245U + 12345U;
    return below == 0 ? 0 : (random_state >> 8) % below;
}

static bool varint_at(const uint8_t *data, size_t end, size_t *at, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = data[(*at)++];
        *value |= (uint64_t)(byte & 0x7fU) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

static bool field_at(const uint8_t *data, size_t end, size_t at, struct field *field)
{
    uint64_t tag;
    uint64_t value;
    field->at = at;
    if (!varint_at(data, end, &at, &tag) || tag >> 3 == 0) {
        return false;
    }
    field->value_at = at;
    field->nested = (tag & 7) == 2;
    if ((tag & 7) != 0 && !field->nested) {
        return false;
    }
    if (!varint_at(data, end, &at, &value)) {
        return false;
    }
    if (field->nested && value > end - at) {
        return false;
    }
    field->len = at - field->at + (field->nested ? (size_t)value : 0);
    return true;
}

/* Number of fields when the whole range is fields, else 0. The one at `wanted` is handed out. */
static unsigned fields_of(const uint8_t *data, size_t at, size_t len, unsigned wanted,
                          struct field *out)
{
    unsigned count = 0;
    size_t end = at + len;
    struct field field;
    while (at < end) {
        if (!field_at(data, end, at, &field)) {
            return 0;
        }
        if (count++ == wanted) {
            *out = field;
        }
        at = field.at + field.len;
    }
    return count;
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

/* Replaces data[at, at + len) by `with`; false when it does not fit. */
static bool splice(uint8_t *data, size_t *size, size_t at, size_t len, const uint8_t *with,
                   size_t with_len)
{
    if (*size - len + with_len > WORK_BYTES) {
        return false;
    }
    memmove(data + at + with_len, data + at + len, *size - at - len);
    if (with_len > 0) {
        memcpy(data + at, with, with_len);
    }
    *size = *size - len + with_len;
    return true;
}

enum change { VALUE, TWICE, GONE, OVERLONG, SWAP, CHANGES };

static uint8_t copy[WORK_BYTES];

static bool value_change(uint8_t *data, size_t *size, const struct field *field)
{
    size_t at = field->value_at;
    uint64_t ignored;
    if (!field->nested) {
        uint8_t number[10];
        uint64_t value = pick(4) == 0 ? UINT64_MAX >> pick(64) : pick(300);
        return splice(data, size, at, field->at + field->len - at, number,
                      varint_put(number, value));
    }
    (void)varint_at(data, *size, &at, &ignored);
    size_t len = field->at + field->len - at;
    memcpy(copy + 10, data + at, len);
    size_t changed = LLVMFuzzerMutate(copy + 10, len, len + 64);
    uint8_t length[10];
    size_t prefix = varint_put(length, changed);
    memcpy(copy + 10 - prefix, length, prefix);
    return splice(data, size, field->value_at, field->at + field->len - field->value_at,
                  copy + 10 - prefix, prefix + changed);
}

static bool field_change(uint8_t *data, size_t *size, size_t at, size_t len, unsigned count)
{
    struct field field = {0};
    struct field other = {0};
    (void)fields_of(data, at, len, pick(count), &field);
    (void)fields_of(data, at, len, pick(count), &other);
    switch ((enum change)pick(CHANGES)) {
    case TWICE:
        memcpy(copy, data + field.at, field.len);
        return splice(data, size, field.at, 0, copy, field.len);
    case GONE:
        return splice(data, size, field.at, field.len, NULL, 0);
    case OVERLONG: {
        uint8_t longer[2] = {(uint8_t)(data[field.at] | 0x80), 0};
        return data[field.at] < 0x80 && splice(data, size, field.at, 1, longer, sizeof(longer));
    }
    case SWAP:
        memcpy(copy, data + field.at, field.len);
        return other.at > field.at + field.len &&
               splice(data, size, other.at, 0, copy, field.len) &&
               splice(data, size, field.at, field.len, NULL, 0);
    case VALUE:
    case CHANGES:
        break;
    }
    return value_change(data, size, &field);
}

static size_t descend(const uint8_t *data, size_t size, struct layer *layer)
{
    size_t depth = 0;
    layer[0] = (struct layer){.body_len = size};
    while (depth + 1 < DEPTH_MAX && pick(5) != 0) {
        struct field field = {0};
        struct field unused = {0};
        unsigned count = fields_of(data, layer[depth].body_at, layer[depth].body_len, 0, &unused);
        if (count == 0) {
            break;
        }
        (void)fields_of(data, layer[depth].body_at, layer[depth].body_len, pick(count), &field);
        size_t body = field.value_at;
        uint64_t len = 0;
        if (!field.nested || !varint_at(data, size, &body, &len) ||
            fields_of(data, body, (size_t)len, 0, &unused) == 0) {
            break;
        }
        layer[++depth] = (struct layer){field.value_at, body, (size_t)len};
    }
    return depth;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    static uint8_t work[WORK_BYTES];
    struct layer layer[DEPTH_MAX];
    struct field unused = {0};
    random_state = seed;
    if (size == 0 || size > WORK_BYTES / 4 || pick(4) == 0) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    memcpy(work, data, size);
    size_t now = size;
    size_t depth = descend(work, size, layer);
    size_t body_len = layer[depth].body_len;
    unsigned count = fields_of(work, layer[depth].body_at, body_len, 0, &unused);
    if (count == 0 || !field_change(work, &now, layer[depth].body_at, body_len, count)) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    /* Lengths from the inside out: each layer has grown by what the one inside it has. */
    for (; depth > 0; depth--) {
        uint8_t length[10];
        body_len = layer[depth].body_len + now - size;
        size_t len = varint_put(length, body_len);
        size_t old = layer[depth].body_at - layer[depth].length_at;
        if (!splice(work, &now, layer[depth].length_at, old, length, len)) {
            return LLVMFuzzerMutate(data, size, size_max);
        }
    }
    if (now > size_max) {
        return LLVMFuzzerMutate(data, size, size_max);
    }
    memcpy(data, work, now);
    return now;
}
