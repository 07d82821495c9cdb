/* How it works: the variable is read once; a pass of the named point counts down; at zero SIGKILL,
 * so that nothing of the process runs any more. main clears the variable after the first death. */
#include "gateway/crash.h"

#ifdef RG_CRASH_POINTS
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void rg_crash_point(const char *point)
{
    static bool read;
    static const char *wanted;
    static long passes;
    if (!read) {
        read = true;
        wanted = getenv("RG_CRASH_AT");
        const char *colon = wanted == NULL ? NULL : strchr(wanted, ':');
        passes = colon == NULL ? 1 : strtol(colon + 1, NULL, 10);
    }
    if (wanted == NULL || strncmp(wanted, point, strlen(point)) != 0) {
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
