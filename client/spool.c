/* How it works: one SQLite file in WAL mode with synchronous=FULL and secure_delete=ON. All SQL
 * stands in one table of statements, prepared when first used and always reset before a function
 * returns, so that no statement is open when a step commits or rolls back. Integer keys grow, so
 * rows are appended; the only random keys are ids and labels. Steps nest: the outermost is a
 * transaction, inner ones are savepoints named by their depth. A COMMIT that fails breaks the
 * handle: state is unknown, every later call says so. */
#include "client/spool_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 1
#define BUSY_MS_MAX 10000
#define DEPTH_MAX 8
#define CHECKPOINT_PAGES 1000

static const char schema[] =
    "CREATE TABLE value(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE message(seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, thread BLOB NOT NULL,"
    " state INTEGER NOT NULL, ours INTEGER NOT NULL, case_row INTEGER NOT NULL, position INTEGER,"
    " time_ms INTEGER, not_before INTEGER, priority INTEGER, code INTEGER, reason TEXT,"
    " sections INTEGER, other TEXT);"
    "CREATE INDEX message_waiting ON message(priority, seq) WHERE state = 1;"
    "CREATE INDEX message_stored ON message(seq) WHERE state = 10;"
    "CREATE INDEX message_case ON message(case_row, seq);"
    "CREATE INDEX message_thread ON message(thread, ours, seq);"
    "CREATE TABLE body(seq INTEGER PRIMARY KEY, envelope BLOB NOT NULL);"
    "CREATE TABLE head(row INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL,"
    " root BLOB NOT NULL, signature BLOB NOT NULL, UNIQUE(origin, size, root));"
    "CREATE TABLE newest(origin TEXT PRIMARY KEY, head INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE proof(seq INTEGER NOT NULL, kind INTEGER NOT NULL, leaf INTEGER NOT NULL,"
    " head INTEGER NOT NULL, inclusion BLOB NOT NULL, entry BLOB NOT NULL, time_ms INTEGER,"
    " PRIMARY KEY(seq, kind)) WITHOUT ROWID;"
    "CREATE TABLE journal(row INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL,"
    " position INTEGER NOT NULL, device TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " entered INTEGER NOT NULL);"
    "CREATE TRIGGER journal_kept BEFORE DELETE ON journal BEGIN"
    " SELECT RAISE(ABORT, 'the journal is append-only'); END;"
    "CREATE TRIGGER journal_fixed BEFORE UPDATE ON journal BEGIN"
    " SELECT RAISE(ABORT, 'the journal is append-only'); END;"
    "CREATE TABLE item(row INTEGER PRIMARY KEY, kind INTEGER NOT NULL, owner INTEGER NOT NULL,"
    " at INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE INDEX item_place ON item(kind, owner, at);"
    "CREATE TABLE item_key(row INTEGER PRIMARY KEY, wrapped BLOB NOT NULL);"
    "CREATE TABLE label(hash BLOB PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 1;";

/* Tables that came later; a folder made before gets them when it is opened. */
static const char additions[] =
    "CREATE TABLE IF NOT EXISTS header(seq INTEGER PRIMARY KEY, header BLOB NOT NULL);";

#define MESSAGE_COLUMNS                                                                            \
    "seq, id, thread, state, ours, case_row, position, time_ms, not_before, priority, code,"       \
    " reason, sections, other"

#define ITEM_SELECT                                                                                \
    "SELECT item.row, item.kind, item.owner, item.at, item.sealed, item_key.wrapped FROM item"     \
    " LEFT JOIN item_key ON item_key.row = item.row WHERE "

