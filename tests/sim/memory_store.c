/* How it works: `struct table` is the only thing that changes; each change is first written to the
 * journal. Bytes that rows point to are never freed before the disk is. */
#include "tests/sim/memory_store.h"

#include "core/digest.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition) RG_ASSERT(condition)

struct table {
    char *rows;
    size_t row_bytes, count, capacity;
};

struct change {
    struct table *table;
    size_t at;
    void *old; /* NULL: the row was added */
};

struct blob {
    uint8_t *data;
    size_t len;
};

struct row_message {
    struct rg_message message;
    struct blob body;
};
struct row_leaf {
    struct rg_hash hash;
    struct blob entry;
};
struct row_mail {
    char box[RG_OFFICE_BYTES];
    struct rg_mail mail;
};
struct row_cursor {
    char box[RG_OFFICE_BYTES];
    char device[RG_CURSOR_DEVICE_BYTES];
    uint64_t position;
};
struct row_thread {
    struct rg_thread_id id;
    struct rg_thread_offices offices;
};
struct row_decision {
    struct rg_id decided, deciding;
    char office[RG_OFFICE_BYTES];
};
struct row_collected {
    uint64_t key;
    char office[RG_OFFICE_BYTES];
};
struct row_proof {
    uint64_t key, leaf;
    enum rg_entry_kind kind;
    struct blob bytes;
};
struct row_document {
    struct rg_hash digest;
    struct rg_document *document;
};
struct row_fork {
    struct rg_fork fork; /* without bytes */
    struct blob first, second;
};
struct row_quota {
    char office[RG_OFFICE_BYTES + 1];
    int64_t day;
    uint64_t count;
};

enum {
    MESSAGES,
    LEAVES,
    TILES,
    OUTBOX,
    MAILS,
    CURSORS,
    THREADS,
    DECISIONS,
    COLLECTED,
    PROOFS,
    HEADS,
    DOCUMENTS,
    FORKS,
    QUOTAS,
    TABLES
};

static const size_t row_bytes[TABLES] = {
    [MESSAGES] = sizeof(struct row_message),    [LEAVES] = sizeof(struct row_leaf),
    [TILES] = sizeof(struct rg_hash),           [OUTBOX] = sizeof(struct rg_outbox_row),
    [MAILS] = sizeof(struct row_mail),          [CURSORS] = sizeof(struct row_cursor),
    [THREADS] = sizeof(struct row_thread),      [DECISIONS] = sizeof(struct row_decision),
    [COLLECTED] = sizeof(struct row_collected), [PROOFS] = sizeof(struct row_proof),
    [HEADS] = sizeof(struct rg_head),           [DOCUMENTS] = sizeof(struct row_document),
    [FORKS] = sizeof(struct row_fork),          [QUOTAS] = sizeof(struct row_quota),
};

struct memory_disk {
    struct rg_store store;
    struct table table[TABLES];
    struct change *journal;
    size_t journal_count, journal_capacity;
    size_t promised; /* changes below are of batches that were said to be written */
    bool lies;
    unsigned lies_told;
    bool open;
    void **kept; /* everything that rows point to */
    size_t kept_count, kept_capacity;
    struct rg_document **document; /* all that ever were: their buffers are dropped at the end */
    size_t document_count, document_capacity;
    uint64_t calls, fail_at;
    enum rg_code fail_code;
    bool full, tear, tear_written;
};

static struct memory_disk *self(struct rg_store *store)
{
    return (struct memory_disk *)store;
}

static void *grow(void *memory, size_t *capacity, size_t need, size_t bytes)
{
    if (need <= *capacity) {
        return memory;
    }
    *capacity = need < 64 ? 64 : 2 * need;
    memory = realloc(memory, *capacity * bytes);
    MUST(memory != NULL);
    return memory;
}

static void *keep(struct memory_disk *disk, size_t bytes)
{
    void *memory = calloc(1, bytes + 1);
    MUST(memory != NULL);
    disk->kept = grow(disk->kept, &disk->kept_capacity, disk->kept_count + 1, sizeof(void *));
    disk->kept[disk->kept_count++] = memory;
    return memory;
}

static struct blob blob_of(struct memory_disk *disk, struct rg_bytes bytes)
{
    if (bytes.len == 0) {
        return (struct blob){0};
    }
    struct blob blob = {keep(disk, bytes.len), bytes.len};
    memcpy(blob.data, bytes.data, bytes.len);
    return blob;
}

static rg_outcome blob_out(const struct blob *blob, struct rg_buffer *out, struct rg_reason *why)
{
    return rg_buffer_append(out, rg_bytes_of(blob->data, blob->len), why);
}

