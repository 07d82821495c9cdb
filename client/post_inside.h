/*
 * NAME
 *   post_inside - what the files of post share; nobody else includes this
 */
#ifndef RG_CLIENT_POST_INSIDE_H
#define RG_CLIENT_POST_INSIDE_H

#include "client/post.h"

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
RG_MUST_USE rg_outcome rg_post_readers(struct rg_home *home, const struct rg_readers_ask *ask,
                                       struct rg_wall now, struct rg_readers *out,
                                       struct rg_reason *why);

#endif
