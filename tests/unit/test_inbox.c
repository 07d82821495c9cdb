/* inbox: two focal points without a network, messages carried by hand. What a gateway or a partner
 * may do wrong between two lawful steps, and what must hold afterwards. */
#include "client/referral_sync.c" /* its sink is driven directly */

/* Every message is sealed by the test, so that one officer can also seal what is not lawful. */
static rg_outcome post_seal_lawful(struct rg_home *home, const struct rg_draft *draft,
                                   struct rg_wall now, struct rg_buffer *envelope_out,
                                   struct rg_id *id_out, struct rg_reason *why);
#define rg_post_seal post_seal_lawful
#include "client/post.c"
#undef rg_post_seal

#include "core/settings.h"
#include "core/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROWS 16
#define TEN_DAYS_MS (INT64_C(240) * 60 * 60 * 1000)

static char pki[64]; /* one development PKI for all tests */

struct desk {
    struct referral *office;
    char home[128];
    char country[RG_COUNTRY_BYTES];
    uint64_t collected; /* position last told to the gateway; 0: none */
    size_t opened;      /* ids told as opened */
};

/* ---- sealing, lawfully or not ---- */

enum forgery {
    FORGE_NOTHING,
    FORGE_AUTHOR,   /* the content names a colleague */
    FORGE_HANDLE,   /* the last section is about another case */
    FORGE_EXERCISE, /* real work into an exercise */
    FORGE_SIGNER,   /* a colleague signed the last section */
    FORGE_TEXT,     /* the last section is not what the core commits to */
    FORGE_ANSWERS,  /* answers a message that nobody has sent */
    FORGE_WITHHELD, /* the last section says that it is withheld */
    FORGE_DRAFT,    /* a draft says outside that it is of another kind than inside */
    FORGE_MADE,     /* by a clock that is ten days behind */
};
static enum forgery forgery;

static void colleague_signs(struct rg_home *home, struct rg_certificate **kept_certificate,
                            struct rg_key **kept_key)
{
    char path[192];
    *kept_certificate = home->sign;
    *kept_key = home->sign_key;
    (void)snprintf(path, sizeof(path), "%s/%s/officer-2/sign.pem", pki, home->principal.office);
    assert_true(rg_is_ok(rg_certificate_read(path, &home->sign, NULL)));
    (void)snprintf(path, sizeof(path), "%s/%s/officer-2/sign.key", pki, home->principal.office);
    assert_true(rg_is_ok(rg_key_read(path, &home->sign_key, NULL)));
}

static void seal_last(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                      struct rg_parts *parts)
{
    struct rg_certificate *certificate = NULL;
    struct rg_key *key = NULL;
    if (forgery == FORGE_TEXT) {
        parts->section[draft->count - 1].blinding[0] ^= 1;
    }
    if (forgery == FORGE_SIGNER) {
        colleague_signs(home, &certificate, &key);
    }
    assert_true(rg_is_ok(seal_one(home, draft, draft->count - 1, now, parts, NULL)));
    if (certificate != NULL) {
        rg_certificate_free(home->sign);
        rg_key_free(home->sign_key);
        home->sign = certificate;
        home->sign_key = key;
    }
}

static void seal_by_parts(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                          struct rg_buffer *envelope_out, struct rg_id *id_out)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    assert_true(rg_is_ok(rg_parts_make(home, draft, now, &parts, NULL)));
    for (size_t i = 0; i + 1 < draft->count; i++) {
        assert_true(rg_is_ok(seal_one(home, draft, i, now, &parts, NULL)));
    }
    seal_last(home, draft, now, &parts);
    assert_true(rg_is_ok(rg_parts_join(&parts, draft->count, envelope_out, id_out, NULL)));
}

rg_outcome rg_post_seal(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                        struct rg_buffer *envelope_out, struct rg_id *id_out, struct rg_reason *why)
{
    struct rg_content content[RG_SECTIONS_MAX];
    struct rg_draft forged = *draft;
    bool exercise = home->exercise;
    for (size_t i = 0; i < draft->count; i++) {
        content[i] = draft->content[i];
        if (forgery == FORGE_AUTHOR || (forgery == FORGE_SIGNER && i + 1 == draft->count)) {
            (void)snprintf(content[i].author, sizeof(content[i].author),
                           "referral://th/focal/officer-2");
        }
        if (forgery == FORGE_WITHHELD && i + 1 == draft->count) {
            content[i].body = RG_BODY_WITHHELD;
            content[i].form = NULL;
            content[i].withheld = RG_LABEL_WITHHELD;
        }
        if (forgery == FORGE_DRAFT && content[i].kind == RG_KIND_DESK_DRAFT) {
            content[i].desk_draft.kind = RG_KIND_INFO_RESPONSE;
        }
        content[i].made.ms -= forgery == FORGE_MADE ? TEN_DAYS_MS : 0;
        content[i].answers.b[0] ^= forgery == FORGE_ANSWERS ? 1 : 0;
        content[i].handle.b[0] ^= forgery == FORGE_HANDLE && i + 1 == draft->count ? 1 : 0;
        content[i].exercise = forgery != FORGE_EXERCISE && content[i].exercise;
    }
    forged.content = content;
    if (forgery == FORGE_SIGNER || forgery == FORGE_TEXT) {
        seal_by_parts(home, &forged, now, envelope_out, id_out);
        return rg_ok();
    }
    home->exercise = forgery != FORGE_EXERCISE && exercise;
    rg_outcome outcome = post_seal_lawful(home, &forged, now, envelope_out, id_out, why);
    home->exercise = exercise;
    return outcome;
}

/* ---- the desk ---- */

/* What is confirmed to the gateway is on the disk: another reader of the folder sees it. */
static void assert_durable(const struct desk *desk, const struct rg_frame *frame)
{
    struct rg_spool *other = NULL;
    struct rg_message_row row;
    bool found = true;
    char path[192];
    (void)snprintf(path, sizeof(path), "%s/casebook.db", desk->home);
    assert_true(rg_is_ok(rg_spool_open(path, &other, NULL)));
    for (size_t i = 0; i < frame->collected.opened_count && found; i++) {
        assert_true(
            rg_is_ok(rg_spool_message_get(other, frame->collected.opened[i], &row, &found, NULL)));
    }
    rg_spool_close(other);
    assert_true(found);
}

static rg_outcome keep_frame(void *context, struct rg_bytes bytes, struct rg_reason *why)
{
    struct desk *desk = context;
    RG_CLEANUP(rg_frame_drop) struct rg_frame frame = {0};
    RG_TRY(rg_frame_decode(bytes, &frame, why));
    if (frame.kind == RG_FRAME_COLLECTED) {
        assert_durable(desk, &frame);
        desk->collected = frame.collected.position;
        desk->opened += frame.collected.opened_count;
    }
    return rg_ok();
}

static void config_write(const struct desk *desk, const char *office, const char *officer)
{
    char path[256];
    char keys[256];
    (void)snprintf(path, sizeof(path), "%s/client.cfg", desk->home);
    (void)snprintf(keys, sizeof(keys), "%s/%s/%s", pki, office, officer);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    (void)fprintf(out,
                  "office = \"%s\";\nofficer = \"%s\";\ndevice = \"desk\";\n"
                  "gateway = \"127.0.0.1:1\";\nexercise = true;\n"
                  "keys = { sign = \"%s/sign.pem\"; sign_key = \"%s/sign.key\"; "
                  "tls = \"%s/tls.pem\"; tls_key = \"%s/tls.key\"; };\n"
                  "trust = { folder = \"%s/%s/trust\"; quorum = \"2\"; "
                  "authorities = ( \"%s/authority/kh.pem\", \"%s/authority/th.pem\" ); };\n"
                  "agreements = ( { with = \"kh\"; id = \"X-1\"; purposes = ( \"RETURN\", "
                  "\"TRACING\", \"SERVICES\", \"JUSTICE\" ); }, { with = \"th\"; id = \"X-1\"; "
                  "purposes = ( \"RETURN\", \"TRACING\", \"SERVICES\", \"JUSTICE\" ); } );\n",
                  office, officer, keys, keys, keys, keys, pki, desk->country, pki, pki);
    assert_int_equal(fclose(out), 0);
}

/* Opened by its home folder: all that was only in memory is gone. */
static void desk_wake(struct desk *desk)
{
    bool made = false;
    struct rg_exchange_options options = {
        .device = "desk", .software = "test", .sink = {.context = desk, .send = keep_frame}};
    assert_int_equal(referral_open(desk->home, NULL, &desk->office).code, REFERRAL_OK);
    assert_true(rg_is_ok(rg_home_renew(desk->office->home, rg_wall_now(), &made, NULL)));
    assert_true(rg_is_ok(rg_exchange_new(&options, &desk->office->exchange, NULL)));
}

static void desk_open_as(struct desk *desk, const char *office, const char *officer)
{
    *desk = (struct desk){0};
    rg_office_country(office, desk->country);
    (void)snprintf(desk->home, sizeof(desk->home), "/tmp/rg-inbox-%s-XXXXXX", desk->country);
    assert_non_null(mkdtemp(desk->home));
    config_write(desk, office, officer);
    desk_wake(desk);
}

static void desk_open(struct desk *desk, const char *office)
{
    desk_open_as(desk, office, "officer-1");
}

static void remove_folder(const char *path)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own folder */
}

static void desk_close(struct desk *desk)
{
    referral_close(desk->office);
    remove_folder(desk->home);
}

/* In memory only, as it would be before the document is durable. */
static void cards_give(const struct desk *from, const struct desk *to)
{
    const struct rg_document *card = NULL;
    enum rg_news news;
    for (size_t i = 0; (card = rg_trust_document(from->office->home->trust, RG_DOC_KEY_CARD,
                                                 from->country, i)) != NULL;
         i++) {
        assert_true(
            rg_is_ok(rg_trust_offer(to->office->home->trust, card, rg_wall_now(), &news, NULL)));
    }
}

/* ---- what the gateways would do ---- */

