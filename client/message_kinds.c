/*
 * How it works: one row per kind, sorted by number. Adding a kind is: its message in
 * referral.proto, its boxes in a form_*.c, its row here, and its row in process.c. What the row
 * says is what encoding, decoding, `referral kinds`, docs/messages.md and the tests go by.
 */
#include "client/message.h"

#include "client/form_tables.h"

#include <string.h>

#define CASE RG_CLASS_BIT(RG_CLASS_CASE)
#define IDENTITY RG_CLASS_BIT(RG_CLASS_IDENTITY)
#define FAMILY RG_CLASS_BIT(RG_CLASS_FAMILY)
#define HEALTH RG_CLASS_BIT(RG_CLASS_HEALTH)
#define LEGAL RG_CLASS_BIT(RG_CLASS_LEGAL)
#define SECURITY RG_CLASS_BIT(RG_CLASS_SECURITY)
#define ALL (CASE | IDENTITY | FAMILY | HEALTH | LEGAL | SECURITY)

#define BY_FOCAL RG_ROLE_BIT(RG_ROLE_FOCAL)
#define BY_SOCIAL RG_ROLE_BIT(RG_ROLE_SOCIAL)
#define BY_VERIFY RG_ROLE_BIT(RG_ROLE_VERIFY)
#define BY_BORDER RG_ROLE_BIT(RG_ROLE_BORDER)
#define BY_HEALTH RG_ROLE_BIT(RG_ROLE_HEALTH)
#define BY_JUSTICE RG_ROLE_BIT(RG_ROLE_JUSTICE)
#define BY_CHILD RG_ROLE_BIT(RG_ROLE_CHILD)
#define BY_NGO RG_ROLE_BIT(RG_ROLE_NGO)
#define BY_PARTNER RG_ROLE_BIT(RG_ROLE_PARTNER)
#define BY_OPERATOR RG_ROLE_BIT(RG_ROLE_OPERATOR)
#define BY_EVERYDESK                                                                               \
    (BY_SOCIAL | BY_VERIFY | BY_BORDER | BY_HEALTH | BY_JUSTICE | BY_CHILD | BY_NGO)
#define BY_EVERYBODY (BY_FOCAL | BY_EVERYDESK | BY_PARTNER)

#define DEADLINE(count, unit_) .deadline = (count), .unit = RG_DEADLINE_##unit_
#define ANSWERS(...) .answers = {__VA_ARGS__}
#define MUST_ANSWER(...) .needs_answers = true, .answers = {__VA_ARGS__}
#define FORM(name) .case_body = RG_BODY_FORM, .other_body = RG_BODY_FORM, .form = &rg_form_##name

/* Numbers, classes and deadlines are those of the catalogue; 17 to 19 and 90 to 93 are ours. A
 * focal point may write whatever crosses the border for its country, on paper from a desk. */
