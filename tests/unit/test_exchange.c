/* exchange against the real courier, in process: the way of a message, every proof that must not be
 * believed, frames out of place, window, not-now, two histories. */
#include "client/exchange.h"

#include "core/digest.h"
#include "tests/sim/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEN_MAX 128

struct seen_proof {
    char country[RG_COUNTRY_BYTES];
    enum rg_entry_kind kind;
    struct rg_id id;
};

/* An officer's exchange on a puppet line to the courier of its country. */
struct seat {
    struct world *world;
    struct world_node *node;
    struct world_line *line;
    struct rg_principal principal;
    struct rg_trust *trust;
    struct rg_exchange *exchange;
    /* what the sink was shown */
    size_t hellos, documents, alarms, not_nows, deliveries, failed, heads;
    struct seen_proof proof[SEEN_MAX];
    size_t proof_count;
    struct rg_id delivered;
    uint64_t position, status;
    struct rg_reason alarm, failure;
    /* what the test does to a frame before the exchange takes it; false: it is lost */
    bool (*tamper)(struct seat *seat, struct rg_frame *frame);
    struct rg_reason why; /* of the first take that failed */
    enum rg_code code;
};

/* ---- the sink ---- */

static rg_outcome on_send(void *context, struct rg_bytes frame, struct rg_reason *why)
{
    struct seat *seat = context;
    (void)why;
    world_inject(seat->line, 1, frame);
    return rg_ok();
}

static rg_outcome on_hello(void *context, const char *principal, struct rg_reason *why)
{
    (void)why;
    assert_string_equal(principal, "referral://th/gateway");
    ((struct seat *)context)->hellos++;
    return rg_ok();
}

static rg_outcome on_document(void *context, const struct rg_document *document,
                              struct rg_reason *why)
{
    (void)document;
    (void)why;
    ((struct seat *)context)->documents++;
    return rg_ok();
}

static rg_outcome on_proof(void *context, const struct rg_proven *proven, struct rg_reason *why)
{
    struct seat *seat = context;
    (void)why;
    assert_true(seat->proof_count < SEEN_MAX);
    struct seen_proof *proof = &seat->proof[seat->proof_count++];
    (void)snprintf(proof->country, sizeof(proof->country), "%s", proven->country);
    proof->kind = proven->log_entry->kind;
    proof->id = proven->log_entry->envelope_id;
    return rg_ok();
}

static rg_outcome on_not_now(void *context, struct rg_id id, enum rg_refusal code,
                             uint32_t retry_after_ms, struct rg_reason *why)
{
    (void)id;
    (void)code;
    (void)why;
    assert_true(retry_after_ms > 0);
    ((struct seat *)context)->not_nows++;
    return rg_ok();
}

static rg_outcome on_deliver(void *context, const struct rg_delivery *delivery,
                             struct rg_reason *why)
{
    struct seat *seat = context;
    (void)why;
    seat->deliveries++;
    seat->position = delivery->position;
    seat->delivered = delivery->envelope->id;
    if (delivery->failed != NULL) {
        seat->failed++;
        seat->failure = *delivery->failed;
        return rg_ok();
    }
    assert_string_equal(delivery->accepted.country, "kh");
    assert_int_equal(delivery->accepted.log_entry->kind, RG_ENTRY_ACCEPTED);
    assert_string_equal(delivery->received.country, "th");
    assert_int_equal(delivery->received.log_entry->kind, RG_ENTRY_RECEIVED);
    return rg_ok();
}

static rg_outcome on_status(void *context, uint64_t position, struct rg_reason *why)
{
    (void)why;
    ((struct seat *)context)->status = position;
    return rg_ok();
}

static rg_outcome on_head(void *context, const struct rg_head *head, struct rg_reason *why)
{
    (void)head;
    (void)why;
    ((struct seat *)context)->heads++;
    return rg_ok();
}

static void on_alarm(void *context, const struct rg_reason *why)
{
    struct seat *seat = context;
    seat->alarms++;
    seat->alarm = *why;
}

/* ---- the seat ---- */

static void learn(struct seat *seat, enum rg_document_kind kind, const char *country)
{
    enum rg_news news;
    const struct rg_document *document = rg_trust_document(seat->node->trust, kind, country, 0);
    assert_non_null(document);
    assert_true(
        rg_is_ok(rg_trust_offer(seat->trust, document, seat->world->now.wall, &news, NULL)));
}

