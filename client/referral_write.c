/* How it works: what an officer writes becomes one message, in the steps of one table. The form is
 * read and held to the boxes of its kind; what the library knows is filled in (what is answered,
 * the movement, values of the record); then the letter goes the way of every letter
 * (referral_letter.c), where it is asked whether it may. All of it happens in one step of the spool
 * or not at all. */
#include "client/referral_inside.h"

#include "core/digest.h"
#include "core/settings.h"
#include "core/trust.h"

#include <stdio.h>
#include <string.h>

#define FILLED_BYTES 256
#define SIGNERS_MAX 256

struct writing { /* one message on its way from the officer to the outbox */
    struct referral *office;
    const struct referral_letter *asked;
    const struct rg_kind_row *kind;
    struct rg_case_file file;
    struct rg_record *record;
    struct rg_form *form;
    struct rg_letter letter;
    char second[RG_PRINCIPAL_BYTES]; /* the officer who is to sign as well */
    char abroad[RG_OFFICE_BYTES];
    const char *state;
    struct rg_id id; /* of the message that was made */
};

static void writing_drop(struct writing *writing)
{
    rg_case_file_drop(&writing->file);
    rg_record_free(writing->record);
    rg_form_free(writing->form);
}

/* ---- what is written ---- */

static rg_outcome kind_find(struct writing *writing, struct rg_reason *why)
{
    writing->kind = rg_kind_row((uint32_t)writing->asked->kind);
    RG_CHECK(writing->kind != NULL, why, RG_MALFORMED, "kind-unknown",
             "there is no kind %d; see: referral kinds", writing->asked->kind);
    RG_CHECK(writing->kind->case_body == RG_BODY_FORM && writing->kind->way != RG_WAY_DOMESTIC, why,
             RG_DENIED, "kind-own-verb", "%s is not written as a form; see: referral --help",
             writing->kind->name);
    return rg_ok();
}

/* Notices and the directory are about nobody: they go to all. */
static bool is_to_all(const struct writing *writing)
{
    uint32_t kind = writing->kind->number;
    return kind == RG_KIND_DIRECTORY_UPDATE || kind == RG_KIND_PROCEDURE_NOTICE ||
           kind == RG_KIND_BREACH_NOTICE;
}

/* The case of the officer, or the new one that this message begins. */
static rg_outcome case_find(struct writing *writing, struct rg_reason *why)
{
    struct referral *office = writing->office;
    uint32_t kind = writing->kind->number;
    bool opens = kind == RG_KIND_IDENTIFICATION_NOTICE || kind == RG_KIND_EMERGENCY_RETURN;
    if (is_to_all(writing)) {
        return rg_record_new(&writing->record, why);
    }
    RG_TRY(rg_office_case(office, writing->asked->case_id, &writing->file, why));
    if (kind == RG_KIND_ONWARD_REFERRAL) {
        RG_CASE_FILE from = writing->file;
        RG_TRY(rg_office_onward_open(office, &from, writing->asked->to, &writing->file, why));
    }
    if (opens && rg_home_is_focal(office->home)) {
        RG_TRY(rg_office_thread_open(office, &writing->file, why));
    }
    RG_CHECK(writing->file.has_thread, why, RG_DENIED, "case-step",
             "nobody has been asked in this case yet: refer it first, with: referral send");
    return rg_casebook_record_get(office->book, writing->file.row, &writing->record, why);
}

static rg_outcome form_read(struct writing *writing, struct rg_reason *why)
{
    struct rg_bytes json = rg_bytes_of(writing->asked->json, writing->asked->bytes);
    if (json.len == 0) {
        return rg_form_new(writing->kind->form, &writing->form, why);
    }
    return rg_form_read_json(writing->kind->form, json, &writing->form, why);
}

/* ---- what the library knows ---- */

