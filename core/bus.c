/*
 * How it works: one struct wraps one ZeroMQ socket; every option that matters is set in one table
 * per kind of socket, nothing is left to a default. Invariant of a ROUTER: libzmq aborts the
 * process when a routing id repeats, so `ids` remembers, for each start number seen, the highest
 * counter used, and rg_bus_connect refuses anything that is not above it. Invariant of a REQ: it is
 * either idle or waits for one answer; when that is given up the socket is made anew, so an answer
 * that comes late meets nobody.
 */
#include "core/bus.h"

#include "core/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <zmq.h>

#define HEARTBEAT_MS 60000
#define HEARTBEAT_TIMEOUT_MS 120000
#define HANDSHAKE_MS 10000
#define STARTS_MAX 4096 /* restarts of link one courier can see before it starts anew itself */
#define WAIT_ITEMS_MAX 16
#define ENDPOINT_BYTES (sizeof("ipc://") + sizeof(((struct sockaddr_un *)0)->sun_path))

struct rg_bus {
    void *context;
};

struct start {
    uint8_t number[4];
    uint64_t counter; /* the highest one used */
};

struct rg_socket {
    void *zmq;
    struct rg_bus *bus;
    char endpoint[ENDPOINT_BYTES];
    struct start *starts; /* ROUTER only */
    size_t start_count;
};

struct option {
    int name;
    int value;
};

