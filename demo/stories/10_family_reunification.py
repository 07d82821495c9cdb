"""Two sisters are found in two places in Thailand; Cambodia traces one family for both, and does not ask the man who sold them."""
import way
from story import expect

TH, KH = "th/focal", "kh/focal"
ELDER, YOUNGER = ("ស្រីនាង", "Srey Neang"), ("ស្រីពេជ្រ", "Srey Pich")
STEPFATHER, AUNT = "លោក សុខ", "អ្នកស្រី ធី"
POINT = "TH-KH-1"
SCOPES = ["SHARE_IDENTITY", "TRACE_FAMILY", "SHARE_SECURITY", "RETURN", "FOLLOW_UP"]
FOCALS = "th/focal kh/focal"
WORK = f"{FOCALS} th/social kh/social"  # the family section too: no border desk, no justice desk, no shelter
NAMED = f"{WORK} th/verify kh/verify"
READERS = {
    "th/focal > kh/focal": {"case": WORK, "identity": NAMED, "family": WORK, "security": FOCALS},
    "kh/focal > th/focal": {"case": WORK, "family": WORK, "security": FOCALS, "identity": NAMED},
}


def traced(story, case, sister):
    """One sister's tracing: what the family may hear, whom not to ask, and what was found."""
    story.refused(TH, "form-required", "write", "TRACING_REQUEST", case, form={"tell": "that she is well"})
    story.write(TH, "TRACING_REQUEST", case, {"tell": "that she is well", "tell_not": "where she was, and that her sister was found",
                                              "do_not_contact": [STEPFATHER], "danger": "KNOWN"})
    story.write(KH, "TRACING_RESULT", case, {"result": "DO_NOT_CONTACT_HIT", "note": "he lives in the house; the visitors asked for the way"})
    story.write(KH, "TRACING_RESULT", case, {"result": "FOUND", "found": [
        {"name": AUNT, "relation": "AUNT_OR_UNCLE", "place": "Kampong Trabek", "told": False}]})
    home = {"visited_on": story.day(), "willing": "YES", "violence": "NO", "recommendation": "RETURN_HOME"}
    story.refused(KH, "relative-involved", "write", "FAMILY_ASSESSMENT", case, form={**home, "relative_involved": "YES"})
    story.write(KH, "FAMILY_ASSESSMENT", case, {**home, "recommendation": "KIN", "relative_involved": "NO"})
    expect(sister not in story.command(KH, "show", case.at(KH)).stdout, "the sister's name stands in a case that is not hers")


def tell(story):
    story.say("Srey Neang is found on a fishing boat, Srey Pich in a karaoke bar. Each asks for the other, and for nobody else at home.")
    cases = story.persons(TH, "KH", [ELDER, YOUNGER], referral_reason="FAMILY_REUNION", prs_PrimaryLanguage="khm", home_village="Prey Chor",
                          consent_scopes=";".join(SCOPES), family_do_not_contact=STEPFATHER)
    elder, younger = cases
    story.say("The focal point links the two cases: each keeps its own messages, and the same 16 random bytes stand in both.")
    story.command(TH, "link", elder.at(TH), younger.at(TH))
    story.refused(TH, "family-same", "link", elder, elder)
    for case in cases:
        way.referred(story, case)
    family = {case.shown(office)["family"] for case in cases for office in (TH, KH)}
    expect(len(family) == 1 and None not in family, f"the cases are not one family in both countries: {family}")

    story.say("Cambodia looks for their people. At the door stands the stepfather, who is on the list; nothing is said. An aunt is found.")
    for case, sister in ((elder, YOUNGER[0]), (younger, ELDER[0])):
        way.checked(story, case, SCOPES, POINT)
        traced(story, case, sister)
        story.stands(case, "cleared")

    story.say("They meet again in the shelter at Aranyaprathet and travel together; each has her own record of it.")
    movement = "5a" * 16
    for case in cases:
        way.home(story, case, POINT, "--movement", movement)
    story.timeline(younger)
    story.readers(*cases, table=READERS)
