"""Detector health on recorded loops: ``python -m benchmarks.health --json``.

Runs scenarios in SUMO with the controller ``lookahead``, then replays the loops' events, sound and damaged, through
the kernels. *False* is the share of detector-hours in which a sound detector was called faulty. *Found* is the share
of damaged detectors called faulty within 15 min; each junction has one at a time, damaged from half the run on. It
is told for detectors over which, undamaged, at least 5 vehicles a minute pass, and beside it for all whose peers count
that many together: a loop on a lane that a few vehicles use shows little. *Many dead* lets a fifth of all detectors
fall silent at once, drawn at random a few times; sound ones that are blamed then are counted beside those found.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernel_cache import use_kernel_cache

from .machine import machine, versions

SCENARIOS = ("cologne8", "ingolstadt7", "arterial")
STEP_MS = 5000
WITHIN_MS = 900_000
EVIDENCE_VEH = 75
DEAD_SHARE = 0.2
DRAWS = 5

Presences = npt.NDArray[np.int64]
"""(n, 2) times on and off of one detector, ms, in order."""
Damage = Callable[[Presences, int, int, np.random.Generator], Presences]
"""From true presences, time of failure and end of the run to what the detector tells."""


def main() -> None:
    """Measure, and print one JSON object or a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of the runs and of the damage")
    options = parser.parse_args()
    use_kernel_cache(os.environ)
    figures = {name: measure(name, options.seed) for name in options.scenarios.split(",")}
    result = {"figures": figures, "total": _total(list(figures.values())), "seed": options.seed}
    result |= {"versions": versions(), "machine": machine()}
    if options.json:
        sys.stdout.write(json.dumps(result, indent=1) + "\n")
    else:
        for name, found in {**figures, "all": result["total"]}.items():
            sys.stdout.write(f"{name}: {json.dumps(found)}\n")


class Recording(NamedTuple):
    """The loops of one run: the site, and every detector's presences."""

    site: Any
    presences: list[Presences]
    end_ms: int


def measure(scenario: str, seed: int) -> dict[str, Any]:
    """False alarms and faults found, with the counts behind the shares."""
    _say(f"{scenario}: SUMO")
    recording = record(scenario, seed)
    _say(f"{scenario}: sound loops")
    fault = replay(recording, recording.presences)
    figures: dict[str, Any] = {
        "detectors": len(recording.presences),
        "false_detector_hours": round(float((fault > 0).mean(1).sum()), 3),
        "ever_false": int((fault > 0).any(1).sum()),
        "false_kinds": _kinds(fault),
    }
    for kind, damage in DAMAGES.items():
        _say(f"{scenario}: {kind}")
        figures[kind] = _found(recording, damage, np.random.default_rng([seed, len(kind)]))
    _say(f"{scenario}: many dead")
    figures["many_dead"] = _many_dead(recording, np.random.default_rng([seed, DRAWS]))
    return figures


def _kinds(fault: npt.NDArray[np.uint8]) -> dict[str, int]:
    from greensplit.engine.kernels.health.state import FAULT_NAMES

    return {
        name: int((fault == k).any(1).sum()) for k, name in enumerate(FAULT_NAMES) if k and (fault == k).any()
    }


