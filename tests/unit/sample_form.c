/* How it works: one text per type of box; a coded box takes the first code of its list. */
#include "tests/unit/sample_form.h"

static const char *const text_of_type[] = {
    [RG_BOX_LINE] = "lao",
    [RG_BOX_WORDS] = "ບຸນມີ\nfirst",
    [RG_BOX_NAME] = "Nguyễn Thị Hồng",
    [RG_BOX_DATE] = "2027-03-01",
    [RG_BOX_PARTIAL] = "2027",
    [RG_BOX_MONTH] = "2027-03",
    [RG_BOX_TIME] = "2027-03-01T08:30:00Z",
    [RG_BOX_BOOL] = "true",
    [RG_BOX_NUMBER] = "7",
    [RG_BOX_AMOUNT] = "1250.50",
    [RG_BOX_CURRENCY] = "THB",
    [RG_BOX_COUNTRY] = "la",
    [RG_BOX_OFFICE] = "la/health",
    [RG_BOX_PRINCIPAL] = "referral://la/health/officer-1",
    [RG_BOX_ID] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    [RG_BOX_CASE] = "00112233445566778899aabbccddeeff",
    [RG_BOX_LANGUAGE] = "zh-Hans-CN",
    [RG_BOX_POINT] = "TH-LA-1",
    [RG_BOX_REFERENCE] = "A-1/2027",
    [RG_BOX_FIELD] = "prs_Gender",
    [RG_BOX_VALUE] = "Feminine",
};

static const char *sample(const struct rg_box *box)
{
    const char *const *codes = rg_box_codes(box);
    return codes != NULL ? codes[0] : text_of_type[box->type];
}

static rg_outcome row_fill(struct rg_form *form, const struct rg_box *list, bool full,
                           struct rg_reason *why)
{
    size_t row = 0;
    RG_TRY(rg_form_row_add(form, list->name, &row, why));
    for (size_t i = 0; i < list->rows->count; i++) {
        const struct rg_box *box = &list->rows->box[i];
        if (full || box->required || box->when != NULL) {
            RG_TRY(rg_form_row_set(form, list->name, row, box->name, rg_bytes_of_text(sample(box)),
                                   why));
        }
    }
    return rg_ok();
}

static rg_outcome fields_fill(struct rg_form *form, const struct rg_box *box, struct rg_reason *why)
{
    static const struct {
        enum rg_field field;
        const char *text;
    } value[] = {
        {RG_FIELD_PRS_GENDER, "Feminine"},
        {RG_FIELD_FULL_NAME_NATIVE, "สมหญิง ใจดี"},
        {RG_FIELD_MOTHER_NAME, "欧阳娜"},
        {RG_FIELD_HEALTH_SUMMARY, "first\nsecond"},
        {RG_FIELD_HTE_TYPE, "Recruitment"},
        {RG_FIELD_PER_ROLE_DETAILS, "seen twice"},
        {RG_FIELD_VIC_TRAFFICKING_STATUS, "PossibleVictimOfTrafficking"},
    };
    for (size_t i = 0; i < sizeof(value) / sizeof(value[0]); i++) {
        if (box->class_ == 0 || box->class_ == rg_field_row(value[i].field)->class_) {
            RG_TRY(rg_form_field_set(form, value[i].field, rg_bytes_of_text(value[i].text), why));
        }
    }
    return rg_ok();
}

static rg_outcome box_fill(struct rg_form *form, const struct rg_box *box, bool full,
                           struct rg_reason *why)
{
    if (box->type == RG_BOX_ROWS) {
        RG_TRY(row_fill(form, box, full, why));
        return full && box->class_ != 0 ? row_fill(form, box, false, why) : rg_ok();
    }
    if (box->type == RG_BOX_FIELDS) {
        return fields_fill(form, box, why);
    }
    return rg_form_set(form, box->name, rg_bytes_of_text(sample(box)), why);
}

rg_outcome sample_form(const struct rg_form_table *table, bool full, struct rg_form **form_out,
                       struct rg_reason *why)
{
    RG_OWNED_FORM form = NULL;
    RG_TRY(rg_form_new(table, &form, why));
    for (size_t i = 0; i < table->count; i++) {
        const struct rg_box *box = &table->box[i];
        if (full || box->required || box->when != NULL) {
            RG_TRY(box_fill(form, box, full, why));
        }
    }
    *form_out = form;
    form = NULL;
    return rg_ok();
}
