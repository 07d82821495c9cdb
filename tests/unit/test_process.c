/* process: every row of the table, what is void and why, messages that cross, any order of arrival,
 * whose move it is, what the library owes. */
#include "tests/unit/process_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *words, enum rg_process_state state)
{
    struct rg_process p = words_of(words);
    if (p.state != state) {
        fail_msg("%s: %s, not %s", words, rg_process_state_name(p.state),
                 rg_process_state_name(state));
    }
}

static void expect_void(const char *words, enum rg_void reason)
{
    struct talk talk;
    words_start(&talk);
    words_say(&talk, words);
    (void)words_fold(&talk);
    if (words_last(&talk)->reason != reason) {
        fail_msg("%s: the last is %s, not %s", words, rg_void_name(words_last(&talk)->reason),
                 rg_void_name(reason));
    }
}

/* What was written before, and the row that the last word meets. */
static const struct {
    const char *row, *words;
} paths[] = {
    {"notice", "H10"},
    {"request", "H11"},
    {"request", "H10 H11"},
    {"request-late", "O11:LATE"},
    {"request-again", "H11 O13 H11"},
    {"onward-first", "H70:ONWARD"},
    {"emergency", "H49"},
    {"emergency", UNTIL_SCHEDULED " H49:VITAL"},
    {"emergency-anew", UNTIL_SCHEDULED " O21 H49"},
    {"ask-info", "H11 O14"},
    {"give-info", "H11 O14 H15"},
    {"accept", "H11 O12"},
    {"accept", "H11 O14 O12"},
    {"decline", "H11 O13"},
    {"accept-suspended", "H11 { H21 | O12 }"},
    {"decline-suspended", "H11 { H21 | O13 }"},
    {"cancel", "H11 O12 H16"},
    {"details", "H11 O12 H17"},
    {"resume", "H11 O12 H21 H20"},
    {"consent", "H11 H20"},
    {"withdraw-notice", "H10 H21:NOTIFY"},
    {"withdraw", UNTIL_SCHEDULED " H21"},
    {"withdraw", "H11 O21:IDENTITY"},
    {"withdraw-onward", "H70:ONWARD H21:ONWARD"},
    {"withdraw-transit", UNTIL_TRANSIT " O21"},
    {"withdraw-missing", UNTIL_TRANSIT " H47:MISSING H21"},
    {"withdraw-there", UNTIL_THERE " H21"},
    {"withdraw-visit", UNTIL_AWAY " O21"},
    {"withdraw-other", "H11 H21:STATISTICS"},
    {"withdrawal-ack", "H11 H21 O22"},
    {"nationality", "H11 O12 H30 O31:CONFIRMED"},
    {"nationality-suspended", "H11 O12 H30 H21 O31:CONFIRMED"},
    {"not-national", "H11 O12 H30 O31:NOT_CONFIRMED"},
    {"not-national-transit", "H49 O31:STATELESS"},
    {"not-national-waiting", "H11 O12 H21 O31:STATELESS"},
    {"not-national-later", UNTIL_HOME " O31:NOT_CONFIRMED"},
    {"tracing", "H11 O12 H32 O33:FOUND"},
    {"tracing-suspended", "H11 O12 H32 H21 O33:FOUND"},
    {"family", "H11 O12 H32 O34:KIN"},
    {"family-suspended", "H11 O12 H32 H21 O34:KIN"},
    {"risk", "H11 O12 H35:SAFE"},
    {"risk-suspended", "H11 O12 H21 O35:SAFE"},
    {"risk-unknown", "H11 O12 H35:UNKNOWN"},
    {"risk-unknown-suspended", "H11 O12 H21 O35:UNKNOWN"},
    {"not-safe", UNTIL_SCHEDULED " O35:NOT_SAFE"},
    {"not-safe-transit", UNTIL_TRANSIT " O35:NOT_SAFE"},
    {"not-safe-waiting", "H11 O12 H21 O35:NOT_SAFE"},
    {"not-safe-there", UNTIL_THERE " H35:NOT_SAFE"},
    {"not-safe-back", UNTIL_THERE " H44 O35:NOT_SAFE"},
    {"not-safe-later", UNTIL_HOME " O35:NOT_SAFE"},
    {"interest", "H11.child O12 H36:RETURN"},
    {"interest", "H11.child O12 H36:LATER"},
    {"interest-suspended", "H11.child O12 H21 O36:RETURN"},
    {"interest-other", "H11.child O12 H36:NOT_RETURN"},
    {"interest-other-transit", UNTIL_TRANSIT " O36:NOT_RETURN"},
    {"interest-other-waiting", "H11.child O12 H21 O36:NOT_RETURN"},
    {"interest-other-later", UNTIL_HOME " O36:NOT_RETURN"},
    {"travel", "H11 O12 H37 O38:ISSUED"},
    {"travel-suspended", "H11 O12 H37 H21 O38:ISSUED"},
    {"health", "H11 O12 H39:YES"},
    {"ask-nationality", "H11 O12 H30"},
    {"ask-tracing", "H11 O12 H32"},
    {"ask-travel", "H11 O12 H37"},
    {"propose", UNTIL_CLEARED " H40"},
    {"agree", UNTIL_CLEARED " H40 O41:ACCEPT"},
    {"counter", UNTIL_CLEARED " H40 O41:COUNTER"},
    {"reply-emergency", "H49 O41:ACCEPT"},
    {"change", UNTIL_SCHEDULED " O42:POSTPONE"},
    {"change-open", UNTIL_CLEARED " H40 H42:CANCEL"},
    {"change-emergency", "H49 O42:CANCEL"},
    {"change-transit", UNTIL_TRANSIT " O42:CANCEL"},
    {"change-late", UNTIL_SCHEDULED " O21 H42:CANCEL"},
    {"depart", UNTIL_SCHEDULED " H44"},
    {"depart-emergency", "H49 H44"},
    {"present", UNTIL_TRANSIT " H45:PRESENT"},
    {"refused", UNTIL_TRANSIT " H45:REFUSED_AT_GATE"},
    {"absent", UNTIL_TRANSIT " H45:ABSENT"},
    {"turned-back", UNTIL_SCHEDULED " { H44 | O42:CANCEL } H45:REFUSED_AT_GATE"},
    {"received", UNTIL_HANDED " O46:true"},
    {"not-received", UNTIL_HANDED " O46:false"},
    {"received-late", UNTIL_HANDED " { H47:MISSING | O46:true }"},
    {"missing", UNTIL_TRANSIT " H47:TAKEN"},
    {"alert", UNTIL_TRANSIT " H47:ILL"},
    {"found", UNTIL_TRANSIT " H47:MISSING O48:FOUND_SAFE"},
    {"gone", UNTIL_TRANSIT " H47:MISSING O48:UNRESOLVED H48:UNRESOLVED"},
    {"gone-one", UNTIL_TRANSIT " H47:MISSING O48:LEFT_BY_CHOICE"},
    {"resolved", UNTIL_TRANSIT " H47:ILL O48:FOUND_SAFE"},
    {"concern", "H11 O12 O52:OPEN"},
    {"concern-closed", "H11 O12 O52:OPEN H52:CLOSED"},
    {"plan", UNTIL_RECEIVED " O50"},
    {"plan-again", UNTIL_HOME " O50"},
    {"plan-at-home", "O11:LATE H12 O50"},
    {"follow-up", UNTIL_HOME " O51.safe"},
    {"visit", UNTIL_HOME " H62:PROPOSED"},
    {"visit-no", UNTIL_HOME " H62:PROPOSED O62:REFUSED"},
    {"visit-out", UNTIL_AWAY},
    {"visit-out-present", UNTIL_AWAY " O45:PRESENT"},
    {"visit-out-refused", UNTIL_AWAY " O45:REFUSED_AT_GATE"},
    {"visit-out-absent", UNTIL_AWAY " O45:ABSENT"},
    {"visit-there", UNTIL_THERE},
    {"visit-there-not", UNTIL_AWAY " O45:PRESENT H46:false"},
    {"visit-back", UNTIL_THERE " H44"},
    {"visit-back-present", UNTIL_THERE " H44 H45:PRESENT"},
    {"visit-back-refused", UNTIL_THERE " H44 H45:REFUSED_AT_GATE"},
    {"visit-back-absent", UNTIL_THERE " H44 H45:ABSENT"},
    {"visit-home", UNTIL_THERE " H44 H45:PRESENT O46:true"},
    {"visit-home-not", UNTIL_THERE " H44 H45:PRESENT O46:false"},
    {"justice", "H11 O12 H60"},
    {"justice-reply", "H11 O12 H60 O61:AGREES"},
    {"remedy", UNTIL_HOME " H63"},
    {"onward", "H11 O12 O35:NOT_SAFE H70:ONWARD"},
    {"onward-yes", "H70:ONWARD O71:ACCEPTED"},
    {"onward-no-first", "H70:ONWARD O71:DECLINED"},
    {"onward-no", "H11 O12 O35:NOT_SAFE H70:ONWARD O71:DECLINED"},
    {"close", UNTIL_HOME " O53"},
    {"close-agree", UNTIL_HOME " O53 H54:AGREE"},
    {"close-object", UNTIL_HOME " O53 H54:OBJECT"},
    {"reopen-referred", UNTIL_HOME " O53 H54:AGREE H55:RE_TRAFFICKED"},
    {"reopen", UNTIL_HOME " O53 H54:AGREE O55:NEW_NEED"},
    {"erase-order", UNTIL_HOME " O53 H54:AGREE H82"},
    {"erased", UNTIL_HOME " O53 H54:AGREE H82 O83"},
    {"erased-too", UNTIL_HOME " O53 H54:AGREE H82 O82 { H83 | O83 }"},
    {"erase-order-live", "H11 H82"},
    {"erased-live", "H11 H82 O83"},
    {"ask", UNTIL_HOME " H14"},
    {"answer", UNTIL_HOME " H14 O15"},
    {"opened", "H11 O18"},
    {"reject", "H11 O2"},
    {"correction", UNTIL_HOME " O80"},
    {"breach", "H11 O84"},
    /* settling */
    {"cleared", UNTIL_CLEARED},
    {"check-fails", UNTIL_SCHEDULED " O52:OPEN"},
    {"lifted", "H11 O12 H35:NOT_SAFE H20 H35:SAFE.b.two"},
};

