/* How it works: a case that begins with another message than a referral request, or anew from one
 * that is here. A new case has a new handle and a new thread: nobody who knows the old one can tell
 * that they are the same person, and the record is copied at home, never sent by this. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

rg_outcome rg_office_abroad(const struct referral *office, const struct rg_case_file *file,
                            char out[RG_OFFICE_BYTES], struct rg_reason *why)
{
    bool host = strcmp(file->host, office->home->principal.country) == 0;
    return rg_home_focal(office->home, host ? file->origin : file->host, out, why);
}

rg_outcome rg_office_thread_open(const struct referral *office, struct rg_case_file *file,
                                 struct rg_reason *why)
{
    if (file->has_thread) {
        return rg_ok();
    }
    RG_TRY(rg_office_abroad(office, file, file->partner, why));
    rg_random(file->thread.b, sizeof(file->thread.b));
    file->has_thread = true;
    return rg_ok();
}

static rg_outcome record_country(struct rg_record *record, enum rg_field field, const char *country,
                                 struct rg_reason *why)
{
    char upper[RG_COUNTRY_BYTES];
    (void)snprintf(upper, sizeof(upper), "%s", country);
    for (char *c = upper; *c != '\0'; c++) {
        *c = (char)toupper((unsigned char)*c);
    }
    return rg_record_set(record, field, rg_bytes_of_text(upper), why);
}

/* "TH-17" becomes "TH-17/vn": the office's own name for the second road of one person. */
static rg_outcome reference_make(const struct rg_case_file *file, const char *country,
                                 struct rg_record *record, struct rg_case_file *out,
                                 struct rg_reason *why)
{
    int len = snprintf(out->reference, sizeof(out->reference), "%s%s%s", file->reference,
                       file->reference[0] != '\0' ? "/" : "", country);
    RG_CHECK(len > 0 && (size_t)len < sizeof(out->reference), why, RG_LIMIT, "case-reference",
             "the case's own reference is too long to be used again");
    return rg_record_set(record, RG_FIELD_CASE_REF, rg_bytes_of_text(out->reference), why);
}

/* Who must not learn of her goes along: the list, and a country that is told nothing. */
static rg_outcome protections_copy(struct referral *office, const struct rg_case_file *file,
                                   const struct rg_case_file *out, struct rg_reason *why)
{
    struct rg_exclusions list;
    RG_TRY(rg_casebook_exclusions_get(office->book, file->row, &list, NULL, why));
    if (list.count == 0) {
        return rg_ok();
    }
    return rg_casebook_exclusions_put(office->book, out->row, &list, office->home->principal.text,
                                      rg_wall_now(), why);
}

static const char *kept_from(const struct rg_case_file *file, bool always)
{
    bool origin = file->protection_claim || always;
    return file->kept_from[0] != '\0' ? file->kept_from : origin ? file->origin : "";
}

rg_outcome rg_office_case_again(struct referral *office, const struct rg_case_file *file,
                                const char *country, struct rg_case_file *out,
                                struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_consents given;
    const char *own = office->home->principal.country;
    RG_CHECK(strcmp(file->host, own) == 0, why, RG_DENIED, "case-host",
             "only the country where the person is can refer elsewhere");
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    RG_CHECK(rg_record_has(record, RG_FIELD_ORIGIN_COUNTRY), why, RG_DENIED, "case-elsewhere",
             "the case is with a colleague of this office");
    *out = (struct rg_case_file){.made_ms = rg_wall_now().ms};
    out->now.side = RG_SIDE_HOST;
    (void)snprintf(out->host, sizeof(out->host), "%s", own);
    (void)snprintf(out->origin, sizeof(out->origin), "%s", country);
    (void)snprintf(out->kept_from, sizeof(out->kept_from), "%s", kept_from(file, false));
    RG_TRY(reference_make(file, country, record, out, why));
    if (strlen(country) == 2) {
        RG_TRY(record_country(record, RG_FIELD_ORIGIN_COUNTRY, country, why));
    }
    rg_office_names(out, record);
    RG_TRY(
        rg_office_consents(office, file, &given, why)); /* what she took back on the first road */
    RG_TRY(rg_office_record_withdraw(record, given.withdrawn, why));
    RG_TRY(rg_office_judge(office, out, record, why));
    RG_TRY(rg_casebook_put(office->book, out, why));
    RG_TRY(protections_copy(office, file, out, why));
    return rg_casebook_record_put(office->book, out->row, record, why);
}

/* ---- declined, and referred elsewhere ---- */