struct carried { /* one message on its way, with the proofs that the exchange has checked */
    struct rg_buffer bytes;
    struct rg_envelope envelope;
    struct rg_head head[2];
    struct rg_proven_entry entry[2];
    struct rg_log_entry log_entry[2];
    struct rg_delivery delivery;
};

static struct rg_proven proven(struct carried *carried, size_t which, const char *country,
                               enum rg_entry_kind kind)
{
    (void)snprintf(carried->head[which].origin, sizeof(carried->head[which].origin),
                   "referral/%s/1", country);
    carried->head[which].size = 1;
    carried->entry[which].log_entry = RG_BYTES_LITERAL("entry");
    carried->log_entry[which] = (struct rg_log_entry){.kind = kind,
                                                      .has_envelope_id = true,
                                                      .envelope_id = carried->envelope.id,
                                                      .time = rg_wall_now()};
    return (struct rg_proven){.country = country,
                              .head = &carried->head[which],
                              .entry = &carried->entry[which],
                              .log_entry = &carried->log_entry[which]};
}

/* The oldest waiting message leaves; the sender learns that it is received. */
static bool fetch(struct desk *from, const struct desk *to, uint64_t position,
                  struct carried *carried)
{
    struct rg_message_row row;
    size_t count = 0;
    *carried = (struct carried){0};
    for (int priority = RG_EMERGENCY; priority >= RG_ROUTINE && count == 0; priority--) {
        assert_true(rg_is_ok(rg_spool_waiting(from->office->spool, (enum rg_priority)priority,
                                              INT64_MAX, 0, &row, 1, &count, NULL)));
    }
    if (count == 0) {
        return false;
    }
    assert_true(rg_is_ok(rg_spool_envelope(from->office->spool, row.seq, &carried->bytes, NULL)));
    assert_true(
        rg_is_ok(rg_envelope_peek(rg_buffer_peek(&carried->bytes), &carried->envelope, NULL)));
    carried->delivery = (struct rg_delivery){
        .position = position,
        .envelope = &carried->envelope,
        .accepted = proven(carried, 0, from->country, RG_ENTRY_ACCEPTED),
        .received = proven(carried, 1, to->country, RG_ENTRY_RECEIVED),
    };
    assert_true(rg_is_ok(rg_inbox_proof(from->office, &carried->delivery.received, NULL)));
    return true;
}

static void deliver(struct desk *to, const struct carried *carried)
{
    assert_true(rg_is_ok(on_begin(to->office, NULL)));
    assert_true(rg_is_ok(rg_inbox_deliver(to->office, &carried->delivery, NULL)));
    assert_true(rg_is_ok(on_end(to->office, NULL)));
}

static size_t carry_all(struct desk *from, struct desk *to)
{
    static uint64_t position = 100;
    struct carried carried;
    size_t count = 0;
    while (fetch(from, to, ++position, &carried)) {
        deliver(to, &carried);
        rg_buffer_drop(&carried.bytes);
        count++;
    }
    return count;
}

/* The same, and each desk gets what its gateway would hand it: colleagues too. */
static size_t carry_among(struct desk *from, struct desk *colleague, struct desk *const to[2])
{
    static uint64_t position = 5000;
    struct carried carried;
    size_t count = 0;
    while (fetch(from, to[0], ++position, &carried)) {
        deliver(to[0], &carried);
        deliver(to[1], &carried);
        carried.delivery.received = carried.delivery.accepted; /* all that our gateway can say */
        deliver(colleague, &carried);
        rg_buffer_drop(&carried.bytes);
        count++;
    }
    return count;
}

static size_t state_count(const struct desk *desk, enum rg_message_state state)
{
    struct rg_message_row row[ROWS];
    size_t count = 0;
    size_t found = 0;
    assert_true(rg_is_ok(rg_spool_list(desk->office->spool,
                                       state < RG_IN_STORED ? RG_BY_DEPARTURE : RG_BY_ARRIVAL, 0, 0,
                                       row, ROWS, &count, NULL)));
    for (size_t i = 0; i < count; i++) {
        found += row[i].state == state;
    }
    return found;
}

/* ---- a case ---- */

static const char *const person[][2] = {
    {"case_ref", "C1"},
    {"host_country", "TH"},
    {"origin_country", "KH"},
    {"full_name_native", "SECRETNAME"},
    {"age_status", "adult"},
    {"prs_Gender", "Feminine"},
    {"prs_PrimaryLanguage", "khm"},
    {"prs_Citizenship", "KH"},
    {"vic_TraffickingStatus", "ActualVictimOfTrafficking"},
    {"cas_ReasonForOutgoingReferral", "MigrationOrChangeOfLocation"},
    {"con_Consent", "true"},
    {"consent_scopes", "SHARE_IDENTITY;RETURN"},
    {"consent_given_by", "person"},
    {"urgency", "routine"},
};
#define PERSON_FIELDS (sizeof(person) / sizeof(person[0]))

static struct referral_result compose_as(struct desk *desk, const char *reference,
                                         const char *until)
{
    struct referral_field field[PERSON_FIELDS + 1];
    char number[REFERRAL_CASE_BYTES];
    for (size_t i = 0; i < PERSON_FIELDS; i++) {
        field[i] = (struct referral_field){person[i][0], person[i][1]};
    }
    field[0].value = reference;
    field[PERSON_FIELDS] = (struct referral_field){"consent_expires", until};
    return referral_compose(desk->office, field, PERSON_FIELDS + 1, number);
}

static struct referral_result compose_until(struct desk *desk, const char *until)
{
    return compose_as(desk, person[0][1], until);
}

static void first_case(const struct desk *desk, struct referral_case *out)
{
    struct referral_cursor cursor = {0};
    assert_int_equal(referral_next_case(desk->office, &cursor, out).code, REFERRAL_OK);
}

static void assert_state(const struct desk *desk, const char *state)
{
    struct referral_case found;
    first_case(desk, &found);
    assert_string_equal(found.state, state);
}

static struct referral_result accept_first(const struct desk *desk)
{
    struct referral_case found;
    char id[REFERRAL_CASE_BYTES];
    first_case(desk, &found);
    (void)snprintf(id, sizeof(id), "%s", found.id);
    return referral_accept(desk->office, id);
}

struct pair {
    struct desk th, kh;
};

/* Both know each other; the request of C1 is open at the other side. */
static int pair_open(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    assert_non_null(pair);
    desk_open(&pair->th, "th/focal");
    desk_open(&pair->kh, "kh/focal");
    cards_give(&pair->th, &pair->kh);
    cards_give(&pair->kh, &pair->th);
    assert_int_equal(compose_until(&pair->th, "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(pair->th.office, "C1").code, REFERRAL_OK);
    assert_int_equal(carry_all(&pair->th, &pair->kh), 1);
    assert_state(&pair->kh, "referred");
    *state = pair;
    return 0;
}

static int pair_close(void **state)
{
    struct pair *pair = *state;
    desk_close(&pair->th);
    desk_close(&pair->kh);
    free(pair);
    return 0;
}

/* ---- tests ---- */

static void test_the_whole_way(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    assert_int_equal(carry_all(&pair->kh, &pair->th), 2); /* acknowledgement, accept */
    assert_state(&pair->th, "details_sent");
    assert_int_equal(carry_all(&pair->th, &pair->kh), 1);
    assert_state(&pair->kh, "identity_released");
    assert_int_equal(carry_all(&pair->kh, &pair->th), 1);
    assert_state(&pair->th, "identity_released");
    assert_int_equal(carry_all(&pair->th, &pair->kh), 0); /* nothing acknowledges itself */
    assert_int_equal(pair->kh.opened, 2);
    assert_int_equal(pair->th.opened, 3);
}

/* The accept comes while no key card of the other side is held: it waits, nothing is lost. */
static void test_accept_without_cards_is_acted_on_later(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    referral_close(pair->th.office);
    desk_wake(&pair->th);
    (void)carry_all(&pair->kh, &pair->th);
    assert_state(&pair->th, "referred");
    assert_int_equal(state_count(&pair->th, RG_IN_STORED), 1);
    cards_give(&pair->kh, &pair->th);
    assert_true(rg_is_ok(on_begin(pair->th.office, NULL)));
    assert_true(rg_is_ok(rg_inbox_open_stored(pair->th.office, NULL)));
    assert_true(rg_is_ok(on_end(pair->th.office, NULL)));
    assert_state(&pair->th, "details_sent");
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 1);
}

/* The gateway says where its mailbox is; what an older session stored may be ahead of it. */
static void test_only_this_sessions_positions_are_confirmed(void **state)
{
    struct pair *pair = *state;
    assert_true(pair->kh.collected > 0);
    struct rg_reason lost = {.id = "session-gone"};
    on_lost(pair->kh.office, &lost);
    pair->kh.collected = 0;
    assert_true(rg_is_ok(on_begin(pair->kh.office, NULL)));
    assert_true(rg_is_ok(on_end(pair->kh.office, NULL)));
    assert_int_equal(pair->kh.collected, 0);
}

static void test_broken_proofs_then_good_ones(void **state)
{
    struct pair *pair = *state;
    struct carried carried;
    struct rg_reason failed = {.id = "wire-form"};
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    assert_true(fetch(&pair->kh, &pair->th, 7, &carried)); /* the acknowledgement */
    carried.delivery.failed = &failed;
    deliver(&pair->th, &carried);
    assert_int_equal(state_count(&pair->th, RG_IN_UNOPENED), 1);
    assert_int_equal(pair->th.opened, 0);
    deliver(&pair->th, &carried); /* still broken */
    assert_int_equal(pair->th.opened, 0);
    carried.delivery.failed = NULL;
    deliver(&pair->th, &carried);
    assert_int_equal(state_count(&pair->th, RG_IN_OPENED), 1);
    assert_int_equal(pair->th.opened, 1);
    rg_buffer_drop(&carried.bytes);
}

static void test_an_answer_in_another_thread(void **state)
{
    struct pair *pair = *state;
    RG_CASE_FILE file = {0};
    bool found = false;
    assert_true(rg_is_ok(rg_casebook_next(pair->kh.office->book, 0, &file, &found, NULL)));
    file.thread.b[0] ^= 1;
    assert_true(rg_is_ok(rg_casebook_put(pair->kh.office->book, &file, NULL)));
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    assert_state(&pair->th, "referred");
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
}

/* The consent ends between request and accept: nothing leaves until it is renewed. */
static void test_details_wait_for_consent(void **state)
{
    struct pair *pair = *state;
    struct referral_case found;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    pair->th.office->stated_today = (struct rg_date){2099, 7, 1};
    (void)carry_all(&pair->kh, &pair->th);
    first_case(&pair->th, &found);
    assert_string_equal(found.state, "accepted");
    assert_string_equal(found.reason_id, "consent-expired");
    assert_true(found.our_move);
    assert_false(found.details_sent);
    struct referral_result result = referral_send(pair->th.office, "C1");
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "consent-expired");
    assert_int_equal(compose_until(&pair->th, "2099-12-31").code, REFERRAL_OK);
    assert_int_equal(referral_send(pair->th.office, "C1").code, REFERRAL_OK);
    first_case(&pair->th, &found);
    assert_string_equal(found.state, "details_sent");
    assert_string_equal(found.reason_id, "");
    (void)carry_all(&pair->th, &pair->kh);
    assert_state(&pair->kh, "identity_released");
    assert_int_equal(referral_send(pair->th.office, "C1").code, REFERRAL_DENIED);
}

