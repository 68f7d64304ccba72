"""Queues beyond the advance loop, from break-points in what the loop shows.

Liu, Wu, Ma and Hu (2009, Transp. Res. C 17, 412-427): the queue stands on the loop (A), starts (B), and its last
vehicle has passed when headways change from saturated to free (C).
"""

from __future__ import annotations

from ..jit import inlined

__all__ = ["longest_queue_m", "time_of_longest_s", "wave_mps"]


@inlined
def wave_mps(
    first_veh_per_s: float, first_veh_per_m: float, then_veh_per_s: float, then_veh_per_m: float
) -> float:
    """Speed of the border between two states of traffic, m/s, positive downstream (Rankine-Hugoniot)."""
    return (then_veh_per_s - first_veh_per_s) / (then_veh_per_m - first_veh_per_m)


@inlined
def longest_queue_m(loop_m: float, b_s: float, c_s: float, discharge_mps: float, behind_mps: float) -> float:
    """How far the queue reached: ``loop_m`` is where the loop lies, B and C times, both wave speeds positive.

    ``discharge_mps`` is the speed at which the start wave runs upstream, ``behind_mps`` that at which the border
    between leaving and arriving vehicles runs downstream.
    """
    return loop_m + (c_s - b_s) / (1.0 / discharge_mps + 1.0 / behind_mps)


@inlined
def time_of_longest_s(loop_m: float, b_s: float, longest_m: float, discharge_mps: float) -> float:
    """When the queue was longest: the start wave had come to its end."""
    return b_s + (longest_m - loop_m) / discharge_mps
