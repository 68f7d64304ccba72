"""Measures over a log: device after device in threads, the rows of all devices as tables."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ...errors import InputError
from ..log.detectors import Detectors, detectors_by_device, read_detectors
from ..log.events import DeviceConfig
from ..log.source import EventLog, Piece, Source, device_log, open_log
from .bins import bins_over
from .catalogue import measure, measures_named
from .record import Dialect, Measure, Rows, Setting, frame_of

__all__ = ["Calculation", "Tables", "calculate", "calculation", "compute"]

THREADS = min(8, os.cpu_count() or 1)
Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Calculation:
    """What is to be computed, whatever the log: can be sent to another process."""

    measures: tuple[str, ...]
    bin_minutes: int = 15
    timezone: str = "UTC"
    dialect: Dialect = "atspm"
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    remove_incomplete: bool = False

    def __post_init__(self) -> None:
        for name in self.measures:
            measure(name).function(self.dialect)
        for name, values in self.parameters.items():
            known = measure(name).parameters(self.dialect)
            for key in values:
                if key not in known:
                    raise InputError(
                        f"{name}: expected a parameter of {', '.join(known) or 'none'}, found {key}"
                    )


def calculation(
    measures: Iterable[str | Measure] | None = None,
    *,
    bin_minutes: int = 15,
    timezone: str = "UTC",
    dialect: str = "atspm",
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    remove_incomplete: bool = False,
) -> Calculation:
    """What ``compute`` computes, whatever the log. Raises InputError for an unknown dialect, measure or parameter."""
    if dialect not in ("atspm", "udot"):
        raise InputError(f"expected the dialect atspm or udot, found {dialect}")
    chosen = measures_named(measures)
    if measures is None:
        chosen = [one for one in chosen if getattr(one, dialect) is not None]
    names = tuple(one.name for one in chosen)
    known: Dialect = "atspm" if dialect == "atspm" else "udot"
    return Calculation(names, bin_minutes, timezone, known, parameters or {}, remove_incomplete)


def compute(
    log: Source | EventLog,
    detectors: Detectors | None = None,
    measures: Iterable[str | Measure] | None = None,
    *,
    bin_minutes: int = 15,
    timezone: str = "UTC",
    dialect: Dialect = "atspm",
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    remove_incomplete: bool = False,
    told: Callable[[float], None] | None = None,
) -> Tables:
    """Measures over a log, a table each: time (start of a bin, in ``timezone``), device, what it is of, values.

    ``log`` is what ``open_log`` takes, ``detectors`` what ``read_detectors`` takes; without them measures that need
    detectors have no rows. ``measures`` are all that the dialect defines unless named. ``parameters`` holds values
    by measure and name. With ``remove_incomplete`` only bins in which the device logged throughout remain. ``told``
    is given the share of events done. Raises InputError and StorageError as ``open_log`` does.
    """
    what = calculation(
        measures,
        bin_minutes=bin_minutes,
        timezone=timezone,
        dialect=dialect,
        parameters=parameters,
        remove_incomplete=remove_incomplete,
    )
    opened = log if isinstance(log, EventLog) else open_log(log)
    config = None if detectors is None else read_detectors(detectors)
    return calculate(opened, config, what, told or (lambda _share: None))


def calculate(
    log: EventLog, config: pl.DataFrame | None, what: Calculation, told: Callable[[float], None]
) -> Tables:
    """The tables of ``what`` over an opened log."""
    by_device = detectors_by_device(config)
    measures = [measure(name) for name in what.measures]
    found: dict[Any, dict[str, Rows]] = {}
    done = 0
    for device, events, rows in _in_threads(log, by_device, measures, what):
        found[device] = rows
        done += events
        told(done / max(log.rows, 1))
    return {one.name: _table(one, found, what.timezone) for one in measures}


def _in_threads(
    log: EventLog,
    configs: dict[str, DeviceConfig],
    measures: list[Measure],
    what: Calculation,
) -> Iterator[tuple[Any, int, dict[str, Rows]]]:
    setting: Setting | None = None
    waiting: deque[tuple[Any, int, Future[dict[str, Rows]]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for device, pieces in log.pieces():
            if setting is None:
                bins = bins_over(log.begin_ms, log.end_ms, what.bin_minutes, what.timezone)
                setting = Setting(bins, what.dialect, what.parameters)
            events = log.found[device]
            own = configs.get(str(device), DeviceConfig())
            waiting.append(
                (device, events, pool.submit(_device_rows, log, device, pieces, own, measures, setting, what))
            )
            while len(waiting) > 2 * THREADS:
                first, events, future = waiting.popleft()
                yield first, events, future.result()
        while waiting:
            first, events, future = waiting.popleft()
            yield first, events, future.result()


def _device_rows(
    log: EventLog,
    device: Any,
    pieces: list[Piece],
    config: DeviceConfig,
    measures: list[Measure],
    setting: Setting,
    what: Calculation,
) -> dict[str, Rows]:
    one = device_log(log, device, pieces)
    one.config = config
    rows = {item.name: item.of(one, setting) for item in measures}
    if what.remove_incomplete:
        whole = measure("has_data").of(one, setting)["timestamp"]
        rows = {
            item.name: _only(rows[item.name], whole) if item.complete else rows[item.name]
            for item in measures
        }
    return rows


def _only(rows: Rows, starts: Any) -> Rows:
    """The rows whose bin is among ``starts``."""
    inside = np.isin(rows["timestamp"], starts)
    return {name: column[inside] for name, column in rows.items()}


def _table(one: Measure, found: dict[Any, dict[str, Rows]], timezone: str) -> pl.DataFrame:
    devices = sorted(found)
    counts = [len(next(iter(found[device][one.name].values()))) for device in devices]
    ids = pl.Series("device_id", devices)
    repeated = ids.gather(np.repeat(np.arange(len(devices)), counts))
    columns = {
        name: np.concatenate([found[device][one.name][name] for device in devices]) for name in one.schema
    }
    return frame_of(one, repeated, columns, timezone)
