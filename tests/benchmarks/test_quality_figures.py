"""Figures from made-up rows, each number worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from greensplit.benchmarks.quality.chart import chart_svg
from greensplit.benchmarks.quality.comparison import comparison_figures, comparison_specs
from greensplit.benchmarks.quality.measure import CONFLICT_FREE
from greensplit.benchmarks.quality.robustness import robustness_figures
from greensplit.benchmarks.quality.stress import stress_figures, stress_specs
from greensplit.benchmarks.quality.sweep import Rows
from greensplit.benchmarks.quality.tables import comparison_table, footer, robustness_table, stress_table
from greensplit.sim.spec import RunSpec


def _row(spec: RunSpec, delay_s: float, **more: Any) -> dict[str, Any]:
    """A row as a run leaves it, of what the figures read."""
    row = {
        "scenario": spec.scenario,
        "controller": spec.controller,
        "vision": "perfect" if spec.controller == "greedy" else "detectors",
        "seed": spec.seed,
        "demand_seed": spec.demand_seed,
        "corrected_delay_s": delay_s,
        "speed_kmh": 20.0,
        "stops": 1.0,
        "scheduled": 1000,
        "never_departed": 0,
        "gridlock": False,
        "interlock_refusals": 0,
        "longest_wait_s": 60.0,
        "waits_over_bound": 0,
        "busiest_loops": ["a", "b"],
    }
    return row | more


TOWN = {"fixed": (40.0, 44.0), "greedy": (19.0, 21.0), "webster": (15.0, 17.0), "ours": (11.0, 13.0)}
CITY = {"fixed": (30.0, 30.0), "greedy": (50.0, 70.0), "webster": (32.0, 32.0), "ours": (33.0, 33.0)}


@pytest.fixture
def rows() -> Rows:
    """Two networks, two seeds; the bound is 4 s in the town and stands still in the city, where ours locks up once."""
    found: Rows = {}
    for scenario, delays in (("town", TOWN), ("city", CITY)):
        for name, pair in delays.items():
            for seed, delay_s in enumerate(pair):
                spec = RunSpec(scenario, name, seed=seed)
                locked = (scenario, name, seed) == ("city", "ours", 1)
                found[spec] = _row(spec, delay_s, gridlock=locked, never_departed=3 * locked)
        for seed in (0, 1):
            spec = RunSpec(scenario, CONFLICT_FREE, seed=seed)
            found[spec] = _row(spec, 3.0 + 2.0 * seed, gridlock=scenario == "city" and seed == 1)
    return found


def test_ratios_are_of_means_to_the_best_published_and_to_the_best_of_all(rows: Rows) -> None:
    """Town: ours 12, greedy 20 (ratio 0.6), webster 16 (0.75). City: ours 33, fixed 30 (1.1), best of all too."""
    town, city = (comparison_figures(rows, "ours")["scenarios"][name] for name in ("town", "city"))
    assert (town["ours_s"], town["best_rival"], town["best_rival_s"], town["ratio"]) == (
        12,
        "greedy",
        20,
        0.6,
    )
    assert (town["best_of_all"], town["best_of_all_s"], town["ratio_all"]) == ("webster", 16, 0.75)
    assert (city["best_rival"], city["ratio"], city["ratio_all"]) == ("fixed", 1.1, 1.1)


def test_the_gap_is_the_delay_above_the_bound(rows: Rows) -> None:
    """Town: bound 4, greedy 20, ours 12: 8 of 16; of webster 4 of 12. The city's bound stands still: none."""
    figures = comparison_figures(rows, "ours")
    town, city = figures["scenarios"]["town"], figures["scenarios"]["city"]
    assert (town["bound_s"], town["gap_removed"], town["gap_removed_all"]) == (4.0, 0.5, 0.3333)
    assert (city["bound_s"], city["gap_removed"]) == (None, None)
    assert figures["gap_removed_mean"] == 0.5


