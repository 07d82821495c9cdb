/* intake: what people and survey tools write becomes one record; JSON and CSV say the same. */
#include "client/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 24};

#define NEEDED                                                                                     \
    "case_ref,host_country,origin_country,full_name_native,age_status,prs_Gender,"                 \
    "prs_PrimaryLanguage,prs_Citizenship,vic_TraffickingStatus,cas_ReasonForOutgoingReferral,"     \
    "needs,con_Consent,consent_scopes,consent_given_by,consent_expires,urgency"

static struct rg_import_report report;

/* One row with further columns; NULL when it is refused. */
static struct rg_records *csv_of(const char *columns, const char *name, const char *values)
{
    RG_OWNED_BUFFER text = {0};
    struct rg_records *records = NULL;
    assert_true(rg_is_ok(rg_buffer_print(
        &text, NULL,
        NEEDED ",%s\nC1,TH,LA,%s,adult,Feminine,lao,LA,ActualVictimOfTrafficking,"
               "MigrationOrChangeOfLocation,interpreter,true,SHARE_IDENTITY;RETURN,person,"
               "2027-06-30,routine,%s\n",
        columns, name, values)));
    rg_outcome outcome = rg_records_read_csv(rg_buffer_peek(&text), today, &records, &report, NULL);
    return rg_is_ok(outcome) ? records : NULL;
}

static struct rg_records *json_of(const char *text)
{
    struct rg_records *records = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome =
        rg_records_read_json(rg_bytes_of_text(text), today, &records, &report, &why);
    return rg_is_ok(outcome) ? records : NULL;
}

static bool is_said(const struct rg_import_error *list, uint32_t count, const char *column,
                    const char *says)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i].column, column) == 0 && strstr(list[i].text, says) != NULL) {
            return true;
        }
    }
    return false;
}

static void assert_warned(const char *column, const char *says)
{
    if (!is_said(report.warning, report.warning_kept, column, says)) {
        fail_msg("%s: no warning \"%s\"", column, says);
    }
}

static void assert_refused(const char *column, const char *says)
{
    if (!is_said(report.error, report.error_kept, column, says)) {
        fail_msg("%s: no error \"%s\"; the first: %s: %s", column, says, report.error[0].column,
                 report.error[0].text);
    }
}

static void assert_field(const struct rg_records *records, enum rg_field field, const char *value)
{
    assert_non_null(records);
    assert_string_equal(rg_record_get(rg_records_peek(records, 0), field), value);
}

static void test_a_birth_is_kept_as_written(void **state)
{
    (void)state;
    RG_OWNED_RECORDS thai = csv_of("prs_Birthdate", "สมหญิง ใจดี", "๑๕/๐๓/๒๕๔๘");
    assert_field(thai, RG_FIELD_PRS_BIRTHDATE, "2005-03-15");
    assert_field(thai, RG_FIELD_DOB_AS_SAID, "๑๕/๐๓/๒๕๔๘");
    assert_field(thai, RG_FIELD_DOB_CALENDAR, "buddhist");
    assert_field(thai, RG_FIELD_DOB_PRECISION, "day");
    RG_OWNED_RECORDS month = csv_of("prs_Birthdate", "Sùng A Páo", "03/2005");
    assert_field(month, RG_FIELD_PRS_BIRTHDATE, "2005-03");
    assert_field(month, RG_FIELD_DOB_CALENDAR, "common-era");
    assert_field(month, RG_FIELD_DOB_PRECISION, "month");
    RG_OWNED_RECORDS plain = csv_of("prs_Birthdate", "欧阳娜", "2005-03-15");
    assert_field(plain, RG_FIELD_DOB_AS_SAID, "");
    assert_field(plain, RG_FIELD_DOB_CALENDAR, "");
    assert_field(plain, RG_FIELD_DOB_PRECISION, "");
    RG_OWNED_RECORDS said =
        csv_of("dob_as_said,prs_Birthdate,dob_precision", "នួន", "year of the goat,2546,estimated");
    assert_field(said, RG_FIELD_PRS_BIRTHDATE, "2003");
    assert_field(said, RG_FIELD_DOB_AS_SAID, "year of the goat");
    assert_field(said, RG_FIELD_DOB_PRECISION, "estimated");
}