static void exchange_make(struct seat *seat, const struct rg_head *head, size_t count)
{
    struct rg_exchange_options options = {
        .trust = seat->trust,
        .principal = &seat->principal,
        .device = "desk",
        .software = "test",
        .head = head,
        .head_count = count,
        .sink = {.context = seat,
                 .send = on_send,
                 .hello = on_hello,
                 .document = on_document,
                 .proof = on_proof,
                 .not_now = on_not_now,
                 .deliver = on_deliver,
                 .status = on_status,
                 .head = on_head,
                 .alarm = on_alarm},
    };
    rg_exchange_free(seat->exchange);
    assert_true(rg_is_ok(rg_exchange_new(&options, &seat->exchange, NULL)));
}

static void sit_down(struct seat *seat)
{
    seat->line = world_puppet(seat->world, seat->node, seat->principal.text);
    rg_exchange_start(seat->exchange);
}

static struct seat *seat_open(void)
{
    struct seat *seat = calloc(1, sizeof(*seat));
    assert_non_null(seat);
    seat->world = world_new(11);
    seat->node = world_node(seat->world, "th");
    struct world_node *kh = world_node(seat->world, "kh");
    world_found(seat->world);
    (void)world_dial(seat->world, seat->node, kh);
    assert_true(
        rg_is_ok(rg_principal_parse("referral://th/focal/officer-1", &seat->principal, NULL)));
    seat->trust = rg_trust_new();
    learn(seat, RG_DOC_CHARTER, "");
    learn(seat, RG_DOC_PAGE, "th");
    exchange_make(seat, NULL, 0);
    world_run(seat->world); /* the gateways know each other's pages */
    sit_down(seat);
    return seat;
}

static void seat_close(struct seat *seat)
{
    rg_exchange_free(seat->exchange);
    rg_trust_free(seat->trust);
    world_free(seat->world);
    free(seat);
}

/* One frame on its way to the exchange. */
static bool take_next(struct seat *seat)
{
    RG_CLEANUP(rg_frame_drop) struct rg_frame frame = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_reason why = {0};
    if (!world_read(seat->line, &frame)) {
        return false;
    }
    if (seat->tamper != NULL && !seat->tamper(seat, &frame)) {
        return true;
    }
    assert_true(rg_is_ok(rg_frame_encode(&frame, &bytes, NULL)));
    rg_outcome outcome =
        rg_exchange_take(seat->exchange, rg_buffer_peek(&bytes), seat->world->now.wall, &why);
    if (!rg_is_ok(outcome) && seat->code == RG_OK) {
        seat->code = outcome.code;
        seat->why = why;
    }
    return true;
}

static void pump(struct seat *seat)
{
    do {
        world_run(seat->world);
    } while (take_next(seat) && seat->code == RG_OK);
}

static struct rg_id submit(struct seat *seat)
{
    struct rg_id id;
    RG_OWNED_BUFFER envelope = {0};
    struct world_letter letter = {.from = "th/focal", .to = "kh/focal"};
    world_envelope(seat->world, &letter, &envelope, &id);
    assert_true(rg_is_ok(rg_exchange_submit(seat->exchange, id, rg_buffer_peek(&envelope), NULL)));
    return id;
}

/* A client at the other end writes to our office. */
static struct world_client *writer(struct seat *seat)
{
    struct world_client *client =
        world_client(seat->world, &seat->world->node[1], "focal", "officer-1", "desk");
    (void)world_connect(seat->world, client);
    world_run(seat->world);
    return client;
}

static struct rg_id write_to_us(struct seat *seat, struct world_client *client)
{
    struct rg_id id;
    struct world_letter letter = {.to = "th/focal"};
    world_submit(seat->world, client, &letter, &id);
    return id;
}

static size_t proofs_of(const struct seat *seat, enum rg_entry_kind kind, const char *country,
                        struct rg_id id)
{
    size_t count = 0;
    for (size_t i = 0; i < seat->proof_count; i++) {
        count += seat->proof[i].kind == kind && strcmp(seat->proof[i].country, country) == 0 &&
                 memcmp(seat->proof[i].id.b, id.b, sizeof(id.b)) == 0;
    }
    return count;
}

static void assert_ends(struct seat *seat, enum rg_code code, const char *id)
{
    if (seat->code != code || seat->why.id == NULL || strcmp(seat->why.id, id) != 0) {
        fail_msg("wanted %s, got %s (%s)", id, seat->why.id != NULL ? seat->why.id : "ok",
                 rg_code_name(seat->code));
    }
    seat_close(seat);
}

