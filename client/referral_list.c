/* How it works: a list is made from the index in one pass: what is asked for is kept as a row and
 * what it is sorted by, then the cases are opened one by one as the caller walks on. A search keeps
 * what the index says may be called so, and looks at the names when the case is opened. The list
 * stands in the handle until another one is asked for; a cursor is a place in it. */
#include "client/referral_inside.h"

#include "client/rules.h"
#include "client/zawgyi.h"
#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one case ---- */

struct referral_result rg_end_of_list(void)
{
    return (struct referral_result){.code = REFERRAL_END};
}

static const char *state_of(const struct rg_case_file *file)
{
    bool whole = file->now.side == RG_SIDE_ORIGIN || file->details_opened;
    return rg_words_state(file->now.state, rg_case_file_process(file), whole);
}

static const char *side_word(const struct rg_case_file *file)
{
    return file->now.side == RG_SIDE_PROPOSER ? "ngo" : rg_party_name(rg_case_file_party(file));
}

/* What the gate says to do next is said to one side only; the kind that is owed fits both. */
static void what_words(const struct rg_file_waiting *waiting, char *out, size_t room)
{
    (void)snprintf(out, room, "%s", waiting->what);
    for (unsigned i = 0; i < RG_GATE_COUNT && waiting->kind != 0; i++) {
        if (strcmp(rg_gate_row((enum rg_gate)i)->what_next, waiting->what) == 0) {
            rg_words_code(rg_kind_name(waiting->kind), out, room);
            return;
        }
    }
}

/* "us: the answer to the referral; mm/focal: risk assessment". */
static void waiting_words(const struct rg_case_file *file, const struct rg_file_waiting *waiting,
                          size_t waits, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; i < waits && waiting[i].mover != RG_MOVER_NOBODY; i++) {
        char what[200];
        what_words(&waiting[i], what, sizeof(what));
        rg_words_add(out, room, "%s%s: %s", i > 0 ? "; " : "",
                     waiting[i].mover == RG_MOVER_US ? "us" : file->partner, what);
    }
}

struct rg_deadline_clock rg_office_clock(const struct referral *office, const struct rg_due *due)
{
    const char *country =
        due->mover == RG_MOVER_OTHER_SIDE ? due->other_country : office->home->principal.country;
    struct rg_span span = rg_deadlines_span(office->deadlines, due->awaited);
    return rg_deadlines_clock(office->deadlines, span, country, due->since, due->now);
}

static const char *mover_word(enum rg_mover mover)
{
    return mover == RG_MOVER_US ? "us" : mover == RG_MOVER_NOBODY ? "nobody" : "them";
}

/* Of two that must move: whose time is used up more. */
static size_t most_overdue(const struct referral *office, const struct rg_case_file *file,
                           const struct rg_file_waiting *waiting, size_t waits,
                           struct rg_deadline_clock *clock_out)
{
    size_t which = 0;
    for (size_t i = 0; i < waits; i++) {
        struct rg_due due = {.mover = waiting[i].mover,
                             .awaited = waiting[i].awaited,
                             .other_country = rg_case_file_other_country(file),
                             .since = waiting[i].since,
                             .now = rg_office_now(office)};
        struct rg_deadline_clock clock = rg_office_clock(office, &due);
        if (i == 0 || clock.used > clock_out->used) {
            *clock_out = clock;
            which = i;
        }
    }
    return which;
}

