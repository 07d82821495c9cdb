/* How it works: the text is parsed by core/settings and read key by key into a local struct, which
 * is copied out only when all of it is right; so a caller never holds half a config. Each reader
 * says which key it reads, and the wrapper `located` puts file and line before the reason. Bounds
 * and defaults of the limits are one table. */
#include "gateway/config.h"

#include "core/digest.h"
#include "core/identity.h"
#include "core/settings.h"

#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
#define DAY_MS (24 * 3600 * SECOND_MS)
/* Officers' reading keys outlive themselves by a message's whole life, so that life is bounded. */
#define LIFETIME_DAYS_MAX 60
#define KEEP_DAYS_MAX 30
_Static_assert(LIFETIME_DAYS_MAX + KEEP_DAYS_MAX == RG_MESSAGE_DAYS_MAX, "created to collect-by");

/* What is being read: for paths and for reasons. */
struct source {
    struct rg_bytes text;
    const char *file;
    struct rg_config *config;
    struct rg_reason *why;
};

enum limit_kind { LIMIT_SPAN, LIMIT_BYTES, LIMIT_COUNT };

static const struct limit_row {
    const char *key;
    enum limit_kind kind;
    size_t offset;
    int64_t fallback, min, max;
} limit_table[] = {
    {"lifetime_max", LIMIT_SPAN, offsetof(struct rg_config_limits, lifetime_ms_max), 60 * DAY_MS,
     60 * SECOND_MS, LIFETIME_DAYS_MAX *DAY_MS},
    {"keep_max", LIMIT_SPAN, offsetof(struct rg_config_limits, keep_ms_max), 30 * DAY_MS,
     60 * SECOND_MS, KEEP_DAYS_MAX *DAY_MS},
    {"retention", LIMIT_SPAN, offsetof(struct rg_config_limits, retention_ms), 30 * DAY_MS, 0,
     30 * DAY_MS},
    {"clock_skew_max", LIMIT_SPAN, offsetof(struct rg_config_limits, clock_skew_ms_max),
     300 * SECOND_MS, SECOND_MS, DAY_MS},
    {"dial_min", LIMIT_SPAN, offsetof(struct rg_config_limits, dial_ms_min), 250, 10,
     3600 * SECOND_MS},
    {"dial_max", LIMIT_SPAN, offsetof(struct rg_config_limits, dial_ms_max), 60 * SECOND_MS, 10,
     DAY_MS},
    {"hello_max", LIMIT_SPAN, offsetof(struct rg_config_limits, hello_ms_max), RG_LINK_HELLO_MS_MAX,
     100, 600 * SECOND_MS},
    {"store_max", LIMIT_BYTES, offsetof(struct rg_config_limits, store_bytes_max), 0, 0, INT64_MAX},
    {"envelope_max", LIMIT_BYTES, offsetof(struct rg_config_limits, envelope_bytes_max),
     RG_ENVELOPE_BYTES_MAX, 8 * RG_KIB, RG_ENVELOPE_BYTES_MAX},
    {"office_messages_day", LIMIT_COUNT, offsetof(struct rg_config_limits, office_messages_day),
     100000, 0, INT64_MAX},
    {"emergency_messages_day", LIMIT_COUNT,
     offsetof(struct rg_config_limits, emergency_messages_day), 20, 0, INT64_MAX},
    {"sessions_max", LIMIT_COUNT, offsetof(struct rg_config_limits, sessions_max), 256, 1, 65536},
    {"sessions_per_address", LIMIT_COUNT, offsetof(struct rg_config_limits, sessions_per_address),
     64, 1, 65536},
    {"sessions_per_principal", LIMIT_COUNT,
     offsetof(struct rg_config_limits, sessions_per_principal), 8, 1, 65536},
};
#define LIMIT_ROWS (sizeof(limit_table) / sizeof(limit_table[0]))

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* Line of the first `key` that stands where a name may stand, not in a comment; 0: none. */
static unsigned line_of(struct rg_bytes text, const char *key)
{
    size_t len = strlen(key);
    unsigned line = 1;
    bool at_word = true, comment = false;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t *at = text.data + i;
        comment = comment || at[0] == '#' || (at[0] == '/' && text.len - i > 1 && at[1] == '/');
        if (at_word && !comment && text.len - i > len && memcmp(at, key, len) == 0 &&
            is_one_of(at[len], " \t=:{")) {
            return line;
        }
        if (at[0] == '\n') {
            line++;
            comment = false;
        }
        at_word = is_one_of(at[0], " \t\r\n;,{(");
    }
    return 0;
}

