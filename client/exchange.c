/* How it works: one table says what to do with each frame before and after Hello. Whatever comes
 * with proofs goes through `receipts_check` first: whose log, the head's signature (the last
 * verified head of each log is remembered, so a batch costs one signature check), each inclusion,
 * then the chain. Our own gateway's heads form one chain: every larger one must come with a
 * consistency proof from the one held. A message is "unanswered" from Submit until its Receipts or
 * NotNow; the sum of their bytes is held below the window, which grows with each answer. */
#include "client/exchange.h"

#include "core/card.h"
#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS_MAX RG_HELLO_HEADS_MAX
#define UNANSWERED_MAX 1024
#define VERSION 1

enum phase { WAITING_FOR_HELLO, UP, PHASES };

struct unanswered {
    struct rg_id id;
    size_t bytes;
};

struct rg_exchange {
    struct rg_exchange_options options;
    enum phase phase;
    struct rg_head held[HEADS_MAX]; /* newest per log, verified or from our own spool */
    size_t held_count;
    struct rg_head checked[HEADS_MAX]; /* last head per log whose signature was checked */
    size_t checked_count;
    struct unanswered open[UNANSWERED_MAX];
    size_t open_count;
    size_t open_bytes;
    size_t window;
    struct rg_buffer out;
};

rg_outcome rg_exchange_new(const struct rg_exchange_options *options, struct rg_exchange **out,
                           struct rg_reason *why)
{
    struct rg_exchange *exchange = calloc(1, sizeof(*exchange));
    RG_CHECK(exchange != NULL, why, RG_IO, "out-of-memory", "out of memory");
    exchange->options = *options;
    for (size_t i = 0; i < options->head_count && i < HEADS_MAX; i++) {
        exchange->held[exchange->held_count++] = options->head[i];
    }
    rg_exchange_start(exchange);
    *out = exchange;
    return rg_ok();
}

void rg_exchange_free(struct rg_exchange *exchange)
{
    if (exchange != NULL) {
        rg_buffer_drop(&exchange->out);
        free(exchange);
    }
}

void rg_exchange_start(struct rg_exchange *exchange)
{
    exchange->phase = WAITING_FOR_HELLO;
    exchange->open_count = 0;
    exchange->open_bytes = 0;
    exchange->window = RG_WINDOW_BYTES_MIN;
}

bool rg_exchange_up(const struct rg_exchange *exchange)
{
    return exchange->phase == UP;
}

static rg_outcome send_frame(struct rg_exchange *exchange, const struct rg_frame *frame,
                             struct rg_reason *why)
{
    rg_buffer_clear(&exchange->out);
    RG_TRY(rg_frame_encode(frame, &exchange->out, why));
    return exchange->options.sink.send(exchange->options.sink.context,
                                       rg_buffer_peek(&exchange->out), why);
}

/* ---- heads and proofs ---- */

/* "referral/th" is the log of "referral/th/1", "referral/th/2", ... */
static bool is_log_of(const char *origin, const char *prefix)
{
    size_t len = strlen(prefix);
    return len > 0 && strncmp(origin, prefix, len) == 0 && origin[len] == '/' &&
           origin[len + 1] != '\0' && origin[len + 1 + strspn(origin + len + 1, "0123456789")] == 0;
}

static const struct rg_country *country_of(struct rg_exchange *exchange, const char *origin)
{
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(exchange->options.trust, i)) != NULL; i++) {
        if (is_log_of(origin, country->log_origin)) {
            return country;
        }
    }
    return NULL;
}

static struct rg_head *head_find(struct rg_head *list, size_t count, const char *origin)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].origin, origin) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

static bool head_same(const struct rg_head *a, const struct rg_head *b)
{
    return a->size == b->size && memcmp(a->root.b, b->root.b, sizeof(a->root.b)) == 0 &&
           memcmp(a->signature, b->signature, sizeof(a->signature)) == 0;
}

static void head_put(struct rg_head *list, size_t *count, const struct rg_head *head)
{
    struct rg_head *place = head_find(list, *count, head->origin);
    if (place == NULL && *count < HEADS_MAX) {
        place = &list[(*count)++];
    }
    if (place != NULL) {
        *place = *head;
    }
}

static rg_outcome signature_check(struct rg_exchange *exchange, const struct rg_country *country,
                                  const struct rg_head *head, struct rg_reason *why)
{
    const struct rg_head *known =
        head_find(exchange->checked, exchange->checked_count, head->origin);
    if (known != NULL && head_same(known, head)) {
        return rg_ok();
    }
    RG_TRY(rg_head_verify(head, country->log_key, why));
    head_put(exchange->checked, &exchange->checked_count, head);
    return rg_ok();
}