static bool met(const struct rg_process_entry *entry, const char *id)
{
    const struct rg_process_row *row = rg_process_row_at(entry->row);
    const struct rg_process_row *settled = rg_process_row_at(entry->settled);
    return (row != NULL && strcmp(row->id, id) == 0) ||
           (settled != NULL && strcmp(settled->id, id) == 0);
}

static void test_every_row_is_met(void **state)
{
    (void)state;
    size_t rows;
    const struct rg_process_row *row = rg_process_rows(&rows);
    for (size_t r = 0; r < rows; r++) {
        bool reached = false;
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            if (strcmp(paths[i].row, row[r].id) != 0) {
                continue;
            }
            struct talk talk;
            words_start(&talk);
            words_say(&talk, paths[i].words);
            (void)words_fold(&talk);
            bool here = false;
            for (size_t e = talk.entries - 1; e < talk.entries && !here; e--) {
                here = talk.entry[e].index + 2 >= talk.count && met(&talk.entry[e], row[r].id);
            }
            if (!here) {
                fail_msg("%s: %s", row[r].id, paths[i].words);
            }
            reached = true;
        }
        if (!reached) {
            fail_msg("no path to row %s", row[r].id);
        }
    }
}

static void test_the_states_along_the_way(void **state)
{
    (void)state;
    expect(UNTIL_ACCEPTED, RG_PROCESS_ACCEPTED);
    expect(UNTIL_CLEARED, RG_PROCESS_CLEARED);
    expect(UNTIL_SCHEDULED, RG_PROCESS_SCHEDULED);
    expect(UNTIL_TRANSIT, RG_PROCESS_IN_TRANSIT);
    expect(UNTIL_HANDED, RG_PROCESS_HANDED_OVER);
    expect(UNTIL_RECEIVED, RG_PROCESS_RECEIVED);
    expect(UNTIL_HOME, RG_PROCESS_REINTEGRATING);
    expect(UNTIL_THERE, RG_PROCESS_WITNESS_AWAY);
}

/* ---- what is void ---- */

static bool has_row(enum rg_process_state state, const struct rg_process_message *m)
{
    size_t count;
    const struct rg_process_row *row = rg_process_rows(&count);
    for (size_t i = 0; i < count; i++) {
        bool coded = row[i].codes == 0 || (row[i].codes >> m->code & 1u) != 0;
        if (row[i].kind == m->kind && (row[i].states & RG_STATE_BIT(state)) != 0 && coded) {
            return true;
        }
    }
    return false;
}

/* Every kind and code of either side in every state: where the table has no row it is void, and
 * changes neither state nor check. */
static void test_what_has_no_row_is_void(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "",
        "H10",
        "H11",
        "H11 O14",
        UNTIL_ACCEPTED,
        UNTIL_CLEARED,
        UNTIL_SCHEDULED,
        UNTIL_TRANSIT,
        UNTIL_TRANSIT " H47:MISSING",
        UNTIL_HANDED,
        UNTIL_RECEIVED,
        UNTIL_HOME,
        UNTIL_THERE,
        UNTIL_SCHEDULED " H21",
        UNTIL_ACCEPTED " O35:NOT_SAFE",
        "H70:ONWARD",
        "H11 O13",
        "H11 H16",
        UNTIL_HOME " O53 H54:AGREE",
        UNTIL_HOME " O53 H54:AGREE H82 O83",
    };
    size_t kinds, tried = 0, voids = 0;
    const struct rg_kind_row *kind = rg_kind_rows(&kinds);
    for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        struct talk talk;
        words_start(&talk);
        words_say(&talk, ways[w]);
        struct rg_process before = words_fold(&talk);
        assert_int_equal(before.state, w);
        for (size_t k = 0; k < kinds * 8 * 2; k++) {
            struct rg_process_message *m = &talk.message[talk.count];
            *m = words_message(&talk, k % 2 == 0 ? "H2" : "O2");
            m->kind = kind[k / 16].number;
            m->code = (uint32_t)(k / 2 % 8);
            talk.count++;
            struct rg_process after = words_fold(&talk);
            const struct rg_process_entry *entry = words_last(&talk);
            tried++;
            if (!has_row(before.state, m)) {
                assert_int_not_equal(entry->reason, RG_VOID_NOT);
                assert_true(entry->reason == RG_VOID_STATE || entry->reason == RG_VOID_KIND);
            }
            if (entry->reason != RG_VOID_NOT) {
                voids++;
                assert_int_equal(after.state, before.state);
                after.departed_against_stop = before.departed_against_stop;
                after.handed_over_against_stop = before.handed_over_against_stop;
                after.messages--;
                after.voids--;
                assert_memory_equal(&after, &before, sizeof(after));
                assert_false(rg_is_ok(rg_process_may(&before, m, NULL, NULL)));
            }
            talk.count--;
        }
    }
    assert_true(tried > 10000 && voids > tried / 2);
}

