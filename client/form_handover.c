/*
 * How it works: tables, no code. The way over the border: proposal, departure, handover,
 * reception, alerts. Numbers are those of referral.proto, for ever; a box is added at the end, a
 * code at the end of its list.
 */
#include "client/form_tables.h"

static const char *const vehicle_codes[] = {"CAR",   "MINIBUS",  "BUS",     "AMBULANCE", "BOAT",
                                            "TRAIN", "AIRCRAFT", "ON_FOOT", "OTHER",     NULL};
static const char *const answer_codes[] = {"ACCEPT", "COUNTER", "REFUSE", NULL};
static const char *const refusal_codes[] = {"GATE_CLOSED", "NO_CAPACITY", "NOT_SAFE", "TOO_SHORT",
                                            "NOT_CLEARED", "OTHER",       NULL};
static const char *const change_codes[] = {"POSTPONE", "CANCEL", "REMOVE_PERSON", NULL};
static const char *const cause_codes[] = {
    "CONSENT_WITHDRAWN", "CHECK_FAILED", "CHECK_STALE",  "SAFETY", "GATE_CLOSED",
    "ILLNESS",           "TRANSPORT",    "PERSON_CHOSE", "OTHER",  NULL};
static const char *const outcome_codes[] = {"PRESENT", "REFUSED_AT_GATE", "ABSENT", NULL};
static const char *const belongings_codes[] = {"ALL", "PART", "NONE", NULL};
static const char *const documents_codes[] = {"PASSED", "NONE_HELD", "HELD_BACK", NULL};
static const char *const medicine_codes[] = {"GIVEN", "NOT_NEEDED", "MISSING", NULL};
static const char *const reception_confirm_refusal_codes[] = {"NOT_THERE", "NOT_TAKEN",
                                                              "TAKEN_BY_OTHERS", "OTHER", NULL};
static const char *const what_codes[] = {"MISSING", "TAKEN",    "ACCIDENT", "ILL",
                                         "THREAT",  "DETAINED", NULL};
static const char *const result_codes[] = {"FOUND_SAFE", "FOUND_HARMED", "LEFT_BY_CHOICE",
                                           "UNRESOLVED", NULL};
static const char *const reason_codes[] = {"LIFE_DANGER", "MEDICAL",         "SHELTER_ATTACKED",
                                           "DISASTER",    "CHILD_AT_BORDER", NULL};
static const char *const skipped_codes[] = {"CONSENT",     "NATIONALITY",   "RISK_HOST",
                                            "RISK_ORIGIN", "BEST_INTEREST", "TRAVEL_DOCUMENT",
                                            "HEALTH",      "RECEPTION",     NULL};
static const char *const basis_codes[] = {"BY_CONSENT", "VITAL_INTEREST", NULL};
static const char *const age_codes[] = {"ADULT", "CHILD", NULL};

/* 40 HANDOVER_PROPOSAL */
static const struct rg_box handover_proposal_needs_totals_box[] = {
    BOX(1, "need", CODE, ROW, MUST, .codes_of = "needs", .meaning = "what"),
    BOX(2, "count", NUMBER, ROW, MUST, .max = 100, .meaning = "for how many"),
};
static const struct rg_form_table handover_proposal_needs_totals_rows =
    TABLE("Need", handover_proposal_needs_totals_box);

static const struct rg_box handover_proposal_box[] = {
    BOX(1, "cleared_on", DATE, CASE, MUST, .meaning = "the day on which the gate was found true"),
    BOX(2, "reception_desk", OFFICE, CASE, MUST, .meaning = "who is to receive the person"),
    BOX(3, "point", POINT, SECURITY, MUST, .meaning = "where"),
    BOX(4, "window_from", TIME, SECURITY, MUST, .meaning = "not before"),
    BOX(5, "window_to", TIME, SECURITY, MUST, .meaning = "not after"),
    BOX(6, "persons", NUMBER, SECURITY, MUST, .max = 100,
        .meaning = "how many travel in this movement"),
    BOX(7, "escorts", NUMBER, SECURITY, MUST, .max = 100, .meaning = "how many go with them"),
    BOX(8, "vehicle", CODE, SECURITY, MUST, .codes = vehicle_codes, .meaning = "how they travel"),
    BOX(9, "needs_totals", ROWS, SECURITY, MAY, .rows = &handover_proposal_needs_totals_rows,
        .max = 32, .meaning = "needs of the movement"),
};
const struct rg_form_table rg_form_handover_proposal =
    TABLE("HandoverProposal", handover_proposal_box);

