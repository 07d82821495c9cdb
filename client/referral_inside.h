/*
 * NAME
 *   referral_inside - what the parts of the public API share
 *
 * DESCRIPTION
 *   The way out: referral_cases.c takes cases in; referral_send.c begins a referral and answers
 * one; referral_letter.c makes one message of contents and puts it into the outbox.
 *   The way in: referral_sync.c runs the exchange, batch by batch; referral_inbox.c opens what was
 * delivered; referral_arrive.c files it with its case and acts; referral_proof.c is what a log
 * entry says about a message of ours. referral.c opens and closes, referral_look.c shows.
 * Everything inside speaks rg_outcome; the public functions turn it into a referral_result.
 *
 * THREADS
 *   One per handle.
 */
#ifndef RG_CLIENT_REFERRAL_INSIDE_H
#define RG_CLIENT_REFERRAL_INSIDE_H

#include "client/casebook.h"
#include "client/consent.h"
#include "client/deadlines.h"
#include "client/evidence.h"
#include "client/gate.h"
#include "client/include/referral.h"
#include "client/post.h"
#include "client/sync.h"

#define RG_SOFTWARE "referral 0.1.0"
#define RG_OPENED_IDS_MAX 512
#define RG_SCOPES_ALL (RG_SCOPE_BIT(RG_SCOPE_STATISTICS + 1) - 1u)

struct referral {
    struct rg_home *home;
    struct rg_spool *spool;
    struct rg_casebook *book;
    struct rg_deadlines *deadlines;
    struct rg_date stated_today; /* year 0: the clock */
    struct rg_spool_step outer;  /* between referral_begin and referral_commit */
    bool erased;                 /* something was: tidy after the commit */
    /* sync */
    struct rg_sync *sync;
    struct rg_exchange *exchange;
    struct rg_spool_step batch;
    struct referral_moved moved;
    struct rg_reason trouble; /* why the last session ended; id NULL: no trouble */
    enum rg_code trouble_code;
    bool ever_up;
    int lock_fd;
    bool due_waiting;      /* a reception is overdue, as far as is known before the mail is read */
    bool may_call_missing; /* the mail has been read */
    int64_t due_mono_ms;   /* when to look again */
    int64_t moved_mono_ms;
    int64_t submitted_seq[RG_EMERGENCY + 1]; /* per priority: submitted up to there */
    int64_t position;                        /* of the mailbox, as delivered in this session */
    int64_t collected_position;              /* as told to the gateway */
    int64_t status_position;                 /* 0: nothing to confirm */
    struct rg_id opened[RG_OPENED_IDS_MAX];  /* to be told after the commit */
    size_t opened_count;
    struct rg_import_report report; /* of the last import */
    struct rg_import_error problem; /* what the last look at it handed out */
    /* what the last look handed out */
    struct rg_case_file shown;
    struct rg_notice notice;
    struct rg_found *found;
    struct rg_timeline *timeline;
    char text[4][1024];
    char office_from[RG_OFFICE_BYTES], office_to[RG_OFFICE_BYTES];
    char hex[65];
};

struct rg_date rg_office_today(const struct referral *office);
struct rg_wall rg_office_now(const struct referral *office); /* of a stated day: its end */
/* When the answer to that kind is due from whoever must move, and how much of the time is used. */
struct rg_due {
    enum rg_mover mover;
    uint32_t awaited;
    const char *other_country;
    struct rg_wall since, now;
};
struct rg_deadline_clock rg_office_clock(const struct referral *office, const struct rg_due *due);
void rg_office_show_case(struct referral *office, struct referral_case *out); /* office->shown */
struct rg_found; /* the list asked for last (referral_list.c) */
void rg_found_free(struct rg_found *found);
struct rg_timeline; /* of the case shown last (referral_timeline.c) */
void rg_timeline_free(struct rg_timeline *timeline);
const char *rg_office_own(const struct referral *office);  /* "th/focal" */
const char *rg_office_role(const struct referral *office); /* "focal", "ngo", "health", ... */
/* The folder's sync.lock: held while syncing and tidying. RG_AGAIN sync-running. */
RG_MUST_USE rg_outcome rg_office_lock(struct referral *office, struct rg_reason *why);
void rg_office_unlock(struct referral *office);

