/*
 * How it works: a notice is taken out of its form once and is plain data from then on. Searching
 * compares match keys, so scripts, case and zero-width marks do not matter. Invariant: of what one
 * country says about a point only the newest word counts, whatever the order of arrival.
 */
#include "client/notices.h"

#include "client/form.h"

#include <stdio.h>
#include <string.h>

static void take_text(const struct rg_form *form, const char *name, char *out, size_t room)
{
    (void)snprintf(out, room, "%s", rg_form_get(form, name));
}

static void take_date(const struct rg_form *form, const char *name, struct rg_date *out)
{
    if (!rg_form_date(form, name, out)) {
        *out = (struct rg_date){0};
    }
}

rg_outcome rg_notice_of_form(const struct rg_form *form, struct rg_notice *out,
                             struct rg_reason *why)
{
    struct rg_notice notice = {.text_count = rg_form_row_count(form, "texts")};
    RG_CHECK(notice.text_count > 0 && notice.text_count <= RG_NOTICE_TEXTS_MAX, why, RG_LIMIT,
             "notice-limit", "a notice has its text in 1 to %d languages", RG_NOTICE_TEXTS_MAX);
    take_text(form, "subject", notice.subject, sizeof(notice.subject));
    take_text(form, "country", notice.country, sizeof(notice.country));
    take_text(form, "point", notice.point, sizeof(notice.point));
    take_date(form, "valid_from", &notice.valid_from);
    take_date(form, "valid_to", &notice.valid_to);
    for (size_t i = 0; i < notice.text_count; i++) {
        struct rg_notice_text *text = &notice.text[i];
        (void)snprintf(text->language, sizeof(text->language), "%s",
                       rg_form_row_get(form, "texts", i, "language"));
        (void)snprintf(text->title, sizeof(text->title), "%s",
                       rg_form_row_get(form, "texts", i, "title"));
        (void)snprintf(text->words, sizeof(text->words), "%s",
                       rg_form_row_get(form, "texts", i, "text"));
    }
    bool gate = strncmp(notice.subject, "GATE_", 5) == 0;
    RG_CHECK(notice.subject[0] != '\0' && notice.country[0] != '\0', why, RG_MALFORMED,
             "notice-form", "a notice says what it is about and of which country");
    RG_CHECK(!gate || notice.point[0] != '\0', why, RG_MALFORMED, "notice-form",
             "a notice about a gate names the point");
    *out = notice;
    return rg_ok();
}

bool rg_notice_is_current(const struct rg_notice *notice, struct rg_date today)
{
    bool begun = notice->valid_from.year == 0 || rg_date_compare(today, notice->valid_from) >= 0;
    bool ended = notice->valid_to.year != 0 && rg_date_compare(today, notice->valid_to) > 0;
    return begun && !ended;
}

/* "lo" finds "lo" and "lo-LA". */
static bool is_language(const char *tag, const char *wanted)
{
    size_t len = strlen(wanted);
    return strncmp(tag, wanted, len) == 0 && (tag[len] == '\0' || tag[len] == '-');
}

static const struct rg_notice_text *text_find(const struct rg_notice *notice, const char *language)
{
    for (size_t i = 0; i < notice->text_count; i++) {
        if (is_language(notice->text[i].language, language)) {
            return &notice->text[i];
        }
    }
    return NULL;
}

const struct rg_notice_text *rg_notice_words(const struct rg_notice *notice, const char *language)
{
    const struct rg_notice_text *text = NULL;
    if (language != NULL) {
        text = text_find(notice, language);
    }
    if (text == NULL) {
        text = text_find(notice, "en");
    }
    return text == NULL && notice->text_count > 0 ? &notice->text[0] : text;
}

static bool holds(struct rg_bytes text, struct rg_bytes part)
{
    for (size_t i = 0; part.len > 0 && i + part.len <= text.len; i++) {
        if (memcmp(text.data + i, part.data, part.len) == 0) {
            return true;
        }
    }
    return false;
}

