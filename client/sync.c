/* How it works: libevent carries TCP and TLS and relays to a unix socket; ZeroMQ speaks on that
 * socket; the router's descriptor is watched by the same loop. ZeroMQ's descriptor tells edges
 * only, so every step receives until there is nothing, whatever woke it. A batch is bounded, so
 * that a full mailbox does not hold one transaction open for ever. Unix socket
 * paths are short: where the home folder's is too long, a private one is made under /tmp. */
#include "client/sync.h"

#include "core/bus.h"
#include "core/digest.h"
#include "core/session.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BATCH_FRAMES 128
#define BACKOFF_MS_MIN 100
#define BACKOFF_MS_MAX 15000
#define QUEUE_STEP 64
#define SOCKET_NAME_BYTES 24 /* a session id in hexadecimal digits */
#define FOLDER_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - SOCKET_NAME_BYTES - 1)

struct rg_sync {
    struct rg_home *home;
    struct rg_exchange *exchange;
    struct rg_sync_calls calls;
    struct rg_loop *loop;
    struct rg_sessions *sessions;
    struct rg_bus *bus;
    struct rg_socket *router;
    char folder[FOLDER_BYTES];
    bool dialling, up, hello;
    struct rg_session_id id;
    int64_t dial_at_ms;
    int64_t backoff_ms;
    struct rg_buffer *queue; /* frames the socket had no room for, from `queue_at` on */
    size_t queue_at, queue_len, queue_room;
    struct rg_buffer frame;
    struct rg_reason lost; /* why the session ended inside a callback */
};

static int64_t mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- the session's life ---- */

static void queue_clear(struct rg_sync *sync)
{
    for (size_t i = sync->queue_at; i < sync->queue_len; i++) {
        rg_buffer_drop(&sync->queue[i]);
    }
    sync->queue_at = 0;
    sync->queue_len = 0;
}

static void dial_later(struct rg_sync *sync)
{
    uint16_t jitter;
    rg_random(&jitter, sizeof(jitter));
    int64_t wait = sync->backoff_ms / 2 + sync->backoff_ms * jitter / (2 * 65536);
    sync->dial_at_ms = mono_ms() + wait;
    sync->backoff_ms =
        sync->backoff_ms * 2 > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : sync->backoff_ms * 2;
}

static void session_ended(struct rg_sync *sync, const struct rg_reason *why)
{
    sync->dialling = false;
    sync->up = false;
    sync->hello = false;
    queue_clear(sync);
    dial_later(sync);
    rg_exchange_start(sync->exchange);
    sync->calls.lost(sync->calls.context, why);
}

static rg_outcome on_judge(void *context, struct rg_bytes der, struct rg_principal *out,
                           struct rg_reason *why)
{
    struct rg_sync *sync = context;
    RG_OWNED_CERTIFICATE *certificate = NULL;
    struct rg_verdict verdict;
    struct rg_wall now = rg_wall_now();
    RG_CHECK(der.len > 0, why, RG_DENIED, "certificate-missing",
             "the other side showed no certificate");
    RG_TRY(rg_certificate_parse(der, &certificate, why));
    RG_TRY(rg_trust_judge(sync->home->trust, certificate, RG_USE_TLS, now, now, &verdict, why));
    *out = verdict.principal;
    return rg_ok();
}

static void on_up(void *context, const struct rg_session_up *up)
{
    struct rg_sync *sync = context;
    struct rg_reason why = {0};
    sync->dialling = false;
    sync->id = up->id;
    rg_exchange_start(sync->exchange);
    if (!rg_is_ok(rg_bus_connect(sync->router, up->id, up->socket_path, &why))) {
        rg_sessions_close(sync->sessions, up->id, "bus-connect");
        session_ended(sync, &why);
        return;
    }
    sync->up = true;
}

static void on_gone(void *context, struct rg_session_id id, const char *reason)
{
    struct rg_sync *sync = context;
    struct rg_reason why = {0};
    if (!sync->up || memcmp(id.b, sync->id.b, sizeof(id.b)) != 0) {
        return;
    }
    (void)rg_fail(&why, RG_IO, "session-gone", "the session with the gateway ended: %s", reason);
    session_ended(sync, &why);
}

static void on_refused(void *context, bool dialled, const char *who, const struct rg_reason *why)
{
    (void)dialled;
    (void)who;
    session_ended(context, why);
}

