/* How it works: the sealed bytes of a message stand in `body`, and its header, which proofs and
 * evidence are about, is inside them. When they go, the header moves to a table of its own in the
 * same step, so that a message always has one of the two. Wrapping keys anew walks the rows of keys
 * in order; the sealed items are not touched. */
#include "client/spool_inside.h"

/* ---- sealed bytes of messages ---- */

static rg_outcome blob_get(struct rg_spool *spool, enum rg_statement which, int64_t seq,
                           struct rg_buffer *out, bool *found_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, which, &use, why));
    rg_query_number(&use, 1, seq);
    bool row = false;
    RG_TRY(rg_query_row(&use, &row, why));
    if (row) {
        RG_TRY(rg_buffer_append(out, rg_query_column(&use, 0), why));
    }
    *found_out = row;
    return rg_ok();
}

/* The header within the sealed message. */
static rg_outcome header_of(struct rg_bytes body, struct rg_bytes *out, struct rg_reason *why)
{
    struct rg_envelope envelope;
    RG_TRY(rg_envelope_peek(body, &envelope, why));
    *out = envelope.header;
    return rg_ok();
}

rg_outcome rg_spool_header(struct rg_spool *spool, int64_t seq, struct rg_buffer *out,
                           struct rg_reason *why)
{
    RG_OWNED_BUFFER body = {0};
    struct rg_bytes header;
    bool found = false;
    RG_TRY(blob_get(spool, HEADER_GET, seq, out, &found, why));
    if (found) {
        return rg_ok();
    }
    RG_TRY(blob_get(spool, BODY_GET, seq, &body, &found, why));
    RG_CHECK(found, why, RG_DENIED, "message-gone", "the message is no longer kept");
    RG_TRY(header_of(rg_buffer_peek(&body), &header, why));
    return rg_buffer_append(out, header, why);
}

rg_outcome rg_spool_body_strip(struct rg_spool *spool, int64_t seq, bool *done_out,
                               struct rg_reason *why)
{
    RG_OWNED_BUFFER body = {0};
    struct rg_bytes header;
    bool found = false;
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(spool, &step, why));
    RG_TRY(blob_get(spool, BODY_GET, seq, &body, &found, why));
    *done_out = found;
    if (!found) {
        return rg_ok();
    }
    /* What does not read any more is no reason to keep it. */
    if (!rg_is_ok(header_of(rg_buffer_peek(&body), &header, NULL))) {
        header = rg_bytes_of(NULL, 0);
    }
    QUERY add = {0};
    RG_TRY(rg_query_begin(spool, HEADER_ADD, &add, why));
    rg_query_number(&add, 1, seq);
    rg_query_bytes(&add, 2, header.data, header.len);
    RG_TRY(rg_query_done(&add, why));
    QUERY drop = {0};
    RG_TRY(rg_query_begin(spool, BODY_DELETE, &drop, why));
    rg_query_number(&drop, 1, seq);
    RG_TRY(rg_query_done(&drop, why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_spool_bodies(struct rg_spool *spool, int64_t after, struct rg_message_row *out,
                           size_t max, size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, BODIES, &use, why));
    rg_query_number(&use, 1, after);
    rg_query_number(&use, 2, (int64_t)max);
    return rg_spool_messages_read(&use, out, max, count_out, why);
}

/* ---- keys of items ---- */

rg_outcome rg_spool_item_keys(struct rg_spool *spool, int64_t after, struct rg_item *out,
                              size_t max, size_t *count_out, struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_KEYS, &use, why));
    rg_query_number(&use, 1, after);
    rg_query_number(&use, 2, (int64_t)max);
    size_t count = 0;
    bool row = false;
    for (;;) {
        RG_TRY(rg_query_row(&use, &row, why));
        if (!row || count == max) {
            break;
        }
        out[count] = (struct rg_item){
            .row = sqlite3_column_int64(use.stmt, 0),
            .kind = (enum rg_item_kind)sqlite3_column_int(use.stmt, 1),
            .owner = sqlite3_column_int64(use.stmt, 2),
            .at = sqlite3_column_int64(use.stmt, 3),
        };
        RG_TRY(rg_query_fixed(&use, 4, out[count].wrapped, sizeof(out[count].wrapped), why));
        count++;
    }
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_spool_item_rewrap(struct rg_spool *spool, const struct rg_item *item,
                                struct rg_reason *why)
{
    QUERY use = {0};
    RG_TRY(rg_query_begin(spool, ITEM_KEY_SET, &use, why));
    rg_query_number(&use, 1, item->row);
    rg_query_bytes(&use, 2, item->wrapped, sizeof(item->wrapped));
    return rg_query_done(&use, why);
}