static const char *const sql[STATEMENTS] = {
    [VALUE_GET] = "SELECT value FROM value WHERE name = ?1",
    [VALUE_SET] = "INSERT OR REPLACE INTO value VALUES(?1, ?2)",
    [MESSAGE_ADD] = "INSERT OR IGNORE INTO message(id, thread, state, ours, case_row, position,"
                    " time_ms, not_before, priority, code, reason, sections, other)"
                    " VALUES(?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [BODY_ADD] = "INSERT INTO body VALUES(?1, ?2)",
    [MESSAGE_GET] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE id = ?1",
    [MESSAGE_PREFIX] =
        "SELECT " MESSAGE_COLUMNS " FROM message WHERE id >= ?1 AND id <= ?2 LIMIT 2",
    [MESSAGE_UPDATE] = "UPDATE message SET state = ?4, case_row = ?6, position = ?7, time_ms = ?8,"
                       " not_before = ?9, code = ?11, reason = ?12 WHERE seq = ?1",
    [BODY_GET] = "SELECT envelope FROM body WHERE seq = ?1",
    [LIST_WAITING] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE state = 1 AND priority = ?4"
                     " AND seq > ?2 AND not_before <= ?1 ORDER BY seq LIMIT ?3",
    [LIST_STORED] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE state = 10 AND seq > ?2"
                    " ORDER BY seq LIMIT ?3",
    [LIST_CASE] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE case_row = ?1 AND seq > ?2"
                  " ORDER BY seq LIMIT ?3",
    [LIST_ARRIVAL] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE seq > ?2 AND ours = 0"
                     " ORDER BY seq LIMIT ?3",
    [LIST_DEPARTURE] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE seq > ?2 AND ours = 1"
                       " ORDER BY seq LIMIT ?3",
    [JOURNAL] = "SELECT row, id, position, at_ms, entered, device FROM journal WHERE row > ?1"
                " ORDER BY row LIMIT ?2",
    [THREAD_LAST] =
        "SELECT id FROM message WHERE thread = ?1 AND ours = ?2 AND state NOT IN (5, 6, 12)"
        " ORDER BY seq DESC LIMIT 1",
    [COUNT_STATES] = "SELECT state, count(*) FROM message GROUP BY state",
    [COUNT_PROOFS] = "SELECT count(*) FROM proof",
    [COUNT_JOURNAL] = "SELECT count(*), coalesce(sum(entered), 0) -"
                      " (SELECT count(DISTINCT id) FROM journal WHERE entered = 1) FROM journal",
    [HEAD_FIND] = "SELECT row FROM head WHERE origin = ?1 AND size = ?2 AND root = ?3",
    [HEAD_ADD] = "INSERT INTO head(origin, size, root, signature) VALUES(?1, ?2, ?3, ?4)",
    [HEAD_NEWEST] = "INSERT OR REPLACE INTO newest VALUES(?1, ?2)",
    [HEADS] = "SELECT head.origin, head.size, head.root, head.signature FROM newest"
              " JOIN head ON head.row = newest.head ORDER BY head.origin",
    [PROOF_ADD] = "INSERT OR IGNORE INTO proof VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [PROOFS] = "SELECT proof.kind, proof.leaf, proof.inclusion, proof.entry, proof.time_ms,"
               " head.origin, head.size, head.root, head.signature FROM proof"
               " JOIN head ON head.row = proof.head WHERE seq = ?1 ORDER BY proof.kind",
    [JOURNAL_ADD] = "INSERT INTO journal(id, position, device, at_ms, entered)"
                    " VALUES(?1, ?2, ?3, ?4, ?5)",
    [ITEM_ADD] = "INSERT INTO item(kind, owner, at, sealed) VALUES(?2, ?3, ?4, ?5)",
    [ITEM_SET] = "UPDATE item SET sealed = ?5 WHERE row = ?1",
    [ITEM_KEY_SET] = "INSERT OR REPLACE INTO item_key VALUES(?1, ?2)",
    [ITEM_KEY_DELETE] = "DELETE FROM item_key WHERE row = ?1",
    [ITEM_GET] = ITEM_SELECT "item.row = ?1",
    [ITEM_FIND] = ITEM_SELECT "kind = ?1 AND owner = ?2 AND at = ?3 ORDER BY item.row LIMIT 1",
    /* owner and at are named so that the index gives the order of rows by itself */
    [ITEM_NEXT] = ITEM_SELECT "kind = ?1 AND owner = 0 AND at = 0 AND item.row > ?2"
                              " ORDER BY item.row LIMIT 1",
    [ITEM_KEYS] = "SELECT item.row, item.kind, item.owner, item.at, item_key.wrapped FROM item_key"
                  " JOIN item ON item.row = item_key.row WHERE item_key.row > ?1"
                  " ORDER BY item_key.row LIMIT ?2",
    [HEADER_GET] = "SELECT header FROM header WHERE seq = ?1",
    [HEADER_ADD] = "INSERT OR IGNORE INTO header VALUES(?1, ?2)",
    [BODY_DELETE] = "DELETE FROM body WHERE seq = ?1",
    [BODIES] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE seq IN"
               " (SELECT seq FROM body WHERE seq > ?1 ORDER BY seq LIMIT ?2) ORDER BY seq",
    [LABEL_SET] = "INSERT OR REPLACE INTO label VALUES(?1, ?2)",
    [LABEL_GET] = "SELECT row FROM label WHERE hash = ?1",
};

