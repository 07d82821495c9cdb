/*
 * The Nth allocation fails, for every N: reading a file, keeping a record, encoding and decoding
 * content each give it up with a reason, hand out nothing and leave nothing behind (the address
 * sanitizer looks), and do it right once memory is there. The linker puts our allocators in front.
 */
#include "client/record.h"
#include "client/rules.h"
#include "tests/unit/sample_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t fail_at; /* 0: never */
static size_t asked;

static bool refuses(void)
{
    asked++;
    return asked == fail_at;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return refuses() ? NULL : __real_reallocarray(old, count, size);
}

static const char csv[] =
    "case_ref,host_country,origin_country,full_name_native,age_status,prs_Gender,"
    "prs_PrimaryLanguage,prs_Citizenship,vic_TraffickingStatus,cas_ReasonForOutgoingReferral,"
    "needs,con_Consent,consent_scopes,consent_given_by,consent_expires,urgency,alias_nickname,"
    "prs_Birthdate,dob_as_said\n"
    "C1,TH,LA,ບຸນມີ ແກ້ວ,adult,Feminine,lao,LA;MM,ActualVictimOfTrafficking,"
    "MigrationOrChangeOfLocation,interpreter,true,SHARE_IDENTITY;RETURN,person,2027-06-30,"
    "routine,\"Noi;\"\"L\"\"\",15/03/2530,18 xusui\n"
    "C2,TH,VN,Nguye\xCC\x82\xCC\x83n Thi\xCC\xA3,child,Masculine,vie,VN,,"
    "AdditionalServicesRequired,,true,SHARE_IDENTITY,guardian,2027-06-30,urgent,,,\n";

static rg_outcome sections(const struct rg_record *record, struct rg_record *back,
                           struct rg_reason *why)
{
    for (unsigned class_ = RG_CLASS_CASE; class_ <= RG_CLASS_IDENTITY; class_++) {
        struct rg_content content = {.kind = RG_KIND_DETAILS,
                                     .class_ = (enum rg_class)class_,
                                     .has_answers = true,
                                     .author = "referral://th/focal/officer-1",
                                     .body = RG_BODY_DETAILS};
        struct rg_content opened;
        RG_OWNED_BUFFER bytes = {.secret = true};
        RG_OWNED_BUFFER memory = {.secret = true};
        rg_record_fields(record, (enum rg_class)class_, &content.details);
        RG_TRY(rg_content_encode(&content, &bytes, why));
        RG_TRY(rg_content_decode(rg_buffer_peek(&bytes), &opened, &memory, why));
        RG_TRY(rg_record_merge(back, &opened, why));
    }
    return rg_ok();
}

static rg_outcome all_of_it(struct rg_buffer *json_out, struct rg_reason *why)
{
    struct rg_import_report report;
    RG_OWNED_RECORDS records = NULL;
    RG_OWNED_RECORD kept = NULL;
    RG_OWNED_RECORD back = NULL;
    RG_OWNED_BUFFER rest = {.secret = true};
    RG_TRY(rg_records_read_csv(RG_BYTES_LITERAL(csv), (struct rg_date){2026, 11, 24}, &records,
                               &report, why));
    RG_TRY(rg_record_encode(rg_records_peek(records, 0), &rest, why));
    RG_TRY(rg_record_decode(rg_buffer_peek(&rest), &kept, why));
    RG_TRY(rg_record_new(&back, why));
    RG_TRY(sections(kept, back, why));
    RG_TRY(rg_csv_header(json_out, why));
    return rg_record_csv(back, json_out, why);
}

/* A form in, over the wire, and out. jansson asks for its own memory, which is not refused here. */
static rg_outcome a_form(uint32_t kind, struct rg_buffer *json_out, struct rg_reason *why)
{
    const struct rg_form_table *table = rg_kind_row(kind)->form;
    struct rg_content content = {.kind = kind,
                                 .class_ = RG_CLASS_CASE,
                                 .has_answers = true,
                                 .author = "referral://th/focal/officer-1",
                                 .body = RG_BODY_FORM};
    struct rg_content opened;
    RG_OWNED_FORM form = NULL;
    RG_OWNED_FORM part = NULL;
    RG_OWNED_FORM read = NULL;
    RG_OWNED_BUFFER bytes = {.secret = true};
    RG_OWNED_BUFFER memory = {.secret = true};
    RG_OWNED_BUFFER json = {.secret = true};
    RG_TRY(sample_form(table, true, &form, why));
    RG_TRY(rg_form_part(form, RG_CLASS_CASE, &part, why));
    content.form = part;
    RG_TRY(rg_content_encode(&content, &bytes, why));
    RG_TRY(rg_content_decode(rg_buffer_peek(&bytes), &opened, &memory, why));
    RG_TRY(rg_form_write_json(opened.form, &json, why));
    RG_TRY(rg_form_read_json(table, rg_buffer_peek(&json), &read, why));
    RG_TRY(rg_form_template(table, "sample", json_out, why));
    return rg_form_write_json(read, json_out, why);
}

static void test_every_allocation_of_a_form_may_fail(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {RG_KIND_INFO_RESPONSE, RG_KIND_CONSENT_RECORD,
                                     RG_KIND_BEST_INTEREST, RG_KIND_NATIONALITY_REQUEST};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        RG_OWNED_BUFFER expected = {.secret = true};
        asked = 0;
        fail_at = 0;
        assert_true(rg_is_ok(a_form(kinds[i], &expected, NULL)));
        size_t all = asked;
        assert_true(all > 30);
        for (size_t n = 1; n <= all; n++) {
            RG_OWNED_BUFFER out = {.secret = true};
            struct rg_reason why = {0};
            asked = 0;
            fail_at = n;
            rg_outcome outcome = a_form(kinds[i], &out, &why);
            fail_at = 0;
            if (outcome.code != RG_IO) {
                fail_msg("kind %u, allocation %zu: %s: %s", kinds[i], n, why.id, why.text);
            }
            assert_string_equal(why.id, "out-of-memory");
        }
    }
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    RG_OWNED_BUFFER expected = {.secret = true};
    asked = 0;
    fail_at = 0;
    assert_true(rg_is_ok(all_of_it(&expected, NULL)));
    size_t all = asked;
    assert_true(all > 50);
    for (size_t n = 1; n <= all; n++) {
        RG_OWNED_BUFFER out = {.secret = true};
        struct rg_reason why = {0};
        asked = 0;
        fail_at = n;
        rg_outcome outcome = all_of_it(&out, &why);
        fail_at = 0;
        assert_int_equal(outcome.code, RG_IO);
        assert_string_equal(why.id, "out-of-memory");
    }
    RG_OWNED_BUFFER again = {.secret = true};
    assert_true(rg_is_ok(all_of_it(&again, NULL)));
    assert_true(rg_bytes_equal(rg_buffer_peek(&expected), rg_buffer_peek(&again)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_every_allocation_of_a_form_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
