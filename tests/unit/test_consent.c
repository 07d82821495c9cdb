/* consent: each part of a consent by itself, several beside each other, withdrawal, the last day,
 * vital interest, and that no kind or class slips past. */
#include "client/consent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 25};

static struct rg_consent a_consent(void)
{
    struct rg_consent consent = {
        .scopes = RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY) | RG_SCOPE_BIT(RG_SCOPE_RETURN),
        .purposes = RG_PURPOSE_BIT(RG_PURPOSE_RETURN),
        .desks = RG_ROLE_BIT(RG_ROLE_FOCAL),
        .classes = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY),
        .country = {"la"},
        .country_count = 1,
        .given_by = RG_GIVEN_BY_PERSON,
        .informed = RG_CONSENT_INFORMED_ALL,
        .given_on = {2026, 11, 1},
    };
    return consent;
}

static struct rg_consent_ask an_ask(void)
{
    return (struct rg_consent_ask){
        .kind = 17,
        .class_ = RG_CLASS_IDENTITY,
        .country = "la",
        .desk = RG_ROLE_FOCAL,
        .purpose = RG_PURPOSE_RETURN,
        .today = today,
    };
}

static const char *judge(const struct rg_consents *set, const struct rg_consent_ask *ask)
{
    struct rg_reason why = {0};
    rg_outcome outcome = rg_consent_allows(set, ask, &why);
    assert_true(rg_is_ok(outcome) || outcome.code == RG_DENIED);
    assert_true(rg_is_ok(outcome) || strlen(why.text) > 20);
    return rg_is_ok(outcome) ? "ok" : why.id;
}

static void give(struct rg_consents *set, const struct rg_consent *consent)
{
    assert_true(rg_is_ok(rg_consents_give(set, consent, today, NULL)));
}

static const char *judge_one(const struct rg_consent *consent, const struct rg_consent_ask *ask)
{
    struct rg_consents set = {0};
    give(&set, consent);
    return judge(&set, ask);
}

/* Break one part of the ask, or of the consent: each has its own reason. */
static void test_each_part_narrows(void **state)
{
    (void)state;
    struct rg_consent good = a_consent();
    struct rg_consent_ask ask = an_ask();
    struct rg_consents none = {0};
    assert_string_equal(judge_one(&good, &ask), "ok");
    assert_string_equal(judge(&none, &ask), "consent-none");
#define ASKED(member, value, id)                                                                   \
    do {                                                                                           \
        struct rg_consent_ask other = ask;                                                         \
        other.member = (value);                                                                    \
        assert_string_equal(judge_one(&good, &other), id);                                         \
    } while (0)
    ASKED(country, "th", "consent-recipient");
    ASKED(desk, RG_ROLE_HEALTH, "consent-desk");
    ASKED(desk, (enum rg_role)0, "consent-desk");
    ASKED(purpose, RG_PURPOSE_JUSTICE, "consent-purpose");
    ASKED(purpose, (enum rg_purpose)0, "consent-purpose");
    ASKED(class_, RG_CLASS_HEALTH, "consent-class");
    ASKED(today, ((struct rg_date){2027, 5, 2}), "consent-expired");
    ASKED(today, ((struct rg_date){2026, 10, 31}), "consent-not-begun");
    ASKED(child, true, "consent-guardian");
#define GIVEN(member, value, id)                                                                   \
    do {                                                                                           \
        struct rg_consent other = good;                                                            \
        other.member = (value);                                                                    \
        assert_string_equal(judge_one(&other, &ask), id);                                          \
    } while (0)
    GIVEN(scopes, RG_SCOPE_BIT(RG_SCOPE_RETURN), "consent-scope");
    GIVEN(purposes, 0, "consent-purpose");
    GIVEN(desks, 0, "consent-desk");
    GIVEN(classes, 0, "consent-class");
    GIVEN(country_count, 0, "consent-recipient");
    GIVEN(given_by, (enum rg_given_by)0, "consent-uninformed");
    GIVEN(informed, RG_CONSENT_INFORMED_ALL & ~1u, "consent-uninformed");
    GIVEN(given_on, ((struct rg_date){0}), "consent-expired");
    GIVEN(given_on, ((struct rg_date){2026, 11, 0}), "consent-expired");
}

