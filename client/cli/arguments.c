/* How it works: options may stand anywhere after the verb; `-` takes one id per line from standard
 * input. */
#include "client/cli/cli.h"

#include <stdlib.h>
#include <string.h>

#define IDS_MAX 1000000
#define LINE_BYTES 256

/* Room for one more word; NULL, with a sentence, when there is none. */
static char **word_slot(struct arguments *arguments)
{
    if (arguments->count >= IDS_MAX) {
        (void)usage("too many ids");
        return NULL;
    }
    if (arguments->count % 64 == 0) {
        size_t room = (arguments->count + 64) * sizeof(char *);
        char **grown = realloc(arguments->word, room);
        if (grown == NULL) {
            (void)usage("too many ids");
            return NULL;
        }
        arguments->word = grown;
    }
    return &arguments->word[arguments->count];
}

static int word_add(struct arguments *arguments, char *word)
{
    char **slot = word_slot(arguments);
    if (slot == NULL) {
        return REFERRAL_USAGE;
    }
    *slot = word;
    arguments->count++;
    return 0;
}

static int read_ids(struct arguments *arguments)
{
    char line[LINE_BYTES];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, " \t\r\n")] = '\0';
        if (line[0] == '\0') {
            continue;
        }
        char **slot = word_slot(arguments);
        if (slot == NULL || (*slot = strdup(line)) == NULL) {
            return REFERRAL_USAGE;
        }
        arguments->count++;
        arguments->read++;
    }
    return 0;
}

struct option_row {
    const char *name;
    bool *flag;
    const char **value;
};

static int option_take(const struct option_row *rows, size_t count, int argc, char **argv, int *at)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, argv[*at]) != 0) {
            continue;
        }
        /* --text is a flag of `section` and takes words for `decline`. */
        bool takes_value = rows[i].value != NULL && *at + 1 < argc && argv[*at + 1][0] != '-';
        if (rows[i].flag != NULL) {
            *rows[i].flag = true;
        }
        if (rows[i].flag == NULL && !takes_value) {
            return usage("an option needs a value; see: referral --help");
        }
        if (takes_value) {
            *rows[i].value = argv[++*at];
        }
        return 0;
    }
    return usage("unknown option; see: referral --help");
}

static int set_add(struct arguments *arguments, int argc, char **argv, int *at)
{
    if (*at + 1 >= argc || arguments->set_count == SETS_MAX) {
        return usage("--set needs name=value, at most 64 times");
    }
    arguments->set[arguments->set_count++] = argv[++*at];
    return 0;
}

int arguments_read(struct arguments *arguments, int argc, char **argv, struct cli *cli)
{
    const struct option_row rows[] = {
        {"--json", &cli->json, NULL},
        {"--all-waiting", &arguments->all_waiting, NULL},
        {"--all", &arguments->all, NULL},
        {"--sealed", &arguments->sealed, NULL},
        {"--sign", &arguments->sign, NULL},
        {"--proofs", &cli->proofs, NULL},
        {"--text", &arguments->text_form, &arguments->text},
        {"--reason", NULL, &arguments->reason},
        {"--output", NULL, &arguments->output},
        {"--until-quiet", NULL, &arguments->until_quiet},
        {"--state", NULL, &arguments->state},
        {"--waiting", NULL, &arguments->waiting},
        {"--first", NULL, &arguments->first},
        {"--overdue", &arguments->overdue, NULL},
        {"--remove", &arguments->remove, NULL},
        {"--list", &arguments->list, NULL},
        {"--open", &arguments->open, NULL},
        {"--end", &arguments->end, NULL},
        {"--dry-run", &arguments->dry_run, NULL},
        {"--second", NULL, &arguments->second},
        {"--vital", NULL, &arguments->vital},
        {"--scopes", NULL, &arguments->scopes},
        {"--said-by", NULL, &arguments->by_whom},
        {"--erase", &arguments->erase, NULL},
        {"--current", &arguments->current, NULL},
        {"--search", NULL, &arguments->search},
        {"--country", NULL, &arguments->country},
        {"--lang", NULL, &arguments->language},
        {"--csv", &arguments->csv, NULL},
        {"--format", NULL, &arguments->format},
        {"--by", NULL, &arguments->by},
        {"--period", NULL, &arguments->period},
        {"--answers", NULL, &arguments->answers},
        {"--movement", NULL, &arguments->movement},
        {"--to", NULL, &arguments->to},
    };
    int code = 0;
    for (int at = 0; at < argc && code == 0; at++) {
        if (strcmp(argv[at], "-") == 0) {
            arguments->from_input = true;
        }
        if (argv[at][0] != '-') {
            code = word_add(arguments, argv[at]);
        }
        bool set = strcmp(argv[at], "--set") == 0;
        if (set) {
            code = set_add(arguments, argc, argv, &at);
        }
        if (!set && argv[at][0] == '-' && argv[at][1] != '\0') {
            code = option_take(rows, sizeof(rows) / sizeof(rows[0]), argc, argv, &at);
        }
    }
    return code == 0 && arguments->from_input && !arguments->raw_input ? read_ids(arguments) : code;
}

void arguments_drop(struct arguments *arguments)
{
    for (size_t i = 0; i < arguments->read; i++) {
        free(arguments->word[arguments->count - 1 - i]);
    }
    free(arguments->word);
    *arguments = (struct arguments){0};
}

int arguments_ms(const char *text)
{
    static const struct {
        const char *unit;
        long ms;
    } unit[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"min", 60000}};
    char *end = NULL;
    long value = strtol(text, &end, 10);
    for (size_t i = 0; end != text && i < sizeof(unit) / sizeof(unit[0]); i++) {
        if (strcmp(end, unit[i].unit) == 0 && value >= 0 && value <= 3600000 / unit[i].ms) {
            return (int)(value * unit[i].ms);
        }
    }
    return -1;
}
