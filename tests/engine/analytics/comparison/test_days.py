"""Trip and probe tables of streets whose change is known: the day as the unit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from greensplit.engine.analytics.comparison import Question, compare_sides, open_sides, parse_periods
from greensplit.engine.analytics.comparison.findings import Findings
from greensplit.engine.analytics.comparison.periods import parse_days
from greensplit.engine.analytics.comparison.sides import Options, read_corridors
from greensplit.engine.errors import InputError

from .streets import BERLIN, FREE_FLOW_S, LENGTH_M, trips, weekdays

WINTER, SUMMER = date(2024, 2, 5), date(2024, 4, 8)
ZONE = "Europe/Berlin"


def compared(folder: Path, before: pl.DataFrame, after: pl.DataFrame, **asked: object) -> Findings:
    """Both frames as files, compared."""
    before.write_parquet(folder / "before.parquet")
    after.write_csv(folder / "after.csv")
    sides = open_sides([folder / "before.parquet"], [folder / "after.csv"], Options(timezone=ZONE))
    question = Question(**({"timezone": ZONE, "replicates": 2000} | asked))  # type: ignore[arg-type]
    return compare_sides(sides, question)


def daily(frame: pl.DataFrame, column: str) -> np.ndarray:
    """The mean of each local day."""
    local = pl.col("depart").dt.convert_time_zone(ZONE).dt.date()
    return frame.group_by(day=local).agg(pl.col(column).mean()).sort("day")[column].to_numpy()


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, pl.DataFrame, Findings]:
    """Twenty weekdays on either side, six seconds less delay after."""
    before, after = trips(weekdays(WINTER, 20), 30.0, 1), trips(weekdays(SUMMER, 20), 24.0, 2)
    return before, after, compared(tmp_path_factory.mktemp("planted"), before, after)


def test_a_planted_change_is_found_and_equals_the_sums(
    planted: tuple[pl.DataFrame, pl.DataFrame, Findings],
) -> None:
    """Six seconds were taken off; the estimate is the difference of means over all vehicles, summed here by hand."""
    before, after, found = planted
    head = found.head
    by_hand = after["delay_s"].mean() - before["delay_s"].mean()  # type: ignore[operator]
    assert head.measure.key == "delay"
    assert head.change.estimate == pytest.approx(by_hand, abs=1e-9)
    assert head.change.low < -6.0 < head.change.high < 0.0
    assert head.verdict == "better"
    speed = found.outcome("speed")
    assert speed is not None
    assert speed.before == pytest.approx(3.6 * LENGTH_M * before.height / before["travel_time_s"].sum())


def test_daily_tests_are_those_of_scipy(planted: tuple[pl.DataFrame, pl.DataFrame, Findings]) -> None:
    """Welch's t and Mann and Whitney's p on daily means."""
    before, after, found = planted
    days = daily(before, "delay_s"), daily(after, "delay_s")
    welch, ranks = found.head.tests
    oracle = stats.ttest_ind(days[1], days[0], equal_var=False)
    interval = oracle.confidence_interval(0.95)
    assert welch.p_value == pytest.approx(oracle.pvalue)
    assert (welch.low, welch.high) == pytest.approx((interval.low, interval.high))
    assert ranks.p_value == pytest.approx(stats.mannwhitneyu(days[1], days[0]).pvalue)
    assert ranks.estimate == pytest.approx(np.median(np.subtract.outer(days[1], days[0])))


def test_hours_saved_are_seconds_times_vehicles(planted: tuple[pl.DataFrame, pl.DataFrame, Findings]) -> None:
    """168 vehicles a day (12 an hour from 6 to 20)."""
    _, _, found = planted
    assert found.saved_h is not None
    assert found.saved_h.estimate == pytest.approx(-found.head.change.estimate * 168 / 3600)
    assert found.saved_h.low == pytest.approx(-found.head.change.high * 168 / 3600)


def test_the_buffer_index_is_that_of_bins(planted: tuple[pl.DataFrame, pl.DataFrame, Findings]) -> None:
    """(95th percentile - mean) / mean over quarters of an hour, worked out with numpy."""
    before, _, found = planted
    index = (
        before.group_by(pl.col("depart").dt.truncate("15m"))
        .agg(value=pl.col("travel_time_s").sum() / pl.col("free_flow_s").sum())["value"]
        .to_numpy()
    )
    expected = 100.0 * (np.percentile(index, 95, method="inverted_cdf") / index.mean() - 1.0)
    outcome = found.outcome("buffer_index")
    assert outcome is not None
    assert outcome.before == pytest.approx(expected)
    assert outcome.change.low < outcome.change.estimate < outcome.change.high


def test_seven_in_the_morning_stays_seven_when_the_clock_changes(tmp_path: Path) -> None:
    """A change planted from 7:00 to 9:00 by the street's clock is found whole in that period, and nowhere else."""
    before, after = (
        trips(weekdays(date(2024, 3, 18), 8), 30.0, 3),
        trips(weekdays(date(2024, 4, 2), 8), 30.0, 4),
    )
    hour = pl.col("depart").dt.convert_time_zone(ZONE).dt.hour()
    moved = after.with_columns(
        pl.when(hour.is_between(7, 8))
        .then(pl.col("delay_s") - 20.0)
        .otherwise(pl.col("delay_s"))
        .alias("delay_s")
    )
    found = compared(tmp_path, before, moved, periods=parse_periods("am=07:00-09:00,next=09:00-11:00"))
    am, following = found.outcome("delay", "am"), found.outcome("delay", "next")
    assert am is not None
    assert following is not None
    assert am.change.estimate == pytest.approx(-20.0, abs=3.0)
    assert abs(following.change.estimate) < 3.0


