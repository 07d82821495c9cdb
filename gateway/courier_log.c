/* How it works
 *
 * Appending makes an entry, its hash row in the open batch and its leaf in the tree in memory. The
 * last RECENT_ENTRIES entries stay in a ring, so that answering a batch reads nothing back.
 *
 * Receipts out: the newest signed head, one consistency proof from the head this session knows of
 * us, entries with inclusion proofs under that head. Receipts in: the head is verified once and
 * remembered; the same head again costs a comparison. A head must extend the one held: smaller, or
 * not consistent, is an alarm and ends the session. Nobody's entry counts before its head.
 *
 * A valid head of our own log that does not fit the log in memory means that this store was set
 * back or that the log was forked: signing stops, also after a restart, because that head is kept.
 */
#include "gateway/courier_state.h"

#include <stdlib.h>
#include <string.h>

/* Load */

static rg_outcome tile_load(void *context, uint64_t tile, struct rg_hash leaf[RG_TILE_LEAVES],
                            struct rg_reason *why)
{
    struct rg_courier *courier = context;
    size_t count = 0;
    RG_TRY(STORE(courier, leaves, tile * RG_TILE_LEAVES, RG_TILE_LEAVES, leaf, &count, why));
    RG_CHECK(count == RG_TILE_LEAVES, why, RG_IO, "store-leaves-missing",
             "the store lacks leaves of the log");
    for (size_t i = 0; i < count; i++) {
        leaf[i] = rg_leaf_hash(leaf[i]);
    }
    return rg_ok();
}

static rg_outcome load_tiles(struct rg_courier *courier, uint64_t tiles, struct rg_reason *why)
{
    struct rg_hash root[256];
    for (uint64_t at = 0; at < tiles;) {
        size_t count = 0;
        size_t max = tiles - at < 256 ? (size_t)(tiles - at) : 256;
        RG_TRY(STORE(courier, tiles, at, max, root, &count, why));
        RG_CHECK(count > 0, why, RG_BROKEN, "store-corrupt", "the store lacks tiles of the log");
        for (size_t i = 0; i < count; i++) {
            rg_tree_append_tile(courier->tree, root[i]);
        }
        at += count;
    }
    return rg_ok();
}

rg_outcome rg_courier_log_load(struct rg_courier *courier, struct rg_reason *why)
{
    uint64_t size = 0;
    struct rg_hash leaf[RG_TILE_LEAVES];
    size_t count = 0;
    courier->tree = rg_tree_new(tile_load, courier);
    RG_CHECK(courier->tree != NULL, why, RG_IO, "out-of-memory", "no memory for the log");
    RG_TRY(STORE(courier, log_size, &size, why));
    RG_TRY(load_tiles(courier, size / RG_TILE_LEAVES, why));
    uint64_t from = size - size % RG_TILE_LEAVES;
    RG_TRY(STORE(courier, leaves, from, RG_TILE_LEAVES, leaf, &count, why));
    for (size_t i = 0; i < count; i++) {
        rg_tree_append(courier->tree, rg_leaf_hash(leaf[i]));
    }
    RG_CHECK(rg_tree_size(courier->tree) == size, why, RG_BROKEN, "store-corrupt",
             "leaves and tiles of the store do not fit together");
    courier->committed_size = size;
    courier->leaves_from = size;
    return rg_ok();
}

bool rg_courier_origin(const struct rg_courier *courier, char out[RG_ORIGIN_BYTES])
{
    const struct rg_country *own = rg_trust_country(courier->trust, courier->options.country);
    if (own == NULL) {
        return false;
    }
    struct rg_buffer text = {.limit = RG_ORIGIN_BYTES - 1};
    rg_outcome outcome = rg_buffer_print(&text, NULL, "%s/%llu", own->log_origin,
                                         (unsigned long long)courier->options.log_epoch);
    if (rg_is_ok(outcome)) {
        memset(out, 0, RG_ORIGIN_BYTES);
        memcpy(out, text.data, text.len);
    }
    rg_buffer_drop(&text);
    return rg_is_ok(outcome);
}

/* Append */

