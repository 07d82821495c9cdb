/* How it works: each operation is one statement of store_sqlite_sql.h, run by gateway/db. Keys are
 * monotone. The ids of messages and threads are random: gateway/late_index finds their rows; a
 * decision has a random key, since few messages decide. A column that does not have the form that
 * was written is damage, never a default.
 *
 * `counts` must not walk what is held: bodies and outbox rows are counted once, the first time
 * somebody asks, and kept in step from then on; `committed` is what a rollback goes back to. */
#include "gateway/store_sqlite.h"

#include "core/digest.h"
#include "gateway/db.h"
#include "gateway/late_index.h"
#include "gateway/store_sqlite_sql.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct held {
    uint64_t bodies, outbox;
};

struct sqlite_store {
    struct rg_store base; /* first */
    struct rg_db *db;
    struct rg_late_index *messages, *threads;
    struct rg_id absent; /* looked for last and not there: need not be looked for again */
    struct rg_thread_id absent_thread;
    bool absent_known, absent_thread_known;
    bool read_only, held_known;
    struct held held, held_committed;
};

static const struct rg_late_options message_index = {
    SQL_MESSAGES_PENDING, SQL_MESSAGE_INDEX_PUT, SQL_MESSAGE_INDEX_FIND, SQL_MESSAGE_INDEX_MARK, 0};
static const struct rg_late_options thread_index = {
    SQL_THREADS_PENDING, SQL_THREAD_INDEX_PUT, SQL_THREAD_INDEX_FIND, SQL_THREAD_INDEX_MARK, 0};

static struct sqlite_store *self(struct rg_store *store)
{
    return (struct sqlite_store *)(void *)store;
}

static struct rg_db *db_of(struct rg_store *store)
{
    return self(store)->db;
}

/* --- batches --- */

static rg_outcome begin(struct rg_store *base, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_TRY(rg_late_begin(store->messages, why));
    RG_TRY(rg_late_begin(store->threads, why));
    return rg_db_begin(store->db, why);
}

static rg_outcome commit(struct rg_store *base, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_TRY(rg_late_write(store->messages, why));
    RG_TRY(rg_late_write(store->threads, why));
    RG_TRY(rg_db_commit(store->db, why));
    rg_late_committed(store->messages);
    rg_late_committed(store->threads);
    store->held_committed = store->held;
    return rg_ok();
}

static void rollback(struct rg_store *base)
{
    struct sqlite_store *store = self(base);
    rg_db_rollback(store->db);
    rg_late_rolled_back(store->messages);
    rg_late_rolled_back(store->threads);
    store->held = store->held_committed;
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
            return rg_db_damaged("offices", why);
        }
        memcpy(out->to_office[out->to_office_count], text, len);
        out->to_office[out->to_office_count][len] = '\0';
        out->to_office_count++;
        text += len + (text[len] == '\n');
    }
    return rg_ok();
}

static rg_outcome message_insert(struct rg_db *db, const struct rg_message *message,
                                 struct rg_reason *why)
{
    char offices[RG_TO_OFFICES_MAX * RG_OFFICE_BYTES];
    join_offices(message, offices, sizeof(offices));
    return rg_db_write(
        db, SQL_MESSAGE_ADD,
        RG_VALUES(rg_value_bytes(message->id.b, 32), rg_value_number((int64_t)message->way),
                  rg_value_number((int64_t)message->refusal), rg_value_count(message->answer_leaf),
                  rg_value_count(message->received_leaf),
                  rg_value_number((int64_t)message->priority), rg_value_number(message->expires.ms),
                  rg_value_number(message->collect_by.ms), rg_value_text(message->from_office),
                  rg_value_text(message->from_country), rg_value_text(message->to_country),
                  rg_value_text(offices)),
        why);
}

static rg_outcome message_row(rg_row *row, struct rg_message *out, struct rg_reason *why)
{
    struct rg_message message = {
        .key = rg_row_count(row, 0),
        .way = (enum rg_way)rg_row_number(row, 2),
        .refusal = (enum rg_refusal)rg_row_number(row, 3),
        .answer_leaf = rg_row_count(row, 4),
        .received_leaf = rg_row_count(row, 5),
        .priority = (enum rg_priority)rg_row_number(row, 6),
        .expires.ms = rg_row_number(row, 7),
        .collect_by.ms = rg_row_number(row, 8),
    };
    char offices[RG_TO_OFFICES_MAX * RG_OFFICE_BYTES];
    RG_TRY(rg_row_fixed(row, 1, message.id.b, 32, why));
    RG_TRY(rg_row_text(row, 9, message.from_office, RG_OFFICE_BYTES, why));
    RG_TRY(rg_row_text(row, 10, message.from_country, RG_COUNTRY_BYTES, why));
    RG_TRY(rg_row_text(row, 11, message.to_country, RG_COUNTRY_BYTES, why));
    RG_TRY(rg_row_text(row, 12, offices, sizeof(offices), why));
    RG_TRY(split_offices(offices, &message, why));
    *out = message;
    return rg_ok();
}

