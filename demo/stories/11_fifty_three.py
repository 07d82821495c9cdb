"""Fifty-three people go home to Myanmar together. One takes her consent back, somebody fears for another: the other fifty-one go."""
import secrets

from steps import agreement, departure, handover, point, present, risk

TH, MM = "th/focal", "mm/focal"
FIRST = {"မြ": "Mya", "ခင်": "Khin", "သန်း": "Than", "စု": "Su", "နီ": "Ni", "အေး": "Aye", "ဆွေ": "Swe", "လှ": "Hla", "ဝါ": "Wah"}
SECOND = {"ဝင်း": "Win", "ထွေး": "Htwe", "မော်": "Maw", "ဖြူ": "Phyu", "လွင်": "Lwin", "ဇင်": "Zin"}
PEOPLE = [(f"{first}{second}", f"{FIRST[first]} {SECOND[second]}") for first in FIRST for second in SECOND][:53]

FOCALS = "th/focal mm/focal"
CASE = f"{FOCALS} th/social mm/social"
READERS = {
    "th/focal > mm/focal": {"case": CASE, "identity": f"{CASE} th/verify mm/verify", "family": CASE, "security": FOCALS},
    "mm/focal > th/focal": {"case": CASE, "identity": f"{CASE} th/verify mm/verify", "security": FOCALS},
}


def everybody_is_cleared(story, cases):
    story.act(TH, "send", *cases)
    story.act(MM, "accept", *cases)
    story.settle(TH, MM)
    story.write_all(TH, "NATIONALITY_REQUEST", cases, carry=False)
    story.write_all(TH, "RISK_ASSESSMENT", cases, risk(story))
    story.write_all(MM, "NATIONALITY_RESULT", cases, {"result": "CONFIRMED", "valid_to": story.day(80)}, carry=False)
    story.write_all(MM, "RISK_ASSESSMENT", cases, risk(story))
    story.write_all(TH, "TRAVEL_DOC_REQUEST", cases, {"point": point(cases[0]), "photo_ref": "list-of-53"})
    story.write_all(MM, "TRAVEL_DOC_RESULT", cases, {"result": "LIST_ENTRY", "list_ref": "list-53", "valid_to": story.day(80)})
    story.stand(cases, "cleared", TH, MM)


def tell(story):
    story.say("Fifty-three people, fifty-three cases: each is asked, checked and accepted for herself.")
    cases = story.persons(TH, "MM", PEOPLE, father_name="ဦးလှ")
    everybody_is_cleared(story, cases)

    story.say("One bus convoy, one movement, one message per person.")
    movement = secrets.token_hex(16)
    plan = handover(story, cases[0], persons=53, escorts=6, vehicle="BUS")
    story.write_all(TH, "HANDOVER_PROPOSAL", cases, plan, "--movement", movement)
    story.write_all(MM, "HANDOVER_REPLY", cases, agreement(cases[0]))
    story.stand(cases, "scheduled", TH, MM)

    stays, feared, *others = cases
    story.say(f"The evening before, {stays.name} says that she stays, and {feared.name} has been threatened on the telephone.")
    story.command(TH, "withdraw", stays.at(TH), "--scopes", "RETURN")
    story.write(TH, "SAFETY_CONCERN", feared, {"state": "OPEN", "kind": "THREAT", "urgency": "urgent", "asked": "who has her number?"})
    story.settle(TH, MM)
    story.stands(stays, "suspended")
    story.stands(feared, "identity_released")
    story.gate(TH, feared, "concern", "reception")

    story.say("In the morning the buses leave; the same command for all, and two stay.")
    story.write_all(TH, "DEPARTED", cases, departure(story, cases[0], persons=51),
                    refused={stays: "consent-withdrawn", feared: "process-gate"})
    story.stand(others, "in_transit", TH, MM)
    story.write_all(TH, "HANDOVER_RECORD", others, present(cases[0]))
    story.write_all(MM, "RECEPTION_CONFIRM", others, {"received": True, "care_desk": "mm/social"})
    story.stand(others, "received", TH, MM)
    story.stands(stays, "suspended")
    story.stands(feared, "identity_released")

    story.say("The two who stayed, as both sides see them, and one of the fifty-one.")
    for case in (stays, feared, others[-1]):
        story.timeline(case)
    story.say("The keys are tried on these three; the other fifty travelled like the third.")
    story.readers(stays, feared, others[-1], table=READERS)
