"""Stage-based junctions by name: the matrix, the stages, the styles, and what is refused."""

from __future__ import annotations

import doctest
from dataclasses import replace
from typing import Any

import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model import stage_based as module
from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    MeetingKind,
    Plan,
    PlanStep,
    Preempt,
    Sequence,
    Site,
    Step,
)
from greensplit.engine.model.stage_based import (
    CHINA,
    CYCLE,
    GERMANY,
    TRAM,
    UK,
    US,
    Group,
    Intergreen,
    Style,
    Yielding,
    pedestrian,
    stage_based,
)
from greensplit.engine.model.toml import site_from_toml, site_to_toml
from greensplit.engine.model.validate import validate


def both(one: str, other: str, there_ms: int, back_ms: int) -> list[Intergreen]:
    """The two cells of a pair."""
    return [Intergreen(one, other, there_ms), Intergreen(other, one, back_ms)]


def market(style: Style = GERMANY, **changes: Any) -> Junction:
    """K1 and its opposing left turn K2 against the side street K3; people F1 over the mouth of the side street.

    K2 turns across F1 and yields to it and to K1.
    """
    described: dict[str, Any] = {
        "groups": [
            Group("K1", style),
            Group("K2", style),
            Group("K3", style, max_green_ms=30_000),
            Group("F1", pedestrian(6000), min_green_ms=7000),
        ],
        "intergreens": [
            *both("K1", "K3", 5000, 6000),
            *both("K2", "K3", 7000, 6000),
            *both("K2", "K1", 7000, 7000),
            *both("F1", "K3", 7000, 8000),
            *both("K2", "F1", 7000, 7000),
        ],
        "yields": [Yielding("K2", "K1", left_turn=True), Yielding("K2", "F1")],
        "stages": {"main": ["K1", "K2", "F1"], "left": ["K2"], "side": ["K3"]},
    }
    return stage_based("Markt", **{**described, **changes})


def test_the_example_in_the_docstring_holds() -> None:
    """It is the first thing that people copy."""
    assert doctest.testmod(module).failed == 0


def test_groups_meet_where_the_matrix_has_their_intergreens() -> None:
    """Yielding pairs first, the yielding group first; the others conflict; K1 and F1 do not meet."""
    found = {
        (m.first, m.second): (m.kind, m.intergreen_ms, m.reverse_ms, m.left_turn) for m in market().meetings
    }
    assert found == {
        (2, 1): (MeetingKind.PERMISSIVE, 7000, 7000, True),
        (2, 4): (MeetingKind.PERMISSIVE, 7000, 7000, False),
        (1, 3): (MeetingKind.CONFLICT, 5000, 6000, False),
        (2, 3): (MeetingKind.CONFLICT, 7000, 6000, False),
        (4, 3): (MeetingKind.CONFLICT, 7000, 8000, False),
    }


def test_a_yielding_group_is_permissive_only_beside_those_that_it_yields_to() -> None:
    """K2 yields in stage main, and has the junction for itself in stage left."""
    assert [(s.name, s.green, s.permissive) for s in market().stages] == [
        ("main", (1, 2, 4), (2,)),
        ("left", (2,), ()),
        ("side", (3,), ()),
    ]


def test_one_ring_serves_the_stages_in_order() -> None:
    """As listed, or as ordered; a stage may be left to preemption."""
    assert [step.name for step in market().rings[0].steps] == ["main", "left", "side"]
    railway = Preempt(1, "main", 10_000, track="side", track_ms=15_000)
    ordered = market(order=["side", "main"], preempts=(railway,))
    assert [(step.name, step.groups) for ring in ordered.rings for step in ring.steps] == [
        ("side", (3,)),
        ("main", (1, 2, 4)),
    ]


def test_plans_name_stages() -> None:
    """40 + 8 + 20 s of green; no change to the left turn alone, 7 s to the side street, 8 s back to people: 83 s."""
    steps = (PlanStep("main", 40_000), PlanStep("left", 8000), PlanStep("side", 20_000))
    plan = Plan("P1", 83_000, 10_000, steps, coordinated="main")
    assert market(plans=(plan,)).plans == (plan,)
    with pytest.raises(ModelError, match=r"found 68000 \+ 15000$"):
        market(plans=(replace(plan, cycle_ms=82_999),))


