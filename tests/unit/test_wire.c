/* wire: what goes out comes back, has one encoding, and nothing else is let in. */
#include "core/digest.h"
#include "core/syntax.h"
#include "core/wire_shapes.h"
#include "tests/unit/samples.h"

#include "envelope.pb-c.h"
#include "link.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* The call sees `why`. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        if (!rg_is_ok(call)) {                                                                     \
            fail_msg("%s: %s: %s", #call, why.id, why.text);                                       \
        }                                                                                          \
    } while (0)
#define REFUSED(call, expected_code, expected_id)                                                  \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        rg_outcome outcome_ = (call);                                                              \
        assert_string_equal(rg_code_name(outcome_.code), rg_code_name(expected_code));             \
        assert_string_equal(why.id, expected_id);                                                  \
    } while (0)

static const struct rg_shape *const all_shapes[] = {
    &rg_shape_section_core,  &rg_shape_core,           &rg_shape_header,
    &rg_shape_envelope,      &rg_shape_signed_section, &rg_shape_log_entry,
    &rg_shape_head,          &rg_shape_proven_entry,   &rg_shape_receipts,
    &rg_shape_holding,       &rg_shape_hello,          &rg_shape_want,
    &rg_shape_document,      &rg_shape_submit,         &rg_shape_transfer,
    &rg_shape_deliver,       &rg_shape_collected,      &rg_shape_status,
    &rg_shape_status_seen,   &rg_shape_not_now,        &rg_shape_close_request,
    &rg_shape_fault,         &rg_shape_chunk,          &rg_shape_frame,
    &rg_shape_link_up,       &rg_shape_link_gone,      &rg_shape_link_ready,
    &rg_shape_link_event,    &rg_shape_link_close,     &rg_shape_link_hello_seen,
    &rg_shape_link_trust,    &rg_shape_link_order,     &rg_shape_notary_request,
    &rg_shape_notary_answer,
};

static void test_every_table_fits_its_proto(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(all_shapes); i++) {
        OK(rg_codec_shape_check(all_shapes[i], &why));
    }
    struct rg_slot slot[8];
    memcpy(slot, rg_shape_log_entry.slot, sizeof(slot));
    struct rg_shape shape = rg_shape_log_entry;
    shape.slot = slot;
    slot[3].number = 9;
    REFUSED(rg_codec_shape_check(&shape, &why), RG_BROKEN, "shape");
    shape.slot_count--;
    REFUSED(rg_codec_shape_check(&shape, &why), RG_BROKEN, "shape");
}

static void test_an_envelope_comes_back(void **state)
{
    (void)state;
    struct rg_core core = sample_core(3, 4096);
    RG_OWNED_BUFFER bytes = {0};
    sample_envelope(&core, 100, &bytes);
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, &why));
    assert_memory_equal(&envelope.core, &core, offsetof(struct rg_core, section));
    assert_int_equal(envelope.core.section_count, 3);
    assert_memory_equal(envelope.core.section[2].commitment, core.section[2].commitment, 32);
    assert_int_equal(envelope.sealed[2].len, 98);
    assert_true(envelope.sealed[0].data > bytes.data);
    assert_true(envelope.sealed[0].data < bytes.data + bytes.len);
    struct rg_id id = rg_header_id(envelope.header);
    assert_memory_equal(&id, &envelope.id, sizeof(id));
    struct rg_envelope alone;
    OK(rg_header_peek(envelope.header, &alone, &why));
    assert_memory_equal(&alone.id, &id, sizeof(id));
    assert_int_equal(alone.sealed[0].len, 0);
}

static void test_the_core_has_one_encoding(void **state)
{
    (void)state;
    for (size_t sections = 1; sections <= RG_SECTIONS_MAX; sections++) {
        struct rg_core core = sample_core(sections, 2048);
        core.has_decides = sections % 2 == 0;
        RG_OWNED_BUFFER first = {0};
        RG_OWNED_BUFFER second = {0};
        OK(rg_core_encode(&core, &first, &why));
        struct rg_core back;
        OK(rg_codec_decode(&rg_shape_core, rg_buffer_peek(&first), &back, NULL, &why));
        assert_int_equal(back.has_decides, core.has_decides);
        OK(rg_core_encode(&back, &second, &why));
        assert_true(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
    }
}

/* Another implementation, protobuf-c's own, reads the same and writes the same. */
static void protobuf_c_agrees(const ProtobufCMessageDescriptor *descriptor, struct rg_bytes bytes)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, bytes.len, bytes.data);
    assert_non_null(message);
    uint8_t *again = malloc(bytes.len + 1);
    assert_non_null(again);
    assert_int_equal(protobuf_c_message_get_packed_size(message), bytes.len);
    assert_int_equal(protobuf_c_message_pack(message, again), bytes.len);
    assert_memory_equal(again, bytes.data, bytes.len);
    free(again);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void test_every_frame_comes_back(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    for (unsigned kind = RG_FRAME_HELLO; kind <= RG_FRAME_CHUNK; kind++) {
        struct rg_frame frame = sample_frame(&sample, (enum rg_frame_kind)kind);
        RG_OWNED_BUFFER first = {0};
        RG_OWNED_BUFFER second = {0};
        OK(rg_frame_encode(&frame, &first, &why));
        struct rg_frame back;
        OK(rg_frame_decode(rg_buffer_peek(&first), &back, &why));
        assert_int_equal(back.kind, kind);
        OK(rg_frame_encode(&back, &second, &why));
        assert_true(rg_bytes_equal(rg_buffer_peek(&first), rg_buffer_peek(&second)));
        protobuf_c_agrees(&referral__wire__frame__descriptor, rg_buffer_peek(&first));
        rg_frame_drop(&back);
        rg_frame_drop(&back);
    }
    sample_drop(&sample);
}

