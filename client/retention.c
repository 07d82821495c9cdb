/* How it works: one table has the terms. A due day is the calendar term or the configured days,
 * whichever comes first, and never before the end of a hold. Invariant: no input of this module
 * but a hold moves a due day later, and a hold names two officers. */
#include "client/retention.h"

#include <string.h>

#define DAY_MS INT64_C(86400000)

static const char closed[] = "the day the case was closed";

static const struct rg_retention_row rows[RG_TERM_COUNT] = {
    [RG_CLASS_CASE] = {"case", 24, 730, closed},
    [RG_CLASS_IDENTITY] = {"identity", 24, 730, closed},
    [RG_CLASS_FAMILY] = {"family", 6, 181, closed},
    [RG_CLASS_HEALTH] = {"health", 6, 181, closed},
    [RG_CLASS_LEGAL] = {"legal", 12, 365,
                        "the end of the proceedings, at the earliest the closing"},
    [RG_CLASS_SECURITY] = {"security", 6, 181, closed},
    [RG_TERM_DECLINED] = {"declined", 0, 30, "the day it was declined or cancelled"},
    [RG_TERM_NOT_VICTIM] = {"not_a_victim", 0, 30, "the day that was found"},
    [RG_TERM_SEALED] = {"sealed", 0, RG_MESSAGE_DAYS_MAX, "the day the message was made"},
};

const struct rg_retention_row *rg_retention_row(unsigned term)
{
    return term >= 1 && term < RG_TERM_COUNT ? &rows[term] : NULL;
}

const char *rg_retention_end_name(enum rg_retention_end end)
{
    static const char *const name[] = {"open", "closed", "declined", "cancelled", "not-a-victim"};
    return (unsigned)end < sizeof(name) / sizeof(name[0]) ? name[end] : "open";
}

/* ---- terms ---- */

static rg_outcome term_read(const rg_group *group, unsigned term, uint32_t *days_out,
                            struct rg_reason *why)
{
    const struct rg_retention_row *row = &rows[term];
    int64_t fallback = (int64_t)row->days * DAY_MS;
    int64_t span = 0;
    if (!rg_settings_has(group, row->name)) {
        return rg_ok();
    }
    RG_TRY(rg_settings_span_ms_or(group, row->name, fallback, &span, why));
    RG_CHECK(span <= fallback, why, RG_MALFORMED, "retention-longer",
             "retention.%s may be at most %ud: a file can only shorten it; longer needs the "
             "signatures of two officers for one case",
             row->name, row->days);
    *days_out = span < DAY_MS ? 1 : (uint32_t)(span / DAY_MS);
    return rg_ok();
}

rg_outcome rg_retention_terms_read(const rg_group *root, struct rg_retention_terms *out,
                                   struct rg_reason *why)
{
    const rg_group *group = NULL;
    const char *known[RG_TERM_COUNT];
    struct rg_retention_terms terms = {0};
    if (!rg_settings_has(root, "retention")) {
        *out = terms;
        return rg_ok();
    }
    for (unsigned term = 1; term < RG_TERM_COUNT; term++) {
        known[term - 1] = rows[term].name;
    }
    RG_TRY(rg_settings_group(root, "retention", &group, why));
    RG_TRY(rg_settings_known(group, known, RG_TERM_COUNT - 1, why));
    for (unsigned term = 1; term < RG_TERM_COUNT; term++) {
        RG_TRY(term_read(group, term, &terms.days[term], why));
    }
    *out = terms;
    return rg_ok();
}

/* ---- days ---- */

/* Days since 1970 of a day of the common era (Hinnant's days_from_civil). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int month_days(int year, int month)
{
    int next_month = month == 12 ? 1 : month + 1;
    int next_year = month == 12 ? year + 1 : year;
    return (int)(days_of(next_year, next_month, 1) - days_of(year, month, 1));
}

struct rg_wall rg_wall_months_later(struct rg_wall wall, unsigned months)
{
    struct rg_date date = rg_date_of_wall(wall);
    int month = date.month - 1 + (int)months;
    int year = date.year + month / 12;
    month = month % 12 + 1;
    int last = month_days(year, month);
    int64_t days = days_of(year, month, date.day < last ? date.day : last);
    int64_t of_day = wall.ms - days_of(date.year, date.month, date.day) * DAY_MS;
    return (struct rg_wall){days * DAY_MS + of_day};
}

struct rg_wall rg_wall_of_date(struct rg_date last_day)
{
    bool whole = last_day.year > 0 && last_day.month > 0 && last_day.day > 0;
    int64_t days = whole ? days_of(last_day.year, last_day.month, last_day.day) + 1 : 0;
    return (struct rg_wall){days * DAY_MS};
}

static struct rg_wall earlier(struct rg_wall a, struct rg_wall b)
{
    return a.ms < b.ms ? a : b;
}

static struct rg_wall later(struct rg_wall a, struct rg_wall b)
{
    return a.ms > b.ms ? a : b;
}

/* The end of a term that began then. */
static struct rg_wall term_end(const struct rg_retention_terms *terms, unsigned term,
                               struct rg_wall since)
{
    const struct rg_retention_row *row = &rows[term];
    uint32_t days = terms->days[term] != 0 ? terms->days[term] : row->days;
    struct rg_wall counted = {since.ms + (int64_t)days * DAY_MS};
    if (row->months == 0) {
        return counted;
    }
    struct rg_wall calendar = rg_wall_months_later(since, row->months);
    return terms->days[term] != 0 ? earlier(counted, calendar) : calendar;
}

/* ---- what is due ---- */

