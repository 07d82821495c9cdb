/* form: every kind of the catalogue, from its table: what it holds comes back the same from the
 * wire and from JSON; what is missing, unknown, too long or in the wrong section is refused. */
#include "client/message.h"
#include "tests/unit/sample_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void must(rg_outcome outcome, const struct rg_reason *why, const char *where)
{
    if (!rg_is_ok(outcome)) {
        fail_msg("%s: %s: %s", where, why->id, why->text);
    }
}

static bool is_single(const struct rg_box *box)
{
    return box->type != RG_BOX_ROWS && box->type != RG_BOX_FIELDS;
}

static struct rg_form *form_of(const struct rg_kind_row *kind, bool full)
{
    struct rg_reason why = {0};
    struct rg_form *form = NULL;
    must(sample_form(kind->form, full, &form, &why), &why, kind->name);
    return form;
}

static bool is_form(const struct rg_kind_row *kind)
{
    return kind->case_body == RG_BODY_FORM;
}

static const struct rg_kind_row *kinds(size_t *count_out)
{
    return rg_kind_rows(count_out);
}

static struct rg_content content_of(const struct rg_kind_row *kind, enum rg_class class_,
                                    const struct rg_form *form)
{
    struct rg_content content = {.kind = kind->number,
                                 .class_ = class_,
                                 .has_answers = true,
                                 .answers = {{9}},
                                 .author = "referral://th/focal/officer-1",
                                 .made = {INT64_C(1795478400000)},
                                 .language = "en",
                                 .body = RG_BODY_FORM,
                                 .form = form};
    return content;
}

static void json_of(const struct rg_form *form, struct rg_buffer *out)
{
    struct rg_reason why = {0};
    out->secret = true;
    must(rg_form_write_json(form, out, &why), &why, "json");
}

static void same(const struct rg_form *a, const struct rg_form *b, const char *where)
{
    RG_OWNED_BUFFER x = {0};
    RG_OWNED_BUFFER y = {0};
    json_of(a, &x);
    json_of(b, &y);
    if (!rg_bytes_equal(rg_buffer_peek(&x), rg_buffer_peek(&y))) {
        fail_msg("%s: %.*s\nand %.*s", where, (int)x.len, (const char *)x.data, (int)y.len,
                 (const char *)y.data);
    }
}

/* Through each section and together again. */
static void through_the_wire(const struct rg_kind_row *kind, const struct rg_form *form)
{
    struct rg_reason why = {0};
    RG_OWNED_FORM whole = NULL;
    must(rg_form_new(kind->form, &whole, &why), &why, kind->name);
    for (unsigned c = RG_CLASS_CASE; c <= RG_CLASS_SECURITY; c++) {
        enum rg_class class_ = (enum rg_class)c;
        if (class_ != RG_CLASS_CASE &&
            (rg_form_classes(form) & kind->classes & RG_CLASS_BIT(class_)) == 0) {
            continue;
        }
        RG_OWNED_FORM part = NULL;
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_OWNED_BUFFER again = {.secret = true};
        RG_OWNED_BUFFER memory = {.secret = true};
        struct rg_content back = {0};
        must(rg_form_part(form, class_, &part, &why), &why, kind->name);
        struct rg_content content = content_of(kind, class_, part);
        must(rg_content_encode(&content, &bytes, &why), &why, kind->name);
        must(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why), &why, kind->name);
        assert_int_equal(back.body, RG_BODY_FORM);
        assert_string_equal(back.language, "en");
        same(part, back.form, kind->name);
        must(rg_content_encode(&back, &again, &why), &why, kind->name);
        assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), rg_buffer_peek(&again)));
        must(rg_form_merge(whole, back.form, &why), &why, kind->name);
    }
    if ((rg_form_classes(form) & ~kind->classes) == 0) {
        same(form, whole, kind->name);
    }
}

