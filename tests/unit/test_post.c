/* post: who can open what, tried with everybody's keys; sections passed on; two officers. Two
 * countries with all their desks, no network. */
#include "client/post_inside.h"
#include "core/card.h"
#include "core/digest.h"
#include "core/settings.h"
#include "core/signature.h"
#include "core/trust.h"
#include "tests/unit/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLASSES RG_CLASS_COUNT
#define ALL_DESKS (RG_DESKS_USUAL | RG_ROLE_BIT(RG_ROLE_JUSTICE) | RG_ROLE_BIT(RG_ROLE_CHILD))

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
    letter.draft.readers.desks[1] = RG_DESKS_USUAL & ~RG_ROLE_BIT(RG_ROLE_VERIFY);
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
    letter.draft.readers.desks[2] = RG_ROLE_BIT(RG_ROLE_SOCIAL);
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

/* Inside a country a desk or an NGO speaks with its focal point alone, and of what crosses borders
 * it makes drafts: it can give no order and no consent in a case. */
static void test_domestic_from_an_ngo(void **state)
{
    (void)state;
    static const struct {
        enum who author, reader;
        const char *to;
    } row[] = {{ALPHA_1, FOCAL_1, "th/focal"},
               {ALPHA_1, BETA, "th/ngo-beta"},
               {SOCIAL, CHILD, "th/child"}};
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct letter letter;
        RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
        letter_begin(&letter, home[TH][row[i].author], row[i].to);
        letter.draft.count = 1;
        letter_seal(&letter, home[TH][row[i].author]);
        ASSERT_REFUSED(rg_post_open(home[TH][row[i].reader], &letter.envelope, rg_wall_now(),
                                    rg_wall_now(), &opened, &why),
                       RG_DENIED, "content-way");
        assert_null(opened.first);
        letter_drop(&letter);
    }
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

/* A desk or an NGO seals without knowing the list of the case: the focal point does not pass that
 * on. */
static void test_what_an_excluded_officer_could_open_stays(void **state)
{
    (void)state;
    static const struct {
        const char *who;
        enum rg_class class_;
        bool stays;
    } row[] = {
        {"la/health", RG_CLASS_HEALTH, true},
        {"la/health", RG_CLASS_IDENTITY, false},
        {"la/child", RG_CLASS_FAMILY, true},
        {"referral://la/focal/officer-2", RG_CLASS_IDENTITY, true},
        {"referral://la/focal/officer-2", RG_CLASS_HEALTH, false},
        {"th/social", RG_CLASS_IDENTITY, false},
        {"point TH-LA-1", RG_CLASS_IDENTITY, false},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rg_exclusions list = excluding(row[i].who, NULL);
        why = (struct rg_reason){0};
        rg_outcome outcome = rg_post_forward_clear(home[TH][FOCAL_1], &list, "la/focal",
                                                   row[i].class_, rg_wall_now(), &why);
        assert_int_equal(rg_is_ok(outcome), !row[i].stays);
        assert_string_equal(row[i].stays ? why.id : "not-available", "not-available");
    }
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

/* ---- more readers than a section has places ---- */

struct crowd { /* officers that LA's focal office gains */
    struct rg_certificate *sign[RG_READERS_MAX];
    struct rg_key *key[RG_READERS_MAX];
    struct rg_buffer page;
};

static void crowd_officer(struct crowd *crowd, size_t at, const struct rg_certificate *root,
                          const struct rg_key *root_key)
{
    char uri[RG_PRINCIPAL_BYTES];
    char text[256];
    (void)snprintf(uri, sizeof(uri), "referral://la/focal/officer-%zu", at + 10);
    struct forge forge = {.kind = FORGE_SIGN, .uri = uri, .until_s = INT64_C(4102444800)};
    crowd->sign[at] = forge_certificate(&forge, root, root_key, &crowd->key[at]);
    (void)snprintf(text, sizeof(text), "{ principal = \"%s\"; clearance = (\"case\"); sign = (\"",
                   uri);
    ASSERT_OK(rg_buffer_append_text(&crowd->page, text, &why));
    ASSERT_OK(rg_base64(rg_certificate_der(crowd->sign[at]), &crowd->page, &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, "\"); tls = (); },\n", &why));
}

/* The page after the present one, with so many more officers. */
static void crowd_make(struct crowd *crowd, size_t count)
{
    RG_OWNED_BUFFER page = {0};
    RG_OWNED_CERTIFICATE *root = NULL;
    RG_OWNED_KEY *root_key = NULL;
    char path[128];
    char hex[65];
    (void)snprintf(path, sizeof(path), "%s/pki/la/root.pem", folder);
    ASSERT_OK(rg_certificate_read(path, &root, &why));
    (void)snprintf(path, sizeof(path), "%s/pki/la/root.key", folder);
    ASSERT_OK(rg_key_read(path, &root_key, &why));
    (void)snprintf(path, sizeof(path), "%s/pki/trust/page-la.cfg", folder);
    ASSERT_OK(rg_file_read(path, RG_DOCUMENT_BYTES_MAX, &page, &why));
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&page));
    rg_hex(rg_bytes_of(hash.b, sizeof(hash.b)), hex);
    ASSERT_OK(rg_buffer_append(&page, rg_bytes_of("", 1), &why));
    char *rest = strstr((char *)page.data, "counter = \"1\";\nprevious = \"\";\n");
    char *officers = strstr((char *)page.data, "officers = (\n");
    assert_true(rest != NULL && officers != NULL && rest < officers);
    *rest = '\0';
    rest += strlen("counter = \"1\";\nprevious = \"\";\n");
    officers[strlen("officers = (")] = '\0';
    ASSERT_OK(rg_buffer_append_text(&crowd->page, (char *)page.data, &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, "counter = \"2\";\nprevious = \"", &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, hex, &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, "\";\n", &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, rest, &why));
    ASSERT_OK(rg_buffer_append_text(&crowd->page, "\n", &why));
    for (size_t i = 0; i < count; i++) {
        crowd_officer(crowd, i, root, root_key);
    }
    ASSERT_OK(rg_buffer_append_text(&crowd->page, officers + strlen("officers = (") + 1, &why));
}

