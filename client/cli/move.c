/* How it works: a verb with many ids works through them in durable steps of BATCH; one that fails
 * is said and does not stop the others; the exit code is that of the first failure. */
#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH 200

/* ---- many ids ---- */

struct many {
    struct cli *cli;
    struct arguments *arguments;
    struct referral_result (*act)(struct many *many, const char *id);
    bool (*waits)(const struct referral_case *found); /* for --all-waiting */
    size_t done, failed, forwarded;
    size_t kept, kept_forwarded; /* of these, what is durable */
    int code;
};

static void act_on(struct many *many, const char *id, bool forwarded)
{
    struct referral_result result = many->act(many, id);
    if (result.code == REFERRAL_OK) {
        many->done++;
        many->forwarded += forwarded;
        return;
    }
    many->failed++;
    (void)fprintf(stderr, "%s: ", id);
    int code = fail(&result);
    many->code = many->code == 0 ? code : many->code;
}

static int step_ended(struct many *many)
{
    struct referral_result result = referral_commit(many->cli->office);
    if (result.code != REFERRAL_OK) {
        many->done = many->kept;
        many->forwarded = many->kept_forwarded;
        return fail(&result);
    }
    many->kept = many->done;
    many->kept_forwarded = many->forwarded;
    return 0;
}

static int begin(struct many *many)
{
    struct referral_result result = referral_begin(many->cli->office);
    return result.code == REFERRAL_OK ? 0 : fail(&result);
}

static int act_named(struct many *many)
{
    int code = begin(many);
    for (size_t i = 0; i < many->arguments->count && code == 0; i++) {
        act_on(many, many->arguments->word[i], false);
        if ((i + 1) % BATCH == 0) {
            code = step_ended(many);
            code = code == 0 ? begin(many) : code;
        }
    }
    return code == 0 ? step_ended(many) : code;
}

static int act_waiting(struct many *many)
{
    struct referral_cursor cursor = {0};
    struct referral_case found;
    int code = begin(many);
    size_t seen = 0;
    while (code == 0 &&
           referral_next_case(many->cli->office, &cursor, &found).code == REFERRAL_OK) {
        char id[REFERRAL_CASE_BYTES];
        if (!many->waits(&found)) {
            continue;
        }
        (void)snprintf(id, sizeof(id), "%s", found.id);
        act_on(many, id, found.proposed_by[0] != '\0');
        if (++seen % BATCH == 0) {
            code = step_ended(many);
            code = code == 0 ? begin(many) : code;
        }
    }
    return code == 0 ? step_ended(many) : code;
}

static int act_all(struct many *many)
{
    const struct arguments *given = many->arguments;
    if (given->count == 0 && !given->all_waiting && !given->from_input) {
        return usage("name the cases, or - to read ids from standard input, or --all-waiting");
    }
    int code = given->all_waiting ? act_waiting(many) : act_named(many);
    return code != 0 ? code : many->code;
}

/* ---- send, forward ---- */

static struct referral_result act_send(struct many *many, const char *id)
{
    return referral_send(many->cli->office, id);
}

static bool waits_to_go(const struct referral_case *found)
{
    return strcmp(found->state, "ready") == 0;
}

static bool waits_to_be_forwarded(const struct referral_case *found)
{
    return waits_to_go(found) && found->proposed_by[0] != '\0';
}

/* A message id is a desk's or an NGO's draft; everything else is a case that an NGO proposed. */
static struct referral_result act_forward(struct many *many, const char *id)
{
    struct referral_written written;
    bool message = strlen(id) >= 12 && id[strspn(id, "0123456789abcdef")] == '\0';
    return message ? referral_forward(many->cli->office, id, &written)
                   : referral_send(many->cli->office, id);
}

static int send_with(struct cli *cli, struct arguments *arguments,
                     struct referral_result (*act)(struct many *many, const char *id),
                     bool (*waits)(const struct referral_case *found))
{
    struct many many = {.cli = cli, .arguments = arguments, .act = act, .waits = waits};
    int code = act_all(&many);
    if (cli->json) {
        print_json(json_pack("{sI sI sI}", "queued", (json_int_t)many.done, "forwarded",
                             (json_int_t)many.forwarded, "failed", (json_int_t)many.failed));
        return code;
    }
    (void)printf("%zu queued (%zu of them proposed by NGOs), %zu not sent\n", many.done,
                 many.forwarded, many.failed);
    return code;
}

int do_send(struct cli *cli, struct arguments *arguments)
{
    return send_with(cli, arguments, act_send, waits_to_go);
}

int do_forward(struct cli *cli, struct arguments *arguments)
{
    return send_with(cli, arguments, act_forward, waits_to_be_forwarded);
}

/* ---- accept, decline, erase ---- */

static struct referral_result act_accept(struct many *many, const char *id)
{
    return referral_accept(many->cli->office, id);
}

static struct referral_result act_decline(struct many *many, const char *id)
{
    return referral_decline(many->cli->office, id, many->arguments->reason, many->arguments->text);
}

static struct referral_result act_erase(struct many *many, const char *id)
{
    return referral_erase(many->cli->office, id);
}

