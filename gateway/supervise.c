/* How it works: main is a small loop over one signalfd and the courier's control socket. It holds
 * no end of a socketpair between two children for longer than it takes to hand it over, so a death
 * is seen by the other side as end of file.
 *
 * Invariants. (1) The control pair to the courier exists before the courier does, so link's socket
 * can be handed over at any time; a new courier gets a new pair. (2) A child keeps only the
 * descriptors it is given. (3) `init` for the notary is decided once, before anything is started: a
 * store that is there without the notary's state means that the state was lost. */
#include "gateway/supervise.h"

#include "core/identity.h"
#include "core/tcp.h"
#include "core/trust.h"
#include "gateway/epoch.h"
#include "gateway/event.h"
#include "gateway/notary.h"
#include "gateway/run_courier.h"
#include "gateway/run_link.h"
#include "gateway/run_notary.h"
#include "gateway/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXIT_SOFTWARE 70
#define EXIT_CONFIG 78
#define LISTEN_MS_MAX 3000
#define LISTEN_RETRY_MS 20
#define BACKOFF_MS_MIN 100
#define BACKOFF_MS_MAX 10000
#define SETTLED_MS 10000 /* a child that lived so long starts its back-off from zero */
#define STOP_MS_MAX 10000
#define EPOCHS_MAX 1000
#define ORDER_BYTES (512 * RG_KIB) /* a trust document with its signatures, to link */

enum { NOTARY, COURIER, LINK, CHILDREN };
static const char *const child_name[CHILDREN] = {"notary", "courier", "link"};

struct child {
    pid_t pid; /* 0: not running */
    int64_t started_ms, start_at_ms;
    unsigned quick_deaths, starts;
    bool planned; /* we ended it ourselves, for a new config */
};

struct main_state {
    struct rg_config config;
    struct child child[CHILDREN];
    int signal_fd, listen_fd, lock_fd, ready_fd;
    int control_fd, courier_control_fd; /* main's end; the end of the courier to be started */
    int life_fd, notary_life_fd;        /* main's end and the notary's, of a pipe */
    int64_t began_ms, stop_at_ms;
    uint64_t epoch; /* of the log */
    bool notary_init, stopping, told_ready;
    int status;
};

static int64_t mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

/* --- files in the runtime folder --- */

static struct rg_config_path runtime_file(const struct rg_config *config, const char *name)
{
    struct rg_config_path path;
    (void)snprintf(path.text, sizeof(path.text), "%s/%s", config->runtime, name);
    return path;
}

/* Not durable on purpose: it says something about processes, which do not survive a power cut. */
static void write_runtime(const struct main_state *state, const char *name, const char *text)
{
    struct rg_config_path path = runtime_file(&state->config, name);
    char beside[sizeof(path.text) + 8];
    (void)snprintf(beside, sizeof(beside), "%s.new", path.text);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        return;
    }
    bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    (void)close(fd);
    if (whole) {
        (void)rename(beside, path.text);
    }
}

static void write_processes(const struct main_state *state)
{
    char text[256];
    int at = snprintf(text, sizeof(text), "main %d\n", (int)getpid());
    for (int i = 0; i < CHILDREN; i++) {
        if (state->child[i].pid != 0) {
            at += snprintf(text + at, sizeof(text) - (size_t)at, "%s %d\n", child_name[i],
                           (int)state->child[i].pid);
        }
    }
    write_runtime(state, "processes", text);
}

static void set_ready(struct main_state *state, bool ready, uint16_t port)
{
    char text[16];
    if (!ready) {
        (void)unlink(runtime_file(&state->config, "ready").text);
        return;
    }
    (void)snprintf(text, sizeof(text), "%u\n", port);
    write_runtime(state, "ready", text);
    rg_event(RG_EVENT_GATEWAY_READY, .country = state->config.country, .port = port,
             .span_ms = mono_ms() - state->began_ms);
    if (state->ready_fd >= 0) {
        ssize_t written = write(state->ready_fd, text, strlen(text));
        (void)written;
        close_fd(&state->ready_fd);
    }
}

/* --- the children --- */

