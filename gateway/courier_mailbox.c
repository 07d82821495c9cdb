/* How it works
 *
 * A box is an ordered list in the store; a session reads it from its cursor on and has at most its
 * window of mails unconfirmed. Confirming a position confirms all before it. A session's cursor
 * moves in memory at once and is written with the next batch, at the latest at the next tick or
 * when the session ends: one that is lost in a crash costs nothing but deliveries a second time, so
 * it is not worth a commit of its own. An office's boxes feed its clients
 * (Deliver, Status); the box "kh/gateway" feeds that peer (Collected).
 *
 * A mail is sent when a head covers its leaf, so the pump runs after the notary has answered. New
 * mail wakes the sessions of its box at commit, never before.
 */
#include "gateway/courier_state.h"

#include <string.h>

#define MAIL_ROWS 16
#define COLLECTED_ROWS 64

static bool needs_head(const struct rg_mail *mail)
{
    return mail->kind != RG_MAIL_STATUS_PEER;
}

rg_outcome rg_courier_mail_add(struct rg_courier *courier, const char *box, struct rg_mail mail,
                               struct rg_reason *why)
{
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, mail_add, box, &mail, why));
    if (needs_head(&mail)) {
        rg_courier_head_want(courier, mail.leaf);
    }
    for (size_t i = 0; i < courier->dirty_count; i++) {
        if (strcmp(courier->dirty_box[i], box) == 0) {
            return rg_ok();
        }
    }
    if (courier->dirty_count == BOXES_MAX) {
        courier->all_dirty = true;
        return rg_ok();
    }
    rg_courier_text(courier->dirty_box[courier->dirty_count++], RG_OFFICE_BYTES, box);
    return rg_ok();
}

static bool is_dirty(const struct rg_courier *courier, const char *box)
{
    for (size_t i = 0; i < courier->dirty_count; i++) {
        if (strcmp(courier->dirty_box[i], box) == 0) {
            return true;
        }
    }
    return courier->all_dirty;
}

void rg_courier_mail_wake(struct rg_courier *courier)
{
    if (courier->dirty_count == 0) {
        return;
    }
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        if (session->ready && is_dirty(courier, session->box)) {
            session->mail_more = true;
        }
    }
}

rg_outcome rg_courier_mail_start(struct rg_courier *courier, struct courier_session *session,
                                 struct rg_reason *why)
{
    RG_TRY(
        STORE(courier, cursor_get, session->box, session->device, &session->mail_confirmed, why));
    for (size_t i = 0; i < courier->session_count; i++) { /* one that is not written yet */
        const struct courier_session *other = courier->session[i];
        if (other->cursor_dirty && strcmp(other->box, session->box) == 0 &&
            strcmp(other->device, session->device) == 0 &&
            other->mail_confirmed > session->mail_confirmed) {
            session->mail_confirmed = other->mail_confirmed;
        }
    }
    session->mail_sent = session->mail_confirmed;
    session->cursor_dirty = session->cursor_dirty || session->mail_confirmed == 0; /* now known */
    courier->cursors_due = courier->cursors_due || session->cursor_dirty;
    session->mail_more = true;
    return rg_ok();
}

rg_outcome rg_courier_mail_flush(struct rg_courier *courier, struct rg_reason *why)
{
    if (!courier->open && !courier->cursors_due) {
        return rg_ok();
    }
    courier->cursors_due = false;
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        if (!session->cursor_dirty) {
            continue;
        }
        RG_TRY(rg_courier_begin(courier, why));
        RG_TRY(STORE(courier, cursor_set, session->box, session->device, session->mail_confirmed,
                     why));
        session->cursor_dirty = false;
    }
    return rg_ok();
}

void rg_courier_mail_leave(struct rg_courier *courier, const struct courier_session *session)
{
    if (session->cursor_dirty && rg_is_ok(rg_courier_begin(courier, NULL))) {
        (void)STORE(courier, cursor_set, session->box, session->device, session->mail_confirmed,
                    NULL); /* a store that fails says so again at commit */
    }
}

