"""Judges what became of a lane's detections: cases, audit trails, clips, alerts, rows, windows.

Everything is read after all lanes have ended: the case table by one scan, clips by the version that
the case names, alerts as a subscriber got them. The rules of the audit trail are written here anew,
from what `casework/src/audit.rs` promises. `Judge.violations` says what does not hold; what a run
without faults made of the same scenario is the measure.
"""

import hashlib
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from rehearsal import packets

from .aws import CELL, LocalAws
from .proxy import Call

FIRST_HASH = "0" * 64


class Judge:
    """What is on record at the end."""

    def __init__(self, aws: LocalAws, alerts: dict[str, list[str]], changes: list[dict[str, Any]]) -> None:
        self.aws, self.alerts = aws, alerts
        self.cases: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.entries: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.pictures: dict[str, str] = {}
        self.versions: dict[str, set[int]] = defaultdict(set)
        self.rows: dict[str, set[int]] = defaultdict(set)
        self.read_table()
        for change in changes:
            image = plain(change["dynamodb"].get("NewImage", {}))
            if image.get("sk") == "META":
                self.versions[image["case_id"]].add(image["version"])
        self.read_rows()

    def read_table(self) -> None:
        pages = self.aws.client("dynamodb").get_paginator("scan").paginate(TableName=f"arm-{CELL}-cases")
        for page in pages:
            for item in map(plain, page["Items"]):
                if item["pk"].startswith("CASE#") and item["sk"] == "META":
                    self.cases[item.get("camera", "")].append(item)
                elif item["pk"].startswith("CASE#"):
                    self.entries[item["pk"]].append(item)

    def read_rows(self) -> None:
        s3, bucket = self.aws.client("s3"), self.aws.functions["project"].environment["ARM_ANALYTICS_BUCKET"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for it in page.get("Contents", []):
                for line in s3.get_object(Bucket=bucket, Key=it["Key"])["Body"].read().decode().splitlines():
                    row = json.loads(line)
                    self.rows[row["case_id"]].add(row["version"])

    def facts(self, cameras: list[str], apart: bool) -> list[dict[str, Any]]:
        """What is on record about some cameras, in a form that is the same for each lane.

        `apart`: messages of one batch may have come one after the other, in any order.
        """
        return [self.case_facts(case, apart) for camera in cameras for case in self.standing(camera)]

    def standing(self, camera: str) -> list[dict[str, Any]]:
        """The cases of a camera, without those that became part of another."""
        return [it for it in self.cases[camera] if not it.get("merged_into")]

    def case_facts(self, case: dict[str, Any], apart: bool) -> dict[str, Any]:
        evidence = case["evidence"]
        actions = {it["action"] for it in self.entries[case["pk"]]} - ({"escalated"} if apart else set())
        facts = {name: case.get(name) for name in ("detections", "priority", "rule", "event_type", "status", "shadow")}
        facts |= {"alert": case["alert"]["status"], "evidence": evidence["status"], "actions": sorted(actions)}
        facts |= {"clips": evidence.get("extensions"), "media": evidence.get("media_type"), "gaps": evidence.get("gaps")}
        facts["pictures"] = [self.clip_pictures(it) for it in clip_objects(evidence)]
        return facts

    def clip(self, part: dict[str, Any]) -> bytes:
        """An object that a case names; nothing when there is none."""
        version = {"VersionId": part["version_id"]} if part.get("version_id") else {}
        s3 = self.aws.client("s3")
        try:
            return s3.get_object(Bucket=part["bucket"], Key=part["key"], **version)["Body"].read()
        except s3.exceptions.NoSuchKey:
            return b""

    def clip_pictures(self, part: dict[str, Any]) -> str:
        """A digest of a clip's pictures with their times: two cuts need not be the same bytes."""
        if part["sha256"] not in self.pictures:
            path = self.aws.work / f"clip{Path(part['key']).suffix}"
            path.write_bytes(self.clip(part))
            found = packets(path) if path.stat().st_size else []
            first = found[0][0] if found else 0
            text = "".join(f"{time - first:.3f} {hashlib.sha256(data).hexdigest()}\n" for time, data in found)
            self.pictures[part["sha256"]] = f"{len(found)} {hashlib.sha256(text.encode()).hexdigest()[:12]}"
        return self.pictures[part["sha256"]]

    def violations(self, cameras: list[str]) -> list[str]:
        """What does not hold of the cases of some cameras, whatever the scenario."""
        found = []
        for camera in cameras:
            if len(self.standing(camera)) != 1:
                found.append(f"{len(self.standing(camera))} cases of {camera}")
            for case in self.cases[camera]:
                found += broken_trail(case, self.entries[case["pk"]])
                evidence = case["evidence"]
                for part in clip_objects(evidence):
                    if hashlib.sha256(self.clip(part)).hexdigest() != part["sha256"]:
                        found.append(f"the clip {part['key']} has not the digest in the case")
                if evidence["status"] == "PENDING" and not case.get("merged_into"):
                    found.append("the clip is still to come")
        return found

    def missing_rows(self, case_ids: set[str]) -> list[str]:
        """Versions of cases that no row has."""
        found = [f"no version of case {it} is in the stream" for it in case_ids if not self.versions[it]]
        for case_id in case_ids:
            if missing := self.versions[case_id] - self.rows[case_id]:
                found.append(f"versions {sorted(missing)} of case {case_id} have no row")
        return found


def clip_objects(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that hold the clip of a case: its parts, or the one that the case names itself."""
    parts = evidence.get("parts") or ([evidence] if evidence.get("sha256") else [])
    return [part | {"bucket": evidence["bucket"]} for part in parts]


def broken_trail(case: dict[str, Any], entries: list[dict[str, Any]]) -> list[str]:
    """What is wrong with the audit trail of a case."""
    entries = sorted(entries, key=lambda it: it["sk"])
    previous, found = FIRST_HASH, []
    for number, entry in enumerate(entries, start=min((number_of(it) for it in entries), default=0)):
        if number_of(entry) != number:
            found.append(f"entry {number} of the audit trail is missing")
        if entry["previous_hash"] != previous:
            found.append(f"{entry['sk']} does not follow the entry before it")
        if entry_hash(entry) != entry["hash"]:
            found.append(f"{entry['sk']} has another hash than its content")
        previous = entry["hash"]
    if len(entries) != case["audit_count"] or previous != case["audit_hash"]:
        found.append(f"the case names {case['audit_count']} entries, and {len(entries)} are there")
    return found


def number_of(entry: dict[str, Any]) -> int:
    return int(entry["sk"].removeprefix("EVENT#"))


def entry_hash(entry: dict[str, Any]) -> str:
    """SHA-256, in hex, over the entry without `hash`, as JSON with sorted keys and without spaces."""
    names = ("action", "actor", "at", "case_id", "facts", "pk", "previous_hash", "sk")
    text = json.dumps({name: entry[name] for name in names}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def unsure(calls: list[Call]) -> list[str]:
    """The alerts that an invocation published and cannot have noted, each with the reason.

    Only for these may people be told again: the answer to the publishing was lost, or the invocation
    ended before the case was marked.
    """
    found = []
    for index, call in enumerate(calls):
        if call.operation != "Publish" or not call.taken:
            continue
        later = calls[index + 1 :]
        if not call.answered or any(it.number == call.number for it in later):
            found.append("the answer to the publishing was lost")
        elif not any(is_mark(it) and it.taken for it in later):
            found.append("the case was not marked after the publishing")
    return found


def is_mark(call: Call) -> bool:
    """Whether a call writes the audit trail's entry that people were told."""
    items = (next(iter(it.values())).get("Item", {}) for it in call.input.get("TransactItems", []))
    return any(it.get("action", {}).get("S") == "alerted" for it in items)


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item without DynamoDB's types; whole numbers are whole."""
    read = TypeDeserializer()
    return {name: simple(read.deserialize(value)) for name, value in item.items()}


def simple(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: simple(it) for name, it in value.items()}
    return [simple(it) for it in value] if isinstance(value, list) else value
