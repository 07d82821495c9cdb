/*
 * NAME
 *   post - from content to a sealed envelope, and from an envelope to checked content
 *
 * SYNOPSIS
 *   rg_post_seal(home, &draft, now, &envelope, &id, why)
 *   rg_post_open(home, &envelope, accepted_at, now, &opened, why)
 *
 * DESCRIPTION
 *   Sealing: one section per content; struct rg_readership says who gets its key. Who is excluded
 *   gets none and leaves no gap: the number of wraps is what it would be with him. Opening: each
 * section meant for our office is decrypted with one of our reading keys, its signature checked
 * against the certificates of the sender's office, the signer judged at the Accepted time, then
 * core digest, commitment, index and size. A section that is not for us is no error; anything that
 * does not hold is, and then nothing is handed out.
 *
 * ERRORS
 *   RG_AGAIN readers-none (no key card yet: sync), post-page (their page is not here yet);
 *   RG_LIMIT readers-too-many; RG_DENIED readers-class, readers-office, not-available (nobody is
 *   left to read it);
 *   RG_DENIED seal-*, certificate-*, post-author (the content names another author than the
 *   signer), post-kind (sections disagree), post-exercise, post-not-for-us, content-way;
 *   RG_MALFORMED content-*, seal-*.
 *
 * THREADS
 *   One per home.
 */
#ifndef RG_CLIENT_POST_H
#define RG_CLIENT_POST_H

#include "client/consent.h"
#include "client/exclusions.h"
#include "client/home.h"
#include "client/message.h"

/* Who may open what: decided here, by wrapping the key for them or not.
 * A section that crosses a border is for the focal offices of both countries and for the desks on
 * their public pages, as far as the charter lets the role read the class and the officer is cleared
 * for it; `security` for two named officers of a country, the focal office's first. A message
 * inside the country is for the office it is addressed to and the author's own; its case section is
 * written for the addressee, whatever that desk is cleared for. The author always reads. */
struct rg_readership {
    const struct rg_exclusions *excluded; /* of this case; NULL: none */
    /* RG_DESK_BIT (client/consent.h) of the desks that may read this section in this case, by the
     * person's consent and age; 0: the usual ones. */
    unsigned desks[RG_SECTIONS_MAX];
    const char *assigned; /* an NGO of our own country that works on the case; NULL: none */
    /* Of a draft for our focal point: whose readers all but the case section is for. NULL: as
     * addressed. */
    const char *final_country;
};
/* A health or case desk is asked in every case; justice needs the person's SHARE_LEGAL, the child
 * desk a child. A finished nationality check takes RG_DESK_VERIFY out again. */
#define RG_DESKS_USUAL                                                                             \
    (RG_DESK_BIT(RG_DESK_FOCAL) | RG_DESK_BIT(RG_DESK_SOCIAL) | RG_DESK_BIT(RG_DESK_VERIFY) |      \
     RG_DESK_BIT(RG_DESK_BORDER) | RG_DESK_BIT(RG_DESK_HEALTH))

struct rg_draft {
    const char *to_office;
    struct rg_thread_id thread;
    enum rg_priority priority;
    uint64_t counter; /* per device, strictly growing */
    bool has_decides;
    struct rg_id decides;
    const struct rg_content *content; /* one per section, the case section first */
    size_t count;
    struct rg_readership readers;
};
RG_MUST_USE rg_outcome rg_post_seal(struct rg_home *home, const struct rg_draft *draft,
                                    struct rg_wall now, struct rg_buffer *envelope_out,
                                    struct rg_id *id_out, struct rg_reason *why);

struct rg_opened_section {
    bool here;
    struct rg_buffer bytes;  /* encoded content, secret */
    struct rg_buffer memory; /* what `content` borrows from, secret */
    struct rg_content content;
};
struct rg_opened { /* zeroed before use */
    struct rg_opened_section section[RG_SECTIONS_MAX];
    size_t count;
    struct rg_content *first; /* the first section that is here */
    struct rg_principal signer;
    bool stopped_later; /* the signer's certificate was stopped after the Accepted time */
};
void rg_opened_drop(struct rg_opened *opened);
RG_MUST_USE rg_outcome rg_post_open(struct rg_home *home, const struct rg_envelope *envelope,
                                    struct rg_wall accepted_at, struct rg_wall now,
                                    struct rg_opened *opened, struct rg_reason *why);

#endif
