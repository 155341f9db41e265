#!/usr/bin/env python3
"""`respond` and `preserve` beside the same functions in Python (boto3, awslambdaric), with an empty
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
import http.client
import io
import json
import os
import pathlib
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CLIP_BYTES = 4_000_000  # 30 s at about 1 Mbit/s
LARGE_CLIP_BYTES = 100_000_000  # what GetClip gives at most
WARM_UP = 30
BATCH = 50
DEADLINE_S = 60
# Lambda's image has its certificate authorities in one file; others have a file for each as well.
BUNDLES = ("/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt")
AUTHORITIES = {"SSL_CERT_FILE": path for path in reversed(BUNDLES) if os.path.exists(path)}


class Failed(Exception):
    pass


class RuntimeApi:
    """Lambda's Runtime API for one process at a time: hands out events and takes answers."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=8)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.open = {}

    def request(self):
        """The next whole request: its path, body and connection."""
        limit = time.monotonic() + DEADLINE_S
        while time.monotonic() < limit:
            readable, _, _ = select.select([self.listener, *self.open], [], [], 1)
            for it in readable:
                if it is self.listener:
                    connection, _ = it.accept()
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.open[connection] = b""
                    continue
                chunk = it.recv(65536)
                if not chunk:
                    del self.open[it]
                    it.close()
                    continue
                self.open[it] += chunk
                if (found := whole(self.open[it])) is not None:
                    self.open[it] = b""
                    return *found, it
        raise Failed("the function asked for nothing within a minute")

    def next(self):
        """Waits until the function polls; returns the connection on which it waits."""
        path, body, connection = self.request()
        if not path.endswith("/invocation/next"):
            raise Failed(f"{path}: {body[:2000]!r}")
        return connection

    def invoke(self, connection, event):
        """Hands an event over; returns seconds until its answer, and where the next poll waits."""
        body = json.dumps(event).encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: 8476a536\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int(time.time() * 1000) + 120_000}\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-west-2:123456789012:function:bench\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        begin = time.perf_counter()
        connection.sendall(head.encode() + body)
        path, answer, connection = self.request()
        took = time.perf_counter() - begin
        if not path.endswith("/response") or json.loads(answer) != {"batchItemFailures": []}:
            raise Failed(f"{path}: {answer[:2000]!r}")
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        return took, self.next()

    def forget(self):
        for connection in self.open:
            connection.close()
        self.open = {}


def whole(data):
    """Path and body of a request, once all of it is there."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path = first.split(" ")[1]
    if headers.get("transfer-encoding") == "chunked":
        if not rest.endswith(b"0\r\n\r\n"):
            return None
        body = b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return path, body
    return (path, rest) if len(rest) >= int(headers.get("content-length", 0)) else None


class Stub:
    """The stub of AWS, in a process of its own."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"/bench/{name}")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def alone_us(self):
        """Median time of one of its answers, in microseconds."""
        request = json.dumps({"Key": {"pk": {"S": "nothing"}, "sk": {"S": "META"}}}).encode()
        head = f"POST / HTTP/1.1\r\nHost: stub\r\nX-Amz-Target: DynamoDB.GetItem\r\nContent-Length: {len(request)}\r\n\r\n"
        times = []
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            for _ in range(2000):
                begin = time.perf_counter()
                connection.sendall(head.encode() + request)
                connection.recv(4096)
                times.append(time.perf_counter() - begin)
        self.ask("calls")
        return statistics.median(times) * 1e6


class Contender:
    def __init__(self, name, function, command, handler):
        self.name, self.function, self.command, self.handler = name, function, command, handler
        self.starts, self.start_cpus, self.firsts, self.events, self.cpu_s = [], [], [], [], 0.0
        self.peak_mb = self.large_mb = self.calls = None

    def environment(self, api, stub):
        return {
            "PATH": "/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", "HOME": "/nonexistent",
            "AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": self.handler, "LAMBDA_TASK_ROOT": str(HERE),
            "AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_SESSION_TOKEN": "none",
            "AWS_LAMBDA_FUNCTION_NAME": self.function, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench", "AWS_ENDPOINT_URL": stub.url,
            "ARM_CELL": "us-west", "ARM_CASE_TABLE": "cases", "ARM_EVIDENCE_BUCKET": "evidence",
            "ARM_EVIDENCE_QUEUE_URL": f"{stub.url}/123456789012/evidence",
            **AUTHORITIES,
        }  # fmt: skip


