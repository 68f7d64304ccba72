"""Reads what SUMO wrote. A file of its that is cut short is not the user's fault but a full disk's."""

from __future__ import annotations

from pathlib import Path

from greensplit.engine.errors import NetworkError, StorageError
from greensplit.scenarios.xmlio import StartHandler, scan

__all__ = ["scan_output"]


def scan_output(path: Path, on_start: StartHandler) -> None:
    """Like ``scenarios.xmlio.scan``, but a file that is missing or not whole raises StorageError."""
    try:
        scan(path, on_start)
    except NetworkError as err:
        raise StorageError(
            f"{path}: expected SUMO's output whole, found it missing or cut short: is the disk full?"
        ) from err
