/*
 * A casebook of many cases: made, opened, listed, searched.
 *
 * usage: bench_casebook make HOME COUNT      fills the casebook of an officer's home folder
 *        bench_casebook look HOME COUNT      opens the same folder through the library and asks
 *
 * The limit beside each figure is SQLite alone, in the same run: the same number of rows in one
 * plain table, nothing sealed, without an index, asked the same question.
 */
#include "client/casebook.h"
#include "client/home.h"
#include "client/include/referral.h"
#include "core/digest.h"
#include "tests/bench/bench.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { batch = 1000, page = 50, rounds = 20 };

static void must(rg_outcome outcome, const struct rg_reason *why)
{
    if (!rg_is_ok(outcome)) {
        (void)fprintf(stderr, "bench_casebook: %s: %s\n", why->id, why->text);
        exit(1);
    }
}

static void must_call(struct referral_result result)
{
    if (result.code != REFERRAL_OK && result.code != REFERRAL_END) {
        (void)fprintf(stderr, "bench_casebook: %s: %s\n", result.id, result.reason);
        exit(1);
    }
}

static uint32_t seed = 20261124; /* the same people each time */

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* ---- people (invented) ---- */

static const char *const thai[] = {"สมหญิง", "ใจดี", "มาลี", "แสงทอง", "บุญมา", "ศรีสุข", "วันดี", "คำแก้ว"};
static const char *const latin[] = {"Somying", "Jaidee", "Malee",  "Saengthong",
                                    "Boonma",  "Srisuk", "Wandee", "Khamkaew"};
static const char *const viet[] = {"Nguyễn", "Thị", "Hồng", "Trần", "Văn", "Mai", "Lê", "Hoa"};
static const char *const viet_latin[] = {"Nguyen", "Thi", "Hong", "Tran",
                                         "Van",    "Mai", "Le",   "Hoa"};

#define RARE_AT 77
#define RARE_NATIVE "นกแก้ว ไผ่ทอง"
#define RARE_LATIN "Nokkaew Phaithong"

static void name_draw(size_t at, struct rg_case_file *file)
{
    uint32_t a = draw(8);
    uint32_t b = draw(8);
    uint32_t c = draw(8);
    bool vn = draw(2) == 0;
    if (at == RARE_AT) {
        (void)snprintf(file->name_native, sizeof(file->name_native), RARE_NATIVE);
        (void)snprintf(file->name_latin, sizeof(file->name_latin), RARE_LATIN);
        return;
    }
    (void)snprintf(file->name_native, sizeof(file->name_native), "%s %s%s", vn ? viet[a] : thai[a],
                   vn ? viet[b] : thai[b], vn ? viet[c] : thai[c]);
    (void)snprintf(file->name_latin, sizeof(file->name_latin), "%s %s%s",
                   vn ? viet_latin[a] : latin[a], vn ? viet_latin[b] : latin[b],
                   vn ? viet_latin[c] : latin[c]);
}

static void process_draw(struct rg_case_file *file)
{
    static const enum rg_process_state states[] = {
        [RG_CASE_REFERRED] = RG_PROCESS_REFERRED,
        [RG_CASE_ACCEPTED] = RG_PROCESS_ACCEPTED,
        [RG_CASE_RELEASED] = RG_PROCESS_CLEARED,
        [RG_CASE_DECLINED] = RG_PROCESS_DECLINED,
    };
    file->has_process = true;
    file->process = (struct rg_process){.state = states[file->now.state],
                                        .since = file->now.since,
                                        .requester = RG_PARTY_HOST,
                                        .care = RG_PARTY_HOST,
                                        .identified_by = RG_PARTY_HOST,
                                        .age = RG_AGE_ADULT};
    bool asked = file->now.state == RG_CASE_REFERRED;
    bool checked = file->now.state == RG_CASE_ACCEPTED;
    file->process.asked[RG_ASK_REQUEST][RG_PARTY_HOST] =
        (struct rg_asked){.open = asked, .since = file->now.since};
    file->process.asked[RG_ASK_NATIONALITY][RG_PARTY_HOST] =
        (struct rg_asked){.open = checked, .since = file->now.since};
}

static void case_draw(size_t at, int64_t now_ms, struct rg_case_file *file)
{
    static const enum rg_case_state states[] = {
        RG_CASE_REFERRED, RG_CASE_REFERRED, RG_CASE_ACCEPTED, RG_CASE_RELEASED, RG_CASE_DECLINED};
    *file = (struct rg_case_file){
        .now = {.side = RG_SIDE_HOST,
                .state = states[draw(5)],
                .since = {now_ms - (int64_t)draw(30 * 24 * 60) * 60000}},
        .host = "th",
        .origin = "la",
        .partner = "la/focal",
        .has_request = true,
        .made_ms = now_ms,
    };
    (void)snprintf(file->reference, sizeof(file->reference), "R%zu", at);
    name_draw(at, file);
    process_draw(file);
}