static void crowd_page(const struct crowd *crowd, struct rg_home *reader)
{
    RG_OWNED_CERTIFICATE *publisher = NULL;
    RG_OWNED_KEY *key = NULL;
    RG_CLEANUP(rg_document_drop)
    struct rg_document page = {.kind = RG_DOC_PAGE, .country = "la", .signature_count = 1};
    enum rg_news news;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/pki/la/publisher.pem", folder);
    ASSERT_OK(rg_certificate_read(path, &publisher, &why));
    (void)snprintf(path, sizeof(path), "%s/pki/la/publisher.key", folder);
    ASSERT_OK(rg_key_read(path, &key, &why));
    ASSERT_OK(rg_buffer_append(&page.text, rg_buffer_peek(&crowd->page), &why));
    ASSERT_OK(rg_signature_make(rg_buffer_peek(&page.text), publisher, key, RG_SIGNATURE_DETACHED,
                                &page.signature[0], &why));
    ASSERT_OK(rg_trust_offer(reader->trust, &page, rg_wall_now(), &news, &why));
}

static void crowd_card(const struct crowd *crowd, size_t at, struct rg_home *reader)
{
    RG_OWNED_CERTIFICATE *reading = NULL;
    RG_OWNED_KEY *key = NULL;
    RG_CLEANUP(rg_document_drop)
    struct rg_document card = {.kind = RG_DOC_KEY_CARD, .country = "la"};
    enum rg_news news;
    struct rg_wall now = rg_wall_now();
    ASSERT_OK(rg_reading_key_new(rg_certificate_principal(crowd->sign[at]), now,
                                 (struct rg_wall){now.ms + 86400000}, &key, &reading, &why));
    ASSERT_OK(rg_card_make(crowd->sign[at], crowd->key[at], reading, &card.text, &why));
    ASSERT_OK(rg_trust_offer(reader->trust, &card, now, &news, &why));
}

static void test_more_readers_than_places(void **state)
{
    (void)state;
    struct crowd crowd = {.page.len = 0};
    struct letter letter;
    struct rg_home *author = home_of(TH, FOCAL_1);
    const size_t fit = RG_READERS_MAX - 10; /* case: two focal, social, justice, child, twice */
    crowd_make(&crowd, fit + 1);
    crowd_page(&crowd, author);
    cards_give_all(author);
    for (size_t i = 0; i < fit; i++) {
        crowd_card(&crowd, i, author);
    }
    letter_begin(&letter, author, "la/focal");
    letter.draft.count = 1;
    letter_seal(&letter, author);
    assert_int_equal(wraps_of(letter.envelope.sealed[0]), RG_READERS_MAX);
    letter_drop(&letter);
    crowd_card(&crowd, fit, author);
    ASSERT_REFUSED(
        rg_post_seal(author, &letter.draft, rg_wall_now(), &letter.bytes, &letter.id, &why),
        RG_LIMIT, "readers-too-many");
    for (size_t i = 0; i < RG_READERS_MAX; i++) {
        rg_certificate_free(crowd.sign[i]);
        rg_key_free(crowd.key[i]);
    }
    rg_buffer_drop(&crowd.page);
    rg_home_close(author);
}

/* ---- passed on ---- */

/* A draft of an NGO or a desk: its case section for the focal point, one section for others. */
struct draft {
    struct letter letter;
    struct rg_opened opened;
};

static void field_set(struct rg_content *content, enum rg_field field, const char *value)
{
    content->details.count = 1;
    content->details.item[0] = (struct rg_field_value){.field = field, .value = value};
}

static void draft_make(struct draft *draft, struct rg_home *author, enum rg_class class_)
{
    RG_OWNED_BUFFER inner = {.secret = true};
    struct letter *letter = &draft->letter;
    *draft = (struct draft){0};
    letter_begin(letter, author, "th/focal");
    ASSERT_OK(rg_content_encode(&letter->content[0], &inner, &why));
    letter->content[0].kind = RG_KIND_DESK_DRAFT;
    letter->content[0].body = RG_BODY_DESK_DRAFT;
    letter->content[0].desk_draft =
        (struct rg_desk_draft){.kind = RG_KIND_DETAILS, .content = rg_buffer_peek(&inner)};
    (void)snprintf(letter->content[0].desk_draft.to_country, RG_COUNTRY_BYTES, "la");
    letter->content[1].class_ = class_;
    if (class_ == RG_CLASS_IDENTITY) {
        field_set(&letter->content[1], RG_FIELD_FULL_NAME_LATIN, "Nang Kham");
    }
    letter->draft.count = 2;
    letter->draft.readers.final_country = "la";
    letter_seal(letter, author);
    letter->content[0].desk_draft.content = (struct rg_bytes){0}; /* it ends with this call */
    ASSERT_OK(rg_post_open(home[TH][FOCAL_1], &letter->envelope, rg_wall_now(), rg_wall_now(),
                           &draft->opened, &why));
}

static void draft_drop(struct draft *draft)
{
    rg_opened_drop(&draft->opened);
    letter_drop(&draft->letter);
}

/* What the focal point of TH sends to that of LA: its own case section, and what it passes on. */
static void forward_begin(struct letter *letter, const struct rg_forwarded *forwarded,
                          enum rg_class class_)
{
    letter_begin(letter, home[TH][FOCAL_1], "la/focal");
    letter->content[1].class_ = class_;
    letter->content[1].body = RG_BODY_FORWARDED;
    letter->content[1].forwarded = *forwarded;
    letter->draft.count = 2;
}

static struct rg_forwarded passed_by_focal(const struct draft *draft)
{
    struct rg_forwarded forwarded = {.index = 0};
    ASSERT_OK(rg_post_forward_make(home[TH][FOCAL_1], &draft->letter.envelope, &draft->opened, 1,
                                   "la", &forwarded, &why));
    return forwarded;
}

