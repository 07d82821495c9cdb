/* How it works: what is due goes by itself. Once a day a sync (and `referral tidy` at any time)
 * walks the ended cases, the sealed messages and the reading keys, and destroys what has passed its
 * term. A sync does so after it has spoken with the gateway: certificates that hold say that the
 * clock is not wrong by months. An order or a withdrawal does the same for one case at once.
 *
 * After any erasure two things follow, when its step is committed: the casebook gets a new book key
 * under a new storage key, so that an old copy of the folder stays closed to today's keys, and the
 * write-ahead log is truncated. A crash in between leaves a mark in the casebook ("erasure-open"),
 * and the next tidy goes on there. */
#include "client/referral_inside.h"

#include "client/rules.h"
#include "core/digest.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define PAGE_ROWS 128

/* ---- after an erasure ---- */

static rg_outcome key_replace(struct referral *office, struct rg_reason *why)
{
    RG_CLEANUP(rg_home_rekey_drop) struct rg_home_rekey rekey = {0};
    RG_OWNED_BUFFER sealed = {0};
    RG_TRY(rg_casebook_sealed_key(office->spool, &sealed, why));
    RG_TRY(rg_home_rekey_begin(office->home, rg_buffer_peek(&sealed), &rekey, why));
    RG_TRY(rg_casebook_rekey(office->book, rekey.fresh, why));
    return rg_home_rekey_done(&rekey, why);
}

static rg_outcome erasure_finish(struct referral *office, bool *replaced_out, struct rg_reason *why)
{
    bool open = false;
    *replaced_out = false;
    RG_TRY(rg_casebook_erasure_open(office->book, &open, why));
    if (open) {
        rg_outcome outcome = key_replace(office, why);
        if (outcome.code == RG_AGAIN) {
            return rg_ok(); /* another program is at it; the mark stays until one has done it */
        }
        RG_TRY(outcome);
        *replaced_out = true;
    }
    return rg_spool_tidy(office->spool, why);
}

rg_outcome rg_office_tidy(struct referral *office, struct rg_reason *why)
{
    bool replaced = false;
    if (!office->erased || rg_spool_in_step(office->spool)) {
        return rg_ok();
    }
    office->erased = false;
    return erasure_finish(office, &replaced, why);
}

/* ---- one case ---- */

static rg_outcome note_get(struct referral *office, int64_t case_row, struct rg_retention_note *out,
                           struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    bool found = false;
    *out = (struct rg_retention_note){0};
    RG_TRY(rg_casebook_hold_get(office->book, case_row, &bytes, &found, why));
    return found ? rg_retention_note_decode(rg_buffer_peek(&bytes), out, why) : rg_ok();
}

static rg_outcome note_put(struct referral *office, int64_t case_row,
                           const struct rg_retention_note *note, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_TRY(rg_retention_note_encode(note, &bytes, why));
    return rg_casebook_hold_put(office->book, case_row, rg_buffer_peek(&bytes), why);
}

rg_outcome rg_retention_hold(struct referral *office, int64_t case_row,
                             const struct rg_retention_hold *hold, struct rg_reason *why)
{
    struct rg_retention_note note;
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(note_get(office, case_row, &note, why));
    RG_TRY(rg_retention_hold_set(&note, hold, rg_wall_now(), why));
    RG_TRY(note_put(office, case_row, &note, why));
    return rg_spool_step_commit(&step, why);
}

/* Whoever could open a copy of a message needs a reading key that was good when it was made. */
static rg_outcome copies_until(struct referral *office, int64_t case_row, struct rg_wall *out,
                               struct rg_reason *why)
{
    struct rg_message_row row[PAGE_ROWS];
    size_t count = 0;
    int64_t after = 0;
    int64_t last = 0;
    do {
        RG_TRY(
            rg_spool_list(office->spool, RG_BY_CASE, case_row, after, row, PAGE_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            last = row[i].time_ms > last ? row[i].time_ms : last;
            after = row[i].seq;
        }
    } while (count == PAGE_ROWS);
    out->ms = last == 0 ? 0 : last + (RG_READING_DAYS_MAX + RG_READING_KEEP_DAYS) * DAY_MS;
    return rg_ok();
}

static unsigned lines_fill(const struct rg_retention_note *note, unsigned classes,
                           struct rg_wall now, struct rg_erasure *out)
{
    unsigned go = 0;
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        if ((classes & RG_CLASS_BIT(class_)) == 0) {
            continue;
        }
        const struct rg_retention_hold *hold = &note->hold[class_];
        struct rg_erasure_line *line = &out->line[out->count++];
        line->class_ = (enum rg_class)class_;
        line->destroyed = hold->until.ms <= now.ms;
        go |= line->destroyed ? RG_CLASS_BIT(class_) : 0;
        if (!line->destroyed) {
            line->until.ms = hold->until.ms - 1; /* its day is the last one */
            (void)snprintf(line->basis, sizeof(line->basis), "%s", hold->basis);
        }
    }
    return go;
}

