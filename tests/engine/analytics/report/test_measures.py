"""Delay, queues and windows against numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from greensplit.engine.analytics.report.measures import (
    approach_delay,
    busiest_window,
    delay_over_time,
    edge_delay,
    queue_over_time,
)
from greensplit.engine.analytics.report.runs import Arm, arms_of, load_run

MakeRun = Callable[..., Path]
BEGIN_S = 25200


def with_links(
    run: Path, rows: list[tuple[float, str, float, float, int]], sampled_veh_s: float = 0.0
) -> Path:
    """Replaces links.parquet: begin (s after the begin of the run), edge, loss, halted, entered; all at 5 m/s."""
    columns = [
        "begin_s",
        "edge_id",
        "time_loss_veh_s",
        "halted_veh",
        "entered_veh",
        "sampled_veh_s",
        "speed_mps",
    ]
    placed = [(BEGIN_S + at_s, *rest, sampled_veh_s, 5.0) for at_s, *rest in rows]
    pl.DataFrame(placed, schema=columns, orient="row").write_parquet(run / "links.parquet")
    return run


def one_arm(*runs: Path) -> Arm:
    """The only controller of some runs."""
    (arm,) = arms_of([load_run(run) for run in runs])
    return arm


def test_edge_totals_are_averaged_over_seeds(make_run: MakeRun) -> None:
    """Edge e loses 30 + 10 and 20 vehicle-seconds in two runs: 30 on average; f is only in the second."""
    first = with_links(make_run("a", seed=1), [(0, "e", 30, 1, 2), (60, "e", 10, 1, 2)])
    second = with_links(make_run("b", seed=2), [(0, "e", 20, 1, 6), (0, "f", 8, 1, 2)])
    frame = edge_delay(one_arm(first, second), {})
    assert frame is not None
    assert frame.rows() == [("e", 30.0, 5.0), ("f", 4.0, 1.0)]


def test_vehicles_that_start_on_an_edge_are_counted_by_their_way(make_run: MakeRun) -> None:
    """Nobody enters, but 200 vehicle-seconds at 5 m/s on 100 m are ten passages."""
    run = with_links(make_run("a"), [(0, "e", 30, 1, 0)], sampled_veh_s=200.0)
    frame = edge_delay(one_arm(run), {"e": 100.0})
    assert frame is not None
    assert frame.rows() == [("e", 30.0, 10.0)]


def test_an_approach_counts_its_vehicles_once() -> None:
    """Two edges in a row with 10 and 8 vehicles are 10 vehicles, and their losses add up."""
    edges = pl.DataFrame(
        [("e", 40.0, 10.0), ("f", 60.0, 8.0)], schema=["edge_id", "lost_veh_s", "passed_veh"], orient="row"
    )
    junctions = [
        {"approaches": [{"name": "west", "edges": ["e", "f"]}, {"name": "east", "edges": ["unknown"]}]}
    ]
    assert approach_delay(junctions, edges) == {(0, "west"): (100.0, 10.0)}


def test_the_queue_is_the_sum_over_edges(make_run: MakeRun) -> None:
    """3 standing vehicles on one edge and 4 on another are 7."""
    run = with_links(make_run("a"), [(0, "e", 0, 3, 1), (0, "f", 0, 4, 1), (60, "e", 0, 5, 1)])
    frame = queue_over_time(one_arm(run))
    assert frame is not None
    assert frame.rows() == [(BEGIN_S, 7.0), (BEGIN_S + 60, 5.0)]


def test_delay_is_that_of_the_vehicles_scheduled_in_the_bin(make_run: MakeRun) -> None:
    """Two vehicles in the first five minutes, one in the next; a person on foot does not count."""
    run = make_run("a")
    rows = [
        ("v", "passenger", 10.0, 20.0),
        ("w", "bus", 299.0, 40.0),
        ("x", "passenger", 300.0, 7.0),
        ("p", "pedestrian", 10.0, 999.0),
    ]
    placed = [(name, kind, BEGIN_S + at_s, delay_s) for name, kind, at_s, delay_s in rows]
    columns = ["vehicle_id", "kind", "scheduled_depart_s", "corrected_delay_s"]
    pl.DataFrame(placed, schema=columns, orient="row").write_parquet(run / "trips.parquet")
    frame = delay_over_time(one_arm(run))
    assert frame is not None
    assert frame.rows() == [(BEGIN_S, 30.0), (BEGIN_S + 300, 7.0)]


def test_the_busiest_window_holds_the_longest_queues(make_run: MakeRun) -> None:
    """Queues stand from the fifth to the fifteenth minute of twenty."""
    rows = [(60.0 * minute, "e", 0.0, 9.0 if 5 <= minute < 15 else 1.0, 1) for minute in range(20)]
    arm = one_arm(with_links(make_run("a", without=("corridor.parquet",)), rows))
    assert busiest_window([arm], 600) == (BEGIN_S + 300, BEGIN_S + 900)


@pytest.mark.parametrize(
    ("length_s", "window"), [(600, (BEGIN_S + 300, BEGIN_S + 900)), (7200, (BEGIN_S, BEGIN_S + 1200))]
)
def test_without_links_the_middle_is_shown(
    make_run: MakeRun, length_s: float, window: tuple[float, float]
) -> None:
    """The middle ten minutes of twenty, or all of a run that is shorter than the window."""
    assert (
        busiest_window([one_arm(make_run("a", without=("links.parquet", "corridor.parquet")))], length_s)
        == window
    )


def test_the_window_lies_where_trajectories_were_recorded(make_run: MakeRun) -> None:
    """Queues stand early, but vehicles were followed only in the last ten minutes of twenty."""
    run = with_links(make_run("a"), [(60.0 * minute, "e", 0.0, 20.0 - minute, 1) for minute in range(20)])
    rows = [("x", float(at_s), 0.0) for at_s in range(BEGIN_S + 600, BEGIN_S + 1199, 2)]
    pl.DataFrame(rows, schema=["vehicle_id", "time_s", "distance_m"], orient="row").write_parquet(
        run / "corridor.parquet"
    )
    assert busiest_window([one_arm(run)], 300) == (BEGIN_S + 600, BEGIN_S + 900)


def test_fixed_comes_first_and_then_the_least_delay(make_run: MakeRun) -> None:
    """The order of the page does not depend on the order of the arguments."""
    delays = {"slow": 80.0, "fixed": 60.0, "quick": 40.0}
    runs = [load_run(make_run(name, name, delay_s=delay_s)) for name, delay_s in delays.items()]
    assert [arm.label for arm in arms_of(runs)] == ["fixed", "quick", "slow"]


def test_the_lowest_seed_comes_first(make_run: MakeRun) -> None:
    """Charts of one run use it."""
    arm = one_arm(make_run("a", seed=9), make_run("b", seed=2))
    assert arm.first.seed == 2
