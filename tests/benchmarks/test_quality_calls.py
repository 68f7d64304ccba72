"""Waits of calls, worked out by hand on one junction with a shared lane."""

from __future__ import annotations

import numpy as np

from greensplit.benchmarks.quality.calls import busiest_loops, waiting_calls
from greensplit.engine.events import (
    BEGIN_GREEN,
    DETECTOR_OFF,
    DETECTOR_ON,
    EVENT_DTYPE,
    GREEN_TERMINATION,
)
from greensplit.engine.model.site import (
    Detector,
    DetectorKind,
    GroupKind,
    Junction,
    Sequence,
    SignalGroup,
    Site,
)

DEVICE = 7


def _detector(channel: int, kind: DetectorKind, groups: tuple[int, ...]) -> Detector:
    return Detector(f"loop{channel}", channel, kind, "lane", 0.0, 6.0, 2.0, groups, ("lane",))


def _site() -> Site:
    """Loop 1 before groups 1 and 2 together, loop 2 before group 3, an advance loop before group 3."""
    groups = tuple(
        SignalGroup(number, f"g{number}", GroupKind.VEHICLE, (number - 1,), Sequence(), 5000)
        for number in (1, 2, 3)
    )
    detectors = (
        _detector(1, DetectorKind.STOP_BAR, (1, 2)),
        _detector(2, DetectorKind.STOP_BAR, (3,)),
        _detector(3, DetectorKind.ADVANCE, (3,)),
    )
    junction = Junction("crossing", DEVICE, 0.0, 0.0, "...", groups, (), (), (), (), detectors)
    return Site("town", (junction,))


def _waits(*rows: tuple[float, int, int], end_s: float = 1000.0) -> tuple[float, str, int]:
    """Rows are (s, event, parameter)."""
    events = np.array([(round(1000 * t), DEVICE, event, what) for t, event, what in rows], EVENT_DTYPE)
    found = waiting_calls(_site(), events, round(1000 * end_s))
    return found["longest_wait_s"], found["longest_wait_at"], found["waits_over_bound"]


def test_a_call_waits_from_the_vehicle_to_the_green() -> None:
    """On at 10.5 s, green at 131 s: 120.5 s, half a second beyond the bound."""
    wait = _waits((10.5, DETECTOR_ON, 2), (131.0, BEGIN_GREEN, 3), (133.0, DETECTOR_OFF, 2))
    assert wait == (120.5, "crossing group 3", 1)
    assert _waits((11.0, DETECTOR_ON, 2), (131.0, BEGIN_GREEN, 3)) == (120.0, "crossing group 3", 0)


def test_a_vehicle_that_is_there_when_the_green_ends_calls_at_once() -> None:
    """On in the green at 20 s, green until 30 s, next green at 75 s."""
    rows = (
        (5.0, BEGIN_GREEN, 3),
        (20.0, DETECTOR_ON, 2),
        (30.0, GREEN_TERMINATION, 3),
        (75.0, BEGIN_GREEN, 3),
    )
    assert _waits(*rows)[0] == 45.0


def test_a_vehicle_that_leaves_takes_its_call_along() -> None:
    """Off after 12 s, the next one waits 8 s; without the first leaving it would be 40."""
    rows = ((0.0, DETECTOR_ON, 2), (12.0, DETECTOR_OFF, 2), (32.0, DETECTOR_ON, 2), (40.0, BEGIN_GREEN, 3))
    assert _waits(*rows)[0] == 12.0


def test_in_a_shared_lane_every_group_waits_for_its_own_green() -> None:
    """Group 1 turns green after 10 s, the vehicle stays for group 2 until 150 s."""
    rows = ((0.0, DETECTOR_ON, 1), (10.0, BEGIN_GREEN, 1), (150.0, BEGIN_GREEN, 2))
    assert _waits(*rows) == (150.0, "crossing group 2", 1)


def test_a_call_that_is_never_served_counts_to_the_end() -> None:
    """On at 100 s, the log ends at 400 s."""
    assert _waits((100.0, DETECTOR_ON, 2), end_s=400.0) == (300.0, "crossing group 3", 1)


def test_advance_loops_and_empty_logs_call_nobody() -> None:
    """A vehicle under way is no call."""
    assert _waits((0.0, DETECTOR_ON, 3)) == (0.0, "", 0)
    assert _waits() == (0.0, "", 0)


def test_events_out_of_order_are_put_in_order() -> None:
    """Loops tell times within the step, after the lamps of its end."""
    assert _waits((10.0, BEGIN_GREEN, 3), (9.4, DETECTOR_ON, 2))[0] == 0.6


def test_the_busiest_loops_come_first() -> None:
    """Loop 3 switches on three times, loops 1 and 2 once each: by name then."""
    rows = [(t, DEVICE, DETECTOR_ON, what) for t, what in ((0, 3), (1, 2), (2, 3), (3, 1), (4, 3))]
    rows += [(5, DEVICE, DETECTOR_OFF, 2), (6, DEVICE, DETECTOR_OFF, 2), (7, DEVICE, DETECTOR_OFF, 2)]
    events = np.array(rows, EVENT_DTYPE)
    assert busiest_loops(_site(), events, 2) == ["loop3", "loop1"]
    assert busiest_loops(_site(), events, 9) == ["loop3", "loop1", "loop2"]
