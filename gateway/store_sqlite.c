/* How it works: each operation is one prepared statement, kept for the life of the store. Typed
 * values go in through `start`, rows come out through `step`, and every SQLite code is turned into
 * an outcome in one place, `failed`.
 *
 * Invariants. (1) Writes happen only in a batch: after an error SQLite may have rolled the
 * transaction back by itself, and a write would then commit alone, so `broken_batch` refuses
 * everything until rollback. (2) A COMMIT that failed because there was no room has written no
 * commit frame: nothing is kept, RG_AGAIN. Any other failed write or fsync during COMMIT leaves the
 * state unknown: RG_BROKEN, the process ends and recovery decides. (3) Keys are monotone; the only
 * random keys are the ids, threads and decisions. (4) Erased bodies are zeroed in the file
 * (secure_delete) and pushed out of the WAL after the commit that erased them. */
#include "gateway/store_sqlite.h"

#include "core/digest.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x52474d53 /* "RGMS" */
#define PAGE_BYTES 4096
#define BUSY_MS 250
#define CHECKPOINT_PAGES 8192

static const char schema[] =
    "CREATE TABLE messages(key INTEGER PRIMARY KEY, id BLOB NOT NULL, way INT NOT NULL,"
    " refusal INT NOT NULL, answer_leaf INT NOT NULL, received_leaf INT NOT NULL,"
    " priority INT NOT NULL, expires INT NOT NULL, collect_by INT NOT NULL,"
    " from_office TEXT NOT NULL, from_country TEXT NOT NULL, to_country TEXT NOT NULL,"
    " to_office TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX messages_id ON messages(id);"
    "CREATE TABLE bodies(key INTEGER PRIMARY KEY, collect_by INT NOT NULL, body BLOB NOT NULL)"
    " STRICT;"
    "CREATE INDEX bodies_collect_by ON bodies(collect_by);"
    "CREATE TABLE leaves(leaf INTEGER PRIMARY KEY, hash BLOB NOT NULL, entry BLOB) STRICT;"
    "CREATE TABLE tiles(tile INTEGER PRIMARY KEY, root BLOB NOT NULL) STRICT;"
    "CREATE TABLE outbox(key INTEGER PRIMARY KEY, kind INT NOT NULL, country TEXT NOT NULL,"
    " priority INT NOT NULL, leaf INT NOT NULL, expires INT NOT NULL, next_try INT NOT NULL,"
    " attempts INT NOT NULL, body_bytes INT NOT NULL) STRICT;"
    "CREATE INDEX outbox_country ON outbox(country, priority, key);"
    "CREATE INDEX outbox_expires ON outbox(expires) WHERE kind = 1;"
    "CREATE TABLE boxes(box INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE mail(box INT NOT NULL, position INT NOT NULL, kind INT NOT NULL,"
    " key INT NOT NULL, leaf INT NOT NULL, entry_kind INT NOT NULL,"
    " PRIMARY KEY(box, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE cursors(box INT NOT NULL, device TEXT NOT NULL, position INT NOT NULL,"
    " PRIMARY KEY(box, device)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE threads(thread BLOB PRIMARY KEY, office_a TEXT NOT NULL,"
    " office_b TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE decisions(decided BLOB NOT NULL, office TEXT NOT NULL, deciding BLOB NOT NULL,"
    " PRIMARY KEY(decided, office)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE collected(key INT NOT NULL, office TEXT NOT NULL, leaf INT NOT NULL,"
    " PRIMARY KEY(key, office)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE proofs(proof INTEGER PRIMARY KEY, key INT NOT NULL, kind INT NOT NULL,"
    " leaf INT NOT NULL, receipts BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX proofs_key ON proofs(key, kind, leaf);"
    "CREATE TABLE heads(origin TEXT PRIMARY KEY, size INT NOT NULL, root BLOB NOT NULL,"
    " signature BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE documents(kind INT NOT NULL, country TEXT NOT NULL, digest BLOB NOT NULL,"
    " text BLOB NOT NULL, signatures BLOB NOT NULL, PRIMARY KEY(kind, country, digest)) STRICT;"
    "CREATE TABLE quotas(office TEXT PRIMARY KEY, day INT NOT NULL, count INT NOT NULL)"
    " STRICT, WITHOUT ROWID;";

#define MESSAGE_COLUMNS                                                                            \
    "key, id, way, refusal, answer_leaf, received_leaf, priority, expires, collect_by,"            \
    " from_office, from_country, to_country, to_office"
#define OUTBOX_COLUMNS                                                                             \
    "outbox.key, outbox.kind, outbox.country, outbox.priority, outbox.leaf, outbox.expires,"       \
    " outbox.next_try, outbox.attempts, outbox.body_bytes, messages.id, messages.from_office"

enum sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_MESSAGE_ADD,
    SQL_MESSAGE_FIND,
    SQL_MESSAGE_GET,
    SQL_BODY_ADD,
    SQL_BODY_GET,
    SQL_BODIES_ERASE,
    SQL_LEAF_ADD,
    SQL_LEAF_ENTRY,
    SQL_LEAVES,
    SQL_LOG_SIZE,
    SQL_TILE_ADD,
    SQL_TILES,
    SQL_OUTBOX_ADD,
    SQL_OUTBOX_NEXT,
    SQL_OUTBOX_GET,
    SQL_OUTBOX_DEFER,
    SQL_OUTBOX_EXPIRED,
    SQL_OUTBOX_CLOSE,
    SQL_OUTBOX_DONE,
    SQL_OUTBOX_COUNT,
    SQL_BOX_FIND,
    SQL_BOX_ADD,
    SQL_MAIL_LAST,
    SQL_MAIL_ADD,
    SQL_MAIL_NEXT,
    SQL_CURSOR_GET,
    SQL_CURSOR_SET,
    SQL_THREAD_FIND,
    SQL_THREAD_ADD,
    SQL_DECISION_FIND,
    SQL_DECISION_ADD,
    SQL_COLLECTED_ADD,
    SQL_PROOF_ADD,
    SQL_PROOF_GET,
    SQL_HEAD_SET,
    SQL_HEADS,
    SQL_DOCUMENT_DROP,
    SQL_DOCUMENT_PUT,
    SQL_DOCUMENTS,
    SQL_QUOTA_GET,
    SQL_QUOTA_SET,
    SQL_COUNTS,
    SQL_STATEMENTS
};

