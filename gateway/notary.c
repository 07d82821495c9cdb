/*
 * How it works: the state is a frontier. Two slots of the file hold the newest state and the one
 * before it; a write always goes to the slot that is not the newest, so a torn write leaves the
 * newest whole. Both are kept in memory too: the state before is what lets a repeated request be
 * told from a wrong one.
 *
 * Invariants: no head is signed whose state is not on the disk (append, persist, sign); the number
 * of a slot grows by one with each write, the whole slot with the higher number counts; if the
 * newest slot rots, the older one counts and the courier sends the same leaves again, which gives
 * the same tree: nothing forks. After a failed write nothing is signed any more.
 */
#include "gateway/notary.h"

#include "core/digest.h"
#include "gateway/crash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "rgnotar1"
#define MAGIC_BYTES (sizeof(MAGIC) - 1)
#define HEIGHTS 64
#define AT_NUMBER MAGIC_BYTES
#define AT_SIZE (AT_NUMBER + 8)
#define AT_ORIGIN (AT_SIZE + 8)
#define AT_HASHES (AT_ORIGIN + RG_ORIGIN_BYTES)
#define AT_CHECKSUM (AT_HASHES + HEIGHTS * 32)
#define USED_BYTES (AT_CHECKSUM + 32)
#define LEAVES_MAX (UINT64_C(1) << 62)

_Static_assert(USED_BYTES <= RG_NOTARY_SLOT_BYTES, "a state fits its slot");

struct state {
    uint64_t number; /* of the write; 0: none */
    char origin[RG_ORIGIN_BYTES];
    struct rg_frontier frontier;
};

struct rg_notary {
    struct rg_notary_options options;
    struct state newest, before; /* before.number 0: unknown */
    unsigned newest_slot;
    const char *refusal; /* NULL: it signs */
    bool broken;
};

/* A slot */

static void put_number(uint8_t *at, uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        at[i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

static uint64_t get_number(const uint8_t *at)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

static void slot_write(const struct state *state, uint8_t slot[USED_BYTES])
{
    memset(slot, 0, USED_BYTES);
    memcpy(slot, MAGIC, MAGIC_BYTES);
    put_number(slot + AT_NUMBER, state->number);
    put_number(slot + AT_SIZE, state->frontier.size);
    memcpy(slot + AT_ORIGIN, state->origin, RG_ORIGIN_BYTES);
    memcpy(slot + AT_HASHES, state->frontier.hash, sizeof(state->frontier.hash));
    struct rg_hash checksum = rg_sha256(rg_bytes_of(slot, AT_CHECKSUM));
    memcpy(slot + AT_CHECKSUM, checksum.b, sizeof(checksum.b));
}

/* False when the slot is not whole. */
static bool slot_read(const uint8_t slot[USED_BYTES], struct state *out)
{
    struct rg_hash checksum = rg_sha256(rg_bytes_of(slot, AT_CHECKSUM));
    if (memcmp(slot, MAGIC, MAGIC_BYTES) != 0 ||
        memcmp(slot + AT_CHECKSUM, checksum.b, sizeof(checksum.b)) != 0) {
        return false;
    }
    out->number = get_number(slot + AT_NUMBER);
    out->frontier.size = get_number(slot + AT_SIZE);
    memcpy(out->origin, slot + AT_ORIGIN, RG_ORIGIN_BYTES);
    memcpy(out->frontier.hash, slot + AT_HASHES, sizeof(out->frontier.hash));
    return out->number > 0 && out->origin[RG_ORIGIN_BYTES - 1] == '\0';
}

/* The file */

static int sync_data(int fd)
{
    return fdatasync(fd);
}

static bool write_whole(int fd, const uint8_t *bytes, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t wrote = pwrite(fd, bytes, len, at);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return false;
        }
        bytes += wrote;
        len -= (size_t)wrote;
        at += wrote;
    }
    return true;
}

static rg_outcome persist(int fd, unsigned slot, const struct state *state, int (*sync)(int),
                          struct rg_reason *why)
{
    uint8_t bytes[USED_BYTES];
    slot_write(state, bytes);
    bool written = write_whole(fd, bytes, sizeof(bytes), (off_t)slot * RG_NOTARY_SLOT_BYTES);
    RG_CHECK(written && sync(fd) == 0, why, RG_BROKEN, "notary-persist",
             "the state of the log cannot be written: %s", strerror(errno));
    return rg_ok();
}

