/* How it works: the view is made when somebody asks, so an idle gateway writes nothing. The answer
 * is at most a few KiB and goes out in one non-blocking send; a client that does not read cannot
 * hold the courier up. All strings in the view are names of ours that need no escaping in JSON
 * (countries, origins, reason ids); `plain` asserts it. */
#include "gateway/ops.h"

#include "core/digest.h"
#include "core/tlog.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (64 * RG_KIB)
#define ASKERS_MAX 8 /* per turn */

/* Safe between quotes in JSON as it is. */
static const char *plain(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        RG_ASSERT(*at >= ' ' && *at <= '~' && *at != '"' && *at != '\\');
    }
    return text;
}

void rg_ops_problem(struct rg_ops_view *view, const struct rg_ops_problem *problem)
{
    if (view->problem_count < RG_OPS_PROBLEMS_MAX) {
        view->problem[view->problem_count++] = *problem;
    }
}

const char *rg_ops_health(const struct rg_ops_view *view)
{
    for (size_t i = 0; i < view->problem_count; i++) {
        if (view->problem[i].failing) {
            return "failing";
        }
    }
    return view->problem_count > 0 ? "degraded" : "ok";
}

static rg_outcome text_peers(const struct rg_ops_view *view, struct rg_buffer *out,
                             struct rg_reason *why)
{
    const struct rg_courier_status *courier = &view->courier;
    for (size_t i = 0; i < courier->peer_count; i++) {
        const struct rg_courier_peer_status *peer = &courier->peer[i];
        RG_TRY(rg_buffer_print(out, why, "peer %-8s %-12s waiting %-8" PRIu64 " log %" PRIu64,
                               peer->country, peer->connected ? "connected" : "away", peer->waiting,
                               peer->head_size));
        if (peer->epoch > 1) {
            RG_TRY(rg_buffer_print(out, why, ", begun anew: epoch %" PRIu64, peer->epoch));
        }
        RG_TRY(rg_buffer_append_text(out, "\n", why));
    }
    return rg_ok();
}

static rg_outcome text_problems(const struct rg_ops_view *view, struct rg_buffer *out,
                                struct rg_reason *why)
{
    for (size_t i = 0; i < view->problem_count; i++) {
        const struct rg_ops_problem *problem = &view->problem[i];
        RG_TRY(rg_buffer_print(out, why, "problem    %s%s%s: %s\n", problem->id,
                               problem->about[0] == '\0' ? "" : " ", problem->about,
                               problem->what_next));
    }
    return rg_ok();
}

rg_outcome rg_ops_text(const struct rg_ops_view *view, struct rg_buffer *out, struct rg_reason *why)
{
    const struct rg_courier_status *courier = &view->courier;
    RG_TRY(rg_buffer_print(out, why, "gateway    %s%s, %s, up %" PRId64 " s\n", view->country,
                           view->exercise ? " (exercise)" : "", view->ready ? "ready" : "not ready",
                           view->uptime_ms / 1000));
    RG_TRY(rg_buffer_print(out, why, "health     %s\n", rg_ops_health(view)));
    RG_TRY(text_problems(view, out, why));
    RG_TRY(rg_buffer_print(out, why, "separation %s\n",
                           view->apart ? "on: three users"
                                       : "off: link, courier and notary are one user"));
    RG_TRY(rg_buffer_print(out, why, "port       %u\n", view->port));
    RG_TRY(rg_buffer_print(out, why, "sessions   %zu (%zu of own offices)\n", courier->sessions,
                           courier->clients));
    RG_TRY(rg_buffer_print(out, why, "log        %s, %" PRIu64 " entries, %" PRIu64 " signed\n",
                           courier->head.origin[0] == '\0' ? "-" : courier->head.origin,
                           courier->log_size, courier->head_size));
    if (courier->forks > 0) {
        RG_TRY(rg_buffer_print(out, why, "forks      %" PRIu64 ": see `log --forks`\n",
                               courier->forks));
    }
    RG_TRY(rg_buffer_print(out, why,
                           "store      %" PRIu64 " messages, %" PRIu64 " with content, %" PRIu64
                           " in mailboxes, %" PRIu64 " waiting for a partner, %" PRIu64 " KiB\n",
                           view->store.messages, view->store.bodies, view->store.mail,
                           view->store.outbox, view->store.file_bytes / RG_KIB));
    RG_TRY(rg_buffer_print(
        out, why,
        "since start  accepted %" PRIu64 "  received %" PRIu64 "  refused %" PRIu64
        "  verified %" PRIu64 "  collected %" PRIu64 "  not now %" PRIu64 "  faults %" PRIu64 "\n",
        courier->accepted, courier->received, courier->refused, courier->verified,
        courier->collected, courier->not_now, courier->faults));
    return text_peers(view, out, why);
}

