"""The model of known networks: facts read off their files by hand, and rules that hold for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.site import DetectorKind, GroupKind, Junction, Meeting, MeetingKind, Site
from greensplit.engine.model.validate import validate
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.resco import RESCO_NAMES
from greensplit.sim.derive.loops import LoopPositions
from greensplit.sim.derive.site import derive_site
from greensplit.sim.network import Network, read_network

NETWORKS = (*RESCO_NAMES, "arterial", "grid")


@cache
def network(name: str) -> Network:
    """A scenario's network."""
    return read_network(load(name, cache_dir=cache_home(os.environ) / "scenarios").net_file)


@cache
def site(name: str) -> Site:
    """A scenario's model."""
    return derive_site(network(name), name)


def meetings(junction: Junction, kind: MeetingKind) -> set[tuple[int, int]]:
    """Pairs of groups that meet in that way."""
    return {(meeting.first, meeting.second) for meeting in junction.meetings if meeting.kind is kind}


def intergreens(junction: Junction) -> set[int]:
    """All intergreens, ms."""
    conflicts: list[Meeting] = [m for m in junction.meetings if m.kind is not MeetingKind.SHARED]
    return {ms for m in conflicts for ms in (m.intergreen_ms, m.reverse_ms)}


def test_the_groups_of_cologne1() -> None:
    """20 lamps: on each of four approaches right and straight (three lamps), and left and back (two)."""
    (junction,) = site("cologne1").junctions
    assert [group.lamps for group in junction.groups] == [
        (0, 1, 2),
        (3, 4),
        (5, 6, 7),
        (8, 9),
        (10, 11, 12),
        (13, 14),
        (15, 16, 17),
        (18, 19),
    ]
    assert {group.kind for group in junction.groups} == {GroupKind.VEHICLE}
    names = [group.name for group in junction.groups]
    assert [name.split(":")[0] for name in names[::2]] == [
        "from east",
        "from south",
        "from west",
        "from north",
    ]


def test_the_meetings_of_cologne1() -> None:
    """Left turns yield to the opposite straight group; a group of one road conflicts with all of the other road."""
    (junction,) = site("cologne1").junctions
    assert meetings(junction, MeetingKind.PERMISSIVE) == {(2, 5), (6, 1), (4, 7), (8, 3)}
    one_road, other_road = (1, 2, 5, 6), (3, 4, 7, 8)
    crossing = {tuple(sorted((a, b))) for a in one_road for b in other_road}
    assert {tuple(sorted(pair)) for pair in meetings(junction, MeetingKind.CONFLICT)} == crossing
    assert all(m.left_turn for m in junction.meetings if m.kind is MeetingKind.PERMISSIVE)


def test_the_times_of_cologne1() -> None:
    """Its program: 29 s, 5 s of yellow for straight on, 6 s for the left turns alone, 5 s of yellow; twice; 90 s."""
    (junction,) = site("cologne1").junctions
    assert {group.sequence.stop_ms for group in junction.groups} == {5000}
    assert intergreens(junction) == {5000}
    assert [(stage.green, stage.permissive) for stage in junction.stages] == [
        ((3, 4, 7, 8), (4, 8)),
        ((4, 8), ()),
        ((1, 2, 5, 6), (2, 6)),
        ((2, 6), ()),
    ]
    (plan,) = junction.plans
    assert plan.cycle_ms == 90_000
    assert [(step.stage, step.green_ms) for step in plan.steps] == [
        ("S1", 29_000),
        ("S2", 6_000),
        ("S3", 29_000),
        ("S4", 6_000),
    ]


def test_ingolstadt1() -> None:
    """Eight lamps in six columns; 3 s of yellow; the left turn from the south yields to what comes from the north."""
    (junction,) = site("ingolstadt1").junctions
    assert [group.lamps for group in junction.groups] == [(0, 1), (2,), (3,), (4,), (5,), (6, 7)]
    assert meetings(junction, MeetingKind.CONFLICT) == {(1, 4), (2, 4), (4, 6)}
    assert meetings(junction, MeetingKind.PERMISSIVE) == {(2, 5), (2, 6)}
    assert intergreens(junction) == {3000}
    deployed = [(stage.green, stage.permissive) for stage in junction.stages if stage.deployed]
    assert deployed == [((1, 2, 3, 5, 6), (2,)), ((1, 2), ()), ((3, 4, 5), ())]
    (plan,) = junction.plans
    assert (plan.cycle_ms, [step.green_ms for step in plan.steps]) == (90_000, [38_000, 6_000, 37_000])