/* ---- erasure (referral_erase.c) ---- */

/* Withdrawal with erasure, an order of the other side (82), a decline, or by hand: destroys what is
 * held of these classes of one case, all of it that no hold keeps, in the caller's step. Messages
 * that must not go any more are withdrawn from the outbox before: what still waits keeps its sealed
 * bytes until it has gone. `out` is what ERASURE_DONE and WITHDRAWAL_ACK say. Call rg_office_tidy
 * when the step is committed (a sync batch does). */
RG_MUST_USE rg_outcome rg_retention_erase(struct referral *office, int64_t case_row,
                                          unsigned classes, enum rg_erasure_reason reason,
                                          struct rg_erasure *out, struct rg_reason *why);
/* The same for what was sent and received only: where the person is, the record of her stays. */
RG_MUST_USE rg_outcome rg_retention_erase_messages(struct referral *office, int64_t case_row,
                                                   unsigned classes, struct rg_erasure *out,
                                                   struct rg_reason *why);
/* Another officer of this office, whose home folder (with her keys) is opened beside ours.
 * RG_DENIED second-officer. */
RG_MUST_USE rg_outcome rg_office_second(const struct referral *office, const char *folder,
                                        char principal_out[RG_PRINCIPAL_BYTES],
                                        struct rg_reason *why);
/* Kept longer on a legal ground: the caller has checked that both officers have signed. */
RG_MUST_USE rg_outcome rg_retention_hold(struct referral *office, int64_t case_row,
                                         const struct rg_retention_hold *hold,
                                         struct rg_reason *why);
/* After an erasure that is committed: a new storage key, so that old copies stay closed, and the
 * old bytes leave the write-ahead log. Nothing to do: quick. */
RG_MUST_USE rg_outcome rg_office_tidy(struct referral *office, struct rg_reason *why);
/* Once a day, with the lock held: what has passed its term goes. */
RG_MUST_USE rg_outcome rg_office_tidy_daily(struct referral *office, struct rg_reason *why);
struct referral_result rg_result(rg_outcome outcome, const struct rg_reason *why);
/* The message whose id begins so. */
RG_MUST_USE rg_outcome rg_office_message(struct referral *office, const char *id,
                                         struct rg_message_row *out, struct rg_reason *why);
/* The case called `id`: number or reference. */
RG_MUST_USE rg_outcome rg_office_case(struct referral *office, const char *id,
                                      struct rg_case_file *out, struct rg_reason *why);

/* Content that goes into one message of a case. */
struct rg_letter {
    uint32_t kind;
    const char *to_office; /* NULL: the other office of the case, in the case's thread */
    struct rg_thread_id thread;
    enum rg_priority priority; /* filled in */
    bool has_answers, has_decides;
    struct rg_id answers;
    struct rg_id decides; /* what the office does once only, whoever of it comes first */
    bool has_movement;
    uint8_t movement[RG_GROUP_BYTES];
    const char *language;   /* of free text, BCP 47; NULL: none */
    const char *second;     /* principal of the officer who signs as well: she is asked first */
    const char *draft_for;  /* the office abroad that a draft for our focal point is meant for */
    const char *drafted_by; /* the desk or NGO whose draft is sent on; NULL: our own words */
    const char *vital;      /* danger to life, why, in words; NULL: consent, or nothing */
    const struct rg_form *form; /* cut into one section per class; else: */
    struct rg_content *content; /* class and body filled in; the rest is filled in here */
    size_t count;
};
/* In the case section, the first: what the other sections are. */
void rg_office_label(struct rg_content *content, size_t count);

