/*
 * NAME
 *   store - the durable state of a gateway, behind one interface
 *
 * SYNOPSIS
 *   store->ops->begin(store, why)
 *   store->ops->message_add(store, &message, body, why) ... every other write
 *   store->ops->commit(store, why)           or store->ops->rollback(store)
 *   store->ops->message_find(store, &id, &message, &found, why) ... reads, at any time
 *   store->ops->close(store)
 *
 * DESCRIPTION
 *   An implementation has `struct rg_store` as its first member and sets `ops`. Writes are made
 *   only between begin and commit; reads see the writes of the open batch. What is kept:
 *
 *   messages   monotone integer key; one unique index, on id; body apart. The row never changes:
 *              it is the first answer (leaf and code), and the first answer is the same for ever.
 *   leaves     index (dense from 0), SHA-256 of the LogEntry, the LogEntry (may be destroyed)
 *   tiles      root of each complete run of 256 leaves: start-up reads these and one partial tile
 *   outbox     what a peer country's gateway still has to answer, by (country, priority, key);
 *              a row goes when the answer is verified. Index on expires for kind TRANSFER.
 *   mail       one ordered list per box. A box is an office ("kh/focal") or, for what goes to a
 *              peer gateway beside receipts, that gateway ("th/gateway"). Positions start at 1 and
 *              grow by 1 in each box.
 *   cursors    per box and device: everything up to there is stored by that device
 *   threads, decisions, collected, proofs, heads, documents, forks, quotas    see each call
 *
 *   Table and index layout for speed: monotone keys, no row per Merkle node, random keys only in
 *   the unique index on id and in threads and decisions.
 *
 * OWNERSHIP
 *   Rows are caller's memory; `rg_bytes` given are read during the call; buffers given are
 *   appended to (callers clear them first) and stay the caller's. The courier borrows the store.
 *
 * ERRORS
 *   begin, reads, writes: RG_AGAIN store-full (disk full) or store-busy, RG_IO store-*; the batch
 *   must then be rolled back, after which all is as before begin. commit: RG_AGAIN or RG_IO when it
 *   is known that nothing was written (the batch is then still open: roll back); RG_BROKEN when it
 *   is not known, or after a failed fsync: the process ends and starts again. RG_BROKEN
 *   store-corrupt from any call. An absent row is not an error: `found_out` is false.
 *
 * THREADS
 *   One store, one thread.
 */
#ifndef RG_GATEWAY_STORE_H
#define RG_GATEWAY_STORE_H

#include "core/trust.h"
#include "core/wire.h"

struct rg_store;

enum rg_way { RG_WAY_OUT = 1, RG_WAY_IN, RG_WAY_DOMESTIC };

/* Leaf numbers of absent things. */
#define RG_LEAF_NONE UINT64_MAX

struct rg_message {
    uint64_t key; /* set by message_add: monotone, from 1 */
    struct rg_id id;
    enum rg_way way;
    enum rg_refusal refusal; /* NONE: accepted or received. CLOSED: a tombstone made by closing */
    uint64_t answer_leaf;    /* the first answer: ACCEPTED, RECEIVED, REFUSED or CLOSED */
    uint64_t received_leaf;  /* DOMESTIC and accepted: its RECEIVED; else RG_LEAF_NONE */
    enum rg_priority priority;
    struct rg_wall expires, collect_by;
    char from_office[RG_OFFICE_BYTES];
    char from_country[RG_COUNTRY_BYTES]; /* of the gateway it came from; for OUT our own */
    char to_country[RG_COUNTRY_BYTES];
    char to_office[RG_TO_OFFICES_MAX][RG_OFFICE_BYTES];
    size_t to_office_count;
};

/* The mailbox of the addressee keeps it until collect-by, whoever may come for it; the sender's
 * gateway needs it as long as it may be transferred. */
static inline struct rg_wall rg_message_kept_until(const struct rg_message *message)
{
    return message->way == RG_WAY_OUT ? message->expires : message->collect_by;
}

