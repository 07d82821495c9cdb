/*
 * NAME
 *   process_inside - what the parts of the process share
 *
 * DESCRIPTION
 *   process_table.c is the table; process_order.c finds the canonical order; process.c walks it;
 * process_guard.c is what must hold beside state, code and party; process_effect.c is what a row
 * does beside changing the state; process_look.c reads the result;
 * process_code.c stores it; process_read.c makes a message out of opened content.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_PROCESS_INSIDE_H
#define RG_CLIENT_PROCESS_INSIDE_H

#include "client/process.h"

/* Who may say it. */
enum rg_by {
    RG_BY_ANY,
    RG_BY_HOST,
    RG_BY_ORIGIN,
    RG_BY_REQUESTER,
    RG_BY_RECEIVER, /* of the request */
    RG_BY_CARE,     /* the side that looks after her */
};

/* What must hold beside state, code and party; each fails with one reason (process_guard.c). */
enum rg_guard {
    RG_GUARD_NONE,
    RG_GUARD_DECIDES,        /* answers the open request, first time */
    RG_GUARD_DECIDES_EARLY,  /* the same, while suspended before the accept */
    RG_GUARD_KNOWS,          /* of every withdrawal of what it says she consents to */
    RG_GUARD_EMERGENCY,      /* two officers; consent, or vital interest if she has not said no */
    RG_GUARD_EMERGENCY_ANEW, /* the same after a withdrawal: consent, knowing of it */
    RG_GUARD_MAY_PLAN,       /* the gate for clearing, on the day */
    RG_GUARD_MAY_DEPART,     /* the whole gate, on the day */
    RG_GUARD_PROPOSAL,       /* answers the open proposal */
    RG_GUARD_OFFER,          /* answers the other side's closure */
    RG_GUARD_STOPS,          /* withdraws what a return needs */
    RG_GUARD_STOPS_ONWARD,   /* withdraws what going onward needs */
    RG_GUARD_RESUMES,        /* all that was withdrawn is given again, knowing of it */
    RG_GUARD_ONWARD,         /* consent to a third country */
    RG_GUARD_NOT_STOPPED,
    RG_GUARD_IN_EMERGENCY,
    RG_GUARD_EMERGENCY_GOING, /* not stopped */
    RG_GUARD_ON_THE_ROAD,     /* a void departure has been reported */
    RG_GUARD_ALERT_OPEN,
    RG_GUARD_ALL_ALERTS, /* knows of every grave one */
    RG_GUARD_OTHER_GONE, /* the other side has said that she left or is not found */
    RG_GUARD_NOT_TAKEN,  /* missing since a handover, and nobody says taken */
    RG_GUARD_ASSESSES,   /* a good verdict: two officers and another one where it lifts */
    RG_GUARD_AFTER_ACCEPT,
    RG_GUARD_FOLLOW_UP, /* may still report */
    RG_GUARD_AT_HOME,   /* origin looks after her already */
    RG_GUARD_VISIT,     /* both sides and the witness agree */
    RG_GUARD_LEG_OUT,
    RG_GUARD_LEG_OUT_OPEN, /* not stopped */
    RG_GUARD_LEG_OUT_HANDED,
    RG_GUARD_LEG_THERE,
    RG_GUARD_LEG_BACK_OPEN, /* on the way back, not stopped */
    RG_GUARD_LEG_BACK,
    RG_GUARD_LEG_BACK_HANDED,
    RG_GUARD_BACK_SAFE, /* THERE, and nothing says that going back is unsafe */
    RG_GUARD_FIRST_ONWARD,
    RG_GUARD_ERASURE, /* the other side has ordered it after the end */
    RG_GUARD_GATE,    /* settling: the gate for clearing holds */
    RG_GUARD_NO_GATE, /* settling: it does not */
    RG_GUARD_LIFTED,  /* settling: nothing forbids any more, assessed anew, fresh consent */
    RG_GUARD_COUNT
};

enum rg_effect {
    RG_EFFECT_NONE,
    RG_EFFECT_BEGIN,   /* 10 */
    RG_EFFECT_REQUEST, /* 11 */
    RG_EFFECT_ACCEPT,
    RG_EFFECT_ACCEPT_EARLY,
    RG_EFFECT_DECLINE,
    RG_EFFECT_DETAILS,
    RG_EFFECT_CONSENT,
    RG_EFFECT_WITHDRAW,
    RG_EFFECT_WITHDRAW_TRANSIT,
    RG_EFFECT_WITHDRAW_MISSING,
    RG_EFFECT_WITHDRAW_THERE,
    RG_EFFECT_CHECK,         /* records what a check says */
    RG_EFFECT_FORBID,        /* the same; it forbids the return */
    RG_EFFECT_FORBID_ON_WAY, /* the same; turn back */
    RG_EFFECT_FORBID_THERE,  /* the same, on a witness visit: she is with the host */
    RG_EFFECT_PROPOSE,
    RG_EFFECT_AGREE,
    RG_EFFECT_UNPLAN,
    RG_EFFECT_STOP,
    RG_EFFECT_EMERGENCY,
    RG_EFFECT_REPLY_EMERGENCY,
    RG_EFFECT_REFUSED,
    RG_EFFECT_TURNED_BACK,
    RG_EFFECT_ALERT,
    RG_EFFECT_FOUND,
    RG_EFFECT_GONE,
    RG_EFFECT_RESOLVE,
    RG_EFFECT_CONCERN,
    RG_EFFECT_CONCERN_CLOSED,
    RG_EFFECT_FOLLOW_UP,
    RG_EFFECT_JUSTICE,
    RG_EFFECT_JUSTICE_REPLY,
    RG_EFFECT_VISIT,
    RG_EFFECT_NO_VISIT,
    RG_EFFECT_LEG_OUT,
    RG_EFFECT_LEG_OUT_HANDED,
    RG_EFFECT_LEG_THERE,
    RG_EFFECT_LEG_BACK,
    RG_EFFECT_LEG_BACK_HANDED,
    RG_EFFECT_OBJECT,
    RG_EFFECT_REFER_AGAIN,
    RG_EFFECT_REOPEN,
    RG_EFFECT_ONWARD,
    RG_EFFECT_LIFT,
    RG_EFFECT_COUNT
};

