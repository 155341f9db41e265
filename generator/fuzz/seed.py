#!/usr/bin/env python3
"""Writes what fuzzing begins with: the example stores, every example of the explanations, and a
dictionary of the words that files are made of.

Usage: generator/fuzz/seed.py
"""

import pathlib
import re

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent.parent
BASE = """cells: { us-west: { account: "123456789012", region: us-west-2 } }
model: { endpoint: shelf-behaviour }
defaults: { cell: us-west, timezone: America/Los_Angeles }
"""
STORE = """store: renton-007
name: Renton
aisles: [{ id: aisle-5 }]
cameras: [{ id: aisle-5-a, aisle: aisle-5 }]
rules: [{ name: sweep, when: { event_type: shelf_sweep }, priority: high, notify: [] }]
"""


def pairs():
    """Fleet and store of every example."""
    fleet = (ROOT / "stores/fleet.yaml").read_text()
    for path in sorted((ROOT / "stores").glob("*-*.yaml")):
        text = path.read_text()
        if len(text) < 4_000:
            yield fleet, re.sub(r"(?m)^store: .*", "store: renton-007", text)
    for path in sorted((ROOT / "generator/explanations").glob("*.md")):
        for side in path.read_text().split("\n\nWrong:")[-1].split("\n\nRight:"):
            blocks = dict(re.findall(r"```yaml stores/(\S+)\n(.*?)```", side, re.S))
            if blocks:
                store = [text for name, text in blocks.items() if name != "fleet.yaml"]
                yield blocks.get("fleet.yaml", BASE), store[0] if store else STORE


def main():
    corpus = FUZZ / "corpus/read"
    corpus.mkdir(parents=True, exist_ok=True)
    number = 0
    words = set()
    for number, (fleet, store) in enumerate(pairs(), 1):
        (corpus / f"seed-{number:03}").write_bytes(fleet.encode() + b"\0" + store.encode())
        words.update(re.findall(r"[\w./+-]+", fleet + store))
    words.update(["{ ", " }", "[", "]", ": ", "- ", "\n  ", "# ", "? ", "| ", "&a ", "*a", "!!x ", "---\n", "<<: ", "\t"])
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\x0a").replace("\t", "\\x09") for word in words]
    lines = sorted(f'"{word}"\n' for word in escaped if len(word) < 40 and word.isascii())
    (FUZZ / "yaml.dict").write_text("".join(lines))
    print(f"{number} seeds, {len(lines)} words")


if __name__ == "__main__":
    main()
