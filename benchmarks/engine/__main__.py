"""Measure, and print one JSON object or a table."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from greensplit.engine.kernel_cache import use_kernel_cache

from ..machine import tell_figures

SIZES = (1000, 10_000)


def main() -> None:
    """Every figure in a process with one thread; ratios come from the same run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--ticks", type=int, default=120, help="ticks per size, after the warm-up")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = measure(options.ticks)
    tell_figures(figures, as_json=options.json)


def measure(ticks: int) -> dict[str, Any]:
    """All figures; null where a part is not built yet."""
    from .memory import bytes_per_junction, numpy_peak_bytes, touched_bytes_per_junction
    from .rivals import bandwidth_share, ratios
    from .ticks import time_ticks

    _say("one junction")
    single = time_ticks(1, 10 * ticks)
    timed = {}
    for size in SIZES:
        _say(f"{size} junctions")
        timed[size] = time_ticks(size, ticks)
    _say("memory")
    city = timed[SIZES[-1]]
    touched = touched_bytes_per_junction()
    _say("plain Python and numpy")
    return {
        "tick_ms_10000": round(1e3 * city.mean_s, 2),
        "tick_p99_ms_10000": round(1e3 * city.p99_s, 2),
        "us_per_junction_1000": round(1e6 * timed[1000].mean_s / 1000, 3),
        "us_per_junction_10000": round(1e6 * city.mean_s / 10_000, 3),
        "single_us": round(1e6 * single.mean_s, 1),
        "bytes_per_junction": bytes_per_junction(SIZES[-1]),
        "touched_bytes_per_junction": touched,
        "numpy_peak_bytes_per_tick": numpy_peak_bytes(),
        **ratios(),
        "bandwidth_share": bandwidth_share(touched * SIZES[-1] / city.mean_s),
        "plan_ms_10000": None,
        "ticks": ticks,
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


if __name__ == "__main__":
    main()