static void keep_only(const int *keep, size_t count)
{
    int low = STDERR_FILENO + 1;
    for (;;) { /* close up to the next descriptor to keep */
        int next = -1;
        for (size_t i = 0; i < count; i++) {
            if (keep[i] >= low && (next < 0 || keep[i] < next)) {
                next = keep[i];
            }
        }
        if (next < 0) {
            (void)close_range((unsigned)low, ~0U, 0);
            return;
        }
        if (next > low) {
            (void)close_range((unsigned)low, (unsigned)next - 1, 0);
        }
        low = next + 1;
    }
}

static struct rg_wall wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct rg_wall){.ms = (int64_t)now.tv_sec * 1000};
}

static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *why)
{
    enum rg_news news = RG_NEWS_NONE;
    (void)rg_trust_offer(context, document, wall_now(), &news, why)
        .code; /* the courier says why not */
    return rg_ok();
}

/* Pins, suspensions and what the trust folder holds: enough until the courier sends newer. */
static rg_outcome read_trust(const struct rg_config *config, struct rg_trust **out,
                             struct rg_reason *why)
{
    struct rg_trust *trust = rg_trust_new();
    RG_CHECK(trust != NULL, why, RG_IO, "out-of-memory", "no memory for trust");
    *out = trust;
    for (size_t i = 0; i < config->authority_count; i++) {
        RG_OWNED_CERTIFICATE *certificate = NULL;
        RG_TRY(rg_certificate_read(config->authority[i], &certificate, why));
        RG_TRY(rg_trust_pin_authority(trust, certificate, why));
    }
    rg_trust_pin_quorum(trust, (size_t)config->quorum);
    for (size_t i = 0; i < config->suspend_count; i++) {
        RG_TRY(rg_trust_suspend(trust, config->suspend[i], why));
    }
    return rg_document_read_folder(config->trust_folder, offer, trust, why);
}

static int child_failed(enum rg_event_id event, rg_outcome outcome, const struct rg_reason *why)
{
    bool lasting = outcome.code == RG_DENIED || outcome.code == RG_MALFORMED;
    rg_event(event, .outcome = why);
    return lasting ? EXIT_CONFIG : EXIT_SOFTWARE;
}

static rg_outcome prepare_link(const struct rg_config *config, pid_t parent,
                               struct rg_run_link_options *link, struct rg_reason *why)
{
    struct rg_certificate *certificate = NULL;
    struct rg_key *key = NULL;
    RG_TRY(rg_certificate_read(config->tls_certificate, &certificate, why));
    RG_TRY(rg_key_read(config->tls_key, &key, why));
    RG_TRY(rg_key_matches(key, certificate, why));
    RG_TRY(read_trust(config, &link->trust, why));
    link->certificate = certificate;
    link->key = key;
    return rg_sandbox_enter(&(struct rg_sandbox){.user = &config->user_link,
                                                 .no_new_tasks = true,
                                                 .shares = config->user_link.set,
                                                 .parent = parent},
                            why);
}

/* Everything it owns lives as long as the process. */
static int run_link(const struct main_state *state, int courier_fd, pid_t parent)
{
    const struct rg_config *config = &state->config;
    struct rg_config_path folder = rg_config_link_folder(config);
    struct rg_reason why = {0};
    struct rg_run_link_options link = {
        .country = config->country,
        .listen_fd = state->listen_fd,
        .courier_fd = courier_fd,
        .socket_folder = folder.text,
        .dial = config->dial,
        .dial_ms_min = (int)config->limits.dial_ms_min,
        .dial_ms_max = (int)config->limits.dial_ms_max,
        .hello_ms_max = (int)config->limits.hello_ms_max,
        .sessions_max = config->limits.sessions_max,
        .sessions_per_address = config->limits.sessions_per_address,
        .sessions_per_principal = config->limits.sessions_per_principal,
    };
    rg_event_open("link");
    rg_outcome outcome = prepare_link(config, parent, &link, &why);
    return rg_is_ok(outcome) ? rg_run_link(&link)
                             : child_failed(RG_EVENT_LINK_FAILED, outcome, &why);
}

