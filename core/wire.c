/*
 * How it works: the envelope is three layers of bytes, because digests and signatures are over
 * bytes: Envelope holds Header, Header holds Core. Each layer is decoded by the codec in place, so
 * views show the caller's bytes and a 256 KiB envelope is never copied. Invariants after a peek:
 * every layer has exactly one encoding, the number of digests, sections and sealed sections is the
 * same, every sealed section that is here has the digest the header states, and id is the SHA-256
 * of the header bytes.
 */
#include "core/wire.h"

#include "core/digest.h"
#include "core/syntax.h"
#include "core/wire_shapes.h"

#include "envelope.pb-c.h"

#include <string.h>

#define SECTION_CORE_BYTES_MAX 512

static const struct rg_slot section_core_slot[] = {
    {RG_PLACE(RG_FORM_TEXT, 1, struct rg_section_core, office[0]),
     RG_FLAG(struct rg_section_core, office_count), .min = 1, .max = RG_OFFICE_BYTES - 1,
     .count_min = 1, .count_max = RG_SECTION_OFFICES_MAX, .syntax = rg_syntax_office},
    RG_SLOT_NUMBER(2, struct rg_section_core, padded_bytes, RG_PADDED_BYTES_MIN,
                   RG_SECTION_BYTES_MAX),
    RG_SLOT_FIXED(3, struct rg_section_core, commitment),
};
const struct rg_shape rg_shape_section_core =
    RG_SHAPE(referral__wire__section_core__descriptor, section_core_slot);

static const struct rg_slot core_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_core, version, 1, 1),
    RG_SLOT_TEXT(2, struct rg_core, from_office, 1, rg_syntax_office),
    RG_SLOT_TEXT(3, struct rg_core, to_country, 1, rg_syntax_country),
    {RG_PLACE(RG_FORM_TEXT, 4, struct rg_core, to_office[0]),
     RG_FLAG(struct rg_core, to_office_count), .min = 1, .max = RG_OFFICE_BYTES - 1, .count_min = 1,
     .count_max = RG_TO_OFFICES_MAX, .syntax = rg_syntax_office},
    RG_SLOT_FIXED(5, struct rg_core, thread),
    RG_SLOT_NUMBER(6, struct rg_core, author_counter, 1, INT64_MAX),
    RG_SLOT_NUMBER(7, struct rg_core, priority, RG_ROUTINE, RG_EMERGENCY),
    RG_SLOT_NUMBER(8, struct rg_core, created.ms, 0, RG_WALL_MS_MAX),
    RG_SLOT_NUMBER(9, struct rg_core, expires.ms, 0, RG_WALL_MS_MAX),
    RG_SLOT_NUMBER(10, struct rg_core, collect_by.ms, 0, RG_WALL_MS_MAX),
    RG_SLOT_NUMBER(11, struct rg_core, exercise, 0, 1),
    {RG_PLACE(RG_FORM_FIXED, 12, struct rg_core, decides), RG_FLAG(struct rg_core, has_decides),
     .min = 32, .max = 32},
    {RG_PLACE(RG_FORM_MESSAGE, 13, struct rg_core, section[0]),
     RG_FLAG(struct rg_core, section_count), .max = SECTION_CORE_BYTES_MAX, .count_min = 1,
     .count_max = RG_SECTIONS_MAX, .shape = &rg_shape_section_core},
};
const struct rg_shape rg_shape_core = RG_SHAPE(referral__wire__core__descriptor, core_slot);

static const struct rg_slot header_slot[] = {
    RG_SLOT_VIEW(1, struct wire_header, core, 1, RG_HEADER_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_FIXED, 2, struct wire_header, digest[0]), RG_FLAG(struct wire_header, count),
     .min = 32, .max = 32, .count_min = 1, .count_max = RG_SECTIONS_MAX},
};
const struct rg_shape rg_shape_header = RG_SHAPE(referral__wire__header__descriptor, header_slot);

