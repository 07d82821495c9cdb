/* home_keys: the storage key is replaced whole or not at all, whatever a crash leaves; files that
 * go are overwritten. */
#include "client/home.h"

#include "core/vault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char secret[] = "the book key";

struct bench {
    struct rg_home home;
    struct rg_buffer sealed; /* the secret, as it stands in the casebook */
};

static void path_of(const struct bench *bench, const char *name, char out[RG_PATH_BYTES])
{
    assert_true(rg_is_ok(rg_home_path(&bench->home, name, out, NULL)));
}

static bool is_there(const struct bench *bench, const char *name)
{
    char path[RG_PATH_BYTES];
    path_of(bench, name, path);
    return access(path, F_OK) == 0;
}

static void seal_to(struct bench *bench, const struct rg_key *key)
{
    rg_buffer_clear(&bench->sealed);
    assert_true(rg_is_ok(rg_vault_seal_to(key, rg_bytes_of_text(secret), &bench->sealed, NULL)));
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char path[RG_PATH_BYTES];
    assert_non_null(bench);
    (void)snprintf(bench->home.folder, sizeof(bench->home.folder), "/tmp/rg-home-keys-XXXXXX");
    assert_non_null(mkdtemp(bench->home.folder));
    path_of(bench, "keys", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(bench, "trust", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(bench, "keys/storage.key", path);
    assert_true(rg_is_ok(rg_vault_file_make(path, NULL)));
    assert_true(rg_is_ok(rg_key_read(path, &bench->home.storage_key, NULL)));
    seal_to(bench, bench->home.storage_key);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[RG_PATH_BYTES + 16];
    (void)snprintf(command, sizeof(command), "rm -r '%s'", bench->home.folder);
    assert_int_equal(system(command), 0);
    rg_key_free(bench->home.storage_key);
    rg_buffer_drop(&bench->sealed);
    free(bench);
    return 0;
}

static bool opens(struct bench *bench)
{
    RG_OWNED_BUFFER plain = {.secret = true};
    return rg_is_ok(
               rg_home_storage_open(&bench->home, rg_buffer_peek(&bench->sealed), &plain, NULL)) &&
           plain.len == strlen(secret) && memcmp(plain.data, secret, plain.len) == 0;
}

/* As the next program finds it: nothing but the files. */
static bool opens_afresh(struct bench *bench)
{
    char path[RG_PATH_BYTES];
    rg_key_free(bench->home.storage_key);
    bench->home.storage_key = NULL;
    path_of(bench, "keys/storage.key", path);
    assert_true(rg_is_ok(rg_key_read(path, &bench->home.storage_key, NULL)));
    return opens(bench);
}

static rg_outcome begin(struct bench *bench, struct rg_home_rekey *rekey, struct rg_reason *why)
{
    return rg_home_rekey_begin(&bench->home, rg_buffer_peek(&bench->sealed), rekey, why);
}

static void replace_once(struct bench *bench)
{
    RG_CLEANUP(rg_home_rekey_drop) struct rg_home_rekey rekey = {0};
    assert_true(rg_is_ok(begin(bench, &rekey, NULL)));
    seal_to(bench, rekey.fresh);
    assert_true(rg_is_ok(rg_home_rekey_done(&rekey, NULL)));
    assert_false(is_there(bench, "keys/storage-next.key"));
    assert_false(is_there(bench, "keys/storage-old.key"));
}

static void test_replaced(void **state)
{
    struct bench *bench = *state;
    RG_OWNED_BUFFER before = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    assert_true(rg_is_ok(rg_buffer_append(&before, rg_buffer_peek(&bench->sealed), NULL)));
    replace_once(bench);
    assert_true(opens(bench));
    assert_true(opens_afresh(bench));
    assert_int_equal(rg_home_storage_open(&bench->home, rg_buffer_peek(&before), &plain, NULL).code,
                     RG_DENIED);
    replace_once(bench);
    assert_true(opens_afresh(bench));
}

static void test_crash_before_the_commit(void **state)
{
    struct bench *bench = *state;
    struct rg_home_rekey rekey = {0};
    assert_true(rg_is_ok(begin(bench, &rekey, NULL)));
    rg_home_rekey_drop(&rekey); /* nothing was sealed to it */
    assert_true(is_there(bench, "keys/storage-next.key"));
    assert_true(opens_afresh(bench));
    replace_once(bench);
    assert_true(opens_afresh(bench));
}

static void test_crash_after_the_commit(void **state)
{
    struct bench *bench = *state;
    struct rg_home_rekey rekey = {0};
    assert_true(rg_is_ok(begin(bench, &rekey, NULL)));
    seal_to(bench, rekey.fresh);
    rg_home_rekey_drop(&rekey); /* in force under its first name */
    assert_true(opens_afresh(bench));
    replace_once(bench);
    assert_true(opens_afresh(bench));
}

static void test_crash_between_link_and_rename(void **state)
{
    struct bench *bench = *state;
    char force[RG_PATH_BYTES];
    char old[RG_PATH_BYTES];
    path_of(bench, "keys/storage.key", force);
    path_of(bench, "keys/storage-old.key", old);
    assert_int_equal(link(force, old), 0);
    replace_once(bench); /* the key in force was not overwritten through its other name */
    assert_true(opens_afresh(bench));
}

static void test_crash_before_the_old_one_was_destroyed(void **state)
{
    struct bench *bench = *state;
    char old[RG_PATH_BYTES];
    path_of(bench, "keys/storage-old.key", old);
    assert_true(rg_is_ok(rg_vault_file_make(old, NULL)));
    replace_once(bench);
    assert_true(opens_afresh(bench));
}

static void test_one_at_a_time(void **state)
{
    struct bench *bench = *state;
    struct rg_home_rekey first = {0};
    struct rg_home_rekey second = {0};
    struct rg_reason why = {0};
    assert_true(rg_is_ok(begin(bench, &first, NULL)));
    assert_int_equal(begin(bench, &second, &why).code, RG_AGAIN);
    assert_string_equal(why.id, "storage-key-busy");
    rg_home_rekey_drop(&second);
    rg_home_rekey_drop(&first);
    replace_once(bench);
}

/* ---- files ---- */

static void test_destroyed_is_overwritten(void **state)
{
    struct bench *bench = *state;
    char path[RG_PATH_BYTES];
    char other[RG_PATH_BYTES];
    RG_OWNED_BUFFER bytes = {0};
    path_of(bench, "keys/storage.key", path);
    path_of(bench, "keys/other-name", other);
    assert_int_equal(link(path, other), 0); /* shows what became of the bytes */
    assert_true(rg_is_ok(rg_file_destroy(path, NULL)));
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(rg_is_ok(rg_file_read(other, 4096, &bytes, NULL)));
    assert_true(bytes.len > 100);
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(bytes.data[i], 0);
    }
    assert_true(rg_is_ok(rg_file_destroy(path, NULL))); /* gone is gone */
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(rg_file_destroy(path, NULL).code, RG_IO); /* never through a link */
}

static void test_orphans_are_swept(void **state)
{
    struct bench *bench = *state;
    static const char *const name[] = {"keys/read-2026-12-24-aaaaaaaaaaaaaaaa.key",
                                       "keys/read-2026-12-25-bbbbbbbbbbbbbbbb.key",
                                       "keys/read-2026-12-25-bbbbbbbbbbbbbbbb.der"};
    size_t gone = 9;
    for (size_t i = 0; i < 3; i++) {
        char path[RG_PATH_BYTES];
        path_of(bench, name[i], path);
        assert_true(rg_is_ok(rg_file_create(path, rg_bytes_of_text("x"), 0600, NULL)));
    }
    assert_true(rg_is_ok(rg_home_sweep(&bench->home, rg_wall_now(), &gone, NULL)));
    assert_int_equal(gone, 1);
    assert_false(is_there(bench, name[0]));
    assert_true(is_there(bench, name[1]));
    assert_true(is_there(bench, "keys/storage.key"));
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_replaced),
        WITH_BENCH(test_crash_before_the_commit),
        WITH_BENCH(test_crash_after_the_commit),
        WITH_BENCH(test_crash_between_link_and_rename),
        WITH_BENCH(test_crash_before_the_old_one_was_destroyed),
        WITH_BENCH(test_one_at_a_time),
        WITH_BENCH(test_destroyed_is_overwritten),
        WITH_BENCH(test_orphans_are_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
