"""Local control of random junctions for long: nothing is refused, nobody waits for ever."""

from __future__ import annotations

import numpy as np
import pytest

from .local_drive import Street
from .local_sites import random_local_site
from .test_local_against_naive import disturb

JUNCTIONS = 60
LONGEST_WAIT_MS = 600_000
"""Up to eight steps of up to 30 s of maximum green and 20 s of change, and who continues into the next step."""


@pytest.mark.parametrize(("tick_ms", "seed"), [(100, 1), (1000, 2)])
def test_the_interlock_refuses_nothing_that_local_control_asks_for(tick_ms: int, seed: int) -> None:
    """60 junctions, 2000 ticks (120 000 junction-ticks each way) of random traffic and orders; stages do change."""
    rng = np.random.default_rng(seed)
    street = Street(random_local_site(rng, JUNCTIONS))
    changes = 0
    for k in range(2000):
        disturb(rng, street, k * tick_ms)
        before = street.machine.stage.copy()
        street.tick(k * tick_ms)
        changes += int((street.machine.stage != before).sum())
    assert changes > 2 * JUNCTIONS


def test_who_calls_is_served() -> None:
    """Free running, 60 junctions for an hour of random traffic: nobody waits longer than all steps can take."""
    rng = np.random.default_rng(3)
    street = Street(random_local_site(rng, JUNCTIONS))
    street.orders.mode[:] = 1
    rung = np.zeros(len(street.signals.min_green_ms), np.bool_)
    for j in range(JUNCTIONS):
        first, last = street.local.step_ptr[street.local.ring_ptr[[j, j + 1]]]
        mask = int(np.bitwise_or.reduce(street.local.step_groups[first:last]))
        for g in range(street.signals.group_ptr[j], street.signals.group_ptr[j + 1]):
            rung[g] = mask >> int(g - street.signals.group_ptr[j]) & 1
    for now_ms in range(0, 3_600_000, 1000):
        for d in np.flatnonzero(rng.random(len(street.level)) < 0.1):
            street.detectors.on[d] ^= 1
            times = street.detectors.on_ms if street.detectors.on[d] else street.detectors.off_ms
            times[d] = now_ms
        street.tick(now_ms)
        waits = rung & (street.state.call_ms >= 0)
        assert (now_ms - street.state.call_ms[waits]).max(initial=0) <= LONGEST_WAIT_MS
