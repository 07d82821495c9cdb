/*
 * NAME
 *   htcds - the data dictionary of a case: every field, its class, its type, its code list
 *
 * SYNOPSIS
 *   row = rg_field_row(RG_FIELD_PRS_GENDER);      rg_field_find("prs_Gender", &field)
 *   rg_field_check(field, value, &normal, why)    is the value allowed; its one normal form
 *   rg_code_find(list, text) / rg_code_text(list, n)
 *
 * DESCRIPTION
 *   Fields 1 to 84 are those of the Human Trafficking Case Data Standard (HTCDS) 2.0, IOM, CC BY
 * 4.0, changes made: the three deprecated ones are read and kept, and never written;
 * RestrictsMovement and UsesChildren join the methods of control as x_ codes, XXA (stateless) and
 * XXX (unspecified) of ICAO 9303 join the countries. Fields from 200 on are ours: what HTCDS cannot
 * hold. A field's number is its name on the wire, for ever. The class decides in which sealed
 * section a field travels; there is no other switch.
 *
 *   Normal form: UTF-8 in NFC; outer blanks gone; native digits ASCII in dates, numbers, phones and
 * identifiers; codes exactly as in the list, several joined by ';' in list order without doubles
 * (read also when parted by blanks, as survey tools write them); booleans "true" or "false"; dates
 * YYYY, YYYY-MM or YYYY-MM-DD in the common era.
 *
 * ERRORS
 *   rg_field_check: RG_MALFORMED field-value; the text says what is allowed, never the value.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_HTCDS_H
#define RG_CLIENT_HTCDS_H

#include "client/text.h"

#define RG_FIELD_BYTES_MAX 4096 /* the longest value: a long text */
#define RG_NAME_BYTES_MAX 1024  /* 64 letters of Burmese can exceed 500 bytes */

/* Numbers as in referral.proto. */
enum rg_class {
    RG_CLASS_CASE = 1,
    RG_CLASS_IDENTITY,
    RG_CLASS_FAMILY,
    RG_CLASS_HEALTH,
    RG_CLASS_LEGAL,
    RG_CLASS_SECURITY,
};
#define RG_CLASS_COUNT 6
#define RG_CLASS_BIT(class_) (1u << ((unsigned)(class_)-1u))
#define RG_CLASSES_ALL ((1u << RG_CLASS_COUNT) - 1u)
const char *rg_class_name(enum rg_class class_); /* "case", "identity", ... or "unknown" */

enum rg_value_type {
    RG_TYPE_TEXT,        /* one line */
    RG_TYPE_LONG_TEXT,   /* may hold line ends */
    RG_TYPE_NAME,        /* one line, any script, never split */
    RG_TYPE_NAMES,       /* several names joined by ';' */
    RG_TYPE_REFERENCE,   /* an office's own number: letters, digits, . _ / - */
    RG_TYPE_IDENTIFIER,  /* on a paper; native digits become ASCII */
    RG_TYPE_DATE,        /* YYYY[-MM[-DD]] */
    RG_TYPE_MONTH,       /* YYYY-MM */
    RG_TYPE_NUMBER,      /* 0 to 999 */
    RG_TYPE_BOOL,        /* true, false */
    RG_TYPE_COORDINATE,  /* degrees, decimal */
    RG_TYPE_PHONE,       /* E.164 */
    RG_TYPE_EMAIL,       /* something@something */
    RG_TYPE_LANGUAGE,    /* ISO 639-2 */
    RG_TYPE_COUNTRY,     /* ISO 3166-1 alpha-2, upper case */
    RG_TYPE_CITIZENSHIP, /* several countries, or XXA, XXX */
    RG_TYPE_CODE,        /* one of the list */
    RG_TYPE_CODES,       /* several of the list */
};

/* Where a field may be. */
enum rg_field_place {
    RG_PLACE_MAY,       /* a CSV may lack the column */
    RG_PLACE_MUST,      /* a CSV needs the column (a value may still be empty) */
    RG_PLACE_MUST_HOME, /* as MUST, and never in a message */
    RG_PLACE_HOME,      /* as MAY, and never in a message */
    RG_PLACE_OLD,       /* deprecated by the standard: read with a warning, never written */
};

