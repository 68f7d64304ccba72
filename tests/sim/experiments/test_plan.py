"""A comparison is checked whole before anything runs, and its runs have a fixed order and a place each."""

from __future__ import annotations

from pathlib import Path

import pytest

from greensplit.engine.errors import InputError, ScenarioError
from greensplit.sim.experiments.plan import MAX_SEEDS, check_plan, expand, parse_seeds, run_folder
from greensplit.sim.spec import RunSpec

from .plans import short_plan


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("7", (7,)), ("0-3", (0, 1, 2, 3)), ("0,3,5-7", (0, 3, 5, 6, 7)), (" 9 , 2-2", (2, 9))],
)
def test_seeds_are_numbers_and_ranges_with_both_ends(text: str, seeds: tuple[int, ...]) -> None:
    """0,3,5-7 is 0, 3, 5, 6, 7; the order is ascending however they are written."""
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "1-", "1--2", "1,,2", "1.5", "٣", "99999999999"])
def test_what_is_not_a_seed_is_shown_with_its_option(text: str) -> None:
    """The message names the option and an example of what it expects."""
    with pytest.raises(InputError, match=r"^--demand-seeds: expected numbers and ranges such as 0-9"):
        parse_seeds(text, "--demand-seeds")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5-2", "expected a range that goes up, found 5-2"),
        ("0-4,3", "expected each once, found 3 2 times"),
        ("0-999999999", f"expected at most {MAX_SEEDS} seeds"),
    ],
)
def test_seeds_that_cannot_be_meant_are_refused(text: str, message: str) -> None:
    """A falling range, a seed twice and a billion seeds are all errors, at once and in words."""
    with pytest.raises(InputError, match=message):
        parse_seeds(text)


def test_runs_go_by_scenario_then_controller_then_seed_then_demand_seed() -> None:
    """Each seed meets each demand seed; names keep the order in which they were given."""
    plan = short_plan(scenarios=("grid4x4", "cologne1"), seeds=(0, 1), demand_seeds=(5, 6))
    runs = [(run.scenario, run.controller, run.seed, run.demand_seed) for run in expand(plan)]
    assert runs[:5] == [
        ("grid4x4", "fixed", 0, 5),
        ("grid4x4", "fixed", 0, 6),
        ("grid4x4", "fixed", 1, 5),
        ("grid4x4", "fixed", 1, 6),
        ("grid4x4", "lookahead", 0, 5),
    ]
    assert len(runs) == 16
    assert runs[-1] == ("cologne1", "lookahead", 1, 6)


def test_every_option_reaches_every_run() -> None:
    """Window, warm-up, scale, profile and parameters are those of the plan."""
    plan = short_plan(
        profile="R1", scale=1.2, warmup_s=30, params=(("junctions", "2"),), controllers=("fixed",)
    )
    assert expand(plan)[1] == RunSpec(
        "cologne1",
        "fixed",
        seed=1,
        scale=1.2,
        profile="R1",
        begin_s=25200,
        end_s=25500,
        warmup_s=30,
        params=(("junctions", "2"),),
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controllers": ("fixed", "lookahed")}, "controller: .* found lookahed; did you mean lookahead"),
        ({"controllers": ("fixed", "fixed")}, "--controllers: expected each once, found fixed 2 times"),
        ({"controllers": ()}, "--controllers: expected at least one"),
        ({"profile": "R3"}, "profile: expected R1 or R2, found R3"),
        ({"scale": 0.0}, "scale: expected above 0"),
        ({"seeds": (2**31,)}, "seed: expected 0 to 2147483647"),
    ],
)
def test_a_plan_with_one_wrong_value_is_refused_before_anything_runs(
    changes: dict[str, object], message: str
) -> None:
    """One wrong name or number refuses the whole plan."""
    with pytest.raises(InputError, match=message):
        check_plan(short_plan(**changes))


@pytest.mark.parametrize("scenario", ["cologne9", "cologne1-crossing", "nowhere.sumocfg"])
def test_an_unknown_scenario_is_refused_before_anything_runs(scenario: str) -> None:
    """The last of several scenarios is looked at as the first is."""
    with pytest.raises(InputError, match=scenario) as refused:
        check_plan(short_plan(scenarios=("cologne1", scenario)))
    assert scenario.endswith(".sumocfg") or isinstance(refused.value, ScenarioError)


def test_known_scenarios_of_every_family_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RESCO, crossings and generated scenarios are all known; the last two are not built for that."""
    monkeypatch.setenv("GREENSPLIT_CACHE", str(tmp_path))
    check_plan(short_plan(scenarios=("cologne1", "cologne1-crossings", "arterial", "grid")))
    assert list(tmp_path.iterdir()) == []


def test_every_run_has_a_folder_of_its_own() -> None:
    """The folder says scenario, controller and seeds; a configuration file gives its bare name."""
    root = Path("runs")
    assert run_folder(root, RunSpec("cologne1", "fixed", seed=3)) == root / "cologne1/fixed/seed-3"
    assert run_folder(root, RunSpec("/data/town.sumocfg", "greedy", seed=3, demand_seed=9)) == (
        root / "town/greedy/seed-3-demand9"
    )


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their runs would share a folder."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "town.sumocfg").write_text(CONFIGURATION)
        (tmp_path / folder / "net.xml").write_text("<net/>")
        (tmp_path / folder / "rou.xml").write_text("<routes/>")
    scenarios = tuple(str(tmp_path / folder / "town.sumocfg") for folder in ("a", "b"))
    with pytest.raises(InputError, match="expected each once, found town 2 times"):
        check_plan(short_plan(scenarios=scenarios))


CONFIGURATION = """<configuration><input><net-file value="net.xml"/><route-files value="rou.xml"/></input>
<time><begin value="0"/><end value="60"/></time></configuration>"""
