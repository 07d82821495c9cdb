/*
 * How it works
 *   Judging is a lookup by SHA-256 in the page's sorted table. The chain of a listed certificate is
 *   verified once, without regard to time, and remembered in its row with the root that ended it;
 *   the times of both are compared on every call. A new charter forgets all chains, a new page
 *   brings new rows, so nothing remembered outlives its ground.
 *   Readers are judged the same way each time somebody seals to them: a stopped officer's key card
 *   is not used, whatever it says.
 */
#include "core/trust_nation.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <string.h>

/* ---- judging ---- */

struct x509_store_st *rg_roots_new(const struct rg_charter_country *charter)
{
    X509_STORE *store = X509_STORE_new();
    for (size_t i = 0; store != NULL && i < charter->root_count; i++) {
        if (X509_STORE_add_cert(store, rg_certificate_x509(charter->root[i])) != 1) {
            X509_STORE_free(store);
            return NULL;
        }
    }
    return store;
}

void rg_roots_free(struct x509_store_st *roots)
{
    X509_STORE_free(roots);
}

static const struct rg_certificate *root_of(const struct rg_nation *nation, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    int length = sk_X509_num(chain);
    const X509 *top = length > 1 ? sk_X509_value(chain, length - 1) : NULL;
    for (size_t i = 0; top != NULL && i < nation->charter->root_count; i++) {
        if (X509_cmp(top, rg_certificate_x509(nation->charter->root[i])) == 0) {
            return nation->charter->root[i];
        }
    }
    return NULL;
}

/* The root at the end of a good chain, times aside; NULL when there is none. OpenSSL checks the
 * root's name constraint on the way. */
static const struct rg_certificate *verify_chain(const struct rg_nation *nation,
                                                 const struct rg_certificate *certificate)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    const struct rg_certificate *root = NULL;
    RG_ASSERT(context != NULL);
    if (X509_STORE_CTX_init(context, nation->store, rg_certificate_x509(certificate), NULL) == 1) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_X509_STRICT);
        root = X509_verify_cert(context) == 1 ? root_of(nation, context) : NULL;
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return root;
}

static const struct rg_certificate *known_root(const struct rg_nation *nation,
                                               const struct rg_certificate *certificate,
                                               struct rg_listed *listed)
{
    if (listed == NULL) {
        return verify_chain(nation, certificate);
    }
    if (listed->chain == RG_CHAIN_UNKNOWN) {
        listed->root = verify_chain(nation, certificate);
        listed->chain = listed->root != NULL ? RG_CHAIN_GOOD : RG_CHAIN_BAD;
    }
    return listed->root;
}

static rg_outcome check_chain(const struct rg_nation *nation,
                              const struct rg_certificate *certificate, struct rg_listed *listed,
                              struct rg_wall at, struct rg_reason *why)
{
    const struct rg_certificate *root = known_root(nation, certificate, listed);
    RG_CHECK(root != NULL, why, RG_DENIED, "certificate-wrong-root",
             "the certificate was not issued under a root of its own country, \"%s\"",
             nation->country.code);
    RG_CHECK(rg_is_ok(rg_certificate_time_check(root, at, NULL)), why, RG_DENIED,
             "certificate-wrong-root", "the root of \"%s\" was not valid at that time",
             nation->country.code);
    return rg_ok();
}

static bool is_listed_for(const struct rg_page *page, const struct rg_listed *listed,
                          const struct rg_principal *principal, enum rg_use use)
{
    if (listed->use != use) {
        return false;
    }
    return listed->officer == RG_LISTED_GATEWAY
               ? principal->gateway
               : strcmp(page->officer[listed->officer].principal, principal->text) == 0;
}

static rg_outcome check_listed(const struct rg_page *page, const struct rg_listed *listed,
                               const struct rg_principal *principal, enum rg_use use,
                               struct rg_wall at, struct rg_reason *why)
{
    RG_CHECK(listed != NULL && is_listed_for(page, listed, principal, use), why, RG_DENIED,
             "certificate-unlisted", "the certificate is not in the page of \"%s\" held here",
             principal->country);
    RG_CHECK(at.ms <= page->valid_until.ms + RG_PAGE_GRACE_MS, why, RG_DENIED, "page-expired",
             "the page of \"%s\" is out of date; a newer one is needed", principal->country);
    return rg_ok();
}

