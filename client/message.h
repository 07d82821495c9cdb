/*
 * NAME
 *   message - the kinds of message, what each may hold, and the content of one sealed section
 *
 * SYNOPSIS
 *   row = rg_kind_row(11);                              number, name, classes, what it answers
 *   rg_kind_check_way(kind, role, crosses, why);        may this role send it this way
 *   rg_content_encode(&content, &out, why);             out: a secret buffer
 *   rg_content_decode(bytes, &content, &memory, why);   memory: a secret buffer, owns the texts
 *
 * DESCRIPTION
 *   A message has one section per class; each holds the common part and one body. Which body stands
 * in which section of which kind is a row of one table; all 49 kinds of the catalogue and our three
 * (17 details, 18 acknowledgement, 19 proposal) have their row, those without a body cannot be made
 * or read yet. Encoding checks as strictly as decoding, so an unlawful message is never signed:
 *   - details hold fields of the section's own class only, values in their normal form;
 *   - an office's own case number and a protection claim never stand in a message that crosses;
 *   - a request shows the preview and nothing else; only the case section has labels;
 *   - 12, 13 and 17 name the message they answer.
 *   Decoding is core/codec's, by table: known fields only, in order, each once, shortest varints,
 * UTF-8 without NUL, bounds before anything is copied. `referral.proto` is parsed here and nowhere
 * else.
 *
 * OWNERSHIP
 *   Texts in rg_content are borrowed: from the caller when encoding, from `memory` after decoding.
 *   Drop `memory` (it wipes) when done. Absent texts are "" after decoding; NULL means absent too.
 *
 * ERRORS
 *   RG_MALFORMED content-* (content-form, content-kind, content-class, content-body, content-field,
 *   content-code, content-text, content-label, content-answers), RG_LIMIT content-limit,
 *   RG_DENIED content-way. Texts name the field, never its value.
 *
 * THREADS
 *   Pure.
 *
 * LIMITS
 *   RG_CONTENT_BYTES_MAX for one section, so that six padded, sealed ones fit one envelope.
 */
#ifndef RG_CLIENT_MESSAGE_H
#define RG_CLIENT_MESSAGE_H

#include "client/htcds.h"
#include "core/limits.h"

#define RG_CONTENT_FORMAT 1
#define RG_CONTENT_BYTES_MAX (31 * RG_KIB)
#define RG_ANSWER_TEXT_BYTES_MAX 2048 /* contact route, next steps, reason in words */

enum rg_kind {
    RG_KIND_REQUEST = 11,
    RG_KIND_ACCEPT = 12,
    RG_KIND_DECLINE = 13,
    RG_KIND_DETAILS = 17,
    RG_KIND_ACKNOWLEDGEMENT = 18,
    RG_KIND_PROPOSAL = 19,
};

enum rg_body {
    RG_BODY_NONE, /* the kind has no body yet in this class */
    RG_BODY_PREVIEW,
    RG_BODY_DETAILS,
    RG_BODY_ACCEPT,
    RG_BODY_DECLINE,
    RG_BODY_ACKNOWLEDGEMENT,
    RG_BODY_PROPOSAL,
    RG_BODY_WITHHELD,
};

/* Which way a kind may go. */
enum rg_way {
    RG_WAY_FOCAL,    /* across a border between focal points; inside a country to anybody */
    RG_WAY_ALERT,    /* also directly from an NGO across a border */
    RG_WAY_DOMESTIC, /* never across a border */
};

struct rg_kind_row {
    uint32_t number;
    const char *name;        /* "REFERRAL_REQUEST" */
    unsigned classes;        /* RG_CLASS_BIT of the sections it may have */
    enum rg_body case_body;  /* in its case section */
    enum rg_body other_body; /* in its other sections */
    enum rg_way way;
    bool needs_answers;  /* must name the message it answers */
    bool two_officers;   /* irreversible: two signatures */
    uint8_t answers[10]; /* kinds it may answer, 0 ended; empty: any or none */
    uint8_t answer_days; /* working days the other side has; 0: no answer is awaited */
};
const struct rg_kind_row *rg_kind_row(uint32_t number); /* NULL: no such kind */
const struct rg_kind_row *rg_kind_rows(size_t *count_out);
const char *rg_kind_name(uint32_t number); /* "UNKNOWN_KIND" when there is none */
bool rg_kind_answers(uint32_t kind, uint32_t answered);
/* `role` of the author's office: "focal", "ngo", ... as in the page. RG_DENIED content-way. */
RG_MUST_USE rg_outcome rg_kind_check_way(uint32_t kind, const char *role, bool crosses,
                                         struct rg_reason *why);