static void copy_begin(struct letter *letter, const struct rg_forwarded *forwarded,
                       enum rg_class class_)
{
    letter_begin(letter, home[LA][FOCAL_1], "la/health");
    letter->content[0].kind = RG_KIND_DESK_COPY;
    letter->content[0].class_ = class_;
    letter->content[0].body = RG_BODY_FORWARDED;
    letter->content[0].forwarded = *forwarded;
    letter->draft.count = 1;
}

static rg_outcome open_letter(struct rg_home *reader, const struct letter *letter,
                              struct rg_opened *opened)
{
    return rg_post_open(reader, &letter->envelope, rg_wall_now(), rg_wall_now(), opened, &why);
}

/* From an NGO that stands on no page abroad, over both focal points, to the health desk: the bytes
 * as they came, the author verified at the end, nobody between could read it. */
static void test_verbatim_to_the_health_desk(void **state)
{
    (void)state;
    struct draft draft;
    struct letter sent;
    struct letter copy;
    RG_CLEANUP(rg_opened_drop) struct rg_opened at_focal = {0};
    RG_CLEANUP(rg_opened_drop) struct rg_opened at_desk = {0};
    draft_make(&draft, home[TH][ALPHA_1], RG_CLASS_HEALTH);
    assert_true(draft.opened.section[0].here);
    assert_false(draft.opened.section[1].here);
    struct rg_forwarded forwarded = passed_by_focal(&draft);
    assert_true(rg_bytes_equal(forwarded.certificate, rg_certificate_der(home[TH][ALPHA_1]->sign)));
    forward_begin(&sent, &forwarded, RG_CLASS_HEALTH);
    letter_seal(&sent, home[TH][FOCAL_1]);
    ASSERT_OK(open_letter(home[LA][FOCAL_1], &sent, &at_focal));
    assert_true(at_focal.section[0].here && !at_focal.section[0].forwarded);
    assert_true(at_focal.section[1].forwarded && !at_focal.section[1].here);
    assert_string_equal(at_focal.section[1].author.text, "");
    ASSERT_OK(rg_post_forward_make(home[LA][FOCAL_1], &sent.envelope, &at_focal, 1, "la",
                                   &forwarded, &why));
    assert_true(rg_bytes_equal(forwarded.sealed, draft.letter.envelope.sealed[1]));
    assert_true(rg_bytes_equal(forwarded.core, draft.letter.envelope.core_bytes));
    copy_begin(&copy, &forwarded, RG_CLASS_HEALTH);
    letter_seal(&copy, home[LA][FOCAL_1]);
    ASSERT_OK(open_letter(home[LA][HEALTH], &copy, &at_desk));
    assert_int_equal(at_desk.first->kind, RG_KIND_DESK_COPY);
    assert_string_equal(at_desk.signer.text, "referral://la/focal/officer-1");
    assert_true(at_desk.section[0].here && at_desk.section[0].forwarded);
    assert_string_equal(at_desk.section[0].author.text, "referral://th/ngo-alpha/officer-1");
    assert_int_equal(at_desk.section[0].content.kind, RG_KIND_DETAILS);
    assert_int_equal(at_desk.section[0].content.class_, RG_CLASS_HEALTH);
    assert_true(rg_bytes_equal(at_desk.section[0].passed.sealed, draft.letter.envelope.sealed[1]));
    letter_drop(&copy);
    letter_drop(&sent);
    draft_drop(&draft);
}

/* What the focal point may read it reads, and knows whose it is; a desk on the page needs no
 * certificate beside it. */
static void test_passed_on_and_readable(void **state)
{
    (void)state;
    struct draft draft;
    struct letter sent;
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    draft_make(&draft, home[TH][SOCIAL], RG_CLASS_IDENTITY);
    assert_true(draft.opened.section[1].here);
    struct rg_forwarded forwarded = passed_by_focal(&draft);
    assert_int_equal(forwarded.certificate.len, 0);
    forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    letter_seal(&sent, home[TH][FOCAL_1]);
    ASSERT_OK(open_letter(home[LA][FOCAL_2], &sent, &opened));
    assert_true(opened.section[1].here && opened.section[1].forwarded);
    assert_string_equal(opened.section[1].author.text, "referral://th/social/officer-1");
    assert_string_equal(opened.signer.text, "referral://th/focal/officer-1");
    assert_string_equal(opened.section[1].content.details.item[0].value, "Nang Kham");
    assert_ptr_equal(opened.first, &opened.section[0].content);
    /* The wrapper itself is for the two offices; the section in it for whom its author chose. */
    assert_false(can_open(home[LA][SOCIAL], sent.envelope.sealed[1]));
    assert_true(can_open(home[LA][SOCIAL], opened.section[1].passed.sealed));
    letter_drop(&sent);
    draft_drop(&draft);
}

/* The other sections of a draft are those of the message that it is to become. */
static void test_sections_of_a_draft(void **state)
{
    (void)state;
    struct draft draft;
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    RG_OWNED_BUFFER inner = {.secret = true};
    draft_make(&draft, home[TH][SOCIAL], RG_CLASS_IDENTITY);
    rg_opened_drop(&draft.opened);
    letter_drop(&draft.letter);
    struct rg_content content = content_of(home[TH][SOCIAL], RG_KIND_DETAILS, RG_CLASS_CASE);
    ASSERT_OK(rg_content_encode(&content, &inner, &why));
    draft.letter.content[0].desk_draft.content = rg_buffer_peek(&inner);
    draft.letter.content[1].kind = RG_KIND_NATIONALITY_REQUEST;
    draft.letter.content[1].body = RG_BODY_WITHHELD;
    draft.letter.content[1].withheld = RG_LABEL_WITHHELD;
    letter_seal(&draft.letter, home[TH][SOCIAL]);
    ASSERT_REFUSED(open_letter(home[TH][FOCAL_1], &draft.letter, &opened), RG_DENIED, "post-kind");
    draft_drop(&draft);
}