/* Puts "file:line: key: " before the reason of a failed read. */
static rg_outcome located(const struct source *from, const char *key, rg_outcome outcome)
{
    char text[RG_REASON_TEXT_BYTES];
    struct rg_reason *why = from->why;
    if (rg_is_ok(outcome) || why == NULL) {
        return outcome;
    }
    unsigned line = line_of(from->text, key);
    (void)snprintf(text, sizeof(text), "%s", why->text);
    if (line == 0) {
        return rg_fail(why, outcome.code, why->id, "%s: %s: %s", from->file, key, text);
    }
    return rg_fail(why, outcome.code, why->id, "%s:%u: %s: %s", from->file, line, key, text);
}

static rg_outcome copy_text(const char *text, char *out, size_t bytes, struct rg_reason *why)
{
    RG_CHECK(text[0] != '\0', why, RG_MALFORMED, "config-value", "must not be empty");
    RG_CHECK(strlen(text) < bytes, why, RG_MALFORMED, "config-value", "is longer than %zu bytes",
             bytes - 1);
    memcpy(out, text, strlen(text) + 1);
    return rg_ok();
}

/* A relative path is below the config file's folder. */
static rg_outcome copy_path(const struct source *from, const char *text, char *out, size_t bytes)
{
    char joined[RG_CONFIG_PATH_BYTES];
    const char *slash = strrchr(from->file, '/');
    int folder = slash == NULL ? 1 : (int)(slash - from->file);
    RG_CHECK(text[0] != '\0', from->why, RG_MALFORMED, "config-path", "must not be empty");
    if (text[0] == '/') {
        return copy_text(text, out, bytes, from->why);
    }
    int n =
        snprintf(joined, sizeof(joined), "%.*s/%s", folder, slash == NULL ? "." : from->file, text);
    RG_CHECK(n > 0 && (size_t)n < bytes, from->why, RG_MALFORMED, "config-path",
             "with its folder the path is longer than %zu bytes; use a shorter one", bytes - 1);
    memcpy(out, joined, (size_t)n + 1);
    return rg_ok();
}

static rg_outcome read_path(const struct source *from, const rg_group *group, const char *key,
                            char *out, size_t bytes)
{
    const char *text = NULL;
    RG_TRY(located(from, key, rg_settings_text(group, key, &text, from->why)));
    return located(from, key, copy_path(from, text, out, bytes));
}

/* "host:port", "[v6]:port". */
static rg_outcome split_listen(const char *text, struct rg_config *config, struct rg_reason *why)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    RG_CHECK(colon != NULL && colon != text && colon[1] >= '0' && colon[1] <= '9', why,
             RG_MALFORMED, "config-listen", "must be address:port, as \"0.0.0.0:7701\"");
    unsigned long port = strtoul(colon + 1, &end, 10);
    RG_CHECK(*end == '\0' && port <= 65535, why, RG_MALFORMED, "config-listen",
             "the port must be a number from 0 to 65535");
    const char *start = text;
    size_t len = (size_t)(colon - text);
    if (text[0] == '[' && len > 2 && colon[-1] == ']') {
        start = text + 1;
        len -= 2;
    }
    RG_CHECK(len < sizeof(config->listen_host), why, RG_MALFORMED, "config-listen",
             "the address is too long");
    memcpy(config->listen_host, start, len);
    config->listen_host[len] = '\0';
    config->listen_port = (uint16_t)port;
    return rg_ok();
}

