/* record: CSV as people and spreadsheets write it, all rows or none, errors that repeat no value.
 */
#include "client/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The needed columns, and a lawful row. */
#define HEADER                                                                                     \
    "case_ref,host_country,origin_country,full_name_native,age_status,prs_Gender,"                 \
    "prs_PrimaryLanguage,prs_Citizenship,vic_TraffickingStatus,cas_ReasonForOutgoingReferral,"     \
    "needs,con_Consent,consent_scopes,consent_given_by,consent_expires,urgency"
#define REST                                                                                       \
    "adult,Feminine,lao,LA,ActualVictimOfTrafficking,MigrationOrChangeOfLocation,interpreter,"     \
    "true,SHARE_IDENTITY;RETURN,person,2027-06-30,routine"
#define ROW(reference) reference ",TH,LA,ບຸນມີ ແກ້ວ," REST "\n"

static const struct rg_date today = {2026, 11, 24};

static rg_outcome read_text(const char *text, struct rg_records **records,
                            struct rg_import_report *report, struct rg_reason *why)
{
    return rg_records_read_csv(rg_bytes_of_text(text), today, records, report, why);
}

static void test_rows_become_records(void **state)
{
    (void)state;
    struct rg_import_report report;
    RG_OWNED_RECORDS records = NULL;
    assert_true(rg_is_ok(read_text(HEADER "\n" ROW("C1") ROW("C2"), &records, &report, NULL)));
    assert_int_equal(report.rows, 2);
    assert_int_equal(rg_records_count(records), 2);
    const struct rg_record *record = rg_records_peek(records, 1);
    assert_string_equal(rg_record_get(record, RG_FIELD_CASE_REF), "C2");
    assert_string_equal(rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE), "ບຸນມີ ແກ້ວ");
    assert_string_equal(rg_record_get(record, RG_FIELD_PRS_FIRST_NAME), "");
    assert_int_equal(rg_record_code(record, RG_FIELD_AGE_STATUS), RG_AGE_ADULT);
    assert_int_equal(rg_record_codes(record, RG_FIELD_NEEDS), 1u << 1);
    RG_OWNED_RECORD taken = rg_records_take(records, 0);
    assert_string_equal(rg_record_get(taken, RG_FIELD_CASE_REF), "C1");
    assert_null(rg_records_peek(records, 0));
    assert_null(rg_records_peek(records, 2));
}

static void test_what_spreadsheets_do(void **state)
{
    (void)state;
    struct rg_import_report report;
    RG_OWNED_RECORDS records = NULL;
    const char *good =
        "\xEF\xBB\xBF\"cco_CaseComment\"," HEADER "\r\n"
        "\"said \"\"no\"\", twice\r\nand again\"," ROW("\"C1\"") "\r\n"
                                                                 "," ROW("C2") ",C3,TH,LA,," REST;
    assert_true(rg_is_ok(read_text(good, &records, &report, NULL)));
    assert_int_equal(rg_records_count(records), 3);
    assert_string_equal(rg_record_get(rg_records_peek(records, 0), RG_FIELD_CCO_CASE_COMMENT),
                        "said \"no\", twice\nand again");
    assert_string_equal(rg_record_get(rg_records_peek(records, 2), RG_FIELD_CASE_REF), "C3");
}

struct bad_file {
    const char *text;
    uint32_t line;
    const char *column; /* "" any row error */
    const char *says;
};

static const struct bad_file bad_files[] = {
    {HEADER ",shoe_size\n" ROW("C1"), 1, "", "shoe_size is not in the dictionary"},
    {HEADER ",urgency\n" ROW("C1"), 1, "urgency", "stands twice"},
    {"case_ref,host_country\n", 1, "origin_country", "this column is needed"},
    {HEADER "\n" ROW("C1") ROW(""), 3, "case_ref", "must not be empty"},
    {HEADER "\n" ROW("C1") "C2,TH,LA," REST "\n", 3, "", "15 cells, but the header has 16"},
    {HEADER "\n" ROW("C1") ROW("C2") ROW("C1"), 4, "case_ref", "the same as on line 2"},
    {HEADER "\nC1,TH,XX,SECRET," REST "\n", 2, "origin_country", "ISO 3166-1"},
    {HEADER "\nC1,TH,LA,\xED\xA0\x80," REST "\n", 2, "full_name_native", "UTF-8"},
    {HEADER "\nC1,TH,LA,\"SECRET\" x," REST "\n", 2, "", "after the closing quote"},
    {HEADER "\nC1,TH,LA,SEC\"RET," REST "\n", 2, "", "a quote inside"},
    {HEADER "\n" ROW("C1") "C2,TH,LA,\"SECRET," REST "\n" ROW("C3"), 3, "", "not closed"},
    {HEADER ",prs_Birthdate,dob_precision\nC1,TH,LA,SECRET," REST ",1994,day\n", 2, "prs_Birthdate",
     "as exact as dob_precision"},
};

