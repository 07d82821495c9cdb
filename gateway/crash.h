/*
 * NAME
 *   crash - a process that kills itself at a chosen step, for tests
 *
 * SYNOPSIS
 *   RG_CRASH_AT=append:3 referral-gateway run ...      dies as by kill -9 at the third pass
 *   rg_crash_point("append")                           in the code, between two steps
 *
 * DESCRIPTION
 *   The points, in order of a batch: commit (rows are committed, nothing is signed), append (the
 * notary's tree has grown in memory), persist (its state is on the disk), sign (the head is signed,
 * not yet answered), answer (before the notary answers), head (the courier has the head, no answer
 * is out). With RG_CRASH_AFTER=FILE passes count only once that file exists. Without the build
 * option RG_CRASH_POINTS a point is nothing at all and the variable is never read.
 */
#ifndef RG_GATEWAY_CRASH_H
#define RG_GATEWAY_CRASH_H

#ifdef RG_CRASH_POINTS
void rg_crash_point(const char *point);
#else
static inline void rg_crash_point(const char *point)
{
    (void)point;
}
#endif

#endif
