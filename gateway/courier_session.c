/* How it works
 *
 * The acceptor says Hello when the session comes up, the dialer when it has heard it. Hello must
 * agree with the certificate that link judged. It carries the newest heads held (a gateway proves
 * from there on that its log only grew) and what trust documents are held (who lacks one Wants it).
 *
 * At most one session per peer gateway and one per device of an officer is ready. The newer of one
 * dialer replaces the older; when both sides dialled, the one dialled by the country that sorts
 * first stays, so both sides choose alike.
 *
 * Documents vouch for themselves: whoever brings one, rg_trust_offer decides. What is new is
 * stored, logged by its digest, given to link and passed on to every session but the one it came
 * from, so it spreads once and then the gateways fall silent. Domestic pages, and cards of offices
 * that no public page lists, go to the country's own clients only.
 */
#include "core/card.h"
#include "gateway/courier_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hello */

static bool own_client(const struct rg_courier *courier, const struct courier_session *session)
{
    return !session->principal.gateway &&
           strcmp(session->principal.country, courier->options.country) == 0;
}

static size_t holdings_for(const struct rg_courier *courier, const struct courier_session *session,
                           struct rg_holding *out)
{
    return rg_trust_holdings_for(courier->trust, session->principal.country, out,
                                 RG_HELLO_HOLDINGS_MAX);
}

/* The peer's own first, then third countries'. */
static size_t heads_for(const struct rg_courier *courier, const struct courier_session *session,
                        struct rg_head *out)
{
    size_t count = 0;
    const struct courier_peer *first = session->principal.gateway ? session->peer : NULL;
    if (first != NULL && first->held.size > 0) {
        out[count++] = first->held;
    }
    for (size_t i = 0; i < courier->peer_count && count < RG_HELLO_HEADS_MAX - 1; i++) {
        const struct courier_peer *peer = courier->peer[i];
        if (peer != first && peer->held.size > 0) {
            out[count++] = peer->held;
        }
    }
    return count;
}

struct hello_parts {
    struct rg_holding holding[RG_HELLO_HOLDINGS_MAX];
    struct rg_head head[RG_HELLO_HEADS_MAX];
};

static rg_outcome hello_frame(struct rg_courier *courier, struct courier_session *session,
                              struct hello_parts *parts, struct rg_now now, struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    frame.hello.version = 1;
    frame.hello.clock = now.wall;
    frame.hello.holding = parts->holding;
    frame.hello.holding_count = holdings_for(courier, session, parts->holding);
    frame.hello.head = parts->head;
    frame.hello.head_count = heads_for(courier, session, parts->head);
    rg_courier_text(frame.hello.principal, sizeof(frame.hello.principal), courier->principal);
    rg_courier_text(frame.hello.software, sizeof(frame.hello.software),
                    courier->options.software != NULL ? courier->options.software : "");
    return rg_courier_send(courier, session, &frame, NULL, why);
}

rg_outcome rg_courier_hello_send(struct rg_courier *courier, struct courier_session *session,
                                 struct rg_now now, struct rg_reason *why)
{
    if (session->principal.gateway) {
        RG_TRY(rg_courier_peer(courier, session->principal.country, &session->peer, why));
        session->hello_head = session->peer->held;
    }
    struct hello_parts *parts = calloc(1, sizeof(*parts));
    RG_CHECK(parts != NULL, why, RG_IO, "out-of-memory", "no memory for Hello");
    rg_outcome outcome = hello_frame(courier, session, parts, now, why);
    free(parts);
    session->said_hello = rg_is_ok(outcome);
    return outcome;
}

static void clock_look(struct rg_courier *courier, const struct courier_session *session,
                       struct rg_wall theirs, struct rg_now now)
{
    int64_t ahead = theirs.ms > now.wall.ms ? theirs.ms - now.wall.ms : now.wall.ms - theirs.ms;
    if (theirs.ms == 0 || ahead <= courier->options.skew_ms_max) {
        return;
    }
    struct rg_courier_event event = {.kind = RG_COURIER_CLOCK_SKEW, .number = (uint64_t)ahead};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
}

/* Which country dialled the session. */
static const char *dialer(const struct rg_courier *courier, const struct courier_session *session)
{
    return session->dialled ? courier->options.country : session->principal.country;
}

/* True when the new session takes the place of the old one. */
static bool replaces(const struct rg_courier *courier, const struct courier_session *old,
                     const struct courier_session *new)
{
    if (old->dialled == new->dialled) {
        return true;
    }
    return strcmp(dialer(courier, new), dialer(courier, old)) < 0;
}

static bool same_place(const struct courier_session *old, const struct courier_session *new)
{
    return old != new && old->ready &&strcmp(old->principal.text, new->principal.text) == 0 &&
           strcmp(old->device, new->device) == 0;
}

