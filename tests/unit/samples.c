/* How it works: bytes that stand for digests and keys are one value repeated, so that a dump can be
 * read by eye. */
#include "tests/unit/samples.h"

#include "core/digest.h"

#include <stdio.h>
#include <string.h>

#define MUST(call) RG_ASSERT(rg_is_ok(call))

struct rg_core sample_core(size_t sections, size_t padded_bytes)
{
    struct rg_core core = {.version = 1,
                           .from_office = "th/focal",
                           .to_country = "kh",
                           .to_office = {"kh/focal"},
                           .to_office_count = 1,
                           .author_counter = 7,
                           .priority = RG_URGENT,
                           .created = {1764028800000},
                           .expires = {1766620800000},
                           .collect_by = {1774396800000},
                           .exercise = true,
                           .has_decides = true,
                           .section_count = sections};
    memset(core.thread.b, 0x11, sizeof(core.thread.b));
    memset(core.decides.b, 0x22, sizeof(core.decides.b));
    for (size_t i = 0; i < sections; i++) {
        struct rg_section_core *section = &core.section[i];
        section->office_count = 1;
        (void)snprintf(section->office[0], sizeof(section->office[0]), "kh/focal");
        section->padded_bytes = (uint32_t)padded_bytes;
        memset(section->commitment, (int)(0x30 + i), sizeof(section->commitment));
    }
    return core;
}

void sample_envelope(const struct rg_core *core, size_t sealed_len, struct rg_buffer *out)
{
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER body = {0};
    MUST(rg_buffer_reserve(&body, sealed_len, NULL));
    memset(body.data, 0x5a, sealed_len);
    struct rg_bytes sealed[RG_SECTIONS_MAX];
    struct rg_hash digest[RG_SECTIONS_MAX];
    for (size_t i = 0; i < core->section_count; i++) {
        sealed[i] = rg_bytes_of(body.data, sealed_len - i);
        digest[i] = rg_sha256(sealed[i]);
    }
    size_t count = core->section_count;
    MUST(rg_core_encode(core, &core_bytes, NULL));
    MUST(rg_header_encode(rg_buffer_peek(&core_bytes), digest, count, &header, NULL));
    MUST(rg_envelope_encode(rg_buffer_peek(&header), sealed, count, out, NULL));
}

struct rg_head sample_head(const char *origin, uint64_t size)
{
    struct rg_head head = {.size = size};
    (void)snprintf(head.origin, sizeof(head.origin), "%s", origin);
    memset(head.root.b, 0x44, sizeof(head.root.b));
    memset(head.signature, 0x55, sizeof(head.signature));
    return head;
}

struct rg_log_entry sample_log_entry(enum rg_entry_kind kind)
{
    struct rg_log_entry entry = {.kind = kind,
                                 .has_envelope_id = kind <= RG_ENTRY_ERASED,
                                 .time = {1764028800123},
                                 .peer = "referral://kh/gateway",
                                 .code = kind == RG_ENTRY_REFUSED ? RG_REFUSE_EXPIRED : 0,
                                 .has_detail = kind > RG_ENTRY_ERASED};
    memset(entry.salt, 0x66, sizeof(entry.salt));
    memset(entry.envelope_id.b, entry.has_envelope_id ? 0x77 : 0, sizeof(entry.envelope_id.b));
    memset(entry.detail.b, entry.has_detail ? 0x88 : 0, sizeof(entry.detail.b));
    return entry;
}

static struct rg_proof proof_of(size_t count, uint8_t value)
{
    struct rg_proof proof = {.count = count};
    for (size_t i = 0; i < count; i++) {
        memset(proof.hash[i].b, value, sizeof(proof.hash[i].b));
    }
    return proof;
}

static void receipts_make(struct sample *sample)
{
    struct rg_log_entry accepted = sample_log_entry(RG_ENTRY_ACCEPTED);
    struct rg_log_entry refused = sample_log_entry(RG_ENTRY_REFUSED);
    MUST(rg_log_entry_encode(&accepted, &sample->log_entry, NULL));
    MUST(rg_log_entry_encode(&refused, &sample->refused, NULL));
    sample->entry[0].log_entry = rg_buffer_peek(&sample->log_entry);
    sample->entry[1].log_entry = rg_buffer_peek(&sample->refused);
    for (size_t i = 0; i < 2; i++) {
        sample->entry[i].leaf_index = 40 + i;
        sample->entry[i].inclusion = proof_of(3, (uint8_t)(0x90 + i));
    }
    sample->receipts.head = sample_head("referral/kh/1", 42);
    sample->receipts.has_from = true;
    sample->receipts.from_size = 40;
    sample->receipts.consistency = proof_of(2, 0xa0);
    sample->receipts.entry = sample->entry;
    sample->receipts.entry_count = 2;
}

void sample_make(struct sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    struct rg_core core = sample_core(2, 1024);
    sample_envelope(&core, 64, &sample->envelope);
    receipts_make(sample);
    static const struct rg_holding holding[] = {
        {.kind = RG_DOC_CHARTER, .country = "", .counter = 3},
        {.kind = RG_DOC_PAGE, .country = "th", .counter = 17},
        {.kind = RG_DOC_KEY_CARD, .country = "kh", .counter = 4},
    };
    memcpy(sample->holding, holding, sizeof(holding));
    sample->head[0] = sample_head("referral/th/1", 1000);
    sample->head[1] = sample_head("referral/la/2", 0);
    memset(sample->id, 0xb0, sizeof(sample->id));
}