/* Out */

static void mail_in_flight(struct courier_session *session, uint64_t position, size_t bytes,
                           struct rg_now now)
{
    size_t at = (session->mail_first + session->mail_count++) % MAILS_MAX;
    session->mail[at] = (struct courier_mail){position, (uint32_t)bytes};
    if (session->in_flight_bytes == 0) {
        session->progress_at = now.mono;
    }
    session->in_flight_bytes += bytes;
    session->mail_sent = position;
}

static bool has_room(const struct courier_session *session)
{
    return session->mail_count < MAILS_MAX && session->queue_bytes <= RG_COURIER_OUT_BYTES_MAX &&
           session->in_flight_bytes < session->window_bytes;
}

static rg_outcome proof_decode(struct rg_courier *courier, const struct rg_mail *mail,
                               enum rg_entry_kind kind, uint64_t leaf, struct rg_receipts *out,
                               struct rg_buffer *memory, bool *found_out)
{
    rg_buffer_clear(&courier->scratch);
    RG_TRY(STORE(courier, proof_get, mail->key, kind, leaf, &courier->scratch, found_out, NULL));
    if (!*found_out) {
        return rg_ok();
    }
    return rg_receipts_decode(rg_buffer_peek(&courier->scratch), out, memory, NULL);
}

/* Messages of own offices were accepted in this very log: both entries, one head. Domestic ones,
 * the notice to our focal point of what crossed in an emergency, and copies for the sender's
 * colleagues, which show the accepted entry twice: to be received is the other side's to say. */
static rg_outcome deliver_own(struct rg_courier *courier, struct courier_session *session,
                              const struct rg_message *message, uint64_t received_leaf,
                              struct rg_frame *frame, bool *found_out)
{
    struct rg_reason *why = NULL;
    struct courier_receipts *building = courier->building;
    RG_TRY(rg_courier_receipts_begin(courier, session, building, why));
    RG_TRY(rg_courier_receipts_add(courier, building, message->answer_leaf, found_out, why));
    if (!*found_out) {
        return rg_ok();
    }
    frame->deliver.accepted = building->receipts;
    frame->deliver.accepted.has_from = false;
    frame->deliver.accepted.consistency.count = 0;
    RG_TRY(rg_courier_receipts_add(courier, building, received_leaf, found_out, why));
    frame->deliver.received = building->receipts;
    frame->deliver.received.entry = &building->entry[1];
    frame->deliver.received.entry_count = *found_out ? 1 : 0;
    return rg_ok();
}

static rg_outcome deliver_foreign(struct rg_courier *courier, struct courier_session *session,
                                  const struct rg_mail *mail, struct rg_frame *frame,
                                  struct rg_buffer *memory, bool *found_out)
{
    struct courier_receipts *building = courier->building;
    RG_TRY(proof_decode(courier, mail, RG_ENTRY_ACCEPTED, RG_LEAF_NONE, &frame->deliver.accepted,
                        memory, found_out));
    if (!*found_out) {
        return rg_ok();
    }
    RG_TRY(rg_courier_receipts_begin(courier, session, building, NULL));
    RG_TRY(rg_courier_receipts_add(courier, building, mail->leaf, found_out, NULL));
    frame->deliver.received = building->receipts;
    return rg_ok();
}

/* A message whose body, proof or entry is gone by retention is passed over. */
static rg_outcome deliver_send(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_mail *mail, struct rg_now now, struct rg_reason *why)
{
    struct rg_message message;
    struct rg_frame frame = {.kind = RG_FRAME_DELIVER, .deliver.position = mail->position};
    RG_OWNED_BUFFER memory = {0};
    bool found = false;
    size_t bytes = 0;
    session->mail_sent = mail->position;
    RG_TRY(STORE(courier, message_get, mail->key, &message, &found, why));
    if (!found) {
        return rg_ok();
    }
    if (message.way != RG_WAY_IN) {
        RG_TRY(deliver_own(courier, session, &message, mail->leaf, &frame, &found));
    } else {
        RG_TRY(deliver_foreign(courier, session, mail, &frame, &memory, &found));
    }
    bool has_body = false;
    RG_TRY(rg_courier_body(courier, mail->key, &frame.deliver.envelope, &has_body, why));
    if (!found || !has_body) {
        return rg_ok();
    }
    RG_TRY(rg_courier_send(courier, session, &frame, &bytes, why));
    rg_courier_receipts_sent(courier, session);
    mail_in_flight(session, mail->position, bytes, now);
    return rg_ok();
}

