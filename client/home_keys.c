/* How it works: two kinds of keys come and go.
 *
 * A reading key is destroyed when every message that may be sealed to it has passed its lifetime:
 * nobody seals to it after its end, and a message lives RG_MESSAGE_DAYS_MAX days at most; a message
 * that lies here unopened keeps it until its own collect-by, however long its sender chose that.
 *
 * The storage key is replaced after an erasure. Files: storage-next.key (made and durable before
 * anything is sealed to it), storage.key (in force), storage-old.key (on its way out). Between the
 * commit of the casebook and the renames a crash leaves next in force under its first name, so
 * whoever opens something tries both. A lock file keeps two replacements apart; readers need none.
 */
#include "client/home.h"

#include "core/card.h"
#include "core/digest.h"
#include "core/trust.h"
#include "core/vault.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)

static const char in_force[] = "keys/storage.key";
static const char next_name[] = "keys/storage-next.key";
static const char old_name[] = "keys/storage-old.key";
static const char lock_name[] = "keys/storage.lock";

/* ---- reading keys ---- */

bool rg_home_reading_over(const struct rg_home *home, size_t at, struct rg_wall now)
{
    struct rg_wall end = rg_certificate_not_after(home->reading[at].certificate);
    return end.ms + RG_READING_KEEP_DAYS * DAY_MS < now.ms;
}

bool rg_home_reading_opens(const struct rg_home *home, size_t at, struct rg_wall created)
{
    const struct rg_certificate *certificate = home->reading[at].certificate;
    return created.ms >= rg_certificate_not_before(certificate).ms - DAY_MS &&
           created.ms <= rg_certificate_not_after(certificate).ms + DAY_MS;
}

rg_outcome rg_home_reading_destroy(struct rg_home *home, size_t at, struct rg_reason *why)
{
    /* A certificate never lacks its key; a key without one is swept up. */
    static const char *const suffix[] = {"der", "key"};
    for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
        char name[160];
        char path[RG_PATH_BYTES];
        rg_home_reading_name(home->reading[at].certificate, suffix[i], name, sizeof(name));
        RG_TRY(rg_home_path(home, name, path, why));
        RG_TRY(rg_file_destroy(path, why));
    }
    rg_home_reading_forget(home, at);
    return rg_ok();
}

/* ---- files that nobody needs any more ---- */

struct sweep { /* of one folder */
    const char *folder, *prefix, *suffix;
    rg_outcome (*each)(struct rg_home *home, const char *name, struct rg_wall now, size_t *gone,
                       struct rg_reason *why);
};

static bool is_named(const char *name, const struct sweep *sweep)
{
    size_t len = strlen(name);
    size_t tail = strlen(sweep->suffix);
    return len > tail && strncmp(name, sweep->prefix, strlen(sweep->prefix)) == 0 &&
           strcmp(name + len - tail, sweep->suffix) == 0;
}

static rg_outcome sweep_folder(struct rg_home *home, const struct sweep *sweep, struct rg_wall now,
                               size_t *gone, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    struct dirent *entry = NULL;
    RG_TRY(rg_home_path(home, sweep->folder, path, why));
    DIR *folder = opendir(path);
    RG_CHECK(folder != NULL, why, RG_IO, "file-unreadable", "cannot read the folder %.150s", path);
    rg_outcome outcome = rg_ok();
    while (rg_is_ok(outcome) && (entry = readdir(folder)) != NULL) {
        char name[300];
        (void)snprintf(name, sizeof(name), "%s/%s", sweep->folder, entry->d_name);
        if (is_named(entry->d_name, sweep)) {
            outcome = sweep->each(home, name, now, gone, why);
        }
    }
    (void)closedir(folder);
    return outcome;
}

static rg_outcome card_tidy(struct rg_home *home, const char *name, struct rg_wall now,
                            size_t *gone, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_OWNED_BUFFER der = {0};
    struct rg_wall end = {0};
    RG_TRY(rg_home_path(home, name, path, why));
    RG_TRY(rg_file_read(path, RG_CARD_BYTES_MAX, &der, why));
    if (rg_is_ok(rg_card_end(rg_buffer_peek(&der), &end, NULL)) && end.ms + DAY_MS < now.ms) {
        *gone += unlink(path) == 0;
    }
    return rg_ok();
}

/* A crash while a reading key was made or destroyed may leave the key without its certificate. */
static rg_outcome orphan_tidy(struct rg_home *home, const char *name, struct rg_wall now,
                              size_t *gone, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    char other[RG_PATH_BYTES];
    (void)now;
    RG_TRY(rg_home_path(home, name, path, why));
    (void)snprintf(other, sizeof(other), "%.*s.der", (int)(strlen(path) - 4), path);
    if (access(other, F_OK) == 0) {
        return rg_ok();
    }
    *gone += 1;
    return rg_file_destroy(path, why);
}

rg_outcome rg_home_sweep(struct rg_home *home, struct rg_wall now, size_t *gone_out,
                         struct rg_reason *why)
{
    static const struct sweep cards = {"trust", "card-", ".der", card_tidy};
    static const struct sweep orphans = {"keys", "read-", ".key", orphan_tidy};
    size_t gone = 0;
    RG_TRY(sweep_folder(home, &cards, now, &gone, why));
    RG_TRY(sweep_folder(home, &orphans, now, &gone, why));
    *gone_out = gone;
    return rg_ok();
}