static rg_outcome read_country(const struct source *from, const rg_group *root)
{
    struct rg_config *config = from->config;
    const char *text = NULL;
    RG_TRY(located(from, "country", rg_settings_text(root, "country", &text, from->why)));
    if (!rg_country_name_ok(text)) {
        return located(from, "country",
                       rg_fail(from->why, RG_MALFORMED, "config-country",
                               "must be a lower-case country code, as \"th\""));
    }
    (void)snprintf(config->country, sizeof(config->country), "%s", text);
    (void)snprintf(config->principal, sizeof(config->principal), "referral://%s/gateway", text);
    return rg_ok();
}

static rg_outcome read_listen(const struct source *from, const rg_group *root)
{
    const char *text = NULL;
    RG_TRY(located(from, "listen", rg_settings_text(root, "listen", &text, from->why)));
    return located(from, "listen", split_listen(text, from->config, from->why));
}

static rg_outcome read_tls(const struct source *from, const rg_group *root)
{
    static const char *const known[] = {"certificate", "key"};
    struct rg_config *config = from->config;
    const rg_group *tls = NULL;
    RG_TRY(located(from, "tls", rg_settings_group(root, "tls", &tls, from->why)));
    RG_TRY(located(from, "tls", rg_settings_known(tls, known, 2, from->why)));
    RG_TRY(read_path(from, tls, "certificate", config->tls_certificate,
                     sizeof(config->tls_certificate)));
    return read_path(from, tls, "key", config->tls_key, sizeof(config->tls_key));
}

static rg_outcome read_authorities(const struct source *from, const rg_group *trust)
{
    struct rg_config *config = from->config;
    RG_TRY(located(from, "authorities",
                   rg_settings_list_size(trust, "authorities", RG_CONFIG_AUTHORITIES_MAX,
                                         &config->authority_count, from->why)));
    for (size_t i = 0; i < config->authority_count; i++) {
        const char *text = NULL;
        RG_TRY(located(from, "authorities",
                       rg_settings_list_text(trust, "authorities", i, &text, from->why)));
        RG_TRY(located(from, "authorities",
                       copy_path(from, text, config->authority[i], RG_CONFIG_PATH_BYTES)));
    }
    return rg_ok();
}

static rg_outcome read_trust(const struct source *from, const rg_group *root)
{
    static const char *const known[] = {"folder", "authorities", "quorum"};
    struct rg_config *config = from->config;
    const rg_group *trust = NULL;
    RG_TRY(located(from, "trust", rg_settings_group(root, "trust", &trust, from->why)));
    RG_TRY(located(from, "trust", rg_settings_known(trust, known, 3, from->why)));
    RG_TRY(read_path(from, trust, "folder", config->trust_folder, sizeof(config->trust_folder)));
    RG_TRY(read_authorities(from, trust));
    RG_TRY(located(from, "quorum", rg_settings_count(trust, "quorum", &config->quorum, from->why)));
    if (config->quorum == 0 || config->quorum > config->authority_count) {
        return located(from, "quorum",
                       rg_fail(from->why, RG_MALFORMED, "config-value",
                               "must be between 1 and the number of authorities (%zu)",
                               config->authority_count));
    }
    return rg_ok();
}

static rg_outcome read_limit(const struct source *from, const rg_group *limits,
                             const struct limit_row *row)
{
    int64_t span = row->fallback;
    uint64_t amount = (uint64_t)row->fallback;
    if (row->kind == LIMIT_SPAN) {
        RG_TRY(rg_settings_span_ms_or(limits, row->key, row->fallback, &span, from->why));
        amount = span < 0 ? 0 : (uint64_t)span;
    }
    if (row->kind == LIMIT_BYTES) {
        RG_TRY(rg_settings_bytes_or(limits, row->key, amount, &amount, from->why));
    }
    if (row->kind == LIMIT_COUNT && rg_settings_has(limits, row->key)) {
        RG_TRY(rg_settings_count(limits, row->key, &amount, from->why));
    }
    RG_CHECK(span >= 0 && amount >= (uint64_t)row->min && amount <= (uint64_t)row->max, from->why,
             RG_MALFORMED, "config-value", "is outside what is allowed, %lld to %lld %s",
             (long long)row->min, (long long)row->max,
             row->kind == LIMIT_SPAN ? "ms" : (row->kind == LIMIT_BYTES ? "bytes" : ""));
    memcpy((char *)&from->config->limits + row->offset, &amount, sizeof(amount));
    return rg_ok();
}

