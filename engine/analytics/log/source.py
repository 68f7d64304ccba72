"""Opens event logs: files, folders of device-days, run directories and frames, as the events of one device at a time.

Logs that fit are read once. Of larger ones a group of devices is read at a time, so memory holds GROUP_EVENTS at most
(12 bytes each) unless one device has more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from ...errors import InputError, StorageError
from ...events import DETECTOR_OFF, DETECTOR_ON
from ...store.places import is_store
from ...store.reading import event_parts
from .columns import ALIASES, LARGEST_CODE, named, normalised, parsed_times
from .detectors import absent
from .events import DeviceLog
from .packing import PARAMETER_BITS, ordered

__all__ = ["EventLog", "Source", "device_log", "merged", "open_log", "surveyed"]

CLOCK_UPDATED = 181
KNOWN_EVENTS = frozenset([*range(219), *range(300, 321), 400, *range(500, 504)])
"""The enumeration, and what vendors are known to add: actual splits and cycles, time drift, communications."""
SLICE_EVENTS = 1_000_000
GROUP_EVENTS = 64_000_000

Source = Path | str | Sequence[Path | str] | pl.DataFrame | pl.LazyFrame
T = TypeVar("T")
Piece = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Part:
    """A file or frame of the log: ``rows`` of ``frame`` in the columns device_id, t_ms, code."""

    where: str
    frame: pl.LazyFrame
    rows: int


class Census(NamedTuple):
    """What a device's events were, for notes to the reader."""

    duplicates: int
    clock_updates: int
    channels: frozenset[int]
    unknown: frozenset[int]


@dataclass(slots=True)
class EventLog:
    """A log that was opened: what is in it. Its events come from ``pieces``, a device at a time."""

    where: str
    parts: list[Part]
    groups: list[list[Any]] | None
    begin_ms: int = 0
    end_ms: int = 0
    dropped: int = 0
    found: dict[Any, int] = field(default_factory=dict)
    census: dict[Any, Census] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows before duplicates are dropped."""
        return sum(part.rows for part in self.parts)

    def notes(self, detectors: pl.DataFrame | None = None) -> list[str]:
        """What a reader should know, a line each, once the events were read: never an error."""
        counted = list(self.census.values())
        duplicates, updates = (
            sum(one.duplicates for one in counted),
            sum(one.clock_updates for one in counted),
        )
        unknown = sorted(frozenset().union(*(one.unknown for one in counted)))
        lines = [f"{duplicates} events are there twice: each counts once"] if duplicates else []
        if self.dropped:
            lines.append(
                f"{self.dropped} rows have an event or parameter outside 0 to {LARGEST_CODE}: left out"
            )
        if unknown:
            lines.append(f"event codes that the enumeration does not have: {', '.join(map(str, unknown))}")
        if updates:
            lines.append(f"clocks were set {updates} times: events are in order of their stamps")
        if detectors is not None:
            lines += absent(
                detectors, {str(device): set(one.channels) for device, one in self.census.items()}
            )
        return lines

    def pieces(self) -> Iterator[tuple[Any, list[Piece]]]:
        """Each device with its events as they were read, devices in order within a group."""
        if self.groups is None:
            yield from self._pieces_of(None)
        for group in self.groups or ():
            yield from self._pieces_of(group)

    def _pieces_of(self, group: list[Any] | None) -> Iterator[tuple[Any, list[Piece]]]:
        gathered: dict[Any, list[Piece]] = {}
        for part in self.parts:
            for device, piece in _runs(part, group, self._note_dropped):
                gathered.setdefault(device, []).append(piece)
        if group is None:
            self._note_span(gathered)
        for device in sorted(gathered):
            pieces = gathered.pop(device)
            self.found[device] = sum(len(times) for times, _ in pieces)
            yield device, pieces

    def _note_dropped(self, rows: int) -> None:
        self.dropped += rows

    def _note_span(self, gathered: dict[Any, list[Piece]]) -> None:
        times = [piece[0] for pieces in gathered.values() for piece in pieces]
        if not times:
            raise InputError(f"{self.where}: expected events, found an empty log")
        self.begin_ms = min(int(piece.min()) for piece in times)
        self.end_ms = max(int(piece.max()) for piece in times)


def device_log(log: EventLog, device: Any, pieces: list[Piece]) -> DeviceLog:
    """The device's events in order, each once. Empties ``pieces``."""
    rows = sum(len(piece[0]) for piece in pieces)
    times, codes = merged(pieces)
    pieces.clear()
    one = DeviceLog(device, times, codes, log.begin_ms, log.end_ms)
    log.census[device] = _census(one, rows - len(times))
    return one


def merged(pieces: Sequence[Piece]) -> Piece:
    """Pieces of one device as one, in order, each event once."""
    return ordered(
        np.concatenate([piece[0] for piece in pieces]), np.concatenate([piece[1] for piece in pieces])
    )


def _census(device: DeviceLog, duplicates: int) -> Census:
    events = np.bincount(device.event)
    updates = int(events[CLOCK_UPDATED]) if len(events) > CLOCK_UPDATED else 0
    channels = np.flatnonzero(np.bincount(device.of(DETECTOR_OFF, DETECTOR_ON).parameter))
    unknown = set(np.flatnonzero(events).tolist()) - KNOWN_EVENTS
    return Census(duplicates, updates, frozenset(channels.tolist()), frozenset(unknown))