static rg_outcome message_get(struct rg_store *base, uint64_t key, struct rg_message *out,
                              bool *found_out, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool found = false;
    RG_TRY(rg_db_first(db_of(base), SQL_MESSAGE_GET, RG_VALUES(rg_value_count(key)), &statement,
                       &found, why));
    if (found) {
        RG_TRY(message_row(statement, out, why));
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome message_find(struct rg_store *base, const struct rg_id *id,
                               struct rg_message *out, bool *found_out, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    struct rg_bytes value = {id->b, sizeof(id->b)};
    struct rg_message message = {.key = 0};
    bool found = false;
    bool there = true;
    do {
        RG_TRY(rg_late_next(store->messages, value, message.key, &message.key, &found, why));
        if (found) {
            RG_TRY(message_get(base, message.key, &message, &there, why));
        }
        if (!there) {
            return rg_db_damaged("messages", why);
        }
    } while (found && memcmp(message.id.b, id->b, sizeof(id->b)) != 0);
    if (found) {
        *out = message;
    } else {
        store->absent = *id;
        store->absent_known = true;
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome message_absent(struct rg_store *base, const struct rg_id *id,
                                 struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    struct rg_message message;
    bool found = false;
    if (!store->absent_known || memcmp(store->absent.b, id->b, sizeof(id->b)) != 0) {
        RG_TRY(message_find(base, id, &message, &found, why));
    }
    RG_CHECK(!found, why, RG_BROKEN, "store-constraint", "this message is there already");
    store->absent_known = false;
    return rg_ok();
}

static rg_outcome message_add(struct rg_store *base, struct rg_message *message,
                              struct rg_bytes body, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    RG_TRY(message_absent(base, &message->id, why));
    RG_TRY(message_insert(store->db, message, why));
    uint64_t key = rg_db_last_key(store->db);
    RG_TRY(
        rg_late_add(store->messages, rg_bytes_of(message->id.b, sizeof(message->id.b)), key, why));
    if (body.len > 0) {
        RG_TRY(rg_db_write(store->db, SQL_BODY_ADD,
                           RG_VALUES(rg_value_count(key), rg_value_number(message->collect_by.ms),
                                     rg_value_bytes(body.data, body.len)),
                           why));
        store->held.bodies++;
    }
    message->key = key;
    return rg_ok();
}

static rg_outcome message_body(struct rg_store *base, uint64_t key, struct rg_buffer *out,
                               bool *found_out, struct rg_reason *why)
{
    return rg_db_blob(db_of(base), SQL_BODY_GET, RG_VALUES(rg_value_count(key)), out, found_out,
                      why);
}

static rg_outcome bodies_erase(struct rg_store *base, struct rg_wall before, size_t max,
                               size_t *erased_out, struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    RG_TRY(rg_db_write(db, SQL_BODIES_ERASE,
                       RG_VALUES(rg_value_number(before.ms), rg_value_count(max)), why));
    *erased_out = rg_db_changes(db);
    self(base)->held.bodies -= *erased_out;
    if (*erased_out > 0) {
        rg_db_erased(db);
    }
    return rg_ok();
}

static rg_outcome box_find(struct rg_db *db, const char *box, uint64_t *out, struct rg_reason *why)
{
    return rg_db_number(db, SQL_BOX_FIND, RG_VALUES(rg_value_text(box)), out, why);
}

#define AHEAD_MAX 1000 /* mails that a device behind the others has not stored yet */

/* Does a device known of this box still lack the message? No device known: yes. */
static rg_outcome box_lacks(struct rg_db *db, const char *box, uint64_t key, bool *lacks_out,
                            struct rg_reason *why)
{
    uint64_t at = 0;
    uint64_t least = 0;
    uint64_t lacks = 0;
    RG_TRY(box_find(db, box, &at, why));
    if (at == 0) {
        *lacks_out = false;
        return rg_ok();
    }
    RG_TRY(rg_db_number(db, SQL_CURSOR_LEAST, RG_VALUES(rg_value_count(at)), &least, why));
    RG_TRY(rg_db_number(db, SQL_MAIL_AHEAD,
                        RG_VALUES(rg_value_count(at), rg_value_count(least), rg_value_count(key),
                                  rg_value_number(AHEAD_MAX)),
                        &lacks, why));
    *lacks_out = lacks != 0;
    return rg_ok();
}

static rg_outcome body_settled(struct rg_store *base, uint64_t key, struct rg_wall before,
                               bool *settled_out, struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    struct rg_message message;
    uint64_t waiting = 0;
    bool found = false;
    bool lacks = false;
    *settled_out = false;
    RG_TRY(message_get(base, key, &message, &found, why));
    if (!found || rg_message_kept_until(&message).ms >= before.ms) {
        return rg_ok();
    }
    RG_TRY(rg_db_number(db, SQL_OUTBOX_HAS, RG_VALUES(rg_value_count(key)), &waiting, why));
    RG_TRY(box_lacks(db, message.from_office, key, &lacks, why));
    for (size_t i = 0; i < message.to_office_count && !lacks && waiting == 0; i++) {
        RG_TRY(box_lacks(db, message.to_office[i], key, &lacks, why));
    }
    *settled_out = !lacks && waiting == 0;
    return rg_ok();
}

static rg_outcome bodies_walk(struct rg_db *db, uint64_t after, uint64_t *key, size_t max,
                              size_t *count_out, struct rg_reason *why)
{
    RG_ROW *row = NULL;
    bool found = false;
    size_t n = 0;
    RG_TRY(rg_db_start(db, SQL_BODIES_WALK, RG_VALUES(rg_value_count(after), rg_value_count(max)),
                       &row, why));
    while (n < max) {
        RG_TRY(rg_db_step(db, row, &found, why));
        if (!found) {
            break;
        }
        key[n++] = rg_row_count(row, 0);
    }
    *count_out = n;
    return rg_ok();
}

#define WALK_MAX 512

static rg_outcome bodies_settle(struct rg_store *base, struct rg_wall before, size_t max,
                                uint64_t *after, size_t *erased_out, struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    uint64_t key[WALK_MAX];
    size_t count = 0;
    size_t erased = 0;
    max = max < WALK_MAX ? max : WALK_MAX;
    RG_TRY(bodies_walk(db, *after, key, max, &count, why));
    for (size_t i = 0; i < count; i++) {
        bool settled = false;
        RG_TRY(body_settled(base, key[i], before, &settled, why));
        if (settled) {
            RG_TRY(rg_db_write(db, SQL_BODY_ERASE, RG_VALUES(rg_value_count(key[i])), why));
            self(base)->held.bodies--;
            erased++;
        }
    }
    if (erased > 0) {
        rg_db_erased(db);
    }
    *after = count == max && count > 0 ? key[count - 1] : 0;
    *erased_out = erased;
    return rg_ok();
}

/* --- log --- */

static rg_outcome leaf_add(struct rg_store *base, uint64_t index, const struct rg_hash *entry_hash,
                           struct rg_bytes log_entry, struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_LEAF_ADD,
                       RG_VALUES(rg_value_count(index), rg_value_bytes(entry_hash->b, 32),
                                 rg_value_bytes(log_entry.data, log_entry.len)),
                       why);
}

static rg_outcome leaf_entry(struct rg_store *base, uint64_t index, struct rg_buffer *out,
                             bool *found_out, struct rg_reason *why)
{
    return rg_db_blob(db_of(base), SQL_LEAF_ENTRY, RG_VALUES(rg_value_count(index)), out, found_out,
                      why);
}

/* Rows (number, hash) that must be dense from `from`. */
static rg_outcome read_dense(struct rg_db *db, enum sql which, uint64_t from, size_t max,
                             struct rg_hash *out, size_t *count_out, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool row = false;
    size_t n = 0;
    RG_TRY(rg_db_start(db, which, RG_VALUES(rg_value_count(from), rg_value_count(max)), &statement,
                       why));
    for (;;) {
        RG_TRY(rg_db_step(db, statement, &row, why));
        if (!row) {
            break;
        }
        if (n == max || rg_row_count(statement, 0) != from + n) {
            return rg_db_damaged("the log has a gap", why);
        }
        RG_TRY(rg_row_fixed(statement, 1, out[n].b, 32, why));
        n++;
    }
    *count_out = n;
    return rg_ok();
}

static rg_outcome leaves(struct rg_store *base, uint64_t from, size_t max,
                         struct rg_hash *entry_hash_out, size_t *count_out, struct rg_reason *why)
{
    return read_dense(db_of(base), SQL_LEAVES, from, max, entry_hash_out, count_out, why);
}

static rg_outcome log_size(struct rg_store *base, uint64_t *out, struct rg_reason *why)
{
    return rg_db_number(db_of(base), SQL_LOG_SIZE, RG_NO_VALUES, out, why);
}

static rg_outcome tile_add(struct rg_store *base, uint64_t tile, const struct rg_hash *root,
                           struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_TILE_ADD,
                       RG_VALUES(rg_value_count(tile), rg_value_bytes(root->b, 32)), why);
}

static rg_outcome tiles(struct rg_store *base, uint64_t from, size_t max, struct rg_hash *root_out,
                        size_t *count_out, struct rg_reason *why)
{
    return read_dense(db_of(base), SQL_TILES, from, max, root_out, count_out, why);
}

/* --- outbox --- */

static rg_outcome outbox_add(struct rg_store *base, const struct rg_outbox_row *row,
                             struct rg_reason *why)
{
    RG_TRY(
        rg_db_write(db_of(base), SQL_OUTBOX_ADD,
                    RG_VALUES(rg_value_count(row->key), rg_value_number((int64_t)row->kind),
                              rg_value_text(row->country), rg_value_number((int64_t)row->priority),
                              rg_value_count(row->leaf), rg_value_number(row->expires.ms),
                              rg_value_number(row->next_try.ms), rg_value_number(row->attempts),
                              rg_value_number(row->body_bytes)),
                    why));
    self(base)->held.outbox++;
    return rg_ok();
}

static rg_outcome outbox_row(rg_row *row, struct rg_outbox_row *out, struct rg_reason *why)
{
    struct rg_outbox_row read = {
        .key = rg_row_count(row, 0),
        .kind = (enum rg_outbox_kind)rg_row_number(row, 1),
        .priority = (enum rg_priority)rg_row_number(row, 3),
        .leaf = rg_row_count(row, 4),
        .expires.ms = rg_row_number(row, 5),
        .next_try.ms = rg_row_number(row, 6),
        .attempts = (uint32_t)rg_row_number(row, 7),
        .body_bytes = (uint32_t)rg_row_number(row, 8),
    };
    RG_TRY(rg_row_text(row, 2, read.country, RG_COUNTRY_BYTES, why));
    RG_TRY(rg_row_fixed(row, 9, read.id.b, 32, why));
    RG_TRY(rg_row_text(row, 10, read.from_office, RG_OFFICE_BYTES, why));
    *out = read;
    return rg_ok();
}

static rg_outcome outbox_rows(struct rg_db *db, rg_row *statement, struct rg_outbox_row *out,
                              size_t max, size_t *count_out, struct rg_reason *why)
{
    bool row = false;
    size_t n = 0;
    while (n < max) {
        RG_TRY(rg_db_step(db, statement, &row, why));
        if (!row) {
            break;
        }
        RG_TRY(outbox_row(statement, &out[n], why));
        n++;
    }
    *count_out = n;
    return rg_ok();
}

/* NOLINTNEXTLINE(readability-function-size): the shape that store.h states */
static rg_outcome outbox_next(struct rg_store *base, const char *country, enum rg_priority priority,
                              uint64_t after, struct rg_wall now, struct rg_outbox_row *out,
                              size_t max, size_t *count_out, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    RG_TRY(
        rg_db_start(db_of(base), SQL_OUTBOX_NEXT,
                    RG_VALUES(rg_value_text(country), rg_value_number((int64_t)priority),
                              rg_value_count(after), rg_value_number(now.ms), rg_value_count(max)),
                    &statement, why));
    return outbox_rows(db_of(base), statement, out, max, count_out, why);
}

static rg_outcome outbox_get(struct rg_store *base, uint64_t key, struct rg_outbox_row *out,
                             bool *found_out, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    size_t n = 0;
    RG_TRY(
        rg_db_start(db_of(base), SQL_OUTBOX_GET, RG_VALUES(rg_value_count(key)), &statement, why));
    RG_TRY(outbox_rows(db_of(base), statement, out, 1, &n, why));
    *found_out = n == 1;
    return rg_ok();
}

static rg_outcome outbox_defer(struct rg_store *base, uint64_t key, uint32_t attempts,
                               struct rg_wall next_try, struct rg_reason *why)
{
    return rg_db_write(
        db_of(base), SQL_OUTBOX_DEFER,
        RG_VALUES(rg_value_number(attempts), rg_value_number(next_try.ms), rg_value_count(key)),
        why);
}

static rg_outcome outbox_expired(struct rg_store *base, struct rg_wall now,
                                 struct rg_outbox_row *out, size_t max, size_t *count_out,
                                 struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    RG_TRY(rg_db_start(db_of(base), SQL_OUTBOX_EXPIRED,
                       RG_VALUES(rg_value_number(now.ms), rg_value_count(max)), &statement, why));
    return outbox_rows(db_of(base), statement, out, max, count_out, why);
}

static rg_outcome outbox_close(struct rg_store *base, uint64_t key, uint64_t leaf,
                               struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_OUTBOX_CLOSE,
                       RG_VALUES(rg_value_count(leaf), rg_value_count(key)), why);
}

static rg_outcome outbox_done(struct rg_store *base, uint64_t key, struct rg_reason *why)
{
    RG_TRY(rg_db_write(db_of(base), SQL_OUTBOX_DONE, RG_VALUES(rg_value_count(key)), why));
    self(base)->held.outbox -= rg_db_changes(db_of(base));
    return rg_ok();
}

static rg_outcome outbox_count(struct rg_store *base, const char *country, uint64_t *out,
                               struct rg_reason *why)
{
    return rg_db_number(db_of(base), SQL_OUTBOX_COUNT, RG_VALUES(rg_value_text(country)), out, why);
}

/* --- mail --- */

/* 0: there is no such box yet. */
static rg_outcome box_make(struct rg_db *db, const char *box, uint64_t *out, struct rg_reason *why)
{
    uint64_t found = 0;
    RG_TRY(box_find(db, box, &found, why));
    if (found == 0) {
        RG_TRY(rg_db_write(db, SQL_BOX_ADD, RG_VALUES(rg_value_text(box)), why));
        found = rg_db_last_key(db);
    }
    *out = found;
    return rg_ok();
}

static rg_outcome mail_add(struct rg_store *base, const char *box, struct rg_mail *mail,
                           struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    uint64_t at = 0;
    uint64_t last = 0;
    RG_TRY(box_make(db, box, &at, why));
    RG_TRY(rg_db_number(db, SQL_MAIL_LAST, RG_VALUES(rg_value_count(at)), &last, why));
    RG_TRY(rg_db_write(db, SQL_MAIL_ADD,
                       RG_VALUES(rg_value_count(at), rg_value_count(last + 1),
                                 rg_value_number((int64_t)mail->kind), rg_value_count(mail->key),
                                 rg_value_count(mail->leaf),
                                 rg_value_number((int64_t)mail->entry_kind)),
                       why));
    mail->position = last + 1;
    return rg_ok();
}

static rg_outcome mail_next(struct rg_store *base, const char *box, uint64_t after,
                            struct rg_mail *out, size_t max, size_t *count_out,
                            struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    RG_ROW *statement = NULL;
    uint64_t at = 0;
    size_t n = 0;
    bool row = false;
    RG_TRY(box_find(db, box, &at, why));
    RG_TRY(rg_db_start(db, SQL_MAIL_NEXT,
                       RG_VALUES(rg_value_count(at), rg_value_count(after), rg_value_count(max)),
                       &statement, why));
    while (n < max) {
        RG_TRY(rg_db_step(db, statement, &row, why));
        if (!row) {
            break;
        }
        out[n++] = (struct rg_mail){
            .position = rg_row_count(statement, 0),
            .kind = (enum rg_mail_kind)rg_row_number(statement, 1),
            .key = rg_row_count(statement, 2),
            .leaf = rg_row_count(statement, 3),
            .entry_kind = (enum rg_entry_kind)rg_row_number(statement, 4),
        };
    }
    *count_out = n;
    return rg_ok();
}

static rg_outcome mail_last(struct rg_store *base, const char *box, uint64_t *out,
                            struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_find(db_of(base), box, &at, why));
    return rg_db_number(db_of(base), SQL_MAIL_LAST, RG_VALUES(rg_value_count(at)), out, why);
}

