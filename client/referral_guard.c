/*
 * How it works: rg_office_guard is asked once for every message that is about to be sealed, whoever
 * composed it, and says who may read each section. It knows the case, the recipient, the sections
 * and what they say, and asks in this order: is this country told nothing (protection claim), does
 * the message keep the rules on messages, is the handover point open to this case, is there a
 * written agreement with that country, and did the person agree to each class that is not withheld.
 *   Invariant: nothing is sealed without passing here, and nothing here can be told to look away.
 * What the person agreed to is read anew each time, from the record, the request and the messages
 * 20 and 21 of the case; what the process knows as withdrawn is taken out last, so no message in an
 * unlucky order brings a scope back.
 */
#include "client/referral_inside.h"

#include "client/consent.h"
#include "client/exclusions.h"
#include "client/form.h"
#include "client/rules_message.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- what the person agreed to ---- */

struct gathering { /* of consents */
    struct referral *office;
    const struct rg_case_file *file;
    struct rg_consents *set;
    bool counts; /* the message at hand, in the process: an office cannot consent for a person whom
                    it does not look after */
};

/* The roles of the desks that a consent names, as the pages give them. */
static uint32_t desks_named(const struct referral *office, const char *joined)
{
    uint32_t desks = 0;
    for (const char *at = joined; *at != '\0';) {
        char name[RG_OFFICE_BYTES] = "";
        size_t len = strcspn(at, ";");
        if (len < sizeof(name)) {
            memcpy(name, at, len);
        }
        const struct rg_office *found = rg_trust_office(office->home->trust, name);
        enum rg_role desk = found != NULL ? rg_role_find(found->role) : (enum rg_role)0;
        /* An office that no page lists reads nothing; it must not come to mean "all". */
        desks |= desk != 0 ? RG_ROLE_BIT(desk) : RG_ROLE_BIT(RG_ROLE_OPERATOR);
        at += len + (at[len] == ';');
    }
    return desks;
}

static rg_outcome consent_take(const struct gathering *gathering, const struct rg_content *content,
                               struct rg_reason *why)
{
    struct rg_consent consent;
    struct rg_date today = rg_office_today(gathering->office);
    if (content->body != RG_BODY_FORM) {
        return rg_ok();
    }
    if (content->kind == RG_KIND_CONSENT_WITHDRAWN) {
        rg_consents_withdraw(gathering->set, rg_form_codes(content->form, "scopes"),
                             rg_day_of_wall(content->made));
    }
    if (content->kind == RG_KIND_CONSENT_RECORD && gathering->counts) {
        rg_consent_of_form(content->form,
                           desks_named(gathering->office, rg_form_get(content->form, "desks")),
                           gathering->file->preview.reason, &consent);
        RG_TRY(rg_consents_give(gathering->set, &consent, today, why));
    }
    return rg_ok();
}

static bool stands(const struct rg_message_row *row)
{
    return row->state != RG_OUT_REFUSED && row->state != RG_OUT_WITHDRAWN &&
           row->state != RG_IN_STORED && row->state != RG_IN_UNOPENED;
}

static rg_outcome consents_of_messages(struct gathering *gathering, struct rg_reason *why)
{
    struct rg_message_row row;
    size_t count = 1;
    int64_t after = 0;
    while (gathering->file->row != 0 && count > 0) {
        struct rg_content content = {0};
        RG_OWNED_BUFFER memory = {.secret = true};
        bool found = false;
        RG_TRY(rg_spool_list(gathering->office->spool, RG_BY_CASE, gathering->file->row, after,
                             &row, 1, &count, why));
        if (count == 0) {
            break;
        }
        after = row.seq;
        if (stands(&row)) {
            RG_TRY(rg_office_content(gathering->office, &row, 0, &content, &memory, &found, why));
        }
        if (found) {
            gathering->counts = row.reason[0] == '\0';
            RG_TRY(consent_take(gathering, &content, why));
        }
    }
    return rg_ok();
}

rg_outcome rg_office_consents(struct referral *office, const struct rg_case_file *file,
                              struct rg_consents *out, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_consents set = {0};
    struct rg_consent consent;
    struct rg_date today = rg_office_today(office);
    struct gathering gathering = {.office = office, .file = file, .set = &set};
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    if (rg_consent_of_record(record, &consent)) {
        RG_TRY(rg_consents_give(&set, &consent, today, why));
    }
    if (file->has_preview &&
        rg_consent_of_summary(&file->preview, file->host, file->origin, &consent)) {
        RG_TRY(rg_consents_give(&set, &consent, today, why));
    }
    RG_TRY(consents_of_messages(&gathering, why));
    if (file->has_process) {
        rg_consents_withdraw(&set, file->process.withdrawn, (struct rg_date){0});
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
    const struct rg_record *record; /* what is known here */
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
    for (unsigned desk = RG_ROLE_FOCAL; desk <= RG_ROLE_PARTNER; desk++) {
        bool justice = desk == RG_ROLE_JUSTICE;
        bool child = desk == RG_ROLE_CHILD;
        ask.desk = (enum rg_role)desk;
        if ((justice && (scopes & RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL)) == 0) ||
            (child && !ask.child)) {
            continue;
        }
        desks |= rg_is_ok(rg_consent_allows(set, &ask, NULL)) ? RG_ROLE_BIT(desk) : 0;
    }
    return desks;
}

/* She came by an emergency return, before anybody could be asked: who stands at the point, where
 * she was last seen and what threatens her may be said. */
static bool warns(const struct guard *guard, const struct rg_content *content)
{
    uint32_t kind = guard->letter->kind;
    return content->class_ == RG_CLASS_SECURITY && guard->file->process.emergency &&
           (kind == RG_KIND_HANDOVER_REPLY || kind == RG_KIND_TRANSIT_ALERT ||
            kind == RG_KIND_TRANSIT_RESOLVED || kind == RG_KIND_SAFETY_CONCERN);
}

