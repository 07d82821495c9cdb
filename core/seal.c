/*
 * How it works: the profile has so few moving parts that its DER is written and read as fixed
 * pieces with holes for the random and the secret. A wrap is 182 bytes with three holes; an
 * envelope is 4, 8, 16 or 32 wraps, a nonce, the ciphertext and a tag. Reading compares every byte
 * outside the holes, so "exactly this profile" is one expression, and there is no ASN.1 parser to
 * confuse. The primitives (ECDH, AES wrap, GCM, ECDSA) are OpenSSL's; the tests open everything
 * with the stock `openssl cms`. Going past OpenSSL's own CMS code halves the time of a seal: that
 * checks each public key by a second scalar multiplication and decodes each through a chain of
 * decoders.
 *
 * Invariants: nothing is decided by key identifiers, they are noise; no key is used before the
 * whole envelope has the form; plaintext and keys live in wiped memory; a plaintext whose tag is
 * wrong is wiped before anybody sees it; OpenSSL's error queue is empty after each call.
 */
#include "core/seal.h"

#include "core/der.h"
#include "core/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The fixed pieces */

#define OID_DATA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define OID_SIGNED_DATA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define OID_AUTH_ENVELOPED "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"
#define ALG_SHA256 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define ALG_ECDSA_SHA256 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ALG_AES256_WRAP "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2d"
#define VERSION(digit) "\x02\x01" digit

/* KeyAgreeRecipientInfo, version 3: ephemeral point, dhSinglePass-stdDH-sha256kdf with AES-256
 * wrap, one recipient by key identifier (RFC 5753). */
#define WRAP_HEAD                                                                                  \
    "\xa1\x81\xb3" VERSION("\x03") "\xa0\x51\xa1\x4f\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"  \
                                   "\x03\x42\x00"
#define WRAP_MIDDLE                                                                                \
    "\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x01" ALG_AES256_WRAP "\x30\x44\x30\x42\xa0\x16\x04\x14"
#define WRAP_KEY "\x04\x28"

#define POINT_BYTES 65
#define KEY_ID_BYTES 20
#define KEY_BYTES 32
#define WRAPPED_KEY_BYTES 40
#define NONCE_BYTES 12
#define MAC_BYTES 16
#define WRAP_BYTES 182
#define WRAPS_MIN 4

/* AES-256-GCM with a 12-byte nonce and a 16-byte tag (RFC 5084). */
#define GCM_HEAD "\x30\x1e\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2e\x30\x11\x04\x0c"
#define GCM_TAIL VERSION("\x10")

/* ECC-CMS-SharedInfo for a 256-bit AES wrap key, without user keying material. */
#define SHARED_INFO "\x00\x00\x00\x01\x30\x15" ALG_AES256_WRAP "\xa2\x06\x04\x04\x00\x00\x01\x00"

/* Signed attributes: content type, message digest; a signing time between them is allowed. */
#define ATTRIBUTE_TYPE "\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b" OID_DATA
#define ATTRIBUTE_TIME "\x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05\x31\x0f\x17\x0d"
#define ATTRIBUTE_DIGEST "\x30\x2f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04\x31\x22\x04\x20"
#define UTC_TIME_BYTES 13

#define TEXT(literal) RG_BYTES_LITERAL(literal)
#define LENGTH(literal) (sizeof(literal) - 1)

_Static_assert(LENGTH(WRAP_HEAD) + POINT_BYTES + LENGTH(WRAP_MIDDLE) + KEY_ID_BYTES +
                       LENGTH(WRAP_KEY) + WRAPPED_KEY_BYTES ==
                   WRAP_BYTES,
               "the lengths inside a wrap");
_Static_assert(RG_READERS_MAX == 32, "the largest number of wraps");
_Static_assert(RG_BUFFER_BYTES_MAX < INT_MAX, "EVP counts in int");

/* Algorithms, fetched once for the process: a fetch by name costs as much as a small digest. */

static struct {
    EVP_CIPHER *gcm, *wrap;
} algorithm;
static CRYPTO_ONCE algorithm_once = CRYPTO_ONCE_STATIC_INIT;

static void fetch_algorithms(void)
{
    algorithm.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algorithm.wrap = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
    RG_ASSERT(algorithm.gcm != NULL && algorithm.wrap != NULL);
}

static void need_algorithms(void)
{
    RG_ASSERT(CRYPTO_THREAD_run_once(&algorithm_once, fetch_algorithms) == 1);
}

