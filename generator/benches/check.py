#!/usr/bin/env python3
"""Times `arm check` beside what people would use instead, on the same stores: cfn-lint on the
templates, and a JSON Schema validator on the YAML.

Usage: PYTHON generator/benches/check.py ARM [--stores 1000] [--linted 100]

PYTHON is one with the packages of tests/requirements.txt; ARM a release build. cfn-lint is run on
`--linted` of the templates and its time scaled up, as it takes about a second for each. Prints CPU
and wall time, peak memory, and the ratio of CPU time to ours. Machines are noisy: compare within
one run.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

CELL_STORES = 200
CAMERAS = 40


def write_stores(folder, number):
    """A fleet of this many stores, each with 20 aisles and 40 cameras."""
    cells = "".join(
        f'  west-{cell}: {{ account: "{100000000000 + cell}", region: us-west-2 }}\n'
        for cell in range(-(-number // CELL_STORES))
    )
    quotas = "quotas: { eventbridge_buses: 300, lambda_concurrency: 5000 }\n"
    rules = (
        "    - { name: after-hours, when: { period: closed }, priority: critical, notify: [lp] }\n"
        "    - { name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [lp, floor] }\n"
        "    - { name: high-value, when: { event_type: concealment, aisle_kind: high-value }, priority: high, notify: [lp] }\n"
        "    - { name: concealment, when: { event_type: concealment, min_confidence: 0.7 }, priority: medium, notify: [floor] }\n"
    )
    (folder / "fleet.yaml").write_text(
        f"cells:\n{cells}model: {{ endpoint: shelf-behaviour }}\n{quotas}audiences: [lp, floor]\n"
        f"defaults:\n  timezone: America/Los_Angeles\n  hours: {{ mon-sat: 07:00-23:00 }}\n  rules:\n{rules}"
    )
    for store in range(number):
        lines = [f"store: store-{store:05}", f"name: Store {store}", f"cell: west-{store // CELL_STORES}", "aisles:"]
        kinds = ["staple", "high-value"]
        lines += [f"  - {{ id: aisle-{n}, name: Aisle {n}, kind: {kinds[n % 5 == 0]} }}" for n in range(1, 21)]
        lines += ["cameras:"]
        lines += [f"  - {{ id: camera-{n}, aisle: aisle-{n % 20 + 1} }}" for n in range(CAMERAS)]
        lines += [
            "subscribers:",
            f'  - {{ audience: lp, sms: "+1206555{store % 10000:04}" }}',
            f"  - {{ audience: lp, email: lp-{store}@example.com }}",
            f"  - {{ audience: floor, email: floor-{store}@example.com }}",
        ]
        (folder / f"store-{store:05}.yaml").write_text("\n".join(lines) + "\n")


def timed(command):
    """Runs a command; returns CPU seconds, wall seconds and peak memory in MB."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]} failed:\n{error[-2000:]}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


VALIDATE = """
import json, pathlib, sys, jsonschema, yaml
schema = json.loads(pathlib.Path(sys.argv[1]).read_text())
validator = jsonschema.validators.validator_for(schema)(schema)
files = sorted(pathlib.Path(sys.argv[2]).glob("store-*.yaml"))
for file in files:
    validator.validate(yaml.load(file.read_text(), yaml.CSafeLoader))
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("arm")
    parser.add_argument("--stores", type=int, default=1000)
    parser.add_argument("--linted", type=int, default=100)
    options = parser.parse_args()
    arm = str(pathlib.Path(options.arm).resolve())
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        stores = home / "stores"
        stores.mkdir()
        write_stores(stores, options.stores)
        bytes_read = sum(file.stat().st_size for file in stores.iterdir())
        ours = timed([arm, "check", "--stores", str(stores)])
        (home / "schema.json").write_text(subprocess.check_output([arm, "schema", "store"], text=True))
        schema = timed([sys.executable, "-c", VALIDATE, str(home / "schema.json"), str(stores)])
        subprocess.check_call(
            [arm, "generate", "--stores", str(stores), "--out", str(home / "out")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        templates = sorted(map(str, home.glob("out/*/stores/*.json")))[: options.linted]
        lint = timed([str(pathlib.Path(sys.executable).parent / "cfn-lint"), "--regions", "us-west-2", "--", *templates])
    scale = options.stores / len(templates)
    rows = [
        ("arm check", ours, 1),
        ("JSON Schema (Python jsonschema, C YAML)", schema, 1),
        (f"cfn-lint, {len(templates)} templates scaled up", lint, scale),
    ]
    print(f"{options.stores} stores of {CAMERAS} cameras, {bytes_read / 1e6:.1f} MB of YAML")
    print(f"{'':42} {'CPU s':>9} {'wall s':>9} {'peak MB':>9} {'CPU ratio':>10}")
    for name, (cpu, wall, peak), factor in rows:
        print(f"{name:42} {cpu * factor:9.2f} {wall * factor:9.2f} {peak:9.0f} {cpu * factor / ours[0]:9.1f}x")
    print(json.dumps({name: {"cpu_s": cpu * factor, "wall_s": wall * factor, "peak_mb": peak} for name, (cpu, wall, peak), factor in rows}))


if __name__ == "__main__":
    main()
