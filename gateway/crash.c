/* How it works: the variables are read once; a pass of the named point counts down, once the file
 * of RG_CRASH_AFTER is there, so that a test decides what is under way; at zero SIGKILL, so that
 * nothing of the process runs any more. main clears the variable after the first death. */
#include "gateway/crash.h"

#ifdef RG_CRASH_POINTS
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_named(const char *wanted, const char *point)
{
    size_t len = strlen(point);
    return wanted != NULL && strncmp(wanted, point, len) == 0 &&
           (wanted[len] == ':' || wanted[len] == '\0');
}

void rg_crash_point(const char *point)
{
    static bool read;
    static const char *wanted;
    static const char *after;
    static long passes;
    if (!read) {
        read = true;
        wanted = getenv("RG_CRASH_AT");
        after = getenv("RG_CRASH_AFTER");
        const char *colon = wanted == NULL ? NULL : strchr(wanted, ':');
        passes = colon == NULL ? 1 : strtol(colon + 1, NULL, 10);
    }
    if (!is_named(wanted, point) || (after != NULL && access(after, F_OK) != 0)) {
        return;
    }
    if (--passes == 0) {
        (void)raise(SIGKILL);
    }
}
#else
/* A file must declare something. */
typedef int rg_crash_nothing;
#endif
