/*
 * How it works: the messages are put into canonical order, and each meets the first row of the
 * table whose states, kind, code, party and guard fit. A row's effect is applied, then the state is
 * entered, then what was asked and answered is booked, then the settling rows are asked if a check
 * was touched. `marks` remember which messages opened an alert or a concern, withdrew or forbade
 * something, so that a later message closes or gives back only what it can have known of.
 * Invariants: a void message changes neither state nor check; only a void report of a journey
 * leaves a mark for people (departed or handed over against a stop). Guards read the day of the
 * message.
 */
#include "client/process_inside.h"

#include <stdlib.h>
#include <string.h>

typedef const struct rg_step *step_t;

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)
#define STILL_HERE                                                                                 \
    (S(NOTIFIED) | S(REFERRED) | S(NEEDS_INFO) | S(ACCEPTED) | S(CLEARED) | S(SCHEDULED) |         \
     S(SUSPENDED) | S(NO_RETURN))

static bool is_one_of(enum rg_process_state state, uint32_t states)
{
    return (RG_STATE_BIT(state) & states) != 0;
}

static bool same_id(const struct rg_id *a, const struct rg_id *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- finding the row ---- */

static bool is_by(const struct rg_process *p, enum rg_by by, enum rg_party from)
{
    switch (by) {
    case RG_BY_HOST:
        return from == RG_PARTY_HOST;
    case RG_BY_ORIGIN:
        return from == RG_PARTY_ORIGIN;
    case RG_BY_REQUESTER:
        return from == p->requester;
    case RG_BY_RECEIVER:
        return from == rg_party_other(p->requester);
    case RG_BY_CARE:
        return from == p->care;
    case RG_BY_ANY:
        break;
    }
    return true;
}

/* RG_VOID_KIND: another kind; RG_VOID_STATE: not here. */
static enum rg_void fits(step_t s, const struct rg_process_row *row, uint32_t kind)
{
    if (row->kind != kind) {
        return RG_VOID_KIND;
    }
    bool coded = kind == 0 || row->codes == 0 ||
                 (s->message->code < 32 && (row->codes >> s->message->code & 1u) != 0);
    if (!is_one_of(s->process->state, row->states) || !coded) {
        return RG_VOID_STATE;
    }
    if (!is_by(s->process, row->by, s->message->from)) {
        return RG_VOID_PARTY;
    }
    return rg_process_guard(s, row->guard);
}

/* The row that is met, or why none: the reason that came nearest to fitting. */
static enum rg_void meet(step_t s, uint32_t kind, uint32_t *row_out)
{
    enum rg_void nearest = RG_VOID_KIND;
    size_t count;
    const struct rg_process_row *rows = rg_process_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (s->broken->without_row == i + 1) {
            continue;
        }
        enum rg_void reason = fits(s, &rows[i], kind);
        if (reason == RG_VOID_NOT) {
            *row_out = i;
            return reason;
        }
        bool nearer = nearest == RG_VOID_KIND ||
                      (nearest == RG_VOID_STATE && reason != RG_VOID_KIND) ||
                      (nearest == RG_VOID_PARTY && reason > RG_VOID_PARTY);
        nearest = nearer ? reason : nearest;
    }
    return nearest;
}

/* Who went missing and is not looked for any more is taken for found. */
static enum rg_process_state reopened(const struct rg_process *p)
{
    bool found = p->closed_from == RG_PROCESS_MISSING && p->alerts == 0;
    enum rg_process_state from = found ? p->missing_from : p->closed_from;
    if (is_one_of(from, S(HANDED_OVER) | S(RECEIVED) | S(REINTEGRATING) | S(WITNESS_AWAY))) {
        return RG_PROCESS_REINTEGRATING;
    }
    return from == RG_PROCESS_IN_TRANSIT ? RG_PROCESS_ACCEPTED : from;
}

static enum rg_process_state target(const struct rg_process *p, uint32_t to)
{
    enum rg_process_state state = p->state;
    if (to < RG_PROCESS_STATE_COUNT) {
        return (enum rg_process_state)to;
    }
    if (to == RG_TO_RESUMED) {
        state = p->suspended_from;
    }
    if (to == RG_TO_FOUND) {
        state = p->missing_from;
    }
    if (to == RG_TO_REOPENED) {
        state = reopened(p);
    }
    return state == RG_PROCESS_ACCEPTED && p->forbids != 0 ? RG_PROCESS_NO_RETURN : state;
}