static bool waits_for_answer(const struct referral_case *found)
{
    return strcmp(found->side, "origin") == 0 && strcmp(found->state, "referred") == 0;
}

static int told(const struct many *many, const char *word, int code)
{
    if (many->cli->json) {
        print_json(
            json_pack("{sI sI}", word, (json_int_t)many->done, "failed", (json_int_t)many->failed));
        return code;
    }
    (void)printf("%zu %s, %zu not\n", many->done, word, many->failed);
    return code;
}

static int answer(struct many *many, const char *word)
{
    int code = act_all(many);
    return told(many, word, code);
}

int do_accept(struct cli *cli, struct arguments *arguments)
{
    struct many many = {
        .cli = cli, .arguments = arguments, .act = act_accept, .waits = waits_for_answer};
    return answer(&many, "accepted");
}

int do_decline(struct cli *cli, struct arguments *arguments)
{
    struct many many = {
        .cli = cli, .arguments = arguments, .act = act_decline, .waits = waits_for_answer};
    if (arguments->reason == NULL) {
        return usage("decline needs --reason CODE: NOT_OUR_NATIONAL, NO_CAPACITY, UNSAFE_HERE, "
                     "CONSENT_MISSING, INCOMPLETE, DUPLICATE_OF, CONFLICT_OF_INTEREST, "
                     "NO_LEGAL_BASIS or OTHER (with --text)");
    }
    return answer(&many, "declined");
}

int do_erase(struct cli *cli, struct arguments *arguments)
{
    struct many many = {.cli = cli, .arguments = arguments, .act = act_erase};
    if (arguments->all_waiting) {
        return usage("erase takes ids only");
    }
    /* One step: the casebook's key is replaced once, not case by case. */
    struct referral_result result = referral_begin(cli->office);
    int code = result.code == REFERRAL_OK ? act_all(&many) : fail(&result);
    if (result.code == REFERRAL_OK) {
        result = referral_commit(cli->office);
        code = result.code == REFERRAL_OK ? code : fail(&result);
    }
    return result.code == REFERRAL_OK ? told(&many, "erased", code) : code;
}

/* ---- sync ---- */

static void show_progress(void *context, const struct referral_moved *moved)
{
    static unsigned calls;
    (void)context;
    if (calls++ % 4 == 0) {
        (void)fprintf(stderr,
                      "\r\033[K%s  out %llu accepted %llu received %llu  in %llu opened %llu",
                      moved->up ? "connected" : "connecting", (unsigned long long)moved->submitted,
                      (unsigned long long)moved->accepted, (unsigned long long)moved->received,
                      (unsigned long long)moved->delivered, (unsigned long long)moved->opened);
    }
}

static json_t *moved_json(const struct referral_moved *moved)
{
    const struct {
        const char *name;
        uint64_t value;
    } number[] = {
        {"submitted", moved->submitted},
        {"accepted", moved->accepted},
        {"refused", moved->refused},
        {"received", moved->received},
        {"collected", moved->collected},
        {"delivered", moved->delivered},
        {"repeated", moved->repeated},
        {"opened", moved->opened},
        {"unopened", moved->unopened},
        {"acknowledged", moved->acknowledged},
        {"details_sent", moved->details_sent},
        {"relayed", moved->relayed},
        {"documents", moved->documents},
        {"proofs_verified", moved->proofs},
        {"proofs_failed", moved->proofs_failed},
        {"waiting", moved->outbox},
        {"unproven", moved->unproven},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        (void)json_object_set_new(object, number[i].name,
                                  json_integer((json_int_t)number[i].value));
    }
    return object;
}

static void sync_print(const struct referral_moved *moved)
{
    (void)printf("out: %llu handed over, %llu accepted, %llu received there, %llu opened there\n",
                 (unsigned long long)moved->submitted, (unsigned long long)moved->accepted,
                 (unsigned long long)moved->received, (unsigned long long)moved->collected);
    (void)printf("in:  %llu new, %llu opened, %llu could not be opened\n",
                 (unsigned long long)moved->delivered, (unsigned long long)moved->opened,
                 (unsigned long long)moved->unopened);
    (void)printf("%llu proofs verified; %llu messages still wait for the gateway\n",
                 (unsigned long long)moved->proofs, (unsigned long long)moved->outbox);
}

int do_sync(struct cli *cli, struct arguments *arguments)
{
    struct referral_moved moved = {0};
    struct referral_sync_options options = {.progress = cli->progress ? show_progress : NULL};
    if (arguments->until_quiet != NULL) {
        options.until_quiet_ms = arguments_ms(arguments->until_quiet);
    }
    if (options.until_quiet_ms < 0) {
        return usage("--until-quiet needs a time, as 400ms, 2s or 1min");
    }
    struct referral_result result = referral_sync(cli->office, &options, &moved);
    if (cli->progress) {
        (void)fputs("\r\033[K", stderr);
    }
    if (moved.alarm[0] != '\0') {
        (void)fprintf(stderr, "referral: please look: %s\n", moved.alarm);
    }
    if (cli->json) {
        print_json(moved_json(&moved));
    }
    if (!cli->json && result.code == REFERRAL_OK) {
        sync_print(&moved);
    }
    return result.code == REFERRAL_OK ? 0 : fail(&result);
}
