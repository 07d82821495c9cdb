/*
 * Two offices and a network, explored.
 *
 * usage: explore [--effort N] [--world NAME] [--control]
 *
 * How it works: each side holds a set of messages; what it sends has seen what it holds. The
 * network delays, reorders, doubles and loses; a side sends whatever its own library would let it
 * send, or, in the hostile worlds, anything. When the queues are empty, everything is folded into
 * one state, with ids and times taken out of it: a root. From each root a burst is explored,
 * breadth first, each node once: at most a window of messages that cross, with what each has seen
 * and in which order each side got them, in every order, until the queues are empty again; what
 * comes out are roots again. So the length of a case is not bounded, only how many messages cross.
 * With a window of 1 every root of a world is taken (the search ends by itself, or at --effort);
 * with 2, 3 and 4 a part of them, spread evenly.
 *
 * Checked:
 *   same       when the queues are empty both sides have folded the same state, and the same
 *              messages are void, for the same reasons, doubled messages or not
 *   gate       nobody departs with the gate false, as a second, independent reading of it has it;
 *              but for an emergency, with two officers and all that was skipped listed
 *   withdrawn  after a withdrawal nobody is handed over without a consent that knows of it, and no
 *              side that knows of it may propose, depart or hand over
 *   end        from every state with empty queues ERASED can be reached, by lawful messages only
 *   clock      time alone changes no state
 *   void       what is void changes neither state nor check
 *   rows       every row of the table was met
 * Each has a control: a machine broken on purpose, on which the check must fail.
 */
#include "tests/unit/process_words.h"

#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW_MAX 6
#define ROOTS_MAX 250         /* in one world, with an effort of 1 */
#define ROOTS_MORE 80         /* of those that only crossing messages lead to */
#define BURST_MAX 20000       /* nodes of one burst */
#define LOCAL_SIZE (1u << 16) /* more than twice as many */
#define SYMBOLS_MAX 64
#define DAYS 2
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define START_MS INT64_C(1795608000000) /* 2026-11-25 12:00 UTC */
#define LATE_DAYS 100
#define ALERTS_MAX 2
#define S(state) RG_STATE_BIT(RG_PROCESS_##state)

enum check { SAME, GATE, WITHDRAWN, END, CLOCK, VOIDS, ROWS, CHECKS };
static const char *const check_name[CHECKS] = {"same",  "gate", "withdrawn", "end",
                                               "clock", "void", "rows"};

static struct rg_process_break broken; /* what is broken, for a control */
static uint64_t failures[CHECKS];
static bool quiet;

static void fail(enum check check, const char *what)
{
    if (failures[check]++ == 0 && !quiet) {
        (void)printf("FAILED %s: %s\n", check_name[check], what);
    }
}

/* ---- worlds ---- */

struct world {
    const char *name, *start, *symbols;
    bool hostile, lossy, late;
};

#define CLOSING " H53 O53 H54:AGREE O54:AGREE H82 O82 H83 O83"
#define REVERSAL " H21 O21 H20 H16"
#define ALERTS                                                                                     \
    " H47:MISSING O47:MISSING O47:TAKEN H48:FOUND_SAFE O48:FOUND_SAFE H48:UNRESOLVED "             \
    "O48:LEFT_BY_CHOICE"

static const struct world worlds[] = {
    {.name = "referral",
     .start = "",
     .symbols = "H10 H11 O11:LATE O12 H12 O13 H13 O14 H15 O16 H20:BOTH H21:NOTIFY O50" REVERSAL
                " H55:NEW_NEED O55:ERROR O54:OBJECT" CLOSING,
     .lossy = true},
    {.name = "checks",
     .start = UNTIL_ACCEPTED " O38:ISSUED",
     .symbols = "O31:CONFIRMED O31:NOT_CONFIRMED H35:SAFE H35:NOT_SAFE H35:SAFE.b.two O35:SAFE "
                "O35:NOT_SAFE O35:SAFE.b.two O52:OPEN H52:CLOSED H40 O41:ACCEPT H42:CANCEL H44 "
                "H45:REFUSED_AT_GATE H45:PRESENT" REVERSAL},
    {.name = "handover",
     .start = UNTIL_CLEARED,
     .symbols = "H40 O41:ACCEPT O41:COUNTER H42:REMOVE_PERSON O42:POSTPONE H44 H45:PRESENT "
                "H45:REFUSED_AT_GATE H45:ABSENT O46:true O46:false H35:SAFE O35:NOT_SAFE "
                "O52:OPEN O50" REVERSAL,
     .lossy = true},
    {.name = "alerts",
     .start = UNTIL_SCHEDULED,
     .symbols = "H44 H45:PRESENT H45:REFUSED_AT_GATE O46:true O47:ILL H35:SAFE O35:SAFE "
                "H35:NOT_SAFE H21 H20" ALERTS},
    {.name = "consent",
     .start = UNTIL_CLEARED " H21",
     .symbols = "O21 H20 H35:SAFE H40 O41:ACCEPT H44 H45:PRESENT"},
    {.name = "late",
     .start = UNTIL_CLEARED,
     .symbols = "H40 O41:ACCEPT H42:CANCEL H44 H45:PRESENT H45:REFUSED_AT_GATE H35:SAFE O35:SAFE "
                "O38:ISSUED O31:CONFIRMED O21 H20",
     .late = true},
    {.name = "child",
     .start = "H11.child O12 H17 O31:CONFIRMED O38:ISSUED O35:SAFE H35:SAFE",
     .symbols = "H36:RETURN H36:NOT_RETURN H36:LATER O36:NOT_RETURN O36:RETURN H36:RETURN.bare "
                "H35:SAFE.b.two H40 O41:ACCEPT H44 H45:PRESENT H45:REFUSED_AT_GATE O46:true O21 "
                "H20"},
    {.name = "emergency",
     .start = "",
     .symbols = "H49 H49:VITAL H11 O12 O13 O41:ACCEPT O42:CANCEL H44 H45:PRESENT "
                "H45:REFUSED_AT_GATE H45:ABSENT O46:true O46:false O31:NOT_CONFIRMED H35:SAFE "
                "H47:MISSING O48:FOUND_SAFE O50" REVERSAL},
    {.name = "witness",
     .start = UNTIL_HOME,
     .symbols = "H60 O61:AGREES H62:PROPOSED O62:AGREED O62:STOPPED O44 O45:PRESENT "
                "O45:REFUSED_AT_GATE O45:ABSENT H46:true H46:false H44 H45:PRESENT "
                "H45:REFUSED_AT_GATE O46:true H35:NOT_SAFE H47:MISSING O48:FOUND_SAFE H21 O21 H20"},
    {.name = "witness-back",
     .start = UNTIL_THERE,
     .symbols = "H44 H45:PRESENT H45:REFUSED_AT_GATE H45:ABSENT O46:true O46:false H35:NOT_SAFE "
                "O35:NOT_SAFE H35:SAFE.b.two O62:STOPPED H47:MISSING O48:FOUND_SAFE H21 O21 H20"},
    {.name = "home",
     .start = UNTIL_RECEIVED,
     .symbols = "O50 O51.safe O51 O52:OPEN O52:CLOSED H52:OPEN O21:FOLLOW_UP O20 O35:SAFE "
                "O35:NOT_SAFE H47:TAKEN O48:FOUND_HARMED H48:UNRESOLVED O48:LEFT_BY_CHOICE "
                "H55:RE_TRAFFICKED O55:NEW_NEED O12 O13 H16" CLOSING},
    {.name = "onward",
     .start = "",
     .symbols = "H70:ONWARD O71:ACCEPTED O71:DECLINED H21:ONWARD H20 H16 H47:MISSING "
                "H48:FOUND_SAFE" CLOSING},
    {.name = "no-return",
     .start = "H11 O12 H17 O31:CONFIRMED O35:SAFE O38:ISSUED",
     .symbols = "H35:NOT_SAFE O35:NOT_SAFE H35:SAFE.b.two O35:SAFE.b.two H35:SAFE H20 H21 O21 "
                "H70:ONWARD O71:DECLINED O71:ACCEPTED H16 H53 O54:AGREE"},
    {.name = "hostile-way",
     .start = UNTIL_SCHEDULED,
     .symbols = "H44 H45:PRESENT H45:REFUSED_AT_GATE O46:true O42:CANCEL O21 H21 H20 O35:NOT_SAFE "
                "O52:OPEN H49.alone H49:VITAL O44 O45:PRESENT",
     .hostile = true},
    {.name = "hostile-start",
     .start = "",
     .symbols = "H11 O11:LATE O12 H12 O13 H16 O16 H21 H20 H35:SAFE O35:NOT_SAFE H40 O41:ACCEPT H44",
     .hostile = true},
};