/* ---- results of SQLite ---- */

static rg_outcome fail_from(struct rg_spool *spool, int result, struct rg_reason *why)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return rg_fail(why, RG_AGAIN, "spool-busy",
                       "another program is writing to this folder; try again");
    case SQLITE_FULL:
        return rg_fail(why, RG_IO, "spool-full", "the disk is full; make room and try again");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        spool->broken = true;
        return rg_fail(why, RG_BROKEN, "spool-corrupt",
                       "the casebook file is damaged; restore it from a backup");
    default:
        return rg_fail(why, RG_IO, "spool-unreadable", "the casebook file: %s",
                       sqlite3_errstr(result));
    }
}

static rg_outcome run_sql(struct rg_spool *spool, const char *text, struct rg_reason *why)
{
    int result = sqlite3_exec(spool->db, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? rg_ok() : fail_from(spool, result, why);
}

/* ---- one statement in use; reset when it leaves scope ---- */

void rg_query_drop(struct rg_query *use)
{
    if (use->stmt != NULL) {
        (void)sqlite3_reset(use->stmt);
        (void)sqlite3_clear_bindings(use->stmt);
    }
}

rg_outcome rg_query_begin(struct rg_spool *spool, enum rg_statement which, struct rg_query *use,
                          struct rg_reason *why)
{
    RG_CHECK(!spool->broken, why, RG_BROKEN, "spool-commit",
             "the folder's state is unknown after a failed write; close it and open it again");
    if (spool->statement[which] == NULL) {
        int result = sqlite3_prepare_v3(spool->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                        &spool->statement[which], NULL);
        if (result != SQLITE_OK) {
            return fail_from(spool, result, why);
        }
    }
    *use = (struct rg_query){.spool = spool, .stmt = spool->statement[which]};
    return rg_ok();
}

void rg_query_number(struct rg_query *use, int at, int64_t value)
{
    (void)sqlite3_bind_int64(use->stmt, at, value);
}

void rg_query_bytes(struct rg_query *use, int at, const void *data, size_t len)
{
    /* A zero-length blob needs a non-NULL pointer, or it would be bound as NULL. */
    (void)sqlite3_bind_blob64(use->stmt, at, len > 0 ? data : "", len, SQLITE_STATIC);
}

void rg_query_text(struct rg_query *use, int at, const char *text)
{
    (void)sqlite3_bind_text(use->stmt, at, text, -1, SQLITE_STATIC);
}

rg_outcome rg_query_row(struct rg_query *use, bool *row_out, struct rg_reason *why)
{
    int result = sqlite3_step(use->stmt);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        return fail_from(use->spool, result, why);
    }
    *row_out = result == SQLITE_ROW;
    return rg_ok();
}

rg_outcome rg_query_done(struct rg_query *use, struct rg_reason *why)
{
    bool row = false;
    return rg_query_row(use, &row, why);
}

struct rg_bytes rg_query_column(struct rg_query *use, int at)
{
    const void *data = sqlite3_column_blob(use->stmt, at);
    return rg_bytes_of(data, (size_t)sqlite3_column_bytes(use->stmt, at));
}

rg_outcome rg_query_fixed(struct rg_query *use, int at, void *out, size_t len,
                          struct rg_reason *why)
{
    struct rg_bytes bytes = rg_query_column(use, at);
    if (bytes.len != len) {
        use->spool->broken = true;
        return rg_fail(why, RG_BROKEN, "spool-corrupt",
                       "the casebook file is damaged; restore it from a backup");
    }
    memcpy(out, bytes.data, len);
    return rg_ok();
}

void rg_query_column_text(struct rg_query *use, int at, char *out, size_t room)
{
    const unsigned char *text = sqlite3_column_text(use->stmt, at);
    (void)snprintf(out, room, "%s", text != NULL ? (const char *)text : "");
}

/* ---- open, close ---- */