static rg_outcome answers_fill(struct writing *writing, struct rg_reason *why)
{
    struct rg_letter *letter = &writing->letter;
    struct rg_message_row row;
    if (writing->asked->answers != NULL) {
        RG_TRY(rg_office_message(writing->office, writing->asked->answers, &row, why));
        letter->has_answers = true;
        letter->answers = row.id;
        return rg_ok();
    }
    RG_TRY(rg_office_answerable(writing->office, &writing->file, writing->kind->number,
                                &letter->answers, &letter->has_answers, why));
    RG_CHECK(letter->has_answers || !writing->kind->needs_answers, why, RG_DENIED, "write-answers",
             "%s answers a message, and there is none here that it could answer",
             writing->kind->name);
    return rg_ok();
}

static bool moves_persons(uint32_t kind)
{
    return kind >= RG_KIND_HANDOVER_PROPOSAL && kind <= RG_KIND_RECEPTION_CONFIRM;
}

/* Persons who travel together share 16 random bytes, each in the thread of the own case. */
static rg_outcome movement_fill(struct writing *writing, struct rg_reason *why)
{
    struct rg_letter *letter = &writing->letter;
    struct rg_case_file *file = &writing->file;
    if (!moves_persons(writing->kind->number)) {
        return rg_ok();
    }
    if (writing->asked->movement != NULL) {
        RG_CHECK(strlen(writing->asked->movement) == 2 * sizeof(letter->movement) &&
                     rg_is_ok(rg_hex_parse(writing->asked->movement, letter->movement,
                                           sizeof(letter->movement), NULL)),
                 why, RG_MALFORMED, "write-movement", "a movement is named by 32 hex digits");
        memcpy(file->movement, letter->movement, sizeof(file->movement));
        file->has_movement = true;
    }
    if (!file->has_movement ||
        (writing->asked->movement == NULL && writing->kind->number == RG_KIND_HANDOVER_PROPOSAL)) {
        rg_random(file->movement, sizeof(file->movement));
        file->has_movement = true;
    }
    memcpy(letter->movement, file->movement, sizeof(letter->movement));
    letter->has_movement = true;
    return rg_ok();
}

/* ---- boxes that mean the same in every form ---- */

/* No message has told of the consent yet: it stands in our record, and is named by a digest that
 * only who holds the record can make. */
static rg_outcome consent_digest(const struct writing *writing, char *text, struct rg_reason *why)
{
    static const enum rg_field columns[] = {RG_FIELD_CONSENT_SCOPES, RG_FIELD_CONSENT_GIVEN_BY,
                                            RG_FIELD_CONSENT_GIVEN_ON, RG_FIELD_CONSENT_EXPIRES,
                                            RG_FIELD_CONSENT_METHOD};
    RG_OWNED_BUFFER bytes = {.secret = true};
    if (!rg_record_has(writing->record, RG_FIELD_CONSENT_SCOPES)) {
        return rg_ok();
    }
    RG_TRY(rg_buffer_append(
        &bytes, rg_bytes_of(writing->file.handle.b, sizeof(writing->file.handle.b)), why));
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        RG_TRY(rg_buffer_append(&bytes,
                                rg_bytes_of_text(rg_record_get(writing->record, columns[i])), why));
    }
    struct rg_hash hash = rg_sha256(rg_buffer_peek(&bytes));
    rg_hex(rg_bytes_of(hash.b, sizeof(hash.b)), text);
    return rg_ok();
}

/* The message that told of the consent which a form rests on: the newest record of it, else the
 * request or the details, or what a desk was handed of them. */
static rg_outcome consent_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    static const uint32_t kinds[] = {RG_KIND_CONSENT_RECORD, RG_KIND_REQUEST, RG_KIND_DETAILS,
                                     RG_KIND_DESK_COPY};
    struct rg_id id;
    bool found = false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !found; i++) {
        RG_TRY(rg_office_newest(writing->office, &writing->file, kinds[i], &id, &found, why));
    }
    if (found) {
        rg_hex(rg_bytes_of(id.b, sizeof(id.b)), text);
        return rg_ok();
    }
    return consent_digest(writing, text, why);
}

static rg_outcome self_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)why;
    (void)snprintf(text, FILLED_BYTES, "%s", writing->office->home->principal.text);
    return rg_ok();
}