static void test_a_single_field_may_be_written_so_too(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = NULL;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    assert_true(rg_is_ok(rg_record_set_written(record, RG_FIELD_PRS_BIRTHDATE,
                                               RG_BYTES_LITERAL("15/03/2548"), today, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_PRS_BIRTHDATE), "2005-03-15");
    assert_string_equal(rg_record_get(record, RG_FIELD_DOB_AS_SAID), "15/03/2548");
    assert_string_equal(rg_record_get(record, RG_FIELD_DOB_CALENDAR), "buddhist");
    assert_int_equal(rg_record_set_written(record, RG_FIELD_PRS_BIRTHDATE,
                                           RG_BYTES_LITERAL("15/03/48"), today, &why)
                         .code,
                     RG_MALFORMED);
    assert_string_equal(rg_record_get(record, RG_FIELD_PRS_BIRTHDATE), "2005-03-15");
    assert_true(rg_is_ok(
        rg_record_set_written(record, RG_FIELD_PRS_BIRTHDATE, rg_bytes_of(NULL, 0), today, NULL)));
    assert_false(rg_record_has(record, RG_FIELD_PRS_BIRTHDATE));
}

static void test_births_of_two_meanings_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *values, *column, *says;
    } row[] = {
        {"prs_Birthdate", "15/3/48", "prs_Birthdate", "two digits"},
        {"prs_Birthdate", "2300", "prs_Birthdate", "ask which year"},
        {"prs_Birthdate", "SECRET", "prs_Birthdate", "text of 6 letters; allowed: YYYY-MM-DD"},
        {"prs_Birthdate,dob_calendar", "15/03/2548,common-era", "dob_calendar", "buddhist"},
        {"prs_Birthdate,dob_precision", "๒๕๔๘,day", "prs_Birthdate", "as exact as"},
        {"registered", "15/03/2548", "registered", "text with digits of 10 letters; allowed"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        assert_null(csv_of(row[i].columns, "x", row[i].values));
        assert_refused(row[i].column, row[i].says);
        assert_null(strstr(report.error[0].text, "SECRET"));
    }
}

static void test_ages_are_warned_of_and_never_changed(void **state)
{
    (void)state;
    RG_OWNED_RECORDS young = csv_of("prs_Birthdate", "ບຸນມີ", "2009-01-01");
    assert_field(young, RG_FIELD_AGE_STATUS, "adult");
    assert_warned("age_status", "an age under 18");
    RG_OWNED_RECORDS vague = csv_of("prs_Birthdate", "ບຸນມີ", "2008");
    assert_non_null(vague);
    assert_warned("age_status", "an age under 18");
    RG_OWNED_RECORDS grown = csv_of("prs_Birthdate", "ບຸນມີ", "2008-11-24");
    assert_non_null(grown);
    assert_int_equal(report.warning_count, 0);
    RG_OWNED_RECORDS counted = csv_of("dob_as_said", "Nguyễn Thị Hồng", "18 tuổi mụ");
    assert_field(counted, RG_FIELD_AGE_STATUS, "adult");
    assert_field(counted, RG_FIELD_DOB_AS_SAID, "18 tuổi mụ");
    assert_warned("dob_as_said", "one or two years too high");
}

static void test_zawgyi_is_warned_of_and_kept(void **state)
{
    (void)state;
    RG_OWNED_RECORDS zawgyi = csv_of("home_village", "မ္း", "ေအာင္");
    assert_field(zawgyi, RG_FIELD_FULL_NAME_NATIVE, "မ္း");
    assert_field(zawgyi, RG_FIELD_HOME_VILLAGE, "ေအာင္");
    assert_warned("full_name_native", "Zawgyi");
    assert_warned("home_village", "Zawgyi");
    RG_OWNED_RECORDS good = csv_of("home_village", "နန်းခမ်း", "ဦးအောင်");
    assert_non_null(good);
    assert_int_equal(report.warning_count, 0);
}

