/*
 * tlog: the published vectors of RFC 9162 proofs, all small trees, tile borders, undo, heads and
 * checkpoints. The reference below is the recursive definition of RFC 9162 section 2.1, written
 * without a look at the code under test.
 */
#include "core/digest.h"
#include "core/tlog.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define SMALL 70
#define LARGE (65536 + 300)

static struct rg_hash leaf_of(uint64_t index)
{
    uint8_t text[8];
    memcpy(text, &index, sizeof(text));
    return rg_leaf_hash(rg_sha256(rg_bytes_of(text, sizeof(text))));
}

static uint64_t split_of(uint64_t count)
{
    uint64_t k = 1;
    while (2 * k < count) {
        k *= 2;
    }
    return k;
}

static struct rg_hash reference_root(const struct rg_hash *leaf, uint64_t count)
{
    if (count == 0) {
        return rg_sha256(rg_bytes_of("", 0));
    }
    if (count == 1) {
        return leaf[0];
    }
    uint64_t k = split_of(count);
    return rg_node_hash(reference_root(leaf, k), reference_root(leaf + k, count - k));
}

static void reference_path(const struct rg_hash *leaf, uint64_t count, uint64_t index,
                           struct rg_proof *out)
{
    if (count <= 1) {
        return;
    }
    uint64_t k = split_of(count);
    if (index < k) {
        reference_path(leaf, k, index, out);
        out->hash[out->count++] = reference_root(leaf + k, count - k);
        return;
    }
    reference_path(leaf + k, count - k, index - k, out);
    out->hash[out->count++] = reference_root(leaf, k);
}

static void reference_growth(const struct rg_hash *leaf, uint64_t from, uint64_t count, bool whole,
                             struct rg_proof *out)
{
    if (from == count) {
        if (!whole) {
            out->hash[out->count++] = reference_root(leaf, count);
        }
        return;
    }
    uint64_t k = split_of(count);
    if (from <= k) {
        reference_growth(leaf, from, k, whole, out);
        out->hash[out->count++] = reference_root(leaf + k, count - k);
        return;
    }
    reference_growth(leaf + k, from - k, count - k, false, out);
    out->hash[out->count++] = reference_root(leaf, k);
}

static bool same_hash(struct rg_hash a, struct rg_hash b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

static void assert_same_proof(const struct rg_proof *a, const struct rg_proof *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->hash, b->hash, a->count * sizeof(a->hash[0]));
}

/* What a store does: it has every leaf. */
struct leaves {
    struct rg_hash *hash;
    size_t loads;
    bool rotten, away;
};

static rg_outcome load(void *context, uint64_t tile, struct rg_hash leaf[RG_TILE_LEAVES],
                       struct rg_reason *why)
{
    struct leaves *leaves = context;
    RG_CHECK(!leaves->away, why, RG_IO, "store-away", "the store is away");
    leaves->loads++;
    memcpy(leaf, leaves->hash + tile * RG_TILE_LEAVES, RG_TILE_LEAVES * sizeof(leaf[0]));
    leaf[7].b[3] ^= leaves->rotten ? 1 : 0;
    return rg_ok();
}

static struct leaves leaves_new(size_t count)
{
    struct leaves leaves = {.hash = calloc(count, sizeof(struct rg_hash))};
    assert_non_null(leaves.hash);
    for (size_t i = 0; i < count; i++) {
        leaves.hash[i] = leaf_of(i);
    }
    return leaves;
}

static void assert_proofs(struct rg_tree *tree, uint64_t index, uint64_t size)
{
    struct rg_proof proof;
    struct rg_hash root, old;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_tree_root(tree, size, &root, &why)));
    assert_true(rg_is_ok(rg_tree_inclusion(tree, index, size, &proof, &why)));
    assert_true(
        rg_is_ok(rg_proof_inclusion_check(leaf_of(index), index, size, root, &proof, &why)));
    assert_true(rg_is_ok(rg_tree_root(tree, index, &old, &why)));
    assert_true(rg_is_ok(rg_tree_consistency(tree, index, size, &proof, &why)));
    rg_outcome grown = rg_proof_consistency_check(index, old, size, root, &proof, &why);
    assert_int_equal(grown.code, index > 0 ? RG_OK : RG_DENIED);
}

/* The vectors */

static bool bytes_of_json(const json_t *value, struct rg_buffer *out)
{
    return rg_is_ok(rg_base64_parse(rg_bytes_of_text(json_string_value(value)), out, NULL));
}

