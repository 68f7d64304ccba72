"""Reads both sides: what kind each input is, whether they can be compared, and what a reader should know of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import InputError
from ..log import read_detectors
from ..report.runs import Run
from .cells import CELLS, network_cells, record_cells
from .quiet import with_quiet_bins
from .records import is_record_table, read_records, table_files, with_free_flow
from .runs import is_run_folder, run_cells, run_folders, run_problems, run_warnings, seed_of
from .signals import SignalLog, read_signals

__all__ = ["Options", "Sides", "open_sides", "read_corridors"]

RUNS, LOGS, TABLES = "runs", "event logs", "tables"
OTHER_DETECTORS = "its detectors are others than before"
NOT_THERE = "not measured on the other side"
Note = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Options:
    """How inputs are read: detectors of either side, names of corridors by segment or device, the time zone."""

    detectors: Path | None = None
    detectors_before: Path | None = None
    corridors: Mapping[str, str] = field(default_factory=dict)
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Sides:
    """Cells of both sides (with the network as the corridor of no name) and what was found on the way.

    ``unit`` is ``seed`` or ``day``; ``notes`` are sentences for the reader, ``left_out`` side, unit and reason of what
    was not read; ``sources`` name and sha256 of what was read.
    """

    before: pl.DataFrame
    after: pl.DataFrame
    unit: str
    notes: tuple[Note, ...] = ()
    left_out: tuple[tuple[str, str, str], ...] = ()
    sources: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    runs: tuple[tuple[Run, ...], tuple[Run, ...]] = ((), ())
    logs: tuple[tuple[Path, ...], tuple[Path, ...]] = ((), ())
    detectors: tuple[pl.DataFrame, ...] = ()


def open_sides(before: Sequence[Path], after: Sequence[Path], options: Options) -> Sides:
    """Both sides as cells. Raises InputError where they are of different kinds, or the same, or hold nothing."""
    for path in (*before, *after):
        if not path.exists():
            raise InputError(
                f"{path}: expected a run directory, an event log or a table, found nothing there"
            )
    shared = {path.resolve() for path in before} & {path.resolve() for path in after}
    if shared:
        raise InputError(f"{min(shared)}: expected each input before or after, found it on both sides")
    kinds = [[_kind(path) for path in side] for side in (before, after)]
    if set(kinds[0]) != set(kinds[1]) or (RUNS in kinds[0] and len(set(kinds[0])) > 1):
        raise InputError(
            f"inputs: expected the same kinds before and after, found {_listed(kinds[0])} and {_listed(kinds[1])}"
        )
    if RUNS in kinds[0]:
        return _of_runs(before, after)
    return _of_days(before, after, kinds, options)


def read_corridors(path: Path) -> dict[str, str]:
    """Corridor by segment or device, of a CSV file with those two columns. Raises InputError."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as err:
        raise InputError(f"{path}: expected a CSV table, found: {str(err).splitlines()[0]}") from err
    if frame.width < 2 or frame.is_empty() or "corridor" not in frame.columns:
        raise InputError(
            f"{path}: expected a segment or device and a column corridor, found {', '.join(frame.columns)}"
        )
    key = next(name for name in frame.columns if name != "corridor")
    return dict(frame.select(key, "corridor").iter_rows())


def _listed(kinds: Sequence[str]) -> str:
    return " with ".join(sorted(set(kinds)))


def _kind(path: Path) -> str:
    if is_run_folder(path):
        return RUNS
    return TABLES if is_record_table(table_files(path)[0]) else LOGS


def _of_runs(before: Sequence[Path], after: Sequence[Path]) -> Sides:
    sides = run_folders(before), run_folders(after)
    run_problems(*sides)
    whole = [[run for run in side if not _is_cut(run)] for side in sides]
    for name, side in zip(("before", "after"), whole, strict=True):
        if not side:
            raise InputError(f"{name}: expected finished runs, found none")
    cut = [
        (name, seed_of(run), "cut short before the end")
        for name, side in zip(("before", "after"), sides, strict=True)
        for run in side
        if _is_cut(run)
    ]
    cells = [pl.concat(run_cells(run) for run in side) for side in whole]
    names = ("before", "after")
    return Sides(
        cells[0],
        cells[1],
        "seed",
        notes=tuple(run_warnings(*whole)),
        left_out=tuple(cut),
        sources={
            name: tuple(_run_source(run) for run in side) for name, side in zip(names, whole, strict=True)
        },
        runs=(tuple(whole[0]), tuple(whole[1])),
    )


def _is_cut(run: Run) -> bool:
    return bool(run.meta.get("partial")) or run.meta.get("complete") is False


def _run_source(run: Run) -> tuple[str, str]:
    return str(run.folder), _digest(run.folder / "trips.parquet")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _of_days(
    before: Sequence[Path], after: Sequence[Path], kinds: Sequence[Sequence[str]], options: Options
) -> Sides:
    paths = {
        kind: [
            [path for path, own in zip(side, found, strict=True) if own == kind]
            for side, found in zip((before, after), kinds, strict=True)
        ]
        for kind in set(kinds[0])
    }
    cells: list[list[pl.DataFrame]] = [[], []]
    notes: list[Note] = []
    left_out: list[tuple[str, str, str]] = []
    detectors: list[pl.DataFrame] = []
    if TABLES in paths:
        tables = _tables(paths[TABLES], options)
        for own, table in zip(cells, tables, strict=True):
            own.append(table)
        if any(table["volume_veh"].null_count() == table.height for table in tables):
            notes.append(("warning.no_volumes", {}))
    if LOGS in paths:
        detectors = _detectors(options)
        logs, left_out = _logs(paths[LOGS], detectors, options)
        for own, table in zip(cells, logs, strict=True):
            own.append(table)
    shared, lonely = _shared(*(pl.concat(own) for own in cells))
    left_out += lonely
    both = [pl.concat([own, network_cells(own)]) for own in shared]
    return Sides(
        both[0],
        both[1],
        "day",
        tuple(notes),
        tuple(left_out),
        {
            name: tuple((str(file), _digest(file)) for path in side for file in table_files(path))
            for name, side in (("before", before), ("after", after))
        },
        logs=(tuple(paths.get(LOGS, [[], []])[0]), tuple(paths.get(LOGS, [[], []])[1])),
        detectors=tuple(detectors),
    )


