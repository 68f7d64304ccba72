"""Platoon dispersion: Robertson's recursion and its numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.kernels.estimation.dispersion import (
    add_platoon,
    disperse,
    least_travel_s,
    platoon_factor,
)
from greensplit.engine.kernels.jit import kernel

RING = 128


@kernel
def _add(ring, lane, veh, factor, first_s, from_s, last_s):  # type: ignore[no-untyped-def]
    add_platoon(ring, lane, veh, factor, first_s, from_s, last_s)


@kernel
def _disperse(before_veh, departed_veh, factor):  # type: ignore[no-untyped-def]
    return disperse(before_veh, departed_veh, factor)


def test_the_factor_of_a_known_spread() -> None:
    """s^2 = 2 s^2: F = (sqrt(9) - 1) / 4 = 0.5; s^2 = 6: F = (5 - 1) / 12 = 1/3."""
    assert platoon_factor(2.0**0.5) == pytest.approx(0.5)
    assert platoon_factor(6.0**0.5) == pytest.approx(1.0 / 3.0)


def test_the_least_travel_time_leaves_the_mean_as_it_was() -> None:
    """A geometric delay with F = 0.5 has mean 1 / F - 1 = 1 s: 20 s on the average begin at 19 s."""
    assert least_travel_s(20.0, 0.5) == pytest.approx(19.0)


def test_the_recursion_of_ten_vehicles() -> None:
    """F = 0.5: 5, 2.5, 1.25 in the first three seconds."""
    found, departed = [0.0], 10.0
    for _ in range(3):
        found.append(_disperse(found[-1], departed, 0.5))
        departed = 0.0
    assert found[1:] == [5.0, 2.5, 1.25]


def test_a_platoon_comes_as_the_recursion_says() -> None:
    """Eight vehicles from second 20 on with F = 0.25: 8 / 4, then 3/4 of it each second."""
    ring = np.zeros((RING, 2), np.float32)
    _add(ring, 1, 8.0, 0.25, 20, 0, 110)
    assert ring[20:24, 1].tolist() == pytest.approx([2.0, 1.5, 1.125, 0.84375])
    assert not ring[:, 0].any()
    assert not ring[:20, 1].any()


def test_what_the_own_loop_should_have_seen_is_dropped() -> None:
    """From second 22 on: the first two seconds, 2 + 1.5 of 8 vehicles, are left out."""
    ring = np.zeros((RING, 1), np.float32)
    _add(ring, 0, 8.0, 0.25, 20, 22, 110)
    assert not ring[20:22, 0].any()
    assert ring.sum() == pytest.approx(8.0 - 3.5, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    veh=st.floats(0.01, 5.0),
    factor=st.floats(0.03, 1.0),
    now=st.integers(0, 400),
    lead=st.integers(0, 119),
)
def test_no_vehicle_is_lost_on_the_way(veh: float, factor: float, now: int, lead: int) -> None:
    """All come between their least travel time and the horizon, wherever the ring begins."""
    ring = np.zeros((RING, 1), np.float32)
    _add(ring, 0, veh, factor, now + lead, now, now + 119)
    assert ring.sum() == pytest.approx(veh, rel=1e-4)
    assert ring.min() >= 0.0
    outside = (now + np.r_[0:lead, 120:RING]) % RING
    assert not ring[outside, 0].any()


def test_the_mean_travel_time_is_kept() -> None:
    """Spread 3 s about a mean of 30 s, least time not rounded: within what the cut tail takes."""
    factor = platoon_factor(3.0)
    ring = np.zeros((RING, 1), np.float32)
    _add(ring, 0, 1.0, factor, 0, 0, 119)
    mean_s = float((ring[:, 0] * np.arange(RING)).sum()) + least_travel_s(30.0, factor)
    assert mean_s == pytest.approx(30.0, abs=0.2)
