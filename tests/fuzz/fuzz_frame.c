/* Every frame of a session, and what the processes of a gateway say to each other: what is accepted
 * has one encoding, memory stays under its cap, and protobuf-c reads it as well. */
#include "tests/fuzz/fuzz.h"

#include "core/wire_shapes.h"

static void frame_accepted(const struct rg_frame *frame, struct rg_bytes bytes)
{
    size_t cap = RG_DECODE_CAP_BASE_BYTES + (RG_DECODE_CAP_FACTOR + 1) * bytes.len + 64;
    RG_ASSERT(frame->memory.capacity <= cap);
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(rg_frame_encode(frame, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
    ProtobufCMessage *message =
        protobuf_c_message_unpack(rg_shape_frame.descriptor, NULL, bytes.len, bytes.data);
    RG_ASSERT(message != NULL && protobuf_c_message_get_packed_size(message) == bytes.len);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void log_entry(struct rg_bytes bytes)
{
    struct rg_log_entry entry;
    if (!rg_is_ok(rg_log_entry_decode(bytes, &entry, NULL))) {
        return;
    }
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(rg_log_entry_encode(&entry, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
}

static void local(struct rg_bytes bytes)
{
    struct rg_link_event event;
    struct rg_link_order order;
    struct rg_notary_request request;
    struct rg_notary_answer answer;
    RG_OWNED_BUFFER memory = {0};
    RG_OWNED_BUFFER again = {0};
    if (rg_is_ok(rg_link_event_decode(bytes, &event, NULL))) {
        RG_ASSERT(rg_is_ok(rg_link_event_encode(&event, &again, NULL)));
        RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
    }
    rg_buffer_clear(&again);
    if (rg_is_ok(rg_link_order_decode(bytes, &order, &memory, NULL))) {
        RG_ASSERT(rg_is_ok(rg_link_order_encode(&order, &again, NULL)));
        RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
    }
    rg_buffer_clear(&again);
    if (rg_is_ok(rg_notary_request_decode(bytes, &request, &memory, NULL))) {
        RG_ASSERT(rg_is_ok(rg_notary_request_encode(&request, &again, NULL)));
        RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
    }
    rg_buffer_clear(&again);
    if (rg_is_ok(rg_notary_answer_decode(bytes, &answer, NULL))) {
        RG_ASSERT(rg_is_ok(rg_notary_answer_encode(&answer, &again, NULL)));
        RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rg_bytes bytes = rg_bytes_of(data, size);
    struct rg_frame frame;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_frame_decode(bytes, &frame, &why);
    if (rg_is_ok(outcome)) {
        frame_accepted(&frame, bytes);
        rg_frame_drop(&frame);
    }
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "wire-");
    }
    log_entry(bytes);
    local(bytes);
    return 0;
}