static void cipher_cleanup(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static void digest_cleanup(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void pkey_cleanup(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

static void pkey_context_cleanup(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

static rg_outcome crypto_failed(struct rg_reason *why)
{
    ERR_clear_error();
    return rg_fail(why, RG_IO, "seal-crypto", "the cryptographic library failed");
}

static rg_outcome profile_wrong(struct rg_reason *why, const char *what)
{
    ERR_clear_error();
    return rg_fail(why, RG_MALFORMED, "seal-profile", "not sealed as the protocol says: %s", what);
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[32];
    return pkey != NULL && EVP_PKEY_is_a(pkey, "EC") == 1 &&
           EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* Signing */

struct signature {
    uint8_t bytes[80]; /* a P-256 signature has at most 72 */
    size_t len;
};

static rg_outcome sign_attributes(const struct rg_key *key, struct rg_bytes attributes,
                                  struct signature *out, struct rg_reason *why)
{
    RG_CLEANUP(digest_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    out->len = sizeof(out->bytes);
    bool done =
        context != NULL &&
        EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, rg_key_pkey(key), NULL) == 1 &&
        EVP_DigestSign(context, out->bytes, &out->len, attributes.data, attributes.len) == 1;
    return done ? rg_ok() : crypto_failed(why);
}

/* IssuerAndSerialNumber without its header. */
static rg_outcome put_signer_name(const struct rg_certificate *certificate, struct rg_buffer *out,
                                  struct rg_reason *why)
{
    const X509 *x509 = rg_certificate_x509(certificate);
    const unsigned char *issuer = NULL;
    size_t issuer_len = 0;
    unsigned char *serial = NULL;
    if (X509_NAME_get0_der(X509_get_issuer_name(x509), &issuer, &issuer_len) != 1) {
        return crypto_failed(why);
    }
    int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(x509), &serial);
    if (serial_len <= 0) {
        return crypto_failed(why);
    }
    rg_outcome outcome = rg_buffer_append(out, rg_bytes_of(issuer, issuer_len), why);
    if (rg_is_ok(outcome)) {
        outcome = rg_buffer_append(out, rg_bytes_of(serial, (size_t)serial_len), why);
    }
    OPENSSL_free(serial);
    return outcome;
}

/* Content type and message digest, as the SET that is signed. */
static void
write_attributes(struct rg_hash digest,
                 uint8_t out[2 + LENGTH(ATTRIBUTE_TYPE) + LENGTH(ATTRIBUTE_DIGEST) + 32])
{
    size_t at = 0;
    out[at++] = RG_DER_SET;
    out[at++] = LENGTH(ATTRIBUTE_TYPE) + LENGTH(ATTRIBUTE_DIGEST) + 32;
    memcpy(out + at, ATTRIBUTE_TYPE, LENGTH(ATTRIBUTE_TYPE));
    at += LENGTH(ATTRIBUTE_TYPE);
    memcpy(out + at, ATTRIBUTE_DIGEST, LENGTH(ATTRIBUTE_DIGEST));
    at += LENGTH(ATTRIBUTE_DIGEST);
    memcpy(out + at, digest.b, sizeof(digest.b));
}

static rg_outcome put_signer_info(const struct rg_signer *signer, struct rg_hash digest,
                                  struct rg_buffer *out, struct rg_reason *why)
{
    uint8_t attributes[2 + LENGTH(ATTRIBUTE_TYPE) + LENGTH(ATTRIBUTE_DIGEST) + 32];
    struct signature signature = {0};
    RG_OWNED_BUFFER name = {0};
    RG_OWNED_BUFFER body = {0};
    RG_CHECK(is_p256(rg_key_pkey(signer->key)), why, RG_DENIED, "seal-signer",
             "a section is signed with a P-256 key");
    RG_TRY(rg_key_matches(signer->key, signer->certificate, why));
    write_attributes(digest, attributes);
    RG_TRY(
        sign_attributes(signer->key, rg_bytes_of(attributes, sizeof(attributes)), &signature, why));
    RG_TRY(put_signer_name(signer->certificate, &name, why));
    attributes[0] = RG_DER_CONTEXT_0;
    RG_TRY(rg_buffer_append(&body, TEXT(VERSION("\x01")), why));
    RG_TRY(rg_der_put_element(&body, RG_DER_SEQUENCE, rg_buffer_peek(&name), why));
    RG_TRY(rg_buffer_append(&body, TEXT(ALG_SHA256), why));
    RG_TRY(rg_buffer_append(&body, rg_bytes_of(attributes, sizeof(attributes)), why));
    RG_TRY(rg_buffer_append(&body, TEXT(ALG_ECDSA_SHA256), why));
    RG_TRY(
        rg_der_put_element(&body, RG_DER_OCTETS, rg_bytes_of(signature.bytes, signature.len), why));
    return rg_der_put_element(out, RG_DER_SEQUENCE, rg_buffer_peek(&body), why);
}

/* DER sorts a SET OF by its encodings. */
static bool stands_before(struct rg_bytes a, struct rg_bytes b)
{
    size_t both = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, both);
    return order < 0 || (order == 0 && a.len < b.len);
}

/* One or two, the second may be empty. */
static rg_outcome put_sorted(struct rg_bytes first, struct rg_bytes second, struct rg_buffer *out,
                             struct rg_reason *why)
{
    bool swap = second.len > 0 && stands_before(second, first);
    RG_TRY(rg_buffer_append(out, swap ? second : first, why));
    return rg_buffer_append(out, swap ? first : second, why);
}

static rg_outcome put_signer_infos(const struct rg_signer *signer, size_t count,
                                   struct rg_hash digest, struct rg_buffer *out,
                                   struct rg_reason *why)
{
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER second = {0};
    RG_TRY(put_signer_info(&signer[0], digest, &first, why));
    if (count == 2) {
        RG_TRY(put_signer_info(&signer[1], digest, &second, why));
    }
    return put_sorted(rg_buffer_peek(&first), rg_buffer_peek(&second), out, why);
}

static rg_outcome put_signed_data(struct rg_bytes content, struct rg_bytes signers,
                                  struct rg_buffer *out, struct rg_reason *why)
{
    size_t octets = rg_der_element_bytes(content.len);
    size_t inner = LENGTH(OID_DATA) + rg_der_element_bytes(octets);
    size_t algorithms = LENGTH(ALG_SHA256);
    size_t body = LENGTH(VERSION("\x01")) + rg_der_element_bytes(algorithms) +
                  rg_der_element_bytes(inner) + rg_der_element_bytes(signers.len);
    size_t explicit = rg_der_element_bytes(body);
    size_t whole = LENGTH(OID_SIGNED_DATA) + rg_der_element_bytes(explicit);
    RG_TRY(rg_buffer_reserve(out, rg_der_element_bytes(whole), why));
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, whole, why));
    RG_TRY(rg_buffer_append(out, TEXT(OID_SIGNED_DATA), why));
    RG_TRY(rg_der_put_header(out, RG_DER_CONTEXT_0, explicit, why));
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, body, why));
    RG_TRY(rg_buffer_append(out, TEXT(VERSION("\x01")), why));
    RG_TRY(rg_der_put_element(out, RG_DER_SET, TEXT(ALG_SHA256), why));
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, inner, why));
    RG_TRY(rg_buffer_append(out, TEXT(OID_DATA), why));
    RG_TRY(rg_der_put_header(out, RG_DER_CONTEXT_0, octets, why));
    RG_TRY(rg_der_put_element(out, RG_DER_OCTETS, content, why));
    return rg_der_put_element(out, RG_DER_SET, signers, why);
}

