"""Starts the rehearsal's local AWS with schedules that never run: a rollout deploys stores, and nobody watches them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "generator/local-aws/ministack"))

import start  # noqa: E402

start.SCHEDULE_SWEEP_S = 10**9
start.main()