static void *row_at(struct memory_disk *disk, int table, size_t at)
{
    return disk->table[table].rows + at * row_bytes[table];
}

static size_t rows(const struct memory_disk *disk, int table)
{
    return disk->table[table].count;
}

static struct change *journal(struct memory_disk *disk)
{
    disk->journal = grow(disk->journal, &disk->journal_capacity, disk->journal_count + 1,
                         sizeof(*disk->journal));
    return &disk->journal[disk->journal_count++];
}

static void row_add(struct memory_disk *disk, int table, const void *row)
{
    struct table *t = &disk->table[table];
    MUST(disk->open);
    t->rows = grow(t->rows, &t->capacity, t->count + 1, row_bytes[table]);
    t->row_bytes = row_bytes[table];
    *journal(disk) = (struct change){t, t->count, NULL};
    memcpy(t->rows + t->count++ * row_bytes[table], row, row_bytes[table]);
}

/* The row, to be changed: its old content is in the journal. */
static void *row_change(struct memory_disk *disk, int table, size_t at)
{
    MUST(disk->open);
    void *row = row_at(disk, table, at);
    void *old = malloc(row_bytes[table]);
    MUST(old != NULL);
    memcpy(old, row, row_bytes[table]);
    *journal(disk) = (struct change){&disk->table[table], at, old};
    return row;
}

static void journal_forget(struct memory_disk *disk, size_t from)
{
    for (size_t i = from; i < disk->journal_count; i++) {
        free(disk->journal[i].old);
    }
    disk->journal_count = from;
    disk->open = false;
}

static void journal_undo(struct memory_disk *disk, size_t until)
{
    for (size_t i = disk->journal_count; i-- > until;) {
        struct change *change = &disk->journal[i];
        if (change->old == NULL) {
            change->table->count--;
            continue;
        }
        memcpy(change->table->rows + change->at * change->table->row_bytes, change->old,
               change->table->row_bytes);
    }
    journal_forget(disk, until);
}

static rg_outcome gate(struct memory_disk *disk, bool write, struct rg_reason *why)
{
    disk->calls++;
    if (disk->fail_at != 0 && disk->calls == disk->fail_at) {
        disk->fail_at = 0;
        return rg_fail(why, disk->fail_code, "store-told-to-fail", "told to fail");
    }
    RG_CHECK(!write || !disk->full, why, RG_AGAIN, "store-full", "the disk is full");
    return rg_ok();
}

#define READ(store) RG_TRY(gate(self(store), false, why))
#define WRITE(store) RG_TRY(gate(self(store), true, why))

/* Batches */

static void store_close(struct rg_store *store)
{
    journal_undo(self(store), self(store)->promised);
}

static rg_outcome begin(struct rg_store *store, struct rg_reason *why)
{
    WRITE(store);
    MUST(!self(store)->open);
    self(store)->open = true;
    return rg_ok();
}

static rg_outcome commit(struct rg_store *store, struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    MUST(disk->open);
    WRITE(store);
    if (disk->tear) {
        disk->tear = false;
        if (disk->tear_written) {
            journal_forget(disk, 0);
            disk->promised = 0;
        }
        return rg_fail(why, RG_BROKEN, "store-commit", "fsync failed");
    }
    if (disk->lies && ++disk->lies_told % 4 != 0) {
        disk->promised = disk->journal_count;
        disk->open = false;
        return rg_ok();
    }
    journal_forget(disk, 0);
    disk->promised = 0;
    return rg_ok();
}

static void rollback(struct rg_store *store)
{
    journal_undo(self(store), self(store)->promised);
}

/* Messages */

static struct row_message *message_row(struct memory_disk *disk, const struct rg_id *id)
{
    for (size_t i = rows(disk, MESSAGES); i-- > 0;) {
        struct row_message *row = row_at(disk, MESSAGES, i);
        if (memcmp(row->message.id.b, id->b, sizeof(id->b)) == 0) {
            return row;
        }
    }
    return NULL;
}

static rg_outcome message_add(struct rg_store *store, struct rg_message *message,
                              struct rg_bytes body, struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    WRITE(store);
    MUST(message_row(disk, &message->id) == NULL);
    message->key = rows(disk, MESSAGES) + 1;
    struct row_message row = {*message, blob_of(disk, body)};
    row_add(disk, MESSAGES, &row);
    return rg_ok();
}

static rg_outcome message_find(struct rg_store *store, const struct rg_id *id,
                               struct rg_message *out, bool *found_out, struct rg_reason *why)
{
    READ(store);
    const struct row_message *row = message_row(self(store), id);
    *found_out = row != NULL;
    if (row != NULL) {
        *out = row->message;
    }
    return rg_ok();
}

