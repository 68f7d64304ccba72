"""Lamp times, green bands and trajectories against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from greensplit.engine.analytics.report.runs import Run, load_run
from greensplit.engine.analytics.report.signals import corridor_bands, signal_segments, trajectories

MakeRun = Callable[..., Path]
EPOCH = datetime(2024, 1, 1, 7, tzinfo=UTC)
BEGIN_S = 25200
GREEN, YELLOW, RED = 0, 1, 2


def log(run: Path, rows: Sequence[tuple[float, int, int, int]]) -> Run:
    """Replaces the event log of a run: seconds after its begin, device, code, parameter."""
    file = next((run / "events").glob("**/*.parquet"))
    schema: dict[str, Any] = {
        "timestamp": pl.Datetime("ms", "UTC"),
        "device_id": pl.UInt32,
        "event_id": pl.UInt16,
        "parameter": pl.UInt16,
    }
    stamped = [(EPOCH + timedelta(seconds=at_s), *rest) for at_s, *rest in rows]
    pl.DataFrame(stamped, schema=schema, orient="row").write_parquet(file)
    return load_run(run)


def segments(
    run: Run, end_s: float = 100.0, pedestrian: tuple[tuple[int, int], ...] = ()
) -> list[tuple[float, ...]]:
    """(group, state, begin, end) with times counted from the begin of the run."""
    frame = signal_segments(run, (BEGIN_S, BEGIN_S + end_s), pedestrian)
    assert frame is not None
    return [
        (g, s, b - BEGIN_S, e - BEGIN_S)
        for g, s, b, e in frame.select("group", "state", "begin_s", "end_s").iter_rows()
    ]


def test_a_cycle_is_green_then_yellow_then_red(make_run: MakeRun) -> None:
    """Green at 10, end of green 30, yellow to 33, red clearance to 35, green again at 60."""
    rows = [
        (10, 1, 1, 2),
        (30, 1, 7, 2),
        (30, 1, 8, 2),
        (33, 1, 9, 2),
        (33, 1, 10, 2),
        (35, 1, 11, 2),
        (60, 1, 1, 2),
    ]
    assert segments(log(make_run("a"), rows)) == [
        (2, GREEN, 10, 30),
        (2, YELLOW, 30, 33),
        (2, RED, 33, 60),
        (2, GREEN, 60, 100),
    ]


def test_the_state_before_the_window_is_carried_into_it(make_run: MakeRun) -> None:
    """A green that began before the window is drawn from its edge."""
    run = log(make_run("a"), [(10, 1, 1, 2), (80, 1, 8, 2), (83, 1, 10, 2)])
    frame = signal_segments(run, (BEGIN_S + 50, BEGIN_S + 90), ())
    assert frame is not None
    spans = list(frame.select("state", pl.col("begin_s", "end_s") - BEGIN_S).iter_rows())
    assert spans == [(GREEN, 50, 80), (YELLOW, 80, 83), (RED, 83, 90)]


def test_a_group_that_ends_without_yellow_turns_red(make_run: MakeRun) -> None:
    """Green termination alone ends the green."""
    assert segments(log(make_run("a"), [(10, 1, 1, 2), (30, 1, 7, 2)])) == [
        (2, GREEN, 10, 30),
        (2, RED, 30, 100),
    ]


def test_walk_and_clearance_are_shown_for_pedestrian_groups_only(make_run: MakeRun) -> None:
    """A field log has phase 2 green and phase 2 walk under one number; the kind decides what is drawn."""
    rows = [(10, 1, 1, 2), (12, 1, 21, 2), (20, 1, 22, 2), (28, 1, 23, 2), (40, 1, 8, 2), (43, 1, 10, 2)]
    run = log(make_run("a"), rows)
    assert segments(run) == [(2, GREEN, 10, 40), (2, YELLOW, 40, 43), (2, RED, 43, 100)]
    assert segments(run, pedestrian=((1, 2),)) == [(2, GREEN, 12, 20), (2, YELLOW, 20, 28), (2, RED, 28, 100)]


def test_a_log_without_a_time_zone_is_read_as_utc(make_run: MakeRun) -> None:
    """Other people's logs often have plain timestamps, in microseconds."""
    run = log(make_run("a"), [(10, 1, 1, 2)])
    file = next((run.folder / "events").glob("**/*.parquet"))
    plain = pl.read_parquet(file).with_columns(
        pl.col("timestamp").dt.replace_time_zone(None).cast(pl.Datetime("us"))
    )
    plain.write_parquet(file)
    assert segments(run) == [(2, GREEN, 10, 100)]


