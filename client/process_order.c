/*
 * How it works: nodes are the messages without doubles, sorted by id, so that the order of arrival
 * is forgotten in the first step. `seen` is the transitive closure of previous, seen and answers,
 * one row of bits per node. Where a message names a predecessor of its own office that is not here
 * (it never arrived, and is left out on both sides), it follows all that this office made earlier:
 * otherwise a lost message would tear an office's own words apart. Then nodes are taken one by one:
 * of those whose predecessors are all out, the strongest. Invariants: the result depends on the set
 * alone; a node that has seen all others changes nothing between them, since what both of two have
 * after them is left out when they are compared.
 *
 * A circle of references cannot be made with honest ids (an id is a hash over its references); if
 * one is given, it is cut where it comes back to the smallest id in it.
 */
#include "client/process_inside.h"

#include <stdlib.h>
#include <string.h>

struct graph {
    const struct rg_process_message *message;
    size_t count, words;
    const uint32_t *index; /* node -> index */
    uint64_t *seen;        /* rows: what a node has seen */
    uint64_t *after;       /* rows: a node and what has seen it */
    uint64_t *rank;        /* rows by rank: who has it */
    uint32_t *open;        /* per node: predecessors that are not out yet */
    uint32_t *path;        /* inside `closure` */
    bool *out;
    bool *last; /* nothing has seen it */
};

/* What moves her goes after everything it has not seen. */
#define RANK_MOVES (RG_RANK_REST + 1u)
#define RANKS ((size_t)RANK_MOVES + 1)

static const struct rg_process_message *at(const struct graph *g, size_t node)
{
    return &g->message[g->index[node]];
}

static bool bit(const uint64_t *row, size_t node)
{
    return (row[node / 64] >> (node % 64) & 1u) != 0;
}

static void bit_set(uint64_t *row, size_t node)
{
    row[node / 64] |= UINT64_C(1) << (node % 64);
}

static void merge(uint64_t *into, const uint64_t *from, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        into[i] |= from[i];
    }
}

struct named {
    const struct rg_process_message *message;
};

static int by_id(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    return memcmp(left->message->id.b, right->message->id.b, sizeof(left->message->id.b));
}

