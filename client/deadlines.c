/* How it works: a country is a set of bits, one for each day from 2000 to 2099: set when nobody
 * works. The file's weekend, yearly and single holidays are turned into that set once, so that
 * looking at 100,000 cases costs one bit for each day. Counting stops where the answer cannot
 * change any more. */
#include "client/deadlines.h"

#include "core/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_BYTES_MAX (256 * RG_KIB)
#define HOLIDAYS_MAX 1000
#define KIND_MAX 128
#define AMOUNT_MAX 1000
#define USED_MAX 1000u  /* per cent */
#define FIRST_DAY 10957 /* 2000-01-01, days since 1970 */
#define DAYS 36525      /* to the end of 2099 */
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

struct calendar {
    char code[RG_COUNTRY_BYTES]; /* "": any other country */
    int zone_minutes;
    unsigned weekend; /* bit 0: Monday */
    uint8_t off[(DAYS + 7) / 8];
};

struct rg_deadlines {
    struct rg_span span[KIND_MAX];
    unsigned reminder, late, escalated; /* per cent */
    size_t count;
    struct calendar *country; /* `count` of them, then one for all others */
};

/* ---- days ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

/* Days since 1970 of a day of the Gregorian calendar (March is the first month of the count). */
static int64_t day_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned weekday(int64_t day) /* 0: Monday; 1970-01-01 was a Thursday */
{
    return (unsigned)(((day + 3) % 7 + 7) % 7);
}

static void off_set(struct calendar *calendar, int64_t day)
{
    int64_t at = day - FIRST_DAY;
    if (at >= 0 && at < DAYS) {
        calendar->off[at / 8] |= (uint8_t)(1u << (unsigned)(at % 8));
    }
}

static bool works(const struct calendar *calendar, int64_t day)
{
    int64_t at = day - FIRST_DAY;
    if (at < 0 || at >= DAYS) {
        return (calendar->weekend >> weekday(day) & 1u) == 0;
    }
    return ((unsigned)calendar->off[at / 8] >> (unsigned)(at % 8) & 1u) == 0;
}

static void weekend_set(struct calendar *calendar)
{
    for (int64_t at = 0; at < DAYS; at++) {
        if ((calendar->weekend >> weekday(FIRST_DAY + at) & 1u) != 0) {
            off_set(calendar, FIRST_DAY + at);
        }
    }
}

/* ---- spans ---- */

bool rg_span_parse(const char *text, struct rg_span *out)
{
    static const struct {
        const char *unit;
        enum rg_deadline_unit is;
    } units[] = {
        {"wd", RG_DEADLINE_WORKING_DAYS}, {"d", RG_DEADLINE_DAYS}, {"h", RG_DEADLINE_HOURS}};
    char *end = NULL;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    unsigned long amount = strtoul(text, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].unit) == 0 && amount >= 1 && amount <= AMOUNT_MAX) {
            *out = (struct rg_span){.amount = (unsigned)amount, .unit = units[i].is};
            return true;
        }
    }
    return false;
}

static struct rg_span span_default(const struct rg_kind_row *row)
{
    if (row->number == RG_KIND_ACCEPT) { /* the details that its sender owes */
        return (struct rg_span){.amount = 1, .unit = RG_DEADLINE_WORKING_DAYS};
    }
    return (struct rg_span){.amount = row->deadline, .unit = row->unit};
}

struct rg_span rg_deadlines_span(const struct rg_deadlines *deadlines, uint32_t kind)
{
    return kind < KIND_MAX ? deadlines->span[kind] : (struct rg_span){0};
}

/* ---- the clock ---- */

static const struct calendar *calendar_of(const struct rg_deadlines *deadlines, const char *country)
{
    for (size_t i = 0; i < deadlines->count; i++) {
        if (strcmp(deadlines->country[i].code, country) == 0) {
            return &deadlines->country[i];
        }
    }
    return &deadlines->country[deadlines->count];
}

static unsigned per_cent(int64_t used_ms, int64_t whole_ms)
{
    if (used_ms <= 0) {
        return 0;
    }
    return used_ms / whole_ms >= USED_MAX / 100 ? USED_MAX : (unsigned)(used_ms * 100 / whole_ms);
}

