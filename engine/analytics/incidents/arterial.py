"""Incidents on signalled arterials from stop-bar and advance loops, lane by lane, and the green of the log.

A blocked lane shows in one of these ways, each a statistic of its own:

- ``starved_*``, ``thinned_*``: a lane gets next to nothing, or clearly less than its share, while its siblings, which
  are green with it and serve the same approach, go on; over advance loops, and over stop bars. Its share depends on
  how much traffic there is: in a thin stream everybody keeps to one lane;
- ``missing``: arrivals of an approach fall behind what the lanes upstream let go, a travel time ago, or behind the
  approach's own last half hour where nothing upstream is known;
- ``standing_*``: a loop stays occupied through green after green: the queue stands, and what goes over the stop bar
is
  below capacity.

All but the last are cumulative sums of Poisson log-likelihood ratios (Page 1954, Biometrika 41; for counts Lucas
1985, Technometrics 27): expected count lambda against ``left`` times lambda, S = max(0, S + (k ln left + (1 - left)
lambda) / D) with D the dispersion learned. Input-output balance and lane imbalance as evidence on arterials:
Thancanamootoo and Bell 1988 (University of Newcastle), Ivan 1997 (Transportation Research C 5). What is normal
differs from lane to lane: turns yield, buses stop. So each statistic is told in units of its own largest values in
days without incidents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from .series import LanePlace, LaneSeries

__all__ = ["STATISTICS", "ArterialModel", "Config", "held_out", "learn", "score", "statistics"]

STATISTICS = (
    "starved_advance",
    "thinned_advance",
    "starved_stop",
    "thinned_stop",
    "missing",
    "standing_stop",
    "standing_advance",
)
SUMS = 5
STANDING = slice(SUMS, None)
QUARTER_S = 900.0
DISPERSION_S = 180.0

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Config:
    """``starved``, ``thinned``, ``missing``: share of the expected traffic that a sum takes for what an incident
    leaves.

    ``memory_s`` is the time constant of an approach's own level, ``level_s`` the time over which its traffic is
    told for the shares of lanes, in ``levels`` classes. ``most_ratio`` bounds a sum, in units of its scale, so that
    it comes back soon after an incident. ``peaks`` is how many of the largest episodes make a scale, ``apart_s``
    how far they lie apart. With fewer expected vehicles a day than ``least_expected_veh`` nothing is judged by
    counts; no scale is below ``least_sum`` or ``least_standing_s`` of green.
    """

    starved: float = 0.1
    thinned: float = 0.5
    missing: float = 0.02
    memory_s: float = 1800.0
    level_s: float = 600.0
    levels: int = 8
    most_ratio: float = 3.0
    peaks: int = 5
    apart_s: float = 900.0
    least_expected_veh: float = 50.0
    least_sum: float = 6.0
    least_standing_s: float = 20.0

    @property
    def left(self) -> tuple[float, ...]:
        """What the sums assume, in the order of ``STATISTICS``."""
        return self.starved, self.thinned, self.starved, self.thinned, self.missing


class Shares(NamedTuple):
    """Vehicles in a lane per vehicle on its siblings, by the traffic of all of them: (levels, lanes), both nan
    without.

    ``level`` are vehicles a bin.
    """

    level: F64
    ratio: F64


class ArterialModel(NamedTuple):
    """What is normal at a site; ``scale`` is (statistics, lanes), ``dispersion`` (3, lanes): advance, stop, missing.

    ``weights[i]`` are vehicles that come to the approach of lane i per vehicle that leaves each of its feeders.
    """

    advance: Shares
    stop: Shares
    weights: tuple[F64, ...]
    dispersion: F64
    scale: F64


def learn(
    days: Sequence[LaneSeries], lanes: Sequence[LanePlace], config: Config | None = None
) -> ArterialModel:
    """The model of a site from series without incidents."""
    config = config or Config()
    approaches = _approaches(lanes)
    model = ArterialModel(
        advance=_shares([day.advance_count for day in days], days[0].bin_s, lanes, config),
        stop=_shares([day.stop_count for day in days], days[0].bin_s, lanes, config),
        weights=_turning(days, lanes, approaches),
        dispersion=np.ones((3, len(lanes))),
        scale=np.full((len(STATISTICS), len(lanes)), np.inf),
    )
    expected = [_expectations(day, lanes, model, config) for day in days]
    model = model._replace(dispersion=_dispersions(expected, days[0].bin_s))
    raw = [_raw(pairs, day, model, config) for pairs, day in zip(expected, days, strict=True)]
    return model._replace(scale=_scales(raw, expected, days, config))


def score(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config | None = None
) -> F64:
    """(bins, lanes): the largest of the statistics, each in units of its scale."""
    return np.asarray(statistics(series, lanes, model, config).max(axis=0))


def held_out(
    days: Sequence[LaneSeries], lanes: Sequence[LanePlace], config: Config | None = None
) -> list[F64]:
    """``score`` of every day by a model of the others, so that no day is judged by its own largest values.

    A single day is judged by itself: there is nothing else.
    """
    if len(days) == 1:
        return [score(days[0], lanes, learn(days, lanes, config), config)]
    others = [[day for j, day in enumerate(days) if j != i] for i in range(len(days))]
    return [
        score(day, lanes, learn(rest, lanes, config), config) for day, rest in zip(days, others, strict=True)
    ]


def statistics(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config | None = None
) -> F64:
    """(statistics, bins, lanes) in the order of ``STATISTICS``, each in units of its scale; 0 where unknown."""
    config = config or Config()
    raw = _raw(_expectations(series, lanes, model, config), series, model, config)
    return np.nan_to_num(np.stack(raw) / model.scale[:, None, :], nan=0.0, posinf=0.0)


Pair = tuple[F64, F64]
"""Expected and counted vehicles, (bins, lanes); nan where a lane cannot be judged."""


def _approaches(lanes: Sequence[LanePlace]) -> list[list[int]]:
    """For every lane, all lanes of its approach."""
    keys = [(lane.device_id, lane.approach) for lane in lanes]
    return [[j for j, key in enumerate(keys) if key == own] for own in keys]


def _expectations(
    series: LaneSeries, lanes: Sequence[LanePlace], model: ArterialModel, config: Config
) -> tuple[Pair, Pair, Pair]:
    """By siblings at the advance loops and at the stop bars, and by what should come to the approach."""
    arrivals = _arrivals(series)
    of_approach = np.stack([arrivals[:, one].sum(axis=1) for one in _approaches(lanes)], axis=1)
    coming = [
        _released(series, _feeders(lanes, one)) @ weights
        if len(weights)
        else _level(of_approach[:, i], series.bin_s, config)
        for i, (one, weights) in enumerate(zip(_approaches(lanes), model.weights, strict=True))
    ]
    return (
        (
            _by_siblings(series.advance_count, series.bin_s, lanes, model.advance, config),
            series.advance_count,
        ),
        (_by_siblings(series.stop_count, series.bin_s, lanes, model.stop, config), series.stop_count),
        (np.stack(coming, axis=1), of_approach),
    )


def _arrivals(series: LaneSeries) -> F64:
    """Vehicles over the advance loop; over the stop bar where there is none."""
    return np.where(np.isnan(series.advance_count), series.stop_count, series.advance_count)


def _by_siblings(count: F64, bin_s: float, lanes: Sequence[LanePlace], shares: Shares, config: Config) -> F64:
    found = np.full(count.shape, np.nan)
    for i, lane in enumerate(lanes):
        if lane.siblings and np.isfinite(shares.ratio[:, i]).all():
            others = count[:, list(lane.siblings)].sum(axis=1)
            level = _recent(others + count[:, i], bin_s, config)
            expected = others * np.interp(level, shares.level[:, i], shares.ratio[:, i])
            found[:, i] = np.where(level < shares.level[0, i], np.nan, expected)
    return found


def _recent(count: F64, bin_s: float, config: Config) -> F64:
    """Mean of the last ``level_s``, this bin included; nan counts as nothing."""
    size = max(round(config.level_s / bin_s), 1)
    total = np.cumsum(np.nan_to_num(count, nan=0.0))
    return np.asarray((total - _later(total, size)) / np.minimum(np.arange(1, len(count) + 1), size))


def _shares(counts: Sequence[F64], bin_s: float, lanes: Sequence[LanePlace], config: Config) -> Shares:
    """Classes of equal traffic; a lane without siblings, or whose siblings are never used, has none."""
    level = np.full((config.levels, len(lanes)), np.nan)
    ratio = np.full((config.levels, len(lanes)), np.nan)
    for i, lane in enumerate(lanes):
        if not lane.siblings:
            continue
        own = np.concatenate([count[:, i] for count in counts])
        others = np.concatenate([count[:, list(lane.siblings)].sum(axis=1) for count in counts])
        recent = np.concatenate(
            [_recent(count[:, [i, *lane.siblings]].sum(axis=1), bin_s, config) for count in counts]
        )
        order = np.argsort(recent, kind="stable")
        whole = np.cumsum((own + others)[order])
        ends = np.searchsorted(whole, whole[-1] * np.arange(1, config.levels) / config.levels)
        classes = np.split(order, ends)
        if all(others[one].sum() > 0.0 for one in classes):
            level[:, i] = [recent[one].mean() for one in classes]
            ratio[:, i] = [own[one].sum() / others[one].sum() for one in classes]
    return Shares(level, ratio)


def _feeders(lanes: Sequence[LanePlace], approach: Sequence[int]) -> list[tuple[int, float]]:
    """Lanes that feed an approach, each once, with the shortest travel time."""
    found: dict[int, float] = {}
    for i in approach:
        for feeder, travel_s in lanes[i].feeders:
            found[feeder] = min(travel_s, found.get(feeder, np.inf))
    return sorted(found.items())


def _turning(
    days: Sequence[LaneSeries], lanes: Sequence[LanePlace], approaches: Sequence[Sequence[int]]
) -> tuple[F64, ...]:
    """Non-negative least squares of arrivals on what the feeders let go, in quarters of an hour."""
    known: dict[tuple[int, ...], F64] = {}
    for approach in map(tuple, approaches):
        if approach not in known:
            known[approach] = _turning_of(days, _feeders(lanes, approach), approach)
    return tuple(known[tuple(approach)] for approach in approaches)


def _turning_of(
    days: Sequence[LaneSeries], feeders: Sequence[tuple[int, float]], approach: Sequence[int]
) -> F64:
    if not feeders:
        return np.empty(0)
    step = round(QUARTER_S / days[0].bin_s)
    left = np.concatenate([_in_steps(_released(day, feeders), step) for day in days])
    came = np.concatenate([_in_steps(_arrivals(day)[:, list(approach)], step).sum(axis=1) for day in days])
    if not (np.isfinite(left).all() and np.isfinite(came).all()):
        return np.empty(0)
    return np.asarray(nnls(left, came)[0])


def _in_steps(values: F64, step: int) -> F64:
    whole = len(values) // step * step
    return np.asarray(values[:whole].reshape(-1, step, values.shape[1]).sum(axis=1))


def _released(series: LaneSeries, feeders: Sequence[tuple[int, float]]) -> F64:
    """(bins, feeders): what each feeder let go a travel time ago; a part of a bin is split between two."""
    columns = []
    for feeder, travel_s in feeders:
        whole, part = divmod(travel_s / series.bin_s, 1.0)
        count = series.stop_count[:, feeder]
        columns.append((1.0 - part) * _later(count, int(whole)) + part * _later(count, int(whole) + 1))
    return np.stack(columns, axis=1)


def _later(values: F64, bins: int) -> F64:
    return np.concatenate((np.zeros(min(bins, len(values))), values[: max(len(values) - bins, 0)]))


def _level(count: F64, bin_s: float, config: Config) -> F64:
    """Exponentially weighted mean of the bins before."""
    share = bin_s / config.memory_s
    level = float(np.nan_to_num(count[: max(int(config.memory_s / bin_s), 1)], nan=0.0).mean())
    found = np.empty(len(count))
    for b, k in enumerate(np.nan_to_num(count, nan=0.0).tolist()):
        found[b] = level
        level += share * (k - level)
    return np.where(np.isnan(count), np.nan, found)


def _totals(expected: Sequence[tuple[Pair, Pair, Pair]]) -> list[Pair]:
    """The pairs of all days, one after the other."""
    return [
        (np.concatenate([day[s][0] for day in expected]), np.concatenate([day[s][1] for day in expected]))
        for s in range(3)
    ]


def _dispersions(expected: Sequence[tuple[Pair, Pair, Pair]], bin_s: float) -> F64:
    """(3, lanes) variance of a count about its expectation, over the expectation; at least 1.

    Counts are those of DISPERSION_S, about the time in which something should be found.
    """
    step = max(round(DISPERSION_S / bin_s), 1)
    found = []
    for want, got in _totals(expected):
        w, g = _in_steps(want, step), _in_steps(got, step)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.nansum((g - w) ** 2, axis=0) / np.nansum(w, axis=0))
    return np.asarray(np.maximum(np.nan_to_num(np.array(found), nan=1.0, posinf=1.0), 1.0))


def _raw(
    expected: tuple[Pair, Pair, Pair], series: LaneSeries, model: ArterialModel, config: Config
) -> tuple[F64, ...]:
    """Statistics in their own units, in the order of ``STATISTICS``."""
    sums = [
        _shortfall(
            *expected[source], model.dispersion[source], config.most_ratio * model.scale[s], config.left[s]
        )
        for s, source in enumerate((0, 0, 1, 1, 2))
    ]
    return (*sums, series.stop_standing_s, series.advance_standing_s)


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
    least = np.array(
        [[float(np.median(row[row > 0.0])) / 2.0 if (row > 0.0).any() else 1.0] for row in scale]
    )
    least[:SUMS] = np.maximum(least[:SUMS], config.least_sum)
    least[STANDING] = np.maximum(least[STANDING], config.least_standing_s)
    scale = np.maximum(scale, least)
    wanted = [np.nansum(want, axis=0) for want, _ in _totals(expected)]
    for s, source in enumerate((0, 0, 1, 1, 2)):
        scale[s, wanted[source] < config.least_expected_veh * len(days)] = np.inf
    return np.asarray(scale)


def _mean_of_peaks(values: Sequence[F64], peaks: int, apart: int) -> float:
    """Mean of the ``peaks`` largest values that lie ``apart`` bins from each other; 0 for a lane without loop."""
    left = np.nan_to_num(np.concatenate(values), nan=0.0)
    found = []
    for _ in range(peaks):
        at = int(np.argmax(left))
        found.append(float(left[at]))
        left[max(at - apart, 0) : at + apart + 1] = 0.0
    return float(np.mean(found))
