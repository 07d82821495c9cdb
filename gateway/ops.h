/*
 * NAME
 *   ops - what `referral-gateway status` and a monitor can ask a running gateway
 *
 * SYNOPSIS
 *   rg_ops_listen("runtime/courier/status", &fd, why)       courier
 *   rg_ops_answer(fd, &view)                                 when fd is readable
 *   rg_ops_ask("runtime/courier/status", 2000, &answer, why)     the command
 *
 * DESCRIPTION
 *   Whoever connects to the unix socket is told three texts and cut off: one for people, one JSON
 * object for machines and the newest signed head as a C2SP checkpoint, with a NUL between. Nothing
 * is read from it. The first two say the same: health with
 * the reasons, log size and newest signed head, sessions, per peer what waits, the store's size,
 * counts since start. No principal of a client, no id of a message.
 *
 *   health    ok         it works
 *             degraded   it works, the problems say what somebody should look at
 *             failing    nothing is accepted; the problems say why
 *
 * ERRORS
 *   RG_IO ops-socket (of listen), gateway-away (of ask).
 */
#ifndef RG_GATEWAY_OPS_H
#define RG_GATEWAY_OPS_H

#include "gateway/courier.h"

#define RG_OPS_PROBLEMS_MAX 16

struct rg_ops_problem {
    bool failing;                 /* else degraded */
    char id[64];                  /* "notary", "page-stale" */
    char about[RG_COUNTRY_BYTES]; /* a country, or "" */
    const char *what_next;
};

struct rg_ops_view {
    const char *country;
    bool exercise;
    bool apart; /* three users */
    bool ready; /* link has its port open, the notary has signed */
    uint16_t port;
    int64_t uptime_ms;
    struct rg_courier_status courier;
    struct rg_store_counts store;
    const uint8_t *log_key; /* 32 bytes, public; NULL: no checkpoint is told */
    struct rg_ops_problem problem[RG_OPS_PROBLEMS_MAX];
    size_t problem_count;
};

void rg_ops_problem(struct rg_ops_view *view, const struct rg_ops_problem *problem);
const char *rg_ops_health(const struct rg_ops_view *view); /* "ok", "degraded", "failing" */

RG_MUST_USE rg_outcome rg_ops_text(const struct rg_ops_view *view, struct rg_buffer *out,
                                   struct rg_reason *why);
RG_MUST_USE rg_outcome rg_ops_json(const struct rg_ops_view *view, struct rg_buffer *out,
                                   struct rg_reason *why);

RG_MUST_USE rg_outcome rg_ops_listen(const char *path, int *fd_out, struct rg_reason *why);
void rg_ops_answer(int fd, const struct rg_ops_view *view);

enum rg_ops_part { RG_OPS_TEXT, RG_OPS_JSON, RG_OPS_CHECKPOINT, RG_OPS_PARTS };
struct rg_ops_answer {
    struct rg_buffer part[RG_OPS_PARTS];
};
void rg_ops_answer_drop(struct rg_ops_answer *answer);
RG_MUST_USE rg_outcome rg_ops_ask(const char *path, int wait_ms, struct rg_ops_answer *out,
                                  struct rg_reason *why);

#endif
