/* spool: steps, messages, order, proofs, the journal, sealed items and their erasure. */
#include "client/spool.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

struct bench {
    char folder[64];
    char path[96];
    struct rg_spool *spool;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    (void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/rg-spool-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->path, sizeof(bench->path), "%s/casebook.db", bench->folder);
    assert_true(rg_is_ok(rg_spool_open(bench->path, &bench->spool, NULL)));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char more[128];
    rg_spool_close(bench->spool);
    (void)unlink(bench->path);
    (void)snprintf(more, sizeof(more), "%s-wal", bench->path);
    (void)unlink(more);
    (void)snprintf(more, sizeof(more), "%s-shm", bench->path);
    (void)unlink(more);
    assert_int_equal(rmdir(bench->folder), 0);
    free(bench);
    return 0;
}

static void reopen(struct bench *bench)
{
    rg_spool_close(bench->spool);
    bench->spool = NULL;
    assert_true(rg_is_ok(rg_spool_open(bench->path, &bench->spool, NULL)));
}

static struct rg_message_row message(uint8_t mark, enum rg_message_state state, int priority)
{
    struct rg_message_row row = {.state = state,
                                 .ours = state < RG_IN_STORED,
                                 .priority = priority,
                                 .sections = 2,
                                 .time_ms = 1000 + mark};
    memset(row.id.b, mark, sizeof(row.id.b));
    memset(row.thread.b, 7, sizeof(row.thread.b));
    (void)snprintf(row.other, sizeof(row.other), "kh/focal");
    return row;
}

static int64_t put(struct bench *bench, uint8_t mark, enum rg_message_state state, int priority)
{
    struct rg_message_row row = message(mark, state, priority);
    struct rg_bytes body = RG_BYTES_LITERAL("an envelope");
    assert_true(rg_is_ok(rg_spool_message_add(bench->spool, &row, body, NULL)));
    return row.seq;
}

static void test_message_is_durable_and_once(void **state)
{
    struct bench *bench = *state;
    int64_t seq = put(bench, 1, RG_OUT_WAITING, RG_ROUTINE);
    struct rg_message_row row = message(1, RG_OUT_WAITING, RG_ROUTINE);
    struct rg_reason why = {0};
    rg_outcome again = rg_spool_message_add(bench->spool, &row, RG_BYTES_LITERAL("another"), &why);
    assert_int_equal(again.code, RG_DENIED);
    assert_string_equal(why.id, "message-known");
    reopen(bench);
    bool found = false;
    RG_OWNED_BUFFER body = {0};
    assert_true(rg_is_ok(rg_spool_message_get(bench->spool, row.id, &row, &found, NULL)));
    assert_true(found && row.seq == seq && row.ours && row.sections == 2);
    assert_string_equal(row.other, "kh/focal");
    assert_true(rg_is_ok(rg_spool_envelope(bench->spool, seq, &body, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&body), RG_BYTES_LITERAL("an envelope")));
}

/* SQLite's calls come here. */
static size_t wal_syncs;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    char link[64];
    char path[256];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path));
    wal_syncs += len > 4 && memcmp(path + len - 4, "-wal", 4) == 0 ? 1 : 0;
    return (int)syscall(SYS_fdatasync, fd);
}

/* A step that has returned is on the disk, not in the kernel's hands only. */
static void test_a_step_is_synced(void **state)
{
    struct bench *bench = *state;
    for (uint8_t mark = 1; mark < 5; mark++) {
        wal_syncs = 0;
        (void)put(bench, mark, RG_OUT_WAITING, RG_ROUTINE);
        assert_true(wal_syncs > 0);
    }
}

