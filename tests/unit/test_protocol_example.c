/* The hex blocks in docs/protocol.md are made again from their inputs. RG_PRINT=1 prints them. */
#include "core/digest.h"
#include "core/tlog.h"
#include "core/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_true(rg_is_ok(call))
#define SECTION_SHOWN_BYTES 116 /* all but the zeros of the padding */

struct block {
    const char *name;
    struct rg_buffer bytes;
};
enum {
    COMMITMENT,
    SECTION,
    CORE,
    CORE_DIGEST,
    HEADER,
    ID,
    ENVELOPE,
    SUBMIT,
    LOG_ENTRY,
    LEAF,
    BLOCKS
};
static struct block block[BLOCKS] = {
    [COMMITMENT] = {.name = "commitment"},
    [SECTION] = {.name = "section"},
    [CORE] = {.name = "core"},
    [CORE_DIGEST] = {.name = "core-digest"},
    [HEADER] = {.name = "header"},
    [ID] = {.name = "id"},
    [ENVELOPE] = {.name = "envelope"},
    [SUBMIT] = {.name = "submit"},
    [LOG_ENTRY] = {.name = "log-entry"},
    [LEAF] = {.name = "leaf"},
};

static struct rg_core core_of(const struct rg_hash *commitment)
{
    struct rg_core core = {.version = 1,
                           .from_office = "th/focal",
                           .to_country = "kh",
                           .to_office = {"kh/focal"},
                           .to_office_count = 1,
                           .author_counter = 7,
                           .priority = RG_URGENT,
                           .created = {1764028800000},
                           .expires = {1766620800000},
                           .collect_by = {1774396800000},
                           .exercise = true,
                           .has_decides = true,
                           .section_count = 1};
    memset(core.thread.b, 0x11, sizeof(core.thread.b));
    memset(core.decides.b, 0x22, sizeof(core.decides.b));
    core.section[0] =
        (struct rg_section_core){.office = {"kh/focal"}, .office_count = 1, .padded_bytes = 1024};
    memcpy(core.section[0].commitment, commitment->b, sizeof(commitment->b));
    return core;
}

static void put(int at, struct rg_bytes bytes)
{
    OK(rg_buffer_append(&block[at].bytes, bytes, NULL));
}

static struct rg_bytes peek(int at)
{
    return rg_buffer_peek(&block[at].bytes);
}

static void envelope_make(void)
{
    struct rg_bytes sealed = RG_BYTES_LITERAL("sealed");
    struct rg_hash digest = rg_sha256(sealed);
    OK(rg_header_encode(peek(CORE), &digest, 1, &block[HEADER].bytes, NULL));
    struct rg_id id = rg_header_id(peek(HEADER));
    put(ID, rg_bytes_of(id.b, sizeof(id.b)));
    OK(rg_envelope_encode(peek(HEADER), &sealed, 1, &block[ENVELOPE].bytes, NULL));
    struct rg_frame frame = {.kind = RG_FRAME_SUBMIT};
    frame.submit.envelope = peek(ENVELOPE);
    OK(rg_frame_encode(&frame, &block[SUBMIT].bytes, NULL));
}

static void section_make(struct rg_section *section)
{
    struct rg_hash core_digest = rg_sha256(peek(CORE));
    put(CORE_DIGEST, rg_bytes_of(core_digest.b, sizeof(core_digest.b)));
    RG_OWNED_BUFFER whole = {0};
    section->core_digest = core_digest;
    OK(rg_section_encode(section, 1024, &whole, NULL));
    assert_int_equal(whole.len, 1024);
    for (size_t i = SECTION_SHOWN_BYTES; i < whole.len; i++) {
        assert_int_equal(whole.data[i], 0);
    }
    put(SECTION, rg_bytes_of(whole.data, SECTION_SHOWN_BYTES));
}

static void log_entry_make(void)
{
    struct rg_log_entry entry = {.kind = RG_ENTRY_RECEIVED,
                                 .has_envelope_id = true,
                                 .time = {1764028800123},
                                 .peer = "referral://th/gateway"};
    memset(entry.salt, 0x66, sizeof(entry.salt));
    memcpy(entry.envelope_id.b, block[ID].bytes.data, sizeof(entry.envelope_id.b));
    OK(rg_log_entry_encode(&entry, &block[LOG_ENTRY].bytes, NULL));
    struct rg_hash leaf = rg_leaf_hash(rg_sha256(peek(LOG_ENTRY)));
    put(LEAF, rg_bytes_of(leaf.b, sizeof(leaf.b)));
}