def _shared(
    before: pl.DataFrame, after: pl.DataFrame
) -> tuple[list[pl.DataFrame], list[tuple[str, str, str]]]:
    """The cells of corridors and measures that both sides have; a network is the same network or none."""
    keys = ["corridor", "measure"]
    kept, lonely = [], []
    for name, own, other in (("before", before, after), ("after", after, before)):
        kept.append(own.join(other.select(keys).unique(), on=keys, how="semi"))
        gone = set(own["corridor"]) - set(other["corridor"])
        lonely += [(name, corridor, NOT_THERE) for corridor in sorted(gone)]
    if kept[0].is_empty():
        raise InputError(
            f"corridors: expected one in common, found {', '.join(sorted(set(before['corridor'])))} before and "
            f"{', '.join(sorted(set(after['corridor'])))} after"
        )
    return kept, lonely


def _tables(sides: Sequence[Sequence[Path]], options: Options) -> tuple[pl.DataFrame, pl.DataFrame]:
    records = with_free_flow(*(read_records(side, options.corridors) for side in sides))
    return with_quiet_bins(record_cells(records[0]), record_cells(records[1]), options.timezone)


def _detectors(options: Options) -> list[pl.DataFrame]:
    """Of before and after."""
    if options.detectors is None:
        raise InputError(
            "event logs: expected --detectors with device, channel, phase and function, found none"
        )
    return [read_detectors(options.detectors_before or options.detectors), read_detectors(options.detectors)]


def _logs(
    sides: Sequence[Sequence[Path]], detectors: Sequence[pl.DataFrame], options: Options
) -> tuple[list[pl.DataFrame], list[tuple[str, str, str]]]:
    logs = [
        read_signals(side, table, timezone=options.timezone, whole_bins=True)
        for side, table in zip(sides, detectors, strict=True)
    ]
    silent = _silent_devices(logs, detectors)
    lost = [(name, f"Junction {device}", reason) for device, (name, reason) in silent.items()]
    lost += [
        ("after", f"Junction {device}", "its detectors are others than before")
        for device in _reconfigured(detectors)
    ]
    kept = [log.cells.filter(~pl.col("corridor").is_in([unit for _, unit, _ in lost])) for log in logs]
    if any(cells.is_empty() for cells in kept):
        raise InputError(
            "event logs: expected a junction with the same detectors before and after, found none"
        )
    return [_renamed(cells, options.corridors) for cells in kept], lost


def _reconfigured(detectors: Sequence[pl.DataFrame]) -> list[str]:
    """Junctions whose detectors are others on one side than on the other."""
    keys = ["device_id", "channel", "phase", "function"]
    rows = [
        set(table.select(pl.col("device_id").cast(pl.String), *keys[1:]).iter_rows()) for table in detectors
    ]
    return sorted({str(row[0]) for row in rows[0] ^ rows[1]})


def _silent_devices(
    logs: Sequence[SignalLog], detectors: Sequence[pl.DataFrame]
) -> dict[str, tuple[str, str]]:
    """Junctions of which a configured channel spoke on one side only, with the side that lacks it."""
    configured: dict[str, set[int]] = {}
    for device, channel in detectors[0].select(pl.col("device_id").cast(pl.String), "channel").iter_rows():
        configured.setdefault(device, set()).add(channel)
    found = {}
    for device in sorted(set(logs[0].channels) | set(logs[1].channels)):
        spoke = [log.channels.get(device, frozenset()) & configured.get(device, set()) for log in logs]
        for name, own, other in (("before", spoke[0], spoke[1]), ("after", spoke[1], spoke[0])):
            if other - own:
                listed = ", ".join(map(str, sorted(other - own)))
                found[device] = (name, f"detector channel {listed} is silent on this side only")
    return found


def _renamed(cells: pl.DataFrame, corridors: Mapping[str, str]) -> pl.DataFrame:
    """Junctions summed into their corridors; without names, each is one."""
    if not corridors:
        return cells
    names = {f"Junction {device}": corridor for device, corridor in corridors.items()}
    keys = ["corridor", "measure", "seed", "timestamp"]
    mapped = cells.with_columns(
        member=pl.col("corridor"),
        corridor=pl.col("corridor").replace_strict(
            list(names), list(names.values()), default=None, return_dtype=pl.String
        ),
    ).filter(pl.col("corridor").is_not_null())
    members = pl.col("member").n_unique().over("corridor", "measure")
    return (
        mapped.with_columns(members=members)
        .group_by(*keys, "members")
        .agg(pl.len().alias("found"), pl.col("numerator", "denominator", "volume_veh").sum())
        .filter(pl.col("found") == pl.col("members"))
        .select(*CELLS)
    )