static void test_a_decoded_frame_owns_what_it_shows(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    struct rg_frame frame = sample_frame(&sample, RG_FRAME_TRANSFER);
    RG_OWNED_BUFFER bytes = {0};
    OK(rg_frame_encode(&frame, &bytes, &why));
    struct rg_frame back;
    OK(rg_frame_decode(rg_buffer_peek(&bytes), &back, &why));
    memset(bytes.data, 0xff, bytes.len);
    assert_true(rg_bytes_equal(back.transfer.envelope, rg_buffer_peek(&sample.envelope)));
    assert_int_equal(back.transfer.accepted.entry_count, 2);
    const struct rg_proven_entry *entry = &back.transfer.accepted.entry[1];
    assert_int_equal(entry->leaf_index, 41);
    assert_int_equal(entry->inclusion.count, 3);
    assert_memory_equal(entry->inclusion.hash, sample.entry[1].inclusion.hash, 96);
    assert_true(rg_bytes_equal(entry->log_entry, rg_buffer_peek(&sample.refused)));
    assert_int_equal(back.transfer.accepted.from_size, 40);
    rg_frame_drop(&back);
    sample_drop(&sample);
}

static void test_hello_comes_back_field_by_field(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    struct rg_frame frame = sample_frame(&sample, RG_FRAME_HELLO);
    RG_OWNED_BUFFER bytes = {0};
    OK(rg_frame_encode(&frame, &bytes, &why));
    struct rg_frame back;
    OK(rg_frame_decode(rg_buffer_peek(&bytes), &back, &why));
    assert_string_equal(back.hello.principal, frame.hello.principal);
    assert_string_equal(back.hello.device, frame.hello.device);
    assert_string_equal(back.hello.software, frame.hello.software);
    assert_int_equal(back.hello.clock.ms, frame.hello.clock.ms);
    assert_int_equal(back.hello.holding_count, 3);
    assert_string_equal(back.hello.holding[1].country, "th");
    assert_int_equal(back.hello.holding[1].counter, 17);
    assert_int_equal(back.hello.head_count, 2);
    assert_string_equal(back.hello.head[1].origin, "referral/la/2");
    rg_frame_drop(&back);
    sample_drop(&sample);
}

static void test_receipts_come_back_alone(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    RG_OWNED_BUFFER bytes = {0};
    RG_OWNED_BUFFER memory = {0};
    OK(rg_receipts_encode(&sample.receipts, &bytes, &why));
    for (int twice = 0; twice < 2; twice++) {
        struct rg_receipts back;
        OK(rg_receipts_decode(rg_buffer_peek(&bytes), &back, &memory, &why));
        assert_string_equal(back.head.origin, "referral/kh/1");
        assert_int_equal(back.consistency.count, 2);
        struct rg_log_entry entry;
        OK(rg_log_entry_decode(back.entry[1].log_entry, &entry, &why));
        assert_int_equal(entry.kind, RG_ENTRY_REFUSED);
        assert_int_equal(entry.code, RG_REFUSE_EXPIRED);
    }
    sample_drop(&sample);
}

static void test_log_entries_come_back(void **state)
{
    (void)state;
    for (unsigned kind = RG_ENTRY_ACCEPTED; kind <= RG_ENTRY_EPOCH; kind++) {
        struct rg_log_entry entry = sample_log_entry((enum rg_entry_kind)kind);
        RG_OWNED_BUFFER bytes = {0};
        OK(rg_log_entry_encode(&entry, &bytes, &why));
        struct rg_log_entry back;
        OK(rg_log_entry_decode(rg_buffer_peek(&bytes), &back, &why));
        assert_int_equal(back.kind, kind);
        assert_int_equal(back.time.ms, entry.time.ms);
        assert_string_equal(back.peer, entry.peer);
        assert_memory_equal(&back.envelope_id, &entry.envelope_id, 32);
        assert_memory_equal(&back.detail, &entry.detail, 32);
        assert_memory_equal(back.salt, entry.salt, 16);
        assert_string_not_equal(rg_entry_kind_name((enum rg_entry_kind)kind), "unknown");
        entry.has_envelope_id = !entry.has_envelope_id;
        REFUSED(rg_log_entry_encode(&entry, &bytes, &why), RG_MALFORMED, "wire-log-entry");
    }
    assert_string_equal(rg_entry_kind_name((enum rg_entry_kind)99), "unknown");
    struct rg_log_entry no_code = sample_log_entry(RG_ENTRY_REFUSED);
    no_code.code = 0;
    RG_OWNED_BUFFER bytes = {0};
    REFUSED(rg_log_entry_encode(&no_code, &bytes, &why), RG_MALFORMED, "wire-log-entry");
}

