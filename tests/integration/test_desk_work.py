#!/usr/bin/env python3
"""Drafts of desks and NGOs, alerts that cross at once, two officers' signatures, a third country: real gateways, the real command.

usage: test_desk_work.py BUILD-FOLDER
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
    "host_country": "TH", "origin_country": "LA", "full_name_native": "ນາງ ຄຳ", "full_name_latin": "Nang Kham", "prs_Gender": "Feminine",
    "age_status": "adult", "prs_PrimaryLanguage": "lao", "prs_Citizenship": "LA", "vic_TraffickingStatus": "ActualVictimOfTrafficking",
    "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation", "needs": "", "con_Consent": "true", "consent_given_by": "person",
    "consent_expires": day(170), "urgency": "routine", "referral_reason": "RETURN",
    "consent_scopes": "NOTIFY_ORIGIN;SHARE_IDENTITY;TRACE_FAMILY;SHARE_HEALTH;SHARE_SECURITY;RETURN;FOLLOW_UP;ONWARD_THIRD_COUNTRY",
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Work:
    def __init__(self):
        self.world = World(BUILD, ["th", "la", "vn"], deadline_s=DEADLINE_S, desks=True)
        office = self.world.office
        self.th, self.th2 = office("th", "focal", "officer-1"), office("th", "focal", "officer-2")
        self.la, self.vn = office("la", "focal", "officer-1"), office("vn", "focal", "officer-1")
        self.verify, self.la_health = office("la", "verify", "officer-1"), office("la", "health", "officer-1")
        self.health_desk, self.ngo = office("th", "health", "officer-1"), office("th", "ngo-beta", "officer-1")
        self.shelter = office("th", "ngo-alpha", "officer-1")  # never crosses a border
        self.everyone = list(self.world.offices.values())

    @staticmethod
    def sync(*offices):
        for office in offices:
            office.command("sync", "--until-quiet", "150ms")

    @staticmethod
    def write(office, kind, name, *sets, extra=(), ok=(0,)):
        words = [word for value in sets for word in ("--set", value)]
        return office.json("write", str(kind), name, *words, *extra, ok=ok)

    def wait(self, what, offices, text):
        limit = time.monotonic() + DEADLINE_S
        while not (found := what()):
            check(time.monotonic() < limit, text)
            self.sync(*offices)
        return found

    @staticmethod
    def messages(office, name=None):
        cases = [name] if name else [case["id"] for case in office.json("list")]
        return [message for case in cases for message in office.json("show", case)[0]["messages"]]

    def got(self, office, kind, offices, name=None):
        """The message of that kind, once it is there."""
        return self.wait(lambda: next((m for m in self.messages(office, name) if m["kind_number"] == kind), None), offices,
                         f"{office.name}: no message of kind {kind}")

    def table(self, office, **changes):
        path = os.path.join(self.world.folder, f"{changes['case_ref'].replace('/', '-')}.csv")
        with open(path, "w", encoding="utf-8", newline="") as out:
            row = {**PERSON, **changes}
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
            writer.writerow(row)
        office.command("import", path)

    # --- the steps ------------------------------------------------------------------------

    def begin(self):
        for country in self.world.countries:
            self.world.gateway(country).start()
        for _ in range(3):
            self.sync(*self.everyone)

    def refer(self):
        self.table(self.ngo, case_ref="N-1")
        self.ngo.command("send", "N-1")
        mine = self.wait(lambda: [c for c in self.th.json("list") if c["state"] == "ready"], [self.ngo, self.th], "no proposal")
        self.case = mine[0]["id"]
        self.th.command("forward", self.case)
        there = self.wait(lambda: self.la.json("list"), [self.th, self.la], "no request")
        self.there = there[0]["id"]
        self.la.command("accept", self.there)
        self.got(self.la, 17, [self.la, self.th])
        self.wait(lambda: [c for c in self.ngo.json("list") if c["state"] == "accepted"], [self.th, self.ngo], "the NGO hears of the accept")

    def desk_abroad(self):
        """The verification desk reads the request that its focal point hands it, and answers through it."""
        self.write(self.th, 30, self.case)
        asked = self.got(self.la, 30, [self.th, self.la])
        self.la.command("assign", asked["id"], "--to", "la/verify")
        self.got(self.verify, 30, [self.la, self.verify])
        name = self.verify.json("list")[0]["id"]
        told = self.write(self.verify, 31, name, "result=CONFIRMED", f"valid_to={day(100)}", "basis=register of 2001")
        check(told["state"] == "draft", told)
        draft = self.wait(lambda: self.la.json("drafts"), [self.verify, self.la], "no draft")
        self.la.command("forward", draft[0]["message"])
        check(self.la.json("drafts") == [], "a forwarded draft still waits")
        self.la.command("forward", draft[0]["message"], ok=(77,))
        self.got(self.th, 31, [self.la, self.th])

    def health_summary(self):
        """What only the health desks may read: written at one, read at the other."""
        details = next(m for m in self.messages(self.th, self.case) if m["kind_number"] == 17)
        self.th.command("assign", details["id"], "--to", "th/health")
        self.wait(lambda: self.health_desk.json("list"), [self.th, self.health_desk], "nothing for the health desk")
        name = self.health_desk.json("list")[0]["id"]
        shown = self.health_desk.command("show", name).stdout
        check("not for this officer" in shown and "erased" not in shown, shown)
        self.write(self.health_desk, 39, name, "fit_to_travel=CONDITIONS", f"valid_to={day(60)}", "conditions=only by day", "medicine_days=20")
        draft = self.wait(lambda: self.th.json("drafts"), [self.health_desk, self.th], "no draft of the health desk")
        self.th.command("forward", draft[0]["message"])
        sent = next(m for m in self.messages(self.th, self.case) if m["kind_number"] == 39)
        check("only by day" not in self.th.command("section", sent["id"], "2", "--text", ok=(0, 64, 77)).stdout, "the focal point reads health")
        self.got(self.la, 39, [self.th, self.la])
        read = self.got(self.la_health, 39, [self.la, self.la_health])
        check("only by day" in self.la_health.command("section", read["id"], "1", "--text").stdout, "the health desk abroad reads it")

    def alert(self):
        """An NGO for emergencies writes straight abroad; both gates shut at once, and the focal point passes it on."""
        told = self.write(self.ngo, 52, "N-1", "state=OPEN", "kind=THREAT", "urgency=urgent", "asked=Somebody waits at the gate")
        check(told["state"] == "waiting" and told["to"] == "la/focal", told)
        self.wait(lambda: "hold" in str(self.la.json("gate", self.there)) or "concern" in str(self.la.json("gate", self.there)),
                  [self.ngo, self.la], "the alert did not arrive")
        relayed = self.wait(lambda: [m for m in self.messages(self.th, self.case) if m["kind_number"] == 52 and m["from"] == "th/focal"],
                            [self.th], "the focal point did not pass it on")
        self.wait(lambda: [m for m in self.messages(self.la, self.there) if m["id"] == relayed[0]["id"]], [self.th, self.la], "not relayed")

    def shelter_withdraws(self):
        """A shelter that never crosses a border: what she takes back waits for nobody at the focal point."""
        self.table(self.shelter, case_ref="W-1")
        self.shelter.command("send", "W-1")
        mine = self.wait(lambda: [c for c in self.th.json("list") if c["state"] == "ready"], [self.shelter, self.th], "no proposal")
        known = {c["id"] for c in self.la.json("list")}
        self.th.command("forward", mine[0]["id"])
        there = self.wait(lambda: [c for c in self.la.json("list") if c["id"] not in known], [self.th, self.la], "no request")
        self.la.command("accept", there[0]["id"])
        self.wait(lambda: [c for c in self.shelter.json("list") if c["state"] == "accepted"], [self.la, self.th, self.shelter], "no word of the accept")
        told = self.write(self.shelter, 21, "W-1", "scopes=RETURN", "wants_erasure=false", f"effective={moment(0)}", "said_by=person")
        check(told["state"] == "waiting" and told["to"] == "th/focal", told)
        for office, case in ((self.th, mine[0]), (self.la, there[0])):
            self.wait(lambda office=office, case=case: office.json("show", case["id"])[0]["state"] == "suspended",
                      [self.shelter, self.th, self.la], f"{office.name}: it does not stop")

    def emergency(self):
        """Two officers sign; the second one sends it."""
        self.table(self.th, case_ref="E-1")
        sets = ("reason=LIFE_DANGER", "skipped=NATIONALITY;RISK_HOST;RISK_ORIGIN", "basis=VITAL_INTEREST", "age=ADULT", "point=TH-LA-1",
                f"eta={moment(2)}")
        told = self.write(self.th, 49, "E-1", *sets, extra=("--vital", "Armed men came to the shelter tonight and asked for her."))
        check(told["state"] == "countersign", told)
        self.sync(self.th2)
        waiting = self.wait(lambda: self.th2.json("drafts"), [self.th, self.th2], "nothing to countersign")
        check([one["kind"] for one in waiting] == ["COUNTERSIGN_REQUEST"], waiting)  # what a colleague has forwarded waits no more
        shown = self.th2.command("countersign", waiting[0]["message"]).stdout
        check("EMERGENCY_RETURN" in shown and "Nothing is signed yet" in shown, shown)
        check(len(self.th2.json("drafts")) == len(waiting), "a look signs nothing")
        self.th2.command("countersign", waiting[0]["message"], "--sign")
        self.got(self.la, 49, [self.th2, self.th, self.la])
        states = {c["state"] for c in self.la.json("list")}
        check("in_transit" in states, states)

    def onward(self):
        """A third country, and the origin hears nothing of it."""
        self.table(self.th, case_ref="P-1")
        before = len(self.messages(self.la))
        told = self.write(self.th, 70, "P-1", "purpose=RESETTLEMENT", "origin_excluded=true", extra=("--to", "vn/focal"))
        check(told["to"] == "vn/focal", told)
        self.got(self.vn, 70, [self.th, self.vn])
        there = self.vn.json("list")[0]["id"]
        self.write(self.vn, 71, there, "answer=ACCEPTED")
        self.got(self.th, 71, [self.vn, self.th], "P-1/vn")
        self.sync(self.la)
        check(len(self.messages(self.la)) == before, "the country of origin heard of it")

    def elsewhere(self):
        """Declined, then referred to another country: a new case, nobody there can tell that it is the same."""
        self.table(self.th, case_ref="D-1", prs_Citizenship="LA;VN")
        known = {c["id"] for c in self.la.json("list")}
        self.th.command("send", "D-1")
        asked = self.wait(lambda: [c["id"] for c in self.la.json("list") if c["id"] not in known], [self.th, self.la], "no request")
        self.th.command("redirect", "D-1", "--to", "vn", ok=(77,))
        self.la.command("decline", asked[0], "--reason", "NOT_OUR_NATIONAL")
        self.wait(lambda: [c for c in self.th.json("list") if c["case_ref"] == "D-1" and c["state"] == "declined"], [self.la, self.th], "not declined")
        again = self.th.json("redirect", "D-1", "--to", "vn")["case"]
        known = {c["id"] for c in self.vn.json("list")}
        told = self.th.command("send", again, ok=(77,))  # she agreed to the first country, not to this one
        check("consent-refused" in told.stderr, told.stderr)
        self.table(self.th, case_ref="D-1/vn", origin_country="VN", prs_Citizenship="LA;VN")
        self.th.command("send", again)
        self.wait(lambda: [c for c in self.vn.json("list") if c["id"] not in known], [self.th, self.vn], "not referred elsewhere")

    def late(self):
        """Recognised only at home: the country of origin asks the one she was in."""
        self.table(self.la, case_ref="L-1", referral_reason="LATE_IDENTIFICATION")
        known = {c["id"] for c in self.th.json("list")}
        self.la.command("send", "L-1")
        asked = self.wait(lambda: [c for c in self.th.json("list") if c["id"] not in known], [self.la, self.th], "no late request")
        check(asked[0]["side"] == "host" and asked[0]["from"] == "th", asked)
        self.th.command("accept", asked[0]["id"])
        self.got(self.th, 17, [self.th, self.la], asked[0]["id"])

    def notice(self):
        """Public, to everybody."""
        self.th.command("write", "4", "all", "--set", "subject=GATE_CLOSED", "--set", "country=th", "--set", "point=TH-KH-1", "--set",
                        f"valid_from={day(0)}", "--set", "texts.0.language=en", "--set", "texts.0.title=Gate closed", "--set",
                        "texts.0.text=Closed until further notice.")
        for office in (self.la, self.vn, self.health_desk):
            self.wait(lambda office=office: office.json("notices"), [self.th, office], f"{office.name}: no notice")

    def run(self):
        for step in (self.begin, self.refer, self.desk_abroad, self.health_summary, self.alert, self.shelter_withdraws, self.emergency, self.onward, self.elsewhere, self.late,
                     self.notice):
            started = time.monotonic()
            step()
            print(f"{time.monotonic() - started:6.1f} s  {step.__name__}", flush=True)


def main():
    work = Work()
    try:
        work.run()
    finally:
        work.world.close()


main()
