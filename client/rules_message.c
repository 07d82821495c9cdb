/*
 * How it works: each rule is a row: its words, the rule of the house it stands for, and a function
 * that says whether a message breaks it. All rows are asked of every form; a row whose kind it is
 * not says no at once. Invariant: a box that is missing breaks the rule that needs it, and no rule
 * reads anything but what it is given.
 */
#include "client/rules_message.h"

#include "client/consent.h"
#include "client/text.h"

#include <string.h>

typedef bool (*breaks)(const struct rg_message_ask *ask);

static bool is(const struct rg_message_ask *ask, const char *box, const char *code)
{
    return rg_form_is(ask->form, box, code);
}

static bool has(const struct rg_message_ask *ask, const char *box)
{
    return rg_form_get(ask->form, box)[0] != '\0';
}

/* ---- D4: the country of origin is told of an identification ---- */

static bool non_objection(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_IDENTIFICATION_NOTICE && !has(ask, "non_objection");
}

/* ---- D6: the age ---- */

static const char *list_of_values(uint32_t kind)
{
    return kind == RG_KIND_ACCESS_OR_CORRECTION ? "changes"
           : kind == RG_KIND_INFO_RESPONSE      ? "answers"
                                                : NULL;
}

/* The age that the message sets; "" when it sets none. */
static const char *age_set(const struct rg_message_ask *ask)
{
    const char *list = list_of_values(ask->kind);
    size_t rows = list == NULL ? 0 : rg_form_row_count(ask->form, list);
    for (size_t i = 0; i < rows; i++) {
        if (strcmp(rg_form_row_get(ask->form, list, i, "field"), "age_status") == 0) {
            return rg_form_row_get(ask->form, list, i, "value");
        }
    }
    return "";
}

static bool known_adult(const struct rg_message_ask *ask)
{
    return ask->record != NULL && !rg_record_is_child(ask->record);
}

/* An answer may repeat what is known; a correction changes it. */
static bool changes_age(const struct rg_message_ask *ask)
{
    const char *age = age_set(ask);
    bool raises = strcmp(age, "adult") == 0 && !known_adult(ask);
    return raises || (age[0] != '\0' && ask->kind == RG_KIND_ACCESS_OR_CORRECTION);
}

static bool age_desk(const struct rg_message_ask *ask)
{
    return changes_age(ask) && ask->author != RG_ROLE_CHILD;
}

static bool age_reason(const struct rg_message_ask *ask)
{
    const char *box = ask->kind == RG_KIND_ACCESS_OR_CORRECTION ? "text" : "answer";
    return changes_age(ask) && !has(ask, box);
}

/* ---- D7: a child ---- */

static bool returns_child(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_BEST_INTEREST && is(ask, "decision", "RETURN");
}

static bool child_heard(const struct rg_message_ask *ask)
{
    return returns_child(ask) && !rg_form_true(ask->form, "child_heard");
}

static bool child_guardian(const struct rg_message_ask *ask)
{
    return returns_child(ask) &&
           (!has(ask, "guardian") || is(ask, "guardian", "NONE") || !has(ask, "receiving_care"));
}

/* ---- D8: a risk assessment does not hold for ever ---- */

#define RISK_MONTHS 3

static bool later_than_months(struct rg_date from, struct rg_date to, int months)
{
    int later = from.month - 1 + months;
    struct rg_date limit = {from.year + later / 12, later % 12 + 1, from.day};
    return rg_date_compare(to, limit) > 0;
}

static bool risk_term(const struct rg_message_ask *ask)
{
    struct rg_date from;
    struct rg_date to;
    if (ask->kind != RG_KIND_RISK_ASSESSMENT) {
        return false;
    }
    return !rg_form_date(ask->form, "assessed_on", &from) ||
           !rg_form_date(ask->form, "valid_to", &to) || later_than_months(from, to, RISK_MONTHS);
}

/* ---- D9: who claims protection is not shown to the origin by a third country ---- */

static bool origin_excluded(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_ONWARD_REFERRAL && ask->protection_claim &&
           !rg_form_true(ask->form, "origin_excluded");
}

/* ---- D12: need to know ---- */

static bool info_reason(const struct rg_message_ask *ask)
{
    if (ask->kind != RG_KIND_INFO_REQUEST) {
        return false;
    }
    size_t rows = rg_form_row_count(ask->form, "asked");
    for (size_t i = 0; i < rows; i++) {
        if (rg_form_row_get(ask->form, "asked", i, "reason")[0] == '\0') {
            return true;
        }
    }
    return rows == 0 && !has(ask, "question");
}

static bool is_a_name(const char *field)
{
    static const char *const names[] = {"full_name_native", "full_name_latin", "name_order",
                                        "alias_nickname"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], field) == 0) {
            return true;
        }
    }
    return false;
}