static void on_wake(void *context)
{
    (void)context; /* the step receives; this only wakes the loop */
}

static rg_outcome dial_when_due(struct rg_sync *sync, struct rg_reason *why)
{
    if (sync->up || sync->dialling || mono_ms() < sync->dial_at_ms) {
        return rg_ok();
    }
    struct rg_reason said = {0};
    sync->dialling = true;
    rg_outcome outcome = rg_sessions_dial(sync->sessions, sync->home->host, sync->home->port,
                                          sync->home->gateway, &said);
    if (outcome.code == RG_BROKEN) {
        *why = said;
        return outcome;
    }
    if (!rg_is_ok(outcome) && sync->dialling) {
        session_ended(sync, &said);
    }
    return rg_ok();
}

/* ---- making and freeing ---- */

/* Sockets that a killed sync has left. The caller holds the folder's sync lock. */
static void folder_sweep(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strspn(entry->d_name, "0123456789abcdef") == SOCKET_NAME_BYTES) {
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
}

/* HOME/run; under /tmp when the path of a unix socket would not fit. */
static rg_outcome folder_make(struct rg_sync *sync, struct rg_reason *why)
{
    int len = snprintf(sync->folder, sizeof(sync->folder), "%s/run", sync->home->folder);
    if (len > 0 && (size_t)len < sizeof(sync->folder)) {
        RG_CHECK(mkdir(sync->folder, 0700) == 0 || errno == EEXIST, why, RG_IO, "file-unwritable",
                 "cannot make the folder %s: %s", sync->folder, strerror(errno));
        folder_sweep(sync->folder);
        return rg_ok();
    }
    (void)snprintf(sync->folder, sizeof(sync->folder), "/tmp/referral-sync-XXXXXX");
    RG_CHECK(mkdtemp(sync->folder) != NULL, why, RG_IO, "file-unwritable",
             "cannot make a private folder in /tmp");
    return rg_ok();
}

static rg_outcome sync_fill(struct rg_sync *sync, struct rg_reason *why)
{
    RG_TRY(folder_make(sync, why));
    sync->loop = rg_loop_new();
    RG_CHECK(sync->loop != NULL, why, RG_IO, "out-of-memory", "out of memory");
    struct rg_sessions_options options = {
        .certificate = sync->home->tls,
        .key = sync->home->tls_key,
        .socket_folder = sync->folder,
        .context = sync,
        .judge = on_judge,
        .up = on_up,
        .gone = on_gone,
        .refused = on_refused,
    };
    RG_TRY(rg_sessions_new(sync->loop, &options, &sync->sessions, why));
    RG_TRY(rg_bus_new(&sync->bus, why));
    RG_TRY(rg_bus_router(sync->bus, &sync->router, why));
    return rg_loop_watch(sync->loop, rg_bus_fd(sync->router), on_wake, sync, why);
}

static void sync_cleanup(struct rg_sync **sync)
{
    rg_sync_free(*sync);
}

rg_outcome rg_sync_new(struct rg_home *home, const struct rg_sync_calls *calls,
                       struct rg_sync **out, struct rg_reason *why)
{
    RG_CLEANUP(sync_cleanup) struct rg_sync *sync = calloc(1, sizeof(*sync));
    RG_CHECK(sync != NULL, why, RG_IO, "out-of-memory", "out of memory");
    sync->home = home;
    sync->calls = *calls;
    sync->backoff_ms = BACKOFF_MS_MIN;
    RG_TRY(sync_fill(sync, why));
    *out = sync;
    sync = NULL;
    return rg_ok();
}

void rg_sync_free(struct rg_sync *sync)
{
    if (sync == NULL) {
        return;
    }
    rg_sessions_free(sync->sessions);
    rg_socket_free(sync->router);
    rg_bus_free(sync->bus);
    rg_loop_free(sync->loop);
    queue_clear(sync);
    free(sync->queue);
    rg_buffer_drop(&sync->frame);
    if (sync->folder[0] != '\0') {
        (void)rmdir(sync->folder);
    }
    free(sync);
}

void rg_sync_attach(struct rg_sync *sync, struct rg_exchange *exchange)
{
    sync->exchange = exchange;
}

/* ---- sending ---- */