static struct row_message *message_at(struct memory_disk *disk, uint64_t key)
{
    return key >= 1 && key <= rows(disk, MESSAGES) ? row_at(disk, MESSAGES, (size_t)key - 1) : NULL;
}

static rg_outcome message_get(struct rg_store *store, uint64_t key, struct rg_message *out,
                              bool *found_out, struct rg_reason *why)
{
    READ(store);
    const struct row_message *row = message_at(self(store), key);
    *found_out = row != NULL;
    if (row != NULL) {
        *out = row->message;
    }
    return rg_ok();
}

static rg_outcome message_body(struct rg_store *store, uint64_t key, struct rg_buffer *out,
                               bool *found_out, struct rg_reason *why)
{
    READ(store);
    const struct row_message *row = message_at(self(store), key);
    *found_out = row != NULL && row->body.len > 0;
    return *found_out ? blob_out(&row->body, out, why) : rg_ok();
}

static rg_outcome bodies_erase(struct rg_store *store, struct rg_wall before, size_t max,
                               size_t *erased_out, struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    WRITE(store);
    *erased_out = 0;
    for (size_t i = 0; i < rows(disk, MESSAGES) && *erased_out < max; i++) {
        struct row_message *row = row_at(disk, MESSAGES, i);
        if (row->body.len > 0 && row->message.collect_by.ms < before.ms) {
            row = row_change(disk, MESSAGES, i);
            row->body.len = 0;
            ++*erased_out;
        }
    }
    return rg_ok();
}

static bool box_lacks(struct memory_disk *disk, const char *box, uint64_t key)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < rows(disk, CURSORS); i++) {
        const struct row_cursor *row = row_at(disk, CURSORS, i);
        if (strcmp(row->box, box) == 0 && row->position < least) {
            least = row->position;
        }
    }
    least = least == UINT64_MAX ? 0 : least;
    for (size_t i = 0; i < rows(disk, MAILS); i++) {
        const struct row_mail *row = row_at(disk, MAILS, i);
        if (strcmp(row->box, box) == 0 && row->mail.kind == RG_MAIL_DELIVER &&
            row->mail.key == key && row->mail.position > least) {
            return true;
        }
    }
    return false;
}

static bool body_settled(struct memory_disk *disk, const struct rg_message *message)
{
    for (size_t i = 0; i < rows(disk, OUTBOX); i++) {
        if (((const struct rg_outbox_row *)row_at(disk, OUTBOX, i))->key == message->key) {
            return false;
        }
    }
    bool lacks = box_lacks(disk, message->from_office, message->key);
    for (size_t i = 0; i < message->to_office_count; i++) {
        lacks = lacks || box_lacks(disk, message->to_office[i], message->key);
    }
    return !lacks;
}

static rg_outcome bodies_settle(struct rg_store *store, struct rg_wall before, size_t max,
                                uint64_t *after, size_t *erased_out, struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    WRITE(store);
    size_t seen = 0;
    *erased_out = 0;
    for (size_t i = 0; i < rows(disk, MESSAGES) && seen < max; i++) {
        struct row_message *row = row_at(disk, MESSAGES, i);
        if (row->message.key <= *after || row->body.len == 0) {
            continue;
        }
        *after = row->message.key;
        seen++;
        if (rg_message_kept_until(&row->message).ms < before.ms &&
            body_settled(disk, &row->message)) {
            row = row_change(disk, MESSAGES, i);
            row->body.len = 0;
            ++*erased_out;
        }
    }
    *after = seen == max ? *after : 0;
    return rg_ok();
}

/* Log */

static rg_outcome leaf_add(struct rg_store *store, uint64_t index, const struct rg_hash *entry_hash,
                           struct rg_bytes log_entry, struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    WRITE(store);
    MUST(index == rows(disk, LEAVES));
    struct row_leaf row = {*entry_hash, blob_of(disk, log_entry)};
    row_add(disk, LEAVES, &row);
    return rg_ok();
}

static rg_outcome leaf_entry(struct rg_store *store, uint64_t index, struct rg_buffer *out,
                             bool *found_out, struct rg_reason *why)
{
    READ(store);
    *found_out = index < rows(self(store), LEAVES);
    if (!*found_out) {
        return rg_ok();
    }
    const struct row_leaf *row = row_at(self(store), LEAVES, (size_t)index);
    return blob_out(&row->entry, out, why);
}

