/*
 * NAME
 *   session - mutual TLS 1.3 sessions relayed, guarded, to a local unix socket; and the event loop
 * they need
 *
 * SYNOPSIS
 *   loop = rg_loop_new()
 *   rg_loop_watch(loop, fd, callback, context) / rg_loop_timer(loop, ms, ...) / rg_loop_run /
 * rg_loop_stop rg_link = rg_sessions_new(loop, &options, why)   the TLS identity, the judge, the
 * callbacks rg_sessions_listen(sessions, fd, why)            an already bound and listening TCP
 * socket rg_sessions_dial(sessions, host, port, "referral://kh/gateway", why)
 *   rg_sessions_close(sessions, id, reason) / rg_sessions_judge_again(sessions)
 *
 * DESCRIPTION
 *   See docs/architecture.md, "Link". For each session that TLS and the judge let through, a unix
 * socket is created in `socket_folder`; `up` tells its path; whoever connects to it (once) is
 * relayed, ZMTP inside TLS, with rg_guard on the foreign side. A dialer sends nothing and reports
 * no `up` before the acceptor's first byte. Reading of one side stops while
 * RG_LINK_PENDING_BYTES_MAX wait for the other. The socket path is unlinked once connected. A
 * refused peer: `refused` with the reason id (certificate-*, tls-*, zmtp-*); the acceptor drains up
 * to RG_LINK_DRAIN_MS_MAX so that the dialer sees the alert.
 *
 * THREADS
 *   One loop, one thread.
 */
#ifndef RG_CORE_SESSION_H
#define RG_CORE_SESSION_H

#include "core/identity.h"

struct rg_loop;
struct rg_sessions;

struct rg_session_id {
    uint8_t b[12]; /* random start number (4), counter (8): never used twice */
};

struct rg_loop *rg_loop_new(void);
void rg_loop_free(struct rg_loop *loop);
typedef void (*rg_loop_call)(void *context);
/* Level triggered, for reading. */
RG_MUST_USE rg_outcome rg_loop_watch(struct rg_loop *loop, int fd, rg_loop_call call, void *context,
                                     struct rg_reason *why);
/* Repeats every `every_ms`. */
RG_MUST_USE rg_outcome rg_loop_timer(struct rg_loop *loop, int every_ms, rg_loop_call call,
                                     void *context, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_loop_run(struct rg_loop *loop, struct rg_reason *why); /* until stop */
/* Handle what is ready, waiting at most `wait_ms`; for a caller that has a loop of its own. */
RG_MUST_USE rg_outcome rg_loop_step(struct rg_loop *loop, int wait_ms, struct rg_reason *why);
void rg_loop_stop(struct rg_loop *loop);

struct rg_session_up {
    struct rg_session_id id;
    struct rg_principal principal;
    struct rg_hash certificate;
    bool dialled;
    const char *socket_path;
};

struct rg_sessions_options {
    const struct rg_certificate *certificate;
    const struct rg_key *key;
    const char *socket_folder; /* private (0700) */
    void *context;             /* for all calls below */
    /* Judge a peer's certificate now (chain, list, stop): fills the principal. NULL der: no
     * certificate. */
    rg_outcome (*judge)(void *context, struct rg_bytes certificate_der, struct rg_principal *out,
                        struct rg_reason *why);
    void (*up)(void *context, const struct rg_session_up *up);
    void (*gone)(void *context, struct rg_session_id id, const char *reason);
    /* A peer that was refused before `up`, or a dial that failed. `who` is "" when unknown. */
    void (*refused)(void *context, bool dialled, const char *who, const struct rg_reason *why);
    size_t sessions_max;           /* 0: 256 */
    size_t sessions_per_address;   /* 0: 32 */
    size_t sessions_per_principal; /* 0: 8 */
    int hello_ms_max;              /* TLS and first byte; 0: RG_LINK_HELLO_MS_MAX */
};
RG_MUST_USE rg_outcome rg_sessions_new(struct rg_loop *loop,
                                       const struct rg_sessions_options *options,
                                       struct rg_sessions **out, struct rg_reason *why);
void rg_sessions_free(struct rg_sessions *sessions);
RG_MUST_USE rg_outcome rg_sessions_listen(struct rg_sessions *sessions, int fd,
                                          struct rg_reason *why); /* takes fd */
/* Starts a dial; the outcome comes as `up` or `refused`. `expected`: the principal that must
 * answer. */
RG_MUST_USE rg_outcome rg_sessions_dial(struct rg_sessions *sessions, const char *host,
                                        uint16_t port, const char *expected, struct rg_reason *why);
void rg_sessions_close(struct rg_sessions *sessions, struct rg_session_id id, const char *reason);
void rg_sessions_judge_again(struct rg_sessions *sessions); /* after a page or stop list changed */
size_t rg_sessions_count(const struct rg_sessions *sessions);
/* TCP listener on host:port (port 0: any), CLOEXEC, non-blocking. */
RG_MUST_USE rg_outcome rg_listen_tcp(const char *host, uint16_t port, int *fd_out,
                                     uint16_t *port_out, struct rg_reason *why);

#endif
