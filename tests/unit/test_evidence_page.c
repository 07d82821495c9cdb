/*
 * docs/evidence.md: its commands, taken out of the page and run by sh on real evidence, succeed;
 * and with one byte changed in any file they fail.
 */
#include "core/digest.h"
#include "core/seal.h"
#include "core/signature.h"
#include "core/tlog.h"
#include "tests/unit/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#define ASSERT_OK(call)                                                                            \
    do {                                                                                           \
        struct rg_reason why = {0};                                                                \
        rg_outcome outcome = (call);                                                               \
        if (!rg_is_ok(outcome)) {                                                                  \
            fail_msg("%s: %s", why.id, why.text);                                                  \
        }                                                                                          \
    } while (0)

#define RECEIVED_MS INT64_C(1795000000000)
#define LOG_SIZE 77
#define LOG_INDEX 41

static char folder[32];
static struct rg_certificate *root_certificate; /* of the author's country: stands in the charter */

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, struct rg_bytes bytes)
{
    ASSERT_OK(rg_file_replace(path_of(name), bytes, 0600, &why));
}

static void write_pem(const char *name, const struct rg_certificate *certificate)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, rg_certificate_x509(certificate)), 1);
    assert_int_equal(fclose(file), 0);
}

/* One section, sealed: section.der, reading.key, author.pem, root.pem. */
static struct rg_hash write_section(const struct rg_core *core, struct rg_bytes core_bytes,
                                    const struct rg_section *stated)
{
    struct forge root = {.kind = FORGE_ROOT, .country = "th", .common_name = "root"};
    struct forge author = {.kind = FORGE_SIGN, .uri = "referral://th/focal/officer-1"};
    struct forge reader = {.kind = FORGE_READ, .uri = "referral://kh/focal/officer-1"};
    RG_OWNED_KEY *root_key = NULL;
    RG_OWNED_KEY *author_key = NULL;
    RG_OWNED_KEY *reader_key = NULL;
    root_certificate = forge_certificate(&root, NULL, NULL, &root_key);
    RG_OWNED_CERTIFICATE *signs =
        forge_certificate(&author, root_certificate, root_key, &author_key);
    RG_OWNED_CERTIFICATE *reads = forge_certificate(&reader, NULL, NULL, &reader_key);
    RG_OWNED_BUFFER sealed = {0};
    const struct rg_signer signer = {signs, author_key};
    const struct rg_certificate *const readers[] = {reads};
    struct rg_section section = *stated;
    section.core_digest = rg_sha256(core_bytes);
    ASSERT_OK(
        rg_seal(&section, core->section[0].padded_bytes, &signer, 1, readers, 1, &sealed, &why));
    write_file("section.der", rg_buffer_peek(&sealed));
    write_pem("author.pem", signs);
    write_pem("root.pem", root_certificate);
    ASSERT_OK(rg_key_write(reader_key, path_of("reading.key"), &why));
    return rg_sha256(rg_buffer_peek(&sealed));
}

static struct rg_id write_message(void)
{
    struct rg_section section = {
        .content = RG_BYTES_LITERAL("what the case is about, in more than one hundred and "
                                    "twenty-eight bytes, so that its length takes two of "
                                    "them, as the lengths of real sections do")};
    struct rg_core core = {.version = 1,
                           .from_office = "th/focal",
                           .to_country = "kh",
                           .to_office = {"kh/focal"},
                           .to_office_count = 1,
                           .author_counter = 1,
                           .priority = RG_URGENT,
                           .created = {RECEIVED_MS - 5000},
                           .expires = {RECEIVED_MS + 100000},
                           .collect_by = {RECEIVED_MS + 200000},
                           .section_count = 1};
    RG_OWNED_BUFFER core_bytes = {0};
    RG_OWNED_BUFFER header = {0};
    rg_random(section.blinding, sizeof(section.blinding));
    core.section[0] = (struct rg_section_core){.office = {"kh/focal"}, .office_count = 1};
    core.section[0].padded_bytes = (uint32_t)rg_padded_size(rg_section_bytes(section.content.len));
    struct rg_hash commitment = rg_section_commitment(section.blinding, section.content);
    memcpy(core.section[0].commitment, commitment.b, sizeof(commitment.b));
    ASSERT_OK(rg_core_encode(&core, &core_bytes, &why));
    struct rg_hash digest = write_section(&core, rg_buffer_peek(&core_bytes), &section);
    ASSERT_OK(rg_header_encode(rg_buffer_peek(&core_bytes), &digest, 1, &header, &why));
    write_file("header.bin", rg_buffer_peek(&header));
    return rg_header_id(rg_buffer_peek(&header));
}

static void write_charter(const uint8_t log_key[32])
{
    struct forge authority = {.kind = FORGE_SIGN, .uri = "referral://kh/authority"};
    RG_OWNED_KEY *key = NULL;
    RG_OWNED_CERTIFICATE *signs = forge_certificate(&authority, NULL, NULL, &key);
    RG_OWNED_BUFFER text = {0};
    RG_OWNED_BUFFER signature = {0};
    ASSERT_OK(rg_buffer_append_text(&text, "authorities=(\"", &why));
    ASSERT_OK(rg_base64(rg_certificate_der(signs), &text, &why));
    ASSERT_OK(rg_buffer_append_text(&text, "\");\ncountries=({code=\"th\"; roots=(\"", &why));
    ASSERT_OK(rg_base64(rg_certificate_der(root_certificate), &text, &why));
    ASSERT_OK(rg_buffer_append_text(
        &text, "\");},\n{code=\"kh\"; log_origin=\"referral/kh\"; log_key=\"", &why));
    ASSERT_OK(rg_base64(rg_bytes_of(log_key, 32), &text, &why));
    ASSERT_OK(rg_buffer_append_text(&text, "\";});\n", &why));
    ASSERT_OK(rg_signature_make(rg_buffer_peek(&text), signs, key, RG_SIGNATURE_DETACHED,
                                &signature, &why));
    write_file("charter.cfg", rg_buffer_peek(&text));
    write_file("charter.cfg.1.p7s", rg_buffer_peek(&signature));
    write_pem("authority-1.pem", signs);
}

