/*
 * How it works: the whole machine is this table. The first row whose states, kind, code, party and
 * guard fit is met. Rows of kind 0 settle: they are asked after each message that touched a check,
 * and depend on nothing but the checks and the day on which that message was made. What is not here
 * is void. Invariants: HANDED_OVER is entered by one row, which refuses while a journey is stopped;
 * IN_TRANSIT by three, of which one asks the whole gate and two need two officers; no row has a
 * clock.
 */
#include "client/process_inside.h"

#define S(state) RG_STATE_BIT(RG_PROCESS_##state)
#define ASKED (S(REFERRED) | S(NEEDS_INFO))
#define CHECKING (S(ACCEPTED) | S(CLEARED) | S(SCHEDULED))
#define BEFORE (S(NOTIFIED) | ASKED | CHECKING)
#define HOME (S(HANDED_OVER) | S(RECEIVED) | S(REINTEGRATING))
#define AFTER_ACCEPT (CHECKING | S(IN_TRANSIT) | S(MISSING) | HOME | S(WITNESS_AWAY) | S(NO_RETURN))
#define ENDED (S(DECLINED) | S(CANCELLED) | S(CLOSED))
#define LIVE (BEFORE | AFTER_ACCEPT | S(SUSPENDED) | S(ONWARD))
#define CLOSABLE                                                                                   \
    (S(NOTIFIED) | S(ACCEPTED) | S(NO_RETURN) | S(ONWARD) | S(SUSPENDED) | S(RECEIVED) |           \
     S(REINTEGRATING))

#define C(code) (1u << (RG_##code))
#define ANY_CODE 0
#define GOOD_RISK (C(RISK_SAFE) | C(RISK_SAFE_WITH_MEASURES))
#define GOOD_NATIONALITY (C(NATIONALITY_CONFIRMED) | C(NATIONALITY_PERMANENT_RESIDENT))
#define BAD_NATIONALITY (C(NATIONALITY_NOT_CONFIRMED) | C(NATIONALITY_STATELESS))
#define OPEN_NATIONALITY (C(NATIONALITY_MORE_INFO) | C(NATIONALITY_PENDING))
#define GRAVE (C(ALERT_MISSING) | C(ALERT_TAKEN))
#define OTHER_ALERT (C(ALERT_ACCIDENT) | C(ALERT_ILL) | C(ALERT_THREAT) | C(ALERT_DETAINED))
#define WAS_FOUND (C(RESOLVED_FOUND_SAFE) | C(RESOLVED_FOUND_HARMED))
#define WAS_NOT (C(RESOLVED_LEFT_BY_CHOICE) | C(RESOLVED_UNRESOLVED))
#define NOT_AGREED (C(HANDOVER_COUNTER) | C(HANDOVER_REFUSE))

#define TO(state) RG_PROCESS_##state
#define SAME RG_TO_SAME
#define ROW(id_, states_, kind_, codes_, by_, guard_, effect_, to_, meaning_)                      \
    {                                                                                              \
        .id = (id_), .states = (states_), .kind = (kind_), .codes = (codes_), .by = RG_BY_##by_,   \
        .guard = RG_GUARD_##guard_, .effect = RG_EFFECT_##effect_, .to = (to_),                    \
        .meaning = (meaning_)                                                                      \
    }

