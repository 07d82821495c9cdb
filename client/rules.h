/*
 * NAME
 *   rules - what may not be sent, why, and what to do about it
 *
 * SYNOPSIS
 *   verdict = rg_rules_judge(record, today);
 *   if (!verdict.may_send) rg_rule_row(verdict.rule[0])->id ...
 *   allowed = rg_rules_classes(record, today);     which sections may follow after an accept
 *
 * DESCRIPTION
 *   Unknown means not allowed, and there is no way around a rule: the record is mended, or the case
 * stays here. A rule that breaks does not hide another: all that apply are listed, in the order of
 * the table, and the first one is the one that is counted. Who is uncertain or unstated in age is a
 * child and needs a guardian's consent. A class is released only under its own scope of consent
 * (SHARE_IDENTITY, TRACE_FAMILY, SHARE_HEALTH, SHARE_LEGAL, SHARE_SECURITY); the case class goes
 * with the referral itself.
 *
 * THREADS
 *   Pure: `today` is given, nothing is read from a clock.
 */
#ifndef RG_CLIENT_RULES_H
#define RG_CLIENT_RULES_H

#include "client/record.h"

enum rg_rule { /* in order of precedence */
               RG_RULE_NONE,
               RG_RULE_PROTECTION_CLAIM,    /* the origin must not be told anything at all */
               RG_RULE_CONSENT_REFUSED,     /* con_Consent is not true */
               RG_RULE_NOT_A_VICTIM,        /* vic_TraffickingStatus NotAVictimOfTrafficking */
               RG_RULE_SAME_COUNTRY,        /* host and origin are one */
               RG_RULE_REASON_UNCLEAR,      /* neither reason column says what is asked */
               RG_RULE_CONSENT_SCOPE,       /* consent does not cover what the referral would do */
               RG_RULE_CONSENT_GIVEN_BY,    /* nobody is recorded as having given it */
               RG_RULE_GUARDIAN_CONSENT,    /* child or uncertain, and no guardian's consent */
               RG_RULE_CONSENT_NO_END,      /* no full date until which it holds */
               RG_RULE_CONSENT_EXPIRED,     /* today is after that date */
               RG_RULE_CITIZENSHIP_UNKNOWN, /* empty or XXX */
               RG_RULE_CITIZENSHIP_OTHER,   /* return asked of a country that is not among the
                                               citizenships */
               RG_RULE_PREVIEW_INCOMPLETE,  /* sex or urgency is missing */
               RG_RULE_HEALTH_WORDS,        /* health that harms when known, in the case class */
               RG_RULE_COUNT
};

struct rg_rule_row {
    enum rg_rule rule;
    const char *id;        /* "consent-refused" */
    const char *meaning;   /* plain words */
    const char *what_next; /* what to do */
    bool refused;          /* true: only the person can change it; false: held, can be mended */
};
const struct rg_rule_row *rg_rule_row(enum rg_rule rule); /* never NULL */

struct rg_rules_verdict {
    bool may_send;
    bool child; /* takes every child branch */
    enum rg_rule rule[RG_RULE_COUNT];
    size_t count;
};
struct rg_rules_verdict rg_rules_judge(const struct rg_record *record, struct rg_date today);

/* RG_CLASS_BIT of the classes that may be released; 0 when the case may not be sent. */
unsigned rg_rules_classes(const struct rg_record *record, struct rg_date today);

#endif
