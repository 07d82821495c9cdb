/*
 * How it works: values of a row are set one by one; a date of birth that is written as on papers is
 * read and its words are held until the row ends, since the columns that say the same may come
 * later. When a row ends it is looked over as a whole; when the file ends, case numbers are
 * compared. Invariant: records are handed out only when there was no error at all. An error's text
 * is made from the dictionary and from numbers, never from a value.
 */
#include "client/record_inside.h"

#include "client/zawgyi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADULT_YEARS 18

struct rg_records {
    struct rg_record **record;
    uint32_t *line; /* where the row began */
    size_t count, capacity;
};

/* ---- the report ---- */

static void note(struct rg_import_error *list, uint32_t *count, uint32_t *kept,
                 const struct rg_import_error *what)
{
    (*count)++;
    if (*kept < RG_IMPORT_ERRORS_MAX) {
        list[(*kept)++] = *what;
    }
}

static struct rg_import_error RG_PRINTF(3, 0)
    said(uint32_t line, const char *column, const char *format, va_list arguments)
{
    struct rg_import_error what = {.line = line};
    (void)snprintf(what.column, sizeof(what.column), "%s", column);
    (void)vsnprintf(what.text, sizeof(what.text), format, arguments);
    return what;
}

void rg_import_error(struct rg_import_report *report, uint32_t line, const char *column,
                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct rg_import_error what = said(line, column, format, arguments);
    va_end(arguments);
    note(report->error, &report->error_count, &report->error_kept, &what);
}

void rg_import_warning(struct rg_import_report *report, uint32_t line, const char *column,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct rg_import_error what = said(line, column, format, arguments);
    va_end(arguments);
    note(report->warning, &report->warning_count, &report->warning_kept, &what);
}

static const char *name_of(enum rg_field field)
{
    return rg_field_row(field)->name;
}

/* ---- values ---- */

rg_outcome rg_intake_begin(struct rg_intake *intake, struct rg_date today,
                           struct rg_import_report *report, struct rg_reason *why)
{
    *intake = (struct rg_intake){.today = today, .report = report, .birth_words.secret = true};
    intake->records = calloc(1, sizeof(*intake->records));
    RG_CHECK(intake->records != NULL, why, RG_IO, "out-of-memory",
             "cannot allocate the list of cases");
    return rg_ok();
}

static void refused(struct rg_intake *intake, enum rg_field field, struct rg_bytes value,
                    uint32_t line, const struct rg_reason *inner)
{
    char what[RG_VALUE_CLASS_BYTES];
    rg_value_class(value, what);
    rg_import_error(intake->report, line, name_of(field), "%s; %s", what, inner->text);
}

/* Only memory fails; what is not allowed goes to the report. */
static rg_outcome outcome_of(struct rg_intake *intake, rg_outcome outcome, enum rg_field field,
                             struct rg_bytes value, uint32_t line, const struct rg_reason *inner,
                             struct rg_reason *why)
{
    if (outcome.code == RG_MALFORMED || outcome.code == RG_LIMIT) {
        refused(intake, field, value, line, inner);
        return rg_ok();
    }
    return rg_is_ok(outcome) ? outcome
                             : rg_fail(why, outcome.code, "out-of-memory", "%s", inner->text);
}

/* `words` gets what was written; an empty one changes nothing. */
static rg_outcome birth_set(struct rg_record *record, struct rg_bytes value, struct rg_date today,
                            struct rg_birth *birth, struct rg_buffer *words, struct rg_reason *why)
{
    char date[RG_DATE_BYTES];
    RG_TRY(rg_text_normal(value, RG_NAME_BYTES_MAX, RG_TEXT_LINE, words, why));
    if (words->len == 0) {
        return rg_ok();
    }
    RG_TRY(rg_birth_read(rg_buffer_peek(words), today, birth, why));
    rg_date_text(birth->date, date);
    return rg_record_set(record, RG_FIELD_PRS_BIRTHDATE, rg_bytes_of_text(date), why);
}

rg_outcome rg_intake_value(struct rg_intake *intake, enum rg_field field, struct rg_bytes value,
                           uint32_t line, struct rg_reason *why)
{
    struct rg_reason inner = {0};
    if (intake->row == NULL) {
        RG_TRY(rg_record_new(&intake->row, why));
    }
    if (value.len == 0) {
        return rg_ok();
    }
    rg_outcome outcome = field == RG_FIELD_PRS_BIRTHDATE
                             ? birth_set(intake->row, value, intake->today, &intake->birth,
                                         &intake->birth_words, &inner)
                             : rg_record_set(intake->row, field, value, &inner);
    return outcome_of(intake, outcome, field, value, line, &inner, why);
}

/* ---- the row as a whole ---- */

static void need_value(struct rg_intake *intake, enum rg_field field, uint32_t line)
{
    if (!rg_record_has(intake->row, field)) {
        rg_import_error(intake->report, line, name_of(field), "must not be empty");
    }
}

