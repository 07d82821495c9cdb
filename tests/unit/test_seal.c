/*
 * seal: what goes in comes out, the stock openssl command reads and writes the same, every change
 * and every other form is refused, outsiders see nothing of the readers, and nobody can be shown
 * another text than the others.
 */
#include "core/digest.h"
#include "core/seal.h"
#include "tests/unit/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#define ASSERT_OK(call)                                                                            \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        rg_outcome outcome = (call);                                                               \
        if (!rg_is_ok(outcome)) {                                                                  \
            fail_msg("%s: %s", why.id, why.text);                                                  \
        }                                                                                          \
    } while (0)
#define ASSERT_REFUSED(call, wanted_code, wanted_id)                                               \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        rg_outcome outcome = (call);                                                               \
        assert_false(rg_is_ok(outcome));                                                           \
        assert_string_equal(why.id, wanted_id);                                                    \
        assert_int_equal(outcome.code, wanted_code);                                               \
    } while (0)

#define READERS 33
#define WRAP_BYTES 182
#define WRAP_OPAQUE_START 25 /* within the point, behind its 04 */

struct people {
    struct rg_certificate *root, *author, *colleague, *stranger, *reader[READERS];
    struct rg_key *root_key, *author_key, *colleague_key, *stranger_key, *reader_key[READERS];
    char folder[32];
};

static struct people people;

static int set_up(void **state)
{
    (void)state;
    struct forge root = {.kind = FORGE_ROOT, .country = "th", .common_name = "root"};
    struct forge author = {.kind = FORGE_SIGN, .uri = "referral://th/focal/officer-1"};
    struct forge colleague = {.kind = FORGE_SIGN, .uri = "referral://th/focal/officer-2"};
    struct forge reader = {.kind = FORGE_READ, .uri = "referral://kh/focal/officer-1"};
    people.root = forge_certificate(&root, NULL, NULL, &people.root_key);
    people.author = forge_certificate(&author, people.root, people.root_key, &people.author_key);
    people.colleague =
        forge_certificate(&colleague, people.root, people.root_key, &people.colleague_key);
    people.stranger = forge_certificate(&author, NULL, NULL, &people.stranger_key);
    for (size_t i = 0; i < READERS; i++) {
        people.reader[i] = forge_certificate(&reader, NULL, NULL, &people.reader_key[i]);
    }
    (void)snprintf(people.folder, sizeof(people.folder), "/tmp/rg-seal-XXXXXX");
    return mkdtemp(people.folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    rg_certificate_free(people.root);
    rg_certificate_free(people.author);
    rg_certificate_free(people.colleague);
    rg_certificate_free(people.stranger);
    rg_key_free(people.root_key);
    rg_key_free(people.author_key);
    rg_key_free(people.colleague_key);
    rg_key_free(people.stranger_key);
    for (size_t i = 0; i < READERS; i++) {
        rg_certificate_free(people.reader[i]);
        rg_key_free(people.reader_key[i]);
    }
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", people.folder);
    return system(command);
}

/* A message of two sections. */

struct letter {
    struct rg_core core;
    struct rg_buffer core_bytes;
    struct rg_section section[2];
};

static void letter_drop(struct letter *letter)
{
    rg_buffer_drop(&letter->core_bytes);
}

#define OWNED_LETTER RG_CLEANUP(letter_drop) struct letter

static void fill_core(struct rg_core *core)
{
    *core = (struct rg_core){.version = 1,
                             .from_office = "th/focal",
                             .to_country = "kh",
                             .to_office = {"kh/focal"},
                             .to_office_count = 1,
                             .author_counter = 1,
                             .priority = RG_URGENT,
                             .created = {1795000000000},
                             .expires = {1795100000000},
                             .collect_by = {1795200000000},
                             .section_count = 2};
}

static void encode_core(struct letter *letter)
{
    rg_buffer_clear(&letter->core_bytes);
    ASSERT_OK(rg_core_encode(&letter->core, &letter->core_bytes, &why));
    for (uint32_t i = 0; i < 2; i++) {
        letter->section[i].core_digest = rg_sha256(rg_buffer_peek(&letter->core_bytes));
    }
}

static struct letter letter_of(struct rg_bytes first, struct rg_bytes second)
{
    struct letter letter = {
        .section = {{.index = 0, .content = first}, {.index = 1, .content = second}}};
    fill_core(&letter.core);
    for (uint32_t i = 0; i < 2; i++) {
        struct rg_section *section = &letter.section[i];
        struct rg_section_core *stated = &letter.core.section[i];
        rg_random(section->blinding, sizeof(section->blinding));
        stated->padded_bytes = (uint32_t)rg_padded_size(rg_section_bytes(section->content.len));
        struct rg_hash commitment = rg_section_commitment(section->blinding, section->content);
        memcpy(stated->commitment, commitment.b, sizeof(stated->commitment));
        (void)snprintf(stated->office[0], sizeof(stated->office[0]), "kh/focal");
        stated->office_count = 1;
    }
    encode_core(&letter);
    return letter;
}

static struct letter small_letter(void)
{
    return letter_of(RG_BYTES_LITERAL("what the case is about"), RG_BYTES_LITERAL("who she is"));
}

static void seal_padded(const struct letter *letter, size_t index, size_t readers, size_t padded,
                        struct rg_buffer *out)
{
    const struct rg_signer signer = {people.author, people.author_key};
    const struct rg_certificate *reader[READERS];
    for (size_t i = 0; i < readers; i++) {
        reader[i] = people.reader[i];
    }
    rg_buffer_clear(out);
    ASSERT_OK(rg_seal(&letter->section[index], padded, &signer, 1, reader, readers, out, &why));
}

static void seal(const struct letter *letter, size_t index, size_t readers, struct rg_buffer *out)
{
    seal_padded(letter, index, readers, letter->core.section[index].padded_bytes, out);
}

static rg_outcome open_with(struct rg_bytes sealed, size_t reader, struct rg_buffer *signed_out,
                            struct rg_reason *why)
{
    struct rg_reading_key key = {people.reader[reader], people.reader_key[reader]};
    return rg_unseal(sealed, &key, 1, signed_out, why);
}

static rg_outcome verify(struct rg_bytes signed_der, struct rg_buffer *out,
                         struct rg_signature_seen *seen, struct rg_reason *why)
{
    struct rg_certificate *const candidate[] = {people.colleague, people.author};
    return rg_unseal_verify(signed_der, candidate, 2, out, seen, why);
}

static rg_outcome read_whole(struct rg_bytes sealed, size_t reader, struct rg_buffer *section_out,
                             struct rg_reason *why)
{
    RG_OWNED_BUFFER signed_der = {0};
    struct rg_signature_seen seen;
    RG_TRY(open_with(sealed, reader, &signed_der, why));
    return verify(rg_buffer_peek(&signed_der), section_out, &seen, why);
}

static rg_outcome check(const struct letter *letter, struct rg_bytes section_bytes, size_t index,
                        struct rg_reason *why)
{
    struct rg_section section;
    RG_TRY(rg_section_peek(section_bytes, &section, why));
    return rg_section_check(&section, section_bytes.len, rg_buffer_peek(&letter->core_bytes),
                            &letter->core, index, why);
}

/* There and back */

static void test_each_reader_opens_and_nobody_else(void **state)
{
    (void)state;
    static const size_t readers[] = {1, 2, 4, 5, 8, 9, 16, 17, 32};
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        seal(&letter, 1, readers[i], &sealed);
        for (size_t r = 0; r < readers[i]; r++) {
            ASSERT_OK(read_whole(rg_buffer_peek(&sealed), r, &section, &why));
            ASSERT_OK(check(&letter, rg_buffer_peek(&section), 1, &why));
        }
        ASSERT_REFUSED(read_whole(rg_buffer_peek(&sealed), readers[i], &section, &why), RG_DENIED,
                       "seal-not-for-us");
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void test_any_of_several_own_keys_opens(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    seal(&letter, 0, 2, &sealed);
    struct rg_reading_key key[] = {{people.reader[20], people.reader_key[20]},
                                   {people.reader[1], people.reader_key[1]},
                                   {people.reader[21], people.reader_key[21]}};
    ASSERT_OK(rg_unseal(rg_buffer_peek(&sealed), key, 3, &signed_der, &why));
    assert_true(signed_der.secret);
    ASSERT_REFUSED(rg_unseal(rg_buffer_peek(&sealed), key, 1, &signed_der, &why), RG_DENIED,
                   "seal-not-for-us");
    ASSERT_REFUSED(rg_unseal(rg_buffer_peek(&sealed), NULL, 0, &signed_der, &why), RG_DENIED,
                   "seal-not-for-us");
}

/* Every length form of DER, judged by OpenSSL's own encoder. */
static void assert_is_der(struct rg_bytes bytes)
{
    const unsigned char *at = bytes.data;
    unsigned char *again = NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)bytes.len);
    assert_non_null(cms);
    assert_ptr_equal(at, bytes.data + bytes.len);
    int len = i2d_CMS_ContentInfo(cms, &again);
    assert_int_equal(len, bytes.len);
    assert_memory_equal(again, bytes.data, bytes.len);
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
}

