/* post: who can open what, tried with everybody's keys; sections passed on; two officers. Two
 * countries with all their desks, no network. */
#include "client/post_inside.h"
#include "core/card.h"
#include "core/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLASSES RG_CLASS_COUNT
#define ALL_DESKS (RG_DESKS_USUAL | RG_DESK_BIT(RG_DESK_JUSTICE) | RG_DESK_BIT(RG_DESK_CHILD))

#define ASSERT_OK(expression)                                                                      \
    do {                                                                                           \
        why = (struct rg_reason){0};                                                               \
        rg_outcome outcome_ = (expression);                                                        \
        if (!rg_is_ok(outcome_)) {                                                                 \
            print_error("%s: %s\n", why.id, why.text);                                             \
        }                                                                                          \
        assert_true(rg_is_ok(outcome_));                                                           \
    } while (0)
#define ASSERT_REFUSED(expression, code_, id_)                                                     \
    do {                                                                                           \
        why = (struct rg_reason){0};                                                               \
        rg_outcome outcome_ = (expression);                                                        \
        assert_non_null(why.id);                                                                   \
        assert_string_equal(why.id, id_);                                                          \
        assert_int_equal(outcome_.code, code_);                                                    \
    } while (0)

static struct rg_reason why;
static char folder[64]; /* of the development PKI and all homes */

static const struct {
    const char *office, *officer;
} people[] = {
    {"focal", "officer-1"},     {"focal", "officer-2"},     {"social", "officer-1"},
    {"verify", "officer-1"},    {"border", "officer-1"},    {"health", "officer-1"},
    {"justice", "officer-1"},   {"child", "officer-1"},     {"ngo-beta", "officer-1"},
    {"ngo-alpha", "officer-1"}, {"ngo-alpha", "officer-2"},
};
enum who {
    FOCAL_1,
    FOCAL_2,
    SOCIAL,
    VERIFY,
    BORDER,
    HEALTH,
    JUSTICE,
    CHILD,
    BETA,
    ALPHA_1,
    ALPHA_2,
    PEOPLE
};
_Static_assert(sizeof(people) / sizeof(people[0]) == PEOPLE, "one row for each");
enum where { LA, TH, COUNTRIES };
static const char *const countries[] = {"la", "th"};
static struct rg_home *home[COUNTRIES][PEOPLE];

/* ---- the world ---- */

static void home_path(enum where country, enum who who, char out[192])
{
    (void)snprintf(out, 192, "%s/%s-%s-%s", folder, countries[country], people[who].office,
                   people[who].officer);
}

static void config_write(enum where country, enum who who)
{
    char path[256];
    char keys[256];
    home_path(country, who, path);
    (void)strncat(path, "/client.cfg", sizeof(path) - strlen(path) - 1);
    (void)snprintf(keys, sizeof(keys), "%s/pki/%s/%s/%s", folder, countries[country],
                   people[who].office, people[who].officer);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    (void)fprintf(
        out,
        "office = \"%s/%s\";\nofficer = \"%s\";\ndevice = \"desk\";\n"
        "gateway = \"127.0.0.1:1\";\nexercise = true;\n"
        "keys = { sign = \"%s/sign.pem\"; sign_key = \"%s/sign.key\"; "
        "tls = \"%s/tls.pem\"; tls_key = \"%s/tls.key\"; };\n"
        "trust = { folder = \"%s/pki/%s/trust\"; quorum = \"2\"; "
        "authorities = ( \"%s/pki/authority/la.pem\", \"%s/pki/authority/th.pem\" ); };\n",
        countries[country], people[who].office, people[who].officer, keys, keys, keys, keys, folder,
        countries[country], folder, folder);
    assert_int_equal(fclose(out), 0);
}

static struct rg_home *home_of(enum where country, enum who who)
{
    struct rg_home *opened = NULL;
    char path[192];
    home_path(country, who, path);
    ASSERT_OK(rg_home_open(path, rg_wall_now(), &opened, &why));
    return opened;
}

