/* How it works: global options first, then one verb from the table, then its own words. The home
 * folder is -C, else $REFERRAL_HOME, else ~/.referral. */
#include "client/cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verb_row {
    const char *name;
    verb run;
    const char *arguments;
    const char *help;
    bool alone; /* takes options only */
};

static const struct verb_row verbs[] = {
    {"import", do_import, "FILE.csv|FILE.json|-",
     "take cases in; one malformed row and nothing is imported", false},
    {"export", do_export, "[--format csv|json] [FILE]", "this office's own cases as a file", false},
    {"statistics", do_statistics, "[--by COLUMN[,COLUMN]] [--period YEAR] [--csv]",
     "counts in which no small group can be seen", true},
    {"send", do_send, "ID...|-|--all-waiting", "refer cases (an NGO proposes them)", false},
    {"forward", do_forward, "ID|MESSAGE...|-|--all-waiting",
     "send on what NGOs have proposed, or a desk has drafted", false},
    {"sync", do_sync, "[--until-quiet TIME]", "exchange everything with the gateway", true},
    {"cases", do_cases, "[--waiting us|them|all] [--overdue] [--state S]",
     "what each case waits for, most pressing first", true},
    {"search", do_search, "NAME [--first N]", "cases of people called so, in any script", false},
    {"list", do_list, "[--state STATE|--all-waiting]", "cases: what each waits for, whose move",
     true},
    {"show", do_show, "ID...|- [--proofs]", "one case from beginning to end", false},
    {"accept", do_accept, "ID...|-|--all-waiting", "say yes to referrals", false},
    {"decline", do_decline, "ID...|- --reason CODE [--text WORDS]", "say no, with the reason",
     false},
    {"write", do_write, "KIND CASE...|all [FILE|-] [--set NAME=VALUE]...",
     "any message, by its form", false},
    {"assign", do_assign, "MESSAGE --to DESK", "hand a message to one of our desks", false},
    {"redirect", do_redirect, "ID --to COUNTRY", "a declined case, for another country", false},
    {"drafts", do_drafts, "[MESSAGE]", "what waits to be forwarded or countersigned; one in full",
     false},
    {"countersign", do_countersign, "MESSAGE [--sign]", "read as the second officer; sign and send",
     false},
    {"gate", do_gate, "ID", "what is missing before a departure", false},
    {"withdraw", do_withdraw, "ID [--scopes S;S] [--erase] [--said-by WHO]",
     "the person takes back what she agreed to", false},
    {"claim", do_claim, "ID --open|--end [--second HOME]",
     "claim for protection: the origin is told nothing", false},
    {"link", do_link, "ID RELATIVE", "two cases of one family", false},
    {"notice", do_notice, "FILE.json", "give a notice to all countries", false},
    {"exclude", do_exclude, "ID WHO [--remove --second HOME] | ID --list",
     "who must not read of a case", false},
    {"notices", do_notices, "[--search TEXT] [--country CC] [--lang LL] [--current]",
     "laws, procedures, closed gates, hotlines", true},
    {"section", do_section, "ID N --sealed|--text", "one section: as it travelled, or to read",
     false},
    {"kinds", do_kinds, "[KIND]", "which messages there are, and what one of them holds", false},
    {"template", do_template, "KIND", "a message as JSON to fill in, with comments", false},
    {"status", do_status, "", "this office in numbers", true},
    {"journal", do_journal, "", "what left and what entered, line by line", true},
    {"verify", do_verify, "[ID...|--all]", "check stored proofs again", false},
    {"evidence", do_evidence, "ID [--output FOLDER]", "a folder that proves what happened", false},
    {"erase", do_erase, "ID...|-", "destroy what is kept about a case; proofs stay", false},
    {"hold", do_hold, "ID PART DATE --text BASIS --second HOME",
     "keep one part longer, on a legal ground; two officers", false},
    {"tidy", do_tidy, "[--dry-run]", "destroy what has been kept for its term", true},
};

#define ARGUMENTS_COLUMNS 38
/* Under the others. */
#define HELP_BELOW "\n                                                     "