enum rg_outbox_kind {
    RG_OUTBOX_TRANSFER = 1, /* Transfer until answered */
    RG_OUTBOX_CLOSE,        /* expired: CloseRequest until answered */
};
struct rg_outbox_row {
    uint64_t key; /* of the message */
    enum rg_outbox_kind kind;
    char country[RG_COUNTRY_BYTES];
    enum rg_priority priority;
    uint64_t leaf; /* TRANSFER: ACCEPTED; CLOSE: UNCONFIRMED */
    struct rg_wall expires;
    struct rg_wall next_try; /* not before; 0 at first */
    uint32_t attempts;
    uint32_t body_bytes;
    /* Filled from the message by outbox_next and outbox_expired, ignored by outbox_add: */
    struct rg_id id;
    char from_office[RG_OFFICE_BYTES];
};

enum rg_mail_kind {
    RG_MAIL_DELIVER = 1, /* message `key`; `leaf` = its RECEIVED in our log, in a copy for the
                            sender's colleagues its ACCEPTED */
    RG_MAIL_STATUS_OWN,  /* entry `leaf` of our log about message `key` */
    RG_MAIL_STATUS_PEER, /* proof (`key`, `entry_kind`, `leaf`) of the peer's log */
    RG_MAIL_COLLECTED,   /* to a peer gateway: our COLLECTED at `leaf` */
};
struct rg_mail {
    uint64_t position; /* set by mail_add */
    enum rg_mail_kind kind;
    uint64_t key;
    uint64_t leaf;
    enum rg_entry_kind entry_kind;
};

struct rg_thread_offices {
    char office[2][RG_OFFICE_BYTES]; /* first the one that began it */
};

/* Proof against whoever signed both: two heads of one log that do not fit together, or two trust
 * documents with one counter. Anybody can check it. */
enum rg_fork_kind {
    RG_FORK_LOG = 1,  /* two C2SP notes; subject: the log's origin */
    RG_FORK_DOCUMENT, /* two Document frames; subject: "page th 2" */
};
#define RG_FORK_SUBJECT_BYTES 96
struct rg_fork {
    enum rg_fork_kind kind;
    char subject[RG_FORK_SUBJECT_BYTES];
    struct rg_wall found;
    struct rg_bytes first, second; /* first: what was held */
};

/* What a box's device is known by: "referral://kh/focal/officer-1#laptop"; "" for a gateway. */
#define RG_CURSOR_DEVICE_BYTES (RG_PRINCIPAL_BYTES + RG_DEVICE_BYTES)

struct rg_store_counts {
    uint64_t messages, bodies, leaves, outbox, mail;
    uint64_t file_bytes;
};

struct rg_store_ops {
    void (*close)(struct rg_store *store); /* an open batch is rolled back */

    rg_outcome (*begin)(struct rg_store *store, struct rg_reason *why);
    rg_outcome (*commit)(struct rg_store *store, struct rg_reason *why);
    void (*rollback)(struct rg_store *store);

    /* Messages. The id must not be there yet. An empty body keeps none (refused, tombstone). */
    rg_outcome (*message_add)(struct rg_store *store, struct rg_message *message,
                              struct rg_bytes body, struct rg_reason *why);
    rg_outcome (*message_find)(struct rg_store *store, const struct rg_id *id,
                               struct rg_message *out, bool *found_out, struct rg_reason *why);
    rg_outcome (*message_get)(struct rg_store *store, uint64_t key, struct rg_message *out,
                              bool *found_out, struct rg_reason *why);
    rg_outcome (*message_body)(struct rg_store *store, uint64_t key, struct rg_buffer *out,
                               bool *found_out, struct rg_reason *why);
    /* Retention: erase up to `max` bodies whose collect_by is before `before` (and checkpoint, so
     * that they are gone from the files). */
    rg_outcome (*bodies_erase)(struct rg_store *store, struct rg_wall before, size_t max,
                               size_t *erased_out, struct rg_reason *why);