static rg_outcome today_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)why;
    struct rg_date today = rg_office_today(writing->office);
    (void)snprintf(text, FILLED_BYTES, "%04d-%02d-%02d", today.year, today.month, today.day);
    return rg_ok();
}

static rg_outcome now_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)writing;
    (void)why;
    rg_wall_print(rg_wall_now(), text);
    return rg_ok();
}

static rg_outcome partner_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)why;
    (void)snprintf(text, FILLED_BYTES, "%s", writing->file.partner);
    return rg_ok();
}

static rg_outcome age_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)why;
    bool adult =
        rg_record_has(writing->record, RG_FIELD_AGE_STATUS) && !rg_record_is_child(writing->record);
    (void)snprintf(text, FILLED_BYTES, "%s", adult ? "ADULT" : "CHILD");
    return rg_ok();
}

static rg_outcome sex_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    (void)why;
    (void)snprintf(text, FILLED_BYTES, "%s", rg_record_get(writing->record, RG_FIELD_PRS_GENDER));
    return rg_ok();
}

/* The receiver signs over what the giver has signed. */
static rg_outcome hash_fill(struct writing *writing, char *text, struct rg_reason *why)
{
    struct rg_message_row row;
    RG_OWNED_BUFFER bytes = {.secret = true};
    bool found = false;
    RG_TRY(
        rg_spool_message_get(writing->office->spool, writing->letter.answers, &row, &found, why));
    if (found) {
        RG_TRY(rg_casebook_section_get(writing->office->book, row.seq, 0, &bytes, &found, why));
    }
    if (found) {
        struct rg_hash hash = rg_sha256(rg_buffer_peek(&bytes));
        rg_hex(rg_bytes_of(hash.b, sizeof(hash.b)), text);
    }
    return rg_ok();
}

struct filling {
    const char *box;
    rg_outcome (*fill)(struct writing *writing, char *text, struct rg_reason *why);
};

static const struct filling fillings[] = {
    {"consent", consent_fill},  {"assessor", self_fill}, {"giver", self_fill},
    {"receiver", self_fill},    {"reviewer", self_fill}, {"assessed_on", today_fill},
    {"cleared_on", today_fill}, {"time", now_fill},      {"reception_desk", partner_fill},
    {"age", age_fill},          {"sex", sex_fill},       {"record_hash", hash_fill},
};

/* Only what is required and was left empty. */
static rg_outcome boxes_fill(struct writing *writing, struct rg_reason *why)
{
    for (size_t i = 0; i < sizeof(fillings) / sizeof(fillings[0]); i++) {
        const struct rg_box *box = rg_form_box(writing->kind->form, fillings[i].box);
        char text[FILLED_BYTES] = "";
        if (box == NULL || !box->required || rg_form_get(writing->form, box->name)[0] != '\0') {
            continue;
        }
        RG_TRY(fillings[i].fill(writing, text, why));
        RG_TRY(rg_form_set(writing->form, box->name, rg_bytes_of_text(text), why));
    }
    return rg_ok();
}

/* ---- values of the record ---- */

/* Which values of the record a kind tells, where its form has a box for them. */
struct telling {
    uint32_t kind;
    enum rg_field field[12];
    size_t count;
};

#define TELLING(kind, ...)                                                                         \
    {                                                                                              \
        kind, {__VA_ARGS__}, sizeof((const enum rg_field[]){__VA_ARGS__}) / sizeof(enum rg_field)  \
    }
