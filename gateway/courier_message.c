/* How it works
 *
 * The first answer to a message is decided here, once: rules in a table are asked in order, the
 * first that says no gives the code. Codes of "not now" leave no trace. A final answer is a row, a
 * leaf and, when it is yes, an outbox row or mails, all in one batch; the session remembers the
 * leaf. A message that is already there gets the leaf of its first answer, whatever the rules say
 * today.
 *
 * The peer's proof of acceptance is checked in two steps: its head belongs to the session (a bad
 * one ends it, and nothing is answered), its entry belongs to the message (a missing one is a final
 * NO_PROOF).
 */
#include "gateway/courier_state.h"

#include <string.h>

struct judgement {
    struct rg_courier *courier;
    const struct courier_session *session;
    const struct rg_envelope *envelope;
    const struct rg_core *core;
    struct rg_now now;
};

typedef enum rg_refusal (*rule)(const struct judgement *j);

static enum rg_refusal rule_exercise(const struct judgement *j)
{
    return j->core->exercise == j->courier->options.exercise ? RG_REFUSE_NONE : RG_REFUSE_EXERCISE;
}

/* Sections that travel as chunks are not taken yet: their bytes must be here. */
static enum rg_refusal rule_size(const struct judgement *j)
{
    if (j->envelope->whole.len > j->courier->options.envelope_bytes_max) {
        return RG_REFUSE_TOO_LARGE;
    }
    for (size_t i = 0; i < j->core->section_count; i++) {
        if (j->envelope->sealed[i].len == 0) {
            return RG_REFUSE_TOO_LARGE;
        }
    }
    return RG_REFUSE_NONE;
}

static enum rg_refusal rule_lifetime(const struct judgement *j)
{
    const struct rg_core *core = j->core;
    bool ordered = core->created.ms >= 0 && core->created.ms < core->expires.ms &&
                   core->expires.ms <= core->collect_by.ms;
    if (!ordered || core->expires.ms - core->created.ms > j->courier->options.lifetime_ms_max ||
        core->collect_by.ms - core->expires.ms > j->courier->options.keep_ms_max) {
        return RG_REFUSE_LIFETIME;
    }
    return RG_REFUSE_NONE;
}

static enum rg_refusal rule_own_office(const struct judgement *j)
{
    bool own = strcmp(j->core->from_office, j->session->principal.office) == 0;
    return own ? RG_REFUSE_NONE : RG_REFUSE_NOT_OUR_OFFICE;
}

/* An office we do not know: for good, or because the page we hold of that country is stale. */
static enum rg_refusal unknown_office(const struct judgement *j, const char *country_code)
{
    const struct rg_country *country = rg_trust_country(j->courier->trust, country_code);
    bool fresh = country != NULL && country->has_page && j->now.wall.ms <= country->fresh_until.ms;
    bool own = strcmp(country_code, j->courier->options.country) == 0;
    return country == NULL || fresh || own ? RG_REFUSE_UNKNOWN_OFFICE : RG_NOT_NOW_UNKNOWN_PAGE;
}

static enum rg_refusal rule_sender(const struct judgement *j)
{
    char country[RG_COUNTRY_BYTES];
    const struct rg_office *office = rg_trust_office(j->courier->trust, j->core->from_office);
    rg_office_country(j->core->from_office, country);
    if (office == NULL) {
        return unknown_office(j, country);
    }
    const struct rg_country *from = rg_trust_country(j->courier->trust, country);
    bool suspended = office->suspended || (from != NULL && from->suspended);
    return suspended ? RG_REFUSE_SUSPENDED : RG_REFUSE_NONE;
}

static enum rg_refusal rule_not_expired(const struct judgement *j)
{
    return j->core->expires.ms > j->now.wall.ms ? RG_REFUSE_NONE : RG_REFUSE_EXPIRED;
}

