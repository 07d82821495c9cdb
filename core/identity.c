/*
 * How it works
 *   A certificate is parsed once, checked for form (DER that encodes back to itself, exactly one
 *   URI name unless it is a CA, P-256 with SHA-256), and everything callers ask for later (digest,
 *   principal, validity) is taken out then. Whether it may be trusted is not decided here but in
 *   trust. Invariant: a struct rg_certificate that exists is well formed and never changes, so
 *   owners can share it by count.
 *   Private keys pass through secret buffers and OpenSSL's secure heap only; a key file that
 *   others can read is refused before its bytes are looked at. OpenSSL's error queue is left empty.
 */
#include "core/identity.h"

#include "core/digest.h"
#include "core/syntax.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct rg_certificate {
    size_t owners;
    X509 *x509;
    struct rg_buffer der;
    struct rg_hash digest;
    bool has_principal;
    struct rg_principal principal;
    struct rg_wall not_before, not_after;
};

struct rg_key {
    EVP_PKEY *pkey;
};

/* ---- principals ---- */

#define SCHEME "referral://"

bool rg_country_name_ok(const char *country)
{
    return rg_syntax_country(rg_bytes_of_text(country));
}

bool rg_office_name_ok(const char *office)
{
    return strlen(office) < RG_OFFICE_BYTES && rg_syntax_office(rg_bytes_of_text(office));
}

void rg_office_country(const char *office, char out[RG_COUNTRY_BYTES])
{
    size_t len = strcspn(office, "/");
    len = len < RG_COUNTRY_BYTES ? len : RG_COUNTRY_BYTES - 1;
    memcpy(out, office, len);
    out[len] = '\0';
}

/* The form is that of the wire, so that whoever has a certificate can also be named in a frame. */
rg_outcome rg_principal_parse(const char *text, struct rg_principal *out, struct rg_reason *why)
{
    size_t len = strlen(text);
    bool form = len < RG_PRINCIPAL_BYTES && rg_syntax_principal(rg_bytes_of_text(text));
    const char *office = form ? text + sizeof(SCHEME) - 1 : "/";
    const char *name = strchr(office, '/') + 1;
    const char *end = name + strcspn(name, "/");
    RG_CHECK(form && end - office < RG_OFFICE_BYTES, why, RG_MALFORMED, "principal-form",
             "a principal must look like referral://th/focal/officer-1");
    struct rg_principal principal = {.gateway = strcmp(name, "gateway") == 0};
    memcpy(principal.text, text, len);
    memcpy(principal.office, office, (size_t)(end - office));
    rg_office_country(principal.office, principal.country);
    *out = principal;
    return rg_ok();
}

/* ---- certificates ---- */

static rg_outcome bad_form(const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "certificate-form", "certificate: %s", what);
}

static bool is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t len = 0;
    return key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static rg_outcome time_of(const ASN1_TIME *time, struct rg_wall *out, struct rg_reason *why)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1) {
        return bad_form("its validity cannot be read", why);
    }
    *out = (struct rg_wall){.ms = (int64_t)timegm(&parts) * 1000};
    return rg_ok();
}

/* Exactly one name, a URI, without NUL inside. */
static rg_outcome read_names(const GENERAL_NAMES *names, struct rg_principal *out,
                             struct rg_reason *why)
{
    const GENERAL_NAME *name = names != NULL ? sk_GENERAL_NAME_value(names, 0) : NULL;
    RG_CHECK(name != NULL && sk_GENERAL_NAME_num(names) == 1 && name->type == GEN_URI, why,
             RG_MALFORMED, "certificate-no-principal",
             "certificate: it must have exactly one alternative name, a referral:// URI");
    const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
    size_t len = (size_t)ASN1_STRING_length(uri);
    const unsigned char *data = ASN1_STRING_get0_data(uri);
    char text[RG_PRINCIPAL_BYTES] = {0};
    RG_CHECK(len < sizeof(text) && memchr(data, 0, len) == NULL, why, RG_MALFORMED,
             "principal-form", "certificate: its URI is too long or holds a NUL");
    memcpy(text, data, len);
    return rg_principal_parse(text, out, why);
}

