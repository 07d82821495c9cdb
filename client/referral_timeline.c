/* How it works: a case's timeline is its messages in the order of this folder, each with its proofs
 * by time. A message is put into words from its case section; what of its other sections is not
 * open here is named as withheld. Which message is void is what the fold has noted in its row; one
 * is superseded when the same side has said the same kind of thing again, and that counts. */
#include "client/referral_inside.h"

#include "client/rules_message.h"
#include "client/zawgyi.h"
#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_MESSAGE 16
#define PROOFS_MAX 12
#define VOID_PREFIX "void-"
#define SIGNERS_MAX 8

/* ---- which message has taken the place of which ---- */

struct told {
    int64_t seq;
    uint32_t kind; /* 0: not open here */
    bool ours, is_void;
};

struct rg_timeline {
    int64_t case_row;
    struct told *item;
    size_t count;
};

void rg_timeline_free(struct rg_timeline *timeline)
{
    if (timeline != NULL) {
        free(timeline->item);
        free(timeline);
    }
}

static bool is_void(const struct rg_message_row *row)
{
    return strncmp(row->reason, VOID_PREFIX, strlen(VOID_PREFIX)) == 0;
}

static rg_outcome told_add(struct referral *office, const struct rg_message_row *row,
                           struct rg_timeline *timeline, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    if (timeline->count % 64 == 0) {
        struct told *grown =
            realloc(timeline->item, (timeline->count + 64) * sizeof(*timeline->item));
        RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "out of memory");
        timeline->item = grown;
    }
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    timeline->item[timeline->count++] = (struct told){
        .seq = row->seq,
        .kind = found ? content.kind : 0,
        .ours = row->ours,
        .is_void = is_void(row) || row->state == RG_OUT_REFUSED || row->state == RG_IN_UNOPENED,
    };
    return rg_ok();
}

static rg_outcome timeline_fill(struct referral *office, struct rg_timeline *timeline,
                                struct rg_reason *why)
{
    struct rg_message_row row = {0};
    size_t count = 0;
    for (;;) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, timeline->case_row, row.seq, &row, 1,
                             &count, why));
        if (count == 0) {
            return rg_ok();
        }
        RG_TRY(told_add(office, &row, timeline, why));
    }
}

static rg_outcome timeline_make(struct referral *office, int64_t case_row, struct rg_reason *why)
{
    struct rg_timeline *made = calloc(1, sizeof(*made));
    RG_CHECK(made != NULL, why, RG_IO, "out-of-memory", "out of memory");
    made->case_row = case_row;
    rg_outcome outcome = timeline_fill(office, made, why);
    if (!rg_is_ok(outcome)) {
        rg_timeline_free(made);
        return outcome;
    }
    rg_timeline_free(office->timeline);
    office->timeline = made;
    return outcome;
}

