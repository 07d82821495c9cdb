/* How it works
 *
 * A frame is decoded and handled at once: rows go into the open batch of the store, leaves into the
 * tree in memory, and what must be answered is remembered as a leaf number in the session. Commit
 * closes the batch; the notary then gets the leaves from its size on; its head releases the
 * answers. While the notary is at work, the next batches are taken and committed: a head covers
 * what was committed when it was asked for, and releases just that.
 *
 * A notary that did not answer may have done what it was asked, or may do so later. So it is first
 * asked for its size again, without leaves, and then gets those that it lacks.
 *
 * Leaves that nobody waits for (receipts verified, pages taken) do not ask for a head by
 * themselves; the next tick does. So verifying a receipt costs no write of the notary.
 *
 * Invariants:
 *   - nothing that depends on a row leaves before that row is committed: an answer is held back
 *     until a head covers its leaf, a head covers only committed leaves, and confirmations of a
 * peer (StatusSeen) are queued while `open`, and queues are not shown while a batch is open;
 *   - memory that mirrors the store (log, held heads, counts) has a committed copy, so that a batch
 *     that could not be written is undone in memory as well;
 *   - a session that is closing shows what is queued for it, then the close, then nothing.
 */
#include "gateway/courier_state.h"
#include "gateway/crash.h"

#include <stdlib.h>
#include <string.h>

typedef rg_outcome (*frame_handler)(struct rg_courier *courier, struct courier_session *session,
                                    const struct rg_frame *frame, struct rg_now now,
                                    struct rg_reason *why);

enum { FROM_CLIENT = 1, FROM_GATEWAY = 2 };

static rg_outcome handle_fault(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why);

/* Who may send what. A kind without a handler, or from the other role, is a fault. */
static const struct {
    frame_handler handle;
    unsigned from;
} handlers[] = {
    [RG_FRAME_WANT] = {rg_courier_want, FROM_CLIENT | FROM_GATEWAY},
    [RG_FRAME_DOCUMENT] = {rg_courier_document_frame, FROM_CLIENT | FROM_GATEWAY},
    [RG_FRAME_SUBMIT] = {rg_courier_submit, FROM_CLIENT},
    [RG_FRAME_TRANSFER] = {rg_courier_transfer, FROM_GATEWAY},
    [RG_FRAME_RECEIPTS] = {rg_courier_receipts, FROM_GATEWAY},
    [RG_FRAME_NOT_NOW] = {rg_courier_peer_not_now, FROM_GATEWAY},
    [RG_FRAME_COLLECTED] = {rg_courier_collected, FROM_CLIENT | FROM_GATEWAY},
    [RG_FRAME_STATUS_SEEN] = {rg_courier_status_seen, FROM_CLIENT | FROM_GATEWAY},
    [RG_FRAME_CLOSE_REQUEST] = {rg_courier_close_request, FROM_GATEWAY},
    [RG_FRAME_FAULT] = {handle_fault, FROM_CLIENT | FROM_GATEWAY},
    [RG_FRAME_CHUNK] = {NULL, 0},
};

/* Sessions */

static struct courier_session *session_find(const struct rg_courier *courier,
                                            struct rg_session_id id)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        if (memcmp(courier->session[i]->id.b, id.b, sizeof(id.b)) == 0) {
            return courier->session[i];
        }
    }
    return NULL;
}

/* What was in flight to that peer goes back to the outbox. */
static void peer_leave(struct courier_session *session)
{
    struct courier_peer *peer = session->peer;
    if (peer == NULL || peer->session != session) {
        return;
    }
    peer->session = NULL;
    rg_courier_outbox_wake(peer);
}

static void session_free(struct rg_courier *courier, size_t at)
{
    struct courier_session *session = courier->session[at];
    peer_leave(session);
    rg_courier_queue_drop(session);
    free(session->answer);
    free(session->flight);
    if (courier->showing_session == session) {
        courier->showing_session = NULL;
    }
    free(session);
    courier->session[at] = courier->session[--courier->session_count];
    courier->session[courier->session_count] = NULL;
}

void rg_courier_forget(struct rg_courier *courier, const struct courier_session *session)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        if (courier->session[i] == session) {
            session_free(courier, i);
            return;
        }
    }
}

