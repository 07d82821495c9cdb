/*
 * How it works: a walk over the code points with the one before and the one after in view; each
 * row of `signs` is an order of two that Unicode's Burmese never has and Zawgyi's has all the time,
 * with what it is worth. Zero-width characters are passed over. Letters of Shan, Mon and Karen
 * count as letters like others, so their words raise nothing.
 */
#include "client/zawgyi.h"

#include <string.h>

enum kind {
    OTHER,  /* not Burmese script, or the beginning or end */
    LETTER, /* may carry a vowel */
    MEDIAL,
    VOWEL_E,
    VOWEL, /* any other vowel sign or tone */
    VISARGA,
    ASAT,
    VIRAMA,
    KINDS
};

static enum kind kind_of(uint32_t c)
{
    static const struct {
        uint32_t from, to;
        enum kind kind;
    } range[] = {
        {0x1000, 0x102A, LETTER}, {0x102B, 0x1030, VOWEL},   {0x1031, 0x1031, VOWEL_E},
        {0x1032, 0x1037, VOWEL},  {0x1038, 0x1038, VISARGA}, {0x1039, 0x1039, VIRAMA},
        {0x103A, 0x103A, ASAT},   {0x103B, 0x103E, MEDIAL},  {0x103F, 0x103F, LETTER},
        {0x104E, 0x104E, LETTER}, {0x1050, 0x1055, LETTER},  {0x1056, 0x1059, VOWEL},
        {0x105A, 0x105D, LETTER}, {0x105E, 0x1060, MEDIAL},  {0x1061, 0x1061, LETTER},
        {0x1062, 0x1064, VOWEL},  {0x1065, 0x1066, LETTER},  {0x1067, 0x106D, VOWEL},
        {0x106E, 0x1070, LETTER}, {0x1071, 0x1074, VOWEL},   {0x1075, 0x1081, LETTER},
        {0x1082, 0x1082, MEDIAL}, {0x1083, 0x108D, VOWEL},   {0x108E, 0x108E, LETTER},
        {0x108F, 0x108F, VOWEL},  {0x109A, 0x109D, VOWEL},   {0xA9E0, 0xA9FE, LETTER},
        {0xAA60, 0xAA7A, LETTER}, {0xAA7B, 0xAA7D, VOWEL},   {0x25CC, 0x25CC, LETTER},
    };
    for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
        if (c >= range[i].from && c <= range[i].to) {
            return range[i].kind;
        }
    }
    return OTHER;
}

#define BIT(kind) (1u << (unsigned)(kind))

/* `first` directly followed by one of `then`. */
static const struct {
    enum kind first;
    unsigned then;
    unsigned worth;
} signs[] = {
    /* Nothing that could carry it stands before the vowel or medial: it is drawn first, so Zawgyi
     * types it first. */
    {OTHER, BIT(VOWEL_E) | BIT(MEDIAL), 100},
    {VOWEL, BIT(VOWEL_E) | BIT(MEDIAL), 100},
    {VISARGA, BIT(VOWEL_E) | BIT(MEDIAL), 100},
    {VOWEL_E, BIT(VOWEL_E) | BIT(MEDIAL), 100},
    {ASAT, BIT(VOWEL_E), 100},
    {VIRAMA, BIT(VOWEL_E) | BIT(MEDIAL), 100},
    /* A virama stacks a letter; Zawgyi's asat has its code point. */
    {VIRAMA, BIT(OTHER) | BIT(VOWEL) | BIT(VISARGA) | BIT(ASAT) | BIT(VIRAMA), 100},
};

/* Zawgyi's medial YA has the code point of the asat, which carries no long vowel. */
static bool is_ya_with_vowel(uint32_t first, uint32_t then)
{
    return first == 0x103A &&
           (then == 0x102B || then == 0x102C || then == 0x102D || then == 0x102E);
}

/* The next code point that has a width; 0 at the end. Text is lawful UTF-8. */
static uint32_t point_next(struct rg_bytes text, size_t *at)
{
    while (*at < text.len) {
        uint8_t lead = text.data[*at];
        size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        size_t from = *at;
        *at += bytes;
        if (bytes != 3 || from + 3 > text.len) {
            return lead < 0x80 ? lead : 0xFFFD;
        }
        uint32_t c = (uint32_t)(lead & 0x0F) << 12 | (uint32_t)(text.data[from + 1] & 0x3F) << 6 |
                     (uint32_t)(text.data[from + 2] & 0x3F);
        if ((c < 0x200B || c > 0x200D) && c != 0x2060 && c != 0xFEFF) {
            return c;
        }
    }
    return 0;
}

static unsigned worth_of(uint32_t first, uint32_t then)
{
    enum kind a = kind_of(first);
    enum kind b = kind_of(then);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (signs[i].first == a && (signs[i].then & BIT(b)) != 0) {
            return signs[i].worth;
        }
    }
    return is_ya_with_vowel(first, then) ? 60 : 0;
}

/* U+1000 to U+109F: E1, then 80, 81 or 82. Most text has none, and is not looked at further. */
static bool has_burmese(struct rg_bytes text)
{
    while (text.len > 1) {
        const uint8_t *lead = memchr(text.data, 0xE1, text.len - 1);
        if (lead == NULL) {
            return false;
        }
        if (lead[1] >= 0x80 && lead[1] <= 0x82) {
            return true;
        }
        size_t used = (size_t)(lead - text.data) + 1;
        text = rg_bytes_of(text.data + used, text.len - used);
    }
    return false;
}

unsigned rg_zawgyi_score(struct rg_bytes text)
{
    unsigned score = 0;
    uint32_t before = 0;
    size_t at = 0;
    if (!has_burmese(text)) {
        return 0;
    }
    for (;;) {
        uint32_t c = point_next(text, &at);
        unsigned worth = worth_of(before, c);
        score = score + worth > 100 ? 100 : score + worth;
        if (c == 0) {
            return score;
        }
        before = c;
    }
}
