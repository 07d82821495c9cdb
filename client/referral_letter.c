/* How it works: one message of ours from its contents to the outbox. What all sections of a message
 * say alike (kind, case, author, time, the last message of each side in the thread, what is
 * answered) is filled in here. Two questions are asked of every message that crosses the border,
 * whoever wrote it, the library too: may this leave at all (referral_protect.c), and does the
 * process allow it now. Then it is sealed, spooled, its own sections and its note are kept,
 * and the case is folded anew, all inside the step of the caller: if any part fails, nothing has
 * happened. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- how urgent ---- */

static bool is_among(uint32_t kind, const uint8_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == kind) {
            return true;
        }
    }
    return false;
}

/* Some kinds are urgent whatever the case is. */
static enum rg_priority priority_of(const struct rg_case_file *file, uint32_t kind)
{
    static const uint8_t emergency[] = {RG_KIND_CONSENT_WITHDRAWN, RG_KIND_TRANSIT_ALERT,
                                        RG_KIND_EMERGENCY_RETURN, RG_KIND_SAFETY_CONCERN};
    static const uint8_t urgent[] = {RG_KIND_CANCEL, RG_KIND_HANDOVER_CHANGE};
    static const enum rg_priority of_urgency[] = {RG_ROUTINE, RG_ROUTINE, RG_URGENT, RG_EMERGENCY};
    unsigned urgency = file->has_preview ? (unsigned)file->preview.urgency : 0;
    bool known = urgency < sizeof(of_urgency) / sizeof(of_urgency[0]);
    enum rg_priority usual = known ? of_urgency[urgency] : RG_ROUTINE;
    if (kind == RG_KIND_ACKNOWLEDGEMENT) {
        return RG_ROUTINE;
    }
    if (is_among(kind, emergency, sizeof(emergency))) {
        return RG_EMERGENCY;
    }
    return is_among(kind, urgent, sizeof(urgent)) && usual < RG_URGENT ? RG_URGENT : usual;
}

/* ---- contents ---- */

void rg_office_label(struct rg_content *content, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        bool here = content[i].body != RG_BODY_WITHHELD;
        content[0].label[content[0].label_count++] =
            (struct rg_label){.class_ = content[i].class_,
                              .state = here ? RG_LABEL_ATTACHED : RG_LABEL_WITHHELD,
                              .index = here ? (uint32_t)i : 0};
    }
}

struct cut { /* a form in one section per class */
    struct rg_content content[RG_SECTIONS_MAX];
    struct rg_form *part[RG_SECTIONS_MAX];
    size_t count;
};

static void cut_drop(struct cut *cut)
{
    for (size_t i = 0; i < RG_SECTIONS_MAX; i++) {
        rg_form_free(cut->part[i]);
    }
}

static rg_outcome form_cut(const struct rg_form *form, struct cut *out, struct rg_reason *why)
{
    unsigned classes = rg_form_classes(form) | RG_CLASS_BIT(RG_CLASS_CASE);
    for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_SECURITY; c++) {
        if ((classes & RG_CLASS_BIT(c)) == 0) {
            continue;
        }
        struct rg_form **part = &out->part[out->count];
        RG_TRY(rg_form_part(form, (enum rg_class)c, part, why));
        out->content[out->count++] =
            (struct rg_content){.class_ = (enum rg_class)c, .body = RG_BODY_FORM, .form = *part};
    }
    rg_office_label(out->content, out->count);
    return rg_ok();
}

/* What is the same in all sections; class, labels and body are each section's own. */
static void content_alike(const struct rg_content *common, struct rg_content *section)
{
    section->kind = common->kind;
    section->handle = common->handle;
    section->has_previous = common->has_previous;
    section->previous = common->previous;
    section->has_seen = common->has_seen;
    section->seen = common->seen;
    section->has_answers = common->has_answers;
    section->answers = common->answers;
    section->exercise = common->exercise;
    section->made = common->made;
    section->has_movement = common->has_movement;
    section->has_family_link = common->has_family_link;
    memcpy(section->movement, common->movement, sizeof(section->movement));
    memcpy(section->family_link, common->family_link, sizeof(section->family_link));
    memcpy(section->author, common->author, sizeof(section->author));
    memcpy(section->language, common->language, sizeof(section->language));
    section->vital = common->vital;
    memcpy(section->second_author, common->second_author, sizeof(section->second_author));
}

