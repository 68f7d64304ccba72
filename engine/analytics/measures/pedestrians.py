"""Pedestrians: services, presses, presses of different people, the volume they stand for, and their wait."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...events import WALK
from ..log.events import DeviceLog
from .grouping import followed, grouped
from .record import Rows, Setting
from .timelines import timeline

__all__ = ["full_ped", "ped", "ped_delay", "unique_ped"]

PRESS, OVERLAP_WALK = 90, 67
LINEAR, SQUARE, BASE = 0.7167, 0.0599, 1.1063
"""Hourly volume from presses of different people: Singleton, Runa 2021, TRR 2675, at signals in Utah."""
BINS_PER_HOUR = 4
Count = dict[tuple[int, int], int]


def ped(device: DeviceLog, setting: Setting) -> Rows:
    """Walks (also of overlaps) and presses, per bin and phase."""
    events = device.of(WALK, OVERLAP_WALK, PRESS)
    (at, phase), group = grouped(setting.bins.index(events.t_ms), events.parameter)
    pressed = events.event == PRESS
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "ped_services": np.bincount(group[~pressed], minlength=len(at)),
        "ped_actuation": np.bincount(group[pressed], minlength=len(at)),
    }


def unique_ped(device: DeviceLog, setting: Setting, *, seconds_between_actuations: int = 15) -> Rows:
    """Presses more than ``seconds_between_actuations`` after the one before, per bin and phase.

    A phase's first press in the log is not counted, as in the package.
    """
    presses = followed(device.of(PRESS))
    later = presses.next_event >= 0
    unique = later & (presses.next_ms - presses.t_ms > 1000 * seconds_between_actuations)
    (at, phase), group = grouped(setting.bins.index(presses.next_ms[unique]), presses.number[unique])
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "unique_actuations": np.bincount(group, minlength=len(at)),
    }


def full_ped(
    device: DeviceLog,
    setting: Setting,
    *,
    seconds_between_actuations: int = 15,
    return_volumes: bool = True,
) -> Rows:
    """Services, presses and presses of different people; with ``return_volumes`` in every bin, with the volume.

    The volume of a bin is its share of the hour that begins with it, so that of the last three is too small.
    """
    base = ped(device, setting)
    unique = unique_ped(device, setting, seconds_between_actuations=seconds_between_actuations)
    if not return_volumes:
        found = _by_cell(setting, unique, "unique_actuations")
        cells = zip(setting.bins.index(base["timestamp"]).tolist(), base["phase"].tolist(), strict=True)
        return base | {"unique_actuations": np.array([found.get(cell, 0) for cell in cells], np.int64)}
    first, last = setting.bins.index(np.array([device.log_begin_ms, device.log_end_ms])).tolist()
    phases = np.unique(base["phase"])
    shape = (len(phases), last - first + 1)
    services = _spread(setting, base, "ped_services", phases, first, shape)
    presses = _spread(setting, base, "ped_actuation", phases, first, shape)
    uniques = _spread(setting, unique, "unique_actuations", phases, first, shape)
    total = np.cumsum(np.pad(uniques, ((0, 0), (1, BINS_PER_HOUR - 1))), axis=1)
    hour = total[:, BINS_PER_HOUR:] - total[:, :-BINS_PER_HOUR]
    hourly = (LINEAR * hour + SQUARE * hour**2).astype(np.float32)
    share = uniques / np.maximum(hour, 1)
    return {
        "timestamp": np.tile(setting.bins.edges[first : last + 1], len(phases)),
        "phase": np.repeat(phases, shape[1]),
        "ped_services": services.ravel(),
        "ped_actuation": presses.ravel(),
        "unique_actuations": uniques.ravel(),
        "estimated_volumes": (hourly * share + BASE / BINS_PER_HOUR).astype(np.float32).ravel(),
    }


def _by_cell(setting: Setting, rows: Rows, column: str) -> Count:
    at = setting.bins.index(rows["timestamp"]).tolist()
    return dict(zip(zip(at, rows["phase"].tolist(), strict=True), rows[column].tolist(), strict=True))


def _spread(
    setting: Setting,
    rows: Rows,
    column: str,
    phases: npt.NDArray[np.int64],
    first: int,
    shape: tuple[int, int],
) -> npt.NDArray[np.int64]:
    """A column as phases × bins, zero where there is no row."""
    table = np.zeros(shape, np.int64)
    table[np.searchsorted(phases, rows["phase"]), setting.bins.index(rows["timestamp"]) - first] = rows[
        column
    ]
    return table


def ped_delay(device: DeviceLog, setting: Setting) -> Rows:
    """Mean wait from a press to the walk, per bin in which it ended and phase, s."""
    waits = timeline(device, setting, **setting.parameters.get("timeline", {}))
    chosen = (waits["event_class"] == "Ped Delay") & waits["is_valid"]
    (at, phase), group = grouped(
        setting.bins.index(waits["end_time"][chosen]), waits["event_value"][chosen].astype(np.int64)
    )
    samples = np.bincount(group, minlength=len(at))
    total = np.bincount(group, waits["duration"][chosen], minlength=len(at))
    return {
        "timestamp": setting.bins.edges[at],
        "phase": phase,
        "avg_ped_delay": total / np.maximum(samples, 1),
        "samples": samples,
    }
