/*
 * How it works: `rg_content_check` asks the kind's row which body belongs into the section, and
 * then the check of that body. It runs before encoding and after decoding, so what one side passes
 * the other passes. Nothing here knows the wire.
 */
#include "client/message_inside.h"

#include "core/syntax.h"

#include <stdio.h>
#include <string.h>

#define CODE_MAX 32 /* no list is longer */

/* Ids of the codec and of forms, and what they are called here. */
rg_outcome rg_content_failed(rg_outcome outcome, const struct rg_reason *inner,
                             struct rg_reason *why)
{
    static const struct {
        const char *from, *to;
    } name[] = {
        {"form-field", "content-field"},       {"form-value", "content-field"},
        {"form-row", "content-field"},         {"form-code", "content-code"},
        {"form-required", "content-required"}, {"form-class", "content-class"},
    };
    if (outcome.code == RG_LIMIT) {
        return rg_fail(why, RG_LIMIT, "content-limit", "%s", inner->text);
    }
    for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        if (strcmp(inner->id, name[i].from) == 0) {
            return rg_fail(why, RG_MALFORMED, name[i].to, "%s", inner->text);
        }
    }
    if (outcome.code == RG_MALFORMED) {
        return rg_fail(why, RG_MALFORMED, "content-form", "%s", inner->text);
    }
    return rg_fail(why, outcome.code, inner->id, "%s", inner->text);
}

/* A value is in its normal form when normalising changes nothing. */
static rg_outcome value_check(const struct rg_field_value *value, struct rg_buffer *normal,
                              struct rg_reason *why)
{
    const char *name = rg_field_row(value->field)->name;
    struct rg_reason inner = {0};
    struct rg_bytes given = rg_bytes_of_text(value->value == NULL ? "" : value->value);
    rg_outcome outcome = rg_field_check(value->field, given, normal, &inner);
    RG_CHECK(outcome.code != RG_IO, why, RG_IO, "out-of-memory", "%s", inner.text);
    RG_CHECK(rg_is_ok(outcome), why, RG_MALFORMED, "content-field", "%s: %s", name, inner.text);
    RG_CHECK(given.len > 0 && rg_bytes_equal(given, rg_buffer_peek(normal)), why, RG_MALFORMED,
             "content-field", "%s: not in its normal form", name);
    return rg_ok();
}

rg_outcome rg_content_fields_check(const struct rg_fields *fields, struct rg_reason *why)
{
    RG_CHECK(fields->count <= RG_FIELD_COUNT, why, RG_LIMIT, "content-limit", "too many fields");
    RG_OWNED_BUFFER normal = {.secret = true};
    uint32_t before = 0;
    for (size_t i = 0; i < fields->count; i++) {
        const struct rg_field_value *value = &fields->item[i];
        RG_CHECK((unsigned)value->field < RG_FIELD_COUNT, why, RG_MALFORMED, "content-field",
                 "a field that the dictionary does not know");
        const struct rg_field_row *row = rg_field_row(value->field);
        RG_CHECK(row->number > before, why, RG_MALFORMED, "content-field",
                 "%s: fields are not in number order", row->name);
        before = row->number;
        RG_TRY(value_check(value, &normal, why));
    }
    return rg_ok();
}

/* The class of a field is the section it travels in; nothing else decides. */
static rg_outcome details_check(const struct rg_fields *fields, enum rg_class class_,
                                struct rg_reason *why)
{
    RG_TRY(rg_content_fields_check(fields, why));
    for (size_t i = 0; i < fields->count; i++) {
        const struct rg_field_row *row = rg_field_row(fields->item[i].field);
        RG_CHECK(row->class_ == class_, why, RG_MALFORMED, "content-field",
                 "%s belongs in the %s section, not in %s", row->name, rg_class_name(row->class_),
                 rg_class_name(class_));
        RG_CHECK(rg_field_crosses(fields->item[i].field), why, RG_MALFORMED, "content-field",
                 "%s never stands in a message", row->name);
    }
    return rg_ok();
}

