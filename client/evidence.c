/* How it works: everything is written from what the spool and the trust hold, nothing is fetched.
 * The folder is laid out as docs/evidence.md says, and that page is put into it (the build makes
 * its bytes into an array), so a court finds the commands beside the files. */
#include "client/evidence.h"

#include "core/digest.h"
#include "core/settings.h"
#include "core/tlog.h"
#include "core/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PROOFS_MAX 16
#define SIGNERS_MAX 64

static const uint8_t page[] = {
#include "evidence_page.inc"
};

struct bundle {
    struct rg_home *home;
    const struct rg_message_row *row;
    const char *author; /* principal, "" when not known */
    const char *folder;
};

static rg_outcome write_file(const struct bundle *bundle, const char *name, struct rg_bytes bytes,
                             struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/%s", bundle->folder, name);
    RG_CHECK(len > 0 && len < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long", "a path is too long");
    return rg_file_replace(path, bytes, 0644, why);
}

static rg_outcome write_kind(const struct bundle *bundle, const char *form, const char *kind,
                             struct rg_bytes bytes, struct rg_reason *why)
{
    char name[96];
    const char *star = strchr(form, '*');
    (void)snprintf(name, sizeof(name), "%.*s%s%s", (int)(star - form), form, kind, star + 1);
    return write_file(bundle, name, bytes, why);
}

rg_outcome rg_evidence_folder(const char *path, struct rg_reason *why)
{
    RG_CHECK(mkdir(path, 0755) == 0, why, errno == EEXIST ? RG_DENIED : RG_IO,
             errno == EEXIST ? "evidence-exists" : "file-unwritable",
             "cannot make the folder %.120s: %s", path, strerror(errno));
    return rg_ok();
}

/* ---- proofs ---- */

static rg_outcome country_of(const struct rg_home *home, const char *origin,
                             const struct rg_country **out, struct rg_reason *why)
{
    const char *code = rg_home_log_country(home, origin);
    *out = rg_trust_country(home->trust, code);
    RG_CHECK(*out != NULL, why, RG_DENIED, "exchange-origin",
             "a proof names a log that the charter does not know");
    return rg_ok();
}

/* Many proofs share one head: its signature is checked once. */
static rg_outcome head_check(const struct rg_proof_row *proof, const struct rg_country *country,
                             struct rg_checked_heads *checked, struct rg_reason *why)
{
    for (size_t i = 0; i < RG_CHECKED_HEADS; i++) {
        const struct rg_head *known = &checked->head[i];
        if (known->size == proof->head.size && strcmp(known->origin, proof->head.origin) == 0 &&
            memcmp(known->root.b, proof->head.root.b, sizeof(known->root.b)) == 0 &&
            memcmp(known->signature, proof->head.signature, sizeof(known->signature)) == 0) {
            return rg_ok();
        }
    }
    RG_TRY(rg_head_verify(&proof->head, country->log_key, why));
    checked->head[checked->next++ % RG_CHECKED_HEADS] = proof->head;
    return rg_ok();
}

rg_outcome rg_evidence_check(struct rg_home *home, const struct rg_message_row *row,
                             const struct rg_proof_row *proof, struct rg_checked_heads *checked,
                             struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    struct rg_log_entry entry = {0};
    struct rg_bytes bytes = rg_bytes_of(proof->log_entry, proof->log_entry_len);
    RG_TRY(country_of(home, proof->head.origin, &country, why));
    RG_TRY(head_check(proof, country, checked, why));
    RG_TRY(rg_proof_inclusion_check(rg_leaf_hash(rg_sha256(bytes)), proof->leaf_index,
                                    proof->head.size, proof->head.root, &proof->inclusion, why));
    RG_TRY(rg_log_entry_decode(bytes, &entry, why));
    RG_CHECK(entry.kind == proof->kind && entry.has_envelope_id &&
                 memcmp(entry.envelope_id.b, row->id.b, sizeof(row->id.b)) == 0,
             why, RG_DENIED, "proof-other", "a stored proof is about something else");
    return rg_ok();
}

static rg_outcome write_proof(const struct bundle *bundle, const struct rg_proof_row *proof,
                              struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    const char *kind = rg_entry_kind_name(proof->kind);
    RG_OWNED_BUFFER lines = {0};
    RG_OWNED_BUFFER head = {0};
    RG_OWNED_BUFFER key = {0};
    RG_TRY(country_of(bundle->home, proof->head.origin, &country, why));
    RG_TRY(rg_proof_print(proof->leaf_index, &proof->inclusion, &lines, why));
    RG_TRY(rg_checkpoint_print(&proof->head, country->log_key, &head, why));
    RG_TRY(rg_log_key_print(country->log_key, &key, why));
    RG_TRY(write_kind(bundle, "entry-*.bin", kind,
                      rg_bytes_of(proof->log_entry, proof->log_entry_len), why));
    RG_TRY(write_kind(bundle, "proof-*.txt", kind, rg_buffer_peek(&lines), why));
    RG_TRY(write_kind(bundle, "head-*.txt", kind, rg_buffer_peek(&head), why));
    return write_kind(bundle, "log-*.pem", kind, rg_buffer_peek(&key), why);
}

/* ---- trust documents and certificates ---- */

static rg_outcome write_document(const struct bundle *bundle, enum rg_document_kind kind,
                                 const char *country, struct rg_reason *why)
{
    const struct rg_document *document = rg_trust_document(bundle->home->trust, kind, country, 0);
    return document != NULL ? rg_document_write(bundle->folder, document, why) : rg_ok();
}

static rg_outcome pem_print(struct rg_bytes der, struct rg_buffer *out, struct rg_reason *why)
{
    RG_OWNED_BUFFER text = {0};
    RG_TRY(rg_base64(der, &text, why));
    RG_TRY(rg_buffer_append_text(out, "-----BEGIN CERTIFICATE-----\n", why));
    for (size_t at = 0; at < text.len; at += 64) {
        size_t len = text.len - at < 64 ? text.len - at : 64;
        RG_TRY(rg_buffer_append(out, rg_bytes_of(text.data + at, len), why));
        RG_TRY(rg_buffer_append_text(out, "\n", why));
    }
    return rg_buffer_append_text(out, "-----END CERTIFICATE-----\n", why);
}

static rg_outcome write_pem(const struct bundle *bundle, const char *name, struct rg_bytes der,
                            struct rg_reason *why)
{
    RG_OWNED_BUFFER pem = {0};
    RG_TRY(pem_print(der, &pem, why));
    return write_file(bundle, name, rg_buffer_peek(&pem), why);
}

static rg_outcome write_author(const struct bundle *bundle, const char *office,
                               struct rg_reason *why)
{
    struct rg_certificate *list[SIGNERS_MAX];
    size_t count = 0;
    RG_TRY(rg_trust_signers(bundle->home->trust, office, list, SIGNERS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rg_certificate_principal(list[i])->text, bundle->author) == 0) {
            return write_pem(bundle, "author.pem", rg_certificate_der(list[i]), why);
        }
    }
    return rg_ok();
}