static void test_every_kind_comes_back_the_same(void **state)
{
    (void)state;
    size_t count = 0;
    size_t forms = 0;
    size_t boxes = 0;
    struct rg_reason why = {0};
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(row[i].form);
        assert_non_null(row[i].meaning);
        if (!is_form(&row[i])) {
            continue;
        }
        RG_OWNED_FORM least = form_of(&row[i], false);
        RG_OWNED_FORM full = form_of(&row[i], true);
        unsigned all = rg_form_classes(full) | RG_CLASS_BIT(RG_CLASS_CASE);
        must(rg_form_check(least, all, &why), &why, row[i].name);
        must(rg_form_check(full, all, &why), &why, row[i].name);
        must(rg_form_check(full, all | row[i].classes, &why), &why, row[i].name);
        through_the_wire(&row[i], least);
        through_the_wire(&row[i], full);
        forms++;
        boxes += row[i].form->count;
    }
    print_message("%zu kinds in all, %zu of them forms with %zu boxes\n", count, forms, boxes);
    assert_int_equal(forms, 49 - 3 + 1);
}

static void test_what_is_required_is_missed(void **state)
{
    (void)state;
    size_t count = 0;
    size_t dropped = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; is_form(&row[i]) && k < row[i].form->count; k++) {
            const struct rg_box *box = &row[i].form->box[k];
            if (!box->required || !is_single(box)) {
                continue;
            }
            struct rg_reason why = {0};
            RG_OWNED_FORM form = form_of(&row[i], true);
            RG_OWNED_FORM part = NULL;
            RG_OWNED_BUFFER bytes = {.secret = true};
            assert_true(rg_is_ok(rg_form_set(form, box->name, rg_bytes_of(NULL, 0), NULL)));
            assert_true(rg_is_ok(rg_form_part(form, box->class_, &part, NULL)));
            struct rg_content content = content_of(&row[i], box->class_, part);
            assert_int_equal(rg_content_encode(&content, &bytes, &why).code, RG_MALFORMED);
            assert_string_equal(why.id, "content-required");
            assert_non_null(strstr(why.text, box->name));
            dropped++;
        }
    }
    assert_true(dropped > 100);
}

