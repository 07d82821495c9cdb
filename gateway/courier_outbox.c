/* How it works
 *
 * What a peer must answer stands in the store's outbox. Per priority a lane holds a few rows read
 * ahead; the next frame is chosen only when the window has room, from the highest lane that has a
 * row, so an emergency waits for one window at most. A frame that waits for its answer is a flight.
 * Flights are memory only: when the session goes, lanes start again from the first row.
 *
 * The window starts small and grows by what was answered while answers come quickly; on a slow line
 * it stays small.
 *
 * An answer counts when its proof holds: it is kept, logged as RECEIPT_VERIFIED, its outbox row
 * goes and the office gets a Status, all in one batch. proof_add says whether the answer is new, so
 * a repeated one changes nothing.
 *
 * At `expires` by our clock a row without answer is logged UNCONFIRMED and becomes a CloseRequest:
 * the peer answers with its old receipt, or with CLOSED, and then refuses that id for ever.
 */
#include "gateway/courier_state.h"

#include <string.h>

#define PROOF_BYTES_ABOUT 1500
#define RESCAN_MS 30000
#define BACKOFF_MS_MIN 2000
#define BACKOFF_MS_MAX 600000

/* Window and flights */

void rg_courier_window_grow(struct courier_session *session, uint64_t bytes, int64_t round_ms)
{
    if (round_ms <= 500) {
        uint64_t grown = session->window_bytes + bytes;
        session->window_bytes = grown < RG_WINDOW_BYTES_MAX ? grown : RG_WINDOW_BYTES_MAX;
    }
    if (round_ms > 5000) {
        uint64_t shrunk = session->window_bytes / 2;
        session->window_bytes = shrunk > RG_WINDOW_BYTES_MIN ? shrunk : RG_WINDOW_BYTES_MIN;
    }
}

static bool has_room(const struct courier_session *session, uint64_t bytes)
{
    if (session->flight_count == FLIGHTS_MAX || session->queue_bytes > RG_COURIER_OUT_BYTES_MAX) {
        return false;
    }
    return session->in_flight_bytes == 0 ||
           session->in_flight_bytes + bytes <= session->window_bytes;
}

static struct courier_flight *flight_at(const struct courier_session *session, size_t i)
{
    return &session->flight[(session->flight_first + i) % FLIGHTS_MAX];
}

static void flight_add(struct courier_session *session, const struct rg_outbox_row *row,
                       size_t bytes, struct rg_now now)
{
    struct courier_flight *flight = flight_at(session, session->flight_count++);
    *flight = (struct courier_flight){.id = row->id,
                                      .key = row->key,
                                      .bytes = (uint32_t)bytes,
                                      .attempts = row->attempts,
                                      .priority = row->priority,
                                      .sent_at = now.mono};
    memcpy(flight->from_office, row->from_office, sizeof(flight->from_office));
    if (session->in_flight_bytes == 0) {
        session->progress_at = now.mono;
    }
    session->in_flight_bytes += bytes;
}

/* The oldest unanswered flight of that id; answers come nearly in order. */
static struct courier_flight *flight_find(const struct courier_session *session,
                                          const struct rg_id *id)
{
    for (size_t i = 0; i < session->flight_count; i++) {
        struct courier_flight *flight = flight_at(session, i);
        if (!flight->answered && memcmp(flight->id.b, id->b, sizeof(id->b)) == 0) {
            return flight;
        }
    }
    return NULL;
}

static bool flight_has(const struct courier_session *session, uint64_t key)
{
    for (size_t i = 0; i < session->flight_count; i++) {
        const struct courier_flight *flight = flight_at(session, i);
        if (!flight->answered && flight->key == key) {
            return true;
        }
    }
    return false;
}

static void flight_land(struct courier_session *session, struct courier_flight *flight,
                        struct rg_now now)
{
    flight->answered = true;
    session->in_flight_bytes -= flight->bytes;
    session->progress_at = now.mono;
    rg_courier_window_grow(session, flight->bytes, now.mono.ms - flight->sent_at.ms);
    while (session->flight_count > 0 && flight_at(session, 0)->answered) {
        session->flight_first = (session->flight_first + 1) % FLIGHTS_MAX;
        session->flight_count--;
    }
}

/* Lanes */

