/*
 * How it works: bytes and rg_content meet in `struct wire_section`, a plain picture of the .proto
 * that core/codec fills and reads by table. Decoding: codec (syntax and bounds), then the picture
 * is turned into rg_content with its texts copied, then `rg_content_check` (message_check.c), which
 * knows what each kind may hold. Encoding runs the same check first. A form's bytes are a view in
 * the picture and go through message_form.c. Invariant: what rg_content_check passes is what it
 * passes on the other side, so nothing is signed that a reader refuses. The table of kinds is in
 * client/message_kinds.c.
 */
#include "client/message_inside.h"

#include "client/form_tables.h"
#include "core/codec.h"
#include "core/syntax.h"

#include "referral.pb-c.h"

#include <stdio.h>
#include <string.h>

#define WALL_MS_MAX INT64_C(253402300799999) /* end of the year 9999 */
#define CODE_MAX 32                          /* no list is longer */
#define CONSENT_BYTES_MAX 64
#define PREVIEW_BYTES_MAX 512

struct wire_consent {
    uint32_t scopes, given_by, expires;
};
struct wire_preview {
    uint32_t reason, age, sex, urgency, expected_month;
    char language[4];
    uint32_t need[CODE_MAX];
    size_t need_count;
    struct wire_consent consent;
};
struct wire_field {
    uint32_t number;
    struct rg_bytes value;
};
struct wire_fields {
    struct wire_field field[RG_FIELD_COUNT];
    size_t count;
};
struct wire_accept {
    char desk[RG_OFFICE_BYTES];
    struct rg_bytes contact_route, next_steps;
};
struct wire_decline {
    uint32_t code;
    struct rg_bytes text;
    char suggested_party[RG_OFFICE_BYTES];
};
struct wire_acknowledgement {
    uint8_t opened[32];
    uint64_t opened_ms;
};
struct wire_proposal {
    struct wire_preview preview;
    char origin_country[RG_COUNTRY_BYTES];
    struct rg_bytes case_ref;
    struct wire_fields details;
};
struct wire_withheld {
    uint32_t state;
};
struct wire_vital {
    char decided_by[RG_PRINCIPAL_BYTES];
    struct rg_bytes reason;
    uint32_t opened;
};
struct wire_forwarded {
    struct rg_bytes core, sealed, certificate;
    uint32_t index;
};
struct wire_desk_draft {
    uint32_t kind;
    char to_country[RG_COUNTRY_BYTES];
    struct rg_bytes content;
};
struct wire_part {
    uint32_t class_;
    struct rg_bytes signed_;
};
struct wire_countersign {
    struct rg_bytes core;
    struct wire_part part[RG_CLASS_COUNT];
    size_t count;
};

/* Places of the forms in a section. */
enum {
#define X(kind, number, name) FORM_##name,
    RG_FORM_KINDS(X)
#undef X
        FORMS
};
struct wire_label {
    uint32_t class_, state, index;
    bool has_index;
};
struct wire_section {
    uint32_t format, kind, class_;
    uint8_t handle[16];
    bool has_previous, has_seen, has_answers, exercise;
    uint8_t previous[32], seen[32], answers[32];
    char author[RG_PRINCIPAL_BYTES];
    uint64_t made_ms;
    struct wire_label label[RG_CLASS_COUNT];
    size_t label_count;
    bool has_movement, has_family_link, has_vital;
    uint8_t movement[RG_GROUP_BYTES], family_link[RG_GROUP_BYTES];
    struct wire_vital vital;
    char second_author[RG_PRINCIPAL_BYTES], language[RG_LANGUAGE_BYTES];
    bool has_preview, has_details, has_accept, has_decline, has_acknowledgement, has_proposal,
        has_withheld, has_forwarded, has_desk_draft, has_countersign;
    struct wire_preview preview;
    struct wire_fields details;
    struct wire_accept accept;
    struct wire_decline decline;
    struct wire_acknowledgement acknowledgement;
    struct wire_proposal proposal;
    struct wire_withheld withheld;
    struct wire_forwarded forwarded;
    struct wire_desk_draft desk_draft;
    struct wire_countersign countersign;
    bool has_form[FORMS];
    struct rg_bytes form[FORMS]; /* encoded; an empty one may be present */
};

static const struct rg_slot consent_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_consent, scopes, 1, (1u << 10) - 1),
    RG_SLOT_NUMBER(2, struct wire_consent, given_by, RG_GIVEN_BY_PERSON, RG_GIVEN_BY_BOTH),
    RG_SLOT_NUMBER(3, struct wire_consent, expires, 19000101, 21001231),
};
static const struct rg_shape consent_shape =
    RG_SHAPE(referral__content__consent_summary__descriptor, consent_slot);

