/*
 * NAME
 *   agreements - the written agreements without which nothing about a person goes to a country
 *
 * SYNOPSIS
 *   rg_agreements_read(root, &agreements, why)                 from client.cfg
 *   rg_agreements_allow(&agreements, "la/focal", purpose, today, why)
 *
 * DESCRIPTION
 *   agreements = (
 *       { with = "la"; id = "TH-LA-2005"; purposes = ("RETURN", "TRACING"); until = "2030-12-31"; }
 *   );
 *   `with` is a country, or one office of it; `id` is the agreement's own reference, on paper and
 * signed; `purposes` are those of client/consent.h; `until` is its last day and may be left out.
 * A recipient that no entry names is refused, whatever the person has agreed to. Our own country
 * needs none.
 *
 * OWNERSHIP
 *   Plain data, by value.
 *
 * ERRORS
 *   Reading: RG_MALFORMED config-agreements, settings-*. Asking: RG_DENIED agreement-none,
 *   agreement-ended, agreement-purpose.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_AGREEMENTS_H
#define RG_CLIENT_AGREEMENTS_H

#include "client/consent.h"
#include "core/settings.h"

#define RG_AGREEMENTS_MAX 32
#define RG_AGREEMENT_ID_BYTES 64

struct rg_agreement {
    char with[RG_OFFICE_BYTES]; /* "la" or "la/focal" */
    char id[RG_AGREEMENT_ID_BYTES];
    uint32_t purposes;    /* RG_PURPOSE_BIT */
    struct rg_date until; /* the last day; year 0: open */
};
struct rg_agreements {
    struct rg_agreement item[RG_AGREEMENTS_MAX];
    size_t count;
};

/* `root` of client.cfg; without `agreements` there are none. */
RG_MUST_USE rg_outcome rg_agreements_read(const rg_group *root, struct rg_agreements *out,
                                          struct rg_reason *why);
/* `to_office` in another country. */
RG_MUST_USE rg_outcome rg_agreements_allow(const struct rg_agreements *agreements,
                                           const char *to_office, enum rg_purpose purpose,
                                           struct rg_date today, struct rg_reason *why);

#endif
