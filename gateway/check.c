/* How it works: each step says its own line and goes on, so that one run shows all that is wrong;
 * what depends on something missing is skipped. */
#include "gateway/check.h"

#include "core/identity.h"
#include "core/settings.h"
#include "core/tlog.h"
#include "core/trust.h"
#include "gateway/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

struct check {
    const struct rg_config *config;
    struct rg_wall now;
    FILE *out;
    size_t wrong;
    struct rg_trust *trust;
    struct rg_certificate *certificate;
};

static void ok(struct check *check, const char *what, const char *about)
{
    (void)fprintf(check->out, "ok     %s %s\n", what, about);
}

static void note(struct check *check, const char *what, const char *about)
{
    (void)fprintf(check->out, "note   %s %s\n", what, about);
}

static void wrong(struct check *check, const char *where, const struct rg_reason *why)
{
    (void)fprintf(check->out, "wrong  %s: %s (%s)\n", where, why->text, why->id);
    check->wrong++;
}

static bool settle(struct check *check, rg_outcome outcome, const char *where,
                   const struct rg_reason *why)
{
    if (!rg_is_ok(outcome)) {
        wrong(check, where, why);
    }
    return rg_is_ok(outcome);
}

static rg_outcome judge_identity(const struct check *check, struct rg_reason *why)
{
    const struct rg_principal *principal = rg_certificate_principal(check->certificate);
    RG_CHECK(principal != NULL && strcmp(principal->text, check->config->principal) == 0, why,
             RG_DENIED, "certificate-principal", "the certificate is not for %s",
             check->config->principal);
    RG_TRY(rg_certificate_use_check(check->certificate, RG_USE_TLS, why));
    return rg_certificate_time_check(check->certificate, check->now, why);
}

static void check_tls(struct check *check)
{
    const struct rg_config *config = check->config;
    struct rg_reason why = {0};
    RG_OWNED_KEY *key = NULL;
    if (!settle(check, rg_certificate_read(config->tls_certificate, &check->certificate, &why),
                config->tls_certificate, &why)) {
        return;
    }
    if (settle(check, judge_identity(check, &why), config->tls_certificate, &why)) {
        ok(check, "certificate", config->tls_certificate);
    }
    rg_outcome outcome = rg_key_read(config->tls_key, &key, &why);
    if (rg_is_ok(outcome)) {
        outcome = rg_key_matches(key, check->certificate, &why);
    }
    if (settle(check, outcome, config->tls_key, &why)) {
        ok(check, "key", config->tls_key);
    }
}

static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *why)
{
    static const char *const kind[] = {"",          "charter", "page", "page (domestic)",
                                       "stop list", "key card"};
    struct check *check = context;
    enum rg_news news = RG_NEWS_NONE;
    char where[64];
    (void)snprintf(where, sizeof(where), "%s%s%s", kind[document->kind],
                   document->country[0] == '\0' ? "" : " ", document->country);
    if (settle(check, rg_trust_offer(check->trust, document, check->now, &news, why), where, why) &&
        document->kind != RG_DOC_KEY_CARD) {
        ok(check, "document", where);
    }
    return rg_ok();
}

static void check_authorities(struct check *check)
{
    const struct rg_config *config = check->config;
    struct rg_reason why = {0};
    for (size_t i = 0; i < config->authority_count; i++) {
        RG_OWNED_CERTIFICATE *certificate = NULL;
        rg_outcome outcome = rg_certificate_read(config->authority[i], &certificate, &why);
        if (rg_is_ok(outcome)) {
            outcome = rg_trust_pin_authority(check->trust, certificate, &why);
        }
        if (settle(check, outcome, config->authority[i], &why)) {
            ok(check, "authority", config->authority[i]);
        }
    }
    rg_trust_pin_quorum(check->trust, (size_t)config->quorum);
}

