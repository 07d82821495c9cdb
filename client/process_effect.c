/*
 * How it works: one small function per effect, in a table; `rg_process_enter` holds what is true of
 * a state whoever leads there: leaving a plan drops it, going home ends the host's care, an end
 * drops what was asked. Invariants: an effect never looks at a clock; what a message cannot have
 * known of (`sight`) it neither closes nor gives back.
 */
#include "client/process_inside.h"

#include <string.h>

typedef struct rg_process process_t;
typedef const struct rg_process_message message_t;

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)
#define SCOPE_COUNT 10
#define PLAN_LIVES                                                                                 \
    (S(CLEARED) | S(SCHEDULED) | S(IN_TRANSIT) | S(MISSING) | S(HANDED_OVER) | S(WITNESS_AWAY))

static bool is_one_of(enum rg_process_state state, uint32_t states)
{
    return (RG_STATE_BIT(state) & states) != 0;
}

/* ---- dates ---- */

int64_t rg_date_days(struct rg_date date)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int month = date.month == 0 ? 12 : date.month;
    bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
    int last = month_days[(month - 1) % 12] + (month == 2 && leap ? 1 : 0);
    int day = date.day == 0 ? last : date.day;
    int64_t year = date.year - (month <= 2 ? 1 : 0); /* days from the civil date, March first */
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct rg_date months_later(struct rg_date date, int months)
{
    int month = date.month - 1 + months;
    struct rg_date later = {date.year + month / 12, month % 12 + 1, date.day > 28 ? 28 : date.day};
    return later;
}

/* ---- entering a state ---- */

static void unplan(process_t *p)
{
    p->planned = false;
    p->reception_confirmed = false;
    p->asked[RG_ASK_PROPOSAL][RG_PARTY_HOST].open = false;
}

static void drop_asked(process_t *p)
{
    static const bool stays[RG_ASK_COUNT] = {
        [RG_ASK_WITHDRAWAL] = true, [RG_ASK_CORRECTION] = true, [RG_ASK_ERASURE] = true,
        [RG_ASK_BREACH] = true,     [RG_ASK_CONCERN] = true,    [RG_ASK_ALERT] = true,
    };
    for (unsigned ask = 0; ask < RG_ASK_COUNT; ask++) {
        for (unsigned party = 0; party < RG_PARTY_COUNT; party++) {
            p->asked[ask][party].open = p->asked[ask][party].open && stays[ask];
        }
    }
}

static void drop_offers(process_t *p)
{
    p->asked[RG_ASK_CLOSURE][RG_PARTY_HOST].open = false;
    p->asked[RG_ASK_CLOSURE][RG_PARTY_ORIGIN].open = false;
}

/* Where a state that is left suddenly goes on later: plans do not survive. */
static enum rg_process_state goes_on(const process_t *p)
{
    if (p->state == RG_PROCESS_IN_TRANSIT && p->emergency) {
        return p->emergency_from == RG_PROCESS_NONE ? RG_PROCESS_NOTIFIED : p->emergency_from;
    }
    bool planned = is_one_of(p->state, S(CLEARED) | S(SCHEDULED) | S(IN_TRANSIT) | S(WITNESS_AWAY));
    return planned ? RG_PROCESS_ACCEPTED : p->state;
}

static void leave(process_t *p, enum rg_process_state to)
{
    bool was_planned = p->planned && is_one_of(p->state, S(CLEARED) | S(SCHEDULED));
    if (was_planned && is_one_of(to, S(ACCEPTED) | S(NO_RETURN) | S(MISSING) | S(SUSPENDED))) {
        p->withdrawal_stop_due = to == RG_PROCESS_SUSPENDED;
        p->remove_due = to != RG_PROCESS_SUSPENDED;
    }
    if (to == RG_PROCESS_SUSPENDED && !is_one_of(p->state, S(MISSING) | S(CLOSED))) {
        p->suspended_from = goes_on(p);
    }
    if (to == RG_PROCESS_MISSING && p->state != RG_PROCESS_CLOSED) {
        bool away = is_one_of(p->state, S(IN_TRANSIT) | S(WITNESS_AWAY));
        p->missing_from = away ? p->state : goes_on(p);
    }
    if (to == RG_PROCESS_CLOSED) {
        p->closed_from = p->state;
    }
}

