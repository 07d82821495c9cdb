#!/usr/bin/env python3
"""The whole way of one return, message by message, through real gateways and the real command; and a withdrawal in the middle.

Asks after each message that both offices say the same state, and at the end that a withdrawal took out what still waited.

usage: test_process.py BUILD-FOLDER
"""
import csv
import datetime
import os
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

DEADLINE_S = 90
DAY = datetime.datetime.now(datetime.timezone.utc).date()


def day(offset):
    return str(DAY + datetime.timedelta(days=offset))


def moment(hours):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


PERSON = {
    "host_country": "TH", "origin_country": "LA", "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "lao",
    "prs_Citizenship": "LA", "prs_Birthdate": "1999-04-02", "home_district": "Pakse", "mother_name": "ນາງ ຄຳ", "home_village": "Ban Nong",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation", "needs": "",
    "con_Consent": "true", "consent_given_by": "person", "consent_expires": day(170), "urgency": "routine",
    "consent_scopes": "NOTIFY_ORIGIN;SHARE_IDENTITY;TRACE_FAMILY;SHARE_HEALTH;SHARE_SECURITY;RETURN;FOLLOW_UP",
}
CONSENT = ["scopes=NOTIFY_ORIGIN;SHARE_IDENTITY;TRACE_FAMILY;SHARE_SECURITY;RETURN;FOLLOW_UP", "purpose=RETURN", "countries=la;th",
           "classes=CASE;IDENTITY;FAMILY;SECURITY", "given_by=person", "method=written", "language=lo", "interpreter=false",
           "informed=INTERVIEW;PURPOSE;USE;RESEARCH;OWN_DATA;RETENTION;WITHDRAWAL", f"given_on={day(0)}", f"expires_on={day(160)}",
           "evidence_ref=paper-1"]
