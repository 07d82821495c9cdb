/* rules: each rule by itself, their order, and whole caseloads with known counts. */
#include "client/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 24};

static void set(struct rg_record *record, enum rg_field field, const char *value)
{
    assert_true(rg_is_ok(rg_record_set(record, field, rg_bytes_of_text(value), NULL)));
}

static struct rg_record *a_record(void)
{
    struct rg_record *record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    set(record, RG_FIELD_CASE_REF, "C1");
    set(record, RG_FIELD_HOST_COUNTRY, "TH");
    set(record, RG_FIELD_ORIGIN_COUNTRY, "LA");
    set(record, RG_FIELD_AGE_STATUS, "adult");
    set(record, RG_FIELD_PRS_GENDER, "Feminine");
    set(record, RG_FIELD_PRS_CITIZENSHIP, "MM;LA");
    set(record, RG_FIELD_VIC_TRAFFICKING_STATUS, "PossibleVictimOfTrafficking");
    set(record, RG_FIELD_CAS_REASON_FOR_OUTGOING_REFERRAL, "MigrationOrChangeOfLocation");
    set(record, RG_FIELD_CON_CONSENT, "true");
    set(record, RG_FIELD_CONSENT_SCOPES, "SHARE_IDENTITY;RETURN");
    set(record, RG_FIELD_CONSENT_GIVEN_BY, "person");
    set(record, RG_FIELD_CONSENT_EXPIRES, "2026-11-24");
    set(record, RG_FIELD_URGENCY, "routine");
    return record;
}

struct rule_case {
    enum rg_field field;
    const char *value;
    enum rg_rule rule; /* NONE: may be sent */
};

static const struct rule_case rule_cases[] = {
    {RG_FIELD_CASE_REF, "C2", RG_RULE_NONE},
    {RG_FIELD_PROTECTION_CLAIM, "true", RG_RULE_PROTECTION_CLAIM},
    {RG_FIELD_PROTECTION_CLAIM, "false", RG_RULE_NONE},
    {RG_FIELD_CON_CONSENT, "", RG_RULE_CONSENT_REFUSED},
    {RG_FIELD_CON_CONSENT, "false", RG_RULE_CONSENT_REFUSED},
    {RG_FIELD_VIC_TRAFFICKING_STATUS, "NotAVictimOfTrafficking", RG_RULE_NOT_A_VICTIM},
    {RG_FIELD_VIC_TRAFFICKING_STATUS, "", RG_RULE_NONE},
    {RG_FIELD_HOST_COUNTRY, "LA", RG_RULE_SAME_COUNTRY},
    {RG_FIELD_CAS_REASON_FOR_OUTGOING_REFERRAL, "Other", RG_RULE_REASON_UNCLEAR},
    {RG_FIELD_CAS_REASON_FOR_OUTGOING_REFERRAL, "AdditionalServicesRequired", RG_RULE_NONE},
    {RG_FIELD_REFERRAL_REASON, "FAMILY_REUNION", RG_RULE_CONSENT_SCOPE},
    {RG_FIELD_REFERRAL_REASON, "WITNESS", RG_RULE_CONSENT_SCOPE},
    {RG_FIELD_CONSENT_SCOPES, "RETURN", RG_RULE_CONSENT_SCOPE},
    {RG_FIELD_CONSENT_SCOPES, "SHARE_IDENTITY", RG_RULE_CONSENT_SCOPE},
    {RG_FIELD_CONSENT_SCOPES, "", RG_RULE_CONSENT_SCOPE},
    {RG_FIELD_CONSENT_GIVEN_BY, "", RG_RULE_CONSENT_GIVEN_BY},
    {RG_FIELD_CONSENT_GIVEN_BY, "both", RG_RULE_NONE},
    {RG_FIELD_AGE_STATUS, "child", RG_RULE_GUARDIAN_CONSENT},
    {RG_FIELD_AGE_STATUS, "uncertain", RG_RULE_GUARDIAN_CONSENT},
    {RG_FIELD_AGE_STATUS, "", RG_RULE_GUARDIAN_CONSENT},
    {RG_FIELD_CONSENT_EXPIRES, "", RG_RULE_CONSENT_NO_END},
    {RG_FIELD_CONSENT_EXPIRES, "2027-06", RG_RULE_CONSENT_NO_END},
    {RG_FIELD_CONSENT_EXPIRES, "2026-11-23", RG_RULE_CONSENT_EXPIRED},
    {RG_FIELD_CONSENT_EXPIRES, "2026-11-25", RG_RULE_NONE},
    {RG_FIELD_PRS_CITIZENSHIP, "", RG_RULE_CITIZENSHIP_UNKNOWN},
    {RG_FIELD_PRS_CITIZENSHIP, "XXX", RG_RULE_CITIZENSHIP_UNKNOWN},
    {RG_FIELD_PRS_CITIZENSHIP, "XXA", RG_RULE_CITIZENSHIP_OTHER},
    {RG_FIELD_PRS_CITIZENSHIP, "MM", RG_RULE_CITIZENSHIP_OTHER},
    {RG_FIELD_PRS_GENDER, "", RG_RULE_PREVIEW_INCOMPLETE},
    {RG_FIELD_URGENCY, "", RG_RULE_PREVIEW_INCOMPLETE},
    {RG_FIELD_CCO_CASE_COMMENT, "she is HIV positive", RG_RULE_HEALTH_WORDS},
    {RG_FIELD_HEALTH_SUMMARY, "she is HIV positive", RG_RULE_NONE},
};

