/* message: what each kind may hold, one encoding for each content, nothing unlawful in or out. */
#include "client/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rg_content common(enum rg_kind kind, enum rg_class class_, enum rg_body body)
{
    struct rg_content content = {.kind = kind, .class_ = class_, .body = body, .exercise = true};
    memset(content.handle.b, 0x11, sizeof(content.handle.b));
    memset(content.previous.b, 0x22, sizeof(content.previous.b));
    memset(content.answers.b, 0x33, sizeof(content.answers.b));
    content.has_previous = true;
    content.has_answers = kind != RG_KIND_REQUEST && kind != RG_KIND_PROPOSAL;
    if (!content.has_answers) {
        memset(content.answers.b, 0, sizeof(content.answers.b));
    }
    (void)snprintf(content.author, sizeof(content.author), "referral://th/focal/officer-1");
    content.made.ms = INT64_C(1795478400000);
    return content;
}

static struct rg_preview a_preview(void)
{
    return (struct rg_preview){
        .reason = RG_REASON_RETURN,
        .age = RG_AGE_CHILD,
        .sex = 1,
        .language = "lao",
        .needs = 1u << 1 | 1u << 2,
        .urgency = RG_URGENCY_URGENT,
        .expected_month = {2027, 3, 0},
        .consent = {.scopes = RG_SCOPE_BIT(RG_SCOPE_RETURN) | RG_SCOPE_BIT(RG_SCOPE_SHARE_IDENTITY),
                    .given_by = RG_GIVEN_BY_GUARDIAN,
                    .expires = {2027, 6, 30}},
    };
}

static struct rg_content a_request(void)
{
    struct rg_content content = common(RG_KIND_REQUEST, RG_CLASS_CASE, RG_BODY_PREVIEW);
    content.preview = a_preview();
    content.label[0] = (struct rg_label){RG_CLASS_IDENTITY, RG_LABEL_AFTER_ACCEPT, 0};
    content.label[1] = (struct rg_label){RG_CLASS_HEALTH, RG_LABEL_WITHHELD, 0};
    content.label_count = 2;
    return content;
}

static struct rg_content an_identity(void)
{
    struct rg_content content = common(RG_KIND_DETAILS, RG_CLASS_IDENTITY, RG_BODY_DETAILS);
    content.details.item[0] = (struct rg_field_value){RG_FIELD_PRS_GENDER, "Feminine"};
    content.details.item[1] = (struct rg_field_value){RG_FIELD_PRS_CITIZENSHIP, "LA"};
    content.details.item[2] = (struct rg_field_value){RG_FIELD_FULL_NAME_NATIVE, "ບຸນມີ ແກ້ວ"};
    content.details.item[3] = (struct rg_field_value){RG_FIELD_FULL_NAME_LATIN, "Bounmy Keo"};
    content.details.count = 4;
    return content;
}

static struct rg_content a_case(void)
{
    struct rg_content content = common(RG_KIND_DETAILS, RG_CLASS_CASE, RG_BODY_DETAILS);
    content.details.item[0] =
        (struct rg_field_value){RG_FIELD_VIC_TYPE_OF_EXPLOITATION, "ForcedLabour"};
    content.details.count = 1;
    content.label[0] = (struct rg_label){RG_CLASS_IDENTITY, RG_LABEL_ATTACHED, 1};
    content.label_count = 1;
    return content;
}

static struct rg_content an_accept(void)
{
    struct rg_content content = common(RG_KIND_ACCEPT, RG_CLASS_CASE, RG_BODY_ACCEPT);
    content.accept =
        (struct rg_accept){"la/focal", "through this gateway", "identity check within 15 days"};
    return content;
}

static struct rg_content a_decline(void)
{
    struct rg_content content = common(RG_KIND_DECLINE, RG_CLASS_CASE, RG_BODY_DECLINE);
    content.decline = (struct rg_decline){RG_DECLINE_OTHER, "centre is\nflooded", "vn/focal"};
    return content;
}

