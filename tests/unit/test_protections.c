/* protections: one test for each decision D1 to D26 that software can hold (docs/protections.md),
 * named after it; tests/protections/check looks that none is missing. */
#include "client/agreements.h"
#include "client/casebook.h"
#include "client/consent.h"
#include "client/process.h"
#include "client/retention.h"
#include "client/rules.h"
#include "client/rules_message.h"
#include "core/vault.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 25};

/* ---- a case that may be sent ---- */

static void set(struct rg_record *record, enum rg_field field, const char *value)
{
    assert_true(rg_is_ok(rg_record_set(record, field, rg_bytes_of_text(value), NULL)));
}

static struct rg_record *a_record(void)
{
    static const struct {
        enum rg_field field;
        const char *value;
    } values[] = {
        {RG_FIELD_CASE_REF, "C1"},
        {RG_FIELD_HOST_COUNTRY, "TH"},
        {RG_FIELD_ORIGIN_COUNTRY, "LA"},
        {RG_FIELD_AGE_STATUS, "adult"},
        {RG_FIELD_PRS_GENDER, "Feminine"},
        {RG_FIELD_PRS_CITIZENSHIP, "LA"},
        {RG_FIELD_VIC_TRAFFICKING_STATUS, "ActualVictimOfTrafficking"},
        {RG_FIELD_REFERRAL_REASON, "RETURN"},
        {RG_FIELD_CON_CONSENT, "true"},
        {RG_FIELD_CONSENT_SCOPES, "SHARE_IDENTITY;RETURN"},
        {RG_FIELD_CONSENT_GIVEN_BY, "person"},
        {RG_FIELD_CONSENT_GIVEN_ON, "2026-11-01"},
        {RG_FIELD_CONSENT_EXPIRES, "2027-04-30"},
        {RG_FIELD_URGENCY, "routine"},
    };
    struct rg_record *record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        set(record, values[i].field, values[i].value);
    }
    return record;
}

static enum rg_rule first_rule(const struct rg_record *record)
{
    struct rg_rules_verdict verdict = rg_rules_judge(record, today);
    return verdict.count == 0 ? RG_RULE_NONE : verdict.rule[0];
}

static struct rg_consents consents_of(const struct rg_record *record)
{
    struct rg_consents set_of = {0};
    struct rg_consent consent;
    assert_true(rg_consent_of_record(record, &consent));
    assert_true(rg_is_ok(rg_consents_give(&set_of, &consent, today, NULL)));
    return set_of;
}

static bool may(const struct rg_consents *consents, uint32_t kind, enum rg_class class_,
                const char *country)
{
    struct rg_consent_ask ask = {
        .kind = kind,
        .class_ = class_,
        .country = country,
        .desk = RG_ROLE_FOCAL,
        .purpose = rg_purpose_of(kind, RG_REASON_RETURN),
        .today = today,
    };
    return rg_is_ok(rg_consent_allows(consents, &ask, NULL));
}

/* ---- forms ---- */

/* Words in pairs: box, value; NULL ended. */
static struct rg_form *a_form(uint32_t kind, const char *const *words)
{
    struct rg_form *form = NULL;
    assert_true(rg_is_ok(rg_form_new(rg_kind_row(kind)->form, &form, NULL)));
    for (size_t i = 0; words != NULL && words[i] != NULL; i += 2) {
        struct rg_reason why = {0};
        if (!rg_is_ok(rg_form_set(form, words[i], rg_bytes_of_text(words[i + 1]), &why))) {
            fail_msg("%s: %s", words[i], why.text);
        }
    }
    return form;
}