void rg_courier_close(struct rg_courier *courier, struct courier_session *session,
                      const char *reason)
{
    if (session->closing != NULL) {
        return;
    }
    session->closing = reason;
    session->ready = false;
    courier->cursors_due = courier->cursors_due || session->cursor_dirty;
    session->answer_count = 0;
    peer_leave(session);
    rg_courier_event_reason(courier, RG_COURIER_SESSION_ENDED, session->principal.text, reason, 0);
}

rg_outcome rg_courier_peer(struct rg_courier *courier, const char *country,
                           struct courier_peer **out, struct rg_reason *why)
{
    for (size_t i = 0; i < courier->peer_count; i++) {
        if (strcmp(courier->peer[i]->country, country) == 0) {
            *out = courier->peer[i];
            return rg_ok();
        }
    }
    RG_CHECK(courier->peer_count < RG_COUNTRIES_MAX, why, RG_LIMIT, "peers-limit",
             "more than %d countries", RG_COUNTRIES_MAX);
    struct courier_peer *peer = calloc(1, sizeof(*peer));
    RG_CHECK(peer != NULL, why, RG_IO, "out-of-memory", "no memory for a peer");
    rg_courier_text(peer->country, sizeof(peer->country), country);
    rg_courier_outbox_wake(peer);
    rg_outcome outcome = STORE(courier, outbox_count, country, &peer->waiting, why);
    if (!rg_is_ok(outcome)) {
        free(peer);
        return outcome;
    }
    peer->waiting_committed = peer->waiting;
    courier->peer[courier->peer_count++] = peer;
    *out = peer;
    return rg_ok();
}

/* Life */

static void options_default(struct rg_courier_options *options)
{
    static const int64_t day = DAY_MS;
    options->log_epoch = options->log_epoch != 0 ? options->log_epoch : 1;
    options->skew_ms_max = options->skew_ms_max != 0 ? options->skew_ms_max : 300000;
    options->lifetime_ms_max = options->lifetime_ms_max != 0 ? options->lifetime_ms_max : 60 * day;
    options->keep_ms_max = options->keep_ms_max != 0 ? options->keep_ms_max : 30 * day;
    options->retention_ms = options->retention_ms != 0 ? options->retention_ms : 30 * day;
    if (options->emergency_per_day == 0) {
        options->emergency_per_day = options->quota_per_day;
    }
    if (options->envelope_bytes_max == 0) {
        options->envelope_bytes_max = RG_ENVELOPE_BYTES_MAX;
    }
}

static rg_outcome memory_new(struct rg_courier *courier, struct rg_reason *why)
{
    courier->recent = calloc(RECENT_ENTRIES, sizeof(*courier->recent));
    courier->building = calloc(1, sizeof(*courier->building));
    courier->body = calloc(BODIES_KEPT, sizeof(*courier->body));
    courier->thread = calloc(THREADS_KEPT, sizeof(*courier->thread));
    courier->quota = calloc(OFFICES_COUNTED_MAX, sizeof(*courier->quota));
    courier->control = calloc(CONTROLS_MAX, sizeof(*courier->control));
    bool all = courier->recent != NULL && courier->building != NULL && courier->body != NULL &&
               courier->thread != NULL && courier->quota != NULL && courier->control != NULL;
    RG_CHECK(all, why, RG_IO, "out-of-memory", "no memory for the courier");
    for (size_t i = 0; i < RECENT_ENTRIES; i++) {
        courier->recent[i].index = RG_LEAF_NONE;
    }
    return rg_ok();
}

struct restore {
    struct rg_courier *courier;
    struct rg_now now;
};

/* A stored document has been checked before; one that has since expired is left out. */
static rg_outcome restore_document(void *context, const struct rg_document *document,
                                   struct rg_reason *why)
{
    const struct restore *restore = context;
    enum rg_news news = RG_NEWS_NONE;
    rg_outcome outcome =
        rg_trust_offer(restore->courier->trust, document, restore->now.wall, &news, why);
    return outcome.code == RG_BROKEN ? outcome : rg_ok();
}

