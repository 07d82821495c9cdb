/*
 * How it works: one row per type of box says how long a value may be, what is said when it does not
 * fit, and which function looks at it. A function sees text that is NFC and trimmed, and may
 * rewrite it into its one normal form. A `many` box is taken apart at ';', each part checked,
 * doubles left out, and joined again. Invariant: what a check leaves behind passes the same check
 * unchanged, so that values off the wire can be held to their normal form.
 */
#include "client/form.h"

#include "core/limits.h"
#include "core/settings.h"
#include "core/syntax.h"

#include <stdio.h>
#include <string.h>

#define ID_DIGITS 64
#define CASE_DIGITS 32
#define NUMBER_MAX_DEFAULT 999
#define CODES_BYTES_MAX 1024

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_alnum(uint8_t c)
{
    return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool all(struct rg_bytes text, bool (*is)(uint8_t c))
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is(text.data[i])) {
            return false;
        }
    }
    return text.len > 0;
}

static void recase(struct rg_buffer *text, bool upper)
{
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        if (upper && c >= 'a' && c <= 'z') {
            text->data[i] = (uint8_t)(c - 'a' + 'A');
        }
        if (!upper && is_upper(c)) {
            text->data[i] = (uint8_t)(c - 'A' + 'a');
        }
    }
}

typedef bool box_fits(const struct rg_box *box, struct rg_buffer *text);

static bool fits_any(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    (void)text;
    return true;
}

const char *const *rg_box_codes(const struct rg_box *box)
{
    enum rg_field field;
    if (box->codes_of == NULL) {
        return box->codes;
    }
    RG_ASSERT(rg_field_find(rg_bytes_of_text(box->codes_of), &field));
    return rg_field_row(field)->codes;
}

uint32_t rg_box_code_find(const struct rg_box *box, struct rg_bytes text)
{
    const char *const *codes = rg_box_codes(box);
    for (uint32_t i = 0; codes != NULL && codes[i] != NULL; i++) {
        if (rg_bytes_equal(text, rg_bytes_of_text(codes[i]))) {
            return i + 1;
        }
    }
    return 0;
}

static bool fits_code(const struct rg_box *box, struct rg_buffer *text)
{
    return rg_box_code_find(box, rg_buffer_peek(text)) != 0;
}

static bool fits_date(const struct rg_box *box, struct rg_buffer *text)
{
    struct rg_date date;
    rg_text_digits(text);
    bool right = text->len == 10 || box->type == RG_BOX_PARTIAL;
    right = box->type == RG_BOX_MONTH ? text->len == 7 : right;
    return right && rg_date_parse(rg_buffer_peek(text), &date);
}

static bool fits_time(const struct rg_box *box, struct rg_buffer *text)
{
    char copy[32];
    struct rg_wall wall;
    (void)box;
    rg_text_digits(text);
    if (text->len != 20) {
        return false;
    }
    memcpy(copy, text->data, text->len);
    copy[text->len] = '\0';
    return rg_is_ok(rg_wall_parse(copy, &wall, NULL));
}

static bool fits_bool(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    recase(text, false);
    return rg_bytes_equal(rg_buffer_peek(text), RG_BYTES_LITERAL("true")) ||
           rg_bytes_equal(rg_buffer_peek(text), RG_BYTES_LITERAL("false"));
}

uint32_t rg_box_number_max(const struct rg_box *box)
{
    return box->max == 0 ? NUMBER_MAX_DEFAULT : box->max;
}

static bool fits_number(const struct rg_box *box, struct rg_buffer *text)
{
    rg_text_digits(text);
    if (!all(rg_buffer_peek(text), is_digit) || text->len > 9 ||
        (text->len > 1 && text->data[0] == '0')) {
        return false;
    }
    uint32_t value = 0;
    for (size_t i = 0; i < text->len; i++) {
        value = value * 10 + (uint32_t)(text->data[i] - '0');
    }
    return value <= rg_box_number_max(box);
}

