/* The casebook's index: lines, search by name in six scripts, erasure, what the file shows. */
#include "client/casebook.h"

#include "client/home.h"
#include "core/digest.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct bench {
    char folder[64];
    char path[96], key_path[96];
    struct rg_key *key;
    struct rg_spool *spool;
    struct rg_casebook *book;
};

static void open_book(struct bench *bench)
{
    assert_true(rg_is_ok(rg_spool_open(bench->path, &bench->spool, NULL)));
    assert_true(rg_is_ok(rg_casebook_open(bench->spool, bench->key, &bench->book, NULL)));
}

static void close_book(struct bench *bench)
{
    rg_casebook_close(bench->book);
    rg_spool_close(bench->spool);
    bench->book = NULL;
    bench->spool = NULL;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    (void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/rg-index-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->path, sizeof(bench->path), "%s/casebook.db", bench->folder);
    (void)snprintf(bench->key_path, sizeof(bench->key_path), "%s/storage.key", bench->folder);
    assert_true(rg_is_ok(rg_vault_file_make(bench->key_path, NULL)));
    assert_true(rg_is_ok(rg_key_read(bench->key_path, &bench->key, NULL)));
    open_book(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    static const char *const suffix[] = {"", "-wal", "-shm"};
    close_book(bench);
    rg_key_free(bench->key);
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s%s", bench->path, suffix[i]);
        (void)unlink(path);
    }
    (void)unlink(bench->key_path);
    assert_int_equal(rmdir(bench->folder), 0);
    free(bench);
    return 0;
}

/* ---- people (invented) ---- */

struct person {
    const char *native, *latin, *alias;
};
static const struct person people[] = {
    {"နန်းခမ်း", "Nang Hkam", "Ma Ma"},         {"ဦးအောင်", "U Aung", ""},
    {"សុខ ចាន់ធូ", "Sok Chanthou", ""},          {"ບຸນມີ ແກ້ວ", "Bounmy Keo", "Noy"},
    {"สมหญิง ใจดี", "Somying Jaidee", ""},      {"Nguyễn Thị Hồng", "Nguyen Thi Hong", "Bé Na"},
    {"欧阳娜", "Ouyang Na", "小娜"},          {"Sùng A Páo", "Sung A Pao", ""},
    {"Nguyễn Văn Đạt", "Nguyen Van Dat", ""},
};
#define PEOPLE (sizeof(people) / sizeof(people[0]))

static struct rg_case_file file_of(const struct person *person)
{
    struct rg_case_file file = {
        .now = {.side = RG_SIDE_HOST, .state = RG_CASE_REFERRED, .since = {1234567}},
        .host = "th",
        .origin = "xqzwvqk",
        .partner = "xqzwvqk/focal",
        .made_ms = 99,
    };
    (void)snprintf(file.name_native, sizeof(file.name_native), "%s", person->native);
    (void)snprintf(file.name_latin, sizeof(file.name_latin), "%s", person->latin);
    return file;
}

static void record_keep(struct bench *bench, int64_t row, const struct person *person)
{
    RG_OWNED_RECORD record = NULL;
    const struct {
        enum rg_field field;
        const char *text;
    } value[] = {{RG_FIELD_FULL_NAME_NATIVE, person->native},
                 {RG_FIELD_FULL_NAME_LATIN, person->latin},
                 {RG_FIELD_ALIAS_NICKNAME, person->alias}};
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    for (size_t i = 0; i < 3; i++) {
        assert_true(
            rg_is_ok(rg_record_set(record, value[i].field, rg_bytes_of_text(value[i].text), NULL)));
    }
    assert_true(rg_is_ok(rg_casebook_record_put(bench->book, row, record, NULL)));
}

static void keep_all(struct bench *bench, int64_t row[PEOPLE])
{
    for (size_t i = 0; i < PEOPLE; i++) {
        struct rg_case_file file = file_of(&people[i]);
        assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
        record_keep(bench, file.row, &people[i]);
        row[i] = file.row;
    }
}