static rg_outcome heads_load(struct rg_courier *courier, struct rg_reason *why)
{
    struct rg_head *head = calloc(HEADS_MAX, sizeof(*head));
    RG_CHECK(head != NULL, why, RG_IO, "out-of-memory", "no memory for heads");
    size_t count = 0;
    rg_outcome outcome = STORE(courier, heads, head, HEADS_MAX, &count, why);
    for (size_t i = 0; rg_is_ok(outcome) && i < count; i++) {
        outcome = rg_courier_head_shown(courier, NULL, &head[i], why);
    }
    free(head);
    return outcome;
}

static rg_outcome fork_count(void *context, const struct rg_fork *fork, struct rg_reason *why)
{
    struct rg_courier *courier = context;
    (void)fork;
    (void)why;
    courier->forks = ++courier->forks_committed;
    return rg_ok();
}

/* Every partner, so that `status` says from the start what waits for whom. */
static rg_outcome peers_load(struct rg_courier *courier, struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    struct courier_peer *peer = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(courier->trust, i)) != NULL; i++) {
        if (strcmp(country->code, courier->options.country) != 0) {
            RG_TRY(rg_courier_peer(courier, country->code, &peer, why));
        }
    }
    return rg_ok();
}

static rg_outcome courier_load(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    struct restore restore = {courier, now};
    RG_TRY(STORE(courier, documents_each, restore_document, &restore, why));
    RG_TRY(rg_courier_log_load(courier, why));
    RG_TRY(peers_load(courier, why));
    RG_TRY(STORE(courier, forks_each, fork_count, courier, why));
    return heads_load(courier, why);
}

rg_outcome rg_courier_new(const struct rg_courier_options *options, struct rg_now now,
                          struct rg_courier **out, struct rg_reason *why)
{
    struct rg_courier *courier = calloc(1, sizeof(*courier));
    RG_CHECK(courier != NULL, why, RG_IO, "out-of-memory", "no memory for the courier");
    courier->options = *options;
    options_default(&courier->options);
    courier->trust = options->trust;
    courier->store = options->store;
    courier->notary_wanted = true;
    courier->ticked_at = courier->erase_at = courier->cards_at = now.mono;
    rg_courier_text(courier->principal, sizeof(courier->principal), "referral://");
    strncat(courier->principal, options->country, RG_COUNTRY_BYTES);
    strncat(courier->principal, "/gateway", 16);
    rg_outcome outcome = memory_new(courier, why);
    if (rg_is_ok(outcome)) {
        outcome = courier_load(courier, now, why);
    }
    if (!rg_is_ok(outcome)) {
        rg_courier_free(courier);
        return outcome;
    }
    *out = courier;
    return rg_ok();
}

void rg_courier_free(struct rg_courier *courier)
{
    if (courier == NULL) {
        return;
    }
    if (courier->open) {
        courier->store->ops->rollback(courier->store);
    }
    while (courier->session_count > 0) {
        session_free(courier, courier->session_count - 1);
    }
    for (size_t i = 0; i < courier->peer_count; i++) {
        free(courier->peer[i]);
    }
    for (size_t i = 0; courier->body != NULL && i < BODIES_KEPT; i++) {
        rg_buffer_drop(&courier->body[i].bytes);
    }
    rg_courier_controls_drop(courier);
    rg_tree_free(courier->tree);
    rg_buffer_drop(&courier->leaves);
    rg_buffer_drop(&courier->scratch);
    rg_buffer_drop(&courier->scratch_body);
    free(courier->recent);
    free(courier->building);
    free(courier->body);
    free(courier->thread);
    free(courier->quota);
    free(courier->control);
    free(courier);
}

/* Batches */

rg_outcome rg_courier_begin(struct rg_courier *courier, struct rg_reason *why)
{
    if (courier->open) {
        return rg_ok();
    }
    RG_TRY(STORE(courier, begin, why));
    courier->open = true;
    return rg_ok();
}

/* A head that was verified stays held: it is true whether or not the batch was written. */
static void peers_undo(struct rg_courier *courier)
{
    for (size_t i = 0; i < courier->peer_count; i++) {
        courier->peer[i]->waiting = courier->peer[i]->waiting_committed;
        courier->peer[i]->head_log_after.ms = 0; /* that entry may be gone */
        rg_courier_outbox_wake(courier->peer[i]);
    }
}