static bool fits_amount(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    rg_text_digits(text);
    struct rg_bytes whole = rg_buffer_peek(text);
    const uint8_t *point = memchr(whole.data, '.', whole.len);
    if (point != NULL) {
        size_t len = (size_t)(point - whole.data);
        struct rg_bytes cents = rg_bytes_of(point + 1, whole.len - len - 1);
        if (cents.len != 2 || !all(cents, is_digit)) {
            return false;
        }
        whole.len = len;
    }
    return whole.len <= 12 && all(whole, is_digit) && (whole.len == 1 || whole.data[0] != '0');
}

static bool fits_currency(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    recase(text, true);
    return text->len == 3 && all(rg_buffer_peek(text), is_upper);
}

static bool fits_country(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    recase(text, false);
    return rg_syntax_country(rg_buffer_peek(text));
}

static bool fits_office(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    return rg_syntax_office(rg_buffer_peek(text));
}

static bool fits_principal(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    return rg_syntax_principal(rg_buffer_peek(text));
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool fits_hex(const struct rg_box *box, struct rg_buffer *text)
{
    recase(text, false);
    return text->len == (box->type == RG_BOX_ID ? ID_DIGITS : CASE_DIGITS) &&
           all(rg_buffer_peek(text), is_hex);
}

static bool fits_language(const struct rg_box *box, struct rg_buffer *text)
{
    size_t part = 0;
    (void)box;
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        if (c == '-' ? part == 0 : !is_alnum(c) || part == 8) {
            return false;
        }
        part = c == '-' ? 0 : part + 1;
    }
    return part > 0 && text->len >= 2 && text->data[0] >= 'a' && text->data[0] <= 'z';
}

static bool fits_point(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    recase(text, true);
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        if (!is_digit(c) && !is_upper(c) && (c != '-' || i == 0)) {
            return false;
        }
    }
    return true;
}

static bool fits_reference(const struct rg_box *box, struct rg_buffer *text)
{
    (void)box;
    for (size_t i = 0; i < text->len; i++) {
        uint8_t c = text->data[i];
        if (!is_alnum(c) && (i == 0 || strchr("._/-", c) == NULL)) {
            return false;
        }
    }
    return true;
}

static bool fits_field(const struct rg_box *box, struct rg_buffer *text)
{
    enum rg_field field;
    (void)box;
    return rg_field_find(rg_buffer_peek(text), &field) && rg_field_crosses(field);
}

/* Indexed by type. FIELDS and ROWS have no value of their own. */
static const struct {
    const char *name, *allowed;
    size_t bytes_max;
    box_fits *fits;
} type_row[] = {
    [RG_BOX_LINE] = {"line", "one line of text", RG_LINE_BYTES_MAX, fits_any},
    [RG_BOX_WORDS] = {"words", "text, may have several lines", RG_WORDS_BYTES_MAX, fits_any},
    [RG_BOX_NAME] = {"name", "a name in any script, one line", RG_NAME_BYTES_MAX, fits_any},
    [RG_BOX_CODE] = {"code", "one of", 64, fits_code},
    [RG_BOX_CODES] = {"codes", "any of", CODES_BYTES_MAX, fits_any},
    [RG_BOX_DATE] = {"date", "a day, YYYY-MM-DD, years 1900 to 2100 of the common era", 32,
                     fits_date},
    [RG_BOX_PARTIAL] = {"partial date",
                        "YYYY, YYYY-MM or YYYY-MM-DD, years 1900 to 2100 of the common era", 32,
                        fits_date},
    [RG_BOX_MONTH] = {"month", "YYYY-MM, years 1900 to 2100 of the common era", 32, fits_date},
    [RG_BOX_TIME] = {"time", "a time in UTC, as 2027-03-01T08:30:00Z", 64, fits_time},
    [RG_BOX_BOOL] = {"yes or no", "true or false", 8, fits_bool},
    [RG_BOX_NUMBER] = {"number", "a whole number from 0 to", 32, fits_number},
    [RG_BOX_AMOUNT] = {"amount", "an amount, as 1250 or 1250.50", 32, fits_amount},
    [RG_BOX_CURRENCY] = {"currency", "a currency code of three letters, as THB", 8, fits_currency},
    [RG_BOX_COUNTRY] = {"country", "a country as in office names, as la", RG_COUNTRY_BYTES - 1,
                        fits_country},
    [RG_BOX_OFFICE] = {"office", "an office name, as la/focal", RG_OFFICE_BYTES - 1, fits_office},
    [RG_BOX_PRINCIPAL] = {"principal", "a principal, as referral://la/focal/officer-1",
                          RG_PRINCIPAL_BYTES - 1, fits_principal},
    [RG_BOX_ID] = {"id", "64 hex digits", ID_DIGITS, fits_hex},
    [RG_BOX_CASE] = {"handle", "32 hex digits", CASE_DIGITS, fits_hex},
    [RG_BOX_LANGUAGE] = {"language", "a BCP 47 language tag, as lo or zh-Hans-CN", 35,
                         fits_language},
    [RG_BOX_POINT] = {"point", "the id of a handover point, as TH-LA-1", 32, fits_point},
    [RG_BOX_REFERENCE] = {"reference",
                          "letters a-z, digits and . _ / -, the first a letter or digit", 64,
                          fits_reference},
    [RG_BOX_FIELD] = {"field name", "the name of a dictionary field that may cross a border", 64,
                      fits_field},
    [RG_BOX_VALUE] = {"field value", "a value of the field in the same row", RG_FIELD_BYTES_MAX,
                      fits_any},
    [RG_BOX_FIELDS] = {"fields", "dictionary fields", RG_FIELD_BYTES_MAX, fits_any},
    [RG_BOX_ROWS] = {"rows", "a list of rows", 0, fits_any},
};

