/* The mark of a new epoch: what it names, where it goes, and that it is made once. */
#include "gateway/epoch.h"

#include "core/digest.h"
#include "gateway/notary.h"
#include "gateway/store_sqlite.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OK(call) assert_true(rg_is_ok(call))

struct fixture {
    char folder[32], store[64], state[64];
    struct rg_frontier log;
};

static struct rg_store *store_of(const struct fixture *fixture)
{
    struct rg_store *store = NULL;
    OK(rg_store_sqlite_open(fixture->store, &(struct rg_store_sqlite){0}, &store, NULL));
    return store;
}

/* A store with `leaves` entries. */
static struct fixture fixture_open(uint64_t leaves)
{
    struct fixture fixture = {.folder = "/tmp/rg-epoch-XXXXXX"};
    assert_non_null(mkdtemp(fixture.folder));
    (void)snprintf(fixture.store, sizeof(fixture.store), "%s/store.db", fixture.folder);
    (void)snprintf(fixture.state, sizeof(fixture.state), "%s/state-1", fixture.folder);
    struct rg_store *store = store_of(&fixture);
    OK(store->ops->begin(store, NULL));
    for (uint64_t i = 0; i < leaves; i++) {
        RG_OWNED_BUFFER bytes = {0};
        struct rg_log_entry entry = {
            .kind = RG_ENTRY_PAGE, .time = {(int64_t)i + 1}, .has_detail = true};
        OK(rg_log_entry_encode(&entry, &bytes, NULL));
        struct rg_hash hash = rg_sha256(rg_buffer_peek(&bytes));
        OK(store->ops->leaf_add(store, i, &hash, rg_buffer_peek(&bytes), NULL));
        rg_frontier_append(&fixture.log, rg_leaf_hash(hash));
    }
    OK(store->ops->commit(store, NULL));
    store->ops->close(store);
    return fixture;
}

static void fixture_close(const struct fixture *fixture)
{
    const char *const name[] = {"store.db", "store.db-wal", "store.db-shm", "state-1"};
    char path[64];
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", fixture->folder, name[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(fixture->folder), 0);
}

static void mark(const struct fixture *fixture, const char *origin)
{
    struct rg_key *key = NULL;
    OK(rg_key_take(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &key, NULL));
    const struct rg_epoch_mark mark = {.store_path = fixture->store,
                                       .state_path = fixture->state,
                                       .origin = origin,
                                       .key = key,
                                       .now = {77}};
    OK(rg_epoch_mark(&mark, NULL));
    rg_key_free(key);
}

static struct rg_hash digest_of(const char *origin, const struct rg_frontier *frontier)
{
    struct rg_head head = {.size = frontier->size, .root = rg_frontier_root(frontier)};
    struct rg_hash digest = {0};
    (void)snprintf(head.origin, sizeof(head.origin), "%s", origin);
    OK(rg_head_digest(&head, &digest, NULL));
    return digest;
}

/* The last entry is the mark, at that place, and names this head. */
static void assert_mark(const struct fixture *fixture, uint64_t index, struct rg_hash digest)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_log_entry entry;
    struct rg_store *store = store_of(fixture);
    uint64_t size = 0;
    bool found = false;
    OK(store->ops->log_size(store, &size, NULL));
    assert_int_equal(size, index + 1);
    OK(store->ops->leaf_entry(store, index, &bytes, &found, NULL));
    assert_true(found);
    OK(rg_log_entry_decode(rg_buffer_peek(&bytes), &entry, NULL));
    assert_int_equal(entry.kind, RG_ENTRY_EPOCH);
    assert_int_equal(entry.time.ms, 77);
    assert_memory_equal(entry.detail.b, digest.b, sizeof(digest.b));
    store->ops->close(store);
}

