#!/usr/bin/env python3
"""What is erased is gone: from the SQLite files and their journals on both sides, from the gateways, and from old copies of
everything, even with today's keys; proofs, evidence and the logs still hold. Every search finds what it looks for before.

usage: test_erasure.py BUILD-FOLDER CLOCK-SHIFT.so
"""
import csv
import datetime
import glob
import os
import shutil
import sqlite3
import subprocess
import sys
import time

BUILD, SHIFT = (os.path.abspath(path) for path in sys.argv[1:3])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "demo"))
from world import World  # noqa: E402

NAMES = ("နန်းခမ်း", "Nang Hkam Erased")
CASE = {
    "case_ref": "E1", "host_country": "TH", "origin_country": "MM", "full_name_native": NAMES[0], "full_name_latin": NAMES[1],
    "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "mya", "prs_Citizenship": "MM",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
    "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;RETURN", "consent_given_by": "person",
    "consent_expires": "2099-06-30", "urgency": "urgent", "needs": "wheelchair", "mother_name": "Daw Nu Erased",
}
DECLINED = {**CASE, "case_ref": "D1", "full_name_native": "Sùng A Páo", "full_name_latin": "Sung A Pao Declined"}
ORDERED = {**CASE, "case_ref": "O1", "full_name_native": "ဦးစိုး", "full_name_latin": "U Soe Ordered"}
WITHDRAWN = {**CASE, "case_ref": "W1", "full_name_native": "Nguyễn Thị Hồng", "full_name_latin": "Nguyen Thi Hong Withdrawn"}
OTHER = {**CASE, "case_ref": "K1", "full_name_native": "ဦးအောင်", "full_name_latin": "U Aung Kept"}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def sync(*offices):
    offices[0].world.settle(*offices)


def days_later(days):
    """The programs started from now on live so many days later."""
    os.environ["LD_PRELOAD"] = SHIFT if days else ""
    os.environ["RG_CLOCK_SHIFT_S"] = str(days * 86400)


def stop(world):
    for gateway in world.gateways.values():
        gateway.stop()


def start(world):
    for gateway in world.gateways.values():
        gateway.start()


def case_of(office, native):
    return next((case for case in office.json("list") if case["name_native"] == native), None)


def files_below(folder):
    return [path for path in glob.glob(os.path.join(folder, "**"), recursive=True) if os.path.isfile(path)]


def holds(folder, needles):
    """How many of the needles stand in some file below the folder."""
    held = []
    for path in files_below(folder):
        with open(path, "rb") as file:
            held.append(file.read())
    return sum(any(needle in data for data in held) for needle in needles)


class Known:
    """What is looked for afterwards: pieces of the sealed sections, of the sealed items and of their keys, of one case."""

    def __init__(self, office, case, received_only=False):
        self.office = office
        self.sections = []
        shown = [m for m in office.json("show", case["id"])[0]["messages"] if not received_only or m["from"] != office.name]
        for message in shown:
            for number in range(1, message["sections"] + 1):
                line = [office.world.referral, "-C", office.home, "section", message["id"][:16], str(number), "--sealed"]
                self.sections.append(subprocess.run(line, capture_output=True, check=True).stdout)
        database = sqlite3.connect(f"file:{office.home}/casebook.db?mode=ro", uri=True)
        messages = [bytes.fromhex(m["id"]) for m in shown]
        places = [row[0] for row in database.execute(
            f"SELECT seq FROM message WHERE id IN ({','.join('?' * len(messages))})", messages)]
        rows = database.execute("SELECT sealed, wrapped FROM item JOIN item_key USING(row) WHERE kind = 3 AND owner IN "
                                f"({','.join('?' * len(places))})", places).fetchall()
        self.items = [row[0][20:84] for row in rows]
        self.keys = [row[0] for row in database.execute("SELECT wrapped FROM item_key")]
        self.own_keys = [row[1] for row in rows]
        database.close()

    def pieces(self):
        """Every 64 bytes of each section: SQLite splits long values over pages, so a few are not found whole."""
        return [section[at:at + 64] for section in self.sections for at in range(128, len(section) - 64, 64)]


def decrypts(section, keys, folder):
    """Does stock openssl open it with one of these keys?"""
    path = os.path.join(folder, "try.der")
    with open(path, "wb") as file:
        file.write(section)
    for key in keys:
        told = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", path, "-inkey", key, "-binary", "-out",
                               path + ".out"], capture_output=True, check=False)
        if told.returncode == 0 and os.path.getsize(path + ".out") > 0:
            return True
    return False


def reading_keys(*offices):
    return {path for office in offices for path in glob.glob(os.path.join(office.home, "keys", "read-*.key"))}


