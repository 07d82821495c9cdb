/* How it works: a handle is a home folder (config, keys, trust), its spool and the casebook on it.
 * Public functions check the handle, call the inner ones and turn outcome and reason into a
 * referral_result. A BROKEN outcome sticks: from then on every call says so. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/settings.h"
#include "core/trust.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINES_BYTES_MAX (256 * RG_KIB)

const char *referral_version(void)
{
    return "0.1.0";
}

/* A name that means nothing here is the caller's mistake, not a denial. */
static bool is_about_a_name(const char *id)
{
    static const char *const ids[] = {"case-unknown", "message-unknown", "message-ambiguous",
                                      "message-prefix", "section-unknown"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

struct referral_result rg_result(rg_outcome outcome, const struct rg_reason *why)
{
    static const enum referral_code code[] = {
        [RG_OK] = REFERRAL_OK,          [RG_AGAIN] = REFERRAL_RETRY, [RG_DENIED] = REFERRAL_DENIED,
        [RG_MALFORMED] = REFERRAL_DATA, [RG_LIMIT] = REFERRAL_DATA,  [RG_IO] = REFERRAL_RETRY,
        [RG_BROKEN] = REFERRAL_BROKEN,
    };
    struct referral_result result = {.code = code[outcome.code]};
    if (!rg_is_ok(outcome) && why != NULL && why->id != NULL) {
        (void)snprintf(result.id, sizeof(result.id), "%s", why->id);
        (void)snprintf(result.reason, sizeof(result.reason), "%s", why->text);
        result.code = is_about_a_name(why->id) ? REFERRAL_USAGE : result.code;
    }
    return result;
}

bool referral_is_exercise(const struct referral *office)
{
    return office->home->exercise;
}

struct rg_date rg_office_today(const struct referral *office)
{
    return office->stated_today.year != 0 ? office->stated_today : rg_day_of_wall(rg_wall_now());
}

struct rg_wall rg_office_now(const struct referral *office)
{
    const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    struct rg_date day = office->stated_today;
    struct rg_wall start = {0};
    char text[16];
    (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", day.year, day.month, day.day);
    if (day.year == 0 || !rg_is_ok(rg_wall_parse(text, &start, NULL))) {
        return rg_wall_now();
    }
    start.ms += day_ms - RG_DAY_BEGINS_EARLIER_MS - 1;
    return start;
}

const char *rg_office_own(const struct referral *office)
{
    return office->home->principal.office;
}

const char *rg_office_role(const struct referral *office)
{
    const struct rg_office *own = rg_trust_office(office->home->trust, rg_office_own(office));
    return own != NULL ? own->role : "";
}

bool rg_id_same(struct rg_id a, struct rg_id b)
{
    return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

static rg_outcome read_today(struct referral *office, const struct referral_options *options,
                             struct rg_reason *why)
{
    if (options == NULL || options->today == NULL) {
        return rg_ok();
    }
    RG_CHECK(office->home->exercise, why, RG_DENIED, "today-exercise",
             "a stated day is allowed in an exercise only (exercise = true in client.cfg)");
    RG_CHECK(rg_date_parse(rg_bytes_of_text(options->today), &office->stated_today) &&
                 office->stated_today.day != 0,
             why, RG_MALFORMED, "today-form", "the stated day must be YYYY-MM-DD");
    return rg_ok();
}

static rg_outcome read_deadlines(struct referral *office, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {0};
    if (office->home->deadlines[0] == '\0') {
        return rg_deadlines_new(&office->deadlines, why);
    }
    RG_TRY(rg_file_read(office->home->deadlines, DEADLINES_BYTES_MAX, &text, why));
    return rg_deadlines_read(rg_buffer_peek(&text), &office->deadlines, why);
}

static void referral_cleanup(struct referral **office)
{
    referral_close(*office);
}

static rg_outcome open_all(const char *folder, const struct referral_options *options,
                           struct referral **out, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    RG_CLEANUP(referral_cleanup) struct referral *office = calloc(1, sizeof(*office));
    RG_CHECK(office != NULL, why, RG_IO, "out-of-memory", "out of memory");
    office->lock_fd = -1;
    RG_TRY(rg_home_open(folder, rg_wall_now(), &office->home, why));
    RG_TRY(read_today(office, options, why));
    RG_TRY(read_deadlines(office, why));
    RG_TRY(rg_home_path(office->home, "casebook.db", path, why));
    mode_t mask = umask(077);
    rg_outcome outcome = rg_spool_open(path, &office->spool, why);
    (void)umask(mask);
    RG_TRY(outcome);
    const struct rg_storage storage = {
        .context = office->home, .open = rg_home_storage_open, .seal = rg_home_storage_seal};
    RG_TRY(rg_casebook_open_with(office->spool, &storage, &office->book, why));
    *out = office;
    office = NULL;
    return rg_ok();
}

struct referral_result referral_open(const char *home, const struct referral_options *options,
                                     struct referral **out)
{
    struct rg_reason why = {0};
    if (home == NULL || out == NULL) {
        return rg_result((rg_outcome){RG_MALFORMED}, &why);
    }
    rg_outcome outcome = open_all(home, options, out, &why);
    struct referral_result result = rg_result(outcome, &why);
    bool busy = outcome.code == RG_AGAIN || outcome.code == RG_BROKEN;
    bool disk = outcome.code == RG_IO && why.id != NULL && strncmp(why.id, "spool-", 6) == 0;
    bool stated = why.id != NULL && strncmp(why.id, "today-", 6) == 0;
    if (!rg_is_ok(outcome) && !busy && !disk) {
        result.code = stated ? REFERRAL_USAGE : REFERRAL_CONFIG;
    }
    return result;
}

void referral_close(struct referral *office)
{
    if (office == NULL) {
        return;
    }
    referral_sync_end(office);
    rg_spool_step_drop(&office->outer);
    rg_casebook_close(office->book);
    rg_spool_close(office->spool);
    rg_home_close(office->home);
    rg_deadlines_free(office->deadlines);
    rg_found_free(office->found);
    rg_timeline_free(office->timeline);
    rg_wipe(office, sizeof(*office));
    free(office);
}

struct referral_result referral_begin(struct referral *office)
{
    struct rg_reason why = {0};
    if (office->outer.spool != NULL) {
        return rg_result(rg_ok(), NULL);
    }
    return rg_result(rg_spool_step_begin(office->spool, &office->outer, &why), &why);
}

struct referral_result referral_commit(struct referral *office)
{
    struct rg_reason why = {0};
    if (office->outer.spool == NULL) {
        return rg_result(rg_ok(), NULL);
    }
    rg_outcome outcome = rg_spool_step_commit(&office->outer, &why);
    return rg_result(rg_is_ok(outcome) ? rg_office_tidy(office, &why) : outcome, &why);
}

rg_outcome rg_office_case(struct referral *office, const char *id, struct rg_case_file *out,
                          struct rg_reason *why)
{
    int64_t row = 0;
    bool found = false;
    struct rg_bytes value = rg_bytes_of_text(id);
    RG_TRY(rg_casebook_find(office->book, RG_CASE_BY_NUMBER, value, &row, &found, why));
    if (!found) {
        RG_TRY(rg_casebook_find(office->book, RG_CASE_BY_REFERENCE, value, &row, &found, why));
    }
    RG_CHECK(found, why, RG_DENIED, "case-unknown",
             "there is no such case here; see the numbers in: referral list");
    return rg_casebook_get(office->book, row, out, why);
}
