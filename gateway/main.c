/*
 * referral-gateway - a national gateway for referral messages. See referral-gateway(8).
 *
 * How it works: a table of commands; everything a command does is in a module of its own.
 */
#include "core/buffer.h"
#include "gateway/audit.h"
#include "gateway/check.h"
#include "gateway/config.h"
#include "gateway/event.h"
#include "gateway/ops.h"
#include "gateway/sandbox.h"
#include "gateway/supervise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifndef RG_VERSION
#define RG_VERSION "0.1.0"
#endif

enum { EXIT_USAGE = 64, EXIT_AWAY = 69, EXIT_SOFTWARE = 70, EXIT_CONFIG = 78 };
#define ASK_MS 5000

struct arguments {
    const char *config_path;
    bool json, checkpoint, verify, forks, verbose;
    int ready_fd;
};

static const char help_text[] =
    "usage: referral-gateway COMMAND -c FILE [option]\n"
    "\n"
    "  run     run the gateway in the foreground; log lines go to standard error\n"
    "            --ready-fd N   write the port to descriptor N once it is ready\n"
    "            --verbose      debug events too\n"
    "  check   is the config right, do keys, certificates and trust documents fit?\n"
    "  status  how is the running gateway?   --json\n"
    "  log     the entries of the log        --json\n"
    "            --checkpoint   the newest signed head as a C2SP note\n"
    "            --verify       compute the whole tree again and compare it with the head\n"
    "            --forks        what others have signed twice: both texts, as proof\n"
    "  epoch   start a new epoch of the log; only when the notary refuses for good\n"
    "  events  every log event, what it means and what to do\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "exit status: 0 done, 64 usage, 69 the gateway is away, 70 failed, 78 config\n";

static int fail(int status, const struct rg_reason *why)
{
    (void)fprintf(stderr, "referral-gateway: %s (%s)\n", why->text, why->id);
    return status;
}

static int status_of(rg_outcome outcome)
{
    return outcome.code == RG_IO ? EXIT_AWAY : EXIT_SOFTWARE;
}

static int command_run(const struct rg_config *config, const struct arguments *arguments)
{
    if (arguments->verbose) {
        rg_event_level(RG_LEVEL_DEBUG);
    }
    return rg_supervise(config, &(struct rg_supervise){.ready_fd = arguments->ready_fd});
}

static int command_check(const struct rg_config *config, const struct arguments *arguments)
{
    struct timespec now;
    (void)arguments;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct rg_wall wall = {.ms = (int64_t)now.tv_sec * 1000};
    (void)printf("ok     config %s\n", config->file);
    size_t wrong = rg_check(config, wall, stdout);
    if (wrong == 0) {
        (void)printf("all is well\n");
        return 0;
    }
    (void)printf("%zu thing%s wrong\n", wrong, wrong == 1 ? " is" : "s are");
    return EXIT_CONFIG;
}

/* Resident memory in KiB, 0 when the process is gone. */
static uint64_t resident_kib(int64_t pid)
{
    char path[64];
    char line[256];
    uint64_t kib = 0;
    (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmRSS: %" SCNu64, &kib) == 1) {
            break;
        }
    }
    (void)fclose(file);
    return kib;
}

static void print_processes(const struct rg_config *config, bool json)
{
    struct rg_process process[8];
    size_t count = 0;
    uint64_t sum = 0;
    if (!rg_is_ok(rg_processes_read(config, process, 8, &count, NULL))) {
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t kib = resident_kib(process[i].pid);
        sum += kib;
        (void)printf(json ? "%s{\"name\":\"%s\",\"pid\":%" PRId64 ",\"rss_kib\":%" PRIu64 "}"
                          : "%sprocess    %-8s pid %" PRId64 ", %" PRIu64 " KiB\n",
                     json && i > 0 ? "," : "", process[i].name, process[i].pid, kib);
    }
    (void)printf(json ? "],\"rss_kib\":%" PRIu64 "}\n" : "memory     %" PRIu64 " KiB\n", sum);
}

static int command_status(const struct rg_config *config, const struct arguments *arguments)
{
    RG_CLEANUP(rg_ops_answer_drop) struct rg_ops_answer answer = {0};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_ops_ask(rg_config_status_path(config).text, ASK_MS, &answer, &why);
    if (!rg_is_ok(outcome)) {
        return fail(EXIT_AWAY, &why);
    }
    const struct rg_buffer *part = &answer.part[arguments->json ? RG_OPS_JSON : RG_OPS_TEXT];
    if (arguments->json) {
        (void)printf("{\"gateway\":%.*s,\"processes\":[", (int)part->len, (const char *)part->data);
    }
    if (!arguments->json) {
        (void)printf("%.*s", (int)part->len, (const char *)part->data);
    }
    print_processes(config, arguments->json);
    return 0;
}

static int print_checkpoint(const struct rg_config *config)
{
    RG_OWNED_BUFFER note = {0};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_audit_checkpoint(config, &note, &why);
    if (!rg_is_ok(outcome)) {
        return fail(status_of(outcome), &why);
    }
    (void)fwrite(note.data, 1, note.len, stdout);
    return 0;
}

