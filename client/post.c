/* How it works: all sections are encoded first, because the core states their sizes and
 * commitments and every section signs the digest of the core; then each is sealed; then the header
 * takes the digests of the sealed bytes. Opening goes the other way round and believes nothing
 * before it is checked: which key opens it, whose signature, was that officer listed at the
 * Accepted time, does this section belong at this place of this core, do all sections and the
 * signer say the same about who wrote what. */
#include "client/post_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define EXPIRES_DAYS 30 /* the other gateway may be away for weeks */
#define COLLECT_BY_DAYS 60
#define SIGNERS_MAX 256

struct parts { /* of a message being sealed */
    struct rg_core core;
    struct rg_section section[RG_SECTIONS_MAX];
    struct rg_buffer content[RG_SECTIONS_MAX]; /* secret */
    struct rg_buffer sealed[RG_SECTIONS_MAX];
    struct rg_buffer core_bytes, header;
};

static void parts_drop(struct parts *parts)
{
    for (size_t i = 0; i < RG_SECTIONS_MAX; i++) {
        rg_buffer_drop(&parts->content[i]);
        rg_buffer_drop(&parts->sealed[i]);
    }
    rg_buffer_drop(&parts->core_bytes);
    rg_buffer_drop(&parts->header);
}

/* ---- sealing ---- */

static rg_outcome page_hash(const struct rg_home *home, struct rg_hash *out, struct rg_reason *why)
{
    const struct rg_country *country = rg_trust_country(home->trust, home->principal.country);
    RG_CHECK(country != NULL && country->has_page, why, RG_AGAIN, "post-page",
             "the national page of our own country is not here yet: sync first");
    *out = country->page_hash;
    return rg_ok();
}

static void name_office(struct rg_section_core *core, const char *office)
{
    size_t at = core->office_count;
    for (size_t i = 0; i < at; i++) {
        if (strcmp(core->office[i], office) == 0) {
            return;
        }
    }
    (void)snprintf(core->office[at], sizeof(core->office[at]), "%s", office);
    core->office_count++;
}

/* The two offices; and our focal point, which is told when another office of ours crosses. */
static rg_outcome name_offices(const struct rg_home *home, const char *to_office,
                               struct rg_section_core *core, struct rg_reason *why)
{
    char country[RG_COUNTRY_BYTES];
    char focal[RG_OFFICE_BYTES];
    core->office_count = 0;
    name_office(core, to_office);
    name_office(core, home->principal.office);
    rg_office_country(to_office, country);
    if (strcmp(country, home->principal.country) != 0 && !rg_home_is_focal(home)) {
        RG_TRY(rg_home_focal(home, home->principal.country, focal, why));
        name_office(core, focal);
    }
    return rg_ok();
}

static rg_outcome encode_one(const struct rg_home *home, const struct rg_draft *draft, size_t index,
                             struct parts *parts, struct rg_reason *why)
{
    struct rg_section *section = &parts->section[index];
    struct rg_section_core *core = &parts->core.section[index];
    parts->content[index].secret = true;
    RG_TRY(rg_content_encode(&draft->content[index], &parts->content[index], why));
    section->index = (uint32_t)index;
    section->content = rg_buffer_peek(&parts->content[index]);
    rg_random(section->blinding, sizeof(section->blinding));
    RG_TRY(page_hash(home, &section->page_hash, why));
    struct rg_hash commitment = rg_section_commitment(section->blinding, section->content);
    memcpy(core->commitment, commitment.b, sizeof(core->commitment));
    core->padded_bytes = (uint32_t)rg_padded_size(rg_section_bytes(section->content.len));
    return name_offices(home, draft->to_office, core, why);
}

static void core_fill(const struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                      struct rg_core *core)
{
    core->version = 1;
    core->thread = draft->thread;
    core->author_counter = draft->counter;
    core->priority = draft->priority;
    core->created = now;
    core->expires.ms = now.ms + EXPIRES_DAYS * DAY_MS;
    core->collect_by.ms = now.ms + COLLECT_BY_DAYS * DAY_MS;
    core->exercise = home->exercise;
    core->has_decides = draft->has_decides;
    core->decides = draft->decides;
    core->to_office_count = 1;
    core->section_count = draft->count;
    (void)snprintf(core->from_office, sizeof(core->from_office), "%s", home->principal.office);
    (void)snprintf(core->to_office[0], sizeof(core->to_office[0]), "%s", draft->to_office);
    rg_office_country(draft->to_office, core->to_country);
}