static rg_outcome fork_alarm(struct rg_exchange *exchange, const struct rg_country *country,
                             uint64_t size, struct rg_reason *why)
{
    struct rg_reason said = {0};
    rg_outcome outcome =
        rg_fail(&said, RG_DENIED, "exchange-fork",
                "the log of %s shows two different heads of size %llu: tell its operator and ours",
                country->code, (unsigned long long)size);
    exchange->options.sink.alarm(exchange->options.sink.context, &said);
    if (why != NULL) {
        *why = said;
    }
    return outcome;
}

static uint64_t epoch_of(const char *origin)
{
    const char *slash = strrchr(origin, '/');
    return slash != NULL ? strtoull(slash + 1, NULL, 10) : 0;
}

/* A log that begins anew cannot be held against its past: people have to ask why it does. */
static void epoch_alarm(struct rg_exchange *exchange, const struct rg_country *country,
                        const char *origin)
{
    struct rg_reason said = {0};
    uint64_t last = 0;
    for (size_t i = 0; i < exchange->held_count; i++) {
        const char *known = exchange->held[i].origin;
        uint64_t epoch = is_log_of(known, country->log_origin) ? epoch_of(known) : 0;
        last = epoch > last ? epoch : last;
    }
    if (last > 0 && epoch_of(origin) > last) {
        (void)rg_fail(&said, RG_DENIED, "exchange-epoch",
                      "the log of %s has begun anew as %.60s: ask its operator why", country->code,
                      origin);
        exchange->options.sink.alarm(exchange->options.sink.context, &said);
    }
}

/* A verified head against the one held: the same, older, or its lawful successor. */
static rg_outcome chain_check(struct rg_exchange *exchange, const struct rg_country *country,
                              const struct rg_receipts *receipts, struct rg_reason *why)
{
    const struct rg_head *head = &receipts->head;
    const struct rg_head *held = head_find(exchange->held, exchange->held_count, head->origin);
    bool ours = strcmp(country->code, exchange->options.principal->country) == 0;
    if (held != NULL && head->size == held->size) {
        bool same = memcmp(head->root.b, held->root.b, sizeof(held->root.b)) == 0;
        return same ? rg_ok() : fork_alarm(exchange, country, head->size, why);
    }
    if (held != NULL && head->size < held->size) {
        /* Another country's proof was made when its message left. Our own gateway proves
         * everything in its newest head: a shorter one could be another history. */
        RG_CHECK(!ours, why, RG_DENIED, "exchange-chain",
                 "our gateway shows a shorter log than it showed before");
        return rg_ok();
    }
    if (held == NULL) {
        epoch_alarm(exchange, country, head->origin);
    }
    if (held != NULL && receipts->has_from && receipts->from_size == held->size) {
        rg_outcome outcome = rg_head_extends(held, head, &receipts->consistency, why);
        if (!rg_is_ok(outcome)) {
            return fork_alarm(exchange, country, head->size, why);
        }
        head_put(exchange->held, &exchange->held_count, head);
        return exchange->options.sink.head(exchange->options.sink.context, head, why);
    }
    RG_CHECK(held == NULL || !ours, why, RG_DENIED, "exchange-chain",
             "our gateway does not prove that its log extends what it showed before");
    head_put(exchange->held, &exchange->held_count, head);
    return exchange->options.sink.head(exchange->options.sink.context, head, why);
}

static rg_outcome receipts_check(struct rg_exchange *exchange, const struct rg_receipts *receipts,
                                 const struct rg_country **country_out, struct rg_reason *why)
{
    const struct rg_country *country = country_of(exchange, receipts->head.origin);
    RG_CHECK(country != NULL, why, RG_DENIED, "exchange-origin",
             "a proof names a log that the charter does not know");
    RG_TRY(signature_check(exchange, country, &receipts->head, why));
    for (size_t i = 0; i < receipts->entry_count; i++) {
        const struct rg_proven_entry *entry = &receipts->entry[i];
        RG_TRY(rg_proof_inclusion_check(rg_leaf_hash(rg_sha256(entry->log_entry)),
                                        entry->leaf_index, receipts->head.size, receipts->head.root,
                                        &entry->inclusion, why));
    }
    RG_TRY(chain_check(exchange, country, receipts, why));
    *country_out = country;
    return rg_ok();
}

