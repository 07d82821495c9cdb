/*
 * How it works: what puts a protection in place works at once and by one officer. What takes one
 * back (a name off an exclusion list, the end of a protection claim) needs a second officer of the
 * same office: her own home folder is opened beside ours, so her keys must be there, and her
 * certificate must be one that the page still lists. Nothing of this leaves the house.
 */
#include "client/referral_inside.h"

#include "client/exclusions.h"
#include "client/rules_message.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

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

/* ---- what a record brings ---- */

static bool has_child_desk(const struct referral *office)
{
    const struct rg_office *other = NULL;
    for (size_t i = 0; (other = rg_trust_office_at(office->home->trust, i)) != NULL; i++) {
        char country[RG_COUNTRY_BYTES];
        rg_office_country(other->name, country);
        if (strcmp(country, office->home->principal.country) == 0 &&
            rg_role_find(other->role) == RG_ROLE_CHILD) {
            return true;
        }
    }
    return false;
}

/* Where a country has no child desk its focal point has to do. An age that was not stated is filled
 * in, not raised. */
static rg_outcome age_kept(const struct referral *office, const struct rg_record *held,
                           const struct rg_record *record, struct rg_reason *why)
{
    const struct rg_office *own = rg_trust_office(office->home->trust, rg_office_own(office));
    enum rg_age before = (enum rg_age)rg_record_code(held, RG_FIELD_AGE_STATUS);
    enum rg_age after = (enum rg_age)rg_record_code(record, RG_FIELD_AGE_STATUS);
    enum rg_role role = own != NULL ? rg_role_find(own->role) : (enum rg_role)0;
    if (before == 0 || !has_child_desk(office)) {
        return rg_ok();
    }
    return rg_age_change_check(before, after, role, "assessed by the desk itself", why);
}

rg_outcome rg_office_protect_record(struct referral *office, struct rg_case_file *file,
                                    const struct rg_record *record, struct rg_reason *why)
{
    RG_OWNED_RECORD held = NULL;
    if (strcmp(rg_record_get(record, RG_FIELD_PROTECTION_CLAIM), "true") == 0) {
        file->protection_claim = true;
        file->muted = true;
    }
    if (file->row == 0) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_record_get(office->book, file->row, &held, why));
    return age_kept(office, held, record, why);
}
