/*
 * NAME
 *   config - one validated snapshot of a gateway's config file
 *
 * SYNOPSIS
 *   rg_config_read("/etc/referral/gateway-th.cfg", &config, why)
 *   rg_config_problems(path, each, context)      for `check`: everything that is wrong, with line
 *
 * DESCRIPTION
 *   libconfig text through core/settings. Relative paths are relative to the config file's folder.
 * What is in the struct has been checked for form; whether files exist and keys match is looked at
 * by `check` and by the process that opens them. All quantities are strings with a unit.
 *
 *   country   = "th";                     whose gateway this is
 *   listen    = "127.0.0.1:7701";         "[::1]:7701" and port 0 (any) are fine
 *   data      = "data";                   store, notary state, documents taken; created 0700
 *   runtime   = "run";                    local sockets and status; created; must be private
 *   tls       = { certificate = "gateway-tls.pem"; key = "gateway-tls.key"; };
 *   log_key   = "log.key";
 *   trust     = { folder = "trust"; authorities = ("authority/kh.pem", ...); quorum = "2"; };
 *   dial      = true;                     dial partners (default true)
 *   exercise  = false;                    exercise messages only, or never (default false)
 *   limits    = { ... };                  see conf/gateway-th.cfg for every one and its default
 *   users     = { link = "rg-link"; courier = "rg-courier"; notary = "rg-notary"; };
 *   suspend   = ("mm", "vn/focal");       this country's own decision
 *
 * OWNERSHIP
 *   The struct holds everything by value.
 *
 * ERRORS
 *   RG_IO file-unreadable; RG_MALFORMED settings-*, config-value, config-path, config-listen,
 *   config-user, config-country; RG_LIMIT settings-too-large. The text names the key and the line.
 */
#ifndef RG_GATEWAY_CONFIG_H
#define RG_GATEWAY_CONFIG_H

#include "core/buffer.h"
#include "core/limits.h"

#define RG_CONFIG_BYTES_MAX (64 * RG_KIB)
#define RG_CONFIG_PATH_BYTES 512
#define RG_CONFIG_AUTHORITIES_MAX 16
#define RG_CONFIG_SUSPEND_MAX 64
/* A unix socket's path has 108 bytes; the longest name below `runtime` needs 40 of them. */
#define RG_CONFIG_RUNTIME_BYTES 68

struct rg_config_limits {
    int64_t lifetime_ms_max;          /* from a message's `created` to its `expires` */
    int64_t keep_ms_max;              /* from `expires` to `collect_by` */
    int64_t retention_ms;             /* content stays so long after `collect_by` */
    int64_t clock_skew_ms_max;        /* tolerated between us and a peer */
    int64_t dial_ms_min, dial_ms_max; /* back-off between dials */
    int64_t hello_ms_max;
    uint64_t store_bytes_max;        /* 0: as much as the disk has */
    uint64_t envelope_bytes_max;     /* one message */
    uint64_t office_messages_day;    /* per office and day; 0: no quota */
    uint64_t emergency_messages_day; /* of an office that crosses only in an emergency */
    uint64_t sessions_max, sessions_per_address, sessions_per_principal;
};

struct rg_config_user { /* resolved from a name; not `set`: stay who we are */
    bool set;
    char name[32];
    uint32_t uid, gid;
};

struct rg_config {
    char file[RG_CONFIG_PATH_BYTES];
    struct rg_hash digest; /* of the text: has it changed? */
    char country[RG_COUNTRY_BYTES];
    char principal[RG_PRINCIPAL_BYTES]; /* "referral://th/gateway" */
    char listen_host[64];
    uint16_t listen_port;
    char data[RG_CONFIG_PATH_BYTES];
    char runtime[RG_CONFIG_RUNTIME_BYTES];
    char tls_certificate[RG_CONFIG_PATH_BYTES];
    char tls_key[RG_CONFIG_PATH_BYTES];
    char log_key[RG_CONFIG_PATH_BYTES];
    char trust_folder[RG_CONFIG_PATH_BYTES];
    char authority[RG_CONFIG_AUTHORITIES_MAX][RG_CONFIG_PATH_BYTES];
    size_t authority_count;
    uint64_t quorum;
    bool dial, exercise;
    struct rg_config_limits limits;
    struct rg_config_user user_link, user_courier, user_notary;
    char suspend[RG_CONFIG_SUSPEND_MAX][RG_OFFICE_BYTES]; /* "mm" or "vn/focal" */
    size_t suspend_count;
};

RG_MUST_USE rg_outcome rg_config_read(const char *path, struct rg_config *out,
                                      struct rg_reason *why);
/* As rg_config_read, from text: `file` gives the folder for relative paths and the name in
 * reasons. */
RG_MUST_USE rg_outcome rg_config_parse(struct rg_bytes text, const char *file,
                                       struct rg_config *out, struct rg_reason *why);

/* Paths that several processes must agree on. */
struct rg_config_path {
    char text[RG_CONFIG_PATH_BYTES + 64];
};
struct rg_config_path rg_config_store_path(const struct rg_config *config); /* data/store.db */
/* data/notary/state-1; the epoch in use is the highest that is there */
struct rg_config_path rg_config_notary_state_path(const struct rg_config *config, uint64_t epoch);
struct rg_config_path
rg_config_notary_socket(const struct rg_config *config); /* runtime/notary/ask */
struct rg_config_path rg_config_link_folder(const struct rg_config *config); /* runtime/link */
struct rg_config_path
rg_config_status_path(const struct rg_config *config); /* runtime/courier/status */

#endif
