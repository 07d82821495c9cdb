/*
 * NAME
 *   gate - may she travel: one conjunction, each part a row with a name
 *
 * SYNOPSIS
 *   verdict = rg_gate_judge(&input, RG_GATE_DEPARTURE);      input: rg_process_gate_input
 *   if (!verdict.open) rg_gate_row(verdict.row[0])->meaning ...
 *
 * DESCRIPTION
 *   The gate stands before CLEARED (what concerns the person) and again, with the rows that concern
 * the journey, before IN_TRANSIT. Every row must hold; what is not known does not hold. Two rows
 * ask only for the absence of a "no", because an answer must never be forced: the health summary
 * (voluntary) and the witness date (the person may lift it). Age unknown or uncertain counts as a
 * child. Rows marked `home` rest on what only this house knows: both sides' folds leave them out,
 * and only that house is held back by them.
 *   A lapsed date makes the gate false today; it never moves a state.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_GATE_H
#define RG_CLIENT_GATE_H

#include "client/htcds.h"

enum rg_party { RG_PARTY_NONE, RG_PARTY_HOST, RG_PARTY_ORIGIN };
#define RG_PARTY_COUNT 3
enum rg_party rg_party_other(enum rg_party party);
const char *rg_party_name(enum rg_party party); /* "host", "origin" */

enum rg_nationality { /* 31 */
                      RG_NATIONALITY_CONFIRMED = 1,
                      RG_NATIONALITY_PERMANENT_RESIDENT,
                      RG_NATIONALITY_NOT_CONFIRMED,
                      RG_NATIONALITY_STATELESS,
                      RG_NATIONALITY_MORE_INFO,
                      RG_NATIONALITY_PENDING,
};
enum rg_risk { RG_RISK_SAFE = 1, RG_RISK_SAFE_WITH_MEASURES, RG_RISK_NOT_SAFE, RG_RISK_UNKNOWN };
enum rg_interest { RG_INTEREST_RETURN = 1, RG_INTEREST_OTHER, RG_INTEREST_LATER }; /* 36 */
enum rg_fit { RG_FIT_YES = 1, RG_FIT_CONDITIONS, RG_FIT_NO };                      /* 39 */

/* What only this house knows of a case and never says (client/gate.h judges it). */
struct rg_gate_home {
    bool no_claim;        /* looked, and there is no claim for protection */
    bool receivers_clear; /* looked, and no receiving officer, desk or point is excluded */
};

enum rg_gate {                           /* numbers stand in stored cases: they stay */
               RG_GATE_CONSENT_RETURN,   /* consent to return, valid today */
               RG_GATE_CONSENT_IDENTITY, /* consent to share the identity, valid today */
               RG_GATE_NATIONALITY,      /* CONFIRMED or PERMANENT_RESIDENT, valid today */
               RG_GATE_RISK_HOST,        /* SAFE or SAFE_WITH_MEASURES */
               RG_GATE_RISK_HOST_DATE,   /* not older than it may be */
               RG_GATE_RISK_ORIGIN,
               RG_GATE_RISK_ORIGIN_DATE,
               RG_GATE_NOT_FORBIDDEN,  /* nothing that led to NO_RETURN stands */
               RG_GATE_CONCERN,        /* no open safety concern */
               RG_GATE_ALERT,          /* no open alert */
               RG_GATE_HOLD,           /* no direct alert that waits to be relayed */
               RG_GATE_CLAIM,          /* no claim for protection (home) */
               RG_GATE_WITNESS,        /* not needed as a witness, or she chose to go */
               RG_GATE_FIT,            /* nobody said that she is not fit to travel */
               RG_GATE_CARE,           /* she is in the host's care */
               RG_GATE_CHILD_INTEREST, /* child: the best interest is to return, valid today */
               RG_GATE_CHILD_GUARDIAN, /* child: a guardian is named */
               RG_GATE_TRAVEL,         /* a document, a list entry or a passport, valid today */
               RG_GATE_CHILD_ESCORT,   /* child: an escort on the same day */
               RG_GATE_CHILD_CARE,     /* child: who receives the child is named */
               RG_GATE_RECEPTION,      /* the receiving desk has agreed to this handover */
               RG_GATE_CONFLICT,       /* no receiving officer is excluded (home) */
               RG_GATE_COUNT
};
#define RG_GATE_BIT(row) (1u << (unsigned)(row))

enum rg_gate_stage {
    RG_GATE_CLEARING,  /* rows about the person: ACCEPTED -> CLEARED, and a proposal (40) */
    RG_GATE_DEPARTURE, /* all rows: 44 */
};

struct rg_gate_row {
    enum rg_gate row;
    const char *id;        /* "risk-host" */
    const char *meaning;   /* what must hold */
    const char *what_next; /* what to do when it does not */
    enum rg_gate_stage stage;
    bool child;          /* only for a child */
    bool home;           /* only this house can judge it */
    enum rg_party mover; /* whose message mends it */
    uint32_t kind;       /* that message; 0: none */
};
const struct rg_gate_row *rg_gate_row(enum rg_gate row); /* never NULL */
bool rg_gate_find(const char *id, enum rg_gate *row_out);

/* All that the gate knows. false and 0 are "unknown". */
struct rg_gate_input {
    bool consent_return, consent_identity; /* valid today */
    uint32_t nationality;                  /* enum rg_nationality, 0 unknown or lapsed */
    uint32_t risk_host, risk_origin;       /* enum rg_risk, 0 unknown */
    bool risk_host_current, risk_origin_current;
    bool forbidden; /* one of RG_FORBIDS_ stands */
    bool concern_open, alert_open, hold;
    bool home_known; /* false: rows marked `home` are left out (the other side's view) */
    bool no_claim, receivers_clear; /* home */
    bool witness_needed;            /* the date is today or later */
    bool goes_anyway;               /* she chose, and the justice desk agreed */
    bool travel_permission;
    uint32_t fit;      /* enum rg_fit */
    uint32_t age;      /* enum rg_age */
    uint32_t interest; /* enum rg_interest, of the host, valid today */
    bool guardian_named, escort, care_named;
    bool host_care;
    bool reception_confirmed;
};
struct rg_gate_verdict {
    bool open;
    bool child;     /* takes every child branch */
    uint32_t fails; /* RG_GATE_BIT */
    enum rg_gate row[RG_GATE_COUNT];
    size_t count;
};
struct rg_gate_verdict rg_gate_judge(const struct rg_gate_input *input, enum rg_gate_stage stage);

/* How long a risk assessment holds, at most, whatever it says. */
#define RG_RISK_DAYS_MAX 90

#endif
