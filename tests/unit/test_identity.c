/* identity, signature, card: the X.509 profile, keys in files, one CMS signature, reading keys. */
#include "core/card.h"
#include "core/digest.h"
#include "core/identity.h"
#include "core/signature.h"
#include "tests/unit/forge.h"

#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

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
        assert_int_equal((call).code, wanted_code);                                                \
        assert_string_equal(why.id, wanted_id);                                                    \
    } while (0)

static const struct forge officer = {.uri = "referral://th/focal/officer-1", .kind = FORGE_SIGN};

static void test_principals_are_split(void **state)
{
    (void)state;
    struct rg_principal principal;
    ASSERT_OK(rg_principal_parse("referral://th/ngo-alpha/officer-3", &principal, &why));
    assert_string_equal(principal.country, "th");
    assert_string_equal(principal.office, "th/ngo-alpha");
    assert_false(principal.gateway);
    ASSERT_OK(rg_principal_parse("referral://kh/gateway", &principal, &why));
    assert_string_equal(principal.office, "kh/gateway");
    assert_true(principal.gateway);
    ASSERT_OK(rg_principal_parse("referral://kh/gateway/officer-1", &principal, &why));
    assert_false(principal.gateway);
    ASSERT_OK(rg_principal_parse("referral://th/publisher", &principal, &why));
    assert_false(principal.gateway);
}

static void test_other_principals_are_refused(void **state)
{
    (void)state;
    const char *const bad[] = {
        "",
        "referral:/th/focal",
        "https://th/focal",
        "referral://th",
        "referral://th/",
        "referral:///focal",
        "referral://TH/focal",
        "referral://t/focal",
        "referral://th/focal/",
        "referral://th/focal/officer 1",
        "referral://th/focal/officer-1/x",
        "referral://th:7701/focal",
        "referral://th/-focal",
        "referral://th/focal/officer-1?x",
        "referral://abcdefghijkl/focal",
        /* names that the wire would not take either */
        "referral://abcdefghi/gateway",
        "referral://9k/focal",
        "referral://t-h/focal",
        "referral://th/focal-",
        "referral://th/focal/officer-",
        "referral://th/0123456789012345678901234567890123456789012345678901234567890123",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rg_principal principal;
        ASSERT_REFUSED(rg_principal_parse(bad[i], &principal, &why), RG_MALFORMED,
                       "principal-form");
    }
    assert_true(rg_office_name_ok("th/focal") && !rg_office_name_ok("th") &&
                !rg_office_name_ok("th/focal/x") && !rg_office_name_ok("/focal"));
}

static void test_a_certificate_says_who_and_when(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_CERTIFICATE *certificate = forge_certificate(&officer, NULL, NULL, &key);
    assert_string_equal(rg_certificate_principal(certificate)->text, officer.uri);
    struct rg_hash digest = rg_sha256(rg_certificate_der(certificate));
    struct rg_hash stated = rg_certificate_digest(certificate);
    assert_memory_equal(digest.b, stated.b, 32);
    ASSERT_OK(rg_key_matches(key, certificate, &why));
    struct rg_wall from = rg_certificate_not_before(certificate);
    struct rg_wall until = rg_certificate_not_after(certificate);
    ASSERT_OK(rg_certificate_time_check(certificate, from, &why));
    ASSERT_OK(rg_certificate_time_check(certificate, until, &why));
    ASSERT_REFUSED(
        rg_certificate_time_check(certificate, (struct rg_wall){.ms = from.ms - 1}, &why),
        RG_DENIED, "certificate-not-yet-valid");
    ASSERT_REFUSED(
        rg_certificate_time_check(certificate, (struct rg_wall){.ms = until.ms + 1}, &why),
        RG_DENIED, "certificate-expired");
    struct rg_certificate *second = rg_certificate_share(certificate);
    rg_certificate_free(second);
    assert_string_equal(rg_certificate_principal(certificate)->text, officer.uri);
}

static void test_each_kind_fits_its_use_only(void **state)
{
    (void)state;
    const struct {
        struct forge forge;
        enum rg_use fits; /* 0: none */
    } row[] = {
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_SIGN}, RG_USE_SIGN},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_CLIENT}, RG_USE_TLS},
        {{.uri = "referral://th/gateway", .kind = FORGE_GATEWAY}, RG_USE_TLS},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_READ}, RG_USE_READ},
        {{.country = "th", .kind = FORGE_ROOT}, RG_USE_CA},
        {{.uri = "referral://th/gateway", .kind = FORGE_CLIENT}, 0},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_GATEWAY}, 0},
        {{.uri = "referral://th/gateway", .kind = FORGE_SIGN}, 0},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_BOTH}, 0},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_EXTRA_PURPOSE}, 0},
        {{.uri = "referral://th/focal/officer-1", .kind = FORGE_UNKNOWN_CRITICAL}, 0},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        RG_OWNED_CERTIFICATE *certificate = forge_certificate(&row[i].forge, NULL, NULL, NULL);
        for (enum rg_use use = RG_USE_TLS; use <= RG_USE_CA; use++) {
            struct rg_reason why = {0};
            rg_outcome outcome = rg_certificate_use_check(certificate, use, &why);
            assert_int_equal(rg_is_ok(outcome), use == row[i].fits);
            if (use != row[i].fits) {
                assert_string_equal(why.id, "certificate-wrong-usage");
            }
        }
    }
}

