/*
 * How it works: every state waits for a fixed number of bytes, which are held, then judged at once;
 * the body of a frame is skipped unread, except the name at the start of a command. So how the
 * stream was cut into runs can make no difference. Invariants: at most sizeof(held) bytes are kept;
 * a length is bounded before anything is skipped; only one READY passes, and no message before it;
 * once refused, always refused.
 */
#include "core/zmtp.h"

#include <string.h>

enum state {
    SIGNATURE, /* 0xff, 8 bytes of no meaning, 0x7f */
    VERSION,
    MECHANISM,
    FILLER, /* as-server and 31 zeros */
    FLAGS,
    SIZE_SHORT,
    SIZE_LONG,
    NAME_SIZE,
    NAME_4,
    NAME_5,
    BODY,
};

enum { FLAG_MORE = 1, FLAG_LONG = 2, FLAG_COMMAND = 4, FLAGS_KNOWN = 7 };

struct refusal {
    const char *id;
    enum rg_code code;
    const char *text;
};
static const struct refusal bad_greeting = {"zmtp-greeting", RG_MALFORMED, "not a ZMTP greeting"};
static const struct refusal bad_version = {"zmtp-version", RG_MALFORMED, "not ZMTP 3"};
static const struct refusal bad_mechanism = {"zmtp-mechanism", RG_MALFORMED,
                                             "a security mechanism other than NULL"};
static const struct refusal bad_ready = {"zmtp-ready", RG_MALFORMED,
                                         "READY is missing, doubled or too long"};
static const struct refusal bad_command = {"zmtp-command", RG_MALFORMED,
                                           "a command other than READY, PING, PONG, ERROR"};
static const struct refusal bad_more = {"zmtp-more", RG_MALFORMED,
                                        "a message of more than one frame"};
static const struct refusal bad_flags = {"zmtp-flags", RG_MALFORMED, "unknown frame flags"};
static const struct refusal too_large = {"zmtp-frame-too-large", RG_LIMIT,
                                         "a frame longer than the limit"};
static const struct refusal *const refusals[] = {&bad_greeting, &bad_version, &bad_mechanism,
                                                 &bad_ready,    &bad_command, &bad_more,
                                                 &bad_flags,    &too_large};

/* Name, and the longest body (RFC 37): PING carries a TTL and 16 bytes, PONG 16, ERROR a reason. */
struct command {
    const char *name;
    uint64_t body_bytes_max;
    bool is_ready;
};
static const struct command commands[] = {
    {"READY", RG_ZMTP_READY_BYTES_MAX, true},
    {"ERROR", 1 + 5 + 1 + 255, false},
    {"PING", 1 + 4 + 2 + 16, false},
    {"PONG", 1 + 4 + 16, false},
};

/* A judge looks at the held bytes, sets the next state, and returns NULL or the refusal. */
typedef const struct refusal *judge(struct rg_guard *guard);

static const struct refusal *signature_judge(struct rg_guard *guard)
{
    guard->state = VERSION;
    return guard->held[0] == 0xff && guard->held[9] == 0x7f ? NULL : &bad_greeting;
}

static const struct refusal *version_judge(struct rg_guard *guard)
{
    guard->state = MECHANISM;
    return guard->held[0] == 3 ? NULL : &bad_version;
}

static const struct refusal *mechanism_judge(struct rg_guard *guard)
{
    static const uint8_t null_mechanism[20] = "NULL";
    guard->state = FILLER;
    bool same = memcmp(guard->held, null_mechanism, sizeof(null_mechanism)) == 0;
    return same ? NULL : &bad_mechanism;
}

static const struct refusal *filler_judge(struct rg_guard *guard)
{
    static const uint8_t zeros[32];
    guard->state = FLAGS;
    return memcmp(guard->held, zeros, sizeof(zeros)) == 0 ? NULL : &bad_greeting;
}

static const struct refusal *flags_judge(struct rg_guard *guard)
{
    guard->flags = guard->held[0];
    guard->state = guard->flags & FLAG_LONG ? SIZE_LONG : SIZE_SHORT;
    if (guard->flags & ~FLAGS_KNOWN) {
        return &bad_flags;
    }
    if (guard->flags & FLAG_MORE) {
        return &bad_more;
    }
    return guard->ready || guard->flags & FLAG_COMMAND ? NULL : &bad_ready;
}

static void frame_end(struct rg_guard *guard)
{
    guard->state = FLAGS;
    guard->messages += (guard->flags & FLAG_COMMAND) == 0;
}

