"""An adult returns from Thailand to Lao PDR, proposed by the shelter that looks after her: the straight way, to the end."""

SHELTER, TH, LA = "th/ngo-alpha", "th/focal", "la/focal"
NATIVE, LATIN = "ນາງ ແສງຈັນ", "Nang Sengchan"

AT_HOME = "th/ngo-alpha th/focal"
FOCALS = "th/focal la/focal"
BOTH = "th/focal th/social la/focal la/social"
READERS = {  # a section of this class that goes this way: who can open it, of all officers of seven countries
    "th/ngo-alpha > th/focal": {"case": AT_HOME, "identity": AT_HOME, "family": AT_HOME},
    "th/focal > th/ngo-alpha": {"case": AT_HOME},
    "th/focal > la/focal": {"case": f"{BOTH} th/ngo-alpha", "identity": f"{BOTH} th/ngo-alpha th/verify la/verify",
                            "family": f"{BOTH} th/ngo-alpha", "security": FOCALS},
    "la/focal > th/focal": {"case": BOTH, "identity": f"{BOTH} th/verify la/verify", "family": BOTH, "security": FOCALS},
}


def referred(story):
    story.say(f"The shelter in Bangkok looks after {NATIVE} ({LATIN}). She wants to go home; the shelter proposes it.")
    case = story.person(SHELTER, "LA", NATIVE, LATIN, needs="female escort", prs_Birthdate="1999-04", father_name="ທ້າວ ບຸນມີ",
                        home_village="ບ້ານ ນາໄຮ່")
    story.act(SHELTER, "send", case)
    story.stands(case, "ready", TH)
    story.say("Her focal point refers her. Vientiane sees what is needed of it, not who she is.")
    story.act(TH, "send", case)
    story.stands(case, "referred")
    story.knows_name(LA, case, None)
    story.refused(LA, "process-step", "write", "RISK_ASSESSMENT", case, form=risk(story))
    story.say("Vientiane accepts; now her name goes there, by itself, and the shelter is told.")
    story.act(LA, "accept", case)
    story.settle(*case.offices)
    story.knows_name(LA, case, NATIVE)
    story.stands(case, "accepted", SHELTER)
    return case


def risk(story, verdict="SAFE", **more):
    return {"verdict": verdict, "valid_to": story.day(60), "areas": [{"area": "TRAFFICKER", "level": "LOW"}], **more}


def checked(story, case):
    story.say("Nobody plans a journey before the checks are done.")
    story.gate(TH, case, "nationality", "risk-host", "risk-host-date", "risk-origin", "risk-origin-date", "travel", "reception")
    story.refused(TH, "process-gate", "write", "HANDOVER_PROPOSAL", case, form=handover(story))
    story.say("Is she a national? She is in the register of her village.")
    story.write(TH, "NATIONALITY_REQUEST", case)
    story.write(LA, "NATIONALITY_RESULT", case, {"result": "CONFIRMED", "valid_to": story.day(80), "basis": "family book of the village"})
    story.say("Her mother is found, and wants her back; an uncle must not know, she has said.")
    story.write(TH, "TRACING_REQUEST", case, {"tell": "that she is well", "tell_not": "what has happened", "do_not_contact": ["ທ້າວ ຄຳ"]})
    story.write(LA, "TRACING_RESULT", case, {"result": "FOUND", "found": [{"name": "ນາງ ບົວ", "relation": "MOTHER", "told": True}]})
    story.write(LA, "FAMILY_ASSESSMENT", case, {
        "recommendation": "RETURN_HOME", "visited_on": story.day(-1), "willing": "YES", "relative_involved": "NO", "violence": "NO",
        "assessor": "referral://la/social/officer-1"})
    story.say("Both countries assess the risk.")
    story.write(TH, "RISK_ASSESSMENT", case, risk(story))
    story.write(LA, "RISK_ASSESSMENT", case, risk(story, "SAFE_WITH_MEASURES", measures="somebody meets her at the bridge"))
    story.stands(case, "cleared")
    story.write(TH, "TRAVEL_DOC_REQUEST", case, {"point": "TH-LA-1", "photo_ref": "photo-17"})
    story.write(LA, "TRAVEL_DOC_RESULT", case, {
        "result": "ISSUED", "document": "CERTIFICATE_OF_IDENTITY", "last_four": "4711", "valid_to": story.day(80), "collect_at": "embassy"})


def handover(story):
    return {"point": "TH-LA-1", "window_from": story.moment(240), "window_to": story.moment(244), "persons": 1, "escorts": 1,
            "vehicle": "MINIBUS", "needs_totals": [{"need": "female escort", "count": 1}]}


def handed_over(story, case):
    story.say("Thailand proposes the bridge; Lao PDR agrees and names who receives her.")
    story.write(TH, "HANDOVER_PROPOSAL", case, handover(story))
    story.gate(TH, case, "reception")
    story.write(LA, "HANDOVER_REPLY", case, {"answer": "ACCEPT", "care_desk": "la/social", "officers": ["referral://la/border/officer-1"]})
    story.stands(case, "scheduled")
    story.gate(TH, case)
    story.write(TH, "DEPARTED", case, {"time": story.moment(), "eta": story.moment(9), "point": "TH-LA-1", "persons": 1})
    story.stands(case, "in_transit")
    story.write(TH, "HANDOVER_RECORD", case, {
        "outcome": "PRESENT", "point": "TH-LA-1", "belongings": "ALL", "documents": "PASSED", "medicine": "NOT_NEEDED"})
    story.stands(case, "handed_over")
    story.say("She is received. Only now does the care pass to Lao PDR.")
    story.write(LA, "RECEPTION_CONFIRM", case, {"received": True, "care_desk": "la/social"})
    story.stands(case, "received")


def at_home(story, case):
    story.say("A plan, a visit after a month, and both sides close the case.")
    story.write(LA, "REINTEGRATION_PLAN", case, {"first_visit": story.day(30), "goals": [
        {"type": "Livelihood", "objective": "a weaving course", "provider": "ORGANISATION", "starts": story.day(14)}]})
    story.stands(case, "reintegrating")
    story.write(LA, "FOLLOW_UP_REPORT", case, {
        "due_no": 1, "visited_on": story.day(), "seen": True, "safe": "YES", "occupied": "WORK", "contact_wanted": False})
    story.write(LA, "CLOSURE", case, {"status": "Closed", "reason": "REINTEGRATED"})
    story.write(TH, "CLOSURE_REPLY", case, {"answer": "AGREE"})
    story.stands(case, "closed")


def tell(story):
    case = referred(story)
    checked(story, case)
    handed_over(story, case)
    at_home(story, case)
    story.timeline(case)
    story.readers(case, table=READERS)
