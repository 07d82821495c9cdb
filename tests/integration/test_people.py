#!/usr/bin/env python3
"""Files in and out of an office, without a gateway: CSV, JSON and the survey form, every mistake named by file, line and
column, nothing half imported, export that comes back without loss, statistics without small groups.

usage: test_people.py BUILD-FOLDER SOURCE-FOLDER
"""
import csv
import io
import json
import os
import stat
import subprocess
import sys

sys.dont_write_bytecode = True
BUILD, SOURCE = sys.argv[1:3]
sys.path.insert(0, os.path.join(SOURCE, "demo"))
from world import World  # noqa: E402

# Invented people.
PEOPLE = [("MM", "နန်းခမ်း", "Nang Hkam", "mya"), ("MM", "ဦးအောင်", "U Aung", "mya"), ("KH", "សុខ ចាន់ធូ", "Sok Chan Thou", "khm"),
          ("LA", "ບຸນມີ ແກ້ວ", "Bounmi Keo", "lao"), ("VN", "Nguyễn Thị Hồng", "Nguyen Thi Hong", "vie"),
          ("CN", "欧阳娜", "Ouyang Na", "zho"), ("VN", "Sùng A Páo", "Sung A Pao", "hmn"), ("LA", "สมหญิง ใจดี", "Somying Chaidee", "tha")]