static const struct refusal *size_accept(struct rg_guard *guard, uint64_t size)
{
    bool command = guard->flags & FLAG_COMMAND;
    if (size > RG_FRAME_BYTES_MAX) {
        return &too_large;
    }
    guard->skip = size;
    guard->state = command ? NAME_SIZE : BODY;
    if (command) {
        return size > 0 ? NULL : &bad_command;
    }
    if (size == 0) {
        frame_end(guard);
    }
    return NULL;
}

static const struct refusal *size_short_judge(struct rg_guard *guard)
{
    return size_accept(guard, guard->held[0]);
}

static const struct refusal *size_long_judge(struct rg_guard *guard)
{
    uint64_t size = 0;
    for (size_t i = 0; i < 8; i++) {
        size = size << 8 | guard->held[i];
    }
    return size_accept(guard, size);
}

static const struct refusal *name_size_judge(struct rg_guard *guard)
{
    uint8_t len = guard->held[0];
    guard->state = len == 4 ? NAME_4 : NAME_5;
    return (len == 4 || len == 5) && guard->skip >= 1U + len ? NULL : &bad_command;
}

static const struct refusal *ready_judge(struct rg_guard *guard, const struct command *command)
{
    if (guard->ready || guard->skip > command->body_bytes_max) {
        return &bad_ready;
    }
    guard->ready = true;
    return NULL;
}

static const struct refusal *name_judge(struct rg_guard *guard, size_t len)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const struct command *command = &commands[i];
        if (strlen(command->name) != len || memcmp(command->name, guard->held, len) != 0) {
            continue;
        }
        const struct refusal *refused = command->is_ready ? ready_judge(guard, command)
                                        : guard->skip <= command->body_bytes_max ? NULL
                                                                                 : &bad_command;
        guard->skip -= 1 + len;
        guard->state = BODY;
        if (guard->skip == 0) {
            frame_end(guard);
        }
        return refused;
    }
    return &bad_command;
}

static const struct refusal *name_4_judge(struct rg_guard *guard)
{
    return name_judge(guard, 4);
}

static const struct refusal *name_5_judge(struct rg_guard *guard)
{
    return name_judge(guard, 5);
}

static const struct {
    uint8_t need; /* bytes; BODY has none to hold */
    judge *judge;
} states[] = {
    [SIGNATURE] = {10, signature_judge},
    [VERSION] = {2, version_judge},
    [MECHANISM] = {20, mechanism_judge},
    [FILLER] = {32, filler_judge},
    [FLAGS] = {1, flags_judge},
    [SIZE_SHORT] = {1, size_short_judge},
    [SIZE_LONG] = {8, size_long_judge},
    [NAME_SIZE] = {1, name_size_judge},
    [NAME_4] = {4, name_4_judge},
    [NAME_5] = {5, name_5_judge},
    [BODY] = {0, NULL},
};

/* Takes from `bytes` what the present state can use; says how much. */
static size_t body_skip(struct rg_guard *guard, struct rg_bytes bytes)
{
    size_t taken = guard->skip < bytes.len ? (size_t)guard->skip : bytes.len;
    guard->skip -= taken;
    if (guard->skip == 0) {
        frame_end(guard);
    }
    return taken;
}

static size_t held_take(struct rg_guard *guard, struct rg_bytes bytes)
{
    size_t missing = (size_t)(states[guard->state].need - guard->held_len);
    size_t taken = missing < bytes.len ? missing : bytes.len;
    memcpy(guard->held + guard->held_len, bytes.data, taken);
    guard->held_len = (uint8_t)(guard->held_len + taken);
    return taken;
}

static rg_outcome refuse(struct rg_guard *guard, const struct refusal *refusal,
                         struct rg_reason *why)
{
    guard->failed = refusal->id;
    return rg_fail(why, refusal->code, refusal->id, "%s", refusal->text);
}

static const struct refusal *refusal_of(const char *id)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (strcmp(refusals[i]->id, id) == 0) {
            return refusals[i];
        }
    }
    return &bad_greeting;
}

rg_outcome rg_guard_feed(struct rg_guard *guard, struct rg_bytes bytes, struct rg_reason *why)
{
    if (guard->failed != NULL) {
        return refuse(guard, refusal_of(guard->failed), why);
    }
    while (bytes.len > 0) {
        size_t taken = guard->state == BODY ? body_skip(guard, bytes) : held_take(guard, bytes);
        bytes = rg_bytes_of(bytes.data + taken, bytes.len - taken);
        if (guard->state == BODY || guard->held_len < states[guard->state].need) {
            continue;
        }
        guard->held_len = 0;
        const struct refusal *refused = states[guard->state].judge(guard);
        if (refused != NULL) {
            return refuse(guard, refused, why);
        }
    }
    return rg_ok();
}
