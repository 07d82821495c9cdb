/* How it works: opening believes nothing before it is checked: which key opens the section, whose
 * signature it has, was that officer listed at the Accepted time, does it belong at this place of
 * this core, do all sections and the signer say the same about who wrote what. A section that only
 * carries another one is opened so, and then what it carries is opened in the same way against the
 * core that came with it. Invariant: a message of which one thing does not hold hands out nothing.
 */
#include "client/post_inside.h"

#include "core/trust.h"

#include <string.h>

void rg_opened_drop(struct rg_opened *opened)
{
    for (size_t i = 0; i < RG_SECTIONS_MAX; i++) {
        struct rg_opened_section *section = &opened->section[i];
        rg_buffer_drop(&section->bytes);
        rg_buffer_drop(&section->memory);
        rg_buffer_drop(&section->wrapper);
        rg_buffer_drop(&section->wrapper_memory);
        section->here = false;
        section->forwarded = false;
    }
    opened->count = 0;
    opened->first = NULL;
}

static bool meant_for(const struct rg_section_core *section, const char *office)
{
    for (size_t i = 0; i < section->office_count; i++) {
        if (strcmp(section->office[i], office) == 0) {
            return true;
        }
    }
    return false;
}

struct opening { /* one envelope being opened */
    struct rg_home *home;
    const struct rg_envelope *envelope;
    const struct rg_office *office; /* the sender's */
    bool crosses;
    struct rg_wall accepted_at, now;
    struct rg_certificate *candidate[RG_POST_SIGNERS_MAX];
    size_t candidate_count;
    const struct rg_certificate *judged[RG_AUTHORS_MAX]; /* once per message, not per section */
};

struct sealed { /* a sealed section, the core it belongs to, who may have signed it */
    struct rg_bytes bytes, core_bytes;
    const struct rg_core *core;
    size_t index;
    struct rg_certificate *const *candidate;
    size_t candidate_count;
};

/* The content of a section that is ours and belongs where it stands; its authors are not judged
 * yet. */
static rg_outcome unseal(const struct rg_home *home, const struct sealed *sealed,
                         struct rg_buffer *content_out, struct rg_signature_seen *seen_out,
                         struct rg_reason *why)
{
    struct rg_section parsed;
    RG_OWNED_BUFFER signed_der = {.secret = true};
    RG_OWNED_BUFFER section_bytes = {.secret = true};
    RG_TRY(rg_unseal(sealed->bytes, home->reading, home->reading_count, &signed_der, why));
    RG_TRY(rg_unseal_verify(rg_buffer_peek(&signed_der), sealed->candidate, sealed->candidate_count,
                            &section_bytes, seen_out, why));
    RG_TRY(rg_section_peek(rg_buffer_peek(&section_bytes), &parsed, why));
    RG_TRY(rg_section_check(&parsed, section_bytes.len, sealed->core_bytes, sealed->core,
                            sealed->index, why));
    content_out->secret = true;
    return rg_buffer_append(content_out, parsed.content, why);
}

static bool is_for_others(rg_outcome outcome, const struct rg_reason *said)
{
    return !rg_is_ok(outcome) && said->id != NULL && strcmp(said->id, "seal-not-for-us") == 0;
}

static rg_outcome pass(rg_outcome outcome, const struct rg_reason *said, struct rg_reason *why)
{
    if (!rg_is_ok(outcome) && why != NULL) {
        *why = *said;
    }
    return outcome;
}

/* ---- who wrote it ---- */

static const char *principal_of(const struct rg_certificate *certificate)
{
    return rg_certificate_principal(certificate)->text;
}