static rg_outcome leaves(struct rg_store *store, uint64_t from, size_t max,
                         struct rg_hash *entry_hash_out, size_t *count_out, struct rg_reason *why)
{
    READ(store);
    *count_out = 0;
    for (uint64_t i = from; i < rows(self(store), LEAVES) && *count_out < max; i++) {
        const struct row_leaf *row = row_at(self(store), LEAVES, (size_t)i);
        entry_hash_out[(*count_out)++] = row->hash;
    }
    return rg_ok();
}

static rg_outcome log_size(struct rg_store *store, uint64_t *out, struct rg_reason *why)
{
    READ(store);
    *out = rows(self(store), LEAVES);
    return rg_ok();
}

static rg_outcome tile_add(struct rg_store *store, uint64_t tile, const struct rg_hash *root,
                           struct rg_reason *why)
{
    WRITE(store);
    MUST(tile == rows(self(store), TILES));
    row_add(self(store), TILES, root);
    return rg_ok();
}

static rg_outcome tiles(struct rg_store *store, uint64_t from, size_t max, struct rg_hash *root_out,
                        size_t *count_out, struct rg_reason *why)
{
    READ(store);
    *count_out = 0;
    for (uint64_t i = from; i < rows(self(store), TILES) && *count_out < max; i++) {
        memcpy(&root_out[(*count_out)++], row_at(self(store), TILES, (size_t)i), sizeof(*root_out));
    }
    return rg_ok();
}

/* Outbox: a row that is done has kind 0 */

static rg_outcome outbox_add(struct rg_store *store, const struct rg_outbox_row *row,
                             struct rg_reason *why)
{
    WRITE(store);
    row_add(self(store), OUTBOX, row);
    return rg_ok();
}

static void outbox_fill(struct memory_disk *disk, const struct rg_outbox_row *row,
                        struct rg_outbox_row *out)
{
    const struct row_message *message = message_at(disk, row->key);
    MUST(message != NULL);
    *out = *row;
    out->id = message->message.id;
    memcpy(out->from_office, message->message.from_office, sizeof(out->from_office));
}

static rg_outcome outbox_next(struct rg_store *store, const char *country,
                              enum rg_priority priority, uint64_t after, struct rg_wall now,
                              struct rg_outbox_row *out, size_t max, size_t *count_out,
                              struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    READ(store);
    *count_out = 0;
    for (size_t i = 0; i < rows(disk, OUTBOX) && *count_out < max; i++) {
        const struct rg_outbox_row *row = row_at(disk, OUTBOX, i);
        if (row->kind != 0 && row->key > after && row->priority == priority &&
            row->next_try.ms <= now.ms && strcmp(row->country, country) == 0) {
            outbox_fill(disk, row, &out[(*count_out)++]);
        }
    }
    return rg_ok();
}

static struct rg_outbox_row *outbox_row(struct memory_disk *disk, uint64_t key, size_t *at_out)
{
    for (size_t i = 0; i < rows(disk, OUTBOX); i++) {
        struct rg_outbox_row *row = row_at(disk, OUTBOX, i);
        if (row->kind != 0 && row->key == key) {
            *at_out = i;
            return row;
        }
    }
    return NULL;
}

static rg_outcome outbox_get(struct rg_store *store, uint64_t key, struct rg_outbox_row *out,
                             bool *found_out, struct rg_reason *why)
{
    size_t at = 0;
    READ(store);
    const struct rg_outbox_row *row = outbox_row(self(store), key, &at);
    *found_out = row != NULL;
    if (row != NULL) {
        outbox_fill(self(store), row, out);
    }
    return rg_ok();
}

static rg_outcome outbox_defer(struct rg_store *store, uint64_t key, uint32_t attempts,
                               struct rg_wall next_try, struct rg_reason *why)
{
    size_t at = 0;
    WRITE(store);
    if (outbox_row(self(store), key, &at) != NULL) {
        struct rg_outbox_row *row = row_change(self(store), OUTBOX, at);
        row->attempts = attempts;
        row->next_try = next_try;
    }
    return rg_ok();
}

static rg_outcome outbox_expired(struct rg_store *store, struct rg_wall now,
                                 struct rg_outbox_row *out, size_t max, size_t *count_out,
                                 struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    READ(store);
    *count_out = 0;
    for (size_t i = 0; i < rows(disk, OUTBOX) && *count_out < max; i++) {
        const struct rg_outbox_row *row = row_at(disk, OUTBOX, i);
        if (row->kind == RG_OUTBOX_TRANSFER && row->expires.ms <= now.ms) {
            outbox_fill(disk, row, &out[(*count_out)++]);
        }
    }
    return rg_ok();
}