/* Walks local days; time on working days is counted. Ends when due and per cent are both known. */
static struct rg_deadline_clock count_working(const struct calendar *calendar, unsigned days,
                                              struct rg_wall since, struct rg_wall now)
{
    const int64_t zone_ms = calendar->zone_minutes * MINUTE_MS;
    const int64_t whole = days * DAY_MS;
    struct rg_deadline_clock clock = {0};
    int64_t counted = 0;
    int64_t used = 0;
    int64_t at = since.ms + zone_ms; /* local */
    const int64_t local_now = now.ms + zone_ms;
    for (int64_t step = 0; step < DAYS; step++) {
        int64_t end = (floor_div(at, DAY_MS) + 1) * DAY_MS;
        bool works_here = works(calendar, floor_div(at, DAY_MS));
        int64_t part = works_here ? end - at : 0;
        if (clock.due.ms == 0 && works_here && counted + part >= whole) {
            clock.due.ms = at + (whole - counted) - zone_ms;
        }
        if (local_now > at) {
            used += works_here ? (local_now < end ? local_now : end) - at : 0;
        }
        counted += part;
        at = end;
        bool known = at >= local_now || used >= (int64_t)(USED_MAX / 100) * whole;
        if (clock.due.ms != 0 && known) {
            break;
        }
    }
    clock.used = per_cent(used, whole);
    return clock;
}

struct rg_deadline_clock rg_deadlines_clock(const struct rg_deadlines *deadlines,
                                            struct rg_span span, const char *country,
                                            struct rg_wall since, struct rg_wall now)
{
    if (span.unit == RG_DEADLINE_NONE || span.amount == 0 || since.ms <= 0) {
        return (struct rg_deadline_clock){0};
    }
    if (span.unit == RG_DEADLINE_WORKING_DAYS) {
        return count_working(calendar_of(deadlines, country), span.amount, since, now);
    }
    int64_t whole = span.amount * (span.unit == RG_DEADLINE_DAYS ? DAY_MS : HOUR_MS);
    return (struct rg_deadline_clock){.due = {since.ms + whole},
                                      .used = per_cent(now.ms - since.ms, whole)};
}

enum rg_deadline_level rg_deadlines_level(const struct rg_deadlines *deadlines,
                                          const struct rg_deadline_clock *clock)
{
    if (clock->due.ms == 0 || clock->used < deadlines->reminder) {
        return RG_LEVEL_NONE;
    }
    if (clock->used < deadlines->late) {
        return RG_LEVEL_REMINDER;
    }
    return clock->used < deadlines->escalated ? RG_LEVEL_LATE : RG_LEVEL_ESCALATED;
}

const char *rg_deadline_level_name(enum rg_deadline_level level)
{
    static const char *const name[] = {
        [RG_LEVEL_NONE] = "none",
        [RG_LEVEL_REMINDER] = "reminder",
        [RG_LEVEL_LATE] = "late",
        [RG_LEVEL_ESCALATED] = "escalated",
    };
    return (unsigned)level <= RG_LEVEL_ESCALATED ? name[level] : "unknown";
}

bool rg_deadlines_works(const struct rg_deadlines *deadlines, const char *country,
                        struct rg_date day)
{
    return works(calendar_of(deadlines, country), day_of(day.year, day.month, day.day));
}

static int zone_default(const char *country)
{
    if (strcmp(country, "mm") == 0) {
        return 6 * 60 + 30;
    }
    return strcmp(country, "cn") == 0 ? 8 * 60 : 7 * 60;
}

int rg_deadlines_zone(const struct rg_deadlines *deadlines, const char *country)
{
    const struct calendar *calendar = calendar_of(deadlines, country);
    return calendar->code[0] != '\0' ? calendar->zone_minutes : zone_default(country);
}

/* ---- made, read, freed ---- */

#define SATURDAY_SUNDAY (1u << 5 | 1u << 6)

static const char *const usual[] = {"kh", "cn", "la", "mm", "th", "vn"};
#define USUAL (sizeof(usual) / sizeof(usual[0]))

static void calendar_make(struct calendar *out, const char *code)
{
    *out = (struct calendar){.zone_minutes = zone_default(code), .weekend = SATURDAY_SUNDAY};
    (void)snprintf(out->code, sizeof(out->code), "%s", code);
}

/* NULL: no memory. */
static struct rg_deadlines *make(size_t countries)
{
    struct rg_deadlines *made = calloc(1, sizeof(*made));
    struct calendar *country = calloc(countries + 1, sizeof(*country));
    if (made == NULL || country == NULL) {
        free(country);
        free(made);
        return NULL;
    }
    *made = (struct rg_deadlines){
        .reminder = 50, .late = 100, .escalated = 150, .count = countries, .country = country};
    size_t count = 0;
    const struct rg_kind_row *row = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        RG_ASSERT(row[i].number < KIND_MAX);
        made->span[row[i].number] = span_default(&row[i]);
    }
    calendar_make(&country[countries], "");
    weekend_set(&country[countries]);
    return made;
}

