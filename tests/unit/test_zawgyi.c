/* zawgyi: flags what was typed in the old encoding; leaves Burmese, Shan, Mon and Karen alone. */
#include "client/zawgyi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_unicode_of_the_script_is_not_flagged(void **state)
{
    (void)state;
    static const char *const good[] = {
        "",
        "Aung",
        "နန်းခမ်း",
        "ဦးအောင်",
        "ဒေါ်ခင်မြ",
        "မောင်ထွန်း",
        "စောထူး",
        "ကိုဇော်လင်း",
        "မြန်မာ",
        "သင်္ဘော",   /* a stacked NGA, then the vowel E */
        "ကျွန်ုပ်",    /* asat, then the vowel U */
        "ယောက်ျား", /* asat, then the medial YA */
        "ဗုဒ္ဓ",
        "ဣန္ဒြေ",
        "ဉာဏ်",
        "၂၀၂၆ ခုနှစ်",
        "ၵႃႈတူၼ်ႈ",     /* Shan */
        "ၸၢႆးသႅင်",      /* Shan */
        "လိၵ်ႈတႆး",      /* Shan */
        "ဘာသာမန်",     /* Mon */
        "ကွးမွးညးမာံပ္ဍဲ", /* Mon */
        "ၚုဟ်မွဲ",        /* Mon */
        "ကညီကျိာ်",      /* Sgaw Karen */
        "နန်း\xE2\x80\x8Bခမ်း",
        "欧阳娜",
        "สมหญิง ใจดี",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (rg_zawgyi_score(rg_bytes_of_text(good[i])) >= RG_ZAWGYI_SUSPECTED) {
            fail_msg("row %zu: %s", i, good[i]);
        }
    }
}

static void test_zawgyi_is_flagged(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "မ္း",    /* the example of the field */
        "ျမန္မာ", /* medial RA first */
        "ေအာင္",  /* vowel E first */
        "ဦးေအာင္",  "နန္းခမ္း", "ေဒၚခင္ျမ",         "ေမာင္ထြန္း",
        "ကိုေဇာ္လင္း", "Mr ေက်ာ္", "ေ\xE2\x80\x8Bက်ာ္", /* a blank of no width hides nothing */
        "က်ား",                                  /* medial YA with a long vowel */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (rg_zawgyi_score(rg_bytes_of_text(bad[i])) < RG_ZAWGYI_SUSPECTED) {
            fail_msg("row %zu: %s", i, bad[i]);
        }
    }
}

/* Whatever the bytes are, it ends and stays within its scale. */
static void test_any_bytes_end(void **state)
{
    (void)state;
    uint8_t bytes[4];
    for (unsigned i = 0; i < 65536; i++) {
        bytes[0] = 0xE1;
        bytes[1] = (uint8_t)(i >> 8);
        bytes[2] = (uint8_t)i;
        bytes[3] = 0xE1;
        assert_true(rg_zawgyi_score(rg_bytes_of(bytes, 1 + i % 4)) <= 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unicode_of_the_script_is_not_flagged),
        cmocka_unit_test(test_zawgyi_is_flagged),
        cmocka_unit_test(test_any_bytes_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