    /* Retention of what nobody needs any more: looks at up to `max` bodies with a key above
     * `*after`, by key, and erases those of messages that need be kept only until before `before`
     * (rg_message_kept_until), that no outbox row needs, and that every device known of each box
     * they were put into has stored. `*after` moves on; 0 when the walk is at its end. */
    rg_outcome (*bodies_settle)(struct rg_store *store, struct rg_wall before, size_t max,
                                uint64_t *after, size_t *erased_out, struct rg_reason *why);

    /* Log. `index` is the present size. */
    rg_outcome (*leaf_add)(struct rg_store *store, uint64_t index, const struct rg_hash *entry_hash,
                           struct rg_bytes log_entry, struct rg_reason *why);
    rg_outcome (*leaf_entry)(struct rg_store *store, uint64_t index, struct rg_buffer *out,
                             bool *found_out, struct rg_reason *why);
    /* Entry hashes from `from` on, at most `max`. */
    rg_outcome (*leaves)(struct rg_store *store, uint64_t from, size_t max,
                         struct rg_hash *entry_hash_out, size_t *count_out, struct rg_reason *why);
    rg_outcome (*log_size)(struct rg_store *store, uint64_t *out, struct rg_reason *why);
    rg_outcome (*tile_add)(struct rg_store *store, uint64_t tile, const struct rg_hash *root,
                           struct rg_reason *why);
    rg_outcome (*tiles)(struct rg_store *store, uint64_t from, size_t max, struct rg_hash *root_out,
                        size_t *count_out, struct rg_reason *why);

    /* Outbox. outbox_next: rows of that country and priority with key > `after` and
     * next_try <= `now`, by key. */
    rg_outcome (*outbox_add)(struct rg_store *store, const struct rg_outbox_row *row,
                             struct rg_reason *why);
    rg_outcome (*outbox_next)(struct rg_store *store, const char *country,
                              enum rg_priority priority, uint64_t after, struct rg_wall now,
                              struct rg_outbox_row *out, size_t max, size_t *count_out,
                              struct rg_reason *why);
    rg_outcome (*outbox_get)(struct rg_store *store, uint64_t key, struct rg_outbox_row *out,
                             bool *found_out, struct rg_reason *why);
    rg_outcome (*outbox_defer)(struct rg_store *store, uint64_t key, uint32_t attempts,
                               struct rg_wall next_try, struct rg_reason *why);
    /* TRANSFER rows of any country with expires <= `now`, by expires. */
    rg_outcome (*outbox_expired)(struct rg_store *store, struct rg_wall now,
                                 struct rg_outbox_row *out, size_t max, size_t *count_out,
                                 struct rg_reason *why);
    /* TRANSFER becomes CLOSE with that leaf, next_try 0, attempts 0. */
    rg_outcome (*outbox_close)(struct rg_store *store, uint64_t key, uint64_t leaf,
                               struct rg_reason *why);
    rg_outcome (*outbox_done)(struct rg_store *store, uint64_t key, struct rg_reason *why);
    rg_outcome (*outbox_count)(struct rg_store *store, const char *country, uint64_t *out,
                               struct rg_reason *why);

    /* Mail. `mail->position` is set. mail_next: by position, after `after`. */
    rg_outcome (*mail_add)(struct rg_store *store, const char *box, struct rg_mail *mail,
                           struct rg_reason *why);
    rg_outcome (*mail_next)(struct rg_store *store, const char *box, uint64_t after,
                            struct rg_mail *out, size_t max, size_t *count_out,
                            struct rg_reason *why);
    /* The last position of a box, 0 when empty. */
    rg_outcome (*mail_last)(struct rg_store *store, const char *box, uint64_t *out,
                            struct rg_reason *why);
    rg_outcome (*cursor_get)(struct rg_store *store, const char *box, const char *device,
                             uint64_t *out, struct rg_reason *why); /* 0 when new */
    rg_outcome (*cursor_set)(struct rg_store *store, const char *box, const char *device,
                             uint64_t position, struct rg_reason *why);
    /* Are two devices or more known, by a cursor, at this box? */
    rg_outcome (*box_is_shared)(struct rg_store *store, const char *box, bool *out,
                                struct rg_reason *why);

