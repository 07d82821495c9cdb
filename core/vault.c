/* How it works: every sealed thing is nonce (12) || ciphertext || tag (16), AES-256-GCM with a
 * fresh random nonce. Item keys are used once, the book key only wraps item keys, so no key comes
 * near GCM's bound for random nonces (2^32). Sealing to a file key is ephemeral P-256 ECDH: the
 * shared secret and the ephemeral point go through HKDF-SHA256 into the key of one GCM box:
 * point (65) || box. Plaintext reaches the caller only after the tag has been checked. */
#include "core/vault.h"

#include "core/digest.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/core_names.h>

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define POINT_BYTES 65

_Static_assert(RG_VAULT_OVERHEAD_BYTES == NONCE_BYTES + TAG_BYTES, "nonce and tag");
_Static_assert(RG_VAULT_WRAPPED_BYTES == RG_VAULT_OVERHEAD_BYTES + sizeof(struct rg_vault_key),
               "a wrapped key");

static void context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}

static void pkey_free(EVP_PKEY **pkey)
{
    EVP_PKEY_free(*pkey);
}

/* Fetched once for the process: a look-up per item would cost more than the encryption. */
static const EVP_CIPHER *gcm(void)
{
    static _Atomic(EVP_CIPHER *) held;
    EVP_CIPHER *cipher = held;
    if (cipher == NULL) {
        EVP_CIPHER *none = NULL;
        cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        RG_ASSERT(cipher != NULL);
        if (!atomic_compare_exchange_strong(&held, &none, cipher)) {
            EVP_CIPHER_free(cipher); /* another thread was first */
            cipher = none;
        }
    }
    return cipher;
}

void rg_vault_key_random(struct rg_vault_key *out)
{
    rg_random(out->b, sizeof(out->b));
}

void rg_vault_key_drop(struct rg_vault_key *key)
{
    rg_wipe(key, sizeof(*key));
}

/* HKDF-SHA256; a failure here means no memory or no provider: there is no safe way on. */
static void derive(struct rg_bytes secret, struct rg_bytes salt, const char *label,
                   struct rg_vault_key *out)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    RG_ASSERT(kdf != NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    RG_ASSERT(context != NULL);
    char digest[] = "SHA256";
    uint8_t secret_copy[POINT_BYTES];
    uint8_t salt_copy[POINT_BYTES] = {0};
    char info[64];
    RG_ASSERT(secret.len <= sizeof(secret_copy) && salt.len <= sizeof(salt_copy));
    RG_ASSERT(strlen(label) < sizeof(info));
    memcpy(secret_copy, secret.data, secret.len);
    if (salt.len > 0) {
        memcpy(salt_copy, salt.data, salt.len);
    }
    (void)snprintf(info, sizeof(info), "%s", label);
    OSSL_PARAM parameter[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret_copy, secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_copy, salt.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    RG_ASSERT(EVP_KDF_derive(context, out->b, sizeof(out->b), parameter) == 1);
    rg_wipe(secret_copy, sizeof(secret_copy));
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void rg_vault_key_derive(const struct rg_vault_key *from, const char *label,
                         struct rg_vault_key *out)
{
    derive(rg_bytes_of(from->b, sizeof(from->b)), rg_bytes_of(NULL, 0), label, out);
}

struct rg_hash rg_vault_index(const struct rg_vault_key *key, struct rg_bytes value)
{
    struct rg_hash out;
    size_t len = 0;
    RG_ASSERT(EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key->b, sizeof(key->b), value.data,
                        value.len, out.b, sizeof(out.b), &len) != NULL);
    RG_ASSERT(len == sizeof(out.b));
    return out;
}

rg_outcome rg_vault_lock(const struct rg_vault_key *key, struct rg_bytes context,
                         struct rg_bytes plain, struct rg_buffer *sealed_out, struct rg_reason *why)
{
    RG_CHECK(plain.len <= RG_BUFFER_BYTES_MAX - RG_VAULT_OVERHEAD_BYTES && context.len <= INT_MAX,
             why, RG_LIMIT, "buffer-limit", "too long to seal");
    RG_TRY(rg_buffer_reserve(sealed_out, plain.len + RG_VAULT_OVERHEAD_BYTES, why));
    uint8_t *nonce = sealed_out->data + sealed_out->len;
    uint8_t *body = nonce + NONCE_BYTES;
    int wrote = 0;
    RG_CLEANUP(context_free) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    RG_ASSERT(cipher != NULL);
    rg_random(nonce, NONCE_BYTES);
    RG_ASSERT(EVP_EncryptInit_ex(cipher, gcm(), NULL, key->b, nonce) == 1);
    if (context.len > 0) {
        RG_ASSERT(EVP_EncryptUpdate(cipher, NULL, &wrote, context.data, (int)context.len) == 1);
    }
    if (plain.len > 0) {
        RG_ASSERT(EVP_EncryptUpdate(cipher, body, &wrote, plain.data, (int)plain.len) == 1);
    }
    RG_ASSERT(EVP_EncryptFinal_ex(cipher, body + plain.len, &wrote) == 1);
    RG_ASSERT(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, body + plain.len) == 1);
    sealed_out->len += plain.len + RG_VAULT_OVERHEAD_BYTES;
    return rg_ok();
}

