/* Prints docs/messages.md from the table of kinds, through the public calls; with --check FILE
 * compares instead. usage: messages_page [--check FILE] */
#include "referral.h"

#include "core/buffer.h"
#include "core/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intro[] =
    "# Messages\n"
    "\n"
    "Made from the table of kinds (`client/message_kinds.c`) and the tables of boxes\n"
    "(`client/form_*.c`); do not edit. To make it anew:\n"
    "`build/tests/messages_page > docs/messages.md`. A test fails when the two differ.\n"
    "The same is shown by `referral kinds` and `referral kinds KIND`; `referral template KIND`\n"
    "gives a message as JSON to fill in. How a message travels is in [protocol.md](protocol.md).\n"
    "\n"
    "A message has one sealed section per class of what it says; who reads a class is decided by "
    "the\n"
    "keys it is sealed to. Every message has a case section. *By* are the roles that may write it\n"
    "themselves; everything crosses a border from a focal point, except alerts, which cross at "
    "once.\n"
    "*Section* is where a box travels; *of the field* means where the dictionary puts the field "
    "that\n"
    "is named. A box is *required* when its section is there; `referral write` wants every "
    "section\n"
    "with a required box that the person lets go, but of an alert only the case section. A list "
    "has\n"
    "rows; its boxes stand below it as `list.box`. Fields of the dictionary are those of HTCDS 2.0 "
    "(IOM, CC BY 4.0, changes\n"
    "made) and ours; see [client.md](client.md).\n"
    "\n";

/* As the viewers of Markdown make it of a heading. */
static void anchor_of(const char *name, char *out, size_t room)
{
    size_t len = 0;
    for (; name[len] != '\0' && len + 1 < room; len++) {
        char c = name[len];
        out[len] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    out[len] = '\0';
}

static rg_outcome overview(struct rg_buffer *out, struct rg_reason *why)
{
    struct referral_cursor cursor = {0};
    struct referral_kind kind;
    size_t count = 0;
    RG_TRY(rg_buffer_append_text(out,
                                 "| no | kind | by | answers | answer in | sections |\n"
                                 "|---:|---|---|---|---|---|\n",
                                 why));
    while (referral_next_kind(&cursor, &kind).code == REFERRAL_OK) {
        char anchor[48];
        anchor_of(kind.name, anchor, sizeof(anchor));
        RG_TRY(rg_buffer_print(out, why, "| %u | [%s](#%u-%s) | %s | %s | %s | %s |\n", kind.number,
                               kind.name, kind.number, anchor, kind.by, kind.answers, kind.deadline,
                               kind.sections));
        count++;
    }
    return rg_buffer_print(out, why, "\n%zu kinds; those from 90 on never cross a border.\n",
                           count);
}

static const char *way(const struct referral_kind *kind)
{
    if (kind->domestic) {
        return ", never across a border";
    }
    return kind->alert ? ", at once, also from a desk or an NGO that may write it" : "";
}

static rg_outcome one(const struct referral_kind *kind, struct rg_buffer *out,
                      struct rg_reason *why)
{
    struct referral_cursor cursor = {0};
    struct referral_box box;
    RG_TRY(rg_buffer_print(out, why, "\n### %u %s\n\n%s. Goes %s%s; by %s%s.", kind->number,
                           kind->name, kind->meaning, kind->direction, way(kind), kind->by,
                           kind->two_officers ? "; two officers sign" : ""));
    RG_TRY(rg_buffer_print(out, why, " Answers %s; an answer to it: %s.\n",
                           kind->answers[0] != '\0' ? kind->answers : "any message or none",
                           kind->deadline[0] != '\0' ? kind->deadline : "none is awaited"));
    for (bool first = true; referral_next_box(kind->name, &cursor, &box).code == REFERRAL_OK;
         first = false) {
        RG_TRY(rg_buffer_append_text(out,
                                     first ? "\n| box | section | | what it says | allowed |\n"
                                             "|---|---|---|---|---|\n"
                                           : "",
                                     why));
        RG_TRY(rg_buffer_print(out, why, "| `%s%s%s` | %s | %s | %s | %s |\n", box.list,
                               box.list[0] != '\0' ? "." : "", box.name, box.section, box.required,
                               box.meaning, box.allowed));
    }
    return rg_ok();
}

static rg_outcome page(struct rg_buffer *out, struct rg_reason *why)
{
    struct referral_cursor cursor = {0};
    struct referral_kind kind;
    RG_TRY(rg_buffer_append_text(out, intro, why));
    RG_TRY(overview(out, why));
    while (referral_next_kind(&cursor, &kind).code == REFERRAL_OK) {
        RG_TRY(one(&kind, out, why));
    }
    return rg_ok();
}

static int check(const char *path, struct rg_bytes wanted)
{
    RG_OWNED_BUFFER there = {0};
    struct rg_reason why = {0};
    bool same = rg_is_ok(rg_file_read(path, 4 * RG_MIB, &there, &why)) &&
                rg_bytes_equal(rg_buffer_peek(&there), wanted);
    if (!same) {
        (void)fprintf(stderr, "%s is not what the tables say; make it anew: messages_page > %s\n",
                      path, path);
    }
    return same ? 0 : 1;
}

int main(int argc, char **argv)
{
    RG_OWNED_BUFFER out = {0};
    struct rg_reason why = {0};
    if (!rg_is_ok(page(&out, &why))) {
        (void)fprintf(stderr, "messages_page: %s\n", why.text);
        return 1;
    }
    if (argc == 3 && strcmp(argv[1], "--check") == 0) {
        return check(argv[2], rg_buffer_peek(&out));
    }
    return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 1;
}
