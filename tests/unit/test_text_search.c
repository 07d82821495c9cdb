/* text_search: a name is found by what people type, in six scripts; the index never finds less. */
#include "client/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Invented people. */
static const struct {
    const char *name;
    const char *query;
    bool found;
} rows[] = {
    /* Vietnamese, whole, without marks, decomposed, in any order, by any word */
    {"Nguyễn Thị Hồng", "Nguyen Thi Hong", true},
    {"Nguyễn Thị Hồng", "nguyễn thị hồng", true},
    {"Nguyễn Thị Hồng", "Nguye\xCC\x82\xCC\x83n", true},
    {"Nguyễn Thị Hồng", "hong nguyen", true},
    {"Nguyễn Thị Hồng", "Hồng", true},
    {"Nguyễn Thị Hồng", "ngu", true},
    {"Nguyễn Thị Hồng", "thihong", true},
    {"Nguyễn Thị Hồng", "Hoang", false},
    {"Nguyễn Thị Hồng", "guyen", false},
    {"Nguyen Thi Hong", "Nguyễn Thị Hồng", true},
    {"Đặng Thị Đào", "dang dao", true},
    {"Đặng Thị Đào", "ĐẶNG", true},
    {"Sùng A Páo", "a pao", true},
    {"Sùng A Páo", "A", true},
    {"Sùng A Páo", "p", false}, /* one letter is a whole word */
    {"Lường Thị Ước", "luong uoc", true},
    /* Burmese and Shan: single names, any part, titles or none */
    {"ဒေါ်ခင်မြ", "ခင်မြ", true},
    {"ဒေါ်ခင်မြ", "ဒေါ်ခင်မြ", true},
    {"ဦးအောင်", "အောင်", true},
    {"ဦးအောင်", "ဦး", true},
    {"ဦးအောင်", "အောင်ဦး", false},
    {"နန်းခမ်း", "နန်း\xE2\x80\x8Bခမ်း", true},
    {"နန်းခမ်း", "နန်း ခမ်း", true},
    {"နန်းခမ်း", "ခမ်း", true},
    {"U Aung", "aung", true},
    {"U Aung", "u", true},
    {"Daw Khin Mya", "KHINMYA", true},
    {"ဉာဏ်", "ဉာဏ်", true},
    {"ဥ်", "ဉ်", true},
    /* Khmer, with and without a blank */
    {"សុខ ចាន់ធូ", "សុខចាន់ធូ", true},
    {"សុខចាន់ធូ", "ចាន់ធូ សុខ", true},
    {"សុខ\xE2\x80\x8Bចាន់ធូ", "ចាន់", true},
    {"សុខ ចាន់ធូ", "ធូ", true},
    {"សុខ ចាន់ធូ", "រស់", false},
    {"Sok Chan Thou", "chanthou", true},
    /* Lao: AM in two spellings, HO NO in two */
    {"ບຸນມີ ແກ້ວ", "ແກ້ວ", true},
    {"ບຸນມີ ແກ້ວ", "ແກ້ວບຸນມີ", false}, /* the other way round only with a blank */
    {"ບຸນມີ ແກ້ວ", "ແກ້ວ ບຸນມີ", true},
    {"ຄຳຫຼ້າ", "ຄ\xE0\xBB\x8D\xE0\xBA\xB2ຫຼ້າ", true},
    {"ໜູນ້ອຍ", "ຫນູນ້ອຍ", true},
    /* Thai */
    {"สมหญิง ใจดี", "ใจดี", true},
    {"สมหญิง ใจดี", "สมหญิงใจดี", true},
    {"สมหญิง ใจดี", "ใจดี สมหญิง", true},
    {"สมหญิง ใจดี", "สมหญ", true},
    {"น้ำฝน", "น\xE0\xB8\x8D\xE0\xB9\x89\xE0\xB8\xB2ฝน", false}, /* YO YING is no NIKHAHIT */
    {"น้ำฝน", "น\xE0\xB9\x8D\xE0\xB9\x89\xE0\xB8\xB2ฝน", true},
    {"น้ำฝน", "น\xE0\xB9\x89\xE0\xB9\x8D\xE0\xB8\xB2ฝน", true},
    {"แสงทอง", "เเสงทอง", true},
    {"น้ำฝน", "นำฝน", false}, /* a tone mark is part of the name */
    /* Chinese, minorities' long names with a dot */
    {"欧阳娜", "欧阳", true},
    {"欧阳娜", "阳娜", true},
    {"欧阳娜", "娜", false}, /* one sign is the beginning of a word */
    {"欧阳娜", "欧", true},
    {"阿依·古丽", "阿依古丽", true},
    {"阿依·古丽", "古丽", true},
    {"阿依·古丽", "古", true},
    {"Ouyang Na", "ouyangna", true},
    {"Xi'an", "Xian", true},
    /* mixed, punctuation, several names */
    {"Aung (ဦးအောင်)", "ဦးအောင် aung", true},
    {"Noi;Lek", "lek", true},
    {"Anne-Marie", "marie", true},
    {"Anne-Marie", "anne marie", true},
    {"Sok", "", false},
    {"Sok", "  ·  ", false},
    {"", "Sok", false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct keys {
    struct rg_buffer all; /* each ended by NUL */
    size_t count;
};

static rg_outcome keep(void *context, struct rg_bytes key, struct rg_reason *why)
{
    struct keys *keys = context;
    assert_true(key.len > 0);
    keys->count++;
    RG_TRY(rg_buffer_append(&keys->all, key, why));
    return rg_buffer_append(&keys->all, rg_bytes_of("", 1), why);
}

static bool has(const struct keys *keys, const char *key)
{
    for (size_t at = 0; at < keys->all.len; at += strlen((const char *)keys->all.data + at) + 1) {
        if (strcmp((const char *)keys->all.data + at, key) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_all(const struct keys *index, const struct keys *query)
{
    for (size_t at = 0; at < query->all.len; at += strlen((const char *)query->all.data + at) + 1) {
        if (!has(index, (const char *)query->all.data + at)) {
            return false;
        }
    }
    return query->count > 0;
}

static bool found(const char *name, const char *query)
{
    RG_OWNED_BUFFER x = {0};
    RG_OWNED_BUFFER y = {0};
    assert_true(rg_is_ok(rg_text_search_key(rg_bytes_of_text(name), &x, NULL)));
    assert_true(rg_is_ok(rg_text_search_key(rg_bytes_of_text(query), &y, NULL)));
    return rg_text_found(rg_buffer_peek(&x), rg_buffer_peek(&y));
}

static bool in_index(const char *name, const char *query)
{
    struct keys index = {0};
    struct keys asked = {0};
    assert_true(rg_is_ok(rg_text_name_keys(rg_bytes_of_text(name), keep, &index, NULL)));
    assert_true(rg_is_ok(rg_text_query_keys(rg_bytes_of_text(query), keep, &asked, NULL)));
    bool all = has_all(&index, &asked);
    rg_buffer_drop(&index.all);
    rg_buffer_drop(&asked.all);
    return all;
}

static void test_names_are_found_as_people_type_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        if (found(rows[i].name, rows[i].query) != rows[i].found) {
            fail_msg("row %zu: %s, asked %s", i, rows[i].name, rows[i].query);
        }
    }
}

/* Every name against every query: what is there, the index has. */
static void test_the_index_never_finds_less(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t k = 0; k < ROWS; k++) {
            if (found(rows[i].name, rows[k].query) && !in_index(rows[i].name, rows[k].query)) {
                fail_msg("rows %zu and %zu: %s, asked %s", i, k, rows[i].name, rows[k].query);
            }
        }
    }
}

static void test_a_key_is_told_once_and_their_number_is_small(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        struct keys keys = {0};
        assert_true(rg_is_ok(rg_text_name_keys(rg_bytes_of_text(rows[i].name), keep, &keys, NULL)));
        assert_true(keys.count <= 24);
        for (size_t at = 0; at < keys.all.len; at += strlen((const char *)keys.all.data + at) + 1) {
            const char *key = (const char *)keys.all.data + at;
            struct keys behind = {
                .all.data = keys.all.data + at + strlen(key) + 1,
                .all.len = keys.all.len - at - strlen(key) - 1,
            };
            assert_false(has(&behind, key));
        }
        rg_buffer_drop(&keys.all);
    }
}

static rg_outcome refuse(void *context, struct rg_bytes key, struct rg_reason *why)
{
    (void)context;
    (void)key;
    return rg_fail(why, RG_IO, "full", "no room");
}

static void test_what_the_sink_says_is_passed_on(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    assert_int_equal(rg_text_name_keys(RG_BYTES_LITERAL("Sok"), refuse, NULL, &why).code, RG_IO);
    assert_string_equal(why.id, "full");
}

static void test_unlawful_or_endless_text_is_refused(void **state)
{
    (void)state;
    char many[8193];
    RG_OWNED_BUFFER out = {0};
    memset(many, 'a', sizeof(many));
    assert_int_equal(rg_text_search_key(rg_bytes_of(many, sizeof(many)), &out, NULL).code,
                     RG_LIMIT);
    assert_int_equal(rg_text_search_key(RG_BYTES_LITERAL("\xC0\xAF"), &out, NULL).code,
                     RG_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_as_people_type_them),
        cmocka_unit_test(test_the_index_never_finds_less),
        cmocka_unit_test(test_a_key_is_told_once_and_their_number_is_small),
        cmocka_unit_test(test_what_the_sink_says_is_passed_on),
        cmocka_unit_test(test_unlawful_or_endless_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
