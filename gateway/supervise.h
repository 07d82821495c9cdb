/*
 * NAME
 *   supervise - main's work while a gateway runs: starts link, courier and notary, and restarts
 * them
 *
 * SYNOPSIS
 *   status = rg_supervise(&config, &(struct rg_supervise){.ready_fd = -1})
 *
 * DESCRIPTION
 *   Makes the folders, opens the port, forks the three. Each child opens its own keys and files,
 * gives up its rights (gateway/sandbox) and runs; main itself reads no key.
 *
 *   notary dies    it alone is started again; the courier asks anew
 *   link dies      it alone is started again; the courier gets the new socketpair and goes on
 *   courier dies   link ends with it (its socketpair ended); both are started again
 *   back-off       at once, then 100 ms doubling to 10 s, forgotten after 10 s of life
 *   exit 78        a child cannot start with this config: all stop, so does main
 *
 *   data/notary/state-N the notary's state of log epoch N; the highest N is in use
 *   runtime/processes   "main PID", "link PID", ... one a line, rewritten on each start
 *   runtime/ready       the port, while the gateway is ready
 *   SIGTERM, SIGINT     courier and link end, then the notary, then main: 0
 *   SIGHUP              the config is read again. When it is sound, and country, listen, data and
 *                       runtime stay, the children are started anew with it if it has changed; the
 *                       courier reads the trust folder again in any case.
 *
 * ERRORS
 *   The result is the exit status: 0, 70 or 78. What went wrong is an event.
 */
#ifndef RG_GATEWAY_SUPERVISE_H
#define RG_GATEWAY_SUPERVISE_H

#include "gateway/config.h"

struct rg_supervise {
    int ready_fd; /* the port and a newline are written here once ready, then it is closed; -1 */
};

int rg_supervise(const struct rg_config *config, const struct rg_supervise *options);

/* Starts a new epoch of the log: an EPOCH entry in the store (gateway/epoch), then a notary's state
 * of size 0 beside the old one, which stays. For an
 * operator who has restored an old store or lost the notary's state; the partners show it for ever.
 * RG_IO data-locked: the gateway runs. RG_DENIED charter-missing, epoch-first: there is no log yet.
 */
RG_MUST_USE rg_outcome rg_supervise_epoch(const struct rg_config *config, uint64_t *epoch_out,
                                          struct rg_reason *why);

/* Pids of a running gateway, from runtime/processes. RG_IO gateway-away. */
struct rg_process {
    char name[16]; /* "main", "link", "courier", "notary" */
    int64_t pid;
};
RG_MUST_USE rg_outcome rg_processes_read(const struct rg_config *config, struct rg_process *out,
                                         size_t max, size_t *count_out, struct rg_reason *why);

#endif