static rg_outcome json_peers(const struct rg_ops_view *view, struct rg_buffer *out,
                             struct rg_reason *why)
{
    const struct rg_courier_status *courier = &view->courier;
    RG_TRY(rg_buffer_append_text(out, "\"peers\":[", why));
    for (size_t i = 0; i < courier->peer_count; i++) {
        const struct rg_courier_peer_status *peer = &courier->peer[i];
        RG_TRY(rg_buffer_print(out, why,
                               "%s{\"country\":\"%s\",\"connected\":%s,\"waiting\":%" PRIu64
                               ",\"in_flight_bytes\":%" PRIu64 ",\"window_bytes\":%" PRIu64
                               ",\"head_size\":%" PRIu64 ",\"epoch\":%" PRIu64 "}",
                               i == 0 ? "" : ",", plain(peer->country),
                               peer->connected ? "true" : "false", peer->waiting,
                               peer->in_flight_bytes, peer->window_bytes, peer->head_size,
                               peer->epoch));
    }
    return rg_buffer_append_text(out, "]", why);
}

static rg_outcome json_problems(const struct rg_ops_view *view, struct rg_buffer *out,
                                struct rg_reason *why)
{
    RG_TRY(rg_buffer_append_text(out, "\"problems\":[", why));
    for (size_t i = 0; i < view->problem_count; i++) {
        const struct rg_ops_problem *problem = &view->problem[i];
        RG_TRY(rg_buffer_print(out, why, "%s{\"id\":\"%s\",\"about\":\"%s\",\"what_next\":\"%s\"}",
                               i == 0 ? "" : ",", plain(problem->id), plain(problem->about),
                               plain(problem->what_next)));
    }
    return rg_buffer_append_text(out, "]", why);
}

static rg_outcome json_log(const struct rg_ops_view *view, struct rg_buffer *out,
                           struct rg_reason *why)
{
    const struct rg_courier_status *courier = &view->courier;
    char root[65];
    rg_hex(rg_bytes_of(courier->head.root.b, 32), root);
    return rg_buffer_print(out, why,
                           "\"log\":{\"origin\":\"%s\",\"size\":%" PRIu64 ",\"signed\":%" PRIu64
                           ",\"root\":\"%s\",\"forks\":%" PRIu64 "}",
                           plain(courier->head.origin), courier->log_size, courier->head_size, root,
                           courier->forks);
}

static rg_outcome json_counts(const struct rg_ops_view *view, struct rg_buffer *out,
                              struct rg_reason *why)
{
    const struct rg_courier_status *courier = &view->courier;
    const struct rg_store_counts *store = &view->store;
    RG_TRY(rg_buffer_print(out, why,
                           "\"store\":{\"messages\":%" PRIu64 ",\"bodies\":%" PRIu64
                           ",\"leaves\":%" PRIu64 ",\"outbox\":%" PRIu64 ",\"mail\":%" PRIu64
                           ",\"file_bytes\":%" PRIu64 "},",
                           store->messages, store->bodies, store->leaves, store->outbox,
                           store->mail, store->file_bytes));
    return rg_buffer_print(
        out, why,
        "\"since_start\":{\"accepted\":%" PRIu64 ",\"received\":%" PRIu64 ",\"refused\":%" PRIu64
        ",\"verified\":%" PRIu64 ",\"collected\":%" PRIu64 ",\"not_now\":%" PRIu64
        ",\"faults\":%" PRIu64 "}",
        courier->accepted, courier->received, courier->refused, courier->verified,
        courier->collected, courier->not_now, courier->faults);
}

rg_outcome rg_ops_json(const struct rg_ops_view *view, struct rg_buffer *out, struct rg_reason *why)
{
    RG_TRY(rg_buffer_print(
        out, why,
        "{\"country\":\"%s\",\"exercise\":%s,\"ready\":%s,\"health\":\"%s\","
        "\"separation\":%s,\"port\":%u,\"uptime_ms\":%" PRId64 ",\"sessions\":%zu,\"clients\":%zu,",
        plain(view->country), view->exercise ? "true" : "false", view->ready ? "true" : "false",
        rg_ops_health(view), view->apart ? "true" : "false", view->port, view->uptime_ms,
        view->courier.sessions, view->courier.clients));
    RG_TRY(json_problems(view, out, why));
    RG_TRY(rg_buffer_append_text(out, ",", why));
    RG_TRY(json_log(view, out, why));
    RG_TRY(rg_buffer_append_text(out, ",", why));
    RG_TRY(json_peers(view, out, why));
    RG_TRY(rg_buffer_append_text(out, ",", why));
    RG_TRY(json_counts(view, out, why));
    return rg_buffer_append_text(out, "}", why);
}