static void end(process_t *p)
{
    drop_asked(p);
    p->stop = 0;
    p->withdrawal_stop_due = p->remove_due = p->details_due = false;
    p->departed_against_stop = p->handed_over_against_stop = false;
    p->leg = RG_LEG_NONE;
    p->emergency = false;
    memset(p->risk_due, 0, sizeof(p->risk_due));
}

void rg_process_enter(process_t *p, enum rg_process_state state, struct rg_wall when)
{
    if (p->state == state) {
        return;
    }
    leave(p, state);
    bool missing_now =
        is_one_of(p->state, S(CLEARED) | S(SCHEDULED)) && state == RG_PROCESS_MISSING;
    p->state = state;
    p->since = when;
    if (state == RG_PROCESS_MISSING) {
        memset(p->gone, 0, sizeof(p->gone));
        p->unresolved = false;
    }
    if (missing_now || !is_one_of(state, PLAN_LIVES)) {
        unplan(p);
    }
    if (is_one_of(state, S(IN_TRANSIT) | S(MISSING) | S(HANDED_OVER) | S(WITNESS_AWAY))) {
        drop_offers(p);
    }
    if (is_one_of(state, S(DECLINED) | S(CANCELLED) | S(CLOSED) | S(ERASED))) {
        end(p);
    }
    if (is_one_of(state, S(RECEIVED) | S(REINTEGRATING))) {
        p->care = RG_PARTY_ORIGIN;
        p->leg = RG_LEG_NONE;
        p->stop = 0;
        memset(p->visit_agreed, 0, sizeof(p->visit_agreed));
        p->witness_agrees = false;
    }
    if (is_one_of(state, S(SUSPENDED) | S(NO_RETURN))) {
        p->stop = 0;
        p->leg = RG_LEG_NONE;
        p->emergency = false;
    }
    if (is_one_of(state, S(IN_TRANSIT) | S(HANDED_OVER))) {
        p->departed_against_stop = p->handed_over_against_stop = false;
        *(state == RG_PROCESS_IN_TRANSIT ? &p->departed : &p->handed_over) = when;
        p->withdrawal_stop_due = p->remove_due = false; /* she is on the way: nothing is planned */
    }
}

/* ---- what several effects share ---- */

static void say_age(process_t *p, message_t *m)
{
    bool may = p->age == 0 || m->age != RG_AGE_ADULT || m->kind == 36 || m->kind == 11;
    if (m->age != 0 && may) { /* only the child desk makes an adult of a child */
        p->age = m->age;
    }
}

static void say_trafficking(process_t *p, message_t *m)
{
    if (m->trafficking == 0 || p->identified_by == RG_PARTY_NONE) {
        return;
    }
    if (m->from == p->identified_by) {
        p->trafficking = m->trafficking;
        p->other_opinion = p->other_opinion == m->trafficking ? 0 : p->other_opinion;
        return;
    }
    p->other_opinion = m->trafficking == p->trafficking ? 0 : m->trafficking;
}

static void give(process_t *p, message_t *m, uint32_t scopes, struct rg_date day)
{
    struct rg_date until = m->valid_to.year == 0 ? months_later(day, 6) : m->valid_to;
    for (unsigned i = 0; i < SCOPE_COUNT; i++) {
        if ((scopes >> i & 1u) != 0) {
            p->scope_until[i] = until;
        }
    }
    p->scopes |= scopes;
    p->withdrawn &= ~scopes;
    if ((scopes & RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP)) != 0) {
        p->follow_up_stopped = false;
    }
}

static void take_back(process_t *p, uint32_t scopes)
{
    p->scopes &= ~scopes;
    p->withdrawn |= scopes;
    p->lift_consent = p->lift_consent && (scopes & RG_SCOPES_RETURN) == 0;
    p->witness_agrees = p->witness_agrees && (scopes & RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL)) == 0;
    if ((scopes & RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP)) != 0) {
        p->follow_up_stopped = true;
    }
}

static void begin(process_t *p, message_t *m)
{
    p->requester = m->from;
    p->care = p->care == RG_PARTY_NONE ? m->from : p->care;
    p->identified_by = p->identified_by == RG_PARTY_NONE ? m->from : p->identified_by;
}

static uint32_t forbid_bit(message_t *m)
{
    bool host = m->from == RG_PARTY_HOST;
    switch (m->kind) {
    case 35:
        return host ? RG_FORBIDS_RISK_HOST : RG_FORBIDS_RISK_ORIGIN;
    case 36:
        return host ? RG_FORBIDS_INTEREST_HOST : RG_FORBIDS_INTEREST_ORIGIN;
    case 31:
        return RG_FORBIDS_NATIONALITY;
    default:
        return 0;
    }
}