static void row(struct rg_form *form, const char *list, const char *const *words)
{
    size_t at = 0;
    assert_true(rg_is_ok(rg_form_row_add(form, list, &at, NULL)));
    for (size_t i = 0; words[i] != NULL; i += 2) {
        assert_true(rg_is_ok(
            rg_form_row_set(form, list, at, words[i], rg_bytes_of_text(words[i + 1]), NULL)));
    }
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct rg_message_ask asking(uint32_t kind, const struct rg_form *form)
{
    return (struct rg_message_ask){
        .kind = kind, .form = form, .author = RG_ROLE_FOCAL, .by_host = true};
}

static enum rg_message_rule judged(uint32_t kind, const struct rg_form *form)
{
    struct rg_message_ask ask = asking(kind, form);
    return rg_message_rules_judge(&ask);
}

/* Does any box of any kind, or any field, have this in its name? */
static bool named_anywhere(const char *part)
{
    size_t kinds = 0;
    const struct rg_kind_row *kind = rg_kind_rows(&kinds);
    for (unsigned f = 0; f < RG_FIELD_COUNT; f++) {
        if (strstr(rg_field_row((enum rg_field)f)->name, part) != NULL) {
            return true;
        }
    }
    for (size_t k = 0; k < kinds; k++) {
        size_t boxes = kind[k].form != NULL ? kind[k].form->count : 0;
        for (size_t b = 0; b < boxes; b++) {
            if (strstr(kind[k].form->box[b].name, part) != NULL) {
                return true;
            }
        }
    }
    return false;
}

/* ---- the gate and the process ---- */

/* A grown woman, all checks done, who may travel. */
static struct rg_gate_input open_gate(void)
{
    return (struct rg_gate_input){
        .consent_return = true,
        .consent_identity = true,
        .nationality = RG_NATIONALITY_CONFIRMED,
        .risk_host = RG_RISK_SAFE,
        .risk_origin = RG_RISK_SAFE_WITH_MEASURES,
        .risk_host_current = true,
        .risk_origin_current = true,
        .home_known = true,
        .no_claim = true,
        .receivers_clear = true,
        .travel_permission = true,
        .age = RG_AGE_ADULT,
        .host_care = true,
        .reception_confirmed = true,
    };
}

static bool fails(const struct rg_gate_input *input, enum rg_gate row_of)
{
    struct rg_gate_verdict verdict = rg_gate_judge(input, RG_GATE_DEPARTURE);
    return !verdict.open && (verdict.fails & RG_GATE_BIT(row_of)) != 0;
}

static struct rg_process_message a_message(uint8_t id, enum rg_party from, uint32_t kind)
{
    struct rg_process_message message = {
        .id = {{id}}, .from = from, .kind = kind, .made = {1000 * id}};
    message.author.b[0] = (uint8_t)from;
    message.has_seen = id > 1;
    message.seen.b[0] = (uint8_t)(id - 1);
    return message;
}

/* ---- D1 to D5: consent ---- */

static void test_d01_unknown_is_not_allowed(void **state)
{
    (void)state;
    RG_OWNED_RECORD empty = NULL;
    struct rg_consents none = {0};
    assert_true(rg_is_ok(rg_record_new(&empty, NULL)));
    assert_false(rg_rules_judge(empty, today).may_send);
    assert_int_equal(rg_rules_classes(empty, today), 0);
    assert_true(rg_rules_judge(empty, today).child);
    assert_false(may(&none, 17, RG_CLASS_IDENTITY, "la"));
    assert_false(may(&none, 250, RG_CLASS_CASE, "la")); /* a kind that nobody knows */
    assert_false(named_anywhere("override"));
    assert_false(named_anywhere("force"));
    assert_false(named_anywhere("anyway"));
}

static void test_d02_no_section_without_its_scope(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    assert_true(may(&consents, 17, RG_CLASS_IDENTITY, "la"));
    for (unsigned c = RG_CLASS_FAMILY; c <= RG_CLASS_SECURITY; c++) {
        assert_false(may(&consents, 17, (enum rg_class)c, "la"));
    }
    /* A refusal is an answer like any other. */
    RG_OWNED_FORM form = a_form(RG_KIND_INFO_RESPONSE, NULL);
    row(form, "answers", WORDS("field", "full_name_native", "state", "REFUSED_BY_PERSON"));
    assert_true(rg_is_ok(rg_form_check(form, rg_form_classes(form), NULL)));
    /* Danger to life is said by somebody, with a reason, or it is no exception at all. */
    RG_OWNED_FORM emergency = a_form(RG_KIND_EMERGENCY_RETURN, WORDS("basis", "VITAL_INTEREST"));
    assert_int_equal(judged(RG_KIND_EMERGENCY_RETURN, emergency), RG_MESSAGE_RULE_VITAL);
    struct rg_vital vital = {.present = true,
                             .decided_by = "referral://th/focal/officer-1",
                             .reason = "the shelter was attacked last night",
                             .opened = RG_CLASS_BIT(RG_CLASS_IDENTITY)};
    struct rg_message_ask ask = asking(RG_KIND_EMERGENCY_RETURN, emergency);
    ask.vital = &vital;
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_NONE);
    assert_int_equal(rg_duties_of_message(&ask),
                     RG_DUTY_BIT(RG_DUTY_TELL_PERSON) | RG_DUTY_BIT(RG_DUTY_REPORT_VITAL));
    vital.opened |= RG_CLASS_BIT(RG_CLASS_HEALTH);
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_VITAL);
}

static const char *agreed(const struct rg_agreements *agreements, const char *office,
                          enum rg_purpose purpose)
{
    struct rg_reason why = {0};
    bool ok = rg_is_ok(rg_agreements_allow(agreements, office, purpose, today, &why));
    return ok ? "ok" : why.id;
}

static rg_outcome agreements_read(const char *text, struct rg_agreements *out)
{
    RG_OWNED_SETTINGS *settings = NULL;
    RG_TRY(rg_settings_parse(rg_bytes_of_text(text), 4096, &settings, NULL));
    return rg_agreements_read(rg_settings_root(settings), out, NULL);
}

static void test_d03_recipient_purpose_and_a_written_agreement(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    assert_false(may(&consents, 17, RG_CLASS_IDENTITY, "mm"));
    assert_false(may(&consents, 60, RG_CLASS_LEGAL, "la"));
    struct rg_agreements agreements = {0};
    assert_true(rg_is_ok(agreements_read(
        "agreements = ( { with = \"la\"; id = \"TH-LA-2005\"; purposes = ( \"RETURN\" ); }, "
        "{ with = \"kh/focal\"; id = \"TH-KH-2003\"; purposes = ( \"RETURN\", \"TRACING\" ); "
        "until = \"2026-11-24\"; } );",
        &agreements)));
    assert_string_equal(agreed(&agreements, "la/focal", RG_PURPOSE_RETURN), "ok");
    assert_string_equal(agreed(&agreements, "la/focal", RG_PURPOSE_JUSTICE), "agreement-purpose");
    assert_string_equal(agreed(&agreements, "la/focal", (enum rg_purpose)0), "agreement-purpose");
    assert_string_equal(agreed(&agreements, "kh/focal", RG_PURPOSE_RETURN), "agreement-ended");
    assert_string_equal(agreed(&agreements, "kh/other", RG_PURPOSE_RETURN), "agreement-none");
    assert_string_equal(agreed(&agreements, "mm/focal", RG_PURPOSE_RETURN), "agreement-none");
    static const char *const bad[] = {
        "agreements = ( { with = \"la\"; purposes = ( \"RETURN\" ); } );",
        "agreements = ( { with = \"la\"; id = \"X\"; purposes = ( ); } );",
        "agreements = ( { with = \"la\"; id = \"X\"; purposes = ( \"ALL\" ); } );",
        "agreements = ( { with = \"*\"; id = \"X\"; purposes = ( \"RETURN\" ); } );",
        "agreements = ( { with = \"la\"; id = \"\"; purposes = ( \"RETURN\" ); } );",
        "agreements = ({with=\"la\"; id=\"X\"; until=\"2026\"; purposes=(\"RETURN\");});",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(agreements_read(bad[i], &agreements).code, RG_MALFORMED);
    }
}

