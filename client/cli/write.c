/* How it works: a form is JSON, from a file, from standard input, or nothing at all; --set puts
 * single values into it, in the type that the box of the kind has. The library reads and checks it.
 * A value is named by its box ("verdict"), a value in a row by list, place and box
 * ("areas.0.level"), a field of the dictionary by its own name. */
#include "client/cli/cli.h"

#include "client/message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define JSON_BYTES_MAX (256L * 1024)

/* "35" or "RISK_ASSESSMENT"; 0: no such kind. */
static int kind_of(const char *word)
{
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, word) == 0) {
            return (int)rows[i].number;
        }
    }
    return isdigit((unsigned char)word[0]) ? atoi(word)
                                           : 0; /* NOLINT(cert-err34-c): checked after */
}

/* ---- the form ---- */

static json_t *form_load(const struct arguments *arguments)
{
    json_error_t error;
    json_t *form = NULL;
    if (arguments->count < 3 && !arguments->from_input) {
        return json_object();
    }
    if (arguments->from_input) {
        form = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    }
    if (!arguments->from_input) {
        form = json_load_file(arguments->word[2], JSON_REJECT_DUPLICATES, &error);
    }
    if (form != NULL && json_is_object(form)) {
        return form;
    }
    if (form == NULL && error.line < 1) { /* no line was read */
        (void)fprintf(stderr, "referral: %s\n", error.text);
    }
    if (form != NULL || error.line >= 1) {
        (void)fprintf(stderr, "referral: the form is not one JSON object: line %d: %s\n",
                      error.line < 1 ? 1 : error.line, form != NULL ? "no object" : error.text);
    }
    json_decref(form);
    return NULL;
}

static json_t *many_of(const char *text)
{
    json_t *list = json_array();
    while (*text != '\0') {
        size_t len = strcspn(text, ";");
        (void)json_array_append_new(list, json_stringn(text, len));
        text += len + (text[len] == ';');
    }
    return list;
}

static json_t *value_of(const struct rg_box *box, const char *text)
{
    if (box->many || box->type == RG_BOX_CODES) {
        return many_of(text);
    }
    if (box->type == RG_BOX_BOOL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        return json_boolean(text[0] == 't');
    }
    char *end = NULL;
    long number = strtol(text, &end, 10);
    bool is_number = box->type == RG_BOX_NUMBER && end != text && *end == '\0';
    return is_number ? json_integer(number) : json_string(text);
}

/* The object at place `at` of a list, made when the list is shorter by one. */
static json_t *row_at(json_t *form, const char *list, long at)
{
    json_t *rows = json_object_get(form, list);
    if (rows == NULL) {
        rows = json_array();
        (void)json_object_set_new(form, list, rows);
    }
    if (at == (long)json_array_size(rows)) {
        (void)json_array_append_new(rows, json_object());
    }
    return at >= 0 ? json_array_get(rows, (size_t)at) : NULL;
}

/* "areas.0.level" */
static int set_in_row(json_t *form, const struct rg_form_table *table, char *name,
                      const char *value)
{
    char *at = strchr(name, '.');
    *at++ = '\0';
    const struct rg_box *list = rg_form_box(table, name);
    char *column = strchr(at, '.');
    if (column == NULL || list == NULL || list->rows == NULL) {
        return usage("--set takes a row's value as list.0.box=value");
    }
    *column++ = '\0';
    const struct rg_box *box = rg_form_box(list->rows, column);
    json_t *row = row_at(form, name, strtol(at, NULL, 10));
    if (box == NULL || row == NULL) {
        return usage("--set: no such box in the rows of this list; see: referral template KIND");
    }
    (void)json_object_set_new(row, column, value_of(box, value));
    return 0;
}

static int set_field(json_t *form, const struct rg_form_table *table, const char *name,
                     const char *value)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->box[i].type != RG_BOX_FIELDS) {
            continue;
        }
        json_t *fields = json_object_get(form, table->box[i].name);
        if (fields == NULL) {
            fields = json_object();
            (void)json_object_set_new(form, table->box[i].name, fields);
        }
        (void)json_object_set_new(fields, name, json_string(value));
        return 0;
    }
    return usage("--set: the form has no such box; see: referral template KIND");
}

