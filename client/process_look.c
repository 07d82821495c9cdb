/*
 * How it works: everything here reads a folded state and a time, and writes nothing into it. What
 * is awaited comes from three places, most pressing first: somebody's safety, what was asked and
 * not answered, what the state itself needs next (for a return that is being checked: the rows of
 * the gate that fail). Actions are owed as long as the state says so, and are owed no more once
 * their message is in the set.
 */
#include "client/process_inside.h"

#include <string.h>

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)
#define HOUR_MS (INT64_C(60) * 60 * 1000)
#define RECEPTION_HOURS 4
#define EMERGENCY_HOURS 24

static bool is_one_of(enum rg_process_state state, uint32_t states)
{
    return (RG_STATE_BIT(state) & states) != 0;
}

/* ---- names ---- */

static const char *const state_name[RG_PROCESS_STATE_COUNT] = {
    [RG_PROCESS_NONE] = "NONE",
    [RG_PROCESS_NOTIFIED] = "NOTIFIED",
    [RG_PROCESS_REFERRED] = "REFERRED",
    [RG_PROCESS_NEEDS_INFO] = "NEEDS_INFO",
    [RG_PROCESS_ACCEPTED] = "ACCEPTED",
    [RG_PROCESS_CLEARED] = "CLEARED",
    [RG_PROCESS_SCHEDULED] = "SCHEDULED",
    [RG_PROCESS_IN_TRANSIT] = "IN_TRANSIT",
    [RG_PROCESS_MISSING] = "MISSING",
    [RG_PROCESS_HANDED_OVER] = "HANDED_OVER",
    [RG_PROCESS_RECEIVED] = "RECEIVED",
    [RG_PROCESS_REINTEGRATING] = "REINTEGRATING",
    [RG_PROCESS_WITNESS_AWAY] = "WITNESS_AWAY",
    [RG_PROCESS_SUSPENDED] = "SUSPENDED",
    [RG_PROCESS_NO_RETURN] = "NO_RETURN",
    [RG_PROCESS_ONWARD] = "ONWARD",
    [RG_PROCESS_DECLINED] = "DECLINED",
    [RG_PROCESS_CANCELLED] = "CANCELLED",
    [RG_PROCESS_CLOSED] = "CLOSED",
    [RG_PROCESS_ERASED] = "ERASED",
};

const char *rg_process_state_name(enum rg_process_state state)
{
    return (unsigned)state < RG_PROCESS_STATE_COUNT ? state_name[state] : "UNKNOWN";
}

bool rg_process_state_find(const char *name, enum rg_process_state *state_out)
{
    for (unsigned i = 0; i < RG_PROCESS_STATE_COUNT; i++) {
        if (strcmp(state_name[i], name) == 0) {
            *state_out = (enum rg_process_state)i;
            return true;
        }
    }
    return false;
}

static const struct {
    const char *name, *meaning;
} voids[RG_VOID_COUNT] = {
    [RG_VOID_NOT] = {"counts", "it counts"},
    [RG_VOID_KIND] = {"kind", "this kind is no part of a case between two offices"},
    [RG_VOID_STATE] = {"state", "not possible where the case stood"},
    [RG_VOID_PARTY] = {"party", "only the other side can say this"},
    [RG_VOID_ANSWERS] = {"answers", "it answers something that was not open any more"},
    [RG_VOID_DECIDED] = {"decided", "this office had decided already"},
    [RG_VOID_GATE] = {"gate", "not every check held on that day"},
    [RG_VOID_CONSENT] = {"consent", "there was no consent, or the withdrawal was not known yet"},
    [RG_VOID_OFFICERS] = {"officers", "it needs two officers, and not the one who said no before"},
    [RG_VOID_STOPPED] = {"stopped", "the journey was stopped; she must come back"},
    [RG_VOID_NOT_READY] = {"not-ready", "something that must come first is missing"},
};

const char *rg_void_name(enum rg_void reason)
{
    return (unsigned)reason < RG_VOID_COUNT ? voids[reason].name : "unknown";
}

