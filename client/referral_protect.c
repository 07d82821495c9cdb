/*
 * How it works: what puts a protection in place works at once and by one officer. What takes one
 * back (a name off an exclusion list, the end of a protection claim) needs a second officer of the
 * same office: her own home folder is opened beside ours, so her keys must be there, and her
 * certificate must be one that the page still lists. What is put in place is told to the colleagues
 * of the office (kind 93); what is taken back is not. Nothing of this leaves the house.
 */
#include "client/referral_inside.h"

#include "client/exclusions.h"
#include "client/rules_message.h"
#include "core/digest.h"
#include "core/settings.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- a second officer ---- */

rg_outcome rg_office_second(const struct referral *office, const char *folder,
                            char principal_out[RG_PRINCIPAL_BYTES], struct rg_reason *why)
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
    RG_TRY(rg_trust_judge(office->home->trust, other->sign, RG_USE_SIGN, now, now, &verdict, why));
    (void)snprintf(principal_out, RG_PRINCIPAL_BYTES, "%s", other->principal.text);
    return rg_ok();
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

/* A claim is told to every colleague; who is shut out, and that anybody is, only to those cleared
 * for security: without `open` the case section is sealed like the security section. */
static rg_outcome notice_fill(struct rg_form *form, const struct rg_case_file *file,
                              const struct rg_exclusion *shut_out, struct rg_reason *why)
{
    char who[RG_PRINCIPAL_BYTES + 16] = "";
    RG_TRY(rg_form_set(form, "host", rg_bytes_of_text(file->host), why));
    RG_TRY(rg_form_set(form, "origin", rg_bytes_of_text(file->origin), why));
    RG_TRY(rg_form_set(form, "reference", rg_bytes_of_text(file->reference), why));
    if (shut_out != NULL) {
        rg_exclusion_print(shut_out, who, sizeof(who));
        return rg_form_set(form, "shut_out", rg_bytes_of_text(who), why);
    }
    return rg_form_set(form, "open", RG_BYTES_LITERAL("true"), why);
}

/* A colleague's library answers by itself too: it must know. Whoever cannot be told now is told by
 * people; the claim stands all the same. */
static rg_outcome colleagues_tell(struct referral *office, struct rg_case_file *file,
                                  const struct rg_exclusion *shut_out, struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    RG_SPOOL_STEP step = {0};
    RG_CASE_FILE before = *file;
    struct rg_reason said = {0};
    struct rg_id id;
    struct rg_letter notice = {.kind = RG_KIND_PROTECTION_NOTICE,
                               .to_office = rg_office_own(office)};
    if (!rg_home_is_focal(office->home)) {
        return rg_ok();
    }
    RG_TRY(rg_form_new(rg_kind_row(notice.kind)->form, &form, why));
    RG_TRY(notice_fill(form, file, shut_out, why));
    rg_random(notice.thread.b, sizeof(notice.thread.b));
    notice.form = form;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    rg_outcome outcome = rg_office_post(office, file, &notice, &id, &said);
    if (rg_is_ok(outcome)) {
        return rg_spool_step_commit(&step, why);
    }
    *file = before;
    if (rg_stops_all(outcome)) {
        *why = said;
        return outcome;
    }
    return rg_ok();
}

/* What still waits for the country of origin does not leave any more. */
static rg_outcome claim_set(struct referral *office, struct rg_case_file *file, bool open,
                            struct rg_reason *why)
{
    file->protection_claim = open;
    if (open) {
        RG_TRY(rg_office_take_back(office, file, file->origin, why));
    }
    RG_TRY(record_claim(office, file->row, open, why));
    return rg_casebook_put(office->book, file, why);
}

rg_outcome rg_office_claim_told(struct referral *office, struct rg_case_file *file,
                                struct rg_reason *why)
{
    bool here = strcmp(file->host, office->home->principal.country) == 0;
    return here && !file->protection_claim ? claim_set(office, file, true, why) : rg_ok();
}

