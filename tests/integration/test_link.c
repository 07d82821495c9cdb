/*
 * The link process against the world: a real process (rg_run_link in a child), real certificates
 * (certs/dev-pki), real sockets. This test is its courier, its honest peers and its hostile ones.
 * After each hostile case an honest peer is still served.
 */
#include "core/bus.h"
#include "core/digest.h"
#include "core/session.h"
#include "core/settings.h"
#include "core/tcp.h"
#include "core/signature.h"
#include "gateway/event.h"
#include "gateway/run_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 30000
#define SILENCE_MS 400
#define PATH_BYTES 256
#define HOME "referral://th/gateway"
#define PEER "referral://kh/gateway"

struct identity {
    struct rg_certificate *certificate;
    struct rg_key *key;
};

struct process { /* a link, and our end of its socketpair */
    pid_t pid;
    int socket;
    char folder[PATH_BYTES];
    char log[PATH_BYTES];
};

struct world { /* made once for all tests */
    char folder[64];
    char pki[PATH_BYTES];
    int listener; /* of th; the port is in its page */
    uint16_t port;
    struct rg_loop *loop;
    struct process home;
    struct rg_link_event last; /* of its events */
    size_t ups, gones, readies;
    char gone[64];
    struct rg_session_id id;
    /* an honest peer in this process */
    struct rg_sessions *peer;
    struct identity peer_identity;
    size_t peer_ups, peer_gones, peer_refusals;
    struct rg_reason peer_refused;
    char peer_path[108];
};

static struct world world;

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct rg_wall wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct rg_wall){.ms = (int64_t)now.tv_sec * 1000};
}

static void path_of(char out[PATH_BYTES], const char *name)
{
    assert_true(snprintf(out, PATH_BYTES, "%s/%s", world.pki, name) < PATH_BYTES);
}

static struct identity identity_read(const char *name)
{
    struct identity identity = {0};
    char path[PATH_BYTES];
    char file[128];
    struct rg_reason why = {0};
    (void)snprintf(file, sizeof(file), "%s.pem", name);
    path_of(path, file);
    assert_true(rg_is_ok(rg_certificate_read(path, &identity.certificate, &why)));
    (void)snprintf(file, sizeof(file), "%s.key", name);
    path_of(path, file);
    assert_true(rg_is_ok(rg_key_read(path, &identity.key, &why)));
    return identity;
}

static void identity_drop(struct identity *identity)
{
    rg_certificate_free(identity->certificate);
    rg_key_free(identity->key);
}

/* ---- the process under test ---- */

static rg_outcome offer(void *context, const struct rg_document *document, struct rg_reason *why)
{
    enum rg_news news;
    return rg_trust_offer(context, document, wall_now(), &news, why);
}

static struct rg_trust *trust_read(const char *country)
{
    static const char *const authority[] = {"authority/th.pem", "authority/kh.pem"};
    struct rg_trust *trust = rg_trust_new();
    struct rg_reason why = {0};
    char path[PATH_BYTES];
    char name[32];
    for (size_t i = 0; i < 2; i++) {
        RG_OWNED_CERTIFICATE *certificate = NULL;
        path_of(path, authority[i]);
        assert_true(rg_is_ok(rg_certificate_read(path, &certificate, &why)));
        assert_true(rg_is_ok(rg_trust_pin_authority(trust, certificate, &why)));
    }
    rg_trust_pin_quorum(trust, 2);
    (void)snprintf(name, sizeof(name), "%s/trust", country);
    path_of(path, name);
    if (!rg_is_ok(rg_document_read_folder(path, offer, trust, &why))) {
        fail_msg("trust: %s: %s", why.id, why.text);
    }
    return trust;
}

