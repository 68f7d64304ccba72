"""Pattern and split tables, worked out by hand; ranges as NTCIP 1202 has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.engine.errors import ModelError
from greensplit.engine.model.site import Plan, PlanStep
from greensplit.engine.plans.ntcip import RANGES, junction_tables, table_rows

from .streets import arterial

MORNING = Plan("P1", 60_000, 12_000, (PlanStep("S1", 30_000), PlanStep("S2", 20_000)), "S1")


def test_splits_are_greens_with_their_clearances() -> None:
    """30 s and 20 s of green, 5 s to clear: 35 s for the two main phases, coordinated, and 25 s for the side street."""
    city = arterial(1)
    tables = junction_tables(city, replace(city.junctions[0], plans=(MORNING,)), ["P1"])
    assert tables["patternTable"] == [
        {
            "patternNumber": 1,
            "patternCycleTime": 60,
            "patternOffsetTime": 12,
            "patternSplitNumber": 1,
            "patternSequenceNumber": 1,
        }
    ]
    splits = [(row["splitPhase"], row["splitTime"], row["splitCoordPhase"]) for row in tables["splitTable"]]
    assert splits == [(1, 35, 1), (2, 35, 1), (3, 25, 0)]
    assert {row["splitMode"] for row in tables["splitTable"]} == {4}


def test_phases_have_the_numbers_of_the_street() -> None:
    """Groups 1, 2 and 3 are phases 2, 6 and 4 of the controller."""
    city = arterial(1)
    junction = city.junctions[0]
    groups = tuple(replace(g, phase=p) for g, p in zip(junction.groups, (2, 6, 4), strict=True))
    tables = junction_tables(city, replace(junction, groups=groups, plans=(MORNING,)), ["P1"])
    assert [row["splitPhase"] for row in tables["splitTable"]] == [2, 4, 6]


def test_overlaps_have_no_split() -> None:
    """Group 2 is green with phase 6, its parent: the controller times the phase alone."""
    city = arterial(1)
    junction = city.junctions[0]
    numbered = ((6, 0, ()), (0, 1, (1,)), (4, 0, ()))
    groups = tuple(
        replace(g, phase=phase, overlap=overlap, parents=parents)
        for g, (phase, overlap, parents) in zip(junction.groups, numbered, strict=True)
    )
    tables = junction_tables(city, replace(junction, groups=groups, plans=(MORNING,)), ["P1"])
    assert [row["splitPhase"] for row in tables["splitTable"]] == [4, 6]


def test_a_cycle_that_no_controller_takes_is_refused() -> None:
    """260 s; the object ends at 255."""
    city = arterial(1)
    long = Plan("P1", 260_000, 0, (PlanStep("S1", 130_000), PlanStep("S2", 120_000)), "S1")
    with pytest.raises(ModelError, match=r"J1: patternCycleTime: expected 0 to 255.*found 260"):
        junction_tables(city, replace(city.junctions[0], plans=(long,)), ["P1"])


def test_rows_for_people_hold_pattern_and_split() -> None:
    """One row for each phase, with a heading of object names."""
    city = arterial(1)
    tables = [junction_tables(city, replace(city.junctions[0], plans=(MORNING,)), ["P1"])]
    heading, *rows = table_rows(tables)
    assert set(heading[2:]) == set(RANGES) - {"splitNumber"}
    assert [dict(zip(heading, row, strict=True))["splitTime"] for row in rows] == [35, 35, 25]
