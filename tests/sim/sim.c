/*
 * NAME
 *   sim - many gateways on a simulated clock, network and disk, seeded, faults on
 *
 * SYNOPSIS
 *   sim                 random seeds for about 15 seconds
 *   sim SEED            exactly that run
 *   sim --control       disks that lie about what they wrote: some seed must notice, or this fails
 *
 * DESCRIPTION
 *   First faults: crashes between any two steps, torn commits, full and failing disks, lines that
 * are cut, held, dialled from both sides, notaries that are away, clocks that differ, messages that
 * expire, offices that send what is refused. Then faults end and all must converge. Then the
 * promises of DESIGN section 2 are checked that concern gateways:
 *
 *   1. what a client was told is accepted is in its gateway's log once and ends, at the sender's
 *      office, in a receipt, a signed refusal or a signed "closed"; received means in the
 * addressee's mailbox once and in its casebooks; closed means in none;
 *   2. every proof that reached a client verified, and every head extended the one before;
 *   3. no alarm was raised, nothing waits, and the gateways fall silent.
 */
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LETTERS_MAX 400
#define RUN_SECONDS 15
#define DAY_MS 86400000LL

struct letter {
    struct rg_id id;
    struct world_client *from;
    char to[RG_OFFICE_BYTES];
    char notice[RG_OFFICE_BYTES]; /* a focal point that is told too; "" none */
};

struct sim {
    struct world *world;
    uint64_t seed;
    struct letter letter[LETTERS_MAX];
    size_t letter_count;
    size_t problems;
};

static const char *const countries[] = {"kh", "cn", "la", "mm", "th", "vn"};

static bool chance(struct sim *sim, uint64_t percent)
{
    return world_random(sim->world, 100) < percent;
}

static void problem(struct sim *sim, const char *what, const struct letter *letter)
{
    if (sim->problems++ < 10) {
        (void)fprintf(stderr, "seed %" PRIu64 ": %s%s%s\n", sim->seed, what,
                      letter != NULL ? ", from " : "", letter != NULL ? letter->from->office : "");
    }
}

/* Faults */

static struct world_node *any_node(struct sim *sim)
{
    return &sim->world->node[world_random(sim->world, sim->world->node_count)];
}

static struct world_client *any_client(struct sim *sim)
{
    return &sim->world->client[world_random(sim->world, sim->world->client_count)];
}

static struct world_line *any_line(struct sim *sim)
{
    struct world *world = sim->world;
    if (world->line_count == 0) {
        return NULL;
    }
    size_t last = world->line_count < 32 ? world->line_count : 32;
    struct world_line *line =
        world->line[world->line_count - 1 - (size_t)world_random(world, last)];
    return line->open ? line : NULL;
}

static bool is_focal(const struct world_client *client)
{
    return strstr(client->office, "/focal") != NULL;
}

static void do_submit(struct sim *sim)
{
    static const enum rg_priority priorities[] = {RG_ROUTINE, RG_ROUTINE, RG_URGENT, RG_EMERGENCY};
    if (sim->letter_count == LETTERS_MAX) {
        return;
    }
    struct world_client *from = any_client(sim);
    struct letter *letter = &sim->letter[sim->letter_count++];
    const char *desk = chance(sim, 80) ? "focal" : chance(sim, 50) ? "rescue" : "ngo-a";
    (void)snprintf(letter->to, sizeof(letter->to), "%s/%s", any_node(sim)->country, desk);
    struct world_letter what = {.to = letter->to,
                                .priority = priorities[world_random(sim->world, 4)],
                                .bytes = 200 + (size_t)world_random(sim->world, 4000),
                                .exercise = chance(sim, 3)};
    if (chance(sim, 20)) {
        what.lifetime_ms = 60000 + (int64_t)world_random(sim->world, 3600000);
    }
    if (chance(sim, 10)) {
        what.bytes = 30000 + (size_t)world_random(sim->world, 30000);
    }
    if (chance(sim, 5) && sim->letter_count > 1) {
        what.decides = &sim->letter[world_random(sim->world, sim->letter_count - 1)].id;
    }
    if (strstr(from->office, "/rescue") != NULL && chance(sim, 80)) {
        (void)snprintf(letter->notice, sizeof(letter->notice), "%s/focal", from->node->country);
        what.notice = letter->notice;
        what.priority = RG_EMERGENCY;
    }
    letter->from = from;
    world_submit(sim->world, from, &what, &letter->id);
}

