/* How it works: frames come in batches; one batch is one step of the spool: envelopes, proofs,
 * journal lines, opened sections, what the cases became and the library's own answers become
 * durable together, and only then are Collected and StatusSeen sent. Sending feeds the exchange a
 * few rows at a time, by priority.
 */
#include "client/referral_inside.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define FEED_ROWS 32
#define FIRST_HELLO_MS 4000 /* a loaded machine or a slow line may need so long to answer */
#define WAIT_MS_MAX 60000
#define READ_QUIET_MS 300
#define STEP_MS 50
#define MAIL_QUIET_MS 2000 /* nothing has come for so long: the mail has been read */
#define DUE_EVERY_MS (10 * 60 * 1000)

static int64_t mono_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rg_office_moved(struct referral *office)
{
    office->moved_mono_ms = mono_ms();
}

/* ---- the sink ---- */

static rg_outcome on_send(void *context, struct rg_bytes frame, struct rg_reason *why)
{
    struct referral *office = context;
    return rg_sync_send(office->sync, frame, why);
}

/* Is a reception overdue? Only now: the clock is known not to be far off. */
static rg_outcome due_look(struct referral *office, struct rg_reason *why)
{
    office->due_mono_ms = mono_ms() + DUE_EVERY_MS;
    return rg_office_is_due(office, &office->due_waiting, why);
}

/* The confirmation may be in the mail that comes: nobody is called missing before it is read. */
static rg_outcome due_act(struct referral *office, struct rg_reason *why)
{
    if (mono_ms() >= office->due_mono_ms) {
        RG_TRY(due_look(office, why));
    }
    if (!office->due_waiting || rg_exchange_unanswered(office->exchange) > 0 ||
        mono_ms() - office->moved_mono_ms < MAIL_QUIET_MS) {
        return rg_ok();
    }
    office->due_waiting = false;
    return rg_office_act_due(office, why);
}

static rg_outcome on_hello(void *context, const char *principal, struct rg_reason *why)
{
    struct referral *office = context;
    (void)principal;
    office->ever_up = true;
    office->moved.up = true;
    office->trouble = (struct rg_reason){0};
    rg_office_moved(office);
    RG_TRY(rg_inbox_open_stored(office, why));
    return due_look(office, why);
}

static rg_outcome on_document(void *context, const struct rg_document *document,
                              struct rg_reason *why)
{
    struct referral *office = context;
    office->moved.documents++;
    rg_office_moved(office);
    RG_TRY(rg_home_keep(office->home, document, why));
    if (document->kind == RG_DOC_PAGE || document->kind == RG_DOC_PAGE_DOMESTIC) {
        RG_TRY(rg_inbox_unknown_again(office, why));
    }
    return rg_inbox_open_stored(office, why);
}

static rg_outcome on_status(void *context, uint64_t position, struct rg_reason *why)
{
    struct referral *office = context;
    (void)why;
    office->status_position = (int64_t)position;
    return rg_ok();
}

static rg_outcome on_head(void *context, const struct rg_head *head, struct rg_reason *why)
{
    struct referral *office = context;
    return rg_spool_head_keep(office->spool, head, why);
}

static void on_alarm(void *context, const struct rg_reason *why)
{
    struct referral *office = context;
    office->trouble = *why;
    (void)snprintf(office->moved.alarm, sizeof(office->moved.alarm), "%s", why->text);
}

/* ---- batches ---- */

static rg_outcome on_begin(void *context, struct rg_reason *why)
{
    struct referral *office = context;
    return rg_spool_step_begin(office->spool, &office->batch, why);
}

/* Durable first, then said. Only what this session has delivered is confirmed: the gateway's own
 * mark may be older (it comes again) or its mailbox may be another than yesterday's. */
static rg_outcome on_end(void *context, struct rg_reason *why)
{
    struct referral *office = context;
    RG_TRY(rg_spool_step_commit(&office->batch, why));
    RG_TRY(rg_office_tidy(office, why)); /* before an answer says that it is erased */
    if (office->position > office->collected_position || office->opened_count > 0) {
        RG_TRY(rg_exchange_collected(office->exchange, (uint64_t)office->position, office->opened,
                                     office->opened_count, why));
        office->collected_position = office->position;
        office->opened_count = 0;
    }
    if (office->status_position > 0) {
        RG_TRY(rg_exchange_status_seen(office->exchange, (uint64_t)office->status_position, why));
        office->status_position = 0;
    }
    return rg_ok();
}

static rg_outcome submit_row(struct referral *office, const struct rg_message_row *row,
                             struct rg_reason *why)
{
    RG_OWNED_BUFFER envelope = {0};
    RG_TRY(rg_spool_envelope(office->spool, row->seq, &envelope, why));
    RG_TRY(rg_exchange_submit(office->exchange, row->id, rg_buffer_peek(&envelope), why));
    office->submitted_seq[row->priority] = row->seq;
    office->moved.submitted++;
    rg_office_moved(office);
    return rg_ok();
}

