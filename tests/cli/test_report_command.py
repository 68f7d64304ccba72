"""``greensplit report AFTER --before BEFORE`` as people use it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from greensplit.cli.__main__ import main

from ..engine.analytics.comparison.streets import log, trips, weekdays


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trip tables of eight days on either side, and a log."""
    folder = tmp_path_factory.mktemp("tables")
    before, after = weekdays(date(2024, 2, 5), 8), weekdays(date(2024, 4, 8), 8)
    trips(before, 30.0, 1).write_parquet(folder / "before.parquet")
    trips(after, 24.0, 2).write_csv(folder / "after.csv")
    trips(after, 24.0, 2).drop("vehicle_id").write_csv(folder / "samples.csv")
    log(after[:1], (5,), 3).write_parquet(folder / "log.parquet")
    pl.DataFrame({"a": [1]}).write_csv(folder / "rubbish.csv")
    return folder


def called(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    """The command in this process; its exit code."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["greensplit", "report", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_a_report_in_one_command(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page, tables and JSON of one comparison; the page is whole and says the command that made it."""
    out = tmp_path / "report.html"
    code = called(
        monkeypatch, tables, "after.csv", "--before", "before.parquet", "--timezone", "Europe/Berlin",
        "--json", "--format", "csv", "-o", str(out),
    )  # fmt: skip
    assert code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lead"] == "delay"
    assert told["written"][0] == str(out)
    assert all(Path(path).is_file() for path in told["written"])
    page = out.read_text(encoding="utf-8")
    assert "greensplit report after.csv --before before.parquet" in page
    assert page.endswith("</html>")


def test_the_table_tells_each_effect_with_its_interval(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In Chinese too."""
    out = tmp_path / "report.html"
    asked = ("after.csv", "--before", "before.parquet", "--lang", "zh", "-o", str(out))
    assert called(monkeypatch, tables, *asked) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("│ 延误")]
    assert len(lines) == 4
    assert all("置信区间" in line for line in lines)


REFUSALS = {
    "expected the same kinds before and after": ("log.parquet", "--before", "before.parquet"),
    "expected --detectors": ("log.parquet", "--before", "log2.parquet"),
    "found volumes missing": ("samples.csv", "--before", "before.parquet"),
    "found it on both sides": ("after.csv", "--before", "after.csv"),
    "all before to precede all after": ("before.parquet", "--before", "after.csv"),
    "at least 30 days": ("after.csv", "--before", "before.parquet", "--least", "30"),
    "--lang: expected en or zh": ("after.csv", "--before", "before.parquet", "--lang", "fr"),
    "--format: expected csv": ("after.csv", "--before", "before.parquet", "--format", "doc"),
    "--periods: expected NAME=": ("after.csv", "--before", "before.parquet", "--periods", "am"),
    "--weekdays: expected days": ("after.csv", "--before", "before.parquet", "--weekdays", "0"),
    "--exclude: expected YYYY": ("after.csv", "--before", "before.parquet", "--exclude", "monday"),
    "--control: expected a corridor": ("after.csv", "--before", "before.parquet", "--control", "nobody"),
    "time zone: expected a name": ("after.csv", "--before", "before.parquet", "--timezone", "Mars"),
    "found nothing there": ("nowhere", "--before", "before.parquet"),
    "expected columns": ("rubbish.csv", "--before", "log.parquet", "--detectors", "rubbish.csv"),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_bad_input_is_one_line_and_leaves_no_file(
    tables: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    message: str,
) -> None:
    """Exit code 2; what was expected and what was found."""
    if not (tables / "log2.parquet").exists():
        log(weekdays(date(2024, 2, 5), 1), (5,), 4).write_parquet(tables / "log2.parquet")
    out = tmp_path / "report.html"
    assert called(monkeypatch, tables, *REFUSALS[message], "-o", str(out)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert not out.exists()