/* Kinds of which the last one holds. */
static bool is_replaced_by_its_like(uint32_t kind)
{
    static const uint32_t kinds[] = {
        RG_KIND_DETAILS,           RG_KIND_CONSENT_RECORD,    RG_KIND_NATIONALITY_RESULT,
        RG_KIND_TRACING_RESULT,    RG_KIND_FAMILY_ASSESSMENT, RG_KIND_RISK_ASSESSMENT,
        RG_KIND_BEST_INTEREST,     RG_KIND_TRAVEL_DOC_RESULT, RG_KIND_HEALTH_SUMMARY,
        RG_KIND_HANDOVER_PROPOSAL, RG_KIND_REINTEGRATION_PLAN};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

static bool is_superseded(const struct rg_timeline *timeline, int64_t seq)
{
    const struct told *one = NULL;
    for (size_t i = 0; i < timeline->count; i++) {
        const struct told *told = &timeline->item[i];
        if (told->seq == seq && !told->is_void && is_replaced_by_its_like(told->kind)) {
            one = told;
        }
        if (one != NULL && told->seq > seq && told->kind == one->kind && told->ours == one->ours &&
            !told->is_void) {
            return true;
        }
    }
    return false;
}

/* ---- one event ---- */

static void event_common(struct referral *office, struct referral_event *out)
{
    static const char nothing[] = "";
    out->zone_minutes = rg_deadlines_zone(office->deadlines, office->home->principal.country);
    out->message = out->message != NULL ? out->message : nothing;
    out->kind = out->kind != NULL ? out->kind : nothing;
    out->void_reason = out->void_reason != NULL ? out->void_reason : nothing;
    out->withheld = out->withheld != NULL ? out->withheld : nothing;
    out->warning = out->warning != NULL ? out->warning : nothing;
}

static const char *proof_words(const struct rg_message_row *row, const struct rg_proof_row *proof)
{
    switch (proof->kind) {
    case RG_ENTRY_ACCEPTED:
        return row->ours ? "took our message" : "took their message";
    case RG_ENTRY_RECEIVED:
        return row->ours ? "has our message" : "has it for us";
    case RG_ENTRY_COLLECTED:
        return "an officer there has opened it";
    case RG_ENTRY_REFUSED:
        return "refused it for good";
    case RG_ENTRY_CLOSED:
        return "closed it: never received";
    case RG_ENTRY_UNCONFIRMED:
        return "holds no receipt for it";
    case RG_ENTRY_RECEIPT_VERIFIED:
    case RG_ENTRY_ERASED:
    case RG_ENTRY_PAGE:
    case RG_ENTRY_PEER_HEAD:
    case RG_ENTRY_EPOCH:
        return "noted it";
    }
    return "noted it";
}

static void event_of_proof(struct referral *office, const struct rg_message_row *row,
                           const struct rg_proof_row *proof, struct referral_event *out)
{
    const char *country = rg_home_log_country(office->home, proof->head.origin);
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s gateway", country);
    (void)snprintf(office->text[1], sizeof(office->text[1]), "%s", proof_words(row, proof));
    *out = (struct referral_event){.time_ms = proof->time_ms,
                                   .clock = office->text[0],
                                   .who = office->text[0],
                                   .what = office->text[1],
                                   .proven = true};
    event_common(office, out);
}

static const char *void_words(const struct rg_message_row *row)
{
    if (!is_void(row)) {
        return "";
    }
    for (unsigned i = 1; i < RG_VOID_COUNT; i++) {
        if (strcmp(rg_void_name((enum rg_void)i), row->reason + strlen(VOID_PREFIX)) == 0) {
            return rg_void_meaning((enum rg_void)i);
        }
    }
    return row->reason;
}

/* The class of section `index`, as the case section labels it. */
static const char *label_of(const struct rg_content *content, size_t index)
{
    for (size_t i = 0; i < content->label_count; i++) {
        const struct rg_label *label = &content->label[i];
        if (label->state == RG_LABEL_ATTACHED && label->index == index) {
            return rg_class_name(label->class_);
        }
    }
    return "a section";
}

/* It was open here; else it never was: sealed for others. */
static bool is_erased(struct referral *office, const struct rg_message_row *row, size_t index)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    bool found = false;
    return rg_casebook_section_get(office->book, row->seq, index, &bytes, &found, NULL).code ==
           RG_DENIED;
}

/* "health, legal (erased)": sections that are not open here, and what was said not to be sent. */
static rg_outcome withheld_words(struct referral *office, const struct rg_message_row *row,
                                 const struct rg_content *content, char *out, size_t room,
                                 struct rg_reason *why)
{
    out[0] = '\0';
    for (uint32_t i = 1; i < row->sections; i++) {
        struct rg_content other = {0};
        RG_OWNED_BUFFER memory = {.secret = true};
        bool found = false;
        RG_TRY(rg_office_content(office, row, i, &other, &memory, &found, why));
        if (!found) {
            rg_words_add(out, room, "%s%s%s", out[0] != '\0' ? ", " : "", label_of(content, i),
                         is_erased(office, row, i) ? " (erased)" : "");
        }
    }
    for (size_t i = 0; i < content->label_count; i++) {
        if (content->label[i].state == RG_LABEL_WITHHELD) {
            rg_words_add(out, room, "%s%s", out[0] != '\0' ? ", " : "",
                         rg_class_name(content->label[i].class_));
        }
    }
    return rg_ok();
}

/* Every certificate that speaks for the author has been stopped by now. */
static bool is_author_stopped(const struct referral *office, const struct rg_content *content)
{
    struct rg_certificate *list[SIGNERS_MAX];
    struct rg_principal author;
    size_t count = 0;
    size_t stopped = 0;
    size_t his = 0;
    if (!rg_is_ok(rg_principal_parse(content->author, &author, NULL)) ||
        !rg_is_ok(rg_trust_signers(office->home->trust, author.office, list, SIGNERS_MAX, &count,
                                   NULL))) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct rg_verdict verdict = {0};
        if (strcmp(rg_certificate_principal(list[i])->text, author.text) != 0) {
            continue;
        }
        his++;
        stopped += rg_is_ok(rg_trust_judge(office->home->trust, list[i], RG_USE_SIGN, content->made,
                                           rg_wall_now(), &verdict, NULL)) &&
                   verdict.stopped_later;
    }
    return his > 0 && his == stopped;
}

static void event_words(struct referral *office, const struct rg_message_row *row,
                        const struct rg_content *content)
{
    char *text = office->text[1];
    text[0] = '\0';
    if (content != NULL) {
        rg_words_content(content, text, sizeof(office->text[1]));
    }
    if (content == NULL) {
        const char *closed = is_erased(office, row, 0) ? "erased" : "not for this officer";
        rg_words_add(text, sizeof(office->text[1]), "a sealed message (%s)",
                     row->reason[0] != '\0' ? row->reason : closed);
    }
    if (row->ours) {
        rg_words_add(text, sizeof(office->text[1]), " -> %s", row->other);
    }
}

