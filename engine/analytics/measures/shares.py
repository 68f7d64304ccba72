"""A calculation cut by devices, for other processes: a share is sent, its tables come back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ...kernel_cache import use_kernel_cache
from ..log.source import EventLog, open_log, surveyed
from .calculation import Calculation, Tables, calculate

__all__ = ["Share", "do_share", "gathered", "shares"]


@dataclass(frozen=True, slots=True)
class Share:
    """Some devices of a log that every worker can read. ``begin_ms`` and ``end_ms`` are those of the whole log."""

    paths: tuple[Path, ...]
    devices: tuple[Any, ...]
    config: pl.DataFrame | None
    what: Calculation
    begin_ms: int
    end_ms: int

    @property
    def title(self) -> str:
        """The share in words."""
        return f"devices {self.devices[0]} to {self.devices[-1]}"


def shares(
    paths: Sequence[Path], config: pl.DataFrame | None, what: Calculation, devices_each: int = 20
) -> list[Share]:
    """The calculation in shares of ``devices_each`` devices. Raises what ``open_log`` raises."""
    log = surveyed(open_log([path.resolve() for path in paths]))
    devices = [device for group in log.groups or [] for device in group]
    places = tuple(path.resolve() for path in paths)
    return [
        Share(places, tuple(devices[i : i + devices_each]), config, what, log.begin_ms, log.end_ms)
        for i in range(0, len(devices), devices_each)
    ]


def do_share(share: Share) -> dict[str, Any]:
    """Compute a share in a worker; its tables and notes, and that it is whole."""
    use_kernel_cache(os.environ)
    log: EventLog = open_log(share.paths, devices=share.devices)
    log.begin_ms, log.end_ms = share.begin_ms, share.end_ms
    tables = calculate(log, share.config, share.what, lambda _share: None)
    return {"partial": False, "tables": tables, "census": log.census, "dropped": log.dropped}


def gathered(rows: Sequence[dict[str, Any]]) -> Tables:
    """The tables of all shares, devices in order."""
    return {name: pl.concat([row["tables"][name] for row in rows]) for name in rows[0]["tables"]}