const char *rg_box_type_name(enum rg_box_type type)
{
    return type_row[type].name;
}

const char *rg_box_allowed(const struct rg_box *box)
{
    return type_row[box->type].allowed;
}

static bool is_sized(const struct rg_box *box)
{
    return box->max != 0 && (box->type == RG_BOX_LINE || box->type == RG_BOX_WORDS);
}

size_t rg_box_bytes_max(const struct rg_box *box)
{
    size_t one = is_sized(box) ? box->max : type_row[box->type].bytes_max;
    return box->many ? (one + 1) * RG_FORM_MANY_MAX : one;
}

static rg_outcome codes_refuse(const struct rg_box *box, struct rg_reason *why)
{
    char list[160] = "";
    size_t len = 0;
    const char *const *codes = rg_box_codes(box);
    for (size_t i = 0; codes[i] != NULL; i++) {
        size_t need = strlen(codes[i]) + 2;
        if (len + need + 6 > sizeof(list)) {
            (void)snprintf(list + len, sizeof(list) - len, ", ...");
            break;
        }
        int put = snprintf(list + len, sizeof(list) - len, "%s%s", i == 0 ? "" : ", ", codes[i]);
        len += (size_t)put;
    }
    return rg_fail(why, RG_MALFORMED, "form-code", "%s: allowed: %s%s %s", box->name,
                   rg_box_allowed(box), box->type == RG_BOX_CODES ? ", joined by ';':" : "", list);
}

static rg_outcome refuse(const struct rg_box *box, struct rg_reason *why)
{
    if (box->type == RG_BOX_CODE || box->type == RG_BOX_CODES) {
        return codes_refuse(box, why);
    }
    if (box->type == RG_BOX_NUMBER) {
        return rg_fail(why, RG_MALFORMED, "form-value", "%s: allowed: %s %u", box->name,
                       rg_box_allowed(box), rg_box_number_max(box));
    }
    return rg_fail(why, RG_MALFORMED, "form-value", "%s: allowed: %s%s", box->name,
                   rg_box_allowed(box), box->many ? "; several are joined by ';'" : "");
}

uint32_t rg_box_codes_set(const struct rg_box *box, const char *normal)
{
    uint32_t set = 0;
    struct rg_bytes rest = rg_bytes_of_text(normal);
    while (rest.len > 0) {
        uint32_t position = rg_box_code_find(box, rg_codes_part(&rest));
        set |= position == 0 ? 0 : 1u << (position - 1);
    }
    return set;
}

