/*
 * How it works: a tree is a row of full tiles of 256 leaves and one open tile. Each tile in memory
 * is a pyramid of 511 nodes; above the tiles, `level[h]` holds the roots of full subtrees of
 * 2^h tiles. Every proof is a list of ranges, every range a few full subtrees, and every full
 * subtree is one look-up.
 *
 * Invariants: level[h].count == (size / 256) >> h; the open tile holds size % 256 leaves and the
 * roots of all full subtrees among them; a tile that comes from outside is used only when its root
 * is the root that was appended. So no answer can rest on rotten rows.
 */
#include "core/tlog.h"

#include "core/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TILE_HEIGHT 8
#define TILE_NODES (2 * RG_TILE_LEAVES - 1)
#define TILES_RECENT (RG_TREE_UNDO_LEAVES / RG_TILE_LEAVES)
#define TILES_CACHED 16
#define LEVELS (64 - TILE_HEIGHT)

_Static_assert(1 << TILE_HEIGHT == RG_TILE_LEAVES, "the height of a tile");

/* Hashing */

struct rg_hash rg_leaf_hash(struct rg_hash entry)
{
    const struct rg_bytes part[] = {{(const uint8_t *)"\0", 1}, {entry.b, sizeof(entry.b)}};
    return rg_sha256_parts(part, 2);
}

struct rg_hash rg_node_hash(struct rg_hash left, struct rg_hash right)
{
    uint8_t text[1 + 2 * sizeof(left.b)] = {1};
    memcpy(text + 1, left.b, sizeof(left.b));
    memcpy(text + 1 + sizeof(left.b), right.b, sizeof(right.b));
    return rg_sha256(rg_bytes_of(text, sizeof(text)));
}

static struct rg_hash empty_root(void)
{
    return rg_sha256(rg_bytes_of("", 0));
}

