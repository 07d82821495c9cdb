/* How it works: all sections are encoded first, because the core states their sizes and
 * commitments and every section signs the digest of the core; then each is sealed; then the header
 * takes the digests of the sealed bytes. */
#include "client/post_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define EXPIRES_DAYS 30 /* the other gateway may be away for weeks */
#define COLLECT_BY_DAYS 60

void rg_parts_drop(struct rg_parts *parts)
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
                             struct rg_parts *parts, struct rg_reason *why)
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
                           struct rg_wall now, struct rg_parts *parts, struct rg_reason *why)
{
    struct rg_readers readers;
    const struct rg_readers_ask ask =
        rg_readers_ask_of(&draft->readers, draft->to_office, &draft->content[index], index);
    struct rg_signer signer = {.certificate = home->sign, .key = home->sign_key};
    RG_TRY(rg_post_readers(home, &ask, now, &readers, why));
    return rg_seal(&parts->section[index], parts->core.section[index].padded_bytes, &signer, 1,
                   readers.list, readers.count, &parts->sealed[index], why);
}

rg_outcome rg_parts_make(const struct rg_home *home, const struct rg_draft *draft,
                         struct rg_wall now, struct rg_parts *parts, struct rg_reason *why)
{
    RG_CHECK(draft->count > 0 && draft->count <= RG_SECTIONS_MAX, why, RG_LIMIT, "post-sections",
             "a message has from 1 to %d sections", RG_SECTIONS_MAX);
    core_fill(home, draft, now, &parts->core);
    for (size_t i = 0; i < draft->count; i++) {
        RG_TRY(encode_one(home, draft, i, parts, why));
    }
    RG_TRY(rg_core_encode(&parts->core, &parts->core_bytes, why));
    for (size_t i = 0; i < draft->count; i++) {
        parts->section[i].core_digest = rg_sha256(rg_buffer_peek(&parts->core_bytes));
    }
    return rg_ok();
}

rg_outcome rg_parts_join(struct rg_parts *parts, size_t count, struct rg_buffer *envelope_out,
                         struct rg_id *id_out, struct rg_reason *why)
{
    struct rg_hash digest[RG_SECTIONS_MAX];
    struct rg_bytes sealed[RG_SECTIONS_MAX];
    for (size_t i = 0; i < count; i++) {
        sealed[i] = rg_buffer_peek(&parts->sealed[i]);
        digest[i] = rg_sha256(sealed[i]);
    }
    RG_TRY(
        rg_header_encode(rg_buffer_peek(&parts->core_bytes), digest, count, &parts->header, why));
    RG_TRY(rg_envelope_encode(rg_buffer_peek(&parts->header), sealed, count, envelope_out, why));
    *id_out = rg_header_id(rg_buffer_peek(&parts->header));
    return rg_ok();
}

static bool needs_second(const struct rg_content *content)
{
    const struct rg_kind_row *row = rg_kind_row(content->kind);
    return content->second_author[0] != '\0' || (row != NULL && row->two_officers);
}

rg_outcome rg_post_seal(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                        struct rg_buffer *envelope_out, struct rg_id *id_out, struct rg_reason *why)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    RG_TRY(rg_parts_make(home, draft, now, &parts, why));
    for (size_t i = 0; i < draft->count; i++) {
        const struct rg_content *content = &draft->content[i];
        RG_CHECK(!needs_second(content) || content->kind == RG_KIND_COUNTERSIGN_REQUEST, why,
                 RG_DENIED, "post-second", "a second officer of this office has to sign this too");
        RG_TRY(seal_one(home, draft, i, now, &parts, why));
    }
    return rg_parts_join(&parts, draft->count, envelope_out, id_out, why);
}