static void settings_cleanup(struct rg_settings **settings)
{
    rg_settings_free(*settings);
}

/* Roots of one country out of the charter's text: root.pem, root-2.pem, ... */
static rg_outcome write_roots_of(const struct bundle *bundle, const rg_group *country,
                                 struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(country, "roots", 16, &count, why));
    for (size_t i = 0; i < count; i++) {
        char name[32];
        const char *text = NULL;
        RG_OWNED_BUFFER der = {0};
        RG_TRY(rg_settings_list_text(country, "roots", i, &text, why));
        RG_TRY(rg_base64_parse(rg_bytes_of_text(text), &der, why));
        (void)snprintf(name, sizeof(name), i == 0 ? "root.pem" : "root-%zu.pem", i + 1);
        RG_TRY(write_pem(bundle, name, rg_buffer_peek(&der), why));
    }
    return rg_ok();
}

static rg_outcome write_roots(const struct bundle *bundle, const char *code, struct rg_reason *why)
{
    const struct rg_document *charter =
        rg_trust_document(bundle->home->trust, RG_DOC_CHARTER, "", 0);
    RG_CLEANUP(settings_cleanup) struct rg_settings *settings = NULL;
    size_t count = 0;
    RG_CHECK(charter != NULL, why, RG_AGAIN, "document-needs-charter", "there is no charter here");
    RG_TRY(
        rg_settings_parse(rg_buffer_peek(&charter->text), RG_DOCUMENT_BYTES_MAX, &settings, why));
    const rg_group *root = rg_settings_root(settings);
    RG_TRY(rg_settings_list_size(root, "countries", RG_COUNTRIES_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const rg_group *country = NULL;
        const char *name = NULL;
        RG_TRY(rg_settings_list_group(root, "countries", i, &country, why));
        RG_TRY(rg_settings_text(country, "code", &name, why));
        if (strcmp(name, code) == 0) {
            return write_roots_of(bundle, country, why);
        }
    }
    return rg_ok();
}

static rg_outcome write_authorities(const struct bundle *bundle, struct rg_reason *why)
{
    for (size_t i = 0; i < bundle->home->authority_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "authority-%zu.pem", i + 1);
        RG_TRY(write_pem(bundle, name, rg_certificate_der(bundle->home->authority[i]), why));
    }
    return rg_ok();
}