/* ---- what may leave (referral_guard.c) ---- */

struct rg_guarded { /* who may read, as the case and the person say; for rg_post_seal */
    struct rg_exclusions excluded;
    unsigned desks[RG_SECTIONS_MAX]; /* RG_ROLE_BIT per section; 0: the usual ones */
};
/* Asked for every message before it is sealed: protection claim, agreement, consent per class.
 * RG_DENIED protection-claim, agreement-*, consent-*. */
RG_MUST_USE rg_outcome rg_office_guard(struct referral *office, const struct rg_case_file *file,
                                       const struct rg_letter *letter, struct rg_guarded *out,
                                       struct rg_reason *why);
/* The office's country is told nothing of this case any more. */
bool rg_office_is_muted(const struct rg_case_file *file, const char *to_office);
/* The gateway is to be told that it was opened, unless its sender is told nothing of this case. */
RG_MUST_USE rg_outcome rg_office_tell_opened(struct referral *office,
                                             const struct rg_message_row *row,
                                             struct rg_reason *why);
/* RG_DENIED point-closed: a notice says so. "" is no point. */
RG_MUST_USE rg_outcome rg_office_point_check(struct referral *office, const char *point,
                                             struct rg_reason *why);
/* What stands open in this case until a person does it: RG_DUTY_BIT (client/rules_message.h). */
RG_MUST_USE rg_outcome rg_office_duties(struct referral *office, const struct rg_case_file *file,
                                        unsigned *duties_out, struct rg_reason *why);
/* A record is about to take the place of the one that is kept (file->row 0: there is none). A claim
 * for protection is noted, and never taken back this way; an age does not go up where a child desk
 * could say so. RG_DENIED age-child-desk. */
RG_MUST_USE rg_outcome rg_office_protect_record(struct referral *office, struct rg_case_file *file,
                                                const struct rg_record *record,
                                                struct rg_reason *why);
/* A colleague has opened a claim for protection in this case: it holds here as well. */
RG_MUST_USE rg_outcome rg_office_claim_told(struct referral *office, struct rg_case_file *file,
                                            struct rg_reason *why);
/* ... and who is shut out. Adding what is there already is fine. */
RG_MUST_USE rg_outcome rg_office_exclude_told(struct referral *office,
                                              const struct rg_case_file *file, const char *who,
                                              const char *by, struct rg_reason *why);
/* What the person agreed to, as it is known here: record, request, messages 20 and 21. */
/* Takes the scopes out of what the record says she agreed to. */
RG_MUST_USE rg_outcome rg_office_record_withdraw(struct rg_record *record, uint32_t scopes,
                                                 struct rg_reason *why);
RG_MUST_USE rg_outcome rg_office_consents(struct referral *office, const struct rg_case_file *file,
                                          struct rg_consents *out, struct rg_reason *why);

/* Asks, composes, seals, spools, keeps own sections, folds the case anew: changes `file`, which the
 * caller stores. */
RG_MUST_USE rg_outcome rg_office_post(struct referral *office, struct rg_case_file *file,
                                      struct rg_letter *letter, struct rg_id *id_out,
                                      struct rg_reason *why);

/* The same questions as before every sealing, of a message that another officer has made. */
RG_MUST_USE rg_outcome rg_office_ask_opened(struct referral *office, struct rg_case_file *file,
                                            const struct rg_opened *opened,
                                            struct rg_guarded *guarded, struct rg_reason *why);
/* Spools a sealed message, keeps its sections and its note, folds the case anew. */
RG_MUST_USE rg_outcome rg_office_keep(struct referral *office, struct rg_case_file *file,
                                      const struct rg_letter *letter, struct rg_bytes envelope,
                                      struct rg_id id, struct rg_reason *why);
/* A withdrawal, a cancellation or an end overtakes what still waits here and would carry the case
 * forward: it is taken out of the outbox. `scopes`: RG_SCOPE_BIT of what was withdrawn. */