static struct rg_content an_acknowledgement(void)
{
    struct rg_content content =
        common(RG_KIND_ACKNOWLEDGEMENT, RG_CLASS_CASE, RG_BODY_ACKNOWLEDGEMENT);
    memset(content.acknowledgement.opened.b, 0x44, 32);
    content.acknowledgement.opened_at.ms = INT64_C(1795478400123);
    return content;
}

static struct rg_content a_proposal(void)
{
    struct rg_content content = common(RG_KIND_PROPOSAL, RG_CLASS_CASE, RG_BODY_PROPOSAL);
    content.proposal.preview = a_preview();
    (void)snprintf(content.proposal.origin_country, RG_COUNTRY_BYTES, "la");
    content.proposal.case_ref = "NGO-7";
    content.proposal.fields.item[0] = (struct rg_field_value){RG_FIELD_ORIGIN_COUNTRY, "LA"};
    content.proposal.fields.count = 1;
    return content;
}

static struct rg_content a_withheld(void)
{
    struct rg_content content = common(RG_KIND_DETAILS, RG_CLASS_HEALTH, RG_BODY_WITHHELD);
    content.withheld = RG_LABEL_WITHHELD;
    return content;
}

/* Everything that the head of a section can hold. */
static struct rg_content an_urgent(void)
{
    struct rg_content content = a_case();
    content.has_movement = true;
    content.has_family_link = true;
    memset(content.movement, 0x55, sizeof(content.movement));
    memset(content.family_link, 0x66, sizeof(content.family_link));
    content.vital = (struct rg_vital){.present = true,
                                      .decided_by = "referral://th/focal/officer-2",
                                      .reason = "shelter was attacked",
                                      .opened = RG_CLASS_BIT(RG_CLASS_IDENTITY)};
    (void)snprintf(content.second_author, RG_PRINCIPAL_BYTES, "referral://th/focal/officer-2");
    (void)snprintf(content.language, RG_LANGUAGE_BYTES, "zh-Hans-CN");
    return content;
}

static struct rg_content a_desk_draft(void)
{
    struct rg_content content = common(RG_KIND_DESK_DRAFT, RG_CLASS_CASE, RG_BODY_DESK_DRAFT);
    content.desk_draft = (struct rg_desk_draft){39, "la", RG_BYTES_LITERAL("\0some\0bytes")};
    return content;
}

static struct rg_content a_desk_copy(void)
{
    struct rg_content content = common(RG_KIND_DESK_COPY, RG_CLASS_HEALTH, RG_BODY_FORWARDED);
    content.forwarded = (struct rg_forwarded){RG_BYTES_LITERAL("core"), 3,
                                              RG_BYTES_LITERAL("sealed"), rg_bytes_of(NULL, 0)};
    return content;
}

static struct rg_content a_countersign(void)
{
    struct rg_content content =
        common(RG_KIND_COUNTERSIGN_REQUEST, RG_CLASS_CASE, RG_BODY_COUNTERSIGN);
    content.countersign.core = RG_BYTES_LITERAL("core");
    content.countersign.section[0].class_ = RG_CLASS_CASE;
    content.countersign.section[0].bytes = RG_BYTES_LITERAL("first");
    content.countersign.section[1].class_ = RG_CLASS_SECURITY;
    content.countersign.section[1].bytes = RG_BYTES_LITERAL("second");
    content.countersign.count = 2;
    return content;
}

static struct rg_content a_withheld_form(void)
{
    struct rg_content content =
        common(RG_KIND_RISK_ASSESSMENT, RG_CLASS_SECURITY, RG_BODY_WITHHELD);
    content.withheld = RG_LABEL_WITHHELD;
    return content;
}

