"""The arterial detector on logs of a site: what is normal from some, alarms of another, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ...errors import InputError
from ...model.site import Site
from ...model.toml import read_site
from ...store.logfile import LOG_SCHEMA, read_log
from ..speed.bins import check_timezone
from . import arterial
from .calibration import Threshold, calibrate
from .scoring import (
    Alarm,
    Truth,
    alarms_of,
    poisson_interval,
    score_alarms,
    wilson_interval,
)
from .series import LanePlace, LaneSeries, lane_series, lanes_of

__all__ = ["Watch", "site_of", "watch"]


class Watch(NamedTuple):
    """Alarms of a log, one dict each, with what they came from; ``score`` is None without known truth."""

    alarms: list[dict[str, Any]]
    threshold: Threshold
    hours: float
    notes: list[str]
    score: dict[str, Any] | None


class _Log(NamedTuple):
    """Bins of a log and the UTC time of the first."""

    series: LaneSeries
    start: datetime


def site_of(log: Path, model: Path | None) -> Site:
    """The model given, or that of the run directory. Raises InputError where there is none, ModelError for a bad
    one."""
    path = model or log / "model.toml"
    if model is None and not path.is_file():
        raise InputError(
            f"{log}: expected a run directory with model.toml, or a model (--config), found none"
        )
    return read_site(path)


def watch(
    log: Path,
    site: Site,
    normal: Sequence[Path] = (),
    *,
    per_day: float = 1.0,
    bin_s: float = 20.0,
    timezone: str = "",
) -> Watch:
    """Alarms of ``log`` at ``per_day`` false alarms a day, as learned from the incident-free logs ``normal``.

    Without those the log itself is taken for normal, and a note says so. Times are told in ``timezone``, the site's
    where it is empty. Raises InputError for logs that cannot be used.
    """
    zone = check_timezone(timezone or site.timezone)
    lanes = lanes_of(site)
    watched = _read(log, lanes, bin_s)
    days = [_read(path, lanes, bin_s).series for path in normal] or [watched.series]
    devices = [lane.device_id for lane in lanes]
    model = arterial.learn(days, lanes)
    threshold = calibrate(arterial.held_out(days, lanes), devices, bin_s, per_day / 24.0)
    notes = _notes(threshold, bool(normal), len(days))
    told = arterial.statistics(watched.series, lanes, model)
    alarms = alarms_of(told.max(axis=0) > threshold.value, watched.series.ends_s(), devices)
    rows = [_row(alarm, told, watched, lanes, zone) for alarm in alarms]
    return Watch(rows, threshold, watched.series.hours, notes, _scored(log, alarms, watched))


def _read(path: Path, lanes: Sequence[LanePlace], bin_s: float) -> _Log:
    """A run directory, a folder of Parquet files, or one."""
    if not path.exists():
        raise InputError(f"{path}: expected a run directory or a log in Parquet, found nothing")
    try:
        log = pl.scan_parquet(path).select(LOG_SCHEMA) if path.is_file() else read_log(path)
        first, last = log.select(a=pl.col("timestamp").min(), b=pl.col("timestamp").max()).collect().row(0)
    except (pl.exceptions.PolarsError, OSError) as err:
        raise InputError(
            f"{path}: expected a log with columns {', '.join(LOG_SCHEMA)}, found: {' '.join(str(err).split())}"
        ) from err
    if first is None:
        raise InputError(f"{path}: expected events, found none")
    start_ms, end_ms = (round(at.timestamp() * 1000) for at in (first, last))
    series = lane_series(log, lanes, start_ms=start_ms, end_ms=end_ms, bin_s=bin_s)
    if not series.bins:
        raise InputError(
            f"{path}: expected a log of more than {bin_s:g} s, found {(end_ms - start_ms) / 1000:g} s"
        )
    if not np.nansum(series.stop_count) + np.nansum(series.advance_count):
        raise InputError(f"{path}: expected detections of the model's stop-bar and advance loops, found none")
    return _Log(series, datetime.fromtimestamp(start_ms / 1000.0, UTC))


def _notes(threshold: Threshold, taught: bool, logs: int) -> list[str]:
    notes = [f"calibrated on {threshold.hours:.1f} h of {logs} log{'s' if logs > 1 else ''}"]
    if not taught:
        notes.append(
            "no incident-free log was given: this one was taken for normal, and what it holds hides itself"
        )
    if not threshold.seen:
        notes.append(
            f"one false alarm in {1.0 / threshold.budget_per_h:.0f} h lies beyond these hours: extrapolated"
        )
    return notes


def _row(alarm: Alarm, told: Any, watched: _Log, lanes: Sequence[LanePlace], zone: str) -> dict[str, Any]:
    lane = lanes[alarm.place]
    step = round((alarm.start_s - watched.series.start_s) / watched.series.bin_s) - 1
    at = told[:, step, alarm.place]
    best = int(np.argmax(at))

    def local(seconds: float) -> str:
        instant = pl.Series([watched.start + timedelta(seconds=seconds)]).dt.convert_time_zone(zone)
        return str(instant.dt.strftime("%Y-%m-%dT%H:%M:%S%:z")[0])

    return {
        "start": local(alarm.start_s),
        "end": local(alarm.end_s),
        "device_id": alarm.device,
        "junction": lane.junction,
        "approach": lane.approach,
        "lane": lane.lane,
        "statistic": arterial.STATISTICS[best],
        "score": round(float(at[best]), 3),
    }


def _scored(log: Path, alarms: Sequence[Alarm], watched: _Log) -> dict[str, Any] | None:
    path = log / "incidents.parquet"
    if not path.is_file():
        return None
    truth = pl.read_parquet(path).filter(pl.col("device_id").is_not_null())
    truths = [
        Truth(
            (row["start"] - watched.start).total_seconds(),
            (row["end"] - watched.start).total_seconds(),
            frozenset(d for d in (row["device_id"], row["upstream_device_id"]) if d is not None),
        )
        for row in truth.iter_rows(named=True)
    ]
    score = score_alarms(alarms, truths, watched.series.hours)
    known = [delay for delay in score.delays_s if delay is not None]
    days = score.hours / 24.0
    return {
        "incidents": len(truths),
        "detected": score.found,
        "detection_rate_95": [round(b, 3) for b in wilson_interval(score.found, len(truths))],
        "mean_time_to_detect_s": round(float(np.mean(known)), 1) if known else None,
        "median_time_to_detect_s": round(float(np.median(known)), 1) if known else None,
        "false_alarms": len(score.false_alarms),
        "false_alarms_per_day_95": [round(b, 2) for b in poisson_interval(len(score.false_alarms), days)],
    }
