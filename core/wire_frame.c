/*
 * How it works: a Frame is a choice of fourteen messages whose fields live in one union, so each
 * shape gives places in struct rg_frame itself. Envelopes inside a frame are walked but handed out
 * as bytes: rg_envelope_peek reads them. After a decode `memory` holds one copy of the frame, which
 * all views show, and the lists behind it.
 */
#include "core/syntax.h"
#include "core/wire_shapes.h"

#include "link.pb-c.h"

#include <string.h>

#define HOLDING_BYTES_MAX 64
#define HEAD_BYTES_MAX 256

static const struct rg_slot holding_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_holding, kind, RG_DOC_CHARTER, RG_DOC_KEY_CARD),
    RG_SLOT_TEXT(2, struct rg_holding, country, 0, rg_syntax_country_or_none),
    RG_SLOT_NUMBER(3, struct rg_holding, counter, 0, INT64_MAX),
    RG_SLOT_FIXED(4, struct rg_holding, digest),
};
const struct rg_shape rg_shape_holding =
    RG_SHAPE(referral__wire__holding__descriptor, holding_slot);

static const struct rg_slot hello_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, hello.version, 1, RG_CODE_MAX),
    RG_SLOT_TEXT(2, struct rg_frame, hello.principal, 1, rg_syntax_principal),
    RG_SLOT_TEXT(3, struct rg_frame, hello.device, 1, rg_syntax_name),
    {.number = 4,
     .form = RG_FORM_MESSAGE,
     .offset = offsetof(struct rg_frame, hello.holding),
     .size = sizeof(struct rg_holding),
     RG_FLAG(struct rg_frame, hello.holding_count),
     .max = HOLDING_BYTES_MAX,
     .count_max = RG_HELLO_HOLDINGS_MAX,
     .in_memory = true,
     .shape = &rg_shape_holding},
    {.number = 5,
     .form = RG_FORM_MESSAGE,
     .offset = offsetof(struct rg_frame, hello.head),
     .size = sizeof(struct rg_head),
     RG_FLAG(struct rg_frame, hello.head_count),
     .max = HEAD_BYTES_MAX,
     .count_max = RG_HELLO_HEADS_MAX,
     .in_memory = true,
     .shape = &rg_shape_head},
    RG_SLOT_TEXT(6, struct rg_frame, hello.software, 1, rg_syntax_line),
    RG_SLOT_NUMBER(7, struct rg_frame, hello.clock.ms, 1, RG_WALL_MS_MAX),
};
const struct rg_shape rg_shape_hello = RG_SHAPE(referral__wire__hello__descriptor, hello_slot);

static const struct rg_slot want_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, want.kind, RG_DOC_CHARTER, RG_DOC_KEY_CARD),
    RG_SLOT_TEXT(2, struct rg_frame, want.country, 0, rg_syntax_country_or_none),
};
const struct rg_shape rg_shape_want = RG_SHAPE(referral__wire__want__descriptor, want_slot);

static const struct rg_slot document_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, document.kind, RG_DOC_CHARTER, RG_DOC_KEY_CARD),
    RG_SLOT_TEXT(2, struct rg_frame, document.country, 0, rg_syntax_country_or_none),
    RG_SLOT_VIEW(3, struct rg_frame, document.text, 1, RG_DOCUMENT_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_VIEW, 4, struct rg_frame, document.signature[0]),
     RG_FLAG(struct rg_frame, document.signature_count), .min = 1,
     .max = RG_DOCUMENT_SIGNATURE_BYTES_MAX, .count_max = RG_DOCUMENT_SIGNATURES_MAX},
};
const struct rg_shape rg_shape_document =
    RG_SHAPE(referral__wire__document__descriptor, document_slot);

static const struct rg_slot submit_slot[] = {
    RG_SLOT_VIEW(1, struct rg_frame, submit.envelope, 1, RG_ENVELOPE_BYTES_MAX, &rg_shape_envelope),
};
const struct rg_shape rg_shape_submit = RG_SHAPE(referral__wire__submit__descriptor, submit_slot);

static const struct rg_slot transfer_slot[] = {
    RG_SLOT_VIEW(1, struct rg_frame, transfer.envelope, 1, RG_ENVELOPE_BYTES_MAX,
                 &rg_shape_envelope),
    RG_SLOT_MESSAGE(2, struct rg_frame, transfer.accepted, RG_FRAME_BYTES_MAX, &rg_shape_receipts),
};
const struct rg_shape rg_shape_transfer =
    RG_SHAPE(referral__wire__transfer__descriptor, transfer_slot);

static const struct rg_slot not_now_slot[] = {
    RG_SLOT_FIXED(1, struct rg_frame, not_now.id),
    RG_SLOT_NUMBER(2, struct rg_frame, not_now.code, 1, RG_CODE_MAX),
    RG_SLOT_NUMBER(3, struct rg_frame, not_now.retry_after_ms, 0, UINT32_MAX),
};
const struct rg_shape rg_shape_not_now =
    RG_SHAPE(referral__wire__not_now__descriptor, not_now_slot);

