/*
 * How it works
 *   One `nation` per country of the charter holds that country's roots (an X509_STORE of its own),
 *   publishers, page, domestic page, stop list and cards. Every document goes the same way in:
 *   bound its size, check its signature against what the charter says, read the text (trust_text),
 *   compare with what is held, and only then swap it in. Invariant: a refused document changes
 *   nothing, and what is held is always a complete, verified set.
 *
 *   Judging is a lookup by SHA-256 in the page's sorted table. The chain of a listed certificate is
 *   verified once, without regard to time, and remembered in its row with the root that ended it;
 *   the times of both are compared on every call. A new charter forgets all chains, a new page
 *   brings new rows, so nothing remembered outlives its ground.
 */
#include "core/trust.h"

#include "core/card.h"
#include "core/digest.h"
#include "core/signature.h"
#include "core/trust_text.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define GRACE_MS (RG_PAGE_GRACE_DAYS * DAY_MS)
#define SUSPENSIONS_MAX 256
#define CARDS_MAX 4096 /* of one country: 8 for each of 500 officers */

struct held { /* a document and the digest of its text */
    struct rg_document document;
    struct rg_hash hash;
};

struct card {
    struct held held;
    struct rg_certificate *reading;
    struct rg_hash signer;
};

struct nation {
    struct rg_country country;
    X509_STORE *store;
    const struct rg_charter_country *charter; /* roots and publishers */
    struct held page_held, domestic_held, stop_held;
    struct rg_hash page_publisher, domestic_publisher;
    struct rg_page *page, *domestic;
    struct rg_stop *stop;
    struct card *card; /* sorted by principal, then newest first */
    size_t card_count;
};

struct rg_trust {
    struct rg_certificate *pin[RG_AUTHORITIES_MAX];
    size_t pin_count, pin_quorum;
    bool has_charter_pin;
    struct rg_hash charter_pin;
    char suspended[SUSPENSIONS_MAX][RG_OFFICE_BYTES];
    size_t suspended_count;
    struct held charter_held;
    struct rg_charter *charter;
    struct nation **nation;
    size_t nation_count;
};

/* ---- small things ---- */

static bool same_hash(const struct rg_hash *a, const struct rg_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static struct nation *find_nation(const struct rg_trust *trust, const char *code)
{
    for (size_t i = 0; i < trust->nation_count; i++) {
        if (strcmp(trust->nation[i]->country.code, code) == 0) {
            return trust->nation[i];
        }
    }
    return NULL;
}

static void held_drop(struct held *held)
{
    rg_document_drop(&held->document);
    *held = (struct held){0};
}

/* Moves; `from` is left empty. */
static void held_move(struct held *to, struct held *from)
{
    held_drop(to);
    *to = *from;
    memset(from, 0, sizeof(*from));
}

static rg_outcome hold(const struct rg_document *document, struct held *out, struct rg_reason *why)
{
    RG_TRY(rg_document_copy(document, &out->document, why));
    out->hash = rg_sha256(rg_buffer_peek(&document->text));
    return rg_ok();
}

static bool is_held(const struct held *held, const struct rg_document *document)
{
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&document->text));
    return held->document.kind == document->kind && same_hash(&held->hash, &hash);
}

static void card_drop(struct card *card)
{
    held_drop(&card->held);
    rg_certificate_free(card->reading);
    card->reading = NULL;
}

static void nation_free(struct nation *nation)
{
    if (nation == NULL) {
        return;
    }
    X509_STORE_free(nation->store);
    held_drop(&nation->page_held);
    held_drop(&nation->domestic_held);
    held_drop(&nation->stop_held);
    rg_page_free(nation->page);
    rg_page_free(nation->domestic);
    rg_stop_free(nation->stop);
    for (size_t i = 0; i < nation->card_count; i++) {
        card_drop(&nation->card[i]);
    }
    free(nation->card);
    free(nation);
}

static void nations_free(struct nation **nation, size_t count)
{
    for (size_t i = 0; nation != NULL && i < count; i++) {
        nation_free(nation[i]);
    }
    free(nation);
}

/* ---- pins and suspensions ---- */

struct rg_trust *rg_trust_new(void)
{
    struct rg_trust *trust = calloc(1, sizeof(*trust));
    RG_ASSERT(trust != NULL);
    return trust;
}

void rg_trust_free(struct rg_trust *trust)
{
    if (trust == NULL) {
        return;
    }
    nations_free(trust->nation, trust->nation_count);
    rg_charter_free(trust->charter);
    held_drop(&trust->charter_held);
    for (size_t i = 0; i < trust->pin_count; i++) {
        rg_certificate_free(trust->pin[i]);
    }
    free(trust);
}

rg_outcome rg_trust_pin_authority(struct rg_trust *trust, struct rg_certificate *certificate,
                                  struct rg_reason *why)
{
    RG_TRY(rg_certificate_use_check(certificate, RG_USE_SIGN, why));
    RG_CHECK(trust->pin_count < RG_AUTHORITIES_MAX, why, RG_LIMIT, "charter-pin",
             "at most %d authorities can be pinned", RG_AUTHORITIES_MAX);
    for (size_t i = 0; i < trust->pin_count; i++) {
        RG_CHECK(!rg_certificate_same_key(trust->pin[i], certificate), why, RG_DENIED,
                 "charter-authority-doubled", "one authority is pinned twice");
    }
    trust->pin[trust->pin_count++] = rg_certificate_share(certificate);
    return rg_ok();
}

void rg_trust_pin_quorum(struct rg_trust *trust, size_t m)
{
    trust->pin_quorum = m;
}

