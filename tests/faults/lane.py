"""The way of one camera's detections through the functions, and many such ways side by side.

A `World` is the local AWS with clean functions that all lanes share, and what comes out of its queues
goes to the lane whose camera it names. A `Lane` hands a batch to a function, deletes what was handled
and lets the rest come again, with the real receive counts; instead of waiting for a queue it moves the
function's clock on. `Lane.settle` runs whatever is left until the lane's queues are empty.
"""

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TextIO

from .aws import STORE, LocalAws, make_clock
from .host import Host, Result, matches, queue_batch, stream_batch
from .proxy import Call, Fault

QUEUES = ("analyze", "respond", "preserve")
# How long a message may take from one queue to the lane, in seconds. Our choice: it takes
# milliseconds, on a busy machine a second.
MESSAGE_SECONDS = 30
# Calls of our own to the local AWS at once: more than there are lanes and queues.
THREADS = 64
# Deliveries until a lane counts as one that never ends: more than a queue allows.
DELIVERIES_MAX = 20
# Environments of each function that all lanes share.
SHARED = {"dispatch": 1, "analyze": 1, "respond": 2, "preserve": 2, "project": 1}
# Minutes of an hour in which a lane may begin; see `calm_seconds`.
CALM_MINUTES = (10, 50)


class World:
    """The local AWS, the functions, and the lanes."""

    def __init__(self, aws: LocalAws, bootstrap: str, record: TextIO | None = None) -> None:
        self.aws, self.bootstrap = aws, bootstrap
        self.clock = make_clock(aws.work)
        self.record = record
        self.lanes: dict[str, Lane] = {}
        self.strays: list[str] = []
        # Message ids of the alerts of each aisle, as a subscriber of the store's topic got them.
        self.alerts: dict[str, list[str]] = defaultdict(list)
        self.shared: dict[str, asyncio.Queue[Host]] = {}
        self.hosts: list[Host] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.urls: dict[str, str] = {}
        self.hidden_s: dict[str, int] = {}
        self.changes: list[dict[str, Any]] = []
        self.reading = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["World"]:
        try:
            await self.start()
            yield self
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            await asyncio.gather(*(host.stop() for host in self.hosts))

    async def start(self) -> None:
        # Whoever waits for a message of a queue holds a thread: nobody else may wait for it.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
        sqs = self.aws.client("sqs")
        for function in QUEUES:
            self.urls[function] = url = self.aws.queue_url(self.aws.sources[function].arn)
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            self.hidden_s[function] = int(attributes["VisibilityTimeout"])
            self.tasks.append(asyncio.create_task(self.route(function, url)))
        self.tasks.append(asyncio.create_task(self.listen(self.subscribe())))
        for function in self.aws.functions:
            self.shared[function] = asyncio.Queue()
            for _ in range(SHARED.get(function, 1)):
                self.shared[function].put_nowait(await self.host(function))

    async def host(self, function: str) -> Host:
        """A new environment of a function."""
        host = Host(self.aws, self.aws.functions[function], self.bootstrap, self.clock, self.record)
        await host.start()
        self.hosts.append(host)
        return host

    async def end(self, host: Host) -> None:
        await host.stop()
        self.hosts.remove(host)

    @contextlib.asynccontextmanager
    async def borrowed(self, function: str) -> AsyncIterator[Host]:
        """One of the environments that the lanes share."""
        host = await self.shared[function].get()
        try:
            yield host
        finally:
            self.shared[function].put_nowait(host)

    def subscribe(self) -> str:
        """A queue that gets every alert of the store."""
        topics = self.aws.client("sns").list_topics()["Topics"]
        topic = next(it["TopicArn"] for it in topics if it["TopicArn"].endswith(f"{STORE}-alerts"))
        sqs = self.aws.client("sqs")
        url = sqs.create_queue(QueueName="a-test-hears-alerts")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        return url

    async def receive(self, url: str) -> list[dict[str, Any]]:
        sqs = self.aws.client("sqs")
        answer = await asyncio.to_thread(
            sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["All"]
        )
        return answer.get("Messages", [])

    async def route(self, function: str, url: str) -> None:
        while True:
            for message in await self.receive(url):
                camera = camera_of(json.loads(message["Body"]))
                if lane := self.lanes.get(camera):
                    lane.inbox[function].put_nowait(message)
                else:
                    self.strays.append(f"{function}: {message['Body'][:200]}")

    async def listen(self, url: str) -> None:
        sqs = self.aws.client("sqs")
        while True:
            for message in await self.receive(url):
                envelope = json.loads(message["Body"])
                aisle = envelope.get("MessageAttributes", {}).get("aisle", {}).get("Value", "")
                self.alerts[aisle].append(envelope["MessageId"])
                await asyncio.to_thread(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    async def changes_of(self, case_ids: set[str]) -> list[dict[str, Any]]:
        """The records of some cases in the table's stream, as the mapping's filter passes them."""
        async with self.reading:
            await asyncio.to_thread(self.read_changes)
        keys = {f"CASE#{it}" for it in case_ids}
        filters = self.aws.sources["project"].filters
        mine = [it for it in self.changes if it["dynamodb"]["Keys"]["pk"]["S"] in keys]
        return [it for it in mine if not filters or any(matches(one, it) for one in filters)]

    def read_changes(self) -> None:
        """Reads on where it stopped; an iterator lives for minutes, so each time it is a new one."""
        streams, arn = self.aws.client("dynamodbstreams"), self.aws.sources["project"].arn
        shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        start: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if self.changes:
            last = self.changes[-1]["dynamodb"]["SequenceNumber"]
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
        iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)["ShardIterator"]
        while True:
            answer = streams.get_records(ShardIterator=iterator, Limit=1000)
            iterator = answer["NextShardIterator"]
            if not answer["Records"]:
                return
            for record in answer["Records"]:
                at = record["dynamodb"].pop("ApproximateCreationDateTime", None)
                record["dynamodb"]["ApproximateCreationDateTime"] = at.timestamp() if at else 0
                self.changes.append(record)

    def dead_letters(self) -> dict[str, int]:
        """Messages that nobody could handle, by queue; only queues that hold any."""
        return {name: count for name, count in self.aws.dead_letters().items() if count}