static const char *const sql_text[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_MESSAGE_ADD] = "INSERT INTO messages VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_MESSAGE_FIND] = "SELECT " MESSAGE_COLUMNS " FROM messages WHERE id = ?",
    [SQL_MESSAGE_GET] = "SELECT " MESSAGE_COLUMNS " FROM messages WHERE key = ?",
    [SQL_BODY_ADD] = "INSERT INTO bodies VALUES(?,?,?)",
    [SQL_BODY_GET] = "SELECT body FROM bodies WHERE key = ?",
    [SQL_BODIES_ERASE] =
        "DELETE FROM bodies WHERE key IN"
        " (SELECT key FROM bodies WHERE collect_by < ? ORDER BY collect_by LIMIT ?)",
    [SQL_LEAF_ADD] = "INSERT INTO leaves VALUES(?,?,?)",
    [SQL_LEAF_ENTRY] = "SELECT entry FROM leaves WHERE leaf = ? AND entry IS NOT NULL",
    [SQL_LEAVES] = "SELECT leaf, hash FROM leaves WHERE leaf >= ? ORDER BY leaf LIMIT ?",
    [SQL_LOG_SIZE] = "SELECT coalesce(max(leaf) + 1, 0) FROM leaves",
    [SQL_TILE_ADD] = "INSERT INTO tiles VALUES(?,?)",
    [SQL_TILES] = "SELECT tile, root FROM tiles WHERE tile >= ? ORDER BY tile LIMIT ?",
    [SQL_OUTBOX_ADD] = "INSERT INTO outbox VALUES(?,?,?,?,?,?,?,?,?)",
    [SQL_OUTBOX_NEXT] =
        "SELECT " OUTBOX_COLUMNS " FROM outbox JOIN messages USING(key)"
        " WHERE country = ? AND outbox.priority = ? AND outbox.key > ? AND next_try <= ?"
        " ORDER BY outbox.key LIMIT ?",
    [SQL_OUTBOX_GET] =
        "SELECT " OUTBOX_COLUMNS " FROM outbox JOIN messages USING(key) WHERE outbox.key = ?",
    [SQL_OUTBOX_DEFER] = "UPDATE outbox SET attempts = ?, next_try = ? WHERE key = ?",
    [SQL_OUTBOX_EXPIRED] = "SELECT " OUTBOX_COLUMNS " FROM outbox JOIN messages USING(key)"
                           " WHERE outbox.kind = 1 AND outbox.expires <= ?"
                           " ORDER BY outbox.expires LIMIT ?",
    [SQL_OUTBOX_CLOSE] =
        "UPDATE outbox SET kind = 2, leaf = ?, next_try = 0, attempts = 0 WHERE key = ?",
    [SQL_OUTBOX_DONE] = "DELETE FROM outbox WHERE key = ?",
    [SQL_OUTBOX_COUNT] = "SELECT count(*) FROM outbox WHERE country = ?",
    [SQL_BOX_FIND] = "SELECT box FROM boxes WHERE name = ?",
    [SQL_BOX_ADD] = "INSERT INTO boxes VALUES(NULL, ?)",
    [SQL_MAIL_LAST] = "SELECT coalesce(max(position), 0) FROM mail WHERE box = ?",
    [SQL_MAIL_ADD] = "INSERT INTO mail VALUES(?,?,?,?,?,?)",
    [SQL_MAIL_NEXT] = "SELECT position, kind, key, leaf, entry_kind FROM mail"
                      " WHERE box = ? AND position > ? ORDER BY position LIMIT ?",
    [SQL_CURSOR_GET] = "SELECT position FROM cursors WHERE box = ? AND device = ?",
    [SQL_CURSOR_SET] = "INSERT INTO cursors VALUES(?,?,?) ON CONFLICT(box, device)"
                       " DO UPDATE SET position = excluded.position",
    [SQL_THREAD_FIND] = "SELECT office_a, office_b FROM threads WHERE thread = ?",
    [SQL_THREAD_ADD] = "INSERT INTO threads VALUES(?,?,?)",
    [SQL_DECISION_FIND] = "SELECT deciding FROM decisions WHERE decided = ? AND office = ?",
    [SQL_DECISION_ADD] = "INSERT OR IGNORE INTO decisions VALUES(?,?,?)",
    [SQL_COLLECTED_ADD] = "INSERT OR IGNORE INTO collected VALUES(?,?,?)",
    [SQL_PROOF_ADD] = "INSERT OR IGNORE INTO proofs VALUES(NULL,?,?,?,?)",
    [SQL_PROOF_GET] = "SELECT receipts FROM proofs WHERE key = ?1 AND kind = ?2"
                      " AND (?3 = -1 OR leaf = ?3) ORDER BY proof LIMIT 1",
    [SQL_HEAD_SET] = "INSERT OR REPLACE INTO heads VALUES(?,?,?,?)",
    [SQL_HEADS] = "SELECT origin, size, root, signature FROM heads ORDER BY origin LIMIT ?",
    [SQL_DOCUMENT_DROP] = "DELETE FROM documents WHERE kind = ? AND country = ?",
    [SQL_DOCUMENT_PUT] = "INSERT OR IGNORE INTO documents VALUES(?,?,?,?,?)",
    [SQL_DOCUMENTS] = "SELECT kind, country, text, signatures FROM documents"
                      " ORDER BY kind, country, rowid",
    [SQL_QUOTA_GET] = "SELECT count FROM quotas WHERE office = ? AND day = ?",
    [SQL_QUOTA_SET] = "INSERT OR REPLACE INTO quotas VALUES(?,?,?)",
    [SQL_COUNTS] =
        "SELECT (SELECT coalesce(max(key), 0) FROM messages), (SELECT count(*) FROM bodies),"
        " (SELECT coalesce(max(leaf) + 1, 0) FROM leaves), (SELECT count(*) FROM outbox),"
        " (SELECT coalesce(sum((SELECT coalesce(max(position), 0) FROM mail"
        " WHERE mail.box = boxes.box)), 0) FROM boxes)",
};

