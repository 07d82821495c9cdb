/* retention: the terms of each class, downwards only, holds of two officers, the note of a case. */
#include "client/retention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static struct rg_wall at(const char *text)
{
    struct rg_wall wall;
    assert_true(rg_is_ok(rg_wall_parse(text, &wall, NULL)));
    return wall;
}

static const struct rg_retention_terms standard;
static const struct rg_retention_note nothing;

static int64_t due(const struct rg_retention_case *c, enum rg_class class_)
{
    return rg_retention_due(&standard, c, &nothing).at[class_].ms;
}

static void test_months(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        unsigned months;
        const char *to;
    } rows[] = {
        {"2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"},
        {"2024-01-31T10:00:00Z", 1, "2024-02-29T10:00:00Z"},
        {"2026-08-31T23:59:59Z", 6, "2027-02-28T23:59:59Z"},
        {"2026-11-25T00:00:00Z", 24, "2028-11-25T00:00:00Z"},
        {"2026-12-31T12:00:00Z", 12, "2027-12-31T12:00:00Z"},
        {"2026-06-15T01:02:03Z", 6, "2026-12-15T01:02:03Z"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rg_wall_months_later(at(rows[i].from), rows[i].months).ms,
                         at(rows[i].to).ms);
    }
}

static void test_d18_each_class(void **state)
{
    (void)state;
    const struct rg_retention_case c = {.end = RG_END_CLOSED, .since = at("2026-11-25T08:00:00Z")};
    const int64_t half_year = at("2027-05-25T08:00:00Z").ms;
    const int64_t two_years = at("2028-11-25T08:00:00Z").ms;
    assert_int_equal(due(&c, RG_CLASS_SECURITY), half_year);
    assert_int_equal(due(&c, RG_CLASS_FAMILY), half_year);
    assert_int_equal(due(&c, RG_CLASS_HEALTH), half_year);
    assert_int_equal(due(&c, RG_CLASS_IDENTITY), two_years);
    assert_int_equal(due(&c, RG_CLASS_CASE), two_years);
    assert_int_equal(due(&c, RG_CLASS_LEGAL), at("2027-11-25T08:00:00Z").ms);
}

static void test_d18_legal_counts_from_the_end_of_proceedings(void **state)
{
    (void)state;
    struct rg_retention_case c = {.end = RG_END_CLOSED,
                                  .since = at("2026-11-25T08:00:00Z"),
                                  .proceedings_end = at("2027-03-01T00:00:00Z")};
    assert_int_equal(due(&c, RG_CLASS_LEGAL), at("2028-03-01T00:00:00Z").ms);
    assert_int_equal(due(&c, RG_CLASS_HEALTH), at("2027-05-25T08:00:00Z").ms);
    c.proceedings_end = at("2025-03-01T00:00:00Z"); /* over before the case was closed */
    assert_int_equal(due(&c, RG_CLASS_LEGAL), at("2027-11-25T08:00:00Z").ms);
}

static void test_d18_d26_thirty_days(void **state)
{
    (void)state;
    static const enum rg_retention_end ends[] = {RG_END_DECLINED, RG_END_CANCELLED,
                                                 RG_END_NOT_VICTIM};
    for (size_t i = 0; i < 3; i++) {
        const struct rg_retention_case c = {.end = ends[i], .since = at("2026-11-25T08:00:00Z")};
        for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
            assert_int_equal(due(&c, (enum rg_class)class_), c.since.ms + 30 * DAY_MS);
        }
    }
}

static void test_nothing_is_due_of_an_open_case(void **state)
{
    (void)state;
    const struct rg_retention_case c = {.since = {1}};
    const struct rg_retention_due all = rg_retention_due(&standard, &c, &nothing);
    assert_int_equal(rg_retention_now(&all, (struct rg_wall){INT64_MAX}), 0);
}