static rg_outcome sign_section(const struct rg_section *section, size_t padded_bytes,
                               const struct rg_signer *signer, size_t signer_count,
                               struct rg_buffer *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER content = {.secret = true};
    RG_OWNED_BUFFER signers = {0};
    RG_TRY(rg_section_encode(section, padded_bytes, &content, why));
    struct rg_hash digest = rg_sha256(rg_buffer_peek(&content));
    RG_TRY(put_signer_infos(signer, signer_count, digest, &signers, why));
    return put_signed_data(rg_buffer_peek(&content), rg_buffer_peek(&signers), out, why);
}

/* Agreement: the key that wraps the content key, from one private and one public key */

struct secret_key {
    uint8_t b[KEY_BYTES];
};

static void secret_cleanup(struct secret_key *key)
{
    rg_wipe(key, sizeof(*key));
}

/* X9.63 with SHA-256 gives the 32 bytes in its first block. */
static void derive_wrap_key(const struct secret_key *shared, struct secret_key *out)
{
    const struct rg_bytes part[] = {{shared->b, sizeof(shared->b)}, TEXT(SHARED_INFO)};
    struct rg_hash hash = rg_sha256_parts(part, 2);
    memcpy(out->b, hash.b, sizeof(out->b));
    rg_wipe(&hash, sizeof(hash));
}

/* The peer's point is on the curve, or it could not have been loaded; the curve's cofactor is 1, so
 * there is no small subgroup left to check for. */
static bool agree(EVP_PKEY_CTX *own, EVP_PKEY *peer, struct secret_key *out)
{
    RG_CLEANUP(secret_cleanup) struct secret_key shared = {{0}};
    size_t len = sizeof(shared.b);
    if (EVP_PKEY_derive_set_peer_ex(own, peer, 0) != 1 ||
        EVP_PKEY_derive(own, shared.b, &len) != 1 || len != sizeof(shared.b)) {
        return false;
    }
    derive_wrap_key(&shared, out);
    return true;
}

static EVP_PKEY_CTX *agreement_of(EVP_PKEY *own)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    if (context != NULL && EVP_PKEY_derive_init(context) == 1) {
        return context;
    }
    EVP_PKEY_CTX_free(context);
    return NULL;
}

/* AES-256 key wrap, RFC 3394. `wrap`: KEY_BYTES to WRAPPED_KEY_BYTES, else back with a check. */
static bool run_wrap(const struct secret_key *key, bool wrap, struct rg_bytes in, uint8_t *out)
{
    RG_CLEANUP(cipher_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL) {
        return false;
    }
    uint8_t room[WRAPPED_KEY_BYTES + 16];
    int len = 0;
    size_t want = wrap ? WRAPPED_KEY_BYTES : KEY_BYTES;
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool done = EVP_CipherInit_ex2(context, algorithm.wrap, key->b, NULL, wrap, NULL) == 1 &&
                EVP_CipherUpdate(context, room, &len, in.data, (int)in.len) == 1 &&
                (size_t)len == want;
    if (done) {
        memcpy(out, room, want);
    }
    rg_wipe(room, sizeof(room));
    return done;
}

/* Sealing */

static EVP_PKEY_CTX *key_maker(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
        EVP_PKEY_CTX_set_group_name(context, "P-256") == 1) {
        return context;
    }
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static void write_wrap(uint8_t out[WRAP_BYTES], const uint8_t point[POINT_BYTES],
                       const uint8_t wrapped[WRAPPED_KEY_BYTES])
{
    memcpy(out, WRAP_HEAD, LENGTH(WRAP_HEAD));
    out += LENGTH(WRAP_HEAD);
    memcpy(out, point, POINT_BYTES);
    out += POINT_BYTES;
    memcpy(out, WRAP_MIDDLE, LENGTH(WRAP_MIDDLE));
    out += LENGTH(WRAP_MIDDLE);
    rg_random(out, KEY_ID_BYTES);
    out += KEY_ID_BYTES;
    memcpy(out, WRAP_KEY, LENGTH(WRAP_KEY));
    out += LENGTH(WRAP_KEY);
    memcpy(out, wrapped, WRAPPED_KEY_BYTES);
}

