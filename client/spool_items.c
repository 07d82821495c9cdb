/* How it works: proofs, the journal and sealed items, on the statements of spool.c. A head is one
 * row however many proofs stand under it. An item's key stands in a row of its own, so that
 * destroying it leaves the item's place and nothing else. */
#include "client/spool_inside.h"

#include <string.h>

/* ---- proofs and heads ---- */

static rg_outcome head_row(struct rg_spool *spool, const struct rg_head *head, int64_t *row_out,
                           struct rg_reason *why)
{
    QUERY find = {0};
    RG_TRY(rg_query_begin(spool, HEAD_FIND, &find, why));
    rg_query_text(&find, 1, head->origin);
    rg_query_number(&find, 2, (int64_t)head->size);
    rg_query_bytes(&find, 3, head->root.b, sizeof(head->root.b));
    bool row = false;
    RG_TRY(rg_query_row(&find, &row, why));
    if (row) {
        *row_out = sqlite3_column_int64(find.stmt, 0);
        return rg_ok();
    }
    QUERY add = {0};
    RG_TRY(rg_query_begin(spool, HEAD_ADD, &add, why));
    rg_query_text(&add, 1, head->origin);
    rg_query_number(&add, 2, (int64_t)head->size);
    rg_query_bytes(&add, 3, head->root.b, sizeof(head->root.b));
    rg_query_bytes(&add, 4, head->signature, sizeof(head->signature));
    RG_TRY(rg_query_done(&add, why));
    *row_out = sqlite3_last_insert_rowid(spool->db);
    return rg_ok();
}

static rg_outcome head_read(struct rg_query *use, int at, struct rg_head *out,
                            struct rg_reason *why)
{
    rg_query_column_text(use, at, out->origin, sizeof(out->origin));
    out->size = (uint64_t)sqlite3_column_int64(use->stmt, at + 1);
    RG_TRY(rg_query_fixed(use, at + 2, out->root.b, sizeof(out->root.b), why));
    return rg_query_fixed(use, at + 3, out->signature, sizeof(out->signature), why);
}

rg_outcome rg_spool_head_keep(struct rg_spool *spool, const struct rg_head *head,
                              struct rg_reason *why)
{
    int64_t row = 0;
    RG_TRY(head_row(spool, head, &row, why));
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, HEAD_NEWEST, &use, why));
    rg_query_text(&use, 1, head->origin);
    rg_query_number(&use, 2, row);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_heads(struct rg_spool *spool, struct rg_head *out, size_t max,
                          size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, HEADS, &use, why));
    size_t count = 0;
    bool row = false;
    for (;;) {
        RG_TRY(rg_query_row(&use, &row, why));
        if (!row || count == max) {
            break;
        }
        RG_TRY(head_read(&use, 0, &out[count], why));
        count++;
    }
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_spool_proof_add(struct rg_spool *spool, int64_t seq, const struct rg_proof_row *proof,
                              bool *new_out, struct rg_reason *why)
{
    int64_t head = 0;
    RG_CHECK(proof->log_entry_len <= sizeof(proof->log_entry) &&
                 proof->inclusion.count <= RG_PROOF_HASHES_MAX,
             why, RG_LIMIT, "proof-size", "a proof is too long");
    RG_TRY(head_row(spool, &proof->head, &head, why));
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, PROOF_ADD, &use, why));
    rg_query_number(&use, 1, seq);
    rg_query_number(&use, 2, proof->kind);
    rg_query_number(&use, 3, (int64_t)proof->leaf_index);
    rg_query_number(&use, 4, head);
    rg_query_bytes(&use, 5, proof->inclusion.hash, proof->inclusion.count * sizeof(struct rg_hash));
    rg_query_bytes(&use, 6, proof->log_entry, proof->log_entry_len);
    rg_query_number(&use, 7, proof->time_ms);
    RG_TRY(rg_query_done(&use, why));
    *new_out = sqlite3_changes(spool->db) == 1;
    return rg_ok();
}

static rg_outcome proof_read(struct rg_query *use, struct rg_proof_row *out, struct rg_reason *why)
{
    struct rg_bytes inclusion = rg_query_column(use, 2);
    struct rg_bytes entry = rg_query_column(use, 3);
    RG_CHECK(inclusion.len <= sizeof(out->inclusion.hash) &&
                 inclusion.len % sizeof(struct rg_hash) == 0 && entry.len <= sizeof(out->log_entry),
             why, RG_BROKEN, "spool-corrupt", "the casebook file is damaged; restore a backup");
    *out = (struct rg_proof_row){
        .kind = (enum rg_entry_kind)sqlite3_column_int(use->stmt, 0),
        .leaf_index = (uint64_t)sqlite3_column_int64(use->stmt, 1),
        .time_ms = sqlite3_column_int64(use->stmt, 4),
        .log_entry_len = entry.len,
    };
    out->inclusion.count = inclusion.len / sizeof(struct rg_hash);
    if (inclusion.len > 0) {
        memcpy(out->inclusion.hash, inclusion.data, inclusion.len);
    }
    if (entry.len > 0) {
        memcpy(out->log_entry, entry.data, entry.len);
    }
    return head_read(use, 5, &out->head, why);
}

