/*
 * session, tls, loop: what gets through and what is refused, each with its reason and its alert;
 * after each hostile peer an honest one is served. Both ends run in one loop; hostile peers are
 * plain OpenSSL clients. The judge is the test's own: trust has its own tests.
 */
#include "core/digest.h"
#include "core/session.h"
#include "core/tcp.h"
#include "core/tls.h"
#include "core/zmtp.h"
#include "tests/unit/forge.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 20000
#define SILENCE_MS 150 /* hello_ms_max where silence is the subject */
#define HOME "referral://th/gateway"
#define PEER "referral://kh/gateway"

/* One end of the link, and all it was told. */
struct end {
    struct rg_sessions *sessions;
    struct rg_certificate *certificate;
    struct rg_key *key;
    const char *judge_says; /* NULL: fine */
    size_t judged;
    size_t ups, gones, refusals;
    struct rg_session_id id;
    struct rg_principal principal;
    bool dialled;
    char path[108];
    char gone[64];
    struct rg_reason refused;
    char who[RG_PRINCIPAL_BYTES];
};

struct world {
    char folder[64];
    struct rg_loop *loop;
    struct end home; /* accepts */
    struct end peer; /* dials */
    uint16_t port;
    struct rg_sessions_options options;
};

/* ---- the ends ---- */

static rg_outcome judge(void *context, struct rg_bytes der, struct rg_principal *out,
                        struct rg_reason *why)
{
    struct end *end = context;
    RG_OWNED_CERTIFICATE *certificate = NULL;
    end->judged++;
    RG_TRY(rg_certificate_parse(der, &certificate, why));
    RG_CHECK(end->judge_says == NULL, why, RG_DENIED, end->judge_says, "the test says so");
    *out = *rg_certificate_principal(certificate);
    return rg_ok();
}

static void up(void *context, const struct rg_session_up *session)
{
    struct end *end = context;
    end->ups++;
    end->id = session->id;
    end->principal = session->principal;
    end->dialled = session->dialled;
    (void)snprintf(end->path, sizeof(end->path), "%s", session->socket_path);
}

static void gone(void *context, struct rg_session_id id, const char *reason)
{
    struct end *end = context;
    (void)id;
    end->gones++;
    (void)snprintf(end->gone, sizeof(end->gone), "%s", reason);
}

static void refused(void *context, bool dialled, const char *who, const struct rg_reason *why)
{
    struct end *end = context;
    (void)dialled;
    end->refusals++;
    end->refused = *why;
    (void)snprintf(end->who, sizeof(end->who), "%s", who);
}

static void end_open(struct world *world, struct end *end, const char *principal)
{
    struct rg_reason why = {0};
    const struct forge forge = {.kind = FORGE_GATEWAY, .uri = principal};
    end->certificate = forge_certificate(&forge, NULL, NULL, &end->key);
    struct rg_sessions_options options = world->options;
    options.certificate = end->certificate;
    options.key = end->key;
    options.socket_folder = world->folder;
    options.context = end;
    options.judge = judge;
    options.up = up;
    options.gone = gone;
    options.refused = refused;
    assert_true(rg_is_ok(rg_sessions_new(world->loop, &options, &end->sessions, &why)));
}

static void end_close(struct end *end)
{
    rg_sessions_free(end->sessions);
    rg_certificate_free(end->certificate);
    rg_key_free(end->key);
}

