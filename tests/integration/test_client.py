#!/usr/bin/env python3
"""The `referral` command and libreferral with two real gateways: exit codes, import, the whole way of a case, stock openssl,
evidence, erasure, kills, and the example of docs/client.md.

usage: test_client.py BUILD-FOLDER LIBREFERRAL.so SOURCE-FOLDER
"""
import csv
import glob
import io
import os
import re
import signal
import stat
import subprocess
import sys
import time

BUILD, LIBRARY, SOURCE = (os.path.abspath(path) for path in sys.argv[1:4])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

NAME = "နန်းခမ်း"
GOOD = {
    "case_ref": "A1", "host_country": "TH", "origin_country": "MM", "full_name_native": NAME, "full_name_latin": "Nang Hkam",
    "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": "mya", "prs_Citizenship": "MM",
    "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
    "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;RETURN", "consent_given_by": "person",
    "consent_expires": "2027-06-30", "urgency": "urgent", "needs": "wheelchair",
}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def rows_file(world, name, *changes):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(GOOD), lineterminator="\n")
    writer.writeheader()
    for change in changes:
        writer.writerow({**GOOD, **change})
    path = os.path.join(world.folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(out.getvalue())
    return path


def one(office, reference=None, **wanted):
    for case in office.json("list"):
        if (reference is None or case["case_ref"] == reference) and all(case[k] == v for k, v in wanted.items()):
            return case
    raise AssertionError(f"{office.name}: no case {reference} {wanted} in {office.json('list')}")


def sync(*offices):
    offices[0].world.settle(*offices)


def until(condition, text, seconds=40):
    limit = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < limit, text)


def test_exit_codes(world, th):
    check(subprocess.run([world.referral], capture_output=True, check=False).returncode == 64, "no verb: 64")
    check(subprocess.run([world.referral, "-C", "/nowhere", "list"], capture_output=True, check=False).returncode == 78,
          "no home: 78")
    th.command("dance", ok=(64,))
    th.command("decline", "x", ok=(64,))
    th.command("show", "aaaaa-aaaaa", ok=(64,))
    th.command("sync", "--until-quiet", "300ms", ok=(69,))
    told = th.command("import", rows_file(world, "bad.csv", {}, {"case_ref": "A2", "prs_Gender": "woman"}), ok=(65,))
    check("line 3" in told.stderr and "prs_Gender" in told.stderr and "Feminine" in told.stderr, told.stderr)
    check("woman" not in told.stderr, "a value stands in an error text")
    check(th.json("list") == [], "something was imported from a malformed file")
    home = os.path.join(th.home, "client.cfg")
    with open(home, encoding="utf-8") as file:
        text = file.read()
    with open(home, "w", encoding="utf-8") as file:
        file.write(text.replace("exercise = true", "exercise = false"))
    th.command("list", ok=(64,))  # a stated day is for exercises
    with open(home, "w", encoding="utf-8") as file:
        file.write(text)


def test_import(world, th):
    path = rows_file(world, "a.csv", {}, {"case_ref": "A2", "con_Consent": "false"}, {"case_ref": "A3", "host_country": "LA"},
                     {"case_ref": "A4", "prs_Citizenship": ""})
    told = th.json("import", path)
    check((told["rows"], told["ready"], told["held"], told["skipped"]) == (4, 1, 2, 1), told)
    check(told["held_by_reason"] == {"consent-refused": 1, "citizenship-unknown": 1}, told)
    check(th.json("import", path)["unchanged"] == 3, "the same file again changes nothing")
    th.command("send", "A2", ok=(77,))
    told = th.json("import", rows_file(world, "mended.csv", {"case_ref": "A4"}))
    check(told["updated"] == 1 and told["ready"] == 1, told)
    check(one(th, "A4")["state"] == "ready", "the mended row may be sent")
    th.command("send", "A1", ok=(75,))  # no key card of theirs yet: not now


def test_at_rest(office):
    with open(os.path.join(office.home, "casebook.db"), "rb") as file:
        held = file.read()
    for path in glob.glob(os.path.join(office.home, "casebook.db-*")):
        with open(path, "rb") as file:
            held += file.read()
    for text in (NAME, "Nang Hkam", "Burmese", "wheelchair", "ActualVictim"):
        check(text.encode() not in held, f"{text} can be read in the casebook file")
    for path in glob.glob(os.path.join(office.home, "keys", "*")) + glob.glob(os.path.join(office.home, "casebook.db*")):
        check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, f"{path} is not for its owner alone")