/* Towards foreign peers, through link. A reconnect would be a new session: never. */
static const struct option router_options[] = {
    {ZMQ_LINGER, 0},
    {ZMQ_ROUTER_MANDATORY, 1},
    {ZMQ_ROUTER_HANDOVER, 0},
    {ZMQ_SNDHWM, RG_BUS_HWM},
    {ZMQ_RCVHWM, RG_BUS_HWM},
    {ZMQ_SNDTIMEO, 0},
    {ZMQ_RCVTIMEO, 0},
    {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
    {ZMQ_RECONNECT_IVL, -1},
    {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
    {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
    {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS},
    {ZMQ_IMMEDIATE, 0},
};

/* Between processes of one gateway; a REQ may find its server not yet there. */
static const struct option local_options[] = {
    {ZMQ_LINGER, 0},          {ZMQ_SNDHWM, RG_BUS_HWM},
    {ZMQ_RCVHWM, RG_BUS_HWM}, {ZMQ_SNDTIMEO, 0},
    {ZMQ_RCVTIMEO, 0},        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
    {ZMQ_RECONNECT_IVL, 20},  {ZMQ_RECONNECT_IVL_MAX, 500},
    {ZMQ_HEARTBEAT_IVL, 0},   {ZMQ_IMMEDIATE, 0},
};

static rg_outcome zmq_failed(struct rg_reason *why, enum rg_code code, const char *id)
{
    return rg_fail(why, code, id, "%s", zmq_strerror(zmq_errno()));
}

/* ---- contexts and sockets ---- */

rg_outcome rg_bus_new(struct rg_bus **out, struct rg_reason *why)
{
    struct rg_bus *bus = calloc(1, sizeof(*bus));
    RG_CHECK(bus != NULL, why, RG_IO, "out-of-memory", "no memory for a bus");
    bus->context = zmq_ctx_new();
    if (bus->context == NULL) {
        free(bus);
        return zmq_failed(why, RG_IO, "bus-context");
    }
    (void)zmq_ctx_set(bus->context, ZMQ_IO_THREADS, 1);
    (void)zmq_ctx_set(bus->context, ZMQ_BLOCKY, 0);
    *out = bus;
    return rg_ok();
}

void rg_bus_free(struct rg_bus *bus)
{
    if (bus == NULL) {
        return;
    }
    while (zmq_ctx_term(bus->context) != 0 && zmq_errno() == EINTR) {
    }
    free(bus);
}

void rg_socket_free(struct rg_socket *socket)
{
    if (socket == NULL) {
        return;
    }
    if (socket->zmq != NULL) {
        (void)zmq_close(socket->zmq);
    }
    free(socket->starts);
    free(socket);
}

static rg_outcome options_set(void *zmq, const struct option *option, size_t count,
                              struct rg_reason *why)
{
    for (size_t i = 0; i < count; i++) {
        if (zmq_setsockopt(zmq, option[i].name, &option[i].value, sizeof(option[i].value)) != 0) {
            return zmq_failed(why, RG_IO, "bus-option");
        }
    }
    int64_t message_bytes_max = RG_FRAME_BYTES_MAX;
    if (zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &message_bytes_max, sizeof(message_bytes_max)) != 0) {
        return zmq_failed(why, RG_IO, "bus-option");
    }
    return rg_ok();
}

static rg_outcome zmq_open(struct rg_socket *socket, int type, struct rg_reason *why)
{
    bool router = type == ZMQ_ROUTER;
    socket->zmq = zmq_socket(socket->bus->context, type);
    if (socket->zmq == NULL) {
        return zmq_failed(why, RG_IO, "bus-socket");
    }
    const struct option *options = router ? router_options : local_options;
    size_t count = router ? sizeof(router_options) / sizeof(router_options[0])
                          : sizeof(local_options) / sizeof(local_options[0]);
    return options_set(socket->zmq, options, count, why);
}

/* NULL with a reason. */
static struct rg_socket *socket_new(struct rg_bus *bus, int type, struct rg_reason *why)
{
    struct rg_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        (void)rg_fail(why, RG_IO, "out-of-memory", "no memory for a socket");
        return NULL;
    }
    socket->bus = bus;
    if (!rg_is_ok(zmq_open(socket, type, why))) {
        rg_socket_free(socket);
        return NULL;
    }
    return socket;
}

static rg_outcome endpoint_of(const char *path, char out[ENDPOINT_BYTES], struct rg_reason *why)
{
    size_t len = strlen(path);
    RG_CHECK(len > 0 && len < sizeof(((struct sockaddr_un *)0)->sun_path), why, RG_LIMIT,
             "bus-path", "a unix socket's path has at most 107 bytes, this one has %zu", len);
    (void)snprintf(out, ENDPOINT_BYTES, "ipc://%s", path);
    return rg_ok();
}

/* ---- ROUTER ---- */

rg_outcome rg_bus_router(struct rg_bus *bus, struct rg_socket **out, struct rg_reason *why)
{
    struct rg_socket *socket = socket_new(bus, ZMQ_ROUTER, why);
    if (socket == NULL) {
        return (rg_outcome){.code = RG_IO};
    }
    *out = socket;
    return rg_ok();
}

static uint64_t counter_of(const struct rg_session_id *id)
{
    uint64_t counter = 0;
    for (size_t i = 4; i < sizeof(id->b); i++) {
        counter = counter << 8 | id->b[i];
    }
    return counter;
}

static struct start *start_find(struct rg_socket *router, const uint8_t number[4])
{
    for (size_t i = router->start_count; i > 0; i--) {
        if (memcmp(router->starts[i - 1].number, number, 4) == 0) {
            return &router->starts[i - 1];
        }
    }
    return NULL;
}

/* NULL: no room for another one. */
static struct start *start_add(struct rg_socket *router, const uint8_t number[4])
{
    struct start *grown =
        router->start_count == STARTS_MAX
            ? NULL
            : realloc(router->starts, (router->start_count + 1) * sizeof(*router->starts));
    if (grown == NULL) {
        return NULL;
    }
    router->starts = grown;
    struct start *start = &grown[router->start_count++];
    memcpy(start->number, number, 4);
    start->counter = 0;
    return start;
}

/* The worry: a routing id that is in use makes libzmq abort, and "in use" lasts for an unknown time
 * after a disconnect. The answer: an id is used once in the life of a ROUTER. */
static rg_outcome id_use(struct rg_socket *router, const struct rg_session_id *id,
                         struct rg_reason *why)
{
    struct start *start = start_find(router, id->b);
    if (start == NULL) {
        start = start_add(router, id->b);
    }
    RG_CHECK(start != NULL, why, RG_BROKEN, "bus-starts",
             "after %zu starts of link this process must start anew", router->start_count);
    uint64_t counter = counter_of(id);
    RG_CHECK(counter > start->counter, why, RG_DENIED, "bus-id-used",
             "a session id was used a second time");
    start->counter = counter;
    return rg_ok();
}

rg_outcome rg_bus_connect(struct rg_socket *router, struct rg_session_id id, const char *path,
                          struct rg_reason *why)
{
    char endpoint[ENDPOINT_BYTES];
    RG_TRY(endpoint_of(path, endpoint, why));
    RG_TRY(id_use(router, &id, why));
    if (zmq_setsockopt(router->zmq, ZMQ_CONNECT_ROUTING_ID, id.b, sizeof(id.b)) != 0) {
        return zmq_failed(why, RG_IO, "bus-connect");
    }
    if (zmq_connect(router->zmq, endpoint) != 0) {
        return zmq_failed(why, RG_IO, "bus-connect");
    }
    return rg_ok();
}

void rg_bus_disconnect(struct rg_socket *router, const char *path)
{
    char endpoint[ENDPOINT_BYTES];
    if (rg_is_ok(endpoint_of(path, endpoint, NULL))) {
        (void)zmq_disconnect(router->zmq, endpoint); /* ENOENT: gone by itself already */
    }
}

static bool retry_send(void *zmq, const void *data, size_t len, int flags)
{
    int sent;
    do {
        sent = zmq_send(zmq, data, len, flags | ZMQ_DONTWAIT);
    } while (sent < 0 && zmq_errno() == EINTR);
    return sent >= 0;
}

rg_outcome rg_bus_send(struct rg_socket *router, struct rg_session_id id, struct rg_bytes bytes,
                       struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_FRAME_BYTES_MAX, why, RG_LIMIT, "bus-frame-too-large",
             "a frame has at most %d bytes", RG_FRAME_BYTES_MAX);
    if (!retry_send(router->zmq, id.b, sizeof(id.b), ZMQ_SNDMORE)) {
        bool full = zmq_errno() == EAGAIN;
        return zmq_failed(why, full ? RG_AGAIN : RG_IO, full ? "bus-full" : "bus-gone");
    }
    if (!retry_send(router->zmq, bytes.data, bytes.len, 0)) {
        return zmq_failed(why, RG_BROKEN, "bus-half-sent");
    }
    return rg_ok();
}