static bool make_wrap(EVP_PKEY_CTX *maker, EVP_PKEY *reader, const struct secret_key *content_key,
                      uint8_t out[WRAP_BYTES])
{
    RG_CLEANUP(pkey_cleanup) EVP_PKEY *ephemeral = NULL;
    RG_CLEANUP(secret_cleanup) struct secret_key wrap_key = {{0}};
    uint8_t point[POINT_BYTES], wrapped[WRAPPED_KEY_BYTES];
    size_t point_len = 0;
    if (EVP_PKEY_keygen(maker, &ephemeral) != 1 ||
        EVP_PKEY_get_octet_string_param(ephemeral, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point,
                                        sizeof(point), &point_len) != 1 ||
        point_len != sizeof(point)) {
        return false;
    }
    RG_CLEANUP(pkey_context_cleanup) EVP_PKEY_CTX *own = agreement_of(ephemeral);
    if (own == NULL || !agree(own, reader, &wrap_key) ||
        !run_wrap(&wrap_key, true, rg_bytes_of(content_key->b, sizeof(content_key->b)), wrapped)) {
        return false;
    }
    write_wrap(out, point, wrapped);
    return true;
}

struct wraps {
    uint8_t wrap[RG_READERS_MAX][WRAP_BYTES];
    size_t count;
};

static int compare_wraps(const void *a, const void *b)
{
    return memcmp(a, b, WRAP_BYTES);
}

static rg_outcome reader_key(const struct rg_certificate *reader, EVP_PKEY **out,
                             struct rg_reason *why)
{
    EVP_PKEY *pkey = X509_get0_pubkey(rg_certificate_x509(reader));
    ERR_clear_error();
    RG_CHECK(is_p256(pkey), why, RG_DENIED, "seal-reader", "a reading key is a P-256 key");
    *out = pkey;
    return rg_ok();
}

/* One wrap for each reader, the rest for a key whose private half is thrown away with this call.
 * DER sorts them by their first differing byte, which lies in the random ephemeral point: so the
 * order says nothing. */
static rg_outcome make_wraps(const struct rg_certificate *const *reader, size_t reader_count,
                             const struct secret_key *content_key, struct wraps *out,
                             struct rg_reason *why)
{
    RG_CLEANUP(pkey_context_cleanup) EVP_PKEY_CTX *maker = key_maker();
    RG_CLEANUP(pkey_cleanup) EVP_PKEY *nobody = NULL;
    if (maker == NULL || EVP_PKEY_keygen(maker, &nobody) != 1) {
        return crypto_failed(why);
    }
    for (size_t i = 0; i < out->count; i++) {
        EVP_PKEY *pkey = nobody;
        if (i < reader_count && reader[i] != NULL) {
            RG_TRY(reader_key(reader[i], &pkey, why));
        }
        if (!make_wrap(maker, pkey, content_key, out->wrap[i])) {
            return crypto_failed(why);
        }
    }
    qsort(out->wrap, out->count, WRAP_BYTES, compare_wraps);
    return rg_ok();
}

struct ciphertext {
    struct rg_bytes plain;
    uint8_t nonce[NONCE_BYTES];
    uint8_t mac[MAC_BYTES];
};

static bool encrypt(const struct secret_key *key, struct ciphertext *text, uint8_t *out)
{
    RG_CLEANUP(cipher_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int len = 0, more = 0;
    return context != NULL &&
           EVP_EncryptInit_ex2(context, algorithm.gcm, key->b, text->nonce, NULL) == 1 &&
           EVP_EncryptUpdate(context, out, &len, text->plain.data, (int)text->plain.len) == 1 &&
           EVP_EncryptFinal_ex(context, out + len, &more) == 1 &&
           (size_t)len + (size_t)more == text->plain.len &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, MAC_BYTES, text->mac) == 1;
}

static rg_outcome put_content(const struct secret_key *key, struct rg_bytes plain,
                              struct rg_buffer *out, struct rg_reason *why)
{
    struct ciphertext text = {.plain = plain};
    rg_random(text.nonce, sizeof(text.nonce));
    size_t algorithm_bytes = LENGTH(GCM_HEAD) + NONCE_BYTES + LENGTH(GCM_TAIL);
    size_t info = LENGTH(OID_DATA) + algorithm_bytes + rg_der_element_bytes(plain.len);
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, info, why));
    RG_TRY(rg_buffer_append(out, TEXT(OID_DATA), why));
    RG_TRY(rg_buffer_append(out, TEXT(GCM_HEAD), why));
    RG_TRY(rg_buffer_append(out, rg_bytes_of(text.nonce, sizeof(text.nonce)), why));
    RG_TRY(rg_buffer_append(out, TEXT(GCM_TAIL), why));
    RG_TRY(rg_der_put_header(out, RG_DER_CONTENT, plain.len, why));
    RG_TRY(rg_buffer_reserve(out, plain.len, why));
    if (!encrypt(key, &text, out->data + out->len)) {
        return crypto_failed(why);
    }
    out->len += plain.len;
    return rg_der_put_element(out, RG_DER_OCTETS, rg_bytes_of(text.mac, sizeof(text.mac)), why);
}

