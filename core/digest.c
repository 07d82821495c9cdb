/* How it works: one fetched EVP_MD and one context per thread, made at the first call and kept
 * until the process ends. Fetching and allocating for each digest costs three times the digest of a
 * Merkle node. */
#include "core/digest.h"

#include "core/limits.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <limits.h>
#include <string.h>

struct rg_hash rg_sha256(struct rg_bytes bytes)
{
    return rg_sha256_parts(&bytes, 1);
}

struct rg_hash rg_sha256_parts(const struct rg_bytes *part, size_t count)
{
    static _Thread_local EVP_MD *sha256;
    static _Thread_local EVP_MD_CTX *context;
    struct rg_hash hash;
    unsigned len = 0;
    if (context == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        context = EVP_MD_CTX_new();
        RG_ASSERT(sha256 != NULL && context != NULL);
    }
    RG_ASSERT(EVP_DigestInit_ex2(context, sha256, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        RG_ASSERT(EVP_DigestUpdate(context, part[i].data, part[i].len) == 1);
    }
    RG_ASSERT(EVP_DigestFinal_ex(context, hash.b, &len) == 1 && len == sizeof(hash.b));
    return hash;
}

void rg_random(void *out, size_t len)
{
    RG_ASSERT(len <= INT_MAX);
    RG_ASSERT(RAND_bytes(out, (int)len) == 1);
}

bool rg_secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void rg_wipe(void *memory, size_t len)
{
    OPENSSL_cleanse(memory, len);
}

void rg_hex(struct rg_bytes bytes, char *out)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digit[bytes.data[i] >> 4];
        out[2 * i + 1] = digit[bytes.data[i] & 15];
    }
    out[2 * bytes.len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

rg_outcome rg_hex_parse(const char *text, uint8_t *out, size_t len, struct rg_reason *why)
{
    RG_CHECK(strlen(text) == 2 * len, why, RG_MALFORMED, "hex-length",
             "expected %zu hexadecimal digits", 2 * len);
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        RG_CHECK(high >= 0 && low >= 0, why, RG_MALFORMED, "hex-digit",
                 "not a hexadecimal digit at %zu", 2 * i);
        out[i] = (uint8_t)(high * 16 + low);
    }
    return rg_ok();
}

rg_outcome rg_base64(struct rg_bytes bytes, struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_BUFFER_BYTES_MAX / 2, why, RG_LIMIT, "buffer-limit",
             "too long for base64");
    size_t need = 4 * ((bytes.len + 2) / 3);
    RG_TRY(rg_buffer_reserve(out, need + 1, why));
    int wrote = EVP_EncodeBlock(out->data + out->len, bytes.data, (int)bytes.len);
    RG_ASSERT(wrote >= 0 && (size_t)wrote == need);
    out->len += need;
    return rg_ok();
}

/* One value, one text: OpenSSL's decoder forgives blanks, misplaced padding and stray bits. */
static bool is_base64(struct rg_bytes text, size_t padding)
{
    for (size_t i = 0; i < text.len - padding; i++) {
        uint8_t c = text.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '+' && c != '/') {
            return false;
        }
    }
    return true;
}

/* Do the last bytes encode back to the last four letters? */
static bool ends_alike(struct rg_bytes text, const uint8_t *tail, size_t bytes)
{
    uint8_t again[5];
    (void)EVP_EncodeBlock(again, tail, (int)bytes);
    return memcmp(again, text.data + text.len - 4, 4) == 0;
}

rg_outcome rg_base64_parse(struct rg_bytes text, struct rg_buffer *out, struct rg_reason *why)
{
    RG_CHECK(text.len % 4 == 0, why, RG_MALFORMED, "base64-length",
             "base64 text is not a multiple of 4 long");
    RG_CHECK(text.len <= RG_BUFFER_BYTES_MAX / 2, why, RG_LIMIT, "buffer-limit",
             "base64 text too long");
    if (text.len == 0) {
        return rg_ok();
    }
    size_t padding = text.data[text.len - 1] != '=' ? 0 : text.data[text.len - 2] != '=' ? 1 : 2;
    RG_CHECK(is_base64(text, padding), why, RG_MALFORMED, "base64-digit", "not base64");
    size_t bytes = 3 * (text.len / 4);
    RG_TRY(rg_buffer_reserve(out, bytes, why));
    uint8_t *to = out->data + out->len;
    int wrote = EVP_DecodeBlock(to, text.data, (int)text.len);
    RG_CHECK(wrote >= 0 && (size_t)wrote == bytes && ends_alike(text, to + bytes - 3, 3 - padding),
             why, RG_MALFORMED, "base64-digit", "not base64");
    out->len += bytes - padding;
    return rg_ok();
}