static rg_outcome check_stopped(const struct rg_trust *trust, const struct rg_nation *nation,
                                const struct rg_certificate *certificate, struct rg_wall at,
                                struct rg_reason *why)
{
    const struct rg_principal *principal = rg_certificate_principal(certificate);
    const struct rg_stopped_certificate *stopped =
        rg_stop_certificate(nation->stop, rg_certificate_digest(certificate));
    const struct rg_stopped_office *office = rg_stop_office(nation->stop, principal->office);
    RG_CHECK(stopped == NULL || at.ms < stopped->from.ms, why, RG_DENIED, "certificate-stopped",
             "the certificate has been stopped by its country");
    RG_CHECK(office == NULL || at.ms < office->from.ms, why, RG_DENIED, "certificate-suspended",
             "the office has been suspended by its country");
    RG_CHECK(!nation->country.suspended && !rg_trust_suspends(trust, principal->office), why,
             RG_DENIED, "certificate-suspended",
             "the country or office is suspended in this config");
    return rg_ok();
}

/* Fine at the time judged for, but by `now` its country has withdrawn it. */
static bool is_stopped_later(const struct rg_nation *nation,
                             const struct rg_certificate *certificate, struct rg_wall now)
{
    const struct rg_stopped_certificate *stopped =
        rg_stop_certificate(nation->stop, rg_certificate_digest(certificate));
    const struct rg_stopped_office *office =
        rg_stop_office(nation->stop, rg_certificate_principal(certificate)->office);
    return (stopped != NULL && now.ms >= stopped->from.ms) ||
           (office != NULL && now.ms >= office->from.ms);
}

rg_outcome rg_trust_judge(struct rg_trust *trust, const struct rg_certificate *certificate,
                          enum rg_use use, struct rg_wall at, struct rg_wall now,
                          struct rg_verdict *verdict_out, struct rg_reason *why)
{
    const struct rg_principal *principal = rg_certificate_principal(certificate);
    RG_CHECK(principal != NULL, why, RG_DENIED, "certificate-wrong-usage",
             "the certificate was not issued for this use");
    struct rg_nation *nation = rg_nation_find(trust, principal->country);
    RG_CHECK(nation != NULL, why, RG_DENIED, "certificate-unknown-country",
             "no charter held here names the country \"%s\"", principal->country);
    RG_TRY(rg_certificate_use_check(certificate, use, why));
    RG_TRY(rg_certificate_time_check(certificate, at, why));
    struct rg_hash digest = rg_certificate_digest(certificate);
    struct rg_page *page = nation->page;
    struct rg_listed *listed = rg_page_find(page, digest);
    if (listed == NULL) {
        page = nation->domestic;
        listed = rg_page_find(page, digest);
    }
    RG_TRY(check_chain(nation, certificate, listed, at, why));
    RG_TRY(check_listed(page, listed, principal, use, at, why));
    RG_TRY(check_stopped(trust, nation, certificate, at, why));
    *verdict_out = (struct rg_verdict){.principal = *principal,
                                       .stopped_later = is_stopped_later(nation, certificate, now)};
    return rg_ok();
}

/* An officer of an office: neither the gateway, nor the publisher or an authority. */
static bool is_officer(const struct rg_principal *principal)
{
    static const char scheme[] = "referral://";
    return principal != NULL && !principal->gateway &&
           strcmp(principal->text + sizeof(scheme) - 1, principal->office) != 0;
}

