/*
 * How it works: one secret buffer per record holds all texts, each ended by NUL; `at` says where a
 * field's text begins, 0 that it is empty (place 0 holds a lone NUL). A changed text is wiped where
 * it stood and put at the end. Invariant: every text that is here has passed rg_field_check and is
 * the normal form it gave. CSV is in record_csv.c, JSON in record_json.c.
 */
#include "client/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rg_record {
    struct rg_buffer text;
    uint32_t at[RG_FIELD_COUNT];
};

_Static_assert(RG_RECORD_BYTES_MAX <= UINT32_MAX, "places fit");

rg_outcome rg_record_new(struct rg_record **record_out, struct rg_reason *why)
{
    struct rg_record *record = calloc(1, sizeof(*record));
    RG_CHECK(record != NULL, why, RG_IO, "out-of-memory", "cannot allocate a record");
    record->text.secret = true;
    record->text.limit = RG_RECORD_BYTES_MAX;
    rg_outcome outcome = rg_buffer_append(&record->text, rg_bytes_of("", 1), why);
    if (!rg_is_ok(outcome)) {
        rg_record_free(record);
        return outcome;
    }
    *record_out = record;
    return rg_ok();
}

void rg_record_free(struct rg_record *record)
{
    if (record != NULL) {
        rg_buffer_drop(&record->text);
        free(record);
    }
}

void rg_record_cleanup(struct rg_record **record)
{
    rg_record_free(*record);
    *record = NULL;
}

const char *rg_record_get(const struct rg_record *record, enum rg_field field)
{
    RG_ASSERT((unsigned)field < RG_FIELD_COUNT);
    return (const char *)record->text.data + record->at[field];
}

bool rg_record_has(const struct rg_record *record, enum rg_field field)
{
    return rg_record_get(record, field)[0] != '\0';
}

uint32_t rg_record_code(const struct rg_record *record, enum rg_field field)
{
    return rg_code_find(field, rg_bytes_of_text(rg_record_get(record, field)));
}

uint32_t rg_record_codes(const struct rg_record *record, enum rg_field field)
{
    return rg_codes_set(field, rg_record_get(record, field));
}

static void forget(struct rg_record *record, enum rg_field field)
{
    if (record->at[field] != 0) {
        char *old = (char *)record->text.data + record->at[field];
        explicit_bzero(old, strlen(old));
        record->at[field] = 0;
    }
}

static rg_outcome keep(struct rg_record *record, enum rg_field field, struct rg_bytes normal,
                       struct rg_reason *why)
{
    RG_CHECK(normal.len + 1 <= RG_RECORD_BYTES_MAX - record->text.len, why, RG_LIMIT,
             "record-limit", "more than %d bytes in one case", RG_RECORD_BYTES_MAX);
    RG_TRY(rg_buffer_reserve(&record->text, normal.len + 1, why));
    forget(record, field);
    uint32_t at = (uint32_t)record->text.len;
    RG_TRY(rg_buffer_append(&record->text, normal, why));
    RG_TRY(rg_buffer_append(&record->text, rg_bytes_of("", 1), why));
    record->at[field] = at;
    return rg_ok();
}

rg_outcome rg_record_set(struct rg_record *record, enum rg_field field, struct rg_bytes value,
                         struct rg_reason *why)
{
    RG_OWNED_BUFFER normal = {.secret = true};
    RG_TRY(rg_field_check(field, value, &normal, why));
    if (normal.len == 0) {
        forget(record, field);
        return rg_ok();
    }
    return keep(record, field, rg_buffer_peek(&normal), why);
}

bool rg_record_is_child(const struct rg_record *record)
{
    return rg_record_code(record, RG_FIELD_AGE_STATUS) != RG_AGE_ADULT;
}