rg_outcome rg_post_authors(const struct rg_signature_seen *seen, const struct rg_content *content,
                           const struct rg_certificate *author_out[RG_AUTHORS_MAX],
                           struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(content->kind);
    bool two = content->kind != RG_KIND_COUNTERSIGN_REQUEST &&
               (content->second_author[0] != '\0' || (row != NULL && row->two_officers));
    size_t first = 0;
    while (first < seen->signer_count &&
           strcmp(principal_of(seen->signer[first]), content->author) != 0) {
        first++;
    }
    RG_CHECK(first < seen->signer_count, why, RG_DENIED, "post-author",
             "the content names another author than the officer who signed it");
    RG_CHECK(two == (seen->signer_count == 2), why, RG_DENIED, "post-second",
             two ? "the second officer's signature is missing"
                 : "a second signature where none is called for");
    author_out[0] = seen->signer[first];
    author_out[1] = two ? seen->signer[1 - first] : NULL;
    RG_CHECK(!two || strcmp(principal_of(author_out[1]), content->second_author) == 0, why,
             RG_DENIED, "post-second", "the second signature is not of the officer it names");
    return rg_ok();
}

/* The signers of the message; the same in each of its sections. */
static rg_outcome judge_authors(struct opening *opening,
                                const struct rg_certificate *const author[RG_AUTHORS_MAX],
                                struct rg_opened *opened, struct rg_reason *why)
{
    if (opening->judged[0] != NULL) {
        RG_CHECK(opening->judged[0] == author[0] && opening->judged[1] == author[1], why, RG_DENIED,
                 "post-author", "the sections are signed by different officers");
        return rg_ok();
    }
    for (size_t i = 0; i < RG_AUTHORS_MAX && author[i] != NULL; i++) {
        struct rg_verdict verdict;
        RG_TRY(rg_trust_judge(opening->home->trust, author[i], RG_USE_SIGN, opening->accepted_at,
                              opening->now, &verdict, why));
        *(i == 0 ? &opened->signer : &opened->second) = verdict.principal;
        opened->stopped_later |= verdict.stopped_later;
        opening->judged[i] = author[i];
    }
    opened->signer_certificate = author[0];
    return rg_ok();
}

/* ---- what it says of itself ---- */

rg_outcome rg_post_agree(const struct rg_content *first, const struct rg_content *content,
                         struct rg_reason *why)
{
    if (first == NULL) {
        return rg_ok();
    }
    /* The other sections of a draft are already those of the message to be. */
    uint32_t kind = first->kind == RG_KIND_DESK_DRAFT && first->body == RG_BODY_DESK_DRAFT
                        ? first->desk_draft.kind
                        : first->kind;
    RG_CHECK(content->kind == kind &&
                 memcmp(first->handle.b, content->handle.b, sizeof(first->handle.b)) == 0,
             why, RG_DENIED, "post-kind", "the sections of the message disagree about what it is");
    return rg_ok();
}

static rg_outcome check_exercise(const struct opening *opening, const struct rg_content *content,
                                 const struct rg_core *core, struct rg_reason *why)
{
    RG_CHECK(content->exercise == core->exercise && content->exercise == opening->home->exercise,
             why, RG_DENIED, "post-exercise", "an exercise and real work must not be mixed");
    return rg_ok();
}

/* ---- what it carries ---- */

struct inner { /* a section passed on, being opened */
    struct rg_core core;
    struct rg_certificate *candidate[RG_POST_SIGNERS_MAX];
    struct rg_certificate *carried; /* owned; NULL: a page names the author */
    size_t count;
};

static void inner_drop(struct inner *inner)
{
    rg_certificate_free(inner->carried);
}

static rg_outcome not_to_pass_on(struct rg_reason *why, const char *what)
{
    return rg_fail(why, RG_DENIED, "post-forward", "a section passed on: %s", what);
}

/* Only a focal point passes on; across a border, what its own country has written. */
static rg_outcome check_forwarder(const struct opening *opening, const struct inner *inner,
                                  struct rg_reason *why)
{
    char theirs[RG_COUNTRY_BYTES];
    char authors[RG_COUNTRY_BYTES];
    rg_office_country(opening->envelope->core.from_office, theirs);
    rg_office_country(inner->core.from_office, authors);
    if (strcmp(opening->office->role, "focal") != 0) {
        return not_to_pass_on(why, "by an office that is no focal point");
    }
    if (opening->crosses && strcmp(theirs, authors) != 0) {
        return not_to_pass_on(why, "of an author of another country than the focal point");
    }
    return rg_ok();
}