static rg_outcome leaf_store(struct rg_courier *courier, uint64_t index, struct rg_bytes entry,
                             struct rg_reason *why)
{
    struct rg_hash hash = rg_sha256(entry);
    struct rg_hash leaf = rg_leaf_hash(hash);
    struct rg_bytes leaf_bytes = {leaf.b, sizeof(leaf.b)};
    RG_TRY(STORE(courier, leaf_add, index, &hash, entry, why));
    if (courier->leaves_from + courier->leaves.len / 32 == index) {
        RG_TRY(rg_buffer_append(&courier->leaves, leaf_bytes, why));
    }
    rg_tree_append(courier->tree, leaf);
    if ((index + 1) % RG_TILE_LEAVES != 0) {
        return rg_ok();
    }
    uint64_t tile = index / RG_TILE_LEAVES;
    struct rg_hash root = rg_tree_tile_root(courier->tree, tile);
    return STORE(courier, tile_add, tile, &root, why);
}

static void entry_remember(struct rg_courier *courier, uint64_t index, struct rg_bytes entry)
{
    struct courier_entry *recent = &courier->recent[index % RECENT_ENTRIES];
    recent->index = index;
    recent->len = entry.len;
    memcpy(recent->bytes, entry.data, entry.len);
}

rg_outcome rg_courier_log_append(struct rg_courier *courier, struct rg_log_entry *entry,
                                 uint64_t *index_out, struct rg_reason *why)
{
    uint64_t index = rg_tree_size(courier->tree);
    RG_TRY(rg_courier_begin(courier, why));
    courier->options.random(courier->options.random_context, entry->salt, sizeof(entry->salt));
    rg_buffer_clear(&courier->scratch);
    RG_TRY(rg_log_entry_encode(entry, &courier->scratch, why));
    struct rg_bytes bytes = rg_buffer_peek(&courier->scratch);
    RG_ASSERT(bytes.len <= ENTRY_BYTES_MAX);
    RG_TRY(leaf_store(courier, index, bytes, why));
    entry_remember(courier, index, bytes);
    *index_out = index;
    return rg_ok();
}

void rg_courier_head_want(struct rg_courier *courier, uint64_t leaf)
{
    if (leaf >= courier->wanted_size) {
        courier->wanted_size = leaf + 1;
    }
}

void rg_courier_log_undo(struct rg_courier *courier)
{
    uint64_t size = courier->committed_size;
    courier->wanted_size = courier->wanted_size < size ? courier->wanted_size : size;
    if (rg_tree_size(courier->tree) > size) {
        rg_tree_truncate(courier->tree, size);
    }
    if (size >= courier->leaves_from && courier->leaves.len / 32 > size - courier->leaves_from) {
        courier->leaves.len = (size_t)(size - courier->leaves_from) * 32;
    }
    for (size_t i = 0; i < RECENT_ENTRIES; i++) {
        if (courier->recent[i].index >= size) {
            courier->recent[i].index = RG_LEAF_NONE;
        }
    }
    for (size_t i = 0; i < courier->session_count; i++) {
        struct courier_session *session = courier->session[i];
        size_t kept = 0;
        for (size_t k = 0; k < session->answer_count; k++) {
            if (session->answer[k] < size) {
                session->answer[kept++] = session->answer[k];
            }
        }
        session->answer_count = kept;
    }
}

/* Receipts out */

rg_outcome rg_courier_receipts_begin(struct rg_courier *courier,
                                     const struct courier_session *session,
                                     struct courier_receipts *out, struct rg_reason *why)
{
    struct rg_receipts *receipts = &out->receipts;
    *receipts = (struct rg_receipts){.head = courier->head, .entry = out->entry};
    out->bytes = 256;
    if (session->sent_size == 0) {
        return rg_ok();
    }
    receipts->has_from = true;
    receipts->from_size = session->sent_size;
    if (session->sent_size == courier->head.size) {
        return rg_ok();
    }
    RG_TRY(rg_tree_consistency(courier->tree, session->sent_size, courier->head.size,
                               &receipts->consistency, why));
    out->bytes += 34 * receipts->consistency.count;
    return rg_ok();
}

