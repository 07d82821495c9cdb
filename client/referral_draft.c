/* How it works: between a desk or an NGO and its own focal point, and between two officers of one
 * office.
 *   A draft (90) holds the case section of the message to be, for the focal point to read, and the
 * other sections sealed for their final readers. Forwarding makes the message under the focal
 * point's own signature: its case section is the focal point's, the others go on verbatim with
 * their author's core; what the focal point may not read it does not reseal. A section from abroad
 * that the focal point cannot open goes on to its own desk for that class in the same way (91). An
 * irreversible act is signed by the first officer and travels to the second inside the office (92);
 * she checks it, signs the same bytes and sends it. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

/* ---- one message that came, opened again ---- */

struct reopened {
    struct rg_message_row row;
    struct rg_case_file file;
    struct rg_buffer bytes;
    struct rg_envelope envelope;
    struct rg_opened opened;
};

static void reopened_drop(struct reopened *again)
{
    rg_case_file_drop(&again->file);
    rg_opened_drop(&again->opened);
    rg_buffer_drop(&again->bytes);
}

static rg_outcome message_open(struct referral *office, const char *id, struct reopened *out,
                               struct rg_reason *why)
{
    RG_TRY(rg_office_message(office, id, &out->row, why));
    RG_CHECK(out->row.case_row != 0, why, RG_DENIED, "draft-kind",
             "this message belongs to no case here");
    RG_TRY(rg_casebook_get(office->book, out->row.case_row, &out->file, why));
    RG_TRY(rg_spool_envelope(office->spool, out->row.seq, &out->bytes, why));
    RG_TRY(rg_envelope_peek(rg_buffer_peek(&out->bytes), &out->envelope, why));
    return rg_post_open(office->home, &out->envelope, (struct rg_wall){out->row.time_ms},
                        rg_wall_now(), &out->opened, why);
}

static rg_outcome reopen(struct referral *office, const char *id, uint32_t kind,
                         struct reopened *out, struct rg_reason *why)
{
    RG_TRY(message_open(office, id, out, why));
    RG_CHECK(!out->row.ours && out->opened.first->kind == kind, why, RG_DENIED, "draft-kind",
             "this message is no %s; see: referral drafts", rg_kind_name(kind));
    RG_CHECK(out->row.reason[0] == '\0', why, RG_DENIED, "draft-done",
             "this has been done already (%s)", out->row.reason);
    return rg_ok();
}

static rg_outcome done(struct referral *office, struct rg_message_row *row, const char *what,
                       struct rg_reason *why)
{
    (void)snprintf(row->reason, sizeof(row->reason), "%s", what);
    return rg_spool_message_update(office->spool, row, why);
}

static void written_out(const char *to, struct rg_id id, const char *state,
                        struct referral_written *out)
{
    rg_hex(rg_bytes_of(id.b, sizeof(id.b)), out->id);
    (void)snprintf(out->to, sizeof(out->to), "%s", to);
    out->state = state;
}

static bool is_of_case(const struct reopened *again, const struct rg_content *content)
{
    return memcmp(content->handle.b, again->file.handle.b, sizeof(content->handle.b)) == 0;
}

/* ---- forwarding a draft ---- */

/* The draft says outside what it is inside: of that kind, of this case, for that country. */
static rg_outcome draft_check(const struct reopened *draft, const struct rg_content *inner,
                              struct rg_reason *why)
{
    const struct rg_desk_draft *drafted = &draft->opened.first->desk_draft;
    char country[RG_COUNTRY_BYTES];
    rg_office_country(draft->file.partner, country);
    RG_CHECK(inner->body == RG_BODY_FORM && inner->class_ == RG_CLASS_CASE, why, RG_DENIED,
             "draft-kind", "this draft is not of a message with a form");
    RG_CHECK(inner->kind == drafted->kind, why, RG_DENIED, "draft-kind",
             "this draft holds another kind of message than it says");
    RG_CHECK(is_of_case(draft, inner) && strcmp(country, drafted->to_country) == 0, why, RG_DENIED,
             "draft-case", "this draft is about another case, or for another country");
    RG_CHECK(rg_wall_now().ms <= draft->envelope.core.expires.ms, why, RG_DENIED, "draft-old",
             "this draft is too old for its readers: ask for it anew");
    return rg_ok();
}