static void test_d04_the_origin_is_told_only_if_the_person_does_not_object(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    assert_false(may(&consents, RG_KIND_IDENTIFICATION_NOTICE, RG_CLASS_CASE, "la"));
    set(record, RG_FIELD_CONSENT_SCOPES, "NOTIFY_ORIGIN");
    consents = consents_of(record);
    assert_true(may(&consents, RG_KIND_IDENTIFICATION_NOTICE, RG_CLASS_CASE, "la"));
    RG_OWNED_FORM form = a_form(RG_KIND_IDENTIFICATION_NOTICE, WORDS("age", "ADULT"));
    assert_int_equal(judged(RG_KIND_IDENTIFICATION_NOTICE, form), RG_MESSAGE_RULE_NON_OBJECTION);
    assert_true(rg_is_ok(rg_form_set(form, "non_objection", rg_bytes_of_text("B-12/2026"), NULL)));
    assert_int_equal(judged(RG_KIND_IDENTIFICATION_NOTICE, form), RG_MESSAGE_RULE_NONE);
}

static void test_d05_a_withdrawal_works_at_once(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    const struct rg_kind_row *kind = rg_kind_row(RG_KIND_CONSENT_WITHDRAWN);
    rg_consents_withdraw(&consents, RG_SCOPE_BIT(RG_SCOPE_RETURN), today);
    assert_false(may(&consents, RG_KIND_DEPARTED, RG_CLASS_CASE, "la"));
    assert_false(may(&consents, RG_KIND_HANDOVER_PROPOSAL, RG_CLASS_CASE, "la"));
    assert_true(may(&consents, RG_KIND_HANDOVER_CHANGE, RG_CLASS_CASE, "la")); /* stops it */
    assert_true(may(&consents, RG_KIND_CONSENT_WITHDRAWN, RG_CLASS_CASE, "la"));
    assert_int_equal(kind->rank, RG_RANK_WITHDRAWAL); /* before all that is concurrent */
    assert_int_equal(kind->way, RG_WAY_ALERT);        /* an NGO sends it abroad at once */
}

/* ---- D6, D7: children ---- */

static void test_d06_uncertain_is_a_child(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_reason why = {0};
    static const char *const ages[] = {"uncertain", "child", ""};
    for (size_t i = 0; i < 3; i++) {
        set(record, RG_FIELD_AGE_STATUS, ages[i]);
        assert_int_equal(first_rule(record), RG_RULE_GUARDIAN_CONSENT);
    }
    assert_int_equal(
        rg_age_change_check(RG_AGE_UNCERTAIN, RG_AGE_ADULT, RG_ROLE_FOCAL, "x-ray", &why).code,
        RG_DENIED);
    assert_string_equal(why.id, "age-child-desk");
    assert_int_equal(rg_age_change_check(RG_AGE_CHILD, RG_AGE_ADULT, RG_ROLE_CHILD, "", &why).code,
                     RG_DENIED);
    assert_string_equal(why.id, "age-no-reason");
    assert_true(rg_is_ok(
        rg_age_change_check(RG_AGE_CHILD, RG_AGE_ADULT, RG_ROLE_CHILD, "birth register", &why)));
    assert_true(
        rg_is_ok(rg_age_change_check(RG_AGE_ADULT, RG_AGE_UNCERTAIN, RG_ROLE_FOCAL, NULL, &why)));
    RG_OWNED_FORM form = a_form(RG_KIND_ACCESS_OR_CORRECTION, WORDS("asks", "CORRECTION"));
    row(form, "changes", WORDS("field", "age_status", "value", "adult"));
    assert_int_equal(judged(RG_KIND_ACCESS_OR_CORRECTION, form), RG_MESSAGE_RULE_AGE_DESK);
    struct rg_message_ask ask = asking(RG_KIND_ACCESS_OR_CORRECTION, form);
    ask.author = RG_ROLE_CHILD;
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_AGE_REASON);
    assert_true(rg_is_ok(rg_form_set(form, "text", rg_bytes_of_text("register of 2004"), NULL)));
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_NONE);
    assert_int_equal(rg_duties_of_message(&ask), RG_DUTY_BIT(RG_DUTY_AGE_RAISED));
}

static void test_d07_a_child_is_heard_and_has_a_guardian(void **state)
{
    (void)state;
    RG_OWNED_FORM form = a_form(RG_KIND_BEST_INTEREST,
                                WORDS("decision", "RETURN", "child_heard", "false", "guardian",
                                      "AUTHORITY", "receiving_care", "la/social"));
    assert_int_equal(judged(RG_KIND_BEST_INTEREST, form), RG_MESSAGE_RULE_CHILD_HEARD);
    assert_true(rg_is_ok(rg_form_set(form, "child_heard", rg_bytes_of_text("true"), NULL)));
    assert_int_equal(judged(RG_KIND_BEST_INTEREST, form), RG_MESSAGE_RULE_NONE);
    assert_true(rg_is_ok(rg_form_set(form, "guardian", rg_bytes_of_text("NONE"), NULL)));
    assert_int_equal(judged(RG_KIND_BEST_INTEREST, form), RG_MESSAGE_RULE_CHILD_GUARDIAN);
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    struct rg_consent_ask ask = {.kind = 17,
                                 .class_ = RG_CLASS_IDENTITY,
                                 .country = "la",
                                 .desk = RG_ROLE_FOCAL,
                                 .purpose = RG_PURPOSE_RETURN,
                                 .today = today,
                                 .child = true};
    struct rg_reason why = {0};
    assert_int_equal(rg_consent_allows(&consents, &ask, &why).code, RG_DENIED);
    assert_string_equal(why.id, "consent-guardian");
    struct rg_gate_input gate = open_gate();
    assert_true(rg_gate_judge(&gate, RG_GATE_DEPARTURE).open);
    static const uint32_t ages[] = {RG_AGE_CHILD, RG_AGE_UNCERTAIN, 0};
    for (size_t i = 0; i < 3; i++) {
        gate.age = ages[i];
        assert_true(fails(&gate, RG_GATE_CHILD_INTEREST) && fails(&gate, RG_GATE_CHILD_GUARDIAN) &&
                    fails(&gate, RG_GATE_CHILD_ESCORT) && fails(&gate, RG_GATE_CHILD_CARE));
    }
}

