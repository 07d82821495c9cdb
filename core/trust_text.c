/*
 * How it works
 *   Each document is read top down into one object; a cleanup attribute frees the half-read object
 *   on the first refusal. Every list has a bound, every group a list of names it may hold, every
 *   name its form. Invariant: an object handed out is complete and says nothing about a country
 *   other than its own.
 *   A page's certificates go base64 -> DER -> SHA-256 into one arena and one array sorted by
 *   digest: that is all that judging needs, and 1,000 of them take a few milliseconds.
 */
#include "core/trust_text.h"

#include "core/digest.h"
#include "core/syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static rg_outcome bad_value(const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "document-value", "document: %s", what);
}

/* Zeroed, and not NULL for a count of none. */
static void *new_array(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

static rg_outcome no_memory(struct rg_reason *why)
{
    (void)rg_fail(why, RG_IO, "out-of-memory", "cannot allocate a trust document");
    return (rg_outcome){.code = RG_IO};
}

static rg_outcome check_format(const rg_group *root, const char *format, struct rg_reason *why)
{
    const char *stated = NULL;
    RG_TRY(rg_settings_text(root, "format", &stated, why));
    RG_CHECK(strcmp(stated, format) == 0, why, RG_MALFORMED, "document-format",
             "document: its format is not %s", format);
    return rg_ok();
}

static rg_outcome check_country(const rg_group *root, const char *country, struct rg_reason *why)
{
    const char *stated = NULL;
    RG_TRY(rg_settings_text(root, "country", &stated, why));
    RG_CHECK(strcmp(stated, country) == 0, why, RG_DENIED, "page-foreign",
             "a document of \"%s\" speaks about another country", country);
    return rg_ok();
}

/* [a-z0-9-], as roles and classes are named. */
static bool is_short_name(const char *text, size_t bytes_max)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len > 0 && len < bytes_max && text[len] == '\0';
}

static rg_outcome short_names(const rg_group *group, const char *list, struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(group, list, 64, &count, why));
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        RG_TRY(rg_settings_list_text(group, list, i, &name, why));
        if (!is_short_name(name, 24)) {
            return bad_value("a role or class is not a short name", why);
        }
    }
    return rg_ok();
}

static bool list_holds(const rg_group *group, const char *list, const char *wanted)
{
    size_t count = 0;
    const char *name = NULL;
    bool found = false;
    if (!rg_is_ok(rg_settings_list_size(group, list, 64, &count, NULL))) {
        return false;
    }
    for (size_t i = 0; i < count && !found; i++) {
        found = rg_is_ok(rg_settings_list_text(group, list, i, &name, NULL)) &&
                strcmp(name, wanted) == 0;
    }
    return found;
}

static rg_outcome parse_base64_certificate(const char *text, struct rg_certificate **out,
                                           struct rg_reason *why)
{
    RG_OWNED_BUFFER der = {.limit = RG_CERTIFICATE_BYTES_MAX + 4};
    RG_TRY(rg_base64_parse(rg_bytes_of_text(text), &der, why));
    return rg_certificate_parse(rg_buffer_peek(&der), out, why);
}

/* A list of at least one certificate. */
static rg_outcome certificates(const rg_group *group, const char *list, size_t max,
                               struct rg_certificate **out, size_t *count_out,
                               struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(group, list, max, &count, why));
    if (count == 0) {
        return bad_value("a list of certificates is empty", why);
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        RG_TRY(rg_settings_list_text(group, list, i, &text, why));
        RG_TRY(parse_base64_certificate(text, &out[i], why));
        *count_out = i + 1; /* so that a half-read list is freed */
    }
    return rg_ok();
}

/* ---- charter ---- */

void rg_charter_free(struct rg_charter *charter)
{
    if (charter == NULL) {
        return;
    }
    for (size_t i = 0; i < charter->authority_count; i++) {
        rg_certificate_free(charter->authority[i]);
    }
    for (size_t c = 0; charter->country != NULL && c < charter->country_count; c++) {
        struct rg_charter_country *country = &charter->country[c];
        for (size_t i = 0; i < country->root_count; i++) {
            rg_certificate_free(country->root[i]);
        }
        for (size_t i = 0; i < country->publisher_count; i++) {
            rg_certificate_free(country->publisher[i]);
        }
    }
    free(charter->country);
    rg_settings_free(charter->settings);
    free(charter);
}

