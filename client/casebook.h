/*
 * NAME
 *   casebook - cases, their records and their opened sections, sealed at rest
 *
 * SYNOPSIS
 *   rg_casebook_open(spool, storage_key, &book, why)
 *   rg_casebook_put(book, &file, why)                 a case, new (row 0) or changed
 *   rg_casebook_find(book, RG_CASE_BY_NUMBER, "7km3q-92qdx", &row, &found, why)
 *   rg_casebook_record_put / rg_casebook_section_put
 *   rg_casebook_erase(book, row, why)                 destroys the keys
 *   rg_casebook_close(book)
 *
 * DESCRIPTION
 *   Each case, each record and each opened section is an item of the spool under a random key of
 *   its own (core/vault), wrapped by the book key; the book key is sealed to the officer's storage
 *   key and stands in the spool. Look-up goes over keyed hashes. So the file tells nothing without
 *   the storage key, and destroying an item's key row is erasure.
 *   Write many within one rg_spool_step. Lists and searches go over the index: sealed pages of
 * fixed size, a line for each case, so that 100,000 cases take some tens of milliseconds.
 *
 * OWNERSHIP
 *   struct rg_case_file is the caller's, by value; rg_case_file_drop wipes it.
 *
 * ERRORS
 *   spool-*, vault-*; RG_DENIED item-erased; RG_BROKEN casebook-form.
 *
 * THREADS
 *   One.
 */
#ifndef RG_CLIENT_CASEBOOK_H
#define RG_CLIENT_CASEBOOK_H

#include "client/casebook_file.h"
#include "client/exclusions.h"
#include "client/notices.h"
#include "client/record.h"
#include "client/spool.h"

/* Who holds the storage key: a key at hand, or somebody who finds the one that is in force now
 * (client/home: another program may have replaced the file). */
struct rg_storage {
    const struct rg_key *key; /* NULL: ask */
    void *context;
    rg_outcome (*open)(void *context, struct rg_bytes sealed, struct rg_buffer *plain_out,
                       struct rg_reason *why);
    rg_outcome (*seal)(void *context, struct rg_bytes plain, struct rg_buffer *sealed_out,
                       struct rg_reason *why);
};