/* ---- D8 to D11: return ---- */

static void test_d08_a_risk_assessment_does_not_hold_for_ever(void **state)
{
    (void)state;
    RG_OWNED_FORM form =
        a_form(RG_KIND_RISK_ASSESSMENT,
               WORDS("verdict", "SAFE", "assessed_on", "2026-11-25", "valid_to", "2027-02-25"));
    assert_int_equal(judged(RG_KIND_RISK_ASSESSMENT, form), RG_MESSAGE_RULE_NONE);
    assert_true(rg_is_ok(rg_form_set(form, "valid_to", rg_bytes_of_text("2027-02-26"), NULL)));
    assert_int_equal(judged(RG_KIND_RISK_ASSESSMENT, form), RG_MESSAGE_RULE_RISK_TERM);
    assert_true(rg_is_ok(rg_form_set(form, "valid_to", rg_bytes_of_text(""), NULL)));
    assert_int_equal(judged(RG_KIND_RISK_ASSESSMENT, form), RG_MESSAGE_RULE_RISK_TERM);
    struct rg_gate_input gate = open_gate();
    gate.risk_origin = RG_RISK_NOT_SAFE; /* either side stops it */
    assert_true(fails(&gate, RG_GATE_RISK_ORIGIN));
    gate = open_gate();
    gate.risk_host_current = false;
    assert_true(fails(&gate, RG_GATE_RISK_HOST_DATE));
}

static void test_d09_who_claims_protection_is_not_sent_to_the_origin(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    set(record, RG_FIELD_PROTECTION_CLAIM, "true");
    assert_int_equal(first_rule(record), RG_RULE_PROTECTION_CLAIM);
    assert_false(rg_field_crosses(RG_FIELD_PROTECTION_CLAIM));
    RG_OWNED_FORM form = a_form(RG_KIND_ONWARD_REFERRAL, WORDS("origin_excluded", "false"));
    struct rg_message_ask ask = asking(RG_KIND_ONWARD_REFERRAL, form);
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_NONE);
    ask.protection_claim = true;
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_ORIGIN_EXCLUDED);
}

static void test_d10_detention_is_a_standing_warning(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    assert_int_equal(rg_duties_of_record(record), 0);
    set(record, RG_FIELD_PLACE_OF_STAY, "detention");
    assert_int_equal(rg_duties_of_record(record), RG_DUTY_BIT(RG_DUTY_DETENTION));
    assert_non_null(rg_duty_row(RG_DUTY_DETENTION));
    static const char *const never[] = {"offence", "offense", "crime",   "crimin", "charge",
                                        "convict", "arrest",  "illegal", "guilt",  "penal"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_false(named_anywhere(never[i]));
    }
}

static struct rg_content a_content(uint32_t kind, const struct rg_form *form)
{
    return (struct rg_content){
        .kind = kind, .class_ = RG_CLASS_CASE, .body = RG_BODY_FORM, .form = form};
}

