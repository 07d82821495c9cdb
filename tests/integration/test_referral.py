#!/usr/bin/env python3
"""The first referral crosses the border: two countries, two officers in each office, an NGO, real gateways, the real command.

Walks the whole path once and asks at its end, of every file that the gateways and clients have written, whether a name stands in it.

usage: test_referral.py BUILD-FOLDER
"""
import csv
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

DEADLINE_S = 60
TODAY = "2026-11-24"
NATIVE, LATIN = "ចាន់ សុភា", "Chan Sophea"
PERSON = {
    "case_ref": "TH-1", "host_country": "TH", "origin_country": "KH", "full_name_native": NATIVE, "full_name_latin": LATIN,
    "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "khm", "prs_Citizenship": "KH",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
    "needs": "wheelchair", "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;RETURN", "consent_given_by": "person",
    "consent_expires": "2027-06-30", "urgency": "urgent",
}
NAMES = {  # case_ref: native, latin
    "TH-1": (NATIVE, LATIN), "TH-2": ("សុខ វណ្ណា", "Sok Vanna"), "TH-3": ("លី ម៉ារី", "Ly Maryneth"),
    "TH-4": ("កែវ ពិសី", "Keo Pisey"), "NGO-1": ("ហេង ស្រីមុំ", "Heng Sreymom"), "NGO-2": ("ពៅ រតនា", "Pov Rattana"),
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Path:
    """The steps, in order; each leaves what the next one starts from."""

    def __init__(self):
        self.world = World(BUILD, ["th", "kh"], today=TODAY, deadline_s=DEADLINE_S)
        self.tables = os.path.join(self.world.folder, "tables")  # what people type in: names belong here
        os.mkdir(self.tables)
        office = self.world.office
        self.th, self.th2 = office("th", "focal", "officer-1"), office("th", "focal", "officer-2")
        self.kh, self.kh2 = office("kh", "focal", "officer-1"), office("kh", "focal", "officer-2")
        self.ngo, self.ngo2 = office("th", "ngo-alpha", "officer-1"), office("th", "ngo-alpha", "officer-2")
        self.everyone = list(self.world.offices.values())

    def table(self, *changes):
        path = os.path.join(self.tables, f"{len(os.listdir(self.tables))}.csv")
        with open(path, "w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(PERSON))
            writer.writeheader()
            for change in changes:
                native, latin = NAMES[change["case_ref"]]
                writer.writerow({**PERSON, "full_name_native": native, "full_name_latin": latin, **change})
        return path

    @staticmethod
    def sync(*offices):
        for office in offices:
            office.command("sync", "--until-quiet", "200ms")

    @staticmethod
    def case(office, **wanted):
        cases = office.json("list")
        found = [case for case in cases if all(case[key] == value for key, value in wanted.items())]
        check(len(found) == 1, f"{office.home}: {len(found)} cases with {wanted} among {[c['state'] for c in cases]}")
        return found[0]

    def until(self, office, others, **wanted):
        """Everybody syncs until the one case is there."""
        limit = time.monotonic() + DEADLINE_S
        while not any(all(case[key] == value for key, value in wanted.items()) for case in office.json("list")):
            check(time.monotonic() < limit, f"{office.home}: no case became {wanted}")
            self.sync(*others, office)
        return self.case(office, **wanted)

    # --- the steps ------------------------------------------------------------------------

    def gateway_away(self):
        told = self.th.command("sync", "--until-quiet", "100ms", ok=(69,))
        check("refused" in told.stderr, told.stderr)
        for country in self.world.countries:
            self.world.gateway(country).start()
        self.th.command("import", self.table({"case_ref": "TH-4"}))
        told = self.th.command("send", "TH-4", ok=(75,))  # nobody over there has a reading key yet
        check("readers-none" in told.stderr and "sync" in told.stderr, told.stderr)
        self.sync(*self.everyone)
        self.sync(*self.everyone)

    def usage_and_config(self):
        self.th.command("dance", ok=(64,))
        self.th.command("list", "--dance", ok=(64,))
        self.th.command("list", "--state", "dancing", ok=(64,))
        self.th.command("sync", "TH-4", ok=(64,))
        for verb in re.findall(r"^  ([a-z]+) ", self.th.command("--help").stdout, re.M):
            check(f"usage: referral {verb}" in self.th.command(verb, "--help").stdout, verb)
        config = os.path.join(self.th.home, "client.cfg")
        with open(config, encoding="utf-8") as source:
            text = source.read()
        loose = os.path.join(self.world.folder, "loose.key")
        shutil.copy(f"{self.world.folder}/th/focal/officer-1/sign.key", loose)
        os.chmod(loose, 0o644)
        for wrong in (text.replace("focal/officer-1/sign.key", "focal/officer-2/sign.key"),
                      re.sub(r'sign_key = "[^"]*"', f'sign_key = "{loose}"', text), text + "}",
                      text.replace("trust = {", 'trust = { charter = "00";')):  # a pin that nothing would hold to
            with open(config, "w", encoding="utf-8") as out:
                out.write(wrong)
            self.th.command("status", ok=(78,))
        with open(config, "w", encoding="utf-8") as out:
            out.write(text)

    def storage_key_gone(self):
        key = os.path.join(self.kh2.home, "keys", "storage.key")
        os.rename(key, key + ".away")
        check("storage-key-missing" in self.kh2.command("list", ok=(78,)).stderr, "a lost storage key")
        check(not os.path.exists(key), "a new key hides that the old one is gone")
        os.rename(key + ".away", key)
        self.kh2.command("list")

    def importing(self):
        told = self.th.command("import", self.table({"case_ref": "TH-1"}, {"case_ref": "TH-2", "prs_Gender": "Sophea"}), ok=(65,))
        check("line 3" in told.stderr and "prs_Gender" in told.stderr and "Feminine" in told.stderr, told.stderr)
        check("Sophea" not in told.stderr, "a value is repeated in an error")
        check([case["case_ref"] for case in self.th.json("list")] == ["TH-4"], "something of a malformed file was imported")
        with open(os.path.join(self.tables, "16.csv"), "w", encoding="utf-16") as out:
            out.write("case_ref,host_country\n")
        check("UTF-8" in self.th.command("import", out.name, ok=(65,)).stderr, "what to do about UTF-16")
        empty = os.path.join(self.world.folder, "no-evidence")
        self.th.command("evidence", "TH-4", "--output", empty, ok=(75,))
        check(not os.path.exists(empty), "an empty folder was left as evidence")
        told = self.th.json("import", self.table(
            {"case_ref": "TH-1"}, {"case_ref": "TH-2", "con_Consent": "", "consent_scopes": ""}, {"case_ref": "TH-3", "host_country": "KH"}))
        check((told["ready"], told["held"], told["skipped"]) == (1, 1, 1), told)
        check(self.case(self.th, case_ref="TH-2")["state"] == "held", "no consent: held")
        told = self.th.command("send", "TH-2", ok=(77,))
        check("consent" in told.stderr, told.stderr)
        told = self.th.json("import", self.table({"case_ref": "TH-2"}))
        check((told["updated"], told["ready"]) == (1, 1), told)

    def there_and_back(self):
        self.th.command("send", "TH-1")
        arrived = self.until(self.kh, [self.th], state="referred")
        check(arrived["name_native"] is None and arrived["name_latin"] is None, "a name came before the accept")
        self.until(self.kh2, [], state="referred")
        self.preview = next(m for m in self.kh.json("show", arrived["id"])[0]["messages"] if m["kind_number"] == 11)
        self.until(self.th, [self.kh], case_ref="TH-1", opened_there=True, receipt_verified=True)
        self.kh.command("accept", arrived["id"])
        self.until(self.th, [self.kh], case_ref="TH-1", state="identity_released", details_opened=True)
        check(self.case(self.kh, id=arrived["id"])["name_native"] == NATIVE, "the first officer knows the name now")
        self.until(self.kh2, [], name_native=NATIVE, name_latin=LATIN)
        kinds = [m["kind_number"] for m in self.th.json("show", "TH-1")[0]["messages"]]
        check([kind for kind in kinds if kind != 18] == [11, 12, 17], f"request, accept, details, but: {kinds}")
        check(2 <= kinds.count(18) <= 4, f"one acknowledgement by each officer of each of two messages at most, but: {kinds}")
        self.details = next(m for m in self.kh.json("show", arrived["id"])[0]["messages"] if m["kind_number"] == 17)
        shown = self.th.command("show", "TH-1").stdout
        check(NATIVE in shown and "[proven]" in shown and "\033" not in shown, shown)

    def decline(self):
        self.th.command("send", "TH-2")
        asked = self.until(self.kh, [self.th], state="referred")
        self.kh.command("decline", asked["id"], ok=(64,))
        self.kh.command("decline", asked["id"], "--reason", "NO_CAPACITY")
        told = self.until(self.th, [self.kh], case_ref="TH-2", state="declined")
        check(told["reason_id"] == "NO_CAPACITY", told)

    def proposals(self):
        self.ngo.command("import", self.table({"case_ref": "NGO-1"}, {"case_ref": "NGO-2"}))
        self.ngo.command("send", "--all-waiting")
        self.until(self.th, [self.ngo], case_ref="NGO-2", proposed_by="th/ngo-alpha", state="ready")
        told = self.th.json("forward", "--all-waiting")
        check(told["forwarded"] == 2, told)
        limit = time.monotonic() + DEADLINE_S
        while self.kh.json("status")["by_state"].get("referred", 0) < 2:
            check(time.monotonic() < limit, "the forwarded proposals did not arrive")
            self.sync(self.th, self.kh)
        for answer in (("accept",), ("decline", "--reason", "DUPLICATE_OF")):
            asked = [case for case in self.kh.json("list") if case["state"] == "referred"][0]
            self.kh.command(answer[0], asked["id"], *answer[1:])
        self.until(self.ngo, [self.kh, self.th], state="accepted")
        told = self.until(self.ngo, [self.kh, self.th], state="declined")
        check(told["reason_id"] == "DUPLICATE_OF", told)

    def killed_in_the_middle(self):
        """The addressee's gateway dies of kill -9 while the request is on its way, the sender's right after it took it."""
        self.world.gateway("kh").kill()
        self.th.command("send", "TH-4")
        self.sync(self.th)
        case = self.case(self.th, case_ref="TH-4")
        check(case["state"] == "referred" and not case["receipt_verified"], case)
        self.world.gateway("th").kill()
        self.th.command("sync", "--until-quiet", "100ms", ok=(69,))
        for country in self.world.countries:
            self.world.gateway(country).start()
        self.until(self.th, [self.kh], case_ref="TH-4", receipt_verified=True)
        entered = [line["id"] for line in self.kh.journal() if line["dir"] == "in"]
        check(len(entered) == len(set(entered)), "a message was entered twice")
        check("TH-4" not in self.th.command("section", "TH-4", "1", "--text").stdout, "the request names our own reference")
        section = self.th.json("section", "TH-4", "1", "--text")
        check(section["section"] == 1 and section["text"], section)

    # --- what others can check --------------------------------------------------------------

    def sealed(self, office, message, number):
        line = [self.world.referral, "-C", office.home, "section", message["id"], str(number), "--sealed"]
        return subprocess.run(line, capture_output=True, check=True).stdout

    def opened(self, office, message, number):
        """The text of a section, with stock openssl only."""
        folder = self.world.folder
        with open(f"{folder}/section.der", "wb") as out:
            out.write(self.sealed(office, message, number))
        keys = glob.glob(os.path.join(office.home, "keys", "read-*.key"))
        check(len(keys) == 1, keys)
        subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", f"{folder}/section.der", "-inkey", keys[0],
                        "-out", f"{folder}/section.signed"], check=True, capture_output=True)
        subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", f"{folder}/section.signed", "-certfile",
                        f"{folder}/th/focal/officer-1/sign.pem", "-CAfile", f"{folder}/th/root.pem", "-out", f"{folder}/section.plain"],
                       check=True, capture_output=True)
        with open(f"{folder}/section.plain", "rb") as plain:
            text = plain.read()
        for name in ("section.signed", "section.plain"):
            os.remove(f"{folder}/{name}")
        return text

    def stock_openssl(self):
        for office in (self.kh, self.kh2):
            text = self.opened(office, self.preview, 1)
            check(b"khm" in text and b"referral://th/focal/officer-1" in text, "the preview is not in the request")
            check(NATIVE.encode() not in text and LATIN.encode() not in text, "a name in a referral request")
        texts = [self.opened(self.kh2, self.details, number) for number in range(1, self.details["sections"] + 1)]
        check(sum(NATIVE.encode() in text and LATIN.encode() in text for text in texts) == 1, "the name is in one section of the details")
        stranger = glob.glob(os.path.join(self.ngo.home, "keys", "read-*.key"))[0]
        told = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", f"{self.world.folder}/section.der",
                               "-inkey", stranger, "-out", "/dev/null"], capture_output=True, check=False)
        check(told.returncode != 0, "an officer of the NGO opened what is for the other country")

    def run_page(self, folder):
        with open(os.path.join(folder, "CHECK.md"), encoding="utf-8") as page:
            steps = "".join(re.findall(r"```sh\n(.*?)```", page.read(), re.S))
        return subprocess.run(["sh", "-eu", "-c", steps], cwd=folder, capture_output=True, text=True, check=False)

    def evidence(self):
        """The page of the bundle, all five steps, and that its commands can fail."""
        bundle = os.path.join(self.world.folder, "evidence")
        self.th.command("evidence", "TH-1", "--output", bundle)
        found = [path for path in glob.glob(f"{bundle}/*") if self.details["id"][:12] in os.path.basename(path)]
        check(len(found) == 1, os.listdir(bundle))
        folder = found[0]
        with open(f"{folder}/section.der", "wb") as out:
            out.write(self.sealed(self.kh, self.details, 1))
        shutil.copy(glob.glob(os.path.join(self.kh.home, "keys", "read-*.key"))[0], f"{folder}/reading.key")
        told = self.run_page(folder)
        check(told.returncode == 0, told.stdout + told.stderr)
        check(f"message {self.details['id']}" in told.stdout, told.stdout)
        for name in ("header.bin", "entry-received.bin", "head-received.txt", "section.der", "charter.cfg"):
            with open(f"{folder}/{name}", "r+b") as file:
                byte = file.read(61)[60:]
                file.seek(60)
                file.write(bytes([byte[0] ^ 1]))
                file.flush()
                check(self.run_page(folder).returncode != 0, f"a byte of {name} is changed and the page does not see it")
                file.seek(60)
                file.write(byte)
        check(self.run_page(folder).returncode == 0, "put back, and it does not check")
        shutil.rmtree(bundle)

    def names_nowhere(self):
        needles = [name.encode() for pair in NAMES.values() for name in pair]
        needles += [part for name in needles for part in name.split(b" ") if len(part) > 6]
        seen = 0
        for folder, _, files in os.walk(self.world.folder):
            if folder == self.tables:
                continue
            for name in files:
                path = os.path.join(folder, name)
                check(not any(needle in path.encode() for needle in needles), "a name in the name of a file")
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    held = file.read()
                seen += len(held)
                for needle in needles:
                    check(needle not in held, f"{path} holds {needle.decode()}")
        check(seen > 1_000_000, f"only {seen} bytes were looked at")
        with open(os.path.join(self.tables, "0.csv"), "rb") as file:  # the search can find
            check(NAMES["TH-4"][0].encode() in file.read(), "the name is not even in the table it came from")

    def stopped(self):
        """A stop list in the gateway's folder: the officer's device is refused with the reason, the colleague's goes on."""
        folder = self.world.folder
        own = os.path.join(folder, "trust-of-th2")  # her client does not know yet
        shutil.copytree(f"{folder}/th/trust", own)
        config = os.path.join(self.th2.home, "client.cfg")
        with open(config, encoding="utf-8") as source:
            text = source.read()
        with open(config, "w", encoding="utf-8") as out:
            out.write(text.replace(f'"{folder}/th/trust"', f'"{own}"'))
        self.sync(self.th2)
        subprocess.run([os.path.join(SOURCE, "certs/ceremony"), "stop", "th", "--publisher", f"{folder}/th/publisher", "--folder",
                        f"{folder}/th/trust", "--certificate", f"{folder}/th/focal/officer-2/tls.pem"], check=True, capture_output=True)
        self.world.gateway("th").process.send_signal(signal.SIGHUP)
        limit = time.monotonic() + DEADLINE_S
        while (told := self.th2.command("sync", "--until-quiet", "100ms", ok=(0, 77))).returncode == 0:
            check(time.monotonic() < limit, "a stopped device goes on")
        check("certificate revoked" in told.stderr, told.stderr)
        check("certificate-stopped" in "\n".join(self.world.gateway("th").log_tail(200)), "the gateway's log does not name the reason")
        self.sync(self.th)

    def run(self):
        for step in (self.gateway_away, self.usage_and_config, self.storage_key_gone, self.importing, self.there_and_back, self.decline, self.proposals,
                     self.killed_in_the_middle, self.stock_openssl, self.evidence, self.names_nowhere, self.stopped):
            start = time.monotonic()
            step()
            print(f"{time.monotonic() - start:6.1f} s  {step.__name__}", flush=True)


def main():
    path = Path()
    try:
        path.run()
    finally:
        path.world.close()


main()