class Instance:
    """A running function."""

    def __init__(self, contender, stub):
        self.api = RuntimeApi()
        environment = contender.environment(self.api, stub)
        begin = time.perf_counter()
        self.process = subprocess.Popen(contender.command, env=environment, cwd=HERE, stdout=subprocess.DEVNULL)
        self.waits = self.api.next()
        self.start_s = time.perf_counter() - begin
        self.start_cpu_s = self.cpu_s()

    def invoke(self, event):
        took, self.waits = self.api.invoke(self.waits, event)
        return took

    def cpu_s(self):
        """CPU time so far, of all threads that live."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def peak_mb(self):
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

    def end(self):
        self.process.kill()
        self.process.wait()
        self.api.forget()
        self.api.listener.close()


def incident(number, camera, start_ms):
    """A message of the queue `incidents`: a detection as our detector makes it, under a rule."""
    return {
        "version": 1,
        "store": {"id": "seattle-001", "name": "Pike Place", "cell": "us-west", "timezone": "America/Los_Angeles"},
        "rule": "shelf-sweep", "priority": "high", "notify": ["loss-prevention", "floor"],
        "topic": "arn:aws:sns:us-west-2:123456789012:arm-us-west-seattle-001-alerts",
        "cooldown_s": 1, "shadow": False, "stream_prefix": "arm-us-west-seattle-001-",
        "evidence": {"before_s": 15, "after_s": 15, "keep_days": 90, "lock": "governance", "retention_hours": 24},
        "event_id": f"6a7e8feb-b491-4cf7-a9f1-{number:012}", "time": "2026-11-22T18:03:03Z", "resources": [],
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
        "body": body, "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
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


class Requests:
    """Requests for the clips of cases that `respond` opened; all are open again after each `events`."""

    def __init__(self, respond, stub):
        self.stub = stub
        self.messages = {size: self.open(respond, size) for size in (CLIP_BYTES, LARGE_CLIP_BYTES)}
        stub.ask("save")

    def open(self, respond, size):
        now_ms = int(time.time() * 1000)
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
    for _ in range(events // BATCH):
        for contender, instance in instances:
            batch_events = list(source.events(BATCH))
            stub.ask("calls")
            before = instance.cpu_s()
            contender.events += [instance.invoke(event) for event in batch_events]
            contender.cpu_s += instance.cpu_s() - before
            contender.calls = stub.ask("calls")
    for contender, instance in instances:
        contender.peak_mb = instance.peak_mb()
        instance.end()


def large(contenders, source, stub):
    for contender in contenders:
        instance = Instance(contender, stub)
        for event in source.events(3, large=True):
            instance.invoke(event)
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
    """What a Python function must bring where boto3 is not part of its runtime."""
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
        ("event, CPU ms", lambda it: 1e3 * it.cpu_s / len(it.events)),
        ("peak memory, MB", lambda it: it.peak_mb),
        ("the same, clips of 100 MB", lambda it: it.large_mb),
        ("zip, MB", lambda it: sizes[it.name] / 1e6),
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
        for function in ("respond", "preserve"):
            ours = Contender("ours", function, [bootstrap], function)
            python = [home / "bin" / "python", "-m", "awslambdaric", f"peer_{function}.handler"]
            peer = Contender("boto3", function, python, f"peer_{function}.handler")
            floor = Contender("empty in Rust", function, [empty], "empty")
            also = [Contender(name, function, [path], function) for name, path in others.items()]
            contenders = [ours, *also, peer, floor]
            source = Incidents()
            if function == "preserve":
                source = Requests(Contender("", "respond", [bootstrap], "respond"), stub)
            cold(contenders, source, stub, options.starts)
            warm(contenders, source, stub, options.events)
            if function == "preserve":
                large(contenders, source, stub)
            for it in [*also, peer]:
                if it.calls != ours.calls:
                    raise Failed(f"{it.name} called {it.calls}, ours {ours.calls}")
            sizes = {"ours": zipped([("bootstrap", bootstrap)]), "empty in Rust": zipped([("bootstrap", empty)])}
            sizes |= {name: zipped([("bootstrap", path)]) for name, path in others.items()}
            sizes["boto3"] = zipped([(f"peer_{function}.py", HERE / f"peer_{function}.py")])
            report(contenders, sizes)
            print(f"calls of {BATCH} events, ours and boto3's: {json.dumps(ours.calls)}")
        bare = zipped(list(packages(home)))
        print(f"boto3's zip holds the function alone, as Lambda brings boto3; with boto3 in it: {bare / 1e6:.1f} MB")
    finally:
        stub.process.kill()
        stub.process.wait()


if __name__ == "__main__":
    try:
        main()
    except Failed as failed:
        sys.exit(f"error: {failed}")
