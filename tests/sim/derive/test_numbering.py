"""NEMA numbers: read off the plans of known junctions by hand, and rules that hold for every network."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.site import GroupKind, Junction, MeetingKind, SignalGroup, Site
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.resco import RESCO_NAMES
from greensplit.sim.derive.site import derive_site
from greensplit.sim.describe import describe_site
from greensplit.sim.network import read_network

NETWORKS = (*RESCO_NAMES, "arterial", "grid", "cologne1-crossings", "ingolstadt7-crossings")
CROSSROADS = {"w": (-200, 0), "e": (200, 0), "s": (0, -200), "n": (0, 200)}


@cache
def site(name: str) -> Site:
    """A scenario's model."""
    return derive_site(
        read_network(load(name, cache_dir=cache_home(os.environ) / "scenarios").net_file), name
    )


def vehicles(junction: Junction) -> list[SignalGroup]:
    """Groups that have a phase or an overlap of their own."""
    return [group for group in junction.groups if group.kind is not GroupKind.PEDESTRIAN]


def phases(junction: Junction) -> dict[str, int]:
    """Phase of each vehicle group by its name; overlaps are negative."""
    return {group.name: group.phase or -group.overlap for group in vehicles(junction)}


def test_the_phases_of_cologne1() -> None:
    """The faster street runs south to north: 2 northbound, 6 southbound; clockwise after 2 comes the eastbound, 4."""
    (junction,) = site("cologne1").junctions
    assert phases(junction) == {
        "from south: straight+right": 2,
        "from north: left+turn-around": 1,
        "from north: straight+right": 6,
        "from south: left+turn-around": 5,
        "from west: straight+right": 4,
        "from east: left+turn-around": 3,
        "from east: straight+right": 8,
        "from west: left+turn-around": 7,
    }


def test_the_phases_of_ingolstadt1() -> None:
    """A T: the stem from the west has 4 and 7; the right turn from the north runs with 6 beside it and with 4."""
    (junction,) = site("ingolstadt1").junctions
    assert phases(junction) == {
        "from south: straight": 2,
        "from south: left": 5,
        "from north: straight": 6,
        "from west: right": 4,
        "from west: left": 7,
        "from north: right": -1,
    }
    (right,) = [group for group in junction.groups if group.overlap]
    assert [junction.groups[parent - 1].name for parent in right.parents] == [
        "from west: right",
        "from north: straight",
    ]


