/*
 * NAME
 *   vault - sealing at rest: a random key per item, wrapped by a book key, sealed to a key file
 *
 * SYNOPSIS
 *   rg_vault_lock(&key, context, plain, &sealed, why)      AES-256-GCM
 *   rg_vault_unlock(&key, context, sealed, &plain, why)
 *   rg_vault_item_lock(&book, context, plain, &wrapped, &sealed, why)   under a key of its own
 *   rg_vault_item_unlock(&book, context, wrapped, sealed, &plain, why)
 *   rg_vault_file_make(path, why)                          P-256 private key, PEM, mode 0600
 *   rg_vault_seal_to(file_key, &book, &sealed, why) / rg_vault_open_with(...)
 *
 * DESCRIPTION
 *   An item (a section, a case row) is encrypted under a random key of its own; that key is
 *   wrapped by the book key. Destroying the wrapped key erases the item, also from copies of the
 *   file that do not hold the old row. The book key is sealed to a P-256 key in a file (ephemeral
 *   ECDH, HKDF-SHA256, AES-256-GCM), so that it can move to a token without touching the items.
 *   `context` binds a sealed item to its place: it must be the same on opening.
 *
 * OWNERSHIP
 *   Outputs are appended to buffers of the caller; plain outputs should be `secret` buffers.
 *
 * ERRORS
 *   RG_DENIED vault-wrong (another key, place or changed bytes); RG_MALFORMED vault-form;
 *   RG_DENIED key-file-readable; RG_IO file-*.
 *
 * THREADS
 *   Any.
 */
#ifndef RG_CORE_VAULT_H
#define RG_CORE_VAULT_H

#include "core/identity.h"

struct rg_vault_key {
    uint8_t b[32];
};
#define RG_VAULT_WRAPPED_BYTES 60  /* nonce 12, key 32, tag 16 */
#define RG_VAULT_OVERHEAD_BYTES 28 /* nonce 12, tag 16 */

void rg_vault_key_random(struct rg_vault_key *out);
void rg_vault_key_drop(struct rg_vault_key *key); /* wipes */
/* A key for another purpose from this one (HKDF-SHA256 over `label`). */
void rg_vault_key_derive(const struct rg_vault_key *from, const char *label,
                         struct rg_vault_key *out);
/* Keyed hash, for looking up what is sealed without opening it. */
struct rg_hash rg_vault_index(const struct rg_vault_key *key, struct rg_bytes value);

RG_MUST_USE rg_outcome rg_vault_lock(const struct rg_vault_key *key, struct rg_bytes context,
                                     struct rg_bytes plain, struct rg_buffer *sealed_out,
                                     struct rg_reason *why);
RG_MUST_USE rg_outcome rg_vault_unlock(const struct rg_vault_key *key, struct rg_bytes context,
                                       struct rg_bytes sealed, struct rg_buffer *plain_out,
                                       struct rg_reason *why);
RG_MUST_USE rg_outcome rg_vault_item_lock(const struct rg_vault_key *book, struct rg_bytes context,
                                          struct rg_bytes plain,
                                          uint8_t wrapped_out[RG_VAULT_WRAPPED_BYTES],
                                          struct rg_buffer *sealed_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_vault_item_unlock(const struct rg_vault_key *book,
                                            struct rg_bytes context, struct rg_bytes wrapped,
                                            struct rg_bytes sealed, struct rg_buffer *plain_out,
                                            struct rg_reason *why);

/* The same item key under another book key; the item itself is not touched. */
RG_MUST_USE rg_outcome rg_vault_rewrap(const struct rg_vault_key *old,
                                       const struct rg_vault_key *fresh, struct rg_bytes context,
                                       uint8_t wrapped[RG_VAULT_WRAPPED_BYTES],
                                       struct rg_reason *why);

/* Fails when the file exists. Durable. */
RG_MUST_USE rg_outcome rg_vault_file_make(const char *path, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_vault_seal_to(const struct rg_key *file_key, struct rg_bytes plain,
                                        struct rg_buffer *sealed_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_vault_open_with(const struct rg_key *file_key, struct rg_bytes sealed,
                                          struct rg_buffer *plain_out, struct rg_reason *why);

#endif
