#!/usr/bin/env python3
"""`referral cases`, `search` and `show` with two real gateways: what waits for whom, what is overdue for which focal point,
names in native script and Latin, a timeline in each office's own time.

usage: test_casebook.py BUILD-FOLDER
"""
import csv
import datetime
import glob
import os
import re
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "demo"))
from world import World  # noqa: E402

PEOPLE = [  # invented
    ("C1", "နန်းခမ်း", "Nang Hkam", "Ma Ma"),
    ("C2", "ဦးအောင်", "U Aung", ""),
    ("C3", "Sùng A Páo", "Sung A Pao", ""),
]
GOOD = {
    "host_country": "TH", "origin_country": "MM", "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "mya",
    "prs_Citizenship": "MM", "vic_TraffickingStatus": "ActualVictimOfTrafficking",
    "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation", "con_Consent": "true",
    "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;RETURN", "consent_given_by": "person", "consent_expires": "2099-06-30",
    "urgency": "routine", "needs": "",
}
DEADLINES = """format = "referral-deadlines-1";
answers = ( { to = "REFERRAL_REQUEST"; within = "10d"; } );
countries = ( { code = "mm"; zone = "+06:30"; }, { code = "th"; zone = "+07:00"; } );
"""


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def sync(*offices):
    offices[0].world.settle(*offices)


def bring_in(world, office):
    path = os.path.join(world.folder, "people.csv")
    with open(path, "w", encoding="utf-8") as file:
        names = ["case_ref", "full_name_native", "full_name_latin", "alias_nickname"]
        writer = csv.DictWriter(file, names + list(GOOD), lineterminator="\n")
        writer.writeheader()
        for person in PEOPLE:
            writer.writerow({**GOOD, **dict(zip(names, person))})
    office.command("import", path)


def deadlines_set(office):
    with open(os.path.join(office.home, "deadlines.cfg"), "w", encoding="utf-8") as file:
        file.write(DEADLINES)
    with open(os.path.join(office.home, "client.cfg"), "a", encoding="utf-8") as file:
        file.write('deadlines = "deadlines.cfg";\n')


def numbers(office, *words):
    return [case["id"] for case in office.json("cases", *words)]


def in_days(world, days):
    world.today = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def test_search(office):
    def found(*words):
        return sorted(case["case_ref"] for case in office.json("search", *words))
    check(found("ခမ်း") == ["C1"], "a part of a Burmese name")
    check(found("nang") == ["C1"], "a Latin name, small letters")
    check(found("Ma", "Ma") == ["C1"], "a nickname, in two words")
    check(found("páo") == ["C3"] and found("pao") == ["C3"], "with marks and without")
    check(found("C2") == ["C2"], "a number of one's own")
    check(found("nobody") == [], "nobody is found")
    office.command("search", ok=(64,))
    office.command("search", " ", ok=(65,))
    table = office.command("search", "u", "aung").stdout
    check("ဦးအောင်" in table and "U Aung" in table, table)


def test_whose_move(th, mm):
    check(len(numbers(th, "--waiting", "them")) == 2 and len(numbers(th, "--waiting", "us")) == 1, "two of three are referred")
    check(len(numbers(mm, "--waiting", "us")) == 2 and numbers(mm, "--waiting", "them") == [], "both are mm's move")
    check(len(numbers(th, "--state", "referred")) == 2, "by state")
    check(len(numbers(th, "--first", "1")) == 1, "the first one only")
    th.command("cases", "--state", "dancing", ok=(64,))
    th.command("cases", "--waiting", "godot", ok=(64,))
    th.command("cases", "--first", "few", ok=(64,))


