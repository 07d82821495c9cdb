/*
 * NAME
 *   session_relay - one session of core/session: its states, its four flows, its end
 *
 * SYNOPSIS
 *   session = rg_session_new(sessions, dialled)
 *   rg_session_accepted(session, fd) / rg_session_dial(session, why)
 *   rg_session_close(session, reason) / rg_session_fail(session, why)
 *
 * DESCRIPTION
 *   Private to core/session. What a session does next is said by its state; the set
 * (core/session.c) decides who may have one.
 */
#ifndef RG_CORE_SESSION_RELAY_H
#define RG_CORE_SESSION_RELAY_H

#include "core/session.h"
#include "core/tcp.h"
#include "core/tls.h"
#include "core/zmtp.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/un.h>
#include <unistd.h>

#define SESSION_SCRATCH_BYTES ((size_t)64 * RG_KIB)
#define LISTENERS_MAX 4
#define BLAMED_MAX 64

enum session_state {
    SESSION_CONNECTING,
    SESSION_SHAKING,
    SESSION_WAITING,
    SESSION_RELAYING,
    SESSION_CLOSING,
    SESSION_FLUSH_LOCAL,
    SESSION_FLUSH_FOREIGN,
    SESSION_DRAINING,
    SESSION_DEAD,
};

struct rg_session {
    TAILQ_ENTRY(rg_session) link;
    struct rg_sessions *sessions;
    enum session_state state;
    struct rg_session_id id;
    bool dialled;
    bool up;            /* told, and not yet told gone */
    bool over;          /* told gone or refused */
    bool connected;     /* `local` is the connection, no longer the listener */
    bool foreign_ready; /* may have bytes to read */
    bool local_ready;
    int foreign;
    int local;
    struct rg_tls *tls;
    struct event *foreign_in, *foreign_out, *local_in, *local_out, *deadline;
    struct evbuffer *to_foreign, *to_local;
    struct rg_guard guard;
    struct rg_principal principal;
    struct rg_buffer certificate; /* DER, to judge it again */
    char expected[RG_PRINCIPAL_BYTES];
    char address[INET6_ADDRSTRLEN];
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char reason[64]; /* what `gone` will say */
    struct rg_tcp_addresses dial;
};

TAILQ_HEAD(session_list, rg_session);

struct listener {
    struct rg_sessions *sessions;
    int fd;
    struct event *event;
};

struct blame { /* of an address: refusals not yet forgiven */
    char address[INET6_ADDRSTRLEN];
    size_t count;
    int64_t since_ms; /* forgiven up to here */
};

struct rg_sessions {
    struct rg_sessions_options options;
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    struct event_base *base;
    struct rg_tls_context *tls;
    struct session_list live, dead;
    size_t count;
    struct listener listener[LISTENERS_MAX];
    size_t listener_count;
    bool paused;
    struct blame blame[BLAMED_MAX];
    struct event *resume; /* accept again after a pause */
    struct event *reaper;
    uint8_t start[4];
    uint64_t counter;
    uint8_t scratch[SESSION_SCRATCH_BYTES];
};

/* Asked with the certificate, when a refusal can still be an alert, and again with the proof. */
bool rg_session_has_place(const struct rg_session *session, const char *principal);
/* Its peer broke the rules: that counts against its address. */
void rg_session_blame(const struct rg_session *session);
struct rg_session *rg_session_new(struct rg_sessions *sessions, bool dialled); /* NULL: no memory */
/* Takes fd and begins the TLS handshake. */
void rg_session_accepted(struct rg_session *session, int fd);
/* Starts connecting to the next of its addresses. */
RG_MUST_USE rg_outcome rg_session_dial(struct rg_session *session, struct rg_reason *why);
/* Lets what the local side has said go out first, then `gone` with this reason. */
void rg_session_close(struct rg_session *session, const char *reason);
/* Ends it now, with `gone` or `refused`. */
void rg_session_fail(struct rg_session *session, const struct rg_reason *why);
void rg_session_bury(struct rg_session *session); /* without a word; freed later */
void rg_session_reap(struct rg_sessions *sessions);

static inline void event_want(struct event *event, bool wanted)
{
    if (event == NULL) {
        return;
    }
    if (wanted) {
        (void)event_add(event, NULL);
        return;
    }
    (void)event_del(event);
}

static inline void event_drop(struct event **event)
{
    if (*event != NULL) {
        event_free(*event);
        *event = NULL;
    }
}

static inline void fd_drop(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

#endif
