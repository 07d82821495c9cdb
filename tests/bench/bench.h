/*
 * NAME
 *   bench - one JSON line per figure, on standard output
 *
 *   {"name":...,"value":...,"unit":...,"limit":...,"ratio":...}: `limit` is what the same machine
 * could do at best, measured in the same run (or the budget, where the figure is a size); `ratio`
 * is value / limit.
 */
#ifndef RG_TESTS_BENCH_BENCH_H
#define RG_TESTS_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline double bench_now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void bench_line(const char *name, double value, const char *unit, double limit)
{
    (void)printf("{\"name\":\"%s\",\"value\":%.4g,\"unit\":\"%s\",\"limit\":%.4g,\"ratio\":%.3f}\n",
                 name, value, unit, limit, limit > 0 ? value / limit : 0);
    (void)fflush(stdout);
}

#endif