static rg_outcome outbox_close(struct rg_store *store, uint64_t key, uint64_t leaf,
                               struct rg_reason *why)
{
    size_t at = 0;
    WRITE(store);
    MUST(outbox_row(self(store), key, &at) != NULL);
    struct rg_outbox_row *row = row_change(self(store), OUTBOX, at);
    row->kind = RG_OUTBOX_CLOSE;
    row->leaf = leaf;
    row->next_try.ms = 0;
    row->attempts = 0;
    return rg_ok();
}

static rg_outcome outbox_done(struct rg_store *store, uint64_t key, struct rg_reason *why)
{
    size_t at = 0;
    WRITE(store);
    if (outbox_row(self(store), key, &at) != NULL) {
        struct rg_outbox_row *row = row_change(self(store), OUTBOX, at);
        row->kind = (enum rg_outbox_kind)0;
    }
    return rg_ok();
}

static rg_outcome outbox_count(struct rg_store *store, const char *country, uint64_t *out,
                               struct rg_reason *why)
{
    READ(store);
    *out = 0;
    for (size_t i = 0; i < rows(self(store), OUTBOX); i++) {
        const struct rg_outbox_row *row = row_at(self(store), OUTBOX, i);
        *out += row->kind != 0 && strcmp(row->country, country) == 0 ? 1 : 0;
    }
    return rg_ok();
}

/* Mail */

static rg_outcome mail_last(struct rg_store *store, const char *box, uint64_t *out,
                            struct rg_reason *why)
{
    READ(store);
    *out = 0;
    for (size_t i = 0; i < rows(self(store), MAILS); i++) {
        const struct row_mail *row = row_at(self(store), MAILS, i);
        if (strcmp(row->box, box) == 0) {
            *out = row->mail.position;
        }
    }
    return rg_ok();
}

static rg_outcome mail_add(struct rg_store *store, const char *box, struct rg_mail *mail,
                           struct rg_reason *why)
{
    struct row_mail row = {0};
    uint64_t last = 0;
    WRITE(store);
    RG_TRY(mail_last(store, box, &last, why));
    mail->position = last + 1;
    row.mail = *mail;
    memcpy(row.box, box, strnlen(box, sizeof(row.box) - 1));
    row_add(self(store), MAILS, &row);
    return rg_ok();
}

static rg_outcome mail_next(struct rg_store *store, const char *box, uint64_t after,
                            struct rg_mail *out, size_t max, size_t *count_out,
                            struct rg_reason *why)
{
    READ(store);
    *count_out = 0;
    for (size_t i = 0; i < rows(self(store), MAILS) && *count_out < max; i++) {
        const struct row_mail *row = row_at(self(store), MAILS, i);
        if (row->mail.position > after && strcmp(row->box, box) == 0) {
            out[(*count_out)++] = row->mail;
        }
    }
    return rg_ok();
}

static struct row_cursor *cursor_row(struct memory_disk *disk, const char *box, const char *device,
                                     size_t *at_out)
{
    for (size_t i = 0; i < rows(disk, CURSORS); i++) {
        struct row_cursor *row = row_at(disk, CURSORS, i);
        if (strcmp(row->box, box) == 0 && strcmp(row->device, device) == 0) {
            *at_out = i;
            return row;
        }
    }
    return NULL;
}

static rg_outcome cursor_get(struct rg_store *store, const char *box, const char *device,
                             uint64_t *out, struct rg_reason *why)
{
    size_t at = 0;
    READ(store);
    const struct row_cursor *row = cursor_row(self(store), box, device, &at);
    *out = row != NULL ? row->position : 0;
    return rg_ok();
}

static rg_outcome cursor_set(struct rg_store *store, const char *box, const char *device,
                             uint64_t position, struct rg_reason *why)
{
    size_t at = 0;
    struct row_cursor row = {.position = position};
    WRITE(store);
    if (cursor_row(self(store), box, device, &at) != NULL) {
        struct row_cursor *old = row_change(self(store), CURSORS, at);
        old->position = position;
        return rg_ok();
    }
    memcpy(row.box, box, strnlen(box, sizeof(row.box) - 1));
    memcpy(row.device, device, strnlen(device, sizeof(row.device) - 1));
    row_add(self(store), CURSORS, &row);
    return rg_ok();
}

static rg_outcome box_is_shared(struct rg_store *store, const char *box, bool *out,
                                struct rg_reason *why)
{
    size_t devices = 0;
    READ(store);
    for (size_t i = 0; i < rows(self(store), CURSORS); i++) {
        const struct row_cursor *row = row_at(self(store), CURSORS, i);
        devices += strcmp(row->box, box) == 0 ? 1 : 0;
    }
    *out = devices > 1;
    return rg_ok();
}

