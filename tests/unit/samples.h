/*
 * NAME
 *   samples - fixed messages: for round trips, for fuzz seeds, for the example in docs/protocol.md
 *
 * DESCRIPTION
 *   Nothing here is random, so the bytes are the same on every run. A failure to build a sample
 * ends the process.
 */
#ifndef RG_TESTS_UNIT_SAMPLES_H
#define RG_TESTS_UNIT_SAMPLES_H

#include "core/wire.h"

struct rg_core sample_core(size_t sections, size_t padded_bytes);
/* Sealed sections are 0x5a bytes, the first of `sealed_len` bytes, each next one shorter by one. */
void sample_envelope(const struct rg_core *core, size_t sealed_len, struct rg_buffer *out);
struct rg_head sample_head(const char *origin, uint64_t size);
struct rg_log_entry sample_log_entry(enum rg_entry_kind kind);

/* What a sample frame borrows from. */
struct sample {
    struct rg_buffer envelope, log_entry, refused;
    struct rg_proven_entry entry[2];
    struct rg_holding holding[3];
    struct rg_head head[2];
    struct rg_id id[2];
    struct rg_receipts receipts;
};
void sample_make(struct sample *sample);
void sample_drop(struct sample *sample);
struct rg_frame sample_frame(const struct sample *sample, enum rg_frame_kind kind);

#endif
