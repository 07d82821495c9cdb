/*
 * How it works: judging asks each consent of the set a row of questions, from the widest to the
 * narrowest, and remembers the answer of the consent that came furthest, since that one is the
 * easiest to mend and its reason the most useful. Invariant: every part of a consent narrows and
 * none widens; what is zero or empty allows nothing. A withdrawn scope is taken out of the consents
 * themselves, so no later question can find it.
 */
#include "client/consent.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const char *const purpose_names[RG_PURPOSE_COUNT] = {
    [RG_PURPOSE_RETURN] = "RETURN",         [RG_PURPOSE_TRACING] = "TRACING",
    [RG_PURPOSE_SERVICES] = "SERVICES",     [RG_PURPOSE_FAMILY_REUNION] = "FAMILY_REUNION",
    [RG_PURPOSE_JUSTICE] = "JUSTICE",       [RG_PURPOSE_ONWARD] = "ONWARD",
    [RG_PURPOSE_STATISTICS] = "STATISTICS",
};

const char *rg_purpose_name(enum rg_purpose purpose)
{
    unsigned p = (unsigned)purpose;
    return p > 0 && p < RG_PURPOSE_COUNT ? purpose_names[p] : "UNKNOWN";
}

enum rg_purpose rg_purpose_find(const char *name)
{
    for (unsigned i = 1; i < RG_PURPOSE_COUNT; i++) {
        if (strcmp(purpose_names[i], name) == 0) {
            return (enum rg_purpose)i;
        }
    }
    return (enum rg_purpose)0;
}

enum rg_purpose rg_purpose_of(uint32_t kind, enum rg_referral_reason reason)
{
    static const enum rg_purpose of_reason[] = {
        [RG_REASON_RETURN] = RG_PURPOSE_RETURN,
        [RG_REASON_TRACING_ONLY] = RG_PURPOSE_TRACING,
        [RG_REASON_SERVICES] = RG_PURPOSE_SERVICES,
        [RG_REASON_LATE_IDENTIFICATION] = RG_PURPOSE_SERVICES,
        [RG_REASON_FAMILY_REUNION] = RG_PURPOSE_FAMILY_REUNION,
        [RG_REASON_WITNESS] = RG_PURPOSE_JUSTICE,
    };
    if (kind >= 60 && kind <= 63) {
        return RG_PURPOSE_JUSTICE;
    }
    if (kind == RG_KIND_EMERGENCY_RETURN) {
        return RG_PURPOSE_RETURN; /* whatever the case began with */
    }
    if (kind == 70 || kind == 71) {
        return RG_PURPOSE_ONWARD;
    }
    if (kind == RG_KIND_EMERGENCY_RETURN) {
        return RG_PURPOSE_RETURN; /* before anybody was asked for anything */
    }
    return (unsigned)reason < COUNT_OF(of_reason) ? of_reason[reason] : (enum rg_purpose)0;
}

const char *rg_consent_informed_name(unsigned item)
{
    static const char *const names[RG_CONSENT_INFORMED_ITEMS] = {
        "what agreeing to the interview means",
        "what the data is for",
        "how it is used now and may be used later",
        "use for research",
        "the right to see it",
        "how long it is kept",
        "how to withdraw",
    };
    return item < RG_CONSENT_INFORMED_ITEMS ? names[item] : NULL;
}

/* ---- days ---- */

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool is_full(struct rg_date date)
{
    return date.year != 0 && date.month >= 1 && date.month <= 12 && date.day >= 1;
}

static struct rg_date months_later(struct rg_date day, int months)
{
    int month = day.month - 1 + months;
    struct rg_date later = {day.year + month / 12, month % 12 + 1, day.day};
    int last = days_in(later.year, later.month);
    later.day = later.day > last ? last : later.day;
    return later;
}

