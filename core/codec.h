/*
 * NAME
 *   codec - strict protobuf by table: a message descriptor, and per field its place and its bounds
 *
 * SYNOPSIS
 *   static const struct rg_slot core_slot[] = {RG_SLOT_NUMBER(1, struct rg_core, version, 1, 1),
 * ...}; const struct rg_shape shape = RG_SHAPE(core__descriptor, core_slot);
 *   rg_codec_decode(&shape, bytes, &core, &memory, why)      rg_codec_encode(&shape, &core, &out,
 * why)
 *
 * DESCRIPTION
 *   The .proto file says which fields a message has; a shape adds, per field in the same order,
 * where it lives in a plain struct and what bounds it. Decoding first walks all bytes without
 * writing anything: known fields only, in number order, each scalar once, shortest varints, the
 * right wire type, required fields present, values, lengths and counts within the slot's bounds,
 * strings UTF-8 without NUL. Only then memory is taken (never more than RG_DECODE_CAP_BASE_BYTES +
 * RG_DECODE_CAP_FACTOR * input) and the struct is filled. What passes has exactly one encoding:
 * encoding the struct again gives the same bytes.
 *
 *   Absent optional fields: where a slot has a flag, the flag says so; where it has none, zero, ""
 * or an empty view means absent, and a field that is present but empty is refused.
 *
 * OWNERSHIP
 *   With `memory_out`, views and lists show that buffer, which holds a copy of the input. Without
 * it (NULL), views show the input, and the shape must have no lists in memory.
 *
 * ERRORS
 *   RG_MALFORMED wire-truncated, wire-varint, wire-unknown-field, wire-order, wire-duplicate,
 *   wire-type, wire-missing, wire-value, wire-length, wire-text, wire-syntax, wire-choice;
 *   RG_LIMIT wire-length-limit, wire-count-limit, wire-memory-limit.
 *   Encoding checks its own output and fails with the same ids; `out` is then as before.
 *
 * LIMITS
 *   Depth is that of the shapes, which are finite; nothing recurses on foreign data.
 */
#ifndef RG_CORE_CODEC_H
#define RG_CORE_CODEC_H

#include "core/buffer.h"

#include <protobuf-c/protobuf-c.h>

typedef bool rg_syntax(struct rg_bytes text);

enum rg_slot_form {
    RG_FORM_CONSTANT, /* number with one lawful value; has no place */
    RG_FORM_NUMBER,   /* bool, uint16_t, uint32_t, uint64_t, int64_t or an enum, by its size */
    RG_FORM_TEXT,     /* char array, NUL ended */
    RG_FORM_FIXED,    /* byte array of exactly its size */
    RG_FORM_VIEW, /* struct rg_bytes; with `shape`, the bytes must be such a message; of a string,
                     UTF-8 without NUL */
    RG_FORM_MESSAGE, /* struct by value */
};

#define RG_NO_FLAG UINT32_MAX

struct rg_slot {
    uint64_t min, max; /* value of a number, bytes of everything else */
    rg_syntax *syntax;
    const struct rg_shape *shape;
    uint32_t number; /* as in the .proto */
    enum rg_slot_form form;
    uint32_t offset; /* of the value, the first element, or (in_memory) the pointer to it */
    uint32_t size;   /* of one element */
    uint32_t flag;   /* offset of the bool of an optional, the size_t count of a repeated field */
    uint32_t count_min, count_max; /* repeated fields */
    bool in_memory;
};

struct rg_shape {
    const ProtobufCMessageDescriptor *descriptor;
    const struct rg_slot *slot; /* one per field of the descriptor, in number order */
    size_t slot_count;
    bool choice;   /* exactly one field is set ... */
    uint32_t kind; /* ... and its number is stored at this offset, as 32 bits */
};

#define RG_SIZE_OF(type, field) ((uint32_t)sizeof(((type *)0)->field))
#define RG_PLACE(form_, number_, type, field)                                                      \
    .number = (number_), .form = (form_), .offset = (uint32_t)offsetof(type, field),               \
    .size = RG_SIZE_OF(type, field)