def test_the_day_on_which_the_clock_changes_is_left_out(tmp_path: Path) -> None:
    """The last Sunday of March has 23 hours in Berlin."""
    days = [date(2024, 3, 11) + timedelta(days=n) for n in range(21)]
    after = [date(2024, 4, 8) + timedelta(days=n) for n in range(21)]
    found = compared(
        tmp_path, trips(days, 30.0, 5), trips(after, 25.0, 6), periods=parse_periods("", parse_days("1-7"))
    )
    assert ("before", "2024-03-31", "the clock changes") in found.exclusions.select(
        "side", "unit", "reason"
    ).rows()
    assert found.matched.before.height == 20


def test_a_day_with_an_outage_is_left_out_and_quiet_nights_are_not(tmp_path: Path) -> None:
    """One day lacks 10:00 to 12:00; every night is empty on every day."""
    before = trips(weekdays(WINTER, 12), 30.0, 7)
    local = pl.col("depart").dt.convert_time_zone(ZONE)
    lost = (local.dt.date() == date(2024, 2, 7)) & local.dt.hour().is_between(10, 11)
    found = compared(tmp_path, before.filter(~lost), trips(weekdays(SUMMER, 12), 24.0, 8))
    reasons = dict(found.exclusions.filter(pl.col("side") == "before").select("unit", "reason").iter_rows())
    assert reasons == {"2024-02-07": "88 of 96 bins"}


def test_no_gain_is_claimed_where_traffic_fell(tmp_path: Path) -> None:
    """Delay falls by 6 s, and one vehicle in twelve stays away."""
    after = trips(weekdays(SUMMER, 10), 24.0, 9)
    fewer = after.filter(pl.int_range(pl.len()) % 12 != 0)
    found = compared(tmp_path, trips(weekdays(WINTER, 10), 30.0, 10), fewer)
    assert found.head.change.high < 0.0
    assert found.head.verdict == "unclaimed"
    assert ("warning.volume_fell", {}) in found.notes


