/* process: every row of the table, what is void and why, messages that cross, any order of arrival,
 * whose move it is, what the library owes. */
#include "tests/unit/process_words.h"

#include <setjmp.h>
#include <stdarg.h>
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

static void test_void(void **state)
{
    (void)state;
    expect_void("H12", RG_VOID_STATE);
    expect_void("H11 H12", RG_VOID_PARTY);
    expect_void("H11 O12 O13", RG_VOID_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_met),
        cmocka_unit_test(test_the_states_along_the_way),
        cmocka_unit_test(test_void),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
