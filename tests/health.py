"""Lets the real `dispatch` and `analyze` find out that cameras ail, on MiniStack and the local Kinesis Video.

A camera that sends nothing, one whose clock is an hour ahead and one whose picture stands still: each
is noted by `analyze` and told by `dispatch`, once, to the audience `ops` alone; a tick makes up for the
one before it that was missed, and sends nothing the second time. The conditions of every call are
DynamoDB's own expressions, which no test in memory evaluates.

Usage: health.py MINISTACK_PYTHON SERVE BOOTSTRAP
"""

import contextlib
import http.server
import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import boto3

START = Path(__file__).parent.parent / "generator/local-aws/ministack/start.py"
ACCOUNT, REGION = "123456789012", "us-west-2"
STORE = {"id": "seattle-001", "name": "Pike Place", "cell": "us-west", "timezone": "America/Los_Angeles"}
AISLE = {"id": "a5", "name": "Aisle 5"}
PREFIX = "arm-us-west-seattle-001-gw-"
CAMERAS = ["offline", "ahead", "frozen", "other-1", "other-2", "other-3"]
UP_SECONDS = 60
MINUTE_MS = 60_000


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port: int) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    raise SystemExit(f"nothing listens on port {port} after {UP_SECONDS} s")


class Function:
    """One function of `bootstrap`, behind the Lambda runtime API."""

    def __init__(self, bootstrap: str, name: str, environment: dict[str, str], log: Path) -> None:
        self.events: queue.Queue[dict] = queue.Queue()
        self.answers: queue.Queue[tuple[str, str]] = queue.Queue()
        function = self

        class Api(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Calls are not logged."""

            def do_GET(self) -> None:
                event = json.dumps(function.events.get()).encode()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "request-1")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1_000) + MINUTE_MS))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", f"arn:aws:lambda:::function:{name}")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                answer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()
                function.answers.put((self.path.rsplit("/", 1)[-1], answer))

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        lambda_s = {
            "_HANDLER": name,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_LOG_GROUP_NAME": name,
            "AWS_LAMBDA_LOG_STREAM_NAME": name,
        }
        self.log = log
        self.process = subprocess.Popen(
            [bootstrap], env=environment | lambda_s, stdout=log.open("w"), stderr=subprocess.STDOUT
        )

    def run(self, event: dict) -> dict:
        self.events.put(event)
        kind, answer = self.answers.get(timeout=UP_SECONDS)
        if kind != "response":
            raise SystemExit(f"{self.log} has the reason: {answer}")
        return json.loads(answer)

    def metrics(self, name: str) -> list[int]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line[name] for line in map(json.loads, lines) if name in line]


class Scene:
    """The services, the two functions, and what is asked of them."""

    def __init__(self, bootstrap: str, gateway: str, video: str, folder: Path) -> None:
        self.video = video
        clients = {name: self.client(name, gateway) for name in ("dynamodb", "sqs", "sns")}
        self.table, self.sqs, sns = clients["dynamodb"], clients["sqs"], clients["sns"]
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        self.table.create_table(
            TableName="cases",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )
        windows = self.sqs.create_queue(QueueName="windows")["QueueUrl"]
        self.topic = sns.create_topic(Name="alerts")["TopicArn"]
        self.heard_by = {audience: self.subscribe(sns, audience) for audience in ("ops", "floor")}
        for camera in CAMERAS:
            kinesis = self.client("kinesisvideo", video)
            kinesis.create_stream(StreamName=PREFIX + camera, DataRetentionInHours=24)
        self.local("PUT", "/_local/endpoints/model")
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": gateway,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": video,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": video,
            "ARM_CELL": "us-west",
            "ARM_CASE_TABLE": "cases",
            "ARM_WINDOWS_QUEUE_URL": windows,
            "ARM_ENDPOINT_NAME": "model",
        }
        self.dispatch = Function(bootstrap, "dispatch", environment, folder / "dispatch.log")
        self.analyze = Function(bootstrap, "analyze", environment, folder / "analyze.log")
        self.now_ms = int(time.time() * 1_000)
        self.minute_ms = self.now_ms // MINUTE_MS * MINUTE_MS

    def client(self, service: str, url: str):
        return boto3.client(
            service,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key="local",
        )

    def subscribe(self, sns, audience: str) -> str:
        """A queue that hears what an audience is told, by the filter that a store's template has."""
        url = self.sqs.create_queue(QueueName=audience)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=self.topic,
            Protocol="sqs",
            Endpoint=found["Attributes"]["QueueArn"],
            Attributes={"FilterPolicy": json.dumps({"audience": [audience]}), "RawMessageDelivery": "true"},
        )
        return url

    def heard(self, audience: str) -> list[str]:
        """What an audience was told since it was asked last."""
        texts = []
        url = self.heard_by[audience]
        while found := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
            for message in found:
                texts.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(texts)

    def local(self, method: str, path: str, body: dict | None = None) -> None:
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.video + path, method=method, data=data)
        urllib.request.urlopen(request).close()

    def play(self, camera: str, from_s: int, **how: int) -> None:
        """Puts video into a camera's stream, all at once; seconds count from now."""
        body = {"stream": PREFIX + camera, "start_ms": self.now_ms + from_s * 1_000, "at_once": True}
        self.local("POST", "/_local/play", body | how)

    def window(self, camera: str, from_s: int, to_s: int, *ailing: str) -> None:
        """Lets `analyze` look at a window; seconds count from now."""
        window = {
            "version": 1,
            "id": f"w-{camera}{from_s}",
            "store": STORE,
            "camera": camera,
            "aisle": AISLE,
            "stream": PREFIX + camera,
            "bus": "bus",
            "start_ms": self.now_ms + from_s * 1_000,
            "end_ms": self.now_ms + to_s * 1_000,
            "expires_ms": self.now_ms + 10 * MINUTE_MS,
            "hours": {"timezone": "UTC"},
            "ailing": [{"ailment": it} for it in ailing],
        }
        answer = self.analyze.run({"Records": [{"messageId": "m-1", "body": json.dumps(window)}]})
        expect(answer == {"batchItemFailures": []}, f"the window {from_s} s of `{camera}` is handled")

    def tick(self, minutes: int) -> int:
        """Lets `dispatch` run for a minute from now, and returns how many windows it sent."""
        at = datetime.fromtimestamp((self.minute_ms + minutes * MINUTE_MS) / 1_000, timezone.utc)
        camera = {"aisle": "a5", "window_s": 10, "when": "always"}
        event = {
            "version": 1,
            "scheduled_time": at.isoformat(),
            "store": STORE,
            "bus": "bus",
            "stream_prefix": PREFIX,
            "hours": {"timezone": "UTC"},
            "aisles": [AISLE],
            "cameras": [camera | {"id": it} for it in CAMERAS],
            "topic": self.topic,
        }
        return self.dispatch.run(event)["windows"]

    def items(self) -> dict[str, dict]:
        found = self.table.scan(TableName="cases")["Items"]
        return {it["sk"]["S"]: it for it in found}


