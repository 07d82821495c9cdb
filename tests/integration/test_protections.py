#!/usr/bin/env python3
"""Protections through real gateways and the real command: claim, exclusion, agreement, notices, exercise, and that nothing leaks.

usage: test_protections.py BUILD-FOLDER
"""
import csv
import json
import os
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

DEADLINE_S = 60
TODAY = "2026-11-25"
MARKER = "QZMARKER"
PERSON = {
    "host_country": "TH", "origin_country": "LA", "full_name_native": f"{MARKER}N", "full_name_latin": f"{MARKER}L",
    "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "lao", "prs_Citizenship": "LA",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
    "needs": "", "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;RETURN", "consent_given_by": "person",
    "consent_expires": "2027-06-30", "urgency": "urgent", "home_district": f"{MARKER}D", "father_name": f"{MARKER}F",
    "cco_CaseComment": f"{MARKER}C", "health_summary": f"{MARKER}H", "hte_Description": f"{MARKER}E",
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Test:
    def __init__(self):
        self.world = World(BUILD, ["la", "th"], today=TODAY, deadline_s=DEADLINE_S)
        self.th, self.th2 = (self.world.office("th", "focal", f"officer-{i}") for i in (1, 2))
        self.la, self.la2 = (self.world.office("la", "focal", f"officer-{i}") for i in (1, 2))
        self.ngo = self.world.office("la", "ngo-alpha", "officer-1")
        self.everyone = [self.th, self.th2, self.la, self.la2, self.ngo]
        self.heard = []  # what commands said that are not for showing a case
        for country in self.world.countries:
            self.world.gateway(country).start()
        for _ in range(2):
            self.sync(*self.everyone)

    def sync(self, *offices):
        for office in offices:
            self.say(office, "sync", "--until-quiet", "200ms")

    def until(self, holds, text, *offices):
        limit = time.monotonic() + DEADLINE_S
        while not holds():
            check(time.monotonic() < limit, text)
            self.sync(*offices)

    def say(self, office, *words, ok=(0,)):
        result = office.command(*words, ok=ok)
        self.heard.append(result.stdout + result.stderr)
        return result

    def refused(self, office, *words, reason=None, code=77):
        result = self.say(office, *words, ok=(code,))
        check(reason is None or reason in result.stderr, f"{words}: {result.stderr.strip()} instead of {reason}")
        return result.stderr

    def import_case(self, office, reference, **changes):
        path = os.path.join(self.world.folder, f"{reference}.csv")
        row = {"case_ref": reference, **PERSON, **changes}
        with open(path, "w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
            writer.writerow(row)
        self.say(office, "import", path)
        os.unlink(path)

    def refer(self, reference):
        before = self.cases(self.la)
        self.import_case(self.th, reference)
        self.say(self.th, "send", reference)
        self.until(lambda: len(self.cases(self.la)) > len(before), f"{reference} did not arrive", self.th, self.la)
        return next(iter(set(self.cases(self.la)) - set(before)))

    @staticmethod
    def cases(office):
        lines = [json.loads(line) for line in office.command("list", "--json").stdout.splitlines() if line.strip()]
        lines = lines[0] if lines and isinstance(lines[0], list) else lines
        return {line["id"]: line for line in lines}

    @staticmethod
    def sent(office, kind):
        return [line for line in office.journal() if line["dir"] == "out" and line["kind"] == kind]

    # --- what is tested -------------------------------------------------------------------

    def test_d03_agreement(self):
        path = os.path.join(self.th.home, "client.cfg")
        with open(path, encoding="utf-8") as file:
            config = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(config[:config.index("agreements")])
        self.import_case(self.th, "P-0")
        self.refused(self.th, "send", "P-0", reason="no signed sharing agreement")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)

    def test_d09_claim(self):
        """The one case is answered as ever. Of the other, Laos learns nothing from the moment of the claim."""
        open_id = self.refer("P-1")
        muted_id = self.refer("P-2")
        self.say(self.th, "claim", "P-2", "--open")
        for one in (open_id, muted_id):
            self.say(self.la, "accept", one)
        self.until(lambda: self.cases(self.la)[open_id]["state"] == "identity_released" or
                   any(line["kind"] == 17 for line in self.la.journal()),
                   "the details of the other case did not come", self.la, self.th)
        for _ in range(3):
            self.sync(self.th, self.la)
        details = [line for line in self.la.journal() if line["kind"] == 17]
        check(len(details) == 1, f"{len(details)} details arrived instead of one")
        opened = sorted(line["opened"] for line in self.sent(self.la, 12))
        check(opened == [False, True], f"accepts are {opened}: the origin must not see that the second was opened")
        self.refused(self.th, "send", "P-2")
        self.refused(self.th, "claim", "P-2", "--end", reason="second officer")
        self.refused(self.th, "claim", "P-2", "--end", "--second", self.th.home, reason="another officer")
        self.refused(self.th, "claim", "P-2", "--end", "--second", self.la.home, reason="another officer")
        self.say(self.th, "claim", "P-2", "--end", "--second", self.th2.home)

    def test_colleagues_know(self):
        """What one officer protects before anything is referred, her colleague's device protects too."""
        spy = "referral://la/focal/officer-2"
        self.import_case(self.th, "P-20")
        self.say(self.th, "exclude", "P-20", spy)
        check("sync now" in self.say(self.th, "claim", "P-20", "--open").stdout, "nothing says that colleagues do not know yet")
        self.import_case(self.th, "P-21")
        self.say(self.th, "exclude", "P-21", spy)
        self.sync(self.th, self.th2)
        self.import_case(self.th2, "P-20")
        self.refused(self.th2, "send", "P-20", reason="protection")
        self.import_case(self.th2, "P-21")
        self.say(self.th2, "send", "P-21")
        self.sync(self.la2)
        known = len(self.cases(self.la2))
        before = len(self.cases(self.la))
        self.until(lambda: len(self.cases(self.la)) > before, "P-21 did not arrive", self.th2, self.la)
        self.sync(self.la2)
        check(len(self.cases(self.la2)) == known, "the excluded officer has opened what the colleague sent")

    def test_d25_emergency_before_any_referral(self):
        """The first message of a case is one that two officers sign; the second has not seen the case."""
        self.import_case(self.th, "P-22")
        path = os.path.join(self.world.folder, "49.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"reason": "LIFE_DANGER", "skipped": ["NATIONALITY", "RISK_HOST"], "basis": "VITAL_INTEREST", "age": "ADULT",
                       "reception_desk": "la/focal", "point": "TH-LA-1", "eta": "2026-11-26T08:00:00Z"}, out)
        asked = self.th.json("write", "EMERGENCY_RETURN", "P-22", path, "--vital", "her life is in danger")
        os.unlink(path)
        check(asked["state"] == "countersign", f"one officer sends it alone: {asked}")
        self.until(lambda: self.th2.json("drafts"), "the second officer is asked nothing", self.th, self.th2)
        check(not self.sent(self.th2, 49) and not [line for line in self.la.journal() if line["kind"] == 49], "it went with one signature")
        self.say(self.th2, "countersign", asked["message"], "--sign")
        self.until(lambda: [line for line in self.la.journal() if line["kind"] == 49], "the emergency return did not arrive",
                   self.th2, self.th, self.la)
        check(len(self.sent(self.th2, 49)) == 1, "the second officer's casebook does not hold what she has sent")

    def test_d13_exclusion(self):
        """An officer on the list finds nothing that she can open, and no word says why."""
        excluded = "referral://la/focal/officer-2"
        self.import_case(self.th, "P-3")
        self.say(self.th, "exclude", "P-3", excluded)
        self.say(self.th, "exclude", "P-3", "point TH-LA-1")
        listed = json.loads(self.th.command("exclude", "P-3", "--list", "--json").stdout)
        check([one["who"] for one in listed] == [excluded, "point TH-LA-1"], f"the list is {listed}")
        self.say(self.th, "send", "P-3")
        self.sync(self.la2)
        known = len(self.cases(self.la2))
        before = len(self.cases(self.la))
        self.until(lambda: len(self.cases(self.la)) > before, "P-3 did not arrive", self.th, self.la)
        self.sync(self.la2)
        check(len(self.cases(self.la2)) == known, "the excluded officer has opened the case")
        for line in self.la2.journal():
            check("exclu" not in json.dumps(line), f"a word of the list: {line}")
        self.refused(self.th, "exclude", "P-3", excluded, "--remove", reason="second officer")
        self.say(self.th, "exclude", "P-3", excluded, "--remove", "--second", self.th2.home)
        self.refused(self.th, "exclude", "P-3", "th/focal", reason="herself")

    def test_d05_withdrawal(self):
        """Said offline, while the request still waits here: it never leaves, and neither does anything after it."""
        self.import_case(self.th, "P-4")
        self.say(self.th, "send", "P-4")
        waiting = [line["id"] for line in self.sent(self.th, 11) if line["state"] == "queued"]
        check(len(waiting) == 1, f"{len(waiting)} requests wait")
        self.refused(self.th, "withdraw", "P-4", "--scopes", "EVERYTHING", code=65)
        self.say(self.th, "withdraw", "P-4", "--erase")
        before = len(self.cases(self.la))
        self.sync(self.th, self.la, self.th)
        states = {line["id"]: line["state"] for line in self.th.journal() if line["dir"] == "out"}
        check(states[waiting[0]] == "withdrawn", f"the overtaken request is {states[waiting[0]]}")
        check(len(self.cases(self.la)) == before, "the request has left in spite of the withdrawal")
        self.refused(self.th, "send", "P-4", reason="consent")
        # Of a case that is known abroad the other side is told, and nothing more goes that needed it.
        self.say(self.th, "withdraw", "P-1", "--scopes", "RETURN")
        self.refused(self.th, "write", "TRAVEL_DOC_REQUEST", "P-1", "--set", "point=TH-LA-1", "--set", "photo_ref=PH-7", reason="withdrawn")
        self.until(lambda: [line for line in self.la.journal() if line["kind"] == 21 and line["state"] == "opened"],
                   "the withdrawal did not arrive", self.th, self.la)

    def test_d10_duties(self):
        self.import_case(self.th, "P-5", place_of_stay="detention")
        shown = self.th.command("show", "P-5").stdout
        check("she is detained" in shown, f"the warning does not show: {shown}")
        self.import_case(self.th, "P-5", place_of_stay="shelter")
        check("she is detained" not in self.th.command("show", "P-5").stdout, "the warning stays")

    def test_notices(self):
        path = os.path.join(self.world.folder, "notice.json")
        texts = [{"language": "en", "title": "Bridge closed", "text": "The first bridge is closed to handovers."},
                 {"language": "lo", "title": "ຂົວປິດ", "text": "ຂົວມິດຕະພາບ ປິດ"}]
        notice = {"subject": "GATE_CLOSED", "country": "th", "point": "TH-LA-1", "valid_from": "2026-11-20", "texts": texts}
        with open(path, "w", encoding="utf-8") as out:
            json.dump({**notice, "country": "la"}, out)
        self.refused(self.th, "notice", path, reason="its own country")
        with open(path, "w", encoding="utf-8") as out:
            json.dump(notice, out)
        self.refused(self.ngo, "notice", path, reason="focal point")
        self.say(self.th, "notice", path)
        search = ("notices", "--search", "ຂົວມິດຕະພາບ", "--lang", "lo", "--country", "th", "--current", "--json")
        self.until(lambda: self.ngo.command(*search).stdout, "the notice did not reach the NGO", self.th, self.la, self.ngo)
        self.sync(self.la2, self.la, self.ngo)
        for office in (self.th, self.la, self.la2, self.ngo):
            found = [json.loads(line) for line in office.command(*search).stdout.splitlines()]
            check(len(found) == 1 and found[0]["title"] == "ຂົວປິດ" and found[0]["exercise"], f"{office.name} has {found}")
        check(not self.la.command("notices", "--search", "Mae Sot").stdout, "a search found what is not there")

    def test_exercise(self):
        """A client that is no exercise is refused by the gateway of one, and shows nothing of it as real."""
        path = os.path.join(self.th2.home, "client.cfg")
        with open(path, encoding="utf-8") as file:
            config = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(config.replace("exercise = true", "exercise = false"))
        self.world.today, kept = None, self.world.today
        self.import_case(self.th2, "P-9")
        self.say(self.th2, "send", "P-9")
        self.until(lambda: "refused" in [line["state"] for line in self.sent(self.th2, 11)],
                   "real work was not refused by the gateway of an exercise", self.th2)
        self.world.today = kept
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        check("EXERCISE" in self.th.command("list").stdout, "the list does not say that it is an exercise")

    def test_d21_nothing_leaks(self):
        """Names and free text stand in no log, no database of a gateway, no file name, no sentence about a failure."""
        self.refused(self.th, "decline", "P-1", "--reason", "OTHER", code=77)
        marker = MARKER.encode()
        check(MARKER in self.th.command("show", "P-1").stdout, "the marker is not in the case: this test could see nothing")
        with open(self.world.gateway("th").log, "rb") as log:
            check(b" event=" in log.read(), "the log of the gateway is not where this test looks")
        for said in self.heard:
            check(MARKER not in said, f"a command said it: {said[:200]}")
        for folder, _, names in os.walk(self.world.folder):
            for name in names:
                check(MARKER not in name, f"the name of {name}")
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    with open(path, "rb") as file:
                        check(marker not in file.read(), f"it stands in {path}")


def main():
    test = Test()
    try:
        for name in ["test_d03_agreement", "test_d09_claim", "test_colleagues_know",
                     "test_d25_emergency_before_any_referral", "test_d13_exclusion", "test_d05_withdrawal", "test_d10_duties",
                     "test_notices", "test_exercise",
                     "test_d21_nothing_leaks"]:
            getattr(test, name)()
            print(f"{name} holds")
    finally:
        test.world.close()


main()