static void apply(struct rg_step *s, uint32_t row)
{
    s->row = rg_process_row_at(row);
    enum rg_process_state to = target(s->process, s->row->to);
    rg_process_effect(s);
    bool same = s->row->to == RG_TO_SAME;
    rg_process_enter(s->process, same ? s->process->state : to, s->message->made);
}

/* ---- what is asked and answered ---- */

static const struct {
    uint32_t kind;
    enum rg_ask ask;
} opens[] = {
    {10, RG_ASK_NOTICE},      {11, RG_ASK_REQUEST},   {14, RG_ASK_INFO},    {21, RG_ASK_WITHDRAWAL},
    {30, RG_ASK_NATIONALITY}, {32, RG_ASK_TRACING},   {37, RG_ASK_TRAVEL},  {40, RG_ASK_PROPOSAL},
    {47, RG_ASK_ALERT},       {49, RG_ASK_EMERGENCY}, {52, RG_ASK_CONCERN}, {53, RG_ASK_CLOSURE},
    {60, RG_ASK_JUSTICE},     {62, RG_ASK_WITNESS},   {63, RG_ASK_REMEDY},  {70, RG_ASK_ONWARD},
    {80, RG_ASK_CORRECTION},  {82, RG_ASK_ERASURE},   {84, RG_ASK_BREACH},
};

/* Answers count without naming the question too, where there can be no doubt. */
static const struct {
    uint32_t kind;
    enum rg_ask ask;
} closes[] = {
    {12, RG_ASK_REQUEST},    {13, RG_ASK_REQUEST},     {15, RG_ASK_INFO},
    {22, RG_ASK_WITHDRAWAL}, {31, RG_ASK_NATIONALITY}, {33, RG_ASK_TRACING},
    {34, RG_ASK_TRACING},    {38, RG_ASK_TRAVEL},      {41, RG_ASK_PROPOSAL},
    {41, RG_ASK_EMERGENCY},  {46, RG_ASK_EMERGENCY},   {47, RG_ASK_EMERGENCY},
    {54, RG_ASK_CLOSURE},    {61, RG_ASK_JUSTICE},     {62, RG_ASK_WITNESS},
    {71, RG_ASK_ONWARD},     {83, RG_ASK_ERASURE},
};

static bool is_heard(enum rg_ask ask) /* 18 is answer enough: somebody has it in hand */
{
    return ask == RG_ASK_ALERT || ask == RG_ASK_CONCERN || ask == RG_ASK_REMEDY ||
           ask == RG_ASK_BREACH;
}

static void close_asked(struct rg_step *s)
{
    const struct rg_process_message *m = s->message;
    enum rg_party asker = rg_party_other(m->from);
    bool pending = m->kind == 31 && m->code == RG_NATIONALITY_PENDING;
    for (unsigned ask = 0; ask < RG_ASK_COUNT && !pending; ask++) {
        struct rg_asked *asked = &s->process->asked[ask][asker];
        bool named = m->has_answers && same_id(&asked->id, &m->answers);
        bool answers = m->kind != 14 && (m->kind != 18 || is_heard((enum rg_ask)ask));
        asked->open = asked->open && !(named && answers);
    }
    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]) && !pending; i++) {
        if (closes[i].kind == m->kind) {
            s->process->asked[closes[i].ask][asker].open = false;
        }
    }
}

static void open_asked(struct rg_step *s, bool ended)
{
    const struct rg_process_message *m = s->message;
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        if (opens[i].kind == m->kind) {
            s->process->asked[opens[i].ask][m->from] =
                (struct rg_asked){.open = true, .moved = ended, .id = m->id, .since = m->made};
        }
    }
    if (s->row->effect == RG_EFFECT_REFER_AGAIN) {
        s->process->asked[RG_ASK_REQUEST][m->from] =
            (struct rg_asked){.open = true, .id = m->id, .since = m->made};
    }
}

static void drop_answered(struct rg_process *p, uint32_t kind)
{
    for (unsigned party = 0; party < RG_PARTY_COUNT; party++) {
        p->asked[RG_ASK_NOTICE][party].open &= kind != 11 && kind != 16;
        p->asked[RG_ASK_ALERT][party].open &= p->alerts > 0;
        p->asked[RG_ASK_CONCERN][party].open &= p->concerns > 0;
    }
}

/* ---- one message ---- */

struct rg_wall rg_process_made(struct rg_wall made, struct rg_wall accepted)
{
    struct rg_wall earliest = {accepted.ms - RG_MADE_BEFORE_MS};
    if (made.ms > accepted.ms) {
        return accepted;
    }
    return made.ms < earliest.ms ? earliest : made;
}

