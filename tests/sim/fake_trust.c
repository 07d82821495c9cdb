/* How it works: documents are kept as they came; countries and offices are read from them anew
 * after each change. */
#include "tests/sim/fake_trust.h"

#include "core/card.h"
#include "core/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENTS_MAX 256
#define OFFICES_MAX 128
#define MUST(condition) RG_ASSERT(condition)

struct rg_trust {
    struct rg_document document[DOCUMENTS_MAX];
    size_t document_count;
    struct rg_country country[RG_COUNTRIES_MAX];
    size_t country_count;
    struct rg_office office[OFFICES_MAX];
    size_t office_count;
    char suspended[8][RG_OFFICE_BYTES];
    size_t suspended_count;
    struct rg_wall fresh_until;
};

void rg_document_drop(struct rg_document *document)
{
    rg_buffer_drop(&document->text);
    for (size_t i = 0; i < document->signature_count; i++) {
        rg_buffer_drop(&document->signature[i]);
    }
    document->signature_count = 0;
}

rg_outcome rg_document_copy(const struct rg_document *from, struct rg_document *out,
                            struct rg_reason *why)
{
    *out = (struct rg_document){.kind = from->kind};
    memcpy(out->country, from->country, sizeof(out->country));
    RG_TRY(rg_buffer_append(&out->text, rg_buffer_peek(&from->text), why));
    for (size_t i = 0; i < from->signature_count; i++) {
        out->signature_count = i + 1;
        RG_TRY(rg_buffer_append(&out->signature[i], rg_buffer_peek(&from->signature[i]), why));
    }
    return rg_ok();
}

void fake_document(enum rg_document_kind kind, const char *country, const char *text,
                   struct rg_document *out)
{
    *out = (struct rg_document){.kind = kind};
    (void)snprintf(out->country, sizeof(out->country), "%s", country);
    MUST(rg_is_ok(rg_buffer_append_text(&out->text, text, NULL)));
    if (kind != RG_DOC_KEY_CARD) { /* the wire wants one */
        MUST(rg_is_ok(rg_buffer_append_text(&out->signature[0], "signature", NULL)));
        out->signature_count = 1;
    }
}

static void text_of(const struct rg_document *document, char *out, size_t size)
{
    MUST(document->text.len < size);
    memcpy(out, document->text.data, document->text.len);
    out[document->text.len] = '\0';
}

static uint64_t counter_of(const struct rg_document *document)
{
    char text[4096];
    unsigned long long counter = 0;
    text_of(document, text, sizeof(text));
    if (document->kind == RG_DOC_CHARTER) {
        MUST(sscanf(text, "%*s %llu", &counter) == 1);
        return counter;
    }
    MUST(sscanf(text, "%*s %*s %llu", &counter) == 1);
    return counter;
}