static enum rg_refusal rule_clock(const struct judgement *j)
{
    int64_t ahead = j->core->created.ms - j->now.wall.ms;
    return ahead <= j->courier->options.skew_ms_max ? RG_REFUSE_NONE : RG_NOT_NOW_CLOCK;
}

static bool crosses(const struct judgement *j)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(j->core->from_office, country);
    return strcmp(country, j->core->to_country) != 0;
}

static enum rg_refusal destination_office(const struct judgement *j, const char *name)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(name, country);
    if (strcmp(country, j->core->to_country) != 0) {
        return RG_REFUSE_UNKNOWN_OFFICE;
    }
    const struct rg_office *office = rg_trust_office(j->courier->trust, name);
    if (office == NULL) {
        return unknown_office(j, country);
    }
    if (office->suspended) {
        return RG_REFUSE_SUSPENDED;
    }
    bool closed = crosses(j) && office->cross_border == RG_CROSS_NEVER;
    return closed ? RG_REFUSE_CROSS_BORDER : RG_REFUSE_NONE;
}

static enum rg_refusal rule_destination(const struct judgement *j)
{
    const struct rg_country *country = rg_trust_country(j->courier->trust, j->core->to_country);
    if (country == NULL || j->core->to_office_count == 0) {
        return RG_REFUSE_UNKNOWN_OFFICE;
    }
    if (country->suspended) {
        return RG_REFUSE_SUSPENDED;
    }
    for (size_t i = 0; i < j->core->to_office_count; i++) {
        enum rg_refusal code = destination_office(j, j->core->to_office[i]);
        if (code != RG_REFUSE_NONE) {
            return code;
        }
    }
    return RG_REFUSE_NONE;
}

/* The sender's own focal point, when a section is meant for it; NULL: none is. */
static const struct rg_office *notice_office(const struct judgement *j)
{
    char home[RG_COUNTRY_BYTES];
    char country[RG_COUNTRY_BYTES];
    rg_office_country(j->core->from_office, home);
    for (size_t i = 0; i < j->core->section_count; i++) {
        const struct rg_section_core *section = &j->core->section[i];
        for (size_t k = 0; k < section->office_count; k++) {
            const struct rg_office *office = rg_trust_office(j->courier->trust, section->office[k]);
            rg_office_country(section->office[k], country);
            if (office != NULL && strcmp(country, home) == 0 &&
                strcmp(office->role, "focal") == 0) {
                return office;
            }
        }
    }
    return NULL;
}

static bool crosses_in_emergency(const struct judgement *j)
{
    const struct rg_office *office = rg_trust_office(j->courier->trust, j->core->from_office);
    return crosses(j) && office != NULL && office->cross_border == RG_CROSS_EMERGENCY;
}

/* An office for emergencies crosses with emergencies only, and its own focal point is told. */
static enum rg_refusal rule_border(const struct judgement *j)
{
    const struct rg_office *office = rg_trust_office(j->courier->trust, j->core->from_office);
    if (!crosses(j) || office == NULL || office->cross_border == RG_CROSS_ALWAYS) {
        return RG_REFUSE_NONE;
    }
    bool allowed =
        crosses_in_emergency(j) && j->core->priority == RG_EMERGENCY && notice_office(j) != NULL;
    return allowed ? RG_REFUSE_NONE : RG_REFUSE_CROSS_BORDER;
}

static enum rg_refusal rule_peer_speaks(const struct judgement *j)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(j->core->from_office, country);
    bool own = strcmp(country, j->session->peer->country) == 0 &&
               strcmp(j->core->to_country, j->courier->options.country) == 0;
    return own ? RG_REFUSE_NONE : RG_REFUSE_NOT_OUR_OFFICE;
}

static enum rg_refusal rule_not_late(const struct judgement *j)
{
    int64_t until = j->core->expires.ms + j->courier->options.skew_ms_max;
    return j->now.wall.ms <= until ? RG_REFUSE_NONE : RG_REFUSE_EXPIRED;
}

