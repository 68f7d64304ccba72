"""Run directories as the report sees them: what is there, what is missing, which runs belong together."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import InputError

__all__ = ["LABEL_FIELDS", "Arm", "Run", "arms_of", "load_run", "mean_of", "network_of", "number"]

BASELINE = "fixed"
LABEL_FIELDS = ("vision", "profile", "scale")


@dataclass(frozen=True, slots=True)
class Run:
    """One run directory. ``meta`` is run.json, ``summary`` is summary.json."""

    folder: Path
    meta: dict[str, Any]
    summary: dict[str, Any]

    @property
    def seed(self) -> int:
        return int(self.meta.get("seed") or 0)

    @property
    def begin_s(self) -> float:
        return float(self.meta.get("begin_s") or 0.0)

    @property
    def end_s(self) -> float:
        return float(self.meta.get("end_s") or self.begin_s)

    @property
    def epoch_ms(self) -> int:
        """UTC milliseconds since 1970 of simulation second ``begin_s``."""
        text = str(self.meta.get("epoch") or "2024-01-01T00:00:00+00:00")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise InputError(
                f"expected an ISO timestamp in 'epoch', found {text!r} in {self.folder / 'run.json'}"
            ) from error
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)

    def table(self, name: str) -> pl.LazyFrame | None:
        """The Parquet file ``name`` of the run, or None where the run has none."""
        path = self.folder / name
        return pl.scan_parquet(path) if path.is_file() else None

    def events(self) -> pl.LazyFrame | None:
        """The event log of the run, or None where the run has none."""
        files = sorted((self.folder / "events").glob("**/*.parquet"))
        return pl.scan_parquet(files, hive_partitioning=False) if files else None


@dataclass(frozen=True, slots=True)
class Arm:
    """One controller under comparison with its runs, lowest seed first."""

    label: str
    controller: str
    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def is_baseline(self) -> bool:
        return self.controller == BASELINE


def load_run(folder: Path) -> Run:
    """Reads run.json and summary.json of a run directory.

    Raises InputError where one of them is missing or no JSON object.
    """
    return Run(folder, _json_object(folder / "run.json"), _json_object(folder / "summary.json"))


def network_of(runs: Iterable[Run]) -> dict[str, Any]:
    """network.json of the first run that has one; an empty object where none has."""
    for run in runs:
        path = run.folder / "network.json"
        if path.is_file():
            return _json_object(path)
    return {}


def _json_object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"expected a run directory with {path.name}, found none readable at {path}"
        ) from error
    except ValueError as error:
        raise InputError(f"expected JSON, found {error} in {path}") from error
    if not isinstance(value, dict):
        raise InputError(f"expected a JSON object, found {type(value).__name__} in {path}")
    return value


def arms_of(runs: Sequence[Run]) -> list[Arm]:
    """Runs grouped by controller: the baseline first, then the least corrected delay first.

    The label names vision, profile and scale too where they differ between the runs of one controller.
    Raises InputError where the runs are of several scenarios or there are none.
    """
    _require_one_scenario(runs)
    varying = [name for name in LABEL_FIELDS if _splits_a_controller(runs, name)]
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(_label(run, varying), []).append(run)
    arms = [
        Arm(label, _controller(members[0]), tuple(sorted(members, key=lambda run: run.seed)))
        for label, members in groups.items()
    ]
    return sorted(arms, key=_rank)


def _splits_a_controller(runs: Sequence[Run], name: str) -> bool:
    pairs = {(_controller(run), str(run.meta.get(name))) for run in runs}
    return len(pairs) > len({controller for controller, _ in pairs})


def _require_one_scenario(runs: Sequence[Run]) -> None:
    if not runs:
        raise InputError("expected at least one run directory, found none")
    names = sorted({str(run.meta.get("scenario")) for run in runs})
    if len(names) > 1:
        raise InputError(f"expected runs of one scenario, found {', '.join(names)}")


def _controller(run: Run) -> str:
    return str(run.meta.get("controller") or run.summary.get("controller") or "unknown controller")


def _label(run: Run, varying: Sequence[str]) -> str:
    extras = ", ".join(f"{name} {run.meta.get(name)}" for name in varying)
    return f"{_controller(run)} ({extras})" if extras else _controller(run)


def _rank(arm: Arm) -> tuple[bool, float]:
    delay_s = mean_of(arm.runs, "corrected_delay_s")
    return (not arm.is_baseline, math.inf if delay_s is None else delay_s)


def mean_of(runs: Iterable[Run], key: str) -> float | None:
    """Mean of a summary value over the runs that have it, in the unit of the value."""
    values = [value for run in runs if (value := number(run.summary.get(key))) is not None]
    return sum(values) / len(values) if values else None


def number(value: object) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None
