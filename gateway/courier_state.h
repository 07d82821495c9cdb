/*
 * NAME
 *   courier_state - what the files of the courier share; nobody else includes this
 *
 * DESCRIPTION
 *   courier.c           life, batches, the notary, what comes in
 *   courier_queue.c     what goes out
 *   courier_log.c       appending entries, heads, building and checking receipts
 *   courier_session.c   Hello, duplicate sessions, documents
 *   courier_message.c   Submit and Transfer: the rules and the first answer
 *   courier_outbox.c    window, Transfer, answers of peers, expiry and closing
 *   courier_mailbox.c   Deliver, Status, Collected
 *
 * ERRORS
 *   Handlers of frames return RG_MALFORMED, RG_LIMIT, RG_DENIED for what the peer did wrong (it
 *   gets a Fault), RG_AGAIN and RG_IO when the store could not (the batch is undone), RG_BROKEN.
 */
#ifndef RG_GATEWAY_COURIER_STATE_H
#define RG_GATEWAY_COURIER_STATE_H

#include "core/digest.h"
#include "core/tlog.h"
#include "gateway/courier.h"

#define ENTRY_BYTES_MAX 320 /* an encoded LogEntry */
#define RECENT_ENTRIES 4096 /* kept in memory: everything a batch answers */
#define FLIGHTS_MAX 1024    /* unanswered Transfers of a session */
#define MAILS_MAX 256       /* unconfirmed mails of a session */
#define LANE_ROWS 32        /* outbox rows read at once */
#define BODIES_KEPT 2048    /* bodies between Submit and Transfer, by key */
#define BODIES_KEPT_BYTES (16 * RG_MIB)
#define THREADS_KEPT 4096
#define BOXES_MAX 64             /* boxes that got mail in one batch; more: all are looked at */
#define OFFICES_COUNTED_MAX 1024 /* quotas in memory */
#define CONTROLS_MAX 512         /* queued events; more are dropped */
#define RECEIPT_FRAME_BYTES (192 * RG_KIB)
#define BATCH_LEAVES_MAX (RG_TREE_UNDO_LEAVES / 2) /* one frame adds at most 1024 */
#define UNSIGNED_IDLE 1024                /* leaves that nobody waits for are signed by then */
#define HEADS_MAX (16 * RG_COUNTRIES_MAX) /* of all epochs */
#define PEER_HEAD_MS_MIN 60000            /* a peer's newest head is logged at most so often */
#define DAY_MS 86400000LL

/* A call of the store. */
#define STORE(courier, op, ...) ((courier)->store->ops->op((courier)->store, __VA_ARGS__))

struct courier_flight { /* waits for its answer */
    struct rg_id id;
    uint64_t key;
    uint32_t bytes, attempts;
    enum rg_priority priority;
    bool answered;
    struct rg_mono sent_at;
    char from_office[RG_OFFICE_BYTES];
};

struct courier_mail { /* waits for its confirmation */
    uint64_t position;
    uint32_t bytes;
};

struct courier_frame { /* encoded, waits for the socket */
    struct courier_frame *next;
    struct rg_buffer bytes;
};

struct courier_peer;

struct courier_session {
    struct rg_session_id id;
    struct rg_principal principal;
    struct courier_peer *peer; /* gateways, when ready */
    bool dialled, ready, said_hello, blocked;
    const char *closing; /* reason: closed when its queue is empty */
    bool said_other;     /* in this batch: more than Submits and Transfers */
    unsigned garbage;
    struct rg_mono up_at, progress_at;
    /* our head as the peer knows it; the peer's head as our Hello said */
    uint64_t sent_size;
    struct rg_head hello_head;
    /* answers that wait for the notary */
    uint64_t *answer;
    size_t answer_count, answer_capacity;
    /* window */
    uint64_t window_bytes, in_flight_bytes;
    struct courier_flight *flight; /* ring of FLIGHTS_MAX, gateways only */
    size_t flight_first, flight_count;
    uint64_t newest_key[RG_EMERGENCY + 1]; /* sent in this session, by priority */
    /* mail */
    char box[RG_OFFICE_BYTES];
    char device[RG_CURSOR_DEVICE_BYTES];
    uint64_t mail_sent, mail_confirmed;
    bool mail_more, cursor_dirty;
    struct courier_mail mail[MAILS_MAX]; /* ring */
    size_t mail_first, mail_count;
    /* queue to the socket */
    struct courier_frame *queue_first, *queue_last;
    size_t queue_bytes;
};