rg_outcome rg_deadlines_new(struct rg_deadlines **out, struct rg_reason *why)
{
    struct rg_deadlines *made = make(USUAL);
    RG_CHECK(made != NULL, why, RG_IO, "out-of-memory", "out of memory");
    for (size_t i = 0; i < USUAL; i++) {
        calendar_make(&made->country[i], usual[i]);
        weekend_set(&made->country[i]);
    }
    *out = made;
    return rg_ok();
}

void rg_deadlines_free(struct rg_deadlines *deadlines)
{
    if (deadlines != NULL) {
        free(deadlines->country);
        free(deadlines);
    }
}

void rg_deadlines_cleanup(struct rg_deadlines **deadlines)
{
    rg_deadlines_free(*deadlines);
    *deadlines = NULL;
}

static rg_outcome bad(const char *what, struct rg_reason *why)
{
    return rg_fail(why, RG_MALFORMED, "deadlines-form", "deadlines: %s", what);
}

static const struct rg_kind_row *kind_named(const char *name)
{
    size_t count = 0;
    const struct rg_kind_row *row = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(row[i].name, name) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

static rg_outcome answers_read(const rg_group *root, struct rg_deadlines *out,
                               struct rg_reason *why)
{
    static const char *const names[] = {"to", "within"};
    size_t count = 0;
    RG_TRY(rg_settings_list_size(root, "answers", KIND_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const rg_group *group = NULL;
        const char *to = NULL;
        const char *within = NULL;
        RG_TRY(rg_settings_list_group(root, "answers", i, &group, why));
        RG_TRY(rg_settings_known(group, names, sizeof(names) / sizeof(names[0]), why));
        RG_TRY(rg_settings_text(group, "to", &to, why));
        RG_TRY(rg_settings_text(group, "within", &within, why));
        const struct rg_kind_row *row = kind_named(to);
        RG_CHECK(row != NULL, why, RG_MALFORMED, "deadlines-kind",
                 "deadlines: answers, entry %zu: there is no such kind; see: referral kinds",
                 i + 1);
        if (strcmp(within, "none") == 0) {
            out->span[row->number] = (struct rg_span){0};
            continue;
        }
        RG_CHECK(rg_span_parse(within, &out->span[row->number]), why, RG_MALFORMED,
                 "deadlines-form",
                 "deadlines: %s: within is working days \"5wd\", days \"30d\", hours \"4h\" or "
                 "\"none\"",
                 row->name);
    }
    return rg_ok();
}

static bool zone_parse(const char *text, int *out)
{
    size_t len = strlen(text);
    bool form = len == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
                isdigit((unsigned char)text[1]) && isdigit((unsigned char)text[2]) &&
                isdigit((unsigned char)text[4]) && isdigit((unsigned char)text[5]);
    if (!form) {
        return false;
    }
    int minutes =
        ((text[1] - '0') * 10 + text[2] - '0') * 60 + (text[4] - '0') * 10 + text[5] - '0';
    *out = text[0] == '-' ? -minutes : minutes;
    return minutes <= 14 * 60;
}

static rg_outcome weekend_read(const rg_group *group, struct calendar *out, struct rg_reason *why)
{
    static const char *const day[] = {"monday", "tuesday",  "wednesday", "thursday",
                                      "friday", "saturday", "sunday"};
    size_t count = 0;
    if (!rg_settings_has(group, "weekend")) {
        return rg_ok();
    }
    RG_TRY(rg_settings_list_size(group, "weekend", 6, &count, why));
    out->weekend = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        unsigned at = 0;
        RG_TRY(rg_settings_list_text(group, "weekend", i, &name, why));
        while (at < 7 && strcmp(day[at], name) != 0) {
            at++;
        }
        RG_CHECK(at < 7, why, RG_MALFORMED, "deadlines-form",
                 "deadlines: weekend holds monday, tuesday, ... sunday");
        out->weekend |= 1u << at;
    }
    return rg_ok();
}

/* "2026-04-13", or "12-05" for every year. */
static bool holiday_set(const char *text, struct calendar *out)
{
    struct rg_date date;
    char whole[16];
    if (strlen(text) == 10) {
        bool good = rg_date_parse(rg_bytes_of_text(text), &date) && date.day != 0;
        if (good) {
            off_set(out, day_of(date.year, date.month, date.day));
        }
        return good;
    }
    (void)snprintf(whole, sizeof(whole), "2000-%.8s", text); /* a leap year: 02-29 is a day */
    if (strlen(text) != 5 || !rg_date_parse(rg_bytes_of_text(whole), &date) || date.day == 0) {
        return false;
    }
    for (int year = 2000; year < 2100; year++) {
        off_set(out, day_of(year, date.month, date.day));
    }
    return true;
}

static rg_outcome country_read(const rg_group *group, struct calendar *out, struct rg_reason *why)
{
    static const char *const names[] = {"code", "zone", "weekend", "holidays"};
    const char *code = NULL;
    const char *zone = NULL;
    size_t count = 0;
    RG_TRY(rg_settings_known(group, names, sizeof(names) / sizeof(names[0]), why));
    RG_TRY(rg_settings_text(group, "code", &code, why));
    RG_CHECK(code[0] != '\0' && strlen(code) < RG_COUNTRY_BYTES, why, RG_MALFORMED,
             "deadlines-country", "deadlines: a country's code is as in office names: \"la\"");
    calendar_make(out, code);
    RG_TRY(rg_settings_text_or(group, "zone", "", &zone, why));
    if (zone[0] != '\0' && !zone_parse(zone, &out->zone_minutes)) {
        return bad("zone is as in \"+06:30\"", why);
    }
    RG_TRY(weekend_read(group, out, why));
    weekend_set(out);
    RG_TRY(rg_settings_list_size(group, "holidays", HOLIDAYS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const char *day = NULL;
        RG_TRY(rg_settings_list_text(group, "holidays", i, &day, why));
        if (!holiday_set(day, out)) {
            return bad("a holiday is a day \"2026-04-13\", or \"12-02\" for every year", why);
        }
    }
    return rg_ok();
}

static rg_outcome per_cent_read(const rg_group *root, const char *name, unsigned *out,
                                struct rg_reason *why)
{
    uint64_t value = 0;
    if (!rg_settings_has(root, name)) {
        return rg_ok();
    }
    RG_TRY(rg_settings_count(root, name, &value, why));
    if (value < 1 || value > USED_MAX) {
        return bad("a level is 1 to 1000 per cent", why);
    }
    *out = (unsigned)value;
    return rg_ok();
}

static rg_outcome contents_read(const rg_group *root, struct rg_deadlines *out,
                                struct rg_reason *why)
{
    RG_TRY(per_cent_read(root, "reminder", &out->reminder, why));
    RG_TRY(per_cent_read(root, "late", &out->late, why));
    RG_TRY(per_cent_read(root, "escalated", &out->escalated, why));
    if (out->reminder > out->late || out->late > out->escalated) {
        return bad("reminder, late, escalated must not fall", why);
    }
    RG_TRY(answers_read(root, out, why));
    for (size_t i = 0; i < out->count; i++) {
        const rg_group *group = NULL;
        RG_TRY(rg_settings_list_group(root, "countries", i, &group, why));
        RG_TRY(country_read(group, &out->country[i], why));
    }
    return rg_ok();
}

static rg_outcome root_read(const rg_group *root, struct rg_deadlines **out, struct rg_reason *why)
{
    static const char *const names[] = {"format",    "reminder", "late",
                                        "escalated", "answers",  "countries"};
    const char *format = NULL;
    size_t count = 0;
    RG_TRY(rg_settings_known(root, names, sizeof(names) / sizeof(names[0]), why));
    RG_TRY(rg_settings_text(root, "format", &format, why));
    if (strcmp(format, "referral-deadlines-1") != 0) {
        return bad("format must be \"referral-deadlines-1\"", why);
    }
    RG_TRY(rg_settings_list_size(root, "countries", RG_COUNTRIES_MAX, &count, why));
    struct rg_deadlines *made = make(count);
    RG_CHECK(made != NULL, why, RG_IO, "out-of-memory", "out of memory");
    rg_outcome outcome = contents_read(root, made, why);
    if (!rg_is_ok(outcome)) {
        rg_deadlines_free(made);
        return outcome;
    }
    *out = made;
    return outcome;
}

rg_outcome rg_deadlines_read(struct rg_bytes text, struct rg_deadlines **out, struct rg_reason *why)
{
    RG_OWNED_SETTINGS *settings = NULL;
    RG_TRY(rg_settings_parse(text, CONFIG_BYTES_MAX, &settings, why));
    return root_read(rg_settings_root(settings), out, why);
}
