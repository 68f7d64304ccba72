"""Who is inside the junction, where no loop lies: by hand, on a through movement and its opposing left turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.controllers.inside import clear_turners, hold_starting
from greensplit.engine.kernels.detectors import Detectors, new_detectors
from greensplit.engine.kernels.state import Machine, new_machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE
from greensplit.engine.model.compiled import Detection, Signals, compile_detection, compile_signals
from greensplit.engine.model.site import ApproachLane, Detector, DetectorKind, Site

from ..engine.kernels.sites import left_turn

NOW_MS = 100_000
THROUGH, LEFT, SIDE = range(3)
STAGE_A, STAGE_B, STAGE_C = range(3)


def _site() -> Site:
    """One lane with a stop-bar loop for each group."""
    (junction,) = left_turn().junctions
    names = ("through", "left", "side")
    lanes = tuple(ApproachLane(name, name, (i,), 100.0, 14.0) for i, name in enumerate(names, 1))
    loops = tuple(
        Detector(name, i, DetectorKind.STOP_BAR, name, 90.0, 6.0, 2.0, (i,), (name,))
        for i, name in enumerate(names, 1)
    )
    return replace(left_turn(), junctions=(replace(junction, lanes=lanes, detectors=loops),))


class Street:
    """Stage A in full for ``age_ms``: the through is green, the left turn yields to it."""

    def __init__(self, age_ms: int) -> None:
        self.signals: Signals = compile_signals(_site())
        self.detection: Detection = compile_detection(_site())
        self.detectors: Detectors = new_detectors(self.signals, self.detection)
        self.machine: Machine = new_machine(self.signals)
        self.machine.lamps.aspect[[THROUGH, LEFT]] = GREEN, PERMISSIVE
        self.machine.stage[0] = STAGE_A
        self.machine.since_ms[0] = NOW_MS - age_ms

    def left_the_loop(self, detector: int, ago_ms: int) -> None:
        """The last vehicle left a stop-bar loop so long ago."""
        self.detectors.off_ms[detector] = NOW_MS - ago_ms

    def asked(self, stage: int) -> tuple[int, bool]:
        """What becomes of a request, and whether it was changed."""
        request, cleared = np.array([stage], np.int32), np.zeros(1, np.bool_)
        clear_turners(self.signals, self.detection, self.detectors, self.machine, NOW_MS, request, cleared)
        return int(request[0]), bool(cleared[0])

    def may_leave(self) -> bool:
        """Is the junction still ready after the look at starting queues?"""
        ready = np.ones(1, np.bool_)
        hold_starting(self.signals, self.detection, self.detectors, self.machine, NOW_MS, ready)
        return bool(ready[0])


def test_turners_without_a_gap_get_their_protected_stage_first() -> None:
    """One turned in 3 s ago, opposing traffic passed 1 s ago: stage B comes before the side street."""
    street = Street(20_000)
    street.left_the_loop(LEFT, 3000)
    street.left_the_loop(THROUGH, 1000)
    assert street.asked(STAGE_C) == (STAGE_B, True)


@pytest.mark.parametrize(
    ("left_ms", "through_ms"),
    [(3000, 3000), (6000, 1000)],
    ids=["a gap of 3 s let them go", "nobody turned in for 6 s"],
)
def test_an_empty_junction_is_left_at_once(left_ms: int, through_ms: int) -> None:
    """The request stays as it is."""
    street = Street(20_000)
    street.left_the_loop(LEFT, left_ms)
    street.left_the_loop(THROUGH, through_ms)
    assert street.asked(STAGE_C) == (STAGE_C, False)


def test_a_stage_that_protects_them_anyway_is_not_replaced() -> None:
    """Asked for B, it stays B, and nothing was overridden; nor where no change is asked for."""
    street = Street(20_000)
    street.left_the_loop(LEFT, 3000)
    street.left_the_loop(THROUGH, 1000)
    assert street.asked(STAGE_B) == (STAGE_B, False)
    assert street.asked(STAGE_A) == (STAGE_A, False)
    assert street.asked(-1) == (-1, False)


def test_a_starting_queue_holds_its_stage_for_nine_seconds_at_most() -> None:
    """A vehicle left the loop 1 s ago: held at 6 s of green, free at 9 s."""
    for age_ms, free in ((6000, False), (9000, True)):
        street = Street(age_ms)
        street.left_the_loop(THROUGH, 1000)
        assert street.may_leave() is free


def test_only_green_lanes_hold_a_stage() -> None:
    """Somebody waits at the side street's red, the green lanes have been empty for 2 s: free."""
    street = Street(6000)
    street.detectors.on[SIDE] = 1
    street.left_the_loop(THROUGH, 2000)
    assert street.may_leave()