static rg_outcome read_slots(int fd, uint8_t out[RG_NOTARY_STATE_BYTES], size_t *len_out,
                             struct rg_reason *why)
{
    size_t len = 0;
    while (len < RG_NOTARY_STATE_BYTES) {
        ssize_t got = pread(fd, out + len, RG_NOTARY_STATE_BYTES - len, (off_t)len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        RG_CHECK(got >= 0, why, RG_IO, "notary-state-unreadable",
                 "the state of the log cannot be read: %s", strerror(errno));
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    *len_out = len;
    return rg_ok();
}

/* At most one process may hold the state. The lock goes with the last copy of the descriptor. */
static rg_outcome lock(int fd, struct rg_reason *why)
{
    RG_CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0, why, RG_IO, "notary-locked",
             "another process holds the state of the log");
    return rg_ok();
}

static rg_outcome origin_check(const char *origin, struct rg_reason *why)
{
    size_t len = strlen(origin);
    RG_CHECK(len > 0 && len < RG_ORIGIN_BYTES, why, RG_MALFORMED, "notary-origin-form",
             "a log's origin has 1 to %d characters", RG_ORIGIN_BYTES - 1);
    return rg_ok();
}

rg_outcome rg_notary_init(int fd, const char *origin, struct rg_reason *why)
{
    struct stat about;
    RG_TRY(origin_check(origin, why));
    RG_TRY(lock(fd, why));
    RG_CHECK(fstat(fd, &about) == 0, why, RG_IO, "notary-state-unreadable",
             "the state of the log cannot be read: %s", strerror(errno));
    RG_CHECK(about.st_size == 0, why, RG_DENIED, "notary-state-present",
             "this file already holds a log: a new one starts with a new file");
    struct state state = {.number = 1};
    memcpy(state.origin, origin, strlen(origin));
    return persist(fd, 0, &state, sync_data, why);
}

/* Opening */

static void take_slots(struct rg_notary *notary, const uint8_t *bytes, size_t len)
{
    struct state slot[2] = {{0}, {0}};
    bool whole[2] = {false, false};
    for (unsigned i = 0; i < 2; i++) {
        size_t at = (size_t)i * RG_NOTARY_SLOT_BYTES;
        whole[i] = len >= at + USED_BYTES && slot_read(bytes + at, &slot[i]);
    }
    if (!whole[0] && !whole[1]) {
        notary->refusal = len == 0 ? "notary-state-missing" : "notary-state-damaged";
        return;
    }
    unsigned newest = whole[1] && (!whole[0] || slot[1].number > slot[0].number) ? 1 : 0;
    notary->newest_slot = newest;
    notary->newest = slot[newest];
    if (whole[1 - newest]) {
        notary->before = slot[1 - newest];
    }
    if (strcmp(notary->newest.origin, notary->options.origin) != 0) {
        notary->refusal = "notary-origin";
    }
}

static void notary_cleanup(struct rg_notary **notary)
{
    rg_notary_free(*notary);
}

rg_outcome rg_notary_open(const struct rg_notary_options *options, struct rg_notary **out,
                          struct rg_reason *why)
{
    uint8_t bytes[RG_NOTARY_STATE_BYTES], unused[32];
    size_t len = 0;
    RG_TRY(origin_check(options->origin, why));
    RG_TRY(rg_log_key_public(options->key, unused, why));
    RG_TRY(lock(options->fd, why));
    RG_TRY(read_slots(options->fd, bytes, &len, why));
    RG_CLEANUP(notary_cleanup) struct rg_notary *notary = calloc(1, sizeof(*notary));
    RG_CHECK(notary != NULL, why, RG_IO, "out-of-memory", "no memory for the notary");
    notary->options = *options;
    notary->options.sync = options->sync != NULL ? options->sync : sync_data;
    take_slots(notary, bytes, len);
    *out = notary;
    notary = NULL;
    return rg_ok();
}

void rg_notary_free(struct rg_notary *notary)
{
    free(notary);
}

uint64_t rg_notary_size(const struct rg_notary *notary)
{
    return notary->newest.frontier.size;
}

struct rg_hash rg_notary_root(const struct rg_notary *notary)
{
    return rg_frontier_root(&notary->newest.frontier);
}

const char *rg_notary_refusal(const struct rg_notary *notary)
{
    return notary->refusal;
}

/* Appending */

struct leaves { /* views; 32 bytes each */
    const uint8_t *data;
    uint64_t count;
};

static void append(struct rg_frontier *frontier, struct leaves *leaves, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct rg_hash leaf;
        memcpy(leaf.b, leaves->data, sizeof(leaf.b));
        rg_frontier_append(frontier, leaf);
        leaves->data += sizeof(leaf.b);
    }
    leaves->count -= count;
}

