"""Writes tables as Parquet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ..errors import StorageError

__all__ = ["write_table"]


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file. Raises StorageError when the disk is full or the file cannot be written."""
    try:
        frame.write_parquet(path, statistics=True)
    except (OSError, pl.exceptions.ComputeError) as err:  # polars wraps a full disk in its own error
        raise StorageError(f"{path}: expected room to write a table, found: {_one_line(err)}") from err


def _one_line(err: Exception) -> str:
    return " ".join(str(err).split())