struct sqlite_store {
    struct rg_store base; /* first */
    sqlite3 *db;
    sqlite3_stmt *statement[SQL_STATEMENTS];
    char path[PATH_MAX];
    bool batch;          /* between begin and commit or rollback */
    bool broken_batch;   /* a write of it failed: only rollback */
    bool checkpoint_due; /* erased content is still in the WAL */
};

/* A value for a statement. */
struct value {
    enum { VALUE_INT, VALUE_TEXT, VALUE_BYTES, VALUE_NULL } type;
    int64_t number;
    const void *data;
    size_t len;
};

static struct value number(int64_t n)
{
    return (struct value){.type = VALUE_INT, .number = n};
}

static struct value count(uint64_t n) /* RG_LEAF_NONE is stored as -1 */
{
    return (struct value){.type = VALUE_INT, .number = (int64_t)n};
}

static struct value words(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .data = text, .len = strlen(text)};
}

static struct value blob(const void *data, size_t len)
{
    return (struct value){.type = VALUE_BYTES, .data = len == 0 ? "" : data, .len = len};
}

static struct sqlite_store *self(struct rg_store *store)
{
    return (struct sqlite_store *)(void *)store;
}

/* The one place where SQLite's codes become outcomes. */
static rg_outcome failed(struct sqlite_store *store, const char *what, struct rg_reason *why)
{
    int extended = sqlite3_extended_errcode(store->db);
    int code = extended & 0xff;
    if (store->batch) {
        store->broken_batch = true;
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
                   extended, sqlite3_system_errno(store->db));
}

static rg_outcome damaged(const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_BROKEN, "store-corrupt", "%s: a row is not what was written", what);
}

static rg_outcome prepare(struct sqlite_store *store, enum sql which, struct rg_reason *why)
{
    if (store->statement[which] != NULL) {
        return rg_ok();
    }
    int code = sqlite3_prepare_v3(store->db, sql_text[which], -1, SQLITE_PREPARE_PERSISTENT,
                                  &store->statement[which], NULL);
    return code == SQLITE_OK ? rg_ok() : failed(store, "prepare", why);
}

static int bind_one(sqlite3_stmt *statement, int at, const struct value *value)
{
    switch (value->type) {
    case VALUE_INT:
        return sqlite3_bind_int64(statement, at, value->number);
    case VALUE_TEXT:
        return sqlite3_bind_text64(statement, at, value->data, value->len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VALUE_BYTES:
        return sqlite3_bind_blob64(statement, at, value->data, value->len, SQLITE_STATIC);
    case VALUE_NULL:
        return sqlite3_bind_null(statement, at);
    }
    return SQLITE_MISUSE;
}

/* A statement with its values bound; whoever started it lets `finish` reset it. */
static rg_outcome start(struct sqlite_store *store, enum sql which, const struct value *value,
                        size_t values, sqlite3_stmt **out, struct rg_reason *why)
{
    RG_TRY(prepare(store, which, why));
    for (size_t i = 0; i < values; i++) {
        if (bind_one(store->statement[which], (int)i + 1, &value[i]) != SQLITE_OK) {
            return failed(store, "bind", why);
        }
    }
    *out = store->statement[which];
    return rg_ok();
}

#define VALUES(...)                                                                                \
    (const struct value[]){__VA_ARGS__},                                                           \
        sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)

static void finish(sqlite3_stmt **statement)
{
    if (*statement != NULL) {
        (void)sqlite3_reset(*statement);
    }
}
#define RG_STATEMENT RG_CLEANUP(finish) sqlite3_stmt

static rg_outcome step(struct sqlite_store *store, sqlite3_stmt *statement, bool *row_out,
                       struct rg_reason *why)
{
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return failed(store, "step", why);
    }
    *row_out = code == SQLITE_ROW;
    return rg_ok();
}

/* A write of the open batch. */
static rg_outcome write_row(struct sqlite_store *store, enum sql which, const struct value *value,
                            size_t values, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool row = false;
    RG_CHECK(store->batch, why, RG_BROKEN, "store-no-batch", "a write outside a batch");
    RG_CHECK(!store->broken_batch, why, RG_AGAIN, "store-batch-failed",
             "an earlier write of this batch failed; roll it back");
    RG_TRY(start(store, which, value, values, &statement, why));
    return step(store, statement, &row, why);
}

/* The first row of a read, if there is one. */
static rg_outcome read_row(struct sqlite_store *store, enum sql which, const struct value *value,
                           size_t values, sqlite3_stmt **out, bool *found_out,
                           struct rg_reason *why)
{
    RG_TRY(start(store, which, value, values, out, why));
    return step(store, *out, found_out, why);
}

/* A read that always has one row with one number. */
static rg_outcome read_number(struct sqlite_store *store, enum sql which, const struct value *value,
                              size_t values, uint64_t *out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(store, which, value, values, &statement, &found, why));
    *out = found ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return rg_ok();
}

static uint64_t column_count(sqlite3_stmt *statement, int at)
{
    return (uint64_t)sqlite3_column_int64(statement, at);
}

static struct rg_bytes column_bytes(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);
    return rg_bytes_of(data, (size_t)sqlite3_column_bytes(statement, at));
}

static rg_outcome column_fixed(sqlite3_stmt *statement, int at, void *out, size_t len,
                               struct rg_reason *why)
{
    struct rg_bytes bytes = column_bytes(statement, at);
    if (bytes.len != len) {
        return damaged("a hash", why);
    }
    memcpy(out, bytes.data, len);
    return rg_ok();
}

