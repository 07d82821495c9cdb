/* bus: ids are ours and are used once, full and gone differ, one frame per message, REQ survives
 * a server that is away. The peer is a stock libzmq socket. */
#include "core/bus.h"
#include "core/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

struct world {
    char folder[64];
    char path[96];
    struct rg_bus *bus;
    struct rg_socket *router;
    void *context;
    void *peer;                        /* a stock DEALER that listens where link would */
    struct rg_socket *client, *server; /* freed also when a test fails: a context waits for them */
};

static struct rg_session_id id_of(uint8_t start, uint8_t counter)
{
    struct rg_session_id id = {{start, 1, 2, 3}};
    id.b[11] = counter;
    return id;
}

static void *peer_open(struct world *world, const char *claim)
{
    char endpoint[128];
    int zero = 0;
    int deadline_ms = DEADLINE_MS;
    void *peer = zmq_socket(world->context, ZMQ_DEALER);
    assert_non_null(peer);
    assert_int_equal(zmq_setsockopt(peer, ZMQ_LINGER, &zero, sizeof(zero)), 0);
    assert_int_equal(zmq_setsockopt(peer, ZMQ_RCVTIMEO, &deadline_ms, sizeof(deadline_ms)), 0);
    assert_int_equal(zmq_setsockopt(peer, ZMQ_ROUTING_ID, claim, strlen(claim)), 0);
    (void)snprintf(endpoint, sizeof(endpoint), "ipc://%s", world->path);
    assert_int_equal(zmq_bind(peer, endpoint), 0);
    return peer;
}

static int world_open(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/rg-bus-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(world->path, sizeof(world->path), "%s/s", world->folder);
    assert_true(rg_is_ok(rg_bus_new(&world->bus, NULL)));
    assert_true(rg_is_ok(rg_bus_router(world->bus, &world->router, NULL)));
    world->context = zmq_ctx_new();
    world->peer = peer_open(world, "i-claim-to-be-another");
    *state = world;
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    rg_socket_free(world->client);
    rg_socket_free(world->server);
    rg_socket_free(world->router);
    rg_bus_free(world->bus);
    (void)zmq_close(world->peer);
    (void)zmq_ctx_term(world->context);
    (void)unlink(world->path);
    (void)rmdir(world->folder);
    free(world);
    return 0;
}

static void receive(struct world *world, struct rg_session_id *id, struct rg_buffer *out)
{
    for (;;) {
        rg_outcome outcome = rg_bus_receive(world->router, id, out, NULL);
        if (rg_is_ok(outcome)) {
            return;
        }
        assert_int_equal(outcome.code, RG_AGAIN);
        struct rg_bus_item item = {.socket = world->router};
        assert_true(rg_is_ok(rg_bus_wait(world->bus, &item, 1, DEADLINE_MS, NULL)));
        assert_true(item.ready);
    }
}

static void connect_ok(struct world *world, struct rg_session_id id)
{
    assert_true(rg_is_ok(rg_bus_connect(world->router, id, world->path, NULL)));
}

static void test_the_id_is_ours_whatever_the_peer_claims(void **state)
{
    struct world *world = *state;
    RG_OWNED_BUFFER bytes = {0};
    struct rg_session_id id;
    char text[16] = {0};
    connect_ok(world, id_of(0, 1)); /* a start number may begin with a zero byte */
    assert_true(
        rg_is_ok(rg_bus_send(world->router, id_of(0, 1), RG_BYTES_LITERAL("to the peer"), NULL)));
    assert_int_equal(zmq_recv(world->peer, text, sizeof(text), 0), 11);
    assert_string_equal(text, "to the peer");
    assert_int_equal(zmq_send(world->peer, "from it", 7, 0), 7);
    receive(world, &id, &bytes);
    assert_false(rg_bus_ready(world->router));
    assert_memory_equal(id.b, id_of(0, 1).b, sizeof(id.b));
    assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), RG_BYTES_LITERAL("from it")));
}