void sample_drop(struct sample *sample)
{
    rg_buffer_drop(&sample->envelope);
    rg_buffer_drop(&sample->log_entry);
    rg_buffer_drop(&sample->refused);
}

static struct rg_frame document_frame(void)
{
    static const uint8_t signature[] = {0x30, 0x03, 0x02, 0x01, 0x01};
    struct rg_frame frame = {.kind = RG_FRAME_DOCUMENT};
    frame.document.kind = RG_DOC_STOP_LIST;
    (void)snprintf(frame.document.country, sizeof(frame.document.country), "th");
    frame.document.text = RG_BYTES_LITERAL("format = \"referral-stop-1\";\n");
    frame.document.signature[0] = rg_bytes_of(signature, sizeof(signature));
    frame.document.signature_count = 1;
    return frame;
}

static struct rg_frame hello_frame(const struct sample *sample)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO,
                             .hello = {.version = 1,
                                       .principal = "referral://th/focal/officer-1",
                                       .device = "desk-2",
                                       .software = "referral-gateway 0.1.0",
                                       .holding = sample->holding,
                                       .holding_count = 3,
                                       .head = sample->head,
                                       .head_count = 2,
                                       .clock = {1764028800456}}};
    return frame;
}

static struct rg_frame short_frame(const struct sample *sample, enum rg_frame_kind kind)
{
    struct rg_frame frame = {.kind = kind};
    if (kind == RG_FRAME_WANT) {
        frame.want.kind = RG_DOC_PAGE;
        (void)snprintf(frame.want.country, sizeof(frame.want.country), "vn");
    }
    if (kind == RG_FRAME_NOT_NOW) {
        frame.not_now.id = sample->id[0];
        frame.not_now.code = RG_NOT_NOW_QUOTA;
        frame.not_now.retry_after_ms = 30000;
    }
    if (kind == RG_FRAME_STATUS_SEEN) {
        frame.status_seen.position = 300;
    }
    if (kind == RG_FRAME_FAULT) {
        frame.fault.code = RG_FAULT_HELLO;
        (void)snprintf(frame.fault.text, sizeof(frame.fault.text), "principal differs");
    }
    if (kind == RG_FRAME_CHUNK) {
        memset(frame.chunk.section_digest.b, 0xc0, 32);
        frame.chunk.offset = 65536;
        frame.chunk.total = 65540;
        frame.chunk.data = RG_BYTES_LITERAL("rest");
    }
    return frame;
}

static struct rg_frame receipts_frame(const struct sample *sample, enum rg_frame_kind kind)
{
    struct rg_frame frame = {.kind = kind};
    if (kind == RG_FRAME_RECEIPTS) {
        frame.receipts = sample->receipts;
    }
    if (kind == RG_FRAME_COLLECTED) {
        frame.collected.has_position = true;
        frame.collected.position = 12;
        frame.collected.opened = sample->id;
        frame.collected.opened_count = 2;
        frame.collected.has_receipts = true;
        frame.collected.receipts = sample->receipts;
    }
    if (kind == RG_FRAME_STATUS) {
        frame.status.position = 299;
        frame.status.receipts = sample->receipts;
    }
    if (kind == RG_FRAME_CLOSE_REQUEST) {
        frame.close_request.id = sample->id;
        frame.close_request.id_count = 2;
        frame.close_request.unconfirmed = sample->receipts;
    }
    return frame;
}

static struct rg_frame envelope_frame(const struct sample *sample, enum rg_frame_kind kind)
{
    struct rg_frame frame = {.kind = kind};
    struct rg_bytes envelope = rg_buffer_peek(&sample->envelope);
    if (kind == RG_FRAME_SUBMIT) {
        frame.submit.envelope = envelope;
    }
    if (kind == RG_FRAME_TRANSFER) {
        frame.transfer.envelope = envelope;
        frame.transfer.accepted = sample->receipts;
    }
    if (kind == RG_FRAME_DELIVER) {
        frame.deliver.position = 12;
        frame.deliver.envelope = envelope;
        frame.deliver.accepted = sample->receipts;
        frame.deliver.received = sample->receipts;
        frame.deliver.received.has_from = false;
        frame.deliver.received.from_size = 0;
        frame.deliver.received.consistency.count = 0;
    }
    return frame;
}

struct rg_frame sample_frame(const struct sample *sample, enum rg_frame_kind kind)
{
    switch (kind) {
    case RG_FRAME_HELLO:
        return hello_frame(sample);
    case RG_FRAME_DOCUMENT:
        return document_frame();
    case RG_FRAME_SUBMIT:
    case RG_FRAME_TRANSFER:
    case RG_FRAME_DELIVER:
        return envelope_frame(sample, kind);
    case RG_FRAME_RECEIPTS:
    case RG_FRAME_COLLECTED:
    case RG_FRAME_STATUS:
    case RG_FRAME_CLOSE_REQUEST:
        return receipts_frame(sample, kind);
    case RG_FRAME_WANT:
    case RG_FRAME_NOT_NOW:
    case RG_FRAME_STATUS_SEEN:
    case RG_FRAME_FAULT:
    case RG_FRAME_CHUNK:
        break;
    }
    return short_frame(sample, kind);
}
