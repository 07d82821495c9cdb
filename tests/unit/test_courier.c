/* The courier with simulated lines, an in-memory store and a notary: the way of a message, repeats,
 * crashes between every two steps, every refusal, window, expiry, alarms. */
#include "tests/sim/world.h"

#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS 86400000LL

struct pair {
    struct world *world;
    struct world_node *th, *kh;
    struct world_client *from, *to;
    struct world_line *line;
};

static struct pair pair_open(void)
{
    struct pair pair = {.world = world_new(7)};
    pair.th = world_node(pair.world, "th");
    pair.kh = world_node(pair.world, "kh");
    world_found(pair.world);
    pair.from = world_client(pair.world, pair.th, "focal", "officer-1", "desk");
    pair.to = world_client(pair.world, pair.kh, "focal", "officer-1", "desk");
    pair.line = world_dial(pair.world, pair.th, pair.kh);
    (void)world_connect(pair.world, pair.from);
    (void)world_connect(pair.world, pair.to);
    world_run(pair.world);
    return pair;
}

static const struct world_letter to_kh = {.to = "kh/focal"};

static struct rg_id submit(struct pair *pair, const struct world_letter *letter)
{
    struct rg_id id;
    world_submit(pair->world, pair->from, letter, &id);
    return id;
}

/* Everyone is up and connected again; time passes until nothing is left to do. */
static void recover(struct pair *pair)
{
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < pair->world->node_count; i++) {
            if (pair->world->node[i].courier == NULL) {
                world_start(pair->world, &pair->world->node[i]);
            }
        }
        if (pair->line == NULL || !pair->line->open) {
            pair->line = world_dial(pair->world, pair->th, pair->kh);
        }
        for (size_t i = 0; i < pair->world->client_count; i++) {
            struct world_client *client = &pair->world->client[i];
            if (client->line == NULL) {
                (void)world_connect(pair->world, client);
            }
        }
        world_run(pair->world);
        for (size_t i = 0; i < pair->world->client_count; i++) {
            world_submit_again(pair->world, &pair->world->client[i]);
        }
        world_run(pair->world);
        world_advance(pair->world, 61000);
        world_run(pair->world);
    }
}

/* One message went the whole way, once. */
static void assert_whole_way(struct pair *pair, const struct rg_id *id)
{
    const struct world_told *told = world_told(pair->from, id);
    assert_true(told->accepted && told->received && told->collected);
    assert_false(told->refused || told->closed);
    assert_true(world_deliveries(pair->to, id) >= 1);
    assert_int_equal(memory_disk_mails(pair->kh->disk, "kh/focal", RG_MAIL_DELIVER, id), 1);
    assert_int_equal(memory_disk_entries(pair->th->disk, RG_ENTRY_ACCEPTED, id), 1);
    assert_int_equal(memory_disk_entries(pair->th->disk, RG_ENTRY_RECEIPT_VERIFIED, id), 1);
    assert_int_equal(memory_disk_entries(pair->kh->disk, RG_ENTRY_RECEIVED, id), 1);
    assert_int_equal(memory_disk_entries(pair->kh->disk, RG_ENTRY_COLLECTED, id), 1);
    assert_int_equal(memory_disk_mails(pair->th->disk, "th/focal", RG_MAIL_STATUS_PEER, id), 2);
    assert_int_equal(pair->from->bad_proofs + pair->to->bad_proofs, 0);
    assert_int_equal(world_status(pair->th).peer[0].waiting, 0);
}

static void test_submit_to_verified_receipt(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    assert_int_equal(world_deliveries(pair.to, &id), 1);
    assert_int_equal(pair.th->hello_seen, 2);
    assert_int_equal(pair.from->faults + pair.to->faults, 0);
    world_free(pair.world);
}

static void test_many_in_both_directions(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    enum { MANY = 150 };
    struct rg_id there[MANY];
    struct rg_id back[MANY];
    struct world_letter to_th = {.to = "th/focal"};
    for (int i = 0; i < MANY; i++) {
        there[i] = submit(&pair, &to_kh);
        world_submit(pair.world, pair.to, &to_th, &back[i]);
    }
    world_run(pair.world);
    for (int i = 0; i < MANY; i++) {
        assert_whole_way(&pair, &there[i]);
        assert_int_equal(world_deliveries(pair.to, &there[i]), 1);
        assert_int_equal(world_deliveries(pair.from, &back[i]), 1);
    }
    world_free(pair.world);
}

static void test_idle_gateways_fall_silent(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    size_t before[16];
    (void)submit(&pair, &to_kh);
    world_run(pair.world);
    memcpy(before, pair.world->frames, sizeof(before));
    for (int i = 0; i < 20; i++) {
        world_advance(pair.world, 61000);
        assert_false(world_step(pair.world) && world_step(pair.world));
    }
    assert_memory_equal(before, pair.world->frames, sizeof(before));
    assert_true(pair.line->open);
    world_free(pair.world);
}

/* Repeats */

static int twice(struct world *world, struct world_line *line, const struct rg_frame *frame,
                 void *context)
{
    (void)world;
    (void)line;
    const enum rg_frame_kind *kind = context;
    return frame->kind == *kind ? 2 : 1;
}

static void test_each_frame_twice(void **state)
{
    (void)state;
    static const enum rg_frame_kind kinds[] = {RG_FRAME_TRANSFER,    RG_FRAME_RECEIPTS,
                                               RG_FRAME_DELIVER,     RG_FRAME_COLLECTED,
                                               RG_FRAME_STATUS_SEEN, RG_FRAME_STATUS};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct pair pair = pair_open();
        enum rg_frame_kind kind = kinds[i];
        pair.world->tamper = twice;
        pair.world->tamper_context = &kind;
        struct rg_id id = submit(&pair, &to_kh);
        world_submit_again(pair.world, pair.from);
        world_run(pair.world);
        assert_whole_way(&pair, &id);
        assert_true(pair.line->open);
        world_free(pair.world);
    }
}

static void test_duplicate_gets_the_first_answer(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id;
    RG_OWNED_BUFFER envelope = {0};
    struct world_letter letter = to_kh;
    letter.from = "th/focal";
    world_envelope(pair.world, &letter, &envelope, &id);
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT, .submit.envelope = rg_buffer_peek(&envelope)};
    world_inject_frame(pair.from->line, 1, &frame);
    world_run(pair.world);
    uint64_t leaf = world_told(pair.from, &id)->answer_leaf;
    for (int i = 0; i < 3; i++) {
        world_advance(pair.world, 40 * DAY_MS); /* long expired by now: the answer stays */
        world_inject_frame(pair.from->line, 1, &frame);
        world_run(pair.world);
    }
    assert_int_equal(world_told(pair.from, &id)->answers, 4);
    assert_int_equal(world_told(pair.from, &id)->answer_leaf, leaf);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

/* Crashes */

static void crash_at(enum world_point point, bool sender, int step)
{
    struct pair pair = pair_open();
    struct world_node *node = sender ? pair.th : pair.kh;
    struct rg_id first = submit(&pair, &to_kh);
    struct rg_id second = submit(&pair, &to_kh);
    for (int i = 0; i < step; i++) {
        (void)world_step(pair.world);
    }
    node->die_at = point;
    (void)world_step(pair.world);
    node->die_at = WORLD_NOWHERE;
    recover(&pair);
    assert_whole_way(&pair, &first);
    assert_whole_way(&pair, &second);
    world_free(pair.world);
}