static rg_outcome put_enveloped(const struct wraps *wraps, const struct secret_key *key,
                                struct rg_bytes plain, struct rg_buffer *out, struct rg_reason *why)
{
    size_t recipients = wraps->count * WRAP_BYTES;
    size_t info = LENGTH(OID_DATA) + LENGTH(GCM_HEAD) + NONCE_BYTES + LENGTH(GCM_TAIL) +
                  rg_der_element_bytes(plain.len);
    size_t body = LENGTH(VERSION("\x00")) + rg_der_element_bytes(recipients) +
                  rg_der_element_bytes(info) + rg_der_element_bytes(MAC_BYTES);
    size_t explicit = rg_der_element_bytes(body);
    size_t whole = LENGTH(OID_AUTH_ENVELOPED) + rg_der_element_bytes(explicit);
    RG_TRY(rg_buffer_reserve(out, rg_der_element_bytes(whole), why));
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, whole, why));
    RG_TRY(rg_buffer_append(out, TEXT(OID_AUTH_ENVELOPED), why));
    RG_TRY(rg_der_put_header(out, RG_DER_CONTEXT_0, explicit, why));
    RG_TRY(rg_der_put_header(out, RG_DER_SEQUENCE, body, why));
    RG_TRY(rg_buffer_append(out, TEXT(VERSION("\x00")), why));
    RG_TRY(rg_der_put_element(out, RG_DER_SET, rg_bytes_of(wraps->wrap, recipients), why));
    return put_content(key, plain, out, why);
}

size_t rg_seal_wraps(size_t readers)
{
    size_t wraps = WRAPS_MIN;
    while (wraps < readers && wraps < RG_READERS_MAX) {
        wraps *= 2;
    }
    return readers <= wraps ? wraps : 0;
}

rg_outcome rg_seal_signed(struct rg_bytes signed_der, const struct rg_certificate *const *reader,
                          size_t reader_count, struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(reader_count >= 1 && reader_count <= RG_READERS_MAX, why, RG_LIMIT, "seal-readers",
             "a section has 1 to %d reading keys", RG_READERS_MAX);
    need_algorithms();
    RG_CLEANUP(secret_cleanup) struct secret_key key = {{0}};
    RG_OWNED_BUFFER sealed = {0};
    struct wraps wraps = {.count = rg_seal_wraps(reader_count)};
    rg_random(key.b, sizeof(key.b));
    RG_TRY(make_wraps(reader, reader_count, &key, &wraps, why));
    RG_TRY(put_enveloped(&wraps, &key, signed_der, &sealed, why));
    return rg_buffer_append(out, rg_buffer_peek(&sealed), why);
}

/* NOLINTNEXTLINE(readability-function-size): two lists with their counts; one call per section */
rg_outcome rg_seal(const struct rg_section *section, size_t padded_bytes,
                   const struct rg_signer *signer, size_t signer_count,
                   const struct rg_certificate *const *reader, size_t reader_count,
                   struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(signer_count >= 1 && signer_count <= RG_AUTHORS_MAX, why, RG_LIMIT, "seal-signers",
             "a section has one or two signers");
    RG_CHECK(reader_count >= 1 && reader_count <= RG_READERS_MAX, why, RG_LIMIT, "seal-readers",
             "a section has 1 to %d reading keys", RG_READERS_MAX);
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(sign_section(section, padded_bytes, signer, signer_count, &plain, why));
    return rg_seal_signed(rg_buffer_peek(&plain), reader, reader_count, out, why);
}

rg_outcome rg_section_sign(const struct rg_section *section, size_t padded_bytes,
                           const struct rg_signer *signer, struct rg_buffer *signed_out,
                           struct rg_reason *why)
{
    return sign_section(section, padded_bytes, signer, 1, signed_out, why);
}

/* Opening */

struct wrap_view {
    struct rg_bytes point, key_id, wrapped;
};

struct enveloped { /* views */
    struct wrap_view wrap[RG_READERS_MAX];
    size_t count;
    struct rg_bytes nonce, ciphertext, mac;
};

static bool parse_wrap(struct rg_bytes *in, struct wrap_view *out)
{
    return rg_der_take_literal(in, TEXT(WRAP_HEAD)) &&
           rg_der_take_hole(in, POINT_BYTES, &out->point) &&
           out->point.data[0] == POINT_CONVERSION_UNCOMPRESSED &&
           rg_der_take_literal(in, TEXT(WRAP_MIDDLE)) &&
           rg_der_take_hole(in, KEY_ID_BYTES, &out->key_id) &&
           rg_der_take_literal(in, TEXT(WRAP_KEY)) &&
           rg_der_take_hole(in, WRAPPED_KEY_BYTES, &out->wrapped);
}

/* All wraps, sorted as DER has them, in one of the four numbers. */
static bool parse_wraps(struct rg_bytes in, struct enveloped *out)
{
    size_t count = in.len / WRAP_BYTES;
    if (in.len % WRAP_BYTES != 0 || count == 0 || rg_seal_wraps(count) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *start = in.data;
        if (!parse_wrap(&in, &out->wrap[i]) ||
            (i > 0 && memcmp(start - WRAP_BYTES, start, WRAP_BYTES) >= 0)) {
            return false;
        }
    }
    out->count = count;
    return true;
}

