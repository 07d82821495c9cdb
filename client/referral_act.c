/* How it works: the process says what a side owes (rg_process_actions); here the library pays. What
 * is owed is read from the fold, not from what has just arrived, so it does not matter in which
 * order messages came, whether the program died in between, or which of several officers' devices
 * comes first: what a colleague has sent is in the fold and no longer owed, and each such message
 * names what it decides, so that of two sent at once the office's own gateway refuses one.
 *   What the library says by itself must not undo what has arrived. If it may not be said (consent
 * has ended, the process has moved on), it is left; only a failing folder, or a key card that will
 * come, stands in the way of the rest. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/settings.h"

#include <string.h>

#define ROUNDS_MAX 8 /* an act may lead to another; none leads back */

/* ---- forms that are filled in by themselves ---- */

struct words {
    const char *box, *text;
};

static rg_outcome fill(struct rg_form *form, const struct words *words, size_t count,
                       struct rg_reason *why)
{
    for (size_t i = 0; i < count; i++) {
        RG_TRY(rg_form_set(form, words[i].box, rg_bytes_of_text(words[i].text), why));
    }
    return rg_ok();
}

static rg_outcome fill_change(struct referral *office, struct rg_form *form,
                              struct rg_case_file *file, const struct rg_process_action *action,
                              struct rg_reason *why)
{
    (void)office;
    (void)file;
    bool stop = action->what == RG_DO_SEND_STOP;
    const struct words words[] = {{"change", stop ? "CANCEL" : "REMOVE_PERSON"},
                                  {"reason", stop ? "CONSENT_WITHDRAWN" : "CHECK_FAILED"}};
    return fill(form, words, sizeof(words) / sizeof(words[0]), why);
}

/* Nobody has confirmed a reception. */
static rg_outcome fill_alert(struct referral *office, struct rg_form *form,
                             struct rg_case_file *file, const struct rg_process_action *action,
                             struct rg_reason *why)
{
    char time[32];
    (void)office;
    (void)action;
    rg_wall_print(file->process.handed_over, time);
    const struct words words[] = {
        {"kind", "MISSING"},
        {"last_seen_time", time},
        {"last_seen_place", "at the handover"},
        {"asks", "Nobody has confirmed the reception. Where is the person, and in whose care?"}};
    return fill(form, words, sizeof(words) / sizeof(words[0]), why);
}

/* Where and when needs her consent; that she is missing does not. */
static rg_outcome fill_alert_bare(struct referral *office, struct rg_form *form,
                                  struct rg_case_file *file, const struct rg_process_action *action,
                                  struct rg_reason *why)
{
    (void)office;
    (void)file;
    (void)action;
    return rg_form_set(form, "kind", RG_BYTES_LITERAL("MISSING"), why);
}

/* ---- erasure that the other side asks for ---- */

static rg_outcome erase(struct referral *office, struct rg_case_file *file, unsigned classes,
                        enum rg_erasure_reason reason, struct rg_erasure *out,
                        struct rg_reason *why)
{
    RG_TRY(rg_casebook_put(office->book, file, why));
    RG_TRY(rg_retention_erase(office, file->row, classes, reason, out, why));
    return rg_casebook_get(office->book, file->row, file, why);
}

/* Where she is looked after, what was sent goes and the house's own record of her stays, whatever
 * an office abroad asks. */
static rg_outcome erase_asked(struct referral *office, struct rg_case_file *file, unsigned classes,
                              enum rg_erasure_reason reason, struct rg_erasure *out,
                              struct rg_reason *why)
{
    if (file->now.side == RG_SIDE_ORIGIN && file->process.care != RG_PARTY_ORIGIN) {
        return erase(office, file, classes, reason, out, why);
    }
    RG_TRY(rg_casebook_put(office->book, file, why));
    RG_TRY(rg_retention_erase_messages(office, file->row, classes, out, why));
    return rg_casebook_get(office->book, file->row, file, why);
}

rg_outcome rg_office_erase_withdrawn(struct referral *office, struct rg_case_file *file,
                                     const struct rg_form *withdrawal, struct rg_erasure *out,
                                     struct rg_reason *why)
{
    *out = (struct rg_erasure){.count = 0};
    unsigned classes = rg_scopes_classes(rg_form_codes(withdrawal, "scopes"));
    if (!rg_form_true(withdrawal, "wants_erasure") || classes == 0) {
        return rg_ok();
    }
    return erase_asked(office, file, classes, RG_ERASED_WITHDRAWAL, out, why);
}

static const char *class_code(enum rg_class class_)
{
    static const char *const code[] = {"",       "CASE",  "IDENTITY", "FAMILY",
                                       "HEALTH", "LEGAL", "SECURITY"};
    return (unsigned)class_ < sizeof(code) / sizeof(code[0]) ? code[class_] : "";
}

