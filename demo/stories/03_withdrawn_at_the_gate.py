"""She takes her consent back at the border, where there is no network: nobody is handed over, and everything stops."""
from steps import TH_AND_LA, accepted, agreement, cleared, consent, departed, departure, handover, present, risk, scheduled

TH, LA = "th/focal", "la/focal"
NATIVE, LATIN = "ນາງ ດອກຟ້າ", "Nang Dokfa"


def tell(story):
    story.say(f"{NATIVE} ({LATIN}) is on the way to the bridge; everything was agreed.")
    case = story.person(TH, "LA", NATIVE, LATIN, father_name="ທ້າວ ແກ້ວ")
    accepted(story, case)
    cleared(story, case)
    scheduled(story, case)
    departed(story, case)

    story.say("At the gate, without a network, she sees who waits for her on the other side, and says no.")
    story.write(TH, "CONSENT_WITHDRAWN", case, {
        "scopes": ["RETURN"], "wants_erasure": False, "effective": story.moment(), "said_by": "person"}, carry=False)
    story.refused(TH, "process-stop", "write", "HANDOVER_RECORD", case, form=present(case))
    story.write(TH, "HANDOVER_RECORD", case, {"outcome": "REFUSED_AT_GATE", "point": "TH-LA-1"}, carry=False)
    story.stands(case, "in_transit", LA)
    story.say("The network is back; both sides know, and Vientiane says so.")
    story.settle(TH, LA)
    story.stands(case, "suspended")
    story.refused(TH, "consent-withdrawn", "write", "HANDOVER_PROPOSAL", case, form=handover(story, case))
    story.refused(TH, "consent-withdrawn", "write", "DEPARTED", case, form=departure(story, case))

    story.say("A week later she wants to go, by another way. What was known still holds, but Thailand must assess the risk anew.")
    story.write(TH, "CONSENT_RECORD", case, consent(story, case, "SHARE_IDENTITY", "SHARE_SECURITY", "RETURN"))
    story.stands(case, "identity_released")
    story.gate(TH, case, "risk-host", "risk-host-date", "reception")
    story.write(TH, "RISK_ASSESSMENT", case, risk(story, "SAFE_WITH_MEASURES", measures="another bridge, another day"))
    story.stands(case, "cleared")
    story.write(TH, "HANDOVER_PROPOSAL", case, handover(story, case))
    story.write(LA, "HANDOVER_REPLY", case, agreement(case))
    story.stands(case, "scheduled")
    story.say("Then she decides to stay, before anybody has left. The case is taken back.")
    story.write(TH, "REFERRAL_CANCEL", case, {"code": "PERSON_CHOSE_TO_STAY"})
    story.stands(case, "cancelled")
    story.timeline(case)
    story.readers(case, table=TH_AND_LA)