@pytest.mark.parametrize(
    ("name", "junctions"),
    [
        ("cologne1", 1),
        ("cologne3", 3),
        ("cologne8", 8),
        ("ingolstadt1", 1),
        ("ingolstadt7", 7),
        ("ingolstadt21", 21),
        ("grid4x4", 16),
        ("arterial4x4", 16),
    ],
)
def test_the_junctions_of_the_benchmark_networks(name: str, junctions: int) -> None:
    """As many as their names say (Ault and Sharon 2021)."""
    assert len(site(name).junctions) == junctions


@pytest.mark.parametrize("name", [*NETWORKS, "cologne1-crossings", "ingolstadt7-crossings"])
def test_every_site_answers_every_question_of_validation(name: str) -> None:
    """Nothing that was derived is refused."""
    assert validate(site(name)) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_every_controlled_lane_has_a_stop_bar_loop(name: str) -> None:
    """For every connection with a light, read from the file: a stop-bar loop that serves its lane and its group."""
    loops = {
        (junction.id, lane): detector
        for junction in site(name).junctions
        for detector in junction.detectors
        if detector.kind is DetectorKind.STOP_BAR
        for lane in detector.lanes
    }
    groups = {(j.id, lamp): g.number for j in site(name).junctions for g in j.groups for lamp in g.lamps}
    controlled = [c for c in network(name).connections if c.light and not c.source.startswith(":")]
    assert controlled
    for connection in controlled:
        lane = f"{connection.source}_{connection.source_lane}"
        assert groups[connection.light, connection.lamp] in loops[connection.light, lane].groups


@pytest.mark.parametrize("name", NETWORKS)
def test_loops_lie_within_their_lanes_where_they_are_said_to(name: str) -> None:
    """Stop-bar loops from 2 to 8 m before the line where they lie on the lane itself; all within their lanes."""
    lanes = network(name).lanes
    for junction in site(name).junctions:
        for detector in junction.detectors:
            length_m = lanes[detector.lane].length_m
            assert detector.position_m >= 0
            assert detector.position_m + detector.length_m <= length_m + 0.01
            if detector.kind is DetectorKind.STOP_BAR and detector.lanes == (detector.lane,):
                end_m = length_m - detector.position_m - detector.length_m
                assert end_m == pytest.approx(detector.distance_m, abs=0.011)
                assert end_m <= 2.01
                if length_m > 8.21:
                    assert (end_m, detector.length_m) == pytest.approx((2.0, 6.0), abs=0.011)


@pytest.mark.parametrize("name", NETWORKS)
def test_from_every_loop_a_vehicle_drives_to_the_lanes_it_serves_without_turning_around(name: str) -> None:
    """Where a road turns around at the edge of the network, its other carriageway is no approach of it."""
    onward: dict[str, set[str]] = {}
    for connection in network(name).connections:
        if connection.direction != "t" and not connection.light and not connection.source.startswith(":"):
            onward.setdefault(connection.source, set()).add(connection.target)
    lanes = network(name).lanes
    for junction in site(name).junctions:
        for detector in junction.detectors:
            reached, ahead = set(), [lanes[detector.lane].edge]
            while ahead:
                edge = ahead.pop()
                reached.add(edge)
                ahead += onward.get(edge, set()) - reached
            assert {lanes[lane].edge for lane in detector.lanes} <= reached


@pytest.mark.parametrize("name", ["cologne8", "ingolstadt21"])
def test_links_lead_to_approach_lanes_in_the_time_of_free_flow(name: str) -> None:
    """Every link ends on an approach lane of its junction; its time is its length at between 2 and 50 m/s."""
    approaches = {junction.id: {lane.id for lane in junction.lanes} for junction in site(name).junctions}
    assert len(site(name).links) > 20
    for link in site(name).links:
        assert link.to_lane in approaches[link.to_junction]
        assert 2.0 < link.length_m / (link.travel_ms / 1000) < 50.0


@pytest.mark.parametrize(("name", "rows", "columns"), [("arterial", 1, 6), ("grid", 3, 3)])
def test_generated_networks_have_one_group_per_movement_and_crossing(
    name: str, rows: int, columns: int
) -> None:
    """Four approaches and four crossings everywhere; crossings meet only turning or crossing traffic."""
    assert len(site(name).junctions) == rows * columns
    for junction in site(name).junctions:
        people = [group for group in junction.groups if group.kind is GroupKind.PEDESTRIAN]
        assert len(people) == 4
        assert len({lane.approach for lane in junction.lanes}) == 4
        assert all(group.sequence.stop[-1].aspect == "clearance" for group in people)
        for group in people:
            length_m = max(
                network(name).edges[c.target].lanes[0].length_m
                for c in network(name).connections
                if c.light == junction.id and c.lamp in group.lamps
            )
            # 1.2 m/s, whole seconds: at least the time to walk, less than a second more
            assert 0 <= group.sequence.stop_ms / 1000 - length_m / 1.2 < 1