static void test_all_sizes_are_der_to_openssl(void **state)
{
    (void)state;
    static const uint8_t content[1024 * 1024];
    static const size_t start[] = {0, 65536 - 600, sizeof(content)};
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    for (size_t s = 0; s < 3; s++) {
        for (size_t more = 0; more < (s == 2 ? 1 : 500); more += s == 0 ? 1 : 7) {
            letter.section[0].content = rg_bytes_of(content, start[s] + more);
            size_t bytes = rg_section_bytes(start[s] + more);
            seal_padded(&letter, 0, 1, bytes, &sealed);
            assert_is_der(rg_buffer_peek(&sealed));
            ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
            assert_is_der(rg_buffer_peek(&signed_der));
            ASSERT_OK(verify(rg_buffer_peek(&signed_der), &section, &seen, &why));
            assert_int_equal(section.len, bytes);
        }
    }
}

static void test_two_officers_sign_an_irreversible_act(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    const struct rg_signer signer[] = {{people.author, people.author_key},
                                       {people.colleague, people.colleague_key}};
    const struct rg_certificate *reader = people.reader[0];
    for (int i = 0; i < 16; i++) { /* the order inside depends on the signatures' lengths */
        RG_OWNED_BUFFER sealed = {0};
        RG_OWNED_BUFFER signed_der = {0};
        RG_OWNED_BUFFER section = {0};
        struct rg_signature_seen seen;
        ASSERT_OK(rg_seal(&letter.section[0], 1024, signer, 2, &reader, 1, &sealed, &why));
        ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
        assert_is_der(rg_buffer_peek(&signed_der));
        ASSERT_OK(verify(rg_buffer_peek(&signed_der), &section, &seen, &why));
        assert_int_equal(seen.signer_count, 2);
        assert_ptr_not_equal(seen.signer[0], seen.signer[1]);
        struct rg_certificate *const one[] = {people.author};
        ASSERT_REFUSED(rg_unseal_verify(rg_buffer_peek(&signed_der), one, 1, &section, &seen, &why),
                       RG_DENIED, "seal-signer");
    }
    RG_OWNED_BUFFER twice = {0};
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    const struct rg_signer doubled[] = {signer[0], signer[0]};
    ASSERT_OK(rg_seal(&letter.section[0], 1024, doubled, 2, &reader, 1, &twice, &why));
    ASSERT_OK(open_with(rg_buffer_peek(&twice), 0, &signed_der, &why));
    ASSERT_REFUSED(verify(rg_buffer_peek(&signed_der), &section, &seen, &why), RG_DENIED,
                   "seal-signer");
}

/* Another day, another machine: the second signature is over the bytes that the first has signed.
 */
