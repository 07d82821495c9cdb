/*
 * NAME
 *   buffer - borrowed views, owned growing bytes, secret bytes
 *
 * DESCRIPTION
 *   `rg_bytes` is a view: it owns nothing and is valid as long as what it looks at. `rg_buffer`
 * owns its bytes and never grows past its `limit`. With `secret` set, old and dropped memory is
 * wiped. Ids and clocks are one-field structs, so that mixing them does not compile.
 *
 * ERRORS
 *   RG_LIMIT buffer-limit: would grow past `limit`. RG_IO out-of-memory.
 */
#ifndef RG_CORE_BUFFER_H
#define RG_CORE_BUFFER_H

#include "core/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rg_bytes {
    const uint8_t *data;
    size_t len;
};

struct rg_buffer {
    uint8_t *data;
    size_t len;
    size_t capacity;
    size_t limit; /* bytes; 0 means RG_BUFFER_BYTES_MAX */
    bool secret;
};

struct rg_id { /* SHA-256 of header bytes */
    uint8_t b[32];
};
struct rg_hash { /* any other SHA-256 */
    uint8_t b[32];
};
struct rg_thread_id {
    uint8_t b[16];
};
struct rg_wall { /* Unix time in ms; whose clock: the context says */
    int64_t ms;
};
struct rg_mono { /* monotonic ms since some start; never stored */
    int64_t ms;
};

#define RG_BYTES_LITERAL(text) ((struct rg_bytes){(const uint8_t *)(text), sizeof(text) - 1})

struct rg_bytes rg_bytes_of(const void *data, size_t len);
struct rg_bytes rg_bytes_of_text(const char *text);
bool rg_bytes_equal(struct rg_bytes a,
                    struct rg_bytes b); /* not for secrets: see rg_secret_equal */
struct rg_bytes rg_buffer_peek(const struct rg_buffer *buffer);

RG_MUST_USE rg_outcome rg_buffer_reserve(struct rg_buffer *buffer, size_t more,
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_buffer_append(struct rg_buffer *buffer, struct rg_bytes bytes,
                                        struct rg_reason *why);
RG_MUST_USE rg_outcome rg_buffer_append_text(struct rg_buffer *buffer, const char *text,
                                             struct rg_reason *why);
RG_MUST_USE rg_outcome rg_buffer_print(struct rg_buffer *buffer, struct rg_reason *why,
                                       const char *format, ...) RG_PRINTF(3, 4);
void rg_buffer_clear(struct rg_buffer *buffer); /* length 0, memory kept (wiped when secret) */
void rg_buffer_drop(struct rg_buffer *buffer);  /* safe on zeroed memory and twice */
struct rg_buffer rg_buffer_take(struct rg_buffer *buffer); /* ownership moves out */

#define RG_OWNED_BUFFER RG_CLEANUP(rg_buffer_drop) struct rg_buffer

/* A whole file, at most `bytes_max`. RG_IO file-unreadable, RG_LIMIT file-too-large. */
RG_MUST_USE rg_outcome rg_file_read(const char *path, size_t bytes_max, struct rg_buffer *out,
                                    struct rg_reason *why);
/* The same for a private key: RG_DENIED key-file-readable unless it is a plain file that nobody
 * else can read. Judged on the open file, which cannot be exchanged any more. */
RG_MUST_USE rg_outcome rg_file_read_private(const char *path, size_t bytes_max,
                                            struct rg_buffer *out, struct rg_reason *why);
/* Durable, and new: RG_IO file-unwritable when the path exists. */
RG_MUST_USE rg_outcome rg_file_create(const char *path, struct rg_bytes bytes, unsigned mode,
                                      struct rg_reason *why);
/* Overwritten where it stands, unlinked, both durable; what is not there is fine. A file system
 * that copies on write, and a flash disk, may keep the old bytes: docs/retention.md. */
RG_MUST_USE rg_outcome rg_file_destroy(const char *path, struct rg_reason *why);
/* Durable: written beside, fsynced, renamed, folder fsynced. `mode` as for open(2). */
RG_MUST_USE rg_outcome rg_file_replace(const char *path, struct rg_bytes bytes, unsigned mode,
                                       struct rg_reason *why);

#endif