void rg_courier_outbox_wake(struct courier_peer *peer)
{
    for (size_t priority = RG_ROUTINE; priority <= RG_EMERGENCY; priority++) {
        struct courier_lane *lane = &peer->lane[priority];
        lane->after = 0;
        lane->at = lane->count = 0;
        lane->more = true;
    }
    peer->rescan_at.ms = 0;
}

static rg_outcome lane_fill(struct rg_courier *courier, const struct courier_peer *peer,
                            enum rg_priority priority, struct courier_lane *lane, struct rg_now now,
                            struct rg_reason *why)
{
    lane->at = lane->count = 0;
    RG_TRY(STORE(courier, outbox_next, peer->country, priority, lane->after, now.wall, lane->row,
                 LANE_ROWS, &lane->count, why));
    lane->more = lane->count == LANE_ROWS;
    if (lane->count > 0) {
        lane->after = lane->row[lane->count - 1].key;
    }
    return rg_ok();
}

/* The lane with the next row, NULL when all are empty. */
static rg_outcome lane_next(struct rg_courier *courier, struct courier_peer *peer,
                            struct rg_now now, struct courier_lane **out, struct rg_reason *why)
{
    *out = NULL;
    for (enum rg_priority priority = RG_EMERGENCY; priority >= RG_ROUTINE; priority--) {
        struct courier_lane *lane = &peer->lane[priority];
        if (lane->at == lane->count && lane->more) {
            RG_TRY(lane_fill(courier, peer, priority, lane, now, why));
        }
        if (lane->at < lane->count) {
            *out = lane;
            return rg_ok();
        }
    }
    return rg_ok();
}

/* Out: Transfer and CloseRequest */

static rg_outcome transfer_send(struct rg_courier *courier, struct courier_session *session,
                                const struct rg_outbox_row *row, struct rg_now now,
                                struct rg_reason *why)
{
    struct courier_receipts *building = courier->building;
    struct rg_frame frame = {.kind = RG_FRAME_TRANSFER};
    bool has_entry = false;
    bool has_body = false;
    size_t bytes = 0;
    RG_TRY(rg_courier_body(courier, row->key, &frame.transfer.envelope, &has_body, why));
    RG_TRY(rg_courier_receipts_begin(courier, session, building, why));
    RG_TRY(rg_courier_receipts_add(courier, building, row->leaf, &has_entry, why));
    RG_CHECK(has_body && has_entry, why, RG_BROKEN, "store-corrupt",
             "a message of the outbox lacks its body or its entry");
    frame.transfer.accepted = building->receipts;
    RG_TRY(rg_courier_send(courier, session, &frame, &bytes, why));
    rg_courier_receipts_sent(courier, session);
    flight_add(session, row, bytes, now);
    return rg_ok();
}

static rg_outcome close_send(struct rg_courier *courier, struct courier_session *session,
                             const struct rg_outbox_row *row, struct rg_now now,
                             struct rg_reason *why)
{
    struct courier_receipts *building = courier->building;
    bool found = false;
    size_t bytes = 0;
    RG_TRY(rg_courier_receipts_begin(courier, session, building, why));
    RG_TRY(rg_courier_receipts_add(courier, building, row->leaf, &found, why));
    struct rg_frame frame = {
        .kind = RG_FRAME_CLOSE_REQUEST,
        .close_request = {.id = &row->id, .id_count = 1, .unconfirmed = building->receipts}};
    RG_TRY(rg_courier_send(courier, session, &frame, &bytes, why));
    rg_courier_receipts_sent(courier, session);
    flight_add(session, row, bytes, now);
    return rg_ok();
}

static rg_outcome row_send(struct rg_courier *courier, struct courier_session *session,
                           const struct rg_outbox_row *row, struct rg_now now,
                           struct rg_reason *why)
{
    uint64_t *newest = &session->newest_key[row->priority];
    if (row->key <= *newest && row->kind == RG_OUTBOX_TRANSFER && flight_has(session, row->key)) {
        return rg_ok(); /* read again after a look from the start */
    }
    *newest = row->key > *newest ? row->key : *newest;
    return row->kind == RG_OUTBOX_CLOSE ? close_send(courier, session, row, now, why)
                                        : transfer_send(courier, session, row, now, why);
}

