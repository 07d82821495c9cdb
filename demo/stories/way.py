"""The ways that several stories share: a referral up to its acceptance, the checks, the journey. Told in full in story 1."""
import contextlib
import os
import re
import sqlite3

RISK = {"verdict": "SAFE", "areas": [{"area": "TRAFFICKER", "level": "LOW"}]}
INFORMED = ["INTERVIEW", "PURPOSE", "USE", "RESEARCH", "OWN_DATA", "RETENTION", "WITHDRAWAL"]


def consent(story, scopes, countries, classes, **more):
    """What a person agrees to, as the form of CONSENT_RECORD."""
    return {"scopes": scopes, "purpose": "as it was explained to her", "countries": countries, "classes": classes, "given_by": "person",
            "method": "written", "language": "en", "interpreter": False, "informed": INFORMED, "given_on": story.day(),
            "expires_on": story.day(150), "evidence_ref": f"paper-{story.number}", **more}


def referred(story, case):
    """Referred and accepted; the details follow by themselves, and are opened."""
    story.act(case.host, "send", case)
    story.stands(case, "referred")
    story.act(case.origin, "accept", case)
    story.settle(case.host, case.origin)
    story.stands(case, "identity_released")


def checked(story, case, scopes=None, point="TH-LA-1", skip=()):
    """Everything that must hold before a journey is planned."""
    host, origin = case.host, case.origin
    countries = [host[:2], origin[:2]]
    scopes = scopes or ["SHARE_IDENTITY", "TRACE_FAMILY", "SHARE_SECURITY", "RETURN", "FOLLOW_UP"]
    risk = {**RISK, "valid_to": story.day(60)}
    steps = [
        (host, "CONSENT_RECORD", consent(story, scopes, countries, ["CASE", "IDENTITY", "FAMILY", "LEGAL", "SECURITY"])),
        (host, "NATIONALITY_REQUEST", {}),
        (origin, "NATIONALITY_RESULT", {"result": "CONFIRMED", "valid_to": story.day(150)}),
        (host, "TRAVEL_DOC_REQUEST", {"point": point, "photo_ref": "photo-1"}),
        (origin, "TRAVEL_DOC_RESULT", {"result": "LIST_ENTRY", "valid_to": story.day(100), "list_ref": "17"}),
        (host, "RISK_ASSESSMENT", risk),
        (origin, "RISK_ASSESSMENT", risk),
    ]
    for who, kind, form in steps:
        if kind not in skip:
            story.write(who, kind, case, form)


def journey(story, case, giver, receiver, point):
    """Leaves, is handed over, is received: 44, 45, 46."""
    story.write(giver, "DEPARTED", case, {"eta": story.moment(3), "point": point, "persons": 1})
    story.write(giver, "HANDOVER_RECORD", case, {"outcome": "PRESENT", "point": point, "belongings": "ALL", "documents": "PASSED",
                                                 "medicine": "NOT_NEEDED"})
    story.write(receiver, "RECEPTION_CONFIRM", case, {"received": True, "care_desk": receiver})


def home(story, case, point, *words):
    """Agreed, travelled, received, and a plan made."""
    host, origin = case.host, case.origin
    story.write(host, "HANDOVER_PROPOSAL", case, {"point": point, "window_from": story.moment(1), "window_to": story.moment(9),
                                                  "persons": 1, "escorts": 1, "vehicle": "CAR"}, *words)
    story.write(origin, "HANDOVER_REPLY", case, {"answer": "ACCEPT", "care_desk": origin, "officers": [f"referral://{origin}/officer-1"]})
    story.stands(case, "scheduled")
    journey(story, case, host, origin, point)
    story.stands(case, "received")
    plan(story, case)


def plan(story, case):
    goal = {"type": "Livelihood", "objective": "a place in a weaving workshop", "provider": "ORGANISATION", "starts": story.day(7)}
    story.write(case.origin, "REINTEGRATION_PLAN", case, {"goals": [goal], "first_visit": story.day(30)})
    story.stands(case, "reintegrating")


def closed(story, case, who, other, reason, **more):
    story.write(who, "CLOSURE", case, {"status": "Closed", "reason": reason, **more})
    story.write(other, "CLOSURE_REPLY", case, {"answer": "AGREE"})
    story.stands(case, "closed")


def everything(story, country):
    """What the offices and the gateway of a country have on disk: the lines of its log, the journals, the cases."""
    world = story.cast.world
    offices = [office for office in story.cast.all if office.country == country]
    return {"log": len(world.gateway(country).entries()), **{f"{office.name} {office.officer}": (
        len(office.journal()), len(office.json("list"))) for office in offices}}


def names_of(story, office, *cases):
    """All by which the world outside can tell messages and threads of these cases: 32 and 16 random bytes each, as they are stored."""
    ids = {bytes.fromhex(message["id"]) for case in cases for message in case.messages(office)}
    book = sqlite3.connect(f"file:{story.cast.office(office).home}/casebook.db?mode=ro", uri=True)
    with contextlib.closing(book):
        return ids | {thread for identifier, thread in book.execute("SELECT id, thread FROM message") if identifier in ids}


def found_in(story, country, names):
    """Files of that country's offices and gateway in which one of these names stands, as bytes or in hex digits."""
    wanted = re.compile(b"|".join(re.escape(form) for name in names for form in (name, name.hex().encode())))
    found = []
    for folder, _, files in os.walk(os.path.join(story.cast.world.folder, country)):
        for name in files:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError), open(path, "rb") as file:
                if wanted.search(file.read()):
                    found.append(path)
    return found
