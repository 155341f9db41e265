"""The JSON Schemas against `arm check`, judged by a validator that we did not write.

Usage: json_schema.py ARM, in the project's root. What `arm check` accepts, the schema must accept:
the example stores, the mended example of every explanation, and every case below. What is wrong in
itself, without a look at anything else, the schema must refuse too. What webhooks get is as its own
schema says.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

# What plain scalars are by YAML 1.2's core schema, section 10.3.2 of its specification; PyYAML's own
# rules are those of 1.1, in which `NO` is false and `07:00` a number.
CORE = [
    (r"~|null|Null|NULL|", lambda text: None),
    (r"true|True|TRUE", lambda text: True),
    (r"false|False|FALSE", lambda text: False),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text, 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
]
# Codes of what is wrong in itself.
REFUSED = """bad-account bad-day bad-email bad-endpoint bad-event-type bad-external-id bad-hours bad-id bad-image
bad-model-data bad-name bad-phone-number bad-reason bad-role bad-rtsp bad-push-endpoint bad-url bad-wording
confidence-out-of-range empty-condition empty-file empty-value missing-key subscriber-channel unknown-key
unknown-placeholder wrong-type wrong-value
""".split()


def read(text):
    """A file as an editor's YAML 1.2 reader sees it; keys are text."""
    node = yaml.compose(text, Loader=yaml.BaseLoader)
    return None if node is None else plain(node)


def plain(node):
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    if node.style is not None:
        return node.value
    for pattern, value in CORE:
        if re.fullmatch(pattern, node.value):
            return value(node.value)
    return node.value


def wrong(schemas, name, text):
    """What the schema of a file says is wrong with it."""
    kind = "fleet" if name == "fleet.yaml" else "scenarios" if name.startswith("tests/") else "store"
    errors = schemas[kind].iter_errors(read(text))
    return [f"{name}: {'/'.join(map(str, it.absolute_path))}: {it.message[:200]}" for it in errors]


def fail(what, seen):
    sys.exit(f"FAILED: {what}\n  " + "\n  ".join(seen))


def check_examples(schemas):
    stores = pathlib.Path("stores")
    paths = sorted([*stores.glob("*.yaml"), *stores.glob("tests/*.yaml")])
    for path in paths:
        if errors := wrong(schemas, path.relative_to(stores).as_posix(), path.read_text()):
            fail("an example file is refused", errors)
    print(f"example files accepted: {len(paths)}")


def blocks(text, side):
    """The files of one side of an explanation, by name."""
    part = text.split(f"\n\n{side}:")[1].split("\n\nRight:")[0]
    return re.findall(r"```yaml stores/(\S+)\n(.*?)```", part, re.S)


def check_explanations(schemas):
    accepted = refused = 0
    seen = set()
    for path in sorted(pathlib.Path("generator/explanations").glob("*.md")):
        text = path.read_text()
        for name, block in blocks(text, "Right"):
            if errors := wrong(schemas, name, block):
                fail(f"the mended example of {path.stem} is refused", errors)
            accepted += 1
        if path.stem not in REFUSED:
            continue
        seen.add(path.stem)
        if not any(wrong(schemas, *it) for it in blocks(text, "Wrong")):
            fail(f"the wrong example of {path.stem} is accepted", [])
        refused += 1
    if missing := set(REFUSED) - seen:
        fail("codes without explanation", sorted(missing))
    print(f"mended examples accepted: {accepted}; wrong examples refused: {refused} codes")