const char *rg_void_meaning(enum rg_void reason)
{
    return (unsigned)reason < RG_VOID_COUNT ? voids[reason].meaning : "unknown";
}

/* ---- the gate ---- */

static bool is_past(struct rg_date last, struct rg_date today)
{
    return last.year != 0 && rg_date_days(today) > rg_date_days(last);
}

static bool consents(const struct rg_process *p, enum rg_scope scope, struct rg_date today)
{
    return (p->scopes & RG_SCOPE_BIT(scope)) != 0 && p->scope_until[scope - 1].year != 0 &&
           !is_past(p->scope_until[scope - 1], today);
}

static bool is_current(const struct rg_check *check, struct rg_date today)
{
    return check->code != 0 && !is_past(check->valid_to, today) &&
           rg_date_days(today) - rg_date_days(check->made) <= RG_RISK_DAYS_MAX;
}

static uint32_t valid(const struct rg_check *check, struct rg_date today)
{
    return is_past(check->valid_to, today) ? 0 : check->code;
}

struct rg_gate_input rg_process_gate_input(const struct rg_process *p, struct rg_date today,
                                           const struct rg_gate_home *home)
{
    uint32_t travel = valid(&p->travel, today);
    const struct rg_check *interest = &p->interest[RG_PARTY_HOST];
    struct rg_gate_input input = {
        .consent_return = consents(p, RG_SCOPE_RETURN, today),
        .consent_identity = consents(p, RG_SCOPE_SHARE_IDENTITY, today),
        .nationality = valid(&p->nationality, today),
        .risk_host = p->risk[RG_PARTY_HOST].code,
        .risk_host_current = is_current(&p->risk[RG_PARTY_HOST], today),
        .risk_origin = p->risk[RG_PARTY_ORIGIN].code,
        .risk_origin_current = is_current(&p->risk[RG_PARTY_ORIGIN], today),
        .forbidden = p->forbids != 0,
        .concern_open = p->concerns > 0,
        .alert_open = p->alerts > 0,
        .hold = p->holds[RG_PARTY_HOST] + p->holds[RG_PARTY_ORIGIN] > 0,
        .home_known = home != NULL,
        .no_claim = home != NULL && home->no_claim,
        .receivers_clear = home != NULL && home->receivers_clear,
        .witness_needed = p->witness_until.year != 0 && !is_past(p->witness_until, today),
        .goes_anyway = p->goes_anyway,
        .travel_permission = travel == RG_TRAVEL_ISSUED || travel == RG_TRAVEL_LIST_ENTRY,
        .fit = valid(&p->fit, today),
        .age = p->age,
        .interest = is_current(interest, today) ? interest->code : 0,
        .guardian_named = p->guardian_named,
        .escort = p->escort,
        .care_named = p->care_named,
        .host_care = p->care == RG_PARTY_HOST,
        .reception_confirmed = p->reception_confirmed,
    };
    return input;
}

struct rg_gate_verdict rg_process_gate(const struct rg_process *process, struct rg_date today,
                                       enum rg_gate_stage stage, const struct rg_gate_home *home)
{
    struct rg_gate_input input = rg_process_gate_input(process, today, home);
    return rg_gate_judge(&input, stage);
}

/* ---- flags ---- */

static bool handed_over_long_ago(const struct rg_process *p, struct rg_wall now)
{
    bool handed = p->state == RG_PROCESS_HANDED_OVER ||
                  (p->state == RG_PROCESS_WITNESS_AWAY &&
                   (p->leg == RG_LEG_OUT_HANDED || p->leg == RG_LEG_BACK_HANDED));
    return handed && now.ms - p->handed_over.ms >= RECEPTION_HOURS * HOUR_MS;
}

static bool is_stale(const struct rg_process *p, struct rg_date today)
{
    const struct rg_check *dated[] = {&p->nationality, &p->travel, &p->fit};
    const struct rg_check *judged[] = {&p->risk[RG_PARTY_HOST], &p->risk[RG_PARTY_ORIGIN],
                                       &p->interest[RG_PARTY_HOST]};
    for (size_t i = 0; i < 3; i++) {
        if ((dated[i]->code != 0 && is_past(dated[i]->valid_to, today)) ||
            (judged[i]->code != 0 && !is_current(judged[i], today))) {
            return true;
        }
    }
    return false;
}

