/* How it works: one pass over the leaves in pieces of a tile. The pass builds the frontier of the
 * whole log and of each tile, so memory does not grow with the log. The root at the head's size is
 * taken when the pass reaches that size. */
#include "gateway/audit.h"

#include "core/digest.h"
#include "core/settings.h"
#include "gateway/ops.h"
#include "gateway/store_sqlite.h"

#include <inttypes.h>
#include <string.h>

#define ASK_MS 5000

static void store_cleanup(struct rg_store **store)
{
    if (*store != NULL) {
        (*store)->ops->close(*store);
    }
}
#define RG_OWNED_STORE RG_CLEANUP(store_cleanup) struct rg_store

static rg_outcome open_store(const struct rg_config *config, struct rg_store **out,
                             struct rg_reason *why)
{
    const struct rg_store_sqlite options = {.read_only = true};
    return rg_store_sqlite_open(rg_config_store_path(config).text, &options, out, why);
}

static void print_table_row(uint64_t index, const struct rg_log_entry *entry, FILE *out)
{
    char time[32];
    char id[65] = "-";
    rg_wall_print(entry->time, time);
    if (entry->has_envelope_id) {
        rg_hex(rg_bytes_of(entry->envelope_id.b, 32), id);
    }
    (void)fprintf(out, "%8" PRIu64 "  %s  %-17s  %-64s  %s%s%s\n", index, time,
                  rg_entry_kind_name(entry->kind), id, entry->peer, entry->code == 0 ? "" : " ",
                  entry->code == 0 ? "" : rg_refusal_row(entry->code)->name);
}

static void print_json_row(uint64_t index, const struct rg_log_entry *entry, FILE *out)
{
    char id[65] = "";
    char detail[65] = "";
    if (entry->has_envelope_id) {
        rg_hex(rg_bytes_of(entry->envelope_id.b, 32), id);
    }
    if (entry->has_detail) {
        rg_hex(rg_bytes_of(entry->detail.b, 32), detail);
    }
    /* kind, peer and code need no escaping: principals are [a-z0-9:/-] */
    (void)fprintf(out,
                  "{\"index\":%" PRIu64 ",\"kind\":\"%s\",\"time_ms\":%" PRId64
                  ",\"id\":\"%s\",\"peer\":\"%s\",\"code\":\"%s\",\"detail\":\"%s\"}\n",
                  index, rg_entry_kind_name(entry->kind), entry->time.ms, id, entry->peer,
                  entry->code == 0 ? "" : rg_refusal_row(entry->code)->name, detail);
}

static void print_destroyed(uint64_t index, enum rg_audit_form form, FILE *out)
{
    if (form == RG_AUDIT_JSON) {
        (void)fprintf(out, "{\"index\":%" PRIu64 ",\"kind\":\"\",\"destroyed\":true}\n", index);
        return;
    }
    (void)fprintf(out, "%8" PRIu64 "  (destroyed)\n", index);
}

rg_outcome rg_audit_print(const struct rg_config *config, enum rg_audit_form form, FILE *out,
                          struct rg_reason *why)
{
    RG_OWNED_STORE *store = NULL;
    RG_OWNED_BUFFER bytes = {0};
    uint64_t size = 0;
    RG_TRY(open_store(config, &store, why));
    RG_TRY(store->ops->log_size(store, &size, why));
    for (uint64_t index = 0; index < size; index++) {
        struct rg_log_entry entry;
        bool found = false;
        rg_buffer_clear(&bytes);
        RG_TRY(store->ops->leaf_entry(store, index, &bytes, &found, why));
        if (!found) {
            print_destroyed(index, form, out);
            continue;
        }
        RG_TRY(rg_log_entry_decode(rg_buffer_peek(&bytes), &entry, why));
        if (form == RG_AUDIT_JSON) {
            print_json_row(index, &entry, out);
            continue;
        }
        print_table_row(index, &entry, out);
    }
    return rg_ok();
}

struct forks {
    FILE *out;
    size_t count;
};