static void test_why_it_is_void(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        enum rg_void reason;
    } rows[] = {
        {"H12", RG_VOID_STATE},
        {"H91", RG_VOID_KIND},
        {"H11 H12", RG_VOID_PARTY},
        {"O10", RG_VOID_PARTY},
        {"O11", RG_VOID_PARTY},         /* the origin refers only who was identified late */
        {"H11 H11", RG_VOID_STATE},     /* one open referral per case */
        {"H11 O12 O13", RG_VOID_STATE}, /* accepted is accepted */
        {"H11 { H21 | O12 } O13", RG_VOID_DECIDED}, /* an office decides once */
        {UNTIL_CLEARED " H40 H40 { O41:ACCEPT | H42:CANCEL } O41:ACCEPT", RG_VOID_ANSWERS},
        {UNTIL_HOME " O54:AGREE", RG_VOID_ANSWERS},
        {UNTIL_HOME " O53 O54:AGREE", RG_VOID_ANSWERS}, /* nobody agrees with herself */
        {UNTIL_ACCEPTED " H40", RG_VOID_STATE},
        {UNTIL_SCHEDULED " H44.late", RG_VOID_GATE}, /* checks have lapsed by then */
        {UNTIL_CLEARED " H40.late", RG_VOID_GATE},
        {"H11 O12 H21 H20:STATISTICS", RG_VOID_NOT},
        {"H11 H21 { H20 | O21 }", RG_VOID_NOT},
        {UNTIL_TRANSIT " O21 H45:PRESENT", RG_VOID_STOPPED},
        {UNTIL_TRANSIT " O42:CANCEL H45:PRESENT", RG_VOID_STOPPED},
        {UNTIL_TRANSIT " O35:NOT_SAFE H45:PRESENT", RG_VOID_STOPPED},
        {UNTIL_TRANSIT " H47:MISSING O48:FOUND_SAFE H45:PRESENT", RG_VOID_STOPPED},
        {"H49 O21 H44", RG_VOID_STOPPED},
        {"H49.alone", RG_VOID_OFFICERS},
        {"H49.bare", RG_VOID_CONSENT},
        {"H11 O13 { H11 | O21 }", RG_VOID_NOT}, /* 21 comes first, and is the last word here */
        {"H11 O13 { O21 | H11 }", RG_VOID_CONSENT},
        {"H11 O13 O21 H11:TRACING O12 H21 H20:STATISTICS H49:VITAL", RG_VOID_CONSENT},
        {UNTIL_SCHEDULED " O21 H49:VITAL", RG_VOID_CONSENT}, /* she said no */
        {UNTIL_SCHEDULED " { O21 | H49 }", RG_VOID_CONSENT},
        {"H11 O12 H35:NOT_SAFE H35:SAFE.b", RG_VOID_OFFICERS},
        {"H11 O12 H35:NOT_SAFE H35:SAFE.two", RG_VOID_OFFICERS}, /* the same officer */
        {"H11 O12 H35:NOT_SAFE H35:SAFE.b.two", RG_VOID_NOT},
        {"H11 O12 O35:NOT_SAFE O35:SAFE.b", RG_VOID_OFFICERS},
        {"H11 O12 O35:NOT_SAFE H35:SAFE", RG_VOID_OFFICERS},
        {"H11 O12 O35:NOT_SAFE O35:UNKNOWN", RG_VOID_NOT},
        {UNTIL_HOME " O21:FOLLOW_UP O51", RG_VOID_CONSENT},
        {UNTIL_HOME " H62:PROPOSED O44", RG_VOID_NOT_READY},
        {UNTIL_HOME " H60 O61:DECLINES H62:PROPOSED O62:AGREED O44", RG_VOID_NOT_READY},
        {UNTIL_THERE " O52:OPEN H44", RG_VOID_GATE},
        {"H70:STATISTICS", RG_VOID_CONSENT},
        {UNTIL_ACCEPTED " O35:NOT_SAFE H70:ONWARD", RG_VOID_NOT},
        {UNTIL_ACCEPTED " H21:ONWARD O35:NOT_SAFE H70:STATISTICS", RG_VOID_CONSENT},
        {UNTIL_HOME " O53 H54:AGREE H83", RG_VOID_NOT}, /* moves nothing: nobody had ordered it */
        {"H11 O48:FOUND_SAFE", RG_VOID_NOT_READY},
        {"O11:LATE H12 H40", RG_VOID_STATE},
        {"H11 O20", RG_VOID_PARTY}, /* consent is recorded by who looks after her */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_void(rows[i].words, rows[i].reason);
    }
}

/* ---- messages that cross ---- */

static void expect_crossing(const char *words, enum rg_process_state state, const char *voids)
{
    struct talk talk;
    words_start(&talk);
    words_say(&talk, words);
    struct rg_process p = words_fold(&talk);
    char said[128] = "";
    for (size_t i = 0; i < talk.entries; i++) {
        if (talk.entry[i].reason != RG_VOID_NOT) {
            size_t len = strlen(said);
            (void)snprintf(said + len, sizeof(said) - len, "%s%c%u", len == 0 ? "" : " ",
                           talk.entry[i].from == RG_PARTY_HOST ? 'H' : 'O', talk.entry[i].kind);
        }
    }
    if (p.state != state || strcmp(said, voids) != 0) {
        fail_msg("%s: %s, void: %s", words, rg_process_state_name(p.state), said);
    }
}

static void test_messages_that_cross(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        enum rg_process_state state;
        const char *voids;
    } rows[] = {
        /* a withdrawal is before everything that it crosses */
        {UNTIL_SCHEDULED " { H44 | O21 }", RG_PROCESS_SUSPENDED, "H44"},
        {UNTIL_SCHEDULED " { H44 H45:PRESENT | O21 }", RG_PROCESS_SUSPENDED, "H44 H45"},
        {UNTIL_SCHEDULED " { H44 H45:PRESENT | O18 O18 O21 }", RG_PROCESS_SUSPENDED, "H44 H45"},
        {UNTIL_TRANSIT " { H45:PRESENT | O21 }", RG_PROCESS_IN_TRANSIT, "H45"},
        {UNTIL_TRANSIT " { H45:PRESENT H21 | O18 O21 }", RG_PROCESS_IN_TRANSIT, "H45"},
        {UNTIL_TRANSIT " { H45:PRESENT | O21 } H45:REFUSED_AT_GATE", RG_PROCESS_SUSPENDED, "H45"},
        {UNTIL_CLEARED " H40 { O41:ACCEPT | H21 }", RG_PROCESS_SUSPENDED, "O41"},
        {"H11 { O13 | H21 }", RG_PROCESS_DECLINED, ""},
        {"H11 { O12 | H21 } H20", RG_PROCESS_ACCEPTED, ""},
        {"H11 { O12 | H21 }", RG_PROCESS_SUSPENDED, ""},
        /* cancel against accept, decline against question */
        {"H11 { O12 | H16 }", RG_PROCESS_CANCELLED, "O12"},
        {"H11 { O13 | H16 }", RG_PROCESS_CANCELLED, "O13"},
        {"H11 O14 { H15 | O13 }", RG_PROCESS_DECLINED, ""},
        /* a stop against a departure; who has left is turned back, and that can be said */
        {UNTIL_SCHEDULED " { H44 | O42:CANCEL }", RG_PROCESS_CLEARED, "H44"},
        {UNTIL_SCHEDULED " { H44 | O42:POSTPONE } H45:REFUSED_AT_GATE", RG_PROCESS_CLEARED, "H44"},
        {UNTIL_SCHEDULED " { H42:REMOVE_PERSON | O42:CANCEL }", RG_PROCESS_CLEARED, ""},
        {UNTIL_CLEARED " H40 { H42:CANCEL | O41:ACCEPT }", RG_PROCESS_CLEARED, "O41"},
        {UNTIL_CLEARED " H40 { H40 | O41:ACCEPT }", RG_PROCESS_CLEARED, "O41"},
        /* not safe, a concern: before a departure that has not seen them */
        {UNTIL_SCHEDULED " { H44 | O35:NOT_SAFE }", RG_PROCESS_NO_RETURN, "H44"},
        {UNTIL_SCHEDULED " { H44 | O52:OPEN }", RG_PROCESS_ACCEPTED, "H44"},
        {UNTIL_TRANSIT " { H45:PRESENT | O35:NOT_SAFE }", RG_PROCESS_IN_TRANSIT, "H45"},
        /* an assessment does not close a concern that it cannot know of */
        {UNTIL_CLEARED " { H35:SAFE | O52:OPEN }", RG_PROCESS_ACCEPTED, ""},
        {UNTIL_CLEARED " O52:OPEN H35:SAFE", RG_PROCESS_CLEARED, ""},
        /* nor does a consent lift a withdrawal, nor one that says found an alert */
        {"H11 O12 { H20 | O21 }", RG_PROCESS_SUSPENDED, ""},
        {"H11 O12 { H20 | O21 } H20", RG_PROCESS_ACCEPTED, ""},
        {UNTIL_TRANSIT " H47:MISSING { O48:FOUND_SAFE | H47:TAKEN }", RG_PROCESS_MISSING, ""},
        /* an alert against the confirmation */
        {UNTIL_HANDED " { H47:MISSING | O46:true }", RG_PROCESS_RECEIVED, ""},
        {UNTIL_HANDED " { H47:TAKEN | O46:true }", RG_PROCESS_MISSING, "O46"},
        {UNTIL_TRANSIT " { H47:MISSING | O47:MISSING } H48:FOUND_SAFE", RG_PROCESS_IN_TRANSIT, ""},
        /* two beginnings, two ends */
        {"{ H11 | O11:LATE }", RG_PROCESS_REFERRED, "O11"},
        {UNTIL_HOME " { H53 | O53 } H54:AGREE", RG_PROCESS_CLOSED, ""},
        {UNTIL_HOME " H53 { H53 | O54:AGREE }", RG_PROCESS_REINTEGRATING, "O54"},
        {UNTIL_HOME " H53 O54:AGREE { H82 | O55:NEW_NEED } O83", RG_PROCESS_REINTEGRATING, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_crossing(rows[i].words, rows[i].state, rows[i].voids);
    }
}

/* Two officers of one office, who do not know of each other: the decline counts, the other is void.
 */