static void do_crash(struct sim *sim)
{
    any_node(sim)->die_at = (enum world_point)(1 + world_random(sim->world, WORLD_POINTS - 1));
}

static void do_start(struct sim *sim)
{
    struct world_node *node = any_node(sim);
    if (node->courier == NULL) {
        world_start(sim->world, node);
    }
}

static void do_dial(struct sim *sim)
{
    struct world_node *from = any_node(sim);
    struct world_node *to = any_node(sim);
    if (from != to) {
        (void)world_dial(sim->world, from, to);
    }
}

static void do_connect(struct sim *sim)
{
    struct world_client *client = any_client(sim);
    if (client->line == NULL) {
        (void)world_connect(sim->world, client);
    }
}

static void do_cut(struct sim *sim)
{
    world_cut(sim->world, any_line(sim));
}

static void do_hold(struct sim *sim)
{
    struct world_line *line = any_line(sim);
    if (line != NULL) {
        line->held = !line->held;
    }
}

static void do_disk(struct sim *sim)
{
    static const enum rg_code codes[] = {RG_AGAIN, RG_IO, RG_BROKEN};
    struct world_node *node = any_node(sim);
    switch (world_random(sim->world, 4)) {
    case 0:
        memory_disk_full(node->disk, chance(sim, 50));
        break;
    case 1:
        memory_disk_tear(node->disk, chance(sim, 50));
        break;
    default:
        if (node->courier != NULL) {
            memory_disk_fail(node->disk, 1 + world_random(sim->world, 60),
                             codes[world_random(sim->world, 3)]);
        }
        break;
    }
}

static void do_notary(struct sim *sim)
{
    any_node(sim)->notary_down = chance(sim, 50);
}

static void do_mute(struct sim *sim)
{
    any_client(sim)->mute = chance(sim, 50);
}

static void do_again(struct sim *sim)
{
    world_submit_again(sim->world, any_client(sim));
}

static void do_time(struct sim *sim)
{
    world_advance(sim->world, (int64_t)world_random(sim->world, chance(sim, 5) ? 7200000 : 20000));
}

static void do_card(struct sim *sim)
{
    struct world_client *client = any_client(sim);
    char text[160];
    if (client->line == NULL || !client->ready) {
        return;
    }
    (void)snprintf(text, sizeof(text), "card %s %d", client->principal + strlen("referral://"),
                   (int)world_random(sim->world, 3));
    struct rg_frame frame = {.kind = RG_FRAME_DOCUMENT,
                             .document = {.kind = RG_DOC_KEY_CARD, .text = rg_bytes_of_text(text)}};
    (void)snprintf(frame.document.country, sizeof(frame.document.country), "%s",
                   client->node->country);
    world_inject_frame(client->line, 1, &frame);
}

static const struct {
    void (*act)(struct sim *sim);
    unsigned weight;
} actions[] = {{do_submit, 30}, {do_crash, 4}, {do_start, 12}, {do_dial, 14}, {do_connect, 20},
               {do_cut, 3},     {do_hold, 4},  {do_disk, 3},   {do_mute, 2},  {do_notary, 2},
               {do_again, 6},   {do_time, 20}, {do_card, 2}};

static void act(struct sim *sim)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        total += actions[i].weight;
    }
    uint64_t at = world_random(sim->world, total);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (at < actions[i].weight) {
            actions[i].act(sim);
            return;
        }
        at -= actions[i].weight;
    }
}

static void faults(struct sim *sim)
{
    size_t rounds = 200 + (size_t)world_random(sim->world, 400);
    for (size_t i = 0; i < rounds; i++) {
        for (uint64_t n = world_random(sim->world, 4); n > 0; n--) {
            act(sim);
        }
        sim->world->notary_lags = chance(sim, 50);
        sim->world->frames_per_step = 1 + (size_t)world_random(sim->world, RG_BATCH_FRAMES_MAX);
        (void)world_step(sim->world);
    }
}

/* Convergence */