static bool parse_content(struct rg_bytes in, struct enveloped *out)
{
    return rg_der_take_literal(&in, TEXT(OID_DATA)) && rg_der_take_literal(&in, TEXT(GCM_HEAD)) &&
           rg_der_take_hole(&in, NONCE_BYTES, &out->nonce) &&
           rg_der_take_literal(&in, TEXT(GCM_TAIL)) &&
           rg_der_take_only(in, RG_DER_CONTENT, &out->ciphertext);
}

static bool parse_enveloped(struct rg_bytes der, struct enveloped *out)
{
    struct rg_bytes info, wrapped, body, recipients, content;
    return rg_der_take_only(der, RG_DER_SEQUENCE, &info) &&
           rg_der_take_literal(&info, TEXT(OID_AUTH_ENVELOPED)) &&
           rg_der_take_only(info, RG_DER_CONTEXT_0, &wrapped) &&
           rg_der_take_only(wrapped, RG_DER_SEQUENCE, &body) &&
           rg_der_take_literal(&body, TEXT(VERSION("\x00"))) &&
           rg_der_take_element(&body, RG_DER_SET, &recipients) && parse_wraps(recipients, out) &&
           rg_der_take_element(&body, RG_DER_SEQUENCE, &content) && parse_content(content, out) &&
           rg_der_take_only(body, RG_DER_OCTETS, &out->mac) && out->mac.len == MAC_BYTES;
}

static bool decrypt(const struct secret_key *key, const struct enveloped *sealed, uint8_t *out)
{
    RG_CLEANUP(cipher_cleanup) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t mac[MAC_BYTES];
    int len = 0, more = 0;
    memcpy(mac, sealed->mac.data, sizeof(mac));
    return context != NULL &&
           EVP_DecryptInit_ex2(context, algorithm.gcm, key->b, sealed->nonce.data, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, MAC_BYTES, mac) == 1 &&
           EVP_DecryptUpdate(context, out, &len, sealed->ciphertext.data,
                             (int)sealed->ciphertext.len) == 1 &&
           EVP_DecryptFinal_ex(context, out + len, &more) == 1 &&
           (size_t)len + (size_t)more == sealed->ciphertext.len;
}

enum try_result { TRY_NOT_OURS, TRY_CHANGED, TRY_OPENED };

/* One own key against one wrap. The AES wrap has a check of its own, so a foreign wrap ends there.
 */
static enum try_result try_wrap(EVP_PKEY_CTX *own, EVP_PKEY *peer, const struct wrap_view *wrap,
                                const struct enveloped *sealed, uint8_t *out)
{
    RG_CLEANUP(secret_cleanup) struct secret_key wrap_key = {{0}};
    RG_CLEANUP(secret_cleanup) struct secret_key content_key = {{0}};
    if (!agree(own, peer, &wrap_key) || !run_wrap(&wrap_key, false, wrap->wrapped, content_key.b)) {
        return TRY_NOT_OURS;
    }
    if (decrypt(&content_key, sealed, out)) {
        return TRY_OPENED;
    }
    rg_wipe(out, sealed->ciphertext.len);
    return TRY_CHANGED;
}

struct own_keys {
    EVP_PKEY_CTX *agreement[RG_READERS_MAX];
    EVP_PKEY *first;
    size_t count;
};

static void own_keys_drop(struct own_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        EVP_PKEY_CTX_free(keys->agreement[i]);
    }
}

static rg_outcome own_keys_init(struct own_keys *keys, const struct rg_reading_key *key,
                                size_t key_count, struct rg_reason *why)
{
    RG_CHECK(key_count <= RG_READERS_MAX, why, RG_LIMIT, "seal-keys",
             "at most %d reading keys are tried", RG_READERS_MAX);
    for (size_t i = 0; i < key_count; i++) {
        EVP_PKEY *pkey = rg_key_pkey(key[i].key);
        RG_CHECK(is_p256(pkey), why, RG_DENIED, "seal-reader", "a reading key is a P-256 key");
        keys->agreement[i] = agreement_of(pkey);
        if (keys->agreement[i] == NULL) {
            return crypto_failed(why);
        }
        keys->first = keys->first == NULL ? pkey : keys->first;
        keys->count++;
    }
    return rg_ok();
}

/* NULL when the point is not on the curve. */
static EVP_PKEY *peer_of(const EVP_PKEY *same_curve, struct rg_bytes point)
{
    EVP_PKEY *peer = EVP_PKEY_new();
    if (peer != NULL && EVP_PKEY_copy_parameters(peer, same_curve) == 1 &&
        EVP_PKEY_set1_encoded_public_key(peer, point.data, point.len) == 1) {
        return peer;
    }
    EVP_PKEY_free(peer);
    return NULL;
}

static enum try_result try_all(const struct own_keys *keys, const struct enveloped *sealed,
                               uint8_t *out)
{
    enum try_result best = TRY_NOT_OURS;
    for (size_t i = 0; i < sealed->count && keys->count > 0; i++) {
        RG_CLEANUP(pkey_cleanup) EVP_PKEY *peer = peer_of(keys->first, sealed->wrap[i].point);
        for (size_t k = 0; k < keys->count && peer != NULL; k++) {
            enum try_result result =
                try_wrap(keys->agreement[k], peer, &sealed->wrap[i], sealed, out);
            best = result > best ? result : best;
            if (best == TRY_OPENED) {
                return best;
            }
        }
    }
    return best;
}

