"""The events of `arm deploy --format json`, by the schema that `arm schema deploy` prints: every event is
valid, every kind of event and every key is told, and nothing is told that the schema does not know.

Usage: deploy_events.py ARM ROLLOUT, in the project's root; ROLLOUT is generator/examples/rollout.rs, built.
"""

import json
import subprocess
import sys

import jsonschema


def lines(command: list[str]) -> list[dict]:
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def unknown(value: object, schema: dict, at: str) -> list[str]:
    """Where a document has keys that its schema does not know."""
    if isinstance(value, list):
        return [it for inner in value for it in unknown(inner, schema.get("items", {}), at + "[]")]
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    known = schema.get("properties", {})
    own = [f"{at}.{key}" for key in value if key not in known]
    return own + [it for key in value if key in known for it in unknown(value[key], known[key], f"{at}.{key}")]


def main() -> None:
    arm, rollout = sys.argv[1:]
    schema = json.loads(subprocess.run([arm, "schema", "deploy"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    kinds = {kind["properties"]["event"]["const"]: kind for kind in schema["oneOf"]}
    validators = {name: jsonschema.Draft7Validator(kind) for name, kind in kinds.items()}
    told: set[str] = set()
    events = lines([rollout, "events"])
    for event in events:
        name = event["event"]
        if name not in kinds:
            sys.exit(f"FAILED: the schema knows no event {name}")
        told.add(name)
        if error := next(iter(validators[name].iter_errors(event)), None):
            sys.exit(f"FAILED: {event}: {error.json_path}: {error.message[:300]}")
        if keys := unknown(event, kinds[name], name):
            sys.exit(f"FAILED: the schema does not know {keys}")
    if missing := set(kinds) - told:
        sys.exit(f"FAILED: no event of the kinds {sorted(missing)} was made")
    # The whole schema decides as its parts do.
    whole = jsonschema.Draft7Validator(schema)
    for name in kinds:
        event = next(it for it in events if it["event"] == name)
        if not whole.is_valid(event) or whole.is_valid(event | {"event": "other"}) or whole.is_valid({**event, "at": 1}):
            sys.exit(f"FAILED: the whole schema decides otherwise about {event}")
    print(f"ok: {len(events)} events of {len(kinds)} kinds are as the schema says")


main()
