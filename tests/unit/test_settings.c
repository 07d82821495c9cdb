/* settings: what is read, and each thing that must never reach libconfig. */
#include "core/limits.h"
#include "core/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rg_settings *parsed(const char *text)
{
    struct rg_settings *settings = NULL;
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_settings_parse(rg_bytes_of_text(text), RG_KIB, &settings, &why))) {
        fail_msg("%s: %s", why.id, why.text);
    }
    return settings;
}

static void assert_refused(const char *text, size_t len, enum rg_code code, const char *id)
{
    struct rg_settings *settings = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_settings_parse(rg_bytes_of(text, len), RG_KIB, &settings, &why);
    assert_null(settings);
    assert_int_equal(outcome.code, code);
    assert_string_equal(why.id, id);
}

static void assert_malformed(const char *text, const char *id)
{
    assert_refused(text, strlen(text), RG_MALFORMED, id);
}

static void test_reads_every_type(void **state)
{
    (void)state;
    RG_OWNED_SETTINGS *settings = parsed(
        "# comment with @include \"x\" and \"quotes\n// another 12\n/* 3 @include */\n"
        "country = \"th\"; on = true; counter = \"7\"; wait = \"72h\"; size = \"64KiB\";\n"
        "since = \"2026-11-24T08:00:00Z\"; hosts = (\"a\", \"b@include\");\n"
        "offices = ({ name = \"\\\"quoted\\\"\"; }, { name = \"ศูนย์\"; }); sub = { x = \"1\"; };");
    const rg_group *root = rg_settings_root(settings);
    const rg_group *group = NULL;
    const char *text = NULL;
    uint64_t number = 0;
    int64_t span = 0;
    size_t size = 0;
    bool on = false;
    struct rg_wall wall = {0};
    assert_true(rg_is_ok(rg_settings_text(root, "country", &text, NULL)));
    assert_string_equal(text, "th");
    assert_true(rg_is_ok(rg_settings_flag_or(root, "on", false, &on, NULL)) && on);
    assert_true(rg_is_ok(rg_settings_count(root, "counter", &number, NULL)) && number == 7);
    assert_true(rg_is_ok(rg_settings_span_ms_or(root, "wait", 0, &span, NULL)));
    assert_int_equal(span, INT64_C(72) * 3600 * 1000);
    assert_true(rg_is_ok(rg_settings_bytes_or(root, "size", 0, &number, NULL)) && number == 65536);
    assert_true(rg_is_ok(rg_settings_time(root, "since", &wall, NULL)));
    assert_int_equal(wall.ms, INT64_C(1795507200000));
    assert_true(rg_is_ok(rg_settings_list_size(root, "hosts", 2, &size, NULL)) && size == 2);
    assert_true(rg_is_ok(rg_settings_list_text(root, "hosts", 1, &text, NULL)));
    assert_string_equal(text, "b@include");
    assert_true(rg_is_ok(rg_settings_list_group(root, "offices", 0, &group, NULL)));
    assert_true(rg_is_ok(rg_settings_text(group, "name", &text, NULL)));
    assert_string_equal(text, "\"quoted\"");
    assert_true(rg_is_ok(rg_settings_group(root, "sub", &group, NULL)));
    assert_true(rg_settings_has(group, "x") && !rg_settings_has(group, "y"));
}

static void test_absent_values_fall_back(void **state)
{
    (void)state;
    RG_OWNED_SETTINGS *settings = parsed("a = \"1\";");
    const rg_group *root = rg_settings_root(settings);
    const char *text = NULL;
    int64_t span = 0;
    size_t size = 9;
    bool on = false;
    assert_true(rg_is_ok(rg_settings_text_or(root, "x", "y", &text, NULL)));
    assert_string_equal(text, "y");
    assert_true(rg_is_ok(rg_settings_span_ms_or(root, "x", 5, &span, NULL)) && span == 5);
    assert_true(rg_is_ok(rg_settings_flag_or(root, "x", true, &on, NULL)) && on);
    assert_true(rg_is_ok(rg_settings_list_size(root, "x", 1, &size, NULL)) && size == 0);
    struct rg_reason why = {0};
    assert_int_equal(rg_settings_text(root, "x", &text, &why).code, RG_MALFORMED);
    assert_string_equal(why.id, "settings-missing");
}