def record(scenario: str, seed: int) -> Recording:
    """Run SUMO in a process of its own and read its log."""
    import polars as pl

    from greensplit.engine.events import DETECTOR_OFF, DETECTOR_ON
    from greensplit.engine.model.toml import read_site
    from greensplit.engine.store.logfile import read_log

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        command = [sys.executable, "-m", "greensplit.cli", "run", scenario, "--controller", "lookahead"]
        command += ["--seed", str(seed), "--out", str(out), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
        manifest = json.loads((out / "run.json").read_text())
        site = read_site(out / "model.toml")
        log = read_log(out / "events").filter(pl.col("event_id").is_in([DETECTOR_OFF, DETECTOR_ON])).collect()
    epoch_ms = round(np.datetime64(manifest["epoch"][:19], "ms").astype(np.int64))
    end_ms = 1000 * (manifest["end_s"] - manifest["begin_s"])
    presences = []
    for junction in site.junctions:
        for detector in junction.detectors:
            mine = log.filter(
                (pl.col("device_id") == junction.device_id) & (pl.col("parameter") == detector.channel)
            )
            t_ms = mine["timestamp"].cast(pl.Int64).to_numpy() - epoch_ms
            t_ms = np.append(t_ms, end_ms) if len(t_ms) % 2 else t_ms
            presences.append(t_ms.reshape(-1, 2))
    return Recording(site, presences, end_ms)


def replay(recording: Recording, told: list[Presences]) -> npt.NDArray[np.uint8]:
    """Feed what the detectors tell to the kernels: (D, steps) faults."""
    from greensplit.engine.events import EVENT_DTYPE
    from greensplit.engine.kernels.detectors import new_detectors, take_detections
    from greensplit.engine.kernels.health.assess import assess_detectors
    from greensplit.engine.kernels.health.peers import compile_peers
    from greensplit.engine.kernels.health.state import new_health, new_memory
    from greensplit.engine.model.compiled import compile_detection, compile_signals

    site = recording.site
    peers = compile_peers(site)
    detectors = new_detectors(compile_signals(site), compile_detection(site))
    health, memory = new_health(peers), new_memory(peers)
    upstream = np.full(len(told), np.nan, np.float32)
    index, t_ms, on = _events(told)
    out = np.empty(max(len(index), len(told)), EVENT_DTYPE)
    faults = []
    for now_ms in range(0, recording.end_ms + 1, STEP_MS):
        i, k = np.searchsorted(t_ms, [now_ms - STEP_MS, now_ms], side="right")
        take_detections(detectors, index[i:k], t_ms[i:k], on[i:k], k - i, now_ms, out)
        assess_detectors(peers, detectors, health, memory, upstream, now_ms, now_ms, out)
        faults.append(health.fault.copy())
    return np.array(faults).T


def _events(told: list[Presences]) -> tuple[npt.NDArray[np.int32], Presences, npt.NDArray[np.uint8]]:
    index = np.concatenate([np.full(2 * len(p), d, np.int32) for d, p in enumerate(told)])
    t_ms = np.concatenate([p.ravel() for p in told])
    on = np.concatenate([np.tile(np.array([1, 0], np.uint8), len(p)) for p in told])
    order = np.argsort(t_ms, kind="stable")
    return index[order], t_ms[order], on[order]


def _found(recording: Recording, damage: Damage, rng: np.random.Generator) -> dict[str, dict[str, int]]:
    """Damaged and found detectors, by kind of detector, where traffic gave evidence and by the peers' counts."""
    from greensplit.engine.kernels.health.peers import compile_peers

    peers = compile_peers(recording.site)
    kinds = [d.kind.value for j in recording.site.junctions for d in j.detectors]
    start_ms = recording.end_ms // 2
    span = start_ms, start_ms + WITHIN_MS
    seen = _seen(recording, span)
    figures: dict[str, dict[str, int]] = {}
    for chosen in _one_per_junction(peers.detector_ptr):
        told = list(recording.presences)
        for d in chosen:
            told[d] = damage(told[d], start_ms, recording.end_ms, rng)
        fault = replay(recording, told)[:, span[0] // STEP_MS + 1 : span[1] // STEP_MS + 1]
        for d in chosen:
            by_peers = sum(seen[p] for p in peers.peer[peers.peer_ptr[d] : peers.peer_ptr[d + 1]])
            for name, enough in ((kinds[d], seen[d]), ("by_peers", by_peers)):
                if enough >= EVIDENCE_VEH:
                    cell = figures.setdefault(name, {"damaged": 0, "found": 0})
                    cell["damaged"] += 1
                    cell["found"] += bool((fault[d] > 0).any())
    return figures


def _seen(recording: Recording, span: tuple[int, int]) -> list[int]:
    """Vehicles over each detector, undamaged."""
    return [int(((p[:, 0] >= span[0]) & (p[:, 0] < span[1])).sum()) for p in recording.presences]


def _many_dead(recording: Recording, rng: np.random.Generator) -> dict[str, float]:
    """Dead where traffic gave evidence, those found in time, and detector-hours of sound ones, all and blamed."""
    start_ms, end_ms = recording.end_ms // 2, recording.end_ms
    seen = np.array(_seen(recording, (start_ms, start_ms + WITHIN_MS)))
    found = {"dead": 0, "found": 0, "sound_detector_hours": 0.0, "false_detector_hours": 0.0}
    for _ in range(DRAWS):
        dead = rng.random(len(seen)) < DEAD_SHARE
        told = [
            _stuck_off(p, start_ms, end_ms, rng) if is_dead else p
            for p, is_dead in zip(recording.presences, dead, strict=True)
        ]
        after = replay(recording, told)[:, start_ms // STEP_MS + 1 :] > 0
        evident = dead & (seen >= EVIDENCE_VEH)
        found["dead"] += int(evident.sum())
        found["found"] += int(after[evident, : WITHIN_MS // STEP_MS].any(1).sum())
        hours = (end_ms - start_ms) / 3_600_000
        found["sound_detector_hours"] += float((~dead).sum() * hours)
        found["false_detector_hours"] += float(after[~dead].mean(1).sum() * hours)
    return {key: round(value, 3) for key, value in found.items()}


def _one_per_junction(detector_ptr: npt.NDArray[np.int32]) -> Iterator[list[int]]:
    """Every detector once, together with one of each other junction: junctions do not know each other's loops."""
    for k in range(int(np.diff(detector_ptr).max())):
        yield [a + k for a, b in pairwise(detector_ptr.tolist()) if k < b - a]


def _before(true: Presences, start_ms: int) -> Presences:
    kept = true[true[:, 0] < start_ms].copy()
    kept[:, 1] = np.minimum(kept[:, 1], start_ms)
    return kept


def _stuck_on(true: Presences, start_ms: int, end_ms: int, _: np.random.Generator) -> Presences:
    return np.concatenate([_before(true, start_ms), [[start_ms + 1, end_ms + 1]]])


def _stuck_off(true: Presences, start_ms: int, _end_ms: int, _: np.random.Generator) -> Presences:
    return _before(true, start_ms)


def _chatter(true: Presences, start_ms: int, end_ms: int, rng: np.random.Generator) -> Presences:
    """A contact that closes by itself every 2 s on average, for 50 to 150 ms."""
    at_ms = np.sort(rng.integers(start_ms, end_ms, (end_ms - start_ms) // 2000))
    pulses = np.stack([at_ms, at_ms + rng.integers(50, 151, len(at_ms))], 1)
    return _union(np.concatenate([true, pulses]))


def _half(true: Presences, start_ms: int, _end_ms: int, rng: np.random.Generator) -> Presences:
    return true[(true[:, 0] < start_ms) | (rng.random(len(true)) < 0.5)]


def _random(true: Presences, start_ms: int, end_ms: int, rng: np.random.Generator) -> Presences:
    """On and off for 10 s each on average, whatever the traffic."""
    edges = start_ms + 1 + np.cumsum(rng.exponential(10_000.0, 2 * (end_ms - start_ms) // 10_000) + 1.0)
    edges = edges[edges < end_ms].astype(np.int64)
    return np.concatenate([_before(true, start_ms), edges[: len(edges) // 2 * 2].reshape(-1, 2)])


def _union(spans: Presences) -> Presences:
    merged: list[list[int]] = []
    for a, b in sorted(spans.tolist()):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    return np.array(merged, np.int64).reshape(-1, 2)


DAMAGES: dict[str, Damage] = {
    "stuck_on": _stuck_on,
    "stuck_off": _stuck_off,
    "chatter": _chatter,
    "half_counted": _half,
    "random": _random,
}


def _total(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums over scenarios, and shares."""
    detectors = sum(f["detectors"] for f in figures)
    total: dict[str, Any] = {
        "detectors": detectors,
        "false_share": round(sum(f["false_detector_hours"] for f in figures) / detectors, 5),
        "ever_false": sum(f["ever_false"] for f in figures),
    }
    dead = {key: sum(f["many_dead"][key] for f in figures) for key in figures[0]["many_dead"]}
    total["many_dead"] = {
        "dead": dead["dead"],
        "found_share": round(dead["found"] / dead["dead"], 3) if dead["dead"] else None,
        "false_share": round(dead["false_detector_hours"] / dead["sound_detector_hours"], 5),
    }
    for kind in DAMAGES:
        cells = [(name, cell) for f in figures for name, cell in f[kind].items()]
        total[kind] = {
            "at_the_loop": _share([cell for name, cell in cells if name != "by_peers"]),
            "by_peers": _share([cell for name, cell in cells if name == "by_peers"]),
        }
    return total


def _share(cells: list[dict[str, int]]) -> dict[str, Any]:
    damaged, found = (sum(cell[key] for cell in cells) for key in ("damaged", "found"))
    return {"damaged": damaged, "found_share": round(found / damaged, 3) if damaged else None}


def _say(text: str) -> None:
    sys.stderr.write(f"{text} ...\n")


if __name__ == "__main__":
    main()