static rg_outcome column_words(sqlite3_stmt *statement, int at, char *out, size_t bytes,
                               struct rg_reason *why)
{
    const unsigned char *text = sqlite3_column_text(statement, at);
    size_t len = (size_t)sqlite3_column_bytes(statement, at);
    if (text == NULL || len >= bytes) {
        return damaged("a name", why);
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return rg_ok();
}

/* Appends the blob in column `at` of the first row. */
static rg_outcome read_blob(struct sqlite_store *store, enum sql which, const struct value *value,
                            size_t values, struct rg_buffer *out, bool *found_out,
                            struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(store, which, value, values, &statement, &found, why));
    if (found) {
        RG_TRY(rg_buffer_append(out, column_bytes(statement, 0), why));
    }
    *found_out = found;
    return rg_ok();
}

/* --- batches --- */

static rg_outcome begin(struct rg_store *base, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    bool row = false;
    RG_CHECK(!store->batch, why, RG_BROKEN, "store-batch-open", "begin within a batch");
    RG_CHECK(!sqlite3_db_readonly(store->db, "main"), why, RG_DENIED, "store-read-only",
             "the store was opened for reading");
    RG_TRY(start(store, SQL_BEGIN, NULL, 0, &statement, why));
    RG_TRY(step(store, statement, &row, why));
    store->batch = true;
    store->broken_batch = false;
    return rg_ok();
}

static void rollback(struct rg_store *base)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    struct rg_reason why;
    bool row = false;
    if (!store->batch) {
        return;
    }
    /* SQLite may have rolled back by itself after an error. If a rollback fails, the next begin
     * does too and says why. */
    if (!sqlite3_get_autocommit(store->db) &&
        rg_is_ok(start(store, SQL_ROLLBACK, NULL, 0, &statement, &why))) {
        (void)step(store, statement, &row, &why).code;
    }
    store->batch = false;
    store->broken_batch = false;
}

/* Erased content leaves the WAL. A reader may be in the way: then with the next commit. */
static void checkpoint(struct sqlite_store *store)
{
    if (store->checkpoint_due &&
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
            SQLITE_OK) {
        store->checkpoint_due = false;
    }
}

static rg_outcome commit(struct rg_store *base, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    bool row = false;
    RG_CHECK(store->batch, why, RG_BROKEN, "store-no-batch", "commit outside a batch");
    RG_CHECK(!store->broken_batch, why, RG_IO, "store-batch-failed",
             "a write of this batch failed; roll it back");
    RG_TRY(start(store, SQL_COMMIT, NULL, 0, &statement, why));
    rg_outcome outcome = step(store, statement, &row, why);
    if (outcome.code == RG_IO) {
        return rg_fail(why, RG_BROKEN, "store-commit-unknown",
                       "a write or fsync failed during commit (errno %d)",
                       sqlite3_system_errno(store->db));
    }
    RG_TRY(outcome);
    store->batch = false;
    checkpoint(store);
    return rg_ok();
}

/* --- messages --- */

/* "kh/focal\nkh/police" */
static void join_offices(const struct rg_message *message, char *out, size_t bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < message->to_office_count && i < RG_TO_OFFICES_MAX && at < bytes; i++) {
        int n = snprintf(out + at, bytes - at, "%s%s", i == 0 ? "" : "\n", message->to_office[i]);
        at += n > 0 ? (size_t)n : 0;
    }
}

static rg_outcome split_offices(const char *text, struct rg_message *out, struct rg_reason *why)
{
    out->to_office_count = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len >= RG_OFFICE_BYTES || out->to_office_count == RG_TO_OFFICES_MAX) {
            return damaged("offices", why);
        }
        memcpy(out->to_office[out->to_office_count], text, len);
        out->to_office[out->to_office_count][len] = '\0';
        out->to_office_count++;
        text += len + (text[len] == '\n');
    }
    return rg_ok();
}

static rg_outcome message_add(struct rg_store *base, struct rg_message *message,
                              struct rg_bytes body, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    char offices[RG_TO_OFFICES_MAX * RG_OFFICE_BYTES];
    join_offices(message, offices, sizeof(offices));
    RG_TRY(write_row(store, SQL_MESSAGE_ADD,
                     VALUES(blob(message->id.b, 32), number((int64_t)message->way),
                            number((int64_t)message->refusal), count(message->answer_leaf),
                            count(message->received_leaf), number((int64_t)message->priority),
                            number(message->expires.ms), number(message->collect_by.ms),
                            words(message->from_office), words(message->from_country),
                            words(message->to_country), words(offices)),
                     why));
    uint64_t key = (uint64_t)sqlite3_last_insert_rowid(store->db);
    if (body.len > 0) {
        RG_TRY(write_row(
            store, SQL_BODY_ADD,
            VALUES(count(key), number(message->collect_by.ms), blob(body.data, body.len)), why));
    }
    message->key = key;
    return rg_ok();
}

static rg_outcome message_row(sqlite3_stmt *row, struct rg_message *out, struct rg_reason *why)
{
    struct rg_message message = {
        .key = column_count(row, 0),
        .way = (enum rg_way)sqlite3_column_int(row, 2),
        .refusal = (enum rg_refusal)sqlite3_column_int(row, 3),
        .answer_leaf = column_count(row, 4),
        .received_leaf = column_count(row, 5),
        .priority = (enum rg_priority)sqlite3_column_int(row, 6),
        .expires.ms = sqlite3_column_int64(row, 7),
        .collect_by.ms = sqlite3_column_int64(row, 8),
    };
    char offices[RG_TO_OFFICES_MAX * RG_OFFICE_BYTES];
    RG_TRY(column_fixed(row, 1, message.id.b, 32, why));
    RG_TRY(column_words(row, 9, message.from_office, RG_OFFICE_BYTES, why));
    RG_TRY(column_words(row, 10, message.from_country, RG_COUNTRY_BYTES, why));
    RG_TRY(column_words(row, 11, message.to_country, RG_COUNTRY_BYTES, why));
    RG_TRY(column_words(row, 12, offices, sizeof(offices), why));
    RG_TRY(split_offices(offices, &message, why));
    *out = message;
    return rg_ok();
}

