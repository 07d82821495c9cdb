/*
 * NAME
 *   run_courier - the courier's process: the store, the bus and the notary around the courier
 *
 * SYNOPSIS
 *   exit(rg_run_courier(&(struct rg_run_courier){.config = &config, .control_fd = fd}))
 *
 * DESCRIPTION
 *   One turn: wait; take link's events and what has arrived on the bus, at most
 * RG_BATCH_FRAMES_MAX frames and RG_BATCH_MS_MAX; commit; let the notary sign; act on what the
 * courier puts out. SIGTERM ends it after the turn, SIGHUP reads the trust folder again.
 *   `control_fd` is a SOCK_SEQPACKET pair with main. main sends struct rg_control_link with one
 * descriptor (SCM_RIGHTS), the socketpair to a link that has just been started; the courier sends
 * struct rg_control_state whenever readiness changes.
 *
 * ERRORS
 *   The result is the exit status: 0 stopped by SIGTERM, 70 something broke (start again), 78 it
 *   cannot start with this config (starting again does not help).
 *
 * THREADS
 *   One, and libzmq's. Called after fork.
 */
#ifndef RG_GATEWAY_RUN_COURIER_H
#define RG_GATEWAY_RUN_COURIER_H

#include "gateway/config.h"

#include <sys/types.h>

struct rg_control_link {
    uint32_t number; /* how many links there have been */
};
struct rg_control_state {
    bool ready; /* link has its port open and the notary has signed */
    uint16_t port;
};

struct rg_run_courier {
    const struct rg_config *config;
    uint64_t log_epoch;
    int control_fd;
    pid_t parent; /* main */
};

int rg_run_courier(const struct rg_run_courier *options);

#endif
