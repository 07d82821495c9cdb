/*
 * NAME
 *   forge - certificates for tests, lawful ones and each way of being wrong
 *
 * DESCRIPTION
 *   Included by one test file each (static functions); ends the test when OpenSSL fails. Signed by
 *   itself unless an issuer and its key are given. Valid from 2026-01-01 to 2028-01-01 unless said
 *   otherwise.
 */
#ifndef RG_TESTS_FORGE_H
#define RG_TESTS_FORGE_H

#include "core/identity.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>

enum forge_kind {
    FORGE_SIGN = 1,
    FORGE_CLIENT,
    FORGE_GATEWAY,
    FORGE_READ,
    FORGE_ROOT,
    FORGE_BOTH,          /* signs and is a TLS client: no use allows that */
    FORGE_EXTRA_PURPOSE, /* a purpose OpenSSL does not know beside emailProtection */
    FORGE_UNKNOWN_CRITICAL,
};

struct forge {
    enum forge_kind kind;
    const char *uri;         /* NULL: none */
    const char *second_uri;  /* NULL: none */
    const char *country;     /* of a root's name constraint; NULL: unconstrained */
    const char *curve;       /* NULL: P-256 */
    const char *common_name; /* NULL: "forged" */
    int64_t from_s, until_s; /* 0: the usual */
};

#define FORGE_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "forge: %s failed\n", #condition);                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline void forge_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    FORGE_CHECK(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static inline void forge_unknown_critical(X509 *x509)
{
    ASN1_OBJECT *object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    FORGE_CHECK(object != NULL && value != NULL && ASN1_OCTET_STRING_set(value, NULL, 0) == 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
    FORGE_CHECK(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
}

static inline void forge_usage(X509 *x509, X509 *issuer, const struct forge *forge)
{
    static const char *const key_usage[] = {
        [FORGE_SIGN] = "critical,digitalSignature",
        [FORGE_CLIENT] = "critical,digitalSignature",
        [FORGE_GATEWAY] = "critical,digitalSignature",
        [FORGE_READ] = "critical,keyAgreement",
        [FORGE_ROOT] = "critical,keyCertSign,cRLSign",
        [FORGE_BOTH] = "critical,digitalSignature",
        [FORGE_EXTRA_PURPOSE] = "critical,digitalSignature",
        [FORGE_UNKNOWN_CRITICAL] = "critical,digitalSignature",
    };
    static const char *const purpose[] = {
        [FORGE_SIGN] = "emailProtection",
        [FORGE_CLIENT] = "clientAuth",
        [FORGE_GATEWAY] = "serverAuth,clientAuth",
        [FORGE_READ] = "emailProtection",
        [FORGE_ROOT] = NULL,
        [FORGE_BOTH] = "clientAuth,emailProtection",
        [FORGE_EXTRA_PURPOSE] = "emailProtection,1.3.6.1.4.1.99999.2",
        [FORGE_UNKNOWN_CRITICAL] = "emailProtection",
    };
    forge_extension(x509, issuer, NID_basic_constraints,
                    forge->kind == FORGE_ROOT ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
    forge_extension(x509, issuer, NID_key_usage, key_usage[forge->kind]);
    if (purpose[forge->kind] != NULL) {
        forge_extension(x509, issuer, NID_ext_key_usage, purpose[forge->kind]);
    }
    if (forge->kind == FORGE_UNKNOWN_CRITICAL) {
        forge_unknown_critical(x509);
    }
}

static inline void forge_names(X509 *x509, X509 *issuer, const struct forge *forge)
{
    char value[512];
    if (forge->uri != NULL) {
        (void)snprintf(value, sizeof(value), "URI:%s%s%s", forge->uri,
                       forge->second_uri != NULL ? ",URI:" : "",
                       forge->second_uri != NULL ? forge->second_uri : "");
        forge_extension(x509, issuer, NID_subject_alt_name, value);
    }
    if (forge->country != NULL) {
        (void)snprintf(value, sizeof(value), "critical,permitted;URI:%s", forge->country);
        forge_extension(x509, issuer, NID_name_constraints, value);
    }
}

static inline void forge_encode(X509 *x509, struct rg_buffer *out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    rg_buffer_clear(out);
    FORGE_CHECK(len > 0 && rg_is_ok(rg_buffer_append(out, rg_bytes_of(der, (size_t)len), NULL)));
    OPENSSL_free(der);
}

/* `issuer` NULL: signed by itself. */
static inline void forge_for_key(const struct forge *forge, EVP_PKEY *pkey,
                                 const struct rg_certificate *issuer,
                                 const struct rg_key *issuer_key, struct rg_buffer *out)
{
    static long serial = 1000;
    X509 *x509 = X509_new();
    FORGE_CHECK(x509 != NULL);
    X509 *by = issuer != NULL ? rg_certificate_x509(issuer) : x509;
    const char *name = forge->common_name != NULL ? forge->common_name : "forged";
    int64_t from_s = forge->from_s != 0 ? forge->from_s : INT64_C(1767225600);
    int64_t until_s = forge->until_s != 0 ? forge->until_s : INT64_C(1830297600);
    FORGE_CHECK(X509_set_version(x509, X509_VERSION_3) == 1);
    FORGE_CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial) == 1);
    FORGE_CHECK(ASN1_TIME_set(X509_getm_notBefore(x509), from_s) != NULL);
    FORGE_CHECK(ASN1_TIME_set(X509_getm_notAfter(x509), until_s) != NULL);
    FORGE_CHECK(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                           (const unsigned char *)name, -1, -1, 0) == 1);
    FORGE_CHECK(X509_set_issuer_name(x509, X509_get_subject_name(by)) == 1);
    FORGE_CHECK(X509_set_pubkey(x509, pkey) == 1);
    forge_extension(x509, by, NID_subject_key_identifier, "hash");
    if (issuer != NULL) {
        forge_extension(x509, by, NID_authority_key_identifier, "keyid");
    }
    forge_names(x509, by, forge);
    forge_usage(x509, by, forge);
    FORGE_CHECK(X509_sign(x509, issuer_key != NULL ? rg_key_pkey(issuer_key) : pkey, EVP_sha256()) >
                0);
    forge_encode(x509, out);
    X509_free(x509);
}