static rg_outcome status_send(struct rg_courier *courier, struct courier_session *session,
                              const struct rg_mail *mail, struct rg_now now, struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_STATUS, .status.position = mail->position};
    RG_OWNED_BUFFER memory = {0};
    bool found = false;
    bool own = mail->kind == RG_MAIL_STATUS_OWN;
    size_t bytes = 0;
    session->mail_sent = mail->position;
    if (own) {
        RG_TRY(rg_courier_receipts_begin(courier, session, courier->building, why));
        RG_TRY(rg_courier_receipts_add(courier, courier->building, mail->leaf, &found, why));
        frame.status.receipts = courier->building->receipts;
    } else {
        RG_TRY(proof_decode(courier, mail, mail->entry_kind, mail->leaf, &frame.status.receipts,
                            &memory, &found));
    }
    if (!found) {
        return rg_ok();
    }
    RG_TRY(rg_courier_send(courier, session, &frame, &bytes, why));
    if (own) {
        rg_courier_receipts_sent(courier, session);
    }
    mail_in_flight(session, mail->position, bytes, now);
    return rg_ok();
}

static rg_outcome client_mail(struct rg_courier *courier, struct courier_session *session,
                              struct rg_now now, bool *more_out, struct rg_reason *why)
{
    struct rg_mail mail[MAIL_ROWS];
    size_t count = 0;
    RG_TRY(
        STORE(courier, mail_next, session->box, session->mail_sent, mail, MAIL_ROWS, &count, why));
    *more_out = count > 0;
    for (size_t i = 0; i < count; i++) {
        if (!has_room(session) || (needs_head(&mail[i]) && mail[i].leaf >= courier->head.size)) {
            *more_out = false; /* for now: mail_more stays set */
            return rg_ok();
        }
        RG_TRY(mail[i].kind == RG_MAIL_DELIVER ? deliver_send(courier, session, &mail[i], now, why)
                                               : status_send(courier, session, &mail[i], now, why));
    }
    session->mail_more = count == MAIL_ROWS;
    return rg_ok();
}

/* What a peer's offices' messages were collected by here: many entries, one frame. */
static rg_outcome gateway_mail(struct rg_courier *courier, struct courier_session *session,
                               struct rg_now now, bool *more_out, struct rg_reason *why)
{
    struct rg_mail mail[COLLECTED_ROWS];
    struct courier_receipts *building = courier->building;
    size_t count = 0;
    size_t at = 0;
    size_t bytes = 0;
    bool found = false;
    RG_TRY(STORE(courier, mail_next, session->box, session->mail_sent, mail, COLLECTED_ROWS, &count,
                 why));
    RG_TRY(rg_courier_receipts_begin(courier, session, building, why));
    while (at < count && mail[at].leaf < courier->head.size &&
           building->bytes < RECEIPT_FRAME_BYTES) {
        RG_TRY(rg_courier_receipts_add(courier, building, mail[at++].leaf, &found, why));
    }
    session->mail_more = at < count || count == COLLECTED_ROWS;
    *more_out = session->mail_more && at == count && count > 0;
    session->mail_sent = at > 0 ? mail[at - 1].position : session->mail_sent;
    if (building->receipts.entry_count == 0) {
        return rg_ok();
    }
    struct rg_frame frame = {.kind = RG_FRAME_COLLECTED,
                             .collected = {.has_position = true,
                                           .has_receipts = true,
                                           .position = mail[at - 1].position,
                                           .receipts = building->receipts}};
    RG_TRY(rg_courier_send(courier, session, &frame, &bytes, why));
    rg_courier_receipts_sent(courier, session);
    mail_in_flight(session, mail[at - 1].position, bytes, now);
    return rg_ok();
}

