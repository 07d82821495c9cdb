/* What a gateway keeps of the logs of others: heads in its own log, new epochs, forks with both
 * halves. */
#include "tests/sim/fake_trust.h"
#include "tests/sim/world.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct pair {
    struct world *world;
    struct world_node *th, *kh;
    struct world_client *from, *to;
    struct world_line *line;
};

static struct pair pair_open(void)
{
    struct pair pair = {.world = world_new(17)};
    pair.th = world_node(pair.world, "th");
    pair.kh = world_node(pair.world, "kh");
    world_found(pair.world);
    pair.from = world_client(pair.world, pair.th, "focal", "officer-1", "desk");
    pair.to = world_client(pair.world, pair.kh, "focal", "officer-1", "desk");
    pair.line = world_dial(pair.world, pair.th, pair.kh);
    (void)world_connect(pair.world, pair.from);
    (void)world_connect(pair.world, pair.to);
    world_run(pair.world);
    return pair;
}

static void send_one(struct pair *pair)
{
    static const struct world_letter to_kh = {.to = "kh/focal"};
    struct rg_id id;
    world_submit(pair->world, pair->from, &to_kh, &id);
    world_run(pair->world);
    assert_true(world_told(pair->from, &id)->received);
}

static size_t heads_logged(const struct world_node *node)
{
    return memory_disk_entries(node->disk, RG_ENTRY_PEER_HEAD, NULL);
}

static uint64_t epoch_seen(const struct world_node *node)
{
    const struct rg_courier_status status = world_status(node);
    assert_int_equal(status.peer_count, 1);
    return status.peer[0].epoch;
}

/* The first at once, then one a minute at most, and none for the other's entries about ours. */
static void test_peer_heads_are_logged_seldom(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    for (int i = 0; i < 5; i++) {
        send_one(&pair);
    }
    assert_int_equal(heads_logged(pair.th), 1);
    assert_int_equal(heads_logged(pair.kh), 1);
    world_advance(pair.world, 61000);
    world_run(pair.world);
    send_one(&pair);
    assert_int_equal(heads_logged(pair.th), 2);
    assert_int_equal(heads_logged(pair.kh), 2);
    size_t frames = 0;
    for (int round = 0; round < 3; round++) { /* then silence, however long */
        world_advance(pair.world, 61000);
        world_run(pair.world);
        size_t sent = 0;
        for (size_t i = 0; i < sizeof(pair.world->frames) / sizeof(pair.world->frames[0]); i++) {
            sent += pair.world->frames[i];
        }
        assert_true(round == 0 || sent == frames);
        frames = sent;
    }
    assert_int_equal(heads_logged(pair.th), 2);
    world_free(pair.world);
}

/* A batch that was not written takes its entry with it: it is logged with the next. */
static void test_peer_head_of_an_undone_batch(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id;
    static const struct world_letter to_kh = {.to = "kh/focal"};
    memory_disk_full(pair.kh->disk, true);
    world_submit(pair.world, pair.from, &to_kh, &id);
    world_run(pair.world);
    assert_int_equal(heads_logged(pair.kh), 0);
    memory_disk_full(pair.kh->disk, false);
    world_advance(pair.world, 45000);
    world_run(pair.world);
    assert_true(world_told(pair.from, &id)->received);
    assert_int_equal(heads_logged(pair.kh), 1);
    world_free(pair.world);
}

static void test_a_new_epoch_is_shown_for_ever(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    send_one(&pair);
    assert_int_equal(epoch_seen(pair.th), 1);
    world_crash(pair.world, pair.kh);
    pair.kh->options.log_epoch = 2;
    pair.kh->notary = (struct rg_frontier){0};
    world_start(pair.world, pair.kh);
    pair.line = world_dial(pair.world, pair.th, pair.kh);
    (void)world_connect(pair.world, pair.to);
    world_run(pair.world);
    send_one(&pair);
    assert_int_equal(pair.th->event[RG_COURIER_PEER_EPOCH], 1);
    assert_int_equal(pair.th->last[RG_COURIER_PEER_EPOCH].number, 2);
    assert_int_equal(epoch_seen(pair.th), 2);
    assert_int_equal(heads_logged(pair.th), 2); /* within the minute: it is another log */
    world_crash(pair.world, pair.th);
    world_start(pair.world, pair.th);
    assert_int_equal(epoch_seen(pair.th), 2);
    world_free(pair.world);
}

/* Heads of all epochs are kept; the newest epoch counts, in whatever order they are read. */
static void test_the_newest_epoch_counts(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_frontier frontier = {0};
    static const uint64_t order[] = {2, 10, 3};
    world_crash(pair.world, pair.th);
    struct rg_store *store = memory_disk_open(pair.th->disk);
    assert_true(rg_is_ok(store->ops->begin(store, NULL)));
    for (size_t i = 0; i < 3; i++) {
        rg_frontier_append(&frontier, (struct rg_hash){{1}});
        pair.kh->options.log_epoch = order[i];
        struct rg_head head = world_head(pair.kh, &frontier);
        assert_true(rg_is_ok(store->ops->head_set(store, &head, NULL)));
    }
    assert_true(rg_is_ok(store->ops->commit(store, NULL)));
    world_start(pair.world, pair.th);
    assert_int_equal(epoch_seen(pair.th), 10);
    world_free(pair.world);
}