@pytest.fixture(scope="module")
def widening(build_net: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Network:
    """From the west one lane that becomes two 40 m before the light, from the east one that does 20 m before it."""
    nodes = "".join(
        f'<node id="{name}" x="{x}" y="{y}"/>'
        for name, x, y in (
            ("w", -300, 0),
            ("k", -40, 0),
            ("l", 20, 0),
            ("e", 230, 0),
            ("s", 0, -200),
            ("n", 0, 200),
        )
    )
    nodes += '<node id="c" x="0" y="0" type="traffic_light"/>'
    edges = "".join(
        f'<edge id="{pair}" from="{pair[0]}" to="{pair[1]}" numLanes="{lanes}" speed="13.9"/>'
        for pair, lanes in (
            ("wk", 1),
            ("kc", 2),
            ("el", 1),
            ("lc", 2),
            ("sc", 1),
            ("cn", 1),
            ("cs", 1),
            ("ck", 1),
            ("kw", 1),
            ("cl", 1),
            ("le", 1),
        )
    )
    return read_network(build_net(tmp_path_factory.mktemp("widening"), nodes, edges))


def test_an_advance_loop_goes_on_upstream_over_the_next_edge(widening: Network) -> None:
    """80 m before the line: the rest lies on edge wk, behind kc and the way over node k; it serves both lanes of kc."""
    (junction,) = derive_site(widening, "widening").junctions
    advance = [d for d in junction.detectors if d.kind is DetectorKind.ADVANCE and d.lane == "wk_0"]
    assert len(advance) == 1
    assert advance[0].lanes == ("kc_0", "kc_1")
    lane = widening.lanes["wk_0"]
    ways = [c.via for c in widening.connections if c.source == "wk"]
    over_k_m = {widening.lanes[via].length_m for via in ways if via}
    behind_m = lane.length_m - advance[0].position_m - advance[0].length_m
    found_m = {behind_m + way_m + widening.lanes["kc_0"].length_m for way_m in over_k_m or {0.0}}
    assert any(metres == pytest.approx(80.0, abs=0.02) for metres in found_m)
    assert advance[0].groups == tuple(
        sorted({g for lane in junction.lanes if lane.id in ("kc_0", "kc_1") for g in lane.groups})
    )


def test_every_lane_of_a_short_widening_has_its_own_stop_bar_loop(widening: Network) -> None:
    """Lanes of lc are shorter than 20 m: their stop-bar loops end 2 m before the line and begin within the lane."""
    (junction,) = derive_site(widening, "widening").junctions
    short_m = widening.lanes["lc_0"].length_m
    assert short_m < 20
    found = [d for d in junction.detectors if d.kind is DetectorKind.STOP_BAR and d.lane.startswith("lc_")]
    assert [detector.lanes for detector in found] == [("lc_0",), ("lc_1",)]
    for detector in found:
        assert detector.position_m >= 0
        assert short_m - detector.position_m - detector.length_m == pytest.approx(2.0, abs=0.011)


def test_lanes_of_unequal_length_share_the_loop_on_the_lane_that_they_come_from() -> None:
    """Three lanes of ingolstadt7, of 92 to 102 m, widen out of one: one loop sees the vehicles of all three once."""
    (junction,) = (each for each in site("ingolstadt7").junctions if each.id == "gneJ143")
    on_it = [d for d in junction.detectors if d.kind is DetectorKind.ADVANCE and d.lane == "201956811#0_1"]
    assert [detector.lanes for detector in on_it] == [("10425609#1_1", "10425609#1_2", "10425609#1_3")]


def test_positions_of_loops_can_be_chosen(widening: Network) -> None:
    """Advance loops at 50 m of 4 m length, stop-bar loops from 1 to 11 m."""
    wanted = LoopPositions(stop_bar_near_m=1.0, stop_bar_far_m=11.0, advance_m=50.0, advance_length_m=4.0)
    (junction,) = derive_site(widening, "widening", wanted).junctions
    on_kc = [d for d in junction.detectors if d.lane == "kc_0" and d.kind is DetectorKind.STOP_BAR]
    assert [(d.distance_m, d.length_m) for d in on_kc] == [(1.0, 10.0)]
    from_south = [d for d in junction.detectors if d.lane == "sc_0" and d.kind is DetectorKind.ADVANCE]
    assert [(d.distance_m, d.length_m) for d in from_south] == [(50.0, 4.0)]