static const rule submit_rules[] = {rule_own_office, rule_sender,   rule_exercise,
                                    rule_size,       rule_lifetime, rule_not_expired,
                                    rule_clock,      rule_border,   rule_destination};
static const rule transfer_rules[] = {rule_peer_speaks, rule_sender,     rule_exercise,
                                      rule_size,        rule_lifetime,   rule_not_late,
                                      rule_border,      rule_destination};

static enum rg_refusal ask(const rule *rules, size_t count, const struct judgement *j)
{
    for (size_t i = 0; i < count; i++) {
        enum rg_refusal code = rules[i](j);
        if (code != RG_REFUSE_NONE) {
            return code;
        }
    }
    return RG_REFUSE_NONE;
}

static bool is_final(enum rg_refusal code)
{
    return code < RG_NOT_NOW_DISK_FULL;
}

/* Threads and decisions: rules that need the store */

static bool pair_is(const struct rg_thread_offices *pair, const char *a, const char *b)
{
    return (strcmp(pair->office[0], a) == 0 && strcmp(pair->office[1], b) == 0) ||
           (strcmp(pair->office[0], b) == 0 && strcmp(pair->office[1], a) == 0);
}

static struct courier_thread *thread_slot(const struct rg_courier *courier,
                                          const struct rg_thread_id *id)
{
    size_t at = ((size_t)id->b[0] << 8 | id->b[1]) % THREADS_KEPT;
    return &courier->thread[at];
}

static rg_outcome thread_find(struct rg_courier *courier, const struct rg_thread_id *id,
                              struct rg_thread_offices *out, bool *found_out, struct rg_reason *why)
{
    struct courier_thread *slot = thread_slot(courier, id);
    if (slot->used && memcmp(slot->id.b, id->b, sizeof(id->b)) == 0) {
        *out = slot->offices;
        *found_out = !slot->absent;
        return rg_ok();
    }
    *out = (struct rg_thread_offices){0};
    RG_TRY(STORE(courier, thread_find, id, out, found_out, why));
    *slot =
        (struct courier_thread){.used = true, .absent = !*found_out, .id = *id, .offices = *out};
    return rg_ok();
}

static rg_outcome judge_thread(const struct judgement *j, enum rg_refusal *out,
                               struct rg_reason *why)
{
    struct rg_thread_offices pair;
    bool found = false;
    RG_TRY(thread_find(j->courier, &j->core->thread, &pair, &found, why));
    bool theirs = found && pair_is(&pair, j->core->from_office, j->core->to_office[0]);
    *out = !found || theirs ? RG_REFUSE_NONE : RG_REFUSE_THREAD_TAKEN;
    return rg_ok();
}

static rg_outcome judge_decides(const struct judgement *j, enum rg_refusal *out,
                                struct rg_reason *why)
{
    struct rg_id deciding;
    bool found = false;
    *out = RG_REFUSE_NONE;
    if (!j->core->has_decides) {
        return rg_ok();
    }
    RG_TRY(STORE(j->courier, decision_find, &j->core->decides, j->core->from_office, &deciding,
                 &found, why));
    *out = found ? RG_REFUSE_ALREADY_DECIDED : RG_REFUSE_NONE;
    return rg_ok();
}

static rg_outcome thread_claim(const struct judgement *j, struct rg_reason *why)
{
    struct courier_thread *slot = thread_slot(j->courier, &j->core->thread);
    struct rg_thread_offices pair = {0};
    bool found = false;
    RG_TRY(thread_find(j->courier, &j->core->thread, &pair, &found, why));
    if (found) {
        return rg_ok();
    }
    memcpy(pair.office[0], j->core->from_office, RG_OFFICE_BYTES);
    memcpy(pair.office[1], j->core->to_office[0], RG_OFFICE_BYTES);
    RG_TRY(STORE(j->courier, thread_add, &j->core->thread, &pair, why));
    *slot = (struct courier_thread){.used = true, .id = j->core->thread, .offices = pair};
    return rg_ok();
}

