/* trust: charter, pages, stop lists, cards; each refusal with its own reason, and what goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/world.h"

#define OWNED_DOCUMENT RG_CLEANUP(rg_document_drop) struct rg_document

static struct world *fresh;

static struct world_country *kh(void)
{
    return &fresh->country[0];
}

static struct world_country *th(void)
{
    return &fresh->country[2];
}

/* ---- offering ---- */

static rg_outcome offer_at(const struct rg_document *document, struct rg_wall now,
                           struct rg_reason *why)
{
    enum rg_news news = RG_NEWS_NONE;
    rg_outcome outcome = rg_trust_offer(fresh->trust, document, now, &news, why);
    if (rg_is_ok(outcome)) {
        assert_int_equal(news, RG_NEWS_NEW);
    }
    return outcome;
}

static void expect(rg_outcome outcome, const struct rg_reason *why, enum rg_code code,
                   const char *id)
{
    if (outcome.code != code || (id != NULL && strcmp(why->id, id) != 0)) {
        fail_msg("wanted %s, got %s: %s", id != NULL ? id : "ok",
                 rg_is_ok(outcome) ? "ok" : why->id, why->text);
    }
}

static void offer_signed(enum rg_document_kind kind, const char *country,
                         const struct rg_buffer *text, const struct world_holder *signer,
                         enum rg_code code, const char *id)
{
    struct rg_reason why = {0};
    OWNED_DOCUMENT document = world_document(kind, country, text, &signer, 1);
    expect(offer_at(&document, WORLD_NOW, &why), &why, code, id);
}

static void charter_votes(const struct rg_buffer *text, const struct world_holder *const *voter,
                          size_t count, enum rg_code code, const char *id)
{
    struct rg_reason why = {0};
    OWNED_DOCUMENT document = world_document(RG_DOC_CHARTER, "", text, voter, count);
    expect(offer_at(&document, WORLD_NOW, &why), &why, code, id);
}

static void charter_by_two(const struct world_charter_spec *spec, enum rg_code code, const char *id)
{
    RG_OWNED_BUFFER text = {0};
    const struct world_holder *voter[] = {&kh()->authority, &th()->authority};
    world_charter(fresh, spec, &text);
    charter_votes(&text, voter, 2, code, id);
}

static void give_charter(void)
{
    struct world_charter_spec spec = WORLD_CHARTER;
    charter_by_two(&spec, RG_OK, NULL);
}

static void page(struct world_country *country, const struct world_page_spec *spec,
                 enum rg_code code, const char *id)
{
    RG_OWNED_BUFFER text = {0};
    world_page(country, spec, &text);
    offer_signed(RG_DOC_PAGE, country->code, &text, &country->publisher, code, id);
}

static void give_page(struct world_country *country)
{
    struct world_page_spec spec = WORLD_PAGE;
    page(country, &spec, RG_OK, NULL);
}

static void give_domestic(struct world_country *country)
{
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    world_domestic(country, &spec, &text);
    offer_signed(RG_DOC_PAGE_DOMESTIC, country->code, &text, &country->publisher, RG_OK, NULL);
}

static void stop(struct world_country *country, const struct world_stop_spec *spec,
                 enum rg_code code, const char *id)
{
    RG_OWNED_BUFFER text = {0};
    world_stop(country, spec, &text);
    offer_signed(RG_DOC_STOP_LIST, country->code, &text, &country->publisher, code, id);
}

static void judged_at(const struct world_holder *holder, enum rg_use use, struct rg_wall at,
                      enum rg_code code, const char *id)
{
    struct rg_verdict verdict = {0};
    struct rg_reason why = {0};
    expect(rg_trust_judge(fresh->trust, holder->certificate, use, at, at, &verdict, &why), &why,
           code, id);
    if (code == RG_OK) {
        assert_string_equal(verdict.principal.text, world_principal(holder));
        assert_false(verdict.stopped_later);
    }
}

static void judged(const struct world_holder *holder, enum rg_use use, enum rg_code code,
                   const char *id)
{
    judged_at(holder, use, WORLD_NOW, code, id);
}

/* ---- the world of each test: keys are made once, the trust is new ---- */

static int make_world(void **state)
{
    static const char *const code[WORLD_COUNTRIES] = {"kh", "la", "th"};
    struct world *world = calloc(1, sizeof(*world));
    for (size_t i = 0; world != NULL && i < WORLD_COUNTRIES; i++) {
        world_make_country(&world->country[i], code[i]);
    }
    *state = world;
    return world == NULL;
}

static int drop_world(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < WORLD_COUNTRIES; i++) {
        world_drop_country(&world->country[i]);
    }
    free(world);
    return 0;
}

static int new_trust(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    world->trust = rg_trust_new();
    for (size_t i = 0; i < WORLD_COUNTRIES; i++) {
        expect(rg_trust_pin_authority(world->trust, world->country[i].authority.certificate, &why),
               &why, RG_OK, NULL);
    }
    rg_trust_pin_quorum(world->trust, 2);
    fresh = world;
    return 0;
}

static int drop_trust(void **state)
{
    struct world *world = *state;
    rg_trust_free(world->trust);
    world->trust = NULL;
    return 0;
}

/* ---- charter ---- */

static void test_charter_names_countries(void **state)
{
    (void)state;
    give_charter();
    const struct rg_country *country = rg_trust_country(fresh->trust, "th");
    assert_non_null(country);
    assert_string_equal(country->log_origin, "referral/th");
    assert_false(country->has_page);
    assert_null(rg_trust_country(fresh->trust, "vn"));
    assert_non_null(rg_trust_country_at(fresh->trust, 2));
    assert_null(rg_trust_country_at(fresh->trust, 3));
}

static void test_charter_needs_its_quorum(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    const struct world_holder *one[] = {&th()->authority};
    world_charter(fresh, &spec, &text);
    charter_votes(&text, one, 0, RG_DENIED, "charter-quorum");
    charter_votes(&text, one, 1, RG_DENIED, "charter-quorum");
}

static void test_an_officer_or_publisher_is_no_authority(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    const struct world_holder *voter[] = {&th()->authority, &th()->sign[0], &th()->publisher};
    world_charter(fresh, &spec, &text);
    charter_votes(&text, voter, 3, RG_DENIED, "charter-quorum");
}

static void test_an_authority_counts_once(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    const struct world_holder *voter[] = {&th()->authority, &th()->authority};
    world_charter(fresh, &spec, &text);
    charter_votes(&text, voter, 2, RG_DENIED, "charter-authority-doubled");
}

static void test_an_authority_is_listed_once(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    spec.authorities[1] = 0;
    charter_by_two(&spec, RG_DENIED, "charter-authority-doubled");
}

static void test_the_same_authority_is_pinned_once(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    expect(rg_trust_pin_authority(fresh->trust, th()->authority.certificate, &why), &why, RG_DENIED,
           "charter-authority-doubled");
}

static void test_a_quorum_must_be_possible(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    spec.quorum = 4;
    charter_by_two(&spec, RG_DENIED, "charter-quorum");
    spec.quorum = 0;
    charter_by_two(&spec, RG_DENIED, "charter-quorum");
}

static void test_a_changed_charter_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    const struct world_holder *voter[] = {&kh()->authority, &th()->authority};
    struct rg_reason why = {0};
    world_charter(fresh, &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_CHARTER, "", &text, voter, 2);
    document.text.data[document.text.len - 1] = ' ';
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "charter-quorum");
}

