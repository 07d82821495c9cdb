/* How it works: everything the courier must not know is here: clock, sockets, files, log lines.
 *
 * The order is the promise of the whole gateway: commit, notary, then out. The courier itself holds
 * back what is not committed and what no head covers, so a kill between any two lines of `turn`
 * loses nothing. The notary works on one request while the next batches are received and committed:
 * nobody waits for it here. One that does not answer for NOTARY_WAIT_MS is given up and asked again
 * at the next tick; meanwhile everything that needs no new head goes on.
 *
 * Sessions are known here only as (id, path of the unix socket). An id that link no longer has is
 * forgotten in three places, always together: bus, courier, table. When link dies its socketpair
 * ends; all sessions are forgotten, the store keeps what was under way, and main hands in the
 * socketpair of the next link. */
#include "gateway/run_courier.h"

#include "core/bus.h"
#include "core/digest.h"
#include "core/settings.h"
#include "gateway/courier.h"
#include "gateway/crash.h"
#include "gateway/event.h"
#include "gateway/ops.h"
#include "gateway/sandbox.h"
#include "gateway/store_sqlite.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SOFTWARE 70
#define EXIT_CONFIG 78
#define NOTARY_WAIT_MS 2000
#define NOTARY_START_MS_MAX 5000
#define ORDER_WAIT_MS 2000
#define LINK_EVENTS_MAX 64 /* per turn */
#define BLOCKED_MS_MAX 16
#define TROUBLE_MS 60000 /* a store that said no stays a problem in `status` for so long */
#define FILES_MAX 4096

struct session {
    bool used;
    struct rg_session_id id;
    char path[108];
};

struct run {
    const struct rg_run_courier *options;
    const struct rg_config *config;
    struct rg_bus *bus;
    struct rg_socket *router, *notary;
    struct rg_trust *trust;
    struct rg_store *store;
    struct rg_courier *courier;
    struct session session[RG_COURIER_SESSIONS_MAX];
    size_t sessions;
    int link_fd, signal_fd, status_fd;
    bool link_ready, told_ready, stopping, frames_waiting, notary_busy;
    struct rg_mono notary_asked;
    uint16_t port;
    int blocked_ms; /* 0: no session is blocked */
    struct rg_mono started, store_trouble;
    char store_reason[64];
    struct rg_buffer frame, order, answer;
};

static struct rg_now now(void)
{
    struct timespec wall, mono;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    return (struct rg_now){
        .wall.ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000,
        .mono.ms = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000,
    };
}

static void random_bytes(void *context, void *out, size_t len)
{
    (void)context;
    rg_random(out, len);
}

/* --- sessions --- */

static struct session *session_find(struct run *run, struct rg_session_id id)
{
    for (size_t i = 0; i < RG_COURIER_SESSIONS_MAX; i++) {
        if (run->session[i].used && memcmp(run->session[i].id.b, id.b, sizeof(id.b)) == 0) {
            return &run->session[i];
        }
    }
    return NULL;
}

static void session_forget(struct run *run, struct session *session)
{
    rg_bus_disconnect(run->router, session->path);
    *session = (struct session){.used = false};
    run->sessions--;
}

static struct session *session_new(struct run *run, const struct rg_link_event *event)
{
    for (size_t i = 0; i < RG_COURIER_SESSIONS_MAX; i++) {
        struct session *session = &run->session[i];
        if (session->used) {
            continue;
        }
        session->used = true;
        memcpy(session->id.b, event->session, sizeof(session->id.b));
        (void)snprintf(session->path, sizeof(session->path), "%s", event->socket_path);
        run->sessions++;
        return session;
    }
    return NULL;
}

static void link_lost(struct run *run)
{
    rg_event(RG_EVENT_LINK_LOST, .count = run->sessions);
    for (size_t i = 0; i < RG_COURIER_SESSIONS_MAX; i++) {
        if (run->session[i].used) {
            rg_courier_session_gone(run->courier, run->session[i].id);
            session_forget(run, &run->session[i]);
        }
    }
    (void)close(run->link_fd);
    run->link_fd = -1;
    run->link_ready = false;
}