static rg_outcome feed_priority(struct referral *office, enum rg_priority priority, size_t *fed_out,
                                struct rg_reason *why)
{
    struct rg_message_row row[FEED_ROWS];
    size_t count = FEED_ROWS;
    while (count == FEED_ROWS && rg_exchange_room(office->exchange) > 0) {
        RG_TRY(rg_spool_waiting(office->spool, priority, rg_wall_now().ms,
                                office->submitted_seq[priority], row, FEED_ROWS, &count, why));
        for (size_t i = 0; i < count && rg_exchange_room(office->exchange) > 0; i++) {
            RG_TRY(submit_row(office, &row[i], why));
            (*fed_out)++;
        }
    }
    return rg_ok();
}

static rg_outcome on_feed(void *context, struct rg_reason *why)
{
    struct referral *office = context;
    size_t fed = 0;
    for (int priority = RG_EMERGENCY; priority >= RG_ROUTINE; priority--) {
        RG_TRY(feed_priority(office, (enum rg_priority)priority, &fed, why));
    }
    if (fed == 0 && rg_exchange_unanswered(office->exchange) == 0) {
        /* Whatever waits still was put off by the gateway: look at all of it again. */
        memset(office->submitted_seq, 0, sizeof(office->submitted_seq));
    }
    return due_act(office, why);
}

static bool is_about_proofs(const char *id)
{
    return id != NULL && (strncmp(id, "proof-", 6) == 0 || strncmp(id, "head-", 5) == 0 ||
                          strcmp(id, "exchange-fork") == 0 || strcmp(id, "exchange-chain") == 0);
}

static void on_lost(void *context, const struct rg_reason *why)
{
    struct referral *office = context;
    office->moved.up = false;
    office->trouble = *why;
    office->moved.proofs_failed += is_about_proofs(why->id);
    office->position = 0;
    office->opened_count = 0;
    office->status_position = 0;
    office->collected_position = 0;
    memset(office->submitted_seq, 0, sizeof(office->submitted_seq));
}

/* ---- the public calls ---- */