/* Sent from every state once, to meet what the worlds have no room for. */
static const char everything[] =
    "H2 H10 H11 O11:LATE H12 O12 H13 O13 H14 O14 H15 O15 H16 O16 H17 O17 O18 H20 O20 H21 O21 "
    "H21:NOTIFY O21:IDENTITY H21:ONWARD H21:STATISTICS O21:FOLLOW_UP H22 O22 H30 O30 O31:CONFIRMED "
    "O31:STATELESS O31:PENDING H32 O33:FOUND O34:NOT_RETURN H35:SAFE H35:NOT_SAFE H35:UNKNOWN "
    "O35:SAFE O35:NOT_SAFE O35:UNKNOWN H35:SAFE.b.two H36:RETURN H36:NOT_RETURN O36:RETURN "
    "O36:NOT_RETURN H37 O38:ISSUED O38:REFUSED H39:YES H39:NO H40 O41:ACCEPT O41:REFUSE H42:CANCEL "
    "O42:POSTPONE H44 O44 H45:PRESENT H45:REFUSED_AT_GATE H45:ABSENT O45:PRESENT "
    "O45:REFUSED_AT_GATE O45:ABSENT O46:true O46:false H46:true H46:false H47:MISSING O47:TAKEN "
    "H47:ILL H48:FOUND_SAFE O48:UNRESOLVED H48:LEFT_BY_CHOICE H49 H49:VITAL H49.alone O50 O51 "
    "O51.safe H52:OPEN O52:OPEN H52:CLOSED O52:CLOSED H53 O53 H54:AGREE O54:OBJECT "
    "H55:RE_TRAFFICKED "
    "O55:NEW_NEED H60 H60.until O61:AGREES O61:DECLINES H62:PROPOSED O62:AGREED O62:STOPPED H63 "
    "H70:ONWARD O71:ACCEPTED O71:DECLINED H80 H82 O82 H83 O83 H84 H1 H19 H91";

struct symbols {
    struct rg_process_message form[DAYS][SYMBOLS_MAX * 2];
    size_t count;
};

static void learn(struct symbols *symbols, const char *words)
{
    static struct talk talk;
    char copy[2048];
    (void)snprintf(copy, sizeof(copy), "%s", words);
    char *place = NULL;
    symbols->count = 0;
    for (char *word = strtok_r(copy, " ", &place); word != NULL;
         word = strtok_r(NULL, " ", &place)) {
        for (unsigned day = 0; day < DAYS; day++) {
            words_start(&talk);
            talk.now_ms = START_MS + day * LATE_DAYS * DAY_MS;
            symbols->form[day][symbols->count] = words_message(&talk, word);
        }
        symbols->count++;
    }
}

/* ---- nodes ---- */

enum refers { REFERS_NOTHING, REFERS_ASKED, REFERS_SENT, REFERS_GONE };

struct sent { /* a message after the base */
    uint8_t symbol, day, party;
    uint8_t seen;               /* how many of the other side's, from the first on */
    uint8_t refers, ask, asker; /* REFERS_SENT: ask is the place in the window */
    uint8_t gap;                /* the one before it never arrived */
};

struct node {
    uint32_t base;
    uint8_t day, count, withdrawn;
    uint8_t got_count[RG_PARTY_COUNT];
    uint8_t got[RG_PARTY_COUNT][WINDOW_MAX]; /* places in `sent`, as they came */
    struct sent sent[WINDOW_MAX];            /* as sent: each side's in order */
};

struct key {
    uint64_t a, b;
};

struct packed {
    uint8_t *bytes;
    uint32_t len;
};

struct space {
    const struct world *world;
    struct symbols symbols;
    unsigned window;
    struct key *set; /* open addressing: bases and roots, apart by their seeds */
    size_t set_size, set_used;
    uint32_t *set_value;
    struct node *root;
    size_t root_count, root_size, root_max;
    struct packed *base;
    uint32_t base_count, base_size;
    struct key local[LOCAL_SIZE]; /* of one burst */
    struct node queue[BURST_MAX];
    size_t head, tail;
    uint64_t nodes, transitions, quiet, bursts, depth;
    bool cut;
};

static uint64_t rows_met[256];

static void *grow(void *memory, size_t count, size_t size)
{
    void *bigger = realloc(memory, count * size);
    if (bigger == NULL) {
        (void)fprintf(stderr, "explore: out of memory\n");
        exit(1);
    }
    return bigger;
}

