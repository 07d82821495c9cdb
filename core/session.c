/*
 * How it works: this is the set of sessions: who may have one, and the callbacks' side of each.
 * What one session does is core/session_relay. Invariants: ids only grow; a certificate is kept
 * with its session, to be judged again; a limit is looked at before anything is spent on a peer,
 * and the one of its principal as soon as the principal is known, inside the handshake.
 */
#include "core/session.h"

#include "core/digest.h"
#include "core/limits.h"
#include "core/session_relay.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ACCEPTS_MAX 16
#define FORGIVE_MS 1000
#define ACCEPT_PAUSE_MS 500 /* out of descriptors: an accept now would fail again */

/* ---- judging ---- */

/* Accepted sessions of this principal. One that is still shaking hands has shown a certificate, as
 * anybody can, but not yet that it holds the key: it may not use up another's places. */
static size_t count_principal(const struct rg_sessions *sessions, const char *principal)
{
    size_t count = 0;
    const struct rg_session *session = NULL;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        bool proven = session->state != SESSION_SHAKING && session->state != SESSION_DRAINING;
        count += !session->dialled && proven && strcmp(session->principal.text, principal) == 0;
    }
    return count;
}

bool rg_session_has_place(const struct rg_session *session, const char *principal)
{
    return session->dialled || count_principal(session->sessions, principal) <
                                   session->sessions->options.sessions_per_principal;
}

/* Who is it, as the certificate claims: only for the line about its refusal. */
static void claim_note(struct rg_session *session, struct rg_bytes der)
{
    RG_OWNED_CERTIFICATE *certificate = NULL;
    if (rg_is_ok(rg_certificate_parse(der, &certificate, NULL)) &&
        rg_certificate_principal(certificate) != NULL) {
        session->principal = *rg_certificate_principal(certificate);
    }
}

static rg_outcome judge_session(void *owner, struct rg_bytes der, struct rg_reason *why)
{
    struct rg_session *session = owner;
    const struct rg_sessions_options *options = &session->sessions->options;
    struct rg_principal principal = {0};
    rg_outcome outcome = options->judge(options->context, der, &principal, why);
    if (!rg_is_ok(outcome)) {
        claim_note(session, der);
        return outcome;
    }
    RG_CHECK(session->expected[0] == '\0' || strcmp(session->expected, principal.text) == 0, why,
             RG_DENIED, "peer-not-expected", "another than the expected gateway answered");
    RG_CHECK(rg_session_has_place(session, principal.text), why, RG_LIMIT, "session-limit",
             "this principal has %zu sessions already", options->sessions_per_principal);
    session->principal = principal;
    return rg_buffer_append(&session->certificate, der, why);
}

void rg_sessions_judge_again(struct rg_sessions *sessions)
{
    struct rg_session *session = TAILQ_FIRST(&sessions->live);
    while (session != NULL) {
        struct rg_session *next = TAILQ_NEXT(session, link);
        struct rg_principal principal = {0};
        struct rg_reason why = {0};
        bool judged = session->certificate.len > 0 && session->state != SESSION_DRAINING;
        if (judged && !rg_is_ok(sessions->options.judge(sessions->options.context,
                                                        rg_buffer_peek(&session->certificate),
                                                        &principal, &why))) {
            rg_session_fail(session, &why);
        }
        session = next;
    }
}

/* ---- accepting ---- */

static size_t count_address(const struct rg_sessions *sessions, const char *address)
{
    size_t count = 0;
    const struct rg_session *session = NULL;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        count += !session->dialled && strcmp(session->address, address) == 0;
    }
    return count;
}

static int64_t mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void forgive(struct blame *blame, int64_t now_ms)
{
    size_t forgiven = (size_t)((now_ms - blame->since_ms) / FORGIVE_MS);
    blame->since_ms += (int64_t)forgiven * FORGIVE_MS;
    blame->count -= forgiven < blame->count ? forgiven : blame->count;
}