/* Waits while link is busy; a link that takes nothing for ORDER_WAIT_MS counts as lost. */
static void link_order(struct run *run, const struct rg_link_order *order)
{
    struct rg_reason why = {0};
    if (run->link_fd < 0) {
        return;
    }
    rg_buffer_clear(&run->order);
    if (!rg_is_ok(rg_link_order_encode(order, &run->order, &why))) {
        rg_event(RG_EVENT_COURIER_FAILED, .outcome = &why);
        return;
    }
    for (;;) {
        struct pollfd ready = {.fd = run->link_fd, .events = POLLOUT};
        ssize_t sent = send(run->link_fd, run->order.data, run->order.len, MSG_NOSIGNAL);
        if (sent == (ssize_t)run->order.len) {
            return;
        }
        bool busy = sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS);
        if (!busy || poll(&ready, 1, ORDER_WAIT_MS) != 1) {
            link_lost(run);
            return;
        }
    }
}

static void link_close(struct run *run, struct rg_session_id id, const char *reason)
{
    struct rg_link_order order = {.kind = RG_LINK_CLOSE};
    memcpy(order.session, id.b, sizeof(order.session));
    (void)snprintf(order.reason, sizeof(order.reason), "%s", reason);
    link_order(run, &order);
}

static rg_outcome session_up(struct run *run, const struct rg_link_event *event,
                             struct rg_reason *why)
{
    struct rg_courier_up up = {.dialled = event->dialled};
    memcpy(up.id.b, event->session, sizeof(up.id.b));
    RG_TRY(rg_principal_parse(event->principal, &up.principal, why));
    struct session *session = session_new(run, event);
    if (session == NULL) {
        link_close(run, up.id, "sessions-max");
        return rg_ok();
    }
    if (!rg_is_ok(rg_bus_connect(run->router, up.id, session->path, why))) {
        session_forget(run, session);
        link_close(run, up.id, "bus-connect");
        return rg_ok();
    }
    return rg_courier_session_up(run->courier, &up, now(), why);
}

static void session_gone(struct run *run, const struct rg_link_event *event)
{
    struct rg_session_id id;
    memcpy(id.b, event->session, sizeof(id.b));
    struct session *session = session_find(run, id);
    if (session != NULL) {
        rg_courier_session_gone(run->courier, id);
        session_forget(run, session);
    }
}

static rg_outcome link_event(struct run *run, const struct rg_link_event *event,
                             struct rg_reason *why)
{
    switch (event->kind) {
    case RG_LINK_UP:
        return session_up(run, event, why);
    case RG_LINK_GONE:
        session_gone(run, event);
        return rg_ok();
    case RG_LINK_READY:
        run->link_ready = true;
        run->port = event->port;
        rg_courier_link_ready(run->courier);
        return rg_ok();
    }
    return rg_fail(why, RG_BROKEN, "link-event", "link sent an event of no known kind");
}

/* What link never sends means that it has been taken over: end, and let main start both anew. */
static rg_outcome take_link_events(struct run *run, struct rg_reason *why)
{
    uint8_t bytes[4096];
    for (int i = 0; i < LINK_EVENTS_MAX && run->link_fd >= 0; i++) {
        struct rg_link_event event = {0};
        ssize_t n = recv(run->link_fd, bytes, sizeof(bytes), 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return rg_ok();
        }
        if (n <= 0) {
            link_lost(run);
            return rg_ok();
        }
        rg_outcome outcome = rg_link_event_decode(rg_bytes_of(bytes, (size_t)n), &event, why);
        if (!rg_is_ok(outcome)) {
            rg_event(RG_EVENT_PEER_PROCESS_GARBAGE, .name = "link", .outcome = why);
            return (rg_outcome){.code = RG_BROKEN};
        }
        RG_TRY(link_event(run, &event, why));
    }
    return rg_ok();
}