def test_people_walk_with_the_traffic_beside_them() -> None:
    """At a crossing of the generated grid: over the east leg with the northbound, on the right of it, and so on."""
    junction = site("grid").junctions[0]
    approach = {phase: name for name, phase in phases(junction).items()}
    walking = {g.name[-2:]: approach[g.phase] for g in junction.groups if g.kind is GroupKind.PEDESTRIAN}
    assert walking == {  # crossings c0 to c3 are over the north, east, south and west leg
        "c0": "from east: straight",
        "c1": "from south: straight",
        "c2": "from west: straight",
        "c3": "from north: straight",
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_every_vehicle_group_has_one_number_and_no_two_share_it(name: str) -> None:
    """A phase or an overlap, never both, never neither."""
    for junction in site(name).junctions:
        numbers = Counter((group.phase, group.overlap) for group in vehicles(junction))
        assert all((phase > 0) != (overlap > 0) for phase, overlap in numbers)
        assert set(numbers.values()) == {1}


@pytest.mark.parametrize("name", NETWORKS)
def test_left_turns_are_odd_and_straight_groups_even(name: str) -> None:
    """By the words of the names; left turns share a phase with through traffic only where they share a group."""
    for junction in site(name).junctions:
        for group in vehicles(junction):
            turns = set(group.name.split(": ")[1].split(" (")[0].split("+"))
            if "straight" in turns and group.phase:
                assert group.phase % 2 == 0, group.name
            if turns <= {"left", "half left", "turn-around"} and group.phase:
                assert group.phase % 2 == 1, group.name


@pytest.mark.parametrize("name", NETWORKS)
def test_an_odd_phase_meets_the_even_phase_that_it_opposes(name: str) -> None:
    """1 and 2, 3 and 4, 5 and 6, 7 and 8: opposing movements conflict or one yields, but for mere turn-arounds."""
    for junction in site(name).junctions:
        met = {frozenset((m.first, m.second)) for m in junction.meetings}
        by_phase = {group.phase: group for group in vehicles(junction) if group.phase}
        for odd in (1, 3, 5, 7):
            if odd in by_phase and odd + 1 in by_phase and by_phase[odd].name.split(": ")[1] != "turn-around":
                if "straight" in by_phase[odd + 1].name:
                    assert frozenset((by_phase[odd].number, by_phase[odd + 1].number)) in met


@pytest.mark.parametrize("name", NETWORKS)
def test_an_overlap_is_green_exactly_with_its_parents(name: str) -> None:
    """In every deployed stage: with one of them green it is, and with none it is not."""
    for junction in site(name).junctions:
        for group in junction.groups:
            for stage in junction.stages if group.overlap else ():
                if stage.deployed:
                    assert (group.number in stage.green) == bool(set(group.parents) & set(stage.green))


@pytest.mark.parametrize("name", ["arterial", "grid", "cologne1-crossings", "ingolstadt7-crossings"])
def test_people_do_not_conflict_with_the_phase_they_walk_with(name: str) -> None:
    """At most its turning vehicles yield to them."""
    for junction in site(name).junctions:
        apart = {frozenset((m.first, m.second)) for m in junction.meetings if m.kind is MeetingKind.CONFLICT}
        by_phase = {group.phase: group.number for group in vehicles(junction)}
        for group in junction.groups:
            if group.kind is GroupKind.PEDESTRIAN:
                assert frozenset((group.number, by_phase[group.phase])) not in apart


def test_numbers_are_the_same_every_time() -> None:
    """Two derivations of one network."""
    again = site.__wrapped__("ingolstadt7")
    assert again == site("ingolstadt7")


@pytest.fixture(scope="module")
def build(build_net: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Site]:
    """Builds a junction c at the origin with approaches from the named places, of so many lanes each."""

    def made(places: dict[str, tuple[float, float]], lanes: dict[str, int]) -> Site:
        nodes = "".join(f'<node id="{name}" x="{x}" y="{y}"/>' for name, (x, y) in places.items())
        nodes += '<node id="c" x="0" y="0" type="traffic_light"/>'
        edges = "".join(
            f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="{lanes.get(name, 1)}" speed="13.9"/>'
            for name in places
            for a, b in ((name, "c"), ("c", name))
        )
        net = build_net(tmp_path_factory.mktemp("net"), nodes, edges)
        return derive_site(read_network(net), "built")

    return made


@pytest.mark.parametrize(("wide", "second"), [("we", "from west"), ("ns", "from south")])
def test_the_street_with_more_lanes_is_the_main_street(
    build: Callable[..., Site], wide: str, second: str
) -> None:
    """Phase 2 is the eastbound or the northbound traffic of the wider street."""
    (junction,) = build(CROSSROADS, dict.fromkeys(wide, 2)).junctions
    names = {group.phase: group.name for group in vehicles(junction)}
    assert names[2].startswith(second)


def test_a_slight_turn_of_the_street_does_not_turn_its_numbers(build: Callable[..., Site]) -> None:
    """Northbound stays phase 2 whether it heads 3 degrees west or east of north."""
    for x in (-10, 10):
        places = {**CROSSROADS, "s": (-x, -200), "n": (x, 200)}
        (junction,) = build(places, {"n": 2, "s": 2}).junctions
        assert {group.phase: group.name for group in vehicles(junction)}[2].startswith("from south")


def test_five_approaches_are_numbered_in_order_and_that_is_said(build: Callable[..., Site]) -> None:
    """Three streets have no place in two rings."""
    found = build({**CROSSROADS, "x": (-150, -150)}, {})
    (junction,) = found.junctions
    assert [group.phase for group in vehicles(junction)] == list(range(1, 1 + len(vehicles(junction))))
    assert any(
        "5 approaches on 3 streets: phases are numbered in the order" in note for note in found.assumptions
    )


def test_the_description_shows_phases_and_overlaps() -> None:
    """`scenarios show` prints what the street's engineer looks for."""
    text = describe_site(site("ingolstadt1"))
    assert "  1  phase 2, vehicle, from south: straight; " in text
    assert "  5  overlap A (4+6), vehicle, from north: right; " in text
