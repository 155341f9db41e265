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
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from faults.aws import CELL, STORE, LocalAws
from faults.host import Host, queue_batch
from faults.judge import broken_trail, is_mark, plain
from faults.lane import make_clock
from faults.proxy import Call, Fault, Proxy, Request

CAMERAS = 50
# Of the events, so many are put again; of the calls, so many fail, and of these so many at each of the
# SDK's attempts.
AGAIN, FAILING, EACH = 0.2, 0.05, 0.5
# Of the incidents, so many have all their events among so many in a row: environments meet there.
AT_ONCE, SPREAD = 0.5, 60
# How often each way to fail is drawn: what keeps a function waiting for seconds, or ends it with a
# whole batch, seldom, as otherwise chance alone would use up the five deliveries of a message.
WEIGHTS = {"500-before": 6, "500-after": 6, "throttle": 6, "reset-before": 6, "reset-after": 6, "cut": 6}
WEIGHTS |= {"hang-before": 1, "hang-after": 1, "kill-before": 1, "kill-after": 1}
# From this delivery of a message on nothing fails: the last of five must not be lost to the lot.
CALM_DELIVERY = 4
HOSTS = 6
# Seconds without any progress after which the storm is over, and has failed.
STUCK_SECONDS = 90
# A message that failed stays hidden until everything else is handled; then the clock is moved on.
HIDDEN_SECONDS = 12 * 3_600
# An event's shape: its type, what rules look at, and the rule of the example store that it matches.
KINDS = [
    ("shelf_sweep", {"confidence": 0.93, "period": "open"}, "shelf-sweep"),
    ("concealment", {"confidence": 0.81, "period": "open", "aisle_kind": "high-value"}, "concealment-high-value"),
    ("loitering", {"confidence": 0.7, "period": "open"}, "unrouted"),
    ("tampering", {"confidence": 0.9, "period": "closed"}, "after-hours"),
]
# The same type under a rule with a higher priority, for incidents that get worse.
WORSE = ("shelf_sweep", {"confidence": 0.95, "period": "closed"}, "after-hours")
# Longest stretch of video that a case wants (runtime/casework/src/evidence.rs).
EXTENDED_MS_MAX = 180_000


@dataclass(frozen=True)
class Detection:
    camera: str
    event_type: str
    rule: str
    start_ms: int
    end_ms: int
    more: tuple[tuple[str, Any], ...]

    def detail(self) -> dict[str, Any]:
        own = {"event_type": self.event_type, "store": STORE, "camera": self.camera, "aisle": self.camera}
        return own | {"aisle_name": f"Aisle {self.camera}", "start_ms": self.start_ms, "end_ms": self.end_ms} | dict(self.more)


@dataclass(frozen=True)
class Rule:
    """What the deployed rule says about each of its detections."""

    cooldown_ms: int
    priority: str
    tells: bool
    before_ms: int
    after_ms: int


@dataclass
class Incident:
    """Detections of one camera and event type, each within the cooldown of others."""

    detections: list[Detection]
    # All within the cooldown of each other and of one rule: whatever comes first, one alert.
    is_plain: bool = False
    tells: bool = False
    alerts: int = 0
    sure_alerts: int = 0

    @property
    def start_ms(self) -> int:
        return min(it.start_ms for it in self.detections)

    @property
    def end_ms(self) -> int:
        return max(it.end_ms for it in self.detections)


def expect(holds: bool, what: str) -> bool:
    print(("ok      " if holds else "FAILED  ") + what)
    return holds


def draw(lot: random.Random, count: int, now_ms: int) -> list[Detection]:
    """So many detections: nine in ten incidents are bursts, the others chains, or get worse."""
    found: dict[tuple[str, str, int], Detection] = {}
    free_ms: dict[tuple[str, str], int] = defaultdict(lambda: now_ms - 20 * 3_600_000)
    while len(found) < count:
        camera = f"storm-{lot.randrange(CAMERAS):02}"
        kind = lot.choice(KINDS)
        shape = lot.choices(["burst", "chain", "worse"], [90, 7, 3])[0]
        kind = KINDS[0] if shape == "worse" else kind
        at_ms = first_ms = free_ms[camera, kind[0]]
        for number in range(lot.randint(1, 14) if shape == "burst" else lot.randint(3, 8)):
            event_type, more, rule = WORSE if shape == "worse" and number % 2 else kind
            start_ms = at_ms if shape == "chain" else first_ms + lot.randrange(40_000)
            end_ms = start_ms + lot.randrange(8_000)
            at_ms = end_ms + lot.randrange(30_000, 55_000)
            detection = Detection(camera, event_type, rule, start_ms, end_ms, tuple(more.items()))
            if len(found) < count:
                found.setdefault((camera, event_type, start_ms), detection)
            free_ms[camera, event_type] = max(free_ms[camera, event_type], end_ms + 150_000 + lot.randrange(60_000))
    return list(found.values())