/* False when a hash in the vector is not 32 bytes long: such a thing cannot even be written. */
static bool hash_of_json(const json_t *value, struct rg_hash *out)
{
    RG_OWNED_BUFFER raw = {0};
    if (!bytes_of_json(value, &raw) || raw.len != sizeof(out->b)) {
        return false;
    }
    memcpy(out->b, raw.data, sizeof(out->b));
    return true;
}

/* Some vectors have short texts where a root does not matter: any 32 bytes that depend on them. */
static bool root_of_json(const json_t *value, struct rg_hash *out)
{
    RG_OWNED_BUFFER raw = {0};
    if (!bytes_of_json(value, &raw)) {
        return false;
    }
    *out = rg_sha256(rg_buffer_peek(&raw));
    return raw.len != sizeof(out->b) || hash_of_json(value, out);
}

static bool proof_of_json(const json_t *value, struct rg_proof *out)
{
    *out = (struct rg_proof){0};
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!hash_of_json(json_array_get(value, i), &out->hash[out->count++])) {
            return false;
        }
    }
    return true;
}

static json_t *vectors(const char *name)
{
    const char *folder = getenv("RG_DATA");
    if (folder == NULL) {
        print_message("RG_DATA is not set: the published vectors of %s are skipped\n", name);
        skip();
    }
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/merkle/%s", folder, name);
    if (access(path, R_OK) != 0) {
        print_message("%s is absent: skipped\n", name);
        skip();
    }
    json_error_t error;
    json_t *all = json_load_file(path, JSON_DECODE_INT_AS_REAL, &error);
    assert_non_null(all);
    return all;
}

static uint64_t size_of_json(const json_t *vector, const char *name)
{
    double number = json_real_value(json_object_get(vector, name));
    return number >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)number;
}

static bool inclusion_holds(const json_t *vector)
{
    struct rg_hash leaf, root;
    struct rg_proof proof;
    return hash_of_json(json_object_get(vector, "leafHash"), &leaf) &&
           root_of_json(json_object_get(vector, "root"), &root) &&
           proof_of_json(json_object_get(vector, "proof"), &proof) &&
           rg_is_ok(rg_proof_inclusion_check(leaf, size_of_json(vector, "leafIdx"),
                                             size_of_json(vector, "treeSize"), root, &proof, NULL));
}

static bool consistency_holds(const json_t *vector)
{
    struct rg_hash old, new;
    struct rg_proof proof;
    return root_of_json(json_object_get(vector, "root1"), &old) &&
           root_of_json(json_object_get(vector, "root2"), &new) &&
           proof_of_json(json_object_get(vector, "proof"), &proof) &&
           rg_is_ok(rg_proof_consistency_check(size_of_json(vector, "size1"), old,
                                               size_of_json(vector, "size2"), new, &proof, NULL));
}

static void run_vectors(const char *name, bool (*holds)(const json_t *))
{
    json_t *all = vectors(name);
    size_t wrong = 0;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *vector = json_array_get(all, i);
        bool expected = !json_is_true(json_object_get(vector, "wantErr"));
        if (holds(vector) != expected) {
            print_message("%s\n", json_string_value(json_object_get(vector, "name")));
            wrong++;
        }
    }
    assert_true(json_array_size(all) > 50);
    json_decref(all);
    assert_int_equal(wrong, 0);
}

/* Worked out with hashlib: a leaf begins with 0, a node with 1, so neither can pass for the other.
 */
static void test_leaf_and_node_hashes_are_those_of_the_rfc(void **state)
{
    (void)state;
    struct rg_hash zeros = {{0}};
    struct rg_hash leaf = rg_leaf_hash(zeros);
    struct rg_hash node = rg_node_hash(zeros, zeros);
    RG_OWNED_BUFFER text = {0};
    assert_true(rg_is_ok(rg_base64(rg_bytes_of(leaf.b, 32), &text, NULL)));
    assert_memory_equal(text.data, "f5yeMayCVsovJYWD3yYtvH1vaPKgMEPVyZpK5ac5bOk=", 44);
    rg_buffer_clear(&text);
    assert_true(rg_is_ok(rg_base64(rg_bytes_of(node.b, 32), &text, NULL)));
    assert_memory_equal(text.data, "rgeY0Oyu0rd47d6/GPBxpWHFNljAXnbO3swnyvvbxXc=", 44);
}

static void test_published_inclusion_vectors(void **state)
{
    (void)state;
    run_vectors("inclusion.json", inclusion_holds);
}

static void test_published_consistency_vectors(void **state)
{
    (void)state;
    run_vectors("consistency.json", consistency_holds);
}