struct rg_date rg_consent_last_day(const struct rg_consent *consent)
{
    struct rg_date last = consent->expires_on;
    if (!is_full(last) && is_full(consent->given_on)) {
        last = months_later(consent->given_on, RG_CONSENT_MONTHS);
    }
    if (!is_full(last)) {
        return (struct rg_date){0};
    }
    bool sooner =
        is_full(consent->purpose_ends_on) && rg_date_compare(consent->purpose_ends_on, last) < 0;
    return sooner ? consent->purpose_ends_on : last;
}

static bool holds_on(const struct rg_consent *consent, struct rg_date day)
{
    struct rg_date last = rg_consent_last_day(consent);
    return is_full(last) && rg_date_compare(day, last) <= 0 &&
           (!is_full(consent->given_on) || rg_date_compare(day, consent->given_on) >= 0);
}

/* ---- from a record ---- */

static const struct {
    enum rg_scope scope;
    enum rg_class class_;
} class_of_scope[] = {
    {RG_SCOPE_SHARE_IDENTITY, RG_CLASS_IDENTITY}, {RG_SCOPE_TRACE_FAMILY, RG_CLASS_FAMILY},
    {RG_SCOPE_SHARE_HEALTH, RG_CLASS_HEALTH},     {RG_SCOPE_SHARE_LEGAL, RG_CLASS_LEGAL},
    {RG_SCOPE_SHARE_SECURITY, RG_CLASS_SECURITY},
};

unsigned rg_scopes_classes(uint32_t scopes)
{
    unsigned classes = 0;
    for (size_t i = 0; i < COUNT_OF(class_of_scope); i++) {
        if ((scopes & RG_SCOPE_BIT(class_of_scope[i].scope)) != 0) {
            classes |= RG_CLASS_BIT(class_of_scope[i].class_);
        }
    }
    return classes;
}

/* The safety of the way belongs to a return that was agreed to, and to following up. */
static uint32_t classes_of(uint32_t scopes)
{
    uint32_t classes = RG_CLASS_BIT(RG_CLASS_CASE) | rg_scopes_classes(scopes);
    uint32_t safety = RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP);
    return (scopes & safety) != 0 ? classes | RG_CLASS_BIT(RG_CLASS_SECURITY) : classes;
}

static uint32_t purposes_of(uint32_t scopes, enum rg_referral_reason reason)
{
    static const struct {
        enum rg_scope scope;
        enum rg_purpose purpose;
    } also[] = {
        {RG_SCOPE_SHARE_LEGAL, RG_PURPOSE_JUSTICE},
        {RG_SCOPE_ONWARD_THIRD_COUNTRY, RG_PURPOSE_ONWARD},
        {RG_SCOPE_STATISTICS, RG_PURPOSE_STATISTICS},
    };
    enum rg_purpose main_purpose = rg_purpose_of(0, reason);
    uint32_t purposes = main_purpose == 0 ? 0 : RG_PURPOSE_BIT(main_purpose);
    for (size_t i = 0; i < COUNT_OF(also); i++) {
        if ((scopes & RG_SCOPE_BIT(also[i].scope)) != 0) {
            purposes |= RG_PURPOSE_BIT(also[i].purpose);
        }
    }
    return purposes;
}

