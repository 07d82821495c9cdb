/*
 * How it works: the search key is made code point by code point from the canonical decomposition,
 * so that marks can be told from letters, and composed again. For keys and for finding, the key is
 * split into pieces: a piece is a word, or the part of a word in one kind of script (with blanks
 * between words, or without). The pieces' text is joined without blanks; pieces of one kind that
 * follow each other are a run, so that "Chan Thou" is also found as "chanthou", and a Thai name
 * whether or not a blank was typed. Invariant: whatever rg_text_found finds has all keys of the
 * query; the index may only find too much.
 */
#include "client/text.h"

#include "core/limits.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define DECOMPOSED_MAX 4    /* code points one code point can become canonically */
#define NAME_BYTES_MAX 8192 /* several names; longer text is no name */
#define PREFIX_LETTERS_MAX 6

/* ---- the search key ---- */

/* Letters that are a Latin letter with a stroke, and have no decomposition. */
static const struct {
    utf8proc_int32_t from, to;
} plain_letter[] = {
    {0x0111, 'd'}, /* d with stroke, Vietnamese */
    {0x00F0, 'd'}, {0x0127, 'h'}, {0x0131, 'i'}, {0x0142, 'l'}, {0x00F8, 'o'},
};

/* Spellings that look the same on paper; 0 ends. */
static const struct {
    utf8proc_int32_t from[2], to[2];
} same_looks[] = {
    {{0x0E4D, 0x0E32}, {0x0E33}}, /* Thai SARA AM typed in two pieces */
    {{0x0ECD, 0x0EB2}, {0x0EB3}}, /* Lao AM */
    {{0x0E40, 0x0E40}, {0x0E41}}, /* Thai SARA E twice for SARA AE */
    {{0x0EC0, 0x0EC0}, {0x0EC1}}, /* the same in Lao */
    {{0x0EDC}, {0x0EAB, 0x0E99}}, /* Lao HO NO, HO MO: one letter or two */
    {{0x0EDD}, {0x0EAB, 0x0EA1}},
    {{0x1025, 0x103A}, {0x1009, 0x103A}}, /* Burmese: vowel U typed for the letter NYA */
};

static bool is_latin(utf8proc_int32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 0xC0 && c <= 0x2AF) || (c >= 0x1E00 && c <= 0x1EFF);
}

static bool is_mark(utf8proc_int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME;
}

static bool is_apostrophe(utf8proc_int32_t c)
{
    return c == '\'' || c == 0x2018 || c == 0x2019 || c == 0x02BC || c == '`';
}

static bool parts_words(utf8proc_int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_ZP;
}

static utf8proc_int32_t plain_of(utf8proc_int32_t c)
{
    for (size_t i = 0; i < sizeof(plain_letter) / sizeof(plain_letter[0]); i++) {
        if (plain_letter[i].from == c) {
            return plain_letter[i].to;
        }
    }
    return parts_words(c) ? ' ' : c;
}

static bool is_tone(utf8proc_int32_t c)
{
    return (c >= 0x0E48 && c <= 0x0E4B) || (c >= 0x0EC8 && c <= 0x0ECB);
}

/* NIKHAHIT is typed before or after the tone mark; here it stands after it. */
static void tones_first(utf8proc_int32_t *point, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        bool circle = point[i - 1] == 0x0E4D || point[i - 1] == 0x0ECD;
        if (circle && is_tone(point[i])) {
            utf8proc_int32_t tone = point[i];
            point[i] = point[i - 1];
            point[i - 1] = tone;
        }
    }
}

/* Code points used of `from`, and what stands for them in `to`. */
static size_t look(const utf8proc_int32_t *from, size_t left, utf8proc_int32_t to[2])
{
    for (size_t i = 0; i < sizeof(same_looks) / sizeof(same_looks[0]); i++) {
        size_t used = same_looks[i].from[1] == 0 ? 1 : 2;
        if (used <= left && memcmp(from, same_looks[i].from, used * sizeof(*from)) == 0) {
            memcpy(to, same_looks[i].to, sizeof(same_looks[i].to));
            return used;
        }
    }
    to[0] = plain_of(from[0]);
    to[1] = 0;
    return 1;
}

/* A blank only between words. */
static size_t put(utf8proc_int32_t *to, size_t len, utf8proc_int32_t c)
{
    if (c == 0 || (c == ' ' && (len == 0 || to[len - 1] == ' '))) {
        return len;
    }
    to[len] = c;
    return len + 1;
}