static void test_an_id_is_used_once(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    connect_ok(world, id_of(7, 5));
    assert_int_equal(rg_bus_connect(world->router, id_of(7, 5), world->path, &why).code, RG_DENIED);
    assert_string_equal(why.id, "bus-id-used");
    rg_bus_disconnect(world->router, world->path);
    assert_int_equal(rg_bus_connect(world->router, id_of(7, 5), world->path, &why).code, RG_DENIED);
    assert_int_equal(rg_bus_connect(world->router, id_of(7, 4), world->path, &why).code, RG_DENIED);
    connect_ok(world, id_of(8, 1));
    connect_ok(world, id_of(7, 6));
    assert_int_equal(rg_bus_connect(world->router, id_of(8, 1), world->path, &why).code, RG_DENIED);
}

static void test_unknown_is_gone_and_unread_is_full(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    static const uint8_t block[64 * 1024];
    struct rg_bytes bytes = {block, sizeof(block)};
    assert_int_equal(rg_bus_send(world->router, id_of(1, 1), bytes, &why).code, RG_IO);
    assert_string_equal(why.id, "bus-gone");
    char nobody[128];
    (void)snprintf(nobody, sizeof(nobody), "%s/nobody", world->folder);
    rg_outcome outcome = rg_bus_connect(world->router, id_of(1, 2), nobody, &why);
    assert_true(rg_is_ok(outcome));
    connect_ok(world, id_of(1, 3));
    size_t sent = 0; /* the peer never reads */
    do {
        outcome = rg_bus_send(world->router, id_of(1, 3), bytes, &why);
        sent++;
    } while (rg_is_ok(outcome) && sent < 5000);
    assert_int_equal(outcome.code, RG_AGAIN);
    assert_string_equal(why.id, "bus-full");
    assert_int_equal(
        rg_bus_send(world->router, id_of(1, 3), rg_bytes_of(block, RG_FRAME_BYTES_MAX + 1), &why)
            .code,
        RG_LIMIT);
    rg_bus_disconnect(world->router, world->path);
    struct rg_bus_item item = {.socket = world->router};
    while (rg_bus_send(world->router, id_of(1, 3), bytes, &why).code == RG_AGAIN) {
        assert_true(rg_is_ok(rg_bus_wait(world->bus, &item, 1, 1, NULL)));
    } /* with LINGER not 0 this would never end (the test's time-out is the deadline) */
    assert_string_equal(why.id, "bus-gone");
}

static void test_more_than_one_frame_is_dropped(void **state)
{
    struct world *world = *state;
    RG_OWNED_BUFFER bytes = {0};
    struct rg_session_id id;
    connect_ok(world, id_of(2, 1));
    assert_true(rg_is_ok(rg_bus_send(world->router, id_of(2, 1), RG_BYTES_LITERAL("x"), NULL)));
    assert_int_equal(zmq_recv(world->peer, NULL, 0, 0), 1);
    assert_int_equal(zmq_send(world->peer, "two", 3, ZMQ_SNDMORE), 3);
    assert_int_equal(zmq_send(world->peer, "frames", 6, 0), 6);
    assert_int_equal(zmq_send(world->peer, "one", 3, 0), 3);
    receive(world, &id, &bytes);
    assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), RG_BYTES_LITERAL("one")));
}

/* Answers one question; false when it was another one than that. */
static bool serve_any(struct world *world, struct rg_socket *server, const char *expected)
{
    RG_OWNED_BUFFER request = {0};
    struct rg_bus_item item = {.socket = server};
    assert_true(rg_is_ok(rg_bus_wait(world->bus, &item, 1, DEADLINE_MS, NULL)));
    assert_true(item.ready);
    assert_true(rg_is_ok(rg_bus_take(server, &request, NULL)));
    assert_true(rg_is_ok(rg_bus_answer(server, rg_buffer_peek(&request), NULL)));
    return rg_bytes_equal(rg_buffer_peek(&request), rg_bytes_of_text(expected));
}

static void serve_once(struct world *world, struct rg_socket *server, const char *expected)
{
    assert_true(serve_any(world, server, expected));
}

/* The first question finds no server; a later one does, and does not get the answer to the first.
 * One thread: the server answers a question whose asker gave up. */