/* As gateways spread them: no domestic card leaves its country. */
static void cards_give(const struct rg_home *from, struct rg_home *to)
{
    const struct rg_document *card = NULL;
    enum rg_news news;
    bool abroad = strcmp(from->principal.country, to->principal.country) != 0;
    for (size_t i = 0; (card = rg_trust_document(from->trust, RG_DOC_KEY_CARD,
                                                 from->principal.country, i)) != NULL;
         i++) {
        if (!abroad || !rg_trust_is_domestic(from->trust, card)) {
            ASSERT_OK(rg_trust_offer(to->trust, card, rg_wall_now(), &news, &why));
        }
    }
}

static void card_give(const struct rg_home *from, struct rg_home *to)
{
    const struct rg_document *card = NULL;
    enum rg_news news;
    for (size_t i = 0; (card = rg_trust_document(from->trust, RG_DOC_KEY_CARD,
                                                 from->principal.country, i)) != NULL;
         i++) {
        struct rg_principal principal;
        ASSERT_OK(rg_card_claim(rg_buffer_peek(&card->text), &principal, &why));
        if (strcmp(principal.text, from->principal.text) == 0) {
            ASSERT_OK(rg_trust_offer(to->trust, card, rg_wall_now(), &news, &why));
        }
    }
}

static void cards_give_all(struct rg_home *to)
{
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            if (home[c][p] != to) {
                cards_give(home[c][p], to);
            }
        }
    }
}

static int run(const char *program, const char *path, const char *rest)
{
    char command[1024];
    (void)snprintf(command, sizeof(command), "%s '%s'%s", program, path, rest);
    return system(command); /* NOLINT(cert-env33-c): our own script and folder */
}

static int world_make(void **state)
{
    bool made = false;
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/rg-post-XXXXXX");
    if (mkdtemp(folder) == NULL || run("'" RG_SOURCE_DIR "/certs/dev-pki'", folder,
                                       "/pki --countries la,th --desks >/dev/null") != 0) {
        return 1;
    }
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            char path[192];
            home_path((enum where)c, (enum who)p, path);
            assert_int_equal(run("mkdir -m 700", path, ""), 0);
            config_write((enum where)c, (enum who)p);
            home[c][p] = home_of((enum where)c, (enum who)p);
            ASSERT_OK(rg_home_renew(home[c][p], rg_wall_now(), &made, &why));
        }
    }
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            cards_give_all(home[c][p]);
        }
    }
    return 0;
}

static int world_drop(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            rg_home_close(home[c][p]);
        }
    }
    return run("rm -rf", folder, "");
}

/* ---- a message ---- */

struct letter {
    struct rg_content content[CLASSES];
    struct rg_draft draft;
    struct rg_buffer bytes;
    struct rg_envelope envelope;
    struct rg_id id;
};

static struct rg_content content_of(const struct rg_home *author, uint32_t kind,
                                    enum rg_class class_)
{
    struct rg_content content = {.kind = kind,
                                 .class_ = class_,
                                 .handle.b = {7},
                                 .has_answers = true,
                                 .answers.b = {1},
                                 .exercise = true,
                                 .made = rg_wall_now(),
                                 .body = RG_BODY_DETAILS};
    (void)snprintf(content.author, sizeof(content.author), "%s", author->principal.text);
    return content;
}

/* REFERRAL_DETAILS with all six sections. */
static void letter_begin(struct letter *letter, const struct rg_home *author, const char *to)
{
    *letter = (struct letter){0};
    for (size_t i = 0; i < CLASSES; i++) {
        letter->content[i] = content_of(author, RG_KIND_DETAILS, (enum rg_class)(i + 1));
        letter->draft.readers.desks[i] = ALL_DESKS;
    }
    letter->draft.to_office = to;
    letter->draft.thread.b[0] = 1;
    letter->draft.priority = RG_ROUTINE;
    letter->draft.counter = 1;
    letter->draft.content = letter->content;
    letter->draft.count = CLASSES;
}

