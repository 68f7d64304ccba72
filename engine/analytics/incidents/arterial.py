"""Incidents on signalled arterials from stop-bar and advance loops, lane by lane, and the green of the log.

A blocked lane shows in one of five ways, each a statistic of its own:

- ``starved_advance``, ``starved_stop``: a lane gets less than its share while its siblings, which are green with it and
  serve the same approach, go on; over advance loops, and over stop bars;
- ``missing``: arrivals fall behind what the lanes upstream let go, a travel time ago, or behind the lane's own last half
  hour where nothing upstream is known;
- ``standing_stop``, ``standing_advance``: a loop stays occupied through green after green: the queue stands, and what
  goes over the stop bar is below capacity.

The first three are cumulative sums of Poisson log-likelihood ratios (Page 1954, Biometrika 41; for counts Lucas 1985,
Technometrics 27): expected count lambda against ``left`` times lambda, S = max(0, S + (k ln left + (1 - left) lambda) / D)
with D the dispersion learned. Input-output balance and lane imbalance as evidence on arterials: Thancanamootoo and Bell
1988 (University of Newcastle), Ivan 1997 (Transportation Research C 5). What is normal differs from lane to lane: turns
yield, buses stop. So each statistic is told in units of its own largest values in days without incidents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from .series import LanePlace, LaneSeries

__all__ = ["STATISTICS", "ArterialModel", "Config", "learn", "score", "statistics"]

STATISTICS = ("starved_advance", "starved_stop", "missing", "standing_stop", "standing_advance")

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """``left``: share of its traffic that a blocked lane still carries, as the sums assume it.

    ``memory_s`` is the time constant of a lane's own level, ``most_ratio`` bounds a sum, in units of its scale, so that
    it comes back soon after an incident. ``peaks`` is how many of the largest episodes make a scale, ``apart_s`` how far
    they lie apart. ``least_expected_veh``: a lane with fewer expected vehicles a day is not judged by counts.
    """

    left: float = 0.25
    memory_s: float = 1800.0
    most_ratio: float = 3.0
    peaks: int = 5
    apart_s: float = 900.0
    least_expected_veh: float = 50.0
    least_standing_s: float = 15.0


class ArterialModel(NamedTuple):
    """What is normal at a site. Arrays per lane, (lanes,), or (statistics, lanes) for ``scale``.

    ``weights[i]`` are vehicles that arrive in lane i per vehicle that leaves each of its feeders.
    """

    ratio_advance: F64
    ratio_stop: F64
    weights: tuple[F64, ...]
    dispersion: F64
    scale: F64


def learn(days: Sequence[LaneSeries], lanes: Sequence[LanePlace], config: Config | None = None) -> ArterialModel:
    """The model of a site from series without incidents."""
    config = config or Config()
    count = len(lanes)
    model = ArterialModel(
        ratio_advance=_ratios([day.advance_count for day in days], lanes),
        ratio_stop=_ratios([day.stop_count for day in days], lanes),
        weights=tuple(_turning(days, lane, i) for i, lane in enumerate(lanes)),
        dispersion=np.ones((3, count)),
        scale=np.full((len(STATISTICS), count), np.inf),
    )
    expected = [_expectations(day, lanes, model, config) for day in days]
    model = model._replace(dispersion=_dispersions(expected))
    raw = [_raw(pairs, day, model, config) for pairs, day in zip(expected, days, strict=True)]
    return model._replace(scale=_scales(raw, expected, days, config))


def score(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config | None = None
) -> F64:
    """(bins, lanes): the largest of the statistics, each in units of its scale."""
    return statistics(series, lanes, model, config).max(axis=0)


def statistics(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config | None = None
) -> F64:
    """(statistics, bins, lanes) in the order of ``STATISTICS``, each in units of its scale; 0 where unknown."""
    config = config or Config()
    raw = _raw(_expectations(series, lanes, model, config), series, model, config)
    return np.nan_to_num(np.stack(raw) / model.scale[:, None, :], nan=0.0, posinf=0.0)


Pair = tuple[F64, F64]
"""Expected and counted vehicles, (bins, lanes); nan where a lane cannot be judged."""


def _expectations(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config
) -> tuple[Pair, Pair, Pair]:
    """Of the three sums: by siblings at the advance loops and at the stop bars, and by what should arrive."""
    advance = np.stack([_of_siblings(series.advance_count, lane) for lane in lanes], axis=1)
    stop = np.stack([_of_siblings(series.stop_count, lane) for lane in lanes], axis=1)
    arrivals = _arrivals(series)
    missing = np.stack(
        [_expected_arrivals(series, arrivals, lane, i, model, config) for i, lane in enumerate(lanes)], axis=1
    )
    return (
        (advance * model.ratio_advance, series.advance_count),
        (stop * model.ratio_stop, series.stop_count),
        (missing, arrivals),
    )


def _arrivals(series: LaneSeries) -> F64:
    """Vehicles over the advance loop; over the stop bar where there is none."""
    return np.where(np.isnan(series.advance_count), series.stop_count, series.advance_count)


def _of_siblings(count: F64, lane: LanePlace) -> F64:
    if not lane.siblings:
        return np.full(len(count), np.nan)
    return np.asarray(count[:, list(lane.siblings)].sum(axis=1))


def _ratios(counts: Sequence[F64], lanes: Sequence[LanePlace]) -> F64:
    """Vehicles in a lane per vehicle on its siblings; nan without siblings or traffic."""
    found = np.full(len(lanes), np.nan)
    for i, lane in enumerate(lanes):
        others = sum(float(np.nansum(_of_siblings(count, lane))) for count in counts)
        if lane.siblings and others > 0.0:
            found[i] = sum(float(np.nansum(count[:, i])) for count in counts) / others
    return found


def _turning(days: Sequence[LaneSeries], lane: LanePlace, i: int) -> F64:
    """Non-negative least squares of arrivals on what the feeders let go, in quarters of an hour."""
    if not lane.feeders:
        return np.empty(0)
    left = np.concatenate([_quarters(_released(day, lane), day) for day in days])
    came = np.concatenate([_quarters(_arrivals(day)[:, [i]], day) for day in days])[:, 0]
    if not (np.isfinite(left).all() and np.isfinite(came).all()):
        return np.empty(0)
    return np.asarray(nnls(left, came)[0])


def _quarters(values: F64, series: LaneSeries) -> F64:
    step = max(int(900.0 / series.bin_s), 1)
    whole = len(values) // step * step
    return np.asarray(values[:whole].reshape(-1, step, values.shape[1]).sum(axis=1))


def _released(series: LaneSeries, lane: LanePlace) -> F64:
    """(bins, feeders): what each feeder let go a travel time ago, spread over the bins about it."""
    columns = []
    for feeder, travel_s in lane.feeders:
        whole, part = divmod(travel_s / series.bin_s, 1.0)
        count = series.stop_count[:, feeder]
        early, late = _later(count, int(whole)), _later(count, int(whole) + 1)
        columns.append((1.0 - part) * early + part * late)
    return np.stack(columns, axis=1)


def _later(values: F64, bins: int) -> F64:
    return np.concatenate((np.zeros(min(bins, len(values))), values[: max(len(values) - bins, 0)]))


def _expected_arrivals(
    series: LaneSeries, arrivals: F64, lane: LanePlace, i: int, model: ArterialModel, config: Config
) -> F64:
    if len(model.weights[i]):
        return np.asarray(_released(series, lane) @ model.weights[i])
    return _level(arrivals[:, i], series.bin_s, config)


def _level(count: F64, bin_s: float, config: Config) -> F64:
    """Exponentially weighted mean of the bins before."""
    share = bin_s / config.memory_s
    level = float(np.nanmean(count[: max(int(config.memory_s / bin_s), 1)])) if np.isfinite(count).any() else 0.0
    found = np.empty(len(count))
    for b, k in enumerate(count.tolist()):
        found[b] = level
        level += share * (k - level)
    return found


def _totals(expected: Sequence[tuple[Pair, Pair, Pair]]) -> list[Pair]:
    """The pairs of all days, one after the other."""
    return [
        (np.concatenate([day[s][0] for day in expected]), np.concatenate([day[s][1] for day in expected]))
        for s in range(3)
    ]


def _dispersions(expected: Sequence[tuple[Pair, Pair, Pair]]) -> F64:
    """(3, lanes) variance of a quarter's count about its expectation, over the expectation; at least 1."""
    found = []
    for want, got in _totals(expected):
        step = 45
        whole = len(want) // step * step
        w = want[:whole].reshape(-1, step, want.shape[1]).sum(axis=1)
        g = got[:whole].reshape(-1, step, want.shape[1]).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.nansum((g - w) ** 2, axis=0) / np.nansum(w, axis=0))
    return np.maximum(np.nan_to_num(np.array(found), nan=1.0, posinf=1.0), 1.0)