/* clang-format off */
static const struct rg_kind_row rows[] = {
    {.number = 1, .name = "RECEIPT",
     .meaning = "A message arrived, and what became of it",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, .rank = RG_RANK_REST, FORM(receipt)},
    {.number = 2, .name = "TECH_REJECT",
     .meaning = "A message cannot be processed; names the box, never its value",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, .rank = RG_RANK_REST, FORM(tech_reject)},
    {.number = 3, .name = "DIRECTORY_UPDATE",
     .meaning = "A desk or a key changed; trust comes from the signed pages alone",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_OPERATOR,
     .classes = CASE, .rank = RG_RANK_REST, FORM(directory_update)},
    {.number = 4, .name = "PROCEDURE_NOTICE",
     .meaning = "A public notice: law changed, procedure, gate closed, hotline",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, .rank = RG_RANK_REST, FORM(procedure_notice)},
    {.number = 10, .name = "IDENTIFICATION_NOTICE",
     .meaning = "Somebody of yours was identified here, and does not object to your knowing",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(5, WORKING_DAYS), .rank = RG_RANK_REST, FORM(identification_notice)},
    {.number = 11, .name = "REFERRAL_REQUEST",
     .meaning = "Asks to take a case; shows what nobody can be found by",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL | BY_NGO,
     .classes = CASE, DEADLINE(5, WORKING_DAYS), ANSWERS(10), .rank = RG_RANK_REST, .case_body = RG_BODY_PREVIEW,
     .form = &rg_form_preview},
    {.number = 12, .name = "REFERRAL_ACCEPT",
     .meaning = "We take the case; now the details may come",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE, MUST_ANSWER(11, 19, 55), .rank = RG_RANK_REST, .case_body = RG_BODY_ACCEPT,
     .form = &rg_form_accept},
    {.number = 13, .name = "REFERRAL_DECLINE",
     .meaning = "We do not take the case, with a code",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(5, WORKING_DAYS), MUST_ANSWER(11, 19, 55), .rank = RG_RANK_DECLINE, .case_body = RG_BODY_DECLINE,
     .form = &rg_form_decline},
    {.number = 14, .name = "INFO_REQUEST",
     .meaning = "Asks for single fields, each with its reason",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL | BY_VERIFY | BY_BORDER | BY_HEALTH | BY_JUSTICE | BY_CHILD,
     .classes = ALL, DEADLINE(10, WORKING_DAYS), ANSWERS(11, 32, 33, 34, 35, 36, 37, 38, 39, 45, 51), .rank = RG_RANK_REST, FORM(info_request)},
    {.number = 15, .name = "INFO_RESPONSE",
     .meaning = "Answers an information request, field by field",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_SOCIAL | BY_VERIFY | BY_BORDER | BY_HEALTH | BY_JUSTICE | BY_CHILD | BY_NGO,
     .classes = ALL, MUST_ANSWER(14), .rank = RG_RANK_REST, FORM(info_response)},
    {.number = 16, .name = "REFERRAL_CANCEL",
     .meaning = "Takes a referral back",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_REQUESTER, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(1, WORKING_DAYS), MUST_ANSWER(10, 11, 49, 55, 70), .rank = RG_RANK_STOP, FORM(cancel)},
    {.number = 17, .name = "REFERRAL_DETAILS",
     .meaning = "The details of an accepted case, each class in its own section",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = ALL, MUST_ANSWER(12), .rank = RG_RANK_REST, .case_body = RG_BODY_DETAILS, .other_body = RG_BODY_DETAILS,
     .form = &rg_form_details},
    {.number = 18, .name = "ACKNOWLEDGEMENT",
     .meaning = "An officer opened a message",
     .way = RG_WAY_ALERT, .direction = RG_DIRECTION_ANY, .by = BY_EVERYBODY,
     .classes = CASE, .rank = RG_RANK_REST, .case_body = RG_BODY_ACKNOWLEDGEMENT,
     .form = &rg_form_acknowledgement},
    {.number = 19, .name = "REFERRAL_PROPOSAL",
     .meaning = "An NGO asks its own focal point to refer a case",
     .way = RG_WAY_DOMESTIC, .direction = RG_DIRECTION_HOME, .by = BY_NGO,
     .classes = ALL, DEADLINE(5, WORKING_DAYS), .rank = RG_RANK_REST, .case_body = RG_BODY_PROPOSAL, .other_body = RG_BODY_DETAILS,
     .form = &rg_form_proposal},
    {.number = 20, .name = "CONSENT_RECORD",
     .meaning = "What the person agreed to: scopes, purpose, recipients, until when",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL | BY_CHILD,
     .classes = CASE, .rank = RG_RANK_REST, FORM(consent_record)},
    {.number = 21, .name = "CONSENT_WITHDRAWN",
     .meaning = "The person takes consent back; works at once",
     .way = RG_WAY_ALERT, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL | BY_NGO | BY_CHILD | BY_BORDER,
     .classes = CASE, DEADLINE(24, HOURS), ANSWERS(20), .rank = RG_RANK_WITHDRAWAL, FORM(consent_withdrawn)},
    {.number = 22, .name = "WITHDRAWAL_ACK",
     .meaning = "What was stopped, destroyed and kept after a withdrawal",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE, MUST_ANSWER(21), .rank = RG_RANK_REST, FORM(withdrawal_ack)},
    {.number = 30, .name = "NATIONALITY_REQUEST",
     .meaning = "Asks whether the person is a national",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE | IDENTITY | FAMILY, DEADLINE(15, WORKING_DAYS), ANSWERS(12), .rank = RG_RANK_REST, FORM(nationality_request)},
    {.number = 31, .name = "NATIONALITY_RESULT",
     .meaning = "What the verification of nationality found",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_VERIFY,
     .classes = CASE | IDENTITY, MUST_ANSWER(30), .rank = RG_RANK_REST, FORM(nationality_result)},
    {.number = 32, .name = "TRACING_REQUEST",
     .meaning = "Asks to find the family, and says what it may be told",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL | BY_SOCIAL,
     .classes = CASE | IDENTITY | FAMILY | SECURITY, DEADLINE(30, WORKING_DAYS), ANSWERS(12), .rank = RG_RANK_REST, FORM(tracing_request)},
    {.number = 33, .name = "TRACING_RESULT",
     .meaning = "What family tracing found",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_SOCIAL,
     .classes = CASE | FAMILY, MUST_ANSWER(32), .rank = RG_RANK_REST, FORM(tracing_result)},
    {.number = 34, .name = "FAMILY_ASSESSMENT",
     .meaning = "Is the home safe and willing; was a relative involved",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_SOCIAL,
     .classes = CASE | FAMILY | SECURITY, MUST_ANSWER(32), .rank = RG_RANK_REST, FORM(family_assessment)},
    {.number = 35, .name = "RISK_ASSESSMENT",
     .meaning = "Is return safe; each side gives its own verdict",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL,
     .classes = CASE | SECURITY, DEADLINE(15, WORKING_DAYS), ANSWERS(12, 35), .rank = RG_RANK_REST, FORM(risk_assessment)},
    {.number = 36, .name = "BEST_INTEREST",
     .meaning = "The best-interest decision for a child",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_CHILD,
     .classes = CASE | FAMILY, DEADLINE(15, WORKING_DAYS), ANSWERS(12), .rank = RG_RANK_REST, FORM(best_interest)},
    {.number = 37, .name = "TRAVEL_DOC_REQUEST",
     .meaning = "Asks for a travel document",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE | IDENTITY, DEADLINE(10, WORKING_DAYS), ANSWERS(31), .rank = RG_RANK_REST, FORM(travel_doc_request)},
    {.number = 38, .name = "TRAVEL_DOC_RESULT",
     .meaning = "The travel document was issued, the person listed, or refused",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_VERIFY,
     .classes = CASE | IDENTITY, MUST_ANSWER(37), .rank = RG_RANK_REST, FORM(travel_doc_result)},
    {.number = 39, .name = "HEALTH_SUMMARY",
     .meaning = "Is the person fit to travel, and what is needed on the way",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL | BY_HEALTH,
     .classes = CASE | HEALTH, ANSWERS(12), .rank = RG_RANK_REST, FORM(health_summary)},
    {.number = 40, .name = "HANDOVER_PROPOSAL",
     .meaning = "Proposes where and when this person is handed over",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE | SECURITY, DEADLINE(5, WORKING_DAYS), .rank = RG_RANK_REST, FORM(handover_proposal)},
    {.number = 41, .name = "HANDOVER_REPLY",
     .meaning = "Accepts a handover, counters it or refuses it",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE | SECURITY, MUST_ANSWER(40, 49), .rank = RG_RANK_REST, FORM(handover_reply)},
    {.number = 42, .name = "HANDOVER_CHANGE",
     .meaning = "Postpones or cancels a handover, or takes this person out of it",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE | SECURITY, DEADLINE(4, HOURS), ANSWERS(40, 41), .rank = RG_RANK_STOP, FORM(handover_change)},
    {.number = 44, .name = "DEPARTED",
     .meaning = "The person is on the way",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL | BY_BORDER,
     .classes = CASE | SECURITY, ANSWERS(41), .rank = RG_RANK_REST, FORM(departed)},
    {.number = 45, .name = "HANDOVER_RECORD",
     .meaning = "The person stood at the handover point, or did not",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL | BY_BORDER,
     .classes = CASE | IDENTITY, DEADLINE(4, HOURS), ANSWERS(41), .rank = RG_RANK_REST, FORM(handover_record)},
    {.number = 46, .name = "RECEPTION_CONFIRM",
     .meaning = "The person was received, and into whose care",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_BORDER | BY_SOCIAL,
     .classes = CASE, DEADLINE(30, DAYS), MUST_ANSWER(45), .rank = RG_RANK_REST, FORM(reception_confirm)},
    {.number = 47, .name = "TRANSIT_ALERT",
     .meaning = "Something happened on the way",
     .way = RG_WAY_ALERT, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_BORDER | BY_NGO,
     .classes = CASE | SECURITY, DEADLINE(1, HOURS), ANSWERS(44, 45), .rank = RG_RANK_ALERT, FORM(transit_alert)},
    {.number = 48, .name = "TRANSIT_RESOLVED",
     .meaning = "How an alert on the way ended",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE | SECURITY, MUST_ANSWER(45, 46, 47), .rank = RG_RANK_REST, FORM(transit_resolved)},
    {.number = 49, .name = "EMERGENCY_RETURN",
     .meaning = "Return at once, for danger to life; the checks follow",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE | IDENTITY | SECURITY, DEADLINE(4, HOURS), .rank = RG_RANK_REST, .two_officers = true, FORM(emergency_return)},
    {.number = 50, .name = "REINTEGRATION_PLAN",
     .meaning = "What was agreed for the time after the return",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ORIGIN_TO_HOST, .by = BY_FOCAL | BY_SOCIAL,
     .classes = CASE, DEADLINE(30, DAYS), ANSWERS(46), .rank = RG_RANK_REST, FORM(reintegration_plan)},
    {.number = 51, .name = "FOLLOW_UP_REPORT",
     .meaning = "How the person is, seen at the agreed times",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ORIGIN_TO_HOST, .by = BY_FOCAL | BY_SOCIAL | BY_NGO,
     .classes = CASE, ANSWERS(50), .rank = RG_RANK_REST, FORM(follow_up_report)},
    {.number = 52, .name = "SAFETY_CONCERN",
     .meaning = "Somebody is in danger, or may be",
     .way = RG_WAY_ALERT, .direction = RG_DIRECTION_ANY, .by = BY_EVERYBODY,
     .classes = CASE | SECURITY, DEADLINE(24, HOURS), .rank = RG_RANK_ALERT, FORM(safety_concern)},
    {.number = 53, .name = "CLOSURE",
     .meaning = "Proposes to close the case",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(10, WORKING_DAYS), ANSWERS(50, 51, 36, 35, 70), .rank = RG_RANK_REST, FORM(closure)},
    {.number = 54, .name = "CLOSURE_REPLY",
     .meaning = "Agrees to close the case, or objects",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE, MUST_ANSWER(53), .rank = RG_RANK_REST, FORM(closure_reply)},
    {.number = 55, .name = "REOPEN",
     .meaning = "Opens a closed case again",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(5, WORKING_DAYS), ANSWERS(53, 54), .rank = RG_RANK_REST, FORM(reopen)},
    {.number = 60, .name = "JUSTICE_REQUEST",
     .meaning = "Asks the person for help in proceedings, with consent",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL | BY_JUSTICE,
     .classes = CASE | LEGAL, DEADLINE(20, WORKING_DAYS), ANSWERS(12), .rank = RG_RANK_REST, FORM(justice_request)},
    {.number = 61, .name = "JUSTICE_REPLY",
     .meaning = "What the person answers to a request of justice",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL | BY_JUSTICE,
     .classes = CASE | LEGAL, MUST_ANSWER(60), .rank = RG_RANK_REST, FORM(justice_reply)},
    {.number = 62, .name = "WITNESS_VISIT",
     .meaning = "A visit as a witness, out and back",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE | SECURITY, DEADLINE(10, WORKING_DAYS), ANSWERS(61, 62), .rank = RG_RANK_REST, FORM(witness_visit)},
    {.number = 63, .name = "REMEDY_NOTICE",
     .meaning = "Compensation or wages are there to be collected",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_HOST_TO_ORIGIN, .by = BY_FOCAL,
     .classes = CASE | LEGAL, DEADLINE(20, WORKING_DAYS), .rank = RG_RANK_REST, FORM(remedy_notice)},
    {.number = 70, .name = "ONWARD_REFERRAL",
     .meaning = "Refers to a third country or a partner, with its own consent",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_TO_PARTNER, .by = BY_FOCAL | BY_NGO,
     .classes = ALL, DEADLINE(10, WORKING_DAYS), .rank = RG_RANK_REST, FORM(onward_referral)},
    {.number = 71, .name = "ONWARD_REPLY",
     .meaning = "What the partner answers to an onward referral",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_FROM_PARTNER, .by = BY_PARTNER | BY_FOCAL,
     .classes = CASE, MUST_ANSWER(70), .rank = RG_RANK_REST, FORM(onward_reply)},
    {.number = 80, .name = "ACCESS_OR_CORRECTION",
     .meaning = "The person asks what is held about her, or to correct it",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_SOCIAL,
     .classes = ALL, DEADLINE(20, WORKING_DAYS), .rank = RG_RANK_REST, FORM(access_or_correction)},
    {.number = 82, .name = "ERASURE_ORDER",
     .meaning = "Orders that classes of a case be erased",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL,
     .classes = CASE, DEADLINE(72, HOURS), ANSWERS(21), .rank = RG_RANK_REST, FORM(erasure_order)},
    {.number = 83, .name = "ERASURE_DONE",
     .meaning = "What was erased, what was kept and why",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_BACK, .by = BY_FOCAL,
     .classes = CASE, MUST_ANSWER(82), .rank = RG_RANK_REST, FORM(erasure_done)},
    {.number = 84, .name = "BREACH_NOTICE",
     .meaning = "Content may have been seen by somebody who should not",
     .way = RG_WAY_FOCAL, .direction = RG_DIRECTION_ANY, .by = BY_FOCAL | BY_OPERATOR,
     .classes = CASE | SECURITY, DEADLINE(24, HOURS), .rank = RG_RANK_REST, FORM(breach_notice)},
    {.number = 90, .name = "DESK_DRAFT",
     .meaning = "A desk or an NGO asks its focal point to send a message",
     .way = RG_WAY_DOMESTIC, .direction = RG_DIRECTION_HOME, .by = BY_EVERYDESK,
     .classes = CASE, .rank = RG_RANK_REST, .case_body = RG_BODY_DESK_DRAFT,
     .form = &rg_form_desk_draft},
    {.number = 91, .name = "DESK_COPY",
     .meaning = "Passes a sealed section on to the desk that may open it",
     .way = RG_WAY_DOMESTIC, .direction = RG_DIRECTION_HOME, .by = BY_FOCAL,
     .classes = ALL, .rank = RG_RANK_REST, .case_body = RG_BODY_FORWARDED, .other_body = RG_BODY_FORWARDED,
     .form = &rg_form_forwarded},
    {.number = 92, .name = "COUNTERSIGN_REQUEST",
     .meaning = "Asks the second officer to sign an irreversible act",
     .way = RG_WAY_DOMESTIC, .direction = RG_DIRECTION_HOME, .by = BY_FOCAL,
     .classes = ALL, .rank = RG_RANK_REST, .case_body = RG_BODY_COUNTERSIGN, .other_body = RG_BODY_COUNTERSIGN,
     .form = &rg_form_countersign_request},
    {.number = 93, .name = "PROTECTION_NOTICE",
     .meaning = "Tells the officers of the own office of a claim for protection, or of who is shut out",
     .way = RG_WAY_DOMESTIC, .direction = RG_DIRECTION_HOME, .by = BY_FOCAL,
     .classes = CASE | SECURITY, .rank = RG_RANK_REST, FORM(protection_notice)},
};
/* clang-format on */

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

