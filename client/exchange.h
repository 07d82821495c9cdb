/*
 * NAME
 *   exchange - the client's side of the protocol, without I/O
 *
 * SYNOPSIS
 *   rg_exchange_new(&options, &exchange, why)
 *   rg_exchange_start(exchange)                     a session is up; nothing is known yet
 *   rg_exchange_take(exchange, bytes, now, why)     one frame came in: the sink is called
 *   while (rg_exchange_room(exchange)) rg_exchange_submit(exchange, id, envelope, why)
 *   rg_exchange_collected / rg_exchange_status_seen      after what was taken is durable
 *   rg_exchange_free(exchange)
 *
 * DESCRIPTION
 *   Input: frames, time, and what is to be sent. Output: calls of the sink, in the order of the
 *   frame. Nothing is told to the sink as proven before it has been verified here: the head's
 *   signature by the log key of the charter, each entry's inclusion, and that a head of our own
 *   gateway extends the last one held. Heads of other countries are compared with the one held:
 *   two roots of one size are a fork, the alarm names both.
 *   The acceptor speaks first: Hello is answered with Hello, then with Want for every newer
 *   document and with our own key cards when the other side lacks them.
 *   At most a window of bytes is unanswered; it grows with the answers.
 *
 * OWNERSHIP
 *   What the sink is shown is borrowed for the call.
 *
 * ERRORS
 *   RG_MALFORMED wire-*, exchange-unexpected, exchange-hello; RG_DENIED proof-*, head-*,
 *   exchange-origin, exchange-fork, exchange-chain: close the session. What the sink returns is
 *   passed on.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_EXCHANGE_H
#define RG_CLIENT_EXCHANGE_H

#include "core/tlog.h"
#include "core/trust.h"
#include "core/wire.h"

struct rg_exchange;

struct rg_proven {       /* one verified log entry */
    const char *country; /* whose log */
    const struct rg_head *head;
    const struct rg_proven_entry *entry;  /* as received */
    const struct rg_log_entry *log_entry; /* decoded */
};

struct rg_delivery {
    uint64_t position;
    const struct rg_envelope *envelope;
    struct rg_proven accepted;      /* sender's gateway */
    struct rg_proven received;      /* our gateway; for a domestic message of the same log, and in
                                       the copy of what a colleague sent `accepted` once more */
    const struct rg_reason *failed; /* not NULL: proofs do not hold; keep the bytes, open nothing */
};

struct rg_exchange_sink {
    void *context;
    rg_outcome (*send)(void *context, struct rg_bytes frame, struct rg_reason *why);
    rg_outcome (*hello)(void *context, const char *principal, struct rg_reason *why);
    /* A new trust document has been taken into use. */
    rg_outcome (*document)(void *context, const struct rg_document *document,
                           struct rg_reason *why);
    /* Accepted, refused, received, collected, closed: about a message of ours. */
    rg_outcome (*proof)(void *context, const struct rg_proven *proven, struct rg_reason *why);
    rg_outcome (*not_now)(void *context, struct rg_id id, enum rg_refusal code,
                          uint32_t retry_after_ms, struct rg_reason *why);
    rg_outcome (*deliver)(void *context, const struct rg_delivery *delivery, struct rg_reason *why);
    /* All proofs of this status have been shown. */
    rg_outcome (*status)(void *context, uint64_t position, struct rg_reason *why);
    /* Keep this head as the newest of its log. */
    rg_outcome (*head)(void *context, const struct rg_head *head, struct rg_reason *why);
    /* Somebody shows two histories, or the gateway reports a fault: for people. */
    void (*alarm)(void *context, const struct rg_reason *why);
};

struct rg_exchange_options {
    struct rg_trust *trust;               /* borrowed; offered new documents */
    const struct rg_principal *principal; /* ours; borrowed */
    const char *device;
    const char *software;
    const struct rg_head *head; /* newest heads held */
    size_t head_count;
    struct rg_exchange_sink sink;
};

RG_MUST_USE rg_outcome rg_exchange_new(const struct rg_exchange_options *options,
                                       struct rg_exchange **out, struct rg_reason *why);
void rg_exchange_free(struct rg_exchange *exchange);
/* A new session: forgets what was unanswered, keeps heads and trust. */
void rg_exchange_start(struct rg_exchange *exchange);
RG_MUST_USE rg_outcome rg_exchange_take(struct rg_exchange *exchange, struct rg_bytes frame,
                                        struct rg_wall now, struct rg_reason *why);
bool rg_exchange_up(const struct rg_exchange *exchange); /* both have said Hello */
/* Bytes that may still be sent; 0: wait for answers. */
size_t rg_exchange_room(const struct rg_exchange *exchange);
size_t rg_exchange_unanswered(const struct rg_exchange *exchange); /* messages */
RG_MUST_USE rg_outcome rg_exchange_submit(struct rg_exchange *exchange, struct rg_id id,
                                          struct rg_bytes envelope, struct rg_reason *why);
/* Everything up to `position` is durable here; `opened` has been opened and stored. */
RG_MUST_USE rg_outcome rg_exchange_collected(struct rg_exchange *exchange, uint64_t position,
                                             const struct rg_id *opened, size_t count,
                                             struct rg_reason *why);
RG_MUST_USE rg_outcome rg_exchange_status_seen(struct rg_exchange *exchange, uint64_t position,
                                               struct rg_reason *why);
/* A document of our own (a key card) for the gateway. */
RG_MUST_USE rg_outcome rg_exchange_offer(struct rg_exchange *exchange,
                                         const struct rg_document *document, struct rg_reason *why);

#endif
