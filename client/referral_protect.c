/*
 * How it works: rg_office_guard is asked once for every message that is about to be sealed, whoever
 * composed it, and says who may read each section. It knows the case, the recipient and the classes
 * of the sections, and asks in this order: may this country be told anything (protection claim), is
 * there a written agreement with it, and did the person agree to each class that is not withheld.
 * Invariant: nothing that crosses the border is sealed without passing here, and nothing here can
 * be told to look away. What takes back a protection (a name off an exclusion list, the end of a
 * protection claim) needs a second officer of the same office: her own home folder is opened beside
 * ours, so her keys must be there, and her certificate must be one that the page still lists.
 */
#include "client/referral_inside.h"

#include "client/consent.h"
#include "client/exclusions.h"
#include "client/form.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- what the person agreed to ---- */

rg_outcome rg_office_consents(struct referral *office, const struct rg_case_file *file,
                              struct rg_consents *out, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_consents set = {0};
    struct rg_consent consent;
    struct rg_date today = rg_office_today(office);
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    if (rg_consent_of_record(record, &consent)) {
        RG_TRY(rg_consents_give(&set, &consent, today, why));
    }
    if (file->has_preview &&
        rg_consent_of_summary(&file->preview, file->host, file->origin, &consent)) {
        RG_TRY(rg_consents_give(&set, &consent, today, why));
    }
    *out = set;
    return rg_ok();
}

/* ---- the guard ---- */

/* "" also when this kind's form has no such box. */
static const char *form_text(const struct rg_form *form, const char *name)
{
    return rg_form_box(rg_form_table_of(form), name) != NULL ? rg_form_get(form, name) : "";
}

struct guard {
    struct referral *office;
    const struct rg_case_file *file;
    const struct rg_letter *letter;
    char country[RG_COUNTRY_BYTES]; /* of the recipient */
    struct rg_consent_ask ask;
};

/* Whom there the person's consent lets read this class. A justice desk reads what she agreed to
 * tell it, a child desk reads of children. */
static unsigned desks_allowed(const struct guard *guard, const struct rg_consents *set,
                              enum rg_class class_)
{
    struct rg_consent_ask ask = guard->ask;
    uint32_t scopes = rg_consents_scopes(set, ask.today);
    unsigned desks = 0;
    ask.class_ = class_;
    for (unsigned desk = RG_DESK_FOCAL; desk < RG_DESK_COUNT; desk++) {
        bool justice = desk == RG_DESK_JUSTICE;
        bool child = desk == RG_DESK_CHILD;
        ask.desk = (enum rg_desk)desk;
        if ((justice && (scopes & RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL)) == 0) ||
            (child && !ask.child)) {
            continue;
        }
        desks |= rg_is_ok(rg_consent_allows(set, &ask, NULL)) ? RG_DESK_BIT(desk) : 0;
    }
    return desks;
}

static bool says_nothing(const struct guard *guard, const struct rg_content *content)
{
    return content->body == RG_BODY_WITHHELD ||
           rg_consent_scopes_needed(guard->letter->kind, content->class_).none;
}

static rg_outcome section_allowed(const struct guard *guard, const struct rg_consents *set,
                                  size_t index, unsigned *desks_out, struct rg_reason *why)
{
    const struct rg_content *content = &guard->letter->content[index];
    struct rg_consent_ask ask = guard->ask;
    if (says_nothing(guard, content)) {
        return rg_ok();
    }
    RG_TRY(rg_agreements_allow(&guard->office->home->agreements, guard->letter->to_office,
                               ask.purpose, ask.today, why));
    *desks_out = desks_allowed(guard, set, content->class_);
    ask.class_ = content->class_;
    ask.desk = RG_DESK_FOCAL;
    return *desks_out != 0 ? rg_ok() : rg_consent_allows(set, &ask, why);
}

static rg_outcome sections_allowed(const struct guard *guard, struct rg_guarded *out,
                                   struct rg_reason *why)
{
    struct rg_consents set;
    RG_TRY(rg_office_consents(guard->office, guard->file, &set, why));
    for (size_t i = 0; i < guard->letter->count; i++) {
        RG_TRY(section_allowed(guard, &set, i, &out->desks[i], why));
    }
    return rg_ok();
}

