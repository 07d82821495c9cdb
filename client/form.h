/*
 * NAME
 *   form - the body of a message as named, checked texts, described by one table
 *
 * SYNOPSIS
 *   rg_form_new(rg_kind_row(35)->form, &form, why);      RG_OWNED_FORM form = NULL;
 *   rg_form_set(form, "verdict", RG_BYTES_LITERAL("SAFE"), why);
 *   rg_form_row_add(form, "areas", &row, why);
 *   rg_form_row_set(form, "areas", row, "level", text, why);
 *   rg_form_check(form, classes, why);                   all that is required is there
 *   rg_form_get(form, "verdict")   rg_form_code(form, "verdict")   rg_form_is(form, "verdict",
 * "SAFE")
 *
 * DESCRIPTION
 *   Every kind of message without a struct of its own has a table of boxes (client/form_*.c; which
 * table: rg_kind_row(kind)->form). The same table drives the wire, the checks, the JSON, the
 * templates, docs/messages.md and the tests. A box has a number (its field number in
 * referral.proto, for ever), a name, a type, the class of the section it travels in, and says
 * whether it is required. A form holds only what passed its box, in normal form: NFC, blanks off,
 * codes as in the list, dates YYYY-MM-DD, times 2027-03-01T08:30:00Z, ids 64 hex digits.
 *   Three types are made of more than one text:
 *   - ROWS: a list of rows, each with the boxes of a table of its own; never deeper;
 *   - FIELDS: values of the dictionary (client/htcds.h), each of its own class;
 *   - a box marked `many` holds several values joined by ';', each once, in the order given.
 *   Class 0 of a box means "of the field": FIELDS, and ROWS whose box `field` names a field of the
 * dictionary; each row then travels in the class of the field it names. A VALUE is the value of
 * the field that the same row names, and is held to that field's normal form.
 *   One form may hold the values of all sections of a message; rg_form_part takes out those of one
 * section, rg_form_merge puts the sections of an opened message together again.
 *
 * OWNERSHIP
 *   Texts handed out are the form's and live until that box is set again or the form is freed. A
 * form that rg_content_decode hands out is constant and lives in that call's `memory`: nothing is
 * to be freed. All texts are wiped.
 *
 * ERRORS
 *   RG_MALFORMED form-field (no such box), form-value, form-code, form-required, form-class,
 *   form-row, form-json; RG_LIMIT form-limit. Texts name the box and what is allowed, never the
 *   value.
 *
 * THREADS
 *   One per form. Tables are constant.
 */
#ifndef RG_CLIENT_FORM_H
#define RG_CLIENT_FORM_H

#include "client/htcds.h"

#define RG_FORM_BOXES_MAX 40    /* in one table */
#define RG_FORM_COLUMNS_MAX 12  /* in the table of a row */
#define RG_FORM_ROWS_MAX 100    /* of one list: a movement has at most 100 persons */
#define RG_FORM_MANY_MAX 32     /* values of a `many` box */
#define RG_WORDS_BYTES_MAX 2048 /* a long text */
#define RG_LINE_BYTES_MAX 512

