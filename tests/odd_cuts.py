"""Cuts evidence at odd places, on the local AWS that a rehearsal leaves up.

Each case is an event on the store's bus about footage of half an hour ago, so that every deadline is
over at once: the end of the video is missing, a hole is in it, it is too much for one file, it is not
what it says, it comes late. What the case then says is compared with what must come out, and every
object that it names with what is in the bucket: its SHA-256, its Object Lock, and by FFprobe and
FFmpeg's libraries (PyAV) whether it plays as long as the case says.

Usage: odd_cuts.py ARM FFPROBE [BOOTSTRAP]
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import av
from local_aws import cases, client, expect, wait_until_up

STORE = "seattle-001"
BUS, STREAM, QUEUE = f"arm-us-west-{STORE}", f"arm-us-west-{STORE}-gw-", "arm-us-west-evidence"
# The scene begins so long ago: evidence is waited for for ten minutes.
AGO_SECONDS = 1_800
# What the store's rules keep before and after a detection.
AROUND_SECONDS = 15
KEEP_DAYS = 90
WAIT_SECONDS = 120
# One frame of the footage.
FRAME_SECONDS = 1 / 15
TAG = b"AWS_KINESISVIDEO_FRAGMENT_NUMBER"


@dataclass
class Cut:
    """One odd cut: what the camera does, what is seen, and what must come out."""

    name: str
    camera: str
    status: str
    # As `/_local/play` takes it; a list of plays, none: the camera never sends.
    plays: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    faults: list[dict[str, Any]] = field(default_factory=list)
    # Seconds after the scene's begin.
    seen: tuple[float, float] = (21.0, 22.0)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    reason: str | None = None
    # Type and seconds of each object.
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    # The number in the clip's key, where it is not the first of its case.
    number: str = ""
    decodes: bool = True


MP4, MKV = "video/mp4", "video/x-matroska"
WHOLE = [(MP4, 6.0, 38.0)]
RAW = [(MKV, 6.0, 38.0)]
LEAVES_OUT = "GetClip leaves out video without saying so"

CUTS = [
    Cut("whole", "aisle-5-b", "STORED", parts=WHOLE),
    Cut("another camera", "aisle-9-a", "STORED", parts=WHOLE),
    Cut(
        "post-roll missing",
        "aisle-9-b",
        "INCOMPLETE",
        plays=[{"camera": {"skip_s": [[24, 1000]]}}],
        gaps=[(24.0, 37.0)],
        parts=[(MP4, 6.0, 24.0)],
    ),
    Cut(
        "gap inside",
        "aisle-12-a",
        "INCOMPLETE",
        plays=[{"camera": {"skip_s": [[10, 16], [30, 32]]}}],
        gaps=[(10.0, 16.0), (30.0, 32.0)],
        parts=WHOLE,
    ),
    Cut(
        "camera on late",
        "aisle-12-b",
        "INCOMPLETE",
        plays=[{"camera": {"skip_s": [[0, 12]]}}],
        gaps=[(6.0, 12.0)],
        parts=[(MP4, 12.0, 38.0)],
    ),
    Cut(
        "over 100 MB",
        "pharmacy-a",
        "STORED",
        plays=[{"camera": {"pad_bytes": 7_500_000}}],
        parts=[(MP4, 6.0, 32.0), (MP4, 32.0, 38.0)],
    ),
    Cut(
        "over 200 fragments",
        "pharmacy-b",
        "STORED",
        plays=[{"repeat": 18, "camera": {"pieces": 2}}],
        seen=(21.0, 321.0),
        parts=[(MP4, 6.0, 206.0), (MP4, 206.0, 336.0)],
    ),
    Cut(
        "no codec private data",
        "spirits-a",
        "STORED",
        plays=[{"camera": {"codec_private": "missing"}}],
        reason="MissingCodecPrivateDataException",
        parts=RAW,
        decodes=False,
    ),
    Cut(
        "codec changes",
        "aisle-1-a",
        "STORED",
        plays=[{"camera": {"codec_private": "changing", "changes_at_s": 20}}],
        reason="InvalidCodecPrivateDataException",
        parts=RAW,
    ),
    Cut(
        "odd error",
        "aisle-1-b",
        "STORED",
        faults=[{"operation": "GetClip", "error": "InvalidArgumentException"}],
        reason="cannot cut a clip of arm-us-west-seattle-001-gw-aisle-1-b: service error: InvalidArgumentException",
        parts=RAW,
    ),
    Cut(
        "cut short in silence",
        "aisle-2-a",
        "STORED",
        faults=[{"operation": "GetClip", "damage": "short"}],
        reason=LEAVES_OUT,
        parts=RAW,
    ),
    Cut(
        "answer breaks off",
        "aisle-2-b",
        "STORED",
        faults=[{"operation": "GetClip", "damage": "breaks-off", "times": 1}],
        parts=WHOLE,
    ),
    Cut(
        "two takes of one moment",
        "aisle-3-a",
        "STORED",
        plays=[{}, {"offset_s": 1, "camera": {"skip_s": [[0, 9], [14, 1000]]}}],
        reason="the stream holds two takes of one moment",
        parts=RAW,
    ),
    Cut("camera off", "aisle-3-b", "FAILED", plays=[], reason="the stream holds no video of this time"),
    Cut("stream gone", "aisle-4-a", "FAILED", plays=[], reason="the stream holds no video of this time"),
]
# Cases to which something happens later: a detection that joins, video that comes after all.
EXTENDED = Cut("incident goes on", "aisle-4-b", "STORED", seen=(36.0, 41.0), parts=[(MP4, 6.0, 56.0)], number="-2")
LATE = Cut("video comes late", "aisle-6-a", "STORED", parts=WHOLE, number="-2")
LATE_ALL = Cut("all video comes late", "aisle-6-b", "STORED", parts=WHOLE)


class Local:
    """The local AWS, and when the scene began."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        # A whole second: fragments then begin where the table says.
        self.start = int(time.time()) - AGO_SECONDS
        self.deployed = {it["case_id"]["S"] for it in cases(environment)}

    def client(self, service: str):
        return client(self.environment, service)

    def video(self, path: str, body: dict[str, Any]) -> None:
        url = self.environment["AWS_ENDPOINT_URL_KINESIS_VIDEO"] + path
        request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=60).close()

    def play(self, camera: str, play: dict[str, Any]) -> None:
        offset_s = play.get("offset_s", 0)
        body = {"repeat": 3} | {key: value for key, value in play.items() if key != "offset_s"}
        body |= {"stream": STREAM + camera, "start_ms": (self.start + offset_s) * 1_000, "at_once": True}
        self.video("/_local/play", body)

    def see(self, cuts: list[Cut]) -> None:
        """Puts what the model would have seen on the store's bus."""
        events = self.client("events")
        for cut in cuts:
            detail = {"event_type": "shelf_sweep", "camera": cut.camera, "confidence": 0.9}
            for name, second in zip(("start_ms", "end_ms"), cut.seen):
                detail[name] = int((self.start + second) * 1_000)
            entry = {"EventBusName": BUS, "Source": "arm.detector", "DetailType": "BehaviourDetected"}
            put = events.put_events(Entries=[entry | {"Detail": json.dumps(detail)}])
            expect(put["FailedEntryCount"] == 0, f"{cut.name}: {cut.camera} sees something")

    def cases(self) -> dict[str, dict[str, Any]]:
        """The cases of this run by camera; as plain values."""
        made = [plain({"M": it}) for it in cases(self.environment) if it["case_id"]["S"] not in self.deployed]
        by_camera = {it["camera"]: it for it in made}
        expect(len(by_camera) == len(made), f"no camera has two cases: {len(made)} cases")
        return by_camera

    def wait(self, cuts: list[Cut], holds) -> dict[str, dict[str, Any]]:
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            made = {it["camera"]["S"]: it for it in cases(self.environment) if it["case_id"]["S"] not in self.deployed}
            if all(cut.camera in made and holds(plain({"M": made[cut.camera]})["evidence"]) for cut in cuts):
                break
            time.sleep(0.5)
        return self.cases()

    def request(self, case: dict[str, Any]) -> None:
        """The request that waits a quarter of an hour for the next look, now."""
        evidence, request = case["evidence"], case["evidence"]["request"]
        start_ms, end_ms = (int(moment(evidence[it]) * 1_000) for it in ("start", "end"))
        message = {
            "version": 1,
            **{it: case[it] for it in ("case_id", "store", "camera")},
            **{it: request[it] for it in ("stream", "keep_days", "lock")},
            "key": evidence["key"],
            "start_ms": start_ms,
            "end_ms": end_ms,
            "deadline_ms": end_ms,
            "retained_until_ms": start_ms + request["retention_hours"] * 3_600_000,
            "attempt": 1,
        }
        queues = self.client("sqs")
        url = queues.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        queues.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def plain(value: dict[str, Any]) -> Any:
    """A DynamoDB value as JSON has it."""
    (kind, content), *_ = value.items()
    if kind == "M":
        return {key: plain(it) for key, it in content.items()}
    if kind == "L":
        return [plain(it) for it in content]
    return int(float(content)) if kind == "N" else content


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def objects(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """Every object that the case names, in order."""
    if evidence.get("parts"):
        return evidence["parts"]
    one = {it: evidence[it] for it in ("key", "media_type", "sha256", "bytes", "version_id", "retain_until")}
    return [one | {"start": evidence["clip_start"], "end": evidence["clip_end"]}]


def probe(ffprobe: str, path: Path) -> dict[str, Any]:
    options = ["-v", "error", "-count_packets", "-show_streams", "-show_format", "-of", "json"]
    told = subprocess.run([ffprobe, *options, str(path)], capture_output=True, text=True, check=False, timeout=60)
    expect(told.returncode == 0 and not told.stderr, f"FFprobe reads it without a word: {told.stderr[:200]}")
    return json.loads(told.stdout)


def judge_object(local: Local, cut: Cut, bucket: str, one: dict[str, Any], ffprobe: str, gaps: list[tuple[float, float]]) -> None:
    store = local.client("s3")
    named = {"Bucket": bucket, "Key": one["key"], "VersionId": one["version_id"]}
    answer = store.get_object(**named)
    video = answer["Body"].read()
    digest = hashlib.sha256(video).hexdigest()
    expect(digest == one["sha256"] and len(video) == one["bytes"], f"{len(video):,} bytes have the case's SHA-256: {digest[:16]}...")
    lock = store.get_object_retention(**named)["Retention"]
    locked_s = lock["RetainUntilDate"].timestamp() - moment(one["retain_until"])
    days = (lock["RetainUntilDate"].timestamp() - time.time()) / 86_400
    is_locked = lock["Mode"] == "GOVERNANCE" and abs(locked_s) <= 1 and KEEP_DAYS - 0.01 < days <= KEEP_DAYS
    expect(is_locked, f"it is locked for {days:.2f} days: {lock['Mode']}")
    start, end = (moment(one[it]) - local.start for it in ("start", "end"))
    shown = end - start - sum(min(to, end) - max(since, start) for since, to in gaps if since < end and to > start)
    with tempfile.NamedTemporaryFile(suffix=Path(one["key"]).suffix) as file:
        file.write(video)
        file.flush()
        path = Path(file.name)
        if one["media_type"] == MKV:
            fragments = video.count(TAG)
            expect(fragments * 2 >= shown, f"{fragments} raw fragments hold {shown:.0f} s")
        else:
            told = probe(ffprobe, path)
            (stream,) = told["streams"]
            expect(stream["codec_name"] == "h264", "it is one track of H.264")
            length = float(told["format"]["duration"])
            expect(abs(length - shown) <= FRAME_SECONDS, f"it plays {length:.3f} s, the case says {shown:.3f} s")
            packets = int(stream["nb_read_packets"])
            expect(abs(packets * FRAME_SECONDS - shown) <= FRAME_SECONDS, f"it has {packets} pictures")
        if cut.decodes:
            with av.open(str(path)) as container:
                track = container.streams.video[0]
                track.codec_context.options = {"err_detect": "explode"}
                frames = [frame.is_corrupt for frame in container.decode(track)]
            is_all = len(frames) * FRAME_SECONDS >= shown - FRAME_SECONDS
            expect(is_all and not any(frames), f"{len(frames)} pictures decode")


def judge(local: Local, cut: Cut, case: dict[str, Any], ffprobe: str) -> str:
    """Compares a case with what must come out; returns its line of the table."""
    print(f"-- {cut.name}: case {case['case_id']}")
    evidence = case["evidence"]
    expect(evidence["status"] == cut.status, f"it is {evidence['status']}")
    gaps = [tuple(round(moment(it) - local.start, 3) for it in gap.split("/")) for gap in evidence.get("gaps", [])]
    expect(gaps == cut.gaps, f"its gaps: {gaps}")
    reason = evidence.get("reason")
    expect(reason == cut.reason or (cut.reason or "") != "" and (reason or "").startswith(cut.reason), f"its reason: {reason}")
    parts = []
    if cut.status == "FAILED":
        expect("sha256" not in evidence, "it names no object")
    else:
        found = objects(evidence)
        shown = [(it["media_type"], *(round(moment(it[at]) - local.start, 3) for at in ("start", "end"))) for it in found]
        expect(shown == cut.parts, f"its objects: {shown}")
        for index, one in enumerate(found):
            suffix = ".mp4" if one["media_type"] == MP4 else ".mkv"
            name = case["case_id"] + cut.number + (f"-part-{index + 1}" if index else "") + suffix
            expect(one["key"].endswith("/" + name), f"its key: {one['key']}")
            judge_object(local, cut, evidence["bucket"], one, ffprobe, gaps)
            parts.append(f"{Path(one['key']).suffix[1:]} {shown[index][1]:.0f}-{shown[index][2]:.0f} s, {one['bytes'] / 1e6:.1f} MB")
    holes = " ".join(f"{since:.0f}-{to:.0f}" for since, to in gaps) or "-"
    return f"{cut.name:24} {evidence['status']:11} {holes:12} {' + '.join(parts) or '-':48} {reason or ''}"


def later(local: Local) -> dict[str, dict[str, Any]]:
    """What happens after a clip was kept: the incident goes on, video comes late."""
    first = local.cases()
    for cut, status in ((EXTENDED, "STORED"), (LATE, "INCOMPLETE"), (LATE_ALL, "FAILED")):
        found = first[cut.camera]["evidence"]["status"]
        expect(found == status, f"{cut.name}: it was {found} before")
    local.see([EXTENDED])
    local.play(LATE.camera, {"camera": {"skip_s": [[0, 24]]}})
    local.play(LATE_ALL.camera, {})
    for cut in (LATE, LATE_ALL):
        local.request(first[cut.camera])
    stored = lambda evidence: evidence["status"] == "STORED"
    local.wait([LATE, LATE_ALL], stored)
    made = local.wait([EXTENDED], lambda it: stored(it) and it.get("extensions") == 1)
    for cut in (EXTENDED, LATE):
        before = first[cut.camera]["evidence"]
        named = {"Bucket": before["bucket"], "Key": before["key"], "VersionId": before["version_id"]}
        kept = local.client("s3").get_object(**named)["Body"].read()
        expect(hashlib.sha256(kept).hexdigest() == before["sha256"], f"{cut.name}: what was kept before is there still")
    return made


def cut_all(local: Local, ffprobe: str) -> None:
    started = time.monotonic()
    for cut in CUTS:
        for play in cut.plays:
            local.play(cut.camera, play)
        for fault in cut.faults:
            local.video("/_local/faults", fault | {"name": STREAM + cut.camera})
    local.play(EXTENDED.camera, {"repeat": 4})
    local.play(LATE.camera, {"camera": {"skip_s": [[24, 1000]]}})
    gone = client(local.environment | {"AWS_ENDPOINT_URL": local.environment["AWS_ENDPOINT_URL_KINESIS_VIDEO"]}, "kinesisvideo")
    stream = next(STREAM + cut.camera for cut in CUTS if cut.name == "stream gone")
    gone.delete_stream(StreamARN=gone.describe_stream(StreamName=stream)["StreamInfo"]["StreamARN"])
    before = Cut(EXTENDED.name, EXTENDED.camera, "STORED")
    everything = [*CUTS, before, LATE, LATE_ALL]
    local.see(everything)
    local.wait(everything, lambda evidence: evidence["status"] != "PENDING")
    made = later(local)
    cut_s = time.monotonic() - started
    lines = [judge(local, cut, made[cut.camera], ffprobe) for cut in [*CUTS, EXTENDED, LATE, LATE_ALL]]
    print(f"\n{'cut':24} {'status':11} {'gaps, s':12} {'objects':48} reason")
    print("\n".join(lines))
    judged_s = time.monotonic() - started - cut_s
    print(f"\n{len(lines)} cases; kept in {cut_s:.0f} s, judged in {judged_s:.0f} s")


def main(arm: str, ffprobe: str, bootstrap: str | None = None) -> None:
    # npm unpacks it without the right to run.
    os.chmod(ffprobe, 0o755)
    bootstrap = bootstrap or os.path.join(os.path.dirname(arm), "bootstrap")
    command = [arm, "rehearse", "--keep", "--binary", bootstrap]
    rehearsal = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        cut_all(Local(wait_until_up(rehearsal)), ffprobe)
    finally:
        rehearsal.send_signal(signal.SIGINT)
        rehearsal.stderr.close()
        expect(rehearsal.wait(timeout=60) == 0, "the rehearsal ends at Ctrl-C with 0")


if __name__ == "__main__":
    main(*sys.argv[1:])