static void test_each_rule_by_itself(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof(rule_cases) / sizeof(rule_cases[0]); i++) {
        RG_OWNED_RECORD record = a_record();
        set(record, rule_cases[i].field, rule_cases[i].value);
        struct rg_rules_verdict verdict = rg_rules_judge(record, today);
        enum rg_rule first = verdict.count == 0 ? RG_RULE_NONE : verdict.rule[0];
        if (first != rule_cases[i].rule) {
            fail_msg("row %zu: %s", i, rg_rule_row(first)->id);
        }
        assert_int_equal(verdict.may_send, rule_cases[i].rule == RG_RULE_NONE);
        assert_true(verdict.may_send || rg_rules_classes(record, today) == 0);
        seen |= 1u << first;
    }
    assert_int_equal(seen, (1u << RG_RULE_COUNT) - 1); /* every rule was seen to act */
}

/* What the rules let pass can be composed: nothing fails behind them. */
static void test_what_may_be_sent_has_a_preview(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rule_cases) / sizeof(rule_cases[0]); i++) {
        RG_OWNED_RECORD record = a_record();
        set(record, rule_cases[i].field, rule_cases[i].value);
        struct rg_preview preview;
        if (rg_rules_judge(record, today).may_send) {
            assert_true(rg_is_ok(rg_record_preview(record, &preview, NULL)));
        }
    }
}

static void test_a_child_goes_with_a_guardian(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    set(record, RG_FIELD_AGE_STATUS, "uncertain");
    assert_true(rg_rules_judge(record, today).child);
    set(record, RG_FIELD_CONSENT_GIVEN_BY, "guardian");
    assert_true(rg_rules_judge(record, today).may_send);
    assert_true(rg_rules_judge(record, today).child);
    set(record, RG_FIELD_AGE_STATUS, "adult");
    assert_false(rg_rules_judge(record, today).child);
}

static void test_all_broken_rules_are_listed_in_order(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    struct rg_rules_verdict verdict = rg_rules_judge(record, today);
    assert_false(verdict.may_send);
    assert_int_equal(verdict.rule[0], RG_RULE_CONSENT_REFUSED);
    assert_true(verdict.count > 5);
    for (size_t i = 1; i < verdict.count; i++) {
        assert_true(verdict.rule[i] > verdict.rule[i - 1]);
    }
}

static void test_a_class_needs_its_scope(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    unsigned two = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY);
    assert_int_equal(rg_rules_classes(record, today), two);
    set(record, RG_FIELD_CONSENT_SCOPES,
        "SHARE_IDENTITY;TRACE_FAMILY;SHARE_HEALTH;SHARE_LEGAL;SHARE_SECURITY;RETURN");
    assert_int_equal(rg_rules_classes(record, today), (1u << RG_CLASS_COUNT) - 1);
    set(record, RG_FIELD_CONSENT_SCOPES, "SHARE_IDENTITY;SHARE_HEALTH;RETURN");
    assert_int_equal(rg_rules_classes(record, today), two | RG_CLASS_BIT(RG_CLASS_HEALTH));
}

static void test_every_rule_has_its_words(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_RULE_COUNT; i++) {
        const struct rg_rule_row *row = rg_rule_row((enum rg_rule)i);
        assert_int_equal(row->rule, i);
        assert_true(strlen(row->id) > 0 && strlen(row->meaning) > 0 && strlen(row->what_next) > 0);
    }
    assert_string_equal(rg_rule_row((enum rg_rule)999)->id, "none");
}

/* ---- whole files ---- */

struct counts {
    size_t cases, sendable, children;
    size_t by_rule[RG_RULE_COUNT];
};