static rg_outcome codes_normal(const struct rg_box *box, struct rg_buffer *text,
                               struct rg_reason *why)
{
    uint32_t set = 0;
    struct rg_bytes rest = rg_buffer_peek(text);
    while (rest.len > 0) {
        uint32_t position = rg_box_code_find(box, rg_codes_part(&rest));
        if (position == 0) {
            return codes_refuse(box, why);
        }
        set |= 1u << (position - 1);
    }
    rg_buffer_clear(text);
    const char *const *codes = rg_box_codes(box);
    for (uint32_t i = 0; codes[i] != NULL; i++) {
        if ((set >> i & 1u) != 0) {
            RG_TRY(rg_buffer_append_text(text, text->len == 0 ? "" : ";", why));
            RG_TRY(rg_buffer_append_text(text, codes[i], why));
        }
    }
    return rg_ok();
}

static bool holds_part(const struct rg_buffer *joined, struct rg_bytes part)
{
    struct rg_bytes rest = rg_buffer_peek(joined);
    while (rest.len > 0) {
        if (rg_bytes_equal(rg_codes_part(&rest), part)) {
            return true;
        }
    }
    return false;
}

static rg_outcome many_normal(const struct rg_box *box, struct rg_buffer *text,
                              struct rg_reason *why)
{
    RG_OWNED_BUFFER given = rg_buffer_take(text);
    RG_OWNED_BUFFER one = {.secret = true};
    struct rg_bytes rest = rg_buffer_peek(&given);
    size_t count = 0;
    text->secret = true;
    while (rest.len > 0) {
        struct rg_bytes part = rg_codes_part(&rest);
        rg_buffer_clear(&one);
        RG_TRY(rg_buffer_append(&one, part, why));
        if (part.len == 0 || part.len > type_row[box->type].bytes_max ||
            !type_row[box->type].fits(box, &one)) {
            return refuse(box, why);
        }
        if (holds_part(text, rg_buffer_peek(&one))) {
            continue;
        }
        RG_CHECK(++count <= RG_FORM_MANY_MAX, why, RG_LIMIT, "form-limit", "%s: at most %d values",
                 box->name, RG_FORM_MANY_MAX);
        RG_TRY(rg_buffer_append_text(text, text->len == 0 ? "" : ";", why));
        RG_TRY(rg_buffer_append(text, rg_buffer_peek(&one), why));
    }
    return rg_ok();
}

static rg_outcome value_normal(const struct rg_box *box, enum rg_field of, struct rg_bytes text,
                               struct rg_buffer *normal_out, struct rg_reason *why)
{
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_field_check(of, text, normal_out, &inner);
    RG_CHECK(outcome.code != RG_IO, why, RG_IO, "out-of-memory", "%s", inner.text);
    RG_CHECK(rg_is_ok(outcome), why, RG_MALFORMED, "form-value", "%s: %s: %s", box->name,
             rg_field_row(of)->name, inner.text);
    return rg_ok();
}

rg_outcome rg_box_check(const struct rg_box *box, const enum rg_field *of, struct rg_bytes text,
                        struct rg_buffer *normal_out, struct rg_reason *why)
{
    if (of != NULL) {
        return value_normal(box, *of, text, normal_out, why);
    }
    RG_CHECK(box->type != RG_BOX_ROWS && box->type != RG_BOX_FIELDS && box->type != RG_BOX_VALUE,
             why, RG_MALFORMED, "form-value", "%s: not a single value", box->name);
    struct rg_reason inner = {0};
    enum rg_text_form form = box->type == RG_BOX_WORDS ? RG_TEXT_LINES : RG_TEXT_LINE;
    rg_outcome outcome = rg_text_normal(text, rg_box_bytes_max(box), form, normal_out, &inner);
    RG_CHECK(outcome.code != RG_IO, why, RG_IO, "out-of-memory", "%s", inner.text);
    RG_CHECK(outcome.code != RG_LIMIT, why, RG_LIMIT, "form-limit", "%s: at most %zu bytes",
             box->name, rg_box_bytes_max(box));
    RG_CHECK(rg_is_ok(outcome), why, RG_MALFORMED, "form-value", "%s: %s", box->name, inner.text);
    if (normal_out->len == 0) {
        return rg_ok();
    }
    if (box->type == RG_BOX_CODES) {
        return codes_normal(box, normal_out, why);
    }
    if (box->many) {
        return many_normal(box, normal_out, why);
    }
    return type_row[box->type].fits(box, normal_out) ? rg_ok() : refuse(box, why);
}
