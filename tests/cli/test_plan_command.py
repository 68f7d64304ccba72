"""``greensplit plan`` as people use it: in a process of its own, judged by output, exit code and files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from greensplit.engine.model.toml import read_site

from .command import greensplit

WINDOW = ("--begin", "25200", "--end", "27000")
FILES = {"plans.toml", "plans.add.xml", "ntcip.json", "ntcip.csv"}


def test_plan_of_a_scenario_prints_a_summary_and_leaves_all_files(tmp_path: Path) -> None:
    """One junction: the expected delay goes down, the model has the plan, the tables have its cycle."""
    done = greensplit("plan", "cologne1", *WINDOW, "--json", "--out", "made", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    part = summary["parts"][0]
    assert part["delay_after_s"] < part["delay_before_s"]
    assert {path.name for path in (tmp_path / "made").iterdir()} == FILES
    site = read_site(tmp_path / "made" / "plans.toml")
    plan = next(plan for plan in site.junctions[0].plans if plan.name == part["plan"])
    assert plan.cycle_ms == 1000 * part["junctions"][0]["cycle_s"]
    with (tmp_path / "made" / "ntcip.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert int(rows[0]["patternCycleTime"]) * 1000 == plan.cycle_ms
    assert {int(row["splitPhase"]) for row in rows} == {g.phase for g in site.junctions[0].groups if g.phase}


def test_plan_of_a_run_directory_tells_a_person_the_splits(tmp_path: Path) -> None:
    """The log of a run brings its own model, and its time of day."""
    ran = greensplit(
        "run", "cologne1", "-c", "fixed", "--begin", "25200", "--end", "26100", "-o", "ran", cwd=tmp_path
    )
    assert ran.returncode == 0, ran.stderr
    done = greensplit("plan", "ran", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "from 07:00" in done.stdout
    assert "expected delay" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["ran"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan",), "expected a scenario"),
        (("plan", "nowhere"), "nowhere"),
        (("plan", "cologne1", "--out", "file"), "expected a folder"),
        (("plan", "empty"), "expected --model"),
        (("plan", "log.parquet", "--model", "missing.toml"), "missing.toml"),
        (("plan", "log.parquet"), "log.parquet: expected a run directory or a Parquet file, found nothing"),
    ],
)
def test_wrong_input_is_one_line_and_code_2(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """No stack trace, nothing written."""
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    done = greensplit(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("greensplit: ") == 1
    assert "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"file", "empty"}
