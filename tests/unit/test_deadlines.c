/* deadlines: working days of each country, holidays, local midnight, levels, the example file. */
#include "client/deadlines.h"

#include "core/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rg_wall at(const char *text)
{
    struct rg_wall wall = {0};
    assert_true(rg_is_ok(rg_wall_parse(text, &wall, NULL)));
    return wall;
}

static struct rg_deadlines *read_text(const char *text)
{
    struct rg_deadlines *out = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_deadlines_read(rg_bytes_of_text(text), &out, &why);
    if (!rg_is_ok(outcome)) {
        print_message("%s: %s\n", why.id, why.text);
    }
    assert_true(rg_is_ok(outcome));
    return out;
}

#define HEAD "format = \"referral-deadlines-1\"; "

static const char six[] =
    HEAD "countries = ({code = \"la\"; zone = \"+07:00\"; holidays = (\"12-02\", \"2026-12-03\");},"
         " {code = \"mm\"; zone = \"+06:30\";},"
         " {code = \"bd\"; zone = \"+06:00\"; weekend = (\"friday\", \"saturday\");});";

static void due_is(const struct rg_deadlines *deadlines, const char *span, const char *country,
                   const char *since, const char *due)
{
    struct rg_span parsed;
    char text[32];
    assert_true(rg_span_parse(span, &parsed));
    struct rg_deadline_clock clock =
        rg_deadlines_clock(deadlines, parsed, country, at(since), at(since));
    rg_wall_print(clock.due, text);
    assert_string_equal(text, due);
    assert_int_equal(clock.used, 0);
}

static void test_due(void **state)
{
    (void)state;
    RG_OWNED_DEADLINES *d = read_text(six);
    /* 2026-11-24 is a Tuesday */
    due_is(d, "1wd", "la", "2026-11-24T03:00:00Z", "2026-11-25T03:00:00Z");
    due_is(d, "5wd", "mm", "2026-11-24T03:00:00Z", "2026-12-01T03:00:00Z");
    due_is(d, "1wd", "la", "2026-11-27T08:00:00Z", "2026-11-30T08:00:00Z"); /* over a weekend */
    due_is(d, "5wd", "la", "2026-11-30T03:00:00Z", "2026-12-09T03:00:00Z"); /* 2nd, 3rd, weekend */
    due_is(d, "5wd", "mm", "2026-11-30T03:00:00Z", "2026-12-07T03:00:00Z"); /* not their holiday */
    /* what comes on a Saturday counts from Monday, local midnight */
    due_is(d, "1wd", "la", "2026-11-28T03:00:00Z", "2026-11-30T17:00:00Z");
    due_is(d, "1wd", "mm", "2026-11-28T03:00:00Z", "2026-11-30T17:30:00Z");
    /* Friday and Saturday are the weekend there */
    due_is(d, "1wd", "bd", "2026-11-26T03:00:00Z", "2026-11-29T03:00:00Z");
    /* late on Friday in UTC is Saturday there */
    due_is(d, "1wd", "la", "2026-11-27T20:00:00Z", "2026-11-30T17:00:00Z");
    due_is(d, "30d", "la", "2026-11-24T03:00:00Z", "2026-12-24T03:00:00Z");
    due_is(d, "4h", "la", "2026-11-28T22:30:00Z", "2026-11-29T02:30:00Z"); /* hours know no week */
    /* a country nobody described */
    due_is(d, "1wd", "id", "2026-12-01T03:00:00Z", "2026-12-02T03:00:00Z");
}

static unsigned used(const struct rg_deadlines *d, const char *span, const char *now,
                     enum rg_deadline_level level)
{
    struct rg_span parsed;
    assert_true(rg_span_parse(span, &parsed));
    struct rg_deadline_clock clock =
        rg_deadlines_clock(d, parsed, "la", at("2026-11-23T03:00:00Z"), at(now)); /* a Monday */
    assert_int_equal(rg_deadlines_level(d, &clock), level);
    return clock.used;
}

static void test_levels(void **state)
{
    (void)state;
    RG_OWNED_DEADLINES *d = read_text(six);
    assert_int_equal(used(d, "4wd", "2026-11-23T03:00:00Z", RG_LEVEL_NONE), 0);
    assert_int_equal(used(d, "4wd", "2026-11-25T02:00:00Z", RG_LEVEL_NONE), 48);
    assert_int_equal(used(d, "4wd", "2026-11-25T03:00:00Z", RG_LEVEL_REMINDER), 50);
    assert_int_equal(used(d, "4wd", "2026-11-27T02:00:00Z", RG_LEVEL_REMINDER), 98);
    assert_int_equal(used(d, "4wd", "2026-11-27T03:00:00Z", RG_LEVEL_LATE), 100);
    /* nothing is used up at a weekend */
    assert_int_equal(used(d, "4wd", "2026-11-28T03:00:00Z", RG_LEVEL_LATE),
                     used(d, "4wd", "2026-11-29T16:00:00Z", RG_LEVEL_LATE));
    assert_int_equal(used(d, "4wd", "2026-12-01T03:00:00Z", RG_LEVEL_ESCALATED), 150);
    assert_int_equal(used(d, "4wd", "2036-12-01T03:00:00Z", RG_LEVEL_ESCALATED), 1000);
    assert_int_equal(used(d, "4h", "2026-11-23T08:00:00Z", RG_LEVEL_LATE), 125);
    struct rg_deadline_clock none = rg_deadlines_clock(
        d, (struct rg_span){0}, "la", at("2026-11-23T03:00:00Z"), at("2036-11-23T03:00:00Z"));
    assert_int_equal(rg_deadlines_level(d, &none), RG_LEVEL_NONE);
}