/* --- control, signals, status --- */

static int received_fd(struct msghdr *message)
{
    int fd = -1;
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    if (part != NULL && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
        memcpy(&fd, CMSG_DATA(part), sizeof(fd));
    }
    return fd;
}

/* A new link from main. main's end of file: stop. */
static void take_control(struct run *run)
{
    struct rg_control_link control;
    struct iovec part = {.iov_base = &control, .iov_len = sizeof(control)};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } extra = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = extra.space,
                             .msg_controllen = sizeof(extra.space)};
    ssize_t n = recvmsg(run->options->control_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n != (ssize_t)sizeof(control)) {
        run->stopping = true;
        return;
    }
    int fd = received_fd(&message);
    if (fd < 0) {
        return;
    }
    if (run->link_fd >= 0) {
        link_lost(run);
    }
    run->link_fd = fd;
}

static rg_outcome offer_document(void *context, const struct rg_document *document,
                                 struct rg_reason *why)
{
    struct run *run = context;
    if (rg_courier_batch_full(run->courier)) {
        RG_TRY(rg_courier_commit(run->courier, now(), why));
    }
    return rg_courier_document(run->courier, document, now(), why);
}

static rg_outcome read_trust_folder(struct run *run, struct rg_reason *why)
{
    return rg_document_read_folder(run->config->trust_folder, offer_document, run, why);
}

static rg_outcome take_signals(struct run *run, struct rg_reason *why)
{
    struct signalfd_siginfo info;
    while (read(run->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGHUP) {
            run->stopping = true;
            continue;
        }
        rg_outcome outcome = read_trust_folder(run, why);
        if (outcome.code == RG_BROKEN) {
            return outcome;
        }
        if (!rg_is_ok(outcome)) {
            rg_event(RG_EVENT_CONFIG_REFUSED, .path = run->config->trust_folder, .outcome = why);
        }
    }
    return rg_ok();
}

static void problem(struct rg_ops_view *view, bool failing, const char *id, const char *about,
                    const char *what_next)
{
    struct rg_ops_problem row = {.failing = failing, .what_next = what_next};
    (void)snprintf(row.id, sizeof(row.id), "%s", id);
    (void)snprintf(row.about, sizeof(row.about), "%s", about);
    rg_ops_problem(view, &row);
}

static void page_problems(struct run *run, struct rg_ops_view *view, struct rg_wall wall)
{
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(run->trust, i)) != NULL; i++) {
        if (!country->has_page) {
            problem(view, false, "page-missing", country->code, "ask a partner, or its publisher");
            continue;
        }
        if (country->valid_until.ms < wall.ms) {
            problem(view, false, "page-expired", country->code,
                    "nothing new is trusted: ask its publisher for a new page now");
            continue;
        }
        if (country->fresh_until.ms < wall.ms) {
            problem(view, false, "page-stale", country->code, "ask its publisher for a new page");
        }
    }
}

static void find_problems(struct run *run, struct rg_ops_view *view, struct rg_now at)
{
    if (view->courier.alarmed) {
        problem(view, true, "log-alarm", "", "our log contradicts what we signed: operator guide");
    }
    if (view->courier.notary_failed) {
        problem(view, true, "notary", "", "the notary does not sign: see its log lines");
    }
    if (!run->link_ready) {
        problem(view, true, "link", "", "the port is not open: see the link's log lines");
    }
    if (run->store_reason[0] != '\0' && at.mono.ms - run->store_trouble.ms < TROUBLE_MS) {
        problem(view, true, run->store_reason, "", "free space on the disk of the data folder");
    }
    page_problems(run, view, at.wall);
}