/* What she agreed to named the first country. She is asked again; until then the case is held. */
static rg_outcome consent_forget(struct referral *office, struct rg_case_file *file,
                                 struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    RG_TRY(rg_record_set(record, RG_FIELD_CON_CONSENT, RG_BYTES_LITERAL("false"), why));
    RG_TRY(rg_office_judge(office, file, record, why));
    RG_TRY(rg_casebook_put(office->book, file, why));
    return rg_casebook_record_put(office->book, file->row, record, why);
}

static bool is_free(const struct rg_case_file *file)
{
    enum rg_process_state state = file->process.state;
    bool ended = file->has_process && (state == RG_PROCESS_DECLINED ||
                                       state == RG_PROCESS_CANCELLED || state == RG_PROCESS_CLOSED);
    return ended || file->now.state == RG_CASE_DECLINED || file->now.state == RG_CASE_RETURNED;
}

static rg_outcome redirect(struct referral *office, const char *id, const char *country,
                           char case_out[REFERRAL_CASE_BYTES], struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_CASE_FILE again = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_CHECK(
        is_free(&file), why, RG_DENIED, "case-step",
        "the case lies with another country; it can be referred elsewhere when that has ended");
    RG_CHECK(rg_trust_country(office->home->trust, country) != NULL &&
                 strcmp(country, file.origin) != 0 && strcmp(country, file.kept_from) != 0 &&
                 strcmp(country, office->home->principal.country) != 0,
             why, RG_MALFORMED, "case-country", "--to is another country that the charter names");
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_office_case_again(office, &file, country, &again, why));
    RG_TRY(consent_forget(office, &again, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    (void)snprintf(case_out, REFERRAL_CASE_BYTES, "%s", again.number);
    return rg_ok();
}

struct referral_result referral_redirect(struct referral *office, const char *id,
                                         const char *country, char case_out[REFERRAL_CASE_BYTES])
{
    struct rg_reason why = {0};
    return rg_result(redirect(office, id, country, case_out, &why), &why);
}

/* ---- a third country ---- */

rg_outcome rg_office_onward_open(struct referral *office, struct rg_case_file *file,
                                 const char *partner, struct rg_case_file *out,
                                 struct rg_reason *why)
{
    char country[RG_COUNTRY_BYTES];
    RG_CHECK(partner != NULL, why, RG_MALFORMED, "write-to",
             "name the partner's office: --to vn/focal");
    const struct rg_office *office_there = rg_trust_office(office->home->trust, partner);
    RG_CHECK(office_there != NULL, why, RG_MALFORMED, "write-to",
             "no page names the partner's office");
    rg_office_country(partner, country);
    RG_CHECK(strcmp(country, office->home->principal.country) != 0 &&
                 strcmp(country, file->origin) != 0 && strcmp(country, file->kept_from) != 0,
             why, RG_MALFORMED, "write-to", "an onward referral goes to a third country");
    RG_TRY(rg_office_case_again(office, file, country, out, why));
    (void)snprintf(out->partner, sizeof(out->partner), "%s", partner);
    (void)snprintf(out->kept_from, sizeof(out->kept_from), "%s", kept_from(file, true));
    rg_random(out->thread.b, sizeof(out->thread.b));
    out->has_thread = true;
    return rg_ok();
}

/* ---- to everybody, about nobody ---- */

static bool is_for_all(const struct referral *office, const struct rg_office *to, const char *asked)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(to->name, country);
    bool own = strcmp(country, office->home->principal.country) == 0;
    bool named = asked == NULL || strcmp(asked, country) == 0 || strcmp(asked, to->name) == 0;
    bool reached =
        own ? strcmp(to->name, rg_office_own(office)) != 0 : strcmp(to->role, "focal") == 0;
    return named && reached && !to->suspended;
}

rg_outcome rg_office_post_all(struct referral *office, const struct rg_letter *letter,
                              const char *asked, struct rg_id *first_out, size_t *count_out,
                              struct rg_reason *why)
{
    const struct rg_office *to = NULL;
    RG_CASE_FILE file = {0};
    size_t sent = 0;
    rg_random(file.handle.b, sizeof(file.handle.b));
    for (size_t i = 0; (to = rg_trust_office_at(office->home->trust, i)) != NULL; i++) {
        struct rg_letter one = *letter;
        struct rg_id id;
        if (!is_for_all(office, to, asked)) {
            continue;
        }
        one.to_office = to->name;
        rg_random(one.thread.b, sizeof(one.thread.b));
        rg_outcome outcome = rg_office_post(office, &file, &one, &id, why);
        if (outcome.code == RG_AGAIN) {
            continue; /* nobody there can read yet: it is sent again when somebody asks */
        }
        RG_TRY(outcome);
        *first_out = sent++ == 0 ? id : *first_out;
    }
    RG_CHECK(sent > 0, why, RG_AGAIN, "readers-none",
             "nobody has a key card that could be written to: sync first");
    *count_out = sent;
    return rg_ok();
}