static bool more_follows(void *zmq)
{
    int more = 0;
    size_t size = sizeof(more);
    return zmq_getsockopt(zmq, ZMQ_RCVMORE, &more, &size) == 0 && more != 0;
}

static void parts_skip(void *zmq)
{
    while (more_follows(zmq)) {
        if (zmq_recv(zmq, NULL, 0, ZMQ_DONTWAIT) < 0 && zmq_errno() != EINTR) {
            return;
        }
    }
}

static rg_outcome part_receive(void *zmq, zmq_msg_t *part, struct rg_reason *why)
{
    while (zmq_msg_recv(part, zmq, ZMQ_DONTWAIT) < 0) {
        if (zmq_errno() == EAGAIN) {
            return zmq_failed(why, RG_AGAIN, "bus-empty");
        }
        if (zmq_errno() != EINTR) {
            return zmq_failed(why, RG_BROKEN, "bus-receive");
        }
    }
    return rg_ok();
}

static void part_drop(zmq_msg_t *part)
{
    (void)zmq_msg_close(part);
}

static rg_outcome part_copy(zmq_msg_t *part, struct rg_buffer *out, struct rg_reason *why)
{
    rg_buffer_clear(out);
    return rg_buffer_append(out, rg_bytes_of(zmq_msg_data(part), zmq_msg_size(part)), why);
}

/* One message off the ROUTER. `kept` says whether it had the only lawful shape: id, one frame. */
static rg_outcome message_receive(struct rg_socket *router, struct rg_session_id *id,
                                  struct rg_buffer *out, bool *kept, struct rg_reason *why)
{
    RG_CLEANUP(part_drop) zmq_msg_t part;
    (void)zmq_msg_init(&part);
    *kept = false;
    RG_TRY(part_receive(router->zmq, &part, why));
    bool known = zmq_msg_size(&part) == sizeof(id->b) && more_follows(router->zmq);
    if (known) {
        memcpy(id->b, zmq_msg_data(&part), sizeof(id->b));
        RG_TRY(part_receive(router->zmq, &part, why));
        *kept = !more_follows(router->zmq);
    }
    parts_skip(router->zmq);
    return *kept ? part_copy(&part, out, why) : rg_ok();
}

rg_outcome rg_bus_receive(struct rg_socket *router, struct rg_session_id *id_out,
                          struct rg_buffer *out, struct rg_reason *why)
{
    struct rg_session_id id;
    bool kept;
    do {
        RG_TRY(message_receive(router, &id, out, &kept, why));
    } while (!kept);
    *id_out = id;
    return rg_ok();
}

int rg_bus_fd(const struct rg_socket *socket)
{
    int fd = -1;
    size_t size = sizeof(fd);
    (void)zmq_getsockopt(socket->zmq, ZMQ_FD, &fd, &size);
    return fd;
}

bool rg_bus_ready(const struct rg_socket *socket)
{
    int events = 0;
    size_t size = sizeof(events);
    return zmq_getsockopt(socket->zmq, ZMQ_EVENTS, &events, &size) == 0 &&
           (events & ZMQ_POLLIN) != 0;
}

/* ---- REQ and REP ---- */

static rg_outcome local_open(struct rg_bus *bus, const char *path, int type, struct rg_socket **out,
                             struct rg_reason *why)
{
    char endpoint[ENDPOINT_BYTES];
    RG_TRY(endpoint_of(path, endpoint, why));
    struct rg_socket *socket = socket_new(bus, type, why);
    if (socket == NULL) {
        return (rg_outcome){.code = RG_IO};
    }
    (void)snprintf(socket->endpoint, sizeof(socket->endpoint), "%s", endpoint);
    int result =
        type == ZMQ_REP ? zmq_bind(socket->zmq, endpoint) : zmq_connect(socket->zmq, endpoint);
    if (result != 0) {
        rg_outcome outcome = zmq_failed(why, RG_IO, type == ZMQ_REP ? "bus-bind" : "bus-connect");
        rg_socket_free(socket);
        return outcome;
    }
    *out = socket;
    return rg_ok();
}

