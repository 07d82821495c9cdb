/*
 * Sealed sections: foreign bytes as they are, and a lawful sealed section with bytes changed. The
 * first byte chooses: 0, the rest is a sealed section; 1, signed data; 2 and 3, the rest is changes
 * of three bytes each (place, value) to ours. Whatever was changed, a reader gets the very text the
 * author signed, or nothing.
 */
#include "tests/fuzz/fuzz.h"

#include "core/seal.h"
#include "tests/unit/forge.h"

#define READERS 2

static struct rg_certificate *author, *reader[READERS];
static struct rg_key *author_key, *reader_key[READERS];
static struct rg_reading_key reading_key[READERS];
static struct rg_buffer sealed, signed_der, text;

static void set_up(void)
{
    const struct forge author_forge = {.kind = FORGE_SIGN, .uri = "referral://th/focal/officer-1"};
    const struct forge reader_forge = {.kind = FORGE_READ, .uri = "referral://kh/focal/officer-1"};
    author = forge_certificate(&author_forge, NULL, NULL, &author_key);
    for (size_t i = 0; i < READERS; i++) {
        reader[i] = forge_certificate(&reader_forge, NULL, NULL, &reader_key[i]);
        reading_key[i] = (struct rg_reading_key){reader[i], reader_key[i]};
    }
    const struct rg_section section = {.content = RG_BYTES_LITERAL("content")};
    const struct rg_signer signer = {.certificate = author, .key = author_key};
    const struct rg_certificate *const to[READERS] = {reader[0], reader[1]};
    struct rg_signature_seen seen;
    RG_ASSERT(rg_is_ok(rg_seal(&section, 1024, &signer, 1, to, READERS, &sealed, NULL)));
    RG_ASSERT(rg_is_ok(rg_unseal(rg_buffer_peek(&sealed), reading_key, 1, &signed_der, NULL)));
    RG_ASSERT(
        rg_is_ok(rg_unseal_verify(rg_buffer_peek(&signed_der), &author, 1, &text, &seen, NULL)));
}

static void verify(struct rg_bytes der)
{
    RG_OWNED_BUFFER section = {.secret = true};
    struct rg_signature_seen seen;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_unseal_verify(der, &author, 1, &section, &seen, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "seal-", "wire-", "buffer-");
        return;
    }
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&section), rg_buffer_peek(&text)));
    RG_ASSERT(seen.signer_count == 1 && seen.signer[0] == author);
}

static void open_with_all(struct rg_bytes der)
{
    RG_OWNED_BUFFER plain = {.secret = true};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_unseal(der, reading_key, READERS, &plain, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "seal-", "buffer-");
        return;
    }
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&plain), rg_buffer_peek(&signed_der)));
    verify(rg_buffer_peek(&plain));
}

static void change(const struct rg_buffer *lawful, struct rg_bytes edits,
                   void (*look)(struct rg_bytes))
{
    RG_OWNED_BUFFER copy = {0};
    RG_ASSERT(rg_is_ok(rg_buffer_append(&copy, rg_buffer_peek(lawful), NULL)));
    for (size_t i = 0; i + 3 <= edits.len; i += 3) {
        size_t at = ((size_t)edits.data[i] << 8 | edits.data[i + 1]) % copy.len;
        copy.data[at] = edits.data[i + 2];
    }
    look(rg_buffer_peek(&copy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (author == NULL) {
        set_up();
    }
    if (size < 1) {
        return 0;
    }
    struct rg_bytes rest = rg_bytes_of(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        open_with_all(rest);
        break;
    case 1:
        verify(rest);
        break;
    case 2:
        change(&sealed, rest, open_with_all);
        break;
    default:
        change(&signed_der, rest, verify);
        break;
    }
    return 0;
}