static struct key key_of(const uint8_t *bytes, size_t len, uint64_t seed)
{
    struct key key = {UINT64_C(0xcbf29ce484222325) ^ seed, UINT64_C(0x9e3779b97f4a7c15) + seed};
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, len - i < sizeof(word) ? len - i : sizeof(word));
        key.a = (key.a ^ word) * UINT64_C(0x9fb21c651e98df25);
        key.a ^= key.a >> 32;
        key.b = (key.b + word + 1) * UINT64_C(0xbf58476d1ce4e5b9);
        key.b ^= key.b >> 29;
    }
    key.a = key.a == 0 ? 1 : key.a;
    return key;
}

static void set_grow(struct space *space)
{
    struct key *old = space->set;
    uint32_t *old_value = space->set_value;
    size_t old_size = space->set_size;
    space->set_size = old_size == 0 ? 1u << 16 : old_size * 2;
    space->set = calloc(space->set_size, sizeof(*space->set));
    space->set_value = calloc(space->set_size, sizeof(*space->set_value));
    if (space->set == NULL || space->set_value == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].a != 0) {
            size_t at = old[i].b & (space->set_size - 1);
            while (space->set[at].a != 0) {
                at = (at + 1) & (space->set_size - 1);
            }
            space->set[at] = old[i];
            space->set_value[at] = old_value[i];
        }
    }
    free(old);
    free(old_value);
}

/* Where the key is or belongs. */
static size_t set_find(struct space *space, struct key key)
{
    if (space->set_used * 2 >= space->set_size) {
        set_grow(space);
    }
    size_t at = key.b & (space->set_size - 1);
    while (space->set[at].a != 0 && (space->set[at].a != key.a || space->set[at].b != key.b)) {
        at = (at + 1) & (space->set_size - 1);
    }
    return at;
}

/* ---- bases: ids and times taken out, zeroes packed ---- */

static struct rg_id asked_id(unsigned ask, unsigned asker)
{
    struct rg_id id = {{0xa5, (uint8_t)ask, (uint8_t)asker}};
    return id;
}

static void normalise(struct rg_process *p)
{
    p->since.ms = p->handed_over.ms = p->departed.ms = 0;
    p->messages = p->voids = 0;
    p->accept = (struct rg_id){{0}};
    for (unsigned party = 0; party < RG_PARTY_COUNT; party++) {
        p->decided[party] = (struct rg_id){{0}};
        for (unsigned ask = 0; ask < RG_ASK_COUNT; ask++) {
            struct rg_asked *asked = &p->asked[ask][party];
            bool open = asked->open, moved = open && asked->moved;
            *asked = (struct rg_asked){.open = open, .moved = moved};
            asked->id = open ? asked_id(ask, party) : asked->id;
        }
    }
}

static void encode(const struct rg_process *p, struct rg_buffer *out)
{
    rg_buffer_clear(out);
    if (!rg_is_ok(rg_process_encode(p, out, NULL))) {
        exit(1);
    }
}

static void pack(struct packed *packed, struct rg_bytes bytes)
{
    uint8_t out[2 * 8192];
    uint32_t len = 0;
    for (size_t i = 0; i < bytes.len;) {
        size_t run = 0;
        while (run < 255 && i + run < bytes.len && bytes.data[i + run] == 0) {
            run++;
        }
        out[len++] = (uint8_t)run;
        i += run;
        out[len++] = i < bytes.len ? bytes.data[i] : 0;
        i++;
    }
    packed->bytes = grow(NULL, len, 1);
    packed->len = len;
    memcpy(packed->bytes, out, len);
}

static struct rg_process unpack(const struct packed *packed, size_t len)
{
    uint8_t bytes[8192] = {0};
    size_t at = 0;
    for (uint32_t i = 0; i + 1 < packed->len; i += 2) {
        at += packed->bytes[i];
        if (at < len) {
            bytes[at] = packed->bytes[i + 1];
        }
        at++;
    }
    struct rg_process p = {0};
    if (!rg_is_ok(rg_process_decode(rg_bytes_of(bytes, len), &p, NULL))) {
        (void)fprintf(stderr, "explore: a base does not decode\n");
        exit(1);
    }
    return p;
}

static size_t encoded_bytes;

static uint32_t base_find(struct space *space, const struct rg_process *p)
{
    static struct rg_buffer bytes;
    encode(p, &bytes);
    encoded_bytes = bytes.len;
    size_t at = set_find(space, key_of(bytes.data, bytes.len, 7));
    if (space->set[at].a != 0) {
        return space->set_value[at];
    }
    if (space->base_count == space->base_size) {
        space->base_size = space->base_size == 0 ? 1024 : space->base_size * 2;
        space->base = grow(space->base, space->base_size, sizeof(*space->base));
    }
    pack(&space->base[space->base_count], rg_buffer_peek(&bytes));
    space->set[at] = key_of(bytes.data, bytes.len, 7);
    space->set_value[at] = space->base_count;
    space->set_used++;
    return space->base_count++;
}

static struct rg_process base_at(const struct space *space, uint32_t base)
{
    return unpack(&space->base[base], encoded_bytes);
}

/* ---- messages of a window ---- */

static struct rg_id sent_id(unsigned place)
{
    struct rg_id id = {{0xb6, (uint8_t)place}};
    return id;
}

static void refer(struct rg_process_message *m, const struct sent *sent)
{
    m->has_answers = sent->refers != REFERS_NOTHING;
    m->answers = sent->refers == REFERS_ASKED  ? asked_id(sent->ask, sent->asker)
                 : sent->refers == REFERS_SENT ? sent_id(sent->ask)
                                               : (struct rg_id){{0xdd}};
}

static struct rg_process_message message_of(const struct space *space, const struct node *node,
                                            unsigned place)
{
    const struct sent *sent = &node->sent[place];
    struct rg_process_message m = space->symbols.form[sent->day][sent->symbol];
    unsigned own = 0, theirs = 0;
    m.id = sent_id(place);
    m.made.ms += place;
    refer(&m, sent);
    for (unsigned i = 0; i < node->count; i++) {
        if (node->sent[i].party == sent->party && i < place) {
            m.has_previous = true;
            m.previous = sent_id(i);
            own++;
        }
        if (node->sent[i].party != sent->party && theirs < sent->seen) {
            m.has_seen = true;
            m.seen = sent_id(i);
            theirs++;
        }
    }
    if (sent->gap) {
        m.has_previous = true;
        m.previous = (struct rg_id){{0xee, (uint8_t)place}};
    }
    return m;
}

static bool has_got(const struct node *node, unsigned party, unsigned place)
{
    for (unsigned i = 0; i < node->got_count[party]; i++) {
        if (node->got[party][i] == place) {
            return true;
        }
    }
    return false;
}