    /* A thread belongs to exactly two offices. thread_add: not there yet. */
    rg_outcome (*thread_find)(struct rg_store *store, const struct rg_thread_id *thread,
                              struct rg_thread_offices *out, bool *found_out,
                              struct rg_reason *why);
    rg_outcome (*thread_add)(struct rg_store *store, const struct rg_thread_id *thread,
                             const struct rg_thread_offices *offices, struct rg_reason *why);

    /* Which message of `office` decided message `decided`; the first stays. */
    rg_outcome (*decision_find)(struct rg_store *store, const struct rg_id *decided,
                                const char *office, struct rg_id *deciding_out, bool *found_out,
                                struct rg_reason *why);
    rg_outcome (*decision_add)(struct rg_store *store, const struct rg_id *decided,
                               const char *office, const struct rg_id *deciding,
                               struct rg_reason *why);

    /* Once per message and office: `fresh_out` false when it was there. */
    rg_outcome (*collected_add)(struct rg_store *store, uint64_t key, const char *office,
                                uint64_t leaf, bool *fresh_out, struct rg_reason *why);

    /* A peer's proof about a message: Receipts bytes with one entry and no consistency.
     * Once per (message, kind, leaf index in the peer's log): `fresh_out` false when there. */
    rg_outcome (*proof_add)(struct rg_store *store, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_bytes receipts, bool *fresh_out,
                            struct rg_reason *why);
    /* `leaf` RG_LEAF_NONE: the first of that kind. */
    rg_outcome (*proof_get)(struct rg_store *store, uint64_t key, enum rg_entry_kind kind,
                            uint64_t leaf, struct rg_buffer *out, bool *found_out,
                            struct rg_reason *why);

    /* The newest head held of each origin; of our own origin: one that alarmed us. */
    rg_outcome (*head_set)(struct rg_store *store, const struct rg_head *head,
                           struct rg_reason *why);
    rg_outcome (*heads)(struct rg_store *store, struct rg_head *out, size_t max, size_t *count_out,
                        struct rg_reason *why);

    /* Trust documents. A put replaces the one of its kind and country; cards add up, once per
     * SHA-256 of the text. documents_each: charter, pages, domestic pages, stop lists, cards. */
    rg_outcome (*document_put)(struct rg_store *store, const struct rg_document *document,
                               struct rg_reason *why);
    rg_outcome (*documents_each)(struct rg_store *store,
                                 rg_outcome (*each)(void *context,
                                                    const struct rg_document *document,
                                                    struct rg_reason *why),
                                 void *context, struct rg_reason *why);

    /* A key card, by the SHA-256 of its text; absent is fine. */
    rg_outcome (*card_drop)(struct rg_store *store, const struct rg_hash *digest,
                            struct rg_reason *why);

    /* The first of a kind and subject stays: `fresh_out` false when there is one. forks_each: the
     * fork's bytes are valid during `each`, which must not call the store. */
    rg_outcome (*fork_add)(struct rg_store *store, const struct rg_fork *fork, bool *fresh_out,
                           struct rg_reason *why);
    rg_outcome (*forks_each)(struct rg_store *store,
                             rg_outcome (*each)(void *context, const struct rg_fork *fork,
                                                struct rg_reason *why),
                             void *context, struct rg_reason *why);

    /* How many messages an office (with "!" before it: in emergencies across a border) has had
     * answered on a day (days since 1970, UTC). */
    rg_outcome (*quota_get)(struct rg_store *store, const char *office, int64_t day, uint64_t *out,
                            struct rg_reason *why); /* 0 when new */
    rg_outcome (*quota_set)(struct rg_store *store, const char *office, int64_t day, uint64_t count,
                            struct rg_reason *why); /* older days may go */

    rg_outcome (*counts)(struct rg_store *store, struct rg_store_counts *out,
                         struct rg_reason *why);
};

struct rg_store {
    const struct rg_store_ops *ops;
};

#endif