def draw_one(lot: random.Random, count: int, now_ms: int) -> list[Detection]:
    """So many detections of one incident: all within the cooldown of each other."""
    event_type, more, rule = KINDS[0]
    first_ms = now_ms - 3_600_000
    starts = lot.sample(range(first_ms, first_ms + 50_000), count)
    return [Detection("storm-00", event_type, rule, it, it + lot.randrange(5_000), tuple(more.items())) for it in starts]


def incidents(detections: list[Detection], rules: dict[str, Rule]) -> list[Incident]:
    """The connected components: detections of one camera and type, linked when within the cooldown."""
    found = []
    by_key: dict[tuple[str, str], list[Detection]] = defaultdict(list)
    for it in detections:
        by_key[it.camera, it.event_type].append(it)
    for group in by_key.values():
        end_ms = None
        for it in sorted(group, key=lambda it: it.start_ms):
            if end_ms is None or it.start_ms > end_ms + rules[it.rule].cooldown_ms:
                found.append(Incident([]))
                end_ms = it.end_ms
            found[-1].detections.append(it)
            end_ms = max(end_ms, it.end_ms)
    for incident in found:
        members = incident.detections
        shortest_ms = min(rules[it.rule].cooldown_ms for it in members)
        near = max(it.start_ms for it in members) - min(it.end_ms for it in members) <= shortest_ms
        incident.is_plain = near and len({it.rule for it in members}) == 1
        incident.tells = any(rules[it.rule].tells for it in members)
    return found


def in_any_order(lot: random.Random, detections: list[Detection], found: list[Incident]) -> list[Detection]:
    """The events as they arrive: those of some incidents at about once, the others at any time."""
    entries = detections + lot.sample(detections, int(AGAIN * len(detections)))
    at_once = {}
    for incident in found:
        if lot.random() < AT_ONCE:
            at_once |= dict.fromkeys(incident.detections, lot.random())
    spread = SPREAD / len(entries)
    return sorted(entries, key=lambda it: at_once[it] + lot.random() * spread if it in at_once else lot.random())


def deployed_rules(aws: LocalAws) -> dict[str, Rule]:
    """The rules as they stand in the template that was deployed."""
    found = {}
    for resource in aws.templates[f"arm-{CELL}-store-{STORE}"]["Resources"].values():
        if resource["Type"] != "AWS::Events::Rule":
            continue
        text = resource["Properties"]["Targets"][0]["InputTransformer"]["InputTemplate"]["Fn::Sub"]
        number = lambda name, text=text: int(re.search(rf'"{name}":(\d+)', text)[1])
        notify, shadow = re.search(r'"notify":(\[.*?\])', text)[1], '"shadow":true' in text
        found[re.search(r'"rule":"(.*?)"', text)[1]] = Rule(
            cooldown_ms=number("cooldown_s") * 1_000,
            priority=re.search(r'"priority":"(\w+)"', text)[1],
            tells=notify != "[]" and not shadow,
            before_ms=number("before_s") * 1_000,
            after_ms=number("after_s") * 1_000,
        )
    return found


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


@dataclass
class Storm:
    """The storm under way: what was put, what came out of the queue, what the functions called."""

    aws: LocalAws
    record: TextIO | None
    seed: int
    rules: dict[str, Rule]
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

    async def rage(self, bootstrap: str, entries: list[Detection]) -> None:
        clock = make_clock(self.aws.work)
        respond = self.aws.functions["respond"]
        hosts = [Host(self.aws, respond, bootstrap, clock) for _ in range(HOSTS)]
        for index, host in enumerate(hosts):
            host.proxy = Lot(respond.id, self.aws.gateway, self.aws.video, host.kill, self.record)
            host.proxy.lot = random.Random(self.seed + index)
            await host.start()
        self.moved = time.monotonic()
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
            if body["detail"]["camera"].startswith("storm-") and body["rule"] not in self.rules:
                self.wrong.append(f"a message of the rule {body['rule']}")
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