static _Noreturn void link_child(const struct process *process, const char *country, int courier_fd,
                                 int listen_fd)
{
    char name[64];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    int log = open(process->log, O_CREAT | O_APPEND | O_WRONLY, 0600);
    rg_event_open("link");
    rg_event_redirect(log);
    (void)snprintf(name, sizeof(name), "%s/gateway-tls", country);
    struct identity identity = identity_read(name);
    struct rg_trust *trust = trust_read(country);
    const struct rg_run_link_options options = {
        .country = country,
        .certificate = identity.certificate,
        .key = identity.key,
        .listen_fd = listen_fd,
        .courier_fd = courier_fd,
        .socket_folder = process->folder,
        .trust = trust,
        .dial = listen_fd < 0,
        .dial_ms_min = 20,
        .dial_ms_max = 200,
        .hello_ms_max = SILENCE_MS,
        .sessions_per_address = 64,
    };
    int status = rg_run_link(&options);
    rg_trust_free(trust);
    identity_drop(&identity);
    exit(status);
}

static void link_start(struct process *process, const char *country, int listen_fd)
{
    int pair[2];
    (void)snprintf(process->folder, sizeof(process->folder), "%s/%s", world.folder, country);
    (void)snprintf(process->log, sizeof(process->log), "%s/%s.log", world.folder, country);
    if (access(process->folder, F_OK) != 0) {
        assert_int_equal(mkdir(process->folder, 0700), 0);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    int bytes = 1024 * 1024;
    assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0) {
        (void)close(pair[0]);
        link_child(process, country, pair[1], listen_fd >= 0 ? dup(listen_fd) : -1);
    }
    (void)close(pair[1]);
    process->socket = pair[0];
}

static int link_stop(struct process *process)
{
    int status = 0;
    (void)close(process->socket);
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    return status;
}

static bool log_has(const struct process *process, const char *text)
{
    RG_OWNED_BUFFER bytes = {0};
    return rg_is_ok(rg_file_read(process->log, 4 * 1024 * 1024, &bytes, NULL)) && bytes.len > 0 &&
           memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static void log_show(const struct process *process)
{
    RG_OWNED_BUFFER bytes = {0};
    if (rg_is_ok(rg_file_read(process->log, 4 * 1024 * 1024, &bytes, NULL))) {
        (void)fprintf(stderr, "%.*s", (int)bytes.len, (const char *)bytes.data);
    }
}

static void log_empty(const struct process *process)
{
    assert_int_equal(truncate(process->log, 0), 0);
}

/* ---- being its courier ---- */

static void event_take(void *context)
{
    struct process *process = context;
    uint8_t bytes[2048];
    struct rg_reason why = {0};
    ssize_t len = recv(process->socket, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (len <= 0) {
        return;
    }
    assert_true(rg_is_ok(rg_link_event_decode(rg_bytes_of(bytes, (size_t)len), &world.last, &why)));
    world.ups += world.last.kind == RG_LINK_UP;
    world.gones += world.last.kind == RG_LINK_GONE;
    world.readies += world.last.kind == RG_LINK_READY;
    if (world.last.kind == RG_LINK_UP) {
        memcpy(world.id.b, world.last.session, sizeof(world.id.b));
    }
    if (world.last.kind == RG_LINK_GONE) {
        (void)snprintf(world.gone, sizeof(world.gone), "%s", world.last.reason);
    }
}

static void order_send(const struct process *process, const struct rg_link_order *order)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_link_order_encode(order, &bytes, &why)));
    assert_int_equal(send(process->socket, bytes.data, bytes.len, MSG_NOSIGNAL),
                     (ssize_t)bytes.len);
}

