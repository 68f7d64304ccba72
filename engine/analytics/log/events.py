"""What a measure gets: the sorted events of one device, and what several measures need of them, computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from .packing import PARAMETER_BITS

__all__ = ["DetectorRows", "DeviceConfig", "DeviceLog"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DetectorRows:
    """The detectors of one device by function: ``channel`` and ``phase`` are (n,) int32."""

    channel: npt.NDArray[np.int32]
    phase: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class DeviceConfig:
    """The configuration of one device: its detectors by function, and its ``rows`` with all that is known of them."""

    functions: dict[str, DetectorRows] = field(default_factory=dict)
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)


NO_DETECTORS = DetectorRows(np.zeros(0, np.int32), np.zeros(0, np.int32))


@dataclass(slots=True)
class DeviceLog:
    """The events of one device by time, event and parameter, each once.

    ``t_ms`` (n,) int64 UTC milliseconds; ``code`` (n,) int32, event << 15 | parameter. ``log_end_ms`` is the last
    time in the whole log; ``config`` says what its channels are. Events of a code keep
    their order, so ``of`` gives sorted times.
    """

    device_id: Any
    t_ms: npt.NDArray[np.int64]
    code: npt.NDArray[np.int32]
    log_begin_ms: int
    log_end_ms: int
    config: DeviceConfig = field(default_factory=DeviceConfig)
    _done: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @property
    def event(self) -> npt.NDArray[np.int32]:
        """(n,) event codes."""
        return self.once("event", lambda: self.code >> PARAMETER_BITS)

    @property
    def parameter(self) -> npt.NDArray[np.int32]:
        """(n,) parameters: the phase or the channel."""
        return self.once("parameter", lambda: self.code & ((1 << PARAMETER_BITS) - 1))

    def detectors_for(self, function: str) -> DetectorRows:
        """The device's detectors of a function ("advance", "presence", "yellow_red" ...)."""
        return self.config.functions.get(function, NO_DETECTORS)

    def of(self, *events: int) -> DeviceLog:
        """Only the events of these codes, as a log of their own."""
        return self.once(("of", events), lambda: self._only(events))

    def _only(self, events: tuple[int, ...]) -> DeviceLog:
        order, first = self.once("by event", self._by_event)
        found = [order[first[event] : first[event + 1]] for event in events if event + 1 < len(first)]
        where = np.concatenate(found) if found else order[:0]
        if len(found) > 1:
            where.sort(kind="stable")
        return DeviceLog(
            self.device_id,
            self.t_ms[where],
            self.code[where],
            self.log_begin_ms,
            self.log_end_ms,
            self.config,
        )

    def _by_event(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows in order of event, and where those of each event begin."""
        events = self.event.astype(np.uint16)
        return np.argsort(events, kind="stable"), np.concatenate([[0], np.cumsum(np.bincount(events))])

    def once(self, key: Hashable, build: Callable[[], T]) -> T:
        """The value under ``key``; built at the first call."""
        if key not in self._done:
            self._done[key] = build()
        return cast(T, self._done[key])
