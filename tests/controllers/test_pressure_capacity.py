"""Pressure by place on the link: by hand on two junctions in a row, and against sums over vehicles one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.pressure_capacity import NextLanes, link_lengths_m, next_lanes, pressures
from greensplit.engine.loop import Truth
from greensplit.engine.model.site import Link, Site
from greensplit.engine.model.upstream import compile_links

from ..engine.kernels.sites import crossroads, site


def row() -> Site:
    """Group 1 of J leads over 100 m to lane in1_0 of K; groups 1 and 2 of J have indices 0, 1, those of K 2, 3."""
    (first,) = crossroads().junctions
    second = replace(
        first,
        id="K",
        device_id=2,
        detectors=tuple(replace(d, channel=200 + d.channel) for d in first.detectors),
    )
    return replace(site(first, second), links=(Link("J", 1, "K", "in1_0", 100.0, 7200, 13.3),))


def ahead() -> NextLanes:
    return next_lanes(compile_links(row()), link_lengths_m(row()), 4)


def truth(*vehicles: tuple[int, int, float]) -> Truth:
    """Vehicles as (group, lane, distance)."""
    group, lane, distance_m = zip(*vehicles, strict=True)
    none = np.zeros(len(vehicles))
    return Truth(
        np.array(group, np.int32),
        np.array(lane, np.int32),
        np.array(distance_m, np.float64),
        none,
        none.astype(np.uint8),
        none.astype(np.float32),
        np.zeros(4),
    )


def test_links_are_found_from_the_group_to_the_lane() -> None:
    found = ahead()
    assert (found.group.tolist(), found.lane.tolist()) == ([0], [2])
    assert found.count.tolist() == [1, 0, 0, 0]
    assert found.length_m.tolist() == [np.inf, np.inf, 100.0, np.inf]


def test_a_vehicle_pushes_the_more_the_nearer_it_is() -> None:
    """At 0 m and half way of 150 m on a long link: 1.5; at 150 m nothing. At half way of the 100 m link: 0.5."""
    seen = truth((1, 1, 0.0), (1, 1, 75.0), (1, 1, 150.0), (2, 2, 50.0))
    assert pressures(seen, ahead(), 150.0, 1.0).tolist() == [0.0, 1.5, 0.5, 0.0]


def test_a_full_entrance_pushes_back_and_a_queue_at_the_far_end_hardly() -> None:
    """Two before the line of group 1; behind it one at 90 of 100 m takes off 0.9, one at 10 m takes off 0.1."""
    before = [(0, 0, 0.0), (0, 0, 0.0)]
    assert pressures(truth(*before, (2, 2, 90.0)), ahead(), 150.0, 1.0)[0] == pytest.approx(1.1)
    assert pressures(truth(*before, (2, 2, 10.0)), ahead(), 150.0, 1.0)[0] == pytest.approx(1.9)
    assert pressures(truth(*before, (2, 2, 90.0)), ahead(), 150.0, 0.5)[0] == pytest.approx(1.55)


def test_pressure_is_never_below_nothing() -> None:
    """Three at the entrance of the next link, nobody before the line."""
    seen = truth((2, 2, 99.0), (2, 2, 98.0), (2, 2, 97.0))
    assert pressures(seen, ahead(), 150.0, 1.0)[0] == 0.0


def test_who_is_still_upstream_of_the_link_does_not_push_back() -> None:
    """Seen at 120 m from K's line, which is before junction J: not on the link of 100 m."""
    assert pressures(truth((0, 0, 0.0), (2, 2, 120.0)), ahead(), 150.0, 1.0)[0] == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_random_vehicles_add_up_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups, lanes = 6, 5
    pairs = sorted({(int(rng.integers(groups)), int(rng.integers(lanes))) for _ in range(8)})
    length_m = np.where(rng.random(lanes) < 0.3, np.inf, rng.uniform(40, 300, lanes))
    for _, lane in pairs:
        length_m[lane] = min(length_m[lane], 250.0)
    ahead_of = {g: [lane for group, lane in pairs if group == g] for g in range(groups)}
    vehicles = [
        (int(rng.integers(groups)), int(rng.integers(lanes)), float(rng.uniform(0, 320))) for _ in range(200)
    ]
    found = NextLanes(
        np.array([group for group, _ in pairs], np.int32),
        np.array([lane for _, lane in pairs], np.int32),
        np.array([len(ahead_of[g]) for g in range(groups)]),
        length_m,
    )
    expected = []
    for g in range(groups):
        push = sum(max(0.0, 1 - d / min(150.0, length_m[lane])) for group, lane, d in vehicles if group == g)
        shares = [
            sum(d / length_m[lane] for _, at, d in vehicles if at == lane and d <= length_m[lane])
            for lane in ahead_of[g]
        ]
        expected.append(max(0.0, push - 0.3 * sum(shares) / max(len(shares), 1)))
    assert pressures(truth(*vehicles), found, 150.0, 0.3) == pytest.approx(expected)
    assert any(value > 0.0 for value in expected)