rg_outcome rg_office_lock(struct referral *office, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_TRY(rg_home_path(office->home, "sync.lock", path, why));
    office->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    RG_CHECK(office->lock_fd >= 0, why, RG_IO, "file-unwritable", "cannot make %.150s", path);
    if (flock(office->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        rg_office_unlock(office);
        return rg_fail(why, RG_AGAIN, "sync-running", "another sync of this folder is running");
    }
    return rg_ok();
}

void rg_office_unlock(struct referral *office)
{
    if (office->lock_fd >= 0) {
        (void)close(office->lock_fd);
        office->lock_fd = -1;
    }
}

static rg_outcome exchange_make(struct referral *office, struct rg_reason *why)
{
    struct rg_head head[RG_HELLO_HEADS_MAX];
    size_t count = 0;
    RG_TRY(rg_spool_heads(office->spool, head, RG_HELLO_HEADS_MAX, &count, why));
    struct rg_exchange_options options = {
        .trust = office->home->trust,
        .principal = &office->home->principal,
        .device = office->home->device,
        .software = RG_SOFTWARE,
        .head = head,
        .head_count = count,
        .sink =
            {
                .context = office,
                .send = on_send,
                .hello = on_hello,
                .document = on_document,
                .proof = rg_inbox_proof,
                .not_now = rg_inbox_not_now,
                .deliver = rg_inbox_deliver,
                .status = on_status,
                .head = on_head,
                .alarm = on_alarm,
            },
    };
    return rg_exchange_new(&options, &office->exchange, why);
}

static rg_outcome sync_begin(struct referral *office, struct rg_reason *why)
{
    bool made = false;
    struct rg_sync_calls calls = {
        .context = office, .begin = on_begin, .end = on_end, .feed = on_feed, .lost = on_lost};
    RG_TRY(rg_office_lock(office, why));
    RG_TRY(rg_home_renew(office->home, rg_wall_now(), &made, why));
    RG_TRY(exchange_make(office, why));
    RG_TRY(rg_sync_new(office->home, &calls, &office->sync, why));
    rg_sync_attach(office->sync, office->exchange);
    office->moved = (struct referral_moved){0};
    office->trouble = (struct rg_reason){0};
    office->ever_up = false;
    office->due_waiting = false;
    office->opened_count = 0;
    office->status_position = 0;
    office->position = 0;
    office->collected_position = 0;
    memset(office->submitted_seq, 0, sizeof(office->submitted_seq));
    rg_office_moved(office);
    return rg_ok();
}

struct referral_result referral_sync_begin(struct referral *office)
{
    struct rg_reason why = {0};
    if (office->sync != NULL) {
        return rg_result(rg_ok(), NULL);
    }
    rg_outcome outcome = sync_begin(office, &why);
    if (!rg_is_ok(outcome)) {
        referral_sync_end(office);
    }
    return rg_result(outcome, &why);
}

/* Only after the gateway has answered: then the clock is not far off. */
static void tidy_after(struct referral *office)
{
    struct rg_reason why = {0};
    if (office->spool == NULL || !office->ever_up || office->lock_fd < 0 ||
        rg_spool_in_step(office->spool)) {
        return;
    }
    rg_outcome outcome = rg_office_tidy_daily(office, &why);
    if (!rg_is_ok(outcome) && outcome.code != RG_AGAIN) {
        (void)snprintf(office->moved.alarm, sizeof(office->moved.alarm), "tidy: %.200s", why.text);
    }
}

void referral_sync_end(struct referral *office)
{
    rg_spool_step_drop(&office->batch);
    rg_sync_free(office->sync);
    rg_exchange_free(office->exchange);
    office->sync = NULL;
    office->exchange = NULL;
    tidy_after(office);
    rg_office_unlock(office);
    if (office->spool != NULL && office->ever_up) {
        rg_outcome noted = rg_spool_number_set(office->spool, "last-sync", rg_wall_now().ms, NULL);
        (void)noted; /* only for `status` */
        office->ever_up = false;
    }
    office->moved.up = false;
}

static void moved_out(struct referral *office, struct referral_moved *out)
{
    bool pending = office->exchange != NULL &&
                   (rg_exchange_unanswered(office->exchange) > 0 || !rg_sync_flushed(office->sync));
    *out = office->moved;
    out->quiet_ms = pending ? 0 : mono_ms() - office->moved_mono_ms;
}

struct referral_result referral_sync_step(struct referral *office, int wait_ms,
                                          struct referral_moved *out)
{
    struct rg_reason why = {0};
    if (office->sync == NULL) {
        struct referral_result result = referral_sync_begin(office);
        if (result.code != REFERRAL_OK) {
            return result;
        }
    }
    rg_outcome outcome = rg_sync_step(office->sync, wait_ms, &why);
    if (!rg_is_ok(outcome)) {
        /* Frames were taken that are not durable here: only a new session brings them again. */
        referral_sync_end(office);
        return rg_result(outcome, &why);
    }
    moved_out(office, out);
    return rg_result(outcome, NULL);
}

static struct referral_result away(const struct referral *office)
{
    struct rg_reason why = office->trouble;
    if (why.id == NULL) {
        (void)rg_fail(&why, RG_IO, "gateway-silent", "the gateway did not answer");
    }
    /* The gateway's alert about our certificate; "handshake failure" is only a bound of its. */
    bool alert =
        strcmp(why.id, "dial-refused") == 0 && strstr(why.text, "handshake failure") == NULL;
    bool refused =
        alert || strncmp(why.id, "certificate-", 12) == 0 || strncmp(why.id, "tls-", 4) == 0;
    struct referral_result result = rg_result((rg_outcome){RG_IO}, &why);
    result.code = refused ? REFERRAL_DENIED : REFERRAL_AWAY;
    return result;
}

/* Enough? Until something has come through, a first answer is given some time. */
static bool sync_done(const struct referral *office, const struct referral_sync_options *options,
                      const struct referral_moved *now, int64_t started_ms)
{
    int quiet = options->until_quiet_ms > 0 ? options->until_quiet_ms : READ_QUIET_MS;
    int most = options->wait_ms_max > 0 ? options->wait_ms_max : WAIT_MS_MAX;
    int first = quiet > FIRST_HELLO_MS ? quiet : FIRST_HELLO_MS;
    if (!office->ever_up) {
        return mono_ms() - started_ms >= (first < most ? first : most);
    }
    quiet = office->due_waiting && quiet <= MAIL_QUIET_MS ? MAIL_QUIET_MS + STEP_MS : quiet;
    return now->quiet_ms >= quiet || mono_ms() - office->moved_mono_ms >= most;
}

static void outbox_count(struct referral *office, struct referral_moved *out)
{
    struct rg_spool_counts counts = {0};
    if (rg_is_ok(rg_spool_count(office->spool, &counts, NULL))) {
        out->outbox = counts.waiting;
        out->unproven = counts.accepted;
    }
}

struct referral_result referral_sync(struct referral *office,
                                     const struct referral_sync_options *options,
                                     struct referral_moved *out)
{
    static const struct referral_sync_options none;
    const struct referral_sync_options *chosen = options != NULL ? options : &none;
    int64_t started = mono_ms();
    struct referral_result result = referral_sync_begin(office);
    while (result.code == REFERRAL_OK) {
        result = referral_sync_step(office, STEP_MS, out);
        if (chosen->progress != NULL && result.code == REFERRAL_OK) {
            chosen->progress(chosen->context, out);
        }
        if (result.code == REFERRAL_OK && sync_done(office, chosen, out, started)) {
            break;
        }
    }
    outbox_count(office, out);
    if (result.code == REFERRAL_OK && !office->ever_up) {
        result = away(office);
    }
    if (result.code == REFERRAL_OK && !office->moved.up && out->outbox > 0) {
        result = rg_result((rg_outcome){RG_AGAIN}, &office->trouble);
    }
    referral_sync_end(office);
    (void)snprintf(out->alarm, sizeof(out->alarm), "%s", office->moved.alarm);
    return result;
}