static rg_outcome event_of_message(struct referral *office, const struct rg_message_row *row,
                                   struct referral_event *out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s",
                   row->ours ? rg_office_own(office) : row->other);
    event_words(office, row, found ? &content : NULL);
    office->text[2][0] = '\0';
    if (found) {
        RG_TRY(
            withheld_words(office, row, &content, office->text[2], sizeof(office->text[2]), why));
    }
    bool stopped = found && is_author_stopped(office, &content);
    rg_hex(rg_bytes_of(row->id.b, sizeof(row->id.b)), office->hex);
    *out = (struct referral_event){
        .time_ms = found ? content.made.ms : row->time_ms,
        .clock = row->ours ? "ours" : "theirs",
        .who = office->text[0],
        .what = office->text[1],
        .message = office->hex,
        .kind = found ? rg_kind_name(content.kind) : "",
        .void_reason = void_words(row),
        .withheld = office->text[2],
        .warning = stopped ? "the author's certificate has been stopped since" : "",
        .superseded = office->timeline != NULL && is_superseded(office->timeline, row->seq),
    };
    event_common(office, out);
    return rg_ok();
}

static void proofs_sort(struct rg_proof_row *proof, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t k = i; k > 0 && proof[k].time_ms < proof[k - 1].time_ms; k--) {
            struct rg_proof_row swap = proof[k];
            proof[k] = proof[k - 1];
            proof[k - 1] = swap;
        }
    }
}

/* Place `at` of one message: 0 the message, then its proofs by time. Theirs: proofs come first. */
static rg_outcome event_at(struct referral *office, const struct rg_message_row *row, size_t at,
                           struct referral_event *out, bool *found_out, struct rg_reason *why)
{
    struct rg_proof_row proof[PROOFS_MAX];
    size_t count = 0;
    *found_out = true;
    if (at == 0) {
        return event_of_message(office, row, out, why);
    }
    RG_TRY(rg_spool_proofs(office->spool, row->seq, proof, PROOFS_MAX, &count, why));
    if (at > count) {
        *found_out = false;
        return rg_ok();
    }
    proofs_sort(proof, count);
    event_of_proof(office, row, &proof[at - 1], out);
    return rg_ok();
}

static bool entered_here(const struct rg_case_file *file)
{
    return file->now.side != RG_SIDE_ORIGIN && file->proposed_by[0] == '\0';
}

static rg_outcome next_event(struct referral *office, const char *id,
                             struct referral_cursor *cursor, struct referral_event *out,
                             bool *found_out, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    *found_out = true;
    if (cursor->at == 0 || office->timeline == NULL || office->timeline->case_row != file.row) {
        RG_TRY(timeline_make(office, file.row, why));
    }
    if (cursor->at == 0) {
        cursor->at = EVENTS_PER_MESSAGE; /* messages begin at 1 */
        if (entered_here(&file)) {
            *out = (struct referral_event){.time_ms = file.made_ms,
                                           .clock = "ours",
                                           .who = rg_office_own(office),
                                           .what = "entered into the casebook"};
            event_common(office, out);
            return rg_ok();
        }
    }
    for (;;) {
        struct rg_message_row row;
        size_t count = 0;
        int64_t seq = cursor->at / EVENTS_PER_MESSAGE;
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file.row, seq - 1, &row, 1, &count, why));
        if (count == 0) {
            *found_out = false;
            return rg_ok();
        }
        size_t at = row.seq == seq ? (size_t)(cursor->at % EVENTS_PER_MESSAGE) : 0;
        RG_TRY(event_at(office, &row, at, out, found_out, why));
        cursor->at = *found_out ? row.seq * EVENTS_PER_MESSAGE + (int64_t)at + 1
                                : (row.seq + 1) * EVENTS_PER_MESSAGE;
        if (*found_out) {
            return rg_ok();
        }
    }
}

struct referral_result referral_next_event(struct referral *office, const char *id,
                                           struct referral_cursor *cursor,
                                           struct referral_event *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_event(office, id, cursor, out, &found, &why);
    return rg_is_ok(outcome) && !found ? rg_end_of_list() : rg_result(outcome, &why);
}

/* ---- what is missing, and what a person should see ---- */

struct notes {
    struct referral_note item[REFERRAL_NOTES_MAX];
    size_t count;
};

static void note_add(struct notes *notes, const char *about, const char *id, const char *text,
                     const char *what_next)
{
    if (notes->count < REFERRAL_NOTES_MAX) {
        notes->item[notes->count++] = (struct referral_note){about, id, text, what_next};
    }
}