/* From decomposed code points to those of the key; `to` has room for twice as many. */
static size_t fold(utf8proc_int32_t *from, size_t count, utf8proc_int32_t *to)
{
    size_t len = 0;
    bool after_latin = false;
    tones_first(from, count);
    for (size_t i = 0; i < count;) {
        utf8proc_int32_t c[2];
        bool mark = is_mark(from[i]);
        bool dropped = (mark && after_latin) || is_apostrophe(from[i]);
        after_latin = is_latin(from[i]) || (mark && after_latin);
        i += look(from + i, count - i, c);
        if (!dropped) {
            len = put(to, len, c[0]);
            len = put(to, len, c[1]);
        }
    }
    return len > 0 && to[len - 1] == ' ' ? len - 1 : len;
}

rg_outcome rg_text_search_key(struct rg_bytes text, struct rg_buffer *out, struct rg_reason *why)
{
    rg_buffer_clear(out);
    RG_CHECK(text.len <= NAME_BYTES_MAX, why, RG_LIMIT, "text-too-long", "longer than %d bytes",
             NAME_BYTES_MAX);
    RG_OWNED_BUFFER key = {.secret = true};
    RG_OWNED_BUFFER work = {.secret = true};
    RG_TRY(rg_text_match_key(text, &key, why));
    size_t room = key.len * DECOMPOSED_MAX + 1;
    RG_TRY(rg_buffer_reserve(&work, 3 * room * sizeof(utf8proc_int32_t), why));
    utf8proc_int32_t *from = (utf8proc_int32_t *)(void *)work.data;
    utf8proc_int32_t *to = from + room;
    utf8proc_ssize_t count =
        utf8proc_decompose(key.data, (utf8proc_ssize_t)key.len, from, (utf8proc_ssize_t)room,
                           (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE));
    RG_CHECK(count >= 0 && (size_t)count < room, why, RG_MALFORMED, "text-encoding",
             "cannot be brought into its search form");
    size_t len = fold(from, (size_t)count, to);
    utf8proc_ssize_t bytes = utf8proc_reencode(
        to, (utf8proc_ssize_t)len, (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    RG_CHECK(bytes >= 0, why, RG_MALFORMED, "text-encoding",
             "cannot be brought into its search form");
    return rg_buffer_append(out, rg_bytes_of(to, (size_t)bytes), why);
}

/* ---- pieces ---- */

/* A word, or the part of a word in one kind of script; places count in the joined text. */
struct piece {
    size_t from, to;
    size_t run_from, run_to; /* with the pieces of the same kind around it */
    bool spaced;             /* a script with blanks between words */
};

struct pieces {
    struct rg_buffer joined; /* the key without blanks */
    struct piece *piece;
    size_t count;
};

static bool has_no_blanks(utf8proc_int32_t c)
{
    static const utf8proc_int32_t range[][2] = {
        {0x0E00, 0x0EFF}, /* Thai, Lao */
        {0x1000, 0x109F}, /* Burmese, Shan, Mon, Karen */
        {0x1780, 0x17FF}, /* Khmer */
        {0x1950, 0x19FF}, /* Tai Le, New Tai Lue, Khmer symbols */
        {0x1A20, 0x1AAF}, /* Tai Tham */
        {0x3040, 0x9FFF}, /* Kana, Han */
        {0xA9E0, 0xA9FF}, /* Burmese, extended */
        {0xAA60, 0xAADF}, /* Burmese, extended; Tai Viet */
        {0xF900, 0xFAFF}, /* Han */
        {0x20000, 0x3FFFF},
    };
    for (size_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
        if (c >= range[i][0] && c <= range[i][1]) {
            return true;
        }
    }
    return false;
}

/* Of a key, which is lawful text. */
static utf8proc_int32_t point_at(struct rg_bytes text, size_t at, size_t *bytes_out)
{
    utf8proc_int32_t c = 0;
    utf8proc_ssize_t used = utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &c);
    *bytes_out = used > 0 ? (size_t)used : 1;
    return used > 0 ? c : '?';
}

static void pieces_drop(struct pieces *pieces)
{
    rg_buffer_drop(&pieces->joined);
    free(pieces->piece);
}

static void runs_find(struct pieces *pieces)
{
    size_t count = pieces->count;
    struct piece *piece = pieces->piece;
    for (size_t i = 0; i < count; i++) {
        bool goes_on = i > 0 && piece[i - 1].spaced == piece[i].spaced;
        piece[i].run_from = goes_on ? piece[i - 1].run_from : piece[i].from;
    }
    for (size_t i = count; i-- > 0;) {
        bool goes_on = i + 1 < count && piece[i + 1].spaced == piece[i].spaced;
        piece[i].run_to = goes_on ? piece[i + 1].run_to : piece[i].to;
    }
}

static rg_outcome pieces_fill(struct rg_bytes key, struct pieces *pieces, struct rg_reason *why)
{
    bool begins = true;
    for (size_t at = 0, used = 0; at < key.len; at += used) {
        utf8proc_int32_t c = point_at(key, at, &used);
        if (c == ' ') {
            begins = true;
            continue;
        }
        /* A mark belongs to the letter before it, whatever its script. */
        bool spaced =
            is_mark(c) && !begins ? pieces->piece[pieces->count - 1].spaced : !has_no_blanks(c);
        if (begins || pieces->piece[pieces->count - 1].spaced != spaced) {
            pieces->piece[pieces->count++] =
                (struct piece){.from = pieces->joined.len, .spaced = spaced};
        }
        begins = false;
        RG_TRY(rg_buffer_append(&pieces->joined, rg_bytes_of(key.data + at, used), why));
        pieces->piece[pieces->count - 1].to = pieces->joined.len;
    }
    runs_find(pieces);
    return rg_ok();
}

static rg_outcome pieces_of(struct rg_bytes key, struct pieces *out, struct rg_reason *why)
{
    *out = (struct pieces){.joined.secret = true};
    out->piece = calloc(key.len + 1, sizeof(*out->piece)); /* a piece has a byte at least */
    RG_CHECK(out->piece != NULL, why, RG_IO, "out-of-memory", "cannot split a name");
    return pieces_fill(key, out, why);
}

static struct rg_bytes part_of(const struct pieces *pieces, size_t from, size_t to)
{
    return rg_bytes_of(pieces->joined.data + from, to - from);
}

/* Where the first `letters` from `from` on end; `to` when there are not so many. */
static size_t after_letters(const struct pieces *pieces, size_t from, size_t to, size_t letters)
{
    struct rg_bytes joined = rg_buffer_peek(&pieces->joined);
    size_t used = 0;
    for (; from < to && letters > 0; from += used, letters--) {
        (void)point_at(joined, from, &used);
    }
    return from;
}

static size_t letters_in(const struct pieces *pieces, size_t from, size_t to)
{
    size_t letters = 0;
    for (; from < to; letters++) {
        from = after_letters(pieces, from, to, 1);
    }
    return letters;
}

/* ---- keys ---- */

static const size_t prefix_letters[] = {2, 3, 4, PREFIX_LETTERS_MAX};

struct telling {
    struct rg_buffer told; /* keys told already, each with its length before it */
    rg_text_key_sink sink;
    void *context;
};

static rg_outcome tell(struct telling *telling, struct rg_bytes key, struct rg_reason *why)
{
    struct rg_bytes told = rg_buffer_peek(&telling->told);
    for (size_t at = 0; at < told.len; at += told.data[at] + 1u) {
        if (rg_bytes_equal(rg_bytes_of(told.data + at + 1, told.data[at]), key)) {
            return rg_ok();
        }
    }
    RG_ASSERT(key.len <= PREFIX_LETTERS_MAX * 4);
    uint8_t len = (uint8_t)key.len;
    RG_TRY(rg_buffer_append(&telling->told, rg_bytes_of(&len, 1), why));
    RG_TRY(rg_buffer_append(&telling->told, key, why));
    return telling->sink(telling->context, key, why);
}

static rg_outcome tell_pairs(const struct pieces *pieces, size_t from, size_t to,
                             struct telling *telling, struct rg_reason *why)
{
    while (from < to) {
        size_t second = after_letters(pieces, from, to, 1);
        size_t end = after_letters(pieces, second, to, 1);
        if (end > second) {
            RG_TRY(tell(telling, part_of(pieces, from, end), why));
        }
        from = second;
    }
    return rg_ok();
}

static rg_outcome tell_first(const struct pieces *pieces, const struct piece *piece,
                             struct telling *telling, struct rg_reason *why)
{
    size_t end = after_letters(pieces, piece->from, piece->to, 1);
    return tell(telling, part_of(pieces, piece->from, end), why);
}

static rg_outcome name_piece(const struct pieces *pieces, const struct piece *piece,
                             struct telling *telling, struct rg_reason *why)
{
    if (!piece->spaced) {
        RG_TRY(tell_first(pieces, piece, telling, why));
        return piece->from == piece->run_from
                   ? tell_pairs(pieces, piece->run_from, piece->run_to, telling, why)
                   : rg_ok();
    }
    if (letters_in(pieces, piece->from, piece->to) == 1) {
        RG_TRY(tell_first(pieces, piece, telling, why));
    }
    for (size_t i = 0; i < sizeof(prefix_letters) / sizeof(prefix_letters[0]); i++) {
        size_t letters = prefix_letters[i];
        size_t end = after_letters(pieces, piece->from, piece->run_to, letters);
        if (letters_in(pieces, piece->from, end) == letters) {
            RG_TRY(tell(telling, part_of(pieces, piece->from, end), why));
        }
    }
    return rg_ok();
}

static rg_outcome query_piece(const struct pieces *pieces, const struct piece *piece,
                              struct telling *telling, struct rg_reason *why)
{
    size_t letters = letters_in(pieces, piece->from, piece->to);
    if (letters == 1) {
        return tell_first(pieces, piece, telling, why);
    }
    if (!piece->spaced) {
        return tell_pairs(pieces, piece->from, piece->to, telling, why);
    }
    size_t longest = 0;
    for (size_t i = 0; i < sizeof(prefix_letters) / sizeof(prefix_letters[0]); i++) {
        longest = prefix_letters[i] <= letters ? prefix_letters[i] : longest;
    }
    size_t end = after_letters(pieces, piece->from, piece->to, longest);
    return tell(telling, part_of(pieces, piece->from, end), why);
}

typedef rg_outcome (*piece_keys)(const struct pieces *pieces, const struct piece *piece,
                                 struct telling *telling, struct rg_reason *why);

static rg_outcome tell_pieces(const struct pieces *pieces, piece_keys keys, struct telling *telling,
                              struct rg_reason *why)
{
    for (size_t i = 0; i < pieces->count; i++) {
        RG_TRY(keys(pieces, &pieces->piece[i], telling, why));
    }
    return rg_ok();
}

static rg_outcome tell_all(struct rg_bytes text, piece_keys keys, struct telling *telling,
                           struct rg_reason *why)
{
    struct pieces pieces = {0};
    RG_OWNED_BUFFER key = {.secret = true};
    RG_TRY(rg_text_search_key(text, &key, why));
    rg_outcome outcome = pieces_of(rg_buffer_peek(&key), &pieces, why);
    if (rg_is_ok(outcome)) {
        outcome = tell_pieces(&pieces, keys, telling, why);
    }
    pieces_drop(&pieces);
    return outcome;
}

static rg_outcome keys_of(struct rg_bytes text, piece_keys keys, rg_text_key_sink sink,
                          void *context, struct rg_reason *why)
{
    struct telling telling = {.told.secret = true, .sink = sink, .context = context};
    rg_outcome outcome = tell_all(text, keys, &telling, why);
    rg_buffer_drop(&telling.told);
    return outcome;
}

rg_outcome rg_text_name_keys(struct rg_bytes name, rg_text_key_sink sink, void *context,
                             struct rg_reason *why)
{
    return keys_of(name, name_piece, sink, context, why);
}

rg_outcome rg_text_query_keys(struct rg_bytes query, rg_text_key_sink sink, void *context,
                              struct rg_reason *why)
{
    return keys_of(query, query_piece, sink, context, why);
}

/* ---- finding ---- */

static bool begins_with(struct rg_bytes text, struct rg_bytes start)
{
    return text.len >= start.len && memcmp(text.data, start.data, start.len) == 0;
}

static bool piece_matches(const struct pieces *name, const struct piece *piece,
                          struct rg_bytes word, bool spaced, bool single)
{
    struct rg_bytes whole = part_of(name, piece->from, piece->to);
    if (piece->spaced != spaced) {
        return false;
    }
    if (single) {
        return spaced ? rg_bytes_equal(whole, word) : begins_with(whole, word);
    }
    if (spaced) {
        return begins_with(part_of(name, piece->from, piece->run_to), word);
    }
    struct rg_bytes run = part_of(name, piece->run_from, piece->run_to);
    return memmem(run.data, run.len, word.data, word.len) != NULL;
}

static bool all_found(const struct pieces *name, const struct pieces *query)
{
    for (size_t i = 0; i < query->count; i++) {
        const struct piece *asked = &query->piece[i];
        struct rg_bytes word = part_of(query, asked->from, asked->to);
        bool single = letters_in(query, asked->from, asked->to) == 1;
        bool found = false;
        for (size_t k = 0; k < name->count && !found; k++) {
            found = piece_matches(name, &name->piece[k], word, asked->spaced, single);
        }
        if (!found) {
            return false;
        }
    }
    return query->count > 0;
}

/* Without memory nothing is found, which the next call of the search will tell. */
bool rg_text_found(struct rg_bytes name_key, struct rg_bytes query_key)
{
    struct pieces name = {0};
    struct pieces query = {0};
    bool found = rg_is_ok(pieces_of(name_key, &name, NULL)) &&
                 rg_is_ok(pieces_of(query_key, &query, NULL)) && all_found(&name, &query);
    pieces_drop(&name);
    pieces_drop(&query);
    return found;
}