/* ---- Hello and documents ---- */

static void own_head_first(struct rg_exchange *exchange, struct rg_head *out)
{
    const struct rg_country *ours =
        rg_trust_country(exchange->options.trust, exchange->options.principal->country);
    size_t count = 0;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < exchange->held_count; i++) {
            bool own = ours != NULL && is_log_of(exchange->held[i].origin, ours->log_origin);
            if (own == (round == 0)) {
                out[count++] = exchange->held[i];
            }
        }
    }
}

static rg_outcome send_hello(struct rg_exchange *exchange, struct rg_wall now,
                             struct rg_reason *why)
{
    struct rg_holding holding[RG_HELLO_HOLDINGS_MAX];
    struct rg_head head[HEADS_MAX];
    size_t count = rg_trust_holdings(exchange->options.trust, holding, RG_HELLO_HOLDINGS_MAX);
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    own_head_first(exchange, head);
    frame.hello.version = VERSION;
    frame.hello.holding = holding;
    frame.hello.holding_count = count;
    frame.hello.head = head;
    frame.hello.head_count = exchange->held_count;
    frame.hello.clock = now;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "%s",
                   exchange->options.principal->text);
    (void)snprintf(frame.hello.device, sizeof(frame.hello.device), "%s", exchange->options.device);
    (void)snprintf(frame.hello.software, sizeof(frame.hello.software), "%s",
                   exchange->options.software);
    return send_frame(exchange, &frame, why);
}

rg_outcome rg_exchange_offer(struct rg_exchange *exchange, const struct rg_document *document,
                             struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_DOCUMENT};
    frame.document.kind = document->kind;
    (void)snprintf(frame.document.country, sizeof(frame.document.country), "%s", document->country);
    frame.document.text = rg_buffer_peek(&document->text);
    frame.document.signature_count = document->signature_count;
    for (size_t i = 0; i < document->signature_count; i++) {
        frame.document.signature[i] = rg_buffer_peek(&document->signature[i]);
    }
    return send_frame(exchange, &frame, why);
}

static rg_outcome send_documents(struct rg_exchange *exchange, enum rg_document_kind kind,
                                 const char *country, bool own_cards_only, struct rg_reason *why)
{
    const struct rg_document *document = NULL;
    for (size_t i = 0; (document = rg_trust_document(exchange->options.trust, kind, country, i));
         i++) {
        struct rg_principal claim = {0};
        if (own_cards_only &&
            (!rg_is_ok(rg_card_claim(rg_buffer_peek(&document->text), &claim, NULL)) ||
             strcmp(claim.text, exchange->options.principal->text) != 0)) {
            continue;
        }
        RG_TRY(rg_exchange_offer(exchange, document, why));
    }
    return rg_ok();
}

static rg_outcome send_want(struct rg_exchange *exchange, const struct rg_holding *theirs,
                            struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_WANT};
    frame.want.kind = theirs->kind;
    (void)snprintf(frame.want.country, sizeof(frame.want.country), "%s", theirs->country);
    return send_frame(exchange, &frame, why);
}

/* Ask for what is newer there; hand over our own cards when theirs differ from what we hold. */
static rg_outcome compare_holdings(struct rg_exchange *exchange, const struct rg_frame *hello,
                                   struct rg_reason *why)
{
    const char *country = exchange->options.principal->country;
    bool cards_differ = true;
    for (size_t i = 0; i < hello->hello.holding_count; i++) {
        const struct rg_holding *theirs = &hello->hello.holding[i];
        bool needs = rg_trust_needs(exchange->options.trust, theirs);
        if (needs) {
            RG_TRY(send_want(exchange, theirs, why));
        }
        if (theirs->kind == RG_DOC_KEY_CARD && strcmp(theirs->country, country) == 0) {
            cards_differ = needs;
        }
    }
    return cards_differ ? send_documents(exchange, RG_DOC_KEY_CARD, country, true, why) : rg_ok();
}

/* Two roots of one size are shown to people, whoever signed the second. */
static void compare_heads(struct rg_exchange *exchange, const struct rg_frame *hello)
{
    for (size_t i = 0; i < hello->hello.head_count; i++) {
        const struct rg_head *theirs = &hello->hello.head[i];
        const struct rg_country *country = country_of(exchange, theirs->origin);
        const struct rg_head *held =
            head_find(exchange->held, exchange->held_count, theirs->origin);
        if (country != NULL && held != NULL && held->size == theirs->size &&
            memcmp(held->root.b, theirs->root.b, sizeof(held->root.b)) != 0 &&
            rg_is_ok(rg_head_verify(theirs, country->log_key, NULL))) {
            (void)fork_alarm(exchange, country, theirs->size, NULL);
        }
    }
}

