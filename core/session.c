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
 * emptied at once but freed by `reap`, so every handler may go on holding its pointer.
 */
#include "core/session.h"

#include "core/digest.h"
#include "core/limits.h"
#include "core/tls.h"
#include "core/zmtp.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define SCRATCH_BYTES ((size_t)64 * RG_KIB)
#define RECORD_BYTES_MAX ((size_t)16 * RG_KIB) /* TLS: so much fits one record */
#define ROUNDS_MAX 4                           /* then other sessions have their turn */
#define ACCEPTS_MAX 16
#define LISTENERS_MAX 4
#define ACCEPT_PAUSE_MS 500 /* out of descriptors: an accept now would fail again */
#define NOTSENT_BYTES (64 * RG_KIB)
#define SILENCE_S 60 /* unacknowledged data, and idle time before keepalive probes */
#define PROBE_S 15
#define PROBES 4

enum state {
    CONNECTING,
    SHAKING,
    WAITING,
    RELAYING,
    CLOSING,
    FLUSH_LOCAL,
    FLUSH_FOREIGN,
    DRAINING,
    DEAD,
};

enum flow { PULL_FOREIGN = 1, PUSH_LOCAL = 2, PULL_LOCAL = 4, PUSH_FOREIGN = 8 };

struct address {
    struct sockaddr_storage storage;
    socklen_t len;
};

struct session {
    TAILQ_ENTRY(session) link;
    struct rg_sessions *sessions;
    enum state state;
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
    struct address dial[RG_DIAL_ADDRESSES_MAX];
    size_t dial_count;
    size_t dial_next;
};

TAILQ_HEAD(session_list, session);

struct listener {
    struct rg_sessions *sessions;
    int fd;
    struct event *event;
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
    struct event *resume; /* accept again after a pause */
    struct event *reaper;
    uint8_t start[4];
    uint64_t counter;
    uint8_t scratch[SCRATCH_BYTES];
};

struct row {
    unsigned flows;
    void (*ready)(struct session *session);
    void (*late)(struct session *session);
};
static const struct row rows[DEAD + 1];

static void session_run(struct session *session);

/* ---- small things ---- */

static void want(struct event *event, bool wanted)
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

static void event_drop(struct event **event)
{
    if (*event != NULL) {
        event_free(*event);
        *event = NULL;
    }
}

static void fd_drop(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static void deadline_set(struct session *session, int ms)
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

static void reason_set(struct session *session, const char *id)
{
    (void)snprintf(session->reason, sizeof(session->reason), "%s", id);
}

/* ---- birth and death ---- */

static void foreign_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    struct session *session = context;
    session->foreign_ready = session->foreign_ready || (what & EV_READ) != 0;
    session_run(session);
}

static void deadline_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct session *session = context;
    rows[session->state].late(session);
    session_run(session);
}

static void foreign_drop(struct session *session)
{
    rg_tls_free(session->tls);
    session->tls = NULL;
    event_drop(&session->foreign_in);
    event_drop(&session->foreign_out);
    fd_drop(&session->foreign);
}

static void local_drop(struct session *session)
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

static void session_empty(struct session *session)
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

static void bury(struct session *session)
{
    struct rg_sessions *sessions = session->sessions;
    session_empty(session);
    session->state = DEAD;
    TAILQ_REMOVE(&sessions->live, session, link);
    TAILQ_INSERT_TAIL(&sessions->dead, session, link);
    sessions->count--;
    event_active(sessions->reaper, EV_TIMEOUT, 0);
}

