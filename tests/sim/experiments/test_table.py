"""Aggregates over seeds, from figures small enough to check by hand."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from greensplit.sim.experiments.table import aggregate, interval, quantile, rich_table


def _run(controller: str, seed: int, delay_s: float, **more: Any) -> dict[str, Any]:
    row = {
        "scenario": "town",
        "controller": controller,
        "vision": "detectors",
        "seed": seed,
        "demand_seed": None,
        "corrected_delay_s": delay_s,
        "speed_kmh": 20.0,
        "stops": 1.0,
        "never_departed": 0,
        "gridlock": False,
    }
    return row | more


def _runs(controller: str, delays_s: list[float]) -> list[dict[str, Any]]:
    return [_run(controller, seed, delay_s) for seed, delay_s in enumerate(delays_s)]


def test_the_interval_is_that_of_the_paired_differences() -> None:
    """Differences -9, -10, -11 have mean -10, deviation 1; 4.30265 / root 3 = 2.48414 either side.

    The delays themselves vary by 30 s between seeds, which pairing takes out.
    """
    fixed, ours = aggregate([*_runs("fixed", [30.0, 60.0, 90.0]), *_runs("ours", [21.0, 50.0, 79.0])])
    assert ours["difference_s"] == pytest.approx(-10.0)
    assert ours["difference_low_s"] == pytest.approx(-12.48414, abs=1e-5)
    assert ours["difference_high_s"] == pytest.approx(-7.51586, abs=1e-5)
    assert ours["ratio"] == pytest.approx(50.0 / 60.0)
    assert (fixed["ratio"], fixed["difference_s"], fixed["difference_low_s"]) == (1.0, 0.0, None)


def test_mean_median_and_p90_are_over_runs() -> None:
    """Of the delays 1 to 10: mean 5.5, median 5.5, p90 9.1; of 1, 2, 9: 4, 2, 2 + 0.8 x 7 = 7.6."""
    (ten,) = aggregate(_runs("fixed", [float(value) for value in range(10, 0, -1)]))
    assert (ten["n"], ten["delay_mean_s"], ten["delay_median_s"]) == (10, 5.5, 5.5)
    assert ten["delay_p90_s"] == pytest.approx(9.1)
    (three,) = aggregate(_runs("fixed", [9.0, 1.0, 2.0]))
    assert (three["delay_mean_s"], three["delay_median_s"]) == (4.0, 2.0)
    assert three["delay_p90_s"] == pytest.approx(7.6)


def test_one_seed_has_a_difference_and_no_interval() -> None:
    """One pair says nothing about spread."""
    _, ours = aggregate([_run("fixed", 0, 40.0), _run("ours", 0, 10.0)])
    assert (ours["difference_s"], ours["ratio"]) == (-30.0, 0.25)
    assert (ours["difference_low_s"], ours["difference_high_s"]) == (None, None)
    assert interval([3.0]) is None


def test_runs_without_a_partner_are_not_in_the_difference() -> None:
    """Seed 2 of the baseline is lost: seeds 0 and 1 are compared, 15 over 20, and the mean keeps all three."""
    rows = [*_runs("fixed", [10.0, 30.0]), *_runs("ours", [10.0, 20.0, 900.0])]
    _, ours = aggregate(rows)
    assert (ours["pairs"], ours["difference_s"], ours["ratio"]) == (2, -5.0, 0.75)
    assert (ours["n"], ours["delay_mean_s"]) == (3, 310.0)


def test_demand_seeds_are_part_of_the_pair() -> None:
    """Differences are 5 and -1 by pairs of both seeds, whatever the order of the rows."""
    rows = [
        _run("fixed", 0, 10.0, demand_seed=1),
        _run("fixed", 0, 50.0, demand_seed=2),
        _run("ours", 0, 49.0, demand_seed=2),
        _run("ours", 0, 15.0, demand_seed=1),
    ]
    _, ours = aggregate(rows)
    assert ours["difference_s"] == pytest.approx(2.0)
    assert ours["difference_high_s"] == pytest.approx(2.0 + 12.7062 * 3.0, abs=1e-3)


def test_the_deployed_plan_is_the_baseline_wherever_it_stands() -> None:
    """Without it the first controller is, and the line says which."""
    lines = aggregate([*_runs("ours", [5.0]), *_runs("fixed", [10.0])])
    assert [(line["controller"], line["baseline"], line["ratio"]) for line in lines] == [
        ("ours", "fixed", 0.5),
        ("fixed", "fixed", 1.0),
    ]
    lines = aggregate([*_runs("ours", [5.0]), *_runs("greedy", [10.0])])
    assert [(line["baseline"], line["ratio"]) for line in lines] == [("ours", 1.0), ("ours", 2.0)]


def test_scenarios_are_never_mixed() -> None:
    """Each scenario has lines and a baseline of its own."""
    town = _runs("fixed", [10.0])
    village = [row | {"scenario": "village"} for row in (_run("fixed", 0, 100.0), _run("ours", 0, 50.0))]
    lines = aggregate([*town, *village])
    assert [(line["scenario"], line["controller"], line["delay_mean_s"]) for line in lines] == [
        ("town", "fixed", 10.0),
        ("village", "fixed", 100.0),
        ("village", "ours", 50.0),
    ]


def test_a_baseline_without_delay_gives_no_ratio() -> None:
    """Nothing is divided by zero."""
    _, ours = aggregate([_run("fixed", 0, 0.0), _run("ours", 0, 1.0)])
    assert (ours["ratio"], ours["difference_s"]) == (None, 1.0)


def test_nothing_finished_gives_no_lines() -> None:
    """An empty list is not an error."""
    assert aggregate([]) == []


def test_gridlock_and_stranded_vehicles_are_shares_and_means() -> None:
    """One gridlock in four runs is a quarter; 0, 0, 0 and 6 vehicles left out are 1.5."""
    rows = _runs("fixed", [1.0, 1.0, 1.0, 1.0])
    rows[3] |= {"gridlock": True, "never_departed": 6}
    (line,) = aggregate(rows)
    assert (line["gridlock_share"], line["never_departed"]) == (0.25, 1.5)


def test_quantiles_end_at_the_ends() -> None:
    """The 0 and 1 quantiles are the least and the greatest; one sample is all of its quantiles."""
    assert quantile([3.0, 1.0, 2.0], 0.0) == 1.0
    assert quantile([3.0, 1.0, 2.0], 1.0) == 3.0
    assert quantile([7.0], 0.9) == 7.0


def _printed(rows: list[dict[str, Any]]) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(rich_table(aggregate(rows)))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_shows_the_difference_with_its_interval() -> None:
    """-10.0 and 2.5 either side, as in the first test."""
    text = _printed([*_runs("fixed", [30.0, 60.0, 90.0]), *_runs("ours", [21.0, 50.0, 79.0])])
    assert "-10.0 ± 2.5" in text
    assert "0.833" in text
    assert "vs fixed, 95 %" in text


def test_the_table_leaves_out_what_never_happened() -> None:
    """Columns for gridlock and vehicles left out, and the note on vision, are there only when needed."""
    quiet = _printed(_runs("fixed", [1.0]))
    assert "gridlock" not in quiet
    assert "left out" not in quiet
    assert "sees every vehicle" not in quiet
    loud = _printed([_run("greedy", 0, 1.0, gridlock=True, never_departed=2, vision="perfect")])
    assert "gridlock" in loud
    assert "100%" in loud
    assert "greedy*" in loud
    assert "sees every vehicle" in loud