void rg_charter_cleanup(struct rg_charter **charter)
{
    rg_charter_free(*charter);
}

static rg_outcome read_versions(const rg_group *root, struct rg_reason *why)
{
    RG_TRY(short_names(root, "versions", why));
    RG_CHECK(list_holds(root, "versions", "1"), why, RG_MALFORMED, "document-format",
             "charter: version 1, the only one this software speaks, is not among its versions");
    return rg_ok();
}

static rg_outcome check_authority(const struct rg_charter *charter, size_t at,
                                  struct rg_reason *why)
{
    const struct rg_certificate *authority = charter->authority[at];
    const struct rg_principal *principal = rg_certificate_principal(authority);
    RG_TRY(rg_certificate_use_check(authority, RG_USE_SIGN, why));
    for (size_t i = 0; i < at; i++) {
        const struct rg_certificate *other = charter->authority[i];
        bool same = rg_certificate_same_key(authority, other) ||
                    strcmp(principal->text, rg_certificate_principal(other)->text) == 0;
        RG_CHECK(!same, why, RG_DENIED, "charter-authority-doubled",
                 "charter: one authority is listed twice");
    }
    return rg_ok();
}

static rg_outcome read_authorities(struct rg_charter *charter, const rg_group *root,
                                   struct rg_reason *why)
{
    uint64_t quorum = 0;
    RG_TRY(certificates(root, "authorities", RG_AUTHORITIES_MAX, charter->authority,
                        &charter->authority_count, why));
    for (size_t i = 0; i < charter->authority_count; i++) {
        RG_TRY(check_authority(charter, i, why));
    }
    RG_TRY(rg_settings_count(root, "quorum", &quorum, why));
    RG_CHECK(quorum >= 1 && quorum <= charter->authority_count, why, RG_DENIED, "charter-quorum",
             "charter: its quorum must be between 1 and the number of authorities");
    charter->quorum = (size_t)quorum;
    return rg_ok();
}

/* The group that rules this class, among the first `count`; NULL when none does. */
static const rg_group *find_class(const rg_group *root, size_t count, const char *class_name)
{
    for (size_t i = 0; i < count; i++) {
        const rg_group *group = NULL;
        const char *name = NULL;
        if (rg_is_ok(rg_settings_list_group(root, "classes", i, &group, NULL)) &&
            rg_is_ok(rg_settings_text(group, "class", &name, NULL)) &&
            strcmp(name, class_name) == 0) {
            return group;
        }
    }
    return NULL;
}

static rg_outcome read_classes(const rg_group *root, struct rg_reason *why)
{
    static const char *const known[] = {"class", "roles"};
    size_t count = 0;
    RG_TRY(rg_settings_list_size(root, "classes", 64, &count, why));
    for (size_t i = 0; i < count; i++) {
        const rg_group *group = NULL;
        const char *name = NULL;
        RG_TRY(rg_settings_list_group(root, "classes", i, &group, why));
        RG_TRY(rg_settings_known(group, known, COUNT(known), why));
        RG_TRY(rg_settings_text(group, "class", &name, why));
        if (!is_short_name(name, 24)) {
            return bad_value("a class is not a short name", why);
        }
        RG_CHECK(find_class(root, i, name) == NULL, why, RG_MALFORMED, "document-doubled",
                 "charter: one class is ruled twice");
        RG_TRY(short_names(group, "roles", why));
    }
    return rg_ok();
}

bool rg_charter_allows(const struct rg_charter *charter, const char *class_name, const char *role)
{
    const rg_group *root = rg_settings_root(charter->settings);
    size_t count = 0;
    if (!rg_is_ok(rg_settings_list_size(root, "classes", 64, &count, NULL))) {
        return false;
    }
    const rg_group *group = find_class(root, count, class_name);
    return group != NULL && list_holds(group, "roles", role);
}

