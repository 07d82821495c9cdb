/*
 * How it works: tables, no code. The checks before a return: nationality, family, risk, best
 * interest, papers, health. Numbers are those of referral.proto, for ever; a box is added at the
 * end, a code at the end of its list.
 */
#include "client/form_tables.h"

static const char *const result_codes[] = {
    "CONFIRMED", "NOT_CONFIRMED", "PERMANENT_RESIDENT", "STATELESS", "MORE_INFO", "PENDING", NULL};
static const char *const danger_codes[] = {"NONE_KNOWN", "POSSIBLE", "KNOWN", NULL};
static const char *const relation_codes[] = {"MOTHER",        "FATHER", "SIBLING", "GRANDPARENT",
                                             "AUNT_OR_UNCLE", "SPOUSE", "CHILD",   "GUARDIAN",
                                             "OTHER",         NULL};
static const char *const tracing_result_result_codes[] = {"FOUND", "PARTIAL", "NOT_FOUND",
                                                          "DO_NOT_CONTACT_HIT", NULL};
static const char *const recommendation_codes[] = {"RETURN_HOME", "KIN", "SHELTER", "NOT_RETURN",
                                                   NULL};
static const char *const answer_codes[] = {"YES", "NO", "UNKNOWN", NULL};
static const char *const which_codes[] = {"TRAFFICKER",     "FAMILY",      "COMMUNITY",
                                          "ARMED_CONFLICT", "PERSECUTION", "DEBT",
                                          "HEALTH",         "OFFICIALS",   NULL};
static const char *const level_codes[] = {"LOW", "MEDIUM", "HIGH", "UNKNOWN", NULL};
static const char *const verdict_codes[] = {"SAFE", "SAFE_WITH_MEASURES", "NOT_SAFE", "UNKNOWN",
                                            NULL};
static const char *const where_codes[] = {"PARENTS", "KIN",           "FOSTER_CARE", "CENTRE",
                                          "STAY",    "THIRD_COUNTRY", NULL};
static const char *const finding_codes[] = {"BEST", "POSSIBLE", "NOT_SUITABLE", NULL};
static const char *const decision_codes[] = {"RETURN", "NOT_RETURN", "LATER", NULL};
static const char *const guardian_codes[] = {"PARENT",       "RELATIVE", "AUTHORITY",
                                             "ORGANISATION", "NONE",     NULL};
static const char *const travel_doc_result_result_codes[] = {"ISSUED", "LIST_ENTRY", "REFUSED",
                                                             NULL};
static const char *const document_codes[] = {
    "PASSPORT", "CERTIFICATE_OF_IDENTITY", "LAISSEZ_PASSER", "BORDER_PASS", "TEMPORARY", NULL};
static const char *const refusal_codes[] = {
    "NOT_A_NATIONAL", "IDENTITY_UNCLEAR", "PAPERS_MISSING", "PHOTOGRAPH", "OTHER", NULL};
static const char *const fit_codes[] = {"YES", "NO", "CONDITIONS", NULL};

/* 30 NATIONALITY_REQUEST */
static const struct rg_box nationality_request_box[] = {
    BOX(1, "consent", ID, CASE, MUST, .meaning = "the consent record with SHARE_IDENTITY"),
    BOX(2, "photo_ref", REFERENCE, IDENTITY, MAY, .meaning = "where the photograph is kept"),
    BOX(3, "interview", LINE, IDENTITY, MAY,
        .meaning = "where the person can be interviewed; no shelter address"),
    BOX(4, "fields", FIELDS, OF_FIELD, MAY,
        .meaning =
            "names, birth, claimed home; of the family what is matched: parents' names, village"),
};
const struct rg_form_table rg_form_nationality_request =
    TABLE("NationalityRequest", nationality_request_box);

/* 31 NATIONALITY_RESULT */
static const struct rg_box nationality_result_box[] = {
    BOX(1, "result", CODE, CASE, MUST, .codes = result_codes, .meaning = "what was found"),
    BOX(2, "pending_until", DATE, CASE, MAY, .when = "result=PENDING",
        .meaning = "when an answer is expected"),
    BOX(3, "valid_to", DATE, CASE, MAY, .when = "result=CONFIRMED,PERMANENT_RESIDENT",
        .meaning = "the last day on which it may be used"),
    BOX(4, "wanted", WORDS, CASE, MAY, .when = "result=MORE_INFO",
        .meaning = "what is missing; names nobody"),
    BOX(5, "basis", WORDS, IDENTITY, MAY, .meaning = "registers and papers it rests on"),
    BOX(6, "fields", FIELDS, OF_FIELD, MAY, .meaning = "as registered"),
};
const struct rg_form_table rg_form_nationality_result =
    TABLE("NationalityResult", nationality_result_box);

