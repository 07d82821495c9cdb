/*
 * How it works: a session is a row of `rows` at any time. The row says which of four flows move
 * bytes (foreign in, local out, local in, foreign out), what is looked at after they have moved,
 * and what happens when the row's deadline passes. `session_run` is the only place that moves bytes
 * and `arrange` the only one that tells libevent what to wait for.
 *
 *     CONNECTING -> SHAKING -> WAITING (dialer: for the acceptor's first byte)
 *                          \-> RELAYING -> FLUSH_LOCAL (the peer is gone, its last bytes are not)
 *                                      \-> CLOSING -> FLUSH_FOREIGN -> DRAINING -> DEAD
 *
 * Invariants: no byte reaches the local side that the guard has not passed; each side buffers at
 * most RG_LINK_PENDING_BYTES_MAX; `up` is answered by exactly one `gone`; a session that ends is
 * emptied at once but freed by `rg_session_reap`, so every handler may go on holding its pointer.
 */
#include "core/session_relay.h"

#include "core/digest.h"
#include "core/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define RECORD_BYTES_MAX ((size_t)16 * RG_KIB) /* TLS: so much fits one record */
#define ROUNDS_MAX 4                           /* then other sessions have their turn */

enum flow { PULL_FOREIGN = 1, PUSH_LOCAL = 2, PULL_LOCAL = 4, PUSH_FOREIGN = 8 };

struct row {
    unsigned flows;
    void (*ready)(struct rg_session *session);
    void (*late)(struct rg_session *session);
};
static const struct row rows[SESSION_DEAD + 1];

static void session_run(struct rg_session *session);

/* ---- small things ---- */

static void deadline_set(struct rg_session *session, int ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
    (void)evtimer_add(session->deadline, &wait);
}

static size_t waiting(const struct evbuffer *buffer)
{
    return evbuffer_get_length(buffer);
}

static size_t room(const struct evbuffer *buffer)
{
    size_t used = waiting(buffer);
    return used < RG_LINK_PENDING_BYTES_MAX ? RG_LINK_PENDING_BYTES_MAX - used : 0;
}

static void reason_set(struct rg_session *session, const char *id)
{
    (void)snprintf(session->reason, sizeof(session->reason), "%s", id);
}

/* ---- birth and death ---- */

static void foreign_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct rg_session *session = context;
    session->foreign_ready = session->foreign_ready || (what & EV_READ) != 0;
    session_run(session);
}

static void deadline_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct rg_session *session = context;
    rows[session->state].late(session);
    session_run(session);
}

static void foreign_drop(struct rg_session *session)
{
    rg_tls_free(session->tls);
    session->tls = NULL;
    event_drop(&session->foreign_in);
    event_drop(&session->foreign_out);
    fd_drop(&session->foreign);
}

static void local_drop(struct rg_session *session)
{
    event_drop(&session->local_in);
    event_drop(&session->local_out);
    fd_drop(&session->local);
    session->connected = false;
    if (session->path[0] != '\0') {
        (void)unlink(session->path);
        session->path[0] = '\0';
    }
}

static void session_empty(struct rg_session *session)
{
    foreign_drop(session);
    local_drop(session);
    event_drop(&session->deadline);
    if (session->to_foreign != NULL) {
        evbuffer_free(session->to_foreign);
        session->to_foreign = NULL;
    }
    if (session->to_local != NULL) {
        evbuffer_free(session->to_local);
        session->to_local = NULL;
    }
    rg_buffer_drop(&session->certificate);
}

void rg_session_bury(struct rg_session *session)
{
    struct rg_sessions *sessions = session->sessions;
    session_empty(session);
    session->state = SESSION_DEAD;
    TAILQ_REMOVE(&sessions->live, session, link);
    TAILQ_INSERT_TAIL(&sessions->dead, session, link);
    sessions->count--;
    event_active(sessions->reaper, EV_TIMEOUT, 0);
}

void rg_session_reap(struct rg_sessions *sessions)
{
    while (!TAILQ_EMPTY(&sessions->dead)) {
        struct rg_session *session = TAILQ_FIRST(&sessions->dead);
        TAILQ_REMOVE(&sessions->dead, session, link);
        free(session);
    }
}

static void id_next(struct rg_sessions *sessions, struct rg_session_id *out)
{
    uint64_t counter = ++sessions->counter;
    memcpy(out->b, sessions->start, 4);
    for (size_t i = 0; i < 8; i++) {
        out->b[4 + i] = (uint8_t)(counter >> (8 * (7 - i)));
    }
}