static struct counts judge_file(struct rg_bytes text)
{
    struct rg_import_report report;
    RG_OWNED_RECORDS records = NULL;
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_records_read_csv(text, today, &records, &report, &why))) {
        fail_msg("%s; line %u %s: %s", why.text, report.error[0].line, report.error[0].column,
                 report.error[0].text);
    }
    struct counts counts = {.cases = rg_records_count(records)};
    for (size_t i = 0; i < counts.cases; i++) {
        struct rg_rules_verdict verdict = rg_rules_judge(rg_records_peek(records, i), today);
        counts.sendable += verdict.may_send;
        counts.children += verdict.may_send && verdict.child;
        counts.by_rule[verdict.count == 0 ? RG_RULE_NONE : verdict.rule[0]]++;
    }
    return counts;
}

static void read_generated(const char *arguments, const char *counts_path, struct rg_buffer *out)
{
    char command[4096];
    (void)snprintf(command, sizeof(command), "'%s/tests/data/make_caseload' %s --counts '%s'",
                   RG_SOURCE, arguments, counts_path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char piece[4096];
    size_t got;
    while ((got = fread(piece, 1, sizeof(piece), pipe)) > 0) {
        assert_true(rg_is_ok(rg_buffer_append(out, rg_bytes_of(piece, got), NULL)));
    }
    assert_int_equal(pclose(pipe), 0);
}

static size_t expected_of(const char *counts_text, const char *key)
{
    char line[80];
    (void)snprintf(line, sizeof(line), "\n%s ", key);
    const char *found = strstr(counts_text, line);
    return found == NULL ? 0 : strtoul(found + strlen(line), NULL, 10);
}

static void compare_counts(const struct counts *counts, const char *expected)
{
    assert_int_equal(counts->cases, expected_of(expected, "cases"));
    assert_int_equal(counts->sendable, expected_of(expected, "sendable"));
    for (unsigned i = RG_RULE_NONE + 1; i < RG_RULE_COUNT; i++) {
        const char *id = rg_rule_row((enum rg_rule)i)->id;
        if (counts->by_rule[i] != expected_of(expected, id)) {
            fail_msg("%s: %zu instead of %zu", id, counts->by_rule[i], expected_of(expected, id));
        }
        bool in_the_columns = i != RG_RULE_PROTECTION_CLAIM && i != RG_RULE_HEALTH_WORDS;
        assert_int_equal(counts->by_rule[i] > 0, in_the_columns);
    }
}

static void test_a_generated_caseload_has_its_counts(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-rules-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/counts", folder);
    static const char *const arguments[] = {"200", "1000 --seed 7"};
    for (size_t i = 0; i < 2; i++) {
        RG_OWNED_BUFFER text = {0};
        RG_OWNED_BUFFER expected = {0};
        RG_OWNED_BUFFER lines = {0};
        read_generated(arguments[i], path, &text);
        struct counts counts = judge_file(rg_buffer_peek(&text));
        assert_true(rg_is_ok(rg_file_read(path, 65536, &expected, NULL)));
        assert_true(rg_is_ok(rg_buffer_print(&lines, NULL, "\n%.*s", (int)expected.len,
                                             (const char *)expected.data)));
        compare_counts(&counts, (const char *)lines.data);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_the_real_caseload(void **state)
{
    (void)state;
    const char *folder = getenv("RG_DATA");
    if (folder == NULL) {
        print_message("RG_DATA is not set: the real caseload is skipped\n");
        skip();
    }
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/caseload.csv", folder);
    RG_OWNED_BUFFER text = {0};
    assert_true(rg_is_ok(rg_file_read(path, RG_CSV_BYTES_MAX, &text, NULL)));
    struct counts counts = judge_file(rg_buffer_peek(&text));
    assert_int_equal(counts.cases, 4017);
    assert_int_equal(counts.sendable, 3648);
    assert_int_equal(counts.by_rule[RG_RULE_CONSENT_REFUSED], 244);
    assert_int_equal(counts.by_rule[RG_RULE_CITIZENSHIP_UNKNOWN], 125);
    assert_int_equal(counts.children, 363 + 355);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule_by_itself),
        cmocka_unit_test(test_what_may_be_sent_has_a_preview),
        cmocka_unit_test(test_a_child_goes_with_a_guardian),
        cmocka_unit_test(test_all_broken_rules_are_listed_in_order),
        cmocka_unit_test(test_a_class_needs_its_scope),
        cmocka_unit_test(test_every_rule_has_its_words),
        cmocka_unit_test(test_a_generated_caseload_has_its_counts),
        cmocka_unit_test(test_the_real_caseload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