/* `to`: a state, or one of these. */
#define RG_TO_SAME 32u
#define RG_TO_RESUMED 33u  /* where it was suspended */
#define RG_TO_FOUND 34u    /* where she went missing */
#define RG_TO_REOPENED 35u /* what the closed case goes on as */

/* What one message knows of those before it that could matter. */
struct rg_sight {
    uint32_t alerts, grave, taken, concerns; /* open ones that it has seen */
    uint32_t unseen_withdrawn;               /* scopes withdrawn that it does not know of */
    uint32_t unseen_forbids;
};

/* For the controls of tests/sim/explore.c and the unit tests only: what is broken on purpose. */
struct rg_process_break {
    bool by_arrival;    /* order of arrival instead of the canonical one */
    bool no_gate;       /* guards of the gate always hold */
    bool no_stop;       /* a withdrawal does not stop the journey */
    bool stale_consent; /* a consent need not know of the withdrawal */
    bool clock;         /* the fold asks the clock: after `now` a handover becomes MISSING */
    struct rg_wall now;
    uint32_t without_row; /* this row plus 1 is not there; 0: all are */
};

struct rg_step {
    struct rg_process *process;
    const struct rg_process_message *message;
    struct rg_sight sight;
    const struct rg_process_break *broken; /* never NULL */
    const struct rg_process_row *row;      /* that was met */
    struct rg_date day;                    /* of the message */
    bool closed_alerts, closed_concerns;   /* those in sight are closed now */
};

/* process_table.c */
const struct rg_process_row *rg_process_row_at(uint32_t index);

/* process_guard.c: RG_VOID_NOT, or why the row is not met */
enum rg_void rg_process_guard(const struct rg_step *step, uint32_t guard);

/* process_effect.c */
void rg_process_effect(struct rg_step *step);
/* Changes the state, with all that leaving and entering means. */
void rg_process_enter(struct rg_process *process, enum rg_process_state state, struct rg_wall when);

/* process.c: one message on a state. */
enum rg_void rg_process_step(struct rg_step *step, uint32_t *row_out, uint32_t *settled_out);
struct rg_fold {
    const struct rg_process *start; /* every message has seen what led here */
    const struct rg_process_break *broken;
    const struct rg_process_message *message;
    size_t count;
};
RG_MUST_USE rg_outcome rg_process_fold_from(const struct rg_fold *fold,
                                            struct rg_process_entry *entry, size_t *entry_count_out,
                                            struct rg_process *out, struct rg_reason *why);
#define RG_SCOPES_RETURN (RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY))
#define RG_SCOPES_ONWARD                                                                           \
    (RG_SCOPE_BIT(RG_SCOPE_ONWARD_THIRD_COUNTRY) | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY))
#define RG_SCOPES_NOTICE (RG_SCOPES_RETURN | RG_SCOPE_BIT(RG_SCOPE_NOTIFY_ORIGIN))
/* Days since 1970-01-01; a month or a day that is not known counts as the last one. */
int64_t rg_date_days(struct rg_date date);

/* process_order.c: the canonical order. */
struct rg_order {
    size_t count;   /* without doubles and without fresh ones */
    uint32_t *at;   /* `count` indices into the array given, in order */
    uint32_t *node; /* inside: index -> node, UINT32_MAX for doubles and fresh ones */
    uint64_t *seen; /* inside: per node, the nodes that it has seen */
    size_t words;
};
RG_MUST_USE rg_outcome rg_order_find(const struct rg_process_message *message, size_t count,
                                     bool by_arrival, struct rg_order *out, struct rg_reason *why);
bool rg_order_sees(const struct rg_order *order, uint32_t later, uint32_t earlier); /* indices */
void rg_order_drop(struct rg_order *order);
enum rg_rank rg_process_rank(const struct rg_process_message *message);

/* process_read.c, for tests: the box that decides of a kind, or NULL; its code by text, 0: none. */
const char *rg_process_code_box(uint32_t kind);
uint32_t rg_process_code_of(uint32_t kind, const char *box, const char *text);
const char *rg_process_code_text(uint32_t kind, uint32_t code); /* or NULL */

#endif
