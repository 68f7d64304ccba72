"""NEMA junctions drawn at random."""

from __future__ import annotations

import numpy as np

from greensplit.engine.model.dual_ring import Overlap, Phase, dual_ring, ring_order
from greensplit.engine.model.site import Junction


def random_junction(seed: int) -> tuple[Junction, tuple[Overlap, ...]]:
    """Some of the eight phases in some sequence, some lefts permissive, some walks, up to three overlaps."""
    rng = np.random.default_rng(seed)
    numbers = sorted(int(n) for n in rng.permutation(np.arange(1, 9))[: rng.integers(1, 9)])
    walks = set(rng.permutation(numbers)[:3])
    phases = [
        Phase(
            n,
            permissive=bool(n % 2 and n + 1 in numbers and rng.random() < 0.5),
            yellow_ms=int(rng.integers(30, 50)) * 100,
            red_ms=int(rng.integers(0, 20)) * 100,
            walk_ms=7000 * (n in walks),
            ped_clearance_ms=11_000 * (n in walks),
        )
        for n in numbers
    ]
    overlaps = tuple(
        Overlap(i, tuple(int(n) for n in rng.permutation(numbers)[: rng.integers(1, 3)]))
        for i in range(1, int(rng.integers(1, 5)))
    )
    order = ring_order(numbers, int(rng.integers(1, 17)))
    return dual_ring("J", phases, order=order, overlaps=overlaps), overlaps
