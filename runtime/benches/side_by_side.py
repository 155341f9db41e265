#!/usr/bin/env python3
"""`respond`, `preserve` and `analyze` beside the same functions in Python (boto3, awslambdaric), with an empty
function in Rust as the floor: in one run, interleaved, on one machine, against one stub of AWS.

Usage: runtime/benches/side_by_side.py [--starts 40] [--events 600] [--also NAME=BOOTSTRAP]... [--no-build]

Needs cargo and python3.11; makes its own environment from requirements.txt, in .arm/benches. Plays
Lambda's Runtime API itself: a start is timed from exec to the first poll for an event, an event from
handing it over to its answer. Every contender must make the same calls, and fail nothing, or there is
no table. `--also` adds other builds of ours, to see what a change brings.

Machines are noisy: quote the ratios of one run, never its times. What this does not have of Lambda:
TLS, the distance to AWS, and a share of a CPU instead of a whole one; that share makes every
difference in CPU time a longer one in time.
"""

import argparse
import hashlib
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import zipfile

sys.dont_write_bytecode = True  # leaves nothing beside the programs

from lambda_host import HERE, Failed, Instance, Stub

ROOT = HERE.parents[1]
CLIP_BYTES = 4_000_000  # 30 s at about 1 Mbit/s
LARGE_CLIP_BYTES = 100_000_000  # what GetClip gives at most
LARGEST = {"preserve": "clips of 100 MB", "analyze": "windows of 5.75 MB"}
HOURS = {"timezone": "America/Los_Angeles", "week": [["07:00-23:00"]] * 7}
WARM_UP = 30
BATCH = 50
LARGE = 3
# Lambda's image has its certificate authorities in one file; others have a file for each as well.
BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
AUTHORITIES = {"SSL_CERT_FILE": path for path in reversed(BUNDLES) if os.path.exists(path)}


class Contender:
    def __init__(self, name, function, command, handler):
        self.name, self.function, self.command, self.handler = name, function, command, handler
        self.starts, self.start_cpus, self.firsts, self.events, self.cpus = [], [], [], [], []
        self.peak_mb = self.large_mb = self.large_cpu_s = self.calls = None

    def environment(self, api, stub):
        return {
            "PATH": "/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", "HOME": "/nonexistent",
            "AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": self.handler, "LAMBDA_TASK_ROOT": str(HERE),
            "AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_SESSION_TOKEN": "none",
            "AWS_LAMBDA_FUNCTION_NAME": self.function, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench", "AWS_ENDPOINT_URL": stub.url,
            "ARM_CELL": "us-west", "ARM_CASE_TABLE": "cases", "ARM_ENDPOINT_NAME": "model", "ARM_EVIDENCE_BUCKET": "evidence",
            "ARM_EVIDENCE_QUEUE_URL": f"{stub.url}/123456789012/evidence",
            "PYTHONPYCACHEPREFIX": str(ROOT / ".arm" / "benches" / "compiled"), **AUTHORITIES,
        }  # fmt: skip


def incident(number, camera, start_ms):
    """A message of the queue `incidents`: a detection as our detector makes it, under a rule."""
    return {
        "version": 1,
        "store": {"id": "seattle-001", "name": "Pike Place", "cell": "us-west", "timezone": "America/Los_Angeles"},
        "rule": "shelf-sweep", "priority": "high", "notify": ["loss-prevention", "floor"],
        "topic": "arn:aws:sns:us-west-2:123456789012:arm-us-west-seattle-001-alerts",
        "cooldown_s": 1, "shadow": False, "stream_prefix": "arm-us-west-seattle-001-",
        "evidence": {"before_s": 15, "after_s": 15, "keep_days": 90, "lock": "governance", "retention_hours": 24},
        "event_id": f"6a7e8feb-b491-4cf7-a9f1-{number:012}", "resources": [],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "detail": {
            "version": 1, "event_type": "shelf_sweep", "confidence": 0.93, "store": "seattle-001", "camera": camera,
            "stream": f"arm-us-west-seattle-001-{camera}", "aisle": "aisle-5", "aisle_name": "Aisle 5",
            "aisle_kind": "high-value", "period": "open", "start_ms": start_ms, "end_ms": start_ms + 2000,
        },
    }  # fmt: skip


def batch(body):
    """An event as Lambda makes it of one message of a queue."""
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body, "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(time.time() * 1000))},
        "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": "us-west-2",
        "eventSourceARN": "arn:aws:sqs:us-west-2:123456789012:bench",
    }  # fmt: skip
    return {"Records": [record]}