static void assert_forward_refused(struct letter *sent, struct rg_home *reader, const char *id)
{
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    letter_seal(sent, home[TH][FOCAL_1]);
    ASSERT_REFUSED(open_letter(reader, sent, &opened), RG_DENIED, id);
    assert_null(opened.first);
    assert_false(opened.section[0].here);
    letter_drop(sent);
}

static void test_forged_forwards(void **state)
{
    (void)state;
    struct draft draft;
    struct draft other;
    struct letter sent;
    draft_make(&draft, home[TH][ALPHA_1], RG_CLASS_IDENTITY);
    draft_make(&other, home[TH][ALPHA_1], RG_CLASS_IDENTITY);
    struct rg_forwarded good = passed_by_focal(&draft);
    struct {
        struct rg_forwarded forwarded;
        const char *id;
    } row[] = {
        {good, "seal-core"},    {good, "seal-index"},
        {good, "seal-index"},   {good, "post-forward"}, /* the focal point names nobody */
        {good, "seal-signer"},                          /* it names a colleague of the author */
        {good, "post-forward"},                         /* it names an officer of another office */
        {good, "seal-changed"},
    };
    RG_OWNED_BUFFER changed = {0};
    ASSERT_OK(rg_buffer_append(&changed, good.sealed, &why));
    changed.data[changed.len - 1] ^= 1;
    row[0].forwarded.core = passed_by_focal(&other).core;
    row[1].forwarded.index = 0;
    row[2].forwarded.index = 7;
    row[3].forwarded.certificate = (struct rg_bytes){0};
    row[4].forwarded.certificate = rg_certificate_der(home[TH][ALPHA_2]->sign);
    row[5].forwarded.certificate = rg_certificate_der(home[TH][BETA]->sign);
    row[6].forwarded.sealed = rg_buffer_peek(&changed);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        forward_begin(&sent, &row[i].forwarded, RG_CLASS_IDENTITY);
        assert_forward_refused(&sent, home[LA][FOCAL_1], row[i].id);
    }
    draft_drop(&other);
    draft_drop(&draft);
}

/* Lawful bytes in the wrong place. */
static void test_forwarded_about_something_else(void **state)
{
    (void)state;
    struct draft draft;
    struct letter sent;
    struct letter real;
    draft_make(&draft, home[TH][ALPHA_1], RG_CLASS_IDENTITY);
    struct rg_forwarded good = passed_by_focal(&draft);
    forward_begin(&sent, &good, RG_CLASS_IDENTITY);
    sent.content[0].handle.b[0] = 8; /* another case */
    sent.content[1].handle.b[0] = 8;
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    forward_begin(&sent, &good, RG_CLASS_LEGAL); /* another class */
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    /* An exercise in real work: the wrapper says what the reader wants to hear. */
    home[TH][ALPHA_1]->exercise = false;
    letter_begin(&real, home[TH][ALPHA_1], "la/focal");
    real.content[0].exercise = false;
    real.content[1].exercise = false;
    real.draft.count = 2;
    letter_seal(&real, home[TH][ALPHA_1]);
    home[TH][ALPHA_1]->exercise = true;
    struct rg_forwarded other = {.core = real.envelope.core_bytes,
                                 .index = 1,
                                 .sealed = real.envelope.sealed[1],
                                 .certificate = good.certificate};
    forward_begin(&sent, &other, RG_CLASS_IDENTITY);
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-exercise");
    letter_drop(&real);
    /* A wrapper in a wrapper: NGOs pass nothing on. */
    letter_begin(&real, home[TH][ALPHA_1], "la/focal");
    real.content[1].body = RG_BODY_FORWARDED;
    real.content[1].forwarded = good;
    real.draft.count = 2;
    letter_seal(&real, home[TH][ALPHA_1]);
    other.core = real.envelope.core_bytes;
    other.sealed = real.envelope.sealed[1];
    forward_begin(&sent, &other, RG_CLASS_IDENTITY);
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    letter_drop(&real);
    forward_begin(&sent, &good, RG_CLASS_IDENTITY); /* another kind */
    sent.content[1].kind = RG_KIND_NATIONALITY_REQUEST;
    sent.draft.content = &sent.content[1];
    sent.draft.count = 1;
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    draft_drop(&draft);
}

/* Signed a month ago, when it was true. */
static void seal_long_ago(struct letter *letter, struct rg_home *author)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    const struct rg_signer signer = {.certificate = author->sign, .key = author->sign_key};
    const struct rg_wall then = {rg_wall_now().ms - INT64_C(31) * 86400000};
    ASSERT_OK(rg_parts_make(author, &letter->draft, then, &parts, &why));
    for (size_t i = 0; i < letter->draft.count; i++) {
        struct rg_readers readers;
        const struct rg_readers_ask ask = rg_readers_ask_of(
            &letter->draft.readers, letter->draft.to_office, &letter->content[i], i);
        ASSERT_OK(rg_post_readers(author, &ask, rg_wall_now(), &readers, &why));
        ASSERT_OK(rg_seal(&parts.section[i], parts.core.section[i].padded_bytes, &signer, 1,
                          readers.list, readers.count, &parts.sealed[i], &why));
    }
    ASSERT_OK(rg_parts_join(&parts, letter->draft.count, &letter->bytes, &letter->id, &why));
    ASSERT_OK(rg_envelope_peek(rg_buffer_peek(&letter->bytes), &letter->envelope, &why));
}

/* What an NGO said of her once cannot be told again as if it were said today. */
static void test_forwarded_long_after(void **state)
{
    (void)state;
    struct letter old;
    struct letter sent;
    letter_begin(&old, home[TH][SOCIAL], "th/focal");
    old.draft.readers.final_country = "la";
    old.draft.count = 2;
    seal_long_ago(&old, home[TH][SOCIAL]);
    const struct rg_forwarded forwarded = {
        .core = old.envelope.core_bytes, .index = 1, .sealed = old.envelope.sealed[1]};
    forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    letter_drop(&old);
}

