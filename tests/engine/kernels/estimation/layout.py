"""How the state of the estimation is made and lies in memory: named once, for the tests beside the plain oracles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.discharge import discharge_cell
from greensplit.engine.kernels.estimation.expectation import Arrivals, new_arrivals
from greensplit.engine.kernels.estimation.outflow import Outflow, new_outflow
from greensplit.engine.kernels.estimation.traffic import Traffic
from greensplit.engine.kernels.estimation.travel import HORIZON_S, RING, Travel
from greensplit.engine.model.compiled import Detection
from greensplit.engine.model.upstream import Links

F64 = npt.NDArray[np.float64]


def new_forecasts(detection: Detection, links: Links, travel: Travel) -> tuple[Outflow, Arrivals]:
    """Nothing known; with room for plans."""
    return new_outflow(links, travel, plans=True), new_arrivals(detection, links, travel, plans=True)


def cells_of(traffic: Traffic, stage: int) -> npt.NDArray[np.int64]:
    """(L,) where each lane learns its discharge in a stage of its junction."""
    lanes = range(len(traffic.queue_veh))
    return np.array([discharge_cell(traffic.discharge, lane, stage) for lane in lanes], np.int64)


def ring_of(arrivals: Arrivals, first_s: int) -> F64:
    """(L, HORIZON_S) vehicles expected on every lane from second ``first_s`` on, however the ring lies in memory."""
    seconds = np.arange(first_s, first_s + HORIZON_S) % RING
    found: F64 = arrivals.arrival_veh[seconds].T.astype(np.float64)
    return found


def noise_of(arrivals: Arrivals) -> F64:
    """(L, 3) variance per vehicle, by kind of sight."""
    found: F64 = arrivals.noise.T.astype(np.float64)
    return found


def set_noise(arrivals: Arrivals, lane: int, noise: tuple[float, float, float]) -> None:
    """Give a lane its variance per vehicle."""
    arrivals.noise[:, lane] = noise


def by_second(rows: list[dict[int, float]], first_s: int) -> npt.NDArray[np.float32]:
    """(n, RING) ring of numbers by second, as kernels take plans."""
    ring = np.zeros((len(rows), RING), np.float32)
    for i, row in enumerate(rows):
        for s in range(first_s, first_s + HORIZON_S):
            ring[i, s % RING] = row.get(s, 0.0)
    return ring