def test_a_run_without_an_event_log_has_no_lamp_times(make_run: MakeRun) -> None:
    """None tells the section to say so."""
    run = load_run(make_run("a", without=("events/date=2024-01-01/block.parquet",)))
    assert signal_segments(run, (BEGIN_S, BEGIN_S + 100), ()) is None


def test_the_best_lamp_of_several_groups_makes_the_band() -> None:
    """Group 1 is green 0 to 20 and group 5 green 10 to 40: traffic sees green 0 to 40, then red."""
    frame = pl.DataFrame(
        [
            (7, 1, GREEN, 0.0, 20.0),
            (7, 1, RED, 20.0, 60.0),
            (7, 5, RED, 0.0, 10.0),
            (7, 5, GREEN, 10.0, 40.0),
            (7, 5, RED, 40.0, 60.0),
            (8, 1, GREEN, 0.0, 60.0),
        ],
        schema=["device_id", "group", "state", "begin_s", "end_s"],
        orient="row",
    )
    corridor = {"junctions": [{"device_id": 7, "distance_m": 150.0, "groups": [1, 5]}]}
    assert corridor_bands(corridor, frame) == [(150.0, GREEN, 0.0, 40.0), (150.0, RED, 40.0, 60.0)]


def corridor(run: Path, rows: list[tuple[str, float, float]]) -> Run:
    """Replaces corridor.parquet."""
    pl.DataFrame(rows, schema=["vehicle_id", "time_s", "distance_m"], orient="row").write_parquet(
        run / "corridor.parquet"
    )
    return load_run(run)


def test_a_stop_is_kept_and_a_straight_run_is_not(make_run: MakeRun) -> None:
    """10 m/s for 20 s, 15 s at a red, 10 m/s for 20 s more: four corners are all there is."""
    distance_m = [*range(0, 200, 10), *[200] * 16, *range(210, 410, 10)]
    run = corridor(make_run("a"), [("x", BEGIN_S + t, float(d)) for t, d in enumerate(distance_m)])
    found = trajectories(run, (BEGIN_S, BEGIN_S + 600))
    assert found is not None
    assert [(line, t - BEGIN_S, d) for line, t, d in found[0]] == [
        (0, 0, 0),
        (0, 20, 200),
        (0, 35, 200),
        (0, 55, 400),
    ]


def test_thinned_lines_stay_within_two_metres(make_run: MakeRun) -> None:
    """A wavy trajectory is never more than 2 m from the line that is drawn."""
    time_s = np.arange(0, 300.0)
    distance_m = 8 * time_s + 60 * np.sin(time_s / 15)
    run = corridor(make_run("a"), [("x", BEGIN_S + t, d) for t, d in zip(time_s, distance_m, strict=True)])
    found = trajectories(run, (BEGIN_S, BEGIN_S + 600))
    assert found is not None
    _, kept_s, kept_m = zip(*found[0], strict=True)
    assert len(kept_s) < 100
    assert np.abs(np.interp(time_s + BEGIN_S, kept_s, kept_m) - distance_m).max() <= 2.0


def test_a_vehicle_that_comes_back_is_a_new_line(make_run: MakeRun) -> None:
    """Leaving for a minute, or starting again from the beginning, breaks the line."""
    rows = [
        ("x", 0, 0.0),
        ("x", 1, 10.0),
        ("x", 62, 300.0),
        ("x", 63, 310.0),
        ("x", 64, 0.0),
        ("x", 65, 10.0),
    ]
    run = corridor(make_run("a"), [(v, BEGIN_S + t, d) for v, t, d in rows])
    found = trajectories(run, (BEGIN_S, BEGIN_S + 600))
    assert found is not None
    assert [line for line, _, _ in found[0]] == [0, 0, 1, 1, 2, 2]
    assert found[1] == 1


def test_a_crowd_is_sampled_and_counted(make_run: MakeRun) -> None:
    """1000 vehicles are counted, at most 250 drawn."""
    rows = [(f"v{i}", float(BEGIN_S + i / 2 + t), 10.0 * t) for i in range(1000) for t in range(3)]
    found = trajectories(corridor(make_run("a"), rows), (BEGIN_S, BEGIN_S + 600))
    assert found is not None
    assert found[1] == 1000
    assert len({line for line, _, _ in found[0]}) == 250


@pytest.mark.parametrize("window", [(0.0, 10.0), (90000.0, 90010.0)])
def test_an_empty_window_has_no_lines(make_run: MakeRun, window: tuple[float, float]) -> None:
    """No vehicle in the window is no error."""
    assert trajectories(load_run(make_run("a")), window) == ([], 0)
