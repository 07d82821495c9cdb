/*
 * NAME
 *   card - an officer's reading key and the key card that vouches for it
 *
 * SYNOPSIS
 *   rg_reading_key_new(principal, from, until, &key, &certificate, why)
 *   rg_card_make(signing_certificate, signing_key, reading_certificate, &der, why)
 *   rg_card_open(der, candidates, count, &reading_certificate, &signer, why)
 *
 * DESCRIPTION
 *   A reading key only opens sealed sections, for 30 days. Its certificate (RG_USE_READ) is signed
 * by itself and vouched for by the card: CMS SignedData (DER) over the certificate's DER, one
 * signature by the officer's signing certificate, no certificates inside. No publisher is needed:
 * the officer has signed. Principal of card signer and reading certificate must be equal.
 *
 * ERRORS
 *   RG_MALFORMED card-form; RG_DENIED card-signer (none of the candidates), card-signature,
 *   card-principal, card-validity (more than RG_READING_DAYS_MAX), certificate-wrong-usage;
 *   RG_LIMIT card-too-large.
 */
#ifndef RG_CORE_CARD_H
#define RG_CORE_CARD_H

#include "core/identity.h"

RG_MUST_USE rg_outcome rg_reading_key_new(const struct rg_principal *principal, struct rg_wall from,
                                          struct rg_wall until, struct rg_key **key_out,
                                          struct rg_certificate **certificate_out,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_card_make(const struct rg_certificate *signer, const struct rg_key *key,
                                    const struct rg_certificate *reading, struct rg_buffer *out,
                                    struct rg_reason *why);
/* `candidate`: the officer signing certificates among which the signer must be (borrowed). */
RG_MUST_USE rg_outcome rg_card_open(struct rg_bytes der, struct rg_certificate *const *candidate,
                                    size_t count, struct rg_certificate **reading_out,
                                    const struct rg_certificate **signer_out,
                                    struct rg_reason *why);
/* Until when the reading key in it is good; nothing is verified: for putting old cards away. */
RG_MUST_USE rg_outcome rg_card_end(struct rg_bytes der, struct rg_wall *out, struct rg_reason *why);
/* The principal a card claims, before anything is verified: to find the candidates. */
RG_MUST_USE rg_outcome rg_card_claim(struct rg_bytes der, struct rg_principal *out,
                                     struct rg_reason *why);

#endif
