/* casebook and vault: nothing readable at rest, erasure, look-up, the storage key. */
#include "client/casebook.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    (void)snprintf(bench->folder, sizeof(bench->folder), "/tmp/rg-casebook-XXXXXX");
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

static const char name[] = "နန်းခမ်း";

static struct rg_case_file sample(void)
{
    struct rg_case_file file = {
        .now = {.side = RG_SIDE_HOST, .state = RG_CASE_READY, .since = {1234}},
        .reference = "C00042",
        .host = "th",
        .origin = "mm",
        .partner = "mm/focal",
        .has_preview = true,
        .made_ms = 99,
        .preview = {.reason = RG_REASON_RETURN,
                    .age = RG_AGE_CHILD,
                    .sex = 1,
                    .language = "mya",
                    .needs = 5,
                    .urgency = RG_URGENCY_URGENT,
                    .consent = {.scopes = 70,
                                .given_by = RG_GIVEN_BY_GUARDIAN,
                                .expires = {2027, 6, 30}}},
    };
    (void)snprintf(file.name_native, sizeof(file.name_native), "%s", name);
    return file;
}

static int64_t find(struct bench *bench, enum rg_case_by by, const char *text)
{
    int64_t row = 0;
    bool found = false;
    assert_true(
        rg_is_ok(rg_casebook_find(bench->book, by, rg_bytes_of_text(text), &row, &found, NULL)));
    return found ? row : 0;
}

static void test_case_comes_back_whole(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    struct rg_case_file got;
    file.has_thread = true;
    file.details_sent = true;
    file.request_opened = true;
    memset(file.thread.b, 0x41, sizeof(file.thread.b));
    memset(file.request.b, 0x42, sizeof(file.request.b));
    file.protection_claim = true;
    file.has_movement = file.has_family_link = true;
    memset(file.movement, 0x43, sizeof(file.movement));
    memset(file.family_link, 0x44, sizeof(file.family_link));
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_int_equal(strlen(file.number), 11);
    close_book(bench);
    open_book(bench);
    assert_true(rg_is_ok(rg_casebook_get(bench->book, file.row, &got, NULL)));
    assert_memory_equal(&got, &file, sizeof(file));
    assert_int_equal(find(bench, RG_CASE_BY_NUMBER, file.number), file.row);
    assert_int_equal(find(bench, RG_CASE_BY_REFERENCE, "C00042"), file.row);
    assert_int_equal(find(bench, RG_CASE_BY_REFERENCE, "C00043"), 0);
    file.now.state = RG_CASE_REFERRED;
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_true(rg_is_ok(rg_casebook_get(bench->book, file.row, &got, NULL)));
    assert_int_equal(got.now.state, RG_CASE_REFERRED);
}

static void test_an_ngos_number_is_its_own(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file ours = sample();
    struct rg_case_file theirs = sample();
    (void)snprintf(theirs.proposed_by, sizeof(theirs.proposed_by), "th/ngo-alpha");
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &ours, NULL)));
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &theirs, NULL)));
    assert_int_equal(find(bench, RG_CASE_BY_REFERENCE, "C00042"), ours.row);
    assert_int_equal(find(bench, RG_CASE_BY_REFERENCE, "th/ngo-alpha/C00042"), theirs.row);
}

static bool stands_in_file(const struct bench *bench, const char *needle)
{
    static const char *const suffix[] = {"", "-wal"};
    size_t len = strlen(needle);
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        RG_OWNED_BUFFER bytes = {0};
        (void)snprintf(path, sizeof(path), "%s%s", bench->path, suffix[i]);
        if (rg_is_ok(rg_file_read(path, 8 * RG_MIB, &bytes, NULL)) &&
            memmem(bytes.data, bytes.len, needle, len) != NULL) {
            return true;
        }
    }
    return false;
}

static void record_keep(struct bench *bench, int64_t row)
{
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_record_new(&record, NULL)));
    assert_true(
        rg_is_ok(rg_record_set(record, RG_FIELD_FULL_NAME_NATIVE, rg_bytes_of_text(name), NULL)));
    assert_true(rg_is_ok(rg_casebook_record_put(bench->book, row, record, NULL)));
}

