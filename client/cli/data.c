/*
 * How it works: a file comes in whole and is named as the user named it; its problems are listed
 * place by place. An export goes out case by case into a file that is new and that nobody else can
 * read; one that breaks off is taken away again.
 */
#include "client/cli/cli.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define INPUT_BYTES_MAX (41u << 20) /* a little more than the library takes: it says no */

/* ---- import ---- */

static void count_reason(json_t *counts, const char *reason)
{
    json_t *old = json_object_get(counts, reason);
    (void)json_object_set_new(counts, reason, json_integer(json_integer_value(old) + 1));
}

static json_t *held_by_reason(struct cli *cli)
{
    json_t *counts = json_object();
    struct referral_cursor cursor = {0};
    struct referral_case found;
    while (referral_next_case(cli->office, &cursor, &found).code == REFERRAL_OK) {
        if (strcmp(found.state, "held") == 0) {
            count_reason(counts, found.reason_id);
        }
    }
    return counts;
}

static json_t *problem_json(const struct referral_problem *problem)
{
    return json_pack("{sI so ss sb}", "line", (json_int_t)problem->line, "column",
                     text_or_null(problem->column), "text", problem->text, "warning",
                     (int)problem->warning);
}

static json_t *problems_json(struct cli *cli)
{
    json_t *list = json_array();
    struct referral_cursor cursor = {0};
    struct referral_problem problem;
    while (referral_next_import_problem(cli->office, &cursor, &problem).code == REFERRAL_OK) {
        (void)json_array_append_new(list, problem_json(&problem));
    }
    return list;
}

/* FILE:LINE: column NAME: ..., as compilers do, so that editors find the place. */
static void problems_print(struct cli *cli, const char *file,
                           const struct referral_imported *counts)
{
    struct referral_cursor cursor = {0};
    struct referral_problem problem;
    size_t shown = 0;
    while (referral_next_import_problem(cli->office, &cursor, &problem).code == REFERRAL_OK) {
        (void)fprintf(stderr, "%s:%zu: %s%s%s%s\n", file, problem.line,
                      problem.warning ? "please look: " : "", problem.column,
                      problem.column[0] != '\0' ? ": " : "", problem.text);
        shown++;
    }
    size_t more = counts->errors + counts->warnings - shown;
    if (more > 0) {
        (void)fprintf(stderr, "%s: and %zu more\n", file, more);
    }
}

static void import_print(struct cli *cli, const struct referral_imported *counts)
{
    json_t *reasons = held_by_reason(cli);
    const char *reason;
    json_t *count;
    if (cli->json) {
        print_json(json_pack(
            "{sI sI sI sI sI sI sI so sI so}", "rows", (json_int_t)counts->rows, "added",
            (json_int_t)counts->added, "updated", (json_int_t)counts->updated, "unchanged",
            (json_int_t)counts->unchanged, "ready", (json_int_t)counts->ready, "held",
            (json_int_t)counts->held, "skipped", (json_int_t)counts->elsewhere, "held_by_reason",
            reasons, "warnings", (json_int_t)counts->warnings, "problems", problems_json(cli)));
        return;
    }
    (void)printf("%zu rows: %zu new, %zu changed, %zu as before, %zu of another host country\n",
                 counts->rows, counts->added, counts->updated, counts->unchanged,
                 counts->elsewhere);
    (void)printf("%zu may be sent, %zu are held back by a rule\n", counts->ready, counts->held);
    json_object_foreach(reasons, reason, count)
    {
        (void)printf("  held now: %-28s %lld\n", reason, (long long)json_integer_value(count));
    }
    json_decref(reasons);
}

static int import_ended(struct cli *cli, const char *file, const struct referral_result *result,
                        const struct referral_imported *counts)
{
    if (!cli->json) {
        problems_print(cli, file, counts);
    }
    if (result->code == REFERRAL_OK) {
        import_print(cli, counts);
        return 0;
    }
    if (cli->json) {
        print_json(json_pack("{sI sI ss so}", "errors", (json_int_t)counts->errors, "warnings",
                             (json_int_t)counts->warnings, "reason", result->reason, "problems",
                             problems_json(cli)));
    }
    (void)fprintf(stderr, "%s: nothing was imported\n", file);
    return fail(result);
}

/* All of standard input; wiped and freed by the caller. */
static char *input_read(size_t *bytes_out)
{
    char *text = malloc(INPUT_BYTES_MAX);
    *bytes_out = text == NULL ? 0 : fread(text, 1, INPUT_BYTES_MAX, stdin);
    return text;
}

static int import_input(struct cli *cli)
{
    size_t bytes = 0;
    struct referral_imported counts;
    char *text = input_read(&bytes);
    if (text == NULL) {
        return usage("no memory for the input");
    }
    struct referral_result result = referral_import_text(cli->office, text, bytes, &counts);
    referral_free(text, bytes);
    return import_ended(cli, "standard input", &result, &counts);
}

int do_import(struct cli *cli, struct arguments *arguments)
{
    struct referral_imported counts;
    if (arguments->from_input && arguments->count == 0) {
        return import_input(cli);
    }
    if (arguments->count != 1 || arguments->from_input) {
        return usage("import needs one file: referral import FILE.csv|FILE.json|-");
    }
    const char *file = arguments->word[0];
    struct referral_result result = referral_import_file(cli->office, file, &counts);
    return import_ended(cli, file, &result, &counts);
}