/* ---- the storage key ---- */

static rg_outcome try_file(struct rg_home *home, const char *name, struct rg_bytes sealed,
                           struct rg_buffer *plain_out, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    struct rg_key *key = NULL;
    RG_TRY(rg_home_path(home, name, path, why));
    RG_TRY(rg_key_read(path, &key, why));
    rg_outcome outcome = rg_vault_open_with(key, sealed, plain_out, why);
    if (!rg_is_ok(outcome)) {
        rg_key_free(key);
        return outcome;
    }
    rg_key_free(home->storage_key);
    home->storage_key = key;
    return rg_ok();
}

/* The one at hand; else the files, and the first one again, since it may just have been renamed. */
rg_outcome rg_home_storage_open(void *context, struct rg_bytes sealed, struct rg_buffer *plain_out,
                                struct rg_reason *why)
{
    static const char *const name[] = {in_force, next_name, in_force};
    struct rg_home *home = context;
    rg_outcome outcome = rg_vault_open_with(home->storage_key, sealed, plain_out, why);
    for (size_t i = 0; outcome.code == RG_DENIED && i < sizeof(name) / sizeof(name[0]); i++) {
        struct rg_reason said = {0};
        rg_outcome tried = try_file(home, name[i], sealed, plain_out, &said);
        if (rg_is_ok(tried)) {
            return tried;
        }
    }
    return outcome;
}

rg_outcome rg_home_storage_seal(void *context, struct rg_bytes plain, struct rg_buffer *sealed_out,
                                struct rg_reason *why)
{
    const struct rg_home *home = context;
    return rg_vault_seal_to(home->storage_key, plain, sealed_out, why);
}

static bool same_file(const char *a, const char *b)
{
    struct stat one;
    struct stat other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

/* After a crash between link and rename, old is only another name of the key in force. */
static rg_outcome old_destroy(const struct rg_home *home, struct rg_reason *why)
{
    char force[RG_PATH_BYTES];
    char old[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, in_force, force, why));
    RG_TRY(rg_home_path(home, old_name, old, why));
    if (same_file(force, old)) {
        RG_CHECK(unlink(old) == 0, why, RG_IO, "file-unwritable", "cannot remove %.150s", old);
        return rg_ok();
    }
    return rg_file_destroy(old, why);
}

/* storage-next.key comes into force; the one before is destroyed. */
static rg_outcome next_take(const struct rg_home *home, struct rg_reason *why)
{
    char force[RG_PATH_BYTES];
    char next[RG_PATH_BYTES];
    char old[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, in_force, force, why));
    RG_TRY(rg_home_path(home, next_name, next, why));
    RG_TRY(rg_home_path(home, old_name, old, why));
    RG_TRY(old_destroy(home, why));
    RG_CHECK(link(force, old) == 0 && rename(next, force) == 0, why, RG_IO, "file-unwritable",
             "cannot rename %.150s: %s", next, strerror(errno));
    return old_destroy(home, why); /* durable: it syncs the folder of all three */
}

static rg_outcome lock_take(const struct rg_home *home, int *fd_out, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, lock_name, path, why));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    RG_CHECK(fd >= 0, why, RG_IO, "file-unwritable", "cannot make %.150s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return rg_fail(why, RG_AGAIN, "storage-key-busy",
                       "another program is replacing the storage key of this folder");
    }
    *fd_out = fd;
    return rg_ok();
}

/* What a crash has left is brought to its end: `sealed` tells which of the two is in force. */
static rg_outcome settle(struct rg_home *home, struct rg_bytes sealed, struct rg_reason *why)
{
    RG_OWNED_BUFFER plain = {.secret = true};
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(home, next_name, path, why));
    if (access(path, F_OK) != 0) {
        return old_destroy(home, why);
    }
    if (rg_is_ok(try_file(home, in_force, sealed, &plain, NULL))) {
        RG_TRY(old_destroy(home, why));
        return rg_file_destroy(path, why);
    }
    rg_buffer_clear(&plain);
    RG_TRY(try_file(home, next_name, sealed, &plain, why));
    return next_take(home, why);
}

rg_outcome rg_home_rekey_begin(struct rg_home *home, struct rg_bytes sealed,
                               struct rg_home_rekey *rekey, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(lock_take(home, &rekey->lock_fd, why));
    rekey->home = home;
    RG_TRY(settle(home, sealed, why));
    RG_TRY(rg_home_path(home, next_name, path, why));
    RG_TRY(rg_vault_file_make(path, why));
    return rg_key_read(path, &rekey->fresh, why);
}

rg_outcome rg_home_rekey_done(struct rg_home_rekey *rekey, struct rg_reason *why)
{
    RG_TRY(next_take(rekey->home, why));
    rg_key_free(rekey->home->storage_key);
    rekey->home->storage_key = rekey->fresh;
    rekey->fresh = NULL;
    return rg_ok();
}

void rg_home_rekey_drop(struct rg_home_rekey *rekey)
{
    if (rekey->home == NULL) {
        return;
    }
    rg_key_free(rekey->fresh);
    (void)close(rekey->lock_fd);
    *rekey = (struct rg_home_rekey){0};
}
