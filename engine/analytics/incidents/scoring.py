"""Alarms against truth: detection rate, false alarms, time to detect, with intervals.

An *alarm* begins at a junction when a place of it goes over the threshold, and the alarms of one junction within
``MERGE_S`` of each other are one. It *finds* an incident if it begins while the incident lasts, at the junction
that the road leads to or the one that it comes from. It is *false* if it finds none and does not begin within
``AFTERMATH_S`` after one there. False alarms are told per network and day; not, as in part of the literature, as a
share of decisions (0.1 % of decisions every 30 s at 87 stations would be ten an hour).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import chi2

__all__ = [
    "AFTERMATH_S",
    "MERGE_S",
    "Alarm",
    "Score",
    "Truth",
    "alarms_of",
    "poisson_interval",
    "score_alarms",
    "truth_frame",
    "wilson_interval",
]

MERGE_S = 600.0
AFTERMATH_S = 900.0
DAY_H = 24.0

_TRUTH_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "incident_id": pl.String,
    "kind": pl.String,
    "start": pl.Datetime("ms", "UTC"),
    "end": pl.Datetime("ms", "UTC"),
    "start_s": pl.Float64,
    "end_s": pl.Float64,
    "device_id": pl.UInt32,
    "upstream_device_id": pl.UInt32,
    "junction": pl.String,
    "approach": pl.String,
    "lane": pl.String,
    "distance_m": pl.Float64,
    "lanes": pl.Int64,
}


def truth_frame(rows: Sequence[dict[str, Any]], epoch: datetime) -> pl.DataFrame:
    """Incidents as a table; ``start_s`` and ``end_s`` are seconds since ``epoch``, the UTC time of the first
    second."""
    told = [
        row
        | {"start": epoch + timedelta(seconds=row["start_s"]), "end": epoch + timedelta(seconds=row["end_s"])}
        for row in rows
    ]
    return pl.DataFrame(told, schema=_TRUTH_SCHEMA)


class Truth(NamedTuple):
    """An incident: from when to when, s, and the junctions at both ends of its road."""

    start_s: float
    end_s: float
    devices: frozenset[int]


class Alarm(NamedTuple):
    """An alarm of one junction, s since the start of the log; ``place`` is the one that went over first."""

    start_s: float
    end_s: float
    device: int
    place: int


class Score(NamedTuple):
    """What came of it. ``delays_s`` has one entry per incident: start of the first alarm that found it, or None."""

    delays_s: tuple[float | None, ...]
    false_alarms: tuple[Alarm, ...]
    hours: float

    @property
    def found(self) -> int:
        """Incidents found."""
        return sum(delay is not None for delay in self.delays_s)


def alarms_of(
    over: npt.NDArray[np.bool_], ends_s: npt.NDArray[np.float64], devices: Sequence[int]
) -> list[Alarm]:
    """Alarms from ``over`` (bins, places): which places are over their threshold; an alarm starts at a bin's end."""
    found: list[Alarm] = []
    of_device = np.asarray(devices)
    for device in dict.fromkeys(devices):
        places = np.flatnonzero(of_device == device)
        part = over[:, places]
        open_alarm: Alarm | None = None
        for b in np.flatnonzero(part.any(axis=1)).tolist():
            now_s = float(ends_s[b])
            if open_alarm is not None and now_s - open_alarm.end_s <= MERGE_S:
                open_alarm = open_alarm._replace(end_s=now_s)
                found[-1] = open_alarm
            else:
                open_alarm = Alarm(now_s, now_s, int(device), int(places[int(np.argmax(part[b]))]))
                found.append(open_alarm)
    return sorted(found)


def score_alarms(alarms: Iterable[Alarm], truths: Sequence[Truth], hours: float) -> Score:
    """Alarms of ``hours`` of one network against its incidents."""
    alarms = sorted(alarms)
    delays = [_delay_s(alarms, truth) for truth in truths]
    false = [alarm for alarm in alarms if not any(_belongs(alarm, truth) for truth in truths)]
    return Score(tuple(delays), tuple(false), hours)


def _delay_s(alarms: Sequence[Alarm], truth: Truth) -> float | None:
    found = [
        a.start_s for a in alarms if a.device in truth.devices and truth.start_s < a.start_s <= truth.end_s
    ]
    return min(found) - truth.start_s if found else None


def _belongs(alarm: Alarm, truth: Truth) -> bool:
    return alarm.device in truth.devices and truth.start_s < alarm.start_s <= truth.end_s + AFTERMATH_S


def wilson_interval(hits: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927), 95 % with that ``z``; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    share, z2 = hits / trials, z * z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = z * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials)) / (1 + z2 / trials)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def poisson_interval(events: int, exposure: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of a rate from ``events`` in ``exposure`` units (Garwood 1936)."""
    tail = (1.0 - level) / 2.0
    low = chi2.ppf(tail, 2 * events) / 2.0 if events else 0.0
    return float(low) / exposure, float(chi2.ppf(1.0 - tail, 2 * events + 2)) / 2.0 / exposure