static rg_outcome message_by(struct rg_store *base, enum sql which, struct value key,
                             struct rg_message *out, bool *found_out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(self(base), which, &key, 1, &statement, &found, why));
    if (found) {
        RG_TRY(message_row(statement, out, why));
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome message_find(struct rg_store *base, const struct rg_id *id,
                               struct rg_message *out, bool *found_out, struct rg_reason *why)
{
    return message_by(base, SQL_MESSAGE_FIND, blob(id->b, 32), out, found_out, why);
}

static rg_outcome message_get(struct rg_store *base, uint64_t key, struct rg_message *out,
                              bool *found_out, struct rg_reason *why)
{
    return message_by(base, SQL_MESSAGE_GET, count(key), out, found_out, why);
}

static rg_outcome message_body(struct rg_store *base, uint64_t key, struct rg_buffer *out,
                               bool *found_out, struct rg_reason *why)
{
    return read_blob(self(base), SQL_BODY_GET, VALUES(count(key)), out, found_out, why);
}

static rg_outcome bodies_erase(struct rg_store *base, struct rg_wall before, size_t max,
                               size_t *erased_out, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_TRY(write_row(store, SQL_BODIES_ERASE, VALUES(number(before.ms), count(max)), why));
    size_t erased = (size_t)sqlite3_changes(store->db);
    store->checkpoint_due = store->checkpoint_due || erased > 0;
    *erased_out = erased;
    return rg_ok();
}

/* --- log --- */

static rg_outcome leaf_add(struct rg_store *base, uint64_t index, const struct rg_hash *entry_hash,
                           struct rg_bytes log_entry, struct rg_reason *why)
{
    return write_row(
        self(base), SQL_LEAF_ADD,
        VALUES(count(index), blob(entry_hash->b, 32), blob(log_entry.data, log_entry.len)), why);
}

static rg_outcome leaf_entry(struct rg_store *base, uint64_t index, struct rg_buffer *out,
                             bool *found_out, struct rg_reason *why)
{
    return read_blob(self(base), SQL_LEAF_ENTRY, VALUES(count(index)), out, found_out, why);
}

/* Rows (number, hash) that must be dense from `from`. */
static rg_outcome read_dense(struct sqlite_store *store, enum sql which, uint64_t from, size_t max,
                             struct rg_hash *out, size_t *count_out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool row = false;
    size_t n = 0;
    RG_TRY(start(store, which, VALUES(count(from), count(max)), &statement, why));
    for (;;) {
        RG_TRY(step(store, statement, &row, why));
        if (!row) {
            break;
        }
        if (n == max || column_count(statement, 0) != from + n) {
            return damaged("the log has a gap", why);
        }
        RG_TRY(column_fixed(statement, 1, out[n].b, 32, why));
        n++;
    }
    *count_out = n;
    return rg_ok();
}

static rg_outcome leaves(struct rg_store *base, uint64_t from, size_t max,
                         struct rg_hash *entry_hash_out, size_t *count_out, struct rg_reason *why)
{
    return read_dense(self(base), SQL_LEAVES, from, max, entry_hash_out, count_out, why);
}

static rg_outcome log_size(struct rg_store *base, uint64_t *out, struct rg_reason *why)
{
    return read_number(self(base), SQL_LOG_SIZE, NULL, 0, out, why);
}

static rg_outcome tile_add(struct rg_store *base, uint64_t tile, const struct rg_hash *root,
                           struct rg_reason *why)
{
    return write_row(self(base), SQL_TILE_ADD, VALUES(count(tile), blob(root->b, 32)), why);
}

static rg_outcome tiles(struct rg_store *base, uint64_t from, size_t max, struct rg_hash *root_out,
                        size_t *count_out, struct rg_reason *why)
{
    return read_dense(self(base), SQL_TILES, from, max, root_out, count_out, why);
}

/* --- outbox --- */

static rg_outcome outbox_add(struct rg_store *base, const struct rg_outbox_row *row,
                             struct rg_reason *why)
{
    return write_row(self(base), SQL_OUTBOX_ADD,
                     VALUES(count(row->key), number((int64_t)row->kind), words(row->country),
                            number((int64_t)row->priority), count(row->leaf),
                            number(row->expires.ms), number(row->next_try.ms),
                            number(row->attempts), number(row->body_bytes)),
                     why);
}

static rg_outcome outbox_row(sqlite3_stmt *row, struct rg_outbox_row *out, struct rg_reason *why)
{
    struct rg_outbox_row read = {
        .key = column_count(row, 0),
        .kind = (enum rg_outbox_kind)sqlite3_column_int(row, 1),
        .priority = (enum rg_priority)sqlite3_column_int(row, 3),
        .leaf = column_count(row, 4),
        .expires.ms = sqlite3_column_int64(row, 5),
        .next_try.ms = sqlite3_column_int64(row, 6),
        .attempts = (uint32_t)sqlite3_column_int64(row, 7),
        .body_bytes = (uint32_t)sqlite3_column_int64(row, 8),
    };
    RG_TRY(column_words(row, 2, read.country, RG_COUNTRY_BYTES, why));
    RG_TRY(column_fixed(row, 9, read.id.b, 32, why));
    RG_TRY(column_words(row, 10, read.from_office, RG_OFFICE_BYTES, why));
    *out = read;
    return rg_ok();
}

static rg_outcome outbox_rows(struct sqlite_store *store, sqlite3_stmt *statement,
                              struct rg_outbox_row *out, size_t max, size_t *count_out,
                              struct rg_reason *why)
{
    bool row = false;
    size_t n = 0;
    while (n < max) {
        RG_TRY(step(store, statement, &row, why));
        if (!row) {
            break;
        }
        RG_TRY(outbox_row(statement, &out[n], why));
        n++;
    }
    *count_out = n;
    return rg_ok();
}

static rg_outcome outbox_next(struct rg_store *base, const char *country, enum rg_priority priority,
                              uint64_t after, struct rg_wall now, struct rg_outbox_row *out,
                              size_t max, size_t *count_out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    RG_TRY(start(
        self(base), SQL_OUTBOX_NEXT,
        VALUES(words(country), number((int64_t)priority), count(after), number(now.ms), count(max)),
        &statement, why));
    return outbox_rows(self(base), statement, out, max, count_out, why);
}

static rg_outcome outbox_get(struct rg_store *base, uint64_t key, struct rg_outbox_row *out,
                             bool *found_out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    size_t n = 0;
    RG_TRY(start(self(base), SQL_OUTBOX_GET, VALUES(count(key)), &statement, why));
    RG_TRY(outbox_rows(self(base), statement, out, 1, &n, why));
    *found_out = n == 1;
    return rg_ok();
}

static rg_outcome outbox_defer(struct rg_store *base, uint64_t key, uint32_t attempts,
                               struct rg_wall next_try, struct rg_reason *why)
{
    return write_row(self(base), SQL_OUTBOX_DEFER,
                     VALUES(number(attempts), number(next_try.ms), count(key)), why);
}

static rg_outcome outbox_expired(struct rg_store *base, struct rg_wall now,
                                 struct rg_outbox_row *out, size_t max, size_t *count_out,
                                 struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    RG_TRY(
        start(self(base), SQL_OUTBOX_EXPIRED, VALUES(number(now.ms), count(max)), &statement, why));
    return outbox_rows(self(base), statement, out, max, count_out, why);
}

static rg_outcome outbox_close(struct rg_store *base, uint64_t key, uint64_t leaf,
                               struct rg_reason *why)
{
    return write_row(self(base), SQL_OUTBOX_CLOSE, VALUES(count(leaf), count(key)), why);
}

static rg_outcome outbox_done(struct rg_store *base, uint64_t key, struct rg_reason *why)
{
    return write_row(self(base), SQL_OUTBOX_DONE, VALUES(count(key)), why);
}

static rg_outcome outbox_count(struct rg_store *base, const char *country, uint64_t *out,
                               struct rg_reason *why)
{
    return read_number(self(base), SQL_OUTBOX_COUNT, VALUES(words(country)), out, why);
}

/* --- mail --- */

/* 0: there is no such box yet. */
static rg_outcome box_find(struct sqlite_store *store, const char *box, uint64_t *out,
                           struct rg_reason *why)
{
    return read_number(store, SQL_BOX_FIND, VALUES(words(box)), out, why);
}

static rg_outcome box_make(struct sqlite_store *store, const char *box, uint64_t *out,
                           struct rg_reason *why)
{
    uint64_t found = 0;
    RG_TRY(box_find(store, box, &found, why));
    if (found == 0) {
        RG_TRY(write_row(store, SQL_BOX_ADD, VALUES(words(box)), why));
        found = (uint64_t)sqlite3_last_insert_rowid(store->db);
    }
    *out = found;
    return rg_ok();
}

static rg_outcome mail_add(struct rg_store *base, const char *box, struct rg_mail *mail,
                           struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    uint64_t at = 0;
    uint64_t last = 0;
    RG_TRY(box_make(store, box, &at, why));
    RG_TRY(read_number(store, SQL_MAIL_LAST, VALUES(count(at)), &last, why));
    RG_TRY(write_row(store, SQL_MAIL_ADD,
                     VALUES(count(at), count(last + 1), number((int64_t)mail->kind),
                            count(mail->key), count(mail->leaf), number((int64_t)mail->entry_kind)),
                     why));
    mail->position = last + 1;
    return rg_ok();
}

static rg_outcome mail_next(struct rg_store *base, const char *box, uint64_t after,
                            struct rg_mail *out, size_t max, size_t *count_out,
                            struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    uint64_t at = 0;
    size_t n = 0;
    bool row = false;
    RG_TRY(box_find(store, box, &at, why));
    RG_TRY(
        start(store, SQL_MAIL_NEXT, VALUES(count(at), count(after), count(max)), &statement, why));
    while (n < max) {
        RG_TRY(step(store, statement, &row, why));
        if (!row) {
            break;
        }
        out[n++] = (struct rg_mail){
            .position = column_count(statement, 0),
            .kind = (enum rg_mail_kind)sqlite3_column_int(statement, 1),
            .key = column_count(statement, 2),
            .leaf = column_count(statement, 3),
            .entry_kind = (enum rg_entry_kind)sqlite3_column_int(statement, 4),
        };
    }
    *count_out = n;
    return rg_ok();
}

static rg_outcome mail_last(struct rg_store *base, const char *box, uint64_t *out,
                            struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_find(self(base), box, &at, why));
    return read_number(self(base), SQL_MAIL_LAST, VALUES(count(at)), out, why);
}

