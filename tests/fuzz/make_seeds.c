/* Writes the seeds of the protobuf and guard harnesses: make_seeds FOLDER. The other corpora are
 * written by hand. */
#include "tests/unit/samples.h"

#include "client/record.h"
#include "tests/unit/sample_form.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MUST(call) RG_ASSERT(rg_is_ok(call))

static void write_seed(const char *folder, const char *corpus, const char *name,
                       struct rg_bytes bytes)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, corpus);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, corpus, name);
    MUST(rg_file_replace(path, bytes, 0644, NULL));
}

static void frames(const char *folder)
{
    struct sample sample;
    sample_make(&sample);
    for (unsigned kind = RG_FRAME_HELLO; kind <= RG_FRAME_CHUNK; kind++) {
        struct rg_frame frame = sample_frame(&sample, (enum rg_frame_kind)kind);
        RG_OWNED_BUFFER bytes = {0};
        char name[16];
        (void)snprintf(name, sizeof(name), "frame-%02u", kind);
        MUST(rg_frame_encode(&frame, &bytes, NULL));
        write_seed(folder, "frame", name, rg_buffer_peek(&bytes));
    }
    write_seed(folder, "frame", "log-entry", rg_buffer_peek(&sample.refused));
    sample_drop(&sample);
}

static void local(const char *folder)
{
    const struct rg_link_event up = {.kind = RG_LINK_UP,
                                     .principal = "referral://th/gateway",
                                     .socket_path = "/run/referral/s-1",
                                     .session = {1, 2},
                                     .certificate = {{9}}};
    const struct rg_link_order trust = {.kind = RG_LINK_TRUST,
                                        .document_kind = RG_DOC_PAGE,
                                        .country = "th",
                                        .text = RG_BYTES_LITERAL("text"),
                                        .signature = {RG_BYTES_LITERAL("sig")},
                                        .signature_count = 1};
    const struct rg_notary_answer answer = {.size = 8, .root = {{1}}, .signature = {2}};
    RG_OWNED_BUFFER bytes = {0};
    MUST(rg_link_event_encode(&up, &bytes, NULL));
    write_seed(folder, "frame", "link-up", rg_buffer_peek(&bytes));
    rg_buffer_clear(&bytes);
    MUST(rg_link_order_encode(&trust, &bytes, NULL));
    write_seed(folder, "frame", "link-trust", rg_buffer_peek(&bytes));
    rg_buffer_clear(&bytes);
    MUST(rg_notary_answer_encode(&answer, &bytes, NULL));
    write_seed(folder, "frame", "notary-answer", rg_buffer_peek(&bytes));
}

static void envelopes(const char *folder)
{
    for (size_t sections = 1; sections <= 3; sections += 2) {
        struct rg_core core = sample_core(sections, 1024);
        core.has_decides = sections > 1;
        RG_OWNED_BUFFER bytes = {0};
        char name[32];
        (void)snprintf(name, sizeof(name), "envelope-%zu", sections);
        sample_envelope(&core, 24, &bytes);
        write_seed(folder, "envelope", name, rg_buffer_peek(&bytes));
    }
    struct rg_section section = {.index = 1, .content = RG_BYTES_LITERAL("content")};
    RG_OWNED_BUFFER bytes = {0};
    MUST(rg_section_encode(&section, 1024, &bytes, NULL));
    write_seed(folder, "envelope", "section", rg_buffer_peek(&bytes));
}

/* As recorded from libzmq 4.3.4; the first byte chooses the cuts. */
static void guard(const char *folder)
{
    static const uint8_t greeting[64] = {0xff, 0,    0, 0, 0,   0,   0,   0,
                                         1,    0x7f, 3, 1, 'N', 'U', 'L', 'L'};
    static const uint8_t ready[] = "\x04\x29\x05READY\x0bSocket-Type\x00\x00\x00\x06"
                                   "DEALER\x08Identity\x00\x00\x00";
    RG_OWNED_BUFFER bytes = {0};
    MUST(rg_buffer_append_text(&bytes, "\x06", NULL));
    MUST(rg_buffer_append(&bytes, rg_bytes_of(greeting, sizeof(greeting)), NULL));
    MUST(rg_buffer_append(&bytes, rg_bytes_of(ready, sizeof(ready)), NULL));
    write_seed(folder, "guard", "greeting", rg_buffer_peek(&bytes));
    MUST(rg_buffer_append(&bytes, RG_BYTES_LITERAL("\x00\x05hello\x04\x07\x04PING\x00\x00"), NULL));
    MUST(rg_buffer_append(
        &bytes, RG_BYTES_LITERAL("\x02\x00\x00\x00\x00\x00\x00\x00\x04longer?\x04\x05\x04PONG"),
        NULL));
    write_seed(folder, "guard", "messages", rg_buffer_peek(&bytes));
}

