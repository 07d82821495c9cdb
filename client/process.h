/*
 * NAME
 *   process - where a case between two offices stands: the fold over both sides' messages
 *
 * SYNOPSIS
 *   rg_process_message_read(section, count, id, from, &message, &relevant, why)
 *   heads = rg_process_heads(message, count, own, now)    previous and seen of what is written now
 *   rg_process_fold(message, count, entry, &entry_count, &process, why)
 *   rg_process_may(&process, &next, home, why)            what a writer asks before sealing
 *   rg_process_gate(&process, today, stage, home)         may she travel, and if not, why
 *   rg_process_waiting(&process, now, wait, max)          who moves, what for, since when
 *   rg_process_actions(&process, now, action, max)        what a library does by itself
 *   rg_process_flags(&process, now)                       what a person should see
 *   rg_process_encode / rg_process_decode                 a cache for the casebook
 *
 * DESCRIPTION
 *   Both offices run the same fold over the same set of messages, so they agree without asking. The
 * set is everything that passed between the two offices about one case, by either side, that the
 * other side has or will have: a message of ours that came back refused or expired is left out, and
 * so is one that could not be opened.
 *
 *   Canonical order. A message stands after those it names (previous, seen, answers), and after
 * what those stand after, as far as they are present. Of two concurrent ones the stronger goes
 * first: withdrawal, cancel or stop, decline, alert, the rest, and last what moves her (44, 45
 * PRESENT); a message is as strong as the strongest that stands after it and not after the other,
 * then as it is itself. Then the host's, then the earlier made,
 * then the smaller id. Nothing else decides, least of all the order of arrival; and a message that
 * has seen all others stands last and moves none of them.
 *
 *   Each message meets one row of a table (rg_process_rows): states, kind, code, party, guard, next
 * state. Where no row fits it is void for both sides and changes nothing; its entry says why. After
 * each message that touched a check the settling rows are asked (gate true: CLEARED; gate false:
 * back to ACCEPTED; what forbade a return is mended: ACCEPTED). The day of a gate is the day on
 * which the message was made, which both sides read alike. No clock moves a state.
 *
 *   Parties. HOST is the country that has identified the person (or had her, when she was
 * identified only after the crossing), ORIGIN the country she is to return to. Towards a third
 * country's partner (70, 71) the partner takes ORIGIN's place. `care` says who looks after her.
 *
 *   Fresh alerts. 21, 47 and 52 may come straight from an NGO on a thread of its own and have no
 * causal place (`fresh`). They are no part of the order: each raises a hold, which makes the gate
 * false at once, until the focal point of the same country has relayed it into the case's thread
 * (`relays`).
 *
 * ERRORS
 *   rg_process_fold: RG_LIMIT process-messages (more than RG_PROCESS_MESSAGES_MAX), RG_IO
 *   out-of-memory. rg_process_may: RG_DENIED process-step, process-gate, process-consent,
 *   process-officers, process-decided, process-hold, process-stop; the text is for people.
 *   rg_process_decode: RG_MALFORMED process-form: fold again.
 *
 * THREADS
 *   Pure: time is given, nothing is kept. The fold takes memory for its order and frees it.
 *
 * LIMITS
 *   RG_PROCESS_MESSAGES_MAX messages of one case and pair; 250 fold in about half a millisecond.
 */
#ifndef RG_CLIENT_PROCESS_H
#define RG_CLIENT_PROCESS_H

#include "client/gate.h"
#include "client/message.h"

#define RG_PROCESS_MESSAGES_MAX 2048

