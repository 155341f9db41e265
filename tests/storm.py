"""Thousands of detections at once, some of them twice and in any order, while calls to AWS fail.

Bursts and chains of detections go by the store's bus and its rules into the queue `incidents`; several
environments of `respond` empty it as Lambda would, and one call in twenty fails in some way. What must
come of it is worked out here from the input alone: one case for each incident and every detection
counted once, one alert for each incident that people are told of, its clip asked for, its audit trail
whole, no dead letter. The functions, the queue and the faults are those of `faults/`.

Usage: storm.py [--detections N] [--one-incident] [--seed N] [--record FILE] BOOTSTRAP [ARM] [SERVE]

ARM and SERVE (generator/local-aws/examples/serve.rs, built) stand beside BOOTSTRAP when not given.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from faults.aws import STORE, LocalAws, parse
from faults.host import Host, queue_batch
from faults.judge import is_mark
from faults.lane import make_clock
from faults.proxy import Answer, Call, Fault, Proxy, Request
from storm_input import Detection, Rule, deployed_rules, draw, draw_one, in_any_order, incidents
from storm_judge import Judge, drained, expect

# Of the calls, so many fail, and of these so many at each of the SDK's attempts.
FAILING, EACH = 0.05, 0.5
# How often each way to fail is drawn: what keeps a function waiting for seconds, or ends it with a
# whole batch, seldom, as otherwise chance alone would use up the five deliveries of a message.
WEIGHTS = {"500-before": 6, "500-after": 6, "throttle": 6, "reset-before": 6, "reset-after": 6, "cut": 6}
WEIGHTS |= {"hang-before": 1, "hang-after": 1, "kill-before": 1, "kill-after": 1}
# From this delivery of a message on nothing fails: the last of five must not be lost to the lot.
CALM_DELIVERY = 4
# Environments at once: most of their time they wait for a call that hangs.
HOSTS = 16
# Longest time that publishing an alert takes, in seconds: long enough for other environments to come
# to the same case meanwhile.
PUBLISH_SECONDS = 1.5
# Seconds without any progress after which the storm is over, and has failed.
STUCK_SECONDS = 90
# A message that failed stays hidden until everything else is handled; then the clock is moved on.
HIDDEN_SECONDS = 12 * 3_600


class Lot(Proxy):
    """A proxy that draws for each call whether it fails, how, and whether at its first attempt alone."""

    lot = random.Random()
    failing = FAILING
    drawn: dict[int, Fault]

    def begin(self, fault: Fault | None = None) -> None:
        super().begin(fault)
        self.drawn = {}

    def numbered(self, request: Request) -> Call:
        call = super().numbered(request)
        if call.attempt == 1:
            fails, each = self.lot.random() < self.failing, self.lot.random() < EACH
            mode = self.lot.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if fails:
                self.drawn[call.number] = Fault(call.number, mode, each and not mode.startswith("kill"))
        fault = self.drawn.get(call.number)
        self.fault = fault if fault and (call.attempt == 1 or fault.each) else None
        self.broken = None
        return call

    async def forward(self, call: Call, request: Request) -> Answer:
        if call.operation == "Publish":
            await asyncio.sleep(self.lot.random() * PUBLISH_SECONDS)
        return await super().forward(call, request)


@dataclass
class Storm:
    """The storm under way: what was put, what came out of the queue, what the functions called."""

    aws: LocalAws
    record: TextIO | None
    seed: int
    rules: dict[str, Rule]
    # The rule that each detection must match, and how many messages that makes.
    routes: dict[tuple[str, str, int], str]
    expected: int
    done: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    faults: Counter = field(default_factory=Counter)
    calls: Counter = field(default_factory=Counter)
    attempts: int = 0
    invocations: Counter = field(default_factory=Counter)
    deliveries: Counter = field(default_factory=Counter)
    # Alerts that reached SNS, and of these the ones that no fault kept from being noted, by case.
    alerts: Counter = field(default_factory=Counter)
    sure_alerts: Counter = field(default_factory=Counter)
    seconds: int = 0
    rounds: int = 1
    moved: float = 0
    told: int = 0

    async def rage(self, bootstrap: str, entries: list[Detection]) -> None:
        clock = make_clock(self.aws.work)
        respond = self.aws.functions["respond"]
        hosts = [Host(self.aws, respond, bootstrap, clock) for _ in range(HOSTS)]
        for index, host in enumerate(hosts):
            host.proxy = Lot(respond.id, self.aws.gateway, self.aws.video, host.kill, self.record)
            host.proxy.lot = random.Random(self.seed + index)
            await host.start()
        self.moved = time.monotonic()
        # An environment that waits for a message holds a thread: none may wait for another's.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * HOSTS + 1))
        try:
            await asyncio.gather(self.put(entries), *(self.work(host) for host in hosts))
        finally:
            for host in hosts:
                await host.stop()

    async def put(self, entries: list[Detection]) -> None:
        """Puts every event on the store's bus, ten at a time."""
        bus, events = self.aws.tick["bus"], self.aws.client("events")
        for index in range(0, len(entries), 10):
            batch = [
                {"EventBusName": bus, "Source": "arm.detector", "DetailType": "BehaviourDetected", "Detail": json.dumps(it.detail())}
                for it in entries[index : index + 10]
            ]
            answer = await asyncio.to_thread(events.put_events, Entries=batch)
            if answer["FailedEntryCount"]:
                raise SystemExit(f"the bus refused events: {answer}")

    async def work(self, host: Host) -> None:
        """One environment of the function: takes batches until every message is handled."""
        sqs, source = self.aws.client("sqs"), self.aws.sources["respond"]
        url = self.aws.queue_url(source.arn)
        while len(self.done) < self.expected:
            if time.monotonic() - self.moved > STUCK_SECONDS:
                self.wrong.append(f"{self.expected - len(self.done)} messages were never handled")
                return
            answer = await asyncio.to_thread(
                sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=source.batch, WaitTimeSeconds=1, AttributeNames=["All"]
            )
            messages = answer.get("Messages", [])
            if messages:
                await self.deliver(host, url, messages)
            elif self.held and len(self.done) + len(self.held) == self.expected:
                await self.next_round(url)

    async def deliver(self, host: Host, url: str, messages: list[dict[str, Any]]) -> None:
        sqs = self.aws.client("sqs")
        for message in messages:
            self.deliveries[message["MessageId"]] += 1
            body = json.loads(message["Body"])
            detail = body["detail"]
            if self.routes.get((detail["camera"], detail["event_type"], detail["start_ms"])) != body["rule"]:
                self.wrong.append(f"a message of the rule {body['rule']} about {detail}")
        host.set_clock(self.seconds)
        calm = any(self.deliveries[it["MessageId"]] >= CALM_DELIVERY for it in messages)
        host.proxy.failing = 0 if calm else FAILING
        result = await host.invoke(queue_batch(self.aws.sources["respond"].arn, messages))
        self.invocations[result.kind] += 1
        self.note(result.calls)
        failed = result.failed(it["MessageId"] for it in messages)
        for message in messages:
            handle = message["ReceiptHandle"]
            if message["MessageId"] in failed:
                await asyncio.to_thread(
                    sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=HIDDEN_SECONDS
                )
                self.held[message["MessageId"]] = handle
            else:
                await asyncio.to_thread(sqs.delete_message, QueueUrl=url, ReceiptHandle=handle)
                self.done.add(message["MessageId"])
        self.moved = time.monotonic()
        if len(self.done) * 10 // self.expected > self.told:
            self.told = len(self.done) * 10 // self.expected
            print(f"        {len(self.done)} of {self.expected} messages are handled, {len(self.held)} come again", flush=True)

    async def next_round(self, url: str) -> None:
        """The queue hands out again what failed; the functions' clock has moved on as long as that takes."""
        sqs = self.aws.client("sqs")
        held, self.held = self.held, {}
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
        self.seconds += int(attributes["VisibilityTimeout"])
        self.rounds += 1
        for handle in held.values():
            await asyncio.to_thread(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    def note(self, calls: list[Call]) -> None:
        self.attempts += len(calls)
        last = {call.number: call for call in calls}
        for index, call in enumerate(calls):
            if call.attempt == 1:
                self.calls[call.operation] += 1
                if call.fault:
                    # `*`: no attempt of the call was spared.
                    self.faults[call.fault + "*" * (last[call.number].attempt > 1 and bool(last[call.number].fault))] += 1
            if call.operation == "Publish" and call.taken:
                case_id = json.loads(json.loads(call.input["Message"])["https"])["case_id"]
                self.alerts[case_id] += 1
                self.sure_alerts[case_id] += is_sure(case_id, call, calls[index + 1 :])


def is_sure(case_id: str, published: Call, later: list[Call]) -> bool:
    """Whether the function had no excuse to publish again: no fault struck until the case was marked."""
    for call in [published, *later]:
        if call.fault:
            return False
        if is_mark(call) and call.taken and f"CASE#{case_id}" in json.dumps(call.input):
            return True
    return True


def subscribed(aws: LocalAws) -> str:
    """A queue that gets every alert of the store."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    url = sqs.create_queue(QueueName="a-storm-hears-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = next(it["TopicArn"] for it in sns.list_topics()["Topics"] if it["TopicArn"].endswith(f"{STORE}-alerts"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def print_figures(storm: Storm, distinct: int, seconds: float) -> None:
    faults, calls = sum(storm.faults.values()), sum(storm.calls.values())
    print(f"\n{distinct} detections in {storm.expected} messages, delivered {sum(storm.deliveries.values())} times in "
          f"{sum(storm.invocations.values())} batches and {storm.rounds} rounds, by {HOSTS} environments")  # fmt: skip
    print(f"batches: {dict(sorted(storm.invocations.items()))}")
    print(f"calls: {calls}, {calls / distinct:.1f} for each detection: {dict(storm.calls.most_common())}")
    share = f"{100 * faults / calls:.1f} % of the calls ({storm.attempts} attempts)"
    print(f"faults: {faults}, {share}: {dict(sorted(storm.faults.items()))}")
    print(f"wall time: {seconds:.1f} s\n")


def run(args: argparse.Namespace, aws: LocalAws) -> bool:
    lot = random.Random(args.seed)
    rules = deployed_rules(aws)
    detections = (draw_one if args.one_incident else draw)(lot, args.detections, int(time.time() * 1_000))
    found = incidents(detections, rules)
    entries = in_any_order(lot, detections, found)
    hears = subscribed(aws)
    routes = {(it.camera, it.event_type, it.start_ms): it.rule for it in detections}
    storm = Storm(aws, args.record, args.seed, rules, routes, len(entries))
    began = time.monotonic()
    asyncio.run(storm.rage(args.bootstrap, entries))
    print_figures(storm, len(detections), time.monotonic() - began)
    outcomes = [expect(not storm.wrong, f"every message was handled {storm.wrong[:3] or ''}")]
    outcomes += Judge(aws, found, rules, storm.alerts, storm.sure_alerts).holds(len(drained(aws, hears)))
    # A storm without faults, or without what it should try, would show nothing.
    struck = sum(storm.faults.values()) / max(1, sum(storm.calls.values()))
    outcomes.append(expect(FAILING / 2 < struck < FAILING * 2, f"{100 * struck:.1f} % of the calls failed"))
    if args.detections >= 2_000:
        outcomes.append(expect({it.strip("*") for it in storm.faults} == set(WEIGHTS), "every kind of fault struck"))
    return all(outcomes)


def at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of at least 1")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description="Many detections, delivered twice and in any order, while calls fail.")
    parser.add_argument("--detections", type=at_least_one, default=10_000, metavar="N", help="how many (default: 10000)")
    parser.add_argument("--one-incident", action="store_true", help="all of them belong to one case")
    parser.add_argument("--seed", type=int, default=1, help="draws the same storm again (default: 1)")
    args = parse(parser)
    with tempfile.TemporaryDirectory() as work, LocalAws.started(Path(work), args.arm, args.serve) as aws:
        holds = run(args, aws)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