static void make_all(void)
{
    struct rg_section section = {.content = RG_BYTES_LITERAL("content")};
    memset(section.blinding, 0xab, sizeof(section.blinding));
    memset(section.page_hash.b, 0xcd, sizeof(section.page_hash.b));
    struct rg_hash commitment = rg_section_commitment(section.blinding, section.content);
    put(COMMITMENT, rg_bytes_of(commitment.b, sizeof(commitment.b)));
    struct rg_core core = core_of(&commitment);
    OK(rg_core_encode(&core, &block[CORE].bytes, NULL));
    section_make(&section);
    envelope_make();
    log_entry_make();
}

static void print_block(const struct block *one)
{
    char hex[2 * 1024 + 1];
    assert_true(one->bytes.len <= 1024);
    rg_hex(rg_buffer_peek(&one->bytes), hex);
    (void)printf("```hex %s\n", one->name);
    for (size_t at = 0; at < strlen(hex); at += 128) {
        (void)printf("%.128s\n", hex + at);
    }
    (void)printf("```\n\n");
}

/* The hex of the block ```hex NAME in the text, white space taken out. */
static void hex_in(const char *text, const char *name, char *out, size_t size)
{
    char start[64];
    (void)snprintf(start, sizeof(start), "```hex %s\n", name);
    const char *at = strstr(text, start);
    if (at == NULL) {
        fail_msg("docs/protocol.md has no block \"%s\"", name);
        return;
    }
    at += strlen(start);
    size_t len = 0;
    for (; strncmp(at, "```", 3) != 0 && *at != '\0' && len + 1 < size; at++) {
        if (*at != '\n' && *at != ' ') {
            out[len++] = *at;
        }
    }
    out[len] = '\0';
}

static void test_the_example_is_what_the_code_makes(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    OK(rg_file_read(RG_SOURCE_DIR "/docs/protocol.md", RG_MIB, &text, NULL));
    OK(rg_buffer_append(&text, rg_bytes_of("", 1), NULL));
    for (size_t i = 0; i < BLOCKS; i++) {
        char expected[2 * 1024 + 1];
        char found[2 * 1024 + 1];
        rg_hex(rg_buffer_peek(&block[i].bytes), expected);
        hex_in((const char *)text.data, block[i].name, found, sizeof(found));
        assert_string_equal(found, expected);
    }
}

static void test_the_example_is_accepted(void **state)
{
    (void)state;
    struct rg_frame frame;
    struct rg_envelope envelope;
    OK(rg_frame_decode(peek(SUBMIT), &frame, NULL));
    OK(rg_envelope_peek(frame.submit.envelope, &envelope, NULL));
    assert_memory_equal(envelope.id.b, block[ID].bytes.data, sizeof(envelope.id.b));
    rg_frame_drop(&frame);
}

/* The table of codes in section 9 is that of the code. */
static void test_the_codes_are_those_of_the_table(void **state)
{
    (void)state;
    RG_OWNED_BUFFER text = {0};
    OK(rg_file_read(RG_SOURCE_DIR "/docs/protocol.md", RG_MIB, &text, NULL));
    OK(rg_buffer_append(&text, rg_bytes_of("", 1), NULL));
    for (uint32_t code = 1; code < 1000; code++) {
        const struct rg_refusal_row *row = rg_refusal_row(code);
        char line[128];
        (void)snprintf(line, sizeof(line), "| %u | %s |", code, row->name);
        bool known = (uint32_t)row->code == code;
        if (known != (strstr((const char *)text.data, line) != NULL)) {
            fail_msg("docs/protocol.md and the code disagree about code %u", code);
        }
    }
}

int main(void)
{
    make_all();
    for (size_t i = 0; i < BLOCKS && getenv("RG_PRINT") != NULL; i++) {
        print_block(&block[i]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_what_the_code_makes),
        cmocka_unit_test(test_the_example_is_accepted),
        cmocka_unit_test(test_the_codes_are_those_of_the_table),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < BLOCKS; i++) {
        rg_buffer_drop(&block[i].bytes);
    }
    return failed;
}
