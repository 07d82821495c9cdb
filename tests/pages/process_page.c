/* Writes the tables of docs/process.md anew, or with --check compares them.
 * usage: process_page [--check] FILE
 *
 * A part stands between a line `<!-- NAME -->` and the next `<!-- end -->`. */
#include "client/process_inside.h"

#include "core/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(struct rg_buffer *out, const char *text)
{
    if (!rg_is_ok(rg_buffer_append_text(out, text, NULL))) {
        exit(1);
    }
}

static const char *const by_name[] = {
    [RG_BY_ANY] = "any",           [RG_BY_HOST] = "H",
    [RG_BY_ORIGIN] = "O",          [RG_BY_REQUESTER] = "requester",
    [RG_BY_RECEIVER] = "receiver", [RG_BY_CARE] = "care",
};

static const char *const guard_name[RG_GUARD_COUNT] = {
    [RG_GUARD_NONE] = "",
    [RG_GUARD_DECIDES] = "decides",
    [RG_GUARD_DECIDES_EARLY] = "decides, before the accept",
    [RG_GUARD_KNOWS] = "knows of every withdrawal",
    [RG_GUARD_EMERGENCY] = "two officers; consent, or vital interest if she has not said no",
    [RG_GUARD_EMERGENCY_ANEW] = "two officers; consent since",
    [RG_GUARD_MAY_PLAN] = "may plan",
    [RG_GUARD_MAY_DEPART] = "may depart",
    [RG_GUARD_PROPOSAL] = "answers the proposal",
    [RG_GUARD_OFFER] = "answers the other's 53",
    [RG_GUARD_STOPS] = "what a return needs",
    [RG_GUARD_STOPS_ONWARD] = "what going onward needs",
    [RG_GUARD_RESUMES] = "resumes",
    [RG_GUARD_ONWARD] = "consent to a third country",
    [RG_GUARD_NOT_STOPPED] = "not stopped",
    [RG_GUARD_IN_EMERGENCY] = "in an emergency",
    [RG_GUARD_EMERGENCY_GOING] = "in an emergency, not stopped",
    [RG_GUARD_ON_THE_ROAD] = "a void departure was reported",
    [RG_GUARD_ALERT_OPEN] = "an alert is open",
    [RG_GUARD_ALL_ALERTS] = "knows of every grave alert",
    [RG_GUARD_OTHER_GONE] = "the other side has said so",
    [RG_GUARD_NOT_TAKEN] = "since the handover; nobody says taken",
    [RG_GUARD_ASSESSES] = "assesses",
    [RG_GUARD_AFTER_ACCEPT] = "after the accept",
    [RG_GUARD_FOLLOW_UP] = "FOLLOW_UP not withdrawn",
    [RG_GUARD_AT_HOME] = "the origin looks after her",
    [RG_GUARD_VISIT] = "both sides and she agree; no alert or concern is open",
    [RG_GUARD_LEG_OUT] = "on the way out",
    [RG_GUARD_LEG_OUT_OPEN] = "on the way out, not stopped",
    [RG_GUARD_LEG_OUT_HANDED] = "handed over on the way out",
    [RG_GUARD_LEG_THERE] = "there",
    [RG_GUARD_LEG_BACK_OPEN] = "on the way back, not stopped",
    [RG_GUARD_LEG_BACK] = "on the way back",
    [RG_GUARD_LEG_BACK_HANDED] = "handed over on the way back",
    [RG_GUARD_BACK_SAFE] = "there; nothing says unsafe",
    [RG_GUARD_FIRST_ONWARD] = "the case began with 70",
    [RG_GUARD_ERASURE] = "the other side has ordered it",
    [RG_GUARD_GATE] = "the gate for clearing holds",
    [RG_GUARD_NO_GATE] = "it does not hold",
    [RG_GUARD_LIFTED] = "mended, assessed anew, consented afresh",
};