static void test_crash_between_every_two_steps(void **state)
{
    (void)state;
    for (int point = WORLD_BEFORE_COMMIT; point < WORLD_POINTS; point++) {
        for (int step = 0; step < 9; step++) {
            crash_at((enum world_point)point, true, step);
            crash_at((enum world_point)point, false, step);
        }
    }
}

static void test_torn_commit(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        struct pair pair = pair_open();
        struct world_node *node = i % 2 == 0 ? pair.th : pair.kh;
        struct rg_id id = submit(&pair, &to_kh);
        for (int step = 0; step < i / 4; step++) {
            (void)world_step(pair.world);
        }
        memory_disk_tear(node->disk, i % 4 < 2);
        world_run(pair.world);
        recover(&pair);
        assert_whole_way(&pair, &id);
        world_free(pair.world);
    }
}

/* Fail the Nth call of the store, for every N, at either side. */
static void test_store_fails_at_every_call(void **state)
{
    (void)state;
    static const enum rg_code codes[] = {RG_AGAIN, RG_IO, RG_BROKEN};
    for (size_t i = 0; i < 2 * 3; i++) {
        for (uint64_t nth = 1;; nth++) {
            struct pair pair = pair_open();
            struct world_node *node = i % 2 == 0 ? pair.th : pair.kh;
            memory_disk_fail(node->disk, nth, codes[i / 2]);
            struct rg_id id = submit(&pair, &to_kh);
            world_run(pair.world);
            uint64_t calls = memory_disk_calls(node->disk);
            recover(&pair);
            if (!world_told(pair.from, &id)->collected) {
                print_error("code %d at call %d of %s: accepted %d received %d delivered %d\n",
                            (int)codes[i / 2], (int)nth, node->country,
                            world_told(pair.from, &id)->accepted,
                            world_told(pair.from, &id)->received,
                            (int)world_deliveries(pair.to, &id));
            }
            assert_whole_way(&pair, &id);
            world_free(pair.world);
            if (calls < nth) {
                break;
            }
            assert_true(nth < 500);
        }
    }
}

static void test_peer_gone_requeues(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id[20];
    pair.line->held = true;
    for (int i = 0; i < 20; i++) {
        id[i] = submit(&pair, &to_kh);
    }
    world_run(pair.world);
    assert_int_equal(world_status(pair.th).peer[0].waiting, 20);
    assert_true(world_status(pair.th).peer[0].in_flight_bytes > 0);
    world_cut(pair.world, pair.line);
    assert_int_equal(world_status(pair.th).peer[0].in_flight_bytes, 0);
    recover(&pair);
    for (int i = 0; i < 20; i++) {
        assert_whole_way(&pair, &id[i]);
    }
    world_free(pair.world);
}

/* Refusals */

static void refused(struct pair *pair, struct world_client *client, struct world_letter letter,
                    enum rg_refusal code)
{
    struct rg_id id;
    size_t entries = memory_disk_entries(client->node->disk, RG_ENTRY_REFUSED, NULL);
    world_submit(pair->world, client, &letter, &id);
    world_run(pair->world);
    const struct world_told *told = world_told(client, &id);
    if (!told->refused || told->code != (uint32_t)code) {
        print_error("expected %s, got %s\n", rg_refusal_row((uint32_t)code)->name,
                    rg_refusal_row(told->code)->name);
    }
    assert_true(told->refused && !told->accepted);
    assert_int_equal(told->code, code);
    assert_int_equal(memory_disk_entries(client->node->disk, RG_ENTRY_REFUSED, NULL), entries + 1);
}

static void test_submit_refused_each_case(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *ngo = world_client(pair.world, pair.th, "ngo-a", "officer-1", "desk");
    struct world_client *rescue = world_client(pair.world, pair.th, "rescue", "officer-1", "desk");
    (void)world_connect(pair.world, ngo);
    (void)world_connect(pair.world, rescue);
    world_run(pair.world);
    int64_t now = pair.world->now.wall.ms;
    struct world_client *from = pair.from;
    refused(&pair, from, (struct world_letter){.to = "kh/focal", .from = "th/rescue"},
            RG_REFUSE_NOT_OUR_OFFICE);
    refused(&pair, from, (struct world_letter){.to = "kh/nobody"}, RG_REFUSE_UNKNOWN_OFFICE);
    refused(&pair, from, (struct world_letter){.to = "zz/focal"}, RG_REFUSE_UNKNOWN_OFFICE);
    refused(&pair, from, (struct world_letter){.to = "th/focal", .to_country = "kh"},
            RG_REFUSE_UNKNOWN_OFFICE);
    refused(&pair, from, (struct world_letter){.to = "kh/focal", .exercise = true},
            RG_REFUSE_EXERCISE);
    refused(&pair, from, (struct world_letter){.to = "kh/focal", .lifetime_ms = 90 * DAY_MS},
            RG_REFUSE_LIFETIME);
    refused(&pair, from, (struct world_letter){.to = "kh/focal", .created_ms = now - 2 * DAY_MS},
            RG_REFUSE_EXPIRED);
    refused(&pair, ngo, (struct world_letter){.to = "kh/focal"}, RG_REFUSE_CROSS_BORDER);
    refused(&pair, ngo, (struct world_letter){.to = "kh/focal", .priority = RG_EMERGENCY},
            RG_REFUSE_CROSS_BORDER);
    refused(&pair, rescue, (struct world_letter){.to = "kh/focal", .priority = RG_URGENT},
            RG_REFUSE_CROSS_BORDER);
    refused(&pair, rescue, (struct world_letter){.to = "kh/focal", .priority = RG_EMERGENCY},
            RG_REFUSE_CROSS_BORDER); /* its own focal point must be told */
    refused(&pair, rescue,
            (struct world_letter){.to = "kh/focal", .priority = RG_EMERGENCY, .notice = "kh/focal"},
            RG_REFUSE_CROSS_BORDER); /* not another's */
    refused(
        &pair, rescue,
        (struct world_letter){.to = "kh/focal", .priority = RG_EMERGENCY, .notice = "th/rescue"},
        RG_REFUSE_CROSS_BORDER); /* nor itself */
    world_offer(pair.th, RG_DOC_STOP_LIST, "kh", "stop kh 1\nkh/rescue\n");
    refused(&pair, from, (struct world_letter){.to = "kh/rescue"}, RG_REFUSE_SUSPENDED);
    assert_int_equal(pair.from->bad_proofs, 0);
    world_free(pair.world);
}

static void test_too_large(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    world_crash(pair.world, pair.th);
    pair.th->options.envelope_bytes_max = 4096;
    recover(&pair);
    refused(&pair, pair.from, (struct world_letter){.to = "kh/focal", .bytes = 5000},
            RG_REFUSE_TOO_LARGE);
    world_free(pair.world);
}

static void test_thread_belongs_to_two_offices(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *rescue = world_client(pair.world, pair.th, "rescue", "officer-1", "desk");
    (void)world_connect(pair.world, rescue);
    struct rg_thread_id thread = {{1, 2, 3}};
    struct world_letter letter = {.to = "kh/focal", .thread = &thread};
    struct world_letter back = {.to = "th/focal", .thread = &thread};
    struct rg_id id = submit(&pair, &letter);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    world_submit(pair.world, pair.to, &back, &id); /* the other of the two answers */
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.from, &id), 1);
    letter.priority = RG_EMERGENCY;
    letter.notice = "th/focal";
    refused(&pair, rescue, letter, RG_REFUSE_THREAD_TAKEN);
    letter.to = "kh/rescue";
    refused(&pair, pair.from, letter, RG_REFUSE_THREAD_TAKEN);
    world_free(pair.world);
}

