/*
 * How it works: a duty stands because of what is recorded or of what a message said; nothing is
 * stored for it, so none can be lost. It goes away by what a person does and records: the record
 * changes, or a consent is recorded after a vital interest was used (so she has been told).
 */
#include "client/referral_inside.h"

#include "client/rules_message.h"

#include <string.h>

#define TOLD_BY_CONSENT RG_DUTY_BIT(RG_DUTY_TELL_PERSON)

static rg_outcome duties_of_row(struct referral *office, const struct rg_message_row *row,
                                unsigned *duties, struct rg_reason *why)
{
    struct rg_content content = {0};
    RG_OWNED_BUFFER memory = {.secret = true};
    bool found = false;
    RG_TRY(rg_office_content(office, row, 0, &content, &memory, &found, why));
    if (!found || content.body != RG_BODY_FORM) {
        return rg_ok();
    }
    const struct rg_message_ask ask = {
        .kind = content.kind, .form = content.form, .vital = &content.vital};
    if (content.kind == RG_KIND_CONSENT_RECORD) {
        *duties &= ~TOLD_BY_CONSENT;
    }
    *duties |= rg_duties_of_message(&ask);
    return rg_ok();
}

rg_outcome rg_office_duties(struct referral *office, const struct rg_case_file *file,
                            unsigned *duties_out, struct rg_reason *why)
{
    RG_OWNED_RECORD record = NULL;
    struct rg_message_row row = {0};
    unsigned duties = 0;
    size_t count = 1;
    RG_TRY(rg_casebook_record_get(office->book, file->row, &record, why));
    while (count > 0) {
        RG_TRY(rg_spool_list(office->spool, RG_BY_CASE, file->row, row.seq, &row, 1, &count, why));
        bool stands = row.state != RG_OUT_REFUSED && row.state != RG_OUT_WITHDRAWN &&
                      row.state != RG_IN_STORED && row.state != RG_IN_UNOPENED;
        if (count > 0 && stands) {
            RG_TRY(duties_of_row(office, &row, &duties, why));
        }
    }
    *duties_out = duties | rg_duties_of_record(record);
    return rg_ok();
}