static bool is_quiet(const struct node *node)
{
    return node->got_count[RG_PARTY_HOST] == node->count &&
           node->got_count[RG_PARTY_ORIGIN] == node->count;
}

struct view { /* what one side makes of what it has */
    struct rg_process_message message[2 * WINDOW_MAX];
    struct rg_process_entry entry[2 * WINDOW_MAX];
    size_t count, entries;
    struct rg_process process;
};

static void fold(const struct rg_process *base, struct view *view)
{
    struct rg_reason why = {0};
    const struct rg_fold from = {
        .start = base, .broken = &broken, .message = view->message, .count = view->count};
    if (!rg_is_ok(rg_process_fold_from(&from, view->entry, &view->entries, &view->process, &why))) {
        (void)fprintf(stderr, "explore: %s\n", why.text);
        exit(1);
    }
    for (size_t i = 0; i < view->entries; i++) {
        const struct rg_process_entry *e = &view->entry[i];
        rows_met[e->row == RG_NO_ROW ? 255 : e->row]++;
        rows_met[e->settled == RG_NO_ROW ? 255 : e->settled]++;
    }
}

static void view_of(const struct space *space, const struct rg_process *base,
                    const struct node *node, unsigned party, struct view *view)
{
    view->count = node->got_count[party];
    for (unsigned i = 0; i < view->count; i++) {
        view->message[i] = message_of(space, node, node->got[party][i]);
    }
    fold(base, view);
}

/* ---- the checks ---- */

/* A second reading of the gate, from the table of the domain, not from client/gate. */
static bool gate_by_the_book(const struct rg_process *p, struct rg_date today)
{
    int64_t day = rg_date_days(today);
    bool child = p->age != RG_AGE_ADULT;
    bool ok = true;
    const enum rg_scope needed[] = {RG_SCOPE_RETURN, RG_SCOPE_SHARE_IDENTITY};
    for (size_t i = 0; i < 2; i++) {
        ok = ok && (p->scopes & RG_SCOPE_BIT(needed[i])) != 0 &&
             day <= rg_date_days(p->scope_until[needed[i] - 1]);
    }
    for (unsigned party = RG_PARTY_HOST; party <= RG_PARTY_ORIGIN; party++) {
        const struct rg_check *risk = &p->risk[party];
        ok = ok && (risk->code == 1 || risk->code == 2) && day - rg_date_days(risk->made) <= 90 &&
             day <= rg_date_days(risk->valid_to);
    }
    ok = ok && (p->nationality.code == 1 || p->nationality.code == 2) &&
         day <= rg_date_days(p->nationality.valid_to);
    ok = ok && p->concerns == 0 && p->alerts == 0 && p->forbids == 0;
    ok = ok && (p->travel.code == 1 || p->travel.code == 2) &&
         day <= rg_date_days(p->travel.valid_to);
    ok = ok && p->fit.code != RG_FIT_NO && p->reception_confirmed && p->care == RG_PARTY_HOST;
    return ok && (!child || (p->interest[RG_PARTY_HOST].code == 1 && p->guardian_named &&
                             p->escort && p->care_named));
}

/* The state before the entry at `place` of the canonical order. */
static struct rg_process before_entry(const struct rg_process *base, const struct view *view,
                                      size_t place)
{
    struct view part = {.count = place};
    for (size_t i = 0; i < place; i++) {
        part.message[i] = view->message[view->entry[i].index];
    }
    fold(base, &part);
    return part.process;
}

static void check_gate(const struct rg_process *base, const struct view *view)
{
    for (size_t i = 0; i < view->entries; i++) {
        const struct rg_process_entry *e = &view->entry[i];
        const struct rg_process_message *m = &view->message[e->index];
        bool departs = e->after == RG_PROCESS_IN_TRANSIT && e->before != RG_PROCESS_IN_TRANSIT;
        if (e->reason != RG_VOID_NOT || !departs || m->kind == 48) { /* 48: found on the way */
            continue;
        }
        struct rg_process before = before_entry(base, view, i);
        bool open = gate_by_the_book(&before, rg_day_of_wall(m->made));
        if (m->kind == 44 && !open) {
            fail(GATE, "she departs although the gate is false");
        }
        if (m->kind != 44 && m->kind != 49) {
            fail(GATE, "she departs without a departure");
        }
        if (m->kind == 49 && !open && view->process.state == RG_PROCESS_IN_TRANSIT &&
            (!view->process.emergency || view->process.deferred == 0)) {
            fail(GATE, "an emergency does not list what it skipped");
        }
    }
}

static bool sees(const struct view *view, const struct rg_process_message *later,
                 const struct rg_process_message *earlier)
{
    if (later->from == earlier->from && earlier->made.ms < later->made.ms) {
        return true; /* an office knows its own, also across a message of its own that was lost */
    }
    for (unsigned round = 0; round < 2 * WINDOW_MAX; round++) { /* along the two chains */
        const struct rg_id *names[] = {later->has_seen ? &later->seen : NULL,
                                       later->has_previous ? &later->previous : NULL};
        const struct rg_process_message *next = NULL;
        for (size_t n = 0; n < 2; n++) {
            for (size_t i = 0; names[n] != NULL && i < view->count; i++) {
                if (memcmp(view->message[i].id.b, names[n]->b, 32) == 0) {
                    if (memcmp(earlier->id.b, names[n]->b, 32) == 0) {
                        return true;
                    }
                    next = n == 1 || next == NULL ? &view->message[i] : next;
                    if (n == 0 && later->has_previous && sees(view, &view->message[i], earlier)) {
                        return true;
                    }
                }
            }
        }
        if (next == NULL) {
            return false;
        }
        later = next;
    }
    return false;
}

static bool takes_return_back(const struct rg_process_message *m, enum rg_process_state before)
{
    uint32_t earlier = S(NOTIFIED) | S(REFERRED) | S(NEEDS_INFO) | S(ACCEPTED) | S(CLEARED) |
                       S(SCHEDULED) | S(IN_TRANSIT) | S(SUSPENDED) | S(NO_RETURN) | S(MISSING);
    return m->kind == 21 && (m->scopes & RG_SCOPE_BIT(RG_SCOPE_RETURN)) != 0 &&
           (RG_STATE_BIT(before) & earlier) != 0;
}

static bool knows_all_withdrawals(const struct view *view, size_t place)
{
    const struct rg_process_message *m = &view->message[view->entry[place].index];
    for (size_t i = 0; i < place; i++) {
        const struct rg_process_message *w = &view->message[view->entry[i].index];
        if (w->kind == 21 && (w->scopes & RG_SCOPE_BIT(RG_SCOPE_RETURN)) != 0 &&
            !sees(view, m, w)) {
            return false;
        }
    }
    return true;
}