static rg_outcome cursor_get(struct rg_store *base, const char *box, const char *device,
                             uint64_t *out, struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_find(db_of(base), box, &at, why));
    return rg_db_number(db_of(base), SQL_CURSOR_GET,
                        RG_VALUES(rg_value_count(at), rg_value_text(device)), out, why);
}

static rg_outcome cursor_set(struct rg_store *base, const char *box, const char *device,
                             uint64_t position, struct rg_reason *why)
{
    uint64_t at = 0;
    RG_TRY(box_make(db_of(base), box, &at, why));
    return rg_db_write(
        db_of(base), SQL_CURSOR_SET,
        RG_VALUES(rg_value_count(at), rg_value_text(device), rg_value_count(position)), why);
}

static rg_outcome box_is_shared(struct rg_store *base, const char *box, bool *out,
                                struct rg_reason *why)
{
    uint64_t at = 0;
    uint64_t devices = 0;
    RG_TRY(box_find(db_of(base), box, &at, why));
    RG_TRY(
        rg_db_number(db_of(base), SQL_CURSORS_FEW, RG_VALUES(rg_value_count(at)), &devices, why));
    *out = devices > 1;
    return rg_ok();
}

/* --- threads, decisions, collected, proofs --- */

static rg_outcome thread_get(struct rg_db *db, uint64_t key, struct rg_thread_id *id_out,
                             struct rg_thread_offices *out, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool found = false;
    RG_TRY(
        rg_db_first(db, SQL_THREAD_GET, RG_VALUES(rg_value_count(key)), &statement, &found, why));
    if (!found) {
        return rg_db_damaged("threads", why);
    }
    RG_TRY(rg_row_fixed(statement, 0, id_out->b, sizeof(id_out->b), why));
    for (int i = 0; i < 2; i++) {
        RG_TRY(rg_row_text(statement, i + 1, out->office[i], RG_OFFICE_BYTES, why));
    }
    return rg_ok();
}

