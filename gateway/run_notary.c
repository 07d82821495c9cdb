/*
 * How it works: one REP socket, one request at a time, no state but the notary's. A request is
 * answered before the next is taken, so the order append, persist, sign, answer is the order of
 * this loop. RG_BROKEN ends the process without an answer; the courier asks the next one.
 */
#include "gateway/run_notary.h"

#include "core/bus.h"
#include "gateway/crash.h"
#include "gateway/event.h"
#include "gateway/notary.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct process {
    const struct rg_run_notary_options *options;
    int state_fd;
    struct rg_notary *notary;
    struct rg_bus *bus;
    struct rg_socket *socket;
};

static void process_drop(struct process *process)
{
    rg_socket_free(process->socket);
    if (process->bus != NULL) {
        rg_bus_free(process->bus);
    }
    rg_notary_free(process->notary);
    if (process->options->state_fd < 0 && process->state_fd >= 0) {
        (void)close(process->state_fd);
    }
}

/* A file that was made must still be there after a power cut, or a log could start twice. */
static rg_outcome sync_folder(const char *path, struct rg_reason *why)
{
    char copy[4096];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = fd < 0 || fsync(fd) != 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    RG_CHECK(!failed, why, RG_IO, "notary-state-unreadable", "cannot sync the folder of the state");
    return rg_ok();
}

static rg_outcome open_file(struct process *process, struct rg_reason *why)
{
    const struct rg_run_notary_options *options = process->options;
    process->state_fd = options->state_fd;
    if (process->state_fd < 0) {
        process->state_fd =
            open(options->state_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        RG_CHECK(process->state_fd >= 0, why, RG_IO, "notary-state-unreadable",
                 "cannot open the state of the log: %s", strerror(errno));
        RG_TRY(sync_folder(options->state_path, why));
    }
    struct stat about;
    RG_CHECK(fstat(process->state_fd, &about) == 0, why, RG_IO, "notary-state-unreadable",
             "cannot look at the state of the log: %s", strerror(errno));
    return options->init && about.st_size == 0
               ? rg_notary_init(process->state_fd, options->origin, why)
               : rg_ok();
}

static rg_outcome start(struct process *process, struct rg_reason *why)
{
    RG_TRY(open_file(process, why));
    struct rg_notary_options options = {
        .fd = process->state_fd, .origin = process->options->origin, .key = process->options->key};
    RG_TRY(rg_notary_open(&options, &process->notary, why));
    RG_TRY(rg_bus_new(&process->bus, why));
    RG_TRY(rg_bus_answer_open(process->bus, process->options->socket_path, &process->socket, why));
    struct rg_hash root = rg_notary_root(process->notary);
    rg_event(RG_EVENT_NOTARY_READY, .size = rg_notary_size(process->notary), .hash = &root);
    if (rg_notary_refusal(process->notary) != NULL) {
        rg_event(RG_EVENT_NOTARY_REFUSED, .size = rg_notary_size(process->notary),
                 .reason = rg_notary_refusal(process->notary));
    }
    return rg_ok();
}

/* A notary that is behind is no alarm: the courier asks so on purpose when it starts. */
static void tell(const struct process *process, rg_outcome outcome, const struct rg_reason *why)
{
    if (outcome.code == RG_MALFORMED) {
        rg_event(RG_EVENT_PEER_PROCESS_GARBAGE, .name = "courier", .reason = why->id);
        return;
    }
    if (!rg_is_ok(outcome) && strcmp(why->id, "notary-behind") != 0) {
        rg_event(RG_EVENT_NOTARY_REFUSED, .size = rg_notary_size(process->notary),
                 .reason = why->id);
    }
}

/* All that has arrived. RG_AGAIN: nothing more. */
static rg_outcome serve_one(struct process *process, struct rg_reason *why)
{
    RG_OWNED_BUFFER request = {0};
    RG_OWNED_BUFFER answer = {0};
    rg_outcome taken = rg_bus_take(process->socket, &request, why);
    if (taken.code == RG_AGAIN || taken.code == RG_BROKEN) {
        return taken;
    }
    /* A request of several parts is garbage: handled as one that cannot be decoded. */
    rg_outcome outcome = rg_notary_handle(process->notary, rg_buffer_peek(&request), &answer, why);
    if (outcome.code == RG_BROKEN) {
        return outcome;
    }
    tell(process, outcome, why);
    rg_crash_point("answer");
    return rg_bus_answer(process->socket, rg_buffer_peek(&answer), why);
}

static rg_outcome serve_until_gone(struct process *process, struct rg_reason *why)
{
    struct rg_bus_item item[] = {{.socket = process->socket}, {.fd = process->options->parent_fd}};
    size_t count = process->options->parent_fd >= 0 ? 2 : 1;
    for (;;) {
        RG_TRY(rg_bus_wait(process->bus, item, count, -1, why));
        if (count == 2 && item[1].ready) {
            return rg_ok();
        }
        rg_outcome outcome = rg_ok();
        while (rg_is_ok(outcome)) {
            outcome = serve_one(process, why);
        }
        if (outcome.code != RG_AGAIN) {
            return outcome;
        }
    }
}

int rg_run_notary(const struct rg_run_notary_options *options)
{
    RG_CLEANUP(process_drop) struct process process = {.options = options, .state_fd = -1};
    struct rg_reason why = {0};
    rg_event_open("notary");
    rg_outcome outcome = start(&process, &why);
    if (rg_is_ok(outcome)) {
        outcome = serve_until_gone(&process, &why);
    }
    if (!rg_is_ok(outcome)) {
        rg_event(RG_EVENT_NOTARY_FAILED, .reason = why.id);
        return 1;
    }
    return 0;
}