static void test_rows_and_conditions_are_held_to(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    RG_OWNED_FORM form = form_of(rg_kind_row(RG_KIND_NATIONALITY_RESULT), false);
    unsigned all = rg_form_classes(form);
    must(rg_form_set(form, "valid_to", rg_bytes_of(NULL, 0), &why), &why, "clear");
    assert_false(rg_is_ok(rg_form_check(form, all, &why)));
    assert_string_equal(why.id, "form-required");
    must(rg_form_set(form, "result", RG_BYTES_LITERAL("NOT_CONFIRMED"), &why), &why, "result");
    must(rg_form_check(form, all, &why), &why, "no condition holds");
    must(rg_form_set(form, "result", RG_BYTES_LITERAL("PENDING"), &why), &why, "result");
    must(rg_form_set(form, "pending_until", rg_bytes_of(NULL, 0), &why), &why, "clear");
    assert_false(rg_is_ok(rg_form_check(form, all, &why)));

    RG_OWNED_FORM risk = form_of(rg_kind_row(RG_KIND_RISK_ASSESSMENT), true);
    must(rg_form_check(risk, rg_kind_row(RG_KIND_RISK_ASSESSMENT)->classes, &why), &why, "whole");
    must(rg_form_set(risk, "measures", rg_bytes_of(NULL, 0), &why), &why, "clear");
    must(rg_form_check(risk, rg_kind_row(RG_KIND_RISK_ASSESSMENT)->classes, &why), &why,
         "not required yet");
    must(rg_form_set(risk, "verdict", RG_BYTES_LITERAL("SAFE_WITH_MEASURES"), &why), &why, "v");
    assert_false(rg_is_ok(rg_form_check(risk, rg_kind_row(RG_KIND_RISK_ASSESSMENT)->classes,
                                        &why))); /* across two sections */
    assert_non_null(strstr(why.text, "measures"));
    RG_OWNED_FORM proposal = NULL;
    RG_OWNED_FORM asks = NULL;
    must(rg_form_new(rg_kind_row(RG_KIND_HANDOVER_PROPOSAL)->form, &proposal, &why), &why, "new");
    must(rg_form_set(proposal, "cleared_on", RG_BYTES_LITERAL("2027-03-01"), &why), &why, "c");
    must(rg_form_set(proposal, "reception_desk", RG_BYTES_LITERAL("la/social"), &why), &why, "r");
    assert_false(rg_is_ok(rg_form_check(proposal, rg_kind_row(RG_KIND_HANDOVER_PROPOSAL)->classes,
                                        &why))); /* its security section lacks */
    must(rg_form_new(rg_kind_row(RG_KIND_INFO_REQUEST)->form, &asks, &why), &why, "new");
    assert_false(rg_is_ok(rg_form_check(asks, rg_kind_row(RG_KIND_INFO_REQUEST)->classes,
                                        &why))); /* asks for nothing */

    RG_OWNED_FORM done = form_of(rg_kind_row(RG_KIND_ERASURE_DONE), false);
    size_t row = 0;
    must(rg_form_row_add(done, "done", &row, &why), &why, "row");
    assert_false(rg_is_ok(rg_form_check(done, RG_CLASS_BIT(RG_CLASS_CASE), &why)));
    assert_string_equal(why.text, "done.class: required");
    must(rg_form_row_set(done, "done", row, "class", RG_BYTES_LITERAL("LEGAL"), &why), &why, "c");
    must(rg_form_row_set(done, "done", row, "done", RG_BYTES_LITERAL("KEPT"), &why), &why, "d");
    assert_false(rg_is_ok(rg_form_check(done, RG_CLASS_BIT(RG_CLASS_CASE), &why)));
    must(rg_form_row_set(done, "done", row, "basis", RG_BYTES_LITERAL("court"), &why), &why, "b");
    must(rg_form_row_set(done, "done", row, "until", RG_BYTES_LITERAL("2028-01-01"), &why), &why,
         "u");
    must(rg_form_check(done, RG_CLASS_BIT(RG_CLASS_CASE), &why), &why, "row is whole");
    assert_int_equal(rg_form_row_code(done, "done", row, "class"), RG_CLASS_LEGAL);
    assert_int_equal(
        rg_form_row_set(done, "done", 99, "class", RG_BYTES_LITERAL("LEGAL"), &why).code,
        RG_MALFORMED);
    assert_string_equal(why.id, "form-row");
}

static const char *flaw_of(const struct rg_box *box)
{
    switch ((int)box->type) {
    case RG_BOX_DATE:
        return "2027-02-30";
    case RG_BOX_MONTH:
        return "2027-03-01";
    case RG_BOX_TIME:
        return "2027-03-01T08:30:00+07:00";
    case RG_BOX_NUMBER:
        return "4000";
    case RG_BOX_LANGUAGE:
        return "zh_CN";
    case RG_BOX_OFFICE:
        return "LA/SECRET";
    default:
        return "SECRET, and not what belongs here: \x01";
    }
}

static void test_a_wrong_value_is_refused_and_not_repeated(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        RG_OWNED_FORM form = NULL;
        assert_true(rg_is_ok(rg_form_new(row[i].form, &form, NULL)));
        for (size_t k = 0; k < row[i].form->count; k++) {
            const struct rg_box *box = &row[i].form->box[k];
            struct rg_reason why = {0};
            if (!is_single(box)) {
                continue;
            }
            rg_outcome outcome = rg_form_set(form, box->name, rg_bytes_of_text(flaw_of(box)), &why);
            assert_true(outcome.code == RG_MALFORMED || outcome.code == RG_LIMIT);
            assert_null(strstr(why.text, "SECRET"));
            assert_non_null(strstr(why.text, box->name));
            assert_string_equal(rg_form_get(form, box->name), "");
            if (box->type == RG_BOX_CODE) {
                outcome = rg_form_set(form, box->name, RG_BYTES_LITERAL("NO_SUCH_CODE"), &why);
                assert_int_equal(outcome.code, RG_MALFORMED);
                assert_string_equal(why.id, "form-code");
                assert_non_null(strstr(why.text, rg_box_codes(box)[0]));
            }
        }
    }
}

