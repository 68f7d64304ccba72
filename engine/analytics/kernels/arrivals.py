"""What a phase showed when a detector went on: one pass over the events of a device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .jit import scan

__all__ = ["attach_states"]

BEGIN_GREEN, BEGIN_YELLOW, BEGIN_RED = 1, 8, 10


@scan
def attach_states(
    signal_t_ms: npt.NDArray[np.int64],
    signal_event: npt.NDArray[np.int32],
    signal_phase: npt.NDArray[np.int32],
    hit_t_ms: npt.NDArray[np.int64],
    hit_phase: npt.NDArray[np.int32],
    state: npt.NDArray[np.int32],
    cycle: npt.NDArray[np.int64],
    out_state: npt.NDArray[np.int32],
    out_cycle: npt.NDArray[np.int64],
) -> None:
    """Write the state and the cycle of each hit's phase at its time, signals first at equal times.

    A green (1) begins the phase's next cycle; after it the largest of 1, 8, 10 counts, so an 8 after a 10 is yellow
    no more. 0 stands for nothing seen yet. ``state`` and ``cycle`` (n_phases,) are where the scan begins and what it
    leaves for the next. Both streams are by time.
    """
    s = 0
    hits, signals = hit_t_ms.shape[0], signal_t_ms.shape[0]
    for h in range(hits + 1):
        while s < signals and (h == hits or signal_t_ms[s] <= hit_t_ms[h]):
            phase = signal_phase[s]
            if signal_event[s] == BEGIN_GREEN:
                state[phase] = BEGIN_GREEN
                cycle[phase] += 1
            elif signal_event[s] > state[phase]:
                state[phase] = signal_event[s]
            s += 1
        if h < hits:
            out_state[h] = state[hit_phase[h]]
            out_cycle[h] = cycle[hit_phase[h]]