rg_outcome rg_trust_judge_carried(struct rg_trust *trust, const struct rg_certificate *certificate,
                                  struct rg_wall at, struct rg_wall now,
                                  struct rg_verdict *verdict_out, struct rg_reason *why)
{
    size_t place = 0;
    const struct rg_principal *principal = rg_certificate_principal(certificate);
    RG_CHECK(is_officer(principal), why, RG_DENIED, "certificate-wrong-usage",
             "the certificate was not issued for this use");
    struct rg_nation *nation = rg_nation_find(trust, principal->country);
    RG_CHECK(nation != NULL, why, RG_DENIED, "certificate-unknown-country",
             "no charter held here names the country \"%s\"", principal->country);
    RG_TRY(rg_certificate_use_check(certificate, RG_USE_SIGN, why));
    RG_TRY(rg_certificate_time_check(certificate, at, why));
    RG_TRY(check_chain(nation, certificate, NULL, at, why));
    RG_CHECK(rg_nation_page_of(nation, principal->office, &place) == NULL, why, RG_DENIED,
             "certificate-unlisted", "a page names the officers of \"%s\", and not this one",
             principal->office);
    RG_CHECK(nation->page != NULL && at.ms <= nation->page->valid_until.ms + RG_PAGE_GRACE_MS, why,
             RG_DENIED, "page-expired", "the page of \"%s\" is out of date; a newer one is needed",
             principal->country);
    RG_TRY(check_stopped(trust, nation, certificate, at, why));
    *verdict_out = (struct rg_verdict){.principal = *principal,
                                       .stopped_later = is_stopped_later(nation, certificate, now)};
    return rg_ok();
}

/* ---- offices, signers, readers ---- */

const struct rg_office *rg_trust_office(const struct rg_trust *trust, const char *name)
{
    size_t at = 0;
    const struct rg_nation *nation = rg_nation_of_office(trust, name);
    const struct rg_page *page = nation != NULL ? rg_nation_page_of(nation, name, &at) : NULL;
    return page != NULL ? &page->office[at] : NULL;
}

const struct rg_office *rg_trust_office_at(const struct rg_trust *trust, size_t at)
{
    for (size_t n = 0; n < trust->nation_count; n++) {
        const struct rg_page *const place[] = {trust->nation[n]->page, trust->nation[n]->domestic};
        for (size_t p = 0; p < 2; p++) {
            size_t count = place[p] != NULL ? place[p]->office_count : 0;
            if (at < count) {
                return &place[p]->office[at];
            }
            at -= count;
        }
    }
    return NULL;
}

const struct rg_country *rg_trust_country(const struct rg_trust *trust, const char *code)
{
    const struct rg_nation *nation = rg_nation_find(trust, code);
    return nation != NULL ? &nation->country : NULL;
}

const struct rg_country *rg_trust_country_at(const struct rg_trust *trust, size_t at)
{
    return at < trust->nation_count ? &trust->nation[at]->country : NULL;
}

static bool signs_for(const struct rg_page *page, const struct rg_listed *listed, size_t office,
                      const char *principal)
{
    if (listed->use != RG_USE_SIGN) {
        return false;
    }
    const struct rg_officer *officer = &page->officer[listed->officer];
    return officer->office == office &&
           (principal == NULL || strcmp(officer->principal, principal) == 0);
}

rg_outcome rg_nation_signers(struct rg_nation *nation, struct rg_page *page, size_t office,
                             const char *principal, struct rg_list *list, struct rg_reason *why)
{
    for (size_t i = 0; i < page->listed_count; i++) {
        struct rg_listed *listed = &page->listed[i];
        struct rg_certificate *certificate =
            signs_for(page, listed, office, principal)
                ? rg_page_certificate(page, listed, nation->country.code)
                : NULL;
        if (certificate == NULL) {
            continue; /* also one bad row, which must not silence an office */
        }
        RG_CHECK(list->count < list->max, why, RG_LIMIT, "signers-too-many",
                 "the office has more than %zu signing certificates", list->max);
        list->at[list->count++] = certificate;
    }
    return rg_ok();
}

rg_outcome rg_trust_signers(struct rg_trust *trust, const char *office, struct rg_certificate **out,
                            size_t max, size_t *count_out, struct rg_reason *why)
{
    size_t at = 0;
    struct rg_list list = {.at = out, .max = max};
    struct rg_nation *nation = rg_nation_of_office(trust, office);
    struct rg_page *page = nation != NULL ? rg_nation_page_of(nation, office, &at) : NULL;
    RG_CHECK(page != NULL, why, RG_DENIED, "signers-office", "no such office in the pages held");
    RG_TRY(rg_nation_signers(nation, page, at, NULL, &list, why));
    *count_out = list.count;
    return rg_ok();
}