/* Who may have signed it: the office's officers by its page; else the one whom the focal point
 * names. */
static rg_outcome find_candidates(const struct opening *opening, const struct rg_forwarded *passed,
                                  struct inner *inner, struct rg_reason *why)
{
    struct rg_trust *trust = opening->home->trust;
    if (rg_trust_office(trust, inner->core.from_office) != NULL) {
        return rg_trust_signers(trust, inner->core.from_office, inner->candidate,
                                RG_POST_SIGNERS_MAX, &inner->count, why);
    }
    if (passed->certificate.len == 0) {
        return not_to_pass_on(why, "no page names its author, nor does the focal point");
    }
    RG_TRY(rg_certificate_parse(passed->certificate, &inner->carried, why));
    const struct rg_principal *principal = rg_certificate_principal(inner->carried);
    if (principal == NULL || strcmp(principal->office, inner->core.from_office) != 0) {
        return not_to_pass_on(why, "the author named is of another office");
    }
    inner->candidate[0] = inner->carried;
    inner->count = 1;
    return rg_ok();
}

static rg_outcome judge_inner(const struct opening *opening, const struct inner *inner,
                              const struct rg_certificate *const author[RG_AUTHORS_MAX],
                              struct rg_verdict *verdict_out, struct rg_reason *why)
{
    struct rg_trust *trust = opening->home->trust;
    struct rg_verdict verdict[RG_AUTHORS_MAX] = {{.stopped_later = false}};
    for (size_t i = 0; i < RG_AUTHORS_MAX && author[i] != NULL; i++) {
        RG_TRY(inner->carried != NULL
                   ? rg_trust_judge_carried(trust, author[i], opening->accepted_at, opening->now,
                                            &verdict[i], why)
                   : rg_trust_judge(trust, author[i], RG_USE_SIGN, opening->accepted_at,
                                    opening->now, &verdict[i], why));
    }
    verdict[0].stopped_later |= verdict[1].stopped_later;
    *verdict_out = verdict[0];
    return rg_ok();
}

/* The case it is passed on in is the case it was written for; a copy for a desk may be of any
 * kind. */
static rg_outcome check_inner(const struct opening *opening, const struct inner *inner,
                              const struct rg_content *outer, const struct rg_content *content,
                              struct rg_reason *why)
{
    RG_TRY(check_exercise(opening, content, &inner->core, why));
    if (memcmp(outer->handle.b, content->handle.b, sizeof(outer->handle.b)) != 0) {
        return not_to_pass_on(why, "it was written for another case");
    }
    if (content->body == RG_BODY_FORWARDED) {
        return not_to_pass_on(why, "it carries a further one");
    }
    if (outer->kind == RG_KIND_DESK_COPY) {
        return rg_ok();
    }
    if (content->kind != outer->kind || content->class_ != outer->class_) {
        return not_to_pass_on(why, "it was written for another kind of message or section");
    }
    /* What was true of her once must not be told again as if it were said today. */
    if (opening->envelope->core.created.ms > inner->core.expires.ms) {
        return not_to_pass_on(why, "it was written too long ago");
    }
    return rg_ok();
}

