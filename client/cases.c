/*
 * How it works: `steps` is the machine. A row says: on this side, in this state, this event leads
 * there and asks for that. What has no row is refused and nothing changes. Invariant: no event
 * comes from a clock, and only ACCEPT_IN makes a host release details.
 */
#include "client/cases.h"

#include <string.h>

struct step {
    enum rg_case_side side;
    enum rg_case_state from;
    enum rg_case_event event;
    enum rg_case_state to;
    unsigned actions;
};

#define HOST(from, event, to, actions)                                                             \
    {                                                                                              \
        RG_SIDE_HOST, RG_CASE_##from, RG_EVENT_##event, RG_CASE_##to, actions                      \
    }
#define ORIGIN(from, event, to, actions)                                                           \
    {                                                                                              \
        RG_SIDE_ORIGIN, RG_CASE_##from, RG_EVENT_##event, RG_CASE_##to, actions                    \
    }
#define PROPOSER(from, event, to, actions)                                                         \
    {                                                                                              \
        RG_SIDE_PROPOSER, RG_CASE_##from, RG_EVENT_##event, RG_CASE_##to, actions                  \
    }

#define CHECK RG_CASE_DO_CHECK_RULES
#define DETAILS RG_CASE_DO_SEND_DETAILS
#define ACK RG_CASE_DO_ACKNOWLEDGE
#define ERASE RG_CASE_DO_ERASE_RECEIVED

static const struct step steps[] = {
    /* the focal point of the host country */
    HOST(NONE, RULES_OK, READY, 0),
    HOST(NONE, RULES_HOLD, HELD, 0),
    HOST(NONE, PROPOSAL_IN, HELD, ACK | CHECK),
    HOST(HELD, RULES_OK, READY, 0),
    HOST(HELD, RULES_HOLD, HELD, 0),
    HOST(HELD, PROPOSAL_DECLINE_OUT, DECLINED, ERASE),
    HOST(READY, RULES_OK, READY, 0),
    HOST(READY, RULES_HOLD, HELD, 0),
    HOST(READY, PROPOSAL_ACCEPT_OUT, READY, 0),
    HOST(READY, PROPOSAL_DECLINE_OUT, DECLINED, ERASE),
    HOST(READY, REQUEST_OUT, REFERRED, 0),
    HOST(REFERRED, PROPOSAL_ACCEPT_OUT, REFERRED, 0),
    HOST(REFERRED, OPENED, REFERRED, 0),
    HOST(REFERRED, UNDELIVERED, RETURNED, 0),
    HOST(REFERRED, ACCEPT_IN, ACCEPTED, ACK | DETAILS),
    HOST(REFERRED, DECLINE_IN, DECLINED, ACK),
    HOST(RETURNED, RETRY, HELD, CHECK),
    HOST(ACCEPTED, OPENED, ACCEPTED, 0),
    HOST(ACCEPTED, PROPOSAL_ACCEPT_OUT, ACCEPTED, 0),
    HOST(ACCEPTED, DETAILS_OUT, RELEASED, 0),
    HOST(RELEASED, OPENED, RELEASED, 0),
    HOST(RELEASED, PROPOSAL_ACCEPT_OUT, RELEASED, 0),
    HOST(RELEASED, UNDELIVERED, ACCEPTED, 0),
    HOST(DECLINED, OPENED, DECLINED, 0),
    HOST(DECLINED, PROPOSAL_DECLINE_OUT, DECLINED, 0),
    HOST(DECLINED, RETRY, HELD, CHECK),
    /* the focal point of the country of origin */
    ORIGIN(NONE, REQUEST_IN, REFERRED, ACK),
    ORIGIN(REFERRED, OPENED, REFERRED, 0),
    ORIGIN(REFERRED, ACCEPT_OUT, ACCEPTED, 0),
    ORIGIN(REFERRED, DECLINE_OUT, DECLINED, ERASE),
    ORIGIN(ACCEPTED, OPENED, ACCEPTED, 0),
    ORIGIN(ACCEPTED, UNDELIVERED, ACCEPTED, 0),
    ORIGIN(ACCEPTED, DETAILS_IN, RELEASED, ACK),
    ORIGIN(RELEASED, OPENED, RELEASED, 0),
    ORIGIN(RELEASED, DETAILS_IN, RELEASED, ACK),
    ORIGIN(DECLINED, OPENED, DECLINED, 0),
    ORIGIN(DECLINED, UNDELIVERED, DECLINED, 0),
    ORIGIN(DECLINED, REQUEST_IN, REFERRED, ACK),
    /* an NGO that proposes to its own focal point */
    PROPOSER(NONE, RULES_OK, READY, 0),
    PROPOSER(NONE, RULES_HOLD, HELD, 0),
    PROPOSER(HELD, RULES_OK, READY, 0),
    PROPOSER(HELD, RULES_HOLD, HELD, 0),
    PROPOSER(READY, RULES_OK, READY, 0),
    PROPOSER(READY, RULES_HOLD, HELD, 0),
    PROPOSER(READY, PROPOSAL_OUT, PROPOSED, 0),
    PROPOSER(PROPOSED, OPENED, PROPOSED, 0),
    PROPOSER(PROPOSED, UNDELIVERED, RETURNED, 0),
    PROPOSER(PROPOSED, PROPOSAL_ACCEPT_IN, FORWARDED, ACK),
    PROPOSER(PROPOSED, PROPOSAL_DECLINE_IN, DECLINED, ACK),
    PROPOSER(FORWARDED, OPENED, FORWARDED, 0),
    PROPOSER(FORWARDED, PROPOSAL_DECLINE_IN, DECLINED, ACK),
    PROPOSER(RETURNED, RETRY, HELD, CHECK),
    PROPOSER(DECLINED, OPENED, DECLINED, 0),
    PROPOSER(DECLINED, RETRY, HELD, CHECK),
};