static rg_outcome version_read(struct rg_spool *spool, int *out, struct rg_reason *why)
{
    sqlite3_stmt *stmt = NULL;
    int result = sqlite3_prepare_v2(spool->db, "PRAGMA user_version", -1, &stmt, NULL);
    if (result != SQLITE_OK) {
        return fail_from(spool, result, why);
    }
    result = sqlite3_step(stmt);
    *out = result == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;
    (void)sqlite3_finalize(stmt);
    return *out >= 0 ? rg_ok() : fail_from(spool, result, why);
}

/* Two programs may find the file empty at once: the second looks again when it is its turn. */
static rg_outcome schema_make(struct rg_spool *spool, struct rg_reason *why)
{
    int version = 0;
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(spool, &step, why));
    RG_TRY(version_read(spool, &version, why));
    if (version == 0) {
        RG_TRY(run_sql(spool, schema, why));
    }
    return rg_spool_step_commit(&step, why);
}

/* SQLite's own hook would checkpoint here and hide that an fsync of the file failed. */
static int on_commit(void *context, sqlite3 *db, const char *name, int pages)
{
    struct rg_spool *spool = context;
    (void)db;
    (void)name;
    spool->wal_pages = pages;
    return SQLITE_OK;
}

static rg_outcome spool_prepare(struct rg_spool *spool, struct rg_reason *why)
{
    int version = 0;
    RG_TRY(run_sql(spool,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
                   "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                   "PRAGMA cache_size = -16384",
                   why));
    (void)sqlite3_wal_hook(spool->db, on_commit, spool);
    RG_TRY(version_read(spool, &version, why));
    if (version == 0) {
        RG_TRY(schema_make(spool, why));
        RG_TRY(version_read(spool, &version, why));
    }
    RG_CHECK(version == SCHEMA_VERSION, why, RG_DENIED, "spool-version",
             "this folder was made by another version (%d); use the newer program", version);
    return run_sql(spool, additions, why);
}

rg_outcome rg_spool_open(const char *path, struct rg_spool **out, struct rg_reason *why)
{
    RG_CLEANUP(rg_spool_cleanup) struct rg_spool *spool = calloc(1, sizeof(*spool));
    RG_CHECK(spool != NULL, why, RG_IO, "out-of-memory", "out of memory");
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int result = sqlite3_open_v2(path, &spool->db, flags, NULL);
    if (result != SQLITE_OK) {
        return fail_from(spool, result, why);
    }
    (void)sqlite3_extended_result_codes(spool->db, 1);
    (void)sqlite3_busy_timeout(spool->db, BUSY_MS_MAX);
    RG_TRY(spool_prepare(spool, why));
    *out = spool;
    spool = NULL;
    return rg_ok();
}

void rg_spool_close(struct rg_spool *spool)
{
    if (spool == NULL) {
        return;
    }
    for (int i = 0; i < STATEMENTS; i++) {
        (void)sqlite3_finalize(spool->statement[i]);
    }
    (void)sqlite3_close_v2(spool->db);
    free(spool);
}

void rg_spool_cleanup(struct rg_spool **spool)
{
    rg_spool_close(*spool);
    *spool = NULL;
}

/* ---- steps ---- */

rg_outcome rg_spool_step_begin(struct rg_spool *spool, struct rg_spool_step *step,
                               struct rg_reason *why)
{
    RG_CHECK(!spool->broken, why, RG_BROKEN, "spool-commit",
             "the folder's state is unknown after a failed write; close it and open it again");
    RG_CHECK(spool->depth < DEPTH_MAX, why, RG_LIMIT, "spool-depth", "steps nest too deep");
    char text[64];
    (void)snprintf(text, sizeof(text), "SAVEPOINT s%d", spool->depth + 1);
    RG_TRY(run_sql(spool, spool->depth == 0 ? "BEGIN IMMEDIATE" : text, why));
    spool->depth++;
    *step = (struct rg_spool_step){.spool = spool, .depth = spool->depth};
    return rg_ok();
}

/* The kernel may have dropped the pages and say yes the next time. The write-ahead log has them
 * all, so it must stay until a new process has written them again. */
