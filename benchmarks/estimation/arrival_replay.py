"""Windows forecast on a recorded run, without SUMO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.estimation.forecast import forecast_window

from .recording import Recording
from .replay import Damage, replay

__all__ = ["Forecasts", "forecast_recording", "pooled"]


@dataclass(frozen=True, slots=True)
class Forecasts:
    """(N, W, L) expected vehicles and bounds, for each of W windows, at N times."""

    mean_veh: npt.NDArray[np.float64]
    low_veh: npt.NDArray[np.float64]
    high_veh: npt.NDArray[np.float64]


def pooled(found: list[Forecasts]) -> Forecasts:
    """Several sets of forecasts as one, along N."""
    columns = zip(*((each.mean_veh, each.low_veh, each.high_veh) for each in found), strict=True)
    return Forecasts(*(np.concatenate(column) for column in columns))


def forecast_recording(
    recording: Recording,
    made_s: npt.NDArray[np.int64],
    windows: tuple[tuple[int, int], ...],
    damage: Damage,
) -> Forecasts:
    """Forecasts for ``windows`` (start, length in s) made at ``made_s`` (N,)."""
    lanes = sum(len(junction.lanes) for junction in recording.site.junctions)
    rows = np.zeros((3, len(made_s), len(windows), lanes))
    made = {int(second): i for i, second in enumerate(made_s)}
    for second, traffic in replay(recording, damage):
        if second in made:
            for w, (start_s, length_s) in enumerate(windows):
                window = forecast_window(traffic.arrivals, 1000 * second, start_s, length_s)
                rows[0, made[second], w] = window.mean_veh
                rows[1, made[second], w], rows[2, made[second], w] = window.interval()
    return Forecasts(rows[0], rows[1], rows[2])
