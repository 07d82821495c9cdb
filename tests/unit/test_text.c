/* text: six scripts kept as written, everything unlawful refused, keys that match what people mean.
 */
#include "client/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {
    "နန်းခမ်း",    "ဦးအောင်",          "សុខ ចាន់ធូ", "ບຸນມີ ແກ້ວ",
    "สมหญิง ใจดี", "Nguyễn Thị Hồng", "欧阳娜",  "Sùng A Páo",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static void assert_normal(const char *from, const char *to)
{
    RG_OWNED_BUFFER out = {0};
    assert_true(rg_is_ok(rg_text_normal(rg_bytes_of_text(from), 1024, RG_TEXT_LINE, &out, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&out), rg_bytes_of_text(to)));
}

static void test_names_of_six_scripts_stay_as_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        assert_normal(names[i], names[i]);
    }
}

static void test_vietnamese_arrives_decomposed_and_is_composed(void **state)
{
    (void)state;
    assert_normal("Nguye\xCC\x82\xCC\x83n Thi\xCC\xA3 Ho\xCC\x82\xCC\x80ng", "Nguyễn Thị Hồng");
    assert_normal("  Nguyễn ", "Nguyễn");
}

/* NFKC would split these two and change names. */
static void test_sara_am_is_not_split(void **state)
{
    (void)state;
    assert_normal("\xE0\xB8\x84\xE0\xB8\xB3", "\xE0\xB8\x84\xE0\xB8\xB3");
    assert_normal("\xE0\xBA\x84\xE0\xBA\xB3", "\xE0\xBA\x84\xE0\xBA\xB3");
}

static void test_unlawful_text_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *id;
    } row[] = {
        {"\xC0\xAF", 2, "text-encoding"},         /* overlong */
        {"\xE0\x80\xAF", 3, "text-encoding"},     /* overlong */
        {"\xED\xA0\x80", 3, "text-encoding"},     /* surrogate */
        {"\xF4\x90\x80\x80", 4, "text-encoding"}, /* above Unicode */
        {"a\xE0\xB8", 3, "text-encoding"},        /* cut */
        {"\xEF\xBF\xBE", 3, "text-encoding"},     /* not a character */
        {"a\0b", 3, "text-control"},
        {"a\x07", 2, "text-control"},
        {"a\nb", 3, "text-control"},
        {"a\xC2\x85", 3, "text-control"},
        {"\xE2\x80\xAE", 3, "text-control"}, /* right to left override */
        {"\xE2\x81\xA6", 3, "text-control"}, /* isolate */
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rg_reason why = {0};
        RG_OWNED_BUFFER out = {0};
        rg_outcome outcome =
            rg_text_normal(rg_bytes_of(row[i].bytes, row[i].len), 1024, RG_TEXT_LINE, &out, &why);
        assert_int_equal(outcome.code, RG_MALFORMED);
        assert_string_equal(why.id, row[i].id);
    }
}

static void test_lines_only_where_lines_may_be(void **state)
{
    (void)state;
    RG_OWNED_BUFFER out = {0};
    struct rg_bytes text = RG_BYTES_LITERAL("one\r\ntwo\r\n");
    assert_true(rg_is_ok(rg_text_normal(text, 100, RG_TEXT_LINES, &out, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&out), RG_BYTES_LITERAL("one\ntwo")));
    text = RG_BYTES_LITERAL("one\rtwo");
    assert_int_equal(rg_text_normal(text, 100, RG_TEXT_LINES, &out, NULL).code, RG_MALFORMED);
}

static void test_length_is_in_bytes(void **state)
{
    (void)state;
    RG_OWNED_BUFFER out = {0};
    struct rg_reason why = {0};
    struct rg_bytes name = rg_bytes_of_text("欧阳娜"); /* 9 bytes */
    assert_true(rg_is_ok(rg_text_normal(name, 9, RG_TEXT_LINE, &out, &why)));
    assert_int_equal(rg_text_normal(name, 8, RG_TEXT_LINE, &out, &why).code, RG_LIMIT);
    assert_string_equal(why.id, "text-too-long");
}

static void test_native_digits_become_ascii(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        {"๑๕/๐๓/๒๕๔๘", "15/03/2548"},           {"໑໙໙໔", "1994"},     {"១៩៨៣", "1983"},
        {"၁၂/ABC(N)၁၂၃၄၅၆", "12/ABC(N)123456"}, {"１９９４", "1994"}, {"႑႒", "12"},
        {"\xE1\x80\x9D", "\xE1\x80\x9D"}, /* the letter wa looks like a zero and is none */
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        RG_OWNED_BUFFER text = {0};
        assert_true(rg_is_ok(rg_buffer_append_text(&text, row[i][0], NULL)));
        rg_text_digits(&text);
        assert_true(rg_bytes_equal(rg_buffer_peek(&text), rg_bytes_of_text(row[i][1])));
    }
}

static bool keys_match(const char *a, const char *b)
{
    RG_OWNED_BUFFER x = {0};
    RG_OWNED_BUFFER y = {0};
    assert_true(rg_is_ok(rg_text_match_key(rg_bytes_of_text(a), &x, NULL)));
    assert_true(rg_is_ok(rg_text_match_key(rg_bytes_of_text(b), &y, NULL)));
    return rg_bytes_equal(rg_buffer_peek(&x), rg_buffer_peek(&y));
}

static void test_match_key(void **state)
{
    (void)state;
    assert_true(keys_match("សុខ\xE2\x80\x8B ចាន់ធូ", "សុខ  ចាន់ធូ"));
    assert_true(keys_match("\xEF\xBB\xBFSok", "SOK"));
    assert_true(keys_match("Nguye\xCC\x82\xCC\x83n", "NGUYỄN"));
    assert_true(keys_match("e\xE2\x80\x8D\xCC\x81", "é")); /* a joiner kept them apart */
    assert_true(keys_match("๑๒", "12"));
    assert_false(keys_match("Nguyễn", "Nguyen")); /* transliteration is not identity */
    assert_false(keys_match("ဝ", "၀"));
}

static void test_a_cut_falls_between_letters(void **state)
{
    (void)state;
    struct rg_bytes name = rg_bytes_of_text("ខ្មែរ");
    for (size_t max = 0; max <= name.len; max++) {
        size_t cut = rg_text_cut(name, max);
        assert_true(cut <= max);
        assert_true(cut == 0 || cut % 3 == 0);
    }
    assert_int_equal(rg_text_cut(rg_bytes_of_text("e\xCC\x81x"), 2), 0);
    assert_int_equal(rg_text_cut(rg_bytes_of_text("e\xCC\x81x"), 3), 3);
    assert_int_equal(rg_text_cut(rg_bytes_of_text("abc"), 9), 3);
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(rg_text_columns(rg_bytes_of_text("Hồng")), 4);
    assert_int_equal(rg_text_columns(rg_bytes_of_text("欧阳娜")), 6);
    assert_int_equal(rg_text_columns(rg_bytes_of_text("น้ำ")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_six_scripts_stay_as_they_are),
        cmocka_unit_test(test_vietnamese_arrives_decomposed_and_is_composed),
        cmocka_unit_test(test_sara_am_is_not_split),
        cmocka_unit_test(test_unlawful_text_is_refused),
        cmocka_unit_test(test_lines_only_where_lines_may_be),
        cmocka_unit_test(test_length_is_in_bytes),
        cmocka_unit_test(test_native_digits_become_ascii),
        cmocka_unit_test(test_match_key),
        cmocka_unit_test(test_a_cut_falls_between_letters),
        cmocka_unit_test(test_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