static rg_outcome notes_of_record(struct referral *office, const struct rg_case_file *file,
                                  struct notes *notes, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    unsigned duties = rg_duties_of_record(record);
    for (unsigned i = 1; i < RG_DUTY_COUNT; i++) {
        const struct rg_duty_row *row = rg_duty_row((enum rg_duty)i);
        if (row != NULL && (duties & RG_DUTY_BIT(i)) != 0) {
            note_add(notes, "warning", row->id, row->meaning, row->what_next);
        }
    }
    const char *name = rg_record_get(record, RG_FIELD_FULL_NAME_NATIVE);
    if (rg_zawgyi_score(rg_bytes_of_text(name)) >= RG_ZAWGYI_SUSPECTED) {
        note_add(notes, "warning", "zawgyi", "the name looks as if it was typed in Zawgyi",
                 "ask how it is written; nothing is converted");
    }
    return rg_ok();
}

static void notes_of_process(const struct referral *office, const struct rg_case_file *file,
                             struct notes *notes)
{
    unsigned flags = rg_process_flags(&file->process, rg_office_now(office));
    for (unsigned i = 0; i < RG_FLAG_COUNT; i++) {
        if ((flags >> i & 1u) != 0) {
            note_add(notes, "warning", "process", rg_process_flag_text(1u << i), "");
        }
    }
}

/* The gate's own words for it are the host's. */
static const char *next_words(const struct rg_case_file *file, const struct rg_gate_row *row)
{
    if (rg_case_file_party(file) == RG_PARTY_HOST) {
        return row->what_next;
    }
    bool ours = row->mover == RG_PARTY_ORIGIN && row->kind != 0;
    return ours ? rg_kind_name(row->kind) : "theirs to do";
}

/* What the gate lacks, as long as somebody works towards a journey. */
static void notes_of_gate(const struct referral *office, const struct rg_case_file *file,
                          struct notes *notes)
{
    const unsigned before = RG_STATE_BIT(RG_PROCESS_ACCEPTED) | RG_STATE_BIT(RG_PROCESS_CLEARED) |
                            RG_STATE_BIT(RG_PROCESS_SCHEDULED);
    bool at_home = file->process.care == RG_PARTY_ORIGIN; /* identified late: no journey is meant */
    if ((RG_STATE_BIT(rg_case_file_process(file)) & before) == 0 || at_home) {
        return;
    }
    struct rg_gate_verdict verdict =
        rg_process_gate(&file->process, rg_office_today(office), RG_GATE_DEPARTURE, NULL);
    for (size_t i = 0; i < verdict.count; i++) {
        const struct rg_gate_row *row = rg_gate_row(verdict.row[i]);
        note_add(notes, "missing", row->id, row->meaning, next_words(file, row));
    }
}

static rg_outcome notes_of_duties(struct referral *office, const struct rg_case_file *file,
                                  struct notes *notes, struct rg_reason *why)
{
    unsigned duties = 0;
    RG_TRY(rg_office_duties(office, file, &duties, why));
    for (unsigned i = 1; i < RG_DUTY_COUNT; i++) {
        const struct rg_duty_row *row = rg_duty_row((enum rg_duty)i);
        if (row != NULL && (duties & RG_DUTY_BIT(i)) != 0) {
            note_add(notes, "duty", row->id, row->meaning, row->what_next);
        }
    }
    return rg_ok();
}

static rg_outcome notes_make(struct referral *office, const struct rg_case_file *file,
                             struct notes *notes, struct rg_reason *why)
{
    if (file->protection_claim) {
        note_add(
            notes, "warning", "protection-claim",
            "protection has been asked for: the country of origin is told nothing of this case",
            "");
    }
    RG_TRY(notes_of_duties(office, file, notes, why));
    RG_TRY(notes_of_record(office, file, notes, why));
    if (file->has_process) {
        notes_of_process(office, file, notes);
        notes_of_gate(office, file, notes);
    }
    return rg_ok();
}

struct referral_result referral_next_note(struct referral *office, const char *id,
                                          struct referral_cursor *cursor, struct referral_note *out)
{
    struct rg_reason why = {0};
    RG_CASE_FILE file = {0};
    struct notes notes = {0};
    rg_outcome outcome = rg_office_case(office, id, &file, &why);
    if (rg_is_ok(outcome)) {
        outcome = notes_make(office, &file, &notes, &why);
    }
    if (!rg_is_ok(outcome) || (uint64_t)cursor->at >= notes.count) {
        return rg_is_ok(outcome) ? rg_end_of_list() : rg_result(outcome, &why);
    }
    *out = notes.item[cursor->at++];
    return rg_result(outcome, NULL);
}