static struct rg_content content_of(uint32_t kind, enum rg_class class_, enum rg_body body)
{
    struct rg_content content = {.kind = kind,
                                 .class_ = class_,
                                 .handle = {{1, 2, 3}},
                                 .has_answers = kind != RG_KIND_REQUEST,
                                 .answers = {{7}},
                                 .exercise = true,
                                 .author = "referral://th/focal/officer-1",
                                 .made = {1764028800000},
                                 .body = body};
    return content;
}

static void content_write(const char *folder, const char *name, const struct rg_content *content)
{
    RG_OWNED_BUFFER bytes = {.secret = true};
    MUST(rg_content_encode(content, &bytes, NULL));
    write_seed(folder, "content", name, rg_buffer_peek(&bytes));
}

static void contents(const char *folder)
{
    struct rg_content request = content_of(RG_KIND_REQUEST, RG_CLASS_CASE, RG_BODY_PREVIEW);
    request.preview = (struct rg_preview){
        .reason = RG_REASON_RETURN,
        .age = RG_AGE_ADULT,
        .sex = 1,
        .language = "khm",
        .needs = 3,
        .urgency = RG_URGENCY_URGENT,
        .expected_month = {.year = 2026, .month = 12},
        .consent = {.scopes = 3, .given_by = RG_GIVEN_BY_PERSON, .expires = {2027, 6, 30}}};
    content_write(folder, "request", &request);
    struct rg_content accept = content_of(RG_KIND_ACCEPT, RG_CLASS_CASE, RG_BODY_ACCEPT);
    accept.accept = (struct rg_accept){"kh/focal", "by telephone", "call on Monday"};
    content_write(folder, "accept", &accept);
    struct rg_content decline = content_of(RG_KIND_DECLINE, RG_CLASS_CASE, RG_BODY_DECLINE);
    decline.decline = (struct rg_decline){RG_DECLINE_OTHER, "reason", "la/focal"};
    content_write(folder, "decline", &decline);
    struct rg_content seen =
        content_of(RG_KIND_ACKNOWLEDGEMENT, RG_CLASS_CASE, RG_BODY_ACKNOWLEDGEMENT);
    seen.acknowledgement = (struct rg_acknowledgement){{{7}}, {1764028800000}};
    content_write(folder, "acknowledgement", &seen);
    struct rg_content details = content_of(RG_KIND_DETAILS, RG_CLASS_IDENTITY, RG_BODY_DETAILS);
    details.details.item[0] = (struct rg_field_value){RG_FIELD_PRS_FIRST_NAME, "Sample"};
    details.details.count = 1;
    content_write(folder, "details", &details);
}

static void form_json(const char *folder, const struct rg_kind_row *row, const char *name)
{
    RG_OWNED_FORM form = NULL;
    RG_OWNED_BUFFER out = {.secret = true};
    uint8_t kind = (uint8_t)row->number;
    MUST(sample_form(row->form, true, &form, NULL));
    MUST(rg_buffer_append(&out, rg_bytes_of(&kind, 1), NULL));
    MUST(rg_form_write_json(form, &out, NULL));
    write_seed(folder, "form", name, rg_buffer_peek(&out));
}

/* Every kind whose body is a form, each of its sections. */
static void forms(const char *folder)
{
    size_t count = 0;
    const struct rg_kind_row *row = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        RG_OWNED_FORM whole = NULL;
        if (row[i].case_body != RG_BODY_FORM) {
            continue;
        }
        MUST(sample_form(row[i].form, true, &whole, NULL));
        unsigned classes = rg_form_classes(whole) | RG_CLASS_BIT(RG_CLASS_CASE);
        for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_SECURITY; c++) {
            char name[64];
            RG_OWNED_FORM part = NULL;
            if ((classes & row[i].classes & RG_CLASS_BIT(c)) == 0) {
                continue;
            }
            MUST(rg_form_part(whole, (enum rg_class)c, &part, NULL));
            struct rg_content content = content_of(row[i].number, (enum rg_class)c, RG_BODY_FORM);
            content.form = part;
            (void)snprintf(name, sizeof(name), "%u-%s", row[i].number,
                           rg_class_name((enum rg_class)c));
            content_write(folder, name, &content);
        }
    }
}

