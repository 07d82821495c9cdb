/* Peers and clients that are who they say and mean harm: a gateway that answers twice or brings
 * another's message first, a client that reads nothing, a notary that was away for long. */
#include "tests/sim/world.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* th is real, la is played by the test and has a log of its own. */
struct stage {
    struct world *world;
    struct world_node *th, *la;
    struct world_client *client; /* of th */
    struct world_line *line;     /* la's session with th */
    struct rg_tree *tree;
    struct rg_frontier frontier;
    const char *about; /* whom la's entries name; NULL: la/focal */
    bool unproven;     /* its next entries are not in its log */
};

static rg_outcome no_tile(void *context, uint64_t tile, struct rg_hash leaf[RG_TILE_LEAVES],
                          struct rg_reason *why)
{
    (void)context;
    (void)tile;
    (void)leaf;
    return rg_fail(why, RG_IO, "no-tile", "the test's log is small");
}

static void drain(struct world_line *line)
{
    struct rg_frame frame;
    while (world_read(line, &frame)) {
        rg_frame_drop(&frame);
    }
}

static void hello(struct stage *stage)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO, .hello.version = 1};
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "referral://la/gateway");
    stage->line = world_puppet(stage->world, stage->th, "referral://la/gateway");
    world_inject_frame(stage->line, 1, &frame);
    world_run(stage->world);
    drain(stage->line);
}

static struct stage stage_open(void)
{
    struct stage stage = {.world = world_new(23), .tree = rg_tree_new(no_tile, NULL)};
    stage.th = world_node(stage.world, "th");
    stage.la = world_node(stage.world, "la");
    world_start(stage.world, stage.th);
    world_offer(stage.th, RG_DOC_PAGE, "la", "page la 1\nla/focal focal always\n");
    world_offer(stage.th, RG_DOC_PAGE, "th", "page th 1\nth/focal focal always\n");
    stage.client = world_client(stage.world, stage.th, "focal", "officer-1", "desk");
    (void)world_connect(stage.world, stage.client);
    world_run(stage.world);
    return stage;
}

static void stage_close(struct stage *stage)
{
    rg_tree_free(stage->tree);
    world_free(stage->world);
}

/* An entry of la's log about `id`, proven under its newest head. */
static void say(struct stage *stage, enum rg_entry_kind kind, const struct rg_id *id,
                struct rg_frame *frame)
{
    struct rg_log_entry entry = {.kind = kind,
                                 .has_envelope_id = true,
                                 .envelope_id = *id,
                                 .time = stage->world->now.wall,
                                 .code = kind == RG_ENTRY_REFUSED ? RG_REFUSE_EXPIRED : 0};
    RG_OWNED_BUFFER bytes = {0};
    uint64_t from = stage->frontier.size;
    (void)snprintf(entry.peer, sizeof(entry.peer), "referral://%s",
                   stage->about != NULL ? stage->about : "la/focal");
    rg_random(entry.salt, sizeof(entry.salt));
    assert_true(rg_is_ok(rg_log_entry_encode(&entry, &bytes, NULL)));
    struct rg_hash leaf = rg_leaf_hash(rg_sha256(rg_buffer_peek(&bytes)));
    leaf.b[0] ^= stage->unproven ? 1 : 0;
    rg_tree_append(stage->tree, leaf);
    rg_frontier_append(&stage->frontier, leaf);
    struct rg_proven_entry proven = {.log_entry = rg_buffer_peek(&bytes), .leaf_index = from};
    struct rg_receipts receipts = {.head = world_head(stage->la, &stage->frontier),
                                   .has_from = from > 0,
                                   .from_size = from,
                                   .entry = &proven,
                                   .entry_count = 1};
    assert_true(rg_is_ok(rg_tree_inclusion(stage->tree, from, from + 1, &proven.inclusion, NULL)));
    if (from > 0) {
        assert_true(rg_is_ok(
            rg_tree_consistency(stage->tree, from, from + 1, &receipts.consistency, NULL)));
    }
    if (frame->kind == RG_FRAME_RECEIPTS) {
        frame->receipts = receipts;
    }
    if (frame->kind == RG_FRAME_TRANSFER) {
        frame->transfer.accepted = receipts;
    }
    if (frame->kind == RG_FRAME_COLLECTED) {
        frame->collected.receipts = receipts;
    }
    if (frame->kind == RG_FRAME_CLOSE_REQUEST) {
        frame->close_request.unconfirmed = receipts;
    }
    world_inject_frame(stage->line, 1, frame);
    world_run(stage->world);
    drain(stage->line);
}