/* Threads, decisions, collected, proofs */

static rg_outcome thread_find(struct rg_store *store, const struct rg_thread_id *thread,
                              struct rg_thread_offices *out, bool *found_out, struct rg_reason *why)
{
    READ(store);
    *found_out = false;
    for (size_t i = 0; i < rows(self(store), THREADS); i++) {
        const struct row_thread *row = row_at(self(store), THREADS, i);
        if (memcmp(row->id.b, thread->b, sizeof(thread->b)) == 0) {
            *out = row->offices;
            *found_out = true;
        }
    }
    return rg_ok();
}

static rg_outcome thread_add(struct rg_store *store, const struct rg_thread_id *thread,
                             const struct rg_thread_offices *offices, struct rg_reason *why)
{
    WRITE(store);
    struct row_thread row = {*thread, *offices};
    row_add(self(store), THREADS, &row);
    return rg_ok();
}

static rg_outcome decision_find(struct rg_store *store, const struct rg_id *decided,
                                const char *office, struct rg_id *deciding_out, bool *found_out,
                                struct rg_reason *why)
{
    READ(store);
    *found_out = false;
    for (size_t i = 0; i < rows(self(store), DECISIONS) && !*found_out; i++) {
        const struct row_decision *row = row_at(self(store), DECISIONS, i);
        if (memcmp(row->decided.b, decided->b, sizeof(decided->b)) == 0 &&
            strcmp(row->office, office) == 0) {
            *deciding_out = row->deciding;
            *found_out = true;
        }
    }
    return rg_ok();
}

static rg_outcome decision_add(struct rg_store *store, const struct rg_id *decided,
                               const char *office, const struct rg_id *deciding,
                               struct rg_reason *why)
{
    struct row_decision row = {.decided = *decided, .deciding = *deciding};
    WRITE(store);
    memcpy(row.office, office, strnlen(office, sizeof(row.office) - 1));
    row_add(self(store), DECISIONS, &row);
    return rg_ok();
}

static rg_outcome collected_add(struct rg_store *store, uint64_t key, const char *office,
                                uint64_t leaf, bool *fresh_out, struct rg_reason *why)
{
    struct row_collected added = {.key = key};
    (void)leaf;
    WRITE(store);
    *fresh_out = false;
    for (size_t i = 0; i < rows(self(store), COLLECTED); i++) {
        const struct row_collected *row = row_at(self(store), COLLECTED, i);
        if (row->key == key && strcmp(row->office, office) == 0) {
            return rg_ok();
        }
    }
    memcpy(added.office, office, strnlen(office, sizeof(added.office) - 1));
    row_add(self(store), COLLECTED, &added);
    *fresh_out = true;
    return rg_ok();
}

static const struct row_proof *proof_row(struct memory_disk *disk, uint64_t key,
                                         enum rg_entry_kind kind, uint64_t leaf)
{
    for (size_t i = 0; i < rows(disk, PROOFS); i++) {
        const struct row_proof *row = row_at(disk, PROOFS, i);
        if (row->key == key && row->kind == kind && (row->leaf == leaf || leaf == RG_LEAF_NONE)) {
            return row;
        }
    }
    return NULL;
}

static rg_outcome proof_add(struct rg_store *store, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_bytes receipts, bool *fresh_out,
                            struct rg_reason *why)
{
    WRITE(store);
    *fresh_out = proof_row(self(store), key, kind, leaf) == NULL;
    if (*fresh_out) {
        struct row_proof row = {key, leaf, kind, blob_of(self(store), receipts)};
        row_add(self(store), PROOFS, &row);
    }
    return rg_ok();
}

static rg_outcome proof_get(struct rg_store *store, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_buffer *out, bool *found_out,
                            struct rg_reason *why)
{
    READ(store);
    const struct row_proof *row = proof_row(self(store), key, kind, leaf);
    *found_out = row != NULL;
    return row != NULL ? blob_out(&row->bytes, out, why) : rg_ok();
}

/* Heads, documents, quotas */

static rg_outcome head_set(struct rg_store *store, const struct rg_head *head,
                           struct rg_reason *why)
{
    WRITE(store);
    for (size_t i = 0; i < rows(self(store), HEADS); i++) {
        const struct rg_head *row = row_at(self(store), HEADS, i);
        if (strcmp(row->origin, head->origin) == 0) {
            memcpy(row_change(self(store), HEADS, i), head, sizeof(*head));
            return rg_ok();
        }
    }
    row_add(self(store), HEADS, head);
    return rg_ok();
}