static bool is_reported(const struct rg_import_report *report, const struct bad_file *file)
{
    for (uint32_t i = 0; i < report->error_kept; i++) {
        const struct rg_import_error *error = &report->error[i];
        assert_null(strstr(error->text, "SECRET"));
        if (error->line == file->line && strcmp(error->column, file->column) == 0 &&
            strstr(error->text, file->says) != NULL) {
            return true;
        }
    }
    return false;
}

static void test_a_bad_file_says_where_and_what_and_imports_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++) {
        struct rg_import_report report;
        struct rg_records *records = NULL;
        struct rg_reason why = {0};
        assert_int_equal(read_text(bad_files[i].text, &records, &report, &why).code, RG_MALFORMED);
        assert_null(records);
        if (!is_reported(&report, &bad_files[i])) {
            fail_msg("file %zu: first error: line %u %s: %s", i, report.error[0].line,
                     report.error[0].column, report.error[0].text);
        }
    }
}

/* A file without a header would otherwise put a name into the error. */
static void test_data_in_the_first_row_is_not_repeated(void **state)
{
    (void)state;
    struct rg_import_report report;
    struct rg_records *records = NULL;
    struct rg_reason why = {0};
    assert_int_equal(read_text("C1,TH,LA,SECRET\n", &records, &report, &why).code, RG_MALFORMED);
    assert_string_equal(why.id, "csv-header");
    assert_int_equal(report.error_count, 0);
    assert_null(strstr(why.text, "SECRET"));
    assert_int_equal(read_text("", &records, &report, &why).code, RG_MALFORMED);
    assert_int_equal(read_text("case_ref,Mrs SECRET\n", &records, &report, &why).code,
                     RG_MALFORMED);
    assert_null(strstr(report.error[0].text, "SECRET"));
}

static void test_twenty_errors_are_listed_all_are_counted(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    assert_true(rg_is_ok(rg_buffer_append_text(&text, HEADER "\n", NULL)));
    for (int i = 0; i < 30; i++) {
        assert_true(rg_is_ok(rg_buffer_print(&text, NULL, "C%d,TH,ZZ,x," REST "\n", i)));
    }
    struct rg_import_report report;
    struct rg_records *records = NULL;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_records_read_csv(rg_buffer_peek(&text), today, &records, &report, &why);
    assert_int_equal(outcome.code, RG_MALFORMED);
    assert_string_equal(why.id, "csv-rows");
    assert_int_equal(report.error_kept, RG_IMPORT_ERRORS_MAX);
    assert_int_equal(report.error_count, 60); /* each is also empty in origin_country */
    assert_int_equal(report.rows, 30);
}

static struct rg_records *one_record(void)
{
    struct rg_import_report report;
    struct rg_records *records = NULL;
    const char *text =
        HEADER ",prs_Birthdate,vic_RelationshipToTrafficker,alias_nickname,"
               "protection_claim,vic_MethodsOfControl,cco_CaseComment\n"
               "C1,TH,LA,ບຸນມີ ແກ້ວ," REST
               ",1994-06-09,Unacquainted,Noi;Lek,false,DebtBondage,\"a,\"\"b\"\"\"\n";
    assert_true(rg_is_ok(read_text(text, &records, &report, NULL)));
    return records;
}

static void assert_same(const struct rg_record *a, const struct rg_record *b)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        assert_string_equal(rg_record_get(a, (enum rg_field)i), rg_record_get(b, (enum rg_field)i));
    }
}

