"""Holds templates against cfn-lint at information level, in every region that a cell may name.

Only I4010 may stand. I4010 says that a template could carry a section for the console's parameter groups.

Usage: lint.py CFN_LINT LIST_OF_TEMPLATES
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ALLOWED = {"I4010"}
REGIONS = Path(__file__).parent.parent / "generator/src/validate/region.rs"


def regions() -> list[str]:
    """The regions that `arm check` takes, read from where it takes them."""
    return re.findall(r'^    "([a-z0-9-]+)",$', REGIONS.read_text(encoding="utf-8"), re.MULTILINE)


def main(cfn_lint: str, list_file: str) -> int:
    with open(list_file, encoding="utf-8") as lines:
        templates = [line.strip() for line in lines if line.strip()]
    command = [cfn_lint, "-c", "I", "--format", "json", "--regions", *regions(), "--", *templates]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.stderr.strip():
        print(ran.stderr, file=sys.stderr)
    findings = json.loads(ran.stdout or "[]")
    wrong = [it for it in findings if it["Rule"]["Id"] not in ALLOWED]
    for it in wrong:
        start = it["Location"]["Start"]
        where = f"{it['Filename']}:{start['LineNumber']}:{start['ColumnNumber']}"
        print(f"{where}: {it['Rule']['Id']} {it['Message']}")
    # cfn-lint answers with bits for errors, warnings and information; anything else is a crash.
    crashed = ran.returncode not in range(0, 16)
    print(f"{len(templates)} templates in {len(regions())} regions, {len(findings)} findings, {len(wrong)} not allowed")
    return 1 if wrong or crashed or not templates or not regions() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
