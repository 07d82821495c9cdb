/* How it works: each verb is one call of the library. What puts a protection in place works at once
 * and alone; what takes it back asks for --second, the home folder of another officer of this
 * office. */
#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

static int done(const struct cli *cli, const struct referral_result *result, const char *said)
{
    if (result->code != REFERRAL_OK) {
        return fail(result);
    }
    if (cli->json) {
        print_json(json_pack("{sb}", "done", 1));
        return 0;
    }
    (void)printf("%s\n", said);
    return 0;
}

/* ---- withdraw ---- */

int do_withdraw(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count != 1) {
        return usage("withdraw needs one case: referral withdraw ID [--scopes RETURN;FOLLOW_UP]");
    }
    const struct referral_withdrawal asked = {
        .scopes = arguments->scopes, .erase = arguments->erase, .said_by = arguments->by_whom};
    struct referral_written written;
    struct referral_result result =
        referral_withdraw(cli->office, arguments->word[0], &asked, &written);
    return done(cli, &result,
                result.code == REFERRAL_OK && strcmp(written.state, "here") == 0
                    ? "nothing of this case had left; what waited was taken out of the outbox"
                    : "it holds here from now on, and goes out before everything else: sync now");
}

/* ---- claim ---- */

int do_claim(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count != 1 || arguments->open == arguments->end) {
        return usage("claim needs one case and --open or --end [--second HOME]");
    }
    struct referral_result result =
        referral_claim(cli->office, arguments->word[0], arguments->open, arguments->second);
    return done(cli, &result,
                arguments->open ? "claim for protection: the country of origin is told nothing of "
                                  "this case from now on; your colleagues' devices know after "
                                  "the next sync of both: sync now"
                                : "the claim has ended; two officers have said so");
}

/* ---- link ---- */

int do_link(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count != 2) {
        return usage("link needs the cases of two relatives: referral link ID RELATIVE");
    }
    struct referral_result result =
        referral_link(cli->office, arguments->word[0], arguments->word[1]);
    return done(cli, &result, "linked: what is written in both from now on says so");
}

/* ---- exclude ---- */

static int exclusions_list(struct cli *cli, const char *id)
{
    static const char *const head[] = {"who", "put there by", "on"};
    struct referral_cursor cursor = {0};
    struct referral_exclusion one;
    struct referral_result result;
    json_t *all = json_array();
    struct table *table = table_new(head, 3);
    while ((result = referral_next_exclusion(cli->office, id, &cursor, &one)).code == REFERRAL_OK) {
        char when[32];
        print_time(one.at_ms, when);
        table_row(table, (const char *const[]){one.who, one.by, when}, "");
        (void)json_array_append_new(
            all, json_pack("{ss ss ss}", "who", one.who, "by", one.by, "at", when));
    }
    if (cli->json) {
        print_json(json_incref(all));
    }
    json_decref(all);
    if (!cli->json) {
        table_print(table, cli);
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

int do_exclude(struct cli *cli, struct arguments *arguments)
{
    if (arguments->list && arguments->count == 1) {
        return exclusions_list(cli, arguments->word[0]);
    }
    if (arguments->list || arguments->count != 2) {
        return usage("exclude needs a case and who: referral exclude ID WHO, or ID --list");
    }
    const char *id = arguments->word[0];
    const char *who = arguments->word[1];
    struct referral_result result =
        arguments->remove ? referral_exclude_end(cli->office, id, who, arguments->second)
                          : referral_exclude(cli->office, id, who);
    return done(cli, &result,
                arguments->remove ? "taken off the list; two officers have said so"
                                  : "from now on nothing of this case is sealed for them; "
                                    "colleagues cleared for security know after the next sync of "
                                    "both: sync now");
}

/* ---- notices ---- */

static void notice_json(const struct referral_notice *notice)
{
    char at[32];
    print_time(notice->at_ms, at);
    print_json(json_pack("{ss ss so ss ss ss ss so so sb sb ss}", "subject", notice->subject,
                         "country", notice->country, "point", text_or_null(notice->point), "from",
                         notice->from, "language", notice->language, "title", notice->title, "text",
                         notice->words, "valid_from", text_or_null(notice->valid_from), "valid_to",
                         text_or_null(notice->valid_to), "current", (int)notice->current,
                         "exercise", (int)notice->exercise, "at", at));
}

static void notice_print(const struct cli *cli, const struct referral_notice *notice)
{
    if (cli->json) {
        notice_json(notice);
        return;
    }
    (void)printf("%s%s %s%s%s  %s\n", notice->exercise ? "EXERCISE  " : "", notice->country,
                 notice->subject, notice->point[0] != '\0' ? " " : "", notice->point,
                 notice->title);
    (void)printf("  from %s%s%s, %s, given by %s [%s]\n", notice->valid_from,
                 notice->valid_to[0] != '\0' ? " to " : "", notice->valid_to,
                 notice->current ? "holds now" : "does not hold now", notice->from,
                 notice->language);
    (void)printf("  %s\n\n", notice->words);
}

int do_notices(struct cli *cli, struct arguments *arguments)
{
    const struct referral_notice_query query = {.search = arguments->search,
                                                .country = arguments->country,
                                                .language = arguments->language,
                                                .current = arguments->current};
    struct referral_cursor cursor = {0};
    struct referral_notice notice;
    struct referral_result result;
    size_t count = 0;
    while ((result = referral_next_notice(cli->office, &query, &cursor, &notice)).code ==
           REFERRAL_OK) {
        notice_print(cli, &notice);
        count++;
    }
    if (count == 0 && !cli->json) {
        (void)fputs("no such notice is kept here\n", stderr);
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

#define NOTICE_BYTES_MAX 65536

int do_notice(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count != 1) {
        return usage("notice needs one file; an empty one to fill in: referral template "
                     "PROCEDURE_NOTICE");
    }
    FILE *file = fopen(arguments->word[0], "r");
    char *json = file != NULL ? malloc(NOTICE_BYTES_MAX) : NULL;
    size_t bytes = json != NULL ? fread(json, 1, NOTICE_BYTES_MAX, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (bytes == 0 || bytes == NOTICE_BYTES_MAX) {
        free(json);
        return usage("the file cannot be read, is empty, or is too large");
    }
    size_t sent = 0;
    struct referral_result result = referral_notice_new(cli->office, json, bytes, &sent);
    free(json);
    if (result.code == REFERRAL_OK && !cli->json) {
        (void)printf("for %zu offices; it leaves with the next sync\n", sent);
        return 0;
    }
    return done(cli, &result, "");
}
