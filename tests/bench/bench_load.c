/*
 * A client that speaks the wire itself, with messages sealed beforehand, so that what is measured
 * is the gateways.
 *
 *   bench_load PKI FROM-COUNTRY TO-COUNTRY PORT fill COUNT          submit, until every ACCEPTED is
 * here bench_load PKI FROM-COUNTRY TO-COUNTRY PORT latency COUNT RATE  submit at RATE/s, until
 * every RECEIVED is here
 *
 * Prints "seconds S" (fill) or one "ms M" per message (latency): from Submit to the verified
 * receipt of the other country, as the sending office sees it.
 */
#include "core/bus.h"
#include "core/card.h"
#include "core/digest.h"
#include "core/seal.h"
#include "core/session.h"
#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { sealed_kinds = 32, window = 48 };

struct load {
    struct rg_loop *loop;
    struct rg_sessions *sessions;
    struct rg_bus *bus;
    struct rg_socket *router;
    struct rg_session_id id;
    char principal[RG_PRINCIPAL_BYTES];
    char expected[RG_PRINCIPAL_BYTES];
    char from[RG_OFFICE_BYTES], to[RG_OFFICE_BYTES], to_country[RG_COUNTRY_BYTES];
    bool up, hello;
    size_t count, submitted, accepted, received;
    uint64_t counter;
    struct rg_buffer sealed[sealed_kinds];
    struct rg_section_core section[sealed_kinds];
    struct rg_id *sent;
    double *sent_at_s, *latency_ms;
    uint64_t status_position;
};

static void die(const char *what, const struct rg_reason *why)
{
    (void)fprintf(stderr, "bench_load: %s: %s %s\n", what,
                  why != NULL && why->id != NULL ? why->id : "", why != NULL ? why->text : "");
    exit(1);
}

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        if (!rg_is_ok(call)) {                                                                     \
            die(#call, &why);                                                                      \
        }                                                                                          \
    } while (0)

static rg_outcome judge(void *context, struct rg_bytes der, struct rg_principal *out,
                        struct rg_reason *why)
{
    (void)context;
    RG_OWNED_CERTIFICATE *certificate = NULL;
    RG_TRY(rg_certificate_parse(der, &certificate, why));
    *out = *rg_certificate_principal(certificate);
    return rg_ok();
}

static void send_frame(struct load *load, const struct rg_frame *frame)
{
    RG_OWNED_BUFFER bytes = {0};
    MUST(rg_frame_encode(frame, &bytes, &why));
    while (rg_bus_send(load->router, load->id, rg_buffer_peek(&bytes), NULL).code == RG_AGAIN) {
        MUST(rg_loop_step(load->loop, 1, &why));
    }
}

static void say_hello(struct load *load)
{
    struct rg_frame frame = {.kind = RG_FRAME_HELLO};
    frame.hello.version = 1;
    (void)snprintf(frame.hello.principal, sizeof(frame.hello.principal), "%s", load->principal);
    (void)snprintf(frame.hello.device, sizeof(frame.hello.device), "bench-%d", (int)getpid());
    (void)snprintf(frame.hello.software, sizeof(frame.hello.software), "bench");
    send_frame(load, &frame);
}

static void on_up(void *context, const struct rg_session_up *up)
{
    struct load *load = context;
    load->id = up->id;
    load->up = true;
    MUST(rg_bus_connect(load->router, up->id, up->socket_path, &why));
}

static void on_gone(void *context, struct rg_session_id id, const char *reason)
{
    (void)context;
    (void)id;
    (void)fprintf(stderr, "bench_load: session gone: %s\n", reason);
    exit(1);
}

static void on_refused(void *context, bool dialled, const char *who, const struct rg_reason *why)
{
    (void)context;
    (void)dialled;
    (void)who;
    die("refused", why);
}

static void seal_beforehand(struct load *load, const struct rg_certificate *sign,
                            const struct rg_key *sign_key, size_t content_bytes)
{
    struct rg_certificate *reader[2] = {0};
    struct rg_key *reader_key[2] = {0};
    struct rg_wall now = {(int64_t)time(NULL) * 1000};
    for (int i = 0; i < 2; i++) {
        MUST(rg_reading_key_new(rg_certificate_principal(sign), now,
                                (struct rg_wall){now.ms + 86400000}, &reader_key[i], &reader[i],
                                &why));
    }
    uint8_t content[8192];
    struct rg_signer signer = {sign, sign_key};
    for (size_t i = 0; i < sealed_kinds; i++) {
        rg_random(content, content_bytes);
        struct rg_section section = {.content = rg_bytes_of(content, content_bytes)};
        rg_random(section.blinding, sizeof(section.blinding));
        size_t padded = rg_padded_size(rg_section_bytes(content_bytes));
        const struct rg_certificate *const readers[2] = {reader[0], reader[1]};
        MUST(rg_seal(&section, padded, &signer, 1, readers, 2, &load->sealed[i], &why));
        struct rg_hash commitment = rg_section_commitment(section.blinding, section.content);
        load->section[i] =
            (struct rg_section_core){.office_count = 1, .padded_bytes = (uint32_t)padded};
        memcpy(load->section[i].commitment, commitment.b, 32);
        (void)snprintf(load->section[i].office[0], RG_OFFICE_BYTES, "%s", load->to);
    }
    for (int i = 0; i < 2; i++) {
        rg_certificate_free(reader[i]);
        rg_key_free(reader_key[i]);
    }
}

