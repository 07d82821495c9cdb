/* The frame guard: however a stream is cut, the answer is the same; and a message is never more
 * than one frame within its bound. The first byte chooses the cuts. */
#include "tests/fuzz/fuzz.h"

#include "core/zmtp.h"

struct verdict {
    const char *failed;
    uint64_t messages;
};

static struct verdict feed(struct rg_bytes bytes, size_t step)
{
    struct rg_guard guard = {0};
    for (size_t at = 0; at < bytes.len; at += step) {
        size_t len = bytes.len - at < step ? bytes.len - at : step;
        struct rg_reason why = {0};
        rg_outcome outcome = rg_guard_feed(&guard, rg_bytes_of(bytes.data + at, len), &why);
        if (!rg_is_ok(outcome)) {
            FUZZ_REFUSED(outcome, &why, "zmtp-");
            RG_ASSERT(guard.failed == why.id);
            break;
        }
        RG_ASSERT(guard.failed == NULL && guard.skip <= RG_FRAME_BYTES_MAX);
    }
    return (struct verdict){.failed = guard.failed, .messages = guard.messages};
}

/* A second, slower reader of what has passed: greeting, then frames; counts whole messages. */
static uint64_t messages_of(struct rg_bytes bytes)
{
    uint64_t messages = 0;
    size_t at = 64;
    while (at + 2 <= bytes.len) {
        uint8_t flags = bytes.data[at];
        size_t head = flags & 2 ? 9 : 2;
        uint64_t size = flags & 2 ? 0 : bytes.data[at + 1];
        if (head > bytes.len - at) {
            break;
        }
        for (size_t i = 1; i < 9 && flags & 2; i++) {
            size = size << 8 | bytes.data[at + i];
        }
        RG_ASSERT((flags & 1) == 0 && size <= RG_FRAME_BYTES_MAX);
        if (size > bytes.len - at - head) {
            break;
        }
        messages += (flags & 4) == 0;
        at += head + (size_t)size;
    }
    return messages;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct rg_bytes bytes = rg_bytes_of(data + 1, size - 1);
    struct verdict whole = feed(bytes, SIZE_MAX / 2);
    struct verdict cut = feed(bytes, (size_t)data[0] + 1);
    struct verdict single = feed(bytes, 1);
    RG_ASSERT(whole.failed == cut.failed && whole.failed == single.failed);
    RG_ASSERT(whole.messages == cut.messages && whole.messages == single.messages);
    RG_ASSERT(whole.failed != NULL || whole.messages == messages_of(bytes));
    return 0;
}