static void test_a_root_belongs_to_one_country(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    spec.root_of_first = &th()->root;
    charter_by_two(&spec, RG_DENIED, "root-unconstrained");
    /* The same key under a constraint of its own: still one root. */
    struct world_holder twin = {0};
    struct forge forge = {.kind = FORGE_ROOT, .country = "kh", .common_name = "twin"};
    twin.certificate = forge_with_key(&forge, th()->root.key);
    spec.root_of_first = &twin;
    charter_by_two(&spec, RG_DENIED, "charter-root-shared");
    world_drop_holder(&twin);
}

static void test_a_class_is_ruled_once(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    const struct world_holder *voter[] = {&kh()->authority, &th()->authority};
    struct world_charter_spec spec = WORLD_CHARTER;
    world_charter(fresh, &spec, &text);
    char *class_name = memmem(text.data, text.len, "\"health\"; roles", 15);
    assert_non_null(class_name);
    memcpy(class_name, "\"case\"  ", 8);
    charter_votes(&text, voter, 2, RG_MALFORMED, "document-doubled");
}

static void test_charter_counters_go_up(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    spec.counter = 2;
    charter_by_two(&spec, RG_OK, NULL);
    spec.counter = 1;
    charter_by_two(&spec, RG_DENIED, "charter-counter-back");
    spec.counter = 2;
    spec.more = "# another text\n";
    charter_by_two(&spec, RG_DENIED, "charter-fork");
}

static void test_a_charter_decides_who_makes_the_next(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    const struct world_holder *la_and_th[] = {&fresh->country[1].authority, &th()->authority};
    spec.authorities[0] = 1;
    spec.authorities[1] = 2;
    spec.authority_count = 2;
    charter_by_two(&spec, RG_OK, NULL); /* kh and th sign that kh is no authority any more */
    spec.counter = 2;
    charter_by_two(&spec, RG_DENIED, "charter-quorum");
    world_charter(fresh, &spec, &text);
    charter_votes(&text, la_and_th, 2, RG_OK, NULL);
}

static void test_nothing_is_trusted_without_a_pin(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    rg_trust_free(fresh->trust);
    fresh->trust = rg_trust_new();
    charter_by_two(&spec, RG_DENIED, "charter-pin");
}

static void test_a_charter_can_be_pinned_by_hash(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    rg_trust_free(fresh->trust);
    fresh->trust = rg_trust_new();
    world_charter(fresh, &spec, &text);
    rg_trust_pin_charter(fresh->trust, rg_sha256(rg_buffer_peek(&text)));
    const struct world_holder *one[] = {&th()->authority};
    charter_votes(&text, one, 1, RG_DENIED, "charter-quorum");
    spec.counter = 2;
    charter_by_two(&spec, RG_DENIED, "charter-pin");
    spec.counter = 1;
    charter_by_two(&spec, RG_OK, NULL);
    spec.counter = 2;
    charter_by_two(&spec, RG_OK, NULL);
}

static void test_other_versions_and_formats_are_refused(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    spec.version = "2";
    charter_by_two(&spec, RG_MALFORMED, "document-format");
    spec = WORLD_CHARTER;
    spec.more = "surprise = \"1\";\n";
    charter_by_two(&spec, RG_MALFORMED, "settings-unknown");
    give_charter();
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec page_spec = WORLD_PAGE;
    world_domestic(th(), &page_spec, &text);
    offer_signed(RG_DOC_PAGE, "th", &text, &th()->publisher, RG_MALFORMED, "document-format");
}

static void test_the_same_document_twice_is_no_news(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    const struct world_holder *signer = &th()->publisher;
    enum rg_news news = RG_NEWS_NEW;
    give_charter();
    world_page(th(), &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_PAGE, "th", &text, &signer, 1);
    struct rg_reason why = {0};
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_OK, NULL);
    expect(rg_trust_offer(fresh->trust, &document, WORLD_NOW, &news, &why), &why, RG_OK, NULL);
    assert_int_equal(news, RG_NEWS_NONE);
}

/* ---- pages ---- */

static void test_page_fills_country_and_offices(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    const struct rg_country *country = rg_trust_country(fresh->trust, "th");
    assert_true(country->has_page);
    assert_int_equal(country->page_counter, 1);
    assert_int_equal(country->endpoint_count, 2);
    assert_string_equal(country->endpoint[1].host, "::1");
    assert_int_equal(country->endpoint[1].port, 7701);
    assert_int_equal(country->fresh_until.ms, world_day(7).ms);
    const struct rg_office *office = rg_trust_office(fresh->trust, "th/focal");
    assert_non_null(office);
    assert_string_equal(office->role, "focal");
    assert_int_equal(office->cross_border, RG_CROSS_ALWAYS);
    assert_false(office->domestic || office->suspended);
    assert_ptr_equal(rg_trust_office_at(fresh->trust, 0), office);
    assert_null(rg_trust_office_at(fresh->trust, 1));
    assert_null(rg_trust_office(fresh->trust, "th/ngo-alpha"));
    give_domestic(th());
    assert_true(rg_trust_office(fresh->trust, "th/ngo-alpha")->domestic);
}

static void test_a_page_needs_the_charter(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    page(th(), &spec, RG_AGAIN, "document-needs-charter");
}

static void test_a_publisher_of_another_country_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    world_page(th(), &spec, &text);
    offer_signed(RG_DOC_PAGE, "th", &text, &kh()->publisher, RG_DENIED, "page-publisher");
    offer_signed(RG_DOC_PAGE, "th", &text, &th()->sign[0], RG_DENIED, "page-publisher");
    assert_false(rg_trust_country(fresh->trust, "th")->has_page);
}

static void test_a_page_about_another_country_is_refused(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.country = "kh";
    page(th(), &spec, RG_DENIED, "page-foreign");
    spec = WORLD_PAGE;
    spec.office = "kh";
    page(th(), &spec, RG_DENIED, "page-foreign");
    spec = WORLD_PAGE;
    spec.officer1 = "referral://kh/focal/officer-1";
    page(th(), &spec, RG_DENIED, "page-foreign");
}

static void test_a_bad_signature_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    const struct world_holder *signer = &th()->publisher;
    struct rg_reason why = {0};
    give_charter();
    world_page(th(), &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_PAGE, "th", &text, &signer, 1);
    document.signature[0].data[document.signature[0].len - 1] ^= 1;
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "page-publisher");
    document.signature[0].data[document.signature[0].len - 1] ^= 1;
    document.text.data[0] = 'F';
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "page-publisher");
    document.text.data[0] = 'f';
    document.signature_count = 0;
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "page-publisher");
    document.signature_count = 1;
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_OK, NULL);
}

/* A signature has one encoding: here the outermost length is given a byte more than it needs. */
static void test_a_signature_in_other_bytes_is_refused(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    const struct world_holder *signer = &th()->publisher;
    give_charter();
    world_page(th(), &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_PAGE, "th", &text, &signer, 1);
    struct rg_buffer *der = &document.signature[0];
    RG_OWNED_BUFFER longer = {0};
    assert_int_equal(der->data[1], 0x82);
    expect(rg_buffer_append(&longer, RG_BYTES_LITERAL("\x30\x83\x00"), &why), &why, RG_OK, NULL);
    expect(rg_buffer_append(&longer, rg_bytes_of(der->data + 2, der->len - 2), &why), &why, RG_OK,
           NULL);
    rg_buffer_drop(der);
    *der = rg_buffer_take(&longer);
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "page-publisher");
}

static void test_include_in_a_signed_page_is_refused(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.more = "@include \"/etc/hostname\"\n";
    page(th(), &spec, RG_MALFORMED, "settings-include");
}