static void reap(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct rg_sessions *sessions = context;
    while (!TAILQ_EMPTY(&sessions->dead)) {
        struct session *session = TAILQ_FIRST(&sessions->dead);
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

static struct session *session_new(struct rg_sessions *sessions, bool dialled)
{
    struct session *session = calloc(1, sizeof(*session));
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
        bury(session);
        return NULL;
    }
    return session;
}

static bool foreign_take(struct session *session, int fd)
{
    struct event_base *base = session->sessions->base;
    session->foreign = fd;
    session->foreign_in = event_new(base, fd, EV_READ | EV_PERSIST, foreign_event, session);
    session->foreign_out = event_new(base, fd, EV_WRITE | EV_PERSIST, foreign_event, session);
    return session->foreign_in != NULL && session->foreign_out != NULL;
}

/* ---- ends ---- */

static void tell_gone(struct session *session, const char *reason)
{
    if (session->up) {
        session->up = false;
        session->over = true;
        session->sessions->options.gone(session->sessions->options.context, session->id, reason);
    }
}

static void tell_refused(struct session *session, const struct rg_reason *why)
{
    const struct rg_sessions_options *options = &session->sessions->options;
    if (session->over) {
        return;
    }
    session->over = true;
    const char *who = session->dialled ? session->expected : session->principal.text;
    options->refused(options->context, session->dialled, who[0] != '\0' ? who : session->address,
                     why);
}

/* Our side is over. The peer may still be writing: closing now would answer with a reset, and a
 * reset makes the peer lose the alert. So: send no more, and read until the peer closes too. */
static void cut(struct session *session)
{
    local_drop(session);
    if (session->tls != NULL) {
        rg_tls_shutdown(session->tls);
        rg_tls_free(session->tls);
        session->tls = NULL;
    }
    if (session->foreign < 0 || shutdown(session->foreign, SHUT_WR) != 0) {
        bury(session);
        return;
    }
    session->state = DRAINING;
    (void)evbuffer_drain(session->to_local, waiting(session->to_local));
    (void)evbuffer_drain(session->to_foreign, waiting(session->to_foreign));
    want(session->foreign_out, false);
    want(session->foreign_in, true);
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
}

/* Cut for a reason of ours or of the peer's. */
static void fail(struct session *session, const struct rg_reason *why)
{
    bool up = session->up;
    cut(session);
    if (up) {
        tell_gone(session, why->id);
        return;
    }
    tell_refused(session, why);
}

static void fail_with(struct session *session, enum rg_code code, const char *id, const char *text)
{
    struct rg_reason why;
    (void)rg_fail(&why, code, id, "%s", text);
    fail(session, &why);
}

static void finish(struct session *session)
{
    bury(session);
    tell_gone(session, session->reason);
}

/* The peer is gone. What it sent before belongs to the local side. */
static void foreign_over(struct session *session, const struct rg_reason *why)
{
    if (session->state == WAITING) {
        struct rg_reason refused;
        (void)rg_fail(&refused, RG_DENIED, "dial-refused", "before it spoke: %.200s", why->text);
        fail(session, &refused);
        return;
    }
    if (session->state != RELAYING) {
        finish(session);
        return;
    }
    reason_set(session, why->id);
    foreign_drop(session);
    session->state = FLUSH_LOCAL;
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
}

/* The local side is gone, or was given its grace. What it sent before belongs to the peer. */
static void local_over(struct session *session)
{
    if (session->state == FLUSH_LOCAL) {
        finish(session);
        return;
    }
    if (session->state == RELAYING) {
        reason_set(session, "local-closed");
    }
    local_drop(session);
    session->state = FLUSH_FOREIGN;
    deadline_set(session, RG_LINK_DRAIN_MS_MAX);
    tell_gone(session, session->reason);
}

/* ---- the four flows; each says whether it moved anything ---- */

static bool guarded(struct session *session, size_t len)
{
    struct rg_bytes bytes = rg_bytes_of(session->sessions->scratch, len);
    struct rg_reason why;
    if (!rg_is_ok(rg_guard_feed(&session->guard, bytes, &why))) {
        fail(session, &why);
        return false;
    }
    if (evbuffer_add(session->to_local, bytes.data, bytes.len) != 0) {
        fail_with(session, RG_IO, "out-of-memory", "no memory for bytes in passing");
        return false;
    }
    return true;
}

static bool pull_foreign(struct session *session)
{
    size_t limit =
        room(session->to_local) < SCRATCH_BYTES ? room(session->to_local) : SCRATCH_BYTES;
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

static bool push_local(struct session *session)
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

static bool pull_local(struct session *session)
{
    size_t limit =
        room(session->to_foreign) < SCRATCH_BYTES ? room(session->to_foreign) : SCRATCH_BYTES;
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

static bool push_foreign(struct session *session)
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
    bool (*move)(struct session *session);
} flows[] = {
    {PULL_FOREIGN, pull_foreign},
    {PUSH_LOCAL, push_local},
    {PULL_LOCAL, pull_local},
    {PUSH_FOREIGN, push_foreign},
};

static bool round_of(struct session *session)
{
    enum state state = session->state;
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
static void arrange(struct session *session)
{
    unsigned now = rows[session->state].flows;
    bool foreign = (now & PULL_FOREIGN) != 0 && room(session->to_local) > 0;
    want(session->foreign_in, foreign);
    want(session->foreign_out, (now & PUSH_FOREIGN) != 0 && waiting(session->to_foreign) > 0);
    if (foreign && session->foreign_ready) {
        event_active(session->foreign_in, EV_READ, 0);
    }
    bool listens = session->local >= 0 && !session->connected;
    want(session->local_in, listens || ((now & PULL_LOCAL) != 0 && room(session->to_foreign) > 0));
    want(session->local_out, (now & PUSH_LOCAL) != 0 && waiting(session->to_local) > 0);
}

static void session_run(struct session *session)
{
    if (session->state == DEAD) {
        return;
    }
    for (int i = 0; i < ROUNDS_MAX && round_of(session); i++) {
    }
    if (session->state == DEAD) {
        return;
    }
    rows[session->state].ready(session);
    if (rows[session->state].flows != 0) {
        arrange(session);
    }
}

/* ---- the local side ---- */

static void local_event(evutil_socket_t fd, short what, void *context);

static bool local_take(struct session *session, int fd)
{
    struct event_base *base = session->sessions->base;
    event_drop(&session->local_in);
    fd_drop(&session->local);
    session->local = fd;
    session->local_in = event_new(base, fd, EV_READ | EV_PERSIST, local_event, session);
    session->local_out = event_new(base, fd, EV_WRITE | EV_PERSIST, local_event, session);
    return session->local_in != NULL && session->local_out != NULL;
}

static void local_accept(struct session *session)
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
    struct session *session = context;
    if (!session->connected) {
        local_accept(session);
    } else {
        session->local_ready = session->local_ready || (what & EV_READ) != 0;
    }
    session_run(session);
}

static rg_outcome local_listen(struct session *session, struct rg_reason *why)
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

static void go_up(struct session *session)
{
    const struct rg_sessions_options *options = &session->sessions->options;
    struct rg_reason why;
    if (!rg_is_ok(local_listen(session, &why))) {
        fail(session, &why);
        return;
    }
    session->state = RELAYING;
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

static bool has_place(const struct session *session, const char *principal);

static rg_outcome dial_start(struct session *session, struct rg_reason *why);

static void tune(int fd)
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

static void tls_start(struct session *session)
{
    struct rg_reason why;
    tune(session->foreign);
    if (!rg_is_ok(rg_tls_open(session->sessions->tls, session->foreign, session->dialled, session,
                              &session->tls, &why))) {
        fail(session, &why);
        return;
    }
    session->state = SHAKING;
    deadline_set(session, session->sessions->options.hello_ms_max);
    session_run(session);
}

static bool is_connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

static void connect_ready(struct session *session)
{
    int error = 0;
    socklen_t len = sizeof(error);
    struct rg_reason why;
    (void)getsockopt(session->foreign, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0 && is_connected(session->foreign)) {
        tls_start(session);
        return;
    }
    if (error == 0) {
        return; /* to the next address, just begun */
    }
    foreign_drop(session);
    if (rg_is_ok(dial_start(session, &why))) {
        return;
    }
    (void)rg_fail(&why, RG_IO, "dial-failed", "%s", strerror(error));
    fail(session, &why);
}

static void connect_late(struct session *session)
{
    struct rg_reason why;
    foreign_drop(session);
    if (!rg_is_ok(dial_start(session, &why))) {
        fail_with(session, RG_IO, "dial-failed", "no answer");
    }
}

static void shake_ready(struct session *session)
{
    struct rg_reason why;
    rg_outcome outcome = rg_tls_handshake(session->tls, &why);
    if (outcome.code == RG_AGAIN) {
        want(session->foreign_in, !rg_tls_wants_write(session->tls));
        want(session->foreign_out, rg_tls_wants_write(session->tls));
        return;
    }
    if (!rg_is_ok(outcome)) {
        fail(session, &why);
        return;
    }
    session->foreign_ready = true; /* TLS may have read on */
    if (!has_place(session, session->principal.text)) {
        fail_with(session, RG_LIMIT, "session-limit", "this principal has too many sessions");
        return;
    }
    if (!session->dialled) {
        go_up(session);
        return;
    }
    session->state = WAITING;
}

static void peer_late(struct session *session)
{
    fail_with(session, RG_DENIED, "peer-silent", "the peer said nothing in time");
}

static void wait_ready(struct session *session)
{
    if (waiting(session->to_local) > 0) {
        go_up(session);
    }
}

static void relay_ready(struct session *session)
{
    if (session->connected && session->guard.messages > 0) {
        (void)evtimer_del(session->deadline);
    }
}

static void relay_late(struct session *session)
{
    if (!session->connected) {
        fail_with(session, RG_IO, "local-silent", "nobody came to the local socket");
        return;
    }
    peer_late(session);
}

static void closing_ready(struct session *session)
{
    (void)session;
}

static void flush_local_ready(struct session *session)
{
    if (waiting(session->to_local) == 0) {
        finish(session);
    }
}

static void flush_foreign_ready(struct session *session)
{
    if (waiting(session->to_foreign) == 0) {
        cut(session);
    }
}

static void drain_ready(struct session *session)
{
    ssize_t got;
    int rounds = 0;
    do {
        got = recv(session->foreign, session->sessions->scratch, SCRATCH_BYTES, 0);
    } while (got > 0 && ++rounds < ROUNDS_MAX);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        bury(session);
    }
}

static void dead_ready(struct session *session)
{
    RG_ASSERT(session->state != DEAD);
}

static const struct row rows[DEAD + 1] = {
    [CONNECTING] = {0, connect_ready, connect_late},
    [SHAKING] = {0, shake_ready, peer_late},
    [WAITING] = {PULL_FOREIGN, wait_ready, peer_late},
    [RELAYING] = {PULL_FOREIGN | PUSH_LOCAL | PULL_LOCAL | PUSH_FOREIGN, relay_ready, relay_late},
    [CLOSING] = {PULL_LOCAL | PUSH_FOREIGN, closing_ready, local_over},
    [FLUSH_LOCAL] = {PUSH_LOCAL, flush_local_ready, finish},
    [FLUSH_FOREIGN] = {PUSH_FOREIGN, flush_foreign_ready, cut},
    [DRAINING] = {0, drain_ready, bury},
    [DEAD] = {0, dead_ready, dead_ready},
};

/* ---- judging ---- */

/* Accepted sessions of this principal. One that is still shaking hands has shown a certificate, as
 * anybody can, but not yet that it holds the key: it may not use up another's places. */
static size_t count_principal(const struct rg_sessions *sessions, const char *principal)
{
    size_t count = 0;
    const struct session *session;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        bool proven = session->state != SHAKING && session->state != DRAINING;
        count += !session->dialled && proven && strcmp(session->principal.text, principal) == 0;
    }
    return count;
}

/* Asked with the certificate, when a refusal can still be an alert, and again with the proof. */
static bool has_place(const struct session *session, const char *principal)
{
    return session->dialled || count_principal(session->sessions, principal) <
                                   session->sessions->options.sessions_per_principal;
}

/* Who is it, as the certificate claims: only for the line about its refusal. */
static void claim_note(struct session *session, struct rg_bytes der)
{
    RG_OWNED_CERTIFICATE *certificate = NULL;
    if (rg_is_ok(rg_certificate_parse(der, &certificate, NULL)) &&
        rg_certificate_principal(certificate) != NULL) {
        session->principal = *rg_certificate_principal(certificate);
    }
}

static rg_outcome judge_session(void *owner, struct rg_bytes der, struct rg_reason *why)
{
    struct session *session = owner;
    const struct rg_sessions_options *options = &session->sessions->options;
    struct rg_principal principal = {0};
    rg_outcome outcome = options->judge(options->context, der, &principal, why);
    if (!rg_is_ok(outcome)) {
        claim_note(session, der);
        return outcome;
    }
    RG_CHECK(session->expected[0] == '\0' || strcmp(session->expected, principal.text) == 0, why,
             RG_DENIED, "peer-not-expected", "another than the expected gateway answered");
    RG_CHECK(has_place(session, principal.text), why, RG_LIMIT, "session-limit",
             "this principal has %zu sessions already", options->sessions_per_principal);
    session->principal = principal;
    return rg_buffer_append(&session->certificate, der, why);
}

void rg_sessions_judge_again(struct rg_sessions *sessions)
{
    struct session *session = TAILQ_FIRST(&sessions->live);
    while (session != NULL) {
        struct session *next = TAILQ_NEXT(session, link);
        struct rg_principal principal = {0};
        struct rg_reason why = {0};
        bool judged = session->certificate.len > 0 && session->state != DRAINING;
        if (judged && !rg_is_ok(sessions->options.judge(sessions->options.context,
                                                        rg_buffer_peek(&session->certificate),
                                                        &principal, &why))) {
            fail(session, &why);
        }
        session = next;
    }
}

/* ---- accepting ---- */

static size_t count_address(const struct rg_sessions *sessions, const char *address)
{
    size_t count = 0;
    const struct session *session;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        count += !session->dialled && strcmp(session->address, address) == 0;
    }
    return count;
}

