/*
 * NAME
 *   cases - where a case stands: state by event, whose move it is
 *
 * SYNOPSIS
 *   event = rg_case_event_of(kind, incoming, crosses);
 *   rg_case_step(&now, event, when, &next, &actions, why);
 *   row = rg_case_waiting(&next);    who moves, what is awaited
 *
 * DESCRIPTION
 *   One table says, for each side, which event is lawful in which state and where it leads; what is
 * not in it is refused and changes nothing. So there is one open referral per case and direction,
 * and an office decides once. Silence never moves a case: no row is a time-out.
 *     host      READY -> REFERRED -> ACCEPTED -> RELEASED, or DECLINED, or RETURNED (never arrived)
 *     origin    REFERRED -> ACCEPTED -> RELEASED, or DECLINED
 *     proposer  READY -> PROPOSED -> FORWARDED, or DECLINED
 *   HELD and READY turn into each other as the rules say, until something has left the house.
 *
 * ERRORS
 *   RG_DENIED case-step: not possible in this state; the text names both.
 *
 * THREADS
 *   Pure: time is given.
 */
#ifndef RG_CLIENT_CASES_H
#define RG_CLIENT_CASES_H

#include "client/message.h"

/* Numbers are stored in casebooks: they stay. */
enum rg_case_side { RG_SIDE_HOST = 1, RG_SIDE_ORIGIN, RG_SIDE_PROPOSER };

enum rg_case_state {
    RG_CASE_NONE = 0,
    RG_CASE_HELD = 1,      /* a rule keeps it here */
    RG_CASE_READY = 2,     /* may be sent */
    RG_CASE_PROPOSED = 3,  /* lies with the NGO's own focal point */
    RG_CASE_FORWARDED = 4, /* the focal point took it on */
    RG_CASE_REFERRED = 5,  /* asked; an answer is awaited */
    RG_CASE_RETURNED = 6,  /* came back: refused or expired on the way */
    RG_CASE_ACCEPTED = 7,
    RG_CASE_RELEASED = 8, /* details sent (host), received (origin) */
    RG_CASE_DECLINED = 9,
    RG_CASE_STATE_COUNT
};

enum rg_case_event {
    RG_EVENT_NONE, /* changes no case */
    RG_EVENT_RULES_OK,
    RG_EVENT_RULES_HOLD,
    RG_EVENT_PROPOSAL_OUT,
    RG_EVENT_PROPOSAL_IN,
    RG_EVENT_PROPOSAL_ACCEPT_OUT,
    RG_EVENT_PROPOSAL_ACCEPT_IN,
    RG_EVENT_PROPOSAL_DECLINE_OUT,
    RG_EVENT_PROPOSAL_DECLINE_IN,
    RG_EVENT_REQUEST_OUT,
    RG_EVENT_REQUEST_IN,
    RG_EVENT_ACCEPT_OUT,
    RG_EVENT_ACCEPT_IN,
    RG_EVENT_DECLINE_OUT,
    RG_EVENT_DECLINE_IN,
    RG_EVENT_DETAILS_OUT,
    RG_EVENT_DETAILS_IN,
    RG_EVENT_OPENED,      /* the other side acknowledged our last message */
    RG_EVENT_UNDELIVERED, /* a signed refusal, or a signed "closed": our last message did not arrive
                           */
    RG_EVENT_RETRY,       /* a person takes a declined or returned case up again */
    RG_EVENT_COUNT
};

/* What the caller does next, bits. */
#define RG_CASE_DO_CHECK_RULES 1u    /* judge the record, then RULES_OK or RULES_HOLD */
#define RG_CASE_DO_SEND_DETAILS 2u   /* compose 17 from the released classes */
#define RG_CASE_DO_ACKNOWLEDGE 4u    /* send 18 for the message that came */
#define RG_CASE_DO_ERASE_RECEIVED 8u /* destroy received sections, keep number and code */

struct rg_case {
    enum rg_case_side side;
    enum rg_case_state state;
    struct rg_wall since; /* when the state was entered, own clock */
    bool opened;          /* an officer of the other side opened our last message */
};

/* `crosses`: between countries; else between an NGO and its focal point. */
enum rg_case_event rg_case_event_of(uint32_t kind, bool incoming, bool crosses);
RG_MUST_USE rg_outcome rg_case_step(const struct rg_case *now, enum rg_case_event event,
                                    struct rg_wall when, struct rg_case *next_out,
                                    unsigned *actions_out, struct rg_reason *why);
const char *rg_case_state_name(enum rg_case_state state); /* "REFERRED" */
const char *rg_case_side_name(enum rg_case_side side);    /* "host" */
const char *rg_case_event_name(enum rg_case_event event); /* "REQUEST_OUT" */
bool rg_case_state_find(const char *name, enum rg_case_state *state_out);

enum rg_mover { RG_MOVER_NOBODY, RG_MOVER_US, RG_MOVER_OTHER_SIDE, RG_MOVER_OWN_FOCAL };
const char *rg_mover_name(enum rg_mover mover); /* "nobody", "us", "the other country", ... */
struct rg_waiting {
    enum rg_mover mover;
    const char *what;   /* "their answer to the referral" */
    uint32_t answer_to; /* the kind whose deadline (client/deadlines.h) counts; 0: none */
};
struct rg_waiting rg_case_waiting(const struct rg_case *c);

#endif
