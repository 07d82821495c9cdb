/*
 * How it works: each column of the statistics is a row of `columns`: its name, its categories, and
 * which of them a case is in; every case is in exactly one. Categories are fixed lists, never those
 * that happen to occur. A period is a column too: the table by year is made and protected whole,
 * and one of its rows is shown, so that years and their sum cannot be played off against each
 * other. Nothing here counts anybody who has not agreed to be counted.
 */
#include "client/referral_inside.h"

#include "client/figures.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define YEARS 6 /* this one and those before it; the first stands for all earlier ones */

/* What is looked at of one case. */
struct person {
    const struct rg_case_file *file;
    const struct rg_record *record;
    int year;      /* registered */
    int this_year; /* by the clock */
};

struct column {
    const char *name;
    size_t (*of)(const struct person *person);
    const char *const *label; /* NULL ended; NULL: years */
};

/* The last label of a list of codes is for what is not recorded. */
static size_t code_or_last(const struct person *person, enum rg_field field, size_t last)
{
    uint32_t position = rg_record_code(person->record, field);
    return position == 0 || position > last ? last : position - 1;
}

static const char *const sex_labels[] = {"Feminine",
                                         "Masculine",
                                         "TransgenderFeminine",
                                         "TransgenderMasculine",
                                         "NonConforming",
                                         "NonSpecifiedUnknown",
                                         NULL};

static size_t sex_of(const struct person *person)
{
    return code_or_last(person, RG_FIELD_PRS_GENDER, 5);
}

static const char *const age_labels[] = {"adult", "child", NULL};

static size_t age_of(const struct person *person)
{
    return rg_record_is_child(person->record) ? 1 : 0;
}

static const char *const exploitation_labels[] = {
    "ForcedLabour",   "SexualExploitation",
    "ChildLabour",    "ForcedMarriage",
    "Servitude",      "ForcedMilitaryByNonStateActors",
    "OrganRemoval",   "ForcedBegging",
    "ForcedAdoption", "Surrogacy",
    "Other",          "several",
    "not recorded",   NULL};

static size_t exploitation_of(const struct person *person)
{
    const char *several =
        strchr(rg_record_get(person->record, RG_FIELD_VIC_TYPE_OF_EXPLOITATION), ';');
    return several != NULL ? 11 : code_or_last(person, RG_FIELD_VIC_TYPE_OF_EXPLOITATION, 12);
}

static const char *const country_labels[] = {"KH", "CN", "LA", "MM", "TH", "VN", "other", NULL};

static size_t country_at(const char *code)
{
    size_t at = 0;
    while (at < 6 && strcasecmp(code, country_labels[at]) != 0) {
        at++;
    }
    return at;
}

static size_t origin_of(const struct person *person)
{
    return country_at(person->file->origin);
}

static size_t host_of(const struct person *person)
{
    return country_at(person->file->host);
}

static const char *const state_labels[] = {"held",     "ready",    "proposed", "forwarded",
                                           "referred", "returned", "accepted", "released",
                                           "declined", NULL};

static size_t state_of(const struct person *person)
{
    unsigned state = (unsigned)person->file->now.state;
    return state >= RG_CASE_HELD && state <= RG_CASE_DECLINED ? state - RG_CASE_HELD : 0;
}

static const char *const reason_labels[] = {
    "RETURN",         "TRACING_ONLY", "SERVICES",     "LATE_IDENTIFICATION",
    "FAMILY_REUNION", "WITNESS",      "not recorded", NULL};

static size_t reason_of(const struct person *person)
{
    unsigned reason = (unsigned)rg_record_reason(person->record);
    return reason >= RG_REASON_RETURN && reason <= RG_REASON_WITNESS ? reason - 1 : 6;
}

static size_t year_of(const struct person *person)
{
    int first = person->this_year - YEARS + 1;
    return person->year <= first ? 0 : (size_t)(person->year - first);
}

static const struct column columns[] = {
    {"sex", sex_of, sex_labels},
    {"age", age_of, age_labels},
    {"exploitation", exploitation_of, exploitation_labels},
    {"origin", origin_of, country_labels},
    {"host", host_of, country_labels},
    {"state", state_of, state_labels},
    {"reason", reason_of, reason_labels},
    {"year", year_of, NULL},
};

/* ---- what was asked ---- */

struct question {
    const struct column *column[2]; /* the second may be NULL */
    int year;                       /* 0: all */
    struct rg_date today;
    char year_label[YEARS][24];
};

static const struct column *column_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        if (strlen(columns[i].name) == len && memcmp(columns[i].name, name, len) == 0) {
            return &columns[i];
        }
    }
    return NULL;
}

static void years_label(struct question *question)
{
    int first = question->today.year - YEARS + 1;
    for (int i = 0; i < YEARS; i++) {
        (void)snprintf(question->year_label[i], sizeof(question->year_label[i]), "%d%s", first + i,
                       i == 0 ? " or earlier" : "");
    }
}

static rg_outcome question_read(const char *by, int year, struct rg_date today,
                                struct question *out, struct rg_reason *why)
{
    *out = (struct question){.year = year, .today = today};
    size_t len = strcspn(by, ",");
    bool two = by[len] == ',';
    out->column[0] = column_find(by, len);
    out->column[1] = two ? column_find(by + len + 1, strlen(by + len + 1)) : NULL;
    bool good = out->column[0] != NULL && (!two || out->column[1] != NULL) &&
                out->column[0] != out->column[1];
    RG_CHECK(good, why, RG_MALFORMED, "statistics-columns",
             "one or two of sex, age, exploitation, origin, host, state, reason, year");
    bool by_year = out->column[0]->label == NULL || two;
    RG_CHECK(year == 0 || !by_year, why, RG_MALFORMED, "statistics-period",
             "a period goes with one column other than year");
    bool known = year == 0 || (year > today.year - YEARS + 1 && year <= today.year);
    RG_CHECK(known, why, RG_MALFORMED, "statistics-period", "a year from %d to %d",
             today.year - YEARS + 2, today.year);
    years_label(out);
    if (year != 0) {
        out->column[1] = column_find("year", 4);
    }
    return rg_ok();
}