static rg_outcome thread_find(struct rg_store *base, const struct rg_thread_id *thread,
                              struct rg_thread_offices *out, bool *found_out, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    struct rg_bytes value = {thread->b, sizeof(thread->b)};
    struct rg_thread_id at;
    uint64_t key = 0;
    bool found = false;
    do {
        RG_TRY(rg_late_next(store->threads, value, key, &key, &found, why));
        if (found) {
            RG_TRY(thread_get(store->db, key, &at, out, why));
        }
    } while (found && memcmp(at.b, thread->b, sizeof(at.b)) != 0);
    if (!found) {
        store->absent_thread = *thread;
        store->absent_thread_known = true;
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome thread_add(struct rg_store *base, const struct rg_thread_id *thread,
                             const struct rg_thread_offices *offices, struct rg_reason *why)
{
    struct sqlite_store *store = self(base);
    struct rg_thread_offices other;
    bool found = false;
    if (!store->absent_thread_known ||
        memcmp(store->absent_thread.b, thread->b, sizeof(thread->b)) != 0) {
        RG_TRY(thread_find(base, thread, &other, &found, why));
    }
    RG_CHECK(!found, why, RG_BROKEN, "store-constraint", "this thread is there already");
    store->absent_thread_known = false;
    RG_TRY(
        rg_db_write(store->db, SQL_THREAD_ADD,
                    RG_VALUES(rg_value_bytes(thread->b, sizeof(thread->b)),
                              rg_value_text(offices->office[0]), rg_value_text(offices->office[1])),
                    why));
    return rg_late_add(store->threads, rg_bytes_of(thread->b, sizeof(thread->b)),
                       rg_db_last_key(store->db), why);
}

static rg_outcome decision_find(struct rg_store *base, const struct rg_id *decided,
                                const char *office, struct rg_id *deciding_out, bool *found_out,
                                struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool found = false;
    RG_TRY(rg_db_first(db_of(base), SQL_DECISION_FIND,
                       RG_VALUES(rg_value_bytes(decided->b, 32), rg_value_text(office)), &statement,
                       &found, why));
    if (found) {
        RG_TRY(rg_row_fixed(statement, 0, deciding_out->b, 32, why));
    }
    *found_out = found;
    return rg_ok();
}

static rg_outcome decision_add(struct rg_store *base, const struct rg_id *decided,
                               const char *office, const struct rg_id *deciding,
                               struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_DECISION_ADD,
                       RG_VALUES(rg_value_bytes(decided->b, 32), rg_value_text(office),
                                 rg_value_bytes(deciding->b, 32)),
                       why);
}

static rg_outcome collected_add(struct rg_store *base, uint64_t key, const char *office,
                                uint64_t leaf, bool *fresh_out, struct rg_reason *why)
{
    RG_TRY(rg_db_write(db_of(base), SQL_COLLECTED_ADD,
                       RG_VALUES(rg_value_count(key), rg_value_text(office), rg_value_count(leaf)),
                       why));
    *fresh_out = rg_db_changes(db_of(base)) == 1;
    return rg_ok();
}

static rg_outcome proof_add(struct rg_store *base, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_bytes receipts, bool *fresh_out,
                            struct rg_reason *why)
{
    RG_TRY(rg_db_write(db_of(base), SQL_PROOF_ADD,
                       RG_VALUES(rg_value_count(key), rg_value_number((int64_t)kind),
                                 rg_value_count(leaf), rg_value_bytes(receipts.data, receipts.len)),
                       why));
    *fresh_out = rg_db_changes(db_of(base)) == 1;
    return rg_ok();
}

static rg_outcome proof_get(struct rg_store *base, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_buffer *out, bool *found_out,
                            struct rg_reason *why)
{
    return rg_db_blob(
        db_of(base), SQL_PROOF_GET,
        RG_VALUES(rg_value_count(key), rg_value_number((int64_t)kind), rg_value_count(leaf)), out,
        found_out, why);
}

/* --- heads, documents, quotas, counts --- */

static rg_outcome head_set(struct rg_store *base, const struct rg_head *head, struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_HEAD_SET,
                       RG_VALUES(rg_value_text(head->origin), rg_value_count(head->size),
                                 rg_value_bytes(head->root.b, 32),
                                 rg_value_bytes(head->signature, sizeof(head->signature))),
                       why);
}

