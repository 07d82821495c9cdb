/*
 * How it works: a notice of ours becomes one message per country, since each has its own readers;
 * it is kept here as every notice is. One from abroad is kept, and passed on under our own
 * signature to each desk and NGO of our country, so that whoever writes to persons knows what holds
 * now. An office that has no reading key yet is left out: it has never been opened.
 *   Invariant: a notice belongs to no case; nothing of a case can be in it, since its form has no
 * place for it, and the guard lets it go without consent for that reason only.
 */
#include "client/referral_inside.h"

#include "client/form.h"
#include "client/notices.h"
#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

static rg_outcome notice_post(struct referral *office, const struct rg_form *form,
                              const char *to_office, struct rg_id *id_out, struct rg_reason *why)
{
    RG_CASE_FILE nobody = {0};
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_FORM, .form = form};
    struct rg_letter letter = {
        .kind = RG_KIND_PROCEDURE_NOTICE,
        .to_office = to_office,
        .priority = RG_ROUTINE,
        .content = &content,
        .count = 1,
    };
    rg_random(nobody.handle.b, sizeof(nobody.handle.b));
    rg_random(letter.thread.b, sizeof(letter.thread.b));
    return rg_office_post(office, &nobody, &letter, id_out, why);
}

/* Not yet known there, or nobody there can read yet: the others still get it. */
static bool can_wait(rg_outcome outcome)
{
    return outcome.code == RG_AGAIN || outcome.code == RG_DENIED;
}

struct posting { /* of one notice to many offices */
    struct referral *office;
    const struct rg_form *form;
    struct rg_id id; /* of the last message */
    size_t sent;
};

static rg_outcome post_one(struct posting *posting, const char *to_office, struct rg_reason *why)
{
    struct rg_reason said = {0};
    struct rg_id id;
    rg_outcome outcome = notice_post(posting->office, posting->form, to_office, &id, &said);
    if (!rg_is_ok(outcome) && !can_wait(outcome)) {
        *why = said;
        return outcome;
    }
    if (rg_is_ok(outcome)) {
        posting->id = id;
        posting->sent++;
    }
    return rg_ok();
}

static rg_outcome post_abroad(struct posting *posting, struct rg_reason *why)
{
    const struct rg_trust *trust = posting->office->home->trust;
    const struct rg_country *country = NULL;
    for (size_t i = 0; (country = rg_trust_country_at(trust, i)) != NULL; i++) {
        char focal[RG_OFFICE_BYTES];
        bool own = strcmp(country->code, posting->office->home->principal.country) == 0;
        if (!own && rg_is_ok(rg_home_focal(posting->office->home, country->code, focal, NULL))) {
            RG_TRY(post_one(posting, focal, why));
        }
    }
    return rg_ok();
}

static rg_outcome post_at_home(struct posting *posting, struct rg_reason *why)
{
    const struct rg_home *home = posting->office->home;
    const struct rg_office *other = NULL;
    for (size_t i = 0; (other = rg_trust_office_at(home->trust, i)) != NULL; i++) {
        char country[RG_COUNTRY_BYTES];
        rg_office_country(other->name, country);
        if (strcmp(country, home->principal.country) == 0 && !other->suspended &&
            strcmp(other->name, home->principal.office) != 0) {
            RG_TRY(post_one(posting, other->name, why));
        }
    }
    return rg_ok();
}

/* ---- ours ---- */