static void test_a_child_needs_a_guardian(void **state)
{
    (void)state;
    struct rg_consent consent = a_consent();
    struct rg_consent_ask ask = an_ask();
    ask.child = true;
    consent.given_by = RG_GIVEN_BY_GUARDIAN;
    assert_string_equal(judge_one(&consent, &ask), "ok");
    consent.given_by = RG_GIVEN_BY_BOTH;
    assert_string_equal(judge_one(&consent, &ask), "ok");
}

static void last_day_is(const struct rg_consent *consent, struct rg_date day)
{
    struct rg_date last = rg_consent_last_day(consent);
    assert_int_equal(last.year, day.year);
    assert_int_equal(last.month, day.month);
    assert_int_equal(last.day, day.day);
}

static void test_the_last_day(void **state)
{
    (void)state;
    struct rg_consent consent = a_consent();
    last_day_is(&consent, (struct rg_date){2027, 5, 1});
    consent.given_on = (struct rg_date){2026, 8, 31};
    last_day_is(&consent, (struct rg_date){2027, 2, 28}); /* six months later has no 31st */
    consent.given_on = (struct rg_date){2027, 8, 31};
    last_day_is(&consent, (struct rg_date){2028, 2, 29});
    consent.purpose_ends_on = (struct rg_date){2027, 9, 15};
    last_day_is(&consent, (struct rg_date){2027, 9, 15});
    consent.expires_on = (struct rg_date){2027, 9, 10};
    last_day_is(&consent, (struct rg_date){2027, 9, 10});
    consent.expires_on = (struct rg_date){2029, 1, 1}; /* the purpose cuts a stated day */
    last_day_is(&consent, (struct rg_date){2027, 9, 15});
    consent.purpose_ends_on = (struct rg_date){0};
    last_day_is(&consent, (struct rg_date){2029, 1, 1});
    consent.given_on = (struct rg_date){0};
    consent.expires_on = (struct rg_date){2029, 1, 0};
    last_day_is(&consent, (struct rg_date){0});
}

static void test_the_last_day_still_counts(void **state)
{
    (void)state;
    struct rg_consent consent = a_consent();
    struct rg_consent_ask ask = an_ask();
    ask.today = (struct rg_date){2027, 5, 1};
    assert_string_equal(judge_one(&consent, &ask), "ok");
    ask.today.day = 2;
    assert_string_equal(judge_one(&consent, &ask), "consent-expired");
}

/* Health to the health desk, beside return to the focal point, is not health to the focal point. */
static void test_consents_stand_beside_each_other(void **state)
{
    (void)state;
    struct rg_consents set = {0};
    struct rg_consent consent = a_consent();
    struct rg_consent health = a_consent();
    struct rg_consent_ask ask = an_ask();
    health.scopes = RG_SCOPE_BIT(RG_SCOPE_SHARE_HEALTH);
    health.classes = RG_CLASS_BIT(RG_CLASS_HEALTH);
    health.desks = RG_ROLE_BIT(RG_ROLE_HEALTH);
    give(&set, &consent);
    give(&set, &health);
    assert_string_equal(judge(&set, &ask), "ok");
    ask.class_ = RG_CLASS_HEALTH;
    assert_string_equal(judge(&set, &ask), "consent-class");
    ask.desk = RG_ROLE_HEALTH;
    assert_string_equal(judge(&set, &ask), "ok");
    ask.class_ = RG_CLASS_IDENTITY;
    assert_string_equal(judge(&set, &ask), "consent-class");
    assert_int_equal(rg_consents_scopes(&set, today), consent.scopes | health.scopes);
    assert_int_equal(rg_consents_scopes(&set, (struct rg_date){2028, 1, 1}), 0);
}

