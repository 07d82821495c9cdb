/*
 * NAME
 *   referral - an office's whole world: compose, send, follow and answer referrals
 *
 * SYNOPSIS
 *   referral_open("/var/lib/referral/desk-1", NULL, &office)
 *   referral_import_file(office, "cases.csv", &imported)   or referral_compose(...)
 *   referral_check(office, id)                             may it be sent? if not: why
 *   referral_send(office, id)                              durable when it returns, also offline
 *   referral_sync(office, NULL, &moved)                    does what it can with the gateway
 *   referral_next_message(office, &cursor, &message)       what came in
 *   referral_accept(office, id) / referral_decline(office, id, "NO_CAPACITY", NULL)
 *   referral_status(office, &status) / referral_evidence(office, id, "folder")
 *   referral_close(office)
 *
 * DESCRIPTION
 *   Everything goes to the office's folder first, sealed at rest, and is durable when the call
 *   returns. referral_sync is the only call that uses the network. The folder holds `client.cfg`
 *   (docs/client.md); the library makes the rest in it.
 *   A case is named by its case number ("7km3q-92qdx") or by the office's own reference (the
 *   `case_ref` it was imported with). A message is named by the first 12 or more hexadecimal
 *   digits of its id.
 *   Many small calls become one durable step between referral_begin and referral_commit.
 *
 * OWNERSHIP
 *   Strings in structs handed out are borrowed until the next call on the same handle. Bytes from
 *   referral_section belong to the caller: referral_free.
 *
 * ERRORS
 *   Every call returns one struct referral_result. `reason` is a sentence for people and never
 *   contains a name or anything else about a case; `id` is stable, for programs. Nothing aborts:
 *   after REFERRAL_BROKEN the handle answers only REFERRAL_BROKEN; close it and open it again.
 *
 * THREADS
 *   One thread per handle. No global state.
 */
#ifndef REFERRAL_H
#define REFERRAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define REFERRAL_API __attribute__((visibility("default")))
#define REFERRAL_MUST_USE __attribute__((warn_unused_result))
#else
#define REFERRAL_API
#define REFERRAL_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are the exit codes of the command (sysexits.h). */
enum referral_code {
    REFERRAL_OK = 0,
    REFERRAL_END = 1,     /* an iteration has no more; not an error */
    REFERRAL_USAGE = 64,  /* the call or the id makes no sense */
    REFERRAL_DATA = 65,   /* input is malformed: nothing was taken */
    REFERRAL_AWAY = 69,   /* the gateway cannot be reached */
    REFERRAL_BROKEN = 70, /* the handle's state is unknown: close, open again */
    REFERRAL_RETRY = 75,  /* not now; nothing changed; later */
    REFERRAL_DENIED = 77, /* a rule, a signature or the gateway says no */
    REFERRAL_CONFIG = 78, /* client.cfg, keys or trust documents need attention */
};

struct referral_result {
    enum referral_code code;
    char id[48];      /* "consent-missing"; "" when OK */
    char reason[240]; /* "no recorded consent; ask the person and record it" */
};

struct referral; /* one officer's open folder */

struct referral_options {
    const char *today; /* "2026-12-01": only in an exercise; NULL: the clock */
};

REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_open(const char *home, const struct referral_options *options, struct referral **out);
REFERRAL_API void referral_close(struct referral *office);             /* NULL is fine */
REFERRAL_API bool referral_is_exercise(const struct referral *office); /* nothing here is real */
REFERRAL_API const char *referral_version(void);

/* One durable step. Without these, each call is its own. referral_close forgets what was begun. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_begin(struct referral *office);
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_commit(struct referral *office);

struct referral_cursor { /* zeroed: from the start; keep it to go on later */
    int64_t at;
};

/* ---- cases in ---- */

struct referral_imported {
    size_t rows;
    size_t added;
    size_t updated;   /* mended, or changed, and not yet sent */
    size_t unchanged; /* already here, or already sent */
    size_t ready;     /* of added and updated: may be sent */
    size_t held;      /* of added and updated: a rule says no; the case says why */
    size_t elsewhere; /* rows of another host country: skipped */
    size_t line;      /* REFERRAL_DATA: where the first mistake is */
    char column[64];
    size_t errors;   /* all mistakes; nothing was imported when there are any */
    size_t warnings; /* what a person should look at; nothing was changed because of them */
};

