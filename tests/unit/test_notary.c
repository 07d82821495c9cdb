/*
 * notary: it signs only what is on the disk, tells a repeated request from a wrong one, survives a
 * torn write at every byte and a kill at every step, and never signs two heads of one size.
 */
#include "core/bus.h"
#include "core/digest.h"
#include "gateway/notary.h"
#include "gateway/run_notary.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define ORIGIN "referral/th/1"
#define LEAVES 600
#define SLOT_USED (8 + 8 + 8 + RG_ORIGIN_BYTES + 64 * 32 + 32)
#define DEADLINE_MS 10000

#define ASSERT_OK(call)                                                                            \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        rg_outcome called = (call);                                                                \
        if (!rg_is_ok(called)) {                                                                   \
            fail_msg("%s: %s", why.id, why.text);                                                  \
        }                                                                                          \
    } while (0)

struct world {
    char folder[32], path[64], socket[64];
    struct rg_key *key;
    uint8_t public_key[32];
    struct rg_hash leaf[LEAVES];
};

static struct world world;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(world.folder, sizeof(world.folder), "/tmp/rg-notary-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    (void)snprintf(world.path, sizeof(world.path), "%s/state", world.folder);
    (void)snprintf(world.socket, sizeof(world.socket), "%s/ask", world.folder);
    ASSERT_OK(rg_key_take(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &world.key, &why));
    ASSERT_OK(rg_log_key_public(world.key, world.public_key, &why));
    for (size_t i = 0; i < LEAVES; i++) {
        world.leaf[i] = rg_sha256(rg_bytes_of(&i, sizeof(i)));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rg_key_free(world.key);
    (void)unlink(world.path);
    (void)unlink(world.socket);
    return rmdir(world.folder);
}

/* A notary and its file. */

struct desk {
    int fd;
    struct rg_notary *notary;
};

static int (*sync_hook)(int fd);

static struct desk desk_open(void)
{
    struct desk desk = {.fd = open(world.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    assert_true(desk.fd >= 0);
    struct rg_notary_options options = {
        .fd = desk.fd, .origin = ORIGIN, .key = world.key, .sync = sync_hook};
    ASSERT_OK(rg_notary_open(&options, &desk.notary, &why));
    return desk;
}

static void desk_close(struct desk *desk)
{
    rg_notary_free(desk->notary);
    desk->notary = NULL;
    if (desk->fd >= 0) {
        (void)close(desk->fd);
    }
    desk->fd = -1;
}

#define OWNED_DESK RG_CLEANUP(desk_close) struct desk

static struct desk desk_fresh(void)
{
    (void)unlink(world.path);
    int fd = open(world.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    ASSERT_OK(rg_notary_init(fd, ORIGIN, &why));
    (void)close(fd);
    return desk_open();
}

static void request_of(uint64_t from, size_t first, size_t count, struct rg_buffer *out)
{
    struct rg_notary_request request = {.from_size = from,
                                        .leaves = {world.leaf[first].b, 32 * count}};
    assert_true(first + count <= LEAVES);
    ASSERT_OK(rg_notary_request_encode(&request, out, &why));
}

static struct rg_notary_answer ask(struct desk *desk, uint64_t from, size_t first, size_t count)
{
    RG_OWNED_BUFFER request = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_notary_answer answer = {.code = RG_BROKEN};
    request_of(from, first, count, &request);
    rg_outcome outcome = rg_notary_handle(desk->notary, rg_buffer_peek(&request), &bytes, NULL);
    if (outcome.code == RG_BROKEN) {
        assert_int_equal(bytes.len, 0);
        return answer;
    }
    ASSERT_OK(rg_notary_answer_decode(rg_buffer_peek(&bytes), &answer, &why));
    assert_int_equal(answer.code, outcome.code);
    assert_int_equal(answer.size, rg_notary_size(desk->notary));
    return answer;
}

static struct rg_notary_answer add(struct desk *desk, size_t count)
{
    uint64_t size = rg_notary_size(desk->notary);
    return ask(desk, size, (size_t)size, count);
}

static struct rg_hash root_of(uint64_t size)
{
    struct rg_frontier frontier = {0};
    for (uint64_t i = 0; i < size; i++) {
        rg_frontier_append(&frontier, world.leaf[i]);
    }
    return rg_frontier_root(&frontier);
}

static void assert_head(const struct rg_notary_answer *answer, uint64_t size)
{
    struct rg_head head = {.origin = ORIGIN, .size = answer->size, .root = answer->root};
    struct rg_hash root = root_of(size);
    assert_int_equal(answer->code, RG_OK);
    assert_int_equal(answer->size, size);
    assert_memory_equal(answer->root.b, root.b, sizeof(root.b));
    memcpy(head.signature, answer->signature, sizeof(head.signature));
    ASSERT_OK(rg_head_verify(&head, world.public_key, &why));
}

static void assert_refused(const struct rg_notary_answer *answer, const char *reason, uint64_t size)
{
    static const uint8_t nothing[64];
    assert_int_equal(answer->code, RG_DENIED);
    assert_string_equal(answer->reason, reason);
    assert_int_equal(answer->size, size);
    assert_memory_equal(answer->signature, nothing, sizeof(nothing));
}

/* Requests */

static void test_it_appends_and_signs(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    struct rg_notary_answer answer = add(&desk, 0);
    assert_head(&answer, 0);
    uint64_t size = 0;
    for (size_t count = 1; size + count <= LEAVES; count += 7) {
        size += count;
        answer = add(&desk, count);
        assert_head(&answer, size);
        struct rg_notary_answer again = add(&desk, 0);
        assert_memory_equal(&again, &answer, sizeof(answer));
        desk_close(&desk);
        desk = desk_open();
        again = add(&desk, 0);
        assert_memory_equal(&again, &answer, sizeof(answer));
    }
}

static void test_it_says_what_is_missing(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    struct rg_notary_answer answer = add(&desk, 10);
    answer = ask(&desk, 11, 11, 4);
    assert_refused(&answer, "notary-behind", 10);
    answer = ask(&desk, 500, 0, 0);
    assert_refused(&answer, "notary-behind", 10);
    answer = ask(&desk, 10, 10, 5);
    assert_head(&answer, 15);
}

/* The answer was lost, or the process died between persist and sign. */
static void test_a_repeated_request_gets_the_same_head(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    struct rg_notary_answer first = add(&desk, 10);
    first = add(&desk, 20);
    for (int restart = 0; restart < 2; restart++) {
        struct rg_notary_answer again = ask(&desk, 10, 10, 20);
        assert_memory_equal(&again, &first, sizeof(first));
        desk_close(&desk);
        desk = desk_open();
    }
    struct rg_notary_answer longer = ask(&desk, 10, 10, 25);
    assert_head(&longer, 35);
}

static void test_a_notary_ahead_of_the_store_refuses(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    struct rg_notary_answer answer = add(&desk, 10);
    answer = add(&desk, 20);
    answer = ask(&desk, 10, 10, 19); /* fewer than were appended */
    assert_refused(&answer, "notary-ahead", 30);
    answer = ask(&desk, 10, 11, 20); /* others */
    assert_refused(&answer, "notary-ahead", 30);
    answer = ask(&desk, 10, 11, 25);
    assert_refused(&answer, "notary-ahead", 30);
    answer = ask(&desk, 9, 9, 21); /* not the last append */
    assert_refused(&answer, "notary-ahead", 30);
    answer = ask(&desk, 29, 0, 0); /* the present state of a smaller store */
    assert_refused(&answer, "notary-ahead", 30);
    answer = ask(&desk, 0, 0, 0);
    assert_refused(&answer, "notary-ahead", 30);
    answer = add(&desk, 0);
    assert_head(&answer, 30);
}

static void test_garbage_changes_nothing(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    struct rg_notary_answer before = add(&desk, 10);
    RG_OWNED_BUFFER request = {0};
    request_of(10, 10, 3, &request);
    for (size_t len = 0; len < request.len + 2; len++) {
        RG_OWNED_BUFFER bytes = {0};
        uint8_t copy[256] = {0};
        struct rg_reason reason = {0};
        struct rg_notary_answer answer;
        memcpy(copy, request.data, len < request.len ? len : request.len);
        if (len == request.len) {
            continue;
        }
        rg_outcome outcome = rg_notary_handle(desk.notary, rg_bytes_of(copy, len), &bytes, &reason);
        assert_int_equal(outcome.code, RG_MALFORMED);
        ASSERT_OK(rg_notary_answer_decode(rg_buffer_peek(&bytes), &answer, &why));
        assert_int_equal(answer.code, RG_MALFORMED);
        assert_string_equal(answer.reason, reason.id);
    }
    struct rg_notary_answer after = add(&desk, 0);
    assert_memory_equal(&after, &before, sizeof(after));
}

/* The file */

static void test_without_its_state_it_refuses(void **state)
{
    (void)state;
    (void)unlink(world.path);
    OWNED_DESK desk = desk_open(); /* an empty file */
    assert_string_equal(rg_notary_refusal(desk.notary), "notary-state-missing");
    struct rg_notary_answer answer = ask(&desk, 0, 0, 5);
    assert_refused(&answer, "notary-state-missing", 0);
    assert_int_equal(write(desk.fd, "rgnotar1 and then nonsense", 26), 26);
    desk_close(&desk);
    desk = desk_open();
    answer = ask(&desk, 0, 0, 5);
    assert_refused(&answer, "notary-state-damaged", 0);
    struct rg_reason why = {0};
    assert_int_equal(rg_notary_init(desk.fd, ORIGIN, &why).code, RG_DENIED);
    assert_string_equal(why.id, "notary-state-present");
}

static void test_a_state_of_another_epoch_is_not_its_own(void **state)
{
    (void)state;
    OWNED_DESK desk = desk_fresh();
    (void)add(&desk, 10);
    rg_notary_free(desk.notary);
    struct rg_notary_options options = {.fd = desk.fd, .origin = "referral/th/2", .key = world.key};
    ASSERT_OK(rg_notary_open(&options, &desk.notary, &why));
    struct rg_notary_answer answer = ask(&desk, 10, 10, 1);
    assert_refused(&answer, "notary-origin", 10);
}

static void test_a_state_has_one_notary(void **state)
{
    (void)state;
    OWNED_DESK first = desk_fresh();
    assert_null(rg_notary_refusal(first.notary));
    int fd = open(world.path, O_RDWR | O_CLOEXEC);
    struct rg_notary_options options = {.fd = fd, .origin = ORIGIN, .key = world.key};
    struct rg_notary *second = NULL;
    struct rg_reason why = {0};
    assert_int_equal(rg_notary_open(&options, &second, &why).code, RG_IO);
    assert_string_equal(why.id, "notary-locked");
    (void)close(fd);
}

static void read_image(uint8_t image[RG_NOTARY_STATE_BYTES])
{
    memset(image, 0, RG_NOTARY_STATE_BYTES);
    int fd = open(world.path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, image, RG_NOTARY_STATE_BYTES) > 0);
    (void)close(fd);
}

static void write_image(const uint8_t image[RG_NOTARY_STATE_BYTES])
{
    int fd = open(world.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(pwrite(fd, image, RG_NOTARY_STATE_BYTES, 0), RG_NOTARY_STATE_BYTES);
    (void)close(fd);
}

/* The write from `from` to `to` leaves was cut behind `cut` bytes. */
static void check_torn(const uint8_t *before, const uint8_t *after, size_t slot, size_t cut)
{
    static const uint64_t from = 20, to = 33;
    uint8_t image[RG_NOTARY_STATE_BYTES];
    size_t start = slot * RG_NOTARY_SLOT_BYTES;
    memcpy(image, before, sizeof(image));
    memcpy(image + start, after + start, cut);
    write_image(image);
    OWNED_DESK desk = desk_open();
    assert_null(rg_notary_refusal(desk.notary));
    uint64_t size = rg_notary_size(desk.notary);
    assert_true(size == from || (size == to && cut == SLOT_USED));
    struct rg_notary_answer answer = ask(&desk, from, from, to - from);
    assert_head(&answer, to);
}

static void test_a_write_torn_at_any_byte_costs_nothing(void **state)
{
    (void)state;
    bool seen[2] = {false, false};
    for (size_t earlier = 1; earlier <= 2; earlier++) { /* so that each slot is the one written */
        uint8_t before[RG_NOTARY_STATE_BYTES], after[RG_NOTARY_STATE_BYTES];
        struct desk desk = desk_fresh();
        for (size_t i = 0; i < earlier; i++) {
            (void)add(&desk, 20 / earlier);
        }
        read_image(before);
        struct rg_notary_answer answer = add(&desk, 13);
        assert_head(&answer, 33);
        read_image(after);
        desk_close(&desk);
        size_t slot = memcmp(before, after, SLOT_USED) == 0 ? 1 : 0;
        seen[slot] = true;
        for (size_t cut = 0; cut <= SLOT_USED; cut++) {
            check_torn(before, after, slot, cut);
        }
    }
    assert_true(seen[0] && seen[1]);
}

static void test_a_rotten_bit_falls_back_to_the_other_slot(void **state)
{
    (void)state;
    uint8_t image[RG_NOTARY_STATE_BYTES];
    struct desk fresh = desk_fresh();
    (void)add(&fresh, 20);
    (void)add(&fresh, 13);
    desk_close(&fresh);
    read_image(image);
    for (size_t i = 0; i < RG_NOTARY_STATE_BYTES; i += 11) {
        image[i] ^= 0x10;
        write_image(image);
        OWNED_DESK desk = desk_open();
        assert_null(rg_notary_refusal(desk.notary));
        uint64_t size = rg_notary_size(desk.notary);
        assert_true(size == 33 || size == 20);
        struct rg_notary_answer answer = ask(&desk, size, (size_t)size, 40 - (size_t)size);
        assert_head(&answer, 40);
        image[i] ^= 0x10;
    }
}

/* Failures */

static int sync_fails(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static void test_a_failed_sync_is_the_end(void **state)
{
    (void)state;
    struct desk desk = desk_fresh();
    (void)add(&desk, 10);
    desk_close(&desk);
    sync_hook = sync_fails;
    desk = desk_open();
    sync_hook = NULL;
    assert_int_equal(add(&desk, 5).code, RG_BROKEN);
    assert_int_equal(add(&desk, 0).code, RG_BROKEN);
    assert_int_equal(ask(&desk, 10, 10, 5).code, RG_BROKEN);
    desk_close(&desk);
    desk = desk_open();
    struct rg_notary_answer answer = ask(&desk, 10, 10, 5);
    assert_head(&answer, 15);
    desk_close(&desk);
}

static int kill_before_sync(int fd)
{
    (void)fd;
    (void)raise(SIGKILL);
    return -1;
}

static int kill_after_sync(int fd)
{
    (void)fdatasync(fd);
    (void)raise(SIGKILL);
    return -1;
}

static void kill_while_adding(int (*hook)(int))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sync_hook = hook;
        struct desk desk = desk_open();
        (void)add(&desk, 5);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void test_killed_between_persist_and_sign(void **state)
{
    (void)state;
    int (*const hook[])(int) = {kill_before_sync, kill_after_sync};
    for (size_t i = 0; i < 2; i++) {
        struct desk desk = desk_fresh();
        (void)add(&desk, 10);
        desk_close(&desk);
        kill_while_adding(hook[i]);
        desk = desk_open();
        struct rg_notary_answer answer = ask(&desk, 10, 10, 5);
        assert_head(&answer, 15);
        desk_close(&desk);
    }
}

/* Random appends, repeats and cuts of power; what was signed must never be contradicted. */
static void test_no_two_heads_of_one_size(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srandom(seed);
    struct desk desk = desk_fresh();
    uint64_t stored = 0, largest = 0;
    for (int step = 0; step < 400; step++) {
        uint64_t size = rg_notary_size(desk.notary);
        assert_true(size <= stored);
        stored += stored + 4 < LEAVES ? (uint64_t)random() % 4 : 0;
        if (random() % 8 == 0) { /* the last write is lost half-way */
            uint8_t image[RG_NOTARY_STATE_BYTES];
            uint8_t before[RG_NOTARY_STATE_BYTES];
            read_image(before);
            struct rg_notary_answer lost = ask(&desk, size, (size_t)size, (size_t)(stored - size));
            assert_int_equal(lost.code, RG_OK);
            desk_close(&desk);
            read_image(image);
            for (size_t i = 0; i < sizeof(image); i++) {
                size_t cut = (size_t)random() % SLOT_USED;
                image[i] = i % RG_NOTARY_SLOT_BYTES < cut ? image[i] : before[i];
            }
            write_image(image);
            desk = desk_open();
            assert_null(rg_notary_refusal(desk.notary));
            continue;
        }
        struct rg_notary_answer answer = ask(&desk, size, (size_t)size, (size_t)(stored - size));
        assert_head(&answer, stored); /* the one tree there is */
        assert_true(answer.size >= largest);
        largest = answer.size;
    }
    desk_close(&desk);
}

/* The process */

static pid_t start_process(bool init, int parent_fd, int close_fd)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(close_fd);
        struct rg_run_notary_options options = {.socket_path = world.socket,
                                                .state_path = world.path,
                                                .state_fd = -1,
                                                .key = world.key,
                                                .origin = ORIGIN,
                                                .init = init,
                                                .parent_fd = parent_fd};
        _exit(rg_run_notary(&options));
    }
    (void)close(parent_fd);
    return child;
}

static struct rg_notary_answer ask_process(struct rg_socket *socket, uint64_t from, size_t count)
{
    RG_OWNED_BUFFER request = {0};
    RG_OWNED_BUFFER bytes = {0};
    struct rg_notary_answer answer = {0};
    request_of(from, (size_t)from, count, &request);
    ASSERT_OK(rg_bus_request(socket, rg_buffer_peek(&request), DEADLINE_MS, &bytes, &why));
    ASSERT_OK(rg_notary_answer_decode(rg_buffer_peek(&bytes), &answer, &why));
    return answer;
}

static void talk(bool init, bool garbage)
{
    int pipe_fd[2];
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = start_process(init, pipe_fd[0], pipe_fd[1]);
    struct rg_bus *bus = NULL;
    struct rg_socket *socket = NULL;
    ASSERT_OK(rg_bus_new(&bus, &why));
    ASSERT_OK(rg_bus_request_open(bus, world.socket, &socket, &why));
    struct rg_notary_answer answer = ask_process(socket, 0, 20);
    if (init) {
        assert_head(&answer, 20);
        answer = ask_process(socket, 20, 10);
        assert_head(&answer, 30);
    } else {
        assert_refused(&answer, "notary-state-missing", 0);
    }
    if (garbage) {
        RG_OWNED_BUFFER bytes = {0};
        ASSERT_OK(rg_bus_request(socket, RG_BYTES_LITERAL("garbage"), DEADLINE_MS, &bytes, &why));
        ASSERT_OK(rg_notary_answer_decode(rg_buffer_peek(&bytes), &answer, &why));
        assert_int_equal(answer.code, RG_MALFORMED);
        answer = ask_process(socket, 30, 1);
        assert_head(&answer, 31);
    }
    (void)close(pipe_fd[1]); /* main is gone */
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rg_socket_free(socket);
    rg_bus_free(bus);
}

static void test_the_process_answers_until_main_is_gone(void **state)
{
    (void)state;
    (void)unlink(world.path);
    talk(false, false); /* leaves an empty file behind: still not a log */
    talk(true, true);
}

int main(void)
{
    (void)alarm(100); /* a process that does not end must not hold the tests */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_appends_and_signs),
        cmocka_unit_test(test_it_says_what_is_missing),
        cmocka_unit_test(test_a_repeated_request_gets_the_same_head),
        cmocka_unit_test(test_a_notary_ahead_of_the_store_refuses),
        cmocka_unit_test(test_garbage_changes_nothing),
        cmocka_unit_test(test_without_its_state_it_refuses),
        cmocka_unit_test(test_a_state_of_another_epoch_is_not_its_own),
        cmocka_unit_test(test_a_state_has_one_notary),
        cmocka_unit_test(test_a_write_torn_at_any_byte_costs_nothing),
        cmocka_unit_test(test_a_rotten_bit_falls_back_to_the_other_slot),
        cmocka_unit_test(test_a_failed_sync_is_the_end),
        cmocka_unit_test(test_killed_between_persist_and_sign),
        cmocka_unit_test(test_no_two_heads_of_one_size),
        cmocka_unit_test(test_the_process_answers_until_main_is_gone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