static void memories_undo(struct rg_courier *courier)
{
    for (size_t i = 0; i < BODIES_KEPT; i++) {
        rg_buffer_drop(&courier->body[i].bytes);
        courier->body[i].key = 0;
    }
    courier->body_bytes = 0;
    memset(courier->thread, 0, THREADS_KEPT * sizeof(*courier->thread));
    for (size_t i = 0; i < courier->quota_count; i++) {
        courier->quota[i].count = courier->quota[i].committed;
    }
}

/* Who sent only Submits and Transfers is told NotNow; who sent anything else says it again in a new
 * session. */
static void sessions_undo(struct rg_courier *courier)
{
    for (size_t i = 0; i < courier->asked_count; i++) {
        struct courier_session *session = session_find(courier, courier->asked[i].session);
        if (session == NULL || session->closing != NULL || session->said_other) {
            continue;
        }
        if (!rg_is_ok(rg_courier_not_now(courier, session, &courier->asked[i].id,
                                         RG_NOT_NOW_DISK_FULL, NULL))) {
            rg_courier_close(courier, session, "store-not-now");
        }
    }
    for (size_t i = 0; i < courier->session_count; i++) {
        if (courier->session[i]->said_other) {
            rg_courier_queue_drop(courier->session[i]); /* it may say what is not so */
            courier->session[i]->cursor_dirty = false;
            rg_courier_close(courier, courier->session[i], "store-not-now");
        }
    }
}

static void batch_reset(struct rg_courier *courier)
{
    courier->open = false;
    courier->frames = 0;
    courier->asked_count = 0;
    courier->dirty_count = 0;
    courier->all_dirty = false;
    for (size_t i = 0; i < courier->session_count; i++) {
        courier->session[i]->said_other = false;
    }
}

static void batch_undo(struct rg_courier *courier, const struct rg_reason *why)
{
    if (courier->open) {
        courier->store->ops->rollback(courier->store);
    }
    rg_courier_event_reason(courier, RG_COURIER_STORE_NOT_NOW, "", why != NULL ? why->id : NULL, 0);
    courier->count.accepted = courier->accepted_told;
    courier->count.received = courier->received_told;
    courier->forks = courier->forks_committed;
    rg_courier_log_undo(courier);
    peers_undo(courier);
    memories_undo(courier);
    sessions_undo(courier);
    batch_reset(courier);
}

/* The store could not: AGAIN and IO undo the batch, BROKEN goes up. */
static rg_outcome batch_failed(struct rg_courier *courier, rg_outcome outcome,
                               const struct rg_reason *why)
{
    if (outcome.code == RG_BROKEN) {
        return outcome;
    }
    batch_undo(courier, why);
    return rg_ok();
}

static bool is_store_failure(rg_outcome outcome)
{
    return outcome.code == RG_AGAIN || outcome.code == RG_IO || outcome.code == RG_BROKEN;
}

bool rg_courier_batch_full(const struct rg_courier *courier)
{
    uint64_t leaves = rg_tree_size(courier->tree) - courier->committed_size;
    return courier->frames >= RG_BATCH_FRAMES_MAX || leaves >= BATCH_LEAVES_MAX;
}

static rg_outcome batch_write(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    RG_TRY(rg_courier_mail_flush(courier, why));
    RG_TRY(rg_courier_quota_flush(courier, why));
    if (!courier->open) {
        return rg_ok(); /* heads alone wait for the next batch */
    }
    for (size_t i = 0; i < courier->peer_count; i++) {
        struct courier_peer *peer = courier->peer[i];
        if (memcmp(&peer->held, &peer->held_committed, sizeof(peer->held)) != 0) {
            RG_TRY(rg_courier_peer_head_log(courier, peer, now, why));
            RG_TRY(STORE(courier, head_set, &peer->held, why));
        }
    }
    return STORE(courier, commit, why);
}

static void batch_tell(struct rg_courier *courier, enum rg_courier_event_kind kind, uint64_t now,
                       uint64_t *told)
{
    if (now > *told) {
        rg_courier_event_reason(courier, kind, courier->options.country, NULL, now - *told);
    }
    *told = now;
}