static void take_status(struct run *run)
{
    struct rg_now at = now();
    struct rg_reason why = {0};
    struct rg_ops_view view = {
        .country = run->config->country,
        .exercise = run->config->exercise,
        .apart = run->config->user_courier.set && geteuid() == run->config->user_courier.uid,
        .ready = run->told_ready,
        .port = run->port,
        .uptime_ms = at.mono.ms - run->started.ms,
    };
    const struct rg_country *country = rg_trust_country(run->trust, run->config->country);
    view.log_key = country == NULL ? NULL : country->log_key;
    rg_courier_status(run->courier, &view.courier);
    if (!rg_is_ok(run->store->ops->counts(run->store, &view.store, &why))) {
        problem(&view, true, why.id, "", "the store cannot be read");
    }
    find_problems(run, &view, at);
    rg_ops_answer(run->status_fd, &view);
}

static void tell_main(struct run *run)
{
    struct rg_courier_status status;
    rg_courier_status(run->courier, &status);
    bool signs = !status.alarmed && !status.notary_failed && status.head.origin[0] != '\0';
    bool ready = run->link_ready && signs;
    if (ready == run->told_ready) {
        return;
    }
    struct rg_control_state state = {.ready = ready, .port = run->port};
    ssize_t sent = send(run->options->control_fd, &state, sizeof(state), MSG_NOSIGNAL);
    run->told_ready = sent == (ssize_t)sizeof(state) ? ready : run->told_ready;
}

/* --- the turn --- */

static rg_outcome take_frames(struct run *run, struct rg_reason *why)
{
    int64_t until = now().mono.ms + RG_BATCH_MS_MAX;
    run->frames_waiting = true;
    for (int i = 0; i < RG_BATCH_FRAMES_MAX && !rg_courier_batch_full(run->courier); i++) {
        struct rg_session_id id;
        struct rg_now at = now();
        rg_buffer_clear(&run->frame);
        rg_outcome outcome = rg_bus_receive(run->router, &id, &run->frame, why);
        if (outcome.code == RG_AGAIN) {
            run->frames_waiting = false;
            return rg_ok();
        }
        RG_TRY(outcome);
        if (session_find(run, id) != NULL) {
            RG_TRY(rg_courier_frame(run->courier, id, rg_buffer_peek(&run->frame), at, why));
        }
        if (at.mono.ms >= until) {
            return rg_ok();
        }
    }
    return rg_ok();
}

/* No answer is an answer too. */
static rg_outcome notary_away(struct run *run, const struct rg_reason *reason,
                              struct rg_reason *why)
{
    struct rg_notary_answer answer = {.code = RG_IO};
    (void)snprintf(answer.reason, sizeof(answer.reason), "%s", reason->id);
    run->notary_busy = false;
    RG_TRY(rg_bus_give_up(run->notary, why));
    return rg_courier_notary_answer(run->courier, &answer, now(), why);
}

static rg_outcome ask_notary(struct run *run, struct rg_reason *why)
{
    struct rg_reason reason = {0};
    struct rg_notary_request request;
    if (run->notary_busy || !rg_courier_notary_try(run->courier, &request)) {
        return rg_ok();
    }
    rg_buffer_clear(&run->order);
    rg_outcome outcome = rg_notary_request_encode(&request, &run->order, &reason);
    if (rg_is_ok(outcome)) {
        outcome = rg_bus_ask(run->notary, rg_buffer_peek(&run->order), &reason);
    }
    if (!rg_is_ok(outcome)) {
        return notary_away(run, &reason, why);
    }
    run->notary_busy = true;
    run->notary_asked = now().mono;
    return rg_ok();
}

static int64_t notary_left_ms(const struct run *run)
{
    int64_t left = run->notary_asked.ms + NOTARY_WAIT_MS - now().mono.ms;
    return left > 0 ? left : 0;
}