static void test_local_messages_come_back(void **state)
{
    (void)state;
    struct rg_link_event events[] = {
        {.kind = RG_LINK_UP,
         .principal = "referral://th/gateway",
         .dialled = true,
         .socket_path = "/run/x/s-1",
         .session = {1, 2},
         .certificate = {{9}}},
        {.kind = RG_LINK_GONE, .session = {3}, .reason = "certificate-stopped"},
        {.kind = RG_LINK_READY, .start = {4, 5, 6, 7}, .port = 7701},
    };
    for (size_t i = 0; i < COUNT(events); i++) {
        RG_OWNED_BUFFER bytes = {0};
        OK(rg_link_event_encode(&events[i], &bytes, &why));
        struct rg_link_event back;
        OK(rg_link_event_decode(rg_buffer_peek(&bytes), &back, &why));
        assert_memory_equal(&back, &events[i], sizeof(back));
        OK(rg_buffer_append(&bytes, RG_BYTES_LITERAL("\x08\x01"), &why));
        assert_int_equal(rg_link_event_decode(rg_buffer_peek(&bytes), &back, NULL).code,
                         RG_MALFORMED);
    }
    struct rg_link_order orders[] = {
        {.kind = RG_LINK_CLOSE, .session = {1}, .reason = "hello-late"},
        {.kind = RG_LINK_HELLO_SEEN, .session = {2}},
        {.kind = RG_LINK_TRUST,
         .document_kind = RG_DOC_PAGE,
         .country = "th",
         .text = RG_BYTES_LITERAL("text"),
         .signature = {RG_BYTES_LITERAL("sig")},
         .signature_count = 1},
    };
    for (size_t i = 0; i < COUNT(orders); i++) {
        RG_OWNED_BUFFER bytes = {0};
        RG_OWNED_BUFFER memory = {0};
        OK(rg_link_order_encode(&orders[i], &bytes, &why));
        struct rg_link_order back;
        OK(rg_link_order_decode(rg_buffer_peek(&bytes), &back, &memory, &why));
        assert_int_equal(back.kind, orders[i].kind);
        assert_string_equal(back.reason, orders[i].reason);
        assert_memory_equal(back.session, orders[i].session, 12);
        assert_true(rg_bytes_equal(back.text, orders[i].text));
        assert_true(rg_bytes_equal(back.signature[0], orders[i].signature[0]));
    }
}

static void test_notary_messages_come_back(void **state)
{
    (void)state;
    static uint8_t leaves[32 * (RG_NOTARY_LEAVES_MAX + 1)];
    RG_OWNED_BUFFER bytes = {0};
    RG_OWNED_BUFFER memory = {0};
    struct rg_notary_request back;
    struct rg_notary_request request = {.from_size = 5, .leaves = rg_bytes_of(leaves, 96)};
    OK(rg_notary_request_encode(&request, &bytes, &why));
    OK(rg_notary_request_decode(rg_buffer_peek(&bytes), &back, &memory, &why));
    assert_int_equal(back.from_size, 5);
    assert_int_equal(back.leaves.len, 96);
    request.leaves.len = 95;
    REFUSED(rg_notary_request_encode(&request, &bytes, &why), RG_MALFORMED, "wire-length");
    request.leaves.len = sizeof(leaves);
    REFUSED(rg_notary_request_encode(&request, &bytes, &why), RG_LIMIT, "wire-length-limit");

    struct rg_notary_answer answers[] = {
        {.code = RG_OK, .size = 8, .root = {{1}}, .signature = {2}},
        {.code = RG_DENIED, .reason = "notary-ahead", .size = 9},
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        RG_OWNED_BUFFER answer = {0};
        OK(rg_notary_answer_encode(&answers[i], &answer, &why));
        struct rg_notary_answer got;
        OK(rg_notary_answer_decode(rg_buffer_peek(&answer), &got, &why));
        assert_memory_equal(&got, &answers[i], sizeof(got));
    }
}

