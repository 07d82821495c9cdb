"""Home in Viet Nam, she goes back to China once, as a witness, and comes home again. Nothing depends on her answer."""
import way

CN, VN = "cn/focal", "vn/focal"
NATIVE, LATIN = "Lò Thị Pương", "Lo Thi Puong"
POINT = "CN-VN-1"
SCOPES = ["SHARE_IDENTITY", "TRACE_FAMILY", "SHARE_SECURITY", "SHARE_LEGAL", "RETURN", "FOLLOW_UP"]
FOCALS = "cn/focal vn/focal"
WORK = f"{FOCALS} cn/social vn/social"  # the family too: justice desks never read of it
JUSTICE = "cn/justice vn/justice"
TOLD = f"{WORK} {JUSTICE}"  # she has agreed that the justice desks know of her case
NAMED = f"{TOLD} cn/verify vn/verify"
# What needs no consent of hers goes to those only who work with her.
ALIKE = {"case": TOLD, "legal": f"{FOCALS} {JUSTICE}", "security": FOCALS, "identity": NAMED, "ACKNOWLEDGEMENT case": WORK,
         "HANDOVER_RECORD case": WORK, "RECEPTION_CONFIRM case": WORK}
READERS = {"cn/focal > vn/focal": {**ALIKE, "CONSENT_RECORD case": WORK, "family": WORK},
           "vn/focal > cn/focal": {**ALIKE, "REFERRAL_ACCEPT case": WORK, "HANDOVER_REPLY case": WORK}}


def nothing_asked(story):
    story.say("Another woman of her village has come home too. She wants to hear nothing of courts: nothing can be asked of her.")
    other = story.person(CN, "VN", "Giàng Thị Sua", "Giang Thi Sua")
    way.referred(story, other)
    story.refused(CN, "consent-", "write", "JUSTICE_REQUEST", other, form={"kind": "STATEMENT", "protection": "a closed hearing"})


def asked(story, case):
    story.say("The prosecutor in Kunming has found the man who sold her. Through the focal points he asks whether she would speak in court.")
    story.write(CN, "JUSTICE_REQUEST", case, {"kind": "WITNESS_VISIT", "proceedings": "Kunming, first instance", "needed_by": story.day(90),
                                              "protection": "a closed hearing; an escort of her choice; she may stop at any time"})
    story.say("Whatever she says, her workshop, her visits and her papers go on as before. She thinks about it for a week, and agrees.")
    visit = {"right_to_stop": True, "out_on": story.day(20), "back_on": story.day(24), "point": POINT, "escort": "a social worker of her province",
             "lodging": "a guest house of the women's federation"}
    story.write(VN, "JUSTICE_REPLY", case, {"answer": "AGREES", "conditions": "not to see him; a woman interprets"})
    story.write(CN, "WITNESS_VISIT", case, {"state": "PROPOSED", **visit})
    story.refused(VN, "process", "write", "DEPARTED", case, form={"eta": story.moment(5), "point": POINT, "persons": 1})
    story.refused(VN, "right-to-stop", "write", "WITNESS_VISIT", case, form={"state": "AGREED", **visit, "right_to_stop": False})
    story.write(VN, "WITNESS_VISIT", case, {"state": "AGREED", **visit})
    story.stands(case, "reintegrating")


def tell(story):
    story.say(f"{NATIVE} has come home over the bridge at Hekou, as in story 1. She learns tailoring.")
    case = story.person(CN, "VN", NATIVE, LATIN, home_district="Mường Khương", prs_PrimaryLanguage="vie", consent_scopes=";".join(SCOPES))
    way.referred(story, case)
    way.checked(story, case, SCOPES, POINT)
    way.home(story, case, POINT)
    nothing_asked(story)
    asked(story, case)
    story.say("She goes: Viet Nam hands her over, China receives her.")
    way.journey(story, case, VN, CN, POINT)
    story.stands(case, "witness_away")
    story.say("She has spoken. China hands her over, Viet Nam receives her; she is home again.")
    way.journey(story, case, CN, VN, POINT)
    story.stands(case, "reintegrating")
    story.timeline(case)
    story.readers(case, table=READERS)
