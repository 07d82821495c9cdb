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
 *   A tree keeps in memory the roots of full 256-leaf tiles and everything above them, the open
 * tile and the tiles closed lately (RG_TREE_UNDO_LEAVES); older leaves come from `load_tile`, with
 * a small cache. A consistency proof from size 0 is empty, and the check refuses it as RFC 9162 has
 *   none: rg_head_extends knows that everything extends an empty log. Checkpoints may carry other
 * signature lines (cosignatures); no line but origin, size and root may stand in the body.
 *
 * OWNERSHIP
 *   Frontier, proofs and heads are plain values. rg_tree_free frees the tree, not `context`.
 *
 * ERRORS
 *   RG_DENIED proof-inclusion, proof-consistency, head-signature, head-origin; RG_MALFORMED
 *   checkpoint-form, key-form (not Ed25519); RG_LIMIT proof-size, checkpoint-size, tree-size;
 *   RG_BROKEN tile-mismatch (loaded leaves are not those appended); what load_tile says.
 *   Out of memory while appending ends the process, and so does an undo too far back.
 *
 * THREADS
 *   One tree, one thread. Everything else may be called from any.
 *
 * LIMITS
 *   Memory: 64 bytes per 256 leaves, and about 1 MiB of tiles.
 */
#ifndef RG_CORE_TLOG_H
#define RG_CORE_TLOG_H

#include "core/identity.h"
#include "core/wire.h"

#define RG_TILE_LEAVES 256
#define RG_TREE_UNDO_LEAVES 8192 /* so far back rg_tree_truncate can go */
#define RG_CHECKPOINT_BYTES_MAX (4 * RG_KIB)

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
                      uint64_t size); /* undo the appends of a rolled back batch */
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
/* Same origin, and `new` extends `old`. Unlike the check above it takes an empty `old` too, which
 * everything extends. For two equal heads the proof is empty. */
RG_MUST_USE rg_outcome rg_head_extends(const struct rg_head *old, const struct rg_head *new,
                                       const struct rg_proof *proof, struct rg_reason *why);

/* `key`: Ed25519 private key; fills head->signature over origin, size and root. */
RG_MUST_USE rg_outcome rg_head_sign(struct rg_head *head, const struct rg_key *key,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_head_verify(const struct rg_head *head, const uint8_t public_key[32],
                                      struct rg_reason *why);
/* SHA-256 of the head's note body: by this other logs name it (entries PEER_HEAD and EPOCH). */
RG_MUST_USE rg_outcome rg_head_digest(const struct rg_head *head, struct rg_hash *out,
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
/* A proof as text, for people and stock tools (docs/evidence.md): the leaf's index in decimal, then
 * one hash in base64 per line, from the leaf up. Appends to `out`. */
RG_MUST_USE rg_outcome rg_proof_print(uint64_t leaf_index, const struct rg_proof *proof,
                                      struct rg_buffer *out, struct rg_reason *why);
/* The public log key as PEM. Appends to `out`. */
RG_MUST_USE rg_outcome rg_log_key_print(const uint8_t public_key[32], struct rg_buffer *out,
                                        struct rg_reason *why);
RG_MUST_USE rg_outcome rg_log_key_public(const struct rg_key *key, uint8_t out[32],
                                         struct rg_reason *why);

#endif