FLEET = """cells: { us-west: { account: "123456789012", region: us-west-2 } }
model: { endpoint: shelf-behaviour }
defaults: { cell: us-west, timezone: America/Los_Angeles }
"""
STORE = """store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [] }]
"""
# Each a stretch of the store above and what stands in its place, or a line more.
ACCEPTED = [
    ("id: aisle-5 }", "id: 0421 }, { id: aisle-5 }"), ("id: aisle-5 }", "id: 1e3 }, { id: aisle-5 }"),
    ("id: aisle-5 }", "id: true }, { id: aisle-5 }"), ("id: aisle-5 }", "id: 1-0 }, { id: aisle-5 }"),
    ("id: aisle-5 }", 'id: "7" }, { id: aisle-5 }'), ("name: Renton", "name: NO"), ("name: Renton", "name: 24"),
    ("name: Renton", "name: 2.50"), ("name: Renton", "name: true"), ("name: Renton", "name: Ærøskøbing 日本"),
    ("name: Renton", "name: X"), ("aisle: aisle-5", "aisle: 'aisle-5'"), ("", "cooldown: 1d"),
    ("", "cooldown: 2 m"), ("", "cooldown: 1min"), ("", "cooldown: 007s"), ("", "cooldown: 86400s"),
    ("", "evidence: { before: 0s, after: 2m, keep: 3650d, lock: compliance }"),
    ("", "evidence: { keep: 48h }"), ("", "evidence: { keep: 86400s }"), ("", "evidence: { before: 0d }"),
    ("", "camera: { retention: 3650d, bitrate: 0.064Mbps }"), ("", "camera: { retention: 60m, bitrate: 64kbps }"),
    ("", "camera: { bitrate: 18Mbps, watch: { window: 2s } }"), ("", "camera: { bitrate: 1.25 Mbps }"),
    ("", "camera: { bitrate: 800.kbps }"), ("", "camera: { bitrate: 1.Mbps }"), ("", "uplink: 10000Mbps"),
    ("", "uplink: 999.999Mbps"), ("", "uplink: 10000.000Mbps"),
    ("", "hours: { mon-sun: 07:00-23:00 }"), ("", "hours: { sat-mon: [07:00-12:00, 13:00-23:00], 2026-12-25: closed }"),
    ("", "hours: { mon: [closed], tue: 18:00 - 02:00, wed: [], 2026-12-26: 00:00-24:00 }"),
    ("", "labels: [canary, 12, true]"), ("", "labels: []"), ("", "subscribers: []"),
    ("", "subscribers: [{ audience: floor, sms: +12065550100 }]"),
    ("", 'subscribers: [{ audience: floor, sms: "secret:a/b" }, { audience: floor, email: "ssm:/a/b" }]'),
    ("", 'subscribers: [{ audience: floor, https: "https://hooks.example.com:8443/x?y=z" }]'),
    ("", "subscribers: [{ audience: 12, email: a.b+c@example.co.uk }]"),
    ("priority: high", "priority: high, shadow: true"), ("priority: high", 'priority: high, shadow: "false"'),
    ("event_type: shelf_sweep", "event_type: [shelf_sweep, 12]"), ("event_type: shelf_sweep", "min_confidence: .5"),
    ("event_type: shelf_sweep", "min_confidence: 1"), ("event_type: shelf_sweep", 'min_confidence: "0.75"'),
    ("event_type: shelf_sweep", "min_confidence: 1.0"), ("event_type: shelf_sweep", "min_confidence: 0"),
    ("event_type: shelf_sweep", "camera: [aisle-5-a]"), ("event_type: shelf_sweep", "event_type: true"),
    ("when: { event_type: shelf_sweep }", "when: {}"), ("notify: []", "notify: [], cooldown: 90s"),
    ("aisle: aisle-5 }", "aisle: aisle-5, rtsp: rtsp://10.0.0.1/a }"),
    ("aisle: aisle-5 }", "aisle: aisle-5, zones: [{ id: a, area: [0, 0, 1, 1] }] }"),
    ("aisle: aisle-5 }", "aisle: aisle-5, zones: [{ id: a, area: ['0.1', 0.25, .5, 0.5] }] }"),
    ("", "alerts: {}"), ("", 'alerts: { headline: "{{{place}}} {priority}: {behaviour} — ägäis 日本" }'), ("", "alerts: { sms: 12 }"),
    ("", "alerts:\n  sms: >\n    {headline}\n    {case}\n"), ("", "alerts:\n  email: |\n    {headline}\n\n      {date}, {time}: {case}\n"),
    ("", f"alerts: {{ sms: {'x' * 160}, headline: {'x' * 120}, email_subject: {'x' * 99}, email: {'x' * 2000} }}"),
    ("", 'alerts: { email_subject: "[{store_id}] {headline} {store} ~ {{}}" }'), ("", 'alerts: { email: "\\n{case}" }'),
    ("", "timezone: america/los_angeles"), ("", "timezone: Etc/GMT+8"), ("", "timezone: UTC"),
]
BOTH_REFUSE = [
    ("name: Renton", "name:"), ("name: Renton", "name: null"), ("name: Renton", "name: [Renton]"),
    ("name: Renton", "name: { a: b }"), ("name: Renton", 'name: " Renton"'), ("name: Renton", "name: a<b"),
    ("name: Renton", f"name: {'x' * 65}"), ("name: Renton\n", ""), ("name: Renton", "name: Renton\nmanager: Ann"),
    ("id: aisle-5 }", "id: Aisle_5 }"), ("id: aisle-5 }", "id: a--b }"), ("store: renton-007", "store: re"),
    ("", "cooldown: 60"), ("", "cooldown: 0s"), ("", "cooldown: 2d"), ("", "cooldown: 1.5m"), ("", "cooldown: [60s]"),
    ("", "camera: { retention: 0h }"), ("", "camera: { retention: 87601h }"), ("", "camera: { retention: 59s }"),
    ("", "camera: { bitrate: 1mbps }"), ("", "camera: { bitrate: 63kbps }"), ("", "camera: { bitrate: 0.063Mbps }"),
    ("", "camera: { bitrate: 20.001Mbps }"), ("", "camera: { bitrate: 2 }"), ("", "camera: { watch: { window: 61s } }"),
    ("", "camera: { watch: { when: sometimes } }"), ("", "camera: { watch: always }"), ("", "camera: []"),
    ("", "evidence: { keep: 0d }"), ("", "evidence: { before: 121s }"), ("", "evidence: { lock: Governance }"),
    ("", "hours: { monday: 07:00-23:00 }"), ("", "hours: { mon: 7-23 }"), ("", "hours: { mon: 07:00-25:00 }"),
    ("", "hours: { mon: shut }"), ("", "hours: 07:00-23:00"), ("", "hours:"), ("", "labels: canary"),
    ("", "labels: [Canary]"), ("", "labels: [~]"), ("", "subscribers: [{ audience: floor }]"),
    ("", 'subscribers: [{ audience: floor, email: a@b.co, sms: "+12065550100" }]'),
    ("", "subscribers: [{ email: a@b.co }]"), ("", "subscribers: [{ audience: floor, email: a.b.co }]"),
    ("", "subscribers: [{ audience: floor, sms: 206-555-0100 }]"),
    ("", "subscribers: [{ audience: floor, https: http://a.example }]"),
    ("priority: high", "priority: urgent"), ("priority: high, ", ""), ("priority: high", "priority: high, shadow: yes"),
    ("event_type: shelf_sweep", "event_type: Shelf-Sweep"), ("event_type: shelf_sweep", "event_type: []"),
    ("event_type: shelf_sweep", "min_confidence: 1.5"), ("event_type: shelf_sweep", "min_confidence: high"),
    ("event_type: shelf_sweep", "period: night"), ("event_type: shelf_sweep", "aisel: aisle-5"),
    ("when: { event_type: shelf_sweep }, ", ""), ("when: { event_type: shelf_sweep }", "when: always"),
    ("aisle: aisle-5 }", "aisle: aisle-5, zones: [{ id: a, area: [0, 0, 1] }] }"),
    ("aisle: aisle-5 }", "aisle: aisle-5, zones: [{ id: a, area: [0, 0, 1, 2] }] }"),
    ("aisle: aisle-5 }", "aisle: aisle-5, rtsp: http://10.0.0.1/a }"), (", aisle: aisle-5 }", " }"),
    ("cameras: [{ id: aisle-5-a, aisle: aisle-5 }]", "cameras: { id: aisle-5-a }"),
    ("", 'alerts: { headline: "{plase}" }'), ("", 'alerts: { headline: "{ place }" }'), ("", 'alerts: { headline: "a } b" }'),
    ("", 'alerts: { headline: "{place" }'), ("", 'alerts: { headline: "{{place}" }'), ("", 'alerts: { headline: "{headline}" }'),
    ("", 'alerts: { headline: "a\\nb" }'), ("", 'alerts: { sms: "a\\tb" }'), ("", 'alerts: { email: "a\\rb" }'), ("", 'alerts: { email: "a\\u0085b" }'),
    ("", 'alerts: { email_subject: "Größe" }'), ("", 'alerts: { headline: "" }'), ("", 'alerts: { email: "\\n \\n" }'),
    ("", f"alerts: {{ sms: {'x' * 162} }}"), ("", f"alerts: {{ email: {'x' * 2002} }}"), ("", "alerts: { headline: {place} }"),
    ("", "alerts: { subject: x }"), ("", "alerts: { sms: [x] }"), ("", "alerts: x"), ("", "alerts: { sms: }"),
]
SCENARIOS = """store: renton-007
scenarios:
  - name: a sweep opens a case
    given: { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.9, at: 2026-11-22 14:03 }
    expect: { rule: sweep }
"""
SCENARIOS_ACCEPTED = [
    ("store: renton-007", "store: [renton-007]"), ("name: a sweep opens a case", "name: 24"), ("name: a sweep opens a case", "name: true"),
    ("2026-11-22 14:03", "2026-11-22T14:03:05"), ("2026-11-22 14:03", "'2026-11-22T14:03:00.500-08:00'"), ("2026-11-22 14:03", "2026-11-22t22:03Z"),
    ("confidence: 0.9, ", ""), ("confidence: 0.9", "confidence: '1'"), ("camera: aisle-5-a, ", ""), ("rule: sweep", "rule: [sweep], priority: high"),
    ("rule: sweep", "notify: [], told: [], cases: 1, alerts: 0"), ("rule: sweep", "cases: '1'"),
    ("event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.9, at", "event: { event_type: [shelf_sweep, 7], note: ~ }, at"),
    ("given: { event_type: shelf_sweep, camera: aisle-5-a, confidence: 0.9, at: 2026-11-22 14:03 }",
     "given: [{ event_type: shelf_sweep, at: 2026-11-22 14:03 }, { event: { event_type: x, start_ms: 1795384803000 } }]"),
]
SCENARIOS_BOTH_REFUSE = [
    ("store: renton-007", "store: []"), ("store: renton-007\n", ""), ("name: a sweep opens a case", "title: a sweep"),
    ("name: a sweep opens a case", f"name: {'x' * 121}"), ("2026-11-22 14:03", "14:03"), ("2026-11-22 14:03", "2026-11-22"), ("2026-11-22 14:03", "tomorrow"),
    ("confidence: 0.9", "confidence: 90"), ("shelf_sweep", "Shelf-Sweep"), ("given: { event_type: shelf_sweep, ", "given: { "),
    ("event_type: shelf_sweep, ", "event_type: shelf_sweep, event: { event_type: x }, "), ("confidence: 0.9", "event_types: a"),
    ("rule: sweep", "rule: []"), ("rule: sweep", "priority: urgent"), ("rule: sweep", "cases: -1"), ("rule: sweep", "alerts: 1.5"),
    ("rule: sweep", "told: floor"), ("expect: { rule: sweep }", "expect: sweep"), ("    expect: { rule: sweep }\n", ""),
]
FLEET_ACCEPTED = [
    ('"123456789012"', "123456789012"), ('"123456789012"', "012345678901"), ("cell: us-west, ", "cell: us-west, labels: [12], "),
    ("region: us-west-2", "region: us-west-2, log_retention: 3653d, architecture: arm64"),
    ("region: us-west-2", "region: us-west-2, ops_email: [a@example.com, 'ssm:/a/b']"),
    ("region: us-west-2", "region: us-west-2, ops_email: []"),
    ("endpoint: shelf-behaviour", "image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/a/b:1.0, instance: ml.c5.large, instances: 1-1000, concurrency: '4'"),
    ("endpoint: shelf-behaviour", "image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/a:1, instance: ml.c5.large, instances: 2, data: s3://models/a/model.tar.gz"),
    ("region: us-west-2", "region: us-west-2, quotas: { iam_roles: '2000', sagemaker_instances: { ml.g4dn.xlarge: 8 } }"),
    ("", "quotas: { kinesis_video_streams: 12000 }\n"), ("", "quotas: {}\n"),
    ("region: us-west-2", "region: us-west-2, prices: { sns_sms: '0.02', sagemaker_instances: { ml.g4dn.xlarge: 0.59 }, incidents_per_day: 5 }"),
    ("", "prices: { kinesis_video_ingest: 0.0068, s3_puts: 0 }\n"), ("", "prices: {}\n"),
    ("endpoint: shelf-behaviour", "endpoint: '1'"), ("", "audiences: [floor, 12]\n"), ("", "formats: { super: {} , 24h: { cooldown: 5m } }\n"),
    ("", "allow: [{ code: no-stores, reason: opening in spring, until: 2999-12-31 }]\n"),
]
FLEET_BOTH_REFUSE = [
    ('"123456789012"', '"1234"'), ('"123456789012"', "1234-5678-9012"), ("region: us-west-2", "region: Oregon"),
    ("region: us-west-2", "region: us-west-2, architecture: x86"), ("us-west:", "US_West:"),
    ("region: us-west-2", "region: us-west-2, log_retention: 90"), ("{ endpoint: shelf-behaviour }", "{}"),
    ("endpoint: shelf-behaviour", "endpoint: a, image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/a:1"),
    ("endpoint: shelf-behaviour", "endpoint: -a"), ("endpoint: shelf-behaviour", "endpoint: a, instances: 0"),
    ("endpoint: shelf-behaviour", "endpoint: a, instances: 1-1001"), ("endpoint: shelf-behaviour", "endpoint: a, concurrency: 4.5"),
    ("", "allow: [{ code: no-stores, reason: spring, until: 31.12.2999 }]\n"), ("", "allow: [{ code: no-stores, until: 2999-12-31 }]\n"),
    ("", "quotas: { kinesis_video_streams: 12_000 }\n"), ("", "quotas: { kinesis_streams: 5 }\n"), ("", "quotas: { iam_roles: 0 }\n"),
    ("", "quotas: { sagemaker_instances: 8 }\n"), ("", "quotas: { sagemaker_instances: { g4dn: 8 } }\n"), ("", "quotas: 8\n"),
    ("", "prices: { kinesis_ingest: 0.0068 }\n"), ("", "prices: { sns_sms: -1 }\n"), ("", "prices: { sns_sms: $0.02 }\n"), ("", "prices: { incidents_per_day: 1.5 }\n"),
    ("", "prices: { sagemaker_instances: 1 }\n"), ("", "prices: { sagemaker_instances: { g4dn: 1 } }\n"), ("", "prices: 1\n"),
    ("defaults:", "default:"), ("", "formats: { super: { cameras: [] } }\n"), ("", "audiences: floor\n"), ("", "cell: us-west\n"),
]


