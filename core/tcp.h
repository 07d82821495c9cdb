/*
 * NAME
 *   tcp - TCP sockets: addresses, listening, dialing, the options of a session
 *
 * SYNOPSIS
 *   rg_tcp_listen("127.0.0.1", 7701, &fd, &port, why)
 *   rg_tcp_resolve("gw.example", 7701, &addresses, why); rg_tcp_dial(&addresses, &fd, why)
 *   rg_tcp_tune(fd)
 *
 * DESCRIPTION
 *   All descriptors are non-blocking and closed on exec. A tuned socket sends at once, keeps little
 * unsent in the kernel, and breaks when the peer has been silent for long.
 *
 * ERRORS
 *   RG_AGAIN listen-in-use: another holds the port. RG_IO listen-failed, dial-failed.
 *
 * LIMITS
 *   Resolving a host name blocks; numeric addresses do not. The first RG_DIAL_ADDRESSES_MAX of its
 * addresses count.
 */
#ifndef RG_CORE_TCP_H
#define RG_CORE_TCP_H

#include "core/outcome.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define RG_DIAL_ADDRESSES_MAX 4

struct rg_tcp_address {
    struct sockaddr_storage storage;
    socklen_t len;
};
struct rg_tcp_addresses {
    struct rg_tcp_address address[RG_DIAL_ADDRESSES_MAX];
    size_t count;
    size_t next; /* to be tried */
};

/* Port 0: any; `port_out` (may be NULL) says which. */
RG_MUST_USE rg_outcome rg_tcp_listen(const char *host, uint16_t port, int *fd_out,
                                     uint16_t *port_out, struct rg_reason *why);
uint16_t rg_tcp_port(int fd);
RG_MUST_USE rg_outcome rg_tcp_resolve(const char *host, uint16_t port, struct rg_tcp_addresses *out,
                                      struct rg_reason *why);
/* Starts connecting to the next address that can be tried; writable means connected or failed
 * (rg_tcp_error). RG_IO dial-failed when none is left. */
RG_MUST_USE rg_outcome rg_tcp_dial(struct rg_tcp_addresses *addresses, int *fd_out,
                                   struct rg_reason *why);
int rg_tcp_error(int fd); /* of connecting; 0: connected, EINPROGRESS: not yet */
void rg_tcp_tune(int fd);

#endif