rg_outcome rg_courier_outbox_pump(struct rg_courier *courier, struct courier_session *session,
                                  struct rg_now now, struct rg_reason *why)
{
    struct courier_peer *peer = session->peer;
    struct courier_lane *lane = NULL;
    if (peer->waiting == 0 || courier->head.size == 0) {
        return rg_ok();
    }
    while (has_room(session, 0)) {
        RG_TRY(lane_next(courier, peer, now, &lane, why));
        if (lane == NULL) {
            break;
        }
        const struct rg_outbox_row *row = &lane->row[lane->at];
        uint64_t bytes = row->kind == RG_OUTBOX_CLOSE ? 0 : row->body_bytes;
        if (row->leaf >= courier->head.size || !has_room(session, bytes + PROOF_BYTES_ABOUT)) {
            return rg_ok();
        }
        lane->at++;
        RG_TRY(row_send(courier, session, row, now, why));
    }
    if (peer->rescan_at.ms == 0 && peer->waiting > session->flight_count) {
        peer->rescan_at.ms = now.mono.ms + RESCAN_MS; /* deferred rows */
    }
    return rg_ok();
}

/* In: answers */

static rg_outcome verified_log(struct rg_courier *courier, const struct courier_session *session,
                               const struct courier_evidence *evidence, struct rg_now now,
                               struct rg_reason *why)
{
    uint64_t leaf = 0;
    struct rg_log_entry entry = {.kind = RG_ENTRY_RECEIPT_VERIFIED,
                                 .has_envelope_id = true,
                                 .envelope_id = evidence->entry.envelope_id,
                                 .time = now.wall,
                                 .has_detail = true,
                                 .detail = rg_sha256(evidence->proven->log_entry)};
    rg_courier_text(entry.peer, sizeof(entry.peer), session->principal.text);
    return rg_courier_log_append(courier, &entry, &leaf, why);
}

static void answer_count(struct rg_courier *courier, struct courier_session *session,
                         const struct courier_evidence *evidence)
{
    session->peer->waiting -= session->peer->waiting > 0 ? 1 : 0;
    courier->count.verified++;
    if (evidence->entry.kind == RG_ENTRY_RECEIVED) {
        return;
    }
    struct rg_courier_event event = {.kind = RG_COURIER_PEER_REFUSED, .code = evidence->entry.code};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
}

static rg_outcome answer_settle(struct rg_courier *courier, struct courier_session *session,
                                const struct courier_evidence *evidence,
                                const struct courier_flight *flight, struct rg_now now,
                                struct rg_reason *why)
{
    bool fresh = false;
    struct rg_mail status = {.kind = RG_MAIL_STATUS_PEER,
                             .key = flight->key,
                             .leaf = evidence->proven->leaf_index,
                             .entry_kind = evidence->entry.kind};
    RG_TRY(rg_courier_proof_keep(courier, flight->key, evidence, &fresh, why));
    if (!fresh) {
        return STORE(courier, outbox_done, flight->key, why);
    }
    RG_TRY(verified_log(courier, session, evidence, now, why));
    RG_TRY(STORE(courier, outbox_done, flight->key, why));
    rg_courier_body_forget(courier, flight->key);
    answer_count(courier, session, evidence);
    return rg_courier_mail_add(courier, flight->from_office, status, why);
}

/* An answer to nothing in flight: to an earlier session's Transfer. What has been answered has no
 * outbox row any more, and further answers to it count for nothing. */
static rg_outcome answer_late(struct rg_courier *courier, struct courier_session *session,
                              const struct courier_evidence *evidence, struct rg_now now,
                              struct rg_reason *why)
{
    struct rg_message message;
    struct rg_outbox_row row;
    bool found = false;
    RG_TRY(STORE(courier, message_find, &evidence->entry.envelope_id, &message, &found, why));
    if (!found || message.way != RG_WAY_OUT || message.refusal != RG_REFUSE_NONE ||
        strcmp(message.to_country, session->peer->country) != 0) {
        return rg_ok();
    }
    RG_TRY(STORE(courier, outbox_get, message.key, &row, &found, why));
    if (!found) {
        return rg_ok();
    }
    struct courier_flight flight = {.key = message.key};
    memcpy(flight.from_office, message.from_office, sizeof(flight.from_office));
    return answer_settle(courier, session, evidence, &flight, now, why);
}

static bool is_answer(const struct rg_log_entry *entry)
{
    return entry->has_envelope_id &&
           (entry->kind == RG_ENTRY_RECEIVED || entry->kind == RG_ENTRY_REFUSED ||
            entry->kind == RG_ENTRY_CLOSED);
}