static void test_first_decision_wins(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id decided = {{9}};
    struct world_letter letter = {.to = "kh/focal", .decides = &decided};
    struct rg_id id = submit(&pair, &letter);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    refused(&pair, pair.from, letter, RG_REFUSE_ALREADY_DECIDED);
    world_free(pair.world);
}

static void test_addressee_refuses_signed(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    pair.kh->skew_ms = 2 * DAY_MS; /* by its clock the message is long expired */
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    const struct world_told *told = world_told(pair.from, &id);
    assert_true(told->accepted && told->refused && !told->received);
    assert_int_equal(told->code, RG_REFUSE_EXPIRED);
    assert_int_equal(world_deliveries(pair.to, &id), 0);
    assert_int_equal(memory_disk_entries(pair.kh->disk, RG_ENTRY_REFUSED, &id), 1);
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_RECEIPT_VERIFIED, &id), 1);
    assert_int_equal(pair.th->event[RG_COURIER_PEER_REFUSED], 1);
    world_free(pair.world);
}

/* Not now */

static void not_now(struct pair *pair, const struct world_letter *letter, enum rg_refusal code)
{
    uint64_t leaves = world_status(pair->th).log_size;
    size_t before = pair->from->not_now;
    struct rg_message message;
    struct rg_id id = submit(pair, letter);
    world_run(pair->world);
    assert_int_equal(pair->from->not_now, before + 1);
    assert_int_equal(pair->from->not_now_code, code);
    assert_int_equal(world_status(pair->th).log_size, leaves);
    assert_false(memory_disk_message(pair->th->disk, &id, &message));
}

static void test_not_now_is_never_stored(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_letter early = {.to = "kh/focal", .created_ms = pair.world->now.wall.ms + 3600000};
    not_now(&pair, &early, RG_NOT_NOW_CLOCK);
    fake_trust_fresh_until(pair.th->trust, (struct rg_wall){pair.world->now.wall.ms - 1});
    struct world_letter unknown = {.to = "kh/new"};
    not_now(&pair, &unknown, RG_NOT_NOW_UNKNOWN_PAGE);
    memory_disk_full(pair.th->disk, true);
    not_now(&pair, &to_kh, RG_NOT_NOW_DISK_FULL);
    assert_true(pair.th->event[RG_COURIER_STORE_NOT_NOW] > 0);
    memory_disk_full(pair.th->disk, false);
    recover(&pair); /* the disk has room again: everything that waited goes */
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

static void test_quota_of_a_day(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    world_crash(pair.world, pair.th);
    pair.th->options.quota_per_day = 3;
    recover(&pair);
    struct rg_id id[3];
    for (int i = 0; i < 3; i++) {
        id[i] = submit(&pair, &to_kh);
    }
    world_run(pair.world);
    not_now(&pair, &to_kh, RG_NOT_NOW_QUOTA);
    world_crash(pair.world, pair.th); /* the count is durable */
    recover(&pair);
    not_now(&pair, &to_kh, RG_NOT_NOW_QUOTA);
    world_advance(pair.world, DAY_MS);
    recover(&pair);
    assert_int_equal(pair.from->pending_count, 0);
    for (int i = 0; i < 3; i++) {
        assert_whole_way(&pair, &id[i]);
    }
    world_free(pair.world);
}

/* An alert crosses, and the office's own focal point has it too, with both proofs, once. */
static void test_emergency_tells_the_own_focal_point(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *rescue = world_client(pair.world, pair.th, "rescue", "officer-1", "desk");
    const struct world_letter alert = {
        .to = "kh/focal", .priority = RG_EMERGENCY, .notice = "th/focal"};
    struct rg_id id;
    (void)world_connect(pair.world, rescue);
    world_submit(pair.world, rescue, &alert, &id);
    world_run(pair.world);
    assert_true(world_told(rescue, &id)->received);
    assert_int_equal(world_deliveries(pair.to, &id), 1);
    assert_int_equal(world_deliveries(pair.from, &id), 1);
    assert_int_equal(pair.from->bad_proofs, 0);
    assert_int_equal(rescue->bad_proofs, 0);
    world_free(pair.world);
}

/* Alerts have a count of their own: neither kind uses up the other. */
static void test_emergency_quota(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *rescue = world_client(pair.world, pair.th, "rescue", "officer-1", "desk");
    const struct world_letter inland = {.to = "th/focal"};
    const struct world_letter alert = {
        .to = "kh/focal", .priority = RG_EMERGENCY, .notice = "th/focal"};
    struct rg_id id[4];
    world_crash(pair.world, pair.th);
    pair.th->options.quota_per_day = 1;
    pair.th->options.emergency_per_day = 2;
    recover(&pair);
    (void)world_connect(pair.world, rescue);
    world_submit(pair.world, rescue, &inland, &id[0]);
    world_submit(pair.world, rescue, &alert, &id[1]);
    world_submit(pair.world, rescue, &alert, &id[2]);
    world_run(pair.world);
    assert_int_equal(rescue->not_now, 0);
    world_submit(pair.world, rescue, &alert, &id[3]);
    world_run(pair.world);
    assert_int_equal(rescue->not_now, 1);
    assert_int_equal(rescue->not_now_code, RG_NOT_NOW_QUOTA);
    assert_true(world_told(rescue, &id[0])->accepted);
    assert_true(world_told(rescue, &id[1])->received && world_told(rescue, &id[2])->received);
    world_free(pair.world);
}

static void test_full_disk_of_the_addressee(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    memory_disk_full(pair.kh->disk, true);
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_int_equal(pair.th->event[RG_COURIER_PEER_NOT_NOW], 1);
    assert_int_equal(world_deliveries(pair.to, &id), 0);
    memory_disk_full(pair.kh->disk, false);
    recover(&pair);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

static void test_notary_away(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    pair.th->notary_down = true;
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_false(world_told(pair.from, &id)->accepted); /* committed, not signed: no answer */
    pair.th->notary_down = false;
    recover(&pair);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

/* Heads come steps late: each releases what it covers and not an answer more. */
static void test_a_lagging_notary_releases_what_it_covers(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id[60];
    pair.world->notary_lags = true;
    for (int i = 0; i < 60; i++) {
        id[i] = submit(&pair, &to_kh);
        (void)world_step(pair.world);
    }
    pair.world->notary_lags = false;
    recover(&pair);
    for (int i = 0; i < 60; i++) {
        assert_whole_way(&pair, &id[i]);
    }
    world_free(pair.world);
}

/* Window and priority */

static void test_window_bounds_what_is_unanswered(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    pair.line->held = true;
    for (int i = 0; i < 60; i++) {
        (void)submit(&pair, &to_kh);
    }
    world_run(pair.world);
    uint64_t flying = world_status(pair.th).peer[0].in_flight_bytes;
    assert_true(flying > RG_WINDOW_BYTES_MIN / 2 && flying <= RG_WINDOW_BYTES_MIN);
    pair.line->held = false;
    world_run(pair.world);
    assert_int_equal(world_status(pair.th).peer[0].in_flight_bytes, 0);
    assert_true(world_status(pair.th).peer[0].window_bytes > RG_WINDOW_BYTES_MIN);
    assert_int_equal(pair.to->case_count, 60);
    world_free(pair.world);
}

struct arrival {
    size_t transfers, emergency_at;
};

static int watch_emergency(struct world *world, struct world_line *line,
                           const struct rg_frame *frame, void *context)
{
    struct arrival *arrival = context;
    struct rg_envelope envelope;
    (void)world;
    (void)line;
    if (frame->kind == RG_FRAME_TRANSFER) {
        arrival->transfers++;
        assert_true(rg_is_ok(rg_envelope_peek(frame->transfer.envelope, &envelope, NULL)));
        if (envelope.core.priority == RG_EMERGENCY) {
            arrival->emergency_at = arrival->transfers;
        }
    }
    return 1;
}

static void test_emergency_overtakes(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct arrival arrival = {0};
    pair.world->tamper = watch_emergency;
    pair.world->tamper_context = &arrival;
    pair.line->held = true;
    for (int i = 0; i < 200; i++) {
        (void)submit(&pair, &to_kh);
    }
    world_run(pair.world);
    size_t before = arrival.transfers;
    struct world_letter alert = {.to = "kh/focal", .priority = RG_EMERGENCY};
    struct rg_id id = submit(&pair, &alert);
    world_run(pair.world);
    pair.line->held = false;
    world_run(pair.world);
    assert_int_equal(arrival.transfers, 201);
    assert_int_equal(arrival.emergency_at, before + 1);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

/* Expiry */

static void test_expired_without_receipt_is_closed(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_message message;
    world_cut(pair.world, pair.line);
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    world_advance(pair.world, 2 * DAY_MS);
    world_run(pair.world);
    assert_true(world_told(pair.from, &id)->unconfirmed);
    assert_false(world_told(pair.from, &id)->closed);
    recover(&pair);
    assert_true(world_told(pair.from, &id)->closed);
    assert_int_equal(world_deliveries(pair.to, &id), 0);
    assert_int_equal(memory_disk_entries(pair.kh->disk, RG_ENTRY_CLOSED, &id), 1);
    assert_true(memory_disk_message(pair.kh->disk, &id, &message));
    assert_int_equal(message.refusal, RG_REFUSE_CLOSED);
    assert_int_equal(world_status(pair.th).peer[0].waiting, 0);
    assert_int_equal(pair.from->bad_proofs, 0);
    world_free(pair.world);
}

static int lose_receipts(struct world *world, struct world_line *line, const struct rg_frame *frame,
                         void *context)
{
    (void)world;
    (void)context;
    return line->end[0].client == NULL && frame->kind == RG_FRAME_RECEIPTS ? 0 : 1;
}

static void test_expired_with_a_lost_receipt(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    pair.world->tamper = lose_receipts;
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.to, &id), 1);
    assert_false(world_told(pair.from, &id)->received);
    world_cut(pair.world, pair.line);
    world_advance(pair.world, 2 * DAY_MS);
    world_run(pair.world);
    assert_true(world_told(pair.from, &id)->unconfirmed);
    pair.world->tamper = NULL;
    recover(&pair);
    assert_true(world_told(pair.from, &id)->received);
    assert_false(world_told(pair.from, &id)->closed);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

static void test_no_answer_ends_the_session(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    pair.world->tamper = lose_receipts;
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    world_advance(pair.world, RG_COURIER_ANSWER_MS_MAX + 1000);
    pair.world->tamper = NULL;
    world_run(pair.world);
    assert_false(pair.line->open);
    recover(&pair);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

/* Mailboxes */

static void test_each_device_has_a_cursor(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *second = world_client(pair.world, pair.kh, "focal", "officer-2", "phone");
    struct rg_id id[5];
    for (int i = 0; i < 5; i++) {
        id[i] = submit(&pair, &to_kh);
    }
    world_run(pair.world);
    second->mute = true;
    (void)world_connect(pair.world, second);
    world_run(pair.world);
    world_cut(pair.world, second->line); /* it has confirmed nothing */
    second->mute = false;
    (void)world_connect(pair.world, second);
    world_run(pair.world);
    world_cut(pair.world, second->line);
    (void)world_connect(pair.world, second);
    world_run(pair.world);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(world_deliveries(pair.to, &id[i]), 1);
        assert_int_equal(world_deliveries(second, &id[i]), 2);
        assert_int_equal(memory_disk_entries(pair.kh->disk, RG_ENTRY_COLLECTED, &id[i]), 1);
    }
    assert_int_equal(second->bad_proofs, 0);
    world_free(pair.world);
}

static void test_colleagues_get_copies(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id alone = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.from, &alone), 0); /* nobody else is there to tell */
    struct world_client *second = world_client(pair.world, pair.th, "focal", "officer-2", "phone");
    (void)world_connect(pair.world, second);
    world_run(pair.world);
    world_crash(pair.world, pair.th); /* who was there once is known for good */
    recover(&pair);
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    (void)world_connect(pair.world, second);
    world_run(pair.world);
    assert_int_equal(world_deliveries(second, &alone), 0);
    assert_int_equal(world_deliveries(second, &id), 1);
    assert_int_equal(second->bad_proofs, 0);
    /* A copy that is opened is not "collected": that is the addressee's to be. */
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_COLLECTED, &id), 0);
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_RECEIVED, &id), 0);
    assert_whole_way(&pair, &id);
    struct rg_id own;
    struct world_letter letter = {.to = "th/focal"};
    world_submit(pair.world, pair.from, &letter, &own);
    world_run(pair.world);
    assert_int_equal(world_deliveries(second, &own), 1); /* written to the office itself: once */
    world_free(pair.world);
}

