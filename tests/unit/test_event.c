/* event: the table is whole, a line is one line, nothing foreign gets in, floods are bounded. */
#include "gateway/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int pipe_fd[2];
static char text[65536];

static int start(void **state)
{
    (void)state;
    assert_int_equal(pipe(pipe_fd), 0);
    rg_event_redirect(pipe_fd[1]);
    rg_event_open("courier");
    return 0;
}

static int end(void **state)
{
    (void)state;
    rg_event_redirect(STDERR_FILENO);
    (void)close(pipe_fd[0]);
    (void)close(pipe_fd[1]);
    return 0;
}

/* What was written since the last call; the caller knows that there is something. */
static const char *written(void)
{
    ssize_t n = read(pipe_fd[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    return text;
}

static size_t lines_in(const char *lines)
{
    size_t n = 0;
    for (; *lines != '\0'; lines++) {
        n += *lines == '\n';
    }
    return n;
}

static void test_every_row_is_whole_and_ids_differ(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_EVENT_COUNT; i++) {
        const struct rg_event_row *row = rg_event_row((enum rg_event_id)i);
        assert_non_null(row->id);
        assert_true(strlen(row->meaning) > 5);
        assert_true(strlen(row->what_next) > 5);
        assert_int_equal(strspn(row->id, "abcdefghijklmnopqrstuvwxyz-"), strlen(row->id));
        if (row->level == RG_LEVEL_ERROR) {
            assert_string_not_equal(row->what_next, "nothing");
        }
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(row->id, rg_event_row((enum rg_event_id)j)->id);
        }
    }
}

static void test_a_line_has_the_fields_of_its_row_only(void **state)
{
    (void)state;
    uint8_t session[12] = {0xab, 0xcd};
    rg_event_clock((struct rg_mono){.ms = 0});
    rg_event(RG_EVENT_SESSION_UP, .peer = "referral://kh/gateway", .session = session,
             .dialled = true, .path = "/not/in/this/row", .count = 7);
    const char *line = written();
    assert_int_equal(lines_in(line), 1);
    assert_int_equal(strncmp(line, "time=20", 7), 0);
    assert_non_null(strstr(line, "Z level=info event=session-up process=courier "
                                 "peer=referral://kh/gateway session=abcd00000000000000000000 "
                                 "dialled=yes\n"));
}

static void test_a_reason_is_quoted_and_cleaned(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    rg_event_clock((struct rg_mono){.ms = 0});
    assert_int_equal(rg_fail(&why, RG_IO, "disk-full", "a \"b\"\n\x1b[31m c").code, RG_IO);
    rg_event(RG_EVENT_COURIER_FAILED, .outcome = &why);
    const char *line = written();
    assert_int_equal(lines_in(line), 1);
    assert_non_null(strstr(line, " reason=disk-full why=\"a ?b???[31m c\"\n"));
}

static void test_a_value_is_cut(void **state)
{
    (void)state;
    char endless[4000];
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    rg_event_clock((struct rg_mono){.ms = 0});
    rg_event(RG_EVENT_SESSION_REFUSED, .peer = endless, .reason = "certificate-expired");
    const char *line = written();
    assert_true(strlen(line) < 600);
    assert_non_null(strstr(line, " reason=certificate-expired\n"));
}

static void test_a_flood_is_bounded_and_counted(void **state)
{
    (void)state;
    rg_event_clock((struct rg_mono){.ms = 1000});
    for (int i = 0; i < 1000; i++) {
        rg_event(RG_EVENT_FRAME_REFUSED, .reason = "wire-form");
    }
    assert_int_equal(lines_in(written()), RG_EVENT_BURST);
    rg_event(RG_EVENT_LINK_LOST, .count = 1); /* another event is not silenced */
    assert_int_equal(lines_in(written()), 1);
    rg_event_clock((struct rg_mono){.ms = 2000});
    for (int i = 0; i < 1000; i++) {
        rg_event(RG_EVENT_FRAME_REFUSED, .reason = "wire-form");
    }
    const char *lines = written();
    assert_int_equal(lines_in(lines), RG_EVENT_PER_SECOND);
    assert_non_null(strstr(lines, " suppressed=900\n"));
}

static void test_levels(void **state)
{
    (void)state;
    rg_event_clock((struct rg_mono){.ms = 0});
    rg_event_level(RG_LEVEL_WARN);
    rg_event(RG_EVENT_SESSION_READY, .peer = "referral://kh/gateway");
    rg_event(RG_EVENT_CLOCK_SKEW, .peer = "referral://kh/gateway", .span_ms = -7200000);
    rg_event_level(RG_LEVEL_INFO);
    const char *line = written();
    assert_int_equal(lines_in(line), 1);
    assert_non_null(strstr(line, "level=warn event=clock-skew"));
    assert_non_null(strstr(line, " ms=-7200000\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_whole_and_ids_differ),
        cmocka_unit_test_setup_teardown(test_a_line_has_the_fields_of_its_row_only, start, end),
        cmocka_unit_test_setup_teardown(test_a_reason_is_quoted_and_cleaned, start, end),
        cmocka_unit_test_setup_teardown(test_a_value_is_cut, start, end),
        cmocka_unit_test_setup_teardown(test_a_flood_is_bounded_and_counted, start, end),
        cmocka_unit_test_setup_teardown(test_levels, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