static rg_outcome take_answer(struct run *run, struct rg_reason *why)
{
    struct rg_reason reason = {0};
    struct rg_notary_answer answer = {0};
    rg_buffer_clear(&run->answer);
    rg_outcome outcome = rg_bus_take(run->notary, &run->answer, &reason);
    if (outcome.code == RG_AGAIN && notary_left_ms(run) > 0) {
        return rg_ok();
    }
    if (outcome.code == RG_AGAIN) {
        (void)rg_fail(&reason, RG_IO, "bus-timeout", "no answer within %d ms", NOTARY_WAIT_MS);
    }
    if (rg_is_ok(outcome)) {
        outcome = rg_notary_answer_decode(rg_buffer_peek(&run->answer), &answer, &reason);
    }
    if (!rg_is_ok(outcome)) {
        return notary_away(run, &reason, why);
    }
    run->notary_busy = false;
    rg_crash_point("head");
    return rg_courier_notary_answer(run->courier, &answer, now(), why);
}

/* Which log line each thing the courier says becomes. */
static const struct {
    enum rg_event_id event;
    enum { CODE_NONE, CODE_REFUSAL, CODE_DOCUMENT } code;
} event_of[] = {
    [RG_COURIER_SESSION_READY] = {RG_EVENT_SESSION_READY, CODE_NONE},
    [RG_COURIER_SESSION_ENDED] = {RG_EVENT_SESSION_ENDED, CODE_NONE},
    [RG_COURIER_ACCEPTED] = {RG_EVENT_ACCEPTED, CODE_NONE},
    [RG_COURIER_RECEIVED] = {RG_EVENT_RECEIVED, CODE_NONE},
    [RG_COURIER_REFUSED] = {RG_EVENT_MESSAGE_REFUSED, CODE_REFUSAL},
    [RG_COURIER_NOT_NOW] = {RG_EVENT_NOT_NOW, CODE_REFUSAL},
    [RG_COURIER_PEER_REFUSED] = {RG_EVENT_PEER_REFUSED, CODE_REFUSAL},
    [RG_COURIER_PEER_NOT_NOW] = {RG_EVENT_PEER_NOT_NOW, CODE_REFUSAL},
    [RG_COURIER_UNCONFIRMED] = {RG_EVENT_UNCONFIRMED, CODE_NONE},
    [RG_COURIER_CLOSED] = {RG_EVENT_CLOSED, CODE_NONE},
    [RG_COURIER_FAULT] = {RG_EVENT_FRAME_REFUSED, CODE_NONE},
    [RG_COURIER_CLOCK_SKEW] = {RG_EVENT_CLOCK_SKEW, CODE_NONE},
    [RG_COURIER_DOCUMENT_NEW] = {RG_EVENT_DOCUMENT_TAKEN, CODE_DOCUMENT},
    [RG_COURIER_DOCUMENT_REFUSED] = {RG_EVENT_DOCUMENT_REFUSED, CODE_DOCUMENT},
    [RG_COURIER_PEER_EPOCH] = {RG_EVENT_PEER_EPOCH, CODE_NONE},
    [RG_COURIER_ALARM_PEER_LOG] = {RG_EVENT_PEER_LOG_ALARM, CODE_NONE},
    [RG_COURIER_ALARM_OWN_LOG] = {RG_EVENT_OWN_LOG_ALARM, CODE_NONE},
    [RG_COURIER_ALARM_NOTARY] = {RG_EVENT_NOTARY_ALARM, CODE_NONE},
    [RG_COURIER_STORE_NOT_NOW] = {RG_EVENT_STORE_NOT_NOW, CODE_NONE},
    [RG_COURIER_CONTENT_ERASED] = {RG_EVENT_CONTENT_ERASED, CODE_NONE},
};

static const char *document_name(uint32_t kind)
{
    static const char *const name[] = {"document",        "charter",   "page",
                                       "page (domestic)", "stop list", "key card"};
    return kind < sizeof(name) / sizeof(name[0]) ? name[kind] : name[0];
}