static void test_the_second_officer_signs_later(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    const struct rg_signer first = {people.author, people.author_key};
    const struct rg_signer second = {people.colleague, people.colleague_key};
    for (int i = 0; i < 16; i++) {
        RG_OWNED_BUFFER once = {.secret = true};
        RG_OWNED_BUFFER both = {.secret = true};
        RG_OWNED_BUFFER more = {.secret = true};
        RG_OWNED_BUFFER one_text = {0};
        RG_OWNED_BUFFER both_text = {0};
        struct rg_signature_seen seen;
        ASSERT_OK(rg_section_sign(&letter.section[0], 1024, &first, &once, &why));
        ASSERT_OK(rg_section_sign_also(rg_buffer_peek(&once), &second, &both, &why));
        assert_is_der(rg_buffer_peek(&both));
        ASSERT_OK(verify(rg_buffer_peek(&once), &one_text, &seen, &why));
        assert_int_equal(seen.signer_count, 1);
        ASSERT_OK(verify(rg_buffer_peek(&both), &both_text, &seen, &why));
        assert_int_equal(seen.signer_count, 2);
        assert_true(rg_bytes_equal(rg_buffer_peek(&one_text), rg_buffer_peek(&both_text)));
        ASSERT_REFUSED(rg_section_sign_also(rg_buffer_peek(&both), &second, &more, &why), RG_LIMIT,
                       "seal-signers");
        once.len--;
        ASSERT_REFUSED(rg_section_sign_also(rg_buffer_peek(&once), &second, &more, &why),
                       RG_MALFORMED, "seal-profile");
        assert_int_equal(more.len, 0);
    }
}

/* A reader who is left out leaves his place: nobody's key is in it, and the number is the same. */
static void test_an_empty_place_among_readers(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    const struct rg_signer signer = {people.author, people.author_key};
    for (size_t left_out = 0; left_out < 5; left_out++) {
        const struct rg_certificate *reader[5];
        RG_OWNED_BUFFER sealed = {0};
        RG_OWNED_BUFFER whole = {0};
        memcpy(reader, people.reader, sizeof(reader));
        ASSERT_OK(rg_seal(&letter.section[0], 1024, &signer, 1, reader, 5, &whole, &why));
        reader[left_out] = NULL;
        ASSERT_OK(rg_seal(&letter.section[0], 1024, &signer, 1, reader, 5, &sealed, &why));
        assert_in_range(sealed.len, whole.len - 8, whole.len + 8); /* signatures vary */
        for (size_t i = 0; i < 5; i++) {
            RG_OWNED_BUFFER signed_der = {0};
            rg_outcome outcome = open_with(rg_buffer_peek(&sealed), i, &signed_der, NULL);
            assert_int_equal(rg_is_ok(outcome), i != left_out);
        }
    }
}

static void test_limits(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER out = {0};
    struct forge p384 = {.kind = FORGE_READ, .uri = "referral://kh/focal/officer-1"};
    const struct rg_signer signer[] = {{people.author, people.author_key},
                                       {people.colleague, people.colleague_key},
                                       {people.author, people.author_key}};
    const struct rg_signer mixed = {people.author, people.colleague_key};
    const struct rg_certificate *reader[READERS];
    memcpy(reader, people.reader, sizeof(reader));
    const struct rg_section *section = &letter.section[0];
    ASSERT_REFUSED(rg_seal(section, 1024, signer, 1, reader, 0, &out, &why), RG_LIMIT,
                   "seal-readers");
    ASSERT_REFUSED(rg_seal(section, 1024, signer, 1, reader, 33, &out, &why), RG_LIMIT,
                   "seal-readers");
    ASSERT_REFUSED(rg_seal(section, 1024, signer, 0, reader, 1, &out, &why), RG_LIMIT,
                   "seal-signers");
    ASSERT_REFUSED(rg_seal(section, 1024, signer, 3, reader, 1, &out, &why), RG_LIMIT,
                   "seal-signers");
    ASSERT_REFUSED(rg_seal(section, 1024, &mixed, 1, reader, 1, &out, &why), RG_DENIED,
                   "key-mismatch");
    p384.curve = "P-384";
    RG_OWNED_BUFFER der = {0};
    forge_der(&p384, NULL, NULL, NULL, &der);
    struct rg_certificate *larger = NULL;
    if (rg_is_ok(rg_certificate_parse(rg_buffer_peek(&der), &larger, NULL))) {
        reader[0] = larger;
        ASSERT_REFUSED(rg_seal(section, 1024, signer, 1, reader, 1, &out, &why), RG_DENIED,
                       "seal-reader");
        rg_certificate_free(larger);
    }
    assert_int_equal(out.len, 0);
    static const size_t wraps[] = {4, 4, 4, 4, 8, 8, 8, 8, 16};
    for (size_t i = 1; i <= 9; i++) {
        assert_int_equal(rg_seal_wraps(i), wraps[i - 1]);
    }
    assert_int_equal(rg_seal_wraps(32), 32);
    assert_int_equal(rg_seal_wraps(33), 0);
}

/* Strangers */

static void test_only_the_offices_own_signers_count(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    const struct rg_signer stranger = {people.stranger, people.stranger_key};
    const struct rg_certificate *reader = people.reader[0];
    ASSERT_OK(rg_seal(&letter.section[0], 1024, &stranger, 1, &reader, 1, &sealed, &why));
    ASSERT_REFUSED(read_whole(rg_buffer_peek(&sealed), 0, &section, &why), RG_DENIED,
                   "seal-signer");
    assert_int_equal(section.len, 0);
}

