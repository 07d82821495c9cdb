/*
 * NAME
 *   courier - the protocol of a gateway as a state machine without I/O
 *
 * SYNOPSIS
 *   rg_courier_new(&options, now, &courier, why)     reads the store, brings the log to memory
 *   rg_courier_document(courier, &document, now, why)   from the trust folder
 *   loop:
 *     rg_courier_session_up / rg_courier_session_gone / rg_courier_frame     what arrived
 *     rg_courier_tick(courier, now, why)                                     once a second or so
 *     rg_courier_commit(courier, now, why)                                   one transaction
 *     if (rg_courier_notary_try(courier, &request)) ask the notary           sign
 *     rg_courier_notary_answer(courier, &answer, now, why)                   when it has answered
 *     while (rg_courier_out_peek(courier, &out))                             act
 *         rg_courier_out_done(courier) or rg_courier_out_blocked(courier)
 *   rg_courier_free(courier)
 *
 * DESCRIPTION
 *   Frames, ticks, commit results and notary answers go in; frames to send, sessions to close,
 *   trust orders for link and events come out; the store is written through gateway/store.h. No
 *   clock, socket, file or random source is used but what the caller gives.
 *
 *   Order that never changes: rows and leaves are committed; the notary appends, persists and
 *   signs; only then do answers come out. A crash between any two steps loses nothing: the peer has
 *   no answer and sends again, and a duplicate gets the stored first answer.
 *
 *   A batch is what was given between two commits, at most RG_BATCH_FRAMES_MAX frames. When the
 *   store says "not now" (disk full) the whole batch is undone: its Submits and Transfers are
 *   answered NotNow, sessions that sent anything else are closed and will say it again.
 *
 *   Outputs stay in order within a session. A session for which the caller says "blocked" (the
 *   socket is full) is passed over until rg_courier_unblock.
 *
 *   The log's head of a session, `from_size` in Receipts: see docs/protocol.md. A valid head of our
 *   own log that is larger than the log or inconsistent with it stops signing for good (event
 *   RG_COURIER_ALARM_OWN_LOG, `alarmed` in the status); every Submit and Transfer is then answered
 *   NotNow.
 *
 * OWNERSHIP
 *   Trust and store are borrowed and must outlive the courier; only the courier offers to the
 *   trust. What out_peek and notary_try hand out is borrowed until the next call of any kind.
 *
 * ERRORS
 *   RG_BROKEN: leave the loop, end the process, start again. RG_AGAIN batch-full from
 *   rg_courier_frame: commit first, then give the frame again. Nothing else: a peer's faults are
 *   answered and become events.
 *
 * THREADS
 *   One thread.
 *
 * LIMITS
 *   RG_COURIER_*, and RG_WINDOW_*, RG_BATCH_* of core/limits.h.
 */
#ifndef RG_GATEWAY_COURIER_H
#define RG_GATEWAY_COURIER_H

#include "core/session.h"
#include "core/trust.h"
#include "core/wire.h"
#include "gateway/store.h"

#define RG_COURIER_SESSIONS_MAX 512
#define RG_COURIER_OUT_BYTES_MAX (16 * RG_MIB) /* per session; more waits: the peer is too slow */
#define RG_COURIER_GARBAGE_MAX 3               /* malformed frames before a session is closed */
#define RG_COURIER_ANSWER_MS_MAX 120000        /* no answer for so long: closed and sent again */
#define RG_COURIER_UNSIGNED_MAX 16384          /* leaves that wait for the notary */

struct rg_courier;

struct rg_now {
    struct rg_wall wall;
    struct rg_mono mono;
};

struct rg_courier_options {
    char country[RG_COUNTRY_BYTES];
    bool exercise;              /* every message must have the same flag */
    uint64_t log_epoch;         /* 0: 1. Origin is the charter's log_origin "/" epoch */
    const char *software;       /* for Hello */
    int64_t skew_ms_max;        /* tolerated difference of clocks; 0: 5 minutes */
    int64_t lifetime_ms_max;    /* created to expires; 0: 60 days */
    int64_t keep_ms_max;        /* expires to collect_by; 0: 30 days */
    int64_t retention_ms;       /* bodies stay so long after collect_by; 0: 30 days */
    uint64_t quota_per_day;     /* answers per office and day; 0: no bound */
    uint64_t emergency_per_day; /* across a border, of an office that crosses only in an
                                 * emergency; counted apart; 0: the same */
    size_t envelope_bytes_max;  /* 0: RG_ENVELOPE_BYTES_MAX */
    struct rg_trust *trust;
    struct rg_store *store;
    void (*random)(void *context, void *out, size_t len);
    void *random_context;
};

RG_MUST_USE rg_outcome rg_courier_new(const struct rg_courier_options *options, struct rg_now now,
                                      struct rg_courier **out, struct rg_reason *why);
void rg_courier_free(struct rg_courier *courier);

/* In. */
struct rg_courier_up {
    struct rg_session_id id;
    struct rg_principal principal; /* as judged by link */
    bool dialled;                  /* by this side */
};
RG_MUST_USE rg_outcome rg_courier_session_up(struct rg_courier *courier,
                                             const struct rg_courier_up *up, struct rg_now now,
                                             struct rg_reason *why);
void rg_courier_session_gone(struct rg_courier *courier, struct rg_session_id id);
/* Link has started anew: every session is gone; all documents go to it as RG_OUT_TRUST. */
void rg_courier_link_ready(struct rg_courier *courier);
RG_MUST_USE rg_outcome rg_courier_frame(struct rg_courier *courier, struct rg_session_id id,
                                        struct rg_bytes bytes, struct rg_now now,
                                        struct rg_reason *why);