/* One row for each class: destroyed, or kept on which ground and until when. */
static rg_outcome fill_erasure(struct rg_form *form, const struct rg_erasure *erasure,
                               const char *destroyed, struct rg_reason *why)
{
    for (size_t i = 0; i < erasure->count; i++) {
        const struct rg_erasure_line *line = &erasure->line[i];
        const char *class_ = class_code(line->class_);
        char until[32] = "";
        size_t row = 0;
        RG_TRY(rg_form_row_add(form, "done", &row, why));
        RG_TRY(rg_form_row_set(form, "done", row, "class", rg_bytes_of_text(class_), why));
        RG_TRY(rg_form_row_set(form, "done", row, "done",
                               rg_bytes_of_text(line->destroyed ? destroyed : "KEPT"), why));
        if (!line->destroyed) {
            rg_wall_print(line->until, until);
            until[10] = '\0';
            RG_TRY(rg_form_row_set(form, "done", row, "basis", rg_bytes_of_text(line->basis), why));
            RG_TRY(rg_form_row_set(form, "done", row, "until", rg_bytes_of_text(until), why));
        }
    }
    return rg_ok();
}

rg_outcome rg_office_erase_ordered(struct referral *office, struct rg_case_file *file,
                                   const struct rg_form *order, struct rg_id id,
                                   struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    struct rg_erasure erasure;
    char day[32];
    struct rg_id sent;
    RG_TRY(
        erase_asked(office, file, rg_form_codes(order, "classes"), RG_ERASED_ORDER, &erasure, why));
    RG_TRY(rg_form_new(rg_kind_row(RG_KIND_ERASURE_DONE)->form, &form, why));
    RG_TRY(fill_erasure(form, &erasure, "DESTROYED", why));
    rg_wall_print(erasure.copies_until, day);
    day[10] = '\0';
    RG_TRY(rg_form_set(form, "backups_unreadable_by", rg_bytes_of_text(day), why));
    struct rg_letter letter = {
        .kind = RG_KIND_ERASURE_DONE,
        .has_answers = true,
        .answers = id,
        .has_decides = true,
        .decides = id,
        .form = form,
    };
    return rg_office_post(office, file, &letter, &sent, why);
}

/* Everything that was planned has stopped with the withdrawal itself. What was asked to be erased
 * has been when it came; asking again tells what became of it. */
static rg_outcome fill_acknowledgement(struct referral *office, struct rg_form *form,
                                       struct rg_case_file *file,
                                       const struct rg_process_action *action,
                                       struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_erasure erasure = {.count = 0};
    struct rg_message_row message;
    bool found = false;
    size_t row = 0;
    RG_TRY(rg_spool_message_get(office->spool, action->answers, &message, &found, why));
    if (found) {
        RG_TRY(rg_office_content(office, &message, 0, &content, &memory, &found, why));
    }
    if (found && content.body == RG_BODY_FORM) {
        RG_TRY(rg_office_erase_withdrawn(office, file, content.form, &erasure, why));
    }
    RG_TRY(rg_form_row_add(form, "done", &row, why));
    RG_TRY(rg_form_row_set(form, "done", row, "class", RG_BYTES_LITERAL("CASE"), why));
    RG_TRY(rg_form_row_set(form, "done", row, "done", RG_BYTES_LITERAL("STOPPED"), why));
    return fill_erasure(form, &erasure, "KEYS_DESTROYED", why);
}

/* ---- saying it ---- */

struct saying {
    enum rg_process_do what;
    uint32_t kind;
    rg_outcome (*fill)(struct referral *office, struct rg_form *form, struct rg_case_file *file,
                       const struct rg_process_action *action, struct rg_reason *why);
};

static const struct saying sayings[] = {
    {RG_DO_SEND_REMOVE_PERSON, RG_KIND_HANDOVER_CHANGE, fill_change},
    {RG_DO_SEND_STOP, RG_KIND_HANDOVER_CHANGE, fill_change},
    {RG_DO_SEND_ALERT, RG_KIND_TRANSIT_ALERT, fill_alert},
    {RG_DO_SEND_WITHDRAWAL_ACK, RG_KIND_WITHDRAWAL_ACK, fill_acknowledgement},
};

static const struct saying *saying_of(enum rg_process_do what)
{
    for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
        if (sayings[i].what == what) {
            return &sayings[i];
        }
    }
    return NULL;
}

