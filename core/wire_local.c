/*
 * How it works: like wire_frame.c, for the messages of one gateway's processes. Both ends are of
 * one build, so whatever does not decode means that the other process is not what it was.
 */
#include "core/syntax.h"
#include "core/wire_shapes.h"

#include "local.pb-c.h"

#include <string.h>

#define LOCAL_BYTES_MAX (2 * RG_FRAME_BYTES_MAX)

static const struct rg_slot link_up_slot[] = {
    RG_SLOT_FIXED(1, struct rg_link_event, session),
    RG_SLOT_TEXT(2, struct rg_link_event, principal, 1, rg_syntax_principal),
    RG_SLOT_NUMBER(3, struct rg_link_event, dialled, 0, 1),
    RG_SLOT_TEXT(4, struct rg_link_event, socket_path, 1, NULL),
    RG_SLOT_FIXED(5, struct rg_link_event, certificate),
};
const struct rg_shape rg_shape_link_up =
    RG_SHAPE(referral__local__link_event__up__descriptor, link_up_slot);

static const struct rg_slot link_gone_slot[] = {
    RG_SLOT_FIXED(1, struct rg_link_event, session),
    RG_SLOT_TEXT(2, struct rg_link_event, reason, 1, rg_syntax_name),
};
const struct rg_shape rg_shape_link_gone =
    RG_SHAPE(referral__local__link_event__gone__descriptor, link_gone_slot);

static const struct rg_slot link_ready_slot[] = {
    RG_SLOT_FIXED(1, struct rg_link_event, start),
    RG_SLOT_NUMBER(2, struct rg_link_event, port, 1, UINT16_MAX),
};
const struct rg_shape rg_shape_link_ready =
    RG_SHAPE(referral__local__link_event__ready__descriptor, link_ready_slot);

static const struct rg_slot link_event_slot[] = {
    RG_SLOT_FLAT(RG_LINK_UP, LOCAL_BYTES_MAX, &rg_shape_link_up),
    RG_SLOT_FLAT(RG_LINK_GONE, LOCAL_BYTES_MAX, &rg_shape_link_gone),
    RG_SLOT_FLAT(RG_LINK_READY, LOCAL_BYTES_MAX, &rg_shape_link_ready),
};
const struct rg_shape rg_shape_link_event = RG_SHAPE_CHOICE(
    referral__local__link_event__descriptor, link_event_slot, struct rg_link_event, kind);

static const struct rg_slot link_close_slot[] = {
    RG_SLOT_FIXED(1, struct rg_link_order, session),
    RG_SLOT_TEXT(2, struct rg_link_order, reason, 1, rg_syntax_name),
};
const struct rg_shape rg_shape_link_close =
    RG_SHAPE(referral__local__link_order__close__descriptor, link_close_slot);

static const struct rg_slot link_hello_seen_slot[] = {
    RG_SLOT_FIXED(1, struct rg_link_order, session),
};
const struct rg_shape rg_shape_link_hello_seen =
    RG_SHAPE(referral__local__link_order__hello_seen__descriptor, link_hello_seen_slot);

static const struct rg_slot link_trust_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_link_order, document_kind, RG_DOC_CHARTER, RG_DOC_KEY_CARD),
    RG_SLOT_TEXT(2, struct rg_link_order, country, 0, rg_syntax_country_or_none),
    RG_SLOT_VIEW(3, struct rg_link_order, text, 1, RG_DOCUMENT_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_VIEW, 4, struct rg_link_order, signature[0]),
     RG_FLAG(struct rg_link_order, signature_count), .min = 1,
     .max = RG_DOCUMENT_SIGNATURE_BYTES_MAX, .count_max = RG_DOCUMENT_SIGNATURES_MAX},
};
const struct rg_shape rg_shape_link_trust =
    RG_SHAPE(referral__local__link_order__trust__descriptor, link_trust_slot);

static const struct rg_slot link_order_slot[] = {
    RG_SLOT_FLAT(RG_LINK_CLOSE, LOCAL_BYTES_MAX, &rg_shape_link_close),
    RG_SLOT_FLAT(RG_LINK_HELLO_SEEN, LOCAL_BYTES_MAX, &rg_shape_link_hello_seen),
    RG_SLOT_FLAT(RG_LINK_TRUST, LOCAL_BYTES_MAX, &rg_shape_link_trust),
};
const struct rg_shape rg_shape_link_order = RG_SHAPE_CHOICE(
    referral__local__link_order__descriptor, link_order_slot, struct rg_link_order, kind);