static void batch_committed(struct rg_courier *courier)
{
    batch_tell(courier, RG_COURIER_ACCEPTED, courier->count.accepted, &courier->accepted_told);
    batch_tell(courier, RG_COURIER_RECEIVED, courier->count.received, &courier->received_told);
    rg_courier_mail_wake(courier);
    courier->committed_size = rg_tree_size(courier->tree);
    courier->forks_committed = courier->forks;
    for (size_t i = 0; i < courier->peer_count; i++) {
        if (courier->open) {
            courier->peer[i]->held_committed = courier->peer[i]->held;
        }
        courier->peer[i]->waiting_committed = courier->peer[i]->waiting;
    }
    for (size_t i = 0; i < courier->quota_count; i++) {
        courier->quota[i].committed = courier->quota[i].count;
    }
    batch_reset(courier);
}

/* Everything that the newest head allows. A session that cannot be served is closed: nothing is
 * lost, it is all in the store. */
static rg_outcome pump(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        if (session->queue_bytes > 2 * RG_COURIER_OUT_BYTES_MAX) {
            rg_courier_close(courier, session, "reads-nothing"); /* and asks for ever more */
        }
        if (!session->ready || session->queue_bytes > RG_COURIER_OUT_BYTES_MAX) {
            continue;
        }
        rg_outcome outcome = rg_courier_answers_release(courier, session, why);
        if (rg_is_ok(outcome) && session->peer != NULL) {
            outcome = rg_courier_outbox_pump(courier, session, now, why);
        }
        if (rg_is_ok(outcome)) {
            outcome = rg_courier_mail_pump(courier, session, now, why);
        }
        if (outcome.code == RG_BROKEN) {
            return outcome;
        }
        if (!rg_is_ok(outcome)) {
            rg_courier_close(courier, session, "cannot-serve");
        }
    }
    return rg_ok();
}

rg_outcome rg_courier_commit(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    rg_outcome outcome = batch_write(courier, now, why);
    if (!rg_is_ok(outcome)) {
        return batch_failed(courier, outcome, why);
    }
    if (rg_tree_size(courier->tree) > courier->committed_size) {
        rg_crash_point("commit");
    }
    batch_committed(courier);
    return pump(courier, now, why);
}

/* The notary */

static bool notary_refill(struct rg_courier *courier)
{
    uint64_t have = courier->leaves_from + courier->leaves.len / 32;
    if (have >= courier->committed_size || courier->leaves.len > 0) {
        return true;
    }
    struct rg_hash hash[1024];
    size_t count = 0;
    if (!rg_is_ok(STORE(courier, leaves, courier->leaves_from, 1024, hash, &count, NULL))) {
        return false;
    }
    for (size_t i = 0; i < count && courier->leaves_from + i < courier->committed_size; i++) {
        struct rg_hash leaf = rg_leaf_hash(hash[i]);
        struct rg_bytes bytes = {leaf.b, sizeof(leaf.b)};
        if (!rg_is_ok(rg_buffer_append(&courier->leaves, bytes, NULL))) {
            return false;
        }
    }
    return true;
}

bool rg_courier_notary_try(struct rg_courier *courier, struct rg_notary_request *request_out)
{
    char origin[RG_ORIGIN_BYTES];
    uint64_t behind = courier->committed_size - courier->head.size;
    bool due = courier->notary_wanted || behind >= UNSIGNED_IDLE ||
               (behind > 0 && courier->wanted_size > courier->head.size);
    if (!due || courier->alarmed || courier->notary_rests || !rg_courier_origin(courier, origin)) {
        return false;
    }
    courier->notary_wanted = true;
    if (!courier->notary_asked) { /* learn its size */
        *request_out = (struct rg_notary_request){.from_size = courier->committed_size};
        return true;
    }
    if (!notary_refill(courier)) {
        return false;
    }
    uint64_t leaves = courier->committed_size - courier->leaves_from;
    leaves = leaves < courier->leaves.len / 32 ? leaves : courier->leaves.len / 32;
    leaves = leaves < RG_NOTARY_LEAVES_MAX ? leaves : RG_NOTARY_LEAVES_MAX;
    size_t bytes = (size_t)leaves * 32;
    *request_out = (struct rg_notary_request){.from_size = courier->leaves_from,
                                              .leaves = {courier->leaves.data, bytes}};
    return true;
}

