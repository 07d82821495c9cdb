/* How it works: the folder is read once. client.cfg goes through core/settings; its paths may be
 * relative to the folder. Trust starts from trust.folder (which may be shared and read-only) and
 * goes on with what came over the link, kept in trust/ of the home. Reading keys are pairs of
 * files, the certificate written after the key, so that a certificate without its key never
 * stands. The private half of a reading key never leaves the folder. */
#include "client/home.h"

#include "core/card.h"
#include "core/digest.h"
#include "core/settings.h"
#include "core/trust.h"
#include "core/vault.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONFIG_BYTES_MAX (64 * RG_KIB)
#define DAY_MS INT64_C(86400000)
#define CLOCK_SLACK_MS INT64_C(3600000) /* a reading key is valid a little before it was made */

static const char *const config_names[] = {"office",    "officer",  "device",   "gateway",
                                           "keys",      "trust",    "exercise", "agreements",
                                           "deadlines", "retention"};
static const char *const keys_names[] = {"sign", "sign_key", "tls", "tls_key"};
static const char *const trust_names[] = {"folder", "authorities", "quorum"};

struct rg_wall rg_wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct rg_wall){.ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

static void settings_cleanup(struct rg_settings **settings)
{
    rg_settings_free(*settings);
}

/* ---- paths and folders ---- */

static rg_outcome join(const char *folder, const char *name, char out[RG_PATH_BYTES],
                       struct rg_reason *why)
{
    int len = name[0] == '/' ? snprintf(out, RG_PATH_BYTES, "%s", name)
                             : snprintf(out, RG_PATH_BYTES, "%s/%s", folder, name);
    RG_CHECK(len > 0 && len < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long", "a path is too long");
    return rg_ok();
}

rg_outcome rg_home_path(const struct rg_home *home, const char *name, char out[RG_PATH_BYTES],
                        struct rg_reason *why)
{
    return join(home->folder, name, out, why);
}

static rg_outcome folder_make(const struct rg_home *home, const char *name, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, name, path, why));
    RG_CHECK(mkdir(path, 0700) == 0 || errno == EEXIST, why, RG_IO, "file-unwritable",
             "cannot make the folder %.150s: %s", path, strerror(errno));
    return rg_ok();
}

/* ---- client.cfg ---- */

static rg_outcome read_path(const struct rg_home *home, const rg_group *group, const char *name,
                            char out[RG_PATH_BYTES], struct rg_reason *why)
{
    const char *text = NULL;
    RG_TRY(rg_settings_text(group, name, &text, why));
    return rg_home_path(home, text, out, why);
}

struct pair { /* of files that client.cfg names */
    const char *name, *key_name;
    enum rg_use use;
};

static rg_outcome read_pair(const struct rg_home *home, const rg_group *group, struct pair pair,
                            struct rg_certificate **out, struct rg_key **key_out,
                            struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(read_path(home, group, pair.name, path, why));
    RG_TRY(rg_certificate_read(path, out, why));
    RG_TRY(rg_certificate_use_check(*out, pair.use, why));
    RG_TRY(read_path(home, group, pair.key_name, path, why));
    RG_TRY(rg_key_read(path, key_out, why));
    RG_TRY(rg_key_matches(*key_out, *out, why));
    const struct rg_principal *principal = rg_certificate_principal(*out);
    RG_CHECK(principal != NULL && strcmp(principal->text, home->principal.text) == 0, why,
             RG_DENIED, "config-principal",
             "the certificate of keys.%s speaks for another officer than client.cfg names",
             pair.name);
    return rg_ok();
}

static rg_outcome read_keys(struct rg_home *home, const rg_group *root, struct rg_reason *why)
{
    static const struct pair sign = {"sign", "sign_key", RG_USE_SIGN};
    static const struct pair tls = {"tls", "tls_key", RG_USE_TLS};
    const rg_group *keys = NULL;
    RG_TRY(rg_settings_group(root, "keys", &keys, why));
    RG_TRY(rg_settings_known(keys, keys_names, sizeof(keys_names) / sizeof(keys_names[0]), why));
    RG_TRY(read_pair(home, keys, sign, &home->sign, &home->sign_key, why));
    return read_pair(home, keys, tls, &home->tls, &home->tls_key, why);
}