/* Returns whether a withdrawal stands at the end. */
static bool check_withdrawn(const struct view *view, bool withdrawn)
{
    for (size_t i = 0; i < view->entries; i++) {
        const struct rg_process_entry *e = &view->entry[i];
        const struct rg_process_message *m = &view->message[e->index];
        if (e->reason != RG_VOID_NOT) {
            continue;
        }
        bool refers_anew = m->kind == 11 || (m->kind == 55 && m->code == RG_REOPEN_RE_TRAFFICKED);
        bool gives = ((m->kind == 20 || m->kind == 11) && (m->scopes & RG_SCOPES_RETURN) != 0) ||
                     (m->kind == 49 && (m->flags & RG_SAYS_CONSENT) != 0);
        withdrawn = withdrawn || takes_return_back(m, e->before);
        if (withdrawn && (gives || refers_anew) && knows_all_withdrawals(view, i)) {
            withdrawn = false;
        }
        if (withdrawn && e->after == RG_PROCESS_HANDED_OVER &&
            e->before != RG_PROCESS_HANDED_OVER && m->kind == 45) {
            fail(WITHDRAWN, "handed over after a withdrawal, without a consent that knows of it");
        }
        for (size_t w = 0; m->kind == 45 && m->code == RG_RECORD_PRESENT && w < view->entries;
             w++) {
            const struct rg_process_message *other = &view->message[view->entry[w].index];
            if (view->entry[w].reason == RG_VOID_NOT && other->kind == 21 &&
                (other->scopes & RG_SCOPE_BIT(RG_SCOPE_RETURN)) != 0 && w > i &&
                e->after == RG_PROCESS_HANDED_OVER && !sees(view, other, m)) {
                fail(WITHDRAWN, "a withdrawal that crossed the handover came after it");
            }
        }
    }
    return withdrawn;
}

static bool same_process(const struct rg_process *a, const struct rg_process *b)
{
    static struct rg_buffer left, right;
    if (memcmp(a, b, sizeof(*a)) == 0) {
        return true;
    }
    encode(a, &left);
    encode(b, &right);
    return rg_bytes_equal(rg_buffer_peek(&left), rg_buffer_peek(&right));
}

static bool same_entries(const struct view *a, const struct view *b)
{
    for (size_t i = 0; i < a->entries; i++) {
        const struct rg_process_entry *left = &a->entry[i], *right = &b->entry[i];
        if (memcmp(left->id.b, right->id.b, 32) != 0 || left->reason != right->reason ||
            left->before != right->before || left->after != right->after) {
            return false;
        }
    }
    return a->entries == b->entries;
}

static void check_same(const struct rg_process *base, const struct view *host,
                       const struct view *origin)
{
    if (!same_process(&host->process, &origin->process)) {
        fail(SAME, "the queues are empty and the two sides differ");
    }
    if (!same_entries(host, origin)) {
        fail(SAME, "what is void differs");
    }
    struct view doubled = *host;
    for (size_t i = 0; i < host->count; i++) { /* everything twice, backwards */
        doubled.message[host->count + i] = host->message[host->count - 1 - i];
    }
    doubled.count = 2 * host->count;
    fold(base, &doubled);
    if (!same_process(&host->process, &doubled.process)) {
        fail(SAME, "doubled messages count twice");
    }
}

static void check_clock(const struct rg_process *base, const struct view *view)
{
    struct view later = *view;
    int64_t was = broken.now.ms;
    broken.now.ms = START_MS + 1000 * DAY_MS;
    fold(base, &later);
    broken.now.ms = was;
    if (!same_process(&later.process, &view->process)) {
        fail(CLOCK, "time alone changed a state");
    }
}

/* ---- moving ---- */

static void root_add(struct space *space, const struct node *node)
{
    struct key key = key_of((const uint8_t *)node, sizeof(*node), 3);
    size_t at = set_find(space, key);
    if (space->set[at].a != 0) {
        return;
    }
    if (space->root_count >= space->root_max) {
        space->cut = true;
        return;
    }
    space->set[at] = key;
    space->set_used++;
    if (space->root_count == space->root_size) {
        space->root_size = space->root_size == 0 ? 1024 : space->root_size * 2;
        space->root = grow(space->root, space->root_size, sizeof(*space->root));
    }
    space->root[space->root_count++] = *node;
}

/* True when it was not there yet. */
static bool key_add(struct key *set, size_t size, struct key key)
{
    size_t at = key.b % size;
    while (set[at].a != 0) {
        if (set[at].a == key.a && set[at].b == key.b) {
            return false;
        }
        at = (at + 1) % size;
    }
    set[at] = key;
    return true;
}

static void enqueue(struct space *space, const struct node *node)
{
    if (space->tail == BURST_MAX) {
        space->cut = true;
        return;
    }
    if (key_add(space->local, LOCAL_SIZE, key_of((const uint8_t *)node, sizeof(*node), 5))) {
        space->queue[space->tail++] = *node;
        space->nodes++;
    }
}

/* Everything has come: one base again. */
static void settle(struct space *space, const struct rg_process *base, struct node *node)
{
    struct view host, origin;
    view_of(space, base, node, RG_PARTY_HOST, &host);
    view_of(space, base, node, RG_PARTY_ORIGIN, &origin);
    check_same(base, &host, &origin);
    check_clock(base, &host);
    check_gate(base, &host);
    bool withdrawn = check_withdrawn(&host, node->withdrawn != 0);
    space->quiet++;
    struct rg_process next = host.process;
    normalise(&next);
    uint8_t day = node->day;
    memset(node, 0, sizeof(*node));
    node->base = base_find(space, &next);
    node->day = day;
    node->withdrawn = withdrawn;
}

static void arrive(struct space *space, const struct rg_process *base, struct node *node)
{
    space->transitions++;
    if (is_quiet(node)) {
        settle(space, base, node);
        root_add(space, node);
        return;
    }
    enqueue(space, node);
}

static void deliver_all(struct space *space, const struct rg_process *base, const struct node *node)
{
    for (unsigned place = 0; place < node->count; place++) {
        unsigned to = rg_party_other((enum rg_party)node->sent[place].party);
        if (has_got(node, to, place)) {
            continue;
        }
        struct node next = *node;
        next.got[to][next.got_count[to]++] = (uint8_t)place;
        arrive(space, base, &next);
    }
}