static rg_outcome read_principal(struct rg_certificate *certificate, struct rg_reason *why)
{
    int critical = 0;
    GENERAL_NAMES *names =
        X509_get_ext_d2i(certificate->x509, NID_subject_alt_name, &critical, NULL);
    if (names == NULL && critical == -2) {
        return bad_form("it has two lists of alternative names", why);
    }
    rg_outcome outcome = read_names(names, &certificate->principal, why);
    GENERAL_NAMES_free(names);
    certificate->has_principal = rg_is_ok(outcome);
    return outcome;
}

static rg_outcome check_encoding(const struct rg_certificate *certificate, struct rg_reason *why)
{
    unsigned char *again = NULL;
    int len = i2d_X509(certificate->x509, &again);
    bool same = len > 0 &&
                rg_bytes_equal(rg_bytes_of(again, (size_t)len), rg_buffer_peek(&certificate->der));
    OPENSSL_free(again);
    return same ? rg_ok() : bad_form("it is not one DER certificate", why);
}

static rg_outcome fill(struct rg_certificate *certificate, struct rg_reason *why)
{
    const X509 *x509 = certificate->x509;
    RG_TRY(check_encoding(certificate, why));
    if ((X509_get_extension_flags(certificate->x509) & EXFLAG_INVALID) != 0) {
        return bad_form("its extensions contradict each other", why);
    }
    if (!is_p256(X509_get0_pubkey(x509)) || X509_get_signature_nid(x509) != NID_ecdsa_with_SHA256) {
        return bad_form("only P-256 keys and ECDSA with SHA-256 are allowed", why);
    }
    RG_TRY(time_of(X509_get0_notBefore(x509), &certificate->not_before, why));
    RG_TRY(time_of(X509_get0_notAfter(x509), &certificate->not_after, why));
    certificate->digest = rg_sha256(rg_buffer_peek(&certificate->der));
    bool is_ca = X509_check_ca(certificate->x509) != 0;
    return is_ca ? rg_ok() : read_principal(certificate, why);
}

static rg_outcome parse(struct rg_bytes der, struct rg_certificate **out, struct rg_reason *why)
{
    RG_CHECK(der.len > 0 && der.len <= RG_CERTIFICATE_BYTES_MAX, why, RG_MALFORMED,
             "certificate-form", "certificate: %zu bytes, at most %d are allowed", der.len,
             RG_CERTIFICATE_BYTES_MAX);
    RG_OWNED_CERTIFICATE *certificate = calloc(1, sizeof(*certificate));
    RG_CHECK(certificate != NULL, why, RG_IO, "out-of-memory", "cannot allocate a certificate");
    certificate->owners = 1;
    RG_TRY(rg_buffer_append(&certificate->der, der, why));
    const unsigned char *at = der.data;
    certificate->x509 = d2i_X509(NULL, &at, (long)der.len);
    if (certificate->x509 == NULL || at != der.data + der.len) {
        return bad_form("it is not one DER certificate", why);
    }
    RG_TRY(fill(certificate, why));
    *out = certificate;
    certificate = NULL;
    return rg_ok();
}

rg_outcome rg_certificate_parse(struct rg_bytes der, struct rg_certificate **out,
                                struct rg_reason *why)
{
    rg_outcome outcome = parse(der, out, why);
    ERR_clear_error();
    return outcome;
}

static rg_outcome pem_to_der(struct rg_bytes pem, struct rg_buffer *out, struct rg_reason *why)
{
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.len);
    RG_ASSERT(memory != NULL);
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    bool read = PEM_read_bio(memory, &name, &header, &data, &len) == 1 &&
                strcmp(name, PEM_STRING_X509) == 0;
    rg_outcome outcome = read ? rg_buffer_append(out, rg_bytes_of(data, (size_t)len), why)
                              : bad_form("the file is neither PEM nor DER", why);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(memory);
    ERR_clear_error();
    return outcome;
}