static void test_two_decisions_of_one_office(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct talk talk;
        words_start(&talk);
        words_say(&talk, "H11");
        struct rg_process_message accept = words_message(&talk, "O12");
        struct rg_process_message decline = words_message(&talk, "O13");
        talk.message[1] = first == 0 ? accept : decline;
        talk.message[2] = first == 0 ? decline : accept;
        talk.count = 3;
        assert_int_equal(words_fold(&talk).state, RG_PROCESS_DECLINED);
        const struct rg_process_entry *entry = words_entry(&talk, first == 0 ? 1 : 2);
        assert_int_equal(entry->kind, 12);
        assert_int_not_equal(entry->reason, RG_VOID_NOT);
    }
}

/* ---- any order of arrival ---- */

static void swap(struct rg_process_message *a, struct rg_process_message *b)
{
    struct rg_process_message c = *a;
    *a = *b;
    *b = c;
}

static void same_fold(const struct rg_process_message *message, size_t count,
                      const struct rg_process *wanted, const struct rg_process_entry *wanted_entry)
{
    static struct rg_process p;
    struct rg_process_entry entry[16];
    size_t entries;
    assert_true(rg_is_ok(rg_process_fold(message, count, entry, &entries, &p, NULL)));
    assert_memory_equal(&p, wanted, sizeof(p));
    for (size_t i = 0; i < entries; i++) {
        assert_memory_equal(entry[i].id.b, wanted_entry[i].id.b, 32);
        assert_int_equal(entry[i].reason, wanted_entry[i].reason);
    }
}

static void permute(struct rg_process_message *message, size_t count, size_t fixed,
                    const struct rg_process *wanted, const struct rg_process_entry *entry,
                    size_t *tried)
{
    if (fixed == count) {
        same_fold(message, count, wanted, entry);
        (*tried)++;
        return;
    }
    for (size_t i = fixed; i < count; i++) {
        swap(&message[fixed], &message[i]);
        permute(message, count, fixed + 1, wanted, entry, tried);
        swap(&message[fixed], &message[i]);
    }
}

static void test_the_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    static const char *const talks[] = {
        "H11 { O12 | H21 } { H20 | O31:CONFIRMED } { H16 | O52:OPEN }",
        ("H49 { H45:PRESENT | O21 } { H45:REFUSED_AT_GATE | O47:MISSING } { H48:FOUND_SAFE | "
         "O42:CANCEL }"),
        "H10 { H11 H21 | O84 O18 } O12 H20",
        "{ H11 | O11:LATE } { O12 | H12 H16 } O13",
        "H70:ONWARD { O71:ACCEPTED O71:DECLINED | H21:ONWARD H20:ONWARD } { H16 | O53 }",
    };
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
        struct talk talk;
        words_start(&talk);
        words_say(&talk, talks[i]);
        struct rg_process wanted = words_fold(&talk);
        size_t tried = 0;
        assert_true(talk.count <= 7);
        permute(talk.message, talk.count, 0, &wanted, talk.entry, &tried);
        assert_true(tried >= 720);
    }
}

/* Long cases, dealt at random, with doubles; the seed is printed. */
static void test_long_cases_in_random_order(void **state)
{
    (void)state;
    uint64_t seed = 20261125;
    struct talk talk;
    words_start(&talk);
    words_say(&talk, UNTIL_ACCEPTED);
    static const char *const words[] = {"H18",      "O18",        "H35:SAFE", "O35:SAFE",
                                        "O52:OPEN", "H52:CLOSED", "O21",      "H20",
                                        "H14",      "O15",        "O84",      "H80"};
    for (size_t i = 0; i < 110; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        char text[64];
        (void)snprintf(text, sizeof(text), "{ %s | %s }", words[(seed >> 33) % 12],
                       words[(seed >> 40) % 12]);
        words_say(&talk, text);
    }
    struct rg_process wanted = words_fold(&talk), p;
    struct rg_process_message dealt[2 * TALK_MAX];
    for (size_t round = 0; round < 20; round++) {
        size_t count = talk.count;
        memcpy(dealt, talk.message, count * sizeof(dealt[0]));
        memcpy(dealt + count, talk.message, 20 * sizeof(dealt[0])); /* twenty come twice */
        count += 20;
        for (size_t i = count - 1; i > 0; i--) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            swap(&dealt[i], &dealt[(seed >> 33) % (i + 1)]);
        }
        assert_true(rg_is_ok(rg_process_fold(dealt, count, NULL, NULL, &p, NULL)));
        if (memcmp(&p, &wanted, sizeof(p)) != 0) {
            fail_msg("round %zu, seed %llu", round, (unsigned long long)seed);
        }
    }
}

/* What has seen everything stands last and changes nothing before it. */
static void test_history_is_not_rewritten(void **state)
{
    (void)state;
    static const char *const talks[] = {
        UNTIL_SCHEDULED " { H44 | O42:CANCEL O18 }",
        UNTIL_TRANSIT " { H45:PRESENT H21 | O18 O21 }",
        UNTIL_HANDED " { H47:MISSING H18 | O46:true O18 }",
    };
    static const char *const later[] = {"H21", "O21", "H16", "O42:CANCEL", "O52:OPEN", "H18"};
    for (size_t t = 0; t < 3; t++) {
        for (size_t l = 0; l < 6; l++) {
            struct talk talk;
            words_start(&talk);
            words_say(&talk, talks[t]);
            (void)words_fold(&talk);
            struct rg_process_entry before[TALK_MAX];
            size_t count = talk.entries;
            memcpy(before, talk.entry, sizeof(before));
            words_say(&talk, later[l]);
            (void)words_fold(&talk);
            assert_int_equal(talk.entries, count + 1);
            assert_memory_equal(before, talk.entry, count * sizeof(before[0]));
        }
    }
}

/* A message that never arrived does not tear its sender's chain apart. */
static void test_a_gap_in_a_chain(void **state)
{
    (void)state;
    struct talk talk;
    words_start(&talk);
    words_say(&talk, UNTIL_CLEARED " { H40 H18 H42:CANCEL | O18 }");
    size_t lost = talk.count - 3;
    assert_int_equal(talk.message[lost].kind, 18);
    memmove(&talk.message[lost], &talk.message[lost + 1],
            (talk.count - lost - 1) * sizeof(talk.message[0]));
    talk.count--;
    struct rg_process p = words_fold(&talk);
    assert_false(p.planned); /* 42 is stronger than 40, but must not stand before it */
    assert_int_equal(p.voids, 0);
}

static void test_heads(void **state)
{
    (void)state;
    struct talk talk;
    words_start(&talk);
    struct rg_process_heads none =
        rg_process_heads(talk.message, 0, RG_PARTY_HOST, (struct rg_wall){0});
    assert_false(none.has_previous || none.has_seen);
    words_say(&talk, "H11 { O14 O18 O18 | H18 }");
    struct rg_wall now = {talk.now_ms};
    struct rg_process_heads heads = rg_process_heads(talk.message, 5, RG_PARTY_HOST, now);
    assert_memory_equal(heads.previous.b, talk.message[4].id.b, 32);
    assert_memory_equal(heads.seen.b, talk.message[3].id.b, 32);
    talk.message[1] = talk.message[4]; /* O14 is still on its way: nothing after it is seen */
    heads = rg_process_heads(talk.message, 4, RG_PARTY_HOST, now);
    assert_true(heads.has_previous);
    assert_false(heads.has_seen);
    now.ms += INT64_C(15) * 24 * 60 * 60 * 1000; /* it will not come any more */
    heads = rg_process_heads(talk.message, 4, RG_PARTY_HOST, now);
    assert_memory_equal(heads.seen.b, talk.message[3].id.b, 32);
}

/* ---- single rules ---- */

static void test_no_return_is_lifted_by_all_three(void **state)
{
    (void)state;
#define FORBIDDEN "H11.child O12 O31:CONFIRMED O38:ISSUED O35:SAFE H35:SAFE H36:NOT_RETURN"
    expect(FORBIDDEN, RG_PROCESS_NO_RETURN);
    expect(FORBIDDEN " H36:RETURN.b H20", RG_PROCESS_NO_RETURN);
    expect(FORBIDDEN " H36:RETURN.b H35:SAFE.two", RG_PROCESS_NO_RETURN);
    expect(FORBIDDEN " H35:SAFE.two H20", RG_PROCESS_NO_RETURN);
    expect(FORBIDDEN " H35:SAFE.two H20 H36:RETURN", RG_PROCESS_CLEARED);
    expect(FORBIDDEN " { H20 | O36:NOT_RETURN } H36:RETURN H35:SAFE.two", RG_PROCESS_NO_RETURN);
    expect("H11 O12 O31:STATELESS H35:SAFE.two H20", RG_PROCESS_NO_RETURN);
    expect("H11 O12 O31:STATELESS H35:SAFE.two H20 O31:CONFIRMED", RG_PROCESS_ACCEPTED);
    /* a good verdict that crossed the bad one lifts nothing */
    expect("H11 O12 { H35:SAFE.two | O35:NOT_SAFE } H20 O35:SAFE.b.two", RG_PROCESS_NO_RETURN);
}