static rg_outcome decision_claim(const struct judgement *j, struct rg_reason *why)
{
    if (!j->core->has_decides) {
        return rg_ok();
    }
    return STORE(j->courier, decision_add, &j->core->decides, j->core->from_office,
                 &j->envelope->id, why);
}

/* Quotas: counted in memory for the day, written once per batch */

static rg_outcome quota_row(struct rg_courier *courier, const char *office, struct rg_now now,
                            struct courier_quota **out, struct rg_reason *why)
{
    int64_t day = now.wall.ms / DAY_MS;
    if (day != courier->quota_day || courier->quota_count == OFFICES_COUNTED_MAX) {
        RG_TRY(rg_courier_quota_flush(courier, why));
        courier->quota_day = day;
        courier->quota_count = 0;
    }
    for (size_t i = 0; i < courier->quota_count; i++) {
        if (strcmp(courier->quota[i].office, office) == 0) {
            *out = &courier->quota[i];
            return rg_ok();
        }
    }
    struct courier_quota *row = &courier->quota[courier->quota_count];
    rg_courier_text(row->office, sizeof(row->office), office);
    RG_TRY(STORE(courier, quota_get, office, day, &row->count, why));
    row->committed = row->count;
    courier->quota_count++;
    *out = row;
    return rg_ok();
}

rg_outcome rg_courier_quota_flush(struct rg_courier *courier, struct rg_reason *why)
{
    for (size_t i = 0; i < courier->quota_count; i++) {
        const struct courier_quota *row = &courier->quota[i];
        if (row->count == row->committed) {
            continue;
        }
        RG_TRY(rg_courier_begin(courier, why));
        RG_TRY(STORE(courier, quota_set, row->office, courier->quota_day, row->count, why));
    }
    return rg_ok();
}

/* Counts one answer; false when the day is used up. What crosses in an emergency has a count of its
 * own, so that neither kind uses up the other. */
static rg_outcome quota_take(const struct judgement *j, bool *ok_out, struct rg_reason *why)
{
    const struct rg_courier_options *options = &j->courier->options;
    struct courier_quota *row = NULL;
    bool emergency = crosses_in_emergency(j);
    uint64_t max = emergency ? options->emergency_per_day : options->quota_per_day;
    char name[QUOTA_NAME_BYTES] = "";
    *ok_out = true;
    if (max == 0) {
        return rg_ok();
    }
    rg_courier_text(name, sizeof(name), emergency ? "!" : "");
    strncat(name, j->session->principal.office, RG_OFFICE_BYTES);
    RG_TRY(quota_row(j->courier, name, j->now, &row, why));
    *ok_out = row->count < max;
    row->count += *ok_out ? 1 : 0;
    return rg_ok();
}

/* Bodies on their way from Submit to Transfer */

void rg_courier_body_keep(struct rg_courier *courier, uint64_t key, struct rg_bytes body)
{
    struct courier_body *slot = &courier->body[key % BODIES_KEPT];
    rg_courier_body_forget(courier, slot->key);
    if (courier->body_bytes + body.len > BODIES_KEPT_BYTES ||
        !rg_is_ok(rg_buffer_append(&slot->bytes, body, NULL))) {
        rg_buffer_drop(&slot->bytes);
        return;
    }
    slot->key = key;
    courier->body_bytes += body.len;
}

/* Its memory goes at once: what a slot once held would else count for nothing and stay. */
void rg_courier_body_forget(struct rg_courier *courier, uint64_t key)
{
    struct courier_body *slot = &courier->body[key % BODIES_KEPT];
    if (slot->key != key || key == 0) {
        return;
    }
    courier->body_bytes -= slot->bytes.len;
    rg_buffer_drop(&slot->bytes);
    slot->key = 0;
}