/* Each of our officers' devices would say it; the gateway takes the first. */
static struct rg_id occasion(const struct rg_case_file *file,
                             const struct rg_process_action *action)
{
    bool missing = action->what == RG_DO_SEND_ALERT;
    uint8_t bytes[sizeof(file->handle.b) + 1 + sizeof(int64_t)];
    uint64_t when = (uint64_t)(missing ? file->process.handed_over.ms : file->process.since.ms);
    memcpy(bytes, file->handle.b, sizeof(file->handle.b));
    bytes[sizeof(file->handle.b)] = (uint8_t)action->what;
    for (size_t i = 0; i < sizeof(int64_t); i++) {
        bytes[sizeof(file->handle.b) + 1 + i] = (uint8_t)(when >> (8 * i));
    }
    struct rg_hash hash = rg_sha256(rg_bytes_of(bytes, sizeof(bytes)));
    struct rg_id out;
    memcpy(out.b, hash.b, sizeof(out.b));
    return out;
}

static rg_outcome say_with(struct referral *office, struct rg_case_file *file,
                           const struct rg_process_action *action, const struct saying *saying,
                           struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    struct rg_id id;
    RG_TRY(rg_form_new(rg_kind_row(saying->kind)->form, &form, why));
    RG_TRY(saying->fill(office, form, file, action, why));
    struct rg_letter letter = {
        .kind = saying->kind,
        .has_answers = action->has_answers,
        .answers = action->answers,
        .has_decides = true,
        .decides = action->has_answers ? action->answers : occasion(file, action),
        .has_movement = file->has_movement,
        .language = "en",
        .form = form,
    };
    memcpy(letter.movement, file->movement, sizeof(letter.movement));
    return rg_office_post(office, file, &letter, &id, why);
}

static rg_outcome say(struct referral *office, struct rg_case_file *file,
                      const struct rg_process_action *action, struct rg_reason *why)
{
    static const struct saying bare = {RG_DO_SEND_ALERT, RG_KIND_TRANSIT_ALERT, fill_alert_bare};
    rg_outcome outcome = say_with(office, file, action, saying_of(action->what), why);
    bool refused = outcome.code == RG_DENIED; /* before anything was written */
    return refused && action->what == RG_DO_SEND_ALERT ? say_with(office, file, action, &bare, why)
                                                       : outcome;
}

/* ---- acts ---- */

rg_outcome rg_office_erase_received(struct referral *office, struct rg_case_file *file,
                                    struct rg_reason *why)
{
    RG_TRY(rg_casebook_put(office->book, file, why));
    RG_TRY(rg_casebook_erase(office->book, file->row, true, why));
    return rg_casebook_get(office->book, file->row, file, why);
}

/* A decline that has not left may still be overruled by a colleague's accept. */
static rg_outcome erase_declined(struct referral *office, struct rg_case_file *file,
                                 struct rg_reason *why)
{
    struct rg_message_row row = {.ours = false};
    struct rg_id id;
    bool found = false;
    RG_TRY(rg_office_newest(office, file, RG_KIND_DECLINE, &id, &found, why));
    if (found) {
        RG_TRY(rg_spool_message_get(office->spool, id, &row, &found, why));
    }
    bool pending = found && row.ours && row.state == RG_OUT_WAITING;
    return file->erased || pending ? rg_ok() : rg_office_erase_received(office, file, why);
}

static rg_outcome act_one(struct referral *office, struct rg_case_file *file,
                          const struct rg_process_action *action, bool *said_out,
                          struct rg_reason *why)
{
    *said_out = true;
    switch (action->what) {
    case RG_DO_SEND_DETAILS:
        RG_TRY(rg_office_send_details(office, file, action->answers, why));
        office->moved.details_sent++;
        return rg_ok();
    case RG_DO_ERASE_RECEIVED:
        *said_out = false;
        return erase_declined(office, file, why);
    case RG_DO_RELAY_ALERT:
        return rg_office_relay_alert(office, file, action->answers, why);
    case RG_DO_SEND_REMOVE_PERSON:
    case RG_DO_SEND_STOP:
    case RG_DO_SEND_ALERT:
    case RG_DO_SEND_WITHDRAWAL_ACK:
        return say(office, file, action, why);
    case RG_DO_COUNT:
        break;
    }
    return rg_ok();
}

/* The disk or the folder fails: stop the batch. */
bool rg_stops_all(rg_outcome outcome)
{
    return outcome.code == RG_BROKEN || outcome.code == RG_IO;
}

