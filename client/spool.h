/*
 * NAME
 *   spool - the office's folder: durable outbox, inbox, proofs and sealed items in one SQLite file
 *
 * SYNOPSIS
 *   rg_spool_open(path, &spool, why)
 *   rg_spool_step_begin(spool, &step, why) ... rg_spool_step_commit(&step, why)
 *   rg_spool_message_add / rg_spool_waiting / rg_spool_proof_add / rg_spool_journal_add
 *   rg_spool_item_put / rg_spool_item_get / rg_spool_item_destroy      for client/casebook
 *   rg_spool_close(spool)
 *
 * DESCRIPTION
 *   What stands here in the clear is what the gateways see as well: envelopes, proofs, heads,
 *   times of delivery. Everything else is sealed items whose keys stand in rows of their own;
 *   destroying that row is erasure (secure_delete is on). Labels are keyed hashes for look-up.
 *   A step is one durable unit: the outermost commits with fsync, inner ones are savepoints, a step
 *   that is dropped without commit is rolled back. The delivery journal is append-only.
 *
 * OWNERSHIP
 *   Bytes handed out in structs are copied into buffers of the caller.
 *
 * ERRORS
 *   RG_IO spool-unreadable, spool-full; RG_AGAIN spool-busy; RG_DENIED spool-version;
 *   RG_BROKEN spool-commit, spool-corrupt: close, open again.
 *
 * THREADS
 *   One thread per handle. Several processes may open one file.
 */
#ifndef RG_CLIENT_SPOOL_H
#define RG_CLIENT_SPOOL_H

#include "core/vault.h"
#include "core/wire.h"

struct rg_spool;

RG_MUST_USE rg_outcome rg_spool_open(const char *path, struct rg_spool **out,
                                     struct rg_reason *why);
void rg_spool_close(struct rg_spool *spool);
void rg_spool_cleanup(struct rg_spool **spool);

