/*
 * NAME
 *   settings - libconfig text into a typed table: every config and trust document goes through here
 *
 * SYNOPSIS
 *   RG_OWNED_SETTINGS *settings = NULL;
 *   rg_settings_parse(text, bytes_max, &settings, why)         text, never a path: no @include
 *   root = rg_settings_root(settings)
 *   rg_settings_known(root, names, count, why)                 refuse what is not in the list
 *   rg_settings_text(root, "country", &text, why)              typed reads: missing or wrong, why
 *   rg_settings_free(settings)                                 or by RG_OWNED_SETTINGS
 *
 * DESCRIPTION
 *   The text is bounded, checked to be UTF-8 without NUL, and read by a lexer of our own that lets
 *   only names, strings, true/false and brackets through to libconfig: no `@include` (libconfig
 *   would open local files), no bare number (libconfig 1.5 wraps large integers silently), no
 *   escapes but \" \\ \n \t, no endless nesting. Duplicate names are refused. Quantities are
 *   strings with a unit ("72h", "64KiB", "30d"). Lists may be written ( ) or [ ].
 *
 * OWNERSHIP
 *   Strings and groups handed out are borrowed from `settings`.
 *
 * ERRORS
 *   RG_LIMIT settings-too-large; RG_MALFORMED settings-include, settings-duplicate,
 *   settings-syntax, settings-missing, settings-type, settings-unknown, settings-value. The text
 *   names the line and what is expected, never the value.
 *
 * LIMITS
 *   RG_SETTINGS_NAMES_MAX names in one group, 16 levels of brackets.
 */
#ifndef RG_CORE_SETTINGS_H
#define RG_CORE_SETTINGS_H

#include "core/buffer.h"

struct rg_settings;
typedef struct rg_group rg_group; /* a libconfig group; borrowed */

RG_MUST_USE rg_outcome rg_settings_parse(struct rg_bytes text, size_t bytes_max,
                                         struct rg_settings **out, struct rg_reason *why);
void rg_settings_free(struct rg_settings *settings); /* NULL is fine */
void rg_settings_cleanup(struct rg_settings **settings);
#define RG_OWNED_SETTINGS RG_CLEANUP(rg_settings_cleanup) struct rg_settings
const rg_group *rg_settings_root(const struct rg_settings *settings);

bool rg_settings_has(const rg_group *group, const char *name);
RG_MUST_USE rg_outcome rg_settings_text(const rg_group *group, const char *name, const char **out,
                                        struct rg_reason *why);
/* As rg_settings_text, but `fallback` when absent. */
RG_MUST_USE rg_outcome rg_settings_text_or(const rg_group *group, const char *name,
                                           const char *fallback, const char **out,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_flag_or(const rg_group *group, const char *name, bool fallback,
                                           bool *out, struct rg_reason *why);
/* "7": a plain decimal number in a string, at most 2^53. */
RG_MUST_USE rg_outcome rg_settings_count(const rg_group *group, const char *name, uint64_t *out,
                                         struct rg_reason *why);
/* "500ms", "10s", "5min", "72h", "30d", "4w" in milliseconds; "512B", "64KiB", "32MiB", "1GiB" in
 * bytes. */
RG_MUST_USE rg_outcome rg_settings_span_ms_or(const rg_group *group, const char *name,
                                              int64_t fallback_ms, int64_t *out,
                                              struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_bytes_or(const rg_group *group, const char *name,
                                            uint64_t fallback_bytes, uint64_t *out,
                                            struct rg_reason *why);
/* "2026-11-24" or "2026-11-24T08:00:00Z", UTC. */
RG_MUST_USE rg_outcome rg_settings_time(const rg_group *group, const char *name,
                                        struct rg_wall *out, struct rg_reason *why);
/* A list `( {...}, {...} )` of groups or a list of strings `( "a", "b" )`; absent counts as empty.
 */
RG_MUST_USE rg_outcome rg_settings_list_size(const rg_group *group, const char *name, size_t max,
                                             size_t *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_list_group(const rg_group *group, const char *name, size_t at,
                                              const rg_group **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_list_text(const rg_group *group, const char *name, size_t at,
                                             const char **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_group(const rg_group *group, const char *name,
                                         const rg_group **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_settings_known(const rg_group *group, const char *const *name,
                                         size_t count, struct rg_reason *why);

/* RFC 3339 in UTC, seconds. `out` holds 21 bytes. */
void rg_wall_print(struct rg_wall wall, char out[32]);
RG_MUST_USE rg_outcome rg_wall_parse(const char *text, struct rg_wall *out, struct rg_reason *why);

#endif