static const char *const state_name[RG_CASE_STATE_COUNT] = {
    [RG_CASE_NONE] = "NONE",           [RG_CASE_HELD] = "HELD",
    [RG_CASE_READY] = "READY",         [RG_CASE_PROPOSED] = "PROPOSED",
    [RG_CASE_FORWARDED] = "FORWARDED", [RG_CASE_REFERRED] = "REFERRED",
    [RG_CASE_RETURNED] = "RETURNED",   [RG_CASE_ACCEPTED] = "ACCEPTED",
    [RG_CASE_RELEASED] = "RELEASED",   [RG_CASE_DECLINED] = "DECLINED",
};

static const char *const event_name[RG_EVENT_COUNT] = {
    [RG_EVENT_NONE] = "NONE",
    [RG_EVENT_RULES_OK] = "RULES_OK",
    [RG_EVENT_RULES_HOLD] = "RULES_HOLD",
    [RG_EVENT_PROPOSAL_OUT] = "PROPOSAL_OUT",
    [RG_EVENT_PROPOSAL_IN] = "PROPOSAL_IN",
    [RG_EVENT_PROPOSAL_ACCEPT_OUT] = "PROPOSAL_ACCEPT_OUT",
    [RG_EVENT_PROPOSAL_ACCEPT_IN] = "PROPOSAL_ACCEPT_IN",
    [RG_EVENT_PROPOSAL_DECLINE_OUT] = "PROPOSAL_DECLINE_OUT",
    [RG_EVENT_PROPOSAL_DECLINE_IN] = "PROPOSAL_DECLINE_IN",
    [RG_EVENT_REQUEST_OUT] = "REQUEST_OUT",
    [RG_EVENT_REQUEST_IN] = "REQUEST_IN",
    [RG_EVENT_ACCEPT_OUT] = "ACCEPT_OUT",
    [RG_EVENT_ACCEPT_IN] = "ACCEPT_IN",
    [RG_EVENT_DECLINE_OUT] = "DECLINE_OUT",
    [RG_EVENT_DECLINE_IN] = "DECLINE_IN",
    [RG_EVENT_DETAILS_OUT] = "DETAILS_OUT",
    [RG_EVENT_DETAILS_IN] = "DETAILS_IN",
    [RG_EVENT_OPENED] = "OPENED",
    [RG_EVENT_UNDELIVERED] = "UNDELIVERED",
    [RG_EVENT_RETRY] = "RETRY",
};

const char *rg_case_state_name(enum rg_case_state state)
{
    return (unsigned)state < RG_CASE_STATE_COUNT ? state_name[state] : "UNKNOWN";
}

const char *rg_case_event_name(enum rg_case_event event)
{
    return (unsigned)event < RG_EVENT_COUNT ? event_name[event] : "UNKNOWN";
}

const char *rg_case_side_name(enum rg_case_side side)
{
    static const char *const name[] = {
        [RG_SIDE_HOST] = "host", [RG_SIDE_ORIGIN] = "origin", [RG_SIDE_PROPOSER] = "proposer"};
    return side >= RG_SIDE_HOST && side <= RG_SIDE_PROPOSER ? name[side] : "unknown";
}

bool rg_case_state_find(const char *name, enum rg_case_state *state_out)
{
    for (unsigned i = 0; i < RG_CASE_STATE_COUNT; i++) {
        if (strcmp(state_name[i], name) == 0) {
            *state_out = (enum rg_case_state)i;
            return true;
        }
    }
    return false;
}

enum rg_case_event rg_case_event_of(uint32_t kind, bool incoming, bool crosses)
{
    static const struct {
        uint32_t kind;
        bool crosses;
        enum rg_case_event out, in;
    } pair[] = {
        {RG_KIND_PROPOSAL, false, RG_EVENT_PROPOSAL_OUT, RG_EVENT_PROPOSAL_IN},
        {RG_KIND_ACCEPT, false, RG_EVENT_PROPOSAL_ACCEPT_OUT, RG_EVENT_PROPOSAL_ACCEPT_IN},
        {RG_KIND_DECLINE, false, RG_EVENT_PROPOSAL_DECLINE_OUT, RG_EVENT_PROPOSAL_DECLINE_IN},
        {RG_KIND_REQUEST, true, RG_EVENT_REQUEST_OUT, RG_EVENT_REQUEST_IN},
        {RG_KIND_ACCEPT, true, RG_EVENT_ACCEPT_OUT, RG_EVENT_ACCEPT_IN},
        {RG_KIND_DECLINE, true, RG_EVENT_DECLINE_OUT, RG_EVENT_DECLINE_IN},
        {RG_KIND_DETAILS, true, RG_EVENT_DETAILS_OUT, RG_EVENT_DETAILS_IN},
        {RG_KIND_ACKNOWLEDGEMENT, true, RG_EVENT_NONE, RG_EVENT_OPENED},
        {RG_KIND_ACKNOWLEDGEMENT, false, RG_EVENT_NONE, RG_EVENT_OPENED},
    };
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        if (pair[i].kind == kind && pair[i].crosses == crosses) {
            return incoming ? pair[i].in : pair[i].out;
        }
    }
    return RG_EVENT_NONE;
}

