"""Local control does what its words say: compared with the plain oracle on random sites, traffic and orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greensplit.engine.model.aspects import ASPECT_NAMES

from .local_drive import Street
from .local_sites import random_local_site
from .naive_local import NaiveLocal, Sight, Wishes

MODES = ("adaptive", "actuated", "coordinated", "pretimed", "off")
LIKELY = (0.1, 0.3, 0.35, 0.2, 0.05)


def groups_of(mask: int) -> set[int]:
    return {i + 1 for i in range(63) if mask >> i & 1}


def can_flash(street: Street, j: int) -> bool:
    first, last = street.signals.group_ptr[j], street.signals.group_ptr[j + 1]
    return bool((street.signals.clearance_ms[first:last] > 0).all())


def disturb(rng: np.random.Generator, street: Street, now_ms: int) -> None:
    """Vehicles, buttons, faults, and now and then other orders for a junction."""
    for d in np.flatnonzero(rng.random(len(street.level)) < 0.1):
        street.detectors.on[d] ^= 1
        times = street.detectors.on_ms if street.detectors.on[d] else street.detectors.off_ms
        times[d] = now_ms - rng.integers(0, 100)
        if street.detectors.on[d] and rng.random() < 0.3:
            street.detectors.on[d] = 0
            street.detectors.off_ms[d] = now_ms - 50
    if rng.random() < 0.01:
        street.level[:] = 4 * (rng.random(len(street.level)) < 0.1)
    for j in np.flatnonzero(rng.random(len(street.site.junctions)) < 0.02):
        mode = int(rng.choice(5, p=LIKELY))
        street.orders.mode[j] = mode if mode < 4 or can_flash(street, int(j)) else 1
        street.orders.plan[j] = rng.choice([-1, 0, 1, 2], p=[0.05, 0.5, 0.4, 0.05])
        street.orders.red_rest[j] = rng.random() < 0.3
        for masks in (street.orders.call, street.orders.hold, street.orders.omit, street.orders.force_off):
            masks[j] = int(rng.integers(0, 64)) if rng.random() < 0.15 else 0
        street.orders.preempt[j] = int(rng.integers(0, 64)) if rng.random() < 0.2 else 0
    street.request[:] = rng.integers(-3, 6, len(street.request))
    street.request[[not can_flash(street, j) for j in range(len(street.request))]] = -1


def wishes_of(street: Street, j: int) -> Wishes:
    orders = street.orders
    return Wishes(
        MODES[orders.mode[j]],
        int(orders.plan[j]),
        groups_of(int(orders.call[j])),
        groups_of(int(orders.hold[j])),
        groups_of(int(orders.omit[j])),
        groups_of(int(orders.force_off[j])),
        groups_of(int(orders.preempt[j])),
        bool(orders.red_rest[j]),
    )


def sight_of(street: Street, j: int) -> Sight:
    machine, detectors = street.machine, street.detectors
    mine = range(street.detection.detector_ptr[j], street.detection.detector_ptr[j + 1])
    return Sight(
        int(machine.stage[j]),
        int(machine.rest[j]),
        bool(machine.settled[j]),
        int(machine.since_ms[j]),
        [(bool(detectors.on[d]), int(detectors.off_ms[d]), street.level[d] != 4) for d in mine],
    )


def compare(seed: int, junctions: int, ticks: int, tick_ms: int) -> None:
    rng = np.random.default_rng(seed)
    street = Street(random_local_site(rng, junctions))
    plain = [NaiveLocal(junction) for junction in street.site.junctions]
    for k in range(ticks):
        now_ms = k * tick_ms
        disturb(rng, street, now_ms)
        expected = [
            oracle.advance(wishes_of(street, j), sight_of(street, j), int(street.request[j]), now_ms)
            for j, oracle in enumerate(plain)
        ]
        street.tick(now_ms)
        for j, oracle in enumerate(plain):
            found = int(street.request[j]), groups_of(int(street.withheld[j])), bool(street.urgent[j])
            assert found == (expected[j].request, expected[j].withheld, expected[j].urgent), (k, j)
            assert int(street.cause[j]) == oracle.cause, (k, j)
            first, last = street.signals.group_ptr[j], street.signals.group_ptr[j + 1]
            oracle.see([ASPECT_NAMES[a] for a in street.machine.lamps.aspect[first:last]], now_ms)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([100, 1000]))
def test_local_control_does_what_its_words_say(seed: int, tick_ms: int) -> None:
    """Three random junctions, 250 ticks: the same requests, withheld groups, urgency and causes in every tick."""
    compare(seed, 3, 250, tick_ms)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_local_control_does_what_its_words_say_for_long(seed: int) -> None:
    compare(seed, 4, 1500, 1000 if seed % 3 else 100)
