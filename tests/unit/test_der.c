/* der: what is written is read; every other form of a length, and every cut, is refused. */
#include "core/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_lengths_go_round_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        size_t content, header;
    } row[] = {{0, 2},   {1, 2},     {127, 2},   {128, 3},    {255, 3},
               {256, 4}, {65535, 4}, {65536, 5}, {1048576, 5}};
    uint8_t *content = calloc(1, 1048576);
    assert_non_null(content);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        RG_OWNED_BUFFER out = {0};
        struct rg_bytes back;
        struct rg_bytes text = rg_bytes_of(content, row[i].content);
        assert_true(rg_is_ok(rg_der_put_element(&out, RG_DER_OCTETS, text, NULL)));
        assert_int_equal(out.len, row[i].header + row[i].content);
        assert_int_equal(rg_der_element_bytes(row[i].content), out.len);
        assert_true(rg_der_take_only(rg_buffer_peek(&out), RG_DER_OCTETS, &back));
        assert_int_equal(back.len, row[i].content);
        assert_false(rg_der_take_only(rg_buffer_peek(&out), RG_DER_SET, &back));
        assert_false(rg_der_take_only(rg_bytes_of(out.data, out.len - 1), RG_DER_OCTETS, &back));
    }
    free(content);
}

static void test_other_lengths_are_refused(void **state)
{
    (void)state;
    const struct rg_bytes bad[] = {
        RG_BYTES_LITERAL(""),
        RG_BYTES_LITERAL("\x04"),
        RG_BYTES_LITERAL("\x04\x80"),                     /* indefinite */
        RG_BYTES_LITERAL("\x04\x80\x00\x00"),             /* indefinite, ended */
        RG_BYTES_LITERAL("\x04\x81\x01x"),                /* longer than need be */
        RG_BYTES_LITERAL("\x04\x82\x00\x01x"),            /* leading zero */
        RG_BYTES_LITERAL("\x04\x82\x01"),                 /* cut in the length */
        RG_BYTES_LITERAL("\x04\x84\xff\xff\xff\xff"),     /* beyond the end */
        RG_BYTES_LITERAL("\x04\x85\x01\x00\x00\x00\x00"), /* five bytes of length */
        RG_BYTES_LITERAL("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff"),
        RG_BYTES_LITERAL("\x04\xff"),
        RG_BYTES_LITERAL("\x04\x01xx"), /* something after it */
    };
    struct rg_bytes out;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(rg_der_take_only(bad[i], RG_DER_OCTETS, &out));
    }
}

static void test_pieces_and_holes(void **state)
{
    (void)state;
    struct rg_bytes in = RG_BYTES_LITERAL("\x02\x01\x05"
                                          "abc"
                                          "\x04\x01z");
    struct rg_bytes hole, rest;
    assert_false(rg_der_take_literal(&in, RG_BYTES_LITERAL("\x02\x01\x06")));
    assert_true(rg_der_take_literal(&in, RG_BYTES_LITERAL("\x02\x01\x05")));
    assert_true(rg_der_take_hole(&in, 3, &hole));
    assert_memory_equal(hole.data, "abc", 3);
    assert_false(rg_der_take_hole(&in, 4, &rest));
    assert_true(rg_der_take_only(in, RG_DER_OCTETS, &rest));
    assert_true(rg_der_take_element(&in, RG_DER_OCTETS, &rest));
    assert_int_equal(in.len, 0);
    assert_false(rg_der_take_element(&in, RG_DER_OCTETS, &rest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_go_round_in_their_shortest_form),
        cmocka_unit_test(test_other_lengths_are_refused),
        cmocka_unit_test(test_pieces_and_holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