static bool identity_extract(const struct rg_message_ask *ask)
{
    size_t count = ask->kind == RG_KIND_HANDOVER_RECORD ? rg_form_value_count(ask->form) : 0;
    for (size_t i = 0; i < count; i++) {
        struct rg_form_value value = rg_form_value_at(ask->form, i);
        if (value.box->type == RG_BOX_FIELDS && !is_a_name(value.label)) {
            return true;
        }
    }
    return false;
}

/* ---- D15: the family may be the trafficker ---- */

static bool relative_involved(const struct rg_message_ask *ask)
{
    bool home = is(ask, "recommendation", "RETURN_HOME") || is(ask, "recommendation", "KIN");
    return ask->kind == RG_KIND_FAMILY_ASSESSMENT && home && !is(ask, "relative_involved", "NO");
}

static bool not_told(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_TRACING_REQUEST && !has(ask, "tell_not");
}

/* ---- D16: health ---- */

/* Whole words; a star: the word goes on. They are match keys already (a test holds them to that).
 */
static const char *const health_words[] = {
    "hiv",          "pregnan*",     "rape",         "raped",     "sexual violence",
    "sexual abuse", "sexually ab*", "sexually as*", "abortion*", "miscarr*",
    "เอชไอวี*",      "เอดส์*",        "ตั้งครรภ์*",      "ข่มขืน*",     "ເອສໄອວີ*",
    "ເອັດໄອວີ*",      "ຖືພາ*",         "ຂົ່ມຂືນ*",        "ហ៊ីវ*",       "អេដស៍*",
    "មានផ្ទៃពោះ*",   "មានគភ៌*",       "រំលោភ*",        "có thai",   "mang thai",
    "hiếp dâm",     "cưỡng hiếp",   "အိတ်ချ်အိုင်ဗွီ*",     "ကိုယ်ဝန်*",     "မုဒိမ်း*",
    "艾滋*",        "怀孕*",        "懷孕*",        "强奸*",     "強姦*",
};

static bool is_word_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool stands_in(struct rg_bytes text, struct rg_bytes word, bool goes_on)
{
    bool latin = word.len > 0 && word.data[0] < 0x80;
    for (size_t i = 0; word.len > 0 && i + word.len <= text.len; i++) {
        size_t end = i + word.len;
        bool begins = !latin || i == 0 || !is_word_letter(text.data[i - 1]);
        bool ends = goes_on || end == text.len || !is_word_letter(text.data[end]);
        if (begins && ends && memcmp(text.data + i, word.data, word.len) == 0) {
            return true;
        }
    }
    return false;
}

const char *rg_health_word(size_t i)
{
    return i < sizeof(health_words) / sizeof(health_words[0]) ? health_words[i] : NULL;
}

static bool word_found(struct rg_bytes key, const char *word)
{
    size_t len = strlen(word);
    bool goes_on = len > 0 && word[len - 1] == '*';
    return stands_in(key, rg_bytes_of(word, len - goes_on), goes_on);
}

/* What cannot be looked through is treated as if it stood there. */
bool rg_words_of_health(struct rg_bytes text)
{
    RG_OWNED_BUFFER key = {.secret = true};
    if (!rg_is_ok(rg_text_match_key(text, &key, NULL))) {
        return true;
    }
    for (size_t i = 0; i < sizeof(health_words) / sizeof(health_words[0]); i++) {
        if (word_found(rg_buffer_peek(&key), health_words[i])) {
            return true;
        }
    }
    return false;
}

static bool health_outside(const struct rg_message_ask *ask)
{
    size_t count = rg_form_value_count(ask->form);
    for (size_t i = 0; i < count; i++) {
        struct rg_form_value value = rg_form_value_at(ask->form, i);
        if (value.class_ == RG_CLASS_CASE && rg_words_of_health(rg_bytes_of_text(value.text))) {
            return true;
        }
    }
    return false;
}

/* ---- D17: a witness may stop ---- */

static bool right_to_stop(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_WITNESS_VISIT && !rg_form_true(ask->form, "right_to_stop");
}

/* ---- D23: interpreters ---- */

static bool interpreter(const struct rg_message_ask *ask)
{
    return ask->kind == RG_KIND_CONSENT_RECORD && ask->excluded != NULL &&
           has(ask, "interpreter_ref") &&
           rg_exclusions_interpreter(ask->excluded, rg_form_get(ask->form, "interpreter_ref"));
}

/* ---- D24: nothing is promised without a provider and a day ---- */

