/* zmtp: the guard passes what libzmq says and nothing else, however the stream is cut. */
#include "core/zmtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Recorded from a DEALER of libzmq 4.3.4: greeting, READY, "hello", 300 bytes long form, PING. */
static const uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'N', 'U', 'L', 'L'};
static const uint8_t ready[] = "\x04\x29\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                               "DEALER\x08Identity\x00\x00\x00";
static const uint8_t hello[] = "\x00\x05hello";
static const uint8_t ping[] = "\x04\x07\x04PING\x00";
static const uint8_t pong[] = "\x04\x05\x04PONG";
static const uint8_t error[] = "\x04\x0a\x05"
                               "ERROR\x03"
                               "bad";
/* The arrays above end with the NUL of C; `ready` and `ping` need it, the others do not. */
#define ALL(array) rg_bytes_of(array, sizeof(array))
#define NO_NUL(array) rg_bytes_of(array, sizeof(array) - 1)

static void put(struct rg_buffer *stream, struct rg_bytes bytes)
{
    assert_true(rg_is_ok(rg_buffer_append(stream, bytes, NULL)));
}

static void put_long(struct rg_buffer *stream, uint8_t flags, uint64_t size, size_t body)
{
    uint8_t head[9] = {flags};
    for (size_t i = 0; i < 8; i++) {
        head[1 + i] = (uint8_t)(size >> (56 - 8 * i));
    }
    put(stream, ALL(head));
    assert_true(rg_is_ok(rg_buffer_reserve(stream, body, NULL)));
    memset(stream->data + stream->len, 'x', body);
    stream->len += body;
}

static void begin(struct rg_buffer *stream)
{
    put(stream, ALL(greeting));
    put(stream, ALL(ready));
}

/* Feeds in runs of `step` bytes; the reason id, or NULL when all passed. */
static const char *feed(struct rg_guard *guard, struct rg_bytes bytes, size_t step)
{
    struct rg_reason why = {0};
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t len = bytes.len - at < step ? bytes.len - at : step;
        rg_outcome outcome = rg_guard_feed(guard, rg_bytes_of(bytes.data + at, len), &why);
        if (!rg_is_ok(outcome)) {
            assert_int_equal(outcome.code,
                             strcmp(why.id, "zmtp-frame-too-large") == 0 ? RG_LIMIT : RG_MALFORMED);
            return why.id;
        }
    }
    return NULL;
}

/* Every cut of the stream must give the same answer. */
static void expect(const struct rg_buffer *stream, const char *id, uint64_t messages)
{
    static const size_t step[] = {1, 2, 3, 7, 64, 1000, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
        struct rg_guard guard = {0};
        const char *got = feed(&guard, rg_buffer_peek(stream), step[i]);
        if (id == NULL) {
            assert_null(got);
            assert_int_equal(guard.messages, messages);
            continue;
        }
        assert_non_null(got);
        assert_string_equal(got, id);
        assert_int_equal(guard.messages, messages);
        assert_string_equal(feed(&guard, NO_NUL(hello), 1), id);
    }
}

static void test_what_libzmq_says_passes(void **state)
{
    (void)state;
    RG_OWNED_BUFFER stream = {0};
    begin(&stream);
    put(&stream, NO_NUL(hello));
    put_long(&stream, 2, 300, 300);
    put(&stream, ALL(ping));
    put(&stream, NO_NUL(pong));
    put(&stream, RG_BYTES_LITERAL("\x00\x00"));
    put(&stream, NO_NUL(error));
    expect(&stream, NULL, 3);
}

static void test_each_byte_of_the_greeting_counts(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof(greeting); at++) {
        uint8_t bytes[sizeof(greeting)];
        memcpy(bytes, greeting, sizeof(bytes));
        bytes[at] ^= 0x40;
        RG_OWNED_BUFFER stream = {0};
        put(&stream, ALL(bytes));
        bool free_byte = (at > 0 && at < 9) || at == 11; /* padding, minor version */
        const char *id = at == 10             ? "zmtp-version"
                         : at > 11 && at < 32 ? "zmtp-mechanism"
                                              : "zmtp-greeting";
        expect(&stream, free_byte ? NULL : id, 0);
    }
}

static void test_other_protocols_are_refused_early(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *id;
    } row[] = {{"GET / HTTP/1.1\r\n", "zmtp-greeting"},
               {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", "zmtp-greeting"},
               {"\xff\x01\x01\x01\x01\x01\x01\x01\x01\x7f\x01\x01", "zmtp-version"}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rg_guard guard = {0};
        struct rg_bytes bytes = rg_bytes_of(row[i].text, i == 1 ? 10 : strlen(row[i].text));
        assert_string_equal(feed(&guard, bytes, 1), row[i].id);
    }
}

static void test_one_ready_first(void **state)
{
    (void)state;
    RG_OWNED_BUFFER none = {0};
    put(&none, ALL(greeting));
    put(&none, NO_NUL(hello));
    expect(&none, "zmtp-ready", 0);

    RG_OWNED_BUFFER second = {0};
    begin(&second);
    put(&second, NO_NUL(hello));
    put(&second, ALL(ready));
    expect(&second, "zmtp-ready", 1);

    RG_OWNED_BUFFER error_first = {0};
    put(&error_first, ALL(greeting));
    put(&error_first, NO_NUL(error));
    put(&error_first, NO_NUL(hello));
    expect(&error_first, "zmtp-ready", 0);
}