rg_outcome rg_courier_body(struct rg_courier *courier, uint64_t key, struct rg_bytes *out,
                           bool *found_out, struct rg_reason *why)
{
    struct courier_body *slot = &courier->body[key % BODIES_KEPT];
    if (slot->key == key) {
        *out = rg_buffer_peek(&slot->bytes);
        *found_out = true;
        return rg_ok();
    }
    rg_buffer_clear(&courier->scratch_body);
    RG_TRY(STORE(courier, message_body, key, &courier->scratch_body, found_out, why));
    *out = rg_buffer_peek(&courier->scratch_body);
    return rg_ok();
}

/* Answers */

static void entry_peer(struct rg_log_entry *entry, const char *office)
{
    rg_courier_text(entry->peer, sizeof(entry->peer), "referral://");
    strncat(entry->peer, office, RG_OFFICE_BYTES);
}

static rg_outcome append_about(const struct judgement *j, enum rg_entry_kind kind,
                               enum rg_refusal code, uint64_t *leaf_out, struct rg_reason *why)
{
    struct rg_log_entry entry = {.kind = kind,
                                 .has_envelope_id = true,
                                 .envelope_id = j->envelope->id,
                                 .time = j->now.wall,
                                 .code = (uint32_t)code};
    entry_peer(&entry, j->session->principal.office);
    return rg_courier_log_append(j->courier, &entry, leaf_out, why);
}

static struct rg_message message_of(const struct judgement *j, enum rg_way way, uint64_t leaf)
{
    const struct rg_core *core = j->core;
    struct rg_message message = {.id = j->envelope->id,
                                 .way = way,
                                 .answer_leaf = leaf,
                                 .received_leaf = RG_LEAF_NONE,
                                 .priority = core->priority,
                                 .expires = core->expires,
                                 .collect_by = core->collect_by,
                                 .to_office_count = core->to_office_count};
    memcpy(message.from_office, core->from_office, sizeof(message.from_office));
    memcpy(message.to_country, core->to_country, sizeof(message.to_country));
    memcpy(message.to_office, core->to_office, sizeof(message.to_office));
    memcpy(message.from_country, j->session->principal.country, sizeof(message.from_country));
    return message;
}

static rg_outcome refuse(const struct judgement *j, enum rg_way way, enum rg_refusal code,
                         struct rg_reason *why)
{
    uint64_t leaf = 0;
    RG_TRY(append_about(j, RG_ENTRY_REFUSED, code, &leaf, why));
    struct rg_message message = message_of(j, way, leaf);
    message.refusal = code;
    RG_TRY(STORE(j->courier, message_add, &message, (struct rg_bytes){0}, why));
    struct rg_courier_event event = {.kind = RG_COURIER_REFUSED, .code = (uint32_t)code};
    rg_courier_text(event.who, sizeof(event.who), j->session->principal.text);
    rg_courier_event(j->courier, &event);
    j->courier->count.refused++;
    return rg_ok();
}

static void asked_remember(struct rg_courier *courier, const struct courier_session *session,
                           const struct rg_id *id)
{
    if (courier->asked_count < RG_BATCH_FRAMES_MAX) {
        courier->asked[courier->asked_count++] =
            (struct courier_asked){.session = session->id, .id = *id};
    }
}

/* Nothing is accepted that could not be signed. */
static bool cannot_sign(const struct rg_courier *courier)
{
    char origin[RG_ORIGIN_BYTES];
    uint64_t waiting = rg_tree_size(courier->tree) - courier->head.size;
    return courier->alarmed || waiting > RG_COURIER_UNSIGNED_MAX ||
           !rg_courier_origin(courier, origin);
}

/* The stored first answer, to whom it belongs. A refusal holds for whoever else brings that id: so
 * nobody can, by bringing another's message first, leave it without any answer. */
