/*
 * How it works: callbacks of core/session become events to the courier, orders of the courier
 * become calls of core/session, and a tick dials what should be dialled. Invariants: READY is the
 * first datagram; events leave in the order in which they happened, so while one waits for room
 * all later ones wait behind it, and nothing that could make new ones is begun; the courier is
 * believed about nothing but when to close: documents are checked here again.
 */
#include "gateway/run_link.h"

#include "core/digest.h"
#include "core/session.h"
#include "core/tcp.h"
#include "core/wire.h"
#include "gateway/event.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100
#define DIAL_MS_MIN 200
#define DIAL_MS_MAX 60000
#define ORDERS_PER_WAKE 64
#define ORDER_BYTES_MAX (RG_DOCUMENT_BYTES_MAX + 64 * RG_KIB) /* a document and its signatures */
#define SOCKET_BYTES (1024 * RG_KIB)                          /* as far as the system allows */
#define NAME_CHARS 24                                         /* of a session's socket: its id */

struct partner { /* a country we may dial */
    char country[RG_COUNTRY_BYTES];
    char gateway[RG_PRINCIPAL_BYTES];
    size_t sessions; /* with its gateway, whoever dialled */
    bool dialling;
    size_t endpoint; /* the next one to try */
    int back_off_ms;
    int64_t next_ms; /* not before */
};

struct peer { /* an open session */
    struct peer *next;
    struct rg_session_id id;
    char principal[RG_PRINCIPAL_BYTES];
};

struct waiting { /* an event that found no room */
    struct waiting *next;
    struct rg_buffer bytes;
};

struct link {
    struct rg_run_link_options options;
    struct rg_loop *loop;
    struct rg_sessions *sessions;
    struct partner partner[RG_COUNTRIES_MAX];
    size_t partner_count;
    struct peer *peers;
    struct waiting *first, **last;
    bool judge_again;
    int status;
    uint8_t order[ORDER_BYTES_MAX];
};

static struct rg_wall wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct rg_wall){.ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

static int64_t mono_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void end(struct link *link, int status)
{
    link->status = status;
    rg_loop_stop(link->loop);
}

static void end_failed(struct link *link, const struct rg_reason *why)
{
    rg_event(RG_EVENT_LINK_FAILED, .outcome = why);
    end(link, 1);
}

/* ---- events to the courier ---- */

/* True: nothing waits any more. */
static bool events_flush(struct link *link)
{
    while (link->first != NULL) {
        struct waiting *waiting = link->first;
        ssize_t sent = send(link->options.courier_fd, waiting->bytes.data, waiting->bytes.len,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)) {
            return false;
        }
        if (sent < 0) {
            end(link, 0); /* the courier is gone; reading says so too */
            return false;
        }
        link->first = waiting->next;
        rg_buffer_drop(&waiting->bytes);
        free(waiting);
    }
    link->last = &link->first;
    return true;
}

static void events_release(struct link *link)
{
    while (link->first != NULL) {
        struct waiting *waiting = link->first;
        link->first = waiting->next;
        rg_buffer_drop(&waiting->bytes);
        free(waiting);
    }
}

/* What waits is bounded: while anything does, no session is begun, so at most an UP and a GONE for
 * each one there is. */
static void event_send(struct link *link, const struct rg_link_event *event)
{
    struct rg_reason why;
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL) {
        (void)rg_fail(&why, RG_IO, "out-of-memory", "no memory for an event");
        end_failed(link, &why);
        return;
    }
    if (!rg_is_ok(rg_link_event_encode(event, &waiting->bytes, &why))) {
        free(waiting);
        end_failed(link, &why);
        return;
    }
    *link->last = waiting;
    link->last = &waiting->next;
    rg_sessions_pause(link->sessions, !events_flush(link));
}

/* ---- partners ---- */

static struct partner *partner_of(struct link *link, const char *principal)
{
    for (size_t i = 0; i < link->partner_count; i++) {
        if (strcmp(link->partner[i].gateway, principal) == 0) {
            return &link->partner[i];
        }
    }
    return NULL;
}