static void letter_seal(struct letter *letter, struct rg_home *author)
{
    ASSERT_OK(
        rg_post_seal(author, &letter->draft, rg_wall_now(), &letter->bytes, &letter->id, &why));
    ASSERT_OK(rg_envelope_peek(rg_buffer_peek(&letter->bytes), &letter->envelope, &why));
}

static void letter_drop(struct letter *letter)
{
    rg_buffer_drop(&letter->bytes);
}

/* With the bare keys, whatever the header says. */
static bool can_open(const struct rg_home *reader, struct rg_bytes sealed)
{
    RG_OWNED_BUFFER plain = {.secret = true};
    return rg_is_ok(rg_unseal(sealed, reader->reading, reader->reading_count, &plain, NULL));
}

/* "cif-l-": the classes that one person can open, in their order. */
static void opens(const struct rg_home *reader, const struct rg_envelope *envelope,
                  char out[CLASSES + 1])
{
    static const char letters[] = "cifhls";
    for (size_t i = 0; i < envelope->core.section_count; i++) {
        out[i] = '-';
        out[i] = can_open(reader, envelope->sealed[i]) ? letters[i] : out[i];
    }
    out[envelope->core.section_count] = '\0';
}

typedef const char *matrix[COUNTRIES][PEOPLE];

static void assert_matrix(const struct letter *letter, const matrix expected)
{
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            char got[CLASSES + 1];
            const char *wanted = expected[c][p] != NULL ? expected[c][p] : "------";
            opens(home[c][p], &letter->envelope, got);
            if (strcmp(got, wanted) != 0) {
                fail_msg("%s opens %s, should open %s", home[c][p]->principal.text, got, wanted);
            }
        }
    }
}

/* ---- who reads ---- */

static void test_class_by_desk(void **state)
{
    (void)state;
    struct letter letter;
    letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
    letter_seal(&letter, home[TH][FOCAL_1]);
    assert_matrix(&letter, (const matrix){
                               [LA] = {[FOCAL_1] = "cif-ls",
                                       [FOCAL_2] = "cif-ls",
                                       [SOCIAL] = "cif---",
                                       [VERIFY] = "-i----",
                                       [HEALTH] = "---h--",
                                       [JUSTICE] = "ci--l-",
                                       [CHILD] = "cif---"},
                               [TH] = {[FOCAL_1] = "cifhls", /* the author */
                                       [FOCAL_2] = "cif-ls",
                                       [SOCIAL] = "cif---",
                                       [VERIFY] = "-i----",
                                       [HEALTH] = "---h--",
                                       [JUSTICE] = "ci--l-",
                                       [CHILD] = "cif---"},
                           });
    letter_drop(&letter);
}

/* Justice without the person's word, the child desk for an adult: nothing. */
static void test_usual_desks(void **state)
{
    (void)state;
    struct letter letter;
    letter_begin(&letter, home[LA][FOCAL_2], "th/focal");
    memset(letter.draft.readers.desks, 0, sizeof(letter.draft.readers.desks));
    letter.draft.readers.desks[1] = RG_DESKS_USUAL & ~RG_DESK_BIT(RG_DESK_VERIFY);
    letter.draft.readers.assigned = "la/ngo-alpha";
    letter_seal(&letter, home[LA][FOCAL_2]);
    assert_matrix(&letter, (const matrix){
                               [LA] = {[FOCAL_1] = "cif-ls",
                                       [FOCAL_2] = "cifhls",
                                       [SOCIAL] = "cif---",
                                       [HEALTH] = "---h--",
                                       [ALPHA_1] = "cif---",
                                       [ALPHA_2] = "cif---"},
                               [TH] = {[FOCAL_1] = "cif-ls",
                                       [FOCAL_2] = "cif-ls",
                                       [SOCIAL] = "cif---",
                                       [HEALTH] = "---h--"},
                           });
    letter_drop(&letter);
}

