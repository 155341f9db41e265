"""Makes every call of every function fail in every way, and judges what became of it in the end.

The real functions run against a local AWS (`faults/`). For each scenario a run without faults says
which calls there are; then at each call each fault strikes once, or (with `*`) at every attempt of the
invocation. When the queues are empty there must be one case with its clip, its whole audit trail, at
least one alert and every row, and nothing in a dead-letter queue. Prints one table for each scenario
and exits with 1 when anything does not hold.

Usage: crash_matrix.py [--whole] [--only WORDS] [--record FILE] BOOTSTRAP [ARM] [SERVE]

ARM and SERVE (generator/local-aws/examples/serve.rs, built) stand beside BOOTSTRAP when not given.
Without `--whole` each call meets one fault or a few, chosen so that each kind of fault occurs.
"""

import argparse
import asyncio
import collections
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.aws import LocalAws, parse
from faults.judge import Judge, is_mark, unsure
from faults.lane import Lane, LaneError, World
from faults.proxy import MODES, ONCE, Call, Fault
from faults.scenarios import SCENARIOS, Act, Scenario

# Every way to fail: once, or at each attempt.
WAYS = [(mode, each) for mode in MODES for each in (False, True) if not (each and mode in ONCE)]
# Cells at once: what works, by the processors; what waits for a timeout costs nothing.
BUSY_MAX, WAITING_MAX = 6, 48
# Longest wait of one cell without `--whole`, in seconds; see `patience_s`.
PATIENCE_SECONDS = 16
# How often it says how far it is, in seconds.
PROGRESS_SECONDS = 20
# What these calls do cannot be undone, or is lost for good: without `--whole` too, they fail in these ways.
WEIGHTY = {
    "Publish": ["500-after", "kill-before", "kill-after", "twin-kill"],
    "PutObject": ["500-before*", "kill-before", "kill-after"],
    "PutEvents": ["500-before*", "kill-after"],
    "SendMessage": ["500-before*"],
    "SendMessageBatch": ["500-before*", "kill-after"],
    "TransactWriteItems": ["twin"],
}


@dataclass
class Cell:
    """One fault at one call of one scenario; without a fault, the measure of the others."""

    scenario: Scenario
    fault: Fault | None
    name: str
    act: Act | None = None
    calls: list[Call] = field(default_factory=list)
    came_again: bool = False
    wrong: list[str] = field(default_factory=list)
    alerts: int = 0
    # How often people are told without a fault.
    usual_alerts: int = 0
    facts: Any = None

    @property
    def cameras(self) -> list[str]:
        return [self.name] + [self.name + "b"] * self.scenario.second_camera

    def doubts(self) -> list[str]:
        """The alerts of which the functions cannot know, with the reasons."""
        return [reason for calls in (self.act.lane.history if self.act else []) for reason in unsure(calls)]

    @property
    def told_more(self) -> bool:
        """Whether people were told more often than without a fault."""
        return self.alerts > self.usual_alerts

    def place(self) -> str:
        what = f"call {self.fault.number}, {self.fault}" if self.fault else "without a fault"
        return f"{self.scenario.name}, {what}"

    def outcome(self) -> str:
        if self.wrong:
            return "FAILED"
        if self.told_more:
            return f"told {self.alerts}"
        return "again" if self.came_again else "ok"


def call_name(call: Call) -> str:
    """A call as the table names it: operation, and what it is about."""
    given, about = call.input, ""
    if call.operation == "GetItem":
        about = given.get("Key", {}).get("pk", {}).get("S", "").split("#")[0].lower()
    elif call.operation == "TransactWriteItems":
        items = [next(iter(it.values())) for it in given["TransactItems"]]
        about = "+".join(it["Item"]["action"]["S"] for it in items if "action" in it.get("Item", {})) or "case"
    elif call.operation == "GetDataEndpoint":
        about = given["APIName"].replace("_", " ").lower()
    return f"{call.operation} {about}".strip()


def sequence(calls: list[Call]) -> list[Call]:
    """The first attempt of each call."""
    return [it for it in calls if it.attempt == 1]


def patience_s(function: str, call: Call, way: tuple[str, bool]) -> int:
    """How long a fault keeps a function waiting, from its timeouts in runtime/src/aws.rs."""
    mode, each = way
    if not mode.startswith("hang"):
        return 0
    if call.service == "sagemaker":
        once, all_attempts = 65, 130
    elif call.service == "s3" or call.operation in ("ListFragments", "GetClip", "GetMediaForFragmentList"):
        once, all_attempts = 40, 50
    else:
        once, all_attempts = (3, 8) if function == "respond" else (15, 25)
    return all_attempts if each else once


