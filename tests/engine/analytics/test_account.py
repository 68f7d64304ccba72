"""The account of a junction, word for word, from a run directory made with known decisions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from greensplit.engine.analytics.account import Part, explain
from greensplit.engine.decisions import DECISION_DTYPE, FORCED, HOLD, SWITCH, Decisions, Weighing
from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Junction
from greensplit.engine.model.toml import write_site
from greensplit.engine.store.decisions import decision_frame

from ..kernels.sites import left_turn

BEGIN_S = 25_200
A, B, C, D = range(4)
NAN = float("nan")
ALL = Part()


def named_junction() -> Junction:
    """A street with its left turn, a side street; stages A to D."""
    names = ("from west: straight", "from west: left", "side street")
    junction = left_turn().junctions[0]
    groups = tuple(replace(one, name=name) for one, name in zip(junction.groups, names, strict=True))
    return replace(junction, groups=groups)


def write_run(folder: Path, rows: list[tuple[int, ...]], values: list[list[float]]) -> Path:
    """A run of one junction with stages A to D; rows: second, from, to, kind, mode, reason."""
    junction = named_junction()
    write_site(replace(left_turn(), junctions=(junction,)), folder / "model.toml")
    weighing = Weighing("expected delay, vehicle seconds", True, ("both loops", "stop-bar loops only"))
    decided = [
        (1000 * at, 0, start, end, kind, mode, reason, 4) for at, start, end, kind, mode, reason in rows
    ]
    decisions = Decisions(
        np.array(decided, DECISION_DTYPE),
        np.array(values, np.float32).ravel(),
        ("least delay", "red for too long"),
        weighing,
    )
    epoch = datetime(2024, 1, 1, tzinfo=UTC)
    choosers = [(junction.device_id, [stage.name for stage in junction.stages])]
    decision_frame(decisions, choosers, epoch).write_parquet(folder / "decisions.parquet")
    meta = {
        "scenario": "test",
        "controller": "best",
        "seed": 4,
        "begin_s": BEGIN_S,
        "end_s": BEGIN_S + 60,
        "epoch": epoch.isoformat(),
        "weighing": weighing._asdict(),
    }
    (folder / "run.json").write_text(json.dumps(meta), encoding="utf-8")
    (folder / "summary.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A held for 3 s, then C, then forced to B without its value; in between a mode changed."""
    rows = [
        (5, A, A, HOLD, 0, 0),
        (6, A, A, HOLD, 0, 0),
        (8, A, C, SWITCH, 0, 0),
        (20, C, C, HOLD, 0, 0),
        (21, C, C, HOLD, 1, 0),
        (22, C, B, FORCED, 1, 1),
    ]
    values = [
        [35.0, NAN, 48.0, 120.0],
        [36.5, NAN, 43.1, 120.0],
        [44.0, NAN, 40.0, 120.0],
        [90.0, NAN, 10.0, 130.0],
        [80.0, NAN, 10.0, 130.0],
        [70.0, NAN, 10.0, 130.0],
    ]
    return write_run(tmp_path, rows, values)


def test_holds_are_told_with_their_closest_moment_and_changes_with_all_that_was_weighed(run: Path) -> None:
    """The whole account; A was closest to being left at its second decision, 6.6 apart."""
    junction = named_junction()
    assert explain(run, junction.id, ALL).splitlines() == [
        f"test, best, seed 4: junction {junction.device_id}, {junction.id}",
        "6 decisions from 07:00:05 to 07:00:22; "
        "stages are weighed by expected delay, vehicle seconds, less is better",
        "  groups",
        "      1  from west: straight",
        "      2  from west: left",
        "      3  side street",
        "  stages (a group in brackets yields)",
        "    A    1 (2)  west straight, (left)",
        "    B    2      west left",
        "    C    3      side street",
        "    D    1      west straight",
        "  how often",
        "         4 holds     1 change   least delay",
        "         0 holds     1 change   red for too long",
        "  modes",
        "         3 holds     1 change   both loops",
        "         1 hold      1 change   stop-bar loops only",
        "",
        "07:00:05  A held for 3 s: least delay [both loops]",
        "          A 36.5; next best C 43.1, 6.60 more (closest at 07:00:06)",
        "07:00:08  A -> C: least delay [both loops]",
        "          C         40.0  chosen  3",
        "          A         44.0  left    1 (2)",
        "          D          120          1",
        "07:00:20  C held for 1 s: least delay [both loops]",
        "          C 10.0; next best A 90.0, 80.0 more",
        "07:00:21  C held for 1 s: least delay [stop-bar loops only]",
        "          C 10.0; next best A 80.0, 70.0 more",
        "07:00:22  C -> B: red for too long [stop-bar loops only]",
        "          B            –  chosen  2",
        "          A         70.0          1 (2)",
        "          C         10.0  left    3",
        "          D          130          1",
    ]


def test_the_last_entries_are_told_and_the_others_counted(run: Path) -> None:
    """Two of five."""
    lines = explain(run, "1", Part(last=2)).splitlines()
    assert "(3 earlier entries are left out)" in lines
    assert [line for line in lines if line.startswith("07:")] == [
        "07:00:21  C held for 1 s: least delay [stop-bar loops only]",
        "07:00:22  C -> B: red for too long [stop-bar loops only]",
    ]


def test_a_window_counts_and_tells_only_what_is_in_it(run: Path) -> None:
    """Both ends belong to it."""
    lines = explain(run, "1", Part(BEGIN_S + 6, BEGIN_S + 20)).splitlines()
    assert lines[1].startswith("3 decisions from 07:00:06 to 07:00:20;")
    assert sum(line.startswith("07:") for line in lines) == 3


def test_nothing_to_tell_is_said(run: Path) -> None:
    """A window without decisions, and a run without the table."""
    assert "no decisions: best weighed no stages here from 07:00:30" in explain(run, "1", Part(BEGIN_S + 30))
    (run / "decisions.parquet").unlink()
    assert "no decisions" in explain(run, "1", ALL)


def test_what_is_no_run_and_no_junction_is_refused(run: Path, tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(InputError, match="nowhere"):
        explain(tmp_path / "nowhere", "1", ALL)
    with pytest.raises(InputError, match="found 77"):
        explain(run, "77", ALL)
