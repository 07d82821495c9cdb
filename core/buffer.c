/*
 * How it works: capacity doubles up to the limit. Invariant: len <= capacity <= limit, and `data`
 * is NULL exactly when capacity is 0. A secret buffer moves by allocate, copy, wipe, free, never
 * realloc.
 */
#include "core/buffer.h"

#include "core/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct rg_bytes rg_bytes_of(const void *data, size_t len)
{
    return (struct rg_bytes){.data = data, .len = len};
}

struct rg_bytes rg_bytes_of_text(const char *text)
{
    return rg_bytes_of(text, strlen(text));
}

bool rg_bytes_equal(struct rg_bytes a, struct rg_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

struct rg_bytes rg_buffer_peek(const struct rg_buffer *buffer)
{
    return rg_bytes_of(buffer->data, buffer->len);
}

static size_t limit_of(const struct rg_buffer *buffer)
{
    return buffer->limit == 0 ? RG_BUFFER_BYTES_MAX : buffer->limit;
}

/* explicit_bzero is not removed by the optimiser; OpenSSL stays in digest. */
static void release(const struct rg_buffer *buffer)
{
    if (buffer->secret && buffer->data != NULL) {
        explicit_bzero(buffer->data, buffer->capacity);
    }
    free(buffer->data);
}

rg_outcome rg_buffer_reserve(struct rg_buffer *buffer, size_t more, struct rg_reason *why)
{
    size_t limit = limit_of(buffer);
    RG_CHECK(buffer->len <= limit && more <= limit - buffer->len, why, RG_LIMIT, "buffer-limit",
             "more than %zu bytes", limit);
    size_t need = buffer->len + more;
    if (need <= buffer->capacity) {
        return rg_ok();
    }
    size_t capacity = buffer->capacity < 256 ? 256 : buffer->capacity;
    while (capacity < need) {
        capacity = capacity <= limit / 2 ? capacity * 2 : limit;
    }
    uint8_t *data = malloc(capacity);
    RG_CHECK(data != NULL, why, RG_IO, "out-of-memory", "cannot allocate %zu bytes", capacity);
    if (buffer->len > 0) {
        memcpy(data, buffer->data, buffer->len);
    }
    release(buffer);
    buffer->data = data;
    buffer->capacity = capacity;
    return rg_ok();
}

rg_outcome rg_buffer_append(struct rg_buffer *buffer, struct rg_bytes bytes, struct rg_reason *why)
{
    RG_TRY(rg_buffer_reserve(buffer, bytes.len, why));
    if (bytes.len > 0) {
        memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
        buffer->len += bytes.len;
    }
    return rg_ok();
}

rg_outcome rg_buffer_append_text(struct rg_buffer *buffer, const char *text, struct rg_reason *why)
{
    return rg_buffer_append(buffer, rg_bytes_of_text(text), why);
}

rg_outcome rg_buffer_print(struct rg_buffer *buffer, struct rg_reason *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int need = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    RG_CHECK(need >= 0, why, RG_IO, "format-failed", "cannot format text");
    RG_TRY(rg_buffer_reserve(buffer, (size_t)need + 1, why));
    va_start(arguments, format);
    (void)vsnprintf((char *)buffer->data + buffer->len, (size_t)need + 1, format, arguments);
    va_end(arguments);
    buffer->len += (size_t)need;
    return rg_ok();
}

void rg_buffer_clear(struct rg_buffer *buffer)
{
    if (buffer->secret && buffer->data != NULL) {
        explicit_bzero(buffer->data, buffer->capacity);
    }
    buffer->len = 0;
}

void rg_buffer_drop(struct rg_buffer *buffer)
{
    release(buffer);
    buffer->data = NULL;
    buffer->len = 0;
    buffer->capacity = 0;
}

struct rg_buffer rg_buffer_take(struct rg_buffer *buffer)
{
    struct rg_buffer taken = *buffer;
    buffer->data = NULL;
    buffer->len = 0;
    buffer->capacity = 0;
    return taken;
}

static rg_outcome read_all(int fd, size_t bytes_max, struct rg_buffer *out, struct rg_reason *why)
{
    for (;;) {
        uint8_t piece[16384];
        ssize_t got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        RG_CHECK(got >= 0, why, RG_IO, "file-unreadable", "read failed: %s", strerror(errno));
        if (got == 0) {
            return rg_ok();
        }
        RG_CHECK((size_t)got <= bytes_max - out->len, why, RG_LIMIT, "file-too-large",
                 "file is larger than %zu bytes", bytes_max);
        rg_outcome appended = rg_buffer_append(out, rg_bytes_of(piece, (size_t)got), why);
        if (out->secret) {
            explicit_bzero(piece, sizeof(piece));
        }
        RG_TRY(appended);
    }
}

static rg_outcome open_to_read(const char *path, int flags, int *fd_out, struct rg_reason *why)
{
    *fd_out = open(path, O_RDONLY | O_CLOEXEC | flags);
    RG_CHECK(*fd_out >= 0, why, RG_IO, "file-unreadable", "cannot open %s: %s", path,
             strerror(errno));
    return rg_ok();
}

rg_outcome rg_file_read(const char *path, size_t bytes_max, struct rg_buffer *out,
                        struct rg_reason *why)
{
    int fd = -1;
    rg_buffer_clear(out);
    RG_TRY(open_to_read(path, 0, &fd, why));
    rg_outcome outcome = read_all(fd, bytes_max, out, why);
    (void)close(fd);
    return outcome;
}

static bool is_private(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 077) == 0;
}

