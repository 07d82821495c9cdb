/*
 * How it works
 *   One nation (trust_nation.h) per country of the charter holds that country's roots, publishers,
 *   page, domestic page, stop list and cards. Every document goes the same way in: bound its size,
 *   check its signature against what the charter says, read the text (trust_text), compare with
 *   what is held, and only then swap it in. Invariant: a refused document changes nothing, and what
 *   is held is always a complete, verified set.
 */
#include "core/trust_nation.h"

#include "core/digest.h"
#include "core/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- small things ---- */

bool rg_hash_same(const struct rg_hash *a, const struct rg_hash *b)
{
    return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

struct rg_nation *rg_nation_find(const struct rg_trust *trust, const char *code)
{
    for (size_t i = 0; i < trust->nation_count; i++) {
        if (strcmp(trust->nation[i]->country.code, code) == 0) {
            return trust->nation[i];
        }
    }
    return NULL;
}

void rg_held_drop(struct rg_held *held)
{
    rg_document_drop(&held->document);
    *held = (struct rg_held){0};
}

/* Moves; `from` is left empty. */
void rg_held_move(struct rg_held *to, struct rg_held *from)
{
    rg_held_drop(to);
    *to = *from;
    memset(from, 0, sizeof(*from));
}

rg_outcome rg_hold(const struct rg_document *document, struct rg_held *out, struct rg_reason *why)
{
    RG_TRY(rg_document_copy(document, &out->document, why));
    out->hash = rg_sha256(rg_buffer_peek(&document->text));
    return rg_ok();
}

bool rg_held_is(const struct rg_held *held, const struct rg_document *document)
{
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&document->text));
    return held->document.kind == document->kind && rg_hash_same(&held->hash, &hash);
}

static void nation_free(struct rg_nation *nation)
{
    if (nation == NULL) {
        return;
    }
    rg_roots_free(nation->store);
    rg_held_drop(&nation->page_held);
    rg_held_drop(&nation->domestic_held);
    rg_held_drop(&nation->stop_held);
    rg_page_free(nation->page);
    rg_page_free(nation->domestic);
    rg_stop_free(nation->stop);
    for (size_t i = 0; i < nation->card_count; i++) {
        rg_card_drop(&nation->card[i]);
    }
    free(nation->card);
    free(nation);
}

static void nations_free(struct rg_nation **nation, size_t count)
{
    for (size_t i = 0; nation != NULL && i < count; i++) {
        nation_free(nation[i]);
    }
    free(nation);
}

struct rg_page *rg_nation_page_of(const struct rg_nation *nation, const char *name, size_t *at_out)
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