/* A certificate with the author's issuer and serial number and another key. */
static void test_a_twin_of_the_signers_name_does_not_verify(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
    X509 *x509 = X509_dup(rg_certificate_x509(people.author));
    assert_int_equal(X509_set_pubkey(x509, rg_key_pkey(people.stranger_key)), 1);
    assert_true(X509_sign(x509, rg_key_pkey(people.root_key), EVP_sha256()) > 0);
    unsigned char *bytes = NULL;
    int len = i2d_X509(x509, &bytes);
    struct rg_certificate *twin = NULL;
    ASSERT_OK(rg_certificate_parse(rg_bytes_of(bytes, (size_t)len), &twin, &why));
    struct rg_certificate *const candidate[] = {twin};
    struct rg_signature_seen seen;
    ASSERT_REFUSED(
        rg_unseal_verify(rg_buffer_peek(&signed_der), candidate, 1, &section, &seen, &why),
        RG_DENIED, "seal-signature");
    rg_certificate_free(twin);
    X509_free(x509);
    OPENSSL_free(bytes);
}

/* Changed bytes */

static void test_every_changed_byte_is_refused(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER whole = {0};
    RG_OWNED_BUFFER section = {0};
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &whole, &why));
    struct rg_hash digest = rg_sha256(rg_buffer_peek(&sealed));
    size_t opened = 0, in_wraps = rg_seal_wraps(1) * WRAP_BYTES;
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= (uint8_t)(1U << i % 8);
        /* The three wraps of others and the key identifiers cannot matter to this reader; there
         * the header's digest of the sealed bytes is what finds a change. */
        if (rg_is_ok(read_whole(rg_buffer_peek(&sealed), 0, &section, NULL))) {
            assert_true(rg_bytes_equal(rg_buffer_peek(&section), rg_buffer_peek(&whole)));
            struct rg_hash now = rg_sha256(rg_buffer_peek(&sealed));
            assert_memory_not_equal(&now, &digest, sizeof(digest));
            assert_true(i < 60 + in_wraps);
            opened++;
        }
        sealed.data[i] ^= (uint8_t)(1U << i % 8);
    }
    assert_true(opened > 0 && opened < 3 * (65 + 20 + 40) + 20);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &section, &why));
}

static void test_every_changed_byte_of_the_signed_data_is_refused(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
    for (size_t i = 0; i < signed_der.len; i++) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            signed_der.data[i] ^= (uint8_t)(1U << bit);
            assert_false(rg_is_ok(verify(rg_buffer_peek(&signed_der), &section, &seen, NULL)));
            signed_der.data[i] ^= (uint8_t)(1U << bit);
        }
    }
    for (size_t len = 0; len < signed_der.len; len++) {
        ASSERT_REFUSED(verify(rg_bytes_of(signed_der.data, len), &section, &seen, &why),
                       RG_MALFORMED, "seal-profile");
    }
    ASSERT_OK(verify(rg_buffer_peek(&signed_der), &section, &seen, &why));
}

static void test_cut_or_longer_bytes_are_no_section(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    seal(&letter, 0, 1, &sealed);
    for (size_t len = 0; len < sealed.len; len++) {
        ASSERT_REFUSED(open_with(rg_bytes_of(sealed.data, len), 0, &section, &why), RG_MALFORMED,
                       "seal-profile");
    }
    ASSERT_OK(rg_buffer_append(&sealed, rg_bytes_of("", 1), &why));
    ASSERT_REFUSED(open_with(rg_buffer_peek(&sealed), 0, &section, &why), RG_MALFORMED,
                   "seal-profile");
}

/* Blind readers */

static size_t first_wrap(struct rg_bytes sealed)
{
    static const uint8_t start[] = {0xa1, 0x81, 0xb3, 0x02, 0x01, 0x03};
    const uint8_t *at = memmem(sealed.data, sealed.len, start, sizeof(start));
    assert_non_null(at);
    return (size_t)(at - sealed.data);
}

/* The same outside the holes: ephemeral point, key identifier, wrapped key. */
static void assert_alike(const uint8_t *a, const uint8_t *b)
{
    assert_memory_equal(a, b, WRAP_OPAQUE_START);
    assert_memory_equal(a + 89, b + 89, 31);
    assert_memory_equal(a + 140, b + 140, 2);
    assert_memory_not_equal(a + WRAP_OPAQUE_START, b + WRAP_OPAQUE_START, 64);
    assert_memory_not_equal(a + 120, b + 120, 20);
    assert_memory_not_equal(a + 142, b + 142, 40);
}

static void test_an_excluded_officer_leaves_no_trace(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER with = {0};
    RG_OWNED_BUFFER without = {0};
    seal(&letter, 0, 4, &with);
    seal(&letter, 0, 3, &without);
    /* An ECDSA signature has 70 to 72 bytes, rarely fewer: nothing else may differ. */
    assert_true(with.len < without.len + 8 && without.len < with.len + 8);
    size_t a = first_wrap(rg_buffer_peek(&with)), b = first_wrap(rg_buffer_peek(&without));
    assert_int_equal(a, b);
    for (size_t i = 0; i < 4; i++) {
        assert_alike(with.data + a + i * WRAP_BYTES, without.data + b + i * WRAP_BYTES);
        for (size_t j = 0; j < i; j++) {
            assert_alike(with.data + a + i * WRAP_BYTES, with.data + a + j * WRAP_BYTES);
        }
    }
    for (size_t i = 0; i < 4; i++) { /* the reader's own key is nowhere to be seen */
        uint8_t point[65];
        size_t len = 0;
        assert_int_equal(EVP_PKEY_get_octet_string_param(rg_key_pkey(people.reader_key[i]), "pub",
                                                         point, sizeof(point), &len),
                         1);
        assert_null(memmem(with.data, with.len, point + 1, 16));
    }
}

/* Where does the only reader stand? Break one wrap after the other. */
static size_t place_of_reader(struct rg_buffer *sealed)
{
    RG_OWNED_BUFFER out = {0};
    size_t start = first_wrap(rg_buffer_peek(sealed));
    for (size_t i = 0; i < 4; i++) {
        uint8_t *byte = &sealed->data[start + i * WRAP_BYTES + 150];
        *byte ^= 1;
        bool opens = rg_is_ok(open_with(rg_buffer_peek(sealed), 0, &out, NULL));
        *byte ^= 1;
        if (!opens) {
            return i;
        }
    }
    fail_msg("no wrap matters");
    return 0;
}