static void write_entry(struct rg_id id, struct rg_tree *tree)
{
    struct rg_log_entry entry = {.kind = RG_ENTRY_RECEIVED,
                                 .has_envelope_id = true,
                                 .envelope_id = id,
                                 .time = {RECEIVED_MS},
                                 .peer = "referral://th/gateway"};
    RG_OWNED_BUFFER bytes = {0};
    rg_random(entry.salt, sizeof(entry.salt));
    ASSERT_OK(rg_log_entry_encode(&entry, &bytes, &why));
    write_file("entry-received.bin", rg_buffer_peek(&bytes));
    for (uint64_t i = 0; i < LOG_SIZE; i++) {
        struct rg_bytes other = rg_bytes_of(&i, sizeof(i));
        rg_tree_append(tree,
                       rg_leaf_hash(rg_sha256(i == LOG_INDEX ? rg_buffer_peek(&bytes) : other)));
    }
}

static void write_receipt(struct rg_id id)
{
    RG_OWNED_KEY *key = NULL;
    uint8_t log_key[32];
    struct rg_tree *tree = rg_tree_new(NULL, NULL);
    struct rg_head head = {.origin = "referral/kh/1", .size = LOG_SIZE};
    struct rg_proof proof;
    RG_OWNED_BUFFER note = {0};
    RG_OWNED_BUFFER lines = {0};
    RG_OWNED_BUFFER pem = {0};
    ASSERT_OK(rg_key_take(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &key, &why));
    ASSERT_OK(rg_log_key_public(key, log_key, &why));
    write_charter(log_key);
    write_entry(id, tree);
    ASSERT_OK(rg_tree_root(tree, LOG_SIZE, &head.root, &why));
    ASSERT_OK(rg_tree_inclusion(tree, LOG_INDEX, LOG_SIZE, &proof, &why));
    ASSERT_OK(rg_head_sign(&head, key, &why));
    ASSERT_OK(rg_checkpoint_print(&head, log_key, &note, &why));
    ASSERT_OK(rg_proof_print(LOG_INDEX, &proof, &lines, &why));
    ASSERT_OK(rg_log_key_print(log_key, &pem, &why));
    write_file("head-received.txt", rg_buffer_peek(&note));
    write_file("proof-received.txt", rg_buffer_peek(&lines));
    write_file("log-received.pem", rg_buffer_peek(&pem));
    rg_tree_free(tree);
}

/* The ```sh blocks of the page, in order. */
static void write_script(void)
{
    RG_OWNED_BUFFER page = {0};
    RG_OWNED_BUFFER script = {0};
    ASSERT_OK(rg_file_read(RG_SOURCE_DIR "/docs/evidence.md", 65536, &page, &why));
    ASSERT_OK(rg_buffer_append(&page, rg_bytes_of("", 1), &why));
    ASSERT_OK(rg_buffer_append_text(&script, "set -eu\n", &why));
    size_t blocks = 0;
    const char *at = (const char *)page.data;
    while ((at = strstr(at, "\n```sh\n")) != NULL) {
        const char *start = at + strlen("\n```sh\n");
        const char *end = strstr(start, "\n```\n");
        assert_non_null(end);
        ASSERT_OK(rg_buffer_append(&script, rg_bytes_of(start, (size_t)(end - start) + 1), &why));
        at = end;
        blocks++;
    }
    assert_int_equal(blocks, 6);
    write_file("script", rg_buffer_peek(&script));
}

static int run_page(void)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "cd %s && sh script >log 2>&1", folder);
    return system(command);
}

static void show_log(void)
{
    RG_OWNED_BUFFER log = {0};
    ASSERT_OK(rg_file_read(path_of("log"), 65536, &log, &why));
    print_message("%.*s\n", (int)log.len, (const char *)log.data);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/rg-evidence-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_script();
    write_receipt(write_message());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[64];
    rg_certificate_free(root_certificate);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static void test_the_page_checks_real_evidence(void **state)
{
    (void)state;
    int status = run_page();
    if (status != 0) {
        show_log();
    }
    assert_int_equal(status, 0);
    char command[128];
    (void)snprintf(command, sizeof(command), "grep -q 'received.*2026' %s/log", folder);
    assert_int_equal(system(command), 0);
}

static void test_a_changed_byte_anywhere_is_seen(void **state)
{
    (void)state;
    static const char *const file[] = {
        "charter.cfg",        "charter.cfg.1.p7s",  "authority-1.pem",   "header.bin",
        "entry-received.bin", "proof-received.txt", "head-received.txt", "log-received.pem",
        "section.der",        "reading.key",        "author.pem",        "root.pem"};
    for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
        RG_OWNED_BUFFER good = {0};
        ASSERT_OK(rg_file_read(path_of(file[i]), 65536, &good, &why));
        size_t at = good.len * 5 / 8;
        good.data[at] ^= 1;
        write_file(file[i], rg_buffer_peek(&good));
        if (run_page() == 0) {
            fail_msg("%s: byte %zu of %zu changed, and the page does not see it", file[i], at,
                     good.len);
        }
        good.data[at] ^= 1;
        write_file(file[i], rg_buffer_peek(&good));
    }
    assert_int_equal(run_page(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_checks_real_evidence),
        cmocka_unit_test(test_a_changed_byte_anywhere_is_seen),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