static rg_outcome take_hello(struct rg_exchange *exchange, const struct rg_frame *frame,
                             struct rg_wall now, struct rg_reason *why)
{
    char expected[RG_PRINCIPAL_BYTES];
    (void)snprintf(expected, sizeof(expected), "referral://%s/gateway",
                   exchange->options.principal->country);
    RG_CHECK(frame->hello.version == VERSION, why, RG_MALFORMED, "exchange-hello",
             "the gateway speaks version %u of the protocol; this program speaks %u",
             frame->hello.version, VERSION);
    RG_CHECK(strcmp(frame->hello.principal, expected) == 0, why, RG_DENIED, "exchange-hello",
             "another gateway answered than our own");
    RG_TRY(send_hello(exchange, now, why));
    exchange->phase = UP;
    compare_heads(exchange, frame);
    RG_TRY(compare_holdings(exchange, frame, why));
    return exchange->options.sink.hello(exchange->options.sink.context, frame->hello.principal,
                                        why);
}

static rg_outcome take_want(struct rg_exchange *exchange, const struct rg_frame *frame,
                            struct rg_wall now, struct rg_reason *why)
{
    (void)now;
    return send_documents(exchange, frame->want.kind, frame->want.country, false, why);
}

static rg_outcome document_of(const struct rg_frame *frame, struct rg_document *out,
                              struct rg_reason *why)
{
    out->kind = frame->document.kind;
    (void)snprintf(out->country, sizeof(out->country), "%s", frame->document.country);
    RG_TRY(rg_buffer_append(&out->text, frame->document.text, why));
    for (size_t i = 0; i < frame->document.signature_count; i++) {
        RG_TRY(rg_buffer_append(&out->signature[i], frame->document.signature[i], why));
        out->signature_count++;
    }
    return rg_ok();
}

static rg_outcome take_document(struct rg_exchange *exchange, const struct rg_frame *frame,
                                struct rg_wall now, struct rg_reason *why)
{
    RG_CLEANUP(rg_document_drop) struct rg_document document = {0};
    struct rg_reason said = {0};
    enum rg_news news = RG_NEWS_NONE;
    RG_TRY(document_of(frame, &document, why));
    rg_outcome outcome = rg_trust_offer(exchange->options.trust, &document, now, &news, &said);
    if (outcome.code == RG_BROKEN || outcome.code == RG_IO) {
        *why = said;
        return outcome;
    }
    if (!rg_is_ok(outcome) && outcome.code != RG_AGAIN) {
        exchange->options.sink.alarm(exchange->options.sink.context, &said);
    }
    if (!rg_is_ok(outcome) || news == RG_NEWS_NONE) {
        return rg_ok();
    }
    return exchange->options.sink.document(exchange->options.sink.context, &document, why);
}

/* ---- answers ---- */

static void answered(struct rg_exchange *exchange, struct rg_id id, bool taken)
{
    for (size_t i = 0; i < exchange->open_count; i++) {
        if (memcmp(exchange->open[i].id.b, id.b, sizeof(id.b)) != 0) {
            continue;
        }
        size_t bytes = exchange->open[i].bytes;
        exchange->open_bytes -= bytes;
        exchange->open[i] = exchange->open[--exchange->open_count];
        exchange->window = taken ? exchange->window + bytes : exchange->window / 2;
        if (exchange->window > RG_WINDOW_BYTES_MAX) {
            exchange->window = RG_WINDOW_BYTES_MAX;
        }
        if (exchange->window < RG_WINDOW_BYTES_MIN) {
            exchange->window = RG_WINDOW_BYTES_MIN;
        }
        return;
    }
}

static rg_outcome show_entries(struct rg_exchange *exchange, const struct rg_receipts *receipts,
                               const struct rg_country *country, struct rg_reason *why)
{
    for (size_t i = 0; i < receipts->entry_count; i++) {
        struct rg_log_entry entry = {0};
        RG_TRY(rg_log_entry_decode(receipts->entry[i].log_entry, &entry, why));
        RG_CHECK(entry.has_envelope_id, why, RG_MALFORMED, "exchange-unexpected",
                 "a receipt is about no message");
        answered(exchange, entry.envelope_id, true);
        struct rg_proven proven = {.country = country->code,
                                   .head = &receipts->head,
                                   .entry = &receipts->entry[i],
                                   .log_entry = &entry};
        RG_TRY(exchange->options.sink.proof(exchange->options.sink.context, &proven, why));
    }
    return rg_ok();
}