static void test_a_withdrawal_takes_the_scope_from_all(void **state)
{
    (void)state;
    struct rg_consents set = {0};
    struct rg_consent consent = a_consent();
    struct rg_consent_ask ask = an_ask();
    give(&set, &consent);
    give(&set, &consent);
    rg_consents_withdraw(&set, RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY), today);
    assert_string_equal(judge(&set, &ask), "consent-withdrawn");
    assert_int_equal(rg_consents_scopes(&set, today), RG_SCOPE_BIT(RG_SCOPE_RETURN));
    give(&set, &consent); /* an old paper that turns up late gives nothing back */
    assert_string_equal(judge(&set, &ask), "consent-withdrawn");
    consent.given_on = (struct rg_date){0};
    consent.expires_on = (struct rg_date){2027, 1, 1};
    give(&set, &consent); /* and neither does one without a day */
    assert_string_equal(judge(&set, &ask), "consent-withdrawn");
    consent.given_on = today;
    give(&set, &consent);
    assert_string_equal(judge(&set, &ask), "ok");
    rg_consents_withdraw(&set, UINT32_MAX, today);
    assert_string_equal(judge(&set, &ask), "consent-withdrawn");
    assert_int_equal(rg_consents_scopes(&set, today), 0);
}

static void test_the_set_is_bounded(void **state)
{
    (void)state;
    struct rg_consents set = {0};
    struct rg_consent consent = a_consent();
    struct rg_consent ended = a_consent();
    ended.given_on = (struct rg_date){2020, 1, 1};
    give(&set, &ended);
    for (size_t i = 1; i < RG_CONSENTS_MAX; i++) {
        give(&set, &consent);
    }
    give(&set, &consent); /* the ended one made room */
    struct rg_reason why = {0};
    rg_outcome outcome = rg_consents_give(&set, &consent, today, &why);
    assert_int_equal(outcome.code, RG_LIMIT);
    assert_string_equal(why.id, "consent-limit");
    assert_int_equal(set.count, RG_CONSENTS_MAX);
}

static void test_vital_interest_opens_identity_and_needs_only(void **state)
{
    (void)state;
    struct rg_consents set = {0};
    struct rg_consent_ask ask = an_ask();
    struct rg_vital vital = {
        .decided_by = "referral://th/focal/officer-1",
        .reason = "bleeding, unconscious, hospital needs her name",
        .present = true,
        .opened = RG_CLASS_BIT(RG_CLASS_IDENTITY) | RG_CLASS_BIT(RG_CLASS_CASE),
    };
    ask.kind = 49;
    ask.vital = &vital;
    assert_string_equal(judge(&set, &ask), "ok");
    ask.class_ = RG_CLASS_CASE;
    assert_string_equal(judge(&set, &ask), "ok");
    ask.kind = 11;
    for (unsigned c = RG_CLASS_FAMILY; c <= RG_CLASS_COUNT; c++) {
        ask.class_ = (enum rg_class)c;
        assert_string_equal(judge(&set, &ask), "consent-none");
        vital.opened |= RG_CLASS_BIT(c); /* claiming more makes the whole claim unlawful */
        assert_string_equal(judge(&set, &ask), "consent-none");
        ask.class_ = RG_CLASS_IDENTITY;
        assert_string_equal(judge(&set, &ask), "consent-none");
        vital.opened &= ~RG_CLASS_BIT(c);
    }
}

static void test_vital_interest_names_who_and_why(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    struct rg_vital good = {
        .decided_by = "referral://th/focal/officer-1",
        .reason = "bleeding, unconscious, hospital needs her name",
        .present = true,
        .opened = RG_CLASS_BIT(RG_CLASS_IDENTITY),
    };
    assert_true(rg_is_ok(rg_vital_check(&good, 49, &why)));
    struct rg_vital bad = good;
    bad.decided_by[0] = 0;
    assert_int_equal(rg_vital_check(&bad, 49, &why).code, RG_DENIED);
    assert_string_equal(why.id, "vital-nobody");
    bad = good;
    bad.reason = "urgent";
    assert_int_equal(rg_vital_check(&bad, 49, &why).code, RG_DENIED);
    assert_string_equal(why.id, "vital-no-reason");
    bad = good;
    bad.opened = 0;
    assert_int_equal(rg_vital_check(&bad, 49, &why).code, RG_DENIED);
    assert_string_equal(why.id, "vital-too-wide");
}

