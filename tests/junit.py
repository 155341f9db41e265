"""`arm test --junit` read by a program that we did not write, and compared with `--format json`.

Usage: junit.py ARM, in the project's root. Runs on a copy of the example stores, on the same
with expectations that do not hold, and on the same with names that do not exist.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import junitparser

TODAY = "2026-11-22"


def judge(arm, folder, code):
    """Holds the report on a folder of stores against the JSON; returns its passed and failed."""
    report = folder / "junit.xml"
    command = [arm, "test", "--today", TODAY, "--stores", "stores", "--junit", str(report), "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != code:
        sys.exit(f"FAILED: arm test ended with {done.returncode}: {done.stderr}")
    told = json.loads(done.stdout)
    suites = junitparser.JUnitXml.fromfile(str(report))
    cases = [(suite, case) for suite in suites for case in suite]
    if (suites.tests, suites.failures, suites.errors) != (len(told["scenarios"]), told["failed"], 0):
        sys.exit(f"FAILED: the report counts {suites.tests} tests and {suites.failures} failures")
    for (suite, case), scenario in zip(cases, told["scenarios"], strict=True):
        line = int(case._elem.get("line"))
        same = [
            (case.name, scenario["name"]),
            (case.classname, scenario["store"]),
            (suite.name, scenario["file"]),
            ((case._elem.get("file"), line), (scenario["file"], scenario["line"])),
            (case.is_passed, scenario["passed"]),
        ]
        for failure in case.result:
            same.append((failure.message.split(" (and ")[0], scenario["unmet"][0]["message"]))
            places = [f"{scenario['file']}:{it['line']}:{it['column']}: {it['message']}" for it in scenario["unmet"]]
            same.append((failure.text.splitlines()[: len(places)], places))
        if wrong := [pair for pair in same if pair[0] != pair[1]]:
            sys.exit(f"FAILED: JUnit and JSON say otherwise: {wrong}")
    first = report.read_bytes()
    subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if report.read_bytes() != first:
        sys.exit("FAILED: the same stores give another report")
    return told["passed"], told["failed"]


def refused(arm, folder):
    """Holds the report on wrong files against the JSON; returns its errors."""
    report = folder / "junit.xml"
    command = [arm, "test", "--today", TODAY, "--stores", "stores", "--junit", str(report), "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        sys.exit(f"FAILED: arm test ended with {done.returncode}: {done.stderr}")
    told = [it for it in json.loads(done.stdout)["diagnostics"] if it["severity"] == "error"]
    suites = junitparser.JUnitXml.fromfile(str(report))
    cases = [(case._elem.get("file"), failure.message) for suite in suites for case in suite for failure in case.result]
    if suites.errors != len(told) or cases != [(it["place"]["file"], it["message"]) for it in told]:
        sys.exit(f"FAILED: JUnit and JSON say otherwise: {cases}, {told}")
    return len(told)


def main():
    arm = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home)
        shutil.copytree("stores", folder / "stores")
        passed, failed = judge(arm, folder, 0)
        print(f"JUnit read as JSON has it: {passed} passed, {failed} failed")
        scenarios = folder / "stores/tests/seattle-001.yaml"
        hostile = "a sweep <in> a \"high-value\" aisle & more ]]> ü"
        text = scenarios.read_text().replace("priority: high", "priority: low").replace("rule: unrouted", "rule: after-hours")
        text = text.replace("name: a sweep in a high-value aisle tells loss prevention and the floor", f"name: '{hostile}'")
        scenarios.write_text(text)
        passed, failed = judge(arm, folder, 1)
        print(f"JUnit read as JSON has it: {passed} passed, {failed} failed")
        scenarios.write_text(text.replace("camera: ", "camera: no-"))
        print(f"JUnit read as JSON has it: {refused(arm, folder)} errors, nothing tried")


main()