static void test_d11_the_host_identifies(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    RG_OWNED_FORM form = a_form(RG_KIND_ACCESS_OR_CORRECTION, WORDS("asks", "CORRECTION"));
    row(form, "changes",
        WORDS("field", "vic_TraffickingStatus", "value", "NotAVictimOfTrafficking"));
    struct rg_content content = a_content(RG_KIND_ACCESS_OR_CORRECTION, form);
    assert_true(rg_is_ok(rg_record_merge(record, &content, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_VIC_TRAFFICKING_STATUS),
                        "ActualVictimOfTrafficking");
    struct rg_process_message message[] = {
        a_message(1, RG_PARTY_HOST, RG_KIND_REQUEST),
        a_message(2, RG_PARTY_ORIGIN, RG_KIND_INFO_RESPONSE),
    };
    struct rg_process process;
    message[0].code = RG_REASON_RETURN;
    message[0].trafficking = 1;
    message[1].trafficking = 3;
    assert_true(rg_is_ok(rg_process_fold(message, 2, NULL, NULL, &process, NULL)));
    assert_int_equal(process.trafficking, 1);
}

/* ---- D12 to D16: who may know what ---- */

static void test_d12_need_to_know(void **state)
{
    (void)state;
    RG_OWNED_FORM form = a_form(RG_KIND_INFO_REQUEST, NULL);
    assert_int_equal(judged(RG_KIND_INFO_REQUEST, form), RG_MESSAGE_RULE_INFO_REASON);
    row(form, "asked", WORDS("field", "prs_Birthdate"));
    assert_int_equal(judged(RG_KIND_INFO_REQUEST, form), RG_MESSAGE_RULE_INFO_REASON);
    assert_true(rg_is_ok(
        rg_form_row_set(form, "asked", 0, "reason", rg_bytes_of_text("the register asks"), NULL)));
    assert_int_equal(judged(RG_KIND_INFO_REQUEST, form), RG_MESSAGE_RULE_NONE);
    RG_OWNED_FORM record = a_form(RG_KIND_HANDOVER_RECORD, WORDS("outcome", "PRESENT"));
    assert_true(rg_is_ok(
        rg_form_field_set(record, RG_FIELD_FULL_NAME_NATIVE, rg_bytes_of_text("ດາວ"), NULL)));
    assert_int_equal(judged(RG_KIND_HANDOVER_RECORD, record), RG_MESSAGE_RULE_NONE);
    assert_true(rg_is_ok(
        rg_form_field_set(record, RG_FIELD_PRS_IDENTITY_NUMBER, rg_bytes_of_text("123456"), NULL)));
    assert_int_equal(judged(RG_KIND_HANDOVER_RECORD, record), RG_MESSAGE_RULE_IDENTITY_EXTRACT);
}

static void test_d13_who_is_excluded_reads_nothing_and_learns_nothing(void **state)
{
    (void)state;
    struct rg_exclusions list = {0};
    struct rg_exclusion entry;
    struct rg_reason why = {0};
    static const char *const entries[] = {"th/border", "referral://la/focal/officer-2",
                                          "point TH-LA-1", "province th/tak"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(rg_is_ok(rg_exclusion_parse(entries[i], &entry, NULL)));
        assert_true(rg_is_ok(rg_exclusions_add(&list, &entry, NULL)));
    }
    assert_true(rg_exclusions_reader(&list, "referral://th/border/officer-9", "th/border"));
    assert_true(rg_exclusions_reader(&list, "referral://la/focal/officer-2", "la/focal"));
    assert_false(rg_exclusions_reader(&list, "referral://la/focal/officer-1", "la/focal"));
    assert_true(rg_exclusions_point(&list, "TH-LA-1"));
    assert_true(rg_exclusions_province(&list, "th/tak"));
    (void)rg_not_available(&why);
    assert_string_equal(why.text, "not available");
    const struct rg_kind_row *notice = rg_kind_row(RG_KIND_PROTECTION_NOTICE);
    assert_int_equal(notice->way, RG_WAY_DOMESTIC); /* to colleagues, who are cleared, alone */
    assert_int_equal(rg_form_box(notice->form, "shut_out")->class_, RG_CLASS_SECURITY);
    assert_false(named_anywhere("exclusion")); /* no other message has a place for the list */
    assert_false(named_anywhere("exclude_"));
}

static void test_d15_the_family_may_be_the_trafficker(void **state)
{
    (void)state;
    RG_OWNED_FORM tracing = a_form(RG_KIND_TRACING_REQUEST, WORDS("tell", "that she is well"));
    assert_int_equal(judged(RG_KIND_TRACING_REQUEST, tracing), RG_MESSAGE_RULE_NOT_TOLD);
    assert_true(rg_is_ok(rg_form_set(tracing, "tell_not", rg_bytes_of_text("where she is"), NULL)));
    assert_int_equal(judged(RG_KIND_TRACING_REQUEST, tracing), RG_MESSAGE_RULE_NONE);
    assert_int_equal(
        rg_form_box(rg_kind_row(RG_KIND_TRACING_REQUEST)->form, "do_not_contact")->class_,
        RG_CLASS_FAMILY);
    static const char *const involved[] = {"", "UNKNOWN", "YES"};
    for (size_t i = 0; i < 3; i++) {
        RG_OWNED_FORM home =
            a_form(RG_KIND_FAMILY_ASSESSMENT,
                   WORDS("recommendation", "RETURN_HOME", "relative_involved", involved[i]));
        assert_int_equal(judged(RG_KIND_FAMILY_ASSESSMENT, home),
                         RG_MESSAGE_RULE_RELATIVE_INVOLVED);
    }
    RG_OWNED_FORM safe = a_form(RG_KIND_FAMILY_ASSESSMENT,
                                WORDS("recommendation", "RETURN_HOME", "relative_involved", "NO"));
    assert_int_equal(judged(RG_KIND_FAMILY_ASSESSMENT, safe), RG_MESSAGE_RULE_NONE);
    RG_OWNED_FORM shelter = a_form(RG_KIND_FAMILY_ASSESSMENT,
                                   WORDS("recommendation", "SHELTER", "relative_involved", "YES"));
    assert_int_equal(judged(RG_KIND_FAMILY_ASSESSMENT, shelter), RG_MESSAGE_RULE_NONE);
}

static void test_d16_health_is_voluntary_and_separate(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    struct rg_consents consents = consents_of(record);
    assert_false(may(&consents, RG_KIND_HEALTH_SUMMARY, RG_CLASS_HEALTH, "la"));
    assert_false(may(&consents, RG_KIND_HEALTH_SUMMARY, RG_CLASS_CASE, "la"));
    for (uint32_t i = 1; rg_code_text(RG_FIELD_NEEDS, i) != NULL; i++) {
        assert_false(rg_words_of_health(rg_bytes_of_text(rg_code_text(RG_FIELD_NEEDS, i))));
    }
    static const char *const slips[] = {
        "needs ARV, HIV positive",
        "She is PREGNANT (5 months)",
        "after the rape",
        "ผู้หญิงตั้งครรภ์ 5 เดือน",
        "ຜູ້ຍິງຖືພາ",
        "ស្ត្រីមានផ្ទៃពោះ",
        "cô ấy mang thai",
        "သူမ ကိုယ်ဝန်ရှိသည်",
        "她怀孕了",
    };
    for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
        RG_OWNED_FORM form = a_form(RG_KIND_FOLLOW_UP_REPORT, WORDS("note", slips[i]));
        assert_int_equal(judged(RG_KIND_FOLLOW_UP_REPORT, form), RG_MESSAGE_RULE_HEALTH_WORDS);
    }
    static const char *const fine[] = {"a grape farm", "needs hearing aids", "was scraped", ""};
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        assert_false(rg_words_of_health(rg_bytes_of_text(fine[i])));
    }
    for (size_t i = 0; rg_health_word(i) != NULL; i++) { /* each is its own match key */
        RG_OWNED_BUFFER key = {0};
        size_t len = strcspn(rg_health_word(i), "*");
        struct rg_bytes word = rg_bytes_of(rg_health_word(i), len);
        assert_true(rg_is_ok(rg_text_match_key(word, &key, NULL)));
        if (!rg_bytes_equal(rg_buffer_peek(&key), word)) {
            fail_msg("%s is not a match key", rg_health_word(i));
        }
    }
    assert_false(named_anywhere("hiv"));
    assert_false(named_anywhere("_test"));
    assert_false(named_anywhere("tested"));
}