/* False when the new session had to give way. */
static bool take_place(struct rg_courier *courier, struct courier_session *session)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *old = courier->session[i];
        if (!same_place(old, session)) {
            continue;
        }
        if (!replaces(courier, old, session)) {
            rg_courier_close(courier, session, "duplicate");
            return false;
        }
        rg_courier_close(courier, old, "replaced");
    }
    return true;
}

/* One row per document: a row of cards costs a digest over all that are held, so a peer that
 * repeats it would make us work for nothing. */
static bool holdings_doubled(const struct rg_frame *hello)
{
    const struct rg_holding *row = hello->hello.holding;
    for (size_t i = 0; i < hello->hello.holding_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (row[i].kind == row[k].kind && strcmp(row[i].country, row[k].country) == 0) {
                return true;
            }
        }
    }
    return false;
}

static rg_outcome wants_send(struct rg_courier *courier, struct courier_session *session,
                             const struct rg_frame *hello, struct rg_reason *why)
{
    for (size_t i = 0; i < hello->hello.holding_count; i++) {
        const struct rg_holding *theirs = &hello->hello.holding[i];
        bool domestic = theirs->kind == RG_DOC_PAGE_DOMESTIC;
        if (domestic || !rg_trust_needs(courier->trust, theirs)) {
            continue;
        }
        struct rg_frame frame = {.kind = RG_FRAME_WANT, .want.kind = theirs->kind};
        rg_courier_text(frame.want.country, sizeof(frame.want.country), theirs->country);
        RG_TRY(rg_courier_send(courier, session, &frame, NULL, why));
    }
    return rg_ok();
}

static rg_outcome heads_look(struct rg_courier *courier, struct courier_session *session,
                             const struct rg_frame *hello, struct rg_reason *why)
{
    for (size_t i = 0; i < hello->hello.head_count; i++) {
        RG_TRY(rg_courier_head_shown(courier, session, &hello->hello.head[i], why));
    }
    return rg_ok();
}

static rg_outcome gateway_ready(struct rg_courier *courier, struct courier_session *session,
                                struct rg_now now, struct rg_reason *why)
{
    struct courier_peer *peer = session->peer;
    session->flight = calloc(FLIGHTS_MAX, sizeof(*session->flight));
    RG_CHECK(session->flight != NULL, why, RG_IO, "out-of-memory", "no memory for a session");
    peer->session = session;
    rg_courier_outbox_wake(peer);
    if (memcmp(&peer->held, &session->hello_head, sizeof(peer->held)) != 0) {
        /* the peer would prove from a head that is no longer the newest we hold */
        rg_courier_close(courier, session, "head-moved");
    }
    session->progress_at = now.mono;
    return rg_ok();
}

static rg_outcome session_ready(struct rg_courier *courier, struct courier_session *session,
                                struct rg_now now, struct rg_reason *why)
{
    struct rg_courier_event event = {.kind = RG_COURIER_SESSION_READY,
                                     .number = courier->session_count};
    struct courier_control *control = rg_courier_control(courier, RG_OUT_HELLO_SEEN);
    if (control != NULL) {
        control->session = session->id;
    }
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
    rg_courier_text(session->box, sizeof(session->box), session->principal.office);
    session->ready = true;
    if (session->peer != NULL) {
        RG_TRY(gateway_ready(courier, session, now, why));
    }
    return rg_courier_mail_start(courier, session, why);
}

static void hello_refuse(struct rg_courier *courier, struct courier_session *session,
                         enum rg_refusal code, const char *reason)
{
    rg_courier_fault(courier, session, code, NULL);
    rg_courier_close(courier, session, reason);
}

static void device_name(struct courier_session *session, const char *device)
{
    struct rg_buffer text = {.limit = RG_CURSOR_DEVICE_BYTES - 1};
    if (!session->principal.gateway &&
        rg_is_ok(rg_buffer_print(&text, NULL, "%s#%s", session->principal.text, device))) {
        memcpy(session->device, text.data, text.len);
    }
    rg_buffer_drop(&text);
}

