"""Speed and durability of the event store, on the disk of the folder given: ``python -m benchmarks.store --json``.

``events_per_s`` counts until the last event is Parquet, with a flush to the disk each second; ``lost_after_kill_s`` is
the worst of real ``kill -9`` at random moments, counted back to the newest event before which none is missing;
``wrong_after_kill`` counts events missing before others, doubled or changed, and must be 0.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from greensplit.benchmarks.machine import tell_figures

from .kills import kill_repeatedly
from .speed import flood, paced, reading

EVENTS = 20_000_000
PACED_S = 20
KILLS = 20


def main() -> None:
    """Measure, and print one JSON object or a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of the flood")
    parser.add_argument("--kills", type=int, default=KILLS, help="writers killed")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument(
        "--folder", type=Path, help="a folder on the disk to measure; default: the current one"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder or Path.cwd(), prefix="store-") as scratch:
        figures = measure(Path(scratch), options.events, options.kills, options.seed)
    tell_figures(figures, as_json=options.json)


def measure(scratch: Path, events: int, kills: int, seed: int) -> dict[str, Any]:
    """All figures; ``scratch`` is on the disk that is measured."""
    _say(f"{events} events as fast as it takes them")
    figures = flood(scratch / "flood", events)
    figures |= reading(scratch / "flood", scratch)
    _say(f"200,000 events per second for {PACED_S} s")
    figures |= paced(scratch / "paced", PACED_S)
    _say(f"{kills} writers killed")
    killed = kill_repeatedly(scratch / "kills", kills, seed)
    return {
        **figures,
        "lost_after_kill_s": round(killed.lost_s, 3),
        "wrong_after_kill": killed.wrong,
        "kills": kills,
        "killed_events": sum(death.events for death in killed.deaths),
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


if __name__ == "__main__":
    main()