def test_without_volumes_the_report_refuses_or_claims_nothing(tmp_path: Path) -> None:
    """A probe table has samples and no volumes."""
    sides = [
        trips(weekdays(first, 8), delay, seed).drop("vehicle_id")
        for first, delay, seed in ((WINTER, 30.0, 11), (SUMMER, 24.0, 12))
    ]
    with pytest.raises(InputError, match="volumes missing"):
        compared(tmp_path, sides[0], sides[1])
    found = compared(tmp_path, sides[0], sides[1], volumes=False)
    assert found.saved_h is None
    assert {one.verdict for one in found.network} <= {"unclaimed", "unclear", "worse"}


def test_a_control_corridor_takes_off_what_both_share(tmp_path: Path) -> None:
    """Both corridors lose a fifth of their delay to the season; only one is halved beyond that."""
    frames = []
    for first, main, side, seed in ((WINTER, 40.0, 30.0, 13), (SUMMER, 16.0, 24.0, 15)):
        days = weekdays(first, 15)
        frames.append(pl.concat([trips(days, main, seed), trips(days, side, seed + 1, corridor="side")]))
    found = compared(tmp_path, frames[0], frames[1], control="side")
    assert found.control is not None
    assert found.control.low < 0.4 / 0.8 - 1.0 < found.control.high
    assert {one.corridor for one in found.corridors} == {"main", "side"}
    raw = [one.change.p_value for one in found.corridors]
    assert [one.adjusted_p for one in found.corridors] == pytest.approx(stats.false_discovery_control(raw))


def test_a_long_series_tells_the_change_of_level(tmp_path: Path) -> None:
    """Sixty-five days on either side; the level falls by 6 s and has no trend."""
    found = compared(
        tmp_path,
        trips(weekdays(date(2023, 10, 2), 65), 30.0, 17, per_hour=4),
        trips(weekdays(date(2024, 2, 5), 65), 24.0, 18, per_hour=4),
        replicates=200,
    )
    assert found.series is not None
    assert found.series.level.low < -6.0 < found.series.level.high


def test_probe_tables_of_speeds_and_miles_give_seconds(tmp_path: Path) -> None:
    """A mile at 30 mph takes 120 s; at 40 mph, 90 s. Volumes weigh the rows."""
    sides = []
    for first, mph in ((WINTER, 30.0), (SUMMER, 40.0)):
        times = [
            datetime(day.year, day.month, day.day, 6, tzinfo=BERLIN).astimezone(UTC)
            + timedelta(minutes=15 * n)
            for day in weekdays(first, 8)
            for n in range(56)
        ]
        jitter = np.random.default_rng(19).normal(0.0, 0.1, len(times))
        sides.append(
            pl.DataFrame(
                {
                    "tmc_code": "A",
                    "measurement_tstamp": times,
                    "speed_mph": mph + jitter,
                    "miles": 1.0,
                    "volume": 100,
                }
            )
        )
    found = compared(tmp_path, sides[0], sides[1])
    travel = found.outcome("travel_time")
    assert travel is not None
    assert (travel.before, travel.after) == pytest.approx((120.0, 90.0), rel=1e-3)


def test_days_needed_fall_with_what_is_to_be_seen(
    planted: tuple[pl.DataFrame, pl.DataFrame, Findings],
) -> None:
    """Two standard normal quantiles: n is near 2 (1.96 + 0.84)^2 sd^2 / effect^2."""
    before, after, found = planted
    days = dict(found.days)
    deviations = [np.std(daily(side, "delay_s"), ddof=1) for side in (before, after)]
    variance = float(np.mean(np.square(deviations)))
    mean = daily(before, "delay_s").mean()
    assert days[0.02] == pytest.approx(2 * 2.8016**2 * variance / (0.02 * mean) ** 2, abs=3)
    assert days[0.01] > days[0.02] > days[0.05] >= days[0.1]


REFUSED = {
    "days: expected all before to precede all after": (SUMMER, WINTER),
    "days: expected each before or after": (WINTER, WINTER),
}


@pytest.mark.parametrize("message", REFUSED)
def test_days_that_overlap_are_refused(tmp_path: Path, message: str) -> None:
    """Before after after, or the same days twice."""
    first, second = REFUSED[message]
    with pytest.raises(InputError, match=message):
        compared(tmp_path, trips(weekdays(first, 6), 30.0, 20), trips(weekdays(second, 6), 24.0, 21))