rg_outcome rg_unseal(struct rg_bytes sealed, const struct rg_reading_key *key, size_t key_count,
                     struct rg_buffer *signed_out, struct rg_reason *why)
{
    struct enveloped parts = {.count = 0};
    RG_CHECK(sealed.len <= RG_BUFFER_BYTES_MAX, why, RG_LIMIT, "seal-size",
             "a sealed section has at most %d bytes", RG_BUFFER_BYTES_MAX);
    if (!parse_enveloped(sealed, &parts)) {
        return profile_wrong(why, "the envelope");
    }
    need_algorithms();
    RG_CLEANUP(own_keys_drop) struct own_keys keys = {.count = 0};
    RG_TRY(own_keys_init(&keys, key, key_count, why));
    RG_OWNED_BUFFER plain = {.secret = true, .limit = signed_out->limit};
    RG_TRY(rg_buffer_reserve(&plain, parts.ciphertext.len, why));
    enum try_result result = try_all(&keys, &parts, plain.data);
    ERR_clear_error();
    RG_CHECK(result != TRY_CHANGED, why, RG_DENIED, "seal-changed",
             "the section was changed after it was sealed");
    RG_CHECK(result == TRY_OPENED, why, RG_DENIED, "seal-not-for-us",
             "none of the reading keys held here opens this section");
    plain.len = parts.ciphertext.len;
    rg_buffer_drop(signed_out);
    *signed_out = rg_buffer_take(&plain);
    return rg_ok();
}

/* Verifying */

struct signer_view {
    struct rg_bytes body; /* the SignerInfo without its header */
    struct rg_bytes name; /* issuer and serial number */
    struct rg_bytes attributes, digest, signature;
};

struct signed_parts { /* views */
    struct rg_bytes content;
    struct signer_view signer[RG_AUTHORS_MAX];
    size_t count;
};

static bool parse_attributes(struct rg_bytes in, struct signer_view *out)
{
    struct rg_bytes time;
    out->attributes = in;
    if (!rg_der_take_literal(&in, TEXT(ATTRIBUTE_TYPE))) {
        return false;
    }
    if (rg_der_take_literal(&in, TEXT(ATTRIBUTE_TIME)) &&
        !rg_der_take_hole(&in, UTC_TIME_BYTES, &time)) {
        return false;
    }
    return rg_der_take_literal(&in, TEXT(ATTRIBUTE_DIGEST)) &&
           rg_der_take_hole(&in, sizeof(struct rg_hash), &out->digest) && in.len == 0;
}

static bool parse_signer(struct rg_bytes *in, struct signer_view *out)
{
    struct rg_bytes body, attributes;
    if (!rg_der_take_element(in, RG_DER_SEQUENCE, &body)) {
        return false;
    }
    out->body = body;
    return rg_der_take_literal(&body, TEXT(VERSION("\x01"))) &&
           rg_der_take_element(&body, RG_DER_SEQUENCE, &out->name) &&
           rg_der_take_literal(&body, TEXT(ALG_SHA256)) &&
           rg_der_take_element(&body, RG_DER_CONTEXT_0, &attributes) &&
           parse_attributes(attributes, out) &&
           rg_der_take_literal(&body, TEXT(ALG_ECDSA_SHA256)) &&
           rg_der_take_only(body, RG_DER_OCTETS, &out->signature);
}

static bool parse_signers(struct rg_bytes in, struct signed_parts *out)
{
    while (in.len > 0 && out->count < RG_AUTHORS_MAX) {
        if (!parse_signer(&in, &out->signer[out->count++])) {
            return false;
        }
    }
    return in.len == 0 && out->count > 0;
}

static bool parse_signed(struct rg_bytes der, struct signed_parts *out)
{
    struct rg_bytes info, wrapped, body, algorithms, inner, octets, signers;
    return rg_der_take_only(der, RG_DER_SEQUENCE, &info) &&
           rg_der_take_literal(&info, TEXT(OID_SIGNED_DATA)) &&
           rg_der_take_only(info, RG_DER_CONTEXT_0, &wrapped) &&
           rg_der_take_only(wrapped, RG_DER_SEQUENCE, &body) &&
           rg_der_take_literal(&body, TEXT(VERSION("\x01"))) &&
           rg_der_take_element(&body, RG_DER_SET, &algorithms) &&
           rg_bytes_equal(algorithms, TEXT(ALG_SHA256)) &&
           rg_der_take_element(&body, RG_DER_SEQUENCE, &inner) &&
           rg_der_take_literal(&inner, TEXT(OID_DATA)) &&
           rg_der_take_only(inner, RG_DER_CONTEXT_0, &octets) &&
           rg_der_take_only(octets, RG_DER_OCTETS, &out->content) &&
           rg_der_take_only(body, RG_DER_SET, &signers) && parse_signers(signers, out);
}