/* One row per way to be wrong. The lawful forms beside them are in the first two rows. */
static void test_every_mutation_has_its_reason(void **state)
{
    (void)state;
    const struct {
        struct rg_bytes bytes;
        const char *id; /* NULL: lawful */
    } row[] = {
        {RG_BYTES_LITERAL("\x5a\x02\x08\x05"), NULL},
        {RG_BYTES_LITERAL("\x12\x06\x08\x02\x12\x02th"), NULL},
        {RG_BYTES_LITERAL(""), "wire-choice"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x02\x12\x02th\x5a\x02\x08\x05"), "wire-choice"},
        {RG_BYTES_LITERAL("\x5a\x04\x08\x05\x08\x06"), "wire-duplicate"},
        {RG_BYTES_LITERAL("\x5a\x02\x08\x05\x5a\x02\x08\x05"), "wire-duplicate"},
        {RG_BYTES_LITERAL("\x12\x06\x12\x02th\x08\x02"), "wire-order"},
        {RG_BYTES_LITERAL("\x5a\x02\x08\x05\x12\x06\x08\x02\x12\x02th"), "wire-order"},
        {RG_BYTES_LITERAL("\x5a\x03\x08\x85\x00"), "wire-varint"},
        {RG_BYTES_LITERAL("\x5a\x82\x00\x08\x05"), "wire-varint"},
        {RG_BYTES_LITERAL("\xda\x00\x02\x08\x05"), "wire-varint"},
        {RG_BYTES_LITERAL("\x5a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), "wire-varint"},
        {RG_BYTES_LITERAL("\x5a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "wire-varint"},
        {RG_BYTES_LITERAL("\x5a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "wire-value"},
        {RG_BYTES_LITERAL("\x5a\x04\x08\x05\x10\x01"), "wire-unknown-field"},
        {RG_BYTES_LITERAL("\x7a\x00"), "wire-unknown-field"},
        {RG_BYTES_LITERAL("\x02\x00"), "wire-unknown-field"},
        {RG_BYTES_LITERAL("\x5a\x05\x0d\x01\x00\x00\x00"), "wire-type"},
        {RG_BYTES_LITERAL("\x5a\x03\x0a\x01x"), "wire-type"},
        {RG_BYTES_LITERAL("\x58\x05"), "wire-type"},
        {RG_BYTES_LITERAL("\x5b\x5c"), "wire-type"},
        {RG_BYTES_LITERAL("\x5a"), "wire-truncated"},
        {RG_BYTES_LITERAL("\x5a\x03\x08\x05"), "wire-truncated"},
        {RG_BYTES_LITERAL("\x5a\x02\x08\x85"), "wire-truncated"},
        {RG_BYTES_LITERAL("\x5a\x00"), "wire-missing"},
        {RG_BYTES_LITERAL("\x12\x04\x12\x02th"), "wire-missing"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x06\x12\x02th"), "wire-value"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x00\x12\x02th"), "wire-value"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x02\x12\x02t\x00"), "wire-text"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x02\x12\x02\xc3\x28"), "wire-text"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x02\x12\x02TH"), "wire-syntax"},
        {RG_BYTES_LITERAL("\x12\x04\x08\x02\x12\x00"), "wire-document"},
        {RG_BYTES_LITERAL("\x12\x06\x08\x01\x12\x02th"), "wire-document"},
        {RG_BYTES_LITERAL("\x6a\x02\x08\x00"), "wire-value"},
        {RG_BYTES_LITERAL("\x6a\x05\x08\x01\x12\x00"), "wire-truncated"},
        {RG_BYTES_LITERAL("\x6a\x04\x08\x01\x12\x00"), "wire-length"},
        {RG_BYTES_LITERAL("\x6a\x06\x08\x01\x12\x02\x1b["), "wire-syntax"},
        {RG_BYTES_LITERAL("\x3a\x08\x0a\x01x\x10\x01\x18\x00"), "wire-truncated"},
        {RG_BYTES_LITERAL("\x3a\x07\x0a\x01x\x10\x01\x18\x00"), "wire-length"},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        struct rg_frame frame = {0};
        if (row[i].id == NULL) {
            OK(rg_frame_decode(row[i].bytes, &frame, &why));
            rg_frame_drop(&frame);
            continue;
        }
        REFUSED(rg_frame_decode(row[i].bytes, &frame, &why), RG_MALFORMED, row[i].id);
        assert_null(frame.memory.data);
    }
}

static void test_utf8_is_checked(void **state)
{
    (void)state;
    const struct {
        struct rg_bytes text;
        bool ok;
    } row[] = {
        {RG_BYTES_LITERAL(""), true},
        {RG_BYTES_LITERAL("plain"), true},
        {RG_BYTES_LITERAL("\xe0\xba\xa5\xe0\xba\xb2\xe0\xba\xa7"), true},
        {RG_BYTES_LITERAL("\xf0\x9f\x98\x80"), true},
        {RG_BYTES_LITERAL("\xf4\x8f\xbf\xbf"), true},
        {RG_BYTES_LITERAL("\xf4\x90\x80\x80"), false},
        {RG_BYTES_LITERAL("\xed\xa0\x80"), false},
        {RG_BYTES_LITERAL("\xc0\x80"), false},
        {RG_BYTES_LITERAL("\xe0\x80\x80"), false},
        {RG_BYTES_LITERAL("\xf0\x80\x80\x80"), false},
        {RG_BYTES_LITERAL("\xe0\xba"), false},
        {RG_BYTES_LITERAL("\x80"), false},
        {RG_BYTES_LITERAL("\xff"), false},
        {RG_BYTES_LITERAL("a\0b"), false},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        assert_int_equal(rg_utf8_ok(row[i].text), row[i].ok);
    }
}

static void test_names_have_a_form(void **state)
{
    (void)state;
    static const struct {
        rg_syntax *syntax;
        const char *text;
        bool ok;
    } row[] = {
        {rg_syntax_country, "th", true},
        {rg_syntax_country, "partner8", true},
        {rg_syntax_country, "partner99", false},
        {rg_syntax_country, "t", false},
        {rg_syntax_country, "t-h", false},
        {rg_syntax_country, "1h", false},
        {rg_syntax_country, "", false},
        {rg_syntax_country_or_none, "", true},
        {rg_syntax_office, "th/ngo-alpha", true},
        {rg_syntax_office, "th", false},
        {rg_syntax_office, "th/", false},
        {rg_syntax_office, "/focal", false},
        {rg_syntax_office, "th/focal/1", false},
        {rg_syntax_office, "th/-focal", false},
        {rg_syntax_office, "th/Focal", false},
        {rg_syntax_principal, "referral://th/gateway", true},
        {rg_syntax_principal, "referral://th/focal/officer-1", true},
        {rg_syntax_principal, "referral://th/focal/officer-1/x", false},
        {rg_syntax_principal, "referral://th/focal/", false},
        {rg_syntax_principal, "referral://th", false},
        {rg_syntax_principal, "referral://", false},
        {rg_syntax_principal, "https://th/gateway", false},
        {rg_syntax_origin, "referral/th/1", true},
        {rg_syntax_origin, "referral th", false},
        {rg_syntax_origin, "referral+th", false},
        {rg_syntax_origin, "", false},
        {rg_syntax_line, "two\nlines", false},
        {rg_syntax_line, "one line", true},
        {rg_syntax_line, "\xe0\xb8\x81\xe2\x80\x99\xc2\xa0", true},
        {rg_syntax_line,
         "\xc2\x9b"
         "31m",
         false},
        {rg_syntax_line, "a\xe2\x80\xa8z", false},
        {rg_syntax_line, "a\xe2\x80\xae", false},
        {rg_syntax_line, "a\xe2\x81\xa9", false},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        if (row[i].syntax(rg_bytes_of_text(row[i].text)) != row[i].ok) {
            fail_msg("\"%s\" should %sbe lawful", row[i].text, row[i].ok ? "" : "not ");
        }
    }
}

static void test_counts_and_lengths_are_bounded(void **state)
{
    (void)state;
    static struct rg_id ids[RG_IDS_PER_FRAME_MAX + 1];
    RG_OWNED_BUFFER bytes = {0};
    struct rg_frame frame = {.kind = RG_FRAME_COLLECTED};
    frame.collected.opened = ids;
    frame.collected.opened_count = RG_IDS_PER_FRAME_MAX;
    OK(rg_frame_encode(&frame, &bytes, &why));
    frame.collected.opened_count++;
    REFUSED(rg_frame_encode(&frame, &bytes, &why), RG_LIMIT, "wire-count-limit");
    /* The decoder has to say no as well: one id more, by hand. */
    RG_OWNED_BUFFER many = {0};
    uint8_t id[34] = {2 << 3 | 2, 32};
    for (int i = 0; i <= RG_IDS_PER_FRAME_MAX; i++) {
        OK(rg_buffer_append(&many, rg_bytes_of(id, sizeof(id)), &why));
    }
    REFUSED(rg_codec_check(&rg_shape_collected, rg_buffer_peek(&many), &why), RG_LIMIT,
            "wire-count-limit");
    struct rg_core core = sample_core(RG_SECTIONS_MAX, 1024);
    core.section_count++;
    REFUSED(rg_core_encode(&core, &bytes, &why), RG_LIMIT, "wire-count-limit");

    frame = (struct rg_frame){.kind = RG_FRAME_FAULT, .fault = {.code = RG_FAULT_LIMIT}};
    memset(frame.fault.text, 'x', sizeof(frame.fault.text) - 1);
    OK(rg_frame_encode(&frame, &bytes, &why));
    frame.fault.text[sizeof(frame.fault.text) - 1] = 'x';
    REFUSED(rg_frame_encode(&frame, &bytes, &why), RG_LIMIT, "wire-length-limit");
    static uint8_t large[RG_FRAME_BYTES_MAX + 1];
    REFUSED(rg_frame_decode(rg_bytes_of(large, sizeof(large)), &frame, &why), RG_LIMIT,
            "wire-length-limit");
}

/* Short entries cost 65 times their bytes once decoded; honest ones have the proof of a tree that
 * is large enough to hold them. */
static void test_memory_is_capped(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    static struct rg_proven_entry entry[RG_RECEIPT_ENTRIES_MAX];
    struct rg_log_entry small = sample_log_entry(RG_ENTRY_ACCEPTED);
    small.peer[0] = '\0';
    RG_OWNED_BUFFER small_bytes = {0};
    OK(rg_log_entry_encode(&small, &small_bytes, &why));
    struct rg_frame frame = {.kind = RG_FRAME_RECEIPTS, .receipts = sample.receipts};
    frame.receipts.entry = entry;
    frame.receipts.entry_count = COUNT(entry);
    for (unsigned hashes = 0; hashes <= 8; hashes += 8) {
        for (size_t i = 0; i < COUNT(entry); i++) {
            entry[i].log_entry = rg_buffer_peek(&small_bytes);
            entry[i].inclusion.count = hashes;
        }
        RG_OWNED_BUFFER bytes = {0};
        OK(rg_frame_encode(&frame, &bytes, &why));
        struct rg_frame back = {0};
        if (hashes == 0) {
            REFUSED(rg_frame_decode(rg_buffer_peek(&bytes), &back, &why), RG_LIMIT,
                    "wire-memory-limit");
            continue;
        }
        OK(rg_frame_decode(rg_buffer_peek(&bytes), &back, &why));
        assert_true(back.memory.capacity <=
                    RG_DECODE_CAP_BASE_BYTES + (RG_DECODE_CAP_FACTOR + 1) * bytes.len + 64);
        rg_frame_drop(&back);
    }
    sample_drop(&sample);
}

static void test_a_failed_encode_leaves_out_alone(void **state)
{
    (void)state;
    RG_OWNED_BUFFER out = {0};
    OK(rg_buffer_append_text(&out, "before", &why));
    struct rg_core core = sample_core(2, 1024);
    (void)snprintf(core.from_office, sizeof(core.from_office), "TH/focal");
    REFUSED(rg_core_encode(&core, &out, &why), RG_MALFORMED, "wire-syntax");
    core = sample_core(2, 1024);
    core.priority = (enum rg_priority)4;
    REFUSED(rg_core_encode(&core, &out, &why), RG_MALFORMED, "wire-value");
    core = sample_core(2, 1500);
    REFUSED(rg_core_encode(&core, &out, &why), RG_MALFORMED, "wire-padded-size");
    core = sample_core(0, 1024);
    REFUSED(rg_core_encode(&core, &out, &why), RG_MALFORMED, "wire-missing");
    core = sample_core(1, 1024);
    core.version = 2;
    REFUSED(rg_core_encode(&core, &out, &why), RG_MALFORMED, "wire-value");
    assert_true(rg_bytes_equal(rg_buffer_peek(&out), RG_BYTES_LITERAL("before")));
}

/* The linker sends every malloc of ours here: the one that `allocations_left` counts down to fails.
 */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
static int allocations_left = -1;

void *__wrap_malloc(size_t size)
{
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left -= allocations_left > 0;
    return __real_malloc(size);
}

static rg_outcome there_and_back(const struct rg_frame *frame, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    RG_OWNED_BUFFER again = {0};
    RG_CLEANUP(rg_frame_drop) struct rg_frame back = {0};
    RG_TRY(rg_frame_encode(frame, &bytes, why));
    RG_TRY(rg_frame_decode(rg_buffer_peek(&bytes), &back, why));
    return rg_frame_encode(&back, &again, why);
}

static void test_every_failed_allocation_is_said(void **state)
{
    (void)state;
    struct sample sample;
    sample_make(&sample);
    for (unsigned kind = RG_FRAME_HELLO; kind <= RG_FRAME_CHUNK; kind++) {
        struct rg_frame frame = sample_frame(&sample, (enum rg_frame_kind)kind);
        int failed = 0;
        for (int nth = 0;; nth++) {
            struct rg_reason why = {0};
            allocations_left = nth;
            rg_outcome outcome = there_and_back(&frame, &why);
            allocations_left = -1;
            if (rg_is_ok(outcome)) {
                break;
            }
            assert_int_equal(outcome.code, RG_IO);
            assert_string_equal(why.id, "out-of-memory");
            failed++;
        }
        assert_true(failed >= 3);
    }
    sample_drop(&sample);
}

/* Accepted or refused, an envelope that was touched is never taken for the one it was. */
static void touched_is_noticed(struct rg_bytes bytes, const struct rg_id *id)
{
    struct rg_envelope envelope;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_envelope_peek(bytes, &envelope, &why);
    if (rg_is_ok(outcome)) {
        assert_memory_not_equal(&envelope.id, id, sizeof(*id));
        return;
    }
    assert_true(outcome.code == RG_MALFORMED || outcome.code == RG_LIMIT);
    assert_int_equal(strncmp(why.id, "wire-", 5), 0);
}

static void test_every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct rg_core core = sample_core(2, 1024);
    RG_OWNED_BUFFER bytes = {0};
    sample_envelope(&core, 64, &bytes);
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, &why));
    for (size_t at = 0; at < bytes.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.data[at] ^= (uint8_t)(1 << bit);
            touched_is_noticed(rg_buffer_peek(&bytes), &envelope.id);
            bytes.data[at] ^= (uint8_t)(1 << bit);
        }
        touched_is_noticed(rg_bytes_of(bytes.data, at), &envelope.id);
    }
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, &why));
}

