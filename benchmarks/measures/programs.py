"""One program, one process: load, drop duplicates, compute all measures; print seconds of each round and the peak.

Run as ``python -m greensplit.benchmarks.measures.programs {greensplit|atspm} LOG DETECTORS ROUNDS``.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["MEASURES"]

MEASURES = (
    "has_data",
    "actuations",
    "arrival_on_green",
    "split_failures",
    "platoon_ratio",
    "yellow_red",
    "terminations",
    "splits",
    "coordination",
    "timeline",
    "coordination_agg",
    "ped",
    "unique_ped",
    "full_ped",
    "ped_delay",
    "phase_wait",
    "communications",
)
PARAMETERS: dict[str, dict[str, object]] = {
    "has_data": {"no_data_min": 5, "min_data_points": 3},
    "arrival_on_green": {"latency_offset_seconds": 0},
    "yellow_red": {"latency_offset_seconds": 0},
    "unique_ped": {"seconds_between_actuations": 15},
    "full_ped": {"seconds_between_actuations": 15, "return_volumes": True},
    "timeline": {"min_duration": 0.2, "cushion_time": 60},
    "communications": {"event_codes": "400,502,503"},
    "split_failures": {
        "red_time": 5,
        "red_occupancy_threshold": 0.8,
        "green_occupancy_threshold": 0.8,
        "by_approach": True,
        "by_cycle": False,
    },
}
MB = 1024.0


def main() -> None:
    """Rounds in one process: the first is cold, imports included."""
    program, log, detectors, rounds = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    compute: Callable[[Path, Path], int] = {"greensplit": by_greensplit, "atspm": by_atspm}[program]
    seconds = []
    rows = 0
    for _ in range(rounds):
        began = time.perf_counter()
        rows = compute(log, detectors)
        seconds.append(time.perf_counter() - began)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak_mb, "rows": rows}) + "\n")


def by_greensplit(log: Path, detectors: Path) -> int:
    """All measures here; how many rows."""
    from greensplit.engine.kernel_cache import use_kernel_cache

    use_kernel_cache(os.environ)
    from greensplit.engine.analytics import measures

    tables = measures.compute(log, detectors, MEASURES)
    return sum(table.height for table in tables.values())


def by_atspm(log: Path, detectors: Path) -> int:
    """The same by the package; how many rows."""
    from atspm import SignalDataProcessor

    chosen = [{"name": name, "params": dict(PARAMETERS.get(name, {}))} for name in MEASURES]
    with SignalDataProcessor(
        raw_data=str(log / "*.parquet"),
        detector_config=str(detectors),
        bin_size=15,
        remove_incomplete=False,
        controller_type="maxtime",
        verbose=0,
        aggregations=chosen,
    ) as processor:
        processor.load()
        processor.aggregate()
        return sum(len(processor.conn.sql(f"SELECT * FROM {name}").pl()) for name in MEASURES)


if __name__ == "__main__":
    main()