enum rg_referral_reason rg_record_reason(const struct rg_record *record)
{
    uint32_t stated = rg_record_code(record, RG_FIELD_REFERRAL_REASON);
    if (stated != 0) {
        return (enum rg_referral_reason)stated;
    }
    const char *htcds = rg_record_get(record, RG_FIELD_CAS_REASON_FOR_OUTGOING_REFERRAL);
    if (strcmp(htcds, "MigrationOrChangeOfLocation") == 0) {
        return RG_REASON_RETURN;
    }
    return strcmp(htcds, "AdditionalServicesRequired") == 0 ? RG_REASON_SERVICES
                                                            : (enum rg_referral_reason)0;
}

/* Year 0 when the field is empty. */
static struct rg_date date_of(const struct rg_record *record, enum rg_field field)
{
    struct rg_date date = {0};
    (void)rg_date_parse(rg_bytes_of_text(rg_record_get(record, field)), &date);
    return date;
}

rg_outcome rg_record_preview(const struct rg_record *record, struct rg_preview *preview_out,
                             struct rg_reason *why)
{
    struct rg_preview preview = {
        .reason = rg_record_reason(record),
        .age = rg_record_is_child(record) ? RG_AGE_CHILD : RG_AGE_ADULT,
        .sex = rg_record_code(record, RG_FIELD_PRS_GENDER),
        .needs = rg_record_codes(record, RG_FIELD_NEEDS),
        .urgency = (enum rg_urgency)rg_record_code(record, RG_FIELD_URGENCY),
        .expected_month = date_of(record, RG_FIELD_EXPECTED_MONTH),
        .consent.scopes = rg_record_codes(record, RG_FIELD_CONSENT_SCOPES),
        .consent.given_by = (enum rg_given_by)rg_record_code(record, RG_FIELD_CONSENT_GIVEN_BY),
        .consent.expires = date_of(record, RG_FIELD_CONSENT_EXPIRES),
    };
    (void)snprintf(preview.language, sizeof(preview.language), "%s",
                   rg_record_get(record, RG_FIELD_PRS_PRIMARY_LANGUAGE));
    RG_CHECK(preview.reason != 0 && preview.sex != 0 && preview.urgency != 0, why, RG_MALFORMED,
             "record-form", "reason, sex and urgency are needed for a preview");
    RG_CHECK(preview.consent.scopes != 0 && preview.consent.given_by != 0 &&
                 preview.consent.expires.day != 0,
             why, RG_MALFORMED, "record-form",
             "scopes, giver and last day of the consent are needed for a preview");
    *preview_out = preview;
    return rg_ok();
}

void rg_record_fields(const struct rg_record *record, enum rg_class class_,
                      struct rg_fields *fields_out)
{
    fields_out->count = 0;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        if (rg_field_row(field)->class_ == class_ && rg_field_crosses(field) &&
            rg_record_has(record, field)) {
            fields_out->item[fields_out->count++] =
                (struct rg_field_value){field, rg_record_get(record, field)};
        }
    }
}

static void all_fields(const struct rg_record *record, struct rg_fields *fields_out)
{
    fields_out->count = 0;
    for (unsigned i = 0; i < RG_FIELD_COUNT; i++) {
        enum rg_field field = (enum rg_field)i;
        if (rg_record_has(record, field)) {
            fields_out->item[fields_out->count++] =
                (struct rg_field_value){field, rg_record_get(record, field)};
        }
    }
}

static rg_outcome set_text(struct rg_record *record, enum rg_field field, const char *text,
                           struct rg_reason *why)
{
    return rg_record_set(record, field, rg_bytes_of_text(text == NULL ? "" : text), why);
}

static rg_outcome set_codes(struct rg_record *record, enum rg_field field, uint32_t set,
                            struct rg_reason *why)
{
    RG_OWNED_BUFFER joined = {.secret = true};
    for (uint32_t i = 1; i <= 32; i++) {
        const char *code = (set >> (i - 1) & 1u) != 0 ? rg_code_text(field, i) : NULL;
        if (code != NULL) {
            RG_TRY(rg_buffer_append_text(&joined, joined.len == 0 ? "" : ";", why));
            RG_TRY(rg_buffer_append_text(&joined, code, why));
        }
    }
    return rg_record_set(record, field, rg_buffer_peek(&joined), why);
}