static bool frontier_equal(const struct rg_frontier *a, const struct rg_frontier *b)
{
    struct rg_hash one = rg_frontier_root(a), other = rg_frontier_root(b);
    return a->size == b->size && memcmp(one.b, other.b, sizeof(one.b)) == 0;
}

/* Does the request start with exactly the leaves of the last append? Then skip those. */
static bool skip_repeated(const struct rg_notary *notary, uint64_t from, struct leaves *leaves)
{
    uint64_t size = notary->newest.frontier.size;
    if (notary->before.number == 0 || from != notary->before.frontier.size || from >= size ||
        leaves->count < size - from) {
        return false;
    }
    struct rg_frontier again = notary->before.frontier;
    append(&again, leaves, size - from);
    return frontier_equal(&again, &notary->newest.frontier);
}

static rg_outcome grow(struct rg_notary *notary, struct leaves *leaves, struct rg_reason *why)
{
    struct state next = notary->newest;
    next.number++;
    append(&next.frontier, leaves, leaves->count);
    rg_crash_point("append");
    rg_outcome outcome =
        persist(notary->options.fd, 1 - notary->newest_slot, &next, notary->options.sync, why);
    notary->broken = !rg_is_ok(outcome);
    RG_TRY(outcome);
    rg_crash_point("persist");
    notary->before = notary->newest;
    notary->newest = next;
    notary->newest_slot = 1 - notary->newest_slot;
    return rg_ok();
}

static rg_outcome take_leaves(struct rg_notary *notary, const struct rg_notary_request *request,
                              struct rg_reason *why)
{
    uint64_t size = notary->newest.frontier.size;
    struct leaves leaves = {request->leaves.data, request->leaves.len / sizeof(struct rg_hash)};
    RG_CHECK(request->from_size <= size, why, RG_DENIED, "notary-behind",
             "the log has %" PRIu64 " entries: send those that are missing", size);
    RG_CHECK(request->from_size == size || skip_repeated(notary, request->from_size, &leaves), why,
             RG_DENIED, "notary-ahead",
             "the log has %" PRIu64 " entries, the store fewer or others: was a backup restored?",
             size);
    RG_CHECK(leaves.count <= LEAVES_MAX - size, why, RG_LIMIT, "notary-size", "the log is full");
    return leaves.count > 0 ? grow(notary, &leaves, why) : rg_ok();
}

static rg_outcome sign(const struct rg_notary *notary, struct rg_notary_answer *out,
                       struct rg_reason *why)
{
    struct rg_head head = {.size = rg_notary_size(notary), .root = rg_notary_root(notary)};
    memcpy(head.origin, notary->newest.origin, sizeof(head.origin));
    RG_TRY(rg_head_sign(&head, notary->options.key, why));
    rg_crash_point("sign");
    out->root = head.root;
    memcpy(out->signature, head.signature, sizeof(out->signature));
    return rg_ok();
}

static rg_outcome serve(struct rg_notary *notary, struct rg_bytes bytes,
                        struct rg_notary_answer *out, struct rg_reason *why)
{
    struct rg_notary_request request;
    RG_OWNED_BUFFER memory = {0};
    RG_TRY(rg_notary_request_decode(bytes, &request, &memory, why));
    if (notary->refusal != NULL) {
        return rg_fail(why, RG_DENIED, notary->refusal,
                       "there is no usable state of this log: see the operator guide");
    }
    RG_TRY(take_leaves(notary, &request, why));
    return sign(notary, out, why);
}

rg_outcome rg_notary_handle(struct rg_notary *notary, struct rg_bytes request,
                            struct rg_buffer *answer_out, struct rg_reason *why)
{
    struct rg_reason local = {0};
    struct rg_notary_answer answer = {.code = RG_OK};
    why = why != NULL ? why : &local;
    RG_CHECK(!notary->broken, why, RG_BROKEN, "notary-persist",
             "an earlier write failed: this process must end");
    rg_outcome outcome = serve(notary, request, &answer, why);
    if (outcome.code == RG_BROKEN) {
        return outcome;
    }
    answer.code = outcome.code;
    answer.size = rg_notary_size(notary);
    if (!rg_is_ok(outcome)) {
        size_t len = strnlen(why->id, sizeof(answer.reason) - 1);
        memcpy(answer.reason, why->id, len);
    }
    rg_buffer_clear(answer_out);
    RG_TRY(rg_notary_answer_encode(&answer, answer_out, why));
    return outcome;
}
