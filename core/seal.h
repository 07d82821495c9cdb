/*
 * NAME
 *   seal - sign then encrypt one section (CMS), and open it again
 *
 * SYNOPSIS
 *   rg_seal(&section, padded_bytes, signers, signer_count, readers, reader_count, &der, why)
 *   rg_unseal(der, keys, key_count, &signed_der, why)            decrypt only
 *   rg_unseal_verify(signed_der, candidates, count, &section_bytes, &signer..., why)
 *
 * DESCRIPTION
 *   SignedSection (wire), padded, then CMS SignedData (signed attributes, no certificates inside,
 * one or two signers with P-256), then CMS AuthEnvelopedData (RFC 5083: AES-256-GCM, 16-byte tag;
 * P-256 ephemeral-static ECDH with SHA-256 KDF, AES-256 wrap, RFC 5753). Blind readers: each
 * recipient is named by a random key identifier, shuffled, and filled up to 4, 8, 16 or 32 with
 * wraps to throw-away keys. rg_unseal accepts exactly this profile and checks it before any key is
 * used.
 *
 * ERRORS
 *   RG_MALFORMED seal-profile, seal-form; RG_DENIED seal-not-for-us (none of the keys opens it),
 *   seal-signer (not among the office's certificates), seal-signature; RG_LIMIT seal-*.
 *
 * THREADS
 *   Calls on different data may run in parallel.
 */
#ifndef RG_CORE_SEAL_H
#define RG_CORE_SEAL_H

#include "core/identity.h"
#include "core/wire.h"

struct rg_signer {
    const struct rg_certificate *certificate;
    const struct rg_key *key;
};
struct rg_reading_key {
    const struct rg_certificate *certificate;
    const struct rg_key *key;
};

size_t rg_seal_wraps(size_t readers); /* 4, 8, 16 or 32; 0 when too many */
RG_MUST_USE rg_outcome rg_seal(const struct rg_section *section, size_t padded_bytes,
                               const struct rg_signer *signer, size_t signer_count,
                               const struct rg_certificate *const *reader, size_t reader_count,
                               struct rg_buffer *out, struct rg_reason *why);
/* `signed_out` should be a secret buffer: it holds the plaintext. */
RG_MUST_USE rg_outcome rg_unseal(struct rg_bytes sealed, const struct rg_reading_key *key,
                                 size_t key_count, struct rg_buffer *signed_out,
                                 struct rg_reason *why);
struct rg_signature_seen {
    const struct rg_certificate *signer[RG_AUTHORS_MAX]; /* borrowed from the candidates */
    size_t signer_count;
};
/* Verifies every signature against the candidates (no chain: the caller judges the signers with
 * rg_trust_judge at the Accepted time) and hands out the SignedSection bytes. */
RG_MUST_USE rg_outcome rg_unseal_verify(struct rg_bytes signed_der,
                                        struct rg_certificate *const *candidate, size_t count,
                                        struct rg_buffer *section_out,
                                        struct rg_signature_seen *seen_out, struct rg_reason *why);
/* Does the opened section belong at `index` of this core? Core digest, index, commitment, padded
 * size. */
RG_MUST_USE rg_outcome rg_section_check(const struct rg_section *section, size_t section_bytes,
                                        struct rg_bytes core_bytes, const struct rg_core *core,
                                        size_t index, struct rg_reason *why);

#endif
