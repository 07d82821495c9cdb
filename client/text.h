/*
 * NAME
 *   text - text of six scripts: is it lawful, its one stored form, its key for matching
 *
 * SYNOPSIS
 *   rg_text_check(bytes, bytes_max, RG_TEXT_LINE, why)
 *   rg_text_normal(bytes, bytes_max, RG_TEXT_LINE, &out, why)   what is stored and signed
 *   rg_text_digits(&out)                                        for dates, ids, phones
 *   rg_text_match_key(bytes, &out, why)                         for comparing, never for storing
 *   rg_text_name_keys(name, sink, context, why)                 what an index keeps of a name
 *   rg_text_query_keys(query, sink, context, why)               what a search asks of the index
 *   rg_text_search_key(name, &key, why)
 *   rg_text_found(name_key, query_key)                          is it really there
 *
 * DESCRIPTION
 *   Text is UTF-8 in NFC, never NFKC: that would split Thai SARA AM and Lao AM and change names.
 * Refused: overlong forms, surrogates, NUL, control characters, marks that turn the direction of
 * writing (they make one name look like another), code points that are not characters. Zero-width
 * space and joiners are kept in the stored form, because some scripts need them, and dropped from
 * the key.
 *   A search finds any word of a name by its beginning, and in scripts that put no blanks between
 * words any part of it. The search key is the match key with punctuation as blanks, apostrophes
 * gone, marks taken off Latin letters ("Nguyen" finds "Nguyễn", "Dang" finds "Đặng"), and the
 * spellings of Thai, Lao and Burmese that look the same made one. An index stores (hashes of) all
 * that rg_text_name_keys says; a name may be there when it has every key that rg_text_query_keys
 * says, and is when rg_text_found agrees. Keys are parts of names: hash them under a secret, and
 * keep even the hashes sealed, since how often each occurs tells something.
 *
 * ERRORS
 *   RG_MALFORMED text-encoding, text-control; RG_LIMIT text-too-long. Never the text itself.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_TEXT_H
#define RG_CLIENT_TEXT_H

#include "core/buffer.h"

enum rg_text_form {
    RG_TEXT_LINE,  /* no line ends, no tabs */
    RG_TEXT_LINES, /* line feed and tab allowed */
};

RG_MUST_USE rg_outcome rg_text_check(struct rg_bytes text, size_t bytes_max, enum rg_text_form form,
                                     struct rg_reason *why);
/* Checked, outer blanks taken off, NFC. Replaces what is in `out`; `bytes_max` holds for both
 * ends. A carriage return before a line feed is dropped. */
RG_MUST_USE rg_outcome rg_text_normal(struct rg_bytes text, size_t bytes_max,
                                      enum rg_text_form form, struct rg_buffer *out,
                                      struct rg_reason *why);
/* In place: digits of Khmer, Lao, Burmese, Shan, Thai and full-width writing become 0 to 9.
 * The Burmese letter wa (U+101D), which looks like a zero, stays what it is. */
void rg_text_digits(struct rg_buffer *text);
/* NFC, case folded, zero-width characters gone, blanks single, native digits ASCII. Replaces what
 * is in `out`. */
RG_MUST_USE rg_outcome rg_text_match_key(struct rg_bytes text, struct rg_buffer *out,
                                         struct rg_reason *why);
/* See above; replaces what is in `out`. Empty when nothing of the text can be searched for. */
RG_MUST_USE rg_outcome rg_text_search_key(struct rg_bytes text, struct rg_buffer *out,
                                          struct rg_reason *why);
/* `key` is good during the call only. Each key is told once. */
typedef rg_outcome (*rg_text_key_sink)(void *context, struct rg_bytes key, struct rg_reason *why);
/* Of a word of a Latin (or other spaced) script its first 2, 3, 4 and 6 letters, running on into
 * the next word; a word of one letter itself. Of the other scripts each two code points that stand
 * together, blanks not counted, and the first of each word. About 4 for each Latin word, 10 for a
 * name in Thai. `name` may hold several names; ';' parts them. */
RG_MUST_USE rg_outcome rg_text_name_keys(struct rg_bytes name, rg_text_key_sink sink, void *context,
                                         struct rg_reason *why);
/* All of them must be in the index. None at all: the query is empty and finds nothing. */
RG_MUST_USE rg_outcome rg_text_query_keys(struct rg_bytes query, rg_text_key_sink sink,
                                          void *context, struct rg_reason *why);
/* Both are search keys. Every word of the query begins a word of the name (a word of one letter is
 * the whole word), or in the other scripts stands in it. An empty query is nowhere. */
bool rg_text_found(struct rg_bytes name_key, struct rg_bytes query_key);
/* The longest start of at most `bytes_max` bytes that ends between letters as a reader sees them.
 * `text` has been checked. */
size_t rg_text_cut(struct rg_bytes text, size_t bytes_max);
/* Columns in a terminal. `text` has been checked. */
size_t rg_text_columns(struct rg_bytes text);

#endif
