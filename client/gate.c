/*
 * How it works: `rows` says what each part of the conjunction means, when it is asked and who mends
 * it; `holds` says for each row, in one line, what it takes. Invariant: an input that is all zero
 * opens nothing, and a row can only be made true by the input that it names.
 */
#include "client/gate.h"

#include <string.h>

#define HOST RG_PARTY_HOST
#define ORIGIN RG_PARTY_ORIGIN

#define ANY(row_, id_, stage_, mover_, kind_, meaning_, next_)                                     \
    [RG_GATE_##row_] = {RG_GATE_##row_, id_,   meaning_, next_, RG_GATE_##stage_,                  \
                        false,          false, mover_,   kind_}
#define CHILD(row_, id_, stage_, mover_, kind_, meaning_, next_)                                   \
    [RG_GATE_##row_] = {RG_GATE_##row_, id_,   meaning_, next_, RG_GATE_##stage_,                  \
                        true,           false, mover_,   kind_}
#define HOME(row_, id_, stage_, mover_, kind_, meaning_, next_)                                    \
    [RG_GATE_##row_] = {RG_GATE_##row_, id_,  meaning_, next_, RG_GATE_##stage_,                   \
                        false,          true, mover_,   kind_}

static const struct rg_gate_row rows[RG_GATE_COUNT] = {
    ANY(CONSENT_RETURN, "consent-return", CLEARING, HOST, 20,
        "she consents to return, and the consent is valid today",
        "ask her; record her consent (20), or stop here"),
    ANY(CONSENT_IDENTITY, "consent-identity", CLEARING, HOST, 20,
        "she consents that her identity is shared, valid today",
        "ask her; record her consent (20)"),
    ANY(NATIONALITY, "nationality", CLEARING, ORIGIN, 31,
        "the country of origin says that she is a national or a permanent resident",
        "ask for the nationality (30); await the result (31)"),
    ANY(RISK_HOST, "risk-host", CLEARING, HOST, 35,
        "the host has found the return safe, or safe with measures", "assess the risk (35)"),
    ANY(RISK_HOST_DATE, "risk-host-date", CLEARING, HOST, 35,
        "the host's assessment is not older than 90 days and has not lapsed",
        "assess the risk again (35)"),
    ANY(RISK_ORIGIN, "risk-origin", CLEARING, ORIGIN, 35,
        "the country of origin has found the return safe, or safe with measures",
        "await their assessment (35)"),
    ANY(RISK_ORIGIN_DATE, "risk-origin-date", CLEARING, ORIGIN, 35,
        "their assessment is not older than 90 days and has not lapsed",
        "await a new assessment (35)"),
    ANY(NOT_FORBIDDEN, "not-forbidden", CLEARING, HOST, 35,
        "nothing that has forbidden the return still stands",
        "another officer assesses anew (35, two officers), with her fresh consent (20)"),
    ANY(CONCERN, "concern", CLEARING, HOST, 35, "no safety concern is open",
        "look into the concern, then assess the risk again (35)"),
    ANY(ALERT, "alert", CLEARING, HOST, 48, "no alert is open",
        "find out, then resolve the alert (48)"),
    ANY(HOLD, "hold", CLEARING, RG_PARTY_NONE, 0,
        "no alert that came directly waits for its focal point",
        "the focal point of the country that sent it passes it on"),
    HOME(CLAIM, "claim", CLEARING, HOST, 0, "she has not asked for protection",
         "she stays; nothing about her goes to the country of origin"),
    ANY(WITNESS, "witness", CLEARING, HOST, 60,
        "she is not needed as a witness any more, or has chosen to go and the justice desk agrees",
        "wait for the date, or ask her and the justice desk (60)"),
    ANY(FIT, "fit", CLEARING, HOST, 39, "nobody has said that she is not fit to travel",
        "care for her health first; a new summary (39)"),
    ANY(CARE, "care", CLEARING, RG_PARTY_NONE, 0, "she is in the care of the host country",
        "she is at home already; close the case (53)"),
    CHILD(CHILD_INTEREST, "child-interest", CLEARING, HOST, 36,
          "for this child it has been decided that return is in the child's best interest",
          "the child desk decides (36)"),
    CHILD(CHILD_GUARDIAN, "child-guardian", CLEARING, HOST, 36, "the child has a guardian, by name",
          "have a guardian appointed; say so in the decision (36)"),
    ANY(TRAVEL, "travel", DEPARTURE, ORIGIN, 38,
        "she may cross: a travel document, a list entry or a passport of her own",
        "ask for a travel document (37); await it (38)"),
    CHILD(CHILD_ESCORT, "child-escort", CLEARING, HOST, 36,
          "somebody goes with the child all the way, on the same day",
          "find an escort; the decision says so (36)"),
    CHILD(CHILD_CARE, "child-care", DEPARTURE, ORIGIN, 41, "who receives the child is named",
          "await a reply that names who receives the child (41)"),
    ANY(RECEPTION, "reception", DEPARTURE, ORIGIN, 41,
        "the receiving desk has agreed to this handover", "propose it (40); await the reply (41)"),
    HOME(CONFLICT, "conflict", DEPARTURE, HOST, 42, "who receives her may receive her",
         "choose another point or other officers (42, 40)"),
};

