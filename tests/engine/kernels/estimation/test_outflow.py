"""What leaves the junctions: counted at exit loops, else by turning shares."""

from __future__ import annotations

import numpy as np
import pytest

from greensplit.engine.kernels.detectors import new_detectors
from greensplit.engine.kernels.estimation.arrivals import adopt_plans, new_arrivals
from greensplit.engine.kernels.estimation.outflow import LONGEST_TICK_S, new_outflow, take_departures
from greensplit.engine.kernels.estimation.travel import RING, approach_lanes, compile_travel
from greensplit.engine.kernels.estimation.turning import new_turning
from greensplit.engine.kernels.state import new_lamps
from greensplit.engine.model.aspects import GREEN
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.upstream import compile_links

from ...model.test_upstream import _site


def _departed(level: tuple[int, int], share: float) -> list[float]:
    """Four vehicles leave a lane whose first way has ``share``; the second exit's loop sees one."""
    site = _site(((1,), (1, 2)), ())
    links, detection = compile_links(site), compile_detection(site)
    travel = compile_travel(detection, links, approach_lanes(site))
    detectors = new_detectors(compile_signals(site), detection)
    lamps, turning, outflow = new_lamps(4), new_turning(links), new_outflow(links, travel)
    lamps.aspect[:] = GREEN
    turning.way_share[:2] = share, 1.0 - share
    detectors.actuations[1] = 1
    left = np.zeros(6, np.float32)
    left[0] = 4.0
    take_departures(links, detectors, lamps, turning, np.array(level, np.uint8), left, outflow, 0)
    return [float(veh) for veh in outflow.new_veh[:2]]


def test_a_healthy_loop_is_believed() -> None:
    """Whatever the lane says, what the loops saw has passed."""
    assert _departed((0, 0), 0.25) == [0.0, 1.0]


def test_behind_a_dead_loop_passes_the_lanes_share() -> None:
    """A quarter of four vehicles takes the first exit."""
    assert _departed((4, 0), 0.25) == pytest.approx([1.0, 1.0])


def test_with_both_loops_dead_all_departures_are_divided() -> None:
    """One and three."""
    assert _departed((4, 4), 0.25) == pytest.approx([1.0, 3.0])


def test_departures_are_kept_for_the_longest_way_and_the_longest_tick() -> None:
    """A way of 30 s: what left in the first second is still there when a tick of ten seconds asks for it."""
    site = _site(((1,),), ((1, "Ba", 30_000),))
    links, detection = compile_links(site), compile_detection(site)
    travel = compile_travel(detection, links, approach_lanes(site))
    outflow = new_outflow(links, travel)
    least_s = round(int(travel.least_ms.max()) / 1000)
    assert 20 <= least_s <= 30
    assert len(outflow.departed_veh) == least_s + LONGEST_TICK_S


def test_who_keeps_no_plans_adopts_none() -> None:
    """Nothing is exchanged, and nothing written where there is no room."""
    site = _site(((1,),), ((1, "Ba", 30_000),))
    links, detection = compile_links(site), compile_detection(site)
    travel = compile_travel(detection, links, approach_lanes(site))
    outflow, arrivals = new_outflow(links, travel), new_arrivals(detection, links, travel)
    before = arrivals.arrival_veh.copy()
    planned = np.ones((len(links.source_detector), RING), np.float32)
    adopt_plans(links, travel, outflow, arrivals, planned, np.ones(2, np.bool_), 5000)
    assert (arrivals.arrival_veh == before).all()
