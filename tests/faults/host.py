"""A Lambda Runtime API host: starts the real `bootstrap` and hands it events, as Lambda does.

One `Host` is one environment of one function: its process, its runtime API and its proxy to AWS. It
ends the process at the function's timeout, and starts a new one for the next invocation when the last
one died. Batches have the shapes of Lambda's event sources (`queue_batch`, `stream_batch`). The
function's clock can be moved on, so that nobody waits until a queue hands a message out again.
"""

import asyncio
import contextlib
import json
import os
import signal
import struct
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from .aws import REGION, Function, LocalAws
from .proxy import Call, Fault, Proxy, read_request

API = "/2018-06-01/runtime/"
# How long a process may take until it asks for its first event, in seconds: Lambda gives ten, a debug
# build on a busy machine needs more.
START_SECONDS = 60


@dataclass
class Result:
    """How an invocation ended: `done`, `error`, `timeout` or `died`."""

    kind: str
    answer: Any = None
    calls: list[Call] = field(default_factory=list)

    def failed(self, ids: Iterable[str]) -> set[str]:
        """Which of a batch's entries must come again."""
        if self.kind != "done":
            return set(ids)
        failures = (self.answer or {}).get("batchItemFailures", [])
        return {it["itemIdentifier"] for it in failures}


class Host:
    """One environment of one function."""

    def __init__(self, aws: LocalAws, function: Function, bootstrap: str, clock: Path, record: TextIO | None = None) -> None:
        self.aws, self.function, self.bootstrap, self.clock = aws, function, bootstrap, clock
        self.proxy = Proxy(function.id, aws.gateway, aws.video, self.kill, record)
        self.process: asyncio.subprocess.Process | None = None
        self.server: asyncio.Server | None = None
        self.watch: asyncio.Task[None] | None = None
        # What the process is to get next; each process has its own queue.
        self.events: asyncio.Queue[tuple[str, Any, float] | None] = asyncio.Queue()
        self.taken = asyncio.Event()
        self.outcome: asyncio.Future[Result] | None = None
        # One task for each connection of the process's to its runtime API.
        self.serving: set[asyncio.Task[None]] = set()
        self.seconds = 0
        self.id = uuid.uuid4().hex
        self.moved = aws.work / f"clock-{self.id}"
        self.log = aws.work / f"{function.id}-{self.id}.log"

    async def start(self) -> None:
        self.set_clock(0)
        await self.proxy.start()
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        self.kill()
        if self.watch:
            await self.watch
        self.events.put_nowait(None)
        for server in (self.server, self.proxy.server):
            if server:
                server.close()
        # Otherwise whoever ends the loop now is told of each connection that it cut off.
        await asyncio.gather(*self.serving, return_exceptions=True)
        self.moved.unlink(missing_ok=True)

    def set_clock(self, seconds: int) -> None:
        """Moves the function's clock so far ahead of ours, or behind."""
        self.seconds = seconds
        with self.moved.open("r+b" if self.moved.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))

    def kill(self) -> None:
        """SIGKILL, as the machine under it might end; nothing is told."""
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)

    def environment(self) -> dict[str, str]:
        assert self.server is not None
        function, proxy = self.function, self.proxy.url
        inherited = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}
        return inherited | self.aws.environment() | function.environment | {
            "_HANDLER": function.id,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"test/{self.id}",
            "AWS_ENDPOINT_URL": proxy,
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": proxy,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": proxy,
            "ARM_TEST_CLOCK": str(self.moved),
            "LD_PRELOAD": str(self.clock),
        }  # fmt: skip

    async def spawn(self) -> None:
        if self.watch:
            await self.watch
        self.events.put_nowait(None)
        self.events = asyncio.Queue()
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                self.bootstrap, env=self.environment(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.watch = asyncio.create_task(self.until_dead(self.process))

    async def until_dead(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self.end(Result("died"))

    def end(self, result: Result) -> None:
        if self.outcome and not self.outcome.done():
            self.outcome.set_result(result)

    async def invoke(self, event: Any, fault: Fault | None = None) -> Result:
        """One invocation, by a process that lives on until it is killed or fails."""
        self.proxy.begin(fault)
        self.outcome = asyncio.get_running_loop().create_future()
        if self.process is None or self.process.returncode is not None:
            await self.spawn()
        self.taken = asyncio.Event()
        self.events.put_nowait((str(uuid.uuid4()), event, time.time() + self.seconds + self.function.timeout_s))
        waiting = asyncio.ensure_future(self.taken.wait())
        await asyncio.wait({waiting, self.outcome}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self.taken.is_set() and not self.outcome.done():
            raise RuntimeError(f"{self.function.id} asked for no event; its log is {self.log}")
        try:
            result = await asyncio.wait_for(asyncio.shield(self.outcome), self.function.timeout_s)
        except TimeoutError:
            self.kill()
            result = Result("timeout")
        # Lambda keeps a process whose handler answered with an error.
        if result.kind in ("died", "timeout") and self.watch:
            await self.watch
            await self.proxy.finish()
        result.calls = list(self.proxy.calls)
        return result

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            self.serving.add(task)
            task.add_done_callback(self.serving.discard)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, OSError):
            while request := await read_request(reader, writer):
                path = request.target.removeprefix(API)
                if path == "invocation/next":
                    writer.write(await self.next())
                else:
                    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                    self.answered(path, request.body)
                await writer.drain()
        writer.close()

    async def next(self) -> bytes:
        given = await self.events.get()
        if given is None:
            raise ConnectionError("the process that asked is dead")
        request_id, event, deadline = given
        self.taken.set()
        body = json.dumps(event).encode()
        lines = [
            "HTTP/1.1 200 OK",
            f"Lambda-Runtime-Aws-Request-Id: {request_id}",
            f"Lambda-Runtime-Deadline-Ms: {int(deadline * 1_000)}",
            f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:{REGION}:123456789012:function:{self.function.name}",
            "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def answered(self, path: str, body: bytes) -> None:
        answer = json.loads(body) if body else None
        if path.endswith("/response"):
            self.end(Result("done", answer))
        else:
            self.end(Result("error", answer))


def queue_batch(arn: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda makes of messages as ReceiveMessage gives them."""
    return {
        "Records": [
            {
                "messageId": it["MessageId"],
                "receiptHandle": it["ReceiptHandle"],
                "body": it["Body"],
                "attributes": it.get("Attributes", {}),
                "messageAttributes": {},
                "md5OfBody": it.get("MD5OfBody", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for it in messages
        ]
    }


def stream_batch(arn: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """What Lambda makes of records as GetRecords gives them."""
    named = {"awsRegion": REGION, "eventSourceARN": arn, "eventVersion": "1.1", "eventSource": "aws:dynamodb"}
    return {"Records": [record | named for record in records]}


def matches(pattern: Any, value: Any) -> bool:
    """Whether an event source mapping's filter passes a record; it may name exact values alone."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(it, value.get(key)) for key, it in pattern.items())
    if any(isinstance(it, dict) for it in pattern):
        raise NotImplementedError(f"a filter with an operator: {pattern}")
    return value in pattern
