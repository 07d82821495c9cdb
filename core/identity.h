/*
 * NAME
 *   identity - certificates, private keys and the URI principals they speak for
 *
 * SYNOPSIS
 *   rg_principal_parse("referral://th/focal/officer-1", &principal, why)
 *   rg_certificate_parse(der, &certificate, why)     rg_certificate_read(path, ...)   PEM or DER
 *   rg_certificate_use_check(certificate, RG_USE_SIGN, why)
 *   rg_key_read(path, &key, why)                     refused when others can read the file
 *
 * DESCRIPTION
 *   The X.509 profile (docs/protocol.md): exactly one URI subject alternative name, which is the
 * principal; its host is the country, so that a root's name constraint binds it. P-256 keys,
 * SHA-256.
 *
 *   use      keyUsage          extendedKeyUsage               who
 *   TLS      digitalSignature  serverAuth+clientAuth, or      gateway `referral://th/gateway`;
 *                              clientAuth                     an officer's device
 *   SIGN     digitalSignature  emailProtection                officer; publisher; authority
 *   READ     keyAgreement      emailProtection                officer's reading key, self-signed,
 *                                                             30 days, made by rg_reading_key_new
 *   CA       keyCertSign       -                              country root, with name constraints
 *
 * OWNERSHIP
 *   Certificates are counted: rg_certificate_share gives another owner. Accessors borrow.
 *
 * ERRORS
 *   RG_MALFORMED principal-form, certificate-form, certificate-no-principal (not exactly one URI
 *   name), key-form; RG_DENIED certificate-expired, certificate-not-yet-valid,
 *   certificate-wrong-usage, key-file-readable, key-mismatch; RG_IO file-unreadable.
 *
 * THREADS
 *   None of this is shared between threads.
 */
#ifndef RG_CORE_IDENTITY_H
#define RG_CORE_IDENTITY_H

#include "core/buffer.h"
#include "core/limits.h"

struct rg_certificate;
struct rg_key;
struct x509_st;     /* OpenSSL's X509, for the modules that are its home */
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum rg_use { RG_USE_TLS = 1, RG_USE_SIGN, RG_USE_READ, RG_USE_CA };

struct rg_principal {
    char text[RG_PRINCIPAL_BYTES];  /* "referral://th/focal/officer-1" */
    char country[RG_COUNTRY_BYTES]; /* "th" */
    char office[RG_OFFICE_BYTES];   /* "th/focal"; "th/gateway" for the gateway itself */
    bool gateway;
};

/* "referral://" country "/" name [ "/" name ]; lower case, digits, '-'; at most the limits. */
RG_MUST_USE rg_outcome rg_principal_parse(const char *text, struct rg_principal *out,
                                          struct rg_reason *why);
bool rg_office_name_ok(const char *office);   /* "th/focal" */
bool rg_country_name_ok(const char *country); /* "th" */
void rg_office_country(const char *office, char out[RG_COUNTRY_BYTES]);

RG_MUST_USE rg_outcome rg_certificate_parse(struct rg_bytes der, struct rg_certificate **out,
                                            struct rg_reason *why);
RG_MUST_USE rg_outcome rg_certificate_read(const char *path, struct rg_certificate **out,
                                           struct rg_reason *why);
struct rg_certificate *rg_certificate_share(struct rg_certificate *certificate);
void rg_certificate_free(struct rg_certificate *certificate);
void rg_certificate_cleanup(struct rg_certificate **certificate);
#define RG_OWNED_CERTIFICATE RG_CLEANUP(rg_certificate_cleanup) struct rg_certificate

struct rg_bytes rg_certificate_der(const struct rg_certificate *certificate);
struct rg_hash rg_certificate_digest(const struct rg_certificate *certificate); /* SHA-256 of DER */
/* CA certificates have none: NULL. */
const struct rg_principal *rg_certificate_principal(const struct rg_certificate *certificate);
struct rg_wall rg_certificate_not_before(const struct rg_certificate *certificate);
struct rg_wall rg_certificate_not_after(const struct rg_certificate *certificate);
RG_MUST_USE rg_outcome rg_certificate_use_check(const struct rg_certificate *certificate,
                                                enum rg_use use, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_certificate_time_check(const struct rg_certificate *certificate,
                                                 struct rg_wall at, struct rg_reason *why);
/* A root is bound to its country: its only permitted name is the URI host `country`.
 * RG_DENIED root-unconstrained. */
RG_MUST_USE rg_outcome rg_certificate_country_check(const struct rg_certificate *root,
                                                    const char *country, struct rg_reason *why);
bool rg_certificate_same_key(const struct rg_certificate *a, const struct rg_certificate *b);
struct x509_st *rg_certificate_x509(const struct rg_certificate *certificate); /* borrowed */

RG_MUST_USE rg_outcome rg_key_read(const char *path, struct rg_key **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_key_write(const struct rg_key *key, const char *path, /* PEM, mode 0600 */
                                    struct rg_reason *why);
/* PEM from and to memory; `out` should be a secret buffer. */
RG_MUST_USE rg_outcome rg_key_parse(struct rg_bytes pem, struct rg_key **out,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_key_print(const struct rg_key *key, struct rg_buffer *out,
                                    struct rg_reason *why);
/* Takes the key in any case; refused unless P-256 or Ed25519. */
RG_MUST_USE rg_outcome rg_key_take(struct evp_pkey_st *pkey, struct rg_key **out,
                                   struct rg_reason *why);
void rg_key_free(struct rg_key *key);
void rg_key_cleanup(struct rg_key **key);
#define RG_OWNED_KEY RG_CLEANUP(rg_key_cleanup) struct rg_key
RG_MUST_USE rg_outcome rg_key_matches(const struct rg_key *key,
                                      const struct rg_certificate *certificate,
                                      struct rg_reason *why);
struct evp_pkey_st *rg_key_pkey(const struct rg_key *key); /* borrowed */

#endif