static void notary_alarm(struct rg_courier *courier, const char *reason, uint64_t size)
{
    courier->alarmed = true;
    rg_courier_event_reason(courier, RG_COURIER_ALARM_NOTARY, "", reason, size);
}

/* The notary has `size` leaves now: what it has need not be sent again. */
static void leaves_forget(struct rg_courier *courier, uint64_t size)
{
    uint64_t have = courier->leaves.len / 32;
    if (size >= courier->leaves_from && size <= courier->leaves_from + have) {
        size_t cut = (size_t)(size - courier->leaves_from) * 32;
        if (cut > 0) {
            memmove(courier->leaves.data, courier->leaves.data + cut, courier->leaves.len - cut);
            courier->leaves.len -= cut;
        }
        courier->leaves_from = size;
        return;
    }
    courier->leaves.len = 0; /* far behind: refilled from the store, piece by piece */
    courier->leaves_from = size;
}

/* Pairs with the notary's own checks: same root, valid under the key that the charter names. */
static rg_outcome notary_head_check(struct rg_courier *courier, const struct rg_head *head,
                                    struct rg_reason *why)
{
    struct rg_hash root;
    RG_TRY(rg_tree_root(courier->tree, head->size, &root, why));
    RG_CHECK(memcmp(root.b, head->root.b, sizeof(root.b)) == 0, why, RG_DENIED, "notary-root",
             "the notary signed another tree");
    const struct rg_country *own = rg_trust_country(courier->trust, courier->options.country);
    RG_CHECK(own != NULL, why, RG_DENIED, "head-origin", "no charter names our log key");
    return rg_head_verify(head, own->log_key, why);
}

static rg_outcome notary_head(struct rg_courier *courier, const struct rg_notary_answer *answer,
                              struct rg_now now, struct rg_reason *why)
{
    struct rg_head head = {.size = answer->size, .root = answer->root};
    memcpy(head.signature, answer->signature, sizeof(head.signature));
    struct rg_reason local = {0};
    if (!rg_courier_origin(courier, head.origin)) {
        return rg_ok();
    }
    rg_outcome outcome = notary_head_check(courier, &head, &local);
    if (outcome.code == RG_IO || outcome.code == RG_AGAIN) {
        courier->notary_failed = courier->notary_rests = true;
        return rg_ok();
    }
    if (!rg_is_ok(outcome)) {
        notary_alarm(courier, local.id, answer->size);
        return rg_ok();
    }
    courier->head = head;
    courier->notary_wanted = false;
    return pump(courier, now, why);
}

rg_outcome rg_courier_notary_answer(struct rg_courier *courier,
                                    const struct rg_notary_answer *answer, struct rg_now now,
                                    struct rg_reason *why)
{
    bool first = !courier->notary_asked;
    bool behind = answer->size < courier->leaves_from;
    if (courier->alarmed) {
        return rg_ok(); /* signing has stopped since it was asked */
    }
    if (answer->code == RG_IO || answer->code == RG_AGAIN || answer->code == RG_BROKEN) {
        courier->notary_failed = courier->notary_rests = true;
        courier->notary_asked = false; /* it may still come to do what it was asked */
        rg_courier_event_reason(courier, RG_COURIER_ALARM_NOTARY, "", answer->reason, answer->size);
        return rg_ok();
    }
    if (answer->size > courier->committed_size) {
        notary_alarm(courier, "notary-ahead", answer->size);
        return rg_ok();
    }
    if (answer->code != RG_OK && !first && !behind) {
        notary_alarm(courier, answer->reason, answer->size);
        return rg_ok();
    }
    courier->notary_asked = true;
    courier->notary_failed = false;
    leaves_forget(courier, answer->size);
    return answer->code == RG_OK ? notary_head(courier, answer, now, why) : rg_ok();
}

/* In */

static struct courier_session *session_add(struct rg_courier *courier,
                                           const struct rg_courier_up *up, struct rg_now now)
{
    if (courier->session_count == RG_COURIER_SESSIONS_MAX) {
        return NULL;
    }
    struct courier_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->id = up->id;
    session->principal = up->principal;
    session->dialled = up->dialled;
    session->window_bytes = RG_WINDOW_BYTES_MIN;
    session->up_at = session->progress_at = now.mono;
    courier->session[courier->session_count++] = session;
    return session;
}

