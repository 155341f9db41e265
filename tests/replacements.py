"""Which changes replace a resource: `arm diff`'s answer beside that of @aws-cdk/cloudformation-diff.

Usage: replacements.py ARM COMPARE NODE NODE_MODULES     (COMPARE: generator/examples/compare.rs, built)

Of every resource that the templates of the example stores hold, each property, and each below it, is
changed, removed, and made a function; and every property that the type has beside is added. Every
such pair goes to both, with the resources that refer to it. Each difference must be among `DIFFERENCES`,
each of which must occur.
"""

import copy
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cfnlint

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = Path(cfnlint.__file__).parent / "data/schemas"
OURS = {"Replace": "replaced", "MayReplace": "may be replaced"}
THEIRS = {"WILL_REPLACE": "replaced", "MAY_REPLACE": "may be replaced"}
# Each kind of resource is tried once for each set of its properties, and this often in all.
ALIKE_MAX = 3

# Where the two differ, at the resource that was edited or because of another that they have in this
# list: type, property, what we say, what they say, and why.
SCHEMA = "the registry schema does not have it create-only; they have it from older documentation"
CONDITIONAL = "the registry schema has it as conditionally create-only"
DIFFERENCES: list[tuple[str, str, str, str, str]] = [
    ("AWS::DynamoDB::Table", "KeySchema", "may be replaced", "replaced", CONDITIONAL),
    ("AWS::Events::EventBus", "EventSourceName", "stays", "replaced", SCHEMA),
    ("AWS::Events::Rule", "EventBusName", "may be replaced", "replaced", CONDITIONAL),
    ("AWS::Glue::Database", "CatalogId", "stays", "replaced", SCHEMA),
    ("AWS::Glue::Table", "TableInput", "replaced", "stays", "the name in it is create-only; they know no property of a property"),
    ("AWS::Glue::Table", "TableInput", "may be replaced", "stays", "the name may be another in what is computed"),
    ("AWS::Lambda::EventSourceMapping", "AmazonManagedKafkaEventSourceConfig", "stays", "replaced", SCHEMA),
    ("AWS::Lambda::EventSourceMapping", "SelfManagedKafkaEventSourceConfig", "stays", "replaced", SCHEMA),
    ("AWS::Lambda::Function", "DurableConfig", "may be replaced", "stays", f"{CONDITIONAL}; they do not have that"),
    ("AWS::S3::Bucket", "ObjectLockEnabled", "stays", "replaced", "S3 enables Object Lock on an existing bucket (user guide); so has the schema"),
    ("AWS::SNS::Subscription", "Region", "may be replaced", "stays", f"{CONDITIONAL}; they do not have that"),
]  # fmt: skip
# What they end in an error at: no template has that, as the property is required.
NO_ANSWER = ("remove", "PolicyDocument")


def expect(holds: bool, message: str) -> None:
    if not holds:
        sys.exit(f"FAILED: {message}")