static void test_d17_help_never_waits_for_justice(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        bool justice = rows[i].number >= 60 && rows[i].number <= 63;
        for (size_t a = 0; a < sizeof(rows[i].answers) && rows[i].answers[a] != 0; a++) {
            bool about_justice = rows[i].answers[a] >= 60 && rows[i].answers[a] <= 63;
            assert_true(justice || !about_justice || !rows[i].needs_answers);
        }
    }
    assert_true(rg_form_box(rg_kind_row(RG_KIND_JUSTICE_REQUEST)->form, "protection")->required);
    RG_OWNED_FORM visit = a_form(RG_KIND_WITNESS_VISIT, WORDS("right_to_stop", "false"));
    assert_int_equal(judged(RG_KIND_WITNESS_VISIT, visit), RG_MESSAGE_RULE_RIGHT_TO_STOP);
    struct rg_gate_input gate = open_gate();
    gate.witness_needed = true;
    assert_true(fails(&gate, RG_GATE_WITNESS));
    gate.goes_anyway = true; /* the hold is the person's to lift */
    assert_true(rg_gate_judge(&gate, RG_GATE_DEPARTURE).open);
}

/* ---- D18 to D20: keeping, erasing, correcting ---- */

static void test_d18_no_longer_than_needed(void **state)
{
    (void)state;
    static const uint32_t months[RG_CLASS_COUNT + 1] = {
        [RG_CLASS_CASE] = 24,  [RG_CLASS_IDENTITY] = 24, [RG_CLASS_FAMILY] = 6,
        [RG_CLASS_HEALTH] = 6, [RG_CLASS_LEGAL] = 12,    [RG_CLASS_SECURITY] = 6,
    };
    for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_COUNT; c++) {
        assert_int_equal(rg_retention_row(c)->months, months[c]);
    }
    assert_int_equal(rg_retention_row(RG_TERM_DECLINED)->days, 30);
}

struct book {
    char folder[40];
    struct rg_key *key;
    struct rg_spool *spool;
    struct rg_casebook *book;
};

static void book_open(struct book *book)
{
    char path[64];
    (void)snprintf(book->folder, sizeof(book->folder), "/tmp/rg-protections-XXXXXX");
    assert_non_null(mkdtemp(book->folder));
    (void)snprintf(path, sizeof(path), "%s/key", book->folder);
    assert_true(rg_is_ok(rg_vault_file_make(path, NULL)));
    assert_true(rg_is_ok(rg_key_read(path, &book->key, NULL)));
    (void)snprintf(path, sizeof(path), "%s/book.db", book->folder);
    assert_true(rg_is_ok(rg_spool_open(path, &book->spool, NULL)));
    assert_true(rg_is_ok(rg_casebook_open(book->spool, book->key, &book->book, NULL)));
}

static void book_close(struct book *book)
{
    static const char *const names[] = {"key", "book.db", "book.db-wal", "book.db-shm"};
    rg_casebook_close(book->book);
    rg_spool_close(book->spool);
    rg_key_free(book->key);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", book->folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(book->folder), 0);
}

static void test_d19_what_is_erased_does_not_open(void **state)
{
    (void)state;
    struct book book = {0};
    RG_CASE_FILE file = {.now = {.side = RG_SIDE_HOST, .state = RG_CASE_READY}};
    RG_OWNED_RECORD record = a_record();
    RG_OWNED_RECORD after = NULL;
    book_open(&book);
    (void)snprintf(file.reference, sizeof(file.reference), "C1");
    assert_true(rg_is_ok(rg_casebook_put(book.book, &file, NULL)));
    assert_true(rg_is_ok(rg_casebook_record_put(book.book, file.row, record, NULL)));
    assert_true(rg_is_ok(rg_casebook_erase(book.book, file.row, false, NULL)));
    rg_outcome outcome = rg_casebook_record_get(book.book, file.row, &after, NULL);
    assert_true(!rg_is_ok(outcome) || !rg_record_has(after, RG_FIELD_PRS_CITIZENSHIP));
    assert_true(rg_is_ok(rg_casebook_get(book.book, file.row, &file, NULL)));
    assert_true(strlen(file.number) > 0); /* the tombstone stays */
    book_close(&book);
}

