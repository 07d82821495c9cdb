/* gate: every row alone, both ways; what is not known does not hold; the child's branch. */
#include "client/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A child for whom everything is known and right. */
static const struct rg_gate_input right = {
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
    .fit = RG_FIT_YES,
    .age = RG_AGE_CHILD,
    .interest = RG_INTEREST_RETURN,
    .guardian_named = true,
    .escort = true,
    .care_named = true,
    .host_care = true,
    .reception_confirmed = true,
};

static void no_consent_return(struct rg_gate_input *in)
{
    in->consent_return = false;
}

static void no_consent_identity(struct rg_gate_input *in)
{
    in->consent_identity = false;
}

static void not_confirmed(struct rg_gate_input *in)
{
    in->nationality = RG_NATIONALITY_NOT_CONFIRMED;
}

static void host_unsafe(struct rg_gate_input *in)
{
    in->risk_host = RG_RISK_NOT_SAFE;
}

static void host_old(struct rg_gate_input *in)
{
    in->risk_host_current = false;
}

static void origin_unsafe(struct rg_gate_input *in)
{
    in->risk_origin = RG_RISK_NOT_SAFE;
}

static void origin_old(struct rg_gate_input *in)
{
    in->risk_origin_current = false;
}

static void forbidden(struct rg_gate_input *in)
{
    in->forbidden = true;
}

static void concern(struct rg_gate_input *in)
{
    in->concern_open = true;
}

static void alert(struct rg_gate_input *in)
{
    in->alert_open = true;
}

static void hold(struct rg_gate_input *in)
{
    in->hold = true;
}

static void claim(struct rg_gate_input *in)
{
    in->no_claim = false;
}

static void witness(struct rg_gate_input *in)
{
    in->witness_needed = true;
}

static void unfit(struct rg_gate_input *in)
{
    in->fit = RG_FIT_NO;
}

static void at_home(struct rg_gate_input *in)
{
    in->host_care = false;
}

static void interest_other(struct rg_gate_input *in)
{
    in->interest = RG_INTEREST_OTHER;
}

static void no_guardian(struct rg_gate_input *in)
{
    in->guardian_named = false;
}

static void no_travel(struct rg_gate_input *in)
{
    in->travel_permission = false;
}

static void no_escort(struct rg_gate_input *in)
{
    in->escort = false;
}

static void no_care(struct rg_gate_input *in)
{
    in->care_named = false;
}

static void no_reception(struct rg_gate_input *in)
{
    in->reception_confirmed = false;
}

static void conflict(struct rg_gate_input *in)
{
    in->receivers_clear = false;
}

static const struct {
    enum rg_gate row;
    void (*spoil)(struct rg_gate_input *in);
} spoils[] = {
    {RG_GATE_CONSENT_RETURN, no_consent_return},
    {RG_GATE_CONSENT_IDENTITY, no_consent_identity},
    {RG_GATE_NATIONALITY, not_confirmed},
    {RG_GATE_RISK_HOST, host_unsafe},
    {RG_GATE_RISK_HOST_DATE, host_old},
    {RG_GATE_RISK_ORIGIN, origin_unsafe},
    {RG_GATE_RISK_ORIGIN_DATE, origin_old},
    {RG_GATE_NOT_FORBIDDEN, forbidden},
    {RG_GATE_CONCERN, concern},
    {RG_GATE_ALERT, alert},
    {RG_GATE_HOLD, hold},
    {RG_GATE_CLAIM, claim},
    {RG_GATE_WITNESS, witness},
    {RG_GATE_FIT, unfit},
    {RG_GATE_CARE, at_home},
    {RG_GATE_CHILD_INTEREST, interest_other},
    {RG_GATE_CHILD_GUARDIAN, no_guardian},
    {RG_GATE_TRAVEL, no_travel},
    {RG_GATE_CHILD_ESCORT, no_escort},
    {RG_GATE_CHILD_CARE, no_care},
    {RG_GATE_RECEPTION, no_reception},
    {RG_GATE_CONFLICT, conflict},
};

static void test_all_right(void **state)
{
    (void)state;
    struct rg_gate_verdict verdict = rg_gate_judge(&right, RG_GATE_DEPARTURE);
    assert_true(verdict.open);
    assert_true(verdict.child);
    assert_int_equal(verdict.count, 0);
    assert_int_equal(verdict.fails, 0);
}

static void test_each_row_alone(void **state)
{
    (void)state;
    assert_int_equal(sizeof(spoils) / sizeof(spoils[0]), RG_GATE_COUNT);
    for (size_t i = 0; i < RG_GATE_COUNT; i++) {
        struct rg_gate_input in = right;
        spoils[i].spoil(&in);
        struct rg_gate_verdict verdict = rg_gate_judge(&in, RG_GATE_DEPARTURE);
        assert_int_equal(spoils[i].row, i);
        assert_false(verdict.open);
        assert_int_equal(verdict.count, 1);
        assert_int_equal(verdict.row[0], i);
        assert_int_equal(verdict.fails, RG_GATE_BIT(i));
    }
}

/* For clearing, the rows of the journey are not asked, all others are. */
static void test_the_rows_of_each_stage(void **state)
{
    (void)state;
    for (size_t i = 0; i < RG_GATE_COUNT; i++) {
        struct rg_gate_input in = right;
        spoils[i].spoil(&in);
        bool journey = rg_gate_row((enum rg_gate)i)->stage == RG_GATE_DEPARTURE;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_CLEARING).open, journey);
    }
}