rg_outcome rg_courier_mail_pump(struct rg_courier *courier, struct courier_session *session,
                                struct rg_now now, struct rg_reason *why)
{
    bool more = session->mail_more && courier->head.size > 0;
    while (more && has_room(session)) {
        RG_TRY(session->peer != NULL ? gateway_mail(courier, session, now, &more, why)
                                     : client_mail(courier, session, now, &more, why));
    }
    return rg_ok();
}

/* In */

static rg_outcome position_confirm(struct courier_session *session, uint64_t position,
                                   struct rg_now now, struct rg_reason *why)
{
    RG_CHECK(position <= session->mail_sent, why, RG_DENIED, "position-ahead",
             "a position that was not sent");
    uint64_t freed = 0;
    while (session->mail_count > 0 && session->mail[session->mail_first].position <= position) {
        freed += session->mail[session->mail_first].bytes;
        session->mail_first = (session->mail_first + 1) % MAILS_MAX;
        session->mail_count--;
    }
    session->in_flight_bytes -= freed;
    if (freed > 0) {
        rg_courier_window_grow(session, freed, now.mono.ms - session->progress_at.ms);
        session->progress_at = now.mono;
    }
    if (position > session->mail_confirmed) {
        session->mail_confirmed = position;
        session->cursor_dirty = true;
    }
    return rg_ok();
}

rg_outcome rg_courier_status_seen(struct rg_courier *courier, struct courier_session *session,
                                  const struct rg_frame *frame, struct rg_now now,
                                  struct rg_reason *why)
{
    (void)courier;
    return position_confirm(session, frame->status_seen.position, now, why);
}

static bool addressed_to(const struct rg_message *message, const char *office)
{
    for (size_t i = 0; i < message->to_office_count; i++) {
        if (strcmp(message->to_office[i], office) == 0) {
            return message->way != RG_WAY_OUT && message->refusal == RG_REFUSE_NONE;
        }
    }
    return false;
}

/* Who learns of it: the sender's office here, or its gateway. */
static rg_outcome collected_tell(struct rg_courier *courier, const struct rg_message *message,
                                 uint64_t leaf, struct rg_reason *why)
{
    struct rg_mail mail = {.kind = RG_MAIL_STATUS_OWN,
                           .key = message->key,
                           .leaf = leaf,
                           .entry_kind = RG_ENTRY_COLLECTED};
    char box[RG_OFFICE_BYTES] = "";
    if (message->way == RG_WAY_DOMESTIC) {
        return rg_courier_mail_add(courier, message->from_office, mail, why);
    }
    mail.kind = RG_MAIL_COLLECTED;
    rg_courier_text(box, sizeof(box), message->from_country);
    strncat(box, "/gateway", 16);
    return rg_courier_mail_add(courier, box, mail, why);
}

static rg_outcome opened_one(struct rg_courier *courier, const struct courier_session *session,
                             const struct rg_id *id, struct rg_now now, struct rg_reason *why)
{
    struct rg_message message;
    bool found = false;
    bool fresh = false;
    uint64_t leaf = rg_tree_size(courier->tree);
    RG_TRY(STORE(courier, message_find, id, &message, &found, why));
    if (!found || !addressed_to(&message, session->box)) {
        return rg_ok();
    }
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, collected_add, message.key, session->box, leaf, &fresh, why));
    if (!fresh) {
        return rg_ok();
    }
    struct rg_log_entry entry = {
        .kind = RG_ENTRY_COLLECTED, .has_envelope_id = true, .envelope_id = *id, .time = now.wall};
    rg_courier_text(entry.peer, sizeof(entry.peer), "referral://");
    strncat(entry.peer, session->box, RG_OFFICE_BYTES);
    RG_TRY(rg_courier_log_append(courier, &entry, &leaf, why));
    courier->count.collected++;
    return collected_tell(courier, &message, leaf, why);
}