static void faults_end(struct sim *sim)
{
    struct world *world = sim->world;
    world->frames_per_step = 0;
    world->notary_lags = false;
    for (size_t i = 0; i < world->node_count; i++) {
        struct world_node *node = &world->node[i];
        memory_disk_full(node->disk, false);
        memory_disk_fail(node->disk, 0, RG_OK);
        node->die_at = WORLD_NOWHERE;
        node->notary_down = false;
    }
    for (size_t i = 0; i < world->line_count; i++) {
        world->line[i]->held = false;
    }
    for (size_t i = 0; i < world->client_count; i++) {
        world->client[i].mute = false;
    }
}

static bool linked(const struct world *world, const struct world_node *a,
                   const struct world_node *b)
{
    for (size_t i = 0; i < world->line_count; i++) {
        const struct world_line *line = world->line[i];
        bool there = line->end[0].node == a && line->end[1].node == b;
        bool back = line->end[0].node == b && line->end[1].node == a;
        if (line->open && line->end[0].client == NULL && (there || back)) {
            return true;
        }
    }
    return false;
}

static void join_all(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        if (world->node[i].courier == NULL) {
            world_start(world, &world->node[i]);
        }
    }
    for (size_t i = 0; i < world->node_count; i++) {
        for (size_t k = i + 1; k < world->node_count; k++) {
            if (!linked(world, &world->node[i], &world->node[k])) {
                (void)world_dial(world, &world->node[i], &world->node[k]);
            }
        }
    }
    for (size_t i = 0; i < world->client_count; i++) {
        if (world->client[i].line == NULL) {
            (void)world_connect(world, &world->client[i]);
        }
    }
}

static void converge(struct sim *sim)
{
    faults_end(sim);
    for (int round = 0; round < 14; round++) {
        join_all(sim->world);
        world_run(sim->world);
        for (size_t i = 0; i < sim->world->client_count; i++) {
            world_submit_again(sim->world, &sim->world->client[i]);
        }
        world_run(sim->world);
        world_advance(sim->world, 120000 + round * 60000);
        world_run(sim->world);
    }
}

/* Promises */

static const struct world_node *node_of(const struct world *world, const char *office)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(office, country);
    for (size_t i = 0; i < world->node_count; i++) {
        if (strcmp(world->node[i].country, country) == 0) {
            return &world->node[i];
        }
    }
    RG_ASSERT(false);
    return &world->node[0];
}

static void check_received(struct sim *sim, const struct letter *letter,
                           const struct world_told *told)
{
    const struct world_node *there = node_of(sim->world, letter->to);
    size_t mails = memory_disk_mails(there->disk, letter->to, RG_MAIL_DELIVER, &letter->id);
    if (mails != (told->received ? 1U : 0U)) {
        problem(sim, "not in the mailbox once", letter);
    }
    if (memory_disk_entries(there->disk, RG_ENTRY_RECEIVED, &letter->id) !=
        (told->received ? 1U : 0U)) {
        problem(sim, "not in the addressee's log once", letter);
    }
    for (size_t i = 0; i < sim->world->client_count; i++) {
        const struct world_client *client = &sim->world->client[i];
        bool abroad = strncmp(letter->to, letter->notice, strcspn(letter->to, "/") + 1) != 0;
        bool noticed = abroad && strcmp(client->office, letter->notice) == 0;
        bool reader = noticed || strcmp(client->office, letter->to) == 0;
        bool has = world_deliveries(client, &letter->id) > 0;
        bool colleague = strcmp(client->office, letter->from->office) == 0;
        if (colleague && !reader) {
            continue; /* a copy, if her device was known at that time */
        }
        if (has != (noticed || (reader && told->received))) {
            problem(sim, reader ? "not in a casebook" : "in a stranger's casebook", letter);
        }
    }
    if (told->received && !told->collected && is_focal(letter->from) &&
        strstr(letter->to, "/focal") != NULL) {
        problem(sim, "collected, but the sender was never told", letter);
    }
}

static void check_letter(struct sim *sim, const struct letter *letter)
{
    const struct world_told *told = world_told(letter->from, &letter->id);
    size_t accepted = memory_disk_entries(letter->from->node->disk, RG_ENTRY_ACCEPTED, &letter->id);
    if (!told->accepted && !told->refused) {
        problem(sim, "never answered", letter);
        return;
    }
    if (accepted != (told->accepted ? 1U : 0U)) {
        problem(sim, "told accepted, but not in the log once", letter);
    }
    if (!told->accepted) {
        return;
    }
    int ends = (told->received ? 1 : 0) + (told->refused ? 1 : 0) + (told->closed ? 1 : 0);
    if (ends != 1) {
        problem(sim, ends == 0 ? "accepted, and no end" : "accepted, and two ends", letter);
        return;
    }
    check_received(sim, letter, told);
}