struct courier_lane { /* one priority of one peer's outbox */
    uint64_t after;
    bool more;
    struct rg_outbox_row row[LANE_ROWS];
    size_t at, count;
};

struct courier_peer {
    char country[RG_COUNTRY_BYTES];
    struct rg_head held, held_committed; /* newest of its log; size 0: none */
    struct rg_mono head_log_after;       /* it is not logged before */
    struct courier_session *session;
    struct courier_lane lane[RG_EMERGENCY + 1];
    uint64_t waiting, waiting_committed;
    struct rg_mono rescan_at; /* deferred rows are looked at again; 0: never */
};

struct courier_entry {
    uint64_t index;
    size_t len;
    uint8_t bytes[ENTRY_BYTES_MAX];
};

struct courier_body {
    uint64_t key;
    struct rg_buffer bytes;
};

struct courier_thread {
    bool used, absent; /* absent: looked for and not there */
    struct rg_thread_id id;
    struct rg_thread_offices offices;
};

#define QUOTA_NAME_BYTES (RG_OFFICE_BYTES + 1)
struct courier_quota {
    char office[QUOTA_NAME_BYTES]; /* "th/rescue", or "!th/rescue": across a border in an emergency
                                    */
    uint64_t count, committed;
};

struct courier_control { /* an output that is not a frame */
    enum rg_courier_out_kind kind;
    struct rg_session_id session;
    struct rg_courier_event event;
    struct rg_document document;
};

struct courier_asked { /* for NotNow when the batch is undone */
    struct rg_session_id session;
    struct rg_id id;
};

/* Receipts being put together. */
struct courier_receipts {
    struct rg_receipts receipts;
    struct rg_proven_entry entry[RG_RECEIPT_ENTRIES_MAX];
    uint8_t old[RG_RECEIPT_ENTRIES_MAX][ENTRY_BYTES_MAX]; /* entries that are not recent */
    size_t bytes;
};

/* One entry of another log, proven. */
struct courier_evidence {
    const struct rg_receipts *receipts;
    const struct rg_proven_entry *proven;
    struct rg_log_entry entry;
};

struct rg_courier {
    struct rg_courier_options options;
    struct rg_trust *trust;
    struct rg_store *store;
    char principal[RG_PRINCIPAL_BYTES];

    struct courier_session *session[RG_COURIER_SESSIONS_MAX];
    size_t session_count;
    struct courier_peer *peer[RG_COUNTRIES_MAX];
    size_t peer_count;

    /* the log */
    struct rg_tree *tree;
    uint64_t committed_size;
    struct rg_head head;
    uint64_t forks, forks_committed; /* proofs held against others */
    struct rg_buffer leaves;         /* leaf hashes that the notary may lack, from leaves_from on */
    uint64_t leaves_from;
    bool notary_asked;  /* a first answer has come: its size is leaves_from */
    bool notary_failed; /* the last request; until one is answered */
    bool notary_rests;  /* after a failure, until the next tick */
    bool notary_wanted, alarmed;
    uint64_t wanted_size; /* somebody waits for a head of this size; the rest waits for a tick */
    struct courier_entry *recent;
    struct courier_receipts *building;

    /* the batch */
    bool open;
    bool cursors_due; /* write them even if nothing else is written */
    size_t frames;
    struct courier_asked asked[RG_BATCH_FRAMES_MAX];
    size_t asked_count;
    char dirty_box[BOXES_MAX][RG_OFFICE_BYTES];
    size_t dirty_count;
    bool all_dirty;

    /* bounded memories */
    struct courier_body *body;
    size_t body_bytes;
    struct courier_thread *thread;
    struct courier_quota *quota;
    size_t quota_count;
    int64_t quota_day;

    /* outputs */
    struct courier_control *control; /* ring of CONTROLS_MAX */
    size_t control_first, control_count;
    struct courier_control *showing; /* what out_peek gave */
    struct courier_session *showing_session;
    size_t next_session;

    struct rg_mono ticked_at;
    struct rg_mono erase_at, cards_at; /* when the next piece of retention is due */
    uint64_t settled_key;              /* of the walk over the bodies; 0: from the start */
    struct rg_wall checked_at, wall;   /* wall: of the last thing that came in */
    struct rg_buffer scratch, scratch_body;
    uint64_t accepted_told, received_told;
    struct rg_courier_status count;
};

