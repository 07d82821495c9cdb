/*
 * How it works: one list of the fields of a folded case, used for writing and for reading, so that
 * the two cannot differ. Numbers are eight bytes, low byte first; ids and hashes as they are; a
 * version and the length in front. What does not fit exactly is refused: it is a cache, and the
 * fold makes it again. Invariant: what was read encodes to the same bytes.
 */
#include "client/process_inside.h"

#include <string.h>

#define VERSION 1u

struct cursor {
    struct rg_buffer *out; /* writing, or NULL */
    struct rg_bytes in;    /* reading */
    size_t at;
    bool failed;
    struct rg_reason *why;
};

static void raw(struct cursor *c, uint8_t *bytes, size_t len)
{
    if (c->failed) {
        return;
    }
    if (c->out != NULL) {
        c->failed = !rg_is_ok(rg_buffer_append(c->out, rg_bytes_of(bytes, len), c->why));
        return;
    }
    c->failed = c->in.len - c->at < len;
    if (!c->failed) {
        memcpy(bytes, c->in.data + c->at, len);
        c->at += len;
    }
}

static int64_t number(struct cursor *c, int64_t value, int64_t max)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    }
    raw(c, bytes, sizeof(bytes));
    uint64_t read = 0;
    for (unsigned i = 0; i < 8; i++) {
        read |= (uint64_t)bytes[i] << (8 * i);
    }
    c->failed = c->failed || (max >= 0 && read > (uint64_t)max);
    return c->failed ? 0 : (int64_t)read;
}

static void small(struct cursor *c, uint32_t *value)
{
    *value = (uint32_t)number(c, *value, UINT32_MAX);
}

static void flag(struct cursor *c, bool *value)
{
    *value = number(c, *value ? 1 : 0, 1) != 0;
}

static void flags(struct cursor *c, bool *value, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        flag(c, &value[i]);
    }
}

static void wall(struct cursor *c, struct rg_wall *value)
{
    value->ms = number(c, value->ms, -1);
}

static void state(struct cursor *c, enum rg_process_state *value)
{
    *value = (enum rg_process_state)number(c, (int64_t)*value, RG_PROCESS_STATE_COUNT - 1);
}

static void party(struct cursor *c, enum rg_party *value)
{
    *value = (enum rg_party)number(c, (int64_t)*value, RG_PARTY_COUNT - 1);
}

static void date(struct cursor *c, struct rg_date *value)
{
    value->year = (int)number(c, value->year, 9999);
    value->month = (int)number(c, value->month, 12);
    value->day = (int)number(c, value->day, 31);
}

static void id(struct cursor *c, struct rg_id *value)
{
    raw(c, value->b, sizeof(value->b));
}

static void check(struct cursor *c, struct rg_check *value)
{
    small(c, &value->code);
    date(c, &value->valid_to);
    date(c, &value->made);
    raw(c, value->author.b, sizeof(value->author.b));
}

static void where(struct cursor *c, struct rg_process *p)
{
    state(c, &p->state);
    state(c, &p->suspended_from);
    state(c, &p->missing_from);
    state(c, &p->closed_from);
    state(c, &p->emergency_from);
    wall(c, &p->since);
    party(c, &p->requester);
    party(c, &p->care);
    party(c, &p->identified_by);
    small(c, &p->reason);
    small(c, &p->age);
    small(c, &p->trafficking);
    small(c, &p->other_opinion);
    small(c, &p->messages);
    small(c, &p->voids);
}

static void consents(struct cursor *c, struct rg_process *p)
{
    small(c, &p->scopes);
    small(c, &p->withdrawn);
    for (size_t i = 0; i < sizeof(p->scope_until) / sizeof(p->scope_until[0]); i++) {
        date(c, &p->scope_until[i]);
    }
    flag(c, &p->follow_up_stopped);
}

static void checks(struct cursor *c, struct rg_process *p)
{
    check(c, &p->nationality);
    check(c, &p->tracing);
    check(c, &p->family);
    check(c, &p->travel);
    check(c, &p->fit);
    for (unsigned i = 0; i < RG_PARTY_COUNT; i++) {
        check(c, &p->risk[i]);
        check(c, &p->interest[i]);
    }
    flag(c, &p->guardian_named);
    flag(c, &p->care_named);
    flag(c, &p->escort);
    flag(c, &p->reception_confirmed);
    date(c, &p->witness_until);
    flag(c, &p->goes_anyway);
    small(c, &p->forbids);
    flag(c, &p->lift_assessed);
    flag(c, &p->lift_consent);
    flags(c, p->risk_due, RG_PARTY_COUNT);
}

static void journey(struct cursor *c, struct rg_process *p)
{
    flag(c, &p->first_onward);
    small(c, &p->stop);
    flag(c, &p->emergency);
    small(c, &p->deferred);
    flag(c, &p->planned);
    flag(c, &p->withdrawal_stop_due);
    flag(c, &p->remove_due);
    flag(c, &p->details_due);
    flag(c, &p->details_sent);
    small(c, &p->alerts);
    small(c, &p->concerns);
    small(c, &p->grave_alerts);
    small(c, &p->taken_alerts);
    flags(c, p->gone, RG_PARTY_COUNT);
    flag(c, &p->unresolved);
    p->leg = (enum rg_leg)number(c, (int64_t)p->leg, RG_LEG_BACK_HANDED);
    flags(c, p->visit_agreed, RG_PARTY_COUNT);
    flag(c, &p->witness_agrees);
    flag(c, &p->departed_against_stop);
    flag(c, &p->handed_over_against_stop);
    wall(c, &p->handed_over);
    wall(c, &p->departed);
}

static void asked(struct cursor *c, struct rg_process *p)
{
    for (unsigned i = 0; i < RG_PARTY_COUNT; i++) {
        small(c, &p->holds[i]);
        id(c, &p->hold_id[i]);
        wall(c, &p->hold_since[i]);
        id(c, &p->decided[i]);
        for (unsigned ask = 0; ask < RG_ASK_COUNT; ask++) {
            flag(c, &p->asked[ask][i].open);
            flag(c, &p->asked[ask][i].moved);
            id(c, &p->asked[ask][i].id);
            wall(c, &p->asked[ask][i].since);
        }
    }
    id(c, &p->accept);
}

static void everything(struct cursor *c, struct rg_process *p)
{
    where(c, p);
    consents(c, p);
    checks(c, p);
    journey(c, p);
    asked(c, p);
}

rg_outcome rg_process_encode(const struct rg_process *process, struct rg_buffer *out,
                             struct rg_reason *why)
{
    struct rg_process copy = *process;
    struct cursor c = {.out = out, .why = why};
    (void)number(&c, VERSION, UINT32_MAX);
    everything(&c, &copy);
    return c.failed ? rg_fail(why, RG_IO, "out-of-memory", "no memory to store a case") : rg_ok();
}

rg_outcome rg_process_decode(struct rg_bytes bytes, struct rg_process *process_out,
                             struct rg_reason *why)
{
    struct rg_process process = {0};
    struct cursor c = {.in = bytes, .why = why};
    bool known = number(&c, 0, UINT32_MAX) == VERSION;
    everything(&c, &process);
    RG_CHECK(known && !c.failed && c.at == bytes.len, why, RG_MALFORMED, "process-form",
             "a stored state of a case is of another version; it is folded again");
    *process_out = process;
    return rg_ok();
}