static rg_outcome claim_begin(struct referral *office, struct rg_case_file *file,
                              struct rg_reason *why)
{
    RG_TRY(claim_set(office, file, true, why));
    return colleagues_tell(office, file, NULL, why);
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
        char who[RG_PRINCIPAL_BYTES];
        RG_TRY(rg_office_second(office, second, who, why));
    }
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(open ? claim_begin(office, &file, why) : claim_set(office, &file, false, why));
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
    RG_TRY(colleagues_tell(office, &file, &entry, why)); /* not to her: the list holds already */
    RG_TRY(rg_casebook_put(office->book, &file, why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_office_exclude_told(struct referral *office, const struct rg_case_file *file,
                                  const char *who, const char *by, struct rg_reason *why)
{
    struct rg_exclusion entry;
    struct rg_exclusions list;
    bool read = rg_is_ok(rg_exclusion_parse(who, &entry, NULL));
    RG_CHECK(read && !rg_exclusions_own(&entry, office->home->principal.text), why, RG_DENIED,
             "exclusion-form", "a colleague's notice names nobody who can be shut out here");
    RG_TRY(rg_casebook_exclusions_get(office->book, file->row, &list, NULL, why));
    RG_CHECK(rg_is_ok(rg_exclusions_add(&list, &entry, NULL)), why, RG_DENIED, "exclusion-limit",
             "too many names on one list");
    return rg_casebook_exclusions_put(office->book, file->row, &list, by, rg_wall_now(), why);
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
    char colleague[RG_PRINCIPAL_BYTES];
    RG_TRY(rg_office_second(office, second, colleague, why));
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

/* ---- withdrawal ---- */

/* What is named; else all that stands; and if nothing stands, all there is: a no must never meet a
 * closed door. */
static rg_outcome scopes_of(struct referral *office, const struct rg_case_file *file,
                            const char *named, uint32_t *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER normal = {0};
    struct rg_consents set;
    RG_TRY(rg_office_consents(office, file, &set, why));
    *out = rg_consents_scopes(&set, rg_office_today(office));
    *out = *out == 0 ? RG_SCOPES_ALL : *out;
    if (named != NULL) {
        RG_TRY(rg_field_check(RG_FIELD_CONSENT_SCOPES, rg_bytes_of_text(named), &normal, why));
        RG_CHECK(normal.len > 0, why, RG_MALFORMED, "withdraw-scopes", "name at least one scope");
        RG_TRY(rg_buffer_append(&normal, RG_BYTES_LITERAL("\0"), why));
        *out = rg_codes_set(RG_FIELD_CONSENT_SCOPES, (const char *)normal.data);
    }
    return rg_ok();
}

static rg_outcome withdrawal_json(struct referral *office, const struct rg_case_file *file,
                                  const struct referral_withdrawal *asked, struct rg_buffer *out,
                                  uint32_t *scopes_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER list = {0};
    char when[32];
    const char *by = asked->said_by != NULL ? asked->said_by : "person";
    RG_CHECK(rg_code_find(RG_FIELD_CONSENT_GIVEN_BY, rg_bytes_of_text(by)) != 0, why, RG_MALFORMED,
             "withdraw-by", "who has said it: person, guardian or both");
    RG_TRY(scopes_of(office, file, asked->scopes, scopes_out, why));
    for (uint32_t i = 1; rg_code_text(RG_FIELD_CONSENT_SCOPES, i) != NULL; i++) {
        if ((*scopes_out & RG_SCOPE_BIT(i)) != 0) {
            RG_TRY(rg_buffer_print(&list, why, "%s\"%s\"", list.len > 0 ? "," : "",
                                   rg_code_text(RG_FIELD_CONSENT_SCOPES, i)));
        }
    }
    rg_wall_print(rg_wall_now(), when);
    return rg_buffer_print(out, why,
                           "{\"scopes\":[%.*s],\"wants_erasure\":%s,\"effective\":\"%s\","
                           "\"said_by\":\"%s\"}",
                           (int)list.len, (const char *)list.data, asked->erase ? "true" : "false",
                           when, by);
}

/* For an NGO or a desk its focal point is outside already; for a focal point, what is abroad. */
static bool is_outside(const struct referral *office, const struct rg_case_file *file,
                       const struct rg_message_row *row)
{
    char country[RG_COUNTRY_BYTES];
    bool stays = row->state == RG_OUT_WAITING || row->state == RG_OUT_WITHDRAWN ||
                 row->state == RG_OUT_REFUSED;
    rg_office_country(row->other, country);
    bool crosses = strcmp(country, office->home->principal.country) != 0;
    return (crosses || file->now.side == RG_SIDE_PROPOSER) && (!row->ours || !stays);
}

/* Something of this case is, or may be, outside this house. */
static rg_outcome has_left(struct referral *office, const struct rg_case_file *file, bool *left_out,
                           struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 1;
    *left_out = false;
    while (count > 0 && !*left_out) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file->row, row.seq, &row, 1, &count, why));
        *left_out = count > 0 && is_outside(office, file, &row);
    }
    return rg_ok();
}

