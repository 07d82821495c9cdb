/*
 * Sealing and opening one 4 KiB section against the raw EVP primitives they cannot do without: one
 * signature, per wrap a key generation and a derivation, and AES-256-GCM; for opening one
 * verification, one derivation per try (the reader stands at a random place) and GCM.
 */
#include "core/card.h"
#include "core/digest.h"
#include "core/seal.h"
#include "tests/bench/bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

enum { rounds = 400, readers_max = 4 };

static struct rg_certificate *certificate[readers_max + 1];
static struct rg_key *key[readers_max + 1];

static void must(rg_outcome outcome, const struct rg_reason *why)
{
    if (!rg_is_ok(outcome)) {
        (void)fprintf(stderr, "bench_seal: %s: %s\n", why->id, why->text);
        exit(1);
    }
}

static void make_people(void)
{
    struct rg_reason why = {0};
    struct rg_principal principal;
    must(rg_principal_parse("referral://th/focal/officer-1", &principal, &why), &why);
    for (size_t i = 0; i <= readers_max; i++) {
        must(rg_reading_key_new(&principal, (struct rg_wall){1790000000000},
                                (struct rg_wall){1792000000000}, &key[i], &certificate[i], &why),
             &why);
    }
}

static double seal_s(int times, size_t readers, struct rg_bytes content, struct rg_buffer *out)
{
    struct rg_reason why = {0};
    struct rg_section section = {.index = 0, .content = content};
    rg_random(section.blinding, sizeof(section.blinding));
    size_t padded = rg_padded_size(rg_section_bytes(content.len));
    struct rg_signer signer = {certificate[readers_max], key[readers_max]};
    const struct rg_certificate *reader[readers_max];
    for (size_t i = 0; i < readers; i++) {
        reader[i] = certificate[i];
    }
    double start = bench_now_s();
    for (int i = 0; i < times; i++) {
        rg_buffer_clear(out);
        must(rg_seal(&section, padded, &signer, 1, reader, readers, out, &why), &why);
    }
    return (bench_now_s() - start) / times;
}

static double open_s(struct rg_bytes sealed)
{
    struct rg_reason why = {0};
    struct rg_reading_key reading = {certificate[0], key[0]};
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        RG_OWNED_BUFFER signed_der = {.secret = true};
        RG_OWNED_BUFFER plain = {.secret = true};
        struct rg_signature_seen seen;
        must(rg_unseal(sealed, &reading, 1, &signed_der, &why), &why);
        must(rg_unseal_verify(rg_buffer_peek(&signed_der), &certificate[readers_max], 1, &plain,
                              &seen, &why),
             &why);
    }
    return (bench_now_s() - start) / rounds;
}

/* The time of one call of each raw primitive. */
struct raw {
    double sign_s, verify_s, keygen_s, derive_s, gcm_s;
};

static double sign_or_verify_s(bool verify)
{
    uint8_t digest[32] = {1};
    uint8_t signature[80];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rg_key_pkey(key[0]), NULL);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    EVP_PKEY_sign(context, signature, &len, digest, sizeof(digest));
    EVP_PKEY_CTX *checker = EVP_PKEY_CTX_new(rg_key_pkey(key[0]), NULL);
    EVP_PKEY_verify_init(checker);
    EVP_PKEY_CTX_set_signature_md(checker, EVP_sha256());
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        size_t room = sizeof(signature);
        int done = verify ? EVP_PKEY_verify(checker, signature, len, digest, sizeof(digest))
                          : EVP_PKEY_sign(context, (uint8_t[80]){0}, &room, digest, sizeof(digest));
        if (done != 1) {
            exit(1);
        }
    }
    double each = (bench_now_s() - start) / rounds;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_CTX_free(checker);
    return each;
}

/* Both in the fastest way that EVP offers: one context, and no second check of a point that was
 * checked when it was read. */
static double keygen_s(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY_keygen_init(context);
    EVP_PKEY_CTX_set_group_name(context, "P-256");
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        EVP_PKEY *made = NULL;
        EVP_PKEY_generate(context, &made);
        EVP_PKEY_free(made);
    }
    double each = (bench_now_s() - start) / rounds;
    EVP_PKEY_CTX_free(context);
    return each;
}

static double derive_s(void)
{
    EVP_PKEY *other = EVP_EC_gen("P-256");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(rg_key_pkey(key[0]), NULL);
    EVP_PKEY_derive_init(context);
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        uint8_t secret[32];
        size_t len = sizeof(secret);
        EVP_PKEY_derive_set_peer_ex(context, other, 0);
        EVP_PKEY_derive(context, secret, &len);
    }
    double each = (bench_now_s() - start) / rounds;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    return each;
}

static double gcm_s(void)
{
    static uint8_t bytes[4096];
    uint8_t secret[32] = {7};
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        int len = 0;
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, secret, secret);
        EVP_EncryptUpdate(context, bytes, &len, bytes, (int)sizeof(bytes));
        EVP_EncryptFinal_ex(context, bytes, &len);
        EVP_CIPHER_CTX_free(context);
    }
    return (bench_now_s() - start) / rounds;
}

int main(void)
{
    make_people();
    struct raw raw = {sign_or_verify_s(false), sign_or_verify_s(true), keygen_s(), derive_s(),
                      gcm_s()};
    static uint8_t content[3800];
    rg_random(content, sizeof(content));
    RG_OWNED_BUFFER sealed = {0};
    double wraps = (double)rg_seal_wraps(readers_max);
    double seal = seal_s(rounds, readers_max, rg_bytes_of(content, sizeof(content)), &sealed);
    bench_line("seal_4KiB_4_wraps", seal * 1e3, "ms",
               (raw.sign_s + wraps * (raw.keygen_s + raw.derive_s) + raw.gcm_s) * 1e3);
    double opened = 0;
    double tries = 0;
    for (int i = 0; i < 8; i++) {
        rg_buffer_clear(&sealed);
        (void)seal_s(1, 1, rg_bytes_of(content, sizeof(content)), &sealed);
        opened += open_s(rg_buffer_peek(&sealed)) / 8;
        tries += (wraps + 1) / 2 / 8;
    }
    bench_line("open_4KiB_4_wraps", opened * 1e3, "ms",
               (raw.verify_s + tries * raw.derive_s + raw.gcm_s) * 1e3);
    for (size_t i = 0; i <= readers_max; i++) {
        rg_certificate_free(certificate[i]);
        rg_key_free(key[i]);
    }
    return 0;
}