void rg_trust_pin_charter(struct rg_trust *trust, struct rg_hash charter)
{
    trust->charter_pin = charter;
    trust->has_charter_pin = true;
}

static bool is_suspended(const struct rg_trust *trust, const char *name)
{
    for (size_t i = 0; i < trust->suspended_count; i++) {
        if (strcmp(trust->suspended[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void mark_offices(const struct rg_trust *trust, const struct nation *nation,
                         struct rg_page *page)
{
    for (size_t i = 0; page != NULL && i < page->office_count; i++) {
        struct rg_office *office = &page->office[i];
        office->suspended = nation->country.suspended || is_suspended(trust, office->name) ||
                            rg_stop_office(nation->stop, office->name) != NULL;
    }
}

/* What the accessors show follows from what is held; called after every change. */
static void refresh(const struct rg_trust *trust, struct nation *nation)
{
    struct rg_country *country = &nation->country;
    const struct rg_page *page = nation->page;
    country->suspended = is_suspended(trust, country->code);
    country->has_page = page != NULL;
    if (page != NULL) {
        country->page_counter = page->counter;
        country->page_hash = page->hash;
        country->fresh_until = page->fresh_until;
        country->valid_until = page->valid_until;
        country->endpoint_count = page->endpoint_count;
        memcpy(country->endpoint, page->endpoint, sizeof(country->endpoint));
    }
    mark_offices(trust, nation, nation->page);
    mark_offices(trust, nation, nation->domestic);
}

rg_outcome rg_trust_suspend(struct rg_trust *trust, const char *country_or_office,
                            struct rg_reason *why)
{
    RG_CHECK(rg_country_name_ok(country_or_office) || rg_office_name_ok(country_or_office), why,
             RG_MALFORMED, "principal-form",
             "suspend a country (\"mm\") or an office (\"mm/focal\")");
    RG_CHECK(trust->suspended_count < SUSPENSIONS_MAX, why, RG_LIMIT, "suspensions-too-many",
             "at most %d suspensions", SUSPENSIONS_MAX);
    (void)snprintf(trust->suspended[trust->suspended_count++], RG_OFFICE_BYTES, "%s",
                   country_or_office);
    for (size_t i = 0; i < trust->nation_count; i++) {
        refresh(trust, trust->nation[i]);
    }
    return rg_ok();
}

/* ---- charter ---- */

struct electorate {
    struct rg_certificate *const *authority;
    size_t count, quorum;
};

/* Whose signatures make a charter: those of the one held; at first the pinned ones, or, when the
 * very text is pinned, its own. */
static rg_outcome find_electorate(const struct rg_trust *trust, const struct rg_charter *offered,
                                  bool pinned, struct electorate *out, struct rg_reason *why)
{
    const struct rg_charter *charter = pinned ? offered : trust->charter;
    if (charter != NULL) {
        *out = (struct electorate){.authority = charter->authority,
                                   .count = charter->authority_count,
                                   .quorum = charter->quorum};
        return rg_ok();
    }
    RG_CHECK(trust->pin_count > 0, why, RG_DENIED, "charter-pin",
             "charter: the config pins neither its hash nor authorities, or another hash");
    RG_CHECK(trust->pin_quorum >= 1 && trust->pin_quorum <= trust->pin_count, why, RG_DENIED,
             "charter-quorum", "the quorum in the config must be between 1 and the number pinned");
    *out = (struct electorate){
        .authority = trust->pin, .count = trust->pin_count, .quorum = trust->pin_quorum};
    return rg_ok();
}

/* Each signature by itself. Strangers' signatures do not count, but do no harm either. */
static rg_outcome collect_votes(const struct electorate *electorate,
                                const struct rg_document *document, bool *voted,
                                struct rg_reason *why)
{
    for (size_t i = 0; i < document->signature_count; i++) {
        size_t at = 0;
        if (!rg_is_ok(rg_signature_check(rg_buffer_peek(&document->signature[i]),
                                         rg_buffer_peek(&document->text), electorate->authority,
                                         electorate->count, NULL, &at, NULL))) {
            continue;
        }
        RG_CHECK(!voted[at], why, RG_DENIED, "charter-authority-doubled",
                 "charter: one authority has signed twice");
        voted[at] = true;
    }
    return rg_ok();
}

static rg_outcome check_quorum(const struct electorate *electorate, const bool *voted,
                               const struct rg_wall *issued, struct rg_reason *why)
{
    size_t votes = 0;
    for (size_t i = 0; i < electorate->count; i++) {
        bool counts = voted[i] && (issued == NULL || rg_is_ok(rg_certificate_time_check(
                                                         electorate->authority[i], *issued, NULL)));
        votes += counts;
    }
    RG_CHECK(votes >= electorate->quorum, why, RG_DENIED, "charter-quorum",
             "charter: signed by %zu authorities, %zu are needed", votes, electorate->quorum);
    return rg_ok();
}

/* Signatures first; the text of a charter pinned by hash is what its signatures are checked with,
 * so that one is read first. */
static rg_outcome verify_charter(const struct rg_trust *trust, const struct rg_document *document,
                                 struct rg_charter **out, struct rg_reason *why)
{
    RG_CLEANUP(rg_charter_cleanup) struct rg_charter *charter = NULL;
    struct electorate electorate = {0};
    bool voted[RG_AUTHORITIES_MAX] = {false};
    struct rg_bytes text = rg_buffer_peek(&document->text);
    struct rg_hash hash = rg_sha256(text);
    bool pinned =
        trust->charter == NULL && trust->has_charter_pin && same_hash(&hash, &trust->charter_pin);
    if (pinned) {
        RG_TRY(rg_charter_read(text, &charter, why));
    }
    RG_TRY(find_electorate(trust, charter, pinned, &electorate, why));
    RG_TRY(collect_votes(&electorate, document, voted, why));
    RG_TRY(check_quorum(&electorate, voted, NULL, why));
    if (!pinned) {
        RG_TRY(rg_charter_read(text, &charter, why));
    }
    RG_TRY(check_quorum(&electorate, voted, &charter->issued, why));
    *out = charter;
    charter = NULL;
    return rg_ok();
}

static X509_STORE *new_store(const struct rg_charter_country *charter)
{
    X509_STORE *store = X509_STORE_new();
    RG_ASSERT(store != NULL);
    for (size_t i = 0; i < charter->root_count; i++) {
        RG_ASSERT(X509_STORE_add_cert(store, rg_certificate_x509(charter->root[i])) == 1);
    }
    return store;
}

static bool still_publishes(const struct rg_charter_country *charter,
                            const struct rg_hash *publisher)
{
    for (size_t i = 0; i < charter->publisher_count; i++) {
        struct rg_hash digest = rg_certificate_digest(charter->publisher[i]);
        if (same_hash(&digest, publisher)) {
            return true;
        }
    }
    return false;
}

static void forget_chains(struct rg_page *page)
{
    for (size_t i = 0; page != NULL && i < page->listed_count; i++) {
        page->listed[i].chain = RG_CHAIN_UNKNOWN;
        page->listed[i].root = NULL;
    }
}

/* A page goes on under a new charter when its publisher does; a stop list always does. */
static void inherit(struct nation *nation, struct nation *old)
{
    if (old->page != NULL && still_publishes(nation->charter, &old->page_publisher)) {
        nation->page = old->page;
        nation->page_publisher = old->page_publisher;
        old->page = NULL;
        held_move(&nation->page_held, &old->page_held);
    }
    if (old->domestic != NULL && still_publishes(nation->charter, &old->domestic_publisher)) {
        nation->domestic = old->domestic;
        nation->domestic_publisher = old->domestic_publisher;
        old->domestic = NULL;
        held_move(&nation->domestic_held, &old->domestic_held);
    }
    nation->stop = old->stop;
    old->stop = NULL;
    held_move(&nation->stop_held, &old->stop_held);
    nation->card = old->card;
    nation->card_count = old->card_count;
    old->card = NULL;
    old->card_count = 0;
    forget_chains(nation->page);
    forget_chains(nation->domestic);
}

static struct nation *new_nation(const struct rg_trust *trust,
                                 const struct rg_charter_country *charter)
{
    struct nation *nation = calloc(1, sizeof(*nation));
    RG_ASSERT(nation != NULL);
    nation->country = charter->country;
    nation->charter = charter;
    nation->store = new_store(charter);
    struct nation *old = find_nation(trust, charter->country.code);
    if (old != NULL) {
        inherit(nation, old);
    }
    return nation;
}

static void install_charter(struct rg_trust *trust, struct rg_charter *charter, struct held *held)
{
    struct nation **nation = calloc(charter->country_count + 1, sizeof(struct nation *));
    RG_ASSERT(nation != NULL);
    for (size_t i = 0; i < charter->country_count; i++) {
        nation[i] = new_nation(trust, &charter->country[i]);
    }
    nations_free(trust->nation, trust->nation_count);
    rg_charter_free(trust->charter);
    trust->nation = nation;
    trust->nation_count = charter->country_count;
    trust->charter = charter;
    held_move(&trust->charter_held, held);
    for (size_t i = 0; i < trust->nation_count; i++) {
        refresh(trust, nation[i]);
    }
}

static rg_outcome compare_charter(const struct rg_trust *trust, const struct rg_charter *charter,
                                  struct rg_reason *why)
{
    if (trust->charter == NULL) {
        return rg_ok();
    }
    RG_CHECK(charter->counter >= trust->charter->counter, why, RG_DENIED, "charter-counter-back",
             "charter: a newer one is held");
    RG_CHECK(charter->counter != trust->charter->counter, why, RG_DENIED, "charter-fork",
             "charter: two charters with one counter");
    return rg_ok();
}

static rg_outcome offer_charter(struct rg_trust *trust, const struct rg_document *document,
                                enum rg_news *news_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_charter_cleanup) struct rg_charter *charter = NULL;
    struct held held = {0};
    if (is_held(&trust->charter_held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(verify_charter(trust, document, &charter, why));
    RG_TRY(compare_charter(trust, charter, why));
    RG_TRY(hold(document, &held, why));
    install_charter(trust, charter, &held);
    charter = NULL;
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

/* ---- pages and stop lists ---- */

/* One signature, by a publisher of that country whose certificate was valid when it was issued. */
static rg_outcome check_publisher(const struct nation *nation, const struct rg_document *document,
                                  size_t *publisher_out, struct rg_reason *why)
{
    RG_CHECK(document->signature_count == 1, why, RG_DENIED, "signature-signer",
             "it must have exactly one signature, the publisher's");
    return rg_signature_check(rg_buffer_peek(&document->signature[0]),
                              rg_buffer_peek(&document->text), nation->charter->publisher,
                              nation->charter->publisher_count, NULL, publisher_out, why);
}

static rg_outcome not_published(const char *id, const char *code, const struct rg_reason *inner,
                                struct rg_reason *why)
{
    return rg_fail(why, RG_DENIED, id, "not signed by the publisher of \"%s\": %.120s", code,
                   inner->text);
}

static rg_outcome compare_page(const struct rg_page *held, const struct rg_page *page,
                               struct rg_reason *why)
{
    if (held == NULL) {
        return rg_ok();
    }
    RG_CHECK(page->counter >= held->counter, why, RG_DENIED, "page-counter-back",
             "page: a newer one is held");
    RG_CHECK(page->counter != held->counter, why, RG_DENIED, "page-fork",
             "page: its country has published two pages with one counter; keep both as proof");
    bool adjacent = page->counter == held->counter + 1;
    RG_CHECK(!adjacent || same_hash(&page->previous, &held->hash), why, RG_DENIED, "page-chain",
             "page: it does not follow the page before it; its country has another history");
    RG_CHECK(page->issued.ms >= held->issued.ms, why, RG_DENIED, "page-chain",
             "page: it is older than the page before it");
    return rg_ok();
}

static rg_outcome read_page(const struct nation *nation, const struct rg_document *document,
                            struct rg_page **out, struct rg_hash *publisher_out,
                            struct rg_reason *why)
{
    RG_CLEANUP(rg_page_cleanup) struct rg_page *page = NULL;
    const char *code = nation->country.code;
    bool domestic = document->kind == RG_DOC_PAGE_DOMESTIC;
    struct rg_reason inner = {0};
    size_t at = 0;
    if (!rg_is_ok(check_publisher(nation, document, &at, &inner))) {
        return not_published("page-publisher", code, &inner, why);
    }
    const struct rg_certificate *publisher = nation->charter->publisher[at];
    RG_TRY(rg_page_read(rg_buffer_peek(&document->text), code, domestic, &page, why));
    if (!rg_is_ok(rg_certificate_time_check(publisher, page->issued, &inner))) {
        return not_published("page-publisher", code, &inner, why);
    }
    RG_TRY(compare_page(domestic ? nation->domestic : nation->page, page, why));
    *publisher_out = rg_certificate_digest(publisher);
    *out = page;
    page = NULL;
    return rg_ok();
}

static rg_outcome needs_charter(struct rg_reason *why)
{
    return rg_fail(why, RG_AGAIN, "document-needs-charter",
                   "a document of a country that no charter held here names");
}

static rg_outcome offer_page(struct rg_trust *trust, const struct rg_document *document,
                             enum rg_news *news_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_page_cleanup) struct rg_page *page = NULL;
    struct nation *nation = find_nation(trust, document->country);
    struct rg_hash publisher;
    struct held new_held = {0};
    if (nation == NULL) {
        return needs_charter(why);
    }
    bool domestic = document->kind == RG_DOC_PAGE_DOMESTIC;
    struct held *held = domestic ? &nation->domestic_held : &nation->page_held;
    if (is_held(held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(read_page(nation, document, &page, &publisher, why));
    RG_TRY(hold(document, &new_held, why));
    struct rg_page **place = domestic ? &nation->domestic : &nation->page;
    rg_page_free(*place);
    *place = page;
    page = NULL;
    *(domestic ? &nation->domestic_publisher : &nation->page_publisher) = publisher;
    held_move(held, &new_held);
    refresh(trust, nation);
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

/* An entry without a time of its own counts from the first list it stood in. */
static void inherit_times(const struct rg_stop *held, struct rg_stop *stop)
{
    for (size_t i = 0; i < stop->certificate_count; i++) {
        const struct rg_stopped_certificate *old =
            rg_stop_certificate(held, stop->certificate[i].digest);
        if (old != NULL && !stop->certificate[i].dated) {
            stop->certificate[i].from = old->from;
        }
    }
    for (size_t i = 0; i < stop->office_count; i++) {
        const struct rg_stopped_office *old = rg_stop_office(held, stop->office[i].name);
        if (old != NULL && !stop->office[i].dated) {
            stop->office[i].from = old->from;
        }
    }
}

/* A higher counter may add entries, never take one away or move it to a later time. */
static bool keeps_all(const struct rg_stop *held, const struct rg_stop *stop)
{
    for (size_t i = 0; i < held->certificate_count; i++) {
        const struct rg_stopped_certificate *kept =
            rg_stop_certificate(stop, held->certificate[i].digest);
        if (kept == NULL || kept->from.ms > held->certificate[i].from.ms) {
            return false;
        }
    }
    for (size_t i = 0; i < held->office_count; i++) {
        const struct rg_stopped_office *kept = rg_stop_office(stop, held->office[i].name);
        if (kept == NULL || kept->from.ms > held->office[i].from.ms) {
            return false;
        }
    }
    return true;
}

/* Nor may it reach back behind the list before: that would disown what was signed in good faith. */
static bool is_backdated(const struct rg_stop *held, const struct rg_stop *stop)
{
    for (size_t i = 0; i < stop->certificate_count; i++) {
        const struct rg_stopped_certificate *old =
            rg_stop_certificate(held, stop->certificate[i].digest);
        int64_t floor_ms = old != NULL ? old->from.ms : held->issued.ms;
        if (stop->certificate[i].from.ms < floor_ms) {
            return true;
        }
    }
    for (size_t i = 0; i < stop->office_count; i++) {
        const struct rg_stopped_office *old = rg_stop_office(held, stop->office[i].name);
        int64_t floor_ms = old != NULL ? old->from.ms : held->issued.ms;
        if (stop->office[i].from.ms < floor_ms) {
            return true;
        }
    }
    return false;
}

static rg_outcome compare_stop(const struct rg_stop *held, const struct rg_stop *stop,
                               struct rg_reason *why)
{
    if (held == NULL) {
        return rg_ok();
    }
    RG_CHECK(stop->counter >= held->counter, why, RG_DENIED, "stop-counter-back",
             "stop list: a newer one is held");
    RG_CHECK(stop->counter != held->counter, why, RG_DENIED, "stop-fork",
             "stop list: its country has published two lists with one counter; keep both as proof");
    RG_CHECK(keeps_all(held, stop), why, RG_DENIED, "stop-adds",
             "stop list: it gives back trust that the one before took; only a page can do that, "
             "with a new certificate");
    RG_CHECK(!is_backdated(held, stop), why, RG_DENIED, "stop-backdated",
             "stop list: it stops from a time before the list it follows");
    return rg_ok();
}

static rg_outcome read_stop(const struct nation *nation, const struct rg_document *document,
                            struct rg_stop **out, struct rg_reason *why)
{
    RG_CLEANUP(rg_stop_cleanup) struct rg_stop *stop = NULL;
    const char *code = nation->country.code;
    struct rg_reason inner = {0};
    size_t at = 0;
    if (!rg_is_ok(check_publisher(nation, document, &at, &inner))) {
        return not_published("stop-publisher", code, &inner, why);
    }
    RG_TRY(rg_stop_read(rg_buffer_peek(&document->text), code, &stop, why));
    if (!rg_is_ok(
            rg_certificate_time_check(nation->charter->publisher[at], stop->issued, &inner))) {
        return not_published("stop-publisher", code, &inner, why);
    }
    inherit_times(nation->stop, stop);
    RG_TRY(compare_stop(nation->stop, stop, why));
    *out = stop;
    stop = NULL;
    return rg_ok();
}

static rg_outcome offer_stop(struct rg_trust *trust, const struct rg_document *document,
                             enum rg_news *news_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_stop_cleanup) struct rg_stop *stop = NULL;
    struct nation *nation = find_nation(trust, document->country);
    struct held new_held = {0};
    if (nation == NULL) {
        return needs_charter(why);
    }
    if (is_held(&nation->stop_held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(read_stop(nation, document, &stop, why));
    RG_TRY(hold(document, &new_held, why));
    rg_stop_free(nation->stop);
    nation->stop = stop;
    stop = NULL;
    held_move(&nation->stop_held, &new_held);
    refresh(trust, nation);
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

/* ---- judging ---- */

static const struct rg_certificate *root_of(const struct nation *nation, X509_STORE_CTX *context)
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
static const struct rg_certificate *verify_chain(const struct nation *nation,
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

static const struct rg_certificate *known_root(const struct nation *nation,
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

static rg_outcome check_chain(const struct nation *nation, const struct rg_certificate *certificate,
                              struct rg_listed *listed, struct rg_wall at, struct rg_reason *why)
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
    RG_CHECK(at.ms <= page->valid_until.ms + GRACE_MS, why, RG_DENIED, "page-expired",
             "the page of \"%s\" is out of date; a newer one is needed", principal->country);
    return rg_ok();
}

static rg_outcome check_stopped(const struct rg_trust *trust, const struct nation *nation,
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
    RG_CHECK(!nation->country.suspended && !is_suspended(trust, principal->office), why, RG_DENIED,
             "certificate-suspended", "the country or office is suspended in this config");
    return rg_ok();
}

/* Fine at the time judged for, but by `now` its country has withdrawn it. */
static bool is_stopped_later(const struct nation *nation, const struct rg_certificate *certificate,
                             struct rg_wall now)
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
    struct nation *nation = find_nation(trust, principal->country);
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

/* ---- offices, signers, readers ---- */

static struct rg_page *page_of_office(const struct nation *nation, const char *name, size_t *at_out)
{
    struct rg_page *const place[] = {nation->page, nation->domestic};
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; place[p] != NULL && i < place[p]->office_count; i++) {
            if (strcmp(place[p]->office[i].name, name) == 0) {
                *at_out = i;
                return place[p];
            }
        }
    }
    return NULL;
}

static struct nation *nation_of_office(const struct rg_trust *trust, const char *office)
{
    char code[RG_COUNTRY_BYTES];
    rg_office_country(office, code);
    return find_nation(trust, code);
}

const struct rg_office *rg_trust_office(const struct rg_trust *trust, const char *name)
{
    size_t at = 0;
    const struct nation *nation = nation_of_office(trust, name);
    const struct rg_page *page = nation != NULL ? page_of_office(nation, name, &at) : NULL;
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
    const struct nation *nation = find_nation(trust, code);
    return nation != NULL ? &nation->country : NULL;
}

const struct rg_country *rg_trust_country_at(const struct rg_trust *trust, size_t at)
{
    return at < trust->nation_count ? &trust->nation[at]->country : NULL;
}

/* Signing certificates among the page's rows that belong to officers of one office, or to one. */
static rg_outcome collect_signers(struct nation *nation, struct rg_page *page, size_t office,
                                  const char *principal, struct rg_certificate **out, size_t max,
                                  size_t *count_out, struct rg_reason *why)
{
    size_t count = 0;
    for (size_t i = 0; i < page->listed_count; i++) {
        struct rg_listed *listed = &page->listed[i];
        if (listed->use != RG_USE_SIGN || page->officer[listed->officer].office != office ||
            (principal != NULL &&
             strcmp(page->officer[listed->officer].principal, principal) != 0)) {
            continue;
        }
        struct rg_certificate *certificate =
            rg_page_certificate(page, listed, nation->country.code);
        if (certificate == NULL) {
            continue; /* one bad row must not silence an office */
        }
        RG_CHECK(count < max, why, RG_LIMIT, "signers-too-many",
                 "the office has more than %zu signing certificates", max);
        out[count++] = certificate;
    }
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_trust_signers(struct rg_trust *trust, const char *office, struct rg_certificate **out,
                            size_t max, size_t *count_out, struct rg_reason *why)
{
    size_t at = 0;
    struct nation *nation = nation_of_office(trust, office);
    struct rg_page *page = nation != NULL ? page_of_office(nation, office, &at) : NULL;
    RG_CHECK(page != NULL, why, RG_DENIED, "signers-office", "no such office in the pages held");
    return collect_signers(nation, page, at, NULL, out, max, count_out, why);
}

static const char *reader_of(const struct card *card)
{
    return rg_certificate_principal(card->reading)->text;
}

static bool signer_holds(struct rg_trust *trust, struct nation *nation, struct rg_page *page,
                         const struct card *card, struct rg_wall now)
{
    struct rg_verdict verdict;
    struct rg_listed *listed = rg_page_find(page, card->signer);
    const struct rg_certificate *signer =
        listed != NULL ? rg_page_certificate(page, listed, nation->country.code) : NULL;
    return signer != NULL &&
           rg_is_ok(rg_trust_judge(trust, signer, RG_USE_SIGN, now, now, &verdict, NULL));
}

/* Cards of one officer stand together, newest first. */
static struct rg_certificate *newest_card(struct rg_trust *trust, struct nation *nation,
                                          struct rg_page *page, const char *principal,
                                          struct rg_wall now)
{
    for (size_t i = 0; i < nation->card_count; i++) {
        const struct card *card = &nation->card[i];
        if (strcmp(reader_of(card), principal) == 0 &&
            rg_is_ok(rg_certificate_time_check(card->reading, now, NULL)) &&
            signer_holds(trust, nation, page, card, now)) {
            return card->reading;
        }
    }
    return NULL;
}

static rg_outcome collect_readers(struct rg_trust *trust, struct nation *nation,
                                  const struct rg_office *office, const char *class_name,
                                  struct rg_wall now, struct rg_certificate **out, size_t max,
                                  size_t *count_out, struct rg_reason *why)
{
    size_t at = 0;
    size_t count = 0;
    struct rg_page *page = page_of_office(nation, office->name, &at);
    RG_ASSERT(page != NULL); /* the office was found in one */
    for (size_t i = 0; i < page->officer_count; i++) {
        const struct rg_officer *officer = &page->officer[i];
        if (officer->office != at || !rg_officer_cleared(officer, class_name)) {
            continue;
        }
        struct rg_certificate *reading = newest_card(trust, nation, page, officer->principal, now);
        if (reading == NULL) {
            continue;
        }
        RG_CHECK(count < max, why, RG_LIMIT, "readers-too-many",
                 "the office has more than %zu readers for this class", max);
        out[count++] = reading;
    }
    RG_CHECK(count > 0, why, RG_AGAIN, "readers-none",
             "nobody at \"%s\" can read class \"%s\" yet: no key card is held", office->name,
             class_name);
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_trust_readers(struct rg_trust *trust, const char *office_name, const char *class_name,
                            struct rg_wall now, struct rg_certificate **out, size_t max,
                            size_t *count_out, struct rg_reason *why)
{
    struct nation *nation = nation_of_office(trust, office_name);
    const struct rg_office *office = rg_trust_office(trust, office_name);
    RG_CHECK(office != NULL && !office->suspended, why, RG_DENIED, "readers-office",
             "\"%.60s\" is in no page held here, or suspended", office_name);
    RG_CHECK(rg_charter_allows(trust->charter, class_name, office->role), why, RG_DENIED,
             "readers-class", "the charter lets no \"%s\" desk read class \"%.24s\"", office->role,
             class_name);
    const struct rg_page *page = office->domestic ? nation->domestic : nation->page;
    RG_CHECK(now.ms <= page->valid_until.ms + GRACE_MS, why, RG_DENIED, "page-expired",
             "the page of \"%s\" is out of date; a newer one is needed", nation->country.code);
    return collect_readers(trust, nation, office, class_name, now, out, max, count_out, why);
}

/* ---- key cards ---- */

static void purge_cards(struct nation *nation, struct rg_wall now)
{
    size_t kept = 0;
    for (size_t i = 0; i < nation->card_count; i++) {
        if (rg_certificate_not_after(nation->card[i].reading).ms < now.ms) {
            card_drop(&nation->card[i]);
            continue;
        }
        nation->card[kept++] = nation->card[i];
    }
    nation->card_count = kept;
}

static int compare_cards(const void *a, const void *b)
{
    const struct card *left = a;
    const struct card *right = b;
    int order = strcmp(reader_of(left), reader_of(right));
    int64_t left_ms = rg_certificate_not_before(left->reading).ms;
    int64_t right_ms = rg_certificate_not_before(right->reading).ms;
    if (order != 0 || left_ms != right_ms) {
        return order != 0 ? order : left_ms > right_ms ? -1 : 1;
    }
    return memcmp(left->held.hash.b, right->held.hash.b, sizeof(left->held.hash.b));
}

static rg_outcome check_room(const struct nation *nation, const char *principal,
                             struct rg_reason *why)
{
    size_t own = 0;
    for (size_t i = 0; i < nation->card_count; i++) {
        own += strcmp(reader_of(&nation->card[i]), principal) == 0;
    }
    RG_CHECK(own < RG_CARDS_PER_OFFICER_MAX && nation->card_count < CARDS_MAX, why, RG_LIMIT,
             "card-too-many", "an officer may have at most %d key cards at a time",
             RG_CARDS_PER_OFFICER_MAX);
    return rg_ok();
}

static rg_outcome open_card(struct rg_trust *trust, struct nation *nation,
                            const struct rg_document *document, struct rg_wall now,
                            struct card *out, struct rg_reason *why)
{
    RG_OWNED_CERTIFICATE *reading = NULL;
    const struct rg_certificate *signer = NULL;
    struct rg_certificate *candidate[RG_OFFICER_CERTIFICATES_MAX];
    struct rg_principal claim;
    struct rg_verdict verdict;
    size_t at = 0;
    size_t count = 0;
    RG_TRY(rg_card_claim(rg_buffer_peek(&document->text), &claim, why));
    RG_CHECK(strcmp(claim.country, nation->country.code) == 0, why, RG_DENIED, "card-principal",
             "a key card handed over as another country's");
    struct rg_page *page = page_of_office(nation, claim.office, &at);
    if (page != NULL) {
        RG_TRY(collect_signers(nation, page, at, claim.text, candidate, RG_OFFICER_CERTIFICATES_MAX,
                               &count, why));
    }
    RG_CHECK(count > 0, why, RG_AGAIN, "document-needs-page",
             "a key card of an officer who is in no page held here");
    RG_TRY(rg_card_open(rg_buffer_peek(&document->text), candidate, count, &reading, &signer, why));
    RG_TRY(rg_trust_judge(trust, signer, RG_USE_SIGN, now, now, &verdict, why));
    RG_CHECK(rg_certificate_not_after(reading).ms >= now.ms, why, RG_DENIED, "card-expired",
             "a key card that has expired");
    RG_TRY(check_room(nation, claim.text, why));
    RG_TRY(hold(document, &out->held, why));
    out->signer = rg_certificate_digest(signer);
    out->reading = reading;
    reading = NULL;
    return rg_ok();
}

static bool holds_card(const struct nation *nation, const struct rg_document *document)
{
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&document->text));
    for (size_t i = 0; i < nation->card_count; i++) {
        if (same_hash(&nation->card[i].held.hash, &hash)) {
            return true;
        }
    }
    return false;
}

static rg_outcome offer_card(struct rg_trust *trust, const struct rg_document *document,
                             struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    struct nation *nation = find_nation(trust, document->country);
    struct card card = {0};
    if (nation == NULL) {
        return needs_charter(why);
    }
    purge_cards(nation, now);
    if (holds_card(nation, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(open_card(trust, nation, document, now, &card, why));
    struct card *grown = realloc(nation->card, (nation->card_count + 1) * sizeof(*grown));
    RG_ASSERT(grown != NULL);
    grown[nation->card_count] = card;
    nation->card = grown;
    nation->card_count++;
    qsort(nation->card, nation->card_count, sizeof(*grown), compare_cards);
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

/* ---- the only way in ---- */

static rg_outcome check_sizes(const struct rg_document *document, struct rg_reason *why)
{
    size_t text_max = document->kind == RG_DOC_KEY_CARD ? RG_CARD_BYTES_MAX : RG_DOCUMENT_BYTES_MAX;
    bool fits =
        document->text.len <= text_max && document->signature_count <= RG_DOCUMENT_SIGNATURES_MAX;
    for (size_t i = 0; fits && i < document->signature_count; i++) {
        fits = document->signature[i].len <= RG_SIGNATURE_BYTES_MAX;
    }
    RG_CHECK(fits, why, RG_LIMIT, "document-too-large",
             "a trust document or a signature of it is too large");
    return rg_ok();
}

rg_outcome rg_trust_offer(struct rg_trust *trust, const struct rg_document *document,
                          struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    RG_TRY(check_sizes(document, why));
    switch (document->kind) {
    case RG_DOC_CHARTER:
        return offer_charter(trust, document, news_out, why);
    case RG_DOC_PAGE:
    case RG_DOC_PAGE_DOMESTIC:
        return offer_page(trust, document, news_out, why);
    case RG_DOC_STOP_LIST:
        return offer_stop(trust, document, news_out, why);
    case RG_DOC_KEY_CARD:
        return offer_card(trust, document, now, news_out, why);
    default:
        return rg_fail(why, RG_MALFORMED, "document-format", "an unknown kind of trust document");
    }
}

/* ---- what is held ---- */

static bool is_domestic_card(const struct nation *nation, const struct card *card)
{
    size_t at = 0;
    const char *office = rg_certificate_principal(card->reading)->office;
    const struct rg_page *page = page_of_office(nation, office, &at);
    return page == NULL || page->domestic;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct rg_hash));
}

static struct rg_holding card_holding(const struct nation *nation, bool with_domestic)
{
    struct rg_holding row = {.kind = RG_DOC_KEY_CARD};
    struct rg_hash *hash = calloc(nation->card_count + 1, sizeof(*hash));
    RG_ASSERT(hash != NULL);
    for (size_t i = 0; i < nation->card_count; i++) {
        if (with_domestic || !is_domestic_card(nation, &nation->card[i])) {
            hash[row.counter++] = nation->card[i].held.hash;
        }
    }
    qsort(hash, (size_t)row.counter, sizeof(*hash), compare_hashes);
    row.digest = rg_sha256(rg_bytes_of(hash, (size_t)row.counter * sizeof(*hash)));
    memcpy(row.country, nation->country.code, sizeof(row.country));
    free(hash);
    return row;
}

struct rows {
    struct rg_holding *out;
    size_t max, count;
};

static void add_row(struct rows *rows, const struct held *held, uint64_t counter)
{
    if (held->document.kind == 0 || rows->count == rows->max) {
        return;
    }
    struct rg_holding *row = &rows->out[rows->count++];
    *row =
        (struct rg_holding){.kind = held->document.kind, .counter = counter, .digest = held->hash};
    if (held->document.kind != RG_DOC_CHARTER) { /* which has no country */
        memcpy(row->country, held->document.country, sizeof(row->country));
    }
}

static void add_nation(struct rows *rows, const struct nation *nation, bool with_domestic)
{
    add_row(rows, &nation->page_held, nation->page != NULL ? nation->page->counter : 0);
    if (with_domestic) {
        add_row(rows, &nation->domestic_held,
                nation->domestic != NULL ? nation->domestic->counter : 0);
    }
    add_row(rows, &nation->stop_held, nation->stop != NULL ? nation->stop->counter : 0);
    struct rg_holding cards = card_holding(nation, with_domestic);
    if (cards.counter > 0 && rows->count < rows->max) {
        rows->out[rows->count++] = cards;
    }
}

static size_t list_holdings(const struct rg_trust *trust, const char *country,
                            struct rg_holding *out, size_t max)
{
    struct rows rows = {.out = out, .max = max};
    add_row(&rows, &trust->charter_held, trust->charter != NULL ? trust->charter->counter : 0);
    for (size_t i = 0; i < trust->nation_count; i++) {
        const struct nation *nation = trust->nation[i];
        add_nation(&rows, nation, country == NULL || strcmp(country, nation->country.code) == 0);
    }
    return rows.count;
}

size_t rg_trust_holdings(const struct rg_trust *trust, struct rg_holding *out, size_t max)
{
    return list_holdings(trust, NULL, out, max);
}

size_t rg_trust_holdings_for(const struct rg_trust *trust, const char *country,
                             struct rg_holding *out, size_t max)
{
    return list_holdings(trust, country, out, max);
}

static const struct held *held_of(const struct nation *nation, enum rg_document_kind kind)
{
    switch (kind) {
    case RG_DOC_PAGE:
        return &nation->page_held;
    case RG_DOC_PAGE_DOMESTIC:
        return &nation->domestic_held;
    case RG_DOC_STOP_LIST:
        return &nation->stop_held;
    case RG_DOC_CHARTER:
    case RG_DOC_KEY_CARD:
    default:
        return NULL;
    }
}

const struct rg_document *rg_trust_document(const struct rg_trust *trust,
                                            enum rg_document_kind kind, const char *country,
                                            size_t at)
{
    if (kind == RG_DOC_CHARTER) {
        return at == 0 && trust->charter != NULL ? &trust->charter_held.document : NULL;
    }
    const struct nation *nation = find_nation(trust, country);
    if (nation == NULL) {
        return NULL;
    }
    if (kind == RG_DOC_KEY_CARD) {
        return at < nation->card_count ? &nation->card[at].held.document : NULL;
    }
    const struct held *held = held_of(nation, kind);
    return at == 0 && held != NULL && held->document.kind == kind ? &held->document : NULL;
}

bool rg_trust_is_domestic(const struct rg_trust *trust, const struct rg_document *document)
{
    const struct nation *nation = find_nation(trust, document->country);
    if (document->kind != RG_DOC_KEY_CARD || nation == NULL) {
        return document->kind == RG_DOC_PAGE_DOMESTIC;
    }
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&document->text));
    for (size_t i = 0; i < nation->card_count; i++) {
        if (same_hash(&nation->card[i].held.hash, &hash)) {
            return is_domestic_card(nation, &nation->card[i]);
        }
    }
    return true; /* not held: nothing to pass on */
}

static bool needs_cards(const struct nation *nation, const struct rg_holding *theirs)
{
    struct rg_holding all = card_holding(nation, true);
    struct rg_holding public = card_holding(nation, false);
    return theirs->counter > 0 && !same_hash(&theirs->digest, &all.digest) &&
           !same_hash(&theirs->digest, &public.digest);
}

static bool is_newer(const struct held *held, uint64_t counter, const struct rg_holding *theirs)
{
    return held->document.kind == 0 || theirs->counter > counter ||
           (theirs->counter == counter && !same_hash(&held->hash, &theirs->digest));
}

bool rg_trust_needs(const struct rg_trust *trust, const struct rg_holding *theirs)
{
    if (theirs->kind == RG_DOC_CHARTER) {
        return is_newer(&trust->charter_held, trust->charter != NULL ? trust->charter->counter : 0,
                        theirs);
    }
    const struct nation *nation = find_nation(trust, theirs->country);
    if (nation == NULL) {
        return false;
    }
    switch (theirs->kind) {
    case RG_DOC_PAGE:
        return is_newer(&nation->page_held, nation->page != NULL ? nation->page->counter : 0,
                        theirs);
    case RG_DOC_PAGE_DOMESTIC:
        return is_newer(&nation->domestic_held,
                        nation->domestic != NULL ? nation->domestic->counter : 0, theirs);
    case RG_DOC_STOP_LIST:
        return is_newer(&nation->stop_held, nation->stop != NULL ? nation->stop->counter : 0,
                        theirs);
    case RG_DOC_KEY_CARD:
        return needs_cards(nation, theirs);
    case RG_DOC_CHARTER:
    default:
        return false;
    }
}