static void test_every_inserted_or_dropped_byte_is_noticed(void **state)
{
    (void)state;
    struct rg_core core = sample_core(2, 1024);
    RG_OWNED_BUFFER bytes = {0};
    sample_envelope(&core, 64, &bytes);
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, &why));
    uint8_t touched[2048];
    assert_true(bytes.len < sizeof(touched));
    for (size_t at = 0; at <= bytes.len; at++) {
        memcpy(touched, bytes.data, at);
        memcpy(touched + at + 1, bytes.data + at, bytes.len - at);
        static const uint8_t insert[] = {0, 1, 0x0a, 0x80, 0xff};
        for (size_t i = 0; i < COUNT(insert); i++) {
            touched[at] = insert[i];
            touched_is_noticed(rg_bytes_of(touched, bytes.len + 1), &envelope.id);
        }
        if (at < bytes.len) {
            memcpy(touched + at, bytes.data + at + 1, bytes.len - at - 1);
            touched_is_noticed(rg_bytes_of(touched, bytes.len - 1), &envelope.id);
        }
    }
}

static void test_sections_must_be_those_of_the_header(void **state)
{
    (void)state;
    struct rg_core core = sample_core(2, 1024);
    RG_OWNED_BUFFER bytes = {0};
    sample_envelope(&core, 64, &bytes);
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, &why));
    const struct {
        struct rg_bytes sealed[3];
        size_t count;
        const char *id;
    } row[] = {
        {{envelope.sealed[1], envelope.sealed[0]}, 2, "wire-digest"},
        {{envelope.sealed[0]}, 1, "wire-sections"},
        {{envelope.sealed[0], envelope.sealed[1], envelope.sealed[1]}, 3, "wire-sections"},
        {{envelope.sealed[0], {NULL, 0}}, 2, "wire-sections"},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        RG_OWNED_BUFFER changed = {0};
        struct rg_envelope back;
        OK(rg_envelope_encode(envelope.header, row[i].sealed, row[i].count, &changed, &why));
        REFUSED(rg_envelope_peek(rg_buffer_peek(&changed), &back, &why), RG_MALFORMED, row[i].id);
    }
    RG_OWNED_BUFFER header = {0};
    struct rg_envelope back;
    OK(rg_header_encode(envelope.core_bytes, envelope.section_digest, 1, &header, &why));
    REFUSED(rg_header_peek(rg_buffer_peek(&header), &back, &why), RG_MALFORMED, "wire-sections");
}