static rg_outcome open_inner(struct opening *opening, const struct rg_content *outer,
                             struct rg_opened_section *section, struct rg_opened *opened,
                             struct rg_reason *why)
{
    RG_CLEANUP(inner_drop) struct inner inner = {.count = 0};
    struct rg_signature_seen seen = {.signer_count = 0};
    const struct rg_certificate *author[RG_AUTHORS_MAX];
    struct rg_verdict verdict;
    struct rg_reason said = {0};
    RG_TRY(rg_core_peek(section->passed.core, &inner.core, why));
    RG_TRY(check_forwarder(opening, &inner, why));
    RG_TRY(find_candidates(opening, &section->passed, &inner, why));
    const struct sealed sealed = {.bytes = section->passed.sealed,
                                  .core_bytes = section->passed.core,
                                  .core = &inner.core,
                                  .index = section->passed.index,
                                  .candidate = inner.candidate,
                                  .candidate_count = inner.count};
    rg_outcome outcome = unseal(opening->home, &sealed, &section->bytes, &seen, &said);
    if (is_for_others(outcome, &said)) {
        return rg_ok();
    }
    RG_TRY(pass(outcome, &said, why));
    section->memory.secret = true;
    RG_TRY(rg_content_decode(rg_buffer_peek(&section->bytes), &section->content, &section->memory,
                             why));
    RG_TRY(rg_post_authors(&seen, &section->content, author, why));
    RG_TRY(judge_inner(opening, &inner, author, &verdict, why));
    RG_TRY(check_inner(opening, &inner, outer, &section->content, why));
    section->author = verdict.principal;
    opened->stopped_later |= verdict.stopped_later;
    section->here = true;
    return rg_ok();
}

/* ---- one section, all sections ---- */

static void take_wrapper(struct rg_opened_section *section)
{
    section->wrapper = rg_buffer_take(&section->bytes);
    section->wrapper_memory = rg_buffer_take(&section->memory);
    section->passed = section->content.forwarded;
    section->content = (struct rg_content){.kind = 0};
    section->forwarded = true;
}

static rg_outcome open_one(struct opening *opening, size_t index, struct rg_opened *opened,
                           struct rg_reason *why)
{
    const struct rg_envelope *envelope = opening->envelope;
    struct rg_opened_section *section = &opened->section[index];
    const struct sealed sealed = {.bytes = envelope->sealed[index],
                                  .core_bytes = envelope->core_bytes,
                                  .core = &envelope->core,
                                  .index = index,
                                  .candidate = opening->candidate,
                                  .candidate_count = opening->candidate_count};
    struct rg_signature_seen seen = {.signer_count = 0};
    const struct rg_certificate *author[RG_AUTHORS_MAX];
    RG_TRY(unseal(opening->home, &sealed, &section->bytes, &seen, why));
    section->memory.secret = true;
    RG_TRY(rg_content_decode(rg_buffer_peek(&section->bytes), &section->content, &section->memory,
                             why));
    RG_TRY(rg_post_authors(&seen, &section->content, author, why));
    RG_TRY(judge_authors(opening, author, opened, why));
    RG_TRY(check_exercise(opening, &section->content, &envelope->core, why));
    RG_TRY(rg_post_agree(opened->first, &section->content, why));
    if (section->content.body == RG_BODY_FORWARDED) {
        struct rg_content outer = section->content;
        take_wrapper(section);
        if (opened->first == NULL) {
            opened->wrapper = outer;
            opened->first = &opened->wrapper;
        }
        return open_inner(opening, &outer, section, opened, why);
    }
    section->here = true;
    section->author = opened->signer;
    opened->first = opened->first == NULL ? &section->content : opened->first;
    return rg_ok();
}

static rg_outcome open_all(struct opening *opening, struct rg_opened *opened, struct rg_reason *why)
{
    const struct rg_core *core = &opening->envelope->core;
    opened->count = core->section_count;
    for (size_t i = 0; i < core->section_count; i++) {
        if (!meant_for(&core->section[i], opening->home->principal.office) ||
            opening->envelope->sealed[i].len == 0) {
            continue;
        }
        struct rg_reason said = {0};
        rg_outcome outcome = open_one(opening, i, opened, &said);
        if (!is_for_others(outcome, &said)) {
            RG_TRY(pass(outcome, &said, why));
        }
    }
    RG_CHECK(opened->first != NULL, why, RG_DENIED, "post-not-for-us",
             "no section of this message is sealed to a key that is here");
    return rg_ok();
}

