"""The pages of `arm diff` for programs, by their schemas: `arm.diff/1` by the one that `arm schema diff`
prints, SARIF by the standard's own.

Usage: pages.py REVIEW SCHEMA, in the project's root; REVIEW is tests/examples/review.rs, built, and
SCHEMA is SARIF 2.1.0's.
"""

import json
import pathlib
import subprocess
import sys

import jsonschema

NAMES = ["threshold", "mixed", "harmful", "nothing", "unknown", "huge"]


def output(review: str, name: str, form: str) -> str:
    return subprocess.run([review, name, form], capture_output=True, text=True, check=True).stdout


def expect_valid(validator, log: object, what: str) -> None:
    if error := next(iter(validator.iter_errors(log)), None):
        sys.exit(f"FAILED: {what}: {error.json_path}: {error.message[:300]}")


def members(schema: object, found: set) -> set:
    """Every key that a schema knows."""
    if not isinstance(schema, dict):
        return found
    own = schema.get("properties", {})
    found |= set(own)
    inner = [*own.values(), *schema.get("definitions", {}).values(), *schema.get("anyOf", []), schema.get("items")]
    for it in inner:
        members(it, found)
    return found


def keys(value: object, found: set) -> set:
    """Every key of a document, but those of values that are somebody else's."""
    if isinstance(value, dict):
        found |= set(value)
        for key, inner in value.items():
            if not (key in ("before", "after") and "path" in value):
                keys(inner, found)
    for inner in value if isinstance(value, list) else []:
        keys(inner, found)
    return found


def main() -> None:
    review, sarif_schema = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
    schema = json.loads(output(review, "nothing", "schema"))
    jsonschema.Draft7Validator.check_schema(schema)
    ours, theirs = jsonschema.Draft7Validator(schema), jsonschema.Draft4Validator(sarif_schema)
    told: set = set()
    for name in NAMES:
        answer = json.loads(output(review, name, "json"))
        expect_valid(ours, answer, f"the JSON of {name}")
        keys(answer, told)
        log = json.loads(output(review, name, "sarif"))
        expect_valid(theirs, log, f"the SARIF of {name}")
        results = log["runs"][0]["results"]
        prints = {it["partialFingerprints"]["armDiff/v1"] for it in results}
        if len(prints) != len(results) or len(results) > 5000:
            sys.exit(f"FAILED: the SARIF of {name}: {len(results)} results with {len(prints)} fingerprints")
        for it in results:
            if it["level"] not in ("error", "warning", "note") or not it["locations"]:
                sys.exit(f"FAILED: the SARIF of {name}: {it}")
    if apart := told ^ members(schema, set()):
        sys.exit(f"FAILED: the schema and the answers have other fields: {sorted(apart)}")
    answer = json.loads(output(review, "mixed", "json"))
    wrong = [("schema", "arm.diff/2"), ("findings", None), ("stacks", {}), ("costs", {}), ("headline", ""), ("omissions", [1])]
    for key, value in wrong:
        if ours.is_valid(answer | {key: value}):
            sys.exit(f"FAILED: the schema accepts {key}: {value}")
    if not ours.is_valid(answer | {"later": 1}):
        sys.exit("FAILED: the schema refuses a field that a later version may add")
    print(f"reviews valid as arm.diff/1 and as SARIF 2.1.0: {len(NAMES)}, with {len(told)} fields")


main()
