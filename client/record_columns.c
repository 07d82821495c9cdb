/*
 * How it works: a name is looked up as it is, then without what stands before its last separator
 * (the groups of a survey form), then among the names that the HTCDS XLSForm gives its questions.
 * Invariant: a name of the dictionary always finds its own field.
 */
#include "client/record_inside.h"

#include <string.h>

#define NAME_SHOWN_MAX 60

/* The XLSForm of HTCDS 2.0, and of 1.0 where the question is the same. */
static const struct {
    const char *name;
    enum rg_field field;
} form_names[] = {
    {"prs_First_Name", RG_FIELD_PRS_FIRST_NAME},
    {"prs_Second_Name", RG_FIELD_PRS_SECOND_NAME},
    {"prs_Nationality", RG_FIELD_PRS_CITIZENSHIP},
    {"vic_Methods_of_Control", RG_FIELD_VIC_METHODS_OF_CONTROL},
};

/* What survey tools add to the answers. */
static const char *const tool_names[] = {
    "start",
    "end",
    "today",
    "deviceid",
    "subscriberid",
    "simserial",
    "phonenumber",
    "username",
    "audit",
    "__version__",
    "instanceID",
    "instanceName",
    "uuid",
    "_id",
    "_uuid",
    "_submission_time",
    "_submitted_by",
    "_validation_status",
    "_notes",
    "_status",
    "_tags",
    "_index",
    "_xform_id_string",
    "_version_",
    "KEY",
    "SubmissionDate",
    "SubmitterID",
    "SubmitterName",
    "ReviewState",
    "DeviceID",
    "FormVersion",
    "AttachmentsPresent",
    "AttachmentsExpected",
    "Edits",
};

static bool is_separator(uint8_t c)
{
    return c == '/' || c == ':' || c == '.' || c == '-';
}

/* Where the last part begins. */
static size_t last_part(struct rg_bytes name)
{
    size_t at = name.len;
    while (at > 0 && !is_separator(name.data[at - 1])) {
        at--;
    }
    return at;
}

static bool is_tool(struct rg_bytes name)
{
    for (size_t i = 0; i < sizeof(tool_names) / sizeof(tool_names[0]); i++) {
        if (rg_bytes_equal(name, rg_bytes_of_text(tool_names[i]))) {
            return true;
        }
    }
    return false;
}

static bool field_of(struct rg_bytes name, enum rg_field *field_out)
{
    if (rg_field_find(name, field_out)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(form_names) / sizeof(form_names[0]); i++) {
        if (rg_bytes_equal(name, rg_bytes_of_text(form_names[i].name))) {
            *field_out = form_names[i].field;
            return true;
        }
    }
    return false;
}

/* "group/vic_MethodsOfControl/DebtBondage" */
static bool is_split(struct rg_bytes name, size_t last, enum rg_field *field_out)
{
    if (last == 0) {
        return false;
    }
    struct rg_bytes code = rg_bytes_of(name.data + last, name.len - last);
    struct rg_bytes before = rg_bytes_of(name.data, last - 1);
    size_t from = last_part(before);
    return field_of(rg_bytes_of(before.data + from, before.len - from), field_out) &&
           rg_field_row(*field_out)->type == RG_TYPE_CODES && rg_code_find(*field_out, code) != 0;
}

struct rg_column rg_column_of(struct rg_bytes name)
{
    struct rg_column column = {.field = RG_FIELD_COUNT};
    if (name.len == 0) {
        return column;
    }
    size_t last = last_part(name);
    struct rg_bytes part = rg_bytes_of(name.data + last, name.len - last);
    if (field_of(name, &column.field) || field_of(part, &column.field)) {
        column.kind = RG_COLUMN_FIELD;
        return column;
    }
    if (is_split(name, last, &column.field)) {
        column.kind = RG_COLUMN_SPLIT;
        return column;
    }
    column.kind = is_tool(part) ? RG_COLUMN_TOOL : RG_COLUMN_UNKNOWN;
    return column;
}

bool rg_column_is_plain(struct rg_bytes name)
{
    bool good = name.len > 0 && name.len <= NAME_SHOWN_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || is_separator(c);
    }
    return good;
}