rg_outcome rg_vault_unlock(const struct rg_vault_key *key, struct rg_bytes context,
                           struct rg_bytes sealed, struct rg_buffer *plain_out,
                           struct rg_reason *why)
{
    RG_CHECK(sealed.len >= RG_VAULT_OVERHEAD_BYTES && sealed.len <= RG_BUFFER_BYTES_MAX &&
                 context.len <= INT_MAX,
             why, RG_MALFORMED, "vault-form", "a sealed item has the wrong length");
    size_t len = sealed.len - RG_VAULT_OVERHEAD_BYTES;
    RG_TRY(rg_buffer_reserve(plain_out, len + 1, why));
    uint8_t *plain = plain_out->data + plain_out->len;
    uint8_t tag[TAG_BYTES];
    uint8_t rest[TAG_BYTES];
    int wrote = 0;
    RG_CLEANUP(context_free) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    RG_ASSERT(cipher != NULL);
    memcpy(tag, sealed.data + NONCE_BYTES + len, TAG_BYTES);
    RG_ASSERT(EVP_DecryptInit_ex(cipher, gcm(), NULL, key->b, sealed.data) == 1);
    if (context.len > 0) {
        RG_ASSERT(EVP_DecryptUpdate(cipher, NULL, &wrote, context.data, (int)context.len) == 1);
    }
    if (len > 0) {
        RG_ASSERT(EVP_DecryptUpdate(cipher, plain, &wrote, sealed.data + NONCE_BYTES, (int)len) ==
                  1);
    }
    RG_ASSERT(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1);
    if (EVP_DecryptFinal_ex(cipher, rest, &wrote) != 1) {
        rg_wipe(plain, len);
        ERR_clear_error();
        return rg_fail(why, RG_DENIED, "vault-wrong",
                       "a sealed item does not open: another key, or its bytes were changed");
    }
    plain_out->len += len;
    return rg_ok();
}

rg_outcome rg_vault_item_lock(const struct rg_vault_key *book, struct rg_bytes context,
                              struct rg_bytes plain, uint8_t wrapped_out[RG_VAULT_WRAPPED_BYTES],
                              struct rg_buffer *sealed_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    RG_OWNED_BUFFER wrapped = {0};
    rg_vault_key_random(&key);
    RG_TRY(rg_vault_lock(book, context, rg_bytes_of(key.b, sizeof(key.b)), &wrapped, why));
    RG_ASSERT(wrapped.len == RG_VAULT_WRAPPED_BYTES);
    RG_TRY(rg_vault_lock(&key, context, plain, sealed_out, why));
    memcpy(wrapped_out, wrapped.data, RG_VAULT_WRAPPED_BYTES);
    return rg_ok();
}

rg_outcome rg_vault_item_unlock(const struct rg_vault_key *book, struct rg_bytes context,
                                struct rg_bytes wrapped, struct rg_bytes sealed,
                                struct rg_buffer *plain_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_TRY(rg_vault_unlock(book, context, wrapped, &plain, why));
    RG_CHECK(plain.len == sizeof(key.b), why, RG_MALFORMED, "vault-form",
             "a wrapped key has the wrong length");
    memcpy(key.b, plain.data, sizeof(key.b));
    return rg_vault_unlock(&key, context, sealed, plain_out, why);
}