static void test_a_second_answer_counts_for_nothing(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_id first;
    struct rg_id second;
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &first);
    world_submit(stage.world, stage.client, &letter, &second);
    world_run(stage.world);
    assert_int_equal(world_status(stage.th).peer[0].waiting, 2);
    for (int i = 0; i < 4; i++) {
        say(&stage, i % 2 == 0 ? RG_ENTRY_RECEIVED : RG_ENTRY_REFUSED, &first, &answer);
    }
    assert_true(stage.line->open);
    assert_int_equal(world_status(stage.th).peer[0].waiting, 1);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_RECEIPT_VERIFIED, &first), 1);
    assert_int_equal(memory_disk_mails(stage.th->disk, "th/focal", RG_MAIL_STATUS_PEER, &first), 1);
    say(&stage, RG_ENTRY_RECEIVED, &second, &answer);
    assert_int_equal(world_status(stage.th).peer[0].waiting, 0);
    assert_true(world_told(stage.client, &second)->received);
    stage_close(&stage);
}

static void test_collected_counts_once(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_frame collected = {.kind = RG_FRAME_COLLECTED,
                                 .collected = {.has_position = true, .has_receipts = true}};
    struct rg_id id;
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    say(&stage, RG_ENTRY_RECEIVED, &id, &answer);
    for (uint64_t i = 1; i <= 5; i++) {
        collected.collected.position = i;
        say(&stage, RG_ENTRY_COLLECTED, &id, &collected);
    }
    assert_true(stage.line->open);
    assert_true(world_told(stage.client, &id)->collected);
    assert_int_equal(memory_disk_mails(stage.th->disk, "th/focal", RG_MAIL_STATUS_PEER, &id), 2);
    stage_close(&stage);
}

/* la, which has no business with it, brings kh's message before kh does: kh still gets an answer
 * that is final and signed, and its line goes on. */
static void test_anothers_message_brought_first(void **state)
{
    (void)state;
    struct stage stage = {.world = world_new(29), .tree = rg_tree_new(no_tile, NULL)};
    stage.th = world_node(stage.world, "th");
    struct world_node *kh = world_node(stage.world, "kh");
    stage.la = world_node(stage.world, "la");
    world_found(stage.world);
    world_crash(stage.world, stage.la);
    stage.client = world_client(stage.world, kh, "focal", "officer-1", "desk");
    (void)world_connect(stage.world, stage.client);
    RG_OWNED_BUFFER envelope = {0};
    struct rg_id id;
    struct world_letter letter = {.from = "kh/focal", .to = "th/focal"};
    world_envelope(stage.world, &letter, &envelope, &id);
    struct rg_frame transfer = {.kind = RG_FRAME_TRANSFER,
                                .transfer.envelope = rg_buffer_peek(&envelope)};
    hello(&stage);
    say(&stage, RG_ENTRY_ACCEPTED, &id, &transfer);
    struct world_line *line = world_dial(stage.world, kh, stage.th);
    world_run(stage.world);
    struct rg_frame submit = {.kind = RG_FRAME_SUBMIT,
                              .submit.envelope = rg_buffer_peek(&envelope)};
    world_inject_frame(stage.client->line, 1, &submit);
    world_run(stage.world);
    const struct world_told *told = world_told(stage.client, &id);
    assert_true(told->accepted && told->refused);
    assert_int_equal(told->code, RG_REFUSE_NOT_OUR_OFFICE);
    assert_true(line->open);
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    assert_true(world_told(stage.client, &id)->received);
    stage_close(&stage);
}