/* ---- SQLite alone ---- */

static sqlite3 *plain;

static void sql(const char *text)
{
    if (sqlite3_exec(plain, text, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "bench_casebook: %s\n", sqlite3_errmsg(plain));
        exit(1);
    }
}

static double sql_s(const char *text)
{
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        sql(text);
    }
    return (bench_now_s() - start) / rounds;
}

static void plain_open(const char *home)
{
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/plain.db", home);
    if (sqlite3_open(path, &plain) != SQLITE_OK) {
        exit(1);
    }
    sql("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
        "CREATE TABLE IF NOT EXISTS person(row INTEGER PRIMARY KEY, due INTEGER, state INTEGER,"
        " number TEXT, name TEXT, latin TEXT, file BLOB)");
}

static double plain_make_s(size_t count)
{
    sqlite3_stmt *stmt = NULL;
    double start = bench_now_s();
    (void)sqlite3_prepare_v2(plain, "INSERT INTO person VALUES(NULL,?1,?2,?3,?4,?5,zeroblob(2048))",
                             -1, &stmt, NULL);
    for (size_t i = 0; i < count; i++) {
        struct rg_case_file file;
        case_draw(i, 1790000000000, &file);
        if (i % batch == 0) {
            sql("BEGIN");
        }
        (void)sqlite3_bind_int64(stmt, 1, file.now.since.ms);
        (void)sqlite3_bind_int(stmt, 2, (int)file.now.state);
        (void)sqlite3_bind_text(stmt, 3, file.reference, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 4, file.name_native, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(stmt, 5, file.name_latin, -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) != SQLITE_DONE) {
            exit(1);
        }
        (void)sqlite3_reset(stmt);
        if ((i + 1) % batch == 0 || i + 1 == count) {
            sql("COMMIT");
        }
    }
    (void)sqlite3_finalize(stmt);
    return bench_now_s() - start;
}

/* ---- make ---- */

static void record_make(const struct rg_case_file *file, struct rg_record **out)
{
    struct rg_reason why = {0};
    must(rg_record_new(out, &why), &why);
    must(rg_record_set(*out, RG_FIELD_FULL_NAME_NATIVE, rg_bytes_of_text(file->name_native), &why),
         &why);
    must(rg_record_set(*out, RG_FIELD_FULL_NAME_LATIN, rg_bytes_of_text(file->name_latin), &why),
         &why);
}

static double cases_make_s(struct rg_spool *spool, struct rg_casebook *book, size_t count)
{
    struct rg_reason why = {0};
    double start = bench_now_s();
    for (size_t i = 0; i < count; i += batch) {
        RG_SPOOL_STEP step = {0};
        must(rg_spool_step_begin(spool, &step, &why), &why);
        for (size_t k = i; k < i + batch && k < count; k++) {
            struct rg_case_file file;
            RG_OWNED_RECORD record = NULL;
            case_draw(k, rg_wall_now().ms, &file);
            record_make(&file, &record);
            must(rg_casebook_put(book, &file, &why), &why);
            must(rg_casebook_record_put(book, file.row, record, &why), &why);
        }
        must(rg_spool_step_commit(&step, &why), &why);
    }
    return bench_now_s() - start;
}

static int make(const char *folder, size_t count)
{
    struct rg_reason why = {0};
    struct rg_home *home = NULL;
    struct rg_spool *spool = NULL;
    struct rg_casebook *book = NULL;
    char path[1024];
    (void)snprintf(path, sizeof(path), "%s/casebook.db", folder);
    must(rg_home_open(folder, rg_wall_now(), &home, &why), &why);
    must(rg_spool_open(path, &spool, &why), &why);
    must(rg_casebook_open(spool, home->storage_key, &book, &why), &why);
    plain_open(folder);
    double limit = (double)count / plain_make_s(count);
    bench_line("casebook_make", (double)count / cases_make_s(spool, book, count), "cases/s", limit);
    rg_casebook_close(book);
    rg_spool_close(spool);
    rg_home_close(home);
    (void)sqlite3_close(plain);
    return 0;
}

/* ---- look ---- */

