/*
 * NAME
 *   casebook_file - what the casebook knows about one case, as a struct and as bytes
 *
 * SYNOPSIS
 *   rg_case_file_encode(&file, &bytes, why)      version 2
 *   rg_case_file_decode(bytes, &file, why)       versions 1 and 2
 *   rg_case_file_drop(&file)
 *
 * OWNERSHIP
 *   The caller's, by value; rg_case_file_drop wipes it.
 *
 * ERRORS
 *   RG_BROKEN casebook-form.
 */
#ifndef RG_CLIENT_CASEBOOK_FILE_H
#define RG_CLIENT_CASEBOOK_FILE_H

#include "client/cases.h"
#include "client/process.h"

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
    unsigned erased_classes; /* RG_CLASS_BIT: what of it has been destroyed here */
    int64_t made_ms;         /* entered here, own clock */
    uint32_t rule;           /* enum rg_rule, why held */
    uint32_t decline;        /* enum rg_decline_code */
    struct rg_preview preview;
    /* since version 2 */
    int64_t slot;          /* place in the index; the casebook's own */
    bool protection_claim; /* the country of origin is told nothing of this case any more */
    bool has_movement, has_family_link;
    uint8_t movement[16];    /* shared by the persons who travel together */
    uint8_t family_link[16]; /* shared by relatives */
    /* a case that goes on from another is not told to that one's country of origin; "" where it may
     * be */
    char kept_from[RG_COUNTRY_BYTES];
    bool has_process; /* it has crossed: the fold over both sides' messages */
    struct rg_process process;
    char name_native[RG_NAME_BYTES_MAX];
    char name_latin[RG_NAME_BYTES_MAX];
};
void rg_case_file_drop(struct rg_case_file *file); /* wipes */
#define RG_CASE_FILE RG_CLEANUP(rg_case_file_drop) struct rg_case_file

/* What the case waits for, from its file alone. */
struct rg_file_waiting {
    enum rg_mover mover;
    uint32_t awaited; /* kind whose answer is awaited, and whose deadline counts; 0: none */
    const char *what; /* "their answer to the referral" */
    uint32_t kind;    /* the message that would do it; 0: not one alone */
    struct rg_wall since;
    bool alert; /* somebody's safety */
};
/* The most pressing one, and the most pressing of the other side's, if both must move: 1 or 2. For
 * nobody: one with RG_MOVER_NOBODY. */
size_t rg_case_file_waiting(const struct rg_case_file *file, struct rg_wall now,
                            struct rg_file_waiting out[2]);
/* Where it stands between the two countries; NONE while that does not count yet, or not any more.
 */
enum rg_process_state rg_case_file_process(const struct rg_case_file *file);
enum rg_party rg_case_file_party(const struct rg_case_file *file); /* our side of it */
const char *rg_case_file_other_country(const struct rg_case_file *file);

/* `row` is not part of the bytes. */
RG_MUST_USE rg_outcome rg_case_file_encode(const struct rg_case_file *file, struct rg_buffer *out,
                                           struct rg_reason *why);
RG_MUST_USE rg_outcome rg_case_file_decode(struct rg_bytes bytes, struct rg_case_file *out,
                                           struct rg_reason *why);

#endif