const struct rg_kind_row *rg_kind_rows(size_t *count_out)
{
    *count_out = ROW_COUNT;
    return rows;
}

const struct rg_kind_row *rg_kind_row(uint32_t number)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].number == number) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *rg_kind_name(uint32_t number)
{
    const struct rg_kind_row *row = rg_kind_row(number);
    return row == NULL ? "UNKNOWN_KIND" : row->name;
}

bool rg_kind_answers(uint32_t kind, uint32_t answered)
{
    const struct rg_kind_row *row = rg_kind_row(kind);
    if (row == NULL || rg_kind_row(answered) == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof(row->answers) && row->answers[i] != 0; i++) {
        if (row->answers[i] == answered) {
            return true;
        }
    }
    return row->answers[0] == 0 && !(kind == RG_KIND_ACKNOWLEDGEMENT && answered == kind);
}

static const char *const role_name[] = {
    [RG_ROLE_FOCAL] = "focal",       [RG_ROLE_SOCIAL] = "social", [RG_ROLE_VERIFY] = "verify",
    [RG_ROLE_BORDER] = "border",     [RG_ROLE_HEALTH] = "health", [RG_ROLE_JUSTICE] = "justice",
    [RG_ROLE_CHILD] = "child",       [RG_ROLE_NGO] = "ngo",       [RG_ROLE_PARTNER] = "partner",
    [RG_ROLE_OPERATOR] = "operator",
};