/* courier.c */
rg_outcome rg_courier_begin(struct rg_courier *courier, struct rg_reason *why);
void rg_courier_close(struct rg_courier *courier, struct courier_session *session,
                      const char *reason);
void rg_courier_forget(struct rg_courier *courier, const struct courier_session *session);
rg_outcome rg_courier_peer(struct rg_courier *courier, const char *country,
                           struct courier_peer **out, struct rg_reason *why);

/* courier_queue.c */
void rg_courier_text(char *out, size_t size, const char *text);
rg_outcome rg_courier_send(struct rg_courier *courier, struct courier_session *session,
                           const struct rg_frame *frame, size_t *bytes_out, struct rg_reason *why);
void rg_courier_fault(struct rg_courier *courier, struct courier_session *session,
                      enum rg_refusal code, const struct rg_reason *why);
rg_outcome rg_courier_not_now(struct rg_courier *courier, struct courier_session *session,
                              const struct rg_id *id, enum rg_refusal code, struct rg_reason *why);
/* NULL when the ring is full. */
struct courier_control *rg_courier_control(struct rg_courier *courier,
                                           enum rg_courier_out_kind kind);
void rg_courier_event(struct rg_courier *courier, const struct rg_courier_event *event);
void rg_courier_event_reason(struct rg_courier *courier, enum rg_courier_event_kind kind,
                             const char *who, const char *reason, uint64_t number);
void rg_courier_queue_drop(struct courier_session *session);
void rg_courier_controls_drop(struct rg_courier *courier);

/* courier_retention.c */
rg_outcome rg_courier_retain(struct rg_courier *courier, struct rg_now now, struct rg_reason *why);

/* courier_log.c */
rg_outcome rg_courier_log_load(struct rg_courier *courier, struct rg_reason *why);
rg_outcome rg_courier_log_append(struct rg_courier *courier, struct rg_log_entry *entry,
                                 uint64_t *index_out, struct rg_reason *why);
void rg_courier_log_undo(struct rg_courier *courier);
/* Somebody waits for a head that covers this leaf. */
void rg_courier_head_want(struct rg_courier *courier, uint64_t leaf);
bool rg_courier_origin(const struct rg_courier *courier, char out[RG_ORIGIN_BYTES]);
/* Start with our newest head and the proof that it extends what this session knows of us. */
rg_outcome rg_courier_receipts_begin(struct rg_courier *courier,
                                     const struct courier_session *session,
                                     struct courier_receipts *out, struct rg_reason *why);
rg_outcome rg_courier_receipts_add(struct rg_courier *courier, struct courier_receipts *receipts,
                                   uint64_t leaf, bool *found_out, struct rg_reason *why);
/* The frame with these receipts has been queued: the session knows that head now. */
void rg_courier_receipts_sent(struct rg_courier *courier, struct courier_session *session);
/* The head of what a peer gateway sent: signature, consistency with the one held. */
rg_outcome rg_courier_head_check(struct rg_courier *courier, struct courier_session *session,
                                 const struct rg_receipts *receipts, struct rg_reason *why);
/* Two heads of one log that do not fit, both signed by its key: kept as proof, once per log. */
rg_outcome rg_courier_fork_heads(struct rg_courier *courier, const struct rg_head *held,
                                 const struct rg_head *shown, struct rg_reason *why);
/* Keeps what `fork` shows; counted when it is the first of its subject. */
rg_outcome rg_courier_fork_keep(struct rg_courier *courier, struct rg_fork *fork,
                                struct rg_reason *why);
/* In our log: which head of that peer we hold. Seldom, since it says no more than the one before.
 */
rg_outcome rg_courier_peer_head_log(struct rg_courier *courier, struct courier_peer *peer,
                                    struct rg_now now, struct rg_reason *why);
/* The epoch in a head of that country's log; 0: it is of another log. */
uint64_t rg_courier_epoch(const struct rg_courier *courier, const char *country,
                          const struct rg_head *head);
/* One entry under a head that has been checked. */
rg_outcome rg_courier_entry_check(const struct rg_receipts *receipts,
                                  const struct rg_proven_entry *proven,
                                  struct courier_evidence *out, struct rg_reason *why);
