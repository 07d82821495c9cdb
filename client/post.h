/*
 * NAME
 *   post - from content to a sealed envelope, and from an envelope to checked content
 *
 * SYNOPSIS
 *   rg_post_seal(home, &draft, now, &envelope, &id, why)
 *   rg_post_open(home, &envelope, accepted_at, now, &opened, why)
 *   rg_post_forward_clear(home, &excluded, to_office, class_, now, why)
 *   rg_post_forward_make(home, &envelope, &opened, index, to_country, &forwarded, why)
 *   rg_post_countersign_prepare(home, &draft, now, &prepared, why)         the first officer
 *   rg_post_countersign_check(home, &request, now, &opened, why)           the second one looks
 *   rg_post_countersign_finish(home, &request, &readers, now, &envelope, &id, why)
 *
 * DESCRIPTION
 *   Sealing: one section per content; struct rg_readership says who gets its key. Who is excluded
 *   gets none and leaves no gap: the number of wraps is what it would be with him.
 *   Opening: each section meant for our office is decrypted with one of our reading keys, its
 *   signature checked against the certificates of the sender's office, the signer judged at the
 *   Accepted time, then core digest, commitment, index and size. A section that is not for us is no
 *   error; anything that does not hold is, and then nothing is handed out.
 *   Forwarding: a section that a focal point passes on travels as it came, with its author's core
 *   and, when the reader's pages do not name the author, the author's certificate. The wrapper is
 *   signed by the focal point, so it has named that certificate. On opening, the wrapper is checked
 *   as any section; then the section in it, by its own core: its signer is one of the office in
 * that core, or the one named, of a domestic office of the forwarding country, trusted but for the
 *   listing. It must be about the same case, and of the same kind and class unless it is a
 *   DESK_COPY. A section in it that is not for us is no error: `forwarded` and not `here`, and
 *   `passed` is what a desk of ours may open.
 *   Two officers: an irreversible act is signed by one, and by `second_author` over the very same
 *   bytes; only then is it sealed. The request between them carries, per section, the CMS
 *   SignedData of the first. Readers demand both, of one office.
 *
 * OWNERSHIP
 *   rg_opened and rg_prepared own what they hold: drop them. `signer_certificate` is borrowed from
 *   trust until its next offer. rg_post_forward_make hands out views into envelope, opened and
 *   trust.
 *
 * ERRORS
 *   RG_AGAIN readers-none (no key card yet: sync), post-page (their page is not here yet);
 *   RG_LIMIT readers-too-many; RG_DENIED readers-class, readers-office, not-available (nobody is
 *   left to read it);
 *   RG_DENIED seal-*, certificate-*, post-author (the content names another author than the
 *   signer), post-second (a second signature is missing, or not hers), post-kind (sections
 *   disagree), post-exercise, post-not-for-us, post-forward (not the forwarding office's to pass
 *   on, or about something else), content-way; RG_MALFORMED content-*, seal-*, wire-*.
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
 * written for the addressee, whatever that desk is cleared for. A section that only carries another
 * one is for the two offices. A COUNTERSIGN_REQUEST is for its second officer alone. The author
 * always reads. */
struct rg_readership {
    const struct rg_exclusions *excluded; /* of this case; NULL: none */
    /* RG_ROLE_BIT (client/consent.h) of the desks that may read this section in this case, by the
     * person's consent and age; 0: the usual ones. */
    unsigned desks[RG_SECTIONS_MAX];
    const char *assigned; /* an NGO of our own country that works on the case; NULL: none */
    /* Of a draft for our focal point: whose readers all but the case section is for. NULL: as
     * addressed. */
    const char *final_country;
};
/* A health or case desk is asked in every case; justice needs the person's SHARE_LEGAL, the child
 * desk a child. A finished nationality check takes RG_ROLE_VERIFY out again. */
