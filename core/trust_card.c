/*
 * How it works
 *   The cards of a nation stand in one array, sorted by officer and then newest first, so that the
 *   first one valid now is the one to use. Expired ones leave whenever a card is offered.
 */
#include "core/trust_nation.h"

#include "core/card.h"
#include "core/digest.h"
#include "core/signature.h"

#include <stdlib.h>
#include <string.h>

const char *rg_card_reader(const struct rg_card *card)
{
    return rg_certificate_principal(card->reading)->text;
}

void rg_card_drop(struct rg_card *card)
{
    rg_held_drop(&card->held);
    rg_certificate_free(card->reading);
    card->reading = NULL;
}

static void purge_cards(struct rg_nation *nation, struct rg_wall now)
{
    size_t kept = 0;
    for (size_t i = 0; i < nation->card_count; i++) {
        if (rg_certificate_not_after(nation->card[i].reading).ms < now.ms) {
            rg_card_drop(&nation->card[i]);
            continue;
        }
        nation->card[kept++] = nation->card[i];
    }
    nation->card_count = kept;
}

static int compare_cards(const void *a, const void *b)
{
    const struct rg_card *left = a;
    const struct rg_card *right = b;
    int order = strcmp(rg_card_reader(left), rg_card_reader(right));
    int64_t left_ms = rg_certificate_not_before(left->reading).ms;
    int64_t right_ms = rg_certificate_not_before(right->reading).ms;
    if (order != 0 || left_ms != right_ms) {
        return order != 0 ? order : left_ms > right_ms ? -1 : 1;
    }
    return memcmp(left->held.hash.b, right->held.hash.b, sizeof(left->held.hash.b));
}

static size_t count_own(const struct rg_nation *nation, const char *principal)
{
    size_t own = 0;
    for (size_t i = 0; i < nation->card_count; i++) {
        own += strcmp(rg_card_reader(&nation->card[i]), principal) == 0;
    }
    return own;
}

/* Whoever had an officer's key before it was stopped may have filled his places. */
static void purge_untrusted(struct rg_trust *trust, struct rg_nation *nation, const char *principal,
                            struct rg_wall now)
{
    size_t kept = 0;
    for (size_t i = 0; i < nation->card_count; i++) {
        struct rg_card *card = &nation->card[i];
        if (strcmp(rg_card_reader(card), principal) == 0 &&
            !rg_card_holds(trust, nation, card, now)) {
            rg_card_drop(card);
            continue;
        }
        nation->card[kept++] = *card;
    }
    nation->card_count = kept;
}

static rg_outcome find_place(struct rg_trust *trust, struct rg_nation *nation,
                             const char *principal, struct rg_wall now, struct rg_reason *why)
{
    size_t own = count_own(nation, principal);
    if (own == RG_CARDS_PER_OFFICER_MAX) {
        purge_untrusted(trust, nation, principal, now);
        own = count_own(nation, principal);
    }
    RG_CHECK(own < RG_CARDS_PER_OFFICER_MAX && nation->card_count < RG_CARDS_MAX, why, RG_LIMIT,
             "card-too-many", "an officer may have at most %d key cards at a time",
             RG_CARDS_PER_OFFICER_MAX);
    return rg_ok();
}

static rg_outcome open_card(struct rg_trust *trust, struct rg_nation *nation,
                            const struct rg_document *document, struct rg_wall now,
                            struct rg_card *out, struct rg_reason *why)
{
    RG_OWNED_CERTIFICATE *reading = NULL;
    const struct rg_certificate *signer = NULL;
    struct rg_certificate *candidate[RG_OFFICER_CERTIFICATES_MAX];
    struct rg_principal claim;
    struct rg_verdict verdict;
    struct rg_list list = {.at = candidate, .max = RG_OFFICER_CERTIFICATES_MAX};
    size_t at = 0;
    RG_TRY(rg_card_claim(rg_buffer_peek(&document->text), &claim, why));
    RG_CHECK(strcmp(claim.country, nation->country.code) == 0, why, RG_DENIED, "card-principal",
             "a key card handed over as another country's");
    struct rg_page *page = rg_nation_page_of(nation, claim.office, &at);
    if (page != NULL) {
        RG_TRY(rg_nation_signers(nation, page, at, claim.text, &list, why));
    }
    RG_CHECK(list.count > 0, why, RG_AGAIN, "document-needs-page",
             "a key card of an officer who is in no page held here");
    RG_TRY(rg_card_open(rg_buffer_peek(&document->text), candidate, list.count, &reading, &signer,
                        why));
    RG_TRY(rg_trust_judge(trust, signer, RG_USE_SIGN, now, now, &verdict, why));
    RG_CHECK(rg_certificate_not_after(reading).ms >= now.ms, why, RG_DENIED, "card-expired",
             "a key card that has expired");
    RG_TRY(find_place(trust, nation, claim.text, now, why));
    RG_TRY(rg_hold(document, &out->held, why));
    out->signer = rg_certificate_digest(signer);
    out->reading = reading;
    reading = NULL;
    return rg_ok();
}

/* A card is its reading certificate: one certificate can be signed, and a signature written, in
 * many ways, and that makes no new card. */
static bool holds_card(const struct rg_nation *nation, const struct rg_document *document)
{
    RG_OWNED_BUFFER reading = {0};
    if (!rg_is_ok(rg_signature_claim(rg_buffer_peek(&document->text), &reading, NULL))) {
        return false;
    }
    struct rg_hash claimed = rg_sha256(rg_buffer_peek(&reading));
    for (size_t i = 0; i < nation->card_count; i++) {
        struct rg_hash held = rg_certificate_digest(nation->card[i].reading);
        if (rg_hash_same(&held, &claimed)) {
            return true;
        }
    }
    return false;
}

/* Room is made first, so that a card taken in always has its place. */
static rg_outcome make_room(struct rg_nation *nation, struct rg_reason *why)
{
    struct rg_card *grown = realloc(nation->card, (nation->card_count + 1) * sizeof(*grown));
    RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "cannot allocate a key card");
    nation->card = grown;
    return rg_ok();
}

rg_outcome rg_nation_offer_card(struct rg_trust *trust, const struct rg_document *document,
                                struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    struct rg_nation *nation = rg_nation_find(trust, document->country);
    struct rg_card card = {0};
    RG_CHECK(nation != NULL, why, RG_AGAIN, "document-needs-charter",
             "a key card of a country that no charter held here names");
    purge_cards(nation, now);
    if (holds_card(nation, document)) {
        *news_out = RG_NEWS_NONE;
        return rg_ok();
    }
    RG_TRY(make_room(nation, why));
    RG_TRY(open_card(trust, nation, document, now, &card, why));
    nation->card[nation->card_count++] = card;
    qsort(nation->card, nation->card_count, sizeof(card), compare_cards);
    *news_out = RG_NEWS_NEW;
    return rg_ok();
}
