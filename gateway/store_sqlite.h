/*
 * NAME
 *   store_sqlite - the store in one SQLite file
 *
 * SYNOPSIS
 *   rg_store_sqlite_open("data/store.db", &(struct rg_store_sqlite){.bytes_max = 0}, &store, why)
 *   store->ops->close(store)
 *
 * DESCRIPTION
 *   WAL, synchronous=FULL, secure_delete=ON, one writer. A commit is on the disk when it returns.
 * After content was erased the WAL is checkpointed and truncated, so that what was deleted is gone
 * from both files. The schema's version is in user_version; a newer one is refused.
 *
 * ERRORS (of open)
 *   RG_IO store-open; RG_AGAIN store-busy, store-full; RG_BROKEN store-corrupt; RG_DENIED
 *   store-version (written by a newer gateway).
 *
 * THREADS
 *   One store, one thread. Opened after fork.
 */
#ifndef RG_GATEWAY_STORE_SQLITE_H
#define RG_GATEWAY_STORE_SQLITE_H

#include "gateway/store.h"

struct rg_store_sqlite {
    uint64_t bytes_max; /* 0: what the disk has */
    bool read_only;     /* for `log` beside a running gateway; must exist */
};

RG_MUST_USE rg_outcome rg_store_sqlite_open(const char *path, const struct rg_store_sqlite *options,
                                            struct rg_store **out, struct rg_reason *why);

#endif