static struct partner *partner_add(struct link *link, const char *country)
{
    char gateway[RG_PRINCIPAL_BYTES];
    (void)snprintf(gateway, sizeof(gateway), "referral://%s/gateway", country);
    struct partner *partner = partner_of(link, gateway);
    if (partner != NULL || link->partner_count == RG_COUNTRIES_MAX) {
        return partner;
    }
    partner = &link->partner[link->partner_count++];
    memcpy(partner->gateway, gateway, sizeof(gateway));
    (void)snprintf(partner->country, sizeof(partner->country), "%s", country);
    partner->back_off_ms = link->options.dial_ms_min;
    /* Of two sessions the one dialled by the country that sorts first stays, so it goes first. */
    bool first = strcmp(link->options.country, country) < 0;
    partner->next_ms = mono_now_ms() + (first ? 0 : 2 * (int64_t)link->options.dial_ms_min);
    return partner;
}

static int64_t jitter_ms(int64_t span_ms)
{
    uint32_t random;
    rg_random(&random, sizeof(random));
    return span_ms / 2 + (int64_t)(random % (uint32_t)(span_ms / 2 + 1));
}

/* After each failure and each end; only the courier's word that a Hello came makes it short again.
 */
static void back_off(struct link *link, struct partner *partner)
{
    int doubled = partner->back_off_ms * 2;
    partner->next_ms = mono_now_ms() + jitter_ms(partner->back_off_ms);
    partner->back_off_ms =
        doubled < link->options.dial_ms_max ? doubled : link->options.dial_ms_max;
}

static void dial_failed(struct link *link, struct partner *partner, const struct rg_reason *why)
{
    rg_event(RG_EVENT_DIAL_FAILED, .peer = partner->gateway, .outcome = why);
    partner->dialling = false;
    partner->endpoint++;
    back_off(link, partner);
}

static void partner_dial(struct link *link, struct partner *partner, const struct rg_country *to)
{
    const struct rg_endpoint *at = &to->endpoint[partner->endpoint % to->endpoint_count];
    struct rg_reason why;
    partner->dialling = true;
    if (!rg_is_ok(rg_sessions_dial(link->sessions, at->host, at->port, partner->gateway, &why))) {
        dial_failed(link, partner, &why);
    }
}

static void partners_dial(struct link *link)
{
    int64_t now_ms = mono_now_ms();
    const struct rg_country *to;
    for (size_t i = 0; (to = rg_trust_country_at(link->options.trust, i)) != NULL; i++) {
        if (strcmp(to->code, link->options.country) == 0 || to->suspended ||
            to->endpoint_count == 0) {
            continue;
        }
        struct partner *partner = partner_add(link, to->code);
        if (partner != NULL && partner->sessions == 0 && !partner->dialling &&
            now_ms >= partner->next_ms) {
            partner_dial(link, partner, to);
        }
    }
}

/* ---- what sessions say ---- */

static rg_outcome judge(void *context, struct rg_bytes der, struct rg_principal *out,
                        struct rg_reason *why)
{
    struct link *link = context;
    RG_OWNED_CERTIFICATE *certificate = NULL;
    struct rg_verdict verdict = {0};
    struct rg_wall now = wall_now();
    RG_TRY(rg_certificate_parse(der, &certificate, why));
    RG_TRY(rg_trust_judge(link->options.trust, certificate, RG_USE_TLS, now, now, &verdict, why));
    bool ours = strcmp(verdict.principal.country, link->options.country) == 0;
    RG_CHECK(verdict.principal.gateway != ours, why, RG_DENIED, "certificate-wrong-country",
             "only other countries' gateways and our own offices connect here");
    *out = verdict.principal;
    return rg_ok();
}

static void up(void *context, const struct rg_session_up *session)
{
    struct link *link = context;
    struct rg_link_event event = {
        .kind = RG_LINK_UP, .dialled = session->dialled, .certificate = session->certificate};
    struct peer *peer = calloc(1, sizeof(*peer));
    struct partner *partner = partner_of(link, session->principal.text);
    if (partner != NULL && session->dialled) {
        partner->dialling = false;
    }
    if (peer == NULL) {
        rg_sessions_close(link->sessions, session->id, "out-of-memory");
        return;
    }
    peer->id = session->id;
    memcpy(peer->principal, session->principal.text, sizeof(peer->principal));
    peer->next = link->peers;
    link->peers = peer;
    if (session->principal.gateway && partner == NULL) {
        partner = partner_add(link, session->principal.country);
    }
    if (partner != NULL) {
        partner->sessions++;
    }
    memcpy(event.session, session->id.b, sizeof(event.session));
    memcpy(event.principal, session->principal.text, sizeof(event.principal));
    (void)snprintf(event.socket_path, sizeof(event.socket_path), "%s", session->socket_path);
    rg_event(RG_EVENT_SESSION_UP, .peer = peer->principal, .session = peer->id.b,
             .dialled = session->dialled);
    event_send(link, &event);
}