static rg_outcome set_date(struct rg_record *record, enum rg_field field, struct rg_date date,
                           struct rg_reason *why)
{
    char text[40] = "";
    if (date.day != 0) {
        (void)snprintf(text, sizeof(text), "%04d-%02d-%02d", date.year, date.month, date.day);
    }
    if (date.day == 0 && date.month != 0) {
        (void)snprintf(text, sizeof(text), "%04d-%02d", date.year, date.month);
    }
    return set_text(record, field, text, why);
}

static rg_outcome merge_preview(struct rg_record *record, const struct rg_preview *preview,
                                struct rg_reason *why)
{
    const struct {
        enum rg_field field;
        uint32_t position;
    } code[] = {
        {RG_FIELD_REFERRAL_REASON, (uint32_t)preview->reason},
        {RG_FIELD_AGE_STATUS, (uint32_t)preview->age},
        {RG_FIELD_PRS_GENDER, preview->sex},
        {RG_FIELD_URGENCY, (uint32_t)preview->urgency},
        {RG_FIELD_CONSENT_GIVEN_BY, (uint32_t)preview->consent.given_by},
    };
    for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
        RG_TRY(set_text(record, code[i].field, rg_code_text(code[i].field, code[i].position), why));
    }
    RG_TRY(set_text(record, RG_FIELD_PRS_PRIMARY_LANGUAGE, preview->language, why));
    RG_TRY(set_codes(record, RG_FIELD_NEEDS, preview->needs, why));
    RG_TRY(set_codes(record, RG_FIELD_CONSENT_SCOPES, preview->consent.scopes, why));
    RG_TRY(set_date(record, RG_FIELD_EXPECTED_MONTH, preview->expected_month, why));
    RG_TRY(set_date(record, RG_FIELD_CONSENT_EXPIRES, preview->consent.expires, why));
    return set_text(record, RG_FIELD_CON_CONSENT, "true", why);
}

static rg_outcome merge_fields(struct rg_record *record, const struct rg_fields *fields,
                               struct rg_reason *why)
{
    for (size_t i = 0; i < fields->count; i++) {
        RG_TRY(set_text(record, fields->item[i].field, fields->item[i].value, why));
    }
    return rg_ok();
}

rg_outcome rg_record_merge(struct rg_record *record, const struct rg_content *content,
                           struct rg_reason *why)
{
    if (content->body == RG_BODY_PREVIEW) {
        return merge_preview(record, &content->preview, why);
    }
    if (content->body == RG_BODY_DETAILS) {
        return merge_fields(record, &content->details, why);
    }
    if (content->body != RG_BODY_PROPOSAL) {
        return rg_ok();
    }
    RG_TRY(merge_preview(record, &content->proposal.preview, why));
    RG_TRY(set_text(record, RG_FIELD_CASE_REF, content->proposal.case_ref, why));
    RG_TRY(set_text(record, RG_FIELD_ORIGIN_COUNTRY, content->proposal.origin_country, why));
    return merge_fields(record, &content->proposal.fields, why);
}

rg_outcome rg_record_encode(const struct rg_record *record, struct rg_buffer *out,
                            struct rg_reason *why)
{
    struct rg_fields fields;
    all_fields(record, &fields);
    return rg_stored_fields_encode(&fields, out, why);
}

rg_outcome rg_record_decode(struct rg_bytes bytes, struct rg_record **record_out,
                            struct rg_reason *why)
{
    struct rg_fields fields = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    RG_TRY(rg_stored_fields_decode(bytes, &fields, &memory, why));
    RG_OWNED_RECORD record = NULL;
    RG_TRY(rg_record_new(&record, why));
    for (size_t i = 0; i < fields.count; i++) { /* normal already: the decoder has checked */
        RG_TRY(keep(record, fields.item[i].field, rg_bytes_of_text(fields.item[i].value), why));
    }
    *record_out = record;
    record = NULL;
    return rg_ok();
}