struct rg_session *rg_session_new(struct rg_sessions *sessions, bool dialled)
{
    struct rg_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->sessions = sessions;
    session->dialled = dialled;
    session->foreign = -1;
    session->local = -1;
    id_next(sessions, &session->id);
    session->deadline = evtimer_new(sessions->base, deadline_event, session);
    session->to_foreign = evbuffer_new();
    session->to_local = evbuffer_new();
    TAILQ_INSERT_TAIL(&sessions->live, session, link);
    sessions->count++;
    if (session->deadline == NULL || session->to_foreign == NULL || session->to_local == NULL) {
        rg_session_bury(session);
        return NULL;
    }
    return session;
}

static bool foreign_take(struct rg_session *session, int fd)
{
    struct event_base *base = session->sessions->base;
    session->foreign = fd;
    session->foreign_in = event_new(base, fd, EV_READ | EV_PERSIST, foreign_event, session);
    session->foreign_out = event_new(base, fd, EV_WRITE | EV_PERSIST, foreign_event, session);
    return session->foreign_in != NULL && session->foreign_out != NULL;
}

/* ---- ends ---- */

static void tell_gone(struct rg_session *session, const char *reason)
{
    if (session->up) {
        session->up = false;
        session->over = true;
        session->sessions->options.gone(session->sessions->options.context, session->id, reason);
    }
}

static void tell_refused(struct rg_session *session, const struct rg_reason *why)
{
    const struct rg_sessions_options *options = &session->sessions->options;
    if (session->over) {
        return;
    }
    session->over = true;
    rg_session_blame(session);
    const char *who = session->dialled ? session->expected : session->principal.text;
    options->refused(options->context, session->dialled, who[0] != '\0' ? who : session->address,
                     why);
}

/* Our side is over. The peer may still be writing: closing now would answer with a reset, and a
 * reset makes the peer lose the alert. So: send no more, and read until the peer closes too. */
static void cut(struct rg_session *session)
{
    local_drop(session);
    if (session->tls != NULL) {
        rg_tls_shutdown(session->tls);
        rg_tls_free(session->tls);
        session->tls = NULL;
    }
    if (session->foreign < 0 || shutdown(session->foreign, SHUT_WR) != 0) {
        rg_session_bury(session);
        return;
    }
    session->state = SESSION_DRAINING;
    (void)evbuffer_drain(session->to_local, waiting(session->to_local));
    (void)evbuffer_drain(session->to_foreign, waiting(session->to_foreign));
    event_want(session->foreign_out, false);
    event_want(session->foreign_in, true);
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
}

/* Cut for a reason of ours or of the peer's. */
void rg_session_fail(struct rg_session *session, const struct rg_reason *why)
{
    bool up = session->up;
    cut(session);
    if (up) {
        tell_gone(session, why->id);
        return;
    }
    tell_refused(session, why);
}

static void fail_with(struct rg_session *session, enum rg_code code, const char *id,
                      const char *text)
{
    struct rg_reason why;
    (void)rg_fail(&why, code, id, "%s", text);
    rg_session_fail(session, &why);
}

static void finish(struct rg_session *session)
{
    rg_session_bury(session);
    tell_gone(session, session->reason);
}

/* The peer is gone. What it sent before belongs to the local side. */
static void foreign_over(struct rg_session *session, const struct rg_reason *why)
{
    if (session->state == SESSION_WAITING) {
        bool alert = strcmp(why->id, "peer-alert") == 0;
        struct rg_reason ended;
        (void)rg_fail(&ended, alert ? RG_DENIED : RG_IO, alert ? "dial-refused" : "dial-closed",
                      "before it spoke: %.200s", why->text);
        rg_session_fail(session, &ended);
        return;
    }
    if (session->state != SESSION_RELAYING) {
        finish(session);
        return;
    }
    reason_set(session, why->id);
    foreign_drop(session);
    session->state = SESSION_FLUSH_LOCAL;
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
}

/* The local side is gone, or was given its grace. What it sent before belongs to the peer. */
static void local_over(struct rg_session *session)
{
    if (session->state == SESSION_FLUSH_LOCAL) {
        finish(session);
        return;
    }
    if (session->state == SESSION_RELAYING) {
        reason_set(session, "local-closed");
    }
    local_drop(session);
    session->state = SESSION_FLUSH_FOREIGN;
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
    tell_gone(session, session->reason);
}

/* ---- the four flows; each says whether it moved anything ---- */