static bool hash_equal(const struct rg_hash *a, const struct rg_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Frontier */

void rg_frontier_append(struct rg_frontier *frontier, struct rg_hash leaf)
{
    RG_ASSERT(frontier->size < UINT64_MAX);
    unsigned height = 0;
    for (; (frontier->size >> height & 1) != 0; height++) {
        leaf = rg_node_hash(frontier->hash[height], leaf);
    }
    frontier->hash[height] = leaf;
    frontier->size++;
}

struct rg_hash rg_frontier_root(const struct rg_frontier *frontier)
{
    if (frontier->size == 0) {
        return empty_root();
    }
    unsigned height = (unsigned)__builtin_ctzll(frontier->size);
    struct rg_hash root = frontier->hash[height];
    for (height++; height < 64; height++) {
        if ((frontier->size >> height & 1) != 0) {
            root = rg_node_hash(frontier->hash[height], root);
        }
    }
    return root;
}

/* Tiles */

struct tile {
    uint64_t number;
    struct rg_hash node[TILE_NODES]; /* leaves, then 128 nodes, 64, ... 1 */
};

struct row {
    struct rg_hash *hash;
    uint64_t count, capacity;
};

struct rg_tree {
    rg_tile_load load;
    void *context;
    uint64_t size;
    struct row level[LEVELS];
    struct tile *open;
    struct tile *recent[TILES_RECENT]; /* closed since the start: may be opened again by an undo */
    struct tile *cached[TILES_CACHED]; /* loaded for older proofs */
};

static struct rg_hash *tile_node(struct tile *tile, unsigned height, uint64_t index)
{
    size_t nodes = (size_t)2 * RG_TILE_LEAVES;
    return &tile->node[nodes - (nodes >> height) + (size_t)index];
}

/* Put leaf `index`; close every subtree that it completes. */
static void tile_put(struct tile *tile, unsigned index, struct rg_hash leaf)
{
    *tile_node(tile, 0, index) = leaf;
    for (unsigned height = 0; height < TILE_HEIGHT && (index & 1) != 0; height++) {
        index >>= 1;
        *tile_node(tile, height + 1, index) = rg_node_hash(*tile_node(tile, height, 2 * index),
                                                           *tile_node(tile, height, 2 * index + 1));
    }
}

/* Appending cannot fail: without memory the process ends, and starts again from its rows. */
static void *enough(void *memory)
{
    RG_ASSERT(memory != NULL);
    return memory;
}

static struct tile *tile_new(uint64_t number)
{
    struct tile *tile = enough(calloc(1, sizeof(*tile)));
    tile->number = number;
    return tile;
}

static void row_push(struct row *row, struct rg_hash hash)
{
    if (row->count == row->capacity) {
        row->capacity = row->capacity == 0 ? 64 : 2 * row->capacity;
        row->hash = enough(reallocarray(row->hash, (size_t)row->capacity, sizeof(*row->hash)));
    }
    row->hash[row->count++] = hash;
}

static void push_tile_root(struct rg_tree *tree, struct rg_hash root)
{
    row_push(&tree->level[0], root);
    for (unsigned h = 0; h + 1 < LEVELS && tree->level[h].count % 2 == 0; h++) {
        const struct rg_hash *pair = &tree->level[h].hash[tree->level[h].count - 2];
        row_push(&tree->level[h + 1], rg_node_hash(pair[0], pair[1]));
    }
}

static void put_tile(struct tile **slot, struct tile *tile)
{
    free(*slot);
    *slot = tile;
}

/* Tree */

struct rg_tree *rg_tree_new(rg_tile_load load, void *context)
{
    struct rg_tree *tree = enough(calloc(1, sizeof(*tree)));
    tree->load = load;
    tree->context = context;
    tree->open = tile_new(0);
    return tree;
}

void rg_tree_free(struct rg_tree *tree)
{
    if (tree == NULL) {
        return;
    }
    for (size_t i = 0; i < LEVELS; i++) {
        free(tree->level[i].hash);
    }
    for (size_t i = 0; i < TILES_RECENT; i++) {
        free(tree->recent[i]);
    }
    for (size_t i = 0; i < TILES_CACHED; i++) {
        free(tree->cached[i]);
    }
    free(tree->open);
    free(tree);
}

uint64_t rg_tree_size(const struct rg_tree *tree)
{
    return tree->size;
}

void rg_tree_append(struct rg_tree *tree, struct rg_hash leaf)
{
    tile_put(tree->open, (unsigned)(tree->size % RG_TILE_LEAVES), leaf);
    tree->size++;
    if (tree->size % RG_TILE_LEAVES != 0) {
        return;
    }
    push_tile_root(tree, *tile_node(tree->open, TILE_HEIGHT, 0));
    put_tile(&tree->recent[tree->open->number % TILES_RECENT], tree->open);
    tree->open = tile_new(tree->size / RG_TILE_LEAVES);
}

void rg_tree_append_tile(struct rg_tree *tree, struct rg_hash tile_root)
{
    RG_ASSERT(tree->size % RG_TILE_LEAVES == 0);
    push_tile_root(tree, tile_root);
    tree->size += RG_TILE_LEAVES;
    tree->open->number = tree->size / RG_TILE_LEAVES;
}

struct rg_hash rg_tree_tile_root(const struct rg_tree *tree, uint64_t tile)
{
    RG_ASSERT(tile < tree->level[0].count);
    return tree->level[0].hash[tile];
}

static void forget_from(struct tile **slot, size_t count, uint64_t tile)
{
    for (size_t i = 0; i < count; i++) {
        if (slot[i] != NULL && slot[i]->number >= tile) {
            put_tile(&slot[i], NULL);
        }
    }
}

/* The tile that becomes the open one again. At a tile's border nothing of it is needed. */
static struct tile *reopen(struct rg_tree *tree, uint64_t number, bool empty)
{
    struct tile **slot = &tree->recent[number % TILES_RECENT];
    if (empty) {
        return tile_new(number);
    }
    RG_ASSERT(*slot != NULL && (*slot)->number == number);
    struct tile *tile = *slot;
    *slot = NULL;
    return tile;
}

void rg_tree_truncate(struct rg_tree *tree, uint64_t size)
{
    RG_ASSERT(size <= tree->size);
    uint64_t tile = size / RG_TILE_LEAVES;
    if (tile < tree->open->number) {
        put_tile(&tree->open, reopen(tree, tile, size % RG_TILE_LEAVES == 0));
        forget_from(tree->recent, TILES_RECENT, tile);
        forget_from(tree->cached, TILES_CACHED, tile);
    }
    for (unsigned h = 0; h < LEVELS; h++) {
        tree->level[h].count = tile >> h;
    }
    tree->size = size;
}

static rg_outcome load_tile(struct rg_tree *tree, uint64_t number, struct tile **out,
                            struct rg_reason *why)
{
    struct rg_hash leaf[RG_TILE_LEAVES];
    RG_CHECK(tree->load != NULL, why, RG_IO, "tile-unreadable", "no store to load a tile from");
    RG_TRY(tree->load(tree->context, number, leaf, why));
    struct tile *tile = tile_new(number);
    for (unsigned i = 0; i < RG_TILE_LEAVES; i++) {
        tile_put(tile, i, leaf[i]);
    }
    if (!hash_equal(tile_node(tile, TILE_HEIGHT, 0), &tree->level[0].hash[number])) {
        free(tile);
        return rg_fail(why, RG_BROKEN, "tile-mismatch",
                       "the stored leaves of tile %" PRIu64 " are not those that were logged",
                       number);
    }
    put_tile(&tree->cached[number % TILES_CACHED], tile);
    *out = tile;
    return rg_ok();
}

static rg_outcome find_tile(struct rg_tree *tree, uint64_t number, struct tile **out,
                            struct rg_reason *why)
{
    struct tile *const candidate[] = {tree->open, tree->recent[number % TILES_RECENT],
                                      tree->cached[number % TILES_CACHED]};
    for (size_t i = 0; i < sizeof(candidate) / sizeof(candidate[0]); i++) {
        if (candidate[i] != NULL && candidate[i]->number == number) {
            *out = candidate[i];
            return rg_ok();
        }
    }
    return load_tile(tree, number, out, why);
}

/* Root of the full subtree of 2^height leaves, the index-th of its height. */
static rg_outcome subtree(struct rg_tree *tree, unsigned height, uint64_t index,
                          struct rg_hash *out, struct rg_reason *why)
{
    if (height >= TILE_HEIGHT) {
        const struct row *row = &tree->level[height - TILE_HEIGHT];
        RG_ASSERT(index < row->count);
        *out = row->hash[index];
        return rg_ok();
    }
    struct tile *tile = NULL;
    unsigned per_tile = TILE_HEIGHT - height;
    RG_TRY(find_tile(tree, index >> per_tile, &tile, why));
    RG_ASSERT(tile != NULL);
    *out = *tile_node(tile, height, index & ((UINT64_C(1) << per_tile) - 1));
    return rg_ok();
}

struct range { /* leaves begin .. end - 1; begin is a multiple of the largest power of two inside */
    uint64_t begin, end;
};

static unsigned log2_floor(uint64_t number)
{
    return 63 - (unsigned)__builtin_clzll(number);
}

/* Merkle tree hash of a range: full subtrees from the left, folded from the right. */
static rg_outcome range_root(struct rg_tree *tree, struct range range, struct rg_hash *out,
                             struct rg_reason *why)
{
    struct rg_hash part[64] = {{{0}}};
    size_t count = 0;
    while (range.begin < range.end) {
        unsigned height = log2_floor(range.end - range.begin);
        RG_TRY(subtree(tree, height, range.begin >> height, &part[count++], why));
        range.begin += UINT64_C(1) << height;
    }
    RG_ASSERT(count > 0);
    struct rg_hash root = part[--count];
    while (count > 0) {
        root = rg_node_hash(part[--count], root);
    }
    *out = root;
    return rg_ok();
}

rg_outcome rg_tree_root(struct rg_tree *tree, uint64_t size, struct rg_hash *out,
                        struct rg_reason *why)
{
    RG_CHECK(size <= tree->size, why, RG_LIMIT, "tree-size", "the tree is not that large");
    if (size == 0) {
        *out = empty_root();
        return rg_ok();
    }
    return range_root(tree, (struct range){0, size}, out, why);
}

struct path { /* ranges from the root down */
    struct range range[RG_PROOF_HASHES_MAX];
    size_t count;
};

/* Go one step down: keep the half that holds leaf `at`, note the other. */
static void descend(struct range *range, uint64_t at, struct path *path)
{
    uint64_t middle = range->begin + (UINT64_C(1) << log2_floor(range->end - range->begin - 1));
    RG_ASSERT(path->count < RG_PROOF_HASHES_MAX);
    if (at < middle) {
        path->range[path->count++] = (struct range){middle, range->end};
        range->end = middle;
        return;
    }
    path->range[path->count++] = (struct range){range->begin, middle};
    range->begin = middle;
}

/* Proofs are written from the leaf up. */
static rg_outcome path_proof(struct rg_tree *tree, const struct path *path, struct rg_proof *out,
                             struct rg_reason *why)
{
    struct rg_proof proof = {.count = path->count};
    for (size_t i = 0; i < path->count; i++) {
        RG_TRY(range_root(tree, path->range[path->count - 1 - i], &proof.hash[i], why));
    }
    *out = proof;
    return rg_ok();
}

rg_outcome rg_tree_inclusion(struct rg_tree *tree, uint64_t index, uint64_t size,
                             struct rg_proof *out, struct rg_reason *why)
{
    RG_CHECK(index < size && size <= tree->size, why, RG_LIMIT, "tree-size",
             "the tree is not that large");
    struct range range = {0, size};
    struct path path = {0};
    while (range.end - range.begin > 1) {
        descend(&range, index, &path);
    }
    return path_proof(tree, &path, out, why);
}

rg_outcome rg_tree_consistency(struct rg_tree *tree, uint64_t from, uint64_t to,
                               struct rg_proof *out, struct rg_reason *why)
{
    RG_CHECK(from <= to && to <= tree->size, why, RG_LIMIT, "tree-size",
             "the tree is not that large");
    struct range range = {0, to};
    struct path path = {0};
    while (from > 0 && range.end != from) {
        descend(&range, from - 1, &path);
    }
    /* The old root itself is known to the reader: it starts the proof only when it is a part. */
    if (range.begin > 0) {
        RG_ASSERT(path.count < RG_PROOF_HASHES_MAX);
        path.range[path.count++] = range;
    }
    return path_proof(tree, &path, out, why);
}

/* Proofs */

static rg_outcome proof_size_check(const struct rg_proof *proof, struct rg_reason *why)
{
    RG_CHECK(proof->count <= RG_PROOF_HASHES_MAX, why, RG_LIMIT, "proof-size",
             "a proof has at most %d hashes", RG_PROOF_HASHES_MAX);
    return rg_ok();
}

static rg_outcome inclusion_wrong(struct rg_reason *why)
{
    return rg_fail(why, RG_DENIED, "proof-inclusion",
                   "the proof does not show that the entry is in the log");
}

rg_outcome rg_proof_inclusion_check(struct rg_hash leaf, uint64_t index, uint64_t size,
                                    struct rg_hash root, const struct rg_proof *proof,
                                    struct rg_reason *why)
{
    RG_TRY(proof_size_check(proof, why));
    if (index >= size) {
        return inclusion_wrong(why);
    }
    uint64_t node = index, last = size - 1;
    struct rg_hash hash = leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (last == 0) {
            return inclusion_wrong(why);
        }
        if ((node & 1) == 0 && node != last) {
            hash = rg_node_hash(hash, proof->hash[i]);
        }
        if ((node & 1) != 0 || node == last) {
            hash = rg_node_hash(proof->hash[i], hash);
            /* A last node without a right brother rises until it has a left one. */
            for (; (node & 1) == 0 && node != 0; node >>= 1) {
                last >>= 1;
            }
        }
        node >>= 1;
        last >>= 1;
    }
    return last == 0 && hash_equal(&hash, &root) ? rg_ok() : inclusion_wrong(why);
}