const char *rg_role_name(enum rg_role role)
{
    bool known = (unsigned)role >= 1 && (unsigned)role <= RG_ROLE_COUNT;
    return known ? role_name[role] : "unknown";
}

enum rg_role rg_role_find(const char *name)
{
    for (unsigned i = 1; i <= RG_ROLE_COUNT; i++) {
        if (strcmp(role_name[i], name) == 0) {
            return (enum rg_role)i;
        }
    }
    return (enum rg_role)0;
}

bool rg_kind_by(uint32_t kind, enum rg_role role)
{
    const struct rg_kind_row *row = rg_kind_row(kind);
    bool known = (unsigned)role >= 1 && (unsigned)role <= RG_ROLE_COUNT;
    return row != NULL && known && (row->by & RG_ROLE_BIT(role)) != 0;
}

/* Everything crosses between focal points, or from a partner that is asked for it. An alert and an
 * acknowledgement also cross from the desk or the NGO that may write them. */
rg_outcome rg_kind_check_way(uint32_t kind, const char *role, bool crosses, struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(kind);
    RG_CHECK(row != NULL, why, RG_MALFORMED, "content-kind", "no kind has this number");
    if (!crosses) {
        return rg_ok();
    }
    RG_CHECK(row->way != RG_WAY_DOMESTIC, why, RG_DENIED, "content-way",
             "%s never crosses a border", row->name);
    enum rg_role author = rg_role_find(role);
    bool may = author == RG_ROLE_FOCAL;
    may = may || (row->way == RG_WAY_ALERT && rg_kind_by(kind, author));
    may = may || (author == RG_ROLE_PARTNER && rg_kind_by(kind, author));
    RG_CHECK(may, why, RG_DENIED, "content-way",
             "%s crosses a border only from a focal point; send it to your own first", row->name);
    return rg_ok();
}