/* "referral/th/1": the charter's log origin and the epoch. */
static rg_outcome find_origin(const struct rg_config *config, uint64_t epoch,
                              char out[RG_ORIGIN_BYTES], struct rg_reason *why)
{
    struct rg_trust *trust = NULL;
    rg_outcome outcome = read_trust(config, &trust, why);
    const struct rg_country *country =
        rg_is_ok(outcome) ? rg_trust_country(trust, config->country) : NULL;
    int n = country == NULL
                ? 0
                : snprintf(out, RG_ORIGIN_BYTES, "%s/%" PRIu64, country->log_origin, epoch);
    rg_trust_free(trust);
    RG_TRY(outcome);
    RG_CHECK(n > 0 && n < RG_ORIGIN_BYTES, why, RG_DENIED, "charter-missing",
             "no charter in the trust folder that names this country; see `check`");
    return rg_ok();
}

/* The highest epoch that has a state; 0: none has. */
static uint64_t find_epoch(const struct rg_config *config)
{
    uint64_t found = 0;
    for (uint64_t epoch = 1; epoch <= EPOCHS_MAX && epoch <= found + 2; epoch++) {
        if (access(rg_config_notary_state_path(config, epoch).text, F_OK) == 0) {
            found = epoch;
        }
    }
    return found;
}

static rg_outcome prepare_notary(const struct main_state *state, pid_t parent,
                                 struct rg_run_notary_options *notary, struct rg_reason *why)
{
    const struct rg_config *config = &state->config;
    struct rg_key *key = NULL;
    RG_TRY(rg_key_read(config->log_key, &key, why));
    notary->key = key;
    notary->state_fd = open(notary->state_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    RG_CHECK(notary->state_fd >= 0, why, RG_IO, "notary-state-unreadable", "cannot open %s: %s",
             notary->state_path, strerror(errno));
    return rg_sandbox_enter(&(struct rg_sandbox){.user = &config->user_notary,
                                                 .shares = config->user_notary.set,
                                                 .parent = parent},
                            why);
}

static int run_notary(const struct main_state *state, int life_fd, pid_t parent)
{
    const struct rg_config *config = &state->config;
    struct rg_config_path path = rg_config_notary_state_path(config, state->epoch);
    struct rg_config_path socket_path = rg_config_notary_socket(config);
    struct rg_reason why = {0};
    char origin[RG_ORIGIN_BYTES];
    struct rg_run_notary_options notary = {.socket_path = socket_path.text,
                                           .state_path = path.text,
                                           .state_fd = -1,
                                           .origin = origin,
                                           .init = state->notary_init,
                                           .parent_fd = life_fd};
    rg_event_open("notary");
    rg_outcome outcome = find_origin(config, state->epoch, origin, &why);
    if (rg_is_ok(outcome)) {
        outcome = prepare_notary(state, parent, &notary, &why);
    }
    return rg_is_ok(outcome) ? rg_run_notary(&notary)
                             : child_failed(RG_EVENT_NOTARY_FAILED, outcome, &why);
}

/* In the new process. `fd`: what connects it with another one. Does not come back. */
static _Noreturn void be_child(const struct main_state *state, int which, int fd, pid_t parent)
{
    const int keep[] = {fd, which == LINK ? state->listen_fd : -1};
    sigset_t none;
    int status = EXIT_SOFTWARE;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    keep_only(keep, 2);
    if (which == LINK) {
        status = run_link(state, fd, parent);
    }
    if (which == NOTARY) {
        status = run_notary(state, fd, parent);
    }
    if (which == COURIER) {
        status = rg_run_courier(&(struct rg_run_courier){.config = &state->config,
                                                         .log_epoch = state->epoch,
                                                         .control_fd = fd,
                                                         .parent = parent});
    }
    exit(status);
}

static rg_outcome pair(int type, int out[2], struct rg_reason *why)
{
    int size = ORDER_BYTES;
    RG_CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, out) == 0, why, RG_IO,
             "socketpair", "no socketpair: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        (void)setsockopt(out[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    }
    return rg_ok();
}

static rg_outcome renew_control(struct main_state *state, struct rg_reason *why)
{
    int fd[2];
    close_fd(&state->control_fd);
    close_fd(&state->courier_control_fd);
    RG_TRY(pair(SOCK_SEQPACKET, fd, why));
    state->control_fd = fd[0];
    state->courier_control_fd = fd[1];
    return rg_ok();
}

