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
 *   Write many within one rg_spool_step.
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

#include "client/cases.h"
#include "client/record.h"
#include "client/spool.h"

#define RG_CASE_NUMBER_BYTES 12
#define RG_CASE_REFERENCE_BYTES 128

struct rg_case_file {
    int64_t row;
    struct rg_case_handle handle;
    struct rg_case now; /* side, state, since, opened */
    char number[RG_CASE_NUMBER_BYTES];
    char reference[RG_CASE_REFERENCE_BYTES]; /* the office's own */
    char host[RG_COUNTRY_BYTES];
    char origin[RG_COUNTRY_BYTES];
    char partner[RG_OFFICE_BYTES];     /* the other end of `thread` */
    char proposed_by[RG_OFFICE_BYTES]; /* the NGO at the other end of `proposal_thread` */
    bool has_thread, has_proposal_thread, has_request, has_proposal, has_preview;
    struct rg_thread_id thread, proposal_thread;
    struct rg_id request;  /* kind 11 or, for an NGO, its own 19: what an answer answers */
    struct rg_id proposal; /* the NGO's kind 19 that lies here */
    bool has_details;
    struct rg_id details; /* our kind 17 */
    /* host: what we know of the other side, each by proof or acknowledgement */
    bool details_sent, request_received, request_opened, details_received, details_opened;
    bool details_here; /* origin: opened here */
    bool erased;
    int64_t made_ms;  /* entered here, own clock */
    uint32_t rule;    /* enum rg_rule, why held */
    uint32_t decline; /* enum rg_decline_code */
    struct rg_preview preview;
    char name_native[RG_NAME_BYTES_MAX];
    char name_latin[RG_NAME_BYTES_MAX];
};
void rg_case_file_drop(struct rg_case_file *file); /* wipes */
#define RG_CASE_FILE RG_CLEANUP(rg_case_file_drop) struct rg_case_file

struct rg_casebook;
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
/* Destroys record and sections (`received_only`: sections of others' messages and the record made
 * from them); number, states, dates and codes stay. */
RG_MUST_USE rg_outcome rg_casebook_erase(struct rg_casebook *book, int64_t case_row,
                                         bool received_only, struct rg_reason *why);

#endif