static bool guarded(struct rg_session *session, size_t len)
{
    struct rg_bytes bytes = rg_bytes_of(session->sessions->scratch, len);
    struct rg_reason why;
    if (!rg_is_ok(rg_guard_feed(&session->guard, bytes, &why))) {
        if (session->up) {
            rg_session_blame(session);
        }
        rg_session_fail(session, &why);
        return false;
    }
    if (evbuffer_add(session->to_local, bytes.data, bytes.len) != 0) {
        fail_with(session, RG_IO, "out-of-memory", "no memory for bytes in passing");
        return false;
    }
    return true;
}

static bool pull_foreign(struct rg_session *session)
{
    size_t limit = room(session->to_local) < SESSION_SCRATCH_BYTES ? room(session->to_local)
                                                                   : SESSION_SCRATCH_BYTES;
    size_t len = 0;
    rg_outcome outcome = rg_ok();
    struct rg_reason why;
    while (session->foreign_ready && len < limit && rg_is_ok(outcome)) {
        size_t got = 0;
        outcome =
            rg_tls_read(session->tls, session->sessions->scratch + len, limit - len, &got, &why);
        len += got;
    }
    if (!rg_is_ok(outcome)) {
        session->foreign_ready = false;
    }
    if (len > 0 && !guarded(session, len)) {
        return true;
    }
    if (!rg_is_ok(outcome) && outcome.code != RG_AGAIN) {
        foreign_over(session, &why);
    }
    return len > 0;
}

static bool push_local(struct rg_session *session)
{
    struct evbuffer_iovec vector[8];
    if (!session->connected || waiting(session->to_local) == 0) {
        return false;
    }
    int count = evbuffer_peek(session->to_local, -1, NULL, vector, 8);
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = (size_t)(count < 8 ? count : 8)};
    ssize_t sent = sendmsg(session->local, &message, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (sent < 0) {
        local_over(session);
        return false;
    }
    (void)evbuffer_drain(session->to_local, (size_t)sent);
    return true;
}

static bool pull_local(struct rg_session *session)
{
    size_t limit = room(session->to_foreign) < SESSION_SCRATCH_BYTES ? room(session->to_foreign)
                                                                     : SESSION_SCRATCH_BYTES;
    if (!session->connected || !session->local_ready || limit == 0) {
        return false;
    }
    ssize_t got = recv(session->local, session->sessions->scratch, limit, 0);
    session->local_ready = got == (ssize_t)limit;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (got <= 0 ||
        evbuffer_add(session->to_foreign, session->sessions->scratch, (size_t)got) != 0) {
        local_over(session);
        return false;
    }
    return true;
}

static bool push_foreign(struct rg_session *session)
{
    bool moved = false;
    while (waiting(session->to_foreign) > 0) {
        size_t len = waiting(session->to_foreign);
        len = len < RECORD_BYTES_MAX ? len : RECORD_BYTES_MAX;
        struct rg_bytes bytes =
            rg_bytes_of(evbuffer_pullup(session->to_foreign, (ssize_t)len), len);
        size_t sent = 0;
        struct rg_reason why;
        rg_outcome outcome = rg_tls_write(session->tls, bytes, &sent, &why);
        if (outcome.code == RG_AGAIN) {
            return moved;
        }
        if (!rg_is_ok(outcome)) {
            foreign_over(session, &why);
            return moved;
        }
        (void)evbuffer_drain(session->to_foreign, sent);
        moved = true;
    }
    return moved;
}

static const struct {
    enum flow flow;
    bool (*move)(struct rg_session *session);
} flows[] = {
    {PULL_FOREIGN, pull_foreign},
    {PUSH_LOCAL, push_local},
    {PULL_LOCAL, pull_local},
    {PUSH_FOREIGN, push_foreign},
};

static bool round_of(struct rg_session *session)
{
    enum session_state state = session->state;
    bool moved = false;
    for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
        if ((rows[state].flows & flows[i].flow) != 0 && session->state == state) {
            moved = flows[i].move(session) || moved;
        }
    }
    return moved && session->state == state;
}

/* Level-triggered descriptors come back by themselves; what TLS holds inside does not, so a side
 * that may still have bytes is activated by hand. */
static void arrange(struct rg_session *session)
{
    unsigned now = rows[session->state].flows;
    bool foreign = (now & PULL_FOREIGN) != 0 && room(session->to_local) > 0;
    event_want(session->foreign_in, foreign);
    event_want(session->foreign_out, (now & PUSH_FOREIGN) != 0 && waiting(session->to_foreign) > 0);
    if (foreign && session->foreign_ready) {
        event_active(session->foreign_in, EV_READ, 0);
    }
    bool listens = session->local >= 0 && !session->connected;
    event_want(session->local_in,
               listens || ((now & PULL_LOCAL) != 0 && room(session->to_foreign) > 0));
    event_want(session->local_out, (now & PUSH_LOCAL) != 0 && waiting(session->to_local) > 0);
}

