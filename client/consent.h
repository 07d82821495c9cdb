/*
 * NAME
 *   consent - what a person has agreed to, and whether that lets one section go to one desk
 *
 * SYNOPSIS
 *   rg_consent_of_record(record, &consent)              the consent columns of a record
 *   rg_consents_give(&set, &consent)                    kind 20, or those columns
 *   rg_consents_withdraw(&set, scopes, day)             kind 21: at once, from all of them
 *   rg_consent_allows(&set, &ask, why)                  before a section is sealed: each time
 *
 * DESCRIPTION
 *   A consent names scopes, purposes, recipient countries, recipient desks and classes; who gave it
 * and how; and its last day. Each part only narrows: a section goes to a desk when one consent that
 * names that country, that desk, that class and that purpose, that has begun and not ended, holds
 * every scope the section needs. Several consents stand beside each other; they are not mixed into
 * one, since "health, to the health desk" and "return, to the focal point" do not make "health, to
 * the focal point". Where a part was not stated, nothing is allowed; there is no flag that passes
 * over a consent, here or on the wire.
 *   Without a stated last day a consent holds 6 months, or to the end of its purpose when that is
 * sooner; the end of the purpose cuts a stated day too.
 *   A withdrawal takes its scopes out of every consent given so far. A consent brings a scope back
 * only if it was given on the day of the withdrawal or later and is put in after it: the caller
 * puts in a withdrawal after consents it does not know to be later.
 *   What needs no consent of its own: the case section of messages that answer, stop, warn, correct
 * or erase (rg_consent_scopes_needed says so), since keeping silent there would harm the person.
 *   Vital interest is the one exception: danger to life. It names who decided and why, opens the
 * identity section and the needs in the case section, of a journey also where and when, and nothing
 * else. Reporting it to both focal points and telling the person are duties (rules_message.h).
 *
 * OWNERSHIP
 *   Plain data without pointers, but for `ask`, whose texts are borrowed for the call.
 *
 * ERRORS
 *   RG_DENIED consent-none, consent-withdrawn, consent-expired, consent-not-begun,
 *   consent-recipient, consent-desk, consent-class, consent-purpose, consent-scope,
 *   consent-guardian, consent-uninformed, vital-*; RG_LIMIT consent-limit. The text says what to
 *   do, and never who the person is.
 *
 * THREADS
 *   Pure: the day is given.
 *
 * LIMITS
 *   RG_CONSENTS_MAX consents of one case; ended ones make room first.
 */
#ifndef RG_CLIENT_CONSENT_H
#define RG_CLIENT_CONSENT_H

#include "client/record.h"

#define RG_CONSENTS_MAX 24
#define RG_CONSENT_COUNTRIES_MAX 8
#define RG_CONSENT_MONTHS 6
#define RG_CONSENT_INFORMED_ITEMS 7
#define RG_CONSENT_INFORMED_ALL ((1u << RG_CONSENT_INFORMED_ITEMS) - 1u)

/* Positions are those of the code list `purpose` of kind 20. */
enum rg_purpose {
    RG_PURPOSE_RETURN = 1, /* return and reintegration, with its checks */
    RG_PURPOSE_TRACING,    /* finding the family only */
    RG_PURPOSE_SERVICES,
    RG_PURPOSE_FAMILY_REUNION,
    RG_PURPOSE_JUSTICE, /* proceedings, remedy, witness visit */
    RG_PURPOSE_ONWARD,  /* a third country */
    RG_PURPOSE_STATISTICS,
    RG_PURPOSE_COUNT
};
#define RG_PURPOSE_BIT(purpose) (1u << ((unsigned)(purpose)-1u))
const char *rg_purpose_name(enum rg_purpose purpose); /* "RETURN", ...; "UNKNOWN" */
enum rg_purpose rg_purpose_find(const char *name);    /* 0: no such purpose */
/* What a message of this kind is for, in a case that was referred for `reason` (0: not known). */
enum rg_purpose rg_purpose_of(uint32_t kind, enum rg_referral_reason reason);

/* Whoever may read: all roles of offices and desks but the operator's. */
#define RG_CONSENT_READERS_ALL ((1u << (unsigned)RG_ROLE_PARTNER) - 1u)