def faults(scenario: Scenario, index: int, calls: list[Call], whole: bool) -> list[Fault]:
    """The faults that a scenario meets."""
    chosen: dict[tuple[int, str, bool], None] = {}
    for number, call in enumerate(calls, 1):
        ways = WAYS
        if not whole:
            # Seven has no divisor in common with the number of ways, so neighbours differ much.
            turned = [WAYS[(7 * number + 5 * index + step) % len(WAYS)] for step in range(len(WAYS))]
            ways = [next(it for it in turned if patience_s(scenario.function, call, it) <= PATIENCE_SECONDS)]
            weighty = WEIGHTY["Publish"] * is_mark(call) + WEIGHTY.get(call.operation, [])
            ways += [(it.removesuffix("*"), it.endswith("*")) for it in weighty]
        chosen |= dict.fromkeys((number, *way) for way in ways)
    return [Fault(number, mode, each) for number, mode, each in chosen]


async def perform(world: World, cell: Cell) -> None:
    """Plays one cell to its end."""
    lane = Lane(world, cell.name, tuple(cell.cameras[1:]))
    host = await world.host(cell.scenario.function)
    cell.act = act = Act(lane, host, cell.fault)
    try:
        await lane.play(act.start_ms, cell.scenario.quiet_s)
        result = await cell.scenario.perform(act)
        cell.calls = result.calls
        answer = result.answer if isinstance(result.answer, dict) else {}
        put_back = lane.due.get(cell.scenario.function, 0) > 0
        cell.came_again = result.kind != "done" or bool(answer.get("batchItemFailures")) or put_back
        await lane.settle(host)
    except LaneError as error:
        cell.wrong.append(str(error))
    except Exception as error:  # noqa: BLE001
        # The others go on; this one counts as failed.
        cell.wrong.append("".join(traceback.format_exception(error)[-3:]))
    finally:
        await world.end(host)
        await lane.forget_video()


async def play(world: World, cells: list[Cell]) -> None:
    """Plays cells side by side; those that wait for timeouts first, as they cost nothing."""
    busy, waiting = asyncio.Semaphore(BUSY_MAX), asyncio.Semaphore(WAITING_MAX)
    left, told = len(cells), time.monotonic()

    async def one(cell: Cell) -> None:
        nonlocal left, told
        hangs = cell.fault is not None and cell.fault.mode.startswith("hang")
        async with waiting if hangs else busy:
            await perform(world, cell)
        left -= 1
        if time.monotonic() > told + PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{left} of {len(cells)} cells are left", file=sys.stderr, flush=True)

    together = [it for it in cells if not it.scenario.alone]
    together.sort(key=lambda it: not (it.fault and it.fault.mode.startswith("hang")))
    await asyncio.gather(*map(one, together))
    for cell in cells:
        if cell.scenario.alone:
            await one(cell)


def judge(world: World, judged: Judge, cells: list[Cell], measure: dict[str, Cell]) -> None:
    """Writes into each cell what does not hold of it."""
    for cell in cells:
        plain = measure[cell.scenario.name]
        assert cell.act is not None
        if cell.scenario.function == "dispatch":
            judge_windows(cell)
            judge_fault(cell)
            continue
        cell.wrong += judged.violations(cell.cameras)
        cell.facts = judged.facts(cell.cameras, cell.scenario.alerts_apart > 0)
        if cell.fault is None and cell.doubts():
            cell.wrong.append(f"without a fault, {cell.doubts()}")
        if cell.facts != plain.facts:
            cell.wrong.append(f"{cell.facts} and without a fault {plain.facts}")
        cell.alerts, cell.usual_alerts = (len(set(judged.alerts[it.name])) for it in (cell, plain))
        doubtful = cell.doubts()
        most = max(cell.scenario.alerts, cell.scenario.alerts_apart)
        if not cell.scenario.alerts <= cell.alerts <= most + len(doubtful):
            cell.wrong.append(f"{cell.alerts} alerts, {len(doubtful)} of them unsure")
        if cell.scenario.function == "project":
            cell.wrong += judged.missing_rows(cell.act.lane.case_ids)
        judge_fault(cell)


def judge_windows(cell: Cell) -> None:
    assert cell.act is not None
    wanted = {(camera, start_ms) for camera in cell.cameras for start_ms in range(0, 60_000, 10_000)}
    if set(cell.act.windows) != wanted:
        cell.wrong.append(f"windows {sorted(set(cell.act.windows) ^ wanted)} are missing, or too many")


def judge_fault(cell: Cell) -> None:
    """A fault that struck nowhere would show nothing."""
    if cell.fault and not any(it.fault for it in cell.calls):
        cell.wrong.append(f"the fault struck none of {len(sequence(cell.calls))} calls")