/* An entry by its leaf: from the ring, or from the store into `old`. */
static rg_outcome entry_bytes(struct rg_courier *courier, uint64_t leaf,
                              uint8_t old[ENTRY_BYTES_MAX], struct rg_bytes *out,
                              struct rg_reason *why)
{
    const struct courier_entry *recent = &courier->recent[leaf % RECENT_ENTRIES];
    if (recent->index == leaf) {
        *out = rg_bytes_of(recent->bytes, recent->len);
        return rg_ok();
    }
    bool found = false;
    rg_buffer_clear(&courier->scratch);
    RG_TRY(STORE(courier, leaf_entry, leaf, &courier->scratch, &found, why));
    size_t len = found ? courier->scratch.len : 0;
    RG_CHECK(len <= ENTRY_BYTES_MAX, why, RG_BROKEN, "store-corrupt", "an entry is too long");
    if (len > 0) {
        memcpy(old, courier->scratch.data, len);
    }
    *out = rg_bytes_of(old, len);
    return rg_ok();
}

rg_outcome rg_courier_receipts_add(struct rg_courier *courier, struct courier_receipts *receipts,
                                   uint64_t leaf, bool *found_out, struct rg_reason *why)
{
    size_t at = receipts->receipts.entry_count;
    RG_CHECK(at < RG_RECEIPT_ENTRIES_MAX, why, RG_LIMIT, "receipts-full", "a frame's worth");
    RG_ASSERT(leaf < courier->head.size);
    struct rg_proven_entry *proven = &receipts->entry[at];
    proven->leaf_index = leaf;
    RG_TRY(entry_bytes(courier, leaf, receipts->old[at], &proven->log_entry, why));
    *found_out = proven->log_entry.len > 0;
    if (!*found_out) {
        return rg_ok(); /* destroyed: the log still verifies, the entry can be shown no more */
    }
    RG_TRY(rg_tree_inclusion(courier->tree, leaf, courier->head.size, &proven->inclusion, why));
    receipts->bytes += 32 + proven->log_entry.len + 34 * proven->inclusion.count;
    receipts->receipts.entry_count++;
    return rg_ok();
}

void rg_courier_receipts_sent(struct rg_courier *courier, struct courier_session *session)
{
    session->sent_size = courier->head.size;
}

rg_outcome rg_courier_answer(struct rg_courier *courier, struct courier_session *session,
                             uint64_t leaf, struct rg_reason *why)
{
    if (session->answer_count == session->answer_capacity) {
        size_t capacity = session->answer_capacity == 0 ? 64 : 2 * session->answer_capacity;
        RG_CHECK(capacity <= 65536, why, RG_LIMIT, "answers-limit", "too many unanswered frames");
        uint64_t *grown = realloc(session->answer, capacity * sizeof(*grown));
        RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "no memory for answers");
        session->answer = grown;
        session->answer_capacity = capacity;
    }
    session->answer[session->answer_count++] = leaf;
    rg_courier_head_want(courier, leaf);
    return rg_ok();
}

/* One frame with the answers that the head covers, from `at` on. */
static rg_outcome answers_frame(struct rg_courier *courier, struct courier_session *session,
                                size_t *at, struct rg_reason *why)
{
    struct courier_receipts *building = courier->building;
    bool found = false;
    RG_TRY(rg_courier_receipts_begin(courier, session, building, why));
    while (*at < session->answer_count && session->answer[*at] < courier->head.size &&
           building->receipts.entry_count < RG_RECEIPT_ENTRIES_MAX &&
           building->bytes < RECEIPT_FRAME_BYTES) {
        RG_TRY(rg_courier_receipts_add(courier, building, session->answer[*at], &found, why));
        ++*at;
    }
    if (building->receipts.entry_count == 0) {
        return rg_ok();
    }
    struct rg_frame frame = {.kind = RG_FRAME_RECEIPTS, .receipts = building->receipts};
    RG_TRY(rg_courier_send(courier, session, &frame, NULL, why));
    rg_courier_receipts_sent(courier, session);
    return rg_ok();
}