/* The node with that id, or count. */
static size_t find(const struct graph *g, const struct rg_id *id)
{
    size_t low = 0, high = g->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(at(g, middle)->id.b, id->b, sizeof(id->b));
        if (order == 0) {
            return middle;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return g->count;
}

enum rg_rank rg_process_rank(const struct rg_process_message *message)
{
    switch (message->kind) {
    case 31:
        return message->code == RG_NATIONALITY_NOT_CONFIRMED ||
                       message->code == RG_NATIONALITY_STATELESS
                   ? RG_RANK_STOP
                   : RG_RANK_REST;
    case 35:
        return message->code == RG_RISK_NOT_SAFE ? RG_RANK_STOP : RG_RANK_REST;
    case 36:
        return message->code == RG_INTEREST_OTHER ? RG_RANK_STOP : RG_RANK_REST;
    case 45:
        return message->code == RG_RECORD_REFUSED_AT_GATE ? RG_RANK_STOP : RG_RANK_REST;
    default:
        break;
    }
    const struct rg_kind_row *row = rg_kind_row(message->kind);
    return row == NULL || row->rank == 0 ? RG_RANK_REST : row->rank;
}

static unsigned rank_of(const struct rg_process_message *m)
{
    bool moves = m->kind == 44 || (m->kind == 45 && m->code == RG_RECORD_PRESENT);
    return moves ? RANK_MOVES : rg_process_rank(m);
}

/* The references of one node, as nodes. */
static size_t references(const struct graph *g, size_t node, size_t to[3])
{
    const struct rg_process_message *m = at(g, node);
    size_t count = 0;
    const struct {
        bool has;
        const struct rg_id *id;
    } named[] = {
        {m->has_previous, &m->previous}, {m->has_seen, &m->seen}, {m->has_answers, &m->answers}};
    for (size_t i = 0; i < 3; i++) {
        size_t other = named[i].has ? find(g, named[i].id) : g->count;
        if (other < g->count && other != node) {
            to[count++] = other;
        }
    }
    return count;
}

/* A reference that has not been entered yet, or count. */
static size_t next_of(const struct graph *g, size_t node)
{
    size_t to[3];
    size_t count = references(g, node, to);
    for (size_t i = 0; i < count; i++) {
        if (g->open[to[i]] == 0) {
            return to[i];
        }
    }
    return g->count;
}

static void close_over(struct graph *g, size_t node)
{
    size_t to[3];
    size_t count = references(g, node, to);
    uint64_t *row = g->seen + node * g->words;
    for (size_t i = 0; i < count; i++) {
        if (g->out[to[i]]) { /* not so only in a circle */
            merge(row, g->seen + to[i] * g->words, g->words);
            bit_set(row, to[i]);
        }
    }
    g->out[node] = true;
}

/* `seen`, from each node down along its references; `open` marks what was entered. */
static void closure(struct graph *g)
{
    for (size_t from = 0; from < g->count; from++) {
        size_t depth = 0;
        if (g->open[from] == 0) {
            g->open[from] = 1;
            g->path[depth++] = (uint32_t)from;
        }
        while (depth > 0) {
            size_t node = g->path[depth - 1], next = next_of(g, node);
            if (next == g->count) {
                close_over(g, node);
                depth--;
                continue;
            }
            g->open[next] = 1;
            g->path[depth++] = (uint32_t)next;
        }
    }
    memset(g->out, 0, g->count * sizeof(*g->out));
    memset(g->open, 0, g->count * sizeof(*g->open));
}

static bool made_before(const struct graph *g, size_t a, size_t b)
{
    int64_t left = at(g, a)->made.ms, right = at(g, b)->made.ms;
    return left < right || (left == right && a < b);
}

/* A gap in an office's own chain. */
static void bridge(struct graph *g, size_t node)
{
    uint64_t *row = g->seen + node * g->words;
    for (size_t other = 0; other < g->count; other++) {
        const uint64_t *theirs = g->seen + other * g->words;
        if (other != node && at(g, other)->from == at(g, node)->from &&
            made_before(g, other, node) && !bit(theirs, node)) {
            merge(row, theirs, g->words);
            bit_set(row, other);
        }
    }
    for (size_t other = 0; other < g->count; other++) {
        if (bit(g->seen + other * g->words, node)) {
            merge(g->seen + other * g->words, row, g->words);
        }
    }
}

static void bridges(struct graph *g)
{
    for (size_t node = 0; node < g->count; node++) {
        const struct rg_process_message *m = at(g, node);
        if (m->has_previous && find(g, &m->previous) == g->count) {
            bridge(g, node);
        }
    }
}

static void turn_round(struct graph *g)
{
    for (size_t node = 0; node < g->count; node++) {
        g->last[node] = true;
    }
    for (size_t node = 0; node < g->count; node++) {
        bit_set(g->after + node * g->words, node);
        for (size_t other = 0; other < g->count; other++) {
            if (bit(g->seen + node * g->words, other)) {
                bit_set(g->after + other * g->words, node);
                g->last[other] = false;
                g->open[node]++;
            }
        }
        bit_set(g->rank + rank_of(at(g, node)) * g->words, node);
    }
}

/* The strongest of what stands at or after `node` and not after `other`. */
static unsigned strength(const struct graph *g, size_t node, size_t other)
{
    const uint64_t *mine = g->after + node * g->words, *theirs = g->after + other * g->words;
    if (g->last[node]) {
        return rank_of(at(g, node));
    }
    for (unsigned rank = RG_RANK_WITHDRAWAL; rank <= RG_RANK_REST; rank++) {
        const uint64_t *of = g->rank + rank * g->words;
        for (size_t i = 0; i < g->words; i++) {
            if ((mine[i] & ~theirs[i] & of[i]) != 0) {
                return rank;
            }
        }
    }
    return RANK_MOVES;
}

static bool goes_before(const struct graph *g, size_t a, size_t b)
{
    unsigned left = strength(g, a, b), right = strength(g, b, a);
    if (left != right) {
        return left < right;
    }
    const struct rg_process_message *one = at(g, a), *two = at(g, b);
    unsigned mine = rank_of(one), theirs = rank_of(two);
    if (mine != theirs) {
        return mine < theirs;
    }
    if (one->from != two->from) {
        return one->from == RG_PARTY_HOST;
    }
    return made_before(g, a, b);
}

static size_t strongest(const struct graph *g)
{
    size_t best = g->count;
    for (size_t node = 0; node < g->count; node++) {
        if (!g->out[node] && g->open[node] == 0 &&
            (best == g->count || goes_before(g, node, best))) {
            best = node;
        }
    }
    return best;
}

static void take(struct graph *g, size_t node, uint32_t *place)
{
    *place = g->index[node];
    g->out[node] = true;
    for (size_t other = 0; other < g->count; other++) {
        if (other != node && bit(g->after + node * g->words, other)) {
            g->open[other]--;
        }
    }
}

/* Nodes in `index` (by id), without doubles and fresh ones. */
static size_t sort(const struct rg_process_message *message, size_t count, struct named *scratch,
                   uint32_t *index)
{
    size_t kept = 0, nodes = 0;
    for (size_t i = 0; i < count; i++) {
        if (!message[i].fresh) {
            scratch[kept++].message = &message[i];
        }
    }
    qsort(scratch, kept, sizeof(scratch[0]), by_id);
    for (size_t i = 0; i < kept; i++) {
        if (i == 0 || by_id(&scratch[i - 1], &scratch[i]) != 0) {
            index[nodes++] = (uint32_t)(scratch[i].message - message);
        }
    }
    return nodes;
}

struct room {
    struct named *scratch;
    uint32_t *index, *open;
    bool *out;
    uint64_t *bits;
};

static void room_drop(struct room *room)
{
    free(room->scratch);
    free(room->index);
    free(room->open);
    free(room->out);
    free(room->bits);
}

static bool room_init(struct room *room, size_t count, size_t words)
{
    room->scratch = calloc(count, sizeof(room->scratch[0]));
    room->index = calloc(count, sizeof(uint32_t));
    room->open = calloc(count, sizeof(uint32_t));
    room->out = calloc(2 * count, sizeof(bool));
    room->bits = calloc((count + RANKS) * words, sizeof(uint64_t));
    return room->scratch != NULL && room->index != NULL && room->open != NULL &&
           room->out != NULL && room->bits != NULL;
}

static bool order_init(struct rg_order *order, size_t count, size_t words)
{
    order->words = words;
    order->at = calloc(count, sizeof(uint32_t));
    order->node = calloc(count, sizeof(uint32_t));
    order->seen = calloc(count * words, sizeof(uint64_t));
    return order->at != NULL && order->node != NULL && order->seen != NULL;
}

/* The wrong order, for controls: as they came. */
static void as_they_came(struct rg_order *order, size_t count)
{
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        if (order->node[i] != UINT32_MAX) {
            order->at[place++] = (uint32_t)i;
        }
    }
}

