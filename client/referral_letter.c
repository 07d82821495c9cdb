/* How it works: one message of ours from its contents to the outbox. What all sections of a message
 * say alike (kind, case, author, time, the last message of each side in the thread, what is
 * answered) is filled in here; then it is sealed, spooled, and its own sections are kept, all
 * inside the step of the caller: if any part fails, nothing has happened. */
#include "client/referral_inside.h"

#include <stdio.h>
#include <string.h>

static rg_outcome content_common(struct referral *office, const struct rg_case_file *file,
                                 const struct rg_letter *letter, struct rg_wall now,
                                 struct rg_reason *why)
{
    struct rg_content common = {.kind = letter->kind,
                                .handle = file->handle,
                                .has_answers = letter->has_answers,
                                .answers = letter->answers,
                                .exercise = office->home->exercise,
                                .made = now};
    RG_TRY(rg_spool_thread_last(office->spool, letter->thread, true, &common.previous,
                                &common.has_previous, why));
    RG_TRY(rg_spool_thread_last(office->spool, letter->thread, false, &common.seen,
                                &common.has_seen, why));
    for (size_t i = 0; i < letter->count; i++) {
        struct rg_content *content = &letter->content[i];
        content->kind = common.kind;
        content->handle = common.handle;
        content->has_previous = common.has_previous;
        content->previous = common.previous;
        content->has_seen = common.has_seen;
        content->seen = common.seen;
        content->has_answers = common.has_answers;
        content->answers = common.answers;
        content->exercise = common.exercise;
        content->made = common.made;
        (void)snprintf(content->author, sizeof(content->author), "%s",
                       office->home->principal.text);
    }
    return rg_ok();
}

static rg_outcome counter_next(struct referral *office, uint64_t *out, struct rg_reason *why)
{
    int64_t counter = 0;
    RG_TRY(rg_spool_number_get(office->spool, "author-counter", 0, &counter, why));
    RG_TRY(rg_spool_number_set(office->spool, "author-counter", counter + 1, why));
    *out = (uint64_t)counter + 1;
    return rg_ok();
}

static rg_outcome keep_own(struct referral *office, const struct rg_case_file *file,
                           const struct rg_letter *letter, struct rg_bytes envelope,
                           struct rg_id id, struct rg_wall now, struct rg_reason *why)
{
    struct rg_message_row row = {
        .id = id,
        .thread = letter->thread,
        .state = RG_OUT_WAITING,
        .ours = true,
        .case_row = file->row,
        .time_ms = now.ms,
        .priority = (int32_t)letter->priority,
        .sections = (uint32_t)letter->count,
    };
    (void)snprintf(row.other, sizeof(row.other), "%s", letter->to_office);
    RG_TRY(rg_spool_message_add(office->spool, &row, envelope, why));
    for (size_t i = 0; i < letter->count; i++) {
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_TRY(rg_content_encode(&letter->content[i], &bytes, why));
        RG_TRY(rg_casebook_section_put(office->book, row.seq, i, rg_buffer_peek(&bytes), why));
    }
    return rg_ok();
}

rg_outcome rg_office_post(struct referral *office, const struct rg_case_file *file,
                          struct rg_letter *letter, struct rg_id *id_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER envelope = {0};
    struct rg_wall now = rg_wall_now();
    struct rg_draft draft = {
        .to_office = letter->to_office,
        .thread = letter->thread,
        .priority = letter->priority,
        .has_decides = letter->decides,
        .decides = letter->answers,
        .content = letter->content,
        .count = letter->count,
    };
    struct rg_guarded guarded;
    RG_TRY(rg_office_guard(office, file, letter, &guarded, why));
    draft.readers.excluded = &guarded.excluded;
    memcpy(draft.readers.desks, guarded.desks, sizeof(guarded.desks));
    RG_TRY(content_common(office, file, letter, now, why));
    RG_TRY(counter_next(office, &draft.counter, why));
    RG_TRY(rg_post_seal(office->home, &draft, now, &envelope, id_out, why));
    return keep_own(office, file, letter, rg_buffer_peek(&envelope), *id_out, now, why);
}

rg_outcome rg_office_relay(struct referral *office, struct rg_case_file *file,
                           const struct rg_content *received, struct rg_reason *why)
{
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = received->body};
    unsigned actions = 0;
    bool accept = received->kind == RG_KIND_ACCEPT;
    if (accept) {
        content.accept = received->accept;
    }
    if (!accept) {
        content.decline = received->decline;
    }
    RG_TRY(rg_office_step(file,
                          accept ? RG_EVENT_PROPOSAL_ACCEPT_OUT : RG_EVENT_PROPOSAL_DECLINE_OUT,
                          &actions, why));
    struct rg_letter letter = {
        .kind = received->kind,
        .to_office = file->proposed_by,
        .thread = file->proposal_thread,
        .priority = rg_office_priority(file),
        .has_answers = true,
        .decides = true,
        .answers = file->proposal,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

rg_outcome rg_office_acknowledge(struct referral *office, const struct rg_case_file *file,
                                 const struct rg_message_row *opened, const char *to_office,
                                 struct rg_reason *why)
{
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_ACKNOWLEDGEMENT};
    if (rg_office_is_muted(file, to_office)) {
        return rg_ok();
    }
    content.acknowledgement.opened = opened->id;
    content.acknowledgement.opened_at = rg_wall_now();
    struct rg_letter letter = {
        .kind = RG_KIND_ACKNOWLEDGEMENT,
        .to_office = to_office,
        .thread = opened->thread,
        .priority = RG_ROUTINE,
        .has_answers = true,
        .answers = opened->id,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}