struct rg_nation *rg_nation_of_office(const struct rg_trust *trust, const char *office)
{
    char code[RG_COUNTRY_BYTES];
    rg_office_country(office, code);
    return rg_nation_find(trust, code);
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
    rg_held_drop(&trust->charter_held);
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

bool rg_trust_suspends(const struct rg_trust *trust, const char *name)
{
    for (size_t i = 0; i < trust->suspended_count; i++) {
        if (strcmp(trust->suspended[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void mark_offices(const struct rg_trust *trust, const struct rg_nation *nation,
                         struct rg_page *page)
{
    for (size_t i = 0; page != NULL && i < page->office_count; i++) {
        struct rg_office *office = &page->office[i];
        office->suspended = nation->country.suspended || rg_trust_suspends(trust, office->name) ||
                            rg_stop_office(nation->stop, office->name) != NULL;
    }
}

/* What the accessors show follows from what is held; called after every change. */
static void refresh(const struct rg_trust *trust, struct rg_nation *nation)
{
    struct rg_country *country = &nation->country;
    const struct rg_page *page = nation->page;
    country->suspended = rg_trust_suspends(trust, country->code);
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
    RG_CHECK(trust->suspended_count < RG_SUSPENSIONS_MAX, why, RG_LIMIT, "suspensions-too-many",
             "at most %d suspensions", RG_SUSPENSIONS_MAX);
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
    bool pinned = trust->charter == NULL && trust->has_charter_pin &&
                  rg_hash_same(&hash, &trust->charter_pin);
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

static bool still_publishes(const struct rg_charter_country *charter,
                            const struct rg_hash *publisher)
{
    for (size_t i = 0; i < charter->publisher_count; i++) {
        struct rg_hash digest = rg_certificate_digest(charter->publisher[i]);
        if (rg_hash_same(&digest, publisher)) {
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
static void inherit(struct rg_nation *nation, struct rg_nation *old)
{
    if (old->page != NULL && still_publishes(nation->charter, &old->page_publisher)) {
        nation->page = old->page;
        nation->page_publisher = old->page_publisher;
        old->page = NULL;
        rg_held_move(&nation->page_held, &old->page_held);
    }
    if (old->domestic != NULL && still_publishes(nation->charter, &old->domestic_publisher)) {
        nation->domestic = old->domestic;
        nation->domestic_publisher = old->domestic_publisher;
        old->domestic = NULL;
        rg_held_move(&nation->domestic_held, &old->domestic_held);
    }
    nation->stop = old->stop;
    old->stop = NULL;
    rg_held_move(&nation->stop_held, &old->stop_held);
    nation->card = old->card;
    nation->card_count = old->card_count;
    old->card = NULL;
    old->card_count = 0;
    forget_chains(nation->page);
    forget_chains(nation->domestic);
}

static struct rg_nation *new_nation(const struct rg_charter_country *charter)
{
    struct rg_nation *nation = calloc(1, sizeof(*nation));
    if (nation == NULL) {
        return NULL;
    }
    nation->country = charter->country;
    nation->charter = charter;
    nation->store = rg_roots_new(charter);
    if (nation->store == NULL) {
        nation_free(nation);
        return NULL;
    }
    return nation;
}

/* All or none: only when every country has its place does anything move. */
static struct rg_nation **new_nations(const struct rg_charter *charter)
{
    struct rg_nation **nation = calloc(charter->country_count + 1, sizeof(struct rg_nation *));
    for (size_t i = 0; nation != NULL && i < charter->country_count; i++) {
        nation[i] = new_nation(&charter->country[i]);
        if (nation[i] == NULL) {
            nations_free(nation, i);
            return NULL;
        }
    }
    return nation;
}

static void inherit_all(const struct rg_trust *trust, struct rg_nation **nation, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rg_nation *old = rg_nation_find(trust, nation[i]->country.code);
        if (old != NULL) {
            inherit(nation[i], old);
        }
    }
}

static rg_outcome install_charter(struct rg_trust *trust, struct rg_charter *charter,
                                  struct rg_held *held, struct rg_reason *why)
{
    struct rg_nation **nation = new_nations(charter);
    RG_CHECK(nation != NULL, why, RG_IO, "out-of-memory",
             "cannot allocate the charter's countries");
    inherit_all(trust, nation, charter->country_count);
    nations_free(trust->nation, trust->nation_count);
    rg_charter_free(trust->charter);
    trust->nation = nation;
    trust->nation_count = charter->country_count;
    trust->charter = charter;
    rg_held_move(&trust->charter_held, held);
    for (size_t i = 0; i < trust->nation_count; i++) {
        refresh(trust, nation[i]);
    }
    return rg_ok();
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
    RG_CLEANUP(rg_held_drop) struct rg_held held = {0};
    if (rg_held_is(&trust->charter_held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(verify_charter(trust, document, &charter, why));
    RG_TRY(compare_charter(trust, charter, why));
    RG_TRY(rg_hold(document, &held, why));
    RG_TRY(install_charter(trust, charter, &held, why));
    charter = NULL; /* moved in */
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

/* ---- pages and stop lists ---- */

/* One signature, by a publisher of that country whose certificate was valid when it was issued. */
static rg_outcome check_publisher(const struct rg_nation *nation,
                                  const struct rg_document *document, size_t *publisher_out,
                                  struct rg_reason *why)
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
    RG_CHECK(!adjacent || rg_hash_same(&page->previous, &held->hash), why, RG_DENIED, "page-chain",
             "page: it does not follow the page before it; its country has another history");
    RG_CHECK(page->issued.ms >= held->issued.ms, why, RG_DENIED, "page-chain",
             "page: it is older than the page before it");
    return rg_ok();
}

/* No later page may be issued earlier, so one with a wrong year would keep all others out. */
static rg_outcome check_issued(const struct rg_page *page, struct rg_wall now,
                               struct rg_reason *why)
{
    RG_CHECK(page->issued.ms <= now.ms + RG_DAY_MS, why, RG_AGAIN, "document-early",
             "page: issued on a day to come; check both clocks");
    return rg_ok();
}

static rg_outcome read_page(const struct rg_nation *nation, const struct rg_document *document,
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
                             struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_page_cleanup) struct rg_page *page = NULL;
    struct rg_nation *nation = rg_nation_find(trust, document->country);
    struct rg_hash publisher;
    struct rg_held new_held = {0};
    if (nation == NULL) {
        return needs_charter(why);
    }
    bool domestic = document->kind == RG_DOC_PAGE_DOMESTIC;
    struct rg_held *held = domestic ? &nation->domestic_held : &nation->page_held;
    if (rg_held_is(held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(read_page(nation, document, &page, &publisher, why));
    RG_TRY(check_issued(page, now, why));
    RG_TRY(rg_hold(document, &new_held, why));
    struct rg_page **place = domestic ? &nation->domestic : &nation->page;
    rg_page_free(*place);
    *place = page;
    page = NULL;
    *(domestic ? &nation->domestic_publisher : &nation->page_publisher) = publisher;
    rg_held_move(held, &new_held);
    refresh(trust, nation);
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}

static void bring_forward(struct rg_wall *from, bool *dated, struct rg_wall now)
{
    if (from->ms > now.ms) {
        *from = now;
        *dated = false;
    }
}

/* A stop list counts at once, whatever date it bears. */
static void count_from_now(struct rg_stop *stop, struct rg_wall now)
{
    stop->issued.ms = stop->issued.ms < now.ms ? stop->issued.ms : now.ms;
    for (size_t i = 0; i < stop->certificate_count; i++) {
        bring_forward(&stop->certificate[i].from, &stop->certificate[i].dated, now);
    }
    for (size_t i = 0; i < stop->office_count; i++) {
        bring_forward(&stop->office[i].from, &stop->office[i].dated, now);
    }
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

static rg_outcome read_stop(const struct rg_nation *nation, const struct rg_document *document,
                            struct rg_wall now, struct rg_stop **out, struct rg_reason *why)
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
    count_from_now(stop, now);
    inherit_times(nation->stop, stop);
    RG_TRY(compare_stop(nation->stop, stop, why));
    *out = stop;
    stop = NULL;
    return rg_ok();
}

static rg_outcome offer_stop(struct rg_trust *trust, const struct rg_document *document,
                             struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_stop_cleanup) struct rg_stop *stop = NULL;
    struct rg_nation *nation = rg_nation_find(trust, document->country);
    struct rg_held new_held = {0};
    if (nation == NULL) {
        return needs_charter(why);
    }
    if (rg_held_is(&nation->stop_held, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(read_stop(nation, document, now, &stop, why));
    RG_TRY(rg_hold(document, &new_held, why));
    rg_stop_free(nation->stop);
    nation->stop = stop;
    stop = NULL;
    rg_held_move(&nation->stop_held, &new_held);
    refresh(trust, nation);
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
        return offer_page(trust, document, now, news_out, why);
    case RG_DOC_STOP_LIST:
        return offer_stop(trust, document, now, news_out, why);
    case RG_DOC_KEY_CARD:
        return rg_nation_offer_card(trust, document, now, news_out, why);
    default:
        return rg_fail(why, RG_MALFORMED, "document-format", "an unknown kind of trust document");
    }
}