static void session_run(struct rg_session *session)
{
    if (session->state == SESSION_DEAD) {
        return;
    }
    for (int i = 0; i < ROUNDS_MAX && round_of(session); i++) {
    }
    if (session->state == SESSION_DEAD) {
        return;
    }
    rows[session->state].ready(session);
    if (rows[session->state].flows != 0) {
        arrange(session);
    }
}

/* ---- the local side ---- */

static void local_event(evutil_socket_t fd, short what, void *context);

static bool local_take(struct rg_session *session, int fd)
{
    struct event_base *base = session->sessions->base;
    event_drop(&session->local_in);
    fd_drop(&session->local);
    session->local = fd;
    session->local_in = event_new(base, fd, EV_READ | EV_PERSIST, local_event, session);
    session->local_out = event_new(base, fd, EV_WRITE | EV_PERSIST, local_event, session);
    return session->local_in != NULL && session->local_out != NULL;
}

static void local_accept(struct rg_session *session)
{
    int fd = accept4(session->local, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    (void)unlink(session->path); /* one connection, and nobody after it */
    session->path[0] = '\0';
    session->connected = local_take(session, fd);
    session->local_ready = true;
    if (!session->connected) {
        fail_with(session, RG_IO, "local-socket", "no memory for the local connection");
    }
}

static void local_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct rg_session *session = context;
    if (!session->connected) {
        local_accept(session);
    } else {
        session->local_ready = session->local_ready || (what & EV_READ) != 0;
    }
    session_run(session);
}

static rg_outcome local_listen(struct rg_session *session, struct rg_reason *why)
{
    char hex[2 * sizeof(session->id.b) + 1];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    rg_hex(rg_bytes_of(session->id.b, sizeof(session->id.b)), hex);
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
                       session->sessions->folder, hex);
    RG_CHECK(len > 0 && (size_t)len < sizeof(address.sun_path), why, RG_LIMIT, "local-socket",
             "the socket folder's path is too long");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    RG_CHECK(fd >= 0, why, RG_IO, "local-socket", "local socket: %s", strerror(errno));
    session->local = fd; /* owned by the session from here on */
    RG_CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, why, RG_IO,
             "local-socket", "local socket: %s", strerror(errno));
    memcpy(session->path, address.sun_path, sizeof(session->path));
    RG_CHECK(chmod(session->path, 0660) == 0 && listen(fd, 1) == 0, why, RG_IO, "local-socket",
             "local socket: %s", strerror(errno));
    session->local_in =
        event_new(session->sessions->base, fd, EV_READ | EV_PERSIST, local_event, session);
    RG_CHECK(session->local_in != NULL, why, RG_IO, "out-of-memory", "no memory for an event");
    return rg_ok();
}

static void go_up(struct rg_session *session)
{
    const struct rg_sessions_options *options = &session->sessions->options;
    struct rg_reason why;
    if (!rg_is_ok(local_listen(session, &why))) {
        rg_session_fail(session, &why);
        return;
    }
    session->state = SESSION_RELAYING;
    session->up = true;
    deadline_set(session, options->hello_ms_max);
    struct rg_session_up up = {
        .id = session->id,
        .principal = session->principal,
        .certificate = rg_sha256(rg_buffer_peek(&session->certificate)),
        .dialled = session->dialled,
        .socket_path = session->path,
    };
    options->up(options->context, &up);
}

/* ---- the rows ---- */

static void tls_start(struct rg_session *session)
{
    struct rg_reason why;
    rg_tcp_tune(session->foreign);
    if (!rg_is_ok(rg_tls_open(session->sessions->tls, session->foreign, session->dialled, session,
                              &session->tls, &why))) {
        rg_session_fail(session, &why);
        return;
    }
    session->state = SESSION_SHAKING;
    deadline_set(session, session->sessions->options.hello_ms_max);
    session_run(session);
}

rg_outcome rg_session_dial(struct rg_session *session, struct rg_reason *why)
{
    int fd = -1;
    RG_TRY(rg_tcp_dial(&session->dial, &fd, why));
    RG_CHECK(foreign_take(session, fd), why, RG_IO, "dial-failed", "no memory to dial with");
    session->state = SESSION_CONNECTING;
    event_want(session->foreign_out, true);
    deadline_set(session, session->sessions->options.hello_ms_max);
    return rg_ok();
}