static const struct telling tellings[] = {
    TELLING(RG_KIND_NATIONALITY_REQUEST, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,
            RG_FIELD_PRS_BIRTHDATE, RG_FIELD_DOB_PRECISION, RG_FIELD_PRS_GENDER,
            RG_FIELD_PRS_CITIZENSHIP, RG_FIELD_PRS_IDENTITY_NUMBER, RG_FIELD_HOME_DISTRICT,
            RG_FIELD_PRS_PRIMARY_LANGUAGE, RG_FIELD_FATHER_NAME, RG_FIELD_MOTHER_NAME,
            RG_FIELD_HOME_VILLAGE),
    TELLING(RG_KIND_TRACING_REQUEST, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,
            RG_FIELD_ALIAS_NICKNAME, RG_FIELD_PRS_BIRTHDATE, RG_FIELD_HOME_DISTRICT,
            RG_FIELD_FATHER_NAME, RG_FIELD_MOTHER_NAME, RG_FIELD_HOME_VILLAGE,
            RG_FIELD_FAMILY_DETAILS, RG_FIELD_FAMILY_DO_NOT_CONTACT),
    TELLING(RG_KIND_TRAVEL_DOC_REQUEST, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,
            RG_FIELD_PRS_BIRTHDATE, RG_FIELD_PRS_GENDER, RG_FIELD_PRS_CITIZENSHIP,
            RG_FIELD_PRS_IDENTITY_NUMBER),
    TELLING(RG_KIND_HANDOVER_RECORD, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN),
    TELLING(RG_KIND_EMERGENCY_RETURN, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,
            RG_FIELD_PRS_BIRTHDATE, RG_FIELD_PRS_GENDER, RG_FIELD_PRS_PRIMARY_LANGUAGE),
    TELLING(RG_KIND_ONWARD_REFERRAL, RG_FIELD_FULL_NAME_NATIVE, RG_FIELD_FULL_NAME_LATIN,
            RG_FIELD_PRS_BIRTHDATE, RG_FIELD_PRS_GENDER, RG_FIELD_PRS_PRIMARY_LANGUAGE),
};

static const struct telling *telling_of(uint32_t kind)
{
    for (size_t i = 0; i < sizeof(tellings) / sizeof(tellings[0]); i++) {
        if (tellings[i].kind == kind) {
            return &tellings[i];
        }
    }
    return NULL;
}

/* The classes that the person lets go to that country for this. */
static rg_outcome classes_agreed(const struct writing *writing, unsigned *out,
                                 struct rg_reason *why)
{
    const struct rg_case_file *file = &writing->file;
    struct rg_consents set;
    char country[RG_COUNTRY_BYTES];
    struct rg_vital vital = {
        .present = writing->asked->vital != NULL,
        .reason = writing->asked->vital,
        .opened = RG_CLASS_BIT(RG_CLASS_CASE) | RG_CLASS_BIT(RG_CLASS_IDENTITY),
    };
    (void)snprintf(vital.decided_by, sizeof(vital.decided_by), "%s",
                   writing->office->home->principal.text);
    rg_office_country(file->partner, country);
    RG_TRY(rg_office_consents(writing->office, file, &set, why));
    struct rg_consent_ask ask = {
        .kind = writing->kind->number,
        .country = country,
        .desk = RG_ROLE_FOCAL,
        .purpose = rg_purpose_of(writing->kind->number, file->preview.reason),
        .today = rg_office_today(writing->office),
        .child = rg_office_is_child(file, writing->record),
        .vital = &vital,
    };
    *out = rg_consent_classes(&set, &ask) & writing->kind->classes;
    return rg_ok();
}

/* What the officer has written stands; the record fills what is empty, in classes that may go. */
static rg_outcome fields_fill(struct writing *writing, struct rg_reason *why)
{
    const struct telling *telling = telling_of(writing->kind->number);
    unsigned classes = 0;
    if (telling == NULL) {
        return rg_ok();
    }
    RG_TRY(classes_agreed(writing, &classes, why));
    for (size_t i = 0; i < telling->count; i++) {
        enum rg_field field = telling->field[i];
        const char *value = rg_record_get(writing->record, field);
        bool may = (classes & RG_CLASS_BIT(rg_field_row(field)->class_)) != 0;
        if (may && value[0] != '\0' && rg_form_field_get(writing->form, field)[0] == '\0') {
            RG_TRY(rg_form_field_set(writing->form, field, rg_bytes_of_text(value), why));
        }
    }
    return rg_ok();
}

/* ---- the questions ---- */