/* One place in eight is kept for our own dials, so that strangers cannot cut us off. */
static bool within_limits(struct rg_sessions *sessions, const char *address)
{
    const struct rg_sessions_options *options = &sessions->options;
    if (sessions->count < options->sessions_max - options->sessions_max / 8 &&
        count_address(sessions, address) < options->sessions_per_address) {
        return true;
    }
    struct rg_reason why;
    (void)rg_fail(&why, RG_LIMIT, "session-limit", "too many sessions, from there or in all");
    options->refused(options->context, false, address, &why);
    return false;
}

static void accepted(struct rg_sessions *sessions, int fd, const struct address *from)
{
    char address[INET6_ADDRSTRLEN] = "";
    (void)getnameinfo((const struct sockaddr *)&from->storage, from->len, address, sizeof(address),
                      NULL, 0, NI_NUMERICHOST);
    struct session *session =
        within_limits(sessions, address) ? session_new(sessions, false) : NULL;
    if (session == NULL) {
        (void)close(fd);
        return;
    }
    memcpy(session->address, address, sizeof(address));
    if (!foreign_take(session, fd)) {
        bury(session);
        return;
    }
    tls_start(session);
}

static void accept_event(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    struct listener *listener = context;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct address from = {.len = sizeof(from.storage)};
        int peer =
            accept4(fd, (struct sockaddr *)&from.storage, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer >= 0) {
            accepted(listener->sessions, peer, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000L};
            want(listener->event, false);
            (void)evtimer_add(listener->sessions->resume, &pause);
        }
        return;
    }
}