static struct rg_wall class_due(const struct rg_retention_terms *terms,
                                const struct rg_retention_case *c, enum rg_class class_)
{
    switch (c->end) {
    case RG_END_NONE:
        return (struct rg_wall){0};
    case RG_END_DECLINED:
    case RG_END_CANCELLED:
        return term_end(terms, RG_TERM_DECLINED, c->since);
    case RG_END_NOT_VICTIM:
        return term_end(terms, RG_TERM_NOT_VICTIM, c->since);
    case RG_END_CLOSED:
        break;
    }
    struct rg_wall from = class_ == RG_CLASS_LEGAL ? later(c->since, c->proceedings_end) : c->since;
    return term_end(terms, (unsigned)class_, from);
}

struct rg_retention_due rg_retention_due(const struct rg_retention_terms *terms,
                                         const struct rg_retention_case *c,
                                         const struct rg_retention_note *note)
{
    struct rg_retention_due due = {0};
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        /* What was erased before the end may have come again since. */
        if ((c->erased_classes & RG_CLASS_BIT(class_)) != 0 &&
            note->erased[class_].at.ms >= c->since.ms) {
            continue;
        }
        struct rg_wall at = class_due(terms, c, (enum rg_class)class_);
        due.at[class_] = at.ms != 0 ? later(at, note->hold[class_].until) : at;
    }
    return due;
}

unsigned rg_retention_now(const struct rg_retention_due *due, struct rg_wall now)
{
    unsigned classes = 0;
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        bool is_due = due->at[class_].ms != 0 && due->at[class_].ms <= now.ms;
        classes |= is_due ? RG_CLASS_BIT(class_) : 0;
    }
    return classes;
}

struct rg_wall rg_retention_sealed(const struct rg_retention_terms *terms, struct rg_wall made)
{
    return term_end(terms, RG_TERM_SEALED, made);
}

/* ---- the note of a case ---- */

rg_outcome rg_retention_hold_set(struct rg_retention_note *note,
                                 const struct rg_retention_hold *hold, struct rg_wall now,
                                 struct rg_reason *why)
{
    RG_CHECK(hold->class_ >= 1 && hold->class_ <= RG_CLASS_COUNT && hold->basis[0] != '\0' &&
                 hold->until.ms > now.ms,
             why, RG_DENIED, "retention-hold",
             "keeping something longer needs a class, a legal basis and a day to come");
    RG_CHECK(hold->officer[0][0] != '\0' && hold->officer[1][0] != '\0' &&
                 strcmp(hold->officer[0], hold->officer[1]) != 0,
             why, RG_DENIED, "retention-officers",
             "keeping something longer needs the signatures of two different officers");
    RG_CHECK(hold->until.ms >= note->hold[hold->class_].until.ms, why, RG_DENIED, "retention-hold",
             "it is kept longer than that already");
    note->hold[hold->class_] = *hold;
    return rg_ok();
}

#define NOTE_VERSION 1
#define LINE_BYTES (8 + 8 + 8 + RG_BASIS_BYTES + 2 * RG_PRINCIPAL_BYTES)

static rg_outcome put_number(struct rg_buffer *out, int64_t value, struct rg_reason *why)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    }
    return rg_buffer_append(out, rg_bytes_of(bytes, sizeof(bytes)), why);
}

static int64_t get_number(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) {
        value = value << 8 | bytes[i];
    }
    return (int64_t)value;
}

/* Fixed places: the note's length says nothing. */
rg_outcome rg_retention_note_encode(const struct rg_retention_note *note, struct rg_buffer *out,
                                    struct rg_reason *why)
{
    RG_TRY(put_number(out, NOTE_VERSION, why));
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        const struct rg_retention_hold *hold = &note->hold[class_];
        RG_TRY(put_number(out, note->erased[class_].at.ms, why));
        RG_TRY(put_number(out, (int64_t)note->erased[class_].reason, why));
        RG_TRY(put_number(out, hold->until.ms, why));
        RG_TRY(rg_buffer_append(out, rg_bytes_of(hold->basis, sizeof(hold->basis)), why));
        RG_TRY(rg_buffer_append(out, rg_bytes_of(hold->officer, sizeof(hold->officer)), why));
    }
    return rg_ok();
}

static void hold_read(const uint8_t *at, struct rg_retention_hold *out)
{
    memcpy(out->basis, at, sizeof(out->basis));
    memcpy(out->officer, at + sizeof(out->basis), sizeof(out->officer));
    out->basis[sizeof(out->basis) - 1] = '\0';
    out->officer[0][sizeof(out->officer[0]) - 1] = '\0';
    out->officer[1][sizeof(out->officer[1]) - 1] = '\0';
}

rg_outcome rg_retention_note_decode(struct rg_bytes bytes, struct rg_retention_note *out,
                                    struct rg_reason *why)
{
    struct rg_retention_note note = {0};
    RG_CHECK(bytes.len == 8 + RG_CLASS_COUNT * LINE_BYTES && get_number(bytes.data) == NOTE_VERSION,
             why, RG_BROKEN, "casebook-form",
             "a part of the casebook is damaged; restore the folder from a backup");
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        const uint8_t *at = bytes.data + 8 + (class_ - 1) * LINE_BYTES;
        note.erased[class_].at.ms = get_number(at);
        note.erased[class_].reason = (enum rg_erasure_reason)get_number(at + 8);
        note.hold[class_].class_ = (enum rg_class)class_;
        note.hold[class_].until.ms = get_number(at + 16);
        hold_read(at + 24, &note.hold[class_]);
    }
    *out = note;
    return rg_ok();
}