/* ---- searching ---- */

struct search {
    struct bench *bench;
    struct rg_name_query query;
    int64_t row[64];
    size_t count, seemed;
};

static rg_outcome look(void *context, const struct rg_case_line *line, struct rg_reason *why)
{
    struct search *search = context;
    struct rg_case_file file = {0};
    bool found = false;
    if (!rg_name_may_be(line, &search->query)) {
        return rg_ok();
    }
    search->seemed++;
    RG_TRY(rg_casebook_get(search->bench->book, line->row, &file, why));
    RG_TRY(rg_casebook_is_called(search->bench->book, &file, &search->query, &found, why));
    if (found) {
        search->row[search->count++] = line->row;
    }
    return rg_ok();
}

static struct search search_for(struct bench *bench, const char *text)
{
    struct search search = {.bench = bench};
    assert_true(rg_is_ok(rg_name_query(rg_bytes_of_text(text), &search.query, NULL)));
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, look, &search, NULL)));
    return search;
}

static void finds(struct bench *bench, const char *text, int64_t row)
{
    struct search search = search_for(bench, text);
    if (row == 0) {
        assert_int_equal(search.count, 0);
        return;
    }
    assert_int_equal(search.count, 1);
    assert_int_equal(search.row[0], row);
}

static void test_names_are_found(void **state)
{
    struct bench *bench = *state;
    int64_t row[PEOPLE];
    keep_all(bench, row);
    close_book(bench);
    open_book(bench);
    finds(bench, "နန်းခမ်း", row[0]);
    finds(bench, "ခမ်း", row[0]);
    finds(bench, "nang", row[0]);
    finds(bench, "Hkam", row[0]);
    finds(bench, "អ្នក", 0);
    finds(bench, "ចាន់ធូ", row[2]);
    finds(bench, "ບຸນມີ", row[3]);
    finds(bench, "noy", row[3]); /* a nickname stands in the record only */
    finds(bench, "ใจดี", row[4]);
    finds(bench, "hong", row[5]);
    finds(bench, "Hồng", row[5]);
    finds(bench, "欧阳", row[6]);
    finds(bench, "小娜", row[6]);
    finds(bench, "Páo", row[7]);
    finds(bench, "Dat", row[8]);
    finds(bench, "nguyen hong", row[5]);
    assert_int_equal(search_for(bench, "Nguyễn").count, 2);
    finds(bench, "nobody of that name", 0);
    finds(bench, "Hkam Dat", 0); /* words of two people */
}

static void test_what_cannot_be_searched_for(void **state)
{
    struct rg_name_query query;
    struct rg_reason why = {0};
    char text[1024];
    (void)state;
    assert_int_equal(rg_name_query(rg_bytes_of_text(" "), &query, &why).code, RG_MALFORMED);
    assert_string_equal(why.id, "search-empty");
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(rg_name_query(rg_bytes_of_text(text), &query, &why).code, RG_LIMIT);
    assert_int_equal(rg_name_query(rg_bytes_of("a\xff", 2), &query, &why).code, RG_MALFORMED);
}

static void test_a_corrected_name(void **state)
{
    static const struct person after = {"Trần Mai", "Tran Mai", ""};
    struct bench *bench = *state;
    int64_t row[PEOPLE];
    keep_all(bench, row);
    record_keep(bench, row[8], &after);
    struct rg_case_file file = {0};
    assert_true(rg_is_ok(rg_casebook_get(bench->book, row[8], &file, NULL)));
    (void)snprintf(file.name_native, sizeof(file.name_native), "%s", after.native);
    (void)snprintf(file.name_latin, sizeof(file.name_latin), "%s", after.latin);
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    finds(bench, "mai", row[8]);
    finds(bench, "Dat", 0);
    assert_int_equal(search_for(bench, "Dat").seemed, 0);
}