rg_outcome rg_courier_session_up(struct rg_courier *courier, const struct rg_courier_up *up,
                                 struct rg_now now, struct rg_reason *why)
{
    struct courier_session *session = session_add(courier, up, now);
    if (session == NULL) {
        struct courier_control *control = rg_courier_control(courier, RG_OUT_CLOSE);
        if (control != NULL) {
            control->session = up->id;
            rg_courier_text(control->event.reason, sizeof(control->event.reason), "sessions-limit");
        }
        return rg_ok();
    }
    if (up->dialled) {
        return rg_ok(); /* the acceptor speaks first */
    }
    rg_outcome outcome = rg_courier_hello_send(courier, session, now, why);
    if (is_store_failure(outcome)) {
        return batch_failed(courier, outcome, why);
    }
    return rg_ok();
}

void rg_courier_session_gone(struct rg_courier *courier, struct rg_session_id id)
{
    struct courier_session *session = session_find(courier, id);
    if (session == NULL) {
        return;
    }
    if (session->closing == NULL) {
        rg_courier_event_reason(courier, RG_COURIER_SESSION_ENDED, session->principal.text, "gone",
                                0);
    }
    rg_courier_mail_leave(courier, session);
    rg_courier_forget(courier, session);
}

void rg_courier_link_ready(struct rg_courier *courier)
{
    static const enum rg_document_kind kind[] = {RG_DOC_PAGE, RG_DOC_PAGE_DOMESTIC,
                                                 RG_DOC_STOP_LIST};
    while (courier->session_count > 0) {
        rg_courier_mail_leave(courier, courier->session[courier->session_count - 1]);
        session_free(courier, courier->session_count - 1);
    }
    const struct rg_document *document = rg_trust_document(courier->trust, RG_DOC_CHARTER, "", 0);
    if (document != NULL) {
        rg_courier_trust_order(courier, document);
    }
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(courier->trust, i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof(kind) / sizeof(kind[0]); k++) {
            document = rg_trust_document(courier->trust, kind[k], country->code, 0);
            if (document != NULL) {
                rg_courier_trust_order(courier, document);
            }
        }
    }
}

static rg_outcome handle_fault(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why)
{
    (void)now;
    (void)why;
    struct rg_courier_event event = {.kind = RG_COURIER_FAULT, .code = (uint32_t)frame->fault.code};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_text(event.reason, sizeof(event.reason), "fault-from-peer");
    rg_courier_event(courier, &event);
    return rg_ok();
}

static rg_outcome frame_handle(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why)
{
    if (!session->ready) {
        RG_CHECK(frame->kind == RG_FRAME_HELLO, why, RG_DENIED, "hello-first",
                 "a session begins with Hello");
        return rg_courier_hello(courier, session, frame, now, why);
    }
    unsigned role = session->peer != NULL ? FROM_GATEWAY : FROM_CLIENT;
    size_t kind = (size_t)frame->kind;
    bool known = kind < sizeof(handlers) / sizeof(handlers[0]) && handlers[kind].handle != NULL;
    RG_CHECK(known && (handlers[kind].from & role) != 0, why, RG_DENIED, "frame-unexpected",
             "this frame is not for this kind of session");
    if (frame->kind != RG_FRAME_SUBMIT && frame->kind != RG_FRAME_TRANSFER) {
        session->said_other = true;
    }
    return handlers[kind].handle(courier, session, frame, now, why);
}

static enum rg_refusal fault_code(rg_outcome outcome)
{
    if (outcome.code == RG_MALFORMED) {
        return RG_FAULT_MALFORMED;
    }
    return outcome.code == RG_LIMIT ? RG_FAULT_LIMIT : RG_FAULT_UNEXPECTED;
}

