/*
 * How it works
 *   Before libconfig sees a byte, a small lexer of our own walks the whole text. It splits it as
 *   libconfig's scanner does (strings, comments, words, punctuation) and lets through only what
 *   trust documents and configs need: names, strings, true/false and brackets. So `@include`, a
 *   bare number of any size, a NUL or a `\x00` escape, a nesting deeper than DEPTH_MAX and a group
 *   with more than RG_SETTINGS_NAMES_MAX names (libconfig looks for duplicates one by one) never
 *   reach it. libconfig itself refuses duplicate names.
 *   Invariant: what libconfig holds afterwards is groups, lists, strings and booleans only.
 */
#include "core/settings.h"

#include "core/limits.h"

#include <libconfig.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 16

struct rg_settings {
    config_t config;
};

struct lexer {
    const uint8_t *at;
    const uint8_t *end;
    unsigned line;
    size_t depth;
    uint8_t closing[DEPTH_MAX];
    unsigned names[DEPTH_MAX + 1];
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_start(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '*';
}

static bool is_word(uint8_t c)
{
    return is_word_start(c) || is_digit(c) || c == '-' || c == '_';
}

static bool left(const struct lexer *lexer, size_t bytes)
{
    return (size_t)(lexer->end - lexer->at) >= bytes;
}

static bool starts(const struct lexer *lexer, const char *two)
{
    return left(lexer, 2) && lexer->at[0] == (uint8_t)two[0] && lexer->at[1] == (uint8_t)two[1];
}

static void step(struct lexer *lexer)
{
    lexer->line += *lexer->at == '\n';
    lexer->at++;
}

static rg_outcome syntax(const struct lexer *lexer, const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "settings-syntax", "line %u: %s", lexer->line, what);
}

static void skip_line(struct lexer *lexer)
{
    while (left(lexer, 1) && *lexer->at != '\n') {
        lexer->at++;
    }
}

static rg_outcome skip_block_comment(struct lexer *lexer, struct rg_reason *why)
{
    lexer->at += 2;
    while (!starts(lexer, "*/")) {
        if (!left(lexer, 1)) {
            return syntax(lexer, "a comment is not closed", why);
        }
        step(lexer);
    }
    lexer->at += 2;
    return rg_ok();
}

static bool is_escape(uint8_t c)
{
    return c == '"' || c == '\\' || c == 'n' || c == 't';
}

/* Only \" \\ \n \t: a \x00 would cut the string short for every reader of a C string. */
static rg_outcome skip_string(struct lexer *lexer, struct rg_reason *why)
{
    lexer->at++;
    while (left(lexer, 1) && *lexer->at != '"') {
        if (*lexer->at == '\\') {
            lexer->at++;
            if (!left(lexer, 1) || !is_escape(*lexer->at)) {
                return syntax(lexer, "only \\\" \\\\ \\n and \\t may follow a backslash", why);
            }
        }
        step(lexer);
    }
    if (!left(lexer, 1)) {
        return syntax(lexer, "a string is not closed", why);
    }
    lexer->at++;
    return rg_ok();
}

static rg_outcome open_bracket(struct lexer *lexer, struct rg_reason *why)
{
    if (lexer->depth == DEPTH_MAX) {
        return syntax(lexer, "nested too deeply", why);
    }
    uint8_t open = *lexer->at++;
    lexer->closing[lexer->depth++] = open == '{' ? '}' : open == '(' ? ')' : ']';
    lexer->names[lexer->depth] = 0;
    return rg_ok();
}

static rg_outcome close_bracket(struct lexer *lexer, struct rg_reason *why)
{
    if (lexer->depth == 0 || lexer->closing[lexer->depth - 1] != *lexer->at) {
        return syntax(lexer, "a bracket closes what is not open", why);
    }
    lexer->depth--;
    lexer->at++;
    return rg_ok();
}

static rg_outcome count_name(struct lexer *lexer, struct rg_reason *why)
{
    lexer->at++;
    RG_CHECK(++lexer->names[lexer->depth] <= RG_SETTINGS_NAMES_MAX, why, RG_LIMIT,
             "settings-too-large", "line %u: more than %d names in one group", lexer->line,
             RG_SETTINGS_NAMES_MAX);
    return rg_ok();
}