static inline void forge_der(const struct forge *forge, const struct rg_certificate *issuer,
                             const struct rg_key *issuer_key, EVP_PKEY **pkey_out,
                             struct rg_buffer *out)
{
    EVP_PKEY *pkey = EVP_EC_gen(forge->curve != NULL ? forge->curve : "P-256");
    FORGE_CHECK(pkey != NULL);
    forge_for_key(forge, pkey, issuer, issuer_key, out);
    if (pkey_out == NULL) {
        EVP_PKEY_free(pkey);
        return;
    }
    *pkey_out = pkey;
}

/* A second self-signed certificate for a key that has one. */
static inline struct rg_certificate *forge_with_key(const struct forge *forge,
                                                    const struct rg_key *key)
{
    RG_OWNED_BUFFER der = {0};
    struct rg_certificate *certificate = NULL;
    forge_for_key(forge, rg_key_pkey(key), NULL, NULL, &der);
    FORGE_CHECK(rg_is_ok(rg_certificate_parse(rg_buffer_peek(&der), &certificate, NULL)));
    return certificate;
}

static inline struct rg_certificate *forge_certificate(const struct forge *forge,
                                                       const struct rg_certificate *issuer,
                                                       const struct rg_key *issuer_key,
                                                       struct rg_key **key_out)
{
    RG_OWNED_BUFFER der = {0};
    EVP_PKEY *pkey = NULL;
    struct rg_certificate *certificate = NULL;
    struct rg_key *key = NULL;
    struct rg_reason why = {0};
    forge_der(forge, issuer, issuer_key, &pkey, &der);
    FORGE_CHECK(rg_is_ok(rg_key_take(pkey, &key, &why)));
    if (!rg_is_ok(rg_certificate_parse(rg_buffer_peek(&der), &certificate, &why))) {
        (void)fprintf(stderr, "forge: %s: %s\n", why.id, why.text);
        abort();
    }
    if (key_out == NULL) {
        rg_key_free(key);
        return certificate;
    }
    *key_out = key;
    return certificate;
}

#endif