static bool consent_ended(const struct rg_process *p, struct rg_date today)
{
    for (unsigned i = 0; i < 10; i++) {
        if ((p->scopes >> i & 1u) != 0 && is_past(p->scope_until[i], today)) {
            return true;
        }
    }
    return false;
}

static bool before_departure(const struct rg_process *p)
{
    return is_one_of(p->state, S(NOTIFIED) | S(REFERRED) | S(NEEDS_INFO) | S(ACCEPTED) |
                                   S(CLEARED) | S(SCHEDULED) | S(SUSPENDED) | S(NO_RETURN));
}

static bool is_over(const struct rg_process *p)
{
    return is_one_of(p->state, S(NONE) | S(DECLINED) | S(CANCELLED) | S(CLOSED) | S(ERASED));
}

/* After an emergency return: the rows of the gate that were skipped, can still be made up for, and
 * fail to this day. */
static uint32_t still_deferred(const struct rg_process *p, struct rg_date today)
{
    const uint32_t later = RG_GATE_BIT(RG_GATE_NATIONALITY) | RG_GATE_BIT(RG_GATE_RISK_HOST) |
                           RG_GATE_BIT(RG_GATE_RISK_ORIGIN) | RG_GATE_BIT(RG_GATE_CHILD_INTEREST);
    bool has = p->deferred != 0 && !is_over(p);
    return has ? p->deferred & later & rg_process_gate(p, today, RG_GATE_DEPARTURE, NULL).fails : 0;
}

unsigned rg_process_flags(const struct rg_process *p, struct rg_wall now)
{
    struct rg_date today = rg_day_of_wall(now);
    const struct rg_asked *emergency = &p->asked[RG_ASK_EMERGENCY][RG_PARTY_HOST];
    const struct {
        unsigned flag;
        bool is;
    } flags[] = {
        {RG_FLAG_STOP, p->stop != 0},
        {RG_FLAG_EMERGENCY, p->emergency && still_deferred(p, today) != 0},
        {RG_FLAG_ALERT, p->alerts > 0 && !is_over(p)},
        {RG_FLAG_CONCERN, p->concerns > 0},
        {RG_FLAG_HOLD, p->holds[RG_PARTY_HOST] + p->holds[RG_PARTY_ORIGIN] > 0},
        {RG_FLAG_FOLLOW_UP_STOPPED, p->follow_up_stopped && !is_over(p)},
        {RG_FLAG_DEPARTED_AGAINST_STOP, p->departed_against_stop},
        {RG_FLAG_HANDED_OVER_AGAINST_STOP, p->handed_over_against_stop},
        {RG_FLAG_UNRESOLVED, p->unresolved && p->state == RG_PROCESS_CLOSED},
        {RG_FLAG_OTHER_OPINION, p->other_opinion != 0},
        {RG_FLAG_CHECK_STALE, before_departure(p) && is_stale(p, today)},
        {RG_FLAG_CONSENT_ENDED, !is_over(p) && consent_ended(p, today)},
        {RG_FLAG_RECEPTION_OVERDUE, handed_over_long_ago(p, now)},
        {RG_FLAG_EMERGENCY_SILENT,
         emergency->open && now.ms - emergency->since.ms >= EMERGENCY_HOURS * HOUR_MS},
    };
    unsigned set = 0;
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        set |= flags[i].is ? flags[i].flag : 0;
    }
    return set;
}

