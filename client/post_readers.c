/* How it works: for each section a list of reading keys is gathered, office by office: ours and
 * theirs, then the desks. The page says who is there and cleared, the charter which role may read
 * the class, the case which desks are in it at all. Invariant: an excluded officer takes a place in
 * the list, empty, so that neither its length nor its order tells that somebody is missing; and
 * nobody else moves up into his place. */
#include "client/post_inside.h"

#include "core/trust.h"

#include <stdio.h>
#include <string.h>

#define SECURITY_PER_COUNTRY 2 /* named individuals (DOMAIN 3.2) */

struct gathering {
    struct rg_home *home;
    const struct rg_readers_ask *ask;
    struct rg_wall now;
    struct rg_readers *readers;
    const struct rg_certificate *known[RG_READERS_MAX]; /* whose place each is, excluded ones too */
    unsigned desks;                                     /* roles of desks that take part */
    const char *class_name;                             /* NULL: every officer of the office */
    size_t named;            /* officers of this country who count for `security` */
    size_t found;            /* with a key in the list */
    bool excluded;           /* somebody was left out */
    struct rg_reason reason; /* why the first office gave nobody */
};

static bool is_known(const struct gathering *gathering, const struct rg_certificate *certificate)
{
    struct rg_hash digest = rg_certificate_digest(certificate);
    for (size_t i = 0; i < gathering->readers->count; i++) {
        struct rg_hash other = rg_certificate_digest(gathering->known[i]);
        if (memcmp(digest.b, other.b, sizeof(digest.b)) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_excluded(const struct gathering *gathering, const struct rg_principal *principal)
{
    const struct rg_exclusions *list = gathering->ask->readership->excluded;
    return list != NULL && rg_exclusions_reader(list, principal->text, principal->office);
}

static rg_outcome too_many(struct rg_reason *why)
{
    return rg_fail(why, RG_LIMIT, "readers-too-many",
                   "more than %d officers of both countries are cleared to read this section: "
                   "their pages must clear fewer",
                   RG_READERS_MAX);
}

static rg_outcome put_reader(struct gathering *gathering, const struct rg_certificate *certificate,
                             struct rg_reason *why)
{
    struct rg_readers *readers = gathering->readers;
    const struct rg_principal *principal = rg_certificate_principal(certificate);
    const char *only = gathering->ask->only;
    if (only != NULL && strcmp(only, principal->text) != 0) {
        return rg_ok();
    }
    bool excluded = is_excluded(gathering, principal);
    gathering->excluded |= excluded;
    gathering->found += !excluded;
    if (is_known(gathering, certificate)) {
        return rg_ok();
    }
    if (readers->count == RG_READERS_MAX) {
        return too_many(why);
    }
    gathering->known[readers->count] = certificate;
    readers->list[readers->count++] = excluded ? NULL : certificate;
    return rg_ok();
}

static rg_outcome gather_office(struct gathering *gathering, const char *office,
                                struct rg_reason *why)
{
    struct rg_certificate *found[RG_READERS_MAX];
    struct rg_reason said = {0};
    size_t count = 0;
    bool security = gathering->ask->class_ == RG_CLASS_SECURITY && gathering->class_name != NULL;
    rg_outcome outcome = rg_trust_readers(gathering->home->trust, office, gathering->class_name,
                                          gathering->now, found, RG_READERS_MAX, &count, &said);
    if (!rg_is_ok(outcome)) {
        gathering->reason = gathering->reason.id == NULL ? said : gathering->reason;
        return outcome.code == RG_LIMIT ? too_many(why) : rg_ok();
    }
    for (size_t i = 0; i < count; i++) {
        if (security && gathering->named == SECURITY_PER_COUNTRY) {
            break;
        }
        gathering->named++;
        RG_TRY(put_reader(gathering, found[i], why));
    }
    return rg_ok();
}

static bool is_desk_of(const struct gathering *gathering, const struct rg_office *office,
                       const char *country)
{
    char of[RG_COUNTRY_BYTES];
    enum rg_role desk = rg_role_find(office->role);
    rg_office_country(office->name, of);
    return strcmp(of, country) == 0 && !office->domestic && !office->suspended &&
           desk >= RG_ROLE_SOCIAL && desk <= RG_ROLE_CHILD &&
           (gathering->desks & RG_ROLE_BIT(desk)) != 0;
}

static rg_outcome gather_desks(struct gathering *gathering, const char *country,
                               struct rg_reason *why)
{
    const struct rg_office *office = NULL;
    for (size_t i = 0; (office = rg_trust_office_at(gathering->home->trust, i)) != NULL; i++) {
        if (is_desk_of(gathering, office, country)) {
            RG_TRY(gather_office(gathering, office->name, why));
        }
    }
    return rg_ok();
}

/* Nobody there: because of the case's list, which is never spoken of, or for the page's reason. */
static rg_outcome need_reader(const struct gathering *gathering, struct rg_reason *why)
{
    if (gathering->found > 0) {
        return rg_ok();
    }
    if (gathering->excluded) {
        return rg_not_available(why);
    }
    RG_CHECK(gathering->reason.id != NULL, why, RG_DENIED, "readers-class",
             "no desk there may read this section");
    bool later = strcmp(gathering->reason.id, "readers-none") == 0;
    return rg_fail(why, later ? RG_AGAIN : RG_DENIED, gathering->reason.id, "%s",
                   gathering->reason.text);
}

/* A message between two offices of our country, or a section that only carries another: for these
 * two, and nobody else. */
static rg_outcome gather_offices(struct gathering *gathering, bool domestic, struct rg_reason *why)
{
    const char *own = gathering->home->principal.office;
    const char *class_name = gathering->class_name;
    if (domestic && (gathering->ask->class_ == RG_CLASS_CASE || gathering->ask->wrapper)) {
        gathering->class_name = NULL; /* written for the addressee */
    }
    RG_TRY(gather_office(gathering, gathering->ask->to_office, why));
    RG_TRY(need_reader(gathering, why));
    gathering->class_name = class_name;
    return strcmp(own, gathering->ask->to_office) == 0 ? rg_ok()
                                                       : gather_office(gathering, own, why);
}

static rg_outcome gather_theirs(struct gathering *gathering, const char *focal,
                                struct rg_reason *why)
{
    char country[RG_COUNTRY_BYTES];
    bool must = gathering->ask->class_ == RG_CLASS_CASE; /* the addressee has to open that one */
    rg_office_country(focal, country);
    if (must || (gathering->desks & RG_ROLE_BIT(RG_ROLE_FOCAL)) != 0) {
        RG_TRY(gather_office(gathering, focal, why));
    }
    if (must) {
        RG_TRY(need_reader(gathering, why));
    }
    RG_TRY(gather_desks(gathering, country, why));
    return need_reader(gathering, why);
}

/* Our focal office, whoever writes: it answers for what crosses. */
static rg_outcome gather_ours(struct gathering *gathering, struct rg_reason *why)
{
    const struct rg_home *home = gathering->home;
    const char *assigned = gathering->ask->readership->assigned;
    gathering->named = 0;
    if (!rg_home_is_focal(home)) {
        char focal[RG_OFFICE_BYTES];
        RG_TRY(rg_home_focal(home, home->principal.country, focal, why));
        RG_TRY(gather_office(gathering, focal, why));
    }
    RG_TRY(gather_office(gathering, home->principal.office, why));
    RG_TRY(gather_desks(gathering, home->principal.country, why));
    return assigned != NULL ? gather_office(gathering, assigned, why) : rg_ok();
}

static rg_outcome gather_all(struct gathering *gathering, struct rg_reason *why)
{
    const struct rg_readers_ask *ask = gathering->ask;
    const char *final = ask->class_ != RG_CLASS_CASE ? ask->readership->final_country : NULL;
    char country[RG_COUNTRY_BYTES];
    char focal[RG_OFFICE_BYTES];
    rg_office_country(ask->to_office, country);
    (void)snprintf(focal, sizeof(focal), "%s", ask->to_office);
    if (final != NULL) {
        RG_TRY(rg_home_focal(gathering->home, final, focal, why));
    }
    bool domestic = final == NULL && strcmp(country, gathering->home->principal.country) == 0;
    if (domestic || ask->wrapper) {
        return gather_offices(gathering, domestic, why);
    }
    RG_TRY(gather_theirs(gathering, focal, why));
    return gather_ours(gathering, why);
}

/* The officer who wrote it, when another seals it. */
static rg_outcome gather_author(struct gathering *gathering, struct rg_reason *why)
{
    struct rg_readers_ask ask = *gathering->ask;
    struct gathering alone = *gathering;
    if (ask.author == NULL) {
        return rg_ok();
    }
    ask.only = ask.author;
    ask.readership = &(struct rg_readership){0};
    alone.ask = &ask;
    alone.class_name = NULL;
    RG_TRY(gather_office(&alone, gathering->home->principal.office, why));
    memcpy(gathering->known, alone.known, sizeof(gathering->known));
    return rg_ok();
}

/* A notice that somebody is shut out of a case: even its case section is for those alone who may
 * read the name. */
static bool is_quiet(const struct rg_content *content)
{
    return content->kind == RG_KIND_PROTECTION_NOTICE && content->body == RG_BODY_FORM &&
           !rg_form_true(content->form, "open");
}

struct rg_readers_ask rg_readers_ask_of(const struct rg_readership *readership,
                                        const char *to_office, const struct rg_content *content,
                                        size_t index)
{
    return (struct rg_readers_ask){
        .readership = readership,
        .to_office = to_office,
        .class_ = is_quiet(content) ? RG_CLASS_SECURITY : content->class_,
        .wrapper = content->body == RG_BODY_FORWARDED,
        .index = index,
        .only = content->kind == RG_KIND_COUNTERSIGN_REQUEST ? content->second_author : NULL,
    };
}

rg_outcome rg_post_readers(struct rg_home *home, const struct rg_readers_ask *ask,
                           struct rg_wall now, struct rg_readers *out, struct rg_reason *why)
{
    struct rg_readers readers = {.count = 1};
    unsigned desks = ask->readership->desks[ask->index];
    struct gathering gathering = {
        .home = home,
        .ask = ask,
        .now = now,
        .readers = &readers,
        .desks = desks != 0 ? desks : RG_DESKS_USUAL,
        .class_name = rg_class_name(ask->wrapper ? RG_CLASS_CASE : ask->class_),
    };
    RG_CHECK(home->reading_count > 0, why, RG_AGAIN, "readers-none",
             "this officer has no reading key yet: sync first");
    readers.list[0] = home->reading[0].certificate;
    gathering.known[0] = readers.list[0];
    RG_TRY(gather_author(&gathering, why));
    RG_TRY(gather_all(&gathering, why));
    *out = readers;
    return rg_ok();
}

rg_outcome rg_post_forward_clear(struct rg_home *home, const struct rg_exclusions *excluded,
                                 const char *to_office, enum rg_class class_, struct rg_wall now,
                                 struct rg_reason *why)
{
    struct rg_readers readers = {.count = 0};
    const struct rg_readership readership = {.excluded = excluded};
    const struct rg_readers_ask ask = {
        .readership = &readership, .to_office = to_office, .class_ = class_};
    struct gathering gathering = {
        .home = home,
        .ask = &ask,
        .now = now,
        .readers = &readers,
        .desks = RG_DESKS_USUAL | RG_ROLE_BIT(RG_ROLE_JUSTICE) | RG_ROLE_BIT(RG_ROLE_CHILD),
        .class_name = rg_class_name(class_),
    };
    if (excluded->count == 0) {
        return rg_ok();
    }
    RG_TRY(gather_theirs(&gathering, to_office, why));
    return gathering.excluded ? rg_not_available(why) : rg_ok();
}
