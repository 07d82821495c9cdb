/*
 * NAME
 *   epoch - the entry that a new epoch of the log begins with
 *
 * SYNOPSIS
 *   rg_epoch_mark(&(struct rg_epoch_mark){.store_path = ..., .origin = "referral/th/1", ...}, why)
 *
 * DESCRIPTION
 *   Appends an EPOCH entry to the store while no gateway runs: its detail is SHA-256 of the note
 *   body of the last head of the old epoch. That is the head in the old notary's state; when that
 *   state is lost, the head of the log in the store; and a larger head of ours, if a partner has
 *   shown one. The new epoch's log begins with the entries that the store still holds, since stored
 *   answers point to them; the EPOCH entry is the first that is appended under the new origin.
 *   Marking twice, after a crash before the new notary's state is there, appends one entry.
 *
 * ERRORS
 *   As the store's; RG_IO notary-state-unreadable, out-of-memory. Nothing has changed then.
 */
#ifndef RG_GATEWAY_EPOCH_H
#define RG_GATEWAY_EPOCH_H

#include "core/tlog.h"

struct rg_epoch_mark {
    const char *store_path;
    const char *state_path;   /* of the old epoch's notary; the file may be missing */
    const char *origin;       /* of the old epoch */
    const struct rg_key *key; /* the log key */
    struct rg_wall now;
};

RG_MUST_USE rg_outcome rg_epoch_mark(const struct rg_epoch_mark *mark, struct rg_reason *why);

#endif
