"""A child returns from Cambodia to Viet Nam: nobody plans the journey before it is decided that this is best for the child."""
from steps import accepted, cleared, departed, departure, handed_over, scheduled

KH, VN = "kh/focal", "vn/focal"
NATIVE, LATIN = "Nguyễn Thị Bé", "Nguyen Thi Be"

FOCALS = "kh/focal vn/focal"
CASE = f"{FOCALS} kh/social vn/social kh/child vn/child"  # the desks for children read of a child
READERS = {
    "kh/focal > vn/focal": {"case": CASE, "identity": f"{CASE} kh/verify vn/verify", "family": CASE, "security": FOCALS},
    "vn/focal > kh/focal": {"case": CASE, "identity": f"{CASE} kh/verify vn/verify", "security": FOCALS},
}


def decision(story, **more):
    return {"decision": "RETURN", "child_heard": True, "child_view": "wants to go to her grandmother", "guardian": "AUTHORITY",
            "guardian_name": "ស្រី មុំ", "escort_same_day": True, "receiving_care": "vn/child", "valid_to": story.day(60),
            "reviewer": "referral://kh/child/officer-1",
            "options": [{"option": "KIN", "finding": "BEST"}, {"option": "CENTRE", "finding": "POSSIBLE"}], **more}


def tell(story):
    story.say(f"A girl of about twelve, {NATIVE} ({LATIN}), was found in Poipet. Nobody knows her age: she counts as a child.")
    case = story.person(KH, "VN", NATIVE, LATIN, age_status="uncertain", prs_Birthdate="2014", consent_given_by="person")
    story.say("Her own consent is not enough, a guardian must be asked as well.")
    story.stands(case, "held", KH)
    story.refused(KH, "guardian-consent-missing", "send", case)
    story.amend(case, consent_given_by="both")
    accepted(story, case)

    story.say("All checks are done as for an adult, but for a child the gate stays shut.")
    cleared(story, case)
    story.stands(case, "identity_released")
    story.gate(KH, case, "child-interest", "child-guardian", "child-escort", "child-care", "reception")
    story.refused(KH, "process-gate", "write", "DEPARTED", case, form=departure(story, case))

    story.say("A decision must say that she was asked, and a child without a guardian does not travel.")
    story.refused(KH, "child-no-guardian", "write", "BEST_INTEREST", case, form=decision(story, guardian="NONE", guardian_name=""))
    story.write(KH, "BEST_INTEREST", case, decision(story, escort_same_day=False))
    story.gate(KH, case, "child-escort", "reception")
    story.say("An escort is found who stays with her all day, and her care in Viet Nam is named.")
    story.write(KH, "BEST_INTEREST", case, decision(story))
    story.stands(case, "cleared")

    scheduled(story, case)
    story.gate(KH, case)
    departed(story, case)
    handed_over(story, case)
    story.write(VN, "RECEPTION_CONFIRM", case, {"received": True, "care_desk": "vn/child"})
    story.stands(case, "received")
    story.timeline(case)
    story.readers(case, table=READERS)
