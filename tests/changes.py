"""What `arm diff --format json` says of every kind of change, by its own schema and a validator not ours.

Usage: changes.py CHANGES REVIEW: the built examples `changes` and `review`. The schema must accept
what is told of each kind of `tests/changes`, and refuse it once a field has another type.
"""

import collections
import json
import subprocess
import sys

import jsonschema


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def spoiled(review: dict) -> list[dict]:
    """The same with one field wrong each."""
    whole = [{**review, "schema": "arm.diff/2"}, {**review, "stacks": 3}, {**review, "omissions": "none"}]
    findings = [{**review, "findings": [{**it, "class": "danger"}]} for it in review["findings"][:1]]
    changes = [{**review, "changes": [{**it, "action": "move"}]} for it in review["changes"][:1]]
    return whole + findings + changes


def main() -> None:
    changes, review = sys.argv[1:]
    schema = json.loads(output(review, "threshold", "schema"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    classes = collections.Counter()
    reviews = [json.loads(line) for line in output(changes, "json").splitlines()]
    for it in reviews:
        for error in validator.iter_errors(it):
            sys.exit(f"FAILED: {it['headline']}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
        for wrong in spoiled(it):
            if validator.is_valid(wrong):
                sys.exit(f"FAILED: the schema accepts what is wrong: {json.dumps(wrong)[:300]}")
        classes.update({finding["class"] for finding in it["findings"]})
    if len(reviews) < 100 or len(classes) < 8:
        sys.exit(f"FAILED: too little was looked at: {len(reviews)} reviews, {dict(classes)}")
    print(f"reviews of kinds of change valid by `arm.diff/1`: {len(reviews)}; with findings: {dict(classes)}")


if __name__ == "__main__":
    main()