/* Who brings a message that was accepted from somebody else learns nothing of it. */
static void test_anothers_accepted_message_brought_again(void **state)
{
    (void)state;
    struct stage stage = {.world = world_new(31), .tree = rg_tree_new(no_tile, NULL)};
    stage.th = world_node(stage.world, "th");
    struct world_node *kh = world_node(stage.world, "kh");
    stage.la = world_node(stage.world, "la");
    world_found(stage.world);
    world_crash(stage.world, stage.la);
    stage.client = world_client(stage.world, kh, "focal", "officer-1", "desk");
    struct world_client *rescue = world_client(stage.world, kh, "rescue", "officer-1", "desk");
    (void)world_connect(stage.world, stage.client);
    (void)world_connect(stage.world, rescue);
    (void)world_dial(stage.world, kh, stage.th);
    RG_OWNED_BUFFER envelope = {0};
    struct rg_id id;
    struct world_letter letter = {.from = "kh/focal", .to = "th/focal"};
    world_envelope(stage.world, &letter, &envelope, &id);
    struct rg_frame submit = {.kind = RG_FRAME_SUBMIT,
                              .submit.envelope = rg_buffer_peek(&envelope)};
    struct rg_frame transfer = {.kind = RG_FRAME_TRANSFER,
                                .transfer.envelope = rg_buffer_peek(&envelope)};
    world_run(stage.world);
    world_inject_frame(stage.client->line, 1, &submit);
    world_run(stage.world);
    assert_true(world_told(stage.client, &id)->received);
    hello(&stage);
    size_t told = stage.world->frames[RG_FRAME_RECEIPTS];
    size_t faults = stage.world->frames[RG_FRAME_FAULT];
    world_inject_frame(rescue->line, 1, &submit);
    world_run(stage.world);
    assert_int_equal(rescue->faults, 1);
    say(&stage, RG_ENTRY_ACCEPTED, &id, &transfer);
    assert_int_equal(stage.world->frames[RG_FRAME_FAULT], faults + 2);
    assert_int_equal(stage.world->frames[RG_FRAME_RECEIPTS], told);
    stage_close(&stage);
}

static void test_an_answer_that_is_not_in_its_log(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_id id;
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    stage.unproven = true;
    say(&stage, RG_ENTRY_RECEIVED, &id, &answer);
    assert_int_equal(world_status(stage.th).peer[0].waiting, 1);
    assert_false(world_told(stage.client, &id)->received);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_RECEIPT_VERIFIED, &id), 0);
    stage.unproven = false;
    say(&stage, RG_ENTRY_RECEIVED, &id, &answer);
    assert_true(world_told(stage.client, &id)->received);
    stage_close(&stage);
}

/* Its log's key is the charter's, not whatever key signs. */
static void test_a_head_under_another_key(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_key *key = stage.la->key;
    struct rg_id id;
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    stage.la->key = stage.th->key;
    say(&stage, RG_ENTRY_RECEIVED, &id, &answer);
    stage.la->key = key;
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_PEER_LOG], 1);
    assert_string_equal(stage.th->last[RG_COURIER_ALARM_PEER_LOG].reason, "head-signature");
    world_run(stage.world);
    assert_false(stage.line->open);
    assert_int_equal(world_status(stage.th).peer[0].waiting, 1);
    assert_false(world_told(stage.client, &id)->received);
    stage_close(&stage);
}

/* The proof of acceptance must be about the message that it comes with. */
static void test_a_proof_of_another_message(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    RG_OWNED_BUFFER envelope = {0};
    struct rg_id id;
    struct rg_id other = {{5}};
    struct world_letter letter = {.from = "la/focal", .to = "th/focal"};
    world_envelope(stage.world, &letter, &envelope, &id);
    struct rg_frame transfer = {.kind = RG_FRAME_TRANSFER,
                                .transfer.envelope = rg_buffer_peek(&envelope)};
    struct rg_message message;
    hello(&stage);
    say(&stage, RG_ENTRY_ACCEPTED, &other, &transfer);
    assert_int_equal(world_deliveries(stage.client, &id), 0);
    assert_true(memory_disk_message(stage.th->disk, &id, &message));
    assert_int_equal(message.refusal, RG_REFUSE_NO_PROOF);
    stage_close(&stage);
}