/* As PEM: `openssl cms -verify -inform PEM -content TEXT` reads it. */
static rg_outcome print_signature(struct rg_bytes der, FILE *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER base64 = {0};
    RG_TRY(rg_base64(der, &base64, why));
    (void)fputs("-----BEGIN CMS-----\n", out);
    for (size_t at = 0; at < base64.len; at += 64) {
        size_t len = base64.len - at < 64 ? base64.len - at : 64;
        (void)fprintf(out, "%.*s\n", (int)len, (const char *)base64.data + at);
    }
    (void)fputs("-----END CMS-----\n", out);
    return rg_ok();
}

static rg_outcome print_document(struct rg_bytes bytes, FILE *out, struct rg_reason *why)
{
    struct rg_frame frame = {0};
    RG_TRY(rg_frame_decode(bytes, &frame, why));
    rg_outcome outcome = rg_ok();
    if (frame.kind == RG_FRAME_DOCUMENT) {
        (void)fprintf(out, "text of %zu bytes, then who signed it\n", frame.document.text.len);
        (void)fwrite(frame.document.text.data, 1, frame.document.text.len, out);
        for (size_t i = 0; rg_is_ok(outcome) && i < frame.document.signature_count; i++) {
            outcome = print_signature(frame.document.signature[i], out, why);
        }
    }
    rg_frame_drop(&frame);
    return outcome;
}

static rg_outcome print_half(const struct rg_fork *fork, struct rg_bytes half, FILE *out,
                             struct rg_reason *why)
{
    if (fork->kind == RG_FORK_DOCUMENT) {
        return print_document(half, out, why);
    }
    (void)fwrite(half.data, 1, half.len, out);
    return rg_ok();
}

static rg_outcome print_fork(void *context, const struct rg_fork *fork, struct rg_reason *why)
{
    struct forks *forks = context;
    char time[32];
    rg_wall_print(fork->found, time);
    (void)fprintf(forks->out, "==== %s, found %s: held\n", fork->subject, time);
    RG_TRY(print_half(fork, fork->first, forks->out, why));
    (void)fprintf(forks->out, "==== %s: shown\n", fork->subject);
    RG_TRY(print_half(fork, fork->second, forks->out, why));
    forks->count++;
    return rg_ok();
}

rg_outcome rg_audit_forks(const struct rg_config *config, FILE *out, size_t *count_out,
                          struct rg_reason *why)
{
    RG_OWNED_STORE *store = NULL;
    struct forks forks = {.out = out};
    RG_TRY(open_store(config, &store, why));
    RG_TRY(store->ops->forks_each(store, print_fork, &forks, why));
    *count_out = forks.count;
    return rg_ok();
}

rg_outcome rg_audit_checkpoint(const struct rg_config *config, struct rg_buffer *out,
                               struct rg_reason *why)
{
    RG_CLEANUP(rg_ops_answer_drop) struct rg_ops_answer answer = {0};
    RG_TRY(rg_ops_ask(rg_config_status_path(config).text, ASK_MS, &answer, why));
    RG_CHECK(answer.part[RG_OPS_CHECKPOINT].len > 0, why, RG_IO, "gateway-away",
             "the gateway has not signed a head yet");
    return rg_buffer_append(out, rg_buffer_peek(&answer.part[RG_OPS_CHECKPOINT]), why);
}

/* The newest head, when a gateway runs; its signature is checked with the key in the config. */
static rg_outcome find_head(const struct rg_config *config, struct rg_audit_report *report,
                            struct rg_reason *why)
{
    RG_OWNED_BUFFER note = {0};
    RG_OWNED_KEY *key = NULL;
    uint8_t public_key[32];
    rg_outcome outcome = rg_audit_checkpoint(config, &note, why);
    if (outcome.code == RG_IO) {
        return rg_ok();
    }
    RG_TRY(outcome);
    RG_TRY(rg_checkpoint_parse(rg_buffer_peek(&note), &report->head, why));
    RG_TRY(rg_key_read(config->log_key, &key, why));
    RG_TRY(rg_log_key_public(key, public_key, why));
    RG_TRY(rg_head_verify(&report->head, public_key, why));
    report->has_head = true;
    return rg_ok();
}