/* A section that LA wrote comes back as if TH had it from its own desk; a wrapper in a wrapper. */
static void test_forwarded_by_the_wrong_office(void **state)
{
    (void)state;
    struct draft foreign;
    struct letter sent;
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    struct letter theirs;
    letter_begin(&theirs, home[LA][FOCAL_1], "th/focal");
    letter_seal(&theirs, home[LA][FOCAL_1]);
    ASSERT_OK(open_letter(home[TH][FOCAL_1], &theirs, &opened));
    struct rg_forwarded forwarded;
    ASSERT_OK(rg_post_forward_make(home[TH][FOCAL_1], &theirs.envelope, &opened, 1, "la",
                                   &forwarded, &why));
    forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    assert_forward_refused(&sent, home[LA][FOCAL_1], "post-forward");
    /* A desk passes nothing on. */
    draft_make(&foreign, home[TH][ALPHA_1], RG_CLASS_IDENTITY);
    forwarded = passed_by_focal(&foreign);
    copy_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    sent.draft.to_office = "th/focal";
    (void)snprintf(sent.content[0].author, sizeof(sent.content[0].author), "%s",
                   home[TH][SOCIAL]->principal.text);
    letter_seal(&sent, home[TH][SOCIAL]);
    rg_opened_drop(&opened);
    ASSERT_REFUSED(open_letter(home[TH][FOCAL_1], &sent, &opened), RG_DENIED, "post-forward");
    letter_drop(&sent);
    letter_drop(&theirs);
    draft_drop(&foreign);
}

/* The author's keys are replaced by those of a file pair. */
static void signs_with(struct rg_home *author, const char *pair)
{
    char path[256];
    rg_certificate_free(author->sign);
    rg_key_free(author->sign_key);
    (void)snprintf(path, sizeof(path), "%s/%s.pem", folder, pair);
    ASSERT_OK(rg_certificate_read(path, &author->sign, &why));
    (void)snprintf(path, sizeof(path), "%s/%s.key", folder, pair);
    ASSERT_OK(rg_key_read(path, &author->sign_key, &why));
}

/* Of another root, of another use; named by the focal point, refused all the same. */
static void test_named_but_not_trusted(void **state)
{
    (void)state;
    static const struct {
        const char *pair, *id;
    } row[] = {
        {"other/th/ngo-alpha/officer-1/sign", "certificate-wrong-root"},
        {"pki/th/ngo-alpha/officer-1/tls", "certificate-wrong-usage"},
    };
    assert_int_equal(run("'" RG_SOURCE_DIR "/certs/dev-pki'", folder,
                         "/other --countries la,th --desks >/dev/null"),
                     0);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct letter draft;
        struct letter sent;
        struct rg_home *author = home_of(TH, ALPHA_1);
        cards_give_all(author);
        signs_with(author, row[i].pair);
        letter_begin(&draft, author, "la/focal");
        draft.draft.count = 2;
        letter_seal(&draft, author);
        struct rg_forwarded forwarded = {.core = draft.envelope.core_bytes,
                                         .index = 1,
                                         .sealed = draft.envelope.sealed[1],
                                         .certificate = rg_certificate_der(author->sign)};
        forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
        assert_forward_refused(&sent, home[LA][FOCAL_1], row[i].id);
        letter_drop(&draft);
        rg_home_close(author);
    }
}

static rg_outcome offer_stop(void *context, const struct rg_document *document,
                             struct rg_reason *reason)
{
    enum rg_news news;
    return document->kind == RG_DOC_STOP_LIST
               ? rg_trust_offer(context, document, rg_wall_now(), &news, reason)
               : rg_ok();
}

/* A stop list of TH that ends one certificate a minute from now. */
static void stop(struct rg_home *reader, const struct rg_home *officer)
{
    char path[128];
    char hex[65];
    char from[32];
    struct rg_hash digest = rg_certificate_digest(officer->sign);
    rg_hex(rg_bytes_of(digest.b, sizeof(digest.b)), hex);
    rg_wall_print((struct rg_wall){rg_wall_now().ms + 60000}, from);
    (void)snprintf(path, sizeof(path), "%s/stop-%.8s", folder, hex);
    assert_int_equal(run("mkdir", path, ""), 0);
    (void)strncat(path, "/stop-th.cfg", sizeof(path) - strlen(path) - 1);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    (void)fprintf(out,
                  "format = \"referral-stop-1\"; country = \"th\"; counter = \"1\";\n"
                  "issued = \"%s\";\ncertificates = (\"%s %s\");\noffices = ();\n",
                  from, hex, from);
    assert_int_equal(fclose(out), 0);
    path[strlen(path) - strlen("/stop-th.cfg")] = '\0';
    assert_int_equal(run("cd", path,
                         " && openssl cms -sign -binary -nocerts -nosmimecap -md sha256 "
                         "-outform DER -signer ../pki/th/publisher.pem "
                         "-inkey ../pki/th/publisher.key -in stop-th.cfg -out stop-th.cfg.p7s"),
                     0);
    ASSERT_OK(rg_document_read_folder(path, offer_stop, reader->trust, &why));
}

/* Its country has stopped the author: before the message was accepted, and since. */
static void test_stopped_author(void **state)
{
    (void)state;
    struct draft draft;
    struct letter sent;
    struct rg_home *reader = home_of(LA, FOCAL_1);
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    draft_make(&draft, home[TH][ALPHA_2], RG_CLASS_IDENTITY);
    struct rg_forwarded forwarded = passed_by_focal(&draft);
    forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    letter_seal(&sent, home[TH][FOCAL_1]);
    struct rg_wall now = rg_wall_now();
    struct rg_wall after = {.ms = now.ms + 120000};
    ASSERT_OK(rg_post_open(reader, &sent.envelope, now, after, &opened, &why));
    assert_false(opened.stopped_later);
    rg_opened_drop(&opened);
    stop(reader, home[TH][ALPHA_2]);
    ASSERT_REFUSED(rg_post_open(reader, &sent.envelope, after, after, &opened, &why), RG_DENIED,
                   "certificate-stopped");
    ASSERT_OK(rg_post_open(reader, &sent.envelope, now, after, &opened, &why));
    assert_true(opened.stopped_later);
    letter_drop(&sent);
    draft_drop(&draft);
    rg_home_close(reader);
}