static void test_state_lost_names_the_log_of_the_store(void **state)
{
    (void)state;
    const struct fixture fixture = fixture_open(5);
    struct rg_hash digest = digest_of("referral/th/1", &fixture.log);
    mark(&fixture, "referral/th/1");
    assert_mark(&fixture, 5, digest);
    mark(&fixture, "referral/th/1"); /* it had died before the new state was there */
    assert_mark(&fixture, 5, digest);
    fixture_close(&fixture);
}

/* The next epoch has a mark of its own, also when nothing came between. */
static void test_each_epoch_has_its_own_mark(void **state)
{
    (void)state;
    const struct fixture fixture = fixture_open(2);
    mark(&fixture, "referral/th/1");
    mark(&fixture, "referral/th/2");
    struct rg_store *store = store_of(&fixture);
    uint64_t size = 0;
    OK(store->ops->log_size(store, &size, NULL));
    assert_int_equal(size, 4);
    store->ops->close(store);
    fixture_close(&fixture);
}

/* A mark that closes a tile brings the tile's root; one after it does not. */
static void test_the_mark_closes_a_tile(void **state)
{
    (void)state;
    static const uint64_t before[] = {RG_TILE_LEAVES - 1, RG_TILE_LEAVES, 2 * RG_TILE_LEAVES - 1};
    static const size_t tiles[] = {1, 0, 1}; /* the fixture itself writes none */
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        const struct fixture fixture = fixture_open(before[i]);
        struct rg_hash root;
        size_t count = 0;
        mark(&fixture, "referral/th/1");
        assert_mark(&fixture, before[i], digest_of("referral/th/1", &fixture.log));
        struct rg_store *store = store_of(&fixture);
        OK(store->ops->tiles(store, before[i] / RG_TILE_LEAVES, 1, &root, &count, NULL));
        assert_int_equal(count, tiles[i]);
        if (count == 1) {
            struct rg_hash leaf[RG_TILE_LEAVES];
            struct rg_frontier frontier = {0};
            OK(store->ops->leaves(store, before[i] + 1 - RG_TILE_LEAVES, RG_TILE_LEAVES, leaf,
                                  &count, NULL));
            for (size_t k = 0; k < count; k++) {
                rg_frontier_append(&frontier, rg_leaf_hash(leaf[k]));
            }
            struct rg_hash expected = rg_frontier_root(&frontier);
            assert_memory_equal(root.b, expected.b, sizeof(root.b));
        }
        store->ops->close(store);
        fixture_close(&fixture);
    }
}

/* The store was set back: the old notary knows the last head. With its state lost as well, the
 * largest head of ours that a partner has shown. */
static void test_a_larger_head_is_named(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(3);
    struct rg_frontier ahead = fixture.log;
    rg_frontier_append(&ahead, (struct rg_hash){{9}});
    struct rg_head shown = {
        .origin = "referral/th/1", .size = ahead.size, .root = rg_frontier_root(&ahead)};
    struct rg_store *store = store_of(&fixture);
    OK(store->ops->begin(store, NULL));
    OK(store->ops->head_set(store, &shown, NULL));
    OK(store->ops->commit(store, NULL));
    store->ops->close(store);
    mark(&fixture, "referral/th/1");
    assert_mark(&fixture, 3, digest_of("referral/th/1", &ahead));
    fixture_close(&fixture);
}

static void test_a_damaged_state_counts_as_lost(void **state)
{
    (void)state;
    const struct fixture fixture = fixture_open(3);
    int fd = open(fixture.state, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "garbage", 7), 7);
    (void)close(fd);
    mark(&fixture, "referral/th/1");
    assert_mark(&fixture, 3, digest_of("referral/th/1", &fixture.log));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_lost_names_the_log_of_the_store),
        cmocka_unit_test(test_each_epoch_has_its_own_mark),
        cmocka_unit_test(test_the_mark_closes_a_tile),
        cmocka_unit_test(test_a_larger_head_is_named),
        cmocka_unit_test(test_a_damaged_state_counts_as_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