class Incidents:
    """Detections of which each opens a case."""

    def __init__(self):
        self.number = 0

    def events(self, count, _large=False):
        now_ms = int(time.time() * 1000)
        for _ in range(count):
            self.number += 1
            yield batch(json.dumps(incident(self.number, f"cam-{self.number}", now_ms - 60_000)))


class Windows:
    """Windows of ten seconds; a large one is what one call of the model takes."""

    def events(self, count, large=False):
        now_ms = int(time.time() * 1000) // 1000 * 1000
        for _ in range(count):
            yield batch(json.dumps({
                "version": 1, "id": "8d5c3ef2b7a94c1e8d5c3ef2b7a94c1e", "camera": "cam-1",
                "store": {"id": "seattle-001", "name": "Pike Place", "cell": "us-west", "timezone": "America/Los_Angeles"},
                "aisle": {"id": "aisle-5", "name": "Aisle 5", "kind": "high-value"},
                "stream": "arm-us-west-seattle-001-cam-1", "bus": "arm-us-west-seattle-001",
                "start_ms": now_ms - (46_000 if large else 10_000), "end_ms": now_ms, "expires_ms": now_ms + 600_000,
                "hours": HOURS,
            }))  # fmt: skip


class Requests:
    """Requests for the clips of cases that `respond` opened; all are open again after each `events`."""

    def __init__(self, respond, stub):
        self.stub = stub
        self.messages = {size: self.open(respond, size) for size in (CLIP_BYTES, LARGE_CLIP_BYTES)}
        stub.ask("save")

    def open(self, respond, size):
        now_ms = int(time.time() * 1000)
        self.stub.ask("queued")  # what another benchmark has sent
        instance = Instance(respond, self.stub)
        for number in range(BATCH):
            instance.invoke(batch(json.dumps(incident(number, f"cam-{size}", now_ms - (number + 1) * 60_000))))
        instance.end()
        return self.stub.ask("queued")

    def events(self, count, large=False):
        self.stub.ask("restore")
        messages = self.messages[LARGE_CLIP_BYTES if large else CLIP_BYTES]
        for message in messages[:count]:
            yield batch(message)


def cold(contenders, source, stub, starts):
    for contender in contenders:
        # Brings files into memory, and lets Python compile its own.
        Instance(contender, stub).end()
    for _ in range(starts):
        for contender in contenders:
            instance = Instance(contender, stub)
            contender.starts.append(instance.start_s)
            contender.start_cpus.append(instance.start_cpu_s)
            contender.firsts += [instance.invoke(event) for event in source.events(1)]
            instance.end()