/* Hands the courier its end of the socketpair to a new link. */
static bool hand_over(const struct main_state *state, int fd)
{
    struct rg_control_link control = {.number = state->child[LINK].starts};
    struct iovec part = {.iov_base = &control, .iov_len = sizeof(control)};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } extra = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = extra.space,
                             .msg_controllen = sizeof(extra.space)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
    return sendmsg(state->control_fd, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(control);
}

static rg_outcome child_start(struct main_state *state, int which, int fd, struct rg_reason *why)
{
    struct child *child = &state->child[which];
    pid_t parent = getpid();
    pid_t pid = fork();
    RG_CHECK(pid >= 0, why, RG_AGAIN, "fork", "cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        be_child(state, which, fd, parent);
    }
    child->pid = pid;
    child->started_ms = mono_ms();
    child->planned = false;
    rg_event(RG_EVENT_PROCESS_STARTED, .name = child_name[which], .pid = pid,
             .count = ++child->starts);
    write_processes(state);
    return rg_ok();
}

static rg_outcome start_link(struct main_state *state, struct rg_reason *why)
{
    int fd[2];
    RG_TRY(pair(SOCK_SEQPACKET, fd, why));
    rg_outcome outcome = hand_over(state, fd[0])
                             ? child_start(state, LINK, fd[1], why)
                             : rg_fail(why, RG_AGAIN, "courier-busy", "cannot hand over a socket");
    (void)close(fd[0]);
    (void)close(fd[1]);
    return outcome;
}

static rg_outcome start_notary(struct main_state *state, struct rg_reason *why)
{
    (void)unlink(rg_config_notary_socket(&state->config).text);
    return child_start(state, NOTARY, state->notary_life_fd, why);
}

static rg_outcome start_courier(struct main_state *state, struct rg_reason *why)
{
    RG_TRY(child_start(state, COURIER, state->courier_control_fd, why));
    close_fd(&state->courier_control_fd);
    return rg_ok();
}

/* Starts what is due. A start that fails now is tried again a little later. */
static void start_due(struct main_state *state)
{
    static rg_outcome (*const start[CHILDREN])(struct main_state *, struct rg_reason *) = {
        start_notary, start_courier, start_link};
    for (int i = 0; i < CHILDREN && !state->stopping; i++) {
        struct child *child = &state->child[i];
        struct rg_reason why = {0};
        if (child->pid != 0 || child->start_at_ms > mono_ms()) {
            continue;
        }
        if (!rg_is_ok(start[i](state, &why))) {
            rg_event(RG_EVENT_PROCESS_DIED, .name = child_name[i], .status = -1);
            child->start_at_ms = mono_ms() + BACKOFF_MS_MIN;
        }
    }
}

static void signal_child(const struct main_state *state, int which, int signal_no)
{
    if (state->child[which].pid != 0) {
        (void)kill(state->child[which].pid, signal_no);
    }
}

static void stop(struct main_state *state, int status)
{
    if (state->stopping) {
        return;
    }
    state->stopping = true;
    state->status = status;
    state->stop_at_ms = mono_ms() + STOP_MS_MAX;
    set_ready(state, false, 0);
    signal_child(state, LINK, SIGTERM);
    signal_child(state, COURIER, SIGTERM);
    if (state->child[COURIER].pid == 0) {
        signal_child(state, NOTARY, SIGTERM);
    }
}

static void back_off(struct child *child)
{
    int64_t lived = mono_ms() - child->started_ms;
    child->quick_deaths = lived >= SETTLED_MS || child->planned ? 0 : child->quick_deaths + 1;
    unsigned doublings = child->quick_deaths < 2 ? 0 : child->quick_deaths - 2;
    int64_t wait =
        child->quick_deaths < 2 ? 0 : BACKOFF_MS_MIN << (doublings > 10 ? 10 : doublings);
    child->start_at_ms = mono_ms() + (wait > BACKOFF_MS_MAX ? BACKOFF_MS_MAX : wait);
}

