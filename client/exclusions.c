/*
 * How it works: a flat list, looked through in order; it is short. An office entry stands for all
 * its officers, so matching a reader compares both names. Invariant: an entry is only ever in its
 * parsed form, so equal texts are equal entries; a list that cannot be read shuts out everybody
 * (the caller gets an outcome and seals nothing).
 */
#include "client/exclusions.h"

#include "core/identity.h"

#include <stdio.h>
#include <string.h>

static bool all_of(const char *text, const char *letters)
{
    return text[0] != '\0' && strspn(text, letters) == strlen(text);
}

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789-"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

static bool is_office(const char *text)
{
    const char *slash = strchr(text, '/');
    return slash != NULL && slash > text && all_of(slash + 1, SMALL) && all_of(text, SMALL "/");
}

static bool is_reference(const char *text)
{
    return all_of(text, CAPITALS "abcdefghijklmnopqrstuvwxyz._/");
}

static bool is_capitals(const char *text)
{
    return all_of(text, CAPITALS);
}

static bool is_officer(const char *text)
{
    struct rg_principal principal;
    return rg_is_ok(rg_principal_parse(text, &principal, NULL));
}

static const struct form { /* how an entry of each kind is written */
    enum rg_exclusion_kind kind;
    const char *word; /* before the name */
    bool (*name_ok)(const char *name);
    size_t bytes_max; /* of the name, with NUL */
} forms[] = {
    {RG_EXCLUDE_POINT, "point ", is_capitals, RG_POINT_BYTES},
    {RG_EXCLUDE_PROVINCE, "province ", is_office, RG_PROVINCE_BYTES},
    {RG_EXCLUDE_INTERPRETER, "interpreter ", is_reference, RG_PROVINCE_BYTES},
    {RG_EXCLUDE_OFFICER, "", is_officer, RG_PRINCIPAL_BYTES},
    {RG_EXCLUDE_OFFICE, "", is_office, RG_OFFICE_BYTES},
};
#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))
#define WORD_BYTES sizeof("interpreter ")

static const struct form *form_of(const char *text)
{
    for (size_t i = 0; i < FORM_COUNT; i++) {
        size_t word = strlen(forms[i].word);
        if (strncmp(text, forms[i].word, word) == 0 && strlen(text) < word + forms[i].bytes_max &&
            forms[i].name_ok(text + word)) {
            return &forms[i];
        }
    }
    return NULL;
}

rg_outcome rg_exclusion_parse(const char *text, struct rg_exclusion *out, struct rg_reason *why)
{
    const struct form *form = form_of(text);
    RG_CHECK(form != NULL, why, RG_MALFORMED, "exclusion-form",
             "write an officer (referral://th/border/officer-2), an office (th/border), "
             "\"point TH-MM-1\", \"province th/tak\" or \"interpreter I-17\"");
    *out = (struct rg_exclusion){.kind = form->kind};
    (void)snprintf(out->name, sizeof(out->name), "%s", text + strlen(form->word));
    return rg_ok();
}

void rg_exclusion_print(const struct rg_exclusion *entry, char *out, size_t room)
{
    const char *word = "";
    for (size_t i = 0; i < FORM_COUNT; i++) {
        word = forms[i].kind == entry->kind ? forms[i].word : word;
    }
    (void)snprintf(out, room, "%s%s", word, entry->name);
}

static bool find(const struct rg_exclusions *list, enum rg_exclusion_kind kind, const char *name,
                 size_t *at_out)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->item[i].kind == kind && strcmp(list->item[i].name, name) == 0) {
            *at_out = i;
            return true;
        }
    }
    return false;
}

rg_outcome rg_exclusions_add(struct rg_exclusions *list, const struct rg_exclusion *entry,
                             struct rg_reason *why)
{
    size_t at = 0;
    if (find(list, entry->kind, entry->name, &at)) {
        return rg_ok();
    }
    RG_CHECK(list->count < RG_EXCLUSIONS_MAX, why, RG_LIMIT, "exclusion-limit",
             "a case's list has at most %d entries", RG_EXCLUSIONS_MAX);
    list->item[list->count++] = *entry;
    return rg_ok();
}

bool rg_exclusions_remove(struct rg_exclusions *list, const struct rg_exclusion *entry)
{
    size_t at = 0;
    if (!find(list, entry->kind, entry->name, &at)) {
        return false;
    }
    list->count--;
    memmove(&list->item[at], &list->item[at + 1], (list->count - at) * sizeof(list->item[0]));
    list->item[list->count] = (struct rg_exclusion){0};
    return true;
}

bool rg_exclusions_reader(const struct rg_exclusions *list, const char *principal,
                          const char *office)
{
    size_t at = 0;
    return find(list, RG_EXCLUDE_OFFICER, principal, &at) ||
           find(list, RG_EXCLUDE_OFFICE, office, &at);
}

bool rg_exclusions_interpreter(const struct rg_exclusions *list, const char *reference)
{
    size_t at = 0;
    return find(list, RG_EXCLUDE_INTERPRETER, reference, &at);
}

bool rg_exclusions_point(const struct rg_exclusions *list, const char *point)
{
    size_t at = 0;
    return find(list, RG_EXCLUDE_POINT, point, &at);
}

bool rg_exclusions_province(const struct rg_exclusions *list, const char *province)
{
    size_t at = 0;
    return find(list, RG_EXCLUDE_PROVINCE, province, &at);
}

bool rg_exclusions_own(const struct rg_exclusion *entry, const char *principal)
{
    struct rg_principal own;
    struct rg_exclusions list = {.item = {*entry}, .count = 1};
    return rg_is_ok(rg_principal_parse(principal, &own, NULL)) &&
           rg_exclusions_reader(&list, own.text, own.office);
}

rg_outcome rg_not_available(struct rg_reason *why)
{
    return rg_fail(why, RG_DENIED, "not-available", "not available");
}
