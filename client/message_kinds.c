/*
 * How it works: one row per kind, sorted by number. A kind that this version does not speak has its
 * row but RG_BODY_NONE, so its name, way and what it answers are known before its body is. Adding a
 * kind is: its body in referral.proto and message.c, two entries in its row, its row in cases.c.
 */
#include "client/message.h"

#include <string.h>

#define CASE RG_CLASS_BIT(RG_CLASS_CASE)
#define IDENTITY RG_CLASS_BIT(RG_CLASS_IDENTITY)
#define FAMILY RG_CLASS_BIT(RG_CLASS_FAMILY)
#define HEALTH RG_CLASS_BIT(RG_CLASS_HEALTH)
#define LEGAL RG_CLASS_BIT(RG_CLASS_LEGAL)
#define SECURITY RG_CLASS_BIT(RG_CLASS_SECURITY)
#define ALL (CASE | IDENTITY | FAMILY | HEALTH | LEGAL | SECURITY)

#define ROW(number_, name_, way_, classes_, days_, ...)                                            \
    {                                                                                              \
        .number = (number_), .name = (name_), .way = RG_WAY_##way_, .classes = (classes_),         \
        .answer_days = (days_), __VA_ARGS__                                                        \
    }
#define ANSWERS(...) .answers = {__VA_ARGS__}
#define MUST_ANSWER(...) .needs_answers = true, .answers = {__VA_ARGS__}
#define ANY .answers = {0}