def test_free_flow_is_taken_from_both_sides_where_none_is_given(tmp_path: Path) -> None:
    """The 15th percentile of all travel times of the corridor, so that both sides have one and the same."""
    sides = [
        trips(weekdays(first, 6), delay, seed).drop("free_flow_s", "delay_s")
        for first, delay, seed in ((WINTER, 30.0, 22), (SUMMER, 24.0, 23))
    ]
    found = compared(tmp_path, sides[0], sides[1])
    both = pl.concat(side.select("travel_time_s") for side in sides)["travel_time_s"]
    index = found.outcome("travel_time_index")
    assert index is not None
    expected = sides[0]["travel_time_s"].mean() / both.quantile(0.15)  # type: ignore[operator]
    assert index.before == pytest.approx(expected)
    assert both.quantile(0.15) > FREE_FLOW_S  # type: ignore[operator]


def test_a_corridor_of_one_side_only_is_no_part_of_the_network(tmp_path: Path) -> None:
    """A slow corridor that is measured only after would look like a loss."""
    after = weekdays(SUMMER, 8)
    more = pl.concat([trips(after, 24.0, 24), trips(after, 90.0, 25, corridor="new")])
    found = compared(tmp_path, trips(weekdays(WINTER, 8), 30.0, 26), more)
    assert found.head.change.estimate == pytest.approx(-6.0, abs=3.0)
    assert ("after", "new", "not measured on the other side") in found.exclusions.select(
        "side", "unit", "reason"
    ).rows()


def test_segments_are_summed_into_the_corridors_that_a_file_names(tmp_path: Path) -> None:
    """Two segments are one corridor; a third, which the file does not name, is none."""
    frames = [
        pl.concat([trips(weekdays(first, 6), delay, seed + n, corridor=name) for n, name in enumerate("abc")])
        for first, delay, seed in ((WINTER, 30.0, 30), (SUMMER, 24.0, 40))
    ]
    for name, frame in zip(("before", "after"), frames, strict=True):
        frame.write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "names.csv").write_text("segment,corridor\na,Main Street\nb,Main Street\n")
    options = Options(corridors=read_corridors(tmp_path / "names.csv"), timezone=ZONE)
    sides = open_sides([tmp_path / "before.parquet"], [tmp_path / "after.parquet"], options)
    assert set(sides.before["corridor"]) == {"Main Street", ""}
    head = compare_sides(sides, Question(timezone=ZONE, replicates=200)).head
    named = frames[0].filter(pl.col("corridor") != "c")
    assert head.before == pytest.approx(named["delay_s"].mean())


def test_days_on_and_off_by_turns_may_interleave(tmp_path: Path) -> None:
    """Weeks alternate; without saying so, days before that come after are refused."""
    days = weekdays(WINTER, 40)
    off, on = (
        [day for day in days if day.isocalendar().week % 2],
        [day for day in days if day.isocalendar().week % 2 == 0],
    )
    frames = trips(off, 30.0, 50), trips(on, 24.0, 51)
    with pytest.raises(InputError, match="precede"):
        compared(tmp_path, *frames)
    found = compared(tmp_path, *frames, alternating=True)
    assert found.head.change.low < -6.0 < found.head.change.high


def test_a_day_that_the_user_excludes_keeps_its_reason(tmp_path: Path) -> None:
    """A holiday before; the matching then takes one day less after."""
    holiday = WINTER + timedelta(days=1)
    found = compared(
        tmp_path,
        trips(weekdays(WINTER, 10), 30.0, 52),
        trips(weekdays(SUMMER, 10), 24.0, 53),
        excluded={holiday: "football"},
    )
    assert ("before", str(holiday), "football") in found.exclusions.select("side", "unit", "reason").rows()
    assert found.matched.before.height == found.matched.after.height == 9