static const char *const decline_name[] = {
    [RG_DECLINE_NOT_OUR_NATIONAL] = "NOT_OUR_NATIONAL",
    [RG_DECLINE_NO_CAPACITY] = "NO_CAPACITY",
    [RG_DECLINE_UNSAFE_HERE] = "UNSAFE_HERE",
    [RG_DECLINE_CONSENT_MISSING] = "CONSENT_MISSING",
    [RG_DECLINE_INCOMPLETE] = "INCOMPLETE",
    [RG_DECLINE_DUPLICATE_OF] = "DUPLICATE_OF",
    [RG_DECLINE_CONFLICT_OF_INTEREST] = "CONFLICT_OF_INTEREST",
    [RG_DECLINE_NO_LEGAL_BASIS] = "NO_LEGAL_BASIS",
    [RG_DECLINE_OTHER] = "OTHER",
};

const char *rg_decline_name(enum rg_decline_code code)
{
    return (unsigned)code <= RG_DECLINE_OTHER ? decline_name[code] : NULL;
}

enum rg_decline_code rg_decline_find(const char *name)
{
    for (unsigned i = RG_DECLINE_NOT_OUR_NATIONAL; i <= RG_DECLINE_OTHER; i++) {
        if (strcmp(decline_name[i], name) == 0) {
            return (enum rg_decline_code)i;
        }
    }
    return (enum rg_decline_code)0;
}