/* CSV or JSON (told by its first byte) in HTCDS columns (docs/client.md). One malformed row and
 * nothing is imported. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_import_file(struct referral *office, const char *path, struct referral_imported *out);
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_import_text(struct referral *office, const char *csv, size_t bytes,
                     struct referral_imported *out);

struct referral_problem {
    size_t line;        /* of the file, where the row begins; 0: the whole file */
    const char *column; /* "prs_Gender"; "" when it is not about one column */
    const char *text;   /* what kind of value stands there and what is allowed; never the value */
    bool warning;
};
/* Of the last import: its mistakes, then its warnings, the first 20 of each. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_import_problem(struct referral *office, struct referral_cursor *cursor,
                             struct referral_problem *out);

struct referral_field {
    const char *name;  /* "full_name_native" */
    const char *value; /* UTF-8 */
};
#define REFERRAL_CASE_BYTES 12 /* "7km3q-92qdx" with NUL */
/* One case; the same as importing one row. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_compose(struct referral *office, const struct referral_field *field, size_t count,
                 char case_out[REFERRAL_CASE_BYTES]);
/* OK: may be sent now. DENIED: which rule, and what to do. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_check(struct referral *office,
                                                                     const char *id);

/* ---- out ---- */

/* Composes, seals and spools: a referral request, or for an NGO a proposal to its own focal point.
 * At the focal point, a proposal goes on under the focal point's own signature. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_send(struct referral *office,
                                                                    const char *id);
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_accept(struct referral *office,
                                                                      const char *id);
/* `code`: NOT_OUR_NATIONAL, NO_CAPACITY, UNSAFE_HERE, CONSENT_MISSING, INCOMPLETE, DUPLICATE_OF,
 * CONFLICT_OF_INTEREST, NO_LEGAL_BASIS or OTHER; `text` may be NULL except for OTHER. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_decline(struct referral *office, const char *id, const char *code, const char *text);
/* Destroys the keys of everything held about the case; proofs stay. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_erase(struct referral *office,
                                                                     const char *id);

/* ---- retention ---- */

struct referral_tidied {
    uint64_t cases;        /* with something past its term */
    uint64_t classes;      /* of them: parts (identity, health, ...) */
    uint64_t sections;     /* whose keys were destroyed */
    uint64_t messages;     /* whose sealed bytes went; header and proofs stay */
    uint64_t reading_keys; /* destroyed: every message sealed to them has passed its lifetime */
    bool key_replaced;     /* of the casebook: old copies of this folder stay closed */
};
/* Destroys what has passed its term (docs/retention.md). A sync does it once a day by itself.
 * `dry_run`: only counts. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_tidy(struct referral *office, bool dry_run, struct referral_tidied *out);
struct referral_hold {       /* keeps one part of a case longer than its term */
    const char *class_name;  /* "legal" */
    const char *until;       /* "2031-12-31": the last day */
    const char *basis;       /* the legal ground, in words: the other side is told when it asks */
    const char *second_home; /* home folder of another officer of this office */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_hold(struct referral *office, const char *id, const struct referral_hold *asked);
struct referral_due { /* one part of one ended case that is still here */
    const char *case_id, *reference;
    const char *state;      /* how it ended: "closed", "declined", "cancelled", "not-a-victim" */
    const char *class_name; /* "identity" */
    int64_t due_ms;
    bool now; /* the next tidy destroys it */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_due(struct referral *office, struct referral_cursor *cursor,
                  struct referral_due *out);

/* ---- any kind of message ---- */

struct referral_letter {
    const char *case_id;
    int kind;         /* 35; see: referral kinds */
    const char *json; /* the form, as `referral template KIND` writes it; NULL: nothing to say */
    size_t bytes;
    const char *answers; /* message id or its first digits; NULL: the newest it may answer */
    const char
        *movement; /* 32 hex digits, shared by persons who travel together; NULL: the case's */
    const char *language; /* of free text, BCP 47: "th"; NULL: not said */
    const char *to;       /* notices: one country or office, NULL: all; 70: the partner's office */
    const char *second;   /* the officer who is to sign as well, where two must; NULL: the other */
    const char *vital;    /* 49: why danger to life lets it go without consent; NULL: it does not */
};
struct referral_written {
    char id[65];       /* of the message */
    char to[64];       /* office */
    const char *state; /* "waiting": goes with the next sync; "countersign": to the second officer;
                          "draft": to our focal point, who sends it on */
};
/* Fills in what the library knows, asks whether the office may say it, whether the process and the
 * person's consent allow it, seals and spools; durable when it returns, also offline. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_write(struct referral *office, const struct referral_letter *letter,
               struct referral_written *out);

/* At the focal point: sends on what a desk or an NGO has drafted, under our own signature; sections
 * that were written for others go verbatim. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_forward(struct referral *office, const char *message, struct referral_written *out);
/* What a draft would say, or what a colleague asks to be signed for, field by field: the caller
 * frees it with referral_free. To be read before it is sent on or signed. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_draft(struct referral *office, const char *message, uint8_t **data_out, size_t *bytes_out);
/* Signs as the second officer what a colleague asks for, and sends it. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_countersign(struct referral *office, const char *message, struct referral_written *out);

/* Hands a message of a case to one of our desks ("th/health"): it reads what its role may. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_assign(struct referral *office,
                                                                      const char *message,
                                                                      const char *desk,
                                                                      struct referral_written *out);
/* A case that came back or was declined, for another country: a new case with a new number. It is
 * held until it is recorded that the person agrees to that country too. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_redirect(struct referral *office, const char *id, const char *country,
                  char case_out[REFERRAL_CASE_BYTES]);

struct referral_gate_row { /* one thing that stands against a departure */
    const char *id;        /* "risk-host" */
    const char *meaning;   /* what must hold */
    const char *what_next; /* what to do */
};
/* END at once: nothing is missing. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_gate(struct referral *office,
                                                                    const char *id,
                                                                    struct referral_cursor *cursor,
                                                                    struct referral_gate_row *out);

/* ---- protections (docs/protections.md) ---- */

