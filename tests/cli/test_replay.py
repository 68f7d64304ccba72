"""``greensplit replay``: a recorded log, a controller, and what it would have done."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from greensplit.cli.__main__ import app
from greensplit.cli.replay import _pace
from greensplit.engine.errors import InputError
from greensplit.engine.events import BEGIN_GREEN, DETECTOR_OFF, DETECTOR_ON, EVENT_DTYPE
from greensplit.engine.model.toml import write_site
from greensplit.engine.store.decisions import DECISION_SCHEMA
from greensplit.engine.store.logfile import event_frame

from ..bridges.street import two_crossroads

BEGIN = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def log_of(folder: Path, with_lamps: bool) -> tuple[Path, Path]:
    """Two minutes: a car waits at group 2 of A from second 10 on; group 1 shows green if lamps are told."""
    rows = [(0, 1, DETECTOR_OFF, 1), (10_000, 1, DETECTOR_ON, 2), (120_000, 1, DETECTOR_OFF, 1)]
    if with_lamps:
        rows += [(100, 1, BEGIN_GREEN, 1), (100, 2, BEGIN_GREEN, 1)]
    model, log = folder / "site.toml", folder / "log.parquet"
    write_site(two_crossroads(), model)
    event_frame(np.array(sorted(rows), EVENT_DTYPE), BEGIN).write_parquet(log)
    return log, model


@pytest.mark.parametrize("with_lamps", [False, True])
def test_what_is_printed_is_what_was_decided(with_lamps: bool, tmp_path: Path) -> None:
    """The file has every decision with its time of the log; the lines are its changes, told once each."""
    log, model = log_of(tmp_path, with_lamps)
    out = tmp_path / "decisions.parquet"
    told = CliRunner().invoke(app, ["replay", str(log), "--model", str(model), "--out", str(out)])
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert ("upon lamps of the log" in lines[-2]) == with_lamps
    printed = [tuple(line.split("  ")[:3]) for line in lines if " -> " in line]
    table = pl.read_parquet(out)
    assert table.schema == pl.Schema(DECISION_SCHEMA)
    assert table["timestamp"].min() >= BEGIN
    wanted: dict[int, str] = {}
    changes = []
    for row in table.iter_rows(named=True):
        device, after = row["device_id"], row["to_stage"]
        if row["kind"] != "hold" and wanted.get(device) != after:
            name = {1: "A", 2: "B"}[device]
            changes.append((f"{row['timestamp']:%H:%M:%S}", name, f"{row['from_stage']} -> {after}"))
        wanted[device] = after if row["kind"] != "hold" else ""
    assert printed == changes
    assert ("A", "S1 -> S2") in {change[1:] for change in changes}


def test_the_summary_as_json(tmp_path: Path) -> None:
    """Seconds, changes by junction, and rows of nobody."""
    log, model = log_of(tmp_path, with_lamps=True)
    arguments = ["replay", str(log), "--model", str(model)]
    summary = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    lines = CliRunner().invoke(app, arguments).stdout.splitlines()
    assert summary["seconds"] == 120.0
    assert summary["changes"] == {name: sum(f"  {name}  " in line for line in lines) for name in ("A", "B")}
    assert summary["unknown_rows"] == 0


def test_the_pace_is_that_of_the_speed() -> None:
    """At ten times the speed second 5 of the log is due after half a second; a late one is not waited for."""
    now_s, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now_s[0] += seconds

    wait = _pace(10.0, lambda: now_s[0], sleep)
    wait(5000)
    now_s[0] += 0.3
    wait(6000)
    wait(9000)
    assert slept == [0.5, 0.0, 0.1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "nowhere: expected a run directory or a Parquet file"),
        (["LOG"], "expected --model or a run directory"),
        (["LOG", "--model", "MODEL", "--speed", "-1"], "--speed: expected 0 to 10000, found -1"),
        (["LOG", "--model", "MODEL", "--controller", "fixed"], "expected one that decides from loops"),
        (["LOG", "--model", "MODEL", "--controller", "greedy"], "expected one that decides from loops"),
        (["MODEL", "--model", "MODEL"], "expected an event log in the standard four columns"),
        (["EMPTY", "--model", "MODEL"], "expected a log with events, found none"),
        (["OTHER", "--model", "MODEL"], "found none; 1 rows are of others"),
    ],
)
def test_each_mistake_is_one_line(arguments: list[str], told: str, tmp_path: Path) -> None:
    """What was expected, what was found."""
    log, model = log_of(tmp_path, with_lamps=False)
    empty, other = tmp_path / "empty.parquet", tmp_path / "other.parquet"
    event_frame(np.zeros(0, EVENT_DTYPE), BEGIN).write_parquet(empty)
    event_frame(np.array([(0, 77, DETECTOR_ON, 1)], EVENT_DTYPE), BEGIN).write_parquet(other)
    places = {"LOG": log, "MODEL": model, "EMPTY": empty, "OTHER": other}
    found = CliRunner().invoke(app, ["replay", *(str(places.get(a, a)) for a in arguments)])
    assert isinstance(found.exception, InputError)
    assert told in str(found.exception)