static void test_domestic_message(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *ngo = world_client(pair.world, pair.th, "ngo-a", "officer-1", "desk");
    (void)world_connect(pair.world, ngo);
    world_run(pair.world);
    struct rg_id id;
    struct world_letter letter = {.to = "th/focal"};
    world_submit(pair.world, ngo, &letter, &id);
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.from, &id), 1);
    const struct world_told *told = world_told(ngo, &id);
    assert_true(told->accepted && told->received && told->collected);
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_ACCEPTED, &id), 1);
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_RECEIVED, &id), 1);
    assert_int_equal(ngo->bad_proofs + pair.from->bad_proofs, 0);
    world_free(pair.world);
}

/* A desk on the public page: it writes and is written to at home, and nowhere else. */
static void test_a_desk_stays_at_home(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *desk = world_client(pair.world, pair.th, "health", "officer-1", "desk");
    (void)world_connect(pair.world, desk);
    world_run(pair.world);
    struct rg_id id;
    struct world_letter there = {.to = "th/focal"};
    world_submit(pair.world, desk, &there, &id);
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.from, &id), 1);
    struct world_letter back = {.to = "th/health"};
    world_submit(pair.world, pair.from, &back, &id);
    world_run(pair.world);
    assert_int_equal(world_deliveries(desk, &id), 1);
    refused(&pair, desk, (struct world_letter){.to = "kh/focal"}, RG_REFUSE_CROSS_BORDER);
    refused(&pair, desk,
            (struct world_letter){.to = "kh/focal", .priority = RG_EMERGENCY, .notice = "th/focal"},
            RG_REFUSE_CROSS_BORDER);
    refused(&pair, pair.from, (struct world_letter){.to = "kh/health"}, RG_REFUSE_CROSS_BORDER);
    world_free(pair.world);
}

static void test_retention_erases_bodies(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    world_crash(pair.world, pair.kh); /* no body is left in memory either */
    world_advance(pair.world, 40 * DAY_MS);
    recover(&pair);
    struct world_client *late = world_client(pair.world, pair.kh, "focal", "officer-2", "late");
    (void)world_connect(pair.world, late);
    world_run(pair.world);
    assert_int_equal(world_deliveries(late, &id), 0);
    struct rg_id next = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_int_equal(world_deliveries(late, &next), 1); /* what is gone is passed over */
    world_free(pair.world);
}

