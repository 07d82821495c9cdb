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
 * in which section of which kind is a row of one table: the 49 kinds of the catalogue and ours (17
 * details, 18 acknowledgement, 19 proposal; 90 to 92, which never leave the country). Most bodies
 * are forms (client/form.h). Encoding checks as strictly as decoding, so an unlawful message is
 * never signed:
 *   - a form holds values of the section's own class only, and all that are required in it;
 *   - details hold fields of the section's own class only, values in their normal form;
 *   - an office's own case number and a protection claim never stand in a message that crosses;
 *   - a request shows the preview and nothing else; only the case section has labels;
 *   - 12, 13 and 17 name the message they answer.
 *   Decoding is core/codec's, by table: known fields only, in order, each once, shortest varints,
 * UTF-8 without NUL, bounds before anything is copied. `referral.proto` is parsed here and nowhere
 * else.
 *
 * OWNERSHIP
 *   Texts, bytes and the form in rg_content are borrowed: from the caller when encoding, from
 *   `memory` after decoding. Drop `memory` (it wipes) when done; nothing else is to be freed.
 * Absent texts are "" after decoding; NULL means absent too.
 *
 * ERRORS
 *   RG_MALFORMED content-* (content-form, content-kind, content-class, content-body, content-field,
 *   content-code, content-text, content-label, content-answers, content-required,
 *   content-vital), RG_LIMIT content-limit, RG_DENIED content-way. Texts name the field, never its
 * value.
 *
 * THREADS
 *   Pure.
 *
 * LIMITS
 *   RG_CONTENT_BYTES_MAX for one section, so that six padded, sealed ones fit one envelope; the
 *   domestic kinds 90 to 92, and a section that carries another, which hold other messages' bytes,
 * RG_CONTENT_CARRIED_BYTES_MAX.
 */
#ifndef RG_CLIENT_MESSAGE_H
#define RG_CLIENT_MESSAGE_H

#include "client/form.h"
#include "core/limits.h"

#define RG_CONTENT_FORMAT 1
#define RG_CONTENT_BYTES_MAX (31 * RG_KIB)
#define RG_CONTENT_CARRIED_BYTES_MAX (60 * RG_KIB)
#define RG_ANSWER_TEXT_BYTES_MAX 2048 /* contact route, next steps, reason in words */

