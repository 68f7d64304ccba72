"""Event logs of a fixed cycle with known arrivals: the day as the unit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from greensplit.engine.analytics.comparison import Question, compare_sides, open_sides
from greensplit.engine.analytics.comparison.findings import Findings
from greensplit.engine.analytics.comparison.sides import Options
from greensplit.engine.errors import InputError

from .streets import log, trips, weekdays

DETECTORS = "device_id,channel,phase,function\n7,1,2,advance\n8,1,2,advance\n"
BEFORE, AFTER = weekdays(date(2024, 2, 5), 7), weekdays(date(2024, 4, 2), 7)


def compared(folder: Path, before: pl.DataFrame, after: pl.DataFrame, other: str = "") -> Findings:
    """Both logs as files, compared; ``other``: the detectors before, where they were others."""
    for name, frame in (("before", before), ("after", after)):
        frame.write_parquet(folder / f"{name}.parquet")
    (folder / "now.csv").write_text(DETECTORS)
    (folder / "then.csv").write_text(other or DETECTORS)
    options = Options(folder / "now.csv", folder / "then.csv")
    sides = open_sides([folder / "before.parquet"], [folder / "after.parquet"], options)
    return compare_sides(sides, Question(replicates=500))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Arrivals at seconds 5, 20 and 45 of the cycle before; 5, 20 and 25 after: green lasts from 0 to 30."""
    return compared(tmp_path_factory.mktemp("logs"), log(BEFORE, (5, 20, 45), 1), log(AFTER, (5, 20, 25), 2))


def test_arrivals_on_green_go_from_two_thirds_to_all(found: Findings) -> None:
    """Two of three seconds lie in green before, all of them after."""
    outcome = found.outcome("arrivals_on_green")
    assert outcome is not None
    assert outcome.before == pytest.approx(200 / 3, abs=0.3)
    assert outcome.after == pytest.approx(100.0)
    assert outcome.change.low < 100 / 3 < outcome.change.high


def test_control_delay_is_the_wait_for_green(found: Findings) -> None:
    """One of three waits from 45.2 s to 60 s; a night or a weekend without a log adds nothing to it."""
    outcome = found.outcome("control_delay")
    assert outcome is not None
    assert outcome.before == pytest.approx(14.8 / 3, abs=0.05)
    assert outcome.after == 0.0


def test_other_detectors_before_are_refused(tmp_path: Path) -> None:
    """A channel that served another phase counted something else; no other junction is left."""
    short = [log(days[:6], (5, 20), seed) for days, seed in ((BEFORE, 3), (AFTER, 4))]
    with pytest.raises(InputError, match="expected a junction with the same detectors before and after"):
        compared(tmp_path, short[0], short[1], DETECTORS + "7,1,4,advance\n")


def test_a_junction_with_a_loop_that_went_silent_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """Junction 8 has no arrivals after: its loop is dead, its traffic is not gone."""
    before = pl.concat([log(BEFORE[:6], (5, 45), 5), log(BEFORE[:6], (5, 45), 6, device=8)])
    after = pl.concat([log(AFTER[:6], (5, 20), 7), log(AFTER[:6], (), 8, device=8)])
    found = compared(tmp_path, before, after)
    assert (
        "after",
        "Junction 8",
        "detector channel 1 is silent on this side only",
    ) in found.exclusions.select("side", "unit", "reason").rows()
    assert [one.corridor for one in found.corridors] == ["Junction 7"]


def test_event_logs_without_detectors_are_refused(tmp_path: Path) -> None:
    """Nobody knows what a channel counts."""
    for name, days in (("a", BEFORE[:1]), ("b", AFTER[:1])):
        log(days, (5,), 9).write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match="event logs: expected --detectors"):
        open_sides([tmp_path / "a.parquet"], [tmp_path / "b.parquet"], Options())


def test_a_day_that_only_the_log_lacks_is_left_out_of_the_log_s_measures(tmp_path: Path) -> None:
    """Trips of every day, and a log that fell silent for two hours on one of them."""
    gap = datetime(2024, 2, 7, 10, tzinfo=UTC)
    before = log(BEFORE, (5, 20, 45), 10).filter(
        ~pl.col("timestamp").is_between(gap, gap + timedelta(hours=2))
    )
    log(AFTER, (5, 20, 25), 11).write_parquet(tmp_path / "log_after.parquet")
    before.write_parquet(tmp_path / "log_before.parquet")
    for name, days, delay_s, seed in (("before", BEFORE, 30.0, 12), ("after", AFTER, 24.0, 13)):
        trips(days, delay_s, seed).write_parquet(tmp_path / f"trips_{name}.parquet")
    (tmp_path / "now.csv").write_text(DETECTORS)
    inputs = [
        [tmp_path / f"{kind}_{name}.parquet" for kind in ("trips", "log")] for name in ("before", "after")
    ]
    found = compare_sides(
        open_sides(inputs[0], inputs[1], Options(tmp_path / "now.csv")), Question(replicates=500)
    )
    lost = found.exclusions.filter(pl.col("unit") == "2024-02-07").row(0, named=True)
    assert lost["measures"] == "control_delay, arrivals_on_green"
    assert found.lead.key == "delay"
    assert date(2024, 2, 7) in found.matched.before["unit"]