static struct rg_content (*const samples[])(void) = {
    a_request,          an_identity,     a_case,       an_accept, a_decline,
    an_acknowledgement, a_proposal,      a_withheld,   an_urgent, a_desk_copy,
    a_countersign,      a_withheld_form, a_desk_draft,
};
#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void encode(const struct rg_content *content, struct rg_buffer *out)
{
    struct rg_reason why = {0};
    rg_outcome outcome = rg_content_encode(content, out, &why);
    if (!rg_is_ok(outcome)) {
        fail_msg("%s: %s", why.id, why.text);
    }
}

static void test_tables_fit_the_proto(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    if (!rg_is_ok(rg_message_shapes_check(&why))) {
        fail_msg("%s: %s", why.id, why.text);
    }
}

static void test_content_comes_back_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct rg_content content = samples[i]();
        struct rg_content back = {0};
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_OWNED_BUFFER again = {.secret = true};
        RG_OWNED_BUFFER memory = {.secret = true};
        encode(&content, &bytes);
        assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
        encode(&back, &again);
        assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), rg_buffer_peek(&again)));
        assert_int_equal(back.kind, content.kind);
        assert_int_equal(back.body, content.body);
        assert_int_equal(back.made.ms, content.made.ms);
        assert_string_equal(back.author, content.author);
    }
}