/* Consent that names the social desk alone: the focal point itself does not read that section. */
static void test_consent_that_names_one_desk(void **state)
{
    (void)state;
    struct letter letter;
    char got[CLASSES + 1];
    letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
    letter.draft.readers.desks[2] = RG_DESK_BIT(RG_DESK_SOCIAL);
    letter_seal(&letter, home[TH][FOCAL_1]);
    opens(home[LA][FOCAL_1], &letter.envelope, got);
    assert_string_equal(got, "ci--ls");
    opens(home[LA][SOCIAL], &letter.envelope, got);
    assert_string_equal(got, "cif---");
    opens(home[LA][CHILD], &letter.envelope, got);
    assert_string_equal(got, "ci----");
    letter_drop(&letter);
}

/* Inside a country: the two offices, nobody else; the case section whatever the desk is cleared
 * for. */
static void test_domestic(void **state)
{
    (void)state;
    struct letter letter;
    letter_begin(&letter, home[TH][FOCAL_1], "th/border");
    letter.draft.count = 1;
    letter_seal(&letter, home[TH][FOCAL_1]);
    assert_matrix(&letter, (const matrix){
                               [LA] = {"-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"},
                               [TH] = {"c", "c", "-", "-", "c", "-", "-", "-", "-", "-", "-"},
                           });
    letter_drop(&letter);
    letter_begin(&letter, home[TH][FOCAL_1], "th/border");
    letter.draft.content = &letter.content[1]; /* identity: not for a handover officer */
    letter.draft.count = 1;
    ASSERT_REFUSED(rg_post_seal(home[TH][FOCAL_1], &letter.draft, rg_wall_now(), &letter.bytes,
                                &letter.id, &why),
                   RG_DENIED, "readers-class");
    letter_drop(&letter);
}

/* A draft for the own focal point: it reads the case section; the rest is for the final readers. */
static void test_draft_for_final_readers(void **state)
{
    (void)state;
    struct letter letter;
    letter_begin(&letter, home[TH][ALPHA_1], "th/focal");
    letter.draft.readers.final_country = "la";
    letter_seal(&letter, home[TH][ALPHA_1]);
    assert_matrix(&letter, (const matrix){
                               [LA] = {[FOCAL_1] = "-if-ls",
                                       [FOCAL_2] = "-if-ls",
                                       [SOCIAL] = "-if---",
                                       [VERIFY] = "-i----",
                                       [HEALTH] = "---h--",
                                       [JUSTICE] = "-i--l-",
                                       [CHILD] = "-if---"},
                               [TH] = {[FOCAL_1] = "cif-ls",
                                       [FOCAL_2] = "cif-ls",
                                       [SOCIAL] = "-if---",
                                       [VERIFY] = "-i----",
                                       [HEALTH] = "---h--",
                                       [JUSTICE] = "-i--l-",
                                       [CHILD] = "-if---",
                                       [ALPHA_1] = "cifhls",
                                       [ALPHA_2] = "cif---"},
                           });
    letter_drop(&letter);
}

/* An NGO that crosses in an emergency: its own focal point is told, and can read it. */
static void test_alert_tells_the_own_focal_point(void **state)
{
    (void)state;
    struct letter letter;
    letter_begin(&letter, home[TH][BETA], "la/focal");
    letter.draft.count = 1;
    letter_seal(&letter, home[TH][BETA]);
    assert_int_equal(letter.envelope.core.section[0].office_count, 3);
    assert_string_equal(letter.envelope.core.section[0].office[2], "th/focal");
    assert_true(can_open(home[TH][FOCAL_1], letter.envelope.sealed[0]));
    assert_true(can_open(home[TH][FOCAL_2], letter.envelope.sealed[0]));
    assert_true(can_open(home[LA][FOCAL_1], letter.envelope.sealed[0]));
    assert_false(can_open(home[LA][BETA], letter.envelope.sealed[0]));
    letter_drop(&letter);
}

/* ---- exclusions ---- */