RG_MUST_USE rg_outcome rg_office_overtake(struct referral *office, struct rg_case_file *file,
                                          uint32_t scopes, struct rg_reason *why);
/* All of this case that still waits for that country is taken out of the outbox. */
RG_MUST_USE rg_outcome rg_office_take_back(struct referral *office, struct rg_case_file *file,
                                           const char *country, struct rg_reason *why);

/* ---- where a case stands between the two offices (referral_fold.c) ---- */

enum rg_party rg_office_party(const struct referral *office, const struct rg_case_file *file);
struct rg_noting { /* one message, as the process is told of it */
    const struct rg_content *const *section;
    size_t count;
    struct rg_id id;
    struct rg_thread_id thread;
    bool own_country; /* of its author */
};
RG_MUST_USE rg_outcome rg_office_note(struct referral *office, const struct rg_case_file *file,
                                      const struct rg_noting *noting,
                                      struct rg_process_message *out, bool *relevant_out,
                                      struct rg_reason *why);
/* Makes file->process anew from the notes of the case. `about` may be NULL: whether that message
 * counts. */
RG_MUST_USE rg_outcome rg_office_fold(struct referral *office, struct rg_case_file *file,
                                      const struct rg_id *about, enum rg_void *said_out,
                                      struct rg_reason *why);
/* What a message that is written now names as previous and seen. */
RG_MUST_USE rg_outcome rg_office_heads(struct referral *office, const struct rg_case_file *file,
                                       struct rg_process_heads *out, struct rg_reason *why);