static void note_erased(struct rg_retention_note *note, unsigned classes, struct rg_wall now,
                        enum rg_erasure_reason reason)
{
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        if ((classes & RG_CLASS_BIT(class_)) != 0) {
            note->erased[class_].at = now;
            note->erased[class_].reason = reason;
        }
    }
}

struct erasing { /* one erasure under way, in its own step */
    struct rg_retention_note note;
    struct rg_erasure erasure;
    struct rg_wall now;
    unsigned go; /* classes that are not kept on a legal ground */
};

static rg_outcome erasing_begin(struct referral *office, int64_t case_row, unsigned classes,
                                struct erasing *out, struct rg_reason *why)
{
    *out = (struct erasing){.now = rg_wall_now()};
    RG_TRY(note_get(office, case_row, &out->note, why));
    out->go = lines_fill(&out->note, classes, out->now, &out->erasure);
    return rg_ok();
}

static rg_outcome erasing_end(struct referral *office, int64_t case_row, struct erasing *erasing,
                              const struct rg_erased *erased, struct rg_reason *why)
{
    RG_TRY(copies_until(office, case_row, &erasing->erasure.copies_until, why));
    erasing->erasure.sections = erased->sections;
    erasing->erasure.messages = erased->messages;
    return rg_ok();
}

rg_outcome rg_retention_erase(struct referral *office, int64_t case_row, unsigned classes,
                              enum rg_erasure_reason reason, struct rg_erasure *out,
                              struct rg_reason *why)
{
    struct erasing erasing;
    struct rg_erased erased = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(erasing_begin(office, case_row, classes, &erasing, why));
    if (erasing.go != 0) {
        RG_TRY(rg_casebook_erase_classes(office->book, case_row, erasing.go, &erased, why));
        note_erased(&erasing.note, erasing.go, erasing.now, reason);
        RG_TRY(note_put(office, case_row, &erasing.note, why));
    }
    RG_TRY(erasing_end(office, case_row, &erasing, &erased, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    office->erased = office->erased || erasing.go != 0;
    *out = erasing.erasure;
    return rg_ok();
}

rg_outcome rg_retention_erase_messages(struct referral *office, int64_t case_row, unsigned classes,
                                       struct rg_erasure *out, struct rg_reason *why)
{
    struct erasing erasing;
    struct rg_erased erased = {0};
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(erasing_begin(office, case_row, classes, &erasing, why));
    if (erasing.go != 0) {
        RG_TRY(rg_casebook_erase_messages(office->book, case_row, erasing.go, &erased, why));
    }
    RG_TRY(erasing_end(office, case_row, &erasing, &erased, why));
    RG_TRY(rg_spool_step_commit(&step, why));
    office->erased = office->erased || erasing.go != 0;
    *out = erasing.erasure;
    return rg_ok();
}

static rg_outcome erase_by_hand(struct referral *office, const char *id, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_erasure erasure;
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(rg_retention_erase(office, file.row, RG_CLASSES_ALL, RG_ERASED_BY_HAND, &erasure, why));
    for (size_t i = 0; i < erasure.count; i++) {
        char until[32];
        rg_wall_print(erasure.line[i].until, until);
        RG_CHECK(erasure.line[i].destroyed, why, RG_DENIED, "retention-hold",
                 "the %s part is kept until %.10s on a legal ground; the rest has been erased",
                 rg_class_name(erasure.line[i].class_), until);
    }
    return rg_ok();
}

struct referral_result referral_erase(struct referral *office, const char *id)
{
    struct rg_reason why = {0};
    struct rg_reason said = {0};
    rg_outcome outcome = erase_by_hand(office, id, &why);
    rg_outcome tidied = rg_office_tidy(office, &said);
    return rg_is_ok(outcome) ? rg_result(tidied, &said) : rg_result(outcome, &why);
}

/* ---- what is due ---- */

/* After an erasure the days until the old terms are no longer known: the rest goes in the shortest
 * one. */
static enum rg_retention_end process_end(const struct rg_process *process)
{
    static const enum rg_retention_end end[RG_PROCESS_STATE_COUNT] = {
        [RG_PROCESS_DECLINED] = RG_END_DECLINED,
        [RG_PROCESS_CANCELLED] = RG_END_CANCELLED,
        [RG_PROCESS_CLOSED] = RG_END_CLOSED,
        [RG_PROCESS_ERASED] = RG_END_CANCELLED,
    };
    enum rg_retention_end found =
        (unsigned)process->state < RG_PROCESS_STATE_COUNT ? end[process->state] : RG_END_NONE;
    uint32_t none =
        rg_code_find(RG_FIELD_VIC_TRAFFICKING_STATUS, rg_bytes_of_text("NotAVictimOfTrafficking"));
    return found == RG_END_CLOSED && process->trafficking == none ? RG_END_NOT_VICTIM : found;
}

/* What has crossed ends as the process says; what never left the house, or came back to it, as the
 * case itself does. */
static struct rg_retention_case retention_case(const struct rg_case_file *file)
{
    struct rg_retention_case c = {.since = file->now.since, .erased_classes = file->erased_classes};
    bool taken_up = file->now.state == RG_CASE_HELD || file->now.state == RG_CASE_READY;
    if (taken_up && file->rule == (uint32_t)RG_RULE_NOT_A_VICTIM) {
        c.end = RG_END_NOT_VICTIM;
    }
    if (file->has_process && !taken_up) {
        c.end = process_end(&file->process);
        c.since = file->process.since;
        c.proceedings_end = rg_wall_of_date(file->process.witness_until);
    }
    if (c.end == RG_END_NONE && file->now.state == RG_CASE_DECLINED) {
        c.end = RG_END_DECLINED;
        c.since = file->now.since;
    }
    return c;
}

/* No message of the other side ends a case earlier than our own last word in it. */
static rg_outcome own_last(struct referral *office, int64_t case_row, struct rg_wall *since,
                           struct rg_reason *why)
{
    struct rg_message_row row[PAGE_ROWS];
    size_t count = 0;
    int64_t after = 0;
    do {
        RG_TRY(
            rg_spool_list(office->spool, RG_BY_CASE, case_row, after, row, PAGE_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            bool later = row[i].ours && row[i].time_ms > since->ms;
            since->ms = later ? row[i].time_ms : since->ms;
            after = row[i].seq;
        }
    } while (count == PAGE_ROWS);
    return rg_ok();
}

static rg_outcome due_of(struct referral *office, const struct rg_case_file *file,
                         struct rg_retention_due *out, struct rg_reason *why)
{
    struct rg_retention_note note = {0};
    struct rg_retention_case c = retention_case(file);
    *out = rg_retention_due(&office->home->terms, &c, &note);
    if (rg_retention_now(out, (struct rg_wall){INT64_MAX}) == 0) {
        return rg_ok();
    }
    RG_TRY(note_get(office, file->row, &note, why));
    RG_TRY(own_last(office, file->row, &c.since, why));
    *out = rg_retention_due(&office->home->terms, &c, &note);
    return rg_ok();
}

static rg_outcome case_tidy(struct referral *office, const struct rg_case_file *file, bool dry,
                            struct referral_tidied *tidied, struct rg_reason *why)
{
    struct rg_retention_due due;
    struct rg_erasure erasure;
    RG_TRY(due_of(office, file, &due, why));
    unsigned classes = rg_retention_now(&due, rg_wall_now());
    if (classes == 0) {
        return rg_ok();
    }
    tidied->cases++;
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        tidied->classes += (classes & RG_CLASS_BIT(class_)) != 0;
    }
    if (dry) {
        return rg_ok();
    }
    RG_TRY(rg_retention_erase(office, file->row, classes, RG_ERASED_RETENTION, &erasure, why));
    tidied->sections += erasure.sections;
    tidied->messages += erasure.messages;
    return rg_ok();
}

static rg_outcome cases_tidy(struct referral *office, bool dry, struct referral_tidied *tidied,
                             struct rg_reason *why)
{
    bool found = true;
    RG_CASE_FILE file = {0};
    for (;;) {
        RG_TRY(rg_casebook_next(office->book, file.row, &file, &found, why));
        if (!found) {
            return rg_ok();
        }
        RG_TRY(case_tidy(office, &file, dry, tidied, why));
    }
}

/* What came or was written after its class had been erased goes with the next tidy. */
static rg_outcome late_tidy(struct referral *office, const struct rg_message_row *row,
                            struct referral_tidied *tidied, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_erasure erasure;
    if (row->case_row == 0) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_get(office->book, row->case_row, &file, why));
    if (file.erased_classes == 0 || retention_case(&file).end == RG_END_NONE) {
        return rg_ok();
    }
    RG_TRY(rg_retention_erase(office, file.row, file.erased_classes, RG_ERASED_RETENTION, &erasure,
                              why));
    tidied->sections += erasure.sections;
    tidied->messages += erasure.messages;
    return rg_ok();
}

static rg_outcome lates_tidy(struct referral *office, struct referral_tidied *tidied,
                             struct rg_reason *why)
{
    struct rg_message_row row[PAGE_ROWS];
    size_t count = 0;
    int64_t after = 0;
    RG_TRY(rg_spool_number_get(office->spool, "tidy-seq", 0, &after, why));
    do {
        RG_TRY(rg_spool_bodies(office->spool, after, row, PAGE_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            RG_TRY(late_tidy(office, &row[i], tidied, why));
            after = row[i].seq;
        }
    } while (count == PAGE_ROWS);
    return rg_spool_number_set(office->spool, "tidy-seq", after, why);
}

/* ---- sealed bytes and reading keys ---- */

static rg_outcome core_of(struct referral *office, int64_t seq, struct rg_core *out,
                          struct rg_reason *why)
{
    RG_OWNED_BUFFER header = {0};
    struct rg_envelope envelope;
    RG_TRY(rg_spool_header(office->spool, seq, &header, why));
    RG_TRY(rg_header_peek(rg_buffer_peek(&header), &envelope, why));
    *out = envelope.core;
    return rg_ok();
}

static bool is_unopened(const struct rg_message_row *row)
{
    return row->state == RG_IN_STORED || row->state == RG_IN_UNOPENED;
}

/* What waits for the gateway stays; what could not be opened stays for its lifetime. */
static rg_outcome body_due(struct referral *office, const struct rg_message_row *row,
                           struct rg_wall now, bool *due_out, struct rg_reason *why)
{
    struct rg_core core;
    struct rg_wall made = {row->time_ms};
    *due_out =
        row->state != RG_OUT_WAITING && rg_retention_sealed(&office->home->terms, made).ms < now.ms;
    if (*due_out && is_unopened(row)) {
        RG_TRY(core_of(office, row->seq, &core, why));
        *due_out = core.collect_by.ms < now.ms;
    }
    return rg_ok();
}

static rg_outcome body_strip(struct referral *office, struct rg_message_row *row,
                             struct rg_reason *why)
{
    bool done = false;
    RG_TRY(rg_spool_body_strip(office->spool, row->seq, &done, why));
    if (row->state != RG_IN_STORED) {
        return rg_ok();
    }
    row->state = RG_IN_UNOPENED;
    (void)snprintf(row->reason, sizeof(row->reason), "message-lifetime");
    return rg_spool_message_update(office->spool, row, why);
}

static rg_outcome bodies_page(struct referral *office, bool dry, int64_t *after, size_t *due_out,
                              size_t *count_out, struct rg_reason *why)
{
    struct rg_message_row row[PAGE_ROWS];
    struct rg_wall now = rg_wall_now();
    RG_SPOOL_STEP step = {0};
    *due_out = 0;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_spool_bodies(office->spool, *after, row, PAGE_ROWS, count_out, why));
    for (size_t i = 0; i < *count_out; i++) {
        bool due = false;
        *after = row[i].seq;
        RG_TRY(body_due(office, &row[i], now, &due, why));
        *due_out += due;
        if (due && !dry) {
            RG_TRY(body_strip(office, &row[i], why));
        }
    }
    return rg_spool_step_commit(&step, why);
}

/* Messages stand in order of their making, by and large: after a page without one that is due the
 * rest is younger. */
static rg_outcome bodies_tidy(struct referral *office, bool dry, struct referral_tidied *tidied,
                              struct rg_reason *why)
{
    size_t due = 0;
    size_t count = 0;
    int64_t after = 0;
    do {
        RG_TRY(bodies_page(office, dry, &after, &due, &count, why));
        tidied->messages += due;
    } while (count == PAGE_ROWS && due > 0);
    return rg_ok();
}

/* Does something lie here that this key may have to open yet? */
static rg_outcome key_needed(struct referral *office, size_t at, struct rg_wall now,
                             bool *needed_out, struct rg_reason *why)
{
    struct rg_message_row row[PAGE_ROWS];
    size_t count = 0;
    int64_t after = 0;
    *needed_out = false;
    do {
        RG_TRY(rg_spool_bodies(office->spool, after, row, PAGE_ROWS, &count, why));
        for (size_t i = 0; i < count; i++) {
            struct rg_core core;
            after = row[i].seq;
            if (!is_unopened(&row[i])) {
                continue;
            }
            RG_TRY(core_of(office, row[i].seq, &core, why));
            if (core.collect_by.ms >= now.ms &&
                rg_home_reading_opens(office->home, at, core.created)) {
                *needed_out = true;
                return rg_ok();
            }
        }
    } while (count == PAGE_ROWS);
    return rg_ok();
}

/* Never the newest: it is the one others seal to, and a clock may be wrong. */
static rg_outcome keys_tidy(struct referral *office, bool dry, struct referral_tidied *tidied,
                            struct rg_reason *why)
{
    struct rg_wall now = rg_wall_now();
    for (size_t at = office->home->reading_count; at-- > 1;) {
        bool needed = false;
        if (!rg_home_reading_over(office->home, at, now)) {
            continue;
        }
        RG_TRY(key_needed(office, at, now, &needed, why));
        if (needed) {
            continue;
        }
        tidied->reading_keys++;
        if (!dry) {
            RG_TRY(rg_home_reading_destroy(office->home, at, why));
        }
    }
    return rg_ok();
}

/* ---- all of it ---- */

static rg_outcome tidy_locked(struct referral *office, bool dry, struct referral_tidied *tidied,
                              struct rg_reason *why)
{
    size_t files = 0;
    RG_TRY(cases_tidy(office, dry, tidied, why));
    RG_TRY(bodies_tidy(office, dry, tidied, why));
    RG_TRY(keys_tidy(office, dry, tidied, why));
    if (dry) {
        return rg_ok();
    }
    RG_TRY(lates_tidy(office, tidied, why));
    RG_TRY(rg_home_sweep(office->home, rg_wall_now(), &files, why));
    office->erased = false;
    RG_TRY(erasure_finish(office, &tidied->key_replaced, why));
    return rg_spool_number_set(office->spool, "tidy-day", rg_wall_now().ms / DAY_MS, why);
}

rg_outcome rg_office_tidy_daily(struct referral *office, struct rg_reason *why)
{
    struct referral_tidied tidied = {0};
    int64_t day = 0;
    bool open = false;
    RG_TRY(rg_spool_number_get(office->spool, "tidy-day", 0, &day, why));
    RG_TRY(rg_casebook_erasure_open(office->book, &open, why));
    if (day == rg_wall_now().ms / DAY_MS && !open) {
        return rg_ok();
    }
    return tidy_locked(office, false, &tidied, why);
}

static rg_outcome tidy(struct referral *office, bool dry, struct referral_tidied *tidied,
                       struct rg_reason *why)
{
    RG_TRY(rg_office_lock(office, why));
    rg_outcome outcome = tidy_locked(office, dry, tidied, why);
    rg_office_unlock(office);
    return outcome;
}

struct referral_result referral_tidy(struct referral *office, bool dry_run,
                                     struct referral_tidied *out)
{
    struct rg_reason why = {0};
    *out = (struct referral_tidied){0};
    return rg_result(tidy(office, dry_run, out, &why), &why);
}

/* ---- the list of what is due when ---- */

static void due_show(struct referral *office, const struct rg_case_file *file, unsigned class_,
                     struct rg_wall at, struct referral_due *out)
{
    office->shown = *file;
    *out = (struct referral_due){
        .case_id = office->shown.number,
        .reference = office->shown.reference,
        .state = rg_retention_end_name(retention_case(file).end),
        .class_name = rg_class_name((enum rg_class)class_),
        .due_ms = at.ms,
        .now = at.ms <= rg_wall_now().ms,
    };
}

/* The cursor counts in classes: case row times 8, plus the class. */
static rg_outcome next_due(struct referral *office, struct referral_cursor *cursor,
                           struct referral_due *out, bool *found_out, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_retention_due due;
    int64_t row = cursor->at / 8;
    unsigned class_ = (unsigned)(cursor->at % 8);
    for (;;) {
        int64_t before = class_ > 0 && class_ < RG_CLASS_COUNT ? row - 1 : row;
        RG_TRY(rg_casebook_next(office->book, before, &file, found_out, why));
        if (!*found_out) {
            return rg_ok();
        }
        class_ = file.row == row ? class_ : 0;
        row = file.row;
        RG_TRY(due_of(office, &file, &due, why));
        while (++class_ <= RG_CLASS_COUNT) {
            if (due.at[class_].ms != 0) {
                cursor->at = row * 8 + (int64_t)class_;
                due_show(office, &file, class_, due.at[class_], out);
                return rg_ok();
            }
        }
        class_ = 0;
    }
}

struct referral_result referral_next_due(struct referral *office, struct referral_cursor *cursor,
                                         struct referral_due *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = next_due(office, cursor, out, &found, &why);
    if (rg_is_ok(outcome) && !found) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    return rg_result(outcome, &why);
}

/* ---- kept longer ---- */

static rg_outcome hold_fill(struct referral *office, const struct referral_hold *asked,
                            struct rg_retention_hold *out, struct rg_reason *why)
{
    struct rg_date until;
    for (unsigned class_ = 1; class_ <= RG_CLASS_COUNT; class_++) {
        if (strcmp(rg_class_name((enum rg_class)class_), asked->class_name) == 0) {
            out->class_ = (enum rg_class)class_;
        }
    }
    RG_CHECK(out->class_ != 0, why, RG_MALFORMED, "class-unknown",
             "the part must be case, identity, family, health, legal or security");
    RG_CHECK(rg_date_parse(rg_bytes_of_text(asked->until), &until) && until.day != 0, why,
             RG_MALFORMED, "hold-until", "the last day must be YYYY-MM-DD");
    RG_CHECK(strlen(asked->basis) < sizeof(out->basis), why, RG_MALFORMED, "hold-basis",
             "the legal basis may have at most %zu bytes", sizeof(out->basis) - 1);
    out->until = rg_wall_of_date(until);
    (void)snprintf(out->basis, sizeof(out->basis), "%s", asked->basis);
    (void)snprintf(out->officer[0], sizeof(out->officer[0]), "%s", office->home->principal.text);
    return rg_office_second(office, asked->second_home, out->officer[1], why);
}

static rg_outcome hold(struct referral *office, const char *id, const struct referral_hold *asked,
                       struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    struct rg_retention_hold wanted = {.until = {0}};
    RG_TRY(rg_office_case(office, id, &file, why));
    RG_TRY(hold_fill(office, asked, &wanted, why));
    RG_CHECK((file.erased_classes & RG_CLASS_BIT(wanted.class_)) == 0, why, RG_DENIED,
             "item-erased", "this part has been erased");
    return rg_retention_hold(office, file.row, &wanted, why);
}

struct referral_result referral_hold(struct referral *office, const char *id,
                                     const struct referral_hold *asked)
{
    struct rg_reason why = {0};
    return rg_result(hold(office, id, asked, &why), &why);
}
