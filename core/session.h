/*
 * NAME
 *   session - mutual TLS 1.3 sessions, each relayed and guarded to a local unix socket of its own
 *
 * SYNOPSIS
 *   rg_sessions_new(loop, &options, &sessions, why)    TLS identity, judge, callbacks
 *   rg_sessions_listen(sessions, fd, why)              an already listening TCP socket
 *   rg_sessions_dial(sessions, host, port, "referral://kh/gateway", why)
 *   rg_sessions_close(sessions, id, "fault") / rg_sessions_judge_again(sessions)
 *   rg_sessions_free(sessions)
 *
 * DESCRIPTION
 *   See docs/architecture.md, "Link". For each session that TLS and the judge let through, a unix
 * socket is made in `socket_folder`; `up` tells its path; whoever connects to it (once, the path is
 * then removed) is relayed, ZMTP inside TLS, with rg_guard on the foreign side. A dialer sends
 * nothing and reports no `up` before the acceptor's first byte. A peer from which no whole message
 * (its Hello) has come within `hello_ms_max` is closed. Reading of one side stops while
 * RG_LINK_PENDING_BYTES_MAX wait for the other. After refusing, an end drains the other up to
 * RG_LINK_DRAIN_MS_MAX, so that the alert is seen.
 *   rg_sessions_close lets what the local side has sent go out first (RG_LINK_GRACE_MS_MAX);
 * a certificate that is refused when judged again is cut at once.
 *
 * ERRORS (reason ids of `refused` and `gone`)
 *   certificate-*, certificate-missing, principal-form: the judge, or none shown; tls-version,
 *   tls-alpn, tls-handshake; peer-silent; peer-closed, peer-reset, peer-alert, tls-broken; zmtp-*:
 *   the guard; session-limit, address-slowed; peer-not-expected: the dialer reached another;
 * dial-failed: nobody answered; dial-closed: the acceptor closed before it spoke; dial-refused: it
 * sent an alert, which the text names; local-silent, local-closed, local-socket: this machine's.
 *
 * THREADS
 *   One loop, one thread. Callbacks run inside it and may call anything here but rg_sessions_free.
 *
 * LIMITS
 *   Resolving a host name blocks (core/tcp).
 */
#ifndef RG_CORE_SESSION_H
#define RG_CORE_SESSION_H

#include "core/identity.h"
#include "core/loop.h"

#define RG_LINK_GRACE_MS_MAX 200

struct rg_sessions;

struct rg_session_id {
    uint8_t b[12]; /* random start number (4), counter (8): never used twice */
};

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
    const char *socket_folder; /* private: who can enter it can be any peer */
    void *context;             /* for all calls below */
    /* Judge a peer's certificate now (chain, list, stop): fills the principal. */
    rg_outcome (*judge)(void *context, struct rg_bytes certificate_der, struct rg_principal *out,
                        struct rg_reason *why);
    void (*up)(void *context, const struct rg_session_up *up);
    void (*gone)(void *context, struct rg_session_id id, const char *reason); /* once per up */
    /* A peer that was refused before `up`, or a dial that failed. `who`: the principal when known
     * (for a dial, the one expected), otherwise the address. */
    void (*refused)(void *context, bool dialled, const char *who, const struct rg_reason *why);
    size_t sessions_max;           /* 0: 256; one in eight is kept for dials */
    size_t sessions_per_address;   /* accepted ones; 0: 32 */
    size_t sessions_per_principal; /* accepted ones; 0: 8 */
    size_t refusals_per_address;   /* then it is not listened to; one a second is forgiven; 0: 64 */
    int hello_ms_max;              /* for TLS, then again for the Hello; 0: RG_LINK_HELLO_MS_MAX */
};
RG_MUST_USE rg_outcome rg_sessions_new(struct rg_loop *loop,
                                       const struct rg_sessions_options *options,
                                       struct rg_sessions **out, struct rg_reason *why);
void rg_sessions_free(struct rg_sessions *sessions); /* without callbacks */
/* The random part of this object's session ids. */
void rg_sessions_start(const struct rg_sessions *sessions, uint8_t out[4]);
RG_MUST_USE rg_outcome rg_sessions_listen(struct rg_sessions *sessions, int fd,
                                          struct rg_reason *why); /* takes fd */
/* While paused, nobody is accepted (they wait in the backlog). */
void rg_sessions_pause(struct rg_sessions *sessions, bool paused);
/* Starts a dial. OK: its outcome comes as `up` or `refused`. Otherwise nothing was started and none
 * comes: RG_IO dial-failed, RG_LIMIT session-limit. `expected`: the principal that must answer. */
RG_MUST_USE rg_outcome rg_sessions_dial(struct rg_sessions *sessions, const char *host,
                                        uint16_t port, const char *expected, struct rg_reason *why);
/* `gone` follows with this reason. An unknown id is nothing. */
void rg_sessions_close(struct rg_sessions *sessions, struct rg_session_id id, const char *reason);
void rg_sessions_judge_again(struct rg_sessions *sessions); /* after a page or stop list changed */
size_t rg_sessions_count(const struct rg_sessions *sessions); /* with those still draining */

#endif