def _raw(
    expected: tuple[Pair, Pair, Pair], series: LaneSeries, model: ArterialModel, config: Config
) -> tuple[F64, F64, F64, F64, F64]:
    sums = [
        _shortfall(want, got, model.dispersion[s], config.most_ratio * model.scale[s], config.left)
        for s, (want, got) in enumerate(expected)
    ]
    return sums[0], sums[1], sums[2], series.stop_standing_s, series.advance_standing_s


def _shortfall(expected: F64, counted: F64, dispersion: F64, most: F64, left: float) -> F64:
    """Page's sum of Poisson log-likelihood ratios for a fall to ``left`` times the expected count."""
    gain = np.nan_to_num((counted * np.log(left) + (1.0 - left) * expected) / dispersion, nan=0.0)
    total = np.zeros(expected.shape[1])
    found = np.empty(expected.shape)
    for b in range(len(expected)):
        total = np.clip(total + gain[b], 0.0, most)
        found[b] = total
    return found


def _scales(
    raw: Sequence[tuple[F64, ...]],
    expected: Sequence[tuple[Pair, Pair, Pair]],
    days: Sequence[LaneSeries],
    config: Config,
) -> F64:
    """(statistics, lanes): the mean of the largest episodes, at least half of what is usual at the site."""
    apart = max(int(config.apart_s / days[0].bin_s), 1)
    lanes = raw[0][0].shape[1]
    scale = np.array(
        [
            [_mean_of_peaks([day[s][:, i] for day in raw], config.peaks, apart) for i in range(lanes)]
            for s in range(len(STATISTICS))
        ]
    )
    least = np.median(scale, axis=1, keepdims=True) / 2.0
    least[3:] = np.maximum(least[3:], config.least_standing_s)
    scale = np.maximum(scale, np.maximum(least, 1e-9))
    for s, (want, _) in enumerate(_totals(expected)):
        scale[s, np.nansum(want, axis=0) < config.least_expected_veh * len(days)] = np.inf
    return scale


def _mean_of_peaks(values: Sequence[F64], peaks: int, apart: int) -> float:
    """Mean of the ``peaks`` largest values that lie ``apart`` bins from each other; 0 for a lane without loop."""
    left = np.nan_to_num(np.concatenate(values), nan=0.0)
    found = []
    for _ in range(peaks):
        at = int(np.argmax(left))
        found.append(float(left[at]))
        left[max(at - apart, 0) : at + apart + 1] = 0.0
    return float(np.mean(found))