bool rg_card_holds(struct rg_trust *trust, struct rg_nation *nation, const struct rg_card *card,
                   struct rg_wall now)
{
    struct rg_verdict verdict;
    size_t at = 0;
    const char *office = rg_certificate_principal(card->reading)->office;
    const struct rg_page *page = rg_nation_page_of(nation, office, &at);
    struct rg_listed *listed = rg_page_find(page, card->signer);
    const struct rg_certificate *signer =
        listed != NULL ? rg_page_certificate(page, listed, nation->country.code) : NULL;
    return signer != NULL &&
           rg_is_ok(rg_trust_judge(trust, signer, RG_USE_SIGN, now, now, &verdict, NULL));
}

/* Cards of one officer stand together, newest first. */
static struct rg_certificate *newest_card(struct rg_trust *trust, struct rg_nation *nation,
                                          const char *principal, struct rg_wall now)
{
    for (size_t i = 0; i < nation->card_count; i++) {
        const struct rg_card *card = &nation->card[i];
        if (strcmp(rg_card_reader(card), principal) == 0 &&
            rg_is_ok(rg_certificate_time_check(card->reading, now, NULL)) &&
            rg_card_holds(trust, nation, card, now)) {
            return card->reading;
        }
    }
    return NULL;
}

struct reading { /* who asks for readers of what */
    struct rg_trust *trust;
    struct rg_nation *nation;
    struct rg_page *page;
    size_t office;
    const char *class_name;
    struct rg_wall now;
};

static rg_outcome collect_readers(const struct reading *reading, struct rg_list *list,
                                  struct rg_reason *why)
{
    for (size_t i = 0; i < reading->page->officer_count; i++) {
        const struct rg_officer *officer = &reading->page->officer[i];
        struct rg_certificate *card = NULL;
        if (officer->office == reading->office &&
            (reading->class_name == NULL || rg_officer_cleared(officer, reading->class_name))) {
            card = newest_card(reading->trust, reading->nation, officer->principal, reading->now);
        }
        if (card == NULL) {
            continue;
        }
        RG_CHECK(list->count < list->max, why, RG_LIMIT, "readers-too-many",
                 "the office has more than %zu readers for this class", list->max);
        list->at[list->count++] = card;
    }
    return rg_ok();
}

static rg_outcome check_reading(const struct reading *reading, struct rg_reason *why)
{
    const struct rg_office *office = &reading->page->office[reading->office];
    RG_CHECK(!office->suspended, why, RG_DENIED, "readers-office", "\"%s\" is suspended",
             office->name);
    RG_CHECK(reading->class_name == NULL ||
                 rg_charter_allows(reading->trust->charter, reading->class_name, office->role),
             why, RG_DENIED, "readers-class",
             "the charter lets no \"%s\" desk read class \"%.24s\"", office->role,
             reading->class_name);
    RG_CHECK(reading->now.ms <= reading->page->valid_until.ms + RG_PAGE_GRACE_MS, why, RG_DENIED,
             "page-expired", "the page of \"%s\" is out of date; a newer one is needed",
             reading->nation->country.code);
    return rg_ok();
}

/* NOLINTNEXTLINE(readability-function-size): two questions, an array and why; one call per seal */
rg_outcome rg_trust_readers(struct rg_trust *trust, const char *office, const char *class_name,
                            struct rg_wall now, struct rg_certificate **out, size_t max,
                            size_t *count_out, struct rg_reason *why)
{
    struct rg_list list = {.at = out, .max = max};
    struct reading reading = {.trust = trust, .class_name = class_name, .now = now};
    reading.nation = rg_nation_of_office(trust, office);
    reading.page =
        reading.nation != NULL ? rg_nation_page_of(reading.nation, office, &reading.office) : NULL;
    RG_CHECK(reading.page != NULL, why, RG_DENIED, "readers-office",
             "\"%.60s\" is in no page held here", office);
    RG_TRY(check_reading(&reading, why));
    RG_TRY(collect_readers(&reading, &list, why));
    RG_CHECK(list.count > 0, why, RG_AGAIN, "readers-none",
             "nobody at \"%.60s\" can read class \"%.24s\" yet: no key card is held; sync, then "
             "try again",
             office, class_name != NULL ? class_name : "any");
    *count_out = list.count;
    return rg_ok();
}