/* la speaks for its own offices: not about what was sent to kh, nor for an office nobody wrote to.
 */
static void test_an_answer_for_others(void **state)
{
    (void)state;
    struct stage stage = {.world = world_new(37), .tree = rg_tree_new(no_tile, NULL)};
    stage.th = world_node(stage.world, "th");
    struct world_node *kh = world_node(stage.world, "kh");
    stage.la = world_node(stage.world, "la");
    world_found(stage.world);
    world_crash(stage.world, stage.la);
    world_crash(stage.world, kh);
    world_offer(stage.th, RG_DOC_PAGE, "la", "page la 1\nla/focal focal always\n");
    world_offer(stage.th, RG_DOC_PAGE, "kh", "page kh 1\nkh/focal focal always\n");
    stage.client = world_client(stage.world, stage.th, "focal", "officer-1", "desk");
    (void)world_connect(stage.world, stage.client);
    static const struct world_letter to_kh = {.to = "kh/focal"}, to_la = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_frame collected = {
        .kind = RG_FRAME_COLLECTED,
        .collected = {.has_position = true, .has_receipts = true, .position = 1}};
    struct rg_id theirs;
    struct rg_id ours;
    hello(&stage);
    world_submit(stage.world, stage.client, &to_kh, &theirs);
    world_submit(stage.world, stage.client, &to_la, &ours);
    world_run(stage.world);
    say(&stage, RG_ENTRY_RECEIVED, &theirs, &answer);
    say(&stage, RG_ENTRY_COLLECTED, &theirs, &collected);
    assert_false(world_told(stage.client, &theirs)->received);
    assert_false(world_told(stage.client, &theirs)->collected);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_RECEIPT_VERIFIED, &theirs), 0);
    assert_true(world_told(stage.client, &ours)->accepted);
    assert_true(stage.line->open);
    say(&stage, RG_ENTRY_RECEIVED, &ours, &answer);
    stage.about = "la/rescue";
    say(&stage, RG_ENTRY_COLLECTED, &ours, &collected);
    assert_true(world_told(stage.client, &ours)->received);
    assert_false(world_told(stage.client, &ours)->collected);
    assert_int_equal(memory_disk_mails(stage.th->disk, "th/focal", RG_MAIL_STATUS_PEER, &ours), 1);
    stage_close(&stage);
}

/* A message is closed on a proof that it expired unanswered, and on no other entry. */
static void test_closing_needs_its_proof(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    struct rg_id id = {{8}};
    struct rg_id other = {{9}};
    struct rg_frame request = {.kind = RG_FRAME_CLOSE_REQUEST,
                               .close_request = {.id = &id, .id_count = 1}};
    hello(&stage);
    say(&stage, RG_ENTRY_ACCEPTED, &id, &request);
    say(&stage, RG_ENTRY_UNCONFIRMED, &other, &request);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_CLOSED, &id), 0);
    say(&stage, RG_ENTRY_UNCONFIRMED, &id, &request);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_CLOSED, &id), 1);
    stage_close(&stage);
}

static void test_closing_under_another_key(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    struct rg_key *key = stage.la->key;
    struct rg_id id = {{8}};
    struct rg_frame request = {.kind = RG_FRAME_CLOSE_REQUEST,
                               .close_request = {.id = &id, .id_count = 1}};
    hello(&stage);
    stage.la->key = stage.th->key;
    say(&stage, RG_ENTRY_UNCONFIRMED, &id, &request);
    stage.la->key = key;
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_PEER_LOG], 1);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_CLOSED, &id), 0);
    stage_close(&stage);
}

/* The second session was told a head that is no longer the newest held when it gets ready: a proof
 * from there would look like a break of the peer's log. */
static void test_a_head_that_moved_since_hello(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_frame frame = {.kind = RG_FRAME_HELLO, .hello.version = 1};
    struct rg_id id;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "referral://la/gateway");
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    struct world_line *second = world_puppet(stage.world, stage.th, "referral://la/gateway");
    world_run(stage.world);
    say(&stage, RG_ENTRY_RECEIVED, &id, &answer);
    assert_true(world_told(stage.client, &id)->received);
    world_inject_frame(second, 1, &frame);
    world_run(stage.world);
    drain(second);
    world_run(stage.world);
    assert_false(second->open);
    assert_string_equal(stage.th->last[RG_COURIER_SESSION_ENDED].reason, "head-moved");
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_PEER_LOG], 0);
    stage_close(&stage);
}