static void canonical(struct graph *g, struct rg_order *order)
{
    for (size_t place = 0; place < g->count; place++) {
        take(g, strongest(g), &order->at[place]);
    }
}

static void find_order(const struct rg_process_message *message, size_t count, bool by_arrival,
                       struct room *room, struct rg_order *order)
{
    size_t rows = count == 0 ? 1 : count;
    order->count = sort(message, count, room->scratch, room->index);
    memset(order->node, 0xff, rows * sizeof(uint32_t));
    for (size_t node = 0; node < order->count; node++) {
        order->node[room->index[node]] = (uint32_t)node;
    }
    struct graph g = {.message = message,
                      .count = order->count,
                      .words = order->words,
                      .index = room->index,
                      .seen = order->seen,
                      .after = room->bits,
                      .rank = room->bits + rows * order->words,
                      .open = room->open,
                      .path = order->at,
                      .out = room->out,
                      .last = room->out + rows};
    closure(&g);
    bridges(&g);
    turn_round(&g);
    if (by_arrival) {
        as_they_came(order, count);
        return;
    }
    canonical(&g, order);
}

rg_outcome rg_order_find(const struct rg_process_message *message, size_t count, bool by_arrival,
                         struct rg_order *out, struct rg_reason *why)
{
    RG_CHECK(count <= RG_PROCESS_MESSAGES_MAX, why, RG_LIMIT, "process-messages",
             "more than %d messages in one case", RG_PROCESS_MESSAGES_MAX);
    struct rg_order order = {0};
    struct room room = {0};
    size_t rows = count == 0 ? 1 : count, words = (rows + 63) / 64;
    bool ready = order_init(&order, rows, words) && room_init(&room, rows, words);
    if (ready) {
        find_order(message, count, by_arrival, &room, &order);
    }
    room_drop(&room);
    if (!ready) {
        rg_order_drop(&order);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for the order of a case");
    }
    *out = order;
    return rg_ok();
}