/* May the desk or NGO that drafted it have written such a message at all? */
static rg_outcome drafter_ask(const struct referral *office, const struct reopened *draft,
                              uint32_t kind, struct rg_reason *why)
{
    const struct rg_office *desk =
        rg_trust_office(office->home->trust, draft->envelope.core.from_office);
    RG_CHECK(desk != NULL && rg_kind_by(kind, rg_role_find(desk->role)), why, RG_DENIED,
             "kind-author", "%s is not for such an office to write", rg_kind_name(kind));
    return rg_ok();
}

static enum rg_class class_of_section(const struct rg_content *labelled, size_t index)
{
    for (size_t i = 0; i < labelled->label_count; i++) {
        if (labelled->label[i].state == RG_LABEL_ATTACHED && labelled->label[i].index == index) {
            return labelled->label[i].class_;
        }
    }
    return (enum rg_class)0;
}

static rg_outcome sections_forward(struct referral *office, const struct reopened *draft,
                                   const char *to_country, struct rg_content *content,
                                   struct rg_reason *why)
{
    struct rg_exclusions list;
    RG_TRY(rg_casebook_exclusions_get(office->book, draft->file.row, &list, NULL, why));
    for (size_t i = 1; i < draft->opened.count; i++) {
        content[i].class_ = class_of_section(draft->opened.first, i);
        RG_TRY(rg_post_forward_clear(office->home, &list, draft->file.partner, content[i].class_,
                                     rg_wall_now(), why));
        content[i].body = RG_BODY_FORWARDED;
        RG_TRY(rg_post_forward_make(office->home, &draft->envelope, &draft->opened, i, to_country,
                                    &content[i].forwarded, why));
    }
    rg_office_label(content, draft->opened.count);
    return rg_ok();
}

static rg_outcome forward_it(struct referral *office, struct reopened *draft,
                             const struct rg_content *inner, struct rg_id *id_out,
                             struct rg_reason *why)
{
    struct rg_content content[RG_SECTIONS_MAX] = {
        {.class_ = RG_CLASS_CASE, .body = RG_BODY_FORM, .form = inner->form}};
    char country[RG_COUNTRY_BYTES];
    size_t acts = 0;
    rg_office_country(draft->file.partner, country);
    RG_TRY(sections_forward(office, draft, country, content, why));
    struct rg_letter letter = {
        .kind = inner->kind,
        .has_answers = inner->has_answers,
        .answers = inner->answers,
        .has_decides = true,
        .decides = draft->row.id,
        .has_movement = inner->has_movement,
        .language = inner->language,
        .drafted_by = draft->row.other,
        .vital = inner->vital.present ? inner->vital.reason : NULL,
        .content = content,
        .count = draft->opened.count,
    };
    memcpy(letter.movement, inner->movement, sizeof(letter.movement));
    RG_TRY(rg_office_post(office, &draft->file, &letter, id_out, why));
    RG_TRY(rg_office_act(office, &draft->file, &acts, why));
    return rg_casebook_put(office->book, &draft->file, why);
}

