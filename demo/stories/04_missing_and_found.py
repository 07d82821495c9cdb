"""Nobody confirms that she was received: after four hours both sides are told by themselves; she is found, and the risk is looked at anew."""
from steps import TH_AND_LA, accepted, cleared, departed, handed_over, risk, scheduled

TH, LA = "th/focal", "la/focal"
NATIVE, LATIN = "ນາງ ມະນີວັນ", "Nang Manivan"


def tell(story):
    story.say(f"{NATIVE} ({LATIN}) leaves for the bridge in the morning, and is handed over there.")
    case = story.person(TH, "LA", NATIVE, LATIN, father_name="ທ້າວ ສີ")
    accepted(story, case)
    cleared(story, case)
    scheduled(story, case)
    departed(story, case)
    handed_over(story, case)

    story.say("Five hours later nobody has confirmed that she arrived. The alert goes out by itself, whoever looks first, and once.")
    with story.later(5):
        story.settle(TH, LA)
    story.stands(case, "missing")
    alerts = [message for message in case.messages(TH) if message["kind"] == "TRANSIT_ALERT"]
    story.check(len(alerts) == 1, f"{len(alerts)} alerts")
    story.refused(LA, "process-step", "write", "REINTEGRATION_PLAN", case, form={"first_visit": story.day(30), "goals": [
        {"type": "SocialCare", "objective": "a place to live", "provider": "GOVERNMENT", "starts": story.day(1)}]})
    alert = story.write(TH, "TRANSIT_ALERT", case, {
        "kind": "TAKEN", "last_seen_time": story.moment(), "last_seen_place": "the bus station behind the bridge",
        "asks": "stop the blue bus to the north"})

    story.say("The Lao police stop the bus: she is safe. Where she was before she is again, but both countries must look at the risk anew.")
    story.write(LA, "TRANSIT_RESOLVED", case, {
        "result": "FOUND_SAFE", "care_desk": "la/social", "found_at": story.moment(), "place": "at the third road block"},
        "--answers", alert)
    story.stands(case, "handed_over")
    story.waits(TH, case, "us: a new assessment of the risk")
    story.waits(LA, case, "th/focal: a new assessment of the risk")
    story.write(TH, "RISK_ASSESSMENT", case, risk(story, "SAFE_WITH_MEASURES", measures="she is fetched by car"))
    story.write(LA, "RISK_ASSESSMENT", case, risk(story))
    story.write(LA, "RECEPTION_CONFIRM", case, {"received": True, "care_desk": "la/social"})
    story.stands(case, "received")
    story.waits(TH, case, "la/focal: the plan for her reintegration")
    story.timeline(case)
    story.readers(case, table=TH_AND_LA)