static const struct rg_slot deliver_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, deliver.position, 0, INT64_MAX),
    RG_SLOT_VIEW(2, struct rg_frame, deliver.envelope, 1, RG_ENVELOPE_BYTES_MAX,
                 &rg_shape_envelope),
    RG_SLOT_MESSAGE(3, struct rg_frame, deliver.accepted, RG_FRAME_BYTES_MAX, &rg_shape_receipts),
    RG_SLOT_MESSAGE(4, struct rg_frame, deliver.received, RG_FRAME_BYTES_MAX, &rg_shape_receipts),
};
const struct rg_shape rg_shape_deliver =
    RG_SHAPE(referral__wire__deliver__descriptor, deliver_slot);

static const struct rg_slot collected_slot[] = {
    {RG_PLACE(RG_FORM_NUMBER, 1, struct rg_frame, collected.position),
     RG_FLAG(struct rg_frame, collected.has_position), .max = INT64_MAX},
    {.number = 2,
     .form = RG_FORM_FIXED,
     .offset = offsetof(struct rg_frame, collected.opened),
     .size = sizeof(struct rg_id),
     RG_FLAG(struct rg_frame, collected.opened_count),
     .min = 32,
     .max = 32,
     .count_max = RG_IDS_PER_FRAME_MAX,
     .in_memory = true},
    {RG_PLACE(RG_FORM_MESSAGE, 3, struct rg_frame, collected.receipts),
     RG_FLAG(struct rg_frame, collected.has_receipts), .max = RG_FRAME_BYTES_MAX,
     .shape = &rg_shape_receipts},
};
const struct rg_shape rg_shape_collected =
    RG_SHAPE(referral__wire__collected__descriptor, collected_slot);

static const struct rg_slot status_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, status.position, 0, INT64_MAX),
    RG_SLOT_MESSAGE(2, struct rg_frame, status.receipts, RG_FRAME_BYTES_MAX, &rg_shape_receipts),
};
const struct rg_shape rg_shape_status = RG_SHAPE(referral__wire__status__descriptor, status_slot);

static const struct rg_slot status_seen_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, status_seen.position, 0, INT64_MAX),
};
const struct rg_shape rg_shape_status_seen =
    RG_SHAPE(referral__wire__status_seen__descriptor, status_seen_slot);

static const struct rg_slot close_request_slot[] = {
    {.number = 1,
     .form = RG_FORM_FIXED,
     .offset = offsetof(struct rg_frame, close_request.id),
     .size = sizeof(struct rg_id),
     RG_FLAG(struct rg_frame, close_request.id_count),
     .min = 32,
     .max = 32,
     .count_min = 1,
     .count_max = RG_IDS_PER_FRAME_MAX,
     .in_memory = true},
    RG_SLOT_MESSAGE(2, struct rg_frame, close_request.unconfirmed, RG_FRAME_BYTES_MAX,
                    &rg_shape_receipts),
};
const struct rg_shape rg_shape_close_request =
    RG_SHAPE(referral__wire__close_request__descriptor, close_request_slot);

static const struct rg_slot fault_slot[] = {
    RG_SLOT_NUMBER(1, struct rg_frame, fault.code, 1, RG_CODE_MAX),
    RG_SLOT_TEXT(2, struct rg_frame, fault.text, 1, rg_syntax_line),
};
const struct rg_shape rg_shape_fault = RG_SHAPE(referral__wire__fault__descriptor, fault_slot);

static const struct rg_slot chunk_slot[] = {
    RG_SLOT_FIXED(1, struct rg_frame, chunk.section_digest),
    RG_SLOT_NUMBER(2, struct rg_frame, chunk.offset, 0, RG_BUFFER_BYTES_MAX),
    RG_SLOT_NUMBER(3, struct rg_frame, chunk.total, 1, RG_BUFFER_BYTES_MAX),
    RG_SLOT_VIEW(4, struct rg_frame, chunk.data, 1, RG_CHUNK_BYTES_MAX, NULL),
};
const struct rg_shape rg_shape_chunk = RG_SHAPE(referral__wire__chunk__descriptor, chunk_slot);