void rg_sessions_pause(struct rg_sessions *sessions, bool paused)
{
    sessions->paused = paused;
    for (size_t i = 0; i < sessions->listener_count; i++) {
        want(sessions->listener[i].event, !paused);
    }
}

static void resume_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct rg_sessions *sessions = context;
    rg_sessions_pause(sessions, sessions->paused);
}

rg_outcome rg_sessions_listen(struct rg_sessions *sessions, int fd, struct rg_reason *why)
{
    struct listener *listener = &sessions->listener[sessions->listener_count];
    if (sessions->listener_count == LISTENERS_MAX) {
        (void)close(fd);
        return rg_fail(why, RG_LIMIT, "listeners", "at most %d listening sockets", LISTENERS_MAX);
    }
    listener->sessions = sessions;
    listener->event = event_new(sessions->base, fd, EV_READ | EV_PERSIST, accept_event, listener);
    if (listener->event == NULL || event_add(listener->event, NULL) != 0) {
        event_drop(&listener->event);
        (void)close(fd);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for a listener");
    }
    listener->fd = fd;
    sessions->listener_count++;
    return rg_ok();
}

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
        bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 128) != 0) {
        int error = errno;
        fd_drop(&fd);
        return rg_fail(why, RG_IO, "listen-failed", "cannot listen: %s", strerror(error));
    }
    *fd_out = fd;
    return rg_ok();
}