static void test_csv_out_is_csv_in(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records = one_record();
    RG_OWNED_RECORDS back = NULL;
    RG_OWNED_BUFFER text = {.secret = true};
    struct rg_import_report report;
    assert_true(rg_is_ok(rg_csv_header(&text, NULL)));
    assert_true(rg_is_ok(rg_record_csv(rg_records_peek(records, 0), &text, NULL)));
    assert_true(rg_is_ok(rg_records_read_csv(rg_buffer_peek(&text), today, &back, &report, NULL)));
    assert_same(rg_records_peek(records, 0), rg_records_peek(back, 0));
}

static void test_a_record_rests_and_comes_back(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records = one_record();
    RG_OWNED_RECORD back = NULL;
    RG_OWNED_BUFFER bytes = {.secret = true};
    assert_true(rg_is_ok(rg_record_encode(rg_records_peek(records, 0), &bytes, NULL)));
    assert_true(rg_is_ok(rg_record_decode(rg_buffer_peek(&bytes), &back, NULL)));
    assert_same(rg_records_peek(records, 0), back);
    for (size_t len = 0; len < bytes.len; len += 7) {
        struct rg_record *cut = NULL;
        if (rg_is_ok(rg_record_decode(rg_bytes_of(bytes.data, len), &cut, NULL))) {
            rg_record_free(cut); /* cut between two fields: fewer fields, still lawful */
        }
    }
}

static void test_json(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = NULL;
    RG_OWNED_BUFFER json = {.secret = true};
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    assert_true(rg_is_ok(rg_record_json(record, &json, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&json), RG_BYTES_LITERAL("{}")));
    rg_buffer_clear(&json);
    static const struct {
        enum rg_field field;
        const char *value;
    } set[] = {
        {RG_FIELD_CASE_REF, "C1"},
        {RG_FIELD_FULL_NAME_NATIVE, "ບຸນມີ \"ແກ້ວ\""},
        {RG_FIELD_NEEDS, "interpreter;wheelchair"},
        {RG_FIELD_CON_CONSENT, "true"},
        {RG_FIELD_CCO_CASE_COMMENT, "a\nb"},
    };
    for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
        assert_true(
            rg_is_ok(rg_record_set(record, set[i].field, rg_bytes_of_text(set[i].value), NULL)));
    }
    assert_true(rg_is_ok(rg_record_json(record, &json, NULL)));
    assert_true(rg_bytes_equal(
        rg_buffer_peek(&json),
        RG_BYTES_LITERAL("{\"cco_CaseComment\":\"a\\nb\",\"con_Consent\":true,\"case_ref\":\"C1\","
                         "\"full_name_native\":\"ບຸນມີ \\\"ແກ້ວ\\\"\","
                         "\"needs\":[\"wheelchair\",\"interpreter\"]}")));
}

static void test_a_changed_value_replaces_the_old_one(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    for (int i = 0; i < 100; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "C%d", i);
        assert_true(
            rg_is_ok(rg_record_set(record, RG_FIELD_CASE_REF, rg_bytes_of_text(text), NULL)));
        assert_string_equal(rg_record_get(record, RG_FIELD_CASE_REF), text);
    }
    struct rg_reason why = {0};
    assert_false(
        rg_is_ok(rg_record_set(record, RG_FIELD_CASE_REF, RG_BYTES_LITERAL("not one"), &why)));
    assert_string_equal(rg_record_get(record, RG_FIELD_CASE_REF), "C99");
    assert_true(rg_is_ok(rg_record_set(record, RG_FIELD_CASE_REF, RG_BYTES_LITERAL(" "), NULL)));
    assert_false(rg_record_has(record, RG_FIELD_CASE_REF));
}