enum rg_kind {
    RG_KIND_RECEIPT = 1,
    RG_KIND_TECH_REJECT = 2,
    RG_KIND_DIRECTORY_UPDATE = 3,
    RG_KIND_PROCEDURE_NOTICE = 4,
    RG_KIND_IDENTIFICATION_NOTICE = 10,
    RG_KIND_REQUEST = 11,
    RG_KIND_ACCEPT = 12,
    RG_KIND_DECLINE = 13,
    RG_KIND_INFO_REQUEST = 14,
    RG_KIND_INFO_RESPONSE = 15,
    RG_KIND_CANCEL = 16,
    RG_KIND_DETAILS = 17,
    RG_KIND_ACKNOWLEDGEMENT = 18,
    RG_KIND_PROPOSAL = 19,
    RG_KIND_CONSENT_RECORD = 20,
    RG_KIND_CONSENT_WITHDRAWN = 21,
    RG_KIND_WITHDRAWAL_ACK = 22,
    RG_KIND_NATIONALITY_REQUEST = 30,
    RG_KIND_NATIONALITY_RESULT = 31,
    RG_KIND_TRACING_REQUEST = 32,
    RG_KIND_TRACING_RESULT = 33,
    RG_KIND_FAMILY_ASSESSMENT = 34,
    RG_KIND_RISK_ASSESSMENT = 35,
    RG_KIND_BEST_INTEREST = 36,
    RG_KIND_TRAVEL_DOC_REQUEST = 37,
    RG_KIND_TRAVEL_DOC_RESULT = 38,
    RG_KIND_HEALTH_SUMMARY = 39,
    RG_KIND_HANDOVER_PROPOSAL = 40,
    RG_KIND_HANDOVER_REPLY = 41,
    RG_KIND_HANDOVER_CHANGE = 42,
    RG_KIND_DEPARTED = 44,
    RG_KIND_HANDOVER_RECORD = 45,
    RG_KIND_RECEPTION_CONFIRM = 46,
    RG_KIND_TRANSIT_ALERT = 47,
    RG_KIND_TRANSIT_RESOLVED = 48,
    RG_KIND_EMERGENCY_RETURN = 49,
    RG_KIND_REINTEGRATION_PLAN = 50,
    RG_KIND_FOLLOW_UP_REPORT = 51,
    RG_KIND_SAFETY_CONCERN = 52,
    RG_KIND_CLOSURE = 53,
    RG_KIND_CLOSURE_REPLY = 54,
    RG_KIND_REOPEN = 55,
    RG_KIND_JUSTICE_REQUEST = 60,
    RG_KIND_JUSTICE_REPLY = 61,
    RG_KIND_WITNESS_VISIT = 62,
    RG_KIND_REMEDY_NOTICE = 63,
    RG_KIND_ONWARD_REFERRAL = 70,
    RG_KIND_ONWARD_REPLY = 71,
    RG_KIND_ACCESS_OR_CORRECTION = 80,
    RG_KIND_ERASURE_ORDER = 82,
    RG_KIND_ERASURE_DONE = 83,
    RG_KIND_BREACH_NOTICE = 84,
    RG_KIND_DESK_DRAFT = 90,          /* a desk's or NGO's draft, to its own focal point */
    RG_KIND_DESK_COPY = 91,           /* a section that the focal point may not read, to the desk */
    RG_KIND_COUNTERSIGN_REQUEST = 92, /* to the second officer of the own office */
    RG_KIND_PROTECTION_NOTICE = 93,   /* to the officers of the own office */
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
    RG_BODY_FORM,        /* as the kind's table says */
    RG_BODY_FORWARDED,   /* 91; and of any kind, in place of a section that another has written */
    RG_BODY_DESK_DRAFT,  /* 90 */
    RG_BODY_COUNTERSIGN, /* 92 */
};

/* Which way a kind may go. */
enum rg_way {
    RG_WAY_FOCAL,    /* across a border between focal points; inside a country to anybody */
    RG_WAY_ALERT,    /* also directly from an NGO across a border */
    RG_WAY_DOMESTIC, /* never across a border */
};

/* What an office is, as in the page ("focal", ...); an operator and a partner are authors too. */
enum rg_role {
    RG_ROLE_FOCAL = 1,
    RG_ROLE_SOCIAL,
    RG_ROLE_VERIFY,
    RG_ROLE_BORDER,
    RG_ROLE_HEALTH,
    RG_ROLE_JUSTICE,
    RG_ROLE_CHILD,
    RG_ROLE_NGO,
    RG_ROLE_PARTNER,
    RG_ROLE_OPERATOR,
};
#define RG_ROLE_COUNT 10
#define RG_ROLE_BIT(role) (1u << ((unsigned)(role)-1u))
const char *rg_role_name(enum rg_role role); /* "unknown" when there is none */
enum rg_role rg_role_find(const char *name); /* 0 when there is none */

