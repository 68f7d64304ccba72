"""NEMA numbers: read off the plans of known junctions by hand, and rules that hold for every network."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.site import (
    GroupKind,
    Junction,
    MeetingKind,
    Plan,
    PlanStep,
    SignalGroup,
    Site,
    Stage,
)
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.resco import RESCO_NAMES
from greensplit.sim.derive.groups import Bundle
from greensplit.sim.derive.light import Way
from greensplit.sim.derive.numbering import Number, number_groups
from greensplit.sim.derive.site import derive_site
from greensplit.sim.describe import describe_site
from greensplit.sim.network import Connection, Lane, Network, Node, read_network

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


def vehicle_group(number: int, source: str, heading_deg: float, directions: str) -> Bundle:
    """A group of one lane of edge ``source``, with one way for each direction letter."""
    lane = Lane(f"{source}_0", source, 0, 100.0, 13.9, 3.2, (), frozenset(), frozenset())
    ways = tuple(
        Way(
            Connection(source, "x", 0, 0, "", "J", number, d),
            lane,
            Node("J", "", 0, 0, (), ()),
            0,
            heading_deg,
            0.0,
        )
        for d in directions
    )
    return Bundle(number, f"group {number}", GroupKind.VEHICLE, (number - 1,), ways, False)


def numbered(
    bundles: list[Bundle], *greens: tuple[int, ...], plan_ms: tuple[int, ...] = ()
) -> dict[int, Number]:
    """Numbers of the groups, given the greens of the stages and the time of each in the plan."""
    stages = tuple(Stage(f"S{i}", green) for i, green in enumerate(greens))
    steps = tuple(PlanStep(stage.name, ms) for stage, ms in zip(stages, plan_ms, strict=False))
    plans = (Plan("day", 90_000, 0, steps),) if steps else ()
    return number_groups(Network(Path("none")), tuple(bundles), stages, plans)[0]


def four_ways() -> list[Bundle]:
    """One group from each side, northbound, eastbound, southbound and westbound."""
    return [vehicle_group(i, side, 90.0 * (i - 1), "slr") for i, side in enumerate("snwe", start=1)]


@pytest.mark.parametrize(
    ("plan_ms", "phase"), [((50_000, 20_000), [2, 4, 6, 8]), ((20_000, 50_000), [8, 2, 4, 6])]
)
def test_of_equal_streets_the_one_with_more_green_is_the_main_street(
    plan_ms: tuple[int, int], phase: list[int]
) -> None:
    """Stage S0 serves north and south, S1 east and west; the numbers go clockwise from the main street's first."""
    numbers = numbered(four_ways(), (1, 3), (2, 4), plan_ms=plan_ms)
    assert [numbers[i].phase for i in (1, 2, 3, 4)] == phase


@pytest.mark.parametrize(("heading_deg", "phase"), [(90.0, 4), (270.0, 8)])
def test_a_stem_is_phase_4_or_8_by_the_side_it_comes_from(heading_deg: float, phase: int) -> None:
    """From the west, clockwise after the northbound phase 2, it is 4; from the east it is 8."""
    bundles = [
        vehicle_group(1, "s", 0.0, "ss"),
        vehicle_group(2, "n", 180.0, "ss"),
        vehicle_group(3, "stem", heading_deg, "lr"),
    ]
    plan_ms = (50_000, 20_000)
    assert numbered(bundles, (1, 2), (3,), plan_ms=plan_ms)[3] == Number(phase)


def test_a_left_turn_is_odd_only_where_somebody_may_oppose_it() -> None:
    """Alone on the stem of a T it has the even phase; alone on its side of a crossing it opposes the traffic there."""
    main = [vehicle_group(1, "s", 0.0, "s"), vehicle_group(2, "n", 180.0, "s")]
    stem = vehicle_group(3, "w", 90.0, "l")
    plan_ms = (50_000, 20_000)
    assert numbered([*main, stem], (1, 2), (3,), plan_ms=plan_ms)[3] == Number(4)
    opposing = vehicle_group(4, "e", 270.0, "s")
    numbers = numbered([*main, stem, opposing], (1, 2), (3,), (4,), plan_ms=plan_ms)
    assert (numbers[3], numbers[4]) == (Number(7), Number(8))


def test_parallel_edges_are_one_approach() -> None:
    """Left turns on a carriageway of their own, 10 degrees askew: phase 5 beside 2, and still two streets."""
    bundles = [*four_ways(), vehicle_group(5, "slip", 350.0, "l")]
    numbers = numbered(bundles, (1, 3), (2, 4), (5,), plan_ms=(50_000, 20_000))
    assert (numbers[1], numbers[5]) == (Number(2), Number(5))


def test_a_group_that_no_phases_cover_has_a_phase_of_its_own() -> None:
    """Right turns that are green with the through movement beside them, and once more alone: no overlap shows that."""
    bundles = [*four_ways(), vehicle_group(5, "s", 0.0, "r")]
    greens = ((1, 3, 5), (2, 4))
    assert numbered(bundles, *greens, plan_ms=(50_000, 20_000))[5] == Number(0, 1, (1,))
    assert numbered(bundles, *greens, (5,), plan_ms=(50_000, 20_000))[5] == Number(9)


def test_the_description_shows_phases_and_overlaps() -> None:
    """`scenarios show` prints what the street's engineer looks for."""
    text = describe_site(site("ingolstadt1"))
    assert "  1  phase 2, vehicle, from south: straight; " in text
    assert "  5  overlap A (4+6), vehicle, from north: right; " in text