rg_outcome rg_certificate_read(const char *path, struct rg_certificate **out, struct rg_reason *why)
{
    RG_OWNED_BUFFER file = {0};
    RG_OWNED_BUFFER der = {0};
    RG_TRY(rg_file_read(path, 4 * RG_CERTIFICATE_BYTES_MAX, &file, why));
    if (file.len > 0 && file.data[0] == 0x30) { /* a DER SEQUENCE */
        return rg_certificate_parse(rg_buffer_peek(&file), out, why);
    }
    RG_TRY(pem_to_der(rg_buffer_peek(&file), &der, why));
    return rg_certificate_parse(rg_buffer_peek(&der), out, why);
}

struct rg_certificate *rg_certificate_share(struct rg_certificate *certificate)
{
    certificate->owners++;
    return certificate;
}

void rg_certificate_free(struct rg_certificate *certificate)
{
    if (certificate == NULL || --certificate->owners > 0) {
        return;
    }
    X509_free(certificate->x509);
    rg_buffer_drop(&certificate->der);
    free(certificate);
}

void rg_certificate_cleanup(struct rg_certificate **certificate)
{
    rg_certificate_free(*certificate);
}

struct rg_bytes rg_certificate_der(const struct rg_certificate *certificate)
{
    return rg_buffer_peek(&certificate->der);
}

struct rg_hash rg_certificate_digest(const struct rg_certificate *certificate)
{
    return certificate->digest;
}

const struct rg_principal *rg_certificate_principal(const struct rg_certificate *certificate)
{
    return certificate->has_principal ? &certificate->principal : NULL;
}

struct rg_wall rg_certificate_not_before(const struct rg_certificate *certificate)
{
    return certificate->not_before;
}

struct rg_wall rg_certificate_not_after(const struct rg_certificate *certificate)
{
    return certificate->not_after;
}

struct x509_st *rg_certificate_x509(const struct rg_certificate *certificate)
{
    return certificate->x509;
}

/* The number of purposes listed, since OpenSSL's bit mask leaves out those it does not know. */
static int purposes(X509 *x509)
{
    EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
    int count = list != NULL ? sk_ASN1_OBJECT_num(list) : 0;
    EXTENDED_KEY_USAGE_free(list);
    return count;
}

static bool ca_fits(X509 *x509)
{
    return X509_check_ca(x509) == 1 && (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) != 0;
}

static bool leaf_fits(X509 *x509, uint32_t key_usage, uint32_t purpose)
{
    return X509_check_ca(x509) == 0 && X509_get_key_usage(x509) == key_usage &&
           X509_get_extended_key_usage(x509) == purpose &&
           purposes(x509) == __builtin_popcount(purpose);
}

rg_outcome rg_certificate_use_check(const struct rg_certificate *certificate, enum rg_use use,
                                    struct rg_reason *why)
{
    X509 *x509 = certificate->x509;
    bool gateway = certificate->has_principal && certificate->principal.gateway;
    bool fits = false;
    switch (use) {
    case RG_USE_TLS:
        fits = leaf_fits(x509, KU_DIGITAL_SIGNATURE,
                         gateway ? XKU_SSL_SERVER | XKU_SSL_CLIENT : XKU_SSL_CLIENT);
        break;
    case RG_USE_SIGN:
        fits = !gateway && leaf_fits(x509, KU_DIGITAL_SIGNATURE, XKU_SMIME);
        break;
    case RG_USE_READ:
        fits = !gateway && leaf_fits(x509, KU_KEY_AGREEMENT, XKU_SMIME);
        break;
    case RG_USE_CA:
        fits = ca_fits(x509);
        break;
    default:
        break;
    }
    RG_CHECK(fits && (X509_get_extension_flags(x509) & EXFLAG_CRITICAL) == 0, why, RG_DENIED,
             "certificate-wrong-usage", "the certificate was not issued for this use");
    return rg_ok();
}

rg_outcome rg_certificate_time_check(const struct rg_certificate *certificate, struct rg_wall at,
                                     struct rg_reason *why)
{
    RG_CHECK(at.ms >= certificate->not_before.ms, why, RG_DENIED, "certificate-not-yet-valid",
             "the certificate is not valid yet; check the clock");
    RG_CHECK(at.ms <= certificate->not_after.ms, why, RG_DENIED, "certificate-expired",
             "the certificate has expired; ask its country for a new one");
    return rg_ok();
}