/* ---- export ---- */

static bool write_file(void *context, const char *text, size_t bytes)
{
    return fwrite(text, 1, bytes, context) == bytes;
}

/* 0: neither. */
static enum referral_format format_of(const struct arguments *arguments, const char *file)
{
    const char *dot = file == NULL ? NULL : strrchr(file, '.');
    const char *name = arguments->format != NULL ? arguments->format
                       : dot != NULL             ? dot + 1
                                                 : "csv";
    if (strcasecmp(name, "json") == 0) {
        return REFERRAL_JSON;
    }
    return strcasecmp(name, "csv") == 0 ? REFERRAL_CSV : (enum referral_format)0;
}

/* New, and for its owner only. */
static FILE *file_new(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static int export_to(struct cli *cli, enum referral_format format, FILE *file, const char *path)
{
    size_t cases = 0;
    struct referral_result result = referral_export(cli->office, format, write_file, file, &cases);
    bool whole = fflush(file) == 0 && (path == NULL || fsync(fileno(file)) == 0);
    if (path != NULL) {
        whole = fclose(file) == 0 && whole;
    }
    if (result.code == REFERRAL_OK && whole) {
        (void)fprintf(stderr, "%zu cases exported\n", cases);
        return 0;
    }
    if (path != NULL) {
        (void)unlink(path);
    }
    return result.code != REFERRAL_OK ? fail(&result) : usage("the export cannot be written");
}

int do_export(struct cli *cli, struct arguments *arguments)
{
    const char *path = arguments->count == 1 ? arguments->word[0] : NULL;
    enum referral_format format = format_of(arguments, path);
    if (arguments->count > 1 || format == 0) {
        return usage("export takes one new file: referral export [--format csv|json] [FILE]");
    }
    if (path == NULL) {
        return export_to(cli, format, stdout, NULL);
    }
    FILE *file = file_new(path);
    if (file == NULL) {
        return usage("the file for the export exists already or cannot be made");
    }
    return export_to(cli, format, file, path);
}

/* ---- statistics ---- */

struct figures {
    struct cli *cli;
    bool csv, begun;
    const char *first, *second; /* names of the columns; second "" with one */
    json_t *list;
    struct table *table; /* of what is shown */
    size_t withheld;
};

static void figure_json(struct figures *figures, const struct referral_figure *figure)
{
    json_t *object = json_pack("{ss}", figures->first, figure->first);
    if (figures->second[0] != '\0') {
        (void)json_object_set_new(object, figures->second, json_string(figure->second));
    }
    (void)json_object_set_new(
        object, "count", figure->withheld ? json_null() : json_integer((json_int_t)figure->count));
    (void)json_array_append_new(figures->list, object);
}

static void statistics_begin(struct figures *figures)
{
    figures->begun = true;
    bool two = figures->second[0] != '\0';
    const char *head[] = {figures->first, two ? figures->second : "cases", "cases"};
    if (figures->cli->json) {
        figures->list = json_array();
        return;
    }
    if (figures->csv) {
        (void)printf("%s%s%s,cases\r\n", figures->first, two ? "," : "", figures->second);
        return;
    }
    figures->table = table_new(head, two ? 3 : 2);
}

static void figure_take(void *context, const struct referral_figure *figure)
{
    struct figures *figures = context;
    if (!figures->begun) {
        statistics_begin(figures);
    }
    bool two = figures->second[0] != '\0';
    char count[32] = "withheld";
    if (!figure->withheld) {
        (void)snprintf(count, sizeof(count), "%llu", (unsigned long long)figure->count);
    }
    if (figures->list != NULL) {
        figure_json(figures, figure);
        return;
    }
    if (figures->csv) {
        (void)printf("%s%s%s,%s\r\n", figure->first, two ? "," : "", figure->second, count);
        return;
    }
    figures->withheld += figure->withheld;
    if (figure->withheld) {
        return;
    }
    const char *cell[] = {figure->first, two ? figure->second : count, count};
    table_row(figures->table, cell, "");
}

static int statistics_end(struct figures *figures, const struct referral_result *result)
{
    if (result->code != REFERRAL_OK) {
        json_decref(figures->list);
        return fail(result);
    }
    if (figures->list != NULL) {
        print_json(
            json_pack("{sI so}", "withheld_under", (json_int_t)11, "figures", figures->list));
    }
    if (figures->table != NULL) {
        table_print(figures->table, figures->cli);
        (void)printf(
            "%zu figures are withheld: they are under 11, or would tell one that is. Counted "
            "are only those who agreed to it, up to the last full month.\n",
            figures->withheld);
    }
    return 0;
}

int do_statistics(struct cli *cli, struct arguments *arguments)
{
    char name[64];
    const char *by = arguments->by != NULL ? arguments->by : "origin";
    int year = arguments->period != NULL ? (int)strtol(arguments->period, NULL, 10) : 0;
    if (arguments->period != NULL && year <= 0) {
        return usage("--period needs a year, as 2026");
    }
    (void)snprintf(name, sizeof(name), "%s", by);
    char *comma = strchr(name, ',');
    if (comma != NULL) {
        *comma = '\0';
    }
    struct figures figures = {
        .cli = cli, .csv = arguments->csv, .first = name, .second = comma == NULL ? "" : comma + 1};
    struct referral_result result =
        referral_statistics(cli->office, by, year, figure_take, &figures);
    return statistics_end(&figures, &result);
}