static bool is_full_date(struct rg_date date)
{
    char text[16];
    struct rg_date back;
    if (date.year < 0 || date.month < 0 || date.day < 0 || date.year > 9999 || date.month > 99 ||
        date.day > 99) {
        return false;
    }
    int len = snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
    return len == 10 && rg_date_parse(rg_bytes_of(text, 10), &back);
}

static rg_outcome preview_check(const struct rg_preview *preview, struct rg_reason *why)
{
    struct rg_date month = preview->expected_month;
    RG_CHECK(preview->age == RG_AGE_ADULT || preview->age == RG_AGE_CHILD, why, RG_MALFORMED,
             "content-code", "age: adult or child");
    RG_CHECK(rg_code_text(RG_FIELD_PRS_GENDER, preview->sex) != NULL, why, RG_MALFORMED,
             "content-code", "sex: not a position of the list prs_Gender");
    for (uint32_t i = 1; i <= CODE_MAX; i++) {
        bool named = rg_code_text(RG_FIELD_NEEDS, i) != NULL;
        RG_CHECK(named || (preview->needs >> (i - 1) & 1u) == 0, why, RG_MALFORMED, "content-code",
                 "needs: not a position of the list needs");
    }
    RG_CHECK(month.year == 0 ||
                 (month.day == 0 && is_full_date((struct rg_date){month.year, month.month, 1})),
             why, RG_MALFORMED, "content-code", "expected month: not a month");
    RG_CHECK(is_full_date(preview->consent.expires), why, RG_MALFORMED, "content-code",
             "consent expires: not a full date");
    RG_OWNED_BUFFER normal = {0};
    struct rg_field_value language = {RG_FIELD_PRS_PRIMARY_LANGUAGE, preview->language};
    return preview->language[0] == '\0' ? rg_ok() : value_check(&language, &normal, why);
}

/* `what` may be empty or NULL when it is not needed. */
static rg_outcome words_check(const char *words, bool needed, const char *what,
                              struct rg_reason *why)
{
    struct rg_bytes given = rg_bytes_of_text(words == NULL ? "" : words);
    RG_OWNED_BUFFER normal = {.secret = true};
    struct rg_reason inner = {0};
    rg_outcome outcome =
        rg_text_normal(given, RG_ANSWER_TEXT_BYTES_MAX, RG_TEXT_LINES, &normal, &inner);
    RG_CHECK(outcome.code != RG_IO, why, RG_IO, "out-of-memory", "%s", inner.text);
    RG_CHECK(rg_is_ok(outcome), why, RG_MALFORMED, "content-text", "%s: %s", what, inner.text);
    RG_CHECK(rg_bytes_equal(given, rg_buffer_peek(&normal)), why, RG_MALFORMED, "content-text",
             "%s: not in NFC, or with blanks around it", what);
    RG_CHECK(given.len > 0 || !needed, why, RG_MALFORMED, "content-text", "%s: needed", what);
    return rg_ok();
}

static rg_outcome accept_check(const struct rg_accept *accept, struct rg_reason *why)
{
    RG_CHECK(accept->desk != NULL && rg_syntax_office(rg_bytes_of_text(accept->desk)), why,
             RG_MALFORMED, "content-text", "desk: an office name, as kh/focal");
    RG_TRY(words_check(accept->contact_route, true, "contact route", why));
    return words_check(accept->next_steps, true, "next steps", why);
}

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static rg_outcome decline_check(const struct rg_decline *decline, struct rg_reason *why)
{
    RG_CHECK(rg_decline_name(decline->code) != NULL, why, RG_MALFORMED, "content-code",
             "decline: not one of its codes");
    RG_CHECK(!is_set(decline->suggested_party) ||
                 rg_syntax_office(rg_bytes_of_text(decline->suggested_party)),
             why, RG_MALFORMED, "content-text", "suggested party: an office name, as kh/focal");
    return words_check(decline->text, decline->code == RG_DECLINE_OTHER, "reason in words", why);
}

