/* wire: the tables fit the .proto files, and every frame comes back as it went out. */
#include "core/digest.h"
#include "core/wire_shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call)                                                                                   \
    do {                                                                                           \
        struct rg_reason why_ = {0};                                                               \
        rg_outcome outcome_ = (call);                                                              \
        if (!rg_is_ok(outcome_)) {                                                                 \
            fail_msg("%s: %s (%s)", #call, rg_code_name(outcome_.code), why_.text);                \
        }                                                                                          \
    } while (0)
#define WHY (&why_)

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
#define SHAPES (sizeof(all_shapes) / sizeof(all_shapes[0]))

static void test_every_table_fits_its_proto(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) {
        OK(rg_codec_shape_check(all_shapes[i], WHY));
    }
}

/* Fixed inputs: the golden envelope of these tests. */
static struct rg_core core_of(size_t sections, size_t padded)
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
        core.section[i].office_count = 1;
        memcpy(core.section[i].office[0], "kh/focal", 9);
        core.section[i].padded_bytes = (uint32_t)padded;
        memset(core.section[i].commitment, (int)(0x30 + i), 32);
    }
    return core;
}

static void envelope_make(const struct rg_core *core, size_t sealed_len, struct rg_buffer *out)
{
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER body = {0};
    OK(rg_buffer_reserve(&body, sealed_len, WHY));
    memset(body.data, 0x5a, sealed_len);
    struct rg_bytes sealed[RG_SECTIONS_MAX];
    struct rg_hash digest[RG_SECTIONS_MAX];
    for (size_t i = 0; i < core->section_count; i++) {
        sealed[i] = rg_bytes_of(body.data, sealed_len - i);
        digest[i] = rg_sha256(sealed[i]);
    }
    OK(rg_core_encode(core, &core_bytes, WHY));
    OK(rg_header_encode(rg_buffer_peek(&core_bytes), digest, core->section_count, &header, WHY));
    OK(rg_envelope_encode(rg_buffer_peek(&header), sealed, core->section_count, out, WHY));
}

static void test_an_envelope_comes_back(void **state)
{
    (void)state;
    struct rg_core core = core_of(3, 4096);
    RG_OWNED_BUFFER bytes = {0};
    envelope_make(&core, 100, &bytes);
    struct rg_envelope envelope;
    OK(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, WHY));
    assert_memory_equal(&envelope.core, &core, offsetof(struct rg_core, section));
    assert_int_equal(envelope.core.section_count, 3);
    assert_int_equal(envelope.sealed[2].len, 98);
    assert_true(envelope.sealed[0].data > bytes.data &&
                envelope.sealed[0].data < bytes.data + bytes.len);
    RG_OWNED_BUFFER again = {0};
    OK(rg_core_encode(&envelope.core, &again, WHY));
    assert_true(rg_bytes_equal(rg_buffer_peek(&again), envelope.core_bytes));
    struct rg_id id = rg_header_id(envelope.header);
    assert_memory_equal(&id, &envelope.id, sizeof(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_table_fits_its_proto),
        cmocka_unit_test(test_an_envelope_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
