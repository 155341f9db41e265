"""A local AWS without Lambda: every resource as the templates have it, and nothing that runs the functions.

MiniStack holds queues, topics, tables and buckets, our own service Kinesis Video and the model. What
is deployed is what `arm generate` writes; names, environments, timeouts and batch sizes are then read
from the deployed functions and mappings. The mappings and schedules are deleted after that, so that
`host` alone hands work to the functions. Start with `LocalAws.started`, as a context.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
MINISTACK = ROOT / "generator/local-aws/ministack"
ACCOUNT, REGION = "123456789012", "us-west-2"
CELL, STORE = "us-west", "seattle-001"
# Longest start of either server, in seconds; a busy machine needs ten.
START_SECONDS = 60
STACK_SECONDS = 120


@dataclass(frozen=True)
class Function:
    """A function as it is deployed."""

    id: str
    name: str
    timeout_s: int
    memory_mb: int
    environment: dict[str, str]
    role: str


@dataclass(frozen=True)
class Source:
    """An event source mapping as it was deployed."""

    function: str
    arn: str
    batch: int
    filters: list[dict[str, Any]] = field(default_factory=list)


class LocalAws:
    """Both servers, with one cell and one store deployed."""

    def __init__(self, work: Path, arm: str, serve: str) -> None:
        self.work, self.arm = work, arm
        video_port, gateway_port = free_port(), free_port()
        self.gateway, self.video = (f"http://127.0.0.1:{port}" for port in (gateway_port, video_port))
        self.servers: list[subprocess.Popen[bytes]] = []
        self.templates: dict[str, dict[str, Any]] = {}
        self.functions: dict[str, Function] = {}
        self.sources: dict[str, Source] = {}
        # What the schedules give each function.
        self.ticks: dict[str, dict[str, Any]] = {}
        self.clients: dict[str, Any] = {}
        self.start_servers(serve, video_port, gateway_port)

    @classmethod
    @contextlib.contextmanager
    def started(cls, work: Path, arm: str, serve: str) -> Iterator["LocalAws"]:
        """The local AWS with everything deployed; both servers end with the context."""
        aws = None
        try:
            aws = cls(work, arm, serve)
            aws.deploy()
            yield aws
        finally:
            if aws:
                aws.stop()

    def start_servers(self, serve: str, video_port: int, gateway_port: int) -> None:
        self.start("video", [serve, f"127.0.0.1:{video_port}"], {})
        files = self.work / "files"
        files.mkdir()
        environment = self.environment() | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(gateway_port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "TMPDIR": str(files),
            "AWS_ENDPOINT_URL": self.gateway,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": self.video,
        }
        self.start("ministack", [str(ministack_python()), str(MINISTACK / "start.py")], environment)
        for port in (video_port, gateway_port):
            wait_for_port(port)

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        log = (self.work / f"{name}.log").open("wb")
        # A group of its own: MiniStack's script ends its group when we are gone.
        self.servers.append(
            subprocess.Popen(
                command, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        )

    def stop(self) -> None:
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()

    def environment(self) -> dict[str, str]:
        """Region and credentials, as any program needs them here."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    def client(self, service: str) -> Any:
        """A client of MiniStack; one for each service, which threads share."""
        if service not in self.clients:
            style = {"addressing_style": "path"} if service == "s3" else None
            config = Config(max_pool_connections=32, retries={"max_attempts": 0}, s3=style)
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.gateway,
                region_name=REGION,
                aws_access_key_id=ACCOUNT,
                aws_secret_access_key="local",
                config=config,
            )
        return self.clients[service]

    def local(self, method: str, path: str, body: Any = None) -> Any:
        """A call of our own service: its `/_local/` calls, and Kinesis Video's."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.video + path, data=data, method=method)
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def deploy(self) -> None:
        generated = self.work / "templates"
        subprocess.run(
            [self.arm, "generate", "--out", str(generated)], cwd=ROOT, check=True, capture_output=True, timeout=120
        )
        folder = generated / CELL
        self.create_stack(f"arm-{CELL}-artifacts", folder / "artifacts.json", {})
        bucket, key = self.put_bundle(f"arm-{CELL}-artifacts")
        self.create_stack(f"arm-{CELL}-platform", folder / "platform.json", {"FunctionsKey": key}, bucket)
        self.create_stack(f"arm-{CELL}-store-{STORE}", folder / "stores" / f"{STORE}.json", {}, bucket)
        self.read_functions()
        self.read_sources()
        self.read_schedules()

    def put_bundle(self, stack: str) -> tuple[str, str]:
        """Bucket and key of a zip that nothing runs, where the template looks for the functions."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as bundle:
            bundle.writestr("bootstrap", "#!/bin/sh\nexit 1\n")
        key = f"functions/{hashlib.sha256(packed.getvalue()).hexdigest()}.zip"
        resources = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        bucket = next(it["PhysicalResourceId"] for it in resources if it["ResourceType"] == "AWS::S3::Bucket")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
        return bucket, key

    def create_stack(self, name: str, template: Path, parameters: dict[str, str], bucket: str | None = None) -> None:
        """Creates a stack and waits; the template goes by the bucket, once there is one."""
        body = template.read_text(encoding="utf-8")
        self.templates[name] = json.loads(body)
        source = {"TemplateBody": body}
        if bucket:
            self.client("s3").put_object(Bucket=bucket, Key=f"templates/{name}.json", Body=body.encode())
            source = {"TemplateURL": f"{self.gateway}/{bucket}/templates/{name}.json"}
        stacks = self.client("cloudformation")
        stacks.create_stack(
            StackName=name,
            **source,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        deadline = time.monotonic() + STACK_SECONDS
        status = "CREATE_IN_PROGRESS"
        while status == "CREATE_IN_PROGRESS" and time.monotonic() < deadline:
            time.sleep(0.1)
            status = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status != "CREATE_COMPLETE":
            events = stacks.describe_stack_events(StackName=name)["StackEvents"]
            events = [it for it in events if "FAILED" in it["ResourceStatus"]]
            reasons = [f"{it['LogicalResourceId']}: {it.get('ResourceStatusReason')}" for it in events]
            raise SystemExit(f"stack {name} is {status}: {reasons}")

    def read_functions(self) -> None:
        for it in self.client("lambda").list_functions()["Functions"]:
            self.functions[it["Handler"]] = Function(
                id=it["Handler"],
                name=it["FunctionName"],
                timeout_s=it["Timeout"],
                memory_mb=it["MemorySize"],
                environment=it["Environment"]["Variables"],
                role=it["Role"],
            )

    def read_sources(self) -> None:
        functions = {it.name: it.id for it in self.functions.values()}
        lambdas = self.client("lambda")
        for it in lambdas.list_event_source_mappings()["EventSourceMappings"]:
            function = functions[it["FunctionArn"].rsplit(":", 1)[-1]]
            filters = [json.loads(one["Pattern"]) for one in it.get("FilterCriteria", {}).get("Filters", [])]
            self.sources[function] = Source(function, it["EventSourceArn"], it["BatchSize"], filters)
            lambdas.delete_event_source_mapping(UUID=it["UUID"])

    @property
    def tick(self) -> dict[str, Any]:
        """The input of the store's tick."""
        return self.ticks["dispatch"]

    def read_schedules(self) -> None:
        """The inputs of the schedules, which are deleted."""
        functions = {it.name: it.id for it in self.functions.values()}
        schedules = self.client("scheduler")
        for it in schedules.list_schedules()["Schedules"]:
            group = it.get("GroupName", "default")
            target = schedules.get_schedule(Name=it["Name"], GroupName=group)["Target"]
            self.ticks[functions[target["Arn"].rsplit(":", 1)[-1]]] = json.loads(target["Input"])
            schedules.delete_schedule(Name=it["Name"], GroupName=group)

    def queue_url(self, arn: str) -> str:
        return self.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]

    def dead_letters(self) -> dict[str, int]:
        """Messages in each queue that holds what nobody could handle or deliver."""
        sqs = self.client("sqs")
        work = {it.arn for it in self.sources.values()}
        found = {}
        for url in sqs.list_queues(QueueNamePrefix=f"arm-{CELL}-").get("QueueUrls", []):
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            if attributes["QueueArn"] not in work:
                waiting = int(attributes["ApproximateNumberOfMessages"])
                found[url.rsplit("/", 1)[-1]] = waiting + int(attributes["ApproximateNumberOfMessagesNotVisible"])
        return found