struct rg_casebook;
RG_MUST_USE rg_outcome rg_casebook_open_with(struct rg_spool *spool,
                                             const struct rg_storage *storage,
                                             struct rg_casebook **out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_casebook_open(struct rg_spool *spool, const struct rg_key *storage_key,
                                        struct rg_casebook **out, struct rg_reason *why);
void rg_casebook_close(struct rg_casebook *book);

/* A new case gets handle (unless it has one) and number. */
RG_MUST_USE rg_outcome rg_casebook_put(struct rg_casebook *book, struct rg_case_file *file,
                                       struct rg_reason *why);
RG_MUST_USE rg_outcome rg_casebook_get(struct rg_casebook *book, int64_t row,
                                       struct rg_case_file *out, struct rg_reason *why);
/* The first case with a row above `after`. */
RG_MUST_USE rg_outcome rg_casebook_next(struct rg_casebook *book, int64_t after,
                                        struct rg_case_file *out, bool *found_out,
                                        struct rg_reason *why);
enum rg_case_by { RG_CASE_BY_NUMBER = 1, RG_CASE_BY_REFERENCE, RG_CASE_BY_HANDLE };
RG_MUST_USE rg_outcome rg_casebook_find(struct rg_casebook *book, enum rg_case_by by,
                                        struct rg_bytes value, int64_t *row_out, bool *found_out,
                                        struct rg_reason *why);

RG_MUST_USE rg_outcome rg_casebook_record_put(struct rg_casebook *book, int64_t case_row,
                                              const struct rg_record *record,
                                              struct rg_reason *why);
/* A new, empty record when there is none. */
RG_MUST_USE rg_outcome rg_casebook_record_get(struct rg_casebook *book, int64_t case_row,
                                              struct rg_record **out, struct rg_reason *why);
/* Content bytes of an opened (or own) section. */
RG_MUST_USE rg_outcome rg_casebook_section_put(struct rg_casebook *book, int64_t message_seq,
                                               size_t index, struct rg_bytes content,
                                               struct rg_reason *why);
RG_MUST_USE rg_outcome rg_casebook_section_get(struct rg_casebook *book, int64_t message_seq,
                                               size_t index, struct rg_buffer *content_out,
                                               bool *found_out, struct rg_reason *why);
/* ---- the index: what lists and searches need of every case, without opening it ---- */

#define RG_NAME_BITS 512
struct rg_name_bits {
    uint8_t b[RG_NAME_BITS / 8];
};
#define RG_LINE_NAMES_OF_RECORD 1u /* else of the case's file */
#define RG_LINE_ERASED 2u
#define RG_LINE_ALERT 4u /* somebody's safety */
#define RG_LINE_ASKED 8u /* our request has left */
#define RG_LINE_RECEIVED 16u
#define RG_LINE_OPENED 32u
#define RG_LINE_DETAILS_OPENED 64u
struct rg_case_line {
    int64_t row;
    int64_t made_ms;
    uint32_t flags;  /* RG_LINE_, 16 bits */
    uint16_t lapses; /* day after which what waits may be another; 0: none */
    uint8_t side;    /* enum rg_case_side */
    uint8_t state;   /* enum rg_case_state */
    uint8_t process; /* enum rg_process_state */
    size_t waits;    /* 1 or 2, as rg_case_file_waiting says */
    struct {
        enum rg_mover mover;
        uint32_t awaited;
        int64_t since_ms;
    } wait[2];
    char country[RG_COUNTRY_BYTES]; /* the other one */
    struct rg_name_bits names;
};
typedef rg_outcome (*rg_case_visit)(void *context, const struct rg_case_line *line,
                                    struct rg_reason *why);
/* All cases, in the order in which they came. */
RG_MUST_USE rg_outcome rg_casebook_scan(struct rg_casebook *book, rg_case_visit visit,
                                        void *context, struct rg_reason *why);

/* Once a day, before a list is made: cases of which a check or consent has lapsed wait for another
 * thing now. */
RG_MUST_USE rg_outcome rg_casebook_refresh(struct rg_casebook *book, struct rg_wall now,
                                           struct rg_reason *why);

struct rg_name_query {
    struct rg_name_bits bits;
    char key[256]; /* search key (client/text.h) */
};
/* RG_MALFORMED search-empty, text-*; RG_LIMIT search-long. */
RG_MUST_USE rg_outcome rg_name_query(struct rg_bytes text, struct rg_name_query *out,
                                     struct rg_reason *why);
bool rg_name_may_be(const struct rg_case_line *line, const struct rg_name_query *query);
/* Is the person really called so: names and aliases of file and record. */
RG_MUST_USE rg_outcome rg_casebook_is_called(struct rg_casebook *book,
                                             const struct rg_case_file *file,
                                             const struct rg_name_query *query, bool *found_out,
                                             struct rg_reason *why);
/* What the process needs of one message; it stays when the sections are erased. */
RG_MUST_USE rg_outcome rg_casebook_note_put(struct rg_casebook *book, int64_t message_seq,
                                            const struct rg_process_message *note,
                                            struct rg_reason *why);
RG_MUST_USE rg_outcome rg_casebook_note_get(struct rg_casebook *book, int64_t message_seq,
                                            struct rg_process_message *out, bool *found_out,
                                            struct rg_reason *why);

/* ---- who must not read of a case, known to this house only ---- */

struct rg_exclusion_note { /* who put the entry on the list, and when, own clock */
    char by[RG_PRINCIPAL_BYTES];
    int64_t at_ms;
};
/* None: count 0. `note`: NULL, or RG_EXCLUSIONS_MAX of them. All lists of a casebook stand in one
 * sealed item, so that the file does not show which case has one. */
RG_MUST_USE rg_outcome rg_casebook_exclusions_get(struct rg_casebook *book, int64_t case_row,
                                                  struct rg_exclusions *out,
                                                  struct rg_exclusion_note *note,
                                                  struct rg_reason *why);
/* Replaces the case's list; entries that were not there before are noted as `by` at `now`. */
RG_MUST_USE rg_outcome rg_casebook_exclusions_put(struct rg_casebook *book, int64_t case_row,
                                                  const struct rg_exclusions *list, const char *by,
                                                  struct rg_wall now, struct rg_reason *why);

/* Erasure of old copies: a new book key, sealed to `fresh`, wraps every item key anew. Whoever has
 * an old copy of the casebook needs the old storage key, which the caller then destroys. Other
 * programs that have the casebook open find the new key by themselves. */
RG_MUST_USE rg_outcome rg_casebook_rekey(struct rg_casebook *book, const struct rg_key *fresh,
                                         struct rg_reason *why);
/* The book key as it is sealed now; `out` empty when there is none yet. */
RG_MUST_USE rg_outcome rg_casebook_sealed_key(struct rg_spool *spool, struct rg_buffer *out,
                                              struct rg_reason *why);

/* ---- procedure notices: about no case ---- */

/* Entered once: the same words again are the same notice. */
RG_MUST_USE rg_outcome rg_casebook_notice_put(struct rg_casebook *book,
                                              const struct rg_notice *notice,
                                              struct rg_reason *why);
/* The first with a row above `after`: in the order in which they came. */
RG_MUST_USE rg_outcome rg_casebook_notice_next(struct rg_casebook *book, int64_t after,
                                               struct rg_notice *out, bool *found_out,
                                               struct rg_reason *why);

/* ---- erasure ---- */

struct rg_erased { /* counts */
    unsigned sections, messages, fields;
};
/* Destroys what is held of these classes: sections of the case's messages, the record's fields, the
 * names and the preview in the case, and the sealed bytes of each message that had one of them
 * (one that still waits for the gateway keeps them until it has gone). Header, proofs, number,
 * states, dates and codes stay. */
RG_MUST_USE rg_outcome rg_casebook_erase_classes(struct rg_casebook *book, int64_t case_row,
                                                 unsigned classes, struct rg_erased *out,
                                                 struct rg_reason *why);
/* Something was erased and the book key has not been replaced since. */
RG_MUST_USE rg_outcome rg_casebook_erasure_open(struct rg_casebook *book, bool *open_out,
                                                struct rg_reason *why);
/* One sealed item per case for client/retention. */
RG_MUST_USE rg_outcome rg_casebook_hold_get(struct rg_casebook *book, int64_t case_row,
                                            struct rg_buffer *out, bool *found_out,
                                            struct rg_reason *why);
RG_MUST_USE rg_outcome rg_casebook_hold_put(struct rg_casebook *book, int64_t case_row,
                                            struct rg_bytes bytes, struct rg_reason *why);

/* The same for what was sent and received only: this office's own record of the person stays. */
RG_MUST_USE rg_outcome rg_casebook_erase_messages(struct rg_casebook *book, int64_t case_row,
                                                  unsigned classes, struct rg_erased *out,
                                                  struct rg_reason *why);
/* The same for all classes. `received_only`: sections of others' messages and the record made from
 * them; what this office wrote stays for its term. */
RG_MUST_USE rg_outcome rg_casebook_erase(struct rg_casebook *book, int64_t case_row,
                                         bool received_only, struct rg_reason *why);

#endif
