/* The content of a sealed section: what is accepted has one encoding. */
#include "tests/fuzz/fuzz.h"

#include "client/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rg_content content;
    struct rg_reason why = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    rg_outcome outcome = rg_content_decode(rg_bytes_of(data, size), &content, &memory, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "content-");
        return 0;
    }
    RG_OWNED_BUFFER again = {.secret = true};
    RG_ASSERT(rg_is_ok(rg_content_encode(&content, &again, NULL)));
    RG_ASSERT(rg_bytes_equal(rg_buffer_peek(&again), rg_bytes_of(data, size)));
    return 0;
}