uint16_t rg_port_of(int fd)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof(storage);
    (void)getsockname(fd, (struct sockaddr *)&storage, &len);
    return storage.ss_family == AF_INET6
               ? ntohs(((const struct sockaddr_in6 *)(const void *)&storage)->sin6_port)
               : ntohs(((const struct sockaddr_in *)(const void *)&storage)->sin_port);
}

rg_outcome rg_listen_tcp(const char *host, uint16_t port, int *fd_out, uint16_t *port_out,
                         struct rg_reason *why)
{
    struct addrinfo *list = NULL;
    RG_TRY(resolve(host, port, AI_PASSIVE, &list, why));
    rg_outcome outcome = listen_on(list, fd_out, why);
    freeaddrinfo(list);
    if (rg_is_ok(outcome) && port_out != NULL) {
        *port_out = rg_port_of(*fd_out);
    }
    return outcome;
}

/* ---- dialing ---- */

/* Starts connecting to the next address that can be tried. */
static rg_outcome dial_start(struct session *session, struct rg_reason *why)
{
    int error = ENOENT;
    while (session->dial_next < session->dial_count) {
        const struct address *to = &session->dial[session->dial_next++];
        int fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        RG_CHECK(fd >= 0 && foreign_take(session, fd), why, RG_IO, "dial-failed",
                 "no socket to dial with");
        if (connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0 ||
            errno == EINPROGRESS) {
            session->state = CONNECTING;
            want(session->foreign_out, true);
            deadline_set(session, session->sessions->options.hello_ms_max);
            return rg_ok();
        }
        error = errno;
        foreign_drop(session);
    }
    return rg_fail(why, RG_IO, "dial-failed", "%s", strerror(error));
}