def test_whole_way(th, th2, mm):
    th.command("send", "A1", "A4")
    sync(th, mm)
    case = one(mm)
    check(case["state"] == "referred" and case["our_move"] and case["name_native"] is None, case)
    check("female" in case["summary"] and "wheelchair" in case["summary"], case["summary"])
    text = mm.command("section", case["id"], "1", "--text").stdout
    check(NAME not in text and "REFERRAL_REQUEST" in text, text)
    mm.command("accept", "--all-waiting")
    sync(mm, th, mm, th)
    check(one(th, "A1")["state"] == "identity_released", one(th, "A1"))
    check(one(mm, None, name_native=NAME)["state"] == "identity_released", "the origin knows the name now")
    check(th.json("status")["identity_released"] == 2, th.json("status"))
    check(th2.json("status")["deliveries"] == 0, "the second officer has not asked yet")
    sync(th2)
    check(th2.json("status")["unopened"] == 0, "what is for both officers opens for both")
    shown = th.command("show", "A1").stdout
    check(NAME in shown and "[proven]" in shown and "details of the case" in shown, shown)
    for office in (th, mm):
        verified = office.json("verify")
        check(verified["checked"] > 0 and verified["failed"] == 0, verified)
        check(office.json("status")["duplicates"] == 0, "a message entered the casebook twice")


def openssl(*words, **more):
    return subprocess.run(["openssl", *words], capture_output=True, check=False, **more)


def test_stock_openssl(world, th, mm):
    case = one(mm, None, name_native=NAME)
    messages = mm.json("show", case["id"])[0]["messages"]
    details = next(m for m in messages if m["kind_number"] == 17)
    folder = world.folder
    line = [world.referral, "-C", mm.home, "section", details["id"][:16], "2", "--sealed"]
    sealed = subprocess.run(line, capture_output=True, check=True).stdout
    with open(f"{folder}/section.der", "wb") as file:
        file.write(sealed)
    key = glob.glob(os.path.join(mm.home, "keys", "read-*.key"))[0]
    told = openssl("cms", "-decrypt", "-inform", "DER", "-in", f"{folder}/section.der", "-inkey", key, "-out", f"{folder}/signed.der",
                   "-binary")
    check(told.returncode == 0, told.stderr)
    signer = os.path.join(folder, "th", "focal", "officer-1", "sign.pem")
    told = openssl("cms", "-verify", "-inform", "DER", "-binary", "-in", f"{folder}/signed.der", "-certfile", signer, "-CAfile",
                   os.path.join(folder, "th", "root.pem"), "-out", f"{folder}/plain")
    check(told.returncode == 0, told.stderr)
    with open(f"{folder}/plain", "rb") as file:
        check(NAME.encode() in file.read(), "the identity section says the name")
    stranger = glob.glob(os.path.join(th.home, "keys", "storage.key"))[0]
    told = openssl("cms", "-decrypt", "-inform", "DER", "-in", f"{folder}/section.der", "-inkey", stranger, "-out", "/dev/null")
    check(told.returncode != 0, "another key opened the section")


def run_page(folder, upto):
    with open(os.path.join(folder, "CHECK.md"), encoding="utf-8") as file:
        steps = re.findall(r"```sh\n(.*?)```", file.read(), re.S)
    return subprocess.run(["sh", "-eu", "-c", "".join(steps[:upto])], cwd=folder, capture_output=True, text=True, check=False)


def test_evidence(world, th):
    bundle = os.path.join(world.folder, "evidence")
    th.command("evidence", "A1", "--output", bundle)
    th.command("evidence", "A1", "--output", bundle, ok=(77,))  # never into an existing folder
    folders = sorted(glob.glob(os.path.join(bundle, "*")))
    check(len(folders) >= 5, folders)
    folder = next(f for f in folders if os.path.exists(os.path.join(f, "entry-collected.bin")))
    told = run_page(folder, 4)
    check(told.returncode == 0, f"{folder}: {told.stdout} {told.stderr}")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            check(NAME.encode() not in file.read(), f"{name} holds content")
    path = os.path.join(folder, "header.bin")
    with open(path, "rb") as file:
        header = bytearray(file.read())
    header[10] ^= 1
    with open(path, "wb") as file:
        file.write(header)
    check(run_page(folder, 4).returncode != 0, "a changed header still checks")


def test_decline(world, th, mm):
    th.command("import", rows_file(world, "d.csv", {"case_ref": "D1"}))
    th.command("send", "D1")
    sync(th, mm)
    case = one(mm, None, state="referred")
    mm.command("decline", case["id"], "--reason", "MAYBE", ok=(64,))
    mm.command("decline", case["id"], "--reason", "NO_CAPACITY")
    mm.command("accept", case["id"], ok=(77,))  # decided once
    sync(mm, th)
    mm.command("section", case["id"], "1", "--text", ok=(77,))  # what was received is destroyed
    case = one(th, "D1")
    check(case["state"] == "declined" and case["reason_id"] == "NO_CAPACITY", case)


def test_ngo(world, ngo, th, mm):
    ngo.command("import", rows_file(world, "n.csv", {"case_ref": "N1", "full_name_latin": "From An Ngo"}))
    ngo.command("send", "--all-waiting")
    sync(ngo, th)
    case = one(th, "N1", state="ready")
    check(case["proposed_by"] == "th/ngo-alpha", case)
    told = th.json("forward", "--all-waiting")
    check(told["queued"] == 1 and told["forwarded"] == 1, told)
    sync(th, mm)
    mm.command("accept", "--all-waiting")
    sync(mm, th, ngo, mm, th)
    check(one(ngo, "N1")["state"] == "accepted", one(ngo, "N1"))
    check(one(th, "N1")["state"] == "identity_released", one(th, "N1"))
    check(one(mm, None, name_latin="From An Ngo")["from"] == "th", "the case is at the origin")


