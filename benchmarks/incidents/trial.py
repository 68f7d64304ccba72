"""Every detector on the same days: trained, calibrated, scored; and the slices that say where nothing can be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median
from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.analytics.incidents import apid, arterial, california, double_exponential, profile, snd
from greensplit.engine.analytics.incidents.calibration import Threshold, calibrate
from greensplit.engine.analytics.incidents.scoring import (
    Alarm,
    Score,
    Truth,
    alarms_of,
    poisson_interval,
    score_alarms,
    wilson_interval,
)
from greensplit.engine.analytics.incidents.stations import pairs_of, station_series

from .recordings import BIN_S, DAY_S, Recording

__all__ = ["BUDGET_PER_H", "Arm", "arms", "tell", "tell_slices"]

BUDGET_PER_H = 1.0 / 24.0
STEP_S = 60.0
LEAST_S = 300.0
WITHIN_S = 180.0
QUARTER_BINS = 45
FLOWS_VEH_H = (0, 150, 300, 600, 1200, 10_000)
DISTANCES_M = (0, 50, 100, 200, 1000)

F64 = npt.NDArray[np.float64]
ScoreDay = Callable[[Recording], F64]


@dataclass(frozen=True, slots=True)
class Arm:
    """A detector with its threshold, its scores of the days that validate, and the incidents that count there."""

    name: str
    threshold: Threshold
    quiet: tuple[Score, ...]
    busy: tuple[Score, ...]
    alarms: tuple[tuple[Alarm, ...], ...]


def arms(train: Sequence[Recording], quiet: Sequence[Recording], busy: Sequence[Recording]) -> list[Arm]:
    """All detectors, each calibrated on the days of ``train`` alone."""
    lanes = train[0].lanes
    pairs = pairs_of(lanes)
    model = arterial.learn([day.series for day in train], lanes)
    daily = profile.Config(period=round(DAY_S / STEP_S))
    usual = profile.learn([_occupancy(day) for day in train], daily)
    by_lane, by_pair = [lane.device_id for lane in lanes], [pair.device_id for pair in pairs]

    def stations(score: Callable[..., F64]) -> ScoreDay:
        return lambda day: score(station_series(day.series, pairs, STEP_S))

    ways: list[tuple[str, Sequence[int], float, ScoreDay]] = [
        ("arterial", by_lane, BIN_S, lambda day: arterial.score(day.series, lanes, model)),
        ("profile", by_lane, STEP_S, lambda day: profile.score(_occupancy(day), usual, daily)),
        ("snd", by_lane, STEP_S, lambda day: snd.score(_occupancy(day))),
        ("double exponential", by_lane, STEP_S, lambda day: double_exponential.score(_occupancy(day))),
        ("california 7", by_pair, STEP_S, stations(california.score7)),
        ("california 8", by_pair, STEP_S, stations(california.score8)),
        ("apid", by_pair, STEP_S, stations(apid.score)),
    ]
    judged = {"arterial": arterial.held_out([day.series for day in train], lanes)}
    return [
        _arm(name, devices, bin_s, way, judged.get(name) or [way(day) for day in train], quiet, busy)
        for name, devices, bin_s, way in ways
    ]


def _occupancy(day: Recording) -> F64:
    """(steps, lanes) occupancy of the advance loops in percent; 0 where there is none."""
    size = round(STEP_S / BIN_S)
    values = np.nan_to_num(day.series.advance_occupancy, nan=0.0)
    whole = len(values) // size * size
    return np.asarray(100.0 * values[:whole].reshape(-1, size, values.shape[1]).mean(axis=1))


def _arm(
    name: str,
    devices: Sequence[int],
    bin_s: float,
    way: ScoreDay,
    normal: Sequence[F64],
    quiet: Sequence[Recording],
    busy: Sequence[Recording],
) -> Arm:
    threshold = calibrate(normal, devices, bin_s, BUDGET_PER_H)

    def alarms(day: Recording) -> tuple[Alarm, ...]:
        score = way(day)
        ends_s = np.arange(1, len(score) + 1, dtype=np.float64) * bin_s
        return tuple(alarms_of(score > threshold.value, ends_s, devices))

    found = tuple(alarms(day) for day in busy)
    return Arm(
        name,
        threshold,
        tuple(score_alarms(alarms(day), [], day.series.hours) for day in quiet),
        tuple(
            score_alarms(told, truths_of(day), day.series.hours)
            for told, day in zip(found, busy, strict=True)
        ),
        found,
    )


def truths_of(day: Recording) -> list[Truth]:
    """The incidents of a day; those that SUMO let stand too short, for scoring, are no less in the way."""
    return [
        Truth(
            row["start_s"],
            row["end_s"],
            frozenset(d for d in (row["device_id"], row["upstream_device_id"]) if d is not None),
        )
        for row in day.truth
    ]


def tell(arm: Arm) -> dict[str, Any]:
    """Detection and false alarms of one detector, with intervals."""
    delays = [delay for score in arm.busy for delay in score.delays_s]
    hours = sum(score.hours for score in arm.quiet)
    false = sum(len(score.false_alarms) for score in arm.quiet)
    days = hours / 24.0
    return {
        **_detection(delays),
        "false_alarms": false,
        "network_days": round(days, 2),
        "false_per_day": round(false / days, 2) if days else None,
        "false_per_day_95": _rounded(poisson_interval(false, days)) if days else None,
        "false_beside_incidents": sum(len(score.false_alarms) for score in arm.busy),
        "threshold": round(arm.threshold.value, 3),
        "calibration_hours": round(arm.threshold.hours, 1),
        "largest_in_calibration": round(arm.threshold.largest, 3),
    }


def tell_slices(arm: Arm, busy: Sequence[Recording]) -> dict[str, list[dict[str, Any]]]:
    """Detection by flow of the approach, by distance from the stop line and by number of lanes there."""
    rows = [
        (row, _flow_veh_h(day, row), delay)
        for score, day in zip(arm.busy, busy, strict=True)
        for row, delay in zip(day.truth, score.delays_s, strict=True)
    ]
    return {
        "flow_veh_h": _sliced([(flow, delay) for _, flow, delay in rows], FLOWS_VEH_H),
        "distance_m": _sliced([(row["distance_m"], delay) for row, _, delay in rows], DISTANCES_M),
        "lanes": _sliced([(row["lanes"], delay) for row, _, delay in rows], (1, 2, 3, 4)),
    }


def _flow_veh_h(day: Recording, row: dict[str, Any]) -> float:
    """Vehicles an hour over the approach's stop bars in the quarter of an hour before."""
    lanes = [
        i
        for i, lane in enumerate(day.lanes)
        if (lane.device_id, lane.approach) == (row["device_id"], row["approach"])
    ]
    last = max(int(row["start_s"] // BIN_S), 1)
    first = max(last - QUARTER_BINS, 0)
    count = day.series.stop_count[first:last, lanes].sum()
    return float(count) * 3600.0 / ((last - first) * BIN_S)


def _sliced(values: Iterable[tuple[float, float | None]], bounds: Sequence[float]) -> list[dict[str, Any]]:
    values = list(values)
    found = []
    for low, high in pairwise(bounds):
        delays = [delay for value, delay in values if low <= value < high]
        if delays:
            found.append({"from": low, "to": high, **_detection(delays)})
    return found


def _detection(delays: Sequence[float | None]) -> dict[str, Any]:
    known = [delay for delay in delays if delay is not None]
    soon = sum(delay <= WITHIN_S for delay in known)
    return {
        "incidents": len(delays),
        "detected": len(known),
        "detection_rate": round(len(known) / len(delays), 3) if delays else None,
        "detection_rate_95": _rounded(wilson_interval(len(known), len(delays))),
        "within_3_min": soon,
        "mean_s": round(mean(known), 1) if known else None,
        "median_s": round(median(known), 1) if known else None,
    }


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(bound, 3) for bound in interval]
