/*
 * NAME
 *   db - SQLite as the store needs it: prepared statements, typed values, batches, outcomes
 *
 * SYNOPSIS
 *   rg_db_open(&options, &db, why)
 *   rg_db_begin(db, why)
 *   rg_db_write(db, SQL_LEAF_ADD, RG_VALUES(rg_value_count(7), rg_value_bytes(data, len)), why)
 *   rg_db_commit(db, why)  or  rg_db_rollback(db)
 *   RG_ROW *row = NULL; rg_db_first(db, SQL_X, RG_VALUES(...), &row, &found, why)
 *   rg_db_close(db)
 *
 * DESCRIPTION
 *   Statements are known by their place in the caller's table of SQL texts, prepared when first
 * needed and kept. WAL, synchronous=FULL, secure_delete=ON, one writer.
 *
 * OWNERSHIP
 *   Values are borrowed for the call. A row belongs to the db and is valid until it is stepped or
 *   its RG_ROW goes out of scope.
 *
 * ERRORS
 *   RG_AGAIN store-full, store-busy, store-batch-failed (an earlier write failed: roll back);
 *   RG_IO store-io; RG_DENIED store-read-only; RG_BROKEN store-corrupt, store-constraint,
 *   store-no-batch, store-commit-unknown, store-checkpoint-unknown (a write or fsync failed in
 * COMMIT or after it: end the process).
 *
 * THREADS
 *   One db, one thread.
 */
#ifndef RG_GATEWAY_DB_H
#define RG_GATEWAY_DB_H

#include "core/buffer.h"

#include <string.h>

struct rg_db;
typedef struct sqlite3_stmt rg_row;

struct rg_db_options {
    const char *path;
    const char *const *sql; /* static */
    size_t sql_count;       /* at most RG_DB_STATEMENTS_MAX */
    uint64_t bytes_max;     /* 0: what the disk has */
    bool read_only;
};
#define RG_DB_STATEMENTS_MAX 64

RG_MUST_USE rg_outcome rg_db_open(const struct rg_db_options *options, struct rg_db **out,
                                  struct rg_reason *why);
void rg_db_close(struct rg_db *db); /* an open batch is rolled back */
const char *rg_db_path(const struct rg_db *db);
/* Several statements without values. */
RG_MUST_USE rg_outcome rg_db_run(struct rg_db *db, const char *text, struct rg_reason *why);
/* One number from a pragma. */
RG_MUST_USE rg_outcome rg_db_ask(struct rg_db *db, const char *text, int64_t *out,
                                 struct rg_reason *why);

RG_MUST_USE rg_outcome rg_db_begin(struct rg_db *db, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_db_commit(struct rg_db *db, struct rg_reason *why);
void rg_db_rollback(struct rg_db *db);
/* The batch erases content: after its commit the WAL is emptied too. */
void rg_db_erased(struct rg_db *db);

struct rg_value {
    enum { RG_VALUE_NUMBER, RG_VALUE_TEXT, RG_VALUE_BYTES } type;
    int64_t number;
    const void *data;
    size_t len;
};
static inline struct rg_value rg_value_number(int64_t number)
{
    return (struct rg_value){.type = RG_VALUE_NUMBER, .number = number};
}
static inline struct rg_value rg_value_count(uint64_t count) /* UINT64_MAX is stored as -1 */
{
    return (struct rg_value){.type = RG_VALUE_NUMBER, .number = (int64_t)count};
}
static inline struct rg_value rg_value_text(const char *text)
{
    return (struct rg_value){.type = RG_VALUE_TEXT, .data = text, .len = strlen(text)};
}
static inline struct rg_value rg_value_bytes(const void *data, size_t len)
{
    return (struct rg_value){.type = RG_VALUE_BYTES, .data = len == 0 ? "" : data, .len = len};
}
struct rg_values {
    const struct rg_value *value;
    size_t count;
};
#define RG_VALUES(...)                                                                             \
    (struct rg_values)                                                                             \
    {                                                                                              \
        (const struct rg_value[]){__VA_ARGS__},                                                    \
            sizeof((const struct rg_value[]){__VA_ARGS__}) / sizeof(struct rg_value)               \
    }
#define RG_NO_VALUES ((struct rg_values){NULL, 0})

/* A write of the open batch. */
RG_MUST_USE rg_outcome rg_db_write(struct rg_db *db, unsigned sql, struct rg_values values,
                                   struct rg_reason *why);
uint64_t rg_db_last_key(const struct rg_db *db);
size_t rg_db_changes(const struct rg_db *db);

void rg_row_cleanup(rg_row **row);
#define RG_ROW RG_CLEANUP(rg_row_cleanup) rg_row
/* A read; `row_out` before the first row. */
RG_MUST_USE rg_outcome rg_db_start(struct rg_db *db, unsigned sql, struct rg_values values,
                                   rg_row **row_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_db_step(struct rg_db *db, rg_row *row, bool *found_out,
                                  struct rg_reason *why);
/* rg_db_start and the first rg_db_step. */
RG_MUST_USE rg_outcome rg_db_first(struct rg_db *db, unsigned sql, struct rg_values values,
                                   rg_row **row_out, bool *found_out, struct rg_reason *why);
/* The number in the first row, 0 when there is none. */
RG_MUST_USE rg_outcome rg_db_number(struct rg_db *db, unsigned sql, struct rg_values values,
                                    uint64_t *out, struct rg_reason *why);
/* Appends the bytes in the first row. */
RG_MUST_USE rg_outcome rg_db_blob(struct rg_db *db, unsigned sql, struct rg_values values,
                                  struct rg_buffer *out, bool *found_out, struct rg_reason *why);

int64_t rg_row_number(rg_row *row, int column);
uint64_t rg_row_count(rg_row *row, int column);
struct rg_bytes rg_row_bytes(rg_row *row, int column);
/* RG_BROKEN store-corrupt when it is not of that size, or too long. */
RG_MUST_USE rg_outcome rg_row_fixed(rg_row *row, int column, void *out, size_t len,
                                    struct rg_reason *why);
RG_MUST_USE rg_outcome rg_row_text(rg_row *row, int column, char *out, size_t bytes,
                                   struct rg_reason *why);
rg_outcome rg_db_damaged(const char *what, struct rg_reason *why); /* RG_BROKEN store-corrupt */

#endif
