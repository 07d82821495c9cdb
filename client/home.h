/*
 * NAME
 *   home - one officer's folder: client.cfg, keys, reading keys, trust documents
 *
 * SYNOPSIS
 *   rg_home_open(folder, now, &home, why)
 *   rg_home_renew(home, now, &made, why)      a new reading key and its card when one is due
 *   rg_home_keep(home, &document, why)        a trust document that came over the link
 *   rg_home_close(home)
 *
 * DESCRIPTION
 *   client.cfg (libconfig text, docs/client.md) names office, officer, device, gateway, the two
 *   certificates with their keys, and where trust starts. Everything else the library makes:
 *     keys/storage.key     P-256, seals the casebook key (0600)
 *     keys/read-*.key/.der reading keys, 30 days, renewed 10 days before their end
 *     trust/               documents that came over the link, newer than those of trust.folder
 *     casebook.db          client/spool
 *   A reading key is destroyed when every message sealed to it has passed its lifetime:
 *   RG_READING_KEEP_DAYS after its end, and not before the collect-by of what lies here unopened.
 *   The storage key is replaced after an erasure, so that old copies of the folder stay closed.
 *   Keys that go are overwritten and unlinked.
 *
 * ERRORS
 *   RG_IO file-unreadable; RG_MALFORMED settings-*, config-*; RG_DENIED key-*, certificate-*,
 *   config-principal (the certificate speaks for another officer), charter-*, page-*.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_HOME_H
#define RG_CLIENT_HOME_H

#include "client/agreements.h"
#include "client/retention.h"
#include "core/seal.h"

struct rg_trust;
struct rg_document;

#define RG_READING_KEYS_MAX 16
#define RG_READING_DAYS 30
#define RG_READING_OVERLAP_DAYS 10
#define RG_READING_KEEP_DAYS RG_MESSAGE_DAYS_MAX
#define RG_PATH_BYTES 1024

struct rg_home {
    char folder[RG_PATH_BYTES];
    struct rg_principal principal;
    char device[RG_DEVICE_BYTES];
    char gateway[RG_PRINCIPAL_BYTES]; /* the principal that must answer */
    char host[64];
    uint16_t port;
    bool exercise;
    struct rg_retention_terms terms; /* retention */
    struct rg_agreements agreements; /* with whom data may be shared at all */
    char deadlines[RG_PATH_BYTES];   /* file for client/deadlines; "" none named */
    struct rg_certificate *sign, *tls;
    struct rg_key *sign_key, *tls_key, *storage_key;
    struct rg_trust *trust;
    struct rg_certificate *authority[RG_COUNTRIES_MAX]; /* pinned; owned */
    size_t authority_count;
    struct rg_reading_key reading[RG_READING_KEYS_MAX]; /* newest first; owned */
    size_t reading_count;
};

RG_MUST_USE rg_outcome rg_home_open(const char *folder, struct rg_wall now, struct rg_home **out,
                                    struct rg_reason *why);
void rg_home_close(struct rg_home *home);
void rg_home_cleanup(struct rg_home **home);
RG_MUST_USE rg_outcome rg_home_renew(struct rg_home *home, struct rg_wall now, bool *made_out,
                                     struct rg_reason *why);

/* ---- keys that go (home_keys.c) ---- */

/* Of reading[at]: is it so long past its end that no message to it can live? May it open what was
 * sealed then? */
bool rg_home_reading_over(const struct rg_home *home, size_t at, struct rg_wall now);
bool rg_home_reading_opens(const struct rg_home *home, size_t at, struct rg_wall created);
/* Its files are overwritten and unlinked; the later ones move up. */
RG_MUST_USE rg_outcome rg_home_reading_destroy(struct rg_home *home, size_t at,
                                               struct rg_reason *why);
/* Between the two home files: "keys/read-2026-12-24-0123456789abcdef.key". */
void rg_home_reading_name(const struct rg_certificate *certificate, const char *suffix, char *out,
                          size_t room);
void rg_home_reading_forget(struct rg_home *home, size_t at);
/* Key cards in trust/ that ended more than a day ago, and reading keys that a crash has left
 * without their certificate. Only while the folder's sync.lock is held. */
RG_MUST_USE rg_outcome rg_home_sweep(struct rg_home *home, struct rg_wall now, size_t *gone_out,
                                     struct rg_reason *why);

/* `context` is the home: what a casebook asks when it is opened, and when its key has changed. */
RG_MUST_USE rg_outcome rg_home_storage_open(void *context, struct rg_bytes sealed,
                                            struct rg_buffer *plain_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_home_storage_seal(void *context, struct rg_bytes plain,
                                            struct rg_buffer *sealed_out, struct rg_reason *why);
/* Replacing the storage key: begin makes the next one (RG_AGAIN storage-key-busy); seal to `fresh`
 * and commit; done puts it into force and destroys the old one. Dropped without done, nothing is
 * lost: the next begin, or whoever opens, finds out which key is in force. */
struct rg_home_rekey { /* zeroed before use */
    struct rg_home *home;
    struct rg_key *fresh;
    int lock_fd;
};
RG_MUST_USE rg_outcome rg_home_rekey_begin(struct rg_home *home, struct rg_bytes sealed,
                                           struct rg_home_rekey *rekey, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_home_rekey_done(struct rg_home_rekey *rekey, struct rg_reason *why);
void rg_home_rekey_drop(struct rg_home_rekey *rekey);

RG_MUST_USE rg_outcome rg_home_keep(struct rg_home *home, const struct rg_document *document,
                                    struct rg_reason *why);
/* FOLDER/name. RG_LIMIT path-too-long. */
RG_MUST_USE rg_outcome rg_home_path(const struct rg_home *home, const char *name,
                                    char out[RG_PATH_BYTES], struct rg_reason *why);
struct rg_wall rg_wall_now(void);
/* The focal office of a country, by the pages. RG_AGAIN office-unknown: no page of it yet. */
RG_MUST_USE rg_outcome rg_home_focal(const struct rg_home *home, const char *country,
                                     char out[RG_OFFICE_BYTES], struct rg_reason *why);
bool rg_home_is_focal(const struct rg_home *home); /* our own office */
/* Whose log: "th" for "referral/th/1"; "" unknown. */
const char *rg_home_log_country(const struct rg_home *home, const char *origin);

#endif