/* An office that stands on a page has the officers that stand there, whoever names another. */
static void test_named_against_the_page(void **state)
{
    (void)state;
    struct letter draft;
    struct letter sent;
    struct rg_home *author = home_of(TH, SOCIAL);
    cards_give_all(author);
    signs_with(author, "other/th/social/officer-1/sign");
    letter_begin(&draft, author, "la/focal");
    draft.draft.count = 2;
    letter_seal(&draft, author);
    struct rg_forwarded forwarded = {.core = draft.envelope.core_bytes,
                                     .index = 1,
                                     .sealed = draft.envelope.sealed[1],
                                     .certificate = rg_certificate_der(author->sign)};
    forward_begin(&sent, &forwarded, RG_CLASS_IDENTITY);
    assert_forward_refused(&sent, home[LA][FOCAL_1], "seal-signer");
    struct rg_verdict verdict;
    ASSERT_REFUSED(rg_trust_judge_carried(home[LA][FOCAL_1]->trust, home[TH][SOCIAL]->sign,
                                          rg_wall_now(), rg_wall_now(), &verdict, &why),
                   RG_DENIED, "certificate-unlisted");
    letter_drop(&draft);
    rg_home_close(author);
}

/* ---- two officers ---- */

static void second_is(struct letter *letter, const char *principal)
{
    for (size_t i = 0; i < CLASSES; i++) {
        (void)snprintf(letter->content[i].second_author, RG_PRINCIPAL_BYTES, "%s", principal);
    }
}

static void prepare(struct letter *letter, struct rg_prepared *prepared)
{
    *prepared = (struct rg_prepared){.request.count = 0};
    letter_begin(letter, home[TH][FOCAL_1], "la/focal");
    letter->draft.count = 3; /* case, identity, family */
    second_is(letter, home[TH][FOCAL_2]->principal.text);
    ASSERT_OK(rg_post_countersign_prepare(home[TH][FOCAL_1], &letter->draft, rg_wall_now(),
                                          prepared, &why));
}

static void test_two_officers(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_prepared prepared;
    RG_CLEANUP(rg_opened_drop) struct rg_opened seen = {0};
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    prepare(&letter, &prepared);
    ASSERT_OK(rg_post_countersign_check(home[TH][FOCAL_2], &prepared.request, rg_wall_now(), &seen,
                                        &why));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.first->kind, RG_KIND_DETAILS);
    assert_string_equal(seen.signer.text, "referral://th/focal/officer-1");
    ASSERT_OK(rg_post_countersign_finish(home[TH][FOCAL_2], &prepared.request,
                                         &letter.draft.readers, rg_wall_now(), &letter.bytes,
                                         &letter.id, &why));
    ASSERT_OK(rg_envelope_peek(rg_buffer_peek(&letter.bytes), &letter.envelope, &why));
    assert_true(rg_bytes_equal(letter.envelope.core_bytes, prepared.request.core));
    ASSERT_OK(open_letter(home[LA][FOCAL_1], &letter, &opened));
    assert_string_equal(opened.signer.text, "referral://th/focal/officer-1");
    assert_string_equal(opened.second.text, "referral://th/focal/officer-2");
    assert_matrix(
        &letter,
        (const matrix){
            [LA] = {"cif", "cif", "cif", "-i-", "---", "---", "ci-", "cif", "---", "---", "---"},
            [TH] = {"cif", "cif", "cif", "-i-", "---", "---", "ci-", "cif", "---", "---", "---"},
        });
    letter_drop(&letter);
    rg_prepared_drop(&prepared);
}

/* The request between them is for the second officer alone. */
static void test_request_for_the_second_officer(void **state)
{
    (void)state;
    struct letter letter;
    struct letter request;
    struct rg_prepared prepared;
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    prepare(&letter, &prepared);
    letter_begin(&request, home[TH][FOCAL_1], "th/focal");
    request.content[0].kind = RG_KIND_COUNTERSIGN_REQUEST;
    request.content[0].body = RG_BODY_COUNTERSIGN;
    request.content[0].countersign = prepared.request;
    second_is(&request, home[TH][FOCAL_2]->principal.text);
    request.draft.count = 1;
    letter_seal(&request, home[TH][FOCAL_1]);
    for (size_t c = 0; c < COUNTRIES; c++) {
        for (size_t p = 0; p < PEOPLE; p++) {
            bool one_of_them = c == TH && (p == FOCAL_1 || p == FOCAL_2);
            assert_int_equal(can_open(home[c][p], request.envelope.sealed[0]), one_of_them);
        }
    }
    ASSERT_OK(open_letter(home[TH][FOCAL_2], &request, &opened));
    assert_string_equal(opened.signer.text, "referral://th/focal/officer-1");
    ASSERT_OK(rg_post_countersign_finish(home[TH][FOCAL_2], &opened.first->countersign,
                                         &letter.draft.readers, rg_wall_now(), &letter.bytes,
                                         &letter.id, &why));
    letter_drop(&request);
    letter_drop(&letter);
    rg_prepared_drop(&prepared);
}

static void finish_refused(struct rg_home *second, const struct rg_countersign *request,
                           const char *id)
{
    RG_OWNED_BUFFER envelope = {0};
    struct rg_id unused;
    ASSERT_REFUSED(rg_post_countersign_finish(second, request, &(struct rg_readership){0},
                                              rg_wall_now(), &envelope, &unused, &why),
                   RG_DENIED, id);
    assert_int_equal(envelope.len, 0);
}