/* Inside a country: a focal point says everything to everybody. A desk or an NGO speaks with its
 * focal point alone; what would cross a border for it is a draft, and counts when that has sent it.
 */
static rg_outcome inner_way_check(const struct opening *opening, uint32_t kind,
                                  struct rg_reason *why)
{
    const struct rg_home *home = opening->home;
    bool own = strcmp(opening->envelope->core.from_office, home->principal.office) == 0;
    if (own || strcmp(opening->office->role, "focal") == 0) {
        return rg_ok();
    }
    RG_CHECK(rg_home_is_focal(home), why, RG_DENIED, "content-way",
             "a desk or an NGO writes to its focal point, not to this office");
    RG_CHECK(rg_kind_row(kind)->way != RG_WAY_FOCAL, why, RG_DENIED, "content-way",
             "%s of a desk or an NGO comes as a draft", rg_kind_name(kind));
    return rg_ok();
}

/* Across a border: from a focal point, unless it is an alert, and to a focal point always. */
static rg_outcome way_check(const struct opening *opening, uint32_t kind, struct rg_reason *why)
{
    RG_TRY(rg_kind_check_way(kind, opening->office->role, opening->crosses, why));
    if (!opening->crosses) {
        return inner_way_check(opening, kind, why);
    }
    RG_CHECK(rg_home_is_focal(opening->home), why, RG_DENIED, "content-way",
             "a message from abroad goes to the focal point, not to this office");
    return rg_ok();
}

rg_outcome rg_post_open(struct rg_home *home, const struct rg_envelope *envelope,
                        struct rg_wall accepted_at, struct rg_wall now, struct rg_opened *opened,
                        struct rg_reason *why)
{
    const char *from_office = envelope->core.from_office;
    char from[RG_COUNTRY_BYTES];
    struct opening opening = {.home = home,
                              .envelope = envelope,
                              .office = rg_trust_office(home->trust, from_office),
                              .accepted_at = accepted_at,
                              .now = now};
    rg_office_country(from_office, from);
    opening.crosses = strcmp(from, home->principal.country) != 0;
    RG_CHECK(opening.office != NULL, why, RG_AGAIN, "post-page",
             "the page that lists the sender's office is not here yet: sync again");
    RG_TRY(rg_trust_signers(home->trust, from_office, opening.candidate, RG_POST_SIGNERS_MAX,
                            &opening.candidate_count, why));
    rg_outcome outcome = open_all(&opening, opened, why);
    if (rg_is_ok(outcome)) {
        outcome = way_check(&opening, opened->first->kind, why);
    }
    if (!rg_is_ok(outcome)) {
        rg_opened_drop(opened);
    }
    return outcome;
}

/* ---- passing on ---- */

rg_outcome rg_post_forward_make(struct rg_home *home, const struct rg_envelope *envelope,
                                const struct rg_opened *opened, size_t index,
                                const char *to_country, struct rg_forwarded *out,
                                struct rg_reason *why)
{
    RG_CHECK(index < opened->count && index < envelope->core.section_count, why, RG_DENIED,
             "post-forward", "there is no such section to pass on");
    RG_CHECK(envelope->sealed[index].len > 0, why, RG_DENIED, "post-forward",
             "the section's bytes are not here");
    if (opened->section[index].forwarded) {
        *out = opened->section[index].passed;
        return rg_ok();
    }
    const struct rg_office *office = rg_trust_office(home->trust, envelope->core.from_office);
    RG_CHECK(office != NULL && opened->signer_certificate != NULL, why, RG_AGAIN, "post-page",
             "the page that lists the author's office is not here: sync first");
    bool unknown = office->domestic && strcmp(to_country, home->principal.country) != 0;
    *out = (struct rg_forwarded){
        .core = envelope->core_bytes,
        .index = (uint32_t)index,
        .sealed = envelope->sealed[index],
        .certificate =
            unknown ? rg_certificate_der(opened->signer_certificate) : (struct rg_bytes){0},
    };
    return rg_ok();
}