@pytest.mark.parametrize(
    ("style", "start", "stop", "commit_ms"),
    [
        (US, [], [("yellow", 3000)], 0),
        (GERMANY, [("red_amber", 1000)], [("yellow", 3000)], 0),
        (UK, [("red_amber", 2000)], [("yellow", 3000)], 0),
        (CHINA, [], [("green_flash", 3000), ("yellow", 3000)], 9000),
        (TRAM, [], [("yellow", 4000)], 0),
        (CYCLE, [("red_amber", 1000)], [("yellow", 2000)], 0),
    ],
)
def test_styles_show_what_their_countries_show(
    style: Style, start: list[tuple[str, int]], stop: list[tuple[str, int]], commit_ms: int
) -> None:
    """With 9 s between all pairs, which is enough for each of them."""
    junction = market(style, intergreens=[*market_matrix()])
    shown = junction.groups[0]
    assert [(step.aspect, step.ms) for step in shown.sequence.start] == start
    assert [(step.aspect, step.ms) for step in shown.sequence.stop] == stop
    assert shown.commit_ms == commit_ms
    assert shown.kind is style.kind


def market_matrix() -> list[Intergreen]:
    """The pairs of the market with 9 s each way."""
    pairs = [("K1", "K3"), ("K2", "K3"), ("K2", "K1"), ("F1", "K3"), ("K2", "F1")]
    return [cell for one, other in pairs for cell in both(one, other, 9000, 9000)]


def test_people_see_flashing_green_where_it_is_used() -> None:
    """Then the time to walk out."""
    assert pedestrian(6000, flash_ms=3000) == Style(
        Sequence(stop=(Step("green_flash", 3000), Step("clearance", 6000))), GroupKind.PEDESTRIAN
    )


@pytest.mark.parametrize("style", [US, GERMANY, UK, CHINA], ids=["us", "germany", "uk", "china"])
def test_a_junction_comes_back_from_its_file(style: Style) -> None:
    """As TOML and back, and valid."""
    site = Site("s", (market(style, intergreens=market_matrix()),))
    assert validate(site) == []
    assert site_from_toml(site_to_toml(site)) == site


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"groups": [Group(name, US) for name in ("K1", "K2", "K3", "F1", "K1")]},
            "group K1: expected one of that name, found 2",
        ),
        (
            {"intergreens": [*market_matrix(), Intergreen("K1", "K9", 5000), Intergreen("K9", "K1", 5000)]},
            "intergreen from K1 to K9: expected groups of ['K1', 'K2', 'K3', 'F1'], found K9",
        ),
        (
            {"intergreens": [*market_matrix(), Intergreen("K1", "K3", 9001)]},
            "intergreen from K1 to K3: expected one value, found 9000 and 9001 ms",
        ),
        (
            {"intergreens": market_matrix()[1:]},
            "groups K3 and K1: expected an intergreen from K1 to K3, found none",
        ),
        (
            {"yields": [Yielding("K2", "K1"), Yielding("K2", "F1"), Yielding("K1", "F1")]},
            "groups K1 and F1: expected an intergreen from K1 to F1, found none",
        ),
        (
            {"yields": [Yielding("K2", "K1"), Yielding("K2", "F1"), Yielding("K1", "K2")]},
            "groups K1 and K2: expected one to yield, found both",
        ),
        (
            {"yields": [Yielding("K2", "K9")]},
            "K2 yields to K9: expected groups of ['K1', 'K2', 'K3', 'F1'], found K9",
        ),
        (
            {"stages": {"main": ["K1", "K2", "F1"], "side": ["K3", "K9"]}},
            "stage side: expected groups of ['K1', 'K2', 'K3', 'F1'], found K9",
        ),
        ({"order": ["main", "night"]}, "order: expected stages of ['left', 'main', 'side'], found night"),
        (
            {
                "stages": {"all": ["K1", "K2", "K3", "F1"]},
                "yields": [Yielding("K2", "K1"), Yielding("K2", "F1")],
            },
            "stage all: expected no conflict, found groups 1 and 3 green together (2 more findings)",
        ),
    ],
)
def test_what_makes_no_junction_is_refused_in_words(changes: dict[str, Any], message: str) -> None:
    """With the junction's name; the last one by validation of the whole."""
    with pytest.raises(ModelError) as caught:
        market(**changes)
    assert str(caught.value) == f"junction Markt: {message}"


def test_a_value_that_is_given_twice_alike_is_no_contradiction() -> None:
    """Tables that people merge repeat themselves."""
    assert market(intergreens=[*market_matrix(), *market_matrix()]) == market(intergreens=market_matrix())
