"""Identified only after she was home: Lao PDR refers the case back to Thailand, where it happened."""
import way
from story import expect

TH, LA = "th/focal", "la/focal"
NATIVE, LATIN = "ນາງ ວັນນາ", "Nang Vanna"
WORK = "th/focal th/social la/focal la/social"
JUSTICE = "th/justice la/justice"
TOLD = f"{WORK} {JUSTICE}"  # she wants her wages, and has agreed that the justice desks know of her case
NAMED = f"{TOLD} th/verify la/verify"
LEGAL = f"th/focal la/focal {JUSTICE}"
ANSWERS = {"ACKNOWLEDGEMENT case": WORK}
READERS = {"la/focal > th/focal": {**ANSWERS, "case": TOLD, "identity": NAMED, "legal": LEGAL, "CLOSURE case": WORK,
                                "family": WORK},  # it says that nothing of her family is told
           "th/focal > la/focal": {**ANSWERS, "REFERRAL_ACCEPT case": WORK, "case": TOLD, "legal": LEGAL, "CLOSURE_REPLY case": WORK}}


def tell(story):
    story.say("Fifteen people are deported over the bridge at Nong Khai. The police in Vientiane talk with each of them;")
    story.say(f"one, {NATIVE}, was never paid, and was locked in. Now Lao PDR is the country that knows, and Thailand the one that is asked.")
    case = story.person(LA, "LA", NATIVE, LATIN, host_country="TH", referral_reason="LATE_IDENTIFICATION", home_district="Paksane",
                        consent_scopes="SHARE_IDENTITY;SHARE_LEGAL;FOLLOW_UP")
    case.host, case.origin, case.offices = TH, LA, [LA, TH]
    story.act(LA, "send", case)
    story.stands(case, "referred")
    expect([case.shown(office)["side"] for office in (TH, LA)] == ["host", "origin"], "the sides are mixed up")
    story.refused(LA, "case-step", "accept", case)
    story.say("Thailand, the former host, takes the case; her name follows then, and not before.")
    story.act(TH, "accept", case)
    story.settle(TH, LA)
    story.stands(case, "identity_released")
    story.knows_name(TH, case, NATIVE)

    story.say("Nobody plans a journey for her: she is at home already. Thailand asks her about the factory, and she answers.")
    story.refused(TH, "consent-scope", "write", "HANDOVER_PROPOSAL", case, form={
        "point": "TH-LA-1", "window_from": story.moment(1), "window_to": story.moment(9), "persons": 1, "escorts": 1, "vehicle": "CAR"})
    story.write(TH, "INFO_REQUEST", case, {"asked": [{"field": "hte_Description", "reason": "to find the factory"}]})
    story.write(LA, "INFO_RESPONSE", case, {"answers": [{"field": "hte_Description", "state": "VALUE",
                                                         "value": "a shrimp shed with a blue roof, twelve kilometres from the river mouth"}]})
    story.say("She begins to weave; after some weeks the labour court has her wages.")
    way.plan(story, case)
    story.write(TH, "REMEDY_NOTICE", case, {"consent_to_be_found": False, "kind": "WAGES", "amount": "41250.00", "currency": "THB",
                                            "collect": "at the provincial labour office in Paksane, with her family book"})
    story.write(LA, "FOLLOW_UP_REPORT", case, {"due_no": 1, "visited_on": story.day(), "seen": True, "safe": "YES", "occupied": "WORK",
                                               "contact_wanted": False})
    way.closed(story, case, LA, TH, "REINTEGRATED")
    story.timeline(case)
    story.readers(case, table=READERS)
