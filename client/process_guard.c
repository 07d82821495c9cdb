/*
 * How it works: one small function per guard, in a table. Each says RG_VOID_NOT, or the one reason
 * why its row is not met. Invariants: a guard changes nothing; a date is compared with the day of
 * the message, never with a clock.
 */
#include "client/process_inside.h"

#include <string.h>

typedef const struct rg_step *step_t;

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)

static bool is_one_of(enum rg_process_state state, uint32_t states)
{
    return (RG_STATE_BIT(state) & states) != 0;
}

static bool same_id(const struct rg_id *a, const struct rg_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static bool is_named(const struct rg_hash *hash)
{
    static const struct rg_hash none;
    return memcmp(hash->b, none.b, sizeof(none.b)) != 0;
}

static bool same_officer(const struct rg_hash *a, const struct rg_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static enum rg_void unless(bool holds, enum rg_void reason)
{
    return holds ? RG_VOID_NOT : reason;
}

static enum rg_void g_none(step_t s)
{
    (void)s;
    return RG_VOID_NOT;
}

static enum rg_void g_decides(step_t s)
{
    const struct rg_process *p = s->process;
    const struct rg_asked *request = &p->asked[RG_ASK_REQUEST][p->requester];
    if (!s->message->has_answers) {
        return RG_VOID_ANSWERS;
    }
    if (request->open && same_id(&request->id, &s->message->answers)) {
        return RG_VOID_NOT;
    }
    return same_id(&p->decided[s->message->from], &s->message->answers) ? RG_VOID_DECIDED
                                                                        : RG_VOID_ANSWERS;
}

static enum rg_void g_decides_early(step_t s)
{
    enum rg_void reason = g_decides(s);
    if (is_one_of(s->process->suspended_from, S(REFERRED) | S(NEEDS_INFO))) {
        return reason;
    }
    return reason == RG_VOID_DECIDED ? reason : RG_VOID_STATE;
}

static bool two_officers(step_t s)
{
    return is_named(&s->message->author) && is_named(&s->message->second_author) &&
           !same_officer(&s->message->author, &s->message->second_author);
}

static bool stops_seen(step_t s)
{
    return (s->sight.unseen_withdrawn & RG_SCOPES_RETURN) == 0 || s->broken->stale_consent;
}

/* Where she has said no, no vital interest stands for her yes. */
static enum rg_void g_emergency(step_t s)
{
    uint32_t says = s->message->flags & (RG_SAYS_CONSENT | RG_SAYS_VITAL_INTEREST);
    if (!two_officers(s)) {
        return RG_VOID_OFFICERS;
    }
    bool said_no = (s->process->withdrawn & RG_SCOPES_RETURN) != 0;
    bool says_yes = (says & RG_SAYS_CONSENT) != 0 && stops_seen(s);
    return unless(said_no ? says_yes : says != 0, RG_VOID_CONSENT);
}

static enum rg_void g_knows(step_t s)
{
    uint32_t unknown = s->message->scopes & s->sight.unseen_withdrawn & RG_SCOPES_RETURN;
    return unless(unknown == 0, RG_VOID_CONSENT);
}

static enum rg_void g_emergency_anew(step_t s)
{
    if (!two_officers(s)) {
        return RG_VOID_OFFICERS;
    }
    bool consents = (s->message->flags & RG_SAYS_CONSENT) != 0 && stops_seen(s);
    return unless(consents && s->process->forbids == 0, RG_VOID_CONSENT);
}

static bool gate_open(step_t s, enum rg_gate_stage stage)
{
    return s->broken->no_gate || rg_process_gate(s->process, s->day, stage, NULL).open;
}

static enum rg_void g_may_plan(step_t s)
{
    return unless(gate_open(s, RG_GATE_CLEARING), RG_VOID_GATE);
}

static enum rg_void g_may_depart(step_t s)
{
    return unless(gate_open(s, RG_GATE_DEPARTURE), RG_VOID_GATE);
}

static enum rg_void answers_open(step_t s, enum rg_ask ask, enum rg_party asker)
{
    const struct rg_asked *asked = &s->process->asked[ask][asker];
    return unless(asked->open && s->message->has_answers &&
                      same_id(&asked->id, &s->message->answers),
                  RG_VOID_ANSWERS);
}

static enum rg_void g_proposal(step_t s)
{
    return answers_open(s, RG_ASK_PROPOSAL, RG_PARTY_HOST);
}

static enum rg_void g_offer(step_t s)
{
    return answers_open(s, RG_ASK_CLOSURE, rg_party_other(s->message->from));
}

static enum rg_void g_stops(step_t s)
{
    bool notice = s->process->state == RG_PROCESS_NOTIFIED;
    uint32_t needed = notice ? RG_SCOPES_NOTICE : RG_SCOPES_RETURN;
    bool all = s->broken->no_stop && s->process->state != RG_PROCESS_NOTIFIED;
    return unless(!all && (s->message->scopes & needed) != 0, RG_VOID_STATE);
}

static enum rg_void g_stops_onward(step_t s)
{
    return unless((s->message->scopes & RG_SCOPES_ONWARD) != 0, RG_VOID_STATE);
}

static enum rg_void g_resumes(step_t s)
{
    const struct rg_process *p = s->process;
    uint32_t unseen = s->broken->stale_consent ? 0 : s->sight.unseen_withdrawn;
    uint32_t given = s->message->scopes & ~unseen;
    uint32_t needed = p->suspended_from == RG_PROCESS_ONWARD ? RG_SCOPES_ONWARD : RG_SCOPES_NOTICE;
    return unless((p->withdrawn & needed & ~given) == 0, RG_VOID_CONSENT);
}

static enum rg_void g_onward(step_t s)
{
    uint32_t scope = RG_SCOPE_BIT(RG_SCOPE_ONWARD_THIRD_COUNTRY);
    const struct rg_date *until = &s->process->scope_until[RG_SCOPE_ONWARD_THIRD_COUNTRY - 1];
    bool stands = (s->process->scopes & scope) != 0 && rg_date_days(s->day) <= rg_date_days(*until);
    bool given = (s->message->scopes & ~s->sight.unseen_withdrawn & scope) != 0;
    return unless(stands || given, RG_VOID_CONSENT);
}

static enum rg_void g_not_stopped(step_t s)
{
    return unless(s->process->stop == 0, RG_VOID_STOPPED);
}

static enum rg_void g_in_emergency(step_t s)
{
    return unless(s->process->emergency, RG_VOID_STATE);
}

static enum rg_void g_emergency_going(step_t s)
{
    return s->process->emergency ? g_not_stopped(s) : RG_VOID_STATE;
}

static enum rg_void g_on_the_road(step_t s)
{
    return unless(s->process->departed_against_stop || s->process->handed_over_against_stop,
                  RG_VOID_STATE);
}

static enum rg_void g_alert_open(step_t s)
{
    return unless(s->sight.alerts > 0, RG_VOID_NOT_READY);
}

static enum rg_void g_all_alerts(step_t s)
{
    bool all = s->sight.alerts > 0 && s->sight.grave == s->process->grave_alerts;
    return unless(all, RG_VOID_NOT_READY);
}

static enum rg_void g_other_gone(step_t s)
{
    bool other = s->process->gone[rg_party_other(s->message->from)];
    return other ? g_all_alerts(s) : RG_VOID_NOT_READY;
}

static enum rg_void g_not_taken(step_t s)
{
    return unless(s->process->missing_from == RG_PROCESS_HANDED_OVER &&
                      s->process->taken_alerts == 0,
                  RG_VOID_STATE);
}

static enum rg_void g_after_accept(step_t s)
{
    const struct rg_process *p = s->process;
    bool suspended = p->state == RG_PROCESS_SUSPENDED ||
                     (p->state == RG_PROCESS_MISSING && p->missing_from == RG_PROCESS_SUSPENDED);
    bool before = is_one_of(p->suspended_from, S(NONE) | S(NOTIFIED) | S(REFERRED) | S(NEEDS_INFO));
    return unless(!suspended || !before, RG_VOID_STATE);
}

/* A good verdict where a return is forbidden lifts it: two officers, and not the one who said no.
 */
static enum rg_void g_assesses(step_t s)
{
    const struct rg_process *p = s->process;
    bool host = s->message->from == RG_PARTY_HOST;
    uint32_t own = host ? RG_FORBIDS_RISK_HOST : RG_FORBIDS_RISK_ORIGIN;
    bool lifts = p->forbids != 0 && (host || (p->forbids & own) != 0);
    if (lifts && !two_officers(s)) {
        return RG_VOID_OFFICERS;
    }
    if ((p->forbids & own) != 0 &&
        same_officer(&s->message->author, &p->risk[s->message->from].author)) {
        return RG_VOID_OFFICERS;
    }
    if ((p->forbids & own & s->sight.unseen_forbids) != 0) {
        return RG_VOID_NOT_READY;
    }
    return g_after_accept(s);
}

static enum rg_void g_follow_up(step_t s)
{
    return unless(!s->process->follow_up_stopped, RG_VOID_CONSENT);
}

static enum rg_void g_at_home(step_t s)
{
    return unless(s->process->care == RG_PARTY_ORIGIN, RG_VOID_STATE);
}

static enum rg_void g_visit(step_t s)
{
    const struct rg_process *p = s->process;
    bool agreed = p->visit_agreed[RG_PARTY_HOST] && p->visit_agreed[RG_PARTY_ORIGIN];
    if (!agreed || !p->witness_agrees) {
        return RG_VOID_NOT_READY;
    }
    return unless(p->alerts == 0 && p->concerns == 0, RG_VOID_GATE);
}

static enum rg_void on_leg(step_t s, enum rg_leg leg)
{
    return unless(s->process->leg == leg, RG_VOID_STATE);
}

static enum rg_void g_leg_out(step_t s)
{
    return on_leg(s, RG_LEG_OUT);
}

static enum rg_void g_leg_out_open(step_t s)
{
    return s->process->leg == RG_LEG_OUT ? g_not_stopped(s) : RG_VOID_STATE;
}

static enum rg_void g_leg_out_handed(step_t s)
{
    return on_leg(s, RG_LEG_OUT_HANDED);
}

static enum rg_void g_leg_there(step_t s)
{
    bool stops = s->message->kind != 21 || (s->message->scopes & RG_SCOPES_RETURN) != 0;
    return stops ? on_leg(s, RG_LEG_THERE) : RG_VOID_STATE;
}

static enum rg_void g_leg_back(step_t s)
{
    return on_leg(s, RG_LEG_BACK);
}

static enum rg_void g_leg_back_open(step_t s)
{
    return s->process->leg == RG_LEG_BACK ? g_not_stopped(s) : RG_VOID_STATE;
}

static enum rg_void g_leg_back_handed(step_t s)
{
    return on_leg(s, RG_LEG_BACK_HANDED);
}

static enum rg_void g_back_safe(step_t s)
{
    const struct rg_process *p = s->process;
    bool unsafe = p->alerts > 0 || p->concerns > 0 ||
                  p->risk[RG_PARTY_HOST].code == RG_RISK_NOT_SAFE ||
                  p->risk[RG_PARTY_ORIGIN].code == RG_RISK_NOT_SAFE ||
                  (p->withdrawn & RG_SCOPE_BIT(RG_SCOPE_RETURN)) != 0;
    return p->leg == RG_LEG_THERE ? unless(!unsafe, RG_VOID_GATE) : RG_VOID_STATE;
}

static enum rg_void g_first_onward(step_t s)
{
    return unless(s->process->first_onward, RG_VOID_STATE);
}

static enum rg_void g_erasure(step_t s)
{
    const struct rg_asked *order =
        &s->process->asked[RG_ASK_ERASURE][rg_party_other(s->message->from)];
    return unless(order->open && order->moved, RG_VOID_NOT_READY);
}

static enum rg_void g_gate(step_t s)
{
    return unless(rg_process_gate(s->process, s->day, RG_GATE_CLEARING, NULL).open, RG_VOID_GATE);
}

static enum rg_void g_no_gate(step_t s)
{
    return unless(!gate_open(s, RG_GATE_CLEARING), RG_VOID_GATE);
}

static enum rg_void g_lifted(step_t s)
{
    const struct rg_process *p = s->process;
    bool child = p->age != RG_AGE_ADULT;
    bool decided = !child || p->interest[RG_PARTY_HOST].code == RG_INTEREST_RETURN;
    return unless(p->forbids == 0 && p->lift_assessed && p->lift_consent && decided,
                  RG_VOID_NOT_READY);
}

static enum rg_void (*const guards[RG_GUARD_COUNT])(step_t) = {
    [RG_GUARD_NONE] = g_none,
    [RG_GUARD_DECIDES] = g_decides,
    [RG_GUARD_DECIDES_EARLY] = g_decides_early,
    [RG_GUARD_KNOWS] = g_knows,
    [RG_GUARD_EMERGENCY] = g_emergency,
    [RG_GUARD_EMERGENCY_ANEW] = g_emergency_anew,
    [RG_GUARD_MAY_PLAN] = g_may_plan,
    [RG_GUARD_MAY_DEPART] = g_may_depart,
    [RG_GUARD_PROPOSAL] = g_proposal,
    [RG_GUARD_OFFER] = g_offer,
    [RG_GUARD_STOPS] = g_stops,
    [RG_GUARD_STOPS_ONWARD] = g_stops_onward,
    [RG_GUARD_RESUMES] = g_resumes,
    [RG_GUARD_ONWARD] = g_onward,
    [RG_GUARD_NOT_STOPPED] = g_not_stopped,
    [RG_GUARD_IN_EMERGENCY] = g_in_emergency,
    [RG_GUARD_EMERGENCY_GOING] = g_emergency_going,
    [RG_GUARD_ON_THE_ROAD] = g_on_the_road,
    [RG_GUARD_ALERT_OPEN] = g_alert_open,
    [RG_GUARD_ALL_ALERTS] = g_all_alerts,
    [RG_GUARD_OTHER_GONE] = g_other_gone,
    [RG_GUARD_NOT_TAKEN] = g_not_taken,
    [RG_GUARD_ASSESSES] = g_assesses,
    [RG_GUARD_AFTER_ACCEPT] = g_after_accept,
    [RG_GUARD_FOLLOW_UP] = g_follow_up,
    [RG_GUARD_AT_HOME] = g_at_home,
    [RG_GUARD_VISIT] = g_visit,
    [RG_GUARD_LEG_OUT] = g_leg_out,
    [RG_GUARD_LEG_OUT_OPEN] = g_leg_out_open,
    [RG_GUARD_LEG_OUT_HANDED] = g_leg_out_handed,
    [RG_GUARD_LEG_THERE] = g_leg_there,
    [RG_GUARD_LEG_BACK_OPEN] = g_leg_back_open,
    [RG_GUARD_LEG_BACK] = g_leg_back,
    [RG_GUARD_LEG_BACK_HANDED] = g_leg_back_handed,
    [RG_GUARD_BACK_SAFE] = g_back_safe,
    [RG_GUARD_FIRST_ONWARD] = g_first_onward,
    [RG_GUARD_ERASURE] = g_erasure,
    [RG_GUARD_GATE] = g_gate,
    [RG_GUARD_NO_GATE] = g_no_gate,
    [RG_GUARD_LIFTED] = g_lifted,
};

enum rg_void rg_process_guard(const struct rg_step *step, uint32_t guard)
{
    return guards[guard](step);
}