/* 32 TRACING_REQUEST */
static const struct rg_box tracing_request_box[] = {
    BOX(1, "consent", ID, CASE, MUST, .meaning = "the consent record with TRACE_FAMILY"),
    BOX(2, "tell", WORDS, FAMILY, MUST, .meaning = "what the family may be told"),
    BOX(3, "tell_not", WORDS, FAMILY, MUST, .meaning = "what the family must not be told"),
    BOX(4, "do_not_contact", NAME, FAMILY, MAY, .many = true, .meaning = "whom not to contact"),
    BOX(5, "danger", CODE, SECURITY, MAY, .codes = danger_codes,
        .meaning = "is there danger at home"),
    BOX(6, "fields", FIELDS, OF_FIELD, MAY, .meaning = "what helps to find the family"),
};
const struct rg_form_table rg_form_tracing_request = TABLE("TracingRequest", tracing_request_box);

/* 33 TRACING_RESULT */
static const struct rg_box tracing_result_found_box[] = {
    BOX(1, "name", NAME, ROW, MUST, .meaning = "name of the relative"),
    BOX(2, "relation", CODE, ROW, MUST, .codes = relation_codes, .meaning = "to the person"),
    BOX(3, "place", LINE, ROW, MAY, .meaning = "village or district"),
    BOX(4, "told", BOOL, ROW, MUST, .meaning = "was the relative told anything"),
};
static const struct rg_form_table tracing_result_found_rows =
    TABLE("Relative", tracing_result_found_box);

static const struct rg_box tracing_result_box[] = {
    BOX(1, "result", CODE, CASE, MUST, .codes = tracing_result_result_codes,
        .meaning = "what was found"),
    BOX(2, "found", ROWS, FAMILY, MAY, .rows = &tracing_result_found_rows, .max = 20,
        .meaning = "who was found"),
    BOX(3, "note", WORDS, FAMILY, MAY, .meaning = "what else was learned"),
};
const struct rg_form_table rg_form_tracing_result = TABLE("TracingResult", tracing_result_box);

/* 34 FAMILY_ASSESSMENT */
static const struct rg_box family_assessment_box[] = {
    BOX(1, "recommendation", CODE, CASE, MUST, .codes = recommendation_codes,
        .meaning = "where to"),
    BOX(2, "visited_on", DATE, FAMILY, MUST, .meaning = "day of the visit"),
    BOX(3, "willing", CODE, FAMILY, MUST, .codes = answer_codes,
        .meaning = "does the family want the person back"),
    BOX(4, "relative_involved", CODE, FAMILY, MUST, .codes = answer_codes,
        .meaning = "was a relative part of the trafficking"),
    BOX(5, "violence", CODE, FAMILY, MUST, .codes = answer_codes,
        .meaning = "is there violence at home"),
    BOX(6, "income", WORDS, FAMILY, MAY, .meaning = "how the family lives"),
    BOX(7, "school", WORDS, FAMILY, MAY, .meaning = "school or training nearby"),
    BOX(8, "services", WORDS, FAMILY, MAY, .meaning = "help nearby"),
    BOX(9, "threats", WORDS, SECURITY, MAY, .meaning = "who threatens, and how"),
    BOX(10, "assessor", PRINCIPAL, FAMILY, MUST, .meaning = "who visited"),
};
const struct rg_form_table rg_form_family_assessment =
    TABLE("FamilyAssessment", family_assessment_box);

/* 35 RISK_ASSESSMENT */
static const struct rg_box risk_assessment_areas_box[] = {
    BOX(1, "area", CODE, ROW, MUST, .codes = which_codes, .meaning = "from what"),
    BOX(2, "level", CODE, ROW, MUST, .codes = level_codes, .meaning = "how much"),
    BOX(3, "note", LINE, ROW, MAY, .meaning = "why"),
};
static const struct rg_form_table risk_assessment_areas_rows =
    TABLE("Area", risk_assessment_areas_box);

static const struct rg_box risk_assessment_box[] = {
    BOX(1, "verdict", CODE, CASE, MUST, .codes = verdict_codes, .meaning = "is return safe"),
    BOX(2, "assessed_on", DATE, CASE, MUST, .meaning = "day of the assessment"),
    BOX(3, "valid_to", DATE, CASE, MUST, .meaning = "last day, at most 90 days on"),
    BOX(4, "assessor", PRINCIPAL, CASE, MUST, .meaning = "who assessed"),
    BOX(5, "lifts", BOOL, CASE, MAY,
        .meaning =
            "opens again what a NOT_SAFE had stopped; by another officer than then, and two sign"),
    BOX(6, "areas", ROWS, SECURITY, MUST, .rows = &risk_assessment_areas_rows, .max = 8,
        .meaning = "where the risk lies"),
    BOX(7, "measures", WORDS, SECURITY, MAY, .when = "verdict=SAFE_WITH_MEASURES",
        .meaning = "what makes it safe"),
};
const struct rg_form_table rg_form_risk_assessment = TABLE("RiskAssessment", risk_assessment_box);

/* 36 BEST_INTEREST */
static const struct rg_box best_interest_options_box[] = {
    BOX(1, "option", CODE, ROW, MUST, .codes = where_codes, .meaning = "a place to live"),
    BOX(2, "finding", CODE, ROW, MUST, .codes = finding_codes, .meaning = "what was thought of it"),
};
static const struct rg_form_table best_interest_options_rows =
    TABLE("Option", best_interest_options_box);