/* 41 HANDOVER_REPLY */
static const struct rg_box handover_reply_box[] = {
    BOX(1, "answer", CODE, CASE, MUST, .codes = answer_codes,
        .meaning = "yes, another time or place, no"),
    BOX(2, "refusal", CODE, CASE, MAY, .codes = refusal_codes, .when = "answer=REFUSE",
        .meaning = "why not"),
    BOX(3, "care_desk", OFFICE, CASE, MAY, .when = "answer=ACCEPT",
        .meaning = "into whose care the person comes"),
    BOX(4, "officers", PRINCIPAL, SECURITY, MAY, .many = true, .when = "answer=ACCEPT",
        .meaning = "who stands at the point"),
    BOX(5, "point", POINT, SECURITY, MAY, .when = "answer=COUNTER", .meaning = "where instead"),
    BOX(6, "window_from", TIME, SECURITY, MAY, .when = "answer=COUNTER", .meaning = "not before"),
    BOX(7, "window_to", TIME, SECURITY, MAY, .when = "answer=COUNTER", .meaning = "not after"),
};
const struct rg_form_table rg_form_handover_reply = TABLE("HandoverReply", handover_reply_box);

/* 42 HANDOVER_CHANGE */
static const struct rg_box handover_change_box[] = {
    BOX(1, "change", CODE, CASE, MUST, .codes = change_codes,
        .meaning = "what changes for this person"),
    BOX(2, "reason", CODE, CASE, MUST, .codes = cause_codes, .meaning = "why"),
    BOX(3, "window_from", TIME, SECURITY, MAY, .when = "change=POSTPONE", .meaning = "not before"),
    BOX(4, "window_to", TIME, SECURITY, MAY, .when = "change=POSTPONE", .meaning = "not after"),
    BOX(5, "text", WORDS, SECURITY, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_handover_change = TABLE("HandoverChange", handover_change_box);

/* 44 DEPARTED */
static const struct rg_box departed_box[] = {
    BOX(1, "time", TIME, SECURITY, MUST, .meaning = "when they left"),
    BOX(2, "eta", TIME, SECURITY, MUST, .meaning = "when they should be there"),
    BOX(3, "point", POINT, SECURITY, MUST, .meaning = "where they go"),
    BOX(4, "persons", NUMBER, SECURITY, MUST, .max = 100, .meaning = "how many are on the way"),
};
const struct rg_form_table rg_form_departed = TABLE("Departed", departed_box);

/* 45 HANDOVER_RECORD */
static const struct rg_box handover_record_box[] = {
    BOX(1, "outcome", CODE, CASE, MUST, .codes = outcome_codes, .meaning = "of this person"),
    BOX(2, "point", POINT, CASE, MUST, .meaning = "where"),
    BOX(3, "time", TIME, CASE, MUST, .meaning = "when"),
    BOX(4, "giver", PRINCIPAL, CASE, MUST, .meaning = "who handed over"),
    BOX(5, "belongings", CODE, CASE, MAY, .codes = belongings_codes, .when = "outcome=PRESENT",
        .meaning = "were the person's things passed on"),
    BOX(6, "documents", CODE, CASE, MAY, .codes = documents_codes, .when = "outcome=PRESENT",
        .meaning = "were the papers passed on"),
    BOX(7, "medicine", CODE, CASE, MAY, .codes = medicine_codes, .when = "outcome=PRESENT",
        .meaning = "was the medicine passed on"),
    BOX(8, "fields", FIELDS, IDENTITY, MAY, .meaning = "the name to call, and no more"),
};
const struct rg_form_table rg_form_handover_record = TABLE("HandoverRecord", handover_record_box);

/* 46 RECEPTION_CONFIRM */
static const struct rg_box reception_confirm_box[] = {
    BOX(1, "received", BOOL, CASE, MUST, .meaning = "is the person here"),
    BOX(2, "care_desk", OFFICE, CASE, MAY, .when = "received=true",
        .meaning = "into whose care the person came"),
    BOX(3, "refusal", CODE, CASE, MAY, .codes = reception_confirm_refusal_codes,
        .when = "received=false", .meaning = "why not"),
    BOX(4, "time", TIME, CASE, MUST, .meaning = "when"),
    BOX(5, "receiver", PRINCIPAL, CASE, MUST, .meaning = "who received"),
    BOX(6, "record_hash", ID, CASE, MUST,
        .meaning = "SHA-256 of the case section of the handover record"),
};
const struct rg_form_table rg_form_reception_confirm =
    TABLE("ReceptionConfirm", reception_confirm_box);

/* 47 TRANSIT_ALERT */
static const struct rg_box transit_alert_box[] = {
    BOX(1, "kind", CODE, CASE, MUST, .codes = what_codes, .meaning = "what happened"),
    BOX(2, "last_seen_time", TIME, SECURITY, MUST, .meaning = "when last seen"),
    BOX(3, "last_seen_place", LINE, SECURITY, MUST, .meaning = "where last seen"),
    BOX(4, "asks", WORDS, SECURITY, MUST, .meaning = "what the other side should do"),
};
const struct rg_form_table rg_form_transit_alert = TABLE("TransitAlert", transit_alert_box);

/* 48 TRANSIT_RESOLVED */
static const struct rg_box transit_resolved_box[] = {
    BOX(1, "result", CODE, CASE, MUST, .codes = result_codes, .meaning = "how it ended"),
    BOX(2, "care_desk", OFFICE, CASE, MAY, .when = "result=FOUND_SAFE,FOUND_HARMED",
        .meaning = "into whose care the person came"),
    BOX(3, "found_at", TIME, SECURITY, MAY, .when = "result=FOUND_SAFE,FOUND_HARMED",
        .meaning = "when"),
    BOX(4, "place", LINE, SECURITY, MAY, .meaning = "where"),
    BOX(5, "text", WORDS, SECURITY, MAY, .meaning = "in words"),
};
const struct rg_form_table rg_form_transit_resolved =
    TABLE("TransitResolved", transit_resolved_box);

/* 49 EMERGENCY_RETURN */
static const struct rg_box emergency_return_box[] = {
    BOX(1, "reason", CODE, CASE, MUST, .codes = reason_codes, .meaning = "why at once"),
    BOX(2, "skipped", CODES, CASE, MUST, .codes = skipped_codes,
        .meaning = "the checks that are still to be done, in ten working days"),
    BOX(3, "basis", CODE, CASE, MUST, .codes = basis_codes,
        .meaning = "what allows it; a vital interest stands in the section's head"),
    BOX(4, "consent", ID, CASE, MAY, .when = "basis=BY_CONSENT",
        .meaning = "the consent record with RETURN"),
    BOX(5, "age", CODE, CASE, MUST, .codes = age_codes, .meaning = "child also when uncertain"),
    BOX(6, "needs", CODES, CASE, MAY, .codes_of = "needs", .meaning = "what must be provided"),
    BOX(7, "reception_desk", OFFICE, CASE, MUST, .meaning = "who is to receive the person"),
    BOX(8, "point", POINT, SECURITY, MUST, .meaning = "where"),
    BOX(9, "eta", TIME, SECURITY, MUST, .meaning = "when they should be there"),
    BOX(10, "fields", FIELDS, IDENTITY, MAY, .meaning = "the least by which the person is known"),
};
const struct rg_form_table rg_form_emergency_return =
    TABLE("EmergencyReturn", emergency_return_box);