static rg_outcome forward(struct referral *office, const char *id, struct referral_written *out,
                          struct rg_reason *why)
{
    RG_CLEANUP(reopened_drop) struct reopened draft = {.row = {.seq = 0}};
    RG_OWNED_BUFFER memory = {.secret = true};
    RG_SPOOL_STEP step = {0};
    struct rg_content inner = {0};
    struct rg_id sent;
    RG_TRY(reopen(office, id, RG_KIND_DESK_DRAFT, &draft, why));
    const struct rg_desk_draft *drafted = &draft.opened.first->desk_draft;
    RG_TRY(drafter_ask(office, &draft, drafted->kind, why));
    RG_TRY(rg_content_decode(drafted->content, &inner, &memory, why));
    RG_TRY(draft_check(&draft, &inner, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(forward_it(office, &draft, &inner, &sent, why));
    RG_TRY(done(office, &draft.row, "forwarded", why));
    RG_TRY(rg_spool_step_commit(&step, why));
    written_out(draft.file.partner, sent, "waiting", out);
    return rg_ok();
}

struct referral_result referral_forward(struct referral *office, const char *id,
                                        struct referral_written *out)
{
    struct rg_reason why = {0};
    return rg_result(forward(office, id, out, &why), &why);
}

/* ---- the second officer ---- */

static rg_outcome countersign_keep(struct referral *office, struct reopened *request,
                                   const struct rg_opened *checked, struct rg_bytes envelope,
                                   struct rg_id id, struct rg_reason *why)
{
    struct rg_content content[RG_SECTIONS_MAX] = {{.kind = 0}};
    struct rg_envelope parsed;
    RG_TRY(rg_envelope_peek(envelope, &parsed, why));
    for (size_t i = 0; i < checked->count; i++) {
        content[i] = checked->section[i].content;
    }
    struct rg_letter letter = {
        .kind = content[0].kind,
        .to_office = parsed.core.to_office[0],
        .thread = parsed.core.thread,
        .priority = parsed.core.priority,
        .content = content,
        .count = checked->count,
    };
    size_t acts = 0;
    RG_TRY(rg_office_keep(office, &request->file, &letter, envelope, id, why));
    if (letter.kind == RG_KIND_EMERGENCY_RETURN) {
        request->file.now.state = RG_CASE_RELEASED; /* the house's own part is over with it */
        request->file.now.since = rg_wall_now();
    }
    RG_TRY(rg_office_act(office, &request->file, &acts, why));
    return rg_casebook_put(office->book, &request->file, why);
}

/* What the guard is asked about is what she signs: this case, to the office at its other end, in
 * its thread. */
static rg_outcome request_check(const struct reopened *request, const struct rg_opened *checked,
                                struct rg_reason *why)
{
    const struct rg_case_file *file = &request->file;
    struct rg_core core;
    RG_TRY(rg_core_peek(request->opened.first->countersign.core, &core, why));
    bool thread = !file->has_thread || memcmp(core.thread.b, file->thread.b, 16) == 0;
    bool there =
        core.to_office_count == 1 && strcmp(core.to_office[0], file->partner) == 0 && thread;
    RG_CHECK(there && is_of_case(request, checked->first), why, RG_DENIED, "draft-case",
             "what is to be signed is about another case than the request, or goes elsewhere");
    return rg_ok();
}

static rg_outcome countersign(struct referral *office, const char *id, struct referral_written *out,
                              struct rg_reason *why)
{
    RG_CLEANUP(reopened_drop) struct reopened request = {.row = {.seq = 0}};
    RG_CLEANUP(rg_opened_drop) struct rg_opened checked = {.count = 0};
    RG_OWNED_BUFFER envelope = {0};
    RG_SPOOL_STEP step = {0};
    struct rg_guarded guarded;
    struct rg_id sent;
    struct rg_wall now = rg_wall_now();
    RG_TRY(reopen(office, id, RG_KIND_COUNTERSIGN_REQUEST, &request, why));
    const struct rg_countersign *asked = &request.opened.first->countersign;
    RG_TRY(rg_post_countersign_check(office->home, asked, now, &checked, why));
    RG_TRY(request_check(&request, &checked, why));
    RG_TRY(rg_office_ask_opened(office, &request.file, &checked, &guarded, why));
    struct rg_readership readers = {.excluded = &guarded.excluded};
    memcpy(readers.desks, guarded.desks, sizeof(readers.desks));
    RG_TRY(rg_post_countersign_finish(office->home, asked, &readers, now, &envelope, &sent, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(countersign_keep(office, &request, &checked, rg_buffer_peek(&envelope), sent, why));
    RG_TRY(done(office, &request.row, "countersigned", why));
    RG_TRY(rg_spool_step_commit(&step, why));
    written_out(request.file.partner, sent, "waiting", out);
    return rg_ok();
}

/* ---- reading it first ---- */

static rg_outcome draft_text(const struct reopened *draft, struct rg_buffer *out,
                             struct rg_reason *why)
{
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_content inner = {0};
    RG_TRY(rg_content_decode(draft->opened.first->desk_draft.content, &inner, &memory, why));
    RG_TRY(draft_check(draft, &inner, why));
    RG_TRY(rg_office_content_text(&inner, out, why));
    for (size_t i = 1; i < draft->opened.count; i++) {
        RG_TRY(rg_buffer_print(out, why, "and a %s section, sealed for its readers\n",
                               rg_class_name(class_of_section(draft->opened.first, i))));
    }
    return rg_ok();
}

static rg_outcome request_text(struct referral *office, const struct reopened *request,
                               struct rg_buffer *out, struct rg_reason *why)
{
    RG_CLEANUP(rg_opened_drop) struct rg_opened checked = {.count = 0};
    RG_TRY(rg_post_countersign_check(office->home, &request->opened.first->countersign,
                                     rg_wall_now(), &checked, why));
    RG_TRY(request_check(request, &checked, why));
    for (size_t i = 0; i < checked.count; i++) {
        RG_TRY(rg_office_content_text(&checked.section[i].content, out, why));
    }
    return rg_ok();
}

static rg_outcome look(struct referral *office, const char *id, struct rg_buffer *out,
                       struct rg_reason *why)
{
    RG_CLEANUP(reopened_drop) struct reopened again = {.row = {.seq = 0}};
    RG_TRY(message_open(office, id, &again, why));
    uint32_t kind = again.opened.first->kind;
    RG_CHECK(!again.row.ours && (kind == RG_KIND_DESK_DRAFT || kind == RG_KIND_COUNTERSIGN_REQUEST),
             why, RG_DENIED, "draft-kind", "this message is no draft; see: referral drafts");
    RG_TRY(rg_buffer_print(out, why, "case: %s\nto: %s\n", again.file.number, again.file.partner));
    return kind == RG_KIND_DESK_DRAFT ? draft_text(&again, out, why)
                                      : request_text(office, &again, out, why);
}

struct referral_result referral_draft(struct referral *office, const char *id, uint8_t **data_out,
                                      size_t *bytes_out)
{
    struct rg_reason why = {0};
    RG_OWNED_BUFFER out = {.secret = true};
    rg_outcome outcome = look(office, id, &out, &why);
    if (rg_is_ok(outcome)) {
        *data_out = out.data;
        *bytes_out = out.len;
        out = (struct rg_buffer){0}; /* the caller's now */
    }
    return rg_result(outcome, &why);
}

struct referral_result referral_countersign(struct referral *office, const char *id,
                                            struct referral_written *out)
{
    struct rg_reason why = {0};
    return rg_result(countersign(office, id, out, &why), &why);
}

/* ---- what a desk is to read ---- */

static const char *desk_role(enum rg_class class_)
{
    static const char *const role[] = {
        [RG_CLASS_CASE] = "social",   [RG_CLASS_IDENTITY] = "verify",
        [RG_CLASS_FAMILY] = "social", [RG_CLASS_HEALTH] = "health",
        [RG_CLASS_LEGAL] = "justice", [RG_CLASS_SECURITY] = "border"};
    return (unsigned)class_ < sizeof(role) / sizeof(role[0]) ? role[class_] : NULL;
}

/* Our own desk for a class, by our country's public page; NULL: we have none. */
static const struct rg_office *desk_find(const struct referral *office, enum rg_class class_)
{
    const char *role = desk_role(class_);
    const struct rg_office *found = NULL;
    for (size_t i = 0; role != NULL && (found = rg_trust_office_at(office->home->trust, i)) != NULL;
         i++) {
        char country[RG_COUNTRY_BYTES];
        rg_office_country(found->name, country);
        if (strcmp(country, office->home->principal.country) == 0 &&
            strcmp(found->role, role) == 0) {
            return found;
        }
    }
    return NULL;
}

struct passing { /* a message that is opened here */
    const struct rg_envelope *envelope;
    const struct rg_opened *opened;
    struct rg_id id;
    size_t index; /* of the section that goes to a desk */
};

static rg_outcome section_pass(struct referral *office, struct rg_case_file *file,
                               const struct passing *passing, const char *desk,
                               struct rg_id *id_out, struct rg_reason *why)
{
    struct rg_content content = {.class_ = RG_CLASS_CASE, .body = RG_BODY_FORWARDED};
    struct rg_letter letter = {
        .kind = RG_KIND_DESK_COPY,
        .to_office = desk,
        .has_answers = true,
        .answers = passing->id,
        .content = &content,
        .count = 1,
    };
    RG_TRY(rg_post_forward_make(office->home, passing->envelope, passing->opened, passing->index,
                                office->home->principal.country, &content.forwarded, why));
    rg_random(letter.thread.b, sizeof(letter.thread.b));
    return rg_office_post(office, file, &letter, id_out, why);
}

rg_outcome rg_office_desk_copies(struct rg_arrival *arrival, struct rg_reason *why)
{
    struct passing passing = {arrival->envelope, arrival->opened, arrival->row->id, 0};
    struct rg_id sent;
    for (size_t i = 1; i < arrival->opened->count; i++) {
        enum rg_class class_ = class_of_section(arrival->opened->first, i);
        const struct rg_office *desk = desk_find(arrival->office, class_);
        struct rg_reason said = {0};
        if (arrival->opened->section[i].here || desk == NULL) {
            continue;
        }
        passing.index = i;
        rg_outcome outcome =
            section_pass(arrival->office, arrival->file, &passing, desk->name, &sent, &said);
        if (rg_stops_all(outcome) || outcome.code == RG_AGAIN) {
            *why = said;
            return outcome;
        }
        arrival->office->moved.relayed += rg_is_ok(outcome) ? 1u : 0u;
    }
    return rg_ok();
}

/* ---- handing a message to a desk ---- */

static rg_outcome assign(struct referral *office, const char *id, const char *desk,
                         struct referral_written *out, struct rg_reason *why)
{
    RG_CLEANUP(reopened_drop) struct reopened given = {.row = {.seq = 0}};
    RG_SPOOL_STEP step = {0};
    struct rg_id sent;
    char country[RG_COUNTRY_BYTES];
    const struct rg_office *to = rg_trust_office(office->home->trust, desk);
    rg_office_country(desk, country);
    RG_CHECK(to != NULL && strcmp(country, office->home->principal.country) == 0, why, RG_MALFORMED,
             "write-to", "--to is a desk of our own country, as th/health");
    RG_TRY(message_open(office, id, &given, why));
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    struct passing passing = {&given.envelope, &given.opened, given.row.id, 0};
    for (; passing.index < given.opened.count; passing.index++) {
        RG_TRY(section_pass(office, &given.file, &passing, desk, &sent, why));
    }
    RG_TRY(rg_spool_step_commit(&step, why));
    written_out(desk, sent, "waiting", out);
    return rg_ok();
}

struct referral_result referral_assign(struct referral *office, const char *message,
                                       const char *desk, struct referral_written *out)
{
    struct rg_reason why = {0};
    return rg_result(assign(office, message, desk, out, &why), &why);
}

/* ---- what waits for this officer ---- */

static rg_outcome is_draft(struct referral *office, const struct rg_message_row *row,
                           bool *draft_out, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool here = false;
    if (row->state == RG_IN_OPENED && row->reason[0] == '\0') {
        RG_TRY(rg_office_content(office, row, 0, &content, &memory, &here, why));
    }
    *draft_out =
        here && (content.kind == RG_KIND_DESK_DRAFT || content.kind == RG_KIND_COUNTERSIGN_REQUEST);
    return rg_ok();
}

rg_outcome rg_office_draft_done(struct referral *office, struct rg_id id, struct rg_reason *why)
{
    struct rg_message_row row;
    bool found = false;
    RG_TRY(rg_spool_message_get(office->spool, id, &row, &found, why));
    if (found && !row.ours) {
        RG_TRY(is_draft(office, &row, &found, why));
    }
    return found && !row.ours ? done(office, &row, "forwarded", why) : rg_ok();
}

static rg_outcome draft_next(struct referral *office, struct referral_cursor *cursor,
                             struct rg_message_row *out, bool *found_out, struct rg_reason *why)
{
    size_t count = 1;
    *found_out = false;
    while (count > 0 && !*found_out) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_ARRIVAL, 0, cursor->at, out, 1, &count, why));
        if (count > 0) {
            cursor->at = out->seq;
            RG_TRY(is_draft(office, out, found_out, why));
        }
    }
    return rg_ok();
}

struct referral_result referral_next_draft(struct referral *office, struct referral_cursor *cursor,
                                           struct referral_message *out)
{
    struct rg_reason why = {0};
    struct rg_message_row row;
    bool found = false;
    rg_outcome outcome = draft_next(office, cursor, &row, &found, &why);
    if (rg_is_ok(outcome) && !found) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    if (rg_is_ok(outcome)) {
        outcome = rg_office_show_message(office, &row, out, &why);
    }
    return rg_result(outcome, &why);
}
