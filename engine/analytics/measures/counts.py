"""Approach volume, peak hours, turning counts and lane utilisation, and how well they agree with other counts.

Sources: UDOT ATSPM component details, version 5; Highway Capacity Manual, 7th edition (peak hour factor, K, D, lane
utilisation); Design Manual for Roads and Bridges, volume 12 (GEH).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ...errors import InputError
from ..log.events import DeviceLog
from ..log.packing import PARAMETER_BITS
from .bins import Bins, bins_over
from .grouping import grouped
from .local_time import days_of
from .phases import Hits, hits_with_state
from .record import Rows, Setting

__all__ = ["against_counts", "approach_peaks", "approach_volume", "geh", "turning_counts"]

QUARTER_MIN = 15
QUARTERS = 4
MIN_PER_H = 60
OPPOSING = "2-6,4-8"
Volumes = npt.NDArray[np.int64]


def approach_volume(
    device: DeviceLog, setting: Setting, *, function: str = "advance", opposing: str = OPPOSING
) -> Rows:
    """Hits per bin and phase, as a flow, and the share of the phase in both directions (D).

    ``function`` names the detectors that count; ``opposing`` the pairs of phases of opposite directions. D is null
    for other phases.
    """
    hits = hits_with_state(device, function)
    (at, phase), group = grouped(setting.bins.index(hits.t_ms), hits.phase)
    volume = np.bincount(group, minlength=len(at))
    partner = _partners(phase, _pairs(opposing))
    is_paired = partner >= 0
    cells, wanted = _cells(at, phase), _cells(at, np.maximum(partner, 0))
    place = np.searchsorted(cells, wanted)
    there = is_paired & (np.append(cells, -1)[place] == wanted)
    other = np.where(there, np.append(volume, 0)[place], 0)
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "volume": volume,
        "flow_veh_h": volume * (MIN_PER_H / setting.bins.minutes),
        "d_factor": np.where(is_paired, volume / np.maximum(volume + other, 1), np.nan),
    }


def _partners(phase: Volumes, pairs: dict[int, int]) -> Volumes:
    """The phase of the opposite direction of each phase; -1 for none."""
    distinct, place = np.unique(phase, return_inverse=True)
    return np.array([pairs.get(one, -1) for one in distinct.tolist()], np.int64)[place]


def _cells(first: npt.NDArray[np.integer[Any]], second: npt.NDArray[np.integer[Any]]) -> Volumes:
    """One number that orders by the first, then by the second, which has at most PARAMETER_BITS."""
    return (first.astype(np.int64) << PARAMETER_BITS) + second


def approach_peaks(
    device: DeviceLog, setting: Setting, *, function: str = "advance", opposing: str = OPPOSING
) -> Rows:
    """The hour with most hits of each local day and phase, by quarters of an hour whatever the bin.

    ``peak_hour_factor`` = V60 / (4 largest quarter), ``k_factor`` = V60 / volume of the day, ``d_factor`` = V60 /
    (V60 + that of the opposite direction in the same hour). The first of equal hours counts.
    """
    hits = hits_with_state(device, function)
    quarters = bins_over(device.log_begin_ms, device.log_end_ms, QUARTER_MIN, setting.bins.timezone)
    days = days_of(device, setting.bins.timezone)
    phases, slot = np.unique(hits.phase, return_inverse=True)
    counts = np.zeros((len(phases), quarters.count), np.int64)
    np.add.at(counts, (slot, quarters.index(hits.t_ms)), 1)
    found = [
        _peak(counts, phases.tolist(), i, quarters, (int(begin), int(end)), _pairs(opposing))
        for begin, end in zip(days.edges[:-1], days.edges[1:], strict=True)
        for i in range(len(phases))
    ]
    peaks = [one for one in found if one is not None]
    names = ("timestamp", "start_time", "end_time", "phase", "volume", "peak_hour_volume")
    rows: Rows = {name: np.array([one[name] for one in peaks], np.int64) for name in names}
    factors = ("peak_hour_factor", "k_factor", "d_factor")
    return rows | {name: np.array([one[name] for one in peaks], np.float64) for name in factors}


def _peak(
    counts: Volumes,
    phases: list[int],
    i: int,
    quarters: Bins,
    day: tuple[int, int],
    pairs: dict[int, int],
) -> dict[str, Any] | None:
    """The peak hour of phase ``phases[i]`` in a day; None without a hit."""
    first, last = np.searchsorted(quarters.edges, day)
    own = counts[i, first:last]
    if own.sum() == 0 or len(own) < QUARTERS:
        return None
    hours = np.convolve(own, np.ones(QUARTERS, np.int64), "valid")
    at = int(hours.argmax())
    hour = slice(first + at, first + at + QUARTERS)
    volume = int(hours[at])
    share = np.nan
    if phases[i] in pairs:
        other = phases.index(pairs[phases[i]]) if pairs[phases[i]] in phases else None
        share = volume / (volume + (0 if other is None else int(counts[other, hour].sum())))
    return {
        "timestamp": day[0],
        "start_time": quarters.edges[hour.start],
        "end_time": quarters.edges[hour.stop],
        "phase": phases[i],
        "volume": int(own.sum()),
        "peak_hour_volume": volume,
        "peak_hour_factor": volume / (QUARTERS * int(counts[i, hour].max())),
        "k_factor": volume / int(own.sum()),
        "d_factor": share,
    }


def _pairs(opposing: str) -> dict[int, int]:
    """Each phase with that of the opposite direction."""
    try:
        pairs = [tuple(int(phase) for phase in pair.split("-")) for pair in opposing.split(",") if pair]
        return {a: b for one, other in pairs for a, b in ((one, other), (other, one))}
    except ValueError as err:
        raise InputError(f"opposing: expected pairs of phases like {OPPOSING}, found {opposing}") from err


def turning_counts(device: DeviceLog, setting: Setting, *, function: str = "count") -> Rows:
    """Hits per bin, phase and movement, and how evenly its lanes were used: total / (lanes x busiest lane).

    Lanes and movements are those of the configuration; a detector without a lane is a lane of its own.
    """
    lanes = _lanes(device.config.rows, function)
    hits: Hits = hits_with_state(device, function)
    channel = np.array([row["channel"] for row in lanes], np.int64)
    phase = np.array([row["phase"] for row in lanes], np.int64)
    which = np.searchsorted(_cells(channel, phase), _cells(hits.channel, hits.phase))
    movements, movement = np.unique([row["movement"] for row in lanes], return_inverse=True)
    _, lane = np.unique([row["lane"] for row in lanes], return_inverse=True)
    at = setting.bins.index(hits.t_ms)
    lane_keys, lane_group = grouped(at, phase[which], movement[which], lane[which])
    on_lane = np.bincount(lane_group, minlength=len(lane_keys[0]))
    (bin_of, phase_of, movement_of), group = grouped(*lane_keys[:3])
    busiest = np.zeros(len(bin_of), np.int64)
    np.maximum.at(busiest, group, on_lane)
    total = np.bincount(group, on_lane, minlength=len(bin_of)).astype(np.int64)
    configured, _ = grouped(phase, movement, lane)
    of_movement, cell = grouped(*configured[:2])
    lanes_each = np.bincount(cell, minlength=len(of_movement[0]))
    place = np.searchsorted(_cells(*of_movement), _cells(phase_of, movement_of))
    count = lanes_each[place]
    return {
        "timestamp": setting.bins.edges[bin_of],
        "phase": phase_of,
        "movement": movements.astype(np.object_)[movement_of],
        "total": total,
        "flow_veh_h": total * (MIN_PER_H / setting.bins.minutes),
        "lanes": count,
        "lane_utilisation": total / np.maximum(count * busiest, 1),
    }


def _lanes(rows: pl.DataFrame, function: str) -> list[dict[str, Any]]:
    """Channel, phase, movement and lane of each counting detector; the first row of a channel and phase counts."""
    if rows.is_empty():
        return []
    chosen = rows.filter(pl.col("function") == function).unique(["channel", "phase"], keep="first")
    lane = pl.coalesce("lane", pl.format("channel {}", "channel"))
    return (
        chosen.select("channel", "phase", pl.col("movement").fill_null(""), lane.alias("lane"))
        .sort("channel", "phase")
        .to_dicts()
    )


def geh(flow_veh_h: npt.ArrayLike, counted_veh_h: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """GEH of hourly flows, (n,): the root of 2 (m - c)^2 / (m + c); 0 where both are 0. Below 5 they agree well."""
    flow, counted = np.asarray(flow_veh_h, np.float64), np.asarray(counted_veh_h, np.float64)
    return np.sqrt(2 * (flow - counted) ** 2 / np.where(flow + counted > 0, flow + counted, 1.0))


def against_counts(table: pl.DataFrame, counts: pl.DataFrame, bin_minutes: int = 15) -> pl.DataFrame:
    """Rows of ``turning_counts`` beside ``counts`` (the same keys and ``counted``, vehicles per bin), with their GEH.

    What only one side has counts as 0 on the other. Raises InputError for missing columns.
    """
    keys = ["timestamp", "device_id", "phase", "movement"]
    missing = [name for name in (*keys, "counted") if name not in counts.columns]
    if missing:
        raise InputError(
            f"counts: expected the columns {', '.join((*keys, 'counted'))}, found no {missing[0]}"
        )
    kinds = {name: table.schema[name] for name in keys}
    both = table.select(*keys, "total").join(
        counts.select(*keys, "counted").cast(kinds),  # type: ignore[arg-type]
        on=keys,
        how="full",
        coalesce=True,
    )
    filled = both.with_columns(pl.col("total", "counted").fill_null(0)).sort(keys)
    per_hour = MIN_PER_H / bin_minutes
    value = geh(filled["total"].to_numpy() * per_hour, filled["counted"].to_numpy() * per_hour)
    return filled.with_columns(pl.Series("geh", value))