static rg_outcome answer_take(struct rg_courier *courier, struct courier_session *session,
                              const struct courier_evidence *evidence, struct rg_now now,
                              struct rg_reason *why)
{
    RG_CHECK(is_answer(&evidence->entry), why, RG_DENIED, "receipt-kind",
             "this entry is no answer to a message");
    struct courier_flight *flight = flight_find(session, &evidence->entry.envelope_id);
    if (flight == NULL) {
        return answer_late(courier, session, evidence, now, why);
    }
    RG_TRY(answer_settle(courier, session, evidence, flight, now, why));
    flight_land(session, flight, now);
    return rg_ok();
}

rg_outcome rg_courier_receipts(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why)
{
    const struct rg_receipts *receipts = &frame->receipts;
    RG_TRY(rg_courier_head_check(courier, session, receipts, why));
    for (size_t i = 0; i < receipts->entry_count; i++) {
        struct courier_evidence evidence = {0};
        RG_TRY(rg_courier_entry_check(receipts, &receipts->entry[i], &evidence, why));
        RG_TRY(answer_take(courier, session, &evidence, now, why));
    }
    return rg_ok();
}

static int64_t backoff_ms(struct rg_courier *courier, uint32_t attempts, uint32_t asked_ms)
{
    uint32_t jitter = 0;
    int64_t wait = BACKOFF_MS_MIN;
    courier->options.random(courier->options.random_context, &jitter, sizeof(jitter));
    for (uint32_t i = 0; i < attempts && wait < BACKOFF_MS_MAX; i++) {
        wait *= 2;
    }
    wait = wait < BACKOFF_MS_MAX ? wait : BACKOFF_MS_MAX;
    int64_t asked = asked_ms < BACKOFF_MS_MAX ? (int64_t)asked_ms : BACKOFF_MS_MAX;
    wait = wait > asked ? wait : asked;
    return wait + (int64_t)(jitter % 1000) * wait / 4000;
}

rg_outcome rg_courier_peer_not_now(struct rg_courier *courier, struct courier_session *session,
                                   const struct rg_frame *frame, struct rg_now now,
                                   struct rg_reason *why)
{
    struct courier_flight *flight = flight_find(session, &frame->not_now.id);
    struct courier_peer *peer = session->peer;
    struct rg_courier_event event = {.kind = RG_COURIER_PEER_NOT_NOW,
                                     .code = (uint32_t)frame->not_now.code};
    if (flight == NULL) {
        return rg_ok();
    }
    int64_t wait = backoff_ms(courier, flight->attempts, frame->not_now.retry_after_ms);
    struct rg_wall next_try = {now.wall.ms + wait};
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, outbox_defer, flight->key, flight->attempts + 1, next_try, why));
    int64_t due = now.mono.ms + wait;
    peer->rescan_at.ms =
        peer->rescan_at.ms == 0 || due < peer->rescan_at.ms ? due : peer->rescan_at.ms;
    flight_land(session, flight, now);
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
    return rg_ok();
}

/* Expiry, at the sender's gateway */

static rg_outcome expire_row(struct rg_courier *courier, const struct rg_outbox_row *row,
                             struct rg_now now, struct rg_reason *why)
{
    struct courier_peer *peer = NULL;
    struct rg_log_entry entry = {.kind = RG_ENTRY_UNCONFIRMED,
                                 .has_envelope_id = true,
                                 .envelope_id = row->id,
                                 .time = now.wall};
    struct rg_mail status = {
        .kind = RG_MAIL_STATUS_OWN, .key = row->key, .entry_kind = RG_ENTRY_UNCONFIRMED};
    rg_courier_text(entry.peer, sizeof(entry.peer), "referral://");
    strncat(entry.peer, row->country, RG_COUNTRY_BYTES);
    strncat(entry.peer, "/gateway", 16);
    RG_TRY(rg_courier_log_append(courier, &entry, &status.leaf, why));
    RG_TRY(STORE(courier, outbox_close, row->key, status.leaf, why));
    RG_TRY(rg_courier_mail_add(courier, row->from_office, status, why));
    RG_TRY(rg_courier_peer(courier, row->country, &peer, why));
    rg_courier_outbox_wake(peer);
    return rg_ok();
}

