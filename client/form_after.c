/*
 * How it works: tables, no code. The time after a return, justice, third countries, access and
 * erasure. Numbers are those of referral.proto, for ever; a box is added at the end, a code at
 * the end of its list.
 */
#include "client/form_tables.h"

static const char *const provider_codes[] = {
    "GOVERNMENT", "ORGANISATION", "HEALTH_SERVICE", "SCHOOL", "EMPLOYER", "FAMILY", "OTHER", NULL};
static const char *const safe_codes[] = {"YES", "NO", "UNKNOWN", NULL};
static const char *const occupied_codes[] = {"SCHOOL",  "WORK",      "BOTH",
                                             "NEITHER", "NOT_KNOWN", NULL};
static const char *const state_codes[] = {"OPEN", "CLOSED", NULL};
static const char *const what_codes[] = {"THREAT",    "TRAFFICKER",  "FAMILY",    "OFFICIAL",
                                         "DETENTION", "RETALIATION", "SELF_HARM", "HEALTH",
                                         "OTHER",     NULL};
static const char *const status_codes[] = {"Closed", "ClosedReferred", NULL};
static const char *const reason_codes[] = {"REINTEGRATED",
                                           "FOLLOW_UP_ENDED",
                                           "PERSON_WISHES",
                                           "LOCAL_STAY",
                                           "RESETTLED",
                                           "NOT_A_VICTIM",
                                           "CONTACT_LOST",
                                           "DECEASED",
                                           "REFERRED_ELSEWHERE",
                                           "OTHER",
                                           NULL};
static const char *const open_items_codes[] = {"COURT",   "COMPENSATION", "PAPERS",
                                               "TRACING", "TREATMENT",    NULL};
static const char *const answer_codes[] = {"AGREE", "OBJECT", NULL};
static const char *const reopen_reason_codes[] = {"RE_TRAFFICKED", "NEW_NEED", "ERROR", "WITNESS",
                                                  NULL};
static const char *const justice_request_what_codes[] = {"STATEMENT", "LOCATE", "WITNESS_VISIT",
                                                         "SERVE_PAPERS", NULL};
static const char *const justice_reply_answer_codes[] = {"AGREES", "DECLINES", "CANNOT_BE_ASKED",
                                                         NULL};
static const char *const witness_visit_state_codes[] = {"PROPOSED", "AGREED", "REFUSED", "STOPPED",
                                                        NULL};
static const char *const remedy_notice_what_codes[] = {"COMPENSATION", "WAGES", "OTHER", NULL};
static const char *const purpose_codes[] = {"RESETTLEMENT", "FAMILY_REUNION", "ASYLUM_AUTHORITY",
                                            "SERVICES", NULL};
static const char *const age_codes[] = {"ADULT", "CHILD", NULL};
static const char *const onward_reply_answer_codes[] = {"ACCEPTED", "DECLINED", "DEPARTED",
                                                        "WITHDRAWN", NULL};
static const char *const asks_codes[] = {"ACCESS", "CORRECTION", NULL};
static const char *const class_codes[] = {"CASE",  "IDENTITY", "FAMILY", "HEALTH",
                                          "LEGAL", "SECURITY", NULL};
static const char *const erasure_order_reason_codes[] = {
    "WITHDRAWAL", "RETENTION", "DECLINED", "PERSON_ASKS", "NOT_A_VICTIM", "ERROR", NULL};
static const char *const erasure_done_what_codes[] = {"DESTROYED", "KEPT", NULL};

/* 50 REINTEGRATION_PLAN */
static const struct rg_box reintegration_plan_goals_box[] = {
    BOX(1, "type", CODE, ROW, MUST, .codes_of = "spl_Type", .meaning = "as HTCDS"),
    BOX(2, "objective", LINE, ROW, MUST, .meaning = "what is to be reached"),
    BOX(3, "provider", CODE, ROW, MUST, .codes = provider_codes,
        .meaning = "who provides it; nothing is promised without a provider and a day"),
    BOX(4, "starts", DATE, ROW, MUST, .meaning = "from"),
    BOX(5, "ends", DATE, ROW, MAY, .meaning = "to"),
};
static const struct rg_form_table reintegration_plan_goals_rows =
    TABLE("Goal", reintegration_plan_goals_box);

static const struct rg_box reintegration_plan_box[] = {
    BOX(1, "goals", ROWS, CASE, MUST, .rows = &reintegration_plan_goals_rows, .max = 20,
        .meaning = "what was agreed; nothing of health in it"),
    BOX(2, "first_visit", DATE, CASE, MUST, .meaning = "the day of the first follow-up"),
};
const struct rg_form_table rg_form_reintegration_plan =
    TABLE("ReintegrationPlan", reintegration_plan_box);