static rg_outcome read_gateway(struct rg_home *home, const char *text, struct rg_reason *why)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    RG_CHECK(colon != NULL && colon > text && (size_t)(colon - text) < sizeof(home->host), why,
             RG_MALFORMED, "config-gateway", "gateway must be \"host:port\"");
    unsigned long port = strtoul(colon + 1, &end, 10);
    RG_CHECK(end != colon + 1 && *end == '\0' && port >= 1 && port <= 65535, why, RG_MALFORMED,
             "config-gateway", "gateway must be \"host:port\" with a port from 1 to 65535");
    memcpy(home->host, text, (size_t)(colon - text));
    home->host[colon - text] = '\0';
    home->port = (uint16_t)port;
    return rg_ok();
}

static bool device_ok(const char *device)
{
    size_t len = strlen(device);
    return len > 0 && len < RG_DEVICE_BYTES &&
           strspn(device, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static rg_outcome read_deadlines(struct rg_home *home, const rg_group *root, struct rg_reason *why)
{
    return rg_settings_has(root, "deadlines")
               ? read_path(home, root, "deadlines", home->deadlines, why)
               : rg_ok();
}

static rg_outcome read_names(struct rg_home *home, const rg_group *root, struct rg_reason *why)
{
    const char *office = NULL;
    const char *officer = NULL;
    const char *device = NULL;
    const char *gateway = NULL;
    char principal[2 * RG_PRINCIPAL_BYTES];
    RG_TRY(rg_settings_text(root, "office", &office, why));
    RG_TRY(rg_settings_text(root, "officer", &officer, why));
    RG_TRY(rg_settings_text(root, "device", &device, why));
    RG_TRY(rg_settings_text(root, "gateway", &gateway, why));
    RG_TRY(rg_settings_flag_or(root, "exercise", false, &home->exercise, why));
    RG_CHECK(device_ok(device), why, RG_MALFORMED, "config-device",
             "device may have small letters, digits and '-' only, at most %d", RG_DEVICE_BYTES - 1);
    (void)snprintf(home->device, sizeof(home->device), "%s", device);
    (void)snprintf(principal, sizeof(principal), "referral://%s/%s", office, officer);
    RG_CHECK(strlen(principal) < RG_PRINCIPAL_BYTES, why, RG_MALFORMED, "config-officer",
             "office and officer are too long");
    RG_TRY(rg_principal_parse(principal, &home->principal, why));
    (void)snprintf(home->gateway, sizeof(home->gateway), "referral://%s/gateway",
                   home->principal.country);
    return read_gateway(home, gateway, why);
}

static rg_outcome pin_authorities(struct rg_home *home, const rg_group *trust,
                                  struct rg_reason *why)
{
    size_t count = 0;
    uint64_t quorum = 0;
    RG_TRY(rg_settings_list_size(trust, "authorities", RG_COUNTRIES_MAX, &count, why));
    RG_TRY(rg_settings_count(trust, "quorum", &quorum, why));
    RG_CHECK(count > 0 && quorum >= 1 && quorum <= count, why, RG_MALFORMED, "config-quorum",
             "trust.quorum must be from 1 to the number of trust.authorities");
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        char path[RG_PATH_BYTES];
        RG_OWNED_CERTIFICATE *authority = NULL;
        RG_TRY(rg_settings_list_text(trust, "authorities", i, &name, why));
        RG_TRY(rg_home_path(home, name, path, why));
        RG_TRY(rg_certificate_read(path, &authority, why));
        RG_TRY(rg_trust_pin_authority(home->trust, authority, why));
        home->authority[home->authority_count++] = rg_certificate_share(authority);
    }
    rg_trust_pin_quorum(home->trust, (size_t)quorum);
    return rg_ok();
}

struct offering {
    struct rg_home *home;
    struct rg_wall now;
    bool charter_required;
};

static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *why)
{
    struct offering *offering = context;
    enum rg_news news = RG_NEWS_NONE;
    rg_outcome outcome = rg_trust_offer(offering->home->trust, document, offering->now, &news, why);
    /* One bad page or an old card must not keep the office from working with the others. */
    bool fatal = document->kind == RG_DOC_CHARTER && offering->charter_required;
    return fatal || outcome.code == RG_BROKEN || outcome.code == RG_IO ? outcome : rg_ok();
}

