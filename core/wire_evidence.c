/*
 * How it works: shapes of log entries, heads and receipts. A Receipts message checks each log entry
 * it carries as a message too, but hands it out as bytes, because the leaf is over those bytes.
 */
#include "core/syntax.h"
#include "core/wire_shapes.h"

#include "evidence.pb-c.h"

#include <string.h>

#define HEAD_BYTES_MAX 256
#define PROVEN_ENTRY_BYTES_MAX (RG_LOG_ENTRY_BYTES_MAX + RG_PROOF_HASHES_MAX * 34 + 32)

static const struct rg_slot log_entry_slot[] = {
    RG_SLOT_CONSTANT(1, 1),
    RG_SLOT_NUMBER(2, struct rg_log_entry, kind, RG_ENTRY_ACCEPTED, RG_ENTRY_EPOCH),
    {RG_PLACE(RG_FORM_FIXED, 3, struct rg_log_entry, envelope_id),
     RG_FLAG(struct rg_log_entry, has_envelope_id), .min = 32, .max = 32},
    RG_SLOT_NUMBER(4, struct rg_log_entry, time.ms, 0, RG_WALL_MS_MAX),
    RG_SLOT_TEXT(5, struct rg_log_entry, peer, 1, rg_syntax_principal),
    RG_SLOT_FIXED(6, struct rg_log_entry, salt),
    RG_SLOT_NUMBER(7, struct rg_log_entry, code, 1, RG_CODE_MAX),
    {RG_PLACE(RG_FORM_FIXED, 8, struct rg_log_entry, detail),
     RG_FLAG(struct rg_log_entry, has_detail), .min = 32, .max = 32},
};
const struct rg_shape rg_shape_log_entry =
    RG_SHAPE(referral__wire__log_entry__descriptor, log_entry_slot);

static const struct rg_slot head_slot[] = {
    RG_SLOT_TEXT(1, struct rg_head, origin, 1, rg_syntax_origin),
    RG_SLOT_NUMBER(2, struct rg_head, size, 0, INT64_MAX),
    RG_SLOT_FIXED(3, struct rg_head, root),
    RG_SLOT_FIXED(4, struct rg_head, signature),
};
const struct rg_shape rg_shape_head = RG_SHAPE(referral__wire__head__descriptor, head_slot);

static const struct rg_slot proven_entry_slot[] = {
    RG_SLOT_VIEW(1, struct rg_proven_entry, log_entry, 1, RG_LOG_ENTRY_BYTES_MAX,
                 &rg_shape_log_entry),
    RG_SLOT_NUMBER(2, struct rg_proven_entry, leaf_index, 0, INT64_MAX),
    {RG_PLACE(RG_FORM_FIXED, 3, struct rg_proven_entry, inclusion.hash[0]),
     RG_FLAG(struct rg_proven_entry, inclusion.count), .min = 32, .max = 32,
     .count_max = RG_PROOF_HASHES_MAX},
};
const struct rg_shape rg_shape_proven_entry =
    RG_SHAPE(referral__wire__proven_entry__descriptor, proven_entry_slot);

static const struct rg_slot receipts_slot[] = {
    RG_SLOT_MESSAGE(1, struct rg_receipts, head, HEAD_BYTES_MAX, &rg_shape_head),
    {RG_PLACE(RG_FORM_NUMBER, 2, struct rg_receipts, from_size),
     RG_FLAG(struct rg_receipts, has_from), .max = INT64_MAX},
    {RG_PLACE(RG_FORM_FIXED, 3, struct rg_receipts, consistency.hash[0]),
     RG_FLAG(struct rg_receipts, consistency.count), .min = 32, .max = 32,
     .count_max = RG_PROOF_HASHES_MAX},
    {.number = 4,
     .form = RG_FORM_MESSAGE,
     .offset = offsetof(struct rg_receipts, entry),
     .size = sizeof(struct rg_proven_entry),
     RG_FLAG(struct rg_receipts, entry_count),
     .max = PROVEN_ENTRY_BYTES_MAX,
     .count_max = RG_RECEIPT_ENTRIES_MAX,
     .in_memory = true,
     .shape = &rg_shape_proven_entry},
};
const struct rg_shape rg_shape_receipts =
    RG_SHAPE(referral__wire__receipts__descriptor, receipts_slot);

const char *rg_entry_kind_name(enum rg_entry_kind kind)
{
    static const char *const name[] = {
        [RG_ENTRY_ACCEPTED] = "accepted",   [RG_ENTRY_RECEIVED] = "received",
        [RG_ENTRY_REFUSED] = "refused",     [RG_ENTRY_RECEIPT_VERIFIED] = "receipt-verified",
        [RG_ENTRY_COLLECTED] = "collected", [RG_ENTRY_UNCONFIRMED] = "unconfirmed",
        [RG_ENTRY_CLOSED] = "closed",       [RG_ENTRY_ERASED] = "erased",
        [RG_ENTRY_PAGE] = "page",           [RG_ENTRY_PEER_HEAD] = "peer-head",
        [RG_ENTRY_EPOCH] = "epoch",
    };
    unsigned at = (unsigned)kind;
    return at < sizeof(name) / sizeof(name[0]) && name[at] != NULL ? name[at] : "unknown";
}

/* What an entry is about: a message up to ERASED, something named by `detail` after. */
static rg_outcome log_entry_check(const struct rg_log_entry *entry, struct rg_reason *why)
{
    bool about_message = entry->kind <= RG_ENTRY_ERASED;
    RG_CHECK(entry->has_envelope_id == about_message, why, RG_MALFORMED, "wire-log-entry",
             "a log entry of kind %s %s an envelope id", rg_entry_kind_name(entry->kind),
             about_message ? "needs" : "has not");
    RG_CHECK(about_message || entry->has_detail, why, RG_MALFORMED, "wire-log-entry",
             "a log entry of kind %s needs a detail", rg_entry_kind_name(entry->kind));
    RG_CHECK(entry->kind != RG_ENTRY_REFUSED || entry->code != 0, why, RG_MALFORMED,
             "wire-log-entry", "a refusal needs a code");
    return rg_ok();
}

rg_outcome rg_log_entry_encode(const struct rg_log_entry *entry, struct rg_buffer *out,
                               struct rg_reason *why)
{
    RG_TRY(log_entry_check(entry, why));
    return rg_codec_encode(&rg_shape_log_entry, entry, out, why);
}

rg_outcome rg_log_entry_decode(struct rg_bytes bytes, struct rg_log_entry *out,
                               struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_LOG_ENTRY_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a log entry has at most %d bytes", RG_LOG_ENTRY_BYTES_MAX);
    struct rg_log_entry entry;
    RG_TRY(rg_codec_decode(&rg_shape_log_entry, bytes, &entry, NULL, why));
    RG_TRY(log_entry_check(&entry, why));
    *out = entry;
    return rg_ok();
}

rg_outcome rg_receipts_encode(const struct rg_receipts *receipts, struct rg_buffer *out,
                              struct rg_reason *why)
{
    return rg_codec_encode(&rg_shape_receipts, receipts, out, why);
}

rg_outcome rg_receipts_decode(struct rg_bytes bytes, struct rg_receipts *out,
                              struct rg_buffer *memory_out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_FRAME_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "receipts have at most %d bytes", RG_FRAME_BYTES_MAX);
    struct rg_receipts receipts;
    RG_TRY(rg_codec_decode(&rg_shape_receipts, bytes, &receipts, memory_out, why));
    *out = receipts;
    return rg_ok();
}