/* Numbers are stored in casebooks: they stay. */
enum rg_process_state {
    RG_PROCESS_NONE = 0,
    RG_PROCESS_NOTIFIED = 1,
    RG_PROCESS_REFERRED = 2,
    RG_PROCESS_NEEDS_INFO = 3,
    RG_PROCESS_ACCEPTED = 4, /* being checked */
    RG_PROCESS_CLEARED = 5,
    RG_PROCESS_SCHEDULED = 6,
    RG_PROCESS_IN_TRANSIT = 7,
    RG_PROCESS_MISSING = 8,
    RG_PROCESS_HANDED_OVER = 9,
    RG_PROCESS_RECEIVED = 10,
    RG_PROCESS_REINTEGRATING = 11,
    RG_PROCESS_WITNESS_AWAY = 12,
    RG_PROCESS_SUSPENDED = 13,
    RG_PROCESS_NO_RETURN = 14,
    RG_PROCESS_ONWARD = 15,
    RG_PROCESS_DECLINED = 16,
    RG_PROCESS_CANCELLED = 17,
    RG_PROCESS_CLOSED = 18,
    RG_PROCESS_ERASED = 19,
    RG_PROCESS_STATE_COUNT
};
#define RG_STATE_BIT(state) (1u << (unsigned)(state))
const char *rg_process_state_name(enum rg_process_state state); /* "IN_TRANSIT" */
bool rg_process_state_find(const char *name, enum rg_process_state *state_out);

/* ---- one message, as far as the process needs it ---- */

/* `code` by kind; 0 when the kind has none that moves anything. 11: enum rg_referral_reason,
 * 13: enum rg_decline_code,
 * 31, 35, 36, 39: client/gate.h. Numbers are ours, the wire has texts. */
enum rg_tracing { /* 33 */
                  RG_TRACING_FOUND = 1,
                  RG_TRACING_PARTIAL,
                  RG_TRACING_NOT_FOUND,
                  RG_TRACING_DO_NOT_CONTACT_HIT,
};
enum rg_recommendation { RG_GO_HOME = 1, RG_GO_KIN, RG_GO_SHELTER, RG_GO_NOT };   /* 34 */
enum rg_travel { RG_TRAVEL_ISSUED = 1, RG_TRAVEL_LIST_ENTRY, RG_TRAVEL_REFUSED }; /* 38 */
enum rg_handover_reply { RG_HANDOVER_ACCEPT = 1, RG_HANDOVER_COUNTER, RG_HANDOVER_REFUSE };
enum rg_handover_change { RG_CHANGE_POSTPONE = 1, RG_CHANGE_CANCEL, RG_CHANGE_REMOVE_PERSON };
enum rg_handover_record { RG_RECORD_PRESENT = 1, RG_RECORD_REFUSED_AT_GATE, RG_RECORD_ABSENT };
enum rg_reception { RG_RECEPTION_YES = 1, RG_RECEPTION_NO };
enum rg_transit_alert { /* 47 */
                        RG_ALERT_MISSING = 1,
                        RG_ALERT_TAKEN,
                        RG_ALERT_ACCIDENT,
                        RG_ALERT_ILL,
                        RG_ALERT_THREAT,
                        RG_ALERT_DETAINED,
};
enum rg_transit_resolved { /* 48 */
                           RG_RESOLVED_FOUND_SAFE = 1,
                           RG_RESOLVED_FOUND_HARMED,
                           RG_RESOLVED_LEFT_BY_CHOICE,
                           RG_RESOLVED_UNRESOLVED,
};
enum rg_closure_reply { RG_CLOSURE_AGREE = 1, RG_CLOSURE_OBJECT }; /* 54 */
enum rg_reopen { RG_REOPEN_RE_TRAFFICKED = 1, RG_REOPEN_NEED, RG_REOPEN_ERROR, RG_REOPEN_WITNESS };
enum rg_justice_reply { RG_JUSTICE_AGREES = 1, RG_JUSTICE_DECLINES, RG_JUSTICE_CANNOT }; /* 61 */
enum rg_safety { RG_SAFETY_OPEN = 1, RG_SAFETY_CLOSED };                                 /* 52 */
enum rg_visit {
    RG_VISIT_PROPOSED = 1,
    RG_VISIT_AGREED,
    RG_VISIT_REFUSED,
    RG_VISIT_STOPPED
};                     /* 62 */
enum rg_onward_reply { /* 71 */
                       RG_ONWARD_ACCEPTED = 1,
                       RG_ONWARD_DECLINED,
                       RG_ONWARD_DEPARTED,
                       RG_ONWARD_WITHDRAWN,
};