static void test_a_request_times_out_and_the_next_is_answered(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    RG_OWNED_BUFFER answer = {0};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/notary", world->folder);
    assert_true(rg_is_ok(rg_bus_request_open(world->bus, path, &world->client, &why)));
    assert_int_equal(rg_bus_request(world->client, RG_BYTES_LITERAL("lost"), 1, &answer, &why).code,
                     RG_IO);
    assert_string_equal(why.id, "bus-timeout");
    assert_true(rg_is_ok(rg_bus_answer_open(world->bus, path, &world->server, &why)));
    /* The server's turn comes after the time-out. A question must have the time to get there before
     * its asker gives up, so each waits longer than the one before. On a busy machine even the
     * first may still be on its way when the server opens: it is served as well, for nobody. */
    bool served = false;
    for (int wait_ms = 2; !served; wait_ms *= 2) {
        struct rg_bus_item item = {.socket = world->server};
        assert_true(wait_ms < DEADLINE_MS);
        assert_int_equal(
            rg_bus_request(world->client, RG_BYTES_LITERAL("late"), wait_ms, &answer, &why).code,
            RG_IO);
        assert_true(rg_is_ok(rg_bus_wait(world->bus, &item, 1, wait_ms, &why)));
        served = item.ready && serve_any(world, world->server, "late");
    }
    assert_int_equal(answer.len, 0);
    (void)unlink(path);
}

/* Asking does not wait. What was given up is answered to nobody: the next answer is the right one.
 */
static void test_a_question_is_given_up_and_the_next_is_answered(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    RG_OWNED_BUFFER answer = {0};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/notary", world->folder);
    assert_true(rg_is_ok(rg_bus_answer_open(world->bus, path, &world->server, &why)));
    assert_true(rg_is_ok(rg_bus_request_open(world->bus, path, &world->client, &why)));
    assert_true(rg_is_ok(rg_bus_ask(world->client, RG_BYTES_LITERAL("first"), &why)));
    assert_int_equal(rg_bus_ask(world->client, RG_BYTES_LITERAL("two at once"), &why).code, RG_IO);
    assert_int_equal(rg_bus_take(world->client, &answer, &why).code, RG_AGAIN);
    struct rg_bus_item asked = {.socket = world->server};
    assert_true(rg_is_ok(rg_bus_wait(world->bus, &asked, 1, DEADLINE_MS, &why)));
    assert_true(rg_is_ok(rg_bus_give_up(world->client, &why)));
    assert_true(rg_is_ok(rg_bus_ask(world->client, RG_BYTES_LITERAL("second"), &why)));
    serve_once(world, world->server, "first");
    serve_once(world, world->server, "second");
    struct rg_bus_item answered = {.socket = world->client};
    assert_true(rg_is_ok(rg_bus_wait(world->bus, &answered, 1, DEADLINE_MS, &why)));
    assert_true(rg_is_ok(rg_bus_take(world->client, &answer, &why)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&answer), RG_BYTES_LITERAL("second")));
    (void)unlink(path);
}

static void test_paths_are_bounded(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    struct rg_socket *socket = NULL;
    char path[200];
    memset(path, 'a', sizeof(path));
    path[108] = '\0';
    assert_int_equal(rg_bus_request_open(world->bus, path, &socket, &why).code, RG_LIMIT);
    assert_int_equal(rg_bus_connect(world->router, id_of(3, 1), path, &why).code, RG_LIMIT);
    assert_string_equal(why.id, "bus-path");
    assert_int_equal(rg_bus_answer_open(world->bus, "/nowhere/at/all", &socket, &why).code, RG_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_id_is_ours_whatever_the_peer_claims, world_open,
                                        world_close),
        cmocka_unit_test_setup_teardown(test_an_id_is_used_once, world_open, world_close),
        cmocka_unit_test_setup_teardown(test_unknown_is_gone_and_unread_is_full, world_open,
                                        world_close),
        cmocka_unit_test_setup_teardown(test_more_than_one_frame_is_dropped, world_open,
                                        world_close),
        cmocka_unit_test_setup_teardown(test_a_request_times_out_and_the_next_is_answered,
                                        world_open, world_close),
        cmocka_unit_test_setup_teardown(test_a_question_is_given_up_and_the_next_is_answered,
                                        world_open, world_close),
        cmocka_unit_test_setup_teardown(test_paths_are_bounded, world_open, world_close),
    };
    return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