/* X(number, symbol, column name, class, type, code list, place) */
/* clang-format off */
#define RG_FIELDS(X) \
    X(1, ORG_NAME, "org_Name", CASE, TEXT, NONE, MAY) \
    X(2, ORG_SHIPPING_CITY, "org_ShippingCity", CASE, TEXT, NONE, MAY) \
    X(3, ORG_SHIPPING_COUNTRY, "org_ShippingCountry", CASE, COUNTRY, NONE, MAY) \
    X(4, ORG_SHIPPING_STATE, "org_ShippingState", CASE, TEXT, NONE, MAY) \
    X(5, ORG_SHIPPING_STREET, "org_ShippingStreet", CASE, TEXT, NONE, MAY) \
    X(6, ORG_SHIPPING_POSTAL_CODE, "org_ShippingPostalCode", CASE, TEXT, NONE, MAY) \
    X(7, ORG_SHIPPING_LONGITUDE, "org_ShippingLongitude", CASE, COORDINATE, NONE, MAY) \
    X(8, ORG_SHIPPING_LATITUDE, "org_ShippingLatitude", CASE, COORDINATE, NONE, MAY) \
    X(9, ORG_PHONE, "org_Phone", CASE, PHONE, NONE, MAY) \
    X(10, ORG_TYPE, "org_Type", CASE, CODE, ORG_TYPE, MAY) \
    X(11, PRS_SALUTATION, "prs_Salutation", IDENTITY, TEXT, NONE, MAY) \
    X(12, PRS_FIRST_NAME, "prs_FirstName", IDENTITY, NAME, NONE, MAY) \
    X(13, PRS_MIDDLE_NAME, "prs_MiddleName", IDENTITY, NAME, NONE, MAY) \
    X(14, PRS_SECOND_NAME, "prs_SecondName", IDENTITY, NAME, NONE, MAY) \
    X(15, PRS_BIRTHDATE, "prs_Birthdate", IDENTITY, DATE, NONE, MAY) \
    X(16, PRS_GENDER, "prs_Gender", IDENTITY, CODE, GENDER, MUST) \
    X(17, PRS_DECEASED, "prs_Deceased", IDENTITY, BOOL, NONE, MAY) \
    X(18, PRS_MARITAL_STATUS, "prs_MaritalStatus", FAMILY, CODE, MARITAL, MAY) \
    X(19, PRS_NUMBER_OF_CHILDREN, "prs_NumberOfChildren", FAMILY, NUMBER, NONE, MAY) \
    X(20, PRS_PRIMARY_LANGUAGE, "prs_PrimaryLanguage", IDENTITY, LANGUAGE, NONE, MUST) \
    X(21, PRS_SECONDARY_LANGUAGE, "prs_SecondaryLanguage", IDENTITY, LANGUAGE, NONE, MAY) \
    X(22, PRS_HIGHEST_LEVEL_OF_EDUCATION, "prs_HighestLevelOfEducation", CASE, CODE, EDUCATION, MAY) \
    X(23, PRS_CITIZENSHIP, "prs_Citizenship", IDENTITY, CITIZENSHIP, NONE, MUST) \
    X(24, PRS_IDENTITY_NUMBER, "prs_IdentityNumber", IDENTITY, IDENTIFIER, NONE, MAY) \
    X(25, PRS_TITLE, "prs_Title", CASE, TEXT, NONE, MAY) \
    X(26, PRS_EMAIL, "prs_Email", SECURITY, EMAIL, NONE, MAY) \
    X(27, PRS_HOME_PHONE, "prs_HomePhone", SECURITY, PHONE, NONE, MAY) \
    X(28, PRS_MOBILE_PHONE, "prs_MobilePhone", SECURITY, PHONE, NONE, MAY) \
    X(29, PRS_MAILING_CITY, "prs_MailingCity", SECURITY, TEXT, NONE, MAY) \
    X(30, PRS_MAILING_COUNTRY, "prs_MailingCountry", IDENTITY, COUNTRY, NONE, MAY) \
    X(31, PRS_MAILING_STATE, "prs_MailingState", SECURITY, TEXT, NONE, MAY) \
    X(32, PRS_MAILING_STREET, "prs_MailingStreet", SECURITY, TEXT, NONE, MAY) \
    X(33, PRS_MAILING_POSTAL_CODE, "prs_MailingPostalCode", SECURITY, TEXT, NONE, MAY) \
    X(34, PRS_MAILING_LONGITUDE, "prs_MailingLongitude", SECURITY, COORDINATE, NONE, MAY) \
    X(35, PRS_MAILING_LATITUDE, "prs_MailingLatitude", SECURITY, COORDINATE, NONE, MAY) \
    X(36, VIC_AGREEMENT, "vic_AgreementToManagePersonalData", CASE, BOOL, NONE, OLD) \
    X(37, VIC_TRAFFICKING_STATUS, "vic_TraffickingStatus", CASE, CODE, TRAFFICKING, MUST) \
    X(38, VIC_DECIDING_ORG, "vic_TraffickingStatusDecisionMakingOrg", LEGAL, CODE, DECIDING_ORG, MAY) \
    X(39, VIC_RELATIONSHIP_TO_TRAFFICKER, "vic_RelationshipToTrafficker", SECURITY, CODE, RELATIONSHIP, MAY) \
    X(40, VIC_AGE_WHEN_TRAFFICKED, "vic_AgeWhenTrafficked", CASE, NUMBER, NONE, MAY) \
    X(41, VIC_RECRUITMENT_WEBSITES_AND_APPS, "vic_RecruitmentWebsitesAndApps", LEGAL, CODES, WEBSITES, MAY) \
    X(42, VIC_METHOD_OF_RECRUITMENT, "vic_MethodOfRecruitment", LEGAL, CODES, RECRUITMENT, MAY) \
    X(43, VIC_LOCATION_OF_RECRUITMENT, "vic_LocationOfRecruitment", SECURITY, TEXT, NONE, MAY) \
    X(44, VIC_METHODS_OF_CONTROL, "vic_MethodsOfControl", LEGAL, CODES, CONTROL, MAY) \
    X(45, VIC_TYPE_OF_EXPLOITATION, "vic_TypeOfExploitation", CASE, CODES, EXPLOITATION, MAY) \
    X(46, VIC_FORCED_LABOUR_INDUSTRY, "vic_ForcedLabourIndustry", CASE, CODE, INDUSTRY, MAY) \
    X(47, VIC_TYPE_OF_SEX_EXPLOITATION, "vic_TypeOfSexExploitation", HEALTH, CODES, SEX_EXPLOITATION, MAY) \
    X(48, VIC_LOCATION_OF_EXPLOITATION, "vic_LocationOfExploitation", LEGAL, TEXT, NONE, MAY) \
    X(49, VIC_EXPLOITATION_WEBSITES_AND_APPS, "vic_ExploitationWebsitesAndApps", LEGAL, CODES, WEBSITES, MAY) \
    X(50, VIC_VULNERABILITIES, "vic_Vulnerabilities", HEALTH, CODES, VULNERABILITIES, OLD) \
    X(51, VIC_DETAILS_OF_VULNERABILITIES, "vic_DetailsOfVulnerabilities", HEALTH, LONG_TEXT, NONE, OLD) \
    X(52, PER_ROLE_IN_PROCESS, "per_RoleInProcess", SECURITY, CODES, ROLE, MAY) \
    X(53, PER_ROLE_DETAILS, "per_RoleDetails", SECURITY, LONG_TEXT, NONE, MAY) \
    X(54, PER_ORGANISATION, "per_Organisation", SECURITY, TEXT, NONE, MAY) \
    X(55, CAS_STATUS, "cas_Status", CASE, CODE, CAS_STATUS, MAY) \
    X(56, CAS_REASON_FOR_CASE_CLOSURE, "cas_ReasonForCaseClosure", CASE, LONG_TEXT, NONE, MAY) \
    X(57, CAS_CASE_OWNER, "cas_CaseOwner", SECURITY, TEXT, NONE, MAY) \
    X(58, CAS_REFERRING_ORGANISATION, "cas_ReferringOrganisation", CASE, TEXT, NONE, MAY) \
    X(59, CAS_INCOMING_REFERRAL_DATE, "cas_IncomingReferralDate", CASE, DATE, NONE, MAY) \
    X(60, CAS_REFERRING_PRIMARY_CASE_WORKER, "cas_ReferringPrimaryCaseWorker", SECURITY, TEXT, NONE, MAY) \
    X(61, CAS_REASON_FOR_INCOMING_REFERRAL, "cas_ReasonForIncomingReferral", CASE, CODE, REASON, MAY) \
    X(62, CAS_INCOMING_REFERRAL_DETAILS, "cas_IncomingReferralDetails", CASE, LONG_TEXT, NONE, MAY) \
    X(63, CAS_REFERRED_ORGANISATION, "cas_ReferredOrganisation", CASE, TEXT, NONE, MAY) \
    X(64, CAS_REFERRED_PRIMARY_CASE_WORKER, "cas_ReferredPrimaryCaseWorker", SECURITY, TEXT, NONE, MAY) \
    X(65, CAS_REASON_FOR_OUTGOING_REFERRAL, "cas_ReasonForOutgoingReferral", CASE, CODE, REASON, MUST) \
    X(66, CAS_OUTGOING_REFERRAL_DATE, "cas_OutgoingReferralDate", CASE, DATE, NONE, MAY) \
    X(67, CAS_OUTGOING_REFERRAL_DETAILS, "cas_OutgoingReferralDetails", CASE, LONG_TEXT, NONE, MAY) \
    X(68, CCO_CASE_COMMENT, "cco_CaseComment", CASE, LONG_TEXT, NONE, MAY) \
    X(69, HTE_LONGITUDE, "hte_Longitude", SECURITY, COORDINATE, NONE, MAY) \
    X(70, HTE_LATITUDE, "hte_Latitude", SECURITY, COORDINATE, NONE, MAY) \
    X(71, HTE_CITY, "hte_City", LEGAL, TEXT, NONE, MAY) \
    X(72, HTE_COUNTRY, "hte_Country", CASE, COUNTRY, NONE, MAY) \
    X(73, HTE_STATE, "hte_State", LEGAL, TEXT, NONE, MAY) \
    X(74, HTE_STREET, "hte_Street", SECURITY, TEXT, NONE, MAY) \
    X(75, HTE_POSTAL_CODE, "hte_PostalCode", SECURITY, TEXT, NONE, MAY) \
    X(76, HTE_DATE, "hte_Date", LEGAL, DATE, NONE, MAY) \
    X(77, HTE_TYPE, "hte_Type", LEGAL, CODE, HTE_TYPE, MAY) \
    X(78, HTE_DESCRIPTION, "hte_Description", LEGAL, LONG_TEXT, NONE, MAY) \
    X(79, SPL_OBJECTIVES, "spl_Objectives", CASE, LONG_TEXT, NONE, MAY) \
    X(80, SPL_ACTION_PLAN, "spl_ActionPlan", CASE, LONG_TEXT, NONE, MAY) \
    X(81, SPL_PLANNED_END_DATE, "spl_PlannedEndDate", CASE, DATE, NONE, MAY) \
    X(82, SPL_ACTUAL_END_DATE, "spl_ActualEndDate", CASE, DATE, NONE, MAY) \
    X(83, SPL_TYPE, "spl_Type", CASE, CODE, SPL_TYPE, MAY) \
    X(84, CON_CONSENT, "con_Consent", CASE, BOOL, NONE, MUST) \
    X(201, CASE_REF, "case_ref", CASE, REFERENCE, NONE, MUST_HOME) \
    X(202, HOST_COUNTRY, "host_country", CASE, COUNTRY, NONE, MUST) \
    X(203, ORIGIN_COUNTRY, "origin_country", CASE, COUNTRY, NONE, MUST) \
    X(204, REGISTERED, "registered", CASE, DATE, NONE, MAY) \
    X(205, FULL_NAME_NATIVE, "full_name_native", IDENTITY, NAME, NONE, MUST) \
    X(206, FULL_NAME_LATIN, "full_name_latin", IDENTITY, NAME, NONE, MAY) \
    X(207, NAME_ORDER, "name_order", IDENTITY, CODE, NAME_ORDER, MAY) \
    X(208, ALIAS_PASSPORT, "alias_passport", IDENTITY, NAMES, NONE, MAY) \
    X(209, ALIAS_TRAFFICKER_GIVEN, "alias_trafficker_given", IDENTITY, NAMES, NONE, MAY) \
    X(210, ALIAS_NICKNAME, "alias_nickname", IDENTITY, NAMES, NONE, MAY) \
    X(211, DOB_PRECISION, "dob_precision", IDENTITY, CODE, DOB_PRECISION, MAY) \
    X(212, DOB_CALENDAR, "dob_calendar", IDENTITY, CODE, DOB_CALENDAR, MAY) \
    X(213, DOB_AS_SAID, "dob_as_said", IDENTITY, TEXT, NONE, MAY) \
    X(214, AGE_STATUS, "age_status", CASE, CODE, AGE_STATUS, MUST) \
    X(215, CITIZENSHIP_VERIFICATION, "citizenship_verification", IDENTITY, CODE, VERIFICATION, MAY) \
    X(216, HOME_DISTRICT, "home_district", IDENTITY, TEXT, NONE, MAY) \
    X(217, FATHER_NAME, "father_name", FAMILY, NAME, NONE, MAY) \
    X(218, MOTHER_NAME, "mother_name", FAMILY, NAME, NONE, MAY) \
    X(219, HOME_VILLAGE, "home_village", FAMILY, TEXT, NONE, MAY) \
    X(220, FAMILY_DETAILS, "family_details", FAMILY, LONG_TEXT, NONE, MAY) \
    X(221, FAMILY_DO_NOT_CONTACT, "family_do_not_contact", FAMILY, NAMES, NONE, MAY) \
    X(222, HEALTH_SUMMARY, "health_summary", HEALTH, LONG_TEXT, NONE, MAY) \
    X(223, NEEDS, "needs", CASE, CODES, NEEDS, MUST) \
    X(224, CONSENT_SCOPES, "consent_scopes", CASE, CODES, CONSENT_SCOPES, MUST) \
    X(225, CONSENT_GIVEN_BY, "consent_given_by", CASE, CODE, CONSENT_GIVEN_BY, MUST) \
    X(226, CONSENT_EXPIRES, "consent_expires", CASE, DATE, NONE, MUST) \
    X(227, CONSENT_METHOD, "consent_method", CASE, CODE, CONSENT_METHOD, MAY) \
    X(228, CONSENT_GIVEN_ON, "consent_given_on", CASE, DATE, NONE, MAY) \
    X(229, URGENCY, "urgency", CASE, CODE, URGENCY, MUST) \
    X(230, REFERRAL_REASON, "referral_reason", CASE, CODE, REFERRAL_REASON, MAY) \
    X(231, EXPECTED_MONTH, "expected_month", CASE, MONTH, NONE, MAY) \
    X(232, PROTECTION_CLAIM, "protection_claim", SECURITY, BOOL, NONE, HOME) \
    X(233, PLACE_OF_STAY, "place_of_stay", SECURITY, CODE, PLACE_OF_STAY, MAY)