static rg_outcome queue_add(struct rg_sync *sync, struct rg_bytes frame, struct rg_reason *why)
{
    if (sync->queue_at == sync->queue_len) {
        sync->queue_at = 0;
        sync->queue_len = 0;
    }
    if (sync->queue_len == sync->queue_room) {
        size_t room = sync->queue_room + QUEUE_STEP;
        struct rg_buffer *grown = realloc(sync->queue, room * sizeof(*grown));
        RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "out of memory");
        sync->queue = grown;
        sync->queue_room = room;
    }
    struct rg_buffer copy = {0};
    RG_TRY(rg_buffer_append(&copy, frame, why));
    sync->queue[sync->queue_len++] = copy;
    return rg_ok();
}

rg_outcome rg_sync_send(struct rg_sync *sync, struct rg_bytes frame, struct rg_reason *why)
{
    if (!sync->up) {
        return rg_ok(); /* the session is gone; everything unanswered is said again in the next */
    }
    if (sync->queue_at < sync->queue_len) {
        return queue_add(sync, frame, why);
    }
    rg_outcome outcome = rg_bus_send(sync->router, sync->id, frame, NULL);
    return outcome.code == RG_AGAIN ? queue_add(sync, frame, why) : rg_ok();
}

static void queue_flush(struct rg_sync *sync)
{
    while (sync->up && sync->queue_at < sync->queue_len) {
        struct rg_buffer *frame = &sync->queue[sync->queue_at];
        rg_outcome outcome = rg_bus_send(sync->router, sync->id, rg_buffer_peek(frame), NULL);
        if (outcome.code == RG_AGAIN) {
            return;
        }
        rg_buffer_drop(frame);
        sync->queue_at++;
    }
}

bool rg_sync_flushed(const struct rg_sync *sync)
{
    return sync->queue_at == sync->queue_len;
}

/* ---- receiving ---- */

static void close_session(struct rg_sync *sync, const struct rg_reason *why)
{
    rg_sessions_close(sync->sessions, sync->id, why->id != NULL ? why->id : "closed");
    if (sync->up) {
        session_ended(sync, why);
    }
}

/* One frame of the session that is up; others are left over from an older one. */
static rg_outcome take_frame(struct rg_sync *sync, struct rg_session_id id, struct rg_reason *why)
{
    struct rg_reason said = {0};
    if (!sync->up || memcmp(id.b, sync->id.b, sizeof(id.b)) != 0) {
        return rg_ok();
    }
    rg_outcome outcome =
        rg_exchange_take(sync->exchange, rg_buffer_peek(&sync->frame), rg_wall_now(), &said);
    if (rg_is_ok(outcome)) {
        if (!sync->hello && rg_exchange_up(sync->exchange)) {
            sync->hello = true;
            sync->backoff_ms = BACKOFF_MS_MIN;
        }
        return rg_ok();
    }
    if (outcome.code == RG_MALFORMED || outcome.code == RG_DENIED || outcome.code == RG_LIMIT) {
        close_session(sync, &said);
        return rg_ok();
    }
    *why = said;
    return outcome;
}

static rg_outcome receive_batch(struct rg_sync *sync, size_t *count_out, struct rg_reason *why)
{
    size_t count = 0;
    while (count < BATCH_FRAMES) {
        struct rg_session_id id;
        rg_buffer_clear(&sync->frame);
        rg_outcome outcome = rg_bus_receive(sync->router, &id, &sync->frame, why);
        if (outcome.code == RG_AGAIN) {
            break;
        }
        RG_TRY(outcome);
        if (count == 0) {
            RG_TRY(sync->calls.begin(sync->calls.context, why));
        }
        count++;
        RG_TRY(take_frame(sync, id, why));
    }
    *count_out = count;
    return count > 0 ? sync->calls.end(sync->calls.context, why) : rg_ok();
}

rg_outcome rg_sync_step(struct rg_sync *sync, int wait_ms, struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(dial_when_due(sync, why));
    RG_TRY(receive_batch(sync, &count, why));
    if (sync->up && rg_exchange_up(sync->exchange)) {
        RG_TRY(sync->calls.feed(sync->calls.context, why));
    }
    queue_flush(sync);
    /* Sending may have used up the wake that a received frame gave. */
    int64_t wait = count > 0 || rg_bus_ready(sync->router) ? 0 : wait_ms;
    if (!sync->up && !sync->dialling && sync->dial_at_ms - mono_ms() < wait) {
        wait = sync->dial_at_ms - mono_ms();
    }
    return rg_loop_step(sync->loop, wait > 0 ? (int)wait : 0, why);
}