struct rg_spool_step { /* by value; zeroed = none */
    struct rg_spool *spool;
    int depth;
};
RG_MUST_USE rg_outcome rg_spool_step_begin(struct rg_spool *spool, struct rg_spool_step *step,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_step_commit(struct rg_spool_step *step, struct rg_reason *why);
void rg_spool_step_drop(struct rg_spool_step *step); /* rolls back unless committed */
#define RG_SPOOL_STEP RG_CLEANUP(rg_spool_step_drop) struct rg_spool_step

/* Named values: "author-counter", "last-sync", ... */
RG_MUST_USE rg_outcome rg_spool_value_get(struct rg_spool *spool, const char *name,
                                          struct rg_buffer *out, bool *found_out,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_value_set(struct rg_spool *spool, const char *name,
                                          struct rg_bytes value, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_number_get(struct rg_spool *spool, const char *name,
                                           int64_t fallback, int64_t *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_number_set(struct rg_spool *spool, const char *name, int64_t value,
                                           struct rg_reason *why);

enum rg_message_state {
    RG_OUT_WAITING = 1, /* spooled, not yet accepted by our gateway */
    RG_OUT_ACCEPTED,    /* our gateway has it, with proof */
    RG_OUT_RECEIVED,    /* the addressee's gateway has it, with proof */
    RG_OUT_COLLECTED,   /* an officer there has opened it, with proof */
    RG_OUT_REFUSED,     /* for good, with proof */
    RG_OUT_WITHDRAWN,   /* taken back before it was submitted: it does not go */
    RG_IN_STORED = 10,  /* here, not yet opened */
    RG_IN_OPENED,
    RG_IN_UNOPENED, /* checked and refused, or not for us: the reason says why */
};

struct rg_message_row {
    int64_t seq; /* order in this folder */
    struct rg_id id;
    struct rg_thread_id thread;
    enum rg_message_state state;
    bool ours;
    int64_t case_row;            /* 0: none yet */
    int64_t position;            /* theirs: place in the mailbox */
    int64_t time_ms;             /* ours: made; theirs: Accepted */
    int64_t not_before;          /* ours waiting: not before (a not-now of the gateway) */
    int32_t priority;            /* enum rg_priority */
    uint32_t code;               /* refusal code */
    char reason[64];             /* unopened: reason id */
    uint32_t sections;           /* in the envelope */
    char other[RG_OFFICE_BYTES]; /* the office at the other end */
};

/* Envelope and row together. RG_DENIED message-known when the id is here (nothing changed). */
RG_MUST_USE rg_outcome rg_spool_message_add(struct rg_spool *spool, struct rg_message_row *row,
                                            struct rg_bytes envelope, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_message_get(struct rg_spool *spool, struct rg_id id,
                                            struct rg_message_row *out, bool *found_out,
                                            struct rg_reason *why);
/* The one message whose id starts with these hexadecimal digits (at least 8, even count). */
RG_MUST_USE rg_outcome rg_spool_message_by_prefix(struct rg_spool *spool, struct rg_bytes prefix,
                                                  struct rg_message_row *out, bool *found_out,
                                                  struct rg_reason *why);
RG_MUST_USE rg_outcome
rg_spool_message_update(struct rg_spool *spool, const struct rg_message_row *row,
                        struct rg_reason *why); /* state, case, code, reason */
RG_MUST_USE rg_outcome rg_spool_envelope(struct rg_spool *spool, int64_t seq, struct rg_buffer *out,
                                         struct rg_reason *why);
/* Ours that wait to be submitted, of one priority, due at `now_ms`, seq > after, in order. */
RG_MUST_USE rg_outcome rg_spool_waiting(struct rg_spool *spool, enum rg_priority priority,
                                        int64_t now_ms, int64_t after, struct rg_message_row *out,
                                        size_t max, size_t *count_out, struct rg_reason *why);
enum rg_spool_order {
    RG_BY_STORED = 1, /* theirs to open; key unused */
    RG_BY_CASE,       /* key = case row */
    RG_BY_ARRIVAL,    /* theirs; key unused */
    RG_BY_DEPARTURE,  /* ours; key unused */
};
/* Up to `max` rows in that order with seq > after. */
RG_MUST_USE rg_outcome rg_spool_list(struct rg_spool *spool, enum rg_spool_order order, int64_t key,
                                     int64_t after, struct rg_message_row *out, size_t max,
                                     size_t *count_out, struct rg_reason *why);
/* Last message of the thread from one side, for `previous` and `seen`. */
RG_MUST_USE rg_outcome rg_spool_thread_last(struct rg_spool *spool, struct rg_thread_id thread,
                                            bool ours, struct rg_id *out, bool *found_out,
                                            struct rg_reason *why);

struct rg_spool_counts {
    uint64_t waiting, accepted, received, collected, refused, stored, opened, unopened;
    uint64_t proofs, deliveries, duplicates;
};
RG_MUST_USE rg_outcome rg_spool_count(struct rg_spool *spool, struct rg_spool_counts *out,
                                      struct rg_reason *why);

/* ---- proofs ---- */

struct rg_proof_row {
    enum rg_entry_kind kind;
    uint64_t leaf_index;
    struct rg_head head;
    struct rg_proof inclusion;
    int64_t time_ms;
    uint8_t log_entry[512];
    size_t log_entry_len;
};
/* Once per message and kind: a second one changes nothing; `new_out` says which. */
RG_MUST_USE rg_outcome rg_spool_proof_add(struct rg_spool *spool, int64_t seq,
                                          const struct rg_proof_row *proof, bool *new_out,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_proofs(struct rg_spool *spool, int64_t seq,
                                       struct rg_proof_row *out, size_t max, size_t *count_out,
                                       struct rg_reason *why);
/* The newest head kept per log. */
RG_MUST_USE rg_outcome rg_spool_head_keep(struct rg_spool *spool, const struct rg_head *head,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_heads(struct rg_spool *spool, struct rg_head *out, size_t max,
                                      size_t *count_out, struct rg_reason *why);

/* ---- delivery journal: append-only ---- */

RG_MUST_USE rg_outcome rg_spool_journal_add(struct rg_spool *spool, struct rg_id id,
                                            int64_t position, const char *device, int64_t at_ms,
                                            bool entered, struct rg_reason *why);

struct rg_journal_row {
    int64_t row;
    struct rg_id id;
    int64_t position, at_ms;
    bool entered; /* this delivery entered the casebook; else it was a repeat */
    char device[RG_DEVICE_BYTES];
};
RG_MUST_USE rg_outcome rg_spool_journal(struct rg_spool *spool, int64_t after,
                                        struct rg_journal_row *out, size_t max, size_t *count_out,
                                        struct rg_reason *why);

/* ---- sealed items ---- */

enum rg_item_kind { /* stored: the numbers stay */
                    RG_ITEM_CASE = 1,
                    RG_ITEM_RECORD,
                    RG_ITEM_SECTION,
                    RG_ITEM_EXCLUSIONS,  /* one: owner 0, at 0 */
                    RG_ITEM_INDEX,       /* owner 0; at: page */
                    RG_ITEM_NOTE = 10,   /* of a message: what the process needs of it */
                    RG_ITEM_NOTICE = 30, /* owner 0, at 0 */
                    RG_ITEM_HOLD = 20,   /* of a case: what is kept longer, and on which ground */
};
struct rg_item {
    int64_t row;
    enum rg_item_kind kind;
    int64_t owner; /* record: case row; section: message seq */
    int64_t at;    /* section: index */
    uint8_t wrapped[RG_VAULT_WRAPPED_BYTES];
    bool destroyed; /* the key row is gone */
};
/* row 0: new, `row` is filled in. Else the item at `row` gets a new key and new bytes. */
RG_MUST_USE rg_outcome rg_spool_item_put(struct rg_spool *spool, struct rg_item *item,
                                         struct rg_bytes sealed, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_item_get(struct rg_spool *spool, int64_t row, struct rg_item *out,
                                         struct rg_buffer *sealed_out, bool *found_out,
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_item_find(struct rg_spool *spool, enum rg_item_kind kind,
                                          int64_t owner, int64_t at, struct rg_item *out,
                                          struct rg_buffer *sealed_out, bool *found_out,
                                          struct rg_reason *why);
/* The first item of that kind, with owner and place 0, with a row above `after`. */
RG_MUST_USE rg_outcome rg_spool_item_next(struct rg_spool *spool, enum rg_item_kind kind,
                                          int64_t after, struct rg_item *out,
                                          struct rg_buffer *sealed_out, bool *found_out,
                                          struct rg_reason *why);
/* Erasure: the key row is overwritten and deleted, the sealed bytes are emptied. */
RG_MUST_USE rg_outcome rg_spool_item_destroy(struct rg_spool *spool, int64_t row,
                                             struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_label_set(struct rg_spool *spool, struct rg_hash label, int64_t row,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_label_get(struct rg_spool *spool, struct rg_hash label,
                                          int64_t *row_out, bool *found_out, struct rg_reason *why);
/* Live items with a row above `after`, by row, for wrapping their keys anew. */
RG_MUST_USE rg_outcome rg_spool_item_keys(struct rg_spool *spool, int64_t after,
                                          struct rg_item *out, size_t max, size_t *count_out,
                                          struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_item_rewrap(struct rg_spool *spool, const struct rg_item *item,
                                            struct rg_reason *why);

/* ---- sealed bytes of messages ---- */

/* The header, whether or not the sealed bytes are still here. */
RG_MUST_USE rg_outcome rg_spool_header(struct rg_spool *spool, int64_t seq, struct rg_buffer *out,
                                       struct rg_reason *why);
/* Erasure of the sealed bytes: the header stays for proofs and evidence; rg_spool_envelope says
 * message-gone from then on. `done_out`: they were here until now. */
RG_MUST_USE rg_outcome rg_spool_body_strip(struct rg_spool *spool, int64_t seq, bool *done_out,
                                           struct rg_reason *why);
/* Messages that still have their sealed bytes, seq > after, in order. */
RG_MUST_USE rg_outcome rg_spool_bodies(struct rg_spool *spool, int64_t after,
                                       struct rg_message_row *out, size_t max, size_t *count_out,
                                       struct rg_reason *why);
/* Is a step open? */
bool rg_spool_in_step(const struct rg_spool *spool);
/* After many deletions: checkpoint and truncate the write-ahead log. */
RG_MUST_USE rg_outcome rg_spool_tidy(struct rg_spool *spool, struct rg_reason *why);

#endif