struct rg_case_handle { /* random; links the threads of one case; only ever inside sealed content */
    uint8_t b[16];
};

enum rg_label_state { RG_LABEL_ATTACHED = 1, RG_LABEL_AFTER_ACCEPT, RG_LABEL_WITHHELD };
struct rg_label {
    enum rg_class class_;
    enum rg_label_state state;
    uint32_t index; /* of the section in the envelope, when ATTACHED */
};

struct rg_consent_summary {
    uint32_t scopes; /* RG_SCOPE_BIT; HTCDS has only con_Consent, scopes are ours */
    enum rg_given_by given_by;
    struct rg_date expires; /* a full date: the last day on which it holds */
};

struct rg_preview {
    enum rg_referral_reason reason;
    enum rg_age age;  /* adult or child; uncertain counts as child */
    uint32_t sex;     /* position in prs_Gender */
    char language[4]; /* prs_PrimaryLanguage, ISO 639-2; "" unknown */
    uint32_t needs;   /* bit position-1 of the list `needs` */
    enum rg_urgency urgency;
    struct rg_date expected_month; /* year 0: not known */
    struct rg_consent_summary consent;
};

struct rg_field_value {
    enum rg_field field;
    const char *value; /* normal form, never "" */
};
struct rg_fields { /* ascending by number */
    struct rg_field_value item[RG_FIELD_COUNT];
    size_t count;
};

enum rg_decline_code {
    RG_DECLINE_NOT_OUR_NATIONAL = 1,
    RG_DECLINE_NO_CAPACITY,
    RG_DECLINE_UNSAFE_HERE,
    RG_DECLINE_CONSENT_MISSING,
    RG_DECLINE_INCOMPLETE,
    RG_DECLINE_DUPLICATE_OF,
    RG_DECLINE_CONFLICT_OF_INTEREST,
    RG_DECLINE_NO_LEGAL_BASIS,
    RG_DECLINE_OTHER,
};
/* "NOT_OUR_NATIONAL", ...; NULL for an unknown code, 0 for an unknown name. */
const char *rg_decline_name(enum rg_decline_code code);
enum rg_decline_code rg_decline_find(const char *name);

struct rg_accept {
    const char *desk;          /* "kh/focal" */
    const char *contact_route; /* how to reach it, at most RG_ANSWER_TEXT_BYTES_MAX */
    const char *next_steps;    /* same bound */
};
struct rg_decline {
    enum rg_decline_code code;
    const char *text;            /* needed with OTHER, same bound */
    const char *suggested_party; /* office name, "" none */
};
struct rg_acknowledgement {
    struct rg_id opened;
    struct rg_wall opened_at; /* the opener's clock */
};
struct rg_proposal {
    struct rg_preview preview;
    char origin_country[RG_COUNTRY_BYTES]; /* lower case, as in office names */
    const char *case_ref;                  /* the NGO's own number */
    struct rg_fields fields;               /* case class */
};

struct rg_content {
    uint32_t kind; /* enum rg_kind, or a later one */
    enum rg_class class_;
    struct rg_case_handle handle;
    bool has_previous, has_seen, has_answers;
    struct rg_id previous; /* this office's last message in the thread */
    struct rg_id seen;     /* last known from the other side */
    struct rg_id answers;
    bool exercise;
    char author[RG_PRINCIPAL_BYTES];
    struct rg_wall made;                   /* the author's clock */
    struct rg_label label[RG_CLASS_COUNT]; /* classes ascending */
    size_t label_count;
    enum rg_body body;
    union {
        struct rg_preview preview;
        struct rg_fields details;
        struct rg_accept accept;
        struct rg_decline decline;
        struct rg_acknowledgement acknowledgement;
        struct rg_proposal proposal;
        enum rg_label_state withheld;
    };
};

RG_MUST_USE rg_outcome rg_content_encode(const struct rg_content *content, struct rg_buffer *out,
                                         struct rg_reason *why);
RG_MUST_USE rg_outcome rg_content_decode(struct rg_bytes bytes, struct rg_content *content_out,
                                         struct rg_buffer *memory_out, struct rg_reason *why);

/* The fields of one case as an office keeps them (referral.content.StoredRecord): all classes, for
 * the casebook, never for sending. */
RG_MUST_USE rg_outcome rg_stored_fields_encode(const struct rg_fields *fields,
                                               struct rg_buffer *out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_stored_fields_decode(struct rg_bytes bytes, struct rg_fields *fields_out,
                                               struct rg_buffer *memory_out, struct rg_reason *why);

/* The tables fit referral.proto. For tests. */
RG_MUST_USE rg_outcome rg_message_shapes_check(struct rg_reason *why);

#endif
