/* How it works: typed values go in through rg_db_start, rows come out through rg_db_step, and every
 * SQLite code is turned into an outcome in one place, `failed`.
 *
 * Invariants. (1) Writes happen only in a batch: after an error SQLite may have rolled the
 * transaction back by itself, and a write would then commit alone, so `broken_batch` refuses
 * everything until rollback. (2) A COMMIT that failed because there was no room has written no
 * commit frame: nothing is kept, RG_AGAIN. Any other failed write or fsync during COMMIT leaves the
 * state unknown: RG_BROKEN, the process ends and recovery decides; so does a failed fsync of a
 * checkpoint, which then leaves the WAL as it is. (3) Erased content is zeroed in
 * the file (secure_delete) and pushed out of the WAL after the commit that erased it. */
#include "gateway/db.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE_BYTES 4096
#define BUSY_MS 250
#define CHECKPOINT_PAGES 8192
#define ERASE_WAIT_COMMITS 64

struct rg_db {
    sqlite3 *db;
    const char *const *sql;
    size_t sql_count;
    sqlite3_stmt *statement[RG_DB_STATEMENTS_MAX];
    char path[PATH_MAX];
    bool batch;          /* between begin and commit or rollback */
    bool broken_batch;   /* a write of it failed: only rollback */
    bool erase_due;      /* erased content is still in the WAL */
    unsigned erase_wait; /* commits until the next try, after a reader was in the way */
    int wal_pages;       /* in the WAL after the last commit */
};

const char *rg_db_path(const struct rg_db *db)
{
    return db->path;
}

/* The one place where SQLite's codes become outcomes. */
static rg_outcome failed(struct rg_db *db, const char *what, struct rg_reason *why)
{
    int extended = sqlite3_extended_errcode(db->db);
    int code = extended & 0xff;
    if (db->batch) {
        db->broken_batch = true;
    }
    if (code == SQLITE_FULL) {
        return rg_fail(why, RG_AGAIN, "store-full", "%s: no room left for the store", what);
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return rg_fail(why, RG_AGAIN, "store-busy", "%s: another process holds the store", what);
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        return rg_fail(why, RG_BROKEN, "store-corrupt", "%s: the store is damaged (%d)", what,
                       extended);
    }
    if (code == SQLITE_CONSTRAINT || code == SQLITE_MISUSE) {
        return rg_fail(why, RG_BROKEN, "store-constraint", "%s: a row contradicts another (%d)",
                       what, extended);
    }
    return rg_fail(why, RG_IO, "store-io", "%s: the store's file failed (%d, errno %d)", what,
                   extended, sqlite3_system_errno(db->db));
}

rg_outcome rg_db_damaged(const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_BROKEN, "store-corrupt", "%s: a row is not what was written", what);
}

static rg_outcome prepare(struct rg_db *db, unsigned sql, struct rg_reason *why)
{
    RG_ASSERT(sql < db->sql_count);
    if (db->statement[sql] != NULL) {
        return rg_ok();
    }
    int code = sqlite3_prepare_v3(db->db, db->sql[sql], -1, SQLITE_PREPARE_PERSISTENT,
                                  &db->statement[sql], NULL);
    return code == SQLITE_OK ? rg_ok() : failed(db, "prepare", why);
}

