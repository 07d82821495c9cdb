/* vault: what is sealed at rest opens with its key, at its PLACE, unchanged, and not otherwise. */
#include "core/vault.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PLACE RG_BYTES_LITERAL("case 7")
#define OTHER_PLACE RG_BYTES_LITERAL("case 8")
#define TEXT RG_BYTES_LITERAL("what was said")

#define REFUSED(call, wanted_code, wanted_id)                                                      \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        assert_int_equal((call).code, wanted_code);                                                \
        assert_string_equal(why.id, wanted_id);                                                    \
        assert_int_equal(plain.len, 0);                                                            \
    } while (0)

static void test_an_item_opens_with_its_key_and_place_only(void **state)
{
    (void)state;
    struct rg_vault_key book, other;
    uint8_t wrapped[RG_VAULT_WRAPPED_BYTES];
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    rg_vault_key_random(&book);
    rg_vault_key_random(&other);
    struct rg_bytes wrap = rg_bytes_of(wrapped, sizeof(wrapped));
    assert_true(rg_is_ok(rg_vault_item_lock(&book, PLACE, TEXT, wrapped, &sealed, NULL)));
    struct rg_bytes box = rg_buffer_peek(&sealed);
    REFUSED(rg_vault_item_unlock(&other, PLACE, wrap, box, &plain, &why), RG_DENIED, "vault-wrong");
    REFUSED(rg_vault_item_unlock(&book, OTHER_PLACE, wrap, box, &plain, &why), RG_DENIED,
            "vault-wrong");
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        REFUSED(rg_vault_item_unlock(&book, PLACE, wrap, box, &plain, &why), RG_DENIED,
                "vault-wrong");
        sealed.data[i] ^= 1;
    }
    box.len = RG_VAULT_OVERHEAD_BYTES - 1;
    REFUSED(rg_vault_item_unlock(&book, PLACE, wrap, box, &plain, &why), RG_MALFORMED,
            "vault-form");
    box.len = sealed.len;
    assert_true(rg_is_ok(rg_vault_item_unlock(&book, PLACE, wrap, box, &plain, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&plain), TEXT));
}

static void test_the_largest_section_can_be_kept(void **state)
{
    (void)state;
    struct rg_vault_key key;
    RG_OWNED_BUFFER large = {0};
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {0};
    rg_vault_key_random(&key);
    assert_true(rg_is_ok(rg_buffer_reserve(&large, RG_SECTION_BYTES_MAX, NULL)));
    memset(large.data, 7, RG_SECTION_BYTES_MAX);
    large.len = RG_SECTION_BYTES_MAX;
    assert_true(rg_is_ok(rg_vault_lock(&key, PLACE, rg_buffer_peek(&large), &sealed, NULL)));
    assert_true(rg_is_ok(rg_vault_unlock(&key, PLACE, rg_buffer_peek(&sealed), &plain, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&plain), rg_buffer_peek(&large)));
}

static void test_keys_for_other_purposes_differ(void **state)
{
    (void)state;
    struct rg_vault_key key, one, again, other;
    rg_vault_key_random(&key);
    rg_vault_key_derive(&key, "one", &one);
    rg_vault_key_derive(&key, "one", &again);
    rg_vault_key_derive(&key, "other", &other);
    assert_memory_equal(one.b, again.b, sizeof(one.b));
    assert_memory_not_equal(one.b, other.b, sizeof(one.b));
    assert_memory_not_equal(one.b, key.b, sizeof(one.b));
    struct rg_hash index = rg_vault_index(&one, TEXT);
    struct rg_hash of_other = rg_vault_index(&other, TEXT);
    assert_memory_not_equal(index.b, of_other.b, sizeof(index.b));
    rg_vault_key_drop(&key);
    static const struct rg_vault_key nothing;
    assert_memory_equal(key.b, nothing.b, sizeof(key.b));
}

static void test_a_key_file_opens_what_was_sealed_to_it(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-vault-XXXXXX";
    char path[64];
    struct stat status;
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_KEY *other = NULL;
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/storage.key", folder);
    assert_true(rg_is_ok(rg_vault_file_make(path, NULL)));
    REFUSED(rg_vault_file_make(path, &why), RG_IO, "file-unwritable"); /* never over another */
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(rg_is_ok(rg_key_read(path, &key, NULL)));
    assert_int_equal(unlink(path), 0);
    assert_true(rg_is_ok(rg_vault_file_make(path, NULL)));
    assert_true(rg_is_ok(rg_key_read(path, &other, NULL)));
    assert_true(rg_is_ok(rg_vault_seal_to(key, TEXT, &sealed, NULL)));
    struct rg_bytes box = rg_buffer_peek(&sealed);
    REFUSED(rg_vault_open_with(other, box, &plain, &why), RG_DENIED, "vault-wrong");
    REFUSED(rg_vault_open_with(key, rg_bytes_of(box.data, 65), &plain, &why), RG_MALFORMED,
            "vault-form");
    sealed.data[1] ^= 1; /* off the curve, most likely; a wrong key otherwise */
    assert_false(rg_is_ok(rg_vault_open_with(key, box, &plain, NULL)));
    sealed.data[1] ^= 1;
    assert_true(rg_is_ok(rg_vault_open_with(key, box, &plain, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&plain), TEXT));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_item_opens_with_its_key_and_place_only),
        cmocka_unit_test(test_the_largest_section_can_be_kept),
        cmocka_unit_test(test_keys_for_other_purposes_differ),
        cmocka_unit_test(test_a_key_file_opens_what_was_sealed_to_it),
    };
    return cmocka_run_group_tests_name("vault", tests, NULL, NULL);
}