rg_outcome rg_bus_request_open(struct rg_bus *bus, const char *path, struct rg_socket **out,
                               struct rg_reason *why)
{
    return local_open(bus, path, ZMQ_REQ, out, why);
}

rg_outcome rg_bus_answer_open(struct rg_bus *bus, const char *path, struct rg_socket **out,
                              struct rg_reason *why)
{
    return local_open(bus, path, ZMQ_REP, out, why);
}

/* What zmq_close takes stays taken, also when making it anew fails: then there is no socket. */
rg_outcome rg_bus_give_up(struct rg_socket *socket, struct rg_reason *why)
{
    if (socket->zmq != NULL) {
        (void)zmq_close(socket->zmq);
        socket->zmq = NULL;
    }
    RG_TRY(zmq_open(socket, ZMQ_REQ, why));
    if (zmq_connect(socket->zmq, socket->endpoint) != 0) {
        return zmq_failed(why, RG_BROKEN, "bus-connect");
    }
    return rg_ok();
}

rg_outcome rg_bus_take(struct rg_socket *socket, struct rg_buffer *out, struct rg_reason *why)
{
    RG_CLEANUP(part_drop) zmq_msg_t part;
    (void)zmq_msg_init(&part);
    RG_TRY(part_receive(socket->zmq, &part, why));
    bool lone = !more_follows(socket->zmq);
    parts_skip(socket->zmq);
    RG_CHECK(lone, why, RG_MALFORMED, "bus-parts", "a message between our processes has one part");
    return part_copy(&part, out, why);
}

rg_outcome rg_bus_answer(struct rg_socket *socket, struct rg_bytes answer, struct rg_reason *why)
{
    if (!retry_send(socket->zmq, answer.data, answer.len, 0)) {
        return zmq_failed(why, RG_IO, "bus-answer");
    }
    return rg_ok();
}

rg_outcome rg_bus_ask(struct rg_socket *socket, struct rg_bytes request, struct rg_reason *why)
{
    if (!retry_send(socket->zmq, request.data, request.len, 0)) {
        return zmq_failed(why, RG_IO, "bus-request");
    }
    return rg_ok();
}

static rg_outcome request_once(struct rg_socket *socket, struct rg_bytes request, int wait_ms,
                               struct rg_buffer *answer, struct rg_reason *why)
{
    RG_TRY(rg_bus_ask(socket, request, why));
    zmq_pollitem_t item = {.socket = socket->zmq, .events = ZMQ_POLLIN};
    int ready = zmq_poll(&item, 1, wait_ms);
    RG_CHECK(ready > 0, why, RG_IO, ready == 0 ? "bus-timeout" : "bus-interrupted",
             "no answer within %d ms", wait_ms);
    return rg_bus_take(socket, answer, why);
}

rg_outcome rg_bus_request(struct rg_socket *socket, struct rg_bytes request, int wait_ms,
                          struct rg_buffer *answer_out, struct rg_reason *why)
{
    rg_outcome outcome = request_once(socket, request, wait_ms, answer_out, why);
    if (!rg_is_ok(outcome)) {
        RG_TRY(rg_bus_give_up(socket, why));
    }
    return outcome;
}

/* ---- waiting ---- */

rg_outcome rg_bus_wait(struct rg_bus *bus, struct rg_bus_item *item, size_t count, int wait_ms,
                       struct rg_reason *why)
{
    (void)bus;
    zmq_pollitem_t poll[WAIT_ITEMS_MAX] = {0};
    RG_CHECK(count <= WAIT_ITEMS_MAX, why, RG_LIMIT, "bus-wait", "waits for at most %d things",
             WAIT_ITEMS_MAX);
    for (size_t i = 0; i < count; i++) {
        poll[i].socket = item[i].socket != NULL ? item[i].socket->zmq : NULL;
        poll[i].fd = item[i].fd;
        poll[i].events = ZMQ_POLLIN;
        item[i].ready = false;
    }
    if (zmq_poll(poll, (int)count, wait_ms) < 0) {
        return zmq_errno() == EINTR ? rg_ok() : zmq_failed(why, RG_BROKEN, "bus-wait");
    }
    for (size_t i = 0; i < count; i++) {
        item[i].ready = poll[i].revents != 0;
    }
    return rg_ok();
}