static rg_outcome heads(struct rg_store *store, struct rg_head *out, size_t max, size_t *count_out,
                        struct rg_reason *why)
{
    READ(store);
    *count_out = 0;
    for (size_t i = 0; i < rows(self(store), HEADS) && *count_out < max; i++) {
        memcpy(&out[(*count_out)++], row_at(self(store), HEADS, i), sizeof(*out));
    }
    return rg_ok();
}

static bool document_same(const struct row_document *row, const struct rg_document *document,
                          const struct rg_hash *digest)
{
    if (document->kind == RG_DOC_KEY_CARD) {
        return memcmp(row->digest.b, digest->b, sizeof(digest->b)) == 0;
    }
    return row->document->kind == document->kind &&
           strcmp(row->document->country, document->country) == 0;
}

static rg_outcome document_put(struct rg_store *store, const struct rg_document *document,
                               struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    WRITE(store);
    struct row_document row = {rg_sha256(rg_buffer_peek(&document->text)),
                               keep(disk, sizeof(*document))};
    RG_TRY(rg_document_copy(document, row.document, why));
    disk->document = grow(disk->document, &disk->document_capacity, disk->document_count + 1,
                          sizeof(struct rg_document *));
    disk->document[disk->document_count++] = row.document;
    for (size_t i = 0; i < rows(disk, DOCUMENTS); i++) {
        if (document_same(row_at(disk, DOCUMENTS, i), document, &row.digest)) {
            memcpy(row_change(disk, DOCUMENTS, i), &row, sizeof(row));
            return rg_ok();
        }
    }
    row_add(disk, DOCUMENTS, &row);
    return rg_ok();
}

/* The sim's cards never end. */
static rg_outcome card_drop(struct rg_store *store, const struct rg_hash *digest,
                            struct rg_reason *why)
{
    (void)digest;
    WRITE(store);
    return rg_ok();
}

static rg_outcome documents_each(struct rg_store *store,
                                 rg_outcome (*each)(void *context,
                                                    const struct rg_document *document,
                                                    struct rg_reason *why),
                                 void *context, struct rg_reason *why)
{
    READ(store);
    for (int kind = RG_DOC_CHARTER; kind <= RG_DOC_KEY_CARD; kind++) {
        for (size_t i = 0; i < rows(self(store), DOCUMENTS); i++) {
            const struct row_document *row = row_at(self(store), DOCUMENTS, i);
            if ((int)row->document->kind == kind) {
                RG_TRY(each(context, row->document, why));
            }
        }
    }
    return rg_ok();
}

static rg_outcome fork_add(struct rg_store *store, const struct rg_fork *fork, bool *fresh_out,
                           struct rg_reason *why)
{
    struct memory_disk *disk = self(store);
    struct row_fork row = {.fork = *fork};
    WRITE(store);
    *fresh_out = false;
    for (size_t i = 0; i < rows(disk, FORKS); i++) {
        const struct row_fork *have = row_at(disk, FORKS, i);
        if (have->fork.kind == fork->kind && strcmp(have->fork.subject, fork->subject) == 0) {
            return rg_ok();
        }
    }
    row.first = blob_of(disk, fork->first);
    row.second = blob_of(disk, fork->second);
    row_add(disk, FORKS, &row);
    *fresh_out = true;
    return rg_ok();
}

static rg_outcome forks_each(struct rg_store *store,
                             rg_outcome (*each)(void *context, const struct rg_fork *fork,
                                                struct rg_reason *why),
                             void *context, struct rg_reason *why)
{
    READ(store);
    for (size_t i = 0; i < rows(self(store), FORKS); i++) {
        const struct row_fork *row = row_at(self(store), FORKS, i);
        struct rg_fork fork = row->fork;
        fork.first = rg_bytes_of(row->first.data, row->first.len);
        fork.second = rg_bytes_of(row->second.data, row->second.len);
        RG_TRY(each(context, &fork, why));
    }
    return rg_ok();
}

static struct row_quota *quota_row(struct memory_disk *disk, const char *office, int64_t day,
                                   size_t *at_out)
{
    for (size_t i = 0; i < rows(disk, QUOTAS); i++) {
        struct row_quota *row = row_at(disk, QUOTAS, i);
        if (row->day == day && strcmp(row->office, office) == 0) {
            *at_out = i;
            return row;
        }
    }
    return NULL;
}