static rg_outcome cursor_get(struct rg_store *base, const char *box, const char *device,
                             uint64_t *out, struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_find(self(base), box, &at, why));
    return read_number(self(base), SQL_CURSOR_GET, VALUES(count(at), words(device)), out, why);
}

static rg_outcome cursor_set(struct rg_store *base, const char *box, const char *device,
                             uint64_t position, struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_make(self(base), box, &at, why));
    return write_row(self(base), SQL_CURSOR_SET, VALUES(count(at), words(device), count(position)),
                     why);
}

/* --- threads, decisions, collected, proofs --- */

static rg_outcome thread_find(struct rg_store *base, const struct rg_thread_id *thread,
                              struct rg_thread_offices *out, bool *found_out, struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(self(base), SQL_THREAD_FIND, VALUES(blob(thread->b, sizeof(thread->b))),
                    &statement, &found, why));
    for (int i = 0; found && i < 2; i++) {
        RG_TRY(column_words(statement, i, out->office[i], RG_OFFICE_BYTES, why));
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome thread_add(struct rg_store *base, const struct rg_thread_id *thread,
                             const struct rg_thread_offices *offices, struct rg_reason *why)
{
    return write_row(self(base), SQL_THREAD_ADD,
                     VALUES(blob(thread->b, sizeof(thread->b)), words(offices->office[0]),
                            words(offices->office[1])),
                     why);
}

static rg_outcome decision_find(struct rg_store *base, const struct rg_id *decided,
                                const char *office, struct rg_id *deciding_out, bool *found_out,
                                struct rg_reason *why)
{
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(self(base), SQL_DECISION_FIND, VALUES(blob(decided->b, 32), words(office)),
                    &statement, &found, why));
    if (found) {
        RG_TRY(column_fixed(statement, 0, deciding_out->b, 32, why));
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome decision_add(struct rg_store *base, const struct rg_id *decided,
                               const char *office, const struct rg_id *deciding,
                               struct rg_reason *why)
{
    return write_row(self(base), SQL_DECISION_ADD,
                     VALUES(blob(decided->b, 32), words(office), blob(deciding->b, 32)), why);
}

static rg_outcome collected_add(struct rg_store *base, uint64_t key, const char *office,
                                uint64_t leaf, bool *fresh_out, struct rg_reason *why)
{
    RG_TRY(write_row(self(base), SQL_COLLECTED_ADD, VALUES(count(key), words(office), count(leaf)),
                     why));
    *fresh_out = sqlite3_changes(self(base)->db) == 1;
    return rg_ok();
}

static rg_outcome proof_add(struct rg_store *base, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_bytes receipts, bool *fresh_out,
                            struct rg_reason *why)
{
    RG_TRY(write_row(
        self(base), SQL_PROOF_ADD,
        VALUES(count(key), number((int64_t)kind), count(leaf), blob(receipts.data, receipts.len)),
        why));
    *fresh_out = sqlite3_changes(self(base)->db) == 1;
    return rg_ok();
}

static rg_outcome proof_get(struct rg_store *base, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_buffer *out, bool *found_out,
                            struct rg_reason *why)
{
    return read_blob(self(base), SQL_PROOF_GET,
                     VALUES(count(key), number((int64_t)kind), count(leaf)), out, found_out, why);
}

/* --- heads, documents, quotas, counts --- */

static rg_outcome head_set(struct rg_store *base, const struct rg_head *head, struct rg_reason *why)
{
    return write_row(self(base), SQL_HEAD_SET,
                     VALUES(words(head->origin), count(head->size), blob(head->root.b, 32),
                            blob(head->signature, sizeof(head->signature))),
                     why);
}

static rg_outcome heads(struct rg_store *base, struct rg_head *out, size_t max, size_t *count_out,
                        struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    size_t n = 0;
    bool row = false;
    RG_TRY(start(store, SQL_HEADS, VALUES(count(max)), &statement, why));
    while (n < max) {
        RG_TRY(step(store, statement, &row, why));
        if (!row) {
            break;
        }
        struct rg_head head = {.size = column_count(statement, 1)};
        RG_TRY(column_words(statement, 0, head.origin, sizeof(head.origin), why));
        RG_TRY(column_fixed(statement, 2, head.root.b, 32, why));
        RG_TRY(column_fixed(statement, 3, head.signature, sizeof(head.signature), why));
        out[n++] = head;
    }
    *count_out = n;
    return rg_ok();
}

/* Signatures in one blob: each as 4 bytes of length, big end first, and itself. */
static rg_outcome pack_signatures(const struct rg_document *document, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    for (size_t i = 0; i < document->signature_count; i++) {
        struct rg_bytes signature = rg_buffer_peek(&document->signature[i]);
        const uint8_t len[4] = {(uint8_t)(signature.len >> 24), (uint8_t)(signature.len >> 16),
                                (uint8_t)(signature.len >> 8), (uint8_t)signature.len};
        RG_TRY(rg_buffer_append(out, rg_bytes_of(len, sizeof(len)), why));
        RG_TRY(rg_buffer_append(out, signature, why));
    }
    return rg_ok();
}

static rg_outcome unpack_signatures(struct rg_bytes packed, struct rg_document *out,
                                    struct rg_reason *why)
{
    while (packed.len > 0) {
        if (packed.len < 4 || out->signature_count == RG_DOCUMENT_SIGNATURES_MAX) {
            return damaged("signatures", why);
        }
        const uint8_t *p = packed.data;
        size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (len > packed.len - 4) {
            return damaged("signatures", why);
        }
        RG_TRY(rg_buffer_append(&out->signature[out->signature_count++], rg_bytes_of(p + 4, len),
                                why));
        packed = rg_bytes_of(p + 4 + len, packed.len - 4 - len);
    }
    return rg_ok();
}

static rg_outcome document_put(struct rg_store *base, const struct rg_document *document,
                               struct rg_reason *why)
{
    RG_OWNED_BUFFER signatures = {0};
    struct rg_bytes text = rg_buffer_peek(&document->text);
    struct rg_hash digest = rg_sha256(text);
    RG_TRY(pack_signatures(document, &signatures, why));
    if (document->kind != RG_DOC_KEY_CARD) {
        RG_TRY(write_row(self(base), SQL_DOCUMENT_DROP,
                         VALUES(number((int64_t)document->kind), words(document->country)), why));
    }
    return write_row(self(base), SQL_DOCUMENT_PUT,
                     VALUES(number((int64_t)document->kind), words(document->country),
                            blob(digest.b, 32), blob(text.data, text.len),
                            blob(signatures.data, signatures.len)),
                     why);
}

static rg_outcome document_row(sqlite3_stmt *row, struct rg_document *out, struct rg_reason *why)
{
    out->kind = (enum rg_document_kind)sqlite3_column_int(row, 0);
    RG_TRY(column_words(row, 1, out->country, sizeof(out->country), why));
    RG_TRY(rg_buffer_append(&out->text, column_bytes(row, 2), why));
    return unpack_signatures(column_bytes(row, 3), out, why);
}

/* A row is copied before `each` sees it; `each` must not read documents itself. */
static rg_outcome documents_each(struct rg_store *base,
                                 rg_outcome (*each)(void *context,
                                                    const struct rg_document *document,
                                                    struct rg_reason *why),
                                 void *context, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    bool row = false;
    RG_TRY(start(store, SQL_DOCUMENTS, NULL, 0, &statement, why));
    for (;;) {
        RG_CLEANUP(rg_document_drop) struct rg_document document = {0};
        RG_TRY(step(store, statement, &row, why));
        if (!row) {
            return rg_ok();
        }
        RG_TRY(document_row(statement, &document, why));
        RG_TRY(each(context, &document, why));
    }
}

static rg_outcome quota_get(struct rg_store *base, const char *office, int64_t day, uint64_t *out,
                            struct rg_reason *why)
{
    return read_number(self(base), SQL_QUOTA_GET, VALUES(words(office), number(day)), out, why);
}

static rg_outcome quota_set(struct rg_store *base, const char *office, int64_t day,
                            uint64_t answered, struct rg_reason *why)
{
    return write_row(self(base), SQL_QUOTA_SET, VALUES(words(office), number(day), count(answered)),
                     why);
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
    char name[PATH_MAX + 8];
    struct stat state;
    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &state) == 0 ? (uint64_t)state.st_size : 0;
}

static rg_outcome counts(struct rg_store *base, struct rg_store_counts *out, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_STATEMENT *statement = NULL;
    bool found = false;
    RG_TRY(read_row(store, SQL_COUNTS, NULL, 0, &statement, &found, why));
    *out = (struct rg_store_counts){
        .messages = column_count(statement, 0),
        .bodies = column_count(statement, 1),
        .leaves = column_count(statement, 2),
        .outbox = column_count(statement, 3),
        .mail = column_count(statement, 4),
        .file_bytes = file_bytes(store->path, "") + file_bytes(store->path, "-wal"),
    };
    return rg_ok();
}

/* --- open and close --- */

static void close_store(struct rg_store *base)
{
    struct sqlite_store *store = self(base);
    rollback(base);
    for (size_t i = 0; i < SQL_STATEMENTS; i++) {
        (void)sqlite3_finalize(store->statement[i]);
    }
    (void)sqlite3_close(store->db);
    free(store);
}

static const struct rg_store_ops operations = {
    .close = close_store,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
    .message_add = message_add,
    .message_find = message_find,
    .message_get = message_get,
    .message_body = message_body,
    .bodies_erase = bodies_erase,
    .leaf_add = leaf_add,
    .leaf_entry = leaf_entry,
    .leaves = leaves,
    .log_size = log_size,
    .tile_add = tile_add,
    .tiles = tiles,
    .outbox_add = outbox_add,
    .outbox_next = outbox_next,
    .outbox_get = outbox_get,
    .outbox_defer = outbox_defer,
    .outbox_expired = outbox_expired,
    .outbox_close = outbox_close,
    .outbox_done = outbox_done,
    .outbox_count = outbox_count,
    .mail_add = mail_add,
    .mail_next = mail_next,
    .mail_last = mail_last,
    .cursor_get = cursor_get,
    .cursor_set = cursor_set,
    .thread_find = thread_find,
    .thread_add = thread_add,
    .decision_find = decision_find,
    .decision_add = decision_add,
    .collected_add = collected_add,
    .proof_add = proof_add,
    .proof_get = proof_get,
    .head_set = head_set,
    .heads = heads,
    .document_put = document_put,
    .documents_each = documents_each,
    .quota_get = quota_get,
    .quota_set = quota_set,
    .counts = counts,
};

static rg_outcome run_text(struct sqlite_store *store, const char *text, struct rg_reason *why)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? rg_ok()
               : failed(store, "open", why);
}

