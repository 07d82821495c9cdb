/*
 * NAME
 *   form_tables - how the tables of boxes are written, and their names
 *
 * DESCRIPTION
 *   For form_*.c, which hold the tables, and message*.c, which tie them to the kinds and to
 * referral.proto. The struct kinds (11, 12, 13, 17, 18, 19, 90, 91, 92) have a table too: it says
 * what they hold, for the docs and the templates, and does not drive the wire.
 */
#ifndef RG_CLIENT_FORM_TABLES_H
#define RG_CLIENT_FORM_TABLES_H

#include "client/form.h"

#define RG_BOX_CLASS_CASE RG_CLASS_CASE
#define RG_BOX_CLASS_IDENTITY RG_CLASS_IDENTITY
#define RG_BOX_CLASS_FAMILY RG_CLASS_FAMILY
#define RG_BOX_CLASS_HEALTH RG_CLASS_HEALTH
#define RG_BOX_CLASS_LEGAL RG_CLASS_LEGAL
#define RG_BOX_CLASS_SECURITY RG_CLASS_SECURITY
#define RG_BOX_CLASS_OF_FIELD ((enum rg_class)0)
#define RG_BOX_CLASS_ROW ((enum rg_class)0) /* that of its list */
#define RG_BOX_MUST true
#define RG_BOX_MAY false
#define BOX(number_, name_, type_, class_name, need, ...)                                          \
    {                                                                                              \
        .number = (number_), .name = (name_), .type = RG_BOX_##type_,                              \
        .class_ = RG_BOX_CLASS_##class_name, .required = RG_BOX_##need, __VA_ARGS__                \
    }
#define TABLE(name_, boxes)                                                                        \
    {                                                                                              \
        .name = (name_), .box = (boxes), .count = sizeof(boxes) / sizeof((boxes)[0])               \
    }

/* X(kind, field of the body in Section, name), by field: the kinds whose body is a form. */
/* clang-format off */
#define RG_FORM_KINDS_LOW(X) \
    X(10, 30, identification_notice) \
    X(14, 34, info_request) \
    X(15, 35, info_response) \
    X(16, 36, cancel) \
    X(20, 40, consent_record) \
    X(21, 41, consent_withdrawn) \
    X(22, 42, withdrawal_ack) \
    X(30, 50, nationality_request) \
    X(31, 51, nationality_result) \
    X(32, 52, tracing_request) \
    X(33, 53, tracing_result) \
    X(34, 54, family_assessment) \
    X(35, 55, risk_assessment) \
    X(36, 56, best_interest) \
    X(37, 57, travel_doc_request) \
    X(38, 58, travel_doc_result) \
    X(39, 59, health_summary) \
    X(40, 60, handover_proposal) \
    X(41, 61, handover_reply) \
    X(42, 62, handover_change) \
    X(44, 64, departed) \
    X(45, 65, handover_record) \
    X(46, 66, reception_confirm) \
    X(47, 67, transit_alert) \
    X(48, 68, transit_resolved) \
    X(49, 69, emergency_return) \
    X(50, 70, reintegration_plan) \
    X(51, 71, follow_up_report) \
    X(52, 72, safety_concern) \
    X(53, 73, closure) \
    X(54, 74, closure_reply) \
    X(55, 75, reopen) \
    X(60, 80, justice_request) \
    X(61, 81, justice_reply) \
    X(62, 82, witness_visit) \
    X(63, 83, remedy_notice) \
    X(70, 90, onward_referral) \
    X(71, 91, onward_reply) \
    X(80, 100, access_or_correction) \
    X(82, 102, erasure_order) \
    X(83, 103, erasure_done) \
    X(84, 104, breach_notice)
#define RG_FORM_KINDS_HIGH(X) \
    X(93, 113, protection_notice) \
    X(1, 121, receipt) \
    X(2, 122, tech_reject) \
    X(3, 123, directory_update) \
    X(4, 124, procedure_notice)
#define RG_FORM_KINDS(X) RG_FORM_KINDS_LOW(X) RG_FORM_KINDS_HIGH(X)
/* clang-format on */

extern const struct rg_form_table rg_form_receipt;
extern const struct rg_form_table rg_form_tech_reject;
extern const struct rg_form_table rg_form_directory_update;
extern const struct rg_form_table rg_form_procedure_notice;
extern const struct rg_form_table rg_form_identification_notice;
extern const struct rg_form_table rg_form_preview;
extern const struct rg_form_table rg_form_accept;
extern const struct rg_form_table rg_form_decline;
extern const struct rg_form_table rg_form_info_request;
extern const struct rg_form_table rg_form_info_response;
extern const struct rg_form_table rg_form_cancel;
extern const struct rg_form_table rg_form_details;
extern const struct rg_form_table rg_form_acknowledgement;
extern const struct rg_form_table rg_form_proposal;
extern const struct rg_form_table rg_form_consent_record;
extern const struct rg_form_table rg_form_consent_withdrawn;
extern const struct rg_form_table rg_form_withdrawal_ack;
extern const struct rg_form_table rg_form_nationality_request;
extern const struct rg_form_table rg_form_nationality_result;
extern const struct rg_form_table rg_form_tracing_request;
extern const struct rg_form_table rg_form_tracing_result;
extern const struct rg_form_table rg_form_family_assessment;
extern const struct rg_form_table rg_form_risk_assessment;
extern const struct rg_form_table rg_form_best_interest;
extern const struct rg_form_table rg_form_travel_doc_request;
extern const struct rg_form_table rg_form_travel_doc_result;
extern const struct rg_form_table rg_form_health_summary;
extern const struct rg_form_table rg_form_handover_proposal;
extern const struct rg_form_table rg_form_handover_reply;
extern const struct rg_form_table rg_form_handover_change;
extern const struct rg_form_table rg_form_departed;
extern const struct rg_form_table rg_form_handover_record;
extern const struct rg_form_table rg_form_reception_confirm;
extern const struct rg_form_table rg_form_transit_alert;
extern const struct rg_form_table rg_form_transit_resolved;
extern const struct rg_form_table rg_form_emergency_return;
extern const struct rg_form_table rg_form_reintegration_plan;
extern const struct rg_form_table rg_form_follow_up_report;
extern const struct rg_form_table rg_form_safety_concern;
extern const struct rg_form_table rg_form_closure;
extern const struct rg_form_table rg_form_closure_reply;
extern const struct rg_form_table rg_form_reopen;
extern const struct rg_form_table rg_form_justice_request;
extern const struct rg_form_table rg_form_justice_reply;
extern const struct rg_form_table rg_form_witness_visit;
extern const struct rg_form_table rg_form_remedy_notice;
extern const struct rg_form_table rg_form_onward_referral;
extern const struct rg_form_table rg_form_onward_reply;
extern const struct rg_form_table rg_form_access_or_correction;
extern const struct rg_form_table rg_form_erasure_order;
extern const struct rg_form_table rg_form_erasure_done;
extern const struct rg_form_table rg_form_breach_notice;
extern const struct rg_form_table rg_form_protection_notice;
extern const struct rg_form_table rg_form_desk_draft;
extern const struct rg_form_table rg_form_forwarded;
extern const struct rg_form_table rg_form_countersign_request;

#endif
