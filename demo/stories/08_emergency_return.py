"""Emergency return from Cambodia to Viet Nam: the shelter is attacked. Two officers sign; the checks that were skipped follow."""
import way
from story import expect

KH, SECOND, VN = "kh/focal", "kh/focal officer-2", "vn/focal"
NATIVE, LATIN = "Nguyễn Thị Hạnh", "Nguyen Thi Hanh"
POINT = "KH-VN-1"
SCOPES = ["SHARE_IDENTITY", "TRACE_FAMILY", "SHARE_SECURITY", "RETURN", "FOLLOW_UP"]
FOCALS = "kh/focal vn/focal"
WORK = f"{FOCALS} kh/social vn/social"
NAMED = f"{WORK} kh/verify vn/verify"
READERS = {  # a section of this class that goes this way: who can open it, of all officers of all countries
    "kh/focal > vn/focal": {"case": WORK, "identity": NAMED, "family": WORK, "security": FOCALS},
    "vn/focal > kh/focal": {"case": WORK, "identity": NAMED, "security": FOCALS},
    "kh/focal > kh/focal": {"case": "kh/focal"},  # what the second officer is asked to sign
}


def due(story, who, case):
    """Are skipped checks still due, as this office shows it?"""
    return any("skipped" in note["text"] for note in case.shown(who)["notes"])


def tell(story):
    story.say(f"{NATIVE} waits in a shelter in Svay Rieng while Viet Nam looks into her case. At night men come to the gate and ask for her.")
    case = story.person(KH, "VN", NATIVE, LATIN, home_district="Trảng Bàng", prs_Birthdate="2002-02-11")
    way.referred(story, case)
    consent = story.write(KH, "CONSENT_RECORD", case,
                          way.consent(story, SCOPES, ["kh", "vn"], ["CASE", "IDENTITY", "FAMILY", "SECURITY"]))
    story.say("An ordinary handover is not possible: nothing has been checked yet.")
    story.refused(KH, "process-gate", "write", "HANDOVER_PROPOSAL", case, form={
        "point": POINT, "window_from": story.moment(1), "window_to": story.moment(9), "persons": 1, "escorts": 1, "vehicle": "CAR"})

    story.say("She wants to go home at once. The officer on duty writes an emergency return. Alone he can send nothing.")
    asked = story.write(KH, "EMERGENCY_RETURN", case, {
        "reason": "SHELTER_ATTACKED", "skipped": ["NATIONALITY", "RISK_HOST", "RISK_ORIGIN", "TRAVEL_DOCUMENT"], "basis": "BY_CONSENT",
        "consent": consent, "point": POINT, "eta": story.moment(3), "needs": ["female escort"]}, carry=False)
    story.settle(KH, VN)
    story.stands(case, "identity_released")
    story.refused(KH, "draft-kind", "countersign", asked, "--sign")

    story.say("His colleague reads it on her own device, signs the same bytes, and only now it goes.")
    story.settle(KH, SECOND)
    waiting = story.json(SECOND, "drafts")
    expect([one["message"] for one in waiting] == [asked], f"the second officer finds {waiting}")
    story.command(SECOND, "countersign", asked, "--sign")
    story.settle(SECOND, KH, VN)
    story.refused(SECOND, "draft-done", "countersign", asked, "--sign")
    story.stands(case, "in_transit")
    for office in (KH, VN):
        expect(due(story, office, case), f"{office}: does not show that checks are due")

    story.say("Viet Nam answers within the hour who will stand at Moc Bai; while the car drives, Cambodia asks for an entry in the list.")
    story.write(VN, "HANDOVER_REPLY", case, {"answer": "ACCEPT", "care_desk": VN, "officers": ["referral://vn/focal/officer-1"]})
    story.write(KH, "TRAVEL_DOC_REQUEST", case, {"point": POINT, "photo_ref": "photo-8"})
    story.write(VN, "TRAVEL_DOC_RESULT", case, {"result": "LIST_ENTRY", "valid_to": story.day(10), "list_ref": "E-8"})
    story.write(KH, "HANDOVER_RECORD", case, {"outcome": "PRESENT", "point": POINT, "belongings": "PART", "documents": "NONE_HELD",
                                              "medicine": "NOT_NEEDED"})
    story.stands(case, "handed_over")
    story.write(VN, "RECEPTION_CONFIRM", case, {"received": True, "care_desk": VN})
    story.stands(case, "received")

    story.say("She is safe. What was skipped is done now, as it was promised: nationality, and how safe she is, by both countries.")
    story.write(KH, "NATIONALITY_REQUEST", case)
    story.write(VN, "NATIONALITY_RESULT", case, {"result": "CONFIRMED", "valid_to": story.day(150)})
    for office in (KH, VN):
        expect(due(story, office, case), f"{office}: forgets the checks that are still due")
    for office in (KH, VN):
        story.write(office, "RISK_ASSESSMENT", case, {**way.RISK, "valid_to": story.day(60)})
    for office in (KH, VN):
        expect(not due(story, office, case), f"{office}: still says that checks are due: {case.shown(office)['notes']}")
    way.plan(story, case)
    way.closed(story, case, VN, KH, "REINTEGRATED")
    story.timeline(case)
    story.readers(case, table=READERS)
