/*
 * NAME
 *   sandbox - what each process of the gateway may still do
 *
 * SYNOPSIS
 *   rg_sandbox_enter(&(struct rg_sandbox){.user = &config.user_link, .no_new_tasks = true}, why)
 *       in the child, after keys and files are open, before the first foreign byte
 *
 * DESCRIPTION
 *   process   opens before             after rg_sandbox_enter
 *   link      TLS key, port            own user, no new process or thread, no dump
 *   courier   store, status socket     own user, no dump
 *   notary    log key, state file      own user, no dump
 *
 *   For all: no core file, not dumpable (no ptrace by the same user, /proc/PID/mem closed), no new
 * privileges, umask 077 (007 with `shares`, for sockets that the courier's group opens), a bound on
 * open files, SIGTERM when `main` dies. Users are changed only when started as root and the config
 * names them; rg_sandbox_apart tells.
 *
 * ERRORS
 *   RG_IO sandbox-*: a right could not be given up; the process must end.
 */
#ifndef RG_GATEWAY_SANDBOX_H
#define RG_GATEWAY_SANDBOX_H

#include "gateway/config.h"

#include <sys/types.h>

struct rg_sandbox {
    const struct rg_config_user *user;
    uint64_t files_max; /* 0: leave as it is */
    bool no_new_tasks;  /* no fork, no thread */
    bool shares;        /* its sockets may be opened by the group of their folder */
    pid_t parent;       /* SIGTERM when this process dies; 0: do not care */
};

RG_MUST_USE rg_outcome rg_sandbox_enter(const struct rg_sandbox *sandbox, struct rg_reason *why);

/* Do the three processes run as three users? */
bool rg_sandbox_apart(const struct rg_config *config);

/* Makes `path` (and what is missing above it) for `owner` (NULL or not set: for us). With `group`
 * set, that user's group may enter and sockets made in it belong to that group. An existing folder
 * must not be writable by others. RG_DENIED folder-not-private, RG_IO folder-unusable. */
RG_MUST_USE rg_outcome rg_sandbox_folder(const char *path, const struct rg_config_user *owner,
                                         const struct rg_config_user *group, struct rg_reason *why);

#endif
