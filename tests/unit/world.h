/*
 * NAME
 *   world - two or three forged countries with their documents, for tests of trust
 *
 * DESCRIPTION
 *   Included by one test file (static functions, cmocka). Times hang on WORLD_NOW; certificates are
 *   valid from 2026 to 2028. Texts are written from a `spec`, so that a test changes one thing.
 */
#ifndef RG_TESTS_WORLD_H
#define RG_TESTS_WORLD_H

#include "core/card.h"
#include "core/digest.h"
#include "core/settings.h"
#include "core/signature.h"
#include "core/trust.h"
#include "tests/unit/forge.h"

#include <string.h>

#define WORLD_COUNTRIES 3
#define WORLD_DAY_MS INT64_C(86400000)
#define WORLD_NOW ((struct rg_wall){.ms = INT64_C(1795507200000)}) /* 2026-11-24T08:00:00Z */

static inline struct rg_wall world_day(int64_t days)
{
    return (struct rg_wall){.ms = WORLD_NOW.ms + days * WORLD_DAY_MS};
}

struct world_holder { /* a certificate and its key */
    struct rg_certificate *certificate;
    struct rg_key *key;
};

struct world_country {
    char code[4];
    struct world_holder authority, root, publisher, gateway;
    struct world_holder sign[2], tls[2]; /* focal officers */
    struct world_holder ngo;             /* officer-1 of the domestic ngo-alpha, signing */
};

struct world {
    struct world_country country[WORLD_COUNTRIES]; /* kh, la, th */
    struct rg_trust *trust;
};

static inline struct world_holder world_issue(enum forge_kind kind, const char *uri,
                                              const struct world_holder *issuer)
{
    struct forge forge = {.kind = kind, .uri = uri, .common_name = uri};
    struct world_holder holder = {0};
    holder.certificate = forge_certificate(&forge, issuer != NULL ? issuer->certificate : NULL,
                                           issuer != NULL ? issuer->key : NULL, &holder.key);
    return holder;
}

static inline struct world_holder world_root(const char *code)
{
    struct forge forge = {.kind = FORGE_ROOT, .country = code, .common_name = code};
    struct world_holder holder = {0};
    holder.certificate = forge_certificate(&forge, NULL, NULL, &holder.key);
    return holder;
}

static inline void world_drop_holder(struct world_holder *holder)
{
    rg_certificate_free(holder->certificate);
    rg_key_free(holder->key);
}

static inline struct world_holder world_issue_in(const struct world_country *country,
                                                 enum forge_kind kind, const char *name)
{
    char uri[RG_PRINCIPAL_BYTES];
    (void)snprintf(uri, sizeof(uri), "referral://%s/%s", country->code, name);
    return world_issue(kind, uri, &country->root);
}

static inline void world_make_country(struct world_country *country, const char *code)
{
    char uri[RG_PRINCIPAL_BYTES];
    (void)snprintf(country->code, sizeof(country->code), "%s", code);
    (void)snprintf(uri, sizeof(uri), "referral://%s/authority", code);
    country->authority = world_issue(FORGE_SIGN, uri, NULL);
    country->root = world_root(code);
    country->publisher = world_issue_in(country, FORGE_SIGN, "publisher");
    country->gateway = world_issue_in(country, FORGE_GATEWAY, "gateway");
    country->sign[0] = world_issue_in(country, FORGE_SIGN, "focal/officer-1");
    country->sign[1] = world_issue_in(country, FORGE_SIGN, "focal/officer-2");
    country->tls[0] = world_issue_in(country, FORGE_CLIENT, "focal/officer-1");
    country->tls[1] = world_issue_in(country, FORGE_CLIENT, "focal/officer-2");
    country->ngo = world_issue_in(country, FORGE_SIGN, "ngo-alpha/officer-1");
}

static inline void world_drop_country(struct world_country *country)
{
    struct world_holder *const all[] = {
        &country->authority, &country->root,    &country->publisher,
        &country->gateway,   &country->sign[0], &country->sign[1],
        &country->tls[0],    &country->tls[1],  &country->ngo,
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        world_drop_holder(all[i]);
    }
}

static inline void world_add(struct rg_buffer *text, const char *format, ...) RG_PRINTF(2, 3);
static inline void world_add(struct rg_buffer *text, const char *format, ...)
{
    char piece[4096];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(piece, sizeof(piece), format, arguments);
    va_end(arguments);
    FORGE_CHECK(len >= 0 && (size_t)len < sizeof(piece) &&
                rg_is_ok(rg_buffer_append_text(text, piece, NULL)));
}

