"""An HTTP proxy between one function and the local AWS, which numbers calls and breaks one of them.

A call is what the function asked for once: all attempts of the SDK have the same
`amz-sdk-invocation-id` and so the same number. `MODES` says how a call can fail. Every attempt is
recorded, with what became of it at AWS and whether the function got the answer. `Proxy.begin` starts
an invocation's numbers at 1; answers of GetDataEndpoint name the proxy, so video passes through too.
"""

import asyncio
import contextlib
import json
import re
import socket
import struct
import urllib.parse
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TextIO

# How a call fails: whether AWS gets it, and what the function sees. `kill` ends the function. With
# `twin`, a duplicate of the message is handled elsewhere while the call waits.
MODES: dict[str, tuple[bool, str]] = {
    "500-before": (False, "500"),
    "500-after": (True, "500"),
    "throttle": (False, "throttle"),
    "hang-before": (False, "hang"),
    "hang-after": (True, "hang"),
    "reset-before": (False, "reset"),
    "reset-after": (True, "reset"),
    "cut": (True, "cut"),
    "kill-before": (False, "kill"),
    "kill-after": (True, "kill"),
    "twin": (True, ""),
    "twin-kill": (False, "kill"),
}
# What cannot strike at every attempt.
ONCE = ("kill-before", "kill-after", "twin", "twin-kill")
# Services that our own stand-in serves, by the name in the signature's scope.
VIDEO_SERVICES = ("kinesisvideo", "sagemaker")
# How long AWS may take for one call, in seconds.
UPSTREAM_SECONDS = 60
# Headers that say nothing about what is asked for.
SIGNATURE_HEADERS = ("x-amz-date", "x-amz-user-agent", "x-amz-content-sha256")
# How each service says that it is asked too often: status and code.
THROTTLES = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "sqs": (403, "RequestThrottled"),
    "sns": (400, "Throttling"),
    "events": (400, "ThrottlingException"),
    "cloudformation": (400, "Throttling"),
    "kinesisvideo": (400, "ClientLimitExceededException"),
    "sagemaker": (400, "ThrottlingException"),
    "s3": (503, "SlowDown"),
}
# Of services that answer in XML, the namespace.
NAMESPACES = {
    "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    "sns": "http://sns.amazonaws.com/doc/2010-03-31/",
}
ERRORS = {"dynamodb": "InternalServerError", "s3": "InternalError", "sns": "InternalFailure", "sqs": "InternalFailure"}


@dataclass(frozen=True)
class Fault:
    """The call that fails, by its number, and how: once, or at each attempt of the invocation."""

    number: int
    mode: str
    each: bool = False

    def __str__(self) -> str:
        return self.mode + ("*" if self.each else "")


@dataclass
class Call:
    """One attempt of a call."""

    number: int
    attempt: int
    service: str
    operation: str
    input: dict[str, Any]
    status: int | None = None
    # Whether it took effect at AWS, and whether the function got the answer whole.
    taken: bool = False
    answered: bool = False
    fault: str = ""
    answer: bytes = b""
    # Seconds that a message was to wait, which the proxy took away.
    delay_s: int = 0

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def head(self) -> bytes:
        skipped = ("content-length", "transfer-encoding", "connection")
        lines = [f"HTTP/1.1 {self.status} -"]
        lines += [f"{key}: {value}" for key, value in self.headers if key.lower() not in skipped]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode("latin-1")