static void test_a_value_that_is_too_long_is_refused(void **state)
{
    (void)state;
    static char text[RG_FIELD_BYTES_MAX * 32];
    size_t count = 0;
    size_t tried = 0;
    const struct rg_kind_row *row = kinds(&count);
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < count; i++) {
        RG_OWNED_FORM form = NULL;
        assert_true(rg_is_ok(rg_form_new(row[i].form, &form, NULL)));
        for (size_t k = 0; k < row[i].form->count; k++) {
            const struct rg_box *box = &row[i].form->box[k];
            struct rg_reason why = {0};
            if (!is_single(box) || box->many) {
                continue;
            }
            size_t most = rg_box_bytes_max(box);
            assert_int_equal(rg_form_set(form, box->name, rg_bytes_of(text, most + 1), &why).code,
                             RG_LIMIT);
            assert_string_equal(why.id, "form-limit");
            if (box->type == RG_BOX_LINE || box->type == RG_BOX_WORDS) {
                must(rg_form_set(form, box->name, rg_bytes_of(text, most), &why), &why, box->name);
                tried++;
            }
        }
    }
    assert_true(tried > 20);
}

static void test_a_value_stays_in_the_section_of_its_class(void **state)
{
    (void)state;
    size_t count = 0;
    size_t tried = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        for (unsigned c = RG_CLASS_IDENTITY; is_form(&row[i]) && c <= RG_CLASS_SECURITY; c++) {
            enum rg_class class_ = (enum rg_class)c;
            RG_OWNED_FORM form = form_of(&row[i], true);
            RG_OWNED_FORM part = NULL;
            RG_OWNED_BUFFER bytes = {.secret = true};
            struct rg_reason why = {0};
            if ((rg_form_classes(form) & RG_CLASS_BIT(class_)) == 0) {
                continue;
            }
            assert_true(rg_is_ok(rg_form_part(form, class_, &part, NULL)));
            struct rg_content content = content_of(&row[i], RG_CLASS_CASE, part);
            assert_int_equal(rg_content_encode(&content, &bytes, &why).code, RG_MALFORMED);
            assert_string_equal(why.id, "content-class");
            tried++;
        }
    }
    assert_true(tried > 20);
}

/* Class 0 in a table: the dictionary decides, and a row follows its field. */
static void test_a_row_travels_with_its_field(void **state)
{
    (void)state;
    struct rg_reason why = {0};
    RG_OWNED_FORM form = NULL;
    size_t row = 0;
    must(rg_form_new(rg_kind_row(RG_KIND_INFO_RESPONSE)->form, &form, &why), &why, "new");
    must(rg_form_row_add(form, "answers", &row, &why), &why, "row");
    assert_false(rg_is_ok(
        rg_form_row_set(form, "answers", row, "value", RG_BYTES_LITERAL("Feminine"), &why)));
    assert_string_equal(why.id, "form-required");
    must(rg_form_row_set(form, "answers", row, "field", RG_BYTES_LITERAL("father_name"), &why),
         &why, "field");
    must(rg_form_row_set(form, "answers", row, "state", RG_BYTES_LITERAL("VALUE"), &why), &why,
         "state");
    must(rg_form_row_set(form, "answers", row, "value", RG_BYTES_LITERAL(" Keo "), &why), &why,
         "value");
    assert_string_equal(rg_form_row_get(form, "answers", row, "value"), "Keo");
    assert_int_equal(rg_form_classes(form), RG_CLASS_BIT(RG_CLASS_FAMILY));
    must(rg_form_row_set(form, "answers", row, "field", RG_BYTES_LITERAL("prs_Gender"), &why), &why,
         "another field");
    assert_string_equal(rg_form_row_get(form, "answers", row, "value"), "");
    assert_false(
        rg_is_ok(rg_form_row_set(form, "answers", row, "value", RG_BYTES_LITERAL("Keo"), &why)));
    assert_false(rg_is_ok(
        rg_form_row_set(form, "answers", row, "field", RG_BYTES_LITERAL("case_ref"), &why)));
    assert_int_equal(rg_form_classes(form), RG_CLASS_BIT(RG_CLASS_IDENTITY));
    assert_false(
        rg_is_ok(rg_form_field_set(form, RG_FIELD_PRS_GENDER, RG_BYTES_LITERAL("Feminine"), &why)));
}