rg_outcome rg_spool_proofs(struct rg_spool *spool, int64_t seq, struct rg_proof_row *out,
                           size_t max, size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, PROOFS, &use, why));
    rg_query_number(&use, 1, seq);
    size_t count = 0;
    bool row = false;
    for (;;) {
        RG_TRY(rg_query_row(&use, &row, why));
        if (!row || count == max) {
            break;
        }
        RG_TRY(proof_read(&use, &out[count], why));
        count++;
    }
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_spool_journal_add(struct rg_spool *spool, struct rg_id id, int64_t position,
                                const char *device, int64_t at_ms, bool entered,
                                struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, JOURNAL_ADD, &use, why));
    rg_query_bytes(&use, 1, id.b, sizeof(id.b));
    rg_query_number(&use, 2, position);
    rg_query_text(&use, 3, device);
    rg_query_number(&use, 4, at_ms);
    rg_query_number(&use, 5, entered);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_journal(struct rg_spool *spool, int64_t after, struct rg_journal_row *out,
                            size_t max, size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, JOURNAL, &use, why));
    rg_query_number(&use, 1, after);
    rg_query_number(&use, 2, (int64_t)max);
    size_t count = 0;
    bool row = false;
    for (;;) {
        RG_TRY(rg_query_row(&use, &row, why));
        if (!row || count == max) {
            break;
        }
        struct rg_journal_row *line = &out[count];
        line->row = sqlite3_column_int64(use.stmt, 0);
        RG_TRY(rg_query_fixed(&use, 1, line->id.b, sizeof(line->id.b), why));
        line->position = sqlite3_column_int64(use.stmt, 2);
        line->at_ms = sqlite3_column_int64(use.stmt, 3);
        line->entered = sqlite3_column_int(use.stmt, 4) != 0;
        rg_query_column_text(&use, 5, line->device, sizeof(line->device));
        count++;
    }
    *count_out = count;
    return rg_ok();
}

/* ---- sealed items ---- */

rg_outcome rg_spool_item_put(struct rg_spool *spool, struct rg_item *item, struct rg_bytes sealed,
                             struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, item->row == 0 ? ITEM_ADD : ITEM_SET, &use, why));
    if (item->row == 0) {
        rg_query_number(&use, 2, item->kind);
        rg_query_number(&use, 3, item->owner);
        rg_query_number(&use, 4, item->at);
    }
    if (item->row != 0) {
        rg_query_number(&use, 1, item->row);
    }
    rg_query_bytes(&use, 5, sealed.data, sealed.len);
    RG_TRY(rg_query_done(&use, why));
    RG_CHECK(sqlite3_changes(spool->db) == 1, why, RG_BROKEN, "spool-corrupt",
             "an item of the casebook has vanished");
    if (item->row == 0) {
        item->row = sqlite3_last_insert_rowid(spool->db);
    }
    return rg_spool_item_rewrap(spool, item, why);
}

static rg_outcome item_read(struct rg_query *use, struct rg_item *out, struct rg_buffer *sealed_out,
                            bool *found_out, struct rg_reason *why)
{
    bool row = false;
    RG_TRY(rg_query_row(use, &row, why));
    *found_out = row;
    if (!row) {
        return rg_ok();
    }
    struct rg_item item = {
        .row = sqlite3_column_int64(use->stmt, 0),
        .kind = (enum rg_item_kind)sqlite3_column_int(use->stmt, 1),
        .owner = sqlite3_column_int64(use->stmt, 2),
        .at = sqlite3_column_int64(use->stmt, 3),
        .destroyed = sqlite3_column_type(use->stmt, 5) == SQLITE_NULL,
    };
    if (!item.destroyed) {
        RG_TRY(rg_query_fixed(use, 5, item.wrapped, sizeof(item.wrapped), why));
        RG_TRY(rg_buffer_append(sealed_out, rg_query_column(use, 4), why));
    }
    *out = item;
    return rg_ok();
}

rg_outcome rg_spool_item_get(struct rg_spool *spool, int64_t row, struct rg_item *out,
                             struct rg_buffer *sealed_out, bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_GET, &use, why));
    rg_query_number(&use, 1, row);
    return item_read(&use, out, sealed_out, found_out, why);
}

/* NOLINTNEXTLINE(readability-function-size): a place, three outputs and why */
rg_outcome rg_spool_item_find(struct rg_spool *spool, enum rg_item_kind kind, int64_t owner,
                              int64_t at, struct rg_item *out, struct rg_buffer *sealed_out,
                              bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_FIND, &use, why));
    rg_query_number(&use, 1, kind);
    rg_query_number(&use, 2, owner);
    rg_query_number(&use, 3, at);
    return item_read(&use, out, sealed_out, found_out, why);
}

rg_outcome rg_spool_item_next(struct rg_spool *spool, enum rg_item_kind kind, int64_t after,
                              struct rg_item *out, struct rg_buffer *sealed_out, bool *found_out,
                              struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_NEXT, &use, why));
    rg_query_number(&use, 1, kind);
    rg_query_number(&use, 2, after);
    return item_read(&use, out, sealed_out, found_out, why);
}

rg_outcome rg_spool_item_destroy(struct rg_spool *spool, int64_t row, struct rg_reason *why)
{
    QUERY key = {0};
    RG_TRY(rg_query_begin(spool, ITEM_KEY_DELETE, &key, why));
    rg_query_number(&key, 1, row);
    RG_TRY(rg_query_done(&key, why));
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_SET, &use, why));
    rg_query_number(&use, 1, row);
    rg_query_bytes(&use, 5, NULL, 0);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_label_set(struct rg_spool *spool, struct rg_hash label, int64_t row,
                              struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, LABEL_SET, &use, why));
    rg_query_bytes(&use, 1, label.b, sizeof(label.b));
    rg_query_number(&use, 2, row);
    return rg_query_done(&use, why);
}

rg_outcome rg_spool_label_get(struct rg_spool *spool, struct rg_hash label, int64_t *row_out,
                              bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, LABEL_GET, &use, why));
    rg_query_bytes(&use, 1, label.b, sizeof(label.b));
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    if (row) {
        *row_out = sqlite3_column_int64(use.stmt, 0);
    }
    *found_out = row;
    return rg_ok();
}