static void test_columns_of_the_survey_form(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records =
        csv_of("start,prs_First_Name,person/prs_Second_Name,grp-prs_MiddleName,a:b:prs_Title,"
               "x.vic_Methods_of_Control,vic_Methods_of_Control/DebtBondage,meta/instanceID,"
               "__version__,_submission_time",
               "x", "2026-01-01,Bounmi,Kaeo,N,Ms,TakesEarnings DebtBondage,1,uuid:1,v1,2026");
    assert_field(records, RG_FIELD_PRS_FIRST_NAME, "Bounmi");
    assert_field(records, RG_FIELD_PRS_SECOND_NAME, "Kaeo");
    assert_field(records, RG_FIELD_PRS_MIDDLE_NAME, "N");
    assert_field(records, RG_FIELD_PRS_TITLE, "Ms");
    assert_field(records, RG_FIELD_VIC_METHODS_OF_CONTROL, "DebtBondage;TakesEarnings");
    assert_warned("", "5 columns of the survey tool are left out");
    assert_null(csv_of("vic_MethodsOfControl/DebtBondage", "x", "1"));
    assert_refused("vic_MethodsOfControl", "holds all its codes");
    assert_null(csv_of("prs_FirstName,person/prs_FirstName", "x", "a,b"));
    assert_refused("prs_FirstName", "stands twice");
    assert_null(csv_of("person/shoe_size", "x", "40"));
    assert_refused("", "person/shoe_size is not in the dictionary");
}

static void test_deprecated_fields_are_read_and_not_written(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records =
        csv_of("vic_AgreementToManagePersonalData,vic_Vulnerabilities,vic_DetailsOfVulnerabilities",
               "x", "true,Poverty Migration,in her words");
    assert_field(records, RG_FIELD_VIC_VULNERABILITIES, "Poverty;Migration");
    assert_field(records, RG_FIELD_VIC_DETAILS_OF_VULNERABILITIES, "in her words");
    assert_warned("vic_AgreementToManagePersonalData", "does not use this field any more");
    assert_warned("vic_Vulnerabilities", "neither sent nor exported");
    assert_warned("vic_DetailsOfVulnerabilities", "neither sent nor exported");
    RG_OWNED_BUFFER out = {.secret = true};
    assert_true(rg_is_ok(rg_csv_header(&out, NULL)));
    assert_true(rg_is_ok(rg_record_csv(rg_records_peek(records, 0), &out, NULL)));
    assert_true(rg_is_ok(rg_record_json(rg_records_peek(records, 0), &out, NULL)));
    assert_null(memmem(out.data, out.len, "Vulnerabilities", 15));
    assert_null(memmem(out.data, out.len, "Poverty", 7));
    for (unsigned class_ = RG_CLASS_CASE; class_ <= RG_CLASS_SECURITY; class_++) {
        struct rg_fields fields;
        rg_record_fields(rg_records_peek(records, 0), (enum rg_class)class_, &fields);
        for (size_t i = 0; i < fields.count; i++) {
            assert_false(rg_field_is_old(fields.item[i].field));
        }
    }
}

#define JSON_START                                                                                 \
    "{\"case_ref\":\"C1\",\"host_country\":\"TH\",\"origin_country\":\"LA\",\"full_name_native\":" \
    "\"ບຸນມີ ແກ້ວ\""

