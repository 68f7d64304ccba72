"""Incident detection on an arterial in SUMO with known truth: ``python -m benchmarks.incidents --json``.

Days of one arterial (four junctions, six lanes each and their bays, a day's profile of demand, pedestrians) under
its deployed program. Days without incidents and with seeds of their own train the detectors (1 ...) and set every
detector's threshold for one false alarm in the network and day. Other days validate: incident-free ones (11 ...)
and ones in which a vehicle stands in a lane 24 times between 6 and 22 h (2001 ...). No threshold ever saw a day
that validates.

*Detected* are incidents that last over five minutes and for which an alarm begins, while they last, at one of the
two junctions of the road. *False* are alarms that belong to no incident; the interval is Garwood's. The tables by
flow and by distance say where little or nothing is to be seen: the flow is that of the approach in the quarter of
an hour before, the distance that of the stalled vehicle from the stop line.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from greensplit.engine.kernel_cache import cache_home, use_kernel_cache

from ..machine import machine, versions
from .recordings import DAY_S, Day, Recording, record
from .trial import Arm, arms, tell, tell_slices

TRAIN, QUIET, BUSY = 1, 11, 2001
INCIDENTS_A_DAY = 24


def main() -> None:
    """Simulate what was not simulated before, calibrate, score, and print one JSON object or a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--train-days", type=int, default=1, help="incident-free days that train and calibrate"
    )
    parser.add_argument("--quiet-days", type=int, default=1, help="incident-free days that validate")
    parser.add_argument("--incident-days", type=int, default=1, help="days with incidents")
    parser.add_argument("--controller", default="fixed")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    root = cache_home(os.environ) / "incidents"

    def days(first: int, count: int, incidents: int = 0) -> list[Recording]:
        return [_record(Day(first + n, incidents, controller=options.controller), root) for n in range(count)]

    train = days(TRAIN, options.train_days)
    quiet = days(QUIET, options.quiet_days)
    busy = days(BUSY, options.incident_days, INCIDENTS_A_DAY)
    result = _measure(train, quiet, busy)
    result["days"] = {"train": len(train), "incident_free": len(quiet), "with_incidents": len(busy)}
    result |= {"controller": options.controller, "versions": versions(), "machine": machine()}
    if options.json:
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        _show(result)


def _record(day: Day, root: Path) -> Recording:
    sys.stderr.write(f"day of seed {day.seed}, {day.incidents} incidents\n")
    return record(day, root)


def _measure(
    train: Sequence[Recording], quiet: Sequence[Recording], busy: Sequence[Recording]
) -> dict[str, Any]:
    found: list[Arm] = arms(train, quiet, busy)
    by_name = {arm.name: tell(arm) for arm in found}
    own = next(arm for arm in found if arm.name == "arterial")
    figures = {
        "detection_rate": by_name["arterial"]["detection_rate"],
        "median_s": by_name["arterial"]["median_s"],
        "false_per_day": by_name["arterial"]["false_per_day"],
    }
    return {
        "figures": figures,
        "detectors": by_name,
        "arterial_by": tell_slices(own, busy),
        "hours_a_day": DAY_S / 3600,
    }


def _show(result: dict[str, Any]) -> None:
    for name, row in result["detectors"].items():
        sys.stdout.write(f"{name:20s} {json.dumps(row)}\n")
    for kind, rows in result["arterial_by"].items():
        for row in rows:
            sys.stdout.write(f"{kind:20s} {json.dumps(row)}\n")


if __name__ == "__main__":
    main()