static void fill(struct rg_check *check, const struct rg_step *s)
{
    *check = (struct rg_check){.code = s->message->code,
                               .valid_to = s->message->valid_to,
                               .made = s->day,
                               .author = s->message->author};
}

static void close_concerns(struct rg_step *s)
{
    s->process->concerns -= s->sight.concerns;
    s->closed_concerns = true;
}

static bool is_good(message_t *m)
{
    switch (m->kind) {
    case 31:
        return m->code == RG_NATIONALITY_CONFIRMED || m->code == RG_NATIONALITY_PERMANENT_RESIDENT;
    case 35:
        return m->code == RG_RISK_SAFE || m->code == RG_RISK_SAFE_WITH_MEASURES;
    case 36:
        return m->code == RG_INTEREST_RETURN;
    default:
        return false;
    }
}

static void check_risk(struct rg_step *s)
{
    process_t *p = s->process;
    message_t *m = s->message;
    fill(&p->risk[m->from], s);
    p->risk_due[m->from] = false;
    if (!is_good(m)) {
        return;
    }
    if (m->from == p->care) {
        close_concerns(s);
        p->stop &= ~RG_STOP_FOUND;
    }
    p->lift_assessed = p->lift_assessed || (p->forbids != 0 && m->from == RG_PARTY_HOST &&
                                            s->sight.unseen_forbids == 0);
}

static void check_interest(struct rg_step *s)
{
    process_t *p = s->process;
    message_t *m = s->message;
    fill(&p->interest[m->from], s);
    if (m->from == RG_PARTY_HOST) {
        p->guardian_named = (m->flags & RG_SAYS_GUARDIAN) != 0;
        p->care_named = (m->flags & RG_SAYS_CARE) != 0;
        p->escort = (m->flags & RG_SAYS_ESCORT) != 0;
    }
}

/* ---- effects ---- */

static void fx_none(struct rg_step *s)
{
    (void)s;
}

static void fx_begin(struct rg_step *s)
{
    begin(s->process, s->message);
}

static void fx_request(struct rg_step *s)
{
    process_t *p = s->process;
    begin(p, s->message);
    p->reason = s->message->code;
    p->details_sent = p->details_due = false;
    p->age = 0; /* the requester says it anew */
    give(p, s->message, s->message->scopes & ~s->sight.unseen_withdrawn, s->day);
}

static void fx_accept(struct rg_step *s)
{
    s->process->details_due = !s->process->details_sent;
    s->process->accept = s->message->id;
    s->process->decided[s->message->from] = s->message->answers;
}

static void fx_accept_early(struct rg_step *s)
{
    fx_accept(s);
    s->process->suspended_from = RG_PROCESS_ACCEPTED;
}

static void fx_decline(struct rg_step *s)
{
    s->process->decided[s->message->from] = s->message->answers;
}

static void fx_details(struct rg_step *s)
{
    s->process->details_due = false;
    s->process->details_sent = true;
}

static void fx_consent(struct rg_step *s)
{
    process_t *p = s->process;
    uint32_t given = s->message->scopes & ~s->sight.unseen_withdrawn;
    give(p, s->message, given, s->day);
    bool whole = (given & RG_SCOPES_RETURN) == RG_SCOPES_RETURN;
    p->lift_consent = p->lift_consent || (p->forbids != 0 && whole && s->sight.unseen_forbids == 0);
    if (s->row->to == RG_TO_RESUMED) {
        p->risk[RG_PARTY_HOST].code = 0; /* she had said no: why, is assessed anew */
    }
}

static void fx_withdraw(struct rg_step *s)
{
    take_back(s->process, s->message->scopes);
}

static void fx_withdraw_transit(struct rg_step *s)
{
    fx_withdraw(s);
    s->process->stop |= s->broken->no_stop ? 0 : RG_STOP_WITHDRAWN;
}

static void fx_withdraw_there(struct rg_step *s)
{
    fx_withdraw(s);
    s->process->care = RG_PARTY_HOST;
}