/* 51 FOLLOW_UP_REPORT */
static const struct rg_box follow_up_report_box[] = {
    BOX(1, "due_no", NUMBER, CASE, MUST, .max = 24, .meaning = "which of the agreed visits"),
    BOX(2, "visited_on", DATE, CASE, MUST, .meaning = "the day"),
    BOX(3, "seen", BOOL, CASE, MUST, .meaning = "seen in person"),
    BOX(4, "safe", CODE, CASE, MUST, .codes = safe_codes, .meaning = "is the person safe"),
    BOX(5, "occupied", CODE, CASE, MUST, .codes = occupied_codes,
        .meaning = "in school or at work"),
    BOX(6, "contact_wanted", BOOL, CASE, MUST, .meaning = "does the person want more visits"),
    BOX(7, "next_due", DATE, CASE, MAY, .meaning = "the next visit; empty: the last one"),
    BOX(8, "note", WORDS, CASE, MAY, .meaning = "what else"),
};
const struct rg_form_table rg_form_follow_up_report = TABLE("FollowUpReport", follow_up_report_box);

/* 52 SAFETY_CONCERN */
static const struct rg_box safety_concern_box[] = {
    BOX(1, "state", CODE, CASE, MUST, .codes = state_codes,
        .meaning = "a concern stops every departure until it is closed"),
    BOX(2, "concern", ID, CASE, MAY, .when = "state=CLOSED",
        .meaning = "the concern that is closed"),
    BOX(3, "kind", CODE, CASE, MUST, .codes = what_codes, .meaning = "of what kind"),
    BOX(4, "urgency", CODE, CASE, MUST, .codes_of = "urgency", .meaning = "how soon"),
    BOX(5, "asked", WORDS, SECURITY, MUST, .meaning = "what is asked"),
    BOX(6, "do_not_tell", WORDS, SECURITY, MAY, .meaning = "who must not be told"),
};
const struct rg_form_table rg_form_safety_concern = TABLE("SafetyConcern", safety_concern_box);

