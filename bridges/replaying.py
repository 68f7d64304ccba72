"""What a controller would have done with a recorded log: the log is read, played at any speed, and decided upon.

Where the log tells lamps, every decision starts from what really showed. Where it tells detectors only, the engine's
own signal machine shows what the controller asks for; the traffic in the log does not know, and came as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from greensplit.engine.decisions import HOLD, Decisions
from greensplit.engine.errors import InputError
from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.field_loop import FieldLoop
from greensplit.engine.loop import Controller, Loop
from greensplit.engine.model.site import Site
from greensplit.engine.store.logfile import LOG_SCHEMA, read_log

from .replay import MachinePort, ReplayPort, StagesPort

__all__ = ["Recording", "Replay", "Wish", "read_recording"]

TICK_MS: Final = 1000
DAY_MS: Final = 86_400_000
TICKS_PER_TAKE: Final = 600


class Recording(NamedTuple):
    """Rows of a log, (n,) of ``EVENT_DTYPE`` in the order of time; ``begin`` is the full second of ``t_ms`` 0, UTC."""

    rows: npt.NDArray[np.void]
    begin: datetime


class Wish(NamedTuple):
    """A change that the controller would have made; stages are local indices."""

    t_ms: int
    junction: int
    from_stage: int
    to_stage: int
    reason: str


def read_recording(source: Path) -> Recording:
    """A Parquet file, a folder of them or a run directory. Raises InputError for anything else, and for no rows."""
    if not source.exists():
        raise InputError(f"{source}: expected a run directory or a Parquet file, found nothing of that name")
    try:
        lazy = read_log(source) if source.is_dir() else pl.scan_parquet(source, schema=LOG_SCHEMA)
        frame = lazy.collect().sort("timestamp", maintain_order=True)
    except (OSError, pl.exceptions.PolarsError) as err:
        words = " ".join(str(err).split())[:200]
        raise InputError(
            f"{source}: expected an event log in the standard four columns, found: {words}"
        ) from err
    if frame.is_empty():
        raise InputError(f"{source}: expected a log with events, found none")
    if any(frame.null_count().row(0)):
        raise InputError(f"{source}: expected a value in every column, found empty ones")
    utc_ms = frame["timestamp"].dt.epoch("ms").to_numpy()
    begin_ms = int(utc_ms[0]) // 1000 * 1000
    rows = np.zeros(frame.height, EVENT_DTYPE)
    rows["t_ms"] = utc_ms - begin_ms
    for name, column in (("device", "device_id"), ("event", "event_id"), ("parameter", "parameter")):
        rows[name] = frame[column].to_numpy()
    return Recording(rows, datetime.fromtimestamp(begin_ms / 1000, UTC))


class Replay:
    """A controller in front of a recording. ``told`` are all of its decisions, once ``run`` has come to its end.

    Raises InputError for a log that has nothing of the site's detectors. ``has_lamps``: decided upon what showed.
    """

    def __init__(self, site: Site, recording: Recording, controller: Controller) -> None:
        begin = recording.begin
        day_ms = round((begin - begin.replace(hour=0, minute=0, second=0)).total_seconds() * 1000) % DAY_MS
        known = ReplayPort(site, recording.rows)
        self.end_ms = known.end_ms
        events = known.read(known.end_ms)
        if not events.size:
            raise InputError(
                f"log: expected changes of the detectors of {site.name}, found none; {known.unknown} rows are of others"
            )
        self.unknown = known.unknown
        self.has_lamps = known.shown_rows > 0
        self.told: list[Decisions] = []
        self._wanted = [-1] * len(site.junctions)
        self.loop: Loop
        if self.has_lamps:
            self.loop = FieldLoop(site, StagesPort(site, recording.rows), controller, day_ms=day_ms)
        else:
            self.loop = Loop(site, MachinePort(site, recording.rows), controller, day_ms=day_ms)

    def run(self, pace: Callable[[int], None] | None = None) -> Iterator[Wish]:
        """Tick through the log; ``pace`` is called before every tick and may wait. Yields changes that are news."""
        ticks_per_take = TICKS_PER_TAKE if pace is None else 1
        for now_ms in range(TICK_MS, self.end_ms + 2 * TICK_MS, TICK_MS):
            if pace is not None:
                pace(now_ms)
            self.loop.tick(now_ms, now_ms)
            if now_ms // TICK_MS % ticks_per_take == 0:
                yield from self._take()
        yield from self._take()

    def _take(self) -> Iterator[Wish]:
        decisions = self.loop.decisions.take()
        self.told.append(decisions)
        for t_ms, junction, before, after, kind, _mode, reason, _stages in decisions.rows.tolist():
            if kind == HOLD:
                self._wanted[junction] = -1
            elif self._wanted[junction] != after:
                self._wanted[junction] = after
                yield Wish(t_ms, junction, before, after, decisions.reasons[reason])
