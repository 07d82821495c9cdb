/* How it works: where a case stands is computed from what both offices have said in it, never kept
 * beside it. For every message of a case there is one sealed note in the casebook: what the process
 * needs of it (kind, code, dates, what it names), no content. So the fold reads no sections, and a
 * case whose sections have been erased still stands where it stood. After each message that comes
 * or goes the fold is made anew and kept in the case as a cache. */
#include "client/referral_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum rg_party rg_office_party(const struct referral *office, const struct rg_case_file *file)
{
    bool host = strcmp(file->host, office->home->principal.country) == 0;
    return host ? RG_PARTY_HOST : RG_PARTY_ORIGIN;
}

/* A thread of its own: an alert straight from an NGO. */
static bool is_fresh(const struct rg_case_file *file, const struct rg_thread_id *thread)
{
    return !file->has_thread || memcmp(file->thread.b, thread->b, sizeof(thread->b)) != 0;
}

rg_outcome rg_office_note(struct referral *office, const struct rg_case_file *file,
                          const struct rg_noting *noting, struct rg_process_message *out,
                          bool *relevant_out, struct rg_reason *why)
{
    enum rg_party own = rg_office_party(office, file);
    RG_TRY(rg_process_message_read(noting->section, noting->count, noting->id,
                                   noting->own_country ? own : rg_party_other(own), out,
                                   relevant_out, why));
    out->fresh = is_fresh(file, &noting->thread);
    return rg_ok();
}

/* Refused, withdrawn or not readable: the other side does not have it, or nobody can read it. */
static bool counts(const struct rg_message_row *row)
{
    return row->state != RG_OUT_REFUSED && row->state != RG_OUT_WITHDRAWN &&
           row->state != RG_IN_UNOPENED;
}

/* ---- all notes of a case ---- */

struct notes { /* of one case, in the order of this folder: arrays of the two structs, side by side
                */
    struct rg_buffer note; /* struct rg_process_message */
    struct rg_buffer row;  /* struct rg_message_row */
    size_t count;
};

static void notes_drop(struct notes *notes)
{
    rg_buffer_drop(&notes->note);
    rg_buffer_drop(&notes->row);
}

static const struct rg_process_message *notes_note(const struct notes *notes)
{
    return (const struct rg_process_message *)(const void *)notes->note.data;
}

static struct rg_message_row *notes_row(const struct notes *notes)
{
    return (struct rg_message_row *)(void *)notes->row.data;
}

static rg_outcome notes_read(struct referral *office, int64_t case_row, struct notes *out,
                             struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        struct rg_process_message note;
        bool found = false;
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, case_row, row.seq, &row, 1, &count, why));
        if (count == 0) {
            return rg_ok();
        }
        if (counts(&row)) {
            RG_TRY(rg_casebook_note_get(office->book, row.seq, &note, &found, why));
        }
        if (found) {
            RG_TRY(rg_buffer_append(&out->note, rg_bytes_of(&note, sizeof(note)), why));
            RG_TRY(rg_buffer_append(&out->row, rg_bytes_of(&row, sizeof(row)), why));
            out->count++;
        }
    }
}

/* ---- the fold ---- */

#define VOID_PREFIX "void-"

static void entries_drop(struct rg_process_entry **entry)
{
    free(*entry);
}

/* What counts may change with what comes: a message that was void may count now, and the other way
 * round. Its row says so, for people. */
static rg_outcome void_note(struct referral *office, struct rg_message_row *row,
                            enum rg_void reason, struct rg_reason *why)
{
    char now[sizeof(row->reason)] = "";
    bool was = strncmp(row->reason, VOID_PREFIX, strlen(VOID_PREFIX)) == 0;
    if (reason != RG_VOID_NOT) {
        (void)snprintf(now, sizeof(now), VOID_PREFIX "%s", rg_void_name(reason));
    }
    bool same = strcmp(now, row->reason) == 0 || (!was && row->reason[0] != '\0');
    if (same) {
        return rg_ok();
    }
    (void)snprintf(row->reason, sizeof(row->reason), "%s", now);
    return rg_spool_message_update(office->spool, row, why);
}

