/*
 * How it works: one walk over the code points decides whether text is lawful; only lawful text
 * reaches utf8proc's decomposition, in a buffer of our own that is wiped afterwards (utf8proc_map
 * would leave plaintext behind in freed memory). Invariant: what rg_text_normal gives is NFC, has
 * passed rg_text_check, and does not start or end with a blank. Pure ASCII is NFC already and skips
 * the decomposition.
 */
#include "client/text.h"

#include "core/limits.h"

#include <string.h>
#include <utf8proc.h>

#define TEXT_BYTES_MAX (64 * RG_KIB)
#define DECOMPOSED_MAX                                                                             \
    4 /* code points one code point can become canonically; 3 measured, 1 spare */

static bool is_not_a_character(utf8proc_int32_t c)
{
    return (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
}

/* Embeddings, overrides and isolates make one name look like another. */
static bool turns_direction(utf8proc_int32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(utf8proc_int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
}

static bool is_allowed(utf8proc_int32_t c, enum rg_text_form form)
{
    if (form == RG_TEXT_LINES && (c == '\n' || c == '\t')) {
        return true;
    }
    return !is_control(c) && !turns_direction(c);
}

static bool is_zero_width(utf8proc_int32_t c)
{
    return (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

/* The code point at `at`, 0 bytes when the encoding is wrong. */
static size_t point_at(struct rg_bytes text, size_t at, utf8proc_int32_t *c_out)
{
    utf8proc_ssize_t used =
        utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), c_out);
    return used > 0 ? (size_t)used : 0;
}

rg_outcome rg_text_check(struct rg_bytes text, size_t bytes_max, enum rg_text_form form,
                         struct rg_reason *why)
{
    RG_CHECK(text.len <= bytes_max && text.len <= TEXT_BYTES_MAX, why, RG_LIMIT, "text-too-long",
             "longer than %zu bytes", bytes_max);
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t c = 0;
        size_t used = point_at(text, at, &c);
        RG_CHECK(used > 0 && !is_not_a_character(c), why, RG_MALFORMED, "text-encoding",
                 "not valid UTF-8 at byte %zu", at + 1);
        RG_CHECK(is_allowed(c, form), why, RG_MALFORMED, "text-control",
                 "control or direction character U+%04X at byte %zu", (unsigned)c, at + 1);
        at += used;
    }
    return rg_ok();
}

static struct rg_bytes trimmed(struct rg_bytes text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static bool is_ascii(struct rg_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* NFC of lawful text, appended to `out`; `options` may add case folding. */
static rg_outcome compose(struct rg_bytes text, int options, struct rg_buffer *out,
                          struct rg_reason *why)
{
    utf8proc_option_t all = (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | options);
    size_t points = text.len * DECOMPOSED_MAX + 1;
    RG_OWNED_BUFFER work = {.secret = true};
    RG_TRY(rg_buffer_reserve(&work, points * sizeof(utf8proc_int32_t), why));
    utf8proc_int32_t *point = (utf8proc_int32_t *)(void *)work.data;
    utf8proc_ssize_t count = utf8proc_decompose(text.data, (utf8proc_ssize_t)text.len, point,
                                                (utf8proc_ssize_t)points, all);
    RG_CHECK(count >= 0 && (size_t)count < points, why, RG_MALFORMED, "text-encoding",
             "cannot be brought into its normal form");
    utf8proc_ssize_t len = utf8proc_reencode(point, count, all);
    RG_CHECK(len >= 0, why, RG_MALFORMED, "text-encoding",
             "cannot be brought into its normal form");
    return rg_buffer_append(out, rg_bytes_of(work.data, (size_t)len), why);
}

/* Files from other systems end lines with CR LF. */
static rg_outcome without_returns(struct rg_bytes text, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    for (size_t at = 0; at < text.len;) {
        const uint8_t *found = memchr(text.data + at, '\r', text.len - at);
        size_t end = found == NULL ? text.len : (size_t)(found - text.data);
        RG_TRY(rg_buffer_append(out, rg_bytes_of(text.data + at, end - at), why));
        bool before_feed = end + 1 < text.len && text.data[end + 1] == '\n';
        RG_CHECK(found == NULL || before_feed, why, RG_MALFORMED, "text-control",
                 "carriage return without a line feed");
        at = end + 1;
    }
    return rg_ok();
}

static rg_outcome normal_of(struct rg_bytes text, size_t bytes_max, enum rg_text_form form,
                            struct rg_buffer *out, struct rg_reason *why)
{
    RG_TRY(rg_text_check(text, bytes_max, form, why));
    text = trimmed(text);
    if (is_ascii(text)) {
        return rg_buffer_append(out, text, why);
    }
    RG_TRY(compose(text, 0, out, why));
    RG_CHECK(out->len <= bytes_max, why, RG_LIMIT, "text-too-long", "longer than %zu bytes",
             bytes_max);
    return rg_ok();
}

rg_outcome rg_text_normal(struct rg_bytes text, size_t bytes_max, enum rg_text_form form,
                          struct rg_buffer *out, struct rg_reason *why)
{
    rg_buffer_clear(out);
    if (form == RG_TEXT_LINE || text.len == 0 || memchr(text.data, '\r', text.len) == NULL) {
        return normal_of(text, bytes_max, form, out, why);
    }
    RG_CHECK(text.len / 2 <= bytes_max, why, RG_LIMIT, "text-too-long", "longer than %zu bytes",
             bytes_max);
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(without_returns(text, &plain, why));
    return normal_of(rg_buffer_peek(&plain), bytes_max, form, out, why);
}

/* The zero of each row of native digits met in the six countries. */
static const utf8proc_int32_t native_zero[] = {
    0x0E50, /* Thai */
    0x0ED0, /* Lao */
    0x1040, /* Burmese */
    0x1090, /* Shan */
    0x17E0, /* Khmer */
    0x19D0, /* New Tai Lue */
    0x1A80, /* Tai Tham, hora */
    0x1A90, /* Tai Tham, tham */
    0xFF10, /* full width */
};

static int digit_of(utf8proc_int32_t c)
{
    for (size_t i = 0; i < sizeof(native_zero) / sizeof(native_zero[0]); i++) {
        if (c >= native_zero[i] && c <= native_zero[i] + 9) {
            return (int)(c - native_zero[i]);
        }
    }
    return -1;
}

void rg_text_digits(struct rg_buffer *text)
{
    struct rg_bytes from = rg_buffer_peek(text);
    size_t to = 0;
    for (size_t at = 0; at < from.len;) {
        utf8proc_int32_t c = 0;
        size_t used = point_at(from, at, &c);
        int digit = used > 1 ? digit_of(c) : -1;
        if (digit >= 0) {
            text->data[to++] = (uint8_t)('0' + digit);
            at += used;
            continue;
        }
        used = used == 0 ? 1 : used;
        memmove(text->data + to, from.data + at, used);
        to += used;
        at += used;
    }
    text->len = to;
}

/* Zero-width characters gone before composition, so that what they kept apart can meet. */
static rg_outcome without_zero_width(struct rg_bytes text, struct rg_buffer *out,
                                     struct rg_reason *why)
{
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t c = 0;
        size_t used = point_at(text, at, &c);
        RG_CHECK(used > 0, why, RG_MALFORMED, "text-encoding", "not valid UTF-8 at byte %zu",
                 at + 1);
        if (!is_zero_width(c)) {
            RG_TRY(rg_buffer_append(out, rg_bytes_of(text.data + at, used), why));
        }
        at += used;
    }
    return rg_ok();
}

static void blanks_single(struct rg_buffer *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len; at++) {
        bool blank = is_blank(text->data[at]);
        if (blank && (to == 0 || text->data[to - 1] == ' ')) {
            continue;
        }
        text->data[to++] = blank ? ' ' : text->data[at];
    }
    if (to > 0 && text->data[to - 1] == ' ') {
        to--;
    }
    text->len = to;
}

rg_outcome rg_text_match_key(struct rg_bytes text, struct rg_buffer *out, struct rg_reason *why)
{
    rg_buffer_clear(out);
    RG_TRY(rg_text_check(text, TEXT_BYTES_MAX, RG_TEXT_LINES, why));
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(without_zero_width(text, &plain, why));
    RG_TRY(compose(rg_buffer_peek(&plain), UTF8PROC_CASEFOLD, out, why));
    rg_text_digits(out);
    blanks_single(out);
    return rg_ok();
}

size_t rg_text_cut(struct rg_bytes text, size_t bytes_max)
{
    if (text.len <= bytes_max) {
        return text.len;
    }
    size_t cut = 0;
    utf8proc_int32_t before = 0;
    utf8proc_int32_t state = 0;
    for (size_t at = 0; at < text.len && at <= bytes_max;) {
        utf8proc_int32_t c = 0;
        size_t used = point_at(text, at, &c);
        if (used == 0) {
            return cut;
        }
        if (at == 0 || utf8proc_grapheme_break_stateful(before, c, &state)) {
            cut = at;
        }
        before = c;
        at += used;
    }
    return cut;
}

size_t rg_text_columns(struct rg_bytes text)
{
    size_t columns = 0;
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t c = 0;
        size_t used = point_at(text, at, &c);
        if (used == 0) {
            return columns;
        }
        int width = utf8proc_charwidth(c);
        columns += width > 0 ? (size_t)width : 0;
        at += used;
    }
    return columns;
}