class Proxy:
    """The way of one function to AWS."""

    def __init__(
        self, function: str, gateway: str, video: str, kill: Callable[[], None] | None = None, record: TextIO | None = None
    ) -> None:
        self.function, self.record = function, record
        # Ends the function; whoever runs it sets this.
        self.kill: Callable[[], None] = kill or (lambda: None)
        # Handles a duplicate of the message elsewhere.
        self.twin: Callable[[], Awaitable[Any]] | None = None
        self.upstreams = {name: address(video if name == "video" else gateway) for name in ("video", "gateway")}
        self.fault: Fault | None = None
        self.calls: list[Call] = []
        self.numbers: dict[str, int] = {}
        self.broken: tuple[str, str] | None = None
        self.server: asyncio.Server | None = None
        self.url = ""
        # One task for each connection of the function's.
        self.serving: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, limit=1 << 20)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self.url

    def stop(self) -> None:
        if self.server:
            self.server.close()

    def begin(self, fault: Fault | None = None) -> None:
        """An invocation begins: its calls are numbered from 1, and one of them may fail."""
        self.fault, self.calls, self.numbers, self.broken = fault, [], {}, None

    async def finish(self) -> None:
        """Waits for what a function that is dead has still sent: AWS carries that out all the same."""
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.serving.add(task)
            task.add_done_callback(self.serving.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, OSError):
            while request := await read_request(reader, writer):
                if not await self.handle(request, reader, writer):
                    break
        with contextlib.suppress(ConnectionError, OSError):
            writer.close()

    async def handle(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; false when the connection is over."""
        call = self.numbered(request)
        mode = self.fault.mode if self.fault and self.is_broken(self.fault, call, request) else ""
        call.fault = mode
        self.calls.append(call)
        taken, kind = MODES[mode] if mode else (True, "")
        if mode.startswith("twin") and self.twin:
            await self.twin()
        if kind == "kill" and not taken:
            self.kill()
            self.note(call)
            return False
        answer = None
        if taken:
            answer = await self.forward(call, request)
            call.status, call.answer = answer.status, answer.body
            call.taken = answer.status < 300
        if kind == "kill":
            self.kill()
            self.note(call)
            return False
        if kind in ("500", "throttle"):
            answer = error_answer(kind, call)
            call.status = answer.status
        self.note(call)
        if kind == "hang":
            await reader.read()
            return False
        if kind == "reset":
            reset(writer)
            return False
        assert answer is not None
        head = answer.head()
        if kind == "cut":
            half = (head + answer.body)[: len(head) + len(answer.body) // 2] if answer.body else head[: len(head) // 2]
            writer.write(half)
            await writer.drain()
            return False
        writer.write(head + answer.body)
        await writer.drain()
        call.answered = not kind
        return True

    def numbered(self, request: Request) -> Call:
        service, operation, given = describe(request)
        invocation = request.header("amz-sdk-invocation-id") or f"{len(self.calls)}"
        number = self.numbers.setdefault(invocation, len(self.numbers) + 1)
        attempt = 1 + sum(it.number == number for it in self.calls)
        return Call(number, attempt, service, operation, given)

    def is_broken(self, fault: Fault, call: Call, request: Request) -> bool:
        """Whether the fault is for this attempt; the same call made anew counts as another attempt."""
        same = (call.name, request.target + request.body.decode("latin-1"))
        if call.number == fault.number and self.broken is None:
            self.broken = same
            return True
        return fault.each and (call.number == fault.number or same == self.broken)

    async def forward(self, call: Call, request: Request) -> Answer:
        body = without_delay(call, request)
        upstream = self.upstreams["video" if call.service in VIDEO_SERVICES else "gateway"]
        answer = await asyncio.wait_for(ask(upstream, request, body), UPSTREAM_SECONDS)
        if call.operation == "GetDataEndpoint" and answer.status == 200:
            answer.body = json.dumps(json.loads(answer.body) | {"DataEndpoint": self.url}).encode()
        return answer

    def note(self, call: Call) -> None:
        """One line in the record: what the function asked AWS for."""
        if self.record:
            line = {
                "function": self.function,
                "service": call.service,
                "operation": call.operation,
                "input": call.input,
                "status": call.status,
            }
            self.record.write(json.dumps(line) + "\n")
            self.record.flush()


def address(url: str) -> tuple[str, int]:
    parts = urllib.parse.urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


async def read_head(reader: asyncio.StreamReader) -> tuple[str, list[tuple[str, str]]]:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1")[:-4].split("\r\n")
    return first, [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]


async def read_body(reader: asyncio.StreamReader, headers: list[tuple[str, str]], to_the_end: bool) -> bytes:
    fields = {key.lower(): value for key, value in headers}
    if "chunked" in fields.get("transfer-encoding", ""):
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        while await reader.readline() != b"\r\n":
            pass
        return body
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"]))
    return await reader.read() if to_the_end else b""


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    try:
        first, headers = await read_head(reader)
    except asyncio.IncompleteReadError:
        return None
    if any(key.lower() == "expect" for key, _ in headers):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    method, target, _ = first.split(" ", 2)
    return Request(method, target, headers, await read_body(reader, headers, to_the_end=False))


async def ask(upstream: tuple[str, int], request: Request, body: bytes) -> Answer:
    """One request on a connection of its own."""
    reader, writer = await asyncio.open_connection(*upstream, limit=1 << 20)
    try:
        skipped = ("connection", "expect", "content-length", "transfer-encoding", "host")
        lines = [f"{request.method} {request.target} HTTP/1.1", "Host: {}:{}".format(*upstream)]
        lines += [f"{key}: {value}" for key, value in request.headers if key.lower() not in skipped]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode("latin-1") + body)
        await writer.drain()
        first, headers = await read_head(reader)
        status = int(first.split(" ")[1])
        empty = request.method == "HEAD" or status in (204, 304)
        return Answer(status, headers, b"" if empty else await read_body(reader, headers, to_the_end=True))
    finally:
        writer.close()


def describe(request: Request) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and input of a request."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.header("authorization"))
    service = scope.group(1) if scope else "unsigned"
    path, _, query = request.target.partition("?")
    if target := request.header("x-amz-target"):
        return service, target.rsplit(".", 1)[-1], parsed(request.body)
    if service == "s3":
        return service, *s3_call(request, path, query)
    if service == "sagemaker":
        name = path.split("/")[2]
        headers = {key: value for key, value in request.headers if key.lower().startswith("x-amzn-sagemaker-")}
        return service, "InvokeEndpoint", {"EndpointName": name} | headers
    if request.header("content-type").startswith("application/x-www-form-urlencoded"):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        return service, form.pop("Action", "?"), form
    name = path.rsplit("/", 1)[-1]
    return service, name[:1].upper() + name[1:], parsed(request.body)


def parsed(body: bytes) -> dict[str, Any]:
    return json.loads(body) if body else {}


def s3_call(request: Request, path: str, query: str) -> tuple[str, dict[str, Any]]:
    _, bucket, *key = urllib.parse.unquote(path).split("/", 2)
    kinds = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject", "POST": "PostObject"}
    given: dict[str, Any] = {"Bucket": bucket, "Key": "/".join(key)}
    given |= dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    # What a policy's condition may look at; not the signature.
    headers = {name.lower(): value for name, value in request.headers if name.lower().startswith("x-amz-")}
    given |= {name: value for name, value in headers.items() if name not in SIGNATURE_HEADERS}
    listing = request.method == "GET" and not given["Key"]
    return "ListObjectsV2" if listing else kinds.get(request.method, request.method), given


def without_delay(call: Call, request: Request) -> bytes:
    """The body as AWS gets it: a message that was to wait is there at once, and the delay is noted."""
    if call.service != "sqs" or not call.operation.startswith("SendMessage"):
        return request.body
    message = json.loads(request.body)
    for entry in [message, *message.get("Entries", [])]:
        call.delay_s = max(call.delay_s, int(entry.pop("DelaySeconds", 0)))
    return json.dumps(message).encode()


def error_answer(kind: str, call: Call) -> Answer:
    """The service's own words for too many calls, or for a fault of its own."""
    if kind == "throttle" and call.operation == "TransactWriteItems":
        return cancelled_transaction(len(call.input.get("TransactItems", [])))
    status, code = THROTTLES.get(call.service, (400, "ThrottlingException"))
    if kind == "500":
        status, code = 500, ERRORS.get(call.service, "InternalServerException")
    if call.service == "s3":
        text = f"<Error><Code>{code}</Code><Message>a test's fault</Message><RequestId>t</RequestId></Error>"
        return Answer(status, [("Content-Type", "application/xml")], text.encode())
    if call.service in NAMESPACES:
        text = f"<ErrorResponse xmlns=\"{NAMESPACES[call.service]}\"><Error><Type>Sender</Type>"
        text += f"<Code>{code}</Code><Message>a test's fault</Message></Error><RequestId>t</RequestId></ErrorResponse>"
        return Answer(status, [("Content-Type", "text/xml")], text.encode())
    return json_error(status, code, {})


def cancelled_transaction(items: int) -> Answer:
    """DynamoDB throttles a transaction by cancelling it."""
    reasons = [{"Code": "ThrottlingError", "Message": "a test's fault"}] + [{"Code": "None"}] * max(0, items - 1)
    return json_error(400, "TransactionCanceledException", {"CancellationReasons": reasons})


def json_error(status: int, code: str, more: dict[str, Any]) -> Answer:
    body = {"__type": code, "message": "a test's fault"} | more
    headers = [("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-errortype", code)]
    return Answer(status, headers, json.dumps(body).encode())


def reset(writer: asyncio.StreamWriter) -> None:
    """Ends the connection by RST."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