/* clang-format on */

enum rg_field {
#define X(number, symbol, name, class_, type, list, place) RG_FIELD_##symbol,
    RG_FIELDS(X)
#undef X
        RG_FIELD_COUNT
};

struct rg_field_row {
    uint32_t number;      /* on the wire */
    const char *name;     /* column of the CSV, key of the JSON; HTCDS id for 1 to 84 */
    enum rg_class class_; /* the section it travels in */
    enum rg_value_type type;
    enum rg_field_place place;
    const char *const *codes; /* NULL ended, for CODE and CODES, else NULL */
};

const struct rg_field_row *rg_field_row(enum rg_field field);
bool rg_field_find(struct rg_bytes name, enum rg_field *field_out);
bool rg_field_of_number(uint32_t number, enum rg_field *field_out);
size_t rg_field_bytes_max(enum rg_field field); /* of the normal form */
bool rg_field_is_multi(enum rg_field field);
bool rg_field_crosses(enum rg_field field); /* may it be in a message to another country */
bool rg_field_is_old(enum rg_field field);  /* deprecated: neither exported nor sent */
/* "text of 12 letters", "a number of 4 digits": what a refused value is, without saying it. */
#define RG_VALUE_CLASS_BYTES 64
void rg_value_class(struct rg_bytes value, char out[RG_VALUE_CLASS_BYTES]);