static rg_outcome write_trust(const struct bundle *bundle, const struct rg_core *core,
                              struct rg_reason *why)
{
    char from[RG_COUNTRY_BYTES];
    rg_office_country(core->from_office, from);
    RG_TRY(write_document(bundle, RG_DOC_CHARTER, "", why));
    RG_TRY(write_authorities(bundle, why));
    RG_TRY(write_document(bundle, RG_DOC_PAGE, from, why));
    RG_TRY(write_document(bundle, RG_DOC_STOP_LIST, from, why));
    if (strcmp(from, core->to_country) != 0) {
        RG_TRY(write_document(bundle, RG_DOC_PAGE, core->to_country, why));
        RG_TRY(write_document(bundle, RG_DOC_STOP_LIST, core->to_country, why));
    }
    RG_TRY(write_roots(bundle, from, why));
    return write_author(bundle, core->from_office, why);
}

/* ---- the whole ---- */

static rg_outcome readme_proof(const struct bundle *bundle, const struct rg_proof_row *proof,
                               struct rg_buffer *text, struct rg_reason *why)
{
    char when[32];
    const char *kind = rg_entry_kind_name(proof->kind);
    rg_wall_print((struct rg_wall){proof->time_ms}, when);
    return rg_buffer_print(text, why, "  %-10s by the gateway of %s, %s by its clock: *-%s.*\n",
                           kind, rg_home_log_country(bundle->home, proof->head.origin), when, kind);
}

static rg_outcome write_readme(const struct bundle *bundle, const struct rg_core *core,
                               const struct rg_proof_row *proof, size_t count,
                               struct rg_reason *why)
{
    char hex[65];
    char when[32];
    RG_OWNED_BUFFER text = {0};
    rg_hex(rg_bytes_of(bundle->row->id.b, sizeof(bundle->row->id.b)), hex);
    rg_wall_print(core->created, when);
    RG_TRY(
        rg_buffer_print(&text, why,
                        "%sMessage %s\nfrom %s to %s, made %s by the author's clock%s%s\n\n"
                        "What the gateways have signed about it:\n",
                        core->exercise ? "EXERCISE: this is part of an exercise, not real\n\n" : "",
                        hex, core->from_office, core->to_office[0], when,
                        bundle->author[0] != '\0' ? ", signed by " : "", bundle->author));
    for (size_t i = 0; i < count; i++) {
        RG_TRY(readme_proof(bundle, &proof[i], &text, why));
    }
    RG_TRY(rg_buffer_append_text(
        &text,
        "\nHow to check all of it with stock tools is in CHECK.md, beside this file. The page\n"
        "checks entry-received; for another kind put its name in the place of \"received\".\n"
        "Nothing in this folder is content. A section, for step 5, comes from:\n"
        "  referral section MESSAGE N --sealed > section.der\n",
        why));
    RG_TRY(write_file(bundle, "README.txt", rg_buffer_peek(&text), why));
    return write_file(bundle, "CHECK.md", rg_bytes_of(page, sizeof(page)), why);
}

static rg_outcome write_header(const struct bundle *bundle, struct rg_spool *spool,
                               struct rg_core *core_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_envelope envelope;
    RG_TRY(rg_spool_header(spool, bundle->row->seq, &bytes, why));
    RG_TRY(rg_header_peek(rg_buffer_peek(&bytes), &envelope, why));
    *core_out = envelope.core;
    return write_file(bundle, "header.bin", envelope.header, why);
}

rg_outcome rg_evidence_write(struct rg_home *home, struct rg_spool *spool,
                             const struct rg_message_row *row, const char *author,
                             const char *folder, struct rg_reason *why)
{
    struct rg_core core;
    struct rg_proof_row proof[PROOFS_MAX];
    struct rg_checked_heads checked = {0};
    size_t count = 0;
    struct bundle bundle = {.home = home, .row = row, .author = author, .folder = folder};
    RG_TRY(rg_evidence_folder(folder, why));
    RG_TRY(write_header(&bundle, spool, &core, why));
    RG_TRY(rg_spool_proofs(spool, row->seq, proof, PROOFS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        RG_TRY(rg_evidence_check(home, row, &proof[i], &checked, why));
        RG_TRY(write_proof(&bundle, &proof[i], why));
    }
    RG_TRY(write_trust(&bundle, &core, why));
    return write_readme(&bundle, &core, proof, count, why);
}