static void test_due_now(void **state)
{
    (void)state;
    struct rg_retention_case c = {.end = RG_END_CLOSED, .since = at("2026-11-25T08:00:00Z")};
    struct rg_retention_due all = rg_retention_due(&standard, &c, &nothing);
    assert_int_equal(rg_retention_now(&all, (struct rg_wall){at("2027-05-25T08:00:00Z").ms - 1}),
                     0);
    assert_int_equal(rg_retention_now(&all, at("2027-05-25T08:00:00Z")),
                     RG_CLASS_BIT(RG_CLASS_SECURITY) | RG_CLASS_BIT(RG_CLASS_FAMILY) |
                         RG_CLASS_BIT(RG_CLASS_HEALTH));
    assert_int_equal(rg_retention_now(&all, at("2028-11-25T08:00:00Z")), RG_CLASSES_ALL);
    struct rg_retention_note note = {0};
    c.erased_classes = RG_CLASS_BIT(RG_CLASS_HEALTH);
    note.erased[RG_CLASS_HEALTH].at.ms = c.since.ms - 1; /* it may have come again since */
    all = rg_retention_due(&standard, &c, &note);
    assert_int_equal(rg_retention_now(&all, at("2027-05-25T08:00:00Z")),
                     RG_CLASS_BIT(RG_CLASS_SECURITY) | RG_CLASS_BIT(RG_CLASS_FAMILY) |
                         RG_CLASS_BIT(RG_CLASS_HEALTH));
    note.erased[RG_CLASS_HEALTH].at.ms = c.since.ms;
    all = rg_retention_due(&standard, &c, &note);
    assert_int_equal(rg_retention_now(&all, at("2027-05-25T08:00:00Z")),
                     RG_CLASS_BIT(RG_CLASS_SECURITY) | RG_CLASS_BIT(RG_CLASS_FAMILY));
}

/* ---- configuration ---- */

static rg_outcome terms_of(const char *text, struct rg_retention_terms *out, struct rg_reason *why)
{
    RG_CLEANUP(rg_settings_cleanup) struct rg_settings *settings = NULL;
    assert_true(rg_is_ok(rg_settings_parse(rg_bytes_of_text(text), 4096, &settings, why)));
    return rg_retention_terms_read(rg_settings_root(settings), out, why);
}

static void test_d18_configuration_only_shortens(void **state)
{
    (void)state;
    struct rg_retention_terms terms;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(terms_of("office = \"th/focal\";", &terms, &why)));
    assert_true(rg_is_ok(terms_of(
        "retention = { health = \"30d\"; sealed = \"7d\"; case = \"1h\"; };", &terms, &why)));
    assert_int_equal(terms.days[RG_CLASS_HEALTH], 30);
    assert_int_equal(terms.days[RG_TERM_SEALED], 7);
    assert_int_equal(terms.days[RG_CLASS_CASE], 1);
    const struct rg_retention_case c = {.end = RG_END_CLOSED, .since = at("2026-11-25T08:00:00Z")};
    const struct rg_retention_due all = rg_retention_due(&terms, &c, &nothing);
    assert_int_equal(all.at[RG_CLASS_HEALTH].ms, c.since.ms + 30 * DAY_MS);
    assert_int_equal(all.at[RG_CLASS_FAMILY].ms, at("2027-05-25T08:00:00Z").ms);
    assert_int_equal(rg_retention_sealed(&terms, c.since).ms, c.since.ms + 7 * DAY_MS);
    assert_int_equal(rg_retention_sealed(&standard, c.since).ms,
                     c.since.ms + RG_MESSAGE_DAYS_MAX * DAY_MS);
    for (unsigned term = 1; term < RG_TERM_COUNT; term++) {
        const struct rg_retention_row *row = rg_retention_row(term);
        char text[96];
        (void)snprintf(text, sizeof(text), "retention = { %s = \"%ud\"; };", row->name,
                       row->days + 1);
        assert_int_equal(terms_of(text, &terms, &why).code, RG_MALFORMED);
        assert_string_equal(why.id, "retention-longer");
        (void)snprintf(text, sizeof(text), "retention = { %s = \"%ud\"; };", row->name, row->days);
        assert_true(rg_is_ok(terms_of(text, &terms, &why)));
    }
    assert_int_equal(terms_of("retention = { heath = \"3d\"; };", &terms, &why).code, RG_MALFORMED);
}

/* The longest configured number of days is never later than the calendar term. */
static void test_days_never_exceed_months(void **state)
{
    (void)state;
    struct rg_retention_terms terms = standard;
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        terms.days[class_] = rg_retention_row(class_)->days;
    }
    for (int day = 0; day < 1500; day += 7) {
        const struct rg_retention_case c = {.end = RG_END_CLOSED,
                                            .since = {(int64_t)(20000 + day) * DAY_MS}};
        const struct rg_retention_due configured = rg_retention_due(&terms, &c, &nothing);
        const struct rg_retention_due calendar = rg_retention_due(&standard, &c, &nothing);
        for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
            assert_true(configured.at[class_].ms <= calendar.at[class_].ms);
        }
    }
}

/* ---- holds ---- */

