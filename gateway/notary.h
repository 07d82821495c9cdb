/*
 * NAME
 *   notary - the size and frontier of the country's log, and the key that signs its heads
 *
 * SYNOPSIS
 *   rg_notary_init(fd, "referral/th/1", why)          once, for an empty file: a log of size 0
 *   rg_notary_open(&options, &notary, why)
 *   rg_notary_handle(notary, request, &answer, why)   for each request of the courier
 *   rg_notary_free(notary)
 *
 * DESCRIPTION
 *   The courier sends leaf hashes from the notary's size on. The notary appends them, writes the
 *   new state to the older of two checksummed slots, fdatasyncs, and only then signs the head. So
 *   it never has to sign two heads of one size, whatever crashes when.
 *
 *   request                                 answer
 *   no leaves, from = size                  the present head again
 *   leaves, from = size                     the head with them
 *   leaves, from = size before the last     they were appended already and only the answer was
 *   append, the same leaves first           lost: the present head, or one with those that are new
 *   from > size                             RG_DENIED notary-behind: send what is missing
 *   anything else below the size            RG_DENIED notary-ahead: the store is older than the log
 *
 *   `size` in every answer is the notary's. A notary without a usable state file answers RG_DENIED
 *   with notary-state-missing (empty file), notary-state-damaged (no slot is whole) or
 *   notary-origin (the state is of another log or epoch), until the operator starts a new log
 *   epoch: a new file, rg_notary_init, origin "referral/th/2".
 *
 * OWNERSHIP
 *   `fd`, `origin` and `key` are borrowed and must outlive the notary.
 *
 * ERRORS
 *   rg_notary_handle: always writes an answer unless RG_BROKEN, and returns the code that stands in
 *   it. RG_MALFORMED wire-*: the courier has been taken over or is of another build. RG_BROKEN
 *   notary-persist: what is on the disk is unknown: end the process.
 *   rg_notary_open: RG_IO notary-state-unreadable, notary-locked (another notary has the file);
 *   RG_MALFORMED key-form, notary-origin-form. rg_notary_init: RG_DENIED notary-state-present.
 *
 * THREADS
 *   One.
 *
 * LIMITS
 *   RG_NOTARY_STATE_BYTES on the disk; about 5 KiB in memory.
 */
#ifndef RG_GATEWAY_NOTARY_H
#define RG_GATEWAY_NOTARY_H

#include "core/tlog.h"

#define RG_NOTARY_SLOT_BYTES 4096
#define RG_NOTARY_STATE_BYTES (2 * RG_NOTARY_SLOT_BYTES)

struct rg_notary;

struct rg_notary_options {
    int fd; /* of the state file, open for reading and writing */
    const char *origin;
    const struct rg_key *key;
    int (*sync)(int fd); /* NULL: fdatasync; tests let it fail */
};

RG_MUST_USE rg_outcome rg_notary_init(int fd, const char *origin, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_notary_open(const struct rg_notary_options *options,
                                      struct rg_notary **out, struct rg_reason *why);
void rg_notary_free(struct rg_notary *notary);

uint64_t rg_notary_size(const struct rg_notary *notary);
struct rg_hash rg_notary_root(const struct rg_notary *notary);
/* Why it cannot sign anything: a reason id; NULL when it can. */
const char *rg_notary_refusal(const struct rg_notary *notary);

/* `answer_out` is replaced by an encoded NotaryAnswer. */
RG_MUST_USE rg_outcome rg_notary_handle(struct rg_notary *notary, struct rg_bytes request,
                                        struct rg_buffer *answer_out, struct rg_reason *why);

#endif