static int set_one(json_t *form, const struct rg_form_table *table, char *assignment)
{
    char *value = strchr(assignment, '=');
    if (value == NULL) {
        return usage("--set needs name=value");
    }
    *value++ = '\0';
    if (strchr(assignment, '.') != NULL) {
        return set_in_row(form, table, assignment, value);
    }
    const struct rg_box *box = rg_form_box(table, assignment);
    if (box == NULL) {
        return set_field(form, table, assignment, value);
    }
    (void)json_object_set_new(form, assignment, value_of(box, value));
    return 0;
}

static int sets_apply(const struct arguments *arguments, int kind, json_t *form)
{
    const struct rg_kind_row *row = rg_kind_row((uint32_t)kind);
    if (row == NULL || row->form == NULL) {
        return usage("no such kind; see: referral kinds");
    }
    int code = 0;
    for (size_t i = 0; i < arguments->set_count && code == 0; i++) {
        code = set_one(form, row->form, arguments->set[i]);
    }
    return code;
}

/* ---- write ---- */

static void written_print(const struct cli *cli, const struct referral_written *written)
{
    if (cli->json) {
        print_json(json_pack("{ss ss ss}", "message", written->id, "to", written->to, "state",
                             written->state));
        return;
    }
    (void)printf("%.12s to %s: %s\n", written->id, written->to, written->state);
}

static struct referral_result write_to(struct cli *cli, const struct arguments *arguments,
                                       const char *case_id, const char *form,
                                       struct referral_written *out)
{
    struct referral_letter letter = {
        .case_id = case_id,
        .kind = kind_of(arguments->word[0]),
        .json = form,
        .bytes = strlen(form),
        .answers = arguments->answers,
        .movement = arguments->movement,
        .language = arguments->language,
        .to = arguments->to,
        .vital = arguments->vital,
        .second = arguments->second,
    };
    return referral_write(cli->office, &letter, out);
}

static int write_one(struct cli *cli, const struct arguments *arguments, const char *form)
{
    struct referral_written written = {0};
    struct referral_result result = write_to(cli, arguments, arguments->word[1], form, &written);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    written_print(cli, &written);
    return 0;
}

/* The same form in several cases, each in its own message; one that fails is said and does not stop
 * the others. All become durable together. */
static int write_many(struct cli *cli, const struct arguments *arguments, const char *form)
{
    json_t *list = json_array();
    struct referral_result step = referral_begin(cli->office);
    int code = 0;
    for (size_t i = 1; i < arguments->count && step.code == REFERRAL_OK; i++) {
        const char *id = arguments->word[i];
        struct referral_written written = {0};
        struct referral_result result = write_to(cli, arguments, id, form, &written);
        if (result.code == REFERRAL_OK) {
            (void)json_array_append_new(list, json_pack("{ss ss ss ss}", "case", id, "message",
                                                        written.id, "to", written.to, "state",
                                                        written.state));
            continue;
        }
        (void)fprintf(stderr, "%s: ", id);
        int failed = fail(&result);
        code = code == 0 ? failed : code;
    }
    step = step.code == REFERRAL_OK ? referral_commit(cli->office) : step;
    size_t count = json_array_size(list);
    if (step.code == REFERRAL_OK && cli->json) {
        print_json(json_incref(list));
    }
    json_decref(list);
    if (step.code != REFERRAL_OK) {
        return fail(&step);
    }
    if (!cli->json) {
        (void)printf("%zu written, %zu not\n", count, arguments->count - 1 - count);
    }
    return code;
}

int do_write(struct cli *cli, struct arguments *arguments)
{
    bool many = arguments->from_input && arguments->count > 2;
    if (arguments->count < 2 || (arguments->count > 3 && !many)) {
        return usage("write needs a kind and a case: referral write KIND CASE [FILE] "
                     "[--set name=value], or KIND CASE... - with the form on standard input; `all` "
                     "in place of the case for notices");
    }
    json_t *form = form_load(arguments);
    if (form == NULL) {
        return REFERRAL_DATA;
    }
    int code = sets_apply(arguments, kind_of(arguments->word[0]), form);
    char *text = code == 0 ? json_dumps(form, JSON_COMPACT) : NULL;
    json_decref(form);
    if (text == NULL) {
        return code != 0 ? code : REFERRAL_RETRY;
    }
    code = many ? write_many(cli, arguments, text) : write_one(cli, arguments, text);
    referral_free(text, strlen(text));
    return code;
}

/* ---- the second officer, drafts ---- */