static void test_readers_stand_at_any_place(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    size_t seen[4] = {0};
    for (int i = 0; i < 100; i++) { /* missing one place: once in 10^12 runs */
        seal(&letter, 0, 1, &sealed);
        seen[place_of_reader(&sealed)]++;
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(seen[i] > 0);
    }
}

/* One text for all readers */

static void test_another_text_under_the_same_header_is_caught(void **state)
{
    (void)state;
    OWNED_LETTER letter =
        letter_of(RG_BYTES_LITERAL("she agrees to go"), RG_BYTES_LITERAL("second"));
    struct letter forged = letter;
    forged.section[0].content = RG_BYTES_LITERAL("she refuses to go");
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &section, &why));
    ASSERT_OK(check(&letter, rg_buffer_peek(&section), 0, &why));
    seal(&forged, 0, 1, &sealed);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &section, &why));
    ASSERT_REFUSED(check(&letter, rg_buffer_peek(&section), 0, &why), RG_DENIED, "seal-commitment");
}

/* GF(2^128) as GCM counts it: the first bit is the highest. */
struct block {
    uint8_t b[16];
};

static struct block block_add(struct block a, struct block b)
{
    for (size_t i = 0; i < 16; i++) {
        a.b[i] ^= b.b[i];
    }
    return a;
}

static struct block block_multiply(struct block a, struct block b)
{
    struct block product = {{0}};
    for (size_t bit = 0; bit < 128; bit++) {
        if ((a.b[bit / 8] >> (7 - bit % 8) & 1) != 0) {
            product = block_add(product, b);
        }
        bool carry = (b.b[15] & 1) != 0;
        for (size_t i = 15; i > 0; i--) {
            b.b[i] = (uint8_t)(b.b[i] >> 1 | b.b[i - 1] << 7);
        }
        b.b[0] = (uint8_t)(b.b[0] >> 1 ^ (carry ? 0xe1 : 0));
    }
    return product;
}

static struct block block_invert(struct block a)
{
    struct block result = {{0x80}};
    for (int i = 0; i < 127; i++) { /* a^(2^128 - 2) */
        a = block_multiply(a, a);
        result = block_multiply(result, a);
    }
    return result;
}

static struct block aes_block(const uint8_t key[32], struct block in)
{
    struct block out;
    int len = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_ecb(), NULL, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out.b, &len, in.b, 16), 1);
    EVP_CIPHER_CTX_free(context);
    return out;
}

#define BLOCKS 5 /* two for each text, one to make the tags meet */

/* The part of the tag under `key` that does not depend on the last block; `square_out` its factor.
 */
static struct block tag_without_last(const uint8_t key[32], const uint8_t nonce[12],
                                     const struct block *text, struct block *square_out)
{
    struct block start = {{0}}, length = {{0}}, sum = {{0}};
    memcpy(start.b, nonce, 12);
    start.b[15] = 1;
    length.b[14] = (uint8_t)(BLOCKS * 128 >> 8);
    length.b[15] = (uint8_t)(BLOCKS * 128 & 0xff);
    struct block h = aes_block(key, (struct block){{0}});
    for (size_t i = 0; i < BLOCKS - 1; i++) {
        sum = block_multiply(block_add(sum, text[i]), h);
    }
    sum = block_multiply(block_multiply(sum, h), h);
    *square_out = block_multiply(h, h);
    return block_add(block_add(sum, block_multiply(length, h)), aes_block(key, start));
}

static struct block key_stream(const uint8_t key[32], const uint8_t nonce[12], uint8_t number)
{
    struct block counter = {{0}};
    memcpy(counter.b, nonce, 12);
    counter.b[15] = (uint8_t)(number + 2);
    return aes_block(key, counter);
}

/* One ciphertext and one tag that are right under two keys. */
static void ambiguous(uint8_t key[2][32], const uint8_t nonce[12], const char *const text[2],
                      struct block out[BLOCKS + 1])
{
    struct block square[2], part[2];
    for (uint8_t i = 0; i < 4; i++) {
        struct block plain;
        memcpy(plain.b, text[i / 2] + i % 2 * 16, 16);
        out[i] = block_add(plain, key_stream(key[i / 2], nonce, i));
    }
    for (size_t k = 0; k < 2; k++) {
        part[k] = tag_without_last(key[k], nonce, out, &square[k]);
    }
    out[4] =
        block_multiply(block_add(part[0], part[1]), block_invert(block_add(square[0], square[1])));
    out[5] = block_add(part[0], block_multiply(out[4], square[0]));
}

/* Wraps `content_key` anew for `reader`, in the wrap that stands at `wrap`. The test may: it knows
 * the reader's private key. */
static bool rewrap(uint8_t *wrap, const struct rg_key *reader, const uint8_t content_key[32])
{
    static const uint8_t info[] = {0,    0,    0,    1,    0x30, 0x15, 0x30, 0x0b, 0x06,
                                   0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01,
                                   0x2d, 0xa2, 0x06, 0x04, 0x04, 0,    0,    1,    0};
    uint8_t shared[32], back[48];
    size_t shared_len = sizeof(shared);
    int len = 0;
    EVP_PKEY *peer = EVP_PKEY_new();
    assert_int_equal(EVP_PKEY_copy_parameters(peer, rg_key_pkey(reader)), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(peer, wrap + 24, 65), 1);
    EVP_PKEY_CTX *own = EVP_PKEY_CTX_new_from_pkey(NULL, rg_key_pkey(reader), NULL);
    assert_int_equal(EVP_PKEY_derive_init(own), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(own, peer), 1);
    assert_int_equal(EVP_PKEY_derive(own, shared, &shared_len), 1);
    const struct rg_bytes part[] = {{shared, 32}, {info, sizeof(info)}};
    struct rg_hash key = rg_sha256_parts(part, 2);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool mine = EVP_DecryptInit_ex(context, EVP_aes_256_wrap(), NULL, key.b, NULL) == 1 &&
                EVP_DecryptUpdate(context, back, &len, wrap + 142, 40) == 1;
    if (mine) {
        assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_wrap(), NULL, key.b, NULL), 1);
        assert_int_equal(EVP_EncryptUpdate(context, wrap + 142, &len, content_key, 32), 1);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_PKEY_CTX_free(own);
    EVP_PKEY_free(peer);
    ERR_clear_error();
    return mine;
}

