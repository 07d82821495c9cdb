/*
 * How it works: tables, no code. The messages before a return: receipts, notices, referral,
 * information, consent. Numbers are those of referral.proto, for ever; a box is added at the end,
 * a code at the end of its list.
 */
#include "client/form_tables.h"

static const char *const status_codes[] = {"STORED", "DUPLICATE", "EXPIRED", "UNKNOWN_KEY", NULL};
static const char *const code_codes[] = {"UNKNOWN_KIND", "MALFORMED",       "WRONG_STATE",
                                         "NOT_ALLOWED",  "MISSING_BOX",     "UNKNOWN_CODE",
                                         "TOO_LONG",     "ALREADY_DECIDED", NULL};
static const char *const subject_codes[] = {
    "LAW_CHANGED", "NEW_PROCEDURE", "GATE_CLOSED", "GATE_OPEN",
    "HOTLINE",     "INFORMATION",   "OTHER",       NULL};
static const char *const age_codes[] = {"ADULT", "CHILD", NULL};
static const char *const decline_code_codes[] = {
    "NOT_OUR_NATIONAL", "NO_CAPACITY",          "UNSAFE_HERE",    "CONSENT_MISSING", "INCOMPLETE",
    "DUPLICATE_OF",     "CONFLICT_OF_INTEREST", "NO_LEGAL_BASIS", "OTHER",           NULL};
static const char *const state_codes[] = {"VALUE", "UNKNOWN", "REFUSED_BY_PERSON", "WITHHELD",
                                          NULL};
static const char *const cancel_code_codes[] = {"PERSON_CHOSE_TO_STAY",
                                                "LEFT_SHELTER",
                                                "DUPLICATE",
                                                "FOUND_OTHER_NATIONALITY",
                                                "DECEASED",
                                                "ERROR",
                                                NULL};
static const char *const class_codes[] = {"CASE",  "IDENTITY", "FAMILY", "HEALTH",
                                          "LEGAL", "SECURITY", NULL};
static const char *const assent_codes[] = {"YES", "NO", "TOO_YOUNG", NULL};
static const char *const informed_codes[] = {"INTERVIEW", "PURPOSE",   "USE",        "RESEARCH",
                                             "OWN_DATA",  "RETENTION", "WITHDRAWAL", NULL};
static const char *const purposes_codes[] = {"RETURN",  "TRACING", "SERVICES",   "FAMILY_REUNION",
                                             "JUSTICE", "ONWARD",  "STATISTICS", NULL};
static const char *const what_codes[] = {"STOPPED", "KEYS_DESTROYED", "KEPT", NULL};

/* 1 RECEIPT */
static const struct rg_box receipt_box[] = {
    BOX(1, "message", ID, CASE, MUST, .meaning = "the message that arrived"),
    BOX(2, "hash", ID, CASE, MAY, .meaning = "SHA-256 of what is stored"),
    BOX(3, "stored_at", TIME, CASE, MAY, .meaning = "when it was stored"),
    BOX(4, "status", CODE, CASE, MUST, .codes = status_codes, .meaning = "what became of it"),
};
const struct rg_form_table rg_form_receipt = TABLE("Receipt", receipt_box);

/* 2 TECH_REJECT */
static const struct rg_box tech_reject_box[] = {
    BOX(1, "message", ID, CASE, MUST, .meaning = "the message that cannot be processed"),
    BOX(2, "code", CODE, CASE, MUST, .codes = code_codes, .meaning = "why"),
    BOX(3, "path", LINE, CASE, MAY, .max = 128,
        .meaning = "the box, as areas.level; never its value"),
};
const struct rg_form_table rg_form_tech_reject = TABLE("TechReject", tech_reject_box);

/* 3 DIRECTORY_UPDATE */
static const struct rg_box directory_update_box[] = {
    BOX(1, "desk", OFFICE, CASE, MUST, .meaning = "whose key it is"),
    BOX(2, "key", ID, CASE, MUST, .meaning = "SHA-256 of the certificate or key card"),
    BOX(3, "valid_from", DATE, CASE, MUST, .meaning = "first day"),
    BOX(4, "valid_to", DATE, CASE, MAY, .meaning = "last day"),
    BOX(5, "revoked", BOOL, CASE, MUST, .meaning = "no longer to be used"),
};
const struct rg_form_table rg_form_directory_update =
    TABLE("DirectoryUpdate", directory_update_box);

