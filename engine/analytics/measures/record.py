"""What a measure is: a function of one device's events, with its source, its columns and what it needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from ...errors import InputError
from ..log.detectors import Detectors
from ..log.events import DeviceLog
from ..log.source import Source
from .bins import Bins

__all__ = ["Dialect", "Measure", "Rows", "Setting", "frame_of"]

Dialect = Literal["atspm", "udot"]
Rows = dict[str, npt.NDArray[Any]]
"""Columns of one device without ``device_id``. Times are UTC milliseconds, NaN stands for null."""
TIMES = ("timestamp", "start_time", "end_time", "raw_timestamp")


@dataclass(frozen=True, slots=True)
class Setting:
    """What all measures of a calculation share. ``parameters`` holds each measure's own by name."""

    bins: Bins
    dialect: Dialect = "atspm"
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: ``atspm`` and ``udot`` compute the rows of one device by the rules of that dialect.

    Where the two agree one function serves both; a dialect that does not know the measure is None. Keyword arguments
    of the functions are the measure's parameters. ``schema`` are the columns after ``device_id``, ``citation`` where
    the definition was published, ``codes`` the events and ``functions`` the detectors without which there are no
    rows. ``complete`` measures keep only bins in which the device logged throughout where that is asked for.
    """

    name: str
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    citation: str
    codes: tuple[int, ...]
    atspm: Callable[..., Rows] | None = None
    udot: Callable[..., Rows] | None = None
    functions: tuple[str, ...] = ()
    complete: bool = True

    def function(self, dialect: Dialect) -> Callable[..., Rows]:
        """The measure in a dialect. Raises InputError where that has none."""
        found = self.atspm if dialect == "atspm" else self.udot
        if found is None:
            raise InputError(f"{self.name}: expected a dialect that defines it, found {dialect}")
        return found

    def parameters(self, dialect: Dialect) -> dict[str, Any]:
        """Names and defaults of the parameters."""
        return {
            name: one.default
            for name, one in inspect.signature(self.function(dialect)).parameters.items()
            if one.kind is inspect.Parameter.KEYWORD_ONLY
        }

    def of(self, device: DeviceLog, setting: Setting) -> Rows:
        """The device's rows, computed once."""
        return device.once(
            ("measure", self.name),
            lambda: self.function(setting.dialect)(device, setting, **setting.parameters.get(self.name, {})),
        )

    def __call__(
        self,
        log: Source,
        detectors: Detectors | None = None,
        *,
        bin_minutes: int = 15,
        timezone: str = "UTC",
        dialect: Dialect = "atspm",
        **parameters: Any,
    ) -> pl.DataFrame:
        """The measure over a log: see ``compute``."""
        from .calculation import compute

        tables = compute(
            log,
            detectors,
            [self],
            bin_minutes=bin_minutes,
            timezone=timezone,
            dialect=dialect,
            parameters={self.name: parameters},
        )
        return tables[self.name]


def frame_of(measure: Measure, device_ids: pl.Series, rows: Rows, timezone: str) -> pl.DataFrame:
    """Columns as a typed table: times in ``timezone``, NaN as null."""
    columns = [device_ids]
    for name, kind in measure.schema.items():
        if name in TIMES:
            times = pl.Series(name, rows[name], pl.Int64).cast(pl.Datetime("ms", "UTC"))
            columns.append(times.dt.convert_time_zone(timezone))
        else:
            column = pl.Series(name, rows[name])
            floating = column.dtype in (pl.Float32, pl.Float64)
            columns.append((column.fill_nan(None) if floating else column).cast(kind))
    table = pl.DataFrame(columns)
    first = [name for name in TIMES if name in table.columns][:1]
    return table.select(*first, pl.exclude(*first)) if first else table


def no_rows(measure: Measure) -> Rows:
    """A table without rows."""
    return {
        name: np.zeros(0, object if kind == pl.String else np.float64)
        for name, kind in measure.schema.items()
    }