void rg_office_show_case(struct referral *office, struct referral_case *out)
{
    struct rg_case_file *file = &office->shown;
    struct rg_file_waiting waiting[2];
    struct rg_deadline_clock clock = {0};
    size_t waits = rg_case_file_waiting(file, rg_office_now(office), waiting);
    size_t which = most_overdue(office, file, waiting, waits, &clock);
    bool crossed = rg_case_file_process(file) != RG_PROCESS_NONE;
    const struct rg_rule_row *rule = rg_rule_row((enum rg_rule)file->rule);
    const char *decline = rg_decline_name((enum rg_decline_code)file->decline);
    /* Accepted, and a rule keeps the details here: held as well, in words if not in state. */
    bool held =
        file->now.state == RG_CASE_HELD || (file->now.state == RG_CASE_ACCEPTED && file->rule != 0);
    bool declined = file->now.state == RG_CASE_DECLINED && decline != NULL;
    office->text[0][0] = '\0';
    if (file->has_preview) {
        rg_words_preview(&file->preview, office->text[0], sizeof(office->text[0]));
    }
    waiting_words(file, waiting, waits, office->text[1], sizeof(office->text[1]));
    office->text[2][0] = '\0';
    if (held) {
        rg_words_add(office->text[2], sizeof(office->text[2]), "%s; %s", rule->meaning,
                     rule->what_next);
    }
    office->text[3][0] = '\0';
    if (file->has_family_link) {
        rg_hex(rg_bytes_of(file->family_link, sizeof(file->family_link)), office->text[3]);
    }
    *out = (struct referral_case){
        .id = file->number,
        .family = office->text[3],
        .reference = file->reference,
        .name_native = file->name_native,
        .name_latin = file->name_latin,
        .zawgyi = rg_zawgyi_score(rg_bytes_of_text(file->name_native)) >= RG_ZAWGYI_SUSPECTED,
        .host = file->host,
        .origin = file->origin,
        .side = side_word(file),
        .proposed_by = file->proposed_by,
        .state = state_of(file),
        .summary = office->text[0],
        .waiting_for = office->text[1],
        .reason = held       ? office->text[2]
                  : declined ? decline
                             : "",
        .reason_id = held       ? rule->id
                     : declined ? decline
                                : "",
        .our_move =
            waiting[0].mover == RG_MOVER_US || (waits == 2 && waiting[1].mover == RG_MOVER_US),
        .details_sent = file->details_sent,
        .details_here = file->details_here,
        .receipt_verified = file->request_received,
        .opened_there = file->request_opened,
        .details_opened = file->details_opened,
        .refused_by_person = held && rule->refused,
        .since_ms = crossed ? file->process.since.ms : file->now.since.ms,
        .due_ms = clock.due.ms,
        .mover = mover_word(waiting[which].mover),
        .level = rg_deadline_level_name(rg_deadlines_level(office->deadlines, &clock)),
        .used_per_cent = clock.used,
        .waiting_since_ms = waiting[which].since.ms,
        .alert = waiting[0].alert,
        .protection_claim = file->protection_claim,
        .zone_minutes = rg_deadlines_zone(office->deadlines, office->home->principal.country),
    };
}

struct referral_result referral_next_case(struct referral *office, struct referral_cursor *cursor,
                                          struct referral_case *out)
{
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = rg_casebook_next(office->book, cursor->at, &office->shown, &found, &why);
    if (!rg_is_ok(outcome) || !found) {
        return rg_is_ok(outcome) ? rg_end_of_list() : rg_result(outcome, &why);
    }
    cursor->at = office->shown.row;
    rg_office_show_case(office, out);
    return rg_result(outcome, NULL);
}

struct referral_result referral_case(struct referral *office, const char *id,
                                     struct referral_case *out)
{
    struct rg_reason why = {0};
    rg_outcome outcome = rg_office_case(office, id, &office->shown, &why);
    if (rg_is_ok(outcome)) {
        rg_office_show_case(office, out);
    }
    return rg_result(outcome, &why);
}

/* ---- cases that are asked for ---- */

struct found { /* what a list is sorted by */
    int64_t row;
    int64_t due_ms, since_ms;
    unsigned used;
    bool alert;
};

struct rg_found {
    struct referral_query asked; /* its texts are in the two below */
    char state[32], text[256];
    bool by_name;
    struct rg_name_query name;
    int64_t named_row; /* the case whose number or reference the text is */
    struct found *item;
    size_t count, room;
};