static rg_outcome proposal_check(const struct rg_proposal *proposal, struct rg_reason *why)
{
    RG_TRY(preview_check(&proposal->preview, why));
    RG_CHECK(rg_syntax_country(rg_bytes_of_text(proposal->origin_country)), why, RG_MALFORMED,
             "content-text", "origin country: a country as in office names");
    RG_OWNED_BUFFER normal = {.secret = true};
    struct rg_field_value case_ref = {RG_FIELD_CASE_REF, proposal->case_ref};
    RG_TRY(value_check(&case_ref, &normal, why));
    return details_check(&proposal->fields, RG_CLASS_CASE, why);
}

static rg_outcome form_check(const struct rg_content *content, struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(content->kind);
    RG_CHECK(content->form != NULL && rg_form_table_of(content->form) == row->form, why,
             RG_MALFORMED, "content-body", "not a form of %s", row->name);
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_form_check(content->form, RG_CLASS_BIT(content->class_), &inner);
    return rg_is_ok(outcome) ? outcome : rg_content_failed(outcome, &inner, why);
}

static rg_outcome desk_draft_check(const struct rg_desk_draft *draft, struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(draft->kind);
    RG_CHECK(row != NULL && row->way != RG_WAY_DOMESTIC, why, RG_MALFORMED, "content-kind",
             "a draft is of a kind that crosses the border");
    RG_CHECK(rg_syntax_country(rg_bytes_of_text(draft->to_country)), why, RG_MALFORMED,
             "content-text", "to country: a country as in office names");
    RG_CHECK(draft->content.len > 0, why, RG_MALFORMED, "content-field", "draft: content");
    return rg_ok();
}

static rg_outcome countersign_check(const struct rg_countersign *request, struct rg_reason *why)
{
    RG_CHECK(request->count >= 1 && request->count <= RG_CLASS_COUNT, why, RG_MALFORMED,
             "content-field", "countersign: one part per class");
    unsigned before = 0;
    for (size_t i = 0; i < request->count; i++) {
        unsigned class_ = (unsigned)request->section[i].class_;
        RG_CHECK(class_ > before && class_ <= RG_CLASS_COUNT, why, RG_MALFORMED, "content-class",
                 "countersign: classes ascending, each once");
        before = class_;
    }
    return rg_ok();
}

static rg_outcome body_check(const struct rg_content *content, struct rg_reason *why)
{
    switch (content->body) {
    case RG_BODY_PREVIEW:
        return preview_check(&content->preview, why);
    case RG_BODY_DETAILS:
        return details_check(&content->details, content->class_, why);
    case RG_BODY_ACCEPT:
        return accept_check(&content->accept, why);
    case RG_BODY_DECLINE:
        return decline_check(&content->decline, why);
    case RG_BODY_PROPOSAL:
        return proposal_check(&content->proposal, why);
    case RG_BODY_ACKNOWLEDGEMENT:
    case RG_BODY_WITHHELD:
        return rg_ok();
    case RG_BODY_FORM:
        return form_check(content, why);
    case RG_BODY_DESK_DRAFT:
        return desk_draft_check(&content->desk_draft, why);
    case RG_BODY_COUNTERSIGN:
        return countersign_check(&content->countersign, why);
    case RG_BODY_FORWARDED:
        RG_CHECK(content->forwarded.core.len > 0 && content->forwarded.sealed.len > 0, why,
                 RG_MALFORMED, "content-field", "forwarded: core and sealed bytes");
        return rg_ok();
    case RG_BODY_NONE:
        break;
    }
    return rg_fail(why, RG_MALFORMED, "content-body", "no body");
}

