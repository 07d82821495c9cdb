"""A woman from Myanmar would be persecuted at home: Thailand tells Myanmar nothing, and New Zealand takes her."""
import way
from story import Case, expect

TH, MM, NZ = "th/focal", "mm/focal", "nz/focal"
NATIVE, LATIN = "နန်းမူမူ", "Nang Mu Mu"
WORK = "th/focal th/social nz/focal nz/social"
READERS = {"th/focal > nz/focal": {"case": WORK, "identity": f"{WORK} th/verify nz/verify"}, "nz/focal > th/focal": {"case": WORK}}


def tell(story):
    story.settle(TH, MM)  # what other stories left on the way
    before = way.everything(story, "mm")
    story.say(f"{NATIVE} was sold across the river. Her brother writes against the men in power; she fears them more than the traffickers.")
    first = story.person(TH, "MM", NATIVE, LATIN, home_district="Tangyan", consent_scopes="SHARE_IDENTITY;ONWARD_THIRD_COUNTRY")
    story.say("She asks for protection. From this moment nothing of her case can be written to Myanmar, by nobody.")
    story.command(TH, "claim", first.at(TH), "--open")
    story.refused(TH, "protection-claim", "send", first)

    story.say("She has agreed to a third country. Thailand asks New Zealand, which must know that the country of origin is told nothing.")
    onward = {"purpose": "RESETTLEMENT", "origin_excluded": True}
    story.refused(TH, "origin-not-excluded", "write", "ONWARD_REFERRAL", first, "--to", NZ, form={**onward, "origin_excluded": False})
    story.refused(TH, "write-to", "write", "ONWARD_REFERRAL", first, "--to", MM, form=onward)
    story.write(TH, "ONWARD_REFERRAL", first, onward, "--to", NZ, carry=False)
    case = Case(story, TH, {**first.row, "case_ref": first.row["case_ref"] + "/nz"}, "nz")
    story.cases.append(case)
    story.settle(TH, NZ)
    story.stands(case, "onward")
    story.knows_name(NZ, case, NATIVE)

    story.say("New Zealand accepts; after some weeks she flies.")
    story.write(NZ, "ONWARD_REPLY", case, {"answer": "ACCEPTED", "on": story.day()})
    story.write(NZ, "ONWARD_REPLY", case, {"answer": "DEPARTED", "on": story.day()})
    story.settle(TH, NZ)
    told = [message for message in case.messages(TH) if message["kind"] == "ONWARD_REPLY"]
    expect(len(told) == 2, "Thailand has not heard both that she is accepted and that she has left")
    story.stands(case, "onward")
    way.closed(story, case, TH, NZ, "RESETTLED")
    story.timeline(case)
    story.readers(case, table=READERS)

    story.settle(MM)
    expect(way.everything(story, "mm") == before, "Myanmar's gateway or offices have something that they did not have before")
    names = way.names_of(story, TH, first, case)
    expect(not way.found_in(story, "mm", names), "a message id or thread of the case stands on a disk in Myanmar")
    expect(way.found_in(story, "nz", names), "this search finds nothing anywhere: it proves nothing")
    story.say(f"Myanmar: no entry in the log, no journal line, no receipt; none of {len(names)} message ids and threads is on its disks")
