/* cases: the roads a case may go, everything else refused without a trace, whose move it is. */
#include "client/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct rg_wall noon = {INT64_C(1795521600000)}; /* Tuesday 2026-11-24 12:00 UTC */

struct leg {
    enum rg_case_event event;
    enum rg_case_state to;
    unsigned actions;
};

static void walk(enum rg_case_side side, const struct leg *legs, size_t count)
{
    struct rg_case c = {.side = side};
    for (size_t i = 0; i < count; i++) {
        unsigned actions = 99;
        struct rg_case next = {0};
        struct rg_wall when = {noon.ms + (int64_t)i};
        struct rg_reason why = {0};
        if (!rg_is_ok(rg_case_step(&c, legs[i].event, when, &next, &actions, &why))) {
            fail_msg("leg %zu: %s", i, why.text);
        }
        assert_int_equal(next.state, legs[i].to);
        assert_int_equal(actions, legs[i].actions);
        assert_int_equal(next.side, side);
        assert_int_equal(next.since.ms, next.state == c.state ? c.since.ms : when.ms);
        c = next;
    }
}

static void test_a_referral_seen_from_the_host(void **state)
{
    (void)state;
    static const struct leg legs[] = {
        {RG_EVENT_RULES_HOLD, RG_CASE_HELD, 0},
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_REQUEST_OUT, RG_CASE_REFERRED, 0},
        {RG_EVENT_OPENED, RG_CASE_REFERRED, 0},
        {RG_EVENT_ACCEPT_IN, RG_CASE_ACCEPTED, RG_CASE_DO_ACKNOWLEDGE | RG_CASE_DO_SEND_DETAILS},
        {RG_EVENT_DETAILS_OUT, RG_CASE_RELEASED, 0},
        {RG_EVENT_OPENED, RG_CASE_RELEASED, 0},
    };
    walk(RG_SIDE_HOST, legs, sizeof(legs) / sizeof(legs[0]));
}

static void test_a_referral_seen_from_the_origin(void **state)
{
    (void)state;
    static const struct leg legs[] = {
        {RG_EVENT_REQUEST_IN, RG_CASE_REFERRED, RG_CASE_DO_ACKNOWLEDGE},
        {RG_EVENT_ACCEPT_OUT, RG_CASE_ACCEPTED, 0},
        {RG_EVENT_OPENED, RG_CASE_ACCEPTED, 0},
        {RG_EVENT_DETAILS_IN, RG_CASE_RELEASED, RG_CASE_DO_ACKNOWLEDGE},
    };
    walk(RG_SIDE_ORIGIN, legs, sizeof(legs) / sizeof(legs[0]));
}

static void test_a_declined_referral_may_be_mended_and_asked_again(void **state)
{
    (void)state;
    static const struct leg host[] = {
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_REQUEST_OUT, RG_CASE_REFERRED, 0},
        {RG_EVENT_DECLINE_IN, RG_CASE_DECLINED, RG_CASE_DO_ACKNOWLEDGE},
        {RG_EVENT_RETRY, RG_CASE_HELD, RG_CASE_DO_CHECK_RULES},
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_REQUEST_OUT, RG_CASE_REFERRED, 0},
    };
    static const struct leg origin[] = {
        {RG_EVENT_REQUEST_IN, RG_CASE_REFERRED, RG_CASE_DO_ACKNOWLEDGE},
        {RG_EVENT_DECLINE_OUT, RG_CASE_DECLINED, RG_CASE_DO_ERASE_RECEIVED},
        {RG_EVENT_REQUEST_IN, RG_CASE_REFERRED, RG_CASE_DO_ACKNOWLEDGE},
    };
    walk(RG_SIDE_HOST, host, sizeof(host) / sizeof(host[0]));
    walk(RG_SIDE_ORIGIN, origin, sizeof(origin) / sizeof(origin[0]));
}

static void test_what_never_arrived_waits_for_a_person(void **state)
{
    (void)state;
    static const struct leg legs[] = {
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_REQUEST_OUT, RG_CASE_REFERRED, 0},
        {RG_EVENT_UNDELIVERED, RG_CASE_RETURNED, 0},
        {RG_EVENT_RETRY, RG_CASE_HELD, RG_CASE_DO_CHECK_RULES},
    };
    walk(RG_SIDE_HOST, legs, sizeof(legs) / sizeof(legs[0]));
}

