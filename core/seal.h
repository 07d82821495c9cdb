/*
 * NAME
 *   seal - sign then encrypt one section (CMS), and open it again
 *
 * SYNOPSIS
 *   rg_seal(&section, padded_bytes, signers, signer_count, readers, reader_count, &der, why)
 *   rg_section_sign(&section, padded_bytes, &signer, &signed_der, why)      the same in steps:
 *   rg_section_sign_also(signed_der, &second_signer, &both_der, why)        another day, elsewhere
 *   rg_seal_signed(signed_der, readers, reader_count, &der, why)
 *   rg_unseal(der, keys, key_count, &signed_der, why)            decrypt only
 *   rg_unseal_verify(signed_der, candidates, count, &section_bytes, &seen, why)
 *   rg_section_peek(section_bytes, &section, why)                (wire)
 *   rg_section_check(&section, section_bytes.len, core_bytes, &core, index, why)
 *
 * DESCRIPTION
 *   SignedSection (wire), padded, then CMS SignedData (signed attributes, no certificates inside,
 *   one or two signers with P-256), then CMS AuthEnvelopedData (RFC 5083: AES-256-GCM, 16-byte tag;
 *   P-256 ephemeral-static ECDH with SHA-256 KDF, AES-256 wrap, RFC 5753). docs/protocol.md has it
 *   byte by byte.
 *   Blind readers: each recipient is named by a random key identifier and the number is filled up
 *   to 4, 8, 16 or 32 with wraps to a throw-away key; DER's sorting leaves them in random order.
 *   A reader given as NULL is such a throw-away too: who is left out of the list leaves no gap in
 *   it.
 *   rg_section_sign_also adds a signature over the very bytes that the first officer has signed.
 *   rg_unseal accepts exactly this profile, checks it before any key is used, and tries each key
 *   on each wrap. rg_unseal_verify wants every signature to fit, and two to be of two officers.
 *   Only after rg_section_check is what was opened known to belong to the header at hand.
 *
 * OWNERSHIP
 *   rg_seal appends to `out`. rg_unseal replaces `signed_out` and makes it a secret buffer: it
 *   holds the plaintext. On failure outputs are as before.
 *
 * ERRORS
 *   rg_seal: RG_LIMIT seal-signers, seal-readers; RG_DENIED seal-signer, seal-reader (not P-256),
 *   key-mismatch. rg_section_sign_also: RG_MALFORMED seal-profile, RG_LIMIT seal-signers (it has
 * two already); the first signature is not verified here. rg_unseal: RG_MALFORMED seal-profile;
 * RG_DENIED seal-not-for-us (none of the keys opens it), seal-changed (one did, but the content is
 * not what was sealed); RG_LIMIT seal-size, seal-keys. rg_unseal_verify: RG_MALFORMED seal-profile;
 * RG_DENIED seal-signer (not among the office's certificates, or one officer twice),
 * seal-signature. rg_section_check: RG_DENIED seal-core, seal-index, seal-commitment, seal-padding.
 *   RG_IO seal-crypto: OpenSSL failed.
 *
 * THREADS
 *   Calls on different data may run in parallel.
 *
 * LIMITS
 *   RG_READERS_MAX reading keys sealed to, and as many tried; a section as large as a buffer may
 * be.
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
RG_MUST_USE rg_outcome rg_section_sign(const struct rg_section *section, size_t padded_bytes,
                                       const struct rg_signer *signer, struct rg_buffer *signed_out,
                                       struct rg_reason *why);
RG_MUST_USE rg_outcome rg_section_sign_also(struct rg_bytes signed_der,
                                            const struct rg_signer *signer,
                                            struct rg_buffer *signed_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_seal_signed(struct rg_bytes signed_der,
                                      const struct rg_certificate *const *reader,
                                      size_t reader_count, struct rg_buffer *out,
                                      struct rg_reason *why);
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