static void step(void)
{
    assert_true(rg_is_ok(rg_loop_step(world.loop, 5, NULL)));
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        int64_t until_ms = now_ms() + DEADLINE_MS;                                                 \
        while (!(condition)) {                                                                     \
            step();                                                                                \
            if (now_ms() > until_ms) {                                                             \
                log_show(&world.home);                                                             \
                fail_msg("never: %s", #condition);                                                 \
            }                                                                                      \
        }                                                                                          \
    } while (0)

/* ---- ZMTP by hand ---- */

static const uint8_t hello[] = {
    0xff, 0,   0,   0,   0,   0,   0,   0,   0,   0x7f, 3,   1,   'N', 'U', 'L', 'L', 0,
    0,    0,   0,   0,   0,   0,   0,   0,   0,   0,    0,   0,   0,   0,   0,   0,   0,
    0,    0,   0,   0,   0,   0,   0,   0,   0,   0,    0,   0,   0,   0,   0,   0,   0,
    0,    0,   0,   0,   0,   0,   0,   0,   0,   0,    0,   0,   0,   4,   28,  5,   'R',
    'E',  'A', 'D', 'Y', 11,  'S', 'o', 'c', 'k', 'e',  't', '-', 'T', 'y', 'p', 'e', 0,
    0,    0,   6,   'R', 'O', 'U', 'T', 'E', 'R', 0,    5,   'h', 'e', 'l', 'l', 'o',
};

static int local_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void hear(int fd, void *out, size_t len)
{
    size_t have = 0;
    int64_t until_ms = now_ms() + DEADLINE_MS;
    while (have < len) {
        ssize_t got = recv(fd, (uint8_t *)out + have, len - have, 0);
        assert_true(got > 0 || (got < 0 && errno == EAGAIN));
        have += got > 0 ? (size_t)got : 0;
        step();
        assert_true(now_ms() < until_ms);
    }
}

static void say_hello(int fd)
{
    assert_int_equal(send(fd, hello, sizeof(hello), MSG_NOSIGNAL), sizeof(hello));
}

/* libzmq closes when a message comes before it has said READY itself. */
static void say_hello_to_libzmq(int fd)
{
    uint8_t heard[64 + 2 + 41]; /* its greeting and its READY, with an empty Identity */
    const size_t message_len = 7;
    const size_t first = sizeof(hello) - message_len;
    assert_int_equal(send(fd, hello, first, MSG_NOSIGNAL), (ssize_t)first);
    hear(fd, heard, sizeof(heard));
    assert_int_equal(send(fd, hello + first, message_len, MSG_NOSIGNAL), (ssize_t)message_len);
}

/* ---- honest peers ---- */

static rg_outcome peer_judge(void *context, struct rg_bytes der, struct rg_principal *out,
                             struct rg_reason *why)
{
    (void)context;
    RG_OWNED_CERTIFICATE *certificate = NULL;
    RG_TRY(rg_certificate_parse(der, &certificate, why));
    *out = *rg_certificate_principal(certificate);
    return rg_ok();
}

static void peer_up(void *context, const struct rg_session_up *up)
{
    (void)context;
    world.peer_ups++;
    (void)snprintf(world.peer_path, sizeof(world.peer_path), "%s", up->socket_path);
}

static void peer_gone(void *context, struct rg_session_id id, const char *reason)
{
    (void)context;
    (void)id;
    (void)reason;
    world.peer_gones++;
}

static void peer_refused(void *context, bool dialled, const char *who, const struct rg_reason *why)
{
    (void)context;
    (void)dialled;
    (void)who;
    world.peer_refusals++;
    world.peer_refused = *why;
}

static struct rg_sessions *peer_open(const struct identity *identity)
{
    struct rg_sessions *sessions = NULL;
    struct rg_reason why = {0};
    const struct rg_sessions_options options = {
        .certificate = identity->certificate,
        .key = identity->key,
        .socket_folder = world.folder,
        .judge = peer_judge,
        .up = peer_up,
        .gone = peer_gone,
        .refused = peer_refused,
    };
    assert_true(rg_is_ok(rg_sessions_new(world.loop, &options, &sessions, &why)));
    return sessions;
}

static void peer_dial(struct rg_sessions *sessions)
{
    struct rg_reason why = {0};
    assert_true(rg_is_ok(rg_sessions_dial(sessions, "127.0.0.1", world.port, HOME, &why)));
}

struct pair {
    int home, peer;
};

static struct pair pair_open(struct rg_sessions *sessions)
{
    struct pair pair;
    uint8_t heard[sizeof(hello)];
    size_t ups = world.ups;
    size_t peer_ups = world.peer_ups;
    peer_dial(sessions);
    UNTIL(world.ups > ups);
    pair.home = local_connect(world.last.socket_path);
    say_hello(pair.home);
    UNTIL(world.peer_ups > peer_ups);
    pair.peer = local_connect(world.peer_path);
    say_hello(pair.peer);
    hear(pair.home, heard, sizeof(heard));
    assert_memory_equal(heard, hello, sizeof(heard));
    hear(pair.peer, heard, sizeof(heard));
    return pair;
}

static void pair_close(struct rg_sessions *sessions, struct pair pair)
{
    (void)close(pair.peer);
    (void)close(pair.home);
    UNTIL(rg_sessions_count(sessions) == 0 && world.ups == world.gones);
}

static void still_serves(void)
{
    pair_close(world.peer, pair_open(world.peer));
}

/* ---- refused certificates ---- */

static void refused_peer(const char *name, const char *reason, const char *alert)
{
    char line[128];
    struct identity identity = identity_read(name);
    struct rg_sessions *sessions = peer_open(&identity);
    size_t before = world.peer_refusals;
    size_t ups = world.ups;
    log_empty(&world.home);
    peer_dial(sessions);
    UNTIL(world.peer_refusals > before);
    assert_string_equal(world.peer_refused.id, "dial-refused");
    if (strstr(world.peer_refused.text, alert) == NULL) {
        fail_msg("%s: the peer sees \"%s\"", name, world.peer_refused.text);
    }
    (void)snprintf(line, sizeof(line), "reason=%s", reason);
    UNTIL(log_has(&world.home, line));
    assert_true(log_has(&world.home, "event=session-refused"));
    assert_int_equal(world.ups, ups);
    rg_sessions_free(sessions);
    identity_drop(&identity);
    still_serves();
}

static void test_each_wrong_certificate_has_its_reason_and_alert(void **state)
{
    (void)state;
    refused_peer("hostile/expired", "certificate-expired", "certificate expired");
    refused_peer("hostile/not-yet-valid", "certificate-not-yet-valid", "bad certificate");
    refused_peer("hostile/wrong-usage", "certificate-wrong-usage", "unsupported certificate");
    refused_peer("hostile/wrong-root", "certificate-wrong-root", "unknown CA");
    refused_peer("hostile/self-signed", "certificate-wrong-root", "unknown CA");
    refused_peer("hostile/unlisted", "certificate-unlisted", "certificate unknown");
    refused_peer("kh/focal/officer-1/sign", "certificate-wrong-usage", "unsupported certificate");
}

static void test_only_neighbours_gateways_and_own_officers(void **state)
{
    (void)state;
    refused_peer("kh/focal/officer-1/tls", "certificate-wrong-country", "handshake failure");
    refused_peer("th/gateway-tls", "certificate-wrong-country", "handshake failure");
    struct identity officer = identity_read("th/ngo-alpha/officer-1/tls");
    struct rg_sessions *sessions = peer_open(&officer);
    pair_close(sessions, pair_open(sessions));
    rg_sessions_free(sessions);
    identity_drop(&officer);
}

/* ---- hostile peers: plain OpenSSL ---- */

struct raw {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
    char error[128];
};

static int tcp_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(world.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static struct raw raw_new(bool with_certificate)
{
    struct raw raw = {.context = SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_mode(raw.context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (with_certificate) {
        assert_int_equal(SSL_CTX_use_certificate(
                             raw.context, rg_certificate_x509(world.peer_identity.certificate)),
                         1);
        assert_int_equal(SSL_CTX_use_PrivateKey(raw.context, rg_key_pkey(world.peer_identity.key)),
                         1);
    }
    raw.fd = -1;
    return raw;
}

static void raw_connect(struct raw *raw)
{
    raw->fd = tcp_connect();
    raw->ssl = SSL_new(raw->context);
    assert_int_equal(SSL_set_fd(raw->ssl, raw->fd), 1);
    SSL_set_connect_state(raw->ssl);
}

static bool raw_over(struct raw *raw)
{
    char bytes[4096];
    ERR_clear_error();
    int result = SSL_read(raw->ssl, bytes, sizeof(bytes));
    int error = SSL_get_error(raw->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || result > 0) {
        return false;
    }
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(raw->error, sizeof(raw->error), "%s", text != NULL ? text : "closed");
    return true;
}

static void raw_free(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    (void)close(raw->fd);
}

static void raw_refused(struct raw *raw, const char *reason, const char *alert)
{
    char line[128];
    size_t ups = world.ups;
    log_empty(&world.home);
    raw_connect(raw);
    UNTIL(raw_over(raw));
    assert_non_null(strstr(raw->error, alert));
    (void)snprintf(line, sizeof(line), "reason=%s", reason);
    UNTIL(log_has(&world.home, line));
    assert_int_equal(world.ups, ups);
    raw_free(raw);
    still_serves();
}

static void test_no_certificate(void **state)
{
    (void)state;
    struct raw raw = raw_new(false);
    raw_refused(&raw, "certificate-missing", "certificate required");
}

static void test_tls_1_2(void **state)
{
    (void)state;
    struct raw raw = raw_new(true);
    assert_int_equal(SSL_CTX_set_max_proto_version(raw.context, TLS1_2_VERSION), 1);
    raw_refused(&raw, "tls-version", "protocol version");
}

static void test_wrong_alpn(void **state)
{
    (void)state;
    static const unsigned char http[] = "\x02h2\x08http/1.1";
    struct raw raw = raw_new(true);
    assert_int_equal(SSL_CTX_set_alpn_protos(raw.context, http, sizeof(http) - 1), 0);
    raw_refused(&raw, "tls-alpn", "no application protocol");
}

/* A raw peer that is let in, and what its session is. */
static int raw_in(struct raw *raw)
{
    size_t ups = world.ups;
    raw_connect(raw);
    UNTIL(!raw_over(raw) && world.ups > ups);
    return local_connect(world.last.socket_path);
}

static void test_resumption_shows_the_certificate_again(void **state)
{
    (void)state;
    struct raw raw = raw_new(true);
    int local = raw_in(&raw);
    SSL_SESSION *session = SSL_get1_session(raw.ssl);
    assert_false(SSL_SESSION_is_resumable(session)); /* no ticket was given */
    (void)SSL_shutdown(raw.ssl);
    SSL_free(raw.ssl);
    (void)close(raw.fd);
    (void)close(local);
    UNTIL(world.ups == world.gones);
    /* Offered in any case, by a peer that has no certificate to show. */
    SSL_CTX_free(raw.context);
    raw = raw_new(false);
    raw.fd = tcp_connect();
    raw.ssl = SSL_new(raw.context);
    assert_int_equal(SSL_set_fd(raw.ssl, raw.fd), 1);
    SSL_set_connect_state(raw.ssl);
    (void)SSL_set_session(raw.ssl, session);
    size_t ups = world.ups;
    UNTIL(raw_over(&raw));
    assert_non_null(strstr(raw.error, "certificate required"));
    assert_int_equal(world.ups, ups);
    SSL_SESSION_free(session);
    raw_free(&raw);
    still_serves();
}

static void test_silence(void **state)
{
    (void)state;
    log_empty(&world.home);
    int fd = tcp_connect();
    UNTIL(log_has(&world.home, "reason=peer-silent"));
    (void)close(fd);
    struct raw raw = raw_new(true);
    int local = raw_in(&raw);
    say_hello(local);
    UNTIL(raw_over(&raw) && world.ups == world.gones);
    assert_string_equal(world.gone, "peer-silent");
    (void)close(local);
    raw_free(&raw);
    still_serves();
}

static long resident_kib(pid_t pid)
{
    char path[64];
    long pages = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Writes `unit` again and again until the session is over; returns how many bytes went out. */
static size_t raw_flood(struct raw *raw, const void *unit, size_t len)
{
    size_t sent = 0;
    size_t gones = world.gones;
    int64_t until_ms = now_ms() + DEADLINE_MS;
    while (world.gones == gones && now_ms() < until_ms) {
        ERR_clear_error();
        int result = SSL_write(raw->ssl, unit, (int)len);
        sent += result > 0 ? (size_t)result : 0;
        step();
    }
    assert_true(world.gones > gones);
    return sent;
}

static void test_endless_multipart(void **state)
{
    (void)state;
    static uint8_t part[2 + 200] = {1, 200};
    struct raw raw = raw_new(true);
    int local = raw_in(&raw);
    say_hello(local);
    UNTIL(SSL_write(raw.ssl, hello, sizeof(hello)) > 0);
    long before_kib = resident_kib(world.home.pid);
    size_t sent = raw_flood(&raw, part, sizeof(part));
    assert_string_equal(world.gone, "zmtp-more");
    assert_true(sent < (size_t)4 * 1024 * 1024);
    assert_true(resident_kib(world.home.pid) - before_kib < 4096);
    (void)close(local);
    raw_free(&raw);
    still_serves();
}

static void test_oversized_frame(void **state)
{
    (void)state;
    static const uint8_t head[] = {2, 0, 0, 0, 0, 0, 5, 0, 0}; /* 320 KiB */
    struct raw raw = raw_new(true);
    int local = raw_in(&raw);
    say_hello(local);
    UNTIL(SSL_write(raw.ssl, hello, sizeof(hello)) > 0);
    (void)raw_flood(&raw, head, sizeof(head));
    assert_string_equal(world.gone, "zmtp-frame-too-large");
    (void)close(local);
    raw_free(&raw);
    still_serves();
}

/* ---- memory ---- */

/* Never reads: its session fills up, then it dies. */
static void full_and_dead(void)
{
    static const uint8_t frame[64 * 1024] = {2, 0, 0, 0, 0, 0, 0, 0xff, 0xf7};
    struct raw raw = raw_new(true);
    int local = raw_in(&raw);
    say_hello(local);
    UNTIL(SSL_write(raw.ssl, hello, sizeof(hello)) > 0);
    size_t at = 0;
    for (int quiet = 0; quiet < 5;) {
        ssize_t got = send(local, frame + at, sizeof(frame) - at, MSG_NOSIGNAL);
        at = got > 0 ? (at + (size_t)got) % sizeof(frame) : at;
        quiet = got > 0 ? 0 : quiet + 1;
        step();
    }
    (void)close(raw.fd);
    raw.fd = -1;
    UNTIL(world.ups == world.gones);
    (void)close(local);
    raw_free(&raw);
}

static void test_dead_and_full_sessions_leave_no_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        full_and_dead();
        still_serves();
    }
    long before_kib = resident_kib(world.home.pid);
    for (int i = 0; i < 25; i++) {
        full_and_dead();
        still_serves();
    }
#if defined(__SANITIZE_ADDRESS__)
    const long allowed_kib = 512L * 1024; /* quarantine */
#else
    const long allowed_kib = 3L * 1024; /* 25 full sessions would hold 12 MiB */
#endif
    assert_true(resident_kib(world.home.pid) - before_kib < allowed_kib);
}

/* ---- stop list, orders ---- */

static void stop_text(const char *country, const struct rg_certificate *stopped,
                      struct rg_buffer *out)
{
    char hex[65];
    char issued[32];
    struct rg_hash digest = rg_certificate_digest(stopped);
    rg_hex(rg_bytes_of(digest.b, sizeof(digest.b)), hex);
    rg_wall_print(wall_now(), issued);
    assert_true(rg_is_ok(rg_buffer_print(out, NULL,
                                         "format = \"referral-stop-1\";\ncountry = \"%s\";\n"
                                         "counter = \"1\";\nissued = \"%s\";\n"
                                         "certificates = (\"%s\");\noffices = ();\n",
                                         country, issued, hex)));
}

/* Last but one, since after it this peer is refused for good. */
static void test_stopped_while_the_session_is_open(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    RG_OWNED_BUFFER signature = {0};
    struct rg_reason why = {0};
    struct identity publisher = identity_read("th/publisher");
    struct identity stopped = identity_read("th/ngo-alpha/officer-2/tls");
    struct identity other = identity_read("th/ngo-alpha/officer-1/tls");
    struct rg_sessions *sessions = peer_open(&stopped);
    struct rg_sessions *others = peer_open(&other);
    struct pair pair = pair_open(sessions);
    struct pair stays = pair_open(others);
    stop_text("th", stopped.certificate, &text);
    assert_true(
        rg_is_ok(rg_signature_make(rg_buffer_peek(&text), publisher.certificate, publisher.key,
                                   RG_SIGNATURE_DETACHED, &signature, &why)));
    struct rg_link_order order = {.kind = RG_LINK_TRUST, .document_kind = RG_DOC_STOP_LIST};
    (void)snprintf(order.country, sizeof(order.country), "th");
    order.text = rg_buffer_peek(&text);
    order.signature[0] = rg_buffer_peek(&signature);
    order.signature_count = 1;
    size_t gones = world.gones;
    order_send(&world.home, &order);
    UNTIL(world.gones > gones);
    assert_string_equal(world.gone, "certificate-stopped");
    assert_int_equal(world.gones, gones + 1); /* and nobody else */
    (void)close(pair.home);
    (void)close(pair.peer);
    pair_close(others, stays);
    rg_sessions_free(sessions);
    rg_sessions_free(others);
    refused_peer("th/ngo-alpha/officer-2/tls", "certificate-stopped", "certificate revoked");
    identity_drop(&publisher);
    identity_drop(&stopped);
    identity_drop(&other);
}

static void test_a_forged_document_changes_nothing(void **state)
{
    (void)state;
    struct pair pair = pair_open(world.peer);
    struct rg_link_order order = {.kind = RG_LINK_TRUST, .document_kind = RG_DOC_STOP_LIST};
    (void)snprintf(order.country, sizeof(order.country), "kh");
    RG_OWNED_BUFFER text = {0};
    stop_text("kh", world.peer_identity.certificate, &text);
    order.text = rg_buffer_peek(&text);
    order.signature[0] = RG_BYTES_LITERAL("not a signature");
    order.signature_count = 1;
    log_empty(&world.home);
    size_t gones = world.gones;
    order_send(&world.home, &order);
    UNTIL(log_has(&world.home, "event=document-refused"));
    assert_int_equal(world.gones, gones);
    pair_close(world.peer, pair);
}

static void test_an_order_to_close(void **state)
{
    (void)state;
    struct pair pair = pair_open(world.peer);
    struct rg_link_order order = {.kind = RG_LINK_CLOSE};
    memcpy(order.session, world.id.b, sizeof(order.session));
    (void)snprintf(order.reason, sizeof(order.reason), "replaced");
    size_t gones = world.gones;
    order_send(&world.home, &order);
    UNTIL(world.gones > gones);
    assert_string_equal(world.gone, "replaced");
    pair_close(world.peer, pair);
}

/* ---- two links, and a link started anew ---- */

/* kh dials th by the endpoint in th's page; both ends are real link processes. */
static void test_two_links_find_each_other(void **state)
{
    (void)state;
    struct process other = {0};
    size_t ups = world.ups;
    link_start(&other, "kh", -1);
    UNTIL(world.ups > ups);
    assert_string_equal(world.last.principal, PEER);
    assert_false(world.last.dialled);
    int home = local_connect(world.last.socket_path);
    say_hello(home);
    struct rg_link_event event = {0};
    while (event.kind != RG_LINK_UP) { /* READY, perhaps GONE, UP: blocking is fine, kh is alive */
        uint8_t bytes[2048];
        ssize_t len = recv(other.socket, bytes, sizeof(bytes), 0);
        assert_true(len > 0);
        assert_true(rg_is_ok(rg_link_event_decode(rg_bytes_of(bytes, (size_t)len), &event, NULL)));
    }
    assert_string_equal(event.principal, HOME);
    assert_true(event.dialled);
    int peer = local_connect(event.socket_path);
    say_hello(peer);
    uint8_t heard[sizeof(hello)];
    hear(home, heard, sizeof(heard));
    assert_memory_equal(heard, hello, sizeof(heard));
    hear(peer, heard, sizeof(heard));
    assert_int_equal(link_stop(&other), 0); /* its courier is gone: it ends by itself */
    UNTIL(world.ups == world.gones);
    (void)close(home);
    (void)close(peer);
    still_serves();
}

/* The courier's ROUTER lives on while link is killed and started anew. */
static void test_a_restarted_link_does_not_harm_the_courier(void **state)
{
    (void)state;
    struct rg_bus *bus = NULL;
    struct rg_socket *router = NULL;
    struct rg_reason why = {0};
    uint8_t start[4] = {0};
    assert_true(rg_is_ok(rg_bus_new(&bus, &why)));
    assert_true(rg_is_ok(rg_bus_router(bus, &router, &why)));
    for (int i = 0; i < 3; i++) {
        RG_OWNED_BUFFER bytes = {0};
        struct rg_session_id id;
        size_t ups = world.ups;
        size_t peer_ups = world.peer_ups;
        peer_dial(world.peer);
        UNTIL(world.ups > ups);
        assert_true(rg_is_ok(rg_bus_connect(router, world.id, world.last.socket_path, &why)));
        assert_memory_not_equal(world.id.b, start, 4);
        memcpy(start, world.id.b, 4);
        assert_true(rg_is_ok(rg_bus_send(router, world.id, RG_BYTES_LITERAL("hi"), &why)));
        UNTIL(world.peer_ups > peer_ups);
        int peer = local_connect(world.peer_path);
        say_hello_to_libzmq(peer);
        UNTIL(rg_is_ok(rg_bus_receive(router, &id, &bytes, NULL)));
        assert_memory_equal(id.b, world.id.b, sizeof(id.b));
        assert_int_equal(kill(world.home.pid, SIGKILL), 0);
        rg_loop_unwatch(world.loop, world.home.socket);
        assert_true(WIFSIGNALED(link_stop(&world.home)));
        size_t readies = world.readies;
        link_start(&world.home, "th", world.listener);
        assert_true(
            rg_is_ok(rg_loop_watch(world.loop, world.home.socket, event_take, &world.home, &why)));
        UNTIL(world.readies > readies && rg_sessions_count(world.peer) == 0);
        world.gones = world.ups; /* the killed one could not say so */
        (void)close(peer);
    }
    rg_socket_free(router);
    rg_bus_free(bus);
    still_serves();
}

/* ---- the world ---- */

static int world_open(void **state)
{
    (void)state;
    char command[512];
    struct rg_reason why = {0};
    (void)snprintf(world.folder, sizeof(world.folder), "/tmp/rg-link-XXXXXX");
    assert_non_null(mkdtemp(world.folder));
    (void)snprintf(world.pki, sizeof(world.pki), "%s/pki", world.folder);
    assert_true(rg_is_ok(rg_tcp_listen("127.0.0.1", 0, &world.listener, &world.port, &why)));
    (void)snprintf(command, sizeof(command),
                   "'%s/certs/dev-pki' '%s' --countries th,kh --base-port %u --hostile",
                   RG_SOURCE_DIR, world.pki, (unsigned)world.port);
    assert_int_equal(system(command), 0);
    world.loop = rg_loop_new();
    link_start(&world.home, "th", world.listener);
    assert_true(
        rg_is_ok(rg_loop_watch(world.loop, world.home.socket, event_take, &world.home, &why)));
    world.peer_identity = identity_read("kh/gateway-tls");
    world.peer = peer_open(&world.peer_identity);
    UNTIL(world.readies == 1);
    assert_int_equal(world.last.port, world.port);
    assert_int_equal(world.ups, 0);
    return 0;
}

static int world_close(void **state)
{
    (void)state;
    char command[128];
    int status = link_stop(&world.home);
    rg_sessions_free(world.peer);
    identity_drop(&world.peer_identity);
    rg_loop_free(world.loop);
    (void)close(world.listener);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", world.folder);
    return system(command) != 0 || status != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_wrong_certificate_has_its_reason_and_alert),
        cmocka_unit_test(test_only_neighbours_gateways_and_own_officers),
        cmocka_unit_test(test_no_certificate),
        cmocka_unit_test(test_tls_1_2),
        cmocka_unit_test(test_wrong_alpn),
        cmocka_unit_test(test_resumption_shows_the_certificate_again),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_endless_multipart),
        cmocka_unit_test(test_oversized_frame),
        cmocka_unit_test(test_a_forged_document_changes_nothing),
        cmocka_unit_test(test_an_order_to_close),
        cmocka_unit_test(test_two_links_find_each_other),
        cmocka_unit_test(test_dead_and_full_sessions_leave_no_memory),
        cmocka_unit_test(test_stopped_while_the_session_is_open),
        cmocka_unit_test(test_a_restarted_link_does_not_harm_the_courier),
    };
    return cmocka_run_group_tests_name("link", tests, world_open, world_close);
}