rg_outcome rg_courier_answers_release(struct rg_courier *courier, struct courier_session *session,
                                      struct rg_reason *why)
{
    size_t at = 0;
    while (at < session->answer_count && session->answer[at] < courier->head.size &&
           session->queue_bytes <= RG_COURIER_OUT_BYTES_MAX) {
        RG_TRY(answers_frame(courier, session, &at, why));
    }
    session->answer_count -= at;
    if (at > 0) {
        memmove(session->answer, session->answer + at, session->answer_count * sizeof(uint64_t));
    }
    return rg_ok();
}

/* Receipts in */

static void alarm_peer(struct rg_courier *courier, const char *who, const char *reason)
{
    struct rg_courier_event event = {.kind = RG_COURIER_ALARM_PEER_LOG};
    rg_courier_text(event.who, sizeof(event.who), who);
    rg_courier_text(event.reason, sizeof(event.reason), reason != NULL ? reason : "");
    rg_courier_event(courier, &event);
}

/* "referral/th/2" under "referral/th" is 2; 0 when it is not of that log. */
static uint64_t origin_epoch(const char *origin, const char *prefix)
{
    size_t len = strlen(prefix);
    if (strncmp(origin, prefix, len) != 0 || origin[len] != '/') {
        return 0;
    }
    uint64_t epoch = 0;
    const char *digit = origin + len + 1;
    if (*digit < '1' || *digit > '9') {
        return 0;
    }
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        if (epoch > UINT64_MAX / 10 - 1) {
            return 0;
        }
        epoch = epoch * 10 + (uint64_t)(*digit - '0');
    }
    return *digit == '\0' ? epoch : 0;
}

static const struct rg_country *origin_country(const struct rg_courier *courier, const char *origin)
{
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(courier->trust, i)) != NULL; i++) {
        if (origin_epoch(origin, country->log_origin) > 0) {
            return country;
        }
    }
    return NULL;
}

rg_outcome rg_courier_fork_keep(struct rg_courier *courier, struct rg_fork *fork,
                                struct rg_reason *why)
{
    bool fresh = false;
    fork->found = courier->wall;
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(STORE(courier, fork_add, fork, &fresh, why));
    courier->forks += fresh ? 1 : 0;
    return rg_ok();
}

rg_outcome rg_courier_fork_heads(struct rg_courier *courier, const struct rg_head *held,
                                 const struct rg_head *shown, struct rg_reason *why)
{
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER second = {0};
    struct rg_fork fork = {.kind = RG_FORK_LOG};
    const struct rg_country *country = origin_country(courier, shown->origin);
    if (country == NULL || strcmp(held->origin, shown->origin) != 0) {
        return rg_ok();
    }
    RG_TRY(rg_checkpoint_print(held, country->log_key, &first, why));
    RG_TRY(rg_checkpoint_print(shown, country->log_key, &second, why));
    rg_courier_text(fork.subject, sizeof(fork.subject), shown->origin);
    fork.first = rg_buffer_peek(&first);
    fork.second = rg_buffer_peek(&second);
    return rg_courier_fork_keep(courier, &fork, why);
}

/* A head that is refused, though it has a good signature, and does not fit the one held. */
static bool contradicts(const char *reason)
{
    return reason != NULL &&
           (strcmp(reason, "head-fork") == 0 || strcmp(reason, "proof-consistency") == 0);
}

static rg_outcome epoch_check(struct rg_courier *courier, const struct courier_session *session,
                              const struct rg_head *held, const struct rg_head *head,
                              const char *prefix, struct rg_reason *why)
{
    uint64_t now = origin_epoch(head->origin, prefix);
    RG_CHECK(now > origin_epoch(held->origin, prefix), why, RG_DENIED, "head-epoch",
             "the peer went back to an older epoch of its log");
    struct rg_courier_event event = {.kind = RG_COURIER_PEER_EPOCH, .number = now};
    rg_courier_text(event.who, sizeof(event.who), session->principal.text);
    rg_courier_event(courier, &event);
    return rg_ok();
}