static void test_child_rows_are_for_children_and_for_who_may_be_one(void **state)
{
    (void)state;
    static const uint32_t ages[] = {0, RG_AGE_ADULT, RG_AGE_CHILD, RG_AGE_UNCERTAIN};
    for (size_t a = 0; a < 4; a++) {
        for (size_t i = 0; i < RG_GATE_COUNT; i++) {
            struct rg_gate_input in = right;
            spoils[i].spoil(&in);
            in.age = ages[a];
            bool adult = ages[a] == RG_AGE_ADULT;
            bool passes = adult && rg_gate_row((enum rg_gate)i)->child;
            assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, passes);
        }
    }
}

static void test_home_rows_are_left_out_of_the_other_sides_view(void **state)
{
    (void)state;
    struct rg_gate_input in = right;
    in.home_known = in.no_claim = in.receivers_clear = false;
    assert_true(rg_gate_judge(&in, RG_GATE_DEPARTURE).open);
    in.home_known = true;
    assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).count, 2);
}

/* Nothing known at all: what asks for a yes fails, what asks for the absence of a no does not. */
static void test_unknown_is_no(void **state)
{
    (void)state;
    struct rg_gate_input in = {.home_known = true};
    uint32_t absent = RG_GATE_BIT(RG_GATE_NOT_FORBIDDEN) | RG_GATE_BIT(RG_GATE_CONCERN) |
                      RG_GATE_BIT(RG_GATE_ALERT) | RG_GATE_BIT(RG_GATE_HOLD) |
                      RG_GATE_BIT(RG_GATE_WITNESS) | RG_GATE_BIT(RG_GATE_FIT);
    uint32_t all = RG_GATE_BIT(RG_GATE_COUNT) - 1;
    struct rg_gate_verdict verdict = rg_gate_judge(&in, RG_GATE_DEPARTURE);
    assert_true(verdict.child);
    assert_int_equal(verdict.fails, all & ~absent);
}

static void test_every_code_of_a_row(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 7; code++) {
        struct rg_gate_input in = right;
        in.nationality = code;
        bool national =
            code == RG_NATIONALITY_CONFIRMED || code == RG_NATIONALITY_PERMANENT_RESIDENT;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, national);
        bool safe = code == RG_RISK_SAFE || code == RG_RISK_SAFE_WITH_MEASURES;
        in = right;
        in.risk_host = code;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, safe);
        in = right;
        in.risk_origin = code;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, safe);
        in = right;
        in.interest = code;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, code == RG_INTEREST_RETURN);
        in = right;
        in.fit = code;
        assert_int_equal(rg_gate_judge(&in, RG_GATE_DEPARTURE).open, code != RG_FIT_NO);
    }
}

static void test_she_may_go_although_needed_as_a_witness(void **state)
{
    (void)state;
    struct rg_gate_input in = right;
    in.witness_needed = in.goes_anyway = true;
    assert_true(rg_gate_judge(&in, RG_GATE_DEPARTURE).open);
}

static void test_rows_have_names_that_find_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_GATE_COUNT; i++) {
        const struct rg_gate_row *row = rg_gate_row((enum rg_gate)i);
        enum rg_gate found = RG_GATE_COUNT;
        assert_int_equal(row->row, i);
        assert_true(row->meaning[0] != '\0' && row->what_next[0] != '\0');
        assert_true(rg_gate_find(row->id, &found));
        assert_int_equal(found, i);
    }
    enum rg_gate none;
    assert_false(rg_gate_find("no such row", &none));
}

static void test_dates(void **state)
{
    (void)state;
    struct rg_process p = {.scopes = 0xffff, .care = RG_PARTY_HOST};
    struct rg_date today = {2026, 11, 25}, last = {2026, 11, 25}, gone = {2026, 11, 24};
    p.scope_until[RG_SCOPE_RETURN - 1] = last;
    p.nationality = (struct rg_check){.code = RG_NATIONALITY_CONFIRMED, .valid_to = last};
    p.risk[RG_PARTY_HOST] = (struct rg_check){.code = RG_RISK_SAFE, .made = {2026, 8, 27}};
    p.witness_until = last;
    struct rg_gate_input in = rg_process_gate_input(&p, today, NULL);
    assert_true(in.consent_return && in.risk_host_current && in.witness_needed);
    assert_int_equal(in.nationality, RG_NATIONALITY_CONFIRMED);
    assert_false(in.consent_identity); /* given, but without a last day */
    p.scope_until[RG_SCOPE_RETURN - 1] = p.nationality.valid_to = p.witness_until = gone;
    p.risk[RG_PARTY_HOST].made = (struct rg_date){2026, 8, 26}; /* 91 days ago */
    in = rg_process_gate_input(&p, today, NULL);
    assert_false(in.consent_return || in.risk_host_current || in.witness_needed);
    assert_int_equal(in.nationality, 0);
    p.risk[RG_PARTY_HOST] =
        (struct rg_check){.code = RG_RISK_SAFE, .made = today, .valid_to = gone};
    assert_false(rg_process_gate_input(&p, today, NULL).risk_host_current);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_right),
        cmocka_unit_test(test_each_row_alone),
        cmocka_unit_test(test_the_rows_of_each_stage),
        cmocka_unit_test(test_child_rows_are_for_children_and_for_who_may_be_one),
        cmocka_unit_test(test_home_rows_are_left_out_of_the_other_sides_view),
        cmocka_unit_test(test_unknown_is_no),
        cmocka_unit_test(test_every_code_of_a_row),
        cmocka_unit_test(test_she_may_go_although_needed_as_a_witness),
        cmocka_unit_test(test_rows_have_names_that_find_them),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