/* Takes the scopes out of the record; without any there is no consent. */
rg_outcome rg_office_record_withdraw(struct rg_record *record, uint32_t scopes,
                                     struct rg_reason *why)
{
    RG_OWNED_BUFFER left = {0};
    uint32_t stays = rg_record_codes(record, RG_FIELD_CONSENT_SCOPES) & ~scopes;
    for (uint32_t i = 1; rg_code_text(RG_FIELD_CONSENT_SCOPES, i) != NULL; i++) {
        if ((stays & RG_SCOPE_BIT(i)) != 0) {
            RG_TRY(rg_buffer_print(&left, why, "%s%s", left.len > 0 ? ";" : "",
                                   rg_code_text(RG_FIELD_CONSENT_SCOPES, i)));
        }
    }
    RG_TRY(rg_record_set(record, RG_FIELD_CONSENT_SCOPES, rg_buffer_peek(&left), why));
    if (stays == 0) {
        RG_TRY(rg_record_set(record, RG_FIELD_CON_CONSENT, RG_BYTES_LITERAL("false"), why));
    }
    return rg_ok();
}

static rg_outcome record_withdraw(struct referral *office, int64_t row, uint32_t scopes,
                                  struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_casebook_record_get(office->book, row, &record, why));
    RG_TRY(rg_office_record_withdraw(record, scopes, why));
    return rg_casebook_record_put(office->book, row, record, why);
}

static rg_outcome outbox_empty(struct referral *office, struct rg_case_file *file,
                               struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 1;
    while (count > 0) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file->row, row.seq, &row, 1, &count, why));
        if (count > 0 && row.ours && row.state == RG_OUT_WAITING) {
            row.state = RG_OUT_WITHDRAWN;
            RG_TRY(rg_spool_message_update(office->spool, &row, why));
        }
    }
    return file->has_process ? rg_office_fold(office, file, NULL, NULL, why) : rg_ok();
}

/* Nobody outside knows of the case: nobody is told. All that waits is taken out of the outbox,
 * since it was written with the old consent in mind; what still may go can be sent anew. */
static rg_outcome withdraw_here(struct referral *office, struct rg_case_file *file, uint32_t scopes,
                                bool erase, struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(record_withdraw(office, file->row, scopes, why));
    RG_TRY(outbox_empty(office, file, why));
    if (file->now.state != RG_CASE_DECLINED) { /* what was about to leave is held anew */
        file->now.state = RG_CASE_HELD;
        file->now.since = rg_wall_now();
        RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
        RG_TRY(rg_office_judge(office, file, record, why));
    }
    RG_TRY(rg_casebook_put(office->book, file, why));
    if (erase) {
        RG_TRY(rg_casebook_erase(office->book, file->row, false, why));
        office->erased = true;
    }
    return rg_spool_step_commit(&step, why);
}

static rg_outcome withdraw(struct referral *office, const char *id,
                           const struct referral_withdrawal *asked, struct rg_buffer *json,
                           bool *here_out, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    bool left = false;
    uint32_t scopes = 0;
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(withdrawal_json(office, &file, asked, json, &scopes, why));
    RG_TRY(has_left(office, &file, &left, why));
    *here_out = !left;
    if (left) {
        return rg_ok();
    }
    RG_TRY(withdraw_here(office, &file, scopes, asked->erase, why));
    return asked->erase ? rg_office_tidy(office, why) : rg_ok();
}

struct referral_result referral_withdraw(struct referral *office, const char *id,
                                         const struct referral_withdrawal *asked,
                                         struct referral_written *out)
{
    struct rg_reason why = {0};
    RG_OWNED_BUFFER json = {0};
    bool here = false;
    rg_outcome outcome = withdraw(office, id, asked, &json, &here, &why);
    if (!rg_is_ok(outcome) || here) {
        *out = (struct referral_written){.state = "here"};
        return rg_result(outcome, &why);
    }
    const struct referral_letter letter = {.case_id = id,
                                           .kind = RG_KIND_CONSENT_WITHDRAWN,
                                           .json = (const char *)json.data,
                                           .bytes = json.len};
    return referral_write(office, &letter, out);
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
    bool opens = strcmp(rg_record_get(record, RG_FIELD_PROTECTION_CLAIM), "true") == 0 &&
                 !file->protection_claim;
    if (file->row == 0) {
        file->protection_claim |= opens;
        return rg_ok();
    }
    if (opens) { /* kept at once: nothing else of a case that has left the house is changed */
        RG_TRY(claim_begin(office, file, why));
    }
    RG_TRY(rg_casebook_record_get(office->book, file->row, &held, why));
    return age_kept(office, held, record, why);
}