static rg_outcome head_extends(const struct rg_head *held, const struct rg_receipts *receipts,
                               struct rg_reason *why)
{
    const struct rg_head *head = &receipts->head;
    RG_CHECK(head->size >= held->size, why, RG_DENIED, "head-smaller",
             "the peer's log has become smaller");
    if (head->size == held->size) {
        RG_CHECK(memcmp(&head->root, &held->root, sizeof(head->root)) == 0, why, RG_DENIED,
                 "head-fork", "two heads of one size have different roots");
        return rg_ok();
    }
    RG_CHECK(receipts->has_from && receipts->from_size == held->size, why, RG_DENIED,
             "head-no-proof", "no consistency proof from the head this session holds");
    return rg_head_extends(held, head, &receipts->consistency, why);
}

static rg_outcome head_check(struct rg_courier *courier, const struct courier_session *session,
                             const struct rg_receipts *receipts, struct rg_reason *why)
{
    const struct rg_head *held = &session->peer->held;
    const struct rg_head *head = &receipts->head;
    const struct rg_country *country = rg_trust_country(courier->trust, session->peer->country);
    RG_CHECK(country != NULL, why, RG_DENIED, "head-origin", "the charter has no such country");
    RG_CHECK(origin_epoch(head->origin, country->log_origin) > 0, why, RG_DENIED, "head-origin",
             "a head of another log");
    RG_TRY(rg_head_verify(head, country->log_key, why));
    if (held->size == 0) {
        return rg_ok();
    }
    if (strcmp(held->origin, head->origin) != 0) {
        return epoch_check(courier, session, held, head, country->log_origin, why);
    }
    return head_extends(held, receipts, why);
}

rg_outcome rg_courier_head_check(struct rg_courier *courier, struct courier_session *session,
                                 const struct rg_receipts *receipts, struct rg_reason *why)
{
    struct rg_head *held = &session->peer->held;
    const struct rg_head *head = &receipts->head;
    if (head->size == held->size && memcmp(&head->root, &held->root, sizeof(head->root)) == 0 &&
        strcmp(head->origin, held->origin) == 0) {
        return rg_ok();
    }
    struct rg_reason local = {0};
    rg_outcome outcome = head_check(courier, session, receipts, &local);
    if (!rg_is_ok(outcome)) {
        alarm_peer(courier, session->principal.text, local.id);
        rg_courier_close(courier, session, "head-refused");
        if (contradicts(local.id)) {
            RG_TRY(rg_courier_fork_heads(courier, held, head, why));
        }
        if (why != NULL) {
            *why = local;
        }
        return outcome;
    }
    *held = *head;
    return rg_ok();
}

rg_outcome rg_courier_peer_head_log(struct rg_courier *courier, struct courier_peer *peer,
                                    struct rg_now now, struct rg_reason *why)
{
    uint64_t leaf = 0;
    bool new_epoch = strcmp(peer->held.origin, peer->held_committed.origin) != 0;
    if (now.mono.ms < peer->head_log_after.ms && !new_epoch) {
        return rg_ok();
    }
    struct rg_log_entry entry = {.kind = RG_ENTRY_PEER_HEAD, .time = now.wall, .has_detail = true};
    RG_TRY(rg_head_digest(&peer->held, &entry.detail, why));
    rg_courier_text(entry.peer, sizeof(entry.peer), "referral://");
    strncat(entry.peer, peer->country, RG_COUNTRY_BYTES);
    strncat(entry.peer, "/gateway", 16);
    RG_TRY(rg_courier_log_append(courier, &entry, &leaf, why));
    peer->head_log_after.ms = now.mono.ms + PEER_HEAD_MS_MIN;
    return rg_ok();
}

uint64_t rg_courier_epoch(const struct rg_courier *courier, const char *country_code,
                          const struct rg_head *head)
{
    const struct rg_country *country = rg_trust_country(courier->trust, country_code);
    return country != NULL ? origin_epoch(head->origin, country->log_origin) : 0;
}

