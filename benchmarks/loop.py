"""Speed and memory of the closed loop, beside SUMO alone: ``python -m benchmarks.loop --json``.

Each figure comes from fresh processes, kernels cached. *Inside* is the wall time in SUMO's own step, *outside* the
rest of the loop (reading, signal machine, interlock, writing, logging) without the controller's decisions, which are
reported beside it. The first tick loads the compiled kernels: it counts as start-up. *SUMO alone* is the ``sumo``
program on the same files with the same outputs, and for the cold start also without any of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from greensplit.engine.kernel_cache import use_kernel_cache

from .machine import tell_figures

SCENARIO = "ingolstadt21"
COLD_SCENARIO = "cologne8"
REPEATS = 3


def main() -> None:
    """Measure, and print one JSON object or a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="runs per figure; the median counts")
    parser.add_argument("--no-traci", action="store_true", help="leave out the slow run over a socket")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = measure(options.repeats, traci=not options.no_traci)
    tell_figures(figures, as_json=options.json)


def measure(repeats: int, *, traci: bool) -> dict[str, Any]:
    """All figures; medians over ``repeats``."""
    _say("compiling kernels, if they are not cached")
    _run(COLD_SCENARIO, "--end", "25260")
    rows = []
    for i in range(repeats):
        _say(f"{SCENARIO} with libsumo, {i + 1} of {repeats}")
        rows.append(_run(SCENARIO))
    _say("SUMO alone")
    alone = _sumo_alone(SCENARIO)
    inside_s = statistics.median(row["simulator_s"] for row in rows)
    cold = [_cold_extra(i, repeats) for i in range(repeats)]
    figures: dict[str, Any] = {
        "outside_over_inside": _median(row["outside_s"] / row["simulator_s"] for row in rows),
        "decide_over_inside": _median(row["decide_s"] / row["simulator_s"] for row in rows),
        "traci_outside_over_inside": None,
        "peak_mb": max(row["process_peak_mb"] for row in rows),
        "sumo_peak_mb": alone["peak_mb"],
        "peak_limit_mb": round(1.3 * alone["peak_mb"] + 250.0, 1),
        "cold_extra_s": _median(row["extra_s"] for row in cold),
        "cold_extra_over_bare_sumo_s": _median(row["extra_over_bare_s"] for row in cold),
        "inside_s": round(inside_s, 2),
        "repeats": repeats,
    }
    if traci:
        _say(f"{SCENARIO} over a socket")
        row = _run(SCENARIO, "--traci")
        beyond_s = row["simulator_s"] + row["outside_s"] - inside_s
        figures["traci_outside_over_inside"] = round(beyond_s / inside_s, 3)
    return figures


def _median(values: Any) -> float:
    return float(round(statistics.median(values), 3))


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


def _run(scenario: str, *extra: str, controller: str = "lookahead") -> dict[str, Any]:
    """One ``greensplit run`` in a process of its own, with its summary, wall time and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "greensplit.cli", "run", scenario, "--controller", controller]
        done = _timed([*command, "--json", "--out", str(Path(folder) / "run"), *extra])
    summary: dict[str, Any] = json.loads(done["output"])
    return {**summary, "process_s": done["wall_s"], "process_peak_mb": done["peak_mb"]}


def _cold_extra(i: int, repeats: int) -> dict[str, float]:
    """Seconds that ``greensplit run`` takes beyond SUMO alone, in traffic that is the same (the deployed plan)."""
    _say(f"cold start, {i + 1} of {repeats}")
    own_s = _run(COLD_SCENARIO, controller="fixed")["process_s"]
    return {
        "extra_s": own_s - _sumo_alone(COLD_SCENARIO)["wall_s"],
        "extra_over_bare_s": own_s - _sumo_alone(COLD_SCENARIO, bare=True)["wall_s"],
    }


def _sumo_alone(scenario: str, *, bare: bool = False) -> dict[str, Any]:
    """The ``sumo`` program with the arguments of our run under the deployed plan; ``bare``: files and window only."""
    from greensplit.scenarios.tools import sumo_binary, sumo_environment
    from greensplit.sim.prepare import prepare
    from greensplit.sim.spec import RunSpec
    from greensplit.sim.sumo import RULES

    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(RunSpec(scenario, "fixed"), Path(folder))
        found = prepared.scenario
        arguments = prepared.arguments
        if bare:
            arguments = [
                "--net-file",
                str(found.net_file),
                "--route-files",
                str(found.route_files[0]),
                *RULES,
            ]
            arguments += ["--begin", str(found.begin_s), "--end", str(found.end_s), "--seed", "0"]
        return _timed([str(sumo_binary("sumo")), *arguments], {**os.environ, **sumo_environment()})


def _timed(command: list[str], environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a command to its end: output, wall time, peak memory (the sum over its processes, every 20 ms)."""
    probe = [sys.executable, "-c", _PROBE, *command]
    done = subprocess.run(probe, capture_output=True, text=True, env=environment, check=False, timeout=900)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:6])} ...: exit code {done.returncode}\n{done.stderr[-2000:]}")
    output, _, measured = done.stdout.rpartition("\n@")
    wall_s, peak_mb = (float(part) for part in measured.split())
    return {"output": output, "wall_s": wall_s, "peak_mb": round(peak_mb, 1)}


_PROBE = """
import pathlib, subprocess, sys, time

def tree_mb(pid):
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
    return own + sum(tree_mb(child) for child in children)

started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:])
peak_mb = 0.0
while child.poll() is None:
    peak_mb = max(peak_mb, tree_mb(child.pid))
    time.sleep(0.02)
wall_s = time.perf_counter() - started
print(f"\\n@{wall_s} {peak_mb}", flush=True)
sys.exit(child.returncode)
"""


if __name__ == "__main__":
    main()
