/* How it works: each check consumes the text part by part; nothing is copied. */
#include "core/syntax.h"

#include <string.h>

#define COUNTRY_LEN_MIN 2
#define COUNTRY_LEN_MAX 8

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool rg_syntax_name(struct rg_bytes text)
{
    if (text.len == 0 || text.data[0] == '-' || text.data[text.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!is_name_byte(text.data[i])) {
            return false;
        }
    }
    return true;
}

bool rg_syntax_country(struct rg_bytes text)
{
    return text.len >= COUNTRY_LEN_MIN && text.len <= COUNTRY_LEN_MAX && rg_syntax_name(text) &&
           text.data[0] >= 'a' && memchr(text.data, '-', text.len) == NULL;
}

bool rg_syntax_country_or_none(struct rg_bytes text)
{
    return text.len == 0 || rg_syntax_country(text);
}

/* What stands before the first '/', which is taken off `rest`; all of it when there is none. */
static struct rg_bytes part_take(struct rg_bytes *rest)
{
    const uint8_t *slash = rest->len == 0 ? NULL : memchr(rest->data, '/', rest->len);
    struct rg_bytes part = *rest;
    if (slash == NULL) {
        *rest = rg_bytes_of(NULL, 0);
        return part;
    }
    part.len = (size_t)(slash - rest->data);
    *rest = rg_bytes_of(slash + 1, rest->len - part.len - 1);
    return part;
}

bool rg_syntax_office(struct rg_bytes text)
{
    return rg_syntax_country(part_take(&text)) && rg_syntax_name(text);
}

bool rg_syntax_principal(struct rg_bytes text)
{
    static const char scheme[] = "referral://";
    size_t scheme_len = sizeof(scheme) - 1;
    if (text.len <= scheme_len || memcmp(text.data, scheme, scheme_len) != 0) {
        return false;
    }
    struct rg_bytes rest = rg_bytes_of(text.data + scheme_len, text.len - scheme_len);
    if (!rg_syntax_country(part_take(&rest)) || !rg_syntax_name(part_take(&rest))) {
        return false;
    }
    bool ends_in_slash = text.data[text.len - 1] == '/';
    return rest.len == 0 ? !ends_in_slash : rg_syntax_name(rest);
}

bool rg_syntax_origin(struct rg_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '+') {
            return false;
        }
    }
    return text.len > 0;
}

/* What ends a line, or what a terminal obeys: C0, C1, line separators, reversal of direction. `at`
 * is UTF-8 of `len` bytes. */
static bool is_control(const uint8_t *at, size_t len)
{
    if (at[0] < ' ' || at[0] == 0x7f) {
        return true;
    }
    if (len >= 2 && at[0] == 0xc2) { /* U+0080 to U+009F */
        return at[1] < 0xa0;
    }
    if (len < 3 || at[0] != 0xe2) {
        return false;
    }
    bool separator = at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae; /* U+2028 to U+202E */
    bool isolate = at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;   /* U+2066 to U+2069 */
    return separator || isolate;
}

bool rg_syntax_line(struct rg_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_control(text.data + i, text.len - i)) {
            return false;
        }
    }
    return true;
}