/* Past collect-by the grace is only for devices that are known and have not come yet. */
static void test_settled_bodies_go_before_the_grace(void **state)
{
    (void)state;
    for (int behind = 0; behind < 2; behind++) {
        struct pair pair = pair_open();
        struct world_client *late = world_client(pair.world, pair.kh, "focal", "officer-2", "late");
        struct world_line *line = world_connect(pair.world, late);
        world_run(pair.world); /* the device is known now */
        if (behind) {
            world_cut(pair.world, line);
        }
        struct rg_id id = submit(&pair, &to_kh);
        world_run(pair.world);
        assert_int_equal(world_deliveries(late, &id), behind ? 0 : 1);
        world_crash(pair.world, pair.kh); /* no body is left in memory either */
        world_advance(pair.world, 3 * DAY_MS);
        recover(&pair);
        struct world_client *new = world_client(pair.world, pair.kh, "focal", "officer-3", "new");
        (void)world_connect(pair.world, new);
        world_run(pair.world);
        assert_int_equal(world_deliveries(late, &id), 1); /* known and late: it was kept for her */
        assert_int_equal(world_deliveries(new, &id), 0);
        world_free(pair.world);
    }
}

/* Sessions */

static void test_both_dial_one_stays(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_line *back = world_dial(pair.world, pair.kh, pair.th);
    world_run(pair.world);
    assert_true(back->open); /* kh sorts first */
    assert_false(pair.line->open);
    struct world_line *again = world_dial(pair.world, pair.th, pair.kh);
    world_run(pair.world);
    assert_true(back->open);
    assert_false(again->open);
    struct world_line *newer = world_dial(pair.world, pair.kh, pair.th);
    world_run(pair.world);
    assert_true(newer->open); /* the newer of the same dialer */
    assert_false(back->open);
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

static struct rg_frame hello_of(const char *principal)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    frame.hello.version = 1;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "%s", principal);
    return frame;
}

static size_t read_all(struct world_line *line, enum rg_frame_kind kind)
{
    struct rg_frame frame;
    size_t count = 0;
    while (world_read(line, &frame)) {
        count += frame.kind == kind ? 1 : 0;
        rg_frame_drop(&frame);
    }
    return count;
}

static void test_hello_refused(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    static const char la[] = "referral://la/gateway";
    struct rg_frame good = hello_of(la);
    struct rg_frame other = hello_of("referral://mm/gateway");
    struct rg_frame version = hello_of(la);
    struct rg_frame want = {.kind = RG_FRAME_WANT, .want.kind = RG_DOC_CHARTER};
    struct rg_frame doubled = hello_of(la);
    const struct rg_holding cards[] = {{.kind = RG_DOC_KEY_CARD, .country = "th", .counter = 1},
                                       {.kind = RG_DOC_KEY_CARD, .country = "th", .counter = 1}};
    version.hello.version = 2;
    doubled.hello.holding = cards;
    doubled.hello.holding_count = 2; /* each row costs a digest */
    const struct rg_frame *bad[] = {&other, &version, &want, &doubled};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world_line *line = world_puppet(pair.world, pair.th, la);
        world_inject_frame(line, 1, bad[i]);
        (void)world_step(pair.world);
        assert_int_equal(read_all(line, RG_FRAME_FAULT), 1);
        world_run(pair.world);
        assert_false(line->open);
    }
    struct world_line *foreign = world_puppet(pair.world, pair.th, "referral://kh/focal/officer-1");
    struct rg_frame client = hello_of("referral://kh/focal/officer-1");
    world_inject_frame(foreign, 1, &client);
    (void)world_step(pair.world);
    assert_int_equal(read_all(foreign, RG_FRAME_FAULT), 1); /* only one's own clients */
    struct world_line *silent = world_puppet(pair.world, pair.th, la);
    (void)world_step(pair.world);
    assert_int_equal(read_all(silent, RG_FRAME_HELLO), 1); /* the acceptor speaks first */
    world_advance(pair.world, RG_LINK_HELLO_MS_MAX + 1);
    world_run(pair.world);
    assert_false(silent->open);
    struct world_line *line = world_puppet(pair.world, pair.th, la);
    world_inject_frame(line, 1, &good);
    world_run(pair.world);
    assert_true(line->open);
    assert_true(pair.line->open);
    world_free(pair.world);
}

static void test_garbage_costs_the_session(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_line *line = world_puppet(pair.world, pair.th, "referral://la/gateway");
    struct rg_frame hello = hello_of("referral://la/gateway");
    world_inject_frame(line, 1, &hello);
    world_run(pair.world);
    (void)read_all(line, RG_FRAME_HELLO);
    uint64_t leaves = world_status(pair.th).log_size;
    for (int i = 0; i < RG_COURIER_GARBAGE_MAX; i++) {
        assert_true(line->open);
        world_inject(line, 1, RG_BYTES_LITERAL("\xff\xff\xff no frame"));
        (void)world_step(pair.world);
        assert_int_equal(read_all(line, RG_FRAME_FAULT), 1);
    }
    world_run(pair.world);
    assert_false(line->open);
    assert_int_equal(world_status(pair.th).log_size, leaves); /* garbage is never logged */
    struct rg_id id = submit(&pair, &to_kh);                  /* an honest peer is still served */
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    world_free(pair.world);
}

static void test_frames_of_the_other_role(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id;
    RG_OWNED_BUFFER envelope = {0};
    struct world_letter letter = {.from = "kh/focal", .to = "th/focal"};
    world_envelope(pair.world, &letter, &envelope, &id);
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT, .submit.envelope = rg_buffer_peek(&envelope)};
    world_inject_frame(pair.line, 0, &frame); /* th as if kh had submitted */
    world_run(pair.world);
    assert_int_equal(pair.th->event[RG_COURIER_FAULT], 1);
    assert_int_equal(memory_disk_entries(pair.th->disk, RG_ENTRY_ACCEPTED, &id), 0);
    world_free(pair.world);
}

static void test_clock_skew_is_said(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    assert_int_equal(pair.kh->event[RG_COURIER_CLOCK_SKEW], 0);
    pair.kh->skew_ms = 3600000;
    world_cut(pair.world, pair.line);
    recover(&pair);
    assert_true(pair.th->event[RG_COURIER_CLOCK_SKEW] > 0);
    assert_int_equal(pair.th->last[RG_COURIER_CLOCK_SKEW].number, 3600000);
    world_free(pair.world);
}

/* Documents */

static void test_documents_spread(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    assert_non_null(rg_trust_document(pair.th->trust, RG_DOC_PAGE, "kh", 0));
    assert_null(rg_trust_document(pair.th->trust, RG_DOC_PAGE_DOMESTIC, "kh", 0));
    size_t seen = pair.to->documents;
    world_offer(pair.th, RG_DOC_PAGE, "th", "page th 2\nth/focal focal always\n");
    world_run(pair.world);
    const struct rg_document *page = rg_trust_document(pair.kh->trust, RG_DOC_PAGE, "th", 0);
    assert_non_null(page);
    assert_memory_equal(page->text.data, "page th 2", 9);
    assert_int_equal(pair.to->documents, seen + 1);
    assert_int_equal(pair.kh->last[RG_COURIER_DOCUMENT_NEW].number, 2);
    assert_null(rg_trust_office(pair.kh->trust, "th/rescue"));
    world_crash(pair.world, pair.kh); /* it was stored */
    world_start(pair.world, pair.kh);
    assert_null(rg_trust_office(pair.kh->trust, "th/rescue"));
    struct rg_document old;
    fake_document(RG_DOC_PAGE, "th", "page th 1\nth/focal focal always\n", &old);
    assert_true(rg_is_ok(rg_courier_document(pair.kh->courier, &old, pair.world->now, NULL)));
    rg_document_drop(&old);
    recover(&pair);
    assert_true(pair.kh->event[RG_COURIER_DOCUMENT_REFUSED] > 0);
    world_free(pair.world);
}