struct growth { /* RFC 9162 section 2.1.4.2: fn, sn, fr, sr */
    uint64_t node, last;
    struct rg_hash old, new;
};

static bool growth_step(struct growth *growth, struct rg_hash hash)
{
    if (growth->last == 0) {
        return false;
    }
    if ((growth->node & 1) == 0 && growth->node != growth->last) {
        growth->new = rg_node_hash(growth->new, hash);
    }
    if ((growth->node & 1) != 0 || growth->node == growth->last) {
        growth->old = rg_node_hash(hash, growth->old);
        growth->new = rg_node_hash(hash, growth->new);
        for (; (growth->node & 1) == 0 && growth->node != 0; growth->node >>= 1) {
            growth->last >>= 1;
        }
    }
    growth->node >>= 1;
    growth->last >>= 1;
    return true;
}

static bool growth_holds(uint64_t from, struct rg_hash from_root, uint64_t to,
                         struct rg_hash to_root, const struct rg_proof *proof)
{
    bool whole = (from & (from - 1)) == 0; /* the old root is a subtree of the new tree */
    size_t next = whole ? 0 : 1;
    if (proof->count == 0) {
        return false;
    }
    struct rg_hash seed = whole ? from_root : proof->hash[0];
    struct growth growth = {.node = from - 1, .last = to - 1, .old = seed, .new = seed};
    while ((growth.node & 1) != 0) {
        growth.node >>= 1;
        growth.last >>= 1;
    }
    for (; next < proof->count; next++) {
        if (!growth_step(&growth, proof->hash[next])) {
            return false;
        }
    }
    return growth.last == 0 && hash_equal(&growth.old, &from_root) &&
           hash_equal(&growth.new, &to_root);
}

