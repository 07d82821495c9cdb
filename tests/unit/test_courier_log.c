/* What a gateway keeps of the logs of others: heads in its own log, new epochs, forks with both
 * halves. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_heads_are_logged_seldom),
        cmocka_unit_test(test_peer_head_of_an_undone_batch),
        cmocka_unit_test(test_a_new_epoch_is_shown_for_ever),
        cmocka_unit_test(test_the_newest_epoch_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
