/*
 * NAME
 *   fuzz - what the harnesses share
 *
 * DESCRIPTION
 *   A harness feeds foreign bytes to one parser, and when they are accepted asserts what must then
 * hold (encoding again gives the same bytes, and the like). A false assertion ends the process,
 * which libFuzzer reports with the input.
 */
#ifndef RG_TESTS_FUZZ_FUZZ_H
#define RG_TESTS_FUZZ_FUZZ_H

#include "core/buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Of libFuzzer. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

/* A refusal must say why, in a stable id that starts so. */
#define FUZZ_REFUSED(outcome, why, ...)                                                            \
    RG_ASSERT(fuzz_refused((outcome), (why), (const char *const[]){__VA_ARGS__, NULL}))

#include <string.h>

static inline bool fuzz_refused(rg_outcome outcome, const struct rg_reason *why,
                                const char *const *prefix)
{
    if (outcome.code != RG_MALFORMED && outcome.code != RG_LIMIT && outcome.code != RG_DENIED) {
        return false;
    }
    for (; *prefix != NULL; prefix++) {
        if (why->id != NULL && strncmp(why->id, *prefix, strlen(*prefix)) == 0) {
            return why->text[0] != '\0';
        }
    }
    return false;
}

#endif