static bool touches_checks(uint32_t kind)
{
    static const uint8_t kinds[] = {12, 20, 21, 31, 33, 34, 35, 36, 38, 39, 47, 48, 52, 55, 60, 61};
    return memchr(kinds, (int)(kind & 255u), sizeof(kinds)) != NULL;
}

static uint32_t settle(struct rg_step *s)
{
    uint32_t last = RG_NO_ROW;
    for (unsigned round = 0; round < 2 && touches_checks(s->message->kind); round++) {
        uint32_t row;
        if (meet(s, 0, &row) != RG_VOID_NOT) {
            break;
        }
        apply(s, row);
        last = row;
    }
    return last;
}

/* It counts for nothing, but says that she is on the road: people must know. */
static void warn(struct rg_process *p, const struct rg_process_message *m)
{
    bool here = is_one_of(p->state, STILL_HERE) && m->from == RG_PARTY_HOST;
    bool leaves = m->kind == 44 || m->kind == 49;
    bool hands = m->kind == 45 && m->code == RG_RECORD_PRESENT && m->from == RG_PARTY_HOST;
    p->departed_against_stop = p->departed_against_stop || (here && leaves);
    p->handed_over_against_stop =
        p->handed_over_against_stop || (hands && (here || p->state == RG_PROCESS_IN_TRANSIT));
}

enum rg_void rg_process_step(struct rg_step *s, uint32_t *row_out, uint32_t *settled_out)
{
    s->day = rg_day_of_wall(s->message->made);
    *row_out = *settled_out = RG_NO_ROW;
    enum rg_void reason = meet(s, s->message->kind == 0 ? UINT32_MAX : s->message->kind, row_out);
    if (reason != RG_VOID_NOT) {
        warn(s->process, s->message);
        return reason;
    }
    bool ended = is_one_of(s->process->state, S(DECLINED) | S(CANCELLED) | S(CLOSED));
    close_asked(s);
    s->row = rg_process_row_at(*row_out);
    open_asked(s, ended);
    apply(s, *row_out);
    drop_answered(s->process, s->message->kind);
    *settled_out = settle(s);
    return reason;
}

/* ---- what a message can have known of ---- */

struct mark {
    uint32_t index; /* of the message */
    bool alert, grave, taken, concern;
    uint32_t scopes, forbids;
};

struct walk {
    const struct rg_process_message *message;
    const struct rg_order *order;
    struct mark *mark;
    size_t marks;
    const struct rg_process_break *broken;
};

static struct rg_sight look(const struct walk *w, const struct rg_process *p, uint32_t index)
{
    struct rg_sight sight = {.alerts = p->alerts,
                             .grave = p->grave_alerts,
                             .taken = p->taken_alerts,
                             .concerns = p->concerns};
    for (size_t i = 0; i < w->marks; i++) {
        const struct mark *mark = &w->mark[i];
        if (rg_order_sees(w->order, index, mark->index)) {
            continue;
        }
        sight.alerts -= mark->alert ? 1 : 0;
        sight.grave -= mark->grave ? 1 : 0;
        sight.taken -= mark->taken ? 1 : 0;
        sight.concerns -= mark->concern ? 1 : 0;
        sight.unseen_withdrawn |= w->broken->stale_consent ? 0 : mark->scopes;
        sight.unseen_forbids |= mark->forbids;
    }
    return sight;
}

static void forget(struct walk *w, const struct rg_step *s, uint32_t index)
{
    for (size_t i = 0; i < w->marks; i++) {
        struct mark *mark = &w->mark[i];
        bool seen = rg_order_sees(w->order, index, mark->index);
        if (seen && s->closed_alerts) {
            mark->alert = mark->grave = mark->taken = false;
        }
        if (seen && s->closed_concerns) {
            mark->concern = false;
        }
    }
}

static void remember(struct walk *w, const struct rg_process *before, const struct rg_process *p,
                     uint32_t index)
{
    struct mark mark = {.index = index,
                        .alert = p->alerts > before->alerts,
                        .grave = p->grave_alerts > before->grave_alerts,
                        .taken = p->taken_alerts > before->taken_alerts,
                        .concern = p->concerns > before->concerns,
                        .scopes = p->withdrawn & ~before->withdrawn,
                        .forbids = p->forbids & ~before->forbids};
    const struct rg_process_message *m = &w->message[index];
    if (m->kind == 21) {
        mark.scopes = m->scopes;
    }
    if (m->kind == 45 && m->code == RG_RECORD_REFUSED_AT_GATE) {
        mark.scopes |= RG_SCOPE_BIT(RG_SCOPE_RETURN);
    }
    if (mark.alert || mark.concern || mark.scopes != 0 || mark.forbids != 0) {
        w->mark[w->marks++] = mark;
    }
}