static const struct rg_slot envelope_slot[] = {
    RG_SLOT_VIEW(1, struct wire_envelope, header, 1, RG_HEADER_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_VIEW, 2, struct wire_envelope, sealed[0]),
     RG_FLAG(struct wire_envelope, count), .max = RG_SEALED_INLINE_BYTES_MAX, .count_min = 1,
     .count_max = RG_SECTIONS_MAX},
};
const struct rg_shape rg_shape_envelope =
    RG_SHAPE(referral__wire__envelope__descriptor, envelope_slot);

static const struct rg_slot signed_section_slot[] = {
    RG_SLOT_FIXED(1, struct wire_section, section.core_digest),
    RG_SLOT_NUMBER(2, struct wire_section, section.index, 0, RG_SECTIONS_MAX - 1),
    RG_SLOT_FIXED(3, struct wire_section, section.blinding),
    RG_SLOT_FIXED(4, struct wire_section, section.page_hash),
    RG_SLOT_VIEW(5, struct wire_section, section.content, 0, RG_SECTION_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_VIEW, 6, struct wire_section, padding),
     RG_FLAG(struct wire_section, has_padding), .max = RG_SECTION_BYTES_MAX},
};
const struct rg_shape rg_shape_signed_section =
    RG_SHAPE(referral__wire__signed_section__descriptor, signed_section_slot);

static rg_outcome core_check(const struct rg_core *core, struct rg_reason *why)
{
    for (size_t i = 0; i < core->section_count; i++) {
        uint32_t padded = core->section[i].padded_bytes;
        RG_CHECK(rg_padded_size(padded) == padded, why, RG_MALFORMED, "wire-padded-size",
                 "section %zu states a size that padding never gives", i);
    }
    return rg_ok();
}

rg_outcome rg_core_encode(const struct rg_core *core, struct rg_buffer *out, struct rg_reason *why)
{
    size_t before = out->len;
    RG_TRY(rg_codec_encode(&rg_shape_core, core, out, why)); /* bounds the count of sections */
    rg_outcome outcome = core_check(core, why);
    if (!rg_is_ok(outcome)) {
        out->len = before;
    }
    return outcome;
}

rg_outcome rg_header_encode(struct rg_bytes core_bytes, const struct rg_hash *digest, size_t count,
                            struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(count <= RG_SECTIONS_MAX, why, RG_LIMIT, "wire-count-limit", "too many sections");
    struct wire_header header = {.core = core_bytes, .count = count};
    if (count > 0) {
        memcpy(header.digest, digest, count * sizeof(*digest));
    }
    return rg_codec_encode(&rg_shape_header, &header, out, why);
}

rg_outcome rg_envelope_encode(struct rg_bytes header, const struct rg_bytes *sealed, size_t count,
                              struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(count <= RG_SECTIONS_MAX, why, RG_LIMIT, "wire-count-limit", "too many sections");
    struct wire_envelope envelope = {.header = header, .count = count};
    if (count > 0) {
        memcpy(envelope.sealed, sealed, count * sizeof(*sealed));
    }
    size_t before = out->len;
    RG_TRY(rg_codec_encode(&rg_shape_envelope, &envelope, out, why));
    if (out->len - before > RG_ENVELOPE_BYTES_MAX) {
        out->len = before;
        return rg_fail(why, RG_LIMIT, "wire-length-limit", "an envelope has at most %d bytes",
                       RG_ENVELOPE_BYTES_MAX);
    }
    return rg_ok();
}

struct rg_id rg_header_id(struct rg_bytes header)
{
    struct rg_hash hash = rg_sha256(header);
    struct rg_id id;
    memcpy(id.b, hash.b, sizeof(id.b));
    return id;
}

