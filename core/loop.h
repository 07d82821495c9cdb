/*
 * NAME
 *   loop - one thread's event loop: descriptors and timers
 *
 * SYNOPSIS
 *   loop = rg_loop_new()
 *   rg_loop_watch(loop, fd, call, context, why)       level triggered, for reading
 *   rg_loop_timer(loop, every_ms, call, context, why)
 *   rg_loop_run(loop, why)        until rg_loop_stop
 *   rg_loop_step(loop, ms, why)   for a caller that has a loop of its own
 *   rg_loop_free(loop)
 *
 * DESCRIPTION
 *   A thin cover over libevent. A watched descriptor stays the caller's: unwatch it before it is
 * closed. A ZeroMQ socket is watched by its rg_bus_fd, which is edge triggered: ask rg_bus_ready
 * before each wait.
 *
 * ERRORS
 *   RG_IO out-of-memory; RG_BROKEN loop-broken.
 *
 * THREADS
 *   One loop, one thread; made after fork.
 */
#ifndef RG_CORE_LOOP_H
#define RG_CORE_LOOP_H

#include "core/outcome.h"

struct rg_loop;
struct event_base; /* libevent's, for core/session */

typedef void (*rg_loop_call)(void *context);

struct rg_loop *rg_loop_new(void); /* NULL: no memory */
void rg_loop_free(struct rg_loop *loop);
RG_MUST_USE rg_outcome rg_loop_watch(struct rg_loop *loop, int fd, rg_loop_call call, void *context,
                                     struct rg_reason *why);
void rg_loop_unwatch(struct rg_loop *loop, int fd);
/* Repeats every `every_ms`, for as long as the loop lives. */
RG_MUST_USE rg_outcome rg_loop_timer(struct rg_loop *loop, int every_ms, rg_loop_call call,
                                     void *context, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_loop_run(struct rg_loop *loop, struct rg_reason *why);
/* Handle what is ready, waiting at most `wait_ms` for the first thing. */
RG_MUST_USE rg_outcome rg_loop_step(struct rg_loop *loop, int wait_ms, struct rg_reason *why);
void rg_loop_stop(struct rg_loop *loop);
struct event_base *rg_loop_base(const struct rg_loop *loop); /* borrowed */

#endif