static void test_steps_nest_and_roll_back(void **state)
{
    struct bench *bench = *state;
    struct rg_spool_counts counts;
    {
        RG_SPOOL_STEP outer = {0};
        assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &outer, NULL)));
        (void)put(bench, 1, RG_OUT_WAITING, RG_ROUTINE);
        {
            RG_SPOOL_STEP inner = {0};
            assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &inner, NULL)));
            (void)put(bench, 2, RG_OUT_WAITING, RG_ROUTINE);
        }
        {
            RG_SPOOL_STEP inner = {0};
            assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &inner, NULL)));
            (void)put(bench, 3, RG_OUT_WAITING, RG_ROUTINE);
            assert_true(rg_is_ok(rg_spool_step_commit(&inner, NULL)));
        }
        assert_true(rg_is_ok(rg_spool_step_commit(&outer, NULL)));
    }
    assert_true(rg_is_ok(rg_spool_count(bench->spool, &counts, NULL)));
    assert_int_equal(counts.waiting, 2);
    {
        RG_SPOOL_STEP outer = {0};
        RG_SPOOL_STEP inner = {0};
        assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &outer, NULL)));
        assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &inner, NULL)));
        (void)put(bench, 4, RG_OUT_WAITING, RG_ROUTINE);
        assert_true(rg_is_ok(rg_spool_step_commit(&inner, NULL)));
        /* the outer one is dropped: what the inner one did is gone as well */
    }
    reopen(bench);
    assert_true(rg_is_ok(rg_spool_count(bench->spool, &counts, NULL)));
    assert_int_equal(counts.waiting, 2);
}

static void test_waiting_by_priority_and_time(void **state)
{
    struct bench *bench = *state;
    struct rg_message_row row[4];
    size_t count = 0;
    int64_t routine = put(bench, 1, RG_OUT_WAITING, RG_ROUTINE);
    int64_t emergency = put(bench, 2, RG_OUT_WAITING, RG_EMERGENCY);
    (void)put(bench, 3, RG_OUT_ACCEPTED, RG_EMERGENCY);
    int64_t second = put(bench, 4, RG_OUT_WAITING, RG_ROUTINE);
    assert_true(rg_is_ok(rg_spool_waiting(bench->spool, RG_EMERGENCY, 0, 0, row, 4, &count, NULL)));
    assert_true(count == 1 && row[0].seq == emergency);
    assert_true(
        rg_is_ok(rg_spool_waiting(bench->spool, RG_ROUTINE, 0, routine, row, 4, &count, NULL)));
    assert_true(count == 1 && row[0].seq == second);
    row[0].not_before = 5000;
    assert_true(rg_is_ok(rg_spool_message_update(bench->spool, &row[0], NULL)));
    assert_true(
        rg_is_ok(rg_spool_waiting(bench->spool, RG_ROUTINE, 4999, routine, row, 4, &count, NULL)));
    assert_int_equal(count, 0);
    assert_true(
        rg_is_ok(rg_spool_waiting(bench->spool, RG_ROUTINE, 5000, routine, row, 4, &count, NULL)));
    assert_int_equal(count, 1);
}

static void test_prefix_names_one_message(void **state)
{
    struct bench *bench = *state;
    struct rg_message_row row;
    struct rg_reason why = {0};
    bool found = false;
    struct rg_message_row twin = message(0x11, RG_IN_STORED, RG_ROUTINE);
    (void)put(bench, 0x11, RG_IN_STORED, RG_ROUTINE);
    twin.id.b[31] = 0x12;
    assert_true(
        rg_is_ok(rg_spool_message_add(bench->spool, &twin, RG_BYTES_LITERAL("twin"), NULL)));
    (void)put(bench, 0x22, RG_IN_STORED, RG_ROUTINE);
    uint8_t prefix[32];
    memset(prefix, 0x22, sizeof(prefix));
    assert_true(rg_is_ok(
        rg_spool_message_by_prefix(bench->spool, rg_bytes_of(prefix, 4), &row, &found, &why)));
    assert_true(found && row.id.b[0] == 0x22);
    memset(prefix, 0x11, sizeof(prefix));
    rg_outcome both =
        rg_spool_message_by_prefix(bench->spool, rg_bytes_of(prefix, 8), &row, &found, &why);
    assert_int_equal(both.code, RG_DENIED);
    assert_string_equal(why.id, "message-ambiguous");
    assert_int_equal(
        rg_spool_message_by_prefix(bench->spool, rg_bytes_of(prefix, 3), &row, &found, &why).code,
        RG_LIMIT);
}