static rg_outcome read_trust(struct rg_home *home, const rg_group *root, struct rg_wall now,
                             struct rg_reason *why)
{
    const rg_group *trust = NULL;
    char path[RG_PATH_BYTES];
    struct offering offering = {.home = home, .now = now, .charter_required = true};
    RG_TRY(rg_settings_group(root, "trust", &trust, why));
    RG_TRY(
        rg_settings_known(trust, trust_names, sizeof(trust_names) / sizeof(trust_names[0]), why));
    home->trust = rg_trust_new();
    RG_CHECK(home->trust != NULL, why, RG_IO, "out-of-memory", "out of memory");
    RG_TRY(pin_authorities(home, trust, why));
    RG_TRY(read_path(home, trust, "folder", path, why));
    RG_TRY(rg_document_read_folder(path, offer, &offering, why));
    offering.charter_required = false;
    RG_TRY(rg_home_path(home, "trust", path, why));
    RG_TRY(rg_document_read_folder(path, offer, &offering, why));
    RG_CHECK(rg_trust_country(home->trust, home->principal.country) != NULL, why, RG_DENIED,
             "config-charter", "the charter in trust.folder does not name our own country");
    return rg_ok();
}

/* ---- reading keys ---- */

static void reading_drop(struct rg_reading_key *reading)
{
    struct rg_certificate *certificate = NULL;
    struct rg_key *key = NULL;
    /* Owned here; the bytes are copied since the struct says const. */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): a pointer is what is copied */
    memcpy(&certificate, &reading->certificate, sizeof(certificate));
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): as above */
    memcpy(&key, &reading->key, sizeof(key));
    rg_certificate_free(certificate);
    rg_key_free(key);
    *reading = (struct rg_reading_key){0};
}

/* Newest first; the oldest falls off the end. */
static void reading_insert(struct rg_home *home, struct rg_reading_key reading)
{
    int64_t end = rg_certificate_not_after(reading.certificate).ms;
    size_t at = 0;
    while (at < home->reading_count &&
           rg_certificate_not_after(home->reading[at].certificate).ms >= end) {
        at++;
    }
    if (home->reading_count == RG_READING_KEYS_MAX) {
        reading_drop(&home->reading[--home->reading_count]);
    }
    if (at > home->reading_count) {
        reading_drop(&reading);
        return;
    }
    memmove(&home->reading[at + 1], &home->reading[at],
            (home->reading_count - at) * sizeof(home->reading[0]));
    home->reading[at] = reading;
    home->reading_count++;
}

static rg_outcome reading_load(struct rg_home *home, const char *stem, struct rg_reason *why)
{
    char name[128];
    char certificate_path[RG_PATH_BYTES];
    char key_path[RG_PATH_BYTES];
    RG_OWNED_CERTIFICATE *certificate = NULL;
    RG_OWNED_KEY *key = NULL;
    (void)snprintf(name, sizeof(name), "keys/%.100s.der", stem);
    RG_TRY(rg_home_path(home, name, certificate_path, why));
    (void)snprintf(name, sizeof(name), "keys/%.100s.key", stem);
    RG_TRY(rg_home_path(home, name, key_path, why));
    RG_TRY(rg_certificate_read(certificate_path, &certificate, why));
    RG_TRY(rg_key_read(key_path, &key, why));
    RG_TRY(rg_key_matches(key, certificate, why));
    reading_insert(home, (struct rg_reading_key){.certificate = certificate, .key = key});
    certificate = NULL;
    key = NULL;
    return rg_ok();
}

static rg_outcome read_reading_keys(struct rg_home *home, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, "keys", path, why));
    DIR *folder = opendir(path);
    RG_CHECK(folder != NULL, why, RG_IO, "file-unreadable", "cannot read the folder %.150s", path);
    rg_outcome outcome = rg_ok();
    struct dirent *entry = NULL;
    while (rg_is_ok(outcome) && (entry = readdir(folder)) != NULL) {
        char stem[128];
        size_t len = strlen(entry->d_name);
        if (strncmp(entry->d_name, "read-", 5) != 0 || len < 10 || len >= sizeof(stem) ||
            strcmp(entry->d_name + len - 4, ".der") != 0) {
            continue;
        }
        (void)snprintf(stem, sizeof(stem), "%.*s", (int)(len - 4), entry->d_name);
        outcome = reading_load(home, stem, why);
    }
    (void)closedir(folder);
    return outcome;
}