/* `flags` of a message. */
#define RG_SAYS_GUARDIAN 1u           /* 36: a guardian is named */
#define RG_SAYS_CARE 2u               /* 36, 41: who will look after the child is named */
#define RG_SAYS_ESCORT 4u             /* 36: somebody goes with the child, the same day */
#define RG_SAYS_CONSENT 16u           /* 49: the person (or guardian) consents */
#define RG_SAYS_VITAL_INTEREST 32u    /* 49: danger to life instead of consent */
#define RG_SAYS_SAFE 64u              /* 51: seen in person, and safe */
#define RG_SAYS_WAITS_AS_WITNESS 128u /* 60: needed here until `valid_to` */
#define RG_SAYS_GOES_ANYWAY 256u      /* 61, 60: she chose to go and the justice desk agrees */

struct rg_process_message {
    struct rg_id id;
    enum rg_party from;
    uint32_t kind;
    bool has_previous, has_seen, has_answers;
    struct rg_id previous, seen, answers;
    bool fresh;      /* 21, 47, 52 on a thread of its own: a hold, no place in the order */
    bool has_relays; /* in the case's thread: passes on a fresh one */
    struct rg_id relays;
    struct rg_wall made;          /* rg_process_made; the author's clock until it is accepted */
    uint32_t code;                /* see above */
    uint32_t scopes;              /* RG_SCOPE_BIT: given by 11, 20, 49, 70; withdrawn by 21 */
    uint32_t flags;               /* RG_SAYS_ */
    uint32_t age;                 /* enum rg_age, 0: not said */
    uint32_t trafficking;         /* position in vic_TraffickingStatus, 0: not said */
    struct rg_date valid_to;      /* last day: of the consent, of the check; year 0: none */
    struct rg_hash author;        /* SHA-256 of the principal */
    struct rg_hash second_author; /* zero: one officer */
};

/* From the sections of one opened message that this reader has, the case section among them.
 * `relevant_out` is false for kinds that are no part of a case between two offices (1 to 4, 19, 90
 * and above). What stands only in a section that this reader cannot open is not said; every code
 * that moves a state stands in the case section. `second_author` is what the message claims: the
 * caller has verified both signatures, or sets it to zero. `fresh` is the caller's to set. */
RG_MUST_USE rg_outcome rg_process_message_read(const struct rg_content *const *section,
                                               size_t count, struct rg_id id, enum rg_party from,
                                               struct rg_process_message *message_out,
                                               bool *relevant_out, struct rg_reason *why);

/* What a message that `own` writes now names. `seen` is the last one of the other side before which
 * nothing is missing: who names a later one would claim to know what is still on its way (a
 * withdrawal, perhaps). What is missing for RG_PROCESS_GAP_DAYS is taken for lost. Pass all
 * messages of the case, as for the fold. */
#define RG_PROCESS_GAP_DAYS 14
struct rg_process_heads {
    bool has_previous, has_seen;
    struct rg_id previous, seen;
};
struct rg_process_heads rg_process_heads(const struct rg_process_message *message, size_t count,
                                         enum rg_party own, struct rg_wall now);

/* The time of a message, for the fold: its author's clock, as far as the sender's gateway bears it
 * out, which both offices read in the same signed entry (Accepted). Nobody writes after her message
 * was accepted; and who writes far from a line (a border post over a weekend) has
 * RG_MADE_BEFORE_MS until it is. Outside of that the nearest time that is believed counts: a clock
 * that lies moves no gate, and no message is lost for it. */
#define RG_MADE_BEFORE_MS (INT64_C(72) * 60 * 60 * 1000)
struct rg_wall rg_process_made(struct rg_wall made, struct rg_wall accepted);

/* ---- the state of the case: plain data ---- */

struct rg_check {            /* one check: who said what, until when it holds */
    uint32_t code;           /* 0: nothing yet */
    struct rg_date valid_to; /* year 0: no end stated, which is no end that holds for risk */
    struct rg_date made;
    struct rg_hash author;
};