def warm(contenders, source, stub, events):
    instances = [(contender, Instance(contender, stub)) for contender in contenders]
    for contender, instance in instances:
        for event in source.events(WARM_UP):
            instance.invoke(event)
    for turn in range(events // BATCH):
        # Another one goes first each time.
        first = turn % len(instances)
        for contender, instance in instances[first:] + instances[:first]:
            batch_events = list(source.events(BATCH))
            stub.ask("calls")
            before = instance.cpu_s()
            contender.events += [instance.invoke(event) for event in batch_events]
            contender.cpus.append((instance.cpu_s() - before) / BATCH)
            contender.calls = stub.ask("calls")
    for contender, instance in instances:
        contender.peak_mb = instance.peak_mb()
        instance.end()


def large(contenders, source, stub):
    for contender in contenders:
        instance = Instance(contender, stub)
        before = instance.cpu_s()
        for event in source.events(LARGE, large=True):
            instance.invoke(event)
        contender.large_cpu_s = (instance.cpu_s() - before) / LARGE
        contender.large_mb = instance.peak_mb()
        instance.end()


def environment():
    """A Python 3.11 with exactly the packages of requirements.txt."""
    listed = (HERE / "requirements.txt").read_bytes()
    home = ROOT / ".arm" / "benches" / f"python-{hashlib.sha256(listed).hexdigest()[:12]}"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.check_call(["python3.11", "-m", "venv", home])
        pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        subprocess.check_call([*pip, "-r", HERE / "requirements.txt"])
        (home / "ready").touch()
    return home


def zipped(files):
    """Size of a zip of files, as pairs of name and path."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            archive.write(path, name)
    return len(out.getvalue())


def packages(home):
    """What a Python function brings that does not rely on Lambda's own boto3."""
    site = next((home / "lib").glob("python3*/site-packages"))
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        found = [site / name] if (site / name).is_file() else (site / name).rglob("*")
        yield from ((str(it.relative_to(site)), it) for it in found if it.is_file() and "__pycache__" not in it.parts)


def build(options):
    """The programs, built as they are shipped."""
    if not options.no_build:
        # The binary alone first: the examples' own dependencies must not change its features.
        for what in (["--bin", "bootstrap"], ["--example", "stub_aws", "--example", "empty"]):
            subprocess.check_call(["cargo", "build", "--release", "--locked", *what], cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return target / "bootstrap", target / "examples" / "empty", target / "examples" / "stub_aws"


def median(values):
    return statistics.median(values)


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def report(contenders, sizes):
    ours = contenders[0]
    rows = [
        ("start, median ms", lambda it: 1e3 * median(it.starts)),
        ("start, p95 ms", lambda it: 1e3 * p95(it.starts)),
        ("start, CPU ms", lambda it: 1e3 * median(it.start_cpus)),
        ("first event, median ms", lambda it: 1e3 * median(it.firsts)),
        ("start + first event, median ms", lambda it: 1e3 * median([sum(pair) for pair in zip(it.starts, it.firsts)])),
        ("event, median ms", lambda it: 1e3 * median(it.events)),
        ("event, p95 ms", lambda it: 1e3 * p95(it.events)),
        ("event, CPU ms", lambda it: 1e3 * median(it.cpus)),
        ("peak memory, MB", lambda it: it.peak_mb),
        (f"the same, {LARGEST.get(ours.function)}", lambda it: it.large_mb),
        ("such an event, CPU ms", lambda it: it.large_cpu_s and 1e3 * it.large_cpu_s),
        ("zip, MB", lambda it: sizes[it.name][0] / 1e6),
        ("zip with all libraries, MB", lambda it: sizes[it.name][1] / 1e6),
    ]
    print(f"\n{ours.function}: {len(ours.starts)} starts, {len(ours.events)} events")
    print(f"{'':32}" + "".join(f"{it.name:>24}" for it in contenders))
    for label, value in rows:
        if value(ours) is None:
            continue
        cells = []
        for it in contenders:
            one = value(it)
            ratio = "" if it is ours or one is None else f" {one / value(ours):6.2f}x"
            cells.append(f"{'-' if one is None else f'{one:.2f}'}{ratio:8}")
        print(f"{label:32}" + "".join(f"{cell:>24}" for cell in cells))


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--starts", type=int, default=40)
    options.add_argument("--events", type=int, default=600)
    options.add_argument("--also", action="append", default=[], metavar="NAME=BOOTSTRAP")
    options.add_argument("--no-build", action="store_true")
    options = options.parse_args()
    home = environment()
    bootstrap, empty, stub_program = build(options)
    others = dict(it.split("=", 1) for it in options.also)
    stub = Stub(stub_program)
    try:
        print(f"the stub alone: {stub.alone_us():.0f} us an answer")
        for function in ("respond", "preserve", "analyze"):
            ours = Contender("ours", function, [bootstrap], function)
            python = [home / "bin" / "python", "-m", "awslambdaric", f"peer_{function}.handler"]
            peer = Contender("boto3", function, python, f"peer_{function}.handler")
            floor = Contender("empty in Rust", function, [empty], "empty")
            also = [Contender(name, function, [path], function) for name, path in others.items()]
            contenders = [ours, *also, peer, floor]
            source = Incidents() if function == "respond" else Windows()
            if function == "preserve":
                source = Requests(Contender("", "respond", [bootstrap], "respond"), stub)
            cold(contenders, source, stub, options.starts)
            warm(contenders, source, stub, options.events)
            if function in LARGEST:
                large(contenders, source, stub)
            for it in [*also, peer]:
                if it.calls != ours.calls:
                    raise Failed(f"{it.name} called {it.calls}, ours {ours.calls}")
            sizes = {it.name: 2 * [zipped([("bootstrap", it.command[0])])] for it in contenders}
            alone = [(f"peer_{function}.py", HERE / f"peer_{function}.py")]
            # Lambda's Python brings boto3; whoever needs a certain one brings it along.
            sizes["boto3"] = [zipped(alone), zipped([*alone, *packages(home)])]
            report(contenders, sizes)
            print(f"calls of {BATCH} events, ours and boto3's: {json.dumps(ours.calls)}")
    finally:
        stub.process.kill()
        stub.process.wait()


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
