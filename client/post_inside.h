/*
 * NAME
 *   post_inside - what the files of post share; nobody else includes this
 *
 * DESCRIPTION
 *   post.c seals, post_readers.c says for whom, post_open.c opens and passes on, post_second.c lets
 * a second officer sign.
 */
#ifndef RG_CLIENT_POST_INSIDE_H
#define RG_CLIENT_POST_INSIDE_H

#include "client/post.h"

struct rg_parts { /* of a message being sealed */
    struct rg_core core;
    struct rg_section section[RG_SECTIONS_MAX];
    struct rg_buffer content[RG_SECTIONS_MAX]; /* secret */
    struct rg_buffer sealed[RG_SECTIONS_MAX];
    struct rg_buffer core_bytes, header;
};
void rg_parts_drop(struct rg_parts *parts);
/* All but the sealing: contents encoded, core made, each section bound to it. */
RG_MUST_USE rg_outcome rg_parts_make(const struct rg_home *home, const struct rg_draft *draft,
                                     struct rg_wall now, struct rg_parts *parts,
                                     struct rg_reason *why);
/* From the sealed sections to the envelope. */
RG_MUST_USE rg_outcome rg_parts_join(struct rg_parts *parts, size_t count,
                                     struct rg_buffer *envelope_out, struct rg_id *id_out,
                                     struct rg_reason *why);

struct rg_readers {
    const struct rg_certificate *list[RG_READERS_MAX]; /* NULL: a place without a reader */
    size_t count;
};
/* What one section is, as far as its readers are concerned. */
struct rg_readers_ask {
    const struct rg_readership *readership;
    const char *to_office;
    enum rg_class class_;
    bool wrapper;       /* it only carries another's sealed section */
    size_t index;       /* into readership->desks */
    const char *author; /* another officer of our office who reads it too; NULL: none */
    const char *only;   /* the one officer it is for, beside the author; NULL: as the pages say */
};
struct rg_readers_ask rg_readers_ask_of(const struct rg_readership *readership,
                                        const char *to_office, const struct rg_content *content,
                                        size_t index);
RG_MUST_USE rg_outcome rg_post_readers(struct rg_home *home, const struct rg_readers_ask *ask,
                                       struct rg_wall now, struct rg_readers *out,
                                       struct rg_reason *why);

/* Whose signatures these are, as the content says: the author's, then perhaps a second officer's.
 */
RG_MUST_USE rg_outcome rg_post_authors(const struct rg_signature_seen *seen,
                                       const struct rg_content *content,
                                       const struct rg_certificate *author_out[RG_AUTHORS_MAX],
                                       struct rg_reason *why);
/* Do the sections of one message say the same about what it is? `first` NULL: nothing yet. */
RG_MUST_USE rg_outcome rg_post_agree(const struct rg_content *first,
                                     const struct rg_content *content, struct rg_reason *why);
#define RG_POST_SIGNERS_MAX 256

#endif
