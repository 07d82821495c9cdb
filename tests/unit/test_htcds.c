/* htcds: the dictionary itself, and the one normal form of every kind of value. */
#include "client/htcds.h"
#include "core/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_numbers_and_names_are_each_one_field(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        const struct rg_field_row *row = rg_field_row((enum rg_field)i);
        enum rg_field found = RG_FIELD_COUNT;
        assert_true(row->number > before);
        before = row->number;
        assert_true(rg_field_find(rg_bytes_of_text(row->name), &found));
        assert_int_equal(found, i);
        assert_true(rg_field_of_number(row->number, &found));
        assert_int_equal(found, i);
        bool coded = row->type == RG_TYPE_CODE || row->type == RG_TYPE_CODES;
        assert_int_equal(row->codes != NULL, coded);
        assert_true(rg_field_bytes_max((enum rg_field)i) <= RG_FIELD_BYTES_MAX);
    }
}

static void test_lists_fit_a_word_and_name_no_code_twice(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        for (uint32_t n = 1; rg_code_text(field, n) != NULL; n++) {
            assert_true(n <= 32);
            assert_int_equal(rg_code_find(field, rg_bytes_of_text(rg_code_text(field, n))), n);
        }
    }
}

static void test_positions_that_code_speaks_of(void **state)
{
    (void)state;
    assert_string_equal(rg_code_text(RG_FIELD_AGE_STATUS, RG_AGE_UNCERTAIN), "uncertain");
    assert_string_equal(rg_code_text(RG_FIELD_CONSENT_GIVEN_BY, RG_GIVEN_BY_BOTH), "both");
    assert_string_equal(rg_code_text(RG_FIELD_URGENCY, RG_URGENCY_EMERGENCY), "emergency");
    assert_string_equal(rg_code_text(RG_FIELD_REFERRAL_REASON, RG_REASON_WITNESS), "WITNESS");
    assert_string_equal(rg_code_text(RG_FIELD_CONSENT_SCOPES, RG_SCOPE_SHARE_IDENTITY),
                        "SHARE_IDENTITY");
    assert_string_equal(rg_code_text(RG_FIELD_CONSENT_SCOPES, RG_SCOPE_RETURN), "RETURN");
    assert_string_equal(rg_code_text(RG_FIELD_CONSENT_SCOPES, RG_SCOPE_STATISTICS), "STATISTICS");
}

struct value_row {
    enum rg_field field;
    const char *value;
    const char *normal; /* NULL: refused */
};

