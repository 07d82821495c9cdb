/*
 * NAME
 *   digest - SHA-256, random bytes, constant-time comparison, wiping, hex and base64
 *
 * DESCRIPTION
 *   Thin calls over OpenSSL (EVP_MD, RAND_bytes, CRYPTO_memcmp, OPENSSL_cleanse). A failing digest
 * or random source ends the process: there is no safe way on (RG_ASSERT).
 *
 * THREADS
 *   All calls may be made from any thread.
 */
#ifndef RG_CORE_DIGEST_H
#define RG_CORE_DIGEST_H

#include "core/buffer.h"

struct rg_hash rg_sha256(struct rg_bytes bytes);
struct rg_hash rg_sha256_parts(const struct rg_bytes *part,
                               size_t count); /* of the concatenation */
void rg_random(void *out, size_t len);
bool rg_secret_equal(const void *a, const void *b, size_t len); /* constant time */
void rg_wipe(void *memory, size_t len);

/* `out` holds 2 * len + 1 bytes, lower case, NUL ended. */
void rg_hex(struct rg_bytes bytes, char *out);
RG_MUST_USE rg_outcome rg_hex_parse(const char *text, uint8_t *out, size_t len,
                                    struct rg_reason *why);
/* Standard alphabet with padding, RFC 4648 section 4, one line. Appends to `out`. */
RG_MUST_USE rg_outcome rg_base64(struct rg_bytes bytes, struct rg_buffer *out,
                                 struct rg_reason *why);
RG_MUST_USE rg_outcome rg_base64_parse(struct rg_bytes text, struct rg_buffer *out,
                                       struct rg_reason *why);

#endif
