"""Platoons between junctions: against a naive simulation, and offsets against brute force."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from greensplit.engine.plans.arterials import connected, find_arterials
from greensplit.engine.plans.changes import StageMachine
from greensplit.engine.plans.coordination import coordinate
from greensplit.engine.plans.cycle_kernel import GO
from greensplit.engine.plans.demand import Rates
from greensplit.engine.plans.region import Region
from greensplit.engine.plans.timing import JunctionTimer, Timing

from .streets import CROSS, EAST, F64, WEST, along, arterial

MAIN, SIDE = 500.0, 200.0
FLOW: Final[F64] = np.array([MAIN, MAIN, SIDE])


def street(
    junctions: int, travel_ms: int = 30_000
) -> tuple[Region, dict[str, Timing], Rates, dict[str, JunctionTimer]]:
    """An arterial under 500 veh/h each way and 200 across, with a common cycle of 60 s."""
    site = arterial(junctions, travel_ms)
    timers = {j.id: JunctionTimer(StageMachine(site, j), FLOW) for j in site.junctions}
    timings = {name: timer.timing((0, 1), (30, 20)) for name, timer in timers.items()}
    rates = Rates(dict.fromkeys(timers, FLOW), along(site, MAIN))
    return Region(timers, site.links, rates.turns, rates.groups), timings, rates, timers


def test_a_timing_is_as_long_as_its_stages_and_intergreens() -> None:
    """30 and 20 s, twice 5 s between."""
    _, timings, _, _ = street(1)
    assert timings["J1"].cycle_s == 60
    assert timings["J1"].change_s == (5, 5)


def queue_delay(arrival: list[float], lamps: list[int], rate: float) -> tuple[float, list[float]]:
    """Vehicle seconds and departures of the last of ten cycles."""
    queue, delay, left = 0.0, 0.0, []
    for _ in range(10):
        delay, left = 0.0, []
        for come, shown in zip(arrival, lamps, strict=True):
            queue += come
            gone = min(queue, rate if shown == GO else 0.0)
            queue -= gone
            delay += queue
            left.append(gone)
    return delay, left


@pytest.mark.parametrize("offset_s", [0, 7, 24, 41])
def test_the_second_junction_gets_the_dispersed_platoon_of_the_first(offset_s: int) -> None:
    """Eastbound: even arrivals at J1, its departures 24 s later and smoothed with F = 1 / 9.4 at J2."""
    region, timings, _, timers = street(2)
    region.set_up(timings, {"J1": offset_s, "J2": 11}, 60)
    rate = float(timers["J1"].lanes.rate[0])
    first = np.roll(timings["J1"].lamps[:, EAST - 1], offset_s).tolist()
    second = np.roll(timings["J2"].lamps[:, EAST - 1], 11).tolist()
    _, left = queue_delay([MAIN / 3600.0] * 60, first, rate)
    seen = [0.0] * (40 * 60 + 30)
    for t in range(40 * 60):
        seen[t + 24] = left[t % 60] / 9.4 + (1 - 1 / 9.4) * seen[t + 23]
    arriving = [seen[38 * 60 + t] for t in range(60)]
    expected, _ = queue_delay(arriving, second, rate)
    timers["J2"].run(np.roll(timings["J2"].lamps, 11, axis=0), region.arrivals("J2"))
    found = timers["J2"].lane_delays()[EAST - 1]
    assert found == pytest.approx(expected, rel=1e-3, abs=0.05)


def test_climbing_finds_the_best_offset_of_two() -> None:
    """All 60 offsets tried: the climb from 0 ends at one that is as good, within a hundredth."""
    region, timings, _, _ = street(2, travel_ms=22_000)
    best = min(region.set_up(timings, {"J1": 0, "J2": k}, 60) for k in range(60))
    region.set_up(timings, {"J1": 0, "J2": 0}, 60)
    assert region.climb(6) <= 1.01 * best


def test_a_street_half_a_cycle_long_is_coordinated_both_ways() -> None:
    """Travel of 30 s: with offsets half a cycle apart platoons meet green both ways, and cost far less than alone."""
    _, timings, rates, timers = street(4)
    site = arterial(4)
    tables = {name: {60: timing} for name, timing in timings.items()}
    found = coordinate(timers, tables, site.links, rates, dict.fromkeys(timers, 0))
    alone = sum(timers[name].cost(timing).index for name, timing in timings.items())
    assert found.cycle_s == 60
    assert found.index < 0.8 * alone
    gaps = [(found.offsets[f"J{i + 1}"] - found.offsets[f"J{i}"]) % 60 for i in (1, 2, 3)]
    assert all(abs(gap - 30) <= 6 for gap in gaps)


def test_an_arterial_is_found_with_its_groups() -> None:
    """Four junctions in a row, one way out and one back."""
    site = arterial(4)
    found = find_arterials([j.id for j in site.junctions], site.links, along(site, MAIN))
    assert len(found) == 1
    names, out, back = found[0].junctions, found[0].out_groups, found[0].back_groups
    if names[0] == "J4":
        names, out, back = names[::-1], back, out
    assert names == ("J1", "J2", "J3", "J4")
    assert set(out) == {EAST}
    assert set(back) == {WEST}
    assert CROSS not in out


def test_junctions_far_apart_are_on_their_own() -> None:
    """Links of 400 m join, links that do not exist do not."""
    site = arterial(3)
    assert connected(["J1", "J2", "J3"], site.links) == [("J1", "J2", "J3")]
    assert connected(["J1", "J3"], site.links) == [("J1",), ("J3",)]