static void world_make(void **state, struct rg_sessions_options options)
{
    struct world *world = calloc(1, sizeof(*world));
    struct rg_reason why = {0};
    int fd = -1;
    assert_non_null(world);
    (void)snprintf(world->folder, sizeof(world->folder), "/tmp/rg-session-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    world->options = options;
    world->loop = rg_loop_new();
    assert_non_null(world->loop);
    end_open(world, &world->home, HOME);
    end_open(world, &world->peer, PEER);
    assert_true(rg_is_ok(rg_tcp_listen("127.0.0.1", 0, &fd, &world->port, &why)));
    assert_true(rg_is_ok(rg_sessions_listen(world->home.sessions, fd, &why)));
    *state = world;
}

static int world_open(void **state)
{
    world_make(state, (struct rg_sessions_options){0});
    return 0;
}

static int world_open_impatient(void **state)
{
    world_make(state, (struct rg_sessions_options){.hello_ms_max = SILENCE_MS});
    return 0;
}

static int world_open_narrow(void **state)
{
    world_make(state, (struct rg_sessions_options){.sessions_per_address = 3,
                                                   .sessions_per_principal = 2});
    return 0;
}

static int world_open_strict(void **state)
{
    world_make(state, (struct rg_sessions_options){.refusals_per_address = 3});
    return 0;
}

static int world_open_hasty(void **state)
{
    world_make(state, (struct rg_sessions_options){.hello_ms_max = 1000});
    return 0;
}

/* Eight places in all, of which one is for our own dials. */
static int world_open_small(void **state)
{
    world_make(state, (struct rg_sessions_options){.sessions_max = 8});
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    end_close(&world->peer);
    end_close(&world->home);
    rg_loop_free(world->loop);
    int left = rmdir(world->folder); /* fails when a socket was left behind */
    free(world);
    return left;
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool step(struct world *world, int64_t until_ms)
{
    assert_true(rg_is_ok(rg_loop_step(world->loop, 5, NULL)));
    return now_ms() < until_ms;
}

#define UNTIL(world, condition)                                                                    \
    do {                                                                                           \
        int64_t until_ms = now_ms() + DEADLINE_MS;                                                 \
        while (!(condition)) {                                                                     \
            if (!step((world), until_ms)) {                                                        \
                fail_msg("never: %s", #condition);                                                 \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* ---- the local side and ZMTP by hand ---- */

static int local_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static size_t greeting_write(uint8_t *out)
{
    static const uint8_t head[] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1, 'N', 'U', 'L', 'L'};
    static const uint8_t ready[] = {4,   25,  5,   'R', 'E', 'A', 'D', 'Y', 11,
                                    'S', 'o', 'c', 'k', 'e', 't', '-', 'T', 'y',
                                    'p', 'e', 0,   0,   0,   3,   'R', 'E', 'Q'};
    uint8_t command[sizeof(ready)];
    memset(out, 0, 64);
    memcpy(out, head, sizeof(head));
    memcpy(command, ready, sizeof(ready));
    memcpy(out + 64, command, sizeof(command));
    out[65] = (uint8_t)(sizeof(command) - 2);
    return 64 + sizeof(command);
}

static void say(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say_greeting(int fd)
{
    uint8_t bytes[128];
    say(fd, bytes, greeting_write(bytes));
}

static void say_hello(int fd)
{
    static const uint8_t hello[] = {0, 5, 'h', 'e', 'l', 'l', 'o'};
    say_greeting(fd);
    say(fd, hello, sizeof(hello));
}

static void hear(struct world *world, int fd, void *out, size_t len)
{
    size_t have = 0;
    int64_t until_ms = now_ms() + DEADLINE_MS;
    while (have < len) {
        ssize_t got = recv(fd, (uint8_t *)out + have, len - have, 0);
        assert_true(got > 0 || (got < 0 && errno == EAGAIN));
        have += got > 0 ? (size_t)got : 0;
        assert_true(step(world, until_ms));
    }
}

struct pair {
    int home, peer; /* the local sides */
};

static void dial(struct world *world)
{
    struct rg_reason why = {0};
    assert_true(
        rg_is_ok(rg_sessions_dial(world->peer.sessions, "127.0.0.1", world->port, HOME, &why)));
}

/* An honest session up to Hello on both sides. */
static struct pair pair_open(struct world *world)
{
    struct pair pair;
    uint8_t heard[64 + 27 + 7];
    size_t home_ups = world->home.ups;
    size_t peer_ups = world->peer.ups;
    dial(world);
    UNTIL(world, world->home.ups > home_ups);
    pair.home = local_connect(world->home.path);
    say_hello(pair.home);
    UNTIL(world, world->peer.ups > peer_ups);
    pair.peer = local_connect(world->peer.path);
    say_hello(pair.peer);
    hear(world, pair.home, heard, sizeof(heard));
    assert_memory_equal(heard + sizeof(heard) - 5, "hello", 5);
    hear(world, pair.peer, heard, sizeof(heard));
    assert_memory_equal(heard + sizeof(heard) - 5, "hello", 5);
    return pair;
}

static void pair_close(struct world *world, struct pair pair)
{
    (void)close(pair.home);
    (void)close(pair.peer);
    UNTIL(world, rg_sessions_count(world->home.sessions) == 0 &&
                     rg_sessions_count(world->peer.sessions) == 0);
}

/* After each hostile case. */
static void still_serves(struct world *world)
{
    world->home.judge_says = NULL;
    world->peer.judge_says = NULL;
    pair_close(world, pair_open(world));
}

/* ---- honest sessions ---- */

static void test_bytes_pass_and_each_side_knows_the_other(void **state)
{
    struct world *world = *state;
    struct pair pair = pair_open(world);
    assert_string_equal(world->home.principal.text, PEER);
    assert_string_equal(world->peer.principal.text, HOME);
    assert_false(world->home.dialled);
    assert_true(world->peer.dialled);
    assert_int_not_equal(access(world->home.path, F_OK), 0);
    assert_int_not_equal(access(world->peer.path, F_OK), 0);
    static const uint8_t frame[] = {0, 3, 'a', 'b', 'c'};
    uint8_t heard[sizeof(frame)];
    say(pair.peer, frame, sizeof(frame));
    hear(world, pair.home, heard, sizeof(heard));
    assert_memory_equal(heard, frame, sizeof(frame));
    say(pair.home, frame, sizeof(frame));
    hear(world, pair.peer, heard, sizeof(heard));
    assert_memory_equal(heard, frame, sizeof(frame));
    pair_close(world, pair);
    assert_int_equal(world->home.gones, 1);
    assert_int_equal(world->peer.gones, 1);
}

static void test_the_dialer_waits_for_the_acceptors_first_byte(void **state)
{
    struct world *world = *state;
    dial(world);
    UNTIL(world, world->home.ups == 1);
    int local = local_connect(world->home.path);
    for (int i = 0; i < 20; i++) {
        assert_true(rg_is_ok(rg_loop_step(world->loop, 1, NULL)));
    }
    assert_int_equal(world->peer.ups, 0);
    say_greeting(local);
    UNTIL(world, world->peer.ups == 1);
    (void)close(local);
    UNTIL(world, world->home.gones == 1 && world->peer.gones == 1);
    assert_string_equal(world->home.gone, "local-closed");
    assert_string_equal(world->peer.gone, "peer-closed");
}

static void test_ids_grow_and_starts_differ(void **state)
{
    struct world *world = *state;
    uint8_t home[4];
    uint8_t peer[4];
    rg_sessions_start(world->home.sessions, home);
    rg_sessions_start(world->peer.sessions, peer);
    assert_memory_not_equal(home, peer, 4);
    pair_close(world, pair_open(world));
    struct rg_session_id first = world->home.id;
    pair_close(world, pair_open(world));
    assert_memory_equal(first.b, home, 4);
    assert_memory_equal(world->home.id.b, home, 4);
    assert_true(memcmp(first.b, world->home.id.b, 12) < 0);
}

/* 3 MiB while nobody reads, then read: nothing is lost, and little was held in between. */
static void test_reading_stops_while_much_waits(void **state)
{
    struct world *world = *state;
    struct pair pair = pair_open(world);
    static uint8_t frame[9 + 1024 * 200];
    size_t sent = 0;
    frame[0] = 2; /* long, no more */
    frame[6] = (1024 * 200) >> 16;
    frame[7] = (uint8_t)((1024 * 200) >> 8);
    for (size_t i = 9; i < sizeof(frame); i++) {
        frame[i] = (uint8_t)(i * 7);
    }
    int quiet = 0;
    while (quiet < 40) {
        size_t at = sent % sizeof(frame);
        ssize_t got = send(pair.peer, frame + at, sizeof(frame) - at, MSG_NOSIGNAL);
        quiet = got > 0 ? 0 : quiet + 1;
        sent += got > 0 ? (size_t)got : 0;
        assert_true(sent < (size_t)16 * 1024 * 1024);
        assert_true(rg_is_ok(rg_loop_step(world->loop, 2, NULL)));
    }
    static uint8_t heard[64 * 1024];
    for (size_t have = 0; have < sent;) {
        size_t part = sent - have < sizeof(heard) ? sent - have : sizeof(heard);
        hear(world, pair.home, heard, part);
        for (size_t i = 0; i < part; i++) {
            if (heard[i] != frame[(have + i) % sizeof(frame)]) {
                fail_msg("byte %zu differs", have + i);
            }
        }
        have += part;
    }
    pair_close(world, pair);
}

static void test_what_was_said_before_closing_arrives(void **state)
{
    struct world *world = *state;
    struct pair pair = pair_open(world);
    static const uint8_t frame[] = {0, 4, 'l', 'a', 's', 't'};
    uint8_t heard[sizeof(frame)];
    rg_sessions_close(world->home.sessions, world->home.id, "fault");
    say(pair.home, frame, sizeof(frame));
    hear(world, pair.peer, heard, sizeof(heard));
    assert_memory_equal(heard, frame, sizeof(frame));
    UNTIL(world, world->home.gones == 1 && world->peer.gones == 1);
    assert_string_equal(world->home.gone, "fault");
    assert_string_equal(world->peer.gone, "peer-closed");
    pair_close(world, pair);
    still_serves(world);
}

static void test_a_certificate_is_judged_again(void **state)
{
    struct world *world = *state;
    struct pair pair = pair_open(world);
    rg_sessions_judge_again(world->home.sessions);
    assert_int_equal(world->home.gones, 0);
    world->home.judge_says = "certificate-stopped";
    rg_sessions_judge_again(world->home.sessions);
    assert_int_equal(world->home.gones, 1);
    assert_string_equal(world->home.gone, "certificate-stopped");
    rg_sessions_judge_again(world->home.sessions);
    UNTIL(world, world->peer.gones == 1);
    assert_int_equal(world->home.gones, 1);
    assert_int_equal(world->home.refusals, 0);
    pair_close(world, pair);
    still_serves(world);
}

/* ---- refused certificates ---- */

static void test_each_refusal_has_its_reason_and_its_alert(void **state)
{
    static const struct {
        const char *reason;
        const char *alert;
    } row[] = {
        {"certificate-expired", "certificate expired"},
        {"certificate-not-yet-valid", "bad certificate"},
        {"certificate-wrong-usage", "unsupported certificate"},
        {"certificate-wrong-root", "unknown CA"},
        {"certificate-unknown-country", "unknown CA"},
        {"certificate-stopped", "certificate revoked"},
        {"certificate-suspended", "certificate revoked"},
        {"certificate-unlisted", "certificate unknown"},
        {"certificate-no-principal", "bad certificate"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        size_t before = world->peer.refusals;
        world->home.judge_says = row[i].reason;
        dial(world);
        UNTIL(world, world->peer.refusals > before);
        assert_string_equal(world->home.refused.id, row[i].reason);
        assert_string_equal(world->home.who, PEER);
        assert_string_equal(world->peer.refused.id, "dial-refused");
        assert_string_equal(world->peer.who, HOME);
        assert_non_null(strstr(world->peer.refused.text, row[i].alert));
        still_serves(world);
    }
}

static void test_the_dialer_judges_too(void **state)
{
    struct world *world = *state;
    world->peer.judge_says = "certificate-expired";
    dial(world);
    UNTIL(world, world->peer.refusals == 1 && world->home.refusals == 1);
    assert_string_equal(world->peer.refused.id, "certificate-expired");
    assert_string_equal(world->home.refused.id, "tls-handshake");
    assert_non_null(strstr(world->home.refused.text, "certificate expired"));
    still_serves(world);
}

static void test_another_gateway_than_expected_is_left(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_sessions_dial(world->peer.sessions, "127.0.0.1", world->port,
                                          "referral://la/gateway", &why)));
    UNTIL(world, world->peer.refusals == 1 && world->home.refusals == 1);
    assert_string_equal(world->peer.refused.id, "peer-not-expected");
    assert_string_equal(world->peer.who, "referral://la/gateway");
    assert_int_equal(world->home.ups, 0);
    still_serves(world);
}

static void test_nobody_there(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    int fd = -1;
    uint16_t port = 0;
    assert_true(rg_is_ok(rg_tcp_listen("127.0.0.1", 0, &fd, &port, &why)));
    (void)close(fd);
    rg_outcome outcome = rg_sessions_dial(world->peer.sessions, "127.0.0.1", port, HOME, &why);
    if (rg_is_ok(outcome)) {
        UNTIL(world, world->peer.refusals == 1);
        why = world->peer.refused;
    }
    assert_string_equal(why.id, "dial-failed");
    assert_int_equal(
        rg_sessions_dial(world->peer.sessions, "no.such.host.invalid", port, HOME, &why).code,
        RG_IO);
    assert_string_equal(why.id, "dial-failed");
}

/* "two.test" has two addresses; nobody answers at the first: its backlog is full. */
static uint16_t silent_port;
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    char silent[8];
    if (host == NULL || strcmp(host, "two.test") != 0) {
        return __real_getaddrinfo(host, service, hints, out);
    }
    (void)snprintf(silent, sizeof(silent), "%u", (unsigned)silent_port);
    assert_int_equal(__real_getaddrinfo("127.0.0.1", silent, hints, out), 0);
    return __real_getaddrinfo("127.0.0.1", service, hints, &(*out)->ai_next);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_true(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
                errno == EINPROGRESS);
    return fd;
}

static void test_the_next_address_is_tried_after_silence(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    int listener = -1;
    int filler[4];
    assert_true(rg_is_ok(rg_tcp_listen("127.0.0.1", 0, &listener, &silent_port, &why)));
    assert_int_equal(listen(listener, 0), 0);
    for (size_t i = 0; i < 4; i++) {
        filler[i] = connect_to(silent_port);
    }
    assert_true(
        rg_is_ok(rg_sessions_dial(world->peer.sessions, "two.test", world->port, HOME, &why)));
    UNTIL(world, world->home.ups == 1);
    int local = local_connect(world->home.path);
    say_hello(local);
    UNTIL(world, world->peer.ups == 1);
    (void)close(local);
    UNTIL(world, world->home.gones == 1 && world->peer.gones == 1);
    for (size_t i = 0; i < 4; i++) {
        (void)close(filler[i]);
    }
    (void)close(listener);
}

/* ---- hostile peers: plain OpenSSL ---- */

struct raw {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    bool shaken;
    char error[128]; /* OpenSSL's reason once it is over */
};

static int raw_connect(struct world *world)
{
    int fd = connect_to(world->port);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
    return fd;
}

static struct raw raw_open(struct world *world, bool with_certificate)
{
    struct raw raw = {.context = SSL_CTX_new(TLS_client_method())};
    assert_non_null(raw.context);
    SSL_CTX_set_verify(raw.context, SSL_VERIFY_NONE, NULL);
    if (with_certificate) {
        assert_int_equal(
            SSL_CTX_use_certificate(raw.context, rg_certificate_x509(world->peer.certificate)), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(raw.context, rg_key_pkey(world->peer.key)), 1);
    }
    raw.fd = raw_connect(world);
    return raw;
}

static void raw_start(struct raw *raw)
{
    raw->ssl = SSL_new(raw->context);
    assert_non_null(raw->ssl);
    assert_int_equal(SSL_set_fd(raw->ssl, raw->fd), 1);
    SSL_set_connect_state(raw->ssl);
}

/* Reads on until the acceptor ends it; true once over. */
static bool raw_over(struct raw *raw)
{
    char byte;
    ERR_clear_error();
    int result = SSL_read(raw->ssl, &byte, 1);
    raw->shaken = raw->shaken || SSL_is_init_finished(raw->ssl);
    int error = SSL_get_error(raw->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || result > 0) {
        return false;
    }
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(raw->error, sizeof(raw->error), "%s", text != NULL ? text : "closed");
    return true;
}

static void raw_close(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    (void)close(raw->fd);
}

/* The acceptor refuses with `reason`; the peer sees `alert`. */
static void raw_refused(struct world *world, struct raw *raw, const char *reason, const char *alert)
{
    size_t before = world->home.refusals;
    raw_start(raw);
    UNTIL(world, raw_over(raw) && world->home.refusals > before);
    assert_string_equal(world->home.refused.id, reason);
    assert_non_null(strstr(raw->error, alert));
    assert_int_equal(world->home.ups, world->home.gones);
    raw_close(raw);
    still_serves(world);
}

static void test_no_certificate(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, false);
    raw_refused(world, &raw, "certificate-missing", "certificate required");
    assert_true(world->home.judged > 0); /* of the honest peer only */
}

static void test_tls_1_2(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    assert_int_equal(SSL_CTX_set_max_proto_version(raw.context, TLS1_2_VERSION), 1);
    raw_refused(world, &raw, "tls-version", "protocol version");
}

static void test_another_alpn(void **state)
{
    static const unsigned char http[] = "\x02h2\x08http/1.1";
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    assert_int_equal(SSL_CTX_set_alpn_protos(raw.context, http, sizeof(http) - 1), 0);
    raw_refused(world, &raw, "tls-alpn", "no application protocol");
}

static void test_other_groups_and_suites(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    assert_int_equal(SSL_CTX_set_ciphersuites(raw.context, "TLS_AES_128_GCM_SHA256"), 1);
    raw_refused(world, &raw, "tls-handshake", "handshake failure");
    raw = raw_open(world, true);
    assert_int_equal(SSL_CTX_set1_groups_list(raw.context, "P-521"), 1);
    raw_refused(world, &raw, "tls-handshake", "handshake failure");
}

static void test_no_alpn_is_fine(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    raw_start(&raw);
    UNTIL(world, !raw_over(&raw) && world->home.ups == 1);
    raw_close(&raw);
    UNTIL(world, world->home.gones == 1);
    still_serves(world);
}

static void test_not_tls_at_all(void **state)
{
    struct world *world = *state;
    int fd = raw_connect(world);
    say(fd, "GET / HTTP/1.0\r\n\r\n", 18);
    UNTIL(world, world->home.refusals == 1);
    assert_string_equal(world->home.refused.id, "tls-handshake");
    assert_string_equal(world->home.who, "127.0.0.1");
    (void)close(fd);
    still_serves(world);
}

/* Certificates are public, so anybody can show one; what proves the name is the signature that
 * follows. Sends all of the client's answer up to its certificate, and no more. */
static void show_certificate_only(struct raw *raw)
{
    char *flight = NULL;
    long len = BIO_get_mem_data(SSL_get_wbio(raw->ssl), &flight);
    for (long at = 0; at + 5 <= len;) {
        long record = 5 + ((uint8_t)flight[at + 3] << 8 | (uint8_t)flight[at + 4]);
        say(raw->fd, flight + at, (size_t)record);
        if (flight[at] == SSL3_RT_APPLICATION_DATA) {
            return;
        }
        at += record;
    }
    fail_msg("no certificate in %ld bytes", len);
}

static struct raw stalled_with_anothers_name(struct world *world)
{
    struct raw raw = raw_open(world, true);
    size_t judged = world->home.judged;
    char *hello = NULL;
    raw_start(&raw);
    SSL_set0_wbio(raw.ssl, BIO_new(BIO_s_mem()));
    assert_int_equal(SSL_do_handshake(raw.ssl), -1);
    long len = BIO_get_mem_data(SSL_get_wbio(raw.ssl), &hello);
    say(raw.fd, hello, (size_t)len);
    (void)BIO_reset(SSL_get_wbio(raw.ssl));
    UNTIL(world, SSL_do_handshake(raw.ssl) == 1);
    show_certificate_only(&raw);
    UNTIL(world, world->home.judged > judged);
    return raw;
}

static void test_a_shown_name_takes_no_place(void **state)
{
    struct world *world = *state;
    struct raw first = stalled_with_anothers_name(world);
    struct raw second = stalled_with_anothers_name(world);
    struct pair pair = pair_open(world); /* the honest peer of that name: two are allowed */
    raw_close(&first);
    raw_close(&second);
    UNTIL(world, world->home.refusals == 2);
    pair_close(world, pair);
}

static rg_outcome anybody(void *owner, struct rg_bytes der, struct rg_reason *why)
{
    (void)owner;
    (void)der;
    (void)why;
    return rg_ok();
}

static size_t unread(int fd)
{
    int bytes = 0;
    assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
    return (size_t)bytes;
}

/* TLS may be kept busy without a byte for us: then the others must have their turn too. */
static void test_key_updates_without_end_do_not_hold_the_loop(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    struct rg_tls_context *context = NULL;
    struct rg_tls *tls = NULL;
    struct rg_reason why = {0};
    int pair[2];
    char byte = 0;
    size_t len = 0;
    rg_outcome last = rg_ok();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_true(rg_is_ok(
        rg_tls_context_new(world->home.certificate, world->home.key, anybody, &context, &why)));
    assert_true(rg_is_ok(rg_tls_open(context, pair[0], false, NULL, &tls, &why)));
    (void)close(raw.fd);
    raw.fd = pair[1];
    raw_start(&raw);
    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(raw.ssl);
        last = rg_tls_handshake(tls, &why);
    }
    assert_true(rg_is_ok(last) && SSL_is_init_finished(raw.ssl));
    SSL_set0_wbio(raw.ssl, BIO_new(BIO_s_mem()));
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(raw.ssl), 1);
    }
    assert_int_equal(SSL_write(raw.ssl, "x", 1), 1);
    char *flood = NULL;
    long flood_len = BIO_get_mem_data(SSL_get_wbio(raw.ssl), &flood);
    say(pair[1], flood, (size_t)flood_len);
    assert_int_equal(rg_tls_read(tls, &byte, 1, &len, &why).code, RG_AGAIN);
    assert_true(unread(pair[0]) > 0);
    for (int i = 0; i < 20 && byte != 'x'; i++) {
        last = rg_tls_read(tls, &byte, 1, &len, &why);
    }
    assert_true(rg_is_ok(last));
    assert_int_equal(byte, 'x'); /* and nothing is lost */
    rg_tls_free(tls);
    rg_tls_context_free(context);
    raw_close(&raw);
    (void)close(pair[0]);
}

