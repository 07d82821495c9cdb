/*
 * NAME
 *   outcome - the one result type, and the reason kept beside it
 *
 * SYNOPSIS
 *   RG_MUST_USE rg_outcome thing_do(..., struct rg_reason *why);
 *   RG_TRY(thing_do(..., why));                       leave with the same outcome unless OK
 *   RG_CHECK(cond, why, RG_LIMIT, "too-long", "...")  leave with a reason unless cond
 *
 * DESCRIPTION
 *   Each code answers "what now?":
 *     RG_OK         done
 *     RG_AGAIN      not now; nothing has changed; try later
 *     RG_DENIED     a rule or a signature says no; never retry as it is
 *     RG_MALFORMED  the bytes are not what the protocol allows
 *     RG_LIMIT      a bound of limits.h or of the config
 *     RG_IO         something outside failed; state is as before the call
 *     RG_BROKEN     state is unknown; close, exit, start again
 *   A reason has a stable id ("certificate-expired") that logs and tests use, and a sentence for
 *   people that says what is wrong and what to do. Neither ever holds message content or names.
 *
 * OWNERSHIP
 *   A reason is caller's memory without pointers to free; `id` points to static storage.
 *   `why` may be NULL wherever it is a parameter.
 */
#ifndef RG_CORE_OUTCOME_H
#define RG_CORE_OUTCOME_H

enum rg_code { RG_OK, RG_AGAIN, RG_DENIED, RG_MALFORMED, RG_LIMIT, RG_IO, RG_BROKEN };

typedef struct rg_outcome {
    enum rg_code code;
} rg_outcome;

#define RG_MUST_USE __attribute__((warn_unused_result))
#define RG_PRINTF(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define RG_CLEANUP(function) __attribute__((cleanup(function)))

#define RG_REASON_TEXT_BYTES 240

struct rg_reason {
    const char *id;                  /* NULL while nothing went wrong */
    char text[RG_REASON_TEXT_BYTES]; /* UTF-8, one line, no full stop needed */
};

static inline rg_outcome rg_ok(void)
{
    return (rg_outcome){.code = RG_OK};
}

static inline int rg_is_ok(rg_outcome outcome)
{
    return outcome.code == RG_OK;
}

/* The lower-case name of a code: "ok", "again", "denied", ... */
const char *rg_code_name(enum rg_code code);

/* Fill `why` (may be NULL) and return the code. `id` must be a string literal. */
rg_outcome rg_fail(struct rg_reason *why, enum rg_code code, const char *id, const char *format,
                   ...) RG_PRINTF(4, 5);

#ifdef __clang_analyzer__ /* which cannot see into rg_fail, and must know that it never says OK */
#define rg_fail(why, code_, ...)                                                                   \
    ((void)(rg_fail)((why), (code_), __VA_ARGS__), (rg_outcome){.code = (code_)})
#endif

#define RG_TRY(call)                                                                               \
    do {                                                                                           \
        rg_outcome rg_try_outcome = (call);                                                        \
        if (rg_try_outcome.code != RG_OK) {                                                        \
            return rg_try_outcome;                                                                 \
        }                                                                                          \
    } while (0)

#define RG_CHECK(condition, why, code, id, ...)                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            return rg_fail((why), (code), (id), __VA_ARGS__);                                      \
        }                                                                                          \
    } while (0)

/* An assertion that stays on in release. Not for the client library's public calls. */
#define RG_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            rg_assert_failed(#condition, __FILE__, __LINE__);                                      \
        }                                                                                          \
    } while (0)

_Noreturn void rg_assert_failed(const char *condition, const char *file, int line);

#endif