/* Refused for good: gone on both sides, and its sender knows. */
static void lose(struct node *node, unsigned place)
{
    unsigned party = node->sent[place].party;
    bool marked = false;
    for (unsigned i = place + 1; i < node->count; i++) {
        if (node->sent[i].party == party && !marked) {
            node->sent[i].gap = 1;
            marked = true;
        }
    }
    memmove(&node->sent[place], &node->sent[place + 1],
            (node->count - place - 1u) * sizeof(node->sent[0]));
    node->count--;
    memset(&node->sent[node->count], 0, sizeof(node->sent[0]));
    for (unsigned i = 0; i < node->count; i++) {
        struct sent *sent = &node->sent[i];
        if (sent->refers == REFERS_SENT && sent->ask >= place) {
            bool gone = sent->ask == place;
            sent->refers = gone ? REFERS_GONE : REFERS_SENT;
            sent->ask = (uint8_t)(gone ? 0 : sent->ask - 1);
        }
    }
    for (unsigned side = RG_PARTY_HOST; side <= RG_PARTY_ORIGIN; side++) {
        unsigned kept = 0;
        for (unsigned i = 0; i < node->got_count[side]; i++) {
            uint8_t got = node->got[side][i];
            if (got != place) {
                node->got[side][kept++] = (uint8_t)(got > place ? got - 1 : got);
            }
        }
        memset(&node->got[side][kept], 0, WINDOW_MAX - kept);
        node->got_count[side] = (uint8_t)kept;
    }
}

static void lose_all(struct space *space, const struct rg_process *base, const struct node *node)
{
    for (unsigned place = 0; place < node->count; place++) {
        unsigned to = rg_party_other((enum rg_party)node->sent[place].party);
        if (!has_got(node, to, place)) {
            struct node next = *node;
            lose(&next, place);
            arrive(space, base, &next);
        }
    }
}

/* Of the other side's, how many it has from the first on without a hole. */
static uint8_t seen_by(const struct node *node, unsigned party)
{
    uint8_t seen = 0;
    for (unsigned i = 0; i < node->count; i++) {
        if (node->sent[i].party == party) {
            continue;
        }
        if (!has_got(node, party, i)) {
            break;
        }
        seen++;
    }
    return seen;
}

/* What a decision answers, as this side sees it. */
static const struct rg_asked *answered(const struct rg_process *p, uint32_t kind, unsigned party,
                                       unsigned *ask, unsigned *asker)
{
    *asker = rg_party_other((enum rg_party)party);
    switch (kind) {
    case 12:
    case 13:
        *ask = RG_ASK_REQUEST;
        break;
    case 41:
        *ask = RG_ASK_PROPOSAL;
        break;
    case 54:
        *ask = RG_ASK_CLOSURE;
        break;
    default:
        return NULL;
    }
    return &p->asked[*ask][*asker];
}

static void refer_to(struct sent *sent, const struct rg_process *p, const struct node *node,
                     uint32_t kind)
{
    unsigned ask = 0, asker = 0;
    const struct rg_asked *asked = answered(p, kind, sent->party, &ask, &asker);
    if (asked == NULL) {
        return;
    }
    struct rg_id settled = asked_id(ask, asker);
    sent->refers = REFERS_GONE;
    if (asked->open && memcmp(asked->id.b, settled.b, 32) == 0) {
        sent->refers = REFERS_ASKED;
        sent->ask = (uint8_t)ask;
        sent->asker = (uint8_t)asker;
    }
    for (unsigned i = 0; i < node->count && asked->open; i++) {
        struct rg_id id = sent_id(i);
        if (memcmp(asked->id.b, id.b, 32) == 0) {
            sent->refers = REFERS_SENT;
            sent->ask = (uint8_t)i;
            sent->asker = 0;
        }
    }
}

/* Counters must not grow for ever. */
static bool is_enough(const struct rg_process *p, const struct rg_process_message *m)
{
    bool alerts = m->kind == 47 && p->alerts >= ALERTS_MAX;
    bool missing = (m->kind == 46 || m->kind == 45) && p->alerts >= ALERTS_MAX;
    return alerts || missing || (m->kind == 52 && p->concerns >= 1 && m->code == RG_SAFETY_OPEN);
}

static void send_one(struct space *space, const struct node *node, const struct view *view,
                     unsigned symbol, bool alone)
{
    const struct rg_process_message *form = &space->symbols.form[node->day][symbol];
    struct node next = *node;
    struct sent *sent = &next.sent[next.count];
    *sent = (struct sent){.symbol = (uint8_t)symbol,
                          .day = node->day,
                          .party = (uint8_t)form->from,
                          .seen = seen_by(node, form->from)};
    refer_to(sent, &view->process, node, form->kind);
    next.count++;
    struct rg_process_message m = message_of(space, &next, node->count);
    bool allowed = rg_is_ok(rg_process_may(&view->process, &m, NULL, NULL));
    if (is_enough(&view->process, &m) || (!allowed && (!space->world->hostile || alone))) {
        return;
    }
    bool travels = m.kind == 40 || m.kind == 44 || (m.kind == 45 && m.code == RG_RECORD_PRESENT);
    if (allowed && travels && m.from == RG_PARTY_HOST && view->process.care == RG_PARTY_HOST &&
        check_withdrawn(view, node->withdrawn != 0)) {
        fail(WITHDRAWN, "a side that knows of a withdrawal may still move her");
    }
    next.got[form->from][next.got_count[form->from]++] = node->count;
    arrive(space, &(struct rg_process){0}, &next);
}

static void send_all(struct space *space, const struct rg_process *base, const struct node *node)
{
    for (unsigned party = RG_PARTY_HOST; party <= RG_PARTY_ORIGIN; party++) {
        struct view view;
        view_of(space, base, node, party, &view);
        check_gate(base, &view);
        for (unsigned symbol = 0; symbol < space->symbols.count; symbol++) {
            if (space->symbols.form[0][symbol].from == party) {
                send_one(space, node, &view, symbol, false);
            }
        }
    }
}

static void expand(struct space *space, const struct rg_process *base, const struct node *node)
{
    deliver_all(space, base, node);
    if (space->world->lossy) {
        lose_all(space, base, node);
    }
    if (node->count < space->window) {
        send_all(space, base, node);
    }
}

/* All that can happen from one root until the queues are empty again. */
static void burst(struct space *space, const struct node *root, unsigned window)
{
    struct rg_process base = base_at(space, root->base);
    memset(space->local, 0, sizeof(space->local));
    space->head = space->tail = 0;
    space->window = window;
    space->bursts++;
    enqueue(space, root);
    uint64_t depth = 0;
    for (size_t layer = 0; space->head < space->tail;) {
        if (space->head == layer) {
            layer = space->tail;
            depth++;
        }
        struct node node = space->queue[space->head++];
        expand(space, &base, &node);
    }
    space->depth = depth > space->depth ? depth : space->depth;
    if (space->world->late && root->day == 0) {
        struct node next = *root;
        next.day = 1;
        root_add(space, &next);
    }
}