static rg_outcome answer_again(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_message *message, struct rg_reason *why)
{
    bool gateway = session->peer != NULL;
    bool theirs = gateway ? message->way == RG_WAY_IN &&
                                strcmp(message->from_country, session->peer->country) == 0
                          : message->way != RG_WAY_IN &&
                                strcmp(message->from_office, session->principal.office) == 0;
    RG_CHECK(theirs || message->refusal != RG_REFUSE_NONE, why, RG_DENIED, "message-of-another",
             "this message came from somebody else");
    RG_TRY(rg_courier_answer(courier, session, message->answer_leaf, why));
    if (message->received_leaf == RG_LEAF_NONE) {
        return rg_ok();
    }
    return rg_courier_answer(courier, session, message->received_leaf, why);
}

/* Submit */

static rg_outcome outbox_put(const struct judgement *j, struct courier_peer *peer,
                             const struct rg_message *message, struct rg_reason *why)
{
    struct rg_outbox_row row = {.key = message->key,
                                .kind = RG_OUTBOX_TRANSFER,
                                .priority = message->priority,
                                .leaf = message->answer_leaf,
                                .expires = message->expires,
                                .body_bytes = (uint32_t)j->envelope->whole.len};
    memcpy(row.country, message->to_country, sizeof(row.country));
    RG_TRY(STORE(j->courier, outbox_add, &row, why));
    peer->waiting++;
    peer->lane[message->priority].more = true;
    rg_courier_head_want(j->courier, message->answer_leaf);
    if (peer->session != NULL && peer->waiting < BODIES_KEPT) {
        rg_courier_body_keep(j->courier, message->key, j->envelope->whole);
    }
    return rg_ok();
}

static rg_outcome deliver_all(const struct judgement *j, const struct rg_message *message,
                              uint64_t leaf, struct rg_reason *why)
{
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER, .key = message->key, .leaf = leaf};
    for (size_t i = 0; i < message->to_office_count; i++) {
        RG_TRY(rg_courier_mail_add(j->courier, message->to_office[i], mail, why));
    }
    return rg_ok();
}

/* What one officer sends, her colleagues see too: an office has one casebook, whoever writes. */
static rg_outcome copy_to_colleagues(const struct judgement *j, const struct rg_message *message,
                                     struct rg_reason *why)
{
    bool shared = false;
    struct rg_mail mail = {
        .kind = RG_MAIL_DELIVER, .key = message->key, .leaf = message->answer_leaf};
    for (size_t i = 0; i < message->to_office_count; i++) {
        if (strcmp(message->to_office[i], message->from_office) == 0) {
            return rg_ok(); /* written to the own office: it comes anyway */
        }
    }
    RG_TRY(STORE(j->courier, box_is_shared, message->from_office, &shared, why));
    return shared ? rg_courier_mail_add(j->courier, message->from_office, mail, why) : rg_ok();
}

static rg_outcome accept_domestic(const struct judgement *j, struct rg_message *message,
                                  struct rg_reason *why)
{
    message->way = RG_WAY_DOMESTIC;
    RG_TRY(append_about(j, RG_ENTRY_RECEIVED, RG_REFUSE_NONE, &message->received_leaf, why));
    RG_TRY(STORE(j->courier, message_add, message, j->envelope->whole, why));
    RG_TRY(deliver_all(j, message, message->received_leaf, why));
    RG_TRY(copy_to_colleagues(j, message, why));
    struct rg_mail status = {.kind = RG_MAIL_STATUS_OWN,
                             .key = message->key,
                             .leaf = message->received_leaf,
                             .entry_kind = RG_ENTRY_RECEIVED};
    return rg_courier_mail_add(j->courier, message->from_office, status, why);
}

/* The focal point of an office that crosses in an emergency gets the message too: this log says
 * that it is here for it, to it alone. Whether the addressee has it, its gateway says. */
