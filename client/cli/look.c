/* How it works: each verb walks a cursor of the library and prints what it is shown, as a table or
 * as JSON; nothing is kept but what a table needs. */
#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* ---- section, evidence, verify ---- */

/* FOLDER/3.der is the third section, as show counts them; what is erased has no file. */
static int section_write(const char *folder, unsigned long number, const uint8_t *data,
                         size_t bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%lu.der", folder, number);
    FILE *out = fopen(path, "wbx");
    bool written = out != NULL && fwrite(data, 1, bytes, out) == bytes;
    written = (out == NULL || fclose(out) == 0) && written;
    if (!written) {
        (void)fprintf(stderr, "referral: cannot write %s\n", path);
    }
    return written ? 0 : 74;
}

static int sections_write(struct cli *cli, const struct arguments *arguments)
{
    struct referral_result result = {.code = REFERRAL_OK};
    int code = 0;
    for (unsigned long number = 1; code == 0; number++) {
        uint8_t *data = NULL;
        size_t bytes = 0;
        result = referral_section(cli->office, arguments->word[0], number, REFERRAL_SEALED, &data,
                                  &bytes);
        if (result.code == REFERRAL_OK) {
            code = section_write(arguments->output, number, data, bytes);
            referral_free(data, bytes);
            continue;
        }
        if (strcmp(result.id, "section-unknown") == 0 && number > 1) {
            return 0;
        }
        code = strcmp(result.id, "message-gone") == 0 ? 0 : fail(&result);
    }
    return code;
}

int do_section(struct cli *cli, struct arguments *arguments)
{
    char *end = NULL;
    uint8_t *data = NULL;
    size_t bytes = 0;
    if (arguments->count == 1 && arguments->sealed && arguments->output != NULL) {
        return sections_write(cli, arguments);
    }
    if (arguments->count != 2 || arguments->sealed == arguments->text_form) {
        return usage("referral section ID N --sealed (DER) or --text; or section ID --sealed "
                     "--output FOLDER");
    }
    unsigned long number = strtoul(arguments->word[1], &end, 10);
    if (*end != '\0' || number == 0) {
        return usage("sections are counted from 1, see: referral show ID");
    }
    struct referral_result result =
        referral_section(cli->office, arguments->word[0], number,
                         arguments->sealed ? REFERRAL_SEALED : REFERRAL_TEXT, &data, &bytes);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    bool written = true;
    if (cli->json && arguments->text_form) {
        print_json(json_pack("{ss ss# si}", "id", arguments->word[0], "text", (const char *)data,
                             bytes, "section", (int)number));
    }
    if (!cli->json || arguments->sealed) {
        written = fwrite(data, 1, bytes, stdout) == bytes;
    }
    referral_free(data, bytes);
    return written ? 0 : 74;
}

int do_evidence(struct cli *cli, struct arguments *arguments)
{
    char folder[128];
    if (arguments->count != 1) {
        return usage("referral evidence ID [--output FOLDER]");
    }
    (void)snprintf(folder, sizeof(folder), "evidence-%.64s", arguments->word[0]);
    struct referral_case found;
    if (referral_case(cli->office, arguments->word[0], &found).code == REFERRAL_OK) {
        /* The folder is carried to others: our own reference stays out of its name. */
        (void)snprintf(folder, sizeof(folder), "evidence-%.64s", found.id);
    }
    const char *output = arguments->output != NULL ? arguments->output : folder;
    struct referral_result result = referral_evidence(cli->office, arguments->word[0], output);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (cli->json) {
        print_json(json_pack("{ss}", "folder", output));
        return 0;
    }
    (void)printf("written to %s; CHECK.md in each of its folders says how to check it\n", output);
    return 0;
}

