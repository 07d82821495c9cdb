/*
 * NAME
 *   store_sqlite_sql - the tables of the SQLite store and every statement it runs
 *
 * DESCRIPTION
 *   Only gateway/store_sqlite.c includes this. A change of the tables raises SCHEMA_VERSION.
 */
#ifndef RG_GATEWAY_STORE_SQLITE_SQL_H
#define RG_GATEWAY_STORE_SQLITE_SQL_H

#define SCHEMA_VERSION 2
#define APPLICATION_ID 0x52474d53 /* "RGMS" */

static const char schema[] =
    "CREATE TABLE messages(key INTEGER PRIMARY KEY, id BLOB NOT NULL, way INT NOT NULL,"
    " refusal INT NOT NULL, answer_leaf INT NOT NULL, received_leaf INT NOT NULL,"
    " priority INT NOT NULL, expires INT NOT NULL, collect_by INT NOT NULL,"
    " from_office TEXT NOT NULL, from_country TEXT NOT NULL, to_country TEXT NOT NULL,"
    " to_office TEXT NOT NULL) STRICT;"
    "CREATE TABLE message_index(hash INT NOT NULL, key INT NOT NULL, PRIMARY KEY(hash, key))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE marks(mark INTEGER PRIMARY KEY, key INT NOT NULL) STRICT;"
    "INSERT INTO marks VALUES(1, 0), (2, 0);"
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
    "CREATE TABLE threads(key INTEGER PRIMARY KEY, thread BLOB NOT NULL, office_a TEXT NOT NULL,"
    " office_b TEXT NOT NULL) STRICT;"
    "CREATE TABLE thread_index(hash INT NOT NULL, key INT NOT NULL, PRIMARY KEY(hash, key))"
    " STRICT, WITHOUT ROWID;"
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
    "CREATE TABLE forks(kind INT NOT NULL, subject TEXT NOT NULL, found INT NOT NULL,"
    " first BLOB NOT NULL, second BLOB NOT NULL, PRIMARY KEY(kind, subject)) STRICT;"
    "CREATE TABLE quotas(office TEXT PRIMARY KEY, day INT NOT NULL, count INT NOT NULL)"
    " STRICT, WITHOUT ROWID;";

#define MESSAGE_COLUMNS                                                                            \
    "key, id, way, refusal, answer_leaf, received_leaf, priority, expires, collect_by,"            \
    " from_office, from_country, to_country, to_office"
#define OUTBOX_COLUMNS                                                                             \
    "outbox.key, outbox.kind, outbox.country, outbox.priority, outbox.leaf, outbox.expires,"       \
    " outbox.next_try, outbox.attempts, outbox.body_bytes, messages.id, messages.from_office"

enum sql {
    SQL_MESSAGE_ADD,
    SQL_MESSAGES_PENDING,
    SQL_MESSAGE_INDEX_PUT,
    SQL_MESSAGE_INDEX_FIND,
    SQL_MESSAGE_INDEX_MARK,
    SQL_MESSAGE_GET,
    SQL_BODY_ADD,
    SQL_BODY_GET,
    SQL_BODIES_ERASE,
    SQL_BODIES_WALK,
    SQL_BODY_ERASE,
    SQL_OUTBOX_HAS,
    SQL_CURSOR_LEAST,
    SQL_MAIL_AHEAD,
    SQL_CARD_DROP,
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
    SQL_CURSORS_FEW,
    SQL_THREADS_PENDING,
    SQL_THREAD_INDEX_PUT,
    SQL_THREAD_INDEX_FIND,
    SQL_THREAD_INDEX_MARK,
    SQL_THREAD_GET,
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
    SQL_FORK_ADD,
    SQL_FORKS,
    SQL_QUOTA_GET,
    SQL_QUOTA_SET,
    SQL_COUNTS,
    SQL_COUNT_HELD,
    SQL_STATEMENTS
};

