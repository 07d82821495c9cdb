/*
 * NAME
 *   record - one case in the fields of the data dictionary; CSV and JSON in and out
 *
 * SYNOPSIS
 *   rg_records_read_csv(text, today, &records, &report, why)     all rows or none
 *   rg_records_read_json(text, today, &records, &report, why)
 *   record = rg_records_peek(records, i)
 *   rg_record_get(record, RG_FIELD_PRS_GENDER)            "" when empty
 *   rg_record_preview(record, &preview, why)              for kinds 11 and 19
 *   rg_record_fields(record, RG_CLASS_IDENTITY, &fields)  for kinds 17 and 19
 *   rg_record_merge(record, &content, why)                what a received section says
 *   rg_record_encode / rg_record_decode                   for the casebook
 *   rg_csv_header, rg_record_csv, rg_record_json          out
 *
 * DESCRIPTION
 *   A record holds each field (client/htcds.h) in its normal form, or nothing. It is checked field
 * by field when set; what may be *sent* is the business of client/rules.h.
 *   CSV is RFC 4180: UTF-8 (a byte order mark is skipped), comma, quotes doubled, CRLF or LF, a
 * header row with column names in any order. Unknown and repeated columns are refused, missing ones
 * named. A text that a spreadsheet would take for a formula is written with an apostrophe before
 * it, which reading takes off again. JSON is one array of objects, or objects one after the other;
 * names and rules are the same, a key that is missing is an empty value, several codes are an
 * array. Names are those of the dictionary, and those of the HTCDS XLSForm (prs_First_Name), with
 * or without the group before them (person/prs_FirstName); the survey tool's own columns (start,
 * instanceID, _uuid, ...) are left out, with a warning. Deprecated fields are read with a warning.
 *   A date of birth may be written as on papers (client/dates.h); what was written is kept.
 *   A malformed row, a repeated case_ref, a row without case_ref, host or origin: nothing is
 * imported, the first RG_IMPORT_ERRORS_MAX errors are listed. An error says line, column, what kind
 * of value stands there and what is allowed; it never repeats a value. Warnings do not stop an
 * import: text that looks like Zawgyi, an age that does not fit the birth date, ages counted in the
 * traditional way beside "adult". Nothing is changed because of them.
 *
 * OWNERSHIP
 *   rg_records owns its records and they their texts (wiped when freed). A text from rg_record_get
 *   or rg_record_fields is good until the record is next changed or freed.
 *
 * ERRORS
 *   RG_MALFORMED csv-header, csv-encoding, csv-rows and json-form, json-rows (see the report),
 *   field-value, record-form; RG_LIMIT csv-limit, json-limit, record-limit.
 *
 * THREADS
 *   A record belongs to one thread at a time.
 *
 * LIMITS
 *   See below; a file of 100,000 cases is about 32 MiB.
 */
#ifndef RG_CLIENT_RECORD_H
#define RG_CLIENT_RECORD_H

#include "client/dates.h"
#include "client/message.h"

#define RG_CSV_BYTES_MAX (40 * RG_MIB)
#define RG_CSV_ROWS_MAX 200000
#define RG_CSV_COLUMNS_MAX 256
#define RG_RECORD_BYTES_MAX (128 * RG_KIB) /* all texts of one case */
#define RG_IMPORT_ERRORS_MAX 20

struct rg_record;  /* one case */
struct rg_records; /* the cases of one file */

struct rg_import_error {
    uint32_t line;   /* of the file, from 1, where the row begins; 0: the whole file */
    char column[64]; /* "prs_Gender"; "" when it is not about one column */
    char text[400];  /* what is wrong and what is allowed; never the value */
};
struct rg_import_report {
    uint32_t rows;        /* data rows read */
    uint32_t error_count; /* all of them */
    uint32_t error_kept;  /* at most RG_IMPORT_ERRORS_MAX */
    uint32_t warning_count;
    uint32_t warning_kept;
    struct rg_import_error error[RG_IMPORT_ERRORS_MAX];
    struct rg_import_error warning[RG_IMPORT_ERRORS_MAX];
};

