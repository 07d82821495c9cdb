/*
 * How it works: a host is first taken as a numeric address, so that the usual configuration never
 * waits for a name server. Addresses are tried in the order in which the resolver gives them.
 */
#include "core/tcp.h"

#include "core/limits.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 128
#define NOTSENT_BYTES (64 * RG_KIB)
#define SILENCE_S 60 /* unacknowledged data, and idle time before keepalive probes */
#define PROBE_S 15
#define PROBES 4

static rg_outcome resolve(const char *host, uint16_t port, int flags, struct addrinfo **out,
                          struct rg_reason *why)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    hints.ai_flags |= AI_NUMERICHOST;
    int error = getaddrinfo(host, service, &hints, out);
    if (error == EAI_NONAME) {
        hints.ai_flags &= ~AI_NUMERICHOST;
        error = getaddrinfo(host, service, &hints, out);
    }
    RG_CHECK(error == 0, why, RG_IO, "dial-failed", "the host's address: %s", gai_strerror(error));
    return rg_ok();
}

static rg_outcome listen_on(const struct addrinfo *at, int *fd_out, struct rg_reason *why)
{
    const int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        RG_CHECK(error != EADDRINUSE, why, RG_AGAIN, "listen-in-use", "cannot listen: %s",
                 strerror(error));
        return rg_fail(why, RG_IO, "listen-failed", "cannot listen: %s", strerror(error));
    }
    *fd_out = fd;
    return rg_ok();
}

uint16_t rg_tcp_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {.v6 = {0}};
    socklen_t len = sizeof(name);
    (void)getsockname(fd, &name.any, &len);
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

rg_outcome rg_tcp_listen(const char *host, uint16_t port, int *fd_out, uint16_t *port_out,
                         struct rg_reason *why)
{
    struct addrinfo *list = NULL;
    RG_TRY(resolve(host, port, AI_PASSIVE, &list, why));
    rg_outcome outcome = listen_on(list, fd_out, why);
    freeaddrinfo(list);
    if (rg_is_ok(outcome) && port_out != NULL) {
        *port_out = rg_tcp_port(*fd_out);
    }
    return outcome;
}

rg_outcome rg_tcp_resolve(const char *host, uint16_t port, struct rg_tcp_addresses *out,
                          struct rg_reason *why)
{
    struct addrinfo *list = NULL;
    RG_TRY(resolve(host, port, 0, &list, why));
    *out = (struct rg_tcp_addresses){0};
    for (const struct addrinfo *at = list; at != NULL && out->count < RG_DIAL_ADDRESSES_MAX;
         at = at->ai_next) {
        struct rg_tcp_address *address = &out->address[out->count++];
        memcpy(&address->storage, at->ai_addr, at->ai_addrlen);
        address->len = at->ai_addrlen;
    }
    freeaddrinfo(list);
    return rg_ok();
}

rg_outcome rg_tcp_dial(struct rg_tcp_addresses *addresses, int *fd_out, struct rg_reason *why)
{
    int error = ENOENT;
    while (addresses->next < addresses->count) {
        const struct rg_tcp_address *to = &addresses->address[addresses->next++];
        int fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        RG_CHECK(fd >= 0, why, RG_IO, "dial-failed", "no socket to dial with: %s", strerror(errno));
        if (connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0 ||
            errno == EINPROGRESS) {
            *fd_out = fd;
            return rg_ok();
        }
        error = errno;
        (void)close(fd);
    }
    return rg_fail(why, RG_IO, "dial-failed", "%s", strerror(error));
}

int rg_tcp_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct sockaddr_storage peer;
    socklen_t peer_len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return errno;
    }
    bool connected = getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0;
    return error == 0 && !connected ? EINPROGRESS : error;
}

void rg_tcp_tune(int fd)
{
    const struct {
        int level, name, value;
    } option[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT_BYTES},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_S * 1000},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, SILENCE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S},
        {IPPROTO_TCP, TCP_KEEPCNT, PROBES},
    };
    for (size_t i = 0; i < sizeof(option) / sizeof(option[0]); i++) {
        (void)setsockopt(fd, option[i].level, option[i].name, &option[i].value,
                         sizeof(option[i].value)); /* a socket without one still works */
    }
}
