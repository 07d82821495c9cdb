/*
 * NAME
 *   zmtp - the frame guard: checks ZMTP 3.x framing of relayed bytes without reading content
 *
 * SYNOPSIS
 *   struct rg_guard guard = {0};
 *   rg_guard_feed(&guard, bytes, why)     for every run of bytes, before it is relayed
 *
 *   One guard per direction: each side's bytes are a stream with a greeting of its own.
 *
 * DESCRIPTION
 *   ZMTP 3.1 (ZeroMQ RFC 37) / 3.0 (RFC 23): greeting 3.x with mechanism NULL, one READY command of
 * at most RG_ZMTP_READY_BYTES_MAX, then message frames without MORE of at most RG_FRAME_BYTES_MAX,
 * and the commands PING, PONG, ERROR. Anything else is refused and closes the session. State is a
 * few bytes; one pass.
 *
 * ERRORS
 *   RG_MALFORMED zmtp-greeting, zmtp-version, zmtp-mechanism, zmtp-ready, zmtp-command, zmtp-more,
 * zmtp-flags; RG_LIMIT zmtp-frame-too-large. After an error every further feed fails the same way.
 */
#ifndef RG_CORE_ZMTP_H
#define RG_CORE_ZMTP_H

#include "core/buffer.h"
#include "core/limits.h"

struct rg_guard { /* by value; zeroed = at the start */
    uint8_t state;
    uint8_t held_len;
    uint8_t flags;      /* of the present frame */
    bool ready;         /* READY seen */
    uint8_t held[32];   /* what the present state waits for */
    uint64_t skip;      /* body bytes of the present frame still to come */
    uint64_t messages;  /* whole message frames seen */
    const char *failed; /* reason id once refused */
};

RG_MUST_USE rg_outcome rg_guard_feed(struct rg_guard *guard, struct rg_bytes bytes,
                                     struct rg_reason *why);

#endif