/* ---- after a world: can everything end, is what is void without effect ---- */

static struct symbols all;

static void check_void(const struct rg_process *base, const struct view *view)
{
    struct rg_process after = view->process, before = *base;
    if (view->entry[0].reason == RG_VOID_NOT) {
        return;
    }
    after.departed_against_stop = before.departed_against_stop;
    after.handed_over_against_stop = before.handed_over_against_stop;
    after.messages = after.voids = before.messages = before.voids = 0;
    if (!same_process(&before, &after)) {
        fail(VOIDS, "a void message changed something");
    }
}

/* One word said from a base, alone; false when it is not lawful there. */
static bool say(const struct rg_process *base, const struct rg_process_message *form,
                struct view *view)
{
    struct sent sent = {.party = (uint8_t)form->from};
    struct node none = {0};
    view->count = 1;
    view->message[0] = *form;
    refer_to(&sent, base, &none, form->kind);
    refer(&view->message[0], &sent);
    fold(base, view);
    return rg_is_ok(rg_process_may(base, &view->message[0], NULL, NULL));
}

/* Every word there is: what is void changes nothing, and the library would not have sent it. */
static void tour(struct space *space, uint32_t base_number)
{
    struct rg_process base = base_at(space, base_number);
    for (unsigned symbol = 0; symbol < all.count; symbol++) {
        struct view view;
        bool lawful = say(&base, &all.form[0][symbol], &view);
        check_void(&base, &view);
        if (lawful && view.entry[0].reason != RG_VOID_NOT) {
            fail(VOIDS, "a library sends what is void");
        }
    }
}

/* Words with which any case can be brought to its end. */
static const char ending[] =
    "H83 O83 H82 O54:AGREE H54:AGREE H16 O16 O13 H13 O71:DECLINED H53 O53 H45:REFUSED_AT_GATE "
    "O45:REFUSED_AT_GATE H48:FOUND_SAFE O48:LEFT_BY_CHOICE H48:LEFT_BY_CHOICE O46:true H46:true "
    "O50 "
    "H42:CANCEL H44 H45:PRESENT H21 H45:ABSENT O45:ABSENT";

#define SEARCH_MAX 4000

struct search { /* one search for an end, depth first, the likeliest word first */
    struct rg_process at[SEARCH_MAX];
    struct key seen[SEARCH_MAX * 4];
    uint32_t count;
};

static struct key key_of_process(const struct rg_process *p)
{
    static struct rg_buffer bytes;
    encode(p, &bytes);
    return key_of(bytes.data, bytes.len, 7);
}

static bool key_has(const struct key *set, size_t size, struct key key)
{
    for (size_t at = key.b % size; set[at].a != 0; at = (at + 1) % size) {
        if (set[at].a == key.a && set[at].b == key.b) {
            return true;
        }
    }
    return false;
}

#define ENDS_SIZE (1u << 22)
static struct key *ends; /* what is known to end */
static size_t ends_count;

static void ends_add(struct key key)
{
    if (ends_count < ENDS_SIZE / 2 && key_add(ends, ENDS_SIZE, key)) {
        ends_count++;
    }
}

/* One more step from the top of the path; false when there is none that is new. */
static bool step_on(struct search *search, uint32_t *depth, uint32_t *visited)
{
    const struct rg_process *base = &search->at[*depth];
    for (unsigned symbol = 0; symbol < all.count; symbol++) {
        struct view view;
        if (!say(base, &all.form[0][symbol], &view) || view.entry[0].reason != RG_VOID_NOT) {
            continue;
        }
        normalise(&view.process);
        struct key key = key_of_process(&view.process);
        if (!key_add(search->seen, SEARCH_MAX * 4, key)) {
            continue;
        }
        search->at[++*depth] = view.process;
        ++*visited;
        return true;
    }
    return false;
}

static bool can_end(struct search *search, const struct rg_process *from)
{
    uint32_t depth = 0, visited = 1;
    memset(search->seen, 0, sizeof(search->seen));
    search->at[0] = *from;
    (void)key_add(search->seen, SEARCH_MAX * 4, key_of_process(from));
    while (visited < SEARCH_MAX - 1) {
        struct key key = key_of_process(&search->at[depth]);
        if (search->at[depth].state == RG_PROCESS_ERASED || key_has(ends, ENDS_SIZE, key)) {
            for (uint32_t i = 0; i <= depth; i++) {
                ends_add(key_of_process(&search->at[i]));
            }
            return true;
        }
        if (!step_on(search, &depth, &visited)) {
            if (depth == 0) {
                return false;
            }
            depth--;
        }
    }
    return false;
}

static void check_end(struct space *space)
{
    static struct search search;
    ends = calloc(ENDS_SIZE, sizeof(*ends));
    ends_count = 0;
    for (uint32_t i = 0; ends != NULL && i < space->base_count; i++) {
        struct rg_process p = base_at(space, i);
        if (p.state != RG_PROCESS_NONE && !can_end(&search, &p)) {
            char text[96];
            (void)snprintf(text, sizeof(text), "%s cannot end (%s)", rg_process_state_name(p.state),
                           space->world->name);
            fail(END, text);
        }
    }
    free(ends);
}

/* ---- running ---- */

static void space_drop(struct space *space)
{
    for (uint32_t i = 0; i < space->base_count; i++) {
        free(space->base[i].bytes);
    }
    free(space->base);
    free(space->set);
    free(space->set_value);
    free(space->root);
}

static void start(struct space *space)
{
    static struct talk talk;
    words_start(&talk);
    words_say(&talk, space->world->start);
    struct rg_process p = words_fold(&talk);
    normalise(&p);
    struct node node = {.base = base_find(space, &p)};
    root_add(space, &node);
}

/* Bursts of a window from `count` roots, spread evenly. */
static void spread(struct space *space, unsigned window, size_t count)
{
    size_t roots = space->root_count, step = roots / count + 1;
    for (size_t i = window % step; i < roots; i += step) {
        struct node root = space->root[i];
        burst(space, &root, window);
    }
}

/* One message at a time, from every root that is new. */
static size_t alone(struct space *space, size_t from)
{
    for (; from < space->root_count; from++) {
        struct node root = space->root[from];
        burst(space, &root, 1);
    }
    return from;
}