static rg_outcome author_ask(struct writing *writing, struct rg_reason *why)
{
    const char *role = rg_office_role(writing->office);
    RG_CHECK(rg_kind_by(writing->kind->number, rg_role_find(role)), why, RG_DENIED, "kind-author",
             "%s is not for an office like this one (%s) to write", writing->kind->name, role);
    return rg_ok();
}

/* What is required in a section is required of its author, unless the person keeps that class back:
 * then the section may be left out, and is shown as withheld. An alert is not held up for it. */
static rg_outcome form_ask(struct writing *writing, struct rg_reason *why)
{
    unsigned agreed = 0;
    unsigned required = rg_form_table_required(writing->kind->form);
    if (!is_to_all(writing) && writing->kind->way != RG_WAY_ALERT) {
        RG_TRY(classes_agreed(writing, &agreed, why));
    }
    return rg_form_check(
        writing->form,
        RG_CLASS_BIT(RG_CLASS_CASE) | rg_form_classes(writing->form) | (agreed & required), why);
}

/* ---- the letter ---- */

/* An office decides these once: its second answer is refused by its own gateway. Not what may
 * become more or other: a partner accepts, then tells of the departure; a witness changes her mind.
 */
static bool decides(uint32_t kind)
{
    return kind == RG_KIND_WITHDRAWAL_ACK || kind == RG_KIND_HANDOVER_REPLY ||
           kind == RG_KIND_CLOSURE_REPLY || kind == RG_KIND_ERASURE_DONE;
}

/* "officer-2" names referral://th/focal/officer-2. */
static bool ends_with(const char *principal, const char *officer)
{
    size_t whole = strlen(principal);
    size_t part = strlen(officer);
    return part < whole && principal[whole - part - 1] == '/' &&
           strcmp(principal + whole - part, officer) == 0;
}

/* The officer who is to sign as well: the one named, or the first other one of this office. */
static rg_outcome second_find(struct writing *writing, struct rg_reason *why)
{
    struct rg_home *home = writing->office->home;
    struct rg_certificate *signer[SIGNERS_MAX];
    const char *asked = writing->asked->second;
    size_t count = 0;
    RG_TRY(rg_trust_signers(home->trust, home->principal.office, signer, SIGNERS_MAX, &count, why));
    for (size_t i = 0; i < count; i++) {
        const struct rg_principal *principal = rg_certificate_principal(signer[i]);
        bool herself = strcmp(principal->text, home->principal.text) == 0;
        bool meant = asked == NULL || strcmp(principal->text, asked) == 0 ||
                     ends_with(principal->text, asked);
        if (!herself && meant) {
            (void)snprintf(writing->second, sizeof(writing->second), "%s", principal->text);
            writing->letter.second = writing->second;
            return rg_ok();
        }
    }
    return rg_fail(why, RG_DENIED, "second-officer",
                   "there is no such second officer of this office to sign as well");
}

static bool needs_second(const struct writing *writing)
{
    return writing->kind->two_officers || (writing->kind->number == RG_KIND_RISK_ASSESSMENT &&
                                           rg_form_true(writing->form, "lifts"));
}

/* May our office's alert cross the border itself: an office for emergencies, and they know her. */
static bool alert_crosses(const struct writing *writing)
{
    const struct rg_office *own =
        rg_trust_office(writing->office->home->trust, rg_office_own(writing->office));
    return own != NULL && own->cross_border == RG_CROSS_EMERGENCY &&
           writing->file.now.state == RG_CASE_FORWARDED;
}

/* Who is no focal point writes a draft for its own. An alert waits for nobody: it goes to our focal
 * point on a thread of its own, whose library passes it on; from an office for emergencies it goes
 * straight abroad and our focal point is told, once somebody there is known to have heard of her.
 */