static void addresses_note(struct session *session, const struct addrinfo *list)
{
    for (; list != NULL && session->dial_count < RG_DIAL_ADDRESSES_MAX; list = list->ai_next) {
        struct address *address = &session->dial[session->dial_count++];
        memcpy(&address->storage, list->ai_addr, list->ai_addrlen);
        address->len = list->ai_addrlen;
    }
}

rg_outcome rg_sessions_dial(struct rg_sessions *sessions, const char *host, uint16_t port,
                            const char *expected, struct rg_reason *why)
{
    struct addrinfo *list = NULL;
    RG_CHECK(sessions->count < sessions->options.sessions_max, why, RG_LIMIT, "session-limit",
             "%zu sessions already", sessions->count);
    RG_CHECK(expected == NULL || strlen(expected) < RG_PRINCIPAL_BYTES, why, RG_LIMIT,
             "principal-form", "the expected principal is too long");
    RG_TRY(resolve(host, port, 0, &list, why));
    struct session *session = session_new(sessions, true);
    if (session == NULL) {
        freeaddrinfo(list);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for a session");
    }
    addresses_note(session, list);
    freeaddrinfo(list);
    (void)snprintf(session->expected, sizeof(session->expected), "%s",
                   expected != NULL ? expected : "");
    rg_outcome outcome = dial_start(session, why);
    if (!rg_is_ok(outcome)) {
        bury(session);
    }
    return outcome;
}