/* Does the process allow our side this now? */
RG_MUST_USE rg_outcome rg_office_may(struct referral *office, struct rg_case_file *file,
                                     const struct rg_process_message *next, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_office_gate(struct referral *office, struct rg_case_file *file,
                                      struct rg_gate_verdict *out, struct rg_reason *why);
/* The newest message of the case that a message of this kind may answer. */
RG_MUST_USE rg_outcome rg_office_answerable(struct referral *office,
                                            const struct rg_case_file *file, uint32_t kind,
                                            struct rg_id *out, bool *found_out,
                                            struct rg_reason *why);

/* The newest of one kind; leaves `out` and `found_out` when there is none. */
RG_MUST_USE rg_outcome rg_office_newest(struct referral *office, const struct rg_case_file *file,
                                        uint32_t kind, struct rg_id *out, bool *found_out,
                                        struct rg_reason *why);

/* ---- other beginnings (referral_open.c) ---- */

/* The focal office of the other country of the case. */
RG_MUST_USE rg_outcome rg_office_abroad(const struct referral *office,
                                        const struct rg_case_file *file, char out[RG_OFFICE_BYTES],
                                        struct rg_reason *why);
/* Partner and thread, when there is none yet. */
RG_MUST_USE rg_outcome rg_office_thread_open(const struct referral *office,
                                             struct rg_case_file *file, struct rg_reason *why);
/* The same person, another country: a new case with a copy of the record. */
RG_MUST_USE rg_outcome rg_office_case_again(struct referral *office,
                                            const struct rg_case_file *file, const char *country,
                                            struct rg_case_file *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_office_onward_open(struct referral *office, struct rg_case_file *file,
                                             const char *partner, struct rg_case_file *out,
                                             struct rg_reason *why);
/* One message to each office that `asked` names (a country, an office; NULL: all countries' focal
 * offices and every office of our own). */
RG_MUST_USE rg_outcome rg_office_post_all(struct referral *office, const struct rg_letter *letter,
                                          const char *asked, struct rg_id *first_out,
                                          size_t *count_out, struct rg_reason *why);
/* Also who may be one. */
bool rg_office_is_child(const struct rg_case_file *file, const struct rg_record *record);
/* What the other side, or a colleague, says of relatives (referral_family.c). */
void rg_office_family_take(struct rg_case_file *file, const struct rg_content *said);

/* ---- what the library does by itself (referral_act.c) ---- */

/* Everything that the process asks of our side now; changes and stores `file`. `done_out` counts.
 */
RG_MUST_USE rg_outcome rg_office_act(struct referral *office, struct rg_case_file *file,
                                     size_t *done_out, struct rg_reason *why);
/* What a withdrawal (21) asks to be erased, of the classes that rested on its scopes. */
RG_MUST_USE rg_outcome rg_office_erase_withdrawn(struct referral *office, struct rg_case_file *file,
                                                 const struct rg_form *withdrawal,
                                                 struct rg_erasure *out, struct rg_reason *why);
/* What the other side orders (82), and our answer to it (83). */
RG_MUST_USE rg_outcome rg_office_erase_ordered(struct referral *office, struct rg_case_file *file,
                                               const struct rg_form *order, struct rg_id id,
                                               struct rg_reason *why);
/* A declined referral: received sections go, number and code stay. */
RG_MUST_USE rg_outcome rg_office_erase_received(struct referral *office, struct rg_case_file *file,
                                                struct rg_reason *why);
/* Cases in which time itself asks for something: nobody confirmed a reception. */
/* Does a case owe an alert by its time? */
RG_MUST_USE rg_outcome rg_office_is_due(struct referral *office, bool *due_out,
                                        struct rg_reason *why);
RG_MUST_USE rg_outcome rg_office_act_due(struct referral *office, struct rg_reason *why);
/* The event must be lawful in the case's state: changes `file` only then. */
RG_MUST_USE rg_outcome rg_office_step(struct rg_case_file *file, enum rg_case_event event,
                                      unsigned *actions_out, struct rg_reason *why);
/* Fails with the words of the rule that holds the case. */
RG_MUST_USE rg_outcome rg_office_rule_says(const struct rg_case_file *file, struct rg_reason *why);
bool rg_office_may_change(const struct rg_case_file *file); /* nothing has left the house */
/* Accepted there, but a rule, or a missing key card, kept the details here. */
bool rg_office_owes_details(const struct rg_case_file *file);
/* Judges the record and steps the case to READY or HELD. */
RG_MUST_USE rg_outcome rg_office_judge(struct referral *office, struct rg_case_file *file,
                                       const struct rg_record *record, struct rg_reason *why);
/* Kind 17, after an accept. Changes and stores the file. */
RG_MUST_USE rg_outcome rg_office_send_details(struct referral *office, struct rg_case_file *file,
                                              struct rg_id accept, struct rg_reason *why);
/* Kind 12 or 13 to the NGO that proposed the case. */
RG_MUST_USE rg_outcome rg_office_relay(struct referral *office, struct rg_case_file *file,
                                       const struct rg_content *answer, struct rg_reason *why);
/* The case section of a message from abroad, to the NGO that proposed the case. */
RG_MUST_USE rg_outcome rg_office_relay_form(struct referral *office, struct rg_case_file *file,
                                            const struct rg_content *received,
                                            struct rg_id received_id, struct rg_reason *why);
/* An alert that came from an NGO of our country directly, into the case's thread. */
RG_MUST_USE rg_outcome rg_office_relay_alert(struct referral *office, struct rg_case_file *file,
                                             struct rg_id alert, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_office_acknowledge(struct referral *office, struct rg_case_file *file,
                                             const struct rg_message_row *opened,
                                             const char *to_office, struct rg_reason *why);
/* All records of one file, in one step; rows of another host country are counted and skipped. */
RG_MUST_USE rg_outcome rg_office_import(struct referral *office, const struct rg_records *records,
                                        struct referral_imported *counts, struct rg_reason *why);
/* Names for listing, from the record. */
void rg_office_names(struct rg_case_file *file, const struct rg_record *record);
RG_MUST_USE rg_outcome rg_office_show_message(struct referral *office,
                                              const struct rg_message_row *row,
                                              struct referral_message *out, struct rg_reason *why);
/* Content of one section that is kept here. */
RG_MUST_USE rg_outcome rg_office_content(struct referral *office, const struct rg_message_row *row,
                                         size_t index, struct rg_content *content_out,
                                         struct rg_buffer *memory_out, bool *found_out,
                                         struct rg_reason *why);

/* ---- the way in ---- */

struct rg_arrival { /* one opened message on its way into the casebook */
    struct referral *office;
    struct rg_message_row *row;
    const struct rg_opened *opened;
    bool ours;    /* a colleague of this office has sent it */
    bool crosses; /* the other office is in another country */
    struct rg_case_file *file;
    const struct rg_envelope *envelope;
    bool counts; /* it is not void in the process, and the house could take it */
};
/* Finds or opens the case, lets the message act on it, and answers what the library answers. */
RG_MUST_USE rg_outcome rg_arrival_file(struct rg_arrival *arrival, struct rg_reason *why);
/* Kind 4: belongs to no case. */
RG_MUST_USE rg_outcome rg_arrival_notice(struct rg_arrival *arrival, struct rg_reason *why);
/* A colleague has seen to the draft of this id, if it is one. */
RG_MUST_USE rg_outcome rg_office_draft_done(struct referral *office, struct rg_id id,
                                            struct rg_reason *why);
/* Sections that we cannot open go on to our own desk for that class, as they are. */
RG_MUST_USE rg_outcome rg_office_desk_copies(struct rg_arrival *arrival, struct rg_reason *why);
bool rg_stops_all(rg_outcome outcome); /* the disk or the folder fails: the batch ends */
bool rg_id_same(struct rg_id a, struct rg_id b);
RG_MUST_USE rg_outcome rg_proof_keep(struct referral *office, int64_t seq,
                                     const struct rg_proven *proven, bool *new_out,
                                     struct rg_reason *why);
/* Where a colleague's message stands, by the proofs that are here. */
RG_MUST_USE rg_outcome rg_proof_state(struct referral *office, struct rg_message_row *row,
                                      struct rg_reason *why);

/* ---- what people read (referral_words.c); texts are appended to `out` ---- */

void rg_words_add(char *out, size_t room, const char *format, ...) RG_PRINTF(3, 4);
void rg_words_preview(const struct rg_preview *preview, char *out, size_t room); /* replaces */
void rg_words_content(const struct rg_content *content, char *out, size_t room); /* replaces */
/* Field by field; appends. */
RG_MUST_USE rg_outcome rg_office_content_text(const struct rg_content *content,
                                              struct rg_buffer *out, struct rg_reason *why);
void rg_words_code(const char *code, char *out, size_t room); /* "NOT_SAFE": "not safe" */
/* `whole`: the details have been opened at the other end (or here, at the origin). */
const char *rg_words_state(enum rg_case_state state, enum rg_process_state process, bool whole);
const char *rg_words_state_at(size_t at); /* all of them; NULL at the end */

struct referral_result rg_end_of_list(void);

/* For the exchange's sink (client/exchange.h), inside a batch. */
RG_MUST_USE rg_outcome rg_inbox_proof(void *context, const struct rg_proven *proven,
                                      struct rg_reason *why);
RG_MUST_USE rg_outcome rg_inbox_not_now(void *context, struct rg_id id, enum rg_refusal code,
                                        uint32_t retry_after_ms, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_inbox_deliver(void *context, const struct rg_delivery *delivery,
                                        struct rg_reason *why);
/* Messages that could not be opened when they came, since a page or a key card was missing. */
RG_MUST_USE rg_outcome rg_inbox_open_stored(struct referral *office, struct rg_reason *why);
/* A page came: who was unknown may be known now. */
RG_MUST_USE rg_outcome rg_inbox_unknown_again(struct referral *office, struct rg_reason *why);
void rg_office_moved(struct referral *office); /* something came or went: not quiet */

#endif
