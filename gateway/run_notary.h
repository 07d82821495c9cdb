/*
 * NAME
 *   run_notary - the loop of the notary process
 *
 * SYNOPSIS
 *   _exit(rg_run_notary(&(struct rg_run_notary_options){...}))    in the child, rights given up
 *
 * DESCRIPTION
 *   Binds the unix socket at `socket_path` (its folder belongs to this process's user), answers the
 *   courier's requests one by one, writes events. It ends when `parent_fd` (the reading end of a
 *   pipe whose other end `main` holds) closes, or when the state cannot be written.
 *   A state file that is not there is made only with `init`: main sets it when there is no store
 *   yet either, or when the operator starts a new epoch. Otherwise the notary runs and refuses.
 *
 * ERRORS
 *   Returns the exit status: 0 main is gone; 1 the reason is in an event (notary-failed).
 */
#ifndef RG_GATEWAY_RUN_NOTARY_H
#define RG_GATEWAY_RUN_NOTARY_H

#include "core/identity.h"

struct rg_run_notary_options {
    const char *socket_path;
    const char *state_path; /* opened here when state_fd is -1 */
    int state_fd;           /* open for reading and writing, or -1 */
    const struct rg_key *key;
    const char *origin; /* "referral/th/1" */
    bool init;
    int parent_fd; /* -1: runs until it is killed */
};

int rg_run_notary(const struct rg_run_notary_options *options);

#endif