static const struct rg_slot frame_slot[] = {
    RG_SLOT_FLAT(RG_FRAME_HELLO, RG_FRAME_BYTES_MAX, &rg_shape_hello),
    RG_SLOT_FLAT(RG_FRAME_WANT, RG_FRAME_BYTES_MAX, &rg_shape_want),
    RG_SLOT_FLAT(RG_FRAME_DOCUMENT, RG_FRAME_BYTES_MAX, &rg_shape_document),
    RG_SLOT_FLAT(RG_FRAME_SUBMIT, RG_FRAME_BYTES_MAX, &rg_shape_submit),
    RG_SLOT_FLAT(RG_FRAME_TRANSFER, RG_FRAME_BYTES_MAX, &rg_shape_transfer),
    RG_SLOT_MESSAGE(RG_FRAME_RECEIPTS, struct rg_frame, receipts, RG_FRAME_BYTES_MAX,
                    &rg_shape_receipts),
    RG_SLOT_FLAT(RG_FRAME_NOT_NOW, RG_FRAME_BYTES_MAX, &rg_shape_not_now),
    RG_SLOT_FLAT(RG_FRAME_DELIVER, RG_FRAME_BYTES_MAX, &rg_shape_deliver),
    RG_SLOT_FLAT(RG_FRAME_COLLECTED, RG_FRAME_BYTES_MAX, &rg_shape_collected),
    RG_SLOT_FLAT(RG_FRAME_STATUS, RG_FRAME_BYTES_MAX, &rg_shape_status),
    RG_SLOT_FLAT(RG_FRAME_STATUS_SEEN, RG_FRAME_BYTES_MAX, &rg_shape_status_seen),
    RG_SLOT_FLAT(RG_FRAME_CLOSE_REQUEST, RG_FRAME_BYTES_MAX, &rg_shape_close_request),
    RG_SLOT_FLAT(RG_FRAME_FAULT, RG_FRAME_BYTES_MAX, &rg_shape_fault),
    RG_SLOT_FLAT(RG_FRAME_CHUNK, RG_FRAME_BYTES_MAX, &rg_shape_chunk),
};
const struct rg_shape rg_shape_frame =
    RG_SHAPE_CHOICE(referral__wire__frame__descriptor, frame_slot, struct rg_frame, kind);

/* The charter belongs to no country, everything else to one. */
static rg_outcome country_check(enum rg_document_kind kind, const char *country,
                                struct rg_reason *why)
{
    RG_CHECK((kind == RG_DOC_CHARTER) == (country[0] == '\0'), why, RG_MALFORMED, "wire-document",
             "a charter has no country, every other document has one");
    return rg_ok();
}

static rg_outcome hello_check(const struct rg_frame *frame, struct rg_reason *why)
{
    for (size_t i = 0; i < frame->hello.holding_count; i++) {
        const struct rg_holding *holding = &frame->hello.holding[i];
        RG_TRY(country_check(holding->kind, holding->country, why));
    }
    return rg_ok();
}

static rg_outcome want_check(const struct rg_frame *frame, struct rg_reason *why)
{
    return country_check(frame->want.kind, frame->want.country, why);
}

static rg_outcome document_check(const struct rg_frame *frame, struct rg_reason *why)
{
    RG_TRY(country_check(frame->document.kind, frame->document.country, why));
    bool card = frame->document.kind == RG_DOC_KEY_CARD;
    RG_CHECK(card == (frame->document.signature_count == 0), why, RG_MALFORMED, "wire-document",
             "a key card holds its signature, every other document has it beside");
    return rg_ok();
}

static rg_outcome chunk_check(const struct rg_frame *frame, struct rg_reason *why)
{
    RG_CHECK(frame->chunk.offset <= frame->chunk.total &&
                 frame->chunk.data.len <= frame->chunk.total - frame->chunk.offset,
             why, RG_MALFORMED, "wire-chunk", "the piece ends beyond the section");
    return rg_ok();
}

static rg_outcome frame_check(const struct rg_frame *frame, struct rg_reason *why)
{
    static rg_outcome (*const check[])(const struct rg_frame *, struct rg_reason *) = {
        [RG_FRAME_HELLO] = hello_check,
        [RG_FRAME_WANT] = want_check,
        [RG_FRAME_DOCUMENT] = document_check,
        [RG_FRAME_CHUNK] = chunk_check,
    };
    unsigned kind = (unsigned)frame->kind;
    bool has_check = kind < sizeof(check) / sizeof(check[0]) && check[kind] != NULL;
    return has_check ? check[kind](frame, why) : rg_ok();
}

rg_outcome rg_frame_encode(const struct rg_frame *frame, struct rg_buffer *out,
                           struct rg_reason *why)
{
    RG_TRY(frame_check(frame, why));
    size_t before = out->len;
    RG_TRY(rg_codec_encode(&rg_shape_frame, frame, out, why));
    if (out->len - before > RG_FRAME_BYTES_MAX) {
        out->len = before;
        return rg_fail(why, RG_LIMIT, "wire-length-limit", "a frame has at most %d bytes",
                       RG_FRAME_BYTES_MAX);
    }
    return rg_ok();
}

rg_outcome rg_frame_decode(struct rg_bytes bytes, struct rg_frame *out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_FRAME_BYTES_MAX, why, RG_LIMIT, "wire-length-limit",
             "a frame has at most %d bytes", RG_FRAME_BYTES_MAX);
    struct rg_frame frame;
    memset(&frame, 0, sizeof(frame));
    RG_OWNED_BUFFER memory = {0};
    RG_TRY(rg_codec_decode(&rg_shape_frame, bytes, &frame, &memory, why));
    RG_TRY(frame_check(&frame, why));
    *out = frame;
    out->memory = rg_buffer_take(&memory);
    return rg_ok();
}

void rg_frame_drop(struct rg_frame *frame)
{
    rg_buffer_drop(&frame->memory);
    memset(frame, 0, sizeof(*frame));
}