rg_outcome rg_courier_hello(struct rg_courier *courier, struct courier_session *session,
                            const struct rg_frame *frame, struct rg_now now, struct rg_reason *why)
{
    bool foreign_client = !session->principal.gateway && !own_client(courier, session);
    bool ourselves = strcmp(session->principal.text, courier->principal) == 0;
    if (frame->hello.version != 1) {
        hello_refuse(courier, session, RG_FAULT_VERSION, "hello-version");
        return rg_ok();
    }
    if (strcmp(frame->hello.principal, session->principal.text) != 0 || foreign_client ||
        ourselves) {
        hello_refuse(courier, session, RG_FAULT_HELLO, "hello-principal");
        return rg_ok();
    }
    if (holdings_doubled(frame)) {
        hello_refuse(courier, session, RG_FAULT_HELLO, "hello-holdings");
        return rg_ok();
    }
    session->said_other = true;
    device_name(session, frame->hello.device);
    if (!take_place(courier, session)) {
        return rg_ok();
    }
    if (!session->said_hello) {
        RG_TRY(rg_courier_hello_send(courier, session, now, why));
    }
    clock_look(courier, session, frame->hello.clock, now);
    RG_TRY(heads_look(courier, session, frame, why));
    RG_TRY(session_ready(courier, session, now, why));
    return session->ready ? wants_send(courier, session, frame, why) : rg_ok();
}

/* Documents */

/* Cards of offices that no public page lists stay in the country. */
static bool card_is_public(const struct rg_courier *courier, const struct rg_document *card)
{
    struct rg_principal principal;
    if (!rg_is_ok(rg_card_claim(rg_buffer_peek(&card->text), &principal, NULL))) {
        return false;
    }
    const struct rg_office *office = rg_trust_office(courier->trust, principal.office);
    return office != NULL && !office->domestic;
}

static bool may_have(const struct rg_courier *courier, const struct courier_session *session,
                     const struct rg_document *document)
{
    if (own_client(courier, session)) {
        return true;
    }
    if (document->kind == RG_DOC_KEY_CARD) {
        return card_is_public(courier, document);
    }
    return document->kind != RG_DOC_PAGE_DOMESTIC;
}

static void document_show(const struct rg_document *document, struct rg_frame *out)
{
    *out = (struct rg_frame){.kind = RG_FRAME_DOCUMENT, .document.kind = document->kind};
    rg_courier_text(out->document.country, sizeof(out->document.country), document->country);
    out->document.text = rg_buffer_peek(&document->text);
    out->document.signature_count = document->signature_count;
    for (size_t i = 0; i < document->signature_count; i++) {
        out->document.signature[i] = rg_buffer_peek(&document->signature[i]);
    }
}

static rg_outcome document_send(struct rg_courier *courier, struct courier_session *session,
                                const struct rg_document *document, struct rg_reason *why)
{
    if (!may_have(courier, session, document)) {
        return rg_ok();
    }
    struct rg_frame frame;
    document_show(document, &frame);
    return rg_courier_send(courier, session, &frame, NULL, why);
}

rg_outcome rg_courier_want(struct rg_courier *courier, struct courier_session *session,
                           const struct rg_frame *frame, struct rg_now now, struct rg_reason *why)
{
    (void)now;
    const struct rg_document *document = NULL;
    for (size_t at = 0; session->queue_bytes < RG_COURIER_OUT_BYTES_MAX; at++) {
        document = rg_trust_document(courier->trust, frame->want.kind, frame->want.country, at);
        if (document == NULL || (at > 0 && document->kind != RG_DOC_KEY_CARD)) {
            return rg_ok();
        }
        RG_TRY(document_send(courier, session, document, why));
    }
    return rg_ok();
}

void rg_courier_trust_order(struct rg_courier *courier, const struct rg_document *document)
{
    struct courier_control *control = rg_courier_control(courier, RG_OUT_TRUST);
    if (control != NULL && !rg_is_ok(rg_document_copy(document, &control->document, NULL))) {
        control->kind = RG_OUT_EVENT;
        control->event.kind = RG_COURIER_DOCUMENT_REFUSED;
        rg_courier_text(control->event.reason, sizeof(control->event.reason), "out-of-memory");
    }
}

static void document_event(struct rg_courier *courier, enum rg_courier_event_kind kind,
                           const struct rg_document *document, const struct rg_reason *why)
{
    struct rg_courier_event event = {.kind = kind, .code = (uint32_t)document->kind};
    if (kind == RG_COURIER_DOCUMENT_NEW) {
        event.number = rg_trust_counter(courier->trust, document->kind, document->country);
    }
    rg_courier_text(event.who, sizeof(event.who), document->country);
    rg_courier_text(event.reason, sizeof(event.reason),
                    why != NULL && why->id != NULL ? why->id : "");
    rg_courier_event(courier, &event);
}

static rg_outcome document_keep(struct rg_courier *courier, const struct rg_document *document,
                                struct rg_now now, struct rg_reason *why)
{
    uint64_t leaf = 0;
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, document_put, document, why));
    if (document->kind == RG_DOC_KEY_CARD) {
        return rg_ok();
    }
    struct rg_log_entry entry = {.kind = RG_ENTRY_PAGE,
                                 .time = now.wall,
                                 .has_detail = true,
                                 .detail = rg_sha256(rg_buffer_peek(&document->text))};
    return rg_courier_log_append(courier, &entry, &leaf, why);
}