static void skip_word(struct lexer *lexer)
{
    while (left(lexer, 1) && is_word(*lexer->at)) {
        lexer->at++;
    }
}

static rg_outcome next_token(struct lexer *lexer, struct rg_reason *why)
{
    uint8_t c = *lexer->at;
    if (c == '#' || starts(lexer, "//")) {
        skip_line(lexer);
        return rg_ok();
    }
    if (starts(lexer, "/*")) {
        return skip_block_comment(lexer, why);
    }
    if (is_word_start(c)) {
        skip_word(lexer);
        return rg_ok();
    }
    RG_CHECK(c != '@', why, RG_MALFORMED, "settings-include",
             "line %u: @include is not allowed, put everything into this file", lexer->line);
    RG_CHECK(!is_digit(c) && c != '+' && c != '-' && c != '.', why, RG_MALFORMED, "settings-type",
             "line %u: write numbers as strings, \"7\" or \"30d\"", lexer->line);
    switch (c) {
    case '"':
        return skip_string(lexer, why);
    case '{':
    case '(':
    case '[':
        return open_bracket(lexer, why);
    case '}':
    case ')':
    case ']':
        return close_bracket(lexer, why);
    case '=':
    case ':':
        return count_name(lexer, why);
    case ';':
    case ',':
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        step(lexer);
        return rg_ok();
    default:
        return syntax(lexer, "a character that means nothing here", why);
    }
}

static rg_outcome lex(struct rg_bytes text, struct rg_reason *why)
{
    struct lexer lexer = {.at = text.data, .end = text.data + text.len, .line = 1};
    while (left(&lexer, 1)) {
        RG_TRY(next_token(&lexer, why));
    }
    return lexer.depth == 0 ? rg_ok() : syntax(&lexer, "a bracket is not closed", why);
}

/* Length of the UTF-8 sequence at `at`, 0 when it is none (RFC 3629: shortest form, no surrogates).
 */
static size_t utf8_length(const uint8_t *at, size_t len)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t need = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || need > len) {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool outside = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return overlong || outside ? 0 : need;
}

