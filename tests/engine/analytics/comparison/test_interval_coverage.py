"""The intervals of the report itself, from tables to the page, hold what was planted as often as they say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from greensplit.engine.analytics.comparison import Question, compare_sides, open_sides, parse_periods
from greensplit.engine.analytics.comparison.sides import Options

from .streets import trips, weekdays

TRIALS = 600
PLANTED_S = -4.0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_intervals_of_95_percent_hold_the_planted_change_in_93_to_97(tmp_path: Path) -> None:
    """Delay that lingers from vehicle to vehicle (0.7) on days that differ by 2 s; twelve days on either side.

    Six hundred trials have a standard error of 0.9 %.
    """
    before, after = weekdays(date(2024, 2, 5), 12), weekdays(date(2024, 4, 8), 12)
    question = Question(timezone="Europe/Berlin", periods=parse_periods(""), replicates=1000)
    files = [tmp_path / "before.parquet", tmp_path / "after.parquet"]
    hits = 0
    for trial in range(TRIALS):
        trips(before, 30.0, 2 * trial, per_hour=4).write_parquet(files[0])
        trips(after, 30.0 + PLANTED_S, 2 * trial + 1, per_hour=4).write_parquet(files[1])
        sides = open_sides(files[:1], files[1:], Options(timezone=question.timezone))
        head = compare_sides(sides, question).head
        hits += head.change.low <= PLANTED_S <= head.change.high
    assert 0.93 <= hits / TRIALS <= 0.97
