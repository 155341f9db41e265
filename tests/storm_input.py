"""What a storm is made of: detections in bursts and chains, and the incidents that they are.

Everything comes from a seed. The incidents are worked out from what the design says, not from our
code: detections of one camera and event type, each within the cooldown of others. To add a shape of
incident, see `draw`.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from faults.aws import CELL, STORE, LocalAws

CAMERAS = 50
# Of the events, so many are put again.
AGAIN = 0.2
# Of the incidents, so many have all their events among so many in a row: environments meet there.
AT_ONCE, SPREAD = 0.5, 30
# An event's shape: its type, what rules look at, and the rule of the example store that it matches.
KINDS = [
    ("shelf_sweep", {"confidence": 0.93, "period": "open"}, "shelf-sweep"),
    ("concealment", {"confidence": 0.81, "period": "open", "aisle_kind": "high-value"}, "concealment-high-value"),
    ("loitering", {"confidence": 0.7, "period": "open"}, "unrouted"),
    ("tampering", {"confidence": 0.9, "period": "closed"}, "after-hours"),
]
# The same type under a rule with a higher priority, for incidents that get worse.
WORSE = ("shelf_sweep", {"confidence": 0.95, "period": "closed"}, "after-hours")


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