static void advance(struct walk *w, struct rg_process *p, uint32_t index,
                    struct rg_process_entry *entry)
{
    struct rg_process before = *p;
    struct rg_step s = {.process = p,
                        .message = &w->message[index],
                        .sight = look(w, p, index),
                        .broken = w->broken};
    struct rg_process_entry e = {.id = s.message->id,
                                 .index = index,
                                 .kind = s.message->kind,
                                 .from = s.message->from,
                                 .before = p->state};
    e.reason = rg_process_step(&s, &e.row, &e.settled);
    e.after = p->state;
    p->messages++;
    if (e.reason == RG_VOID_NOT) {
        forget(w, &s, index);
        remember(w, &before, p, index);
    } else {
        p->voids++;
    }
    if (entry != NULL) {
        *entry = e;
    }
}

/* ---- fresh alerts ---- */

static bool is_relayed(const struct rg_process_message *message, size_t count,
                       const struct rg_process_message *fresh)
{
    for (size_t i = 0; i < count; i++) {
        if (!message[i].fresh && message[i].has_relays && message[i].from == fresh->from &&
            same_id(&message[i].relays, &fresh->id)) {
            return true;
        }
    }
    return false;
}

static bool is_earlier(const struct rg_process_message *a, const struct rg_process *p,
                       enum rg_party from)
{
    const struct rg_id *id = &p->hold_id[from];
    return p->holds[from] == 0 || a->made.ms < p->hold_since[from].ms ||
           (a->made.ms == p->hold_since[from].ms && memcmp(a->id.b, id->b, sizeof(id->b)) < 0);
}

static bool is_doubled(const struct rg_process_message *message, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (message[i].fresh && same_id(&message[i].id, &message[index].id)) {
            return true;
        }
    }
    return false;
}

static size_t hold(const struct rg_process_message *message, size_t count, struct rg_process *p,
                   struct rg_process_entry *entry)
{
    size_t entries = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rg_process_message *m = &message[i];
        if (!m->fresh || is_doubled(message, i)) {
            continue;
        }
        if (entry != NULL) {
            entry[entries] = (struct rg_process_entry){.id = m->id,
                                                       .index = (uint32_t)i,
                                                       .kind = m->kind,
                                                       .from = m->from,
                                                       .hold = true,
                                                       .row = RG_NO_ROW,
                                                       .settled = RG_NO_ROW,
                                                       .before = p->state,
                                                       .after = p->state};
        }
        entries++;
        if (is_relayed(message, count, m)) {
            continue;
        }
        if (is_earlier(m, p, m->from)) {
            p->hold_id[m->from] = m->id;
            p->hold_since[m->from] = m->made;
        }
        p->holds[m->from]++;
    }
    return entries;
}

/* ---- the fold ---- */

/* For a control only: a machine that a clock can move. */
static void tick(struct rg_process *p, const struct rg_process_break *broken)
{
    int64_t late_ms = INT64_C(4) * 60 * 60 * 1000;
    if (broken->clock && p->state == RG_PROCESS_HANDED_OVER &&
        broken->now.ms > p->since.ms + late_ms) {
        rg_process_enter(p, RG_PROCESS_MISSING, broken->now);
    }
}

/* Returns the number of entries. */
static size_t walk_all(struct walk *walk, size_t count, struct rg_process *p,
                       struct rg_process_entry *entry)
{
    size_t ordered = walk->order->count;
    memset(p->holds, 0, sizeof(p->holds));
    for (size_t i = 0; i < ordered; i++) {
        advance(walk, p, walk->order->at[i], entry == NULL ? NULL : &entry[i]);
    }
    tick(p, walk->broken);
    return ordered + hold(walk->message, count, p, entry == NULL ? NULL : entry + ordered);
}