static void test_parts_arrive_where_they_belong(void **state)
{
    (void)state;
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_content back = {0};
    struct rg_content content = a_request();
    encode(&content, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.preview.needs, content.preview.needs);
    assert_int_equal(back.preview.expected_month.month, 3);
    assert_int_equal(back.preview.consent.expires.day, 30);
    assert_string_equal(back.preview.language, "lao");
    assert_int_equal(back.label[1].class_, RG_CLASS_HEALTH);
    assert_int_equal(back.label[1].state, RG_LABEL_WITHHELD);
    rg_buffer_clear(&bytes);
    content = an_identity();
    encode(&content, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.details.count, 4);
    assert_int_equal(back.details.item[2].field, RG_FIELD_FULL_NAME_NATIVE);
    assert_string_equal(back.details.item[2].value, "ບຸນມີ ແກ້ວ");
    rg_buffer_clear(&bytes);
    content = an_urgent();
    encode(&content, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_true(back.has_movement && back.has_family_link && back.vital.present);
    assert_memory_equal(back.movement, content.movement, RG_GROUP_BYTES);
    assert_string_equal(back.vital.reason, "shelter was attacked");
    assert_string_equal(back.second_author, "referral://th/focal/officer-2");
    assert_string_equal(back.language, "zh-Hans-CN");
    rg_buffer_clear(&bytes);
    content = a_countersign();
    encode(&content, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.countersign.count, 2);
    assert_int_equal(back.countersign.section[1].class_, RG_CLASS_SECURITY);
    assert_true(rg_bytes_equal(back.countersign.section[1].bytes, RG_BYTES_LITERAL("second")));
    rg_buffer_clear(&bytes);
    content = a_desk_draft();
    encode(&content, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.desk_draft.kind, 39);
    assert_true(rg_bytes_equal(back.desk_draft.content, RG_BYTES_LITERAL("\0some\0bytes")));
}

/* Each flaw is put into a lawful sample; encoding names it and never repeats a value. */
struct flaw {
    struct rg_content (*sample)(void);
    void (*spoil)(struct rg_content *content);
    const char *id;
};

static void spoil_kind(struct rg_content *c)
{
    c->kind = 99;
}
static void spoil_later_kind(struct rg_content *c)
{
    c->kind = 35;
}
static void spoil_class(struct rg_content *c)
{
    c->class_ = RG_CLASS_IDENTITY;
}
static void spoil_body(struct rg_content *c)
{
    c->kind = RG_KIND_ACCEPT;
    c->has_answers = true;
    c->label_count = 0;
}
static void spoil_details_class(struct rg_content *c)
{
    c->class_ = RG_CLASS_FAMILY;
}
static void spoil_withheld_case(struct rg_content *c)
{
    c->class_ = RG_CLASS_CASE;
}
static void spoil_answers(struct rg_content *c)
{
    c->has_answers = false;
}
static void spoil_reference(struct rg_content *c)
{
    c->details.item[0] = (struct rg_field_value){RG_FIELD_CASE_REF, "SECRET-1"};
}
static void spoil_claim(struct rg_content *c)
{
    c->class_ = RG_CLASS_SECURITY;
    c->label_count = 0;
    c->details.item[0] = (struct rg_field_value){RG_FIELD_PROTECTION_CLAIM, "true"};
}
static void spoil_value(struct rg_content *c)
{
    c->details.item[1].value = "SECRETLAND";
}
static void spoil_normal_form(struct rg_content *c)
{
    c->details.item[3].value = " SECRET ";
}
static void spoil_order(struct rg_content *c)
{
    struct rg_field_value first = c->details.item[0];
    c->details.item[0] = c->details.item[1];
    c->details.item[1] = first;
}
static void spoil_empty(struct rg_content *c)
{
    c->details.item[3].value = "";
}
static void spoil_age(struct rg_content *c)
{
    c->preview.age = RG_AGE_UNCERTAIN;
}
static void spoil_sex(struct rg_content *c)
{
    c->preview.sex = 7;
}
static void spoil_needs(struct rg_content *c)
{
    c->preview.needs = 1u << 31;
}
static void spoil_month(struct rg_content *c)
{
    c->preview.expected_month = (struct rg_date){2027, 13, 0};
}
static void spoil_expiry(struct rg_content *c)
{
    c->preview.consent.expires = (struct rg_date){2027, 2, 30};
}
static void spoil_scopes(struct rg_content *c)
{
    c->preview.consent.scopes = 0;
}
static void spoil_reason(struct rg_content *c)
{
    c->preview.reason = (enum rg_referral_reason)7;
}
static void spoil_language(struct rg_content *c)
{
    memcpy(c->preview.language, "qqq", 4);
}
static void spoil_author(struct rg_content *c)
{
    (void)snprintf(c->author, sizeof(c->author), "Somebody SECRET");
}
static void spoil_label_order(struct rg_content *c)
{
    c->label[1].class_ = RG_CLASS_IDENTITY;
}
static void spoil_label_index(struct rg_content *c)
{
    c->label[0].index = 3;
}
static void spoil_label_place(struct rg_content *c)
{
    c->label[0] = (struct rg_label){RG_CLASS_FAMILY, RG_LABEL_WITHHELD, 0};
    c->label_count = 1;
}
static void spoil_next_steps(struct rg_content *c)
{
    c->accept.next_steps = "";
}
static void spoil_desk(struct rg_content *c)
{
    c->accept.desk = "Desk of SECRET";
}
static void spoil_decline_text(struct rg_content *c)
{
    c->decline.text = "";
}
static void spoil_decline_code(struct rg_content *c)
{
    c->decline.code = (enum rg_decline_code)10;
}
static void spoil_origin(struct rg_content *c)
{
    (void)snprintf(c->proposal.origin_country, RG_COUNTRY_BYTES, "LA");
}
static void spoil_proposal_class(struct rg_content *c)
{
    c->proposal.fields.item[0] = (struct rg_field_value){RG_FIELD_PRS_GENDER, "Feminine"};
}

static void spoil_vital_classes(struct rg_content *c)
{
    c->vital.opened |= RG_CLASS_BIT(RG_CLASS_FAMILY);
}
static void spoil_vital_author(struct rg_content *c)
{
    c->vital.decided_by[0] = '\0';
}
static void spoil_vital_reason(struct rg_content *c)
{
    c->vital.reason = "";
}
static void spoil_vital_absent(struct rg_content *c)
{
    c->vital.present = false;
}
static void spoil_second_author(struct rg_content *c)
{
    memcpy(c->second_author, c->author, sizeof(c->author));
}
static void spoil_text_language(struct rg_content *c)
{
    (void)snprintf(c->language, RG_LANGUAGE_BYTES, "SECRET_language");
}
static void spoil_draft_kind(struct rg_content *c)
{
    c->desk_draft.kind = RG_KIND_PROPOSAL;
}
static void spoil_draft_content(struct rg_content *c)
{
    c->desk_draft.content.len = 0;
}
static void spoil_copy(struct rg_content *c)
{
    c->forwarded.sealed.len = 0;
}
static void spoil_countersign_order(struct rg_content *c)
{
    c->countersign.section[1].class_ = RG_CLASS_CASE;
}
static void spoil_form(struct rg_content *c)
{
    c->body = RG_BODY_FORM;
    c->form = NULL;
}

static const struct flaw flaws[] = {
    {an_urgent, spoil_vital_classes, "content-vital"},
    {an_urgent, spoil_vital_author, "content-vital"},
    {an_urgent, spoil_vital_reason, "content-text"},
    {an_urgent, spoil_vital_absent, "content-vital"},
    {an_urgent, spoil_second_author, "content-text"},
    {an_urgent, spoil_text_language, "content-text"},
    {a_desk_draft, spoil_draft_kind, "content-kind"},
    {a_desk_draft, spoil_draft_content, "content-field"},
    {a_desk_copy, spoil_copy, "content-field"},
    {a_countersign, spoil_countersign_order, "content-class"},
    {a_withheld_form, spoil_form, "content-body"},
    {a_request, spoil_form, "content-body"},
    {a_request, spoil_kind, "content-kind"},
    {a_request, spoil_later_kind, "content-body"},
    {a_request, spoil_class, "content-class"},
    {a_request, spoil_body, "content-body"},
    {an_identity, spoil_details_class, "content-field"},
    {a_withheld, spoil_withheld_case, "content-body"},
    {an_accept, spoil_answers, "content-answers"},
    {an_identity, spoil_answers, "content-answers"},
    {a_case, spoil_reference, "content-field"},
    {a_case, spoil_claim, "content-field"},
    {an_identity, spoil_value, "content-field"},
    {an_identity, spoil_normal_form, "content-field"},
    {an_identity, spoil_order, "content-field"},
    {an_identity, spoil_empty, "content-field"},
    {a_request, spoil_age, "content-code"},
    {a_request, spoil_sex, "content-code"},
    {a_request, spoil_needs, "content-code"},
    {a_request, spoil_month, "content-code"},
    {a_request, spoil_expiry, "content-code"},
    {a_request, spoil_scopes, "content-form"},
    {a_request, spoil_reason, "content-form"},
    {a_request, spoil_language, "content-field"},
    {a_request, spoil_author, "content-form"},
    {a_request, spoil_label_order, "content-label"},
    {a_request, spoil_label_index, "content-label"},
    {an_identity, spoil_label_place, "content-label"},
    {an_accept, spoil_next_steps, "content-text"},
    {an_accept, spoil_desk, "content-text"},
    {a_decline, spoil_decline_text, "content-text"},
    {a_decline, spoil_decline_code, "content-code"},
    {a_proposal, spoil_origin, "content-text"},
    {a_proposal, spoil_proposal_class, "content-field"},
};

static void test_unlawful_content_is_never_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
        struct rg_content content = flaws[i].sample();
        flaws[i].spoil(&content);
        RG_OWNED_BUFFER bytes = {.secret = true};
        struct rg_reason why = {0};
        assert_false(rg_is_ok(rg_content_encode(&content, &bytes, &why)));
        if (strcmp(why.id, flaws[i].id) != 0) {
            fail_msg("flaw %zu: %s instead of %s", i, why.id, flaws[i].id);
        }
        assert_null(strstr(why.text, "SECRET"));
        assert_int_equal(bytes.len, 0);
    }
}