/* Small trees, all of them */

static void test_roots_of_all_small_trees(void **state)
{
    (void)state;
    struct leaves leaves = leaves_new(SMALL);
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    struct rg_frontier frontier = {0};
    for (uint64_t size = 0; size <= SMALL; size++) {
        struct rg_hash expected = reference_root(leaves.hash, size), root;
        assert_true(rg_is_ok(rg_tree_root(tree, size, &root, NULL)));
        assert_true(same_hash(root, expected));
        assert_true(same_hash(rg_frontier_root(&frontier), expected));
        rg_tree_append(tree, leaf_of(size));
        rg_frontier_append(&frontier, leaf_of(size));
    }
    rg_tree_free(tree);
    free(leaves.hash);
}

static void check_inclusion_everywhere(const struct leaves *leaves, struct rg_tree *tree,
                                       uint64_t size)
{
    struct rg_hash root;
    assert_true(rg_is_ok(rg_tree_root(tree, size, &root, NULL)));
    for (uint64_t index = 0; index < size; index++) {
        struct rg_proof proof, expected = {0};
        reference_path(leaves->hash, size, index, &expected);
        assert_true(rg_is_ok(rg_tree_inclusion(tree, index, size, &proof, NULL)));
        assert_same_proof(&proof, &expected);
        for (uint64_t claimed = 0; claimed <= size; claimed++) {
            rg_outcome outcome =
                rg_proof_inclusion_check(leaves->hash[index], claimed, size, root, &proof, NULL);
            assert_int_equal(outcome.code, claimed == index ? RG_OK : RG_DENIED);
        }
    }
}

static void check_consistency_everywhere(const struct leaves *leaves, struct rg_tree *tree,
                                         uint64_t size)
{
    struct rg_hash root, old;
    assert_true(rg_is_ok(rg_tree_root(tree, size, &root, NULL)));
    for (uint64_t from = 0; from <= size; from++) {
        struct rg_proof proof, expected = {0};
        if (from > 0) {
            reference_growth(leaves->hash, from, size, true, &expected);
        }
        assert_true(rg_is_ok(rg_tree_consistency(tree, from, size, &proof, NULL)));
        assert_same_proof(&proof, &expected);
        for (uint64_t claimed = 1; claimed <= size; claimed++) {
            assert_true(rg_is_ok(rg_tree_root(tree, claimed, &old, NULL)));
            rg_outcome outcome = rg_proof_consistency_check(claimed, old, size, root, &proof, NULL);
            bool both_trivial = proof.count == 0 && claimed == size;
            assert_int_equal(outcome.code, claimed == from || both_trivial ? RG_OK : RG_DENIED);
        }
    }
}

static void test_every_proof_of_all_small_trees(void **state)
{
    (void)state;
    struct leaves leaves = leaves_new(SMALL);
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    for (uint64_t size = 1; size <= SMALL; size++) {
        rg_tree_append(tree, leaf_of(size - 1));
        check_inclusion_everywhere(&leaves, tree, size);
        check_consistency_everywhere(&leaves, tree, size);
    }
    rg_tree_free(tree);
    free(leaves.hash);
}

static void test_older_sizes_are_proven_from_a_larger_tree(void **state)
{
    (void)state;
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    for (uint64_t i = 0; i < SMALL; i++) {
        rg_tree_append(tree, leaf_of(i));
    }
    for (uint64_t size = 1; size <= SMALL; size++) {
        for (uint64_t index = 0; index < size; index++) {
            assert_proofs(tree, index, size);
        }
    }
    struct rg_proof proof;
    assert_int_equal(rg_tree_inclusion(tree, 5, 5, &proof, NULL).code, RG_LIMIT);
    assert_int_equal(rg_tree_inclusion(tree, 5, SMALL + 1, &proof, NULL).code, RG_LIMIT);
    assert_int_equal(rg_tree_consistency(tree, 6, 5, &proof, NULL).code, RG_LIMIT);
    assert_int_equal(rg_tree_consistency(tree, 6, SMALL + 1, &proof, NULL).code, RG_LIMIT);
    rg_tree_free(tree);
}

struct claim {
    bool growth; /* a consistency proof, or an inclusion proof */
    uint64_t index, size;
    struct rg_hash root, old;
};

static bool survives(const struct claim *claim, const struct rg_proof *proof)
{
    if (claim->growth) {
        return rg_is_ok(rg_proof_consistency_check(claim->index, claim->old, claim->size,
                                                   claim->root, proof, NULL));
    }
    return rg_is_ok(rg_proof_inclusion_check(leaf_of(claim->index), claim->index, claim->size,
                                             claim->root, proof, NULL));
}