static rg_outcome read_log(const rg_group *group, struct rg_country *country, struct rg_reason *why)
{
    const char *origin = NULL;
    const char *key = NULL;
    RG_OWNED_BUFFER raw = {.limit = 64};
    RG_TRY(rg_settings_text(group, "log_origin", &origin, why));
    size_t len = strspn(origin, "abcdefghijklmnopqrstuvwxyz0123456789-./");
    if (len == 0 || len > RG_ORIGIN_BYTES - 16 || origin[len] != '\0') {
        return bad_value("a log_origin must look like referral/th", why);
    }
    RG_TRY(rg_settings_text(group, "log_key", &key, why));
    RG_TRY(rg_base64_parse(rg_bytes_of_text(key), &raw, why));
    if (raw.len != sizeof(country->log_key)) {
        return bad_value("a log_key must be 32 bytes in base64", why);
    }
    memcpy(country->log_origin, origin, len + 1);
    memcpy(country->log_key, raw.data, raw.len);
    return rg_ok();
}

static rg_outcome check_publisher(const struct rg_certificate *publisher, const char *code,
                                  struct rg_reason *why)
{
    char wanted[RG_PRINCIPAL_BYTES];
    (void)snprintf(wanted, sizeof(wanted), "referral://%s/publisher", code);
    RG_TRY(rg_certificate_use_check(publisher, RG_USE_SIGN, why));
    if (strcmp(rg_certificate_principal(publisher)->text, wanted) != 0) {
        return bad_value("a publisher's certificate must name its country's publisher", why);
    }
    return rg_ok();
}

static rg_outcome read_country_certificates(const rg_group *group, struct rg_charter_country *entry,
                                            struct rg_reason *why)
{
    const char *code = entry->country.code;
    RG_TRY(certificates(group, "roots", RG_ROOTS_MAX, entry->root, &entry->root_count, why));
    for (size_t i = 0; i < entry->root_count; i++) {
        RG_TRY(rg_certificate_use_check(entry->root[i], RG_USE_CA, why));
        RG_TRY(rg_certificate_country_check(entry->root[i], code, why));
    }
    RG_TRY(certificates(group, "publishers", RG_PUBLISHERS_MAX, entry->publisher,
                        &entry->publisher_count, why));
    for (size_t i = 0; i < entry->publisher_count; i++) {
        RG_TRY(check_publisher(entry->publisher[i], code, why));
    }
    return rg_ok();
}

static rg_outcome read_country(const rg_group *group, struct rg_charter_country *entry,
                               struct rg_reason *why)
{
    static const char *const known[] = {"code",       "name",       "roots",
                                        "publishers", "log_origin", "log_key"};
    const char *code = NULL;
    const char *name = NULL;
    RG_TRY(rg_settings_known(group, known, COUNT(known), why));
    RG_TRY(rg_settings_text(group, "code", &code, why));
    RG_TRY(rg_settings_text(group, "name", &name, why));
    if (!rg_country_name_ok(code) || strlen(name) >= sizeof(entry->country.name) ||
        !rg_syntax_line(rg_bytes_of_text(name))) {
        return bad_value("a country's code or name is not one", why);
    }
    memcpy(entry->country.code, code, strlen(code) + 1);
    memcpy(entry->country.name, name, strlen(name) + 1);
    RG_TRY(read_log(group, &entry->country, why));
    return read_country_certificates(group, entry, why);
}

static bool shares_root(const struct rg_charter_country *a, const struct rg_charter_country *b)
{
    for (size_t i = 0; i < a->root_count; i++) {
        for (size_t j = 0; j < b->root_count; j++) {
            if (rg_certificate_same_key(a->root[i], b->root[j])) {
                return true;
            }
        }
    }
    return false;
}

static rg_outcome check_apart(const struct rg_charter *charter, size_t at, struct rg_reason *why)
{
    const struct rg_charter_country *new = &charter->country[at];
    for (size_t i = 0; i < at; i++) {
        const struct rg_charter_country *old = &charter->country[i];
        RG_CHECK(!shares_root(new, old), why, RG_DENIED, "charter-root-shared",
                 "charter: \"%s\" and \"%s\" share a root", old->country.code, new->country.code);
        RG_CHECK(strcmp(new->country.code, old->country.code) != 0 &&
                     strcmp(new->country.log_origin, old->country.log_origin) != 0 &&
                     memcmp(new->country.log_key, old->country.log_key, 32) != 0,
                 why, RG_MALFORMED, "document-doubled",
                 "charter: two countries share a code, a log origin or a log key");
    }
    return rg_ok();
}

