"""Tries whatever ``greensplit.engine`` is on the path: ``python -m greensplit.benchmarks.safety.trial ROUNDS``.

Prints one JSON object: what was found first, in which round, and where the engine was loaded from. Small cities of
three junctions, another one in every round, in plain Python where NUMBA_DISABLE_JIT is set.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable

from greensplit.engine.kernels import machine
from greensplit.engine.model.site import Site

from .city import run_obedient, run_sabotaged
from .drawn import draw_site

JUNCTIONS = 3
OBEDIENT_TICKS = 500
SABOTAGED_TICKS = 2000

__all__ = ["first_finding"]


def first_finding(rounds: int) -> tuple[dict[str, int], int]:
    """What was found in the first round in which anything was, and the number of that round."""
    for number in range(rounds):
        site = draw_site(number, JUNCTIONS)
        for run in (_sabotaged, _obedient):
            found = _survive(run, site, number)
            if found:
                return dict(found), number
    return {}, rounds


def _sabotaged(site: Site, seed: int) -> Counter[str]:
    return run_sabotaged(site, seed, SABOTAGED_TICKS, first_only=True)[0]


def _obedient(site: Site, seed: int) -> Counter[str]:
    return run_obedient(site, seed, OBEDIENT_TICKS, first_only=True)[0]


def _survive(run: Callable[[Site, int], Counter[str]], site: Site, seed: int) -> Counter[str]:
    """Code that reads beyond its tables stops in plain Python, and would not when compiled."""
    try:
        return run(site, seed)
    except IndexError:
        return Counter({"read beyond the tables": 1})


def main() -> None:
    """Run the rounds that the command line asks for."""
    found, number = first_finding(int(sys.argv[1]))
    sys.stdout.write(json.dumps({"found": found, "round": number, "engine": machine.__file__}) + "\n")


if __name__ == "__main__":
    main()