#define RG_FLAG(type, field) .flag = (uint32_t)offsetof(type, field)
#define RG_SLOT_CONSTANT(number_, value)                                                           \
    {                                                                                              \
        .number = (number_), .form = RG_FORM_CONSTANT, .flag = RG_NO_FLAG, .min = (value),         \
        .max = (value)                                                                             \
    }
#define RG_SLOT_NUMBER(number_, type, field, min_, max_)                                           \
    {                                                                                              \
        RG_PLACE(RG_FORM_NUMBER, number_, type, field), .flag = RG_NO_FLAG, .min = (min_),         \
                                                        .max = (max_)                              \
    }
#define RG_SLOT_TEXT(number_, type, field, min_, syntax_)                                          \
    {                                                                                              \
        RG_PLACE(RG_FORM_TEXT, number_, type, field), .flag = RG_NO_FLAG, .min = (min_),           \
                                                      .max = RG_SIZE_OF(type, field) - 1,          \
                                                      .syntax = (syntax_)                          \
    }
#define RG_SLOT_FIXED(number_, type, field)                                                        \
    {                                                                                              \
        RG_PLACE(RG_FORM_FIXED, number_, type, field),                                             \
            .flag = RG_NO_FLAG, .min = RG_SIZE_OF(type, field), .max = RG_SIZE_OF(type, field)     \
    }
#define RG_SLOT_VIEW(number_, type, field, min_, max_, shape_)                                     \
    {                                                                                              \
        RG_PLACE(RG_FORM_VIEW, number_, type, field), .flag = RG_NO_FLAG, .min = (min_),           \
                                                      .max = (max_), .shape = (shape_)             \
    }
#define RG_SLOT_MESSAGE(number_, type, field, max_, shape_)                                        \
    {                                                                                              \
        RG_PLACE(RG_FORM_MESSAGE, number_, type, field), .flag = RG_NO_FLAG, .min = 0,             \
                                                         .max = (max_), .shape = (shape_)          \
    }
/* A message whose fields live in the outer struct itself. */
#define RG_SLOT_FLAT(number_, max_, shape_)                                                        \
    {                                                                                              \
        .number = (number_), .form = RG_FORM_MESSAGE, .flag = RG_NO_FLAG, .max = (max_),           \
        .shape = (shape_)                                                                          \
    }
#define RG_SHAPE(descriptor_, slots)                                                               \
    {                                                                                              \
        .descriptor = &(descriptor_), .slot = (slots),                                             \
        .slot_count = sizeof(slots) / sizeof((slots)[0])                                           \
    }
#define RG_SHAPE_CHOICE(descriptor_, slots, type, field)                                           \
    {                                                                                              \
        .descriptor = &(descriptor_), .slot = (slots),                                             \
        .slot_count = sizeof(slots) / sizeof((slots)[0]), .choice = true,                          \
        .kind = (uint32_t)offsetof(type, field)                                                    \
    }

/* The checking walk alone. */
RG_MUST_USE rg_outcome rg_codec_check(const struct rg_shape *shape, struct rg_bytes bytes,
                                      struct rg_reason *why);
RG_MUST_USE rg_outcome rg_codec_decode(const struct rg_shape *shape, struct rg_bytes bytes,
                                       void *out, struct rg_buffer *memory_out,
                                       struct rg_reason *why);
/* Appends. */
RG_MUST_USE rg_outcome rg_codec_encode(const struct rg_shape *shape, const void *from,
                                       struct rg_buffer *out, struct rg_reason *why);
/* The table fits its .proto: same fields, same types, same labels. For tests. */
RG_MUST_USE rg_outcome rg_codec_shape_check(const struct rg_shape *shape, struct rg_reason *why);

size_t rg_varint_bytes(uint64_t value);
bool rg_utf8_ok(struct rg_bytes text); /* well formed, no NUL */

#endif