static void test_erasure_takes_the_name_out_of_the_index(void **state)
{
    struct bench *bench = *state;
    struct rg_erased erased = {0};
    int64_t row[PEOPLE];
    keep_all(bench, row);
    assert_true(rg_is_ok(rg_casebook_erase(bench->book, row[8], false, NULL)));
    assert_int_equal(search_for(bench, "Dat").seemed, 0);
    assert_true(rg_is_ok(rg_casebook_erase_classes(
        bench->book, row[5], RG_CLASS_BIT(RG_CLASS_IDENTITY), &erased, NULL)));
    assert_int_equal(search_for(bench, "Nguyễn").seemed, 0);
    assert_int_equal(search_for(bench, "Bé Na").seemed, 0);
    finds(bench, "ใจดี", row[4]);
}

/* ---- lines ---- */

struct lines {
    struct rg_case_line line[128];
    size_t count;
};

static rg_outcome keep_line(void *context, const struct rg_case_line *line, struct rg_reason *why)
{
    struct lines *lines = context;
    (void)why;
    lines->line[lines->count++] = *line;
    return rg_ok();
}

static void test_lines_say_what_a_list_needs(void **state)
{
    struct bench *bench = *state;
    struct lines lines = {0};
    struct rg_case_file file = file_of(&people[0]);
    file.has_request = file.request_received = true;
    for (int i = 0; i < 70; i++) { /* three pages */
        struct rg_case_file more = file;
        assert_true(rg_is_ok(rg_casebook_put(bench->book, &more, NULL)));
        assert_int_equal(more.slot, i + 1);
    }
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, keep_line, &lines, NULL)));
    assert_int_equal(lines.count, 70);
    const struct rg_case_line *line = &lines.line[69];
    assert_int_equal(line->side, RG_SIDE_HOST);
    assert_int_equal(line->state, RG_CASE_REFERRED);
    assert_int_equal(line->waits, 1);
    assert_int_equal(line->wait[0].mover, RG_MOVER_OTHER_SIDE);
    assert_int_equal(line->wait[0].awaited, RG_KIND_REQUEST);
    assert_string_equal(line->country, "xqzwvqk");
    assert_int_equal(line->wait[0].since_ms, 1234567);
    assert_int_equal(line->made_ms, 99);
    assert_int_equal(line->flags, RG_LINE_ASKED | RG_LINE_RECEIVED);
    assert_true(rg_is_ok(rg_casebook_get(bench->book, line->row, &file, NULL)));
    file.now.state = RG_CASE_ACCEPTED;
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    lines.count = 0;
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, keep_line, &lines, NULL)));
    assert_int_equal(lines.count, 70);
    assert_int_equal(line->state, RG_CASE_ACCEPTED);
    assert_int_equal(line->wait[0].mover, RG_MOVER_US);
}

static void test_a_step_rolled_back_leaves_no_line(void **state)
{
    struct bench *bench = *state;
    struct lines lines = {0};
    {
        RG_SPOOL_STEP step = {0};
        struct rg_case_file file = file_of(&people[8]);
        assert_true(rg_is_ok(rg_spool_step_begin(bench->spool, &step, NULL)));
        assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
        record_keep(bench, file.row, &people[8]);
    }
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, keep_line, &lines, NULL)));
    assert_int_equal(lines.count, 0);
    int64_t row[PEOPLE];
    keep_all(bench, row);
    finds(bench, "Dat", row[8]);
}

static struct rg_case_file cleared(struct rg_wall now)
{
    struct rg_case_file file = file_of(&people[0]);
    struct rg_date today = rg_day_of_wall(now);
    struct rg_date far = {2099, 12, 31};
    struct rg_process *process = &file.process;
    file.now.state = RG_CASE_RELEASED;
    file.has_process = true;
    *process = (struct rg_process){
        .state = RG_PROCESS_ACCEPTED,
        .since = now,
        .requester = RG_PARTY_HOST,
        .care = RG_PARTY_HOST,
        .identified_by = RG_PARTY_HOST,
        .age = RG_AGE_ADULT,
        .scopes = ~0u >> 22,
        .nationality = {.code = RG_NATIONALITY_CONFIRMED, .valid_to = far, .made = today}};
    for (int i = 0; i < 10; i++) {
        process->scope_until[i] = far;
    }
    process->risk[RG_PARTY_HOST] =
        (struct rg_check){.code = RG_RISK_SAFE, .valid_to = far, .made = today};
    process->risk[RG_PARTY_ORIGIN] = process->risk[RG_PARTY_HOST];
    return file;
}

