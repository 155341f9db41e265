"""Lets the real `dispatch` and `analyze` find out that cameras ail, with one store as it is deployed.

A camera that sends nothing, one whose clock is an hour ahead and one whose picture stands still: each
is noted by `analyze` and told by `dispatch`, once, to the audience `ops` alone; a tick makes up for the
one before it that was missed, and sends nothing the second time. The conditions of every call are
DynamoDB's own expressions, which no test in memory evaluates. Tick, topic, filters, queue and bus are
those of the store's template (`faults/`), and each window is one that `dispatch` sent, at another time.

Usage: health.py [--record FILE] BOOTSTRAP [ARM] [SERVE]

ARM and SERVE (generator/local-aws/examples/serve.rs, built) stand beside BOOTSTRAP when not given.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, TextIO

from faults.aws import CELL, STORE, LocalAws, make_clock, parse
from faults.host import Host, queue_batch

OPS = "ops"
MINUTE_MS = 60_000
# Windows of ten seconds that a tick sends about six cameras.
WINDOWS = 36


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        raise SystemExit(1)


class Scene:
    """The store, the two functions, and what is asked of them."""

    def __init__(self, aws: LocalAws, bootstrap: str, record: TextIO | None) -> None:
        self.aws = aws
        clock = make_clock(aws.work)
        self.dispatch, self.analyze = (
            Host(aws, aws.functions[it], bootstrap, clock, record) for it in ("dispatch", "analyze")
        )
        always = [it for it in aws.tick["cameras"] if it["when"] == "always" and it["window_s"] == 10]
        self.cameras = always[:6]
        self.offline, self.ahead, self.frozen = (it["id"] for it in self.cameras[:3])
        aisles = {it["id"]: it["name"] for it in aws.tick["aisles"]}
        self.called = f"Camera {self.offline} ({aisles[self.cameras[0]['aisle']]}) at {aws.tick['store']['name']}"
        # For each subscription of the store's: its audiences, and a queue that hears the same.
        self.heard_by = self.subscribe()
        # The last message of the queue `windows` about each camera.
        self.windows: dict[str, dict[str, Any]] = {}
        self.now_ms = int(time.time() * 1_000)
        self.minute_ms = self.now_ms // MINUTE_MS * MINUTE_MS

    def subscribe(self) -> list[tuple[list[str], str]]:
        sns, sqs = self.aws.client("sns"), self.aws.client("sqs")
        resources = self.aws.templates[f"arm-{CELL}-store-{STORE}"]["Resources"].values()
        policies = [it["Properties"]["FilterPolicy"] for it in resources if it["Type"] == "AWS::SNS::Subscription"]
        found = []
        for number, policy in enumerate(policies):
            url = sqs.create_queue(QueueName=f"a-test-hears-{number}")["QueueUrl"]
            arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            sns.subscribe(
                TopicArn=self.aws.tick["topic"],
                Protocol="sqs",
                Endpoint=arn,
                Attributes={"FilterPolicy": json.dumps(policy), "RawMessageDelivery": "true"},
            )
            found.append((policy["audience"], url))
        return found

    def taken(self, url: str) -> list[dict[str, Any]]:
        """Every message that waits in a queue, which is empty then."""
        sqs, messages = self.aws.client("sqs"), []
        while found := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["All"]
        ).get("Messages"):
            messages += found
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return messages

    def heard(self, audience: str) -> list[str]:
        """What each subscription of an audience was told since it was asked last."""
        urls = [url for audiences, url in self.heard_by if audience in audiences]
        return sorted(message["Body"] for url in urls for message in self.taken(url))

    def sent(self) -> dict[str, list[dict[str, Any]]]:
        """The windows that were sent since it was asked last, by camera."""
        by_camera = defaultdict(list)
        for message in self.taken(self.aws.queue_url(self.aws.sources["analyze"].arn)):
            window = json.loads(message["Body"])
            by_camera[window["camera"]].append(window)
            self.windows[window["camera"]] = message
        return by_camera

    def play(self, camera: str, from_s: int, **how: int) -> None:
        """Puts video into a camera's stream, all at once; seconds count from now."""
        stream = self.aws.tick["stream_prefix"] + camera
        body = {"stream": stream, "start_ms": self.now_ms + from_s * 1_000, "at_once": True}
        self.aws.local("POST", "/_local/play", body | how)

    async def run(self, host: Host, event: dict[str, Any]) -> dict[str, Any]:
        result = await host.invoke(event)
        if result.kind != "done":
            raise SystemExit(f"`{host.function.id}` {result.kind}: {result.answer}\n{host.log.read_text(encoding='utf-8')}")
        return result.answer

    async def window(self, camera: str, from_s: int, to_s: int) -> None:
        """Lets `analyze` look at a window; seconds count from now."""
        message = self.windows[camera]
        window = json.loads(message["Body"]) | {
            "id": f"w-{camera}{from_s}",
            "start_ms": self.now_ms + from_s * 1_000,
            "end_ms": self.now_ms + to_s * 1_000,
            "expires_ms": self.now_ms + 10 * MINUTE_MS,
        }
        moved = message | {"Body": json.dumps(window)}
        answer = await self.run(self.analyze, queue_batch(self.aws.sources["analyze"].arn, [moved]))
        expect(answer == {"batchItemFailures": []}, f"the window {from_s} s of `{camera}` is handled")

    async def tick(self, minutes: int, late_minutes: int = 0) -> int:
        """Lets `dispatch` run at a minute from now, and returns how many windows it sent."""
        planned_ms = self.minute_ms + minutes * MINUTE_MS
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(planned_ms / 1_000))
        # A few seconds into the minute, or the seconds that this takes would make it the one before.
        moved_ms = planned_ms + late_minutes * MINUTE_MS + 5_000 - int(time.time() * 1_000)
        self.dispatch.set_clock(moved_ms // 1_000)
        event = self.aws.tick | {"scheduled_time": at, "cameras": self.cameras}
        return (await self.run(self.dispatch, event))["windows"]

    def items(self) -> dict[str, dict[str, Any]]:
        table = self.aws.functions["dispatch"].environment["ARM_CASE_TABLE"]
        found = self.aws.client("dynamodb").scan(TableName=table)["Items"]
        return {it["sk"]["S"]: it for it in found}

    def noted(self, camera: str, ailment: str, what: str) -> dict[str, Any]:
        """The item about what ails a camera, which must be there."""
        items, key = self.items(), f"CAMERA#{camera}#{ailment}"
        expect(key in items, f"{what}: {sorted(items)}")
        return items[key]


def metrics(host: Host, name: str) -> list[int]:
    """What a function has counted under a name, in its log."""
    lines = host.log.read_text(encoding="utf-8").splitlines()
    return [line[name] for line in map(json.loads, lines) if name in line]


async def ticks(scene: Scene) -> None:
    expect(len(scene.cameras) == 6, "the store has six cameras that are always on watch")
    expect(await scene.tick(-2) == WINDOWS, "a tick sends the windows of its minute")
    expect(await scene.tick(-2) == 0, "the same tick again sends nothing")
    expect(await scene.tick(0) == 2 * WINDOWS, "the next but one makes up for the minute between")
    expect(await scene.tick(-1, late_minutes=1) == 0, "the one between, which comes late, sends nothing")
    starts = {(camera, it["start_ms"]) for camera, windows in scene.sent().items() for it in windows}
    whole = {(it["id"], scene.minute_ms + at_ms) for it in scene.cameras for at_ms in range(-2 * MINUTE_MS, MINUTE_MS, 10_000)}
    expect(starts == whole, f"the queue has all three minutes of each camera, and nothing else: {len(starts)} windows")


async def begins(scene: Scene) -> None:
    offline, ahead, frozen = scene.offline, scene.ahead, scene.frozen
    # Out of order: the last window is the one that counts.
    for from_s, to_s in [(-300, -290), (-160, -150), (-230, -220)]:
        await scene.window(offline, from_s, to_s)
    item = scene.noted(offline, "offline", "a camera without video is noted")
    lasts_s = (int(item["seen_ms"]["N"]) - int(item["since_ms"]["N"])) / 1_000
    expect(lasts_s == 150, f"no video is noted from the first window to the last: {lasts_s} s")
    scene.play(ahead, 3_600)
    await scene.window(ahead, -10, 0)
    item = scene.noted(ahead, "skewed", "a clock that is wrong is noted")
    delay_s = int(item["delay_ms"]["N"]) / 1_000
    expect(-3_620 < delay_s < -3_580, f"a clock an hour ahead is noted as such: {delay_s} s behind")
    scene.play(frozen, -60, quiet_s=40)
    await scene.window(frozen, -35, -25)
    scene.noted(frozen, "frozen", "a picture that stands still is noted")
    expect(len(scene.items()) == 4, "and nothing else")


async def told(scene: Scene) -> None:
    await scene.tick(1)
    heard = scene.heard(OPS)
    said = f"{scene.called} has sent no video since"
    expect(len(heard) == 1 and heard[0].startswith(said), f"the audience `ops` is told what has lasted: {heard}")
    expect(await scene.tick(1) == 0 and scene.heard(OPS) == [], "a doubled tick tells nobody again")
    counted = metrics(scene.dispatch, "CamerasAiling")
    expect(counted == [0, 0, 1], f"cameras that ail are counted at every tick: {counted}")


async def is_over(scene: Scene) -> None:
    known = [it["ailing"] for it in scene.sent()[scene.offline]]
    expect(known == [[{"ailment": "offline"}]] * 6, "each window after that says what ails its camera")
    scene.play(scene.offline, -140, repeat=12)
    await scene.window(scene.offline, -40, -30)
    await scene.tick(2)
    heard = scene.heard(OPS)
    expect(heard == [f"{scene.called} sends video again, after 2 min"], f"its end is told: {heard}")
    expect(f"CAMERA#{scene.offline}#offline" not in scene.items(), "and it is forgotten")
    others = sorted({it for audiences, _ in scene.heard_by for it in audiences} - {OPS})
    heard = [text for audience in others for text in scene.heard(audience)]
    expect(others != [] and heard == [], f"no other audience is told anything: {others} heard {heard}")
    failed = [metrics(scene.dispatch, it) + metrics(scene.analyze, it) for it in ("HealthErrors", "WatchNoteErrors")]
    expect(failed == [[], []], "no call was refused")
    letters = {name: count for name, count in scene.aws.dead_letters().items() if count}
    expect(letters == {}, f"there is no dead letter: {letters}")


async def run(aws: LocalAws, bootstrap: str, record: TextIO | None) -> None:
    scene = Scene(aws, bootstrap, record)
    hosts = [scene.dispatch, scene.analyze]
    try:
        for host in hosts:
            await host.start()
        for act in (ticks, begins, told, is_over):
            await act(scene)
    finally:
        for host in hosts:
            await host.stop()


def main() -> None:
    args = parse(argparse.ArgumentParser())
    with tempfile.TemporaryDirectory() as work, LocalAws.started(Path(work), args.arm, args.serve) as aws:
        asyncio.run(run(aws, args.bootstrap, args.record))


if __name__ == "__main__":
    main()