static rg_outcome address(const char *path, struct sockaddr_un *out, struct rg_reason *why)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    RG_CHECK(strlen(path) < sizeof(out->sun_path), why, RG_IO, "ops-socket",
             "the path of the status socket is too long");
    memcpy(out->sun_path, path, strlen(path) + 1);
    return rg_ok();
}

rg_outcome rg_ops_listen(const char *path, int *fd_out, struct rg_reason *why)
{
    struct sockaddr_un to;
    RG_TRY(address(path, &to, why));
    (void)unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    RG_CHECK(fd >= 0, why, RG_IO, "ops-socket", "no socket: %s", strerror(errno));
    if (bind(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 || chmod(path, 0600) != 0 ||
        listen(fd, ASKERS_MAX) != 0) {
        rg_outcome outcome =
            rg_fail(why, RG_IO, "ops-socket", "cannot listen on %s: %s", path, strerror(errno));
        (void)close(fd);
        return outcome;
    }
    *fd_out = fd;
    return rg_ok();
}

static rg_outcome checkpoint(const struct rg_ops_view *view, struct rg_buffer *out)
{
    if (view->log_key == NULL || view->courier.head.origin[0] == '\0') {
        return rg_ok();
    }
    return rg_checkpoint_print(&view->courier.head, view->log_key, out, NULL);
}

static rg_outcome make_answer(const struct rg_ops_view *view, struct rg_buffer *out)
{
    RG_TRY(rg_ops_text(view, out, NULL));
    RG_TRY(rg_buffer_append(out, rg_bytes_of("", 1), NULL));
    RG_TRY(rg_ops_json(view, out, NULL));
    RG_TRY(rg_buffer_append(out, rg_bytes_of("", 1), NULL));
    return checkpoint(view, out);
}

void rg_ops_answer(int fd, const struct rg_ops_view *view)
{
    RG_OWNED_BUFFER answer = {.limit = ANSWER_BYTES_MAX};
    bool made = rg_is_ok(make_answer(view, &answer));
    for (int i = 0; i < ASKERS_MAX; i++) {
        int asker = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (asker < 0) {
            return;
        }
        ssize_t sent = made ? send(asker, answer.data, answer.len, MSG_NOSIGNAL) : 0;
        (void)sent; /* whoever does not read is not told */
        (void)close(asker);
    }
}

void rg_ops_answer_drop(struct rg_ops_answer *answer)
{
    for (size_t i = 0; i < RG_OPS_PARTS; i++) {
        rg_buffer_drop(&answer->part[i]);
    }
}

/* Reads to the end, at most `wait_ms` between two pieces. */
static rg_outcome read_all(int fd, int wait_ms, struct rg_buffer *out, struct rg_reason *why)
{
    char piece[4096];
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        RG_CHECK(poll(&ready, 1, wait_ms) == 1, why, RG_IO, "gateway-away",
                 "the gateway does not answer");
        ssize_t n = read(fd, piece, sizeof(piece));
        RG_CHECK(n >= 0, why, RG_IO, "gateway-away", "the gateway went away: %s", strerror(errno));
        if (n == 0) {
            return rg_ok();
        }
        RG_TRY(rg_buffer_append(out, rg_bytes_of(piece, (size_t)n), why));
    }
}

static void fd_cleanup(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

static rg_outcome split(struct rg_bytes all, struct rg_ops_answer *out, struct rg_reason *why)
{
    for (size_t i = 0; i < RG_OPS_PARTS; i++) {
        const uint8_t *end = all.len == 0 ? NULL : memchr(all.data, '\0', all.len);
        RG_CHECK(end != NULL || i + 1 == RG_OPS_PARTS, why, RG_IO, "gateway-away",
                 "the gateway's answer was cut off");
        size_t len = end == NULL ? all.len : (size_t)(end - all.data);
        RG_TRY(rg_buffer_append(&out->part[i], rg_bytes_of(all.data, len), why));
        all = end == NULL ? rg_bytes_of("", 0) : rg_bytes_of(end + 1, all.len - len - 1);
    }
    return rg_ok();
}

rg_outcome rg_ops_ask(const char *path, int wait_ms, struct rg_ops_answer *out,
                      struct rg_reason *why)
{
    struct sockaddr_un to;
    RG_OWNED_BUFFER all = {.limit = ANSWER_BYTES_MAX};
    RG_TRY(address(path, &to, why));
    RG_CLEANUP(fd_cleanup) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RG_CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0, why, RG_IO,
             "gateway-away", "no gateway answers on %s: %s", path, strerror(errno));
    RG_TRY(read_all(fd, wait_ms, &all, why));
    return split(rg_buffer_peek(&all), out, why);
}