static rg_outcome heads(struct rg_store *base, struct rg_head *out, size_t max, size_t *count_out,
                        struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    RG_ROW *statement = NULL;
    size_t n = 0;
    bool row = false;
    RG_TRY(rg_db_start(db, SQL_HEADS, RG_VALUES(rg_value_count(max)), &statement, why));
    while (n < max) {
        RG_TRY(rg_db_step(db, statement, &row, why));
        if (!row) {
            break;
        }
        struct rg_head head = {.size = rg_row_count(statement, 1)};
        RG_TRY(rg_row_text(statement, 0, head.origin, sizeof(head.origin), why));
        RG_TRY(rg_row_fixed(statement, 2, head.root.b, 32, why));
        RG_TRY(rg_row_fixed(statement, 3, head.signature, sizeof(head.signature), why));
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
            return rg_db_damaged("signatures", why);
        }
        const uint8_t *p = packed.data;
        size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
        if (len > packed.len - 4) {
            return rg_db_damaged("signatures", why);
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
        RG_TRY(rg_db_write(
            db_of(base), SQL_DOCUMENT_DROP,
            RG_VALUES(rg_value_number((int64_t)document->kind), rg_value_text(document->country)),
            why));
    }
    return rg_db_write(db_of(base), SQL_DOCUMENT_PUT,
                       RG_VALUES(rg_value_number((int64_t)document->kind),
                                 rg_value_text(document->country), rg_value_bytes(digest.b, 32),
                                 rg_value_bytes(text.data, text.len),
                                 rg_value_bytes(signatures.data, signatures.len)),
                       why);
}

