/*
 * NAME
 *   dates - a date of birth as people write it: day first, native digits, Buddhist years
 *
 * SYNOPSIS
 *   rg_birth_read(text, today, &birth, why)
 *   birth.date, birth.precision, birth.calendar, birth.as_written
 *
 * DESCRIPTION
 *   Read are YYYY, MM/YYYY, DD/MM/YYYY and YYYY[-MM[-DD]], with '/', '-', '.' or a blank between
 * the parts, also 1994年3月15日; digits of any of the six countries' scripts. The day stands before
 * the month, as all six write it; nothing is read month first. A year of four digits up to the next
 * one is of the common era; one that is 543 higher is Buddhist, and so is what says so (พ.ศ., ພ.ສ.,
 * ព.ស., B.E.). Everything else is refused with what to ask: two digits of a year, a year that is
 * neither, and Buddhist years before 2484, when the Thai year began in April.
 *   What was read so is kept as written beside the date (dob_as_said, dob_calendar).
 *   An age in years is not a date, and is never made into one: in Viet Nam and China it may be
 * counted tuổi mụ or xusui, one or two years more. rg_age_is_counted tells such words.
 *
 * ERRORS
 *   RG_MALFORMED field-value: what is allowed, never the value.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_DATES_H
#define RG_CLIENT_DATES_H

#include "client/htcds.h"

struct rg_birth {
    struct rg_date date;   /* of the common era */
    const char *precision; /* a code of dob_precision: day, month, year */
    const char *calendar;  /* a code of dob_calendar: common-era, buddhist */
    bool as_written;       /* it was not written YYYY[-MM[-DD]] of the common era: keep the words */
};

/* `text` is in NFC, without outer blanks, not empty. */
RG_MUST_USE rg_outcome rg_birth_read(struct rg_bytes text, struct rg_date today,
                                     struct rg_birth *birth_out, struct rg_reason *why);
/* "1994-03", as precise as the date is. */
#define RG_DATE_BYTES 40
void rg_date_text(struct rg_date date, char out[RG_DATE_BYTES]);
/* Whole years between a birth, as far as it is known, and `today`; the least that they can be. */
int rg_age_at_least(struct rg_date birth, struct rg_date today);
/* Words that count an age the traditional way are in it. `as_said` is lawful text. */
RG_MUST_USE rg_outcome rg_age_is_counted(struct rg_bytes as_said, bool *counted_out,
                                         struct rg_reason *why);

#endif
