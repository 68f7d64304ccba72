"""Files that are whole or absent: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import GreensplitError, OutputError, StorageError

__all__ = ["atomic_path", "write_atomically", "write_failure"]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` to write to; renamed to ``path`` when the block ends without an error.

    Raises StorageError when the disk is full, OutputError when the place cannot be written.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}.partial")  # hosts may share the folder
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as err:
        raise write_failure(path, err) from err
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``, or leave ``path`` as it was."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def write_failure(path: Path, err: OSError) -> GreensplitError:
    """StorageError where the disk is full, OutputError where the place cannot be written, in words."""
    if err.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageError(f"{path}: expected room to write, found a full disk ({err.strerror})")
    if err.errno is None:  # numpy's short write
        return StorageError(f"{path}: could not be written: {err}")
    return OutputError(f"{path}: expected a place to write to, found: {err.strerror or err}")