static void test_requests_that_are_not_signed(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_prepared prepared;
    struct rg_prepared another;
    prepare(&letter, &prepared);
    prepare(&letter, &another);
    finish_refused(home[TH][FOCAL_1], &prepared.request, "post-second"); /* one officer twice */
    finish_refused(home[TH][SOCIAL], &prepared.request, "post-second");  /* another office */
    finish_refused(home[LA][FOCAL_1], &prepared.request, "post-second");
    struct rg_countersign forged = prepared.request;
    forged.count = 2;
    finish_refused(home[TH][FOCAL_2], &forged, "post-second");
    forged = prepared.request;
    forged.core = another.request.core;
    finish_refused(home[TH][FOCAL_2], &forged, "seal-core");
    forged = prepared.request;
    forged.section[1].bytes = prepared.request.section[2].bytes;
    finish_refused(home[TH][FOCAL_2], &forged, "seal-index");
    forged = prepared.request;
    forged.section[1].class_ = RG_CLASS_FAMILY;
    finish_refused(home[TH][FOCAL_2], &forged, "post-kind");
    prepared.section[2].data[200] ^= 1;
    finish_refused(home[TH][FOCAL_2], &prepared.request, "seal-signature");
    rg_prepared_drop(&another);
    rg_prepared_drop(&prepared);
}

static void test_requests_that_are_not_made(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_prepared prepared = {.request.count = 0};
    static const char *const nobody[] = {
        "referral://th/focal/officer-1", "referral://th/social/officer-1",
        "referral://la/focal/officer-2", "referral://th/focal/officer-9"};
    for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
        letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
        letter.draft.count = 1;
        second_is(&letter, nobody[i]);
        rg_outcome outcome = rg_post_countersign_prepare(home[TH][FOCAL_1], &letter.draft,
                                                         rg_wall_now(), &prepared, &why);
        assert_int_equal(outcome.code, RG_DENIED);
        assert_string_equal(why.id, "post-second");
        assert_int_equal(prepared.request.count, 0);
    }
    letter_begin(&letter, home[TH][FOCAL_1], "la/focal"); /* health: she may not read it */
    letter.draft.count = 4;
    second_is(&letter, home[TH][FOCAL_2]->principal.text);
    ASSERT_REFUSED(rg_post_countersign_prepare(home[TH][FOCAL_1], &letter.draft, rg_wall_now(),
                                               &prepared, &why),
                   RG_DENIED, "post-second");
    letter.draft.count = 2; /* two sections, two second officers, or two authors */
    (void)snprintf(letter.content[1].second_author, RG_PRINCIPAL_BYTES,
                   "referral://th/focal/officer-9");
    ASSERT_REFUSED(rg_post_countersign_prepare(home[TH][FOCAL_1], &letter.draft, rg_wall_now(),
                                               &prepared, &why),
                   RG_DENIED, "post-second");
    second_is(&letter, home[TH][FOCAL_2]->principal.text);
    (void)snprintf(letter.content[1].author, RG_PRINCIPAL_BYTES, "referral://th/focal/officer-9");
    ASSERT_REFUSED(rg_post_countersign_prepare(home[TH][FOCAL_1], &letter.draft, rg_wall_now(),
                                               &prepared, &why),
                   RG_DENIED, "post-author");
    letter.draft.count = 1; /* alone one cannot send it */
    ASSERT_REFUSED(rg_post_seal(home[TH][FOCAL_1], &letter.draft, rg_wall_now(), &letter.bytes,
                                &letter.id, &why),
                   RG_DENIED, "post-second");
}

/* Signed by hand, by one officer or two, whatever the contents say. */
static void sign_forged(struct letter *letter, const struct rg_home *first,
                        const struct rg_home *second, struct rg_prepared *out)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    const struct rg_signer signer = {first->sign, first->sign_key};
    *out = (struct rg_prepared){.request.count = letter->draft.count};
    ASSERT_OK(rg_parts_make(first, &letter->draft, rg_wall_now(), &parts, &why));
    ASSERT_OK(rg_buffer_append(&out->core, rg_buffer_peek(&parts.core_bytes), &why));
    for (size_t i = 0; i < letter->draft.count; i++) {
        RG_OWNED_BUFFER once = {.secret = true};
        ASSERT_OK(rg_section_sign(&parts.section[i], parts.core.section[i].padded_bytes, &signer,
                                  &once, &why));
        if (second != NULL) {
            const struct rg_signer also = {second->sign, second->sign_key};
            ASSERT_OK(rg_section_sign_also(rg_buffer_peek(&once), &also, &out->section[i], &why));
            continue;
        }
        out->section[i] = rg_buffer_take(&once);
    }
    for (size_t i = 0; i < letter->draft.count; i++) {
        out->request.section[i].class_ = letter->content[i].class_;
        out->request.section[i].bytes = rg_buffer_peek(&out->section[i]);
    }
    out->request.core = rg_buffer_peek(&out->core);
}

static void test_forged_requests(void **state)
{
    (void)state;
    enum { OWN_SIGNATURE, BOTH, TWO_CASES, NAMES_ANOTHER, REAL_WORK, FORGERIES };
    static const char *const id[] = {"post-author", "post-second", "post-kind", "post-second",
                                     "post-exercise"};
    for (int i = 0; i < FORGERIES; i++) {
        struct letter letter;
        struct rg_prepared prepared;
        struct rg_home *signer = home[TH][i == OWN_SIGNATURE ? FOCAL_2 : FOCAL_1];
        letter_begin(&letter, home[TH][FOCAL_1], "la/focal");
        letter.draft.count = 2;
        second_is(&letter, i == NAMES_ANOTHER ? "referral://th/focal/officer-9"
                                              : "referral://th/focal/officer-2");
        letter.content[1].handle.b[0] ^= i == TWO_CASES ? 1 : 0;
        letter.content[0].exercise = i != REAL_WORK;
        letter.content[1].exercise = i != REAL_WORK;
        signer->exercise = i != REAL_WORK;
        sign_forged(&letter, signer, i == BOTH ? home[TH][FOCAL_2] : NULL, &prepared);
        signer->exercise = true;
        finish_refused(home[TH][FOCAL_2], &prepared.request, id[i]);
        rg_prepared_drop(&prepared);
    }
}