static void test_json_of_every_kind(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records =
        json_of("\xEF\xBB\xBF [\n" JSON_START
                ",\"con_Consent\":true,\"needs\":[\"interpreter\",\"female escort\"],"
                "\"person/prs_First_Name\":\"Bounmi\",\"vic_AgeWhenTrafficked\":16,"
                "\"hte_Latitude\":17.9667,\"hte_Longitude\":102,\"prs_MiddleName\":null,"
                "\"prs_Birthdate\":\"15/03/2548\",\"_uuid\":7,\"alias_nickname\":[\"Noi\",\"Lek\"]}"
                "\n]\n");
    assert_field(records, RG_FIELD_NEEDS, "interpreter;female escort");
    assert_field(records, RG_FIELD_CON_CONSENT, "true");
    assert_field(records, RG_FIELD_PRS_FIRST_NAME, "Bounmi");
    assert_field(records, RG_FIELD_VIC_AGE_WHEN_TRAFFICKED, "16");
    assert_field(records, RG_FIELD_HTE_LATITUDE, "17.9667");
    assert_field(records, RG_FIELD_HTE_LONGITUDE, "102");
    assert_field(records, RG_FIELD_PRS_BIRTHDATE, "2005-03-15");
    assert_field(records, RG_FIELD_DOB_AS_SAID, "15/03/2548");
    assert_field(records, RG_FIELD_ALIAS_NICKNAME, "Noi;Lek");
    RG_OWNED_RECORDS grouped =
        json_of("[" JSON_START ",\"meta\":{\"instanceID\":\"uuid:1\"},\"person\":{\"names\":{"
                "\"prs_First_Name\":\"Bounmi\"},\"prs_Title\":\"Ms\"}}]");
    assert_field(grouped, RG_FIELD_PRS_FIRST_NAME, "Bounmi");
    assert_field(grouped, RG_FIELD_PRS_TITLE, "Ms");
    RG_OWNED_RECORDS lines = json_of(JSON_START "}\n{\"case_ref\":\"C2\",\"host_country\":\"TH\","
                                                "\"origin_country\":\"VN\"}\n");
    assert_non_null(lines);
    assert_int_equal(rg_records_count(lines), 2);
    RG_OWNED_RECORDS none = json_of("[]");
    assert_non_null(none);
    assert_int_equal(rg_records_count(none), 0);
}

struct bad_json {
    const char *text;
    uint32_t line;
    const char *column;
    const char *says;
};

static void test_bad_json_says_where_and_imports_nothing(void **state)
{
    (void)state;
    static const struct bad_json bad[] = {
        {"[" JSON_START ",\"shoe_size\":40}]", 1, "", "shoe_size is not in the dictionary"},
        {"[" JSON_START ",\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":1}}}}}}]", 1, "",
         "e is not in the dictionary"},
        {"[" JSON_START ",\"person\":{\"case_ref\":\"C2\"}}]", 1, "case_ref", "stands twice"},
        {"[" JSON_START ",\"SEC RET\":40}]", 1, "", "a name that is not in the dictionary"},
        {"[\n\n" JSON_START ",\"prs_Gender\":\"SECRET\"}]", 3, "prs_Gender",
         "text of 6 letters; allowed: one of Feminine"},
        {"[" JSON_START ",\"prs_Gender\":[\"Feminine\"]}]", 1, "prs_Gender",
         "a list; allowed: one value"},
        {"[" JSON_START ",\"needs\":[\"a;b\"]}]", 1, "needs", "none with ';' in it"},
        {"[" JSON_START ",\"needs\":[7]}]", 1, "needs", "a list of texts"},
        {"[" JSON_START ",\"needs\":{}}]", 1, "needs", "an object; allowed: one value"},
        {"[" JSON_START ",\"prs_FirstName\":true}]", 1, "prs_FirstName", "true or false"},
        {"[" JSON_START ",\"prs_FirstName\":1.5}]", 1, "prs_FirstName", "a broken number"},
        {"[" JSON_START ",\"prs_First_Name\":\"a\",\"prs_FirstName\":\"b\"}]", 1, "prs_FirstName",
         "stands twice"},
        {"[" JSON_START "},\n" JSON_START "}]", 2, "case_ref", "the same as on line 1"},
        {"[" JSON_START "},\n[7]]", 2, "", "one object for each case"},
        {"[{}]", 1, "case_ref", "must not be empty"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(json_of(bad[i].text));
        assert_refused(bad[i].column, bad[i].says);
        assert_int_equal(report.error[0].line, bad[i].line);
        assert_null(strstr(report.error[0].text, "SEC"));
    }
}