static rg_outcome read_limits(const struct source *from, const rg_group *root)
{
    const char *known[LIMIT_ROWS];
    const rg_group *limits = NULL;
    for (size_t i = 0; i < LIMIT_ROWS; i++) {
        known[i] = limit_table[i].key;
        memcpy((char *)&from->config->limits + limit_table[i].offset, &limit_table[i].fallback,
               sizeof(int64_t));
    }
    if (!rg_settings_has(root, "limits")) {
        return rg_ok();
    }
    RG_TRY(located(from, "limits", rg_settings_group(root, "limits", &limits, from->why)));
    RG_TRY(located(from, "limits", rg_settings_known(limits, known, LIMIT_ROWS, from->why)));
    for (size_t i = 0; i < LIMIT_ROWS; i++) {
        RG_TRY(located(from, limit_table[i].key, read_limit(from, limits, &limit_table[i])));
    }
    if (from->config->limits.dial_ms_min > from->config->limits.dial_ms_max) {
        return located(from, "dial_min",
                       rg_fail(from->why, RG_MALFORMED, "config-value", "is above dial_max"));
    }
    return rg_ok();
}

static rg_outcome resolve_user(const char *name, struct rg_config_user *out, struct rg_reason *why)
{
    RG_TRY(copy_text(name, out->name, sizeof(out->name), why));
    const struct passwd *entry = getpwnam(name);
    RG_CHECK(entry != NULL, why, RG_MALFORMED, "config-user",
             "there is no such user on this machine");
    RG_CHECK(entry->pw_uid != 0, why, RG_MALFORMED, "config-user", "must not be root");
    out->uid = entry->pw_uid;
    out->gid = entry->pw_gid;
    out->set = true;
    return rg_ok();
}

static rg_outcome read_users(const struct source *from, const rg_group *root)
{
    static const char *const known[] = {"link", "courier", "notary"};
    struct rg_config *config = from->config;
    struct rg_config_user *user[] = {&config->user_link, &config->user_courier,
                                     &config->user_notary};
    const rg_group *users = NULL;
    if (!rg_settings_has(root, "users")) {
        return rg_ok();
    }
    RG_TRY(located(from, "users", rg_settings_group(root, "users", &users, from->why)));
    RG_TRY(located(from, "users", rg_settings_known(users, known, 3, from->why)));
    for (size_t i = 0; i < 3; i++) {
        const char *name = NULL;
        RG_TRY(located(from, known[i], rg_settings_text(users, known[i], &name, from->why)));
        RG_TRY(located(from, known[i], resolve_user(name, user[i], from->why)));
    }
    bool apart = user[0]->uid != user[1]->uid && user[1]->uid != user[2]->uid &&
                 user[0]->uid != user[2]->uid;
    if (!apart) {
        return located(from, "users",
                       rg_fail(from->why, RG_MALFORMED, "config-user",
                               "must name three different users, or leave `users` out"));
    }
    return rg_ok();
}

