/*
 * How it works: the rows of the kind table and the boxes of its forms as texts. Nothing is kept and
 * nothing opened. A cursor over boxes counts all boxes of a form, those of a list behind the list.
 */
#include "client/include/referral.h"
#include "client/message.h"

#include "client/referral_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add(char *out, size_t room, const char *between, const char *text)
{
    size_t len = strlen(out);
    if (len < room) {
        (void)snprintf(out + len, room - len, "%s%s", len == 0 ? "" : between, text);
    }
}

static void deadline_words(const struct rg_kind_row *row, char *out, size_t room)
{
    static const char *const unit[] = {
        [RG_DEADLINE_NONE] = "",
        [RG_DEADLINE_WORKING_DAYS] = "working day",
        [RG_DEADLINE_DAYS] = "day",
        [RG_DEADLINE_HOURS] = "hour",
    };
    out[0] = '\0';
    if (row->unit != RG_DEADLINE_NONE) {
        (void)snprintf(out, room, "%u %s%s", row->deadline, unit[row->unit],
                       row->deadline == 1 ? "" : "s");
    }
}

static void answers_words(const struct rg_kind_row *row, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; i < sizeof(row->answers) && row->answers[i] != 0; i++) {
        char number[8];
        (void)snprintf(number, sizeof(number), "%u", row->answers[i]);
        add(out, room, ", ", number);
    }
    if (row->needs_answers) {
        add(out, room, " ", "(must)");
    }
}

static void by_words(const struct rg_kind_row *row, char *out, size_t room)
{
    unsigned partner = RG_ROLE_BIT(RG_ROLE_PARTNER);
    unsigned focal = RG_ROLE_BIT(RG_ROLE_FOCAL);
    unsigned officers = (1u << RG_ROLE_COUNT) - 1 - RG_ROLE_BIT(RG_ROLE_OPERATOR);
    out[0] = '\0';
    if (row->by == officers || row->by == officers - partner - focal) {
        (void)snprintf(out, room, "%s", row->by == officers ? "any office" : "any desk or ngo");
        return;
    }
    for (unsigned i = 1; i <= RG_ROLE_COUNT; i++) {
        if ((row->by & RG_ROLE_BIT(i)) != 0) {
            add(out, room, " ", rg_role_name((enum rg_role)i));
        }
    }
}

static void sections_words(const struct rg_kind_row *row, char *out, size_t room)
{
    out[0] = '\0';
    if (row->classes == (1u << RG_CLASS_COUNT) - 1) {
        (void)snprintf(out, room, "all");
        return;
    }
    for (unsigned i = 1; i <= RG_CLASS_COUNT; i++) {
        if ((row->classes & RG_CLASS_BIT(i)) != 0) {
            add(out, room, " ", rg_class_name((enum rg_class)i));
        }
    }
}

static void kind_show(const struct rg_kind_row *row, struct referral_kind *out)
{
    static const char *const direction[] = {
        [RG_DIRECTION_ANY] = "either side",
        [RG_DIRECTION_HOST_TO_ORIGIN] = "host to origin",
        [RG_DIRECTION_ORIGIN_TO_HOST] = "origin to host",
        [RG_DIRECTION_BACK] = "back to who asked",
        [RG_DIRECTION_REQUESTER] = "from who asked",
        [RG_DIRECTION_TO_PARTNER] = "host to a partner",
        [RG_DIRECTION_FROM_PARTNER] = "partner to host",
        [RG_DIRECTION_HOME] = "inside a country",
    };
    *out = (struct referral_kind){.number = row->number,
                                  .name = row->name,
                                  .meaning = row->meaning,
                                  .alert = row->way == RG_WAY_ALERT,
                                  .domestic = row->way == RG_WAY_DOMESTIC,
                                  .two_officers = row->two_officers};
    (void)snprintf(out->direction, sizeof(out->direction), "%s", direction[row->direction]);
    by_words(row, out->by, sizeof(out->by));
    sections_words(row, out->sections, sizeof(out->sections));
    answers_words(row, out->answers, sizeof(out->answers));
    deadline_words(row, out->deadline, sizeof(out->deadline));
}

struct referral_result referral_next_kind(struct referral_cursor *cursor, struct referral_kind *out)
{
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    if (cursor->at < 0 || (size_t)cursor->at >= count) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    kind_show(&rows[cursor->at++], out);
    return (struct referral_result){.code = REFERRAL_OK};
}

