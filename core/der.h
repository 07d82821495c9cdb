/*
 * NAME
 *   der - the little DER that a fixed profile needs: elements, lengths, fixed pieces with holes
 *
 * SYNOPSIS
 *   rg_der_put_header(&out, RG_DER_SEQUENCE, content_bytes, why)
 *   rg_der_put_element(&out, RG_DER_OCTETS, content, why)
 *   rg_der_take_literal(&in, RG_BYTES_LITERAL("\x02\x01\x00")) &&
 *       rg_der_take_hole(&in, 12, &nonce) && rg_der_take_only(in, RG_DER_OCTETS, &mac)
 *
 * DESCRIPTION
 *   Writing appends to a buffer; sizes of what is inside must be known before. Reading moves a view
 *   forward and says whether the bytes had the form; a profile is then one expression. Only
 *   definite lengths in their shortest form are taken, of at most four bytes. There is no recursion
 *   and no type but bytes.
 *
 * OWNERSHIP
 *   What is taken are views into the input.
 *
 * ERRORS
 *   Writing: those of the buffer. Reading: false; `in` is then anywhere.
 */
#ifndef RG_CORE_DER_H
#define RG_CORE_DER_H

#include "core/buffer.h"

#define RG_DER_OCTETS 0x04
#define RG_DER_SEQUENCE 0x30
#define RG_DER_SET 0x31
#define RG_DER_CONTENT 0x80 /* [0] IMPLICIT, primitive */
#define RG_DER_CONTEXT_0 0xa0

/* Bytes of a whole element with so much content. */
size_t rg_der_element_bytes(size_t content);
RG_MUST_USE rg_outcome rg_der_put_header(struct rg_buffer *out, uint8_t tag, size_t content,
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_der_put_element(struct rg_buffer *out, uint8_t tag,
                                          struct rg_bytes content, struct rg_reason *why);

/* Exactly these bytes. */
bool rg_der_take_literal(struct rg_bytes *in, struct rg_bytes literal);
/* Any bytes, so many. */
bool rg_der_take_hole(struct rg_bytes *in, size_t bytes, struct rg_bytes *out);
/* One element of this tag; its content. */
bool rg_der_take_element(struct rg_bytes *in, uint8_t tag, struct rg_bytes *out);
/* One element and nothing after it. */
bool rg_der_take_only(struct rg_bytes in, uint8_t tag, struct rg_bytes *out);

#endif