/* ---- the whole ---- */

static void options_default(struct rg_sessions_options *options)
{
    options->sessions_max = options->sessions_max != 0 ? options->sessions_max : 256;
    options->sessions_per_address =
        options->sessions_per_address != 0 ? options->sessions_per_address : 32;
    options->sessions_per_principal =
        options->sessions_per_principal != 0 ? options->sessions_per_principal : 8;
    options->hello_ms_max =
        options->hello_ms_max != 0 ? options->hello_ms_max : RG_LINK_HELLO_MS_MAX;
}

rg_outcome rg_sessions_new(struct rg_loop *loop, const struct rg_sessions_options *options,
                           struct rg_sessions **out, struct rg_reason *why)
{
    struct rg_sessions *sessions = calloc(1, sizeof(*sessions));
    RG_CHECK(sessions != NULL, why, RG_IO, "out-of-memory", "no memory for sessions");
    TAILQ_INIT(&sessions->live);
    TAILQ_INIT(&sessions->dead);
    sessions->options = *options;
    options_default(&sessions->options);
    (void)snprintf(sessions->folder, sizeof(sessions->folder), "%s", options->socket_folder);
    sessions->base = rg_loop_base(loop);
    rg_random(sessions->start, sizeof(sessions->start));
    sessions->reaper = evtimer_new(sessions->base, reap, sessions);
    sessions->resume = evtimer_new(sessions->base, resume_event, sessions);
    rg_outcome outcome = sessions->reaper == NULL || sessions->resume == NULL
                             ? rg_fail(why, RG_IO, "out-of-memory", "no memory for sessions")
                             : rg_tls_context_new(options->certificate, options->key, judge_session,
                                                  &sessions->tls, why);
    if (!rg_is_ok(outcome)) {
        rg_sessions_free(sessions);
        return outcome;
    }
    *out = sessions;
    return rg_ok();
}

void rg_sessions_free(struct rg_sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&sessions->live)) {
        bury(TAILQ_FIRST(&sessions->live));
    }
    reap(-1, 0, sessions);
    for (size_t i = 0; i < sessions->listener_count; i++) {
        event_drop(&sessions->listener[i].event);
        fd_drop(&sessions->listener[i].fd);
    }
    event_drop(&sessions->reaper);
    event_drop(&sessions->resume);
    rg_tls_context_free(sessions->tls);
    free(sessions);
}

void rg_sessions_start(const struct rg_sessions *sessions, uint8_t out[4])
{
    memcpy(out, sessions->start, 4);
}

void rg_sessions_close(struct rg_sessions *sessions, struct rg_session_id id, const char *reason)
{
    struct session *session;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        if (session->state == RELAYING && memcmp(session->id.b, id.b, sizeof(id.b)) == 0) {
            reason_set(session, reason);
            session->state = CLOSING;
            deadline_set(session, RG_LINK_GRACE_MS_MAX);
            arrange(session);
            return;
        }
    }
}

size_t rg_sessions_count(const struct rg_sessions *sessions)
{
    return sessions->count;
}
