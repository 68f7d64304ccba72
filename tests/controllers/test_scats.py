"""SCATS's rules on numbers worked out by hand, and in a small world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.catalogue import find
from greensplit.controllers.profile import R2
from greensplit.controllers.rotation import Rotation
from greensplit.controllers.scats import best_split, next_cycle_ms
from greensplit.controllers.scats_loops import used_green_s
from greensplit.controllers.scats_offsets import LinkPlans
from greensplit.controllers.turns import Turns, compile_turns
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.site import Link, Site

from ..engine.kernels.sites import crossroads
from .street import Street, drive
from .test_scoot import shown_s


def turns_of_crossroads() -> Turns:
    where = crossroads()
    return compile_turns(where, compile_signals(where), compile_detection(where), 5000)[0][0]


def test_green_is_used_but_for_space_that_a_dense_stream_would_not_leave() -> None:
    """30 s of green, 14 s without a vehicle, 10 vehicles that need 0.8 s between them: 24 s used. Never below 0."""
    used = used_green_s(
        np.array([30.0, 30.0, 30.0, 30.0]),
        np.array([14.0, 5.0, 30.0, 0.0]),
        np.array([10.0, 10.0, 0.0, 0.0]),
        np.full(4, 0.8),
    )
    assert used.tolist() == [24.0, 30.0, 0.0, 30.0]


@pytest.mark.parametrize(
    ("cycle_s", "saturation", "next_s"),
    [
        (90, 0.9, 90),
        (90, 0.93, 93),
        (90, 1.2, 96),
        (90, 0.88, 88),
        (90, 0.3, 84),
        (118, 1.0, 120),
        (61, 0.2, 60),
    ],
)
def test_the_cycle_steps_towards_ninety_percent(cycle_s: int, saturation: float, next_s: int) -> None:
    """In proportion, by at most 6 s, from 60 to 120 s."""
    assert next_cycle_ms(1000 * cycle_s, saturation, 60_000) == 1000 * next_s


@pytest.mark.parametrize(
    ("saturation", "split"),
    [((0.95, 0.5), (1, 0)), ((0.4, 0.9), (0, 1)), ((0.8, 0.8), (0, 0)), ((0.0, 0.0), (0, 0))],
)
def test_the_vote_is_for_the_split_with_the_least_worst_saturation(
    saturation: tuple[float, float], split: tuple[int, int]
) -> None:
    """Greens of 20 s and 28 s; 2.4 s go to the fuller one."""
    length_ms = np.array([27_000, 33_000])
    assert best_split(turns_of_crossroads(), length_ms, np.array(saturation)) == split


def test_no_split_takes_a_turn_below_its_least() -> None:
    """The second turn needs 10 s and has 12 s: 2.4 s are too much."""
    assert best_split(turns_of_crossroads(), np.array([48_000, 12_000]), np.array([1.0, 0.0])) == (0, 0)


def two_in_a_row() -> Site:
    """From J to K 22 s, both ways, on the first street of both: greens after 7 s of change."""
    (one,) = crossroads().junctions
    return replace(
        crossroads(),
        junctions=(one, replace(one, id="K", device_id=2)),
        links=(
            Link("J", 1, "K", "in1_0", 300.0, 22_000, 40.0),
            Link("K", 1, "J", "in1_0", 300.0, 25_000, 40.0),
        ),
    )


@pytest.mark.parametrize(("flows", "lead_ms"), [((2.0, 9.0), 22_000), ((9.0, 2.0), -25_000), ((0.0, 0.0), 0)])
def test_offsets_lead_the_way_that_most_take(flows: tuple[float, float], lead_ms: int) -> None:
    """The green of the busier link's end begins one travel time after the green that feeds it; without counts never."""
    where = two_in_a_row()
    rotation = Rotation(where, compile_signals(where), compile_detection(where), 5000, 0)
    links = LinkPlans(where, rotation)
    for j in (0, 1):
        links.count(slice(2 * j, 2 * j + 2), np.array([flows[j], 0.0]), 60_000.0)
    links.choose(rotation)
    assert links.offset_ms[1] - links.offset_ms[0] == lead_ms


def test_offsets_lead_back_to_a_junction_that_feeds_the_busiest_link() -> None:
    """Most go from K to L; who comes to K from J left there 22 s before K's green."""
    pair = two_in_a_row()
    last = replace(pair.junctions[0], id="L", device_id=3)
    onward = Link("K", 1, "L", "in1_0", 300.0, 30_000, 40.0)
    where = replace(pair, junctions=(*pair.junctions, last), links=(pair.links[0], onward))
    rotation = Rotation(where, compile_signals(where), compile_detection(where), 5000, 0)
    links = LinkPlans(where, rotation)
    for j, vehicles in enumerate((0.0, 5.0, 9.0)):
        links.count(slice(2 * j, 2 * j + 2), np.array([vehicles, 0.0]), 60_000.0)
    links.choose(rotation)
    assert np.diff(links.offset_ms).tolist() == [22_000, 30_000]


def test_green_goes_where_the_traffic_is() -> None:
    """From equal shares: 900 veh/h beside 200 get at least half as much again; unused green is not shown."""
    entry = find("scats")
    assert entry.make is not None
    where = crossroads()
    loop = drive(where, Street(where, [900.0, 200.0], 3), entry.make(R2, where), 3600, perfect=False)
    events = loop.events.rows()
    late = events[events["t_ms"] > 1_800_000]
    assert shown_s(late, 1) > 1.5 * shown_s(late, 2)
    assert (late["event"] == 4).any()