static rg_outcome notice_new(struct referral *office, struct rg_bytes json, size_t *sent_out,
                             struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    struct rg_notice notice;
    RG_SPOOL_STEP step = {0};
    RG_CHECK(rg_home_is_focal(office->home), why, RG_DENIED, "notice-focal",
             "a notice is given by the focal point of a country");
    RG_TRY(rg_form_read_json(rg_kind_row(RG_KIND_PROCEDURE_NOTICE)->form, json, &form, why));
    RG_TRY(rg_form_check(form, RG_CLASS_BIT(RG_CLASS_CASE), why));
    RG_TRY(rg_notice_of_form(form, &notice, why));
    RG_CHECK(strcmp(notice.country, office->home->principal.country) == 0, why, RG_DENIED,
             "notice-country", "a notice speaks for its own country: country must be \"%s\"",
             office->home->principal.country);
    struct posting posting = {.office = office, .form = form};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(post_abroad(&posting, why));
    RG_TRY(post_at_home(&posting, why));
    RG_CHECK(posting.sent > 0, why, RG_AGAIN, "notice-nobody",
             "no office that could read it is known yet: sync first, then try again");
    notice.id = posting.id;
    notice.at_ms = rg_wall_now().ms;
    notice.exercise = office->home->exercise;
    (void)snprintf(notice.from, sizeof(notice.from), "%s", rg_office_own(office));
    RG_TRY(rg_casebook_notice_put(office->book, &notice, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    *sent_out = posting.sent;
    return rg_ok();
}

struct referral_result referral_notice_new(struct referral *office, const char *json, size_t bytes,
                                           size_t *sent_out)
{
    struct rg_reason why = {0};
    return rg_result(notice_new(office, rg_bytes_of(json, bytes), sent_out, &why), &why);
}

/* ---- theirs ---- */

static rg_outcome notice_check(const struct rg_arrival *arrival, const struct rg_notice *notice,
                               struct rg_reason *why)
{
    char from[RG_COUNTRY_BYTES];
    rg_office_country(notice->from, from);
    RG_CHECK(!arrival->crosses || strcmp(from, notice->country) == 0, why, RG_DENIED,
             "notice-country", "a notice speaks for another country than its own");
    return rg_ok();
}

rg_outcome rg_arrival_notice(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct referral *office = arrival->office;
    const struct rg_content *content = arrival->opened->first;
    struct rg_notice notice;
    RG_CHECK(content->body == RG_BODY_FORM, why, RG_MALFORMED, "notice-form",
             "the notice has no text");
    RG_TRY(rg_notice_of_form(content->form, &notice, why));
    notice.id = arrival->row->id;
    notice.at_ms = arrival->row->time_ms;
    notice.exercise = content->exercise;
    (void)snprintf(notice.from, sizeof(notice.from), "%s",
                   arrival->ours ? rg_office_own(office) : arrival->row->other);
    RG_TRY(notice_check(arrival, &notice, why));
    RG_TRY(rg_casebook_notice_put(office->book, &notice, why));
    bool pass_on = arrival->crosses && !arrival->ours && rg_home_is_focal(office->home);
    struct posting posting = {.office = office, .form = content->form};
    return pass_on ? post_at_home(&posting, why) : rg_ok();
}

/* ---- looking ---- */

rg_outcome rg_office_point_check(struct referral *office, const char *point, struct rg_reason *why)
{
    struct rg_point_fold fold = {0};
    struct rg_notice notice;
    bool found = true;
    int64_t after = 0;
    while (point[0] != '\0') {
        RG_TRY(rg_casebook_notice_next(office->book, after, &notice, &found, why));
        if (!found) {
            break;
        }
        after = notice.row;
        rg_point_fold_add(&fold, &notice, point, rg_office_today(office));
    }
    RG_CHECK(!rg_point_is_closed(&fold), why, RG_DENIED, "point-closed",
             "a notice says that this point is closed; see: referral notices --current, and choose "
             "another point or wait");
    return rg_ok();
}

static const char *day_text(struct rg_date day, char *out, size_t room)
{
    out[0] = '\0';
    if (day.year != 0) {
        (void)snprintf(out, room, "%04d-%02d-%02d", day.year, day.month, day.day);
    }
    return out;
}

static void notice_show(struct referral *office, const char *language, struct referral_notice *out)
{
    const struct rg_notice *notice = &office->notice;
    const struct rg_notice_text *text = rg_notice_words(notice, language);
    *out = (struct referral_notice){
        .subject = notice->subject,
        .country = notice->country,
        .point = notice->point,
        .from = notice->from,
        .language = text != NULL ? text->language : "",
        .title = text != NULL ? text->title : "",
        .words = text != NULL ? text->words : "",
        .valid_from = day_text(notice->valid_from, office->text[0], sizeof(office->text[0])),
        .valid_to = day_text(notice->valid_to, office->text[1], sizeof(office->text[1])),
        .current = rg_notice_is_current(notice, rg_office_today(office)),
        .exercise = notice->exercise,
        .at_ms = notice->at_ms,
    };
}

static rg_outcome next_notice(struct referral *office, const struct referral_notice_query *query,
                              struct referral_cursor *cursor, struct referral_notice *out,
                              bool *found_out, struct rg_reason *why)
{
    const struct rg_notice_query asked = {
        .search = query->search,
        .country = query->country,
        .language = query->language,
        .current = query->current,
        .today = rg_office_today(office),
    };
    bool found = true;
    bool matches = false;
    while (found && !matches) {
        RG_TRY(rg_casebook_notice_next(office->book, cursor->at, &office->notice, &found, why));
        if (found) {
            cursor->at = office->notice.row;
            RG_TRY(rg_notice_matches(&office->notice, &asked, &matches, why));
        }
    }
    if (matches) {
        notice_show(office, query->language, out);
    }
    *found_out = matches;
    return rg_ok();
}

struct referral_result referral_next_notice(struct referral *office,
                                            const struct referral_notice_query *query,
                                            struct referral_cursor *cursor,
                                            struct referral_notice *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_notice(office, query, cursor, out, &found, &why);
    struct referral_result result = rg_result(outcome, &why);
    result.code = rg_is_ok(outcome) && !found ? REFERRAL_END : result.code;
    return result;
}