def templates(arm: str) -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([arm, "generate", "--out", folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        for path in sorted(Path(folder).rglob("*.json")):
            template = json.loads(path.read_text(encoding="utf-8"))
            if "Resources" in template:
                yield template


def refers(value: object, name: str) -> bool:
    """Whether a value has a function that names a resource."""
    if isinstance(value, dict):
        target = value.get("Fn::GetAtt", [None])
        inner = json.dumps(value.get("Fn::Sub", ""))
        own = value.get("Ref") == name or target[0] == name or f"${{{name}}}" in inner or f"${{{name}." in inner
        return own or any(refers(it, name) for it in value.values())
    return isinstance(value, list) and any(refers(it, name) for it in value)


def around(resources: dict, name: str) -> dict:
    """A resource, what refers to it, and what refers to that."""
    names, waiting = {name}, [name]
    while waiting:
        wanted = waiting.pop()
        new = {it for it, one in resources.items() if it not in names and refers(one.get("Properties"), wanted)}
        names |= new
        waiting += new
    return {it: resources[it] for it in resources if it in names}


def samples(arm: str) -> list[tuple[str, dict]]:
    """A few resources of each type, as different as they come, each with those around it."""
    found, seen, count = [], set(), Counter()
    for template in templates(arm):
        for name, resource in template["Resources"].items():
            kind = (resource["Type"], *sorted(resource.get("Properties", {})))
            if kind not in seen and count[resource["Type"]] < ALIKE_MAX:
                seen.add(kind)
                count[resource["Type"]] += 1
                found.append((name, around(template["Resources"], name)))
    return found


def properties(name: str) -> list[str]:
    digest = json.loads((SCHEMAS / "providers/us-east-1.json").read_text(encoding="utf-8"))[name]
    schema = json.loads((SCHEMAS / f"resources/{digest}.json").read_text(encoding="utf-8"))
    given_out = {it.split("/")[2] for it in schema.get("readOnlyProperties", []) if it.count("/") == 2}
    return sorted(set(schema["properties"]) - given_out)


def is_function(value: object) -> bool:
    return isinstance(value, dict) and len(value) == 1 and all(key == "Ref" or key.startswith("Fn::") for key in value)


def places(value: object, path: tuple) -> Iterator[tuple]:
    """A value's own path and all below it, but within functions."""
    yield path
    if isinstance(value, dict) and not is_function(value):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def other(value: object) -> object:
    """Another value of the kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return value + "x"
    return [*value, "x"] if isinstance(value, list) else {**value, "Other": "x"} if not is_function(value) else {"Ref": "Other"}


def edits(resource: dict) -> Iterator[tuple[str, str, dict]]:
    """What is done, to which property, and what the resource is then."""
    for name in resource.get("Properties", {}):
        for path in places(resource["Properties"][name], (name,)):
            for what in ("change", "remove", "compute"):
                edited = copy.deepcopy(resource)
                *above, last = path
                parent = edited["Properties"]
                for key in above:
                    parent = parent[key]
                if what == "remove":
                    del parent[last]
                else:
                    parent[last] = other(parent[last]) if what == "change" else {"Ref": "Other"}
                yield what, "/".join("*" if isinstance(it, int) else it for it in path), edited
    for name in properties(resource["Type"]):
        if name not in resource.get("Properties", {}):
            edited = copy.deepcopy(resource)
            edited.setdefault("Properties", {})[name] = "added"
            yield "add", name, edited


def pairs(arm: str) -> Iterator[dict]:
    for name, resources in samples(arm):
        for what, path, edited in edits(resources[name]):
            after = {**resources, name: edited}
            pair = {"before": {"Resources": resources}, "after": {"Resources": after}}
            yield {"name": name, "type": edited["Type"], "what": what, "path": path, **pair}


def ask(command: list[str], pairs: list[dict]) -> list[dict]:
    lines = "\n".join(json.dumps({"before": it["before"], "after": it["after"]}) for it in pairs)
    done = subprocess.run(command, input=lines + "\n", capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    expect(not done.returncode and len(answers) == len(pairs), f"{command[0]}: {len(answers)} answers; {done.stderr[-500:]}")
    return answers


def fates(ours: dict, theirs: dict) -> tuple[dict, dict]:
    """What each says of every resource that one of them has replaced."""
    our = {name: OURS[it["action"]] for name, it in ours.items() if it["action"] in OURS}
    their = {name: THEIRS[it["impact"]] for name, it in theirs.items() if it["impact"] in THEIRS}
    return our, their


def causes(ours: dict, theirs: dict, name: str) -> set[str]:
    """The properties for which either has a resource replaced."""
    our = {it["path"].split("/")[1] for it in ours.get(name, {}).get("properties", []) if it["effect"] != "None"}
    their = theirs.get(name, {}).get("properties", {})
    return our | {it for it, impact in their.items() if impact in THEIRS}


def listed(pair: dict, name: str, ours: dict, theirs: dict) -> list[tuple]:
    """The differences of the list that explain one at a resource."""
    our, their = fates(ours, theirs)
    says = (our.get(name, "stays"), their.get(name, "stays"))
    kind = pair["before"]["Resources"][name]["Type"]
    keys = {(kind, it, *says) for it in causes(ours, theirs, name)}
    return [row[:4] for row in DIFFERENCES if row[:4] in keys and says[0] != says[1]]


def judge(pair: dict, ours: dict, theirs: dict, found: dict[str, Counter]) -> None:
    """Counts where the two agree, where they differ as listed, where that goes on, and where else."""
    our, their = fates(ours, theirs)
    root = listed(pair, pair["name"], ours, theirs)
    for name in {*our, *their, pair["name"]}:
        says = (our.get(name, "stays"), their.get(name, "stays"))
        rows = listed(pair, name, ours, theirs)
        kind = pair["before"]["Resources"][name]["Type"]
        if says[0] == says[1]:
            found["agreed"][says[0]] += 1
        elif rows:
            found["known"].update(rows)
        elif root and name != pair["name"]:
            found["follows"][root[0]] += 1
        else:
            why = ", ".join(sorted(causes(ours, theirs, name)))
            found["unknown"][kind, why, *says, f"{pair['what']} {pair['type']} {pair['path']}"] += 1


def main(arm: str, compare: str, node: str, modules: str) -> int:
    made = list(pairs(arm))
    script = Path(__file__).with_name("replacements.cjs")
    our_answers, their_answers = ask([compare], made), ask([node, str(script), modules], made)
    found = {name: Counter() for name in ("agreed", "known", "follows", "unknown")}
    types, failed = set(), Counter()
    for pair, ours, theirs in zip(made, our_answers, their_answers, strict=True):
        if "failed" in theirs:
            failed[pair["what"], pair["path"]] += 1
            continue
        types.add(pair["type"])
        judge(pair, ours, theirs, found)
    for *row, why in DIFFERENCES:
        print(f"{row[0]} {row[1]}: we say {row[2]}, they say {row[3]} ({found['known'][tuple(row)]} times): {why}")
    for (kind, why, our, their, edit), count in found["unknown"].items():
        print(f"NOT LISTED: {kind} {why}: we say {our}, they say {their} ({count} times, at: {edit})")
    known, follows = found["known"].total(), found["follows"].total()
    print(f"{len(made)} pairs of {len(types)} resource types; both say {dict(found['agreed'])}; {known} differ as listed, {follows} for one of these; {failed.total()} without their answer")
    expect(not found["unknown"], f"{found['unknown'].total()} differences are not listed")
    gone = [row[:2] for row in DIFFERENCES if not found["known"][row[:4]]]
    expect(not gone, f"these differences are gone, take them off the list: {gone}")
    expect(set(failed) == {NO_ANSWER}, f"they end in an error elsewhere: {dict(failed)}")
    expect(len(types) > 25 and min(found["agreed"].values()) > 10, "too little was tried")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