static void check_node(struct sim *sim, const struct world_node *node)
{
    struct rg_courier_status status = world_status(node);
    if (status.alarmed || node->event[RG_COURIER_ALARM_PEER_LOG] > 0 ||
        node->event[RG_COURIER_ALARM_OWN_LOG] > 0) {
        (void)fprintf(stderr, "%s: %s %s\n", node->country,
                      node->last[RG_COURIER_ALARM_PEER_LOG].reason,
                      node->last[RG_COURIER_ALARM_NOTARY].reason);
        problem(sim, "an alarm about a log", NULL);
    }
    for (size_t i = 0; i < status.peer_count; i++) {
        if (status.peer[i].waiting > 0 || status.peer[i].in_flight_bytes > 0) {
            problem(sim, "something still waits in an outbox", NULL);
        }
    }
    if (status.head_size != status.log_size) {
        problem(sim, "the newest head does not cover the log", NULL);
    }
}

static void check(struct sim *sim)
{
    struct world *world = sim->world;
    for (size_t i = 0; i < sim->letter_count; i++) {
        check_letter(sim, &sim->letter[i]);
    }
    for (size_t i = 0; i < world->node_count; i++) {
        check_node(sim, &world->node[i]);
    }
    for (size_t i = 0; i < world->client_count; i++) {
        if (world->client[i].bad_proofs > 0) {
            problem(sim, "a proof did not verify", NULL);
        }
        if (world->client[i].pending_count > 0) {
            problem(sim, "a client still waits for an answer", NULL);
        }
    }
    size_t before[16];
    memcpy(before, world->frames, sizeof(before));
    world_advance(world, 61000);
    world_run(world);
    world_advance(world, 61000);
    world_run(world);
    if (memcmp(before, world->frames, sizeof(before)) != 0) {
        problem(sim, "not silent when idle", NULL);
    }
}

/* Runs */

static void people(struct sim *sim)
{
    struct world *world = sim->world;
    size_t nodes = 2 + (size_t)world_random(world, 5);
    for (size_t i = 0; i < nodes; i++) {
        struct world_node *node = world_node(world, countries[i]);
        node->skew_ms = (int64_t)world_random(world, 240000) - 120000;
        (void)world_client(world, node, "focal", "officer-1", "desk");
        (void)world_client(world, node, "focal", "officer-2", "phone");
        if (i < 4) {
            (void)world_client(world, node, i % 2 == 0 ? "rescue" : "ngo-a", "officer-1", "desk");
        }
    }
    world_found(world);
}

static bool lying;

static size_t run(uint64_t seed, bool loud)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    RG_ASSERT(sim != NULL);
    sim->seed = seed;
    sim->world = world_new(seed);
    people(sim);
    for (size_t i = 0; lying && i < sim->world->node_count; i++) {
        memory_disk_lie(sim->world->node[i].disk, true);
    }
    faults(sim);
    converge(sim);
    check(sim);
    if (loud) {
        (void)printf("seed %" PRIu64 ": %zu gateways, %zu letters, %zu problems\n", seed,
                     sim->world->node_count, sim->letter_count, sim->problems);
    }
    size_t problems = sim->problems;
    world_free(sim->world);
    free(sim);
    return problems;
}

static int64_t now_ms(void)
{
    struct timespec now;
    RG_ASSERT(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    lying = argc > 1 && strcmp(argv[1], "--control") == 0;
    if (argc > 1 && !lying) {
        return run(strtoull(argv[1], NULL, 10), true) == 0 ? 0 : 1;
    }
    int64_t start = now_ms();
    size_t runs = 0;
    size_t bad = 0;
    while (now_ms() - start < RUN_SECONDS * 1000 && (bad == 0)) {
        bad += run((uint64_t)start + runs, false) > 0 ? 1 : 0;
        runs++;
    }
    (void)printf("%zu runs from seed %" PRId64 ", %zu bad\n", runs, start, bad);
    return (lying ? bad > 0 : bad == 0) ? 0 : 1;
}