static bool is_plain_utf8(struct rg_bytes text)
{
    size_t at = 0;
    while (at < text.len) {
        size_t length = utf8_length(text.data + at, text.len - at);
        if (length == 0 || text.data[at] == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

static rg_outcome parse_error(const config_t *config, struct rg_reason *why)
{
    const char *text = config_error_text(config);
    bool duplicate = text != NULL && strstr(text, "duplicate") != NULL;
    return rg_fail(why, RG_MALFORMED, duplicate ? "settings-duplicate" : "settings-syntax",
                   "line %d: %s", config_error_line(config),
                   text != NULL ? text : "cannot be read");
}

rg_outcome rg_settings_parse(struct rg_bytes text, size_t bytes_max, struct rg_settings **out,
                             struct rg_reason *why)
{
    RG_CHECK(text.len <= bytes_max, why, RG_LIMIT, "settings-too-large",
             "text of %zu bytes, at most %zu are allowed", text.len, bytes_max);
    RG_CHECK(is_plain_utf8(text), why, RG_MALFORMED, "settings-syntax",
             "the text is not UTF-8, or holds a NUL");
    RG_TRY(lex(text, why));
    RG_OWNED_BUFFER copy = {0};
    RG_TRY(rg_buffer_append(&copy, text, why));
    RG_TRY(rg_buffer_append(&copy, rg_bytes_of("", 1), why));
    struct rg_settings *settings = calloc(1, sizeof(*settings));
    RG_CHECK(settings != NULL, why, RG_IO, "out-of-memory", "cannot allocate settings");
    config_init(&settings->config);
    config_set_auto_convert(&settings->config, CONFIG_FALSE);
    if (config_read_string(&settings->config, (const char *)copy.data) != CONFIG_TRUE) {
        rg_outcome outcome = parse_error(&settings->config, why);
        rg_settings_free(settings);
        return outcome;
    }
    *out = settings;
    return rg_ok();
}

void rg_settings_free(struct rg_settings *settings)
{
    if (settings != NULL) {
        config_destroy(&settings->config);
        free(settings);
    }
}

void rg_settings_cleanup(struct rg_settings **settings)
{
    rg_settings_free(*settings);
}

/* A group is a config_setting_t under a name of our own, so that libconfig.h stays in this file. */
static const config_setting_t *setting_of(const rg_group *group)
{
    return (const config_setting_t *)(const void *)group;
}

static const rg_group *group_of(const config_setting_t *setting)
{
    return (const rg_group *)(const void *)setting;
}

static const config_setting_t *member(const rg_group *group, const char *name)
{
    return config_setting_get_member(setting_of(group), name);
}

/* Stated by itself, so that whoever reads (or analyses) a typed read sees that it did not succeed.
 */
static const rg_outcome malformed = {.code = RG_MALFORMED};

static rg_outcome missing(const rg_group *group, const char *name, struct rg_reason *why)
{
    (void)rg_fail(why, RG_MALFORMED, "settings-missing", "line %u: \"%s\" is missing",
                  (unsigned)config_setting_source_line(setting_of(group)), name);
    return malformed;
}

static rg_outcome wrong_type(const config_setting_t *found, const char *name, const char *wanted,
                             struct rg_reason *why)
{
    (void)rg_fail(why, RG_MALFORMED, "settings-type", "line %u: \"%s\" must be %s",
                  (unsigned)config_setting_source_line(found), name, wanted);
    return malformed;
}

static rg_outcome wrong_value(const rg_group *group, const char *name, const char *wanted,
                              struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    (void)rg_fail(why, RG_MALFORMED, "settings-value", "line %u: \"%s\" must be %s",
                  found != NULL ? (unsigned)config_setting_source_line(found) : 0, name, wanted);
    return malformed;
}

const rg_group *rg_settings_root(const struct rg_settings *settings)
{
    return group_of(config_root_setting(&settings->config));
}

bool rg_settings_has(const rg_group *group, const char *name)
{
    return member(group, name) != NULL;
}

rg_outcome rg_settings_text(const rg_group *group, const char *name, const char **out,
                            struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    if (found == NULL) {
        return missing(group, name, why);
    }
    if (config_setting_type(found) != CONFIG_TYPE_STRING) {
        return wrong_type(found, name, "a string in quotes", why);
    }
    *out = config_setting_get_string(found);
    return rg_ok();
}

rg_outcome rg_settings_text_or(const rg_group *group, const char *name, const char *fallback,
                               const char **out, struct rg_reason *why)
{
    if (rg_settings_has(group, name)) {
        return rg_settings_text(group, name, out, why);
    }
    *out = fallback;
    return rg_ok();
}

rg_outcome rg_settings_flag_or(const rg_group *group, const char *name, bool fallback, bool *out,
                               struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    if (found == NULL) {
        *out = fallback;
        return rg_ok();
    }
    if (config_setting_type(found) != CONFIG_TYPE_BOOL) {
        return wrong_type(found, name, "true or false, without quotes", why);
    }
    *out = config_setting_get_bool(found) == CONFIG_TRUE;
    return rg_ok();
}

#define NUMBER_MAX (UINT64_C(1) << 53)

/* Reads decimal digits, no sign, no leading zero but "0"; false when there are none or too many. */
static bool read_number(const char **text, uint64_t *out)
{
    const char *at = *text;
    uint64_t value = 0;
    if (!is_digit((uint8_t)*at) || (at[0] == '0' && is_digit((uint8_t)at[1]))) {
        return false;
    }
    for (; is_digit((uint8_t)*at); at++) {
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > NUMBER_MAX) {
            return false;
        }
    }
    *text = at;
    *out = value;
    return true;
}

rg_outcome rg_settings_count(const rg_group *group, const char *name, uint64_t *out,
                             struct rg_reason *why)
{
    const char *text = NULL;
    uint64_t value = 0;
    RG_TRY(rg_settings_text(group, name, &text, why));
    if (!read_number(&text, &value) || *text != '\0') {
        return wrong_value(group, name, "a whole number in quotes, like \"7\"", why);
    }
    *out = value;
    return rg_ok();
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit span_unit[] = {
    {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000},
};
static const struct unit bytes_unit[] = {
    {"B", 1},
    {"KiB", 1024},
    {"MiB", 1048576},
    {"GiB", 1073741824},
};

static bool read_quantity(const char *text, const struct unit *unit, size_t units, uint64_t *out)
{
    uint64_t number = 0;
    if (!read_number(&text, &number)) {
        return false;
    }
    for (size_t i = 0; i < units; i++) {
        if (strcmp(text, unit[i].name) == 0) {
            return !__builtin_mul_overflow(number, unit[i].factor, out) && *out <= NUMBER_MAX;
        }
    }
    return false;
}

rg_outcome rg_settings_span_ms_or(const rg_group *group, const char *name, int64_t fallback_ms,
                                  int64_t *out, struct rg_reason *why)
{
    const char *text = NULL;
    uint64_t value = 0;
    RG_TRY(rg_settings_text_or(group, name, NULL, &text, why));
    if (text == NULL) {
        *out = fallback_ms;
        return rg_ok();
    }
    if (!read_quantity(text, span_unit, sizeof(span_unit) / sizeof(span_unit[0]), &value)) {
        return wrong_value(group, name,
                           "a time like \"500ms\", \"10s\", \"5min\", \"72h\", \"30d\"", why);
    }
    *out = (int64_t)value;
    return rg_ok();
}

rg_outcome rg_settings_bytes_or(const rg_group *group, const char *name, uint64_t fallback_bytes,
                                uint64_t *out, struct rg_reason *why)
{
    const char *text = NULL;
    uint64_t value = 0;
    RG_TRY(rg_settings_text_or(group, name, NULL, &text, why));
    if (text == NULL) {
        *out = fallback_bytes;
        return rg_ok();
    }
    if (!read_quantity(text, bytes_unit, sizeof(bytes_unit) / sizeof(bytes_unit[0]), &value)) {
        return wrong_value(group, name, "a size like \"512B\", \"64KiB\", \"32MiB\", \"1GiB\"",
                           why);
    }
    *out = value;
    return rg_ok();
}

rg_outcome rg_settings_time(const rg_group *group, const char *name, struct rg_wall *out,
                            struct rg_reason *why)
{
    const char *text = NULL;
    RG_TRY(rg_settings_text(group, name, &text, why));
    if (!rg_is_ok(rg_wall_parse(text, out, NULL))) {
        return wrong_value(group, name, "a time like \"2026-11-24T08:00:00Z\"", why);
    }
    return rg_ok();
}

static bool is_list(const config_setting_t *setting)
{
    return config_setting_is_list(setting) || config_setting_is_array(setting);
}

rg_outcome rg_settings_list_size(const rg_group *group, const char *name, size_t max, size_t *out,
                                 struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    if (found == NULL) {
        *out = 0;
        return rg_ok();
    }
    if (!is_list(found)) {
        return wrong_type(found, name, "a list in round brackets", why);
    }
    size_t size = (size_t)config_setting_length(found);
    RG_CHECK(size <= max, why, RG_LIMIT, "settings-too-large",
             "line %u: \"%s\" has %zu entries, at most %zu are allowed",
             (unsigned)config_setting_source_line(found), name, size, max);
    *out = size;
    return rg_ok();
}

/* NULL when there is no such element. */
static const config_setting_t *element_at(const rg_group *group, const char *name, size_t at)
{
    const config_setting_t *found = member(group, name);
    bool reaches = found != NULL && is_list(found) && at < (size_t)config_setting_length(found);
    return reaches ? config_setting_get_elem(found, (unsigned)at) : NULL;
}

static rg_outcome wrong_element(const rg_group *group, const char *name, const char *wanted,
                                struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    return found == NULL ? missing(group, name, why) : wrong_type(found, name, wanted, why);
}

rg_outcome rg_settings_list_group(const rg_group *group, const char *name, size_t at,
                                  const rg_group **out, struct rg_reason *why)
{
    const config_setting_t *element = element_at(group, name, at);
    if (element == NULL || !config_setting_is_group(element)) {
        return wrong_element(group, name, "a list of groups, ( { ... }, { ... } )", why);
    }
    *out = group_of(element);
    return rg_ok();
}

rg_outcome rg_settings_list_text(const rg_group *group, const char *name, size_t at,
                                 const char **out, struct rg_reason *why)
{
    const config_setting_t *element = element_at(group, name, at);
    if (element == NULL || config_setting_type(element) != CONFIG_TYPE_STRING) {
        return wrong_element(group, name, "a list of strings, ( \"a\", \"b\" )", why);
    }
    *out = config_setting_get_string(element);
    return rg_ok();
}

rg_outcome rg_settings_group(const rg_group *group, const char *name, const rg_group **out,
                             struct rg_reason *why)
{
    const config_setting_t *found = member(group, name);
    if (found == NULL) {
        return missing(group, name, why);
    }
    if (!config_setting_is_group(found)) {
        return wrong_type(found, name, "a group in curly brackets", why);
    }
    *out = group_of(found);
    return rg_ok();
}

static bool is_one_of(const char *text, const char *const *name, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, name[i]) == 0) {
            return true;
        }
    }
    return false;
}