static void recipient_add(struct rg_consent *consent, const char *country)
{
    if (country[0] == '\0' || consent->country_count == RG_CONSENT_COUNTRIES_MAX) {
        return;
    }
    char *to = consent->country[consent->country_count++];
    (void)snprintf(to, RG_COUNTRY_BYTES, "%s", country);
    for (char *c = to; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

static struct rg_date full_day(const char *text)
{
    struct rg_date day = {0};
    bool ok = rg_date_parse(rg_bytes_of_text(text), &day) && is_full(day);
    return ok ? day : (struct rg_date){0};
}

bool rg_consent_of_record(const struct rg_record *record, struct rg_consent *out)
{
    if (strcmp(rg_record_get(record, RG_FIELD_CON_CONSENT), "true") != 0) {
        return false;
    }
    struct rg_consent consent = {.informed = RG_CONSENT_INFORMED_ALL,
                                 .desks = RG_CONSENT_READERS_ALL};
    consent.scopes = rg_record_codes(record, RG_FIELD_CONSENT_SCOPES);
    consent.purposes = purposes_of(consent.scopes, rg_record_reason(record));
    consent.classes = classes_of(consent.scopes);
    consent.given_by = (enum rg_given_by)rg_record_code(record, RG_FIELD_CONSENT_GIVEN_BY);
    consent.method = rg_record_code(record, RG_FIELD_CONSENT_METHOD);
    consent.given_on = full_day(rg_record_get(record, RG_FIELD_CONSENT_GIVEN_ON));
    consent.expires_on = full_day(rg_record_get(record, RG_FIELD_CONSENT_EXPIRES));
    recipient_add(&consent, rg_record_get(record, RG_FIELD_HOST_COUNTRY));
    recipient_add(&consent, rg_record_get(record, RG_FIELD_ORIGIN_COUNTRY));
    *out = consent;
    return true;
}

bool rg_consent_of_summary(const struct rg_preview *preview, const char *host, const char *origin,
                           struct rg_consent *out)
{
    const struct rg_consent_summary *summary = &preview->consent;
    struct rg_consent consent = {.informed = RG_CONSENT_INFORMED_ALL,
                                 .desks = RG_CONSENT_READERS_ALL};
    if (summary->given_by == 0) {
        return false;
    }
    consent.scopes = summary->scopes;
    consent.purposes = purposes_of(summary->scopes, preview->reason);
    consent.classes = classes_of(summary->scopes);
    consent.given_by = summary->given_by;
    consent.expires_on = summary->expires;
    recipient_add(&consent, host);
    recipient_add(&consent, origin);
    *out = consent;
    return true;
}

/* "la;vn" */
static void recipients_of(const char *joined, struct rg_consent *consent)
{
    for (const char *at = joined; *at != '\0';) {
        char country[RG_COUNTRY_BYTES] = "";
        size_t len = strcspn(at, ";");
        if (len < sizeof(country)) {
            memcpy(country, at, len);
            recipient_add(consent, country);
        }
        at += len + (at[len] == ';');
    }
}

static void text_of(const struct rg_form *form, const char *name, char *out, size_t room)
{
    (void)snprintf(out, room, "%s", rg_form_get(form, name));
}

void rg_consent_of_form(const struct rg_form *form, uint32_t desks, enum rg_referral_reason reason,
                        struct rg_consent *out)
{
    struct rg_consent consent = {
        .scopes = rg_form_codes(form, "scopes"),
        .purposes = rg_form_codes(form, "purposes"),
        .classes = rg_form_codes(form, "classes"), /* listed as enum rg_class */
        .desks = desks != 0 ? desks : RG_CONSENT_READERS_ALL,
        .given_by = (enum rg_given_by)rg_form_code(form, "given_by"),
        .method = rg_form_code(form, "method"),
        .interpreter = rg_form_true(form, "interpreter"),
        .informed = rg_form_codes(form, "informed"),
        .given_on = full_day(rg_form_get(form, "given_on")),
        .expires_on = full_day(rg_form_get(form, "expires_on")),
    };
    consent.purposes =
        consent.purposes != 0 ? consent.purposes : purposes_of(consent.scopes, reason);
    text_of(form, "language", consent.language, sizeof(consent.language));
    text_of(form, "interpreter_ref", consent.interpreter_ref, sizeof(consent.interpreter_ref));
    text_of(form, "evidence_ref", consent.evidence_ref, sizeof(consent.evidence_ref));
    recipients_of(rg_form_get(form, "countries"), &consent);
    *out = consent;
}

/* ---- the set ---- */

static bool make_room(struct rg_consents *set, struct rg_date today)
{
    for (size_t i = 0; i < set->count && set->count == RG_CONSENTS_MAX; i++) {
        if (set->item[i].scopes == 0 || !holds_on(&set->item[i], today)) {
            set->count--;
            memmove(&set->item[i], &set->item[i + 1], (set->count - i) * sizeof(set->item[0]));
        }
    }
    return set->count < RG_CONSENTS_MAX;
}

/* A day that is not known is before everything. */
static bool gives_again(const struct rg_consents *set, const struct rg_consent *consent,
                        unsigned scope)
{
    struct rg_date gone = set->withdrawn_on[scope];
    return is_full(consent->given_on) && rg_date_compare(consent->given_on, gone) >= 0;
}

rg_outcome rg_consents_give(struct rg_consents *set, const struct rg_consent *consent,
                            struct rg_date today, struct rg_reason *why)
{
    RG_CHECK(make_room(set, today), why, RG_LIMIT, "consent-limit",
             "this case has %d consents that still hold", RG_CONSENTS_MAX);
    struct rg_consent *mine = &set->item[set->count++];
    *mine = *consent;
    for (unsigned scope = 1; scope <= RG_SCOPE_STATISTICS; scope++) {
        uint32_t bit = RG_SCOPE_BIT(scope);
        bool both = (set->withdrawn & bit) != 0 && (mine->scopes & bit) != 0;
        if (both && gives_again(set, consent, scope)) {
            set->withdrawn &= ~bit;
        }
    }
    mine->scopes &= ~set->withdrawn;
    return rg_ok();
}

void rg_consents_withdraw(struct rg_consents *set, uint32_t scopes, struct rg_date on)
{
    set->withdrawn |= scopes;
    for (unsigned scope = 1; scope <= RG_SCOPE_STATISTICS; scope++) {
        bool later = rg_date_compare(on, set->withdrawn_on[scope]) > 0;
        if ((scopes & RG_SCOPE_BIT(scope)) != 0 && later) {
            set->withdrawn_on[scope] = on;
        }
    }
    for (size_t i = 0; i < set->count; i++) {
        set->item[i].scopes &= ~scopes;
    }
}

uint32_t rg_consents_scopes(const struct rg_consents *set, struct rg_date today)
{
    uint32_t scopes = 0;
    for (size_t i = 0; i < set->count; i++) {
        scopes |= holds_on(&set->item[i], today) ? set->item[i].scopes : 0;
    }
    return scopes;
}

/* ---- what a section needs ---- */

#define S(scope) RG_SCOPE_BIT(RG_SCOPE_##scope)

struct kind_need {
    uint8_t from, to;
    uint32_t scopes; /* every section of the kind; 0: the case section is free */
};

/* Kinds whose every section needs these scopes, beside those of the class. */
static const struct kind_need kind_needs[] = {
    {10, 10, S(NOTIFY_ORIGIN)}, {32, 34, S(TRACE_FAMILY)}, {37, 38, S(RETURN)},
    {39, 39, S(SHARE_HEALTH)},  {40, 40, S(RETURN)},       {44, 44, S(RETURN)},
    {51, 51, S(FOLLOW_UP)},     {60, 63, S(SHARE_LEGAL)},  {70, 70, S(ONWARD_THIRD_COUNTRY)},
};

/* Kinds whose case section goes without consent: to keep silent would harm the person, or undo
 * what the person asked for. */
static bool is_free(uint32_t kind)
{
    static const uint8_t free_kinds[] = {1,  2,  3,  4,  12, 13, 16, 18, 20, 21, 22, 41, 42,
                                         45, 46, 47, 48, 52, 53, 54, 55, 71, 80, 82, 83, 84};
    for (size_t i = 0; i < COUNT_OF(free_kinds); i++) {
        if (free_kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

/* Route and time of a handover, and warnings about it, belong to what was agreed to. */
static bool is_of_the_way(uint32_t kind)
{
    return (kind >= 40 && kind <= 49) || kind == 52 || kind == 62;
}

static uint32_t scopes_of_class(enum rg_class class_)
{
    for (size_t i = 0; i < COUNT_OF(class_of_scope); i++) {
        if (class_of_scope[i].class_ == class_) {
            return RG_SCOPE_BIT(class_of_scope[i].scope);
        }
    }
    return 0;
}

struct rg_consent_need rg_consent_scopes_needed(uint32_t kind, enum rg_class class_)
{
    struct rg_consent_need need = {.scopes = scopes_of_class(class_)};
    if (class_ == RG_CLASS_SECURITY && is_of_the_way(kind)) {
        return (struct rg_consent_need){.scopes = S(SHARE_SECURITY) | S(RETURN) | S(FOLLOW_UP),
                                        .any = true};
    }
    if (class_ == RG_CLASS_CASE && is_free(kind)) {
        return (struct rg_consent_need){.none = true};
    }
    for (size_t i = 0; i < COUNT_OF(kind_needs); i++) {
        if (kind >= kind_needs[i].from && kind <= kind_needs[i].to) {
            need.scopes |= kind_needs[i].scopes;
        }
    }
    return need;
}

/* ---- vital interest ---- */

rg_outcome rg_vital_check(const struct rg_vital *vital, uint32_t kind, struct rg_reason *why)
{
    unsigned lawful = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY);
    const char *words = vital->reason != NULL ? vital->reason : "";
    lawful |= is_of_the_way(kind) ? RG_CLASS_BIT(RG_CLASS_SECURITY) : 0;
    RG_CHECK(strncmp(vital->decided_by, "referral://", 11) == 0, why, RG_DENIED, "vital-nobody",
             "vital interest: name the officer who decided it");
    RG_CHECK(strlen(words) >= RG_VITAL_WHY_BYTES_MIN, why, RG_DENIED, "vital-no-reason",
             "vital interest: say in words what the danger to life is");
    RG_CHECK(vital->opened != 0 && (vital->opened & ~lawful) == 0, why, RG_DENIED, "vital-too-wide",
             "vital interest opens the identity and the needs, nothing else");
    return rg_ok();
}

/* ---- judging ---- */

enum answer { /* in order of asking */
              ANSWER_NONE,
              ANSWER_NOT_BEGUN,
              ANSWER_EXPIRED,
              ANSWER_UNINFORMED,
              ANSWER_GUARDIAN,
              ANSWER_RECIPIENT,
              ANSWER_DESK,
              ANSWER_PURPOSE,
              ANSWER_CLASS,
              ANSWER_SCOPE,
              ANSWER_YES
};

static bool names_country(const struct rg_consent *consent, const char *country)
{
    for (size_t i = 0; i < consent->country_count; i++) {
        if (strcmp(consent->country[i], country) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_scopes(const struct rg_consent *consent, struct rg_consent_need need)
{
    uint32_t held = consent->scopes & need.scopes;
    return need.any ? held != 0 : held == need.scopes;
}

static bool by_guardian(const struct rg_consent *consent)
{
    return consent->given_by == RG_GIVEN_BY_GUARDIAN || consent->given_by == RG_GIVEN_BY_BOTH;
}

static bool has_begun(const struct rg_consent *consent, struct rg_date today)
{
    return !is_full(consent->given_on) || rg_date_compare(today, consent->given_on) >= 0;
}

static enum answer ask_one(const struct rg_consent *consent, const struct rg_consent_ask *ask)
{
    struct rg_consent_need need = rg_consent_scopes_needed(ask->kind, ask->class_);
    const struct {
        bool passes;
        enum answer if_not;
    } question[] = {
        {has_begun(consent, ask->today), ANSWER_NOT_BEGUN},
        {holds_on(consent, ask->today), ANSWER_EXPIRED},
        {consent->informed == RG_CONSENT_INFORMED_ALL && consent->given_by != 0, ANSWER_UNINFORMED},
        {!ask->child || by_guardian(consent), ANSWER_GUARDIAN},
        {names_country(consent, ask->country), ANSWER_RECIPIENT},
        {ask->desk != 0 && (consent->desks & RG_ROLE_BIT(ask->desk)) != 0, ANSWER_DESK},
        {ask->purpose != 0 && (consent->purposes & RG_PURPOSE_BIT(ask->purpose)) != 0,
         ANSWER_PURPOSE},
        {(consent->classes & RG_CLASS_BIT(ask->class_)) != 0, ANSWER_CLASS},
        {has_scopes(consent, need), ANSWER_SCOPE},
    };
    for (size_t i = 0; i < COUNT_OF(question); i++) {
        if (!question[i].passes) {
            return question[i].if_not;
        }
    }
    return ANSWER_YES;
}

static rg_outcome say_no(const struct rg_consents *set, const struct rg_consent_ask *ask,
                         enum answer answer, struct rg_reason *why)
{
    static const struct {
        const char *id, *text;
    } words[] = {
        [ANSWER_NONE] = {"consent-none", "no consent is recorded: ask the person"},
        [ANSWER_NOT_BEGUN] = {"consent-not-begun",
                              "the consent was given on a later day: check the date"},
        [ANSWER_EXPIRED] = {"consent-expired",
                            "the consent has ended: ask the person again and record what is said"},
        [ANSWER_UNINFORMED] =
            {"consent-uninformed",
             "not all seven things were explained, or the giver is not stated: explain, ask again"},
        [ANSWER_GUARDIAN] =
            {"consent-guardian",
             "a child or a person of uncertain age: a guardian's consent is needed"},
        [ANSWER_RECIPIENT] = {"consent-recipient",
                              "the consent does not name that country: ask the person"},
        [ANSWER_DESK] = {"consent-desk", "the consent does not name that desk: ask the person"},
        [ANSWER_PURPOSE] = {"consent-purpose",
                            "the consent was given for another purpose: ask the person"},
        [ANSWER_CLASS] = {"consent-class",
                          "the consent does not cover this kind of information: ask the person"},
        [ANSWER_SCOPE] = {"consent-scope",
                          "the consent does not cover what this would do: ask the person"},
    };
    struct rg_consent_need need = rg_consent_scopes_needed(ask->kind, ask->class_);
    RG_CHECK((need.scopes & set->withdrawn) == 0, why, RG_DENIED, "consent-withdrawn",
             "the person has withdrawn this: it stays here unless the person gives it again");
    return rg_fail(why, RG_DENIED, words[answer].id, "%s", words[answer].text);
}

static bool by_vital_interest(const struct rg_consent_ask *ask)
{
    return ask->vital != NULL && ask->vital->present &&
           rg_is_ok(rg_vital_check(ask->vital, ask->kind, NULL)) &&
           (ask->vital->opened & RG_CLASS_BIT(ask->class_)) != 0;
}

rg_outcome rg_consent_allows(const struct rg_consents *set, const struct rg_consent_ask *ask,
                             struct rg_reason *why)
{
    enum answer best = ANSWER_NONE;
    if (rg_consent_scopes_needed(ask->kind, ask->class_).none || by_vital_interest(ask)) {
        return rg_ok();
    }
    for (size_t i = 0; i < set->count; i++) {
        enum answer answer = ask_one(&set->item[i], ask);
        best = answer > best ? answer : best;
    }
    return best == ANSWER_YES ? rg_ok() : say_no(set, ask, best, why);
}

unsigned rg_consent_classes(const struct rg_consents *set, const struct rg_consent_ask *ask)
{
    unsigned classes = 0;
    struct rg_consent_ask each = *ask;
    for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_COUNT; c++) {
        each.class_ = (enum rg_class)c;
        if (rg_is_ok(rg_consent_allows(set, &each, NULL))) {
            classes |= RG_CLASS_BIT(c);
        }
    }
    return classes;
}
