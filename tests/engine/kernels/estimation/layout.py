"""How the arrays of the forecasts lie in memory: named once, for all tests that look into them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.expectation import Arrivals
from greensplit.engine.kernels.estimation.travel import HORIZON_S, RING

F64 = npt.NDArray[np.float64]


def ring_of(arrivals: Arrivals, first_s: int) -> F64:
    """(L, HORIZON_S) vehicles expected on every lane from second ``first_s`` on, however the ring lies in memory."""
    seconds = np.arange(first_s, first_s + HORIZON_S) % RING
    found: F64 = arrivals.arrival_veh[:, seconds].astype(np.float64)
    return found


def noise_of(arrivals: Arrivals) -> F64:
    """(L, 3) variance per vehicle, by kind of sight."""
    found: F64 = arrivals.noise.astype(np.float64)
    return found


def by_second(rows: list[dict[int, float]], first_s: int) -> npt.NDArray[np.float32]:
    """(n, RING) ring of numbers by second, as kernels take plans."""
    ring = np.zeros((len(rows), RING), np.float32)
    for i, row in enumerate(rows):
        for s in range(first_s, first_s + HORIZON_S):
            ring[i, s % RING] = row.get(s, 0.0)
    return ring