rg_outcome rg_settings_known(const rg_group *group, const char *const *name, size_t count,
                             struct rg_reason *why)
{
    size_t size = (size_t)config_setting_length(setting_of(group));
    for (size_t i = 0; i < size; i++) {
        const config_setting_t *found = config_setting_get_elem(setting_of(group), (unsigned)i);
        RG_CHECK(is_one_of(config_setting_name(found), name, count), why, RG_MALFORMED,
                 "settings-unknown", "line %u: \"%.60s\" is not a known setting here",
                 (unsigned)config_setting_source_line(found), config_setting_name(found));
    }
    return rg_ok();
}

void rg_wall_print(struct rg_wall wall, char out[32])
{
    int64_t seconds = wall.ms / 1000 - (wall.ms % 1000 < 0);
    time_t time = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        (void)snprintf(out, 32, "time-out-of-range");
    }
}

/* "d" stands for a digit; any other character for itself. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; text++, shape++) {
        bool fits = *shape == 'd' ? is_digit((uint8_t)*text) : *text == *shape;
        if (!fits) {
            return false;
        }
    }
    return *text == '\0';
}

static int two_digits(const char *at)
{
    return (at[0] - '0') * 10 + (at[1] - '0');
}

rg_outcome rg_wall_parse(const char *text, struct rg_wall *out, struct rg_reason *why)
{
    bool day_only = has_shape(text, "dddd-dd-dd");
    RG_CHECK(day_only || has_shape(text, "dddd-dd-ddTdd:dd:ddZ"), why, RG_MALFORMED,
             "settings-value", "a time must look like 2026-11-24 or 2026-11-24T08:00:00Z");
    struct tm parts = {.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900,
                       .tm_mon = two_digits(text + 5) - 1,
                       .tm_mday = two_digits(text + 8)};
    if (!day_only) {
        parts.tm_hour = two_digits(text + 11);
        parts.tm_min = two_digits(text + 14);
        parts.tm_sec = two_digits(text + 17);
    }
    struct tm wanted = parts;
    int64_t seconds = (int64_t)timegm(&parts); /* normalizes: 30 February becomes 2 March */
    bool same = parts.tm_mon == wanted.tm_mon && parts.tm_mday == wanted.tm_mday &&
                parts.tm_hour == wanted.tm_hour && parts.tm_min == wanted.tm_min &&
                parts.tm_sec == wanted.tm_sec;
    RG_CHECK(same && seconds >= 0, why, RG_MALFORMED, "settings-value",
             "no such day or time, or before 1970");
    *out = (struct rg_wall){.ms = seconds * 1000};
    return rg_ok();
}