/* A document from this gateway's own folder; refused ones are events. */
RG_MUST_USE rg_outcome rg_courier_document(struct rg_courier *courier,
                                           const struct rg_document *document, struct rg_now now,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_courier_tick(struct rg_courier *courier, struct rg_now now,
                                       struct rg_reason *why);
/* True when the batch must be committed before another frame is given. */
bool rg_courier_batch_full(const struct rg_courier *courier);
/* Cheap when nothing was written. */
RG_MUST_USE rg_outcome rg_courier_commit(struct rg_courier *courier, struct rg_now now,
                                         struct rg_reason *why);
/* False: nothing to sign. The request's views are valid until the next call. One request at a time:
 * not before the answer to the last one was given. Frames, ticks and commits may come between. */
bool rg_courier_notary_try(struct rg_courier *courier, struct rg_notary_request *request_out);
/* An unreachable notary is an answer with code RG_IO: asked again at the next tick. */
RG_MUST_USE rg_outcome rg_courier_notary_answer(struct rg_courier *courier,
                                                const struct rg_notary_answer *answer,
                                                struct rg_now now, struct rg_reason *why);

/* Out. */
enum rg_courier_event_kind {
    RG_COURIER_SESSION_READY = 1, /* who; number: sessions now */
    RG_COURIER_SESSION_ENDED,     /* who; reason */
    RG_COURIER_ACCEPTED,          /* number: messages of own offices in this batch */
    RG_COURIER_RECEIVED,          /* number: messages of peers in this batch */
    RG_COURIER_REFUSED,           /* who; code: signed and final */
    RG_COURIER_NOT_NOW,           /* who; code */
    RG_COURIER_PEER_REFUSED,      /* who: peer gateway; code */
    RG_COURIER_PEER_NOT_NOW,      /* who: peer gateway; code */
    RG_COURIER_UNCONFIRMED,       /* who: country; number: how many expired without receipt */
    RG_COURIER_CLOSED,            /* who: peer gateway that asked */
    RG_COURIER_FAULT,             /* who; code; reason: a frame that breaks the protocol */
    RG_COURIER_CLOCK_SKEW,        /* who; number: ms, absolute */
    RG_COURIER_DOCUMENT_NEW,     /* who: country; code: document kind; number: counter, of cards how
                                    many */
    RG_COURIER_DOCUMENT_REFUSED, /* who: country; code: document kind; reason */
    RG_COURIER_PEER_EPOCH,       /* who: peer gateway; number: its new log epoch */
    RG_COURIER_ALARM_PEER_LOG,   /* who: whose log; reason: head-*, proof-consistency */
    RG_COURIER_ALARM_OWN_LOG,    /* who: who showed it; number: its size */
    RG_COURIER_ALARM_NOTARY,     /* reason; number: the notary's size */
    RG_COURIER_STORE_NOT_NOW,    /* reason: a batch was undone */
    RG_COURIER_CONTENT_ERASED,   /* number: sealed bodies, past their retention or needed no more */
};
struct rg_courier_event {
    enum rg_courier_event_kind kind;
    char who[RG_PRINCIPAL_BYTES]; /* a principal, an office or a country; "" when none */
    uint32_t code;                /* enum rg_refusal or enum rg_document_kind; 0 when none */
    uint64_t number;
    char reason[64]; /* a reason id; "" when none */
};

enum rg_courier_out_kind {
    RG_OUT_FRAME = 1,  /* session, frame */
    RG_OUT_CLOSE,      /* session, reason: link and bus forget it; nothing follows */
    RG_OUT_HELLO_SEEN, /* session: link may reset its back-off */
    RG_OUT_TRUST,      /* document: for link */
    RG_OUT_EVENT,      /* event */
};
struct rg_courier_out {
    enum rg_courier_out_kind kind;
    struct rg_session_id session;
    struct rg_bytes frame;
    const char *reason;
    const struct rg_document *document;
    const struct rg_courier_event *event;
};
/* The next thing to do; the same one again until done or blocked. False: nothing now. */
bool rg_courier_out_peek(struct rg_courier *courier, struct rg_courier_out *out);
void rg_courier_out_done(struct rg_courier *courier);
void rg_courier_out_blocked(struct rg_courier *courier); /* only after RG_OUT_FRAME */
void rg_courier_unblock(struct rg_courier *courier);     /* try blocked sessions again */

/* At most so long may the caller sleep before the next tick, in ms. */
int64_t rg_courier_wait_ms(const struct rg_courier *courier, struct rg_now now);

/* For `status` and metrics. */
struct rg_courier_peer_status {
    char country[RG_COUNTRY_BYTES];
    bool connected;
    uint64_t waiting; /* outbox rows without verified answer */
    uint64_t in_flight_bytes, window_bytes;
    uint64_t head_size; /* of its log, newest held; 0: none */
    uint64_t epoch;     /* of that log: more than 1 means that it was begun anew; 0: no head yet */
};
struct rg_courier_status {
    bool alarmed;       /* signing has stopped */
    bool notary_failed; /* last request failed */
    uint64_t forks;     /* proofs held of two heads of one log, two documents with one counter */
    uint64_t log_size, head_size;
    struct rg_head head; /* newest signed; size 0 and origin "" before the first */
    size_t sessions, clients;
    uint64_t accepted, received, refused, verified, collected, not_now, faults,
        erased; /* since start */
    struct rg_courier_peer_status peer[RG_COUNTRIES_MAX];
    size_t peer_count;
};
void rg_courier_status(const struct rg_courier *courier, struct rg_courier_status *out);

#endif
