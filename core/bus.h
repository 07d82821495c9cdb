/*
 * NAME
 *   bus - ZeroMQ sockets with every option set, wrapped
 *
 * SYNOPSIS
 *   bus = rg_bus_new()
 *   router = rg_bus_router(bus, why)
 *   rg_bus_connect(router, session_id, path, why)     ROUTING_ID is ours, what a peer claims is
 * ignored rg_bus_send(router, session_id, bytes, why)       RG_AGAIN full, RG_IO gone
 *   rg_bus_receive(router, &session_id, &bytes, why)  RG_AGAIN nothing there
 *   rg_bus_wait(bus, items, count, wait_ms, why)
 *
 * DESCRIPTION
 *   Peers' messages are one frame; LINGER 0, ROUTER_MANDATORY, SND/RCVHWM RG_BUS_HWM, MAXMSGSIZE
 * RG_FRAME_BYTES_MAX, HANDSHAKE_IVL 10 s, RECONNECT_IVL -1, heartbeats at least 60 s. A send that
 * succeeded is queued in memory, nothing more. libzmq aborts on a routing id that exists: ids must
 * never repeat. Between courier and notary: REQ/REP over ipc.
 *
 * THREADS
 *   A context per process, made after fork; sockets belong to the thread that made them.
 */
#ifndef RG_CORE_BUS_H
#define RG_CORE_BUS_H

#include "core/buffer.h"
#include "core/session.h"

struct rg_bus;
struct rg_socket;

RG_MUST_USE rg_outcome rg_bus_new(struct rg_bus **out, struct rg_reason *why);
void rg_bus_free(struct rg_bus *bus); /* after its sockets */
void rg_socket_free(struct rg_socket *socket);

RG_MUST_USE rg_outcome rg_bus_router(struct rg_bus *bus, struct rg_socket **out,
                                     struct rg_reason *why);
RG_MUST_USE rg_outcome rg_bus_connect(struct rg_socket *router, struct rg_session_id id,
                                      const char *path, struct rg_reason *why);
void rg_bus_disconnect(struct rg_socket *router, const char *path);
RG_MUST_USE rg_outcome rg_bus_send(struct rg_socket *router, struct rg_session_id id,
                                   struct rg_bytes bytes, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_bus_receive(struct rg_socket *router, struct rg_session_id *id_out,
                                      struct rg_buffer *out, struct rg_reason *why);
/* For a loop of one's own. Edge triggered, and any call on the socket may use the edge up: before
 * waiting for it, ask rg_bus_ready. */
int rg_bus_fd(const struct rg_socket *socket);
bool rg_bus_ready(const struct rg_socket *socket); /* something can be received now */

/* Requests between local processes: path of a unix socket. */
RG_MUST_USE rg_outcome rg_bus_request_open(struct rg_bus *bus, const char *path,
                                           struct rg_socket **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_bus_answer_open(struct rg_bus *bus, const char *path,
                                          struct rg_socket **out, struct rg_reason *why);
/* Send `request`, wait for the answer at most `wait_ms`. RG_IO bus-timeout; the socket is made anew
 * inside. */
RG_MUST_USE rg_outcome rg_bus_request(struct rg_socket *socket, struct rg_bytes request,
                                      int wait_ms, struct rg_buffer *answer_out,
                                      struct rg_reason *why);
/* The same without waiting: ask, then rg_bus_take until it is no longer RG_AGAIN, or give up. One
 * question at a time; the answer to a question that was given up never arrives. */
RG_MUST_USE rg_outcome rg_bus_ask(struct rg_socket *socket, struct rg_bytes request,
                                  struct rg_reason *why);
RG_MUST_USE rg_outcome rg_bus_give_up(struct rg_socket *socket, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_bus_take(struct rg_socket *socket, struct rg_buffer *out,
                                   struct rg_reason *why); /* RG_AGAIN */
RG_MUST_USE rg_outcome rg_bus_answer(struct rg_socket *socket, struct rg_bytes answer,
                                     struct rg_reason *why);

struct rg_bus_item {
    struct rg_socket *socket; /* or NULL and fd */
    int fd;
    bool ready;
};
RG_MUST_USE rg_outcome rg_bus_wait(struct rg_bus *bus, struct rg_bus_item *item, size_t count,
                                   int wait_ms, struct rg_reason *why);

#endif