static void submit_one(struct load *load)
{
    size_t kind = load->submitted % sealed_kinds;
    struct rg_wall now = {(int64_t)time(NULL) * 1000};
    struct rg_core core = {.version = 1,
                           .to_office_count = 1,
                           .author_counter = ++load->counter,
                           .priority = RG_ROUTINE,
                           .created = now,
                           .expires = {now.ms + 7LL * 86400000},
                           .collect_by = {now.ms + 14LL * 86400000},
                           .exercise = true,
                           .section_count = 1};
    (void)snprintf(core.from_office, sizeof(core.from_office), "%s", load->from);
    (void)snprintf(core.to_country, sizeof(core.to_country), "%s", load->to_country);
    (void)snprintf(core.to_office[0], sizeof(core.to_office[0]), "%s", load->to);
    rg_random(core.thread.b, sizeof(core.thread.b));
    core.section[0] = load->section[kind];
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    RG_OWNED_BUFFER envelope = {0};
    struct rg_bytes sealed = rg_buffer_peek(&load->sealed[kind]);
    struct rg_hash digest = rg_sha256(sealed);
    MUST(rg_core_encode(&core, &core_bytes, &why));
    MUST(rg_header_encode(rg_buffer_peek(&core_bytes), &digest, 1, &header, &why));
    MUST(rg_envelope_encode(rg_buffer_peek(&header), &sealed, 1, &envelope, &why));
    load->sent[load->submitted] = rg_header_id(rg_buffer_peek(&header));
    load->sent_at_s[load->submitted] = bench_now_s();
    load->submitted++;
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT,
                             .submit = {.envelope = rg_buffer_peek(&envelope)}};
    send_frame(load, &frame);
}

/* Messages are answered nearly in order: look from where the last one was found. */
static void note_received(struct load *load, const struct rg_id *id)
{
    for (size_t i = 0; i < load->submitted; i++) {
        size_t at = (load->received + i) % load->submitted;
        if (load->latency_ms[at] < 0 && memcmp(load->sent[at].b, id->b, 32) == 0) {
            load->latency_ms[at] = (bench_now_s() - load->sent_at_s[at]) * 1e3;
            load->received++;
            return;
        }
    }
}

static void note_entries(struct load *load, const struct rg_receipts *receipts)
{
    for (size_t i = 0; i < receipts->entry_count; i++) {
        struct rg_log_entry entry;
        MUST(rg_log_entry_decode(receipts->entry[i].log_entry, &entry, &why));
        load->accepted += entry.kind == RG_ENTRY_ACCEPTED;
        if (entry.kind == RG_ENTRY_REFUSED) {
            (void)fprintf(stderr, "bench_load: refused: %s\n", rg_refusal_row(entry.code)->name);
            exit(1);
        }
        if (entry.kind == RG_ENTRY_RECEIVED && entry.has_envelope_id) {
            note_received(load, &entry.envelope_id);
        }
    }
}

static void handle(struct load *load, const struct rg_frame *frame)
{
    if (frame->kind == RG_FRAME_HELLO) {
        load->hello = true;
        say_hello(load);
    }
    if (frame->kind == RG_FRAME_RECEIPTS) {
        note_entries(load, &frame->receipts);
    }
    if (frame->kind == RG_FRAME_STATUS) {
        note_entries(load, &frame->status.receipts);
        struct rg_frame seen = {.kind = RG_FRAME_STATUS_SEEN,
                                .status_seen = {.position = frame->status.position}};
        send_frame(load, &seen);
    }
    if (frame->kind == RG_FRAME_NOT_NOW || frame->kind == RG_FRAME_FAULT) {
        (void)fprintf(
            stderr, "bench_load: the gateway says %s\n",
            rg_refusal_row(frame->kind == RG_FRAME_FAULT ? frame->fault.code : frame->not_now.code)
                ->name);
        exit(1);
    }
}

