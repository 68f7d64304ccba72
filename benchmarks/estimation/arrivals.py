"""Arrival forecasts against the floor.

Counts of vehicles due at a stop line in windows of 30 s, forecast every 5 s of recorded runs from loops and lamps,
beside an oracle that sees the same and knows the true rates, shares and travel times. The first 15 minutes are for
learning. Classes of approach lanes, by where most of their vehicles were seen before: *far* at least 30 s away,
*near* less, *none* nowhere.

``ratio`` is of mean absolute errors. Those are least for medians, and both forecast means: for Poisson arrivals a
forecaster that knows the rate itself has a ratio of 0.93 to 1.06, by the rate. ``rms_ratio`` is of root mean squares,
where it has 1.00. ``smoothing_ratio``, for lanes of class none, is that of the best memory in hindsight.

Which loops are dead is drawn DRAWS times and the errors are pooled: a class may have five lanes, and one draw of the
loops may leave one of them or five without their own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.compiled import Detection, compile_detection
from greensplit.engine.model.upstream import compile_links
from greensplit.sim.spec import RunSpec

from .arrival_bound import smoothed_in_hindsight
from .arrival_oracle import oracle_forecasts
from .arrival_replay import Forecasts, forecast_recording, pooled
from .arrival_truth import Due, due_counts, due_vehicles
from .recording import Recording
from .replay import damaged, judge_recordings, no_damage

__all__ = ["judge_arrivals", "print_arrivals"]

WINDOWS = ((0, 30), (30, 30), (60, 30))
CLASSES = ("far", "near", "none")
FAR_S = 30.0
LEARN_S = 900
EVERY_S = 5
DRAWS = 4


def judge_arrivals(specs: Iterable[RunSpec]) -> dict[str, Any]:
    """The figures of every recording, with all loops sound and with some dead."""
    return judge_recordings(specs, _judge)


def _judge(recording: Recording, dead_share: float) -> dict[str, Any]:
    """By class and window: mean absolute errors, ours and the oracle's, and the coverage of 90 % intervals."""
    detection, links = compile_detection(recording.site), compile_links(recording.site)
    due = due_vehicles(recording, detection, links)
    made_s = np.arange(LEARN_S, recording.seconds - 90, EVERY_S)
    loops = len(detection.kind)
    damages = [no_damage(loops)]
    if dead_share:
        damages = [damaged(loops, dead_share, recording.seed + draw) for draw in range(DRAWS)]
    counts = due_counts(due, len(detection.advance), recording.seconds)
    truth = np.stack(
        [counts[made_s + start + length] - counts[made_s + start] for start, length in WINDOWS], 1
    )
    truth = np.concatenate([truth] * len(damages))
    found = pooled([forecast_recording(recording, made_s, WINDOWS, damage) for damage in damages])
    floors = [
        oracle_forecasts(recording, detection, links, due, made_s, WINDOWS, damage.dead) for damage in damages
    ]
    floor = np.concatenate(floors, 1)
    lanes = _classes(due, len(detection.advance))
    smoothed = np.concatenate([_smoothed(detection, counts, made_s, damage.dead) for damage in damages])
    result: dict[str, Any] = {}
    for name, which in [*((name, lanes == i) for i, name in enumerate(CLASSES)), ("all", lanes >= 0)]:
        for w, (start, _) in enumerate(WINDOWS):
            row = _figures(truth[:, w, which], found, floor, w, which)
            if row is not None and name == "none":
                best = float(np.abs(smoothed[:, w, which] - truth[:, w, which]).mean())
                row["smoothing_ratio"] = _ratio(best, row["oracle_mae_veh"])
            result[f"{name}_{start}"] = row
    return result


def _smoothed(
    detection: Detection, counts: npt.NDArray[np.int64], made_s: npt.NDArray[np.int64], dead: Any
) -> npt.NDArray[np.float64]:
    """(N, W, L) forecasts by the best memory in hindsight of what the loops that are not dead told."""
    sees = (detection.advance >= 0) & ~dead[detection.advance]
    own_s = np.where(sees, detection.advance_m / np.maximum(detection.speed_mps, 1.0), 0.0)
    return smoothed_in_hindsight(counts, np.floor(own_s).astype(np.int64), made_s, WINDOWS)


def _classes(due: Due, lanes: int) -> npt.NDArray[np.int64]:
    """Position in CLASSES of each lane, -1 where nothing ever came."""
    found = np.full(lanes, -1)
    for lane in range(lanes):
        mine = due.lane == lane
        if mine.any():
            seen = mine & (due.source >= 0)
            took_s = (due.due_ms[seen] - due.left_ms[seen]) / 1000.0
            far = float(np.median(took_s)) >= FAR_S if seen.any() else False
            found[lane] = 2 if seen.sum() < 0.5 * mine.sum() else (0 if far else 1)
    return found


def _figures(truth: Any, found: Forecasts, floor: Any, w: int, which: Any) -> dict[str, Any] | None:
    if not which.any():
        return None
    ours = float(np.abs(found.mean_veh[:, w, which] - truth).mean())
    best, hindsight = (float(np.abs(each[:, w, which] - truth).mean()) for each in floor)
    ours_rms, best_rms = (
        float(np.sqrt(np.square(each[:, w, which] - truth).mean())) for each in (found.mean_veh, floor[0])
    )
    inside = (truth >= found.low_veh[:, w, which]) & (truth <= found.high_veh[:, w, which])
    return {
        "lanes": int(which.sum()),
        "veh": round(float(truth.mean()), 3),
        "forecast_veh": round(float(found.mean_veh[:, w, which].mean()), 3),
        "oracle_veh": round(float(floor[0][:, w, which].mean()), 3),
        "mae_veh": round(ours, 3),
        "oracle_mae_veh": round(best, 3),
        "ratio": _ratio(ours, best),
        "rms_ratio": _ratio(ours_rms, best_rms),
        "hindsight_ratio": _ratio(ours, hindsight),
        "coverage": round(float(inside.mean()), 3),
    }


def _ratio(ours: float, best: float) -> float | None:
    return round(ours / best, 3) if best > 0.0 else None


def print_arrivals(figures: dict[str, Any]) -> None:
    """A line for each class of lanes and window."""
    for name, by_class in figures.items():
        for key, row in by_class.items():
            if row is not None:
                told = " ".join(f"{what} {value}" for what, value in row.items())
                sys.stdout.write(f"{name:40s} {key:8s} {told}\n")