/* la shows a head that th's key has signed, over another tree of a size that th has passed. */
static void test_a_head_of_ours_that_is_not_our_history(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "th/focal"};
    struct rg_frontier other = {0};
    struct rg_frame frame = {.kind = RG_FRAME_HELLO, .hello.version = 1};
    struct rg_id id;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "referral://la/gateway");
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    rg_frontier_append(&other, rg_leaf_hash(rg_sha256(RG_BYTES_LITERAL("x"))));
    struct rg_head head = world_head(stage.th, &other);
    frame.hello.head = &head;
    frame.hello.head_count = 1;
    assert_false(world_status(stage.th).alarmed);
    uint64_t forks = world_status(stage.th).forks;
    stage.line = world_puppet(stage.world, stage.th, "referral://la/gateway");
    world_inject_frame(stage.line, 1, &frame);
    world_run(stage.world);
    assert_true(world_status(stage.th).alarmed);
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_OWN_LOG], 1);
    assert_int_equal(world_status(stage.th).forks, forks + 1);
    drain(stage.line);
    stage_close(&stage);
}

static void test_a_peer_that_goes_back_to_an_older_epoch(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_frame answer = {.kind = RG_FRAME_RECEIPTS};
    struct rg_id first;
    struct rg_id second;
    hello(&stage);
    world_submit(stage.world, stage.client, &letter, &first);
    world_submit(stage.world, stage.client, &letter, &second);
    world_run(stage.world);
    stage.la->options.log_epoch = 2;
    say(&stage, RG_ENTRY_RECEIVED, &first, &answer);
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_PEER_LOG], 0);
    stage.la->options.log_epoch = 1;
    say(&stage, RG_ENTRY_RECEIVED, &second, &answer);
    assert_int_equal(stage.th->event[RG_COURIER_ALARM_PEER_LOG], 1);
    assert_string_equal(stage.th->last[RG_COURIER_ALARM_PEER_LOG].reason, "head-epoch");
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_RECEIPT_VERIFIED, &second), 0);
    stage_close(&stage);
}

static void test_a_suspended_office_sends_nothing(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_id id;
    assert_true(rg_is_ok(rg_trust_suspend(stage.th->trust, "th/focal", NULL)));
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    const struct world_told *told = world_told(stage.client, &id);
    assert_true(told->refused && !told->accepted);
    assert_int_equal(told->code, RG_REFUSE_SUSPENDED);
    stage_close(&stage);
}

/* Nothing is accepted that might stay unsigned for ever. */
static void test_too_much_that_is_unsigned(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "th/focal", .bytes = 16};
    struct rg_id id;
    stage.th->notary_down = true;
    for (int i = 0; i < RG_COURIER_UNSIGNED_MAX / 2 + 20; i++) { /* two leaves each */
        world_submit(stage.world, stage.client, &letter, &id);
        if (i % 1024 == 0) {
            world_run(stage.world);
        }
    }
    world_run(stage.world);
    assert_true(stage.client->not_now > 0);
    assert_int_equal(stage.client->not_now_code, RG_NOT_NOW_NOTARY);
    assert_true(world_status(stage.th).log_size <= RG_COURIER_UNSIGNED_MAX + 16);
    stage_close(&stage);
}

/* Domestic pages come from one's own gateway's folder: no session brings one. */
static void test_a_domestic_page_from_outside(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    struct rg_frame frame = {.kind = RG_FRAME_DOCUMENT,
                             .document = {.kind = RG_DOC_PAGE_DOMESTIC,
                                          .country = "th",
                                          .text = RG_BYTES_LITERAL("domestic th 2\n"
                                                                   "th/ngo-x ngo never\n"),
                                          .signature_count = 1,
                                          .signature = {RG_BYTES_LITERAL("s")}}};
    hello(&stage);
    world_inject_frame(stage.line, 1, &frame);
    world_inject_frame(stage.client->line, 1, &frame);
    world_run(stage.world);
    assert_int_equal(stage.client->faults, 1);
    assert_null(rg_trust_office(stage.th->trust, "th/ngo-x"));
    stage_close(&stage);
}