/* Ready when it was composed, but the consent has ended since: the rules count when it is sent. */
static void test_the_rules_count_when_it_is_sent(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(compose_as(&pair->th, "C2", "2099-06-30").code, REFERRAL_OK);
    pair->th.office->stated_today = (struct rg_date){2099, 7, 1};
    struct referral_result result = referral_send(pair->th.office, "C2");
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "consent-expired");
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
    pair->th.office->stated_today = (struct rg_date){2099, 6, 30}; /* the last day counts */
    assert_int_equal(compose_as(&pair->th, "C3", "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(pair->th.office, "C3").code, REFERRAL_OK);
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 1);
}

/* Sealing the details fails: the case must not look as if they had left. */
static void test_details_that_cannot_be_sealed(void **state)
{
    struct pair *pair = *state;
    RG_CASE_FILE file = {0};
    bool found = false;
    struct rg_id accept = {{1}};
    assert_true(rg_is_ok(rg_casebook_next(pair->th.office->book, 0, &file, &found, NULL)));
    file.now.state = RG_CASE_ACCEPTED;
    (void)snprintf(file.partner, sizeof(file.partner), "kh/nobody");
    assert_false(rg_is_ok(rg_office_send_details(pair->th.office, &file, accept, NULL)));
    assert_int_equal(file.now.state, RG_CASE_ACCEPTED);
    assert_false(file.details_sent || file.has_details);
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
}

static void test_refused_after_received(void **state)
{
    struct pair *pair = *state;
    struct rg_message_row row;
    struct carried carried = {0};
    size_t count = 0;
    assert_true(rg_is_ok(
        rg_spool_list(pair->th.office->spool, RG_BY_DEPARTURE, 0, 0, &row, 1, &count, NULL)));
    assert_int_equal(row.state, RG_OUT_RECEIVED);
    carried.envelope.id = row.id;
    struct rg_proven refused = proven(&carried, 0, "th", RG_ENTRY_REFUSED);
    assert_true(rg_is_ok(rg_inbox_proof(pair->th.office, &refused, NULL)));
    assert_int_equal(state_count(&pair->th, RG_OUT_RECEIVED), 1);
    assert_state(&pair->th, "referred");
    assert_true(pair->th.office->moved.alarm[0] != '\0');
}

/* A gateway that hands us another office's mail, and a person abroad who writes to an NGO. */
static void test_mail_of_others(void **state)
{
    struct pair *pair = *state;
    struct desk ngo;
    struct carried carried;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    desk_open(&ngo, "th/ngo-alpha");
    assert_true(fetch(&pair->kh, &pair->th, 9, &carried));
    deliver(&ngo, &carried);
    assert_int_equal(state_count(&ngo, RG_IN_UNOPENED), 1);
    assert_int_equal(ngo.opened, 0);
    rg_buffer_drop(&carried.bytes);
    desk_close(&ngo);
}

/* A new officer may write before the page that lists her is here: a newer page is a new chance. */
static void test_an_unknown_signer_is_tried_again_with_a_new_page(void **state)
{
    struct pair *pair = *state;
    struct rg_home *home = pair->kh.office->home;
    struct rg_certificate *listed = home->sign;
    struct rg_key *listed_key = home->sign_key;
    struct carried carried;
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/kh/ngo-alpha/officer-1/sign.pem", pki);
    assert_true(rg_is_ok(rg_certificate_read(path, &home->sign, NULL)));
    (void)snprintf(path, sizeof(path), "%s/kh/ngo-alpha/officer-1/sign.key", pki);
    assert_true(rg_is_ok(rg_key_read(path, &home->sign_key, NULL)));
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    rg_certificate_free(listed);
    rg_key_free(listed_key);
    while (fetch(&pair->kh, &pair->th, 11, &carried)) {
        deliver(&pair->th, &carried);
        rg_buffer_drop(&carried.bytes);
    }
    assert_int_equal(state_count(&pair->th, RG_IN_UNOPENED), 1); /* the accept */
    assert_state(&pair->th, "referred");
    const struct rg_document *page =
        rg_trust_document(pair->th.office->home->trust, RG_DOC_PAGE, "kh", 0);
    uint64_t unopened = pair->th.office->moved.unopened;
    assert_true(rg_is_ok(on_begin(pair->th.office, NULL)));
    assert_true(rg_is_ok(on_document(pair->th.office, page, NULL)));
    assert_true(rg_is_ok(on_end(pair->th.office, NULL)));
    assert_int_equal(pair->th.office->moved.unopened, unopened + 1); /* tried, and still unknown */
    assert_int_equal(state_count(&pair->th, RG_IN_UNOPENED), 1);
}

static void test_a_case_of_another_host(void **state)
{
    struct pair *pair = *state;
    struct referral_result result = compose_until(&pair->kh, "2099-06-30");
    assert_int_equal(result.code, REFERRAL_DATA);
    assert_string_equal(result.id, "field-host");
}

/* Nothing that a person said or is called stands readable in any file of the folder. */
static void test_nothing_is_readable_at_rest(void **state)
{
    struct pair *pair = *state;
    char command[384];
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    (void)carry_all(&pair->th, &pair->kh);
    struct referral_case found;
    first_case(&pair->kh, &found);
    assert_string_equal(found.name_native, "SECRETNAME");
    (void)snprintf(command, sizeof(command), "grep -rqa SECRETNAME '%s' '%s'", pair->th.home,
                   pair->kh.home);
    assert_int_not_equal(system(command), 0); /* NOLINT(cert-env33-c): our own folders */
    (void)snprintf(command, sizeof(command), "grep -rqa 'SQLite format' '%s'", pair->th.home);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): grep does see the file */
}

/* ---- messages of an officer who means harm ---- */

/* th forges its details: kh keeps them closed and its case does not move. */
static void details_forged(struct pair *pair, enum forgery what, const char *reason)
{
    struct rg_message_row row[ROWS];
    size_t count = 0;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    forgery = what;
    (void)carry_all(&pair->kh, &pair->th);
    forgery = FORGE_NOTHING;
    assert_state(&pair->th, "details_sent");
    assert_int_equal(carry_all(&pair->th, &pair->kh), 1);
    assert_true(rg_is_ok(
        rg_spool_list(pair->kh.office->spool, RG_BY_ARRIVAL, 0, 0, row, ROWS, &count, NULL)));
    assert_int_equal(count, 2);
    const struct rg_message_row *details = row[0].seq > row[1].seq ? &row[0] : &row[1];
    assert_int_equal(details->state, RG_IN_UNOPENED);
    assert_string_equal(details->reason, reason);
    assert_state(&pair->kh, "accepted");
}

static void test_content_that_names_a_colleague(void **state)
{
    details_forged(*state, FORGE_AUTHOR, "post-author");
}

static void test_sections_about_two_cases(void **state)
{
    details_forged(*state, FORGE_HANDLE, "post-kind");
}

static void test_real_work_into_an_exercise(void **state)
{
    details_forged(*state, FORGE_EXERCISE, "post-exercise");
}

static void test_sections_of_two_signers(void **state)
{
    details_forged(*state, FORGE_SIGNER, "post-author");
}

static void test_a_section_that_was_not_committed_to(void **state)
{
    details_forged(*state, FORGE_TEXT, "seal-commitment");
}

static void assert_accept_refused(struct pair *pair, const char *reason)
{
    struct rg_message_row row[ROWS];
    size_t count = 0;
    bool found = false;
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    assert_state(&pair->th, "referred");
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
    assert_true(rg_is_ok(
        rg_spool_list(pair->th.office->spool, RG_BY_ARRIVAL, 0, 0, row, ROWS, &count, NULL)));
    for (size_t i = 0; i < count; i++) {
        found = found || strcmp(row[i].reason, reason) == 0;
    }
    assert_true(found);
}

static void test_an_answer_to_another_request(void **state)
{
    struct pair *pair = *state;
    forgery = FORGE_ANSWERS;
    assert_accept_refused(pair, "void-answers");
    forgery = FORGE_NOTHING;
}

static void test_an_answer_of_another_office(void **state)
{
    struct pair *pair = *state;
    RG_CASE_FILE file = {0};
    bool found = false;
    assert_true(rg_is_ok(rg_casebook_next(pair->th.office->book, 0, &file, &found, NULL)));
    (void)snprintf(file.partner, sizeof(file.partner), "kh/other"); /* whom the case is with */
    assert_true(rg_is_ok(rg_casebook_put(pair->th.office->book, &file, NULL)));
    assert_accept_refused(pair, "case-office");
}

