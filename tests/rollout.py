"""Rolls fleets out on the local AWS, with throttling, broken stores and a runner that is killed.

    python tests/rollout.py ARM SERVE SCENARIO [NUMBER]

ARM is the command, SERVE our own Kinesis Video service. `small` is what every run of the tests does: 24 stores in
waves with a third of all calls throttled and some failing, two stores broken, a run that is killed and goes on, a
second run that is kept out, a plan that is stale or altered, a journal that cannot be written. `storm` rolls out NUMBER stores (400),
`kill` kills a run of 40 stores NUMBER times (50), `few` changes 3 of NUMBER stores (1,000). CloudFormation is
MiniStack's: what only AWS shows is how long resources take, and its real limits.
"""

import argparse
import contextlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from faults.aws import free_port, ministack_python, wait_for_port  # noqa: E402
from rollouts.gate import Gate  # noqa: E402

ACCOUNT, REGION, CELLS_MAX = "123456789012", "us-west-2", 200
# Most CloudFormation reads a second of a cell, over ten seconds; what `deploy/pace.rs` allows, and the first call.
READS_MAX = 4.1
THROTTLED, FAILING = 0.3, 0.02
FLEET = """cells:
{cells}model:
  image: {account}.dkr.ecr.{region}.amazonaws.com/shelf-behaviour:2026.11.1
  data: s3://example-models/shelf-behaviour/2026.11.1/model.tar.gz
  instance: ml.g4dn.xlarge
  instances: 1-2
quotas:
  sagemaker_instances: {{ ml.g4dn.xlarge: 1000 }}
  sagemaker_endpoint_instances: 1000
  sagemaker_instances_per_endpoint: 1000
  eventbridge_buses: 3000
  kinesis_video_streams: 100000
  lambda_concurrency: 100000
audiences: [floor]
waves:
  - {{ name: canary, labels: [canary] }}
  - {{ name: early, stores: 20% }}
  - {{ name: rest, max_failures: {failures} }}
defaults:
  timezone: America/Los_Angeles
  hours: {{ mon-sun: 07:00-23:00 }}
  camera: {{ retention: 24h, bitrate: 1Mbps, watch: {{ window: 10s, when: always }} }}
  rules:
    - name: shelf-sweep
      when: {{ event_type: shelf_sweep }}
      priority: high
      notify: [floor]
  cooldown: 60s
"""
STORE = """store: {id}
name: Store {id}
cell: {cell}
labels: [{label}]
aisles:
  - {{ id: aisle-1, name: Aisle 1, kind: high-value }}
cameras:
  - {{ id: cam-1, aisle: aisle-1 }}
subscribers:
  - {{ audience: floor, https: "https://hooks.example.com/{id}" }}
"""


def expect(holds: bool, promise: str) -> None:
    print(("ok    " if holds else "WRONG ") + promise, flush=True)
    if not holds:
        raise SystemExit(f"not kept: {promise}")