/* A client confirms what it was sent, and what is addressed to its office. */
static void test_a_client_that_confirms_too_much(void **state)
{
    (void)state;
    struct stage stage = {.world = world_new(41), .tree = rg_tree_new(no_tile, NULL)};
    stage.th = world_node(stage.world, "th");
    world_found(stage.world);
    stage.client = world_client(stage.world, stage.th, "focal", "officer-1", "desk");
    struct world_client *ngo = world_client(stage.world, stage.th, "ngo-a", "officer-1", "desk");
    (void)world_connect(stage.world, stage.client);
    (void)world_connect(stage.world, ngo);
    world_run(stage.world);
    static const struct world_letter letter = {.to = "th/focal"};
    struct rg_frame seen = {.kind = RG_FRAME_STATUS_SEEN, .status_seen.position = 999};
    struct rg_id id;
    world_inject_frame(stage.client->line, 1, &seen);
    world_run(stage.world);
    assert_int_equal(stage.client->faults, 1);
    stage.client->mute = true;
    world_submit(stage.world, ngo, &letter, &id);
    world_run(stage.world);
    assert_int_equal(world_deliveries(stage.client, &id), 1); /* its cursor stands where it stood */
    struct rg_frame opened = {.kind = RG_FRAME_COLLECTED,
                              .collected = {.opened = &id, .opened_count = 1}};
    world_inject_frame(ngo->line, 1, &opened);
    world_run(stage.world);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_COLLECTED, &id), 0);
    world_inject_frame(stage.client->line, 1, &opened);
    world_run(stage.world);
    assert_int_equal(memory_disk_entries(stage.th->disk, RG_ENTRY_COLLECTED, &id), 1);
    stage_close(&stage);
}

/* Two officers may call their computers the same. */
static void test_devices_of_one_name(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    struct world_client *colleague =
        world_client(stage.world, stage.th, "focal", "officer-2", "desk");
    struct world_client *client = stage.client;
    static const struct world_letter letter = {.to = "th/focal"};
    struct rg_id id[3];
    for (int i = 0; i < 3; i++) {
        world_submit(stage.world, client, &letter, &id[i]);
    }
    world_run(stage.world);
    world_advance(stage.world, 2000); /* its cursor is written */
    world_run(stage.world);
    (void)world_connect(stage.world, colleague);
    world_run(stage.world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(world_deliveries(client, &id[i]), 1);
        assert_int_equal(world_deliveries(colleague, &id[i]), 1);
    }
    stage_close(&stage);
}

/* Asks for answers for ever and takes none: the session ends before the memory does. */
static void test_a_client_that_reads_nothing(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    struct rg_reason why;
    RG_OWNED_BUFFER envelope = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_courier_out out = {0};
    struct rg_id id;
    world_crash(stage.world, stage.th);
    stage.th->options.quota_per_day = 1;
    world_start(stage.world, stage.th);
    (void)world_connect(stage.world, stage.client);
    world_run(stage.world);
    static const struct world_letter letter = {.from = "th/focal", .to = "la/focal", .bytes = 64};
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    world_envelope(stage.world, &letter, &envelope, &id);
    struct rg_frame submit = {.kind = RG_FRAME_SUBMIT,
                              .submit.envelope = rg_buffer_peek(&envelope)};
    assert_true(rg_is_ok(rg_frame_encode(&submit, &bytes, NULL)));
    struct rg_courier *courier = stage.th->courier;
    struct rg_session_id session = stage.client->line->end[1].session;
    bool closed = false;
    for (int i = 0; i < 400000 && !closed; i++) {
        if (i % RG_BATCH_FRAMES_MAX == 0) {
            assert_true(rg_is_ok(rg_courier_commit(courier, stage.world->now, &why)));
            while (rg_courier_out_peek(courier, &out)) {
                closed = closed || out.kind == RG_OUT_CLOSE;
                if (out.kind == RG_OUT_FRAME) {
                    rg_courier_out_blocked(courier);
                    continue;
                }
                rg_courier_out_done(courier);
            }
        }
        assert_true(rg_is_ok(
            rg_courier_frame(courier, session, rg_buffer_peek(&bytes), stage.world->now, &why)));
    }
    assert_true(closed);
    stage_close(&stage);
}