static void mutate_everywhere(const struct claim *claim, const struct rg_proof *proof)
{
    assert_true(survives(claim, proof));
    for (size_t i = 0; i < proof->count; i++) {
        for (size_t bit = 0; bit < 256; bit += 7) {
            struct rg_proof bad = *proof;
            bad.hash[i].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(survives(claim, &bad));
        }
        struct rg_proof shorter = *proof;
        memmove(&shorter.hash[i], &shorter.hash[i + 1],
                (shorter.count - i - 1) * sizeof(shorter.hash[0]));
        shorter.count--;
        assert_false(survives(claim, &shorter));
    }
    struct rg_proof longer = *proof;
    longer.hash[longer.count++] = claim->root;
    assert_false(survives(claim, &longer));
    struct rg_proof endless = *proof;
    endless.count = RG_PROOF_HASHES_MAX + 1;
    assert_false(survives(claim, &endless));
}

static void test_changed_proofs_fail(void **state)
{
    (void)state;
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    for (uint64_t i = 0; i < 41; i++) {
        rg_tree_append(tree, leaf_of(i));
    }
    struct claim claim = {.size = 41};
    struct rg_proof proof;
    assert_true(rg_is_ok(rg_tree_root(tree, 41, &claim.root, NULL)));
    for (claim.index = 1; claim.index < 41; claim.index++) {
        assert_true(rg_is_ok(rg_tree_root(tree, claim.index, &claim.old, NULL)));
        claim.growth = false;
        assert_true(rg_is_ok(rg_tree_inclusion(tree, claim.index, 41, &proof, NULL)));
        mutate_everywhere(&claim, &proof);
        claim.growth = true;
        assert_true(rg_is_ok(rg_tree_consistency(tree, claim.index, 41, &proof, NULL)));
        mutate_everywhere(&claim, &proof);
    }
    rg_tree_free(tree);
}

/* A proof that leads to the new root is not enough: it must lead from the old one. */
static void test_growth_from_another_old_root_is_refused(void **state)
{
    (void)state;
    struct rg_hash leaf[SMALL];
    for (uint64_t i = 0; i < SMALL; i++) {
        leaf[i] = leaf_of(i);
    }
    for (uint64_t from = 1; from < 20; from++) {
        struct rg_proof proof = {.count = 0};
        struct rg_hash old = reference_root(leaf, from);
        struct rg_hash new = reference_root(leaf, 20);
        struct rg_reason why = {0};
        reference_growth(leaf, from, 20, true, &proof);
        assert_true(rg_is_ok(rg_proof_consistency_check(from, old, 20, new, &proof, NULL)));
        old.b[0] ^= 1;
        assert_int_equal(rg_proof_consistency_check(from, old, 20, new, &proof, &why).code,
                         RG_DENIED);
        old.b[0] ^= 1;
        new.b[0] ^= 1;
        assert_int_equal(rg_proof_consistency_check(from, old, 20, new, &proof, &why).code,
                         RG_DENIED);
    }
}

static void test_hostile_sizes_end(void **state)
{
    (void)state;
    struct rg_proof proof = {.count = RG_PROOF_HASHES_MAX};
    struct rg_hash any = {{1}};
    static const uint64_t number[] = {0, 1, 2, 255, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 7; j++) {
            for (proof.count = 0; proof.count <= RG_PROOF_HASHES_MAX; proof.count += 32) {
                assert_false(rg_is_ok(rg_proof_inclusion_check(
                    any, number[i], number[j], (struct rg_hash){{2}}, &proof, NULL)));
                assert_false(rg_is_ok(rg_proof_consistency_check(
                    number[i], any, number[j], (struct rg_hash){{2}}, &proof, NULL)));
            }
        }
    }
}

/* Tiles */

static struct rg_tree *tree_of(struct leaves *leaves, uint64_t size)
{
    struct rg_tree *tree = rg_tree_new(load, leaves);
    for (uint64_t i = 0; i < size; i++) {
        rg_tree_append(tree, leaves->hash[i]);
    }
    return tree;
}

