/*
 * How it works
 *   What is held, as rows for a Hello and as documents for whoever lacks them. A peer of another
 *   country sees neither the domestic part nor the cards of officers who stand in it; so a row of
 *   cards has two lawful digests, and rg_trust_needs accepts both.
 */
#include "core/trust_nation.h"

#include "core/digest.h"

#include <stdlib.h>
#include <string.h>

static bool is_domestic_card(const struct rg_nation *nation, const struct rg_card *card)
{
    size_t at = 0;
    const char *office = rg_certificate_principal(card->reading)->office;
    const struct rg_page *page = rg_nation_page_of(nation, office, &at);
    return page == NULL || page->domestic;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct rg_hash));
}

static struct rg_holding card_holding(const struct rg_nation *nation, bool with_domestic)
{
    struct rg_holding row = {.kind = RG_DOC_KEY_CARD};
    struct rg_hash *hash = calloc(nation->card_count + 1, sizeof(*hash));
    RG_ASSERT(hash != NULL);
    for (size_t i = 0; i < nation->card_count; i++) {
        if (with_domestic || !is_domestic_card(nation, &nation->card[i])) {
            hash[row.counter++] = rg_certificate_digest(nation->card[i].reading);
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

static void add_row(struct rows *rows, const struct rg_held *held, uint64_t counter)
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

static void add_nation(struct rows *rows, const struct rg_nation *nation, bool with_domestic)
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
        const struct rg_nation *nation = trust->nation[i];
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

static const struct rg_held *held_of(const struct rg_nation *nation, enum rg_document_kind kind)
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
    const struct rg_nation *nation = rg_nation_find(trust, country);
    if (nation == NULL) {
        return NULL;
    }
    if (kind == RG_DOC_KEY_CARD) {
        return at < nation->card_count ? &nation->card[at].held.document : NULL;
    }
    const struct rg_held *held = held_of(nation, kind);
    return at == 0 && held != NULL && held->document.kind == kind ? &held->document : NULL;
}

uint64_t rg_trust_counter(const struct rg_trust *trust, enum rg_document_kind kind,
                          const char *country)
{
    const struct rg_nation *nation = rg_nation_find(trust, country);
    if (kind == RG_DOC_CHARTER) {
        return trust->charter != NULL ? trust->charter->counter : 0;
    }
    if (nation == NULL) {
        return 0;
    }
    const struct rg_page *page = kind == RG_DOC_PAGE ? nation->page : nation->domestic;
    switch (kind) {
    case RG_DOC_PAGE:
    case RG_DOC_PAGE_DOMESTIC:
        return page != NULL ? page->counter : 0;
    case RG_DOC_STOP_LIST:
        return nation->stop != NULL ? nation->stop->counter : 0;
    case RG_DOC_KEY_CARD:
        return nation->card_count;
    case RG_DOC_CHARTER:
    default:
        return 0;
    }
}

bool rg_trust_is_domestic(const struct rg_trust *trust, const struct rg_document *document)
{
    const struct rg_nation *nation = rg_nation_find(trust, document->country);
    if (document->kind != RG_DOC_KEY_CARD || nation == NULL) {
        return document->kind == RG_DOC_PAGE_DOMESTIC;
    }
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&document->text));
    for (size_t i = 0; i < nation->card_count; i++) {
        if (rg_hash_same(&nation->card[i].held.hash, &hash)) {
            return is_domestic_card(nation, &nation->card[i]);
        }
    }
    return true; /* not held: nothing to pass on */
}

static bool needs_cards(const struct rg_nation *nation, const struct rg_holding *theirs)
{
    struct rg_holding all = card_holding(nation, true);
    struct rg_holding public = card_holding(nation, false);
    return theirs->counter > 0 && !rg_hash_same(&theirs->digest, &all.digest) &&
           !rg_hash_same(&theirs->digest, &public.digest);
}

static bool is_newer(const struct rg_held *held, uint64_t counter, const struct rg_holding *theirs)
{
    return held->document.kind == 0 || theirs->counter > counter ||
           (theirs->counter == counter && !rg_hash_same(&held->hash, &theirs->digest));
}

bool rg_trust_needs(const struct rg_trust *trust, const struct rg_holding *theirs)
{
    if (theirs->kind == RG_DOC_CHARTER) {
        return is_newer(&trust->charter_held, trust->charter != NULL ? trust->charter->counter : 0,
                        theirs);
    }
    const struct rg_nation *nation = rg_nation_find(trust, theirs->country);
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