static void card_send(struct world_client *client, const char *text)
{
    struct rg_frame frame = {.kind = RG_FRAME_DOCUMENT,
                             .document = {.kind = RG_DOC_KEY_CARD, .text = rg_bytes_of_text(text)}};
    (void)snprintf(frame.document.country, sizeof(frame.document.country), "%s",
                   client->node->country);
    world_inject_frame(client->line, 1, &frame);
}

static void test_cards_spread_but_not_of_domestic_offices(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_client *ngo = world_client(pair.world, pair.th, "ngo-a", "officer-1", "desk");
    (void)world_connect(pair.world, ngo);
    world_run(pair.world);
    card_send(pair.from, "card th/focal/officer-1 1");
    card_send(ngo, "card th/ngo-a/officer-1 1");
    world_run(pair.world);
    assert_non_null(rg_trust_document(pair.th->trust, RG_DOC_KEY_CARD, "th", 1));
    assert_non_null(rg_trust_document(pair.kh->trust, RG_DOC_KEY_CARD, "th", 0));
    assert_null(rg_trust_document(pair.kh->trust, RG_DOC_KEY_CARD, "th", 1));
    size_t wants = pair.world->frames[RG_FRAME_WANT];
    world_cut(pair.world, pair.line); /* nor by Hello, which tells others of the public ones only */
    recover(&pair);
    assert_null(rg_trust_document(pair.kh->trust, RG_DOC_KEY_CARD, "th", 1));
    assert_int_equal(pair.world->frames[RG_FRAME_WANT], wants);
    world_free(pair.world);
}

static void test_domestic_page_stays_at_home(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct world_line *line = world_puppet(pair.world, pair.th, "referral://la/gateway");
    struct rg_frame hello = hello_of("referral://la/gateway");
    struct rg_frame want = {.kind = RG_FRAME_WANT,
                            .want = {.kind = RG_DOC_PAGE_DOMESTIC, .country = "th"}};
    world_inject_frame(line, 1, &hello);
    world_inject_frame(line, 1, &want);
    world_run(pair.world);
    assert_int_equal(read_all(line, RG_FRAME_DOCUMENT), 0);
    want.want.kind = RG_DOC_PAGE;
    world_inject_frame(line, 1, &want);
    world_run(pair.world);
    assert_int_equal(read_all(line, RG_FRAME_DOCUMENT), 1);
    size_t before = pair.from->documents;
    want.want.kind = RG_DOC_PAGE_DOMESTIC;
    world_inject_frame(pair.from->line, 1, &want);
    world_run(pair.world);
    assert_int_equal(pair.from->documents, before + 1);
    world_free(pair.world);
}

/* Logs and alarms */

/* A gateway that the test plays itself, with a log of its own. */
struct puppet {
    struct world_node *node; /* its key; never started */
    struct world_line *line;
    struct rg_tree *tree;
    struct rg_frontier frontier;
};

static rg_outcome no_tile(void *context, uint64_t tile, struct rg_hash leaf[RG_TILE_LEAVES],
                          struct rg_reason *why)
{
    (void)context;
    (void)tile;
    (void)leaf;
    return rg_fail(why, RG_IO, "no-tile", "the test's log is small");
}

static struct pair puppet_open(struct puppet *puppet)
{
    struct pair pair = {.world = world_new(11)};
    pair.th = world_node(pair.world, "th");
    puppet->node = world_node(pair.world, "la");
    world_start(pair.world, pair.th); /* la is in the charter only */
    world_offer(pair.th, RG_DOC_PAGE, "la",
                "page la 1\nla/focal focal always\nla/rescue ngo emergency\n");
    pair.to = world_client(pair.world, pair.th, "focal", "officer-1", "desk");
    (void)world_connect(pair.world, pair.to);
    puppet->tree = rg_tree_new(no_tile, NULL);
    puppet->frontier = (struct rg_frontier){0};
    puppet->line = NULL;
    return pair;
}

static void puppet_hello(struct pair *pair, struct puppet *puppet)
{
    struct rg_frame hello = hello_of("referral://la/gateway");
    puppet->line = world_puppet(pair->world, pair->th, "referral://la/gateway");
    world_inject_frame(puppet->line, 1, &hello);
    world_run(pair->world);
    (void)read_all(puppet->line, RG_FRAME_HELLO);
}

static uint64_t puppet_append(struct puppet *puppet, struct rg_bytes entry)
{
    struct rg_hash leaf = rg_leaf_hash(rg_sha256(entry));
    rg_tree_append(puppet->tree, leaf);
    rg_frontier_append(&puppet->frontier, leaf);
    return puppet->frontier.size - 1;
}

struct sent {
    struct rg_buffer envelope, entry;
    struct rg_id id;
};

static void letter_make(struct pair *pair, const struct world_letter *letter,
                        enum rg_entry_kind kind, struct sent *out)
{
    *out = (struct sent){0};
    world_envelope(pair->world, letter, &out->envelope, &out->id);
    struct rg_log_entry entry = {.kind = kind,
                                 .has_envelope_id = true,
                                 .envelope_id = out->id,
                                 .time = pair->world->now.wall,
                                 .peer = "referral://la/focal"};
    assert_true(rg_is_ok(rg_log_entry_encode(&entry, &out->entry, NULL)));
}

static void sent_drop(struct sent *sent)
{
    rg_buffer_drop(&sent->envelope);
    rg_buffer_drop(&sent->entry);
}

/* Transfer under the puppet's newest head, with a consistency proof from `from`. */
static void puppet_transfer(struct puppet *puppet, const struct sent *sent, uint64_t leaf,
                            uint64_t from)
{
    struct rg_proven_entry proven = {.log_entry = rg_buffer_peek(&sent->entry), .leaf_index = leaf};
    struct rg_frame frame = {.kind = RG_FRAME_TRANSFER,
                             .transfer.envelope = rg_buffer_peek(&sent->envelope)};
    struct rg_receipts *receipts = &frame.transfer.accepted;
    uint64_t size = puppet->frontier.size;
    receipts->head = world_head(puppet->node, &puppet->frontier);
    assert_true(rg_is_ok(rg_tree_inclusion(puppet->tree, leaf, size, &proven.inclusion, NULL)));
    receipts->entry = &proven;
    receipts->entry_count = 1;
    if (from > 0) {
        receipts->has_from = true;
        receipts->from_size = from;
        assert_true(
            rg_is_ok(rg_tree_consistency(puppet->tree, from, size, &receipts->consistency, NULL)));
    }
    world_inject_frame(puppet->line, 1, &frame);
}

/* What th answered to the puppet about `id`: kind of the entry, code; 0 when nothing. */
static enum rg_entry_kind puppet_answer(struct puppet *puppet, const struct rg_id *id,
                                        uint32_t *code_out)
{
    enum rg_entry_kind kind = (enum rg_entry_kind)0;
    struct rg_frame frame;
    while (world_read(puppet->line, &frame)) {
        for (size_t i = 0; frame.kind == RG_FRAME_RECEIPTS && i < frame.receipts.entry_count; i++) {
            struct rg_log_entry entry;
            assert_true(
                rg_is_ok(rg_log_entry_decode(frame.receipts.entry[i].log_entry, &entry, NULL)));
            if (memcmp(entry.envelope_id.b, id->b, sizeof(id->b)) == 0) {
                kind = entry.kind;
                *code_out = entry.code;
            }
        }
        rg_frame_drop(&frame);
    }
    return kind;
}

