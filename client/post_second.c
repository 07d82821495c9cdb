/* How it works: the first officer makes all of a message but the sealing, and signs each section.
 * Core and signed sections travel to the second, inside the office. She checks what she would check
 * of any message, adds her signature over the very same bytes, and seals. Invariant: nothing is
 * sealed to anybody but the two before both have signed, and she signs what she can read.
 */
#include "client/post_inside.h"

#include "core/digest.h"
#include "core/trust.h"

#include <string.h>

void rg_prepared_drop(struct rg_prepared *prepared)
{
    for (size_t i = 0; i < RG_SECTIONS_MAX; i++) {
        rg_buffer_drop(&prepared->section[i]);
    }
    rg_buffer_drop(&prepared->core);
    prepared->request = (struct rg_countersign){.count = 0};
}

static bool is_reader(const struct rg_readers *readers, const char *principal)
{
    for (size_t i = 0; i < readers->count; i++) {
        const struct rg_certificate *reader = readers->list[i];
        if (reader != NULL && strcmp(rg_certificate_principal(reader)->text, principal) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the first officer ---- */

static rg_outcome check_names(const struct rg_home *home, const struct rg_draft *draft,
                              struct rg_reason *why)
{
    struct rg_principal second;
    const char *name = draft->content[0].second_author;
    RG_TRY(rg_principal_parse(name, &second, why));
    RG_CHECK(strcmp(second.office, home->principal.office) == 0 && !second.gateway &&
                 strcmp(second.text, home->principal.text) != 0,
             why, RG_DENIED, "post-second", "the second officer is another one of this office");
    for (size_t i = 0; i < draft->count; i++) {
        RG_CHECK(strcmp(draft->content[i].author, home->principal.text) == 0, why, RG_DENIED,
                 "post-author", "the author is the officer who signs");
        RG_CHECK(strcmp(draft->content[i].second_author, name) == 0, why, RG_DENIED, "post-second",
                 "all sections name the same second officer");
    }
    return rg_ok();
}

static rg_outcome sign_one(struct rg_home *home, const struct rg_draft *draft, size_t index,
                           struct rg_wall now, const struct rg_parts *parts,
                           struct rg_buffer *signed_out, struct rg_reason *why)
{
    struct rg_readers readers;
    const struct rg_signer signer = {.certificate = home->sign, .key = home->sign_key};
    const struct rg_content *content = &draft->content[index];
    const struct rg_readers_ask ask =
        rg_readers_ask_of(&draft->readers, draft->to_office, content, index);
    RG_TRY(rg_post_readers(home, &ask, now, &readers, why));
    RG_CHECK(is_reader(&readers, content->second_author), why, RG_DENIED, "post-second",
             "the second officer may not read what she is asked to sign");
    signed_out->secret = true;
    return rg_section_sign(&parts->section[index], parts->core.section[index].padded_bytes, &signer,
                           signed_out, why);
}

static rg_outcome prepare(struct rg_home *home, const struct rg_draft *draft, struct rg_wall now,
                          struct rg_prepared *out, struct rg_reason *why)
{
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    const size_t max = sizeof(out->request.section) / sizeof(out->request.section[0]);
    RG_CHECK(draft->count > 0 && draft->count <= max, why, RG_LIMIT, "post-sections",
             "a message that two officers sign has from 1 to %zu sections", max);
    RG_TRY(check_names(home, draft, why));
    RG_TRY(rg_parts_make(home, draft, now, &parts, why));
    RG_TRY(rg_buffer_append(&out->core, rg_buffer_peek(&parts.core_bytes), why));
    for (size_t i = 0; i < draft->count; i++) {
        RG_TRY(sign_one(home, draft, i, now, &parts, &out->section[i], why));
        out->request.section[i].class_ = draft->content[i].class_;
        out->request.section[i].bytes = rg_buffer_peek(&out->section[i]);
    }
    out->request.core = rg_buffer_peek(&out->core);
    out->request.count = draft->count;
    return rg_ok();
}

rg_outcome rg_post_countersign_prepare(struct rg_home *home, const struct rg_draft *draft,
                                       struct rg_wall now, struct rg_prepared *out,
                                       struct rg_reason *why)
{
    rg_outcome outcome = prepare(home, draft, now, out, why);
    if (!rg_is_ok(outcome)) {
        rg_prepared_drop(out);
    }
    return outcome;
}

/* ---- the second officer ---- */

struct looking { /* at one request */
    struct rg_home *home;
    const struct rg_countersign *request;
    struct rg_core core;
    struct rg_wall now;
    struct rg_certificate *candidate[RG_POST_SIGNERS_MAX];
    size_t candidate_count;
};

static rg_outcome look_begin(struct looking *looking, struct rg_reason *why)
{
    const struct rg_home *home = looking->home;
    const struct rg_countersign *request = looking->request;
    RG_TRY(rg_core_peek(request->core, &looking->core, why));
    RG_CHECK(strcmp(looking->core.from_office, home->principal.office) == 0, why, RG_DENIED,
             "post-second", "only an officer of the same office signs as the second");
    RG_CHECK(request->count == looking->core.section_count &&
                 request->count <= sizeof(request->section) / sizeof(request->section[0]),
             why, RG_DENIED, "post-second", "the request does not hold every section");
    RG_CHECK(looking->core.exercise == home->exercise, why, RG_DENIED, "post-exercise",
             "an exercise and real work must not be mixed");
    return rg_trust_signers(home->trust, home->principal.office, looking->candidate,
                            RG_POST_SIGNERS_MAX, &looking->candidate_count, why);
}

/* The first officer's, one and the same in each section, trusted now, and not hers. */
static rg_outcome look_at_signer(const struct looking *looking,
                                 const struct rg_signature_seen *seen,
                                 const struct rg_content *content, struct rg_opened *opened,
                                 struct rg_reason *why)
{
    struct rg_verdict verdict;
    const char *own = looking->home->principal.text;
    const struct rg_certificate *signer = seen->signer[0];
    RG_CHECK(seen->signer_count == 1 &&
                 (opened->signer_certificate == NULL || opened->signer_certificate == signer),
             why, RG_DENIED, "post-second",
             "the first officer's signature, and no other, is there");
    RG_TRY(rg_trust_judge(looking->home->trust, signer, RG_USE_SIGN, looking->now, looking->now,
                          &verdict, why));
    RG_CHECK(strcmp(content->author, verdict.principal.text) == 0, why, RG_DENIED, "post-author",
             "the content names another author than the officer who signed it");
    RG_CHECK(strcmp(content->second_author, own) == 0 && strcmp(content->author, own) != 0, why,
             RG_DENIED, "post-second", "another officer is asked to sign this");
    opened->signer = verdict.principal;
    opened->signer_certificate = signer;
    return rg_ok();
}

static rg_outcome look_at(const struct looking *looking, size_t index, struct rg_opened *opened,
                          struct rg_reason *why)
{
    struct rg_opened_section *section = &opened->section[index];
    struct rg_signature_seen seen = {.signer_count = 0};
    struct rg_section parsed;
    RG_OWNED_BUFFER section_bytes = {.secret = true};
    RG_TRY(rg_unseal_verify(looking->request->section[index].bytes, looking->candidate,
                            looking->candidate_count, &section_bytes, &seen, why));
    RG_TRY(rg_section_peek(rg_buffer_peek(&section_bytes), &parsed, why));
    RG_TRY(rg_section_check(&parsed, section_bytes.len, looking->request->core, &looking->core,
                            index, why));
    section->bytes.secret = true;
    section->memory.secret = true;
    RG_TRY(rg_buffer_append(&section->bytes, parsed.content, why));
    RG_TRY(rg_content_decode(rg_buffer_peek(&section->bytes), &section->content, &section->memory,
                             why));
    RG_TRY(look_at_signer(looking, &seen, &section->content, opened, why));
    RG_TRY(rg_post_agree(opened->first, &section->content, why));
    RG_CHECK(section->content.class_ == looking->request->section[index].class_ &&
                 section->content.exercise == looking->core.exercise,
             why, RG_DENIED, "post-kind", "a section is not what the request says");
    section->here = true;
    section->author = opened->signer;
    opened->first = opened->first == NULL ? &section->content : opened->first;
    return rg_ok();
}

static rg_outcome look_at_all(struct looking *looking, struct rg_opened *opened,
                              struct rg_reason *why)
{
    RG_TRY(look_begin(looking, why));
    opened->count = looking->request->count;
    for (size_t i = 0; i < looking->request->count; i++) {
        RG_TRY(look_at(looking, i, opened, why));
    }
    opened->second = looking->home->principal;
    return rg_ok();
}

rg_outcome rg_post_countersign_check(struct rg_home *home, const struct rg_countersign *request,
                                     struct rg_wall now, struct rg_opened *opened,
                                     struct rg_reason *why)
{
    struct looking looking = {.home = home, .request = request, .now = now};
    rg_outcome outcome = look_at_all(&looking, opened, why);
    if (!rg_is_ok(outcome)) {
        rg_opened_drop(opened);
    }
    return outcome;
}

static rg_outcome seal_both(struct looking *looking, const struct rg_readership *readership,
                            const struct rg_opened *opened, size_t index,
                            struct rg_buffer *sealed_out, struct rg_reason *why)
{
    struct rg_home *home = looking->home;
    struct rg_readers readers;
    RG_OWNED_BUFFER both = {.secret = true};
    const struct rg_signer signer = {.certificate = home->sign, .key = home->sign_key};
    const struct rg_content *content = &opened->section[index].content;
    struct rg_readers_ask ask =
        rg_readers_ask_of(readership, looking->core.to_office[0], content, index);
    ask.author = opened->signer.text;
    RG_TRY(rg_post_readers(home, &ask, looking->now, &readers, why));
    RG_TRY(rg_section_sign_also(looking->request->section[index].bytes, &signer, &both, why));
    return rg_seal_signed(rg_buffer_peek(&both), readers.list, readers.count, sealed_out, why);
}

/* NOLINTNEXTLINE(readability-function-size): what, for whom, when, and the two results */
rg_outcome rg_post_countersign_finish(struct rg_home *home, const struct rg_countersign *request,
                                      const struct rg_readership *readers, struct rg_wall now,
                                      struct rg_buffer *envelope_out, struct rg_id *id_out,
                                      struct rg_reason *why)
{
    RG_CLEANUP(rg_opened_drop) struct rg_opened opened = {0};
    RG_CLEANUP(rg_parts_drop) struct rg_parts parts = {0};
    struct looking looking = {.home = home, .request = request, .now = now};
    RG_TRY(look_at_all(&looking, &opened, why));
    RG_TRY(rg_buffer_append(&parts.core_bytes, request->core, why));
    for (size_t i = 0; i < request->count; i++) {
        RG_TRY(seal_both(&looking, readers, &opened, i, &parts.sealed[i], why));
    }
    return rg_parts_join(&parts, request->count, envelope_out, id_out, why);
}