static struct peer **peer_find(struct link *link, const uint8_t id[12])
{
    struct peer **at = &link->peers;
    while (*at != NULL && memcmp((*at)->id.b, id, 12) != 0) {
        at = &(*at)->next;
    }
    return at;
}

static void gone(void *context, struct rg_session_id id, const char *reason)
{
    struct link *link = context;
    struct rg_link_event event = {.kind = RG_LINK_GONE};
    struct peer **at = peer_find(link, id.b);
    struct peer *peer = *at;
    if (peer == NULL) {
        return; /* `up` could not keep it, and told nobody */
    }
    *at = peer->next;
    struct partner *partner = partner_of(link, peer->principal);
    if (partner != NULL) {
        partner->sessions--;
        back_off(link, partner);
    }
    rg_event(RG_EVENT_SESSION_GONE, .peer = peer->principal, .session = id.b, .reason = reason);
    memcpy(event.session, id.b, sizeof(event.session));
    (void)snprintf(event.reason, sizeof(event.reason), "%s", reason);
    free(peer);
    event_send(link, &event);
}

static void refused(void *context, bool dialled, const char *who, const struct rg_reason *why)
{
    struct link *link = context;
    struct partner *partner = dialled ? partner_of(link, who) : NULL;
    if (partner != NULL) {
        dial_failed(link, partner, why);
        return;
    }
    rg_event(RG_EVENT_SESSION_REFUSED, .peer = who, .outcome = why);
}

/* ---- what the courier says ---- */

static void order_close(struct link *link, const struct rg_link_order *order)
{
    struct rg_session_id id;
    memcpy(id.b, order->session, sizeof(id.b));
    rg_sessions_close(link->sessions, id, order->reason);
}

static void order_hello_seen(struct link *link, const struct rg_link_order *order)
{
    const struct peer *peer = *peer_find(link, order->session);
    struct partner *partner = peer != NULL ? partner_of(link, peer->principal) : NULL;
    if (partner != NULL) {
        partner->back_off_ms = link->options.dial_ms_min;
    }
}

static rg_outcome document_of(const struct rg_link_order *order, struct rg_document *out,
                              struct rg_reason *why)
{
    out->kind = order->document_kind;
    (void)snprintf(out->country, sizeof(out->country), "%s", order->country);
    RG_TRY(rg_buffer_append(&out->text, order->text, why));
    for (size_t i = 0; i < order->signature_count; i++) {
        RG_TRY(rg_buffer_append(&out->signature[i], order->signature[i], why));
        out->signature_count++;
    }
    return rg_ok();
}

static void order_trust(struct link *link, const struct rg_link_order *order)
{
    RG_CLEANUP(rg_document_drop) struct rg_document document = {0};
    struct rg_reason why = {0};
    enum rg_news news = RG_NEWS_NONE;
    rg_outcome outcome = document_of(order, &document, &why);
    if (rg_is_ok(outcome)) {
        outcome = rg_trust_offer(link->options.trust, &document, wall_now(), &news, &why);
    }
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_DOCUMENT_REFUSED, .name = "from-courier", .country = order->country,
                 .outcome = &why);
        return;
    }
    link->judge_again = link->judge_again || news == RG_NEWS_NEW;
}

static void (*const orders[])(struct link *link, const struct rg_link_order *order) = {
    [RG_LINK_CLOSE] = order_close,
    [RG_LINK_HELLO_SEEN] = order_hello_seen,
    [RG_LINK_TRUST] = order_trust,
};

/* False: no more now. */
static bool order_take(struct link *link)
{
    RG_OWNED_BUFFER memory = {0};
    struct rg_link_order order;
    struct rg_reason why = {0};
    ssize_t len =
        recv(link->options.courier_fd, link->order, sizeof(link->order), MSG_DONTWAIT | MSG_TRUNC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (len <= 0) {
        end(link, 0);
        return false;
    }
    rg_outcome outcome =
        (size_t)len > sizeof(link->order)
            ? rg_fail(&why, RG_LIMIT, "order-too-large", "an order of %zd bytes", len)
            : rg_link_order_decode(rg_bytes_of(link->order, (size_t)len), &order, &memory, &why);
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_PEER_PROCESS_GARBAGE, .name = "courier", .outcome = &why);
        end(link, 1);
        return false;
    }
    orders[order.kind](link, &order);
    return true;
}