rg_outcome rg_file_read_private(const char *path, size_t bytes_max, struct rg_buffer *out,
                                struct rg_reason *why)
{
    int fd = -1;
    rg_buffer_clear(out);
    RG_TRY(open_to_read(path, O_NONBLOCK, &fd, why)); /* a pipe must not keep us waiting */
    rg_outcome outcome = is_private(fd) ? read_all(fd, bytes_max, out, why)
                                        : rg_fail(why, RG_DENIED, "key-file-readable",
                                                  "%s can be read by others: chmod 600 it", path);
    (void)close(fd);
    return outcome;
}

static rg_outcome write_all(int fd, struct rg_bytes bytes, struct rg_reason *why)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t wrote = write(fd, bytes.data + done, bytes.len - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        RG_CHECK(wrote > 0, why, RG_IO, "file-unwritable", "write failed: %s", strerror(errno));
        done += (size_t)wrote;
    }
    RG_CHECK(fsync(fd) == 0, why, RG_BROKEN, "fsync-failed", "fsync failed: %s", strerror(errno));
    return rg_ok();
}

static rg_outcome sync_folder_of(const char *path, struct rg_reason *why)
{
    char copy[4096];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    RG_CHECK(fd >= 0, why, RG_IO, "file-unwritable", "cannot open the folder of %s: %s", path,
             strerror(errno));
    int failed = fsync(fd);
    (void)close(fd);
    RG_CHECK(failed == 0, why, RG_BROKEN, "fsync-failed", "fsync of the folder of %s failed", path);
    return rg_ok();
}

/* Never into a file that is there: its mode, its links and its readers are not ours. */
static rg_outcome write_new(const char *path, struct rg_bytes bytes, unsigned mode,
                            struct rg_reason *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    RG_CHECK(fd >= 0, why, RG_IO, "file-unwritable", "cannot create %s: %s", path, strerror(errno));
    rg_outcome outcome = write_all(fd, bytes, why);
    (void)close(fd);
    if (!rg_is_ok(outcome)) {
        (void)unlink(path);
    }
    return outcome;
}

rg_outcome rg_file_create(const char *path, struct rg_bytes bytes, unsigned mode,
                          struct rg_reason *why)
{
    RG_TRY(write_new(path, bytes, mode, why));
    return sync_folder_of(path, why);
}

static rg_outcome overwrite(int fd, struct rg_reason *why)
{
    static const uint8_t zero[4096];
    struct stat status;
    RG_CHECK(fstat(fd, &status) == 0 && S_ISREG(status.st_mode), why, RG_IO, "file-unwritable",
             "cannot overwrite a file: it is not a plain one");
    for (off_t left = status.st_size; left > 0; left -= (off_t)sizeof(zero)) {
        size_t len = left < (off_t)sizeof(zero) ? (size_t)left : sizeof(zero);
        RG_TRY(write_all(fd, rg_bytes_of(zero, len), why));
    }
    return rg_ok();
}

rg_outcome rg_file_destroy(const char *path, struct rg_reason *why)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        return rg_ok();
    }
    RG_CHECK(fd >= 0, why, RG_IO, "file-unwritable", "cannot overwrite %s: %s", path,
             strerror(errno));
    rg_outcome outcome = overwrite(fd, why);
    (void)close(fd);
    RG_TRY(outcome);
    RG_CHECK(unlink(path) == 0, why, RG_IO, "file-unwritable", "cannot remove %s: %s", path,
             strerror(errno));
    return sync_folder_of(path, why);
}

rg_outcome rg_file_replace(const char *path, struct rg_bytes bytes, unsigned mode,
                           struct rg_reason *why)
{
    char beside[4096];
    int len = snprintf(beside, sizeof(beside), "%s.new", path);
    RG_CHECK(len > 0 && (size_t)len < sizeof(beside), why, RG_LIMIT, "path-too-long",
             "path too long");
    (void)unlink(beside); /* what a crash has left */
    RG_TRY(write_new(beside, bytes, mode, why));
    RG_CHECK(rename(beside, path) == 0, why, RG_IO, "file-unwritable", "cannot rename to %s: %s",
             path, strerror(errno));
    return sync_folder_of(path, why);
}