static void ready_of(struct rg_buffer *stream, uint64_t size)
{
    put(stream, ALL(greeting));
    put_long(stream, 4 | 2, size, 0);
    put(stream, RG_BYTES_LITERAL("\x05READY"));
    for (uint64_t i = 6; i < size; i++) {
        put(stream, RG_BYTES_LITERAL("m"));
    }
}

static void test_ready_is_bounded(void **state)
{
    (void)state;
    RG_OWNED_BUFFER fits = {0};
    ready_of(&fits, RG_ZMTP_READY_BYTES_MAX);
    expect(&fits, NULL, 0);
    RG_OWNED_BUFFER too_long = {0};
    ready_of(&too_long, RG_ZMTP_READY_BYTES_MAX + 1);
    expect(&too_long, "zmtp-ready", 0);
}

static void test_multipart_is_refused_at_its_first_frame(void **state)
{
    (void)state;
    RG_OWNED_BUFFER stream = {0};
    begin(&stream);
    put(&stream, RG_BYTES_LITERAL("\x01\x01x"));
    expect(&stream, "zmtp-more", 0);
}

static void test_endless_multipart_keeps_nothing(void **state)
{
    (void)state;
    RG_OWNED_BUFFER stream = {0};
    begin(&stream);
    struct rg_guard guard = {0};
    assert_null(feed(&guard, rg_buffer_peek(&stream), 5));
    for (int i = 0; i < 1000; i++) {
        struct rg_reason why = {0};
        rg_outcome outcome = rg_guard_feed(&guard, RG_BYTES_LITERAL("\x01\x01x"), &why);
        assert_int_equal(outcome.code, RG_MALFORMED);
        assert_string_equal(why.id, "zmtp-more");
    }
    assert_int_equal(guard.messages, 0);
}

static void test_frames_are_bounded_before_their_body(void **state)
{
    (void)state;
    RG_OWNED_BUFFER fits = {0};
    begin(&fits);
    put_long(&fits, 2, RG_FRAME_BYTES_MAX, RG_FRAME_BYTES_MAX);
    expect(&fits, NULL, 1);
    static const uint64_t size[] = {RG_FRAME_BYTES_MAX + 1, UINT64_C(1) << 32, UINT64_MAX};
    for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
        RG_OWNED_BUFFER stream = {0};
        begin(&stream);
        put_long(&stream, 2, size[i], 0);
        expect(&stream, "zmtp-frame-too-large", 0);
    }
}

static void test_unknown_flags_and_commands_are_refused(void **state)
{
    (void)state;
    const struct {
        struct rg_bytes bytes;
        const char *id;
    } row[] = {
        {RG_BYTES_LITERAL("\x08\x01x"), "zmtp-flags"},
        {RG_BYTES_LITERAL("\x80\x01x"), "zmtp-flags"},
        {RG_BYTES_LITERAL("\x05\x05\x04PING"), "zmtp-more"},
        {RG_BYTES_LITERAL("\x04\x00"), "zmtp-command"},
        {RG_BYTES_LITERAL("\x04\x03\x04PI"), "zmtp-command"},
        {RG_BYTES_LITERAL("\x04\x0a\x09SUBSCRIBE"), "zmtp-command"},
        {RG_BYTES_LITERAL("\x04\x06\x05HELLO"), "zmtp-command"},
        {RG_BYTES_LITERAL("\x04\x05\x04ping"), "zmtp-command"},
        {RG_BYTES_LITERAL("\x04\xff\x04PING"), "zmtp-command"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        RG_OWNED_BUFFER stream = {0};
        begin(&stream);
        put(&stream, row[i].bytes);
        expect(&stream, row[i].id, 0);
    }
}

/* A guard that fails on nothing would pass all of the above's negatives if feed() were broken. */
static void test_a_cut_stream_waits(void **state)
{
    (void)state;
    RG_OWNED_BUFFER stream = {0};
    begin(&stream);
    put(&stream, NO_NUL(hello));
    for (size_t cut = 0; cut < stream.len; cut++) {
        struct rg_guard guard = {0};
        assert_null(feed(&guard, rg_bytes_of(stream.data, cut), 9));
        assert_int_equal(guard.messages, 0);
        assert_null(feed(&guard, rg_bytes_of(stream.data + cut, stream.len - cut), 9));
        assert_int_equal(guard.messages, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_libzmq_says_passes),
        cmocka_unit_test(test_each_byte_of_the_greeting_counts),
        cmocka_unit_test(test_other_protocols_are_refused_early),
        cmocka_unit_test(test_one_ready_first),
        cmocka_unit_test(test_ready_is_bounded),
        cmocka_unit_test(test_multipart_is_refused_at_its_first_frame),
        cmocka_unit_test(test_endless_multipart_keeps_nothing),
        cmocka_unit_test(test_frames_are_bounded_before_their_body),
        cmocka_unit_test(test_unknown_flags_and_commands_are_refused),
        cmocka_unit_test(test_a_cut_stream_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