static bool provider(const struct rg_message_ask *ask)
{
    if (ask->kind != RG_KIND_REINTEGRATION_PLAN) {
        return false;
    }
    size_t rows = rg_form_row_count(ask->form, "goals");
    for (size_t i = 0; i < rows; i++) {
        if (rg_form_row_get(ask->form, "goals", i, "provider")[0] == '\0' ||
            rg_form_row_get(ask->form, "goals", i, "starts")[0] == '\0') {
            return true;
        }
    }
    return rows == 0;
}

/* ---- vital interest ---- */

static bool vital(const struct rg_message_ask *ask)
{
    bool stated = ask->vital != NULL && ask->vital->present;
    bool needed = ask->kind == RG_KIND_EMERGENCY_RETURN && is(ask, "basis", "VITAL_INTEREST");
    return (needed && !stated) ||
           (stated && !rg_is_ok(rg_vital_check(ask->vital, ask->kind, NULL)));
}

/* ---- the table ---- */

struct rule {
    struct rg_message_rule_row row;
    breaks breaks;
    unsigned rests_on; /* RG_CLASS_BIT of sections other than the case's that it reads */
};

#define FAMILY RG_CLASS_BIT(RG_CLASS_FAMILY)
#define IDENTITY RG_CLASS_BIT(RG_CLASS_IDENTITY)
#define ANY ((1u << RG_CLASS_COUNT) - 1u)