static const struct rg_slot preview_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_preview, reason, RG_REASON_RETURN, RG_REASON_WITNESS),
    RG_SLOT_NUMBER(2, struct wire_preview, age, RG_AGE_ADULT, RG_AGE_CHILD),
    RG_SLOT_NUMBER(3, struct wire_preview, sex, 1, CODE_MAX),
    RG_SLOT_TEXT(4, struct wire_preview, language, 3, NULL),
    {RG_PLACE(RG_FORM_NUMBER, 5, struct wire_preview, need[0]),
     RG_FLAG(struct wire_preview, need_count), .min = 1, .max = CODE_MAX, .count_max = CODE_MAX},
    RG_SLOT_NUMBER(6, struct wire_preview, urgency, RG_URGENCY_ROUTINE, RG_URGENCY_EMERGENCY),
    RG_SLOT_NUMBER(7, struct wire_preview, expected_month, 190001, 210012),
    RG_SLOT_MESSAGE(8, struct wire_preview, consent, CONSENT_BYTES_MAX, &consent_shape),
};
static const struct rg_shape preview_shape =
    RG_SHAPE(referral__content__preview__descriptor, preview_slot);

static const struct rg_slot field_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_field, number, 1, UINT16_MAX),
    RG_SLOT_VIEW(2, struct wire_field, value, 1, RG_FIELD_BYTES_MAX, NULL),
};
static const struct rg_shape field_shape =
    RG_SHAPE(referral__content__field__descriptor, field_slot);

#define FIELD_SLOT                                                                                 \
    {                                                                                              \
        RG_PLACE(RG_FORM_MESSAGE, 1, struct wire_fields, field[0]),                                \
            RG_FLAG(struct wire_fields, count), .max = RG_FIELD_BYTES_MAX + 16,                    \
                                                .count_max = RG_FIELD_COUNT, .shape = &field_shape \
    }
static const struct rg_slot details_slot[] = {FIELD_SLOT};
static const struct rg_shape details_shape =
    RG_SHAPE(referral__content__details__descriptor, details_slot);
static const struct rg_slot stored_slot[] = {FIELD_SLOT};
static const struct rg_shape stored_shape =
    RG_SHAPE(referral__content__stored_record__descriptor, stored_slot);

static const struct rg_slot accept_slot[] = {
    RG_SLOT_TEXT(1, struct wire_accept, desk, 1, rg_syntax_office),
    RG_SLOT_VIEW(2, struct wire_accept, contact_route, 1, RG_ANSWER_TEXT_BYTES_MAX, NULL),
    RG_SLOT_VIEW(3, struct wire_accept, next_steps, 1, RG_ANSWER_TEXT_BYTES_MAX, NULL),
};
static const struct rg_shape accept_shape =
    RG_SHAPE(referral__content__accept__descriptor, accept_slot);

static const struct rg_slot decline_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_decline, code, RG_DECLINE_NOT_OUR_NATIONAL, RG_DECLINE_OTHER),
    RG_SLOT_VIEW(2, struct wire_decline, text, 1, RG_ANSWER_TEXT_BYTES_MAX, NULL),
    RG_SLOT_TEXT(3, struct wire_decline, suggested_party, 1, rg_syntax_office),
};
static const struct rg_shape decline_shape =
    RG_SHAPE(referral__content__decline__descriptor, decline_slot);

static const struct rg_slot acknowledgement_slot[] = {
    RG_SLOT_FIXED(1, struct wire_acknowledgement, opened),
    RG_SLOT_NUMBER(2, struct wire_acknowledgement, opened_ms, 0, WALL_MS_MAX),
};
static const struct rg_shape acknowledgement_shape =
    RG_SHAPE(referral__content__acknowledgement__descriptor, acknowledgement_slot);

static const struct rg_slot proposal_slot[] = {
    RG_SLOT_MESSAGE(1, struct wire_proposal, preview, PREVIEW_BYTES_MAX, &preview_shape),
    RG_SLOT_TEXT(2, struct wire_proposal, origin_country, 1, rg_syntax_country),
    RG_SLOT_VIEW(3, struct wire_proposal, case_ref, 1, RG_FIELD_BYTES_MAX, NULL),
    RG_SLOT_MESSAGE(4, struct wire_proposal, details, RG_CONTENT_BYTES_MAX, &details_shape),
};
static const struct rg_shape proposal_shape =
    RG_SHAPE(referral__content__proposal__descriptor, proposal_slot);

static const struct rg_slot withheld_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_withheld, state, RG_LABEL_AFTER_ACCEPT, RG_LABEL_WITHHELD),
};
static const struct rg_shape withheld_shape =
    RG_SHAPE(referral__content__withheld__descriptor, withheld_slot);

static const struct rg_slot vital_slot[] = {
    RG_SLOT_TEXT(1, struct wire_vital, decided_by, 1, rg_syntax_principal),
    RG_SLOT_VIEW(2, struct wire_vital, reason, 1, RG_ANSWER_TEXT_BYTES_MAX, NULL),
    RG_SLOT_NUMBER(3, struct wire_vital, opened, 1, (1u << RG_CLASS_COUNT) - 1),
};
static const struct rg_shape vital_shape =
    RG_SHAPE(referral__content__vital_interest__descriptor, vital_slot);

static const struct rg_slot forwarded_slot[] = {
    RG_SLOT_VIEW(1, struct wire_forwarded, core, 1, RG_HEADER_BYTES_MAX, NULL),
    RG_SLOT_NUMBER(2, struct wire_forwarded, index, 0, RG_SECTIONS_MAX - 1),
    RG_SLOT_VIEW(3, struct wire_forwarded, sealed, 1, RG_CONTENT_CARRIED_BYTES_MAX, NULL),
    RG_SLOT_VIEW(4, struct wire_forwarded, certificate, 1, RG_CERTIFICATE_BYTES_MAX, NULL),
};
static const struct rg_shape forwarded_shape =
    RG_SHAPE(referral__content__forwarded__descriptor, forwarded_slot);