rg_outcome rg_courier_frame(struct rg_courier *courier, struct rg_session_id id,
                            struct rg_bytes bytes, struct rg_now now, struct rg_reason *why)
{
    RG_CHECK(!rg_courier_batch_full(courier), why, RG_AGAIN, "batch-full", "commit first");
    struct courier_session *session = session_find(courier, id);
    if (session == NULL || session->closing != NULL) {
        return rg_ok(); /* said before it knew that we closed */
    }
    struct rg_reason local = {0};
    struct rg_frame frame = {0};
    courier->frames++;
    courier->wall = now.wall;
    rg_outcome outcome = rg_frame_decode(bytes, &frame, &local);
    if (rg_is_ok(outcome)) {
        outcome = frame_handle(courier, session, &frame, now, &local);
    }
    rg_frame_drop(&frame);
    if (rg_is_ok(outcome)) {
        return outcome;
    }
    if (is_store_failure(outcome)) {
        if (why != NULL) {
            *why = local;
        }
        return batch_failed(courier, outcome, &local);
    }
    rg_courier_fault(courier, session, fault_code(outcome), &local);
    if (!session->ready) {
        rg_courier_close(courier, session, "hello-first");
    }
    return rg_ok();
}

rg_outcome rg_courier_document(struct rg_courier *courier, const struct rg_document *document,
                               struct rg_now now, struct rg_reason *why)
{
    courier->wall = now.wall;
    rg_outcome outcome = rg_courier_document_take(courier, NULL, document, now, why);
    return is_store_failure(outcome) ? batch_failed(courier, outcome, why) : rg_ok();
}

static void sessions_tick(struct rg_courier *courier, struct rg_now now)
{
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        int64_t up_ms = now.mono.ms - session->up_at.ms;
        int64_t quiet_ms = now.mono.ms - session->progress_at.ms;
        if (session->closing != NULL) {
            continue;
        }
        if (!session->ready && up_ms > RG_LINK_HELLO_MS_MAX) {
            rg_courier_close(courier, session, "hello-timeout");
        }
        if (session->ready && session->in_flight_bytes > 0 && quiet_ms > RG_COURIER_ANSWER_MS_MAX) {
            rg_courier_close(courier, session, "answer-timeout");
        }
    }
}

static void peers_tick(struct rg_courier *courier, struct rg_now now)
{
    for (size_t i = 0; i < courier->peer_count; i++) {
        struct courier_peer *peer = courier->peer[i];
        if (peer->rescan_at.ms != 0 && peer->rescan_at.ms <= now.mono.ms) {
            rg_courier_outbox_wake(peer);
        }
    }
}

rg_outcome rg_courier_tick(struct rg_courier *courier, struct rg_now now, struct rg_reason *why)
{
    courier->ticked_at = now.mono;
    courier->notary_rests = false;
    courier->wanted_size = rg_tree_size(courier->tree);
    courier->cursors_due = true;
    sessions_tick(courier, now);
    peers_tick(courier, now);
    rg_outcome outcome = rg_courier_expire(courier, now, why);
    if (rg_is_ok(outcome)) {
        outcome = rg_courier_retain(courier, now, why);
    }
    return rg_is_ok(outcome) ? outcome : batch_failed(courier, outcome, why);
}

int64_t rg_courier_wait_ms(const struct rg_courier *courier, struct rg_now now)
{
    int64_t wait = courier->ticked_at.ms + 1000 - now.mono.ms;
    return wait < 0 ? 0 : wait;
}

void rg_courier_status(const struct rg_courier *courier, struct rg_courier_status *out)
{
    *out = courier->count;
    out->alarmed = courier->alarmed;
    out->notary_failed = courier->notary_failed;
    out->log_size = courier->committed_size;
    out->head = courier->head;
    out->head_size = courier->head.size;
    out->forks = courier->forks_committed;
    for (size_t i = 0; i < courier->session_count; i++) {
        const struct courier_session *session = courier->session[i];
        out->sessions += session->ready ? 1 : 0;
        out->clients += session->ready && session->peer == NULL ? 1 : 0;
    }
    for (size_t i = 0; i < courier->peer_count; i++) {
        const struct courier_peer *peer = courier->peer[i];
        struct rg_courier_peer_status *row = &out->peer[out->peer_count++];
        rg_courier_text(row->country, sizeof(row->country), peer->country);
        row->connected = peer->session != NULL;
        row->waiting = peer->waiting_committed;
        row->head_size = peer->held_committed.size;
        row->epoch = rg_courier_epoch(courier, peer->country, &peer->held_committed);
        row->in_flight_bytes = peer->session != NULL ? peer->session->in_flight_bytes : 0;
        row->window_bytes = peer->session != NULL ? peer->session->window_bytes : 0;
    }
}