static void test_tile_borders(void **state)
{
    (void)state;
    static const uint64_t border[] = {255, 256, 257,  258,   511,   512,   513,   514,   767,
                                      768, 769, 1025, 65535, 65536, 65537, 65792, 65793, LARGE};
    struct leaves leaves = leaves_new(LARGE);
    struct rg_tree *tree = tree_of(&leaves, LARGE);
    for (size_t i = 0; i < sizeof(border) / sizeof(border[0]); i++) {
        struct rg_hash root;
        assert_true(rg_is_ok(rg_tree_root(tree, border[i], &root, NULL)));
        assert_true(same_hash(root, reference_root(leaves.hash, border[i])));
        for (size_t j = 0; j < i; j++) {
            assert_proofs(tree, border[j], border[i]);
            assert_proofs(tree, border[j] - 1, border[i]);
        }
        assert_proofs(tree, border[i] - 1, border[i]);
    }
    assert_true(leaves.loads > 0);
    rg_tree_free(tree);
    free(leaves.hash);
}

static void test_starting_from_tile_roots_is_the_same_tree(void **state)
{
    (void)state;
    struct leaves leaves = leaves_new(LARGE);
    struct rg_tree *whole = tree_of(&leaves, LARGE);
    struct rg_tree *tree = rg_tree_new(load, &leaves);
    for (uint64_t tile = 0; tile < LARGE / RG_TILE_LEAVES; tile++) {
        rg_tree_append_tile(tree, rg_tree_tile_root(whole, tile));
    }
    for (uint64_t i = LARGE / RG_TILE_LEAVES * RG_TILE_LEAVES; i < LARGE; i++) {
        rg_tree_append(tree, leaves.hash[i]);
    }
    assert_int_equal(rg_tree_size(tree), LARGE);
    for (uint64_t size = LARGE; size > 0; size /= 3) {
        assert_proofs(tree, size / 2, size);
        struct rg_hash a, b;
        assert_true(rg_is_ok(rg_tree_root(tree, size, &a, NULL)));
        assert_true(rg_is_ok(rg_tree_root(whole, size, &b, NULL)));
        assert_true(same_hash(a, b));
    }
    rg_tree_free(tree);
    rg_tree_free(whole);
    free(leaves.hash);
}

static void test_rotten_or_missing_leaves_are_never_proven(void **state)
{
    (void)state;
    struct leaves leaves = leaves_new(LARGE);
    struct rg_tree *tree = tree_of(&leaves, LARGE);
    struct rg_proof proof;
    struct rg_reason why = {0};
    leaves.rotten = true;
    assert_int_equal(rg_tree_inclusion(tree, 1000, LARGE, &proof, &why).code, RG_BROKEN);
    assert_string_equal(why.id, "tile-mismatch");
    leaves.rotten = false;
    leaves.away = true;
    assert_int_equal(rg_tree_inclusion(tree, 1000, LARGE, &proof, &why).code, RG_IO);
    assert_string_equal(why.id, "store-away");
    leaves.away = false;
    assert_proofs(tree, 1000, LARGE);
    rg_tree_free(tree);
    free(leaves.hash);
}

static void test_undo_of_a_batch(void **state)
{
    (void)state;
    static const uint64_t back_to[] = {300, 299, 257, 256, 255, 1, 0};
    struct leaves leaves = leaves_new(4000);
    for (size_t i = 0; i < sizeof(back_to) / sizeof(back_to[0]); i++) {
        for (uint64_t ahead = 300; ahead <= 2900; ahead += 211) {
            struct rg_tree *tree = tree_of(&leaves, ahead);
            rg_tree_truncate(tree, back_to[i]);
            assert_int_equal(rg_tree_size(tree), back_to[i]);
            rg_tree_append(tree, (struct rg_hash){{9}});
            rg_tree_truncate(tree, back_to[i]);
            for (uint64_t n = back_to[i]; n < 700; n++) {
                rg_tree_append(tree, leaves.hash[n]);
            }
            struct rg_hash root;
            assert_true(rg_is_ok(rg_tree_root(tree, 700, &root, NULL)));
            assert_true(same_hash(root, reference_root(leaves.hash, 700)));
            assert_proofs(tree, 256, 700);
            assert_proofs(tree, 3, 700);
            rg_tree_free(tree);
        }
    }
    free(leaves.hash);
}

/* Heads */

struct keys {
    char folder[32];
    struct rg_key *log, *other;
    uint8_t log_public[32], other_public[32];
};

static struct rg_key *key_of_openssl(const char *folder, const char *options)
{
    char path[64], command[256];
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    (void)snprintf(command, sizeof(command), "openssl genpkey %s -out %s 2>/dev/null", options,
                   path);
    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(path, 0600), 0);
    struct rg_key *key = NULL;
    assert_true(rg_is_ok(rg_key_read(path, &key, NULL)));
    assert_int_equal(unlink(path), 0);
    return key;
}