rg_outcome rg_courier_expire(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    struct rg_outbox_row row[LANE_ROWS];
    size_t count = 0;
    char origin[RG_ORIGIN_BYTES];
    if (courier->alarmed || !rg_courier_origin(courier, origin)) {
        return rg_ok();
    }
    RG_TRY(STORE(courier, outbox_expired, now.wall, row, LANE_ROWS, &count, why));
    for (size_t i = 0; i < count; i++) {
        RG_TRY(expire_row(courier, &row[i], now, why));
    }
    if (count > 0) {
        struct rg_courier_event event = {.kind = RG_COURIER_UNCONFIRMED, .number = count};
        rg_courier_text(event.who, sizeof(event.who), row[0].country);
        rg_courier_event(courier, &event);
    }
    return rg_ok();
}

/* Closing, at the addressee's gateway */

/* Entry `i` of the request is the proof for id `i`: each proof is looked at once. */
static rg_outcome unconfirmed_check(const struct rg_frame *frame, size_t i, struct rg_reason *why)
{
    const struct rg_receipts *receipts = &frame->close_request.unconfirmed;
    const struct rg_id *id = &frame->close_request.id[i];
    struct courier_evidence evidence = {0};
    RG_CHECK(i < receipts->entry_count, why, RG_DENIED, "unconfirmed-missing",
             "no proof of expiry for this id");
    RG_TRY(rg_courier_entry_check(receipts, &receipts->entry[i], &evidence, why));
    RG_CHECK(evidence.entry.kind == RG_ENTRY_UNCONFIRMED && evidence.entry.has_envelope_id &&
                 memcmp(evidence.entry.envelope_id.b, id->b, sizeof(id->b)) == 0,
             why, RG_DENIED, "unconfirmed-missing", "no proof of expiry for this id");
    return rg_ok();
}

static rg_outcome close_new(struct rg_courier *courier, struct courier_session *session,
                            const struct rg_id *id, struct rg_now now, struct rg_reason *why)
{
    struct rg_message tombstone = {.id = *id,
                                   .way = RG_WAY_IN,
                                   .refusal = RG_REFUSE_CLOSED,
                                   .received_leaf = RG_LEAF_NONE,
                                   .priority = RG_ROUTINE,
                                   .expires = now.wall,
                                   .collect_by = now.wall};
    struct rg_log_entry entry = {
        .kind = RG_ENTRY_CLOSED, .has_envelope_id = true, .envelope_id = *id, .time = now.wall};
    struct rg_courier_event event = {.kind = RG_COURIER_CLOSED};
    rg_courier_text(entry.peer, sizeof(entry.peer), session->principal.text);
    rg_courier_text(tombstone.from_country, RG_COUNTRY_BYTES, session->peer->country);
    rg_courier_text(tombstone.to_country, RG_COUNTRY_BYTES, courier->options.country);
    RG_TRY(rg_courier_log_append(courier, &entry, &tombstone.answer_leaf, why));
    RG_TRY(STORE(courier, message_add, &tombstone, (struct rg_bytes){0}, why));
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
    return rg_courier_answer(courier, session, tombstone.answer_leaf, why);
}

static rg_outcome close_one(struct rg_courier *courier, struct courier_session *session,
                            const struct rg_id *id, struct rg_now now, struct rg_reason *why)
{
    struct rg_message message;
    bool found = false;
    RG_TRY(STORE(courier, message_find, id, &message, &found, why));
    if (!found) {
        return close_new(courier, session, id, now, why);
    }
    bool theirs =
        message.way == RG_WAY_IN && strcmp(message.from_country, session->peer->country) == 0;
    RG_CHECK(theirs || message.refusal != RG_REFUSE_NONE, why, RG_DENIED, "message-of-another",
             "this message came from somebody else");
    return rg_courier_answer(courier, session, message.answer_leaf, why);
}

rg_outcome rg_courier_close_request(struct rg_courier *courier, struct courier_session *session,
                                    const struct rg_frame *frame, struct rg_now now,
                                    struct rg_reason *why)
{
    const struct rg_receipts *unconfirmed = &frame->close_request.unconfirmed;
    RG_TRY(rg_courier_head_check(courier, session, unconfirmed, why));
    for (size_t i = 0; i < frame->close_request.id_count; i++) {
        RG_TRY(unconfirmed_check(frame, i, why));
        RG_TRY(close_one(courier, session, &frame->close_request.id[i], now, why));
    }
    return rg_ok();
}