static void test_a_proof_of_a_third_log(void **state)
{
    struct pair *pair = *state;
    struct rg_message_row row;
    struct carried carried = {0};
    struct rg_reason why = {0};
    size_t count = 0;
    assert_true(rg_is_ok(
        rg_spool_list(pair->th.office->spool, RG_BY_DEPARTURE, 0, 0, &row, 1, &count, NULL)));
    carried.envelope.id = row.id;
    struct rg_proven collected = proven(&carried, 0, "la", RG_ENTRY_COLLECTED);
    assert_int_equal(rg_inbox_proof(pair->th.office, &collected, &why).code, RG_DENIED);
    assert_string_equal(why.id, "exchange-origin");
    collected = proven(&carried, 0, "th", RG_ENTRY_COLLECTED); /* nor may we say it for them */
    assert_int_equal(rg_inbox_proof(pair->th.office, &collected, &why).code, RG_DENIED);
    assert_int_equal(state_count(&pair->th, RG_OUT_RECEIVED), 1);
}

/* The person agreed to no tracing: the family section goes out as withheld. */
static void test_what_is_not_agreed_to_is_withheld(void **state)
{
    struct pair *pair = *state;
    struct rg_message_row row[ROWS];
    size_t count = 0;
    bool found = false;
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_content content = {0};
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    assert_int_equal(carry_all(&pair->th, &pair->kh), 1);
    assert_true(rg_is_ok(
        rg_spool_list(pair->kh.office->spool, RG_BY_ARRIVAL, 0, 0, row, ROWS, &count, NULL)));
    assert_int_equal(count, 2);
    int64_t seq = row[0].seq > row[1].seq ? row[0].seq : row[1].seq;
    assert_true(
        rg_is_ok(rg_casebook_section_get(pair->kh.office->book, seq, 2, &bytes, &found, NULL)));
    assert_true(found);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &content, &memory, NULL)));
    assert_int_equal(content.class_, RG_CLASS_FAMILY);
    assert_int_equal(content.body, RG_BODY_WITHHELD);
}

/* An alert may cross from any office, but it goes to the focal point, never to an NGO. */
static void test_a_message_from_abroad_to_an_ngo(void **state)
{
    struct pair *pair = *state;
    struct desk ngo;
    struct carried carried;
    struct rg_message_row row;
    RG_CASE_FILE file = {0};
    size_t count = 0;
    bool found = false;
    enum rg_news news;
    desk_open(&ngo, "th/ngo-alpha");
    const struct rg_document *page =
        rg_trust_document(ngo.office->home->trust, RG_DOC_PAGE_DOMESTIC, "th", 0);
    assert_true(
        rg_is_ok(rg_trust_offer(pair->kh.office->home->trust, page, rg_wall_now(), &news, NULL)));
    cards_give(&ngo, &pair->kh);
    assert_true(fetch(&pair->kh, &pair->th, 15, &carried)); /* the lawful acknowledgement */
    rg_buffer_drop(&carried.bytes);
    assert_true(rg_is_ok(
        rg_spool_list(pair->kh.office->spool, RG_BY_ARRIVAL, 0, 0, &row, 1, &count, NULL)));
    assert_true(rg_is_ok(rg_casebook_next(pair->kh.office->book, 0, &file, &found, NULL)));
    assert_true(
        rg_is_ok(rg_office_acknowledge(pair->kh.office, &file, &row, "th/ngo-alpha", NULL)));
    assert_true(fetch(&pair->kh, &ngo, 16, &carried));
    deliver(&ngo, &carried);
    count = 0;
    assert_true(
        rg_is_ok(rg_spool_list(ngo.office->spool, RG_BY_ARRIVAL, 0, 0, &row, 1, &count, NULL)));
    assert_int_equal(row.state, RG_IN_UNOPENED);
    assert_string_equal(row.reason, "content-way");
    rg_buffer_drop(&carried.bytes);
    desk_close(&ngo);
}

static void stop_at(const struct desk *at, const struct rg_certificate *stopped,
                    struct rg_wall from)
{
    RG_OWNED_CERTIFICATE *certificate = NULL;
    RG_OWNED_KEY *key = NULL;
    struct rg_document document = {.kind = RG_DOC_STOP_LIST, .country = "kh", .signature_count = 1};
    struct rg_hash digest = rg_certificate_digest(stopped);
    enum rg_news news = RG_NEWS_NONE;
    char path[160];
    char hex[65];
    char day[32];
    (void)snprintf(path, sizeof(path), "%s/kh/publisher.pem", pki);
    assert_true(rg_is_ok(rg_certificate_read(path, &certificate, NULL)));
    (void)snprintf(path, sizeof(path), "%s/kh/publisher.key", pki);
    assert_true(rg_is_ok(rg_key_read(path, &key, NULL)));
    rg_hex(rg_bytes_of(digest.b, 32), hex);
    rg_wall_print(from, day);
    assert_true(rg_is_ok(rg_buffer_print(
        &document.text, NULL,
        "format = \"referral-stop-1\"; country = \"kh\"; counter = \"9\"; issued = \"%s\";\n"
        "certificates = (\"%s %s\"); offices = ();\n",
        day, hex, day)));
    assert_true(rg_is_ok(rg_signature_make(rg_buffer_peek(&document.text), certificate, key,
                                           RG_SIGNATURE_DETACHED, &document.signature[0], NULL)));
    assert_true(rg_is_ok(rg_trust_offer(at->office->home->trust, &document, from, &news, NULL)));
    assert_int_equal(news, RG_NEWS_NEW);
    rg_document_drop(&document);
}

/* Signed and accepted before the stop: it holds, and says so. Accepted after: it does not. */
static void test_a_signer_is_judged_at_the_accepted_time(void **state)
{
    struct pair *pair = *state;
    struct carried carried;
    struct rg_reason why = {0};
    struct rg_wall now = rg_wall_now();
    struct rg_wall stop = {now.ms + DAY_MS}, after = {now.ms + 2 * DAY_MS};
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    assert_true(fetch(&pair->kh, &pair->th, 13, &carried));
    stop_at(&pair->th, pair->kh.office->home->sign, stop);
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    struct rg_home *home = pair->th.office->home;
    assert_true(rg_is_ok(rg_post_open(home, &carried.envelope, now, after, &opened, &why)));
    assert_true(opened.stopped_later);
    rg_opened_drop(&opened);
    assert_int_equal(rg_post_open(home, &carried.envelope, after, after, &opened, &why).code,
                     RG_DENIED);
    assert_string_equal(why.id, "certificate-stopped");
    rg_buffer_drop(&carried.bytes);
}

/* What the request says before the accept: the preview, and not a word of the person. */
static void test_the_request_shows_the_preview_only(void **state)
{
    struct pair *pair = *state;
    struct rg_message_row row;
    size_t count = 0;
    RG_OWNED_BUFFER bytes = {.secret = true};
    bool found = false;
    assert_true(rg_is_ok(
        rg_spool_list(pair->kh.office->spool, RG_BY_ARRIVAL, 0, 0, &row, 1, &count, NULL)));
    assert_int_equal(row.sections, 1);
    assert_true(
        rg_is_ok(rg_casebook_section_get(pair->kh.office->book, row.seq, 0, &bytes, &found, NULL)));
    assert_true(found);
    static const char *const never[] = {"SECRETNAME", "C1", "ActualVictim"};
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_null(memmem(bytes.data, bytes.len, never[i], strlen(never[i])));
    }
}

/* ---- what an office abroad, or one of our own, may try ---- */

static struct referral_result write_as(const struct desk *desk, int kind, const char *json,
                                       struct referral_written *out)
{
    struct referral_case found;
    char id[REFERRAL_CASE_BYTES];
    first_case(desk, &found);
    (void)snprintf(id, sizeof(id), "%s", found.id);
    const struct referral_letter letter = {
        .case_id = id, .kind = kind, .json = json, .bytes = strlen(json), .language = "en"};
    return referral_write(desk->office, &letter, out);
}

static void case_load(const struct desk *desk, int64_t after, struct rg_case_file *out)
{
    bool found = false;
    assert_true(rg_is_ok(rg_casebook_next(desk->office->book, after, out, &found, NULL)));
    assert_true(found);
}

/* This office takes itself for the one that looks after her. */
static void case_claim(const struct desk *desk)
{
    RG_CASE_FILE file = {0};
    char host[RG_COUNTRY_BYTES];
    case_load(desk, 0, &file);
    memcpy(host, file.host, sizeof(host));
    memcpy(file.host, file.origin, sizeof(file.host));
    memcpy(file.origin, host, sizeof(file.origin));
    assert_true(rg_is_ok(rg_casebook_put(desk->office->book, &file, NULL)));
}

/* A form whose other section is withheld: read where it is a form, and nowhere else. */
static void test_a_withheld_section_beside_a_form(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    (void)carry_all(&pair->kh, &pair->th);
    forgery = FORGE_WITHHELD;
    struct referral_result result = write_as(&pair->th, RG_KIND_SAFETY_CONCERN, concern, &written);
    forgery = FORGE_NOTHING;
    assert_int_equal(result.code, REFERRAL_OK);
    assert_int_equal(carry_all(&pair->th, &pair->kh), 1);
    assert_int_equal(state_count(&pair->kh, RG_IN_UNOPENED), 0);
    assert_int_equal(state_count(&pair->kh, RG_IN_OPENED), 2);
}

/* Whoever does not look after her cannot say what she agrees to. */
static void test_consent_that_the_other_side_made_up(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    struct rg_consents set;
    RG_CASE_FILE file = {0};
    static const char consent[] =
        "{\"scopes\":[\"SHARE_HEALTH\",\"SHARE_LEGAL\"],\"purpose\":\"all\","
        "\"countries\":[\"kh\",\"th\"],\"classes\":[\"CASE\",\"HEALTH\",\"LEGAL\"],"
        "\"given_by\":\"person\",\"method\":\"written\",\"language\":\"km\",\"interpreter\":false,"
        "\"informed\":[\"INTERVIEW\",\"PURPOSE\",\"USE\",\"RESEARCH\",\"OWN_DATA\",\"RETENTION\","
        "\"WITHDRAWAL\"],\"given_on\":\"2020-01-01\",\"expires_on\":\"2099-01-01\","
        "\"evidence_ref\":\"x1\"}";
    (void)carry_all(&pair->kh, &pair->th);
    case_claim(&pair->kh);
    struct referral_result result = write_as(&pair->kh, RG_KIND_CONSENT_RECORD, consent, &written);
    assert_string_equal(result.id != NULL ? result.id : "", "");
    assert_int_equal(result.code, REFERRAL_OK);
    assert_int_equal(carry_all(&pair->kh, &pair->th), 1);
    case_load(&pair->th, 0, &file);
    assert_true(rg_is_ok(rg_office_consents(pair->th.office, &file, &set, NULL)));
    uint32_t scopes = rg_consents_scopes(&set, rg_office_today(pair->th.office));
    assert_int_equal(scopes & RG_SCOPE_BIT(RG_SCOPE_SHARE_HEALTH), 0);
    assert_int_not_equal(scopes & RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY), 0);
}