/* Forks: both halves are kept, with their signatures, and stay. */

struct found {
    size_t count;
    struct rg_fork last; /* without bytes */
    char first[1024], second[1024];
};

static rg_outcome look(void *context, const struct rg_fork *fork, struct rg_reason *why)
{
    struct found *found = context;
    (void)why;
    assert_true(fork->first.len < 1024 && fork->second.len < 1024);
    found->count++;
    found->last = *fork;
    memset(found->first, 0, sizeof(found->first));
    memset(found->second, 0, sizeof(found->second));
    memcpy(found->first, fork->first.data, fork->first.len);
    memcpy(found->second, fork->second.data, fork->second.len);
    return rg_ok();
}

static struct found found_in(const struct world_node *node)
{
    struct found found = {0};
    struct rg_store *store = node->options.store;
    assert_true(rg_is_ok(store->ops->forks_each(store, look, &found, NULL)));
    assert_int_equal(world_status(node).forks, found.count);
    return found;
}

static void assert_note(const char *text, const struct world_node *node, const struct rg_head *head)
{
    struct rg_head read;
    assert_true(rg_is_ok(rg_checkpoint_parse(rg_bytes_of_text(text), &read, NULL)));
    assert_true(rg_is_ok(rg_head_verify(&read, node->public_key, NULL)));
    assert_string_equal(read.origin, head->origin);
    assert_int_equal(read.size, head->size);
    assert_memory_equal(read.root.b, head->root.b, 32);
}

/* kh shows a head of the size that we hold of it, with another root. */
static void test_two_heads_of_one_log_are_kept(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    send_one(&pair);
    struct rg_head held = {0};
    size_t count = 0;
    struct rg_store *store = pair.th->options.store;
    assert_true(rg_is_ok(store->ops->heads(store, &held, 1, &count, NULL)));
    assert_int_equal(count, 1);
    struct rg_frontier other = {0};
    for (uint64_t i = 0; i < held.size; i++) {
        rg_frontier_append(&other, (struct rg_hash){{7}});
    }
    const struct rg_head shown = world_head(pair.kh, &other);
    assert_int_equal(found_in(pair.th).count, 0);
    for (int round = 0; round < 2; round++) {
        world_cut(pair.world, pair.line);
        struct rg_frame hello = {.kind = RG_FRAME_HELLO,
                                 .hello = {.version = 1,
                                           .principal = "referral://kh/gateway",
                                           .head = &shown,
                                           .head_count = 1}};
        struct world_line *line = world_puppet(pair.world, pair.th, "referral://kh/gateway");
        world_inject_frame(line, 1, &hello);
        world_run(pair.world);
        world_advance(pair.world, 2000);
        world_run(pair.world);
        const struct found found = found_in(pair.th);
        assert_int_equal(found.count, 1); /* once, the first */
        assert_int_equal(found.last.kind, RG_FORK_LOG);
        assert_string_equal(found.last.subject, "referral/kh/1");
        assert_true(found.last.found.ms > 0);
        assert_note(found.first, pair.kh, &held);
        assert_note(found.second, pair.kh, &shown);
        world_cut(pair.world, line);
        world_crash(pair.world, pair.th); /* they are on the disk */
        world_start(pair.world, pair.th);
    }
    assert_int_equal(found_in(pair.th).count, 1);
    world_free(pair.world);
}

static void test_two_pages_of_one_counter_are_kept(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    static const char other[] = "page kh 1\nkh/other focal always\n";
    struct rg_document document;
    fake_document(RG_DOC_PAGE, "kh", other, &document);
    assert_true(rg_is_ok(rg_courier_document(pair.th->courier, &document, pair.world->now, NULL)));
    rg_document_drop(&document);
    world_run(pair.world);
    const struct found found = found_in(pair.th);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.last.kind, RG_FORK_DOCUMENT);
    assert_string_equal(found.last.subject, "page kh 1");
    const char *half[] = {found.first, found.second};
    for (int i = 0; i < 2; i++) {
        struct rg_frame frame = {0};
        assert_true(rg_is_ok(rg_frame_decode(rg_bytes_of_text(half[i]), &frame, NULL)));
        assert_int_equal(frame.kind, RG_FRAME_DOCUMENT);
        assert_int_equal(frame.document.signature_count, 1);
        bool same = frame.document.text.len == strlen(other) &&
                    memcmp(frame.document.text.data, other, strlen(other)) == 0;
        assert_int_equal(same, i == 1);
        rg_frame_drop(&frame);
    }
    assert_non_null(rg_trust_office(pair.th->trust, "kh/focal")); /* what was held still counts */
    world_free(pair.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_heads_are_logged_seldom),
        cmocka_unit_test(test_peer_head_of_an_undone_batch),
        cmocka_unit_test(test_a_new_epoch_is_shown_for_ever),
        cmocka_unit_test(test_the_newest_epoch_counts),
        cmocka_unit_test(test_two_heads_of_one_log_are_kept),
        cmocka_unit_test(test_two_pages_of_one_counter_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
