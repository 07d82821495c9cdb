/* How it works: everything is written from what the spool and the trust hold, nothing is fetched.
 * The README is one fixed text with the message's numbers filled in; its commands use sha256sum,
 * openssl and a page of arithmetic anybody can check, none of our programs. */
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

struct bundle {
    struct rg_home *home;
    const struct rg_message_row *row;
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

rg_outcome rg_evidence_folder(const char *path, struct rg_reason *why)
{
    RG_CHECK(mkdir(path, 0755) == 0, why, errno == EEXIST ? RG_DENIED : RG_IO,
             errno == EEXIST ? "evidence-exists" : "file-unwritable",
             "cannot make the folder %.120s: %s", path, strerror(errno));
    return rg_ok();
}

/* ---- one proof ---- */

static rg_outcome country_of(const struct rg_home *home, const char *origin,
                             const struct rg_country **out, struct rg_reason *why)
{
    const char *code = rg_home_log_country(home, origin);
    *out = rg_trust_country(home->trust, code);
    RG_CHECK(*out != NULL, why, RG_DENIED, "exchange-origin",
             "a proof names a log that the charter does not know");
    return rg_ok();
}

rg_outcome rg_evidence_check(struct rg_home *home, const struct rg_message_row *row,
                             const struct rg_proof_row *proof, struct rg_reason *why)
{
    const struct rg_country *country = NULL;
    struct rg_log_entry entry = {0};
    struct rg_bytes bytes = rg_bytes_of(proof->log_entry, proof->log_entry_len);
    RG_TRY(country_of(home, proof->head.origin, &country, why));
    RG_TRY(rg_head_verify(&proof->head, country->log_key, why));
    RG_TRY(rg_proof_inclusion_check(rg_leaf_hash(rg_sha256(bytes)), proof->leaf_index,
                                    proof->head.size, proof->head.root, &proof->inclusion, why));
    RG_TRY(rg_log_entry_decode(bytes, &entry, why));
    RG_CHECK(entry.kind == proof->kind && entry.has_envelope_id &&
                 memcmp(entry.envelope_id.b, row->id.b, sizeof(row->id.b)) == 0,
             why, RG_DENIED, "proof-other", "a stored proof is about something else");
    return rg_ok();
}

static rg_outcome proof_text(const struct rg_proof_row *proof, struct rg_buffer *out,
                             struct rg_reason *why)
{
    char hex[2 * sizeof(struct rg_hash) + 1];
    struct rg_hash entry = rg_sha256(rg_bytes_of(proof->log_entry, proof->log_entry_len));
    struct rg_hash leaf = rg_leaf_hash(entry);
    rg_hex(rg_bytes_of(entry.b, sizeof(entry.b)), hex);
    RG_TRY(rg_buffer_print(out, why, "entry (SHA-256 of the entry file)  %s\n", hex));
    rg_hex(rg_bytes_of(leaf.b, sizeof(leaf.b)), hex);
    RG_TRY(rg_buffer_print(out, why, "leaf  (SHA-256 of 0x00 || entry)   %s\n", hex));
    RG_TRY(rg_buffer_print(out, why, "leaf index %llu, tree size %llu, origin %s\n",
                           (unsigned long long)proof->leaf_index,
                           (unsigned long long)proof->head.size, proof->head.origin));
    for (size_t i = 0; i < proof->inclusion.count; i++) {
        rg_hex(rg_bytes_of(proof->inclusion.hash[i].b, sizeof(struct rg_hash)), hex);
        RG_TRY(rg_buffer_print(out, why, "path  %s\n", hex));
    }
    rg_hex(rg_bytes_of(proof->head.root.b, sizeof(proof->head.root.b)), hex);
    return rg_buffer_print(out, why, "root  %s\n", hex);
}

static rg_outcome write_proof(const struct bundle *bundle, const struct rg_proof_row *proof,
                              struct rg_reason *why)
{
    char name[96];
    const struct rg_country *country = NULL;
    const char *kind = rg_entry_kind_name(proof->kind);
    RG_OWNED_BUFFER text = {0};
    RG_OWNED_BUFFER head = {0};
    RG_TRY(country_of(bundle->home, proof->head.origin, &country, why));
    (void)snprintf(name, sizeof(name), "entry-%s-%s.bin", kind, country->code);
    RG_TRY(write_file(bundle, name, rg_bytes_of(proof->log_entry, proof->log_entry_len), why));
    RG_TRY(proof_text(proof, &text, why));
    (void)snprintf(name, sizeof(name), "proof-%s-%s.txt", kind, country->code);
    RG_TRY(write_file(bundle, name, rg_buffer_peek(&text), why));
    RG_TRY(rg_checkpoint_print(&proof->head, country->log_key, &head, why));
    (void)snprintf(name, sizeof(name), "head-%s-%s.txt", kind, country->code);
    return write_file(bundle, name, rg_buffer_peek(&head), why);
}

/* ---- trust documents, keys and certificates ---- */

static rg_outcome write_document(const struct bundle *bundle, enum rg_document_kind kind,
                                 const char *country, struct rg_reason *why)
{
    char path[RG_PATH_BYTES];
    const struct rg_document *document = rg_trust_document(bundle->home->trust, kind, country, 0);
    int len = snprintf(path, sizeof(path), "%s/trust", bundle->folder);
    RG_CHECK(len > 0 && len < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long", "a path is too long");
    return document != NULL ? rg_document_write(path, document, why) : rg_ok();
}

static rg_outcome write_key(const struct bundle *bundle, const struct rg_country *country,
                            struct rg_reason *why)
{
    /* SubjectPublicKeyInfo of an Ed25519 key is these 12 bytes and the key. */
    static const uint8_t prefix[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                     0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    char name[64];
    RG_OWNED_BUFFER der = {0};
    RG_TRY(rg_buffer_append(&der, rg_bytes_of(prefix, sizeof(prefix)), why));
    RG_TRY(rg_buffer_append(&der, rg_bytes_of(country->log_key, 32), why));
    (void)snprintf(name, sizeof(name), "log-key-%s.der", country->code);
    return write_file(bundle, name, rg_buffer_peek(&der), why);
}

static rg_outcome write_signers(const struct bundle *bundle, const char *office,
                                struct rg_reason *why)
{
    struct rg_certificate *list[16];
    size_t count = 0;
    RG_TRY(rg_trust_signers(bundle->home->trust, office, list, 16, &count, why));
    for (size_t i = 0; i < count; i++) {
        char name[160];
        char hex[17];
        struct rg_hash digest = rg_certificate_digest(list[i]);
        rg_hex(rg_bytes_of(digest.b, 8), hex);
        (void)snprintf(name, sizeof(name), "certificate-%s.der", hex);
        RG_TRY(write_file(bundle, name, rg_certificate_der(list[i]), why));
    }
    return rg_ok();
}

static rg_outcome write_country(const struct bundle *bundle, const char *code,
                                struct rg_reason *why)
{
    const struct rg_country *country = rg_trust_country(bundle->home->trust, code);
    RG_CHECK(country != NULL, why, RG_DENIED, "exchange-origin", "no such country in the charter");
    RG_TRY(write_document(bundle, RG_DOC_PAGE, code, why));
    RG_TRY(write_document(bundle, RG_DOC_STOP_LIST, code, why));
    return write_key(bundle, country, why);
}

static const char readme[] =
    "How to check this evidence with stock tools\n"
    "===========================================\n\n"
    "Message %s\n"
    "from %s to %s, made %s (author's clock)\n\n"
    "Nothing in this folder is content. It shows that a sealed message with this id existed, who\n"
    "sent it to whom, and what each gateway signed about it, by its own clock.\n\n"
    "1. The id is the SHA-256 of header.bin:\n"
    "     sha256sum header.bin\n\n"
    "2. Each entry-KIND-COUNTRY.bin is a log entry of that country's gateway. It holds the id "
    "(look\n"
    "   for it with: xxd entry-KIND-COUNTRY.bin) and the time in milliseconds. Its SHA-256 is the\n"
    "   first line of proof-KIND-COUNTRY.txt:\n"
    "     sha256sum entry-KIND-COUNTRY.bin\n\n"
    "3. The entry is in the log: begin with the leaf and take the path from top to bottom, RFC "
    "9162\n"
    "   section 2.1.3.2: at each step SHA-256(0x01 || left || right). With the leaf index and "
    "tree\n"
    "   size given, the last value must be the root.\n\n"
    "4. head-KIND-COUNTRY.txt is a C2SP checkpoint: three lines (origin, size, root in base64), "
    "an\n"
    "   empty line, a signature line. The signature is Ed25519 over the first three lines with\n"
    "   their line ends, by the log key of the charter:\n"
    "     head -n 3 head-KIND-COUNTRY.txt > body\n"
    "     tail -n 1 head-KIND-COUNTRY.txt | cut -d' ' -f3 | base64 -d | tail -c 64 > signature\n"
    "     openssl pkeyutl -verify -pubin -keyform DER -inkey log-key-COUNTRY.der -rawin \\\n"
    "       -in body -sigfile signature\n\n"
    "5. The log keys stand in trust/charter.cfg (log_key, base64 of the last 32 bytes of\n"
    "   log-key-COUNTRY.der). The charter is signed by the national authorities, the pages by "
    "their\n"
    "   publishers:\n"
    "     openssl cms -verify -binary -inform DER -in trust/charter.cfg.1.p7s \\\n"
    "       -content trust/charter.cfg -certfile AUTHORITY.pem -noverify -out /dev/null\n\n"
    "6. certificate-*.der are the signing certificates of the sender's office as listed in its "
    "page.\n"
    "   Whoever can open a section sees which of them signed it:\n"
    "     openssl x509 -inform DER -in certificate-....der -noout -text\n";

static rg_outcome write_readme(const struct bundle *bundle, const struct rg_core *core,
                               struct rg_reason *why)
{
    char hex[65];
    char when[32];
    RG_OWNED_BUFFER text = {0};
    rg_hex(rg_bytes_of(bundle->row->id.b, sizeof(bundle->row->id.b)), hex);
    rg_wall_print(core->created, when);
    RG_TRY(rg_buffer_print(&text, why, readme, hex, core->from_office, core->to_office[0], when));
    return write_file(bundle, "README.txt", rg_buffer_peek(&text), why);
}

static rg_outcome write_header(const struct bundle *bundle, struct rg_spool *spool,
                               struct rg_core *core_out, struct rg_reason *why)
{
    RG_OWNED_BUFFER bytes = {0};
    struct rg_envelope envelope;
    RG_TRY(rg_spool_envelope(spool, bundle->row->seq, &bytes, why));
    RG_TRY(rg_envelope_peek(rg_buffer_peek(&bytes), &envelope, why));
    *core_out = envelope.core;
    return write_file(bundle, "header.bin", envelope.header, why);
}

rg_outcome rg_evidence_write(struct rg_home *home, struct rg_spool *spool,
                             const struct rg_message_row *row, const char *folder,
                             struct rg_reason *why)
{
    char trust[RG_PATH_BYTES];
    char from[RG_COUNTRY_BYTES];
    struct rg_core core;
    struct rg_proof_row proof[PROOFS_MAX];
    size_t count = 0;
    struct bundle bundle = {.home = home, .row = row, .folder = folder};
    int len = snprintf(trust, sizeof(trust), "%s/trust", folder);
    RG_CHECK(len > 0 && len < RG_PATH_BYTES, why, RG_LIMIT, "path-too-long", "a path is too long");
    RG_TRY(rg_evidence_folder(folder, why));
    RG_TRY(rg_evidence_folder(trust, why));
    RG_TRY(write_header(&bundle, spool, &core, why));
    RG_TRY(rg_spool_proofs(spool, row->seq, proof, PROOFS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        RG_TRY(rg_evidence_check(home, row, &proof[i], why));
        RG_TRY(write_proof(&bundle, &proof[i], why));
    }
    rg_office_country(core.from_office, from);
    RG_TRY(write_document(&bundle, RG_DOC_CHARTER, "", why));
    RG_TRY(write_country(&bundle, from, why));
    if (strcmp(from, core.to_country) != 0) {
        RG_TRY(write_country(&bundle, core.to_country, why));
    }
    RG_TRY(write_signers(&bundle, core.from_office, why));
    return write_readme(&bundle, &core, why);
}