static rg_outcome card_drop(struct rg_store *base, const struct rg_hash *digest,
                            struct rg_reason *why)
{
    return rg_db_write(db_of(base), SQL_CARD_DROP,
                       RG_VALUES(rg_value_number(RG_DOC_KEY_CARD), rg_value_bytes(digest->b, 32)),
                       why);
}

static rg_outcome document_row(rg_row *row, struct rg_document *out, struct rg_reason *why)
{
    out->kind = (enum rg_document_kind)rg_row_number(row, 0);
    RG_TRY(rg_row_text(row, 1, out->country, sizeof(out->country), why));
    RG_TRY(rg_buffer_append(&out->text, rg_row_bytes(row, 2), why));
    return unpack_signatures(rg_row_bytes(row, 3), out, why);
}

/* A row is copied before `each` sees it; `each` must not read documents itself. */
static rg_outcome documents_each(struct rg_store *base,
                                 rg_outcome (*each)(void *context,
                                                    const struct rg_document *document,
                                                    struct rg_reason *why),
                                 void *context, struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    RG_ROW *statement = NULL;
    bool row = false;
    RG_TRY(rg_db_start(db, SQL_DOCUMENTS, RG_NO_VALUES, &statement, why));
    for (;;) {
        RG_CLEANUP(rg_document_drop) struct rg_document document = {0};
        RG_TRY(rg_db_step(db, statement, &row, why));
        if (!row) {
            return rg_ok();
        }
        RG_TRY(document_row(statement, &document, why));
        RG_TRY(each(context, &document, why));
    }
}