static size_t labels_of(const struct column *column)
{
    size_t count = 0;
    while (column != NULL && column->label != NULL && column->label[count] != NULL) {
        count++;
    }
    return column == NULL ? 1 : column->label == NULL ? YEARS : count;
}

static const char *label_at(const struct question *question, size_t which, size_t i)
{
    const struct column *column = question->column[which];
    if (i == labels_of(column)) {
        return "total";
    }
    return column->label == NULL ? question->year_label[i] : column->label[i];
}

/* ---- who is counted ---- */

/* Consent to be counted, given, not over, and not withdrawn in a message since. */
static bool has_agreed(const struct rg_case_file *file, const struct rg_record *record,
                       struct rg_date today)
{
    struct rg_date end;
    const uint32_t scope = RG_SCOPE_BIT(RG_SCOPE_STATISTICS);
    const char *expires = rg_record_get(record, RG_FIELD_CONSENT_EXPIRES);
    bool given = (rg_record_codes(record, RG_FIELD_CONSENT_SCOPES) & scope) != 0 &&
                 strcmp(rg_record_get(record, RG_FIELD_CON_CONSENT), "false") != 0;
    bool withdrawn = (file->process.withdrawn & scope) != 0;
    return given && !withdrawn && rg_date_parse(rg_bytes_of_text(expires), &end) && end.day != 0 &&
           rg_date_compare(today, end) <= 0;
}

static struct rg_date registered_on(const struct rg_case_file *file, const struct rg_record *record)
{
    struct rg_date date;
    const char *text = rg_record_get(record, RG_FIELD_REGISTERED);
    return rg_date_parse(rg_bytes_of_text(text), &date)
               ? date
               : rg_date_of_wall((struct rg_wall){file->made_ms});
}

/* Figures of one day and the next would tell who came in between; a month must be over. */
static bool is_over(struct rg_date registered, struct rg_date today)
{
    return registered.year < today.year ||
           (registered.year == today.year && registered.month < today.month);
}

static rg_outcome count_one(struct referral *office, const struct question *question,
                            const struct rg_case_file *file, struct rg_figures *figures,
                            struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    if (file->erased) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    struct rg_date registered = registered_on(file, record);
    if (!has_agreed(file, record, question->today) || !is_over(registered, question->today)) {
        return rg_ok();
    }
    struct person person = {file, record, registered.year, question->today.year};
    const struct column *second = question->column[1];
    rg_figures_count(figures, question->column[0]->of(&person),
                     second == NULL ? 0 : second->of(&person));
    return rg_ok();
}

static rg_outcome count_all(struct referral *office, const struct question *question,
                            struct rg_figures *figures, struct rg_reason *why)
{
    bool found = true;
    for (int64_t row = 0; found;) {
        RG_CASE_FILE file = {0};
        RG_TRY(rg_casebook_next(office->book, row, &file, &found, why));
        row = file.row;
        if (found) {
            RG_TRY(count_one(office, question, &file, figures, why));
        }
    }
    return rg_figures_protect(figures, why);
}

/* ---- the answer ---- */

static void tell(const struct question *question, const struct rg_figures *figures,
                 referral_figure_sink sink, void *context)
{
    const struct column *second = question->column[1];
    size_t rows = labels_of(question->column[0]);
    size_t from = 0;
    size_t to = second == NULL ? 0 : labels_of(second);
    if (question->year != 0) { /* one row of the table by year */
        from = (size_t)(question->year - (question->today.year - YEARS + 1));
        to = from;
    }
    for (size_t row = 0; row <= rows; row++) {
        for (size_t column = from; column <= to; column++) {
            struct rg_figure figure = rg_figures_cell(figures, row, column);
            bool named = second != NULL && question->year == 0;
            struct referral_figure out = {
                .first = label_at(question, 0, row),
                .second = named ? label_at(question, 1, column) : "",
                .count = figure.count,
                .withheld = figure.withheld,
            };
            sink(context, &out);
        }
    }
}

static rg_outcome statistics(struct referral *office, const struct question *question,
                             referral_figure_sink sink, void *context, struct rg_reason *why)
{
    RG_OWNED_FIGURES figures = NULL;
    struct rg_figure_shape shape = {labels_of(question->column[0]), labels_of(question->column[1])};
    RG_TRY(rg_figures_new(&shape, &figures, why));
    RG_TRY(count_all(office, question, figures, why));
    tell(question, figures, sink, context);
    return rg_ok();
}

struct referral_result referral_statistics(struct referral *office, const char *by, int year,
                                           referral_figure_sink sink, void *context)
{
    struct rg_reason why = {0};
    struct question question;
    rg_outcome outcome = question_read(by, year, rg_office_today(office), &question, &why);
    if (!rg_is_ok(outcome)) {
        struct referral_result result = rg_result(outcome, &why);
        result.code = REFERRAL_USAGE;
        return result;
    }
    return rg_result(statistics(office, &question, sink, context, &why), &why);
}