/* The first officer is stopped before the second signs; the first reads it, whatever list she is
 * on. */
static void test_first_officer(void **state)
{
    (void)state;
    struct letter letter;
    struct rg_prepared prepared;
    struct rg_home *second = home_of(TH, FOCAL_2);
    struct rg_exclusions list = excluding("referral://th/focal/officer-1", NULL);
    RG_OWNED_BUFFER envelope = {0};
    cards_give_all(second);
    prepare(&letter, &prepared);
    letter.draft.readers.excluded = &list;
    ASSERT_OK(rg_post_countersign_finish(second, &prepared.request, &letter.draft.readers,
                                         rg_wall_now(), &letter.bytes, &letter.id, &why));
    ASSERT_OK(rg_envelope_peek(rg_buffer_peek(&letter.bytes), &letter.envelope, &why));
    assert_true(can_open(home[TH][FOCAL_1], letter.envelope.sealed[0]));
    stop(second, home[TH][FOCAL_1]);
    struct rg_wall after = {.ms = rg_wall_now().ms + 120000};
    ASSERT_REFUSED(rg_post_countersign_finish(second, &prepared.request, &letter.draft.readers,
                                              after, &envelope, &letter.id, &why),
                   RG_DENIED, "certificate-stopped");
    letter_drop(&letter);
    rg_prepared_drop(&prepared);
    rg_home_close(second);
}

/* Sealed past the library, by whoever holds the keys. */
static void seal_forged(struct letter *letter, struct rg_home *author,
                        const struct rg_signer *signer, size_t signers)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    ASSERT_OK(rg_parts_make(author, &letter->draft, rg_wall_now(), &parts, &why));
    for (size_t i = 0; i < letter->draft.count; i++) {
        struct rg_readers readers;
        struct rg_readers_ask ask = rg_readers_ask_of(
            &letter->draft.readers, letter->draft.to_office, &letter->content[i], i);
        ASSERT_OK(rg_post_readers(author, &ask, rg_wall_now(), &readers, &why));
        ASSERT_OK(rg_seal(&parts.section[i], parts.core.section[i].padded_bytes, signer, signers,
                          readers.list, readers.count, &parts.sealed[i], &why));
    }
    ASSERT_OK(rg_parts_join(&parts, letter->draft.count, &letter->bytes, &letter->id, &why));
    ASSERT_OK(rg_envelope_peek(rg_buffer_peek(&letter->bytes), &letter->envelope, &why));
}

static void test_readers_demand_both(void **state)
{
    (void)state;
    struct rg_home *first = home[TH][FOCAL_1];
    struct rg_home *second = home[TH][FOCAL_2];
    struct rg_home *stranger = home[TH][SOCIAL];
    const struct {
        struct rg_home *signer[2];
        const char *named, *id;
    } row[] = {
        {{first, NULL}, second->principal.text, "post-second"},
        {{second, NULL}, second->principal.text, "post-author"},
        {{first, first}, second->principal.text, "seal-signer"},
        {{first, stranger}, second->principal.text, "seal-signer"},
        {{first, second}, "referral://th/focal/officer-9", "post-second"},
        {{first, second}, "", "post-second"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct letter letter;
        struct rg_signer signer[2] = {{0}};
        size_t signers = row[i].signer[1] != NULL ? 2 : 1;
        RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
        for (size_t s = 0; s < signers; s++) {
            signer[s] = (struct rg_signer){row[i].signer[s]->sign, row[i].signer[s]->sign_key};
        }
        letter_begin(&letter, first, "la/focal");
        letter.draft.count = 2;
        second_is(&letter, row[i].named);
        seal_forged(&letter, first, signer, signers);
        ASSERT_REFUSED(open_letter(home[LA][FOCAL_1], &letter, &opened), RG_DENIED, row[i].id);
        letter_drop(&letter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_by_desk),
        cmocka_unit_test(test_usual_desks),
        cmocka_unit_test(test_consent_that_names_one_desk),
        cmocka_unit_test(test_domestic),
        cmocka_unit_test(test_domestic_from_an_ngo),
        cmocka_unit_test(test_draft_for_final_readers),
        cmocka_unit_test(test_alert_tells_the_own_focal_point),
        cmocka_unit_test(test_excluded_officers_leave_no_gap),
        cmocka_unit_test(test_own_office_excluded),
        cmocka_unit_test(test_nobody_left_is_not_available),
        cmocka_unit_test(test_what_an_excluded_officer_could_open_stays),
        cmocka_unit_test(test_security_is_for_two_named_officers),
        cmocka_unit_test(test_missing_cards),
        cmocka_unit_test(test_more_readers_than_places),
        cmocka_unit_test(test_verbatim_to_the_health_desk),
        cmocka_unit_test(test_passed_on_and_readable),
        cmocka_unit_test(test_sections_of_a_draft),
        cmocka_unit_test(test_forged_forwards),
        cmocka_unit_test(test_forwarded_about_something_else),
        cmocka_unit_test(test_forwarded_long_after),
        cmocka_unit_test(test_forwarded_by_the_wrong_office),
        cmocka_unit_test(test_named_but_not_trusted),
        cmocka_unit_test(test_stopped_author),
        cmocka_unit_test(test_named_against_the_page),
        cmocka_unit_test(test_two_officers),
        cmocka_unit_test(test_request_for_the_second_officer),
        cmocka_unit_test(test_requests_that_are_not_signed),
        cmocka_unit_test(test_requests_that_are_not_made),
        cmocka_unit_test(test_forged_requests),
        cmocka_unit_test(test_first_officer),
        cmocka_unit_test(test_readers_demand_both),
    };
    return cmocka_run_group_tests_name("post", tests, world_make, world_drop);
}
