/*
 * NAME
 *   late_index - an index on random keys that is written in order, later
 *
 * SYNOPSIS
 *   rg_late_open(db, &options, &index, why)         reads what is not in the index yet
 *   rg_late_begin(index, why)                   with each batch of the db
 *   rg_late_add(index, bytes, key, why)         a new row, within the batch
 *   rg_late_write(index, why)                   last thing before the commit
 *   rg_late_committed(index) or rg_late_rolled_back(index)
 *   rg_late_next(index, bytes, after, &key, &found, why)
 *   rg_late_free(index)
 *
 * DESCRIPTION
 *   A row with a random unique value dirties a page of its own in a B-tree: with 100,000 messages
 *   held that was the dearest part of a message. Here the rows have monotone keys; which row has
 *   which value is kept in memory for the newest RG_LATE_ROWS or so, and goes to the index table in
 *   sorted runs, so that neighbours share a page. Nothing depends on the memory: it is read again
 *   from the rows themselves, which are as durable as ever.
 *
 *   The index holds the first 8 bytes of the value's SHA-256. Different values can share them: the
 *   caller looks at the row, and asks for the next.
 *
 *   `options` names four statements of the db's table:
 *     pending   (key, value) of all rows above the mark, by key
 *     put       values (hash, key): a row of the index, nothing if it is there
 *     find      values (hash, after): the smallest key above `after` with that hash
 *     mark      value (key): all rows up to there are in the index
 *
 * ERRORS
 *   Those of db; RG_IO out-of-memory.
 *
 * THREADS
 *   One, that of the db.
 *
 * LIMITS
 *   About 24 bytes of memory for each of at most about 2 * RG_LATE_ROWS rows.
 */
#ifndef RG_GATEWAY_LATE_INDEX_H
#define RG_GATEWAY_LATE_INDEX_H

#include "gateway/db.h"

#define RG_LATE_ROWS 65536

struct rg_late_index;

struct rg_late_options {
    unsigned pending, put, find, mark; /* numbers in the db's table of statements */
    size_t rows;                       /* 0: RG_LATE_ROWS */
};

RG_MUST_USE rg_outcome rg_late_open(struct rg_db *db, const struct rg_late_options *options,
                                    struct rg_late_index **out, struct rg_reason *why);
void rg_late_free(struct rg_late_index *index);

RG_MUST_USE rg_outcome rg_late_begin(struct rg_late_index *index, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_late_add(struct rg_late_index *index, struct rg_bytes value, uint64_t key,
                                   struct rg_reason *why);
RG_MUST_USE rg_outcome rg_late_write(struct rg_late_index *index, struct rg_reason *why);
void rg_late_committed(struct rg_late_index *index);
void rg_late_rolled_back(struct rg_late_index *index);

/* The smallest key above `after` whose value may be this one. */
RG_MUST_USE rg_outcome rg_late_next(struct rg_late_index *index, struct rg_bytes value,
                                    uint64_t after, uint64_t *key_out, bool *found_out,
                                    struct rg_reason *why);

#endif
