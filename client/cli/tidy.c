/* How it works: a hold names everything in its words. The dry run prints each part of an ended case
 * with its day, soonest or not; the run itself says only how much has gone. */
#include "client/cli/cli.h"

#include <string.h>

static json_t *due_json(const struct referral_due *due)
{
    return json_pack("{ss so ss ss sI sb}", "id", due->case_id, "case_ref",
                     text_or_null(due->reference), "state", due->state, "class", due->class_name,
                     "due_ms", (json_int_t)due->due_ms, "due", (int)due->now);
}

static int due_list(struct cli *cli)
{
    static const char *const head[] = {"CASE", "OWN NUMBER", "ENDED AS", "PART", "DUE", ""};
    struct referral_cursor cursor = {0};
    struct referral_due due;
    struct referral_result result;
    struct table *table = cli->json ? NULL : table_new(head, 6);
    while ((result = referral_next_due(cli->office, &cursor, &due)).code == REFERRAL_OK) {
        char day[32];
        if (cli->json) {
            print_json(due_json(&due));
            continue;
        }
        print_time(due.due_ms, day);
        day[10] = '\0';
        const char *cell[] = {due.case_id,    due.reference, due.state,
                              due.class_name, day,           due.now ? "now" : ""};
        table_row(table, cell, due.state);
    }
    if (!cli->json) {
        table_print(table, cli);
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

static void tidied_print(const struct referral_tidied *tidied)
{
    (void)printf("%llu parts of %llu cases, %llu sections, sealed bytes of %llu messages, "
                 "%llu reading keys%s\n",
                 (unsigned long long)tidied->classes, (unsigned long long)tidied->cases,
                 (unsigned long long)tidied->sections, (unsigned long long)tidied->messages,
                 (unsigned long long)tidied->reading_keys,
                 tidied->key_replaced ? "; the casebook's key was replaced" : "");
}

static json_t *tidied_json(const struct referral_tidied *tidied)
{
    return json_pack("{sI sI sI sI sI sb}", "cases", (json_int_t)tidied->cases, "classes",
                     (json_int_t)tidied->classes, "sections", (json_int_t)tidied->sections,
                     "messages", (json_int_t)tidied->messages, "reading_keys",
                     (json_int_t)tidied->reading_keys, "key_replaced", (int)tidied->key_replaced);
}

int do_tidy(struct cli *cli, struct arguments *arguments)
{
    struct referral_tidied tidied;
    if (arguments->dry_run) {
        int code = due_list(cli);
        if (code != 0 || cli->json) {
            return code;
        }
        (void)printf("a run would destroy: ");
    }
    struct referral_result result = referral_tidy(cli->office, arguments->dry_run, &tidied);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (cli->json) {
        print_json(tidied_json(&tidied));
        return 0;
    }
    tidied_print(&tidied);
    return 0;
}

int do_hold(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count != 3 || arguments->text == NULL || arguments->second == NULL) {
        return usage("hold needs a case, a part (case, identity, family, health, legal, security), "
                     "the last day, --text with the legal basis and --second HOME");
    }
    const struct referral_hold asked = {.class_name = arguments->word[1],
                                        .until = arguments->word[2],
                                        .basis = arguments->text,
                                        .second_home = arguments->second};
    struct referral_result result = referral_hold(cli->office, arguments->word[0], &asked);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (!cli->json) {
        (void)printf("kept until %s\n", arguments->word[2]);
    }
    return 0;
}