static int bind_one(rg_row *row, int at, const struct rg_value *value)
{
    switch (value->type) {
    case RG_VALUE_NUMBER:
        return sqlite3_bind_int64(row, at, value->number);
    case RG_VALUE_TEXT:
        return sqlite3_bind_text64(row, at, value->data, value->len, SQLITE_STATIC, SQLITE_UTF8);
    case RG_VALUE_BYTES:
        return sqlite3_bind_blob64(row, at, value->data, value->len, SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

rg_outcome rg_db_start(struct rg_db *db, unsigned sql, struct rg_values values, rg_row **row_out,
                       struct rg_reason *why)
{
    RG_TRY(prepare(db, sql, why));
    for (size_t i = 0; i < values.count; i++) {
        if (bind_one(db->statement[sql], (int)i + 1, &values.value[i]) != SQLITE_OK) {
            return failed(db, "bind", why);
        }
    }
    *row_out = db->statement[sql];
    return rg_ok();
}

void rg_row_cleanup(rg_row **row)
{
    if (*row != NULL) {
        (void)sqlite3_reset(*row);
    }
}

rg_outcome rg_db_step(struct rg_db *db, rg_row *row, bool *found_out, struct rg_reason *why)
{
    int code = sqlite3_step(row);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return failed(db, "step", why);
    }
    *found_out = code == SQLITE_ROW;
    return rg_ok();
}

rg_outcome rg_db_write(struct rg_db *db, unsigned sql, struct rg_values values,
                       struct rg_reason *why)
{
    RG_ROW *row = NULL;
    bool found = false;
    RG_CHECK(db->batch, why, RG_BROKEN, "store-no-batch", "a write outside a batch");
    RG_CHECK(!db->broken_batch, why, RG_AGAIN, "store-batch-failed",
             "an earlier write of this batch failed; roll it back");
    RG_TRY(rg_db_start(db, sql, values, &row, why));
    return rg_db_step(db, row, &found, why);
}

uint64_t rg_db_last_key(const struct rg_db *db)
{
    return (uint64_t)sqlite3_last_insert_rowid(db->db);
}

size_t rg_db_changes(const struct rg_db *db)
{
    return (size_t)sqlite3_changes(db->db);
}

/* --- rows --- */

int64_t rg_row_number(rg_row *row, int column)
{
    return sqlite3_column_int64(row, column);
}

uint64_t rg_row_count(rg_row *row, int column)
{
    return (uint64_t)sqlite3_column_int64(row, column);
}

struct rg_bytes rg_row_bytes(rg_row *row, int column)
{
    const void *data = sqlite3_column_blob(row, column);
    return rg_bytes_of(data, (size_t)sqlite3_column_bytes(row, column));
}

rg_outcome rg_row_fixed(rg_row *row, int column, void *out, size_t len, struct rg_reason *why)
{
    struct rg_bytes bytes = rg_row_bytes(row, column);
    if (bytes.len != len) {
        return rg_db_damaged("a hash", why);
    }
    memcpy(out, bytes.data, len);
    return rg_ok();
}

rg_outcome rg_row_text(rg_row *row, int column, char *out, size_t bytes, struct rg_reason *why)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);
    if (text == NULL || len >= bytes) {
        return rg_db_damaged("a name", why);
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return rg_ok();
}

rg_outcome rg_db_first(struct rg_db *db, unsigned sql, struct rg_values values, rg_row **row_out,
                       bool *found_out, struct rg_reason *why)
{
    RG_TRY(rg_db_start(db, sql, values, row_out, why));
    return rg_db_step(db, *row_out, found_out, why);
}

rg_outcome rg_db_number(struct rg_db *db, unsigned sql, struct rg_values values, uint64_t *out,
                        struct rg_reason *why)
{
    RG_ROW *row = NULL;
    bool found = false;
    RG_TRY(rg_db_first(db, sql, values, &row, &found, why));
    *out = found ? rg_row_count(row, 0) : 0;
    return rg_ok();
}

rg_outcome rg_db_blob(struct rg_db *db, unsigned sql, struct rg_values values,
                      struct rg_buffer *out, bool *found_out, struct rg_reason *why)
{
    RG_ROW *row = NULL;
    bool found = false;
    RG_TRY(rg_db_first(db, sql, values, &row, &found, why));
    if (found) {
        RG_TRY(rg_buffer_append(out, rg_row_bytes(row, 0), why));
    }
    *found_out = found;
    return rg_ok();
}

/* --- batches --- */

rg_outcome rg_db_run(struct rg_db *db, const char *text, struct rg_reason *why)
{
    return sqlite3_exec(db->db, text, NULL, NULL, NULL) == SQLITE_OK ? rg_ok()
                                                                     : failed(db, "run", why);
}

rg_outcome rg_db_begin(struct rg_db *db, struct rg_reason *why)
{
    RG_CHECK(!db->batch, why, RG_BROKEN, "store-batch-open", "begin within a batch");
    RG_CHECK(!sqlite3_db_readonly(db->db, "main"), why, RG_DENIED, "store-read-only",
             "the store was opened for reading");
    RG_TRY(rg_db_run(db, "BEGIN IMMEDIATE", why));
    db->batch = true;
    db->broken_batch = false;
    return rg_ok();
}

/* SQLite may have rolled back by itself after an error. If a rollback fails, the next begin does
 * too and says why. */
void rg_db_rollback(struct rg_db *db)
{
    if (db->batch && !sqlite3_get_autocommit(db->db)) {
        (void)sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
    }
    db->batch = false;
    db->broken_batch = false;
}

void rg_db_erased(struct rg_db *db)
{
    db->erase_due = true;
}

/* SQLite's own hook would checkpoint here and hide that an fsync of the database failed. */
static int committed(void *context, sqlite3 *sqlite, const char *name, int pages)
{
    struct rg_db *db = context;
    (void)sqlite;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

/* The kernel may have dropped the pages and say yes the next time. The WAL has them all, so it must
 * stay until a new process has written them again. */
static rg_outcome sync_failed(struct rg_db *db, struct rg_reason *why)
{
    (void)sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return rg_fail(why, RG_BROKEN, "store-checkpoint-unknown",
                   "an fsync of the store failed (errno %d)", sqlite3_system_errno(db->db));
}

/* What a reader or a full disk prevents is done later: nothing is lost, the WAL is longer. */
static rg_outcome checkpoint(struct rg_db *db, int mode, bool *done_out, struct rg_reason *why)
{
    (void)sqlite3_busy_timeout(db->db, 0);
    int code = sqlite3_wal_checkpoint_v2(db->db, NULL, mode, NULL, NULL);
    (void)sqlite3_busy_timeout(db->db, BUSY_MS);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) {
        return sync_failed(db, why);
    }
    *done_out = code == SQLITE_OK;
    return rg_ok();
}

/* Erased content leaves the WAL as soon as no reader is in the way; a long WAL becomes short. */
static rg_outcome checkpoint_due(struct rg_db *db, struct rg_reason *why)
{
    bool done = false;
    if (db->erase_due && db->erase_wait == 0) {
        RG_TRY(checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE, &done, why));
        db->erase_due = !done;
        db->erase_wait = done ? 0 : ERASE_WAIT_COMMITS;
        return rg_ok();
    }
    db->erase_wait -= db->erase_wait > 0 ? 1 : 0;
    if (db->wal_pages < CHECKPOINT_PAGES) {
        return rg_ok();
    }
    return checkpoint(db, SQLITE_CHECKPOINT_PASSIVE, &done, why);
}