void rg_home_reading_name(const struct rg_certificate *certificate, const char *suffix, char *out,
                          size_t room)
{
    char hex[17];
    char day[32];
    struct rg_hash digest = rg_certificate_digest(certificate);
    rg_hex(rg_bytes_of(digest.b, 8), hex);
    rg_wall_print(rg_certificate_not_after(certificate), day);
    day[10] = '\0';
    (void)snprintf(out, room, "keys/read-%s-%s.%s", day, hex, suffix);
}

void rg_home_reading_forget(struct rg_home *home, size_t at)
{
    reading_drop(&home->reading[at]);
    home->reading_count--;
    memmove(&home->reading[at], &home->reading[at + 1],
            (home->reading_count - at) * sizeof(home->reading[0]));
    home->reading[home->reading_count] = (struct rg_reading_key){0};
}

static rg_outcome reading_write(const struct rg_home *home, const struct rg_key *key,
                                const struct rg_certificate *certificate, struct rg_reason *why)
{
    char name[160];
    char path[RG_PATH_BYTES];
    rg_home_reading_name(certificate, "key", name, sizeof(name));
    RG_TRY(rg_home_path(home, name, path, why));
    RG_TRY(rg_key_write(key, path, why));
    rg_home_reading_name(certificate, "der", name, sizeof(name));
    RG_TRY(rg_home_path(home, name, path, why));
    return rg_file_replace(path, rg_certificate_der(certificate), 0600, why);
}

static void reading_unwrite(const struct rg_home *home, const struct rg_certificate *certificate)
{
    static const char *const suffix[] = {"der", "key"};
    for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
        char name[160];
        char path[RG_PATH_BYTES];
        rg_home_reading_name(certificate, suffix[i], name, sizeof(name));
        if (rg_is_ok(rg_home_path(home, name, path, NULL))) {
            rg_outcome gone = rg_file_destroy(path, NULL);
            (void)gone; /* the first failure is the one to tell */
        }
    }
}

static rg_outcome card_make(struct rg_home *home, const struct rg_certificate *certificate,
                            struct rg_wall now, struct rg_reason *why)
{
    RG_CLEANUP(rg_document_drop) struct rg_document card = {.kind = RG_DOC_KEY_CARD};
    enum rg_news news = RG_NEWS_NONE;
    (void)snprintf(card.country, sizeof(card.country), "%s", home->principal.country);
    RG_TRY(rg_card_make(home->sign, home->sign_key, certificate, &card.text, why));
    RG_TRY(rg_trust_offer(home->trust, &card, now, &news, why));
    return rg_home_keep(home, &card, why);
}

rg_outcome rg_home_renew(struct rg_home *home, struct rg_wall now, bool *made_out,
                         struct rg_reason *why)
{
    *made_out = false;
    if (home->reading_count > 0 &&
        rg_certificate_not_after(home->reading[0].certificate).ms - now.ms >
            RG_READING_OVERLAP_DAYS * DAY_MS) {
        return rg_ok();
    }
    RG_OWNED_CERTIFICATE *certificate = NULL;
    RG_OWNED_KEY *key = NULL;
    RG_TRY(rg_reading_key_new(&home->principal, (struct rg_wall){now.ms - CLOCK_SLACK_MS},
                              (struct rg_wall){now.ms + RG_READING_DAYS * DAY_MS}, &key,
                              &certificate, why));
    RG_TRY(reading_write(home, key, certificate, why));
    rg_outcome carded = card_make(home, certificate, now, why);
    if (!rg_is_ok(carded)) {
        reading_unwrite(home, certificate); /* without its card nobody would ever seal to it */
        return carded;
    }
    reading_insert(home, (struct rg_reading_key){.certificate = certificate, .key = key});
    certificate = NULL;
    key = NULL;
    *made_out = true;
    return rg_ok();
}

rg_outcome rg_home_keep(struct rg_home *home, const struct rg_document *document,
                        struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, "trust", path, why));
    return rg_document_write(path, document, why);
}

/* ---- who is who ---- */

