"""The kernels' tables of a junction, against a junction worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from greensplit.engine.model.compiled import compile_detection, compile_rules, compile_signals
from greensplit.engine.model.site import (
    ApproachLane,
    Detector,
    DetectorKind,
    GroupKind,
    Meeting,
    MeetingKind,
    Site,
    Stage,
    Step,
)

from ..kernels.sites import CONFLICT, PERMISSIVE, crossroads, group, junction, left_turn, site


def three_groups() -> Site:
    """The crossroads, then: 1 a street, 2 its opposing left turn, 3 a crossing with red-amber-free walk."""
    by_hand = junction(
        (
            group(1, start=(Step("red_amber", 1500),), min_green_ms=6000),
            group(2, stop=(Step("green_flash", 2000), Step("yellow", 3500))),
            group(3, kind=GroupKind.PEDESTRIAN, stop=(Step("clearance", 8000),), min_green_ms=7000),
        ),
        (
            Meeting(2, 1, PERMISSIVE, 6500, 4000, left_turn=True),
            Meeting(1, 3, CONFLICT, 9000, 12_000),
            Meeting(2, 3, MeetingKind.SHARED, 0, 0),
        ),
        (Stage("A", (1, 2), (2,)), Stage("B", (2, 3), deployed=False)),
        name="K",
        device_id=40,
    )
    return site(crossroads().junctions[0], by_hand, red_revert_ms=2500)


def test_junctions_are_laid_out_one_after_the_other() -> None:
    """Two junctions of 2 and 3 groups: pairs take 4 and 9 places, stages 2 and 2."""
    s = compile_signals(three_groups())
    assert s.device_id.tolist() == [1, 40]
    assert s.group_ptr.tolist() == [0, 2, 5]
    assert s.stage_ptr.tolist() == [0, 2, 4]
    assert s.pair_ptr.tolist() == [0, 4, 13]
    assert s.stage_aspect_ptr.tolist() == [0, 2, 4, 7, 10]
    assert s.revert_ms == 2500


def test_groups_keep_their_times_and_sequences() -> None:
    """Aspects by number: 4 green flash, 5 yellow, 6 clearance, 0 unused."""
    s = compile_signals(three_groups())
    assert s.is_pedestrian.tolist() == [0, 0, 0, 0, 1]
    assert s.min_green_ms.tolist() == [5000, 5000, 6000, 5000, 7000]
    assert s.start_ms.tolist() == [0, 0, 1500, 0, 0]
    assert s.stop_aspect.tolist() == [[5, 0], [5, 0], [5, 0], [4, 5], [6, 0]]
    assert s.stop_ms.tolist() == [[3000, 0], [3000, 0], [3000, 0], [2000, 3500], [8000, 0]]


def test_red_clearance_is_the_longest_intergreen_beyond_the_stop_sequence() -> None:
    """5-3 and 7-3; then max(4, 9)-3 = 6, 6.5-5.5 = 1 and 12-8 = 4 s."""
    assert compile_signals(three_groups()).clearance_ms.tolist() == [2000, 4000, 6000, 1000, 4000]


def test_each_ordered_pair_has_its_relation_intergreen_and_trap() -> None:
    """Row a, column b: 1 conflict, 2 a yields, 3 a has priority, 4 shared; intergreen from a to b."""
    s = compile_signals(three_groups())
    assert s.meeting[:4].tolist() == [0, 1, 1, 0]
    assert s.intergreen_ms[:4].tolist() == [0, 5000, 7000, 0]
    assert s.meeting[4:].reshape(3, 3).tolist() == [[0, 3, 1], [2, 0, 4], [1, 4, 0]]
    assert s.intergreen_ms[4:].reshape(3, 3).tolist() == [[0, 4000, 9000], [6500, 0, 0], [12000, 0, 0]]
    assert (s.trap_ptr.tolist(), s.trap.tolist()) == ([0, 0, 1], [[1, 0]])


def test_a_left_turn_mark_means_nothing_where_the_two_conflict() -> None:
    """A conflicting left turn has its own green: ending it leaves no opposing green behind."""
    turn = left_turn().junctions[0]
    apart = replace(turn.meetings[0], kind=CONFLICT)
    stages = (Stage("B", (2,)), Stage("C", (3,)), Stage("D", (1,)))
    s = compile_signals(site(replace(turn, meetings=(apart, *turn.meetings[1:]), stages=stages)))
    assert len(s.trap) == 0


def test_the_interlock_has_the_same_rules_in_arrays_of_its_own() -> None:
    """What spoils the signal machine's tables leaves the interlock's as the model has them."""
    signals, rules = compile_signals(three_groups()), compile_rules(three_groups())
    for name, table in rules._asdict().items():
        of_machine = getattr(signals, name)
        assert np.array_equal(table, of_machine), name
        assert not isinstance(table, np.ndarray) or not np.shares_memory(table, of_machine), name


def test_stages_show_each_group_red_green_or_permissive() -> None:
    """0 red, 2 green, 3 permissive; the derived stage is not marked as deployed."""
    s = compile_signals(three_groups())
    assert s.stage_aspect.tolist() == [2, 0, 0, 2, 2, 3, 0, 0, 2, 2]
    assert s.stage_deployed.tolist() == [1, 1, 1, 0]


def test_lanes_find_their_own_detectors() -> None:
    """Detectors of the second junction come after the four of the first; people have no lane."""
    d = compile_detection(three_groups())
    assert d.lane_ptr.tolist() == [0, 2, 4]
    assert d.detector_ptr.tolist() == [0, 4, 8]
    assert d.channel.tolist() == [1, 101, 2, 102] * 2
    assert d.kind.tolist() == [0, 1] * 4
    assert d.stop_bar.tolist() == [0, 2, 4, 6]
    assert d.advance.tolist() == [1, 3, 5, 7]
    assert d.lane_group_ptr.tolist() == [0, 1, 2, 3, 4]
    assert d.lane_group.tolist() == [0, 1, 0, 1]
    assert d.advance_m.tolist() == [68.0] * 4
    assert d.advance_share.tolist() == [1.0] * 4


def test_a_loop_upstream_of_a_widening_serves_its_lanes_in_equal_parts() -> None:
    """One advance loop for two lanes: each takes half; a lane without loops has -1."""
    base = crossroads().junctions[0]
    one = Detector("far", 9, DetectorKind.ADVANCE, "e_0", 0.0, 2.0, 80.0, (1, 2), ("in1_0", "in2_0"))
    left = Detector("exit", 10, DetectorKind.EXIT, "out_0", 5.0, 2.0, 5.0, (2,), ("out_0",))
    d = compile_detection(site(replace(base, detectors=(one, left))))
    assert d.stop_bar.tolist() == [-1, -1]
    assert d.advance.tolist() == [0, 0]
    assert d.advance_share.tolist() == [0.5, 0.5]
    assert d.exit_ptr.tolist() == [0, 0, 1]
    assert d.exit_detector.tolist() == [1]


def test_a_lane_may_serve_several_groups() -> None:
    """Local group indices start at 0 in every junction."""
    base = crossroads().junctions[0]
    lane = ApproachLane("wide_0", "from north", (1, 2), 300.0, 10.0)
    d = compile_detection(site(replace(base, lanes=(*base.lanes, lane))))
    assert d.lane_group_ptr.tolist() == [0, 1, 2, 4]
    assert d.lane_group[2:].tolist() == [0, 1]
    assert (d.storage_m[2], d.speed_mps[2]) == (300.0, 10.0)


def test_interlock_and_machine_get_tables_of_their_own() -> None:
    """Two compilations share no memory: what damages one leaves the other."""
    city = three_groups()
    a, b = compile_signals(city), compile_signals(city)
    for x, y in zip(a, b, strict=True):
        if isinstance(x, np.ndarray):
            assert not np.shares_memory(x, y)


def test_a_site_without_junctions_compiles_to_empty_tables() -> None:
    """Nothing to control is not an error of the tables."""
    s, d = compile_signals(Site("empty", ())), compile_detection(Site("empty", ()))
    assert s.group_ptr.tolist() == [0]
    assert s.stop_ms.shape == (0, 2)
    assert d.channel.shape == (0,)
