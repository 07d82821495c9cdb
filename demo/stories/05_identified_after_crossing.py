"""Identified only after she was home: Lao PDR refers the case back to Thailand, where it happened."""
import way
from story import expect

TH, LA = "th/focal", "la/focal"
NATIVE, LATIN = "ນາງ ວັນນາ", "Nang Vanna"
READERS = {}


def tell(story):
    story.say("Fifteen people are deported over the bridge at Nong Khai. The police in Vientiane talk with each of them; one was never paid, "
              "and was locked in.")
    case = story.person(LA, "LA", NATIVE, LATIN, host_country="TH", referral_reason="LATE_IDENTIFICATION", home_district="Paksane",
                        consent_scopes="SHARE_IDENTITY;SHARE_LEGAL;FOLLOW_UP")
    case.host, case.origin, case.offices = TH, LA, [LA, TH]
    story.act(LA, "send", case)
    story.stands(case, "referred")
    story.say("Thailand, the former host, takes the case: its police can still find the factory.")
    story.act(TH, "accept", case)
    story.settle(TH, LA)
    story.stands(case, "identity_released")
    story.timeline(case)