int do_verify(struct cli *cli, struct arguments *arguments)
{
    struct referral_verified sum = {0};
    size_t count = arguments->count;
    for (size_t i = 0; i < (count == 0 ? 1 : count); i++) {
        struct referral_verified one = {0};
        const char *id = count == 0 ? NULL : arguments->word[i];
        struct referral_result result = referral_verify(cli->office, id, &one);
        if (result.code != REFERRAL_OK) {
            return fail(&result);
        }
        sum.checked += one.checked;
        sum.failed += one.failed;
    }
    if (cli->json) {
        print_json(json_pack("{sI sI}", "checked", (json_int_t)sum.checked, "failed",
                             (json_int_t)sum.failed));
    }
    if (!cli->json) {
        (void)printf("%llu proofs checked, %llu do not hold\n", (unsigned long long)sum.checked,
                     (unsigned long long)sum.failed);
    }
    return sum.failed == 0 ? 0 : REFERRAL_DENIED;
}

/* ---- journal ---- */

/* What the journal says of a message of ours: how far it is proven to have come. */
static const char *journal_state(const char *state)
{
    static const char *const word[][2] = {{"waiting", "queued"}, {"collected", "received"}};
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
        if (strcmp(word[i][0], state) == 0) {
            return word[i][1];
        }
    }
    return state;
}

static json_t *line_json(const struct referral_line *line)
{
    if (line->ours) {
        return json_pack("{ss ss si ss ss sb sI}", "dir", "out", "id", line->id, "kind",
                         line->kind_number, "state", journal_state(line->state), "to", line->to,
                         "opened", strcmp(line->state, "collected") == 0, "time_ms",
                         (json_int_t)line->time_ms);
    }
    return json_pack("{ss ss si sI sb ss ss sI}", "dir", "in", "id", line->id, "kind",
                     line->kind_number, "position", (json_int_t)line->position, "entered",
                     (int)line->entered, "state", line->state, "from", line->from, "time_ms",
                     (json_int_t)line->time_ms);
}

static void line_print(const struct referral_line *line)
{
    char time[32];
    print_time(line->time_ms, time);
    (void)printf("%s  %s  %.12s  %-20s %-10s %s%s\n", time, line->ours ? "out" : "in ", line->id,
                 line->kind, line->state, line->ours ? line->to : line->from,
                 line->entered ? "" : "  (again; not entered)");
}

int do_journal(struct cli *cli, struct arguments *arguments)
{
    struct referral_cursor cursor = {0};
    struct referral_line line;
    struct referral_result result;
    while ((result = referral_next_line(cli->office, &cursor, &line)).code == REFERRAL_OK) {
        /* For counting: one line per entry into the casebook. --all shows repeats as well. */
        if (cli->json && (line.entered || arguments->all)) {
            print_json(line_json(&line));
        }
        if (!cli->json) {
            line_print(&line);
        }
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

/* ---- status ---- */

static void count_up(json_t *counts, const char *name)
{
    json_t *old = json_object_get(counts, name);
    (void)json_object_set_new(counts, name, json_integer(json_integer_value(old) + 1));
}

static void count_corridor(json_t *corridors, const struct referral_case *found)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "%.10s-%.10s", found->host, found->origin);
    json_t *corridor = json_object_get(corridors, name);
    if (corridor == NULL) {
        corridor = json_object();
        (void)json_object_set_new(corridors, name, corridor);
    }
    bool answered = strcmp(found->state, "accepted") == 0 || found->details_sent;
    count_up(corridor, found->state);
    const struct {
        const char *name;
        bool is;
    } stage[] = {
        {"sent", true},
        {"received", found->receipt_verified},
        {"opened", found->opened_there},
        {"accepted", answered && strcmp(found->state, "accepted") != 0},
        {"identity_released",
         found->details_opened && strcmp(found->state, "identity_released") != 0},
    };
    for (size_t i = 0; i < sizeof(stage) / sizeof(stage[0]); i++) {
        if (stage[i].is) {
            count_up(corridor, stage[i].name);
        }
    }
}

/* Sent across a border by this office. */
static bool was_sent(const struct referral_case *found)
{
    return strcmp(found->side, "host") == 0 && strcmp(found->state, "held") != 0 &&
           strcmp(found->state, "ready") != 0;
}

