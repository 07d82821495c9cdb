/* How it works: preloaded (LD_PRELOAD) into the programs under test, it moves the wall clock by the
 * seconds in RG_CLOCK_SHIFT_S, so that a test sees the day on which something ends. The programs
 * themselves know no such switch. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void)
{
    const char *text = getenv("RG_CLOCK_SHIFT_S");
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

#define SHOWN __attribute__((visibility("default")))
#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (real == NULL) {                                                                            \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                 \
    }

SHOWN int clock_gettime(clockid_t clock, struct timespec *out)
{
    REAL(clock_gettime)
    int result = real(clock, out);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        out->tv_sec += shift();
    }
    return result;
}

SHOWN time_t time(time_t *out)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

SHOWN int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    REAL(gettimeofday)
    int result = real(out, zone);
    if (result == 0) {
        out->tv_sec += shift();
    }
    return result;
}