def print_tables(cells: list[Cell], measure: dict[str, Cell]) -> None:
    print("\nEach cell has two outcomes: the fault struck once / at every attempt of the invocation.")
    print("ok     the function went on; the SDK's own attempts were enough")
    print("again  the message came again, and then all was well")
    print("told N as `again`, and people were told N times; without a fault less often")
    print("-      not tried without --whole, or it cannot strike twice")
    print("twin   while the call waits, another environment handles a duplicate of the message;")
    print("       with `-kill` the first then dies\n")
    for scenario in SCENARIOS:
        if scenario.name not in measure:
            continue
        mine = {(it.fault.number, str(it.fault)): it.outcome() for it in cells if it.scenario is scenario and it.fault}
        usual = measure[scenario.name].alerts
        told = f"; people are told {usual} times" if usual > 1 else ""
        print(f"{scenario.function}: {scenario.name}{told}")
        print(" " * 39 + "".join(f"{it:<15}" for it in MODES))
        for number, call in enumerate(sequence(measure[scenario.name].calls), 1):
            pairs = (f"{mine.get((number, it), '-')}/{mine.get((number, it + '*'), '-')}" for it in MODES)
            print(f"{number:>3} {call_name(call)[:34]:<35}" + "".join(f"{cell_text(it):<15}" for it in pairs))
        print()


def cell_text(pair: str) -> str:
    return "" if pair == "-/-" else pair.removesuffix("/-")


def print_totals(cells: list[Cell], letters: dict[str, int], strays: list[str], seconds: float) -> bool:
    """Prints what there was of each outcome; whether all holds."""
    reasons: dict[str, list[str]] = collections.defaultdict(list)
    for cell in cells:
        if cell.told_more and not cell.wrong:
            why = "; ".join(sorted(set(cell.doubts()))) or "messages came apart, the one of lower priority first"
            reasons[why].append(cell.place())
    for reason, places in reasons.items():
        print(f"people were told again because {reason} ({len(places)} cells):")
        for place in places:
            print(f"    {place}")
    for cell in cells:
        for wrong in cell.wrong:
            print(f"FAILED   {cell.place()}: {wrong}")
    outcomes = (it.outcome() for it in cells if it.fault)
    totals = collections.Counter("told more often" if it.startswith("told") else it for it in outcomes)
    summed = ", ".join(f"{count} {name}" for name, count in sorted(totals.items()))
    print(f"\n{sum(totals.values())} cells in {seconds:.0f} s: {summed}")
    print(f"dead letters: {letters or 'none'}")
    for stray in strays:
        print(f"FAILED   a message of no lane: {stray}")
    return not any(it.wrong for it in cells) and not letters and not strays


async def run(args: argparse.Namespace, aws: LocalAws) -> bool:
    began = time.monotonic()
    if untried := set(aws.functions) ^ {it.function for it in SCENARIOS}:
        raise SystemExit(f"functions without a scenario, or scenarios without a function: {untried}")
    scenarios = [it for it in SCENARIOS if args.only in f"{it.function}: {it.name}"]
    async with World(aws, args.bootstrap, args.record).running() as world:
        measure = {it.name: Cell(it, None, f"measure-{index}") for index, it in enumerate(scenarios)}
        await play(world, list(measure.values()))
        cells = []
        for index, scenario in enumerate(scenarios):
            chosen = faults(scenario, index, sequence(measure[scenario.name].calls), args.whole)
            cells += [Cell(scenario, it, f"cell-{index}-{number}") for number, it in enumerate(chosen)]
        used = {(it.fault.mode, it.fault.each) for it in cells if it.fault}
        if not args.only and used != set(WAYS):
            raise SystemExit(f"nothing fails in these ways: {set(WAYS) - used}")
        await play(world, cells)
        # What is published now was published by mistake.
        await asyncio.sleep(2)
        await world.changes_of(set())
        judged = Judge(aws, world.alerts, world.changes)
        for cell in measure.values():
            assert cell.act is not None
            cell.facts = judged.facts(cell.cameras, cell.scenario.alerts_apart > 0)
        everything = [*measure.values(), *cells]
        judge(world, judged, everything, measure)
        print_tables(cells, measure)
        return print_totals(everything, world.dead_letters(), world.strays, time.monotonic() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description="Strikes every AWS call of every function, and looks at what is left.")
    parser.add_argument("--whole", action="store_true", help="strike each call in every way, instead of a choice")
    parser.add_argument("--only", default="", metavar="TEXT", help="only scenarios with this text in `function: name`")
    args = parse(parser)
    names = [f"{it.function}: {it.name}" for it in SCENARIOS]
    if not any(args.only in name for name in names):
        parser.error(f"no scenario has `{args.only}` in its name; there are:\n  " + "\n  ".join(names))
    with tempfile.TemporaryDirectory() as work, LocalAws.started(Path(work), args.arm, args.serve) as aws:
        holds = asyncio.run(run(args, aws))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