/* A session of another server with the same name and key: a ticket that is perfectly good there. */
static SSL_SESSION *session_of_another_server(struct world *world)
{
    int pipe[2];
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    assert_int_equal(SSL_CTX_use_certificate(context, rg_certificate_x509(world->home.certificate)),
                     1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, rg_key_pkey(world->home.key)), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pipe), 0);
    SSL *server = SSL_new(context);
    SSL *client = SSL_new(context);
    SSL_set_fd(server, pipe[0]);
    SSL_set_fd(client, pipe[1]);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    char byte;
    for (int i = 0; i < 10; i++) {
        (void)SSL_read(server, &byte, 1);
        (void)SSL_read(client, &byte, 1);
    }
    SSL_SESSION *session = SSL_get1_session(client);
    assert_non_null(session);
    assert_true(SSL_SESSION_is_resumable(session));
    (void)SSL_shutdown(client);
    SSL_free(server);
    SSL_free(client);
    SSL_CTX_free(context);
    (void)close(pipe[0]);
    (void)close(pipe[1]);
    return session;
}

static void test_a_resumption_does_not_skip_the_certificate(void **state)
{
    struct world *world = *state;
    SSL_SESSION *session = session_of_another_server(world);
    struct raw raw = raw_open(world, false);
    raw_start(&raw);
    assert_int_equal(SSL_set_session(raw.ssl, session), 1);
    UNTIL(world, raw_over(&raw) && world->home.refusals == 1);
    assert_string_equal(world->home.refused.id, "certificate-missing");
    raw_close(&raw);
    size_t judged = world->home.judged;
    raw = raw_open(world, true);
    raw_start(&raw);
    assert_int_equal(SSL_set_session(raw.ssl, session), 1);
    UNTIL(world, !raw_over(&raw) && world->home.ups == 1);
    assert_int_equal(SSL_session_reused(raw.ssl), 0);
    assert_int_equal(world->home.judged, judged + 1);
    SSL_SESSION *given = SSL_get1_session(raw.ssl);
    assert_false(SSL_SESSION_is_resumable(given)); /* and none is issued */
    SSL_SESSION_free(given);
    SSL_SESSION_free(session);
    raw_close(&raw);
    UNTIL(world, world->home.gones == 1);
    still_serves(world);
}