static void test_a_proposal(void **state)
{
    (void)state;
    static const struct leg ngo[] = {
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_PROPOSAL_OUT, RG_CASE_PROPOSED, 0},
        {RG_EVENT_OPENED, RG_CASE_PROPOSED, 0},
        {RG_EVENT_PROPOSAL_ACCEPT_IN, RG_CASE_FORWARDED, RG_CASE_DO_ACKNOWLEDGE},
    };
    static const struct leg focal[] = {
        {RG_EVENT_PROPOSAL_IN, RG_CASE_HELD, RG_CASE_DO_ACKNOWLEDGE | RG_CASE_DO_CHECK_RULES},
        {RG_EVENT_RULES_OK, RG_CASE_READY, 0},
        {RG_EVENT_REQUEST_OUT, RG_CASE_REFERRED, 0},
        {RG_EVENT_PROPOSAL_ACCEPT_OUT, RG_CASE_REFERRED, 0},
    };
    walk(RG_SIDE_PROPOSER, ngo, sizeof(ngo) / sizeof(ngo[0]));
    walk(RG_SIDE_HOST, focal, sizeof(focal) / sizeof(focal[0]));
}

/* Details may leave only after an accept, from wherever a case stands. */
static void test_no_road_to_details_but_through_an_accept(void **state)
{
    (void)state;
    for (unsigned s = 0; s < RG_CASE_STATE_COUNT; s++) {
        struct rg_case c = {.side = RG_SIDE_HOST, .state = (enum rg_case_state)s};
        struct rg_case next;
        unsigned actions;
        bool possible =
            rg_is_ok(rg_case_step(&c, RG_EVENT_DETAILS_OUT, noon, &next, &actions, NULL));
        assert_int_equal(possible, s == RG_CASE_ACCEPTED);
        for (unsigned e = 0; e < RG_EVENT_COUNT; e++) {
            if (rg_is_ok(rg_case_step(&c, (enum rg_case_event)e, noon, &next, &actions, NULL)) &&
                s != RG_CASE_ACCEPTED && next.state == RG_CASE_ACCEPTED) {
                assert_true(e == RG_EVENT_ACCEPT_IN ||
                            (e == RG_EVENT_UNDELIVERED && s == RG_CASE_RELEASED));
            }
        }
    }
}

static void test_one_open_referral_and_one_decision(void **state)
{
    (void)state;
    static const struct {
        enum rg_case_side side;
        enum rg_case_state state;
        enum rg_case_event event;
    } row[] = {
        {RG_SIDE_HOST, RG_CASE_REFERRED, RG_EVENT_REQUEST_OUT},
        {RG_SIDE_HOST, RG_CASE_RELEASED, RG_EVENT_REQUEST_OUT},
        {RG_SIDE_HOST, RG_CASE_HELD, RG_EVENT_REQUEST_OUT},
        {RG_SIDE_HOST, RG_CASE_DECLINED, RG_EVENT_ACCEPT_IN},
        {RG_SIDE_HOST, RG_CASE_READY, RG_EVENT_ACCEPT_IN},
        {RG_SIDE_HOST, RG_CASE_REFERRED, RG_EVENT_RULES_OK},
        {RG_SIDE_ORIGIN, RG_CASE_REFERRED, RG_EVENT_REQUEST_IN},
        {RG_SIDE_ORIGIN, RG_CASE_ACCEPTED, RG_EVENT_ACCEPT_OUT},
        {RG_SIDE_ORIGIN, RG_CASE_ACCEPTED, RG_EVENT_DECLINE_OUT},
        {RG_SIDE_ORIGIN, RG_CASE_DECLINED, RG_EVENT_ACCEPT_OUT},
        {RG_SIDE_ORIGIN, RG_CASE_REFERRED, RG_EVENT_DETAILS_IN},
        {RG_SIDE_PROPOSER, RG_CASE_READY, RG_EVENT_REQUEST_OUT},
        {RG_SIDE_PROPOSER, RG_CASE_HELD, RG_EVENT_PROPOSAL_OUT},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rg_case c = {.side = row[i].side, .state = row[i].state, .since = noon};
        struct rg_case next = {.state = RG_CASE_STATE_COUNT};
        unsigned actions = 99;
        struct rg_reason why = {0};
        assert_int_equal(rg_case_step(&c, row[i].event, noon, &next, &actions, &why).code,
                         RG_DENIED);
        assert_string_equal(why.id, "case-step");
        assert_int_equal(next.state, RG_CASE_STATE_COUNT);
        assert_int_equal(actions, 99);
    }
}

