/*
 * How it works: lengths are compared as `need <= have`, never added to a pointer first, so no
 * length from outside can reach beyond the view it came in.
 */
#include "core/der.h"

#include <string.h>

static size_t header_bytes(size_t content)
{
    size_t bytes = 2;
    for (size_t rest = content; content >= 0x80 && rest > 0; rest >>= 8) {
        bytes++;
    }
    return bytes;
}

size_t rg_der_element_bytes(size_t content)
{
    return header_bytes(content) + content;
}

rg_outcome rg_der_put_header(struct rg_buffer *out, uint8_t tag, size_t content,
                             struct rg_reason *why)
{
    uint8_t header[2 + sizeof(content)] = {tag};
    size_t bytes = header_bytes(content);
    header[1] = bytes == 2 ? (uint8_t)content : (uint8_t)(0x80 + bytes - 2);
    for (size_t i = 2; i < bytes; i++) {
        header[i] = (uint8_t)(content >> 8 * (bytes - 1 - i));
    }
    return rg_buffer_append(out, rg_bytes_of(header, bytes), why);
}

rg_outcome rg_der_put_element(struct rg_buffer *out, uint8_t tag, struct rg_bytes content,
                              struct rg_reason *why)
{
    RG_TRY(rg_der_put_header(out, tag, content.len, why));
    return rg_buffer_append(out, content, why);
}

bool rg_der_take_literal(struct rg_bytes *in, struct rg_bytes literal)
{
    if (in->len < literal.len || memcmp(in->data, literal.data, literal.len) != 0) {
        return false;
    }
    *in = rg_bytes_of(in->data + literal.len, in->len - literal.len);
    return true;
}

bool rg_der_take_hole(struct rg_bytes *in, size_t bytes, struct rg_bytes *out)
{
    if (in->len < bytes) {
        return false;
    }
    *out = rg_bytes_of(in->data, bytes);
    *in = rg_bytes_of(in->data + bytes, in->len - bytes);
    return true;
}

static bool take_length(struct rg_bytes *in, size_t *out)
{
    struct rg_bytes first, more;
    if (!rg_der_take_hole(in, 1, &first) || first.data[0] == 0x80 || first.data[0] > 0x84) {
        return false;
    }
    if (first.data[0] < 0x80) {
        *out = first.data[0];
        return true;
    }
    if (!rg_der_take_hole(in, first.data[0] & 0x7fU, &more) || more.data[0] == 0) {
        return false;
    }
    size_t length = 0;
    for (size_t i = 0; i < more.len; i++) {
        length = length << 8 | more.data[i];
    }
    *out = length;
    return length >= 0x80;
}

bool rg_der_take_element(struct rg_bytes *in, uint8_t tag, struct rg_bytes *out)
{
    size_t length = 0;
    return rg_der_take_literal(in, rg_bytes_of(&tag, 1)) && take_length(in, &length) &&
           rg_der_take_hole(in, length, out);
}

bool rg_der_take_only(struct rg_bytes in, uint8_t tag, struct rg_bytes *out)
{
    return rg_der_take_element(&in, tag, out) && in.len == 0;
}
