"""Between junctions: arrivals on green under shifted offsets, link pivot, and the time-space diagram.

Sources: UDOT ATSPM component details, version 5 (link pivot); Day, Bullock 2011, TRR 2259: computational efficiency
of alternative algorithms for arterial offset optimisation.
"""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl

from ...errors import InputError
from ...events import BEGIN_GREEN, BEGIN_YELLOW, END_YELLOW
from ..log.events import DeviceLog
from .local_time import DAY_MIN, minute_of_day
from .record import Rows, Setting
from .red_cycles import moved_hits, red_cycles

__all__ = ["arrivals_by_shift", "link_pivot", "phase_intervals", "time_space_bands"]

MS_PER_S = 1000
LINK = ("upstream", "upstream_phase", "downstream", "downstream_phase")
STOP = ("device_id", "phase", "distance_m")


def arrivals_by_shift(
    device: DeviceLog,
    setting: Setting,
    *,
    cycle_s: int = 90,
    from_minute: int = 0,
    to_minute: int = DAY_MIN,
    latency_s: float = 0.0,
    decision_point_s: float = 0.0,
) -> Rows:
    """Arrivals on green of each phase if all its vehicles came ``shift_s`` later, from -cycle to +cycle.

    Of hits from ``from_minute`` to before ``to_minute`` of the local day; greens of whole cycles from red to red.
    What ``link_pivot`` needs of a junction.
    """
    t_ms, _, phase = moved_hits(device, "advance", latency_s, decision_point_s)
    minute = minute_of_day(t_ms, setting.bins.timezone)
    chosen = (minute >= from_minute) & (minute < to_minute)
    t_ms, phase = t_ms[chosen], phase[chosen]
    cycles = red_cycles(device)
    shifts = np.arange(-cycle_s, cycle_s + 1)
    found = []
    for one in np.unique(phase).tolist():
        hits = np.sort(t_ms[phase == one])
        own = cycles.phase == one
        until = [cycles.yellow_ms[own][None, :], cycles.green_ms[own][None, :]]
        yellow, green = (np.searchsorted(hits, t - MS_PER_S * shifts[:, None]).sum(axis=1) for t in until)
        found.append((one, len(hits), yellow - green))
    return {
        "phase": np.repeat(np.array([one for one, _, _ in found], np.int64), len(shifts)),
        "shift_s": np.tile(shifts, len(found)),
        "hits": np.repeat(np.array([hits for _, hits, _ in found], np.int64), len(shifts)),
        "on_green": np.concatenate([np.zeros(0, np.int64), *(on_green for _, _, on_green in found)]),
    }


def link_pivot(
    shifted: pl.DataFrame, links: pl.DataFrame, cycle_s: int, upstream_bias_percent: float = 0.0
) -> pl.DataFrame:
    """Offsets that bring most arrivals on green in both directions of a corridor, link by link.

    ``shifted`` is a table of ``arrivals_by_shift`` with at least this cycle; ``links`` are (upstream, upstream_phase,
    downstream, downstream_phase) along the corridor: the phase at either end that serves traffic from the other.
    Green of the upstream junction ``delta_s`` later lets its arrivals come that much earlier and those downstream
    later; of equal sums the smallest delta counts. ``offset_change_s`` sums the deltas from the downstream end, by the
    cycle; the last junction keeps its offset. ``upstream_bias_percent`` gives upstream arrivals more weight. Raises
    InputError for missing columns or a link without arrivals in the table.
    """
    _require(links, LINK, "links")
    rows = [_best(shifted, link, cycle_s, 1 + upstream_bias_percent / 100) for link in links.to_dicts()]
    deltas = np.array([row["delta_s"] for row in rows], np.int64)
    change = np.cumsum(deltas[::-1])[::-1] % cycle_s
    return links.select(LINK).with_columns(pl.DataFrame(rows)).with_columns(offset_change_s=change)


def _best(
    shifted: pl.DataFrame, link: dict[str, int], cycle_s: int, upstream_weight: float
) -> dict[str, int]:
    upstream = _curve(shifted, link["upstream"], link["upstream_phase"], cycle_s)
    downstream = _curve(shifted, link["downstream"], link["downstream_phase"], cycle_s)
    steps = range(cycle_s)
    delta = max(steps, key=lambda i: (upstream_weight * upstream[-i] + downstream[i], -i))
    return {
        "delta_s": delta,
        "on_green_now": upstream[0] + downstream[0],
        "on_green_then": upstream[-delta] + downstream[delta],
    }