static void test_what_is_not_json_is_told_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "line 1"},
        {"7", "line 1"},
        {"[", "line 1"},
        {"[\n" JSON_START "}\n", "line 3"},
        {"[" JSON_START "}\nSECRET]", "line 2"},
        {"[" JSON_START ",\n\"prs_FirstName\":SECRET}]", "line 2"},
        {"[" JSON_START ",\"case_ref\":\"C2\"}]", "line 1"},
        {"[" JSON_START "},]", "line 1"},
        {"[" JSON_START "}]]", "line 1"},
        {JSON_START "},", "line 1"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rg_records *records = NULL;
        struct rg_reason why = {0};
        assert_int_equal(
            rg_records_read_json(rg_bytes_of_text(bad[i].text), today, &records, &report, &why)
                .code,
            RG_MALFORMED);
        assert_string_equal(why.id, "json-form");
        assert_non_null(strstr(why.text, bad[i].says));
        assert_null(strstr(why.text, "SECRET"));
        assert_null(records);
    }
}

/* Invented people of six countries; names that a spreadsheet, CSV or JSON could take for their own.
 */
static const char *const people[] = {
    "နန်းခမ်း",
    "ဦးအောင်",
    "သုခ\xE2\x80\x8B ချို",
    "សុខ ចាន់ធូ",
    "ບຸນມີ ແກ້ວ",
    "สมหญิง ใจดี",
    "น้ำฝน",
    "Nguyễn Thị Hồng",
    "欧阳娜",
    "阿依·古丽",
    "Sùng A Páo",
    "\"Noi\"",
    "a, b",
    "=1+1",
    "'=1+1",
    "'quoted'",
    "-",
    "@home",
    "\\\" \\u0041",
    "မ္း",
};

static void print_csv(const struct rg_records *records, struct rg_buffer *out)
{
    assert_true(rg_is_ok(rg_csv_header(out, NULL)));
    for (size_t i = 0; i < rg_records_count(records); i++) {
        assert_true(rg_is_ok(rg_record_csv(rg_records_peek(records, i), out, NULL)));
    }
}

static void print_json(const struct rg_records *records, struct rg_buffer *out)
{
    for (size_t i = 0; i < rg_records_count(records); i++) {
        assert_true(rg_is_ok(rg_buffer_append_text(out, i == 0 ? "[\n" : ",\n", NULL)));
        assert_true(rg_is_ok(rg_record_json(rg_records_peek(records, i), out, NULL)));
    }
    assert_true(rg_is_ok(rg_buffer_append_text(out, "\n]\n", NULL)));
}

static void people_write(struct rg_buffer *out)
{
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    assert_true(rg_is_ok(rg_csv_header(out, NULL)));
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        static const struct {
            enum rg_field field;
            const char *value;
        } set[] = {
            {RG_FIELD_HOST_COUNTRY, "TH"},
            {RG_FIELD_ORIGIN_COUNTRY, "LA"},
            {RG_FIELD_NEEDS, "wheelchair;female escort"},
            {RG_FIELD_CON_CONSENT, "false"},
            {RG_FIELD_PRS_CITIZENSHIP, "LA;XXA"},
            {RG_FIELD_PRS_MOBILE_PHONE, "+66812345678"},
            {RG_FIELD_HTE_LATITUDE, "-17.96"},
            {RG_FIELD_VIC_RELATIONSHIP_TO_TRAFFICKER, "Unacquainted"},
            {RG_FIELD_CCO_CASE_COMMENT, "one\n\"two\", three\n=four"},
        };
        char reference[16];
        (void)snprintf(reference, sizeof(reference), "C%zu", i);
        for (size_t k = 0; k < sizeof(set) / sizeof(set[0]); k++) {
            assert_true(rg_is_ok(
                rg_record_set(record, set[k].field, rg_bytes_of_text(set[k].value), NULL)));
        }
        struct rg_bytes name = rg_bytes_of_text(people[i]);
        assert_true(
            rg_is_ok(rg_record_set(record, RG_FIELD_CASE_REF, rg_bytes_of_text(reference), NULL)));
        assert_true(rg_is_ok(rg_record_set(record, RG_FIELD_FULL_NAME_NATIVE, name, NULL)));
        assert_true(rg_is_ok(rg_record_set(record, RG_FIELD_ALIAS_PASSPORT, name, NULL)));
        assert_true(rg_is_ok(rg_record_csv(record, out, NULL)));
    }
}