static void put(struct rg_buffer *out, const void *bytes, size_t len)
{
    ASSERT_OK(rg_buffer_append(out, rg_bytes_of(bytes, len), &why));
}

static void put_length(struct rg_buffer *out, size_t at, size_t length)
{
    out->data[at] = (uint8_t)(length >> 8);
    out->data[at + 1] = (uint8_t)length;
}

/* The envelope of `wraps` (4 of them) around five blocks and their tag. */
static void envelope_of(const uint8_t *wraps, const uint8_t nonce[12],
                        const struct block text[BLOCKS + 1], struct rg_buffer *out)
{
    static const uint8_t head[] = {0x30, 0x82, 0x03, 0x83, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                   0x0d, 0x01, 0x09, 0x10, 0x01, 0x17, 0xa0, 0x82, 0x03, 0x72, 0x30,
                                   0x82, 0x03, 0x6e, 0x02, 0x01, 0x00, 0x31, 0x82, 0x02, 0xd8};
    static const uint8_t content[] = {0x30, 0x7d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                      0x01, 0x07, 0x01, 0x30, 0x1e, 0x06, 0x09, 0x60, 0x86, 0x48,
                                      0x01, 0x65, 0x03, 0x04, 0x01, 0x2e, 0x30, 0x11, 0x04, 0x0c};
    static const uint8_t tail[] = {0x02, 0x01, 0x10, 0x80, 0x50};
    static const uint8_t mac[] = {0x04, 0x10};
    put(out, head, sizeof(head));
    put(out, wraps, 4 * WRAP_BYTES);
    put(out, content, sizeof(content));
    put(out, nonce, 12);
    put(out, tail, sizeof(tail));
    put(out, text, BLOCKS * 16);
    put(out, mac, sizeof(mac));
    put(out, text[BLOCKS].b, 16);
    put_length(out, 2, out->len - 4);
    put_length(out, 19, out->len - 21);
    put_length(out, 23, out->len - 25);
}

/* AES-GCM alone does let one ciphertext be two texts: here it is. What saves the readers is that
 * each text must carry a signature over the commitment that all of them see. */
static void test_one_ciphertext_with_two_keys_is_two_texts_and_refused(void **state)
{
    (void)state;
    static const char *const text[2] = {"She agrees. Send her on Tuesday.",
                                        "She does not agree to be sent..."};
    uint8_t key[2][32], nonce[12];
    struct block cipher[BLOCKS + 1];
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER forged = {0};
    RG_OWNED_BUFFER out = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    rg_random(key, sizeof(key));
    rg_random(nonce, sizeof(nonce));
    ambiguous(key, nonce, text, cipher);
    seal(&letter, 0, 2, &sealed);
    uint8_t *wraps = sealed.data + first_wrap(rg_buffer_peek(&sealed));
    size_t rewrapped = 0;
    for (size_t i = 0; i < 8; i++) {
        rewrapped += rewrap(wraps + i / 2 * WRAP_BYTES, people.reader_key[i % 2], key[i % 2]);
    }
    assert_int_equal(rewrapped, 2);
    envelope_of(wraps, nonce, cipher, &forged);
    for (size_t r = 0; r < 2; r++) {
        ASSERT_OK(open_with(rg_buffer_peek(&forged), r, &out, &why));
        assert_int_equal(out.len, BLOCKS * 16);
        assert_memory_equal(out.data + r * 32, text[r], 32);
        ASSERT_REFUSED(verify(rg_buffer_peek(&out), &section, &seen, &why), RG_MALFORMED,
                       "seal-profile");
    }
}

/* What the gateways could change */

static void test_a_changed_header_is_caught_by_the_reader(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &section, &why));
    for (int change = 0; change < 5; change++) {
        OWNED_LETTER changed = {.core = letter.core};
        changed.core.expires.ms += change == 0 ? 1000 : 0;
        changed.core.priority = change == 1 ? RG_ROUTINE : RG_URGENT;
        changed.core.section_count = change == 2 ? 1 : 2;
        changed.core.thread.b[0] = change == 3;
        changed.core.section[1].commitment[0] ^= change == 4;
        encode_core(&changed);
        ASSERT_REFUSED(check(&changed, rg_buffer_peek(&section), 0, &why), RG_DENIED, "seal-core");
    }
    ASSERT_REFUSED(check(&letter, rg_buffer_peek(&section), 1, &why), RG_DENIED, "seal-index");
    ASSERT_REFUSED(check(&letter, rg_buffer_peek(&section), 2, &why), RG_DENIED, "seal-index");
    ASSERT_OK(check(&letter, rg_buffer_peek(&section), 0, &why));
}

static void test_the_padded_size_is_the_stated_one(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER section = {0};
    seal_padded(&letter, 0, 1, 2048, &sealed);
    ASSERT_OK(read_whole(rg_buffer_peek(&sealed), 0, &section, &why));
    ASSERT_REFUSED(check(&letter, rg_buffer_peek(&section), 0, &why), RG_DENIED, "seal-padding");
}

/* The stock command */

static int run(const char *format, ...) RG_PRINTF(1, 2);

static int run(const char *format, ...)
{
    char command[1024], line[1200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    (void)snprintf(line, sizeof(line), "cd %s && (%s) >log 2>&1", people.folder, command);
    return system(line);
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", people.folder, name);
    return path;
}

static void write_pem(const char *name, const struct rg_certificate *certificate)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, rg_certificate_x509(certificate)), 1);
    assert_int_equal(fclose(file), 0);
}