/* Who decides is who signs. It opens the sections that the letter has, and no other. */
static void vital_say(const struct referral *office, const struct rg_letter *letter,
                      struct rg_vital *vital)
{
    if (letter->vital == NULL) {
        return;
    }
    vital->present = true;
    vital->reason = letter->vital;
    (void)snprintf(vital->decided_by, sizeof(vital->decided_by), "%s",
                   office->home->principal.text);
    for (size_t i = 0; i < letter->count; i++) {
        vital->opened |= RG_CLASS_BIT(letter->content[i].class_);
    }
}

/* Does it pass between the two offices of a case? Then the fold is made of it. */
static bool in_process(const struct referral *office, const struct rg_case_file *file,
                       const struct rg_letter *letter)
{
    char country[RG_COUNTRY_BYTES];
    rg_office_country(letter->to_office, country);
    return file->row != 0 && file->now.side != RG_SIDE_PROPOSER &&
           strcmp(country, office->home->principal.country) != 0;
}

/* In the process, what this message may claim to know; elsewhere the last of each side. */
static rg_outcome heads_find(struct referral *office, const struct rg_case_file *file,
                             const struct rg_letter *letter, struct rg_process_heads *out,
                             struct rg_reason *why)
{
    if (in_process(office, file, letter)) {
        return rg_office_heads(office, file, out, why);
    }
    RG_TRY(rg_spool_thread_last(office->spool, letter->thread, true, &out->previous,
                                &out->has_previous, why));
    return rg_spool_thread_last(office->spool, letter->thread, false, &out->seen, &out->has_seen,
                                why);
}