static void test_a_section_is_bounded(void **state)
{
    (void)state;
    static const enum rg_field longs[] = {
        RG_FIELD_CAS_REASON_FOR_CASE_CLOSURE,
        RG_FIELD_CAS_INCOMING_REFERRAL_DETAILS,
        RG_FIELD_CAS_OUTGOING_REFERRAL_DETAILS,
        RG_FIELD_CCO_CASE_COMMENT,
        RG_FIELD_SPL_OBJECTIVES,
        RG_FIELD_SPL_ACTION_PLAN,
    };
    static char text[RG_FIELD_BYTES_MAX + 1];
    memset(text, 'x', RG_FIELD_BYTES_MAX);
    static char line[1025];
    memset(line, 'y', 1024);
    struct rg_content content = common(RG_KIND_DETAILS, RG_CLASS_CASE, RG_BODY_DETAILS);
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        const struct rg_field_row *row = rg_field_row(field);
        if (row->class_ == RG_CLASS_CASE && row->type == RG_TYPE_TEXT) {
            content.details.item[content.details.count++] = (struct rg_field_value){field, line};
        }
        for (size_t k = 0; k < sizeof(longs) / sizeof(longs[0]); k++) {
            if (longs[k] == field) {
                content.details.item[content.details.count++] =
                    (struct rg_field_value){field, text};
            }
        }
    }
    RG_OWNED_BUFFER bytes = {.secret = true};
    struct rg_reason why = {0};
    assert_int_equal(rg_content_encode(&content, &bytes, &why).code, RG_LIMIT);
    assert_string_equal(why.id, "content-limit");
    static const uint8_t zeros[RG_CONTENT_CARRIED_BYTES_MAX + 1];
    RG_OWNED_BUFFER memory = {.secret = true};
    assert_int_equal(
        rg_content_decode(rg_bytes_of(zeros, sizeof(zeros)), &content, &memory, &why).code,
        RG_LIMIT);
}