static const char *to_name(uint32_t to)
{
    switch (to) {
    case RG_TO_SAME:
        return "";
    case RG_TO_RESUMED:
        return "where it was suspended";
    case RG_TO_FOUND:
        return "where she went missing";
    case RG_TO_REOPENED:
        return "what it was";
    default:
        return rg_process_state_name((enum rg_process_state)to);
    }
}

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)
#define CHECKED (S(ACCEPTED) | S(CLEARED) | S(SCHEDULED))
#define OVER_THERE (S(HANDED_OVER) | S(RECEIVED) | S(REINTEGRATING))
#define TAKEN_ON                                                                                   \
    (CHECKED | OVER_THERE | S(IN_TRANSIT) | S(MISSING) | S(WITNESS_AWAY) | S(NO_RETURN))
#define EARLY (S(NOTIFIED) | S(REFERRED) | S(NEEDS_INFO))
#define ENDED (S(DECLINED) | S(CANCELLED) | S(CLOSED))

static const struct {
    uint32_t set;
    const char *name;
} groups[] = {
    {TAKEN_ON | EARLY | S(SUSPENDED) | S(ONWARD), "*open*"},
    {TAKEN_ON, "*taken on*"},
    {EARLY | CHECKED, "*before*"},
    {CHECKED, "*checked*"},
    {OVER_THERE, "*over there*"},
    {ENDED, "*ended*"},
};

static void name_of_state(struct rg_buffer *out, const char *name, bool *first)
{
    say(out, *first ? "" : ", ");
    say(out, name);
    *first = false;
}

static void states(struct rg_buffer *out, uint32_t set)
{
    bool first = true;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if ((set & groups[i].set) == groups[i].set) {
            name_of_state(out, groups[i].name, &first);
            set &= ~groups[i].set;
        }
    }
    for (unsigned i = 0; i < RG_PROCESS_STATE_COUNT; i++) {
        if ((set >> i & 1u) != 0) {
            name_of_state(out, i == 0 ? "–" : rg_process_state_name((enum rg_process_state)i),
                          &first);
        }
    }
}

static void codes(struct rg_buffer *out, const struct rg_process_row *row)
{
    static const char *const reasons[] = {[RG_REASON_LATE_IDENTIFICATION] = "LATE_IDENTIFICATION"};
    if (row->kind == 11 && row->codes != 0) {
        say(out, " ");
        say(out, reasons[RG_REASON_LATE_IDENTIFICATION]);
        return;
    }
    for (uint32_t code = 0; code < 32; code++) {
        const char *text = rg_process_code_text(row->kind, code);
        if ((row->codes >> code & 1u) != 0 && text != NULL) {
            bool first = (row->codes & ((1u << code) - 1u)) == 0;
            say(out, first ? " " : ", ");
            say(out, row->kind == 46 ? (code == RG_RECEPTION_YES ? "yes" : "no") : text);
        }
    }
}

static void rows_part(struct rg_buffer *out)
{
    size_t count;
    const struct rg_process_row *row = rg_process_rows(&count);
    say(out, "| row | in | message | by | if | to | meaning |\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        char number[16] = "(settles)";
        if (row[i].kind != 0) {
            (void)snprintf(number, sizeof(number), "%u", row[i].kind);
        }
        const char *cells[] = {"| ", row[i].id, " | "};
        for (size_t c = 0; c < 3; c++) {
            say(out, cells[c]);
        }
        states(out, row[i].states);
        say(out, " | ");
        say(out, number);
        codes(out, &row[i]);
        const char *rest[] = {" | ", by_name[row[i].by], " | ", guard_name[row[i].guard],
                              " | ", to_name(row[i].to), " | ", row[i].meaning,
                              " |\n"};
        for (size_t c = 0; c < sizeof(rest) / sizeof(rest[0]); c++) {
            say(out, rest[c]);
        }
    }
}

static void voids_part(struct rg_buffer *out)
{
    say(out, "| reason | meaning |\n|---|---|\n");
    for (unsigned i = RG_VOID_NOT + 1; i < RG_VOID_COUNT; i++) {
        const char *cells[] = {"| ", rg_void_name((enum rg_void)i), " | ",
                               rg_void_meaning((enum rg_void)i), " |\n"};
        for (size_t c = 0; c < 5; c++) {
            say(out, cells[c]);
        }
    }
}

