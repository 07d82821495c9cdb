/* How it works: a table keeps copies of its cells, measures them in columns of the terminal (a
 * Burmese or Thai name has more bytes and code points than columns) and pads with blanks. */
#include "client/cli/cli.h"

#include "client/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int fail(const struct referral_result *result)
{
    (void)fprintf(stderr, "referral: %s%s%s%s\n",
                  result->reason[0] != '\0' ? result->reason : "it did not work",
                  result->id[0] != '\0' ? " [" : "", result->id, result->id[0] != '\0' ? "]" : "");
    return (int)result->code;
}

int usage(const char *text)
{
    (void)fprintf(stderr, "referral: %s\n", text);
    return REFERRAL_USAGE;
}

void print_json(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    (void)fputc('\n', stdout);
    json_decref(value);
}

json_t *text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

void print_time(int64_t ms, char out[32])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    out[0] = '\0';
    if (ms > 0 && gmtime_r(&seconds, &parts) != NULL) {
        (void)strftime(out, 32, "%Y-%m-%d %H:%M", &parts);
    }
}

const char *colour_on(const struct cli *cli, const char *state)
{
    static const char *const colour[][2] = {
        {"held", "\033[33m"},     {"returned", "\033[31m"},  {"declined", "\033[31m"},
        {"accepted", "\033[32m"}, {"ready", "\033[36m"},     {"identity_released", "\033[32m"},
        {"head", "\033[1m"},      {"void", "\033[90m"},      {"warning", "\033[33m"},
        {"reminder", "\033[33m"}, {"late", "\033[31m"},      {"escalated", "\033[1;31m"},
        {"alert", "\033[1;31m"},  {"missing", "\033[1;31m"},
    };
    for (size_t i = 0; cli->colour && i < sizeof(colour) / sizeof(colour[0]); i++) {
        if (strcmp(colour[i][0], state) == 0) {
            return colour[i][1];
        }
    }
    return "";
}

const char *colour_off(const struct cli *cli)
{
    return cli->colour ? "\033[0m" : "";
}

size_t columns(const char *text)
{
    struct rg_bytes bytes = rg_bytes_of_text(text);
    return rg_is_ok(rg_text_check(bytes, 4096, RG_TEXT_LINE, NULL)) ? rg_text_columns(bytes)
                                                                    : strlen(text);
}

struct row {
    char *cell[TABLE_COLUMNS_MAX];
    char state[32];
};

struct table {
    struct row *row;
    size_t rows, columns;
    size_t width[TABLE_COLUMNS_MAX];
};

struct table *table_new(const char *const *head, size_t count)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table != NULL) {
        table->columns = count;
        table_row(table, head, "head");
    }
    return table;
}

void table_row(struct table *table, const char *const *cell, const char *state)
{
    if (table == NULL) {
        return;
    }
    if (table->rows % 256 == 0) {
        struct row *grown = realloc(table->row, (table->rows + 256) * sizeof(*grown));
        if (grown == NULL) {
            return;
        }
        table->row = grown;
    }
    struct row *row = &table->row[table->rows++];
    *row = (struct row){0};
    (void)snprintf(row->state, sizeof(row->state), "%s", state);
    for (size_t i = 0; i < table->columns; i++) {
        size_t width = columns(cell[i]);
        row->cell[i] = strdup(cell[i]);
        table->width[i] = width > table->width[i] ? width : table->width[i];
    }
}

static void row_print(const struct table *table, const struct row *row, const struct cli *cli)
{
    (void)fputs(colour_on(cli, row->state), stdout);
    for (size_t i = 0; i < table->columns; i++) {
        const char *cell = row->cell[i] != NULL ? row->cell[i] : "";
        bool last = i + 1 == table->columns;
        int pad = last ? 0 : (int)(table->width[i] - columns(cell) + 2);
        (void)printf("%s%*s", cell, pad, "");
    }
    (void)printf("%s\n", row->state[0] != '\0' ? colour_off(cli) : "");
}

void table_print(struct table *table, const struct cli *cli)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->rows; i++) {
        row_print(table, &table->row[i], cli);
        for (size_t k = 0; k < table->columns; k++) {
            free(table->row[i].cell[k]);
        }
    }
    free(table->row);
    free(table);
}