static void help(FILE *out)
{
    (void)fputs("usage: referral [-C HOME] [--today YYYY-MM-DD] VERB [WORDS] [--json]\n\n", out);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        bool wide = strlen(verbs[i].arguments) > ARGUMENTS_COLUMNS;
        (void)fprintf(out, "  %-11s %-*s%s%s\n", verbs[i].name, ARGUMENTS_COLUMNS + 1,
                      verbs[i].arguments, wide ? HELP_BELOW : "", verbs[i].help);
    }
    (void)fputs("\nID is a case number, your own case_ref, or the first digits of a message id.\n"
                "--today is for exercises. More: man referral\n",
                out);
}

static bool verb_help(const struct verb_row *row, int argc, char **argv)
{
    for (int at = 0; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            (void)printf("usage: referral %s %s\n  %s. More: man referral\n", row->name,
                         row->arguments, row->help);
            return true;
        }
    }
    return false;
}

static const struct verb_row *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

struct global {
    const char *home;
    const char *today;
    int at; /* of the verb in argv */
};

/* 0, or the exit code; -1: everything is said already. */
static int global_read(struct global *global, int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "--help") == 0) {
            help(stdout);
            return -1;
        }
        if (strcmp(argv[at], "--version") == 0) {
            (void)printf("referral %s\n", referral_version());
            return -1;
        }
        bool home = strcmp(argv[at], "-C") == 0;
        bool today = strcmp(argv[at], "--today") == 0;
        if ((!home && !today) || at + 1 == argc) {
            return usage("unknown option before the verb; see: referral --help");
        }
        at++;
        global->home = home ? argv[at] : global->home;
        global->today = today ? argv[at] : global->today;
    }
    global->at = at;
    if (at == argc) {
        help(stderr);
        return REFERRAL_USAGE;
    }
    return 0;
}

static const char *home_default(char *room, size_t bytes)
{
    const char *home = getenv("REFERRAL_HOME");
    const char *user = getenv("HOME");
    if (home != NULL && home[0] != '\0') {
        return home;
    }
    (void)snprintf(room, bytes, "%s/.referral", user != NULL ? user : ".");
    return room;
}

/* The catalogue is in the library. */
static bool needs_home(const struct verb_row *row)
{
    return row->run != do_kinds && row->run != do_template;
}

/* What shows people says first that they are not real. */
static void exercise_say(const struct cli *cli, const struct verb_row *row,
                         const struct arguments *arguments)
{
    static const verb showing[] = {do_list,     do_show,       do_cases,  do_search,
                                   do_evidence, do_statistics, do_section};
    bool for_people = !cli->json && !arguments->csv && !arguments->sealed;
    for (size_t i = 0; i < sizeof(showing) / sizeof(showing[0]); i++) {
        if (row->run == showing[i] && referral_is_exercise(cli->office)) {
            (void)fputs("EXERCISE: nothing of this is real\n", for_people ? stdout : stderr);
        }
    }
}

static int run_at_home(struct cli *cli, const struct global *global, const struct verb_row *row,
                       struct arguments *arguments)
{
    struct referral_options options = {.today = global->today};
    struct referral_result result = referral_open(global->home, &options, &cli->office);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    exercise_say(cli, row, arguments);
    return row->run(cli, arguments);
}

static int run(const struct global *global, int argc, char **argv)
{
    struct cli cli = {.progress = isatty(STDERR_FILENO) != 0,
                      .colour = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL};
    struct arguments arguments = {0};
    const struct verb_row *row = verb_find(argv[global->at]);
    if (row == NULL) {
        return usage("unknown verb; see: referral --help");
    }
    if (verb_help(row, argc - global->at - 1, argv + global->at + 1)) {
        return 0;
    }
    arguments.raw_input = row->run == do_import || row->run == do_write;
    int code = arguments_read(&arguments, argc - global->at - 1, argv + global->at + 1, &cli);
    if (code == 0 && row->alone && arguments.count > 0) {
        code = usage("this verb takes no ids and no file; see: referral --help");
    }
    if (code == 0) {
        code = needs_home(row) ? run_at_home(&cli, global, row, &arguments)
                               : row->run(&cli, &arguments);
    }
    referral_close(cli.office);
    arguments_drop(&arguments);
    return code;
}

int main(int argc, char **argv)
{
    char room[1024];
    struct global global = {.home = home_default(room, sizeof(room))};
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk, not a death */
    int code = global_read(&global, argc, argv);
    if (code != 0) {
        return code < 0 ? 0 : code;
    }
    code = run(&global, argc, argv);
    if (fflush(stdout) != 0 && code == 0) {
        (void)fputs("referral: cannot write the output\n", stderr);
        return 74;
    }
    return code;
}