struct rg_consent {
    uint32_t scopes;                                          /* RG_SCOPE_BIT */
    uint32_t purposes;                                        /* RG_PURPOSE_BIT */
    uint32_t desks;                                           /* RG_ROLE_BIT: of the recipients */
    uint32_t classes;                                         /* RG_CLASS_BIT */
    char country[RG_CONSENT_COUNTRIES_MAX][RG_COUNTRY_BYTES]; /* recipients, lower case */
    size_t country_count;
    enum rg_given_by given_by;
    uint32_t method;                  /* position in consent_method */
    char language[RG_LANGUAGE_BYTES]; /* it was explained in; "" not stated */
    bool interpreter;                 /* one was present */
    char interpreter_ref[128];        /* the office's number, never a name */
    uint32_t informed;              /* bits 0..6: the seven things the person was told; see below */
    struct rg_date given_on;        /* a full day */
    struct rg_date expires_on;      /* the last day on which it holds; year 0: not stated */
    struct rg_date purpose_ends_on; /* year 0: not known */
    char evidence_ref[128];         /* where the signed paper or the recording lies */
};
/* The seven things, in the words of HTCDS guidance: what consent to the interview means, the
 * purpose, how data is and may be used, research use, the right to see it, how long it is kept, how
 * to withdraw. NULL above 6. */
const char *rg_consent_informed_name(unsigned item);

/* The last day on which it holds: what was stated, else 6 months; never past the purpose. Year 0
 * when the day it was given is not known and none was stated. */
struct rg_date rg_consent_last_day(const struct rg_consent *consent);

/* The consent columns of a record: recipients are the two countries of the case, all desks; the
 * classes follow from the scopes; the purpose from the reason. `informed` counts as all seven when
 * con_Consent is true, since the columns do not tell more. Returns false when no consent was given.
 */
bool rg_consent_of_record(const struct rg_record *record, struct rg_consent *out);
/* From kind 20. `desks` (RG_ROLE_BIT): those that the form names, as the pages give their roles; 0
 * when it names none, which means all, as the classes allow. `reason`: of the referral. */
void rg_consent_of_form(const struct rg_form *form, uint32_t desks, enum rg_referral_reason reason,
                        struct rg_consent *out);
/* The same from the summary in a preview, as the receiving side has it. */
bool rg_consent_of_summary(const struct rg_preview *preview, const char *host, const char *origin,
                           struct rg_consent *out);

/* The classes that rest on one of these scopes and on nothing else: never the case section. */
unsigned rg_scopes_classes(uint32_t scopes);

struct rg_consents { /* of one case, in order of time */
    struct rg_consent item[RG_CONSENTS_MAX];
    size_t count;
    uint32_t withdrawn; /* RG_SCOPE_BIT: taken away and not given again */
    struct rg_date withdrawn_on[RG_SCOPE_STATISTICS + 1]; /* by scope; year 0: never */
};
/* RG_LIMIT consent-limit: all places are taken by consents that still hold on `today`. */
RG_MUST_USE rg_outcome rg_consents_give(struct rg_consents *set, const struct rg_consent *consent,
                                        struct rg_date today, struct rg_reason *why);
void rg_consents_withdraw(struct rg_consents *set, uint32_t scopes, struct rg_date on);
/* All scopes that some consent holds today, whoever the recipient: for showing and for the gate. */
uint32_t rg_consents_scopes(const struct rg_consents *set, struct rg_date today);

/* Danger to life: names an officer and at least RG_VITAL_WHY_BYTES_MIN of words, and opens identity
 * and case; for a journey (40 to 49) also where and when. */
#define RG_VITAL_WHY_BYTES_MIN 20
RG_MUST_USE rg_outcome rg_vital_check(const struct rg_vital *vital, uint32_t kind,
                                      struct rg_reason *why);

/* What one section of one kind needs. `any`: one of them is enough; else all. `none`: needs no
 * consent at all (an answer, a stop, a warning, an erasure). */
struct rg_consent_need {
    uint32_t scopes;
    bool any, none;
};
struct rg_consent_need rg_consent_scopes_needed(uint32_t kind, enum rg_class class_);

struct rg_consent_ask {
    uint32_t kind;
    enum rg_class class_;
    const char *country; /* of the reader, lower case */
    enum rg_role desk;   /* of the reader */
    enum rg_purpose purpose;
    struct rg_date today;
    bool child;                   /* a child or uncertain: a guardian must have given it */
    const struct rg_vital *vital; /* NULL or not present: none is claimed */
};
RG_MUST_USE rg_outcome rg_consent_allows(const struct rg_consents *set,
                                         const struct rg_consent_ask *ask, struct rg_reason *why);
/* RG_CLASS_BIT of all classes that `ask` (its class is not read) may have. */
unsigned rg_consent_classes(const struct rg_consents *set, const struct rg_consent_ask *ask);

#endif
