"""The usual steps of a return, for stories that are about something else. `more` changes boxes of the form.

    accepted(story, case)    referred and accepted; the details are there
    cleared(story, case)     nationality, both risks and the travel document; nothing stands against a departure but the reception
    scheduled(story, case)   the handover is proposed and agreed
    departed(story, case)    she is on the way
    handed_over(story, case) she stood at the point
"""
PLACES = {"th la": "TH-LA-1", "kh vn": "KH-VN-1"}


FOCALS = "th/focal la/focal"
CASE = f"{FOCALS} th/social la/social"
TH_AND_LA = {  # who reads what of an adult's case between Thailand and Lao PDR
    "th/focal > la/focal": {"case": CASE, "identity": f"{CASE} th/verify la/verify", "family": CASE, "security": FOCALS},
    "la/focal > th/focal": {"case": CASE, "identity": f"{CASE} th/verify la/verify", "security": FOCALS},
}


def point(case):
    return PLACES.get(f"{case.host[:2]} {case.origin[:2]}", f"{case.host[:2]}-{case.origin[:2]}-1".upper())


def risk(story, verdict="SAFE", **more):
    return {"verdict": verdict, "valid_to": story.day(60), "areas": [{"area": "TRAFFICKER", "level": "LOW"}], **more}


def consent(story, case, *scopes, **more):
    """What she agrees to, told of all seven things, for this country."""
    return {"scopes": list(scopes), "purpose": "to go home", "countries": [case.origin[:2]], "classes": ["CASE", "IDENTITY", "SECURITY"],
            "given_by": "person", "method": "witnessed", "language": "lo", "interpreter": False, "given_on": story.day(),
            "informed": ["INTERVIEW", "PURPOSE", "USE", "RESEARCH", "OWN_DATA", "RETENTION", "WITHDRAWAL"],
            "expires_on": story.day(90), "evidence_ref": "paper-2", **more}


def handover(story, case, **more):
    return {"point": point(case), "window_from": story.moment(240), "window_to": story.moment(244), "persons": 1, "escorts": 1,
            "vehicle": "MINIBUS", **more}


def agreement(case, **more):
    country = case.origin[:2]
    return {"answer": "ACCEPT", "care_desk": f"{country}/social", "officers": [f"referral://{country}/border/officer-1"], **more}


def departure(story, case, **more):
    return {"time": story.moment(), "eta": story.moment(9), "point": point(case), "persons": 1, **more}


def present(case, **more):
    return {"outcome": "PRESENT", "point": point(case), "belongings": "ALL", "documents": "PASSED", "medicine": "NOT_NEEDED", **more}


def accepted(story, case):
    story.act(case.host, "send", case)
    story.act(case.origin, "accept", case)
    story.settle(case.host, case.origin)
    story.stands(case, "identity_released")


def cleared(story, case):
    host, origin = case.host, case.origin
    story.write(host, "NATIONALITY_REQUEST", case, carry=False)
    story.write(host, "RISK_ASSESSMENT", case, risk(story))
    story.write(origin, "NATIONALITY_RESULT", case, {"result": "CONFIRMED", "valid_to": story.day(80)}, carry=False)
    story.write(origin, "RISK_ASSESSMENT", case, risk(story))
    story.write(host, "TRAVEL_DOC_REQUEST", case, {"point": point(case), "photo_ref": "photo-1"})
    story.write(origin, "TRAVEL_DOC_RESULT", case, {"result": "LIST_ENTRY", "list_ref": "list-1", "valid_to": story.day(80)})


def scheduled(story, case):
    story.write(case.host, "HANDOVER_PROPOSAL", case, handover(story, case))
    story.write(case.origin, "HANDOVER_REPLY", case, agreement(case))
    story.stands(case, "scheduled")


def departed(story, case):
    story.write(case.host, "DEPARTED", case, departure(story, case))
    story.stands(case, "in_transit")


def handed_over(story, case):
    story.write(case.host, "HANDOVER_RECORD", case, present(case))
    story.stands(case, "handed_over")