def _curve(shifted: pl.DataFrame, device: int, phase: int, cycle_s: int) -> dict[int, int]:
    """Arrivals on green by shift."""
    own = shifted.filter((pl.col("device_id") == device) & (pl.col("phase") == phase))
    curve = dict(zip(own["shift_s"].to_list(), own["on_green"].to_list(), strict=True))
    if not {1 - cycle_s, cycle_s - 1} <= curve.keys():
        raise InputError(
            f"link pivot: expected arrivals of device {device}, phase {phase}, at shifts of a cycle of {cycle_s} s, "
            f"found {own.height} rows"
        )
    return curve


def phase_intervals(device: DeviceLog, _setting: Setting) -> Rows:
    """Red (9), green (1) and yellow (8) of each phase in whole cycles: the bars of a time-space diagram."""
    cycles = red_cycles(device)
    begin = np.stack([cycles.begin_ms, cycles.green_ms, cycles.yellow_ms], axis=1)
    end = np.stack([cycles.green_ms, cycles.yellow_ms, cycles.end_ms], axis=1)
    return {
        "start_time": begin.ravel(),
        "end_time": end.ravel(),
        "phase": np.repeat(cycles.phase, 3),
        "signal_state": np.tile([END_YELLOW, BEGIN_GREEN, BEGIN_YELLOW], len(cycles.phase)),
    }


def time_space_bands(intervals: pl.DataFrame, route: pl.DataFrame, speed_kmh: float) -> pl.DataFrame:
    """Bands between the junctions of a route at a speed: what leaves on green and arrives on green.

    ``intervals`` is a table of ``phase_intervals``; ``route`` are (device_id, phase, distance_m) in driving order.
    A row is a band between neighbours: ``start_time`` to ``end_time`` at the first, ``travel_s`` later at the next,
    ``from_m`` and ``to_m``. Raises InputError for missing columns, distances that do not grow, or no speed.
    """
    _require(route, STOP, "route")
    if not speed_kmh > 0:
        raise InputError(f"time-space diagram: expected a speed above 0 km/h, found {speed_kmh}")
    if not (route["distance_m"].diff().drop_nulls() > 0).all():
        raise InputError("route: expected growing distances, found others")
    stops = route.select(STOP).rows()
    bands = [_bands(intervals, one, other, speed_kmh) for one, other in itertools.pairwise(stops)]
    if not bands:
        raise InputError(f"route: expected two junctions or more, found {len(stops)}")
    return pl.concat(bands)


def _bands(
    intervals: pl.DataFrame, one: tuple[int, int, float], other: tuple[int, int, float], speed_kmh: float
) -> pl.DataFrame:
    travel_ms = round(3600 * (other[2] - one[2]) / speed_kmh)
    travel = pl.duration(milliseconds=travel_ms, time_unit="ms")
    leave = _greens(intervals, one)
    arrive = _greens(intervals, other).select(
        next_start=pl.col("start_time") - travel, next_end=pl.col("end_time") - travel
    )
    met = leave.join_where(
        arrive, pl.col("start_time") < pl.col("next_end"), pl.col("next_start") < pl.col("end_time")
    )
    return met.select(
        start_time=pl.max_horizontal("start_time", "next_start"),
        end_time=pl.min_horizontal("end_time", "next_end"),
        device_id=pl.lit(one[0]),
        next_device_id=pl.lit(other[0]),
        from_m=pl.lit(float(one[2])),
        to_m=pl.lit(float(other[2])),
        travel_s=pl.lit(travel_ms / MS_PER_S),
    ).sort("start_time")


def _greens(intervals: pl.DataFrame, stop: tuple[int, int, float]) -> pl.DataFrame:
    is_own = (pl.col("device_id") == stop[0]) & (pl.col("phase") == stop[1])
    green = pl.col("signal_state") == BEGIN_GREEN
    return intervals.filter(is_own & green).select("start_time", "end_time")


def _require(table: pl.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise InputError(f"{what}: expected the columns {', '.join(columns)}, found no {missing[0]}")