static void test_where_a_case_goes_on(void **state)
{
    (void)state;
    expect("H10 H21:NOTIFY H20", RG_PROCESS_NOTIFIED);
    expect("H11 H21 H20", RG_PROCESS_REFERRED);
    expect("H11 H21 H20:STATISTICS", RG_PROCESS_SUSPENDED);
    expect("H11 O12 H21 O35:NOT_SAFE H20", RG_PROCESS_NO_RETURN);
    expect(UNTIL_CLEARED " H21 H20", RG_PROCESS_ACCEPTED); /* the host assesses anew */
    expect(UNTIL_CLEARED " H21 H20 H35:SAFE", RG_PROCESS_CLEARED);
    expect(UNTIL_TRANSIT " H45:REFUSED_AT_GATE H20 H35:SAFE", RG_PROCESS_CLEARED);
    expect("H49 H45:REFUSED_AT_GATE H20", RG_PROCESS_NOTIFIED);
    expect("H11 H49 H45:REFUSED_AT_GATE H20 O12", RG_PROCESS_ACCEPTED);
    expect(UNTIL_SCHEDULED " H47:MISSING O48:FOUND_SAFE", RG_PROCESS_ACCEPTED);
    expect(UNTIL_TRANSIT " H47:MISSING H21 O48:FOUND_SAFE", RG_PROCESS_IN_TRANSIT);
    expect(UNTIL_TRANSIT " H47:MISSING H21 O48:FOUND_SAFE H45:REFUSED_AT_GATE",
           RG_PROCESS_SUSPENDED);
    expect(UNTIL_TRANSIT " H47:MISSING O48:FOUND_SAFE H35:SAFE H45:PRESENT",
           RG_PROCESS_HANDED_OVER);
    expect(UNTIL_ACCEPTED " H47:TAKEN H21 O48:FOUND_HARMED", RG_PROCESS_SUSPENDED);
    expect(UNTIL_THERE " H47:MISSING O48:FOUND_SAFE H44", RG_PROCESS_WITNESS_AWAY);
    expect(UNTIL_THERE " H21 H20", RG_PROCESS_ACCEPTED);
    expect("H70:ONWARD H21:ONWARD H20", RG_PROCESS_ONWARD);
    expect(UNTIL_TRANSIT " H47:MISSING O48:UNRESOLVED H48:UNRESOLVED O55:ERROR",
           RG_PROCESS_MISSING);
    expect(UNTIL_TRANSIT " H47:MISSING O48:UNRESOLVED H48:UNRESOLVED O48:FOUND_SAFE O55:ERROR",
           RG_PROCESS_ACCEPTED);
    expect(UNTIL_HOME " H53 O54:AGREE O55:RE_TRAFFICKED", RG_PROCESS_REINTEGRATING);
    expect(UNTIL_HOME " H53 O54:AGREE H55:RE_TRAFFICKED O12", RG_PROCESS_ACCEPTED);
    expect("H10 H53 O54:AGREE", RG_PROCESS_CLOSED);
}

static void test_status_and_age(void **state)
{
    (void)state;
    struct rg_process p = words_of("H10.actual O80.not");
    assert_int_equal(p.trafficking, 2); /* the origin cannot set it back */
    assert_int_equal(p.other_opinion, 3);
    assert_true((rg_process_flags(&p, (struct rg_wall){0}) & RG_FLAG_OTHER_OPINION) != 0);
    p = words_of("H10.actual O80.not H80.not");
    assert_int_equal(p.trafficking, 3);
    assert_int_equal(p.other_opinion, 0);
    p = words_of("O11:LATE O80.actual H80.not");
    assert_int_equal(p.trafficking, 2); /* who identified her late is the one who did */
    p = words_of("H11 O12 O80.child");
    assert_int_equal(p.age, RG_AGE_CHILD);
    struct talk talk;
    words_start(&talk);
    words_say(&talk, "H11.child O12 H80");
    talk.message[2].age = RG_AGE_ADULT; /* only the child desk makes an adult of a child */
    assert_int_equal(words_fold(&talk).age, RG_AGE_CHILD);
    words_say(&talk, "H36:RETURN");
    talk.message[3].age = RG_AGE_ADULT;
    assert_int_equal(words_fold(&talk).age, RG_AGE_ADULT);
}

static void test_time_alone_moves_nothing(void **state)
{
    (void)state;
    struct rg_process p = words_of(UNTIL_CLEARED);
    struct rg_wall now = {INT64_C(1795608000000)}, later = {now.ms + INT64_C(8640000000)};
    assert_int_equal(rg_process_flags(&p, now) & RG_FLAG_CHECK_STALE, 0);
    assert_int_not_equal(rg_process_flags(&p, later) & RG_FLAG_CHECK_STALE, 0);
    assert_true(rg_process_gate(&p, rg_date_of_wall(now), RG_GATE_CLEARING, NULL).open);
    assert_false(rg_process_gate(&p, rg_date_of_wall(later), RG_GATE_CLEARING, NULL).open);
    expect(UNTIL_CLEARED " O18.late", RG_PROCESS_CLEARED); /* nothing that was checked changed */
    expect(UNTIL_CLEARED " H39:YES.late",
           RG_PROCESS_ACCEPTED); /* something did, and all is judged */
}

/* ---- alerts on threads of their own ---- */

static void test_a_fresh_alert_holds_until_it_is_relayed(void **state)
{
    (void)state;
    static const struct rg_gate_home home = {.no_claim = true, .receivers_clear = true};
    struct talk talk;
    words_start(&talk);
    words_say(&talk, UNTIL_SCHEDULED);
    struct rg_process_message depart = words_message(&talk, "H44");
    struct rg_process p = words_fold(&talk);
    assert_true(rg_is_ok(rg_process_may(&p, &depart, &home, NULL)));
    words_say(&talk, "O21.fresh O21.fresh");
    talk.message[talk.count - 1].id = talk.message[talk.count - 2].id; /* it came twice */
    p = words_fold(&talk);
    assert_int_equal(p.state, RG_PROCESS_SCHEDULED);
    assert_int_equal(p.holds[RG_PARTY_ORIGIN], 1);
    assert_true(words_entry(&talk, talk.count - 2)->hold);
    struct rg_reason why = {0};
    assert_int_equal(rg_process_may(&p, &depart, &home, &why).code, RG_DENIED);
    assert_string_equal(why.id, "process-hold");
    assert_int_not_equal(rg_process_flags(&p, depart.made) & RG_FLAG_HOLD, 0);
    struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
    assert_int_equal(rg_process_actions(&p, depart.made, action, RG_PROCESS_ACTIONS_MAX), 1);
    assert_int_equal(action[0].what, RG_DO_RELAY_ALERT);
    assert_int_equal(action[0].party, RG_PARTY_ORIGIN);
    struct rg_id fresh = talk.message[talk.count - 2].id;
    assert_memory_equal(action[0].answers.b, fresh.b, 32);
    words_say(&talk, "O21");
    talk.message[talk.count - 1].has_relays = true;
    talk.message[talk.count - 1].relays = fresh;
    p = words_fold(&talk);
    assert_int_equal(p.holds[RG_PARTY_ORIGIN], 0);
    assert_int_equal(p.state, RG_PROCESS_SUSPENDED);
}

/* ---- what a writer may, what is owed, what is awaited ---- */

static enum rg_code may(const char *words, const char *next, const struct rg_gate_home *home,
                        struct rg_reason *why)
{
    struct talk talk;
    words_start(&talk);
    words_say(&talk, words);
    struct rg_process p = words_fold(&talk);
    struct rg_process_message m = words_message(&talk, next);
    return rg_process_may(&p, &m, home, why).code;
}

