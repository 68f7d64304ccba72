"""Demand from a detector log: counts of loops, shared out to groups by what the exits saw.

Each approach lane is counted where a loop is short (advance), else at its stop bar. Groups that share a lane get equal
parts unless exit loops tell them apart: the volumes that fit all counts best, none negative (least squares; Cremer and
Keller, "A new class of dynamic methods for the identification of origin-destination flows", 1987).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import nnls

from ..errors import InputError
from ..events import DETECTOR_ON
from ..model.site import ApproachLane, Detector, DetectorKind, GroupKind, Junction, Site
from .demand import Demand, spread_turns

__all__ = ["count_log"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
PERIOD_S = 900
EVEN_WEIGHT = 0.05
DAY_S = 86_400


def count_log(site: Site, events: pl.DataFrame, epoch_s: int = 0, period_s: int = PERIOD_S) -> Demand:
    """Vehicles of every group in periods of ``period_s`` of the log (the standard four columns).

    Time of day counts from midnight UTC of the first event's date, ``epoch_s`` s added; a last period that the log
    does not fill is left out where there is another. Raises InputError where no event is a vehicle on a loop of the
    site.
    """
    counts, first_s, length_s = _loop_counts(site, events, period_s)
    groups = {junction.id: _group_counts(junction, counts[junction.device_id]) for junction in site.junctions}
    return Demand((first_s + epoch_s) % DAY_S, length_s, groups, spread_turns(site, groups))


def _loop_counts(
    site: Site, events: pl.DataFrame, period_s: int
) -> tuple[dict[int, dict[int, F64]], int, int]:
    """(P,) actuations by device and channel, the start of the first period (s of the day) and their length."""
    known = [junction.device_id for junction in site.junctions]
    seen = events.filter((pl.col("event_id") == DETECTOR_ON) & pl.col("device_id").is_in(known))
    if seen.is_empty():
        raise InputError(
            f"log: expected detector events ({DETECTOR_ON}) of the devices of {site.name}, found none"
        )
    start, end = _bounds(events)
    periods = max(1, (end - start) // period_s)
    length_s = min(period_s, max(1, end - start))
    slot = (pl.col("timestamp").dt.epoch("s") - start) // length_s
    found: dict[int, dict[int, F64]] = {device: {} for device in known}
    table = seen.select("device_id", "parameter", slot=slot).filter(pl.col("slot") < periods)
    for device, channel, period, count in table.group_by("device_id", "parameter", "slot").len().iter_rows():
        found[device].setdefault(channel, np.zeros(periods))[period] += count
    return {d: _Zeroed(periods, channels) for d, channels in found.items()}, start % DAY_S, length_s


def _bounds(events: pl.DataFrame) -> tuple[int, int]:
    """First and last second of the log, the first down to a whole minute."""
    first, last = events["timestamp"].min(), events["timestamp"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return int(first.timestamp()) // 60 * 60, int(last.timestamp()) + 1


class _Zeroed(dict[int, F64]):
    """Counts by channel; a loop that saw nobody has zeros."""

    def __init__(self, periods: int, counts: Mapping[int, F64]) -> None:
        super().__init__(counts)
        self._periods = periods

    def __missing__(self, channel: int) -> F64:
        return np.zeros(self._periods)


def _group_counts(junction: Junction, counts: Mapping[int, F64]) -> F64:
    """(P, G) vehicles of each group."""
    volumes = [_lane_counts(junction, lane, counts) for lane in junction.lanes]
    periods = len(counts[0])
    found = np.zeros((periods, len(junction.groups)))
    shares = _lane_shares(junction, [float(v.sum()) for v in volumes], counts)
    for volume, share in zip(volumes, shares, strict=True):
        for group, part in share.items():
            found[:, group - 1] += part * volume
    return found


def _lane_counts(junction: Junction, lane: ApproachLane, counts: Mapping[int, F64]) -> F64:
    """(P,) vehicles of a lane."""
    stop = _loop(junction, DetectorKind.STOP_BAR, lane.id)
    advance = _loop(junction, DetectorKind.ADVANCE, lane.id)
    at_stop = counts[stop.channel if stop else 0]
    if advance is None:
        return at_stop
    beside = [_loop(junction, DetectorKind.STOP_BAR, other) for other in advance.lanes]
    total = sum((counts[loop.channel] for loop in beside if loop), np.zeros_like(at_stop))
    share = np.where(total > 0.0, at_stop / np.maximum(total, 1.0), 1.0 / len(advance.lanes))
    found: F64 = counts[advance.channel] * share
    return found


def _loop(junction: Junction, kind: DetectorKind, lane_id: str) -> Detector | None:
    return next((d for d in junction.detectors if d.kind is kind and lane_id in d.lanes), None)


def _lane_shares(
    junction: Junction, volumes: Sequence[float], counts: Mapping[int, F64]
) -> list[dict[int, float]]:
    """For each lane, the part of its vehicles that belongs to each of its groups."""
    unknown = [
        (row, number) for row, lane in enumerate(junction.lanes) for number in _vehicle_groups(junction, lane)
    ]
    rows, seen = _equations(junction, unknown, volumes, counts)
    even = np.array(
        [volumes[row] / len(_vehicle_groups(junction, junction.lanes[row])) for row, _ in unknown]
    )
    matrix = np.vstack([rows, EVEN_WEIGHT * np.eye(len(unknown))])
    solved, _ = nnls(matrix, np.concatenate([seen, EVEN_WEIGHT * even]))
    shares: list[dict[int, float]] = [{} for _ in junction.lanes]
    for (row, number), value in zip(unknown, solved, strict=True):
        shares[row][number] = float(value)
    return [_normed(share) for share in shares]


def _vehicle_groups(junction: Junction, lane: ApproachLane) -> list[int]:
    return [n for n in lane.groups if junction.groups[n - 1].kind is not GroupKind.PEDESTRIAN]


def _normed(share: dict[int, float]) -> dict[int, float]:
    total = sum(share.values())
    if total <= 0.0:
        return {number: 1.0 / len(share) for number in share}
    return {number: value / total for number, value in share.items()}


def _equations(
    junction: Junction,
    unknown: Sequence[tuple[int, int]],
    volumes: Sequence[float],
    counts: Mapping[int, F64],
) -> tuple[F64, F64]:
    """Lanes are the sum of their groups; so are exits that groups lead to."""
    rows: list[list[float]] = []
    seen: list[float] = []
    for lane, volume in enumerate(volumes):
        rows.append([float(row == lane) for row, _ in unknown])
        seen.append(volume)
    for groups, channels in _exits(junction):
        rows.append([float(number in groups) for _, number in unknown])
        seen.append(sum(float(counts[channel].sum()) for channel in channels))
    return np.array(rows).reshape(-1, len(unknown)), np.array(seen)


def _exits(junction: Junction) -> list[tuple[set[int], list[int]]]:
    """Exit loops joined where a group leads to several: their groups and channels."""
    joined: list[tuple[set[int], list[int]]] = []
    for loop in junction.detectors:
        if loop.kind is DetectorKind.EXIT:
            groups, channels = set(loop.groups), [loop.channel]
            rest = []
            for other_groups, other_channels in joined:
                if other_groups & groups:
                    groups |= other_groups
                    channels += other_channels
                else:
                    rest.append((other_groups, other_channels))
            joined = [*rest, (groups, channels)]
    return joined