static void test_duplicate_names_in_a_signed_page_are_refused(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.more = "country = \"kh\";\n";
    page(th(), &spec, RG_MALFORMED, "settings-duplicate");
}

static void test_oversized_documents_are_refused(void **state)
{
    (void)state;
    struct rg_document large = {.kind = RG_DOC_PAGE, .country = "th", .signature_count = 1};
    struct rg_reason why = {0};
    large.text.len = RG_DOCUMENT_BYTES_MAX + 1; /* never looked into */
    expect(offer_at(&large, WORLD_NOW, &why), &why, RG_LIMIT, "document-too-large");
    large.text.len = 0;
    large.signature[0].len = RG_SIGNATURE_BYTES_MAX + 1;
    expect(offer_at(&large, WORLD_NOW, &why), &why, RG_LIMIT, "document-too-large");
}

static void test_a_page_counter_never_goes_back(void **state)
{
    (void)state;
    RG_OWNED_BUFFER before = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    world_page(th(), &spec, &before);
    spec.counter = 2;
    spec.previous = &before;
    page(th(), &spec, RG_OK, NULL);
    spec.counter = 1;
    spec.previous = NULL;
    page(th(), &spec, RG_DENIED, "page-counter-back");
    assert_int_equal(rg_trust_country(fresh->trust, "th")->page_counter, 2);
}

static void test_two_pages_with_one_counter_are_a_fork(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    give_page(th());
    spec.more = "# for other eyes\n";
    page(th(), &spec, RG_DENIED, "page-fork");
}

static void test_a_page_must_follow_the_one_before(void **state)
{
    (void)state;
    RG_OWNED_BUFFER first = {0};
    RG_OWNED_BUFFER other = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    give_page(th());
    world_page(th(), &spec, &first);
    spec.more = "# another first page\n";
    world_page(th(), &spec, &other);
    spec = WORLD_PAGE;
    spec.counter = 2;
    spec.previous = &other;
    page(th(), &spec, RG_DENIED, "page-chain");
    spec.previous = &first;
    spec.issued = world_day(-1);
    page(th(), &spec, RG_DENIED, "page-chain");
    spec.issued = WORLD_NOW;
    page(th(), &spec, RG_OK, NULL);
    spec.counter = 9; /* weeks offline: pages in between were never seen */
    spec.previous = &other;
    page(th(), &spec, RG_OK, NULL);
}

/* A wrong year would else keep every later page out, since none may be issued earlier. */
static void test_a_page_of_a_day_to_come_waits(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.issued = world_day(3);
    page(th(), &spec, RG_AGAIN, "document-early");
    spec.issued = world_day(1); /* clocks differ */
    page(th(), &spec, RG_OK, NULL);
}

static void test_counters_start_at_one(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.counter = 0;
    page(th(), &spec, RG_MALFORMED, "document-value");
    spec.counter = 2;
    page(th(), &spec, RG_MALFORMED, "document-value");
}

static void test_a_page_is_fresh_then_valid_then_in_grace_then_refused(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    judged_at(&th()->gateway, RG_USE_TLS, world_day(8), RG_OK, NULL);
    judged_at(&th()->gateway, RG_USE_TLS, world_day(42), RG_OK, NULL);
    judged_at(&th()->gateway, RG_USE_TLS, world_day(42 + RG_PAGE_GRACE_DAYS), RG_OK, NULL);
    judged_at(&th()->gateway, RG_USE_TLS, world_day(43 + RG_PAGE_GRACE_DAYS), RG_DENIED,
              "page-expired");
    /* What was signed while the page was good stays verifiable for ever. */
    struct rg_verdict verdict;
    struct rg_reason why = {0};
    expect(rg_trust_judge(fresh->trust, th()->sign[0].certificate, RG_USE_SIGN, WORLD_NOW,
                          world_day(300), &verdict, &why),
           &why, RG_OK, NULL);
}

static void test_an_expired_page_is_taken_but_trusts_nobody_now(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    const struct world_holder *signer = &th()->publisher;
    struct rg_reason why = {0};
    give_charter();
    world_page(th(), &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_PAGE, "th", &text, &signer, 1);
    expect(offer_at(&document, world_day(100), &why), &why, RG_OK, NULL);
    judged_at(&th()->gateway, RG_USE_TLS, world_day(100), RG_DENIED, "page-expired");
}

/* Titles are shown in terminals, in any script; U+009B opens an escape sequence, U+202E reverses.
 */
static void test_a_title_cannot_move_the_cursor(void **state)
{
    static const char *const bad[] = {"\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6"};
    (void)state;
    give_charter();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        RG_OWNED_BUFFER text = {0};
        struct world_page_spec spec = WORLD_PAGE;
        world_page(th(), &spec, &text);
        char *title = memmem(text.data, text.len, "title = \"", 9);
        assert_non_null(title);
        memcpy(title + 9, bad[i], strlen(bad[i]));
        offer_signed(RG_DOC_PAGE, "th", &text, &th()->publisher, RG_MALFORMED, "document-value");
    }
}

static void test_domestic_offices_never_cross(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.cross_border = "always";
    world_domestic(th(), &spec, &text);
    offer_signed(RG_DOC_PAGE_DOMESTIC, "th", &text, &th()->publisher, RG_MALFORMED,
                 "document-value");
}

static void test_a_refused_page_changes_nothing(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    give_page(th());
    spec.more = "x";
    page(th(), &spec, RG_MALFORMED, "settings-syntax");
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_OK, NULL);
}

/* ---- certificates ---- */

static void test_listed_certificates_are_trusted_for_their_use(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    give_domestic(th());
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    judged(&th()->tls[0], RG_USE_TLS, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_OK, NULL);
    judged(&th()->ngo, RG_USE_SIGN, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_OK, NULL); /* from the remembered chain */
    judged(&th()->sign[0], RG_USE_TLS, RG_DENIED, "certificate-wrong-usage");
    judged(&th()->tls[0], RG_USE_SIGN, RG_DENIED, "certificate-wrong-usage");
    judged(&th()->gateway, RG_USE_SIGN, RG_DENIED, "certificate-wrong-usage");
    judged(&th()->root, RG_USE_SIGN, RG_DENIED, "certificate-wrong-usage");
}

static void test_a_certificate_under_another_root_is_refused(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    struct world_holder stranger = world_issue(FORGE_GATEWAY, "referral://th/gateway", &kh()->root);
    struct world_holder alone = world_issue(FORGE_GATEWAY, "referral://th/gateway", NULL);
    judged(&stranger, RG_USE_TLS, RG_DENIED, "certificate-wrong-root");
    judged(&alone, RG_USE_TLS, RG_DENIED, "certificate-wrong-root");
    world_drop_holder(&stranger);
    world_drop_holder(&alone);
}

static void test_a_root_signs_for_its_own_country_only(void **state)
{
    (void)state;
    /* Listed by th's own publisher, issued by th's own root, but the name is kh's. */
    struct world_holder reach =
        world_issue(FORGE_SIGN, "referral://kh/focal/officer-1", &th()->root);
    give_charter();
    give_page(kh());
    judged(&reach, RG_USE_SIGN, RG_DENIED, "certificate-wrong-root");
    world_drop_holder(&reach);
}

static void test_an_unlisted_certificate_is_refused(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    judged(&th()->gateway, RG_USE_TLS, RG_DENIED, "certificate-unlisted"); /* no page yet */
    spec.without_second_officer = true;
    page(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_DENIED, "certificate-unlisted");
    judged(&th()->publisher, RG_USE_SIGN, RG_DENIED, "certificate-unlisted");
}