/* ---- the way of a message ---- */

static void test_hello_then_want(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    assert_false(rg_exchange_up(seat->exchange));
    assert_int_equal(rg_exchange_room(seat->exchange), 0);
    pump(seat);
    assert_int_equal(seat->code, RG_OK);
    assert_true(rg_exchange_up(seat->exchange));
    assert_int_equal(seat->hellos, 1);
    assert_true(seat->documents >= 2);
    assert_non_null(rg_trust_document(seat->trust, RG_DOC_PAGE, "kh", 0));
    assert_true(rg_exchange_room(seat->exchange) > 0);
    seat_close(seat);
}

static void test_submitted_accepted_received_collected(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct world_client *reader = writer(seat);
    pump(seat);
    struct rg_id id = submit(seat);
    assert_int_equal(rg_exchange_unanswered(seat->exchange), 1);
    pump(seat);
    assert_int_equal(seat->code, RG_OK);
    assert_int_equal(rg_exchange_unanswered(seat->exchange), 0);
    assert_int_equal(proofs_of(seat, RG_ENTRY_ACCEPTED, "th", id), 1);
    assert_int_equal(proofs_of(seat, RG_ENTRY_RECEIVED, "kh", id), 1);
    assert_int_equal(world_deliveries(reader, &id), 1);
    assert_true(seat->status > 0 && seat->heads > 0);
    assert_true(rg_is_ok(rg_exchange_status_seen(seat->exchange, seat->status, NULL)));
    pump(seat);
    assert_int_equal(proofs_of(seat, RG_ENTRY_COLLECTED, "kh", id), 1);
    assert_int_equal(seat->alarms, 0);
    seat_close(seat);
}

static void test_delivered_and_collected(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct world_client *client = writer(seat);
    pump(seat);
    struct rg_id id = write_to_us(seat, client);
    pump(seat);
    assert_int_equal(seat->deliveries, 1);
    assert_int_equal(seat->failed, 0);
    assert_memory_equal(seat->delivered.b, id.b, sizeof(id.b));
    assert_false(world_told(client, &id)->collected);
    assert_true(rg_is_ok(rg_exchange_collected(seat->exchange, seat->position, &id, 1, NULL)));
    pump(seat);
    assert_true(world_told(client, &id)->collected);
    seat_close(seat);
}

static void test_not_confirmed_comes_again(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct world_client *client = writer(seat);
    pump(seat);
    struct rg_id id = write_to_us(seat, client);
    pump(seat);
    world_cut(seat->world, seat->line);
    world_run(seat->world);
    sit_down(seat);
    pump(seat);
    assert_int_equal(seat->code, RG_OK);
    assert_int_equal(seat->deliveries, 2);
    assert_memory_equal(seat->delivered.b, id.b, sizeof(id.b));
    seat_close(seat);
}

static void test_window_bounds_what_is_unanswered(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    size_t count = 0;
    while (rg_exchange_room(seat->exchange) > 0) {
        (void)submit(seat);
        count++;
    }
    assert_int_equal(rg_exchange_unanswered(seat->exchange), count);
    RG_OWNED_BUFFER envelope = {0};
    struct rg_id id;
    struct world_letter letter = {.from = "th/focal", .to = "kh/focal"};
    struct rg_reason why = {0};
    world_envelope(seat->world, &letter, &envelope, &id);
    assert_int_equal(rg_exchange_submit(seat->exchange, id, rg_buffer_peek(&envelope), &why).code,
                     RG_AGAIN);
    pump(seat);
    assert_int_equal(rg_exchange_unanswered(seat->exchange), 0);
    assert_true(rg_exchange_room(seat->exchange) > RG_WINDOW_BYTES_MIN); /* it has grown */
    seat_close(seat);
}

static void test_not_now_is_no_answer(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    seat->node->notary_down = true;
    world_advance(seat->world, 1000);
    struct rg_id id = submit(seat);
    pump(seat);
    seat->node->notary_down = false;
    world_advance(seat->world, 2000);
    pump(seat);
    /* put off, or answered when the notary is back: never both, never lost */
    size_t accepted = proofs_of(seat, RG_ENTRY_ACCEPTED, "th", id);
    assert_int_equal(seat->not_nows + accepted, 1);
    assert_int_equal(rg_exchange_unanswered(seat->exchange), 0);
    seat_close(seat);
}

/* ---- what must not be believed ---- */

