"""Declined by Myanmar, which does not know her, then referred to Lao PDR: two cases that share nothing but the person."""
import csv
import io

import way
from story import Case, expect

TH, MM, LA = "th/focal", "mm/focal", "la/focal"
NATIVE, LATIN = "ນາງ ສຸກດາວັນ", "Nang Soukdavanh"
WORK, BEFORE = "th/focal th/social la/focal la/social", "th/focal th/social mm/focal mm/social"
READERS = {  # Myanmar was shown the coarse first page and two questions, nothing else
    "th/focal > mm/focal": {"case": BEFORE},
    "mm/focal > th/focal": {"case": BEFORE},
    "th/focal > la/focal": {"case": WORK, "identity": f"{WORK} th/verify la/verify", "family": WORK},
    "la/focal > th/focal": {"case": WORK},
}


def consents_again(story, first):
    """The record of the new case is written again with what she now says of the second country."""
    rows = list(csv.DictReader(io.StringIO(story.command(TH, "export").stdout)))
    row = next(row for row in rows if row["case_ref"] == first.row["case_ref"] + "/la")
    expect(row["con_Consent"] == "false" and row["origin_country"] == "LA", "the consent to the first country was carried over")
    table = io.StringIO()
    writer = csv.DictWriter(table, list(row))
    writer.writeheader()
    writer.writerow({**row, "con_Consent": "true", "consent_given_on": story.day(), "prs_Citizenship": "LA"})
    story.command(TH, "import", "-", stdin=table.getvalue())


def tell(story):
    story.say("Police bring a woman to a shelter near Mae Sot. She speaks little, and says that she comes from the other side of the river.")
    first = story.person(TH, "MM", NATIVE, LATIN, prs_PrimaryLanguage="lao")
    story.act(TH, "send", first)
    story.stands(first, "referred")
    story.refused(TH, "case-step", "redirect", first, "--to", "la")

    story.say("Myanmar asks one question that no field holds, and waits with its answer.")
    story.write(MM, "INFO_REQUEST", first, {"question": "What do people in her village call the rainy season?"})
    story.stands(first, "needs_info")
    story.write(TH, "INFO_RESPONSE", first, {"answer": "She uses the Lao word."})
    story.stands(first, "referred")

    story.say("Myanmar declines: she is not their national. What it had received is destroyed there; the number and the code stay.")
    story.act(MM, "decline", first, words=("--reason", "NOT_OUR_NATIONAL"))
    story.stands(first, "declined")
    left = first.shown(MM)
    expect(left["reason"] == "NOT_OUR_NATIONAL" and left["id"], "the number or the code is gone")
    for message in (one for one in first.messages(MM) if one["kind"] in ("REFERRAL_REQUEST", "INFO_RESPONSE")):
        story.command(MM, "section", message["id"], "1", "--text", ok=(77,))

    story.say("Her consent named Myanmar. Before anybody else is asked, she is.")
    story.command(TH, "redirect", first.at(TH), "--to", "la")
    second = Case(story, TH, {**first.row, "case_ref": first.row["case_ref"] + "/la"}, "la")
    story.cases.append(second)
    story.refused(TH, "consent-refused", "send", second)
    consents_again(story, first)
    way.referred(story, second)
    story.knows_name(LA, second, NATIVE)

    one, other = way.names_of(story, TH, first), way.names_of(story, TH, second)
    expect(one and other and not one & other, "the two cases share a message or a thread")
    expect(not way.found_in(story, "mm", other), "something of the case with Lao PDR is on a disk in Myanmar")
    expect(not way.found_in(story, "la", one), "something of the case with Myanmar is on a disk in Lao PDR")
    expect(way.found_in(story, "mm", one) and way.found_in(story, "la", other), "this search finds nothing anywhere: it proves nothing")
    story.say(f"{len(one)} names of messages and threads in Myanmar, {len(other)} in Lao PDR; none is known in the other country")
    story.timeline(first, TH)
    story.timeline(second, TH)
    story.readers(first, second, table=READERS)
