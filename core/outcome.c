/* How it works: a reason is formatted in place and cut at its size; nothing here allocates. */
#include "core/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *rg_code_name(enum rg_code code)
{
    static const char *const name[] = {
        [RG_OK] = "ok",         [RG_AGAIN] = "again",
        [RG_DENIED] = "denied", [RG_MALFORMED] = "malformed",
        [RG_LIMIT] = "limit",   [RG_IO] = "io",
        [RG_BROKEN] = "broken",
    };
    return (unsigned)code < sizeof(name) / sizeof(name[0]) ? name[code] : "unknown";
}

/* In brackets, since the analyser sees a macro of this name. */
rg_outcome(rg_fail)(struct rg_reason *why, enum rg_code code, const char *id, const char *format,
                    ...)
{
    if (why != NULL) {
        va_list arguments;
        va_start(arguments, format);
        why->id = id;
        (void)vsnprintf(why->text, sizeof(why->text), format, arguments);
        va_end(arguments);
    }
    return (rg_outcome){.code = code};
}

_Noreturn void rg_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "assertion failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
