/* exclusions: what an entry may look like, whom it shuts out, and that it only ever says one thing.
 */
#include "client/exclusions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rg_exclusion parsed(const char *text)
{
    struct rg_exclusion entry;
    assert_true(rg_is_ok(rg_exclusion_parse(text, &entry, NULL)));
    char back[256];
    rg_exclusion_print(&entry, back, sizeof(back));
    assert_string_equal(back, text);
    return entry;
}

static void test_entries(void **state)
{
    (void)state;
    assert_int_equal(parsed("referral://th/border/officer-2").kind, RG_EXCLUDE_OFFICER);
    assert_int_equal(parsed("th/border").kind, RG_EXCLUDE_OFFICE);
    assert_int_equal(parsed("point TH-MM-1").kind, RG_EXCLUDE_POINT);
    assert_int_equal(parsed("province th/tak").kind, RG_EXCLUDE_PROVINCE);
    assert_int_equal(parsed("interpreter I-17").kind, RG_EXCLUDE_INTERPRETER);
    static const char *const bad[] = {"",
                                      "th",
                                      "referral://",
                                      "th/Border",
                                      "point",
                                      "point th-1",
                                      "point TH MM",
                                      "province tak",
                                      "th/",
                                      "/border",
                                      "th/border\nx",
                                      "someone",
                                      "point TH-MM-1-AND-A-VERY-LONG-NAME-OF-A-POINT"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rg_exclusion entry;
        struct rg_reason why = {0};
        assert_int_equal(rg_exclusion_parse(bad[i], &entry, &why).code, RG_MALFORMED);
        assert_string_equal(why.id, "exclusion-form");
        assert_null(strstr(why.text, "point th")); /* the words are ours, not the value */
    }
}

static void add(struct rg_exclusions *list, const char *text)
{
    struct rg_exclusion entry = parsed(text);
    assert_true(rg_is_ok(rg_exclusions_add(list, &entry, NULL)));
}

static void test_an_office_shuts_out_its_officers(void **state)
{
    (void)state;
    struct rg_exclusions list = {0};
    assert_false(rg_exclusions_reader(&list, "referral://th/border/officer-1", "th/border"));
    add(&list, "th/border");
    assert_true(rg_exclusions_reader(&list, "referral://th/border/officer-1", "th/border"));
    assert_false(rg_exclusions_reader(&list, "referral://th/borders/officer-1", "th/borders"));
    struct rg_exclusion entry = parsed("th/border");
    assert_true(rg_exclusions_remove(&list, &entry));
    assert_false(rg_exclusions_remove(&list, &entry));
    add(&list, "referral://th/border/officer-1");
    assert_true(rg_exclusions_reader(&list, "referral://th/border/officer-1", "th/border"));
    assert_false(rg_exclusions_reader(&list, "referral://th/border/officer-2", "th/border"));
}

static void test_points_and_provinces(void **state)
{
    (void)state;
    struct rg_exclusions list = {0};
    add(&list, "point TH-MM-1");
    add(&list, "province th/tak");
    assert_true(rg_exclusions_point(&list, "TH-MM-1"));
    assert_false(rg_exclusions_point(&list, "TH-MM-2"));
    assert_true(rg_exclusions_province(&list, "th/tak"));
    assert_false(rg_exclusions_province(&list, "th/trat"));
    assert_false(rg_exclusions_reader(&list, "TH-MM-1", "th/tak")); /* kinds are not mixed up */
}

static void test_the_list_is_bounded(void **state)
{
    (void)state;
    struct rg_exclusions list = {0};
    for (int i = 0; i < RG_EXCLUSIONS_MAX; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "th/office-%d", i);
        add(&list, text);
        add(&list, text); /* twice is once */
    }
    assert_int_equal(list.count, RG_EXCLUSIONS_MAX);
    struct rg_exclusion one_more = parsed("th/one-more");
    assert_int_equal(rg_exclusions_add(&list, &one_more, NULL).code, RG_LIMIT);
}

static void test_it_says_one_thing_only(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    assert_int_equal(rg_not_available(&why).code, RG_DENIED);
    assert_string_equal(why.text, "not available");
    assert_string_equal(why.id, "not-available");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_an_office_shuts_out_its_officers),
        cmocka_unit_test(test_points_and_provinces),
        cmocka_unit_test(test_the_list_is_bounded),
        cmocka_unit_test(test_it_says_one_thing_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