static void test_include_is_refused_wherever_libconfig_would_see_it(void **state)
{
    (void)state;
    assert_malformed("@include \"/etc/passwd\"\n", "settings-include");
    assert_malformed("a = \"1\";\n \t@include \"x\"\n", "settings-include");
    assert_malformed("/* c */ @include \"x\"\n", "settings-include");
    assert_malformed("a = { @include \"x\"\n };", "settings-include");
    assert_malformed("a = \"\\\\\";\n@include \"x\"\n", "settings-include");
    assert_malformed("// \"\n@include \"x\"\n", "settings-include");
    assert_malformed("a = \"/*\";\n@include \"x\" # */\n", "settings-include");
}

static void test_duplicate_names_are_refused(void **state)
{
    (void)state;
    assert_malformed("a = \"1\"; a = \"2\";", "settings-duplicate");
    assert_malformed("l = ({ a = \"1\"; a = \"2\"; });", "settings-duplicate");
}

static void test_numbers_outside_strings_are_refused(void **state)
{
    (void)state;
    const char *const number[] = {"7",    "-7",         "+7",          ".5",
                                  "0x10", "4294967297", "5000000000L", "1e3"};
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "a = %s;", number[i]);
        assert_malformed(text, "settings-type");
    }
}

static void test_broken_text_is_refused(void **state)
{
    (void)state;
    static const char nul[] = "a = \"1\0\";";
    assert_refused(nul, sizeof(nul) - 1, RG_MALFORMED, "settings-syntax");
    assert_malformed("a = \"\\x00\";", "settings-syntax");
    assert_malformed("a = \"\xc0\x80\";", "settings-syntax");
    assert_malformed("a = \"\xed\xa0\x80\";", "settings-syntax");
    assert_malformed("a = \"open", "settings-syntax");
    assert_malformed("a = \"open\\", "settings-syntax");
    assert_malformed("/* open", "settings-syntax");
    assert_malformed("a = { b = \"1\"; ", "settings-syntax");
    assert_malformed("a = ( \"1\" };", "settings-syntax");
    assert_malformed("a = word;", "settings-syntax");
    assert_malformed("a = ((((((((((((((((((\"x\"))))))))))))))))));", "settings-syntax");
    assert_malformed("a / b", "settings-syntax");
}

static void test_size_is_bounded(void **state)
{
    (void)state;
    char text[RG_KIB + 1];
    memset(text, ' ', sizeof(text));
    struct rg_settings *settings = NULL;
    assert_refused(text, sizeof(text), RG_LIMIT, "settings-too-large");
    assert_true(rg_is_ok(rg_settings_parse(rg_bytes_of(text, RG_KIB), RG_KIB, &settings, NULL)));
    rg_settings_free(settings);
}

static void test_names_in_a_group_are_bounded(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    for (int i = 0; i <= RG_SETTINGS_NAMES_MAX; i++) {
        assert_true(rg_is_ok(rg_buffer_print(&text, NULL, "n%d=\"\";", i)));
    }
    struct rg_settings *settings = NULL;
    struct rg_reason why = {0};
    assert_int_equal(rg_settings_parse(rg_buffer_peek(&text), 64 * RG_KIB, &settings, &why).code,
                     RG_LIMIT);
    assert_string_equal(why.id, "settings-too-large");
}