static rg_outcome set_if_empty(struct rg_record *record, enum rg_field field, struct rg_bytes value,
                               struct rg_reason *why)
{
    return rg_record_has(record, field) ? rg_ok() : rg_record_set(record, field, value, why);
}

/* What was written on the paper is kept beside what it means. */
static rg_outcome birth_words_keep(struct rg_record *record, const struct rg_birth *birth,
                                   struct rg_bytes words, struct rg_reason *why)
{
    RG_TRY(set_if_empty(record, RG_FIELD_DOB_AS_SAID, words, why));
    RG_TRY(set_if_empty(record, RG_FIELD_DOB_CALENDAR, rg_bytes_of_text(birth->calendar), why));
    return set_if_empty(record, RG_FIELD_DOB_PRECISION, rg_bytes_of_text(birth->precision), why);
}

static rg_outcome birth_keep(struct rg_intake *intake, uint32_t line, struct rg_reason *why)
{
    const struct rg_birth *birth = &intake->birth;
    if (birth->date.year == 0 || !birth->as_written) {
        return rg_ok();
    }
    RG_TRY(birth_words_keep(intake->row, birth, rg_buffer_peek(&intake->birth_words), why));
    if (strcmp(rg_record_get(intake->row, RG_FIELD_DOB_CALENDAR), birth->calendar) != 0) {
        rg_import_error(intake->report, line, name_of(RG_FIELD_DOB_CALENDAR),
                        "the year in prs_Birthdate is one of the calendar %s", birth->calendar);
    }
    return rg_ok();
}

static void precision_check(struct rg_intake *intake, uint32_t line)
{
    size_t len = strlen(rg_record_get(intake->row, RG_FIELD_PRS_BIRTHDATE));
    const char *precision = rg_record_get(intake->row, RG_FIELD_DOB_PRECISION);
    bool good = strcmp(precision, "day") != 0 || len == 10;
    good = good && (strcmp(precision, "month") != 0 || len >= 7);
    good = good && (strcmp(precision, "year") != 0 || len >= 4);
    if (!good) {
        rg_import_error(intake->report, line, name_of(RG_FIELD_PRS_BIRTHDATE),
                        "must be as exact as dob_precision says");
    }
}

/* An age is never changed here; who reads it is told. */
static void dated_age_warn(struct rg_intake *intake, uint32_t line)
{
    struct rg_date birth;
    const char *text = rg_record_get(intake->row, RG_FIELD_PRS_BIRTHDATE);
    bool adult = rg_record_code(intake->row, RG_FIELD_AGE_STATUS) == RG_AGE_ADULT;
    bool dated = rg_date_parse(rg_bytes_of_text(text), &birth);
    if (adult && dated && rg_age_at_least(birth, intake->today) < ADULT_YEARS) {
        rg_import_warning(intake->report, line, name_of(RG_FIELD_AGE_STATUS),
                          "says adult, but the birth date allows an age under %d; in doubt the "
                          "person is a child (uncertain)",
                          ADULT_YEARS);
    }
}

static rg_outcome counted_age_warn(struct rg_intake *intake, uint32_t line, struct rg_reason *why)
{
    bool counted = false;
    const char *said = rg_record_get(intake->row, RG_FIELD_DOB_AS_SAID);
    if (said[0] == '\0' || rg_record_code(intake->row, RG_FIELD_AGE_STATUS) != RG_AGE_ADULT) {
        return rg_ok();
    }
    RG_TRY(rg_age_is_counted(rg_bytes_of_text(said), &counted, why));
    if (counted) {
        rg_import_warning(intake->report, line, name_of(RG_FIELD_DOB_AS_SAID),
                          "an age counted the traditional way is one or two years too high; ask "
                          "for the year of birth or the animal; in doubt the person is a child "
                          "(uncertain)");
    }
    return rg_ok();
}

static void look_over(struct rg_intake *intake, uint32_t line)
{
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        const char *text = rg_record_get(intake->row, field);
        if (text[0] == '\0') {
            continue;
        }
        if (rg_field_is_old(field)) {
            rg_import_warning(intake->report, line, name_of(field),
                              "HTCDS 2.0 does not use this field any more; it is kept here and "
                              "neither sent nor exported");
        }
        if (rg_zawgyi_score(rg_bytes_of_text(text)) >= RG_ZAWGYI_SUSPECTED) {
            rg_import_warning(intake->report, line, name_of(field),
                              "looks like Burmese in the old Zawgyi encoding, which others cannot "
                              "read; it is kept as it is; type it again in Unicode");
        }
    }
}