static bool break_signature(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS) {
        frame->receipts.head.signature[7] ^= 1;
    }
    return true;
}

static bool break_root(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS) {
        frame->receipts.head.root.b[0] ^= 1;
    }
    return true;
}

static bool name_another_log(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS) {
        (void)snprintf(frame->receipts.head.origin, sizeof(frame->receipts.head.origin),
                       "referral/xx/1");
    }
    return true;
}

static bool name_the_log_of_another(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS) {
        (void)snprintf(frame->receipts.head.origin, sizeof(frame->receipts.head.origin),
                       "referral/kh/1");
    }
    return true;
}

static bool move_the_leaf(struct seat *seat, struct rg_frame *frame)
{
    static struct rg_proven_entry entry;
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS && frame->receipts.entry_count > 0) {
        entry = frame->receipts.entry[0];
        entry.leaf_index = entry.leaf_index == 0 ? 1 : entry.leaf_index - 1;
        frame->receipts.entry = &entry;
        frame->receipts.entry_count = 1;
    }
    return true;
}

static bool forge_the_entry(struct seat *seat, struct rg_frame *frame)
{
    static struct rg_proven_entry entry;
    static uint8_t bytes[RG_LOG_ENTRY_BYTES_MAX];
    (void)seat;
    if (frame->kind == RG_FRAME_RECEIPTS && frame->receipts.entry_count > 0) {
        entry = frame->receipts.entry[0];
        memcpy(bytes, entry.log_entry.data, entry.log_entry.len);
        bytes[entry.log_entry.len - 1] ^= 1; /* salt */
        entry.log_entry.data = bytes;
        frame->receipts.entry = &entry;
        frame->receipts.entry_count = 1;
    }
    return true;
}

static void answer_tampered(bool (*tamper)(struct seat *seat, struct rg_frame *frame),
                            const char *id)
{
    struct seat *seat = seat_open();
    pump(seat);
    seat->tamper = tamper;
    (void)submit(seat);
    pump(seat);
    assert_int_equal(seat->proof_count, 0); /* nothing was shown as proven */
    assert_ends(seat, RG_DENIED, id);
}

static void test_tampered_answers_end_the_session(void **state)
{
    (void)state;
    answer_tampered(break_signature, "head-signature");
    answer_tampered(break_root, "head-signature");
    answer_tampered(name_another_log, "exchange-origin");
    answer_tampered(name_the_log_of_another, "head-signature");
    answer_tampered(move_the_leaf, "proof-inclusion");
    answer_tampered(forge_the_entry, "proof-inclusion");
}

static bool lose_receipts(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    return frame->kind != RG_FRAME_RECEIPTS && frame->kind != RG_FRAME_STATUS;
}

static void test_a_head_that_does_not_extend_the_last(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    (void)submit(seat);
    pump(seat);
    seat->tamper = lose_receipts; /* the gateway believes that we have seen this one */
    (void)submit(seat);
    pump(seat);
    seat->tamper = NULL;
    (void)submit(seat);
    pump(seat);
    assert_ends(seat, RG_DENIED, "exchange-chain");
}

/* The gateway's key signs another tree of the same size as the head we hold. */
static bool other_history(struct seat *seat, struct rg_frame *frame)
{
    struct rg_frontier frontier = {0};
    if (frame->kind != RG_FRAME_RECEIPTS) {
        return true;
    }
    for (uint64_t i = 0; i < frame->receipts.head.size; i++) {
        rg_frontier_append(&frontier, rg_leaf_hash(rg_sha256(rg_bytes_of(&i, sizeof(i)))));
    }
    frame->receipts.head = world_head(seat->node, &frontier);
    frame->receipts.entry_count = 0;
    return true;
}

static void test_another_history_is_an_alarm(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    (void)submit(seat);
    pump(seat);
    seat->tamper = other_history;
    (void)submit(seat);
    pump(seat);
    assert_int_equal(seat->alarms, 1);
    assert_string_equal(seat->alarm.id, "exchange-fork");
    assert_ends(seat, RG_DENIED, "exchange-fork");
}

/* The same, of just the size that we hold: the head cannot be older, nor a successor. */
static bool twin_history(struct seat *seat, struct rg_frame *frame)
{
    struct rg_frontier frontier = {0};
    if (frame->kind != RG_FRAME_RECEIPTS) {
        return true;
    }
    assert_true(frame->receipts.has_from && frame->receipts.from_size > 0);
    for (uint64_t i = 0; i < frame->receipts.from_size; i++) {
        rg_frontier_append(&frontier, rg_leaf_hash(rg_sha256(rg_bytes_of(&i, sizeof(i)))));
    }
    frame->receipts.head = world_head(seat->node, &frontier);
    frame->receipts.has_from = false;
    frame->receipts.consistency.count = 0;
    frame->receipts.entry_count = 0;
    return true;
}