def keys_of_today(world, *offices):
    keys = [path for office in offices for path in glob.glob(os.path.join(office.home, "keys", "*.key"))]
    for office in offices:
        keys += glob.glob(os.path.join(world.folder, office.country, office.name.split("/")[1], office.officer, "*.key"))
    return keys


def old_copy_with_keys(world, old, office, keys_from, name):
    """A home as it was, with the keys folder of `keys_from`."""
    home = os.path.join(world.folder, "attack", name)
    shutil.copytree(os.path.join(old, os.path.relpath(office.home, world.folder)), home)
    shutil.rmtree(os.path.join(home, "keys"))
    shutil.copytree(os.path.join(keys_from, "keys"), os.path.join(home, "keys"))
    return subprocess.run([world.referral, "-C", home, "list", "--json"], capture_output=True, text=True, check=False)


def test_before(known, old):
    """The controls: the search sees what is there."""
    for office, seen in known.items():
        check(len(seen.sections) >= 4 and len(seen.items) >= 4, (office.name, len(seen.sections), len(seen.items)))
        check(holds(office.home, seen.pieces()) > 0.9 * len(seen.pieces()), f"{office.name}: sealed sections are not found")
        check(holds(office.home, seen.items) > 0.7 * len(seen.items), f"{office.name}: sealed items are not found")
        check(holds(office.home, seen.own_keys) > 0.7 * len(seen.own_keys), f"{office.name}: wrapped keys are not found")
        check(holds(office.home, [name.encode() for name in NAMES]) == 0, f"{office.name}: a name can be read")
    check(os.path.isdir(old), old)


def test_erased_from_both_sides(offices, known):
    for office in offices:
        sealed_key = os.path.join(office.home, "keys", "storage.key")
        with open(sealed_key, "rb") as file:
            before = file.read()
        office.command("erase", case_of(office, NAMES[0])["id"])
        with open(sealed_key, "rb") as file:
            check(file.read() != before, f"{office.name}: the storage key is still the same")
        check(not glob.glob(os.path.join(office.home, "keys", "storage-*.key")), "another storage key is left")
        seen = known[office]
        check(holds(office.home, seen.pieces()) == 0, f"{office.name}: sealed sections are still there")
        check(holds(office.home, seen.items) == 0, f"{office.name}: sealed items are still there")
        check(holds(office.home, seen.keys) == 0, f"{office.name}: item keys under the old book key are still there")
        check(case_of(office, NAMES[0]) is None, f"{office.name}: the name is still shown")
        check(case_of(office, OTHER["full_name_native"]) is not None, f"{office.name}: another case was lost")


def test_proofs_stay(world, offices, number):
    for office in offices:
        told = office.json("verify")
        check(told["failed"] == 0 and told["checked"] > 0, told)
        shown = office.json("show", number[office])[0]
        check(shown["name_native"] is None and shown["state"] == "identity_released", shown)
        folder = os.path.join(world.folder, f"evidence-{office.country}")
        office.command("evidence", number[office], "--output", folder)
        check(glob.glob(os.path.join(folder, "**", "header.bin"), recursive=True), "no header in the evidence")
        office.command("section", shown["messages"][0]["id"][:16], "1", "--text", ok=(77,))
        office.command("section", shown["messages"][0]["id"][:16], "1", "--sealed", ok=(77,))


def test_old_casebook_with_new_keys(world, old, offices):
    for office in offices:
        told = old_copy_with_keys(world, old, office, office.home, f"{office.country}-new")
        check(told.returncode != 0 and NAMES[0] not in told.stdout, f"{office.name}: an old copy opens with today's keys")
        there = os.path.join(old, os.path.relpath(office.home, world.folder))
        told = old_copy_with_keys(world, old, office, there, f"{office.country}-old")
        check(told.returncode == 0 and NAMES[0] in told.stdout, f"{office.name}: the control does not open: {told.stderr}")


def until(condition, what, seconds=30):
    limit = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < limit, f"not in {seconds} s: {what}")
        time.sleep(0.05)


def cards(office):
    return len(glob.glob(os.path.join(office.home, "trust", "card-*.der")))


def test_ordered_over_the_wire(world, th, mm):
    """An order erases on the other side, which answers class by class and names the day for backups."""
    start(world)
    ours, theirs = (case_of(office, ORDERED["full_name_native"])["id"] for office in (th, mm))
    seen = Known(mm, {"id": theirs})
    check(holds(mm.home, seen.items) > 0, "the control finds nothing")
    th.command("write", "ERASURE_ORDER", ours, "--set", "classes=IDENTITY;FAMILY", "--set", "reason=PERSON_ASKS")
    sync(th, mm, th)
    check(case_of(mm, ORDERED["full_name_native"]) is None, "the name is still shown there")
    check(holds(mm.home, seen.keys) == 0, "the old keys are still there")
    told = mm.command("show", theirs).stdout
    check(ORDERED["full_name_native"] not in told, told)
    answer = next((m for m in th.json("show", ours)[0]["messages"] if m["kind_number"] == 83), None)
    check(answer, th.json("show", ours)[0]["messages"])
    text = th.command("section", answer["id"][:16], "1", "--text").stdout
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=121)).date().isoformat()
    check(text.count("done: DESTROYED") == 2 and day in text, text)
    stop(world)