static struct rg_exclusions excluding(const char *first, const char *second)
{
    const char *const text[] = {first, second};
    struct rg_exclusions list = {.count = 0};
    for (size_t i = 0; i < 2 && text[i] != NULL; i++) {
        struct rg_exclusion entry;
        ASSERT_OK(rg_exclusion_parse(text[i], &entry, &why));
        ASSERT_OK(rg_exclusions_add(&list, &entry, &why));
    }
    return list;
}

/* The wraps begin each envelope; all else in it has a fixed form. */
static size_t wraps_of(struct rg_bytes sealed)
{
    static const uint8_t head[] = {0xa1, 0x81, 0xb3};
    size_t count = 0;
    for (size_t i = 0; i + sizeof(head) <= sealed.len && i < 6500; i++) {
        count += memcmp(sealed.data + i, head, sizeof(head)) == 0;
    }
    return count;
}

static void test_excluded_officers_leave_no_gap(void **state)
{
    (void)state;
    struct letter whole;
    struct letter less;
    struct rg_exclusions list = excluding("referral://la/focal/officer-2", "la/health");
    struct rg_exclusions more = excluding("la/social", "th/focal");
    list.item[list.count++] = more.item[0];
    letter_begin(&whole, home[TH][FOCAL_1], "la/focal");
    letter_seal(&whole, home[TH][FOCAL_1]);
    letter_begin(&less, home[TH][FOCAL_1], "la/focal");
    less.draft.count = 3; /* health has nobody left there */
    less.draft.readers.excluded = &list;
    letter_seal(&less, home[TH][FOCAL_1]);
    for (size_t i = 0; i < less.envelope.core.section_count; i++) {
        assert_false(can_open(home[LA][FOCAL_2], less.envelope.sealed[i]));
        assert_false(can_open(home[LA][SOCIAL], less.envelope.sealed[i]));
        assert_true(can_open(home[LA][FOCAL_1], less.envelope.sealed[i]));
        assert_int_equal(wraps_of(less.envelope.sealed[i]), wraps_of(whole.envelope.sealed[i]));
        assert_int_equal(rg_seal_wraps(wraps_of(less.envelope.sealed[i])),
                         wraps_of(less.envelope.sealed[i]));
    }
    letter_drop(&whole);
    letter_drop(&less);
}

/* A colleague of the own office too; the author always reads. */
static void test_own_office_excluded(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_exclusions list = excluding("th/focal", "referral://th/social/officer-1");
    letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
    letter.draft.readers.excluded = &list;
    letter_seal(&letter, home[TH][FOCAL_1]);
    char got[CLASSES + 1];
    opens(home[TH][FOCAL_1], &letter.envelope, got);
    assert_string_equal(got, "cifhls");
    opens(home[TH][FOCAL_2], &letter.envelope, got);
    assert_string_equal(got, "------");
    opens(home[TH][SOCIAL], &letter.envelope, got);
    assert_string_equal(got, "------");
    opens(home[TH][CHILD], &letter.envelope, got);
    assert_string_equal(got, "cif---");
    letter_drop(&letter);
}

static void test_nobody_left_is_not_available(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_exclusions list = excluding("la/health", NULL);
    letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
    letter.draft.readers.excluded = &list;
    ASSERT_REFUSED(rg_post_seal(home[TH][FOCAL_1], &letter.draft, rg_wall_now(), &letter.bytes,
                                &letter.id, &why),
                   RG_DENIED, "not-available");
    assert_null(strstr(why.text, "exclu"));
    list = excluding("la/focal", NULL); /* desks would remain, but nobody to open the message */
    ASSERT_REFUSED(rg_post_seal(home[TH][FOCAL_1], &letter.draft, rg_wall_now(), &letter.bytes,
                                &letter.id, &why),
                   RG_DENIED, "not-available");
    letter_drop(&letter);
}