static void puppet_close(struct pair *pair, struct puppet *puppet)
{
    rg_tree_free(puppet->tree);
    world_free(pair->world);
}

static void transfer_answered(struct pair *pair, struct puppet *puppet,
                              const struct world_letter *letter, enum rg_entry_kind proof,
                              enum rg_refusal expected)
{
    struct sent sent;
    uint32_t code = 0;
    uint64_t before = puppet->frontier.size;
    letter_make(pair, letter, proof, &sent);
    uint64_t leaf = puppet_append(puppet, rg_buffer_peek(&sent.entry));
    puppet_transfer(puppet, &sent, leaf, before);
    world_run(pair->world);
    enum rg_entry_kind kind = puppet_answer(puppet, &sent.id, &code);
    assert_int_equal(kind, expected == RG_REFUSE_NONE ? RG_ENTRY_RECEIVED : RG_ENTRY_REFUSED);
    assert_int_equal(code, expected);
    assert_int_equal(world_deliveries(pair->to, &sent.id), expected == RG_REFUSE_NONE ? 1 : 0);
    sent_drop(&sent);
}

static void test_transfer_refused_each_case(void **state)
{
    (void)state;
    struct puppet puppet;
    struct pair pair = puppet_open(&puppet);
    puppet_hello(&pair, &puppet);
    int64_t now = pair.world->now.wall.ms;
    struct world_letter good = {.from = "la/focal", .to = "th/focal"};
    struct world_letter foreign = {.from = "kh/focal", .to = "th/focal"};
    struct world_letter beyond = {.from = "la/focal", .to = "kh/focal"};
    struct world_letter unknown = {.from = "la/ghost", .to = "th/focal"};
    struct world_letter nobody = {.from = "la/focal", .to = "th/nobody"};
    struct world_letter inland = {.from = "la/focal", .to = "th/ngo-a"};
    struct world_letter late = {
        .from = "la/focal", .to = "th/focal", .created_ms = now - 2 * DAY_MS};
    struct world_letter skewed = {.from = "la/focal",
                                  .to = "th/focal",
                                  .created_ms = now - DAY_MS - 60000}; /* within the skew */
    const struct rg_id decided = {{9}};
    struct world_letter decision = {.from = "la/focal", .to = "th/focal", .decides = &decided};
    struct world_letter alert = {.from = "la/rescue", .to = "th/focal", .priority = RG_EMERGENCY};
    struct world_letter practice = {.from = "la/focal", .to = "th/focal", .exercise = true};
    transfer_answered(&pair, &puppet, &good, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE);
    transfer_answered(&pair, &puppet, &foreign, RG_ENTRY_ACCEPTED, RG_REFUSE_NOT_OUR_OFFICE);
    transfer_answered(&pair, &puppet, &beyond, RG_ENTRY_ACCEPTED, RG_REFUSE_NOT_OUR_OFFICE);
    transfer_answered(&pair, &puppet, &unknown, RG_ENTRY_ACCEPTED, RG_REFUSE_UNKNOWN_OFFICE);
    transfer_answered(&pair, &puppet, &nobody, RG_ENTRY_ACCEPTED, RG_REFUSE_UNKNOWN_OFFICE);
    transfer_answered(&pair, &puppet, &inland, RG_ENTRY_ACCEPTED, RG_REFUSE_CROSS_BORDER);
    transfer_answered(&pair, &puppet, &late, RG_ENTRY_ACCEPTED, RG_REFUSE_EXPIRED);
    transfer_answered(&pair, &puppet, &skewed, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE);
    transfer_answered(&pair, &puppet, &practice, RG_ENTRY_ACCEPTED, RG_REFUSE_EXERCISE);
    transfer_answered(&pair, &puppet, &decision, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE);
    transfer_answered(&pair, &puppet, &decision, RG_ENTRY_ACCEPTED, RG_REFUSE_ALREADY_DECIDED);
    transfer_answered(&pair, &puppet, &alert, RG_ENTRY_ACCEPTED, RG_REFUSE_CROSS_BORDER);
    alert.notice = "la/focal";
    transfer_answered(&pair, &puppet, &alert, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE);
    transfer_answered(&pair, &puppet, &good, RG_ENTRY_UNCONFIRMED, RG_REFUSE_NO_PROOF);
    const struct rg_thread_id thread = {{7}};
    struct world_letter opening = {.from = "la/focal", .to = "th/focal", .thread = &thread};
    alert.thread = &thread; /* of two other offices */
    transfer_answered(&pair, &puppet, &opening, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE);
    transfer_answered(&pair, &puppet, &alert, RG_ENTRY_ACCEPTED, RG_REFUSE_THREAD_TAKEN);
    assert_true(puppet.line->open);
    assert_int_equal(pair.to->bad_proofs, 0);
    puppet_close(&pair, &puppet);
}

static void test_peer_log_alarms(void **state)
{
    (void)state;
    static const char *const reason[] = {"head-smaller", "head-fork", "proof-consistency",
                                         "head-no-proof", "head-signature"};
    for (size_t i = 0; i < sizeof(reason) / sizeof(reason[0]); i++) {
        struct puppet puppet;
        struct pair pair = puppet_open(&puppet);
        struct world_letter letter = {.from = "la/focal", .to = "th/focal"};
        struct sent sent[4];
        puppet_hello(&pair, &puppet);
        for (int k = 0; k < 4; k++) {
            letter_make(&pair, &letter, RG_ENTRY_ACCEPTED, &sent[k]);
        }
        uint64_t leaf = puppet_append(&puppet, rg_buffer_peek(&sent[0].entry));
        leaf = puppet_append(&puppet, rg_buffer_peek(&sent[1].entry));
        puppet_transfer(&puppet, &sent[1], leaf, 0);
        world_run(pair.world);
        assert_int_equal(world_deliveries(pair.to, &sent[1].id), 1);
        uint64_t from = 2;
        if (i < 3) { /* another log under the same key */
            rg_tree_free(puppet.tree);
            puppet.tree = rg_tree_new(no_tile, NULL);
            puppet.frontier = (struct rg_frontier){0};
            leaf = puppet_append(&puppet, rg_buffer_peek(&sent[2].entry));
        }
        if (i == 0) {
            from = 0;
        }
        if (i == 1 || i == 2) {
            leaf = puppet_append(&puppet, rg_buffer_peek(&sent[3].entry));
        }
        if (i == 2) {
            (void)puppet_append(&puppet, rg_buffer_peek(&sent[0].entry));
        }
        if (i == 3) {
            leaf = puppet_append(&puppet, rg_buffer_peek(&sent[2].entry));
            from = 0;
        }
        if (i == 4) {
            leaf = puppet_append(&puppet, rg_buffer_peek(&sent[2].entry));
            puppet.node = pair.th; /* signs with another key, for another origin */
        }
        puppet_transfer(&puppet, &sent[i == 1 || i == 2 ? 3 : 2], leaf, from);
        world_run(pair.world);
        assert_int_equal(pair.th->event[RG_COURIER_ALARM_PEER_LOG], 1);
        const char *said = pair.th->last[RG_COURIER_ALARM_PEER_LOG].reason;
        assert_string_equal(said, i == 4 ? "head-origin" : reason[i]);
        (void)read_all(puppet.line, RG_FRAME_FAULT);
        world_run(pair.world);
        assert_false(puppet.line->open);
        assert_int_equal(world_status(pair.th).forks, i == 1 || i == 2 ? 1 : 0);
        assert_int_equal(world_deliveries(pair.to, &sent[2].id), 0);
        assert_int_equal(world_deliveries(pair.to, &sent[3].id), 0);
        for (int k = 0; k < 4; k++) {
            sent_drop(&sent[k]);
        }
        puppet_close(&pair, &puppet);
    }
}