static rg_outcome read_countries(struct rg_charter *charter, const rg_group *root,
                                 struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(root, "countries", RG_COUNTRIES_MAX, &count, why));
    charter->country = new_array(count, sizeof(*charter->country));
    if (charter->country == NULL) {
        return no_memory(why);
    }
    for (size_t i = 0; i < count; i++) {
        const rg_group *group = NULL;
        charter->country_count = i + 1;
        RG_TRY(rg_settings_list_group(root, "countries", i, &group, why));
        RG_TRY(read_country(group, &charter->country[i], why));
        RG_TRY(check_apart(charter, i, why));
    }
    return rg_ok();
}

rg_outcome rg_charter_read(struct rg_bytes text, struct rg_charter **out, struct rg_reason *why)
{
    static const char *const known[] = {"format",      "counter",  "issued",  "quorum",
                                        "authorities", "versions", "classes", "countries"};
    RG_CLEANUP(rg_charter_cleanup) struct rg_charter *charter = new_array(1, sizeof(*charter));
    if (charter == NULL) {
        return no_memory(why);
    }
    RG_TRY(rg_settings_parse(text, RG_DOCUMENT_BYTES_MAX, &charter->settings, why));
    const rg_group *root = rg_settings_root(charter->settings);
    RG_TRY(check_format(root, "referral-charter-1", why));
    RG_TRY(rg_settings_known(root, known, COUNT(known), why));
    RG_TRY(rg_settings_count(root, "counter", &charter->counter, why));
    RG_TRY(rg_settings_time(root, "issued", &charter->issued, why));
    RG_TRY(read_versions(root, why));
    RG_TRY(read_authorities(charter, root, why));
    RG_TRY(read_classes(root, why));
    RG_TRY(read_countries(charter, root, why));
    *out = charter;
    charter = NULL;
    return rg_ok();
}

/* ---- page ---- */

void rg_page_free(struct rg_page *page)
{
    if (page == NULL) {
        return;
    }
    for (size_t i = 0; i < page->listed_count; i++) {
        rg_certificate_free(page->listed[i].parsed);
    }
    free(page->listed);
    free(page->officer);
    free(page->office);
    rg_buffer_drop(&page->der);
    rg_settings_free(page->settings);
    free(page);
}

void rg_page_cleanup(struct rg_page **page)
{
    rg_page_free(*page);
}

static rg_outcome read_dates(struct rg_page *page, const rg_group *root, struct rg_reason *why)
{
    const char *previous = NULL;
    RG_TRY(rg_settings_count(root, "counter", &page->counter, why));
    RG_TRY(rg_settings_text(root, "previous", &previous, why));
    RG_TRY(rg_settings_time(root, "issued", &page->issued, why));
    RG_TRY(rg_settings_time(root, "fresh_until", &page->fresh_until, why));
    RG_TRY(rg_settings_time(root, "valid_until", &page->valid_until, why));
    if (page->issued.ms > page->fresh_until.ms || page->fresh_until.ms > page->valid_until.ms) {
        return bad_value("issued, fresh_until and valid_until must stand in this order", why);
    }
    page->has_previous = previous[0] != '\0';
    if (page->counter < 1 || page->has_previous != (page->counter > 1)) {
        return bad_value("counters start at 1, and only the first page has no previous", why);
    }
    return page->has_previous ? rg_hex_parse(previous, page->previous.b, 32, why) : rg_ok();
}

/* "127.0.0.1:7701", "gateway.example:7701", "[::1]:7701" */
static bool parse_endpoint(const char *text, struct rg_endpoint *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    bool bracket = text[0] == '[';
    const char *host = text + bracket;
    size_t len = strspn(host, bracket ? "0123456789abcdefABCDEF:." : plain);
    const char *at = host + len;
    if (len == 0 || len >= sizeof(out->host) || (bracket && *at++ != ']') || *at++ != ':') {
        return false;
    }
    size_t digits = strspn(at, "0123456789");
    unsigned long port = digits > 0 && digits <= 5 ? strtoul(at, NULL, 10) : 0;
    if (at[digits] != '\0' || port == 0 || port > UINT16_MAX) {
        return false;
    }
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    out->port = (uint16_t)port;
    return true;
}

static rg_outcome read_endpoints(struct rg_page *page, const rg_group *root, struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(root, "endpoints", RG_ENDPOINTS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        RG_TRY(rg_settings_list_text(root, "endpoints", i, &text, why));
        if (!parse_endpoint(text, &page->endpoint[i])) {
            return bad_value("an endpoint must look like host:port", why);
        }
    }
    page->endpoint_count = count;
    return rg_ok();
}