/* A new page of LA that clears its justice desk for `security` too. */
static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *reason)
{
    enum rg_news news;
    return document->kind == RG_DOC_PAGE
               ? rg_trust_offer(context, document, rg_wall_now(), &news, reason)
               : rg_ok();
}

static void publish_more_clearances(struct rg_home *reader)
{
    char path[128];
    assert_int_equal(run("cd", folder,
                         " && mkdir more && h=$(sha256sum < pki/trust/page-la.cfg | cut -c1-64) && "
                         "sed 's/,\"legal\")/,\"legal\",\"security\")/; "
                         "s/counter = \"1\"/counter = \"2\"/; s/previous = \"\"/previous = "
                         "\"'$h'\"/' pki/trust/page-la.cfg >more/page-la.cfg && "
                         "openssl cms -sign -binary -nocerts -nosmimecap -md sha256 -outform DER "
                         "-signer pki/la/publisher.pem -inkey pki/la/publisher.key "
                         "-in more/page-la.cfg -out more/page-la.cfg.p7s"),
                     0);
    (void)snprintf(path, sizeof(path), "%s/more", folder);
    ASSERT_OK(rg_document_read_folder(path, offer, reader->trust, &why));
    assert_int_equal(rg_trust_counter(reader->trust, RG_DOC_PAGE, "la"), 2);
}

/* The focal office's come first; a third does not move up when one of the two is excluded. */
static void test_security_is_for_two_named_officers(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_home *author = home_of(TH, FOCAL_1);
    struct rg_exclusions list = excluding("referral://la/focal/officer-1", NULL);
    publish_more_clearances(author);
    cards_give_all(author);
    for (size_t round = 0; round < 2; round++) {
        letter_begin(&letter, author, "la/focal");
        letter.draft.readers.excluded = round == 1 ? &list : NULL;
        letter_seal(&letter, author);
        assert_int_equal(can_open(home[LA][FOCAL_1], letter.envelope.sealed[5]), round == 0);
        assert_true(can_open(home[LA][FOCAL_2], letter.envelope.sealed[5]));
        assert_false(can_open(home[LA][JUSTICE], letter.envelope.sealed[5]));
        assert_true(can_open(home[LA][JUSTICE], letter.envelope.sealed[4]));
        letter_drop(&letter);
    }
    rg_home_close(author);
}

/* A desk whose officer has no key card yet, while another office can read: no error. */
static void test_missing_cards(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_home *alone = home_of(TH, FOCAL_1);
    letter_begin(&letter, alone, "la/focal");
    letter.draft.count = 1;
    ASSERT_REFUSED(
        rg_post_seal(alone, &letter.draft, rg_wall_now(), &letter.bytes, &letter.id, &why),
        RG_AGAIN, "readers-none");
    card_give(home[LA][FOCAL_1], alone);
    letter_seal(&letter, alone);
    assert_true(can_open(home[LA][FOCAL_1], letter.envelope.sealed[0]));
    assert_false(can_open(home[LA][SOCIAL], letter.envelope.sealed[0]));
    letter_drop(&letter);
    letter.draft.content = &letter.content[3]; /* health, and no health desk has a card */
    ASSERT_REFUSED(
        rg_post_seal(alone, &letter.draft, rg_wall_now(), &letter.bytes, &letter.id, &why),
        RG_DENIED, "readers-class");
    rg_home_close(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_by_desk),
        cmocka_unit_test(test_usual_desks),
        cmocka_unit_test(test_consent_that_names_one_desk),
        cmocka_unit_test(test_domestic),
        cmocka_unit_test(test_draft_for_final_readers),
        cmocka_unit_test(test_alert_tells_the_own_focal_point),
        cmocka_unit_test(test_excluded_officers_leave_no_gap),
        cmocka_unit_test(test_own_office_excluded),
        cmocka_unit_test(test_nobody_left_is_not_available),
        cmocka_unit_test(test_security_is_for_two_named_officers),
        cmocka_unit_test(test_missing_cards),
    };
    return cmocka_run_group_tests_name("post", tests, world_make, world_drop);
}