rg_outcome rg_section_sign_also(struct rg_bytes signed_der, const struct rg_signer *signer,
                                struct rg_buffer *signed_out, struct rg_reason *why)
{
    struct signed_parts parts = {.count = 0};
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER second = {0};
    RG_OWNED_BUFFER both = {0};
    if (signed_der.len > RG_BUFFER_BYTES_MAX || !parse_signed(signed_der, &parts)) {
        return profile_wrong(why, "the signature");
    }
    RG_CHECK(parts.count < RG_AUTHORS_MAX, why, RG_LIMIT, "seal-signers",
             "a section has one or two signers");
    RG_TRY(rg_der_put_element(&first, RG_DER_SEQUENCE, parts.signer[0].body, why));
    RG_TRY(put_signer_info(signer, rg_sha256(parts.content), &second, why));
    RG_TRY(put_sorted(rg_buffer_peek(&first), rg_buffer_peek(&second), &both, why));
    return put_signed_data(parts.content, rg_buffer_peek(&both), signed_out, why);
}

static bool same_signer(const struct rg_certificate *candidate, struct rg_bytes name)
{
    RG_OWNED_BUFFER own = {0};
    return rg_is_ok(put_signer_name(candidate, &own, NULL)) &&
           rg_bytes_equal(rg_buffer_peek(&own), name);
}

static struct rg_certificate *find_signer(struct rg_certificate *const *candidate, size_t count,
                                          struct rg_bytes name)
{
    for (size_t i = 0; i < count; i++) {
        if (same_signer(candidate[i], name)) {
            return candidate[i];
        }
    }
    return NULL;
}

/* What is signed is the attributes as a SET, not as the [0] that travels. */
static bool attributes_verify(EVP_PKEY *pkey, const struct signer_view *signer)
{
    RG_OWNED_BUFFER text = {0};
    if (!rg_is_ok(rg_der_put_element(&text, RG_DER_SET, signer->attributes, NULL))) {
        return false;
    }
    RG_CLEANUP(digest_cleanup) EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL &&
                EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, pkey, NULL) == 1 &&
                EVP_DigestVerify(context, signer->signature.data, signer->signature.len, text.data,
                                 text.len) == 1;
    ERR_clear_error();
    return good;
}

static rg_outcome verify_signer(const struct signer_view *signer, struct rg_hash digest,
                                const struct rg_certificate *certificate, struct rg_reason *why)
{
    RG_CHECK(certificate != NULL, why, RG_DENIED, "seal-signer",
             "signed by nobody of the office it names");
    EVP_PKEY *pkey = X509_get0_pubkey(rg_certificate_x509(certificate));
    RG_CHECK(is_p256(pkey), why, RG_DENIED, "seal-signer", "the signer's key is not a P-256 key");
    RG_CHECK(memcmp(signer->digest.data, digest.b, sizeof(digest.b)) == 0 &&
                 attributes_verify(pkey, signer),
             why, RG_DENIED, "seal-signature", "the signature does not fit the content");
    return rg_ok();
}

/* Two signatures mean two officers. */
static bool same_officer(const struct rg_certificate *a, const struct rg_certificate *b)
{
    const struct rg_principal *one = rg_certificate_principal(a);
    const struct rg_principal *other = rg_certificate_principal(b);
    return a == b || one == NULL || other == NULL || strcmp(one->text, other->text) == 0;
}

rg_outcome rg_unseal_verify(struct rg_bytes signed_der, struct rg_certificate *const *candidate,
                            size_t count, struct rg_buffer *section_out,
                            struct rg_signature_seen *seen_out, struct rg_reason *why)
{
    struct signed_parts parts = {.count = 0};
    struct rg_signature_seen seen = {.signer_count = 0};
    if (signed_der.len > RG_BUFFER_BYTES_MAX || !parse_signed(signed_der, &parts)) {
        return profile_wrong(why, "the signature");
    }
    struct rg_hash digest = rg_sha256(parts.content);
    for (size_t i = 0; i < parts.count; i++) {
        struct rg_certificate *signer = find_signer(candidate, count, parts.signer[i].name);
        RG_TRY(verify_signer(&parts.signer[i], digest, signer, why));
        seen.signer[seen.signer_count++] = signer;
    }
    RG_CHECK(seen.signer_count < 2 || !same_officer(seen.signer[0], seen.signer[1]), why, RG_DENIED,
             "seal-signer", "both signatures are of one officer");
    rg_buffer_clear(section_out);
    RG_TRY(rg_buffer_append(section_out, parts.content, why));
    *seen_out = seen;
    return rg_ok();
}

rg_outcome rg_section_check(const struct rg_section *section, size_t section_bytes,
                            struct rg_bytes core_bytes, const struct rg_core *core, size_t index,
                            struct rg_reason *why)
{
    struct rg_hash core_digest = rg_sha256(core_bytes);
    RG_CHECK(memcmp(section->core_digest.b, core_digest.b, sizeof(core_digest.b)) == 0, why,
             RG_DENIED, "seal-core", "the section was signed for another header than this one");
    RG_CHECK(index < core->section_count && section->index == index, why, RG_DENIED, "seal-index",
             "the section was signed for another place in this message");
    const struct rg_section_core *stated = &core->section[index];
    struct rg_hash commitment = rg_section_commitment(section->blinding, section->content);
    RG_CHECK(rg_secret_equal(commitment.b, stated->commitment, sizeof(stated->commitment)), why,
             RG_DENIED, "seal-commitment",
             "the content is not the one that its author committed to for all readers");
    RG_CHECK(section_bytes == stated->padded_bytes, why, RG_DENIED, "seal-padding",
             "the section does not have the size its header states");
    return rg_ok();
}