static void fx_withdraw_missing(struct rg_step *s)
{
    process_t *p = s->process;
    fx_withdraw(s);
    bool away = p->missing_from == RG_PROCESS_WITNESS_AWAY;
    if (is_one_of(p->missing_from, S(ACCEPTED) | S(NO_RETURN)) ||
        (away && p->leg == RG_LEG_THERE)) {
        p->care = away ? RG_PARTY_HOST : p->care;
        p->suspended_from = away ? RG_PROCESS_ACCEPTED : p->missing_from;
        p->missing_from = RG_PROCESS_SUSPENDED;
        p->leg = RG_LEG_NONE;
    }
    if (p->missing_from == RG_PROCESS_IN_TRANSIT || away) {
        p->stop |= RG_STOP_WITHDRAWN;
    }
}

static void fx_check(struct rg_step *s)
{
    process_t *p = s->process;
    switch (s->message->kind) {
    case 31:
        fill(&p->nationality, s);
        break;
    case 33:
        fill(&p->tracing, s);
        break;
    case 34:
        fill(&p->family, s);
        break;
    case 35:
        check_risk(s);
        break;
    case 36:
        check_interest(s);
        break;
    case 38:
        fill(&p->travel, s);
        break;
    case 39:
        fill(&p->fit, s);
        break;
    default:
        break;
    }
    if (is_good(s->message) && (s->sight.unseen_forbids & forbid_bit(s->message)) == 0) {
        p->forbids &= ~forbid_bit(s->message);
    }
}

static bool on_the_way_out(const process_t *p)
{
    return p->state != RG_PROCESS_MISSING ||
           is_one_of(p->missing_from, S(ACCEPTED) | S(IN_TRANSIT) | S(NO_RETURN) | S(SUSPENDED));
}

static void fx_forbid(struct rg_step *s)
{
    process_t *p = s->process;
    fx_check(s);
    if (!on_the_way_out(p)) {
        return;
    }
    p->forbids |= forbid_bit(s->message);
    p->lift_assessed = p->lift_consent = false;
    if (p->state == RG_PROCESS_MISSING && p->missing_from == RG_PROCESS_IN_TRANSIT) {
        p->stop |= RG_STOP_FORBIDDEN;
    }
}

static void fx_forbid_on_way(struct rg_step *s)
{
    fx_forbid(s);
    s->process->stop |= RG_STOP_FORBIDDEN;
}

static void fx_forbid_there(struct rg_step *s)
{
    fx_forbid(s);
    s->process->care = RG_PARTY_HOST;
}

static void fx_propose(struct rg_step *s)
{
    process_t *p = s->process;
    p->planned = true;
    p->reception_confirmed = false;
}

static void fx_agree(struct rg_step *s)
{
    process_t *p = s->process;
    p->reception_confirmed = true;
    p->care_named = p->care_named || (s->message->flags & RG_SAYS_CARE) != 0;
}

static void fx_unplan(struct rg_step *s)
{
    unplan(s->process);
    s->process->withdrawal_stop_due = s->process->remove_due = false;
}

static void fx_stop(struct rg_step *s)
{
    s->process->stop |= RG_STOP_CHANGED;
}

static void fx_emergency(struct rg_step *s)
{
    process_t *p = s->process;
    begin(p, s->message);
    p->emergency_from = p->state == RG_PROCESS_SUSPENDED ? p->suspended_from : p->state;
    p->emergency = true;
    p->stop = 0;
    if ((s->message->flags & RG_SAYS_CONSENT) != 0) {
        give(p, s->message, s->message->scopes & ~s->sight.unseen_withdrawn, s->day);
    }
    p->deferred = rg_process_gate(p, s->day, RG_GATE_DEPARTURE, NULL).fails;
    p->handed_over_against_stop = false;
}

static void fx_reply_emergency(struct rg_step *s)
{
    process_t *p = s->process;
    p->reception_confirmed = s->message->code == RG_HANDOVER_ACCEPT;
    p->care_named = p->care_named || (s->message->flags & RG_SAYS_CARE) != 0;
}

/* Refusing at the gate is a withdrawal of the consent to return. */
static void fx_refused(struct rg_step *s)
{
    process_t *p = s->process;
    take_back(p, RG_SCOPE_BIT(RG_SCOPE_RETURN));
    p->care = RG_PARTY_HOST;
}

static void fx_turned_back(struct rg_step *s)
{
    s->process->departed_against_stop = s->process->handed_over_against_stop = false;
}

