/* buffer, digest: bounds, ownership, published vectors. */
#include "core/buffer.h"
#include "core/digest.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_grows_to_its_limit_and_no_further(void **state)
{
    (void)state;
    RG_OWNED_BUFFER buffer = {.limit = 1000};
    struct rg_reason why = {0};
    for (int i = 0; i < 100; i++) {
        assert_true(rg_is_ok(rg_buffer_append_text(&buffer, "0123456789", &why)));
    }
    assert_int_equal(buffer.len, 1000);
    assert_int_equal(rg_buffer_append_text(&buffer, "x", &why).code, RG_LIMIT);
    assert_string_equal(why.id, "buffer-limit");
    assert_int_equal(buffer.len, 1000);
}

static void test_take_moves_ownership(void **state)
{
    (void)state;
    struct rg_buffer buffer = {0};
    assert_true(rg_is_ok(rg_buffer_print(&buffer, NULL, "%s-%d", "a", 7)));
    struct rg_buffer taken = rg_buffer_take(&buffer);
    assert_null(buffer.data);
    assert_true(rg_bytes_equal(rg_buffer_peek(&taken), RG_BYTES_LITERAL("a-7")));
    rg_buffer_drop(&taken);
    rg_buffer_drop(&taken);
}

static void test_sha256_of_fips_180(void **state)
{
    (void)state;
    char hex[65];
    struct rg_hash hash = rg_sha256(RG_BYTES_LITERAL("abc"));
    rg_hex(rg_bytes_of(hash.b, 32), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_base64_of_rfc_4648(void **state)
{
    (void)state;
    const char *const pair[][2] = {{"", ""},
                                   {"f", "Zg=="},
                                   {"fo", "Zm8="},
                                   {"foo", "Zm9v"},
                                   {"foob", "Zm9vYg=="},
                                   {"fooba", "Zm9vYmE="},
                                   {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
        RG_OWNED_BUFFER text = {0};
        RG_OWNED_BUFFER back = {0};
        assert_true(rg_is_ok(rg_base64(rg_bytes_of_text(pair[i][0]), &text, NULL)));
        assert_true(rg_bytes_equal(rg_buffer_peek(&text), rg_bytes_of_text(pair[i][1])));
        assert_true(rg_is_ok(rg_base64_parse(rg_buffer_peek(&text), &back, NULL)));
        assert_true(rg_bytes_equal(rg_buffer_peek(&back), rg_bytes_of_text(pair[i][0])));
    }
}

static void test_a_value_has_one_base64(void **state)
{
    (void)state;
    const char *const bad[] = {"Zg=",  "Zh==",         "Zm9=",         "Z===", "====", "Zg==Zg==",
                               "Zm 9", " Zm9vZg==   ", "Zm9v\n\n\n\n", "Zm-v", "Zg=v"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        RG_OWNED_BUFFER back = {0};
        struct rg_reason why = {0};
        if (rg_base64_parse(rg_bytes_of_text(bad[i]), &back, &why).code != RG_MALFORMED) {
            fail_msg("taken: \"%s\"", bad[i]);
        }
        assert_int_equal(back.len, 0);
    }
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

/* What a crash, or somebody else, has left under the name that is written first. */
static void test_a_left_over_file_lends_nothing_to_the_new_one(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-buffer-XXXXXX";
    char path[64];
    char beside[72];
    struct rg_reason why = {0};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT, 0644);
    assert_true(fd >= 0);
    assert_true(rg_is_ok(rg_file_replace(path, RG_BYTES_LITERAL("secret"), 0600, &why)));
    assert_int_equal(mode_of(path), 0600);
    struct stat open_one;
    assert_int_equal(fstat(fd, &open_one), 0);
    assert_int_equal(open_one.st_size, 0); /* whoever holds the old one sees nothing */
    (void)close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_a_file_is_created_once(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-buffer-XXXXXX";
    char path[64];
    struct rg_reason why = {0};
    RG_OWNED_BUFFER back = {0};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    assert_true(rg_is_ok(rg_file_create(path, RG_BYTES_LITERAL("first"), 0600, &why)));
    assert_int_equal(rg_file_create(path, RG_BYTES_LITERAL("second"), 0600, &why).code, RG_IO);
    assert_true(rg_is_ok(rg_file_read_private(path, 9, &back, &why)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&back), RG_BYTES_LITERAL("first")));
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(rg_file_read_private(path, 9, &back, &why).code, RG_DENIED);
    assert_string_equal(why.id, "key-file-readable");
    assert_int_equal(rg_file_read_private(folder, 9, &back, &why).code, RG_DENIED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(rg_file_read_private(path, 9, &back, &why).code, RG_DENIED); /* at once */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_a_file_is_replaced_whole_and_bounded_when_read(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-buffer-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/f", folder);
    RG_OWNED_BUFFER back = {0};
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_file_replace(path, RG_BYTES_LITERAL("first"), 0600, &why)));
    assert_true(rg_is_ok(rg_file_replace(path, RG_BYTES_LITERAL("second"), 0600, &why)));
    assert_true(rg_is_ok(rg_file_read(path, 6, &back, &why)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&back), RG_BYTES_LITERAL("second")));
    assert_int_equal(rg_file_read(path, 5, &back, &why).code, RG_LIMIT);
    assert_string_equal(why.id, "file-too-large");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rg_file_read(path, 5, &back, &why).code, RG_IO);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_limit_and_no_further),
        cmocka_unit_test(test_take_moves_ownership),
        cmocka_unit_test(test_sha256_of_fips_180),
        cmocka_unit_test(test_base64_of_rfc_4648),
        cmocka_unit_test(test_a_value_has_one_base64),
        cmocka_unit_test(test_a_left_over_file_lends_nothing_to_the_new_one),
        cmocka_unit_test(test_a_file_is_created_once),
        cmocka_unit_test(test_a_file_is_replaced_whole_and_bounded_when_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
