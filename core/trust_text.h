/*
 * NAME
 *   trust_text - what a charter, a national page or a stop list says, once its signature is checked
 *
 * SYNOPSIS
 *   rg_charter_read(text, &charter, why)
 *   rg_page_read(text, "th", false, &page, why)      true: the domestic part
 *   rg_stop_read(text, "th", &stop, why)
 *
 * DESCRIPTION
 *   The part of trust that turns text into tables; docs/protocol.md, "Trust documents", has the
 *   formats. Everything a single document can get wrong is refused here; what it may not say in
 *   view of what is held already, trust decides. A page's certificates are only decoded and
 *   hashed; they are parsed when first asked for. Used by trust alone.
 *
 * OWNERSHIP
 *   `charter`, `page` and `stop` are new objects; their strings live as long as they do.
 *
 * ERRORS
 *   settings-*; RG_MALFORMED document-format (another format or version), document-value,
 *   document-doubled, certificate-*; RG_DENIED page-foreign, charter-quorum,
 *   charter-authority-doubled, charter-root-shared, root-unconstrained, certificate-wrong-usage.
 */
#ifndef RG_CORE_TRUST_TEXT_H
#define RG_CORE_TRUST_TEXT_H

#include "core/settings.h"
#include "core/trust.h"

#define RG_ROOTS_MAX 4 /* of one country: the present one, the next, and room */
#define RG_PUBLISHERS_MAX 4
#define RG_AUTHORITIES_MAX RG_DOCUMENT_SIGNATURES_MAX
#define RG_PAGE_OFFICES_MAX 256
#define RG_PAGE_OFFICERS_MAX 1024     /* of one office */
#define RG_OFFICER_CERTIFICATES_MAX 4 /* per use: the present one, the next, devices */
#define RG_STOP_CERTIFICATES_MAX 4096

struct rg_charter_country {
    struct rg_country country; /* only what the charter says */
    struct rg_certificate *root[RG_ROOTS_MAX];
    size_t root_count;
    struct rg_certificate *publisher[RG_PUBLISHERS_MAX];
    size_t publisher_count;
};

struct rg_charter {
    struct rg_settings *settings;
    uint64_t counter;
    struct rg_wall issued;
    size_t quorum;
    struct rg_certificate *authority[RG_AUTHORITIES_MAX];
    size_t authority_count;
    struct rg_charter_country *country;
    size_t country_count;
};

RG_MUST_USE rg_outcome rg_charter_read(struct rg_bytes text, struct rg_charter **out,
                                       struct rg_reason *why);
void rg_charter_free(struct rg_charter *charter);
void rg_charter_cleanup(struct rg_charter **charter);
/* May a desk of this role read this class at all? */
bool rg_charter_allows(const struct rg_charter *charter, const char *class_name, const char *role);

enum rg_chain { RG_CHAIN_UNKNOWN = 0, RG_CHAIN_GOOD, RG_CHAIN_BAD };

struct rg_listed { /* one certificate of a page */
    struct rg_hash digest;
    enum rg_use use;
    size_t officer; /* index; RG_LISTED_GATEWAY for the gateway's */
    size_t der_at, der_bytes;
    struct rg_certificate *parsed; /* NULL until first needed */
    enum rg_chain chain;
    const struct rg_certificate *root; /* of a good chain */
};
#define RG_LISTED_GATEWAY SIZE_MAX

struct rg_officer {
    const char *principal;
    const rg_group *group; /* for the clearances */
    size_t office;         /* index */
};

struct rg_page {
    struct rg_settings *settings;
    bool domestic;
    uint64_t counter;
    bool has_previous;
    struct rg_hash previous, hash;
    struct rg_wall issued, fresh_until, valid_until;
    struct rg_endpoint endpoint[RG_ENDPOINTS_MAX];
    size_t endpoint_count;
    struct rg_office *office;
    size_t office_count;
    struct rg_officer *officer; /* in the order of their offices */
    size_t officer_count;
    struct rg_buffer der;
    struct rg_listed *listed; /* sorted by digest */
    size_t listed_count;
};

RG_MUST_USE rg_outcome rg_page_read(struct rg_bytes text, const char *country, bool domestic,
                                    struct rg_page **out, struct rg_reason *why);
void rg_page_free(struct rg_page *page);
void rg_page_cleanup(struct rg_page **page);
struct rg_listed *rg_page_find(const struct rg_page *page, struct rg_hash digest); /* or NULL */
/* The certificate itself; NULL when it is not one of the profile, or not its officer's. */
struct rg_certificate *rg_page_certificate(const struct rg_page *page, struct rg_listed *listed,
                                           const char *country);
bool rg_officer_cleared(const struct rg_officer *officer, const char *class_name);

struct rg_stopped_certificate {
    struct rg_hash digest;
    struct rg_wall from;
    bool dated; /* the entry says from when; otherwise `from` is the list's own time */
};
struct rg_stopped_office {
    char name[RG_OFFICE_BYTES];
    struct rg_wall from;
    bool dated;
};
struct rg_stop {
    struct rg_settings *settings;
    uint64_t counter;
    struct rg_wall issued;
    struct rg_stopped_certificate *certificate; /* sorted by digest */
    size_t certificate_count;
    struct rg_stopped_office *office;
    size_t office_count;
};

RG_MUST_USE rg_outcome rg_stop_read(struct rg_bytes text, const char *country, struct rg_stop **out,
                                    struct rg_reason *why);
void rg_stop_free(struct rg_stop *stop);
void rg_stop_cleanup(struct rg_stop **stop);
const struct rg_stopped_certificate *rg_stop_certificate(const struct rg_stop *stop,
                                                         struct rg_hash digest);
const struct rg_stopped_office *rg_stop_office(const struct rg_stop *stop, const char *office);

#endif
