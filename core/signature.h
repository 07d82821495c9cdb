/*
 * NAME
 *   signature - one CMS signature over bytes, by one of the certificates the caller names
 *
 * SYNOPSIS
 *   rg_signature_make(&bytes, certificate, key, RG_SIGNATURE_DETACHED, &der, why)
 *   rg_signature_check(der, content, candidates, count, &signed_out, &at, why)
 *
 * DESCRIPTION
 *   Used for trust documents (detached) and key cards (the content is inside). Exactly this profile
 *   is accepted: SignedData, one signer named by issuer and serial, SHA-256 with ECDSA P-256,
 *   signed attributes, no certificates or revocation lists inside. No chain is looked at: the
 *   signer must *be* one of the candidates, and the caller has decided what those may sign.
 *   `openssl cms -verify -binary -noverify -certfile SIGNER.pem` checks the same.
 *
 * ERRORS
 *   RG_MALFORMED signature-form; RG_DENIED signature-signer (none of the candidates),
 *   signature-invalid; RG_LIMIT signature-too-large.
 */
#ifndef RG_CORE_SIGNATURE_H
#define RG_CORE_SIGNATURE_H

#include "core/identity.h"

enum rg_signature_kind { RG_SIGNATURE_DETACHED = 1, RG_SIGNATURE_WITH_CONTENT };

RG_MUST_USE rg_outcome rg_signature_make(struct rg_bytes content,
                                         const struct rg_certificate *certificate,
                                         const struct rg_key *key, enum rg_signature_kind kind,
                                         struct rg_buffer *out, struct rg_reason *why);
/* Detached: `content` is what must have been signed, `content_out` is NULL. With content inside:
 * `content` is empty (NULL data) and `content_out` receives it. `at_out` is the candidate. */
RG_MUST_USE rg_outcome rg_signature_check(struct rg_bytes der, struct rg_bytes content,
                                          struct rg_certificate *const *candidate, size_t count,
                                          struct rg_buffer *content_out, size_t *at_out,
                                          struct rg_reason *why);
/* The content as it stands, nothing verified: only to find out whom to ask about it. */
RG_MUST_USE rg_outcome rg_signature_claim(struct rg_bytes der, struct rg_buffer *content_out,
                                          struct rg_reason *why);

#endif