/* An order from abroad destroys what crossed; the house's own record of her is not theirs. */
static void test_an_order_to_erase_what_is_ours(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    struct referral_case found;
    RG_OWNED_RECORD record = NULL;
    static const char order[] =
        "{\"classes\":[\"CASE\",\"IDENTITY\",\"FAMILY\",\"HEALTH\",\"LEGAL\",\"SECURITY\"],"
        "\"reason\":\"ERROR\"}";
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    (void)carry_all(&pair->th, &pair->kh);
    (void)carry_all(&pair->kh, &pair->th);
    struct referral_result result = write_as(&pair->kh, RG_KIND_ERASURE_ORDER, order, &written);
    assert_string_equal(result.id != NULL ? result.id : "", "");
    (void)carry_all(&pair->kh, &pair->th);
    first_case(&pair->th, &found);
    assert_string_equal(found.name_native, "SECRETNAME");
    assert_true(rg_is_ok(rg_casebook_record_get(pair->th.office->book, 1, &record, NULL)));
    assert_string_equal(rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE), "SECRETNAME");
    (void)carry_all(&pair->th, &pair->kh); /* and it is answered */
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
}

/* A claim for protection holds what has not left yet, and an import says it as well. */
static void claim_holds_back(struct pair *pair, bool import)
{
    struct carried carried;
    struct referral_written written;
    struct referral_case found;
    char id[REFERRAL_CASE_BYTES];
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    (void)carry_all(&pair->kh, &pair->th);
    assert_int_equal(write_as(&pair->th, RG_KIND_SAFETY_CONCERN, concern, &written).code,
                     REFERRAL_OK);
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 1);
    first_case(&pair->th, &found);
    (void)snprintf(id, sizeof(id), "%s", found.id);
    if (import) {
        struct referral_field field[PERSON_FIELDS + 2];
        for (size_t i = 0; i < PERSON_FIELDS; i++) {
            field[i] = (struct referral_field){person[i][0], person[i][1]};
        }
        field[PERSON_FIELDS] = (struct referral_field){"consent_expires", "2099-06-30"};
        field[PERSON_FIELDS + 1] = (struct referral_field){"protection_claim", "true"};
        struct referral_result result =
            referral_compose(pair->th.office, field, PERSON_FIELDS + 2, id);
        assert_string_equal(result.id != NULL ? result.id : "", "");
    }
    if (!import) {
        assert_int_equal(referral_claim(pair->th.office, id, true, NULL).code, REFERRAL_OK);
    }
    assert_true(fetch(&pair->th, &pair->th, 9001, &carried)); /* the word to the colleagues */
    assert_string_equal(carried.envelope.core.to_office[0], "th/focal");
    rg_buffer_drop(&carried.bytes);
    assert_int_equal(carry_all(&pair->th, &pair->kh), 0);
    struct referral_result result = write_as(&pair->th, RG_KIND_SAFETY_CONCERN, concern, &written);
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "protection-claim");
}

static void test_a_claim_holds_what_waits(void **state)
{
    claim_holds_back(*state, false);
}

static void test_a_claim_by_import(void **state)
{
    claim_holds_back(*state, true);
}

/* A case that goes on to a third country takes along who must not learn of her. */
static void test_protections_go_along(void **state)
{
    struct pair *pair = *state;
    struct referral *th = pair->th.office;
    RG_CASE_FILE file = {0};
    RG_CASE_FILE next = {0};
    RG_CASE_FILE held = {0};
    struct rg_exclusions list;
    case_load(&pair->th, 0, &file);
    assert_int_equal(referral_exclude(th, file.number, "referral://vn/focal/officer-2").code,
                     REFERRAL_OK);
    assert_int_equal(referral_claim(th, file.number, true, NULL).code, REFERRAL_OK);
    case_load(&pair->th, 0, &file);
    assert_true(rg_is_ok(rg_office_case_again(th, &file, "vn", &next, NULL)));
    assert_true(rg_is_ok(rg_casebook_get(th->book, next.row, &held, NULL)));
    assert_true(rg_is_ok(rg_casebook_exclusions_get(th->book, next.row, &list, NULL, NULL)));
    assert_true(rg_exclusions_reader(&list, "referral://vn/focal/officer-2", "vn/focal"));
    assert_true(rg_office_is_muted(&held, "kh/focal"));
    assert_false(rg_office_is_muted(&held, "vn/focal"));
    RG_CASE_FILE third = {0};
    assert_true(rg_is_ok(rg_office_case_again(th, &held, "la", &third, NULL)));
    assert_true(rg_office_is_muted(&third, "kh/focal")); /* still */
    assert_false(rg_office_is_muted(&third, "la/focal"));
}

/* What the focal point sees is what it sends on. */
static void test_a_draft_of_two_kinds(void **state)
{
    struct pair *pair = *state;
    struct desk ngo;
    struct referral_written draft;
    struct referral_written sent;
    static const char report[] =
        "{\"due_no\":1,\"visited_on\":\"2026-11-01\",\"seen\":true,\"safe\":\"YES\","
        "\"occupied\":\"WORK\",\"contact_wanted\":false}";
    desk_open(&ngo, "th/ngo-alpha");
    cards_give(&ngo, &pair->th);
    cards_give(&pair->th, &ngo);
    cards_give(&pair->kh, &ngo);
    assert_int_equal(compose_until(&ngo, "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(ngo.office, "C1").code, REFERRAL_OK);
    assert_int_equal(carry_all(&ngo, &pair->th), 1);
    forgery = FORGE_DRAFT;
    struct referral_result result = write_as(&ngo, RG_KIND_FOLLOW_UP_REPORT, report, &draft);
    forgery = FORGE_NOTHING;
    assert_string_equal(result.id != NULL ? result.id : "", "");
    assert_string_equal(draft.state, "draft");
    assert_int_equal(carry_all(&ngo, &pair->th), 1);
    result = referral_forward(pair->th.office, draft.id, &sent);
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "draft-kind");
    desk_close(&ngo);
}

/* An alert on a thread of its own holds the case, until our library has passed it on: once. */
static void test_a_fresh_alert_is_passed_on(void **state)
{
    struct pair *pair = *state;
    RG_CASE_FILE file = {0};
    RG_OWNED_FORM form = NULL;
    struct rg_id id;
    size_t done = 0;
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    struct rg_letter letter = {.kind = RG_KIND_SAFETY_CONCERN, .to_office = "kh/focal"};
    (void)carry_all(&pair->kh, &pair->th);
    case_load(&pair->th, 0, &file);
    assert_true(rg_is_ok(rg_form_read_json(rg_kind_row(RG_KIND_SAFETY_CONCERN)->form,
                                           rg_bytes_of_text(concern), &form, NULL)));
    letter.form = form;
    rg_random(letter.thread.b, sizeof(letter.thread.b));
    assert_true(rg_is_ok(rg_office_post(pair->th.office, &file, &letter, &id, NULL)));
    assert_int_equal(file.process.holds[RG_PARTY_HOST], 1);
    assert_true(rg_is_ok(rg_office_act(pair->th.office, &file, &done, NULL)));
    assert_int_equal(done, 1);
    assert_int_equal(file.process.holds[RG_PARTY_HOST], 0);
    assert_int_equal(file.process.concerns, 1);
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 2);
    assert_true(rg_is_ok(rg_casebook_put(pair->th.office->book, &file, NULL)));
}

static int64_t made_ms(const struct desk *desk, const char *message)
{
    struct rg_message_row row;
    struct rg_process_message note = {.kind = 0};
    bool found = false;
    assert_true(rg_is_ok(rg_office_message(desk->office, message, &row, NULL)));
    assert_true(rg_is_ok(rg_casebook_note_get(desk->office->book, row.seq, &note, &found, NULL)));
    assert_true(found);
    return note.made.ms;
}

/* Nobody's clock carries a message back behind the end of a consent: what the gateway has signed
 * bounds it, and both offices count the same time. */
static void test_a_clock_that_lies(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    struct carried carried;
    RG_CASE_FILE file = {0};
    struct rg_process_message note;
    struct rg_message_row row;
    bool found = false;
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    (void)carry_all(&pair->kh, &pair->th);
    forgery = FORGE_MADE;
    assert_int_equal(write_as(&pair->th, RG_KIND_SAFETY_CONCERN, concern, &written).code,
                     REFERRAL_OK);
    forgery = FORGE_NOTHING;
    assert_true(rg_is_ok(rg_office_message(pair->th.office, written.id, &row, NULL)));
    assert_true(
        rg_is_ok(rg_casebook_note_get(pair->th.office->book, row.seq, &note, &found, NULL)));
    note.made.ms -= TEN_DAYS_MS; /* as that clock says */
    assert_true(rg_is_ok(rg_casebook_note_put(pair->th.office->book, row.seq, &note, NULL)));
    assert_true(fetch(&pair->th, &pair->kh, 7000, &carried));
    deliver(&pair->kh, &carried);
    assert_true(rg_is_ok(rg_inbox_proof(pair->th.office, &carried.delivery.accepted, NULL)));
    int64_t accepted_ms = carried.log_entry[0].time.ms;
    rg_buffer_drop(&carried.bytes);
    assert_int_equal(made_ms(&pair->kh, written.id), accepted_ms - RG_MADE_BEFORE_MS);
    assert_int_equal(made_ms(&pair->th, written.id), accepted_ms - RG_MADE_BEFORE_MS);
    case_load(&pair->th, 0, &file);
    assert_int_equal(file.process.asked[RG_ASK_CONCERN][RG_PARTY_HOST].since.ms,
                     accepted_ms - RG_MADE_BEFORE_MS);
}

