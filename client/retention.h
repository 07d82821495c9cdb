/*
 * NAME
 *   retention - how long what is known of a case is kept, class by class
 *
 * SYNOPSIS
 *   rg_retention_terms_read(client_cfg, &terms, why)
 *   due = rg_retention_due(&terms, &case, &note);
 *   classes = rg_retention_now(&due, now);             RG_CLASS_BIT of what is due
 *   rg_retention_hold_set(&note, &hold, why)           longer, with two officers' names
 *   rg_retention_note_encode / rg_retention_note_decode
 *
 * DESCRIPTION
 *   The terms are those of docs/retention.md, counted in calendar months from the day the case was
 *   closed: security, family and health 6, identity and case 24, legal 12 after the end of the
 *   proceedings; everything 30 days after a decline, a cancellation or the finding that the person
 *   is not a victim. A configuration may only shorten them, in days. What must be kept longer needs
 *   a hold: a class, a legal basis in words, a last day and two different officers; it stands in
 *   the case's note, which also says what has been erased when and why. The tombstone (number,
 *   states, dates, codes) and the proofs have no term.
 *
 * ERRORS
 *   RG_MALFORMED settings-*, retention-longer (the configuration would lengthen a term);
 *   RG_DENIED retention-officers, retention-hold; RG_BROKEN casebook-form.
 *
 * THREADS
 *   Pure.
 */
#ifndef RG_CLIENT_RETENTION_H
#define RG_CLIENT_RETENTION_H

#include "client/htcds.h"
#include "core/limits.h"
#include "core/settings.h"

/* The first six are the classes, so that a class is its own index. */
enum rg_retention_term {
    RG_TERM_DECLINED = RG_CLASS_COUNT + 1, /* declined or cancelled: every class */
    RG_TERM_NOT_VICTIM,                    /* every class */
    RG_TERM_SEALED,                        /* sealed bytes of a message, from when it was made */
    RG_TERM_COUNT
};
struct rg_retention_terms { /* zeroed: as docs/retention.md says */
    uint32_t days[RG_TERM_COUNT];
};
/* The group `retention` of client.cfg; absent is fine. */
RG_MUST_USE rg_outcome rg_retention_terms_read(const rg_group *root, struct rg_retention_terms *out,
                                               struct rg_reason *why);
/* The table, for docs, tests and `referral tidy`: months or days, counted from what. */
struct rg_retention_row {
    const char *name; /* key in client.cfg */
    uint32_t months;  /* 0: `days` */
    uint32_t days;    /* in the configuration at most so many */
    const char *from; /* "the day the case was closed" */
};
const struct rg_retention_row *rg_retention_row(unsigned term);

enum rg_retention_end {                  /* how the case came to its end */
                        RG_END_NONE = 0, /* it has none: nothing is due */
                        RG_END_CLOSED,
                        RG_END_DECLINED,
                        RG_END_CANCELLED,
                        RG_END_NOT_VICTIM,
};
const char *rg_retention_end_name(enum rg_retention_end end); /* "closed"; "open" for NONE */
struct rg_retention_case {
    enum rg_retention_end end;
    struct rg_wall since;           /* of the end */
    struct rg_wall proceedings_end; /* 0: none known; they end with the case */
    unsigned erased_classes;
};

enum rg_erasure_reason { /* stored: the numbers stay */
                         RG_ERASED_RETENTION = 1,
                         RG_ERASED_WITHDRAWAL,
                         RG_ERASED_ORDER,   /* the other country's, kind 82 */
                         RG_ERASED_BY_HAND, /* referral erase */
                         RG_ERASED_DECLINED,
};

#define RG_BASIS_BYTES 160
struct rg_retention_hold {
    enum rg_class class_;
    struct rg_wall until;
    char basis[RG_BASIS_BYTES]; /* "court order 12/2026 of ..." */
    char officer[2][RG_PRINCIPAL_BYTES];
};
struct rg_retention_note { /* zeroed: nothing noted */
    struct {
        struct rg_wall at; /* the last time; 0: not erased */
        enum rg_erasure_reason reason;
    } erased[RG_CLASS_COUNT + 1];                      /* by class */
    struct rg_retention_hold hold[RG_CLASS_COUNT + 1]; /* until 0: none */
};
/* Whether the two have signed is the caller's to know. A hold that ends before one that is there
 * is refused: holds are only lengthened here; they end by themselves. */
RG_MUST_USE rg_outcome rg_retention_hold_set(struct rg_retention_note *note,
                                             const struct rg_retention_hold *hold,
                                             struct rg_wall now, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_retention_note_encode(const struct rg_retention_note *note,
                                                struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_retention_note_decode(struct rg_bytes bytes,
                                                struct rg_retention_note *out,
                                                struct rg_reason *why);

struct rg_retention_due {
    struct rg_wall at[RG_CLASS_COUNT + 1]; /* by class; 0: never, or erased since the end */
};
struct rg_retention_due rg_retention_due(const struct rg_retention_terms *terms,
                                         const struct rg_retention_case *c,
                                         const struct rg_retention_note *note);
unsigned rg_retention_now(const struct rg_retention_due *due, struct rg_wall now);
/* When the sealed bytes of a message made then may go. */
struct rg_wall rg_retention_sealed(const struct rg_retention_terms *terms, struct rg_wall made);
/* The first moment after that day in UTC; 0 for no whole day. */
struct rg_wall rg_wall_of_date(struct rg_date last_day);
/* Same day so many months later, or the last day of that month; same time of day. */
struct rg_wall rg_wall_months_later(struct rg_wall wall, unsigned months);

/* What an erasure has done, for ERASURE_DONE and WITHDRAWAL_ACK: one line per class asked for. */
struct rg_erasure_line {
    enum rg_class class_;
    bool destroyed;             /* keys destroyed here, now or before */
    char basis[RG_BASIS_BYTES]; /* kept: why, */
    struct rg_wall until;       /* and until when at most */
};
struct rg_erasure {
    struct rg_erasure_line line[RG_CLASS_COUNT];
    size_t count;
    unsigned sections, messages;
    struct rg_wall copies_until; /* from then on old copies of this office's disks are unreadable */
};

#endif