rg_outcome rg_office_fold(struct referral *office, struct rg_case_file *file,
                          const struct rg_id *about, enum rg_void *said_out, struct rg_reason *why)
{
    RG_CLEANUP(notes_drop) struct notes notes = {.count = 0};
    RG_CLEANUP(entries_drop) struct rg_process_entry *entry = NULL;
    size_t entries = 0;
    RG_TRY(notes_read(office, file->row, &notes, why));
    entry = calloc(notes.count + 1, sizeof(*entry));
    RG_CHECK(entry != NULL, why, RG_IO, "out-of-memory", "out of memory");
    RG_TRY(rg_process_fold(notes_note(&notes), notes.count, entry, &entries, &file->process, why));
    file->has_process = true;
    struct rg_message_row *row = notes_row(&notes); /* NULL when there are none */
    for (size_t i = 0; row != NULL && i < entries; i++) {
        RG_TRY(void_note(office, &row[entry[i].index], entry[i].reason, why));
        if (about != NULL && rg_id_same(entry[i].id, *about)) {
            *said_out = entry[i].reason;
        }
    }
    return rg_ok();
}

rg_outcome rg_office_heads(struct referral *office, const struct rg_case_file *file,
                           struct rg_process_heads *out, struct rg_reason *why)
{
    RG_CLEANUP(notes_drop) struct notes notes = {.count = 0};
    RG_TRY(notes_read(office, file->row, &notes, why));
    *out = rg_process_heads(notes_note(&notes), notes.count, rg_office_party(office, file),
                            rg_wall_now());
    return rg_ok();
}

/* What only this house knows: it never leaves, but it holds this house back. */
static rg_outcome gate_home(struct referral *office, const struct rg_case_file *file,
                            struct rg_gate_home *out, struct rg_reason *why)
{
    struct rg_exclusions list = {0};
    RG_TRY(rg_casebook_exclusions_get(office->book, file->row, &list, NULL, why));
    out->no_claim = !file->protection_claim;
    out->receivers_clear = !rg_exclusions_reader(&list, "", file->partner);
    return rg_ok();
}

rg_outcome rg_office_may(struct referral *office, struct rg_case_file *file,
                         const struct rg_process_message *next, struct rg_reason *why)
{
    struct rg_gate_home home;
    if (!file->has_process) {
        RG_TRY(rg_office_fold(office, file, NULL, NULL, why));
    }
    RG_TRY(gate_home(office, file, &home, why));
    return rg_process_may(&file->process, next, &home, why);
}

rg_outcome rg_office_gate(struct referral *office, struct rg_case_file *file,
                          struct rg_gate_verdict *out, struct rg_reason *why)
{
    struct rg_gate_home home;
    if (!file->has_process) {
        RG_TRY(rg_office_fold(office, file, NULL, NULL, why));
    }
    RG_TRY(gate_home(office, file, &home, why));
    *out = rg_process_gate(&file->process, rg_office_today(office), RG_GATE_DEPARTURE, &home);
    return rg_ok();
}

/* ---- what a message may answer ---- */

/* Newest first; one that this office has answered already only when there is no other. */
rg_outcome rg_office_answerable(struct referral *office, const struct rg_case_file *file,
                                uint32_t kind, struct rg_id *out, bool *found_out,
                                struct rg_reason *why)
{
    RG_CLEANUP(notes_drop) struct notes notes = {.count = 0};
    enum rg_party own = rg_office_party(office, file);
    bool back = rg_kind_row(kind)->direction == RG_DIRECTION_BACK;
    *found_out = false;
    RG_TRY(notes_read(office, file->row, &notes, why));
    for (size_t i = notes.count; i-- > 0;) {
        const struct rg_process_message *note = &notes_note(&notes)[i];
        bool may = rg_kind_answers(kind, note->kind) && rg_kind_row(kind)->answers[0] != 0 &&
                   note->kind != RG_KIND_ACKNOWLEDGEMENT && !(back && note->from == own);
        if (!may) {
            continue;
        }
        bool answered = false;
        for (size_t k = i + 1; k < notes.count; k++) {
            answered = answered ||
                       (notes_note(&notes)[k].kind == kind && notes_note(&notes)[k].has_answers &&
                        rg_id_same(notes_note(&notes)[k].answers, note->id));
        }
        if (!answered || !*found_out) {
            *out = note->id;
            *found_out = true;
        }
        if (!answered) {
            return rg_ok();
        }
    }
    return rg_ok();
}

rg_outcome rg_office_newest(struct referral *office, const struct rg_case_file *file, uint32_t kind,
                            struct rg_id *out, bool *found_out, struct rg_reason *why)
{
    RG_CLEANUP(notes_drop) struct notes notes = {.count = 0};
    RG_TRY(notes_read(office, file->row, &notes, why));
    for (size_t i = notes.count; i-- > 0;) {
        if (notes_note(&notes)[i].kind == kind) {
            *out = notes_note(&notes)[i].id;
            *found_out = true;
            return rg_ok();
        }
    }
    return rg_ok();
}

/* ---- what a withdrawal overtakes ---- */