def cases(base, all):
    for old, new in all:
        if old not in base:
            sys.exit(f"FAILED: mend this test, its base has no `{old}`")
        yield base.replace(old, new, 1) if old else f"{base}{new}\n"


def arm_says(arm, store, fleet, scenarios=None):
    """The errors of `arm check` on a folder of a store and a fleet, or of `arm test` on their scenarios."""
    with tempfile.TemporaryDirectory() as folder:
        stem = read(store).get("store", "renton-007")
        pathlib.Path(folder, f"{stem}.yaml").write_text(store)
        pathlib.Path(folder, "fleet.yaml").write_text(fleet)
        if scenarios:
            pathlib.Path(folder, "tests").mkdir()
            pathlib.Path(folder, "tests/renton-007.yaml").write_text(scenarios)
        command = [arm, "test" if scenarios else "check", "--format", "json", "--stores", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        fail("arm check itself failed", [done.stderr])
    # A scenario that does not come out as expected is right in itself.
    found = json.loads(done.stdout).get("diagnostics", [])
    return [f"{it['code']}: {it['message']}" for it in found if it["severity"] == "error"]


def check_cases(schemas, arm):
    counts, apart = [], []
    kinds = [
        ("renton-007.yaml", STORE, ACCEPTED, BOTH_REFUSE),
        ("fleet.yaml", FLEET, FLEET_ACCEPTED, FLEET_BOTH_REFUSE),
        ("tests/renton-007.yaml", SCENARIOS, SCENARIOS_ACCEPTED, SCENARIOS_BOTH_REFUSE),
    ]
    for name, base, accepted, refused in kinds:
        for wanted, all in [(True, accepted), (False, refused)]:
            for text in cases(base, all):
                store = text if name == "renton-007.yaml" else STORE
                fleet = text if name == "fleet.yaml" else FLEET
                scenarios = text if name.startswith("tests/") else None
                if name == "fleet.yaml":
                    store = store.replace("store:", f"cell: {next(iter(read(fleet)['cells']))}\nstore:", 1)
                told, seen = arm_says(arm, store, fleet, scenarios), wrong(schemas, name, text)
                if (not told) != wanted or (not seen) != wanted:
                    verdict = "accepted" if wanted else "refused"
                    apart.append(f"to be {verdict}: {text}  arm: {told}\n  schema: {seen}")
            counts.append(len(all))
    if apart:
        fail("arm and the schema say otherwise", apart)
    print(f"cases on which arm and the schema agree: {sum(counts[::2])} accepted, {sum(counts[1::2])} refused")


def output(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def check_webhooks(arm):
    """What webhooks get, written by the code that sends it, by the schema that `arm schema alert` prints."""
    schema = json.loads(output([arm, "schema", "alert"]))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    lines = output(["cargo", "run", "--quiet", "--locked", "--package", "arm-contract", "--example", "webhooks"])
    alerts = [json.loads(line) for line in lines.split("\n") if line]
    for alert in alerts:
        if errors := [it.message for it in validator.iter_errors(alert)]:
            fail(f"the schema refuses an alert that is sent: {alert}", errors)
    told = set().union(*alerts)
    if apart := told ^ set(schema["properties"]):
        fail("the schema has other fields than alerts", sorted(apart))
    if bare := [name for name, it in schema["properties"].items() if not it.get("description")]:
        fail("fields that nobody explains", bare)
    for name in schema["required"]:
        if validator.is_valid({key: value for key, value in alerts[0].items() if key != name}):
            fail(f"the schema accepts an alert without {name}", [])
    for change in [{"confidence": 93}, {"priority": "urgent"}, {"at": "2026-11-22"}, {"schema": "arm.alert/2"}, {"text": ""}]:
        if validator.is_valid(alerts[0] | change):
            fail("the schema accepts an alert that is never sent", [str(change)])
    if not validator.is_valid(alerts[0] | {"later": 1}):
        fail("the schema refuses a field that a later version may add", [])
    print(f"webhook texts by the schema arm.alert/1: {len(alerts)}, with {len(told)} fields")


def main():
    schemas = {}
    for kind in ["store", "fleet", "scenarios"]:
        schema = json.loads(pathlib.Path(f"stores/schema/{kind}.json").read_text())
        jsonschema.Draft7Validator.check_schema(schema)
        schemas[kind] = jsonschema.Draft7Validator(schema)
    print("all schemas are valid by the metaschema of draft-07")
    check_examples(schemas)
    check_explanations(schemas)
    check_cases(schemas, sys.argv[1])
    check_webhooks(sys.argv[1])


main()