static void test_defaults_are_the_catalogues(void **state)
{
    (void)state;
    RG_OWNED_DEADLINES *d = NULL;
    assert_true(rg_is_ok(rg_deadlines_new(&d, NULL)));
    struct rg_span five = rg_deadlines_span(d, 11);
    assert_int_equal(five.amount, 5);
    assert_int_equal(five.unit, RG_DEADLINE_WORKING_DAYS);
    assert_int_equal(rg_deadlines_span(d, 12).amount, 1);
    assert_int_equal(rg_deadlines_span(d, 18).unit, RG_DEADLINE_NONE);
    assert_int_equal(rg_deadlines_span(d, 4000).unit, RG_DEADLINE_NONE);
    assert_int_equal(rg_deadlines_zone(d, "mm"), 390);
    assert_int_equal(rg_deadlines_zone(d, "cn"), 480);
    assert_int_equal(rg_deadlines_zone(d, "xx"), 420);
    assert_true(rg_deadlines_works(d, "th", (struct rg_date){2026, 11, 24}));
    assert_false(rg_deadlines_works(d, "th", (struct rg_date){2026, 11, 22}));
}

static void test_the_file_changes_them(void **state)
{
    (void)state;
    RG_OWNED_DEADLINES *d = read_text(
        HEAD "reminder = \"80\"; answers = ({to = \"REFERRAL_REQUEST\"; within = \"3d\";},"
             " {to = \"TRACING_REQUEST\"; within = \"none\";});");
    assert_int_equal(rg_deadlines_span(d, 11).unit, RG_DEADLINE_DAYS);
    assert_int_equal(rg_deadlines_span(d, 11).amount, 3);
    assert_int_equal(rg_deadlines_span(d, 32).unit, RG_DEADLINE_NONE);
    struct rg_deadline_clock clock = {.due = {1}, .used = 79};
    assert_int_equal(rg_deadlines_level(d, &clock), RG_LEVEL_NONE);
}

static void test_what_is_refused(void **state)
{
    static const char *const text[] = {
        "format = \"referral-deadlines-2\";",
        HEAD "answers = ({to = \"NO_SUCH_KIND\"; within = \"5wd\";});",
        HEAD "answers = ({to = \"REFERRAL_REQUEST\"; within = \"5\";});",
        HEAD "answers = ({to = \"REFERRAL_REQUEST\"; within = \"0wd\";});",
        HEAD "answers = ({to = \"REFERRAL_REQUEST\"; within = \"1001d\";});",
        HEAD "answers = ({to = \"REFERRAL_REQUEST\"; within = \"5wd\"; else = \"x\";});",
        HEAD "countries = ({code = \"\";});",
        HEAD "countries = ({code = \"la\"; zone = \"7\";});",
        HEAD "countries = ({code = \"la\"; zone = \"+15:00\";});",
        HEAD "countries = ({code = \"la\"; weekend = (\"caturday\");});",
        HEAD "countries = ({code = \"la\"; holidays = (\"13-01\");});",
        HEAD "countries = ({code = \"la\"; holidays = (\"2026-02-30\");});",
        HEAD "countries = ({code = \"la\"; holidays = (\"2026-02\");});",
        HEAD "reminder = \"0\";",
        HEAD "reminder = \"120\";",
        HEAD "else = \"x\";",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
        struct rg_deadlines *none = NULL;
        struct rg_reason why = {0};
        assert_int_equal(rg_deadlines_read(rg_bytes_of_text(text[i]), &none, &why).code,
                         RG_MALFORMED);
        assert_null(none);
    }
}

static void test_the_example(void **state)
{
    static const char *const country[] = {"kh", "cn", "la", "mm", "th", "vn"};
    static const struct rg_date day[] = {{2026, 11, 9}, {2026, 10, 1}, {2026, 12, 2},
                                         {2027, 1, 4},  {2028, 12, 5}, {2026, 9, 2}};
    RG_OWNED_BUFFER text = {0};
    (void)state;
    assert_true(rg_is_ok(rg_file_read(RG_SOURCE_DIR "/conf/deadlines.cfg", 1 << 20, &text, NULL)));
    RG_OWNED_DEADLINES *d = NULL;
    assert_true(rg_is_ok(rg_deadlines_read(rg_buffer_peek(&text), &d, NULL)));
    for (size_t i = 0; i < 6; i++) {
        assert_false(rg_deadlines_works(d, country[i], day[i]));
        assert_int_equal(rg_deadlines_zone(d, country[i]), i == 3 ? 390 : i == 1 ? 480 : 420);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_defaults_are_the_catalogues),
        cmocka_unit_test(test_the_file_changes_them),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_the_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