static void test_large_sections_travel_apart(void **state)
{
    (void)state;
    struct rg_core core = sample_core(1, 2 * RG_SECTION_INLINE_BYTES_MAX);
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER without = {0};
    RG_OWNED_BUFFER with = {0};
    struct rg_bytes sealed = RG_BYTES_LITERAL("sealed");
    struct rg_bytes none = {0};
    struct rg_hash digest = rg_sha256(sealed);
    OK(rg_core_encode(&core, &core_bytes, &why));
    OK(rg_header_encode(rg_buffer_peek(&core_bytes), &digest, 1, &header, &why));
    OK(rg_envelope_encode(rg_buffer_peek(&header), &none, 1, &without, &why));
    OK(rg_envelope_encode(rg_buffer_peek(&header), &sealed, 1, &with, &why));
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&without), &envelope, &why));
    assert_int_equal(envelope.sealed[0].len, 0);
    assert_memory_equal(&envelope.section_digest[0], &digest, 32);
    REFUSED(rg_envelope_peek(rg_buffer_peek(&with), &envelope, &why), RG_MALFORMED,
            "wire-sections");
}

static void test_an_envelope_fits_its_limit(void **state)
{
    (void)state;
    static uint8_t sealed[RG_SEALED_INLINE_BYTES_MAX + 1];
    RG_OWNED_BUFFER out = {0};
    struct rg_bytes parts[4];
    for (size_t i = 0; i < COUNT(parts); i++) {
        parts[i] = rg_bytes_of(sealed, RG_SEALED_INLINE_BYTES_MAX);
    }
    struct rg_bytes header = RG_BYTES_LITERAL("h");
    OK(rg_envelope_encode(header, parts, 3, &out, &why));
    rg_buffer_clear(&out);
    REFUSED(rg_envelope_encode(header, parts, 4, &out, &why), RG_LIMIT, "wire-length-limit");
    parts[0].len++;
    REFUSED(rg_envelope_encode(header, parts, 1, &out, &why), RG_LIMIT, "wire-length-limit");
    assert_int_equal(out.len, 0);
}