static inline void world_add_certificate(struct rg_buffer *text, const char *before,
                                         const struct world_holder *holder, const char *after)
{
    world_add(text, "%s\"", before);
    FORGE_CHECK(rg_is_ok(rg_base64(rg_certificate_der(holder->certificate), text, NULL)));
    world_add(text, "\"%s", after);
}

static inline void world_add_time(struct rg_buffer *text, const char *name, struct rg_wall wall)
{
    char printed[32];
    rg_wall_print(wall, printed);
    world_add(text, "%s = \"%s\";\n", name, printed);
}

struct world_charter_spec {
    unsigned counter, quorum;
    size_t authorities[4]; /* countries whose authorities are listed */
    size_t authority_count;
    const struct world_holder *root_of_first; /* instead of the first country's own root */
    const char *more;                         /* text added at the end */
    const char *version;
};

#define WORLD_CHARTER                                                                              \
    ((struct world_charter_spec){                                                                  \
        .counter = 1, .quorum = 2, .authorities = {0, 1, 2}, .authority_count = 3})

static inline void world_add_charter_country(struct rg_buffer *text,
                                             const struct world_country *country, size_t at,
                                             const struct world_holder *root)
{
    world_add(text, "%s{ code = \"%s\"; name = \"%s\"; log_origin = \"referral/%s\";",
              at > 0 ? ",\n" : "", country->code, country->code, country->code);
    struct rg_hash key = rg_sha256(rg_bytes_of_text(country->code));
    world_add(text, " log_key = \"");
    FORGE_CHECK(rg_is_ok(rg_base64(rg_bytes_of(key.b, 32), text, NULL)));
    world_add_certificate(text, "\"; roots = (", root, ");");
    world_add_certificate(text, " publishers = (", &country->publisher, "); }");
}

static inline void world_charter(const struct world *world, const struct world_charter_spec *spec,
                                 struct rg_buffer *text)
{
    rg_buffer_clear(text);
    world_add(text, "format = \"referral-charter-1\"; counter = \"%u\"; quorum = \"%u\";\n",
              spec->counter, spec->quorum);
    world_add(text, "versions = (\"%s\");\n", spec->version != NULL ? spec->version : "1");
    world_add_time(text, "issued", WORLD_NOW);
    world_add(text, "authorities = (");
    for (size_t i = 0; i < spec->authority_count; i++) {
        world_add_certificate(text, i > 0 ? ",\n" : "",
                              &world->country[spec->authorities[i]].authority, "");
    }
    world_add(text, ");\nclasses = ({ class = \"case\"; roles = (\"focal\", \"ngo\"); },\n"
                    "{ class = \"health\"; roles = (\"health\"); });\ncountries = (");
    for (size_t i = 0; i < WORLD_COUNTRIES; i++) {
        const struct world_holder *root = &world->country[i].root;
        world_add_charter_country(text, &world->country[i], i,
                                  i == 0 && spec->root_of_first != NULL ? spec->root_of_first
                                                                        : root);
    }
    world_add(text, ");\n%s", spec->more != NULL ? spec->more : "");
}

struct world_page_spec {
    const char *country; /* what the text says; NULL: its own */
    unsigned counter;
    const struct rg_buffer *previous; /* text of the page before; NULL: none */
    struct rg_wall issued, fresh_until, valid_until;
    const char *office;   /* "focal"; NULL: the usual */
    const char *officer1; /* another principal than the usual */
    bool without_second_officer, without_gateway;
    const char *cross_border;
    const char *more;
};

#define WORLD_PAGE                                                                                 \
    ((struct world_page_spec){.counter = 1,                                                        \
                              .issued = WORLD_NOW,                                                 \
                              .fresh_until = world_day(7),                                         \
                              .valid_until = world_day(42)})

static inline void world_add_head(struct rg_buffer *text, const char *format, const char *code,
                                  const struct world_page_spec *spec)
{
    char previous[65] = "";
    if (spec->previous != NULL) {
        struct rg_hash hash = rg_sha256(rg_buffer_peek(spec->previous));
        rg_hex(rg_bytes_of(hash.b, 32), previous);
    }
    world_add(text, "format = \"%s\"; country = \"%s\"; counter = \"%u\"; previous = \"%s\";\n",
              format, spec->country != NULL ? spec->country : code, spec->counter, previous);
    world_add_time(text, "issued", spec->issued);
    world_add_time(text, "fresh_until", spec->fresh_until);
    world_add_time(text, "valid_until", spec->valid_until);
}