static void courier_ready(void *context)
{
    struct link *link = context;
    for (int i = 0; i < ORDERS_PER_WAKE && order_take(link); i++) {
    }
    if (link->judge_again) {
        link->judge_again = false;
        rg_sessions_judge_again(link->sessions);
    }
}

/* ---- the whole ---- */

static void tick(void *context)
{
    struct link *link = context;
    bool room = events_flush(link);
    rg_sessions_pause(link->sessions, !room);
    if (room && link->options.dial) {
        partners_dial(link);
    }
}

static void judge_tick(void *context)
{
    struct link *link = context;
    rg_sessions_judge_again(link->sessions);
}

/* Sockets that a killed link left behind. */
static void folder_clean(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strspn(entry->d_name, "0123456789abcdef") == NAME_CHARS &&
            entry->d_name[NAME_CHARS] == '\0') {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static void ready_send(struct link *link, uint16_t port)
{
    struct rg_link_event ready = {.kind = RG_LINK_READY, .port = port};
    rg_sessions_start(link->sessions, ready.start);
    event_send(link, &ready);
    rg_event(RG_EVENT_LINK_READY, .port = port);
}

static rg_outcome sessions_open(struct link *link, struct rg_reason *why)
{
    const struct rg_run_link_options *from = &link->options;
    const struct rg_sessions_options options = {
        .certificate = from->certificate,
        .key = from->key,
        .socket_folder = from->socket_folder,
        .context = link,
        .judge = judge,
        .up = up,
        .gone = gone,
        .refused = refused,
        .sessions_max = from->sessions_max,
        .sessions_per_address = from->sessions_per_address,
        .sessions_per_principal = from->sessions_per_principal,
        .hello_ms_max = from->hello_ms_max,
    };
    int listen_fd = from->listen_fd;
    uint16_t port = listen_fd >= 0 ? rg_tcp_port(listen_fd) : 0;
    RG_TRY(rg_sessions_new(link->loop, &options, &link->sessions, why));
    if (listen_fd >= 0) {
        link->options.listen_fd = -1; /* taken */
        RG_TRY(rg_sessions_listen(link->sessions, listen_fd, why));
    }
    ready_send(link, port);
    return rg_ok();
}

static rg_outcome run(struct link *link, struct rg_reason *why)
{
    int bytes = SOCKET_BYTES;
    (void)setsockopt(link->options.courier_fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    link->loop = rg_loop_new();
    RG_CHECK(link->loop != NULL, why, RG_IO, "out-of-memory", "no memory for a loop");
    folder_clean(link->options.socket_folder);
    RG_TRY(sessions_open(link, why));
    RG_TRY(rg_loop_watch(link->loop, link->options.courier_fd, courier_ready, link, why));
    RG_TRY(rg_loop_timer(link->loop, TICK_MS, tick, link, why));
    RG_TRY(rg_loop_timer(link->loop, RG_LINK_JUDGE_MS, judge_tick, link, why));
    return rg_loop_run(link->loop, why);
}

static void release(struct link *link)
{
    rg_sessions_free(link->sessions);
    rg_loop_free(link->loop);
    events_release(link);
    while (link->peers != NULL) {
        struct peer *peer = link->peers;
        link->peers = peer->next;
        free(peer);
    }
    if (link->options.listen_fd >= 0) {
        (void)close(link->options.listen_fd);
    }
    (void)close(link->options.courier_fd);
    free(link);
}

int rg_run_link(const struct rg_run_link_options *options)
{
    struct rg_reason why = {0};
    struct link *link = calloc(1, sizeof(*link));
    if (link == NULL) {
        (void)rg_fail(&why, RG_IO, "out-of-memory", "no memory for link");
        rg_event(RG_EVENT_LINK_FAILED, .outcome = &why);
        return 1;
    }
    link->options = *options;
    link->options.dial_ms_min = options->dial_ms_min != 0 ? options->dial_ms_min : DIAL_MS_MIN;
    link->options.dial_ms_max = options->dial_ms_max != 0 ? options->dial_ms_max : DIAL_MS_MAX;
    link->last = &link->first;
    if (!rg_is_ok(run(link, &why))) {
        rg_event(RG_EVENT_LINK_FAILED, .outcome = &why);
        link->status = 1;
    }
    int status = link->status;
    release(link);
    return status;
}