static int set_up_keys(void **state)
{
    struct keys *keys = calloc(1, sizeof(*keys));
    (void)snprintf(keys->folder, sizeof(keys->folder), "/tmp/rg-tlog-XXXXXX");
    assert_non_null(mkdtemp(keys->folder));
    keys->log = key_of_openssl(keys->folder, "-algorithm ED25519");
    keys->other = key_of_openssl(keys->folder, "-algorithm ED25519");
    assert_true(rg_is_ok(rg_log_key_public(keys->log, keys->log_public, NULL)));
    assert_true(rg_is_ok(rg_log_key_public(keys->other, keys->other_public, NULL)));
    *state = keys;
    return 0;
}

static int tear_down_keys(void **state)
{
    struct keys *keys = *state;
    rg_key_free(keys->log);
    rg_key_free(keys->other);
    int failed = rmdir(keys->folder);
    free(keys);
    return failed;
}

static struct rg_head head_of(const struct keys *keys, const char *origin, uint64_t size)
{
    struct rg_head head = {.size = size, .root = leaf_of(size)};
    (void)snprintf(head.origin, sizeof(head.origin), "%s", origin);
    assert_true(rg_is_ok(rg_head_sign(&head, keys->log, NULL)));
    return head;
}

static void test_heads_are_signed_over_origin_size_and_root(void **state)
{
    const struct keys *keys = *state;
    struct rg_reason why = {0};
    struct rg_head head = head_of(keys, "referral/th/1", 12345);
    assert_true(rg_is_ok(rg_head_verify(&head, keys->log_public, &why)));
    assert_int_equal(rg_head_verify(&head, keys->other_public, &why).code, RG_DENIED);
    assert_string_equal(why.id, "head-signature");
    struct rg_head changed[4] = {head, head, head, head};
    changed[0].size++;
    changed[1].root.b[31] ^= 1;
    changed[2].origin[strlen("referral/th/")] = '2';
    changed[3].signature[5] ^= 1;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rg_head_verify(&changed[i], keys->log_public, &why).code, RG_DENIED);
    }
    assert_true(rg_is_ok(rg_head_verify(&head, keys->log_public, &why)));
}

static void test_origins_that_could_forge_a_body_are_refused(void **state)
{
    const struct keys *keys = *state;
    static const char *const origin[] = {"", "a\nb", "a b", "a+b", "caf\xc3\xa9"};
    for (size_t i = 0; i < sizeof(origin) / sizeof(origin[0]); i++) {
        struct rg_head head = {.size = 1};
        struct rg_reason why = {0};
        (void)snprintf(head.origin, sizeof(head.origin), "%s", origin[i]);
        assert_int_equal(rg_head_sign(&head, keys->log, &why).code, RG_DENIED);
        assert_string_equal(why.id, "head-origin");
    }
}

static void test_a_head_extends_another(void **state)
{
    const struct keys *keys = *state;
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    struct rg_head head[12];
    struct rg_proof proof;
    for (uint64_t i = 0; i < 12; i++) {
        head[i] = head_of(keys, "referral/th/1", i);
        assert_true(rg_is_ok(rg_tree_root(tree, i, &head[i].root, NULL)));
        rg_tree_append(tree, leaf_of(i));
    }
    for (uint64_t old = 0; old < 12; old++) {
        for (uint64_t new = 0; new < 12; new ++) {
            proof = (struct rg_proof){0};
            rg_outcome made = rg_tree_consistency(tree, old, new, &proof, NULL);
            assert_int_equal(made.code, old <= new ? RG_OK : RG_LIMIT);
            rg_outcome outcome = rg_head_extends(&head[old], &head[new], &proof, NULL);
            assert_int_equal(outcome.code, old <= new ? RG_OK : RG_DENIED);
            struct rg_head forked = head[new];
            forked.root.b[0] ^= 1;
            outcome = rg_head_extends(&head[old], &forked, &proof, NULL);
            assert_int_equal(outcome.code, old == 0 && new > 0 ? RG_OK : RG_DENIED);
        }
    }
    struct rg_head later = head[3];
    (void)snprintf(later.origin, sizeof(later.origin), "referral/th/2");
    struct rg_reason why = {0};
    assert_int_equal(rg_head_extends(&head[3], &later, &(struct rg_proof){0}, &why).code,
                     RG_DENIED);
    assert_string_equal(why.id, "head-origin");
    rg_tree_free(tree);
}