static void test_thread_last_of_each_side(void **state)
{
    struct bench *bench = *state;
    struct rg_id id;
    bool found = true;
    struct rg_thread_id thread;
    memset(thread.b, 7, sizeof(thread.b));
    (void)put(bench, 1, RG_OUT_WAITING, RG_ROUTINE);
    (void)put(bench, 2, RG_OUT_WAITING, RG_ROUTINE);
    assert_true(rg_is_ok(rg_spool_thread_last(bench->spool, thread, false, &id, &found, NULL)));
    assert_false(found);
    (void)put(bench, 3, RG_IN_OPENED, RG_ROUTINE);
    (void)put(bench, 4, RG_IN_UNOPENED, RG_ROUTINE); /* nobody has read it: not "seen" */
    assert_true(rg_is_ok(rg_spool_thread_last(bench->spool, thread, false, &id, &found, NULL)));
    assert_true(found && id.b[0] == 3);
    assert_true(rg_is_ok(rg_spool_thread_last(bench->spool, thread, true, &id, &found, NULL)));
    assert_true(found && id.b[0] == 2);
}

static void test_proof_once_per_kind(void **state)
{
    struct bench *bench = *state;
    int64_t seq = put(bench, 1, RG_OUT_WAITING, RG_ROUTINE);
    struct rg_proof_row proof = {.kind = RG_ENTRY_ACCEPTED, .leaf_index = 5, .time_ms = 77};
    struct rg_proof_row got[4];
    size_t count = 0;
    bool fresh = false;
    (void)snprintf(proof.head.origin, sizeof(proof.head.origin), "referral/th/1");
    proof.head.size = 9;
    proof.inclusion.count = 3;
    memset(proof.inclusion.hash, 0x5a, 3 * sizeof(struct rg_hash));
    memcpy(proof.log_entry, "entry", 5);
    proof.log_entry_len = 5;
    assert_true(rg_is_ok(rg_spool_proof_add(bench->spool, seq, &proof, &fresh, NULL)));
    assert_true(fresh);
    proof.leaf_index = 6;
    assert_true(rg_is_ok(rg_spool_proof_add(bench->spool, seq, &proof, &fresh, NULL)));
    assert_false(fresh);
    assert_true(rg_is_ok(rg_spool_proofs(bench->spool, seq, got, 4, &count, NULL)));
    assert_int_equal(count, 1);
    assert_int_equal(got[0].leaf_index, 5);
    assert_int_equal(got[0].head.size, 9);
    assert_int_equal(got[0].inclusion.count, 3);
    assert_memory_equal(got[0].inclusion.hash, proof.inclusion.hash, 96);
    assert_memory_equal(got[0].log_entry, "entry", 5);
}

static void test_newest_head_per_log(void **state)
{
    struct bench *bench = *state;
    struct rg_head head = {.origin = "referral/th/1", .size = 3};
    struct rg_head got[4];
    size_t count = 0;
    assert_true(rg_is_ok(rg_spool_head_keep(bench->spool, &head, NULL)));
    head.size = 8;
    assert_true(rg_is_ok(rg_spool_head_keep(bench->spool, &head, NULL)));
    struct rg_head other = {.origin = "referral/kh/1", .size = 4};
    assert_true(rg_is_ok(rg_spool_head_keep(bench->spool, &other, NULL)));
    assert_true(rg_is_ok(rg_spool_heads(bench->spool, got, 4, &count, NULL)));
    assert_int_equal(count, 2);
    assert_string_equal(got[0].origin, "referral/kh/1");
    assert_int_equal(got[1].size, 8);
}