static void test_what_a_writer_may(void **state)
{
    (void)state;
    static const struct rg_gate_home clear = {.no_claim = true, .receivers_clear = true},
                                     claim = {.receivers_clear = true},
                                     excluded = {.no_claim = true};
    static const struct {
        const char *words, *next, *id;
        const struct rg_gate_home *home;
    } rows[] = {
        {"", "H11", NULL, NULL},
        {"H11", "H12", "process-step", NULL},
        {"H11 O12", "H40", "process-gate", &clear},     /* what is missing, not where it stands */
        {UNTIL_CLEARED, "H44", "process-gate", &clear}, /* nobody has agreed to receive her */
        {UNTIL_CLEARED, "H40", NULL, &clear},
        {UNTIL_CLEARED, "H40", "process-gate", &claim},
        {UNTIL_CLEARED, "H40", NULL, &excluded}, /* not yet known who receives */
        {UNTIL_SCHEDULED, "H44", NULL, &clear},
        {UNTIL_SCHEDULED, "H44", "process-gate", &excluded},
        {UNTIL_SCHEDULED, "H44", "process-gate", &claim},
        {UNTIL_SCHEDULED, "H44.late", "process-gate", &clear},
        {UNTIL_SCHEDULED " H21", "H44", "process-step", &clear},
        {UNTIL_TRANSIT " H21", "H45:PRESENT", "process-stop", NULL},
        {UNTIL_TRANSIT " H21", "H45:REFUSED_AT_GATE", NULL, NULL},
        {"", "H49.alone", "process-officers", NULL},
        {"", "H49.bare", "process-consent", NULL},
        {"H11 O12 H21", "O13", "process-decided", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rg_reason why = {0};
        enum rg_code code = may(rows[i].words, rows[i].next, rows[i].home, &why);
        bool right = rows[i].id == NULL ? code == RG_OK
                                        : code == RG_DENIED && strcmp(why.id, rows[i].id) == 0;
        if (!right) {
            fail_msg("%s, then %s: %s", rows[i].words, rows[i].next,
                     why.id == NULL ? "allowed" : why.text);
        }
    }
}

static const struct rg_process_action *owed(const char *words, int64_t hours,
                                            enum rg_process_do what)
{
    static struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
    struct talk talk;
    words_start(&talk);
    words_say(&talk, words);
    struct rg_process p = words_fold(&talk);
    struct rg_wall now = {talk.now_ms + hours * 60 * 60 * 1000};
    size_t count = rg_process_actions(&p, now, action, RG_PROCESS_ACTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (action[i].what == what) {
            return &action[i];
        }
    }
    return NULL;
}

static void test_what_is_owed(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after; /* owed after the first, not any more after the second */
        enum rg_process_do what;
        enum rg_party party;
        uint32_t kind, code;
        int64_t hours;
    } rows[] = {
        {"H11 O12", " H17", RG_DO_SEND_DETAILS, RG_PARTY_HOST, 17, 0, 0},
        {"O11:LATE H12", " O17", RG_DO_SEND_DETAILS, RG_PARTY_ORIGIN, 17, 0, 0},
        {"H11 O12", " H21", RG_DO_SEND_DETAILS, RG_PARTY_HOST, 17, 0, 0},
        {"H11 O21", " H22", RG_DO_SEND_WITHDRAWAL_ACK, RG_PARTY_HOST, 22, 0, 0},
        {UNTIL_SCHEDULED " O21", " H42:CANCEL", RG_DO_SEND_STOP, RG_PARTY_HOST, 42,
         RG_CHANGE_CANCEL, 0},
        {UNTIL_CLEARED " H40 H21", " H42:CANCEL", RG_DO_SEND_STOP, RG_PARTY_HOST, 42,
         RG_CHANGE_CANCEL, 0},
        {UNTIL_SCHEDULED " O52:OPEN", " H42:REMOVE_PERSON", RG_DO_SEND_REMOVE_PERSON, RG_PARTY_HOST,
         42, RG_CHANGE_REMOVE_PERSON, 0},
        {UNTIL_SCHEDULED " O35:NOT_SAFE", " O42:CANCEL", RG_DO_SEND_REMOVE_PERSON, RG_PARTY_HOST,
         42, RG_CHANGE_REMOVE_PERSON, 0},
        {UNTIL_HANDED, " O46:true", RG_DO_SEND_ALERT, RG_PARTY_HOST, 47, RG_ALERT_MISSING, 4},
        {UNTIL_HANDED, " H47:MISSING", RG_DO_SEND_ALERT, RG_PARTY_HOST, 47, RG_ALERT_MISSING, 4},
        {UNTIL_AWAY " O45:PRESENT", " H46:true", RG_DO_SEND_ALERT, RG_PARTY_ORIGIN, 47,
         RG_ALERT_MISSING, 4},
        {"H11 O13", " H11", RG_DO_ERASE_RECEIVED, RG_PARTY_ORIGIN, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char words[512];
        (void)snprintf(words, sizeof(words), "%s%s", rows[i].before, rows[i].after);
        const struct rg_process_action *action = owed(rows[i].before, rows[i].hours, rows[i].what);
        if (action == NULL || action->party != rows[i].party || action->kind != rows[i].kind ||
            action->code != rows[i].code) {
            fail_msg("%s: %s is not owed so", rows[i].before, rg_process_do_name(rows[i].what));
        }
        if (owed(words, rows[i].hours, rows[i].what) != NULL) {
            fail_msg("%s: %s is still owed", words, rg_process_do_name(rows[i].what));
        }
    }
    assert_null(owed(UNTIL_HANDED, 3, RG_DO_SEND_ALERT));
    assert_null(owed(UNTIL_CLEARED " O21", 0, RG_DO_SEND_STOP)); /* nothing was planned */
}

static void test_what_is_awaited(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        enum rg_party mover;
        uint32_t kind, amount;
        enum rg_deadline_unit unit;
        bool alert;
    } rows[] = {
        {"H10", RG_PARTY_HOST, 11, 5, RG_DEADLINE_WORKING_DAYS, false},
        {"H11", RG_PARTY_ORIGIN, 12, 5, RG_DEADLINE_WORKING_DAYS, false},
        {"O11:LATE", RG_PARTY_HOST, 12, 5, RG_DEADLINE_WORKING_DAYS, false},
        {"H11 O14", RG_PARTY_HOST, 15, 10, RG_DEADLINE_WORKING_DAYS, false},
        {"H11 O12 H17 H30", RG_PARTY_ORIGIN, 31, 15, RG_DEADLINE_WORKING_DAYS, false},
        {UNTIL_CLEARED, RG_PARTY_HOST, 40, 0, RG_DEADLINE_NONE, false},
        {UNTIL_CLEARED " H40", RG_PARTY_ORIGIN, 41, 5, RG_DEADLINE_WORKING_DAYS, false},
        {UNTIL_SCHEDULED, RG_PARTY_HOST, 44, 0, RG_DEADLINE_NONE, false},
        {UNTIL_TRANSIT, RG_PARTY_HOST, 45, 0, RG_DEADLINE_NONE, false},
        {UNTIL_TRANSIT " O21", RG_PARTY_HOST, 45, 1, RG_DEADLINE_HOURS, true},
        {UNTIL_HANDED, RG_PARTY_ORIGIN, 46, 4, RG_DEADLINE_HOURS, true},
        {UNTIL_RECEIVED, RG_PARTY_ORIGIN, 50, 30, RG_DEADLINE_DAYS, false},
        {UNTIL_TRANSIT " H47:MISSING", RG_PARTY_ORIGIN, 48, 1, RG_DEADLINE_HOURS, true},
        {"H49", RG_PARTY_ORIGIN, 41, 4, RG_DEADLINE_HOURS, false},
        {"H11 O21", RG_PARTY_HOST, 22, 24, RG_DEADLINE_HOURS, true},
        {UNTIL_HOME " O53", RG_PARTY_HOST, 54, 10, RG_DEADLINE_WORKING_DAYS, false},
        {"H11 O13", RG_PARTY_HOST, 0, 5, RG_DEADLINE_WORKING_DAYS, false},
        {"H70:ONWARD", RG_PARTY_ORIGIN, 71, 10, RG_DEADLINE_WORKING_DAYS, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rg_process p = words_of(rows[i].words);
        struct rg_process_wait wait[RG_PROCESS_WAITS_MAX];
        struct rg_wall now = {INT64_C(1795608000000)};
        size_t count = rg_process_waiting(&p, now, wait, RG_PROCESS_WAITS_MAX);
        if (count == 0 || wait[0].mover != rows[i].mover || wait[0].kind != rows[i].kind ||
            wait[0].amount != rows[i].amount || wait[0].unit != rows[i].unit ||
            wait[0].alert != rows[i].alert) {
            fail_msg("%s: %zu waits; %s, kind %u, %u, \"%s\"", rows[i].words, count,
                     rg_party_name(wait[0].mover), wait[0].kind, wait[0].amount, wait[0].what);
        }
    }
    /* somebody has it in hand: the alert is open still, but its hour is over */
    struct rg_process p = words_of(UNTIL_TRANSIT " H47:MISSING");
    struct talk talk;
    words_start(&talk);
    words_say(&talk, UNTIL_TRANSIT " H47:MISSING O18");
    talk.message[talk.count - 1].has_answers = true;
    talk.message[talk.count - 1].answers = talk.message[talk.count - 2].id;
    assert_true(p.asked[RG_ASK_ALERT][RG_PARTY_HOST].open);
    assert_false(words_fold(&talk).asked[RG_ASK_ALERT][RG_PARTY_HOST].open);
}

/* In every state somebody is awaited, or it is over. */
static void test_somebody_is_always_awaited(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct rg_process p = words_of(paths[i].words);
        struct rg_process_wait wait[RG_PROCESS_WAITS_MAX];
        size_t count = rg_process_waiting(&p, (struct rg_wall){INT64_C(1795608000000)}, wait, 1);
        bool over = p.state == RG_PROCESS_NONE || p.state == RG_PROCESS_CANCELLED ||
                    p.state == RG_PROCESS_CLOSED || p.state == RG_PROCESS_ERASED;
        if (count == 0 && !over) {
            fail_msg("%s: nobody is awaited in %s", paths[i].words, rg_process_state_name(p.state));
        }
    }
}