void rg_found_free(struct rg_found *found)
{
    if (found != NULL) {
        free(found->item);
        rg_wipe(found, sizeof(*found));
        free(found);
    }
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b) == 0;
}

static bool same_query(const struct rg_found *found, const struct referral_query *query)
{
    return found->asked.move == query->move && found->asked.overdue == query->overdue &&
           same_text(query->state, found->state) && same_text(query->text, found->text);
}

struct finding_cases {
    struct referral *office;
    struct rg_found *found;
    struct rg_wall now;
    bool focal;
};

/* Whom it concerns at which level: client/deadlines.h. */
static bool is_overdue(const struct finding_cases *finding, enum rg_mover mover,
                       enum rg_deadline_level level)
{
    if (mover == RG_MOVER_OTHER_SIDE) {
        return level >= RG_LEVEL_ESCALATED;
    }
    bool desk = !finding->focal && mover == RG_MOVER_US;
    return level >= (desk ? RG_LEVEL_REMINDER : RG_LEVEL_LATE);
}

static bool is_asked_for(const struct rg_found *found, const struct rg_case_line *line)
{
    bool whole = line->side == RG_SIDE_ORIGIN || (line->flags & RG_LINE_DETAILS_OPENED) != 0;
    const char *state = rg_words_state((enum rg_case_state)line->state,
                                       (enum rg_process_state)line->process, whole);
    if (found->state[0] != '\0' && strcmp(state, found->state) != 0) {
        return false;
    }
    return !found->by_name || line->row == found->named_row || rg_name_may_be(line, &found->name);
}

static bool is_move_asked_for(enum referral_move move, enum rg_mover mover)
{
    bool theirs = mover == RG_MOVER_OTHER_SIDE || mover == RG_MOVER_OWN_FOCAL;
    return move == REFERRAL_MOVE_ANY || (move == REFERRAL_MOVE_OURS && mover == RG_MOVER_US) ||
           (move == REFERRAL_MOVE_THEIRS && theirs);
}

static rg_outcome found_room(struct rg_found *found, struct rg_reason *why)
{
    if (found->count < found->room) {
        return rg_ok();
    }
    size_t room = found->room == 0 ? 256 : 2 * found->room;
    struct found *grown = realloc(found->item, room * sizeof(*grown));
    RG_CHECK(grown != NULL, why, RG_IO, "out-of-memory", "out of memory");
    found->item = grown;
    found->room = room;
    return rg_ok();
}

/* What of one case is asked for: of its one or two waits the most overdue that fits. */
static bool find_wait(const struct finding_cases *finding, const struct rg_case_line *line,
                      struct found *out)
{
    bool any = false;
    for (size_t i = 0; i < line->waits; i++) {
        struct rg_due due = {.mover = line->wait[i].mover,
                             .awaited = line->wait[i].awaited,
                             .other_country = line->country,
                             .since = {line->wait[i].since_ms},
                             .now = finding->now};
        struct rg_deadline_clock clock = rg_office_clock(finding->office, &due);
        enum rg_deadline_level level = rg_deadlines_level(finding->office->deadlines, &clock);
        const struct referral_query *asked = &finding->found->asked;
        bool fits = is_move_asked_for(asked->move, due.mover) &&
                    (!asked->overdue || is_overdue(finding, due.mover, level));
        if (fits && (!any || clock.used > out->used)) {
            out->used = clock.used;
            out->due_ms = clock.due.ms != 0 ? clock.due.ms : INT64_MAX;
            out->since_ms = due.mover == RG_MOVER_NOBODY ? INT64_MAX : due.since.ms;
        }
        any = any || fits;
    }
    return any;
}