/* Numbers, classes and days are those of the catalogue; 17 to 19 are ours. */
static const struct rg_kind_row rows[] = {
    ROW(1, "RECEIPT", FOCAL, CASE, 0, ANY),
    ROW(2, "TECH_REJECT", FOCAL, CASE, 0, ANY),
    ROW(3, "DIRECTORY_UPDATE", FOCAL, CASE, 0, ANY),
    ROW(4, "PROCEDURE_NOTICE", FOCAL, CASE, 0, ANY),
    ROW(10, "IDENTIFICATION_NOTICE", FOCAL, CASE, 5, ANY),
    ROW(11, "REFERRAL_REQUEST", FOCAL, CASE, 5, ANSWERS(10), .case_body = RG_BODY_PREVIEW),
    ROW(12, "REFERRAL_ACCEPT", FOCAL, CASE, 0, MUST_ANSWER(11, 19), .case_body = RG_BODY_ACCEPT),
    ROW(13, "REFERRAL_DECLINE", FOCAL, CASE, 5, MUST_ANSWER(11, 19), .case_body = RG_BODY_DECLINE),
    ROW(14, "INFO_REQUEST", FOCAL, ALL, 10, ANSWERS(11, 32, 33, 34, 35, 36, 38, 39, 45, 51)),
    ROW(15, "INFO_RESPONSE", FOCAL, ALL, 0, MUST_ANSWER(14)),
    ROW(16, "REFERRAL_CANCEL", FOCAL, CASE, 1, MUST_ANSWER(11)),
    ROW(17, "REFERRAL_DETAILS", FOCAL, ALL, 0, MUST_ANSWER(12), .case_body = RG_BODY_DETAILS,
        .other_body = RG_BODY_DETAILS),
    ROW(18, "ACKNOWLEDGEMENT", ALERT, CASE, 0, ANY, .case_body = RG_BODY_ACKNOWLEDGEMENT),
    ROW(19, "REFERRAL_PROPOSAL", DOMESTIC, ALL, 5, ANY, .case_body = RG_BODY_PROPOSAL,
        .other_body = RG_BODY_DETAILS),
    ROW(20, "CONSENT_RECORD", FOCAL, CASE, 0, ANY),
    ROW(21, "CONSENT_WITHDRAWN", ALERT, CASE, 1, ANSWERS(20)),
    ROW(22, "WITHDRAWAL_ACK", FOCAL, CASE, 0, MUST_ANSWER(21)),
    ROW(30, "NATIONALITY_REQUEST", FOCAL, CASE | IDENTITY | FAMILY, 15, ANSWERS(12)),
    ROW(31, "NATIONALITY_RESULT", FOCAL, CASE | IDENTITY, 0, MUST_ANSWER(30)),
    ROW(32, "TRACING_REQUEST", FOCAL, CASE | IDENTITY | FAMILY | SECURITY, 30, ANSWERS(12)),
    ROW(33, "TRACING_RESULT", FOCAL, CASE | FAMILY, 0, MUST_ANSWER(32)),
    ROW(34, "FAMILY_ASSESSMENT", FOCAL, CASE | FAMILY | SECURITY, 0, MUST_ANSWER(32)),
    ROW(35, "RISK_ASSESSMENT", FOCAL, CASE | SECURITY, 15, ANSWERS(12)),
    ROW(36, "BEST_INTEREST", FOCAL, CASE | FAMILY, 15, ANSWERS(12)),
    ROW(37, "TRAVEL_DOC_REQUEST", FOCAL, CASE | IDENTITY, 10, ANSWERS(31)),
    ROW(38, "TRAVEL_DOC_RESULT", FOCAL, CASE | IDENTITY, 0, MUST_ANSWER(37)),
    ROW(39, "HEALTH_SUMMARY", FOCAL, CASE | HEALTH, 0, ANSWERS(12)),
    ROW(40, "HANDOVER_PROPOSAL", FOCAL, CASE | SECURITY, 5, ANY),
    ROW(41, "HANDOVER_REPLY", FOCAL, CASE | SECURITY, 0, MUST_ANSWER(40)),
    ROW(42, "HANDOVER_CHANGE", FOCAL, CASE | SECURITY, 1, ANSWERS(40, 41)),
    ROW(44, "DEPARTED", FOCAL, CASE | SECURITY, 0, ANSWERS(41)),
    ROW(45, "HANDOVER_RECORD", FOCAL, CASE | IDENTITY, 1, ANSWERS(41)),
    ROW(46, "RECEPTION_CONFIRM", FOCAL, CASE, 0, MUST_ANSWER(45)),
    ROW(47, "TRANSIT_ALERT", ALERT, CASE | SECURITY, 1, ANSWERS(44, 45)),
    ROW(48, "TRANSIT_RESOLVED", FOCAL, CASE | SECURITY, 0, MUST_ANSWER(47)),
    ROW(49, "EMERGENCY_RETURN", FOCAL, CASE | IDENTITY | SECURITY, 1, ANY, .two_officers = true),
    ROW(50, "REINTEGRATION_PLAN", FOCAL, CASE, 0, ANSWERS(46)),
    ROW(51, "FOLLOW_UP_REPORT", FOCAL, CASE, 0, ANSWERS(50)),
    ROW(52, "SAFETY_CONCERN", ALERT, CASE | SECURITY, 1, ANY),
    ROW(53, "CLOSURE", FOCAL, CASE, 10, ANSWERS(50, 51)),
    ROW(54, "CLOSURE_REPLY", FOCAL, CASE, 0, MUST_ANSWER(53)),
    ROW(55, "REOPEN", FOCAL, CASE, 5, ANSWERS(53)),
    ROW(60, "JUSTICE_REQUEST", FOCAL, CASE | LEGAL, 20, ANSWERS(12)),
    ROW(61, "JUSTICE_REPLY", FOCAL, CASE | LEGAL, 0, MUST_ANSWER(60)),
    ROW(62, "WITNESS_VISIT", FOCAL, CASE | SECURITY, 10, ANSWERS(61)),
    ROW(63, "REMEDY_NOTICE", FOCAL, CASE | LEGAL, 20, ANY),
    ROW(70, "ONWARD_REFERRAL", FOCAL, ALL, 10, ANY),
    ROW(71, "ONWARD_REPLY", FOCAL, CASE, 0, MUST_ANSWER(70)),
    ROW(80, "ACCESS_OR_CORRECTION", FOCAL, ALL, 20, ANY),
    ROW(82, "ERASURE_ORDER", FOCAL, CASE, 3, ANSWERS(21)),
    ROW(83, "ERASURE_DONE", FOCAL, CASE, 0, MUST_ANSWER(82)),
    ROW(84, "BREACH_NOTICE", FOCAL, CASE | SECURITY, 1, ANY),
};

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

rg_outcome rg_kind_check_way(uint32_t kind, const char *role, bool crosses, struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(kind);
    RG_CHECK(row != NULL, why, RG_MALFORMED, "content-kind", "no kind has this number");
    if (!crosses) {
        return rg_ok();
    }
    RG_CHECK(row->way != RG_WAY_DOMESTIC, why, RG_DENIED, "content-way",
             "%s never crosses a border", row->name);
    RG_CHECK(row->way == RG_WAY_ALERT || strcmp(role, "focal") == 0, why, RG_DENIED, "content-way",
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