static rg_outcome act_by_itself(struct referral *office, struct rg_case_file *file,
                                const struct rg_process_action *action, bool *spoke,
                                struct rg_reason *why)
{
    struct rg_reason said = {0};
    RG_SPOOL_STEP step = {0};
    RG_CASE_FILE before = *file;
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    rg_outcome outcome = act_one(office, file, action, spoke, &said);
    if (rg_is_ok(outcome)) {
        return rg_spool_step_commit(&step, why);
    }
    *spoke = false;
    before.rule = file->rule; /* why the details stay here */
    *file = before;
    if (rg_stops_all(outcome) || outcome.code == RG_AGAIN) {
        *why = said;
        return outcome;
    }
    return rg_ok();
}

/* What has just been said and is owed still would be said for ever. */
static bool is_said(const struct rg_process_action *said, const struct rg_process_action *action)
{
    return said->what == action->what && said->has_answers == action->has_answers &&
           rg_id_same(said->answers, action->answers);
}

/* One act at a time: each changes what is owed. */
static rg_outcome act_next(struct referral *office, struct rg_case_file *file,
                           struct rg_process_action *said, bool *spoke, struct rg_reason *why)
{
    struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
    enum rg_party own = rg_office_party(office, file);
    size_t count =
        rg_process_actions(&file->process, rg_wall_now(), action, RG_PROCESS_ACTIONS_MAX);
    for (size_t i = 0; i < count && !*spoke; i++) {
        bool early = action[i].what == RG_DO_SEND_ALERT && !office->may_call_missing;
        if (action[i].party == own && !early && !is_said(said, &action[i])) {
            RG_TRY(act_by_itself(office, file, &action[i], spoke, why));
            *said = *spoke ? action[i] : *said;
        }
    }
    return rg_ok();
}

rg_outcome rg_office_act(struct referral *office, struct rg_case_file *file, size_t *done_out,
                         struct rg_reason *why)
{
    bool spoke = file->has_thread && file->now.side != RG_SIDE_PROPOSER;
    if (spoke && !file->has_process) {
        RG_TRY(rg_office_fold(office, file, NULL, NULL, why));
    }
    struct rg_process_action said = {.party = RG_PARTY_NONE};
    for (int round = 0; round < ROUNDS_MAX && spoke; round++) {
        spoke = false;
        RG_TRY(act_next(office, file, &said, &spoke, why));
        *done_out += spoke;
    }
    return rg_ok();
}

/* ---- what time asks for ---- */

#define DUE_MAX 256

struct due { /* cases in which a reception is awaited */
    int64_t row[DUE_MAX];
    size_t count;
};

static rg_outcome due_visit(void *context, const struct rg_case_line *line, struct rg_reason *why)
{
    struct due *due = context;
    (void)why;
    bool waits =
        line->process == RG_PROCESS_HANDED_OVER || line->process == RG_PROCESS_WITNESS_AWAY;
    if (waits && due->count < DUE_MAX) {
        due->row[due->count++] = line->row;
    }
    return rg_ok();
}

static bool is_overdue(const struct referral *office, const struct rg_case_file *file)
{
    struct rg_process_action action[RG_PROCESS_ACTIONS_MAX];
    size_t count =
        rg_process_actions(&file->process, rg_wall_now(), action, RG_PROCESS_ACTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (action[i].what == RG_DO_SEND_ALERT &&
            action[i].party == rg_office_party(office, file)) {
            return true;
        }
    }
    return false;
}

rg_outcome rg_office_is_due(struct referral *office, bool *due_out, struct rg_reason *why)
{
    struct due due = {.count = 0};
    bool found = false;
    RG_TRY(rg_casebook_scan(office->book, due_visit, &due, why));
    for (size_t i = 0; i < due.count && !found; i++) {
        RG_CASE_FILE file = {0};
        RG_TRY(rg_casebook_get(office->book, due.row[i], &file, why));
        found = is_overdue(office, &file);
    }
    *due_out = found;
    return rg_ok();
}

static rg_outcome act_due_one(struct referral *office, int64_t row, struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_SPOOL_STEP step = {0};
    size_t done = 0;
    RG_TRY(rg_casebook_get(office->book, row, &file, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    office->may_call_missing = true;
    rg_outcome outcome = rg_office_act(office, &file, &done, why);
    office->may_call_missing = false;
    if (outcome.code == RG_AGAIN) {
        return rg_ok(); /* a key card will come */
    }
    RG_TRY(outcome);
    if (done > 0) {
        rg_office_moved(office);
    }
    RG_TRY(rg_casebook_put(office->book, &file, why));
    return rg_spool_step_commit(&step, why);
}

rg_outcome rg_office_act_due(struct referral *office, struct rg_reason *why)
{
    struct due due = {.count = 0};
    RG_TRY(rg_casebook_scan(office->book, due_visit, &due, why));
    for (size_t i = 0; i < due.count; i++) {
        RG_TRY(act_due_one(office, due.row[i], why));
    }
    return rg_ok();
}