static rg_outcome records_grow(struct rg_records *records, struct rg_reason *why)
{
    if (records->count < records->capacity) {
        return rg_ok();
    }
    size_t capacity = records->capacity == 0 ? 256 : records->capacity * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    struct rg_record **record = reallocarray(records->record, capacity, sizeof(*record));
    RG_CHECK(record != NULL, why, RG_IO, "out-of-memory", "cannot allocate the list of cases");
    records->record = record;
    uint32_t *line = reallocarray(records->line, capacity, sizeof(*line));
    RG_CHECK(line != NULL, why, RG_IO, "out-of-memory", "cannot allocate the list of cases");
    records->line = line;
    records->capacity = capacity;
    return rg_ok();
}

rg_outcome rg_intake_row(struct rg_intake *intake, uint32_t line, struct rg_reason *why)
{
    struct rg_records *records = intake->records;
    if (intake->row == NULL) {
        RG_TRY(rg_record_new(&intake->row, why));
    }
    need_value(intake, RG_FIELD_CASE_REF, line);
    need_value(intake, RG_FIELD_HOST_COUNTRY, line);
    need_value(intake, RG_FIELD_ORIGIN_COUNTRY, line);
    RG_TRY(birth_keep(intake, line, why));
    precision_check(intake, line);
    dated_age_warn(intake, line);
    RG_TRY(counted_age_warn(intake, line, why));
    look_over(intake, line);
    RG_TRY(records_grow(records, why));
    records->record[records->count] = intake->row;
    records->line[records->count++] = line;
    intake->row = NULL;
    intake->birth = (struct rg_birth){0};
    return rg_ok();
}

rg_outcome rg_record_set_written(struct rg_record *record, enum rg_field field,
                                 struct rg_bytes value, struct rg_date today, struct rg_reason *why)
{
    struct rg_birth birth = {0};
    RG_OWNED_BUFFER words = {.secret = true};
    if (field != RG_FIELD_PRS_BIRTHDATE || value.len == 0) {
        return rg_record_set(record, field, value, why);
    }
    RG_TRY(birth_set(record, value, today, &birth, &words, why));
    return birth.as_written ? birth_words_keep(record, &birth, rg_buffer_peek(&words), why)
                            : rg_ok();
}

/* ---- one case_ref, one case ---- */

struct reference {
    const char *text;
    uint32_t line;
};

static int by_text_then_line(const void *a, const void *b)
{
    const struct reference *x = a;
    const struct reference *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static rg_outcome doubles_check(const struct rg_records *records, struct rg_import_report *report,
                                struct rg_reason *why)
{
    if (records->count == 0) {
        return rg_ok();
    }
    struct reference *reference = calloc(records->count, sizeof(*reference));
    RG_CHECK(reference != NULL, why, RG_IO, "out-of-memory", "cannot compare the case numbers");
    for (size_t i = 0; i < records->count; i++) {
        reference[i].text = rg_record_get(records->record[i], RG_FIELD_CASE_REF);
        reference[i].line = records->line[i];
    }
    qsort(reference, records->count, sizeof(*reference), by_text_then_line);
    for (size_t i = 1; i < records->count; i++) {
        if (reference[i].text[0] != '\0' && strcmp(reference[i].text, reference[i - 1].text) == 0) {
            rg_import_error(report, reference[i].line, name_of(RG_FIELD_CASE_REF),
                            "the same as on line %u; each case stands once", reference[i - 1].line);
        }
    }
    free(reference);
    return rg_ok();
}

rg_outcome rg_intake_end(struct rg_intake *intake, const char *id, struct rg_records **records_out,
                         struct rg_reason *why)
{
    const struct rg_import_report *report = intake->report;
    RG_TRY(doubles_check(intake->records, intake->report, why));
    if (report->error_count > 0) {
        return rg_fail(why, RG_MALFORMED, id, "%u errors in %u rows; nothing was imported",
                       report->error_count, report->rows);
    }
    *records_out = intake->records;
    intake->records = NULL;
    return rg_ok();
}

void rg_intake_drop(struct rg_intake *intake)
{
    rg_records_free(intake->records);
    rg_record_free(intake->row);
    rg_buffer_drop(&intake->birth_words);
}

/* ---- the cases of one file ---- */

void rg_records_free(struct rg_records *records)
{
    if (records == NULL) {
        return;
    }
    for (size_t i = 0; i < records->count; i++) {
        rg_record_free(records->record[i]);
    }
    free(records->record);
    free(records->line);
    free(records);
}

void rg_records_cleanup(struct rg_records **records)
{
    rg_records_free(*records);
    *records = NULL;
}

size_t rg_records_count(const struct rg_records *records)
{
    return records->count;
}

const struct rg_record *rg_records_peek(const struct rg_records *records, size_t i)
{
    return i < records->count ? records->record[i] : NULL;
}

struct rg_record *rg_records_take(struct rg_records *records, size_t i)
{
    struct rg_record *record = i < records->count ? records->record[i] : NULL;
    if (record != NULL) {
        records->record[i] = NULL;
    }
    return record;
}