/* Between whom: host, origin, a partner in a third country. */
enum rg_direction {
    RG_DIRECTION_ANY,
    RG_DIRECTION_HOST_TO_ORIGIN,
    RG_DIRECTION_ORIGIN_TO_HOST,
    RG_DIRECTION_BACK,      /* from the addressee of what it answers */
    RG_DIRECTION_REQUESTER, /* from the author of the request */
    RG_DIRECTION_TO_PARTNER,
    RG_DIRECTION_FROM_PARTNER,
    RG_DIRECTION_HOME, /* never across a border */
};
enum rg_deadline_unit {
    RG_DEADLINE_NONE, /* no answer is awaited */
    RG_DEADLINE_WORKING_DAYS,
    RG_DEADLINE_DAYS,
    RG_DEADLINE_HOURS,
};
/* Which of two concurrent messages of a case counts first. */
enum rg_rank {
    RG_RANK_WITHDRAWAL = 1,
    RG_RANK_STOP, /* cancel, removal from a movement */
    RG_RANK_DECLINE,
    RG_RANK_ALERT,
    RG_RANK_REST,
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
    uint8_t answers[16]; /* kinds it may answer, 0 ended; empty: any or none */
    unsigned by;         /* RG_ROLE_BIT of who may write it; from others it is a draft */
    enum rg_direction direction;
    uint16_t deadline; /* default for the answer, in `unit` */
    enum rg_deadline_unit unit;
    enum rg_rank rank;
    const struct rg_form_table *form; /* its boxes; of a kind with a struct, what that holds */
    const char *meaning;              /* one line */
};
const struct rg_kind_row *rg_kind_row(uint32_t number); /* NULL: no such kind */
const struct rg_kind_row *rg_kind_rows(size_t *count_out);
const char *rg_kind_name(uint32_t number); /* "UNKNOWN_KIND" when there is none */
bool rg_kind_answers(uint32_t kind, uint32_t answered);
/* May such an office write it itself, and not only as a draft. */
bool rg_kind_by(uint32_t kind, enum rg_role role);
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

/* A sealed section of another message, passed on verbatim to a desk that may open it, or from an
 * author at home to the focal point abroad. */
struct rg_forwarded {
    struct rg_bytes core;        /* of the envelope it came in */
    uint32_t index;              /* of the section there */
    struct rg_bytes sealed;      /* as it came */
    struct rg_bytes certificate; /* DER of the author, when the reader's pages do not name him */
};
/* What a desk or an NGO asks its focal point to send: the case section of the message to be, as
 * rg_content_encode made it. The other sections are sections of the draft's own envelope. */
struct rg_desk_draft {
    uint32_t kind;
    char to_country[RG_COUNTRY_BYTES];
    struct rg_bytes content;
};
/* What the second officer is asked to sign: the same bytes. */
struct rg_countersign {
    struct rg_bytes core;
    struct {
        enum rg_class class_;
        struct rg_bytes bytes; /* CMS SignedData of the first officer over the SignedSection */
    } section[RG_CLASS_COUNT]; /* classes ascending */
    size_t count;
};

/* Danger to life: the one reason to act without consent. It opens identity and needs only, and is
 * told to both focal points and to the person. */
struct rg_vital {
    bool present;
    char decided_by[RG_PRINCIPAL_BYTES];
    const char *reason; /* at most RG_ANSWER_TEXT_BYTES_MAX */
    unsigned opened;    /* RG_CLASS_BIT: case, identity, security at most */
};

#define RG_GROUP_BYTES 16
#define RG_LANGUAGE_BYTES 36 /* BCP 47, with NUL */

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
    bool has_movement, has_family_link;
    uint8_t movement[RG_GROUP_BYTES];    /* groups persons that travel together */
    uint8_t family_link[RG_GROUP_BYTES]; /* links relatives' cases */
    struct rg_vital vital;
    char second_author[RG_PRINCIPAL_BYTES]; /* of an irreversible act, "" otherwise */
    char language[RG_LANGUAGE_BYTES];       /* of the free text, "" when there is none */
    enum rg_body body;
    union {
        struct rg_preview preview;
        struct rg_fields details;
        struct rg_accept accept;
        struct rg_decline decline;
        struct rg_acknowledgement acknowledgement;
        struct rg_proposal proposal;
        enum rg_label_state withheld;
        const struct rg_form *form;
        struct rg_forwarded forwarded;
        struct rg_desk_draft desk_draft;
        struct rg_countersign countersign;
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