static const struct rg_slot notary_request_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_notary_request, from_size, 0, INT64_MAX),
    RG_SLOT_VIEW(2, struct rg_notary_request, leaves, 0, 32 * RG_NOTARY_LEAVES_MAX, NULL),
};
const struct rg_shape rg_shape_notary_request =
    RG_SHAPE(referral__local__notary_request__descriptor, notary_request_slot);

static const struct rg_slot notary_answer_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_notary_answer, code, RG_OK, RG_BROKEN),
    RG_SLOT_TEXT(2, struct rg_notary_answer, reason, 1, rg_syntax_name),
    RG_SLOT_NUMBER(3, struct rg_notary_answer, size, 0, INT64_MAX),
    RG_SLOT_FIXED(4, struct rg_notary_answer, root),
    RG_SLOT_FIXED(5, struct rg_notary_answer, signature),
};
const struct rg_shape rg_shape_notary_answer =
    RG_SHAPE(referral__local__notary_answer__descriptor, notary_answer_slot);

static rg_outcome length_check(struct rg_bytes bytes, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= LOCAL_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a local message has at most %d bytes", LOCAL_BYTES_MAX);
    return rg_ok();
}

rg_outcome rg_link_event_encode(const struct rg_link_event *event, struct rg_buffer *out,
                                struct rg_reason *why)
{
    return rg_codec_encode(&rg_shape_link_event, event, out, why);
}

rg_outcome rg_link_event_decode(struct rg_bytes bytes, struct rg_link_event *out,
                                struct rg_reason *why)
{
    RG_TRY(length_check(bytes, why));
    struct rg_link_event event = {0};
    RG_TRY(rg_codec_decode(&rg_shape_link_event, bytes, &event, NULL, why));
    *out = event;
    return rg_ok();
}

rg_outcome rg_link_order_encode(const struct rg_link_order *order, struct rg_buffer *out,
                                struct rg_reason *why)
{
    return rg_codec_encode(&rg_shape_link_order, order, out, why);
}

rg_outcome rg_link_order_decode(struct rg_bytes bytes, struct rg_link_order *out,
                                struct rg_buffer *memory_out, struct rg_reason *why)
{
    RG_TRY(length_check(bytes, why));
    struct rg_link_order order = {0};
    RG_TRY(rg_codec_decode(&rg_shape_link_order, bytes, &order, memory_out, why));
    *out = order;
    return rg_ok();
}

static rg_outcome leaves_check(struct rg_bytes leaves, struct rg_reason *why)
{
    RG_CHECK(leaves.len % 32 == 0, why, RG_MALFORMED, "wire-length",
             "leaves are not a multiple of 32 bytes");
    return rg_ok();
}

rg_outcome rg_notary_request_encode(const struct rg_notary_request *request, struct rg_buffer *out,
                                    struct rg_reason *why)
{
    RG_TRY(leaves_check(request->leaves, why));
    return rg_codec_encode(&rg_shape_notary_request, request, out, why);
}

rg_outcome rg_notary_request_decode(struct rg_bytes bytes, struct rg_notary_request *out,
                                    struct rg_buffer *memory_out, struct rg_reason *why)
{
    RG_TRY(length_check(bytes, why));
    struct rg_notary_request request;
    RG_OWNED_BUFFER memory = {0};
    RG_TRY(rg_codec_decode(&rg_shape_notary_request, bytes, &request, &memory, why));
    RG_TRY(leaves_check(request.leaves, why));
    rg_buffer_drop(memory_out);
    *memory_out = rg_buffer_take(&memory);
    *out = request;
    return rg_ok();
}

rg_outcome rg_notary_answer_encode(const struct rg_notary_answer *answer, struct rg_buffer *out,
                                   struct rg_reason *why)
{
    return rg_codec_encode(&rg_shape_notary_answer, answer, out, why);
}

rg_outcome rg_notary_answer_decode(struct rg_bytes bytes, struct rg_notary_answer *out,
                                   struct rg_reason *why)
{
    RG_TRY(length_check(bytes, why));
    struct rg_notary_answer answer;
    RG_TRY(rg_codec_decode(&rg_shape_notary_answer, bytes, &answer, NULL, why));
    *out = answer;
    return rg_ok();
}