/* Replaces what is in `normal_out`. An empty or blank value is allowed and stays empty. */
RG_MUST_USE rg_outcome rg_field_check(enum rg_field field, struct rg_bytes value,
                                      struct rg_buffer *normal_out, struct rg_reason *why);

/* Positions count from 1 and are the numbers on the wire; 0 means not in the list. */
uint32_t rg_code_find(enum rg_field field, struct rg_bytes text);
const char *rg_code_text(enum rg_field field, uint32_t position); /* NULL when there is none */
/* Of a normal value of type CODES: bit position-1 set for each code. Lists have at most 32. */
uint32_t rg_codes_set(enum rg_field field, const char *normal);
/* Cuts the next part up to ';' off `rest`, trimmed of blanks. */
struct rg_bytes rg_codes_part(struct rg_bytes *rest);

/* Positions that rules and messages speak of. */
enum rg_age { RG_AGE_ADULT = 1, RG_AGE_CHILD, RG_AGE_UNCERTAIN };
enum rg_given_by { RG_GIVEN_BY_PERSON = 1, RG_GIVEN_BY_GUARDIAN, RG_GIVEN_BY_BOTH };
enum rg_urgency { RG_URGENCY_ROUTINE = 1, RG_URGENCY_URGENT, RG_URGENCY_EMERGENCY };
enum rg_referral_reason {
    RG_REASON_RETURN = 1,
    RG_REASON_TRACING_ONLY,
    RG_REASON_SERVICES,
    RG_REASON_LATE_IDENTIFICATION,
    RG_REASON_FAMILY_REUNION,
    RG_REASON_WITNESS,
};
enum rg_scope {
    RG_SCOPE_NOTIFY_ORIGIN = 1,
    RG_SCOPE_SHARE_IDENTITY,
    RG_SCOPE_TRACE_FAMILY,
    RG_SCOPE_SHARE_HEALTH,
    RG_SCOPE_SHARE_LEGAL,
    RG_SCOPE_SHARE_SECURITY,
    RG_SCOPE_RETURN,
    RG_SCOPE_FOLLOW_UP,
    RG_SCOPE_ONWARD_THIRD_COUNTRY,
    RG_SCOPE_STATISTICS,
};
#define RG_SCOPE_BIT(scope) (1u << ((unsigned)(scope)-1u))

/* A date of the common era; month and day 0 when not known. */
struct rg_date {
    int year, month, day;
};
/* Accepts exactly YYYY, YYYY-MM, YYYY-MM-DD, a day that exists, years 1900 to 2100. */
bool rg_date_parse(struct rg_bytes text, struct rg_date *date_out);
int rg_date_compare(struct rg_date a, struct rg_date b); /* unknown parts sort first */
/* The day in UTC. */
struct rg_date rg_date_of_wall(struct rg_wall wall);
/* The day on which people there write: UTC+7, for all countries alike, since both offices of a case
 * must read one day (Myanmar is half an hour behind, China an hour ahead). What holds until today,
 * and what was given today, is asked with this one. */
#define RG_DAY_BEGINS_EARLIER_MS (INT64_C(7) * 60 * 60 * 1000)
struct rg_date rg_day_of_wall(struct rg_wall wall);

#endif