static void say(struct run *run, const struct rg_courier_event *event)
{
    RG_ASSERT((size_t)event->kind < sizeof(event_of) / sizeof(event_of[0]));
    const char *reason = event->reason[0] == '\0' ? NULL : event->reason;
    if (event_of[event->kind].code == CODE_REFUSAL) {
        reason = rg_refusal_row(event->code)->name;
    }
    if (event->kind == RG_COURIER_STORE_NOT_NOW) {
        (void)snprintf(run->store_reason, sizeof(run->store_reason), "%s", event->reason);
        run->store_trouble = now().mono;
    }
    rg_event(event_of[event->kind].event, .peer = event->who, .office = event->who,
             .country = event->who, .reason = reason, .name = document_name(event->code),
             .count = event->number, .counter = event->number, .size = event->number,
             .span_ms = (int64_t)event->number);
}

static void order_trust(struct run *run, const struct rg_document *document)
{
    struct rg_link_order order = {
        .kind = RG_LINK_TRUST,
        .document_kind = document->kind,
        .text = rg_buffer_peek(&document->text),
        .signature_count = document->signature_count,
    };
    (void)snprintf(order.country, sizeof(order.country), "%s", document->country);
    for (size_t i = 0; i < document->signature_count; i++) {
        order.signature[i] = rg_buffer_peek(&document->signature[i]);
    }
    link_order(run, &order);
}

/* It stays connected until link says that it is gone: disconnecting now would drop what libzmq
 * still holds, which is the Fault that says why. The courier ignores what it still sends. */
static void close_session(struct run *run, const struct rg_courier_out *out)
{
    if (session_find(run, out->session) != NULL) {
        link_close(run, out->session, out->reason);
    }
}

static void hello_seen(struct run *run, struct rg_session_id id)
{
    struct rg_link_order order = {.kind = RG_LINK_HELLO_SEEN};
    memcpy(order.session, id.b, sizeof(order.session));
    link_order(run, &order);
}

/* True when a frame is out of our hands: sent, or its session is no more. */
static bool send_frame(struct run *run, const struct rg_courier_out *out)
{
    struct rg_reason why = {0};
    if (session_find(run, out->session) == NULL) {
        return true;
    }
    return rg_bus_send(run->router, out->session, out->frame, &why).code != RG_AGAIN;
}

/* Everything the courier puts out. Blocked sessions are tried again soon, ever more slowly. */
static void act(struct run *run)
{
    struct rg_courier_out out;
    bool blocked = false, sent = false;
    rg_courier_unblock(run->courier);
    while (rg_courier_out_peek(run->courier, &out)) {
        if (out.kind == RG_OUT_FRAME && !send_frame(run, &out)) {
            rg_courier_out_blocked(run->courier);
            blocked = true;
            continue;
        }
        sent = sent || out.kind == RG_OUT_FRAME;
        if (out.kind == RG_OUT_CLOSE) {
            close_session(run, &out);
        }
        if (out.kind == RG_OUT_HELLO_SEEN) {
            hello_seen(run, out.session);
        }
        if (out.kind == RG_OUT_TRUST) {
            order_trust(run, out.document);
        }
        if (out.kind == RG_OUT_EVENT) {
            say(run, out.event);
        }
        rg_courier_out_done(run->courier);
    }
    if (!blocked || sent) {
        run->blocked_ms = blocked ? 1 : 0;
        return;
    }
    run->blocked_ms = run->blocked_ms * 2 > BLOCKED_MS_MAX ? BLOCKED_MS_MAX : run->blocked_ms * 2;
    run->blocked_ms = run->blocked_ms == 0 ? 1 : run->blocked_ms;
}

static rg_outcome finish_batch(struct run *run, struct rg_reason *why)
{
    RG_TRY(rg_courier_commit(run->courier, now(), why));
    RG_TRY(ask_notary(run, why));
    act(run); /* what the last head covers, and what needs none */
    tell_main(run);
    return rg_ok();
}

