/*
 * NAME
 *   text - text of six scripts: is it lawful, its one stored form, its key for matching
 *
 * SYNOPSIS
 *   rg_text_check(bytes, bytes_max, RG_TEXT_LINE, why)
 *   rg_text_normal(bytes, bytes_max, RG_TEXT_LINE, &out, why)   what is stored and signed
 *   rg_text_digits(&out)                                        for dates, ids, phones
 *   rg_text_match_key(bytes, &out, why)                         for comparing, never for storing
 *
 * DESCRIPTION
 *   Text is UTF-8 in NFC, never NFKC: that would split Thai SARA AM and Lao AM and change names.
 * Refused: overlong forms, surrogates, NUL, control characters, marks that turn the direction of
 * writing (they make one name look like another), code points that are not characters. Zero-width
 * space and joiners are kept in the stored form, because some scripts need them, and dropped from
 * the key.
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
/* The longest start of at most `bytes_max` bytes that ends between letters as a reader sees them.
 * `text` has been checked. */
size_t rg_text_cut(struct rg_bytes text, size_t bytes_max);
/* Columns in a terminal. `text` has been checked. */
size_t rg_text_columns(struct rg_bytes text);

#endif
