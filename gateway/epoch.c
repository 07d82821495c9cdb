/* How it works: one pass over the leaves gives the frontier of the whole log, of the open tile, and
 * of the log without its last entry. The last is what tells a mark that is already there: it names
 * the head from before itself. The entry and, when it closes a tile, that tile's root are one batch
 * of the store. */
#include "gateway/epoch.h"

#include "core/digest.h"
#include "gateway/notary.h"
#include "gateway/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN_HEADS_MAX 1024

static void store_cleanup(struct rg_store **store)
{
    if (*store != NULL) {
        (*store)->ops->close(*store);
    }
}
#define RG_OWNED_STORE RG_CLEANUP(store_cleanup) struct rg_store

struct walk {
    struct rg_frontier log, before, tile; /* before: without the last entry */
};

static rg_outcome walk_leaves(struct rg_store *store, struct walk *walk, struct rg_reason *why)
{
    struct rg_hash hash[RG_TILE_LEAVES];
    size_t n = 0;
    do {
        RG_TRY(store->ops->leaves(store, walk->log.size, RG_TILE_LEAVES, hash, &n, why));
        walk->tile = (struct rg_frontier){0};
        for (size_t i = 0; i < n; i++) {
            walk->before = walk->log;
            rg_frontier_append(&walk->log, rg_leaf_hash(hash[i]));
            rg_frontier_append(&walk->tile, rg_leaf_hash(hash[i]));
        }
    } while (n == RG_TILE_LEAVES);
    return rg_ok();
}

static struct rg_head head_of(const struct rg_epoch_mark *mark, const struct rg_frontier *frontier)
{
    struct rg_head head = {.size = frontier->size, .root = rg_frontier_root(frontier)};
    memcpy(head.origin, mark->origin, strnlen(mark->origin, sizeof(head.origin) - 1));
    return head;
}

/* What the old notary signed last. False: its state is lost. */
static rg_outcome notary_head(const struct rg_epoch_mark *mark, struct rg_head *head,
                              bool *found_out, struct rg_reason *why)
{
    struct rg_notary *notary = NULL;
    int fd = open(mark->state_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    *found_out = false;
    if (fd < 0 && errno == ENOENT) {
        return rg_ok();
    }
    RG_CHECK(fd >= 0, why, RG_IO, "notary-state-unreadable", "cannot open %s: %s", mark->state_path,
             strerror(errno));
    const struct rg_notary_options options = {.fd = fd, .origin = mark->origin, .key = mark->key};
    rg_outcome outcome = rg_notary_open(&options, &notary, why);
    if (rg_is_ok(outcome) && rg_notary_refusal(notary) == NULL) {
        head->size = rg_notary_size(notary);
        head->root = rg_notary_root(notary);
        *found_out = true;
    }
    rg_notary_free(notary);
    (void)close(fd);
    return outcome;
}

/* A head of ours that a partner has shown and that stopped the signing. */
static rg_outcome shown_head(struct rg_store *store, struct rg_head *head, struct rg_reason *why)
{
    size_t count = 0;
    struct rg_head *all = calloc(OWN_HEADS_MAX, sizeof(*all));
    RG_CHECK(all != NULL, why, RG_IO, "out-of-memory", "no memory for heads");
    rg_outcome outcome = store->ops->heads(store, all, OWN_HEADS_MAX, &count, why);
    for (size_t i = 0; rg_is_ok(outcome) && i < count; i++) {
        if (strcmp(all[i].origin, head->origin) == 0 && all[i].size > head->size) {
            *head = all[i];
        }
    }
    free(all);
    return outcome;
}

static rg_outcome last_digest(struct rg_store *store, const struct rg_epoch_mark *mark,
                              const struct rg_frontier *log, struct rg_hash *out,
                              struct rg_reason *why)
{
    bool found = false;
    struct rg_head head = head_of(mark, log);
    RG_TRY(notary_head(mark, &head, &found, why));
    RG_TRY(shown_head(store, &head, why));
    return rg_head_digest(&head, out, why);
}

/* Is the last entry this very mark? */
static rg_outcome is_marked(struct rg_store *store, const struct rg_epoch_mark *mark,
                            const struct walk *walk, bool *marked_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_log_entry entry;
    struct rg_hash digest;
    bool found = false;
    *marked_out = false;
    if (walk->log.size == 0) {
        return rg_ok();
    }
    RG_TRY(store->ops->leaf_entry(store, walk->log.size - 1, &bytes, &found, why));
    if (!found) {
        return rg_ok();
    }
    RG_TRY(rg_log_entry_decode(rg_buffer_peek(&bytes), &entry, why));
    RG_TRY(last_digest(store, mark, &walk->before, &digest, why));
    *marked_out =
        entry.kind == RG_ENTRY_EPOCH && memcmp(entry.detail.b, digest.b, sizeof(digest.b)) == 0;
    return rg_ok();
}

static rg_outcome append(struct rg_store *store, struct walk *walk, struct rg_bytes entry,
                         struct rg_reason *why)
{
    struct rg_hash hash = rg_sha256(entry);
    uint64_t index = walk->log.size;
    rg_frontier_append(&walk->tile, rg_leaf_hash(hash));
    RG_TRY(store->ops->begin(store, why));
    RG_TRY(store->ops->leaf_add(store, index, &hash, entry, why));
    if (walk->tile.size == RG_TILE_LEAVES) {
        struct rg_hash root = rg_frontier_root(&walk->tile);
        RG_TRY(store->ops->tile_add(store, index / RG_TILE_LEAVES, &root, why));
    }
    return store->ops->commit(store, why);
}

rg_outcome rg_epoch_mark(const struct rg_epoch_mark *mark, struct rg_reason *why)
{
    RG_OWNED_STORE *store = NULL;
    RG_OWNED_BUFFER bytes = {0};
    struct walk walk = {0};
    struct rg_log_entry entry = {.kind = RG_ENTRY_EPOCH, .time = mark->now, .has_detail = true};
    bool marked = false;
    RG_TRY(rg_store_sqlite_open(mark->store_path, &(struct rg_store_sqlite){0}, &store, why));
    RG_TRY(walk_leaves(store, &walk, why));
    RG_TRY(is_marked(store, mark, &walk, &marked, why));
    if (marked) {
        return rg_ok();
    }
    RG_TRY(last_digest(store, mark, &walk.log, &entry.detail, why));
    rg_random(entry.salt, sizeof(entry.salt));
    RG_TRY(rg_log_entry_encode(&entry, &bytes, why));
    return append(store, &walk, rg_buffer_peek(&bytes), why);
}