RISK = ["verdict=SAFE", f"valid_to={day(60)}", "areas.0.area=TRAFFICKER", "areas.0.level=LOW"]
HANDOVER = ["point=TH-LA-1", f"window_from={moment(1)}", f"window_to={moment(6)}", "persons=1", "escorts=1", "vehicle=CAR"]


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Path:
    def __init__(self):
        self.world = World(BUILD, ["th", "la"], deadline_s=DEADLINE_S)
        self.th = self.world.office("th", "focal", "officer-1")
        self.la = self.world.office("la", "focal", "officer-1")
        self.there = {}

    def sync(self, *offices):
        for office in offices or (self.th, self.la):
            office.command("sync", "--until-quiet", "150ms")

    def state(self, office, name):
        found = [case for case in office.json("list") if case["id"] == name or case["case_ref"] == name]
        check(len(found) == 1, f"{office.name}: {len(found)} cases {name}")
        return found[0]["state"]

    def case(self, name):
        """Its name in both offices."""
        return {self.th: name, self.la: self.there[name]}

    def say(self, office, kind, name, *sets, until, extra=()):
        """One message; then both say the state `until`."""
        words = [word for value in sets for word in ("--set", value)]
        self.agree(name, until, office.json("write", str(kind), self.case(name)[office], *words, *extra)["message"])

    def has(self, office, name, message):
        return any(m["id"] == message for m in office.json("show", self.case(name)[office])[0]["messages"])

    def agree(self, name, until, message=None):
        """Both have the message and say the same state."""
        limit = time.monotonic() + DEADLINE_S
        while True:
            self.sync()
            states = [self.state(office, case) for office, case in self.case(name).items()]
            if states == [until, until] and (message is None or all(self.has(office, name, message) for office in self.case(name))):
                return
            check(time.monotonic() < limit, f"{name}: wanted {until}, but {states}\n{self.told(name)}")

    def told(self, name):
        return "\n".join(office.command("show", case).stdout for office, case in self.case(name).items())

    def refer(self, name):
        """11, 12, 17: request, accept, details by themselves."""
        path = os.path.join(self.world.folder, name + ".csv")
        row = {"case_ref": name, "full_name_native": "ບຸນມີ ແກ້ວ", "full_name_latin": "Bounmy Keo", **PERSON}
        with open(path, "w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
            writer.writerow(row)
        known = {case["id"] for case in self.la.json("list")}
        self.th.command("import", path)
        self.th.command("send", name)
        limit = time.monotonic() + DEADLINE_S
        while not (fresh := [case["id"] for case in self.la.json("list") if case["id"] not in known]):
            check(time.monotonic() < limit, "the request did not arrive")
            self.sync()
        self.there[name] = fresh[0]
        self.la.command("accept", fresh[0])
        self.agree(name, "identity_released")

    def checks(self, name, last="cleared"):
        """Everything between the accept and a true gate."""
        th, la, say = self.th, self.la, self.say
        say(th, 20, name, *CONSENT, until="identity_released")
        say(th, 30, name, until="identity_released")
        say(la, 31, name, "result=CONFIRMED", f"valid_to={day(150)}", until="identity_released")
        say(th, 32, name, "tell=She is well", "tell_not=Where she was", "danger=NONE_KNOWN", until="identity_released")
        say(la, 33, name, "result=FOUND", "found.0.name=ນາງ ຄຳ", "found.0.relation=MOTHER", "found.0.told=false", until="identity_released")
        say(la, 34, name, "recommendation=RETURN_HOME", f"visited_on={day(0)}", "willing=YES", "relative_involved=NO", "violence=NO",
            until="identity_released")
        say(th, 37, name, "point=TH-LA-1", "photo_ref=photo-1", until="identity_released")
        say(la, 38, name, "result=LIST_ENTRY", f"valid_to={day(100)}", "list_ref=17", until="identity_released")
        say(th, 35, name, *RISK, until="identity_released")
        told = th.json("gate", name)
        check(not told["open"] and "risk-origin" in [row["id"] for row in told["missing"]], told)
        say(la, 35, name, *RISK, until=last)

    # --- the steps ------------------------------------------------------------------------

    def begin(self):
        for country in self.world.countries:
            self.world.gateway(country).start()
        self.sync()
        self.sync()

    def straight(self):
        th, la, say, name = self.th, self.la, self.say, "TH-1"
        self.refer(name)
        told = th.command("write", "40", name, *[w for v in HANDOVER for w in ("--set", v)], ok=(77,))
        check("process" in told.stderr, told.stderr)
        self.checks(name)
        say(th, 40, name, *HANDOVER, until="cleared")
        say(la, 41, name, "answer=ACCEPT", "care_desk=la/focal", "officers=referral://la/focal/officer-1", until="scheduled")
        check(th.json("gate", name) == {"open": True, "missing": []}, th.json("gate", name))
        say(th, 44, name, f"eta={moment(2)}", "point=TH-LA-1", "persons=1", until="in_transit")
        say(th, 45, name, "outcome=PRESENT", "point=TH-LA-1", "belongings=ALL", "documents=PASSED", "medicine=NOT_NEEDED", until="handed_over")
        say(la, 46, name, "received=true", "care_desk=la/focal", until="received")
        say(la, 50, name, "goals.0.type=Livelihood", "goals.0.objective=a workshop", "goals.0.provider=ORGANISATION", f"goals.0.starts={day(7)}",
            f"first_visit={day(30)}", until="reintegrating")
        say(la, 51, name, "due_no=1", f"visited_on={day(0)}", "seen=true", "safe=YES", "occupied=WORK", "contact_wanted=false",
            until="reintegrating")
        say(la, 53, name, "status=Closed", "reason=REINTEGRATED", until="reintegrating")
        say(th, 54, name, "answer=AGREE", until="closed")
        kinds = [m["kind_number"] for m in la.json("show", self.there[name])[0]["messages"] if m["kind_number"] != 18]
        check(kinds == [11, 12, 17, 20, 30, 31, 32, 33, 34, 37, 38, 35, 35, 40, 41, 44, 45, 46, 50, 51, 53, 54], kinds)
        named = la.json("show", self.there[name])[0]["name_native"]
        th.command("write", "82", name, "--set", "classes=IDENTITY;FAMILY", "--set", "reason=RETENTION")
        limit = time.monotonic() + DEADLINE_S
        while 83 not in [m["kind_number"] for m in th.json("show", name)[0]["messages"]]:
            check(time.monotonic() < limit, "no answer to the order to erase")
            self.sync()
        # She is in their care: what was sent goes, their own record of her is theirs to end.
        details = [m for m in la.json("show", self.there[name])[0]["messages"] if m["kind_number"] == 17][0]
        la.command("section", details["id"], "2", "--text", ok=(77,))
        check(named and la.json("show", self.there[name])[0]["name_native"] == named, "the record of who looks after her is gone")

    def odd_forms(self):
        """A form that is not there, not JSON, no object, or says a thing twice: refused, in words, and nothing is written."""
        before = len(self.th.json("show", "TH-1")[0]["messages"])
        for text, wanted in ((None, "No such file"), ("{broken", "line 1"), ("[]", "no object"), ('{"verdict":"SAFE","verdict":"NOT_SAFE"}', "duplicate")):
            path = os.path.join(self.world.folder, "form.json")
            if text is not None:
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            told = self.th.command("write", "35", "TH-1", path, ok=(65,)).stderr
            check(wanted in told and "line -1" not in told, told)
        check(len(self.th.json("show", "TH-1")[0]["messages"]) == before, "something was written")

    def withdrawn(self):
        """She changes her mind while the handover is agreed: at once, also without a gateway; what waited does not go."""
        th, la, say, name = self.th, self.la, self.say, "TH-2"
        self.refer(name)
        self.checks(name)
        say(th, 40, name, *HANDOVER, until="cleared")
        say(la, 41, name, "answer=ACCEPT", "care_desk=la/focal", "officers=referral://la/focal/officer-1", until="scheduled")
        self.world.gateway("th").kill()
        th.command("write", "44", name, "--set", f"eta={moment(2)}", "--set", "point=TH-LA-1", "--set", "persons=1")
        check(self.state(th, name) == "in_transit", "she has left")
        th.command("write", "21", name, "--set", "scopes=RETURN", "--set", "wants_erasure=false", "--set", f"effective={moment(0)}",
                   "--set", "said_by=person")
        check(self.state(th, name) == "suspended", self.state(th, name))
        states = {m["kind_number"]: m["state"] for m in th.json("show", name)[0]["messages"] if m["from"] == "th/focal"}
        check(states[44] == "withdrawn" and states[21] == "waiting", states)
        for kind, sets in ((40, HANDOVER), (44, [f"eta={moment(2)}", "point=TH-LA-1", "persons=1"])):
            told = th.command("write", str(kind), name, *[w for v in sets for w in ("--set", v)], ok=(77,))
            check(told.returncode == 77, told.stderr)
        self.world.gateway("th").start()
        self.agree(name, "suspended")
        limit = time.monotonic() + DEADLINE_S
        while 22 not in [m["kind_number"] for m in th.json("show", name)[0]["messages"]]:
            check(time.monotonic() < limit, "no acknowledgement of the withdrawal")
            self.sync()
        check(44 not in [m["kind_number"] for m in la.json("show", self.there[name])[0]["messages"]], "what was withdrawn went after all")

    def run(self):
        for step in (self.begin, self.straight, self.odd_forms, self.withdrawn):
            started = time.monotonic()
            step()
            print(f"{time.monotonic() - started:6.1f} s  {step.__name__}", flush=True)


def main():
    path = Path()
    try:
        path.run()
    finally:
        path.world.close()


main()