def row(i, **changes):
    origin, native, latin, language = PEOPLE[i % len(PEOPLE)]
    return {
        "case_ref": f"P{i}", "host_country": "TH", "origin_country": origin, "full_name_native": native, "full_name_latin": latin,
        "prs_Gender": "Feminine", "age_status": "adult", "prs_PrimaryLanguage": language, "prs_Citizenship": origin,
        "vic_TraffickingStatus": "ActualVictimOfTrafficking", "cas_ReasonForOutgoingReferral": "MigrationOrChangeOfLocation",
        "con_Consent": "true", "consent_scopes": "SHARE_IDENTITY;TRACE_FAMILY;RETURN", "consent_given_by": "person",
        "consent_expires": "2027-06-30", "urgency": "routine", "needs": "", "registered": "2026-03-01", **changes}


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def text_of(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def file_of(world, name, text):
    path = os.path.join(world.folder, name)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    return path


def test_every_mistake_is_named(world, th):
    bad = [row(0), row(1, prs_Gender="woman"), row(2, origin_country="Burma"), row(3, registered="15/03/2548")]
    path = file_of(world, "bad.csv", text_of(bad))
    told = th.command("import", path, ok=(65,)).stderr
    for words in (f"{path}:3: prs_Gender: text of 5 letters; allowed: one of Feminine", f"{path}:4: origin_country: text of 5",
                  f"{path}:5: registered: text with digits of 10 letters; allowed: YYYY"):
        check(words in told, told)
    check("woman" not in told and "Burma" not in told and "2548" not in told, "a value stands in an error text")
    told = th.json("import", path, ok=(65,))
    check([(problem["line"], problem["column"]) for problem in told["problems"]] ==
          [(3, "prs_Gender"), (4, "origin_country"), (4, "origin_country"), (5, "registered")], told)
    check(th.json("list") == [], "something was imported from a malformed file")


def test_births_and_warnings(world, th):
    rows = [row(0, prs_Birthdate="๑๕/๐๓/๒๕๔๘", dob_as_said=""), row(1, prs_Birthdate="15/3/1990", dob_as_said=""),
            row(2, prs_Birthdate="", dob_as_said="", full_name_native="မ္း"),
            row(4, prs_Birthdate="", dob_as_said="18 tuổi mụ")]
    told = th.json("import", file_of(world, "births.csv", text_of(rows)))
    check(told["added"] == 4 and told["warnings"] == 2, told)
    check([(problem["line"], problem["column"]) for problem in told["problems"]] ==
          [(4, "full_name_native"), (5, "dob_as_said")], told)
    out = {case["case_ref"]: case for case in json.loads(th.command("export", "--format", "json").stdout)}
    check(out["P0"]["prs_Birthdate"] == "2005-03-15" and out["P0"]["dob_as_said"] == "๑๕/๐๓/๒๕๔๘", out["P0"])
    check(out["P0"]["dob_calendar"] == "buddhist" and out["P1"]["prs_Birthdate"] == "1990-03-15", out)
    check(out["P2"]["full_name_native"] == "မ္း" and out["P4"]["age_status"] == "adult", "warnings change nothing")
    check(th.json("list")[2]["zawgyi_suspected"] and not th.json("list")[0]["zawgyi_suspected"], "a flag for the old encoding")
    check("Zawgyi" in th.command("show", "P2").stdout and "Zawgyi" not in th.command("show", "P0").stdout, "show says so")
    th.command("import", file_of(world, "two.csv", text_of([row(9, prs_Birthdate="15/3/48")])), ok=(65,))


def test_survey_form(world, th):
    form = {"start": "2026-01-01", "person/prs_First_Name": "Bounmi", "vic/vic_Methods_of_Control": "DebtBondage TakesEarnings",
            "meta/instanceID": "uuid:1", **row(20)}
    told = th.json("import", file_of(world, "form.json", json.dumps([form])))
    check(told["added"] == 1, told)
    out = next(case for case in json.loads(th.command("export", "--format", "json").stdout) if case["case_ref"] == "P20")
    check(out["prs_FirstName"] == "Bounmi" and out["vic_MethodsOfControl"] == ["DebtBondage", "TakesEarnings"], out)


def test_standard_input(world, th):
    line = [world.referral, "-C", th.home, "--today", world.today, "import", "-", "--json"]
    told = subprocess.run(line, input=text_of([row(30)]), capture_output=True, text=True, check=True).stdout
    check(json.loads(told)["added"] == 1, told)
    told = subprocess.run(line, input=json.dumps([row(30)]), capture_output=True, text=True, check=True).stdout
    check(json.loads(told)["unchanged"] == 1, "the same as JSON changes nothing: " + told)
    told = subprocess.run(line[:-1], input="no header\n", capture_output=True, text=True, check=False)
    check(told.returncode == 65 and "no header" not in told.stderr, told.stderr)


def test_export_comes_back(world, th, other):
    table, tree = os.path.join(world.folder, "out.csv"), os.path.join(world.folder, "out.json")
    th.command("export", table)
    th.command("export", tree)
    check(stat.S_IMODE(os.stat(table).st_mode) == 0o600, "an export is for its owner only")
    th.command("export", table, ok=(64,))  # it exists
    check(th.json("import", table)["unchanged"] == 6 and th.json("import", tree)["unchanged"] == 6, "an export changes nothing")
    check(other.json("import", tree)["added"] == 6, "another office of the country takes it in")
    again = os.path.join(world.folder, "again.csv")
    other.command("export", again)
    with open(table, "rb") as first, open(again, "rb") as second:
        check(first.read() == second.read(), "CSV to JSON to CSV loses something")
    th.command("export", os.path.join(world.folder, "x.txt"), ok=(64,))


def figures(office, *words):
    return {tuple(figure.values())[:-1]: figure["count"] for figure in office.json("statistics", *words)["figures"]}


def test_statistics(world, officer):
    agreed = {"consent_scopes": "SHARE_IDENTITY;RETURN;STATISTICS"}
    rows = [row(i, **agreed, origin_country="MM" if i % 3 else "LA", prs_Citizenship="MM;LA",
                prs_Gender="Masculine" if i < 5 else "Feminine", registered="2025-05-01" if i < 40 else "2026-03-01")
            for i in range(90)]
    rows += [row(100 + i) for i in range(20)]  # have not agreed
    rows += [row(200 + i, **agreed, registered="2026-11-02") for i in range(20)]  # a month that is not over
    rows += [row(300 + i, **{**agreed, "consent_expires": "2026-10-01"}) for i in range(20)]  # ended
    officer.command("import", file_of(world, "many.csv", text_of(rows)))
    got = figures(officer, "--by", "origin")
    check(got[("total",)] == 90, f"only those who agreed are counted: {got}")
    check(got[("VN",)] is None, "nought is withheld")
    got = figures(officer, "--by", "sex,origin")
    check(got[("total", "total")] == 90, got)
    check(got[("Masculine", "MM")] is None and got[("Masculine", "total")] is None, got)
    got = figures(officer, "--by", "age", "--period", "2026")
    check(got[("total",)] == 50 and got[("adult",)] is None, got)  # children: nought, so adults would tell it
    check(figures(officer, "--by", "age", "--period", "2025")[("total",)] is None, "the other years: nought, so 2025 would tell it")
    for words in (("--by", "name"), ("--by", "sex,sex"), ("--by", "sex,age,origin"), ("--by", "year", "--period", "2025"),
                  ("--period", "2020"), ("--by", "point")):
        officer.command("statistics", *words, ok=(64,))
    text = officer.command("statistics", "--by", "sex,origin", "--csv").stdout
    check(text.startswith("sex,origin,cases\n") and "Masculine,MM,withheld\n" in text, text)
    text = officer.command("statistics").stdout
    check("6 figures are withheld: they are under 11" in text and "VN" not in text, text)


def main():
    world = World(BUILD, ["kh", "th"], today="2026-11-24")
    try:
        th, other = world.office("th", "focal", "officer-1"), world.office("th", "ngo-alpha", "officer-1")
        for test in (lambda: test_every_mistake_is_named(world, th), lambda: test_births_and_warnings(world, th),
                     lambda: test_survey_form(world, th), lambda: test_standard_input(world, th),
                     lambda: test_export_comes_back(world, th, other),
                     lambda: test_statistics(world, world.office("th", "focal", "officer-2"))):
            test()
        print("all as it should be")
        return 0
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main())