bool rg_order_sees(const struct rg_order *order, uint32_t later, uint32_t earlier)
{
    uint32_t a = order->node[later], b = order->node[earlier];
    return a != UINT32_MAX && b != UINT32_MAX && bit(order->seen + a * order->words, b);
}

void rg_order_drop(struct rg_order *order)
{
    free(order->at);
    free(order->node);
    free(order->seen);
    *order = (struct rg_order){0};
}

/* ---- what the next message names ---- */

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct chain { /* one side's messages */
    const struct rg_process_message *message;
    size_t count;
    enum rg_party from;
    bool fits[RG_PROCESS_MESSAGES_MAX]; /* may be named */
};

static bool is_link(const struct chain *chain, size_t i)
{
    return !chain->message[i].fresh && chain->message[i].from == chain->from;
}

static size_t link_of(const struct chain *chain, const struct rg_id *id)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (is_link(chain, i) && memcmp(chain->message[i].id.b, id->b, sizeof(id->b)) == 0) {
            return i;
        }
    }
    return chain->count;
}

static bool is_whole(const struct chain *chain, size_t i, struct rg_wall now)
{
    const struct rg_process_message *m = &chain->message[i];
    size_t before = m->has_previous ? link_of(chain, &m->previous) : chain->count;
    if (m->has_previous && before == chain->count) {
        return now.ms - m->made.ms >= RG_PROCESS_GAP_DAYS * DAY_MS;
    }
    return !m->has_previous || chain->fits[before];
}

/* Nothing is missing before those that fit. Messages mostly stand in order, so few rounds do. */
static void find_whole(struct chain *chain, struct rg_wall now)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < chain->count; i++) {
            if (!chain->fits[i] && is_link(chain, i) && is_whole(chain, i, now)) {
                chain->fits[i] = changed = true;
            }
        }
    }
}

static bool is_later(const struct rg_process_message *a, const struct rg_process_message *b)
{
    return a->made.ms > b->made.ms ||
           (a->made.ms == b->made.ms && memcmp(a->id.b, b->id.b, sizeof(a->id.b)) > 0);
}

/* The end of the chain: fits, and is not the predecessor of another one that does. */
static const struct rg_process_message *end_of(struct chain *chain)
{
    bool open[RG_PROCESS_MESSAGES_MAX];
    const struct rg_process_message *end = NULL;
    memcpy(open, chain->fits, sizeof(open));
    for (size_t i = 0; i < chain->count; i++) {
        const struct rg_process_message *m = &chain->message[i];
        size_t before =
            chain->fits[i] && m->has_previous ? link_of(chain, &m->previous) : chain->count;
        if (before < chain->count) {
            open[before] = false;
        }
    }
    for (size_t i = 0; i < chain->count; i++) {
        const struct rg_process_message *m = &chain->message[i];
        end = open[i] && (end == NULL || is_later(m, end)) ? m : end;
    }
    return end;
}

static const struct rg_process_message *head_of(const struct rg_process_message *message,
                                                size_t count, enum rg_party from,
                                                const struct rg_wall *whole_at)
{
    struct chain chain = {.message = message, .count = count, .from = from};
    for (size_t i = 0; i < count && whole_at == NULL; i++) {
        chain.fits[i] = is_link(&chain, i);
    }
    if (whole_at != NULL) {
        find_whole(&chain, *whole_at);
    }
    return end_of(&chain);
}

struct rg_process_heads rg_process_heads(const struct rg_process_message *message, size_t count,
                                         enum rg_party own, struct rg_wall now)
{
    size_t bounded = count > RG_PROCESS_MESSAGES_MAX ? RG_PROCESS_MESSAGES_MAX : count;
    const struct rg_process_message *previous = head_of(message, bounded, own, NULL);
    const struct rg_process_message *seen = head_of(message, bounded, rg_party_other(own), &now);
    struct rg_process_heads heads = {.has_previous = previous != NULL, .has_seen = seen != NULL};
    heads.previous = previous != NULL ? previous->id : heads.previous;
    heads.seen = seen != NULL ? seen->id : heads.seen;
    return heads;
}