/* The row of this address; else the one with the least blame. */
static struct blame *blame_of(struct rg_sessions *sessions, const char *address)
{
    struct blame *least = &sessions->blame[0];
    int64_t now_ms = mono_ms();
    for (size_t i = 0; i < BLAMED_MAX; i++) {
        struct blame *blame = &sessions->blame[i];
        forgive(blame, now_ms);
        if (strcmp(blame->address, address) == 0) {
            return blame;
        }
        least = blame->count < least->count ? blame : least;
    }
    return least;
}

void rg_session_blame(const struct rg_session *session)
{
    if (session->dialled) {
        return;
    }
    struct blame *blame = blame_of(session->sessions, session->address);
    if (strcmp(blame->address, session->address) != 0) {
        blame->count = 0;
        memcpy(blame->address, session->address, sizeof(blame->address));
    }
    blame->count++;
}

static bool is_slowed(struct rg_sessions *sessions, const char *address)
{
    const struct blame *blame = blame_of(sessions, address);
    return strcmp(blame->address, address) == 0 &&
           blame->count >= sessions->options.refusals_per_address;
}

/* One place in eight is kept for our own dials, so that strangers cannot cut us off. */
static bool within_limits(struct rg_sessions *sessions, const char *address)
{
    const struct rg_sessions_options *options = &sessions->options;
    bool slowed = is_slowed(sessions, address);
    if (!slowed && sessions->count < options->sessions_max - options->sessions_max / 8 &&
        count_address(sessions, address) < options->sessions_per_address) {
        return true;
    }
    struct rg_reason why;
    (void)rg_fail(&why, RG_LIMIT, slowed ? "address-slowed" : "session-limit",
                  slowed ? "refused too often from there"
                         : "too many sessions, from there or in all");
    options->refused(options->context, false, address, &why);
    return false;
}

static void accepted(struct rg_sessions *sessions, int fd, const struct rg_tcp_address *from)
{
    char address[INET6_ADDRSTRLEN] = "";
    (void)getnameinfo((const struct sockaddr *)&from->storage, from->len, address, sizeof(address),
                      NULL, 0, NI_NUMERICHOST);
    struct rg_session *session =
        within_limits(sessions, address) ? rg_session_new(sessions, false) : NULL;
    if (session == NULL) {
        (void)close(fd);
        return;
    }
    memcpy(session->address, address, sizeof(address));
    rg_session_accepted(session, fd);
}

static void accept_event(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    struct listener *listener = context;
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct rg_tcp_address from = {.len = sizeof(from.storage)};
        int peer =
            accept4(fd, (struct sockaddr *)&from.storage, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (peer >= 0) {
            accepted(listener->sessions, peer, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000L};
            event_want(listener->event, false);
            (void)evtimer_add(listener->sessions->resume, &pause);
        }
        return;
    }
}

void rg_sessions_pause(struct rg_sessions *sessions, bool paused)
{
    sessions->paused = paused;
    for (size_t i = 0; i < sessions->listener_count; i++) {
        event_want(sessions->listener[i].event, !paused);
    }
}

static void resume_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct rg_sessions *sessions = context;
    rg_sessions_pause(sessions, sessions->paused);
}

rg_outcome rg_sessions_listen(struct rg_sessions *sessions, int fd, struct rg_reason *why)
{
    struct listener *listener = &sessions->listener[sessions->listener_count];
    if (sessions->listener_count == LISTENERS_MAX) {
        (void)close(fd);
        return rg_fail(why, RG_LIMIT, "listeners", "at most %d listening sockets", LISTENERS_MAX);
    }
    listener->sessions = sessions;
    listener->event = event_new(sessions->base, fd, EV_READ | EV_PERSIST, accept_event, listener);
    if (listener->event == NULL || event_add(listener->event, NULL) != 0) {
        event_drop(&listener->event);
        (void)close(fd);
        return rg_fail(why, RG_IO, "out-of-memory", "no memory for a listener");
    }
    listener->fd = fd;
    sessions->listener_count++;
    return rg_ok();
}

/* ---- dialing ---- */