static const struct step *step_find(const struct rg_case *now, enum rg_case_event event)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].side == now->side && steps[i].from == now->state && steps[i].event == event) {
            return &steps[i];
        }
    }
    return NULL;
}

rg_outcome rg_case_step(const struct rg_case *now, enum rg_case_event event, struct rg_wall when,
                        struct rg_case *next_out, unsigned *actions_out, struct rg_reason *why)
{
    const struct step *step = step_find(now, event);
    RG_CHECK(step != NULL, why, RG_DENIED, "case-step",
             "%s is not possible while a case is %s (%s)", rg_case_event_name(event),
             rg_case_state_name(now->state), rg_case_side_name(now->side));
    struct rg_case next = *now;
    next.opened = event == RG_EVENT_OPENED || (now->opened && step->to == now->state);
    if (step->to != now->state) {
        next.state = step->to;
        next.since = when;
    }
    *next_out = next;
    *actions_out = step->actions;
    return rg_ok();
}

const char *rg_mover_name(enum rg_mover mover)
{
    static const char *const name[] = {
        [RG_MOVER_NOBODY] = "nobody",
        [RG_MOVER_US] = "us",
        [RG_MOVER_OTHER_SIDE] = "the other country",
        [RG_MOVER_OWN_FOCAL] = "our focal point",
    };
    return (unsigned)mover <= RG_MOVER_OWN_FOCAL ? name[mover] : "unknown";
}

struct waiting_row {
    enum rg_case_side side;
    enum rg_case_state state;
    struct rg_waiting waiting;
};

/* A referral that came back, and one that was declined, are the sender's to decide: kind 13. */
static const struct waiting_row waiting_rows[] = {
    {RG_SIDE_HOST, RG_CASE_HELD, {RG_MOVER_US, "what the rule asks for", 0}},
    {RG_SIDE_HOST, RG_CASE_READY, {RG_MOVER_US, "the referral", 0}},
    {RG_SIDE_HOST,
     RG_CASE_REFERRED,
     {RG_MOVER_OTHER_SIDE, "their answer to the referral", RG_KIND_REQUEST}},
    {RG_SIDE_HOST, RG_CASE_RETURNED, {RG_MOVER_US, "a second attempt", RG_KIND_DECLINE}},
    {RG_SIDE_HOST, RG_CASE_ACCEPTED, {RG_MOVER_US, "the details", RG_KIND_ACCEPT}},
    {RG_SIDE_HOST, RG_CASE_DECLINED, {RG_MOVER_US, "what is done instead", RG_KIND_DECLINE}},
    {RG_SIDE_ORIGIN,
     RG_CASE_REFERRED,
     {RG_MOVER_US, "our answer to the referral", RG_KIND_REQUEST}},
    {RG_SIDE_ORIGIN, RG_CASE_ACCEPTED, {RG_MOVER_OTHER_SIDE, "the details", RG_KIND_ACCEPT}},
    {RG_SIDE_PROPOSER, RG_CASE_HELD, {RG_MOVER_US, "what the rule asks for", 0}},
    {RG_SIDE_PROPOSER, RG_CASE_READY, {RG_MOVER_US, "the proposal", 0}},
    {RG_SIDE_PROPOSER,
     RG_CASE_PROPOSED,
     {RG_MOVER_OWN_FOCAL, "its answer to the proposal", RG_KIND_PROPOSAL}},
    {RG_SIDE_PROPOSER,
     RG_CASE_FORWARDED,
     {RG_MOVER_OTHER_SIDE, "the answer from abroad", RG_KIND_REQUEST}},
    {RG_SIDE_PROPOSER, RG_CASE_RETURNED, {RG_MOVER_US, "a second attempt", RG_KIND_DECLINE}},
    {RG_SIDE_PROPOSER, RG_CASE_DECLINED, {RG_MOVER_US, "what is done instead", RG_KIND_DECLINE}},
};

struct rg_waiting rg_case_waiting(const struct rg_case *c)
{
    for (size_t i = 0; i < sizeof(waiting_rows) / sizeof(waiting_rows[0]); i++) {
        if (waiting_rows[i].side == c->side && waiting_rows[i].state == c->state) {
            return waiting_rows[i].waiting;
        }
    }
    return (struct rg_waiting){RG_MOVER_NOBODY, "nothing", 0};
}