/* 4 PROCEDURE_NOTICE */
static const struct rg_box procedure_notice_texts_box[] = {
    BOX(1, "language", LANGUAGE, ROW, MUST, .meaning = "language of this text"),
    BOX(2, "title", LINE, ROW, MUST, .meaning = "one line"),
    BOX(3, "text", WORDS, ROW, MUST, .meaning = "what people should know"),
};
static const struct rg_form_table procedure_notice_texts_rows =
    TABLE("Text", procedure_notice_texts_box);

static const struct rg_box procedure_notice_box[] = {
    BOX(1, "subject", CODE, CASE, MUST, .codes = subject_codes, .meaning = "what it is about"),
    BOX(2, "country", COUNTRY, CASE, MUST, .meaning = "where it holds"),
    BOX(3, "point", POINT, CASE, MAY, .when = "subject=GATE_CLOSED,GATE_OPEN",
        .meaning = "the handover point concerned"),
    BOX(4, "valid_from", DATE, CASE, MUST, .meaning = "first day"),
    BOX(5, "valid_to", DATE, CASE, MAY, .meaning = "last day; empty: until replaced"),
    BOX(6, "replaces", ID, CASE, MAY, .meaning = "the notice that this one replaces"),
    BOX(7, "texts", ROWS, CASE, MUST, .rows = &procedure_notice_texts_rows, .max = 12,
        .meaning = "the notice, once per language"),
};
const struct rg_form_table rg_form_procedure_notice =
    TABLE("ProcedureNotice", procedure_notice_box);

/* 10 IDENTIFICATION_NOTICE */
static const struct rg_box identification_notice_box[] = {
    BOX(1, "sex", CODE, CASE, MUST, .codes_of = "prs_Gender", .meaning = "as HTCDS"),
    BOX(2, "age", CODE, CASE, MUST, .codes = age_codes, .meaning = "child also when uncertain"),
    BOX(3, "identified", MONTH, CASE, MUST, .meaning = "month of the identification"),
    BOX(4, "decided_by", CODE, CASE, MUST, .codes_of = "vic_TraffickingStatusDecisionMakingOrg",
        .meaning = "who identified"),
    BOX(5, "status", CODE, CASE, MUST, .codes_of = "vic_TraffickingStatus",
        .meaning = "possible or actual victim"),
    BOX(6, "non_objection", REFERENCE, CASE, MUST,
        .meaning =
            "where it is recorded that the person does not object; without it nobody is told"),
};
const struct rg_form_table rg_form_identification_notice =
    TABLE("IdentificationNotice", identification_notice_box);

/* 11 REFERRAL_REQUEST */
static const struct rg_box preview_box[] = {
    BOX(1, "reason", CODE, CASE, MUST, .codes_of = "referral_reason", .meaning = "what is asked"),
    BOX(2, "age", CODE, CASE, MUST, .codes = age_codes, .meaning = "child also when uncertain"),
    BOX(3, "sex", CODE, CASE, MUST, .codes_of = "prs_Gender", .meaning = "as HTCDS"),
    BOX(4, "language", LINE, CASE, MAY, .max = 3, .meaning = "ISO 639-2, as lao"),
    BOX(5, "needs", CODES, CASE, MAY, .codes_of = "needs", .meaning = "what must be provided"),
    BOX(6, "urgency", CODE, CASE, MUST, .codes_of = "urgency", .meaning = "how soon"),
    BOX(7, "expected_month", MONTH, CASE, MAY, .meaning = "when a return is thought of"),
    BOX(8, "consent_scopes", CODES, CASE, MUST, .codes_of = "consent_scopes",
        .meaning = "what the person agreed to"),
    BOX(9, "consent_given_by", CODE, CASE, MUST, .codes_of = "consent_given_by",
        .meaning = "who agreed"),
    BOX(10, "consent_expires", DATE, CASE, MUST, .meaning = "last day of the consent"),
};
const struct rg_form_table rg_form_preview = TABLE("Preview", preview_box);

/* 12 REFERRAL_ACCEPT */
static const struct rg_box accept_box[] = {
    BOX(1, "desk", OFFICE, CASE, MUST, .meaning = "the responsible desk"),
    BOX(2, "contact_route", WORDS, CASE, MUST, .meaning = "how to reach it"),
    BOX(3, "next_steps", WORDS, CASE, MUST, .meaning = "what happens now"),
};
const struct rg_form_table rg_form_accept = TABLE("Accept", accept_box);