static const struct rg_slot desk_draft_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_desk_draft, kind, 1, UINT16_MAX),
    RG_SLOT_TEXT(2, struct wire_desk_draft, to_country, 1, rg_syntax_country),
    RG_SLOT_VIEW(3, struct wire_desk_draft, content, 1, RG_CONTENT_BYTES_MAX, NULL),
};
static const struct rg_shape desk_draft_shape =
    RG_SHAPE(referral__content__desk_draft__descriptor, desk_draft_slot);

static const struct rg_slot part_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_part, class_, RG_CLASS_CASE, RG_CLASS_SECURITY),
    RG_SLOT_VIEW(2, struct wire_part, signed_, 1, RG_CONTENT_CARRIED_BYTES_MAX, NULL),
};
static const struct rg_shape part_shape =
    RG_SHAPE(referral__content__countersign_request__part__descriptor, part_slot);

static const struct rg_slot countersign_slot[] = {
    RG_SLOT_VIEW(1, struct wire_countersign, core, 1, RG_HEADER_BYTES_MAX, NULL),
    {RG_PLACE(RG_FORM_MESSAGE, 2, struct wire_countersign, part[0]),
     RG_FLAG(struct wire_countersign, count), .max = RG_CONTENT_CARRIED_BYTES_MAX,
     .count_max = RG_CLASS_COUNT, .shape = &part_shape},
};
static const struct rg_shape countersign_shape =
    RG_SHAPE(referral__content__countersign_request__descriptor, countersign_slot);

static const struct rg_slot label_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_label, class_, RG_CLASS_IDENTITY, RG_CLASS_SECURITY),
    RG_SLOT_NUMBER(2, struct wire_label, state, RG_LABEL_ATTACHED, RG_LABEL_WITHHELD),
    {RG_PLACE(RG_FORM_NUMBER, 3, struct wire_label, index), RG_FLAG(struct wire_label, has_index),
     .max = RG_SECTIONS_MAX - 1},
};
static const struct rg_shape label_shape =
    RG_SHAPE(referral__content__label__descriptor, label_slot);