/* One number from a pragma that answers one. */
static rg_outcome ask(struct sqlite_store *store, const char *text, int64_t *out,
                      struct rg_reason *why)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_ROW ? rg_ok() : failed(store, "open", why);
}

static rg_outcome configure(struct sqlite_store *store, const struct rg_store_sqlite *options,
                            struct rg_reason *why)
{
    char text[512];
    uint64_t pages = options->bytes_max == 0 ? INT32_MAX - 1 : options->bytes_max / PAGE_BYTES;
    (void)sqlite3_busy_timeout(store->db, BUSY_MS);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    RG_TRY(run_text(store, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;", why));
    if (options->read_only) {
        return rg_ok();
    }
    if (pages > INT32_MAX - 1) {
        pages = INT32_MAX - 1;
    }
    (void)snprintf(text, sizeof(text),
                   "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                   "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=%d;"
                   "PRAGMA journal_size_limit=%d; PRAGMA cache_size=-8192;"
                   "PRAGMA temp_store=MEMORY; PRAGMA max_page_count=%llu;",
                   PAGE_BYTES, CHECKPOINT_PAGES, CHECKPOINT_PAGES * PAGE_BYTES,
                   (unsigned long long)pages);
    return run_text(store, text, why);
}

static rg_outcome check_schema(struct sqlite_store *store, bool read_only, struct rg_reason *why)
{
    char text[128];
    int64_t version = 0;
    RG_TRY(ask(store, "PRAGMA user_version", &version, why));
    if (version == SCHEMA_VERSION) {
        return rg_ok();
    }
    RG_CHECK(version == 0 && !read_only, why, RG_DENIED, "store-version",
             "the store has schema version %lld, this gateway knows %d", (long long)version,
             SCHEMA_VERSION);
    (void)snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
                   APPLICATION_ID, SCHEMA_VERSION);
    RG_TRY(run_text(store, "BEGIN IMMEDIATE;", why));
    RG_TRY(run_text(store, schema, why));
    return run_text(store, text, why);
}

static void store_cleanup(struct sqlite_store **store)
{
    if (*store != NULL) {
        close_store(&(*store)->base);
    }
}

rg_outcome rg_store_sqlite_open(const char *path, const struct rg_store_sqlite *options,
                                struct rg_store **out, struct rg_reason *why)
{
    RG_CLEANUP(store_cleanup) struct sqlite_store *store = calloc(1, sizeof(*store));
    int flags =
        options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    RG_CHECK(store != NULL, why, RG_IO, "out-of-memory", "no memory for the store");
    store->base.ops = &operations;
    RG_CHECK(strlen(path) < sizeof(store->path), why, RG_IO, "store-open", "the path is too long");
    memcpy(store->path, path, strlen(path) + 1);
    int code = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    RG_CHECK(code == SQLITE_OK, why, RG_IO, "store-open", "cannot open %s (%d, errno %d)", path,
             code, store->db == NULL ? 0 : sqlite3_system_errno(store->db));
    (void)sqlite3_extended_result_codes(store->db, 1);
    RG_TRY(configure(store, options, why));
    RG_TRY(check_schema(store, options->read_only, why));
    *out = &store->base;
    store = NULL;
    return rg_ok();
}
