/*
 * NAME
 *   audit - `referral-gateway log`: the log for people, machines and auditors
 *
 * SYNOPSIS
 *   rg_audit_print(&config, RG_AUDIT_TABLE, stdout, why)
 *   rg_audit_verify(&config, &report, why)
 *
 * DESCRIPTION
 *   Reads the store beside a running gateway or without one. A table row or JSON line is one entry:
 * index, time, kind, peer, code, message id; a LogEntry that was destroyed has its hash only.
 *   Verify computes the whole tree again from the stored entries: each LogEntry gives its entry
 * hash, tiles have the roots that are stored, the numbers are dense; then the tree at the size of
 * the newest signed head has that head's root, and the head's signature is by the log key in the
 * config. The head comes from the running gateway; without one only the store is looked at.
 *
 * ERRORS
 *   As the store's; RG_DENIED audit-entry, audit-tile, audit-head: the log is not what was signed.
 */
#ifndef RG_GATEWAY_AUDIT_H
#define RG_GATEWAY_AUDIT_H

#include "core/tlog.h"
#include "gateway/config.h"

#include <stdio.h>

enum rg_audit_form { RG_AUDIT_TABLE, RG_AUDIT_JSON };

RG_MUST_USE rg_outcome rg_audit_print(const struct rg_config *config, enum rg_audit_form form,
                                      FILE *out, struct rg_reason *why);

/* What is held against others: two heads of one log, two documents with one counter. Texts and PEM
 * that stock tools read (docs/operator.md). `count_out`: how many. */
RG_MUST_USE rg_outcome rg_audit_forks(const struct rg_config *config, FILE *out, size_t *count_out,
                                      struct rg_reason *why);

/* The newest signed head as a C2SP note, from the running gateway. RG_IO gateway-away. */
RG_MUST_USE rg_outcome rg_audit_checkpoint(const struct rg_config *config, struct rg_buffer *out,
                                           struct rg_reason *why);

struct rg_audit_report {
    uint64_t size, destroyed, tiles;
    struct rg_hash root;
    bool has_head;
    struct rg_head head;
};
RG_MUST_USE rg_outcome rg_audit_verify(const struct rg_config *config, struct rg_audit_report *out,
                                       struct rg_reason *why);

#endif
