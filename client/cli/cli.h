/*
 * NAME
 *   cli - what the parts of the `referral` command share
 *
 * DESCRIPTION
 *   main.c reads the global options and finds the verb; arguments.c reads a verb's own; move.c has
 *   the verbs that change something, data.c those that
 *   take in and put out files, cases.c those that show cases, look.c
 *   the others that show; print.c tables, colours, JSON, times.
 *   Results go to standard output, everything else to standard error. Exit codes are those of
 *   referral_result.
 */
#ifndef RG_CLI_H
#define RG_CLI_H

#include "referral.h"

#include <jansson.h>
#include <stdio.h>

struct cli {
    struct referral *office;
    bool json;
    bool colour;   /* standard output is a terminal that wants it */
    bool progress; /* standard error is a terminal */
    bool proofs;   /* `show`: each step of each message */
};

/* ---- arguments ---- */

#define SETS_MAX 64
struct arguments {
    char **word; /* what is not an option */
    size_t count;
    size_t read;     /* lines read from standard input, in `word` after the given ones */
    bool from_input; /* `-` was given: no ids at all is fine */
    bool all_waiting, all, sealed, text_form, remove, list, open, end, dry_run;
    bool overdue;
    const char *waiting, *first;
    bool csv, raw_input; /* raw_input: `-` is a file of its own, not a list of ids */
    const char *format, *by, *period;
    bool current;                            /* notices */
    bool erase;                              /* withdraw */
    bool sign;                               /* countersign */
    const char *scopes, *by_whom;            /* withdraw */
    const char *search, *country, *language; /* notices */
    const char *second; /* home folder of a second officer; `write`: her principal */
    const char *answers, *movement, *to, *vital;
    char *set[SETS_MAX]; /* name=value */
    size_t set_count;
    const char *reason, *text, *output, *until_quiet, *state;
};
/* 0 or REFERRAL_USAGE, with a sentence on standard error. */
int arguments_read(struct arguments *arguments, int argc, char **argv, struct cli *cli);
void arguments_drop(struct arguments *arguments);
/* "400ms", "2s", "1min", "2" (seconds); -1: not a time. */
int arguments_ms(const char *text);

/* ---- printing ---- */

int fail(const struct referral_result *result); /* says it, returns the exit code */
int usage(const char *text);
void print_json(json_t *value); /* one line; takes it */
json_t *text_or_null(const char *text);
void print_time(int64_t ms, char out[32]); /* "2026-11-24 20:58" UTC; "" for 0 */
const char *colour_on(const struct cli *cli, const char *state);
const char *colour_off(const struct cli *cli);
size_t columns(const char *text);

#define TABLE_COLUMNS_MAX 8
struct table; /* collects rows, then prints them lined up, wide scripts too */
struct table *table_new(const char *const *head, size_t columns);
void table_row(struct table *table, const char *const *cell, const char *state);
void table_print(struct table *table, const struct cli *cli); /* prints and frees */

/* ---- verbs ---- */

typedef int (*verb)(struct cli *cli, struct arguments *arguments);
int do_import(struct cli *cli, struct arguments *arguments);
int do_export(struct cli *cli, struct arguments *arguments);
int do_statistics(struct cli *cli, struct arguments *arguments);
int do_send(struct cli *cli, struct arguments *arguments);
int do_forward(struct cli *cli, struct arguments *arguments);
int do_accept(struct cli *cli, struct arguments *arguments);
int do_decline(struct cli *cli, struct arguments *arguments);
int do_erase(struct cli *cli, struct arguments *arguments);
int do_tidy(struct cli *cli, struct arguments *arguments);
int do_hold(struct cli *cli, struct arguments *arguments);
int do_link(struct cli *cli, struct arguments *arguments);
int do_claim(struct cli *cli, struct arguments *arguments);
int do_withdraw(struct cli *cli, struct arguments *arguments);
int do_notices(struct cli *cli, struct arguments *arguments);
int do_notice(struct cli *cli, struct arguments *arguments);
int do_exclude(struct cli *cli, struct arguments *arguments);
int do_write(struct cli *cli, struct arguments *arguments);
int do_assign(struct cli *cli, struct arguments *arguments);
int do_redirect(struct cli *cli, struct arguments *arguments);
int do_countersign(struct cli *cli, struct arguments *arguments);
int do_drafts(struct cli *cli, struct arguments *arguments);
int do_gate(struct cli *cli, struct arguments *arguments);
int do_sync(struct cli *cli, struct arguments *arguments);
int do_cases(struct cli *cli, struct arguments *arguments);
int do_search(struct cli *cli, struct arguments *arguments);
int do_list(struct cli *cli, struct arguments *arguments);
int do_show(struct cli *cli, struct arguments *arguments);
int do_section(struct cli *cli, struct arguments *arguments);
int do_kinds(struct cli *cli, struct arguments *arguments);
int do_template(struct cli *cli, struct arguments *arguments);
int do_status(struct cli *cli, struct arguments *arguments);
int do_journal(struct cli *cli, struct arguments *arguments);
int do_verify(struct cli *cli, struct arguments *arguments);
int do_evidence(struct cli *cli, struct arguments *arguments);

#endif