rg_outcome rg_process_fold_from(const struct rg_fold *fold, struct rg_process_entry *entry,
                                size_t *entry_count_out, struct rg_process *out,
                                struct rg_reason *why)
{
    RG_CLEANUP(rg_order_drop) struct rg_order order = {0};
    RG_TRY(rg_order_find(fold->message, fold->count, fold->broken->by_arrival, &order, why));
    struct walk walk = {.message = fold->message, .order = &order, .broken = fold->broken};
    walk.mark = calloc(fold->count == 0 ? 1 : fold->count, sizeof(struct mark));
    RG_CHECK(walk.mark != NULL, why, RG_IO, "out-of-memory", "no memory to fold a case");
    struct rg_process p = *fold->start;
    size_t entries = walk_all(&walk, fold->count, &p, entry);
    free(walk.mark);
    if (entry_count_out != NULL) {
        *entry_count_out = entries;
    }
    *out = p;
    return rg_ok();
}

rg_outcome rg_process_fold(const struct rg_process_message *message, size_t count,
                           struct rg_process_entry *entry, size_t *entry_count_out,
                           struct rg_process *out, struct rg_reason *why)
{
    static const struct rg_process none;
    static const struct rg_process_break whole;
    const struct rg_fold fold = {
        .start = &none, .broken = &whole, .message = message, .count = count};
    return rg_process_fold_from(&fold, entry, entry_count_out, out, why);
}

/* ---- before writing ---- */

static rg_outcome refuse(const struct rg_process *p, const struct rg_process_message *next,
                         enum rg_void reason, struct rg_reason *why)
{
    static const char *const id[RG_VOID_COUNT] = {
        [RG_VOID_NOT] = "process-step",          [RG_VOID_KIND] = "process-step",
        [RG_VOID_STATE] = "process-step",        [RG_VOID_PARTY] = "process-step",
        [RG_VOID_ANSWERS] = "process-step",      [RG_VOID_DECIDED] = "process-decided",
        [RG_VOID_GATE] = "process-gate",         [RG_VOID_CONSENT] = "process-consent",
        [RG_VOID_OFFICERS] = "process-officers", [RG_VOID_STOPPED] = "process-stop",
        [RG_VOID_NOT_READY] = "process-step",
    };
    return rg_fail(why, RG_DENIED, id[reason], "%s is not possible while the case is %s: %s",
                   rg_kind_name(next->kind), rg_process_state_name(p->state),
                   rg_void_meaning(reason));
}

static rg_outcome refuse_gate(const struct rg_gate_verdict *verdict, struct rg_reason *why)
{
    const struct rg_gate_row *row = rg_gate_row(verdict->row[0]);
    return rg_fail(why, RG_DENIED, "process-gate", "needed: %s; %s", row->meaning, row->what_next);
}

static bool is_travel(const struct rg_process_message *next)
{
    return next->kind == 40 || next->kind == 44 ||
           (next->kind == 45 && next->code == RG_RECORD_PRESENT);
}

static rg_outcome check_gate(const struct rg_process *p, const struct rg_process_message *next,
                             const struct rg_gate_home *home, struct rg_reason *why)
{
    bool plans =
        next->kind == 40 && (p->state == RG_PROCESS_CLEARED || p->state == RG_PROCESS_ACCEPTED);
    bool departs = next->kind == 44 &&
                   (p->state == RG_PROCESS_SCHEDULED || p->state == RG_PROCESS_CLEARED ||
                    p->state == RG_PROCESS_ACCEPTED); /* says what is missing, not where it is */
    if ((!plans && !departs) || next->from != RG_PARTY_HOST) {
        return rg_ok();
    }
    struct rg_gate_verdict verdict = rg_process_gate(
        p, rg_day_of_wall(next->made), departs ? RG_GATE_DEPARTURE : RG_GATE_CLEARING, home);
    return verdict.open ? rg_ok() : refuse_gate(&verdict, why);
}

rg_outcome rg_process_may(const struct rg_process *process, const struct rg_process_message *next,
                          const struct rg_gate_home *home, struct rg_reason *why)
{
    static const struct rg_process_break whole;
    struct rg_process after = *process;
    struct rg_step s = {.process = &after,
                        .message = next,
                        .sight = {.alerts = process->alerts,
                                  .grave = process->grave_alerts,
                                  .taken = process->taken_alerts,
                                  .concerns = process->concerns},
                        .broken = &whole};
    bool held = process->holds[RG_PARTY_HOST] + process->holds[RG_PARTY_ORIGIN] > 0;
    RG_CHECK(!held || !is_travel(next), why, RG_DENIED, "process-hold",
             "an alert came directly and waits to be passed on: nobody travels until then");
    RG_TRY(check_gate(process, next, home, why));
    uint32_t row, settled;
    enum rg_void reason = rg_process_step(&s, &row, &settled);
    return reason == RG_VOID_NOT ? rg_ok() : refuse(process, next, reason, why);
}