static const struct value_row values[] = {
    {RG_FIELD_PRS_GENDER, "Feminine", "Feminine"},
    {RG_FIELD_PRS_GENDER, " Feminine ", "Feminine"},
    {RG_FIELD_PRS_GENDER, "feminine", NULL},
    {RG_FIELD_PRS_GENDER, "Female", NULL},
    {RG_FIELD_PRS_GENDER, "", ""},
    {RG_FIELD_VIC_RELATIONSHIP_TO_TRAFFICKER, "Unaquainted", "Unaquainted"},
    {RG_FIELD_VIC_RELATIONSHIP_TO_TRAFFICKER, "Unacquainted", "Unaquainted"},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "TakesEarnings; PhysicalAbuse;TakesEarnings",
     "PhysicalAbuse;TakesEarnings"},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "x_UsesChildren", "x_UsesChildren"},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "PhysicalAbuse;;DebtBondage", NULL},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "PhysicalAbuse,DebtBondage", NULL},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "TakesEarnings PhysicalAbuse", "PhysicalAbuse;TakesEarnings"},
    {RG_FIELD_VIC_METHODS_OF_CONTROL, "PhysicalAbuse  ;  TakesEarnings ",
     "PhysicalAbuse;TakesEarnings"},
    {RG_FIELD_NEEDS, "wheelchair interpreter", NULL}, /* its codes have blanks themselves */
    {RG_FIELD_NEEDS, "female escort;wheelchair", "wheelchair;female escort"},
    {RG_FIELD_VIC_VULNERABILITIES, "Poverty Addiction", "Addiction;Poverty"},
    {RG_FIELD_PRS_CITIZENSHIP, "mm la", "MM;LA"},
    {RG_FIELD_NEEDS, "interpreter;wheelchair", "wheelchair;interpreter"},
    {RG_FIELD_NEEDS, "HIV medicine", NULL},
    {RG_FIELD_HOST_COUNTRY, "th", "TH"},
    {RG_FIELD_HOST_COUNTRY, "ZZ", NULL},
    {RG_FIELD_HOST_COUNTRY, "THA", NULL},
    {RG_FIELD_HOST_COUNTRY, "H ", NULL},
    {RG_FIELD_PRS_CITIZENSHIP, "MM; la", "MM;LA"},
    {RG_FIELD_PRS_CITIZENSHIP, "XXA", "XXA"},
    {RG_FIELD_PRS_CITIZENSHIP, "Burma", NULL},
    {RG_FIELD_PRS_PRIMARY_LANGUAGE, "mya", "mya"},
    {RG_FIELD_PRS_PRIMARY_LANGUAGE, "my", NULL},
    {RG_FIELD_PRS_PRIMARY_LANGUAGE, "qqq", NULL},
    {RG_FIELD_PRS_BIRTHDATE, "1994", "1994"},
    {RG_FIELD_PRS_BIRTHDATE, "១៩៩៤-០២-២៨", "1994-02-28"},
    {RG_FIELD_PRS_BIRTHDATE, "2023-02-29", NULL},
    {RG_FIELD_PRS_BIRTHDATE, "2024-02-29", "2024-02-29"},
    {RG_FIELD_PRS_BIRTHDATE, "2548-03-15", NULL}, /* Buddhist era: asked about, not guessed */
    {RG_FIELD_PRS_BIRTHDATE, "15/03/1994", NULL},
    {RG_FIELD_PRS_BIRTHDATE, "1994-13", NULL},
    {RG_FIELD_PRS_BIRTHDATE, "1994-00", NULL},
    {RG_FIELD_EXPECTED_MONTH, "2027-03", "2027-03"},
    {RG_FIELD_EXPECTED_MONTH, "2027-03-01", NULL},
    {RG_FIELD_CON_CONSENT, "TRUE", "true"},
    {RG_FIELD_CON_CONSENT, "yes", NULL},
    {RG_FIELD_VIC_AGE_WHEN_TRAFFICKED, "၁၆", "16"},
    {RG_FIELD_VIC_AGE_WHEN_TRAFFICKED, "016", NULL},
    {RG_FIELD_VIC_AGE_WHEN_TRAFFICKED, "-1", NULL},
    {RG_FIELD_VIC_AGE_WHEN_TRAFFICKED, "1000", NULL},
    {RG_FIELD_PRS_MOBILE_PHONE, "+๖๖๘๑๒๓๔๕๖๗๘", "+66812345678"},
    {RG_FIELD_PRS_MOBILE_PHONE, "081 234", NULL},
    {RG_FIELD_PRS_MOBILE_PHONE, "+", NULL},
    {RG_FIELD_PRS_EMAIL, "a@b.example", "a@b.example"},
    {RG_FIELD_PRS_EMAIL, "a@b@c", NULL},
    {RG_FIELD_PRS_EMAIL, "@b", NULL},
    {RG_FIELD_PRS_MAILING_LATITUDE, "-16.5", "-16.5"},
    {RG_FIELD_PRS_MAILING_LATITUDE, "91", NULL},
    {RG_FIELD_PRS_MAILING_LONGITUDE, "180", "180"},
    {RG_FIELD_PRS_MAILING_LONGITUDE, "-", NULL},
    {RG_FIELD_PRS_MAILING_LONGITUDE, "1.", NULL},
    {RG_FIELD_CASE_REF, "C00001", "C00001"},
    {RG_FIELD_CASE_REF, "TH/2026-17", "TH/2026-17"},
    {RG_FIELD_CASE_REF, "../etc", NULL},
    {RG_FIELD_CASE_REF, "a b", NULL},
    {RG_FIELD_PRS_IDENTITY_NUMBER, "၁၂/ကမန(နိုင်)၁၂၃၄၅၆", "12/ကမန(နိုင်)123456"},
    {RG_FIELD_ALIAS_NICKNAME, "Noi ; Lek;", "Noi;Lek"},
    {RG_FIELD_ALIAS_NICKNAME, ";Noi", NULL},
    {RG_FIELD_FULL_NAME_NATIVE, "နန်းခမ်း", "နန်းခမ်း"},
    {RG_FIELD_FULL_NAME_NATIVE, "a\nb", NULL},
    {RG_FIELD_FAMILY_DETAILS, "one\ntwo", "one\ntwo"},
};