class Stage:
    """A local AWS behind the gate, and a fleet on the disk."""

    def __init__(self, work: Path, arm: str, serve: str) -> None:
        self.work, self.arm = work, arm
        video, gateway = free_port(), free_port()
        self.upstream = f"http://127.0.0.1:{gateway}"
        self.servers: list[subprocess.Popen[bytes]] = []
        self.start("video", [serve, f"127.0.0.1:{video}"], {})
        files = work / "files"
        files.mkdir()
        environment = {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(gateway), "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION, "TMPDIR": str(files), "AWS_ENDPOINT_URL": self.upstream,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": f"http://127.0.0.1:{video}",
            "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": REGION,
        }
        self.start("ministack", [str(ministack_python()), str(ROOT / "tests/rollouts/start.py")], environment)
        for port in (video, gateway):
            wait_for_port(port)
        self.gate = Gate(self.upstream)
        self.stores = work / "stores"
        self.stores.mkdir()

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = (self.work / f"{name}.log").open("wb")
        self.servers.append(
            subprocess.Popen(
                command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        )

    def stop(self) -> None:
        self.gate.close()
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def write(self, number: int, failures: int = 0) -> list[str]:
        """So many stores in as many cells as they need; their ids."""
        cells = -(-number // CELLS_MAX)
        lines = "".join(f"  us-{cell}: {{ account: \"{ACCOUNT}\", region: {REGION} }}\n" for cell in range(cells))
        text = FLEET.format(cells=lines, account=ACCOUNT, region=REGION, failures=failures)
        (self.stores / "fleet.yaml").write_text(text, encoding="utf-8")
        ids = [f"store-{index:04}" for index in range(number)]
        for index, store in enumerate(ids):
            label = "canary" if index < max(1, number // 20) else "plain"
            text = STORE.format(id=store, cell=f"us-{index % cells}", label=label)
            (self.stores / f"{store}.yaml").write_text(text, encoding="utf-8")
        return ids

    def environment(self, **more: str) -> dict[str, str]:
        return os.environ | {
            "AWS_ENDPOINT_URL": self.gate.url, "AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
        } | more

    def command(self, *arguments: str) -> list[str]:
        name, *rest = arguments
        bundle = ["--bundle", str(self.work / "bundle")]
        journal = ["--journal", str(self.work / "journal")] if name == "deploy" else []
        # There is no model here, and `tests/preflight.py` is about that.
        return [self.arm, name, *rest, "--no-preflight", "--stores", str(self.stores), *bundle, *journal]

    def run(self, *arguments: str, file_bytes_max: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            # What is written beyond that fails, as on a full disk.
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max))

        return subprocess.run(
            self.command(*arguments), env=self.environment(**more), capture_output=True, text=True, check=False, timeout=3600,
            preexec_fn=limit if file_bytes_max else None,
        )

    def client(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.upstream, region_name=REGION, aws_access_key_id=ACCOUNT, aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 0}),
        )

    def stacks(self) -> dict[str, dict[str, Any]]:
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return {it["StackName"]: it for page in pages for it in page["Stacks"]}

    def operations(self) -> Counter[str]:
        """How often each stack's creation or update was begun, by CloudFormation's own events."""
        begun: Counter[str] = Counter()
        pages = self.client("cloudformation").get_paginator("describe_stack_events")
        for name in self.stacks():
            for page in pages.paginate(StackName=name):
                for event in page["StackEvents"]:
                    is_stack = event["LogicalResourceId"] == name
                    if is_stack and event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                        begun[name] += 1
        return begun

    def state(self) -> dict[str, tuple[str, str]]:
        """Status and digest of every stack: what a rollout comes to."""
        digest = lambda it: next((o["OutputValue"] for o in it.get("Outputs", []) if o["OutputKey"] == "ReleaseDigest"), "")
        return {name: (it["StackStatus"], digest(it)) for name, it in self.stacks().items()}


@contextlib.contextmanager
def stage(arm: str, serve: str) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as folder:
        found = Stage(Path(folder), arm, serve)
        try:
            binary = Path(folder) / "bootstrap"
            source = Path(arm).parent / "bootstrap"
            binary.write_bytes(source.read_bytes())
            made = subprocess.run(
                [arm, "bundle", "--binary", str(binary), "--out", str(found.work / "bundle")], capture_output=True, text=True, check=False
            )
            expect(made.returncode == 0, f"the bundle is made {made.stderr}")
            yield found
        finally:
            found.stop()


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def break_stores(found: Stage, ids: list[str], cell_of: dict[str, str]) -> None:
    """Somebody else has an event bus of the name that the store's needs."""
    buses = found.client("events")
    for store in ids:
        buses.create_event_bus(Name=f"arm-{cell_of[store]}-{store}")