static int print_verdict(const struct rg_config *config)
{
    struct rg_audit_report report = {0};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_audit_verify(config, &report, &why);
    if (!rg_is_ok(outcome)) {
        return fail(EXIT_SOFTWARE, &why);
    }
    (void)printf("%" PRIu64 " entries (%" PRIu64 " destroyed), %" PRIu64 " tiles: sound\n",
                 report.size, report.destroyed, report.tiles);
    if (!report.has_head) {
        (void)printf("no gateway runs, so there was no signed head to compare with\n");
        return 0;
    }
    (void)printf("signed head of %" PRIu64 " entries, %s: matches\n", report.head.size,
                 report.head.origin);
    return 0;
}

static int print_forks(const struct rg_config *config)
{
    size_t count = 0;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_audit_forks(config, stdout, &count, &why);
    if (!rg_is_ok(outcome)) {
        return fail(EXIT_SOFTWARE, &why);
    }
    if (count == 0) {
        (void)printf("nobody has shown two heads or two documents that contradict each other\n");
    }
    return 0;
}

static int command_log(const struct rg_config *config, const struct arguments *arguments)
{
    struct rg_reason why = {0};
    if (arguments->checkpoint) {
        return print_checkpoint(config);
    }
    if (arguments->forks) {
        return print_forks(config);
    }
    if (arguments->verify) {
        return print_verdict(config);
    }
    enum rg_audit_form form = arguments->json ? RG_AUDIT_JSON : RG_AUDIT_TABLE;
    rg_outcome outcome = rg_audit_print(config, form, stdout, &why);
    return rg_is_ok(outcome) ? 0 : fail(EXIT_SOFTWARE, &why);
}

static int command_epoch(const struct rg_config *config, const struct arguments *arguments)
{
    uint64_t epoch = 0;
    struct rg_reason why = {0};
    (void)arguments;
    if (!rg_is_ok(rg_supervise_epoch(config, &epoch, &why))) {
        return fail(EXIT_SOFTWARE, &why);
    }
    (void)printf("epoch %" PRIu64 " begins with the next start; partners show this mark for ever\n",
                 epoch);
    return 0;
}

static int print_events(void)
{
    for (unsigned i = 0; i < RG_EVENT_COUNT; i++) {
        const struct rg_event_row *row = rg_event_row((enum rg_event_id)i);
        (void)printf("%-18s %-5s  %s\n%-26s%s\n", row->id, rg_level_name(row->level), row->meaning,
                     "", row->what_next);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const struct rg_config *config, const struct arguments *arguments);
} commands[] = {
    {"run", command_run}, {"check", command_check}, {"status", command_status},
    {"log", command_log}, {"epoch", command_epoch},
};

static int usage(const char *what, const char *about)
{
    (void)fprintf(stderr, "referral-gateway: %s%s%s; see referral-gateway --help\n", what,
                  about[0] == '\0' ? "" : ": ", about);
    return EXIT_USAGE;
}

/* The number of arguments that the option at `argument` takes up; 0: there is no such option. */
static int read_option(char *const *argument, int left, struct arguments *out)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--json", &out->json},
                 {"--checkpoint", &out->checkpoint},
                 {"--verify", &out->verify},
                 {"--forks", &out->forks},
                 {"--verbose", &out->verbose}};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (strcmp(argument[0], flags[i].name) == 0) {
            *flags[i].flag = true;
            return 1;
        }
    }
    if (left < 2) {
        return 0;
    }
    if (strcmp(argument[0], "-c") == 0 || strcmp(argument[0], "--config") == 0) {
        out->config_path = argument[1];
        return 2;
    }
    if (strcmp(argument[0], "--ready-fd") == 0) {
        char *end = NULL;
        long fd = strtol(argument[1], &end, 10);
        out->ready_fd = (int)fd;
        return *end == '\0' && fd > STDERR_FILENO && fd < 65536 ? 2 : 0;
    }
    return 0;
}

static int run_command(size_t which, const struct arguments *arguments)
{
    struct rg_config config;
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_config_read(arguments->config_path, &config, &why))) {
        return fail(EXIT_CONFIG, &why);
    }
    int status = commands[which].run(&config, arguments);
    return fflush(stdout) == 0 || status != 0 ? status : EXIT_SOFTWARE;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.ready_fd = -1};
    if (argc < 2) {
        return usage("which command?", "");
    }
    const char *last = argv[argc - 1];
    if (strcmp(last, "--help") == 0 || strcmp(last, "-h") == 0) {
        (void)fputs(help_text, stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("referral-gateway %s\n", RG_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "events") == 0) {
        return print_events();
    }
    for (int at = 2; at < argc;) {
        int taken = read_option(&argv[at], argc - at, &arguments);
        if (taken == 0) {
            return usage("what is this?", argv[at]);
        }
        at += taken;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) != 0) {
            continue;
        }
        if (arguments.config_path == NULL) {
            return usage("which config? -c FILE is missing", "");
        }
        return run_command(i, &arguments);
    }
    return usage("there is no such command", argv[1]);
}
