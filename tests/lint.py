"""Holds templates against cfn-lint at information level; only I4010 may stand.

I4010 says that a template could carry a section for the console's parameter groups.

Usage: lint.py CFN_LINT LIST_OF_TEMPLATES
"""

import json
import subprocess
import sys

ALLOWED = {"I4010"}


def main(cfn_lint: str, list_file: str) -> int:
    with open(list_file, encoding="utf-8") as lines:
        templates = [line.strip() for line in lines if line.strip()]
    command = [cfn_lint, "-c", "I", "--format", "json", "--", *templates]
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
    print(f"{len(templates)} templates, {len(findings)} findings, {len(wrong)} not allowed")
    return 1 if wrong or crashed or not templates else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