static size_t walk(struct referral *office, const struct referral_query *query, size_t first)
{
    struct referral_cursor cursor = {0};
    struct referral_case found;
    size_t count = 0;
    for (; count < first; count++) {
        struct referral_result result = referral_find_cases(office, query, &cursor, &found);
        must_call(result);
        if (result.code == REFERRAL_END) {
            break;
        }
    }
    return count;
}

static double walk_ms(struct referral *office, const struct referral_query *query, size_t first,
                      size_t at_least)
{
    double start = bench_now_s();
    for (int i = 0; i < rounds; i++) {
        if (walk(office, query, first) < at_least) {
            (void)fprintf(stderr, "bench_casebook: too few cases found\n");
            exit(1);
        }
    }
    return (bench_now_s() - start) * 1000 / rounds;
}

static double open_ms(const char *folder, const struct referral_query *query,
                      struct referral **office_out)
{
    double start = bench_now_s();
    must_call(referral_open(folder, NULL, office_out));
    (void)walk(*office_out, query, page);
    return (bench_now_s() - start) * 1000;
}

static double resident_mib(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static int look(const char *folder, size_t count)
{
    const struct referral_query all = {0};
    const struct referral_query overdue = {.overdue = true};
    const struct referral_query native = {.text = "ไผ่ทอง"};
    const struct referral_query rare = {.text = "phaithong"};
    const struct referral_query common = {.text = "Malee"};
    struct referral *office = NULL;
    double day_ms = open_ms(folder, &all, &office);
    referral_close(office);
    double opened_ms = open_ms(folder, &all, &office);
    double list_ms = walk_ms(office, &all, page, page);
    double overdue_ms = walk_ms(office, &overdue, page, page);
    double native_ms = walk_ms(office, &native, count, 1);
    double rare_ms = walk_ms(office, &rare, count, 1);
    double common_ms = walk_ms(office, &common, page, page);
    double start = bench_now_s();
    size_t listed = walk(office, &all, count);
    double whole_ms = (bench_now_s() - start) * 1000;
    double resident = resident_mib();
    referral_close(office);
    plain_open(folder);
    double order_ms = 1000 * sql_s("SELECT * FROM person ORDER BY due, number LIMIT 50");
    double name_ms = 1000 * sql_s("SELECT * FROM person WHERE name LIKE '%ไผ่ทอง%'");
    double latin_ms = 1000 * sql_s("SELECT * FROM person WHERE latin LIKE '%phaithong%'");
    double all_ms = 1000 * sql_s("SELECT * FROM person");
    (void)sqlite3_close(plain);
    bench_line("casebook_open_and_first_page_first_of_the_day", day_ms, "ms", 1000);
    bench_line("casebook_open_and_first_page", opened_ms, "ms", 1000);
    bench_line("casebook_list_first_page", list_ms, "ms", order_ms);
    bench_line("casebook_list_overdue_first_page", overdue_ms, "ms", order_ms);
    bench_line("casebook_list_all", whole_ms, "ms", all_ms);
    bench_line("casebook_search_native", native_ms, "ms", name_ms);
    bench_line("casebook_search_latin", rare_ms, "ms", latin_ms);
    bench_line("casebook_search_common_first_page", common_ms, "ms", latin_ms);
    bench_line("casebook_resident_max", resident, "MiB", 64);
    return listed == count ? 0 : 1;
}

/* A tidy with nothing due looks at every case; an erasure wraps every key anew. The limits are what
 * a person waits for once a day without wondering. */
static int erase(const char *folder)
{
    struct referral *office = NULL;
    struct referral_tidied tidied;
    must_call(referral_open(folder, NULL, &office));
    double start = bench_now_s();
    must_call(referral_tidy(office, true, &tidied));
    double tidy_ms = (bench_now_s() - start) * 1000;
    start = bench_now_s();
    must_call(referral_erase(office, "R7"));
    double erase_ms = (bench_now_s() - start) * 1000;
    referral_close(office);
    bench_line("casebook_tidy_nothing_due", tidy_ms, "ms", 5000);
    bench_line("casebook_erase_one_case", erase_ms, "ms", 5000);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 4 ? argv[1] : "";
    if (strcmp(what, "make") != 0 && strcmp(what, "look") != 0 && strcmp(what, "erase") != 0) {
        (void)fputs("usage: bench_casebook make|look|erase HOME COUNT\n", stderr);
        return 64;
    }
    size_t count = strtoul(argv[3], NULL, 10);
    if (strcmp(what, "erase") == 0) {
        return erase(argv[2]);
    }
    return strcmp(what, "make") == 0 ? make(argv[2], count) : look(argv[2], count);
}