static bool permits_only(const NAME_CONSTRAINTS *constraints, const char *country)
{
    if (constraints == NULL || sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees) != 1) {
        return false;
    }
    const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, 0)->base;
    if (base->type != GEN_URI) {
        return false;
    }
    const ASN1_IA5STRING *uri = base->d.uniformResourceIdentifier;
    return rg_bytes_equal(rg_bytes_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri)),
                          rg_bytes_of_text(country));
}

rg_outcome rg_certificate_country_check(const struct rg_certificate *root, const char *country,
                                        struct rg_reason *why)
{
    NAME_CONSTRAINTS *constraints = X509_get_ext_d2i(root->x509, NID_name_constraints, NULL, NULL);
    bool bound = permits_only(constraints, country);
    NAME_CONSTRAINTS_free(constraints);
    RG_CHECK(bound, why, RG_DENIED, "root-unconstrained",
             "the root of \"%s\" must have the name constraint permitted;URI:%s", country, country);
    return rg_ok();
}

bool rg_certificate_same_key(const struct rg_certificate *a, const struct rg_certificate *b)
{
    return EVP_PKEY_eq(X509_get0_pubkey(a->x509), X509_get0_pubkey(b->x509)) == 1;
}

/* ---- private keys ---- */

/* Never asks a person: a key under a passphrase is refused instead of hanging a daemon. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

rg_outcome rg_key_take(struct evp_pkey_st *pkey, struct rg_key **out, struct rg_reason *why)
{
    bool fits = pkey != NULL && (is_p256(pkey) || EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519);
    struct rg_key *key = fits ? calloc(1, sizeof(*key)) : NULL;
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return rg_fail(why, RG_MALFORMED, "key-form",
                       "not a P-256 or Ed25519 private key in PEM without passphrase");
    }
    key->pkey = pkey;
    *out = key;
    return rg_ok();
}

rg_outcome rg_key_parse(struct rg_bytes pem, struct rg_key **out, struct rg_reason *why)
{
    RG_CHECK(pem.len <= RG_KEY_FILE_BYTES_MAX, why, RG_MALFORMED, "key-form", "a key of %zu bytes",
             pem.len);
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.len);
    RG_ASSERT(memory != NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL);
    BIO_free(memory);
    ERR_clear_error();
    return rg_key_take(pkey, out, why);
}

rg_outcome rg_key_read(const char *path, struct rg_key **out, struct rg_reason *why)
{
    RG_OWNED_BUFFER pem = {.secret = true};
    RG_TRY(rg_file_read_private(path, RG_KEY_FILE_BYTES_MAX, &pem, why));
    return rg_key_parse(rg_buffer_peek(&pem), out, why);
}

rg_outcome rg_key_print(const struct rg_key *key, struct rg_buffer *out, struct rg_reason *why)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    RG_ASSERT(memory != NULL);
    char *data = NULL;
    bool written = PEM_write_bio_PKCS8PrivateKey(memory, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long len = BIO_get_mem_data(memory, &data);
    rg_outcome outcome = rg_fail(why, RG_IO, "key-form", "the key cannot be written");
    if (written && len > 0) {
        outcome = rg_buffer_append(out, rg_bytes_of(data, (size_t)len), why);
        rg_wipe(data, (size_t)len);
    }
    BIO_free(memory);
    return outcome;
}

rg_outcome rg_key_write(const struct rg_key *key, const char *path, struct rg_reason *why)
{
    RG_OWNED_BUFFER pem = {.secret = true};
    RG_TRY(rg_key_print(key, &pem, why));
    return rg_file_replace(path, rg_buffer_peek(&pem), 0600, why);
}

void rg_key_free(struct rg_key *key)
{
    if (key != NULL) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

void rg_key_cleanup(struct rg_key **key)
{
    rg_key_free(*key);
}

rg_outcome rg_key_matches(const struct rg_key *key, const struct rg_certificate *certificate,
                          struct rg_reason *why)
{
    RG_CHECK(EVP_PKEY_eq(X509_get0_pubkey(certificate->x509), key->pkey) == 1, why, RG_DENIED,
             "key-mismatch", "the private key does not belong to the certificate");
    return rg_ok();
}

struct evp_pkey_st *rg_key_pkey(const struct rg_key *key)
{
    return key->pkey;
}