def test_withdrawn_with_erasure(world, th, mm):
    """She takes her consent back: both sides destroy what rests on it, in the message's own step."""
    ours, theirs = (case_of(office, WITHDRAWN["full_name_native"])["id"] for office in (th, mm))
    seen = {office: Known(office, {"id": case}) for office, case in ((th, ours), (mm, theirs))}
    th.command("write", "CONSENT_WITHDRAWN", ours, "--set", "scopes=SHARE_IDENTITY;TRACE_FAMILY;RETURN", "--set", "wants_erasure=true",
               "--set", "effective=2026-11-25T08:00:00Z", "--set", "said_by=person")
    start(world)
    sync(th, mm, th)
    stop(world)
    for office, case in ((mm, theirs), (th, ours)):
        shown = office.json("show", case)[0]
        details = next(m for m in shown["messages"] if m["kind_number"] == 17)
        office.command("section", details["id"][:16], "2", "--text", ok=(77,))
        office.command("section", details["id"][:16], "2", "--sealed", ok=(77,))
        check(holds(office.home, seen[office].keys) == 0, f"{office.name}: the old keys are still there")
        check("suspended" in office.command("show", case).stdout.lower(), "the case goes on")
    check(case_of(mm, WITHDRAWN["full_name_native"]) is None, "the name is still shown there")
    check(case_of(th, WITHDRAWN["full_name_native"]), "where she is looked after the record of her stays")
    kinds = [m["kind_number"] for m in th.json("show", ours)[0]["messages"]]
    check(22 in kinds, kinds)


def test_declined_goes(world, th, mm):
    """At the side that declines at once, at the other by itself after 30 days, at the next sync."""
    start(world)
    theirs = next(case for case in mm.json("list") if case["state"] == "referred")
    theirs_seen, ours_seen = Known(mm, theirs, received_only=True), Known(th, case_of(th, DECLINED["full_name_native"]))
    check(theirs_seen.items and ours_seen.items, "nothing to look for")
    check(holds(mm.home, theirs_seen.pieces()) > 0 and holds(mm.home, theirs_seen.items) > 0, "the control finds nothing")
    mm.command("decline", theirs["id"], "--reason", "NO_CAPACITY")
    sync(mm, th)
    left = [holds(mm.home, needles) for needles in (theirs_seen.pieces(), theirs_seen.items, theirs_seen.keys)]
    check(left == [0, 0, 0], f"what was declined is still there: {left}")
    check(case_of(th, DECLINED["full_name_native"])["state"] == "declined", "the answer came")
    days_later(29)
    told = th.command("tidy", "--dry-run").stdout
    check(told.count("declined") >= 6 and "now" not in told.split("a run would")[0], told)
    check(th.json("tidy")["classes"] == 0, "too early")
    days_later(31)
    stop(world)
    start(world)
    sync(th)
    check(case_of(th, DECLINED["full_name_native"]) is None, "not erased by itself after 30 days")
    check(holds(th.home, ours_seen.pieces() + ours_seen.items + ours_seen.keys) == 0, "its bytes are still there")
    check(case_of(th, OTHER["full_name_native"]) is not None, "another case was lost")
    check(th.json("verify")["failed"] == 0, "proofs stay")
    stop(world)
    days_later(0)


