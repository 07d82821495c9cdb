/* late_index against a plain list: rows are found whatever was committed, undone, merged or read
 * again after a kill, and every committed row reaches the index table once it is old. */
#include "gateway/late_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 100, VALUES = 3000, BATCHES = 400 };
enum { SQL_ADD, SQL_PENDING, SQL_PUT, SQL_FIND, SQL_MARK, SQL_INDEXED, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [SQL_ADD] = "INSERT INTO rows VALUES(NULL, ?)",
    [SQL_PENDING] = "SELECT key, value FROM rows WHERE key > (SELECT key FROM mark) ORDER BY key",
    [SQL_PUT] = "INSERT OR IGNORE INTO late VALUES(?, ?)",
    [SQL_FIND] = "SELECT key FROM late WHERE hash = ? AND key > ? ORDER BY key LIMIT 1",
    [SQL_MARK] = "UPDATE mark SET key = ?",
    [SQL_INDEXED] = "SELECT count(*) FROM late",
};

struct desk {
    char path[64];
    struct rg_db *db;
    struct rg_late_index *index;
    uint64_t random;
    uint32_t row[40 * BATCHES]; /* value of each row; its key is its place + 1 */
    size_t rows, committed;
};

static struct rg_reason why;

static void ok(rg_outcome outcome)
{
    if (!rg_is_ok(outcome)) {
        fail_msg("%s: %s", why.id, why.text);
    }
}

static uint64_t draw(struct desk *desk, uint64_t below)
{
    desk->random = desk->random * 6364136223846793005U + 1442695040888963407U;
    return (desk->random >> 33) % below;
}

static void desk_open(struct desk *desk)
{
    const struct rg_db_options options = {
        .path = desk->path, .sql = sql, .sql_count = STATEMENTS, .bytes_max = 0};
    const struct rg_late_options late = {SQL_PENDING, SQL_PUT, SQL_FIND, SQL_MARK, ROWS};
    ok(rg_db_open(&options, &desk->db, &why));
    ok(rg_db_run(desk->db,
                 "CREATE TABLE IF NOT EXISTS rows(key INTEGER PRIMARY KEY, value BLOB);"
                 "CREATE TABLE IF NOT EXISTS late(hash INT, key INT, PRIMARY KEY(hash, key))"
                 " WITHOUT ROWID;"
                 "CREATE TABLE IF NOT EXISTS mark(one INTEGER PRIMARY KEY, key INT);"
                 "INSERT OR IGNORE INTO mark VALUES(1, 0);",
                 &why));
    ok(rg_late_open(desk->db, &late, &desk->index, &why));
}

static void desk_close(struct desk *desk)
{
    rg_late_free(desk->index);
    rg_db_close(desk->db);
    desk->rows = desk->committed;
}

static struct rg_bytes bytes_of(const uint32_t *value)
{
    return rg_bytes_of(value, sizeof(*value));
}

/* One value may have several rows: as if their hashes were equal. */
static void check(struct desk *desk, uint32_t value)
{
    uint64_t key = 0;
    bool found = true;
    for (size_t i = 0; i < desk->rows; i++) {
        if (desk->row[i] != value) {
            continue;
        }
        ok(rg_late_next(desk->index, bytes_of(&value), key, &key, &found, &why));
        assert_true(found);
        assert_int_equal(key, i + 1);
    }
    ok(rg_late_next(desk->index, bytes_of(&value), key, &key, &found, &why));
    assert_false(found);
}

static void add_some(struct desk *desk)
{
    for (uint64_t n = draw(desk, 40); n > 0; n--) {
        uint32_t value = (uint32_t)draw(desk, VALUES);
        ok(rg_db_write(desk->db, SQL_ADD, RG_VALUES(rg_value_bytes(&value, sizeof(value))), &why));
        desk->row[desk->rows++] = value;
        assert_int_equal(rg_db_last_key(desk->db), desk->rows);
        ok(rg_late_add(desk->index, bytes_of(&value), desk->rows, &why));
    }
}

static void batch(struct desk *desk)
{
    uint64_t end = draw(desk, 10);
    ok(rg_late_begin(desk->index, &why));
    ok(rg_db_begin(desk->db, &why));
    add_some(desk);
    check(desk, (uint32_t)draw(desk, VALUES));
    if (end > 0) {
        ok(rg_late_write(desk->index, &why));
    }
    if (end > 2) {
        ok(rg_db_commit(desk->db, &why));
        rg_late_committed(desk->index);
        desk->committed = desk->rows;
        return;
    }
    rg_db_rollback(desk->db);
    rg_late_rolled_back(desk->index);
    desk->rows = desk->committed;
}

static void test_rows_are_found_whatever_happens(void **state)
{
    struct desk *desk = calloc(1, sizeof(*desk));
    uint64_t indexed = 0;
    (void)state;
    assert_non_null(desk);
    (void)snprintf(desk->path, sizeof(desk->path), "/tmp/rg-late-XXXXXX");
    int fd = mkstemp(desk->path);
    assert_true(fd >= 0);
    (void)close(fd);
    desk->random = 7;
    desk_open(desk);
    for (int i = 0; i < BATCHES; i++) {
        batch(desk);
        if (draw(desk, 20) == 0) {
            desk_close(desk);
            desk_open(desk);
        }
        for (int k = 0; k < 20; k++) {
            check(desk, (uint32_t)draw(desk, VALUES));
        }
    }
    for (uint32_t value = 0; value < VALUES; value++) {
        check(desk, value);
    }
    ok(rg_db_number(desk->db, SQL_INDEXED, RG_NO_VALUES, &indexed, &why));
    assert_true(indexed + 4 * ROWS > desk->committed); /* memory holds the newest, no more */
    desk_close(desk);
    static const char *const suffix[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s%s", desk->path, suffix[i]);
        (void)unlink(name);
    }
    free(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_are_found_whatever_happens)};
    return cmocka_run_group_tests_name("late_index", tests, NULL, NULL);
}