static const struct rg_box best_interest_box[] = {
    BOX(1, "decision", CODE, CASE, MUST, .codes = decision_codes,
        .meaning = "what is best for the child"),
    BOX(2, "child_heard", BOOL, CASE, MUST, .meaning = "was the child asked"),
    BOX(3, "guardian", CODE, CASE, MUST, .codes = guardian_codes, .meaning = "who is the guardian"),
    BOX(4, "guardian_name", NAME, FAMILY, MAY,
        .when = "guardian=PARENT,RELATIVE,AUTHORITY,ORGANISATION",
        .meaning = "name of the guardian"),
    BOX(5, "child_view", WORDS, FAMILY, MAY, .meaning = "what the child said"),
    BOX(6, "escort_same_day", BOOL, CASE, MUST,
        .meaning = "somebody goes with the child all the way"),
    BOX(7, "receiving_care", OFFICE, CASE, MAY, .when = "decision=RETURN",
        .meaning = "who takes care on the other side"),
    BOX(8, "options", ROWS, CASE, MUST, .rows = &best_interest_options_rows, .max = 8,
        .meaning = "what was considered"),
    BOX(9, "reasons", WORDS, FAMILY, MAY, .meaning = "why"),
    BOX(10, "reviewer", PRINCIPAL, CASE, MUST, .meaning = "who decided"),
    BOX(11, "valid_to", DATE, CASE, MUST, .meaning = "last day on which it may be used"),
};
const struct rg_form_table rg_form_best_interest = TABLE("BestInterest", best_interest_box);

/* 37 TRAVEL_DOC_REQUEST */
static const struct rg_box travel_doc_request_box[] = {
    BOX(1, "consent", ID, CASE, MUST, .meaning = "the consent record with RETURN"),
    BOX(2, "point", POINT, CASE, MUST, .meaning = "where the border is to be crossed"),
    BOX(3, "needed_by", DATE, CASE, MAY, .meaning = "when it is needed"),
    BOX(4, "photo_ref", REFERENCE, IDENTITY, MUST, .meaning = "where the photograph is kept"),
    BOX(5, "fields", FIELDS, OF_FIELD, MAY, .meaning = "what the document needs"),
};
const struct rg_form_table rg_form_travel_doc_request =
    TABLE("TravelDocRequest", travel_doc_request_box);

/* 38 TRAVEL_DOC_RESULT */
static const struct rg_box travel_doc_result_box[] = {
    BOX(1, "result", CODE, CASE, MUST, .codes = travel_doc_result_result_codes,
        .meaning = "what was done"),
    BOX(2, "document", CODE, IDENTITY, MAY, .codes = document_codes, .when = "result=ISSUED",
        .meaning = "kind of paper"),
    BOX(3, "last_four", LINE, IDENTITY, MAY, .max = 4, .when = "result=ISSUED",
        .meaning = "its last four characters"),
    BOX(4, "valid_to", DATE, CASE, MAY, .when = "result=ISSUED,LIST_ENTRY",
        .meaning = "last day of the paper or entry"),
    BOX(5, "collect_at", LINE, IDENTITY, MAY, .when = "result=ISSUED",
        .meaning = "where it is collected"),
    BOX(6, "list_ref", REFERENCE, IDENTITY, MAY, .when = "result=LIST_ENTRY",
        .meaning = "number of the entry"),
    BOX(7, "refusal", CODE, CASE, MAY, .codes = refusal_codes, .when = "result=REFUSED",
        .meaning = "why"),
    BOX(8, "text", WORDS, IDENTITY, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_travel_doc_result =
    TABLE("TravelDocResult", travel_doc_result_box);

/* 39 HEALTH_SUMMARY */
static const struct rg_box health_summary_box[] = {
    BOX(1, "fit_to_travel", CODE, CASE, MUST, .codes = fit_codes,
        .meaning = "all that the gate asks; why stands in the health section"),
    BOX(2, "needs", CODES, CASE, MAY, .codes_of = "needs",
        .meaning = "what must be provided on the way"),
    BOX(3, "valid_to", DATE, CASE, MUST, .meaning = "last day on which it may be used"),
    BOX(4, "consent", ID, CASE, MUST, .meaning = "the consent record with SHARE_HEALTH"),
    BOX(5, "conditions", WORDS, HEALTH, MAY, .when = "fit_to_travel=CONDITIONS",
        .meaning = "under which conditions"),
    BOX(6, "medicine_days", NUMBER, HEALTH, MAY, .max = 365,
        .meaning = "for how many days medicine goes with the person"),
    BOX(7, "medicine", WORDS, HEALTH, MAY, .meaning = "which"),
    BOX(8, "fields", FIELDS, HEALTH, MAY, .meaning = "what the receiving health desk needs"),
};
const struct rg_form_table rg_form_health_summary = TABLE("HealthSummary", health_summary_box);