static rg_outcome take_receipts(struct rg_exchange *exchange, const struct rg_frame *frame,
                                struct rg_wall now, struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    (void)now;
    RG_TRY(receipts_check(exchange, &frame->receipts, &country, why));
    RG_CHECK(strcmp(country->code, exchange->options.principal->country) == 0, why, RG_DENIED,
             "exchange-origin", "an answer of our gateway comes with another country's proof");
    return show_entries(exchange, &frame->receipts, country, why);
}

static rg_outcome take_status(struct rg_exchange *exchange, const struct rg_frame *frame,
                              struct rg_wall now, struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    (void)now;
    RG_TRY(receipts_check(exchange, &frame->status.receipts, &country, why));
    RG_TRY(show_entries(exchange, &frame->status.receipts, country, why));
    return exchange->options.sink.status(exchange->options.sink.context, frame->status.position,
                                         why);
}

static rg_outcome take_not_now(struct rg_exchange *exchange, const struct rg_frame *frame,
                               struct rg_wall now, struct rg_reason *why)
{
    (void)now;
    answered(exchange, frame->not_now.id, false);
    return exchange->options.sink.not_now(exchange->options.sink.context, frame->not_now.id,
                                          frame->not_now.code, frame->not_now.retry_after_ms, why);
}

/* ---- deliveries ---- */

struct shown { /* what a rg_proven of a delivery points to */
    struct rg_log_entry entry;
    struct rg_proven proven;
};

static rg_outcome delivery_proof(struct rg_exchange *exchange, const struct rg_receipts *receipts,
                                 const char *country_code, enum rg_entry_kind kind, struct rg_id id,
                                 struct shown *out, struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    RG_TRY(receipts_check(exchange, receipts, &country, why));
    RG_CHECK(strcmp(country->code, country_code) == 0, why, RG_DENIED, "exchange-origin",
             "a proof comes from another country's log than the message's");
    for (size_t i = 0; i < receipts->entry_count; i++) {
        RG_TRY(rg_log_entry_decode(receipts->entry[i].log_entry, &out->entry, why));
        if (out->entry.kind == kind && out->entry.has_envelope_id &&
            memcmp(out->entry.envelope_id.b, id.b, sizeof(id.b)) == 0) {
            out->proven = (struct rg_proven){.country = country->code,
                                             .head = &receipts->head,
                                             .entry = &receipts->entry[i],
                                             .log_entry = &out->entry};
            return rg_ok();
        }
    }
    return rg_fail(why, RG_DENIED, "exchange-proof-missing",
                   "a message came without the proof that its gateway %s it",
                   kind == RG_ENTRY_ACCEPTED ? "accepted" : "received");
}

/* A colleague's message on its way out: our gateway has accepted it, no more can it say. */
static bool is_copy(const struct rg_exchange *exchange, const struct rg_core *core)
{
    const char *office = exchange->options.principal->office;
    for (size_t i = 0; i < core->to_office_count; i++) {
        if (strcmp(core->to_office[i], office) == 0) {
            return false;
        }
    }
    return strcmp(core->from_office, office) == 0;
}

static rg_outcome take_deliver(struct rg_exchange *exchange, const struct rg_frame *frame,
                               struct rg_wall now, struct rg_reason *why)
{
    struct rg_envelope envelope;
    struct shown accepted = {0};
    struct shown received = {0};
    struct rg_reason failed = {0};
    char from[RG_COUNTRY_BYTES];
    (void)now;
    RG_TRY(rg_envelope_peek(frame->deliver.envelope, &envelope, why));
    rg_office_country(envelope.core.from_office, from);
    bool copy = is_copy(exchange, &envelope.core);
    rg_outcome outcome = delivery_proof(
        exchange, &frame->deliver.received, exchange->options.principal->country,
        copy ? RG_ENTRY_ACCEPTED : RG_ENTRY_RECEIVED, envelope.id, &received, &failed);
    if (rg_is_ok(outcome)) {
        outcome = delivery_proof(exchange, &frame->deliver.accepted, from, RG_ENTRY_ACCEPTED,
                                 envelope.id, &accepted, &failed);
    }
    if (outcome.code == RG_BROKEN || outcome.code == RG_IO) {
        *why = failed;
        return outcome;
    }
    struct rg_delivery delivery = {.position = frame->deliver.position,
                                   .envelope = &envelope,
                                   .accepted = accepted.proven,
                                   .received = received.proven,
                                   .failed = rg_is_ok(outcome) ? NULL : &failed};
    return exchange->options.sink.deliver(exchange->options.sink.context, &delivery, why);
}