/* ---- silence and noise ---- */

static void test_silence_before_tls(void **state)
{
    struct world *world = *state;
    int fd = raw_connect(world);
    UNTIL(world, world->home.refusals == 1);
    assert_string_equal(world->home.refused.id, "peer-silent");
    (void)close(fd);
}

static void test_silence_of_our_side(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    raw_start(&raw);
    UNTIL(world, raw_over(&raw) && world->home.gones == 1);
    assert_string_equal(world->home.gone, "local-silent");
    raw_close(&raw);
}

static void test_silence_after_tls(void **state)
{
    struct world *world = *state;
    struct raw raw = raw_open(world, true);
    raw_start(&raw);
    UNTIL(world, !raw_over(&raw) && world->home.ups == 1);
    int local = local_connect(world->home.path);
    say_greeting(local);
    UNTIL(world, raw_over(&raw) && world->home.gones == 1);
    assert_string_equal(world->home.gone, "peer-silent");
    raw_close(&raw);
    (void)close(local);
}

/* The guard's reason ends the session; nothing of the offending run passes. */
static void test_noise_is_cut(void **state)
{
    static const uint8_t more[] = {1, 1, 'm'};
    static const uint8_t huge[] = {2, 0, 0, 0, 0, 0, 0xff, 0, 0};
    static const struct {
        const uint8_t *bytes;
        size_t len;
        const char *reason;
    } row[] = {
        {more, sizeof(more), "zmtp-more"},
        {huge, sizeof(huge), "zmtp-frame-too-large"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct pair pair = pair_open(world);
        size_t before = world->home.gones;
        char byte;
        say(pair.peer, row[i].bytes, row[i].len);
        UNTIL(world, world->home.gones > before);
        assert_string_equal(world->home.gone, row[i].reason);
        assert_int_equal(recv(pair.home, &byte, 1, 0), 0);
        pair_close(world, pair);
        still_serves(world);
    }
}

static void test_noise_from_an_acceptor(void **state)
{
    struct world *world = *state;
    dial(world);
    UNTIL(world, world->home.ups == 1);
    int local = local_connect(world->home.path);
    say(local, "HTTP/1.1 400", 12);
    UNTIL(world, world->peer.refusals == 1);
    assert_string_equal(world->peer.refused.id, "zmtp-greeting");
    assert_int_equal(world->peer.ups, 0);
    (void)close(local);
    UNTIL(world, world->home.gones == 1);
    still_serves(world);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    struct world *world = *state;
    struct pair first = pair_open(world);
    struct pair second = pair_open(world);
    dial(world);
    UNTIL(world, world->home.refusals == 1 && world->peer.refusals == 1);
    assert_string_equal(world->home.refused.id, "session-limit"); /* of the principal */
    assert_string_equal(world->peer.refused.id, "dial-refused");
    UNTIL(world, rg_sessions_count(world->home.sessions) == 2);
    int third = raw_connect(world);
    UNTIL(world, rg_sessions_count(world->home.sessions) == 3);
    int fourth = raw_connect(world);
    UNTIL(world, world->home.refusals == 2);
    assert_string_equal(world->home.refused.id, "session-limit"); /* of the address */
    assert_string_equal(world->home.who, "127.0.0.1");
    (void)close(third);
    (void)close(fourth);
    (void)close(first.home);
    (void)close(first.peer);
    pair_close(world, second);
    still_serves(world);
}

/* Strangers may fill what there is for accepting; a country that dials out is still heard. */
static void test_strangers_leave_room_to_dial(void **state)
{
    struct world *world = *state;
    struct rg_reason why = {0};
    int stranger[9];
    for (size_t i = 0; i < 9; i++) {
        stranger[i] = raw_connect(world);
    }
    UNTIL(world, rg_sessions_count(world->home.sessions) == 7 && world->home.refusals == 2);
    assert_string_equal(world->home.refused.id, "session-limit");
    assert_true(
        rg_is_ok(rg_sessions_dial(world->home.sessions, "127.0.0.1", world->port, PEER, &why)));
    for (size_t i = 0; i < 9; i++) {
        (void)close(stranger[i]);
    }
    UNTIL(world, rg_sessions_count(world->home.sessions) == 0);
}

/* Whoever is refused again and again is not listened to for a while, and then again. */
static void test_an_address_that_is_refused_often_is_slowed(void **state)
{
    struct world *world = *state;
    for (size_t i = 1; i <= 3; i++) {
        int fd = raw_connect(world);
        say(fd, "GET / HTTP/1.0\r\n\r\n", 18);
        UNTIL(world, world->home.refusals == i);
        assert_string_equal(world->home.refused.id, "tls-handshake");
        (void)close(fd);
    }
    int fd = raw_connect(world);
    UNTIL(world, world->home.refusals == 4);
    assert_string_equal(world->home.refused.id, "address-slowed");
    (void)close(fd);
    while (world->home.ups == 0) { /* the honest one comes through when one refusal is forgiven */
        size_t refusals = world->peer.refusals;
        dial(world);
        UNTIL(world, world->home.ups == 1 || world->peer.refusals > refusals);
    }
    int local = local_connect(world->home.path);
    say_hello(local);
    UNTIL(world, world->peer.ups == 1);
    (void)close(local);
    UNTIL(world, world->home.gones == 1 && world->peer.gones == 1);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A session that ends while full: nobody read at the far end. */
static void full_and_dead(struct world *world)
{
    static const uint8_t block[32 * 1024];
    struct pair pair = pair_open(world);
    static const uint8_t head[] = {2, 0, 0, 0, 0, 0, 4, 0, 0};
    say(pair.peer, head, sizeof(head));
    for (int quiet = 0; quiet < 3;) {
        quiet = send(pair.peer, block, sizeof(block), MSG_NOSIGNAL) > 0 ? 0 : quiet + 1;
        assert_true(rg_is_ok(rg_loop_step(world->loop, 1, NULL)));
    }
    pair_close(world, pair);
}

static void test_dead_and_full_sessions_leave_no_memory(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 10; i++) {
        still_serves(world);
        full_and_dead(world);
    }
    long before_kib = resident_kib();
    for (int i = 0; i < 30; i++) {
        still_serves(world);
        full_and_dead(world);
    }
#if defined(__SANITIZE_ADDRESS__)
    long allowed_kib = 512L * 1024; /* its quarantine grows by design; it looks for leaks itself */
#else
    long allowed_kib = 2L * 1024; /* 30 full sessions would hold 15 MiB */
#endif
    assert_true(resident_kib() - before_kib < allowed_kib);
}

int main(void)
{
#define IN(world, test) cmocka_unit_test_setup_teardown(test, world, world_close)
    const struct CMUnitTest tests[] = {
        IN(world_open, test_bytes_pass_and_each_side_knows_the_other),
        IN(world_open, test_the_dialer_waits_for_the_acceptors_first_byte),
        IN(world_open, test_ids_grow_and_starts_differ),
        IN(world_open, test_reading_stops_while_much_waits),
        IN(world_open, test_what_was_said_before_closing_arrives),
        IN(world_open, test_a_certificate_is_judged_again),
        IN(world_open, test_each_refusal_has_its_reason_and_its_alert),
        IN(world_open, test_the_dialer_judges_too),
        IN(world_open, test_another_gateway_than_expected_is_left),
        IN(world_open, test_nobody_there),
        IN(world_open, test_no_certificate),
        IN(world_open, test_tls_1_2),
        IN(world_open, test_another_alpn),
        IN(world_open, test_other_groups_and_suites),
        IN(world_open, test_no_alpn_is_fine),
        IN(world_open, test_not_tls_at_all),
        IN(world_open, test_a_resumption_does_not_skip_the_certificate),
        IN(world_open_hasty, test_the_next_address_is_tried_after_silence),
        IN(world_open_small, test_strangers_leave_room_to_dial),
        IN(world_open_narrow, test_a_shown_name_takes_no_place),
        IN(world_open, test_key_updates_without_end_do_not_hold_the_loop),
        IN(world_open_impatient, test_silence_before_tls),
        IN(world_open_impatient, test_silence_of_our_side),
        IN(world_open_impatient, test_silence_after_tls),
        IN(world_open, test_noise_is_cut),
        IN(world_open, test_noise_from_an_acceptor),
        IN(world_open_narrow, test_limits),
        IN(world_open_strict, test_an_address_that_is_refused_often_is_slowed),
        IN(world_open, test_dead_and_full_sessions_leave_no_memory),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