rg_outcome rg_core_peek(struct rg_bytes core_bytes, struct rg_core *out, struct rg_reason *why)
{
    struct rg_core core;
    RG_CHECK(core_bytes.len <= RG_HEADER_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a core has at most %d bytes", RG_HEADER_BYTES_MAX);
    RG_TRY(rg_codec_decode(&rg_shape_core, core_bytes, &core, NULL, why));
    RG_TRY(core_check(&core, why));
    *out = core;
    return rg_ok();
}

rg_outcome rg_header_peek(struct rg_bytes header, struct rg_envelope *out, struct rg_reason *why)
{
    RG_CHECK(header.len <= RG_HEADER_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a header has at most %d bytes", RG_HEADER_BYTES_MAX);
    struct wire_header parts = {0};
    RG_TRY(rg_codec_decode(&rg_shape_header, header, &parts, NULL, why));
    struct rg_core core;
    RG_TRY(rg_core_peek(parts.core, &core, why));
    RG_CHECK(core.section_count == parts.count, why, RG_MALFORMED, "wire-sections",
             "%zu sections and %zu digests", core.section_count, parts.count);
    out->whole = rg_bytes_of(NULL, 0);
    out->header = header;
    out->core_bytes = parts.core;
    memset(out->sealed, 0, sizeof(out->sealed));
    memset(out->section_digest, 0, sizeof(out->section_digest));
    memcpy(out->section_digest, parts.digest, parts.count * sizeof(parts.digest[0]));
    out->core = core;
    out->id = rg_header_id(header);
    return rg_ok();
}

/* Inline up to RG_SECTION_INLINE_BYTES_MAX, by chunks above: never a free choice of the sender. */
static rg_outcome sealed_check(const struct rg_envelope *envelope, size_t at,
                               struct rg_bytes sealed, struct rg_reason *why)
{
    bool in_line = envelope->core.section[at].padded_bytes <= RG_SECTION_INLINE_BYTES_MAX;
    RG_CHECK(in_line == (sealed.len > 0), why, RG_MALFORMED, "wire-sections", "section %zu is %s",
             at, in_line ? "missing" : "too large to travel inline");
    if (sealed.len == 0) {
        return rg_ok();
    }
    struct rg_hash digest = rg_sha256(sealed);
    RG_CHECK(memcmp(digest.b, envelope->section_digest[at].b, sizeof(digest.b)) == 0, why,
             RG_MALFORMED, "wire-digest", "section %zu is not the one the header names", at);
    return rg_ok();
}

rg_outcome rg_envelope_peek(struct rg_bytes bytes, struct rg_envelope *out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_ENVELOPE_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "an envelope has at most %d bytes", RG_ENVELOPE_BYTES_MAX);
    struct wire_envelope parts = {0};
    RG_TRY(rg_codec_decode(&rg_shape_envelope, bytes, &parts, NULL, why));
    struct rg_envelope envelope = {0};
    RG_TRY(rg_header_peek(parts.header, &envelope, why));
    RG_CHECK(envelope.core.section_count == parts.count, why, RG_MALFORMED, "wire-sections",
             "%zu sections in the header and %zu in the envelope", envelope.core.section_count,
             parts.count);
    for (size_t i = 0; i < parts.count; i++) {
        RG_TRY(sealed_check(&envelope, i, parts.sealed[i], why));
        envelope.sealed[i] = parts.sealed[i];
    }
    envelope.whole = bytes;
    *out = envelope;
    return rg_ok();
}

static unsigned log2_floor(size_t value)
{
    unsigned bits = 0;
    while (value >>= 1) {
        bits++;
    }
    return bits;
}

size_t rg_padded_size(size_t bytes)
{
    if (bytes <= RG_SECTION_INLINE_BYTES_MAX) {
        size_t padded = RG_PADDED_BYTES_MIN;
        while (padded < bytes) {
            padded *= 2;
        }
        return padded;
    }
    if (bytes > RG_SECTION_BYTES_MAX) {
        return bytes; /* no section has so much: whoever encodes it says so */
    }
    unsigned exponent = log2_floor(bytes);
    unsigned kept =
        log2_floor(exponent) + 1; /* bits that may be other than zero, below the first */
    RG_ASSERT(kept < exponent);
    size_t mask = ((size_t)1 << (exponent - kept)) - 1;
    return (bytes + mask) & ~mask;
}

/* The padding field takes a tag, a length and zeros; some gaps no length fills: 1, 130, 16387 ...
 */
static bool padding_fits(size_t gap, size_t *zeros_out)
{
    for (size_t prefix = 2; prefix <= 5; prefix++) {
        if (gap >= prefix && 1 + rg_varint_bytes(gap - prefix) == prefix) {
            *zeros_out = gap - prefix;
            return true;
        }
    }
    return false;
}

size_t rg_section_bytes(size_t content_len)
{
    size_t fixed = 3 * (2 + 32) + 2; /* three hashes, and the index, which is below 128 */
    size_t bytes = fixed + 1 + rg_varint_bytes(content_len) + content_len;
    size_t zeros;
    while (bytes < RG_SECTION_BYTES_MAX && rg_padded_size(bytes) != bytes &&
           !padding_fits(rg_padded_size(bytes) - bytes, &zeros)) {
        bytes = rg_padded_size(bytes) + 1; /* the next larger size */
    }
    return bytes;
}

static rg_outcome padding_append(size_t zeros, struct rg_buffer *out, struct rg_reason *why)
{
    uint8_t prefix[6] = {6 << 3 | 2};
    size_t len = 1;
    size_t rest = zeros;
    for (; rest >= 0x80; rest >>= 7) {
        prefix[len++] = (uint8_t)(rest | 0x80);
    }
    prefix[len++] = (uint8_t)rest;
    RG_TRY(rg_buffer_append(out, rg_bytes_of(prefix, len), why));
    RG_TRY(rg_buffer_reserve(out, zeros, why));
    memset(out->data + out->len, 0, zeros);
    out->len += zeros;
    return rg_ok();
}

rg_outcome rg_section_encode(const struct rg_section *section, size_t padded_bytes,
                             struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(padded_bytes <= RG_SECTION_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a section has at most %d bytes", RG_SECTION_BYTES_MAX);
    size_t before = out->len;
    RG_TRY(rg_buffer_reserve(out, padded_bytes, why)); /* at once: plaintext is not copied about */
    struct wire_section parts = {.section = *section};
    RG_TRY(rg_codec_encode(&rg_shape_signed_section, &parts, out, why));
    size_t used = out->len - before;
    size_t zeros = 0;
    bool fits =
        used == padded_bytes || (used < padded_bytes && padding_fits(padded_bytes - used, &zeros));
    if (!fits) {
        out->len = before;
        return rg_fail(why, RG_LIMIT, "wire-padding-limit", "%zu bytes cannot be padded to %zu",
                       used, padded_bytes);
    }
    return used == padded_bytes ? rg_ok() : padding_append(zeros, out, why);
}

rg_outcome rg_section_peek(struct rg_bytes bytes, struct rg_section *out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_SECTION_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a section has at most %d bytes", RG_SECTION_BYTES_MAX);
    struct wire_section parts;
    RG_TRY(rg_codec_decode(&rg_shape_signed_section, bytes, &parts, NULL, why));
    uint8_t any = 0;
    for (size_t i = 0; i < parts.padding.len; i++) {
        any |= parts.padding.data[i];
    }
    RG_CHECK(any == 0, why, RG_MALFORMED, "wire-padding", "the padding is not all zero");
    RG_CHECK(rg_padded_size(bytes.len) == bytes.len, why, RG_MALFORMED, "wire-padded-size",
             "%zu bytes are not a padded size", bytes.len);
    *out = parts.section;
    return rg_ok();
}

struct rg_hash rg_section_commitment(const uint8_t blinding[32], struct rg_bytes content)
{
    struct rg_bytes part[] = {RG_BYTES_LITERAL("referral section v1"), rg_bytes_of(blinding, 32),
                              content};
    return rg_sha256_parts(part, sizeof(part) / sizeof(part[0]));
}
