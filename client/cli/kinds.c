/* How it works: the verbs that tell of the catalogue. They need no home folder: the library carries
 * the table. */
#include "client/cli/cli.h"

#include <string.h>

static json_t *kind_json(const struct referral_kind *kind)
{
    return json_pack("{si ss ss ss ss ss ss ss sb sb sb}", "number", (int)kind->number, "name",
                     kind->name, "meaning", kind->meaning, "direction", kind->direction, "by",
                     kind->by, "answers", kind->answers, "deadline", kind->deadline, "sections",
                     kind->sections, "alert", (int)kind->alert, "domestic", (int)kind->domestic,
                     "two_officers", (int)kind->two_officers);
}

static json_t *box_json(const struct referral_box *box)
{
    return json_pack("{so ss ss ss ss ss ss}", "list", text_or_null(box->list), "name", box->name,
                     "type", box->type, "section", box->section, "required", box->required,
                     "allowed", box->allowed, "meaning", box->meaning);
}

static int all_kinds(const struct cli *cli)
{
    static const char *const head[] = {"no",    "kind",     "by",     "answers",
                                       "waits", "sections", "meaning"};
    struct table *table = cli->json ? NULL : table_new(head, sizeof(head) / sizeof(head[0]));
    struct referral_cursor cursor = {0};
    struct referral_kind kind;
    struct referral_result result = referral_next_kind(&cursor, &kind);
    for (; result.code == REFERRAL_OK; result = referral_next_kind(&cursor, &kind)) {
        char number[12];
        (void)snprintf(number, sizeof(number), "%u", kind.number);
        const char *const cell[] = {number,        kind.name,     kind.by,     kind.answers,
                                    kind.deadline, kind.sections, kind.meaning};
        if (cli->json) {
            print_json(kind_json(&kind));
        } else {
            table_row(table, cell, "");
        }
    }
    table_print(table, cli);
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

static void kind_print(const struct referral_kind *kind)
{
    (void)printf("%u %s: %s\n", kind->number, kind->name, kind->meaning);
    (void)printf("  goes      %s%s\n", kind->direction,
                 kind->alert      ? ", at once, also from an NGO or a desk"
                 : kind->domestic ? ", never across a border"
                                  : "");
    (void)printf("  by        %s%s\n", kind->by, kind->two_officers ? "; two officers sign" : "");
    (void)printf("  answers   %s\n", kind->answers[0] != '\0' ? kind->answers : "any or none");
    (void)printf("  answer in %s\n",
                 kind->deadline[0] != '\0' ? kind->deadline : "none is awaited");
    (void)printf("  sections  %s\n\n", kind->sections);
}

static int one_kind(const struct cli *cli, const char *name)
{
    static const char *const head[] = {"box", "type", "section", "required", "meaning", "allowed"};
    struct referral_kind kind;
    struct referral_result result = referral_kind(name, &kind);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    struct table *table = cli->json ? NULL : table_new(head, sizeof(head) / sizeof(head[0]));
    json_t *boxes = cli->json ? json_array() : NULL;
    struct referral_cursor cursor = {0};
    struct referral_box box;
    for (result = referral_next_box(name, &cursor, &box); result.code == REFERRAL_OK;
         result = referral_next_box(name, &cursor, &box)) {
        char path[96];
        (void)snprintf(path, sizeof(path), "%s%s%s", box.list, box.list[0] != '\0' ? "." : "",
                       box.name);
        const char *const cell[] = {path,         box.type,    box.section,
                                    box.required, box.meaning, box.allowed};
        if (cli->json) {
            (void)json_array_append_new(boxes, box_json(&box));
        } else {
            table_row(table, cell, "");
        }
    }
    if (cli->json) {
        json_t *object = kind_json(&kind);
        (void)json_object_set_new(object, "boxes", boxes);
        print_json(object);
    } else {
        kind_print(&kind);
    }
    table_print(table, cli);
    return result.code == REFERRAL_END ? 0 : fail(&result);
}

int do_kinds(struct cli *cli, struct arguments *arguments)
{
    if (arguments->count > 1) {
        return usage("one kind, or none for all of them; see: referral kinds --help");
    }
    return arguments->count == 0 ? all_kinds(cli) : one_kind(cli, arguments->word[0]);
}

int do_template(struct cli *cli, struct arguments *arguments)
{
    char *json = NULL;
    size_t bytes = 0;
    (void)cli;
    if (arguments->count != 1) {
        return usage("template takes one kind, its name or number; see: referral kinds");
    }
    struct referral_result result = referral_template(arguments->word[0], &json, &bytes);
    if (result.code != REFERRAL_OK) {
        return fail(&result);
    }
    (void)fwrite(json, 1, bytes, stdout);
    referral_free(json, bytes);
    return 0;
}