/* More leaves wait than one request to the notary can hold. */
static void test_notary_away_for_long(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "th/focal", .bytes = 16};
    struct rg_notary_request request = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_id id;
    stage.th->notary_down = true;
    for (int i = 0; i < RG_NOTARY_LEAVES_MAX / 2 + 50; i++) { /* two leaves each */
        world_submit(stage.world, stage.client, &letter, &id);
    }
    world_run(stage.world);
    world_advance(stage.world, 1000);
    assert_true(world_status(stage.th).log_size > RG_NOTARY_LEAVES_MAX);
    assert_true(rg_is_ok(rg_courier_tick(stage.th->courier, stage.world->now, NULL)));
    assert_true(rg_courier_notary_try(stage.th->courier, &request)); /* its size first */
    assert_int_equal(request.leaves.len, 0);
    stage.th->late.used = false; /* what it was asked before is lost */
    struct rg_notary_answer behind = {.code = RG_DENIED, .size = world_status(stage.th).head_size};
    assert_true(
        rg_is_ok(rg_courier_notary_answer(stage.th->courier, &behind, stage.world->now, NULL)));
    assert_true(rg_courier_notary_try(stage.th->courier, &request));
    assert_int_equal(request.leaves.len, RG_NOTARY_LEAVES_MAX * 32);
    assert_true(rg_is_ok(rg_notary_request_encode(&request, &bytes, NULL)));
    stage.th->notary_down = false;
    world_advance(stage.world, 1000);
    world_run(stage.world);
    assert_int_equal(world_status(stage.th).head_size, world_status(stage.th).log_size);
    assert_true(world_told(stage.client, &id)->accepted);
    stage_close(&stage);
}

/* After a start, before anybody has connected. */
static void test_status_knows_at_once_what_waits(void **state)
{
    (void)state;
    struct stage stage = stage_open();
    static const struct world_letter letter = {.to = "la/focal"};
    struct rg_id id;
    world_submit(stage.world, stage.client, &letter, &id);
    world_run(stage.world);
    world_crash(stage.world, stage.th);
    world_start(stage.world, stage.th);
    struct rg_courier_status status = world_status(stage.th);
    uint64_t waiting = 0;
    for (size_t i = 0; i < status.peer_count; i++) {
        waiting += status.peer[i].waiting;
    }
    assert_int_equal(waiting, 1);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_second_answer_counts_for_nothing),
        cmocka_unit_test(test_collected_counts_once),
        cmocka_unit_test(test_anothers_message_brought_first),
        cmocka_unit_test(test_anothers_accepted_message_brought_again),
        cmocka_unit_test(test_an_answer_that_is_not_in_its_log),
        cmocka_unit_test(test_a_head_under_another_key),
        cmocka_unit_test(test_a_proof_of_another_message),
        cmocka_unit_test(test_an_answer_for_others),
        cmocka_unit_test(test_closing_needs_its_proof),
        cmocka_unit_test(test_a_head_of_ours_that_is_not_our_history),
        cmocka_unit_test(test_a_peer_that_goes_back_to_an_older_epoch),
        cmocka_unit_test(test_a_suspended_office_sends_nothing),
        cmocka_unit_test(test_too_much_that_is_unsigned),
        cmocka_unit_test(test_closing_under_another_key),
        cmocka_unit_test(test_a_head_that_moved_since_hello),
        cmocka_unit_test(test_a_domestic_page_from_outside),
        cmocka_unit_test(test_a_client_that_confirms_too_much),
        cmocka_unit_test(test_devices_of_one_name),
        cmocka_unit_test(test_a_client_that_reads_nothing),
        cmocka_unit_test(test_notary_away_for_long),
        cmocka_unit_test(test_status_knows_at_once_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