/* The kinds that carry other messages' bytes inside a country. */
static void carried(const char *folder)
{
    struct rg_bytes bytes = RG_BYTES_LITERAL("\x0a\x04"
                                             "some");
    struct rg_content draft = content_of(RG_KIND_DESK_DRAFT, RG_CLASS_CASE, RG_BODY_DESK_DRAFT);
    draft.desk_draft = (struct rg_desk_draft){39, "la", bytes};
    content_write(folder, "desk-draft", &draft);
    struct rg_content copy = content_of(RG_KIND_DESK_COPY, RG_CLASS_HEALTH, RG_BODY_FORWARDED);
    copy.forwarded = (struct rg_forwarded){bytes, 2, bytes, bytes};
    content_write(folder, "desk-copy", &copy);
    struct rg_content ask =
        content_of(RG_KIND_COUNTERSIGN_REQUEST, RG_CLASS_CASE, RG_BODY_COUNTERSIGN);
    ask.countersign.core = bytes;
    ask.countersign.section[0].class_ = RG_CLASS_CASE;
    ask.countersign.section[0].bytes = bytes;
    ask.countersign.count = 1;
    ask.vital = (struct rg_vital){true, "referral://th/focal/officer-2", "danger", 3};
    ask.has_movement = ask.has_family_link = true;
    content_write(folder, "countersign", &ask);
}

static void record_append(struct rg_buffer *out, const char *const (*value)[2])
{
    RG_OWNED_RECORD record = NULL;
    MUST(rg_record_new(&record, NULL));
    for (; (*value)[0] != NULL; value++) {
        enum rg_field field;
        RG_ASSERT(rg_field_find(rg_bytes_of_text((*value)[0]), &field));
        MUST(rg_record_set(record, field, rg_bytes_of_text((*value)[1]), NULL));
    }
    MUST(rg_record_csv(record, out, NULL));
}

static void csv(const char *folder)
{
    static const char *const first[][2] = {
        {"case_ref", "X00001"},         {"host_country", "TH"},
        {"origin_country", "KH"},       {"prs_FirstName", "Sample, \"One\""},
        {"prs_Gender", "Feminine"},     {"prs_Birthdate", "1994-06-09"},
        {"age_status", "adult"},        {"prs_PrimaryLanguage", "khm"},
        {"con_Consent", "true"},        {"consent_scopes", "SHARE_IDENTITY;RETURN"},
        {"consent_given_by", "person"}, {"consent_expires", "2027-06-30"},
        {"urgency", "routine"},         {NULL, NULL}};
    static const char *const second[][2] = {
        {"case_ref", "X00002"},   {"host_country", "TH"},
        {"origin_country", "LA"}, {"full_name_native", "\xe0\xba\xa5\xe0\xba\xb2\xe0\xba\xa7"},
        {"age_status", "child"},  {NULL, NULL}};
    RG_OWNED_BUFFER out = {.secret = true};
    MUST(rg_csv_header(&out, NULL));
    record_append(&out, first);
    write_seed(folder, "csv", "one", rg_buffer_peek(&out));
    record_append(&out, second);
    write_seed(folder, "csv", "two", rg_buffer_peek(&out));
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_seeds FOLDER\n");
        return 64;
    }
    frames(argv[1]);
    local(argv[1]);
    envelopes(argv[1]);
    guard(argv[1]);
    contents(argv[1]);
    forms(argv[1]);
    form_json(argv[1], rg_kind_row(RG_KIND_INFO_RESPONSE), "info-response");
    form_json(argv[1], rg_kind_row(RG_KIND_CONSENT_RECORD), "consent");
    form_json(argv[1], rg_kind_row(RG_KIND_RISK_ASSESSMENT), "risk");
    form_json(argv[1], rg_kind_row(RG_KIND_NATIONALITY_REQUEST), "nationality");
    form_json(argv[1], rg_kind_row(RG_KIND_HANDOVER_PROPOSAL), "handover");
    carried(argv[1]);
    csv(argv[1]);
    return 0;
}