static void test_each_value_has_one_normal_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const struct value_row *row = &values[i];
        RG_OWNED_BUFFER normal = {0};
        RG_OWNED_BUFFER again = {0};
        struct rg_reason why = {0};
        rg_outcome outcome =
            rg_field_check(row->field, rg_bytes_of_text(row->value), &normal, &why);
        if (row->normal == NULL) {
            assert_int_equal(outcome.code, RG_MALFORMED);
            assert_string_equal(why.id, "field-value");
            assert_true(strlen(row->value) < 6 || strstr(why.text, row->value) == NULL);
            continue;
        }
        assert_true(rg_is_ok(outcome));
        assert_true(rg_bytes_equal(rg_buffer_peek(&normal), rg_bytes_of_text(row->normal)));
        assert_true(rg_is_ok(rg_field_check(row->field, rg_buffer_peek(&normal), &again, &why)));
        assert_true(rg_bytes_equal(rg_buffer_peek(&normal), rg_buffer_peek(&again)));
    }
}

static void test_a_value_has_a_class_that_tells_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *value, *says;
    } row[] = {
        {"Nang", "text of 4 letters"},      {"နန်းခမ်း", "text of 8 letters"},
        {"๒๕๔๘", "a number of 4 digits"},   {"15/03/48", "text with digits of 8 letters"},
        {"\xC0\xAF", "a value of 2 bytes"}, {"", "an empty text of 0 letters"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        char what[RG_VALUE_CLASS_BYTES];
        rg_value_class(rg_bytes_of_text(row[i].value), what);
        assert_string_equal(what, row[i].says);
    }
}

static void test_a_name_is_bounded_in_bytes(void **state)
{
    (void)state;
    RG_OWNED_BUFFER normal = {0};
    char name[RG_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof(name));
    struct rg_bytes fits = rg_bytes_of(name, RG_NAME_BYTES_MAX);
    struct rg_bytes above = rg_bytes_of(name, RG_NAME_BYTES_MAX + 1);
    assert_true(rg_is_ok(rg_field_check(RG_FIELD_FULL_NAME_NATIVE, fits, &normal, NULL)));
    assert_false(rg_is_ok(rg_field_check(RG_FIELD_FULL_NAME_NATIVE, above, &normal, NULL)));
}

static void test_dates_compare_and_come_from_clocks(void **state)
{
    (void)state;
    struct rg_date today = rg_date_of_wall((struct rg_wall){INT64_C(1795478399999)});
    assert_int_equal(today.year, 2026);
    assert_int_equal(today.month, 11);
    assert_int_equal(today.day, 23);
    today = rg_day_of_wall((struct rg_wall){INT64_C(1795478399999)}); /* it is morning there */
    assert_int_equal(today.day, 24);
    today = rg_day_of_wall((struct rg_wall){INT64_C(1795478399999) - 7 * 60 * 60 * 1000});
    assert_int_equal(today.day, 23);
    assert_int_equal(rg_date_compare(today, (struct rg_date){2026, 11, 24}), -1);
    assert_int_equal(rg_date_compare(today, today), 0);
    assert_int_equal(rg_date_compare(today, (struct rg_date){2026, 0, 0}), 1);
}