static const char *const sql_text[SQL_STATEMENTS] = {
    [SQL_MESSAGE_ADD] = "INSERT INTO messages VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_MESSAGES_PENDING] = "SELECT key, id FROM messages"
                             " WHERE key > (SELECT key FROM marks WHERE mark = 1) ORDER BY key",
    [SQL_MESSAGE_INDEX_PUT] = "INSERT OR IGNORE INTO message_index VALUES(?,?)",
    [SQL_MESSAGE_INDEX_FIND] =
        "SELECT key FROM message_index WHERE hash = ? AND key > ? ORDER BY key LIMIT 1",
    [SQL_MESSAGE_INDEX_MARK] = "UPDATE marks SET key = ? WHERE mark = 1",
    [SQL_MESSAGE_GET] = "SELECT " MESSAGE_COLUMNS " FROM messages WHERE key = ?",
    [SQL_BODY_ADD] = "INSERT INTO bodies VALUES(?,?,?)",
    [SQL_BODY_GET] = "SELECT body FROM bodies WHERE key = ?",
    [SQL_BODIES_ERASE] =
        "DELETE FROM bodies WHERE key IN"
        " (SELECT key FROM bodies WHERE collect_by < ? ORDER BY collect_by LIMIT ?)",
    [SQL_BODIES_WALK] = "SELECT key FROM bodies WHERE key > ? ORDER BY key LIMIT ?",
    [SQL_BODY_ERASE] = "DELETE FROM bodies WHERE key = ?",
    [SQL_OUTBOX_HAS] = "SELECT count(*) FROM outbox WHERE key = ?",
    [SQL_CURSOR_LEAST] = "SELECT coalesce(min(position), 0) FROM cursors WHERE box = ?",
    /* 1 also when more lies ahead than is looked at */
    [SQL_MAIL_AHEAD] = "SELECT count(*) >= ?4 OR coalesce(sum(kind = 1 AND key = ?3), 0) > 0 FROM"
                       " (SELECT kind, key FROM mail WHERE box = ?1 AND position > ?2"
                       " ORDER BY position LIMIT ?4)",
    [SQL_CARD_DROP] = "DELETE FROM documents WHERE kind = ? AND digest = ?",
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
    [SQL_CURSORS_FEW] = "SELECT count(*) FROM (SELECT 1 FROM cursors WHERE box = ? LIMIT 2)",
    [SQL_THREADS_PENDING] = "SELECT key, thread FROM threads"
                            " WHERE key > (SELECT key FROM marks WHERE mark = 2) ORDER BY key",
    [SQL_THREAD_INDEX_PUT] = "INSERT OR IGNORE INTO thread_index VALUES(?,?)",
    [SQL_THREAD_INDEX_FIND] =
        "SELECT key FROM thread_index WHERE hash = ? AND key > ? ORDER BY key LIMIT 1",
    [SQL_THREAD_INDEX_MARK] = "UPDATE marks SET key = ? WHERE mark = 2",
    [SQL_THREAD_GET] = "SELECT thread, office_a, office_b FROM threads WHERE key = ?",
    [SQL_THREAD_ADD] = "INSERT INTO threads VALUES(NULL,?,?,?)",
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
    [SQL_FORK_ADD] = "INSERT OR IGNORE INTO forks VALUES(?,?,?,?,?)",
    [SQL_FORKS] = "SELECT kind, subject, found, first, second FROM forks ORDER BY kind, subject",
    [SQL_QUOTA_GET] = "SELECT count FROM quotas WHERE office = ? AND day = ?",
    [SQL_QUOTA_SET] = "INSERT OR REPLACE INTO quotas VALUES(?,?,?)",
    [SQL_COUNTS] = "SELECT (SELECT coalesce(max(key), 0) FROM messages),"
                   " (SELECT coalesce(max(leaf) + 1, 0) FROM leaves),"
                   " (SELECT coalesce(sum((SELECT coalesce(max(position), 0) FROM mail"
                   " WHERE mail.box = boxes.box)), 0) FROM boxes)",
    [SQL_COUNT_HELD] = "SELECT (SELECT count(*) FROM bodies), (SELECT count(*) FROM outbox)",
};

#endif