static rg_outcome find_line(void *context, const struct rg_case_line *line, struct rg_reason *why)
{
    struct finding_cases *finding = context;
    struct rg_found *found = finding->found;
    struct found one = {.row = line->row, .alert = (line->flags & RG_LINE_ALERT) != 0};
    if (!is_asked_for(found, line) || !find_wait(finding, line, &one)) {
        return rg_ok();
    }
    RG_TRY(found_room(found, why));
    found->item[found->count++] = one;
    return rg_ok();
}

static int by_number(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Somebody's safety first, then what is most overdue, then what has waited longest. */
static int by_need(const void *left, const void *right)
{
    const struct found *a = left;
    const struct found *b = right;
    int order[] = {b->alert - a->alert, by_number(b->used, a->used),
                   by_number(a->due_ms, b->due_ms), by_number(a->since_ms, b->since_ms),
                   by_number(a->row, b->row)};
    size_t i = 0;
    while (i + 1 < sizeof(order) / sizeof(order[0]) && order[i] == 0) {
        i++;
    }
    return order[i];
}

static rg_outcome text_asked(struct referral *office, struct rg_found *found, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    if (found->text[0] == '\0') {
        return rg_ok();
    }
    found->by_name = true;
    if (rg_is_ok(rg_office_case(office, found->text, &file, NULL))) {
        found->named_row = file.row;
    }
    return rg_name_query(rg_bytes_of_text(found->text), &found->name, why);
}

static rg_outcome find_all(struct referral *office, const struct referral_query *query,
                           struct rg_found *found, struct rg_reason *why)
{
    const char *text = query->text != NULL ? query->text : "";
    RG_CHECK(strlen(text) < sizeof(found->text), why, RG_LIMIT, "search-long",
             "too long to search for: one name is enough");
    found->asked = *query;
    found->asked.state = found->asked.text = NULL;
    (void)snprintf(found->text, sizeof(found->text), "%s", text);
    (void)snprintf(found->state, sizeof(found->state), "%s",
                   query->state != NULL ? query->state : "");
    RG_TRY(text_asked(office, found, why));
    struct finding_cases finding = {.office = office,
                                    .found = found,
                                    .now = rg_office_now(office),
                                    .focal = rg_home_is_focal(office->home)};
    rg_outcome outcome = rg_casebook_refresh(office->book, finding.now, why);
    if (outcome.code != RG_AGAIN) { /* somebody else writes: the lines of yesterday will do */
        RG_TRY(outcome);
    }
    RG_TRY(rg_casebook_scan(office->book, find_line, &finding, why));
    if (found->count > 1) {
        qsort(found->item, found->count, sizeof(found->item[0]), by_need);
    }
    return rg_ok();
}

static rg_outcome find(struct referral *office, const struct referral_query *query,
                       struct rg_reason *why)
{
    struct rg_found *found = calloc(1, sizeof(*found));
    RG_CHECK(found != NULL, why, RG_IO, "out-of-memory", "out of memory");
    rg_outcome outcome = find_all(office, query, found, why);
    if (!rg_is_ok(outcome)) {
        rg_found_free(found);
        return outcome;
    }
    rg_found_free(office->found);
    office->found = found;
    return outcome;
}

/* Opens the case at `at` into office->shown; not called so: passed over. */
static rg_outcome found_open(struct referral *office, size_t at, bool *match_out,
                             struct rg_reason *why)
{
    const struct rg_found *found = office->found;
    *match_out = true;
    RG_TRY(rg_casebook_get(office->book, found->item[at].row, &office->shown, why));
    if (!found->by_name || office->shown.row == found->named_row) {
        return rg_ok();
    }
    return rg_casebook_is_called(office->book, &office->shown, &found->name, match_out, why);
}

static rg_outcome find_next(struct referral *office, const struct referral_query *query,
                            struct referral_cursor *cursor, bool *found_out, struct rg_reason *why)
{
    bool anew = cursor->at == 0 || office->found == NULL || !same_query(office->found, query);
    if (anew) {
        RG_TRY(find(office, query, why));
    }
    *found_out = false;
    while (!*found_out && (uint64_t)cursor->at < office->found->count) {
        RG_TRY(found_open(office, (size_t)cursor->at, found_out, why));
        cursor->at++;
    }
    return rg_ok();
}

struct referral_result referral_find_cases(struct referral *office,
                                           const struct referral_query *query,
                                           struct referral_cursor *cursor,
                                           struct referral_case *out)
{
    static const struct referral_query all;
    struct rg_reason why = {0};
    bool found = false;
    rg_outcome outcome = find_next(office, query != NULL ? query : &all, cursor, &found, &why);
    if (!rg_is_ok(outcome) || !found) {
        return rg_is_ok(outcome) ? rg_end_of_list() : rg_result(outcome, &why);
    }
    rg_office_show_case(office, out);
    return rg_result(outcome, NULL);
}

bool referral_is_state(const char *word)
{
    for (size_t i = 0; rg_words_state_at(i) != NULL; i++) {
        if (strcmp(rg_words_state_at(i), word) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- status ---- */

static rg_outcome count_line(void *context, const struct rg_case_line *line, struct rg_reason *why)
{
    struct referral_status *out = context;
    bool asked = line->side == RG_SIDE_HOST && (line->flags & RG_LINE_ASKED) != 0;
    bool released = line->state == RG_CASE_RELEASED;
    (void)why;
    out->cases++;
    out->held += line->state == RG_CASE_HELD;
    out->ready += line->state == RG_CASE_READY;
    bool ours = false;
    bool theirs = false;
    for (size_t i = 0; i < line->waits; i++) {
        ours = ours || is_move_asked_for(REFERRAL_MOVE_OURS, line->wait[i].mover);
        theirs = theirs || is_move_asked_for(REFERRAL_MOVE_THEIRS, line->wait[i].mover);
    }
    out->our_move += ours;
    out->their_move += theirs;
    out->sent += asked;
    out->received += asked && (line->flags & RG_LINE_RECEIVED) != 0;
    out->opened += asked && (line->flags & RG_LINE_OPENED) != 0;
    out->accepted += asked && (line->state == RG_CASE_ACCEPTED || released);
    out->declined += asked && line->state == RG_CASE_DECLINED;
    out->identity_released += asked && (line->flags & RG_LINE_DETAILS_OPENED) != 0;
    return rg_ok();
}

static rg_outcome status(struct referral *office, struct referral_status *out,
                         struct rg_reason *why)
{
    struct rg_spool_counts counts = {0};
    const struct rg_home *home = office->home;
    const struct rg_country *country = rg_trust_country(home->trust, home->principal.country);
    RG_TRY(rg_casebook_scan(office->book, count_line, out, why));
    RG_TRY(rg_spool_count(office->spool, &counts, why));
    RG_TRY(rg_spool_number_get(office->spool, "last-sync", 0, &out->last_sync_ms, why));
    (void)snprintf(office->text[0], sizeof(office->text[0]), "%s:%u", home->host, home->port);
    out->office = home->principal.office;
    out->principal = home->principal.text;
    out->gateway = office->text[0];
    out->exercise = home->exercise;
    out->outbox = counts.waiting;
    out->unproven = counts.accepted;
    out->unopened = counts.unopened + counts.stored;
    out->refused = counts.refused;
    out->deliveries = counts.deliveries;
    out->duplicates = counts.duplicates;
    out->proofs = counts.proofs;
    out->page_valid_until_ms = country != NULL ? country->valid_until.ms : 0;
    if (home->reading_count > 0) {
        out->reading_key_until_ms = rg_certificate_not_after(home->reading[0].certificate).ms;
    }
    return rg_ok();
}

struct referral_result referral_status(struct referral *office, struct referral_status *out)
{
    struct rg_reason why = {0};
    *out = (struct referral_status){0};
    return rg_result(status(office, out, &why), &why);
}