static rg_outcome labels_check(const struct rg_content *content, struct rg_reason *why)
{
    RG_CHECK(content->label_count <= RG_CLASS_COUNT, why, RG_LIMIT, "content-limit",
             "too many labels");
    RG_CHECK(content->label_count == 0 || content->class_ == RG_CLASS_CASE, why, RG_MALFORMED,
             "content-label", "only the case section has labels");
    unsigned before = RG_CLASS_CASE;
    for (size_t i = 0; i < content->label_count; i++) {
        const struct rg_label *label = &content->label[i];
        RG_CHECK((unsigned)label->class_ > before, why, RG_MALFORMED, "content-label",
                 "labels: other classes than case, ascending, each once");
        before = (unsigned)label->class_;
        RG_CHECK(label->state == RG_LABEL_ATTACHED || label->index == 0, why, RG_MALFORMED,
                 "content-label", "only an attached section has an index");
    }
    return rg_ok();
}

/* Danger to life opens identity and what is needed to act, never more. */
static rg_outcome vital_check(const struct rg_content *content, struct rg_reason *why)
{
    const struct rg_vital *vital = &content->vital;
    unsigned most = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY) |
                    RG_CLASS_BIT(RG_CLASS_SECURITY);
    if (!vital->present) {
        bool none = vital->decided_by[0] == '\0' && vital->opened == 0 && !is_set(vital->reason);
        RG_CHECK(none, why, RG_MALFORMED, "content-vital", "vital interest: all of it or nothing");
        return rg_ok();
    }
    RG_CHECK(vital->opened != 0 && (vital->opened & ~most) == 0, why, RG_MALFORMED, "content-vital",
             "vital interest: opens case, identity and security at most");
    RG_CHECK(rg_syntax_principal(rg_bytes_of_text(vital->decided_by)), why, RG_MALFORMED,
             "content-vital", "vital interest: must name who decided");
    return words_check(vital->reason, true, "vital interest", why);
}

static rg_outcome common_check(const struct rg_content *content, struct rg_reason *why)
{
    static const struct rg_box language = {.name = "language", .type = RG_BOX_LANGUAGE};
    RG_OWNED_BUFFER normal = {0};
    struct rg_reason inner = {0};
    if (content->language[0] != '\0') {
        rg_outcome outcome =
            rg_box_check(&language, NULL, rg_bytes_of_text(content->language), &normal, &inner);
        RG_CHECK(rg_is_ok(outcome) || outcome.code == RG_IO, why, RG_MALFORMED, "content-text",
                 "%s", inner.text);
        RG_TRY(outcome);
    }
    RG_CHECK(content->second_author[0] == '\0' ||
                 strcmp(content->second_author, content->author) != 0,
             why, RG_MALFORMED, "content-text", "second author: another officer than the first");
    RG_TRY(vital_check(content, why));
    return labels_check(content, why);
}

rg_outcome rg_content_check(const struct rg_content *content, struct rg_reason *why)
{
    const struct rg_kind_row *row = rg_kind_row(content->kind);
    RG_CHECK(row != NULL, why, RG_MALFORMED, "content-kind", "no kind has this number");
    RG_CHECK((unsigned)content->class_ - 1 < RG_CLASS_COUNT &&
                 (row->classes & RG_CLASS_BIT(content->class_)) != 0,
             why, RG_MALFORMED, "content-class", "%s has no %s section", row->name,
             rg_class_name(content->class_));
    enum rg_body body = content->class_ == RG_CLASS_CASE ? row->case_body : row->other_body;
    RG_CHECK(body != RG_BODY_NONE, why, RG_MALFORMED, "content-kind",
             "%s is not spoken by this version", row->name);
    bool other = content->body == RG_BODY_WITHHELD || content->body == RG_BODY_FORWARDED;
    bool stands_in = other && content->class_ != RG_CLASS_CASE &&
                     (body == RG_BODY_DETAILS || body == RG_BODY_FORM);
    RG_CHECK(content->body == body || stands_in, why, RG_MALFORMED, "content-body",
             "%s has another body in its %s section", row->name, rg_class_name(content->class_));
    RG_CHECK(content->has_answers || !row->needs_answers, why, RG_MALFORMED, "content-answers",
             "%s must name the message it answers", row->name);
    RG_TRY(common_check(content, why));
    return body_check(content, why);
}