static const struct rg_kind_row *kind_find(const char *kind)
{
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; kind != NULL && i < count; i++) {
        char number[12];
        (void)snprintf(number, sizeof(number), "%u", rows[i].number);
        if (strcmp(kind, rows[i].name) == 0 || strcmp(kind, number) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static struct referral_result no_such_kind(void)
{
    struct referral_result result = {.code = REFERRAL_USAGE, .id = "kind-unknown"};
    (void)snprintf(result.reason, sizeof(result.reason),
                   "no kind of message has this name or number; see: referral kinds");
    return result;
}

struct referral_result referral_kind(const char *kind, struct referral_kind *out)
{
    const struct rg_kind_row *row = kind_find(kind);
    if (row == NULL) {
        return no_such_kind();
    }
    kind_show(row, out);
    return (struct referral_result){.code = REFERRAL_OK};
}

/* The box at `at`, counting those of lists behind their list. */
static const struct rg_box *box_at(const struct rg_form_table *table, int64_t at,
                                   const struct rg_box **list_out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_box *box = &table->box[i];
        *list_out = NULL;
        if (at-- == 0) {
            return box;
        }
        size_t cells = box->rows == NULL ? 0 : box->rows->count;
        if (at >= 0 && (size_t)at < cells) {
            *list_out = box;
            return &box->rows->box[at];
        }
        at -= (int64_t)cells;
    }
    return NULL;
}

static void allowed_words(const struct rg_box *box, char *out, size_t room)
{
    const char *const *codes = rg_box_codes(box);
    (void)snprintf(out, room, "%s%s", rg_box_allowed(box), codes == NULL ? "" : ":");
    for (size_t i = 0; codes != NULL && codes[i] != NULL; i++) {
        add(out, room, i == 0 ? " " : ", ", codes[i]);
    }
    if (box->type == RG_BOX_NUMBER) {
        char most[16];
        (void)snprintf(most, sizeof(most), "%u", rg_box_number_max(box));
        add(out, room, " ", most);
    }
    if (box->many) {
        add(out, room, "", ", and more of them");
    }
}

static void box_show(const struct rg_box *box, const struct rg_box *list, struct referral_box *out)
{
    const struct rg_box *owner = list == NULL ? box : list;
    *out = (struct referral_box){.list = list == NULL ? "" : list->name,
                                 .name = box->name,
                                 .type = rg_box_type_name(box->type),
                                 .meaning = box->meaning};
    out->section = owner->class_ == 0 ? "of the field" : rg_class_name(owner->class_);
    (void)snprintf(out->required, sizeof(out->required), "%s%s",
                   box->required       ? "required"
                   : box->when == NULL ? "optional"
                                       : "when ",
                   box->required || box->when == NULL ? "" : box->when);
    allowed_words(box, out->allowed, sizeof(out->allowed));
}

struct referral_result referral_next_box(const char *kind, struct referral_cursor *cursor,
                                         struct referral_box *out)
{
    const struct rg_kind_row *row = kind_find(kind);
    const struct rg_box *list = NULL;
    if (row == NULL) {
        return no_such_kind();
    }
    const struct rg_box *box = cursor->at < 0 ? NULL : box_at(row->form, cursor->at, &list);
    if (box == NULL) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    cursor->at++;
    box_show(box, list, out);
    return (struct referral_result){.code = REFERRAL_OK};
}

struct referral_result referral_template(const char *kind, char **json_out, size_t *bytes_out)
{
    const struct rg_kind_row *row = kind_find(kind);
    RG_OWNED_BUFFER out = {0};
    struct rg_reason why = {0};
    char title[64];
    if (row == NULL) {
        return no_such_kind();
    }
    (void)snprintf(title, sizeof(title), "%u %s", row->number, row->name);
    rg_outcome outcome = rg_form_template(row->form, title, &out, &why);
    if (rg_is_ok(outcome)) {
        outcome = rg_buffer_append(&out, rg_bytes_of("", 1), &why);
    }
    if (!rg_is_ok(outcome)) {
        return rg_result(outcome, &why);
    }
    struct rg_buffer taken = rg_buffer_take(&out);
    *json_out = (char *)taken.data;
    *bytes_out = taken.len - 1;
    return (struct referral_result){.code = REFERRAL_OK};
}
