/*
 * NAME
 *   rules_message - what a message must not say, whoever writes it
 *
 * SYNOPSIS
 *   rg_message_rules_check(&ask, why)         before a form is sealed
 *   duties = rg_duties(record, process flags)  what stands open until a person does it
 *
 * DESCRIPTION
 *   The boxes of a form (client/form.h) say what a message must hold. These rules say what it must
 * not do to the person, and rest on more than one box, or on who writes. Each row names the rule of
 * the house it stands for (docs/protections.md, D1 to D26). Unknown means not allowed.
 *   Health that harms when it is known (HIV, pregnancy, sexual violence) is looked for in the free
 * texts of the case section, in the languages of the six countries. Words can be avoided and lists
 * have gaps: this catches slips, not will.
 *
 * ERRORS
 *   RG_DENIED with the id of the rule; "not-available" where an exclusion list speaks.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_RULES_MESSAGE_H
#define RG_CLIENT_RULES_MESSAGE_H

#include "client/exclusions.h"
#include "client/form.h"
#include "client/record.h"

enum rg_message_rule {
    RG_MESSAGE_RULE_NONE,
    RG_MESSAGE_RULE_NON_OBJECTION,     /* D4 */
    RG_MESSAGE_RULE_AGE_DESK,          /* D6: only the child desk changes an age */
    RG_MESSAGE_RULE_AGE_REASON,        /* D6: and says why */
    RG_MESSAGE_RULE_CHILD_HEARD,       /* D7 */
    RG_MESSAGE_RULE_CHILD_GUARDIAN,    /* D7 */
    RG_MESSAGE_RULE_RISK_TERM,         /* D8: an assessment holds 90 days at most */
    RG_MESSAGE_RULE_ORIGIN_EXCLUDED,   /* D9 */
    RG_MESSAGE_RULE_INFO_REASON,       /* D12: each field asked for has its reason */
    RG_MESSAGE_RULE_IDENTITY_EXTRACT,  /* D12: at the border the name to call, and no more */
    RG_MESSAGE_RULE_RELATIVE_INVOLVED, /* D15 */
    RG_MESSAGE_RULE_NOT_TOLD,          /* D15: what the family must not be told is said */
    RG_MESSAGE_RULE_HEALTH_WORDS,      /* D16 */
    RG_MESSAGE_RULE_RIGHT_TO_STOP,     /* D17 */
    RG_MESSAGE_RULE_INTERPRETER,       /* D23 */
    RG_MESSAGE_RULE_PROVIDER,          /* D24 */
    RG_MESSAGE_RULE_VITAL,             /* D2: danger to life names who decided, and why */
    RG_MESSAGE_RULE_COUNT
};

struct rg_message_rule_row {
    enum rg_message_rule rule;
    const char *decision;  /* "D6" */
    const char *id;        /* "age-child-desk" */
    const char *meaning;   /* plain words */
    const char *what_next; /* what to do */
};
const struct rg_message_rule_row *rg_message_rule_row(enum rg_message_rule rule); /* never NULL */

struct rg_message_ask {
    uint32_t kind;
    const struct rg_form *form;           /* all sections together */
    enum rg_role author;                  /* of who wrote it, not of who passes it on */
    bool by_host;                         /* we are the country where the person was found */
    const struct rg_record *record;       /* what is known here; NULL: nothing */
    bool protection_claim;                /* one is open in this case */
    const struct rg_exclusions *excluded; /* NULL: none */
    const struct rg_vital *vital;         /* NULL: none is claimed */
    unsigned unread; /* RG_CLASS_BIT of sections that we pass on and cannot read: their author has
                        been held to the rules that rest on them */
};
RG_MUST_USE rg_outcome rg_message_rules_check(const struct rg_message_ask *ask,
                                              struct rg_reason *why);
/* The first rule that the message breaks. */
enum rg_message_rule rg_message_rules_judge(const struct rg_message_ask *ask);

/* Health that must stand in the health section only. */
bool rg_words_of_health(struct rg_bytes text);
const char *rg_health_word(size_t i); /* NULL after the last; a star at the end: it goes on */

/* ---- an age that is changed here ---- */

/* From child or uncertain to adult: by the child desk only, with a reason. RG_DENIED age-*. */
RG_MUST_USE rg_outcome rg_age_change_check(enum rg_age before, enum rg_age after,
                                           enum rg_role author, const char *reason,
                                           struct rg_reason *why);

/* ---- what stands open until a person does it ---- */

enum rg_duty {
    RG_DUTY_DETENTION = 1, /* D10: she is detained: get her out */
    RG_DUTY_TELL_PERSON,   /* 3.3: vital interest was used; tell her */
    RG_DUTY_REPORT_VITAL,  /* 3.3: and both focal points */
    RG_DUTY_AGE_RAISED,    /* D6: an age went up; both focal points look */
    RG_DUTY_ERASE_SOON,    /* D26: not a victim: erased 30 days after closing */
    RG_DUTY_COUNT
};
#define RG_DUTY_BIT(duty) (1u << ((unsigned)(duty)-1u))
struct rg_duty_row {
    enum rg_duty duty;
    const char *decision, *id, *meaning, *what_next;
};
const struct rg_duty_row *rg_duty_row(enum rg_duty duty); /* NULL: none */
/* From what is recorded; the caller adds those of messages (rg_duties_of_message). */
unsigned rg_duties_of_record(const struct rg_record *record);
unsigned rg_duties_of_message(const struct rg_message_ask *ask);

#endif
