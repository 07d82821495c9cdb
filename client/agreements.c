/*
 * How it works: asking looks for an entry that names the office or its country, holds that purpose
 * and has not ended. Invariant: an entry is only in the list when all its parts were readable, so a
 * mistake in the file stops the office from opening and never widens what it may send.
 */
#include "client/agreements.h"

#include "core/identity.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"with", "id", "purposes", "until"};

static bool id_ok(const char *id)
{
    size_t len = strlen(id);
    return len > 0 && len < RG_AGREEMENT_ID_BYTES &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-") == len;
}

static rg_outcome read_purposes(const rg_group *group, uint32_t *out, struct rg_reason *why)
{
    size_t count = 0;
    RG_TRY(rg_settings_list_size(group, "purposes", RG_PURPOSE_COUNT, &count, why));
    RG_CHECK(count > 0, why, RG_MALFORMED, "config-agreements",
             "an agreement names the purposes it was made for");
    for (size_t i = 0; i < count; i++) {
        const char *text = NULL;
        RG_TRY(rg_settings_list_text(group, "purposes", i, &text, why));
        enum rg_purpose purpose = rg_purpose_find(text);
        RG_CHECK(purpose != 0, why, RG_MALFORMED, "config-agreements",
                 "purposes are RETURN, TRACING, SERVICES, FAMILY_REUNION, JUSTICE, ONWARD, "
                 "STATISTICS");
        *out |= RG_PURPOSE_BIT(purpose);
    }
    return rg_ok();
}

static rg_outcome read_one(const rg_group *group, struct rg_agreement *out, struct rg_reason *why)
{
    const char *with = NULL;
    const char *id = NULL;
    const char *until = NULL;
    RG_TRY(rg_settings_known(group, names, sizeof(names) / sizeof(names[0]), why));
    RG_TRY(rg_settings_text(group, "with", &with, why));
    RG_TRY(rg_settings_text(group, "id", &id, why));
    RG_TRY(rg_settings_text_or(group, "until", "", &until, why));
    RG_CHECK(rg_country_name_ok(with) || rg_office_name_ok(with), why, RG_MALFORMED,
             "config-agreements", "an agreement is with a country (la) or an office (la/focal)");
    RG_CHECK(id_ok(id), why, RG_MALFORMED, "config-agreements",
             "the id of an agreement has letters, digits, . _ / -");
    bool ended = until[0] != '\0';
    RG_CHECK(!ended || (rg_date_parse(rg_bytes_of_text(until), &out->until) && out->until.day != 0),
             why, RG_MALFORMED, "config-agreements", "until is a full date: 2030-12-31");
    (void)snprintf(out->with, sizeof(out->with), "%s", with);
    (void)snprintf(out->id, sizeof(out->id), "%s", id);
    return read_purposes(group, &out->purposes, why);
}

rg_outcome rg_agreements_read(const rg_group *root, struct rg_agreements *out,
                              struct rg_reason *why)
{
    struct rg_agreements agreements = {0};
    RG_TRY(rg_settings_list_size(root, "agreements", RG_AGREEMENTS_MAX, &agreements.count, why));
    for (size_t i = 0; i < agreements.count; i++) {
        const rg_group *group = NULL;
        RG_TRY(rg_settings_list_group(root, "agreements", i, &group, why));
        RG_TRY(read_one(group, &agreements.item[i], why));
    }
    *out = agreements;
    return rg_ok();
}

rg_outcome rg_agreements_allow(const struct rg_agreements *agreements, const char *to_office,
                               enum rg_purpose purpose, struct rg_date today, struct rg_reason *why)
{
    char country[RG_COUNTRY_BYTES];
    bool named = false;
    bool holds = false;
    rg_office_country(to_office, country);
    for (size_t i = 0; i < agreements->count; i++) {
        const struct rg_agreement *one = &agreements->item[i];
        bool with = strcmp(one->with, country) == 0 || strcmp(one->with, to_office) == 0;
        bool lasts = one->until.year == 0 || rg_date_compare(today, one->until) <= 0;
        bool meant = purpose != 0 && (one->purposes & RG_PURPOSE_BIT(purpose)) != 0;
        if (with && lasts && meant) {
            return rg_ok();
        }
        named = named || with;
        holds = holds || (with && lasts);
    }
    RG_CHECK(named, why, RG_DENIED, "agreement-none",
             "no signed sharing agreement with that country is in client.cfg (agreements): nothing "
             "about a person goes there");
    RG_CHECK(holds, why, RG_DENIED, "agreement-ended",
             "the sharing agreement with that country has ended: see agreements in client.cfg");
    return rg_fail(why, RG_DENIED, "agreement-purpose",
                   "the sharing agreement with that country was not made for this purpose");
}