static rg_outcome seal_one(struct rg_home *home, const struct rg_draft *draft, size_t index,
                           struct rg_wall now, struct parts *parts, struct rg_reason *why)
{
    struct rg_readers readers;
    const struct rg_readers_ask ask = {.readership = &draft->readers,
                                       .to_office = draft->to_office,
                                       .class_ = draft->content[index].class_,
                                       .index = index};
    struct rg_signer signer = {.certificate = home->sign, .key = home->sign_key};
    parts->section[index].core_digest = rg_sha256(rg_buffer_peek(&parts->core_bytes));
    RG_TRY(rg_post_readers(home, &ask, now, &readers, why));
    return rg_seal(&parts->section[index], parts->core.section[index].padded_bytes, &signer, 1,
                   readers.list, readers.count, &parts->sealed[index], why);
}

rg_outcome rg_post_seal(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                        struct rg_buffer *envelope_out, struct rg_id *id_out, struct rg_reason *why)
{
    RG_CLEANUP(parts_drop) struct parts parts = {0};
    struct rg_hash digest[RG_SECTIONS_MAX];
    struct rg_bytes sealed[RG_SECTIONS_MAX];
    RG_CHECK(draft->count > 0 && draft->count <= RG_SECTIONS_MAX, why, RG_LIMIT, "post-sections",
             "a message has from 1 to %d sections", RG_SECTIONS_MAX);
    core_fill(home, draft, now, &parts.core);
    for (size_t i = 0; i < draft->count; i++) {
        RG_TRY(encode_one(home, draft, i, &parts, why));
    }
    RG_TRY(rg_core_encode(&parts.core, &parts.core_bytes, why));
    for (size_t i = 0; i < draft->count; i++) {
        RG_TRY(seal_one(home, draft, i, now, &parts, why));
        sealed[i] = rg_buffer_peek(&parts.sealed[i]);
        digest[i] = rg_sha256(sealed[i]);
    }
    RG_TRY(rg_header_encode(rg_buffer_peek(&parts.core_bytes), digest, draft->count, &parts.header,
                            why));
    RG_TRY(
        rg_envelope_encode(rg_buffer_peek(&parts.header), sealed, draft->count, envelope_out, why));
    *id_out = rg_header_id(rg_buffer_peek(&parts.header));
    return rg_ok();
}

/* ---- opening ---- */