const char *rg_process_flag_text(unsigned flag)
{
    static const char *const text[RG_FLAG_COUNT] = {
        "the journey is stopped: turn back, hand over nobody",
        "an emergency return: checks were skipped and are due",
        "an alert is open",
        "a safety concern is open",
        "an alert came directly and waits to be passed on: nobody travels",
        "she does not want follow-up any more",
        "a departure was reported although it was stopped: she may be on the way, turn back",
        "a handover was reported although it was stopped: find out where she is, now",
        "closed without her being found",
        "the other country thinks otherwise about the identification; it changes nothing",
        "a check has lapsed",
        "a consent has ended",
        "nobody has confirmed reception within 4 hours",
        "nobody has answered the emergency return within 24 hours",
    };
    for (unsigned i = 0; i < RG_FLAG_COUNT; i++) {
        if (flag == 1u << i) {
            return text[i];
        }
    }
    return "";
}

/* ---- who has to move ---- */

struct waits {
    struct rg_process_wait *wait;
    size_t count, max;
};

static void add(struct waits *w, enum rg_party mover, uint32_t kind, uint32_t asked,
                const char *what, struct rg_wall since)
{
    if (w->count == w->max || mover == RG_PARTY_NONE) {
        return;
    }
    const struct rg_kind_row *row = asked == 0 ? NULL : rg_kind_row(asked);
    w->wait[w->count++] =
        (struct rg_process_wait){.mover = mover,
                                 .kind = kind,
                                 .asked = asked,
                                 .what = what,
                                 .since = since,
                                 .unit = row == NULL ? RG_DEADLINE_NONE : row->unit,
                                 .amount = row == NULL ? 0 : row->deadline};
}

static void add_alert(struct waits *w, enum rg_party mover, uint32_t kind, uint32_t asked,
                      const char *what, struct rg_wall since)
{
    size_t before = w->count;
    add(w, mover, kind, asked, what, since);
    if (w->count > before) {
        w->wait[before].alert = true;
    }
}

static const struct rg_asked *open_of(const struct rg_process *p, enum rg_ask ask,
                                      enum rg_party from)
{
    return p->asked[ask][from].open ? &p->asked[ask][from] : NULL;
}

static void safety_of(const struct rg_process *p, enum rg_party party, struct waits *w)
{
    const struct rg_asked *alert = open_of(p, RG_ASK_ALERT, party);
    const struct rg_asked *withdrawal = open_of(p, RG_ASK_WITHDRAWAL, party);
    const struct rg_asked *concern = open_of(p, RG_ASK_CONCERN, party);
    enum rg_party other = rg_party_other(party);
    if (p->holds[party] > 0) {
        add_alert(w, party, 0, 47, "passing on the alert that came directly", p->hold_since[party]);
    }
    if (alert != NULL) {
        add_alert(w, other, 48, 47, "somebody to take up the alert", alert->since);
    }
    if (withdrawal != NULL) {
        add_alert(w, other, 22, 21, "what was stopped and destroyed after the withdrawal",
                  withdrawal->since);
    }
    if (concern != NULL) {
        add_alert(w, other, 35, 52, "an answer to the safety concern", concern->since);
    }
}

static void safety(const struct rg_process *p, struct waits *w)
{
    bool road = p->departed_against_stop || p->handed_over_against_stop;
    if (road) {
        add_alert(w, RG_PARTY_HOST, 45, 47, "that she is turned back, or where she is", p->since);
    }
    if (p->stop != 0 && p->state == RG_PROCESS_IN_TRANSIT) {
        add_alert(w, RG_PARTY_HOST, 45, 47, "that she is turned back", p->since);
    }
    safety_of(p, RG_PARTY_HOST, w);
    safety_of(p, RG_PARTY_ORIGIN, w);
    if (p->alerts > 0 && !is_over(p)) {
        add_alert(w, p->care, 48, 0, "how the alert ended", p->since);
    }
    if (p->state == RG_PROCESS_MISSING) {
        for (unsigned party = RG_PARTY_HOST; party <= RG_PARTY_ORIGIN; party++) {
            if (p->gone[rg_party_other((enum rg_party)party)] && !p->gone[party]) {
                add_alert(w, (enum rg_party)party, 48, 47, "the same word from the other side",
                          p->since);
            }
        }
    }
    if (p->state == RG_PROCESS_HANDED_OVER) {
        add_alert(w, RG_PARTY_ORIGIN, 46, 45, "the confirmation of reception", p->handed_over);
    }
}

