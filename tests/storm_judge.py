"""Holds what a storm left on record against the incidents that its input must give.

The table is read by one scan, alerts are those that reached SNS, requests for clips those in the queue
`evidence`. Each method of `Judge` prints what holds and what does not. To hold something more, add a
method and name it in `Judge.holds`.
"""

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from faults.aws import CELL, LocalAws
from faults.judge import broken_trail, plain
from storm_input import Incident, Rule

# Longest stretch of video that a case wants (runtime/casework/src/evidence.rs).
EXTENDED_MS_MAX = 900_000


def expect(holds: bool, what: str) -> bool:
    print(("ok      " if holds else "FAILED  ") + what)
    return holds


def drained(aws: LocalAws, url: str) -> list[dict[str, Any]]:
    """Every message of a queue."""
    sqs, found = aws.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=3_600).get("Messages", []):
        found += [json.loads(it["Body"]) for it in messages]
    return found


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

    def __init__(self, aws: LocalAws, found: list[Incident], rules: dict[str, Rule], alerts: Counter, sure: Counter) -> None:
        self.aws, self.incidents, self.rules, self.published = aws, found, rules, sum(alerts.values())
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
            incident.alerts += alerts[case["case_id"]]
            incident.sure_alerts += sure[case["case_id"]]
            if case["status"] != "MERGED":
                self.held[near[0]].append(case)

    def holds(self, heard: int) -> list[bool]:
        """Everything that must hold, when a subscriber got so many alerts."""
        return self.one_case_each() + self.alerts(heard) + self.evidence() + self.rest()

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
        plains = [it for it in told if it.is_plain]
        second = sum(it.alerts - 1 for it in plains if it.alerts)
        return [
            expect(heard == self.published, f"{self.published} alerts reached SNS, and a subscriber got {heard}"),
            expect(not lost, f"{len(told)} incidents with people to tell, {len(lost)} of them never told"),
            expect(not twice, f"{len(plains)} of them plain: {second} second alerts, each after a fault between publishing and noting"),
            expect(not silent, "nobody is told of what is only logged"),
        ]

    def evidence(self) -> list[bool]:
        unasked = [it["case_id"] for it in self.cases if it["case_id"] not in self.requests]
        short = []
        for index, incident in enumerate(self.incidents):
            for case in self.held[index]:
                rule = self.rules[incident.detections[0].rule]
                wanted = (incident.start_ms - rule.before_ms, incident.end_ms + rule.after_ms)
                range_ms = (ms(case["evidence"]["start"]), ms(case["evidence"]["end"]))
                whole = range_ms == wanted
                longest = range_ms[1] - range_ms[0] >= EXTENDED_MS_MAX and wanted[0] <= range_ms[0] < range_ms[1] <= wanted[1]
                said = case["evidence"].get("beyond")
                named = tuple(map(ms, said.split("/"))) == wanted if said else whole
                if not ((whole or longest) and named):
                    short.append(f"{case['case_id']} wants {range_ms}, its incident {wanted}")
        for line in short[:5]:
            print("        " + line)
        return [
            expect(not unasked, f"the clip of every case was asked for {unasked[:3] or ''}"),
            expect(not short, "the video that each case wants covers its incident, up to 15 minutes, and what is beyond is named"),
        ]

    def rest(self) -> list[bool]:
        broken = [line for it in self.all_cases for line in broken_trail(it, self.entries[it["pk"]])]
        letters = {name: count for name, count in self.aws.dead_letters().items() if count}
        left = drained(self.aws, self.aws.queue_url(self.aws.sources["respond"].arn))
        return [
            expect(not left, f"one message for each event, none left {left[:1] or ''}"),
            expect(not broken, f"{sum(map(len, self.entries.values()))} audit entries, each chain whole {broken[:3] or ''}"),
            expect(not letters, f"no dead letters {letters or ''}"),
            expect(size(self.largest) < 100_000, f"largest item: {size(self.largest)} bytes, {self.largest['pk'][:40]} {self.largest['sk']}"),
        ]