static rg_outcome fork_add(struct rg_store *base, const struct rg_fork *fork, bool *fresh_out,
                           struct rg_reason *why)
{
    RG_TRY(rg_db_write(db_of(base), SQL_FORK_ADD,
                       RG_VALUES(rg_value_number((int64_t)fork->kind), rg_value_text(fork->subject),
                                 rg_value_number(fork->found.ms),
                                 rg_value_bytes(fork->first.data, fork->first.len),
                                 rg_value_bytes(fork->second.data, fork->second.len)),
                       why));
    *fresh_out = rg_db_changes(db_of(base)) > 0;
    return rg_ok();
}

static rg_outcome forks_each(struct rg_store *base,
                             rg_outcome (*each)(void *context, const struct rg_fork *fork,
                                                struct rg_reason *why),
                             void *context, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool row = false;
    RG_TRY(rg_db_start(db_of(base), SQL_FORKS, RG_NO_VALUES, &statement, why));
    for (;;) {
        RG_TRY(rg_db_step(db_of(base), statement, &row, why));
        if (!row) {
            return rg_ok();
        }
        struct rg_fork fork = {.kind = (enum rg_fork_kind)rg_row_number(statement, 0),
                               .found = {rg_row_number(statement, 2)},
                               .first = rg_row_bytes(statement, 3),
                               .second = rg_row_bytes(statement, 4)};
        RG_TRY(rg_row_text(statement, 1, fork.subject, sizeof(fork.subject), why));
        RG_TRY(each(context, &fork, why));
    }
}

static rg_outcome quota_get(struct rg_store *base, const char *office, int64_t day, uint64_t *out,
                            struct rg_reason *why)
{
    return rg_db_number(db_of(base), SQL_QUOTA_GET,
                        RG_VALUES(rg_value_text(office), rg_value_number(day)), out, why);
}