static rg_outcome checkpoint(struct rg_spool *spool, int mode, struct rg_reason *why)
{
    int result = sqlite3_wal_checkpoint_v2(spool->db, NULL, mode, NULL, NULL);
    if (result == SQLITE_IOERR_FSYNC || result == SQLITE_IOERR_DIR_FSYNC) {
        (void)sqlite3_db_config(spool->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        spool->broken = true;
        return rg_fail(why, RG_BROKEN, "spool-commit",
                       "an fsync of the folder failed; close it and open it again");
    }
    return rg_ok(); /* what a reader or a full disk prevents is done later */
}

static rg_outcome commit_failed(struct rg_spool *spool, struct rg_reason *why)
{
    spool->broken = true;
    return rg_fail(why, RG_BROKEN, "spool-commit",
                   "the folder could not be written; close it and open it again");
}

rg_outcome rg_spool_step_commit(struct rg_spool_step *step, struct rg_reason *why)
{
    struct rg_spool *spool = step->spool;
    RG_CHECK(spool != NULL && spool->depth == step->depth, why, RG_BROKEN, "spool-commit",
             "steps end out of order");
    char text[64];
    (void)snprintf(text, sizeof(text), "RELEASE s%d", step->depth);
    rg_outcome outcome = run_sql(spool, step->depth == 1 ? "COMMIT" : text, why);
    if (outcome.code == RG_AGAIN) {
        return outcome; /* still open: the caller may try again or drop the step */
    }
    spool->depth--;
    step->spool = NULL;
    if (!rg_is_ok(outcome)) {
        return commit_failed(spool, why);
    }
    bool due = spool->depth == 0 && spool->wal_pages >= CHECKPOINT_PAGES;
    return due ? checkpoint(spool, SQLITE_CHECKPOINT_PASSIVE, why) : rg_ok();
}

void rg_spool_step_drop(struct rg_spool_step *step)
{
    struct rg_spool *spool = step->spool;
    if (spool == NULL) {
        return;
    }
    /* Dropping an outer step takes the inner ones with it. */
    char text[64];
    (void)snprintf(text, sizeof(text), "ROLLBACK TO s%d; RELEASE s%d", step->depth, step->depth);
    if (!rg_is_ok(run_sql(spool, step->depth == 1 ? "ROLLBACK" : text, NULL)) &&
        sqlite3_get_autocommit(spool->db) == 0) {
        spool->broken = true;
    }
    spool->depth = step->depth - 1;
    step->spool = NULL;
}

bool rg_spool_in_step(const struct rg_spool *spool)
{
    return spool->depth > 0;
}

rg_outcome rg_spool_tidy(struct rg_spool *spool, struct rg_reason *why)
{
    return checkpoint(spool, SQLITE_CHECKPOINT_TRUNCATE, why);
}

/* ---- named values ---- */

rg_outcome rg_spool_value_get(struct rg_spool *spool, const char *name, struct rg_buffer *out,
                              bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, VALUE_GET, &use, why));
    rg_query_text(&use, 1, name);
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    if (row) {
        RG_TRY(rg_buffer_append(out, rg_query_column(&use, 0), why));
    }
    *found_out = row;
    return rg_ok();
}

rg_outcome rg_spool_value_set(struct rg_spool *spool, const char *name, struct rg_bytes value,
                              struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, VALUE_SET, &use, why));
    rg_query_text(&use, 1, name);
    rg_query_bytes(&use, 2, value.data, value.len);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_number_get(struct rg_spool *spool, const char *name, int64_t fallback,
                               int64_t *out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, VALUE_GET, &use, why));
    rg_query_text(&use, 1, name);
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    *out = row ? sqlite3_column_int64(use.stmt, 0) : fallback;
    return rg_ok();
}

rg_outcome rg_spool_number_set(struct rg_spool *spool, const char *name, int64_t value,
                               struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, VALUE_SET, &use, why));
    rg_query_text(&use, 1, name);
    rg_query_number(&use, 2, value);
    return rg_query_done(&use, why);
}

/* ---- messages ---- */

static void message_bind(struct rg_query *use, const struct rg_message_row *row)
{
    rg_query_number(use, 4, row->state);
    rg_query_number(use, 6, row->case_row);
    rg_query_number(use, 7, row->position);
    rg_query_number(use, 8, row->time_ms);
    rg_query_number(use, 9, row->not_before);
    rg_query_number(use, 11, row->code);
    rg_query_text(use, 12, row->reason);
}

