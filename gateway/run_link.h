/*
 * NAME
 *   run_link - the process that faces the network: judges, relays, dials
 *
 * SYNOPSIS
 *   _exit(rg_run_link(&(struct rg_run_link_options){.country = "th", ...}))
 *       in a child of its own, after rg_sandbox_enter
 *
 * DESCRIPTION
 *   Accepts on `listen_fd` and, with `dial`, dials each other country that has endpoints in its
 * page while no session with its gateway exists. Back-off per country: doubling from dial_ms_min to
 * dial_ms_max with jitter, reset only by the courier's HELLO_SEEN.
 *   Tells the courier READY first, then UP and GONE, one rg_link_event per datagram of
 * `courier_fd`; takes its rg_link_orders. Each document of a TRUST order is checked here again, and
 * when one is new every open session is judged again; so is each every RG_LINK_JUDGE_MS, since
 * certificates expire. While the courier's socket is full no session is accepted or dialled.
 *   A peer is let in when rg_trust_judge lets its certificate in for TLS and it is another
 * country's gateway, or an officer of this country (certificate-wrong-country otherwise).
 *
 * OWNERSHIP
 *   Both descriptors are taken. `courier_fd` is a SOCK_SEQPACKET socket. `trust` is borrowed: made
 * by the caller with pins, suspensions, and the documents it could read.
 *
 * RETURNS
 *   0 when the courier is gone (the gateway stops, or main starts both anew); 1 when link cannot go
 *   on, or the courier sent what it never sends. Said as an event.
 */
#ifndef RG_GATEWAY_RUN_LINK_H
#define RG_GATEWAY_RUN_LINK_H

#include "core/identity.h"
#include "core/trust.h"

#define RG_LINK_JUDGE_MS (5 * 60 * 1000)

struct rg_run_link_options {
    const char *country; /* ours */
    const struct rg_certificate *certificate;
    const struct rg_key *key;
    int listen_fd;  /* TCP, listening; -1: only dials */
    int courier_fd; /* SOCK_SEQPACKET */
    const char *socket_folder;
    struct rg_trust *trust;
    bool dial;
    int dial_ms_min, dial_ms_max; /* 0: 200 ms, 60 s */
    int hello_ms_max;             /* 0: as core/session */
    size_t sessions_max, sessions_per_address, sessions_per_principal;
};
int rg_run_link(const struct rg_run_link_options *options);

#endif