static rg_outcome list_certificate(struct rg_page *page, const char *base64, enum rg_use use,
                                   size_t officer, struct rg_reason *why)
{
    struct rg_listed *listed = &page->listed[page->listed_count];
    size_t at = page->der.len;
    RG_TRY(rg_base64_parse(rg_bytes_of_text(base64), &page->der, why));
    size_t bytes = page->der.len - at;
    if (bytes == 0 || bytes > RG_CERTIFICATE_BYTES_MAX) {
        return bad_value("a certificate is empty or too large", why);
    }
    *listed = (struct rg_listed){.digest = rg_sha256(rg_bytes_of(page->der.data + at, bytes)),
                                 .use = use,
                                 .officer = officer,
                                 .der_at = at,
                                 .der_bytes = bytes};
    page->listed_count++;
    return rg_ok();
}

static rg_outcome list_certificates(struct rg_page *page, const rg_group *group, const char *list,
                                    enum rg_use use, size_t officer, struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(group, list, RG_OFFICER_CERTIFICATES_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const char *base64 = NULL;
        RG_TRY(rg_settings_list_text(group, list, i, &base64, why));
        RG_TRY(list_certificate(page, base64, use, officer, why));
    }
    return rg_ok();
}

static rg_outcome check_principal(const struct rg_page *page, const char *text, const char *office,
                                  struct rg_reason *why)
{
    struct rg_principal principal;
    RG_TRY(rg_principal_parse(text, &principal, why));
    RG_CHECK(strcmp(principal.office, office) == 0 && !principal.gateway, why, RG_DENIED,
             "page-foreign", "page: an officer is listed under an office that is not his own");
    for (size_t i = 0; i < page->officer_count; i++) {
        const struct rg_officer *other = &page->officer[i];
        RG_CHECK(other->principal == NULL || strcmp(other->principal, text) != 0, why, RG_MALFORMED,
                 "document-doubled", "page: an officer is listed twice");
    }
    return rg_ok();
}

static rg_outcome read_officer(struct rg_page *page, const rg_group *group, size_t office,
                               struct rg_reason *why)
{
    static const char *const known[] = {"principal", "sign", "tls", "clearance"};
    const char *principal = "";
    size_t at = page->officer_count;
    RG_TRY(rg_settings_known(group, known, COUNT(known), why));
    RG_TRY(rg_settings_text(group, "principal", &principal, why));
    RG_TRY(check_principal(page, principal, page->office[office].name, why));
    RG_TRY(short_names(group, "clearance", why));
    page->officer[at] =
        (struct rg_officer){.principal = principal, .group = group, .office = office};
    page->officer_count++;
    RG_TRY(list_certificates(page, group, "sign", RG_USE_SIGN, at, why));
    return list_certificates(page, group, "tls", RG_USE_TLS, at, why);
}

static rg_outcome read_cross_border(const rg_group *group, enum rg_cross_border *out,
                                    struct rg_reason *why)
{
    static const char *const name[] = {[RG_CROSS_NEVER] = "never",
                                       [RG_CROSS_EMERGENCY] = "emergency",
                                       [RG_CROSS_ALWAYS] = "always"};
    const char *text = NULL;
    RG_TRY(rg_settings_text(group, "cross_border", &text, why));
    for (size_t i = 0; i < COUNT(name); i++) {
        if (strcmp(text, name[i]) == 0) {
            *out = (enum rg_cross_border)i;
            return rg_ok();
        }
    }
    return bad_value("cross_border must be never, emergency or always", why);
}

static bool is_title(const char *text)
{
    return text[0] != '\0' && strlen(text) < sizeof(((struct rg_office *)0)->title) &&
           rg_syntax_line(rg_bytes_of_text(text));
}

static rg_outcome check_office_name(const struct rg_page *page, const char *name,
                                    const char *country, struct rg_reason *why)
{
    char stated[RG_COUNTRY_BYTES];
    if (!rg_office_name_ok(name)) {
        return bad_value("an office must be named like th/focal", why);
    }
    rg_office_country(name, stated);
    RG_CHECK(strcmp(stated, country) == 0, why, RG_DENIED, "page-foreign",
             "page: \"%s\" lists an office of another country", country);
    for (size_t i = 0; i < page->office_count; i++) {
        RG_CHECK(strcmp(page->office[i].name, name) != 0, why, RG_MALFORMED, "document-doubled",
                 "page: an office is listed twice");
    }
    return rg_ok();
}