def parse(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """A test's arguments, with those that all tests here have: `[--record FILE] BOOTSTRAP [ARM] [SERVE]`."""
    record = "write every call to this file, as JSON lines"
    parser.add_argument("--record", type=lambda path: Path(path).open("w", encoding="utf-8"), metavar="FILE", help=record)
    parser.add_argument("bootstrap", help="the program of the functions")
    parser.add_argument("arm", nargs="?", help="the command `arm`; default: beside bootstrap")
    parser.add_argument("serve", nargs="?", help="the local Kinesis Video; default: examples/serve beside bootstrap")
    args = parser.parse_args()
    beside = Path(args.bootstrap).resolve().parent
    args.bootstrap = str(beside / Path(args.bootstrap).name)
    args.arm = args.arm or str(beside / "arm")
    args.serve = args.serve or str(beside / "examples/serve")
    for path in (args.bootstrap, args.arm, args.serve):
        if not Path(path).is_file():
            parser.error(f"there is no file {path}; build it first")
    # Whoever ends the test ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return args


def ministack_python() -> Path:
    """The environment that a rehearsal, or `tests/run`, has made."""
    digest = hashlib.sha256((MINISTACK / "requirements.txt").read_bytes()).hexdigest()[:12]
    python = ROOT / f".arm/local-aws/python-{digest}/bin/python"
    if not python.exists():
        raise SystemExit(f"{python} is missing; `arm rehearse` makes it")
    return python


def make_clock(work: Path) -> Path:
    """Builds `clock.c`."""
    library = work / "clock.so"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise SystemExit("a C compiler is needed, as for building the functions")
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True, timeout=60)
    return library


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after {START_SECONDS} s")