RG_MUST_USE rg_outcome rg_record_new(struct rg_record **record_out, struct rg_reason *why);
void rg_record_free(struct rg_record *record); /* NULL allowed */
void rg_record_cleanup(struct rg_record **record);
#define RG_OWNED_RECORD RG_CLEANUP(rg_record_cleanup) struct rg_record *

/* Checks and normalises; an empty value clears the field. */
RG_MUST_USE rg_outcome rg_record_set(struct rg_record *record, enum rg_field field,
                                     struct rg_bytes value, struct rg_reason *why);
/* The same, only that a date of birth may be written as on papers (client/dates.h): what was
 * written is then kept beside it, where nothing else is said there. */
RG_MUST_USE rg_outcome rg_record_set_written(struct rg_record *record, enum rg_field field,
                                             struct rg_bytes value, struct rg_date today,
                                             struct rg_reason *why);
const char *rg_record_get(const struct rg_record *record, enum rg_field field);
bool rg_record_has(const struct rg_record *record, enum rg_field field);
uint32_t rg_record_code(const struct rg_record *record, enum rg_field field);  /* 0: empty */
uint32_t rg_record_codes(const struct rg_record *record, enum rg_field field); /* bits */

/* `today` decides which years can be years of birth. */
RG_MUST_USE rg_outcome rg_records_read_csv(struct rg_bytes text, struct rg_date today,
                                           struct rg_records **records_out,
                                           struct rg_import_report *report_out,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_records_read_json(struct rg_bytes text, struct rg_date today,
                                            struct rg_records **records_out,
                                            struct rg_import_report *report_out,
                                            struct rg_reason *why);
void rg_records_free(struct rg_records *records);
void rg_records_cleanup(struct rg_records **records);
#define RG_OWNED_RECORDS RG_CLEANUP(rg_records_cleanup) struct rg_records *
size_t rg_records_count(const struct rg_records *records);
const struct rg_record *rg_records_peek(const struct rg_records *records, size_t i);
/* Ownership of one record moves to you; its place is empty from then on (peek: NULL). */
struct rg_record *rg_records_take(struct rg_records *records, size_t i);

/* Child when the age is a child's, uncertain or not stated. */
bool rg_record_is_child(const struct rg_record *record);
/* From referral_reason, else from cas_ReasonForOutgoingReferral; 0 when it cannot be told. */
enum rg_referral_reason rg_record_reason(const struct rg_record *record);
/* RG_MALFORMED record-form when a part that the preview needs is empty; ask the rules first. */
RG_MUST_USE rg_outcome rg_record_preview(const struct rg_record *record,
                                         struct rg_preview *preview_out, struct rg_reason *why);
/* What of this class may be in a message: borrowed texts, HOME fields left out. */
void rg_record_fields(const struct rg_record *record, enum rg_class class_,
                      struct rg_fields *fields_out);
/* Takes over the fields of a received section (details, proposal); a preview or other body gives
 * what it can (age, sex, language, needs, urgency, consent). */
RG_MUST_USE rg_outcome rg_record_merge(struct rg_record *record, const struct rg_content *content,
                                       struct rg_reason *why);

RG_MUST_USE rg_outcome rg_record_encode(const struct rg_record *record, struct rg_buffer *out,
                                        struct rg_reason *why);
RG_MUST_USE rg_outcome rg_record_decode(struct rg_bytes bytes, struct rg_record **record_out,
                                        struct rg_reason *why);

/* All columns of the dictionary but the deprecated ones, in its order. Both end with CRLF. Appended
 * to a secret buffer. */
RG_MUST_USE rg_outcome rg_csv_header(struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_record_csv(const struct rg_record *record, struct rg_buffer *out,
                                     struct rg_reason *why);
/* One JSON object on one line, no line end: names as in the dictionary, several codes as an array,
 * booleans as such, empty fields left out. The text passes through jansson's memory, which is not
 * wiped: JSON is for showing to the person at the keyboard. */
RG_MUST_USE rg_outcome rg_record_json(const struct rg_record *record, struct rg_buffer *out,
                                      struct rg_reason *why);

#endif
