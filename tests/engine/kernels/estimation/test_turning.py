"""Turning shares: learned from what leaves the lanes and what the exits see."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.estimation.turning import (
    MEMORY_VEH,
    Turning,
    learn_turns,
    new_turning,
    turning_spread,
)
from greensplit.engine.kernels.state import Lamps, new_lamps
from greensplit.engine.model.aspects import GREEN, RED
from greensplit.engine.model.upstream import Links, compile_links

from ...model.test_upstream import _site

TOGETHER = ((1,), (1, 2))


def _start() -> tuple[Links, Turning, Lamps]:
    """Lane 0 (group 1) may take either exit, lane 1 (group 2) the second, lane 2 (both groups) either."""
    links = compile_links(_site(TOGETHER, ()))
    lamps = new_lamps(4)
    lamps.aspect[:] = GREEN
    return links, new_turning(links), lamps


def _drive(
    links: Links, turning: Turning, lamps: Lamps, rows: list[tuple[int, int]], start_s: int = 0
) -> None:
    """One vehicle every 20 s: (lane it leaves, exit that sees it three seconds later)."""
    none, sources = np.zeros(6, np.float32), len(links.source_detector)
    for i, (lane, source) in enumerate(rows):
        now_ms = 1000 * (start_s + 20 * i)
        left, seen = none.copy(), np.zeros(sources, np.float32)
        left[lane], seen[source] = 1.0, 1.0
        learn_turns(links, lamps, left, np.zeros(sources, np.float32), turning, now_ms)
        learn_turns(links, lamps, none, seen, turning, now_ms + 3000)


def test_before_anything_is_seen_every_way_is_as_likely() -> None:
    """Lane 0 has two ways, lane 1 one, lane 2 three."""
    _, turning, _ = _start()
    assert turning.way_share[:6].tolist() == pytest.approx([0.5, 0.5, 1.0, 1 / 3, 1 / 3, 1 / 3])


def test_shares_converge_to_the_truth_at_the_rate_that_counts_allow() -> None:
    """30 % of 600 vehicles take the first exit: within three standard deviations of a remembered sample."""
    links, turning, lamps = _start()
    rng = np.random.default_rng(5)
    _drive(links, turning, lamps, [(0, 0 if rng.random() < 0.3 else 1) for _ in range(600)])
    deviation = (0.3 * 0.7 / MEMORY_VEH) ** 0.5
    assert turning.way_share[0] == pytest.approx(0.3, abs=3 * deviation)
    assert turning_spread(links, turning)[0] == pytest.approx(deviation, rel=0.25)


def test_shares_of_a_lane_always_sum_to_one() -> None:
    """Whatever left and wherever it was seen."""
    links, turning, lamps = _start()
    rng = np.random.default_rng(6)
    _drive(links, turning, lamps, [(int(rng.integers(3)), int(rng.integers(2))) for _ in range(200)])
    for lane in range(3):
        ways = slice(links.way_ptr[lane], links.way_ptr[lane + 1])
        assert turning.way_share[ways].sum() == pytest.approx(1.0, abs=1e-5)
        assert (turning.way_share[ways] >= 0.0).all()


def test_a_vehicle_counts_for_the_lane_that_was_just_left() -> None:
    """Lane 2 left 3 s ago, lane 0 a minute ago: the exit's vehicle is lane 2's."""
    links, turning, lamps = _start()
    _drive(links, turning, lamps, [(0, 0)])
    before = float(turning.way_veh[0])
    _drive(links, turning, lamps, [(2, 0)], start_s=60)
    assert turning.way_veh[0] == pytest.approx(before, abs=1e-3)
    assert turning.way_veh[3] == pytest.approx(1.0, abs=1e-3)


def test_a_red_group_has_no_vehicles_at_the_exit() -> None:
    """Group 1 red for a minute: lane 2's vehicle at the second exit is group 2's, all of it."""
    links, turning, lamps = _start()
    lamps.aspect[0] = RED
    lamps.end_ms[0] = -60_000
    _drive(links, turning, lamps, [(2, 1)])
    assert turning.way_veh[3:6].tolist() == pytest.approx([0.0, 0.0, 1.0], abs=1e-3)


def test_one_vehicle_is_one_count() -> None:
    """Three lanes left at once, one vehicle seen: the counts sum to one."""
    links, turning, lamps = _start()
    left, seen = np.zeros(6, np.float32), np.zeros(len(links.source_detector), np.float32)
    left[:3], seen[1] = 1.0, 1.0
    learn_turns(links, lamps, left, seen, turning, 0)
    assert turning.way_veh.sum() == pytest.approx(1.0, abs=2.0 / MEMORY_VEH)