enum rg_box_type {
    RG_BOX_LINE,      /* one line of text */
    RG_BOX_WORDS,     /* text with line ends, language tag in rg_content */
    RG_BOX_NAME,      /* one line, any script, never split */
    RG_BOX_CODE,      /* one of `codes` */
    RG_BOX_CODES,     /* several of `codes`, joined by ';', list order */
    RG_BOX_DATE,      /* YYYY-MM-DD */
    RG_BOX_PARTIAL,   /* YYYY, YYYY-MM or YYYY-MM-DD */
    RG_BOX_MONTH,     /* YYYY-MM */
    RG_BOX_TIME,      /* 2027-03-01T08:30:00Z */
    RG_BOX_BOOL,      /* true, false */
    RG_BOX_NUMBER,    /* 0 to `max`, 999 when that is 0 */
    RG_BOX_AMOUNT,    /* 1250 or 1250.50 */
    RG_BOX_CURRENCY,  /* ISO 4217 form: THB */
    RG_BOX_COUNTRY,   /* as in office names: la; others may be partners' codes */
    RG_BOX_OFFICE,    /* la/health */
    RG_BOX_PRINCIPAL, /* referral://la/health/officer-1 */
    RG_BOX_ID,        /* 64 hex digits: a message, a hash, a certificate's SHA-256 */
    RG_BOX_CASE,      /* 32 hex digits: case handle, movement */
    RG_BOX_LANGUAGE,  /* BCP 47: km, zh-Hans-CN */
    RG_BOX_POINT,     /* id of a handover point, config data: TH-LA-1 */
    RG_BOX_REFERENCE, /* an office's own number: letters, digits, . _ / - */
    RG_BOX_FIELD,     /* name of a dictionary field that may cross */
    RG_BOX_VALUE,     /* value of the field in the same row's box `field` */
    RG_BOX_FIELDS,    /* any dictionary fields that may cross */
    RG_BOX_ROWS,
};

struct rg_form_table;
struct rg_box {
    uint32_t number; /* in the .proto */
    const char *name;
    enum rg_box_type type;
    enum rg_class class_; /* 0: of the field */
    bool required;
    bool many;
    const char *const *codes; /* NULL ended */
    const char *codes_of;     /* the dictionary field whose list it is, instead of `codes` */
    const struct rg_form_table *rows;
    uint32_t max; /* bytes of a text, rows, or the number's largest; 0: of the type */
    const char
        *when; /* required when "box=CODE" or "box=CODE,CODE" holds in the same row or form */
    const char *meaning;
};
struct rg_form_table {
    const char *name; /* of the message in referral.proto */
    const struct rg_box *box;
    size_t count;
};
const struct rg_box *rg_form_box(const struct rg_form_table *table, const char *name); /* or NULL */
const char *const *rg_box_codes(const struct rg_box *box); /* its list, NULL ended; or NULL */
uint32_t rg_box_code_find(const struct rg_box *box, struct rg_bytes text); /* position, 0 none */
uint32_t rg_box_codes_set(const struct rg_box *box, const char *normal);   /* bit position-1 */
const char *rg_box_type_name(enum rg_box_type type);                       /* "line", "code", ... */
const char *
rg_box_allowed(const struct rg_box *box);          /* "one line of text", ... without the codes */
size_t rg_box_bytes_max(const struct rg_box *box); /* of one value in normal form */
uint32_t rg_box_number_max(const struct rg_box *box); /* the largest number */
/* Replaces what is in `normal_out`. For VALUE, `of` is the field; otherwise NULL. */
RG_MUST_USE rg_outcome rg_box_check(const struct rg_box *box, const enum rg_field *of,
                                    struct rg_bytes text, struct rg_buffer *normal_out,
                                    struct rg_reason *why);

struct rg_form;
RG_MUST_USE rg_outcome rg_form_new(const struct rg_form_table *table, struct rg_form **form_out,
                                   struct rg_reason *why);
void rg_form_free(struct rg_form *form); /* NULL is fine */
void rg_form_free_at(struct rg_form **form);
#define RG_OWNED_FORM RG_CLEANUP(rg_form_free_at) struct rg_form *
const struct rg_form_table *rg_form_table_of(const struct rg_form *form);

/* An empty or blank text clears. */
RG_MUST_USE rg_outcome rg_form_set(struct rg_form *form, const char *name, struct rg_bytes text,
                                   struct rg_reason *why);