static void test_only_an_ed25519_key_signs_heads(void **state)
{
    const struct keys *keys = *state;
    RG_OWNED_KEY *key =
        key_of_openssl(keys->folder, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256");
    struct rg_head head = {.origin = "referral/th/1"};
    struct rg_reason why = {0};
    assert_int_equal(rg_head_sign(&head, key, &why).code, RG_MALFORMED);
    assert_string_equal(why.id, "key-form");
}

static void test_receipts_are_checked_whole(void **state)
{
    const struct keys *keys = *state;
    struct rg_bytes text[3] = {RG_BYTES_LITERAL("one"), RG_BYTES_LITERAL("two"),
                               RG_BYTES_LITERAL("three")};
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    struct rg_proven_entry entry[3];
    for (size_t i = 0; i < 3; i++) {
        rg_tree_append(tree, rg_leaf_hash(rg_sha256(text[i])));
    }
    struct rg_receipts receipts = {.entry = entry, .entry_count = 3};
    receipts.head = (struct rg_head){.origin = "referral/th/12", .size = 3};
    assert_true(rg_is_ok(rg_tree_root(tree, 3, &receipts.head.root, NULL)));
    assert_true(rg_is_ok(rg_head_sign(&receipts.head, keys->log, NULL)));
    for (size_t i = 0; i < 3; i++) {
        entry[i] = (struct rg_proven_entry){.log_entry = text[i], .leaf_index = i};
        assert_true(rg_is_ok(rg_tree_inclusion(tree, i, 3, &entry[i].inclusion, NULL)));
    }
    struct rg_reason why = {0};
    const uint8_t *key = keys->log_public;
    assert_true(rg_is_ok(rg_receipts_check(&receipts, "referral/th", key, &why)));
    assert_int_equal(rg_receipts_check(&receipts, "referral/kh", key, &why).code, RG_DENIED);
    assert_string_equal(why.id, "head-origin");
    assert_int_equal(rg_receipts_check(&receipts, "referral/t", key, &why).code, RG_DENIED);
    assert_int_equal(rg_receipts_check(&receipts, "referral/th", keys->other_public, &why).code,
                     RG_DENIED);
    assert_string_equal(why.id, "head-signature");
    entry[2].leaf_index = 1;
    assert_int_equal(rg_receipts_check(&receipts, "referral/th", key, &why).code, RG_DENIED);
    assert_string_equal(why.id, "proof-inclusion");
    entry[2].leaf_index = 2;
    entry[1].log_entry = text[2];
    assert_int_equal(rg_receipts_check(&receipts, "referral/th", key, &why).code, RG_DENIED);
    rg_tree_free(tree);
}

static void test_an_epoch_is_a_number(void **state)
{
    const struct keys *keys = *state;
    static const char *const bad[] = {"referral/th",    "referral/th/",   "referral/th/0",
                                      "referral/th/01", "referral/th/1x", "referral/th/1/1",
                                      "referral/thx/1", "referral/th/-1", "referral/th/1234567890"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rg_receipts receipts = {.head = head_of(keys, bad[i], 0)};
        struct rg_reason why = {0};
        assert_int_equal(rg_receipts_check(&receipts, "referral/th", keys->log_public, &why).code,
                         RG_DENIED);
        assert_string_equal(why.id, "head-origin");
    }
    struct rg_receipts receipts = {.head = head_of(keys, "referral/th/999999999", 0)};
    assert_true(rg_is_ok(rg_receipts_check(&receipts, "referral/th", keys->log_public, NULL)));
}

/* Checkpoints */

static void test_a_checkpoint_goes_round(void **state)
{
    const struct keys *keys = *state;
    static const uint64_t size[] = {0, 1, 10, 4017, UINT64_MAX};
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        struct rg_head head = head_of(keys, "referral/th/1", size[i]), back;
        RG_OWNED_BUFFER text = {0};
        RG_OWNED_BUFFER again = {0};
        assert_true(rg_is_ok(rg_checkpoint_print(&head, keys->log_public, &text, NULL)));
        assert_true(rg_is_ok(rg_checkpoint_parse(rg_buffer_peek(&text), &back, NULL)));
        assert_memory_equal(&back, &head, sizeof(head));
        assert_true(rg_is_ok(rg_head_verify(&back, keys->log_public, NULL)));
        assert_true(rg_is_ok(rg_checkpoint_print(&back, keys->log_public, &again, NULL)));
        assert_true(rg_bytes_equal(rg_buffer_peek(&text), rg_buffer_peek(&again)));
    }
}