/* Content comes from whoever uses the library: too much of it is refused, and aborts nothing. */
static void test_more_than_any_section_is_refused(void **state)
{
    (void)state;
    const size_t bytes = RG_BUFFER_BYTES_MAX + (size_t)1;
    assert_int_equal(rg_padded_size(bytes), bytes);
    RG_OWNED_BUFFER out = {0};
    struct rg_section section = {.index = 1};
    REFUSED(rg_section_encode(&section, rg_padded_size(rg_section_bytes(bytes)), &out, &why),
            RG_LIMIT, "wire-length-limit");
}

static void test_the_largest_section_is_read_back(void **state)
{
    (void)state;
    RG_OWNED_BUFFER content = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_section section = {.index = 1};
    struct rg_section back;
    size_t len = RG_SECTION_BYTES_MAX - 1024;
    OK(rg_buffer_reserve(&content, len, &why));
    memset(content.data, 7, len);
    content.len = len;
    section.content = rg_buffer_peek(&content);
    OK(rg_section_encode(&section, RG_SECTION_BYTES_MAX, &bytes, &why));
    OK(rg_section_peek(rg_buffer_peek(&bytes), &back, &why));
    assert_true(rg_bytes_equal(back.content, section.content));
}

static void test_padded_sizes(void **state)
{
    (void)state;
    static const size_t row[][2] = {
        {0, 1024},        {1, 1024},          {1024, 1024},       {1025, 2048},
        {2049, 4096},     {4097, 8192},       {16384, 16384},     {32769, 65536},
        {65536, 65536},   {65537, 67584},     {67585, 69632},     {131072, 131072},
        {131073, 135168}, {1000000, 1015808}, {1048577, 1081344}, {33554432, 33554432},
    };
    for (size_t i = 0; i < COUNT(row); i++) {
        assert_int_equal(rg_padded_size(row[i][0]), row[i][1]);
        assert_int_equal(rg_padded_size(row[i][1]), row[i][1]);
    }
    size_t before = 0;
    for (size_t bytes = 0; bytes < 300000; bytes += 7) {
        size_t padded = rg_padded_size(bytes);
        assert_true(padded >= bytes && padded >= before);
        /* At most 12 % above 64 KiB: what Padme promises. */
        assert_true(bytes <= 65536 || padded - bytes <= bytes * 12 / 100);
        before = padded;
    }
}

static void section_comes_back(size_t content_len)
{
    static uint8_t content[70000];
    RG_OWNED_BUFFER bytes = {.secret = true};
    struct rg_section section = {.index = 3, .content = rg_bytes_of(content, content_len)};
    memset(section.core_digest.b, 0xd0, 32);
    memset(section.blinding, 0xd1, 32);
    size_t padded = rg_padded_size(rg_section_bytes(content_len));
    OK(rg_section_encode(&section, padded, &bytes, &why));
    assert_int_equal(bytes.len, padded);
    struct rg_section back;
    OK(rg_section_peek(rg_buffer_peek(&bytes), &back, &why));
    assert_int_equal(back.content.len, content_len);
    assert_int_equal(back.index, 3);
    assert_memory_equal(&back.core_digest, &section.core_digest, 32);
    assert_memory_equal(back.blinding, section.blinding, 32);
}