/* A claim for protection: while it is open the country of origin is told nothing of the case.
 * Opening works at once; ending it needs a second officer of this office, by her home folder. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_claim(struct referral *office, const char *id, bool open, const char *second_home);

/* Two relatives: what is written in their cases from now on tells the other country that they
 * belong together. Both cases are between the same two countries. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_link(struct referral *office, const char *id, const char *relative);

/* The person takes back what she agreed to: it holds here at once, also offline, overtakes what
 * waits in the outbox, and goes out before everything else with the next sync (kind 21). */
struct referral_withdrawal {
    const char *scopes;  /* "RETURN;FOLLOW_UP"; NULL: all that stand */
    bool erase;          /* what was sent is to be erased on both sides */
    const char *said_by; /* "person", "guardian" or "both"; NULL: person */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_withdraw(struct referral *office, const char *id, const struct referral_withdrawal *asked,
                  struct referral_written *out); /* state "here": nobody outside knew of the case */

/* Who must not read of a case: "referral://th/border/officer-2", "th/border", "point TH-MM-1",
 * "province th/tak". Kept here only. Taking one off needs a second officer. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_exclude(struct referral *office, const char *id, const char *who);
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_exclude_end(struct referral *office,
                                                                           const char *id,
                                                                           const char *who,
                                                                           const char *second_home);
struct referral_exclusion {
    const char *who;
    const char *by; /* the officer who put it on the list */
    int64_t at_ms;
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_exclusion(struct referral *office, const char *id, struct referral_cursor *cursor,
                        struct referral_exclusion *out);

/* Procedure notices: public, about no person, to all countries. */
/* `json`: the form of kind 4 (referral template PROCEDURE_NOTICE). `sent_out`: offices. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_notice_new(struct referral *office, const char *json, size_t bytes, size_t *sent_out);
struct referral_notice_query { /* NULL and false: does not matter */
    const char *search;
    const char *country;
    const char *language; /* also the language to show, when the notice has it */
    bool current;
};
struct referral_notice {
    const char *subject; /* "GATE_CLOSED" */
    const char *country;
    const char *point; /* "TH-KH-1" or "" */
    const char *from;
    const char *language; /* of `title` and `words` */
    const char *title;
    const char *words;
    const char *valid_from; /* "2026-11-25" or "" */
    const char *valid_to;
    bool current;
    bool exercise;
    int64_t at_ms;
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_notice(struct referral *office, const struct referral_notice_query *query,
                     struct referral_cursor *cursor, struct referral_notice *out);
/* ---- the gateway ---- */

struct referral_moved {     /* counts since referral_sync_begin */
    uint64_t submitted;     /* our messages handed to the gateway */
    uint64_t accepted;      /* ours, taken by the gateway, with proof */
    uint64_t refused;       /* ours, refused for good, with proof */
    uint64_t received;      /* ours, at the addressee's gateway, with proof */
    uint64_t collected;     /* ours, opened by an officer there, with proof */
    uint64_t delivered;     /* theirs, stored here for the first time */
    uint64_t repeated;      /* theirs, delivered again: stored once */
    uint64_t opened;        /* theirs, checked and opened */
    uint64_t unopened;      /* theirs, kept but not opened; the message says why */
    uint64_t acknowledged;  /* acknowledgements made on the way */
    uint64_t details_sent;  /* details made on the way, after an accept */
    uint64_t relayed;       /* answers passed on to the NGO that proposed the case */
    uint64_t documents;     /* trust documents and key cards taken into use */
    uint64_t proofs;        /* proofs verified and kept */
    uint64_t proofs_failed; /* proofs that do not hold: look at the alarm */
    uint64_t outbox;        /* still to go to the gateway */
    uint64_t unproven;      /* gone to the gateway, no receipt of the addressee's yet */
    bool up;                /* the session is up */
    int64_t quiet_ms;       /* since anything moved */
    char alarm[240];        /* "" or what people should look at */
};

struct referral_sync_options {
    int until_quiet_ms; /* leave when nothing moved for so long; 0: soon after the mailbox was read
                           and the outbox is empty */
    int wait_ms_max;    /* at most so long after the last movement; 0: 60 s */
    /* For a progress line; may be NULL. */
    void (*progress)(void *context, const struct referral_moved *moved);
    void *context;
};

REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_sync(struct referral *office, const struct referral_sync_options *options,
              struct referral_moved *out);
/* The same in pieces, for a program with a loop of its own or with a progress line. A step that
 * fails ends the session; nothing is lost, and the next step begins anew. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_sync_begin(struct referral *office);
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_sync_step(struct referral *office, int wait_ms, struct referral_moved *out);
REFERRAL_API void referral_sync_end(struct referral *office);

/* ---- looking ---- */

struct referral_case {
    const char *id;          /* "7km3q-92qdx" */
    const char *reference;   /* the office's own, "" when it came from elsewhere */
    const char *name_native; /* "" until identity is here */
    const char *name_latin;
    bool zawgyi;             /* a name looks like Burmese in the old Zawgyi encoding: garbage
                                for others; ask, and type it again */
    const char *host;        /* "th" */
    const char *origin;      /* "mm"; "" when not known */
    const char *side;        /* "host", "origin", "ngo" */
    const char *proposed_by; /* "th/ngo-alpha" or "" */
    const char *state;       /* docs/client.md: held, ready, referred, accepted, declined, ... */
    const char *summary;     /* coarse preview: "adult, female, Burmese, wheelchair" */
    const char *waiting_for; /* "mm/focal: an answer"; "" when for nothing */
    const char *reason;      /* why held, or the code of a decline; "" */
    const char *reason_id;   /* stable */
    bool our_move;           /* this office is the one that can go on */
    bool details_sent;       /* host: identity, family and case sections are on their way */
    bool details_here;       /* origin: they have been opened here */
    bool receipt_verified;   /* host: the other gateway's receipt for the request, verified */
    bool opened_there;       /* host: an officer there has opened the request */
    bool details_opened;     /* host: an officer there has opened the details */
    bool refused_by_person;  /* held by what only the person can change */
    int64_t since_ms;        /* in this state since, Unix time */
    int64_t due_ms;          /* an answer is due; 0: none */
    const char *mover;       /* "us", "them", "nobody" */
    const char *level;       /* of the deadline: "none", "reminder", "late", "escalated" */
    unsigned used_per_cent;  /* of the time for the answer */
    int64_t waiting_since_ms;
    bool alert;            /* somebody's safety: before all others */
    bool protection_claim; /* the country of origin is told nothing */
    const char *family;    /* 32 hex digits, the same in the cases of relatives; "" alone */
    int zone_minutes;      /* this office's local time, east of Greenwich */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_case(struct referral *office, struct referral_cursor *cursor,
                   struct referral_case *out);
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_case(struct referral *office, const char *id, struct referral_case *out);

enum referral_move { REFERRAL_MOVE_ANY, REFERRAL_MOVE_OURS, REFERRAL_MOVE_THEIRS };
struct referral_query { /* zeroed: all cases */
    const char *state;  /* a word of referral_case.state; NULL: any */
    enum referral_move move;
    bool overdue; /* that this office has to know of: a desk at 50 % of the time, a focal point at
                     100 %, the other country's focal point at 150 % */
    const char *text; /* a name or part of one, native or Latin, an alias; or a number; NULL: any */
};
/* Alerts first, then the most overdue. The cursor is a place in the list as it was made when the
 * cursor was 0; asking for another list in between makes it anew. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_find_cases(struct referral *office, const struct referral_query *query,
                    struct referral_cursor *cursor, struct referral_case *out);
REFERRAL_API bool referral_is_state(const char *word); /* one of referral_case.state */

struct referral_message {
    const char *id;      /* 64 hexadecimal digits */
    const char *case_id; /* "" while it cannot be opened */
    const char *from;    /* office */
    const char *to;      /* office */
    const char *kind;    /* "REFERRAL_REQUEST" */
    int kind_number;     /* 11 */
    const char *state;   /* ours: waiting, accepted, received, collected, refused;
                            theirs: opened, unopened */
    const char *reason;  /* unopened or refused: why */
    const char *text;    /* one line for people */
    bool ours;
    bool emergency;
    size_t sections;
    int64_t time_ms; /* ours: when made; theirs: when accepted by the sender's gateway */
};
/* Messages that came in, in the order of the mailbox. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_message(struct referral *office, struct referral_cursor *cursor,
                      struct referral_message *out);
/* Messages of one case, both directions, in order. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_of_case(struct referral *office, const char *id, struct referral_cursor *cursor,
                      struct referral_message *out);

/* Drafts and requests to sign that nobody of this office has seen to yet. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_draft(struct referral *office, struct referral_cursor *cursor,
                    struct referral_message *out);

struct referral_event { /* one line of a case's timeline */
    int64_t time_ms;
    const char *clock; /* whose clock: "ours", "th gateway", "mm gateway" */
    const char *who;   /* office or gateway */
    const char *what;  /* a sentence */
    bool proven;       /* a signed log entry says so, and we have checked it */
    int zone_minutes;  /* this office's local time, east of Greenwich */
    /* Of a message; "" where there is nothing to say: */
    const char *message;     /* 64 hexadecimal digits */
    const char *kind;        /* "RISK_ASSESSMENT"; "" while it cannot be opened */
    const char *void_reason; /* it changed nothing, since ... */
    const char *withheld;    /* "health, legal": parts that are not for this officer */
    const char *warning;     /* look at this one */
    bool superseded;         /* the same side has said it anew since */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_event(struct referral *office, const char *id, struct referral_cursor *cursor,
                    struct referral_event *out);

#define REFERRAL_NOTES_MAX 48
struct referral_note {     /* beside a case: what it lacks, and what a person should see */
    const char *about;     /* "missing": before she may travel; "warning"; "duty" */
    const char *id;        /* "risk-host", stable */
    const char *text;      /* "a risk assessment of the host" */
    const char *what_next; /* "" or what to do */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_note(struct referral *office, const char *id, struct referral_cursor *cursor,
                   struct referral_note *out);

enum referral_form {
    REFERRAL_SEALED = 1, /* the DER as it travelled: opens with stock openssl */
    REFERRAL_TEXT,       /* field by field, for people */
};
/* Section `number` (from 1, as counted in the case's messages, or in the one message named). */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_section(struct referral *office, const char *id, size_t number, enum referral_form form,
                 uint8_t **data_out, size_t *bytes_out);
REFERRAL_API void referral_free(void *data, size_t bytes); /* wipes, then frees */

struct referral_status {
    const char *office;    /* "th/focal" */
    const char *principal; /* "referral://th/focal/officer-1" */
    const char *gateway;   /* "127.0.0.1:7701" */
    bool exercise;
    uint64_t cases;
    uint64_t held;
    uint64_t ready;      /* may be sent, not sent yet */
    uint64_t our_move;   /* waiting for this office */
    uint64_t their_move; /* waiting for the other side */
    /* Cases this office referred across a border, and how far each has come: */
    uint64_t sent;              /* referral request made */
    uint64_t received;          /* with the other gateway's receipt, verified */
    uint64_t opened;            /* an officer there has said that it was opened */
    uint64_t accepted;          /* answered: yes */
    uint64_t declined;          /* answered: no */
    uint64_t identity_released; /* details sent and opened there */
    /* Messages: */
    uint64_t outbox;     /* not yet accepted by our gateway */
    uint64_t unproven;   /* accepted, no receipt yet */
    uint64_t unopened;   /* came in, cannot be opened */
    uint64_t refused;    /* ours, refused for good */
    uint64_t deliveries; /* lines of the delivery journal */
    uint64_t duplicates; /* messages entered twice into the casebook: always 0 */
    uint64_t proofs;     /* verified proofs held */
    int64_t reading_key_until_ms;
    int64_t page_valid_until_ms;
    int64_t last_sync_ms; /* 0: never */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_status(struct referral *office,
                                                                      struct referral_status *out);

struct referral_verified {
    uint64_t checked; /* proofs */
    uint64_t failed;
};
/* Checks stored proofs again, from their bytes: of one case or message, or all (`id` NULL). */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_verify(struct referral *office, const char *id, struct referral_verified *out);

struct referral_line { /* of the journal: what left this office, then what entered its casebook */
    bool ours;
    const char *id;    /* 64 hexadecimal digits */
    const char *kind;  /* "" while it cannot be opened */
    int kind_number;   /* 0 so */
    const char *state; /* as in referral_message */
    const char *from;
    const char *to;
    int64_t position; /* theirs: place in the mailbox */
    int64_t time_ms;
    bool entered; /* theirs: this delivery entered the casebook; false: a repeat, not entered */
};
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_line(struct referral *office, struct referral_cursor *cursor,
                   struct referral_line *out);

/* Writes a bundle into a new folder: header, entries, proofs, heads, charter, pages, certificates
 * and a README that says how to check it with stock tools. `id`: a case (all its messages) or a
 * message. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_evidence(struct referral *office, const char *id, const char *folder);

/* ---- data out ---- */

enum referral_format { REFERRAL_CSV = 1, REFERRAL_JSON };
/* False: it cannot be written; the call then ends with REFERRAL_DATA export-write. */
typedef bool (*referral_sink)(void *context, const char *text, size_t bytes);
/* The records that this office entered or took on, as one file that referral_import_file reads back
 * without loss. Names and all: keep it as you keep the casebook. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_export(struct referral *office, enum referral_format format, referral_sink write,
                void *context, size_t *cases_out);

struct referral_figure {
    const char *first;  /* category of the first column, "total" */
    const char *second; /* of the second column, "total"; "" when there is one column */
    uint64_t count;     /* 0 when withheld */
    bool withheld;      /* under 11, or needed to keep such a figure from being computed */
};
typedef void (*referral_figure_sink)(void *context, const struct referral_figure *figure);
/* Counts over the cases whose consent has the scope STATISTICS and has not ended; no other case is
 * in any figure, totals included, nor is one registered in the month that is not over. `by`: one or
 * two of sex, age, exploitation, origin, host, state, reason, year, as "sex,origin". `year`: only
 * cases registered in that year, with one column; 0: all. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_statistics(struct referral *office,
                                                                          const char *by, int year,
                                                                          referral_figure_sink sink,
                                                                          void *context);

/* ---- the catalogue: which messages there are, and what they hold ---- */

struct referral_kind {
    unsigned number;
    const char *name;    /* "RISK_ASSESSMENT" */
    const char *meaning; /* one line */
    char direction[48];  /* "host to origin", "back", ... */
    char by[96];         /* roles that may write it: "focal social", "any office" */
    char answers[80];    /* numbers of kinds it answers, "" any or none; "(must)" behind */
    char deadline[32];   /* for the answer: "15 working days", "4 hours", "" none is awaited */
    char sections[64];   /* "case identity family", "all" */
    bool alert;          /* crosses at once, also from an NGO or a desk */
    bool domestic;       /* never crosses a border */
    bool two_officers;   /* irreversible: two officers sign */
};
struct referral_box {    /* one thing that a message of this kind says */
    const char *list;    /* the list it stands in, "" otherwise */
    const char *name;    /* key in the JSON */
    const char *type;    /* "code", "date", "office", ... */
    const char *section; /* "case", ...; "of the field": where the dictionary puts the field */
    const char *meaning;
    char required[96];  /* "required", "optional", "when verdict=SAFE_WITH_MEASURES" */
    char allowed[1024]; /* "one of: SAFE, NOT_SAFE, ..." */
};
/* `kind`: its name or its number. No office is needed, nothing is opened. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_kind(struct referral_cursor *cursor, struct referral_kind *out);
REFERRAL_API REFERRAL_MUST_USE struct referral_result referral_kind(const char *kind,
                                                                    struct referral_kind *out);
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_next_box(const char *kind, struct referral_cursor *cursor, struct referral_box *out);
/* A fillable JSON with comments (keys that start with "//"), NUL ended; bytes without the NUL.
 * referral_free. */
REFERRAL_API REFERRAL_MUST_USE struct referral_result
referral_template(const char *kind, char **json_out, size_t *bytes_out);

#ifdef __cplusplus
}
#endif
#endif