static rg_outcome check_entry(struct rg_store *store, uint64_t index, const struct rg_hash *hash,
                              struct rg_buffer *bytes, struct rg_audit_report *report,
                              struct rg_reason *why)
{
    bool found = false;
    rg_buffer_clear(bytes);
    RG_TRY(store->ops->leaf_entry(store, index, bytes, &found, why));
    if (!found) {
        report->destroyed++;
        return rg_ok();
    }
    struct rg_hash again = rg_sha256(rg_buffer_peek(bytes));
    RG_CHECK(memcmp(&again, hash, sizeof(again)) == 0, why, RG_DENIED, "audit-entry",
             "entry %" PRIu64 " is not what its hash says", index);
    return rg_ok();
}

static rg_outcome check_tile(struct rg_store *store, uint64_t tile, const struct rg_hash *leaf,
                             struct rg_audit_report *report, struct rg_reason *why)
{
    struct rg_frontier frontier = {0};
    struct rg_hash stored;
    size_t n = 0;
    for (size_t i = 0; i < RG_TILE_LEAVES; i++) {
        rg_frontier_append(&frontier, rg_leaf_hash(leaf[i]));
    }
    struct rg_hash root = rg_frontier_root(&frontier);
    RG_TRY(store->ops->tiles(store, tile, 1, &stored, &n, why));
    RG_CHECK(n == 1 && memcmp(&stored, &root, sizeof(root)) == 0, why, RG_DENIED, "audit-tile",
             "the root stored for entries from %" PRIu64 " is wrong", tile * RG_TILE_LEAVES);
    report->tiles++;
    return rg_ok();
}

/* At the head's size the tree must have the head's root. */
static rg_outcome check_head(const struct rg_frontier *frontier,
                             const struct rg_audit_report *report, struct rg_reason *why)
{
    if (!report->has_head || frontier->size != report->head.size) {
        return rg_ok();
    }
    struct rg_hash root = rg_frontier_root(frontier);
    RG_CHECK(memcmp(&root, &report->head.root, sizeof(root)) == 0, why, RG_DENIED, "audit-head",
             "the signed head of size %" PRIu64 " is not of this log", report->head.size);
    return rg_ok();
}

static rg_outcome walk(struct rg_store *store, struct rg_audit_report *report,
                       struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_frontier frontier = {0};
    struct rg_hash leaf[RG_TILE_LEAVES];
    size_t n = 0;
    RG_TRY(check_head(&frontier, report, why));
    do {
        RG_TRY(store->ops->leaves(store, frontier.size, RG_TILE_LEAVES, leaf, &n, why));
        for (size_t i = 0; i < n; i++) {
            RG_TRY(check_entry(store, frontier.size, &leaf[i], &bytes, report, why));
            rg_frontier_append(&frontier, rg_leaf_hash(leaf[i]));
            RG_TRY(check_head(&frontier, report, why));
        }
        if (n == RG_TILE_LEAVES) {
            RG_TRY(check_tile(store, frontier.size / RG_TILE_LEAVES - 1, leaf, report, why));
        }
    } while (n == RG_TILE_LEAVES);
    report->size = frontier.size;
    report->root = rg_frontier_root(&frontier);
    return rg_ok();
}

rg_outcome rg_audit_verify(const struct rg_config *config, struct rg_audit_report *out,
                           struct rg_reason *why)
{
    RG_OWNED_STORE *store = NULL;
    struct rg_audit_report report = {0};
    RG_TRY(find_head(config, &report, why)); /* first: the log only grows after it */
    RG_TRY(open_store(config, &store, why));
    RG_TRY(walk(store, &report, why));
    RG_CHECK(!report.has_head || report.head.size <= report.size, why, RG_DENIED, "audit-head",
             "the signed head has %" PRIu64 " entries, the store only %" PRIu64, report.head.size,
             report.size);
    *out = report;
    return rg_ok();
}