static void test_texts_are_brought_to_one_form(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *box, *given, *kept;
    } row[] = {
        {20, "scopes", "RETURN; SHARE_IDENTITY;RETURN", "SHARE_IDENTITY;RETURN"},
        {20, "countries", "la;TH;la", "la;th"},
        {20, "given_on", "២០២៧-០៣-០១", "2027-03-01"},
        {20, "interpreter", "True", "true"},
        {40, "point", "th-la-1", "TH-LA-1"},
        {63, "currency", "thb", "THB"},
        {63, "amount", "๑๒๕๐.๕๐", "1250.50"},
        {36, "guardian_name", "Nguye\xCC\x82\xCC\x83n", "Nguyễn"},
        {16, "text", "  two\r\nlines ", "two\nlines"},
        {12, "desk", "la/focal", "la/focal"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        struct rg_reason why = {0};
        RG_OWNED_FORM form = NULL;
        must(rg_form_new(rg_kind_row(row[i].kind)->form, &form, &why), &why, row[i].box);
        must(rg_form_set(form, row[i].box, rg_bytes_of_text(row[i].given), &why), &why, row[i].box);
        assert_string_equal(rg_form_get(form, row[i].box), row[i].kept);
        must(rg_form_set(form, row[i].box, rg_bytes_of_text(rg_form_get(form, row[i].box)), &why),
             &why, row[i].box);
        assert_string_equal(rg_form_get(form, row[i].box), row[i].kept);
    }
}

static void test_values_are_read_as_what_they_are(void **state)
{
    (void)state;
    RG_OWNED_FORM consent = form_of(rg_kind_row(RG_KIND_CONSENT_RECORD), true);
    RG_OWNED_FORM record = form_of(rg_kind_row(RG_KIND_HANDOVER_RECORD), true);
    RG_OWNED_FORM proposal = form_of(rg_kind_row(RG_KIND_HANDOVER_PROPOSAL), true);
    struct rg_date date = {0};
    struct rg_wall wall = {0};
    struct rg_id id = {{0}};
    assert_true(rg_form_date(consent, "expires_on", &date));
    assert_int_equal(date.day, 1);
    assert_true(rg_form_time(record, "time", &wall));
    assert_int_equal(wall.ms, INT64_C(1803889800000));
    assert_true(rg_form_id(consent, "replaces", &id));
    assert_int_equal(id.b[31], 0xff);
    assert_int_equal(rg_form_codes(consent, "scopes"), RG_SCOPE_BIT(RG_SCOPE_NOTIFY_ORIGIN));
    assert_int_equal(rg_form_code(record, "outcome"), 1);
    assert_true(rg_form_is(record, "outcome", "PRESENT"));
    assert_true(rg_form_true(consent, "interpreter"));
    assert_int_equal(rg_form_number(proposal, "persons"), 7);
    assert_int_equal(rg_form_row_count(proposal, "needs_totals"), 2);
    assert_false(rg_form_date(record, "outcome", &date));
    assert_string_equal(rg_form_get(record, "no such box"), "");
    assert_int_equal(rg_form_row_count(record, "no such list"), 0);
}

/* Whatever a changed byte makes of it: refused with a reason, or the only encoding of what it says.
 */