static void count_all(struct cli *cli, json_t *object)
{
    json_t *states = json_object();
    json_t *corridors = json_object();
    json_t *reasons = json_object();
    struct referral_cursor cursor = {0};
    struct referral_case found;
    while (referral_next_case(cli->office, &cursor, &found).code == REFERRAL_OK) {
        count_up(states, found.state);
        if (strcmp(found.state, "held") == 0) {
            count_up(reasons, found.reason_id);
        }
        if (was_sent(&found)) {
            count_corridor(corridors, &found);
        }
    }
    (void)json_object_set_new(object, "by_state", states);
    (void)json_object_set_new(object, "by_corridor", corridors);
    (void)json_object_set_new(object, "held_by_reason", reasons);
}

static json_t *status_json(const struct referral_status *status)
{
    const struct {
        const char *name;
        uint64_t value;
    } number[] = {
        {"cases", status->cases},           {"held", status->held},
        {"ready", status->ready},           {"our_move", status->our_move},
        {"their_move", status->their_move}, {"sent", status->sent},
        {"received", status->received},     {"receipts_verified", status->received},
        {"opened", status->opened},         {"accepted", status->accepted},
        {"declined", status->declined},     {"identity_released", status->identity_released},
        {"outbox", status->outbox},         {"unproven", status->unproven},
        {"unopened", status->unopened},     {"refused", status->refused},
        {"deliveries", status->deliveries}, {"duplicates", status->duplicates},
        {"proofs", status->proofs},
    };
    json_t *object =
        json_pack("{ss ss ss sb}", "office", status->office, "principal", status->principal,
                  "gateway", status->gateway, "exercise", (int)status->exercise);
    for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++) {
        (void)json_object_set_new(object, number[i].name,
                                  json_integer((json_int_t)number[i].value));
    }
    return object;
}

static void status_print(const struct referral_status *status)
{
    char key[32];
    char page[32];
    char sync[32];
    print_time(status->reading_key_until_ms, key);
    print_time(status->page_valid_until_ms, page);
    print_time(status->last_sync_ms, sync);
    (void)printf("%s, gateway %s%s\n", status->principal, status->gateway,
                 status->exercise ? "  (exercise)" : "");
    (void)printf("cases        %llu: %llu held, %llu may be sent, %llu are our move, %llu theirs\n",
                 (unsigned long long)status->cases, (unsigned long long)status->held,
                 (unsigned long long)status->ready, (unsigned long long)status->our_move,
                 (unsigned long long)status->their_move);
    (void)printf("referred     %llu: %llu received, %llu opened, %llu accepted, %llu declined\n",
                 (unsigned long long)status->sent, (unsigned long long)status->received,
                 (unsigned long long)status->opened, (unsigned long long)status->accepted,
                 (unsigned long long)status->declined);
    (void)printf("messages     %llu wait for the gateway, %llu have no receipt yet, %llu could not "
                 "be opened\n",
                 (unsigned long long)status->outbox, (unsigned long long)status->unproven,
                 (unsigned long long)status->unopened);
    (void)printf("deliveries   %llu, entered twice %llu; %llu proofs held\n",
                 (unsigned long long)status->deliveries, (unsigned long long)status->duplicates,
                 (unsigned long long)status->proofs);
    (void)printf("reading key  %s%s\n", key[0] != '\0' ? "until " : "none yet: referral sync", key);
    (void)printf("our page     valid until %s\n", page);
    (void)printf("last sync    %s\n", sync[0] != '\0' ? sync : "never");
}

int do_status(struct cli *cli, struct arguments *arguments)
{
    struct referral_status status;
    (void)arguments;
    struct referral_result result = referral_status(cli->office, &status);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (!cli->json) {
        status_print(&status);
        return 0;
    }
    json_t *object = status_json(&status);
    count_all(cli, object);
    print_json(object);
    return 0;
}
