"""What lies where in a store, its version, and writing that survives a power cut.

    FOLDER/store.json                                  version stamp
    FOLDER/lock                                        held by the one writer
    FOLDER/journal/00000012.arrows                     a segment: an Arrow IPC stream, see ``stream``
    FOLDER/date=2026-11-24/block=0/00000011.parquet    what became of an older segment

A segment's number is on all files that hold its events. While the segment is there it counts, and Parquet files of
its number do not: so making Parquet of it takes effect at one instant, when the segment is deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, OutputError
from ..files import write_failure

__all__ = [
    "JOURNAL",
    "LOCK",
    "VERSION",
    "check_version",
    "delete",
    "is_store",
    "number_of",
    "rolled_files",
    "segment_path",
    "segments",
    "stamp",
    "sync_folder",
    "write_all",
    "write_durably",
]

VERSION = 1
JOURNAL = "journal"
LOCK = "lock"
_STAMP = "store.json"
_FORMAT = "greensplit event store"


def segment_path(folder: Path, number: int) -> Path:
    """Where segment ``number`` is, from 1."""
    return folder / JOURNAL / f"{number:08d}.arrows"


def segments(folder: Path) -> list[Path]:
    """The segments that are not Parquet yet, oldest first."""
    return sorted((folder / JOURNAL).glob("[0-9]*.arrows"))


def rolled_files(folder: Path) -> Iterator[Path]:
    """The Parquet files, oldest date first, then by segment."""
    for date in sorted(folder.glob("date=*")):
        yield from sorted(date.glob("block=*/[0-9]*.parquet"), key=lambda file: (number_of(file), file))


def number_of(file: Path) -> int:
    """The segment that the events of a file came from."""
    return int(file.stem)


def is_store(folder: Path) -> bool:
    """Whether a folder is an event store."""
    return (folder / _STAMP).is_file()


def check_version(folder: Path) -> None:
    """Raises InputError where a newer greensplit wrote the store, or the stamp is none."""
    path = folder / _STAMP
    try:
        found = json.loads(path.read_bytes())
        name, version = found["format"], int(found["version"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InputError(
            f"{path}: expected the stamp of an event store, found none that can be read"
        ) from err
    if name != _FORMAT or version > VERSION:
        raise InputError(
            f"{folder}: expected an event store of version {VERSION} or older, found {name} {version}:"
            " a newer greensplit reads it"
        )


def stamp(folder: Path) -> None:
    """Make a folder a store. Raises OutputError where it holds other things, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        others = sorted(names - {LOCK, f".{_STAMP}.partial"})  # what a crash in here leaves
        if others:
            raise OutputError(
                f"{folder}: expected an event store or an empty folder, found {others[0]} in it"
            )
        content = json.dumps({"format": _FORMAT, "version": VERSION}).encode()
        write_durably(folder / _STAMP, content)
    except OSError as err:
        raise write_failure(folder, err) from err


def write_durably(path: Path, content: bytes | memoryview) -> None:
    """Write a file that is whole or absent even after a power cut; its folders are made. Raises OSError."""
    _make_durably(path.parent)
    partial = path.with_name(f".{path.name}.partial")
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(fd, content, 0)
        os.fsync(fd)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
    partial.replace(path)
    sync_folder(path.parent)


def _make_durably(folder: Path) -> None:
    if not folder.is_dir():
        _make_durably(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def write_all(fd: int, content: bytes | memoryview, at: int) -> None:
    """Write ``content`` at an offset in bytes, all of it. Raises OSError."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(fd, rest, at)
        rest, at = rest[written:], at + written


def delete(path: Path) -> None:
    """Delete a file for good, even after a power cut; it may be gone already. Raises OSError."""
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