static rg_outcome message_read(struct rg_query *use, struct rg_message_row *out,
                               struct rg_reason *why)
{
    struct rg_message_row row = {
        .seq = sqlite3_column_int64(use->stmt, 0),
        .state = (enum rg_message_state)sqlite3_column_int(use->stmt, 3),
        .ours = sqlite3_column_int(use->stmt, 4) != 0,
        .case_row = sqlite3_column_int64(use->stmt, 5),
        .position = sqlite3_column_int64(use->stmt, 6),
        .time_ms = sqlite3_column_int64(use->stmt, 7),
        .not_before = sqlite3_column_int64(use->stmt, 8),
        .priority = sqlite3_column_int(use->stmt, 9),
        .code = (uint32_t)sqlite3_column_int64(use->stmt, 10),
        .sections = (uint32_t)sqlite3_column_int64(use->stmt, 12),
    };
    RG_TRY(rg_query_fixed(use, 1, row.id.b, sizeof(row.id.b), why));
    RG_TRY(rg_query_fixed(use, 2, row.thread.b, sizeof(row.thread.b), why));
    rg_query_column_text(use, 11, row.reason, sizeof(row.reason));
    rg_query_column_text(use, 13, row.other, sizeof(row.other));
    *out = row;
    return rg_ok();
}

rg_outcome rg_spool_message_add(struct rg_spool *spool, struct rg_message_row *row,
                                struct rg_bytes envelope, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, MESSAGE_ADD, &use, why));
    rg_query_bytes(&use, 2, row->id.b, sizeof(row->id.b));
    rg_query_bytes(&use, 3, row->thread.b, sizeof(row->thread.b));
    message_bind(&use, row);
    rg_query_number(&use, 5, row->ours);
    rg_query_number(&use, 10, row->priority);
    rg_query_number(&use, 13, row->sections);
    rg_query_text(&use, 14, row->other);
    RG_TRY(rg_query_done(&use, why));
    RG_CHECK(sqlite3_changes(spool->db) == 1, why, RG_DENIED, "message-known",
             "this message is here already");
    row->seq = sqlite3_last_insert_rowid(spool->db);
    QUERY body = {0};
    RG_TRY(rg_query_begin(spool, BODY_ADD, &body, why));
    rg_query_number(&body, 1, row->seq);
    rg_query_bytes(&body, 2, envelope.data, envelope.len);
    return rg_query_done(&body, why);
}

rg_outcome rg_spool_message_get(struct rg_spool *spool, struct rg_id id, struct rg_message_row *out,
                                bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, MESSAGE_GET, &use, why));
    rg_query_bytes(&use, 1, id.b, sizeof(id.b));
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    if (row) {
        RG_TRY(message_read(&use, out, why));
    }
    *found_out = row;
    return rg_ok();
}

rg_outcome rg_spool_message_by_prefix(struct rg_spool *spool, struct rg_bytes prefix,
                                      struct rg_message_row *out, bool *found_out,
                                      struct rg_reason *why)
{
    struct rg_id low = {{0}};
    struct rg_id high;
    struct rg_message_row row = {0};
    RG_CHECK(prefix.len >= 4 && prefix.len <= sizeof(low.b), why, RG_LIMIT, "message-prefix",
             "name a message by at least 8 digits of its id");
    memset(high.b, 0xff, sizeof(high.b));
    memcpy(low.b, prefix.data, prefix.len);
    memcpy(high.b, prefix.data, prefix.len);
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, MESSAGE_PREFIX, &use, why));
    rg_query_bytes(&use, 1, low.b, sizeof(low.b));
    rg_query_bytes(&use, 2, high.b, sizeof(high.b));
    bool found = false;
    bool more = false;
    RG_TRY(rg_query_row(&use, &found, why));
    if (found) {
        RG_TRY(message_read(&use, &row, why));
        RG_TRY(rg_query_row(&use, &more, why));
        RG_CHECK(!more, why, RG_DENIED, "message-ambiguous",
                 "two messages begin with these digits; give more of them");
        *out = row;
    }
    *found_out = found;
    return rg_ok();
}

rg_outcome rg_spool_message_update(struct rg_spool *spool, const struct rg_message_row *row,
                                   struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, MESSAGE_UPDATE, &use, why));
    rg_query_number(&use, 1, row->seq);
    message_bind(&use, row);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_envelope(struct rg_spool *spool, int64_t seq, struct rg_buffer *out,
                             struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, BODY_GET, &use, why));
    rg_query_number(&use, 1, seq);
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    RG_CHECK(row, why, RG_DENIED, "message-gone", "the sealed message is no longer kept");
    return rg_buffer_append(out, rg_query_column(&use, 0), why);
}