/* What she has taken back in one road is taken back for the next one. */
static void test_a_new_road_after_a_withdrawal(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    RG_CASE_FILE file = {0};
    RG_CASE_FILE again = {0};
    static const char withdrawal[] =
        "{\"scopes\":[\"RETURN\",\"SHARE_IDENTITY\"],\"wants_erasure\":false,"
        "\"effective\":\"2026-11-25T00:00:00Z\",\"said_by\":\"person\"}";
    (void)carry_all(&pair->kh, &pair->th);
    struct referral_result result =
        write_as(&pair->th, RG_KIND_CONSENT_WITHDRAWN, withdrawal, &written);
    assert_string_equal(result.id, "");
    case_load(&pair->th, 0, &file);
    assert_true(rg_is_ok(rg_office_case_again(pair->th.office, &file, "kh", &again, NULL)));
    assert_int_equal(again.now.state, RG_CASE_HELD);
    result = referral_send(pair->th.office, again.number);
    assert_int_equal(result.code, REFERRAL_DENIED);
}

/* While nobody abroad has been told of her, an NGO's alert goes to its own focal point. */
static void test_an_alert_before_anything_has_left(void **state)
{
    struct pair *pair = *state;
    struct desk ngo;
    struct referral_written written;
    RG_CASE_FILE file = {0};
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    desk_open(&ngo, "th/ngo-alpha");
    cards_give(&ngo, &pair->th);
    cards_give(&pair->th, &ngo);
    cards_give(&pair->kh, &ngo);
    struct rg_office *own =
        (struct rg_office *)(uintptr_t)rg_trust_office(ngo.office->home->trust, "th/ngo-alpha");
    own->cross_border = RG_CROSS_EMERGENCY;
    assert_int_equal(compose_as(&ngo, "N1", "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(ngo.office, "N1").code, REFERRAL_OK);
    assert_int_equal(carry_all(&ngo, &pair->th), 1);
    struct referral_result result = write_as(&ngo, RG_KIND_SAFETY_CONCERN, concern, &written);
    assert_string_equal(result.id, "");
    assert_string_equal(written.to, "th/focal");
    assert_string_equal(written.state, "waiting");
    assert_int_equal(carry_all(&ngo, &pair->th), 1);
    case_load(&pair->th, 1, &file);
    assert_int_equal(file.process.holds[RG_PARTY_HOST], 1);
    desk_close(&ngo);
}

/* Handed over five hours ago, as far as this casebook knows; the confirmation may wait at the
 * gateway. */
static void long_handed_over(const struct desk *desk)
{
    RG_CASE_FILE file = {0};
    case_load(desk, 0, &file);
    file.has_process = true;
    file.process.state = RG_PROCESS_HANDED_OVER;
    file.process.handed_over.ms = rg_wall_now().ms - INT64_C(5) * 60 * 60 * 1000;
    assert_true(rg_is_ok(rg_casebook_put(desk->office->book, &file, NULL)));
}

/* Nobody is called missing before the mail has been read. */
static void test_the_mail_comes_before_the_alert(void **state)
{
    struct pair *pair = *state;
    (void)carry_all(&pair->kh, &pair->th);
    long_handed_over(&pair->th);
    assert_true(rg_is_ok(on_begin(pair->th.office, NULL)));
    assert_true(rg_is_ok(on_hello(pair->th.office, "referral://th/gateway", NULL)));
    assert_true(rg_is_ok(on_end(pair->th.office, NULL)));
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 0);
    pair->th.office->moved_mono_ms -= 60000; /* nothing has come for a minute */
    assert_true(rg_is_ok(on_feed(pair->th.office, NULL)));
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 1);
}

/* Where and when she was last seen needs her consent; that she is missing does not. */
static void test_missing_is_said_without_consent(void **state)
{
    struct pair *pair = *state;
    RG_CASE_FILE file = {0};
    (void)carry_all(&pair->kh, &pair->th);
    long_handed_over(&pair->th);
    case_load(&pair->th, 0, &file);
    file.process.withdrawn = RG_SCOPES_ALL;
    assert_true(rg_is_ok(rg_casebook_put(pair->th.office->book, &file, NULL)));
    assert_true(rg_is_ok(rg_office_act_due(pair->th.office, NULL)));
    assert_int_equal(state_count(&pair->th, RG_OUT_WAITING), 1);
}

/* What is outside of this house is what has crossed the border, not what an NGO of ours has sent:
 * she may take it back, and nobody abroad is told of her. */
static void test_a_proposed_case_is_withdrawn_here(void **state)
{
    struct desk ngo;
    struct desk th;
    struct referral_written written;
    struct referral_case found;
    char id[REFERRAL_CASE_BYTES];
    const struct referral_withdrawal all = {.said_by = "person"};
    struct pair *pair = *state;
    desk_open(&ngo, "th/ngo-alpha");
    desk_open(&th, "th/focal");
    cards_give(&ngo, &th);
    cards_give(&th, &ngo);
    cards_give(&pair->kh, &ngo);
    cards_give(&pair->kh, &th);
    assert_int_equal(compose_until(&ngo, "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(ngo.office, "C1").code, REFERRAL_OK);
    assert_int_equal(carry_all(&ngo, &th), 1);
    first_case(&th, &found);
    (void)snprintf(id, sizeof(id), "%s", found.id);
    assert_int_equal(referral_send(th.office, id).code, REFERRAL_OK); /* waits in the outbox */
    struct referral_result result = referral_withdraw(th.office, id, &all, &written);
    assert_string_equal(result.id, "");
    assert_int_equal(result.code, REFERRAL_OK);
    assert_string_equal(written.state, "here");
    assert_int_equal(state_count(&th, RG_OUT_WAITING), 0);
    assert_int_equal(referral_send(th.office, id).code, REFERRAL_DENIED);
    desk_close(&ngo);
    desk_close(&th);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_open, pair_close)

struct four { /* two officers in each of two offices */
    struct desk th[2], kh[2];
};

static void four_open(struct four *four)
{
    struct desk *all[] = {&four->th[0], &four->th[1], &four->kh[0], &four->kh[1]};
    desk_open_as(all[0], "th/focal", "officer-1");
    desk_open_as(all[1], "th/focal", "officer-2");
    desk_open_as(all[2], "kh/focal", "officer-1");
    desk_open_as(all[3], "kh/focal", "officer-2");
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            cards_give(all[i], all[k]);
        }
    }
}

static void four_close(struct four *four)
{
    for (size_t i = 0; i < 2; i++) {
        desk_close(&four->th[i]);
        desk_close(&four->kh[i]);
    }
}

/* Everybody's outbox is carried until nothing is left. */
static void four_carry(struct four *four)
{
    struct desk *const th[2] = {&four->th[0], &four->th[1]};
    struct desk *const kh[2] = {&four->kh[0], &four->kh[1]};
    size_t moved = 1;
    while (moved > 0) {
        moved = carry_among(th[0], th[1], kh);
        moved += carry_among(th[1], th[0], kh);
        moved += carry_among(kh[0], kh[1], th);
        moved += carry_among(kh[1], kh[0], th);
    }
}

/* One officer asks, another answers; all four casebooks say the same. */
static void test_colleagues_have_one_case(void **state)
{
    struct four four;
    struct referral_case found[2];
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C1").code, REFERRAL_OK);
    four_carry(&four);
    first_case(&four.th[1], &found[1]);
    assert_string_equal(found[1].state, "referred");
    assert_string_equal(found[1].side, "host");
    assert_int_equal(accept_first(&four.kh[1]).code, REFERRAL_OK);
    four_carry(&four);
    assert_state(&four.kh[0], "identity_released");
    assert_state(&four.kh[1], "identity_released");
    for (size_t i = 0; i < 2; i++) {
        first_case(&four.th[i], &found[i]);
        assert_string_equal(found[i].state, "identity_released");
        assert_string_equal(found[i].name_native, "SECRETNAME");
        assert_int_equal(state_count(&four.th[i], RG_IN_UNOPENED), 0);
        assert_int_equal(state_count(&four.kh[i], RG_IN_UNOPENED), 0);
    }
    four_close(&four);
}

static void own_gateway_refuses(struct desk *desk, enum rg_refusal code)
{
    struct carried carried = {.bytes = {0}};
    struct rg_message_row row[ROWS];
    size_t count = 0;
    assert_true(rg_is_ok(
        rg_spool_waiting(desk->office->spool, RG_ROUTINE, INT64_MAX, 0, row, ROWS, &count, NULL)));
    for (size_t i = 0; i < count; i++) {
        carried.envelope.id = row[i].id;
        struct rg_proven refused = proven(&carried, 0, desk->country, RG_ENTRY_REFUSED);
        carried.log_entry[0].code = code;
        assert_true(rg_is_ok(rg_inbox_proof(desk->office, &refused, NULL)));
    }
}

static void scopes_say(const struct desk *desk, const char *scopes)
{
    RG_OWNED_RECORD record = NULL;
    assert_true(rg_is_ok(rg_casebook_record_get(desk->office->book, 1, &record, NULL)));
    assert_true(
        rg_is_ok(rg_record_set(record, RG_FIELD_CONSENT_SCOPES, rg_bytes_of_text(scopes), NULL)));
    assert_true(rg_is_ok(rg_casebook_record_put(desk->office->book, 1, record, NULL)));
}