#define OPTIONAL_ID(number_, name)                                                                 \
    {                                                                                              \
        RG_PLACE(RG_FORM_FIXED, number_, struct wire_section, name),                               \
            RG_FLAG(struct wire_section, has_##name), .min = 32, .max = 32                         \
    }
#define OPTIONAL_GROUP(number_, name)                                                              \
    {                                                                                              \
        RG_PLACE(RG_FORM_FIXED, number_, struct wire_section, name),                               \
            RG_FLAG(struct wire_section, has_##name), .min = RG_GROUP_BYTES, .max = RG_GROUP_BYTES \
    }
/* Looked at when the kind is known: the shape is made from the kind's table. */
#define OPTIONAL_FORM(kind_, number_, name)                                                        \
    {RG_PLACE(RG_FORM_VIEW, number_, struct wire_section, form[FORM_##name]),                      \
     RG_FLAG(struct wire_section, has_form[FORM_##name]), .max = RG_CONTENT_BYTES_MAX},
#define OPTIONAL_BODY(number_, name, bytes_max)                                                    \
    {                                                                                              \
        RG_PLACE(RG_FORM_MESSAGE, number_, struct wire_section, name),                             \
            RG_FLAG(struct wire_section, has_##name), .max = (bytes_max), .shape = &name##_shape   \
    }
static const struct rg_slot section_slot[] = {
    RG_SLOT_NUMBER(1, struct wire_section, format, RG_CONTENT_FORMAT, RG_CONTENT_FORMAT),
    RG_SLOT_NUMBER(2, struct wire_section, kind, 1, UINT16_MAX),
    RG_SLOT_NUMBER(3, struct wire_section, class_, RG_CLASS_CASE, RG_CLASS_SECURITY),
    RG_SLOT_FIXED(4, struct wire_section, handle),
    OPTIONAL_ID(5, previous),
    OPTIONAL_ID(6, seen),
    RG_SLOT_NUMBER(7, struct wire_section, exercise, 0, 1),
    RG_SLOT_TEXT(8, struct wire_section, author, 1, rg_syntax_principal),
    RG_SLOT_NUMBER(9, struct wire_section, made_ms, 0, WALL_MS_MAX),
    OPTIONAL_ID(10, answers),
    {RG_PLACE(RG_FORM_MESSAGE, 11, struct wire_section, label[0]),
     RG_FLAG(struct wire_section, label_count), .max = 16, .count_max = RG_CLASS_COUNT,
     .shape = &label_shape},
    OPTIONAL_GROUP(12, movement),
    OPTIONAL_GROUP(13, family_link),
    OPTIONAL_BODY(14, vital, 3 * RG_ANSWER_TEXT_BYTES_MAX),
    RG_SLOT_TEXT(15, struct wire_section, second_author, 1, rg_syntax_principal),
    RG_SLOT_TEXT(16, struct wire_section, language, 1, NULL),
    OPTIONAL_BODY(20, preview, PREVIEW_BYTES_MAX),
    OPTIONAL_BODY(21, details, RG_CONTENT_BYTES_MAX),
    OPTIONAL_BODY(22, accept, 3 * RG_ANSWER_TEXT_BYTES_MAX),
    OPTIONAL_BODY(23, decline, 3 * RG_ANSWER_TEXT_BYTES_MAX),
    OPTIONAL_BODY(24, acknowledgement, 64),
    OPTIONAL_BODY(25, proposal, RG_CONTENT_BYTES_MAX),
    OPTIONAL_BODY(26, withheld, 16),
    OPTIONAL_BODY(27, forwarded, RG_CONTENT_CARRIED_BYTES_MAX),
    RG_FORM_KINDS_LOW(OPTIONAL_FORM) OPTIONAL_BODY(110, desk_draft, RG_CONTENT_CARRIED_BYTES_MAX),
    OPTIONAL_BODY(112, countersign, RG_CONTENT_CARRIED_BYTES_MAX),
    RG_FORM_KINDS_HIGH(OPTIONAL_FORM)};
static const struct rg_shape section_shape =
    RG_SHAPE(referral__content__section__descriptor, section_slot);

/* The numbers of the .proto and ours are one. */
_Static_assert((int)REFERRAL__CONTENT__CLASS__SECURITY == (int)RG_CLASS_SECURITY, "classes");
_Static_assert((int)REFERRAL__CONTENT__AGE__CHILD == (int)RG_AGE_CHILD, "ages");
_Static_assert((int)REFERRAL__CONTENT__REASON__WITNESS == (int)RG_REASON_WITNESS, "reasons");
_Static_assert((int)REFERRAL__CONTENT__DECLINE_CODE__OTHER == (int)RG_DECLINE_OTHER, "codes");
_Static_assert((int)REFERRAL__CONTENT__LABEL_STATE__WITHHELD == (int)RG_LABEL_WITHHELD, "states");

/* ---- rg_content to the picture ---- */

static struct rg_bytes view_of(const char *text)
{
    return text == NULL ? rg_bytes_of(NULL, 0) : rg_bytes_of_text(text);
}

static uint32_t date_to_wire(struct rg_date date)
{
    return (uint32_t)((date.year * 100 + date.month) * 100 + date.day);
}

static void preview_to_wire(const struct rg_preview *from, struct wire_preview *to)
{
    to->reason = (uint32_t)from->reason;
    to->age = (uint32_t)from->age;
    to->sex = from->sex;
    memcpy(to->language, from->language, sizeof(to->language));
    for (uint32_t i = 1; i <= CODE_MAX; i++) {
        if ((from->needs >> (i - 1) & 1u) != 0) {
            to->need[to->need_count++] = i;
        }
    }
    to->urgency = (uint32_t)from->urgency;
    to->expected_month = date_to_wire(from->expected_month) / 100;
    to->consent.scopes = from->consent.scopes;
    to->consent.given_by = (uint32_t)from->consent.given_by;
    to->consent.expires = date_to_wire(from->consent.expires);
}

static void fields_to_wire(const struct rg_fields *from, struct wire_fields *to)
{
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->field[i].number = rg_field_row(from->item[i].field)->number;
        to->field[i].value = view_of(from->item[i].value);
    }
}

static void office_to_wire(const char *from, char to[RG_OFFICE_BYTES])
{
    (void)snprintf(to, RG_OFFICE_BYTES, "%s", from == NULL ? "" : from);
}

static void countersign_to_wire(const struct rg_countersign *from, struct wire_countersign *to)
{
    to->core = from->core;
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->part[i] = (struct wire_part){(uint32_t)from->section[i].class_, from->section[i].bytes};
    }
}

/* FORMS when the body of the kind is no form. */
static size_t form_place(uint32_t kind)
{
    static const uint32_t kinds[FORMS] = {
#define X(kind_, number, name) [FORM_##name] = (kind_),
        RG_FORM_KINDS(X)
#undef X
    };
    size_t place = 0;
    while (place < FORMS && kinds[place] != kind) {
        place++;
    }
    return place;
}

static void body_to_wire(const struct rg_content *from, struct wire_section *to)
{
    switch (from->body) {
    case RG_BODY_PREVIEW:
        to->has_preview = true;
        preview_to_wire(&from->preview, &to->preview);
        return;
    case RG_BODY_DETAILS:
        to->has_details = true;
        fields_to_wire(&from->details, &to->details);
        return;
    case RG_BODY_ACCEPT:
        to->has_accept = true;
        office_to_wire(from->accept.desk, to->accept.desk);
        to->accept.contact_route = view_of(from->accept.contact_route);
        to->accept.next_steps = view_of(from->accept.next_steps);
        return;
    case RG_BODY_DECLINE:
        to->has_decline = true;
        to->decline.code = (uint32_t)from->decline.code;
        to->decline.text = view_of(from->decline.text);
        office_to_wire(from->decline.suggested_party, to->decline.suggested_party);
        return;
    case RG_BODY_ACKNOWLEDGEMENT:
        to->has_acknowledgement = true;
        memcpy(to->acknowledgement.opened, from->acknowledgement.opened.b, 32);
        to->acknowledgement.opened_ms = (uint64_t)from->acknowledgement.opened_at.ms;
        return;
    case RG_BODY_PROPOSAL:
        to->has_proposal = true;
        preview_to_wire(&from->proposal.preview, &to->proposal.preview);
        memcpy(to->proposal.origin_country, from->proposal.origin_country, RG_COUNTRY_BYTES);
        to->proposal.case_ref = view_of(from->proposal.case_ref);
        fields_to_wire(&from->proposal.fields, &to->proposal.details);
        return;
    case RG_BODY_WITHHELD:
        to->has_withheld = true;
        to->withheld.state = (uint32_t)from->withheld;
        return;
    case RG_BODY_FORWARDED:
        to->has_forwarded = true;
        to->forwarded = (struct wire_forwarded){.core = from->forwarded.core,
                                                .sealed = from->forwarded.sealed,
                                                .certificate = from->forwarded.certificate,
                                                .index = from->forwarded.index};
        return;
    case RG_BODY_DESK_DRAFT:
        to->has_desk_draft = true;
        to->desk_draft.kind = from->desk_draft.kind;
        memcpy(to->desk_draft.to_country, from->desk_draft.to_country, RG_COUNTRY_BYTES);
        to->desk_draft.content = from->desk_draft.content;
        return;
    case RG_BODY_COUNTERSIGN:
        to->has_countersign = true;
        countersign_to_wire(&from->countersign, &to->countersign);
        return;
    case RG_BODY_FORM: /* see form_to_wire */
    case RG_BODY_NONE:
        return;
    }
}

/* `bytes` holds the encoded form until the section is written. */
static rg_outcome form_to_wire(const struct rg_content *from, struct wire_section *to,
                               struct rg_buffer *bytes, struct rg_reason *why)
{
    if (from->body != RG_BODY_FORM) {
        return rg_ok();
    }
    size_t place = form_place(from->kind);
    RG_ASSERT(place < FORMS);
    RG_TRY(rg_message_form_encode(from->form, bytes, why));
    to->has_form[place] = true;
    to->form[place] = rg_buffer_peek(bytes);
    return rg_ok();
}

static void common_to_wire(const struct rg_content *from, struct wire_section *to)
{
    to->format = RG_CONTENT_FORMAT;
    to->kind = from->kind;
    to->class_ = (uint32_t)from->class_;
    memcpy(to->handle, from->handle.b, sizeof(to->handle));
    to->has_previous = from->has_previous;
    to->has_seen = from->has_seen;
    to->has_answers = from->has_answers;
    memcpy(to->previous, from->previous.b, sizeof(to->previous));
    memcpy(to->seen, from->seen.b, sizeof(to->seen));
    memcpy(to->answers, from->answers.b, sizeof(to->answers));
    to->exercise = from->exercise;
    memcpy(to->author, from->author, sizeof(to->author));
    to->made_ms = (uint64_t)from->made.ms;
    to->label_count = from->label_count;
    for (size_t i = 0; i < from->label_count; i++) {
        const struct rg_label *label = &from->label[i];
        to->label[i] = (struct wire_label){.class_ = (uint32_t)label->class_,
                                           .state = (uint32_t)label->state,
                                           .index = label->index,
                                           .has_index = label->state == RG_LABEL_ATTACHED};
    }
    to->has_movement = from->has_movement;
    to->has_family_link = from->has_family_link;
    memcpy(to->movement, from->movement, sizeof(to->movement));
    memcpy(to->family_link, from->family_link, sizeof(to->family_link));
    to->has_vital = from->vital.present;
    memcpy(to->vital.decided_by, from->vital.decided_by, sizeof(to->vital.decided_by));
    to->vital.reason = view_of(from->vital.reason);
    to->vital.opened = from->vital.opened;
    memcpy(to->second_author, from->second_author, sizeof(to->second_author));
    memcpy(to->language, from->language, sizeof(to->language));
}

static size_t bytes_max_of(const struct wire_section *section)
{
    return section->kind >= RG_KIND_DESK_DRAFT || section->has_forwarded
               ? RG_CONTENT_CARRIED_BYTES_MAX
               : RG_CONTENT_BYTES_MAX;
}

rg_outcome rg_content_encode(const struct rg_content *content, struct rg_buffer *out,
                             struct rg_reason *why)
{
    RG_TRY(rg_content_check(content, why));
    struct wire_section section = {0};
    RG_OWNED_BUFFER form = {.secret = true};
    common_to_wire(content, &section);
    body_to_wire(content, &section);
    RG_TRY(form_to_wire(content, &section, &form, why));
    size_t start = out->len;
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_encode(&section_shape, &section, out, &inner);
    if (!rg_is_ok(outcome)) {
        return rg_content_failed(outcome, &inner, why);
    }
    size_t most = bytes_max_of(&section);
    if (out->len - start > most) {
        out->len = start;
        return rg_fail(why, RG_LIMIT, "content-limit", "a section holds at most %zu bytes", most);
    }
    return rg_ok();
}

/* ---- the picture to rg_content ---- */

/* `memory` has been reserved for all texts, so earlier texts stay where they are. */
static rg_outcome text_keep(struct rg_bytes text, struct rg_buffer *memory, const char **out,
                            struct rg_reason *why)
{
    RG_CHECK(text.len == 0 || memchr(text.data, '\0', text.len) == NULL, why, RG_MALFORMED,
             "content-text", "a text holds a NUL");
    RG_ASSERT(text.len + 1 <= memory->capacity - memory->len);
    size_t start = memory->len;
    RG_TRY(rg_buffer_append(memory, text, why));
    RG_TRY(rg_buffer_append(memory, rg_bytes_of("", 1), why));
    *out = (const char *)memory->data + start;
    return rg_ok();
}

static rg_outcome bytes_keep(struct rg_bytes bytes, struct rg_buffer *memory, struct rg_bytes *out,
                             struct rg_reason *why)
{
    RG_ASSERT(bytes.len <= memory->capacity - memory->len);
    size_t start = memory->len;
    RG_TRY(rg_buffer_append(memory, bytes, why));
    *out = rg_bytes_of(memory->data + start, bytes.len);
    return rg_ok();
}

static rg_outcome countersign_from_wire(const struct wire_countersign *from,
                                        struct rg_countersign *to, struct rg_buffer *memory,
                                        struct rg_reason *why)
{
    to->count = from->count;
    RG_TRY(bytes_keep(from->core, memory, &to->core, why));
    for (size_t i = 0; i < from->count; i++) {
        to->section[i].class_ = (enum rg_class)from->part[i].class_;
        RG_TRY(bytes_keep(from->part[i].signed_, memory, &to->section[i].bytes, why));
    }
    return rg_ok();
}

static struct rg_date date_from_wire(uint32_t number)
{
    return (struct rg_date){.year = (int)(number / 10000),
                            .month = (int)(number / 100 % 100),
                            .day = (int)(number % 100)};
}

static rg_outcome preview_from_wire(const struct wire_preview *from, struct rg_preview *to,
                                    struct rg_reason *why)
{
    to->reason = (enum rg_referral_reason)from->reason;
    to->age = (enum rg_age)from->age;
    to->sex = from->sex;
    memcpy(to->language, from->language, sizeof(to->language));
    for (size_t i = 0; i < from->need_count; i++) {
        RG_CHECK(i == 0 || from->need[i] > from->need[i - 1], why, RG_MALFORMED, "content-code",
                 "needs: ascending, each once");
        to->needs |= 1u << (from->need[i] - 1);
    }
    to->urgency = (enum rg_urgency)from->urgency;
    to->expected_month = date_from_wire(from->expected_month * 100);
    to->consent.scopes = from->consent.scopes;
    to->consent.given_by = (enum rg_given_by)from->consent.given_by;
    to->consent.expires = date_from_wire(from->consent.expires);
    return rg_ok();
}

static rg_outcome fields_from_wire(const struct wire_fields *from, struct rg_fields *to,
                                   struct rg_buffer *memory, struct rg_reason *why)
{
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        RG_CHECK(rg_field_of_number(from->field[i].number, &to->item[i].field), why, RG_MALFORMED,
                 "content-field", "a field that the dictionary does not know");
        RG_TRY(text_keep(from->field[i].value, memory, &to->item[i].value, why));
    }
    return rg_ok();
}

static rg_outcome accept_from_wire(const struct wire_accept *from, struct rg_accept *to,
                                   struct rg_buffer *memory, struct rg_reason *why)
{
    RG_TRY(text_keep(rg_bytes_of_text(from->desk), memory, &to->desk, why));
    RG_TRY(text_keep(from->contact_route, memory, &to->contact_route, why));
    return text_keep(from->next_steps, memory, &to->next_steps, why);
}

static rg_outcome decline_from_wire(const struct wire_decline *from, struct rg_decline *to,
                                    struct rg_buffer *memory, struct rg_reason *why)
{
    to->code = (enum rg_decline_code)from->code;
    RG_TRY(text_keep(from->text, memory, &to->text, why));
    return text_keep(rg_bytes_of_text(from->suggested_party), memory, &to->suggested_party, why);
}

static rg_outcome proposal_from_wire(const struct wire_proposal *from, struct rg_proposal *to,
                                     struct rg_buffer *memory, struct rg_reason *why)
{
    RG_TRY(preview_from_wire(&from->preview, &to->preview, why));
    memcpy(to->origin_country, from->origin_country, sizeof(to->origin_country));
    RG_TRY(text_keep(from->case_ref, memory, &to->case_ref, why));
    return fields_from_wire(&from->details, &to->fields, memory, why);
}

static rg_outcome which_body(const struct wire_section *from, enum rg_body *body_out,
                             struct rg_reason *why)
{
    const struct {
        bool has;
        enum rg_body body;
    } body[] = {
        {from->has_preview, RG_BODY_PREVIEW},
        {from->has_details, RG_BODY_DETAILS},
        {from->has_accept, RG_BODY_ACCEPT},
        {from->has_decline, RG_BODY_DECLINE},
        {from->has_acknowledgement, RG_BODY_ACKNOWLEDGEMENT},
        {from->has_proposal, RG_BODY_PROPOSAL},
        {from->has_withheld, RG_BODY_WITHHELD},
        {from->has_forwarded, RG_BODY_FORWARDED},
        {from->has_desk_draft, RG_BODY_DESK_DRAFT},
        {from->has_countersign, RG_BODY_COUNTERSIGN},
    };
    size_t count = 0;
    for (size_t i = 0; i < FORMS; i++) {
        count += from->has_form[i];
        RG_CHECK(!from->has_form[i] || form_place(from->kind) == i, why, RG_MALFORMED,
                 "content-body", "another kind's body");
        *body_out = from->has_form[i] ? RG_BODY_FORM : *body_out;
    }
    for (size_t i = 0; i < sizeof(body) / sizeof(body[0]); i++) {
        if (body[i].has) {
            *body_out = body[i].body;
            count++;
        }
    }
    RG_CHECK(count == 1, why, RG_MALFORMED, "content-body", "exactly one body");
    return rg_ok();
}

static rg_outcome body_from_wire(const struct wire_section *from, struct rg_content *to,
                                 struct rg_buffer *memory, struct rg_reason *why)
{
    switch (to->body) {
    case RG_BODY_PREVIEW:
        return preview_from_wire(&from->preview, &to->preview, why);
    case RG_BODY_DETAILS:
        return fields_from_wire(&from->details, &to->details, memory, why);
    case RG_BODY_ACCEPT:
        return accept_from_wire(&from->accept, &to->accept, memory, why);
    case RG_BODY_DECLINE:
        return decline_from_wire(&from->decline, &to->decline, memory, why);
    case RG_BODY_PROPOSAL:
        return proposal_from_wire(&from->proposal, &to->proposal, memory, why);
    case RG_BODY_ACKNOWLEDGEMENT:
        memcpy(to->acknowledgement.opened.b, from->acknowledgement.opened, 32);
        to->acknowledgement.opened_at.ms = (int64_t)from->acknowledgement.opened_ms;
        return rg_ok();
    case RG_BODY_WITHHELD:
        to->withheld = (enum rg_label_state)from->withheld.state;
        return rg_ok();
    case RG_BODY_FORWARDED:
        to->forwarded.index = from->forwarded.index;
        RG_TRY(bytes_keep(from->forwarded.core, memory, &to->forwarded.core, why));
        RG_TRY(bytes_keep(from->forwarded.sealed, memory, &to->forwarded.sealed, why));
        return bytes_keep(from->forwarded.certificate, memory, &to->forwarded.certificate, why);
    case RG_BODY_DESK_DRAFT:
        to->desk_draft.kind = from->desk_draft.kind;
        memcpy(to->desk_draft.to_country, from->desk_draft.to_country, RG_COUNTRY_BYTES);
        return bytes_keep(from->desk_draft.content, memory, &to->desk_draft.content, why);
    case RG_BODY_COUNTERSIGN:
        return countersign_from_wire(&from->countersign, &to->countersign, memory, why);
    case RG_BODY_FORM: /* see form_from_wire */
    case RG_BODY_NONE:
        break;
    }
    return rg_ok();
}

static rg_outcome common_from_wire(const struct wire_section *from, struct rg_content *to,
                                   struct rg_reason *why)
{
    to->kind = from->kind;
    to->class_ = (enum rg_class)from->class_;
    memcpy(to->handle.b, from->handle, sizeof(from->handle));
    to->has_previous = from->has_previous;
    to->has_seen = from->has_seen;
    to->has_answers = from->has_answers;
    memcpy(to->previous.b, from->previous, sizeof(from->previous));
    memcpy(to->seen.b, from->seen, sizeof(from->seen));
    memcpy(to->answers.b, from->answers, sizeof(from->answers));
    to->exercise = from->exercise;
    memcpy(to->author, from->author, sizeof(to->author));
    to->made.ms = (int64_t)from->made_ms;
    to->label_count = from->label_count;
    for (size_t i = 0; i < from->label_count; i++) {
        const struct wire_label *label = &from->label[i];
        RG_CHECK(label->has_index == (label->state == RG_LABEL_ATTACHED), why, RG_MALFORMED,
                 "content-label", "an attached section has an index, no other");
        to->label[i] = (struct rg_label){.class_ = (enum rg_class)label->class_,
                                         .state = (enum rg_label_state)label->state,
                                         .index = label->index};
    }
    to->has_movement = from->has_movement;
    to->has_family_link = from->has_family_link;
    memcpy(to->movement, from->movement, sizeof(to->movement));
    memcpy(to->family_link, from->family_link, sizeof(to->family_link));
    memcpy(to->second_author, from->second_author, sizeof(to->second_author));
    memcpy(to->language, from->language, sizeof(to->language));
    to->vital.present = from->has_vital;
    memcpy(to->vital.decided_by, from->vital.decided_by, sizeof(to->vital.decided_by));
    to->vital.opened = from->vital.opened;
    return rg_ok();
}

/* The first to use `memory`: it has one piece for the form and what else there is to keep. */
static rg_outcome form_from_wire(const struct wire_section *from, struct rg_content *to,
                                 struct rg_buffer *memory, struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    const struct rg_kind_row *row = rg_kind_row(from->kind);
    RG_CHECK(row != NULL && row->form != NULL, why, RG_MALFORMED, "content-kind",
             "no kind has this number");
    RG_TRY(rg_message_form_decode(row->form, from->form[form_place(from->kind)], &form, why));
    size_t room = rg_form_packed_bytes(form) + from->vital.reason.len + 1;
    RG_TRY(rg_buffer_reserve(memory, room, why));
    return rg_form_pack(form, memory, &to->form, why);
}

/* Each text costs at least two bytes of the input besides its own, and one NUL here; the two
 * office names of an answer count once more. */
static rg_outcome memory_ready(struct rg_bytes bytes, struct rg_buffer *memory,
                               struct rg_reason *why)
{
    memory->secret = true;
    rg_buffer_clear(memory);
    return rg_buffer_reserve(memory, bytes.len + 2 * RG_OFFICE_BYTES + 8, why);
}

rg_outcome rg_content_decode(struct rg_bytes bytes, struct rg_content *content_out,
                             struct rg_buffer *memory_out, struct rg_reason *why)
{
    RG_CHECK(bytes.len <= RG_CONTENT_CARRIED_BYTES_MAX, why, RG_LIMIT, "content-limit",
             "a section holds at most %d bytes", RG_CONTENT_CARRIED_BYTES_MAX);
    struct wire_section section = {0};
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_decode(&section_shape, bytes, &section, NULL, &inner);
    if (!rg_is_ok(outcome)) {
        return rg_content_failed(outcome, &inner, why);
    }
    RG_CHECK(bytes.len <= bytes_max_of(&section), why, RG_LIMIT, "content-limit",
             "a section of this kind holds at most %zu bytes", bytes_max_of(&section));
    RG_TRY(memory_ready(bytes, memory_out, why));
    struct rg_content content = {0};
    RG_TRY(common_from_wire(&section, &content, why));
    RG_TRY(which_body(&section, &content.body, why));
    if (content.body == RG_BODY_FORM) {
        RG_TRY(form_from_wire(&section, &content, memory_out, why));
    }
    RG_TRY(body_from_wire(&section, &content, memory_out, why));
    RG_TRY(text_keep(section.vital.reason, memory_out, &content.vital.reason, why));
    RG_TRY(rg_content_check(&content, why));
    *content_out = content;
    return rg_ok();
}

/* ---- a record at rest ---- */

rg_outcome rg_stored_fields_encode(const struct rg_fields *fields, struct rg_buffer *out,
                                   struct rg_reason *why)
{
    RG_TRY(rg_content_fields_check(fields, why));
    struct wire_fields wire = {0};
    fields_to_wire(fields, &wire);
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_encode(&stored_shape, &wire, out, &inner);
    return rg_is_ok(outcome) ? outcome : rg_content_failed(outcome, &inner, why);
}

rg_outcome rg_stored_fields_decode(struct rg_bytes bytes, struct rg_fields *fields_out,
                                   struct rg_buffer *memory_out, struct rg_reason *why)
{
    struct wire_fields wire = {0};
    struct rg_reason inner = {0};
    rg_outcome outcome = rg_codec_decode(&stored_shape, bytes, &wire, NULL, &inner);
    if (!rg_is_ok(outcome)) {
        return rg_content_failed(outcome, &inner, why);
    }
    RG_TRY(memory_ready(bytes, memory_out, why));
    struct rg_fields fields = {0};
    RG_TRY(fields_from_wire(&wire, &fields, memory_out, why));
    RG_TRY(rg_content_fields_check(&fields, why));
    *fields_out = fields;
    return rg_ok();
}

/* A form's shape is made when its kind is known; here only which message it is counts. */
static rg_outcome section_shape_check(struct rg_reason *why)
{
    static const struct rg_shape form[FORMS] = {
#define X(kind, number, name)                                                                      \
    [FORM_##name] = {.descriptor = &referral__content__##name##__descriptor},
        RG_FORM_KINDS(X)
#undef X
    };
    struct rg_slot slot[sizeof(section_slot) / sizeof(section_slot[0])];
    struct rg_shape shape = section_shape;
    memcpy(slot, section_slot, sizeof(slot));
    shape.slot = slot;
    for (size_t i = 0; i < shape.slot_count; i++) {
        size_t place = (slot[i].offset - offsetof(struct wire_section, form)) / slot[i].size;
        bool is_form = slot[i].offset >= offsetof(struct wire_section, form);
        slot[i].shape = is_form ? &form[place] : slot[i].shape;
    }
    return rg_codec_shape_check(&shape, why);
}

rg_outcome rg_message_shapes_check(struct rg_reason *why)
{
    static const struct rg_shape *const all[] = {
        &consent_shape,   &preview_shape,    &field_shape,   &details_shape,
        &stored_shape,    &accept_shape,     &decline_shape, &acknowledgement_shape,
        &proposal_shape,  &withheld_shape,   &label_shape,   &vital_shape,
        &forwarded_shape, &desk_draft_shape, &part_shape,    &countersign_shape,
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        RG_TRY(rg_codec_shape_check(all[i], why));
    }
    RG_TRY(rg_message_form_shapes_check(why));
    return section_shape_check(why);
}
