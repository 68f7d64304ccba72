"""Hostile controllers, spoilt machines and planted bugs: ``python -m benchmarks.safety --json``.

Half of the cities are drawn at random and half are the eight real networks; under hostile controllers nothing may be
refused, unsafe or left waiting, and of what spoilt machines propose the interlock must refuse exactly what the judge
objects to. Then every bug of the list is planted in a copy of the engine, and each must be found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from greensplit.engine.files import write_atomically
from greensplit.engine.kernel_cache import use_kernel_cache

from ..machine import machine, versions

TICKS = 100_000_000
JOBS = 2


def main() -> None:
    """Measure, and print one JSON object or a table; with ``--out`` also into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--ticks", type=int, default=TICKS, help="junction-ticks of the stress")
    parser.add_argument("--jobs", type=int, default=JOBS, help="processes")
    parser.add_argument("--no-bugs", action="store_true", help="leave the planted bugs out")
    parser.add_argument("--out", type=Path, help="file for the result")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = {**_stress(options.ticks, options.jobs), **_planted(options.jobs, skip=options.no_bugs)}
    result = {"figures": figures, "versions": versions(), "machine": machine()}
    text = json.dumps(result, indent=1) + "\n"
    if options.out is not None:
        write_atomically(options.out, text.encode())
    if options.json:
        sys.stdout.write(text)
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:26s} {value}\n")


def _stress(ticks: int, jobs: int) -> dict[str, Any]:
    """Run the cities; the kernels are imported only now that their cache is known."""
    from .stress import stress

    return stress(ticks, jobs, _say)


def _planted(jobs: int, *, skip: bool) -> dict[str, Any]:
    """Plant every bug; figures are None where they are skipped."""
    from .bugs import BUGS
    from .planted import Verdict, try_all, try_one

    if skip:
        return {"mutations_planted": None, "mutations_missed": None, "mutations_s": None}

    def tell(verdict: Verdict, done: int) -> None:
        assert verdict.bug is not None
        if verdict.is_missed or done % 20 == 0:
            missed = f", missed: {verdict.bug.file}: {verdict.bug.name}" if verdict.is_missed else ""
            _say(f"{done} of {len(BUGS)} bugs planted{missed}")

    started = perf_counter()
    sound = try_one(None)
    if sound.found:
        raise SystemExit(f"no bug planted: expected nothing to be found, found {sound.found}")
    verdicts = try_all(BUGS, jobs, tell)
    return {
        "mutations_planted": len(verdicts),
        "mutations_missed": sum(verdict.is_missed for verdict in verdicts),
        "mutations_s": round(perf_counter() - started, 1),
    }


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