static rg_outcome notice_deliver(const struct judgement *j, const struct rg_message *message,
                                 struct rg_reason *why)
{
    const struct rg_office *office = crosses_in_emergency(j) ? notice_office(j) : NULL;
    struct rg_mail mail = {.kind = RG_MAIL_DELIVER, .key = message->key};
    if (office == NULL) {
        return rg_ok();
    }
    RG_TRY(append_about(j, RG_ENTRY_RECEIVED, RG_REFUSE_NONE, &mail.leaf, why));
    return rg_courier_mail_add(j->courier, office->name, mail, why);
}

static rg_outcome accept(const struct judgement *j, struct rg_message *out, struct rg_reason *why)
{
    uint64_t leaf = 0;
    struct courier_peer *peer = NULL;
    if (crosses(j)) { /* what can fail for good fails before anything is written */
        RG_TRY(rg_courier_peer(j->courier, j->core->to_country, &peer, why));
    }
    RG_TRY(append_about(j, RG_ENTRY_ACCEPTED, RG_REFUSE_NONE, &leaf, why));
    *out = message_of(j, RG_WAY_OUT, leaf);
    RG_TRY(thread_claim(j, why));
    RG_TRY(decision_claim(j, why));
    j->courier->count.accepted++;
    if (peer == NULL) {
        return accept_domestic(j, out, why);
    }
    RG_TRY(STORE(j->courier, message_add, out, j->envelope->whole, why));
    RG_TRY(notice_deliver(j, out, why));
    RG_TRY(copy_to_colleagues(j, out, why));
    return outbox_put(j, peer, out, why);
}

static rg_outcome judge_submit(const struct judgement *j, enum rg_refusal *code_out,
                               struct rg_reason *why)
{
    bool within = true;
    *code_out = ask(submit_rules, sizeof(submit_rules) / sizeof(submit_rules[0]), j);
    if (*code_out == RG_REFUSE_NONE) {
        RG_TRY(judge_thread(j, code_out, why));
    }
    if (*code_out == RG_REFUSE_NONE) {
        RG_TRY(judge_decides(j, code_out, why));
    }
    if (!is_final(*code_out)) {
        return rg_ok();
    }
    RG_TRY(quota_take(j, &within, why));
    *code_out = within ? *code_out : RG_NOT_NOW_QUOTA;
    return rg_ok();
}

static rg_outcome submit_new(const struct judgement *j, struct courier_session *session,
                             struct rg_reason *why)
{
    enum rg_refusal code = RG_REFUSE_NONE;
    struct rg_message message = {0};
    RG_TRY(judge_submit(j, &code, why));
    if (!is_final(code)) {
        return rg_courier_not_now(j->courier, session, &j->envelope->id, code, why);
    }
    if (code != RG_REFUSE_NONE) {
        uint64_t leaf = rg_tree_size(j->courier->tree);
        RG_TRY(refuse(j, RG_WAY_OUT, code, why));
        return rg_courier_answer(j->courier, session, leaf, why);
    }
    RG_TRY(accept(j, &message, why));
    return answer_again(j->courier, session, &message, why);
}

rg_outcome rg_courier_submit(struct rg_courier *courier, struct courier_session *session,
                             const struct rg_frame *frame, struct rg_now now, struct rg_reason *why)
{
    struct rg_envelope envelope;
    struct rg_message message;
    bool found = false;
    RG_TRY(rg_envelope_peek(frame->submit.envelope, &envelope, why));
    struct judgement judgement = {courier, session, &envelope, &envelope.core, now};
    asked_remember(courier, session, &envelope.id);
    if (cannot_sign(courier)) {
        return rg_courier_not_now(courier, session, &envelope.id, RG_NOT_NOW_NOTARY, why);
    }
    RG_TRY(STORE(courier, message_find, &envelope.id, &message, &found, why));
    if (found) {
        return answer_again(courier, session, &message, why);
    }
    return submit_new(&judgement, session, why);
}

/* Transfer */

