/*
 * NAME
 *   trust - who is who: charter, national pages, stop lists, key cards
 *
 * SYNOPSIS
 *   trust = rg_trust_new()
 *   rg_trust_pin_authority(trust, certificate)  x n, then rg_trust_pin_quorum(trust, m)
 *   rg_trust_suspend(trust, "mm" | "mm/focal")  this country's own decision, from its config
 *   rg_trust_offer(trust, &document, now, &news, why)     the only way in, from disk and wire alike
 *   rg_trust_judge(trust, certificate, RG_USE_SIGN, at, now, &verdict, why)
 *   rg_trust_judge_carried(trust, certificate, at, now, &verdict, why)
 *   rg_trust_readers(trust, office, "identity", now, ...)
 *   rg_trust_free(trust)
 *
 * DESCRIPTION
 *   Documents are libconfig text with detached CMS signatures (docs/protocol.md, "Trust
 * documents"). Order of checks: size, signature, @include and duplicate names, parse, meaning, then
 * what is held already. A certificate is trusted when it fits the use, is within its validity at
 * `at`, chains to a root of its own country (one store per country), is listed in that country's
 * page or domestic page, that page was not out of date at `at` by more than RG_PAGE_GRACE_DAYS, and
 *   neither it nor its office is stopped or suspended. The page is the revocation list.
 *   A chain is verified once per certificate; after that a judgement is a table lookup.
 *   Certificates in a page are parsed when first needed. Cards are kept until they expire.
 *
 *   Time: after `fresh_until` nothing changes but what rg_trust_country says; after `valid_until`
 *   what was trusted goes on for RG_PAGE_GRACE_DAYS; then the country's certificates are refused
 *   for anything newer, while what was signed before stays verifiable. An old page is still taken
 *   in, since it says whom one believed then.
 *
 * OWNERSHIP
 *   What accessors hand out is borrowed until the next rg_trust_offer.
 *
 * ERRORS (of offer; nothing has changed then)
 *   RG_LIMIT document-too-large; RG_MALFORMED settings-*, document-*; RG_DENIED charter-quorum,
 *   charter-authority-doubled, charter-root-shared, charter-pin, charter-counter-back,
 *   charter-fork, root-unconstrained, page-publisher, page-counter-back, page-fork (two pages with
 *   one counter: an alarm with proof, both are in the caller's hands), page-chain, page-foreign
 *   (speaks about another country), stop-publisher, stop-counter-back, stop-fork, stop-adds,
 *   stop-backdated, card-*;
 *   RG_AGAIN document-needs-charter, document-needs-page, document-early (a page of a day to come)
 * ERRORS (of judge), each its own reason in the log
 *   RG_DENIED certificate-unknown-country, certificate-wrong-usage, certificate-not-yet-valid,
 *   certificate-expired, certificate-wrong-root, certificate-unlisted, page-expired,
 *   certificate-stopped, certificate-suspended; in this order.
 *
 * THREADS
 *   One trust belongs to one thread.
 */
#ifndef RG_CORE_TRUST_H
#define RG_CORE_TRUST_H

#include "core/identity.h"
#include "core/wire.h"

struct rg_trust;

struct rg_document { /* owned bytes */
    enum rg_document_kind kind;
    char country[RG_COUNTRY_BYTES]; /* "" for the charter */
    struct rg_buffer text;          /* libconfig text; for a card its DER */
    struct rg_buffer signature[RG_DOCUMENT_SIGNATURES_MAX];
    size_t signature_count;
};
void rg_document_drop(struct rg_document *document);
RG_MUST_USE rg_outcome rg_document_copy(const struct rg_document *from, struct rg_document *out,
                                        struct rg_reason *why);
/* FOLDER/charter.cfg + charter.cfg.N.p7s; FOLDER/page-th.cfg + .p7s; domestic-th.cfg; stop-th.cfg;
 * card-*.der. `each` is called per document in an order that offer accepts (charter, pages by
 * counter, ...). */
