"""A NEMA junction, described by phases, overlaps and the order of its rings, as groups, meetings, stages and rings.

The words are those of NEMA TS 2 and NTCIP 1202: phases of one ring follow each other, phases of different rings on
the same side of a barrier run together. Even phases are through movements, odd ones the left turns that oppose the
phase of the next number: 1 opposes 2, and comes from the approach of 6.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import ModelError
from .nema_layout import Layout
from .nema_phases import Order, Overlap, Phase, questions, ring_order
from .site import Junction, Plan, Preempt, Site
from .validate import check

__all__ = ["Order", "Overlap", "Phase", "dual_ring", "ring_order"]


def dual_ring(
    name: str,
    phases: Iterable[Phase],
    *,
    order: Order = (),
    overlaps: Iterable[Overlap] = (),
    plans: tuple[Plan, ...] = (),
    preempts: tuple[Preempt, ...] = (),
    device_id: int = 1,
    x_m: float = 0.0,
    y_m: float = 0.0,
    start_red_ms: int = 6000,
) -> Junction:
    """The junction ``name``, without lanes and detectors.

    Groups are numbered from 1: phases by their numbers, then overlaps, then the pedestrians of each phase; lamp i is
    group i + 1. Ring steps are named by phase ("2"), stages by the phases that are on ("2+6"): one stage for every
    combination of steps on one side of the barriers, and one for each in which some of the people no longer walk
    ("2+6 without walk 2", not deployed). Split phasing, more than two rings and more than two barriers
    are a matter of ``order``; without it the order is ``ring_order`` of the phases.

    Phases that cannot be on together conflict. Pedestrians meet whom their phase meets, in the same way, and turning
    vehicles of their own phase yield to them. An overlap conflicts with what can be on with none of its parents,
    and yields to the pedestrians of its parents.

    Raises ModelError naming junction, phase, expected and found.

    >>> crossing = dual_ring("main", [Phase(2), Phase(4, walk_ms=7000, ped_clearance_ms=12_000)])
    >>> [(group.name, group.phase, group.min_green_ms) for group in crossing.groups]
    [('phase 2', 2, 5000), ('phase 4', 4, 5000), ('phase 4 walk', 4, 7000)]
    >>> [(stage.name, stage.green) for stage in crossing.stages]
    [('2', (1,)), ('4', (2, 3)), ('4 without walk 4', (2,))]
    """
    listed = sorted(phases, key=lambda phase: phase.number)
    numbers = [phase.number for phase in listed]
    taken = order or ring_order([n for n in numbers if n <= 8])
    laps = sorted(overlaps, key=lambda overlap: overlap.number)
    for finding in questions(listed, taken, laps):
        raise ModelError(f"junction {name}: {finding}")
    layout = Layout(tuple(listed), taken, tuple(laps))
    groups = tuple(layout.groups())
    meetings = tuple(layout.meetings())
    junction = Junction(
        id=name,
        device_id=device_id,
        x_m=x_m,
        y_m=y_m,
        idle_lamps="." * len(groups),
        groups=groups,
        meetings=meetings,
        stages=tuple(layout.stages(meetings)),
        plans=plans,
        lanes=(),
        detectors=(),
        rings=tuple(layout.rings()),
        preempts=preempts,
        start_red_ms=start_red_ms,
    )
    check(Site(name, (junction,)))
    return junction