static int wait_ms(const struct run *run)
{
    int64_t wait = rg_courier_wait_ms(run->courier, now());
    if (run->frames_waiting) {
        return 0;
    }
    if (run->notary_busy && wait > notary_left_ms(run)) {
        wait = notary_left_ms(run);
    }
    if (run->blocked_ms > 0 && wait > run->blocked_ms) {
        return run->blocked_ms;
    }
    return (int)(wait > 1000 ? 1000 : wait);
}

static rg_outcome turn(struct run *run, struct rg_reason *why)
{
    enum { CONTROL, SIGNALS, STATUS, ROUTER, NOTARY, LINK, ITEMS };
    struct rg_bus_item item[ITEMS] = {
        [CONTROL] = {.fd = run->options->control_fd},
        [SIGNALS] = {.fd = run->signal_fd},
        [STATUS] = {.fd = run->status_fd},
        [ROUTER] = {.socket = run->router},
        [NOTARY] = {.socket = run->notary},
        [LINK] = {.fd = run->link_fd},
    };
    RG_TRY(rg_bus_wait(run->bus, item, run->link_fd < 0 ? LINK : ITEMS, wait_ms(run), why));
    if (item[CONTROL].ready) {
        take_control(run);
    }
    if (item[SIGNALS].ready) {
        RG_TRY(take_signals(run, why));
    }
    if (item[LINK].ready) {
        RG_TRY(take_link_events(run, why));
    }
    if (run->notary_busy) {
        RG_TRY(take_answer(run, why));
        RG_TRY(ask_notary(run, why));
        act(run);
    }
    RG_TRY(take_frames(run, why));
    if (rg_courier_wait_ms(run->courier, now()) == 0) {
        RG_TRY(rg_courier_tick(run->courier, now(), why));
    }
    RG_TRY(finish_batch(run, why));
    if (item[STATUS].ready) {
        take_status(run);
    }
    return rg_ok();
}

/* --- start and end --- */

static rg_outcome open_signals(struct run *run, struct rg_reason *why)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    RG_CHECK(run->signal_fd >= 0, why, RG_IO, "signal-fd", "no signal descriptor");
    return rg_ok();
}

static rg_outcome open_trust(struct run *run, struct rg_reason *why)
{
    const struct rg_config *config = run->config;
    run->trust = rg_trust_new();
    RG_CHECK(run->trust != NULL, why, RG_IO, "out-of-memory", "no memory for trust");
    for (size_t i = 0; i < config->authority_count; i++) {
        RG_OWNED_CERTIFICATE *certificate = NULL;
        RG_TRY(rg_certificate_read(config->authority[i], &certificate, why));
        RG_TRY(rg_trust_pin_authority(run->trust, certificate, why));
    }
    rg_trust_pin_quorum(run->trust, (size_t)config->quorum);
    for (size_t i = 0; i < config->suspend_count; i++) {
        RG_TRY(rg_trust_suspend(run->trust, config->suspend[i], why));
    }
    return rg_ok();
}

static rg_outcome open_store(struct run *run, struct rg_reason *why)
{
    struct rg_store_sqlite options = {.bytes_max = run->config->limits.store_bytes_max};
    return rg_store_sqlite_open(rg_config_store_path(run->config).text, &options, &run->store, why);
}

/* The notary makes its socket once its state is sound; a request before that would only time out.
 * The store is made after it: a store without a notary's state means that the state was lost. */
static rg_outcome wait_for_notary(struct run *run, struct rg_reason *why)
{
    struct rg_config_path path = rg_config_notary_socket(run->config);
    int64_t until = now().mono.ms + NOTARY_START_MS_MAX;
    while (access(path.text, F_OK) != 0) {
        struct pollfd stop = {.fd = run->signal_fd, .events = POLLIN};
        RG_CHECK(now().mono.ms < until, why, RG_IO, "notary-away", "the notary does not start");
        run->stopping = poll(&stop, 1, 2) == 1;
        RG_CHECK(!run->stopping, why, RG_AGAIN, "stopped", "told to stop while starting");
    }
    return rg_ok();
}