static rg_outcome take_fault(struct rg_exchange *exchange, const struct rg_frame *frame,
                             struct rg_wall now, struct rg_reason *why)
{
    struct rg_reason said = {0};
    const struct rg_refusal_row *row = rg_refusal_row(frame->fault.code);
    (void)now;
    (void)why;
    (void)rg_fail(&said, RG_DENIED, "exchange-fault", "the gateway reports %s: %s", row->name,
                  row->meaning);
    exchange->options.sink.alarm(exchange->options.sink.context, &said);
    return rg_ok();
}

/* ---- the table ---- */

typedef rg_outcome (*handler)(struct rg_exchange *exchange, const struct rg_frame *frame,
                              struct rg_wall now, struct rg_reason *why);

static const handler handlers[PHASES][RG_FRAME_CHUNK + 1] = {
    [WAITING_FOR_HELLO] = {[RG_FRAME_HELLO] = take_hello, [RG_FRAME_FAULT] = take_fault},
    [UP] =
        {
            [RG_FRAME_WANT] = take_want,
            [RG_FRAME_DOCUMENT] = take_document,
            [RG_FRAME_RECEIPTS] = take_receipts,
            [RG_FRAME_NOT_NOW] = take_not_now,
            [RG_FRAME_DELIVER] = take_deliver,
            [RG_FRAME_STATUS] = take_status,
            [RG_FRAME_FAULT] = take_fault,
        },
};

rg_outcome rg_exchange_take(struct rg_exchange *exchange, struct rg_bytes bytes, struct rg_wall now,
                            struct rg_reason *why)
{
    RG_CLEANUP(rg_frame_drop) struct rg_frame frame = {0};
    struct rg_reason own = {0};
    struct rg_reason *reason = why != NULL ? why : &own;
    RG_TRY(rg_frame_decode(bytes, &frame, reason));
    RG_CHECK((unsigned)frame.kind <= RG_FRAME_CHUNK &&
                 handlers[exchange->phase][frame.kind] != NULL,
             reason, RG_MALFORMED, "exchange-unexpected",
             "the gateway sent a frame that has no place here");
    return handlers[exchange->phase][frame.kind](exchange, &frame, now, reason);
}

/* ---- what goes out ---- */

size_t rg_exchange_room(const struct rg_exchange *exchange)
{
    bool closed = exchange->phase != UP || exchange->open_count == UNANSWERED_MAX ||
                  exchange->open_bytes >= exchange->window;
    return closed ? 0 : exchange->window - exchange->open_bytes;
}

size_t rg_exchange_unanswered(const struct rg_exchange *exchange)
{
    return exchange->open_count;
}

rg_outcome rg_exchange_submit(struct rg_exchange *exchange, struct rg_id id,
                              struct rg_bytes envelope, struct rg_reason *why)
{
    RG_CHECK(rg_exchange_room(exchange) > 0, why, RG_AGAIN, "exchange-window",
             "wait for answers first");
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT};
    frame.submit.envelope = envelope;
    RG_TRY(send_frame(exchange, &frame, why));
    exchange->open[exchange->open_count++] = (struct unanswered){.id = id, .bytes = envelope.len};
    exchange->open_bytes += envelope.len;
    return rg_ok();
}

rg_outcome rg_exchange_collected(struct rg_exchange *exchange, uint64_t position,
                                 const struct rg_id *opened, size_t count, struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_COLLECTED};
    frame.collected.has_position = position > 0; /* only ids, when nothing was delivered */
    frame.collected.position = position;
    frame.collected.opened = opened;
    frame.collected.opened_count = count;
    return send_frame(exchange, &frame, why);
}

rg_outcome rg_exchange_status_seen(struct rg_exchange *exchange, uint64_t position,
                                   struct rg_reason *why)
{
    struct rg_frame frame = {.kind = RG_FRAME_STATUS_SEEN};
    frame.status_seen.position = position;
    return send_frame(exchange, &frame, why);
}