def test_overdue(world, th, mm):
    """10 days for an answer: at 50 % the desk, at 100 % the focal point that owes it, at 150 % the other one too."""
    for days, owes, waits, level in ((2, 0, 0, "none"), (6, 0, 0, "reminder"), (12, 2, 0, "late"), (16, 2, 2, "escalated")):
        in_days(world, days)
        check(len(numbers(mm, "--overdue")) == owes, f"after {days} days at the one that owes: {mm.json('cases')}")
        check(len(numbers(th, "--overdue")) == waits, f"after {days} days at the one that waits: {th.json('cases')}")
        levels = {case["level"] for office in (th, mm) for case in office.json("cases") if case["state"] == "referred"}
        check(levels == {level}, f"both compute {level}, not {levels}")
    table = mm.command("cases", "--overdue").stdout
    check(re.search(r"LATE 1[56]\d%", table) and "\033" not in table, table)
    order = [case["state"] for case in th.json("cases")]
    check(order == ["referred", "referred", "ready"], f"the most overdue first: {order}")
    world.today = None


def test_show(th, mm):
    shown = th.command("show", "C1").stdout
    check(all(text in shown for text in ("နန်းခမ်း", "(Nang Hkam)", "referred", "Waiting for", "mm/focal", "TIME (+07:00)")), shown)
    check("\033" not in shown, "colours only on a terminal")
    case = mm.json("cases", "--waiting", "us")[0]["id"]
    check("TIME (+06:30)" in mm.command("show", case).stdout, "the office's own time")
    told = th.json("show", "C1")[0]
    request = next(event for event in told["timeline"] if event["kind"] == "REFERRAL_REQUEST")
    check(not request["superseded"] and request["void"] is None and len(request["message"]) == 64, request)
    check(told["notes"] == [] or all(note["text"] for note in told["notes"]), told["notes"])
    mm.command("accept", case)
    sync(mm, th, mm, th)
    reference = next(c["case_ref"] for c in th.json("cases") if c["state"] == "identity_released")
    told = th.json("show", reference)[0]
    check(told["waiting_for"] == "us: nationality request; mm/focal: risk assessment", told["waiting_for"])
    missing = [note["id"] for note in told["notes"] if note["about"] == "missing"]
    check(len(missing) >= 4, f"what is missing before she may travel: {missing}")
    over_there = mm.json("show", case)[0]["waiting_for"]
    check(over_there == "th/focal: nationality request; us: risk assessment", over_there)
    kinds = [event["kind"] for event in told["timeline"] if event["kind"]]
    check(kinds.index("REFERRAL_REQUEST") < kinds.index("REFERRAL_ACCEPT") < kinds.index("REFERRAL_DETAILS"), kinds)


def test_at_rest(*offices):
    for office in offices:
        held = b""
        for path in glob.glob(os.path.join(office.home, "casebook.db*")):
            with open(path, "rb") as file:
                held += file.read()
        for person in PEOPLE:
            for text in person[1:]:
                check(not text or text.encode() not in held, f"{office.name}: a name can be read in the casebook file")
        for case in office.json("cases"):
            check(case["id"].encode() not in held, "a case number can be read in the casebook file")
        for text in ("REFERRAL_REQUEST", "Burmese", "SHARE_IDENTITY"):
            check(text.encode() not in held, f"{text} can be read in the casebook file")


def main():
    world = World(BUILD, ["mm", "th"])
    try:
        th, mm = (world.office(country, "focal", "officer-1") for country in ("th", "mm"))
        for office in (th, mm):
            deadlines_set(office)
        for country in ("mm", "th"):
            world.gateway(country).start()
        bring_in(world, th)
        sync(th, mm, th)
        limit = time.monotonic() + 60
        while th.command("send", "C1", "C2", ok=(0, 75)).returncode == 75:  # their key card is still on its way
            check(time.monotonic() < limit, "no key card came")
            sync(th, mm)
        sync(th, mm)
        test_search(th)
        test_whose_move(th, mm)
        test_overdue(world, th, mm)
        test_show(th, mm)
        test_at_rest(th, mm)
        with open(os.path.join(th.home, "deadlines.cfg"), "a", encoding="utf-8") as file:
            file.write("else")
        th.command("cases", ok=(78,))
    finally:
        world.close()
    print("casebook: cases, search, overdue, show")
    return 0


sys.exit(main())