/* On the way out of danger the other side must know where and when; nothing else of that class. */
static void test_vital_interest_tells_the_way(void **state)
{
    (void)state;
    struct rg_consents none = {0};
    struct rg_vital vital = {
        .present = true,
        .decided_by = "referral://th/focal/officer-1",
        .reason = "shelter attacked, she must cross tonight",
        .opened = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_SECURITY),
    };
    struct rg_consent_ask ask = an_ask();
    ask.kind = 49;
    ask.class_ = RG_CLASS_SECURITY;
    ask.vital = &vital;
    assert_string_equal(judge(&none, &ask), "ok");
    ask.kind = 35;
    assert_string_equal(judge(&none, &ask), "consent-none");
    ask.kind = 49;
    vital.present = false;
    assert_string_equal(judge(&none, &ask), "consent-none");
}

/* Every kind and class, from nobody's consent: only what is on this list may go. */
static void test_what_goes_without_consent(void **state)
{
    (void)state;
    struct rg_consents none = {0};
    size_t count = 0;
    size_t free_count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_COUNT; c++) {
            struct rg_consent_ask ask = an_ask();
            ask.kind = rows[i].number;
            ask.class_ = (enum rg_class)c;
            bool passes = strcmp(judge(&none, &ask), "ok") == 0;
            assert_true(!passes || c == RG_CLASS_CASE);
            free_count += passes;
        }
    }
    assert_int_equal(free_count, 26);
    const uint32_t never[] = {10, 11, 15, 17, 19, 30, 32, 37, 40, 44, 49, 50, 51, 60, 63, 70};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_false(rg_consent_scopes_needed(never[i], RG_CLASS_CASE).none);
    }
}

static void test_a_kind_needs_its_scope(void **state)
{
    (void)state;
    struct rg_consent consent = a_consent();
    struct rg_consent_ask ask = an_ask();
    static const struct {
        uint32_t kind;
        enum rg_scope scope;
    } needs[] = {
        {10, RG_SCOPE_NOTIFY_ORIGIN}, {32, RG_SCOPE_TRACE_FAMILY},
        {37, RG_SCOPE_RETURN},        {39, RG_SCOPE_SHARE_HEALTH},
        {40, RG_SCOPE_RETURN},        {44, RG_SCOPE_RETURN},
        {51, RG_SCOPE_FOLLOW_UP},     {60, RG_SCOPE_SHARE_LEGAL},
        {63, RG_SCOPE_SHARE_LEGAL},   {70, RG_SCOPE_ONWARD_THIRD_COUNTRY},
    };
    ask.class_ = RG_CLASS_CASE;
    consent.purposes = UINT32_MAX;
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        ask.kind = needs[i].kind;
        consent.scopes = UINT32_MAX & ~RG_SCOPE_BIT(needs[i].scope);
        assert_string_equal(judge_one(&consent, &ask), "consent-scope");
        consent.scopes = RG_SCOPE_BIT(needs[i].scope);
        assert_string_equal(judge_one(&consent, &ask), "ok");
    }
}

/* The route of a return that was agreed to may be told; who the suspects are may not. */
static void test_the_way_is_part_of_the_return(void **state)
{
    (void)state;
    struct rg_consent consent = a_consent();
    struct rg_consent_ask ask = an_ask();
    consent.classes |= RG_CLASS_BIT(RG_CLASS_SECURITY);
    ask.class_ = RG_CLASS_SECURITY;
    ask.kind = 41;
    assert_string_equal(judge_one(&consent, &ask), "ok");
    ask.kind = 17;
    assert_string_equal(judge_one(&consent, &ask), "consent-scope");
    ask.kind = 41;
    consent.scopes = RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY);
    assert_string_equal(judge_one(&consent, &ask), "consent-scope");
}

static void set(struct rg_record *record, enum rg_field field, const char *value)
{
    assert_true(rg_is_ok(rg_record_set(record, field, rg_bytes_of_text(value), NULL)));
}

