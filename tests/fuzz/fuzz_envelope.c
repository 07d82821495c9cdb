/* Envelope, Header, Core and SignedSection: what is accepted has one encoding, and protobuf-c reads
 * it as well. */
#include "tests/fuzz/fuzz.h"

#include "core/digest.h"
#include "core/wire_shapes.h"

static void core_accepted(const struct rg_core *core, struct rg_bytes bytes)
{
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(rg_core_encode(core, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
}

/* The sealed bytes of a fuzzed envelope rarely fit its digests, so the digests are made to fit. */
static void envelope_mended(struct rg_bytes bytes)
{
    struct wire_envelope parts;
    struct rg_envelope found;
    struct rg_hash digest[RG_SECTIONS_MAX];
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER mended = {0};
    if (!rg_is_ok(rg_codec_decode(&rg_shape_envelope, bytes, &parts, NULL, NULL)) ||
        !rg_is_ok(rg_header_peek(parts.header, &found, NULL))) {
        return;
    }
    core_accepted(&found.core, found.core_bytes);
    for (size_t i = 0; i < parts.count; i++) {
        digest[i] = rg_sha256(parts.sealed[i]);
    }
    RG_ASSERT(rg_is_ok(rg_header_encode(found.core_bytes, digest, parts.count, &header, NULL)));
    if (!rg_is_ok(rg_envelope_encode(rg_buffer_peek(&header), parts.sealed, parts.count, &mended,
                                     NULL))) {
        return;
    }
    struct rg_envelope back;
    if (!rg_is_ok(rg_envelope_peek(rg_buffer_peek(&mended), &back, NULL))) {
        return;
    }
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(
        rg_envelope_encode(back.header, back.sealed, back.core.section_count, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), rg_buffer_peek(&mended)));
}

static void section(struct rg_bytes bytes)
{
    struct rg_section section;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_section_peek(bytes, &section, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "wire-");
        return;
    }
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(rg_section_encode(&section, bytes.len, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_bytes bytes = rg_bytes_of(data, size);
    struct rg_envelope envelope;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_envelope_peek(bytes, &envelope, &why);
    if (rg_is_ok(outcome)) {
        RG_ASSERT(envelope.core.section_count >= 1);
        core_accepted(&envelope.core, envelope.core_bytes);
        ProtobufCMessage *message =
            protobuf_c_message_unpack(rg_shape_envelope.descriptor, NULL, size, data);
        RG_ASSERT(message != NULL && protobuf_c_message_get_packed_size(message) == size);
        protobuf_c_message_free_unpacked(message, NULL);
    }
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "wire-");
    }
    envelope_mended(bytes);
    section(bytes);
    return 0;
}