#define RULE(symbol, decision_, id_, breaks_, rests_on_, meaning_, what_next_)                     \
    [RG_MESSAGE_RULE_##symbol] = {                                                                 \
        {RG_MESSAGE_RULE_##symbol, decision_, id_, meaning_, what_next_},                          \
        breaks_,                                                                                   \
        rests_on_,                                                                                 \
    }

static const struct rule rules[RG_MESSAGE_RULE_COUNT] = {
    RULE(NONE, "", "none", NULL, 0, "nothing stands against this message", "send it"),
    RULE(NON_OBJECTION, "D4", "non-objection-missing", non_objection, 0,
         "the country of origin is not told of an identification unless the person does not object",
         "ask the person, and record where the answer is kept (non_objection)"),
    RULE(AGE_DESK, "D6", "age-child-desk", age_desk, 0,
         "an age is changed by the child desk only; who is uncertain stays a child",
         "ask the child desk of this country to assess the age"),
    RULE(AGE_REASON, "D6", "age-no-reason", age_reason, 0, "an age is changed without a reason",
         "say in words on what the new age rests"),
    RULE(CHILD_HEARD, "D7", "child-not-heard", child_heard, 0,
         "a return is decided for a child who was not heard",
         "hear the child, then decide (child_heard)"),
    RULE(CHILD_GUARDIAN, "D7", "child-no-guardian", child_guardian, 0,
         "a return is decided for a child without a guardian, or without care on the other side",
         "have a guardian appointed and name the receiving care"),
    RULE(RISK_TERM, "D8", "risk-too-long", risk_term, 0,
         "a risk assessment holds three months at most", "assess again, or shorten valid_to"),
    RULE(ORIGIN_EXCLUDED, "D9", "origin-not-excluded", origin_excluded, 0,
         "a claim for protection is open: the third country must know that the origin is told "
         "nothing",
         "set origin_excluded to true"),
    RULE(INFO_REASON, "D12", "info-no-reason", info_reason, ANY,
         "a question names the fields it asks for, and why each is needed",
         "name the fields, with a reason for each"),
    RULE(IDENTITY_EXTRACT, "D12", "identity-extract", identity_extract, IDENTITY,
         "at the border the name to call goes along, and no more of the identity",
         "leave out all but the name"),
    RULE(RELATIVE_INVOLVED, "D15", "relative-involved", relative_involved, FAMILY,
         "a return to the family is recommended, and it is not ruled out that a relative was "
         "involved",
         "find out first; until then recommend a shelter, or no return"),
    RULE(NOT_TOLD, "D15", "not-told-missing", not_told, FAMILY,
         "a search for the family says what the family must not be told",
         "ask the person, and fill in tell_not"),
    RULE(HEALTH_WORDS, "D16", "health-outside", health_outside, 0,
         "the case section speaks of HIV, pregnancy or sexual violence",
         "say it in the health section, with SHARE_HEALTH, or not at all"),
    RULE(RIGHT_TO_STOP, "D17", "right-to-stop", right_to_stop, 0,
         "a witness travels who was not told that she may stop at any time",
         "tell her, in her language, and record it (right_to_stop)"),
    RULE(INTERPRETER, "D23", "not-available", interpreter, 0, "not available", "not available"),
    RULE(PROVIDER, "D24", "no-provider", provider, 0,
         "a plan promises what nobody is named to provide, or has no day",
         "name who provides it and from when, or leave it out"),
    RULE(VITAL, "D2", "vital-unfounded", vital, 0,
         "danger to life must name who decided and why, and opens the identity and the needs only",
         "fill in who decided and the reason in words"),
};

const struct rg_message_rule_row *rg_message_rule_row(enum rg_message_rule rule)
{
    return (unsigned)rule < RG_MESSAGE_RULE_COUNT ? &rules[rule].row
                                                  : &rules[RG_MESSAGE_RULE_NONE].row;
}

enum rg_message_rule rg_message_rules_judge(const struct rg_message_ask *ask)
{
    for (unsigned i = RG_MESSAGE_RULE_NONE + 1; i < RG_MESSAGE_RULE_COUNT; i++) {
        bool readable = (rules[i].rests_on & ask->unread) == 0;
        if (readable && rules[i].breaks(ask)) {
            return (enum rg_message_rule)i;
        }
    }
    return RG_MESSAGE_RULE_NONE;
}

rg_outcome rg_message_rules_check(const struct rg_message_ask *ask, struct rg_reason *why)
{
    enum rg_message_rule rule = rg_message_rules_judge(ask);
    if (rule == RG_MESSAGE_RULE_NONE) {
        return rg_ok();
    }
    if (rule == RG_MESSAGE_RULE_INTERPRETER) {
        return rg_not_available(why);
    }
    const struct rg_message_rule_row *row = rg_message_rule_row(rule);
    return rg_fail(why, RG_DENIED, row->id, "%s; %s", row->meaning, row->what_next);
}

/* ---- an age that is changed here ---- */

rg_outcome rg_age_change_check(enum rg_age before, enum rg_age after, enum rg_role author,
                               const char *reason, struct rg_reason *why)
{
    const struct rg_message_rule_row *desk = rg_message_rule_row(RG_MESSAGE_RULE_AGE_DESK);
    const struct rg_message_rule_row *words = rg_message_rule_row(RG_MESSAGE_RULE_AGE_REASON);
    if (after != RG_AGE_ADULT || before == RG_AGE_ADULT) {
        return rg_ok();
    }
    RG_CHECK(author == RG_ROLE_CHILD, why, RG_DENIED, desk->id, "%s; %s", desk->meaning,
             desk->what_next);
    RG_CHECK(reason != NULL && reason[0] != '\0', why, RG_DENIED, words->id, "%s; %s",
             words->meaning, words->what_next);
    return rg_ok();
}

/* ---- duties ---- */

static const struct rg_duty_row duties[] = {
    {RG_DUTY_DETENTION, "D10", "detained",
     "she is detained; nobody is held or punished for what she was made to do",
     "the focal point speaks with the authority that holds her, today"},
    {RG_DUTY_TELL_PERSON, "D2", "tell-the-person",
     "her identity was shared without her consent, to save her life",
     "tell her as soon as she can hear it: what, to whom, why, and who decided"},
    {RG_DUTY_REPORT_VITAL, "D2", "report-vital-interest",
     "a vital interest was used instead of consent", "both focal points look at it together"},
    {RG_DUTY_AGE_RAISED, "D6", "age-raised", "an age went up: papers may have been made older",
     "both focal points look at what it rests on"},
    {RG_DUTY_ERASE_SOON, "D26", "erase-soon", "found not to be a victim",
     "close the case; it is erased 30 days after"},
};

const struct rg_duty_row *rg_duty_row(enum rg_duty duty)
{
    for (size_t i = 0; i < sizeof(duties) / sizeof(duties[0]); i++) {
        if (duties[i].duty == duty) {
            return &duties[i];
        }
    }
    return NULL;
}

unsigned rg_duties_of_record(const struct rg_record *record)
{
    bool detained = strcmp(rg_record_get(record, RG_FIELD_PLACE_OF_STAY), "detention") == 0;
    bool no_victim = strcmp(rg_record_get(record, RG_FIELD_VIC_TRAFFICKING_STATUS),
                            "NotAVictimOfTrafficking") == 0;
    return (detained ? RG_DUTY_BIT(RG_DUTY_DETENTION) : 0) |
           (no_victim ? RG_DUTY_BIT(RG_DUTY_ERASE_SOON) : 0);
}

unsigned rg_duties_of_message(const struct rg_message_ask *ask)
{
    bool used = ask->vital != NULL && ask->vital->present;
    bool raised = strcmp(age_set(ask), "adult") == 0 && !known_adult(ask);
    bool no_victim = ask->kind == RG_KIND_CLOSURE && is(ask, "reason", "NOT_A_VICTIM");
    return (used ? RG_DUTY_BIT(RG_DUTY_TELL_PERSON) | RG_DUTY_BIT(RG_DUTY_REPORT_VITAL) : 0) |
           (raised ? RG_DUTY_BIT(RG_DUTY_AGE_RAISED) : 0) |
           (no_victim ? RG_DUTY_BIT(RG_DUTY_ERASE_SOON) : 0);
}