static void test_a_new_day_is_seen(void **state)
{
    struct bench *bench = *state;
    struct rg_wall now = rg_wall_now();
    struct rg_wall later = {now.ms + INT64_C(100) * 86400000}; /* a risk holds 90 days */
    struct rg_case_file file = cleared(now);
    struct rg_file_waiting before[2];
    struct rg_file_waiting after[2];
    struct lines lines = {0};
    (void)rg_case_file_waiting(&file, now, before);
    (void)rg_case_file_waiting(&file, later, after);
    assert_string_not_equal(before[0].what, after[0].what);
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_true(rg_is_ok(rg_casebook_refresh(bench->book, later, NULL)));
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, keep_line, &lines, NULL)));
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.line[0].wait[0].awaited, after[0].awaited);
    assert_int_equal(lines.line[0].wait[0].mover, after[0].mover);
    assert_int_equal(lines.line[0].process, RG_PROCESS_ACCEPTED); /* no clock moves a state */
    finds(bench, "nang", file.row);
    /* 90 days are not over yet: nothing changes */
    struct lines same = {0};
    struct rg_case_file second = cleared(now);
    struct rg_wall sooner = {now.ms + INT64_C(50) * 86400000};
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &second, NULL)));
    assert_true(rg_is_ok(rg_casebook_refresh(bench->book, sooner, NULL)));
    assert_true(rg_is_ok(rg_casebook_scan(bench->book, keep_line, &same, NULL)));
    assert_int_equal(same.line[1].wait[0].awaited, before[0].awaited);
    assert_true(rg_is_ok(rg_casebook_refresh(bench->book, later, NULL)));
    int64_t writes = 0;
    assert_true(rg_is_ok(rg_spool_number_get(bench->spool, "index-day", 0, &writes, NULL)));
    assert_int_equal(writes, later.ms / 86400000);
}

/* ---- SQL of a test's own ---- */