static void test_cut_bytes_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct rg_content content = samples[i]();
        RG_OWNED_BUFFER bytes = {.secret = true};
        encode(&content, &bytes);
        for (size_t len = 0; len < bytes.len; len++) {
            RG_OWNED_BUFFER memory = {.secret = true};
            struct rg_reason why = {0};
            rg_outcome outcome =
                rg_content_decode(rg_bytes_of(bytes.data, len), &content, &memory, &why);
            assert_false(rg_is_ok(outcome));
            assert_non_null(why.id);
            assert_int_equal(strncmp(why.id, "content-", 8), 0);
        }
    }
}

/* Whatever a changed byte makes of it: refused, or content whose only encoding this is. */
static void test_what_is_accepted_has_one_encoding(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct rg_content content = samples[i]();
        RG_OWNED_BUFFER bytes = {.secret = true};
        encode(&content, &bytes);
        for (size_t at = 0; at < bytes.len * 8; at++) {
            struct rg_content back = {0};
            RG_OWNED_BUFFER memory = {.secret = true};
            RG_OWNED_BUFFER again = {.secret = true};
            bytes.data[at / 8] ^= (uint8_t)(1u << at % 8);
            if (rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL))) {
                encode(&back, &again);
                assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), rg_buffer_peek(&again)));
            } else {
                refused++;
            }
            bytes.data[at / 8] ^= (uint8_t)(1u << at % 8);
        }
    }
    assert_true(refused > 1000);
}

static void test_foreign_bytes_are_held_to_the_same_rules(void **state)
{
    (void)state;
    struct rg_content content = an_identity();
    struct rg_content back = {0};
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_reason why = {0};
    encode(&content, &bytes);
    assert_int_equal(bytes.data[4], 0x18); /* tag of `class` */
    bytes.data[5] = RG_CLASS_FAMILY;
    assert_int_equal(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why).code,
                     RG_MALFORMED);
    assert_string_equal(why.id, "content-field");
    bytes.data[5] = RG_CLASS_IDENTITY;
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why)));
    /* a second body, and a field nobody knows */
    static const uint8_t withheld[] = {0xD2, 0x01, 0x02, 0x08, 0x03};
    static const uint8_t unknown[] = {0xF8, 0x07, 0x01};
    size_t len = bytes.len;
    assert_true(rg_is_ok(rg_buffer_append(&bytes, rg_bytes_of(withheld, sizeof(withheld)), NULL)));
    assert_false(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why)));
    assert_string_equal(why.id, "content-body");
    bytes.len = len;
    assert_true(rg_is_ok(rg_buffer_append(&bytes, rg_bytes_of(unknown, sizeof(unknown)), NULL)));
    assert_false(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why)));
    assert_string_equal(why.id, "content-form");
}