rg_outcome rg_courier_entry_check(const struct rg_receipts *receipts,
                                  const struct rg_proven_entry *proven,
                                  struct courier_evidence *out, struct rg_reason *why)
{
    struct rg_hash leaf = rg_leaf_hash(rg_sha256(proven->log_entry));
    RG_TRY(rg_proof_inclusion_check(leaf, proven->leaf_index, receipts->head.size,
                                    receipts->head.root, &proven->inclusion, why));
    RG_TRY(rg_log_entry_decode(proven->log_entry, &out->entry, why));
    out->receipts = receipts;
    out->proven = proven;
    return rg_ok();
}

rg_outcome rg_courier_proof_keep(struct rg_courier *courier, uint64_t key,
                                 const struct courier_evidence *evidence, bool *fresh_out,
                                 struct rg_reason *why)
{
    struct rg_receipts one = {
        .head = evidence->receipts->head, .entry = evidence->proven, .entry_count = 1};
    RG_TRY(rg_courier_begin(courier, why));
    rg_buffer_clear(&courier->scratch);
    RG_TRY(rg_receipts_encode(&one, &courier->scratch, why));
    return STORE(courier, proof_add, key, evidence->entry.kind, evidence->proven->leaf_index,
                 rg_buffer_peek(&courier->scratch), fresh_out, why);
}

/* Heads in Hello, and the heads of the store at start */

static rg_outcome own_alarm(struct rg_courier *courier, const struct courier_session *session,
                            const struct rg_head *head, struct rg_reason *why)
{
    struct rg_courier_event event = {.kind = RG_COURIER_ALARM_OWN_LOG, .number = head->size};
    rg_courier_text(event.who, sizeof(event.who),
                    session != NULL ? session->principal.text : courier->principal);
    rg_courier_event(courier, &event);
    courier->alarmed = true;
    if (session == NULL) {
        return rg_ok();
    }
    RG_TRY(rg_courier_begin(courier, why));
    RG_TRY(rg_courier_fork_heads(courier, &courier->head, head, why));
    return STORE(courier, head_set, head, why);
}

/* A head of this log that is validly signed: it must be a head of the tree in memory. What the
 * notary may have signed is always committed before, so `committed_size` bounds it. */
static rg_outcome own_head_shown(struct rg_courier *courier, struct courier_session *session,
                                 const struct rg_head *head, struct rg_reason *why)
{
    struct rg_hash root = {0};
    if (head->size > courier->committed_size) {
        return own_alarm(courier, session, head, why);
    }
    RG_TRY(rg_tree_root(courier->tree, head->size, &root, why));
    if (memcmp(root.b, head->root.b, sizeof(root.b)) != 0) {
        return own_alarm(courier, session, head, why);
    }
    if (session != NULL) {
        session->sent_size = head->size;
    }
    return rg_ok();
}

rg_outcome rg_courier_head_shown(struct rg_courier *courier, struct courier_session *session,
                                 const struct rg_head *head, struct rg_reason *why)
{
    char own[RG_ORIGIN_BYTES];
    struct courier_peer *peer = NULL;
    const struct rg_country *country = origin_country(courier, head->origin);
    if (country == NULL || head->size == 0 ||
        !rg_is_ok(rg_head_verify(head, country->log_key, NULL))) {
        return rg_ok(); /* proves nothing */
    }
    if (strcmp(country->code, courier->options.country) == 0) {
        bool current = rg_courier_origin(courier, own) && strcmp(own, head->origin) == 0;
        return current ? own_head_shown(courier, session, head, why) : rg_ok();
    }
    RG_TRY(rg_courier_peer(courier, country->code, &peer, why));
    if (session == NULL) { /* heads of older epochs are held for ever, and are not the newest */
        uint64_t held = origin_epoch(peer->held.origin, country->log_origin);
        if (origin_epoch(head->origin, country->log_origin) > held) {
            peer->held = peer->held_committed = *head;
        }
        return rg_ok();
    }
    if (strcmp(peer->held.origin, head->origin) == 0 && peer->held.size == head->size &&
        memcmp(&peer->held.root, &head->root, sizeof(head->root)) != 0) {
        alarm_peer(courier, country->code, "head-fork");
        return rg_courier_fork_heads(courier, &peer->held, head, why);
    }
    return rg_ok();
}