static void test_flags(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        unsigned flag;
        int64_t hours;
    } rows[] = {
        {UNTIL_TRANSIT " O21", RG_FLAG_STOP, 0},
        {"H49", RG_FLAG_EMERGENCY, 0},
        {"H49", RG_FLAG_EMERGENCY_SILENT, 24},
        {UNTIL_TRANSIT " H47:ILL", RG_FLAG_ALERT, 0},
        {"H11 O52:OPEN", RG_FLAG_CONCERN, 0},
        {UNTIL_HOME " O21:FOLLOW_UP", RG_FLAG_FOLLOW_UP_STOPPED, 0},
        {UNTIL_SCHEDULED " { H44 | O42:CANCEL }", RG_FLAG_DEPARTED_AGAINST_STOP, 0},
        {UNTIL_TRANSIT " { H45:PRESENT | O21 }", RG_FLAG_HANDED_OVER_AGAINST_STOP, 0},
        {UNTIL_TRANSIT " H47:MISSING O48:UNRESOLVED H48:UNRESOLVED", RG_FLAG_UNRESOLVED, 0},
        {UNTIL_CLEARED, RG_FLAG_CHECK_STALE, 24 * 100},
        {"H11", RG_FLAG_CONSENT_ENDED, 24 * 160},
        {UNTIL_HANDED, RG_FLAG_RECEPTION_OVERDUE, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rg_process p = words_of(rows[i].words), none = words_of("H11");
        struct rg_wall now = {INT64_C(1795608000000)};
        struct rg_wall then = {now.ms + rows[i].hours * 60 * 60 * 1000 + 3600000};
        if ((rg_process_flags(&p, then) & rows[i].flag) == 0) {
            fail_msg("%s: not flagged: %s", rows[i].words, rg_process_flag_text(rows[i].flag));
        }
        assert_int_equal(rg_process_flags(&none, now) & rows[i].flag, 0);
        assert_true(rg_process_flag_text(rows[i].flag)[0] != '\0');
    }
    struct rg_process back = words_of(UNTIL_SCHEDULED " { H44 | O42:CANCEL } H45:REFUSED_AT_GATE");
    assert_false(back.departed_against_stop);
}

static void test_an_emergency_lists_what_it_skipped(void **state)
{
    (void)state;
    struct rg_process p = words_of("H49:VITAL");
    assert_true((p.deferred & RG_GATE_BIT(RG_GATE_NATIONALITY)) != 0);
    assert_true((p.deferred & RG_GATE_BIT(RG_GATE_CONSENT_RETURN)) != 0);
    p = words_of(UNTIL_SCHEDULED " H49");
    assert_int_equal(p.deferred, 0);
    expect("H49 O41:ACCEPT H45:PRESENT O46:true O31:CONFIRMED H35:SAFE O50",
           RG_PROCESS_REINTEGRATING);
}

/* ---- storing and reading ---- */

static void test_stored_and_read_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        RG_OWNED_BUFFER bytes = {0};
        RG_OWNED_BUFFER again = {0};
        struct rg_process p = words_of(paths[i].words), read = {0};
        assert_true(rg_is_ok(rg_process_encode(&p, &bytes, NULL)));
        assert_true(rg_is_ok(rg_process_decode(rg_buffer_peek(&bytes), &read, NULL)));
        assert_true(rg_is_ok(rg_process_encode(&read, &again, NULL)));
        assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), rg_buffer_peek(&again)));
        assert_int_equal(read.state, p.state);
        struct rg_bytes cut = rg_buffer_peek(&bytes);
        for (cut.len = cut.len - 1; cut.len > 0; cut.len -= cut.len < 97 ? cut.len : 97) {
            struct rg_reason why = {0};
            assert_int_equal(rg_process_decode(cut, &read, &why).code, RG_MALFORMED);
            assert_string_equal(why.id, "process-form");
        }
        bytes.data[0] ^= 0x40; /* another version */
        assert_int_equal(rg_process_decode(rg_buffer_peek(&bytes), &read, NULL).code, RG_MALFORMED);
    }
}

/* Each code of the deciding box of a form means something here, and something of its own. */
static void test_codes_are_found_by_their_text(void **state)
{
    (void)state;
    size_t kinds, boxes = 0;
    const struct rg_kind_row *kind = rg_kind_rows(&kinds);
    for (size_t k = 0; k < kinds; k++) {
        const char *name = rg_process_code_box(kind[k].number);
        if (name == NULL) {
            continue;
        }
        const struct rg_box *box = rg_form_box(kind[k].form, name);
        assert_non_null(box);
        assert_true(box->required);
        assert_int_equal(box->class_, RG_CLASS_CASE);
        uint32_t used = 0;
        for (size_t c = 0; box->type == RG_BOX_CODE && box->codes[c] != NULL; c++) {
            uint32_t code = rg_process_code_of(kind[k].number, name, box->codes[c]);
            assert_int_not_equal(code, 0);
            assert_int_equal(used >> code & 1u, 0);
            used |= 1u << code;
        }
        assert_int_equal(rg_process_code_of(kind[k].number, name, "NO_SUCH_CODE"), 0);
        boxes++;
    }
    assert_int_equal(boxes, 19);
}

static struct rg_process_message read_form(uint32_t kind, const char *const *pairs)
{
    RG_OWNED_FORM form = NULL;
    assert_true(rg_is_ok(rg_form_new(rg_kind_row(kind)->form, &form, NULL)));
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        assert_true(rg_is_ok(rg_form_set(form, pairs[i], rg_bytes_of_text(pairs[i + 1]), NULL)));
    }
    struct rg_content content = {.kind = kind,
                                 .class_ = RG_CLASS_CASE,
                                 .body = RG_BODY_FORM,
                                 .author = "referral://th/focal/officer-1",
                                 .form = form};
    const struct rg_content *section[] = {&content};
    struct rg_process_message m;
    struct rg_id id = {{7}};
    bool relevant = false;
    assert_true(
        rg_is_ok(rg_process_message_read(section, 1, id, RG_PARTY_HOST, &m, &relevant, NULL)));
    assert_true(relevant);
    return m;
}

#define FORM(kind, ...) read_form(kind, (const char *const[]){__VA_ARGS__, NULL})