static void questions(const struct rg_process *p, struct waits *w)
{
    static const struct {
        enum rg_ask ask;
        uint32_t asked, kind;
        const char *what;
    } rows[] = {
        {RG_ASK_EMERGENCY, 49, 41, "an answer to the emergency return"},
        {RG_ASK_REQUEST, 11, 12, "the answer to the referral"},
        {RG_ASK_INFO, 14, 15, "the information asked for"},
        {RG_ASK_PROPOSAL, 40, 41, "the answer to the proposed handover"},
        {RG_ASK_NATIONALITY, 30, 31, "the result on nationality"},
        {RG_ASK_TRACING, 32, 33, "the result of tracing"},
        {RG_ASK_TRAVEL, 37, 38, "the travel document"},
        {RG_ASK_ONWARD, 70, 71, "the partner's answer"},
        {RG_ASK_CLOSURE, 53, 54, "an answer to the closing"},
        {RG_ASK_JUSTICE, 60, 61, "an answer to the justice desk"},
        {RG_ASK_WITNESS, 62, 62, "the other side's word on the witness visit"},
        {RG_ASK_REMEDY, 63, 0, "word that the remedy reaches her"},
        {RG_ASK_CORRECTION, 80, 0, "the access or correction she asked for"},
        {RG_ASK_ERASURE, 82, 83, "word that it is erased"},
        {RG_ASK_BREACH, 84, 0, "an answer to the breach"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool paused = rows[i].ask == RG_ASK_REQUEST && !is_one_of(p->state, S(REFERRED));
        for (unsigned from = RG_PARTY_HOST; from <= RG_PARTY_ORIGIN && !paused; from++) {
            const struct rg_asked *asked = open_of(p, rows[i].ask, (enum rg_party)from);
            if (asked != NULL) {
                add(w, rg_party_other((enum rg_party)from), rows[i].kind, rows[i].asked,
                    rows[i].what, asked->since);
            }
        }
    }
}

/* Is this case about a return at all. */
static bool is_return(const struct rg_process *p)
{
    return p->care == RG_PARTY_HOST && (p->reason == 0 || p->reason == RG_REASON_RETURN ||
                                        p->reason == RG_REASON_FAMILY_REUNION);
}

static bool is_asked(const struct rg_process *p, uint32_t kind)
{
    return (kind == 31 && p->asked[RG_ASK_NATIONALITY][RG_PARTY_HOST].open) ||
           (kind == 38 && p->asked[RG_ASK_TRAVEL][RG_PARTY_HOST].open);
}

static void checks(const struct rg_process *p, struct rg_wall now, enum rg_gate_stage stage,
                   struct waits *w)
{
    struct rg_gate_verdict verdict = rg_process_gate(p, rg_day_of_wall(now), stage, NULL);
    for (size_t i = 0; i < verdict.count; i++) {
        const struct rg_gate_row *row = rg_gate_row(verdict.row[i]);
        if (!is_asked(p, row->kind)) {
            uint32_t asked = row->kind == 35 || row->kind == 36 ? row->kind : 0;
            enum rg_party mover = row->kind == 31 || row->kind == 38 ? RG_PARTY_HOST : row->mover;
            add(w, mover,
                row->kind == 31   ? 30
                : row->kind == 38 ? 37
                                  : row->kind,
                asked, row->what_next, p->since);
        }
    }
}

static void owed(const struct rg_process *p, struct waits *w)
{
    if (p->details_due && !is_one_of(p->state, S(SUSPENDED))) {
        add(w, p->requester, 17, 0, "the details", p->since);
    }
    for (unsigned party = RG_PARTY_HOST; party <= RG_PARTY_ORIGIN; party++) {
        if (p->risk_due[party]) {
            add(w, (enum rg_party)party, 35, 35, "a new assessment of the risk", p->since);
        }
    }
    if (p->withdrawal_stop_due || p->remove_due) {
        add(w, RG_PARTY_HOST, 42, 42, "word that the handover is off", p->since);
    }
}

static void by_leg(const struct rg_process *p, struct waits *w)
{
    static const struct {
        enum rg_leg leg;
        enum rg_party mover;
        uint32_t kind, asked;
        const char *what;
    } rows[] = {
        {RG_LEG_OUT, RG_PARTY_ORIGIN, 45, 0, "the handover of the witness"},
        {RG_LEG_OUT_HANDED, RG_PARTY_HOST, 46, 45, "the reception of the witness"},
        {RG_LEG_THERE, RG_PARTY_HOST, 44, 0, "the way home"},
        {RG_LEG_BACK, RG_PARTY_HOST, 45, 0, "the handover on the way home"},
        {RG_LEG_BACK_HANDED, RG_PARTY_ORIGIN, 46, 45, "the reception at home"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].leg == p->leg) {
            bool handed = rows[i].asked == 45;
            add(w, rows[i].mover, rows[i].kind, rows[i].asked, rows[i].what,
                handed ? p->handed_over : p->since);
        }
    }
}