static void child_died(struct main_state *state, int which, int wait_status)
{
    struct child *child = &state->child[which];
    int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
    bool follows = which == LINK && status == 0 && WIFEXITED(wait_status);
    bool expected = child->planned || state->stopping || follows;
    if (!expected) {
        rg_event(RG_EVENT_PROCESS_DIED, .name = child_name[which], .pid = child->pid,
                 .status = status,
                 .signal_no = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
                 .span_ms = mono_ms() - child->started_ms);
        (void)unsetenv("RG_CRASH_AT"); /* once is enough (gateway/crash) */
    }
    child->pid = 0;
    back_off(child);
    write_processes(state);
    if (which == COURIER) {
        state->told_ready = false;
        set_ready(state, false, 0);
        signal_child(state, state->stopping ? NOTARY : LINK, SIGTERM);
        state->child[LINK].planned = true;
        struct rg_reason why = {0};
        if (!rg_is_ok(renew_control(state, &why))) {
            stop(state, EXIT_SOFTWARE);
        }
    }
    if (!state->stopping && status == EXIT_CONFIG) {
        rg_event(RG_EVENT_PROCESS_GAVE_UP, .name = child_name[which], .status = status);
        stop(state, EXIT_CONFIG);
    }
}

static void reap(struct main_state *state)
{
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < CHILDREN; i++) {
            if (state->child[i].pid == pid) {
                child_died(state, i, status);
            }
        }
    }
}

/* --- signals and readiness --- */

static bool needs_restart(const struct rg_config *a, const struct rg_config *b)
{
    return strcmp(a->country, b->country) != 0 || strcmp(a->data, b->data) != 0 ||
           strcmp(a->runtime, b->runtime) != 0 || strcmp(a->listen_host, b->listen_host) != 0 ||
           a->listen_port != b->listen_port;
}

static void reload(struct main_state *state)
{
    struct rg_config config;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_config_read(state->config.file, &config, &why);
    if (rg_is_ok(outcome) && needs_restart(&config, &state->config)) {
        outcome = rg_fail(&why, RG_DENIED, "config-restart",
                          "country, listen, data and runtime change only with a restart");
    }
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_CONFIG_REFUSED, .path = state->config.file, .outcome = &why);
        return;
    }
    bool changed = memcmp(config.digest.b, state->config.digest.b, 32) != 0;
    state->config = config;
    rg_event(RG_EVENT_CONFIG_RELOADED, .path = config.file);
    if (!changed) {
        signal_child(state, COURIER, SIGHUP);
        return;
    }
    for (int i = 0; i < CHILDREN; i++) { /* link follows the courier */
        state->child[i].planned = true;
    }
    signal_child(state, COURIER, SIGTERM);
    signal_child(state, NOTARY, SIGTERM);
}

static void take_signals(struct main_state *state)
{
    struct signalfd_siginfo info;
    while (read(state->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP && !state->stopping) {
            reload(state);
        }
        if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
            stop(state, 0);
        }
    }
    reap(state);
}

static void take_control(struct main_state *state)
{
    struct rg_control_state told;
    while (recv(state->control_fd, &told, sizeof(told), 0) == (ssize_t)sizeof(told)) {
        if (told.ready != state->told_ready && !state->stopping) {
            state->told_ready = told.ready;
            set_ready(state, told.ready, told.port);
        }
    }
}

/* --- start and end --- */

static rg_outcome make_folders(const struct rg_config *config, struct rg_reason *why)
{
    const struct rg_config_user *courier = &config->user_courier;
    char path[RG_CONFIG_PATH_BYTES + 32];
    RG_TRY(rg_sandbox_folder(config->data, courier, NULL, why));
    (void)snprintf(path, sizeof(path), "%s/notary", config->data);
    RG_TRY(rg_sandbox_folder(path, &config->user_notary, NULL, why));
    RG_TRY(rg_sandbox_folder(config->runtime, NULL, NULL, why));
    RG_CHECK(!rg_sandbox_apart(config) || chmod(config->runtime, 0711) == 0, why, RG_IO,
             "folder-unusable", "cannot set the mode of %s", config->runtime);
    (void)snprintf(path, sizeof(path), "%s/link", config->runtime);
    RG_TRY(rg_sandbox_folder(path, &config->user_link, courier, why));
    (void)snprintf(path, sizeof(path), "%s/notary", config->runtime);
    RG_TRY(rg_sandbox_folder(path, &config->user_notary, courier, why));
    (void)snprintf(path, sizeof(path), "%s/courier", config->runtime);
    return rg_sandbox_folder(path, courier, NULL, why);
}