static rg_outcome words_hold(const struct rg_notice *notice, const char *search, bool *found_out,
                             struct rg_reason *why)
{
    RG_OWNED_BUFFER wanted = {0};
    RG_OWNED_BUFFER key = {0};
    RG_TRY(rg_text_match_key(rg_bytes_of_text(search), &wanted, why));
    const char *place[3 + 2 * RG_NOTICE_TEXTS_MAX] = {notice->subject, notice->point,
                                                      notice->country};
    size_t count = 3;
    for (size_t i = 0; i < notice->text_count; i++) {
        place[count++] = notice->text[i].title;
        place[count++] = notice->text[i].words;
    }
    for (size_t i = 0; i < count && !*found_out; i++) {
        RG_TRY(rg_text_match_key(rg_bytes_of_text(place[i]), &key, why));
        *found_out = holds(rg_buffer_peek(&key), rg_buffer_peek(&wanted));
    }
    return rg_ok();
}

rg_outcome rg_notice_matches(const struct rg_notice *notice, const struct rg_notice_query *query,
                             bool *matches_out, struct rg_reason *why)
{
    bool found = query->search == NULL;
    bool country = query->country == NULL || strcmp(query->country, notice->country) == 0;
    bool language = query->language == NULL || text_find(notice, query->language) != NULL;
    bool point = query->point == NULL || strcmp(query->point, notice->point) == 0;
    bool current = !query->current || rg_notice_is_current(notice, query->today);
    if (!found) {
        RG_TRY(words_hold(notice, query->search, &found, why));
    }
    *matches_out = found && country && language && point && current;
    return rg_ok();
}

enum rg_point_word rg_notice_on_point(const struct rg_notice *notice, const char *point,
                                      struct rg_date today)
{
    if (strcmp(notice->point, point) != 0 || !rg_notice_is_current(notice, today)) {
        return RG_POINT_SILENT;
    }
    bool closes = strcmp(notice->subject, RG_NOTICE_CLOSED) == 0;
    bool opens = strcmp(notice->subject, RG_NOTICE_OPEN) == 0;
    return closes ? RG_POINT_CLOSED : opens ? RG_POINT_OPEN : RG_POINT_SILENT;
}

bool rg_notice_same(const struct rg_notice *a, const struct rg_notice *b)
{
    bool same = strcmp(a->subject, b->subject) == 0 && strcmp(a->country, b->country) == 0 &&
                strcmp(a->point, b->point) == 0 && a->exercise == b->exercise &&
                rg_date_compare(a->valid_from, b->valid_from) == 0 &&
                rg_date_compare(a->valid_to, b->valid_to) == 0 && a->text_count == b->text_count;
    for (size_t i = 0; same && i < a->text_count; i++) {
        same = strcmp(a->text[i].language, b->text[i].language) == 0 &&
               strcmp(a->text[i].title, b->text[i].title) == 0 &&
               strcmp(a->text[i].words, b->text[i].words) == 0;
    }
    return same;
}

void rg_point_fold_add(struct rg_point_fold *fold, const struct rg_notice *notice,
                       const char *point, struct rg_date today)
{
    enum rg_point_word word = rg_notice_on_point(notice, point, today);
    size_t at = 0;
    while (at < fold->count && strcmp(fold->said[at].country, notice->country) != 0) {
        at++;
    }
    bool newer = at == fold->count || notice->at_ms > fold->said[at].at_ms;
    if (word == RG_POINT_SILENT || !newer || at == RG_COUNTRIES_MAX) {
        return;
    }
    fold->count += at == fold->count;
    (void)snprintf(fold->said[at].country, RG_COUNTRY_BYTES, "%s", notice->country);
    fold->said[at].at_ms = notice->at_ms;
    fold->said[at].word = word;
}

bool rg_point_is_closed(const struct rg_point_fold *fold)
{
    for (size_t i = 0; i < fold->count; i++) {
        if (fold->said[i].word == RG_POINT_CLOSED) {
            return true;
        }
    }
    return false;
}