static void test_the_catalogue_is_whole(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    assert_int_equal(count, 49 + 7);
    for (size_t i = 0; i < count; i++) {
        assert_true(i == 0 || rows[i].number > rows[i - 1].number);
        assert_ptr_equal(rg_kind_row(rows[i].number), &rows[i]);
        assert_true((rows[i].classes & RG_CLASS_BIT(RG_CLASS_CASE)) != 0);
        assert_true(!rows[i].needs_answers || rows[i].answers[0] != 0);
        for (size_t k = 0; k < sizeof(rows[i].answers) && rows[i].answers[k] != 0; k++) {
            assert_non_null(rg_kind_row(rows[i].answers[k]));
        }
    }
    assert_null(rg_kind_row(43));
    assert_string_equal(rg_kind_name(43), "UNKNOWN_KIND");
    assert_true(rg_kind_answers(RG_KIND_ACCEPT, RG_KIND_REQUEST));
    assert_false(rg_kind_answers(RG_KIND_ACCEPT, RG_KIND_DETAILS));
    assert_false(rg_kind_answers(RG_KIND_ACKNOWLEDGEMENT, RG_KIND_ACKNOWLEDGEMENT));
    assert_true(rg_kind_answers(RG_KIND_ACKNOWLEDGEMENT, RG_KIND_REQUEST));
}

/* What carries another message's sealed bytes may be larger than other sections. */
static void test_carried_bytes_have_a_bound_of_their_own(void **state)
{
    (void)state;
    static const uint8_t many[RG_CONTENT_CARRIED_BYTES_MAX];
    struct rg_reason why = {0};
    struct rg_content back = {0};
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    struct rg_content copy = a_desk_copy();
    copy.forwarded.sealed = rg_bytes_of(many, RG_CONTENT_CARRIED_BYTES_MAX - RG_KIB);
    encode(&copy, &bytes);
    assert_true(rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.forwarded.sealed.len, RG_CONTENT_CARRIED_BYTES_MAX - RG_KIB);
    copy.forwarded.sealed = rg_bytes_of(many, sizeof(many));
    assert_int_equal(rg_content_encode(&copy, &bytes, &why).code, RG_LIMIT);
}

static void test_the_table_of_kinds_says_who_and_when(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *rows = rg_kind_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const struct rg_kind_row *row = &rows[i];
        assert_true(row->by != 0 && row->rank >= RG_RANK_WITHDRAWAL && row->rank <= RG_RANK_REST);
        assert_true((row->unit == RG_DEADLINE_NONE) == (row->deadline == 0));
        assert_true((row->way == RG_WAY_DOMESTIC) == (row->direction == RG_DIRECTION_HOME));
        assert_true(row->way == RG_WAY_DOMESTIC || rg_kind_by(row->number, RG_ROLE_FOCAL));
    }
    assert_int_equal(rg_kind_row(RG_KIND_CONSENT_WITHDRAWN)->rank, RG_RANK_WITHDRAWAL);
    assert_int_equal(rg_kind_row(RG_KIND_TRANSIT_ALERT)->unit, RG_DEADLINE_HOURS);
    assert_true(rg_kind_row(RG_KIND_EMERGENCY_RETURN)->two_officers);
    assert_true(rg_kind_by(RG_KIND_HEALTH_SUMMARY, RG_ROLE_HEALTH));
    assert_false(rg_kind_by(RG_KIND_HEALTH_SUMMARY, RG_ROLE_BORDER));
    assert_false(rg_kind_by(RG_KIND_HEALTH_SUMMARY, (enum rg_role)0));
    for (unsigned i = 1; i <= RG_ROLE_COUNT; i++) {
        assert_int_equal(rg_role_find(rg_role_name((enum rg_role)i)), i);
    }
    assert_int_equal(rg_role_find("chief"), 0);
}

