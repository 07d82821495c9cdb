#!/usr/bin/env python3
"""Desks: their key cards cross the border, they themselves do not. Two countries, real gateways, the real command.

usage: test_desks.py BUILD-FOLDER
"""
import csv
import glob
import os
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

DEADLINE_S = 60
DESKS = ["social", "verify", "border", "health", "justice", "child", "ngo-beta"]
PERSON = {
    "case_ref": "DESK-1", "host_country": "TH", "origin_country": "LA", "full_name_native": "ນາງ ຄຳ", "full_name_latin": "Nang Kham",
    "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "lao", "prs_Citizenship": "LA",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
    "needs": "", "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;RETURN", "consent_given_by": "person",
    "consent_expires": "2027-06-30", "urgency": "urgent",
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def sync(*offices):
    for office in offices:
        office.command("sync", "--until-quiet", "200ms")


def card_of(office, principal):
    """Does this client hold a key card of that officer?"""
    for path in glob.glob(os.path.join(office.home, "trust", "card-*.der")):
        with open(path, "rb") as card:
            if principal.encode() + b"0" in card.read():  # in the certificate's subject alternative name
                return True
    return False


def cards_travel(world, focal, everyone):
    limit = time.monotonic() + DEADLINE_S
    wanted = [f"referral://th/{name}/officer-1" for name in ["focal", *DESKS]]
    while not all(card_of(focal["la"], one) for one in wanted):
        check(time.monotonic() < limit, f"no card of {[one for one in wanted if not card_of(focal['la'], one)]}")
        sync(*everyone)
    check(not card_of(focal["la"], "referral://th/ngo-alpha/officer-1"), "the card of a domestic office has crossed")
    check(card_of(focal["th"], "referral://th/ngo-alpha/officer-1"), "the own focal point lacks the card of its NGO")


def domestic_mail(world, focal, everyone):
    """A desk's client connects and writes to its own focal point; what comes back is for it alone."""
    desk = world.office("th", "social", "officer-1")
    path = os.path.join(world.folder, "desk.csv")
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(PERSON))
        writer.writeheader()
        writer.writerow(PERSON)
    desk.command("import", path)
    desk.command("send", "DESK-1")
    limit = time.monotonic() + DEADLINE_S
    while not focal["th"].json("list"):
        check(time.monotonic() < limit, "the desk's message did not come to its focal point")
        sync(desk, focal["th"])
    sync(*everyone)
    check(not focal["la"].json("list"), "a desk's message has crossed the border")


def main():
    world = World(BUILD, ["th", "la"], today="2026-11-24", deadline_s=DEADLINE_S, desks=True)
    try:
        focal = {country: world.office(country, "focal", "officer-1") for country in world.countries}
        everyone = [*focal.values(), world.office("th", "ngo-alpha", "officer-1"),
                    *(world.office("th", name, "officer-1") for name in DESKS)]
        for country in world.countries:
            world.gateway(country).start()
        cards_travel(world, focal, everyone)
        domestic_mail(world, focal, everyone)
        print("desks are readers abroad and writers at home")
    finally:
        world.close()


main()