static void test_sections_fill_their_size_exactly(void **state)
{
    (void)state;
    for (size_t len = 0; len < 2200; len++) {
        section_comes_back(len);
    }
    for (size_t len = 16000; len < 16500; len++) {
        section_comes_back(len);
    }
    for (size_t len = 65300; len < 65600; len++) {
        section_comes_back(len);
    }
}

static void test_padding_is_checked(void **state)
{
    (void)state;
    RG_OWNED_BUFFER bytes = {0};
    struct rg_section section = {.content = RG_BYTES_LITERAL("content")};
    OK(rg_section_encode(&section, 1024, &bytes, &why));
    struct rg_section back;
    bytes.data[bytes.len - 1] = 1;
    REFUSED(rg_section_peek(rg_buffer_peek(&bytes), &back, &why), RG_MALFORMED, "wire-padding");
    rg_buffer_clear(&bytes);
    OK(rg_section_encode(&section, 1000, &bytes, &why));
    REFUSED(rg_section_peek(rg_buffer_peek(&bytes), &back, &why), RG_MALFORMED, "wire-padded-size");
    rg_buffer_clear(&bytes);
    size_t used = rg_section_bytes(7);
    REFUSED(rg_section_encode(&section, used - 1, &bytes, &why), RG_LIMIT, "wire-padding-limit");
    REFUSED(rg_section_encode(&section, used + 1, &bytes, &why), RG_LIMIT, "wire-padding-limit");
    REFUSED(rg_section_encode(&section, used + 130, &bytes, &why), RG_LIMIT, "wire-padding-limit");
    OK(rg_section_encode(&section, used, &bytes, &why));
    assert_int_equal(bytes.len, used);
}

static void test_a_commitment_binds_blinding_and_content(void **state)
{
    (void)state;
    char hex[65];
    uint8_t blinding[32];
    memset(blinding, 0xab, sizeof(blinding));
    struct rg_hash commitment = rg_section_commitment(blinding, RG_BYTES_LITERAL("content"));
    rg_hex(rg_bytes_of(commitment.b, 32), hex);
    assert_string_equal(hex, "3d387c89456c982740a6affe3bed7696d84af6ff383dbba1d31423373ac90b5f");
}

static void test_every_code_has_its_row(void **state)
{
    (void)state;
    static const uint32_t range[][2] = {{RG_REFUSE_NONE, RG_REFUSE_NO_PROOF},
                                        {RG_NOT_NOW_DISK_FULL, RG_NOT_NOW_NOTARY},
                                        {RG_FAULT_MALFORMED, RG_FAULT_VERSION}};
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(range); i++) {
        for (uint32_t code = range[i][0]; code <= range[i][1]; code++) {
            const struct rg_refusal_row *row = rg_refusal_row(code);
            assert_int_equal(row->code, code);
            assert_true(strlen(row->meaning) > 5 && strlen(row->what_next) > 5);
            for (size_t k = 0; k < count; k++) {
                assert_string_not_equal(names[k], row->name);
            }
            names[count++] = row->name;
        }
        assert_string_equal(rg_refusal_row(range[i][1] + 1)->name, "UNKNOWN");
    }
    assert_string_equal(rg_refusal_row(UINT32_MAX)->name, "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_table_fits_its_proto),
        cmocka_unit_test(test_an_envelope_comes_back),
        cmocka_unit_test(test_the_core_has_one_encoding),
        cmocka_unit_test(test_every_frame_comes_back),
        cmocka_unit_test(test_a_decoded_frame_owns_what_it_shows),
        cmocka_unit_test(test_hello_comes_back_field_by_field),
        cmocka_unit_test(test_receipts_come_back_alone),
        cmocka_unit_test(test_log_entries_come_back),
        cmocka_unit_test(test_local_messages_come_back),
        cmocka_unit_test(test_notary_messages_come_back),
        cmocka_unit_test(test_every_mutation_has_its_reason),
        cmocka_unit_test(test_utf8_is_checked),
        cmocka_unit_test(test_names_have_a_form),
        cmocka_unit_test(test_counts_and_lengths_are_bounded),
        cmocka_unit_test(test_memory_is_capped),
        cmocka_unit_test(test_a_failed_encode_leaves_out_alone),
        cmocka_unit_test(test_every_failed_allocation_is_said),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_every_inserted_or_dropped_byte_is_noticed),
        cmocka_unit_test(test_sections_must_be_those_of_the_header),
        cmocka_unit_test(test_large_sections_travel_apart),
        cmocka_unit_test(test_an_envelope_fits_its_limit),
        cmocka_unit_test(test_padded_sizes),
        cmocka_unit_test(test_more_than_any_section_is_refused),
        cmocka_unit_test(test_the_largest_section_is_read_back),
        cmocka_unit_test(test_sections_fill_their_size_exactly),
        cmocka_unit_test(test_padding_is_checked),
        cmocka_unit_test(test_a_commitment_binds_blinding_and_content),
        cmocka_unit_test(test_every_code_has_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