/* 13 REFERRAL_DECLINE */
static const struct rg_box decline_box[] = {
    BOX(1, "code", CODE, CASE, MUST, .codes = decline_code_codes, .meaning = "why"),
    BOX(2, "text", WORDS, CASE, MAY, .when = "code=OTHER", .meaning = "the reason in words"),
    BOX(3, "suggested_party", OFFICE, CASE, MAY, .meaning = "an office that may help"),
};
const struct rg_form_table rg_form_decline = TABLE("Decline", decline_box);

/* 14 INFO_REQUEST */
static const struct rg_box info_request_asked_box[] = {
    BOX(1, "field", FIELD, ROW, MUST, .meaning = "name of the field"),
    BOX(2, "reason", LINE, ROW, MUST, .meaning = "why it is needed"),
};
static const struct rg_form_table info_request_asked_rows = TABLE("Asked", info_request_asked_box);

static const struct rg_box info_request_box[] = {
    BOX(1, "asked", ROWS, OF_FIELD, MUST, .rows = &info_request_asked_rows,
        .meaning = "the fields asked for, each in the section of its class"),
    BOX(2, "question", WORDS, CASE, MAY, .meaning = "what no field holds; names nobody"),
};
const struct rg_form_table rg_form_info_request = TABLE("InfoRequest", info_request_box);

/* 15 INFO_RESPONSE */
static const struct rg_box info_response_answers_box[] = {
    BOX(1, "field", FIELD, ROW, MUST, .meaning = "name of the field"),
    BOX(2, "state", CODE, ROW, MUST, .codes = state_codes,
        .meaning = "a refusal by the person is an answer"),
    BOX(3, "value", VALUE, ROW, MAY, .when = "state=VALUE", .meaning = "the value"),
    BOX(4, "reason", LINE, ROW, MAY, .when = "state=WITHHELD", .meaning = "why it is withheld"),
};
static const struct rg_form_table info_response_answers_rows =
    TABLE("Answer", info_response_answers_box);

static const struct rg_box info_response_box[] = {
    BOX(1, "answers", ROWS, OF_FIELD, MUST, .rows = &info_response_answers_rows,
        .meaning = "one row per field asked for, each in the section of its class"),
    BOX(2, "answer", WORDS, CASE, MAY, .meaning = "to the question in words"),
};
const struct rg_form_table rg_form_info_response = TABLE("InfoResponse", info_response_box);

/* 16 REFERRAL_CANCEL */
static const struct rg_box cancel_box[] = {
    BOX(1, "code", CODE, CASE, MUST, .codes = cancel_code_codes, .meaning = "why"),
    BOX(2, "text", WORDS, CASE, MAY, .meaning = "the reason in words"),
};
const struct rg_form_table rg_form_cancel = TABLE("Cancel", cancel_box);

/* 17 REFERRAL_DETAILS */
static const struct rg_box details_box[] = {
    BOX(1, "fields", FIELDS, OF_FIELD, MAY, .meaning = "all that is known and consented to"),
};
const struct rg_form_table rg_form_details = TABLE("Details", details_box);

/* 18 ACKNOWLEDGEMENT */
static const struct rg_box acknowledgement_box[] = {
    BOX(1, "opened_id", ID, CASE, MUST, .meaning = "the message that was opened"),
    BOX(2, "opened", TIME, CASE, MUST, .meaning = "when, by the opener's clock"),
};
const struct rg_form_table rg_form_acknowledgement = TABLE("Acknowledgement", acknowledgement_box);

/* 19 REFERRAL_PROPOSAL */
static const struct rg_box proposal_box[] = {
    BOX(1, "origin_country", COUNTRY, CASE, MUST, .meaning = "where it is to go"),
    BOX(2, "case_ref", REFERENCE, CASE, MUST, .meaning = "the office's own number"),
    BOX(3, "reason", CODE, CASE, MUST, .codes_of = "referral_reason", .meaning = "what is asked"),
    BOX(4, "age", CODE, CASE, MUST, .codes = age_codes, .meaning = "child also when uncertain"),
    BOX(5, "sex", CODE, CASE, MUST, .codes_of = "prs_Gender", .meaning = "as HTCDS"),
    BOX(6, "urgency", CODE, CASE, MUST, .codes_of = "urgency", .meaning = "how soon"),
    BOX(7, "fields", FIELDS, OF_FIELD, MAY, .meaning = "all that is known and consented to"),
};
const struct rg_form_table rg_form_proposal = TABLE("Proposal", proposal_box);

