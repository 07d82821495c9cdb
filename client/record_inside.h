/*
 * NAME
 *   record_inside - what reading CSV and reading JSON share: names of columns, rows, the report
 *
 * DESCRIPTION
 *   An intake collects the rows of one file. Each value goes in by rg_intake_value, each row ends
 * with rg_intake_row; mistakes go to the report, and only memory and limits fail. rg_intake_end
 * hands out the records when there was no mistake at all.
 *
 * OWNERSHIP
 *   The intake owns what it has collected until rg_intake_end; rg_intake_drop frees it.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_RECORD_INSIDE_H
#define RG_CLIENT_RECORD_INSIDE_H

#include "client/record.h"

enum rg_column_kind {
    RG_COLUMN_UNKNOWN,
    RG_COLUMN_FIELD,
    RG_COLUMN_TOOL,  /* a survey tool's own: left out */
    RG_COLUMN_SPLIT, /* one code of a field that has a column of its own: left out */
};
struct rg_column {
    enum rg_column_kind kind;
    enum rg_field field; /* for FIELD and SPLIT */
};
struct rg_column rg_column_of(struct rg_bytes name);
/* May be shown in an error: it is one of letters, digits and _ . / : - and is not long. */
bool rg_column_is_plain(struct rg_bytes name);

struct rg_intake {
    struct rg_records *records;
    struct rg_import_report *report;
    struct rg_date today;
    struct rg_record *row; /* being filled */
    struct rg_birth birth; /* of this row, year 0: none that was read as on paper */
    struct rg_buffer birth_words;
};
RG_MUST_USE rg_outcome rg_intake_begin(struct rg_intake *intake, struct rg_date today,
                                       struct rg_import_report *report, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_intake_value(struct rg_intake *intake, enum rg_field field,
                                       struct rg_bytes value, uint32_t line, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_intake_row(struct rg_intake *intake, uint32_t line,
                                     struct rg_reason *why);
/* `id` names the outcome when there were mistakes: "csv-rows". */
RG_MUST_USE rg_outcome rg_intake_end(struct rg_intake *intake, const char *id,
                                     struct rg_records **records_out, struct rg_reason *why);
void rg_intake_drop(struct rg_intake *intake);
#define RG_INTAKE RG_CLEANUP(rg_intake_drop) struct rg_intake

void RG_PRINTF(4, 5) rg_import_error(struct rg_import_report *report, uint32_t line,
                                     const char *column, const char *format, ...);
void RG_PRINTF(4, 5) rg_import_warning(struct rg_import_report *report, uint32_t line,
                                       const char *column, const char *format, ...);

#endif