def ticks(scene: Scene) -> None:
    expect(scene.tick(-2) == 36, "a tick sends the windows of its minute")
    expect(scene.tick(-2) == 0, "the same tick again sends nothing")
    expect(scene.tick(0) == 72, "the next but one makes up for the minute between")
    expect(scene.tick(-1) == 0, "the one between, which comes late, sends nothing")


def begins(scene: Scene) -> None:
    # Out of order: the last window is the one that counts.
    for from_s, to_s in [(-300, -290), (-160, -150), (-230, -220)]:
        scene.window("offline", from_s, to_s)
    item = scene.items()["CAMERA#offline#offline"]
    lasts_s = (int(item["seen_ms"]["N"]) - int(item["since_ms"]["N"])) / 1_000
    expect(lasts_s == 150, f"no video is noted from the first window to the last: {lasts_s} s")
    scene.play("ahead", 3_600)
    scene.window("ahead", -10, 0)
    item = scene.items()["CAMERA#ahead#skewed"]
    delay_s = int(item["delay_ms"]["N"]) / 1_000
    expect(-3_620 < delay_s < -3_580, f"a clock an hour ahead is noted as such: {delay_s} s behind")
    scene.play("frozen", -60, quiet_s=40)
    scene.window("frozen", -35, -25)
    expect("CAMERA#frozen#frozen" in scene.items(), "a picture that stands still is noted")
    expect(len(scene.items()) == 4, f"nothing else is: {sorted(scene.items())}")


def told(scene: Scene) -> None:
    scene.tick(1)
    heard = scene.heard("ops")
    said = "Camera offline (Aisle 5) at Pike Place has sent no video since"
    expect(len(heard) == 1 and heard[0].startswith(said), f"the audience `ops` is told what has lasted: {heard}")
    expect(scene.tick(1) == 0 and scene.heard("ops") == [], "a doubled tick tells nobody again")
    expect(scene.dispatch.metrics("CamerasAiling") == [0, 0, 1], "cameras that ail are counted at every tick")


def is_over(scene: Scene) -> None:
    scene.play("offline", -140, repeat=12)
    scene.window("offline", -40, -30, "offline")
    # The next minute is noted only when it is less than two minutes away.
    wait_s = (scene.minute_ms + 2 * MINUTE_MS) / 1_000 - 119 - time.time()
    time.sleep(max(0, wait_s))
    scene.tick(2)
    heard = scene.heard("ops")
    expect(heard == ["Camera offline (Aisle 5) at Pike Place sends video again, after 2 min"], f"its end is told: {heard}")
    expect("CAMERA#offline#offline" not in scene.items(), "and it is forgotten")
    expect(scene.heard("floor") == [], "no other audience is told anything")
    failed = [scene.dispatch.metrics(it) + scene.analyze.metrics(it) for it in ("HealthErrors", "WatchNoteErrors")]
    expect(failed == [[], []], "no call was refused")


@contextlib.contextmanager
def services(python: str, serve: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The local AWS; ends what it started."""
    gateway, video = free_port(), free_port()
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(gateway),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{gateway}",
        "AWS_ENDPOINT_URL_KINESIS_VIDEO": f"http://127.0.0.1:{video}",
        "TMPDIR": str(folder),
    }
    log = (folder / "ministack.log").open("w")
    commands = [[serve, f"127.0.0.1:{video}"], [python, str(START)]]
    started = [subprocess.Popen(it, env=environment, stdout=log, stderr=log) for it in commands]
    try:
        wait_for(video)
        wait_for(gateway)
        yield f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{video}"
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=UP_SECONDS)


def main(python: str, serve: str, bootstrap: str) -> None:
    with tempfile.TemporaryDirectory() as folder, services(python, serve, Path(folder)) as (gateway, video):
        scene = Scene(bootstrap, gateway, video, Path(folder))
        try:
            ticks(scene)
            begins(scene)
            told(scene)
            is_over(scene)
        finally:
            for function in (scene.dispatch, scene.analyze):
                function.process.terminate()
                function.process.wait(timeout=UP_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
