/*
 * How it works
 *   The reading certificate signs itself; what makes it trustworthy is the card around it, signed
 *   by the officer's signing certificate. Opening therefore asks three things in this order: is the
 *   card signed by one of the candidates, is its content one reading certificate of the profile,
 *   and is its principal the signer's. Whether the signer may be trusted is the caller's question.
 */
#include "core/card.h"

#include "core/digest.h"
#include "core/signature.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static void x509_cleanup(X509 **x509)
{
    X509_free(*x509);
}

static bool add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *x509)
{
    uint8_t serial[16];
    rg_random(serial, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, always 16 bytes */
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    bool set = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return set;
}

static bool set_names(X509 *x509, const struct rg_principal *principal)
{
    static const unsigned char common_name[] = "referral reading key";
    char uri[RG_PRINCIPAL_BYTES + 8];
    (void)snprintf(uri, sizeof(uri), "URI:%s", principal->text);
    X509_NAME *name = X509_get_subject_name(x509);
    return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, common_name, -1, -1, 0) ==
               1 &&
           X509_set_issuer_name(x509, name) == 1 && add_extension(x509, NID_subject_alt_name, uri);
}

static bool set_validity(X509 *x509, struct rg_wall from, struct rg_wall until)
{
    return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(from.ms / 1000)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(until.ms / 1000)) != NULL;
}

static bool build(X509 *x509, const struct rg_principal *principal, struct rg_wall from,
                  struct rg_wall until, EVP_PKEY *pkey)
{
    return X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
           set_validity(x509, from, until) && X509_set_pubkey(x509, pkey) == 1 &&
           set_names(x509, principal) &&
           add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x509, NID_key_usage, "critical,keyAgreement") &&
           add_extension(x509, NID_ext_key_usage, "emailProtection") &&
           X509_sign(x509, pkey, EVP_sha256()) > 0;
}

static rg_outcome to_certificate(X509 *x509, struct rg_certificate **out, struct rg_reason *why)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    RG_CHECK(len > 0, why, RG_IO, "certificate-failed", "the certificate cannot be encoded");
    rg_outcome outcome = rg_certificate_parse(rg_bytes_of(der, (size_t)len), out, why);
    OPENSSL_free(der);
    return outcome;
}

rg_outcome rg_reading_key_new(const struct rg_principal *principal, struct rg_wall from,
                              struct rg_wall until, struct rg_key **key_out,
                              struct rg_certificate **certificate_out, struct rg_reason *why)
{
    RG_CHECK(until.ms > from.ms && until.ms - from.ms <= RG_READING_DAYS_MAX * DAY_MS, why,
             RG_LIMIT, "card-validity", "a reading key lives at most %d days", RG_READING_DAYS_MAX);
    RG_OWNED_KEY *key = NULL;
    RG_TRY(rg_key_take(EVP_EC_gen("P-256"), &key, why));
    RG_CLEANUP(x509_cleanup) X509 *x509 = X509_new();
    bool built = x509 != NULL && build(x509, principal, from, until, rg_key_pkey(key));
    ERR_clear_error();
    RG_CHECK(built, why, RG_IO, "certificate-failed", "OpenSSL could not make the certificate");
    RG_TRY(to_certificate(x509, certificate_out, why));
    *key_out = key;
    key = NULL;
    return rg_ok();
}

rg_outcome rg_card_make(const struct rg_certificate *signer, const struct rg_key *key,
                        const struct rg_certificate *reading, struct rg_buffer *out,
                        struct rg_reason *why)
{
    return rg_signature_make(rg_certificate_der(reading), signer, key, RG_SIGNATURE_WITH_CONTENT,
                             out, why);
}

/* The reasons of signature under the names a reader of a card log expects. */
static rg_outcome card_outcome(rg_outcome outcome, struct rg_reason *why)
{
    if (outcome.code == RG_MALFORMED) {
        return rg_fail(why, RG_MALFORMED, "card-form", "key card: not the form of a card");
    }
    if (outcome.code == RG_DENIED && why != NULL && why->id != NULL) {
        bool signer = strcmp(why->id, "signature-signer") == 0;
        why->id = signer ? "card-signer" : "card-signature";
    }
    return outcome;
}

static rg_outcome check_size(struct rg_bytes der, struct rg_reason *why)
{
    RG_CHECK(der.len <= RG_CARD_BYTES_MAX, why, RG_LIMIT, "card-too-large",
             "a key card of %zu bytes, at most %d are allowed", der.len, RG_CARD_BYTES_MAX);
    return rg_ok();
}

static rg_outcome check_reading(const struct rg_certificate *reading,
                                const struct rg_certificate *signer, struct rg_reason *why)
{
    const struct rg_principal *read_by = rg_certificate_principal(reading);
    const struct rg_principal *signed_by = rg_certificate_principal(signer);
    RG_CHECK(read_by != NULL && signed_by != NULL && strcmp(read_by->text, signed_by->text) == 0,
             why, RG_DENIED, "card-principal", "a key card of one officer signed by another");
    RG_TRY(rg_certificate_use_check(reading, RG_USE_READ, why));
    int64_t life_ms = rg_certificate_not_after(reading).ms - rg_certificate_not_before(reading).ms;
    RG_CHECK(life_ms <= RG_READING_DAYS_MAX * DAY_MS, why, RG_DENIED, "card-validity",
             "a reading key lives at most %d days", RG_READING_DAYS_MAX);
    return rg_ok();
}

rg_outcome rg_card_open(struct rg_bytes der, struct rg_certificate *const *candidate, size_t count,
                        struct rg_certificate **reading_out,
                        const struct rg_certificate **signer_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER content = {0};
    RG_OWNED_CERTIFICATE *reading = NULL;
    size_t at = 0;
    RG_TRY(check_size(der, why));
    rg_outcome checked =
        rg_signature_check(der, (struct rg_bytes){0}, candidate, count, &content, &at, why);
    if (!rg_is_ok(checked)) {
        return card_outcome(checked, why);
    }
    if (!rg_is_ok(rg_certificate_parse(rg_buffer_peek(&content), &reading, NULL))) {
        return rg_fail(why, RG_MALFORMED, "card-form", "key card: no certificate inside");
    }
    RG_TRY(check_reading(reading, candidate[at], why));
    *signer_out = candidate[at];
    *reading_out = reading;
    reading = NULL;
    return rg_ok();
}

/* The certificate in a card, before anything is verified. */
static rg_outcome claimed(struct rg_bytes der, struct rg_certificate **out, struct rg_reason *why)
{
    RG_OWNED_BUFFER content = {0};
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_TRY(check_size(der, why));
    bool read = rg_is_ok(rg_signature_claim(der, &content, NULL)) &&
                rg_is_ok(rg_certificate_parse(rg_buffer_peek(&content), &reading, NULL)) &&
                rg_certificate_principal(reading) != NULL;
    RG_CHECK(read, why, RG_MALFORMED, "card-form", "key card: not the form of a card");
    *out = reading;
    reading = NULL;
    return rg_ok();
}

rg_outcome rg_card_claim(struct rg_bytes der, struct rg_principal *out, struct rg_reason *why)
{
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_TRY(claimed(der, &reading, why));
    *out = *rg_certificate_principal(reading);
    return rg_ok();
}

rg_outcome rg_card_end(struct rg_bytes der, struct rg_wall *out, struct rg_reason *why)
{
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_TRY(claimed(der, &reading, why));
    *out = rg_certificate_not_after(reading);
    return rg_ok();
}