def test_over_all_the_worst_ratio_and_the_mean_are_told(rows: Rows) -> None:
    """0.6 and 1.1; 0.75 and 1.1; the locked seed of the city with its three vehicles outside."""
    figures = comparison_figures(rows, "ours")
    assert (figures["ratio_max"], figures["ratio_mean"]) == (1.1, 0.85)
    assert (figures["ratio_all_max"], figures["ratio_all_mean"]) == (1.1, 0.925)
    assert (figures["gridlocks"], figures["never_departed"]) == (1, 3)


def test_differences_are_paired_by_seed(rows: Rows) -> None:
    """Town, against webster: -4 and -4, so the interval has no width; city, against fixed: +3 twice."""
    town = comparison_figures(rows, "ours")["scenarios"]["town"]
    assert (town["difference_s"], town["difference_low_s"], town["difference_high_s"]) == (-4.0, -4.0, -4.0)


def test_without_published_rivals_there_is_no_ratio(rows: Rows) -> None:
    """A look at a part says null, not a number against something else."""
    part = {spec: row for spec, row in rows.items() if spec.controller in ("webster", "ours")}
    figures = comparison_figures(part, "ours")
    assert figures["ratio_max"] is None
    assert figures["ratio_all_max"] == pytest.approx(33 / 32, abs=1e-4)
    assert figures["scenarios"]["town"]["bound_s"] is None


def test_the_table_marks_the_best_perfect_vision_and_gridlock(rows: Rows) -> None:
    """Ours last, then the bound and the ratios; the city has no bound."""
    figures = comparison_figures(rows, "ours")
    table = comparison_table(figures).splitlines()
    assert table[0] == (
        "| scenario | fixed | greedy* | webster | ours | bound | / published | / best of all | gap removed |"
    )
    assert table[2] == "| town | 42.0 | 20.0 | 16.0 | **12.0** | 4.0 | 0.600 | 0.750 | 33% |"
    assert table[3] == "| city | **30.0** | 60.0 | 32.0 | 33.0 G | - | 1.100 | 1.100 | - |"
    assert footer(figures, {"SUMO": "1.28"}) == "\nSeeds 0-1 (2); SUMO 1.28.\n"


def test_the_picture_names_every_network_and_ratio(rows: Rows) -> None:
    """As text in the SVG, so that it can be searched."""
    svg = chart_svg(comparison_figures(rows, "ours"))
    assert svg.startswith("<svg")
    for text in ("town", "city", "0.75 × webster (16 s)", "1.10 × fixed (30 s)", "bound: no conflicts"):
        assert text in svg, text


def test_every_seed_meets_every_controller_and_the_bound() -> None:
    """2 networks, 3 seeds, 2 controllers and the bound."""
    specs = comparison_specs(["town", "city"], ["fixed", "ours"], [0, 1, 2], "R1")
    assert len(set(specs)) == 2 * 3 * 3
    assert {spec.profile for spec in specs} == {"R1"}
    assert [spec.controller for spec in specs[:3]] == ["fixed", "ours", CONFLICT_FREE]


def _stress_rows(delays_s: Iterable[float], outside: int = 0, **last: Any) -> Rows:
    """One cell: a run of ours per delay, the last one with ``last``; without conflicts, ``outside`` never enter."""
    found: Rows = {}
    for seed, delay_s in enumerate(delays_s):
        ours, free = (
            RunSpec("town", name, seed=seed, demand_seed=seed, scale=1.2) for name in ("ours", CONFLICT_FREE)
        )
        found[ours] = _row(ours, delay_s)
        found[free] = _row(free, 3.0, never_departed=outside)
    found[ours] |= last
    return found