static void test_a_record_gives_its_consent(void **state)
{
    (void)state;
    RG_OWNED_RECORD record = NULL;
    struct rg_consent consent;
    struct rg_consent_ask ask = an_ask();
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    assert_false(rg_consent_of_record(record, &consent));
    set(record, RG_FIELD_CON_CONSENT, "true");
    set(record, RG_FIELD_HOST_COUNTRY, "TH");
    set(record, RG_FIELD_ORIGIN_COUNTRY, "LA");
    set(record, RG_FIELD_REFERRAL_REASON, "RETURN");
    set(record, RG_FIELD_CONSENT_SCOPES, "SHARE_IDENTITY;RETURN");
    set(record, RG_FIELD_CONSENT_GIVEN_BY, "person");
    set(record, RG_FIELD_CONSENT_GIVEN_ON, "2026-11-01");
    assert_true(rg_consent_of_record(record, &consent));
    assert_string_equal(judge_one(&consent, &ask), "ok");
    ask.country = "mm";
    assert_string_equal(judge_one(&consent, &ask), "consent-recipient");
    ask.country = "la";
    ask.purpose = RG_PURPOSE_ONWARD;
    assert_string_equal(judge_one(&consent, &ask), "consent-purpose");
    set(record, RG_FIELD_CONSENT_GIVEN_ON, "");
    assert_true(rg_consent_of_record(record, &consent));
    ask.purpose = RG_PURPOSE_RETURN;
    assert_string_equal(judge_one(&consent, &ask), "consent-expired"); /* no end can be told */
}

static void test_a_summary_gives_its_consent(void **state)
{
    (void)state;
    struct rg_consent consent;
    struct rg_consent_ask ask = an_ask();
    struct rg_preview preview = {.reason = RG_REASON_RETURN};
    assert_false(rg_consent_of_summary(&preview, "th", "la", &consent));
    preview.consent = (struct rg_consent_summary){
        .scopes = RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY) | RG_SCOPE_BIT(RG_SCOPE_RETURN),
        .given_by = RG_GIVEN_BY_PERSON,
        .expires = {2026, 12, 31},
    };
    assert_true(rg_consent_of_summary(&preview, "TH", "la", &consent));
    assert_string_equal(judge_one(&consent, &ask), "ok");
    ask.country = "th";
    assert_string_equal(judge_one(&consent, &ask), "ok");
    assert_int_equal(rg_consent_classes(&(struct rg_consents){.item = {consent}, .count = 1}, &ask),
                     RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY));
}

static void test_names_both_ways(void **state)
{
    (void)state;
    for (unsigned i = 1; i < RG_PURPOSE_COUNT; i++) {
        assert_int_equal(rg_purpose_find(rg_purpose_name((enum rg_purpose)i)), i);
    }
    assert_int_equal(rg_purpose_find("ANYTHING"), 0);
    assert_string_equal(rg_purpose_name((enum rg_purpose)99), "UNKNOWN");
    assert_non_null(rg_consent_informed_name(6));
    assert_null(rg_consent_informed_name(7));
    assert_int_equal(rg_purpose_of(60, RG_REASON_RETURN), RG_PURPOSE_JUSTICE);
    assert_int_equal(rg_purpose_of(70, RG_REASON_RETURN), RG_PURPOSE_ONWARD);
    assert_int_equal(rg_purpose_of(17, RG_REASON_TRACING_ONLY), RG_PURPOSE_TRACING);
    assert_int_equal(rg_purpose_of(17, (enum rg_referral_reason)77), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_part_narrows),
        cmocka_unit_test(test_a_child_needs_a_guardian),
        cmocka_unit_test(test_the_last_day),
        cmocka_unit_test(test_the_last_day_still_counts),
        cmocka_unit_test(test_consents_stand_beside_each_other),
        cmocka_unit_test(test_a_withdrawal_takes_the_scope_from_all),
        cmocka_unit_test(test_the_set_is_bounded),
        cmocka_unit_test(test_vital_interest_opens_identity_and_needs_only),
        cmocka_unit_test(test_vital_interest_tells_the_way),
        cmocka_unit_test(test_vital_interest_names_who_and_why),
        cmocka_unit_test(test_what_goes_without_consent),
        cmocka_unit_test(test_a_kind_needs_its_scope),
        cmocka_unit_test(test_the_way_is_part_of_the_return),
        cmocka_unit_test(test_a_record_gives_its_consent),
        cmocka_unit_test(test_a_summary_gives_its_consent),
        cmocka_unit_test(test_names_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