static rg_outcome quota_get(struct rg_store *store, const char *office, int64_t day, uint64_t *out,
                            struct rg_reason *why)
{
    size_t at = 0;
    READ(store);
    const struct row_quota *row = quota_row(self(store), office, day, &at);
    *out = row != NULL ? row->count : 0;
    return rg_ok();
}

static rg_outcome quota_set(struct rg_store *store, const char *office, int64_t day, uint64_t count,
                            struct rg_reason *why)
{
    size_t at = 0;
    struct row_quota row = {.day = day, .count = count};
    WRITE(store);
    if (quota_row(self(store), office, day, &at) != NULL) {
        struct row_quota *old = row_change(self(store), QUOTAS, at);
        old->count = count;
        return rg_ok();
    }
    memcpy(row.office, office, strnlen(office, sizeof(row.office) - 1));
    row_add(self(store), QUOTAS, &row);
    return rg_ok();
}

static rg_outcome counts(struct rg_store *store, struct rg_store_counts *out, struct rg_reason *why)
{
    READ(store);
    *out = (struct rg_store_counts){.messages = rows(self(store), MESSAGES),
                                    .leaves = rows(self(store), LEAVES),
                                    .outbox = rows(self(store), OUTBOX),
                                    .mail = rows(self(store), MAILS)};
    return rg_ok();
}

static const struct rg_store_ops memory_ops = {
    .close = store_close,
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

/* Life and faults */

struct memory_disk *memory_disk_new(void)
{
    struct memory_disk *disk = calloc(1, sizeof(*disk));
    MUST(disk != NULL);
    disk->store.ops = &memory_ops;
    return disk;
}

struct rg_store *memory_disk_open(struct memory_disk *disk)
{
    journal_undo(disk, 0);
    disk->promised = 0;
    return &disk->store;
}

void memory_disk_free(struct memory_disk *disk)
{
    journal_forget(disk, 0);
    for (size_t i = 0; i < disk->document_count; i++) {
        rg_document_drop(disk->document[i]);
    }
    free(disk->document);
    for (size_t i = 0; i < disk->kept_count; i++) {
        free(disk->kept[i]);
    }
    for (int i = 0; i < TABLES; i++) {
        free(disk->table[i].rows);
    }
    free(disk->kept);
    free(disk->journal);
    free(disk);
}

void memory_disk_fail(struct memory_disk *disk, uint64_t nth, enum rg_code code)
{
    disk->calls = 0;
    disk->fail_at = nth;
    disk->fail_code = code;
}

uint64_t memory_disk_calls(const struct memory_disk *disk)
{
    return disk->calls;
}

void memory_disk_full(struct memory_disk *disk, bool full)
{
    disk->full = full;
}

void memory_disk_lie(struct memory_disk *disk, bool lies)
{
    disk->lies = lies;
}

void memory_disk_tear(struct memory_disk *disk, bool written)
{
    disk->tear = true;
    disk->tear_written = written;
}

/* What tests look at */

size_t memory_disk_mails(struct memory_disk *disk, const char *box, enum rg_mail_kind kind,
                         const struct rg_id *id)
{
    size_t count = 0;
    for (size_t i = 0; i < rows(disk, MAILS); i++) {
        const struct row_mail *row = row_at(disk, MAILS, i);
        const struct row_message *message = message_at(disk, row->mail.key);
        bool about = id == NULL ||
                     (message != NULL && memcmp(message->message.id.b, id->b, sizeof(id->b)) == 0);
        count += row->mail.kind == kind && about && strcmp(row->box, box) == 0 ? 1 : 0;
    }
    return count;
}

size_t memory_disk_entries(struct memory_disk *disk, enum rg_entry_kind kind,
                           const struct rg_id *id)
{
    size_t count = 0;
    for (size_t i = 0; i < rows(disk, LEAVES); i++) {
        const struct row_leaf *row = row_at(disk, LEAVES, i);
        struct rg_log_entry entry;
        MUST(rg_is_ok(
            rg_log_entry_decode(rg_bytes_of(row->entry.data, row->entry.len), &entry, NULL)));
        bool about = id == NULL || memcmp(entry.envelope_id.b, id->b, sizeof(id->b)) == 0;
        count += entry.kind == kind && about ? 1 : 0;
    }
    return count;
}

bool memory_disk_message(struct memory_disk *disk, const struct rg_id *id, struct rg_message *out)
{
    const struct row_message *row = message_row(disk, id);
    if (row != NULL) {
        *out = row->message;
    }
    return row != NULL;
}

void memory_disk_cut_log(struct memory_disk *disk, uint64_t size)
{
    disk->table[LEAVES].count = (size_t)size;
    disk->table[TILES].count = (size_t)size / 256;
}