static bool is_grave(message_t *m)
{
    return m->kind != 47 || m->code == RG_ALERT_MISSING || m->code == RG_ALERT_TAKEN;
}

static void fx_alert(struct rg_step *s)
{
    process_t *p = s->process;
    p->alerts++;
    p->grave_alerts += is_grave(s->message) ? 1 : 0;
    p->taken_alerts += s->message->kind == 47 && s->message->code == RG_ALERT_TAKEN ? 1 : 0;
    memset(p->gone, 0, sizeof(p->gone));
    p->handed_over_against_stop = false;
}

static void fx_resolve(struct rg_step *s)
{
    process_t *p = s->process;
    p->alerts -= s->sight.alerts;
    p->grave_alerts -= s->sight.grave;
    p->taken_alerts -= s->sight.taken;
    s->closed_alerts = true;
}

static void fx_found(struct rg_step *s)
{
    process_t *p = s->process;
    fx_resolve(s);
    memset(p->gone, 0, sizeof(p->gone));
    p->risk_due[p->care] = true;
    p->risk[p->care].code = 0;
    p->stop |= p->missing_from == RG_PROCESS_IN_TRANSIT ? RG_STOP_FOUND : 0;
}

/* The alerts stay open: who was never found stays listed, and may be found. */
static void fx_gone(struct rg_step *s)
{
    process_t *p = s->process;
    p->gone[s->message->from] = true;
    p->unresolved = p->unresolved || s->message->code == RG_RESOLVED_UNRESOLVED;
}

static void fx_concern(struct rg_step *s)
{
    s->process->concerns++;
}

static void fx_concern_closed(struct rg_step *s)
{
    close_concerns(s);
}

static void fx_follow_up(struct rg_step *s)
{
    if ((s->message->flags & RG_SAYS_SAFE) != 0) {
        close_concerns(s);
    }
}

static void fx_justice(struct rg_step *s)
{
    process_t *p = s->process;
    if ((s->message->flags & RG_SAYS_WAITS_AS_WITNESS) != 0) {
        p->witness_until = s->message->valid_to;
        p->goes_anyway = false;
    }
    if ((s->message->flags & RG_SAYS_GOES_ANYWAY) != 0) {
        p->goes_anyway = true;
    }
}

static void fx_justice_reply(struct rg_step *s)
{
    fx_justice(s);
    s->process->witness_agrees = s->message->code == RG_JUSTICE_AGREES;
}

static void fx_visit(struct rg_step *s)
{
    s->process->visit_agreed[s->message->from] = true;
}

/* Any side, at any time: she may stop. */
static void fx_no_visit(struct rg_step *s)
{
    process_t *p = s->process;
    memset(p->visit_agreed, 0, sizeof(p->visit_agreed));
    p->stop |= p->leg == RG_LEG_OUT ? RG_STOP_CHANGED : 0;
}

static void fx_leg(struct rg_step *s)
{
    static const enum rg_leg leg[RG_EFFECT_COUNT] = {
        [RG_EFFECT_LEG_OUT] = RG_LEG_OUT,
        [RG_EFFECT_LEG_OUT_HANDED] = RG_LEG_OUT_HANDED,
        [RG_EFFECT_LEG_THERE] = RG_LEG_THERE,
        [RG_EFFECT_LEG_BACK] = RG_LEG_BACK,
        [RG_EFFECT_LEG_BACK_HANDED] = RG_LEG_BACK_HANDED,
    };
    process_t *p = s->process;
    p->leg = leg[s->row->effect];
    if (s->row->effect == RG_EFFECT_LEG_THERE) {
        p->stop = 0;
    }
    if (p->leg == RG_LEG_OUT_HANDED || p->leg == RG_LEG_BACK_HANDED) {
        p->handed_over = s->message->made;
    }
}

static void fx_object(struct rg_step *s)
{
    s->process->asked[RG_ASK_CLOSURE][rg_party_other(s->message->from)].open = false;
}

/* Trafficked again: what was checked then says nothing about now. */
static void fx_refer_again(struct rg_step *s)
{
    process_t *p = s->process;
    p->requester = p->care = RG_PARTY_HOST;
    p->reason = RG_REASON_RETURN;
    p->scopes = p->forbids = 0;
    p->withdrawn = s->sight.unseen_withdrawn;
    p->lift_assessed = p->lift_consent = false;
    p->nationality.code = p->travel.code = p->fit.code = p->family.code = p->tracing.code = 0;
    memset(p->risk, 0, sizeof(p->risk));
    memset(p->interest, 0, sizeof(p->interest));
    p->guardian_named = p->care_named = p->escort = p->first_onward = false;
    p->follow_up_stopped = p->details_sent = false;
    p->witness_until = (struct rg_date){0};
}