static rg_outcome collected_client(struct rg_courier *courier, struct courier_session *session,
                                   const struct rg_frame *frame, struct rg_now now,
                                   struct rg_reason *why)
{
    if (frame->collected.has_position) {
        RG_TRY(position_confirm(session, frame->collected.position, now, why));
    }
    for (size_t i = 0; i < frame->collected.opened_count; i++) {
        RG_TRY(opened_one(courier, session, &frame->collected.opened[i], now, why));
    }
    return rg_ok();
}

/* Which of the offices written to says so; NULL: none, it is about nothing. */
static const char *collecting_office(const struct rg_log_entry *entry,
                                     const struct rg_message *message)
{
    static const char scheme[] = "referral://";
    if (strncmp(entry->peer, scheme, sizeof(scheme) - 1) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < message->to_office_count; i++) {
        if (strcmp(entry->peer + sizeof(scheme) - 1, message->to_office[i]) == 0) {
            return message->to_office[i];
        }
    }
    return NULL;
}

static rg_outcome collected_entry(struct rg_courier *courier, const struct courier_session *session,
                                  const struct courier_evidence *evidence, struct rg_reason *why)
{
    struct rg_message message;
    bool found = false;
    bool fresh = false;
    RG_CHECK(evidence->entry.kind == RG_ENTRY_COLLECTED && evidence->entry.has_envelope_id, why,
             RG_DENIED, "receipt-kind", "this entry is not about a collected message");
    RG_TRY(STORE(courier, message_find, &evidence->entry.envelope_id, &message, &found, why));
    if (!found || message.way != RG_WAY_OUT ||
        strcmp(message.to_country, session->peer->country) != 0) {
        return rg_ok();
    }
    const char *office = collecting_office(&evidence->entry, &message);
    if (office == NULL) {
        return rg_ok();
    }
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, collected_add, message.key, office, evidence->proven->leaf_index, &fresh,
                 why));
    if (!fresh) {
        return rg_ok();
    }
    RG_TRY(rg_courier_proof_keep(courier, message.key, evidence, &fresh, why));
    struct rg_mail status = {.kind = RG_MAIL_STATUS_PEER,
                             .key = message.key,
                             .leaf = evidence->proven->leaf_index,
                             .entry_kind = RG_ENTRY_COLLECTED};
    return rg_courier_mail_add(courier, message.from_office, status, why);
}

static rg_outcome collected_gateway(struct rg_courier *courier, struct courier_session *session,
                                    const struct rg_frame *frame, struct rg_reason *why)
{
    const struct rg_receipts *receipts = &frame->collected.receipts;
    RG_CHECK(frame->collected.has_position && frame->collected.has_receipts, why, RG_MALFORMED,
             "collected-form", "a gateway's Collected has a position and receipts");
    RG_TRY(rg_courier_head_check(courier, session, receipts, why));
    for (size_t i = 0; i < receipts->entry_count; i++) {
        struct courier_evidence evidence = {0};
        RG_TRY(rg_courier_entry_check(receipts, &receipts->entry[i], &evidence, why));
        RG_TRY(collected_entry(courier, session, &evidence, why));
    }
    struct rg_frame seen = {.kind = RG_FRAME_STATUS_SEEN,
                            .status_seen.position = frame->collected.position};
    return rg_courier_send(courier, session, &seen, NULL, why); /* shown after the commit */
}

rg_outcome rg_courier_collected(struct rg_courier *courier, struct courier_session *session,
                                const struct rg_frame *frame, struct rg_now now,
                                struct rg_reason *why)
{
    return session->peer != NULL ? collected_gateway(courier, session, frame, why)
                                 : collected_client(courier, session, frame, now, why);
}