/* One gateway per data folder. */
static rg_outcome lock_data(const struct rg_config *config, int *fd_out, struct rg_reason *why)
{
    char path[RG_CONFIG_PATH_BYTES + 32];
    (void)snprintf(path, sizeof(path), "%s/lock", config->data);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    RG_CHECK(fd >= 0, why, RG_IO, "data-unusable", "cannot open %s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return rg_fail(why, RG_IO, "data-locked", "a gateway runs on %s", config->data);
    }
    *fd_out = fd;
    return rg_ok();
}

static rg_outcome new_epoch(const struct rg_config *config, uint64_t epoch, struct rg_reason *why)
{
    struct rg_config_path path = rg_config_notary_state_path(config, epoch);
    char origin[RG_ORIGIN_BYTES];
    RG_TRY(find_origin(config, epoch, origin, why));
    int fd = open(path.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    RG_CHECK(fd >= 0, why, RG_IO, "notary-state-unreadable", "cannot make %s: %s", path.text,
             strerror(errno));
    rg_outcome outcome = rg_notary_init(fd, origin, why);
    (void)close(fd);
    return outcome;
}

/* The mark first: a new state without it would be an epoch that does not say what it follows. */
static rg_outcome mark_epoch(const struct rg_config *config, uint64_t old, struct rg_reason *why)
{
    RG_OWNED_KEY *key = NULL;
    char origin[RG_ORIGIN_BYTES];
    struct rg_config_path store = rg_config_store_path(config);
    struct rg_config_path state = rg_config_notary_state_path(config, old);
    RG_TRY(find_origin(config, old, origin, why));
    RG_TRY(rg_key_read(config->log_key, &key, why));
    const struct rg_epoch_mark mark = {.store_path = store.text,
                                       .state_path = state.text,
                                       .origin = origin,
                                       .key = key,
                                       .now = wall_now()};
    return rg_epoch_mark(&mark, why);
}

rg_outcome rg_supervise_epoch(const struct rg_config *config, uint64_t *epoch_out,
                              struct rg_reason *why)
{
    int lock_fd = -1;
    uint64_t old = find_epoch(config);
    RG_CHECK(access(rg_config_store_path(config).text, F_OK) == 0, why, RG_DENIED, "epoch-first",
             "there is no log here yet: `run` starts the first epoch");
    RG_TRY(lock_data(config, &lock_fd, why));
    old = old == 0 ? 1 : old; /* the state of the first was lost */
    rg_outcome outcome = mark_epoch(config, old, why);
    if (rg_is_ok(outcome)) {
        outcome = new_epoch(config, old + 1, why);
    }
    (void)close(lock_fd);
    RG_TRY(outcome);
    *epoch_out = old + 1;
    return rg_ok();
}

static rg_outcome open_signals(struct main_state *state, struct rg_reason *why)
{
    static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        (void)sigaddset(&set, signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    state->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    RG_CHECK(state->signal_fd >= 0, why, RG_IO, "signal-fd", "no signal descriptor: %s",
             strerror(errno));
    return rg_ok();
}

/* After a kill -9 of all, the old link may hold the port for a moment longer than we took to start.
 */
static rg_outcome open_port(struct main_state *state, struct rg_reason *why)
{
    const struct rg_config *config = &state->config;
    int64_t until = mono_ms() + LISTEN_MS_MAX;
    uint16_t port = 0;
    for (;;) {
        rg_outcome outcome =
            rg_tcp_listen(config->listen_host, config->listen_port, &state->listen_fd, &port, why);
        if (outcome.code == RG_AGAIN && mono_ms() >= until) {
            return (rg_outcome){.code = RG_IO};
        }
        if (outcome.code != RG_AGAIN) {
            return outcome;
        }
        (void)poll(NULL, 0, LISTEN_RETRY_MS);
    }
}

static rg_outcome open_all(struct main_state *state, struct rg_reason *why)
{
    const struct rg_config *config = &state->config;
    const struct rlimit no_core = {0};
    int life[2];
    (void)setrlimit(RLIMIT_CORE, &no_core);
    RG_TRY(make_folders(config, why));
    RG_TRY(lock_data(config, &state->lock_fd, why));
    state->notary_init = access(rg_config_store_path(config).text, F_OK) != 0;
    state->epoch = find_epoch(config);
    state->epoch = state->epoch == 0 ? 1 : state->epoch;
    RG_TRY(open_port(state, why));
    RG_TRY(open_signals(state, why));
    RG_TRY(renew_control(state, why));
    RG_CHECK(pipe2(life, O_CLOEXEC) == 0, why, RG_IO, "pipe", "no pipe: %s", strerror(errno));
    state->notary_life_fd = life[0];
    state->life_fd = life[1];
    return rg_ok();
}

static bool any_alive(const struct main_state *state)
{
    return state->child[NOTARY].pid != 0 || state->child[COURIER].pid != 0 ||
           state->child[LINK].pid != 0;
}

static int64_t next_due(const struct main_state *state)
{
    int64_t due = mono_ms() + 60000;
    if (state->stopping) {
        return state->stop_at_ms;
    }
    for (int i = 0; i < CHILDREN; i++) {
        if (state->child[i].pid == 0 && state->child[i].start_at_ms < due) {
            due = state->child[i].start_at_ms;
        }
    }
    return due;
}

static void turn(struct main_state *state)
{
    struct pollfd poll_fd[] = {{.fd = state->signal_fd, .events = POLLIN},
                               {.fd = state->control_fd, .events = POLLIN}};
    int64_t wait = next_due(state) - mono_ms();
    (void)poll(poll_fd, 2, wait < 0 ? 0 : (int)wait);
    take_control(state);
    take_signals(state);
    if (state->stopping && mono_ms() >= state->stop_at_ms) {
        for (int i = 0; i < CHILDREN; i++) {
            signal_child(state, i, SIGKILL);
        }
        state->stop_at_ms = mono_ms() + STOP_MS_MAX;
    }
    start_due(state);
}

static void close_all(struct main_state *state)
{
    (void)unlink(runtime_file(&state->config, "processes").text);
    int *const fds[] = {&state->signal_fd,  &state->listen_fd,         &state->lock_fd,
                        &state->ready_fd,   &state->life_fd,           &state->notary_life_fd,
                        &state->control_fd, &state->courier_control_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        close_fd(fds[i]);
    }
}

int rg_supervise(const struct rg_config *config, const struct rg_supervise *options)
{
    static struct main_state state; /* large; one per process */
    struct rg_reason why = {0};
    state = (struct main_state){.config = *config,
                                .signal_fd = -1,
                                .listen_fd = -1,
                                .lock_fd = -1,
                                .ready_fd = options->ready_fd,
                                .control_fd = -1,
                                .courier_control_fd = -1,
                                .life_fd = -1,
                                .notary_life_fd = -1,
                                .began_ms = mono_ms()};
    rg_event_open("main");
    rg_event(RG_EVENT_GATEWAY_STARTING, .country = config->country, .path = config->file,
             .pid = getpid());
    if (!rg_sandbox_apart(config)) {
        rg_event(RG_EVENT_SEPARATION_OFF);
    }
    rg_outcome outcome = open_all(&state, &why);
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_GATEWAY_FAILED, .outcome = &why);
        close_fd(&state.lock_fd);
        return outcome.code == RG_DENIED || outcome.code == RG_MALFORMED ? EXIT_CONFIG
                                                                         : EXIT_SOFTWARE;
    }
    set_ready(&state, false, 0);
    start_due(&state);
    while (!state.stopping || any_alive(&state)) {
        turn(&state);
    }
    rg_event(RG_EVENT_GATEWAY_STOPPED, .country = config->country, .status = state.status);
    close_all(&state);
    return state.status;
}

rg_outcome rg_processes_read(const struct rg_config *config, struct rg_process *out, size_t max,
                             size_t *count_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {0};
    struct rg_config_path path = runtime_file(config, "processes");
    size_t n = 0;
    RG_CHECK(rg_is_ok(rg_file_read(path.text, 4096, &text, NULL)) &&
                 rg_is_ok(rg_buffer_append(&text, rg_bytes_of("", 1), NULL)),
             why, RG_IO, "gateway-away", "no gateway runs: there is no %s", path.text);
    for (const char *line = (const char *)text.data; *line != '\0' && n < max;) {
        if (sscanf(line, "%15s %" SCNd64, out[n].name, &out[n].pid) == 2) {
            n++;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    *count_out = n;
    return rg_ok();
}
