"""Measure both programs on the same log, and print one JSON object or a table."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..machine import tell_figures
from .city import write_city

SIZES = {"5m": 5_000_000, "50m": 50_000_000, "500m": 500_000_000}
ROUNDS = {"5m": 4, "50m": 2, "500m": 1}


def main() -> None:
    """Ratios of times come from one run: the median of the warm rounds, or the only round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.measures", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", action="append", choices=list(SIZES), help="sizes; 5m unless named")
    options = parser.parse_args()
    figures = measure(options.events or ["5m"])
    tell_figures(figures, as_json=options.json)


def measure(sizes: list[str]) -> dict[str, Any]:
    """All figures; null for sizes that were not asked for."""
    figures: dict[str, Any] = dict.fromkeys(
        ("ratio_5m", "ratio_50m", "peak_mb_50m", "atspm_peak_mb_50m", "events_per_s_500m")
    )
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            sys.stderr.write(f"{size}: writing the log ...\n")
            log, detectors = write_city(SIZES[size], Path(folder))
            figures |= _of_size(size, log, detectors)
    return figures


def _of_size(size: str, log: Path, detectors: Path) -> dict[str, Any]:
    ours = _run("greensplit", log, detectors, ROUNDS[size])
    found: dict[str, Any] = {
        f"cold_s_{size}": round(ours["seconds"][0], 2),
        f"warm_s_{size}": round(_warm(ours), 2),
        f"peak_mb_{size}": round(ours["peak_mb"]),
        f"events_per_s_{size}": round(SIZES[size] / _warm(ours)),
    }
    if size == "500m":
        return found
    theirs = _run("atspm", log, detectors, ROUNDS[size])
    if theirs["rows"] != ours["rows"]:
        sys.stderr.write(f"rows differ: {ours['rows']} here, {theirs['rows']} there\n")
    return found | {
        f"atspm_cold_s_{size}": round(theirs["seconds"][0], 2),
        f"atspm_warm_s_{size}": round(_warm(theirs), 2),
        f"atspm_peak_mb_{size}": round(theirs["peak_mb"]),
        f"ratio_{size}": round(_warm(theirs) / _warm(ours), 2),
        f"ratio_cold_{size}": round(theirs["seconds"][0] / ours["seconds"][0], 2),
        f"rows_equal_{size}": theirs["rows"] == ours["rows"],
    }


def _warm(result: dict[str, Any]) -> float:
    seconds: list[float] = result["seconds"]
    return statistics.median(seconds[1:] or seconds)


def _run(program: str, log: Path, detectors: Path, rounds: int) -> dict[str, Any]:
    sys.stderr.write(f"{program} ...\n")
    command = [
        sys.executable,
        "-m",
        "greensplit.benchmarks.measures.programs",
        program,
        str(log),
        str(detectors),
    ]
    done = subprocess.run([*command, str(rounds)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.strip().splitlines()[-1:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