static void test_changed_bytes_have_one_encoding_or_none(void **state)
{
    (void)state;
    size_t count = 0;
    size_t refused = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        for (unsigned c = RG_CLASS_CASE; is_form(&row[i]) && c <= RG_CLASS_SECURITY; c++) {
            RG_OWNED_FORM form = form_of(&row[i], true);
            RG_OWNED_FORM part = NULL;
            RG_OWNED_BUFFER bytes = {.secret = true};
            assert_true(rg_is_ok(rg_form_part(form, (enum rg_class)c, &part, NULL)));
            struct rg_content content = content_of(&row[i], (enum rg_class)c, part);
            if (!rg_is_ok(rg_content_encode(&content, &bytes, NULL))) {
                continue;
            }
            for (size_t at = 0; at < bytes.len; at++) {
                struct rg_content back = {0};
                struct rg_reason why = {0};
                RG_OWNED_BUFFER memory = {.secret = true};
                RG_OWNED_BUFFER again = {.secret = true};
                uint8_t bit = (uint8_t)(1u << at % 8);
                bytes.data[at] ^= bit;
                if (rg_is_ok(rg_content_decode(rg_buffer_peek(&bytes), &back, &memory, &why))) {
                    must(rg_content_encode(&back, &again, &why), &why, row[i].name);
                    assert_true(rg_bytes_equal(rg_buffer_peek(&bytes), rg_buffer_peek(&again)));
                } else {
                    assert_int_equal(strncmp(why.id, "content-", 8), 0);
                    refused++;
                }
                bytes.data[at] ^= bit;
            }
        }
    }
    assert_true(refused > 3000);
}

static void test_json_keeps_everything(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        RG_OWNED_FORM form = form_of(&row[i], true);
        RG_OWNED_FORM back = NULL;
        RG_OWNED_BUFFER json = {0};
        struct rg_reason why = {0};
        json_of(form, &json);
        must(rg_form_read_json(row[i].form, rg_buffer_peek(&json), &back, &why), &why, row[i].name);
        same(form, back, row[i].name);
    }
}

static void test_a_template_is_a_form_to_fill_in(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        RG_OWNED_FORM form = NULL;
        RG_OWNED_BUFFER json = {0};
        struct rg_reason why = {0};
        must(rg_form_template(row[i].form, row[i].name, &json, &why), &why, row[i].name);
        must(rg_form_read_json(row[i].form, rg_buffer_peek(&json), &form, &why), &why, row[i].name);
        assert_int_equal(rg_form_value_count(form), 0);
        must(rg_buffer_append(&json, rg_bytes_of("", 1), &why), &why, "end");
        for (size_t k = 0; k < row[i].form->count; k++) {
            char key[80];
            (void)snprintf(key, sizeof(key), "\"%s\": ", row[i].form->box[k].name);
            assert_non_null(strstr((const char *)json.data, key));
        }
    }
}

static void test_json_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *json, *id, *text;
    } row[] = {
        {35, "[]", "form-json", "object"},
        {35, "{\"verdict\":\"SAFE\"", "form-json", "line"},
        {35, "{\"verdict\":\"SAFE\",\"verdict\":\"SAFE\"}", "form-json", "twice"},
        {35, "{\"SECRET\":\"x\"}", "form-field", "RiskAssessment"},
        {35, "{\"verdict\":\"SECRET\"}", "form-code", "verdict"},
        {35, "{\"verdict\":[\"SAFE\",{}]}", "form-json", "verdict"},
        {35, "{\"areas\":{}}", "form-json", "areas"},
        {35, "{\"areas\":[{\"area\":\"DEBT\"},{\"level\":\"SECRET\"}]}", "form-code",
         "areas, row 2: level"},
        {35, "{\"areas\":[{\"SECRET\":1}]}", "form-field", "areas, row 1"},
        {40, "{\"persons\":1.5}", "form-json", "persons"},
        {40, "{\"persons\":101}", "form-value", "persons"},
        {30, "{\"fields\":{\"SECRET\":\"x\"}}", "form-field", "fields"},
        {30, "{\"fields\":{\"prs_Gender\":\"SECRET\"}}", "form-value", "prs_Gender"},
        {30, "{\"fields\":{\"case_ref\":\"SECRET\"}}", "form-field", "message"},
        {20, "{\"countries\":[\"th;la\"]}", "form-json", "countries"},
    };
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        RG_OWNED_FORM form = NULL;
        struct rg_reason why = {0};
        rg_outcome outcome = rg_form_read_json(rg_kind_row(row[i].kind)->form,
                                               rg_bytes_of_text(row[i].json), &form, &why);
        assert_int_equal(outcome.code, RG_MALFORMED);
        if (strcmp(why.id, row[i].id) != 0 || strstr(why.text, row[i].text) == NULL ||
            strstr(why.text, "SECRET") != NULL) {
            fail_msg("row %zu: %s: %s", i, why.id, why.text);
        }
    }
}