/* A section that she lets go is written whole; one that she keeps back may be left out. */
static void test_a_section_is_written_whole(void **state)
{
    struct pair *pair = *state;
    struct referral_written written;
    static const char risk[] = "{\"verdict\":\"SAFE\",\"assessed_on\":\"2026-11-24\","
                               "\"valid_to\":\"2027-01-20\",\"assessor\":"
                               "\"referral://th/focal/officer-1\"}";
    assert_int_equal(accept_first(&pair->kh).code, REFERRAL_OK);
    (void)carry_all(&pair->kh, &pair->th);
    scopes_say(&pair->th, "SHARE_IDENTITY;RETURN;SHARE_SECURITY");
    struct referral_result result = write_as(&pair->th, RG_KIND_RISK_ASSESSMENT, risk, &written);
    assert_string_equal(result.id, "form-required");
    assert_non_null(strstr(result.reason, "areas"));
    static const char concern[] = "{\"state\":\"OPEN\",\"kind\":\"THREAT\","
                                  "\"urgency\":\"urgent\"}"; /* an alert waits for no box */
    assert_int_equal(write_as(&pair->th, RG_KIND_SAFETY_CONCERN, concern, &written).code,
                     REFERRAL_OK);
    scopes_say(&pair->th, "SHARE_IDENTITY;RETURN");
    assert_int_equal(write_as(&pair->th, RG_KIND_RISK_ASSESSMENT, risk, &written).code,
                     REFERRAL_OK);
}