/* What was asked and is not answered, by kind and asking side. */
enum rg_ask {
    RG_ASK_NOTICE,      /* 10 */
    RG_ASK_REQUEST,     /* 11, 55 */
    RG_ASK_INFO,        /* 14 */
    RG_ASK_WITHDRAWAL,  /* 21 */
    RG_ASK_NATIONALITY, /* 30 */
    RG_ASK_TRACING,     /* 32 */
    RG_ASK_TRAVEL,      /* 37 */
    RG_ASK_PROPOSAL,    /* 40 */
    RG_ASK_ALERT,       /* 47 */
    RG_ASK_EMERGENCY,   /* 49 */
    RG_ASK_CONCERN,     /* 52 */
    RG_ASK_CLOSURE,     /* 53 */
    RG_ASK_JUSTICE,     /* 60 */
    RG_ASK_WITNESS,     /* 62 */
    RG_ASK_REMEDY,      /* 63 */
    RG_ASK_ONWARD,      /* 70 */
    RG_ASK_CORRECTION,  /* 80 */
    RG_ASK_ERASURE,     /* 82 */
    RG_ASK_BREACH,      /* 84 */
    RG_ASK_COUNT
};
struct rg_asked {
    bool open;
    bool moved; /* PROPOSAL: agreed; ERASURE: asked of an ended case */
    struct rg_id id;
    struct rg_wall since;
};

enum rg_leg { /* of a witness visit: origin to host and back */
              RG_LEG_NONE,
              RG_LEG_OUT,
              RG_LEG_OUT_HANDED,
              RG_LEG_THERE,
              RG_LEG_BACK,
              RG_LEG_BACK_HANDED,
};

/* Why a return is forbidden; each goes away by a new check of the same kind. */
#define RG_FORBIDS_RISK_HOST 1u
#define RG_FORBIDS_RISK_ORIGIN 2u
#define RG_FORBIDS_INTEREST_HOST 4u
#define RG_FORBIDS_INTEREST_ORIGIN 8u
#define RG_FORBIDS_NATIONALITY 16u

/* Why a journey must turn back. */
#define RG_STOP_WITHDRAWN 1u /* she has taken her consent back */
#define RG_STOP_FORBIDDEN 2u /* a check that forbids the return came on the way */
#define RG_STOP_CHANGED 4u   /* either side has stopped this handover (42) */
#define RG_STOP_FOUND 8u     /* was missing and found: the host assesses the risk anew first */

struct rg_process {
    enum rg_process_state state;
    enum rg_process_state suspended_from, missing_from, closed_from, emergency_from;
    struct rg_wall since; /* the state was entered: `made` of the message that did it */
    enum rg_party requester, care, identified_by;
    uint32_t reason;                /* enum rg_referral_reason of the request, 0: none */
    uint32_t age;                   /* enum rg_age, 0: unknown, which counts as child */
    uint32_t trafficking;           /* as the identifying side said */
    uint32_t other_opinion;         /* what the other side thinks instead: shown, changes nothing */
    uint32_t scopes;                /* consents that stand */
    struct rg_date scope_until[10]; /* by scope - 1 */
    uint32_t withdrawn;             /* scopes withdrawn and not given again */
    struct rg_check nationality, tracing, family, travel, fit;
    struct rg_check risk[RG_PARTY_COUNT], interest[RG_PARTY_COUNT];
    bool guardian_named, care_named, escort, reception_confirmed;
    struct rg_date witness_until;
    bool goes_anyway;
    uint32_t forbids;                 /* RG_FORBIDS_ */
    bool lift_assessed, lift_consent; /* towards lifting NO_RETURN */
    bool first_onward;                /* the pair began with 70 */
    uint32_t stop;                    /* RG_STOP_: in transit: turn back, hand over nobody */
    bool emergency;                   /* came by 49 */
    uint32_t deferred;                /* rows of the gate that were false at 49 */
    bool planned;                     /* a proposal is open or agreed */
    bool withdrawal_stop_due;         /* a withdrawal met a plan: 42 is owed */
    bool remove_due;                  /* a check failed while planned: 42 is owed */
    bool details_due, details_sent;
    uint32_t alerts, concerns;     /* open ones */
    uint32_t grave_alerts;         /* of them MISSING or TAKEN */
    uint32_t taken_alerts;         /* of them TAKEN */
    bool gone[RG_PARTY_COUNT];     /* 48 LEFT_BY_CHOICE or UNRESOLVED said by that side */
    bool risk_due[RG_PARTY_COUNT]; /* found again: a new 35 of that side is owed */
    bool unresolved;               /* closed without being found */
    enum rg_leg leg;
    bool visit_agreed[RG_PARTY_COUNT], witness_agrees;
    bool follow_up_stopped;
    uint32_t holds[RG_PARTY_COUNT];       /* fresh alerts of that country not yet relayed */
    struct rg_id hold_id[RG_PARTY_COUNT]; /* the first of them */
    struct rg_wall hold_since[RG_PARTY_COUNT];
    bool departed_against_stop;    /* a void 44: she may be on the road */
    bool handed_over_against_stop; /* a void 45 PRESENT: find out where she is, now */
    struct rg_wall handed_over, departed;
    struct rg_asked asked[RG_ASK_COUNT][RG_PARTY_COUNT];
    struct rg_id decided[RG_PARTY_COUNT]; /* the request that this side decided last */
    struct rg_id accept;                  /* the accept that releases the details */
    uint32_t messages, voids;
};