def test_killed_while_syncing(world, th, mm):
    """kill -9 at any moment: nothing lost, nothing entered twice."""
    many = [{"case_ref": f"K{i}"} for i in range(60)]
    th.command("import", rows_file(world, "k.csv", *many))
    th.command("send", "--all-waiting")
    for i in range(12):
        office = (th, mm)[i % 2]
        line = [world.referral, "-C", office.home, "--today", world.today, "sync", "--until-quiet", "1s"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(0.02 + 0.02 * i)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    until(lambda: not sync(th, mm) and mm.json("status")["by_state"].get("referred", 0) == 60, "60 referrals arrive")
    check(mm.json("status")["duplicates"] == 0 and th.json("status")["duplicates"] == 0, "entered twice")
    entered = [line["id"] for line in mm.journal() if line["dir"] == "in"]
    check(len(entered) == len(set(entered)), "two entries of one message")
    check(th.json("verify")["failed"] == 0 and mm.json("verify")["failed"] == 0, "stored proofs hold")


def test_gateway_restarts(world, th, mm):
    th.command("import", rows_file(world, "r.csv", {"case_ref": "R1"}))
    th.command("send", "R1")
    gateway = world.gateway("th")
    gateway.kill()
    line = [world.referral, "-C", th.home, "--today", world.today, "sync", "--until-quiet", "1s"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    gateway.start()
    check(process.wait(30) == 0, "the sync went on when the gateway was back")
    sync(mm)
    check(th.json("show", "R1")[0]["receipt_verified"] or not sync(th) and th.json("show", "R1")[0]["receipt_verified"],
          "the receipt came")


def test_erase(mm):
    case = one(mm, None, name_native=NAME)
    mm.command("erase", case["id"])
    case = mm.json("show", case["id"])[0]
    check(case["name_native"] is None and case["state"] == "identity_released", case)
    mm.command("section", case["id"], "1", "--text", ok=(77,))
    check("a sealed message (erased)" in mm.command("show", case["id"]).stdout, "an erased message is named otherwise")
    check(mm.json("verify")["failed"] == 0, "proofs stay")


def test_many_ids(world, th):
    line = [world.referral, "-C", th.home, "--today", world.today, "show", "-", "--json"]
    told = subprocess.run(line, input="A1\nA4\n", capture_output=True, text=True, check=True).stdout
    check(told.count('"timeline"') == 2, told)


def test_example(world, th):
    with open(os.path.join(SOURCE, "docs", "client.md"), encoding="utf-8") as file:
        program = re.search(r"```c\n(.*?)```", file.read(), re.S).group(1)
    path = os.path.join(world.folder, "example.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(program)
    subprocess.run(["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-I", os.path.join(SOURCE, "client", "include"), path, LIBRARY,
                    f"-Wl,-rpath,{os.path.dirname(LIBRARY)}", "-o", path[:-2]], check=True)
    told = subprocess.run([path[:-2], th.home], capture_output=True, text=True, check=False)
    check(told.returncode == 0 and "1 handed over, 1 proven to have arrived" in told.stdout, told)
    check("REFERRAL_ACCEPT from mm/focal" in told.stdout, told.stdout)


def main():
    world = World(BUILD, ["th", "mm"], today="2026-11-24")
    try:
        th, th2 = (world.office("th", "focal", f"officer-{i}") for i in (1, 2))
        mm, mm2 = (world.office("mm", "focal", f"officer-{i}") for i in (1, 2))
        ngo = world.office("th", "ngo-alpha", "officer-1")
        test_exit_codes(world, th)
        test_import(world, th)
        for country in ("th", "mm"):
            world.gateway(country).start()
        sync(th, mm, mm2, th2, ngo, th, mm, ngo)
        for test in (lambda: test_whole_way(th, th2, mm), lambda: test_at_rest(th), lambda: test_at_rest(mm),
                     lambda: test_stock_openssl(world, th, mm), lambda: test_evidence(world, th),
                     lambda: test_decline(world, th, mm), lambda: test_ngo(world, ngo, th, mm),
                     lambda: test_killed_while_syncing(world, th, mm), lambda: test_gateway_restarts(world, th, mm),
                     lambda: test_many_ids(world, th), lambda: test_example(world, th), lambda: test_erase(mm)):
            test()
        print("all as it should be")
        return 0
    finally:
        for country, gateway in world.gateways.items():
            for line in gateway.log_tail(5) if sys.exc_info()[0] else []:
                print(f"{country}: {line}", file=sys.stderr)
        world.close()


if __name__ == "__main__":
    sys.exit(main())