static bool listed(const struct rg_trust *trust, const char *name)
{
    char text[4096];
    char line[80];
    (void)snprintf(line, sizeof(line), "\n%s\n", name);
    for (size_t i = 0; i < trust->suspended_count; i++) {
        if (strcmp(trust->suspended[i], name) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < trust->document_count; i++) {
        if (trust->document[i].kind == RG_DOC_STOP_LIST) {
            text_of(&trust->document[i], text, sizeof(text));
            if (strstr(text, line) != NULL) {
                return true;
            }
        }
    }
    return false;
}

static void read_country(struct rg_trust *trust, const char *line)
{
    struct rg_country *country = &trust->country[trust->country_count];
    char hex[80];
    *country = (struct rg_country){.fresh_until = trust->fresh_until};
    if (sscanf(line, "%11s %79s", country->code, hex) != 2 || strlen(hex) != 64) {
        return;
    }
    MUST(rg_is_ok(rg_hex_parse(hex, country->log_key, 32, NULL)));
    memcpy(country->log_origin, "referral/", 10);
    strncat(country->log_origin, country->code, RG_COUNTRY_BYTES);
    country->suspended = listed(trust, country->code);
    trust->country_count++;
}

static void read_office(struct rg_trust *trust, const char *line, bool domestic)
{
    struct rg_office *office = &trust->office[trust->office_count];
    char border[16];
    *office = (struct rg_office){.domestic = domestic};
    if (sscanf(line, "%63s %23s %15s", office->name, office->role, border) != 3 ||
        strchr(office->name, '/') == NULL) {
        return;
    }
    office->cross_border = strcmp(border, "always") == 0      ? RG_CROSS_ALWAYS
                           : strcmp(border, "emergency") == 0 ? RG_CROSS_EMERGENCY
                                                              : RG_CROSS_NEVER;
    office->suspended = listed(trust, office->name);
    trust->office_count++;
}

static void read_document(struct rg_trust *trust, const struct rg_document *document)
{
    char text[4096];
    char *rest = NULL;
    text_of(document, text, sizeof(text));
    (void)strtok_r(text, "\n", &rest);
    for (char *line = strtok_r(NULL, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (document->kind == RG_DOC_CHARTER) {
            read_country(trust, line);
        }
        if (document->kind == RG_DOC_PAGE || document->kind == RG_DOC_PAGE_DOMESTIC) {
            read_office(trust, line, document->kind == RG_DOC_PAGE_DOMESTIC);
        }
    }
}

static void read_all(struct rg_trust *trust)
{
    trust->country_count = 0;
    trust->office_count = 0;
    for (size_t i = 0; i < trust->document_count; i++) {
        read_document(trust, &trust->document[i]);
    }
    for (size_t i = 0; i < trust->country_count; i++) {
        struct rg_country *country = &trust->country[i];
        const struct rg_document *page = rg_trust_document(trust, RG_DOC_PAGE, country->code, 0);
        country->has_page = page != NULL;
        country->page_counter = page != NULL ? counter_of(page) : 0;
    }
}

void fake_trust_fresh_until(struct rg_trust *trust, struct rg_wall until)
{
    trust->fresh_until = until;
    read_all(trust);
}

struct rg_trust *rg_trust_new(void)
{
    struct rg_trust *trust = calloc(1, sizeof(*trust));
    MUST(trust != NULL);
    trust->fresh_until.ms = INT64_MAX;
    return trust;
}

void rg_trust_free(struct rg_trust *trust)
{
    for (size_t i = 0; i < trust->document_count; i++) {
        rg_document_drop(&trust->document[i]);
    }
    free(trust);
}

rg_outcome rg_trust_suspend(struct rg_trust *trust, const char *country_or_office,
                            struct rg_reason *why)
{
    (void)why;
    (void)snprintf(trust->suspended[trust->suspended_count++], RG_OFFICE_BYTES, "%s",
                   country_or_office);
    read_all(trust);
    return rg_ok();
}

static struct rg_document *held(struct rg_trust *trust, const struct rg_document *document)
{
    for (size_t i = 0; i < trust->document_count; i++) {
        struct rg_document *have = &trust->document[i];
        bool same = have->kind == document->kind && strcmp(have->country, document->country) == 0;
        bool text = rg_bytes_equal(rg_buffer_peek(&have->text), rg_buffer_peek(&document->text));
        if (same && (text || document->kind != RG_DOC_KEY_CARD)) {
            return have;
        }
    }
    return NULL;
}

rg_outcome rg_trust_offer(struct rg_trust *trust, const struct rg_document *document,
                          struct rg_wall now, enum rg_news *news_out, struct rg_reason *why)
{
    (void)now;
    struct rg_document *have = held(trust, document);
    *news_out = RG_NEWS_NONE;
    RG_CHECK(document->kind == RG_DOC_CHARTER || trust->country_count > 0, why, RG_AGAIN,
             "document-needs-charter", "no charter yet");
    if (have != NULL && document->kind == RG_DOC_KEY_CARD) {
        return rg_ok();
    }
    if (have != NULL) {
        RG_CHECK(counter_of(document) >= counter_of(have), why, RG_DENIED, "page-counter-back",
                 "an older counter");
        if (counter_of(document) == counter_of(have)) {
            RG_CHECK(rg_bytes_equal(rg_buffer_peek(&have->text), rg_buffer_peek(&document->text)),
                     why, RG_DENIED, "page-fork", "two texts with one counter");
            return rg_ok();
        }
        rg_document_drop(have);
        *have = trust->document[--trust->document_count];
    }
    MUST(trust->document_count < DOCUMENTS_MAX);
    RG_TRY(rg_document_copy(document, &trust->document[trust->document_count++], why));
    *news_out = RG_NEWS_NEW;
    read_all(trust);
    return rg_ok();
}

static struct rg_holding *holding_of(struct rg_holding *out, size_t count,
                                     const struct rg_document *document)
{
    for (size_t i = 0; i < count; i++) {
        if (out[i].kind == RG_DOC_KEY_CARD && document->kind == RG_DOC_KEY_CARD &&
            strcmp(out[i].country, document->country) == 0) {
            return &out[i];
        }
    }
    return NULL;
}

bool rg_trust_is_domestic(const struct rg_trust *trust, const struct rg_document *document)
{
    struct rg_principal principal;
    if (document->kind != RG_DOC_KEY_CARD) {
        return document->kind == RG_DOC_PAGE_DOMESTIC;
    }
    if (!rg_is_ok(rg_card_claim(rg_buffer_peek(&document->text), &principal, NULL))) {
        return true;
    }
    const struct rg_office *office = rg_trust_office(trust, principal.office);
    return office == NULL || office->domestic;
}

/* A set of cards is one row, whatever their order. */
static void add_holding(struct rg_holding *out, size_t *count, const struct rg_document *document)
{
    struct rg_hash digest = rg_sha256(rg_buffer_peek(&document->text));
    struct rg_holding *same = holding_of(out, *count, document);
    if (same == NULL) {
        same = &out[(*count)++];
        *same = (struct rg_holding){.kind = document->kind};
        memcpy(same->country, document->country, sizeof(same->country));
    }
    for (size_t b = 0; b < sizeof(digest.b); b++) {
        same->digest.b[b] ^= digest.b[b];
    }
    same->counter += document->kind == RG_DOC_KEY_CARD ? 1 : counter_of(document);
}

static size_t list_holdings(const struct rg_trust *trust, const char *country,
                            struct rg_holding *out, size_t max)
{
    size_t count = 0;
    for (int kind = RG_DOC_CHARTER; kind <= RG_DOC_KEY_CARD; kind++) {
        for (size_t i = 0; i < trust->document_count && count < max; i++) {
            const struct rg_document *document = &trust->document[i];
            bool hidden = country != NULL && strcmp(country, document->country) != 0 &&
                          rg_trust_is_domestic(trust, document);
            if ((int)document->kind == kind && !hidden) {
                add_holding(out, &count, document);
            }
        }
    }
    return count;
}

size_t rg_trust_holdings(const struct rg_trust *trust, struct rg_holding *out, size_t max)
{
    return list_holdings(trust, NULL, out, max);
}

size_t rg_trust_holdings_for(const struct rg_trust *trust, const char *country,
                             struct rg_holding *out, size_t max)
{
    return list_holdings(trust, country, out, max);
}

uint64_t rg_trust_counter(const struct rg_trust *trust, enum rg_document_kind kind,
                          const char *country)
{
    struct rg_holding ours[RG_HELLO_HOLDINGS_MAX];
    size_t count = rg_trust_holdings(trust, ours, RG_HELLO_HOLDINGS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (ours[i].kind == kind && strcmp(ours[i].country, country) == 0) {
            return ours[i].counter;
        }
    }
    return 0;
}

const struct rg_document *rg_trust_document(const struct rg_trust *trust,
                                            enum rg_document_kind kind, const char *country,
                                            size_t at)
{
    for (size_t i = 0; i < trust->document_count; i++) {
        const struct rg_document *document = &trust->document[i];
        if (document->kind == kind && strcmp(document->country, country) == 0 && at-- == 0) {
            return document;
        }
    }
    return NULL;
}

static bool differs(const struct rg_holding *ours, size_t count, const struct rg_holding *theirs)
{
    for (size_t i = 0; i < count; i++) {
        if (ours[i].kind != theirs->kind || strcmp(ours[i].country, theirs->country) != 0) {
            continue;
        }
        if (theirs->kind == RG_DOC_KEY_CARD) {
            return memcmp(&ours[i].digest, &theirs->digest, sizeof(theirs->digest)) != 0;
        }
        return theirs->counter > ours[i].counter;
    }
    return true;
}

/* As what is held here differs both from all of it and from what other countries see. */
bool rg_trust_needs(const struct rg_trust *trust, const struct rg_holding *theirs)
{
    struct rg_holding ours[RG_HELLO_HOLDINGS_MAX];
    size_t count = rg_trust_holdings(trust, ours, RG_HELLO_HOLDINGS_MAX);
    if (!differs(ours, count, theirs)) {
        return false;
    }
    count = list_holdings(trust, "other", ours, RG_HELLO_HOLDINGS_MAX);
    return differs(ours, count, theirs);
}

const struct rg_country *rg_trust_country(const struct rg_trust *trust, const char *code)
{
    for (size_t i = 0; i < trust->country_count; i++) {
        if (strcmp(trust->country[i].code, code) == 0) {
            return &trust->country[i];
        }
    }
    return NULL;
}

const struct rg_country *rg_trust_country_at(const struct rg_trust *trust, size_t at)
{
    return at < trust->country_count ? &trust->country[at] : NULL;
}

const struct rg_office *rg_trust_office(const struct rg_trust *trust, const char *name)
{
    for (size_t i = 0; i < trust->office_count; i++) {
        if (strcmp(trust->office[i].name, name) == 0) {
            return &trust->office[i];
        }
    }
    return NULL;
}

/* Its cards never end. */
rg_outcome rg_card_end(struct rg_bytes der, struct rg_wall *out, struct rg_reason *why)
{
    (void)der;
    (void)why;
    out->ms = RG_WALL_MS_MAX;
    return rg_ok();
}

rg_outcome rg_card_claim(struct rg_bytes der, struct rg_principal *out, struct rg_reason *why)
{
    char text[256] = "";
    char name[128] = "";
    char principal[160];
    RG_CHECK(der.len < sizeof(text), why, RG_MALFORMED, "card-form", "too long");
    memcpy(text, der.data, der.len);
    RG_CHECK(sscanf(text, "card %127s", name) == 1, why, RG_MALFORMED, "card-form", "no card");
    (void)snprintf(principal, sizeof(principal), "referral://%s", name);
    return rg_principal_parse(principal, out, why);
}
