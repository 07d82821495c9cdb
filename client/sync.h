/*
 * NAME
 *   sync - the loop around client/exchange: dial, TLS, ZeroMQ, batches
 *
 * SYNOPSIS
 *   rg_sync_new(home, &calls, &sync, why)
 *   rg_exchange_new({... .sink.send = rg_sync_send, context: ...})
 *   rg_sync_attach(sync, exchange)
 *   rg_sync_step(sync, wait_ms, why)        until the caller has had enough
 *   rg_sync_free(sync)
 *
 * DESCRIPTION
 *   Keeps one session to the home gateway: dials again with back-off and jitter when it is gone,
 *   reset only by Hello. Frames are taken in batches: `begin` before the first, `end` after the
 *   last of a batch, which makes it durable and then says so to the gateway; after each batch
 *   `feed` submits what there is room for. Frames that do not fit the socket wait here.
 *
 * ERRORS
 *   What the calls return. A session that ends is no error: `lost` is called, the next step dials.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_SYNC_H
#define RG_CLIENT_SYNC_H

#include "client/exchange.h"
#include "client/home.h"

struct rg_sync;

struct rg_sync_calls {
    void *context;
    rg_outcome (*begin)(void *context, struct rg_reason *why);
    rg_outcome (*end)(void *context, struct rg_reason *why);
    rg_outcome (*feed)(void *context, struct rg_reason *why);
    void (*lost)(void *context, const struct rg_reason *why);
};

RG_MUST_USE rg_outcome rg_sync_new(struct rg_home *home, const struct rg_sync_calls *calls,
                                   struct rg_sync **out, struct rg_reason *why);
void rg_sync_free(struct rg_sync *sync);
void rg_sync_attach(struct rg_sync *sync, struct rg_exchange *exchange); /* borrowed */
/* For the sink of the exchange. */
RG_MUST_USE rg_outcome rg_sync_send(struct rg_sync *sync, struct rg_bytes frame,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_sync_step(struct rg_sync *sync, int wait_ms, struct rg_reason *why);
bool rg_sync_flushed(const struct rg_sync *sync); /* nothing waits for the socket */

#endif