/* The published key of the Go checksum database: sum.golang.org+033de0ae+Ac4zctda0e5eza... */
static void test_key_hash_of_a_published_note_key(void **state)
{
    (void)state;
    struct rg_head head = {.origin = "sum.golang.org", .size = 1};
    RG_OWNED_BUFFER key = {0};
    RG_OWNED_BUFFER text = {0};
    assert_true(rg_is_ok(rg_base64_parse(
        rg_bytes_of_text("Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"), &key, NULL)));
    assert_int_equal(key.len, 33);
    assert_true(rg_is_ok(rg_checkpoint_print(&head, key.data + 1, &text, NULL)));
    assert_true(rg_is_ok(rg_buffer_append(&text, rg_bytes_of("", 1), NULL)));
    const char *line = strstr((const char *)text.data, "\xe2\x80\x94 sum.golang.org ");
    assert_non_null(line);
    /* 03 3d e0 ae, then zeros of the absent signature */
    assert_memory_equal(line + strlen("\xe2\x80\x94 sum.golang.org "), "Az3grg", 6);
}

static void assert_not_a_checkpoint(const char *text)
{
    struct rg_head head;
    struct rg_reason why = {0};
    assert_int_equal(rg_checkpoint_parse(rg_bytes_of_text(text), &head, &why).code, RG_MALFORMED);
    assert_string_equal(why.id, "checkpoint-form");
}

#define ROOT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define A8 "AAAAAAAA"
#define SIGNATURE A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 A8 "AAA="

static void test_checkpoints_have_one_form(void **state)
{
    (void)state;
    struct rg_head head;
    static const char good[] =
        "o\n7\n" ROOT "\n\n\xe2\x80\x94 w " SIGNATURE "\n\xe2\x80\x94 o " SIGNATURE "\n";
    assert_true(rg_is_ok(rg_checkpoint_parse(rg_bytes_of_text(good), &head, NULL)));
    assert_int_equal(head.size, 7);
    static const char *const bad[] = {
        "",
        "o\n",
        "o\n7\n" ROOT "\n",
        "o\n7\n" ROOT "\n\n",
        "o\n7\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE,
        "o\n7\n" ROOT "\n\n\xe2\x80\x94 w " SIGNATURE "\n",
        "o\n7\n" ROOT "\n\n- o " SIGNATURE "\n",
        "o\n07\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n+7\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n18446744073709551616\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n7\nAAAA\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o\n7\n" ROOT "\nextension\n\n\xe2\x80\x94 o " SIGNATURE "\n",
        "o o\n7\n" ROOT "\n\n\xe2\x80\x94 o o " SIGNATURE "\n",
        "o\n7\n" ROOT "\n\n\xe2\x80\x94 o " SIGNATURE "\nleft over",
        "o\n7\n" ROOT "\n\n\xe2\x80\x94 o " A8 "\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_not_a_checkpoint(bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf_and_node_hashes_are_those_of_the_rfc),
        cmocka_unit_test(test_published_inclusion_vectors),
        cmocka_unit_test(test_published_consistency_vectors),
        cmocka_unit_test(test_roots_of_all_small_trees),
        cmocka_unit_test(test_every_proof_of_all_small_trees),
        cmocka_unit_test(test_older_sizes_are_proven_from_a_larger_tree),
        cmocka_unit_test(test_changed_proofs_fail),
        cmocka_unit_test(test_growth_from_another_old_root_is_refused),
        cmocka_unit_test(test_hostile_sizes_end),
        cmocka_unit_test(test_tile_borders),
        cmocka_unit_test(test_starting_from_tile_roots_is_the_same_tree),
        cmocka_unit_test(test_rotten_or_missing_leaves_are_never_proven),
        cmocka_unit_test(test_undo_of_a_batch),
        cmocka_unit_test(test_heads_are_signed_over_origin_size_and_root),
        cmocka_unit_test(test_origins_that_could_forge_a_body_are_refused),
        cmocka_unit_test(test_a_head_extends_another),
        cmocka_unit_test(test_only_an_ed25519_key_signs_heads),
        cmocka_unit_test(test_receipts_are_checked_whole),
        cmocka_unit_test(test_an_epoch_is_a_number),
        cmocka_unit_test(test_a_checkpoint_goes_round),
        cmocka_unit_test(test_key_hash_of_a_published_note_key),
        cmocka_unit_test(test_checkpoints_have_one_form),
    };
    return cmocka_run_group_tests(tests, set_up_keys, tear_down_keys);
}
