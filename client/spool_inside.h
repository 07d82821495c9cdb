/*
 * NAME
 *   spool_inside - what the two halves of the spool share: the table of statements, one in use
 *
 * SYNOPSIS
 *   QUERY use = {0};
 *   rg_query_begin(spool, ITEM_GET, &use, why); rg_query_number(&use, 1, row);
 *   rg_query_row(&use, &row, why) or rg_query_done(&use, why)
 *
 * DESCRIPTION
 *   A statement is reset when its QUERY leaves scope. What is bound is borrowed until then.
 */
#ifndef RG_CLIENT_SPOOL_INSIDE_H
#define RG_CLIENT_SPOOL_INSIDE_H

#include "client/spool.h"

#include <sqlite3.h>

enum rg_statement {
    VALUE_GET,
    VALUE_SET,
    MESSAGE_ADD,
    BODY_ADD,
    MESSAGE_GET,
    MESSAGE_PREFIX,
    MESSAGE_UPDATE,
    BODY_GET,
    LIST_WAITING,
    LIST_STORED,
    LIST_CASE,
    LIST_ARRIVAL,
    LIST_DEPARTURE,
    JOURNAL,
    THREAD_LAST,
    COUNT_STATES,
    COUNT_PROOFS,
    COUNT_JOURNAL,
    HEAD_FIND,
    HEAD_ADD,
    HEAD_NEWEST,
    HEADS,
    PROOF_ADD,
    PROOFS,
    JOURNAL_ADD,
    ITEM_ADD,
    ITEM_SET,
    ITEM_KEY_SET,
    ITEM_KEY_DELETE,
    ITEM_GET,
    ITEM_FIND,
    ITEM_NEXT,
    ITEM_KEYS,
    HEADER_GET,
    HEADER_ADD,
    BODY_DELETE,
    BODIES,
    LABEL_SET,
    LABEL_GET,
    STATEMENTS,
};

struct rg_spool {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENTS];
    int depth;
    int wal_pages; /* after the last commit */
    bool broken;
};

struct rg_query {
    struct rg_spool *spool;
    sqlite3_stmt *stmt;
};
void rg_query_drop(struct rg_query *use);
#define QUERY RG_CLEANUP(rg_query_drop) struct rg_query

RG_MUST_USE rg_outcome rg_query_begin(struct rg_spool *spool, enum rg_statement which,
                                      struct rg_query *use, struct rg_reason *why);
void rg_query_number(struct rg_query *use, int at, int64_t value);
void rg_query_bytes(struct rg_query *use, int at, const void *data, size_t len);
void rg_query_text(struct rg_query *use, int at, const char *text);
RG_MUST_USE rg_outcome rg_query_row(struct rg_query *use, bool *row_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_query_done(struct rg_query *use, struct rg_reason *why);
struct rg_bytes rg_query_column(struct rg_query *use, int at);
RG_MUST_USE rg_outcome rg_query_fixed(struct rg_query *use, int at, void *out, size_t len,
                                      struct rg_reason *why);
RG_MUST_USE rg_outcome rg_spool_messages_read(struct rg_query *use, struct rg_message_row *out,
                                              size_t max, size_t *count_out, struct rg_reason *why);
void rg_query_column_text(struct rg_query *use, int at, char *out, size_t room);

#endif