static void test_nothing_is_readable_at_rest(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    record_keep(bench, file.row);
    assert_true(rg_is_ok(rg_casebook_section_put(bench->book, 1, 0,
                                                 RG_BYTES_LITERAL("what the section says"), NULL)));
    assert_false(stands_in_file(bench, name));
    assert_false(stands_in_file(bench, "C00042"));
    assert_false(stands_in_file(bench, file.number));
    assert_false(stands_in_file(bench, "what the section says"));
    /* the search itself can find something */
    assert_true(
        rg_is_ok(rg_spool_value_set(bench->spool, "plain", RG_BYTES_LITERAL("plain text"), NULL)));
    assert_true(stands_in_file(bench, "plain text"));
}

static void test_record_and_section_come_back(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    RG_OWNED_RECORD record = NULL;
    RG_OWNED_BUFFER content = {.secret = true};
    bool found = false;
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    record_keep(bench, file.row);
    record_keep(bench, file.row); /* replaces */
    assert_true(rg_is_ok(rg_casebook_record_get(bench->book, file.row, &record, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE), name);
    assert_true(
        rg_is_ok(rg_casebook_section_put(bench->book, 5, 2, RG_BYTES_LITERAL("bytes"), NULL)));
    assert_true(rg_is_ok(rg_casebook_section_get(bench->book, 5, 2, &content, &found, NULL)));
    assert_true(found && rg_bytes_equal(rg_buffer_peek(&content), RG_BYTES_LITERAL("bytes")));
    assert_true(rg_is_ok(rg_casebook_section_get(bench->book, 5, 1, &content, &found, NULL)));
    assert_false(found);
}

static void test_another_storage_key_opens_nothing(void **state)
{
    struct bench *bench = *state;
    char path[96];
    RG_OWNED_KEY *other = NULL;
    struct rg_casebook *book = NULL;
    struct rg_reason why = {0};
    (void)snprintf(path, sizeof(path), "%s/other.key", bench->folder);
    assert_true(rg_is_ok(rg_vault_file_make(path, NULL)));
    assert_int_equal(rg_vault_file_make(path, &why).code, RG_IO); /* never written over */
    assert_true(rg_is_ok(rg_key_read(path, &other, NULL)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rg_casebook_open(bench->spool, other, &book, &why).code, RG_DENIED);
    assert_string_equal(why.id, "vault-wrong");
}

static void test_key_file_is_for_its_owner_only(void **state)
{
    struct bench *bench = *state;
    struct stat seen;
    struct rg_key *key = NULL;
    struct rg_reason why = {0};
    assert_int_equal(stat(bench->key_path, &seen), 0);
    assert_int_equal(seen.st_mode & 0777, 0600);
    assert_int_equal(chmod(bench->key_path, 0644), 0);
    assert_int_equal(rg_key_read(bench->key_path, &key, &why).code, RG_DENIED);
    assert_string_equal(why.id, "key-file-readable");
}

static struct rg_message_row message(struct bench *bench, uint8_t mark, bool ours, int64_t row)
{
    struct rg_message_row message = {.state = ours ? RG_OUT_ACCEPTED : RG_IN_OPENED,
                                     .ours = ours,
                                     .case_row = row,
                                     .sections = 1,
                                     .priority = RG_ROUTINE};
    memset(message.id.b, mark, sizeof(message.id.b));
    assert_true(
        rg_is_ok(rg_spool_message_add(bench->spool, &message, RG_BYTES_LITERAL("sealed"), NULL)));
    assert_true(rg_is_ok(
        rg_casebook_section_put(bench->book, message.seq, 0, RG_BYTES_LITERAL("content"), NULL)));
    return message;
}

static enum rg_code section_code(struct bench *bench, int64_t seq)
{
    RG_OWNED_BUFFER content = {.secret = true};
    bool found = false;
    return rg_casebook_section_get(bench->book, seq, 0, &content, &found, NULL).code;
}

static void test_erase_received_keeps_what_is_ours(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    record_keep(bench, file.row);
    int64_t ours = message(bench, 1, true, file.row).seq;
    int64_t theirs = message(bench, 2, false, file.row).seq;
    assert_true(rg_is_ok(rg_casebook_erase(bench->book, file.row, true, NULL)));
    assert_int_equal(section_code(bench, ours), RG_OK);
    assert_int_equal(section_code(bench, theirs), RG_DENIED);
    assert_true(rg_is_ok(rg_casebook_record_get(bench->book, file.row, &record, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE), name);
}

static void test_erase_all(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    struct rg_case_file got;
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    record_keep(bench, file.row);
    int64_t ours = message(bench, 1, true, file.row).seq;
    assert_true(rg_is_ok(rg_casebook_erase(bench->book, file.row, false, NULL)));
    assert_int_equal(section_code(bench, ours), RG_DENIED);
    assert_true(rg_is_ok(rg_casebook_record_get(bench->book, file.row, &record, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE), "");
    assert_true(rg_is_ok(rg_casebook_get(bench->book, file.row, &got, NULL)));
    assert_true(got.erased && got.name_native[0] == '\0');
    assert_string_equal(got.number, file.number); /* number, states and dates stay */
}

static void test_moved_or_changed_item_does_not_open(void **state)
{
    struct bench *bench = *state;
    struct rg_item item;
    RG_OWNED_BUFFER sealed = {0};
    bool found = false;
    assert_true(
        rg_is_ok(rg_casebook_section_put(bench->book, 1, 0, RG_BYTES_LITERAL("one"), NULL)));
    assert_true(rg_is_ok(
        rg_spool_item_find(bench->spool, RG_ITEM_SECTION, 1, 0, &item, &sealed, &found, NULL)));
    struct rg_item moved = item;
    moved.row = 0;
    moved.owner = 2;
    assert_true(rg_is_ok(rg_spool_item_put(bench->spool, &moved, rg_buffer_peek(&sealed), NULL)));
    assert_int_equal(section_code(bench, 2), RG_DENIED);
    sealed.data[sealed.len - 1] ^= 1;
    assert_true(rg_is_ok(rg_spool_item_put(bench->spool, &item, rg_buffer_peek(&sealed), NULL)));
    assert_int_equal(section_code(bench, 1), RG_DENIED);
}

/* ---- what version 1 wrote ---- */

static void book_key(struct bench *bench, struct rg_vault_key *out)
{
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    bool found = false;
    assert_true(rg_is_ok(rg_spool_value_get(bench->spool, "casebook-key", &sealed, &found, NULL)));
    assert_true(rg_is_ok(rg_vault_open_with(bench->key, rg_buffer_peek(&sealed), &plain, NULL)));
    assert_int_equal(plain.len, sizeof(out->b));
    memcpy(out->b, plain.data, sizeof(out->b));
}

/* number, two ids of 16 bytes, a length: what version 2 put behind; nothing of it is set here */
#define TAIL_BYTES (8 + 2 * 16 + 8)

static void test_a_case_of_version_1_opens(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    struct rg_case_file got;
    RG_OWNED_BUFFER plain = {.secret = true};
    RG_OWNED_BUFFER sealed = {0};
    struct rg_vault_key key;
    struct rg_item item = {.kind = RG_ITEM_CASE};
    assert_true(rg_is_ok(rg_case_file_encode(&file, &plain, NULL)));
    plain.len -= TAIL_BYTES;
    plain.data[0] = 1;
    book_key(bench, &key);
    assert_true(rg_is_ok(rg_vault_item_lock(&key, RG_BYTES_LITERAL("case"), rg_buffer_peek(&plain),
                                            item.wrapped, &sealed, NULL)));
    assert_true(rg_is_ok(rg_spool_item_put(bench->spool, &item, rg_buffer_peek(&sealed), NULL)));
    assert_true(rg_is_ok(rg_casebook_get(bench->book, item.row, &got, NULL)));
    file.row = item.row;
    assert_memory_equal(&got, &file, sizeof(file));
    /* cut anywhere, it is damage */
    for (size_t len = 0; len < plain.len; len++) {
        struct rg_case_file none = {0};
        assert_int_equal(rg_case_file_decode(rg_bytes_of(plain.data, len), &none, NULL).code,
                         RG_BROKEN);
    }
}

static struct rg_process asked_by_both(void)
{
    struct rg_process process = {.state = RG_PROCESS_REFERRED,
                                 .since = {1000},
                                 .requester = RG_PARTY_HOST,
                                 .care = RG_PARTY_HOST,
                                 .identified_by = RG_PARTY_HOST};
    process.asked[RG_ASK_REQUEST][RG_PARTY_HOST] = (struct rg_asked){.open = true, .since = {1000}};
    process.asked[RG_ASK_INFO][RG_PARTY_ORIGIN] = (struct rg_asked){.open = true, .since = {2000}};
    return process;
}

static void test_the_process_is_kept(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    struct rg_case_file got = {0};
    RG_OWNED_BUFFER a = {.secret = true};
    RG_OWNED_BUFFER b = {.secret = true};
    file.now.state = RG_CASE_REFERRED;
    file.has_process = true;
    file.process = asked_by_both();
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_true(rg_is_ok(rg_casebook_get(bench->book, file.row, &got, NULL)));
    assert_true(got.has_process);
    assert_true(rg_is_ok(rg_process_encode(&file.process, &a, NULL)));
    assert_true(rg_is_ok(rg_process_encode(&got.process, &b, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&a), rg_buffer_peek(&b)));
    /* written by another version: forgotten, the case is still whole */
    RG_OWNED_BUFFER plain = {.secret = true};
    assert_true(rg_is_ok(rg_case_file_encode(&file, &plain, NULL)));
    struct rg_case_file bare = file;
    RG_OWNED_BUFFER without = {.secret = true};
    bare.has_process = false;
    assert_true(rg_is_ok(rg_case_file_encode(&bare, &without, NULL)));
    assert_true(plain.len < RG_KIB); /* the noughts of a folded case are not kept */
    for (size_t at = without.len + 8; at < plain.len; at++) { /* whatever stands there */
        struct rg_case_file old = {0};
        plain.data[at] ^= 0xff;
        assert_true(rg_is_ok(rg_case_file_decode(rg_buffer_peek(&plain), &old, NULL)));
        assert_string_equal(old.number, file.number);
        plain.data[at] ^= 0xff;
    }
    plain.data[without.len + 8] ^= 0xff; /* one nought more or less */
    struct rg_case_file old = {0};
    assert_true(rg_is_ok(rg_case_file_decode(rg_buffer_peek(&plain), &old, NULL)));
    assert_false(old.has_process);
}

static void test_both_sides_may_have_to_move(void **state)
{
    struct rg_case_file file = sample();
    struct rg_file_waiting waiting[2];
    struct rg_wall now = {100000};
    (void)state;
    file.now.state = RG_CASE_REFERRED;
    assert_int_equal(rg_case_file_waiting(&file, now, waiting), 1); /* by the house's own table */
    assert_int_equal(waiting[0].mover, RG_MOVER_OTHER_SIDE);
    file.has_process = true;
    file.process = asked_by_both();
    assert_int_equal(rg_case_file_waiting(&file, now, waiting), 2);
    assert_int_not_equal(waiting[0].mover, waiting[1].mover);
    for (size_t i = 0; i < 2; i++) {
        bool ours = waiting[i].mover == RG_MOVER_US;
        assert_int_equal(waiting[i].awaited, ours ? RG_KIND_INFO_REQUEST : RG_KIND_REQUEST);
        assert_int_equal(waiting[i].since.ms, ours ? 2000 : 1000);
    }
    file.now.side = RG_SIDE_ORIGIN; /* the same case, seen from over there */
    assert_int_equal(rg_case_file_waiting(&file, now, waiting), 2);
    for (size_t i = 0; i < 2; i++) {
        bool ours = waiting[i].mover == RG_MOVER_US;
        assert_int_equal(waiting[i].awaited, ours ? RG_KIND_REQUEST : RG_KIND_INFO_REQUEST);
    }
    file.now.side = RG_SIDE_HOST; /* taken back into the house */
    file.now.state = RG_CASE_HELD;
    assert_int_equal(rg_case_file_process(&file), RG_PROCESS_NONE);
    assert_int_equal(rg_case_file_waiting(&file, now, waiting), 1);
    assert_int_equal(waiting[0].mover, RG_MOVER_US);
}

/* ---- exclusions ---- */

static void exclude(struct rg_exclusions *list, const char *who)
{
    struct rg_exclusion entry;
    assert_true(rg_is_ok(rg_exclusion_parse(who, &entry, NULL)));
    assert_true(rg_is_ok(rg_exclusions_add(list, &entry, NULL)));
}

static void keep_list(struct bench *bench, int64_t row, const struct rg_exclusions *list,
                      int64_t at)
{
    assert_true(rg_is_ok(rg_casebook_exclusions_put(
        bench->book, row, list, at == 5 ? "referral://th/focal/officer-1" : "another",
        (struct rg_wall){at}, NULL)));
}

static void test_exclusions_of_each_case(void **state)
{
    struct bench *bench = *state;
    struct rg_exclusions one = {0};
    struct rg_exclusions two = {0};
    struct rg_exclusions got = {0};
    struct rg_exclusion_note note[RG_EXCLUSIONS_MAX];
    exclude(&one, "referral://mm/focal/officer-2");
    exclude(&two, "mm/health");
    assert_true(rg_is_ok(rg_casebook_exclusions_get(bench->book, 7, &got, NULL, NULL)));
    assert_int_equal(got.count, 0);
    keep_list(bench, 7, &one, 5);
    keep_list(bench, 8, &two, 5);
    exclude(&one, "point TH-MM-3");
    keep_list(bench, 7, &one, 6);
    close_book(bench);
    open_book(bench);
    assert_true(rg_is_ok(rg_casebook_exclusions_get(bench->book, 7, &got, note, NULL)));
    assert_int_equal(got.count, 2);
    assert_true(rg_exclusions_point(&got, "TH-MM-3"));
    assert_string_equal(note[0].by, "referral://th/focal/officer-1");
    assert_int_equal(note[0].at_ms, 5);
    assert_string_equal(note[1].by, "another");
    one.count = 0;
    keep_list(bench, 7, &one, 7);
    assert_true(rg_is_ok(rg_casebook_exclusions_get(bench->book, 7, &got, NULL, NULL)));
    assert_int_equal(got.count, 0);
    assert_true(rg_is_ok(rg_casebook_exclusions_get(bench->book, 8, &got, NULL, NULL)));
    assert_int_equal(got.count, 1);
    assert_false(stands_in_file(bench, "TH-MM-3"));
    assert_false(stands_in_file(bench, "mm/health"));
}

static void test_sealing_to_the_key_file(void **state)
{
    struct bench *bench = *state;
    RG_OWNED_BUFFER sealed = {0};
    RG_OWNED_BUFFER plain = {.secret = true};
    assert_true(rg_is_ok(rg_vault_seal_to(bench->key, RG_BYTES_LITERAL("book"), &sealed, NULL)));
    assert_true(rg_is_ok(rg_vault_open_with(bench->key, rg_buffer_peek(&sealed), &plain, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&plain), RG_BYTES_LITERAL("book")));
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 0x40;
        RG_OWNED_BUFFER none = {.secret = true};
        assert_false(
            rg_is_ok(rg_vault_open_with(bench->key, rg_buffer_peek(&sealed), &none, NULL)));
        sealed.data[i] ^= 0x40;
    }
    for (size_t len = 0; len < sealed.len; len++) {
        RG_OWNED_BUFFER none = {.secret = true};
        assert_false(
            rg_is_ok(rg_vault_open_with(bench->key, rg_bytes_of(sealed.data, len), &none, NULL)));
    }
}

/* An old copy of the file with the old key opens; with today's key it opens nothing. */
static void test_rekey_leaves_old_copies_closed(void **state)
{
    struct bench *bench = *state;
    struct rg_case_file file = sample();
    struct rg_reason why = {0};
    struct rg_casebook *old_book = NULL;
    struct rg_spool *old = NULL;
    struct rg_key *fresh = NULL;
    char old_path[128];
    char fresh_path[128];
    char command[300];
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_true(rg_is_ok(rg_casebook_section_put(bench->book, 7, 0, rg_bytes_of_text("x"), NULL)));
    assert_true(rg_is_ok(rg_spool_tidy(bench->spool, NULL)));
    (void)snprintf(old_path, sizeof(old_path), "%s/old.db", bench->folder);
    (void)snprintf(fresh_path, sizeof(fresh_path), "%s/fresh.key", bench->folder);
    (void)snprintf(command, sizeof(command), "cp %s %s", bench->path, old_path);
    assert_int_equal(system(command), 0);
    assert_true(rg_is_ok(rg_vault_file_make(fresh_path, NULL)));
    assert_true(rg_is_ok(rg_key_read(fresh_path, &fresh, NULL)));
    assert_true(rg_is_ok(rg_casebook_rekey(bench->book, fresh, &why)));

    struct rg_case_file back = {0};
    assert_true(rg_is_ok(rg_casebook_get(bench->book, file.row, &back, &why)));
    assert_string_equal(back.name_native, file.name_native);
    close_book(bench);
    assert_true(rg_is_ok(rg_spool_open(bench->path, &bench->spool, NULL)));
    assert_int_equal(rg_casebook_open(bench->spool, bench->key, &bench->book, &why).code,
                     RG_DENIED);
    rg_key_free(bench->key);
    bench->key = fresh;
    assert_true(rg_is_ok(rg_casebook_open(bench->spool, bench->key, &bench->book, NULL)));
    int64_t row = 0;
    bool found = false;
    assert_true(rg_is_ok(rg_casebook_find(bench->book, RG_CASE_BY_NUMBER,
                                          rg_bytes_of_text(file.number), &row, &found, NULL)));
    assert_true(found);
    RG_OWNED_BUFFER section = {.secret = true};
    assert_true(rg_is_ok(rg_casebook_section_get(bench->book, 7, 0, &section, &found, NULL)) &&
                found);

    assert_true(rg_is_ok(rg_spool_open(old_path, &old, NULL)));
    assert_int_equal(rg_casebook_open(old, fresh, &old_book, &why).code, RG_DENIED);
    rg_spool_close(old);
    static const char *const suffix[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char more[140];
        (void)snprintf(more, sizeof(more), "%s%s", old_path, suffix[i]);
        (void)unlink(more);
    }
    (void)unlink(fresh_path);
}

/* Another program has the casebook open while its key is replaced. */
static rg_outcome ask_open(void *context, struct rg_bytes sealed, struct rg_buffer *plain_out,
                           struct rg_reason *why)
{
    return rg_vault_open_with(*(struct rg_key **)context, sealed, plain_out, why);
}

static rg_outcome ask_seal(void *context, struct rg_bytes plain, struct rg_buffer *sealed_out,
                           struct rg_reason *why)
{
    return rg_vault_seal_to(*(struct rg_key **)context, plain, sealed_out, why);
}

static void test_rekey_is_seen_by_others(void **state)
{
    struct bench *bench = *state;
    struct rg_key *now = bench->key;
    struct rg_storage storage = {.context = &now, .open = ask_open, .seal = ask_seal};
    struct rg_spool *spool = NULL;
    struct rg_casebook *other = NULL;
    struct rg_key *fresh = NULL;
    struct rg_case_file file = sample();
    struct rg_case_file second = sample();
    struct rg_case_file back = {0};
    char fresh_path[128];
    assert_true(rg_is_ok(rg_casebook_put(bench->book, &file, NULL)));
    assert_true(rg_is_ok(rg_spool_open(bench->path, &spool, NULL)));
    assert_true(rg_is_ok(rg_casebook_open_with(spool, &storage, &other, NULL)));
    (void)snprintf(fresh_path, sizeof(fresh_path), "%s/fresh.key", bench->folder);
    assert_true(rg_is_ok(rg_vault_file_make(fresh_path, NULL)));
    assert_true(rg_is_ok(rg_key_read(fresh_path, &fresh, NULL)));
    assert_true(rg_is_ok(rg_casebook_rekey(bench->book, fresh, NULL)));
    now = fresh;
    assert_true(rg_is_ok(rg_casebook_get(other, file.row, &back, NULL))); /* read first */
    assert_true(rg_is_ok(rg_casebook_rekey(bench->book, fresh, NULL)));
    second.number[0] = '\0';
    assert_true(rg_is_ok(rg_casebook_put(other, &second, NULL))); /* write first */
    assert_true(rg_is_ok(rg_casebook_get(bench->book, second.row, &back, NULL)));
    rg_casebook_close(other);
    rg_spool_close(spool);
    (void)unlink(fresh_path);
    rg_key_free(bench->key);
    bench->key = fresh;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rekey_leaves_old_copies_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rekey_is_seen_by_others, set_up, tear_down),
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_case_comes_back_whole),
        TEST(test_an_ngos_number_is_its_own),
        TEST(test_nothing_is_readable_at_rest),
        TEST(test_record_and_section_come_back),
        TEST(test_another_storage_key_opens_nothing),
        TEST(test_key_file_is_for_its_owner_only),
        TEST(test_erase_received_keeps_what_is_ours),
        TEST(test_erase_all),
        TEST(test_moved_or_changed_item_does_not_open),
        TEST(test_a_case_of_version_1_opens),
        TEST(test_the_process_is_kept),
        TEST(test_both_sides_may_have_to_move),
        TEST(test_exclusions_of_each_case),
        TEST(test_sealing_to_the_key_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
