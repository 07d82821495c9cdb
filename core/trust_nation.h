/*
 * NAME
 *   trust_nation - what trust keeps about one country, shared by the files trust is split into
 *
 * DESCRIPTION
 *   trust.c takes documents in, trust_judge.c judges with them, trust_card.c keeps key cards,
 *   trust_held.c says what is held. Nobody else includes this.
 */
#ifndef RG_CORE_TRUST_NATION_H
#define RG_CORE_TRUST_NATION_H

#include "core/trust.h"
#include "core/trust_text.h"

struct x509_store_st; /* OpenSSL's X509_STORE; trust_judge is its home */

#define RG_DAY_MS INT64_C(86400000)
#define RG_PAGE_GRACE_MS (RG_PAGE_GRACE_DAYS * RG_DAY_MS)
#define RG_SUSPENSIONS_MAX 256
#define RG_CARDS_MAX 4096 /* of one country: 8 for each of 500 officers */

struct rg_held { /* a document and the digest of its text; all zero: none */
    struct rg_document document;
    struct rg_hash hash;
};

struct rg_card {
    struct rg_held held;
    struct rg_certificate *reading;
    struct rg_hash signer;
};

struct rg_nation {
    struct rg_country country;
    struct x509_store_st *store;              /* this country's roots only */
    const struct rg_charter_country *charter; /* roots and publishers; lives in trust->charter */
    struct rg_held page_held, domestic_held, stop_held;
    struct rg_hash page_publisher, domestic_publisher;
    struct rg_page *page, *domestic;
    struct rg_stop *stop;
    struct rg_card *card; /* sorted by officer, then newest first */
    size_t card_count;
};

struct rg_trust {
    struct rg_certificate *pin[RG_AUTHORITIES_MAX];
    size_t pin_count, pin_quorum;
    bool has_charter_pin;
    struct rg_hash charter_pin;
    char suspended[RG_SUSPENSIONS_MAX][RG_OFFICE_BYTES];
    size_t suspended_count;
    struct rg_held charter_held;
    struct rg_charter *charter;
    struct rg_nation **nation;
    size_t nation_count;
};

bool rg_hash_same(const struct rg_hash *a, const struct rg_hash *b);
struct rg_nation *rg_nation_find(const struct rg_trust *trust, const char *code); /* or NULL */
struct rg_nation *rg_nation_of_office(const struct rg_trust *trust, const char *office);
/* The page that lists an office, the public one first; NULL when none does. */
struct rg_page *rg_nation_page_of(const struct rg_nation *nation, const char *office,
                                  size_t *at_out);
bool rg_trust_suspends(const struct rg_trust *trust, const char *name); /* the own config's */

RG_MUST_USE rg_outcome rg_hold(const struct rg_document *document, struct rg_held *out,
                               struct rg_reason *why);
bool rg_held_is(const struct rg_held *held, const struct rg_document *document);
void rg_held_move(struct rg_held *to, struct rg_held *from); /* `from` is left empty */
void rg_held_drop(struct rg_held *held);

struct x509_store_st *rg_roots_new(const struct rg_charter_country *charter); /* NULL: memory */
void rg_roots_free(struct x509_store_st *roots);
struct rg_list { /* certificates, borrowed; the caller's array */
    struct rg_certificate **at;
    size_t max, count;
};
/* Adds the signing certificates of one office's officers; of one officer when `principal` is not
 * NULL. `office` is an index into `page`. */
RG_MUST_USE rg_outcome rg_nation_signers(struct rg_nation *nation, struct rg_page *page,
                                         size_t office, const char *principal, struct rg_list *list,
                                         struct rg_reason *why);

const char *rg_card_reader(const struct rg_card *card); /* the officer's principal */
/* Is its signer still listed, and trusted now? */
bool rg_card_holds(struct rg_trust *trust, struct rg_nation *nation, const struct rg_card *card,
                   struct rg_wall now);
void rg_card_drop(struct rg_card *card);
RG_MUST_USE rg_outcome rg_nation_offer_card(struct rg_trust *trust,
                                            const struct rg_document *document, struct rg_wall now,
                                            enum rg_news *news_out, struct rg_reason *why);

#endif
