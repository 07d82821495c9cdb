/*
 * How it works
 *   Once a minute, and each second while there is more, a bounded piece of retention: sealed bodies
 * past collect-by and the configured grace; then bodies that nobody needs any more, found by
 * walking the bodies from where the last walk stopped: here past collect-by, of what we sent
 * expired and answered by the peer, and stored by every device known of every office here that was
 * to have them, so the grace is for devices that come late. Once a day key cards that have ended.
 *   The message's row, its proofs and its log entries stay: they are the answer, the same for ever.
 */
#include "gateway/courier_state.h"

#include "core/card.h"
#include "core/digest.h"

#define PIECE_BODIES 256
#define PIECE_WALK 512
#define PAUSE_MS 60000
#define HURRY_MS 1000
#define CARDS_DAY_MS INT64_C(86400000)
#define CARDS_MAX 256

static rg_outcome bodies_tick(struct rg_courier *courier, struct rg_now now, bool *more_out,
                              uint64_t *erased_out, struct rg_reason *why)
{
    size_t late = 0;
    size_t settled = 0;
    uint64_t after = courier->settled_key;
    struct rg_wall grace = {now.wall.ms - courier->options.retention_ms};
    struct rg_wall over = {now.wall.ms - courier->options.skew_ms_max};
    RG_TRY(STORE(courier, bodies_erase, grace, PIECE_BODIES, &late, why));
    RG_TRY(STORE(courier, bodies_settle, over, PIECE_WALK, &after, &settled, why));
    courier->settled_key = after;
    *more_out = late == PIECE_BODIES || after != 0;
    *erased_out = late + settled;
    return rg_ok();
}

/* ---- key cards ---- */

struct ended { /* found while walking, dropped afterwards */
    struct rg_wall before;
    struct rg_hash digest[CARDS_MAX];
    size_t count;
};

static rg_outcome card_see(void *context, const struct rg_document *document, struct rg_reason *why)
{
    struct ended *ended = context;
    struct rg_wall end = {0};
    (void)why;
    if (document->kind != RG_DOC_KEY_CARD || ended->count == CARDS_MAX ||
        !rg_is_ok(rg_card_end(rg_buffer_peek(&document->text), &end, NULL))) {
        return rg_ok();
    }
    if (end.ms < ended->before.ms) {
        ended->digest[ended->count++] = rg_sha256(rg_buffer_peek(&document->text));
    }
    return rg_ok();
}

/* A card that has ended lets nobody seal any more, and nothing that was sealed needs it. */
static rg_outcome cards_tick(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    struct ended ended = {.before = {now.wall.ms - CARDS_DAY_MS}};
    RG_TRY(STORE(courier, documents_each, card_see, &ended, why));
    for (size_t i = 0; i < ended.count; i++) {
        RG_TRY(STORE(courier, card_drop, &ended.digest[i], why));
    }
    return rg_ok();
}

rg_outcome rg_courier_retain(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    bool more = false;
    uint64_t erased = 0;
    if (now.mono.ms < courier->erase_at.ms) {
        return rg_ok();
    }
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(bodies_tick(courier, now, &more, &erased, why));
    if (now.mono.ms >= courier->cards_at.ms) {
        RG_TRY(cards_tick(courier, now, why));
        courier->cards_at.ms = now.mono.ms + CARDS_DAY_MS;
    }
    courier->erase_at.ms = now.mono.ms + (more ? HURRY_MS : PAUSE_MS);
    if (erased > 0) {
        courier->count.erased += erased;
        rg_courier_event_reason(courier, RG_COURIER_CONTENT_ERASED, courier->options.country, NULL,
                                erased);
    }
    return rg_ok();
}
