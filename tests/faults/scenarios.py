"""What the functions are given while a call fails: one function of a lane, and what leads up to it.

A scenario plays footage, brings its function to the point, and makes one invocation with the fault.
What comes after it, `Lane.settle` delivers without faults. To add one, write what happens and add a
line to `SCENARIOS`.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .host import Host, Result
from .lane import Lane, LaneError
from .proxy import Fault

WINDOW_MS = 10_000
MINUTE_MS = 60_000
# Longer than any stream here keeps its video, in seconds: what is older has no clip.
LONG_AGO_SECONDS = 200 * 3_600
DAY_SECONDS = 86_400
# The shelf sweep in the footage, in milliseconds from its first frame.
SWEEP_MS = (6_200, 8_900)
# From a tick that failed until Lambda calls again, in seconds. Source: Lambda developer guide,
# "Asynchronous invocation errors and retries".
TICK_AGAIN_SECONDS = 60
# From a request until it counts as lost, in seconds: longer than the sweep's shortest pause.
SWEEP_AGAIN_SECONDS = 2 * 3_600
# Runs of the sweep after the one that failed, until it must have asked: its pause grows.
SWEEPS_MORE = 3

Perform = Callable[["Act"], Awaitable[Result]]


@dataclass
class Act:
    """One performance: a lane, the environment whose call fails, and the fault."""

    lane: Lane
    host: Host
    fault: Fault | None
    # The camera's time of the footage's first frame.
    start_ms: int = 0
    # Windows that `dispatch` sent.
    windows: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        now_ms = int((time.time() + self.lane.seconds) * 1_000)
        self.start_ms = now_ms // WINDOW_MS * WINDOW_MS - 2 * WINDOW_MS

    async def sees(self, after_s: int = 0, matched: int = 1, **more: object) -> None:
        """The model sees the sweep, so many seconds later than it is."""
        start_ms, end_ms = (self.start_ms + it + after_s * 1_000 for it in SWEEP_MS)
        await self.lane.put_event(self.lane.detail(**({"start_ms": start_ms, "end_ms": end_ms} | more)), matched)


async def opens(act: Act) -> Result:
    await act.sees()
    return await act.lane.deliver("respond", act.host, act.fault)


async def joins(act: Act) -> Result:
    await act.sees()
    await act.lane.deliver("respond")
    await act.sees(after_s=5)
    return await act.lane.deliver("respond", act.host, act.fault)


async def escalates(act: Act) -> Result:
    await act.sees(event_type="concealment", confidence=0.75)
    await act.lane.deliver("respond")
    await act.sees(after_s=5, event_type="concealment", confidence=0.8, aisle_kind="high-value")
    return await act.lane.deliver("respond", act.host, act.fault)


async def links(act: Act) -> Result:
    """Two cases, and then a detection between them that makes them one."""
    await act.sees()
    await act.lane.deliver("respond")
    await act.sees(after_s=100)
    await act.lane.deliver("respond")
    await act.sees(after_s=50)
    return await act.lane.deliver("respond", act.host, act.fault)


async def several(act: Act) -> Result:
    """One event that three rules match; their messages come in one batch."""
    await act.sees(
        matched=3, event_type=["shelf_sweep", "concealment"], aisle_kind="high-value", confidence=[0.9, 0.4], period="closed"
    )
    return await act.lane.deliver("respond", act.host, act.fault)


async def several_apart(act: Act) -> Result:
    """The same, and another environment has the other messages."""
    await act.sees(
        matched=3, event_type=["shelf_sweep", "concealment"], aisle_kind="high-value", confidence=[0.9, 0.4], period="closed"
    )
    return await act.lane.deliver("respond", act.host, act.fault, most=1)


async def two_at_once(act: Act) -> Result:
    """Two detections of one incident in one batch, the second higher than the first."""
    await act.sees(event_type="concealment", confidence=0.75)
    await act.sees(after_s=5, event_type="concealment", confidence=0.8, aisle_kind="high-value")
    return await act.lane.deliver("respond", act.host, act.fault)


async def keeps(act: Act) -> Result:
    await act.sees()
    await act.lane.deliver("respond")
    return await act.lane.deliver("preserve", act.host, act.fault)


async def keeps_raw(act: Act) -> Result:
    """No MP4 can be made of this stream."""
    fault = {"operation": "GetClip", "name": act.lane.stream, "error": "InvalidMediaFrameException"}
    act.lane.world.aws.local("POST", "/_local/faults", fault)
    return await keeps(act)


async def extends(act: Act) -> Result:
    """The clip is kept, and then a later detection wants a longer one."""
    await act.sees()
    await act.lane.settle()
    await act.sees(after_s=20)
    await act.lane.deliver("respond")
    return await act.lane.deliver("preserve", act.host, act.fault)


async def watches(act: Act) -> Result:
    """The window that holds the sweep, as `dispatch` cuts it."""
    await act.lane.tick(act.start_ms // MINUTE_MS * MINUTE_MS, [act.lane.name])
    await act.lane.discard("analyze", lambda window: window["start_ms"] == act.start_ms)
    return await act.lane.deliver("analyze", act.host, act.fault)


async def ticks(act: Act) -> Result:
    minute_ms = act.start_ms // MINUTE_MS * MINUTE_MS
    cameras = [act.lane.name, act.lane.name + "b"]
    first = result = await act.lane.tick(minute_ms, cameras, act.host, act.fault)
    if first.kind != "done":
        act.lane.seconds += TICK_AGAIN_SECONDS
        result = await act.lane.tick(minute_ms, cameras, act.host)
    if result.kind != "done":
        raise LaneError(f"the tick fails again: {result.answer}")
    bodies = await act.lane.discard("analyze", lambda _: False)
    act.windows = [(it["camera"], it["start_ms"] - minute_ms) for it in bodies]
    return first


async def rows(act: Act) -> Result:
    """The changes of two cases that were made on different days, so that there are two objects."""
    await act.sees()
    await act.lane.settle()
    act.lane.seconds += DAY_SECONDS
    await act.lane.play(act.start_ms, 40, another="b")
    await act.sees(camera=act.lane.name + "b")
    await act.lane.settle()
    return await act.lane.project(act.lane.case_ids, act.host, act.fault)


async def sweeps(act: Act) -> Result:
    """The request for a clip is lost, and nothing but its case tells."""
    await act.sees()
    await act.lane.deliver("respond")
    await act.lane.discard("preserve", lambda _: False)
    act.lane.seconds += SWEEP_AGAIN_SECONDS
    first = await act.lane.invoke("sweep", act.lane.world.aws.ticks["sweep"], act.host, act.fault)
    # Later runs find what this one left, and ask again after a while.
    for _ in range(SWEEPS_MORE):
        if act.lane.due["preserve"]:
            break
        act.lane.seconds += SWEEP_AGAIN_SECONDS
        await act.lane.invoke("sweep", act.lane.world.aws.ticks["sweep"], act.host)
    return first


async def gives_up(act: Act) -> Result:
    """The same, and nobody asks again until the video is gone."""
    await act.sees()
    await act.lane.deliver("respond")
    await act.lane.discard("preserve", lambda _: False)
    act.lane.seconds += LONG_AGO_SECONDS
    first = await act.lane.invoke("sweep", act.lane.world.aws.ticks["sweep"], act.host, act.fault)
    for _ in range(SWEEPS_MORE):
        act.lane.seconds += SWEEP_AGAIN_SECONDS
        await act.lane.invoke("sweep", act.lane.world.aws.ticks["sweep"], act.host)
    return first


@dataclass(frozen=True)
class Scenario:
    name: str
    function: str
    perform: Perform
    # How often people are told when nothing fails.
    alerts: int
    # How often they may be told because messages come apart: once for each priority.
    alerts_apart: int = 0
    second_camera: bool = False
    # Seconds of video before the scene and after it: more than the evidence wants.
    quiet_s: int = 40
    # Its function looks at the cases of all lanes, so it comes after them, one cell at a time.
    alone: bool = False


SCENARIOS = [
    Scenario("a detection opens a case", "respond", opens, 1),
    Scenario("a detection joins a case", "respond", joins, 1),
    Scenario("a detection escalates a case", "respond", escalates, 2),
    Scenario("a detection makes two cases one", "respond", links, 2, quiet_s=150),
    Scenario("three rules match one event", "respond", several, 1, alerts_apart=3),
    Scenario("three rules match one event, and two environments have the messages", "respond", several_apart, 1, alerts_apart=3),
    Scenario("two detections come in one batch", "respond", two_at_once, 1, alerts_apart=2),
    Scenario("a clip is kept", "preserve", keeps, 1),
    Scenario("a clip is kept as raw fragments", "preserve", keeps_raw, 1),
    Scenario("a longer clip is kept", "preserve", extends, 1),
    Scenario("a window is shown to the model", "analyze", watches, 1),
    Scenario("a tick is cut into windows", "dispatch", ticks, 0, second_camera=True),
    Scenario("changes become rows", "project", rows, 2, second_camera=True),
    Scenario("a lost request is sent again", "sweep", sweeps, 1, alone=True),
    Scenario("a clip is given up", "sweep", gives_up, 1, alone=True),
]