static void run(struct space *space, size_t effort)
{
    static const size_t count[] = {[2] = 40, [3] = 4, [4] = 1};
    size_t done = alone(space, 0);
    for (unsigned window = 2; window <= (effort >= 20 ? 4 : 3); window++) {
        spread(space, window, count[window] * (window == 4 ? effort / 20 : effort));
        space->root_max += ROOTS_MORE * effort;
        done = alone(space, done);
    }
}

struct totals {
    uint64_t nodes, transitions, quiet, bases, roots, bursts;
    bool cut;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void explore(const struct world *world, size_t effort, struct totals *totals)
{
    static struct space space;
    double began_s = now_s();
    memset(&space, 0, sizeof(space));
    space.world = world;
    space.root_max = ROOTS_MAX * effort;
    learn(&space.symbols, world->symbols);
    start(&space);
    run(&space, effort);
    learn(&all, everything);
    for (size_t i = 0; i < space.base_count; i += space.base_count / (200 * effort) + 1) {
        tour(&space, (uint32_t)i);
    }
    learn(&all, ending);
    check_end(&space);
    totals->nodes += space.nodes;
    totals->transitions += space.transitions;
    totals->quiet += space.quiet;
    totals->bases += space.base_count;
    totals->roots += space.root_count;
    totals->bursts += space.bursts;
    totals->cut = totals->cut || space.cut;
    if (!quiet) {
        (void)printf("%-14s states %6u  roots %6zu  bursts %6llu  nodes %8llu  transitions %9llu  "
                     "longest burst %2llu  %5.1f s%s\n",
                     world->name, space.base_count, space.root_count,
                     (unsigned long long)space.bursts, (unsigned long long)space.nodes,
                     (unsigned long long)space.transitions, (unsigned long long)space.depth,
                     now_s() - began_s, space.cut ? "  (a part)" : "");
        (void)fflush(stdout);
    }
    space_drop(&space);
}

static void check_rows(void)
{
    size_t count;
    const struct rg_process_row *rows = rg_process_rows(&count);
    size_t met = 0;
    for (size_t i = 0; i < count; i++) {
        met += rows_met[i] > 0 ? 1 : 0;
        if (rows_met[i] == 0) {
            char text[64];
            (void)snprintf(text, sizeof(text), "row %s was never met", rows[i].id);
            fail(ROWS, text);
            if (!quiet) {
                (void)printf("  %s\n", text);
            }
        }
    }
    if (!quiet) {
        (void)printf("rows met: %zu of %zu\n", met, count);
    }
}

static uint32_t row_number(const char *id)
{
    size_t count;
    const struct rg_process_row *rows = rg_process_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(rows[i].id, id) == 0) {
            return i + 1;
        }
    }
    exit(2);
}

/* A broken machine, the world that shows it, and the check that must see it. */
static const struct control {
    const char *name, *world;
    enum check check;
    struct rg_process_break broken;
    const char *without_row;
} controls[] = {
    {"by-arrival", "handover", SAME, {.by_arrival = true}, NULL},
    {"no-gate", "hostile-way", GATE, {.no_gate = true}, NULL},
    {"no-stop", "handover", WITHDRAWN, {.no_stop = true}, NULL},
    {"stale-consent", "consent", WITHDRAWN, {.stale_consent = true}, NULL},
    {"no-end", "referral", END, {0}, "erased"},
    {"no-closing", "home", END, {0}, "close-agree"},
    {"clock", "handover", CLOCK, {.clock = true}, NULL},
    {"row-missing", "referral", ROWS, {0}, "decline"},
};

static void explore_one(const char *name)
{
    struct totals totals = {0};
    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        if (strcmp(worlds[i].name, name) == 0) {
            explore(&worlds[i], 1, &totals);
        }
    }
}

/* Is the fault seen, and was there none to be seen before. */
static bool is_seen(const struct control *control)
{
    uint32_t row = control->without_row == NULL ? 0 : row_number(control->without_row);
    bool seen[2];
    for (unsigned pass = 0; pass < 2; pass++) {
        static const struct rg_process_break whole;
        memset(failures, 0, sizeof(failures));
        memset(rows_met, 0, sizeof(rows_met));
        broken = pass == 0 ? whole : control->broken;
        broken.without_row = pass == 0 ? 0 : row;
        explore_one(control->world);
        seen[pass] = control->check == ROWS ? rows_met[row - 1] == 0 : failures[control->check] > 0;
    }
    return !seen[0] && seen[1];
}

static int run_controls(void)
{
    int blind = 0;
    quiet = true;
    for (size_t c = 0; c < sizeof(controls) / sizeof(controls[0]); c++) {
        bool seen = is_seen(&controls[c]);
        (void)printf("control %-14s %s: %s\n", controls[c].name, check_name[controls[c].check],
                     seen ? "seen" : "NOT SEEN");
        blind += seen ? 0 : 1;
    }
    return blind;
}

static void report(const struct totals *totals, double seconds)
{
    uint64_t failed = 0;
    for (unsigned i = 0; i < CHECKS; i++) {
        failed += failures[i];
    }
    (void)printf("different states %llu, roots %llu, bursts %llu, nodes %llu, transitions %llu, "
                 "folds compared with empty queues %llu, failures %llu, %.1f s%s\n",
                 (unsigned long long)totals->bases, (unsigned long long)totals->roots,
                 (unsigned long long)totals->bursts, (unsigned long long)totals->nodes,
                 (unsigned long long)totals->transitions, (unsigned long long)totals->quiet,
                 (unsigned long long)failed, seconds,
                 totals->cut ? ", not all roots: see --effort" : "");
}

int main(int argc, char **argv)
{
    size_t effort = 1;
    const char *only = NULL;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--control") == 0) {
            return run_controls() == 0 ? 0 : 1;
        }
        if (strcmp(argv[i], "--effort") == 0 && more) {
            effort = strtoull(argv[++i], NULL, 10);
            effort = effort == 0 ? 1 : effort;
            continue;
        }
        if (strcmp(argv[i], "--world") == 0 && more) {
            only = argv[++i];
            continue;
        }
        (void)fprintf(stderr, "usage: explore [--effort N] [--world NAME] [--control]\n");
        return 2;
    }
    double began_s = now_s();
    struct totals totals = {0};
    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        if (only == NULL || strcmp(only, worlds[i].name) == 0) {
            explore(&worlds[i], effort, &totals);
        }
    }
    if (only == NULL) {
        check_rows();
    }
    report(&totals, now_s() - began_s);
    for (unsigned i = 0; i < CHECKS; i++) {
        if (failures[i] > 0) {
            return 1;
        }
    }
    return 0;
}