static void test_a_certificate_taken_off_the_page_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER before = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    give_page(th());
    world_page(th(), &spec, &before);
    judged(&th()->sign[1], RG_USE_SIGN, RG_OK, NULL);
    spec.counter = 2;
    spec.previous = &before;
    spec.without_second_officer = true;
    page(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_DENIED, "certificate-unlisted");
}

static void test_a_certificate_listed_under_another_name_is_refused(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    spec.officer1 = "referral://th/focal/officer-9";
    page(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_DENIED, "certificate-unlisted");
}

static void test_a_certificate_out_of_time_is_refused(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    judged_at(&th()->gateway, RG_USE_TLS, world_day(-400), RG_DENIED, "certificate-not-yet-valid");
    judged_at(&th()->gateway, RG_USE_TLS, world_day(800), RG_DENIED, "certificate-expired");
}

static void test_an_unknown_country_is_refused(void **state)
{
    (void)state;
    struct world_holder vn = world_issue(FORGE_GATEWAY, "referral://vn/gateway", &th()->root);
    judged(&th()->gateway, RG_USE_TLS, RG_DENIED, "certificate-unknown-country");
    give_charter();
    judged(&vn, RG_USE_TLS, RG_DENIED, "certificate-unknown-country");
    world_drop_holder(&vn);
}

static void test_this_countrys_own_suspensions(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    give_charter();
    give_page(th());
    give_page(kh());
    expect(rg_trust_suspend(fresh->trust, "th/focal", &why), &why, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_DENIED, "certificate-suspended");
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    assert_true(rg_trust_office(fresh->trust, "th/focal")->suspended);
    expect(rg_trust_suspend(fresh->trust, "kh", &why), &why, RG_OK, NULL);
    judged(&kh()->gateway, RG_USE_TLS, RG_DENIED, "certificate-suspended");
    assert_true(rg_trust_country(fresh->trust, "kh")->suspended);
    assert_true(rg_trust_office(fresh->trust, "kh/focal")->suspended);
    expect(rg_trust_suspend(fresh->trust, "Not a name", &why), &why, RG_MALFORMED,
           "principal-form");
}

/* ---- stop lists ---- */

static void test_a_stopped_certificate_is_refused_from_then_on(void **state)
{
    (void)state;
    struct rg_verdict verdict;
    struct rg_reason why = {0};
    give_charter();
    give_page(th());
    struct world_stop_spec spec = {.counter = 1,
                                   .issued = WORLD_NOW,
                                   .certificate = {&th()->sign[0]},
                                   .from = {world_day(-2)}};
    stop(th(), &spec, RG_OK, NULL);
    judged_at(&th()->sign[0], RG_USE_SIGN, WORLD_NOW, RG_DENIED, "certificate-stopped");
    judged_at(&th()->sign[0], RG_USE_SIGN, world_day(-2), RG_DENIED, "certificate-stopped");
    judged_at(&th()->sign[1], RG_USE_SIGN, WORLD_NOW, RG_OK, NULL);
    expect(rg_trust_judge(fresh->trust, th()->sign[0].certificate, RG_USE_SIGN, world_day(-3),
                          WORLD_NOW, &verdict, &why),
           &why, RG_OK, NULL);
    assert_true(verdict.stopped_later);
}

static void test_a_suspended_office_is_refused(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    struct world_stop_spec spec = {.counter = 1, .issued = WORLD_NOW, .office = "th/focal"};
    stop(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_DENIED, "certificate-suspended");
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    assert_true(rg_trust_office(fresh->trust, "th/focal")->suspended);
    spec = (struct world_stop_spec){.counter = 2, .issued = WORLD_NOW, .office = "kh/focal"};
    stop(th(), &spec, RG_DENIED, "page-foreign");
}

static void test_a_stop_list_never_gives_trust_back(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    struct world_stop_spec spec = {.counter = 1,
                                   .issued = WORLD_NOW,
                                   .certificate = {&th()->sign[0]},
                                   .from = {world_day(-1)},
                                   .office = "th/focal"};
    stop(th(), &spec, RG_OK, NULL);
    spec.counter = 2;
    spec.issued = world_day(1);
    spec.certificate[0] = NULL;
    stop(th(), &spec, RG_DENIED, "stop-adds");
    spec.certificate[0] = &th()->sign[0];
    spec.office = NULL;
    stop(th(), &spec, RG_DENIED, "stop-adds");
    spec.office = "th/focal";
    spec.from[0] = WORLD_NOW;
    stop(th(), &spec, RG_DENIED, "stop-adds");
    spec.office = "th/focal";
    spec.from[0] = world_day(-1);
    spec.certificate[1] = &th()->sign[1];
    spec.from[1] = world_day(-5);
    stop(th(), &spec, RG_DENIED, "stop-backdated");
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
}

static void test_a_stop_list_names_nothing_twice(void **state)
{
    (void)state;
    give_charter();
    struct world_stop_spec spec = {.counter = 1,
                                   .issued = WORLD_NOW,
                                   .certificate = {&th()->sign[0], &th()->sign[0]},
                                   .from = {world_day(-2), world_day(-1)}};
    stop(th(), &spec, RG_MALFORMED, "document-doubled");
    spec = (struct world_stop_spec){
        .counter = 1, .issued = WORLD_NOW, .office = "th/focal\", \"th/focal"};
    stop(th(), &spec, RG_MALFORMED, "document-doubled");
}

static void test_stop_list_counters_go_up(void **state)
{
    (void)state;
    give_charter();
    struct world_stop_spec spec = {.counter = 2, .issued = WORLD_NOW};
    stop(th(), &spec, RG_OK, NULL);
    spec.counter = 1;
    stop(th(), &spec, RG_DENIED, "stop-counter-back");
    spec.counter = 2;
    spec.office = "th/focal";
    stop(th(), &spec, RG_DENIED, "stop-fork");
}

static void test_a_stop_list_of_another_publisher_is_refused(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_stop_spec spec = {.counter = 1, .issued = WORLD_NOW};
    give_charter();
    world_stop(th(), &spec, &text);
    offer_signed(RG_DOC_STOP_LIST, "th", &text, &kh()->publisher, RG_DENIED, "stop-publisher");
}

static void test_nobody_is_listed_twice(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    static const char again[] = ", { name = \"th/focal\"; title = \"Again\"; role = \"focal\"; "
                                "cross_border = \"always\"; officers = (); });\n";
    give_charter();
    spec.officer1 = "referral://th/focal/officer-2";
    page(th(), &spec, RG_MALFORMED, "document-doubled");
    spec.officer1 = NULL;
    world_page(th(), &spec, &text);
    text.len -= strlen(");\n");
    world_add(&text, "%s", again);
    offer_signed(RG_DOC_PAGE, "th", &text, &th()->publisher, RG_MALFORMED, "document-doubled");
}

static void test_a_page_has_one_signature(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct rg_reason why = {0};
    struct world_page_spec spec = WORLD_PAGE;
    const struct world_holder *signer[] = {&th()->publisher, &kh()->publisher};
    give_charter();
    world_page(th(), &spec, &text);
    OWNED_DOCUMENT document = world_document(RG_DOC_PAGE, "th", &text, signer, 2);
    expect(offer_at(&document, WORLD_NOW, &why), &why, RG_DENIED, "page-publisher");
}

