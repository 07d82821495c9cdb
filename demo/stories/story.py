"""What a story is made of: a cast of offices in one world, acts through the real command, and the question who can read it.

    story.person("th/ngo-alpha", "LA", "ນາງ ແສງຈັນ", "Nang Sengchan")   a case, imported at that office; returns a Case
    story.act("th/focal", "send", case)                         any verb on a case; what it sends is carried to the others
    story.write("la/focal", "RISK_ASSESSMENT", case, {...})     any message, by its form; the same
    story.refused("th/focal", "process-gate", "write", ...)     the command must say no, for this reason
    story.stands(case, "cleared")                               both focal points must say so
    story.readers(case, READERS)                                every key of everybody is tried on every section
    story.timeline(case)                                        the case as both focal points see it
    story.day(30)                                               the date in thirty days
"""
import collections
import concurrent.futures
import contextlib
import csv
import datetime
import glob
import io
import json
import os
import secrets
import subprocess
import sys
import time

DEADLINE_S = 60
QUIET = "40ms"  # a sync ends when nothing moved for so long; story.carry looks whether that was enough
OFFICES = {"focal": 2, "social": 1, "verify": 1, "border": 1, "health": 1, "justice": 1, "child": 1, "ngo-alpha": 2, "ngo-beta": 1}
CLASSES = {1: "case", 2: "identity", 3: "family", 4: "health", 5: "legal", 6: "security"}
LANGUAGES = {"KH": "khm", "CN": "zho", "LA": "lao", "MM": "mya", "TH": "tha", "VN": "vie"}
PERSON = {
    "prs_Gender": "Feminine", "age_status": "adult", "vic_TraffickingStatus": "ActualVictimOfTrafficking",
    "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation", "needs": "", "con_Consent": "true",
    "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;SHARE_SECURITY;RETURN;FOLLOW_UP", "consent_given_by": "person", "urgency": "urgent",
}


class StoryFailed(Exception):
    """What was promised did not happen; the text says what and where."""


def expect(condition, text):
    if not condition:
        raise StoryFailed(text)


def day(days=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


def moment(hours=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cast:
    """Everybody: all offices of all countries with all their officers, and the reading keys of each."""

    def __init__(self, world, try_keys, clock_shift):
        self.world, self.try_keys, self.clock_shift = world, try_keys, clock_shift
        self.all = [self.office(f"{country}/{desk}", f"officer-{number + 1}") for country in world.countries
                    for desk, officers in OFFICES.items() for number in range(officers)]

    def office(self, name, officer="officer-1"):
        country, desk = name.split("/")
        return self.world.office(country, desk, officer)

    def gather(self):
        """Gateways start; everybody comes once, so that everybody has a reading key and its card goes round."""
        for country in self.world.countries:
            self.world.gateway(country, limits='clock_skew_max = "12h";').start()  # Story.later
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda office: office.command("sync", "--until-quiet", QUIET), self.all))
            list(pool.map(self.await_cards, [office for office in self.all if office.name.endswith("/focal")]))

    def await_cards(self, office):
        """Who writes must hold the cards of all who are to read; those of domestic offices stay in their country."""
        cards = len(self.all) - OFFICES["ngo-alpha"] * (len(self.world.countries) - 1)
        limit = time.monotonic() + DEADLINE_S
        while len(glob.glob(os.path.join(office.home, "trust", "card-*.der"))) < cards:
            expect(time.monotonic() < limit, f"not all key cards came to {office.name}")
            office.command("sync", "--until-quiet", QUIET)

    def keys(self):
        """{path of a reading key: officer}"""
        return {path: f"{office.name} {office.officer}" for office in self.all
                for path in glob.glob(os.path.join(office.home, "keys", "read-*.key"))}

    def officers(self, names):
        """"th/focal la/health" or "th/focal officer-2;..." as a set of officers."""
        wanted = names.split()
        return {f"{office.name} {office.officer}" for office in self.all if office.name in wanted}


