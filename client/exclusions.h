/*
 * NAME
 *   exclusions - who must not learn of one case: officers, offices, points, provinces
 *
 * SYNOPSIS
 *   rg_exclusion_parse(text, &entry, why)
 *   rg_exclusions_add(&list, &entry, why) / rg_exclusions_remove(&list, &entry)
 *   rg_exclusions_reader(&list, principal, office)     leave this reader out
 *   rg_exclusions_point(&list, point)                  do not propose this point
 *
 * DESCRIPTION
 *   The list of a case is kept in the casebooks of the office that wrote it, and nowhere else: no
 * message across the border holds it, and no error says that it exists. Inside a focal office what
 * is added goes to the colleagues cleared for security (kind 93). What it stops says "not
 * available", the same words as for what does not exist, and so does every look at it from outside.
 *   An entry is an officer ("referral://th/border/officer-2"), an office or desk ("th/border"), a
 * handover point ("point TH-MM-1"), or a province ("province th/tak": of an office's title or a
 * point's description in the configuration), or an interpreter by the office's own number
 * ("interpreter I-17"). An office shuts out all its officers.
 *   Adding works at once. Removing needs a second officer (client/referral_protect.c).
 *
 * OWNERSHIP
 *   Plain data, by value.
 *
 * ERRORS
 *   RG_MALFORMED exclusion-form; RG_LIMIT exclusion-limit; RG_DENIED not-available.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_EXCLUSIONS_H
#define RG_CLIENT_EXCLUSIONS_H

#include "core/buffer.h"
#include "core/limits.h"

#define RG_EXCLUSIONS_MAX 64
#define RG_POINT_BYTES 32
#define RG_PROVINCE_BYTES 64

enum rg_exclusion_kind {
    RG_EXCLUDE_OFFICER = 1,
    RG_EXCLUDE_OFFICE,
    RG_EXCLUDE_POINT,
    RG_EXCLUDE_PROVINCE,
    RG_EXCLUDE_INTERPRETER,
};
struct rg_exclusion {
    enum rg_exclusion_kind kind;
    char name[RG_PRINCIPAL_BYTES];
};
struct rg_exclusions {
    struct rg_exclusion item[RG_EXCLUSIONS_MAX];
    size_t count;
};

/* "referral://th/border/officer-2", "th/border", "point TH-MM-1", "province th/tak",
 * "interpreter I-17". */
RG_MUST_USE rg_outcome rg_exclusion_parse(const char *text, struct rg_exclusion *out,
                                          struct rg_reason *why);
/* As parsed, for showing to an officer of the office that keeps it. */
void rg_exclusion_print(const struct rg_exclusion *entry, char *out, size_t room);

/* Adding what is there already is fine. */
RG_MUST_USE rg_outcome rg_exclusions_add(struct rg_exclusions *list,
                                         const struct rg_exclusion *entry, struct rg_reason *why);
bool rg_exclusions_remove(struct rg_exclusions *list, const struct rg_exclusion *entry);

/* True: shut out. */
bool rg_exclusions_reader(const struct rg_exclusions *list, const char *principal,
                          const char *office);
bool rg_exclusions_interpreter(const struct rg_exclusions *list, const char *reference);
bool rg_exclusions_point(const struct rg_exclusions *list, const char *point);
bool rg_exclusions_province(const struct rg_exclusions *list, const char *province);

/* Would the entry shut out this officer herself? */
bool rg_exclusions_own(const struct rg_exclusion *entry, const char *principal);

/* The one thing that anything stopped by a list says. */
rg_outcome rg_not_available(struct rg_reason *why);

#endif