const char *rg_form_get(const struct rg_form *form, const char *name); /* "" when absent */
uint32_t rg_form_code(const struct rg_form *form, const char *name);   /* position, 0 absent */
uint32_t rg_form_codes(const struct rg_form *form, const char *name);  /* bit position-1 */
uint32_t rg_form_number(const struct rg_form *form, const char *name); /* 0 when absent */
bool rg_form_is(const struct rg_form *form, const char *name, const char *text);
bool rg_form_true(const struct rg_form *form, const char *name);
bool rg_form_date(const struct rg_form *form, const char *name, struct rg_date *date_out);
bool rg_form_time(const struct rg_form *form, const char *name, struct rg_wall *wall_out);
bool rg_form_id(const struct rg_form *form, const char *name, struct rg_id *id_out);

size_t rg_form_row_count(const struct rg_form *form, const char *list);
RG_MUST_USE rg_outcome rg_form_row_add(struct rg_form *form, const char *list, size_t *row_out,
                                       struct rg_reason *why);
RG_MUST_USE rg_outcome rg_form_row_set(struct rg_form *form, const char *list, size_t row,
                                       const char *name, struct rg_bytes text,
                                       struct rg_reason *why);
const char *rg_form_row_get(const struct rg_form *form, const char *list, size_t row,
                            const char *name);
uint32_t rg_form_row_code(const struct rg_form *form, const char *list, size_t row,
                          const char *name);

/* Of the form's box of type FIELDS. RG_MALFORMED form-field when it has none. */
RG_MUST_USE rg_outcome rg_form_field_set(struct rg_form *form, enum rg_field field,
                                         struct rg_bytes text, struct rg_reason *why);
const char *rg_form_field_get(const struct rg_form *form, enum rg_field field);

/* Required boxes of these classes are there, and no value is of another class. */
RG_MUST_USE rg_outcome rg_form_check(const struct rg_form *form, unsigned classes,
                                     struct rg_reason *why);
unsigned rg_form_classes(const struct rg_form *form); /* RG_CLASS_BIT of those it has values of */
/* The classes in which the table has a required box. */
unsigned rg_form_table_required(const struct rg_form_table *table);

RG_MUST_USE rg_outcome rg_form_part(const struct rg_form *form, enum rg_class class_,
                                    struct rg_form **part_out, struct rg_reason *why);
/* `part` is of the same table; its rows are appended. */
RG_MUST_USE rg_outcome rg_form_merge(struct rg_form *form, const struct rg_form *part,
                                     struct rg_reason *why);
/* Values in the order of the table, for printing. `row` is 0 and `column` NULL outside ROWS; for
 * FIELDS `column` is the dictionary's name. */
struct rg_form_value {
    const struct rg_box *box;
    const struct rg_box *cell; /* the box within the row, NULL outside ROWS */
    const char *label;         /* name of the box, of the cell, or of the dictionary field */
    size_t row;
    enum rg_class class_;
    const char *text;
};
size_t rg_form_value_count(const struct rg_form *form);
struct rg_form_value rg_form_value_at(const struct rg_form *form, size_t index);

/* A copy in one piece in `memory`, for rg_content_decode. `memory` is empty before. */
size_t rg_form_packed_bytes(const struct rg_form *form);
RG_MUST_USE rg_outcome rg_form_pack(const struct rg_form *form, struct rg_buffer *memory,
                                    const struct rg_form **form_out, struct rg_reason *why);

/* JSON both ways without loss (client/form_json.c): one object, a key per box; CODES and `many` are
 * arrays, numbers numbers, bools true and false, rows arrays of objects, FIELDS one object. Keys
 * that start with "//" are comments and ignored; null and "" mean absent. Reading checks each
 * value, not what is required. */
RG_MUST_USE rg_outcome rg_form_read_json(const struct rg_form_table *table, struct rg_bytes json,
                                         struct rg_form **form_out, struct rg_reason *why);
RG_MUST_USE rg_outcome rg_form_write_json(const struct rg_form *form, struct rg_buffer *out,
                                          struct rg_reason *why);
/* Fillable: every box empty, with a comment that says what it is and what is allowed. */
RG_MUST_USE rg_outcome rg_form_template(const struct rg_form_table *table, const char *title,
                                        struct rg_buffer *out, struct rg_reason *why);

#endif