def test_a_cell_is_kept_up_to_twice_the_median() -> None:
    """Ten runs of 10 s, the upper two of 20 and 30: the 90th percentile lies at place 8.1, 20 + 0.1 x 10 = 21."""
    figures = stress_figures(_stress_rows([10.0] * 8 + [20.0, 30.0]), "ours")
    (cell,) = figures["cells"]
    assert (cell["median_s"], cell["p90_s"], cell["spread"], cell["kept"]) == (10.0, 21.0, 2.1, False)
    (cell,) = stress_figures(_stress_rows([10.0] * 8 + [19.0, 20.0]), "ours")["cells"]
    assert (cell["p90_s"], cell["kept"]) == (19.1, True)


@pytest.mark.parametrize("last", [{"gridlock": True}, {"longest_wait_s": 120.5, "waits_over_bound": 1}])
def test_one_gridlock_or_one_long_wait_breaks_a_cell(last: dict[str, Any]) -> None:
    """Delays alike, one run with something the promise rules out."""
    figures = stress_figures(_stress_rows([10.0] * 5, **last), "ours")
    assert (figures["cells_counted"], figures["cells_not_kept"]) == (1, 1)
    assert "| NO |" in stress_table(figures)


def test_a_cell_beyond_capacity_is_told_and_not_counted() -> None:
    """11 of 1000 never enter even without conflicts; 10 of 1000 still count."""
    figures = stress_figures(_stress_rows([10.0] * 3, outside=11, gridlock=True), "ours")
    assert (figures["cells_counted"], figures["cells_over_capacity"], figures["gridlocks"]) == (0, 1, 0)
    assert "| over capacity |" in stress_table(figures)
    assert stress_figures(_stress_rows([10.0] * 3, outside=10), "ours")["cells_counted"] == 1


def test_demand_seeds_seed_the_simulator_too() -> None:
    """Three levels, two seeds, ours and the bound."""
    specs = stress_specs(["town"], ["ours"], [4, 5], "R2")
    assert len(set(specs)) == 3 * 2 * 2
    assert {(spec.seed, spec.demand_seed) for spec in specs} == {(4, 4), (5, 5)}
    assert {spec.scale for spec in specs} == {0.7, 1.0, 1.2}


def _delay_of(spec: RunSpec) -> float:
    """10 s; dead loops cost 1 s, loop a 2 s on seed 0 only, loop b 1 s; the plan takes 20 s; volumes scale both."""
    if spec.dead_share:
        return 11.0
    if spec.dead_loops:
        return {("a", 0): 12.0, ("b", 0): 11.0, ("a", 1): 10.0, ("b", 1): 19.0}[spec.dead_loops[0], spec.seed]
    return (10.0 if spec.controller == "ours" else 20.0) * (1.5 if spec.scale > 1.0 else 1.0)


def test_the_worst_loop_is_found_on_the_first_seed_and_cut_on_all() -> None:
    """Loop a costs most on seed 0: 12 and 10 s against 10 are 10 %; a fifth dead is 11 s, also 10 %."""

    def run(specs: Iterable[RunSpec]) -> Rows:
        return {spec: _row(spec, _delay_of(spec)) for spec in specs}

    figures = robustness_figures(run, ["town"], "ours", "retimed", [0, 1], "R2")
    town = figures["scenarios"]["town"]
    assert (town["whole_s"], town["dead_s"], town["dead_growth"]) == (10.0, 11.0, 0.1)
    assert (town["worst_loop"], town["worst_growth"]) == ("a", 0.1)
    assert town["off_demand"] == {"0.7": 0.5, "1.3": 0.5}
    assert (figures["dead_growth_max"], figures["off_demand_ratio_max"]) == (0.1, 0.5)
    assert "| town | 10.0 | 11.0 | +10.0% | a | +10.0% | 0.500 | 0.500 |" in robustness_table(figures)


def test_without_a_planned_rival_scaled_demand_is_left_out() -> None:
    """Null, not a number."""

    def run(specs: Iterable[RunSpec]) -> Rows:
        found = {spec: _row(spec, _delay_of(spec)) for spec in specs}
        assert all(spec.scale == 1.0 for spec in found)
        return found

    assert robustness_figures(run, ["town"], "ours", None, [0, 1], "R2")["off_demand_ratio_max"] is None