static void test_malformed_certificates_are_refused(void **state)
{
    (void)state;
    struct forge bad = officer;
    RG_OWNED_BUFFER der = {0};
    struct rg_certificate *none = NULL;
    bad.second_uri = "referral://th/focal/officer-2";
    forge_der(&bad, NULL, NULL, NULL, &der);
    ASSERT_REFUSED(rg_certificate_parse(rg_buffer_peek(&der), &none, &why), RG_MALFORMED,
                   "certificate-no-principal");
    bad = (struct forge){.kind = FORGE_SIGN};
    forge_der(&bad, NULL, NULL, NULL, &der);
    ASSERT_REFUSED(rg_certificate_parse(rg_buffer_peek(&der), &none, &why), RG_MALFORMED,
                   "certificate-no-principal");
    bad = (struct forge){.uri = "https://th/focal", .kind = FORGE_SIGN};
    forge_der(&bad, NULL, NULL, NULL, &der);
    ASSERT_REFUSED(rg_certificate_parse(rg_buffer_peek(&der), &none, &why), RG_MALFORMED,
                   "principal-form");
    bad = officer;
    bad.curve = "P-384";
    forge_der(&bad, NULL, NULL, NULL, &der);
    ASSERT_REFUSED(rg_certificate_parse(rg_buffer_peek(&der), &none, &why), RG_MALFORMED,
                   "certificate-form");
}

static void test_a_cut_or_lengthened_certificate_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER der = {0};
    struct rg_certificate *none = NULL;
    forge_der(&officer, NULL, NULL, NULL, &der);
    for (size_t len = 0; len < der.len; len += 7) {
        ASSERT_REFUSED(rg_certificate_parse(rg_bytes_of(der.data, len), &none, &why), RG_MALFORMED,
                       "certificate-form");
    }
    ASSERT_OK(rg_buffer_append_text(&der, "x", &why));
    ASSERT_REFUSED(rg_certificate_parse(rg_buffer_peek(&der), &none, &why), RG_MALFORMED,
                   "certificate-form");
    static const uint8_t large[RG_CERTIFICATE_BYTES_MAX + 1];
    ASSERT_REFUSED(rg_certificate_parse(rg_bytes_of(large, sizeof(large)), &none, &why),
                   RG_MALFORMED, "certificate-form");
}

static void test_a_root_is_bound_to_one_country(void **state)
{
    (void)state;
    const struct forge th = {.country = "th", .kind = FORGE_ROOT};
    const struct forge free_root = {.kind = FORGE_ROOT};
    RG_OWNED_CERTIFICATE *bound = forge_certificate(&th, NULL, NULL, NULL);
    RG_OWNED_CERTIFICATE *unbound = forge_certificate(&free_root, NULL, NULL, NULL);
    assert_null(rg_certificate_principal(bound));
    ASSERT_OK(rg_certificate_country_check(bound, "th", &why));
    ASSERT_REFUSED(rg_certificate_country_check(bound, "kh", &why), RG_DENIED,
                   "root-unconstrained");
    ASSERT_REFUSED(rg_certificate_country_check(unbound, "th", &why), RG_DENIED,
                   "root-unconstrained");
    assert_true(rg_certificate_same_key(bound, bound));
    assert_false(rg_certificate_same_key(bound, unbound));
}

static void test_keys_in_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-identity-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_KEY *back = NULL;
    RG_OWNED_CERTIFICATE *certificate = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_CERTIFICATE *other = forge_certificate(&officer, NULL, NULL, NULL);
    ASSERT_OK(rg_key_write(key, path, &why));
    ASSERT_OK(rg_key_read(path, &back, &why));
    ASSERT_OK(rg_key_matches(back, certificate, &why));
    ASSERT_REFUSED(rg_key_matches(back, other, &why), RG_DENIED, "key-mismatch");
    struct rg_key *none = NULL;
    assert_int_equal(chmod(path, 0640), 0);
    ASSERT_REFUSED(rg_key_read(path, &none, &why), RG_DENIED, "key-file-readable");
    assert_int_equal(unlink(path), 0);
    ASSERT_REFUSED(rg_key_read(path, &none, &why), RG_IO, "file-unreadable");
    ASSERT_OK(rg_file_replace(path, RG_BYTES_LITERAL("no key"), 0600, &why));
    ASSERT_REFUSED(rg_key_read(path, &none, &why), RG_MALFORMED, "key-form");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A stray error would count against whatever TLS does next in this thread. */