class Lane:
    """One camera with its own stream, and the messages about it."""

    def __init__(self, world: World, name: str, more_cameras: tuple[str, ...] = ()) -> None:
        self.world, self.name = world, name
        self.inbox: dict[str, asyncio.Queue[dict[str, Any]]] = {it: asyncio.Queue() for it in QUEUES}
        # Messages that are on their way to the inbox.
        self.due: dict[str, int] = dict.fromkeys(QUEUES, 0)
        # How far ahead of ours the clock of the functions is, in seconds.
        self.seconds = calm_seconds()
        # The calls of each invocation, in the order in which they ended.
        self.history: list[list[Call]] = []
        # The cases that a clip was asked for.
        self.case_ids: set[str] = set()
        # The streams that it made.
        self.streams: list[str] = []
        # What became of a duplicate of the last batch.
        self.twin: Result | None = None
        for camera in (name, *more_cameras):
            world.lanes[camera] = self

    @property
    def stream(self) -> str:
        return self.world.aws.tick["stream_prefix"] + self.name

    async def play(self, start_ms: int, quiet_s: int, another: str = "") -> None:
        """Makes the camera's stream, with the footage from `start_ms` on, and quiet around it.

        `another` is what another camera of the lane has after the lane's name.
        """
        stream, local = self.stream + another, self.world.aws.local
        await asyncio.to_thread(local, "POST", "/createStream", {"StreamName": stream, "DataRetentionInHours": 24})
        self.streams.append(stream)
        play = {"stream": stream, "start_ms": start_ms, "quiet_s": quiet_s, "at_once": True}
        await asyncio.to_thread(local, "POST", "/_local/play", play)

    async def forget_video(self) -> None:
        """Deletes the cameras' streams, so that many lanes do not fill the memory."""
        for stream in self.streams:
            await asyncio.to_thread(self.world.aws.local, "POST", "/deleteStream", {"StreamARN": self.stream_arn(stream)})

    def stream_arn(self, stream: str) -> str:
        return self.world.aws.local("POST", "/describeStream", {"StreamName": stream})["StreamInfo"]["StreamARN"]

    def detail(self, **more: Any) -> dict[str, Any]:
        """The detail of an event of this camera; its aisle is its own, so that alerts tell it."""
        own = {"event_type": "shelf_sweep", "confidence": 0.93, "store": STORE, "camera": self.name}
        own |= {"stream": self.stream, "aisle": self.name, "aisle_name": f"Aisle {self.name}", "period": "open"}
        return {key: value for key, value in (own | more).items() if value is not None}

    async def put_event(self, detail: dict[str, Any], matched: int = 1) -> None:
        """Puts an event on the store's bus, which so many rules match."""
        entry = {
            "EventBusName": self.world.aws.tick["bus"],
            "Source": "arm.detector",
            "DetailType": "BehaviourDetected",
            "Detail": json.dumps(detail),
        }
        answer = await asyncio.to_thread(self.world.aws.client("events").put_events, Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer
        self.due["respond"] += matched

    async def take(self, function: str, most: int = 10) -> list[dict[str, Any]]:
        """Every message that is due, at most a batch of them."""
        messages = []
        batch = min(self.due[function], self.world.aws.sources[function].batch, most)
        for _ in range(batch):
            try:
                messages.append(await asyncio.wait_for(self.inbox[function].get(), MESSAGE_SECONDS))
            except TimeoutError:
                raise LaneError(f"{self.due[function]} messages for {function} never came") from None
            self.due[function] -= 1
        self.case_ids |= {it["case_id"] for it in (json.loads(one["Body"]) for one in messages) if "case_id" in it}
        return messages

    async def deliver(
        self, function: str, host: Host | None = None, fault: Fault | None = None, most: int = 10
    ) -> Result:
        """Hands a batch over once. What fails is in its queue again, and the clock stands there.

        A `twin` handles a duplicate of the batch, or the messages beyond `most`, where there are any.
        """
        messages = await self.take(function, most)
        event = queue_batch(self.world.aws.sources[function].arn, messages)
        began = time.monotonic()
        result = await self.invoke(function, event, host, fault)
        sqs, url = self.world.aws.client("sqs"), self.world.urls[function]
        failed = result.failed(it["MessageId"] for it in messages)
        if fault and self.twin:
            # A message is gone once either has handled it.
            failed &= self.twin.failed(it["MessageId"] for it in messages)
        for message in messages:
            handle = message["ReceiptHandle"]
            if message["MessageId"] in failed:
                # At AWS it stays hidden until its time is over.
                await asyncio.to_thread(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
                self.due[function] += 1
            else:
                await asyncio.to_thread(sqs.delete_message, QueueUrl=url, ReceiptHandle=handle)
        if failed:
            self.seconds += max(0, self.world.hidden_s[function] - int(time.monotonic() - began))
        return result

    async def invoke(self, function: str, event: Any, host: Host | None = None, fault: Fault | None = None) -> Result:
        """One invocation, and what is due in the queues because of it."""
        self.twin = None
        if host:
            rivals = function in QUEUES and self.due[function] > 0
            host.proxy.twin = lambda: self.deliver(function) if rivals else self.invoke_twin(function, event)
            host.set_clock(self.seconds)
            result = await host.invoke(event, fault)
        else:
            async with self.world.borrowed(function) as shared:
                shared.set_clock(self.seconds)
                result = await shared.invoke(event)
        self.history.append(result.calls)
        for call in result.calls:
            if call.taken:
                self.count(call)
        if function != "dispatch":
            # Windows wait for their video, each its own time.
            self.seconds += max((call.delay_s for call in result.calls if call.taken), default=0)
        return result

    async def invoke_twin(self, function: str, event: Any) -> None:
        self.twin = await self.invoke(function, event)

    def count(self, call: Call) -> None:
        """Adds the messages that a call has sent to those that are due."""
        if call.operation in ("SendMessage", "SendMessageBatch"):
            sent = 1 if call.operation == "SendMessage" else len(json.loads(call.answer).get("Successful", []))
            queue = call.input["QueueUrl"].rsplit("/", 1)[-1]
            self.due[next(it for it in QUEUES if self.world.urls[it].endswith(f"/{queue}"))] += sent
        if call.operation == "PutEvents":
            entries = json.loads(call.answer)["Entries"]
            self.due["respond"] += sum("EventId" in it for it in entries)

    async def settle(self, host: Host | None = None) -> None:
        """Delivers what is left; `host` serves its own function, the shared ones the others."""
        for _ in range(DELIVERIES_MAX):
            function = next((it for it in QUEUES if self.due[it]), None)
            if function is None:
                return
            own = host if host and host.function.id == function else None
            await self.deliver(function, own)
        raise LaneError(f"the queues are not empty after {DELIVERIES_MAX} deliveries: {self.due}")

    async def tick(self, minute_ms: int, cameras: list[str], host: Host | None = None, fault: Fault | None = None) -> Result:
        """One tick of a store's schedule, for these cameras alone, about the minute from `minute_ms`.

        The store is the lane's own: what is on record about a store's ticks is about these.
        """
        tick = self.world.aws.tick
        camera = next(it for it in tick["cameras"] if it["when"] == "always")
        named = [camera | {"id": it, "aisle": self.name} for it in cameras]
        aisle = tick["aisles"][0] | {"id": self.name, "name": f"Aisle {self.name}"}
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minute_ms / 1_000))
        store = tick["store"] | {"id": self.name}
        event = tick | {"store": store, "scheduled_time": at, "cameras": named, "aisles": [aisle]}
        return await self.invoke("dispatch", event, host, fault)

    async def discard(self, function: str, keep: Any) -> list[dict[str, Any]]:
        """Takes every message that is due out of the queue but those to keep; returns all bodies."""
        messages = []
        while self.due[function]:
            messages += await self.take(function)
        sqs, url = self.world.aws.client("sqs"), self.world.urls[function]
        for message in messages:
            if keep(json.loads(message["Body"])):
                self.inbox[function].put_nowait(message)
                self.due[function] += 1
            else:
                await asyncio.to_thread(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(it["Body"]) for it in messages]

    async def project(self, case_ids: set[str], host: Host, fault: Fault | None = None) -> Result:
        """Hands the changes of some cases to `project`, again from the first that failed."""
        arn = self.world.aws.sources["project"].arn
        records = await self.world.changes_of(case_ids)
        first = None
        for _ in range(DELIVERIES_MAX):
            result = await self.invoke("project", stream_batch(arn, records), host, fault if first is None else None)
            first = first or result
            numbers = [it["dynamodb"]["SequenceNumber"] for it in records]
            failed = result.failed(numbers[:1])
            if not failed:
                return first
            records = records[min(numbers.index(it) for it in failed) :]
        raise LaneError("the changes are never projected")


def calm_seconds() -> int:
    """Moves a lane away from the turn of an hour, so that all lanes make the same calls.

    What is kept by the hour or the day is one item or two there. Backwards: a detection that is ahead
    of its event would not be believed.
    """
    minute = int(time.time()) // 60 % 60
    return 0 if CALM_MINUTES[0] <= minute < CALM_MINUTES[1] else -20 * 60


class LaneError(Exception):
    """A lane that does not come to an end."""


def camera_of(body: dict[str, Any]) -> str:
    camera = body.get("camera") or body.get("detail", {}).get("camera") or ""
    return camera[0] if isinstance(camera, list) else camera