rg_outcome rg_proof_consistency_check(uint64_t from, struct rg_hash from_root, uint64_t to,
                                      struct rg_hash to_root, const struct rg_proof *proof,
                                      struct rg_reason *why)
{
    RG_TRY(proof_size_check(proof, why));
    bool holds = false;
    if (from > 0 && from == to) {
        holds = proof->count == 0 && hash_equal(&from_root, &to_root);
    }
    if (from > 0 && from < to) {
        holds = growth_holds(from, from_root, to, to_root, proof);
    }
    RG_CHECK(holds, why, RG_DENIED, "proof-consistency",
             "the new head does not extend the old one: keep both, they are evidence");
    return rg_ok();
}

rg_outcome rg_head_extends(const struct rg_head *old, const struct rg_head *new,
                           const struct rg_proof *proof, struct rg_reason *why)
{
    RG_CHECK(strcmp(old->origin, new->origin) == 0, why, RG_DENIED, "head-origin",
             "the two heads are of different logs or epochs");
    struct rg_hash nothing = empty_root();
    if (old->size == 0 && proof->count == 0 && hash_equal(&old->root, &nothing) &&
        (new->size > 0 || hash_equal(&new->root, &nothing))) {
        return rg_ok();
    }
    return rg_proof_consistency_check(old->size, old->root, new->size, new->root, proof, why);
}