rg_outcome rg_vault_rewrap(const struct rg_vault_key *old, const struct rg_vault_key *fresh,
                           struct rg_bytes context, uint8_t wrapped[RG_VAULT_WRAPPED_BYTES],
                           struct rg_reason *why)
{
    RG_OWNED_BUFFER key = {.secret = true};
    RG_OWNED_BUFFER again = {0};
    RG_TRY(rg_vault_unlock(old, context, rg_bytes_of(wrapped, RG_VAULT_WRAPPED_BYTES), &key, why));
    RG_TRY(rg_vault_lock(fresh, context, rg_buffer_peek(&key), &again, why));
    RG_ASSERT(again.len == RG_VAULT_WRAPPED_BYTES);
    memcpy(wrapped, again.data, RG_VAULT_WRAPPED_BYTES);
    return rg_ok();
}

rg_outcome rg_vault_file_make(const char *path, struct rg_reason *why)
{
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_BUFFER pem = {.secret = true};
    RG_TRY(rg_key_take(EVP_EC_gen("P-256"), &key, why));
    RG_TRY(rg_key_print(key, &pem, why));
    return rg_file_create(path, rg_buffer_peek(&pem), 0600, why);
}

static EVP_PKEY *point_key(struct rg_bytes point)
{
    char group[] = "P-256";
    uint8_t copy[POINT_BYTES];
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    RG_ASSERT(context != NULL && point.len == sizeof(copy));
    memcpy(copy, point.data, sizeof(copy));
    OSSL_PARAM parameter[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy)),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameter) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return pkey;
}

/* The box key from both halves: ECDH, then HKDF salted with the ephemeral point. */
static rg_outcome agree(EVP_PKEY *private, EVP_PKEY *public, struct rg_bytes point,
                        struct rg_vault_key *out, struct rg_reason *why)
{
    uint8_t shared[32];
    size_t len = sizeof(shared);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(private, NULL);
    RG_ASSERT(context != NULL);
    bool ok = EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, public) == 1 &&
              EVP_PKEY_derive(context, shared, &len) == 1 && len == sizeof(shared);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    if (ok) {
        derive(rg_bytes_of(shared, sizeof(shared)), point, "referral storage key v1", out);
    }
    rg_wipe(shared, sizeof(shared));
    RG_CHECK(ok, why, RG_DENIED, "vault-wrong", "the storage key does not fit");
    return rg_ok();
}

rg_outcome rg_vault_seal_to(const struct rg_key *file_key, struct rg_bytes plain,
                            struct rg_buffer *sealed_out, struct rg_reason *why)
{
    RG_CLEANUP(pkey_free) EVP_PKEY *ephemeral = EVP_EC_gen("P-256");
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    uint8_t point[POINT_BYTES];
    size_t len = 0;
    RG_ASSERT(ephemeral != NULL);
    RG_ASSERT(EVP_PKEY_get_octet_string_param(ephemeral, OSSL_PKEY_PARAM_PUB_KEY, point,
                                              sizeof(point), &len) == 1 &&
              len == sizeof(point));
    RG_TRY(agree(ephemeral, rg_key_pkey(file_key), rg_bytes_of(point, len), &key, why));
    RG_TRY(rg_buffer_append(sealed_out, rg_bytes_of(point, len), why));
    return rg_vault_lock(&key, rg_bytes_of(point, len), plain, sealed_out, why);
}

rg_outcome rg_vault_open_with(const struct rg_key *file_key, struct rg_bytes sealed,
                              struct rg_buffer *plain_out, struct rg_reason *why)
{
    RG_CHECK(sealed.len > POINT_BYTES, why, RG_MALFORMED, "vault-form", "the sealed key is cut");
    struct rg_bytes point = rg_bytes_of(sealed.data, POINT_BYTES);
    RG_CLEANUP(pkey_free) EVP_PKEY *ephemeral = point_key(point);
    RG_CLEANUP(rg_vault_key_drop) struct rg_vault_key key;
    RG_CHECK(ephemeral != NULL, why, RG_MALFORMED, "vault-form", "the sealed key is damaged");
    RG_TRY(agree(rg_key_pkey(file_key), ephemeral, point, &key, why));
    return rg_vault_unlock(&key, point,
                           rg_bytes_of(sealed.data + POINT_BYTES, sealed.len - POINT_BYTES),
                           plain_out, why);
}