RG_MUST_USE rg_outcome rg_document_read_folder(
    const char *folder,
    rg_outcome (*each)(void *context, const struct rg_document *document, struct rg_reason *why),
    void *context, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_document_write(const char *folder, const struct rg_document *document,
                                         struct rg_reason *why); /* durable, same names */

struct rg_trust *rg_trust_new(void);
void rg_trust_free(struct rg_trust *trust);
RG_MUST_USE rg_outcome rg_trust_pin_authority(struct rg_trust *trust,
                                              struct rg_certificate *certificate, /* shared */
                                              struct rg_reason *why);
void rg_trust_pin_quorum(struct rg_trust *trust, size_t m);
void rg_trust_pin_charter(struct rg_trust *trust, struct rg_hash charter);
RG_MUST_USE rg_outcome rg_trust_suspend(struct rg_trust *trust, const char *country_or_office,
                                        struct rg_reason *why);

enum rg_news { RG_NEWS_NONE, RG_NEWS_NEW }; /* NONE: already held, nothing changed */
RG_MUST_USE rg_outcome rg_trust_offer(struct rg_trust *trust, const struct rg_document *document,
                                      struct rg_wall now, enum rg_news *news_out,
                                      struct rg_reason *why);

/* What is held, for Hello: at most RG_HELLO_HOLDINGS_MAX; charter first, then by country. One
 * KEY_CARD row per country: counter = number of cards, digest = SHA-256 of the sorted digests of
 * their reading certificates.
 */
size_t rg_trust_holdings(const struct rg_trust *trust, struct rg_holding *out, size_t max);
/* The at-th document of that kind and country (cards: many); NULL past the last. */
const struct rg_document *rg_trust_document(const struct rg_trust *trust,
                                            enum rg_document_kind kind, const char *country,
                                            size_t at);
/* The same as a peer of `country` may see it: no domestic part and no domestic cards but its own.
 */
size_t rg_trust_holdings_for(const struct rg_trust *trust, const char *country,
                             struct rg_holding *out, size_t max);
/* The counter of the document held, of cards how many are held; 0: none. */
uint64_t rg_trust_counter(const struct rg_trust *trust, enum rg_document_kind kind,
                          const char *country);
/* Is this document (a held one) only for its own country's clients? */
bool rg_trust_is_domestic(const struct rg_trust *trust, const struct rg_document *document);
bool rg_trust_needs(const struct rg_trust *trust,
                    const struct rg_holding *theirs); /* they hold newer or other */

struct rg_verdict {
    struct rg_principal principal;
    bool stopped_later; /* fine at `at`, stopped by now: show a warning */
};
RG_MUST_USE rg_outcome rg_trust_judge(struct rg_trust *trust,
                                      const struct rg_certificate *certificate, enum rg_use use,
                                      struct rg_wall at, struct rg_wall now,
                                      struct rg_verdict *verdict_out, struct rg_reason *why);
/* A signing certificate of an office that no page held here names: a domestic office of another
 * country, whose focal point vouches for it by name. All of rg_trust_judge but the listing holds;
 * an office that a page does name has its officers there and nowhere else (certificate-unlisted).
 */
RG_MUST_USE rg_outcome rg_trust_judge_carried(struct rg_trust *trust,
                                              const struct rg_certificate *certificate,
                                              struct rg_wall at, struct rg_wall now,
                                              struct rg_verdict *verdict_out,
                                              struct rg_reason *why);

enum rg_cross_border { RG_CROSS_NEVER = 0, RG_CROSS_EMERGENCY, RG_CROSS_ALWAYS };
struct rg_endpoint {
    char host[64];
    uint16_t port;
};
#define RG_ENDPOINTS_MAX 4
struct rg_country {
    char code[RG_COUNTRY_BYTES];
    char name[64];                    /* "Thailand", as the charter writes it */
    char log_origin[RG_ORIGIN_BYTES]; /* "referral/th": epoch follows as "/1" */
    uint8_t log_key[32];              /* Ed25519 */
    bool has_page;
    uint64_t page_counter;
    struct rg_hash page_hash; /* SHA-256 of the page text */
    struct rg_wall fresh_until, valid_until;
    struct rg_endpoint endpoint[RG_ENDPOINTS_MAX];
    size_t endpoint_count;
    bool suspended;
};
const struct rg_country *rg_trust_country(const struct rg_trust *trust, const char *code);
const struct rg_country *rg_trust_country_at(const struct rg_trust *trust,
                                             size_t at); /* NULL past the last */
struct rg_office {
    char name[RG_OFFICE_BYTES]; /* "th/focal" */
    char role[24];              /* focal, ngo, health, ... */
    char title[128];            /* display name, UTF-8 */
    enum rg_cross_border cross_border;
    bool domestic;  /* listed in the domestic part only */
    bool suspended; /* stop list or own config */
};
const struct rg_office *rg_trust_office(const struct rg_trust *trust, const char *name);
const struct rg_office *rg_trust_office_at(const struct rg_trust *trust, size_t at);
/* Signing certificates of an office (borrowed), judged by the caller. */
RG_MUST_USE rg_outcome rg_trust_signers(struct rg_trust *trust, const char *office,
                                        struct rg_certificate **out, size_t max, size_t *count_out,
                                        struct rg_reason *why);
/* Reading certificates valid at `now` of the officers of `office` cleared for `class_name`, at most
 * one (the newest) per officer, in the order of the page. `class_name` NULL: of all its officers,
 * whatever they are cleared for. RG_AGAIN readers-none when nobody can read: a card is missing.
 * RG_DENIED readers-office (no such office, or suspended), readers-class (the charter does not let
 * its role read this class), page-expired. RG_LIMIT readers-too-many. */
RG_MUST_USE rg_outcome rg_trust_readers(struct rg_trust *trust, const char *office,
                                        const char *class_name, struct rg_wall now,
                                        struct rg_certificate **out, size_t max, size_t *count_out,
                                        struct rg_reason *why);

#endif