static rg_outcome content_common(struct referral *office, const struct rg_case_file *file,
                                 const struct rg_letter *letter, struct rg_wall now,
                                 struct rg_reason *why)
{
    struct rg_content common = {.kind = letter->kind,
                                .handle = file->handle,
                                .has_answers = letter->has_answers,
                                .answers = letter->answers,
                                .exercise = office->home->exercise,
                                .made = now,
                                .has_movement = letter->has_movement,
                                .has_family_link = file->has_family_link};
    memcpy(common.movement, letter->movement, sizeof(common.movement));
    memcpy(common.family_link, file->family_link, sizeof(common.family_link));
    struct rg_process_heads heads = {.has_seen = false};
    RG_TRY(heads_find(office, file, letter, &heads, why));
    common.has_previous = heads.has_previous;
    common.previous = heads.previous;
    common.has_seen = heads.has_seen;
    common.seen = heads.seen;
    (void)snprintf(common.author, sizeof(common.author), "%s", office->home->principal.text);
    (void)snprintf(common.language, sizeof(common.language), "%s",
                   letter->language != NULL ? letter->language : "");
    (void)snprintf(common.second_author, sizeof(common.second_author), "%s",
                   letter->second != NULL ? letter->second : "");
    vital_say(office, letter, &common.vital);
    for (size_t i = 0; i < letter->count; i++) {
        content_alike(&common, &letter->content[i]);
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

static rg_outcome note_make(struct referral *office, const struct rg_case_file *file,
                            const struct rg_letter *letter, struct rg_id id,
                            struct rg_process_message *out, bool *relevant_out,
                            struct rg_reason *why)
{
    const struct rg_content *section[RG_SECTIONS_MAX];
    for (size_t i = 0; i < letter->count; i++) {
        section[i] = &letter->content[i];
    }
    struct rg_noting noting = {.section = section,
                               .count = letter->count,
                               .id = id,
                               .thread = letter->thread,
                               .own_country = true};
    return rg_office_note(office, file, &noting, out, relevant_out, why);
}

static rg_outcome process_ask(struct referral *office, struct rg_case_file *file,
                              const struct rg_letter *letter, struct rg_reason *why)
{
    struct rg_process_message next;
    bool relevant = false;
    RG_TRY(note_make(office, file, letter, (struct rg_id){0}, &next, &relevant, why));
    return relevant ? rg_office_may(office, file, &next, why) : rg_ok();
}

static rg_outcome keep_own(struct referral *office, const struct rg_case_file *file,
                           const struct rg_letter *letter, struct rg_bytes envelope,
                           struct rg_message_row *row, struct rg_reason *why)
{
    row->thread = letter->thread;
    row->state = RG_OUT_WAITING;
    row->ours = true;
    row->case_row = file->row;
    row->priority = (int32_t)letter->priority;
    row->sections = (uint32_t)letter->count;
    (void)snprintf(row->other, sizeof(row->other), "%s", letter->to_office);
    RG_TRY(rg_spool_message_add(office->spool, row, envelope, why));
    for (size_t i = 0; i < letter->count; i++) {
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_TRY(rg_content_encode(&letter->content[i], &bytes, why));
        RG_TRY(rg_casebook_section_put(office->book, row->seq, i, rg_buffer_peek(&bytes), why));
    }
    return rg_ok();
}

rg_outcome rg_office_keep(struct referral *office, struct rg_case_file *file,
                          const struct rg_letter *letter, struct rg_bytes envelope, struct rg_id id,
                          struct rg_reason *why)
{
    struct rg_message_row row = {.id = id, .time_ms = letter->content[0].made.ms};
    struct rg_process_message note;
    bool relevant = false;
    RG_TRY(keep_own(office, file, letter, envelope, &row, why));
    if (in_process(office, file, letter)) {
        RG_TRY(note_make(office, file, letter, id, &note, &relevant, why));
    }
    if (!relevant) {
        return rg_ok();
    }
    RG_TRY(rg_casebook_note_put(office->book, row.seq, &note, why));
    return rg_office_fold(office, file, NULL, NULL, why);
}

/* What is withdrawn or cancelled overtakes what waits here, before it takes its own place behind.
 */
static rg_outcome overtake(struct referral *office, struct rg_case_file *file,
                           const struct rg_letter *letter, struct rg_reason *why)
{
    if (letter->kind == RG_KIND_CANCEL) {
        return rg_office_overtake(office, file, RG_SCOPES_ALL, why);
    }
    if (letter->kind == RG_KIND_CONSENT_WITHDRAWN && letter->form != NULL) {
        struct rg_erasure erasure;
        RG_TRY(rg_office_overtake(office, file, rg_form_codes(letter->form, "scopes"), why));
        return rg_office_erase_withdrawn(office, file, letter->form, &erasure, why);
    }
    return rg_ok();
}

/* The two questions. */
static rg_outcome ask(struct referral *office, struct rg_case_file *file,
                      const struct rg_letter *letter, struct rg_guarded *guarded,
                      struct rg_reason *why)
{
    RG_TRY(rg_office_guard(office, file, letter, guarded, why));
    return in_process(office, file, letter) ? process_ask(office, file, letter, why) : rg_ok();
}

rg_outcome rg_office_ask_opened(struct referral *office, struct rg_case_file *file,
                                const struct rg_opened *opened, struct rg_guarded *guarded,
                                struct rg_reason *why)
{
    struct rg_content content[RG_SECTIONS_MAX];
    for (size_t i = 0; i < opened->count; i++) {
        content[i] = opened->section[i].content;
    }
    struct rg_letter letter = {.kind = content[0].kind,
                               .to_office = file->partner,
                               .thread = file->thread,
                               .content = content,
                               .count = opened->count};
    return ask(office, file, &letter, guarded, why);
}

/* A draft: the case section of the message to be, for our focal point to read; the others are for
 * their final readers already. */
static rg_outcome wrap_draft(struct rg_letter *letter, struct rg_buffer *bytes,
                             struct rg_reason *why)
{
    struct rg_content *first = &letter->content[0];
    bytes->secret = true;
    RG_TRY(rg_content_encode(first, bytes, why));
    first->body = RG_BODY_DESK_DRAFT;
    first->desk_draft =
        (struct rg_desk_draft){.kind = first->kind, .content = rg_buffer_peek(bytes)};
    rg_office_country(letter->draft_for, first->desk_draft.to_country);
    first->kind = RG_KIND_DESK_DRAFT;
    return rg_ok();
}

/* ---- out ---- */

static void draft_of(const struct rg_case_file *file, const struct rg_letter *letter,
                     const struct rg_guarded *guarded, struct rg_draft *out)
{
    *out = (struct rg_draft){
        .to_office = letter->to_office,
        .thread = letter->thread,
        .priority = letter->priority,
        .has_decides = letter->has_decides,
        .decides = letter->decides,
        .content = letter->content,
        .count = letter->count,
    };
    out->readers.excluded = &guarded->excluded;
    out->readers.assigned = file->proposed_by[0] != '\0' ? file->proposed_by : NULL;
    memcpy(out->readers.desks, guarded->desks, sizeof(guarded->desks));
}

static rg_outcome seal(struct referral *office, struct rg_case_file *file, struct rg_letter *letter,
                       const struct rg_guarded *guarded, struct rg_id *id_out,
                       struct rg_reason *why)
{
    RG_OWNED_BUFFER drafted = {.secret = true};
    RG_OWNED_BUFFER envelope = {0};
    struct rg_draft draft;
    draft_of(file, letter, guarded, &draft);
    RG_TRY(counter_next(office, &draft.counter, why));
    if (letter->draft_for != NULL) {
        RG_TRY(wrap_draft(letter, &drafted, why));
        draft.readers.final_country = letter->content[0].desk_draft.to_country;
    }
    RG_TRY(rg_post_seal(office->home, &draft, letter->content[0].made, &envelope, id_out, why));
    return rg_office_keep(office, file, letter, rg_buffer_peek(&envelope), *id_out, why);
}

/* Signed once, it goes to the second officer inside the office, and no further. */
static rg_outcome ask_second(struct referral *office, struct rg_case_file *file,
                             const struct rg_letter *letter, const struct rg_guarded *guarded,
                             struct rg_id *id_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_prepared_drop) struct rg_prepared prepared = {.request = {.count = 0}};
    struct rg_draft draft;
    draft_of(file, letter, guarded, &draft);
    RG_TRY(counter_next(office, &draft.counter, why));
    RG_TRY(
        rg_post_countersign_prepare(office->home, &draft, letter->content[0].made, &prepared, why));
    struct rg_content content = {
        .class_ = RG_CLASS_CASE, .body = RG_BODY_COUNTERSIGN, .countersign = prepared.request};
    struct rg_letter request = {
        .kind = RG_KIND_COUNTERSIGN_REQUEST,
        .to_office = rg_office_own(office),
        .priority = letter->priority,
        .second = letter->second,
        .content = &content,
        .count = 1,
    };
    rg_random(request.thread.b, sizeof(request.thread.b));
    RG_TRY(content_common(office, file, &request, rg_wall_now(), why));
    return seal(office, file, &request, guarded, id_out, why);
}

static rg_outcome post(struct referral *office, struct rg_case_file *file, struct rg_letter *letter,
                       struct rg_id *id_out, struct rg_reason *why)
{
    struct rg_guarded guarded;
    RG_TRY(overtake(office, file, letter, why));
    RG_TRY(content_common(office, file, letter, rg_wall_now(), why));
    RG_TRY(ask(office, file, letter, &guarded, why));
    bool two = letter->second != NULL && letter->kind != RG_KIND_COUNTERSIGN_REQUEST;
    return two ? ask_second(office, file, letter, &guarded, id_out, why)
               : seal(office, file, letter, &guarded, id_out, why);
}

rg_outcome rg_office_post(struct referral *office, struct rg_case_file *file,
                          struct rg_letter *letter, struct rg_id *id_out, struct rg_reason *why)
{
    RG_CLEANUP(cut_drop) struct cut cut = {0};
    if (letter->to_office == NULL) {
        letter->to_office = file->partner;
        letter->thread = file->thread;
    }
    letter->priority = priority_of(file, letter->kind);
    if (letter->form != NULL) {
        RG_TRY(form_cut(letter->form, &cut, why));
        letter->content = cut.content;
        letter->count = cut.count;
    }
    rg_outcome outcome = post(office, file, letter, id_out, why);
    letter->content = letter->form != NULL ? NULL : letter->content;
    return outcome;
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
        .has_answers = true,
        .answers = file->proposal,
        .has_decides = true,
        .decides = file->proposal,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

/* Each of our officers' devices would pass it on; the gateway takes the first. The name of what is
 * decided is made for this, so that the message itself can still be answered. */
static struct rg_id once(struct rg_id id, const char *what)
{
    uint8_t bytes[sizeof(id.b) + 16] = {0};
    memcpy(bytes, id.b, sizeof(id.b));
    (void)snprintf((char *)bytes + sizeof(id.b), 16, "%s", what);
    struct rg_hash hash = rg_sha256(rg_bytes_of(bytes, sizeof(bytes)));
    struct rg_id out;
    memcpy(out.b, hash.b, sizeof(out.b));
    return out;
}

rg_outcome rg_office_relay_form(struct referral *office, struct rg_case_file *file,
                                const struct rg_content *received, struct rg_id received_id,
                                struct rg_reason *why)
{
    struct rg_content content = {
        .class_ = RG_CLASS_CASE, .body = RG_BODY_FORM, .form = received->form};
    struct rg_letter letter = {
        .kind = received->kind,
        .to_office = file->proposed_by,
        .thread = file->proposal_thread,
        .has_answers = true,
        .answers = received_id,
        .has_decides = true,
        .decides = once(received_id, "relayed"),
        .language = received->language,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

rg_outcome rg_office_acknowledge(struct referral *office, struct rg_case_file *file,
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
        .has_answers = true,
        .answers = opened->id,
        .content = &content,
        .count = 1,
    };
    struct rg_id id;
    return rg_office_post(office, file, &letter, &id, why);
}

/* ---- an alert of an NGO of ours goes on into the case's thread ---- */

static rg_outcome alert_read(struct referral *office, struct rg_id alert, uint32_t *kind_out,
                             struct rg_form **form_out, struct rg_reason *why)
{
    struct rg_message_row row;
    bool found = false;
    RG_TRY(rg_spool_message_get(office->spool, alert, &row, &found, why));
    RG_CHECK(found, why, RG_DENIED, "message-unknown", "the alert is not here");
    for (size_t i = 0; i < row.sections; i++) {
        struct rg_content content = {0};
        RG_OWNED_BUFFER memory = {.secret = true};
        RG_TRY(rg_office_content(office, &row, i, &content, &memory, &found, why));
        if (!found || content.body != RG_BODY_FORM) {
            continue;
        }
        if (*form_out == NULL) {
            RG_TRY(rg_form_new(rg_kind_row(content.kind)->form, form_out, why));
        }
        *kind_out = content.kind;
        RG_TRY(rg_form_merge(*form_out, content.form, why));
    }
    RG_CHECK(*form_out != NULL, why, RG_DENIED, "message-unknown", "the alert cannot be read here");
    return rg_ok();
}

rg_outcome rg_office_relay_alert(struct referral *office, struct rg_case_file *file,
                                 struct rg_id alert, struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    struct rg_letter letter = {
        .has_answers = true, .answers = alert, .has_decides = true, .decides = alert};
    struct rg_id id;
    RG_TRY(alert_read(office, alert, &letter.kind, &form, why));
    letter.form = form;
    RG_TRY(rg_office_post(office, file, &letter, &id, why));
    office->moved.relayed++;
    return rg_ok();
}