static void test_two_heads_of_one_size_are_an_alarm(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    (void)submit(seat);
    pump(seat);
    seat->tamper = twin_history;
    (void)submit(seat);
    pump(seat);
    assert_int_equal(seat->alarms, 1);
    assert_ends(seat, RG_DENIED, "exchange-fork");
}

static struct rg_head head_of_one(const struct world_node *node, const char *entry)
{
    struct rg_frontier frontier = {0};
    rg_frontier_append(&frontier, rg_leaf_hash(rg_sha256(rg_bytes_of_text(entry))));
    return world_head(node, &frontier);
}

/* Our gateway's Hello shows another head of a third country's log than we hold. */
static bool hello_with_a_twin(struct seat *seat, struct rg_frame *frame)
{
    static struct rg_head twin;
    if (frame->kind == RG_FRAME_HELLO) {
        twin = head_of_one(&seat->world->node[1], "two");
        frame->hello.head = &twin;
        frame->hello.head_count = 1;
    }
    return true;
}

static void test_a_twin_of_a_held_head_in_hello_is_an_alarm(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct rg_head held = head_of_one(&seat->world->node[1], "one");
    exchange_make(seat, &held, 1);
    seat->tamper = hello_with_a_twin;
    pump(seat);
    assert_int_equal(seat->alarms, 1);
    assert_string_equal(seat->alarm.id, "exchange-fork");
    assert_int_equal(seat->code, RG_OK); /* people must look; work goes on */
    seat_close(seat);
}

/* One leaf only, rightly signed: true once, or another history. */
static bool shorter_history(struct seat *seat, struct rg_frame *frame)
{
    struct rg_frontier frontier = {0};
    if (frame->kind == RG_FRAME_RECEIPTS) {
        rg_frontier_append(&frontier, rg_leaf_hash(rg_sha256(RG_BYTES_LITERAL("x"))));
        frame->receipts.head = world_head(seat->node, &frontier);
        frame->receipts.entry_count = 0;
    }
    return true;
}

static void test_a_shorter_history_is_refused(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    (void)submit(seat);
    (void)submit(seat);
    pump(seat);
    seat->tamper = shorter_history;
    (void)submit(seat);
    pump(seat);
    assert_ends(seat, RG_DENIED, "exchange-chain");
}

static bool next_epoch(struct seat *seat, struct rg_frame *frame)
{
    if (frame->kind == RG_FRAME_RECEIPTS) {
        (void)snprintf(frame->receipts.head.origin, sizeof(frame->receipts.head.origin),
                       "referral/th/2");
        assert_true(rg_is_ok(rg_head_sign(&frame->receipts.head, seat->node->key, NULL)));
        frame->receipts.has_from = false;
        frame->receipts.consistency.count = 0;
    }
    return true;
}

static void test_a_log_that_begins_anew_is_an_alarm(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    (void)submit(seat);
    pump(seat);
    assert_int_equal(seat->alarms, 0);
    seat->tamper = next_epoch;
    (void)submit(seat);
    pump(seat);
    assert_int_equal(seat->code, RG_OK);
    assert_int_equal(seat->alarms, 1);
    assert_string_equal(seat->alarm.id, "exchange-epoch");
    seat_close(seat);
}

static bool break_accepted(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_DELIVER) {
        frame->deliver.accepted.head.signature[0] ^= 1;
    }
    return true;
}

static bool drop_accepted(struct seat *seat, struct rg_frame *frame)
{
    (void)seat;
    if (frame->kind == RG_FRAME_DELIVER) {
        frame->deliver.accepted.entry_count = 0;
    }
    return true;
}

static void delivery_tampered(bool (*tamper)(struct seat *seat, struct rg_frame *frame),
                              const char *id)
{
    struct seat *seat = seat_open();
    struct world_client *client = writer(seat);
    pump(seat);
    seat->tamper = tamper;
    (void)write_to_us(seat, client);
    pump(seat);
    assert_int_equal(seat->code, RG_OK); /* the bytes are kept, the session goes on */
    assert_int_equal(seat->deliveries, 1);
    assert_int_equal(seat->failed, 1);
    assert_string_equal(seat->failure.id, id);
    seat->tamper = NULL;
    (void)write_to_us(seat, client);
    pump(seat);
    assert_int_equal(seat->deliveries, 2);
    assert_int_equal(seat->failed, 1); /* an honest one is taken as before */
    seat_close(seat);
}