static void test_another_certificate_of_one_authority_is_no_second_vote(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    struct forge forge = {
        .kind = FORGE_SIGN, .uri = "referral://th/authority", .common_name = "twin"};
    struct rg_certificate *twin = forge_with_key(&forge, th()->authority.key);
    expect(rg_trust_pin_authority(fresh->trust, twin, &why), &why, RG_DENIED,
           "charter-authority-doubled");
    rg_certificate_free(twin);
}

/* An entry without a date of its own counts from the first list that it stood in. */
static void test_an_undated_stop_keeps_its_first_day(void **state)
{
    (void)state;
    char hex[65];
    struct rg_hash digest = rg_certificate_digest(th()->sign[0].certificate);
    rg_hex(rg_bytes_of(digest.b, 32), hex);
    give_charter();
    give_page(th());
    for (unsigned counter = 1; counter <= 2; counter++) {
        RG_OWNED_BUFFER text = {0};
        world_add(&text, "format = \"referral-stop-1\"; country = \"th\"; counter = \"%u\";\n",
                  counter);
        world_add_time(&text, "issued", world_day(counter == 1 ? -5 : 0));
        world_add(&text, "certificates = (\"%s\"); offices = ();\n", hex);
        offer_signed(RG_DOC_STOP_LIST, "th", &text, &th()->publisher, RG_OK, NULL);
    }
    judged_at(&th()->sign[0], RG_USE_SIGN, world_day(-2), RG_DENIED, "certificate-stopped");
}

/* ---- a new charter ---- */

static void test_pages_go_on_under_a_new_charter(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    give_charter();
    give_page(th());
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    spec.counter = 2;
    charter_by_two(&spec, RG_OK, NULL);
    judged(&th()->gateway, RG_USE_TLS, RG_OK, NULL);
    assert_true(rg_trust_country(fresh->trust, "th")->has_page);
}

static void test_a_new_root_ends_trust_under_the_old(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    struct world_holder root = world_root("kh");
    give_charter();
    give_page(kh());
    judged(&kh()->gateway, RG_USE_TLS, RG_OK, NULL);
    spec.counter = 2;
    spec.root_of_first = &root;
    charter_by_two(&spec, RG_OK, NULL);
    judged(&kh()->gateway, RG_USE_TLS, RG_DENIED, "certificate-wrong-root");
    world_drop_holder(&root);
}

/* ---- those who issue are bound by time too ---- */

#define BEFORE_NOW_S (WORLD_NOW.ms / 1000 - 86400)
#define AFTER_NOW_S (WORLD_NOW.ms / 1000 + 5 * 86400)

static void test_a_root_out_of_time_vouches_for_nobody(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    struct world_holder root = {0};
    struct forge forge = {
        .kind = FORGE_ROOT, .country = "kh", .common_name = "kh", .until_s = AFTER_NOW_S};
    root.certificate = forge_with_key(&forge, kh()->root.key);
    spec.root_of_first = &root;
    charter_by_two(&spec, RG_OK, NULL);
    give_page(kh());
    judged(&kh()->gateway, RG_USE_TLS, RG_OK, NULL);
    judged_at(&kh()->gateway, RG_USE_TLS, world_day(6), RG_DENIED, "certificate-wrong-root");
    world_drop_holder(&root);
}

static void test_an_authority_out_of_time_has_no_vote(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct rg_reason why = {0};
    struct world_charter_spec spec = WORLD_CHARTER;
    struct world_holder late = {0};
    struct forge forge = {.kind = FORGE_SIGN,
                          .uri = "referral://kh/authority",
                          .common_name = "late",
                          .until_s = BEFORE_NOW_S};
    late.certificate = forge_certificate(&forge, NULL, NULL, &late.key);
    rg_trust_free(fresh->trust);
    fresh->trust = rg_trust_new();
    expect(rg_trust_pin_authority(fresh->trust, late.certificate, &why), &why, RG_OK, NULL);
    expect(rg_trust_pin_authority(fresh->trust, th()->authority.certificate, &why), &why, RG_OK,
           NULL);
    rg_trust_pin_quorum(fresh->trust, 2);
    const struct world_holder *voter[] = {&late, &th()->authority};
    world_charter(fresh, &spec, &text);
    charter_votes(&text, voter, 2, RG_DENIED, "charter-quorum");
    world_drop_holder(&late);
}

static void test_a_publisher_out_of_time_publishes_nothing(void **state)
{
    (void)state;
    struct world_page_spec spec = WORLD_PAGE;
    struct world_stop_spec stops = {.counter = 1, .issued = WORLD_NOW};
    struct world_holder usual = kh()->publisher;
    struct world_holder late = {0};
    struct forge forge = {.kind = FORGE_SIGN,
                          .uri = "referral://kh/publisher",
                          .common_name = "late",
                          .until_s = BEFORE_NOW_S};
    late.certificate = forge_certificate(&forge, kh()->root.certificate, kh()->root.key, &late.key);
    kh()->publisher = late;
    give_charter();
    page(kh(), &spec, RG_DENIED, "page-publisher");
    stop(kh(), &stops, RG_DENIED, "stop-publisher");
    kh()->publisher = usual;
    world_drop_holder(&late);
}

static void test_a_page_ends_with_its_publisher(void **state)
{
    (void)state;
    struct world_charter_spec spec = WORLD_CHARTER;
    struct world_holder usual = kh()->publisher;
    struct world_holder next = world_issue_in(kh(), FORGE_SIGN, "publisher");
    give_charter();
    give_page(kh());
    give_page(th());
    give_domestic(kh());
    kh()->publisher = next;
    spec.counter = 2;
    charter_by_two(&spec, RG_OK, NULL);
    assert_false(rg_trust_country(fresh->trust, "kh")->has_page);
    assert_true(rg_trust_country(fresh->trust, "th")->has_page);
    judged(&kh()->gateway, RG_USE_TLS, RG_DENIED, "certificate-unlisted");
    judged(&kh()->ngo, RG_USE_SIGN, RG_DENIED, "certificate-unlisted");
    give_page(kh());
    judged(&kh()->gateway, RG_USE_TLS, RG_OK, NULL);
    kh()->publisher = usual;
    world_drop_holder(&next);
}

/* A list with a date to come takes trust away at once, and does not put off those after it. */
static void test_a_stop_list_of_a_day_to_come_counts_now(void **state)
{
    (void)state;
    give_charter();
    give_page(th());
    struct world_stop_spec spec = {.counter = 1,
                                   .issued = world_day(90),
                                   .certificate = {&th()->sign[0]},
                                   .from = {world_day(90)}};
    stop(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_DENIED, "certificate-stopped");
    spec.counter = 2;
    spec.issued = world_day(91);
    spec.office = "th/focal";
    stop(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[0], RG_USE_SIGN, RG_DENIED, "certificate-stopped");
    judged(&th()->sign[1], RG_USE_SIGN, RG_DENIED, "certificate-suspended");
    spec.counter = 3;
    spec.issued = WORLD_NOW; /* the mistake is mended */
    spec.from[0] = WORLD_NOW;
    spec.certificate[1] = &th()->sign[1];
    spec.from[1] = WORLD_NOW;
    stop(th(), &spec, RG_OK, NULL);
    judged(&th()->sign[1], RG_USE_SIGN, RG_DENIED, "certificate-stopped");
}

/* ---- cards and readers ---- */