/* Heads */

/* Printable ASCII without '+', so that it can be the name of a note's signature line. */
static bool origin_ok(const char *origin)
{
    size_t len = strnlen(origin, RG_ORIGIN_BYTES);
    if (len == 0 || len == RG_ORIGIN_BYTES) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (origin[i] <= ' ' || origin[i] > '~' || origin[i] == '+') {
            return false;
        }
    }
    return true;
}

static rg_outcome note_body(const struct rg_head *head, struct rg_buffer *out,
                            struct rg_reason *why)
{
    RG_CHECK(origin_ok(head->origin), why, RG_DENIED, "head-origin",
             "a log's origin is printable ASCII without blanks and '+'");
    RG_TRY(rg_buffer_print(out, why, "%s\n%" PRIu64 "\n", head->origin, head->size));
    RG_TRY(rg_base64(rg_bytes_of(head->root.b, sizeof(head->root.b)), out, why));
    return rg_buffer_append_text(out, "\n", why);
}

rg_outcome rg_head_digest(const struct rg_head *head, struct rg_hash *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER body = {0};
    RG_TRY(note_body(head, &body, why));
    *out = rg_sha256(rg_buffer_peek(&body));
    return rg_ok();
}

static void digest_context_cleanup(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void pkey_cleanup(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static rg_outcome log_key_check(const struct rg_key *key, struct rg_reason *why)
{
    RG_CHECK(EVP_PKEY_is_a(rg_key_pkey(key), "ED25519") == 1, why, RG_MALFORMED, "key-form",
             "a log key is an Ed25519 key");
    return rg_ok();
}

rg_outcome rg_head_sign(struct rg_head *head, const struct rg_key *key, struct rg_reason *why)
{
    RG_TRY(log_key_check(key, why));
    RG_OWNED_BUFFER body = {0};
    RG_TRY(note_body(head, &body, why));
    RG_CLEANUP(digest_context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[sizeof(head->signature)];
    size_t len = sizeof(signature);
    bool signed_ok = context != NULL &&
                     EVP_DigestSignInit(context, NULL, NULL, NULL, rg_key_pkey(key)) == 1 &&
                     EVP_DigestSign(context, signature, &len, body.data, body.len) == 1;
    ERR_clear_error();
    RG_CHECK(signed_ok && len == sizeof(signature), why, RG_IO, "head-sign",
             "cannot sign the head of the log");
    memcpy(head->signature, signature, sizeof(signature));
    return rg_ok();
}

rg_outcome rg_head_verify(const struct rg_head *head, const uint8_t public_key[32],
                          struct rg_reason *why)
{
    RG_OWNED_BUFFER body = {0};
    RG_TRY(note_body(head, &body, why));
    RG_CLEANUP(pkey_cleanup)
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, 32);
    RG_CLEANUP(digest_context_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = key != NULL && context != NULL &&
                EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(context, head->signature, sizeof(head->signature), body.data,
                                 body.len) == 1;
    ERR_clear_error();
    RG_CHECK(good, why, RG_DENIED, "head-signature",
             "the head of the log is not signed by this country's log key");
    return rg_ok();
}

rg_outcome rg_log_key_public(const struct rg_key *key, uint8_t out[32], struct rg_reason *why)
{
    RG_TRY(log_key_check(key, why));
    uint8_t raw[32];
    size_t len = sizeof(raw);
    RG_CHECK(EVP_PKEY_get_raw_public_key(rg_key_pkey(key), raw, &len) == 1 && len == sizeof(raw),
             why, RG_MALFORMED, "key-form", "cannot take the public half of the log key");
    memcpy(out, raw, sizeof(raw));
    return rg_ok();
}

/* origin == prefix "/" epoch, the epoch a decimal number from 1 without leading zeros. */
static bool origin_is_of(const char *origin, const char *prefix)
{
    size_t prefix_len = strlen(prefix);
    if (strncmp(origin, prefix, prefix_len) != 0 || origin[prefix_len] != '/') {
        return false;
    }
    const char *epoch = origin + prefix_len + 1;
    size_t digits = strspn(epoch, "0123456789");
    return digits > 0 && digits <= 9 && epoch[digits] == '\0' && epoch[0] != '0';
}

rg_outcome rg_receipts_check(const struct rg_receipts *receipts, const char *origin_prefix,
                             const uint8_t public_key[32], struct rg_reason *why)
{
    const struct rg_head *head = &receipts->head;
    RG_CHECK(origin_ok(head->origin) && origin_is_of(head->origin, origin_prefix), why, RG_DENIED,
             "head-origin", "the head is of another log than expected");
    RG_TRY(rg_head_verify(head, public_key, why));
    for (size_t i = 0; i < receipts->entry_count; i++) {
        const struct rg_proven_entry *entry = &receipts->entry[i];
        RG_TRY(rg_proof_inclusion_check(rg_leaf_hash(rg_sha256(entry->log_entry)),
                                        entry->leaf_index, head->size, head->root,
                                        &entry->inclusion, why));
    }
    return rg_ok();
}

rg_outcome rg_log_key_print(const uint8_t public_key[32], struct rg_buffer *out,
                            struct rg_reason *why)
{
    uint8_t der[12 + 32] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    memcpy(der + 12, public_key, 32);
    RG_TRY(rg_buffer_append_text(out, "-----BEGIN PUBLIC KEY-----\n", why));
    RG_TRY(rg_base64(rg_bytes_of(der, sizeof(der)), out, why));
    return rg_buffer_append_text(out, "\n-----END PUBLIC KEY-----\n", why);
}

rg_outcome rg_proof_print(uint64_t leaf_index, const struct rg_proof *proof, struct rg_buffer *out,
                          struct rg_reason *why)
{
    RG_TRY(proof_size_check(proof, why));
    RG_TRY(rg_buffer_print(out, why, "%" PRIu64 "\n", leaf_index));
    for (size_t i = 0; i < proof->count; i++) {
        RG_TRY(rg_base64(rg_bytes_of(proof->hash[i].b, sizeof(proof->hash[i].b)), out, why));
        RG_TRY(rg_buffer_append_text(out, "\n", why));
    }
    return rg_ok();
}

/* Checkpoints: C2SP signed notes */

#define NOTE_MARK "\xe2\x80\x94 " /* em dash, blank */
#define KEY_HASH_BYTES 4

rg_outcome rg_checkpoint_print(const struct rg_head *head, const uint8_t public_key[32],
                               struct rg_buffer *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER note = {0};
    RG_TRY(note_body(head, &note, why));
    const struct rg_bytes part[] = {
        rg_bytes_of_text(head->origin), RG_BYTES_LITERAL("\n\x01"), {public_key, 32}};
    struct rg_hash key_hash = rg_sha256_parts(part, 3);
    uint8_t signature[KEY_HASH_BYTES + sizeof(head->signature)];
    memcpy(signature, key_hash.b, KEY_HASH_BYTES);
    memcpy(signature + KEY_HASH_BYTES, head->signature, sizeof(head->signature));
    RG_TRY(rg_buffer_print(&note, why, "\n" NOTE_MARK "%s ", head->origin));
    RG_TRY(rg_base64(rg_bytes_of(signature, sizeof(signature)), &note, why));
    RG_TRY(rg_buffer_append_text(&note, "\n", why));
    return rg_buffer_append(out, rg_buffer_peek(&note), why);
}

static rg_outcome form_wrong(struct rg_reason *why, const char *what)
{
    return rg_fail(why, RG_MALFORMED, "checkpoint-form", "not a checkpoint: %s", what);
}

/* The next line without its end; false when there is none. */
static bool take_line(struct rg_bytes *text, struct rg_bytes *line_out)
{
    const uint8_t *end = text->len == 0 ? NULL : memchr(text->data, '\n', text->len);
    if (end == NULL) {
        return false;
    }
    *line_out = rg_bytes_of(text->data, (size_t)(end - text->data));
    *text = rg_bytes_of(end + 1, text->len - line_out->len - 1);
    return true;
}

static bool parse_size(struct rg_bytes line, uint64_t *out)
{
    uint64_t size = 0;
    if (line.len == 0 || (line.data[0] == '0' && line.len > 1)) {
        return false;
    }
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] < '0' || line.data[i] > '9' || __builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, (uint64_t)(line.data[i] - '0'), &size)) {
            return false;
        }
    }
    *out = size;
    return true;
}

