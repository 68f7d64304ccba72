"""What a closed loop leaves for the evaluation, beside its files. Imports no simulator, kernels or data frames."""

from __future__ import annotations

import csv
import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greensplit.engine.files import atomic_path, write_atomically

__all__ = ["Record", "versions", "write_csv", "write_json"]

PACKAGES = ("greensplit", "eclipse-sumo", "numpy", "numba", "polars", "sumo-rl")


@dataclass(frozen=True, slots=True)
class Record:
    """The facts that the evaluation needs beside the files. ``manifest`` becomes ``run.json``.

    ``measured_from_s`` is the end of the warm-up; ``figures`` are parts of the summary that need no evaluation,
    ``truth`` the incidents as SUMO lived them, None where none were asked for.
    """

    manifest: dict[str, Any]
    figures: dict[str, Any]
    corridor: dict[str, Any] | None
    emission_classes: dict[str, str]
    measured_from_s: int
    truth: list[dict[str, Any]] | None = None

    @property
    def end_s(self) -> int:
        """Where the run ended, seconds of the simulation clock."""
        return int(self.manifest["end_s"])


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole."""
    write_atomically(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def write_csv(path: Path, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    """Write a table with a heading whole."""
    with atomic_path(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(rows)


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