static void test_messages_are_read_from_forms(void **state)
{
    (void)state;
    struct rg_process_message m =
        FORM(35, "verdict", "NOT_SAFE", "valid_to", "2027-01-31", "assessed_on", "2026-11-25");
    assert_int_equal(m.code, RG_RISK_NOT_SAFE);
    assert_int_equal(m.valid_to.month, 1);
    assert_int_equal(m.id.b[0], 7);
    m = FORM(36, "decision", "RETURN", "guardian", "AUTHORITY", "escort_same_day", "true",
             "receiving_care", "la/social");
    assert_int_equal(m.flags, RG_SAYS_GUARDIAN | RG_SAYS_ESCORT | RG_SAYS_CARE);
    m = FORM(36, "decision", "LATER", "guardian", "NONE", "escort_same_day", "false");
    assert_int_equal(m.flags, 0);
    assert_int_equal(m.code, RG_INTEREST_LATER);
    m = FORM(46, "received", "false");
    assert_int_equal(m.code, RG_RECEPTION_NO);
    m = FORM(21, "scopes", "RETURN;FOLLOW_UP");
    assert_int_equal(m.scopes, RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP));
    m = FORM(20, "scopes", "RETURN", "expires_on", "2027-05-01");
    assert_int_equal(m.scopes, RG_SCOPE_BIT(RG_SCOPE_RETURN));
    assert_int_equal(m.valid_to.year, 2027);
    m = FORM(49, "basis", "VITAL_INTEREST", "age", "CHILD");
    assert_int_equal(m.flags, RG_SAYS_VITAL_INTEREST);
    assert_int_equal(m.age, RG_AGE_CHILD);
    assert_int_equal(m.scopes, 0);
    m = FORM(49, "basis", "BY_CONSENT", "age", "ADULT");
    assert_int_equal(m.scopes, RG_SCOPES_RETURN);
    m = FORM(51, "seen", "true", "safe", "YES");
    assert_int_equal(m.flags, RG_SAYS_SAFE);
    m = FORM(51, "seen", "false", "safe", "YES");
    assert_int_equal(m.flags, 0);
    m = FORM(60, "witness_until", "2027-02-01");
    assert_int_equal(m.flags, RG_SAYS_WAITS_AS_WITNESS);
    m = FORM(10, "status", "ActualVictimOfTrafficking", "age", "ADULT");
    assert_int_equal(m.trafficking, 2);
}

static void test_messages_that_are_no_part_of_a_case(void **state)
{
    (void)state;
    struct rg_content content = {.class_ = RG_CLASS_IDENTITY};
    const struct rg_content *section[] = {&content};
    struct rg_process_message m;
    struct rg_reason why = {0};
    bool relevant = true;
    assert_int_equal(
        rg_process_message_read(section, 1, (struct rg_id){{0}}, RG_PARTY_HOST, &m, &relevant, &why)
            .code,
        RG_MALFORMED);
    assert_string_equal(why.id, "process-section");
    content.class_ = RG_CLASS_CASE;
    static const struct {
        uint32_t kind;
        bool relevant;
    } rows[] = {{1, false},  {3, false},  {4, false}, {19, false}, {90, false},
                {91, false}, {92, false}, {2, true},  {18, true},  {84, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        content.kind = rows[i].kind;
        assert_true(rg_is_ok(rg_process_message_read(section, 1, (struct rg_id){{0}}, RG_PARTY_HOST,
                                                     &m, &relevant, NULL)));
        assert_int_equal(relevant, rows[i].relevant);
    }
}

static void test_too_many_messages(void **state)
{
    (void)state;
    size_t count = RG_PROCESS_MESSAGES_MAX + 1;
    struct rg_process_message *many = calloc(count, sizeof(*many));
    assert_non_null(many);
    for (size_t i = 0; i < count; i++) { /* a hostile heap: nothing named, all alike */
        many[i].from = i % 2 == 0 ? RG_PARTY_HOST : RG_PARTY_ORIGIN;
        many[i].kind = 18;
        many[i].id.b[0] = (uint8_t)i;
        many[i].id.b[1] = (uint8_t)(i >> 8);
    }
    struct rg_process p;
    struct rg_reason why = {0};
    assert_int_equal(rg_process_fold(many, count, NULL, NULL, &p, &why).code, RG_LIMIT);
    assert_string_equal(why.id, "process-messages");
    assert_true(rg_is_ok(rg_process_fold(many, count - 1, NULL, NULL, &p, &why)));
    assert_int_equal(p.voids, RG_PROCESS_MESSAGES_MAX);
    many[0].has_previous = many[1].has_previous = true; /* and a circle */
    many[0].previous = many[1].id;
    many[1].previous = many[0].id;
    assert_true(rg_is_ok(rg_process_fold(many, 3, NULL, NULL, &p, &why)));
    assert_int_equal(p.messages, 3);
    free(many);
}

static void test_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RG_PROCESS_STATE_COUNT; i++) {
        enum rg_process_state found = RG_PROCESS_NONE;
        const char *name = rg_process_state_name((enum rg_process_state)i);
        assert_true(rg_process_state_find(name, &found));
        assert_int_equal(found, i);
    }
    for (unsigned i = 0; i < RG_VOID_COUNT; i++) {
        assert_true(rg_void_name((enum rg_void)i)[0] != '\0');
        assert_true(rg_void_meaning((enum rg_void)i)[0] != '\0');
    }
    for (unsigned i = 1; i < RG_DO_COUNT; i++) {
        assert_string_not_equal(rg_process_do_name((enum rg_process_do)i), "unknown");
    }
}

/* What the library has said is owed no more: else it would say it again with whatever comes. */
static void test_what_is_said_is_owed_no_more(void **state)
{
    static const struct {
        const char *words, *said;
        enum rg_process_do what;
    } owed[] = {
        {UNTIL_SCHEDULED " { O52:OPEN | H49 }", " H42:REMOVE_PERSON", RG_DO_SEND_REMOVE_PERSON},
        {UNTIL_SCHEDULED " O52:OPEN", " H42:REMOVE_PERSON", RG_DO_SEND_REMOVE_PERSON},
        {UNTIL_SCHEDULED " O21", " H42:CANCEL", RG_DO_SEND_STOP},
        {UNTIL_SCHEDULED " { O21 | H47:MISSING }", " H42:CANCEL", RG_DO_SEND_STOP},
        {"H11 O21", " H22", RG_DO_SEND_WITHDRAWAL_ACK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(owed) / sizeof(owed[0]); i++) {
        struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
        struct talk talk;
        words_start(&talk);
        words_say(&talk, owed[i].words);
        words_say(&talk, owed[i].said);
        struct rg_process p = words_fold(&talk);
        size_t count =
            rg_process_actions(&p, (struct rg_wall){talk.now_ms}, action, RG_PROCESS_ACTIONS_MAX);
        for (size_t k = 0; k < count; k++) {
            if (action[k].what == owed[i].what) {
                fail_msg("%s%s: %s is owed again", owed[i].words, owed[i].said,
                         rg_process_do_name(action[k].what));
            }
        }
    }
}

/* Nobody is taken abroad as a witness who has taken that back, or for whom somebody fears. */
static void test_a_witness_who_must_not_leave(void **state)
{
    static const char agreed[] = UNTIL_HOME " H60 O61:AGREES H62:PROPOSED O62:AGREED";
    char words[512];
    (void)state;
    (void)snprintf(words, sizeof(words), "%s O44", agreed);
    expect(words, RG_PROCESS_WITNESS_AWAY);
    (void)snprintf(words, sizeof(words), "%s O21:LEGAL O44", agreed);
    expect_void(words, RG_VOID_NOT_READY);
    (void)snprintf(words, sizeof(words), "%s H52:OPEN O44", agreed);
    expect_void(words, RG_VOID_GATE);
    (void)snprintf(words, sizeof(words), "%s H47:THREAT O44", agreed);
    expect_void(words, RG_VOID_GATE);
    (void)snprintf(words, sizeof(words), "%s H52:OPEN O52:CLOSED O44", agreed);
    expect(words, RG_PROCESS_WITNESS_AWAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_is_owed_no_more),
        cmocka_unit_test(test_a_witness_who_must_not_leave),
        cmocka_unit_test(test_every_row_is_met),
        cmocka_unit_test(test_the_states_along_the_way),
        cmocka_unit_test(test_what_has_no_row_is_void),
        cmocka_unit_test(test_why_it_is_void),
        cmocka_unit_test(test_messages_that_cross),
        cmocka_unit_test(test_two_decisions_of_one_office),
        cmocka_unit_test(test_the_order_of_arrival_does_not_matter),
        cmocka_unit_test(test_long_cases_in_random_order),
        cmocka_unit_test(test_history_is_not_rewritten),
        cmocka_unit_test(test_a_gap_in_a_chain),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_no_return_is_lifted_by_all_three),
        cmocka_unit_test(test_where_a_case_goes_on),
        cmocka_unit_test(test_status_and_age),
        cmocka_unit_test(test_time_alone_moves_nothing),
        cmocka_unit_test(test_a_fresh_alert_holds_until_it_is_relayed),
        cmocka_unit_test(test_what_a_writer_may),
        cmocka_unit_test(test_what_is_owed),
        cmocka_unit_test(test_what_is_awaited),
        cmocka_unit_test(test_somebody_is_always_awaited),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_an_emergency_lists_what_it_skipped),
        cmocka_unit_test(test_stored_and_read_again),
        cmocka_unit_test(test_codes_are_found_by_their_text),
        cmocka_unit_test(test_messages_are_read_from_forms),
        cmocka_unit_test(test_messages_that_are_no_part_of_a_case),
        cmocka_unit_test(test_too_many_messages),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