/* The cell number `at` of a line without quotes. */
static struct rg_bytes cell_of(struct rg_bytes line, size_t at)
{
    for (; at > 0; at--) {
        const uint8_t *comma = memchr(line.data, ',', line.len);
        size_t used = comma == NULL ? line.len : (size_t)(comma - line.data) + 1;
        line = rg_bytes_of(line.data + used, line.len - used);
    }
    const uint8_t *comma = line.len == 0 ? NULL : memchr(line.data, ',', line.len);
    return rg_bytes_of(line.data, comma == NULL ? line.len : (size_t)(comma - line.data));
}

/* The list in the order of the standard; ours may go on after it. */
static void codes_fit(const struct rg_field_row *row, struct rg_bytes list)
{
    for (size_t i = 0; row->codes != NULL && list.len > 0; i++) {
        const uint8_t *bar = memchr(list.data, '|', list.len);
        size_t len = bar == NULL ? list.len : (size_t)(bar - list.data);
        assert_non_null(row->codes[i]);
        assert_true(rg_bytes_equal(rg_bytes_of(list.data, len), rg_bytes_of_text(row->codes[i])));
        size_t used = bar == NULL ? len : len + 1;
        list = rg_bytes_of(list.data + used, list.len - used);
    }
}

/* Every field of HTCDS 2.0 has its number and its place, and the deprecated ones keep theirs free.
 */
static void test_every_field_of_the_standard_has_its_place(void **state)
{
    (void)state;
    char path[1024];
    const char *folder = getenv("RG_DATA");
    RG_OWNED_BUFFER text = {0};
    uint32_t number = 0;
    size_t deprecated = 0;
    (void)snprintf(path, sizeof(path), "%s/htcds_fields.csv", folder == NULL ? "" : folder);
    if (folder == NULL || !rg_is_ok(rg_file_read(path, RG_KIB * RG_KIB, &text, NULL))) {
        print_message("no RG_DATA/htcds_fields.csv\n");
        skip();
    }
    struct rg_bytes rest = rg_buffer_peek(&text);
    for (bool head = true; rest.len > 0; head = false) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.data);
        struct rg_bytes line = rg_bytes_of(rest.data, len);
        rest = rg_bytes_of(rest.data + len + (end != NULL), rest.len - len - (end != NULL));
        if (head || line.len == 0) {
            continue;
        }
        enum rg_field field;
        assert_true(rg_field_of_number(++number, &field));
        const struct rg_field_row *row = rg_field_row(field);
        bool old = rg_bytes_equal(cell_of(line, 5), RG_BYTES_LITERAL("deprecated"));
        assert_int_equal(row->place == RG_PLACE_OLD, old);
        assert_true(!old || !rg_field_crosses(field));
        assert_true(rg_bytes_equal(cell_of(line, 0), rg_bytes_of_text(row->name)));
        codes_fit(row, cell_of(line, 6));
        deprecated += old;
    }
    assert_int_equal(number, 84);
    assert_int_equal(deprecated, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_names_are_each_one_field),
        cmocka_unit_test(test_lists_fit_a_word_and_name_no_code_twice),
        cmocka_unit_test(test_positions_that_code_speaks_of),
        cmocka_unit_test(test_each_value_has_one_normal_form),
        cmocka_unit_test(test_a_value_has_a_class_that_tells_nothing),
        cmocka_unit_test(test_a_name_is_bounded_in_bytes),
        cmocka_unit_test(test_dates_compare_and_come_from_clocks),
        cmocka_unit_test(test_every_field_of_the_standard_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
