"""Lambda for one process at a time, and the stub of AWS: what side_by_side.py measures its contenders in.

Plays the Runtime API: hands out events and takes answers over as few bytes and system calls as can
be, because what it takes itself is part of every time. A start is timed from exec to the first poll.
It shares nothing with tests/faults/host.py, whose event loop, proxy and moved clock would be timed too.
"""

import http.client
import json
import pathlib
import select
import socket
import statistics
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE_S = 60


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
