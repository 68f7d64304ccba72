"""Detectors: what events become, good ones and bad ones, and that the engine never stops over them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import (
    ODD_NAMES,
    U16_MASK,
    U32_MASK,
    Detectors,
    gained,
    new_detectors,
    occupied_until_ms,
    quiet_ms,
    take_detections,
)
from greensplit.engine.model.compiled import compile_detection, compile_signals

from .naive_detectors import NaiveDetector
from .sites import left_turn, random_site

Event = tuple[int, int, int]
"""Detector, time in ms, state."""


def taken(
    detectors: Detectors, events: list[Event], now_ms: int, room: int = 1000, count: int | None = None
) -> list[tuple[int, ...]]:
    index, t_ms, on = (np.array([e[k] for e in events], np.int64) for k in range(3))
    out = np.zeros(room, EVENT_DTYPE)
    size = len(events) if count is None else count
    n = take_detections(detectors, index.astype(np.int32), t_ms, on.astype(np.uint8), size, now_ms, out)
    return [tuple(row) for row in out[:n].tolist()]


def fresh() -> Detectors:
    """The loops of a junction of two lanes: device 1, channels 1, 101, 2, 102 ... in the order of the site."""
    where = left_turn()
    return new_detectors(compile_signals(where), compile_detection(where))


def odd(detectors: Detectors) -> dict[str, int]:
    return {name: int(n) for name, n in zip(ODD_NAMES, detectors.odd, strict=True) if n}


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(0, 20))
def test_detectors_count_and_time_what_happened(seed: int, count: int, room: int) -> None:
    """Random events in two ticks, bad ones of every kind among them: state, log and counts as the plain loop has."""
    rng = np.random.default_rng(seed)
    where = random_site(rng, 2)
    detectors = new_detectors(compile_signals(where), compile_detection(where))
    plain = [NaiveDetector(j.device_id, d.channel) for j in where.junctions for d in j.detectors]
    found: Counter[str] = Counter()
    for now_ms in (4000, 9000):
        times = rng.integers(now_ms - 6000, now_ms + 300, count)
        times = times if rng.random() < 0.3 else np.sort(times)
        index = rng.integers(-1, min(len(plain), 4) + 1, count)
        index[index == 4] = len(plain)
        events = [(int(d), int(t), int(rng.integers(0, 3))) for d, t in zip(index, times, strict=True)]
        expected = []
        for d, t_ms, on in events:
            if not 0 <= d < len(plain):
                found["unknown detector"] += 1
            else:
                expected += plain[d].take(t_ms, on != 0, now_ms, found)
        found["not logged"] += max(len(expected) - room, 0)
        assert taken(detectors, events, now_ms, room) == expected[:room]
    assert odd(detectors) == {name: n for name, n in found.items() if n}
    for d, loop in enumerate(plain):
        assert {name: getattr(detectors, name)[d] for name in loop.state()} == loop.state()
        assert occupied_until_ms(detectors, d, 9500) == loop.occupied_until(9500)


def test_two_vehicles_make_a_headway_a_gap_and_an_occupancy() -> None:
    """On 1.0-1.5 s and 3.5-4.2 s: headway 2.5 s, gap 2.0 s, 1.2 s occupied; quiet since 4.2 s."""
    detectors = fresh()
    rows = taken(detectors, [(1, 1000, 1), (1, 1500, 0), (1, 3500, 1), (1, 4200, 0)], 5000)
    assert [row[0] for row in rows] == [1000, 1500, 3500, 4200]
    assert [row[1:] for row in rows] == [(1, 82, 101), (1, 81, 101)] * 2
    assert (detectors.headway_ms[1], detectors.gap_ms[1], detectors.occupied_ms[1]) == (2500, 2000, 1200)
    assert detectors.actuations.tolist()[:3] == [0, 2, 0]
    assert quiet_ms(detectors, 1, 5000) == 800


def test_occupancy_counts_the_actuation_that_still_lasts() -> None:
    """On since 2 s: 3 s of occupancy at 5 s, and not quiet."""
    detectors = fresh()
    taken(detectors, [(0, 2000, 1)], 2500)
    assert (occupied_until_ms(detectors, 0, 5000), detectors.occupied_ms[0]) == (3000, 0)
    assert quiet_ms(detectors, 0, 5000) == 0


@pytest.mark.parametrize(
    ("events", "kind", "logged"),
    [
        ([(99, 1000, 1)], "unknown detector", []),
        ([(-1, 1000, 1)], "unknown detector", []),
        ([(0, 7000, 1)], "in the future", [5000]),
        ([(0, 3000, 1), (0, 2500, 0)], "out of order", [3000, 3000]),
        ([(0, 3000, 0)], "repeated state", []),
        ([(0, 1000, 1), (0, 3000, 1)], "repeated state", [1000]),
        ([(0, 1000, 1), (0, 3001, 1)], "on while on, its off lost", [1000, 3001]),
    ],
)
def test_bad_events_are_counted_and_taken_as_documented(
    events: list[Event], kind: str, logged: list[int]
) -> None:
    """Each kind by itself, at 5 s."""
    detectors = fresh()
    assert [row[0] for row in taken(detectors, events, 5000)] == logged
    assert odd(detectors) == {kind: 1}
    assert (detectors.occupied_ms >= 0).all()


def test_a_lost_off_is_put_midway() -> None:
    """On at 1 s and again at 5 s: two actuations, the first ended at 3 s, and the loop is on."""
    detectors = fresh()
    taken(detectors, [(0, 1000, 1), (0, 5000, 1)], 5000)
    assert (detectors.actuations[0], detectors.off_ms[0], detectors.occupied_ms[0]) == (2, 3000, 2000)
    assert (detectors.on[0], detectors.on_ms[0]) == (1, 5000)


def test_events_beyond_the_room_in_the_log_still_count() -> None:
    """Four changes, two rows: the state has all four."""
    detectors = fresh()
    rows = taken(detectors, [(0, 1000, 1), (0, 1500, 0), (0, 3000, 1), (0, 3300, 0)], 5000, room=2)
    assert [row[0] for row in rows] == [1000, 1500]
    assert (detectors.actuations[0], detectors.occupied_ms[0]) == (2, 800)
    assert odd(detectors) == {"not logged": 2}


def test_a_count_beyond_the_arrays_is_cut() -> None:
    """A port that says 10 and brings 1."""
    detectors = fresh()
    assert len(taken(detectors, [(0, 1000, 1)], 5000, count=10)) == 1


def test_presences_too_short_for_a_vehicle_are_told_apart() -> None:
    """199 ms is brief, 200 ms is not."""
    detectors = fresh()
    taken(detectors, [(0, 1000, 1), (0, 1199, 0), (0, 3000, 1), (0, 3200, 0)], 5000)
    assert detectors.brief[0] == 1


def test_a_headway_of_minutes_is_told_as_the_longest() -> None:
    """Ons at 1 s and 101 s, the first off at 1.5 s: 100 s and 99.5 s, of which 65.535 s are told."""
    detectors = fresh()
    taken(detectors, [(0, 1000, 1), (0, 1500, 0), (0, 101_000, 1)], 101_000)
    assert (detectors.headway_ms[0], detectors.gap_ms[0]) == (65_535, 65_535)


def test_totals_wrap_around_and_what_was_gained_is_told_right() -> None:
    """100 ms before the end of the count, then 150 ms on: 50 ms, 150 ms gained; brief ones likewise."""
    detectors = fresh()
    detectors.occupied_ms[0] = 2**32 - 100
    detectors.brief[0] = 2**16 - 1
    taken(detectors, [(0, 1000, 1), (0, 1150, 0)], 5000)
    assert (detectors.occupied_ms[0], detectors.brief[0]) == (50, 0)
    assert gained(detectors.occupied_ms[0], 2**32 - 100, U32_MASK) == 150
    assert gained(detectors.brief[0], 2**16 - 1, U16_MASK) == 1
    taken(detectors, [(0, 6000, 1)], 6000)
    assert occupied_until_ms(detectors, 0, 2**32 + 6000 - 60) == 2**32 - 10


@pytest.mark.parametrize("device_id", [0, 65_536, 2**31 - 1])
def test_the_log_names_devices_and_channels_of_any_number(device_id: int) -> None:
    """The largest that a model may have are logged as they are."""
    where = left_turn()
    junction = where.junctions[0]
    loops = (replace(junction.detectors[0], channel=65_535), *junction.detectors[1:])
    named = replace(junction, device_id=device_id, detectors=loops)
    where = replace(where, junctions=(named, *where.junctions[1:]))
    detectors = new_detectors(compile_signals(where), compile_detection(where))
    assert taken(detectors, [(0, 1000, 1)], 1000) == [(1000, device_id, 82, 65_535)]