def test_hold_needs_two(world, th):
    """What is kept longer needs a legal basis and a second officer; an erasure then says what it left."""
    path = os.path.join(world.folder, "held.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CASE), lineterminator="\n")
        writer.writeheader()
        writer.writerow({**CASE, "case_ref": "H1", "full_name_native": "欧阳娜"})
    th.command("import", path)
    second = world.office("th", "focal", "officer-2").home
    foreign = world.office("mm", "focal", "officer-1").home
    words = ("hold", "H1", "identity", "2031-12-31", "--text", "court order 12", "--second")
    th.command(*words[:-1], ok=(64,))
    for home in (th.home, foreign):
        th.command(*words, home, ok=(77,))
    th.command(*words, second)
    told = th.command("erase", "H1", ok=(77,)).stderr
    check("identity" in told and "2031-12-31" in told, told)
    check(case_of(th, "欧阳娜"), "what is held was erased")


def test_killed_while_erasing(world, th):
    """kill -9 at any moment: the casebook opens, and what was begun is finished by the next tidy."""
    path = os.path.join(world.folder, "killed.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CASE), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**CASE, "case_ref": f"Q{i}", "full_name_native": f"Q{i}"} for i in range(12))
    th.command("import", path)
    kept = {case["case_ref"] for case in th.json("list")}
    for i in range(12):
        line = [world.referral, "-C", th.home, "erase", f"Q{i}"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(0.004 + 0.003 * i)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        check({case["case_ref"] for case in th.json("list")} == kept, "a case was lost")
    th.command("erase", *(f"Q{i}" for i in range(12)))
    th.command("tidy")
    left = [case["name_native"] for case in th.json("list") if case["case_ref"].startswith("Q")]
    check(len(left) == 12 and not any(left), left)
    check(not glob.glob(os.path.join(th.home, "keys", "storage-*.key")), "a second storage key is left")
    check(case_of(th, OTHER["full_name_native"]) is not None, "another case was lost")


def test_gateways_prune(world, known):
    """Collect-by is over and every device has it: before the grace."""
    pieces = [piece for seen in known.values() for piece in seen.pieces()]
    for country, gateway in world.gateways.items():
        check(holds(gateway.folder, pieces) > 0, f"{country}: the control finds nothing at the gateway")
        before = len(gateway.entries())
        days_later(61)
        gateway.start()
        until(lambda gateway=gateway: holds(gateway.folder, pieces) == 0, f"{country}: sealed content leaves the gateway")
        check(any("content-erased" in line for line in gateway.log_tail(400)), "no word of it in the log")
        gateway.stop()
        days_later(0)
        told = subprocess.run([world.gateway_program, "log", "-c", gateway.config, "--verify"], capture_output=True, text=True,
                              check=False)
        check(told.returncode == 0, f"{country}: {told.stdout}{told.stderr}")
        check(len(gateway.entries()) >= before, "the log has lost entries")


def test_reading_keys_go(world, old, offices, known, first):
    """Today's reading keys open the old sealed bytes until their time is over; then nothing does."""
    section = known[offices[0]].sections[0]
    check(decrypts(section, keys_of_today(world, *offices), world.folder), "the control does not open")
    check(holds(old, known[offices[0]].pieces()) > 0, "the control does not find the section in the old copy")
    days_later(35)
    start(world)
    sync(*offices)
    stop(world)
    days_later(125)
    for office in offices:
        told = office.json("tidy")
        check(told["reading_keys"] >= 1, told)
    days_later(0)
    left = reading_keys(*offices)
    check(left and not left & first, "a first reading key is still there")
    keys = keys_of_today(world, *offices)
    for office, seen in known.items():
        for section in seen.sections:
            check(not decrypts(section, keys, world.folder), f"{office.name}: an old section opens with today's keys")


def whole_way(world, th, mm):
    path = os.path.join(world.folder, "cases.csv")
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(CASE), lineterminator="\n")
        writer.writeheader()
        writer.writerows([CASE, OTHER, ORDERED, WITHDRAWN, DECLINED])
    start(world)
    until(lambda: sync(th, mm) or all(cards(office) > 1 for office in (th, mm)), "the key cards did not travel")
    th.command("import", path)
    th.command("send", "E1", "K1", "O1", "W1")
    sync(th, mm)
    mm.command("accept", "--all-waiting")
    th.command("send", "D1")
    sync(mm, th, mm)
    sync(mm, th, mm, th, mm, th)
    check(case_of(mm, NAMES[0]) is not None, "the case did not get there")


def main():
    world = World(BUILD, ["th", "mm"])
    try:
        th, mm = (world.office(country, "focal", "officer-1") for country in ("th", "mm"))
        for country in ("th", "mm"):
            world.gateway(country)
        whole_way(world, th, mm)
        stop(world)
        known = {office: Known(office, case_of(office, NAMES[0])) for office in (th, mm)}
        number = {office: case_of(office, NAMES[0])["id"] for office in (th, mm)}
        old, first = world.folder + "-old", reading_keys(th, mm)
        shutil.copytree(world.folder, old, ignore=shutil.ignore_patterns("run", "*.sock"))
        test_before(known, old)
        test_erased_from_both_sides((th, mm), known)
        test_proofs_stay(world, (th, mm), number)
        test_old_casebook_with_new_keys(world, old, (th, mm))
        test_hold_needs_two(world, th)
        test_killed_while_erasing(world, th)
        test_ordered_over_the_wire(world, th, mm)
        test_withdrawn_with_erasure(world, th, mm)
        test_declined_goes(world, th, mm)
        test_reading_keys_go(world, old, (th, mm), known, first)
        test_gateways_prune(world, known)
        print("all as it should be")
        return 0
    finally:
        days_later(0)
        for country, gateway in world.gateways.items():
            for line in gateway.log_tail(8) if sys.exc_info()[0] else []:
                print(f"{country}: {line}", file=sys.stderr)
        shutil.rmtree(world.folder + "-old", ignore_errors=True)
        world.close()


if __name__ == "__main__":
    sys.exit(main())