/* Keep it as Receipts bytes without consistency. */
rg_outcome rg_courier_proof_keep(struct rg_courier *courier, uint64_t key,
                                 const struct courier_evidence *evidence, bool *fresh_out,
                                 struct rg_reason *why);
/* A head of ours or of a third country that a peer shows in Hello. */
rg_outcome rg_courier_head_shown(struct rg_courier *courier, struct courier_session *session,
                                 const struct rg_head *head, struct rg_reason *why);
rg_outcome rg_courier_answers_release(struct rg_courier *courier, struct courier_session *session,
                                      struct rg_reason *why);
rg_outcome rg_courier_answer(struct rg_courier *courier, struct courier_session *session,
                             uint64_t leaf, struct rg_reason *why);

/* courier_session.c */
rg_outcome rg_courier_hello_send(struct rg_courier *courier, struct courier_session *session,
                                 struct rg_now now, struct rg_reason *why);
rg_outcome rg_courier_hello(struct rg_courier *courier, struct courier_session *session,
                            const struct rg_frame *frame, struct rg_now now, struct rg_reason *why);
rg_outcome rg_courier_want(struct rg_courier *courier, struct courier_session *session,
                           const struct rg_frame *frame, struct rg_now now, struct rg_reason *why);
rg_outcome rg_courier_document_frame(struct rg_courier *courier, struct courier_session *session,
                                     const struct rg_frame *frame, struct rg_now now,
                                     struct rg_reason *why);
rg_outcome rg_courier_document_take(struct rg_courier *courier, struct courier_session *from,
                                    const struct rg_document *document, struct rg_now now,
                                    struct rg_reason *why);
void rg_courier_trust_order(struct rg_courier *courier, const struct rg_document *document);

/* courier_message.c */
rg_outcome rg_courier_submit(struct rg_courier *courier, struct courier_session *session,
                             const struct rg_frame *frame, struct rg_now now,
                             struct rg_reason *why);
rg_outcome rg_courier_transfer(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why);
void rg_courier_body_keep(struct rg_courier *courier, uint64_t key, struct rg_bytes body);
void rg_courier_body_forget(struct rg_courier *courier, uint64_t key);
rg_outcome rg_courier_body(struct rg_courier *courier, uint64_t key, struct rg_bytes *out,
                           bool *found_out, struct rg_reason *why);
rg_outcome rg_courier_quota_flush(struct rg_courier *courier, struct rg_reason *why);

/* courier_outbox.c */
void rg_courier_outbox_wake(struct courier_peer *peer);
rg_outcome rg_courier_outbox_pump(struct rg_courier *courier, struct courier_session *session,
                                  struct rg_now now, struct rg_reason *why);
rg_outcome rg_courier_receipts(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why);
rg_outcome rg_courier_peer_not_now(struct rg_courier *courier, struct courier_session *session,
                                   const struct rg_frame *frame, struct rg_now now,
                                   struct rg_reason *why);
rg_outcome rg_courier_close_request(struct rg_courier *courier, struct courier_session *session,
                                    const struct rg_frame *frame, struct rg_now now,
                                    struct rg_reason *why);
rg_outcome rg_courier_expire(struct rg_courier *courier, struct rg_now now, struct rg_reason *why);
void rg_courier_window_grow(struct courier_session *session, uint64_t bytes, int64_t round_ms);

/* courier_mailbox.c */
rg_outcome rg_courier_mail_add(struct rg_courier *courier, const char *box, struct rg_mail mail,
                               struct rg_reason *why);
rg_outcome rg_courier_mail_start(struct rg_courier *courier, struct courier_session *session,
                                 struct rg_reason *why);
rg_outcome rg_courier_mail_pump(struct rg_courier *courier, struct courier_session *session,
                                struct rg_now now, struct rg_reason *why);
rg_outcome rg_courier_mail_flush(struct rg_courier *courier, struct rg_reason *why);
void rg_courier_mail_wake(struct rg_courier *courier);
/* The session goes: its cursor is put into the next batch. */
void rg_courier_mail_leave(struct rg_courier *courier, const struct courier_session *session);
rg_outcome rg_courier_collected(struct rg_courier *courier, struct courier_session *session,
                                const struct rg_frame *frame, struct rg_now now,
                                struct rg_reason *why);
rg_outcome rg_courier_status_seen(struct rg_courier *courier, struct courier_session *session,
                                  const struct rg_frame *frame, struct rg_now now,
                                  struct rg_reason *why);

#endif