/* Exactly `len` bytes. */
static bool parse_base64(struct rg_bytes text, uint8_t *out, size_t len)
{
    RG_OWNED_BUFFER raw = {0};
    if (text.len != 4 * ((len + 2) / 3) || !rg_is_ok(rg_base64_parse(text, &raw, NULL)) ||
        raw.len != len) {
        return false;
    }
    memcpy(out, raw.data, len);
    return true;
}

static rg_outcome parse_body(struct rg_bytes *text, struct rg_head *head, struct rg_reason *why)
{
    struct rg_bytes line;
    if (!take_line(text, &line) || line.len >= sizeof(head->origin)) {
        return form_wrong(why, "no origin");
    }
    memcpy(head->origin, line.data, line.len);
    if (strlen(head->origin) != line.len || !origin_ok(head->origin)) {
        return form_wrong(why, "origin");
    }
    if (!take_line(text, &line) || !parse_size(line, &head->size)) {
        return form_wrong(why, "size");
    }
    if (!take_line(text, &line) || !parse_base64(line, head->root.b, sizeof(head->root.b))) {
        return form_wrong(why, "root");
    }
    if (!take_line(text, &line) || line.len != 0) {
        return form_wrong(why, "an empty line must follow the root");
    }
    return rg_ok();
}

/* Is this the log's own signature line? Others (cosignatures) are passed over. */
static bool parse_signature(struct rg_bytes line, struct rg_head *head)
{
    char start[sizeof(NOTE_MARK) + RG_ORIGIN_BYTES + 1];
    size_t mark_len = strlen(NOTE_MARK), origin_len = strlen(head->origin);
    memcpy(start, NOTE_MARK, mark_len);
    memcpy(start + mark_len, head->origin, origin_len);
    start[mark_len + origin_len] = ' ';
    size_t start_len = mark_len + origin_len + 1;
    if (line.len <= start_len || memcmp(line.data, start, start_len) != 0) {
        return false;
    }
    uint8_t signature[KEY_HASH_BYTES + sizeof(head->signature)];
    struct rg_bytes text = rg_bytes_of(line.data + start_len, line.len - start_len);
    if (!parse_base64(text, signature, sizeof(signature))) {
        return false;
    }
    memcpy(head->signature, signature + KEY_HASH_BYTES, sizeof(head->signature));
    return true;
}

rg_outcome rg_checkpoint_parse(struct rg_bytes text, struct rg_head *out, struct rg_reason *why)
{
    RG_CHECK(text.len <= RG_CHECKPOINT_BYTES_MAX, why, RG_LIMIT, "checkpoint-size",
             "a checkpoint has at most %d bytes", RG_CHECKPOINT_BYTES_MAX);
    struct rg_head head = {0};
    RG_TRY(parse_body(&text, &head, why));
    bool found = false;
    struct rg_bytes line;
    while (take_line(&text, &line)) {
        if (line.len < strlen(NOTE_MARK) || memcmp(line.data, NOTE_MARK, strlen(NOTE_MARK)) != 0) {
            return form_wrong(why, "signature line");
        }
        found = found || parse_signature(line, &head);
    }
    if (!found || text.len != 0) {
        return form_wrong(why, "no signature of the log");
    }
    *out = head;
    return rg_ok();
}