bool rg_office_is_muted(const struct rg_case_file *file, const char *to_office)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(to_office, country);
    return file->protection_claim && strcmp(country, file->origin) == 0 &&
           strcmp(file->origin, file->host) != 0;
}

rg_outcome rg_office_tell_opened(struct referral *office, const struct rg_message_row *row,
                                 struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    if (row->case_row != 0) {
        RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    }
    bool muted = row->case_row != 0 && rg_office_is_muted(&file, row->other);
    if (!muted && office->opened_count < RG_OPENED_IDS_MAX) {
        office->opened[office->opened_count++] = row->id;
    }
    return rg_ok();
}

static void guard_ask(struct guard *guard)
{
    const struct rg_case_file *file = guard->file;
    enum rg_referral_reason reason =
        file->has_preview ? file->preview.reason : (enum rg_referral_reason)0;
    guard->ask.kind = guard->letter->kind;
    guard->ask.country = guard->country;
    guard->ask.purpose = rg_purpose_of(guard->letter->kind, reason);
    guard->ask.today = rg_office_today(guard->office);
    guard->ask.child = file->has_preview && file->preview.age != RG_AGE_ADULT;
}

/* A handover through a point that is closed, or that this case must keep away from, is not offered.
 * The words for the second are those for what does not exist. */
static rg_outcome point_allowed(const struct guard *guard, const struct rg_exclusions *excluded,
                                struct rg_reason *why)
{
    uint32_t kind = guard->letter->kind;
    bool offers = kind == RG_KIND_HANDOVER_PROPOSAL || kind == RG_KIND_HANDOVER_REPLY ||
                  kind == RG_KIND_HANDOVER_CHANGE || kind == RG_KIND_DEPARTED;
    for (size_t i = 0; offers && i < guard->letter->count; i++) {
        const struct rg_content *content = &guard->letter->content[i];
        const char *point = content->body == RG_BODY_FORM ? form_text(content->form, "point") : "";
        if (rg_exclusions_point(excluded, point)) {
            return rg_not_available(why);
        }
        RG_TRY(rg_office_point_check(guard->office, point, why));
    }
    return rg_ok();
}

rg_outcome rg_office_guard(struct referral *office, const struct rg_case_file *file,
                           const struct rg_letter *letter, struct rg_guarded *out,
                           struct rg_reason *why)
{
    struct guard guard = {.office = office, .file = file, .letter = letter};
    rg_office_country(letter->to_office, guard.country);
    RG_CHECK(!rg_office_is_muted(file, letter->to_office), why, RG_DENIED, "protection-claim",
             "a claim for protection is open: the country of origin is told nothing of this case");
    *out = (struct rg_guarded){0};
    RG_TRY(rg_casebook_exclusions_get(office->book, file->row, &out->excluded, NULL, why));
    if (strcmp(guard.country, office->home->principal.country) == 0) {
        return rg_ok();
    }
    guard_ask(&guard);
    RG_TRY(point_allowed(&guard, &out->excluded, why));
    return sections_allowed(&guard, out, why);
}

/* ---- a second officer ---- */

static rg_outcome second_officer(const struct referral *office, const char *folder,
                                 struct rg_reason *why)
{
    RG_CLEANUP(rg_home_cleanup) struct rg_home *other = NULL;
    struct rg_verdict verdict;
    struct rg_wall now = rg_wall_now();
    RG_CHECK(folder != NULL, why, RG_DENIED, "second-officer",
             "this needs a second officer: name her home folder with --second");
    RG_TRY(rg_home_open(folder, now, &other, why));
    bool colleague = strcmp(other->principal.office, rg_office_own(office)) == 0;
    bool herself = strcmp(other->principal.text, office->home->principal.text) == 0;
    RG_CHECK(colleague && !herself, why, RG_DENIED, "second-officer",
             "the second officer must be another officer of this office");
    return rg_trust_judge(office->home->trust, other->sign, RG_USE_SIGN, now, now, &verdict, why);
}

/* ---- protection claim ---- */

