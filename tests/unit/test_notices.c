/* notices: languages, search in native script, validity, what closes a point, kept once. */
#include "client/casebook.h"
#include "client/notices.h"
#include "core/vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct rg_date today = {2026, 11, 25};

static struct rg_notice a_notice(const char *subject, const char *point)
{
    struct rg_notice notice = {
        .from = "th/focal",
        .country = "th",
        .valid_from = {2026, 11, 20},
        .valid_to = {2026, 12, 20},
        .at_ms = 1000,
        .text_count = 2,
        .text = {{"en", "Gate closed", "The Aranyaprathet gate is closed for all handovers"},
                 {"km-KH", "ច្រកបិទ", "ច្រកទ្វារប៉ោយប៉ែតត្រូវបានបិទ"}},
    };
    (void)snprintf(notice.subject, sizeof(notice.subject), "%s", subject);
    (void)snprintf(notice.point, sizeof(notice.point), "%s", point);
    return notice;
}

static bool matches(const struct rg_notice *notice, struct rg_notice_query query)
{
    bool found = false;
    assert_true(rg_is_ok(rg_notice_matches(notice, &query, &found, NULL)));
    return found;
}

static void test_search(void **state)
{
    (void)state;
    struct rg_notice notice = a_notice("GATE_CLOSED", "TH-KH-1");
    assert_true(matches(&notice, (struct rg_notice_query){0}));
    assert_true(matches(&notice, (struct rg_notice_query){.search = "aranyaprathet GATE"}));
    assert_true(matches(&notice, (struct rg_notice_query){.search = "ប៉ោយប៉ែត"}));
    assert_true(matches(&notice, (struct rg_notice_query){.search = "th-kh-1"}));
    assert_false(matches(&notice, (struct rg_notice_query){.search = "Mae Sot"}));
    assert_true(matches(&notice, (struct rg_notice_query){.country = "th", .language = "km"}));
    assert_false(matches(&notice, (struct rg_notice_query){.country = "la"}));
    assert_false(matches(&notice, (struct rg_notice_query){.language = "lo"}));
    assert_false(matches(&notice, (struct rg_notice_query){.language = "k"}));
    struct rg_notice_query current = {.current = true, .today = today};
    assert_true(matches(&notice, current));
    current.today = (struct rg_date){2026, 12, 21};
    assert_false(matches(&notice, current));
    current.today = (struct rg_date){2026, 11, 19};
    assert_false(matches(&notice, current));
}

static void test_the_text_of_a_language(void **state)
{
    (void)state;
    struct rg_notice notice = a_notice("HOTLINE", "");
    assert_string_equal(rg_notice_words(&notice, "km")->language, "km-KH");
    assert_string_equal(rg_notice_words(&notice, "lo")->language, "en");
    assert_string_equal(rg_notice_words(&notice, NULL)->language, "en");
    (void)snprintf(notice.text[0].language, RG_LANGUAGE_BYTES, "th");
    assert_string_equal(rg_notice_words(&notice, "lo")->language, "th");
    notice.text_count = 0;
    assert_null(rg_notice_words(&notice, "lo"));
}

static bool closed(const struct rg_notice *const *notice, size_t count, struct rg_date day)
{
    struct rg_point_fold fold = {0};
    for (size_t i = 0; i < count; i++) {
        rg_point_fold_add(&fold, notice[i], "TH-KH-1", day);
    }
    return rg_point_is_closed(&fold);
}

static void test_a_point_is_closed_and_opened_again(void **state)
{
    (void)state;
    struct rg_notice shut = a_notice("GATE_CLOSED", "TH-KH-1");
    struct rg_notice open = a_notice("GATE_OPEN", "TH-KH-1");
    struct rg_notice theirs = a_notice("GATE_OPEN", "TH-KH-1");
    struct rg_notice other = a_notice("GATE_CLOSED", "TH-KH-2");
    struct rg_notice law = a_notice("LAW_CHANGED", "TH-KH-1");
    open.at_ms = 2000;
    theirs.at_ms = 3000;
    (void)snprintf(theirs.country, sizeof(theirs.country), "kh");
    assert_true(closed((const struct rg_notice *[]){&shut}, 1, today));
    assert_false(closed((const struct rg_notice *[]){&other, &law}, 2, today));
    assert_false(closed((const struct rg_notice *[]){&shut}, 1, (struct rg_date){2027, 1, 1}));
    assert_false(closed((const struct rg_notice *[]){&shut, &open}, 2, today));
    assert_false(closed((const struct rg_notice *[]){&open, &shut}, 2, today)); /* any order */
    assert_true(closed((const struct rg_notice *[]){&shut, &theirs}, 2, today));
    open.at_ms = 500; /* an older word does not open it */
    assert_true(closed((const struct rg_notice *[]){&shut, &open}, 2, today));
}

struct book {
    char folder[32], path[64];
    struct rg_key *key;
    struct rg_spool *spool;
    struct rg_casebook *book;
};

static void book_open(struct book *book)
{
    (void)snprintf(book->folder, sizeof(book->folder), "/tmp/rg-notices-XXXXXX");
    assert_non_null(mkdtemp(book->folder));
    char key_path[64];
    (void)snprintf(key_path, sizeof(key_path), "%s/key", book->folder);
    (void)snprintf(book->path, sizeof(book->path), "%s/book.db", book->folder);
    assert_true(rg_is_ok(rg_vault_file_make(key_path, NULL)));
    assert_true(rg_is_ok(rg_key_read(key_path, &book->key, NULL)));
    assert_true(rg_is_ok(rg_spool_open(book->path, &book->spool, NULL)));
    assert_true(rg_is_ok(rg_casebook_open(book->spool, book->key, &book->book, NULL)));
}

static void book_close(struct book *book)
{
    static const char *const names[] = {"key", "book.db", "book.db-wal", "book.db-shm"};
    rg_casebook_close(book->book);
    rg_spool_close(book->spool);
    rg_key_free(book->key);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", book->folder, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(book->folder), 0);
}

static void test_a_notice_is_kept_once(void **state)
{
    (void)state;
    struct book book = {0};
    struct rg_notice notice = a_notice("GATE_CLOSED", "TH-KH-1");
    struct rg_notice again = notice;
    struct rg_notice found = {0};
    bool here = false;
    book_open(&book);
    notice.id.b[0] = 7;
    again.id.b[0] = 8; /* passed on by another officer: the same words */
    again.at_ms = 9000;
    assert_true(rg_is_ok(rg_casebook_notice_next(book.book, 0, &found, &here, NULL)));
    assert_false(here);
    assert_true(rg_is_ok(rg_casebook_notice_put(book.book, &notice, NULL)));
    assert_true(rg_is_ok(rg_casebook_notice_put(book.book, &again, NULL)));
    assert_true(rg_is_ok(rg_casebook_notice_next(book.book, 0, &found, &here, NULL)));
    assert_true(here);
    assert_true(rg_notice_same(&found, &notice));
    assert_int_equal(found.id.b[0], 7);
    assert_int_equal(found.at_ms, 1000);
    assert_true(rg_is_ok(rg_casebook_notice_next(book.book, found.row, &found, &here, NULL)));
    assert_false(here);
    again.exercise = true; /* an exercise is another notice */
    assert_true(rg_is_ok(rg_casebook_notice_put(book.book, &again, NULL)));
    assert_true(rg_is_ok(rg_casebook_notice_next(book.book, found.row, &found, &here, NULL)));
    assert_true(here);
    book_close(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_the_text_of_a_language),
        cmocka_unit_test(test_a_point_is_closed_and_opened_again),
        cmocka_unit_test(test_a_notice_is_kept_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
