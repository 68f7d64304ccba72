"""Scenarios by name."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from greensplit.engine.errors import NetworkError, ScenarioError
from greensplit.scenarios.catalogue import NAMES, catalogue, load


def test_every_name_has_one_row() -> None:
    """Eight networks, the same with crossings, two generated."""
    rows = catalogue()
    assert [row.name for row in rows] == list(NAMES)
    assert len(rows) == 18
    by_name = {row.name: row for row in rows}
    assert by_name["arterial"].junctions == 6
    assert by_name["grid"].junctions == 9
    assert by_name["cologne8-crossings"].junctions == by_name["cologne8"].junctions
    assert all(row.licence and row.source for row in rows)


def test_the_catalogue_is_quick() -> None:
    """Six megabytes are counted in under a second and a half, the limit of a command that only lists."""
    started_s = time.perf_counter()
    catalogue()
    assert time.perf_counter() - started_s < 1.5


@pytest.mark.parametrize(
    ("name", "near"),
    [("colonge8", "cologne8"), ("grid4x4-crossing", "grid4x4-crossings"), ("artrial", "arterial")],
)
def test_an_unknown_name_is_answered_with_near_ones(name: str, near: str, cache_dir: Path) -> None:
    """The first suggestion is the one that was meant."""
    with pytest.raises(ScenarioError, match=f"^{name}: .*near: {near}"):
        load(name, cache_dir=cache_dir)


def test_a_name_like_nothing_is_answered_with_all_of_them(cache_dir: Path) -> None:
    """Then the list helps more than a guess."""
    with pytest.raises(ScenarioError, match=r"there are cologne1, .*, grid$"):
        load("qqq", cache_dir=cache_dir)


def test_a_missing_configuration_file_is_named(cache_dir: Path) -> None:
    """A path is never taken for a name."""
    with pytest.raises(NetworkError, match=r"no/where\.sumocfg: expected an XML file, found none"):
        load("no/where.sumocfg", cache_dir=cache_dir)


def test_parameters_and_seed_reach_the_generator(cache_dir: Path) -> None:
    """Text as the command line gives it becomes numbers; the same text gives the same files."""
    params = {"junctions": "1", "duration_s": "600", "profile": "1,2"}
    first = load("arterial", cache_dir=cache_dir, seed=4, params=params)
    assert first.end_s == 600
    assert first.description == "arterial of 1 junctions about 350 m apart, seed 4"
    assert load("arterial", cache_dir=cache_dir, seed=4, params=params) == first
    assert load("arterial", cache_dir=cache_dir, seed=5, params=params).net_file != first.net_file


@pytest.mark.parametrize(
    ("name", "params", "complaint"),
    [
        ("grid", {"row": "3"}, "grid: expected parameters among rows, columns, .* found row$"),
        ("grid", {"rows": "three"}, "grid: expected a number in rows, found 'three'"),
        ("grid", {"rows": "0"}, "rows: expected 1 to 30, found 0"),
        ("arterial", {"profile": "1,x"}, "arterial: expected a number in profile, found '1,x'"),
        ("cologne1", {"scale": "2"}, "cologne1: expected no parameters, found scale"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    name: str, params: dict[str, str], complaint: str, cache_dir: Path
) -> None:
    """Name, what was expected, what was found."""
    with pytest.raises(ScenarioError, match=complaint):
        load(name, cache_dir=cache_dir, params=params)
