"""The forecasts do what their words say: random networks under random traffic, beside the plain oracle."""

from __future__ import annotations

import numpy as np
import pytest

from .beside import Beside
from .networks import random_network

STEPS_MS, LIKELY = (500, 1000, 2500, 9000), (0.3, 0.64, 0.05, 0.01)


@pytest.mark.parametrize("seed", range(6))
def test_forecasts_are_what_their_rules_say(seed: int) -> None:
    """300 s in ticks of half a second to nine: rings, noise, shares, flows and counters, with and without plans."""
    rng = np.random.default_rng(seed)
    beside = Beside(random_network(rng), rng, start_ms=1000 * int(rng.integers(0, 300)))
    publishes = seed % 2 == 1
    until_ms = beside.now_ms + 300_000
    while beside.now_ms < until_ms:
        beside.step(int(rng.choice(STEPS_MS, p=LIKELY)))
        if publishes and rng.random() < 0.05:
            beside.publish()
            beside.compare_rings()
        beside.compare_state()
        if rng.random() < 0.2:
            beside.compare_rings()