/* ---- the fold ---- */

enum rg_void {
    RG_VOID_NOT,       /* it counts */
    RG_VOID_KIND,      /* no kind of a case between two offices */
    RG_VOID_STATE,     /* not possible where the case stands */
    RG_VOID_PARTY,     /* the other side's to say */
    RG_VOID_ANSWERS,   /* answers something else than what is open */
    RG_VOID_DECIDED,   /* this office has decided already */
    RG_VOID_GATE,      /* the gate was false on that day */
    RG_VOID_CONSENT,   /* no consent, or one that does not know of the withdrawal */
    RG_VOID_OFFICERS,  /* needs two officers, or another one than before */
    RG_VOID_STOPPED,   /* the journey was stopped */
    RG_VOID_NOT_READY, /* something that must come first is missing */
    RG_VOID_COUNT
};
const char *rg_void_name(enum rg_void reason);    /* "gate" */
const char *rg_void_meaning(enum rg_void reason); /* a sentence for people */

struct rg_process_entry { /* one per message, in canonical order; fresh ones last */
    struct rg_id id;
    uint32_t index; /* in the array given */
    uint32_t kind;
    enum rg_party from;
    enum rg_void reason;                 /* RG_VOID_NOT: it counted */
    bool hold;                           /* a fresh alert: it holds, or held until it was relayed */
    uint32_t row, settled;               /* rows of the table that were met; RG_NO_ROW: none */
    enum rg_process_state before, after; /* after settling */
};
#define RG_NO_ROW UINT32_MAX

/* `entry` (may be NULL) has room for `count`; doubled messages count once, so `entry_count_out` may
 * be smaller. */
RG_MUST_USE rg_outcome rg_process_fold(const struct rg_process_message *message, size_t count,
                                       struct rg_process_entry *entry, size_t *entry_count_out,
                                       struct rg_process *out, struct rg_reason *why);

/* May our side write this now, having seen everything that is in `process`? `next->made` is now.
 * `home` may be NULL: nothing private is known. */
RG_MUST_USE rg_outcome rg_process_may(const struct rg_process *process,
                                      const struct rg_process_message *next,
                                      const struct rg_gate_home *home, struct rg_reason *why);

/* ---- reading the state ---- */

/* `home` NULL: as the other side sees it, nothing private. */
struct rg_gate_input rg_process_gate_input(const struct rg_process *process, struct rg_date today,
                                           const struct rg_gate_home *home);
struct rg_gate_verdict rg_process_gate(const struct rg_process *process, struct rg_date today,
                                       enum rg_gate_stage stage, const struct rg_gate_home *home);