static void gate_part(struct rg_buffer *out)
{
    say(out, "| row | when | what must hold | what to do when it does not |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < RG_GATE_COUNT; i++) {
        const struct rg_gate_row *row = rg_gate_row((enum rg_gate)i);
        const char *stage = row->stage == RG_GATE_CLEARING ? "clearing" : "departure";
        const char *who = row->child ? ", child" : row->home ? ", known only to the house" : "";
        const char *cells[] = {"| ",  row->id,      " | ", stage,          who,
                               " | ", row->meaning, " | ", row->what_next, " |\n"};
        for (size_t c = 0; c < sizeof(cells) / sizeof(cells[0]); c++) {
            say(out, cells[c]);
        }
    }
}

static void actions_part(struct rg_buffer *out)
{
    static const char *const meaning[RG_DO_COUNT] = {
        [RG_DO_SEND_DETAILS] = "17, after the accept, by the requester",
        [RG_DO_SEND_REMOVE_PERSON] =
            "42 REMOVE_PERSON, by the host, when a check failed while a handover was planned",
        [RG_DO_SEND_STOP] =
            "42 CANCEL, by the host, when a consent was withdrawn while one was planned",
        [RG_DO_SEND_ALERT] = "47 MISSING, by who handed over, when nobody has confirmed reception "
                             "in 4 hours: the one message that a clock sends",
        [RG_DO_SEND_WITHDRAWAL_ACK] = "22, by the other side",
        [RG_DO_ERASE_RECEIVED] = "after a decline, by who declined: received sections are "
                                 "destroyed, number and code stay",
        [RG_DO_RELAY_ALERT] = "a direct alert goes into the case's thread, by the focal point of "
                              "the country it came from",
    };
    say(out, "| action | what |\n|---|---|\n");
    for (unsigned i = 1; i < RG_DO_COUNT; i++) {
        const char *cells[] = {"| ", rg_process_do_name((enum rg_process_do)i), " | ", meaning[i],
                               " |\n"};
        for (size_t c = 0; c < 5; c++) {
            say(out, cells[c]);
        }
    }
}

static void flags_part(struct rg_buffer *out)
{
    for (unsigned i = 0; i < RG_FLAG_COUNT; i++) {
        say(out, "- ");
        say(out, rg_process_flag_text(1u << i));
        say(out, "\n");
    }
}

static const struct {
    const char *name;
    void (*print)(struct rg_buffer *out);
} parts[] = {{"rows", rows_part},
             {"voids", voids_part},
             {"gate", gate_part},
             {"actions", actions_part},
             {"flags", flags_part}};

/* The page with its parts made anew; false when a part is missing. */
static bool anew(const char *page, struct rg_buffer *out)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char mark[32];
        (void)snprintf(mark, sizeof(mark), "<!-- %s -->\n", parts[i].name);
        const char *begin = strstr(page, mark);
        const char *end = begin == NULL ? NULL : strstr(begin, "<!-- end -->\n");
        if (end == NULL) {
            (void)fprintf(stderr, "process_page: no part %s\n", parts[i].name);
            return false;
        }
        begin += strlen(mark);
        if (!rg_is_ok(rg_buffer_append(out, rg_bytes_of(page, (size_t)(begin - page)), NULL))) {
            return false;
        }
        parts[i].print(out);
        page = end;
    }
    say(out, page);
    return true;
}

int main(int argc, char **argv)
{
    bool check = argc == 3 && strcmp(argv[1], "--check") == 0;
    if (argc != 2 && !check) {
        (void)fprintf(stderr, "usage: process_page [--check] FILE\n");
        return 2;
    }
    const char *path = argv[argc - 1];
    RG_OWNED_BUFFER there = {0};
    RG_OWNED_BUFFER out = {0};
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_file_read(path, RG_MIB, &there, &why)) ||
        !rg_is_ok(rg_buffer_append(&there, rg_bytes_of("", 1), &why))) {
        (void)fprintf(stderr, "process_page: %s\n", why.text);
        return 1;
    }
    if (!anew((const char *)there.data, &out)) {
        return 1;
    }
    there.len--;
    if (check) {
        bool same = rg_bytes_equal(rg_buffer_peek(&there), rg_buffer_peek(&out));
        if (!same) {
            (void)fprintf(stderr, "%s is not what the tables say; make it anew: process_page %s\n",
                          path, path);
        }
        return same ? 0 : 1;
    }
    return rg_is_ok(rg_file_replace(path, rg_buffer_peek(&out), 0644, &why)) ? 0 : 1;
}