/* Refused on the way: no dead end. It goes once more, if the rules of that day allow it. */
static void test_what_came_back_is_sent_again(void **state)
{
    struct pair *pair = *state;
    struct desk *th = &pair->th;
    struct referral_case found;
    assert_int_equal(compose_as(th, "C2", "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(th->office, "C2").code, REFERRAL_OK);
    own_gateway_refuses(th, RG_REFUSE_EXPIRED);
    assert_int_equal(referral_case(th->office, "C2", &found).code, REFERRAL_OK);
    assert_string_equal(found.state, "returned");
    assert_true(found.our_move);
    th->office->stated_today = (struct rg_date){2099, 7, 1};
    struct referral_result result = referral_send(th->office, "C2");
    assert_string_equal(result.id, "consent-expired");
    th->office->stated_today = (struct rg_date){2099, 6, 30};
    assert_int_equal(referral_send(th->office, "C2").code, REFERRAL_OK);
    assert_int_equal(carry_all(th, &pair->kh), 1);
    assert_int_equal(referral_case(th->office, "C2", &found).code, REFERRAL_OK);
    assert_string_equal(found.state, "referred");
    assert_int_equal(state_count(&pair->kh, RG_IN_OPENED), 2); /* C1 and C2, each once */
}

/* Two officers answer at once: the first one counts, and the second one's casebook says so, and
 * has lost nothing. */
static void two_answers(bool copy_first)
{
    struct four four;
    struct referral_case found;
    struct carried carried;
    char id[REFERRAL_CASE_BYTES];
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C1").code, REFERRAL_OK);
    four_carry(&four);
    assert_int_equal(accept_first(&four.kh[0]).code, REFERRAL_OK);
    first_case(&four.kh[1], &found);
    (void)snprintf(id, sizeof(id), "%s", found.id);
    assert_int_equal(referral_decline(four.kh[1].office, id, "NO_CAPACITY", NULL).code,
                     REFERRAL_OK);
    if (!copy_first) {
        own_gateway_refuses(&four.kh[1], RG_REFUSE_ALREADY_DECIDED);
        assert_state(&four.kh[1], "referred");
    }
    assert_true(fetch(&four.kh[0], &four.th[0], 8000, &carried));
    deliver(&four.th[0], &carried);
    deliver(&four.th[1], &carried);
    carried.delivery.received = carried.delivery.accepted;
    deliver(&four.kh[1], &carried);
    rg_buffer_drop(&carried.bytes);
    if (copy_first) {
        own_gateway_refuses(&four.kh[1], RG_REFUSE_ALREADY_DECIDED);
    }
    assert_state(&four.kh[1], "accepted");
    four_carry(&four);
    assert_state(&four.kh[0], "identity_released");
    assert_state(&four.kh[1], "identity_released");
    first_case(&four.kh[1], &found);
    assert_string_equal(found.name_native, "SECRETNAME");
    four_close(&four);
}

static void test_two_answers_the_copy_first(void **state)
{
    (void)state;
    two_answers(true);
}

static void test_two_answers_the_refusal_first(void **state)
{
    (void)state;
    two_answers(false);
}

/* The first officer asks in one case, and has the second sign in another. */
static rg_outcome ask_across(struct desk *desk, const struct rg_case_file *about,
                             struct rg_case_file *in, struct rg_id *id_out)
{
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    static const char second[] = "referral://th/focal/officer-2";
    RG_CLEANUP(rg_prepared_drop) struct rg_prepared prepared = {.request = {.count = 0}};
    RG_OWNED_FORM form = NULL;
    RG_OWNED_FORM part = NULL;
    struct rg_reason why = {0};
    struct rg_home *home = desk->office->home;
    RG_TRY(rg_form_read_json(rg_kind_row(RG_KIND_SAFETY_CONCERN)->form, rg_bytes_of_text(concern),
                             &form, &why));
    RG_TRY(rg_form_part(form, RG_CLASS_CASE, &part, &why));
    struct rg_content content = {.kind = RG_KIND_SAFETY_CONCERN,
                                 .class_ = RG_CLASS_CASE,
                                 .handle = about->handle,
                                 .exercise = true,
                                 .made = rg_wall_now(),
                                 .body = RG_BODY_FORM,
                                 .form = part};
    (void)snprintf(content.author, sizeof(content.author), "%s", home->principal.text);
    (void)snprintf(content.second_author, sizeof(content.second_author), "%s", second);
    const struct rg_draft draft = {.to_office = about->partner,
                                   .thread = about->thread,
                                   .priority = RG_ROUTINE,
                                   .counter = 99,
                                   .content = &content,
                                   .count = 1};
    RG_TRY(rg_post_countersign_prepare(home, &draft, rg_wall_now(), &prepared, &why));
    struct rg_content asked = {
        .class_ = RG_CLASS_CASE, .body = RG_BODY_COUNTERSIGN, .countersign = prepared.request};
    struct rg_letter request = {.kind = RG_KIND_COUNTERSIGN_REQUEST,
                                .to_office = "th/focal",
                                .second = second,
                                .content = &asked,
                                .count = 1};
    rg_random(request.thread.b, sizeof(request.thread.b));
    return rg_office_post(desk->office, in, &request, id_out, &why);
}

static struct referral_result sign_across(struct four *four, const struct rg_case_file *about,
                                          struct rg_case_file *in)
{
    struct rg_id id;
    struct carried carried;
    struct referral_written sent;
    char hex[65];
    assert_true(rg_is_ok(ask_across(&four->th[0], about, in, &id)));
    assert_true(fetch(&four->th[0], &four->th[1], 9000, &carried));
    deliver(&four->th[1], &carried);
    rg_buffer_drop(&carried.bytes);
    rg_hex(rg_bytes_of(id.b, sizeof(id.b)), hex);
    return referral_countersign(four->th[1].office, hex, &sent);
}

static void test_a_request_to_sign_in_another_case(void **state)
{
    struct four four;
    RG_CASE_FILE one = {0};
    RG_CASE_FILE two = {0};
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(compose_as(&four.th[0], "C2", "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C1").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C2").code, REFERRAL_OK);
    four_carry(&four);
    case_load(&four.th[0], 0, &one);
    case_load(&four.th[0], one.row, &two);
    struct referral_result result = sign_across(&four, &one, &two);
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "draft-case");
    struct rg_case_file elsewhere = one;
    elsewhere.thread = two.thread; /* in the thread of another case */
    result = sign_across(&four, &elsewhere, &one);
    assert_string_equal(result.id, "draft-case");
    result = sign_across(&four, &one, &one); /* and the lawful one */
    assert_string_equal(result.id != NULL ? result.id : "", "");
    assert_int_equal(result.code, REFERRAL_OK);
    four_close(&four);
}

/* A claim that one officer opens holds for all of the office: no library answers by itself. */
static void test_colleagues_know_of_a_claim(void **state)
{
    struct four four;
    struct carried carried;
    struct referral_case found;
    struct referral_written written;
    RG_CASE_FILE file = {0};
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C1").code, REFERRAL_OK);
    four_carry(&four);
    assert_int_equal(write_as(&four.th[1], RG_KIND_SAFETY_CONCERN, concern, &written).code,
                     REFERRAL_OK);
    first_case(&four.th[0], &found);
    assert_int_equal(referral_claim(four.th[0].office, "C1", true, NULL).code, REFERRAL_OK);
    assert_true(fetch(&four.th[0], &four.th[1], 9000, &carried));
    assert_string_equal(carried.envelope.core.to_office[0], "th/focal");
    deliver(&four.th[1], &carried);
    rg_buffer_drop(&carried.bytes);
    case_load(&four.th[1], 0, &file);
    assert_true(file.protection_claim);
    assert_int_equal(state_count(&four.th[1], RG_OUT_WAITING), 0); /* nor does it answer this */
    assert_int_equal(accept_first(&four.kh[0]).code, REFERRAL_OK);
    four_carry(&four);
    assert_int_equal(state_count(&four.kh[0], RG_IN_OPENED), 1); /* the request, and no more */
    four_close(&four);
}

/* What one officer of an office says, her colleague's device takes; how many there were. */
static size_t tell(struct desk *from, struct desk *to)
{
    struct carried carried;
    size_t count = 0;
    for (uint64_t position = 9000; fetch(from, to, position, &carried); position++) {
        assert_string_equal(carried.envelope.core.to_office[0], "th/focal");
        deliver(to, &carried);
        deliver(to, &carried); /* doubled on the way */
        rg_buffer_drop(&carried.bytes);
        count++;
    }
    return count;
}

static size_t shut_out(const struct desk *desk, const struct rg_case_file *file, const char *who)
{
    struct rg_exclusions list;
    size_t found = 0;
    char text[256];
    assert_true(
        rg_is_ok(rg_casebook_exclusions_get(desk->office->book, file->row, &list, NULL, NULL)));
    for (size_t i = 0; i < list.count; i++) {
        rg_exclusion_print(&list.item[i], text, sizeof(text));
        found += strcmp(text, who) == 0;
    }
    return found;
}

/* A case that has not been referred yet is protected on the colleague's device too. */
static void test_colleagues_know_before_it_is_referred(void **state)
{
    static const char spy[] = "referral://kh/focal/officer-2";
    struct four four;
    RG_CASE_FILE own = {0};
    RG_CASE_FILE told = {0};
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_exclude(four.th[0].office, "C1", spy).code, REFERRAL_OK);
    assert_int_equal(referral_claim(four.th[0].office, "C1", true, NULL).code, REFERRAL_OK);
    assert_int_equal(tell(&four.th[0], &four.th[1]), 2);
    assert_int_equal(state_count(&four.th[1], RG_OUT_WAITING), 0);
    case_load(&four.th[0], 0, &own);
    case_load(&four.th[1], 0, &told);
    assert_memory_equal(told.handle.b, own.handle.b, sizeof(own.handle.b));
    assert_string_equal(told.host, "th");
    assert_string_equal(told.origin, "kh");
    assert_string_equal(told.reference, "C1");
    assert_true(told.protection_claim);
    assert_int_equal(shut_out(&four.th[1], &told, spy), 1);
    assert_int_equal(compose_as(&four.th[1], "C1", "2099-06-30").code, REFERRAL_OK);
    struct referral_result result = referral_send(four.th[1].office, "C1");
    assert_int_equal(result.code, REFERRAL_DENIED);
    assert_string_equal(result.id, "protection-claim");
    four_close(&four);
}

/* A colleague who is shut out herself is not told by whom, nor that she is. */
static void test_who_is_shut_out_is_not_told(void **state)
{
    struct four four;
    struct referral_case found;
    struct referral_cursor cursor = {0};
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(
        referral_exclude(four.th[0].office, "C1", "referral://th/focal/officer-2").code,
        REFERRAL_OK);
    assert_int_equal(tell(&four.th[0], &four.th[1]), 1);
    assert_int_equal(referral_next_case(four.th[1].office, &cursor, &found).code, REFERRAL_END);
    assert_int_equal(state_count(&four.th[1], RG_IN_OPENED), 0);
    four_close(&four);
}

/* Once told, a colleague's next message has no key for who is shut out. */
static void test_a_colleague_seals_without_who_is_shut_out(void **state)
{
    static const char spy[] = "referral://kh/focal/officer-2";
    static const char concern[] =
        "{\"state\":\"OPEN\",\"kind\":\"THREAT\",\"urgency\":\"urgent\",\"asked\":\"where\"}";
    struct four four;
    struct carried carried;
    struct referral_written written;
    RG_CASE_FILE told = {0};
    (void)state;
    four_open(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(referral_send(four.th[0].office, "C1").code, REFERRAL_OK);
    four_carry(&four);
    for (int i = 0; i < 2; i++) { /* at first she can read it */
        size_t opened = state_count(&four.kh[1], RG_IN_OPENED);
        assert_int_equal(write_as(&four.th[1], RG_KIND_SAFETY_CONCERN, concern, &written).code,
                         REFERRAL_OK);
        assert_true(fetch(&four.th[1], &four.kh[1], 9100 + (uint64_t)i, &carried));
        deliver(&four.kh[0], &carried);
        deliver(&four.kh[1], &carried);
        rg_buffer_drop(&carried.bytes);
        assert_int_equal(state_count(&four.kh[0], RG_IN_OPENED), 2 + i);
        assert_int_equal(state_count(&four.kh[1], RG_IN_OPENED) - opened, i == 0 ? 1 : 0);
        if (i == 0) {
            assert_int_equal(referral_exclude(four.th[0].office, "C1", spy).code, REFERRAL_OK);
            assert_int_equal(tell(&four.th[0], &four.th[1]), 1);
            case_load(&four.th[1], 0, &told);
            assert_int_equal(shut_out(&four.th[1], &told, spy), 1);
        }
    }
    four_close(&four);
}

static rg_outcome page_offer(void *context, const struct rg_document *document,
                             struct rg_reason *why)
{
    enum rg_news news;
    return document->kind == RG_DOC_PAGE
               ? rg_trust_offer(context, document, rg_wall_now(), &news, why)
               : rg_ok();
}

/* A new page of Thailand, on which officer-2 is not cleared for `security`. */
static void clear_less(struct four *four)
{
    char command[2048];
    char path[128];
    struct desk *all[] = {&four->th[0], &four->th[1]};
    (void)snprintf(
        command, sizeof(command),
        "cd '%s' && mkdir less && h=$(sha256sum < trust/page-th.cfg | cut -c1-64) && "
        "sed '/th\\/focal\\/officer-2/{n;s/,\"security\"//};s/counter = \"1\"/counter = \"2\"/;"
        "s/previous = \"\"/previous = \"'$h'\"/' trust/page-th.cfg >less/page-th.cfg && "
        "openssl cms -sign -binary -nocerts -nosmimecap -md sha256 -outform DER "
        "-signer th/publisher.pem -inkey th/publisher.key -in less/page-th.cfg "
        "-out less/page-th.cfg.p7s",
        pki);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own words */
    (void)snprintf(path, sizeof(path), "%s/less", pki);
    for (size_t i = 0; i < 2; i++) {
        struct rg_trust *trust = all[i]->office->home->trust;
        assert_true(rg_is_ok(rg_document_read_folder(path, page_offer, trust, NULL)));
        assert_int_equal(rg_trust_counter(trust, RG_DOC_PAGE, "th"), 2);
    }
    remove_folder(path);
}

/* Who is not cleared for security learns of a claim, but not that anybody is shut out. */
static void test_who_is_not_cleared_learns_nothing_of_a_list(void **state)
{
    struct four four;
    struct referral_case found;
    struct referral_cursor cursor = {0};
    RG_CASE_FILE told = {0};
    (void)state;
    four_open(&four);
    clear_less(&four);
    assert_int_equal(compose_until(&four.th[0], "2099-06-30").code, REFERRAL_OK);
    assert_int_equal(
        referral_exclude(four.th[0].office, "C1", "referral://kh/focal/officer-2").code,
        REFERRAL_OK);
    assert_int_equal(tell(&four.th[0], &four.th[1]), 1);
    assert_int_equal(referral_next_case(four.th[1].office, &cursor, &found).code, REFERRAL_END);
    assert_int_equal(state_count(&four.th[1], RG_IN_OPENED), 0);
    assert_int_equal(referral_claim(four.th[0].office, "C1", true, NULL).code, REFERRAL_OK);
    assert_int_equal(tell(&four.th[0], &four.th[1]), 1);
    case_load(&four.th[1], 0, &told);
    assert_true(told.protection_claim);
    assert_int_equal(shut_out(&four.th[1], &told, "referral://kh/focal/officer-2"), 0);
    four_close(&four);
}

static int pki_make(void **state)
{
    char command[384];
    (void)state;
    (void)snprintf(pki, sizeof(pki), "/tmp/rg-inbox-pki-XXXXXX");
    if (mkdtemp(pki) == NULL) {
        return 1;
    }
    (void)snprintf(command, sizeof(command),
                   "'%s/certs/dev-pki' '%s/all' --countries kh,th >/dev/null 2>&1", RG_SOURCE_DIR,
                   pki);
    int result = system(command); /* NOLINT(cert-env33-c): our own script */
    (void)strncat(pki, "/all", sizeof(pki) - strlen(pki) - 1);
    return result;
}

static int pki_drop(void **state)
{
    (void)state;
    pki[strlen(pki) - strlen("/all")] = '\0';
    remove_folder(pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colleagues_have_one_case),
        cmocka_unit_test(test_two_answers_the_copy_first),
        cmocka_unit_test(test_two_answers_the_refusal_first),
        cmocka_unit_test(test_a_request_to_sign_in_another_case),
        cmocka_unit_test(test_colleagues_know_of_a_claim),
        cmocka_unit_test(test_colleagues_know_before_it_is_referred),
        cmocka_unit_test(test_who_is_shut_out_is_not_told),
        cmocka_unit_test(test_a_colleague_seals_without_who_is_shut_out),
        cmocka_unit_test(test_who_is_not_cleared_learns_nothing_of_a_list),
        TEST(test_a_fresh_alert_is_passed_on),
        TEST(test_the_mail_comes_before_the_alert),
        TEST(test_a_clock_that_lies),
        TEST(test_missing_is_said_without_consent),
        TEST(test_a_new_road_after_a_withdrawal),
        TEST(test_an_alert_before_anything_has_left),
        TEST(test_a_proposed_case_is_withdrawn_here),
        TEST(test_a_withheld_section_beside_a_form),
        TEST(test_consent_that_the_other_side_made_up),
        TEST(test_an_order_to_erase_what_is_ours),
        TEST(test_a_draft_of_two_kinds),
        TEST(test_a_claim_holds_what_waits),
        TEST(test_a_claim_by_import),
        TEST(test_protections_go_along),
        TEST(test_the_whole_way),
        TEST(test_what_came_back_is_sent_again),
        TEST(test_a_section_is_written_whole),
        TEST(test_accept_without_cards_is_acted_on_later),
        TEST(test_only_this_sessions_positions_are_confirmed),
        TEST(test_broken_proofs_then_good_ones),
        TEST(test_an_answer_in_another_thread),
        TEST(test_details_wait_for_consent),
        TEST(test_the_rules_count_when_it_is_sent),
        TEST(test_details_that_cannot_be_sealed),
        TEST(test_refused_after_received),
        TEST(test_mail_of_others),
        TEST(test_an_unknown_signer_is_tried_again_with_a_new_page),
        TEST(test_a_case_of_another_host),
        TEST(test_nothing_is_readable_at_rest),
        TEST(test_the_request_shows_the_preview_only),
        TEST(test_content_that_names_a_colleague),
        TEST(test_sections_about_two_cases),
        TEST(test_real_work_into_an_exercise),
        TEST(test_sections_of_two_signers),
        TEST(test_a_section_that_was_not_committed_to),
        TEST(test_an_answer_to_another_request),
        TEST(test_an_answer_of_another_office),
        TEST(test_a_proof_of_a_third_log),
        TEST(test_what_is_not_agreed_to_is_withheld),
        TEST(test_a_signer_is_judged_at_the_accepted_time),
        TEST(test_a_message_from_abroad_to_an_ngo),
    };
    return cmocka_run_group_tests_name("inbox", tests, pki_make, pki_drop);
}