static rg_outcome record_claim(struct referral *office, int64_t row, bool open,
                               struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_casebook_record_get(office->book, row, &record, why));
    RG_TRY(rg_record_set(record, RG_FIELD_PROTECTION_CLAIM,
                         rg_bytes_of_text(open ? "true" : "false"), why));
    return rg_casebook_record_put(office->book, row, record, why);
}

static rg_outcome claim(struct referral *office, const char *id, bool open, const char *second,
                        struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_CHECK(strcmp(file.host, office->home->principal.country) == 0, why, RG_DENIED, "claim-host",
             "a claim for protection is kept by the country where the person is");
    if (file.protection_claim == open) {
        return rg_ok();
    }
    if (!open) {
        RG_TRY(second_officer(office, second, why));
    }
    file.protection_claim = open;
    file.muted = open;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(record_claim(office, file.row, open, why));
    RG_TRY(rg_casebook_put(office->book, &file, why));
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_claim(struct referral *office, const char *id, bool open,
                                      const char *second_home)
{
    struct rg_reason why = {0};
    return rg_result(claim(office, id, open, second_home, &why), &why);
}

/* ---- who must not read ---- */

static rg_outcome exclude(struct referral *office, const char *id, const char *who,
                          struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    struct rg_exclusion entry;
    struct rg_exclusions list;
    RG_TRY(rg_exclusion_parse(who, &entry, why));
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_CHECK(!rg_exclusions_own(&entry, office->home->principal.text), why, RG_DENIED,
             "exclusion-own", "an officer cannot shut out herself or her whole office");
    RG_TRY(rg_casebook_exclusions_get(office->book, file.row, &list, NULL, why));
    RG_TRY(rg_exclusions_add(&list, &entry, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_casebook_exclusions_put(office->book, file.row, &list, office->home->principal.text,
                                      rg_wall_now(), why));
    return rg_spool_step_commit(&step, why);
}

static rg_outcome exclude_end(struct referral *office, const char *id, const char *who,
                              const char *second, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    struct rg_exclusion entry;
    struct rg_exclusions list;
    RG_TRY(rg_exclusion_parse(who, &entry, why));
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(second_officer(office, second, why));
    RG_TRY(rg_casebook_exclusions_get(office->book, file.row, &list, NULL, why));
    RG_CHECK(rg_exclusions_remove(&list, &entry), why, RG_DENIED, "exclusion-unknown",
             "the list of this case has no such entry");
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_casebook_exclusions_put(office->book, file.row, &list, office->home->principal.text,
                                      rg_wall_now(), why));
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_exclude(struct referral *office, const char *id, const char *who)
{
    struct rg_reason why = {0};
    return rg_result(exclude(office, id, who, &why), &why);
}

struct referral_result referral_exclude_end(struct referral *office, const char *id,
                                            const char *who, const char *second_home)
{
    struct rg_reason why = {0};
    return rg_result(exclude_end(office, id, who, second_home, &why), &why);
}

static rg_outcome next_exclusion(struct referral *office, const char *id,
                                 struct referral_cursor *cursor, struct referral_exclusion *out,
                                 bool *found_out, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_exclusions list;
    struct rg_exclusion_note note[RG_EXCLUSIONS_MAX];
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(rg_casebook_exclusions_get(office->book, file.row, &list, note, why));
    *found_out = cursor->at >= 0 && (size_t)cursor->at < list.count;
    if (*found_out) {
        size_t at = (size_t)cursor->at++;
        rg_exclusion_print(&list.item[at], office->text[0], sizeof(office->text[0]));
        (void)snprintf(office->text[1], sizeof(office->text[1]), "%s", note[at].by);
        *out = (struct referral_exclusion){
            .who = office->text[0], .by = office->text[1], .at_ms = note[at].at_ms};
    }
    return rg_ok();
}

struct referral_result referral_next_exclusion(struct referral *office, const char *id,
                                               struct referral_cursor *cursor,
                                               struct referral_exclusion *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_exclusion(office, id, cursor, out, &found, &why);
    struct referral_result result = rg_result(outcome, &why);
    result.code = rg_is_ok(outcome) && !found ? REFERRAL_END : result.code;
    return result;
}