static inline void world_add_officer(struct rg_buffer *text, const char *principal,
                                     const struct world_holder *sign,
                                     const struct world_holder *tls)
{
    world_add(text, "{ principal = \"%s\"; clearance = (\"case\", \"health\");\n", principal);
    world_add_certificate(text, " sign = (", sign, ");");
    if (tls != NULL) {
        world_add_certificate(text, " tls = (", tls, ");");
    }
    world_add(text, " }");
}

static inline const char *world_principal(const struct world_holder *holder)
{
    return rg_certificate_principal(holder->certificate)->text;
}

static inline void world_page(const struct world_country *country,
                              const struct world_page_spec *spec, struct rg_buffer *text)
{
    rg_buffer_clear(text);
    world_add_head(text, "referral-page-1", country->code, spec);
    world_add(text, "endpoints = (\"127.0.0.1:7701\", \"[::1]:7701\");\n");
    if (!spec->without_gateway) {
        world_add_certificate(text, "gateway = (", &country->gateway, ");\n");
    }
    world_add(text,
              "offices = ({ name = \"%s/focal\"; title = \"Focal point\"; role = \"focal\";"
              " cross_border = \"%s\"; officers = (",
              spec->office != NULL ? spec->office : country->code,
              spec->cross_border != NULL ? spec->cross_border : "always");
    world_add_officer(text,
                      spec->officer1 != NULL ? spec->officer1 : world_principal(&country->sign[0]),
                      &country->sign[0], &country->tls[0]);
    if (!spec->without_second_officer) {
        world_add(text, ",\n");
        world_add_officer(text, world_principal(&country->sign[1]), &country->sign[1],
                          &country->tls[1]);
    }
    world_add(text, "); });\n%s", spec->more != NULL ? spec->more : "");
}

static inline void world_domestic(const struct world_country *country,
                                  const struct world_page_spec *spec, struct rg_buffer *text)
{
    rg_buffer_clear(text);
    world_add_head(text, "referral-domestic-1", country->code, spec);
    world_add(text,
              "offices = ({ name = \"%s/ngo-alpha\"; title = \"ศูนย์\"; role = \"ngo\";"
              " cross_border = \"%s\"; officers = (",
              country->code, spec->cross_border != NULL ? spec->cross_border : "never");
    world_add_officer(text, world_principal(&country->ngo), &country->ngo, NULL);
    world_add(text, "); });\n%s", spec->more != NULL ? spec->more : "");
}

struct world_stop_spec {
    unsigned counter;
    struct rg_wall issued;
    const struct world_holder *certificate[2]; /* NULL: none */
    struct rg_wall from[2];
    const char *office;
};

static inline void world_stop(const struct world_country *country,
                              const struct world_stop_spec *spec, struct rg_buffer *text)
{
    rg_buffer_clear(text);
    world_add(text, "format = \"referral-stop-1\"; country = \"%s\"; counter = \"%u\";\n",
              country->code, spec->counter);
    world_add_time(text, "issued", spec->issued);
    world_add(text, "certificates = (");
    for (size_t i = 0; i < 2 && spec->certificate[i] != NULL; i++) {
        char hex[65];
        char from[32];
        struct rg_hash digest = rg_certificate_digest(spec->certificate[i]->certificate);
        rg_hex(rg_bytes_of(digest.b, 32), hex);
        rg_wall_print(spec->from[i], from);
        world_add(text, "%s\"%s %s\"", i > 0 ? ", " : "", hex, from);
    }
    world_add(text, ");\noffices = (");
    if (spec->office != NULL) {
        world_add(text, "\"%s\"", spec->office);
    }
    world_add(text, ");\n");
}

/* A document with `count` signatures. Freed with rg_document_drop. */
static inline struct rg_document world_document(enum rg_document_kind kind, const char *country,
                                                const struct rg_buffer *text,
                                                const struct world_holder *const *signer,
                                                size_t count)
{
    struct rg_document document = {.kind = kind, .signature_count = count};
    (void)snprintf(document.country, sizeof(document.country), "%s", country);
    FORGE_CHECK(rg_is_ok(rg_buffer_append(&document.text, rg_buffer_peek(text), NULL)));
    for (size_t i = 0; i < count; i++) {
        FORGE_CHECK(
            rg_is_ok(rg_signature_make(rg_buffer_peek(text), signer[i]->certificate, signer[i]->key,
                                       RG_SIGNATURE_DETACHED, &document.signature[i], NULL)));
    }
    return document;
}

#endif