static int64_t sql_number(struct bench *bench, const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    int64_t number = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

static void test_a_casebook_without_an_index_gets_one(void **state)
{
    struct bench *bench = *state;
    int64_t row[PEOPLE];
    keep_all(bench, row);
    close_book(bench);
    (void)sql_number(bench, "DELETE FROM item WHERE kind = 5");
    (void)sql_number(bench, "DELETE FROM value WHERE name = 'case-slots'");
    open_book(bench);
    finds(bench, "noy", row[3]);
    finds(bench, "欧阳", row[6]);
    struct rg_case_file file = {0};
    assert_true(rg_is_ok(rg_casebook_get(bench->book, row[6], &file, NULL)));
    assert_int_equal(file.slot, 7);
}

static void test_a_page_put_elsewhere_does_not_open(void **state)
{
    struct bench *bench = *state;
    struct lines lines = {0};
    int64_t row[PEOPLE];
    for (int i = 0; i < 5; i++) {
        keep_all(bench, row); /* 45 lines: two pages */
    }
    close_book(bench);
    (void)sql_number(bench, "UPDATE item SET at = CASE at WHEN 0 THEN 1 ELSE 0 END WHERE kind = 5");
    open_book(bench);
    assert_int_equal(rg_casebook_scan(bench->book, keep_line, &lines, NULL).code, RG_DENIED);
}

/* ---- what the file shows ---- */

static bool stands_in_file(const struct bench *bench, const char *needle)
{
    static const char *const suffix[] = {"", "-wal"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        RG_OWNED_BUFFER bytes = {0};
        (void)snprintf(path, sizeof(path), "%s%s", bench->path, suffix[i]);
        if (rg_is_ok(rg_file_read(path, 16 * RG_MIB, &bytes, NULL)) &&
            memmem(bytes.data, bytes.len, needle, strlen(needle)) != NULL) {
            return true;
        }
    }
    return false;
}

static void test_nothing_is_readable_at_rest(void **state)
{
    struct bench *bench = *state;
    struct rg_exclusions list = {0};
    struct rg_exclusion entry;
    int64_t row[PEOPLE];
    struct rg_case_file file = {0};
    keep_all(bench, row);
    assert_true(rg_is_ok(rg_exclusion_parse("xqzwvqk/health", &entry, NULL)));
    assert_true(rg_is_ok(rg_exclusions_add(&list, &entry, NULL)));
    assert_true(rg_is_ok(rg_casebook_exclusions_put(
        bench->book, row[0], &list, "referral://th/focal/officer-1", (struct rg_wall){1}, NULL)));
    assert_true(rg_is_ok(rg_casebook_section_put(
        bench->book, 1, 0, RG_BYTES_LITERAL("RISK_ASSESSMENT NOT_SAFE"), NULL)));
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_false(stands_in_file(bench, people[i].native));
        assert_false(stands_in_file(bench, people[i].latin));
        assert_true(people[i].alias[0] == '\0' || !stands_in_file(bench, people[i].alias));
        assert_true(rg_is_ok(rg_casebook_get(bench->book, row[i], &file, NULL)));
        assert_false(stands_in_file(bench, file.number));
    }
    assert_false(stands_in_file(bench, "xqzwvqk")); /* country, office */
    assert_false(stands_in_file(bench, "RISK"));
    assert_false(stands_in_file(bench, "NOT_SAFE"));
    assert_false(stands_in_file(bench, "officer-1"));
    /* the search itself can find something */
    assert_true(
        rg_is_ok(rg_spool_value_set(bench->spool, "plain", RG_BYTES_LITERAL("xqzwvqk"), NULL)));
    assert_true(stands_in_file(bench, "xqzwvqk"));
}

/* A name's length, how many names there are, and who has an exclusion list do not show. */
static void test_sizes_do_not_tell(void **state)
{
    static const struct person brief = {"A", "", ""};
    static const struct person long_ = {"ဦးအောင်ဦးအောင်ဦးအောင်ဦးအောင်",
                                        "Somebody With Quite Some Names In Latin Letters",
                                        "Another;And One More;And A Third"};
    struct bench *bench = *state;
    for (int i = 0; i < 2; i++) {
        const struct person *person = i == 0 ? &brief : &long_;
        struct rg_case_file file = file_of(person);
        assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
        record_keep(bench, file.row, person);
    }
    close_book(bench);
    for (int kind = RG_ITEM_CASE; kind <= RG_ITEM_RECORD; kind++) {
        char text[128];
        (void)snprintf(text, sizeof(text),
                       "SELECT count(DISTINCT length(sealed)) FROM item WHERE kind = %d", kind);
        assert_int_equal(sql_number(bench, text), 1);
    }
    assert_int_equal(sql_number(bench, "SELECT count(*) FROM item WHERE kind = 4"), 0);
    assert_int_equal(sql_number(bench, "SELECT count(*) FROM item WHERE kind = 5"), 1);
    open_book(bench);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_names_are_found),
        TEST(test_what_cannot_be_searched_for),
        TEST(test_a_corrected_name),
        TEST(test_erasure_takes_the_name_out_of_the_index),
        TEST(test_lines_say_what_a_list_needs),
        TEST(test_a_step_rolled_back_leaves_no_line),
        TEST(test_a_new_day_is_seen),
        TEST(test_a_casebook_without_an_index_gets_one),
        TEST(test_a_page_put_elsewhere_does_not_open),
        TEST(test_nothing_is_readable_at_rest),
        TEST(test_sizes_do_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
