"""Pairs of loop stations, one upstream of the other, as the classic freeway algorithms want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .series import LanePlace, LaneSeries

__all__ = ["StationPair", "StationSeries", "fall", "over_time", "pairs_of", "relative", "station_series"]

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StationPair:
    """Advance loops of two approaches in succession, positions of lanes; ``device_id`` is the junction downstream."""

    device_id: int
    upstream: tuple[int, ...]
    downstream: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StationSeries:
    """(steps, pairs): occupancy in percent up and downstream, count upstream (vehicles a step), all lanes' mean or
    sum."""

    step_s: float
    up_pct: F64
    down_pct: F64
    up_count: F64

    def up_speed(self) -> F64:
        """Vehicles per second of occupancy upstream: speed but for a constant length, which cancels in a ratio."""
        occupied_s = np.maximum(self.up_pct / 100.0 * self.step_s, 1e-9)
        return np.where(self.up_count > 0.0, self.up_count / occupied_s, np.nan)


def pairs_of(lanes: Sequence[LanePlace]) -> list[StationPair]:
    """Approaches whose lanes feed each other; both need advance loops."""
    stations: dict[tuple[int, str], list[int]] = {}
    for i, lane in enumerate(lanes):
        if lane.advance_channel >= 0:
            stations.setdefault((lane.device_id, lane.approach), []).append(i)
    links: dict[tuple[tuple[int, str], tuple[int, str]], None] = {}
    for lane in lanes:
        for feeder, _ in lane.feeders:
            above = lanes[feeder].device_id, lanes[feeder].approach
            links[above, (lane.device_id, lane.approach)] = None
    return [
        StationPair(down[0], tuple(stations[up]), tuple(stations[down]))
        for up, down in links
        if up in stations and down in stations
    ]


def station_series(series: LaneSeries, pairs: Sequence[StationPair], step_s: float = 60.0) -> StationSeries:
    """Lane bins as pairs of stations, in steps of whole bins; an odd rest is left out."""
    size = max(round(step_s / series.bin_s), 1)
    up_pct = _steps([series.advance_occupancy[:, list(p.upstream)].mean(axis=1) for p in pairs], size) / size
    down_pct = (
        _steps([series.advance_occupancy[:, list(p.downstream)].mean(axis=1) for p in pairs], size) / size
    )
    count = _steps([series.advance_count[:, list(p.upstream)].sum(axis=1) for p in pairs], size)
    return StationSeries(size * series.bin_s, 100.0 * up_pct, 100.0 * down_pct, count)


def _steps(columns: Sequence[F64], size: int) -> F64:
    values = np.stack(columns, axis=1)
    whole = len(values) // size * size
    return np.asarray(values[:whole].reshape(-1, size, values.shape[1]).sum(axis=1))


def relative(difference: F64, base: F64) -> F64:
    """``difference / base``; 0 where the base is 0."""
    return np.where(base > 0.0, difference / np.where(base > 0.0, base, 1.0), 0.0)


def fall(values: F64, steps: int) -> F64:
    """Relative fall against ``steps`` before: (x(t - steps) - x(t)) / x(t - steps); 0 where that is not known."""
    before = np.concatenate((np.zeros((min(steps, len(values)), values.shape[1])), values[:-steps]))[
        : len(values)
    ]
    before = np.nan_to_num(before, nan=0.0)
    found = relative(before - np.nan_to_num(values, nan=0.0), before)
    return np.where(np.isnan(values), 0.0, found)


def over_time(entering: F64, going_on: npt.NDArray[np.bool_]) -> F64:
    """The largest entry so far of an incident that goes on: what its threshold may be for it still to be reported.

    ``entering`` (steps, places) is how far the entry test was passed, 0 where it was not.
    """
    held = np.zeros(entering.shape[1])
    found = np.empty_like(entering)
    for t in range(len(entering)):
        held = np.where(going_on[t], np.maximum(held, entering[t]), 0.0)
        found[t] = held
    return found