static void check_suspended(struct check *check)
{
    struct rg_reason why = {0};
    for (size_t i = 0; i < check->config->suspend_count; i++) {
        const char *name = check->config->suspend[i];
        if (settle(check, rg_trust_suspend(check->trust, name, &why), name, &why)) {
            note(check, "suspended by this config:", name);
        }
    }
}

static void check_page(struct check *check, const struct rg_country *country)
{
    struct rg_reason why = {0};
    struct rg_verdict verdict;
    char until[32];
    if (!country->has_page) {
        (void)rg_fail(&why, RG_DENIED, "page-missing", "there is no page of this country").code;
        wrong(check, check->config->trust_folder, &why);
        return;
    }
    rg_wall_print(country->fresh_until, until);
    if (country->fresh_until.ms < check->now.ms) {
        note(check, "this country's page is stale since", until);
    }
    bool there = false;
    for (size_t i = 0; i < country->endpoint_count; i++) {
        there = there || country->endpoint[i].port == check->config->listen_port;
    }
    if (!there) {
        note(check, "the page names no endpoint with the port of", "listen");
    }
    if (check->certificate != NULL &&
        settle(check,
               rg_trust_judge(check->trust, check->certificate, RG_USE_TLS, check->now, check->now,
                              &verdict, &why),
               check->config->tls_certificate, &why)) {
        ok(check, "trusted as", verdict.principal.text);
    }
}

static void check_log_key(struct check *check, const struct rg_country *country)
{
    struct rg_reason why = {0};
    RG_OWNED_KEY *key = NULL;
    uint8_t public_key[32];
    rg_outcome outcome = rg_key_read(check->config->log_key, &key, &why);
    if (rg_is_ok(outcome)) {
        outcome = rg_log_key_public(key, public_key, &why);
    }
    if (rg_is_ok(outcome) && country != NULL && memcmp(public_key, country->log_key, 32) != 0) {
        outcome = rg_fail(&why, RG_DENIED, "log-key-other", "it is not the key in the charter");
    }
    if (settle(check, outcome, check->config->log_key, &why)) {
        ok(check, "log key", check->config->log_key);
    }
}

static void check_trust(struct check *check)
{
    const struct rg_config *config = check->config;
    struct rg_reason why = {0};
    check_authorities(check);
    check_suspended(check);
    (void)settle(check, rg_document_read_folder(config->trust_folder, offer, check, &why),
                 config->trust_folder, &why);
    const struct rg_country *country = rg_trust_country(check->trust, config->country);
    if (country == NULL) {
        (void)rg_fail(&why, RG_DENIED, "charter-missing",
                      "no charter here names the country \"%s\"", config->country)
            .code;
        wrong(check, config->trust_folder, &why);
    }
    if (country != NULL) {
        check_page(check, country);
    }
    check_log_key(check, country);
}

/* Folders are made by `run`; those that are there must be private. */
static void check_folder(struct check *check, const char *path)
{
    struct stat state;
    struct rg_reason why = {0};
    if (lstat(path, &state) != 0) {
        note(check, errno == ENOENT ? "will be made:" : "cannot be looked at:", path);
        return;
    }
    rg_outcome outcome = rg_ok();
    if (!S_ISDIR(state.st_mode) || (state.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        outcome = rg_fail(&why, RG_DENIED, "folder-not-private",
                          "must be a folder that others cannot write to");
    }
    if (settle(check, outcome, path, &why)) {
        ok(check, "folder", path);
    }
}

size_t rg_check(const struct rg_config *config, struct rg_wall now, FILE *out)
{
    struct check check = {.config = config, .now = now, .out = out, .trust = rg_trust_new()};
    RG_ASSERT(check.trust != NULL);
    check_tls(&check);
    check_trust(&check);
    check_folder(&check, config->data);
    check_folder(&check, config->runtime);
    if (!rg_sandbox_apart(config)) {
        note(&check, "separation is off:", "not started as root, or no `users`");
    }
    rg_trust_free(check.trust);
    rg_certificate_free(check.certificate);
    return check.wrong;
}