static rg_outcome document_spread(struct rg_courier *courier, const struct courier_session *from,
                                  const struct rg_document *document, struct rg_reason *why)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        if (session != from && session->ready) {
            RG_TRY(document_send(courier, session, document, why));
        }
    }
    return rg_ok();
}

static rg_outcome document_frame(const struct rg_document *document, struct rg_buffer *out,
                                 struct rg_reason *why)
{
    struct rg_frame frame;
    document_show(document, &frame);
    return rg_frame_encode(&frame, out, why);
}

static const char *fork_name(enum rg_document_kind kind)
{
    static const char *const name[] = {[RG_DOC_CHARTER] = "charter",
                                       [RG_DOC_PAGE] = "page",
                                       [RG_DOC_PAGE_DOMESTIC] = "domestic",
                                       [RG_DOC_STOP_LIST] = "stop"};
    return (size_t)kind < sizeof(name) / sizeof(name[0]) && name[kind] != NULL ? name[kind] : "";
}

/* Two documents with one counter, both properly signed. */
static rg_outcome document_fork(struct rg_courier *courier, const struct rg_document *shown,
                                struct rg_reason *why)
{
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER second = {0};
    struct rg_fork fork = {.kind = RG_FORK_DOCUMENT};
    const struct rg_document *held =
        rg_trust_document(courier->trust, shown->kind, shown->country, 0);
    if (held == NULL) {
        return rg_ok();
    }
    (void)snprintf(
        fork.subject, sizeof(fork.subject), "%s %s %llu", fork_name(shown->kind), shown->country,
        (unsigned long long)rg_trust_counter(courier->trust, shown->kind, shown->country));
    RG_TRY(document_frame(held, &first, why));
    RG_TRY(document_frame(shown, &second, why));
    fork.first = rg_buffer_peek(&first);
    fork.second = rg_buffer_peek(&second);
    return rg_courier_fork_keep(courier, &fork, why);
}

static bool is_fork(const struct rg_reason *why)
{
    return why->id != NULL &&
           (strcmp(why->id, "page-fork") == 0 || strcmp(why->id, "charter-fork") == 0 ||
            strcmp(why->id, "stop-fork") == 0);
}

rg_outcome rg_courier_document_take(struct rg_courier *courier, struct courier_session *from,
                                    const struct rg_document *document, struct rg_now now,
                                    struct rg_reason *why)
{
    enum rg_news news = RG_NEWS_NONE;
    struct rg_reason local = {0};
    rg_outcome outcome = rg_trust_offer(courier->trust, document, now.wall, &news, &local);
    if (outcome.code == RG_BROKEN) {
        return outcome;
    }
    if (!rg_is_ok(outcome)) {
        document_event(courier, RG_COURIER_DOCUMENT_REFUSED, document, &local);
        return is_fork(&local) ? document_fork(courier, document, why) : rg_ok();
    }
    if (news == RG_NEWS_NONE) {
        return rg_ok();
    }
    document_event(courier, RG_COURIER_DOCUMENT_NEW, document, NULL);
    RG_TRY(document_keep(courier, document, now, why));
    if (document->kind != RG_DOC_KEY_CARD) {
        rg_courier_trust_order(courier, document);
    }
    return document_spread(courier, from, document, why);
}

static rg_outcome document_copy_in(const struct rg_frame *frame, struct rg_document *out,
                                   struct rg_reason *why)
{
    out->kind = frame->document.kind;
    rg_courier_text(out->country, sizeof(out->country), frame->document.country);
    RG_TRY(rg_buffer_append(&out->text, frame->document.text, why));
    for (size_t i = 0; i < frame->document.signature_count; i++) {
        out->signature_count = i + 1;
        RG_TRY(rg_buffer_append(&out->signature[i], frame->document.signature[i], why));
    }
    return rg_ok();
}

rg_outcome rg_courier_document_frame(struct rg_courier *courier, struct courier_session *session,
                                     const struct rg_frame *frame, struct rg_now now,
                                     struct rg_reason *why)
{
    RG_CHECK(frame->document.kind != RG_DOC_PAGE_DOMESTIC, why, RG_DENIED, "document-domestic",
             "a domestic page comes from its own gateway only");
    struct rg_document document = {0};
    rg_outcome outcome = document_copy_in(frame, &document, why);
    if (rg_is_ok(outcome)) {
        outcome = rg_courier_document_take(courier, session, &document, now, why);
    }
    rg_document_drop(&document);
    return outcome;
}