static void test_d25_a_hold_needs_two_officers(void **state)
{
    (void)state;
    struct rg_retention_note note = {0};
    struct rg_reason why = {0};
    const struct rg_wall now = at("2026-11-25T08:00:00Z");
    struct rg_retention_hold hold = {.class_ = RG_CLASS_LEGAL,
                                     .until = at("2031-01-01T00:00:00Z"),
                                     .basis = "court order",
                                     .officer = {"referral://th/focal/officer-1", ""}};
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
    (void)snprintf(hold.officer[1], sizeof(hold.officer[1]), "%s", hold.officer[0]);
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
    assert_string_equal(why.id, "retention-officers");
    (void)snprintf(hold.officer[1], sizeof(hold.officer[1]), "referral://th/focal/officer-2");
    assert_true(rg_is_ok(rg_retention_hold_set(&note, &hold, now, &why)));

    const struct rg_retention_case c = {.end = RG_END_CLOSED, .since = now};
    const struct rg_retention_due all = rg_retention_due(&standard, &c, &note);
    assert_int_equal(all.at[RG_CLASS_LEGAL].ms, hold.until.ms);
    assert_int_equal(all.at[RG_CLASS_CASE].ms, at("2028-11-25T08:00:00Z").ms);
    hold.until = at("2030-01-01T00:00:00Z");
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
    hold.until = now;
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
    hold.until = at("2032-01-01T00:00:00Z");
    hold.basis[0] = '\0';
    assert_int_equal(rg_retention_hold_set(&note, &hold, now, &why).code, RG_DENIED);
}

static void test_note_reads_back(void **state)
{
    (void)state;
    struct rg_retention_note note = {0};
    struct rg_retention_note back;
    RG_OWNED_BUFFER bytes = {0};
    RG_OWNED_BUFFER empty = {0};
    note.erased[RG_CLASS_HEALTH].at.ms = 77;
    note.erased[RG_CLASS_HEALTH].reason = RG_ERASED_WITHDRAWAL;
    note.hold[RG_CLASS_LEGAL] = (struct rg_retention_hold){
        .class_ = RG_CLASS_LEGAL, .until = {99}, .basis = "b", .officer = {"one", "two"}};
    assert_true(rg_is_ok(rg_retention_note_encode(&note, &bytes, NULL)));
    assert_true(rg_is_ok(rg_retention_note_encode(&nothing, &empty, NULL)));
    assert_int_equal(bytes.len, empty.len);
    assert_true(rg_is_ok(rg_retention_note_decode(rg_buffer_peek(&bytes), &back, NULL)));
    assert_int_equal(back.erased[RG_CLASS_HEALTH].at.ms, 77);
    assert_int_equal(back.erased[RG_CLASS_HEALTH].reason, RG_ERASED_WITHDRAWAL);
    assert_int_equal(back.hold[RG_CLASS_LEGAL].until.ms, 99);
    assert_string_equal(back.hold[RG_CLASS_LEGAL].officer[1], "two");
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(rg_retention_note_decode(rg_bytes_of(bytes.data, len), &back, NULL).code,
                         RG_BROKEN);
    }
}

/* docs/retention.md says the same as the table. */
static void test_docs(void **state)
{
    (void)state;
    RG_OWNED_BUFFER page = {0};
    assert_true(rg_is_ok(
        rg_file_read(RG_SOURCE_DIR "/docs/retention.md", (size_t)256 * 1024, &page, NULL)));
    assert_true(rg_is_ok(rg_buffer_append(&page, rg_bytes_of("", 1), NULL)));
    for (unsigned term = 1; term < RG_TERM_COUNT; term++) {
        const struct rg_retention_row *row = rg_retention_row(term);
        char kept[64];
        char key[64];
        (void)snprintf(key, sizeof(key), "| `%s` | %ud |", row->name, row->days);
        (void)snprintf(kept, sizeof(kept), "| %u %s |", row->months > 0 ? row->months : row->days,
                       row->months > 0 ? "months" : "days");
        const char *at = strstr((const char *)page.data, key);
        assert_non_null(at);
        while (at > (const char *)page.data && at[-1] != '\n') {
            at--;
        }
        const char *found = strstr(at, kept);
        assert_true(found != NULL && found < strchr(at, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_d18_each_class),
        cmocka_unit_test(test_d18_legal_counts_from_the_end_of_proceedings),
        cmocka_unit_test(test_d18_d26_thirty_days),
        cmocka_unit_test(test_nothing_is_due_of_an_open_case),
        cmocka_unit_test(test_due_now),
        cmocka_unit_test(test_d18_configuration_only_shortens),
        cmocka_unit_test(test_days_never_exceed_months),
        cmocka_unit_test(test_d25_a_hold_needs_two_officers),
        cmocka_unit_test(test_note_reads_back),
        cmocka_unit_test(test_docs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