#define RG_DESKS_USUAL                                                                             \
    (RG_ROLE_BIT(RG_ROLE_FOCAL) | RG_ROLE_BIT(RG_ROLE_SOCIAL) | RG_ROLE_BIT(RG_ROLE_VERIFY) |      \
     RG_ROLE_BIT(RG_ROLE_BORDER) | RG_ROLE_BIT(RG_ROLE_HEALTH))

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
/* RG_DENIED post-second: the kind needs two officers. */
RG_MUST_USE rg_outcome rg_post_seal(struct rg_home *home, const struct rg_draft *draft,
                                    struct rg_wall now, struct rg_buffer *envelope_out,
                                    struct rg_id *id_out, struct rg_reason *why);

struct rg_opened_section {
    bool here;                  /* the content can be read */
    bool forwarded;             /* of another author; the message's signer has passed it on */
    struct rg_principal author; /* who wrote it; empty when it is not here */
    struct rg_buffer bytes;     /* encoded content, secret */
    struct rg_buffer memory;    /* what `content` borrows from, secret */
    struct rg_content content;
    struct rg_forwarded passed;               /* when forwarded: as it came */
    struct rg_buffer wrapper, wrapper_memory; /* what `passed` borrows from, secret */
};
struct rg_opened { /* zeroed before use */
    struct rg_opened_section section[RG_SECTIONS_MAX];
    size_t count;
    struct rg_content *first; /* the message's own: first section here, or its first wrapper */
    struct rg_content wrapper;
    struct rg_principal signer;
    const struct rg_certificate *signer_certificate;
    struct rg_principal second; /* the second officer; empty: none */
    bool stopped_later;         /* a signer's certificate was stopped after the Accepted time */
};
void rg_opened_drop(struct rg_opened *opened);
RG_MUST_USE rg_outcome rg_post_open(struct rg_home *home, const struct rg_envelope *envelope,
                                    struct rg_wall accepted_at, struct rg_wall now,
                                    struct rg_opened *opened, struct rg_reason *why);

/* Section `index` of a message that was opened here, ready to be the body of a section that goes to
 * `to_country`: the sealed bytes and the core as they came, not resealed, whether or not we can
 * read them. Goes into a content with RG_BODY_FORWARDED. */
RG_MUST_USE rg_outcome rg_post_forward_make(struct rg_home *home,
                                            const struct rg_envelope *envelope,
                                            const struct rg_opened *opened, size_t index,
                                            const char *to_country, struct rg_forwarded *out,
                                            struct rg_reason *why);

/* Its author sealed it for whom the pages name in that office's country, and does not know the
 * case's list. RG_DENIED not-available: somebody on the list may be able to open it, so it stays
 * here. */
RG_MUST_USE rg_outcome rg_post_forward_clear(struct rg_home *home,
                                             const struct rg_exclusions *excluded,
                                             const char *to_office, enum rg_class class_,
                                             struct rg_wall now, struct rg_reason *why);

struct rg_prepared { /* zeroed before use */
    struct rg_buffer core;
    struct rg_buffer section[RG_SECTIONS_MAX]; /* secret */
    struct rg_countersign request;             /* views into the two */
};
void rg_prepared_drop(struct rg_prepared *prepared);
/* Every content names the first officer (this home's) as author and one colleague as second_author,
 * who must be a reader of each section. */
RG_MUST_USE rg_outcome rg_post_countersign_prepare(struct rg_home *home,
                                                   const struct rg_draft *draft, struct rg_wall now,
                                                   struct rg_prepared *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_post_countersign_check(struct rg_home *home,
                                                 const struct rg_countersign *request,
                                                 struct rg_wall now, struct rg_opened *opened,
                                                 struct rg_reason *why);
RG_MUST_USE rg_outcome rg_post_countersign_finish(struct rg_home *home,
                                                  const struct rg_countersign *request,
                                                  const struct rg_readership *readers,
                                                  struct rg_wall now,
                                                  struct rg_buffer *envelope_out,
                                                  struct rg_id *id_out, struct rg_reason *why);

#endif