static void test_wrong_types_and_values_have_reasons(void **state)
{
    (void)state;
    RG_OWNED_SETTINGS *settings =
        parsed("t = \"x\"; b = true; n = \"-1\"; z = \"007\"; huge = \"99999999999999999\";"
               "w = \"5 h\"; d = \"2026-02-30\"; e = \"2026-1-1\"; l = (\"a\", { x = \"1\"; });");
    const rg_group *root = rg_settings_root(settings);
    struct rg_reason why = {0};
    const char *text = NULL;
    const rg_group *group = NULL;
    uint64_t number = 0;
    int64_t span = 0;
    size_t size = 0;
    bool on = false;
    struct rg_wall wall = {0};
#define REFUSED(call, wanted)                                                                      \
    do {                                                                                           \
        why = (struct rg_reason){0};                                                               \
        assert_false(rg_is_ok(call));                                                              \
        assert_string_equal(why.id, wanted);                                                       \
    } while (0)
    REFUSED(rg_settings_text(root, "b", &text, &why), "settings-type");
    REFUSED(rg_settings_flag_or(root, "t", false, &on, &why), "settings-type");
    REFUSED(rg_settings_count(root, "n", &number, &why), "settings-value");
    REFUSED(rg_settings_count(root, "z", &number, &why), "settings-value");
    REFUSED(rg_settings_count(root, "huge", &number, &why), "settings-value");
    REFUSED(rg_settings_span_ms_or(root, "w", 0, &span, &why), "settings-value");
    REFUSED(rg_settings_bytes_or(root, "w", 0, &number, &why), "settings-value");
    REFUSED(rg_settings_time(root, "d", &wall, &why), "settings-value");
    REFUSED(rg_settings_time(root, "e", &wall, &why), "settings-value");
    REFUSED(rg_settings_list_size(root, "l", 1, &size, &why), "settings-too-large");
    REFUSED(rg_settings_list_size(root, "t", 1, &size, &why), "settings-type");
    REFUSED(rg_settings_list_group(root, "l", 0, &group, &why), "settings-type");
    REFUSED(rg_settings_list_text(root, "l", 1, &text, &why), "settings-type");
    REFUSED(rg_settings_list_text(root, "l", 2, &text, &why), "settings-type");
    REFUSED(rg_settings_group(root, "t", &group, &why), "settings-type");
    static const char *const known[] = {"t", "b"};
    REFUSED(rg_settings_known(root, known, 2, &why), "settings-unknown");
#undef REFUSED
}

static void test_times_print_and_parse_back(void **state)
{
    (void)state;
    char text[32];
    struct rg_wall wall = {0};
    assert_true(rg_is_ok(rg_wall_parse("2028-02-29T23:59:59Z", &wall, NULL)));
    rg_wall_print((struct rg_wall){.ms = wall.ms + 999}, text);
    assert_string_equal(text, "2028-02-29T23:59:59Z");
    assert_true(rg_is_ok(rg_wall_parse("1970-01-01", &wall, NULL)) && wall.ms == 0);
    assert_false(rg_is_ok(rg_wall_parse("1969-12-31", &wall, NULL)));
    assert_false(rg_is_ok(rg_wall_parse("2026-11-24T24:00:00Z", &wall, NULL)));
    assert_false(rg_is_ok(rg_wall_parse("2026-11-24T08:00:00+07:00", &wall, NULL)));
}

/* conf/ shows people what to write, so it must be what the parser takes. */
static void test_the_examples_in_conf_are_read(void **state)
{
    (void)state;
    static const char *const name[] = {"charter", "page-th", "domestic-th", "stop-th"};
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        RG_OWNED_BUFFER text = {0};
        RG_OWNED_SETTINGS *settings = NULL;
        struct rg_reason why = {0};
        const char *format = NULL;
        char path[512];
        (void)snprintf(path, sizeof(path), RG_SOURCE_DIR "/conf/trust/%s.cfg", name[i]);
        assert_true(rg_is_ok(rg_file_read(path, RG_DOCUMENT_BYTES_MAX, &text, &why)));
        if (!rg_is_ok(
                rg_settings_parse(rg_buffer_peek(&text), RG_DOCUMENT_BYTES_MAX, &settings, &why))) {
            fail_msg("%s: %s", path, why.text);
        }
        assert_true(
            rg_is_ok(rg_settings_text(rg_settings_root(settings), "format", &format, NULL)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_every_type),
        cmocka_unit_test(test_absent_values_fall_back),
        cmocka_unit_test(test_include_is_refused_wherever_libconfig_would_see_it),
        cmocka_unit_test(test_duplicate_names_are_refused),
        cmocka_unit_test(test_numbers_outside_strings_are_refused),
        cmocka_unit_test(test_broken_text_is_refused),
        cmocka_unit_test(test_size_is_bounded),
        cmocka_unit_test(test_names_in_a_group_are_bounded),
        cmocka_unit_test(test_wrong_types_and_values_have_reasons),
        cmocka_unit_test(test_times_print_and_parse_back),
        cmocka_unit_test(test_the_examples_in_conf_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