def storm(found: Stage, number: int, broken: int) -> None:
    """Throttling and failures: what CloudFormation finished counts as done, what is broken fails alone."""
    ids = found.write(number, failures=broken)
    cells = {it: f"us-{index % (-(-number // CELLS_MAX))}" for index, it in enumerate(ids)}
    bad = random.Random(7).sample(ids[number // 2 :], broken)
    break_stores(found, bad, cells)
    found.gate.throttled, found.gate.failing = THROTTLED, FAILING
    began = time.monotonic()
    run = found.run("deploy", "--yes", "--format", "json")
    took = time.monotonic() - began
    found.gate.throttled = found.gate.failing = 0.0
    told = events(run.stdout)
    (found.work / "storm.json").write_text(run.stdout)
    end = told[-1]
    expect(run.returncode == 4, f"some stores failed, so the exit code is 4: {run.returncode} {run.stderr[-800:]}")
    failed = sorted(it["stack"].rpartition("store-")[2] for it in end["failed"])
    failed = sorted(f"store-{it}" for it in failed)
    expect(failed == sorted(bad), f"those that are broken fail, and no other: {failed}")
    causes = {it["cause"] for it in end["failed"]}
    expect(all("Bus" in it for it in causes), f"each with its cause: {sorted(causes)[0]}")
    good = [name for name, (status, _) in found.state().items() if status == "CREATE_COMPLETE"]
    expect(len(good) == number - broken + 2 * len(set(cells.values())), f"{len(good)} stacks are complete")
    expect(set(end["changed"]) == set(good), "every stack that CloudFormation finished counts as done")
    again = {name: count for name, count in found.operations().items() if count != 1}
    expect(not again, f"no stack was begun twice {again}")
    calls = found.gate.count()
    refused = Counter(it[4] for it in found.gate.calls if it[1] == "cloudformation")
    cells_count = len(set(cells.values()))
    rate = found.gate.rate() / cells_count
    print(f"      {took:.0f} s, {sum(calls.values())} calls of CloudFormation: {dict(calls)}")
    print(f"      throttled {refused['throttled']}, failed {refused['failed']}; most reads a second and cell: {rate:.1f}")
    expect(rate <= READS_MAX, f"reads a second and cell stay at {READS_MAX} or less: {rate:.1f}")


def undisturbed(arm: str, serve: str, number: int) -> dict[str, tuple[str, str]]:
    with stage(arm, serve) as found:
        found.write(number)
        run = found.run("deploy", "--yes", "--format", "json")
        expect(run.returncode == 0, f"an undisturbed run ends with 0: {run.stderr[-500:]}")
        return found.state()


def killed(found: Stage, rounds: int, number: int, wanted: dict[str, tuple[str, str]] | None) -> None:
    """A run that is killed at some moment, again and again, and goes on each time."""
    found.write(number)
    chance = random.Random(11)
    kills = 0
    first = True
    while kills < rounds:
        arguments = ["deploy", "--yes"] if first else ["deploy", "--yes", "--resume"]
        process = subprocess.Popen(
            found.command(*arguments, "--format", "json"), env=found.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        moment = chance.uniform(0.2, 6.0)
        try:
            _, error = process.communicate(timeout=moment)
            if process.returncode == 0:
                break
            expect("no run to go on with" in error, f"it ends by itself only where it never began: {process.returncode} {error[-600:]}")
            first = True
            continue
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            first = not any((found.work / "journal").glob("*.ndjson"))
    run = found.run("deploy", "--yes", "--resume", "--format", "json")
    is_over = "has ended" in run.stderr or "no run to go on with" in run.stderr
    expect(run.returncode == 0 or is_over, f"after {kills} kills the run goes on to its end: {run.stderr[-600:]}")
    again = {name: count for name, count in found.operations().items() if count != 1}
    expect(not again, f"no stack was begun twice {again}")
    if wanted:
        expect(found.state() == wanted, "the end is that of an undisturbed run")


def few(found: Stage, number: int) -> None:
    """A release in which three stores changed."""
    ids = found.write(number)
    first = found.run("deploy", "--yes", "--format", "json")
    expect(first.returncode == 0, f"the fleet is rolled out: {first.stderr[-500:]}")
    found.gate.forget()
    none = found.run("deploy", "--yes", "--format", "json")
    calls = found.gate.count()
    expect(none.returncode == 0, "without a change it ends with 0")
    print(f"      nothing changed: {dict(calls)}, {sum(found.gate.count('s3').values())} of S3")
    expect(set(calls) == {"DescribeStacks"}, "without a change the stacks are listed, and nothing else is asked")
    for store in ids[:3]:
        path = found.stores / f"{store}.yaml"
        path.write_text(path.read_text().replace("id: cam-1,", "id: cam-1, retention: 48h,"))
    found.gate.forget()
    run = found.run("deploy", "--yes", "--format", "json")
    expect(run.returncode == 0, f"three stores change: {run.stderr[-500:]}")
    calls = found.gate.count()
    total = sum(calls.values())
    end = events(run.stdout)[-1]
    expect(len(end["changed"]) == 3, f"3 stacks changed, {len(end['unchanged'])} did not")
    stacks = len(found.stacks())
    print(f"      {total} calls: {dict(calls)}, {sum(found.gate.count('s3').values())} of S3, of {stacks} stacks")
    print(f"      a change set per stack would be {stacks} times create, describe and delete at least: {3 * stacks}")


def guarded(found: Stage, number: int) -> None:
    """What is refused: another run, a stale or altered plan, a full disk, credentials that are gone or another's."""
    plan = found.work / "release.plan"
    made = found.run("plan", "-o", str(plan), "--exit-code")
    expect(made.returncode == 0, f"nothing is left to do: {made.returncode} {made.stdout} {made.stderr[-500:]}")
    path = found.stores / "store-0000.yaml"
    text = path.read_text()
    path.write_text(text.replace("id: cam-1,", "id: cam-1, retention: 72h,"))
    made = found.run("plan", "-o", str(plan), "--exit-code")
    expect(made.returncode == 10, f"with a change it exits with 10: {made.returncode} {made.stderr[-500:]}")
    print(made.stdout)
    altered = json.loads(plan.read_text())
    altered["waves"] = []
    forged = found.work / "forged.plan"
    forged.write_text(json.dumps(altered))
    run = found.run("deploy", "--plan", str(forged))
    expect(run.returncode == 1 and "it was altered" in run.stderr, "an altered plan is refused")
    path.write_text(text.replace("id: cam-1,", "id: cam-1, retention: 96h,"))
    run = found.run("deploy", "--plan", str(plan))
    expect(run.returncode == 1 and "says something else now" in run.stderr, f"a stale plan is refused {run.stderr[-400:]}")
    path.write_text(text.replace("id: cam-1,", "id: cam-1, retention: 72h,"))
    held(found)
    full_disk(found)
    run = found.run("deploy", "--yes", AWS_ACCESS_KEY_ID="999999999999")
    expect(run.returncode == 1 and "999999999999" in run.stderr, f"another account's credentials are refused {run.stderr[-300:]}")
    run = found.run("deploy", "--plan", str(plan))
    expect(run.returncode == 0, f"the plan that was approved is carried out: {run.stderr[-500:]}")
    before = found.operations()
    run = found.run("deploy", "--plan", str(plan))
    expect(run.returncode == 0 and found.operations() == before, "and once more it does nothing, and is no failure")
    path.write_text(text)
    run = found.run("deploy", "--plan", str(plan))
    expect(run.returncode == 1 and "stale" in run.stderr, "after another change it is refused")


def full_disk(found: Stage) -> None:
    """The journal takes its first line, and no other."""
    before = found.operations()
    run = found.run("deploy", "--yes", file_bytes_max=400)
    expect(run.returncode == 3 and "cannot write the journal" in run.stderr, f"a full disk ends the run: {run.stderr[-500:]}")
    expect(found.operations() == before, "and nothing began that the journal does not know")


def held(found: Stage) -> None:
    """A second run meets the first one's lock."""
    bucket = f"arm-us-0-artifacts-{ACCOUNT}-{REGION}"
    holder = {"run": "run-other", "by": "somebody at elsewhere", "since": "2026-11-22T08:00:00Z"}
    store = found.client("s3")
    store.put_object(Bucket=bucket, Key="deploy/lock.json", Body=json.dumps(holder).encode())
    before = found.state()
    run = found.run("deploy", "--yes")
    said = "somebody at elsewhere, since 2026-11-22T08:00:00Z"
    expect(run.returncode == 3 and said in run.stderr, f"a second run says who is at work, and since when: {run.stderr[-300:]}")
    expect(found.state() == before, "and touches nothing")
    store.delete_object(Bucket=bucket, Key="deploy/lock.json")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("arm")
    parser.add_argument("serve")
    parser.add_argument("scenario", choices=["small", "storm", "kill", "few"])
    parser.add_argument("number", nargs="?", type=int)
    options = parser.parse_args()
    arm, serve = os.path.abspath(options.arm), os.path.abspath(options.serve)
    if options.scenario == "storm":
        with stage(arm, serve) as found:
            storm(found, options.number or 400, 5)
    elif options.scenario == "kill":
        wanted = undisturbed(arm, serve, 40)
        rounds, left = 0, options.number or 50
        while rounds < left:
            with stage(arm, serve) as found:
                killed(found, min(10, left - rounds), 40, wanted)
            rounds += 10
    elif options.scenario == "few":
        with stage(arm, serve) as found:
            few(found, options.number or 1000)
    else:
        with stage(arm, serve) as found:
            storm(found, 24, 2)
        with stage(arm, serve) as found:
            killed(found, 4, 12, None)
            guarded(found, 12)


if __name__ == "__main__":
    main()