static void test_a_refusal_leaves_no_error_behind(void **state)
{
    (void)state;
    struct rg_certificate *none = NULL;
    struct rg_key *no_key = NULL;
    ERR_clear_error();
    ASSERT_REFUSED(rg_certificate_parse(RG_BYTES_LITERAL("\x30\x03\x02\x01\x01"), &none, &why),
                   RG_MALFORMED, "certificate-form");
    assert_int_equal(ERR_peek_error(), 0);
    ASSERT_REFUSED(rg_key_parse(RG_BYTES_LITERAL("no key"), &no_key, &why), RG_MALFORMED,
                   "key-form");
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_a_detached_signature(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_CERTIFICATE *signer = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_CERTIFICATE *other = forge_certificate(&officer, NULL, NULL, NULL);
    struct rg_certificate *both[] = {other, signer};
    RG_OWNED_BUFFER der = {0};
    size_t at = 9;
    ASSERT_OK(rg_signature_make(RG_BYTES_LITERAL("text"), signer, key, RG_SIGNATURE_DETACHED, &der,
                                &why));
    ASSERT_OK(rg_signature_check(rg_buffer_peek(&der), RG_BYTES_LITERAL("text"), both, 2, NULL, &at,
                                 &why));
    assert_int_equal(at, 1);
    ASSERT_REFUSED(rg_signature_check(rg_buffer_peek(&der), RG_BYTES_LITERAL("texT"), both, 2, NULL,
                                      &at, &why),
                   RG_DENIED, "signature-invalid");
    ASSERT_REFUSED(rg_signature_check(rg_buffer_peek(&der), RG_BYTES_LITERAL("text"), both, 1, NULL,
                                      &at, &why),
                   RG_DENIED, "signature-signer");
    RG_OWNED_BUFFER content = {0};
    ASSERT_REFUSED(rg_signature_check(rg_buffer_peek(&der), (struct rg_bytes){0}, both, 2, &content,
                                      &at, &why),
                   RG_MALFORMED, "signature-form");
}

/* Every bit of a signature matters, or at least never makes it valid for another text. */
static void test_a_flipped_signature_never_passes_for_another_text(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_CERTIFICATE *signer = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_BUFFER der = {0};
    size_t at = 0;
    ASSERT_OK(rg_signature_make(RG_BYTES_LITERAL("text"), signer, key, RG_SIGNATURE_DETACHED, &der,
                                &why));
    for (size_t i = 0; i < der.len; i++) {
        der.data[i] ^= 0x10;
        assert_false(rg_is_ok(rg_signature_check(rg_buffer_peek(&der), RG_BYTES_LITERAL("other"),
                                                 &signer, 1, NULL, &at, NULL)));
        der.data[i] ^= 0x10;
    }
    static const uint8_t large[2 * RG_SIGNATURE_BYTES_MAX + 1];
    ASSERT_REFUSED(rg_signature_check(rg_bytes_of(large, sizeof(large)), RG_BYTES_LITERAL("text"),
                                      &signer, 1, NULL, &at, &why),
                   RG_LIMIT, "signature-too-large");
}

#define DAY INT64_C(86400000)
static const struct rg_wall today = {.ms = INT64_C(1795507200000)};

static void new_reading_key(const char *who, struct rg_key **key, struct rg_certificate **out)
{
    struct rg_principal principal;
    ASSERT_OK(rg_principal_parse(who, &principal, &why));
    ASSERT_OK(rg_reading_key_new(&principal, today, (struct rg_wall){.ms = today.ms + 30 * DAY},
                                 key, out, &why));
}

static void test_a_key_card_vouches_for_a_reading_key(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_KEY *reading_key = NULL;
    RG_OWNED_CERTIFICATE *signer = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_OWNED_CERTIFICATE *back = NULL;
    const struct rg_certificate *who = NULL;
    struct rg_principal claim;
    RG_OWNED_BUFFER card = {0};
    new_reading_key(officer.uri, &reading_key, &reading);
    ASSERT_OK(rg_certificate_use_check(reading, RG_USE_READ, &why));
    assert_int_equal(rg_certificate_not_before(reading).ms, today.ms);
    ASSERT_OK(rg_key_matches(reading_key, reading, &why));
    ASSERT_OK(rg_card_make(signer, key, reading, &card, &why));
    ASSERT_OK(rg_card_claim(rg_buffer_peek(&card), &claim, &why));
    assert_string_equal(claim.text, officer.uri);
    ASSERT_OK(rg_card_open(rg_buffer_peek(&card), &signer, 1, &back, &who, &why));
    assert_ptr_equal(who, signer);
    assert_true(rg_bytes_equal(rg_certificate_der(back), rg_certificate_der(reading)));
}

static void test_other_key_cards_are_refused(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_KEY *reading_key = NULL;
    RG_OWNED_CERTIFICATE *signer = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_CERTIFICATE *other = forge_certificate(&officer, NULL, NULL, NULL);
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_OWNED_CERTIFICATE *colleague = NULL;
    RG_OWNED_KEY *colleague_key = NULL;
    struct rg_certificate *none = NULL;
    const struct rg_certificate *who = NULL;
    RG_OWNED_BUFFER card = {0};
    new_reading_key(officer.uri, &reading_key, &reading);
    new_reading_key("referral://th/focal/officer-2", &colleague_key, &colleague);
    ASSERT_OK(rg_card_make(signer, key, reading, &card, &why));
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &other, 1, &none, &who, &why), RG_DENIED,
                   "card-signer");
    card.data[card.len - 1] ^= 1;
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &signer, 1, &none, &who, &why), RG_DENIED,
                   "card-signature");
    rg_buffer_clear(&card);
    ASSERT_OK(rg_card_make(signer, key, colleague, &card, &why));
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &signer, 1, &none, &who, &why), RG_DENIED,
                   "card-principal");
    rg_buffer_clear(&card);
    ASSERT_OK(rg_card_make(signer, key, signer, &card, &why));
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &signer, 1, &none, &who, &why), RG_DENIED,
                   "certificate-wrong-usage");
    rg_buffer_clear(&card);
    ASSERT_OK(rg_signature_make(RG_BYTES_LITERAL("no certificate"), signer, key,
                                RG_SIGNATURE_WITH_CONTENT, &card, &why));
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &signer, 1, &none, &who, &why), RG_MALFORMED,
                   "card-form");
    static const uint8_t large[RG_CARD_BYTES_MAX + 1];
    ASSERT_REFUSED(rg_card_open(rg_bytes_of(large, sizeof(large)), &signer, 1, &none, &who, &why),
                   RG_LIMIT, "card-too-large");
    struct rg_principal principal;
    ASSERT_REFUSED(rg_card_claim(RG_BYTES_LITERAL("x"), &principal, &why), RG_MALFORMED,
                   "card-form");
}

