#!/usr/bin/env python3
"""Events per second of CPU time that our matcher holds against all patterns of one bus, beside
MiniStack's and AWS's own, on one core and in one run.

Usage: PYTHON generator/benches/patterns.py JUDGE [--rules 60] [--seconds 15] [--event-ruler CLASSPATH]

PYTHON is the one that the rehearsal's MiniStack runs in; JUDGE a release build of
generator/examples/judge.rs. Patterns are compiled once and events parsed before the clock starts. Ours
and MiniStack's try one pattern after the other; event-ruler has all in one automaton, built so that
the number of rules hardly counts; Java compiles it while it runs, so give it time. Machines are noisy:
compare within one run.
"""

import argparse
import json
import logging
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from ministack.services import eventbridge

TYPES = ["shelf_sweep", "concealment", "loitering", "ticket_switching", "cart_push_out"]
KINDS = ["high-value", "staple", "checkout"]
SEED = 1
EVENTS = 2_000
SOURCE = {"source": ["arm.detector"], "detail-type": ["BehaviourDetected"]}


def patterns(number):
    """Patterns like those of a store whose rules go by aisle: each the rest of those before it."""
    out = []
    for index in range(number):
        aisle, low = f"aisle-{index % 20 + 1}", round(0.5 + index % 5 / 10, 1)
        detail = {
            "event_type": [TYPES[index // 20 % len(TYPES)]],
            "aisle": [aisle] if index % 3 else [{"anything-but": [aisle, "aisle-99"]}, {"exists": False}],
            "aisle_kind": [KINDS[index % 3]] if index % 2 else [{"anything-but": [KINDS[index % 3]]}, {"exists": False}],
            "period": ["open", "closed"][index % 2 :],
            "confidence": [{"numeric": [">=", low]}]
            if index % 4
            else [{"numeric": ["<", low]}, {"exists": False}, {"prefix": ""}, None, True, False],
        }
        out.append({**SOURCE, "detail": detail})
    return out


def events(rng):
    for _ in range(EVENTS):
        detail = {
            "event_type": rng.choice(TYPES), "store": "seattle-001", "camera": f"cam-{rng.randint(1, 40)}",
            "aisle": f"aisle-{rng.randint(1, 20)}", "aisle_kind": rng.choice(KINDS), "period": rng.choice(["open", "closed"]),
            "confidence": round(rng.random(), 6), "start_ms": 1_763_791_380_000, "end_ms": 1_763_791_390_000,
        }  # fmt: skip
        if rng.random() < 0.1:
            del detail["confidence"]
        yield {"source": "arm.detector", "detail-type": "BehaviourDetected", "detail": detail}


def ministack(patterns, events, seconds):
    """How many events it judged in a second of CPU time, and how many patterns matched each."""
    patterns = [json.dumps(pattern) for pattern in patterns]
    views = []
    for event in events:
        record = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        views.append(eventbridge._pattern_event_view(record))
        views[-1].event_with_detail()  # parses
    judged = matched = 0
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        for view in views:
            matched += sum(eventbridge._matches_pattern_view(pattern, view) for pattern in patterns)
            judged += 1
    return judged / (time.process_time() - begin), matched / judged


def other(command, asked):
    """The same of another program. Its rate is by the clock: the share of a core that it got makes it CPU time."""
    before, begin = os.times(), time.perf_counter()
    with asked.open() as file:
        done = subprocess.run(command, stdin=file, check=True, capture_output=True, text=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    rate, matches = re.fullmatch(r"(\S+) events/s, (\S+) matches/event\n", done.stdout).groups()
    return float(rate) / min(1, used / (time.perf_counter() - begin)), float(matches)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("judge")
    options.add_argument("--rules", type=int, default=60)
    options.add_argument("--seconds", type=float, default=15)
    options.add_argument("--event-ruler", metavar="CLASSPATH")
    options = options.parse_args()
    logging.disable()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rules, drawn, seconds = patterns(options.rules), list(events(random.Random(SEED))), str(options.seconds)
    lines = [json.dumps({"pattern": it}) for it in rules] + [json.dumps({"event": it}) for it in drawn]
    with tempfile.TemporaryDirectory() as folder:
        asked = pathlib.Path(folder, "asked.ndjson")
        asked.write_text("\n".join(lines) + "\n")
        rates = {"ours": other([options.judge, "rate", seconds], asked)}
        rates["MiniStack"] = ministack(rules, drawn, options.seconds)
        if options.event_ruler:
            java = pathlib.Path(__file__).parents[2] / "tests" / "EventRuler.java"
            command = ["java", "-XX:+UseSerialGC", "-cp", options.event_ruler, str(java), "rate", str(asked), seconds]
            rates["event-ruler"] = other(command, asked)
    print(f"{options.rules} patterns, {EVENTS} different events, one core, CPU time")
    for name, (rate, matches) in rates.items():
        times = rates["ours"][0] / rate
        print(f"{name:12} {rate:9.0f} events/s, {matches:.3f} matches/event, ours {times:.1f} times that")
    # All three must have judged the same.
    return len({round(matches, 2) for _, matches in rates.values()}) > 1


if __name__ == "__main__":
    sys.exit(main())