static rg_outcome read_office(struct rg_page *page, const rg_group *group, const char *country,
                              struct rg_reason *why)
{
    static const char *const known[] = {"name", "title", "role", "cross_border", "officers"};
    struct rg_office *office = &page->office[page->office_count];
    const char *name = NULL;
    const char *title = NULL;
    const char *role = NULL;
    RG_TRY(rg_settings_known(group, known, COUNT(known), why));
    RG_TRY(rg_settings_text(group, "name", &name, why));
    RG_TRY(rg_settings_text(group, "title", &title, why));
    RG_TRY(rg_settings_text(group, "role", &role, why));
    RG_TRY(check_office_name(page, name, country, why));
    if (!is_title(title) || !is_short_name(role, sizeof(office->role))) {
        return bad_value("an office's title or role is empty, too long or not printable", why);
    }
    RG_TRY(read_cross_border(group, &office->cross_border, why));
    RG_CHECK(!page->domestic || office->cross_border == RG_CROSS_NEVER, why, RG_MALFORMED,
             "document-value", "page: offices of the domestic part never cross a border");
    office->domestic = page->domestic;
    memcpy(office->name, name, strlen(name) + 1);
    memcpy(office->title, title, strlen(title) + 1);
    memcpy(office->role, role, strlen(role) + 1);
    page->office_count++;
    return rg_ok();
}