static void test_d20_a_correction_is_a_new_message(void **state)
{
    (void)state;
    const struct rg_kind_row *kind = rg_kind_row(RG_KIND_ACCESS_OR_CORRECTION);
    RG_OWNED_RECORD record = a_record();
    RG_OWNED_FORM form = a_form(RG_KIND_ACCESS_OR_CORRECTION, WORDS("asks", "CORRECTION"));
    set(record, RG_FIELD_HOME_DISTRICT, "Xieng Khouang");
    row(form, "changes", WORDS("field", "home_district", "value", "Houaphanh"));
    struct rg_content content = a_content(RG_KIND_ACCESS_OR_CORRECTION, form);
    assert_int_equal(kind->case_body, RG_BODY_FORM);
    assert_true(rg_is_ok(rg_record_merge(record, &content, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_HOME_DISTRICT), "Xieng Khouang");
    assert_null(rg_form_box(kind->form, "deletes"));
}

/* ---- D21: nothing leaks by way of words ---- */

#define MARKER "QZMARKERQZ"

static void marker_tried(const struct rg_form_table *table, const struct rg_box *box)
{
    struct rg_form *form = NULL;
    struct rg_reason why = {0};
    char long_marker[6000];
    assert_true(rg_is_ok(rg_form_new(table, &form, NULL)));
    memset(long_marker, 'x', sizeof(long_marker));
    memcpy(long_marker, MARKER, strlen(MARKER));
    long_marker[sizeof(long_marker) - 1] = '\0';
    const char *const values[] = {MARKER "\x01", MARKER "\xff", long_marker, MARKER};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        why = (struct rg_reason){0};
        if (!rg_is_ok(rg_form_set(form, box->name, rg_bytes_of_text(values[i]), &why))) {
            assert_null(strstr(why.text, MARKER));
        }
    }
    rg_form_free(form);
}

static void test_d21_no_reason_repeats_a_value(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t b = 0; rows[i].form != NULL && b < rows[i].form->count; b++) {
            marker_tried(rows[i].form, &rows[i].form->box[b]);
        }
    }
    for (unsigned f = 0; f < RG_FIELD_COUNT; f++) {
        RG_OWNED_BUFFER normal = {.secret = true};
        struct rg_reason why = {0};
        if (!rg_is_ok(
                rg_field_check((enum rg_field)f, rg_bytes_of_text(MARKER "\x01"), &normal, &why))) {
            assert_null(strstr(why.text, MARKER));
        }
    }
}

/* ---- D23 to D26 ---- */

static void test_d23_an_interpreter_may_be_part_of_the_risk(void **state)
{
    (void)state;
    struct rg_exclusions list = {0};
    struct rg_exclusion entry;
    struct rg_reason why = {0};
    RG_OWNED_FORM form =
        a_form(RG_KIND_CONSENT_RECORD, WORDS("interpreter", "true", "interpreter_ref", "I-17"));
    struct rg_message_ask ask = asking(RG_KIND_CONSENT_RECORD, form);
    ask.excluded = &list;
    assert_int_equal(rg_message_rules_judge(&ask), RG_MESSAGE_RULE_NONE);
    assert_true(rg_is_ok(rg_exclusion_parse("interpreter I-17", &entry, NULL)));
    assert_true(rg_is_ok(rg_exclusions_add(&list, &entry, NULL)));
    assert_int_equal(rg_message_rules_check(&ask, &why).code, RG_DENIED);
    assert_string_equal(why.text, "not available");
    RG_OWNED_FORM nobody = a_form(RG_KIND_CONSENT_RECORD, WORDS("interpreter", "true"));
    const struct rg_box *box =
        rg_form_box(rg_kind_row(RG_KIND_CONSENT_RECORD)->form, "interpreter_ref");
    assert_string_equal(box->when, "interpreter=true"); /* who it was must be said */
    assert_false(rg_is_ok(rg_form_check(nobody, RG_CLASS_BIT(RG_CLASS_CASE), NULL)));
}

static void test_d24_nothing_is_promised_without_a_provider_and_a_day(void **state)
{
    (void)state;
    RG_OWNED_FORM plan = a_form(RG_KIND_REINTEGRATION_PLAN, NULL);
    assert_int_equal(judged(RG_KIND_REINTEGRATION_PLAN, plan), RG_MESSAGE_RULE_PROVIDER);
    row(plan, "goals", WORDS("objective", "a sewing course", "starts", "2027-01-10"));
    assert_int_equal(judged(RG_KIND_REINTEGRATION_PLAN, plan), RG_MESSAGE_RULE_PROVIDER);
    assert_true(rg_is_ok(
        rg_form_row_set(plan, "goals", 0, "provider", rg_bytes_of_text("ORGANISATION"), NULL)));
    assert_int_equal(judged(RG_KIND_REINTEGRATION_PLAN, plan), RG_MESSAGE_RULE_NONE);
    row(plan, "goals", WORDS("objective", "school", "provider", "SCHOOL"));
    assert_int_equal(judged(RG_KIND_REINTEGRATION_PLAN, plan), RG_MESSAGE_RULE_PROVIDER);
    assert_true(rg_form_box(rg_kind_row(RG_KIND_FOLLOW_UP_REPORT)->form, "visited_on")->required);
}

static void test_d25_two_officers_for_what_cannot_be_undone(void **state)
{
    (void)state;
    struct rg_retention_note note = {0};
    struct rg_reason why = {0};
    struct rg_wall now = {1000};
    struct rg_retention_hold hold = {
        .class_ = RG_CLASS_LEGAL,
        .until = {2000},
        .basis = "court order",
        .officer = {"referral://th/focal/officer-1", "referral://th/focal/officer-1"}};
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
    assert_string_equal(why.id, "retention-officers");
    assert_true(rg_kind_row(RG_KIND_EMERGENCY_RETURN)->two_officers);
    struct rg_process none = {0};
    struct rg_process_message emergency = a_message(1, RG_PARTY_HOST, RG_KIND_EMERGENCY_RETURN);
    emergency.flags = RG_SAYS_VITAL_INTEREST;
    assert_int_equal(rg_process_may(&none, &emergency, NULL, &why).code, RG_DENIED);
    assert_string_equal(why.id, "process-officers");
    emergency.second_author = emergency.author; /* the same one twice is one */
    assert_int_equal(rg_process_may(&none, &emergency, NULL, &why).code, RG_DENIED);
    emergency.second_author.b[0] = 99;
    assert_true(rg_is_ok(rg_process_may(&none, &emergency, NULL, &why)));
    assert_non_null(rg_form_box(rg_kind_row(RG_KIND_RISK_ASSESSMENT)->form, "lifts"));
}