/* The store and the notary's state of kh are set back together (a restored backup). */
static void set_back(struct world_node *node, uint64_t size)
{
    struct rg_store *store = memory_disk_open(node->disk);
    struct rg_hash hash[64];
    size_t count = 0;
    assert_true(rg_is_ok(store->ops->leaves(store, 0, 64, hash, &count, NULL)));
    assert_true(count >= size);
    node->notary = (struct rg_frontier){0};
    for (size_t i = 0; i < size; i++) {
        rg_frontier_append(&node->notary, rg_leaf_hash(hash[i]));
    }
    memory_disk_cut_log(node->disk, size);
}

static void test_own_log_set_back_stops_signing(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id id = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_whole_way(&pair, &id);
    uint64_t size = world_status(pair.kh).log_size;
    world_crash(pair.world, pair.kh);
    set_back(pair.kh, size - 1);
    world_start(pair.world, pair.kh);
    pair.line = world_dial(pair.world, pair.th, pair.kh);
    world_run(pair.world);
    assert_true(world_status(pair.kh).alarmed);
    assert_int_equal(pair.kh->event[RG_COURIER_ALARM_OWN_LOG], 1);
    struct rg_id next = submit(&pair, &to_kh);
    world_run(pair.world);
    assert_int_equal(world_deliveries(pair.to, &next), 0);
    assert_int_equal(memory_disk_entries(pair.kh->disk, RG_ENTRY_RECEIVED, &next), 0);
    assert_true(pair.th->event[RG_COURIER_PEER_NOT_NOW] > 0);
    world_crash(pair.world, pair.kh); /* also after a restart, before anybody shows it again */
    world_start(pair.world, pair.kh);
    assert_true(world_status(pair.kh).alarmed);
    world_free(pair.world);
}

static void test_notary_ahead_of_the_store(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    world_crash(pair.world, pair.th);
    memory_disk_cut_log(pair.th->disk, 2);
    world_start(pair.world, pair.th);
    world_run(pair.world);
    assert_true(world_status(pair.th).alarmed);
    assert_int_equal(pair.th->event[RG_COURIER_ALARM_NOTARY], 1);
    assert_string_equal(pair.th->last[RG_COURIER_ALARM_NOTARY].reason, "notary-ahead");
    world_free(pair.world);
}

/* A notary that signs another tree, or with another key: nothing is released under such a head. */
static void test_a_head_that_is_not_ours_stops_signing(void **state)
{
    (void)state;
    static const char *const reason[] = {"notary-root", "head-signature"};
    for (size_t i = 0; i < 2; i++) {
        struct pair pair = pair_open();
        struct rg_key *key = pair.th->key;
        for (size_t h = 0; i == 0 && h < 64; h++) {
            pair.th->notary.hash[h].b[0] ^= 1;
        }
        pair.th->key = i == 1 ? pair.kh->key : key;
        struct rg_id id = submit(&pair, &to_kh);
        world_run(pair.world);
        pair.th->key = key;
        assert_true(world_status(pair.th).alarmed);
        assert_string_equal(pair.th->last[RG_COURIER_ALARM_NOTARY].reason, reason[i]);
        assert_false(world_told(pair.from, &id)->accepted);
        assert_int_equal(world_deliveries(pair.to, &id), 0);
        assert_int_equal(pair.from->bad_proofs, 0);
        world_free(pair.world);
    }
}

/* Many leaves: full tiles, proofs of old answers, a start from tiles. */
static void test_log_of_many_tiles(void **state)
{
    (void)state;
    struct pair pair = pair_open();
    struct rg_id first = submit(&pair, &to_kh);
    for (int i = 0; i < 400; i++) {
        struct world_letter small = {.to = "kh/focal", .bytes = 200};
        (void)submit(&pair, &small);
        if (i % 50 == 49) {
            world_run(pair.world);
        }
    }
    assert_true(world_status(pair.th).log_size > 3 * RG_TILE_LEAVES);
    world_crash(pair.world, pair.th);
    world_crash(pair.world, pair.kh);
    struct world_client *late = world_client(pair.world, pair.kh, "focal", "officer-2", "late");
    recover(&pair);
    assert_int_equal(world_deliveries(late, &first), 1);
    assert_int_equal(late->bad_proofs, 0);
    assert_int_equal(late->case_count, 401);
    assert_whole_way(&pair, &first);
    world_free(pair.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_submit_to_verified_receipt),
        cmocka_unit_test(test_many_in_both_directions),
        cmocka_unit_test(test_idle_gateways_fall_silent),
        cmocka_unit_test(test_each_frame_twice),
        cmocka_unit_test(test_duplicate_gets_the_first_answer),
        cmocka_unit_test(test_crash_between_every_two_steps),
        cmocka_unit_test(test_torn_commit),
        cmocka_unit_test(test_store_fails_at_every_call),
        cmocka_unit_test(test_peer_gone_requeues),
        cmocka_unit_test(test_submit_refused_each_case),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_thread_belongs_to_two_offices),
        cmocka_unit_test(test_first_decision_wins),
        cmocka_unit_test(test_addressee_refuses_signed),
        cmocka_unit_test(test_not_now_is_never_stored),
        cmocka_unit_test(test_quota_of_a_day),
        cmocka_unit_test(test_emergency_tells_the_own_focal_point),
        cmocka_unit_test(test_emergency_quota),
        cmocka_unit_test(test_full_disk_of_the_addressee),
        cmocka_unit_test(test_notary_away),
        cmocka_unit_test(test_a_lagging_notary_releases_what_it_covers),
        cmocka_unit_test(test_window_bounds_what_is_unanswered),
        cmocka_unit_test(test_emergency_overtakes),
        cmocka_unit_test(test_expired_without_receipt_is_closed),
        cmocka_unit_test(test_expired_with_a_lost_receipt),
        cmocka_unit_test(test_no_answer_ends_the_session),
        cmocka_unit_test(test_each_device_has_a_cursor),
        cmocka_unit_test(test_colleagues_get_copies),
        cmocka_unit_test(test_domestic_message),
        cmocka_unit_test(test_a_desk_stays_at_home),
        cmocka_unit_test(test_retention_erases_bodies),
        cmocka_unit_test(test_settled_bodies_go_before_the_grace),
        cmocka_unit_test(test_both_dial_one_stays),
        cmocka_unit_test(test_hello_refused),
        cmocka_unit_test(test_garbage_costs_the_session),
        cmocka_unit_test(test_frames_of_the_other_role),
        cmocka_unit_test(test_clock_skew_is_said),
        cmocka_unit_test(test_documents_spread),
        cmocka_unit_test(test_cards_spread_but_not_of_domestic_offices),
        cmocka_unit_test(test_domestic_page_stays_at_home),
        cmocka_unit_test(test_transfer_refused_each_case),
        cmocka_unit_test(test_peer_log_alarms),
        cmocka_unit_test(test_own_log_set_back_stops_signing),
        cmocka_unit_test(test_notary_ahead_of_the_store),
        cmocka_unit_test(test_a_head_that_is_not_ours_stops_signing),
        cmocka_unit_test(test_log_of_many_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
