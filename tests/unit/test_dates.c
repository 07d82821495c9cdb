/* dates: births as papers write them, in two eras and six scripts; what can be read two ways is
 * asked about. */
#include "client/dates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 24};

static const struct {
    const char *written;
    const char *date; /* NULL: refused */
    const char *precision;
    const char *calendar; /* refused: what the reason says */
    bool as_written;
} rows[] = {
    {"2005-03-15", "2005-03-15", "day", "common-era", false},
    {"2005-03", "2005-03", "month", "common-era", false},
    {"2005", "2005", "year", "common-era", false},
    {"15/03/2005", "2005-03-15", "day", "common-era", true},
    {"5/3/2005", "2005-03-05", "day", "common-era", true},
    {"03/2005", "2005-03", "month", "common-era", true},
    {"15.3.2005", "2005-03-15", "day", "common-era", true},
    {"15 3 2005", "2005-03-15", "day", "common-era", true},
    {"2005/3/15", "2005-03-15", "day", "common-era", true},
    {"1994年3月15日", "1994-03-15", "day", "common-era", true},
    {"1994年3月", "1994-03", "month", "common-era", true},
    {"1994年", "1994", "year", "common-era", true},
    /* Thai */
    {"15/03/2548", "2005-03-15", "day", "buddhist", true},
    {"๑๕/๐๓/๒๕๔๘", "2005-03-15", "day", "buddhist", true},
    {"๒๕๔๘", "2005", "year", "buddhist", true},
    {"2548-03-15", "2005-03-15", "day", "buddhist", true},
    {"15/3/พ.ศ. 2548", "2005-03-15", "day", "buddhist", true},
    {"พ.ศ.2548", "2005", "year", "buddhist", true},
    {"ค.ศ. 2005", "2005", "year", "common-era", true},
    {"29/02/2547", "2004-02-29", "day", "buddhist", true},
    {"2484", "1941", "year", "buddhist", true},
    /* Lao, Khmer, Burmese */
    {"໑໕/໐໓/໒໕໔໘", "2005-03-15", "day", "buddhist", true},
    {"ພ.ສ. ໒໕໔໘", "2005", "year", "buddhist", true},
    {"១៥/០៣/២៥៤៨", "2005-03-15", "day", "buddhist", true},
    {"១៥-០៣-២០០៥", "2005-03-15", "day", "common-era", true},
    {"ព.ស. ២៥៤៨", "2005", "year", "buddhist", true},
    {"၁၅/၀၃/၂၀၀၅", "2005-03-15", "day", "common-era", true},
    /* the last years that can be */
    {"2027", "2027", "year", "common-era", false},
    {"2570", "2027", "year", "buddhist", true},
    /* asked about */
    {"15/3/48", NULL, NULL, "two digits", false},
    {"๑๕/๓/๔๘", NULL, NULL, "two digits", false},
    {"48", NULL, NULL, "two digits", false},
    {"2028", NULL, NULL, "ask which year", false},
    {"15/03/2100", NULL, NULL, "ask which year", false},
    {"2442", NULL, NULL, "ask which year", false},
    {"2571", NULL, NULL, "ask which year", false},
    {"1899", NULL, NULL, "ask which year", false},
    {"1367", NULL, NULL, "ask which year", false}, /* the Burmese era */
    {"พ.ศ. 2005", NULL, NULL, "ask which year", false},
    {"ค.ศ. 2548", NULL, NULL, "ask which year", false},
    {"10/02/2480", NULL, NULL, "began in April", false},
    {"03/15/2005", NULL, NULL, "DD/MM/YYYY", false}, /* never month first */
    {"31/02/2548", NULL, NULL, "a date that exists", false},
    {"29/02/2548", NULL, NULL, "a date that exists", false}, /* 2005 is no leap year */
    {"00/2005", NULL, NULL, "allowed", false},
    {"2005-00", NULL, NULL, "allowed", false},
    {"15032005", NULL, NULL, "allowed", false},
    {"15//2005", NULL, NULL, "allowed", false},
    {"15/03/2005/1", NULL, NULL, "allowed", false},
    {"15/2005/03", NULL, NULL, "allowed", false},
    {"-15/03/2005", NULL, NULL, "allowed", false},
    {"about 2005", NULL, NULL, "allowed", false},
    {"18 tuổi", NULL, NULL, "allowed", false},
    {"/", NULL, NULL, "allowed", false},
    {"2005-03-15 00:00:00", NULL, NULL, "allowed", false},
    {"111111111111111111111111111111111111111111111111111111111111111111111111", NULL, NULL,
     "allowed", false},
};

static void test_births_as_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rg_birth birth = {0};
        struct rg_reason why = {0};
        char date[RG_DATE_BYTES];
        rg_outcome outcome = rg_birth_read(rg_bytes_of_text(rows[i].written), today, &birth, &why);
        if (rows[i].date == NULL) {
            if (outcome.code != RG_MALFORMED || strstr(why.text, rows[i].calendar) == NULL) {
                fail_msg("row %zu: %s gave: %s", i, rows[i].written, why.text);
            }
            assert_string_equal(why.id, "field-value");
            continue;
        }
        if (!rg_is_ok(outcome)) {
            fail_msg("row %zu: %s: %s", i, rows[i].written, why.text);
        }
        rg_date_text(birth.date, date);
        assert_string_equal(date, rows[i].date);
        assert_string_equal(birth.precision, rows[i].precision);
        assert_string_equal(birth.calendar, rows[i].calendar);
        assert_int_equal(birth.as_written, rows[i].as_written);
    }
}

static void test_ages_of_vague_births(void **state)
{
    (void)state;
    static const struct {
        struct rg_date birth;
        int least;
    } age[] = {
        {{2008, 11, 24}, 18}, {{2008, 11, 25}, 17}, {{2008, 11, 0}, 17},
        {{2008, 0, 0}, 17},   {{2009, 0, 0}, 16},   {{2007, 0, 0}, 18},
    };
    for (size_t i = 0; i < sizeof(age) / sizeof(age[0]); i++) {
        assert_int_equal(rg_age_at_least(age[i].birth, today), age[i].least);
    }
}

static bool counted(const char *as_said)
{
    bool is = false;
    assert_true(rg_is_ok(rg_age_is_counted(rg_bytes_of_text(as_said), &is, NULL)));
    return is;
}

static void test_ages_counted_the_traditional_way(void **state)
{
    (void)state;
    assert_true(counted("18 tuổi mụ"));
    assert_true(counted("18 TUO\xCC\x82\xCC\x89I MU\xCC\xA3"));
    assert_true(counted("虚岁十九"));
    assert_true(counted("19 xusui"));
    assert_false(counted("18 tuổi"));
    assert_false(counted(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_births_as_written),
        cmocka_unit_test(test_ages_of_vague_births),
        cmocka_unit_test(test_ages_counted_the_traditional_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