/* Our own code makes none that lives longer, but whoever stole a signing key has code of his own.
 */
static void test_a_key_card_of_years_is_refused(void **state)
{
    (void)state;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_BUFFER card = {0};
    struct forge years = {.kind = FORGE_READ, .uri = officer.uri, .common_name = "years"};
    RG_OWNED_CERTIFICATE *signer = forge_certificate(&officer, NULL, NULL, &key);
    RG_OWNED_CERTIFICATE *reading = forge_certificate(&years, NULL, NULL, NULL);
    struct rg_certificate *none = NULL;
    const struct rg_certificate *who = NULL;
    ASSERT_OK(rg_card_make(signer, key, reading, &card, &why));
    ASSERT_REFUSED(rg_card_open(rg_buffer_peek(&card), &signer, 1, &none, &who, &why), RG_DENIED,
                   "card-validity");
}

static void test_a_reading_key_lives_a_month_at_most(void **state)
{
    (void)state;
    struct rg_principal principal;
    struct rg_key *key = NULL;
    struct rg_certificate *certificate = NULL;
    ASSERT_OK(rg_principal_parse(officer.uri, &principal, &why));
    ASSERT_REFUSED(rg_reading_key_new(&principal, today,
                                      (struct rg_wall){.ms = today.ms + 32 * DAY}, &key,
                                      &certificate, &why),
                   RG_LIMIT, "card-validity");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_principals_are_split),
        cmocka_unit_test(test_other_principals_are_refused),
        cmocka_unit_test(test_a_certificate_says_who_and_when),
        cmocka_unit_test(test_each_kind_fits_its_use_only),
        cmocka_unit_test(test_malformed_certificates_are_refused),
        cmocka_unit_test(test_a_cut_or_lengthened_certificate_is_refused),
        cmocka_unit_test(test_a_root_is_bound_to_one_country),
        cmocka_unit_test(test_keys_in_files),
        cmocka_unit_test(test_a_refusal_leaves_no_error_behind),
        cmocka_unit_test(test_a_detached_signature),
        cmocka_unit_test(test_a_flipped_signature_never_passes_for_another_text),
        cmocka_unit_test(test_a_key_card_vouches_for_a_reading_key),
        cmocka_unit_test(test_other_key_cards_are_refused),
        cmocka_unit_test(test_a_key_card_of_years_is_refused),
        cmocka_unit_test(test_a_reading_key_lives_a_month_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