static struct rg_document card_of(const struct world_holder *officer, struct rg_wall from)
{
    struct rg_document document = {.kind = RG_DOC_KEY_CARD};
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_CERTIFICATE *reading = NULL;
    const struct rg_principal *principal = rg_certificate_principal(officer->certificate);
    struct rg_reason why = {0};
    memcpy(document.country, principal->country, sizeof(document.country));
    expect(rg_reading_key_new(principal, from, (struct rg_wall){.ms = from.ms + 30 * WORLD_DAY_MS},
                              &key, &reading, &why),
           &why, RG_OK, NULL);
    expect(rg_card_make(officer->certificate, officer->key, reading, &document.text, &why), &why,
           RG_OK, NULL);
    return document;
}

static void card(const struct world_holder *officer, struct rg_wall from, struct rg_wall now,
                 enum rg_code code, const char *id)
{
    struct rg_reason why = {0};
    OWNED_DOCUMENT document = card_of(officer, from);
    expect(offer_at(&document, now, &why), &why, code, id);
}

static size_t readers(const char *office, const char *class_name, struct rg_wall now,
                      struct rg_certificate **out, enum rg_code code, const char *id)
{
    struct rg_reason why = {0};
    size_t count = 0;
    expect(rg_trust_readers(fresh->trust, office, class_name, now, out, 4, &count, &why), &why,
           code, id);
    return count;
}

static void test_readers_are_the_newest_cards_of_cleared_officers(void **state)
{
    (void)state;
    struct rg_certificate *reader[4];
    give_charter();
    give_page(th());
    readers("th/focal", "case", WORLD_NOW, reader, RG_AGAIN, "readers-none");
    card(&th()->sign[0], world_day(-5), WORLD_NOW, RG_OK, NULL);
    card(&th()->sign[0], world_day(-1), WORLD_NOW, RG_OK, NULL);
    card(&th()->sign[0], world_day(20), WORLD_NOW, RG_OK, NULL);
    assert_int_equal(readers("th/focal", "case", WORLD_NOW, reader, RG_OK, NULL), 1);
    assert_int_equal(rg_certificate_not_before(reader[0]).ms, world_day(-1).ms);
    card(&th()->sign[1], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    assert_int_equal(readers("th/focal", "case", WORLD_NOW, reader, RG_OK, NULL), 2);
    assert_int_equal(readers("th/focal", "case", world_day(31), reader, RG_OK, NULL), 1);
    assert_int_equal(rg_certificate_not_before(reader[0]).ms, world_day(20).ms);
    readers("th/focal", "case", world_day(51), reader, RG_AGAIN, "readers-none");
}

static void test_readers_are_refused_by_class_and_office(void **state)
{
    (void)state;
    struct rg_certificate *reader[4];
    struct rg_reason why = {0};
    give_charter();
    give_page(th());
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    readers("th/focal", "health", WORLD_NOW, reader, RG_DENIED, "readers-class");
    readers("th/focal", "gossip", WORLD_NOW, reader, RG_DENIED, "readers-class");
    readers("th/ngo-alpha", "case", WORLD_NOW, reader, RG_DENIED, "readers-office");
    readers("vn/focal", "case", WORLD_NOW, reader, RG_DENIED, "readers-office");
    readers("th/focal", "case", world_day(60), reader, RG_DENIED, "page-expired");
    expect(rg_trust_suspend(fresh->trust, "th/focal", &why), &why, RG_OK, NULL);
    readers("th/focal", "case", WORLD_NOW, reader, RG_DENIED, "readers-office");
}

static void test_an_officer_without_clearance_is_no_reader(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    struct rg_certificate *reader[4];
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    world_page(th(), &spec, &text);
    char *cleared = memmem(text.data, text.len, "(\"case\", \"health\")", 18);
    assert_non_null(cleared); /* of the first officer */
    memcpy(cleared, "(\"health\")        ", 18);
    offer_signed(RG_DOC_PAGE, "th", &text, &th()->publisher, RG_OK, NULL);
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    readers("th/focal", "case", WORLD_NOW, reader, RG_AGAIN, "readers-none");
    card(&th()->sign[1], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    assert_int_equal(readers("th/focal", "case", WORLD_NOW, reader, RG_OK, NULL), 1);
    assert_string_equal(rg_certificate_principal(reader[0])->text, world_principal(&th()->sign[1]));
}

static void test_a_stopped_officer_reads_nothing_new(void **state)
{
    (void)state;
    struct rg_certificate *reader[4];
    give_charter();
    give_page(th());
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    struct world_stop_spec spec = {
        .counter = 1, .issued = WORLD_NOW, .certificate = {&th()->sign[0]}, .from = {WORLD_NOW}};
    stop(th(), &spec, RG_OK, NULL);
    readers("th/focal", "case", WORLD_NOW, reader, RG_AGAIN, "readers-none");
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_DENIED, "certificate-stopped");
}

static void test_cards_that_are_refused(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_AGAIN, "document-needs-charter");
    give_charter();
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_AGAIN, "document-needs-page");
    give_page(th());
    give_page(kh());
    card(&th()->ngo, WORLD_NOW, WORLD_NOW, RG_AGAIN, "document-needs-page");
    card(&th()->sign[0], world_day(-31), WORLD_NOW, RG_DENIED, "card-expired");
    struct world_holder other =
        world_issue(FORGE_SIGN, "referral://th/focal/officer-1", &th()->root);
    card(&other, WORLD_NOW, WORLD_NOW, RG_DENIED, "card-signer"); /* not listed */
    world_drop_holder(&other);
    OWNED_DOCUMENT moved = card_of(&th()->sign[0], WORLD_NOW);
    memcpy(moved.country, "kh", 3);
    expect(offer_at(&moved, WORLD_NOW, &why), &why, RG_DENIED, "card-principal");
    for (int i = 0; i < RG_CARDS_PER_OFFICER_MAX; i++) {
        card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    }
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_LIMIT, "card-too-many");
    card(&th()->sign[0], world_day(31), world_day(31), RG_OK, NULL); /* the old ones are gone */
    assert_null(rg_trust_document(fresh->trust, RG_DOC_KEY_CARD, "th", 1));
}

/* The same card in other bytes: a second signature over the same certificate. Anybody can make such
 * variants (ECDSA allows it); they must not use up the officer's places. */
static void test_a_card_in_other_bytes_is_no_news(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    give_charter();
    give_page(th());
    const struct world_holder *officer = &th()->sign[0];
    OWNED_DOCUMENT first = card_of(officer, WORLD_NOW);
    OWNED_DOCUMENT again = {.kind = RG_DOC_KEY_CARD, .country = "th"};
    RG_OWNED_BUFFER reading = {0};
    RG_OWNED_CERTIFICATE *certificate = NULL;
    expect(rg_signature_claim(rg_buffer_peek(&first.text), &reading, &why), &why, RG_OK, NULL);
    expect(rg_certificate_parse(rg_buffer_peek(&reading), &certificate, &why), &why, RG_OK, NULL);
    expect(rg_card_make(officer->certificate, officer->key, certificate, &again.text, &why), &why,
           RG_OK, NULL);
    assert_false(rg_bytes_equal(rg_buffer_peek(&first.text), rg_buffer_peek(&again.text)));
    expect(offer_at(&first, WORLD_NOW, &why), &why, RG_OK, NULL);
    enum rg_news news = RG_NEWS_NEW;
    expect(rg_trust_offer(fresh->trust, &again, WORLD_NOW, &news, &why), &why, RG_OK, NULL);
    assert_int_equal(news, RG_NEWS_NONE);
    assert_null(rg_trust_document(fresh->trust, RG_DOC_KEY_CARD, "th", 1));
}