static rg_outcome read_suspend(const struct source *from, const rg_group *root)
{
    struct rg_config *config = from->config;
    RG_TRY(located(from, "suspend",
                   rg_settings_list_size(root, "suspend", RG_CONFIG_SUSPEND_MAX,
                                         &config->suspend_count, from->why)));
    for (size_t i = 0; i < config->suspend_count; i++) {
        const char *text = NULL;
        RG_TRY(
            located(from, "suspend", rg_settings_list_text(root, "suspend", i, &text, from->why)));
        if (!rg_country_name_ok(text) && !rg_office_name_ok(text)) {
            return located(from, "suspend",
                           rg_fail(from->why, RG_MALFORMED, "config-value",
                                   "must hold countries (\"mm\") or offices (\"vn/focal\")"));
        }
        RG_TRY(located(from, "suspend",
                       copy_text(text, config->suspend[i], RG_OFFICE_BYTES, from->why)));
    }
    return rg_ok();
}

static rg_outcome read_root(const struct source *from, const rg_group *root)
{
    static const char *const known[] = {"country",  "listen",  "data",  "runtime",
                                        "tls",      "log_key", "trust", "dial",
                                        "exercise", "limits",  "users", "suspend"};
    struct rg_config *config = from->config;
    struct rg_reason *why = from->why;
    RG_TRY(located(from, "config",
                   rg_settings_known(root, known, sizeof(known) / sizeof(known[0]), why)));
    RG_TRY(read_country(from, root));
    RG_TRY(read_listen(from, root));
    RG_TRY(read_path(from, root, "data", config->data, sizeof(config->data)));
    RG_TRY(read_path(from, root, "runtime", config->runtime, sizeof(config->runtime)));
    RG_TRY(read_tls(from, root));
    RG_TRY(read_path(from, root, "log_key", config->log_key, sizeof(config->log_key)));
    RG_TRY(read_trust(from, root));
    RG_TRY(located(from, "dial", rg_settings_flag_or(root, "dial", true, &config->dial, why)));
    RG_TRY(located(from, "exercise",
                   rg_settings_flag_or(root, "exercise", false, &config->exercise, why)));
    RG_TRY(read_limits(from, root));
    RG_TRY(read_users(from, root));
    return read_suspend(from, root);
}

static void settings_cleanup(struct rg_settings **settings)
{
    rg_settings_free(*settings);
}

rg_outcome rg_config_parse(struct rg_bytes text, const char *file, struct rg_config *out,
                           struct rg_reason *why)
{
    RG_CLEANUP(settings_cleanup) struct rg_settings *settings = NULL;
    struct rg_config config = {0};
    struct rg_reason reason = {0};
    struct source from = {
        .text = text, .file = file, .config = &config, .why = why != NULL ? why : &reason};
    RG_CHECK(strlen(file) < sizeof(config.file), why, RG_MALFORMED, "config-path",
             "the config file's path is too long");
    memcpy(config.file, file, strlen(file) + 1);
    RG_TRY(located(&from, "config",
                   rg_settings_parse(text, RG_CONFIG_BYTES_MAX, &settings, from.why)));
    RG_TRY(read_root(&from, rg_settings_root(settings)));
    config.digest = rg_sha256(text);
    *out = config;
    return rg_ok();
}

rg_outcome rg_config_read(const char *path, struct rg_config *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {0};
    RG_TRY(rg_file_read(path, RG_CONFIG_BYTES_MAX, &text, why));
    return rg_config_parse(rg_buffer_peek(&text), path, out, why);
}

static struct rg_config_path below(const char *folder, const char *name)
{
    struct rg_config_path path;
    (void)snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
    return path;
}

struct rg_config_path rg_config_store_path(const struct rg_config *config)
{
    return below(config->data, "store.db");
}

struct rg_config_path rg_config_notary_state_path(const struct rg_config *config, uint64_t epoch)
{
    char name[48];
    (void)snprintf(name, sizeof(name), "notary/state-%" PRIu64, epoch);
    return below(config->data, name);
}

struct rg_config_path rg_config_notary_socket(const struct rg_config *config)
{
    return below(config->runtime, "notary/ask");
}

struct rg_config_path rg_config_link_folder(const struct rg_config *config)
{
    return below(config->runtime, "link");
}

struct rg_config_path rg_config_status_path(const struct rg_config *config)
{
    return below(config->runtime, "courier/status");
}