const struct rg_gate_row *rg_gate_row(enum rg_gate row)
{
    return &rows[(unsigned)row < RG_GATE_COUNT ? row : RG_GATE_CONSENT_RETURN];
}

bool rg_gate_find(const char *id, enum rg_gate *row_out)
{
    for (unsigned i = 0; i < RG_GATE_COUNT; i++) {
        if (strcmp(rows[i].id, id) == 0) {
            *row_out = (enum rg_gate)i;
            return true;
        }
    }
    return false;
}

enum rg_party rg_party_other(enum rg_party party)
{
    switch (party) {
    case RG_PARTY_HOST:
        return RG_PARTY_ORIGIN;
    case RG_PARTY_ORIGIN:
        return RG_PARTY_HOST;
    case RG_PARTY_NONE:
        break;
    }
    return RG_PARTY_NONE;
}

const char *rg_party_name(enum rg_party party)
{
    static const char *const name[] = {"nobody", "host", "origin"};
    return (unsigned)party < RG_PARTY_COUNT ? name[party] : "unknown";
}

static bool is_safe(uint32_t risk)
{
    return risk == RG_RISK_SAFE || risk == RG_RISK_SAFE_WITH_MEASURES;
}

/* Two columns: a row, what it takes. */
static bool holds(const struct rg_gate_input *in, enum rg_gate row)
{
    const bool held[RG_GATE_COUNT] = {
        [RG_GATE_CONSENT_RETURN] = in->consent_return,
        [RG_GATE_CONSENT_IDENTITY] = in->consent_identity,
        [RG_GATE_NATIONALITY] = in->nationality == RG_NATIONALITY_CONFIRMED ||
                                in->nationality == RG_NATIONALITY_PERMANENT_RESIDENT,
        [RG_GATE_RISK_HOST] = is_safe(in->risk_host),
        [RG_GATE_RISK_HOST_DATE] = in->risk_host_current,
        [RG_GATE_RISK_ORIGIN] = is_safe(in->risk_origin),
        [RG_GATE_RISK_ORIGIN_DATE] = in->risk_origin_current,
        [RG_GATE_NOT_FORBIDDEN] = !in->forbidden,
        [RG_GATE_CONCERN] = !in->concern_open,
        [RG_GATE_ALERT] = !in->alert_open,
        [RG_GATE_HOLD] = !in->hold,
        [RG_GATE_CLAIM] = in->no_claim,
        [RG_GATE_WITNESS] = !in->witness_needed || in->goes_anyway,
        [RG_GATE_FIT] = in->fit != RG_FIT_NO,
        [RG_GATE_CARE] = in->host_care,
        [RG_GATE_CHILD_INTEREST] = in->interest == RG_INTEREST_RETURN,
        [RG_GATE_CHILD_GUARDIAN] = in->guardian_named,
        [RG_GATE_TRAVEL] = in->travel_permission,
        [RG_GATE_CHILD_ESCORT] = in->escort,
        [RG_GATE_CHILD_CARE] = in->care_named,
        [RG_GATE_RECEPTION] = in->reception_confirmed,
        [RG_GATE_CONFLICT] = in->receivers_clear,
    };
    return held[row];
}

struct rg_gate_verdict rg_gate_judge(const struct rg_gate_input *input, enum rg_gate_stage stage)
{
    struct rg_gate_verdict verdict = {.child = input->age != RG_AGE_ADULT};
    for (unsigned i = 0; i < RG_GATE_COUNT; i++) {
        const struct rg_gate_row *row = &rows[i];
        bool asked = row->stage <= stage && (!row->child || verdict.child) &&
                     (!row->home || input->home_known);
        if (asked && !holds(input, row->row)) {
            verdict.fails |= RG_GATE_BIT(i);
            verdict.row[verdict.count++] = row->row;
        }
    }
    verdict.open = verdict.count == 0;
    return verdict;
}
