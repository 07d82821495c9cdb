"""A health assessment that only the health desks can read: the focal points pass it on unopened."""
from steps import accepted

TH, LA, HEALTH, THERE = "th/focal", "la/focal", "th/health", "la/health"
NATIVE, LATIN = "ນາງ ພອນສະຫວັນ", "Nang Phonsavan"
SECRET = "ຢາຕ້ານໄວຣັສ"

FOCALS = "th/focal la/focal"
CASE = f"{FOCALS} th/social la/social"
DESKS = "th/health la/health"
READERS = {  # a wrapper carries a section of another author, verbatim; what is inside keeps its own readers
    "th/focal > la/focal": {"case": CASE, "identity": f"{CASE} th/verify la/verify", "family": CASE,  # only that it is withheld
                            "health wrapper": FOCALS, "health inside": DESKS},
    "la/focal > th/focal": {"case": CASE},
    "th/focal > th/health": {"case": "th/focal th/health", "case wrapper": "th/focal th/health", "case inside": CASE},
    "th/health > th/focal": {"case": "th/health th/focal", "health": DESKS},
    "la/focal > la/health": {"case wrapper": "la/focal la/health", "health inside": DESKS},
}


def tell(story):
    story.say(f"{NATIVE} ({LATIN}) wants the doctors at home to know what she takes, and nobody else.")
    case = story.person(TH, "LA", NATIVE, LATIN, consent_scopes="SHARE_IDENTITY;RETURN;SHARE_HEALTH")
    accepted(story, case)
    story.say("Her focal point hands the acceptance to its health desk, which learns by it that the case is there.")
    acceptance = next(message["id"] for message in case.messages(TH) if message["kind"] == "REFERRAL_ACCEPT")
    story.command(TH, "assign", acceptance, "--to", HEALTH)
    case.offices += [HEALTH]
    story.carry(case, TH)
    story.say("The health desk writes. It is a draft: only a focal point speaks to another country.")
    story.write(HEALTH, "HEALTH_SUMMARY", case, {
        "fit_to_travel": "CONDITIONS", "needs": ["cold-chain medicine"], "valid_to": story.day(30),
        "conditions": "not more than six hours a day", "medicine_days": 30, "medicine": SECRET}, "--lang", "lo")
    draft = story.json(TH, "drafts")[0]["message"]
    story.say("The focal point sends it on as it is: it can read that she may travel and what she needs on the way, not why.")
    story.refused(TH, "section", "section", draft, "2", "--text")
    story.command(TH, "forward", draft)
    story.carry(case, TH)
    story.say("So in Vientiane: the focal point cannot open it either and passes it to its health desk by itself.")
    case.offices += [THERE]
    story.settle(TH, LA, THERE, HEALTH)
    story.withheld(LA, case, "HEALTH_SUMMARY", "health")
    story.reads(THERE, case, SECRET)
    story.timeline(case, LA, THERE)
    story.readers(case, table=READERS)