/* The peer's ACCEPTED entry about this message, under the head that has been checked. */
static rg_outcome accepted_find(const struct rg_frame *frame, const struct rg_id *id,
                                struct courier_evidence *out, struct rg_reason *why)
{
    const struct rg_receipts *receipts = &frame->transfer.accepted;
    for (size_t i = 0; i < receipts->entry_count; i++) {
        rg_outcome outcome = rg_courier_entry_check(receipts, &receipts->entry[i], out, why);
        if (rg_is_ok(outcome) && out->entry.kind == RG_ENTRY_ACCEPTED &&
            out->entry.has_envelope_id &&
            memcmp(out->entry.envelope_id.b, id->b, sizeof(id->b)) == 0) {
            return rg_ok();
        }
    }
    return rg_fail(why, RG_DENIED, "accepted-missing", "no proof that this message was accepted");
}

static rg_outcome receive(const struct judgement *j, const struct courier_evidence *accepted,
                          struct rg_reason *why)
{
    uint64_t leaf = 0;
    bool fresh = false;
    RG_TRY(append_about(j, RG_ENTRY_RECEIVED, RG_REFUSE_NONE, &leaf, why));
    struct rg_message message = message_of(j, RG_WAY_IN, leaf);
    RG_TRY(thread_claim(j, why));
    RG_TRY(decision_claim(j, why));
    RG_TRY(STORE(j->courier, message_add, &message, j->envelope->whole, why));
    RG_TRY(rg_courier_proof_keep(j->courier, message.key, accepted, &fresh, why));
    j->courier->count.received++;
    return deliver_all(j, &message, leaf, why);
}

static rg_outcome transfer_new(const struct judgement *j, const struct rg_frame *frame,
                               struct courier_session *session, struct rg_reason *why)
{
    struct courier_evidence accepted = {0};
    enum rg_refusal code =
        ask(transfer_rules, sizeof(transfer_rules) / sizeof(transfer_rules[0]), j);
    if (code == RG_REFUSE_NONE &&
        !rg_is_ok(accepted_find(frame, &j->envelope->id, &accepted, why))) {
        code = RG_REFUSE_NO_PROOF;
    }
    if (code == RG_REFUSE_NONE) {
        RG_TRY(judge_thread(j, &code, why));
    }
    if (code == RG_REFUSE_NONE) { /* its home gateway should have seen to that */
        RG_TRY(judge_decides(j, &code, why));
    }
    if (!is_final(code)) {
        return rg_courier_not_now(j->courier, session, &j->envelope->id, code, why);
    }
    uint64_t leaf = rg_tree_size(j->courier->tree);
    if (code != RG_REFUSE_NONE) {
        RG_TRY(refuse(j, RG_WAY_IN, code, why));
        return rg_courier_answer(j->courier, session, leaf, why);
    }
    RG_TRY(receive(j, &accepted, why));
    return rg_courier_answer(j->courier, session, leaf, why);
}

rg_outcome rg_courier_transfer(struct rg_courier *courier, struct courier_session *session,
                               const struct rg_frame *frame, struct rg_now now,
                               struct rg_reason *why)
{
    struct rg_envelope envelope;
    struct rg_message message;
    bool found = false;
    RG_TRY(rg_envelope_peek(frame->transfer.envelope, &envelope, why));
    RG_TRY(rg_courier_head_check(courier, session, &frame->transfer.accepted, why));
    struct judgement judgement = {courier, session, &envelope, &envelope.core, now};
    asked_remember(courier, session, &envelope.id);
    if (cannot_sign(courier)) {
        return rg_courier_not_now(courier, session, &envelope.id, RG_NOT_NOW_NOTARY, why);
    }
    RG_TRY(STORE(courier, message_find, &envelope.id, &message, &found, why));
    if (found) {
        return answer_again(courier, session, &message, why);
    }
    return transfer_new(&judgement, frame, session, why);
}
