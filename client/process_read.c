/*
 * How it works: `codes` names, per kind, the box of the case section that decides, and its codes in
 * the order of our enumerations; a code is found by its text, never by its place. Then a few boxes
 * by name. Invariant: only case sections are read for what moves a state, so both sides read alike
 * whatever else each may open.
 */
#include "client/process_inside.h"

#include "core/digest.h"

#include <string.h>

#define CODES_MAX 8

struct coded {
    uint32_t kind;
    const char *box;
    const char *code[CODES_MAX]; /* code[n] is n + 1 of ours */
};

static const struct coded codes[] = {
    {31,
     "result",
     {"CONFIRMED", "PERMANENT_RESIDENT", "NOT_CONFIRMED", "STATELESS", "MORE_INFO", "PENDING"}},
    {33, "result", {"FOUND", "PARTIAL", "NOT_FOUND", "DO_NOT_CONTACT_HIT"}},
    {34, "recommendation", {"RETURN_HOME", "KIN", "SHELTER", "NOT_RETURN"}},
    {35, "verdict", {"SAFE", "SAFE_WITH_MEASURES", "NOT_SAFE", "UNKNOWN"}},
    {36, "decision", {"RETURN", "NOT_RETURN", "LATER"}},
    {38, "result", {"ISSUED", "LIST_ENTRY", "REFUSED"}},
    {39, "fit_to_travel", {"YES", "CONDITIONS", "NO"}},
    {41, "answer", {"ACCEPT", "COUNTER", "REFUSE"}},
    {42, "change", {"POSTPONE", "CANCEL", "REMOVE_PERSON"}},
    {45, "outcome", {"PRESENT", "REFUSED_AT_GATE", "ABSENT"}},
    {46, "received", {"true", "false"}},
    {47, "kind", {"MISSING", "TAKEN", "ACCIDENT", "ILL", "THREAT", "DETAINED"}},
    {48, "result", {"FOUND_SAFE", "FOUND_HARMED", "LEFT_BY_CHOICE", "UNRESOLVED"}},
    {52, "state", {"OPEN", "CLOSED"}},
    {54, "answer", {"AGREE", "OBJECT"}},
    {55, "reason", {"RE_TRAFFICKED", "NEW_NEED", "ERROR", "WITNESS"}},
    {61, "answer", {"AGREES", "DECLINES", "CANNOT_BE_ASKED"}},
    {62, "state", {"PROPOSED", "AGREED", "REFUSED", "STOPPED"}},
    {71, "answer", {"ACCEPTED", "DECLINED", "DEPARTED", "WITHDRAWN"}},
};

/* Boxes that say the last day of something. */
static const struct {
    uint32_t kind;
    const char *box;
} lasts[] = {{20, "expires_on"}, {31, "valid_to"}, {35, "valid_to"},      {36, "valid_to"},
             {38, "valid_to"},   {39, "valid_to"}, {60, "witness_until"}, {61, "witness_until"}};

static const char *const age_codes[] = {"ADULT", "CHILD"};

uint32_t rg_process_code_of(uint32_t kind, const char *box, const char *text)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        for (size_t n = 0; n < CODES_MAX && codes[i].kind == kind && codes[i].code[n] != NULL;
             n++) {
            if (strcmp(codes[i].box, box) == 0 && strcmp(codes[i].code[n], text) == 0) {
                return (uint32_t)n + 1;
            }
        }
    }
    return 0;
}

const char *rg_process_code_text(uint32_t kind, uint32_t code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].kind == kind && code >= 1 && code <= CODES_MAX) {
            return codes[i].code[code - 1];
        }
    }
    return NULL;
}

const char *rg_process_code_box(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].kind == kind) {
            return codes[i].box;
        }
    }
    return NULL;
}

static struct rg_hash officer(const char *principal)
{
    struct rg_hash none = {{0}};
    return principal[0] == '\0' ? none : rg_sha256(rg_bytes_of_text(principal));
}

static uint32_t scopes_of(const struct rg_form *form)
{
    return rg_form_codes(form, "scopes");
}

static void read_interest(const struct rg_form *form, struct rg_process_message *m)
{
    const char *guardian = rg_form_get(form, "guardian");
    m->flags |= guardian[0] != '\0' && strcmp(guardian, "NONE") != 0 ? RG_SAYS_GUARDIAN : 0;
    m->flags |= rg_form_true(form, "escort_same_day") ? RG_SAYS_ESCORT : 0;
    m->flags |= rg_form_get(form, "receiving_care")[0] != '\0' ? RG_SAYS_CARE : 0;
}

static void read_emergency(const struct rg_form *form, struct rg_process_message *m)
{
    if (rg_form_is(form, "basis", "BY_CONSENT")) {
        m->flags |= RG_SAYS_CONSENT;
        m->scopes = RG_SCOPES_RETURN;
    }
    m->flags |= rg_form_is(form, "basis", "VITAL_INTEREST") ? RG_SAYS_VITAL_INTEREST : 0;
}

static void read_age(const struct rg_form *form, struct rg_process_message *m)
{
    for (uint32_t i = 0; i < 2; i++) {
        m->age = rg_form_is(form, "age", age_codes[i]) ? i + 1 : m->age;
    }
}