struct overtaken { /* kinds that rest on a scope */
    uint32_t scopes;
    uint8_t kind[16]; /* 0 ended */
};

static const struct overtaken overtaken[] = {
    {RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY),
     {RG_KIND_REQUEST, RG_KIND_DETAILS, RG_KIND_NATIONALITY_REQUEST, RG_KIND_TRACING_REQUEST,
      RG_KIND_TRAVEL_DOC_REQUEST, RG_KIND_HANDOVER_PROPOSAL, RG_KIND_HANDOVER_REPLY,
      RG_KIND_DEPARTED, RG_KIND_HANDOVER_RECORD, RG_KIND_EMERGENCY_RETURN, RG_KIND_INFO_RESPONSE,
      RG_KIND_NATIONALITY_RESULT, RG_KIND_TRAVEL_DOC_RESULT, RG_KIND_ACCESS_OR_CORRECTION}},
    {RG_SCOPE_BIT(RG_SCOPE_NOTIFY_ORIGIN), {RG_KIND_IDENTIFICATION_NOTICE}},
    {RG_SCOPE_BIT(RG_SCOPE_TRACE_FAMILY),
     {RG_KIND_TRACING_REQUEST, RG_KIND_TRACING_RESULT, RG_KIND_FAMILY_ASSESSMENT}},
    {RG_SCOPE_BIT(RG_SCOPE_SHARE_HEALTH), {RG_KIND_HEALTH_SUMMARY}},
    {RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL),
     {RG_KIND_JUSTICE_REQUEST, RG_KIND_JUSTICE_REPLY, RG_KIND_WITNESS_VISIT,
      RG_KIND_REMEDY_NOTICE}},
    /* These may hold anything. */
    {RG_SCOPE_BIT(RG_SCOPE_TRACE_FAMILY) | RG_SCOPE_BIT(RG_SCOPE_SHARE_HEALTH) |
         RG_SCOPE_BIT(RG_SCOPE_SHARE_LEGAL) | RG_SCOPE_BIT(RG_SCOPE_SHARE_SECURITY),
     {RG_KIND_DETAILS, RG_KIND_INFO_RESPONSE, RG_KIND_ACCESS_OR_CORRECTION,
      RG_KIND_ONWARD_REFERRAL}},
    {RG_SCOPE_BIT(RG_SCOPE_FOLLOW_UP), {RG_KIND_FOLLOW_UP_REPORT}},
    {RG_SCOPE_BIT(RG_SCOPE_ONWARD_THIRD_COUNTRY), {RG_KIND_ONWARD_REFERRAL}},
};

static bool is_overtaken(const struct rg_process_message *note, uint32_t scopes)
{
    bool goes_back = note->kind == RG_KIND_HANDOVER_RECORD && note->code != RG_RECORD_PRESENT;
    for (size_t i = 0; i < sizeof(overtaken) / sizeof(overtaken[0]) && !goes_back; i++) {
        const struct overtaken *row = &overtaken[i];
        for (size_t k = 0; (row->scopes & scopes) != 0 && row->kind[k] != 0; k++) {
            if (row->kind[k] == note->kind) {
                return true;
            }
        }
    }
    return false;
}

rg_outcome rg_office_take_back(struct referral *office, struct rg_case_file *file,
                               const char *country, struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        char other[RG_COUNTRY_BYTES];
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file->row, row.seq, &row, 1, &count, why));
        if (count == 0) {
            return rg_office_fold(office, file, NULL, NULL, why);
        }
        rg_office_country(row.other, other);
        if (row.ours && row.state == RG_OUT_WAITING && strcmp(other, country) == 0) {
            row.state = RG_OUT_WITHDRAWN;
            RG_TRY(rg_spool_message_update(office->spool, &row, why));
        }
    }
}

rg_outcome rg_office_overtake(struct referral *office, struct rg_case_file *file, uint32_t scopes,
                              struct rg_reason *why)
{
    RG_CLEANUP(notes_drop) struct notes notes = {.count = 0};
    bool taken = false;
    RG_TRY(notes_read(office, file->row, &notes, why));
    for (size_t i = 0; i < notes.count; i++) {
        struct rg_message_row *row = &notes_row(&notes)[i];
        if (row->ours && row->state == RG_OUT_WAITING &&
            is_overtaken(&notes_note(&notes)[i], scopes)) {
            row->state = RG_OUT_WITHDRAWN;
            RG_TRY(rg_spool_message_update(office->spool, row, why));
            taken = true;
        }
    }
    return taken ? rg_office_fold(office, file, NULL, NULL, why) : rg_ok();
}
