/*
 * How it works: each rule is a row: its words and a function that says whether a record breaks it.
 * Judging asks all rows in order. Invariant: a missing value breaks the rule that needs it; no rule
 * reads anything but the record and the given day.
 */
#include "client/rules.h"

#include "client/consent.h"
#include "client/rules_message.h"

#include <string.h>

typedef bool (*breaks)(const struct rg_record *record, struct rg_date today);

static bool says(const struct rg_record *record, enum rg_field field, const char *text)
{
    return strcmp(rg_record_get(record, field), text) == 0;
}

static bool protection_claim(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return says(record, RG_FIELD_PROTECTION_CLAIM, "true");
}

static bool consent_refused(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return !says(record, RG_FIELD_CON_CONSENT, "true");
}

static bool not_a_victim(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return says(record, RG_FIELD_VIC_TRAFFICKING_STATUS, "NotAVictimOfTrafficking");
}

static bool same_country(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return says(record, RG_FIELD_HOST_COUNTRY, rg_record_get(record, RG_FIELD_ORIGIN_COUNTRY));
}

static bool reason_unclear(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return rg_record_reason(record) == 0;
}

/* What the person must have agreed to before this is even asked. */
static uint32_t scopes_needed(enum rg_referral_reason reason)
{
    static const uint32_t needed[] = {
        [RG_REASON_RETURN] = RG_SCOPE_BIT(RG_SCOPE_RETURN),
        [RG_REASON_TRACING_ONLY] = RG_SCOPE_BIT(RG_SCOPE_TRACE_FAMILY),
        [RG_REASON_SERVICES] = 0,
        [RG_REASON_LATE_IDENTIFICATION] = 0,
        [RG_REASON_FAMILY_REUNION] = RG_SCOPE_BIT(RG_SCOPE_TRACE_FAMILY),
        [RG_REASON_WITNESS] = RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL),
    };
    return needed[reason] | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY);
}

static bool consent_scope(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    uint32_t needed = scopes_needed(rg_record_reason(record));
    return (rg_record_codes(record, RG_FIELD_CONSENT_SCOPES) & needed) != needed;
}

static bool consent_given_by(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return !rg_record_has(record, RG_FIELD_CONSENT_GIVEN_BY);
}

static bool guardian_consent(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    uint32_t by = rg_record_code(record, RG_FIELD_CONSENT_GIVEN_BY);
    return rg_record_is_child(record) && by != RG_GIVEN_BY_GUARDIAN && by != RG_GIVEN_BY_BOTH;
}

static bool consent_end(const struct rg_record *record, struct rg_date *end_out)
{
    const char *text = rg_record_get(record, RG_FIELD_CONSENT_EXPIRES);
    return rg_date_parse(rg_bytes_of_text(text), end_out) && end_out->day != 0;
}

static bool consent_no_end(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    struct rg_date end;
    return !consent_end(record, &end);
}

/* The last day still counts. */
static bool consent_expired(const struct rg_record *record, struct rg_date today)
{
    struct rg_date end;
    return consent_end(record, &end) && rg_date_compare(today, end) > 0;
}

static bool citizenship_unknown(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return !rg_record_has(record, RG_FIELD_PRS_CITIZENSHIP) ||
           says(record, RG_FIELD_PRS_CITIZENSHIP, "XXX");
}

static bool is_among(const char *joined, const char *code)
{
    size_t len = strlen(code);
    for (const char *at = joined; *at != '\0';) {
        size_t part = strcspn(at, ";");
        if (part == len && memcmp(at, code, len) == 0) {
            return true;
        }
        at += part + (at[part] == ';');
    }
    return false;
}

static bool citizenship_other(const struct rg_record *record, struct rg_date today)
{
    return rg_record_reason(record) == RG_REASON_RETURN && !citizenship_unknown(record, today) &&
           !is_among(rg_record_get(record, RG_FIELD_PRS_CITIZENSHIP),
                     rg_record_get(record, RG_FIELD_ORIGIN_COUNTRY));
}

static bool preview_incomplete(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    return !rg_record_has(record, RG_FIELD_PRS_GENDER) || !rg_record_has(record, RG_FIELD_URGENCY);
}

static bool health_words_in_case(const struct rg_record *record, struct rg_date today)
{
    (void)today;
    for (unsigned f = 0; f < RG_FIELD_COUNT; f++) {
        const struct rg_field_row *row = rg_field_row((enum rg_field)f);
        bool free_text = row->type == RG_TYPE_LONG_TEXT || row->type == RG_TYPE_TEXT;
        if (free_text && row->class_ == RG_CLASS_CASE && rg_record_has(record, (enum rg_field)f) &&
            rg_words_of_health(rg_bytes_of_text(rg_record_get(record, (enum rg_field)f)))) {
            return true;
        }
    }
    return false;
}