static rg_outcome read_officers(struct rg_page *page, const rg_group *group, struct rg_reason *why)
{
    size_t count = 0;
    size_t office = page->office_count - 1;
    RG_TRY(rg_settings_list_size(group, "officers", RG_PAGE_OFFICERS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const rg_group *officer = NULL;
        RG_TRY(rg_settings_list_group(group, "officers", i, &officer, why));
        RG_TRY(read_officer(page, officer, office, why));
    }
    return rg_ok();
}

/* Room for all officers of a page, so that the tables are allocated once. */
static rg_outcome count_officers(const rg_group *root, size_t offices, size_t *out,
                                 struct rg_reason *why)
{
    size_t total = 0;
    for (size_t i = 0; i < offices; i++) {
        const rg_group *group = NULL;
        size_t count = 0;
        RG_TRY(rg_settings_list_group(root, "offices", i, &group, why));
        RG_TRY(rg_settings_list_size(group, "officers", RG_PAGE_OFFICERS_MAX, &count, why));
        total += count;
    }
    *out = total;
    return rg_ok();
}

static int compare_listed(const void *a, const void *b)
{
    const struct rg_listed *left = a;
    const struct rg_listed *right = b;
    return memcmp(left->digest.b, right->digest.b, sizeof(left->digest.b));
}

static rg_outcome sort_listed(struct rg_page *page, struct rg_reason *why)
{
    qsort(page->listed, page->listed_count, sizeof(*page->listed), compare_listed);
    for (size_t i = 1; i < page->listed_count; i++) {
        RG_CHECK(compare_listed(&page->listed[i - 1], &page->listed[i]) != 0, why, RG_MALFORMED,
                 "document-doubled", "page: one certificate is listed twice");
    }
    return rg_ok();
}

static rg_outcome read_offices(struct rg_page *page, const rg_group *root, const char *country,
                               struct rg_reason *why)
{
    size_t offices = 0;
    size_t officers = 0;
    RG_TRY(rg_settings_list_size(root, "offices", RG_PAGE_OFFICES_MAX, &offices, why));
    RG_TRY(count_officers(root, offices, &officers, why));
    size_t certificates_max = (2 * officers + 1) * RG_OFFICER_CERTIFICATES_MAX;
    page->office = new_array(offices, sizeof(*page->office));
    page->officer = new_array(officers, sizeof(*page->officer));
    page->listed = new_array(certificates_max, sizeof(*page->listed));
    if (page->office == NULL || page->officer == NULL || page->listed == NULL) {
        return no_memory(why);
    }
    for (size_t i = 0; i < offices; i++) {
        const rg_group *group = NULL;
        RG_TRY(rg_settings_list_group(root, "offices", i, &group, why));
        RG_TRY(read_office(page, group, country, why));
        RG_TRY(read_officers(page, group, why));
    }
    return rg_ok();
}

static rg_outcome check_page_names(const struct rg_page *page, const rg_group *root,
                                   struct rg_reason *why)
{
    static const char *const known[] = {"format",    "country",     "counter",     "previous",
                                        "issued",    "fresh_until", "valid_until", "offices",
                                        "endpoints", "gateway"};
    return rg_settings_known(root, known, COUNT(known) - (page->domestic ? 2 : 0), why);
}

rg_outcome rg_page_read(struct rg_bytes text, const char *country, bool domestic,
                        struct rg_page **out, struct rg_reason *why)
{
    RG_CLEANUP(rg_page_cleanup) struct rg_page *page = new_array(1, sizeof(*page));
    if (page == NULL) {
        return no_memory(why);
    }
    page->domestic = domestic;
    page->hash = rg_sha256(text);
    RG_TRY(rg_settings_parse(text, RG_DOCUMENT_BYTES_MAX, &page->settings, why));
    const rg_group *root = rg_settings_root(page->settings);
    RG_TRY(check_format(root, domestic ? "referral-domestic-1" : "referral-page-1", why));
    RG_TRY(check_page_names(page, root, why));
    RG_TRY(check_country(root, country, why));
    RG_TRY(read_dates(page, root, why));
    RG_TRY(read_endpoints(page, root, why));
    RG_TRY(read_offices(page, root, country, why));
    RG_TRY(list_certificates(page, root, "gateway", RG_USE_TLS, RG_LISTED_GATEWAY, why));
    RG_TRY(sort_listed(page, why));
    *out = page;
    page = NULL;
    return rg_ok();
}

struct rg_listed *rg_page_find(const struct rg_page *page, struct rg_hash digest)
{
    struct rg_listed wanted = {.digest = digest};
    return page == NULL
               ? NULL
               : bsearch(&wanted, page->listed, page->listed_count, sizeof(wanted), compare_listed);
}

static bool belongs(const struct rg_page *page, const struct rg_listed *listed,
                    const struct rg_certificate *certificate, const char *country)
{
    const struct rg_principal *principal = rg_certificate_principal(certificate);
    if (principal == NULL || strcmp(principal->country, country) != 0) {
        return false;
    }
    return listed->officer == RG_LISTED_GATEWAY
               ? principal->gateway
               : strcmp(principal->text, page->officer[listed->officer].principal) == 0;
}

struct rg_certificate *rg_page_certificate(const struct rg_page *page, struct rg_listed *listed,
                                           const char *country)
{
    struct rg_bytes der = rg_bytes_of(page->der.data + listed->der_at, listed->der_bytes);
    if (listed->parsed == NULL && !rg_is_ok(rg_certificate_parse(der, &listed->parsed, NULL))) {
        return NULL;
    }
    return belongs(page, listed, listed->parsed, country) ? listed->parsed : NULL;
}

bool rg_officer_cleared(const struct rg_officer *officer, const char *class_name)
{
    return list_holds(officer->group, "clearance", class_name);
}

/* ---- stop list ---- */

void rg_stop_free(struct rg_stop *stop)
{
    if (stop != NULL) {
        rg_settings_free(stop->settings);
        free(stop->certificate);
        free(stop->office);
        free(stop);
    }
}

void rg_stop_cleanup(struct rg_stop **stop)
{
    rg_stop_free(*stop);
}

/* "WHAT" or "WHAT TIME": without a time it counts from the list's own. Splits at the blank. */
static rg_outcome split_entry(const struct rg_stop *stop, const char *text, char what[80],
                              struct rg_wall *from, bool *dated, struct rg_reason *why)
{
    size_t len = strcspn(text, " ");
    *dated = text[len] == ' ';
    if (len >= 80) {
        return bad_value("an entry of a stop list is too long", why);
    }
    memcpy(what, text, len);
    what[len] = '\0';
    *from = stop->issued;
    if (*dated) {
        RG_TRY(rg_wall_parse(text + len + 1, from, why));
    }
    if (from->ms > stop->issued.ms) {
        return bad_value("a stop list cannot stop from a later time than its own", why);
    }
    return rg_ok();
}

static int compare_stopped(const void *a, const void *b)
{
    const struct rg_stopped_certificate *left = a;
    const struct rg_stopped_certificate *right = b;
    return memcmp(left->digest.b, right->digest.b, sizeof(left->digest.b));
}

static rg_outcome read_stopped_certificates(struct rg_stop *stop, const rg_group *root,
                                            struct rg_reason *why)
{
    size_t count = 0;
    char digest[80];
    RG_TRY(rg_settings_list_size(root, "certificates", RG_STOP_CERTIFICATES_MAX, &count, why));
    stop->certificate = new_array(count, sizeof(*stop->certificate));
    if (stop->certificate == NULL) {
        return no_memory(why);
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        RG_TRY(rg_settings_list_text(root, "certificates", i, &text, why));
        RG_TRY(split_entry(stop, text, digest, &stop->certificate[i].from,
                           &stop->certificate[i].dated, why));
        RG_TRY(rg_hex_parse(digest, stop->certificate[i].digest.b, 32, why));
    }
    stop->certificate_count = count;
    qsort(stop->certificate, count, sizeof(*stop->certificate), compare_stopped);
    for (size_t i = 1; i < count; i++) {
        RG_CHECK(compare_stopped(&stop->certificate[i - 1], &stop->certificate[i]) != 0, why,
                 RG_MALFORMED, "document-doubled", "stop list: one certificate is listed twice");
    }
    return rg_ok();
}

static rg_outcome read_stopped_offices(struct rg_stop *stop, const rg_group *root,
                                       const char *country, struct rg_reason *why)
{
    size_t count = 0;
    char name[80];
    char stated[RG_COUNTRY_BYTES];
    RG_TRY(rg_settings_list_size(root, "offices", RG_PAGE_OFFICES_MAX, &count, why));
    stop->office = new_array(count, sizeof(*stop->office));
    if (stop->office == NULL) {
        return no_memory(why);
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        RG_TRY(rg_settings_list_text(root, "offices", i, &text, why));
        RG_TRY(split_entry(stop, text, name, &stop->office[i].from, &stop->office[i].dated, why));
        if (!rg_office_name_ok(name)) {
            return bad_value("an office must be named like th/focal", why);
        }
        rg_office_country(name, stated);
        RG_CHECK(strcmp(stated, country) == 0, why, RG_DENIED, "page-foreign",
                 "stop list: \"%s\" lists an office of another country", country);
        RG_CHECK(rg_stop_office(stop, name) == NULL, why, RG_MALFORMED, "document-doubled",
                 "stop list: an office is listed twice");
        memcpy(stop->office[i].name, name, strlen(name) + 1);
        stop->office_count = i + 1;
    }
    return rg_ok();
}

rg_outcome rg_stop_read(struct rg_bytes text, const char *country, struct rg_stop **out,
                        struct rg_reason *why)
{
    static const char *const known[] = {"format", "country",      "counter",
                                        "issued", "certificates", "offices"};
    RG_CLEANUP(rg_stop_cleanup) struct rg_stop *stop = new_array(1, sizeof(*stop));
    if (stop == NULL) {
        return no_memory(why);
    }
    RG_TRY(rg_settings_parse(text, RG_DOCUMENT_BYTES_MAX, &stop->settings, why));
    const rg_group *root = rg_settings_root(stop->settings);
    RG_TRY(check_format(root, "referral-stop-1", why));
    RG_TRY(rg_settings_known(root, known, COUNT(known), why));
    RG_TRY(check_country(root, country, why));
    RG_TRY(rg_settings_count(root, "counter", &stop->counter, why));
    RG_TRY(rg_settings_time(root, "issued", &stop->issued, why));
    RG_TRY(read_stopped_certificates(stop, root, why));
    RG_TRY(read_stopped_offices(stop, root, country, why));
    *out = stop;
    stop = NULL;
    return rg_ok();
}

const struct rg_stopped_certificate *rg_stop_certificate(const struct rg_stop *stop,
                                                         struct rg_hash digest)
{
    struct rg_stopped_certificate wanted = {.digest = digest};
    return stop == NULL ? NULL
                        : bsearch(&wanted, stop->certificate, stop->certificate_count,
                                  sizeof(wanted), compare_stopped);
}

const struct rg_stopped_office *rg_stop_office(const struct rg_stop *stop, const char *office)
{
    for (size_t i = 0; stop != NULL && i < stop->office_count; i++) {
        if (strcmp(stop->office[i].name, office) == 0) {
            return &stop->office[i];
        }
    }
    return NULL;
}
