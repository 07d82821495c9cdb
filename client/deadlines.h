/*
 * NAME
 *   deadlines - how long an answer may take, in the days of the country that owes it
 *
 * SYNOPSIS
 *   rg_deadlines_new(&deadlines, why)               those of the catalogue, no holidays
 *   rg_deadlines_read(text, &deadlines, why)        conf/deadlines.cfg
 *   span = rg_deadlines_span(deadlines, kind)       for the answer to a message of that kind
 *   clock = rg_deadlines_clock(deadlines, span, "la", since, now)    due, per cent used
 *   level = rg_deadlines_level(deadlines, &clock)   none, reminder, late, escalated
 *   rg_deadlines_free(deadlines)
 *
 * DESCRIPTION
 *   A span is working days, days or hours. Working days are counted in the country that must move:
 * its weekend, its holidays, its local midnight. Only time on working days counts, so what arrives
 * on a Saturday begins to count on Monday; a span begun on a Friday at 15:00 with one working day
 * ends on Monday at 15:00. Both focal points compute the same from the same messages, when they
 * use the same file.
 *   Levels: at 50 per cent the desk is reminded, at 100 its focal point, at 150 the other country's
 * (the file may say other numbers). A level is something to show; nothing moves by it.
 *   The file: format "referral-deadlines-1", lists `answers` and `countries`, see
 * conf/deadlines.cfg.
 *
 * ERRORS
 *   RG_MALFORMED settings-*, deadlines-form, deadlines-kind, deadlines-country.
 *
 * THREADS
 *   Pure: time is given.
 *
 * LIMITS
 *   RG_COUNTRIES_MAX countries; holidays from 2000 to 2099. A country not in the file: Saturday and
 *   Sunday, no holidays, +07:00 (mm +06:30, cn +08:00).
 */
#ifndef RG_CLIENT_DEADLINES_H
#define RG_CLIENT_DEADLINES_H

#include "client/message.h"

struct rg_span {
    unsigned amount;
    enum rg_deadline_unit unit;
};
struct rg_deadlines;

RG_MUST_USE rg_outcome rg_deadlines_new(struct rg_deadlines **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_deadlines_read(struct rg_bytes text, struct rg_deadlines **out,
                                         struct rg_reason *why);
void rg_deadlines_free(struct rg_deadlines *deadlines); /* NULL is fine */
void rg_deadlines_cleanup(struct rg_deadlines **deadlines);
#define RG_OWNED_DEADLINES RG_CLEANUP(rg_deadlines_cleanup) struct rg_deadlines

/* "5wd", "30d", "4h". */
bool rg_span_parse(const char *text, struct rg_span *out);
struct rg_span rg_deadlines_span(const struct rg_deadlines *deadlines, uint32_t kind);

struct rg_deadline_clock {
    struct rg_wall due; /* 0: no deadline */
    unsigned used;      /* per cent, at most 1000 */
};
struct rg_deadline_clock rg_deadlines_clock(const struct rg_deadlines *deadlines,
                                            struct rg_span span, const char *country,
                                            struct rg_wall since, struct rg_wall now);

enum rg_deadline_level {
    RG_LEVEL_NONE,
    RG_LEVEL_REMINDER,  /* to the desk whose move it is */
    RG_LEVEL_LATE,      /* to the focal point whose move it is */
    RG_LEVEL_ESCALATED, /* to the other country's focal point too */
};
enum rg_deadline_level rg_deadlines_level(const struct rg_deadlines *deadlines,
                                          const struct rg_deadline_clock *clock);
const char *rg_deadline_level_name(enum rg_deadline_level level); /* "none", "reminder", ... */

bool rg_deadlines_works(const struct rg_deadlines *deadlines, const char *country,
                        struct rg_date day); /* a working day there */
/* Minutes east of Greenwich. */
int rg_deadlines_zone(const struct rg_deadlines *deadlines, const char *country);

#endif