def drained(aws: LocalAws, url: str) -> list[dict[str, Any]]:
    """Every message of a queue."""
    sqs, found = aws.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=3_600).get("Messages", []):
        found += [json.loads(it["Body"]) for it in messages]
    return found


def subscribed(aws: LocalAws) -> str:
    """A queue that gets every alert of the store."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    url = sqs.create_queue(QueueName="a-storm-hears-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = next(it["TopicArn"] for it in sns.list_topics()["Topics"] if it["TopicArn"].endswith(f"{STORE}-alerts"))
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000)


def size(value: Any) -> int:
    """Bytes of an attribute's value, or of an item, as DynamoDB counts them: about."""
    if isinstance(value, dict):
        return 3 + sum(len(name.encode()) + size(it) + 1 for name, it in value.items())
    if isinstance(value, list):
        return 3 + sum(size(it) + 1 for it in value)
    return len(str(value).encode())


class Judge:
    """Holds what is on record against what must have come of the input."""

    def __init__(self, storm: Storm, found: list[Incident]) -> None:
        self.storm, self.incidents = storm, found
        aws = storm.aws
        pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=f"arm-{CELL}-cases")
        items = [plain(item) for page in pages for item in page["Items"]]
        self.largest = max(items, key=size)
        self.all_cases = [it for it in items if it["pk"].startswith("CASE#") and it["sk"] == "META"]
        self.cases = [it for it in self.all_cases if it["status"] != "MERGED"]
        self.entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for it in items:
            if it["pk"].startswith("CASE#") and it["sk"].startswith("EVENT#"):
                self.entries[it["pk"]].append(it)
        self.requests = {it["case_id"] for it in drained(aws, aws.queue_url(aws.sources["preserve"].arn))}
        self.held: dict[int, list[dict[str, Any]]] = defaultdict(list)
        starts: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        for index, it in enumerate(found):
            starts[it.detections[0].camera, it.detections[0].event_type].append((it.start_ms, it.end_ms, index))
        self.strays = []
        for case in self.all_cases:
            opened = ms(case["opened_at"])
            near = [index for start, end, index in starts[case["camera"], case["event_type"]] if start <= opened <= end]
            if not near:
                self.strays.append(case["case_id"])
                continue
            incident = found[near[0]]
            incident.alerts += storm.alerts[case["case_id"]]
            incident.sure_alerts += storm.sure_alerts[case["case_id"]]
            if case["status"] != "MERGED":
                self.held[near[0]].append(case)

    def one_case_each(self) -> list[bool]:
        distinct = sum(len(it.detections) for it in self.incidents)
        wrong = [(it, self.held[index]) for index, it in enumerate(self.incidents) if len(self.held[index]) != 1]
        for it, cases in wrong[:5]:
            print(f"        {len(cases)} cases for {len(it.detections)} detections, {'plain' if it.is_plain else 'chained'}: {it.detections[0]}")
        differs = []
        for index, it in enumerate(self.incidents):
            for case in self.held[index][:1] if len(self.held[index]) == 1 else []:
                has = (case["detections"], ms(case["opened_at"]), ms(case["last_seen_at"]))
                if has != (len(it.detections), it.start_ms, it.end_ms):
                    differs.append(f"{case['case_id']} has {has}, its incident {(len(it.detections), it.start_ms, it.end_ms)}")
        for line in differs[:5]:
            print("        " + line)
        counted = sum(it["detections"] for it in self.cases)
        plains = sum(it.is_plain for it in self.incidents)
        return [
            expect(not self.strays, f"no case of no incident {self.strays[:3] or ''}"),
            expect(
                len(self.cases) == len(self.incidents) and not wrong,
                f"{len(self.incidents)} incidents ({plains} of them plain), {len(self.cases)} cases ({len(self.all_cases) - len(self.cases)} merged), one each",
            ),
            expect(counted == distinct, f"{distinct} distinct detections, {counted} counted"),
            expect(not differs, "each case has its incident's detections, begin and end"),
        ]

    def alerts(self, heard: int) -> list[bool]:
        told = [it for it in self.incidents if it.tells]
        lost = [it for it in told if it.alerts == 0]
        twice = [it for it in told if it.is_plain and it.sure_alerts > 1]
        silent = [it for it in self.incidents if not it.tells and it.alerts]
        for it in (lost + twice + silent)[:5]:
            print(f"        {it.alerts} alerts, {it.sure_alerts} of them without any fault: {it.detections[0]}")
        published = sum(self.storm.alerts.values())
        plains = [it for it in told if it.is_plain]
        second = sum(it.alerts - 1 for it in plains if it.alerts)
        return [
            expect(heard == published, f"{published} alerts reached SNS, and a subscriber got {heard}"),
            expect(not lost, f"{len(told)} incidents with people to tell, {len(lost)} of them never told"),
            expect(not twice, f"{len(plains)} of them plain: {second} second alerts, each after a fault between publishing and noting"),
            expect(not silent, "nobody is told of what is only logged"),
        ]

    def evidence(self) -> list[bool]:
        unasked = [it["case_id"] for it in self.cases if it["case_id"] not in self.requests]
        short = []
        for index, incident in enumerate(self.incidents):
            for case in self.held[index]:
                rule = self.storm.rules[incident.detections[0].rule]
                wanted = (incident.start_ms - rule.before_ms, incident.end_ms + rule.after_ms)
                range_ms = (ms(case["evidence"]["start"]), ms(case["evidence"]["end"]))
                whole = range_ms == wanted
                longest = range_ms[1] - range_ms[0] >= EXTENDED_MS_MAX and wanted[0] <= range_ms[0] < range_ms[1] <= wanted[1]
                if not (whole or longest):
                    short.append(f"{case['case_id']} wants {range_ms}, its incident {wanted}")
        for line in short[:5]:
            print("        " + line)
        return [
            expect(not unasked, f"the clip of every case was asked for {unasked[:3] or ''}"),
            expect(not short, "the video that each case wants covers its incident, up to three minutes"),
        ]

    def rest(self) -> list[bool]:
        broken = [line for it in self.all_cases for line in broken_trail(it, self.entries[it["pk"]])]
        letters = {name: count for name, count in self.storm.aws.dead_letters().items() if count}
        return [
            expect(not broken, f"{sum(map(len, self.entries.values()))} audit entries, each chain whole {broken[:3] or ''}"),
            expect(not letters, f"no dead letters {letters or ''}"),
            expect(not self.storm.wrong, f"every message was handled {self.storm.wrong or ''}"),
            expect(size(self.largest) < 100_000, f"largest item: {size(self.largest)} bytes, {self.largest['pk'][:40]} {self.largest['sk']}"),
        ]


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
    storm = Storm(aws, args.record, args.seed, rules, len(entries))
    began = time.monotonic()
    asyncio.run(storm.rage(args.bootstrap, entries))
    print_figures(storm, len(detections), time.monotonic() - began)
    judge = Judge(storm, found)
    outcomes = judge.one_case_each() + judge.alerts(len(drained(aws, hears))) + judge.evidence() + judge.rest()
    # A storm without faults, or without what it should try, would show nothing.
    struck = sum(storm.faults.values()) / max(1, sum(storm.calls.values()))
    outcomes.append(expect(FAILING / 2 < struck < FAILING * 2, f"{100 * struck:.1f} % of the calls failed"))
    if args.detections >= 2_000:
        outcomes.append(expect({it.strip("*") for it in storm.faults} == set(WEIGHTS), "every kind of fault struck"))
    return all(outcomes)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--detections", type=int, default=10_000)
    parser.add_argument("--one-incident", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=lambda path: Path(path).open("w", encoding="utf-8"))
    parser.add_argument("bootstrap")
    parser.add_argument("arm", nargs="?")
    parser.add_argument("serve", nargs="?")
    args = parser.parse_args()
    beside = Path(args.bootstrap).resolve().parent
    args.bootstrap = str(beside / Path(args.bootstrap).name)
    arm, serve = args.arm or str(beside / "arm"), args.serve or str(beside / "examples/serve")
    with tempfile.TemporaryDirectory() as work, LocalAws.started(Path(work), arm, serve) as aws:
        holds = run(args, aws)
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