static void test_which_way_a_kind_may_go(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *role;
        bool crosses, allowed;
    } row[] = {
        {RG_KIND_REQUEST, "focal", true, true},
        {RG_KIND_REQUEST, "ngo", true, false},
        {RG_KIND_PROPOSAL, "ngo", false, true},
        {RG_KIND_PROPOSAL, "ngo", true, false},
        {RG_KIND_PROPOSAL, "focal", true, false},
        {21, "ngo", true, true},
        {47, "ngo", true, true},
        {52, "ngo", true, true},
        {53, "ngo", true, false},
        {43, "focal", true, false},
        {47, "border", true, true},
        {47, "health", true, false}, /* no desk speaks abroad, but for the alerts it may write */
        {39, "health", true, false},
        {39, "health", false, true},
        {71, "partner", true, true},
        {18, "partner", true, true},
        {11, "partner", true, false},
        {4, "operator", true, false},
        {90, "health", false, true},
        {90, "focal", true, false},
        {91, "focal", true, false},
        {92, "focal", true, false},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        rg_outcome outcome = rg_kind_check_way(row[i].kind, row[i].role, row[i].crosses, NULL);
        assert_int_equal(rg_is_ok(outcome), row[i].allowed);
    }
}

static void test_decline_codes_have_names(void **state)
{
    (void)state;
    for (unsigned i = RG_DECLINE_NOT_OUR_NATIONAL; i <= RG_DECLINE_OTHER; i++) {
        const char *name = rg_decline_name((enum rg_decline_code)i);
        assert_non_null(name);
        assert_int_equal(rg_decline_find(name), i);
    }
    assert_int_equal(rg_decline_find("BORED"), 0);
    assert_null(rg_decline_name((enum rg_decline_code)0));
}

static void test_a_stored_record_holds_what_a_message_may_not(void **state)
{
    (void)state;
    struct rg_fields fields = {.count = 2};
    struct rg_fields back = {0};
    fields.item[0] = (struct rg_field_value){RG_FIELD_CASE_REF, "C1"};
    fields.item[1] = (struct rg_field_value){RG_FIELD_PROTECTION_CLAIM, "true"};
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    assert_true(rg_is_ok(rg_stored_fields_encode(&fields, &bytes, NULL)));
    assert_true(rg_is_ok(rg_stored_fields_decode(rg_buffer_peek(&bytes), &back, &memory, NULL)));
    assert_int_equal(back.count, 2);
    assert_string_equal(back.item[0].value, "C1");
    fields.item[0].value = "not a reference";
    assert_false(rg_is_ok(rg_stored_fields_encode(&fields, &bytes, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_fit_the_proto),
        cmocka_unit_test(test_content_comes_back_the_same),
        cmocka_unit_test(test_parts_arrive_where_they_belong),
        cmocka_unit_test(test_unlawful_content_is_never_encoded),
        cmocka_unit_test(test_a_section_is_bounded),
        cmocka_unit_test(test_cut_bytes_are_refused),
        cmocka_unit_test(test_what_is_accepted_has_one_encoding),
        cmocka_unit_test(test_foreign_bytes_are_held_to_the_same_rules),
        cmocka_unit_test(test_the_catalogue_is_whole),
        cmocka_unit_test(test_carried_bytes_have_a_bound_of_their_own),
        cmocka_unit_test(test_the_table_of_kinds_says_who_and_when),
        cmocka_unit_test(test_which_way_a_kind_may_go),
        cmocka_unit_test(test_decline_codes_have_names),
        cmocka_unit_test(test_a_stored_record_holds_what_a_message_may_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