static rg_outcome open_bus(struct run *run, struct rg_reason *why)
{
    struct rg_config_path notary = rg_config_notary_socket(run->config);
    RG_TRY(rg_bus_new(&run->bus, why));
    RG_TRY(rg_bus_router(run->bus, &run->router, why));
    return rg_bus_request_open(run->bus, notary.text, &run->notary, why);
}

static rg_outcome open_courier(struct run *run, struct rg_reason *why)
{
    const struct rg_config *config = run->config;
    struct rg_courier_options options = {
        .exercise = config->exercise,
        .log_epoch = run->options->log_epoch,
        .software = "referral-gateway",
        .skew_ms_max = config->limits.clock_skew_ms_max,
        .lifetime_ms_max = config->limits.lifetime_ms_max,
        .keep_ms_max = config->limits.keep_ms_max,
        .retention_ms = config->limits.retention_ms > 0 ? config->limits.retention_ms : 1,
        .emergency_per_day = config->limits.emergency_messages_day,
        .quota_per_day = config->limits.office_messages_day,
        .envelope_bytes_max = (size_t)config->limits.envelope_bytes_max,
        .trust = run->trust,
        .store = run->store,
        .random = random_bytes,
    };
    (void)snprintf(options.country, sizeof(options.country), "%s", config->country);
    RG_TRY(rg_courier_new(&options, now(), &run->courier, why));
    return read_trust_folder(run, why);
}

static rg_outcome open_all(struct run *run, struct rg_reason *why)
{
    const struct rg_sandbox sandbox = {
        .user = &run->config->user_courier, .files_max = FILES_MAX, .parent = run->options->parent};
    RG_TRY(open_signals(run, why));
    RG_TRY(open_trust(run, why));
    RG_TRY(rg_sandbox_enter(&sandbox, why));
    RG_TRY(rg_ops_listen(rg_config_status_path(run->config).text, &run->status_fd, why));
    RG_TRY(wait_for_notary(run, why));
    RG_TRY(open_store(run, why));
    RG_TRY(open_bus(run, why));
    return open_courier(run, why);
}

static void close_all(struct run *run)
{
    rg_courier_free(run->courier);
    rg_socket_free(run->router);
    rg_socket_free(run->notary);
    rg_bus_free(run->bus);
    rg_trust_free(run->trust);
    if (run->store != NULL) {
        run->store->ops->close(run->store);
    }
    const int fds[] = {run->link_fd, run->signal_fd, run->status_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    rg_buffer_drop(&run->frame);
    rg_buffer_drop(&run->order);
    rg_buffer_drop(&run->answer);
}

static int fail_with(const struct rg_reason *why, rg_outcome outcome)
{
    rg_event(RG_EVENT_COURIER_FAILED, .outcome = why);
    return outcome.code == RG_DENIED || outcome.code == RG_MALFORMED ? EXIT_CONFIG : EXIT_SOFTWARE;
}

int rg_run_courier(const struct rg_run_courier *options)
{
    static struct run run; /* large; one per process */
    struct rg_reason why = {0};
    int status = 0;
    run = (struct run){.options = options,
                       .config = options->config,
                       .link_fd = -1,
                       .signal_fd = -1,
                       .status_fd = -1,
                       .started = now().mono};
    rg_event_open("courier");
    rg_outcome outcome = open_all(&run, &why);
    if (!rg_is_ok(outcome)) {
        status = run.stopping ? 0 : fail_with(&why, outcome);
        close_all(&run);
        return status;
    }
    struct rg_courier_status counts;
    outcome = finish_batch(&run, &why);
    rg_courier_status(run.courier, &counts);
    rg_event(RG_EVENT_COURIER_READY, .size = counts.log_size,
             .span_ms = now().mono.ms - run.started.ms);
    while (rg_is_ok(outcome) && !run.stopping) {
        outcome = turn(&run, &why);
    }
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_COURIER_FAILED, .outcome = &why);
        status = EXIT_SOFTWARE;
    }
    close_all(&run);
    return status;
}