rg_outcome rg_db_commit(struct rg_db *db, struct rg_reason *why)
{
    RG_CHECK(db->batch, why, RG_BROKEN, "store-no-batch", "commit outside a batch");
    RG_CHECK(!db->broken_batch, why, RG_IO, "store-batch-failed",
             "a write of this batch failed; roll it back");
    rg_outcome outcome = rg_db_run(db, "COMMIT", why);
    if (outcome.code == RG_IO) {
        return rg_fail(why, RG_BROKEN, "store-commit-unknown",
                       "a write or fsync failed during commit (errno %d)",
                       sqlite3_system_errno(db->db));
    }
    RG_TRY(outcome);
    db->batch = false;
    return checkpoint_due(db, why);
}

/* --- open and close --- */

rg_outcome rg_db_ask(struct rg_db *db, const char *text, int64_t *out, struct rg_reason *why)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->db, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_ROW ? rg_ok() : failed(db, "open", why);
}

static rg_outcome configure(struct rg_db *db, const struct rg_db_options *options,
                            struct rg_reason *why)
{
    char text[512];
    uint64_t pages = options->bytes_max / PAGE_BYTES;
    if (pages == 0 || pages > INT32_MAX - 1) {
        pages = INT32_MAX - 1;
    }
    (void)sqlite3_extended_result_codes(db->db, 1);
    (void)sqlite3_busy_timeout(db->db, BUSY_MS);
    (void)sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    RG_TRY(rg_db_run(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;", why));
    if (options->read_only) {
        return rg_ok();
    }
    (void)snprintf(text, sizeof(text),
                   "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                   "PRAGMA secure_delete=ON;"
                   "PRAGMA journal_size_limit=%d; PRAGMA cache_size=-8192;"
                   "PRAGMA temp_store=MEMORY; PRAGMA max_page_count=%llu;",
                   PAGE_BYTES, CHECKPOINT_PAGES * PAGE_BYTES, (unsigned long long)pages);
    RG_TRY(rg_db_run(db, text, why));
    (void)sqlite3_wal_hook(db->db, committed, db);
    return rg_ok();
}

void rg_db_close(struct rg_db *db)
{
    if (db == NULL) {
        return;
    }
    rg_db_rollback(db);
    for (size_t i = 0; i < db->sql_count; i++) {
        (void)sqlite3_finalize(db->statement[i]);
    }
    (void)sqlite3_close(db->db);
    free(db);
}

static rg_outcome open_file(struct rg_db *db, const struct rg_db_options *options,
                            struct rg_reason *why)
{
    int flags =
        options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    RG_ASSERT(options->sql_count <= RG_DB_STATEMENTS_MAX);
    db->sql = options->sql;
    db->sql_count = options->sql_count;
    RG_CHECK(strlen(options->path) < sizeof(db->path), why, RG_IO, "store-open",
             "the path is too long");
    memcpy(db->path, options->path, strlen(options->path) + 1);
    int code = sqlite3_open_v2(options->path, &db->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    RG_CHECK(code == SQLITE_OK, why, RG_IO, "store-open", "cannot open %s (%d, errno %d)",
             options->path, code, db->db == NULL ? 0 : sqlite3_system_errno(db->db));
    return configure(db, options, why);
}

rg_outcome rg_db_open(const struct rg_db_options *options, struct rg_db **out,
                      struct rg_reason *why)
{
    struct rg_db *db = calloc(1, sizeof(*db));
    RG_CHECK(db != NULL, why, RG_IO, "out-of-memory", "no memory for the store");
    rg_outcome outcome = open_file(db, options, why);
    if (!rg_is_ok(outcome)) {
        rg_db_close(db);
        return outcome;
    }
    *out = db;
    return rg_ok();
}