/* clang-format off */
static const struct rg_process_row rows[] = {
    /* settling */
    ROW("cleared", S(ACCEPTED), 0, ANY_CODE, ANY, GATE, NONE, TO(CLEARED), "every check that concerns her holds"),
    ROW("check-fails", S(CLEARED) | S(SCHEDULED), 0, ANY_CODE, ANY, NO_GATE, NONE, TO(ACCEPTED), "a check does not hold any more; what was planned is off"),
    ROW("lifted", S(NO_RETURN), 0, ANY_CODE, ANY, LIFTED, LIFT, TO(ACCEPTED), "what forbade the return is mended, assessed anew by two officers, and she consents afresh"),

    /* how a case begins */
    ROW("notice", S(NONE), 10, ANY_CODE, HOST, NONE, BEGIN, TO(NOTIFIED), "the host says that somebody was identified"),
    ROW("request", S(NONE) | S(NOTIFIED), 11, ANY_CODE, HOST, NONE, REQUEST, TO(REFERRED), "the host refers the case"),
    ROW("request-late", S(NONE), 11, C(REASON_LATE_IDENTIFICATION), ORIGIN, NONE, REQUEST, TO(REFERRED), "identified only after she was home: the origin refers the case to the former host"),
    ROW("request-again", S(DECLINED), 11, ANY_CODE, REQUESTER, KNOWS, REQUEST, TO(REFERRED), "a declined referral is mended and asked again"),
    ROW("onward-first", S(NONE), 70, ANY_CODE, HOST, ONWARD, ONWARD, TO(ONWARD), "a third country's partner is asked first; the origin is no party"),
    ROW("emergency", S(NONE) | BEFORE, 49, ANY_CODE, HOST, EMERGENCY, EMERGENCY, TO(IN_TRANSIT), "danger to life: return at once, two officers; what was skipped is deferred"),
    ROW("emergency-anew", S(SUSPENDED), 49, ANY_CODE, HOST, EMERGENCY_ANEW, EMERGENCY, TO(IN_TRANSIT), "the same after a withdrawal, with her consent given since"),

    /* the answer to the request */
    ROW("ask-info", S(REFERRED), 14, ANY_CODE, RECEIVER, NONE, NONE, TO(NEEDS_INFO), "the receiver needs to know more before it decides"),
    ROW("give-info", S(NEEDS_INFO), 15, ANY_CODE, REQUESTER, NONE, NONE, TO(REFERRED), "the requester answers"),
    ROW("accept", ASKED, 12, ANY_CODE, RECEIVER, DECIDES, ACCEPT, TO(ACCEPTED), "the receiver accepts; the requester releases the details"),
    ROW("decline", ASKED, 13, ANY_CODE, RECEIVER, DECIDES, DECLINE, TO(DECLINED), "the receiver declines; it destroys what it received"),
    ROW("accept-suspended", S(SUSPENDED), 12, ANY_CODE, RECEIVER, DECIDES_EARLY, ACCEPT_EARLY, SAME, "accepted while consent was being withdrawn: counts when she consents again"),
    ROW("decline-suspended", S(SUSPENDED), 13, ANY_CODE, RECEIVER, DECIDES_EARLY, DECLINE, TO(DECLINED), "declined while consent was being withdrawn"),
    ROW("cancel", BEFORE | S(SUSPENDED) | S(NO_RETURN) | S(ONWARD), 16, ANY_CODE, REQUESTER, NONE, NONE, TO(CANCELLED), "the requester takes the referral back; not while she is on the way"),
    ROW("details", AFTER_ACCEPT, 17, ANY_CODE, REQUESTER, NONE, DETAILS, SAME, "the details of an accepted case"),

    /* consent */
    ROW("resume", S(SUSPENDED), 20, ANY_CODE, CARE, RESUMES, CONSENT, RG_TO_RESUMED, "she consents again, knowing of the withdrawal; all checks are judged anew"),
    ROW("consent", LIVE, 20, ANY_CODE, CARE, NONE, CONSENT, SAME, "what she consents to, recorded by the side that looks after her"),
    ROW("withdraw-notice", S(NOTIFIED), 21, ANY_CODE, ANY, STOPS, WITHDRAW, TO(SUSPENDED), "she takes back that her country may know"),
    ROW("withdraw", ASKED | CHECKING, 21, ANY_CODE, ANY, STOPS, WITHDRAW, TO(SUSPENDED), "she takes back her consent to return, or to be named: everything stops"),
    ROW("withdraw-onward", S(ONWARD), 21, ANY_CODE, ANY, STOPS_ONWARD, WITHDRAW, TO(SUSPENDED), "she takes back her consent to a third country"),
    ROW("withdraw-transit", S(IN_TRANSIT), 21, ANY_CODE, ANY, STOPS, WITHDRAW_TRANSIT, SAME, "on the way: turn back, nobody is handed over"),
    ROW("withdraw-missing", S(MISSING), 21, ANY_CODE, ANY, STOPS, WITHDRAW_MISSING, SAME, "while missing: counts when she is found"),
    ROW("withdraw-there", S(WITNESS_AWAY), 21, ANY_CODE, ANY, LEG_THERE, WITHDRAW_THERE, TO(SUSPENDED), "on a witness visit she takes back her consent to go home: she stays in the host's care"),
    ROW("withdraw-visit", S(WITNESS_AWAY), 21, ANY_CODE, ANY, STOPS, WITHDRAW_TRANSIT, SAME, "on the way to or from a witness visit: turn back"),
    ROW("withdraw-other", LIVE | ENDED, 21, ANY_CODE, ANY, NONE, WITHDRAW, SAME, "she takes back another consent"),
    ROW("withdrawal-ack", LIVE | ENDED, 22, ANY_CODE, ANY, NONE, NONE, SAME, "what was stopped, destroyed and kept"),

    /* checks */
    ROW("nationality", AFTER_ACCEPT | S(ONWARD), 31, GOOD_NATIONALITY | OPEN_NATIONALITY, ORIGIN, NONE, CHECK, SAME, "the nationality is confirmed, or is not known yet"),
    ROW("nationality-suspended", S(SUSPENDED), 31, GOOD_NATIONALITY | OPEN_NATIONALITY, ORIGIN, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("not-national", CHECKING | S(NO_RETURN), 31, BAD_NATIONALITY, ORIGIN, NONE, FORBID, TO(NO_RETURN), "not their national, or stateless"),
    ROW("not-national-transit", S(IN_TRANSIT), 31, BAD_NATIONALITY, ORIGIN, NONE, FORBID_ON_WAY, SAME, "the same on the way: turn back"),
    ROW("not-national-waiting", S(SUSPENDED) | S(MISSING), 31, BAD_NATIONALITY, ORIGIN, AFTER_ACCEPT, FORBID, SAME, "the same while suspended or missing"),
    ROW("not-national-later", HOME | S(WITNESS_AWAY) | S(ONWARD), 31, BAD_NATIONALITY, ORIGIN, NONE, CHECK, SAME, "the same when it cannot stop anything any more"),
    ROW("tracing", AFTER_ACCEPT | S(ONWARD), 33, ANY_CODE, ORIGIN, NONE, CHECK, SAME, "what tracing the family found"),
    ROW("tracing-suspended", S(SUSPENDED), 33, ANY_CODE, ORIGIN, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("family", AFTER_ACCEPT | S(ONWARD), 34, ANY_CODE, ORIGIN, NONE, CHECK, SAME, "is the home safe and willing"),
    ROW("family-suspended", S(SUSPENDED), 34, ANY_CODE, ORIGIN, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("risk", AFTER_ACCEPT | S(ONWARD), 35, GOOD_RISK, ANY, ASSESSES, CHECK, SAME, "return is safe, or safe with measures; two officers, and another one, where it lifts a refusal"),
    ROW("risk-suspended", S(SUSPENDED), 35, GOOD_RISK, ANY, ASSESSES, CHECK, SAME, "the same while suspended"),
    ROW("risk-unknown", AFTER_ACCEPT | S(ONWARD), 35, C(RISK_UNKNOWN), ANY, NONE, CHECK, SAME, "not known: the gate stays shut"),
    ROW("risk-unknown-suspended", S(SUSPENDED), 35, C(RISK_UNKNOWN), ANY, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("not-safe", CHECKING | S(NO_RETURN), 35, C(RISK_NOT_SAFE), ANY, NONE, FORBID, TO(NO_RETURN), "either side finds the return not safe"),
    ROW("not-safe-transit", S(IN_TRANSIT), 35, C(RISK_NOT_SAFE), ANY, NONE, FORBID_ON_WAY, SAME, "the same on the way: turn back"),
    ROW("not-safe-waiting", S(SUSPENDED) | S(MISSING), 35, C(RISK_NOT_SAFE), ANY, AFTER_ACCEPT, FORBID, SAME, "the same while suspended or missing"),
    ROW("not-safe-there", S(WITNESS_AWAY), 35, C(RISK_NOT_SAFE), ANY, LEG_THERE, FORBID_THERE, TO(NO_RETURN), "going home from a witness visit is not safe: she stays in the host's care"),
    ROW("not-safe-back", S(WITNESS_AWAY), 35, C(RISK_NOT_SAFE), ANY, LEG_BACK, FORBID_ON_WAY, SAME, "the same on the way home: turn back"),
    ROW("not-safe-later", HOME | S(WITNESS_AWAY) | S(ONWARD), 35, C(RISK_NOT_SAFE), ANY, NONE, CHECK, SAME, "not safe where she is: shown, for the people there"),
    ROW("interest", AFTER_ACCEPT | S(ONWARD), 36, C(INTEREST_RETURN) | C(INTEREST_LATER), ANY, NONE, CHECK, SAME, "the child's best interest is to return, or is decided later"),
    ROW("interest-suspended", S(SUSPENDED), 36, C(INTEREST_RETURN) | C(INTEREST_LATER), ANY, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("interest-other", CHECKING | S(NO_RETURN), 36, C(INTEREST_OTHER), ANY, NONE, FORBID, TO(NO_RETURN), "the child's best interest is not to return"),
    ROW("interest-other-transit", S(IN_TRANSIT), 36, C(INTEREST_OTHER), ANY, NONE, FORBID_ON_WAY, SAME, "the same on the way: turn back"),
    ROW("interest-other-waiting", S(SUSPENDED) | S(MISSING), 36, C(INTEREST_OTHER), ANY, AFTER_ACCEPT, FORBID, SAME, "the same while suspended or missing"),
    ROW("interest-other-later", HOME | S(WITNESS_AWAY) | S(ONWARD), 36, C(INTEREST_OTHER), ANY, NONE, CHECK, SAME, "the same when it cannot stop anything any more"),
    ROW("travel", AFTER_ACCEPT, 38, ANY_CODE, ORIGIN, NONE, CHECK, SAME, "a travel document, a list entry, or a refusal"),
    ROW("travel-suspended", S(SUSPENDED), 38, ANY_CODE, ORIGIN, AFTER_ACCEPT, CHECK, SAME, "the same while suspended"),
    ROW("health", AFTER_ACCEPT, 39, ANY_CODE, HOST, NONE, CHECK, SAME, "is she fit to travel; voluntary"),
    ROW("ask-nationality", CHECKING | S(NO_RETURN) | S(IN_TRANSIT) | HOME, 30, ANY_CODE, HOST, NONE, NONE, SAME, "asks whether she is a national"),
    ROW("ask-tracing", CHECKING | S(NO_RETURN) | S(IN_TRANSIT) | HOME, 32, ANY_CODE, HOST, NONE, NONE, SAME, "asks to find the family"),
    ROW("ask-travel", CHECKING | S(IN_TRANSIT), 37, ANY_CODE, HOST, NONE, NONE, SAME, "asks for a travel document"),

    /* the handover */
    ROW("propose", S(CLEARED), 40, ANY_CODE, HOST, MAY_PLAN, PROPOSE, SAME, "the host proposes where and when"),
    ROW("agree", S(CLEARED), 41, C(HANDOVER_ACCEPT), ORIGIN, PROPOSAL, AGREE, TO(SCHEDULED), "the origin agrees and names who receives"),
    ROW("counter", S(CLEARED), 41, NOT_AGREED, ORIGIN, PROPOSAL, UNPLAN, SAME, "another date, or no: the host proposes again"),
    ROW("reply-emergency", S(IN_TRANSIT), 41, ANY_CODE, ORIGIN, IN_EMERGENCY, REPLY_EMERGENCY, SAME, "the origin answers an emergency return"),
    ROW("change", S(SCHEDULED), 42, ANY_CODE, ANY, NONE, UNPLAN, TO(CLEARED), "either side takes her out of the handover: she alone"),
    ROW("change-open", S(CLEARED), 42, ANY_CODE, ANY, NONE, UNPLAN, SAME, "a proposal is taken back"),
    ROW("change-emergency", S(IN_TRANSIT), 42, ANY_CODE, ANY, IN_EMERGENCY, NONE, SAME, "an emergency return is not stopped by it; shown"),
    ROW("change-transit", S(IN_TRANSIT), 42, ANY_CODE, ANY, NONE, STOP, SAME, "the handover is off while she is on the way: turn back"),
    ROW("change-late", S(ACCEPTED) | S(SUSPENDED) | S(NO_RETURN) | S(MISSING), 42, ANY_CODE, ANY, NONE, UNPLAN, SAME, "says once more that nothing is planned"),
    ROW("depart", S(SCHEDULED), 44, ANY_CODE, HOST, MAY_DEPART, NONE, TO(IN_TRANSIT), "she leaves: the whole gate holds on that day"),
    ROW("depart-emergency", S(IN_TRANSIT), 44, ANY_CODE, HOST, EMERGENCY_GOING, NONE, SAME, "details of an emergency departure"),
    ROW("present", S(IN_TRANSIT), 45, C(RECORD_PRESENT), HOST, NOT_STOPPED, NONE, TO(HANDED_OVER), "she was handed over"),
    ROW("refused", S(IN_TRANSIT), 45, C(RECORD_REFUSED_AT_GATE), HOST, NONE, REFUSED, TO(SUSPENDED), "she did not want to go on, or was turned back"),
    ROW("absent", S(IN_TRANSIT), 45, C(RECORD_ABSENT), HOST, NONE, ALERT, TO(MISSING), "she was not there"),
    ROW("turned-back", BEFORE | S(SUSPENDED) | S(NO_RETURN), 45, C(RECORD_REFUSED_AT_GATE), HOST, ON_THE_ROAD, TURNED_BACK, SAME, "who left although it was stopped is back"),
    ROW("received", S(HANDED_OVER), 46, C(RECEPTION_YES), ORIGIN, NONE, NONE, TO(RECEIVED), "received, into named hands: care passes to the origin only here"),
    ROW("not-received", S(HANDED_OVER), 46, C(RECEPTION_NO), ORIGIN, NONE, ALERT, TO(MISSING), "nobody was received"),
    ROW("received-late", S(MISSING), 46, C(RECEPTION_YES), ORIGIN, NOT_TAKEN, NONE, TO(RECEIVED), "the confirmation crossed an alert: received; the alert stays open until resolved"),

    /* alerts */
    ROW("missing", AFTER_ACCEPT | S(SUSPENDED) | S(ONWARD), 47, GRAVE, ANY, NONE, ALERT, TO(MISSING), "missing, or taken"),
    ROW("alert", BEFORE | AFTER_ACCEPT | S(SUSPENDED) | S(ONWARD) | ENDED, 47, GRAVE | OTHER_ALERT, ANY, NONE, ALERT, SAME, "something happened; nobody departs until it is resolved"),
    ROW("found", S(MISSING), 48, WAS_FOUND, ANY, ALL_ALERTS, FOUND, RG_TO_FOUND, "found: back where she was, and the risk is assessed anew"),
    ROW("gone", S(MISSING), 48, WAS_NOT, ANY, OTHER_GONE, GONE, TO(CLOSED), "both focal points say that she left by choice, or cannot be found"),
    ROW("gone-one", S(MISSING), 48, WAS_NOT, ANY, ALERT_OPEN, GONE, SAME, "one focal point says so; the other one is awaited"),
    ROW("resolved", LIVE | ENDED, 48, ANY_CODE, ANY, ALERT_OPEN, RESOLVE, SAME, "the alert is resolved"),
    ROW("concern-closed", LIVE | ENDED, 52, C(SAFETY_CLOSED), CARE, NONE, CONCERN_CLOSED, SAME, "the side that looks after her has seen to it"),
    ROW("concern", LIVE | ENDED, 52, C(SAFETY_OPEN), ANY, NONE, CONCERN, SAME, "somebody fears for her; nobody departs until it is closed, or the host has assessed anew"),

    /* after the return */
    ROW("plan", S(RECEIVED), 50, ANY_CODE, ORIGIN, NONE, NONE, TO(REINTEGRATING), "a plan is agreed with her"),
    ROW("plan-again", S(REINTEGRATING), 50, ANY_CODE, ORIGIN, NONE, NONE, SAME, "the plan is changed"),
    ROW("plan-at-home", S(ACCEPTED), 50, ANY_CODE, ORIGIN, AT_HOME, NONE, TO(REINTEGRATING), "the same for somebody identified at home"),
    ROW("follow-up", S(REINTEGRATING), 51, ANY_CODE, ORIGIN, FOLLOW_UP, FOLLOW_UP, SAME, "how she is; not after she has withdrawn it"),
    ROW("visit-no", S(REINTEGRATING) | S(WITNESS_AWAY), 62, C(VISIT_REFUSED) | C(VISIT_STOPPED), ANY, NONE, NO_VISIT, SAME, "no visit; who has left for it turns back"),
    ROW("visit", S(REINTEGRATING), 62, C(VISIT_PROPOSED) | C(VISIT_AGREED), ANY, NONE, VISIT, SAME, "a witness visit, out and back; both sides say it"),
    ROW("visit-out", S(REINTEGRATING), 44, ANY_CODE, ORIGIN, VISIT, LEG_OUT, TO(WITNESS_AWAY), "she leaves for the host country as a witness"),
    ROW("visit-out-present", S(WITNESS_AWAY), 45, C(RECORD_PRESENT), ORIGIN, LEG_OUT_OPEN, LEG_OUT_HANDED, SAME, "handed over on the way out"),
    ROW("visit-out-refused", S(WITNESS_AWAY), 45, C(RECORD_REFUSED_AT_GATE), ORIGIN, LEG_OUT, NONE, TO(REINTEGRATING), "she did not want to go: back home"),
    ROW("visit-out-absent", S(WITNESS_AWAY), 45, C(RECORD_ABSENT), ORIGIN, LEG_OUT, ALERT, TO(MISSING), "she was not there"),
    ROW("visit-there", S(WITNESS_AWAY), 46, C(RECEPTION_YES), HOST, LEG_OUT_HANDED, LEG_THERE, SAME, "received by the host"),
    ROW("visit-there-not", S(WITNESS_AWAY), 46, C(RECEPTION_NO), HOST, LEG_OUT_HANDED, ALERT, TO(MISSING), "nobody was received"),
    ROW("visit-back", S(WITNESS_AWAY), 44, ANY_CODE, HOST, BACK_SAFE, LEG_BACK, SAME, "she goes home"),
    ROW("visit-back-present", S(WITNESS_AWAY), 45, C(RECORD_PRESENT), HOST, LEG_BACK_OPEN, LEG_BACK_HANDED, SAME, "handed over on the way home"),
    ROW("visit-back-refused", S(WITNESS_AWAY), 45, C(RECORD_REFUSED_AT_GATE), HOST, LEG_BACK, REFUSED, TO(SUSPENDED), "she did not want to go home, or was turned back: in the host's care"),
    ROW("visit-back-absent", S(WITNESS_AWAY), 45, C(RECORD_ABSENT), HOST, LEG_BACK, ALERT, TO(MISSING), "she was not there"),
    ROW("visit-home", S(WITNESS_AWAY), 46, C(RECEPTION_YES), ORIGIN, LEG_BACK_HANDED, NONE, TO(REINTEGRATING), "home again"),
    ROW("visit-home-not", S(WITNESS_AWAY), 46, C(RECEPTION_NO), ORIGIN, LEG_BACK_HANDED, ALERT, TO(MISSING), "nobody was received"),

    /* justice, remedies */
    ROW("justice", CHECKING | S(NO_RETURN) | HOME | S(WITNESS_AWAY), 60, ANY_CODE, HOST, NONE, JUSTICE, SAME, "the host's justice desk asks; never a condition for anything"),
    ROW("justice-reply", AFTER_ACCEPT | S(SUSPENDED) | S(ONWARD), 61, ANY_CODE, ANY, NONE, JUSTICE_REPLY, SAME, "what she says to it"),
    ROW("remedy", AFTER_ACCEPT | S(SUSPENDED) | S(ONWARD) | S(CLOSED), 63, ANY_CODE, HOST, NONE, NONE, SAME, "wages or compensation wait for her"),

    /* no return */
    ROW("onward", S(NO_RETURN), 70, ANY_CODE, HOST, ONWARD, ONWARD, TO(ONWARD), "a third country, or another way"),
    ROW("onward-yes", S(ONWARD), 71, C(ONWARD_ACCEPTED) | C(ONWARD_DEPARTED), ORIGIN, NONE, NONE, SAME, "the partner takes it on, or she has left"),
    ROW("onward-no-first", S(ONWARD), 71, C(ONWARD_DECLINED) | C(ONWARD_WITHDRAWN), ORIGIN, FIRST_ONWARD, DECLINE, TO(DECLINED), "the partner does not take it on"),
    ROW("onward-no", S(ONWARD), 71, C(ONWARD_DECLINED) | C(ONWARD_WITHDRAWN), ORIGIN, NONE, NONE, TO(NO_RETURN), "the same where the case was theirs before"),

    /* the end */
    ROW("close", CLOSABLE, 53, ANY_CODE, ANY, NONE, NONE, SAME, "one side proposes to close"),
    ROW("close-agree", CLOSABLE, 54, C(CLOSURE_AGREE), ANY, OFFER, NONE, TO(CLOSED), "the other side agrees"),
    ROW("close-object", LIVE, 54, C(CLOSURE_OBJECT), ANY, OFFER, OBJECT, SAME, "the other side objects"),
    ROW("reopen-referred", S(CLOSED), 55, C(REOPEN_RE_TRAFFICKED), HOST, NONE, REFER_AGAIN, TO(REFERRED), "trafficked again and found by the host: asked anew, checked anew"),
    ROW("reopen", S(CLOSED), 55, ANY_CODE, ANY, NONE, REOPEN, RG_TO_REOPENED, "opened again as what it was before"),
    ROW("erase-order", ENDED, 82, ANY_CODE, ANY, NONE, NONE, SAME, "one side orders erasure after the end"),
    ROW("erased", ENDED, 83, ANY_CODE, ANY, ERASURE, NONE, TO(ERASED), "the other side has erased: a tombstone stays"),
    ROW("erased-too", S(ERASED), 83, ANY_CODE, ANY, NONE, NONE, SAME, "the other answer to two orders"),
    ROW("erase-order-live", LIVE, 82, ANY_CODE, ANY, NONE, NONE, SAME, "erasure of parts while the case goes on"),
    ROW("erased-live", LIVE | ENDED, 83, ANY_CODE, ANY, NONE, NONE, SAME, "the answer to that"),

    /* what moves nothing */
    ROW("ask", LIVE | ENDED, 14, ANY_CODE, ANY, NONE, NONE, SAME, "a question"),
    ROW("answer", LIVE | ENDED, 15, ANY_CODE, ANY, NONE, NONE, SAME, "an answer"),
    ROW("opened", LIVE | ENDED | S(ERASED), 18, ANY_CODE, ANY, NONE, NONE, SAME, "an officer has opened a message"),
    ROW("reject", LIVE | ENDED | S(ERASED), 2, ANY_CODE, ANY, NONE, NONE, SAME, "a message could not be processed"),
    ROW("correction", LIVE | ENDED, 80, ANY_CODE, ANY, NONE, NONE, SAME, "access or correction, as she asked"),
    ROW("breach", LIVE | ENDED, 84, ANY_CODE, ANY, NONE, NONE, SAME, "a breach of her data"),
};
/* clang-format on */

const struct rg_process_row *rg_process_rows(size_t *count_out)
{
    *count_out = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct rg_process_row *rg_process_row_at(uint32_t index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}
