"""Small plans, and what may differ between equal runs."""

from __future__ import annotations

from typing import Any

from greensplit.sim.experiments.plan import Plan
from greensplit.sim.experiments.worker import Job

TIMES = ("wall_s", "simulator_s", "decide_s", "outside_s", "peak_mb")


def without_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Summaries without what is measured about the machine."""
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def short_plan(**changes: Any) -> Plan:
    """Five minutes of cologne1, fixed and lookahead, seeds 0 and 1."""
    fields: dict[str, Any] = {
        "scenarios": ("cologne1",),
        "controllers": ("fixed", "lookahead"),
        "seeds": (0, 1),
        "begin_s": 25200,
        "end_s": 25500,
    }
    return Plan(**fields | changes)


def silent(_job: Job, _done: int) -> None:
    """Tells nobody."""