/* A field of the dictionary in rows of fields and values. */
static void read_status_rows(const struct rg_form *form, const char *list,
                             struct rg_process_message *m)
{
    const char *name = rg_field_row(RG_FIELD_VIC_TRAFFICKING_STATUS)->name;
    for (size_t i = 0; i < rg_form_row_count(form, list); i++) {
        if (strcmp(rg_form_row_get(form, list, i, "field"), name) == 0) {
            const char *value = rg_form_row_get(form, list, i, "value");
            m->trafficking = rg_code_find(RG_FIELD_VIC_TRAFFICKING_STATUS, rg_bytes_of_text(value));
        }
    }
}

static void read_form(const struct rg_form *form, struct rg_process_message *m)
{
    const char *box = rg_process_code_box(m->kind);
    if (box != NULL) {
        m->code = rg_process_code_of(m->kind, box, rg_form_get(form, box));
    }
    for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
        if (lasts[i].kind == m->kind) {
            (void)rg_form_date(form, lasts[i].box, &m->valid_to);
        }
    }
    switch (m->kind) {
    case 10:
        read_age(form, m);
        m->trafficking = rg_code_find(RG_FIELD_VIC_TRAFFICKING_STATUS,
                                      rg_bytes_of_text(rg_form_get(form, "status")));
        break;
    case 15:
        read_status_rows(form, "answers", m);
        break;
    case 20:
    case 21:
        m->scopes = scopes_of(form);
        break;
    case 36:
        read_interest(form, m);
        break;
    case 41:
        m->flags |= rg_form_get(form, "care_desk")[0] != '\0' ? RG_SAYS_CARE : 0;
        break;
    case 49:
        read_age(form, m);
        read_emergency(form, m);
        break;
    case 51:
        m->flags |=
            rg_form_true(form, "seen") && rg_form_is(form, "safe", "YES") ? RG_SAYS_SAFE : 0;
        break;
    case 60:
    case 61:
        m->flags |= m->valid_to.year != 0 ? RG_SAYS_WAITS_AS_WITNESS : 0;
        m->flags |= m->kind == 61 && rg_form_true(form, "may_return") ? RG_SAYS_GOES_ANYWAY : 0;
        break;
    case 70:
        read_age(form, m);
        m->scopes = RG_SCOPES_ONWARD;
        break;
    case 80:
        read_status_rows(form, "changes", m);
        break;
    default:
        break;
    }
}

static void read_body(const struct rg_content *content, struct rg_process_message *m)
{
    switch (content->body) {
    case RG_BODY_PREVIEW:
        m->code = content->preview.reason;
        m->age = content->preview.age;
        m->scopes = content->preview.consent.scopes;
        m->valid_to = content->preview.consent.expires;
        break;
    case RG_BODY_DECLINE:
        m->code = content->decline.code;
        break;
    case RG_BODY_DETAILS:
        for (size_t i = 0; i < content->details.count; i++) {
            const struct rg_field_value *item = &content->details.item[i];
            if (item->field == RG_FIELD_VIC_TRAFFICKING_STATUS) {
                m->trafficking = rg_code_find(item->field, rg_bytes_of_text(item->value));
            }
        }
        break;
    case RG_BODY_FORM:
        read_form(content->form, m);
        break;
    case RG_BODY_ACKNOWLEDGEMENT: /* an acknowledgement answers what it opened */
        m->has_answers = true;
        m->answers = content->acknowledgement.opened;
        break;
    case RG_BODY_NONE:
    case RG_BODY_ACCEPT:
    case RG_BODY_PROPOSAL:
    case RG_BODY_WITHHELD:
    case RG_BODY_FORWARDED:
    case RG_BODY_DESK_DRAFT:
    case RG_BODY_COUNTERSIGN:
        break;
    }
}

static bool is_relevant(uint32_t kind)
{
    bool technical = kind == 1 || kind == 3 || kind == 4 || kind == 19;
    return !technical && kind < 90 && rg_kind_row(kind) != NULL;
}

rg_outcome rg_process_message_read(const struct rg_content *const *section, size_t count,
                                   struct rg_id id, enum rg_party from,
                                   struct rg_process_message *message_out, bool *relevant_out,
                                   struct rg_reason *why)
{
    const struct rg_content *content = NULL;
    for (size_t i = 0; i < count && content == NULL; i++) {
        content = section[i]->class_ == RG_CLASS_CASE ? section[i] : NULL;
    }
    RG_CHECK(content != NULL, why, RG_MALFORMED, "process-section",
             "a message without a case section that can be read moves no case");
    struct rg_process_message m = {
        .id = id,
        .from = from,
        .kind = content->kind,
        .has_previous = content->has_previous,
        .has_seen = content->has_seen,
        .has_answers = content->has_answers,
        .previous = content->previous,
        .seen = content->seen,
        .answers = content->answers,
        .made = content->made,
        .author = officer(content->author),
        .second_author = officer(content->second_author),
    };
    bool alert = m.kind == 21 || m.kind == 47 || m.kind == 52;
    m.has_relays = alert && m.has_answers; /* of a fresh one, or of nothing that is waiting */
    m.relays = m.answers;
    read_body(content, &m);
    *message_out = m;
    *relevant_out = is_relevant(m.kind);
    return rg_ok();
}