static rg_outcome way_choose(struct writing *writing, struct rg_reason *why)
{
    struct rg_letter *letter = &writing->letter;
    writing->state = "waiting";
    if (needs_second(writing)) {
        writing->state = "countersign";
        RG_TRY(second_find(writing, why));
    }
    if (writing->file.now.side != RG_SIDE_PROPOSER) {
        return rg_ok();
    }
    RG_TRY(rg_office_abroad(writing->office, &writing->file, writing->abroad, why));
    if (writing->kind->way == RG_WAY_ALERT) {
        letter->to_office = alert_crosses(writing) ? writing->abroad : writing->file.partner;
        rg_random(letter->thread.b, sizeof(letter->thread.b));
        return rg_ok();
    }
    writing->state = "draft";
    letter->draft_for = writing->abroad;
    return rg_ok();
}

static rg_outcome letter_send(struct writing *writing, struct rg_reason *why)
{
    struct rg_letter *letter = &writing->letter;
    struct rg_case_file *file = &writing->file;
    size_t done = 0;
    letter->kind = writing->kind->number;
    letter->form = writing->form;
    letter->has_decides = letter->has_answers && decides(letter->kind);
    letter->decides = letter->answers;
    letter->language = writing->asked->language;
    letter->vital = writing->asked->vital;
    if (is_to_all(writing)) {
        writing->state = "waiting";
        return rg_office_post_all(writing->office, letter, writing->asked->to, &writing->id, &done,
                                  why);
    }
    RG_TRY(way_choose(writing, why));
    RG_TRY(rg_office_post(writing->office, file, letter, &writing->id, why));
    if (letter->kind == RG_KIND_ONWARD_REFERRAL) {
        file->now.state = RG_CASE_RELEASED; /* the house's own part is over with it */
    }
    RG_TRY(rg_office_act(writing->office, file, &done, why));
    return rg_casebook_put(writing->office->book, file, why);
}

typedef rg_outcome (*writing_step)(struct writing *writing, struct rg_reason *why);

/* In this order: the message is made, then asked about, then sent. */
static const writing_step steps[] = {
    kind_find,  case_find,     author_ask,  form_read, answers_fill,
    boxes_fill, movement_fill, fields_fill, form_ask,  letter_send,
};

static rg_outcome write_one(struct writing *writing, struct rg_reason *why)
{
    RG_SPOOL_STEP step = {0};
    RG_TRY(rg_spool_step_begin(writing->office->spool, &step, why));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        RG_TRY(steps[i](writing, why));
    }
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_write(struct referral *office, const struct referral_letter *letter,
                                      struct referral_written *out)
{
    struct rg_reason why = {0};
    RG_CLEANUP(writing_drop) struct writing writing = {.office = office, .asked = letter};
    rg_outcome outcome = write_one(&writing, &why);
    if (rg_is_ok(outcome)) {
        rg_hex(rg_bytes_of(writing.id.b, sizeof(writing.id.b)), out->id);
        (void)snprintf(out->to, sizeof(out->to), "%s",
                       writing.letter.to_office != NULL ? writing.letter.to_office : "all");
        out->state = writing.state;
    }
    return rg_result(outcome, &why);
}

/* ---- what is missing before a departure ---- */

static rg_outcome gate_look(struct referral *office, const char *id, struct rg_gate_verdict *out,
                            struct rg_reason *why)
{
    RG_CASE_FILE file = {0};
    RG_TRY(rg_office_case(office, id, &file, why));
    return rg_office_gate(office, &file, out, why);
}

struct referral_result referral_gate(struct referral *office, const char *id,
                                     struct referral_cursor *cursor, struct referral_gate_row *out)
{
    struct rg_reason why = {0};
    struct rg_gate_verdict verdict;
    rg_outcome outcome = gate_look(office, id, &verdict, &why);
    if (rg_is_ok(outcome) && (size_t)cursor->at >= verdict.count) {
        return (struct referral_result){.code = REFERRAL_END};
    }
    if (rg_is_ok(outcome)) {
        const struct rg_gate_row *row = rg_gate_row(verdict.row[cursor->at++]);
        *out = (struct referral_gate_row){
            .id = row->id, .meaning = row->meaning, .what_next = row->what_next};
    }
    return rg_result(outcome, &why);
}