rg_outcome rg_sessions_dial(struct rg_sessions *sessions, const char *host, uint16_t port,
                            const char *expected, struct rg_reason *why)
{
    struct rg_tcp_addresses addresses;
    RG_CHECK(sessions->count < sessions->options.sessions_max, why, RG_LIMIT, "session-limit",
             "%zu sessions already", sessions->count);
    RG_CHECK(expected == NULL || strlen(expected) < RG_PRINCIPAL_BYTES, why, RG_LIMIT,
             "principal-form", "the expected principal is too long");
    RG_TRY(rg_tcp_resolve(host, port, &addresses, why));
    struct rg_session *session = rg_session_new(sessions, true);
    RG_CHECK(session != NULL, why, RG_IO, "out-of-memory", "no memory for a session");
    session->dial = addresses;
    (void)snprintf(session->expected, sizeof(session->expected), "%s",
                   expected != NULL ? expected : "");
    rg_outcome outcome = rg_session_dial(session, why);
    if (!rg_is_ok(outcome)) {
        rg_session_bury(session);
    }
    return outcome;
}

/* ---- the whole ---- */

static void reap_event(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    rg_session_reap(context);
}

static void options_default(struct rg_sessions_options *options)
{
    options->sessions_max = options->sessions_max != 0 ? options->sessions_max : 256;
    options->sessions_per_address =
        options->sessions_per_address != 0 ? options->sessions_per_address : 32;
    options->sessions_per_principal =
        options->sessions_per_principal != 0 ? options->sessions_per_principal : 8;
    options->refusals_per_address =
        options->refusals_per_address != 0 ? options->refusals_per_address : 64;
    options->hello_ms_max =
        options->hello_ms_max != 0 ? options->hello_ms_max : RG_LINK_HELLO_MS_MAX;
}

rg_outcome rg_sessions_new(struct rg_loop *loop, const struct rg_sessions_options *options,
                           struct rg_sessions **out, struct rg_reason *why)
{
    struct rg_sessions *sessions = calloc(1, sizeof(*sessions));
    RG_CHECK(sessions != NULL, why, RG_IO, "out-of-memory", "no memory for sessions");
    TAILQ_INIT(&sessions->live);
    TAILQ_INIT(&sessions->dead);
    sessions->options = *options;
    options_default(&sessions->options);
    (void)snprintf(sessions->folder, sizeof(sessions->folder), "%s", options->socket_folder);
    sessions->base = rg_loop_base(loop);
    rg_random(sessions->start, sizeof(sessions->start));
    sessions->reaper = evtimer_new(sessions->base, reap_event, sessions);
    sessions->resume = evtimer_new(sessions->base, resume_event, sessions);
    rg_outcome outcome = sessions->reaper == NULL || sessions->resume == NULL
                             ? rg_fail(why, RG_IO, "out-of-memory", "no memory for sessions")
                             : rg_tls_context_new(options->certificate, options->key, judge_session,
                                                  &sessions->tls, why);
    if (!rg_is_ok(outcome)) {
        rg_sessions_free(sessions);
        return outcome;
    }
    *out = sessions;
    return rg_ok();
}

void rg_sessions_free(struct rg_sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&sessions->live)) {
        rg_session_bury(TAILQ_FIRST(&sessions->live));
    }
    rg_session_reap(sessions);
    for (size_t i = 0; i < sessions->listener_count; i++) {
        event_drop(&sessions->listener[i].event);
        fd_drop(&sessions->listener[i].fd);
    }
    event_drop(&sessions->reaper);
    event_drop(&sessions->resume);
    rg_tls_context_free(sessions->tls);
    free(sessions);
}

void rg_sessions_start(const struct rg_sessions *sessions, uint8_t out[4])
{
    memcpy(out, sessions->start, 4);
}

void rg_sessions_close(struct rg_sessions *sessions, struct rg_session_id id, const char *reason)
{
    struct rg_session *session = NULL;
    TAILQ_FOREACH(session, &sessions->live, link)
    {
        if (session->state == SESSION_RELAYING && memcmp(session->id.b, id.b, sizeof(id.b)) == 0) {
            rg_session_close(session, reason);
            return;
        }
    }
}

size_t rg_sessions_count(const struct rg_sessions *sessions)
{
    return sessions->count;
}