def open_log(source: Source, devices: Iterable[Any] | None = None) -> EventLog:
    """Open a log: a Parquet or CSV file, several, a folder of them, a run directory,
    an event store, or a frame.

    With ``devices``, only their events. Times without a zone are UTC. Raises InputError for missing columns, mixed
    time zones, empty cells and an empty log; StorageError for a file that cannot be read.
    """
    frames = list(_frames(source))
    where = str(source) if isinstance(source, str | Path) else frames[0][0]
    parts, zones = [], set()
    for name, frame in frames:
        part, zoned = _reading(name, partial(_part, name, frame))
        parts.append(part)
        zones.add(zoned)
    if len(zones) > 1:
        raise InputError(f"{where}: expected one time zone, found files with a zone and files without")
    if not any(part.rows for part in parts):
        raise InputError(f"{where}: expected events, found an empty log")
    log = EventLog(where, parts, None)
    if devices is not None or log.rows > GROUP_EVENTS:
        return surveyed(log, devices)
    return log


def _part(name: str, frame: pl.LazyFrame) -> tuple[Part, bool]:
    typed, zoned = normalised(frame, name)
    return Part(name, _coded(typed), int(typed.select(pl.len()).collect().item())), zoned


def _frames(source: Source) -> Iterator[tuple[str, pl.LazyFrame]]:
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        yield "log", _with_times(source, "log").lazy()
        return
    paths = [source] if isinstance(source, str | Path) else list(source)
    for path in map(Path, paths):
        if is_store(path):
            yield from event_parts(path)
            continue
        for file in _files(path):
            yield str(file), _scanned(file)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folder = path / "events" if (path / "events").is_dir() else path
    found = sorted(file for file in folder.glob("**/*") if file.suffix in (".parquet", ".csv"))
    found = [file for file in found if not file.name.startswith(".")]
    if not found:
        raise InputError(
            f"{path}: expected a log, a folder of logs or a run directory, found no .parquet and no .csv"
        )
    return found


def _scanned(path: Path) -> pl.LazyFrame:
    if path.suffix == ".csv":
        frame = _reading(
            str(path), lambda: pl.read_csv(path, try_parse_dates=False, infer_schema_length=1000)
        )
        return _with_times(frame, str(path)).lazy()
    return pl.scan_parquet(path, hive_partitioning=False, glob=False)


def _with_times(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Times of text become times."""
    column = named(frame.columns, ALIASES, where)["timestamp"]
    return parsed_times(frame, column, where) if frame.schema[column] == pl.String else frame


def _reading(where: str, read: Callable[[], T]) -> T:
    """What ``read`` gives; its trouble in one line."""
    try:
        return read()
    except pl.exceptions.NoDataError as err:
        raise InputError(f"{where}: expected events, found an empty file") from err
    except (OSError, pl.exceptions.PolarsError) as err:
        raise StorageError(f"{where}: expected a whole log file, found: {str(err).splitlines()[0]}") from err


def _coded(frame: pl.LazyFrame) -> pl.LazyFrame:
    inside = pl.col("event_id").is_between(0, LARGEST_CODE) & pl.col("parameter").is_between(0, LARGEST_CODE)
    code = pl.col("event_id") * (1 << PARAMETER_BITS) + pl.col("parameter")
    return frame.select(
        "device_id",
        "t_ms",
        pl.when(inside | code.is_null()).then(code).otherwise(-1).cast(pl.Int32).alias("code"),
    )


def _runs(part: Part, group: list[Any] | None, dropped: Callable[[int], None]) -> Iterator[tuple[Any, Piece]]:
    """The part's events as runs of one device; rows outside the code range are counted and left out."""
    for offset in range(0, part.rows, SLICE_EVENTS):
        lazy = part.frame.slice(offset, SLICE_EVENTS)
        if group is not None:
            lazy = lazy.filter(pl.col("device_id").is_in(group))
        frame = _reading(part.where, lazy.collect)
        empty = sum(frame.null_count().row(0))
        if empty:
            raise InputError(f"{part.where}: expected a value in every cell, found {empty} empty ones")
        if frame.height and frame["code"].min() == -1:
            whole = frame.height
            frame = frame.filter(pl.col("code") >= 0)
            dropped(whole - frame.height)
        yield from _split(frame)


def _split(frame: pl.DataFrame) -> Iterator[tuple[Any, Piece]]:
    if frame["device_id"].n_unique() * 4 < len(frame["device_id"].rle()):
        frame = frame.sort("device_id", maintain_order=True)
    runs = frame["device_id"].rle().struct.unnest()
    t_ms, code = frame["t_ms"].to_numpy(), frame["code"].to_numpy()
    start = 0
    for length, device in runs.iter_rows():
        yield device, (t_ms[start : start + length], code[start : start + length])
        start += length


def surveyed(log: EventLog, wanted: Iterable[Any] | None = None) -> EventLog:
    """The log with its span and its devices in groups, from one pass over two columns."""
    surveys = [_reading(part.where, partial(_spans, part)) for part in log.parts if part.rows]
    devices = pl.concat(surveys).group_by("device_id").agg(pl.col("rows").sum())
    log.begin_ms = min(int(survey["first"].min()) for survey in surveys)  # type: ignore[arg-type]
    log.end_ms = max(int(survey["last"].max()) for survey in surveys)  # type: ignore[arg-type]
    chosen = devices if wanted is None else devices.filter(pl.col("device_id").is_in(list(wanted)))
    log.groups = _grouped(dict(chosen.iter_rows()))
    return log


def _spans(part: Part) -> pl.DataFrame:
    time = pl.col("t_ms")
    summary = part.frame.group_by("device_id").agg(
        pl.len().alias("rows"), time.min().alias("first"), time.max().alias("last")
    )
    return summary.collect(engine="streaming")


def _grouped(counts: dict[Any, int]) -> list[list[Any]]:
    groups: list[list[Any]] = []
    room = 0
    for device in sorted(counts):
        if not groups or counts[device] > room:
            groups.append([])
            room = GROUP_EVENTS
        groups[-1].append(device)
        room -= counts[device]
    return groups