static void receive_all(struct load *load)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_session_id id;
    while (rg_is_ok(rg_bus_receive(load->router, &id, &bytes, NULL))) {
        struct rg_frame frame = {0};
        MUST(rg_frame_decode(rg_buffer_peek(&bytes), &frame, &why));
        handle(load, &frame);
        rg_frame_drop(&frame);
        rg_buffer_clear(&bytes);
    }
}

static void step(struct load *load, int wait_ms)
{
    MUST(rg_loop_step(load->loop, wait_ms, &why));
    receive_all(load);
}

static void woken(void *context)
{
    (void)context;
}

static void connect_to(struct load *load, const struct rg_certificate *tls,
                       const struct rg_key *tls_key, const char *folder, uint16_t port)
{
    load->loop = rg_loop_new();
    struct rg_sessions_options options = {.certificate = tls,
                                          .key = tls_key,
                                          .socket_folder = folder,
                                          .context = load,
                                          .judge = judge,
                                          .up = on_up,
                                          .gone = on_gone,
                                          .refused = on_refused};
    MUST(rg_bus_new(&load->bus, &why));
    MUST(rg_bus_router(load->bus, &load->router, &why));
    MUST(rg_sessions_new(load->loop, &options, &load->sessions, &why));
    MUST(rg_loop_watch(load->loop, rg_bus_fd(load->router), woken, load, &why));
    MUST(rg_sessions_dial(load->sessions, "127.0.0.1", port, load->expected, &why));
    double until = bench_now_s() + 10;
    while (!load->hello) {
        step(load, 20);
        if (bench_now_s() > until) {
            die("no Hello", NULL);
        }
    }
}

static void run_fill(struct load *load)
{
    double start = bench_now_s();
    while (load->accepted < load->count) {
        while (load->submitted < load->count && load->submitted - load->accepted < 4 * window) {
            submit_one(load);
        }
        step(load, 5);
    }
    (void)printf("seconds %.3f\n", bench_now_s() - start);
}

static void run_latency(struct load *load, double rate)
{
    double start = bench_now_s();
    while (load->received < load->count) {
        while (load->submitted < load->count &&
               bench_now_s() - start >= (double)load->submitted / rate) {
            submit_one(load);
        }
        step(load, 1);
        if (bench_now_s() - start > 60 + (double)load->count / rate) {
            die("receipts are missing", NULL);
        }
    }
    for (size_t i = 0; i < load->count; i++) {
        (void)printf("ms %.3f\n", load->latency_ms[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 7) {
        (void)fprintf(
            stderr,
            "usage: bench_load PKI FROM TO PORT fill|latency COUNT [RATE [CONTENT-BYTES]]\n");
        return 64;
    }
    static struct load load;
    char path[512];
    struct rg_certificate *sign = NULL;
    struct rg_certificate *tls = NULL;
    struct rg_key *sign_key = NULL;
    struct rg_key *tls_key = NULL;
    const char *name[4] = {"sign.pem", "sign.key", "tls.pem", "tls.key"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s/focal/officer-1/%s", argv[1], argv[2], name[i]);
        if (i % 2 == 0) {
            MUST(rg_certificate_read(path, i == 0 ? &sign : &tls, &why));
            continue;
        }
        MUST(rg_key_read(path, i == 1 ? &sign_key : &tls_key, &why));
    }
    (void)snprintf(load.principal, sizeof(load.principal), "referral://%s/focal/officer-1",
                   argv[2]);
    (void)snprintf(load.expected, sizeof(load.expected), "referral://%s/gateway", argv[2]);
    (void)snprintf(load.from, sizeof(load.from), "%s/focal", argv[2]);
    (void)snprintf(load.to, sizeof(load.to), "%s/focal", argv[3]);
    (void)snprintf(load.to_country, sizeof(load.to_country), "%s", argv[3]);
    load.count = strtoul(argv[6], NULL, 10);
    load.counter = (uint64_t)time(NULL) * 1000000;
    load.sent = calloc(load.count, sizeof(*load.sent));
    load.sent_at_s = calloc(load.count, sizeof(double));
    load.latency_ms = calloc(load.count, sizeof(double));
    for (size_t i = 0; i < load.count; i++) {
        load.latency_ms[i] = -1;
    }
    seal_beforehand(&load, sign, sign_key, argc > 8 ? strtoul(argv[8], NULL, 10) : 3800);
    char folder[] = "/tmp/rg-bench-XXXXXX";
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    connect_to(&load, tls, tls_key, folder, (uint16_t)strtoul(argv[4], NULL, 10));
    if (strcmp(argv[5], "fill") == 0) {
        run_fill(&load);
    } else {
        run_latency(&load, argc > 7 ? strtod(argv[7], NULL) : 100);
    }
    (void)rmdir(folder);
    return 0;
}