void rg_opened_drop(struct rg_opened *opened)
{
    for (size_t i = 0; i < RG_SECTIONS_MAX; i++) {
        rg_buffer_drop(&opened->section[i].bytes);
        rg_buffer_drop(&opened->section[i].memory);
        opened->section[i].here = false;
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
    struct rg_wall accepted_at, now;
    struct rg_certificate *candidate[SIGNERS_MAX];
    size_t candidate_count;
    const struct rg_certificate *judged; /* one judgement per message, not per section */
};

static rg_outcome signer_check(struct opening *opening, const struct rg_certificate *signer,
                               struct rg_opened *opened, struct rg_reason *why)
{
    struct rg_verdict verdict;
    if (opening->judged == signer) {
        return rg_ok();
    }
    RG_CHECK(opening->judged == NULL, why, RG_DENIED, "post-author",
             "the sections are signed by different officers");
    RG_TRY(rg_trust_judge(opening->home->trust, signer, RG_USE_SIGN, opening->accepted_at,
                          opening->now, &verdict, why));
    opening->judged = signer;
    opened->signer = verdict.principal;
    opened->stopped_later = verdict.stopped_later;
    return rg_ok();
}

static rg_outcome content_check(struct opening *opening, const struct rg_opened *opened,
                                const struct rg_content *content, struct rg_reason *why)
{
    RG_CHECK(strcmp(content->author, opened->signer.text) == 0, why, RG_DENIED, "post-author",
             "the content names another author than the officer who signed it");
    RG_CHECK(content->exercise == opening->envelope->core.exercise &&
                 content->exercise == opening->home->exercise,
             why, RG_DENIED, "post-exercise", "an exercise and real work must not be mixed");
    const struct rg_content *first = opened->first;
    RG_CHECK(first == NULL ||
                 (first->kind == content->kind &&
                  memcmp(first->handle.b, content->handle.b, sizeof(first->handle.b)) == 0),
             why, RG_DENIED, "post-kind", "the sections of the message disagree about what it is");
    return rg_ok();
}

static rg_outcome open_one(struct opening *opening, size_t index, struct rg_opened *opened,
                           struct rg_reason *why)
{
    const struct rg_envelope *envelope = opening->envelope;
    struct rg_opened_section *section = &opened->section[index];
    struct rg_signature_seen seen = {0};
    struct rg_section parsed;
    RG_OWNED_BUFFER signed_der = {.secret = true};
    RG_OWNED_BUFFER section_bytes = {.secret = true};
    RG_TRY(rg_unseal(envelope->sealed[index], opening->home->reading, opening->home->reading_count,
                     &signed_der, why));
    RG_TRY(rg_unseal_verify(rg_buffer_peek(&signed_der), opening->candidate,
                            opening->candidate_count, &section_bytes, &seen, why));
    RG_TRY(signer_check(opening, seen.signer[0], opened, why));
    RG_TRY(rg_section_peek(rg_buffer_peek(&section_bytes), &parsed, why));
    RG_TRY(rg_section_check(&parsed, section_bytes.len, envelope->core_bytes, &envelope->core,
                            index, why));
    section->bytes.secret = true;
    section->memory.secret = true;
    RG_TRY(rg_buffer_append(&section->bytes, parsed.content, why));
    RG_TRY(rg_content_decode(rg_buffer_peek(&section->bytes), &section->content, &section->memory,
                             why));
    RG_TRY(content_check(opening, opened, &section->content, why));
    section->here = true;
    if (opened->first == NULL) {
        opened->first = &section->content;
    }
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
        bool not_ours = said.id != NULL && strcmp(said.id, "seal-not-for-us") == 0;
        if (!rg_is_ok(outcome) && !not_ours) {
            *why = said;
            return outcome;
        }
    }
    RG_CHECK(opened->first != NULL, why, RG_DENIED, "post-not-for-us",
             "no section of this message is sealed to a key that is here");
    return rg_ok();
}

/* Across a border: from a focal point, unless it is an alert, and to a focal point always. */
static rg_outcome way_check(const struct rg_home *home, uint32_t kind, const char *role,
                            bool crosses, struct rg_reason *why)
{
    RG_TRY(rg_kind_check_way(kind, role, crosses, why));
    RG_CHECK(!crosses || rg_home_is_focal(home), why, RG_DENIED, "content-way",
             "a message from abroad goes to the focal point, not to this office");
    return rg_ok();
}

rg_outcome rg_post_open(struct rg_home *home, const struct rg_envelope *envelope,
                        struct rg_wall accepted_at, struct rg_wall now, struct rg_opened *opened,
                        struct rg_reason *why)
{
    struct rg_reason own = {0};
    struct rg_reason *reason = why != NULL ? why : &own;
    struct opening opening = {
        .home = home, .envelope = envelope, .accepted_at = accepted_at, .now = now};
    const struct rg_office *office = rg_trust_office(home->trust, envelope->core.from_office);
    RG_CHECK(office != NULL, reason, RG_AGAIN, "post-page",
             "the page that lists the sender's office is not here yet: sync again");
    RG_TRY(rg_trust_signers(home->trust, envelope->core.from_office, opening.candidate, SIGNERS_MAX,
                            &opening.candidate_count, reason));
    rg_outcome outcome = open_all(&opening, opened, reason);
    if (rg_is_ok(outcome)) {
        char from[RG_COUNTRY_BYTES];
        rg_office_country(envelope->core.from_office, from);
        outcome = way_check(home, opened->first->kind, office->role,
                            strcmp(from, home->principal.country) != 0, reason);
    }
    if (!rg_is_ok(outcome)) {
        rg_opened_drop(opened);
    }
    return outcome;
}