static void test_journal_is_append_only(void **state)
{
    struct bench *bench = *state;
    struct rg_spool_counts counts;
    struct rg_journal_row line[4];
    size_t count = 0;
    struct rg_id id = {{9}};
    sqlite3 *raw = NULL;
    assert_true(rg_is_ok(rg_spool_journal_add(bench->spool, id, 1, "desk", 100, true, NULL)));
    assert_true(rg_is_ok(rg_spool_journal_add(bench->spool, id, 1, "desk", 101, false, NULL)));
    assert_true(rg_is_ok(rg_spool_count(bench->spool, &counts, NULL)));
    assert_int_equal(counts.deliveries, 2);
    assert_int_equal(counts.duplicates, 0);
    assert_int_equal(sqlite3_open(bench->path, &raw), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "DELETE FROM journal", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(raw, "UPDATE journal SET entered = 0", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    assert_true(rg_is_ok(rg_spool_journal(bench->spool, 0, line, 4, &count, NULL)));
    assert_int_equal(count, 2);
    assert_true(line[0].entered && !line[1].entered);
    /* and a second entry into the casebook would be seen */
    assert_true(rg_is_ok(rg_spool_journal_add(bench->spool, id, 2, "desk", 102, true, NULL)));
    assert_true(rg_is_ok(rg_spool_count(bench->spool, &counts, NULL)));
    assert_int_equal(counts.duplicates, 1);
}

/* How often the bytes stand anywhere in the folder's files. */
static size_t occurrences(const struct bench *bench, const void *needle, size_t len)
{
    static const char *const suffix[] = {"", "-wal"};
    size_t found = 0;
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        RG_OWNED_BUFFER bytes = {0};
        (void)snprintf(path, sizeof(path), "%s%s", bench->path, suffix[i]);
        if (!rg_is_ok(rg_file_read(path, 8 * RG_MIB, &bytes, NULL))) {
            continue;
        }
        for (size_t at = 0; at + len <= bytes.len; at++) {
            found += memcmp(bytes.data + at, needle, len) == 0;
        }
    }
    return found;
}

static void test_destroyed_key_is_nowhere(void **state)
{
    struct bench *bench = *state;
    struct rg_item item = {.kind = RG_ITEM_SECTION, .owner = 4, .at = 1};
    struct rg_item got;
    RG_OWNED_BUFFER sealed = {0};
    bool found = false;
    memset(item.wrapped, 0xc7, sizeof(item.wrapped));
    assert_true(
        rg_is_ok(rg_spool_item_put(bench->spool, &item, RG_BYTES_LITERAL("sealed bytes"), NULL)));
    assert_true(rg_is_ok(
        rg_spool_item_find(bench->spool, RG_ITEM_SECTION, 4, 1, &got, &sealed, &found, NULL)));
    assert_true(found && got.row == item.row && !got.destroyed);
    assert_true(occurrences(bench, item.wrapped, sizeof(item.wrapped)) > 0);
    assert_true(rg_is_ok(rg_spool_item_destroy(bench->spool, item.row, NULL)));
    assert_true(rg_is_ok(rg_spool_tidy(bench->spool, NULL)));
    assert_int_equal(occurrences(bench, item.wrapped, sizeof(item.wrapped)), 0);
    assert_int_equal(occurrences(bench, "sealed bytes", 12), 0);
    rg_buffer_clear(&sealed);
    assert_true(rg_is_ok(rg_spool_item_get(bench->spool, item.row, &got, &sealed, &found, NULL)));
    assert_true(found && got.destroyed && sealed.len == 0);
}

static void test_newer_file_is_refused(void **state)
{
    struct bench *bench = *state;
    struct rg_spool *spool = NULL;
    struct rg_reason why = {0};
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(bench->path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(raw), SQLITE_OK);
    assert_int_equal(rg_spool_open(bench->path, &spool, &why).code, RG_DENIED);
    assert_string_equal(why.id, "spool-version");
}

static void test_not_a_database(void **state)
{
    struct bench *bench = *state;
    struct rg_spool *spool = NULL;
    struct rg_reason why = {0};
    char path[128];
    uint8_t noise[4096];
    (void)snprintf(path, sizeof(path), "%s/noise", bench->folder);
    memset(noise, 0x33, sizeof(noise));
    assert_true(rg_is_ok(rg_file_replace(path, rg_bytes_of(noise, sizeof(noise)), 0600, NULL)));
    assert_int_equal(rg_spool_open(path, &spool, &why).code, RG_BROKEN);
    assert_string_equal(why.id, "spool-corrupt");
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_message_is_durable_and_once), TEST(test_a_step_is_synced),
        TEST(test_steps_nest_and_roll_back),    TEST(test_waiting_by_priority_and_time),
        TEST(test_prefix_names_one_message),    TEST(test_thread_last_of_each_side),
        TEST(test_proof_once_per_kind),         TEST(test_newest_head_per_log),
        TEST(test_journal_is_append_only),      TEST(test_destroyed_key_is_nowhere),
        TEST(test_newer_file_is_refused),       TEST(test_not_a_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