static void by_state(const struct rg_process *p, struct rg_wall now, struct waits *w)
{
    static const struct {
        enum rg_process_state state;
        enum rg_by mover;
        uint32_t kind, asked;
        const char *what;
    } rows[] = {
        {RG_PROCESS_NOTIFIED, RG_BY_HOST, 11, 10, "the referral, or the closing"},
        {RG_PROCESS_SCHEDULED, RG_BY_HOST, 44, 0, "the departure"},
        {RG_PROCESS_IN_TRANSIT, RG_BY_HOST, 45, 0, "the handover"},
        {RG_PROCESS_RECEIVED, RG_BY_ORIGIN, 50, 46, "the plan for her reintegration"},
        {RG_PROCESS_REINTEGRATING, RG_BY_ORIGIN, 51, 50, "the next follow-up, or the closing"},
        {RG_PROCESS_SUSPENDED, RG_BY_CARE, 20, 0, "what she wants now: consent, or the end"},
        {RG_PROCESS_NO_RETURN, RG_BY_HOST, 0, 0,
         "another way (70), a local stay (53), or a new assessment (35)"},
        {RG_PROCESS_DECLINED, RG_BY_REQUESTER, 0, 13, "what is done instead"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const enum rg_party who[] = {[RG_BY_HOST] = RG_PARTY_HOST,
                                     [RG_BY_ORIGIN] = RG_PARTY_ORIGIN,
                                     [RG_BY_REQUESTER] = p->requester,
                                     [RG_BY_CARE] = p->care};
        if (rows[i].state == p->state) {
            add(w, who[rows[i].mover], rows[i].kind, rows[i].asked, rows[i].what, p->since);
        }
    }
    if (p->state == RG_PROCESS_ACCEPTED && is_return(p)) {
        checks(p, now, RG_GATE_CLEARING, w);
    }
    if (p->state == RG_PROCESS_ACCEPTED && !is_return(p)) {
        add(w, p->care, 53, 0, "what was asked for, then the closing", p->since);
    }
    if (p->state == RG_PROCESS_CLEARED && open_of(p, RG_ASK_PROPOSAL, RG_PARTY_HOST) == NULL) {
        add(w, RG_PARTY_HOST, 40, 0, "a proposal for the handover", p->since);
    }
    if (p->state == RG_PROCESS_ONWARD && open_of(p, RG_ASK_ONWARD, RG_PARTY_HOST) == NULL) {
        add(w, RG_PARTY_HOST, 53, 0, "the journey to the third country, then the closing",
            p->since);
    }
    by_leg(p, w);
}

static void deferred(const struct rg_process *p, struct rg_wall now, struct waits *w)
{
    uint32_t fails = still_deferred(p, rg_day_of_wall(now));
    for (unsigned i = 0; i < RG_GATE_COUNT; i++) {
        const struct rg_gate_row *row = rg_gate_row((enum rg_gate)i);
        if ((fails & RG_GATE_BIT(i)) != 0) {
            add(w, row->mover, row->kind, 14, row->meaning, p->departed); /* 10 working days */
        }
    }
}

size_t rg_process_waiting(const struct rg_process *process, struct rg_wall now,
                          struct rg_process_wait *wait, size_t max)
{
    struct waits w = {.wait = wait, .max = max};
    safety(process, &w);
    questions(process, &w);
    owed(process, &w);
    by_state(process, now, &w);
    if (is_one_of(process->state,
                  S(IN_TRANSIT) | S(HANDED_OVER) | S(RECEIVED) | S(REINTEGRATING)) &&
        process->deferred != 0) {
        deferred(process, now, &w);
    }
    return w.count;
}

/* ---- what a library does by itself ---- */

const char *rg_process_do_name(enum rg_process_do what)
{
    static const char *const name[RG_DO_COUNT] = {
        [RG_DO_SEND_DETAILS] = "send-details",
        [RG_DO_SEND_REMOVE_PERSON] = "send-remove-person",
        [RG_DO_SEND_STOP] = "send-stop",
        [RG_DO_SEND_ALERT] = "send-alert",
        [RG_DO_SEND_WITHDRAWAL_ACK] = "send-withdrawal-ack",
        [RG_DO_ERASE_RECEIVED] = "erase-received",
        [RG_DO_RELAY_ALERT] = "relay-alert",
    };
    return (unsigned)what < RG_DO_COUNT && name[what] != NULL ? name[what] : "unknown";
}

static size_t due(bool is_due, struct rg_process_action wanted, struct rg_process_action *action,
                  size_t count, size_t max)
{
    if (!is_due || count == max) {
        return count;
    }
    action[count] = wanted;
    return count + 1;
}

static enum rg_party giver(const struct rg_process *p)
{
    return p->leg == RG_LEG_OUT_HANDED ? RG_PARTY_ORIGIN : RG_PARTY_HOST;
}

static size_t due_of(const struct rg_process *p, enum rg_party party,
                     struct rg_process_action *action, size_t count, size_t max)
{
    const struct rg_asked *withdrawal = &p->asked[RG_ASK_WITHDRAWAL][rg_party_other(party)];
    count = due(withdrawal->open,
                (struct rg_process_action){.what = RG_DO_SEND_WITHDRAWAL_ACK,
                                           .party = party,
                                           .kind = 22,
                                           .has_answers = true,
                                           .answers = withdrawal->id},
                action, count, max);
    return due(p->holds[party] > 0,
               (struct rg_process_action){.what = RG_DO_RELAY_ALERT,
                                          .party = party,
                                          .has_answers = true,
                                          .answers = p->hold_id[party]},
               action, count, max);
}

size_t rg_process_actions(const struct rg_process *p, struct rg_wall now,
                          struct rg_process_action *action, size_t max)
{
    enum rg_party receiver = rg_party_other(p->requester);
    size_t count = due_of(p, RG_PARTY_HOST, action, 0, max);
    count = due_of(p, RG_PARTY_ORIGIN, action, count, max);
    bool may_tell = !is_one_of(p->state, S(SUSPENDED)) && !is_over(p);
    const struct {
        bool is;
        struct rg_process_action wanted;
    } rows[] = {
        {p->withdrawal_stop_due,
         {.what = RG_DO_SEND_STOP, .party = RG_PARTY_HOST, .kind = 42, .code = RG_CHANGE_CANCEL}},
        {p->remove_due,
         {.what = RG_DO_SEND_REMOVE_PERSON,
          .party = RG_PARTY_HOST,
          .kind = 42,
          .code = RG_CHANGE_REMOVE_PERSON}},
        {handed_over_long_ago(p, now),
         {.what = RG_DO_SEND_ALERT, .party = giver(p), .kind = 47, .code = RG_ALERT_MISSING}},
        {p->details_due && may_tell,
         {.what = RG_DO_SEND_DETAILS,
          .party = p->requester,
          .kind = 17,
          .has_answers = true,
          .answers = p->accept}},
        {p->state == RG_PROCESS_DECLINED, {.what = RG_DO_ERASE_RECEIVED, .party = receiver}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        count = due(rows[i].is, rows[i].wanted, action, count, max);
    }
    return count;
}
