"""`arm check --format sarif` against the standard's own schema, and against what `--format json` says.

Usage: sarif.py ARM SCHEMA, in the project's root; SCHEMA is SARIF 2.1.0's. Runs on the wrong
example of every explanation and on the example stores.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema

FLEET = """cells: { us-west: { account: "123456789012", region: us-west-2 } }
model: { endpoint: shelf-behaviour }
defaults: { cell: us-west, timezone: America/Los_Angeles }
"""


def check(arm, folder, form):
    """What a check of the folder `stores` below this one answers."""
    command = [arm, "check", "--format", form]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"FAILED: arm check: {done.stderr}")
    return json.loads(done.stdout)


def judge(validator, arm, folder, what):
    """Holds one log against both; returns the number of its results."""
    log, told = check(arm, folder, "sarif"), check(arm, folder, "json")["diagnostics"]
    if errors := [f"{it.json_path}: {it.message[:200]}" for it in validator.iter_errors(log)]:
        sys.exit(f"FAILED: {what} is no SARIF 2.1.0:\n  " + "\n  ".join(errors))
    run = log["runs"][0]
    rules, results = run["tool"]["driver"]["rules"], run["results"]
    prints = {it["partialFingerprints"]["armDiagnostic/v1"] for it in results}
    if len(prints) != len(results):
        sys.exit(f"FAILED: {what}: two results have one fingerprint")
    for result, it in zip(results, told, strict=True):
        region = result["locations"][0]["physicalLocation"]["region"]
        place = it["place"]
        same = [
            (rules[result["ruleIndex"]]["id"], it["code"]),
            (result["ruleId"], it["code"]),
            (result["level"], it["severity"]),
            (result["message"]["text"].split("\nhelp: ")[0], it["message"]),
            ((region["startLine"], region["startColumn"]), (place["line"], place["column"])),
            ((region["endLine"], region["endColumn"]), (place["end_line"], place["end_column"])),
            (len(result["relatedLocations"]), len(it["related"])),
        ]
        if wrong := [pair for pair in same if pair[0] != pair[1]]:
            sys.exit(f"FAILED: {what}: SARIF and JSON say otherwise: {wrong}")
    return len(results)


def main():
    arm, schema = pathlib.Path(sys.argv[1]).resolve(), json.loads(pathlib.Path(sys.argv[2]).read_text())
    validator = jsonschema.Draft4Validator(schema)
    judge(validator, arm, ".", "the log of the example stores")
    logs = results = 0
    for path in sorted(pathlib.Path("generator/explanations").glob("*.md")):
        wrong = path.read_text().split("\n\nWrong:")[1].split("\n\nRight:")[0]
        blocks = dict(re.findall(r"```yaml stores/(\S+)\n(.*?)```", wrong, re.S))
        if not blocks:
            continue
        with tempfile.TemporaryDirectory() as folder:
            stores = pathlib.Path(folder, "stores")
            stores.mkdir()
            for name, text in ({"fleet.yaml": FLEET} | blocks).items():
                (stores / name).parent.mkdir(exist_ok=True)
                (stores / name).write_text(text)
            results += judge(validator, arm, folder, f"the log of {path.stem}")
        logs += 1
    print(f"logs valid by the schema of SARIF 2.1.0: {logs}, with {results} results as in JSON")


main()