/* No box of a kind is of a class that the kind has no section for, and no section is without a box.
 */
static void test_the_tables_are_sound(void **state)
{
    (void)state;
    size_t count = 0;
    const struct rg_kind_row *row = kinds(&count);
    for (size_t i = 0; i < count; i++) {
        const struct rg_form_table *table = row[i].form;
        unsigned fixed = RG_CLASS_BIT(RG_CLASS_CASE);
        bool open = false;
        for (size_t k = 0; k < table->count; k++) {
            const struct rg_box *box = &table->box[k];
            assert_int_equal(box->number, k + 1);
            assert_non_null(box->meaning);
            assert_true((box->type == RG_BOX_ROWS) == (box->rows != NULL));
            bool coded = box->type == RG_BOX_CODE || box->type == RG_BOX_CODES;
            assert_true(coded == (rg_box_codes(box) != NULL));
            assert_ptr_equal(rg_form_box(table, box->name), box);
            fixed |= box->class_ == 0 ? 0 : RG_CLASS_BIT(box->class_);
            open = open || box->class_ == 0;
        }
        if (row[i].number < RG_KIND_DESK_DRAFT && (fixed & ~row[i].classes) != 0) {
            fail_msg("%s has a box without a section", row[i].name);
        }
        if (row[i].number < RG_KIND_DESK_DRAFT && !open && fixed != row[i].classes) {
            fail_msg("%s has a section without a box", row[i].name);
        }
    }
}

/* Health is voluntary: nothing here may make a test a condition, or tell of one. */
static void test_no_box_asks_for_a_test(void **state)
{
    (void)state;
    static const char *const never[] = {"hiv", "pregnan", "test", "virgin", "std_"};
    const struct rg_form_table *table = rg_kind_row(RG_KIND_HEALTH_SUMMARY)->form;
    for (size_t k = 0; k < table->count; k++) {
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
            assert_null(strstr(table->box[k].name, never[i]));
        }
    }
    const char *const *needs = rg_box_codes(rg_form_box(table, "needs"));
    for (; *needs != NULL; needs++) {
        for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
            assert_null(strstr(*needs, never[i]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tables_are_sound),
        cmocka_unit_test(test_every_kind_comes_back_the_same),
        cmocka_unit_test(test_what_is_required_is_missed),
        cmocka_unit_test(test_rows_and_conditions_are_held_to),
        cmocka_unit_test(test_a_wrong_value_is_refused_and_not_repeated),
        cmocka_unit_test(test_a_value_that_is_too_long_is_refused),
        cmocka_unit_test(test_a_value_stays_in_the_section_of_its_class),
        cmocka_unit_test(test_a_row_travels_with_its_field),
        cmocka_unit_test(test_texts_are_brought_to_one_form),
        cmocka_unit_test(test_values_are_read_as_what_they_are),
        cmocka_unit_test(test_changed_bytes_have_one_encoding_or_none),
        cmocka_unit_test(test_json_keeps_everything),
        cmocka_unit_test(test_a_template_is_a_form_to_fill_in),
        cmocka_unit_test(test_json_is_refused_by_name),
        cmocka_unit_test(test_no_box_asks_for_a_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
