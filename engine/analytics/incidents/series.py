"""Bins of an event log, lane by lane: counts, occupancy, green, and green time through which a loop stayed
occupied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from ...events import BEGIN_GREEN, BEGIN_YELLOW, DETECTOR_OFF, DETECTOR_ON
from ...model.site import DetectorKind, Junction, Site

__all__ = ["NO_LOOP", "LanePlace", "LaneSeries", "lane_series", "lanes_of", "part_of"]

NO_LOOP = -1

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LanePlace:
    """An approach lane as analytics see it; channels are ``NO_LOOP`` where a loop is missing.

    ``siblings`` are other lanes, positions in the same list, that share a signal group: drivers may choose.
    ``feeders`` are lanes at the junctions upstream whose traffic arrives here after ``travel_s`` at free flow.
    """

    device_id: int
    junction: str
    approach: str
    lane: str
    groups: tuple[int, ...]
    stop_channel: int
    advance_channel: int
    siblings: tuple[int, ...] = ()
    feeders: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class LaneSeries:
    """Bins of equal length; all arrays are (bins, lanes).

    Counts are vehicles that came onto a loop, occupancies shares 0 to 1. ``*_standing_s`` is the longest green,
    seconds, through which the loop was occupied without a break up to some time in the bin: seconds of red do not
    count. Nan where a lane has no such loop.
    """

    start_s: float
    bin_s: float
    stop_count: F64
    advance_count: F64
    stop_occupancy: F64
    advance_occupancy: F64
    green_s: F64
    stop_standing_s: F64
    advance_standing_s: F64

    @property
    def bins(self) -> int:
        """Number of bins."""
        return int(self.stop_count.shape[0])

    @property
    def hours(self) -> float:
        """Time covered."""
        return self.bins * self.bin_s / 3600.0

    def ends_s(self) -> F64:
        """End of every bin, seconds since the start of the log."""
        return np.asarray(self.start_s + self.bin_s * np.arange(1, self.bins + 1), np.float64)


def part_of(series: LaneSeries, first: int, last: int) -> LaneSeries:
    """The bins from ``first`` to before ``last``."""
    names = [name for name in LaneSeries.__slots__ if name not in ("start_s", "bin_s")]
    cut = {name: getattr(series, name)[first:last] for name in names}
    return replace(series, start_s=series.start_s + first * series.bin_s, **cut)


def lanes_of(site: Site) -> list[LanePlace]:
    """The approach lanes of a site in its order, with their loops, siblings and feeders."""
    lanes = [lane for junction in site.junctions for lane in _lanes_at(junction)]
    position = {(lane.junction, lane.lane): i for i, lane in enumerate(lanes)}
    fed: dict[int, dict[int, float]] = {}
    for link in site.links:
        to = position.get((link.to_junction, link.to_lane))
        if to is None:
            continue
        for i, lane in enumerate(lanes):
            if lane.junction == link.from_junction and link.from_group in lane.groups:
                fed.setdefault(to, {})[i] = link.travel_ms / 1000.0
    return [
        replace(lane, siblings=_siblings(lanes, i), feeders=tuple(sorted(fed.get(i, {}).items())))
        for i, lane in enumerate(lanes)
    ]


def _lanes_at(junction: Junction) -> list[LanePlace]:
    return [
        LanePlace(
            device_id=junction.device_id,
            junction=junction.id,
            approach=lane.approach,
            lane=lane.id,
            groups=lane.groups,
            stop_channel=_channel(junction, lane.id, DetectorKind.STOP_BAR),
            advance_channel=_channel(junction, lane.id, DetectorKind.ADVANCE),
        )
        for lane in junction.lanes
    ]


def _channel(junction: Junction, lane: str, kind: DetectorKind) -> int:
    """The loop of that kind that serves this lane alone, else ``NO_LOOP``."""
    found = [d.channel for d in junction.detectors if d.kind is kind and d.lanes == (lane,)]
    return found[0] if found else NO_LOOP


def _siblings(lanes: Sequence[LanePlace], i: int) -> tuple[int, ...]:
    own = lanes[i]
    return tuple(
        j
        for j, lane in enumerate(lanes)
        if j != i
        and (lane.device_id, lane.approach) == (own.device_id, own.approach)
        and set(lane.groups) & set(own.groups)
    )


def lane_series(
    log: pl.LazyFrame, lanes: Sequence[LanePlace], *, start_ms: int, end_ms: int, bin_s: float = 20.0
) -> LaneSeries:
    """Bin a log (four standard columns) from ``start_ms`` to ``end_ms``, ms since 1970 UTC; an odd last bin is left
    out."""
    codes = [BEGIN_GREEN, BEGIN_YELLOW, DETECTOR_OFF, DETECTOR_ON]
    events = (
        log.filter(pl.col("event_id").is_in(codes))
        .select("device_id", "event_id", "parameter", t_ms=pl.col("timestamp").dt.epoch("ms"))
        .collect()
        .sort("t_ms", maintain_order=True)
    )
    bins = int((end_ms - start_ms) / 1000.0 // bin_s)
    edges_s = np.asarray(np.arange(bins + 1) * bin_s, np.float64)
    tapes = _Tapes(events, start_ms)
    columns = [_lane_columns(tapes, lane, edges_s) for lane in lanes]
    stacked = [np.stack(parts, axis=1) for parts in zip(*columns, strict=True)] if columns else []
    return LaneSeries(0.0, bin_s, *stacked)


class _Tapes:
    """Times at which a group or a detector switched, s since the start of the bins."""

    def __init__(self, events: pl.DataFrame, start_ms: int) -> None:
        self._start_ms = start_ms
        self._parts = events.partition_by("device_id", "parameter", as_dict=True)

    def spans(self, device_id: int, parameter: int, on: int, off: int) -> F64:
        """(n, 2) begin and end of every span, in order; the last may end at infinity, the first must have a begin."""
        part = self._parts.get((device_id, parameter))
        if part is None:
            return np.empty((0, 2))
        part = part.filter(pl.col("event_id").is_in([on, off]))
        is_on = (part["event_id"] == on).to_numpy()
        t_s = (part["t_ms"].to_numpy() - self._start_ms) / 1000.0
        changed = np.flatnonzero(np.diff(is_on.astype(np.int8), prepend=0) != 0)
        times_s = t_s[changed]
        if len(times_s) % 2:
            times_s = np.append(times_s, np.inf)
        return times_s.reshape(-1, 2)


def _lane_columns(tapes: _Tapes, lane: LanePlace, edges_s: F64) -> tuple[F64, ...]:
    greens = [tapes.spans(lane.device_id, group, BEGIN_GREEN, BEGIN_YELLOW) for group in lane.groups]
    green = _union(np.concatenate(greens)) if greens else np.empty((0, 2))
    stop = _loop_columns(tapes, lane.device_id, lane.stop_channel, green, edges_s)
    advance = _loop_columns(tapes, lane.device_id, lane.advance_channel, green, edges_s)
    green_s = np.diff(_covered_s(green, edges_s))
    return stop[0], advance[0], stop[1], advance[1], green_s, stop[2], advance[2]


def _loop_columns(
    tapes: _Tapes, device_id: int, channel: int, green: F64, edges_s: F64
) -> tuple[F64, F64, F64]:
    if channel == NO_LOOP:
        nothing = np.full(len(edges_s) - 1, np.nan)
        return nothing, nothing, nothing
    spans = tapes.spans(device_id, channel, DETECTOR_ON, DETECTOR_OFF)
    count = np.histogram(spans[:, 0], edges_s)[0].astype(np.float64)
    occupancy = np.diff(_covered_s(spans, edges_s)) / np.diff(edges_s)
    return count, occupancy, _standing_s(spans, green, edges_s)


def _union(spans: F64) -> F64:
    """Spans that overlap or touch become one."""
    merged: list[list[float]] = []
    for begin, end in sorted(spans.tolist()):
        if merged and begin <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return np.array(merged, np.float64).reshape(-1, 2)


def _covered_s(spans: F64, at_s: F64) -> F64:
    """Seconds covered by disjoint spans in order, up to each time."""
    if not len(spans):
        return np.zeros(len(at_s))
    begins, ends = spans[:, 0], spans[:, 1]
    whole = np.concatenate(([0.0], np.cumsum(np.where(np.isinf(ends), 0.0, ends - begins))))
    k = np.searchsorted(begins, at_s, side="right")
    last = np.maximum(k - 1, 0)
    inside = np.where(k > 0, np.clip(at_s - begins[last], 0.0, ends[last] - begins[last]), 0.0)
    return np.where(k > 0, whole[last] + inside, 0.0)


def _standing_s(spans: F64, green: F64, edges_s: F64) -> F64:
    """Per bin, the most green of a span up to its end or to the end of the bin, whichever comes first."""
    bins = len(edges_s) - 1
    found = np.zeros(bins)
    if not len(spans) or not bins:
        return found
    begins = spans[:, 0]
    ends = np.minimum(spans[:, 1], edges_s[-1])
    before = _covered_s(green, begins)
    whole = _covered_s(green, ends) - before
    at = np.searchsorted(edges_s, ends, side="left") - 1
    ok = (at >= 0) & (at < bins)
    np.maximum.at(found, at[ok], whole[ok])
    open_span = np.searchsorted(begins, edges_s[1:], side="right") - 1
    running = (open_span >= 0) & (spans[np.maximum(open_span, 0), 1] > edges_s[1:])
    at_edge = _covered_s(green, edges_s[1:]) - before[np.maximum(open_span, 0)]
    return np.where(running, np.maximum(found, at_edge), found)