static void write_people(void)
{
    write_pem("root.pem", people.root);
    write_pem("author.pem", people.author);
    write_pem("colleague.pem", people.colleague);
    ASSERT_OK(rg_key_write(people.author_key, path_of("author.key"), &why));
    ASSERT_OK(rg_key_write(people.reader_key[0], path_of("reader.key"), &why));
    ASSERT_OK(rg_key_write(people.reader_key[9], path_of("other.key"), &why));
    assert_int_equal(run("cat author.pem colleague.pem >officers.pem"), 0);
}

static void test_the_openssl_command_opens_a_section(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    const struct rg_signer signer[] = {{people.author, people.author_key},
                                       {people.colleague, people.colleague_key}};
    const struct rg_certificate *reader[] = {people.reader[0], people.reader[1]};
    write_people();
    for (size_t signers = 1; signers <= 2; signers++) {
        RG_OWNED_BUFFER sealed = {0};
        RG_OWNED_BUFFER section = {0};
        ASSERT_OK(rg_seal(&letter.section[0], 1024, signer, signers, reader, 2, &sealed, &why));
        ASSERT_OK(rg_file_replace(path_of("sealed"), rg_buffer_peek(&sealed), 0600, &why));
        assert_int_equal(run("openssl cms -decrypt -binary -inform DER -in sealed "
                             "-inkey reader.key -out signed"),
                         0);
        assert_int_not_equal(run("openssl cms -decrypt -binary -inform DER -in sealed "
                                 "-inkey other.key -out nothing"),
                             0);
        assert_int_equal(run("openssl cms -verify -binary -inform DER -in signed -CAfile root.pem "
                             "-certfile officers.pem -attime 1795000000 "
                             "-out section"),
                         0);
        ASSERT_OK(rg_file_read(path_of("section"), 4096, &section, &why));
        ASSERT_OK(check(&letter, rg_buffer_peek(&section), 0, &why));
    }
    /* At a time when the certificate was not yet valid the chain does not hold. */
    assert_int_not_equal(run("openssl cms -verify -binary -inform DER -in signed -CAfile root.pem "
                             "-certfile officers.pem -attime 1700000000 "
                             "-out section"),
                         0);
}

/* Files the stock command makes: each of its own, from the same readers and signers. */
static void make_stock_files(void)
{
    write_people();
    assert_int_equal(
        run("for r in 1 2 3 4; do openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
            "-nodes -keyout r$r.key -out r$r.pem -subj /CN=r$r -days 30 || exit 1; done; "
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.pem -subj /CN=rsa; "
            "chmod 600 r1.key; head -c 1024 /dev/zero >content; "
            "openssl cms -sign -binary -nosmimecap -nocerts -nodetach -outform DER -md sha256 "
            "-in content -signer author.pem -inkey author.key -out stock.signed"),
        0);
}

#define WITH_KDF " -keyopt ecdh_kdf_md:sha256 "
#define RECIPIENTS4                                                                                \
    "-recip r1.pem" WITH_KDF "-recip r2.pem" WITH_KDF "-recip r3.pem" WITH_KDF                     \
    "-recip r4.pem" WITH_KDF

static rg_outcome open_file(const char *name, struct rg_buffer *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_KEY *key = NULL;
    RG_TRY(rg_file_read(path_of(name), 65536, &sealed, why));
    RG_TRY(rg_key_read(path_of("r1.key"), &key, why));
    struct rg_reading_key reading = {NULL, key};
    return rg_unseal(rg_buffer_peek(&sealed), &reading, 1, out, why);
}

static void test_the_openssl_command_can_seal_in_our_profile(void **state)
{
    (void)state;
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    make_stock_files();
    assert_int_equal(run("openssl cms -encrypt -binary -keyid -aes-256-gcm -outform DER "
                         "-in stock.signed -out stock.sealed " RECIPIENTS4),
                     0);
    ASSERT_OK(open_file("stock.sealed", &signed_der, &why));
    ASSERT_OK(verify(rg_buffer_peek(&signed_der), &section, &seen, &why));
    assert_int_equal(section.len, 1024);
    assert_ptr_equal(seen.signer[0], people.author);
}

static void test_other_envelopes_are_refused_before_any_key(void **state)
{
    (void)state;
    static const char *const options[] = {
        "-keyid -aes-256-gcm -recip r1.pem" WITH_KDF "-recip r2.pem" WITH_KDF
        "-recip r3.pem" WITH_KDF,                            /* three wraps */
        "-keyid -aes-256-gcm " RECIPIENTS4 "-recip rsa.pem", /* and RSA */
        "-keyid -aes-256-gcm -recip r1.pem" WITH_KDF "-recip r2.pem" WITH_KDF
        "-recip r3.pem" WITH_KDF "-recip rsa.pem", /* four, one RSA */
        "-keyid -aes-256-cbc " RECIPIENTS4,        /* EnvelopedData */
        "-keyid -aes-128-gcm " RECIPIENTS4,        /* shorter key */
        "-aes-256-gcm " RECIPIENTS4,               /* readers by name */
        "-keyid -aes-256-gcm -recip r1.pem -recip r2.pem -recip r3.pem -recip r4.pem", /* SHA-1 */
        "-keyid -stream -indef -aes-256-gcm " RECIPIENTS4,                             /* BER */
        "-keyid -aes-256-gcm -secretkeyid 01 -secretkey "
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f " RECIPIENTS4,
    };
    make_stock_files();
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        RG_OWNED_BUFFER out = {0};
        assert_int_equal(run("openssl cms -encrypt -binary -outform DER -in stock.signed "
                             "-out other %s",
                             options[i]),
                         0);
        ASSERT_REFUSED(open_file("other", &out, &why), RG_MALFORMED, "seal-profile");
        assert_int_equal(out.len, 0);
    }
}

