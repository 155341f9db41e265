"""An HTTP proxy before the local AWS that counts calls, throttles some and breaks some.

What is refused is decided by a seeded generator, call by call: `throttled` of them answer as AWS does when
it is asked too often, before anything happens; `failing` of them end with an error inside AWS, half of
these after the call took effect. Calls are kept with their time, for rates and counts.
"""

import collections
import http.client
import random
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Operations that change something; all others read.
WRITES = ("Create", "Execute", "Delete", "Update", "Put", "Continue", "Rollback", "Cancel", "Set")
THROTTLING = (
    '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
    "<Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>r</RequestId></ErrorResponse>"
)
FAILURE = THROTTLING.replace("Sender", "Receiver").replace("Throttling", "InternalFailure").replace("Rate exceeded", "try again")
FAILURE_S3 = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
SLOW_DOWN = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"


class Gate:
    """The proxy; `url` is where clients go."""

    def __init__(self, upstream: str, seed: int = 1) -> None:
        self.upstream = urllib.parse.urlsplit(upstream)
        self.throttled, self.failing = 0.0, 0.0
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        # Time, service, operation, stack or key, and what became of it: "", "throttled", "failed".
        self.calls: list[tuple[float, str, str, str, str]] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def handle_any(self) -> None:
                gate.serve(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()

    def forget(self) -> None:
        with self.lock:
            self.calls.clear()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        service = scope(handler.headers.get("authorization") or "")
        operation, about = told(handler, body, service)
        with self.lock:
            chance, after = self.random.random(), self.random.random() < 0.5
        fate = ""
        if service in ("cloudformation", "s3") and chance < self.throttled:
            fate = "throttled"
        elif service in ("cloudformation", "s3") and chance < self.throttled + self.failing:
            fate = "failed"
        with self.lock:
            self.calls.append((time.monotonic(), service, operation, about, fate))
        if fate == "throttled":
            status, text = (503, SLOW_DOWN) if service == "s3" else (400, THROTTLING)
            return answer(handler, status, [("content-type", "text/xml")], text.encode())
        failure = (FAILURE_S3 if service == "s3" else FAILURE).encode()
        if fate == "failed" and not after:
            return answer(handler, 500, [("content-type", "text/xml")], failure)
        status, headers, content = self.forward(handler, body)
        if fate == "failed":
            return answer(handler, 500, [("content-type", "text/xml")], failure)
        return answer(handler, status, headers, content)

    def forward(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname or "", self.upstream.port, timeout=120)
        try:
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for key, value in handler.headers.items():
                if key.lower() not in ("content-length", "connection", "transfer-encoding"):
                    connection.putheader(key, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            content = response.read()
            return response.status, response.getheaders(), content
        finally:
            connection.close()

    def count(self, service: str = "cloudformation") -> collections.Counter[str]:
        """Calls by operation."""
        with self.lock:
            return collections.Counter(it[2] for it in self.calls if it[1] == service)

    def rate(self, seconds: float = 10.0) -> float:
        """Most CloudFormation reads a second, over any stretch of so many seconds."""
        with self.lock:
            times = [it[0] for it in self.calls if it[1] == "cloudformation" and not it[2].startswith(WRITES)]
        most, first = 0, 0
        for last, moment in enumerate(times):
            while moment - times[first] > seconds:
                first += 1
            most = max(most, last - first + 1)
        return most / seconds


def scope(authorization: str) -> str:
    """The service that a request is signed for."""
    parts = authorization.partition("Credential=")[2].split("/")
    return parts[3] if len(parts) > 3 else ""


def told(handler: BaseHTTPRequestHandler, body: bytes, service: str) -> tuple[str, str]:
    """Operation, and what it is about."""
    if service == "s3":
        return handler.command.title(), handler.path.partition("?")[0]
    fields = urllib.parse.parse_qs(body.decode(errors="replace"))
    first = lambda name: fields.get(name, [""])[0]
    target = handler.headers.get("x-amz-target") or ""
    return first("Action") or target.rpartition(".")[2], first("StackName")


def answer(handler: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
    try:
        handler.send_response_only(status)
        for key, value in headers:
            if key.lower() not in ("content-length", "transfer-encoding", "connection"):
                handler.send_header(key, value)
        length = next((value for key, value in headers if key.lower() == "content-length"), None)
        # A HEAD has the length of what it does not bring.
        handler.send_header("Content-Length", length if handler.command == "HEAD" and length else str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)
    except (BrokenPipeError, ConnectionResetError):
        # The client was killed.
        pass