/* Who was missing is somewhere else than she was. */
static void fx_reopen(struct rg_step *s)
{
    process_t *p = s->process;
    if (p->closed_from == RG_PROCESS_MISSING) {
        p->risk_due[p->care] = true;
        p->risk[p->care].code = 0;
    }
}

static void fx_onward(struct rg_step *s)
{
    process_t *p = s->process;
    begin(p, s->message);
    p->first_onward = p->state == RG_PROCESS_NONE;
    give(p, s->message, s->message->scopes & ~s->sight.unseen_withdrawn, s->day);
}

static void fx_lift(struct rg_step *s)
{
    s->process->lift_assessed = s->process->lift_consent = false;
}

static void (*const effects[RG_EFFECT_COUNT])(struct rg_step *) = {
    [RG_EFFECT_NONE] = fx_none,
    [RG_EFFECT_BEGIN] = fx_begin,
    [RG_EFFECT_REQUEST] = fx_request,
    [RG_EFFECT_ACCEPT] = fx_accept,
    [RG_EFFECT_ACCEPT_EARLY] = fx_accept_early,
    [RG_EFFECT_DECLINE] = fx_decline,
    [RG_EFFECT_DETAILS] = fx_details,
    [RG_EFFECT_CONSENT] = fx_consent,
    [RG_EFFECT_WITHDRAW] = fx_withdraw,
    [RG_EFFECT_WITHDRAW_TRANSIT] = fx_withdraw_transit,
    [RG_EFFECT_WITHDRAW_MISSING] = fx_withdraw_missing,
    [RG_EFFECT_WITHDRAW_THERE] = fx_withdraw_there,
    [RG_EFFECT_CHECK] = fx_check,
    [RG_EFFECT_FORBID] = fx_forbid,
    [RG_EFFECT_FORBID_ON_WAY] = fx_forbid_on_way,
    [RG_EFFECT_FORBID_THERE] = fx_forbid_there,
    [RG_EFFECT_PROPOSE] = fx_propose,
    [RG_EFFECT_AGREE] = fx_agree,
    [RG_EFFECT_UNPLAN] = fx_unplan,
    [RG_EFFECT_STOP] = fx_stop,
    [RG_EFFECT_EMERGENCY] = fx_emergency,
    [RG_EFFECT_REPLY_EMERGENCY] = fx_reply_emergency,
    [RG_EFFECT_REFUSED] = fx_refused,
    [RG_EFFECT_TURNED_BACK] = fx_turned_back,
    [RG_EFFECT_ALERT] = fx_alert,
    [RG_EFFECT_FOUND] = fx_found,
    [RG_EFFECT_GONE] = fx_gone,
    [RG_EFFECT_RESOLVE] = fx_resolve,
    [RG_EFFECT_CONCERN] = fx_concern,
    [RG_EFFECT_CONCERN_CLOSED] = fx_concern_closed,
    [RG_EFFECT_FOLLOW_UP] = fx_follow_up,
    [RG_EFFECT_JUSTICE] = fx_justice,
    [RG_EFFECT_JUSTICE_REPLY] = fx_justice_reply,
    [RG_EFFECT_VISIT] = fx_visit,
    [RG_EFFECT_NO_VISIT] = fx_no_visit,
    [RG_EFFECT_LEG_OUT] = fx_leg,
    [RG_EFFECT_LEG_OUT_HANDED] = fx_leg,
    [RG_EFFECT_LEG_THERE] = fx_leg,
    [RG_EFFECT_LEG_BACK] = fx_leg,
    [RG_EFFECT_LEG_BACK_HANDED] = fx_leg,
    [RG_EFFECT_OBJECT] = fx_object,
    [RG_EFFECT_REFER_AGAIN] = fx_refer_again,
    [RG_EFFECT_REOPEN] = fx_reopen,
    [RG_EFFECT_ONWARD] = fx_onward,
    [RG_EFFECT_LIFT] = fx_lift,
};

void rg_process_effect(struct rg_step *step)
{
    effects[step->row->effect](step);
    say_age(step->process, step->message);
    say_trafficking(step->process, step->message);
}