/* Who has stolen a signing key can make cards until it is stopped, but not keep the places. */
static void test_cards_of_a_stopped_signer_make_room(void **state)
{
    (void)state;
    struct rg_certificate *reader[4];
    struct world_holder renewed =
        world_issue(FORGE_SIGN, "referral://th/focal/officer-1", &th()->root);
    struct world_holder stolen = th()->sign[0];
    RG_OWNED_BUFFER text = {0};
    struct world_page_spec spec = WORLD_PAGE;
    give_charter();
    give_page(th());
    for (int i = 0; i < RG_CARDS_PER_OFFICER_MAX; i++) {
        card(&stolen, WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    }
    RG_OWNED_BUFFER before = {0};
    world_page(th(), &spec, &before);
    spec.counter = 2;
    spec.previous = &before;
    th()->sign[0] = renewed;
    world_page(th(), &spec, &text);
    th()->sign[0] = stolen;
    offer_signed(RG_DOC_PAGE, "th", &text, &th()->publisher, RG_OK, NULL);
    struct world_stop_spec stopped = {
        .counter = 1, .issued = WORLD_NOW, .certificate = {&stolen}, .from = {WORLD_NOW}};
    stop(th(), &stopped, RG_OK, NULL);
    card(&renewed, WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    assert_int_equal(readers("th/focal", "case", WORLD_NOW, reader, RG_OK, NULL), 1);
    assert_null(rg_trust_document(fresh->trust, RG_DOC_KEY_CARD, "th", 1));
    world_drop_holder(&renewed);
}

static void test_signers_of_an_office(void **state)
{
    (void)state;
    struct rg_certificate *signer[4];
    struct rg_reason why = {0};
    size_t count = 0;
    give_charter();
    give_page(th());
    expect(rg_trust_signers(fresh->trust, "th/focal", signer, 4, &count, &why), &why, RG_OK, NULL);
    assert_int_equal(count, 2);
    expect(rg_trust_signers(fresh->trust, "th/focal", signer, 1, &count, &why), &why, RG_LIMIT,
           "signers-too-many");
    expect(rg_trust_signers(fresh->trust, "th/none", signer, 4, &count, &why), &why, RG_DENIED,
           "signers-office");
}

/* ---- what is held ---- */

static const struct rg_holding *row_of(const struct rg_holding *row, size_t count,
                                       enum rg_document_kind kind, const char *country)
{
    for (size_t i = 0; i < count; i++) {
        if (row[i].kind == kind && strcmp(row[i].country, country) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

static uint64_t cards_in(const struct rg_holding *row, size_t count)
{
    const struct rg_holding *cards = row_of(row, count, RG_DOC_KEY_CARD, "th");
    return cards != NULL ? cards->counter : 0;
}

static void test_holdings_say_what_is_held_and_needed(void **state)
{
    (void)state;
    struct rg_holding row[RG_HELLO_HOLDINGS_MAX];
    give_charter();
    give_page(th());
    give_domestic(th());
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    size_t count = rg_trust_holdings(fresh->trust, row, RG_HELLO_HOLDINGS_MAX);
    assert_int_equal(count, 4);
    assert_int_equal(row[0].kind, RG_DOC_CHARTER);
    for (size_t i = 0; i < count; i++) {
        assert_false(rg_trust_needs(fresh->trust, &row[i]));
        const struct rg_document *document =
            rg_trust_document(fresh->trust, row[i].kind, row[i].country, 0);
        assert_non_null(document);
        assert_int_equal(document->kind, row[i].kind);
        assert_null(rg_trust_document(fresh->trust, row[i].kind, row[i].country, 1));
        row[i].counter++;
        row[i].digest.b[0] ^= 1;
        assert_true(rg_trust_needs(fresh->trust, &row[i]));
    }
    struct rg_holding kh_page = {.kind = RG_DOC_PAGE, .country = "kh", .counter = 1};
    assert_true(rg_trust_needs(fresh->trust, &kh_page));
    memcpy(kh_page.country, "vn", 3);
    assert_false(rg_trust_needs(fresh->trust, &kh_page));
    assert_int_equal(rg_trust_holdings(fresh->trust, row, 2), 2);
}

static void test_domestic_matters_stay_at_home(void **state)
{
    (void)state;
    struct rg_holding row[RG_HELLO_HOLDINGS_MAX];
    give_charter();
    give_page(th());
    give_domestic(th());
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    card(&th()->ngo, WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    size_t count = rg_trust_holdings_for(fresh->trust, "kh", row, RG_HELLO_HOLDINGS_MAX);
    assert_null(row_of(row, count, RG_DOC_PAGE_DOMESTIC, "th"));
    assert_int_equal(cards_in(row, count), 1);
    assert_false(rg_trust_needs(fresh->trust, row_of(row, count, RG_DOC_KEY_CARD, "th")));
    count = rg_trust_holdings_for(fresh->trust, "th", row, RG_HELLO_HOLDINGS_MAX);
    assert_non_null(row_of(row, count, RG_DOC_PAGE_DOMESTIC, "th"));
    assert_int_equal(cards_in(row, count), 2);
    size_t domestic = 0;
    for (size_t i = 0; i < 2; i++) {
        domestic += rg_trust_is_domestic(fresh->trust,
                                         rg_trust_document(fresh->trust, RG_DOC_KEY_CARD, "th", i));
    }
    assert_int_equal(domestic, 1);
    assert_true(rg_trust_is_domestic(
        fresh->trust, rg_trust_document(fresh->trust, RG_DOC_PAGE_DOMESTIC, "th", 0)));
    assert_false(
        rg_trust_is_domestic(fresh->trust, rg_trust_document(fresh->trust, RG_DOC_PAGE, "th", 0)));
}

/* ---- folders ---- */

static rg_outcome offer_each(void *context, const struct rg_document *document,
                             struct rg_reason *why)
{
    enum rg_news news = RG_NEWS_NONE;
    *(size_t *)context += 1;
    return rg_trust_offer(fresh->trust, document, WORLD_NOW, &news, why);
}

static void remove_folder(const char *folder)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
}

static void write_all_held(const char *folder)
{
    static const enum rg_document_kind kind[] = {RG_DOC_CHARTER, RG_DOC_PAGE, RG_DOC_PAGE_DOMESTIC,
                                                 RG_DOC_STOP_LIST, RG_DOC_KEY_CARD};
    for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
        const struct rg_document *document = rg_trust_document(fresh->trust, kind[i], "th", 0);
        struct rg_reason why = {0};
        assert_non_null(document);
        expect(rg_document_write(folder, document, &why), &why, RG_OK, NULL);
    }
}

static void test_a_folder_keeps_everything_in_order(void **state)
{
    char folder[] = "/tmp/rg-trust-XXXXXX";
    struct rg_reason why = {0};
    size_t count = 0;
    assert_non_null(mkdtemp(folder));
    give_charter();
    give_page(th());
    give_domestic(th());
    struct world_stop_spec spec = {.counter = 1, .issued = WORLD_NOW, .office = "th/ngo-beta"};
    stop(th(), &spec, RG_OK, NULL);
    card(&th()->sign[0], WORLD_NOW, WORLD_NOW, RG_OK, NULL);
    write_all_held(folder);
    rg_trust_free(fresh->trust);
    (void)new_trust(state);
    expect(rg_document_read_folder(folder, offer_each, &count, &why), &why, RG_OK, NULL);
    assert_int_equal(count, 5);
    judged(&th()->ngo, RG_USE_SIGN, RG_OK, NULL);
    struct rg_certificate *reader[4];
    assert_int_equal(readers("th/focal", "case", WORLD_NOW, reader, RG_OK, NULL), 1);
    remove_folder(folder);
}

static void move(const char *folder, const char *from, const char *to)
{
    char a[128];
    char b[128];
    (void)snprintf(a, sizeof(a), "%s/%s", folder, from);
    (void)snprintf(b, sizeof(b), "%s/%s", folder, to);
    assert_int_equal(rename(a, b), 0);
}

/* A write cut between its two renames is finished; one cut before its mark never happened. */
static void test_a_cut_write_is_finished_or_forgotten(void **state)
{
    (void)state;
    char folder[] = "/tmp/rg-trust-XXXXXX";
    struct rg_reason why = {0};
    size_t count = 0;
    assert_non_null(mkdtemp(folder));
    give_charter();
    give_page(th());
    const struct rg_document *held = rg_trust_document(fresh->trust, RG_DOC_PAGE, "th", 0);
    expect(rg_document_write(folder, held, &why), &why, RG_OK, NULL);
    move(folder, "page-th.cfg", "page-th.cfg.new");
    expect(rg_document_read_folder(folder, offer_each, &count, &why), &why, RG_OK, NULL);
    assert_int_equal(count, 1);
    move(folder, "page-th.cfg", "page-th.cfg.new");
    move(folder, "page-th.cfg.p7s", "page-th.cfg.p7s.new");
    expect(rg_document_read_folder(folder, offer_each, &count, &why), &why, RG_OK, NULL);
    assert_int_equal(count, 2);
    move(folder, "page-th.cfg.p7s", "page-th.cfg.p7s.new"); /* the mark is missing */
    expect(rg_document_read_folder(folder, offer_each, &count, &why), &why, RG_OK, NULL);
    assert_int_equal(count, 3);
    remove_folder(folder);
}

static void test_only_lawful_names_are_written(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    struct rg_document evil = {.kind = RG_DOC_PAGE, .country = "../x"};
    expect(rg_document_write("/tmp", &evil, &why), &why, RG_MALFORMED, "document-value");
    size_t count = 0;
    expect(rg_document_read_folder("/nonexistent-rg", offer_each, &count, &why), &why, RG_IO,
           "file-unreadable");
}

#define TRUST_TEST(test) cmocka_unit_test_setup_teardown(test, new_trust, drop_trust)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRUST_TEST(test_charter_names_countries),
        TRUST_TEST(test_charter_needs_its_quorum),
        TRUST_TEST(test_an_officer_or_publisher_is_no_authority),
        TRUST_TEST(test_an_authority_counts_once),
        TRUST_TEST(test_an_authority_is_listed_once),
        TRUST_TEST(test_the_same_authority_is_pinned_once),
        TRUST_TEST(test_a_quorum_must_be_possible),
        TRUST_TEST(test_a_changed_charter_is_refused),
        TRUST_TEST(test_a_root_belongs_to_one_country),
        TRUST_TEST(test_charter_counters_go_up),
        TRUST_TEST(test_a_charter_decides_who_makes_the_next),
        TRUST_TEST(test_nothing_is_trusted_without_a_pin),
        TRUST_TEST(test_a_charter_can_be_pinned_by_hash),
        TRUST_TEST(test_other_versions_and_formats_are_refused),
        TRUST_TEST(test_the_same_document_twice_is_no_news),
        TRUST_TEST(test_page_fills_country_and_offices),
        TRUST_TEST(test_a_page_needs_the_charter),
        TRUST_TEST(test_a_publisher_of_another_country_is_refused),
        TRUST_TEST(test_a_page_about_another_country_is_refused),
        TRUST_TEST(test_a_bad_signature_is_refused),
        TRUST_TEST(test_include_in_a_signed_page_is_refused),
        TRUST_TEST(test_duplicate_names_in_a_signed_page_are_refused),
        TRUST_TEST(test_oversized_documents_are_refused),
        TRUST_TEST(test_a_page_counter_never_goes_back),
        TRUST_TEST(test_two_pages_with_one_counter_are_a_fork),
        TRUST_TEST(test_a_page_must_follow_the_one_before),
        TRUST_TEST(test_a_page_of_a_day_to_come_waits),
        TRUST_TEST(test_a_stop_list_of_a_day_to_come_counts_now),
        TRUST_TEST(test_a_title_cannot_move_the_cursor),
        TRUST_TEST(test_counters_start_at_one),
        TRUST_TEST(test_a_page_is_fresh_then_valid_then_in_grace_then_refused),
        TRUST_TEST(test_an_expired_page_is_taken_but_trusts_nobody_now),
        TRUST_TEST(test_domestic_offices_never_cross),
        TRUST_TEST(test_a_refused_page_changes_nothing),
        TRUST_TEST(test_listed_certificates_are_trusted_for_their_use),
        TRUST_TEST(test_a_certificate_under_another_root_is_refused),
        TRUST_TEST(test_a_root_signs_for_its_own_country_only),
        TRUST_TEST(test_an_unlisted_certificate_is_refused),
        TRUST_TEST(test_a_certificate_taken_off_the_page_is_refused),
        TRUST_TEST(test_a_certificate_listed_under_another_name_is_refused),
        TRUST_TEST(test_a_certificate_out_of_time_is_refused),
        TRUST_TEST(test_an_unknown_country_is_refused),
        TRUST_TEST(test_this_countrys_own_suspensions),
        TRUST_TEST(test_a_stopped_certificate_is_refused_from_then_on),
        TRUST_TEST(test_a_suspended_office_is_refused),
        TRUST_TEST(test_a_stop_list_never_gives_trust_back),
        TRUST_TEST(test_a_stop_list_names_nothing_twice),
        TRUST_TEST(test_stop_list_counters_go_up),
        TRUST_TEST(test_a_stop_list_of_another_publisher_is_refused),
        TRUST_TEST(test_pages_go_on_under_a_new_charter),
        TRUST_TEST(test_a_new_root_ends_trust_under_the_old),
        TRUST_TEST(test_readers_are_the_newest_cards_of_cleared_officers),
        TRUST_TEST(test_readers_are_refused_by_class_and_office),
        TRUST_TEST(test_an_officer_without_clearance_is_no_reader),
        TRUST_TEST(test_a_root_out_of_time_vouches_for_nobody),
        TRUST_TEST(test_an_authority_out_of_time_has_no_vote),
        TRUST_TEST(test_a_publisher_out_of_time_publishes_nothing),
        TRUST_TEST(test_a_page_ends_with_its_publisher),
        TRUST_TEST(test_nobody_is_listed_twice),
        TRUST_TEST(test_a_page_has_one_signature),
        TRUST_TEST(test_another_certificate_of_one_authority_is_no_second_vote),
        TRUST_TEST(test_an_undated_stop_keeps_its_first_day),
        TRUST_TEST(test_a_stopped_officer_reads_nothing_new),
        TRUST_TEST(test_a_class_is_ruled_once),
        TRUST_TEST(test_a_signature_in_other_bytes_is_refused),
        TRUST_TEST(test_cards_that_are_refused),
        TRUST_TEST(test_a_card_in_other_bytes_is_no_news),
        TRUST_TEST(test_cards_of_a_stopped_signer_make_room),
        TRUST_TEST(test_signers_of_an_office),
        TRUST_TEST(test_holdings_say_what_is_held_and_needed),
        TRUST_TEST(test_domestic_matters_stay_at_home),
        TRUST_TEST(test_a_folder_keeps_everything_in_order),
        TRUST_TEST(test_a_cut_write_is_finished_or_forgotten),
        TRUST_TEST(test_only_lawful_names_are_written),
    };
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