static void test_other_signed_data_is_refused(void **state)
{
    (void)state;
    static const char *const options[] = {
        "-nosmimecap -nodetach -md sha256",                 /* certificate inside */
        "-nocerts -nodetach -md sha256",                    /* S/MIME capabilities */
        "-nosmimecap -nocerts -nodetach -md sha384",        /* another digest */
        "-nosmimecap -nocerts -md sha256",                  /* no content */
        "-nosmimecap -nocerts -nodetach -md sha256 -keyid", /* signer by key identifier */
        "-noattr -nocerts -nodetach -md sha256",            /* no signed attributes */
        "-nosmimecap -nocerts -nodetach -md sha256 -stream -indef",
        "-nosmimecap -nocerts -nodetach -md sha256 -econtent_type pkcs7-signedData",
        "-nosmimecap -nocerts -nodetach -md sha256 -receipt_request_to a@b.c",
    };
    make_stock_files();
    assert_int_equal(run("openssl req -x509 -key author.key -out keyid.pem -subj /CN=keyid"), 0);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        RG_OWNED_BUFFER other = {0};
        RG_OWNED_BUFFER section = {0};
        struct rg_signature_seen seen;
        const char *signer = strstr(options[i], "-keyid") != NULL ? "keyid" : "author";
        assert_int_equal(run("openssl cms -sign -binary -outform DER -in content -signer %s.pem "
                             "-inkey author.key -out other %s",
                             signer, options[i]),
                         0);
        ASSERT_OK(rg_file_read(path_of("other"), 65536, &other, &why));
        ASSERT_REFUSED(verify(rg_buffer_peek(&other), &section, &seen, &why), RG_MALFORMED,
                       "seal-profile");
    }
}

/* DER has one order for a set: another would be a second encoding of the same envelope, and room
 * for a mark that says which wrap is whose. */
static void test_wraps_in_another_order_are_refused(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    uint8_t kept[WRAP_BYTES];
    static const uint8_t head[] = {0xa1, 0x81, 0xb3, 0x02, 0x01, 0x03};
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
    uint8_t *first = memmem(sealed.data, sealed.len, head, sizeof(head));
    assert_non_null(first);
    memcpy(kept, first, WRAP_BYTES);
    memcpy(first, first + WRAP_BYTES, WRAP_BYTES);
    memcpy(first + WRAP_BYTES, kept, WRAP_BYTES);
    ASSERT_REFUSED(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why), RG_MALFORMED,
                   "seal-profile");
    memcpy(first, first + WRAP_BYTES, WRAP_BYTES); /* nor may one stand twice */
    ASSERT_REFUSED(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why), RG_MALFORMED,
                   "seal-profile");
}

/* OpenSSL's structure, with something more in it, encoded again. */
static void test_unprotected_attributes_are_refused(void **state)
{
    (void)state;
    OWNED_LETTER letter = small_letter();
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER signed_der = {0};
    RG_OWNED_BUFFER section = {0};
    struct rg_signature_seen seen;
    seal(&letter, 0, 1, &sealed);
    ASSERT_OK(open_with(rg_buffer_peek(&sealed), 0, &signed_der, &why));
    const unsigned char *at = signed_der.data;
    unsigned char *again = NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)signed_der.len);
    CMS_SignerInfo *signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
    assert_int_equal(
        CMS_unsigned_add1_attr_by_txt(signer, "description", V_ASN1_UTF8STRING, "x", 1), 1);
    int len = i2d_CMS_ContentInfo(cms, &again);
    ASSERT_REFUSED(verify(rg_bytes_of(again, (size_t)len), &section, &seen, &why), RG_MALFORMED,
                   "seal-profile");
    OPENSSL_free(again);
    CMS_ContentInfo_free(cms);
    /* [2] SET after the tag of the envelope: one attribute, lengths put right. */
    static const uint8_t extra[] = {0xa2, 0x0d, 0x30, 0x0b, 0x06, 0x03, 0x55, 0x04,
                                    0x0d, 0x31, 0x04, 0x0c, 0x02, 'x',  'y'};
    put(&sealed, extra, sizeof(extra));
    put_length(&sealed, 2, sealed.len - 4);
    put_length(&sealed, 19, sealed.len - 21);
    put_length(&sealed, 23, sealed.len - 25);
    at = sealed.data;
    cms = d2i_CMS_ContentInfo(NULL, &at, (long)sealed.len);
    assert_non_null(cms); /* OpenSSL takes it */
    CMS_ContentInfo_free(cms);
    ASSERT_REFUSED(open_with(rg_buffer_peek(&sealed), 0, &section, &why), RG_MALFORMED,
                   "seal-profile");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reader_opens_and_nobody_else),
        cmocka_unit_test(test_any_of_several_own_keys_opens),
        cmocka_unit_test(test_all_sizes_are_der_to_openssl),
        cmocka_unit_test(test_two_officers_sign_an_irreversible_act),
        cmocka_unit_test(test_the_second_officer_signs_later),
        cmocka_unit_test(test_an_empty_place_among_readers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_only_the_offices_own_signers_count),
        cmocka_unit_test(test_a_twin_of_the_signers_name_does_not_verify),
        cmocka_unit_test(test_every_changed_byte_is_refused),
        cmocka_unit_test(test_every_changed_byte_of_the_signed_data_is_refused),
        cmocka_unit_test(test_cut_or_longer_bytes_are_no_section),
        cmocka_unit_test(test_an_excluded_officer_leaves_no_trace),
        cmocka_unit_test(test_readers_stand_at_any_place),
        cmocka_unit_test(test_another_text_under_the_same_header_is_caught),
        cmocka_unit_test(test_one_ciphertext_with_two_keys_is_two_texts_and_refused),
        cmocka_unit_test(test_a_changed_header_is_caught_by_the_reader),
        cmocka_unit_test(test_the_padded_size_is_the_stated_one),
        cmocka_unit_test(test_the_openssl_command_opens_a_section),
        cmocka_unit_test(test_the_openssl_command_can_seal_in_our_profile),
        cmocka_unit_test(test_other_envelopes_are_refused_before_any_key),
        cmocka_unit_test(test_other_signed_data_is_refused),
        cmocka_unit_test(test_unprotected_attributes_are_refused),
        cmocka_unit_test(test_wraps_in_another_order_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