/* 53 CLOSURE */
static const struct rg_box closure_box[] = {
    BOX(1, "status", CODE, CASE, MUST, .codes = status_codes, .meaning = "as HTCDS"),
    BOX(2, "reason", CODE, CASE, MUST, .codes = reason_codes, .meaning = "why"),
    BOX(3, "open_items", CODES, CASE, MAY, .codes = open_items_codes,
        .meaning = "what stays open; empty: nothing"),
    BOX(4, "text", WORDS, CASE, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_closure = TABLE("Closure", closure_box);

/* 54 CLOSURE_REPLY */
static const struct rg_box closure_reply_box[] = {
    BOX(1, "answer", CODE, CASE, MUST, .codes = answer_codes, .meaning = "yes or no"),
    BOX(2, "reason", WORDS, CASE, MAY, .when = "answer=OBJECT", .meaning = "why not"),
};
const struct rg_form_table rg_form_closure_reply = TABLE("ClosureReply", closure_reply_box);

/* 55 REOPEN */
static const struct rg_box reopen_box[] = {
    BOX(1, "reason", CODE, CASE, MUST, .codes = reopen_reason_codes, .meaning = "why"),
    BOX(2, "text", WORDS, CASE, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_reopen = TABLE("Reopen", reopen_box);

/* 60 JUSTICE_REQUEST */
static const struct rg_box justice_request_box[] = {
    BOX(1, "consent", ID, CASE, MUST, .meaning = "the consent record with SHARE_LEGAL"),
    BOX(2, "witness_until", DATE, CASE, MAY,
        .meaning = "needed as a witness until; holds a return back unless the person lifts it"),
    BOX(3, "kind", CODE, LEGAL, MUST, .codes = justice_request_what_codes,
        .meaning = "what is asked"),
    BOX(4, "protection", WORDS, LEGAL, MUST,
        .meaning = "what protection is offered; help never depends on the answer"),
    BOX(5, "proceedings", LINE, LEGAL, MAY, .meaning = "which proceedings"),
    BOX(6, "needed_by", DATE, LEGAL, MAY, .meaning = "until when"),
};
const struct rg_form_table rg_form_justice_request = TABLE("JusticeRequest", justice_request_box);

/* 61 JUSTICE_REPLY */
static const struct rg_box justice_reply_box[] = {
    BOX(1, "answer", CODE, CASE, MUST, .codes = justice_reply_answer_codes,
        .meaning = "what the person says"),
    BOX(2, "may_return", BOOL, CASE, MAY,
        .meaning = "the person chose to return first, and justice agrees"),
    BOX(3, "witness_until", DATE, CASE, MAY, .meaning = "needed as a witness until"),
    BOX(4, "conditions", WORDS, LEGAL, MAY, .meaning = "under which conditions"),
};
const struct rg_form_table rg_form_justice_reply = TABLE("JusticeReply", justice_reply_box);

/* 62 WITNESS_VISIT */
static const struct rg_box witness_visit_box[] = {
    BOX(1, "state", CODE, CASE, MUST, .codes = witness_visit_state_codes,
        .meaning = "a visit needs the yes of both sides"),
    BOX(2, "right_to_stop", BOOL, CASE, MUST,
        .meaning = "the person was told that she may stop at any time"),
    BOX(3, "out_on", DATE, SECURITY, MUST, .meaning = "the day of going"),
    BOX(4, "back_on", DATE, SECURITY, MUST, .meaning = "the day of coming back"),
    BOX(5, "point", POINT, SECURITY, MUST, .meaning = "where the border is crossed"),
    BOX(6, "escort", LINE, SECURITY, MUST, .meaning = "who goes with the person"),
    BOX(7, "lodging", LINE, SECURITY, MUST, .meaning = "where the person stays"),
};
const struct rg_form_table rg_form_witness_visit = TABLE("WitnessVisit", witness_visit_box);

/* 63 REMEDY_NOTICE */
static const struct rg_box remedy_notice_box[] = {
    BOX(1, "consent_to_be_found", BOOL, CASE, MUST,
        .meaning = "does the person agree to be looked for"),
    BOX(2, "consent", ID, CASE, MAY, .when = "consent_to_be_found=true",
        .meaning = "the consent record with SHARE_LEGAL"),
    BOX(3, "kind", CODE, LEGAL, MUST, .codes = remedy_notice_what_codes, .meaning = "what it is"),
    BOX(4, "amount", AMOUNT, LEGAL, MUST, .meaning = "how much"),
    BOX(5, "currency", CURRENCY, LEGAL, MUST, .meaning = "in which currency"),
    BOX(6, "collect", WORDS, LEGAL, MUST, .meaning = "how to collect it"),
    BOX(7, "until", DATE, LEGAL, MAY, .meaning = "until when"),
};
const struct rg_form_table rg_form_remedy_notice = TABLE("RemedyNotice", remedy_notice_box);

/* 70 ONWARD_REFERRAL */
static const struct rg_box onward_referral_box[] = {
    BOX(1, "purpose", CODE, CASE, MUST, .codes = purpose_codes, .meaning = "what for"),
    BOX(2, "consent", ID, CASE, MAY,
        .meaning = "the consent record with ONWARD_THIRD_COUNTRY, where the partner has one; the "
                   "library asks for the consent itself whatever stands here"),
    BOX(3, "origin_excluded", BOOL, CASE, MUST,
        .meaning = "the country of origin must not learn of it"),
    BOX(4, "age", CODE, CASE, MUST, .codes = age_codes, .meaning = "child also when uncertain"),
    BOX(5, "sex", CODE, CASE, MUST, .codes_of = "prs_Gender", .meaning = "as HTCDS"),
    BOX(6, "needs", CODES, CASE, MAY, .codes_of = "needs", .meaning = "what must be provided"),
    BOX(7, "fields", FIELDS, OF_FIELD, MAY, .meaning = "what the partner needs, as consented to"),
};
const struct rg_form_table rg_form_onward_referral = TABLE("OnwardReferral", onward_referral_box);

/* 71 ONWARD_REPLY */
static const struct rg_box onward_reply_box[] = {
    BOX(1, "answer", CODE, CASE, MUST, .codes = onward_reply_answer_codes,
        .meaning = "what became of it"),
    BOX(2, "on", DATE, CASE, MAY, .meaning = "the day"),
    BOX(3, "text", WORDS, CASE, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_onward_reply = TABLE("OnwardReply", onward_reply_box);

/* 80 ACCESS_OR_CORRECTION */
static const struct rg_box access_or_correction_changes_box[] = {
    BOX(1, "field", FIELD, ROW, MUST, .meaning = "name of the field"),
    BOX(2, "value", VALUE, ROW, MAY, .meaning = "the right value; empty: only asked about"),
};
static const struct rg_form_table access_or_correction_changes_rows =
    TABLE("Change", access_or_correction_changes_box);

static const struct rg_box access_or_correction_box[] = {
    BOX(1, "asks", CODE, CASE, MUST, .codes = asks_codes, .meaning = "what the person asks"),
    BOX(2, "changes", ROWS, OF_FIELD, MAY, .rows = &access_or_correction_changes_rows,
        .meaning = "the fields concerned, each in the section of its class"),
    BOX(3, "text", WORDS, CASE, MAY, .meaning = "in the person's words; names nobody"),
};
const struct rg_form_table rg_form_access_or_correction =
    TABLE("AccessOrCorrection", access_or_correction_box);

/* 82 ERASURE_ORDER */
static const struct rg_box erasure_order_box[] = {
    BOX(1, "classes", CODES, CASE, MUST, .codes = class_codes, .meaning = "what is to be erased"),
    BOX(2, "reason", CODE, CASE, MUST, .codes = erasure_order_reason_codes, .meaning = "why"),
};
const struct rg_form_table rg_form_erasure_order = TABLE("ErasureOrder", erasure_order_box);

/* 83 ERASURE_DONE */
static const struct rg_box erasure_done_done_box[] = {
    BOX(1, "class", CODE, ROW, MUST, .codes = class_codes, .meaning = "which class"),
    BOX(2, "done", CODE, ROW, MUST, .codes = erasure_done_what_codes,
        .meaning = "are its keys gone"),
    BOX(3, "basis", LINE, ROW, MAY, .when = "done=KEPT",
        .meaning = "the legal basis of keeping it"),
    BOX(4, "until", DATE, ROW, MAY, .when = "done=KEPT", .meaning = "until when it is kept"),
};
static const struct rg_form_table erasure_done_done_rows = TABLE("Done", erasure_done_done_box);

static const struct rg_box erasure_done_box[] = {
    BOX(1, "done", ROWS, CASE, MUST, .rows = &erasure_done_done_rows, .max = 6,
        .meaning = "class by class"),
    BOX(2, "backups_unreadable_by", DATE, CASE, MUST,
        .meaning = "the day from which copies in backups cannot be read either"),
};
const struct rg_form_table rg_form_erasure_done = TABLE("ErasureDone", erasure_done_box);

/* 84 BREACH_NOTICE */
static const struct rg_box breach_notice_box[] = {
    BOX(1, "classes", CODES, CASE, MUST, .codes = class_codes,
        .meaning = "what may have been seen"),
    BOX(2, "since", TIME, CASE, MUST, .meaning = "since when"),
    BOX(3, "whom", WORDS, SECURITY, MUST, .meaning = "whom it concerns, and who may have seen it"),
    BOX(4, "actions", WORDS, SECURITY, MUST,
        .meaning = "what was done, and what the other side should do"),
};
const struct rg_form_table rg_form_breach_notice = TABLE("BreachNotice", breach_notice_box);

/* 90 DESK_DRAFT */
static const struct rg_box desk_draft_box[] = {
    BOX(1, "kind", NUMBER, CASE, MUST, .max = 99, .meaning = "the kind of the message to be"),
    BOX(2, "to_country", COUNTRY, CASE, MUST, .meaning = "where it is to go"),
};
const struct rg_form_table rg_form_desk_draft = TABLE("DeskDraft", desk_draft_box);

/* 91 DESK_COPY */
static const struct rg_box forwarded_box[] = {
    BOX(1, "index", NUMBER, CASE, MUST, .max = 15,
        .meaning = "place of the section in the message it came in"),
};
const struct rg_form_table rg_form_forwarded = TABLE("Forwarded", forwarded_box);

/* 92 COUNTERSIGN_REQUEST */
const struct rg_form_table rg_form_countersign_request = {.name = "CountersignRequest"};

/* 93 PROTECTION_NOTICE */
static const struct rg_box protection_notice_box[] = {
    BOX(1, "open", BOOL, CASE, MAY, .meaning = "a claim for protection is open"),
    BOX(2, "host", COUNTRY, CASE, MUST, .meaning = "where the person is"),
    BOX(3, "origin", COUNTRY, CASE, MUST, .meaning = "the other country of the case"),
    BOX(4, "reference", LINE, CASE, MAY, .meaning = "the office's own number of the case"),
    BOX(5, "shut_out", LINE, SECURITY, MAY,
        .meaning = "who must not learn of the case, as in its exclusion list"),
};
const struct rg_form_table rg_form_protection_notice =
    TABLE("ProtectionNotice", protection_notice_box);