static int draft_show(struct cli *cli, const char *message)
{
    uint8_t *text = NULL;
    size_t bytes = 0;
    struct referral_result result = referral_draft(cli->office, message, &text, &bytes);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (cli->json) {
        print_json(json_pack("{ss ss%}", "message", message, "text", (char *)text, bytes));
    }
    if (!cli->json) {
        (void)fwrite(text, 1, bytes, stdout);
    }
    referral_free(text, bytes);
    return 0;
}

int do_countersign(struct cli *cli, struct arguments *arguments)
{
    struct referral_written written = {0};
    if (arguments->count != 1) {
        return usage("countersign needs one message; see: referral drafts");
    }
    if (!arguments->sign) {
        int code = draft_show(cli, arguments->word[0]);
        if (code == 0 && !cli->json) {
            (void)printf(
                "\nNothing is signed yet. To sign and send: referral countersign %s --sign\n",
                arguments->word[0]);
        }
        return code;
    }
    struct referral_result result = referral_countersign(cli->office, arguments->word[0], &written);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    written_print(cli, &written);
    return 0;
}

int do_drafts(struct cli *cli, struct arguments *arguments)
{
    static const char *const head[] = {"MESSAGE", "KIND", "FROM", "CASE", "TEXT"};
    struct referral_cursor cursor = {0};
    struct referral_message draft;
    struct referral_result result;
    json_t *list = json_array();
    if (arguments->count == 1) {
        json_decref(list);
        return draft_show(cli, arguments->word[0]);
    }
    struct table *table = cli->json ? NULL : table_new(head, 5);
    while ((result = referral_next_draft(cli->office, &cursor, &draft)).code == REFERRAL_OK) {
        char id[16];
        (void)snprintf(id, sizeof(id), "%.12s", draft.id);
        const char *cell[] = {id, draft.kind, draft.from, draft.case_id, draft.text};
        table_row(table, cell, "");
        (void)json_array_append_new(list, json_pack("{ss ss ss ss ss}", "message", draft.id, "kind",
                                                    draft.kind, "from", draft.from, "case",
                                                    draft.case_id, "text", draft.text));
    }
    if (cli->json) {
        print_json(json_incref(list));
    }
    json_decref(list);
    table_print(table, cli);
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

/* ---- assign, redirect ---- */

int do_assign(struct cli *cli, struct arguments *arguments)
{
    struct referral_written written = {0};
    if (arguments->count != 1 || arguments->to == NULL) {
        return usage("assign needs one message and --to DESK, as th/health");
    }
    struct referral_result result =
        referral_assign(cli->office, arguments->word[0], arguments->to, &written);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    written_print(cli, &written);
    return 0;
}

int do_redirect(struct cli *cli, struct arguments *arguments)
{
    char number[REFERRAL_CASE_BYTES];
    if (arguments->count != 1 || arguments->to == NULL) {
        return usage("redirect needs one case and --to COUNTRY");
    }
    struct referral_result result =
        referral_redirect(cli->office, arguments->word[0], arguments->to, number);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    if (cli->json) {
        print_json(json_pack("{ss}", "case", number));
        return 0;
    }
    (void)printf("new case %s; ask the person again, import the consent, then: referral send %s\n",
                 number, number);
    return 0;
}

/* ---- gate ---- */

int do_gate(struct cli *cli, struct arguments *arguments)
{
    static const char *const head[] = {"MISSING", "WHAT MUST HOLD", "WHAT TO DO"};
    struct referral_cursor cursor = {0};
    struct referral_gate_row row;
    struct referral_result result;
    if (arguments->count != 1) {
        return usage("gate needs one case");
    }
    json_t *list = json_array();
    struct table *table = cli->json ? NULL : table_new(head, 3);
    while ((result = referral_gate(cli->office, arguments->word[0], &cursor, &row)).code ==
           REFERRAL_OK) {
        const char *cell[] = {row.id, row.meaning, row.what_next};
        table_row(table, cell, "held");
        (void)json_array_append_new(list, json_pack("{ss ss ss}", "id", row.id, "meaning",
                                                    row.meaning, "what_next", row.what_next));
    }
    size_t missing = json_array_size(list);
    if (cli->json) {
        print_json(json_pack("{sb sO}", "open", (int)(missing == 0), "missing", list));
    }
    json_decref(list);
    if (!cli->json && result.code == REFERRAL_END && missing == 0) {
        (void)printf("nothing stands against a departure\n");
    }
    if (missing > 0) {
        table_print(table, cli);
    }
    return result.code == REFERRAL_END ? 0 : fail(&result);
}