static void test_csv_to_json_to_csv_loses_nothing(void **state)
{
    (void)state;
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER json = {0};
    RG_OWNED_BUFFER second = {0};
    RG_OWNED_RECORDS from_csv = NULL;
    RG_OWNED_RECORDS from_json = NULL;
    people_write(&first);
    assert_true(
        rg_is_ok(rg_records_read_csv(rg_buffer_peek(&first), today, &from_csv, &report, NULL)));
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        assert_string_equal(rg_record_get(rg_records_peek(from_csv, i), RG_FIELD_FULL_NAME_NATIVE),
                            people[i]);
    }
    print_json(from_csv, &json);
    assert_true(
        rg_is_ok(rg_records_read_json(rg_buffer_peek(&json), today, &from_json, &report, NULL)));
    print_csv(from_json, &second);
    assert_true(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
    assert_non_null(memmem(first.data, first.len, ",Unaquainted,", 13));
    assert_non_null(memmem(first.data, first.len, ",'=1+1,", 7));
    assert_non_null(memmem(first.data, first.len, ",''=1+1,", 8));
    assert_non_null(memmem(first.data, first.len, ",+66812345678,", 14));
}

/* The real caseload, where there is one. */
static void test_the_caseload_goes_round(void **state)
{
    (void)state;
    char path[1024];
    const char *folder = getenv("RG_DATA");
    RG_OWNED_BUFFER text = {.secret = true};
    RG_OWNED_BUFFER first = {.secret = true};
    RG_OWNED_BUFFER json = {.secret = true};
    RG_OWNED_BUFFER second = {.secret = true};
    RG_OWNED_RECORDS from_csv = NULL;
    RG_OWNED_RECORDS from_json = NULL;
    (void)snprintf(path, sizeof(path), "%s/caseload.csv", folder == NULL ? "" : folder);
    if (folder == NULL || !rg_is_ok(rg_file_read(path, RG_CSV_BYTES_MAX, &text, NULL))) {
        print_message("no RG_DATA/caseload.csv\n");
        skip();
    }
    assert_true(
        rg_is_ok(rg_records_read_csv(rg_buffer_peek(&text), today, &from_csv, &report, NULL)));
    print_csv(from_csv, &first);
    print_json(from_csv, &json);
    assert_true(
        rg_is_ok(rg_records_read_json(rg_buffer_peek(&json), today, &from_json, &report, NULL)));
    print_csv(from_json, &second);
    assert_true(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_birth_is_kept_as_written),
        cmocka_unit_test(test_a_single_field_may_be_written_so_too),
        cmocka_unit_test(test_births_of_two_meanings_are_refused),
        cmocka_unit_test(test_ages_are_warned_of_and_never_changed),
        cmocka_unit_test(test_zawgyi_is_warned_of_and_kept),
        cmocka_unit_test(test_columns_of_the_survey_form),
        cmocka_unit_test(test_deprecated_fields_are_read_and_not_written),
        cmocka_unit_test(test_json_of_every_kind),
        cmocka_unit_test(test_bad_json_says_where_and_imports_nothing),
        cmocka_unit_test(test_what_is_not_json_is_told_by_line),
        cmocka_unit_test(test_csv_to_json_to_csv_loses_nothing),
        cmocka_unit_test(test_the_caseload_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