static bool says_nothing(const struct guard *guard, const struct rg_content *content)
{
    return content->body == RG_BODY_WITHHELD || warns(guard, content) ||
           rg_consent_scopes_needed(guard->letter->kind, content->class_).none;
}

static rg_outcome section_allowed(const struct guard *guard, const struct rg_consents *set,
                                  size_t index, unsigned *desks_out, struct rg_reason *why)
{
    const struct rg_content *content = &guard->letter->content[index];
    struct rg_consent_ask ask = guard->ask;
    if (says_nothing(guard, content)) {
        *desks_out = ask.child ? RG_DESKS_USUAL | RG_ROLE_BIT(RG_ROLE_CHILD) : RG_DESKS_USUAL;
        return rg_ok();
    }
    RG_TRY(rg_agreements_allow(&guard->office->home->agreements, guard->letter->to_office,
                               ask.purpose, ask.today, why));
    *desks_out = desks_allowed(guard, set, content->class_);
    ask.class_ = content->class_;
    ask.desk = RG_ROLE_FOCAL;
    return *desks_out != 0 ? rg_ok() : rg_consent_allows(set, &ask, why);
}

/* All form sections of the letter in one, NULL when it has none. */
static rg_outcome form_whole(const struct rg_letter *letter, struct rg_form **out,
                             struct rg_reason *why)
{
    const struct rg_kind_row *kind = rg_kind_row(letter->kind);
    for (size_t i = 0; kind != NULL && kind->form != NULL && i < letter->count; i++) {
        if (letter->content[i].body != RG_BODY_FORM) {
            continue;
        }
        if (*out == NULL) {
            RG_TRY(rg_form_new(kind->form, out, why));
        }
        RG_TRY(rg_form_merge(*out, letter->content[i].form, why));
    }
    return rg_ok();
}

static unsigned passed_on(const struct rg_letter *letter)
{
    unsigned classes = 0;
    for (size_t i = 0; i < letter->count; i++) {
        bool unread = letter->content[i].body == RG_BODY_FORWARDED;
        classes |= unread ? RG_CLASS_BIT(letter->content[i].class_) : 0;
    }
    return classes;
}

static rg_outcome rules_kept(const struct guard *guard, const struct rg_exclusions *excluded,
                             struct rg_reason *why)
{
    const struct referral *office = guard->office;
    RG_OWNED_FORM form = NULL;
    RG_TRY(form_whole(guard->letter, &form, why));
    if (form == NULL) {
        return rg_ok();
    }
    const char *by = guard->letter->drafted_by;
    const struct rg_office *author =
        rg_trust_office(office->home->trust, by != NULL ? by : rg_office_own(office));
    /* In the case that goes on to a third country the claim stands in the record alone. */
    bool claimed = guard->record != NULL &&
                   strcmp(rg_record_get(guard->record, RG_FIELD_PROTECTION_CLAIM), "true") == 0;
    const struct rg_message_ask ask = {
        .kind = guard->letter->kind,
        .form = form,
        .author = author != NULL ? rg_role_find(author->role) : (enum rg_role)0,
        .by_host = strcmp(guard->file->host, office->home->principal.country) == 0,
        .record = guard->record,
        .protection_claim = guard->file->protection_claim || claimed,
        .excluded = excluded,
        .vital = &guard->letter->content[0].vital,
        .unread = passed_on(guard->letter),
    };
    return rg_message_rules_check(&ask, why);
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
    bool claim = file->protection_claim && strcmp(country, file->origin) == 0 &&
                 strcmp(file->origin, file->host) != 0;
    return claim || (file->kept_from[0] != '\0' && strcmp(country, file->kept_from) == 0);
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

/* A case that began without a request (49, 70) came without a record of the age: there counts what
 * both sides have heard. */
bool rg_office_is_child(const struct rg_case_file *file, const struct rg_record *record)
{
    if (file->has_preview) {
        return file->preview.age != RG_AGE_ADULT;
    }
    if (rg_record_has(record, RG_FIELD_AGE_STATUS) || !file->has_process) {
        return rg_record_is_child(record);
    }
    return file->process.age != RG_AGE_ADULT;
}

static void guard_ask(struct guard *guard)
{
    const struct rg_case_file *file = guard->file;
    enum rg_referral_reason reason =
        file->has_preview ? file->preview.reason : rg_record_reason(guard->record);
    guard->ask.kind = guard->letter->kind;
    guard->ask.country = guard->country;
    guard->ask.purpose = rg_purpose_of(guard->letter->kind, reason);
    guard->ask.today = rg_office_today(guard->office);
    guard->ask.vital = guard->letter->count > 0 ? &guard->letter->content[0].vital : NULL;
    guard->ask.child = rg_office_is_child(file, guard->record);
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
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    struct guard guard = {.office = office, .file = file, .letter = letter, .record = record};
    rg_office_country(letter->to_office, guard.country);
    RG_CHECK(!rg_office_is_muted(file, letter->to_office), why, RG_DENIED, "protection-claim",
             "a claim for protection is open: the country of origin is told nothing of this case");
    *out = (struct rg_guarded){0};
    RG_TRY(rg_casebook_exclusions_get(office->book, file->row, &out->excluded, NULL, why));
    RG_TRY(rules_kept(&guard, &out->excluded, why));
    if (strcmp(guard.country, office->home->principal.country) == 0) {
        return rg_ok();
    }
    RG_TRY(rg_kind_check_way(letter->kind, rg_office_role(office), true, why));
    guard_ask(&guard);
    RG_TRY(point_allowed(&guard, &out->excluded, why));
    return sections_allowed(&guard, out, why);
}
