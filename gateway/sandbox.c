/* How it works: rights are given up one after the other, users last but one, and each step is
 * checked, because a right that is silently kept is worse than a process that does not start. The
 * death signal comes last since changing users clears it. Sanitizers need ptrace and threads of
 * their own at exit, so builds with them stay dumpable. */
#include "gateway/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static rg_outcome limit(int what, rlim_t value, const char *name, struct rg_reason *why)
{
    struct rlimit now;
    RG_CHECK(getrlimit((__rlimit_resource_t)what, &now) == 0, why, RG_IO, "sandbox-limit",
             "cannot read the limit of %s: %s", name, strerror(errno));
    if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) {
        value = now.rlim_max;
    }
    now.rlim_cur = value;
    now.rlim_max = value;
    RG_CHECK(setrlimit((__rlimit_resource_t)what, &now) == 0, why, RG_IO, "sandbox-limit",
             "cannot limit %s: %s", name, strerror(errno));
    return rg_ok();
}

static rg_outcome limits(const struct rg_sandbox *sandbox, struct rg_reason *why)
{
    RG_TRY(limit(RLIMIT_CORE, 0, "core files", why));
    if (sandbox->files_max > 0) {
        RG_TRY(limit(RLIMIT_NOFILE, (rlim_t)sandbox->files_max, "open files", why));
    }
    if (sandbox->no_new_tasks && !SANITIZED) {
        RG_TRY(limit(RLIMIT_NPROC, 0, "tasks", why));
    }
    return rg_ok();
}

static rg_outcome change_user(const struct rg_config_user *user, struct rg_reason *why)
{
    if (user == NULL || !user->set || geteuid() != 0) {
        return rg_ok();
    }
    RG_CHECK(setgroups(0, NULL) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
                 setresuid(user->uid, user->uid, user->uid) == 0,
             why, RG_IO, "sandbox-user", "cannot become user %s: %s", user->name, strerror(errno));
    RG_CHECK(setuid(0) != 0 && geteuid() == user->uid && getegid() == user->gid, why, RG_IO,
             "sandbox-user", "root came back after becoming user %s", user->name);
    return rg_ok();
}

rg_outcome rg_sandbox_enter(const struct rg_sandbox *sandbox, struct rg_reason *why)
{
    (void)umask(sandbox->shares ? 007 : 077);
    RG_TRY(limits(sandbox, why));
    RG_TRY(change_user(sandbox->user, why));
    RG_CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, why, RG_IO, "sandbox-privileges",
             "cannot forbid new privileges: %s", strerror(errno));
    RG_CHECK(SANITIZED || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, why, RG_IO, "sandbox-dump",
             "cannot forbid memory dumps: %s", strerror(errno));
    if (sandbox->parent == 0) {
        return rg_ok();
    }
    RG_CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0, why, RG_IO, "sandbox-parent",
             "cannot follow the parent: %s", strerror(errno));
    RG_CHECK(getppid() == sandbox->parent, why, RG_IO, "sandbox-parent", "main is gone");
    return rg_ok();
}

bool rg_sandbox_apart(const struct rg_config *config)
{
    return geteuid() == 0 && config->user_link.set && config->user_courier.set &&
           config->user_notary.set;
}

static rg_outcome make(const char *path, unsigned mode, struct rg_reason *why)
{
    RG_CHECK(mkdir(path, mode) == 0 || errno == EEXIST, why, RG_IO, "folder-unusable",
             "cannot make the folder %s: %s", path, strerror(errno));
    return rg_ok();
}

/* What is missing above `path` belongs to us and is open for reading, as mkdir -p would do. */
static rg_outcome make_parents(const char *path, struct rg_reason *why)
{
    char part[RG_CONFIG_PATH_BYTES + 32];
    size_t len = strlen(path);
    RG_CHECK(len < sizeof(part), why, RG_IO, "folder-unusable", "the path is too long");
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        RG_TRY(make(part, 0755, why));
    }
    return rg_ok();
}

/* Owner and mode at last: 0700, or 02710 with the group of those who may enter. */
static rg_outcome give(const char *path, const struct rg_config_user *owner,
                       const struct rg_config_user *group, struct rg_reason *why)
{
    bool shared = group != NULL && group->set;
    if (geteuid() == 0 && owner != NULL && owner->set) {
        gid_t gid = shared ? group->gid : owner->gid;
        RG_CHECK(chown(path, owner->uid, gid) == 0, why, RG_IO, "folder-unusable",
                 "cannot give %s to user %s: %s", path, owner->name, strerror(errno));
    }
    RG_CHECK(chmod(path, shared ? 02710 : 0700) == 0, why, RG_IO, "folder-unusable",
             "cannot set the mode of %s: %s", path, strerror(errno));
    return rg_ok();
}

rg_outcome rg_sandbox_folder(const char *path, const struct rg_config_user *owner,
                             const struct rg_config_user *group, struct rg_reason *why)
{
    struct stat state;
    RG_TRY(make_parents(path, why));
    RG_TRY(make(path, 0700, why));
    RG_CHECK(lstat(path, &state) == 0 && S_ISDIR(state.st_mode), why, RG_IO, "folder-unusable",
             "%s is not a folder", path);
    RG_CHECK((state.st_mode & (S_IWGRP | S_IWOTH)) == 0, why, RG_DENIED, "folder-not-private",
             "%s may be written by others; use chmod go-w", path);
    return give(path, owner, group, why);
}