class Case:
    """One person's case. Every office has a number of its own for it; here they are found by the messages in it."""

    def __init__(self, story, who, row, origin):
        self.story, self.row = story, row
        self.name = f"{row['full_name_native']} ({row['full_name_latin']})"
        self.host = f"{who.split('/')[0]}/focal"
        self.origin = f"{origin.lower()}/focal"
        self.offices = [who] + [focal for focal in (self.host, self.origin) if focal != who]
        self.number = {who: row["case_ref"]}

    def at(self, who):
        """The case's number at that office; None while it has not come there."""
        if who not in self.number:
            self.story.locate(who)
        return self.number.get(who)

    def shown(self, who):
        return self.story.json(who, "show", self.at(who))[0]

    def messages(self, who):
        return self.shown(who)["messages"]


class Story:
    taken = {}  # by office: case numbers that are known already, over all stories of the world
    arrived = {}  # by office: messages that came in

    def __init__(self, cast, number, title, control=False):
        self.cast, self.number, self.title, self.control = cast, number, title, control
        self.cases, self.clock = [], {}
        self.messages, self.sections, self.tried = 0, 0, 0
        self.day, self.moment = day, moment

    def say(self, text):
        """What people do, in plain words."""
        print(f"  {text}", flush=True)

    # --- acts ----------------------------------------------------------------------------------

    def command(self, who, *words, ok=(0,), stdin=None):
        office = self.cast.office(*who.split())
        line = [self.cast.world.referral, "-C", office.home, *words]
        result = subprocess.run(line, capture_output=True, input=stdin, text=True, timeout=120, check=False,
                                env={**os.environ, **self.clock})
        expect(result.returncode in ok,
               f"{who}: referral {' '.join(words)}: exit {result.returncode}\n{result.stderr.strip()}\n{stdin or ''}")
        return result

    def json(self, who, *words, ok=(0,), stdin=None):
        text = self.command(who, *words, "--json", ok=ok, stdin=stdin).stdout
        return json.loads(text) if text.strip() else {}

    def persons(self, who, origin, people, **columns):
        """Cases of several people, imported at that office as one file."""
        host = who.split("/")[0].upper()
        first = len(self.cases) + 1
        rows = [{"case_ref": f"S{self.number:02}-{first + at}", "host_country": host, "origin_country": origin,
                 "full_name_native": native, "full_name_latin": latin, "prs_PrimaryLanguage": LANGUAGES[origin],
                 "prs_Citizenship": origin, **PERSON, "consent_expires": day(150), **columns} for at, (native, latin) in enumerate(people)]
        self.import_rows(who, rows)
        cases = [Case(self, who, row, origin) for row in rows]
        self.cases += cases
        return cases

    def import_rows(self, who, rows):
        self.cast.await_cards(self.cast.office(*who.split()))
        table = io.StringIO()
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        self.command(who, "import", "-", stdin=table.getvalue())

    def person(self, who, origin, native, latin, **columns):
        return self.persons(who, origin, [(native, latin)], **columns)[0]

    def amend(self, case, **columns):
        """The same row again, mended; only before it was sent."""
        case.row.update(columns)
        self.import_rows(case.offices[0], [case.row])

    def locate(self, who):
        """Finds this story's cases among those of an office, by the messages in them."""
        taken = self.taken.setdefault(who, set())
        new = [found["id"] for found in self.json(who, "list") if found["id"] not in taken]
        there = self.json(who, "show", *new) if new else []
        for office in {office for case in self.cases for office in case.number}:
            ours = [case for case in self.cases if office in case.number and who not in case.number]
            here = self.json(office, "show", *(case.number[office] for case in ours)) if ours else []
            for case, mine in zip(ours, here):
                known = {message["id"] for message in mine["messages"]}
                for theirs in there:
                    if known & {message["id"] for message in theirs["messages"]}:
                        case.number[who] = theirs["id"]
                        taken.add(theirs["id"])

    def act(self, who, verb, *cases, words=()):
        """A verb on one or many cases; `words` go behind."""
        self.command(who, verb, *(case.at(who.split()[0]) for case in cases), *words)
        self.carry(cases[0], who)

    def write(self, who, kind, case, form=None, *words, carry=True):
        """One message by its form; returns its id. What the library knows it fills in itself."""
        text = json.dumps(form or {}, ensure_ascii=False)
        told = self.json(who, "write", kind, case.at(who.split()[0]), "-", *words, stdin=text)
        if carry:
            self.carry(case, who)
        return told["message"]

    def write_all(self, who, kind, cases, form=None, *words, carry=True, refused=None):
        """The same form in the cases of many people, each in a message of her own; `refused`: {case: reason}, and nobody else is."""
        numbers = {case.at(who): case for case in cases}
        told = self.command(who, "write", kind, *numbers, "-", *words, "--json", ok=range(256), stdin=json.dumps(form or {}, ensure_ascii=False))
        written = {line["case"] for line in json.loads(told.stdout)}
        for number, case in numbers.items():
            reason = (refused or {}).get(case)
            expect((number in written) == (reason is None), f"{who}: {kind} for {case.name}: {told.stderr.strip()}")
            said = next((line for line in told.stderr.splitlines() if line.startswith(number)), "")
            expect(reason is None or reason in said, f"{who}: {kind} for {case.name} should be refused with {reason}, said: {said}")
            if reason:
                self.say(f"    refused for {case.name}: {said.partition('referral: ')[2]}")
        self.say(f"    {kind.lower().replace('_', ' ')}: {len(written)} of {len(cases)}")
        if carry:
            self.carry(cases[0], who)

    def refused(self, who, reason, verb, *words, form=None):
        """The command must say no, for this reason, and nothing leaves."""
        words = [word.at(who.split()[0]) if isinstance(word, Case) else word for word in words]
        stdin = None
        if form is not None:
            words, stdin = [*words, "-"], json.dumps(form, ensure_ascii=False)
        said = self.command(who, verb, *words, ok=range(1, 256), stdin=stdin).stderr
        expect(reason in said, f"{who}: referral {verb} {' '.join(words)} should be refused with {reason}, said: {said.strip()}")
        self.say(f"    refused: {said.strip().splitlines()[-1].removeprefix('referral: ')}")

    @contextlib.contextmanager
    def later(self, hours):
        """Within, the clocks of all offices say so; the gateways' do not, they have other cases."""
        self.clock = {"LD_PRELOAD": self.cast.clock_shift, "RG_CLOCK_SHIFT_S": str(int(hours * 3600))}
        yield
        self.clock = {}

    # --- carrying ------------------------------------------------------------------------------

    def sync(self, who):
        return self.json(who, "sync", "--until-quiet", QUIET)

    def carry(self, case, who, *to):
        """What `who` has written goes to its addressees, and what these answer by themselves comes back at the next call."""
        self.hand_over(who)
        sent = [line for line in self.journal(who) if line["dir"] == "out" and line["state"] == "received"]
        for other in to or case.offices:
            wanted = {line["id"] for line in sent if line["to"] == other.split()[0]}
            if other != who and wanted - self.arrived.setdefault(other, set()):
                self.fetch(other, wanted)

    def hand_over(self, who):
        """Until the other gateway has what this office has written."""
        limit = time.monotonic() + DEADLINE_S
        while True:
            moved = self.sync(who)
            expect(moved["refused"] == 0, f"{who}: a gateway has refused {moved['refused']} of its messages")
            if moved["waiting"] == 0 and moved["unproven"] == 0:
                return
            expect(time.monotonic() < limit, f"{who}: {moved['waiting'] + moved['unproven']} messages do not get through")

    def fetch(self, who, wanted):
        """Until these messages are here."""
        limit = time.monotonic() + DEADLINE_S
        while True:
            self.sync(who)
            self.arrived[who] |= {line["id"] for line in self.journal(who) if line["dir"] == "in"}
            missing = wanted - self.arrived[who]
            if not missing:
                return
            expect(time.monotonic() < limit, f"{who}: {len(missing)} messages do not come")

    def journal(self, who):
        return [json.loads(line) for line in self.command(who, "journal", "--json").stdout.splitlines() if line.strip()]

    def settle(self, *offices):
        """Everybody syncs until nothing moves any more."""
        limit = time.monotonic() + DEADLINE_S
        while True:
            moved = [self.sync(office) for office in offices]
            if not any(one["submitted"] + one["delivered"] + one["received"] + one["waiting"] + one["unproven"] for one in moved):
                return
            expect(time.monotonic() < limit, f"{', '.join(offices)}: they do not come to rest")

    # --- what must hold --------------------------------------------------------------------------

    def stands(self, case, state, *offices):
        """Both focal points, or the offices named, must say so."""
        for office in offices or (case.host, case.origin):
            found = case.at(office) and case.shown(office)["state"]
            if found != state:
                self.settle(*offices or (case.host, case.origin))
                found = case.at(office) and case.shown(office)["state"]
            expect(found == state, f"{office}: the case is {found}, should be {state}; {self.voids(case, office)}")

    def stand(self, cases, state, *offices):
        """The same of many cases."""
        for office in offices:
            for settled in (False, True):
                found = {line["id"]: line["state"] for line in self.json(office, "list")}
                found.update({line["case_ref"]: line["state"] for line in self.json(office, "list") if line["case_ref"]})
                wrong = collections.Counter(found[case.at(office)] for case in cases if found[case.at(office)] != state)
                if wrong and not settled:
                    self.settle(*offices)
            expect(not wrong, f"{office}: should be {state}, but {dict(wrong)}")

    def voids(self, case, office):
        """For whoever looks for the reason."""
        shown = case.shown(office) if case.at(office) else {"timeline": [], "notes": []}
        void = [f"{event['kind']} void: {event['void']}" for event in shown["timeline"] if event.get("void")]
        return "; ".join(void + [note["id"] for note in shown["notes"]])

    def gate(self, who, case, *missing):
        """What stands against a departure must be exactly this."""
        found = {row["id"] for row in self.json(who, "gate", case.at(who))["missing"]}
        expect(found == set(missing), f"{who}: the gate misses {sorted(found)}, should miss {sorted(missing)}")
        if missing:
            self.say(f"    the gate is shut: {', '.join(missing)}")

    @staticmethod
    def check(condition, text):
        expect(condition, text)

    def waits(self, who, case, words):
        found = case.shown(who)["waiting_for"] or ""
        expect(words in found, f"{who}: the case waits for {found}")

    def withheld(self, who, case, kind, classes):
        """That office sees that these parts exist, and cannot open them."""
        found = [event["withheld"] for event in case.shown(who)["timeline"] if event["kind"] == kind]
        expect(found == [classes], f"{who}: withheld of {kind}: {found}")

    def reads(self, who, case, words):
        """That office can read these words in some section of the case."""
        texts = [self.command(who, "section", message["id"], str(number + 1), "--text", ok=range(256)).stdout
                 for message in case.messages(who) for number in range(message["sections"])]
        expect(any(words in text for text in texts), f"{who} cannot read {words}: {texts}")

    def knows_name(self, who, case, native):
        found = case.shown(who)["name_native"]
        expect(found == native, f"{who}: knows the name as {found}")

    def readers(self, *cases, table):
        """table: {"th/focal > la/focal": {"case": "th/focal la/focal ...", "identity": ...}}: who must be able to open a section of
        this class that goes this way. An office means all its officers. "health wrapper" is a section that only carries another author's,
        "health inside" what it carries: it keeps the readers that its author gave it. "REFERRAL_ACCEPT case" is of this kind only.
        Every key of everybody is tried on every section of every message that any office of the case holds."""
        sealed = self.sealed(cases)
        keys = self.cast.keys()
        opened = self.who_opens(sealed, keys)
        self.judge(opened, table, keys.values())
        if self.control:
            self.tampered(opened, table, sealed, keys)
        self.say(f"who could read what: {len(opened)} sections, {len(keys)} keys of {len(self.cast.all)} officers, as the table says")

    def sealed(self, cases):
        """{(way, message id, kind, section): path of its DER}"""
        found, counted = {}, set()
        for case in cases:
            for office in case.offices:
                if not case.at(office):
                    continue
                folder = os.path.join(self.cast.world.folder, "sealed", secrets.token_hex(4))
                os.makedirs(folder)
                self.command(office, "section", case.at(office), "--sealed", "--output", folder)
                at = 0
                for message in case.messages(office):
                    for number in range(1, message["sections"] + 1):
                        at += 1
                        path = os.path.join(folder, f"{at}.der")
                        if os.path.exists(path):  # not where the office has erased it
                            found.setdefault((f"{message['from']} > {message['to']}", message["id"], message["kind"], number), path)
                    counted.add(message["id"])
        self.messages += len(counted)
        return found

    def who_opens(self, sealed, keys):
        """{(way, message id, kind, section, ">" for each wrapper): (class, {officers})}"""
        paths = {path: name for name, path in sealed.items()}
        opened = {(*name, ""): ("unopened", set()) for name in sealed}
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            halves = [list(paths)[0::2], list(paths)[1::2]]
            lines = [line for out in pool.map(lambda half: self.try_keys(half, keys), halves) for line in out]
        for line in lines:
            path, key, number, kind = line.split("\t")
            name = (*paths[path.rstrip(">")], ">" * path.count(">"))
            what = CLASSES[int(number)] + (" inside" if name[-1] else "") + (" wrapper" if kind == "wrapper" else "")
            opened[name] = (what, opened.get(name, ("", set()))[1] | {keys[key]})
        self.sections += len(opened)
        return opened

    def try_keys(self, paths, keys):
        return subprocess.run([self.cast.try_keys, *keys], input="\n".join(paths), capture_output=True, text=True,
                              check=True).stdout.splitlines()

    def judge(self, opened, table, officers):
        met, wrong = set(), []
        for (way, _, kind, _, depth), (class_, found) in opened.items():
            row = table.get(way, {})
            class_ = f"{kind} {class_}" if f"{kind} {class_}" in row else class_
            expected = row.get(class_)
            met.add((way, class_))
            if expected is None:
                wrong.append(f"{kind}, {way}: nobody has said who may read {class_}; {sorted(found)} could")
                continue
            expected = self.cast.officers(expected)
            if found != expected:
                wrong.append(f"{kind}{depth}, {way}, {class_}: surplus {sorted(found - expected)}, missing {sorted(expected - found)}")
        wrong += [f"{way}: no {class_} section was there" for way, row in table.items() for class_ in row if (way, class_) not in met]
        expect(set(officers) == {f"{office.name} {office.officer}" for office in self.cast.all}, "somebody has no reading key")
        expect(not wrong, "\n".join(collections.Counter(wrong)))

    def tampered(self, opened, table, sealed, keys):
        """The control: a reader too few, a reader too many, a key too many. Each must be seen."""
        way, row = next((way, row) for way, row in table.items() if len(row) > 1)
        less = {**table, way: {**row, "case": " ".join(row["case"].split()[1:])}}
        more = {**table, way: {**row, "case": row["case"] + " nz/border"}}
        stranger = next(path for path, name in keys.items() if name == "nz/border officer-1")
        reader = next(path for path, name in keys.items() if name.startswith(row["case"].split()[0]))
        given = {**keys, stranger: keys[reader], reader: keys[stranger]}
        one = {name: path for name, path in sealed.items() if name[0] == way}
        for what, tried, expected in (("a reader too few in the table", opened, less), ("a reader too many in the table", opened, more),
                                      ("a key in the wrong hands", {**opened, **self.who_opens(one, given)}, table)):
            try:
                self.judge(tried, expected, keys.values())
            except StoryFailed:
                continue
            raise StoryFailed(f"control: {what}, and nothing was seen")
        self.say("control: a reader too few, a reader too many and a key in the wrong hands were each seen")

    # --- showing -------------------------------------------------------------------------------

    def timeline(self, case, *offices):
        """The case as the focal points, or the offices named, see it; colours only where `referral` finds a terminal."""
        for office in offices or (case.host, case.origin):
            print(f"\n  --- as {office} sees it", flush=True)
            home = self.cast.office(*office.split()).home
            subprocess.run([self.cast.world.referral, "-C", home, "show", case.at(office)], check=True, stdout=sys.stdout.fileno())
        print(flush=True)