struct rule {
    struct rg_rule_row row;
    breaks breaks;
};

#define RULE(symbol, refused_, id_, breaks_, meaning_, what_next_)                                 \
    [RG_RULE_##symbol] = {                                                                         \
        {RG_RULE_##symbol, id_, meaning_, what_next_, refused_},                                   \
        breaks_,                                                                                   \
    }

static const struct rule rules[RG_RULE_COUNT] = {
    RULE(NONE, false, "none", NULL, "nothing stands against sending", "send it"),
    RULE(PROTECTION_CLAIM, true, "protection-claim", protection_claim,
         "a claim for protection is open, so the country of origin is told nothing",
         "keep the case here; ask the focal point about an onward referral"),
    RULE(CONSENT_REFUSED, true, "consent-refused", consent_refused,
         "the person has not consented to a referral",
         "nothing leaves; record consent in con_Consent only if the person gives it freely"),
    RULE(NOT_A_VICTIM, true, "not-a-victim", not_a_victim,
         "the person was found not to be a victim of trafficking",
         "close the case; its data is to be erased"),
    RULE(SAME_COUNTRY, false, "same-country", same_country, "host and origin country are the same",
         "correct host_country or origin_country"),
    RULE(REASON_UNCLEAR, false, "reason-unclear", reason_unclear,
         "what is asked of the other country is not stated", "fill in referral_reason"),
    RULE(CONSENT_SCOPE, false, "consent-missing-scope", consent_scope,
         "the consent does not cover what this referral would do",
         "explain it to the person and record the scopes that are agreed to"),
    RULE(CONSENT_GIVEN_BY, false, "consent-giver-unknown", consent_given_by,
         "it is not recorded who gave the consent", "fill in consent_given_by"),
    RULE(GUARDIAN_CONSENT, false, "guardian-consent-missing", guardian_consent,
         "a child, or a person whose age is uncertain, needs the consent of a guardian",
         "have a guardian appointed and record the guardian's consent"),
    RULE(CONSENT_NO_END, false, "consent-no-end", consent_no_end,
         "the day on which the consent ends is not recorded",
         "fill in consent_expires with a full date"),
    RULE(CONSENT_EXPIRED, false, "consent-expired", consent_expired, "the consent has ended",
         "ask the person again and record the new consent"),
    RULE(CITIZENSHIP_UNKNOWN, false, "citizenship-unknown", citizenship_unknown,
         "no citizenship is known, so no country can be asked",
         "find out the citizenship and fill in prs_Citizenship"),
    RULE(CITIZENSHIP_OTHER, false, "citizenship-not-origin", citizenship_other,
         "return is asked of a country whose citizenship the person does not have",
         "correct prs_Citizenship or origin_country, or ask for something other than return"),
    RULE(PREVIEW_INCOMPLETE, false, "preview-incomplete", preview_incomplete,
         "sex or urgency is not recorded", "fill in prs_Gender and urgency"),
    RULE(HEALTH_WORDS, false, "health-outside", health_words_in_case,
         "a text of the case class speaks of HIV, pregnancy or sexual violence",
         "move it to health_summary, which only the health desk reads, or leave it out"),
};

const struct rg_rule_row *rg_rule_row(enum rg_rule rule)
{
    return (unsigned)rule < RG_RULE_COUNT ? &rules[rule].row : &rules[RG_RULE_NONE].row;
}

struct rg_rules_verdict rg_rules_judge(const struct rg_record *record, struct rg_date today)
{
    struct rg_rules_verdict verdict = {.child = rg_record_is_child(record)};
    for (unsigned i = RG_RULE_NONE + 1; i < RG_RULE_COUNT; i++) {
        if (rules[i].breaks(record, today)) {
            verdict.rule[verdict.count++] = (enum rg_rule)i;
        }
    }
    verdict.may_send = verdict.count == 0;
    return verdict;
}

unsigned rg_rules_classes(const struct rg_record *record, struct rg_date today)
{
    if (!rg_rules_judge(record, today).may_send) {
        return 0;
    }
    uint32_t scopes = rg_record_codes(record, RG_FIELD_CONSENT_SCOPES);
    return RG_CLASS_BIT(RG_CLASS_CASE) | rg_scopes_classes(scopes);
}
