/*
 * NAME
 *   tlog - Merkle tree hashing, proofs and signed heads (RFC 9162, C2SP tlog-checkpoint)
 *
 * SYNOPSIS
 *   leaf = rg_leaf_hash(rg_sha256(log_entry_bytes))
 *   rg_frontier_append / rg_frontier_root           what the notary keeps: size and frontier
 *   tree = rg_tree_new(load_tile, context)           what the courier keeps: answers with proofs
 *   rg_proof_inclusion_check / rg_proof_consistency_check
 *   rg_head_sign / rg_head_verify                    Ed25519 over the note body
 *   rg_checkpoint_print / rg_checkpoint_parse        C2SP signed note text
 *
 * DESCRIPTION
 *   leaf = SHA-256(0x00 || entry), node = SHA-256(0x01 || left || right), RFC 9162 section 2.1. The
 * log's entry is the 32 bytes SHA-256(LogEntry). A head's signature is over the C2SP note body
 * "origin\nsize\nbase64(root)\n".
 *   A tree keeps the roots of full 256-leaf tiles and everything above in memory and the leaves of
 * the last, partial tile; older leaves come from `load_tile`, with a small cache. Memory: 64 bytes
 * per 256 leaves.
 *
 * ERRORS
 *   RG_DENIED proof-inclusion, proof-consistency, head-signature, head-origin; RG_MALFORMED
 * checkpoint-form; RG_LIMIT proof-size; RG_IO from load_tile.
 */
#ifndef RG_CORE_TLOG_H
#define RG_CORE_TLOG_H

#include "core/identity.h"
#include "core/wire.h"

#define RG_TILE_LEAVES 256

struct rg_hash rg_leaf_hash(struct rg_hash entry);
struct rg_hash rg_node_hash(struct rg_hash left, struct rg_hash right);

struct rg_frontier { /* by value; zeroed = empty tree */
    uint64_t size;
    struct rg_hash
        hash[64]; /* hash[k]: root of the full subtree of 2^k leaves, when bit k of size is set */
};
void rg_frontier_append(struct rg_frontier *frontier, struct rg_hash leaf);
struct rg_hash rg_frontier_root(const struct rg_frontier *frontier); /* empty: SHA-256("") */

struct rg_tree;
typedef rg_outcome (*rg_tile_load)(void *context, uint64_t tile,
                                   struct rg_hash leaf[RG_TILE_LEAVES], struct rg_reason *why);
struct rg_tree *rg_tree_new(rg_tile_load load, void *context);
void rg_tree_free(struct rg_tree *tree);
uint64_t rg_tree_size(const struct rg_tree *tree);
void rg_tree_append(struct rg_tree *tree, struct rg_hash leaf);
/* Start-up: a whole tile by its root, before any single leaf. */
void rg_tree_append_tile(struct rg_tree *tree, struct rg_hash tile_root);
/* Root of tile `tile`, complete; for the store's tile rows. */
struct rg_hash rg_tree_tile_root(const struct rg_tree *tree, uint64_t tile);
void rg_tree_truncate(struct rg_tree *tree,
                      uint64_t size); /* undo appends of a rolled back batch; same tile or older */
RG_MUST_USE rg_outcome rg_tree_root(struct rg_tree *tree, uint64_t size, struct rg_hash *out,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_tree_inclusion(struct rg_tree *tree, uint64_t index, uint64_t size,
                                         struct rg_proof *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_tree_consistency(struct rg_tree *tree, uint64_t from, uint64_t to,
                                           struct rg_proof *out, struct rg_reason *why);

RG_MUST_USE rg_outcome rg_proof_inclusion_check(struct rg_hash leaf, uint64_t index, uint64_t size,
                                                struct rg_hash root, const struct rg_proof *proof,
                                                struct rg_reason *why);
RG_MUST_USE rg_outcome rg_proof_consistency_check(uint64_t from, struct rg_hash from_root,
                                                  uint64_t to, struct rg_hash to_root,
                                                  const struct rg_proof *proof,
                                                  struct rg_reason *why);

/* `key`: Ed25519 private key; fills head->signature over origin, size and root. */
RG_MUST_USE rg_outcome rg_head_sign(struct rg_head *head, const struct rg_key *key,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_head_verify(const struct rg_head *head, const uint8_t public_key[32],
                                      struct rg_reason *why);
/* Head signature by `public_key`, origin is `origin_prefix` + "/" + epoch number, every entry's
 * inclusion. */
RG_MUST_USE rg_outcome rg_receipts_check(const struct rg_receipts *receipts,
                                         const char *origin_prefix, const uint8_t public_key[32],
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_checkpoint_print(const struct rg_head *head, const uint8_t public_key[32],
                                           struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_checkpoint_parse(struct rg_bytes text, struct rg_head *out,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_log_key_public(const struct rg_key *key, uint8_t out[32],
                                         struct rg_reason *why);

#endif