static void connect_ready(struct rg_session *session)
{
    int error = rg_tcp_error(session->foreign);
    struct rg_reason why;
    if (error == EINPROGRESS) {
        return; /* to the next address, just begun */
    }
    if (error == 0) {
        tls_start(session);
        return;
    }
    foreign_drop(session);
    if (rg_is_ok(rg_session_dial(session, &why))) {
        return;
    }
    (void)rg_fail(&why, RG_IO, "dial-failed", "%s", strerror(error));
    rg_session_fail(session, &why);
}

static void connect_late(struct rg_session *session)
{
    struct rg_reason why;
    foreign_drop(session);
    if (!rg_is_ok(rg_session_dial(session, &why))) {
        fail_with(session, RG_IO, "dial-failed", "no answer");
    }
}

static void shake_ready(struct rg_session *session)
{
    struct rg_reason why;
    rg_outcome outcome = rg_tls_handshake(session->tls, &why);
    if (outcome.code == RG_AGAIN) {
        event_want(session->foreign_in, !rg_tls_wants_write(session->tls));
        event_want(session->foreign_out, rg_tls_wants_write(session->tls));
        return;
    }
    if (!rg_is_ok(outcome)) {
        rg_session_fail(session, &why);
        return;
    }
    session->foreign_ready = true; /* TLS may have read on */
    if (!rg_session_has_place(session, session->principal.text)) {
        fail_with(session, RG_LIMIT, "session-limit", "this principal has too many sessions");
        return;
    }
    if (!session->dialled) {
        go_up(session);
        return;
    }
    session->state = SESSION_WAITING;
}

static void peer_late(struct rg_session *session)
{
    fail_with(session, RG_DENIED, "peer-silent", "the peer said nothing in time");
}

static void wait_ready(struct rg_session *session)
{
    if (waiting(session->to_local) > 0) {
        go_up(session);
    }
}

static void relay_ready(struct rg_session *session)
{
    if (session->connected && session->guard.messages > 0) {
        (void)evtimer_del(session->deadline);
    }
}

static void relay_late(struct rg_session *session)
{
    if (!session->connected) {
        fail_with(session, RG_IO, "local-silent", "nobody came to the local socket");
        return;
    }
    peer_late(session);
}

static void closing_ready(struct rg_session *session)
{
    (void)session;
}

static void flush_local_ready(struct rg_session *session)
{
    if (waiting(session->to_local) == 0) {
        finish(session);
    }
}

static void flush_foreign_ready(struct rg_session *session)
{
    if (waiting(session->to_foreign) == 0) {
        cut(session);
    }
}

static void drain_ready(struct rg_session *session)
{
    ssize_t got;
    int rounds = 0;
    do {
        got = recv(session->foreign, session->sessions->scratch, SESSION_SCRATCH_BYTES, 0);
    } while (got > 0 && ++rounds < ROUNDS_MAX);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        rg_session_bury(session);
    }
}

static void dead_ready(struct rg_session *session)
{
    RG_ASSERT(session->state != SESSION_DEAD);
}

static const struct row rows[SESSION_DEAD + 1] = {
    [SESSION_CONNECTING] = {0, connect_ready, connect_late},
    [SESSION_SHAKING] = {0, shake_ready, peer_late},
    [SESSION_WAITING] = {PULL_FOREIGN, wait_ready, peer_late},
    [SESSION_RELAYING] = {PULL_FOREIGN | PUSH_LOCAL | PULL_LOCAL | PUSH_FOREIGN, relay_ready,
                          relay_late},
    [SESSION_CLOSING] = {PULL_LOCAL | PUSH_FOREIGN, closing_ready, local_over},
    [SESSION_FLUSH_LOCAL] = {PUSH_LOCAL, flush_local_ready, finish},
    [SESSION_FLUSH_FOREIGN] = {PUSH_FOREIGN, flush_foreign_ready, cut},
    [SESSION_DRAINING] = {0, drain_ready, rg_session_bury},
    [SESSION_DEAD] = {0, dead_ready, dead_ready},
};

/* ---- for the set ---- */

void rg_session_accepted(struct rg_session *session, int fd)
{
    if (!foreign_take(session, fd)) {
        rg_session_bury(session);
        return;
    }
    tls_start(session);
}

void rg_session_close(struct rg_session *session, const char *reason)
{
    reason_set(session, reason);
    session->state = SESSION_CLOSING;
    deadline_set(session, RG_LINK_GRACE_MS_MAX);
    arrange(session);
}
