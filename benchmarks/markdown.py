"""The result of ``greensplit compare --json`` as a Markdown table: ``... --json | python -m benchmarks.markdown``.

One row per scenario, one column per controller: mean corrected delay, G where a seed ended in gridlock; the best in
bold, and the last controller's ratio to the deployed plan.
"""

from __future__ import annotations

import json
import sys
from typing import Any

__all__ = ["main", "markdown"]


def main() -> None:
    """Read standard input, write standard output."""
    sys.stdout.write(markdown(json.load(sys.stdin)))


def markdown(result: dict[str, Any]) -> str:
    """The table, and a line with the versions that made it."""
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for line in result["aggregates"]:
        cells.setdefault(line["scenario"], {})[line["controller"]] = line
    controllers = list(next(iter(cells.values())))
    last = controllers[-1]
    lines = [
        f"| scenario | {' | '.join(controllers)} | {last} / fixed |",
        "|---" * (len(controllers) + 2) + "|",
        *(_row(name, by_controller, last) for name, by_controller in cells.items()),
    ]
    versions = ", ".join(f"{name} {version}" for name, version in result["rows"][0]["versions"].items())
    seeds = sorted({row["seed"] for row in result["rows"]})
    return "\n".join(lines) + f"\n\nSeeds {seeds[0]}-{seeds[-1]}; {versions}.\n"


def _row(scenario: str, by_controller: dict[str, dict[str, Any]], last: str) -> str:
    best = min(line["delay_mean_s"] for line in by_controller.values())
    told = [_cell(line, best) for line in by_controller.values()]
    return f"| {scenario} | {' | '.join(told)} | {by_controller[last]['ratio']:.2f} |"


def _cell(line: dict[str, Any], best: float) -> str:
    mean_s = line["delay_mean_s"]
    text = f"{mean_s:.1f}" if mean_s < 100 else f"{mean_s:.0f}"
    return (f"**{text}**" if mean_s == best else text) + (" G" if line["gridlock_share"] else "")


if __name__ == "__main__":
    main()