static void test_delivery_without_its_proof_is_not_opened(void **state)
{
    (void)state;
    delivery_tampered(break_accepted, "head-signature");
    delivery_tampered(drop_accepted, "exchange-proof-missing");
}

/* ---- out of place ---- */

static void take_frame(struct seat *seat, const struct rg_frame *frame)
{
    RG_OWNED_BUFFER bytes = {0};
    assert_true(rg_is_ok(rg_frame_encode(frame, &bytes, NULL)));
    seat->code =
        rg_exchange_take(seat->exchange, rg_buffer_peek(&bytes), seat->world->now.wall, &seat->why)
            .code;
}

static void test_nothing_before_hello(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct rg_frame want = {.kind = RG_FRAME_WANT};
    want.want.kind = RG_DOC_CHARTER;
    take_frame(seat, &want);
    assert_ends(seat, RG_MALFORMED, "exchange-unexpected");
}

static void test_frames_of_the_other_role(void **state)
{
    (void)state;
    static const enum rg_frame_kind kinds[] = {RG_FRAME_HELLO, RG_FRAME_STATUS_SEEN,
                                               RG_FRAME_COLLECTED};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct seat *seat = seat_open();
        pump(seat);
        struct rg_frame frame = {.kind = kinds[i]};
        if (kinds[i] == RG_FRAME_HELLO) {
            frame.hello.version = 1;
            (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal),
                           "referral://th/gateway");
        }
        if (kinds[i] == RG_FRAME_STATUS_SEEN) {
            frame.status_seen.position = 1;
        }
        if (kinds[i] == RG_FRAME_COLLECTED) {
            frame.collected.has_position = true;
            frame.collected.position = 1;
        }
        take_frame(seat, &frame);
        assert_ends(seat, RG_MALFORMED, "exchange-unexpected");
    }
}

static void test_another_gateway_answers(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    frame.hello.version = 1;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "referral://kh/gateway");
    take_frame(seat, &frame);
    assert_ends(seat, RG_DENIED, "exchange-hello");
}

static void test_garbage_is_malformed(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    uint8_t noise[64];
    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t)world_random(seat->world, 256);
    }
    struct rg_reason why = {0};
    assert_int_equal(rg_exchange_take(seat->exchange, rg_bytes_of(noise, sizeof(noise)),
                                      seat->world->now.wall, &why)
                         .code,
                     RG_MALFORMED);
    assert_int_equal(seat->proof_count, 0);
    seat_close(seat);
}

static void test_fault_is_for_people(void **state)
{
    (void)state;
    struct seat *seat = seat_open();
    pump(seat);
    struct rg_frame frame = {.kind = RG_FRAME_FAULT};
    frame.fault.code = RG_FAULT_LIMIT;
    take_frame(seat, &frame);
    assert_int_equal(seat->code, RG_OK);
    assert_int_equal(seat->alarms, 1);
    seat_close(seat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello_then_want),
        cmocka_unit_test(test_submitted_accepted_received_collected),
        cmocka_unit_test(test_delivered_and_collected),
        cmocka_unit_test(test_not_confirmed_comes_again),
        cmocka_unit_test(test_window_bounds_what_is_unanswered),
        cmocka_unit_test(test_not_now_is_no_answer),
        cmocka_unit_test(test_tampered_answers_end_the_session),
        cmocka_unit_test(test_a_head_that_does_not_extend_the_last),
        cmocka_unit_test(test_another_history_is_an_alarm),
        cmocka_unit_test(test_two_heads_of_one_size_are_an_alarm),
        cmocka_unit_test(test_a_twin_of_a_held_head_in_hello_is_an_alarm),
        cmocka_unit_test(test_a_shorter_history_is_refused),
        cmocka_unit_test(test_a_log_that_begins_anew_is_an_alarm),
        cmocka_unit_test(test_delivery_without_its_proof_is_not_opened),
        cmocka_unit_test(test_nothing_before_hello),
        cmocka_unit_test(test_frames_of_the_other_role),
        cmocka_unit_test(test_another_gateway_answers),
        cmocka_unit_test(test_garbage_is_malformed),
        cmocka_unit_test(test_fault_is_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