/* 20 CONSENT_RECORD */
static const struct rg_box consent_record_box[] = {
    BOX(1, "scopes", CODES, CASE, MUST, .codes_of = "consent_scopes",
        .meaning = "what the person agreed to"),
    BOX(2, "purpose", WORDS, CASE, MUST,
        .meaning = "for what, in words that the person used or heard"),
    BOX(3, "countries", COUNTRY, CASE, MUST, .many = true,
        .meaning = "the countries that may receive it"),
    BOX(4, "desks", OFFICE, CASE, MAY, .many = true,
        .meaning = "the desks that may receive it; empty: as the classes allow"),
    BOX(5, "classes", CODES, CASE, MUST, .codes = class_codes, .meaning = "which classes"),
    BOX(6, "given_by", CODE, CASE, MUST, .codes_of = "consent_given_by", .meaning = "who agreed"),
    BOX(7, "assent", CODE, CASE, MAY, .codes = assent_codes, .when = "given_by=guardian",
        .meaning = "what the child said"),
    BOX(8, "method", CODE, CASE, MUST, .codes_of = "consent_method", .meaning = "how it was given"),
    BOX(9, "language", LANGUAGE, CASE, MUST, .meaning = "language of the talk"),
    BOX(10, "interpreter", BOOL, CASE, MUST, .meaning = "was there an interpreter"),
    BOX(11, "interpreter_ref", REFERENCE, CASE, MAY, .when = "interpreter=true",
        .meaning = "the office's own number for the interpreter"),
    BOX(12, "informed", CODES, CASE, MUST, .codes = informed_codes,
        .meaning = "what the person was told, the seven items of HTCDS"),
    BOX(13, "given_on", DATE, CASE, MUST, .meaning = "the day"),
    BOX(14, "expires_on", DATE, CASE, MUST, .meaning = "the last day on which it holds"),
    BOX(15, "evidence_ref", REFERENCE, CASE, MUST,
        .meaning = "where the paper or recording is kept"),
    BOX(16, "replaces", ID, CASE, MAY, .meaning = "the consent that this one replaces"),
    BOX(17, "purposes", CODES, CASE, MAY, .codes = purposes_codes,
        .meaning =
            "the same purpose in codes, which the library holds to; empty: as the scopes and "
            "the reason of the referral say"),
};
const struct rg_form_table rg_form_consent_record = TABLE("ConsentRecord", consent_record_box);

/* 21 CONSENT_WITHDRAWN */
static const struct rg_box consent_withdrawn_box[] = {
    BOX(1, "scopes", CODES, CASE, MUST, .codes_of = "consent_scopes",
        .meaning = "what no longer holds"),
    BOX(2, "wants_erasure", BOOL, CASE, MUST, .meaning = "is what was sent to be erased"),
    BOX(3, "effective", TIME, CASE, MUST, .meaning = "from when; the moment it was said"),
    BOX(4, "said_by", CODE, CASE, MUST, .codes_of = "consent_given_by",
        .meaning = "who took it back"),
};
const struct rg_form_table rg_form_consent_withdrawn =
    TABLE("ConsentWithdrawn", consent_withdrawn_box);

/* 22 WITHDRAWAL_ACK */
static const struct rg_box withdrawal_ack_done_box[] = {
    BOX(1, "class", CODE, ROW, MUST, .codes = class_codes, .meaning = "which class"),
    BOX(2, "done", CODE, ROW, MUST, .codes = what_codes, .meaning = "what was done"),
    BOX(3, "basis", LINE, ROW, MAY, .when = "done=KEPT",
        .meaning = "the legal basis of keeping it"),
    BOX(4, "until", DATE, ROW, MAY, .when = "done=KEPT", .meaning = "until when it is kept"),
};
static const struct rg_form_table withdrawal_ack_done_rows = TABLE("Done", withdrawal_ack_done_box);

static const struct rg_box withdrawal_ack_box[] = {
    BOX(1, "done", ROWS, CASE, MUST, .rows = &withdrawal_ack_done_rows, .max = 12,
        .meaning = "what was done, class by class"),
};
const struct rg_form_table rg_form_withdrawal_ack = TABLE("WithdrawalAck", withdrawal_ack_box);