static void test_opened_speaks_of_the_last_message_only(void **state)
{
    (void)state;
    struct rg_case c = {.side = RG_SIDE_HOST, .state = RG_CASE_REFERRED};
    unsigned actions;
    assert_true(rg_is_ok(rg_case_step(&c, RG_EVENT_OPENED, noon, &c, &actions, NULL)));
    assert_true(c.opened);
    assert_true(rg_is_ok(rg_case_step(&c, RG_EVENT_ACCEPT_IN, noon, &c, &actions, NULL)));
    assert_false(c.opened);
}

static void test_messages_become_events(void **state)
{
    (void)state;
    assert_int_equal(rg_case_event_of(11, false, true), RG_EVENT_REQUEST_OUT);
    assert_int_equal(rg_case_event_of(11, true, true), RG_EVENT_REQUEST_IN);
    assert_int_equal(rg_case_event_of(11, true, false), RG_EVENT_NONE);
    assert_int_equal(rg_case_event_of(12, true, false), RG_EVENT_PROPOSAL_ACCEPT_IN);
    assert_int_equal(rg_case_event_of(12, true, true), RG_EVENT_ACCEPT_IN);
    assert_int_equal(rg_case_event_of(18, true, true), RG_EVENT_OPENED);
    assert_int_equal(rg_case_event_of(18, false, true), RG_EVENT_NONE);
    assert_int_equal(rg_case_event_of(19, true, true), RG_EVENT_NONE);
    assert_int_equal(rg_case_event_of(35, true, true), RG_EVENT_NONE);
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_CASE_STATE_COUNT; i++) {
        enum rg_case_state found = RG_CASE_STATE_COUNT;
        assert_true(rg_case_state_find(rg_case_state_name((enum rg_case_state)i), &found));
        assert_int_equal(found, i);
    }
    for (unsigned i = 0; i < RG_EVENT_COUNT; i++) {
        assert_non_null(rg_case_event_name((enum rg_case_event)i));
    }
    enum rg_case_state found;
    assert_false(rg_case_state_find("LOST", &found));
    assert_string_equal(rg_case_side_name(RG_SIDE_PROPOSER), "proposer");
    assert_string_equal(rg_case_side_name((enum rg_case_side)9), "unknown");
}

static void test_whose_move_it_is(void **state)
{
    (void)state;
    struct rg_case c = {.side = RG_SIDE_HOST, .state = RG_CASE_REFERRED};
    assert_int_equal(rg_case_waiting(&c).mover, RG_MOVER_OTHER_SIDE);
    assert_int_equal(rg_case_waiting(&c).answer_to, RG_KIND_REQUEST);
    c.side = RG_SIDE_ORIGIN;
    assert_int_equal(rg_case_waiting(&c).mover, RG_MOVER_US);
    c.state = RG_CASE_RELEASED;
    assert_int_equal(rg_case_waiting(&c).mover, RG_MOVER_NOBODY);
    c.side = RG_SIDE_PROPOSER;
    c.state = RG_CASE_PROPOSED;
    assert_string_equal(rg_mover_name(rg_case_waiting(&c).mover), "our focal point");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_referral_seen_from_the_host),
        cmocka_unit_test(test_a_referral_seen_from_the_origin),
        cmocka_unit_test(test_a_declined_referral_may_be_mended_and_asked_again),
        cmocka_unit_test(test_what_never_arrived_waits_for_a_person),
        cmocka_unit_test(test_a_proposal),
        cmocka_unit_test(test_no_road_to_details_but_through_an_accept),
        cmocka_unit_test(test_one_open_referral_and_one_decision),
        cmocka_unit_test(test_opened_speaks_of_the_last_message_only),
        cmocka_unit_test(test_messages_become_events),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_whose_move_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