rg_outcome rg_home_focal(const struct rg_home *home, const char *country, char out[RG_OFFICE_BYTES],
                         struct rg_reason *why)
{
    const struct rg_office *office = NULL;
    for (size_t i = 0; (office = rg_trust_office_at(home->trust, i)) != NULL; i++) {
        char of[RG_COUNTRY_BYTES];
        rg_office_country(office->name, of);
        if (strcmp(of, country) == 0 && strcmp(office->role, "focal") == 0 && !office->suspended) {
            (void)snprintf(out, RG_OFFICE_BYTES, "%s", office->name);
            return rg_ok();
        }
    }
    return rg_fail(why, RG_AGAIN, "office-unknown",
                   "no page here names a focal point of \"%.10s\": sync first, then try again",
                   country);
}

bool rg_home_is_focal(const struct rg_home *home)
{
    const struct rg_office *office = rg_trust_office(home->trust, home->principal.office);
    return office != NULL && strcmp(office->role, "focal") == 0;
}

const char *rg_home_log_country(const struct rg_home *home, const char *origin)
{
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(home->trust, i)) != NULL; i++) {
        size_t len = strlen(country->log_origin);
        if (len > 0 && strncmp(origin, country->log_origin, len) == 0 && origin[len] == '/') {
            return country->code;
        }
    }
    return "";
}

/* ---- open, close ---- */

static rg_outcome storage_key(struct rg_home *home, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    char casebook[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, "keys/storage.key", path, why));
    RG_TRY(rg_home_path(home, "casebook.db", casebook, why));
    if (access(path, F_OK) != 0) {
        /* A new key beside an old casebook would only hide that the old one is gone. */
        RG_CHECK(access(casebook, F_OK) != 0, why, RG_DENIED, "storage-key-missing",
                 "keys/storage.key is missing, without it casebook.db cannot be read: restore it");
        RG_TRY(rg_vault_file_make(path, why));
    }
    return rg_key_read(path, &home->storage_key, why);
}

static rg_outcome home_read(struct rg_home *home, struct rg_wall now, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_OWNED_BUFFER text = {0};
    RG_CLEANUP(settings_cleanup) struct rg_settings *settings = NULL;
    RG_TRY(rg_home_path(home, "client.cfg", path, why));
    RG_TRY(rg_file_read(path, CONFIG_BYTES_MAX, &text, why));
    RG_TRY(rg_settings_parse(rg_buffer_peek(&text), CONFIG_BYTES_MAX, &settings, why));
    const rg_group *root = rg_settings_root(settings);
    RG_TRY(
        rg_settings_known(root, config_names, sizeof(config_names) / sizeof(config_names[0]), why));
    RG_TRY(read_names(home, root, why));
    RG_TRY(rg_agreements_read(root, &home->agreements, why));
    RG_TRY(read_deadlines(home, root, why));
    RG_TRY(read_keys(home, root, why));
    RG_TRY(rg_retention_terms_read(root, &home->terms, why));
    RG_TRY(folder_make(home, "keys", why));
    RG_TRY(folder_make(home, "trust", why));
    RG_TRY(storage_key(home, why));
    RG_TRY(read_trust(home, root, now, why));
    return read_reading_keys(home, why);
}

rg_outcome rg_home_open(const char *folder, struct rg_wall now, struct rg_home **out,
                        struct rg_reason *why)
{
    RG_CHECK(strlen(folder) > 0 && strlen(folder) < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long",
             "the home folder's path is empty or too long");
    RG_CLEANUP(rg_home_cleanup) struct rg_home *home = calloc(1, sizeof(*home));
    RG_CHECK(home != NULL, why, RG_IO, "out-of-memory", "out of memory");
    (void)snprintf(home->folder, sizeof(home->folder), "%s", folder);
    RG_TRY(home_read(home, now, why));
    *out = home;
    home = NULL;
    return rg_ok();
}

void rg_home_close(struct rg_home *home)
{
    if (home == NULL) {
        return;
    }
    for (size_t i = 0; i < home->reading_count; i++) {
        reading_drop(&home->reading[i]);
    }
    for (size_t i = 0; i < home->authority_count; i++) {
        rg_certificate_free(home->authority[i]);
    }
    rg_trust_free(home->trust);
    rg_certificate_free(home->sign);
    rg_certificate_free(home->tls);
    rg_key_free(home->sign_key);
    rg_key_free(home->tls_key);
    rg_key_free(home->storage_key);
    free(home);
}

void rg_home_cleanup(struct rg_home **home)
{
    rg_home_close(*home);
    *home = NULL;
}