static rg_outcome quota_set(struct rg_store *base, const char *office, int64_t day,
                            uint64_t answered, struct rg_reason *why)
{
    return rg_db_write(
        db_of(base), SQL_QUOTA_SET,
        RG_VALUES(rg_value_text(office), rg_value_number(day), rg_value_count(answered)), why);
}

static uint64_t file_bytes(const char *path, const char *suffix)
{
    char name[PATH_MAX + 8];
    struct stat state;
    (void)snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &state) == 0 ? (uint64_t)state.st_size : 0;
}

/* `held` counts from 0 until it is known: what was before is added. */
static rg_outcome held_count(struct sqlite_store *store, struct rg_reason *why)
{
    RG_ROW *statement = NULL;
    bool found = false;
    if (store->held_known) {
        return rg_ok();
    }
    RG_TRY(rg_db_first(store->db, SQL_COUNT_HELD, RG_NO_VALUES, &statement, &found, why));
    const struct held now = {rg_row_count(statement, 0), rg_row_count(statement, 1)};
    store->held_committed.bodies += now.bodies - store->held.bodies;
    store->held_committed.outbox += now.outbox - store->held.outbox;
    store->held = now;
    store->held_known = !store->read_only;
    return rg_ok();
}

static rg_outcome counts(struct rg_store *base, struct rg_store_counts *out, struct rg_reason *why)
{
    struct rg_db *db = db_of(base);
    RG_ROW *statement = NULL;
    bool found = false;
    RG_TRY(held_count(self(base), why));
    RG_TRY(rg_db_first(db, SQL_COUNTS, RG_NO_VALUES, &statement, &found, why));
    *out = (struct rg_store_counts){
        .messages = rg_row_count(statement, 0),
        .bodies = self(base)->held.bodies,
        .leaves = rg_row_count(statement, 1),
        .outbox = self(base)->held.outbox,
        .mail = rg_row_count(statement, 2),
        .file_bytes = file_bytes(rg_db_path(db), "") + file_bytes(rg_db_path(db), "-wal"),
    };
    return rg_ok();
}

/* --- open and close --- */

static void close_store(struct rg_store *base)
{
    struct sqlite_store *store = self(base);
    rg_late_free(store->messages);
    rg_late_free(store->threads);
    rg_db_close(store->db);
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
    .bodies_settle = bodies_settle,
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
    .box_is_shared = box_is_shared,
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
    .card_drop = card_drop,
    .fork_add = fork_add,
    .forks_each = forks_each,
    .quota_get = quota_get,
    .quota_set = quota_set,
    .counts = counts,
};

/* A new file gets the schema; an older or newer one is not ours to change. */
static rg_outcome check_schema(struct rg_db *db, bool read_only, struct rg_reason *why)
{
    char text[128];
    int64_t version = 0;
    RG_TRY(rg_db_ask(db, "PRAGMA user_version", &version, why));
    if (version == SCHEMA_VERSION) {
        return rg_ok();
    }
    RG_CHECK(version == 0 && !read_only, why, RG_DENIED, "store-version",
             "the store has schema version %lld, this gateway knows %d", (long long)version,
             SCHEMA_VERSION);
    (void)snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;",
                   APPLICATION_ID, SCHEMA_VERSION);
    RG_TRY(rg_db_run(db, "BEGIN IMMEDIATE;", why));
    RG_TRY(rg_db_run(db, schema, why));
    return rg_db_run(db, text, why);
}

static rg_outcome open_parts(struct sqlite_store *store, const struct rg_db_options *options,
                             struct rg_reason *why)
{
    RG_TRY(rg_db_open(options, &store->db, why));
    RG_TRY(check_schema(store->db, options->read_only, why));
    RG_TRY(rg_late_open(store->db, &message_index, &store->messages, why));
    return rg_late_open(store->db, &thread_index, &store->threads, why);
}

rg_outcome rg_store_sqlite_open(const char *path, const struct rg_store_sqlite *options,
                                struct rg_store **out, struct rg_reason *why)
{
    const struct rg_db_options db_options = {.path = path,
                                             .sql = sql_text,
                                             .sql_count = SQL_STATEMENTS,
                                             .bytes_max = options->bytes_max,
                                             .read_only = options->read_only};
    struct sqlite_store *store = calloc(1, sizeof(*store));
    RG_CHECK(store != NULL, why, RG_IO, "out-of-memory", "no memory for the store");
    store->base.ops = &operations;
    store->read_only = options->read_only;
    rg_outcome outcome = open_parts(store, &db_options, why);
    if (!rg_is_ok(outcome)) {
        close_store(&store->base);
        return outcome;
    }
    *out = &store->base;
    return rg_ok();
}