#define RG_FLAG_STOP 1u      /* turn back */
#define RG_FLAG_EMERGENCY 2u /* came without the usual checks, and some are still due */
#define RG_FLAG_ALERT 4u
#define RG_FLAG_CONCERN 8u
#define RG_FLAG_HOLD 16u /* a direct alert is not relayed yet */
#define RG_FLAG_FOLLOW_UP_STOPPED 32u
#define RG_FLAG_DEPARTED_AGAINST_STOP 64u
#define RG_FLAG_HANDED_OVER_AGAINST_STOP 128u
#define RG_FLAG_UNRESOLVED 256u         /* closed, never found: stays listed */
#define RG_FLAG_OTHER_OPINION 512u      /* on the trafficking status */
#define RG_FLAG_CHECK_STALE 1024u       /* by date; the state stays */
#define RG_FLAG_CONSENT_ENDED 2048u     /* by date */
#define RG_FLAG_RECEPTION_OVERDUE 4096u /* 4 h after a handover nobody confirmed */
#define RG_FLAG_EMERGENCY_SILENT 8192u  /* 24 h after 49 without 41, 46 or 47 */
#define RG_FLAG_COUNT 14
unsigned rg_process_flags(const struct rg_process *process, struct rg_wall now);
const char *rg_process_flag_text(unsigned flag); /* one flag, for people */

struct rg_process_wait {
    enum rg_party mover;
    uint32_t kind;    /* the message that is awaited; 0: several would do */
    uint32_t asked;   /* the kind whose deadline counts (conf/deadlines.cfg); 0: none */
    const char *what; /* "the answer to the referral" */
    struct rg_wall since;
    enum rg_deadline_unit unit; /* the catalogue's; the configuration may say otherwise */
    uint32_t amount;
    bool alert; /* somebody's safety: before all others */
};
#define RG_PROCESS_WAITS_MAX 48
/* Most pressing first; returns how many were written. */
size_t rg_process_waiting(const struct rg_process *process, struct rg_wall now,
                          struct rg_process_wait *wait, size_t max);

enum rg_process_do {
    RG_DO_SEND_DETAILS = 1,    /* 17 after the accept */
    RG_DO_SEND_REMOVE_PERSON,  /* 42 REMOVE_PERSON: a check failed while a handover was planned */
    RG_DO_SEND_STOP,           /* 42 CANCEL: consent was withdrawn while one was planned */
    RG_DO_SEND_ALERT,          /* 47 MISSING: nobody confirmed reception in 4 hours */
    RG_DO_SEND_WITHDRAWAL_ACK, /* 22 */
    RG_DO_ERASE_RECEIVED,      /* a declined referral: received sections go, number and code stay */
    RG_DO_RELAY_ALERT,         /* a fresh alert of our country goes into the case's thread */
    RG_DO_COUNT
};
const char *rg_process_do_name(enum rg_process_do what); /* "send-details" */
struct rg_process_action {
    enum rg_process_do what;
    enum rg_party party; /* whose library does it */
    uint32_t kind;       /* to send, 0: nothing is sent */
    uint32_t code;       /* its code */
    bool has_answers;
    struct rg_id answers; /* what it answers, or relays */
};
#define RG_PROCESS_ACTIONS_MAX 12
/* What is owed now; once done (the message is in the set) it is owed no more. ERASE_RECEIVED stays
 * owed: doing it twice is harmless. */
size_t rg_process_actions(const struct rg_process *process, struct rg_wall now,
                          struct rg_process_action *action, size_t max);

RG_MUST_USE rg_outcome rg_process_encode(const struct rg_process *process, struct rg_buffer *out,
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_process_decode(struct rg_bytes bytes, struct rg_process *process_out,
                                         struct rg_reason *why);

/* ---- the table, for documents and tests ---- */

struct rg_process_row {
    const char *id;  /* "depart" */
    uint32_t states; /* RG_STATE_BIT */
    uint32_t kind;   /* 0: a settling row, asked after each message that touched a check */
    uint32_t codes;  /* bit code; 0: any */
    uint8_t by, guard, effect, to; /* client/process_inside.h */
    const char *meaning;           /* one sentence */
};
const struct rg_process_row *rg_process_rows(size_t *count_out);

#endif
