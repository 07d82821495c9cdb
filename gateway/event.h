/*
 * NAME
 *   event - the table of log events: what a gateway may say, and nothing else
 *
 * SYNOPSIS
 *   rg_event_open("courier")                                  once per process, after fork
 *   rg_event(RG_EVENT_SESSION_UP, .peer = principal.text, .dialled = true)
 *   rg_event(RG_EVENT_COURIER_FAILED, .outcome = &why)
 *
 * DESCRIPTION
 *   An event is a row of a table: stable id, level, meaning, what the operator should do, the
 * fields it carries. One call writes one line to standard error in one write(2):
 *
 *   time=2026-11-24T20:24:17.123Z level=info event=session-up process=courier
 * peer=referral://kh/...
 *
 *   The call takes typed fields only. There is no field for content, names of persons or free text
 * from outside, so these cannot get into a log by accident. Fields that the row does not list are
 * not written. Values are cut at 256 bytes and everything but printable ASCII becomes '?'.
 *   Rate limit, per event: RG_EVENT_BURST lines at once, RG_EVENT_PER_SECOND after that; what was
 * left out is counted in `suppressed=N` on the next line of that event.
 *   Levels: error (act now), warn (look today), info (state changes), debug (off unless
 * rg_event_level is called).
 *
 * ERRORS
 *   None: a log that cannot be written does not stop the gateway.
 *
 * THREADS
 *   One thread per process.
 */
#ifndef RG_GATEWAY_EVENT_H
#define RG_GATEWAY_EVENT_H

#include "core/buffer.h"

#define RG_EVENT_BURST 100
#define RG_EVENT_PER_SECOND 20

enum rg_level { RG_LEVEL_ERROR, RG_LEVEL_WARN, RG_LEVEL_INFO, RG_LEVEL_DEBUG };

enum rg_event_id {
    /* main */
    RG_EVENT_GATEWAY_STARTING,
    RG_EVENT_GATEWAY_READY,
    RG_EVENT_GATEWAY_STOPPED,
    RG_EVENT_GATEWAY_FAILED,
    RG_EVENT_CONFIG_RELOADED,
    RG_EVENT_CONFIG_REFUSED,
    RG_EVENT_PROCESS_STARTED,
    RG_EVENT_PROCESS_DIED,
    RG_EVENT_PROCESS_GAVE_UP,
    RG_EVENT_SEPARATION_OFF,
    /* link */
    RG_EVENT_LINK_READY,
    RG_EVENT_LINK_FAILED,
    RG_EVENT_SESSION_UP,
    RG_EVENT_SESSION_GONE,
    RG_EVENT_SESSION_REFUSED,
    RG_EVENT_DIAL_FAILED,
    /* courier */
    RG_EVENT_COURIER_READY,
    RG_EVENT_COURIER_FAILED,
    RG_EVENT_LINK_LOST,
    RG_EVENT_SESSION_READY,
    RG_EVENT_SESSION_ENDED,
    RG_EVENT_ACCEPTED,
    RG_EVENT_RECEIVED,
    RG_EVENT_MESSAGE_REFUSED,
    RG_EVENT_NOT_NOW,
    RG_EVENT_PEER_REFUSED,
    RG_EVENT_PEER_NOT_NOW,
    RG_EVENT_UNCONFIRMED,
    RG_EVENT_CLOSED,
    RG_EVENT_FRAME_REFUSED,
    RG_EVENT_CLOCK_SKEW,
    RG_EVENT_DOCUMENT_TAKEN,
    RG_EVENT_DOCUMENT_REFUSED,
    RG_EVENT_PEER_EPOCH,
    RG_EVENT_PEER_LOG_ALARM,
    RG_EVENT_OWN_LOG_ALARM,
    RG_EVENT_NOTARY_ALARM,
    RG_EVENT_STORE_NOT_NOW,
    RG_EVENT_CONTENT_ERASED,
    /* notary */
    RG_EVENT_NOTARY_READY,
    RG_EVENT_NOTARY_REFUSED,
    RG_EVENT_NOTARY_FAILED,
    /* any */
    RG_EVENT_PEER_PROCESS_GARBAGE,
    RG_EVENT_COUNT
};

/* One line. Pointers are borrowed for the call; NULL is not written. */
struct rg_event_line {
    enum rg_event_id event;
    const char *peer;                /* principal */
    const char *office;              /* "th/focal" */
    const char *country;             /* "th" */
    const char *reason;              /* a reason id, "certificate-expired" */
    const struct rg_reason *outcome; /* reason id and sentence together */
    const char *name;                /* a process, user, config key or document kind of ours */
    const char *path;                /* from the config, never from a peer */
    const uint8_t *session;          /* 12 bytes */
    const struct rg_id *id;          /* message id */
    const struct rg_hash *hash;      /* document, certificate or root */
    uint64_t size;                   /* entries of the log */
    uint64_t count;
    uint64_t counter; /* of a trust document */
    int64_t span_ms;
    int64_t pid;
    int status; /* exit status */
    int signal_no;
    uint16_t port;
    bool dialled;
};

struct rg_event_row {
    const char *id; /* "session-up"; never changes once released */
    enum rg_level level;
    const char *meaning;   /* plain words */
    const char *what_next; /* what the operator should do */
    unsigned fields;       /* RG_FIELD_* */
};
enum {
    RG_FIELD_PEER = 1 << 0,
    RG_FIELD_OFFICE = 1 << 1,
    RG_FIELD_COUNTRY = 1 << 2,
    RG_FIELD_REASON = 1 << 3,
    RG_FIELD_NAME = 1 << 4,
    RG_FIELD_PATH = 1 << 5,
    RG_FIELD_SESSION = 1 << 6,
    RG_FIELD_ID = 1 << 7,
    RG_FIELD_HASH = 1 << 8,
    RG_FIELD_SIZE = 1 << 9,
    RG_FIELD_COUNT = 1 << 10,
    RG_FIELD_COUNTER = 1 << 11,
    RG_FIELD_SPAN_MS = 1 << 12,
    RG_FIELD_PID = 1 << 13,
    RG_FIELD_STATUS = 1 << 14,
    RG_FIELD_SIGNAL = 1 << 15,
    RG_FIELD_PORT = 1 << 16,
    RG_FIELD_DIALLED = 1 << 17,
};
const struct rg_event_row *rg_event_row(enum rg_event_id event);
const char *rg_level_name(enum rg_level level);

void rg_event_open(const char *process);
void rg_event_level(enum rg_level level); /* the least important level that is written */
/* For tests: lines go to `fd` and the clock of the rate limit stands where the test says. */
void rg_event_redirect(int fd);
void rg_event_clock(struct rg_mono now);
void rg_event_write(const struct rg_event_line *line);

/* rg_event(RG_EVENT_X) or rg_event(RG_EVENT_X, .peer = ..., .count = ...) */
#define rg_event(...) rg_event_write(&(const struct rg_event_line){.event = __VA_ARGS__})

#endif
