/* How it works: what people read of a case or a message, in plain words. Codes become words by
 * taking off capitals and underscores, so a new code needs no new line here. Only the case section
 * is put into words: what other sections say is shown by `referral section`. */
#include "client/referral_inside.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define VALUES_MAX 8 /* of a form, in one line */

static const char *sex_word(uint32_t position)
{
    static const char *const word[] = {"sex not stated",    "female",          "male",
                                       "transgender woman", "transgender man", "non-conforming",
                                       "sex not stated"};
    return position < sizeof(word) / sizeof(word[0]) ? word[position] : word[0];
}

static const char *language_word(const char *code)
{
    static const char *const word[][2] = {
        {"khm", "Khmer"},          {"zho", "Chinese"}, {"lao", "Lao"},
        {"mya", "Burmese"},        {"tha", "Thai"},    {"vie", "Vietnamese"},
        {"", "language not known"}};
    for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
        if (strcmp(word[i][0], code) == 0) {
            return word[i][1];
        }
    }
    return code;
}

static const char *reason_word(enum rg_referral_reason reason)
{
    static const char *const word[] = {
        "",       "return", "tracing only", "services", "late identification", "family reunion",
        "witness"};
    return (unsigned)reason < sizeof(word) / sizeof(word[0]) ? word[reason] : "";
}

void rg_words_add(char *out, size_t room, const char *format, ...)
{
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(out + used, room - used, format, arguments);
    va_end(arguments);
}

void rg_words_preview(const struct rg_preview *preview, char *out, size_t room)
{
    out[0] = '\0';
    rg_words_add(out, room, "%s, %s, %s; %s", preview->age == RG_AGE_ADULT ? "adult" : "child",
                 sex_word(preview->sex), language_word(preview->language),
                 reason_word(preview->reason));
    for (uint32_t i = 0; i < 32; i++) {
        const char *need =
            (preview->needs >> i & 1u) != 0 ? rg_code_text(RG_FIELD_NEEDS, i + 1) : NULL;
        if (need != NULL) {
            rg_words_add(out, room, ", needs %s", need);
        }
    }
    if (preview->urgency != RG_URGENCY_ROUTINE) {
        rg_words_add(out, room, "; %s",
                     preview->urgency == RG_URGENCY_URGENT ? "urgent" : "emergency");
    }
    if (preview->expected_month.year != 0) {
        rg_words_add(out, room, "; expected %04d-%02d", preview->expected_month.year,
                     preview->expected_month.month);
    }
}

/* "RISK_ASSESSMENT" -> "risk assessment". */
void rg_words_code(const char *code, char *out, size_t room)
{
    size_t len = 0;
    for (; code[len] != '\0' && len + 1 < room; len++) {
        unsigned char c = (unsigned char)code[len];
        out[len] = c == '_' ? ' ' : c == ';' ? ',' : (char)tolower(c);
    }
    out[len] = '\0';
}

/* What says something in a few letters; long texts are read in `referral section`. */
static bool is_short(enum rg_box_type type)
{
    static const enum rg_box_type types[] = {
        RG_BOX_CODE, RG_BOX_CODES,  RG_BOX_DATE,    RG_BOX_PARTIAL, RG_BOX_MONTH, RG_BOX_TIME,
        RG_BOX_BOOL, RG_BOX_NUMBER, RG_BOX_COUNTRY, RG_BOX_OFFICE,  RG_BOX_POINT};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i] == type) {
            return true;
        }
    }
    return false;
}

static bool is_code(enum rg_box_type type)
{
    return type == RG_BOX_CODE || type == RG_BOX_CODES || type == RG_BOX_BOOL;
}

static void value_words(const struct rg_form_value *value, char *out, size_t room)
{
    const struct rg_box *box = value->cell != NULL ? value->cell : value->box;
    char label[80];
    char text[200];
    rg_words_code(value->label, label, sizeof(label));
    (void)snprintf(text, sizeof(text), "%.190s", value->text);
    if (is_code(box->type)) {
        rg_words_code(value->text, text, sizeof(text));
    }
    rg_words_add(out, room, "%s %s", label, text);
}

static void form_words(const struct rg_form *form, char *out, size_t room)
{
    size_t shown = 0;
    size_t count = rg_form_value_count(form);
    for (size_t i = 0; i < count && shown < VALUES_MAX; i++) {
        struct rg_form_value value = rg_form_value_at(form, i);
        const struct rg_box *box = value.cell != NULL ? value.cell : value.box;
        if (!is_short(box->type) || value.class_ != RG_CLASS_CASE) {
            continue;
        }
        rg_words_add(out, room, "%s", shown++ == 0 ? ": " : "; ");
        value_words(&value, out, room);
    }
    if (shown == 0) {
        return;
    }
    if (count > shown) {
        rg_words_add(out, room, "; more in its sections");
    }
}

static void kind_words(const struct rg_content *content, char *out, size_t room)
{
    const struct rg_kind_row *row = rg_kind_row(content->kind);
    char name[80];
    rg_words_code(row->name, name, sizeof(name));
    name[0] = (char)toupper((unsigned char)name[0]);
    rg_words_add(out, room, "%s", name);
    size_t before = strlen(out);
    if (content->body == RG_BODY_FORM && content->form != NULL) {
        form_words(content->form, out, room);
    }
    if (strlen(out) == before) {
        rg_words_add(out, room, ": %s", row->meaning);
    }
}