rg_outcome rg_spool_messages_read(struct rg_query *use, struct rg_message_row *out, size_t max,
                                  size_t *count_out, struct rg_reason *why)
{
    size_t count = 0;
    bool row = false;
    for (;;) {
        RG_TRY(rg_query_row(use, &row, why));
        if (!row || count == max) {
            break;
        }
        RG_TRY(message_read(use, &out[count], why));
        count++;
    }
    *count_out = count;
    return rg_ok();
}

/* NOLINTNEXTLINE(readability-function-size): what, from where, an array and why */
rg_outcome rg_spool_waiting(struct rg_spool *spool, enum rg_priority priority, int64_t now_ms,
                            int64_t after, struct rg_message_row *out, size_t max,
                            size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, LIST_WAITING, &use, why));
    rg_query_number(&use, 1, now_ms);
    rg_query_number(&use, 2, after);
    rg_query_number(&use, 3, (int64_t)max);
    rg_query_number(&use, 4, priority);
    return rg_spool_messages_read(&use, out, max, count_out, why);
}

/* NOLINTNEXTLINE(readability-function-size): what, from where, an array and why */
rg_outcome rg_spool_list(struct rg_spool *spool, enum rg_spool_order order, int64_t key,
                         int64_t after, struct rg_message_row *out, size_t max, size_t *count_out,
                         struct rg_reason *why)
{
    static const enum rg_statement which[] = {
        [RG_BY_STORED] = LIST_STORED,
        [RG_BY_CASE] = LIST_CASE,
        [RG_BY_ARRIVAL] = LIST_ARRIVAL,
        [RG_BY_DEPARTURE] = LIST_DEPARTURE,
    };
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, which[order], &use, why));
    rg_query_number(&use, 1, key);
    rg_query_number(&use, 2, after);
    rg_query_number(&use, 3, (int64_t)max);
    return rg_spool_messages_read(&use, out, max, count_out, why);
}

rg_outcome rg_spool_thread_last(struct rg_spool *spool, struct rg_thread_id thread, bool ours,
                                struct rg_id *out, bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, THREAD_LAST, &use, why));
    rg_query_bytes(&use, 1, thread.b, sizeof(thread.b));
    rg_query_number(&use, 2, ours);
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    if (row) {
        RG_TRY(rg_query_fixed(&use, 0, out->b, sizeof(out->b), why));
    }
    *found_out = row;
    return rg_ok();
}

static uint64_t *count_place(struct rg_spool_counts *counts, int state)
{
    static uint64_t nowhere;
    switch (state) {
    case RG_OUT_WAITING:
        return &counts->waiting;
    case RG_OUT_ACCEPTED:
        return &counts->accepted;
    case RG_OUT_RECEIVED:
        return &counts->received;
    case RG_OUT_COLLECTED:
        return &counts->collected;
    case RG_OUT_REFUSED:
        return &counts->refused;
    case RG_IN_STORED:
        return &counts->stored;
    case RG_IN_OPENED:
        return &counts->opened;
    case RG_IN_UNOPENED:
        return &counts->unopened;
    default:
        return &nowhere;
    }
}

rg_outcome rg_spool_count(struct rg_spool *spool, struct rg_spool_counts *out,
                          struct rg_reason *why)
{
    struct rg_spool_counts counts = {0};
    bool row = true;
    QUERY states = {0};
    RG_TRY(rg_query_begin(spool, COUNT_STATES, &states, why));
    for (;;) {
        RG_TRY(rg_query_row(&states, &row, why));
        if (!row) {
            break;
        }
        *count_place(&counts, sqlite3_column_int(states.stmt, 0)) =
            (uint64_t)sqlite3_column_int64(states.stmt, 1);
    }
    QUERY proofs = {0};
    RG_TRY(rg_query_begin(spool, COUNT_PROOFS, &proofs, why));
    RG_TRY(rg_query_row(&proofs, &row, why));
    counts.proofs = (uint64_t)sqlite3_column_int64(proofs.stmt, 0);
    QUERY journal = {0};
    RG_TRY(rg_query_begin(spool, COUNT_JOURNAL, &journal, why));
    RG_TRY(rg_query_row(&journal, &row, why));
    counts.deliveries = (uint64_t)sqlite3_column_int64(journal.stmt, 0);
    counts.duplicates = (uint64_t)sqlite3_column_int64(journal.stmt, 1);
    *out = counts;
    return rg_ok();
}
