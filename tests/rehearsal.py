"""Judges what a rehearsal left behind, with programs that the project did not write.

The clip is decoded by FFmpeg's libraries (PyAV), its digest computed by Python, and its pictures
compared with the footage: the frames of the shelf sweep must stand where the case says.

Usage: rehearsal.py STORY.ndjson
"""

import hashlib
import json
import sys
from datetime import datetime
from pathlib import Path

import av

ALERT = "High-Priority Alert: Shelf Sweep at Aisle 5"
FOOTAGE = Path(__file__).parent.parent / "generator/local-aws/footage/shelf-sweep.mkv"
# A fragment is two seconds: a clip may begin or end so much beyond what was wanted.
FRAGMENT_SECONDS = 2.0
FRAME_SECONDS = 1 / 15


def expect(holds: bool, what: str) -> None:
    print(("ok      " if holds else "FAILED  ") + what)
    if not holds:
        sys.exit(1)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def packets(path: Path) -> list[tuple[float, bytes]]:
    """Time and bytes of every video packet."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (float(packet.pts * packet.time_base), slices(bytes(packet)))
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size > 0
        ]


def slices(packet: bytes) -> bytes:
    """The coded pictures of an AVC packet: containers differ in parameter sets they repeat."""
    coded, at = b"", 0
    while at + 4 <= len(packet):
        length = int.from_bytes(packet[at : at + 4], "big")
        unit = packet[at + 4 : at + 4 + length]
        if unit and unit[0] & 0x1F in (1, 5):
            coded += unit
        at += 4 + length
    return coded


def main(story: str) -> None:
    events = [json.loads(line) for line in Path(story).read_text(encoding="utf-8").splitlines()]
    end = events[-1]
    expect(end["event"] == "end", "the story has an end")
    case = json.loads(Path(end["case_file"]).read_text(encoding="utf-8"))
    evidence = case["evidence"]
    clip = Path(end["clip"])

    expect(end["alert"] == ALERT, f"the SNS subscriber got: {end['alert']}")
    expect(case["alert"]["status"] == "SENT", "the case says that people were told")
    told = json.loads(Path(end["messages"]).read_text(encoding="utf-8"))
    channels = {it["protocol"] for it in told}
    expect({"email", "sms", "https"} <= channels, f"every channel was told: {sorted(channels)}")
    sms = [it["text"] for it in told if it["protocol"] == "sms"]
    expect(all(len(text) <= 160 and ALERT in text for text in sms), f"the SMS fits: {sms}")

    digest = hashlib.sha256(clip.read_bytes()).hexdigest()
    expect(digest == evidence["sha256"], f"the clip's SHA-256 is the case's: {digest}")
    expect(evidence["status"] == "STORED" and not evidence.get("gaps"), "the evidence is whole")

    wanted = seconds(evidence["start"]), seconds(evidence["end"])
    kept = seconds(evidence["clip_start"]), seconds(evidence["clip_end"])
    before, after = wanted[0] - kept[0], kept[1] - wanted[1]
    expect(0 <= before <= FRAGMENT_SECONDS, f"it begins {before:.3f} s before what was wanted")
    expect(0 <= after <= FRAGMENT_SECONDS, f"it ends {after:.3f} s after what was wanted")

    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        expect(stream.codec_context.name == "h264", "it is H.264")
        frames = sum(1 for _ in container.decode(stream))
    length = kept[1] - kept[0]
    expect(abs(frames * FRAME_SECONDS - length) < 0.2, f"{frames} frames decode, for {length:.1f} s")

    sweep = next(data for time, data in packets(FOOTAGE) if time >= 6.2 - FRAME_SECONDS / 2)
    found = next((time for time, data in packets(clip) if data == sweep), None)
    expect(found is not None, "the sweep's first frame is in the clip")
    expected = seconds(case["opened_at"]) - kept[0]
    expect(abs(found - expected) < 2 * FRAME_SECONDS, f"at {found:.2f} s, the case says {expected:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