void rg_words_content(const struct rg_content *content, char *out, size_t room)
{
    out[0] = '\0';
    switch (content->body) {
    case RG_BODY_PREVIEW:
        rg_words_add(out, room, "referral request: ");
        rg_words_preview(&content->preview, out + strlen(out), room - strlen(out));
        return;
    case RG_BODY_PROPOSAL:
        rg_words_add(out, room, "proposal of a referral: ");
        rg_words_preview(&content->proposal.preview, out + strlen(out), room - strlen(out));
        return;
    case RG_BODY_DETAILS:
        rg_words_add(out, room, "details of the case");
        return;
    case RG_BODY_ACCEPT:
        rg_words_add(out, room, "accepted; responsible: %.60s", content->accept.desk);
        return;
    case RG_BODY_DECLINE:
        rg_words_add(out, room, "declined: %s%s%.200s", rg_decline_name(content->decline.code),
                     content->decline.text[0] != '\0' ? ", " : "", content->decline.text);
        return;
    case RG_BODY_ACKNOWLEDGEMENT:
        rg_words_add(out, room, "acknowledgement: the message has been opened");
        return;
    case RG_BODY_FORM:
    case RG_BODY_DESK_DRAFT:
    case RG_BODY_FORWARDED:
    case RG_BODY_COUNTERSIGN:
        kind_words(content, out, room);
        return;
    case RG_BODY_WITHHELD:
    case RG_BODY_NONE:
        return;
    }
}

/* ---- states ---- */

static const char *house_state(enum rg_case_state state, bool whole)
{
    static const char *const word[RG_CASE_STATE_COUNT] = {
        [RG_CASE_NONE] = "new",           [RG_CASE_HELD] = "held",
        [RG_CASE_READY] = "ready",        [RG_CASE_PROPOSED] = "proposed",
        [RG_CASE_FORWARDED] = "accepted", [RG_CASE_REFERRED] = "referred",
        [RG_CASE_RETURNED] = "returned",  [RG_CASE_ACCEPTED] = "accepted",
        [RG_CASE_RELEASED] = "released",  [RG_CASE_DECLINED] = "declined",
    };
    if (state == RG_CASE_RELEASED) {
        return whole ? "identity_released" : "details_sent";
    }
    return (unsigned)state < RG_CASE_STATE_COUNT ? word[state] : "unknown";
}

const char *rg_words_state(enum rg_case_state state, enum rg_process_state process, bool whole)
{
    static const char *const word[RG_PROCESS_STATE_COUNT] = {
        [RG_PROCESS_NOTIFIED] = "notified",
        [RG_PROCESS_NEEDS_INFO] = "needs_info",
        [RG_PROCESS_CLEARED] = "cleared",
        [RG_PROCESS_SCHEDULED] = "scheduled",
        [RG_PROCESS_IN_TRANSIT] = "in_transit",
        [RG_PROCESS_MISSING] = "missing",
        [RG_PROCESS_HANDED_OVER] = "handed_over",
        [RG_PROCESS_RECEIVED] = "received",
        [RG_PROCESS_REINTEGRATING] = "reintegrating",
        [RG_PROCESS_WITNESS_AWAY] = "witness_away",
        [RG_PROCESS_SUSPENDED] = "suspended",
        [RG_PROCESS_NO_RETURN] = "no_return",
        [RG_PROCESS_ONWARD] = "onward",
        [RG_PROCESS_CANCELLED] = "cancelled",
        [RG_PROCESS_CLOSED] = "closed",
        [RG_PROCESS_ERASED] = "erased",
    };
    static const struct {
        enum rg_process_state process;
        enum rg_case_state house;
    } same[] = {{RG_PROCESS_REFERRED, RG_CASE_REFERRED},
                {RG_PROCESS_ACCEPTED, RG_CASE_ACCEPTED},
                {RG_PROCESS_DECLINED, RG_CASE_DECLINED}};
    bool inside = state == RG_CASE_HELD || state == RG_CASE_READY || state == RG_CASE_RETURNED;
    const char *crossed =
        (unsigned)process < RG_PROCESS_STATE_COUNT && !inside ? word[process] : NULL;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (same[i].process == process && state == RG_CASE_NONE) {
            state = same[i].house;
        }
    }
    return crossed != NULL ? crossed : house_state(state, whole);
}

const char *rg_words_state_at(size_t at)
{
    static const char *const word[] = {
        "held",     "ready",         "proposed",     "notified",     "referred",
        "returned", "needs_info",    "accepted",     "details_sent", "identity_released",
        "cleared",  "scheduled",     "in_transit",   "missing",      "handed_over",
        "received", "reintegrating", "witness_away", "suspended",    "no_return",
        "onward",   "declined",      "cancelled",    "closed",       "erased"};
    return at < sizeof(word) / sizeof(word[0]) ? word[at] : NULL;
}
