/* How it works: one sealed item holds the lists of all cases, case by case; changing one writes the
 * item anew under a new key. There are few lists, and one item for all of them does not show which
 * case has one. */
#include "client/casebook_inside.h"

#include "core/digest.h"

#include <stdio.h>
#include <string.h>

#define EXCLUSIONS_BYTES_MAX (4 * RG_MIB)

static rg_outcome all_read(struct rg_casebook *book, struct rg_buffer *out, struct rg_item *item,
                           struct rg_reason *why)
{
    bool found = false;
    RG_TRY(rg_book_item_find(book, RG_ITEM_EXCLUSIONS, 0, 0, item, &found, why));
    if (!found) {
        *item = (struct rg_item){.kind = RG_ITEM_EXCLUSIONS};
        return rg_ok();
    }
    return rg_book_item_open(book, item, out, why);
}

struct line { /* one entry of one case */
    int64_t row;
    struct rg_exclusion entry;
    struct rg_exclusion_note note;
};

static void line_read(struct rg_flat *flat, struct line *out)
{
    *out = (struct line){.row = (int64_t)rg_flat_number(flat)};
    out->entry.kind = (enum rg_exclusion_kind)rg_flat_number(flat);
    out->note.at_ms = (int64_t)rg_flat_number(flat);
    rg_flat_text(flat, out->entry.name, sizeof(out->entry.name));
    rg_flat_text(flat, out->note.by, sizeof(out->note.by));
}

static rg_outcome line_put(const struct line *line, struct rg_buffer *out, struct rg_reason *why)
{
    RG_TRY(rg_flat_put_number(out, (uint64_t)line->row, why));
    RG_TRY(rg_flat_put_number(out, (uint64_t)line->entry.kind, why));
    RG_TRY(rg_flat_put_number(out, (uint64_t)line->note.at_ms, why));
    RG_TRY(rg_flat_put_text(out, line->entry.name, why));
    return rg_flat_put_text(out, line->note.by, why);
}

static rg_outcome damaged(struct rg_reason *why)
{
    return rg_fail(why, RG_BROKEN, "casebook-form",
                   "a part of the casebook is damaged; restore the folder from a backup");
}

/* One case's list out of all of them; with `others`, the rest goes there. */
static rg_outcome part(struct rg_bytes all, int64_t case_row, struct line *line, size_t *count_out,
                       struct rg_buffer *others, struct rg_reason *why)
{
    struct rg_flat flat = {.left = all};
    size_t count = 0;
    while (flat.left.len > 0) {
        struct line one;
        line_read(&flat, &one);
        bool mine = one.row == case_row;
        if (flat.bad || (mine && count == RG_EXCLUSIONS_MAX)) {
            return damaged(why);
        }
        if (mine) {
            line[count++] = one;
        }
        if (!mine && others != NULL) {
            RG_TRY(line_put(&one, others, why));
        }
    }
    *count_out = count;
    return rg_ok();
}

rg_outcome rg_casebook_exclusions_get(struct rg_casebook *book, int64_t case_row,
                                      struct rg_exclusions *out, struct rg_exclusion_note *note,
                                      struct rg_reason *why)
{
    RG_OWNED_BUFFER all = {.secret = true};
    struct line line[RG_EXCLUSIONS_MAX];
    struct rg_item item;
    size_t count = 0;
    RG_TRY(all_read(book, &all, &item, why));
    RG_TRY(part(rg_buffer_peek(&all), case_row, line, &count, NULL, why));
    for (size_t i = 0; i < count; i++) {
        out->item[i] = line[i].entry;
        if (note != NULL) {
            note[i] = line[i].note;
        }
    }
    out->count = count;
    return rg_ok();
}

static bool same_entry(const struct rg_exclusion *a, const struct rg_exclusion *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

static void note_of(const struct line *old, size_t count, struct line *line)
{
    for (size_t i = 0; i < count; i++) {
        if (same_entry(&old[i].entry, &line->entry)) {
            line->note = old[i].note;
        }
    }
}

rg_outcome rg_casebook_exclusions_put(struct rg_casebook *book, int64_t case_row,
                                      const struct rg_exclusions *list, const char *by,
                                      struct rg_wall now, struct rg_reason *why)
{
    RG_OWNED_BUFFER all = {.secret = true};
    RG_OWNED_BUFFER next = {.secret = true, .limit = EXCLUSIONS_BYTES_MAX};
    struct line old[RG_EXCLUSIONS_MAX];
    struct rg_item item;
    size_t count = 0;
    RG_CHECK(list->count <= RG_EXCLUSIONS_MAX, why, RG_LIMIT, "exclusion-limit",
             "too many names on one list");
    RG_TRY(all_read(book, &all, &item, why));
    RG_TRY(part(rg_buffer_peek(&all), case_row, old, &count, &next, why));
    for (size_t i = 0; i < list->count; i++) {
        struct line line = {.row = case_row, .entry = list->item[i], .note = {.at_ms = now.ms}};
        (void)snprintf(line.note.by, sizeof(line.note.by), "%s", by);
        note_of(old, count, &line);
        RG_TRY(line_put(&line, &next, why));
    }
    return rg_book_item_put(book, &item, rg_buffer_peek(&next), why);
}