static void test_a_preview_holds_no_name(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records = one_record();
    struct rg_preview preview = {0};
    assert_true(rg_is_ok(rg_record_preview(rg_records_peek(records, 0), &preview, NULL)));
    assert_int_equal(preview.reason, RG_REASON_RETURN);
    assert_int_equal(preview.age, RG_AGE_ADULT);
    assert_int_equal(preview.urgency, RG_URGENCY_ROUTINE);
    assert_string_equal(preview.language, "lao");
    assert_int_equal(preview.consent.expires.month, 6);
    RG_OWNED_RECORD record = rg_records_take(records, 0);
    static const char *const not_adult[] = {"child", "uncertain", ""};
    for (size_t i = 0; i < sizeof(not_adult) / sizeof(not_adult[0]); i++) {
        assert_true(rg_is_ok(
            rg_record_set(record, RG_FIELD_AGE_STATUS, rg_bytes_of_text(not_adult[i]), NULL)));
        assert_true(rg_is_ok(rg_record_preview(record, &preview, NULL)));
        assert_int_equal(preview.age, RG_AGE_CHILD);
    }
    assert_true(rg_is_ok(rg_record_set(record, RG_FIELD_URGENCY, rg_bytes_of(NULL, 0), NULL)));
    struct rg_reason why = {0};
    assert_false(rg_is_ok(rg_record_preview(record, &preview, &why)));
    assert_string_equal(why.id, "record-form");
}

static void test_each_field_is_in_one_class_and_home_fields_in_none(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records = one_record();
    size_t counted = 0;
    for (unsigned class_ = RG_CLASS_CASE; class_ <= RG_CLASS_SECURITY; class_++) {
        struct rg_fields fields;
        rg_record_fields(rg_records_peek(records, 0), (enum rg_class)class_, &fields);
        counted += fields.count;
        for (size_t i = 0; i < fields.count; i++) {
            assert_int_equal(rg_field_row(fields.item[i].field)->class_, class_);
            assert_true(fields.item[i].field != RG_FIELD_CASE_REF);
            assert_true(fields.item[i].field != RG_FIELD_PROTECTION_CLAIM);
        }
    }
    size_t filled = 0;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        filled += rg_record_has(rg_records_peek(records, 0), (enum rg_field)i);
    }
    assert_int_equal(counted, filled - 2);
}

static void test_received_sections_build_the_record_again(void **state)
{
    (void)state;
    RG_OWNED_RECORDS records = one_record();
    const struct rg_record *ours = rg_records_peek(records, 0);
    RG_OWNED_RECORD theirs = NULL;
    assert_true(rg_is_ok(rg_record_new(&theirs, NULL)));
    struct rg_content content = {.body = RG_BODY_PREVIEW, .class_ = RG_CLASS_CASE};
    assert_true(rg_is_ok(rg_record_preview(ours, &content.preview, NULL)));
    assert_true(rg_is_ok(rg_record_merge(theirs, &content, NULL)));
    assert_string_equal(rg_record_get(theirs, RG_FIELD_FULL_NAME_NATIVE), "");
    assert_string_equal(rg_record_get(theirs, RG_FIELD_NEEDS), "interpreter");
    assert_string_equal(rg_record_get(theirs, RG_FIELD_CONSENT_EXPIRES), "2027-06-30");
    for (unsigned class_ = RG_CLASS_CASE; class_ <= RG_CLASS_SECURITY; class_++) {
        content = (struct rg_content){.body = RG_BODY_DETAILS, .class_ = (enum rg_class)class_};
        rg_record_fields(ours, (enum rg_class)class_, &content.details);
        assert_true(rg_is_ok(rg_record_merge(theirs, &content, NULL)));
    }
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        bool travels = rg_field_crosses(field) && field != RG_FIELD_REFERRAL_REASON;
        if (travels) {
            assert_string_equal(rg_record_get(theirs, field), rg_record_get(ours, field));
        }
    }
    assert_string_equal(rg_record_get(theirs, RG_FIELD_CASE_REF), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_become_records),
        cmocka_unit_test(test_what_spreadsheets_do),
        cmocka_unit_test(test_a_bad_file_says_where_and_what_and_imports_nothing),
        cmocka_unit_test(test_data_in_the_first_row_is_not_repeated),
        cmocka_unit_test(test_twenty_errors_are_listed_all_are_counted),
        cmocka_unit_test(test_csv_out_is_csv_in),
        cmocka_unit_test(test_a_record_rests_and_comes_back),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_a_changed_value_replaces_the_old_one),
        cmocka_unit_test(test_a_preview_holds_no_name),
        cmocka_unit_test(test_each_field_is_in_one_class_and_home_fields_in_none),
        cmocka_unit_test(test_received_sections_build_the_record_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