static void test_d26_a_possible_victim_may_be_helped(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = a_record();
    set(record, RG_FIELD_VIC_TRAFFICKING_STATUS, "PossibleVictimOfTrafficking");
    assert_int_equal(first_rule(record), RG_RULE_NONE);
    set(record, RG_FIELD_VIC_TRAFFICKING_STATUS, "NotAVictimOfTrafficking");
    assert_int_equal(first_rule(record), RG_RULE_NOT_A_VICTIM);
    assert_int_equal(rg_duties_of_record(record), RG_DUTY_BIT(RG_DUTY_ERASE_SOON));
    assert_int_equal(rg_retention_row(RG_TERM_NOT_VICTIM)->days, 30);
    RG_OWNED_FORM closure = a_form(RG_KIND_CLOSURE, WORDS("reason", "NOT_A_VICTIM"));
    struct rg_message_ask ask = asking(RG_KIND_CLOSURE, closure);
    assert_int_equal(rg_duties_of_message(&ask), RG_DUTY_BIT(RG_DUTY_ERASE_SOON));
}

/* ---- what users of other systems missed ---- */

static void test_restrictions_travel_with_the_data(void **state)
{
    (void)state;
    assert_true(rg_field_crosses(RG_FIELD_FAMILY_DO_NOT_CONTACT));
    assert_int_equal(rg_field_row(RG_FIELD_FAMILY_DO_NOT_CONTACT)->class_, RG_CLASS_FAMILY);
    assert_non_null(rg_form_box(rg_kind_row(RG_KIND_TRACING_REQUEST)->form, "do_not_contact"));
    assert_non_null(rg_form_box(rg_kind_row(RG_KIND_TRACING_REQUEST)->form, "tell_not"));
    assert_non_null(rg_form_box(rg_kind_row(RG_KIND_SAFETY_CONCERN)->form, "do_not_tell"));
    assert_non_null(rg_form_box(rg_kind_row(RG_KIND_ONWARD_REFERRAL)->form, "origin_excluded"));
}

static void test_withheld_is_not_empty(void **state)
{
    (void)state;
    RG_OWNED_FORM form = a_form(RG_KIND_INFO_RESPONSE, NULL);
    row(form, "answers", WORDS("field", "full_name_native", "state", "WITHHELD"));
    assert_false(rg_is_ok(rg_form_check(form, rg_form_classes(form), NULL))); /* says why */
    assert_true(rg_is_ok(
        rg_form_row_set(form, "answers", 0, "reason", rg_bytes_of_text("not agreed to"), NULL)));
    assert_true(rg_is_ok(rg_form_check(form, rg_form_classes(form), NULL)));
}

static void test_every_rule_on_messages_has_its_words(void **state)
{
    (void)state;
    for (unsigned i = RG_MESSAGE_RULE_NONE + 1; i < RG_MESSAGE_RULE_COUNT; i++) {
        const struct rg_message_rule_row *rule = rg_message_rule_row((enum rg_message_rule)i);
        assert_int_equal(rule->rule, i);
        assert_true(rule->decision[0] == 'D' && isdigit((unsigned char)rule->decision[1]));
        assert_true(strlen(rule->id) > 3 && strlen(rule->meaning) > 3 &&
                    strlen(rule->what_next) > 3);
    }
    for (unsigned i = 1; i < RG_DUTY_COUNT; i++) {
        assert_non_null(rg_duty_row((enum rg_duty)i));
    }
    assert_null(rg_duty_row((enum rg_duty)99));
    assert_string_equal(rg_message_rule_row((enum rg_message_rule)999)->id, "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_d01_unknown_is_not_allowed),
        cmocka_unit_test(test_d02_no_section_without_its_scope),
        cmocka_unit_test(test_d03_recipient_purpose_and_a_written_agreement),
        cmocka_unit_test(test_d04_the_origin_is_told_only_if_the_person_does_not_object),
        cmocka_unit_test(test_d05_a_withdrawal_works_at_once),
        cmocka_unit_test(test_d06_uncertain_is_a_child),
        cmocka_unit_test(test_d07_a_child_is_heard_and_has_a_guardian),
        cmocka_unit_test(test_d08_a_risk_assessment_does_not_hold_for_ever),
        cmocka_unit_test(test_d09_who_claims_protection_is_not_sent_to_the_origin),
        cmocka_unit_test(test_d10_detention_is_a_standing_warning),
        cmocka_unit_test(test_d11_the_host_identifies),
        cmocka_unit_test(test_d12_need_to_know),
        cmocka_unit_test(test_d13_who_is_excluded_reads_nothing_and_learns_nothing),
        cmocka_unit_test(test_d15_the_family_may_be_the_trafficker),
        cmocka_unit_test(test_d16_health_is_voluntary_and_separate),
        cmocka_unit_test(test_d17_help_never_waits_for_justice),
        cmocka_unit_test(test_d18_no_longer_than_needed),
        cmocka_unit_test(test_d19_what_is_erased_does_not_open),
        cmocka_unit_test(test_d20_a_correction_is_a_new_message),
        cmocka_unit_test(test_d21_no_reason_repeats_a_value),
        cmocka_unit_test(test_d23_an_interpreter_may_be_part_of_the_risk),
        cmocka_unit_test(test_d24_nothing_is_promised_without_a_provider_and_a_day),
        cmocka_unit_test(test_d25_two_officers_for_what_cannot_be_undone),
        cmocka_unit_test(test_d26_a_possible_victim_may_be_helped),
        cmocka_unit_test(test_restrictions_travel_with_the_data),
        cmocka_unit_test(test_withheld_is_not_empty),
        cmocka_unit_test(test_every_rule_on_messages_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
