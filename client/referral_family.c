/* How it works: relatives keep a case each; 16 random bytes, the same in the messages of their
 * cases, say to the other country that they belong together. Invariant: the bytes never go to more
 * than one other country, since there they would tell that two cases concern one family; a case
 * that is referred elsewhere begins without them. */
#include "client/referral_inside.h"

#include "core/digest.h"

#include <string.h>

static rg_outcome link_ask(const struct rg_case_file *one, const struct rg_case_file *other,
                           struct rg_reason *why)
{
    RG_CHECK(one->row != other->row, why, RG_DENIED, "family-same",
             "these are two names of one case");
    RG_CHECK(strcmp(one->host, other->host) == 0 && strcmp(one->origin, other->origin) == 0, why,
             RG_DENIED, "family-country",
             "relatives are linked where both cases are between the same two countries; to another "
             "country the link would tell of the first");
    RG_CHECK(one->protection_claim == other->protection_claim, why, RG_DENIED, "protection-claim",
             "a claim for protection is open in one of the two: a link would tell of it");
    RG_CHECK(!one->has_family_link || !other->has_family_link ||
                 memcmp(one->family_link, other->family_link, RG_GROUP_BYTES) == 0,
             why, RG_DENIED, "family-linked", "both belong to a family already, and not to one");
    return rg_ok();
}

static void link_take(struct rg_case_file *to, const uint8_t link[RG_GROUP_BYTES])
{
    memcpy(to->family_link, link, RG_GROUP_BYTES);
    to->has_family_link = true;
}

static rg_outcome link_cases(struct referral *office, const char *id, const char *relative,
                             struct rg_reason *why)
{
    RG_CASE_FILE one = {0};
    RG_CASE_FILE other = {0};
    RG_SPOOL_STEP step = {0};
    uint8_t link[RG_GROUP_BYTES];
    RG_TRY(rg_office_case(office, id, &one, why));
    RG_TRY(rg_office_case(office, relative, &other, why));
    RG_TRY(link_ask(&one, &other, why));
    rg_random(link, sizeof(link));
    if (one.has_family_link || other.has_family_link) {
        memcpy(link, one.has_family_link ? one.family_link : other.family_link, sizeof(link));
    }
    link_take(&one, link);
    link_take(&other, link);
    RG_TRY(rg_spool_step_begin(office->spool, &step, why));
    RG_TRY(rg_casebook_put(office->book, &one, why));
    RG_TRY(rg_casebook_put(office->book, &other, why));
    return rg_spool_step_commit(&step, why);
}

struct referral_result referral_link(struct referral *office, const char *id, const char *relative)
{
    struct rg_reason why = {0};
    return rg_result(link_cases(office, id, relative, &why), &why);
}

void rg_office_family_take(struct rg_case_file *file, const struct rg_content *said)
{
    if (said->has_family_link && !file->has_family_link) {
        link_take(file, said->family_link);
    }
}
