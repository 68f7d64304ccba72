"""The signal machine: takes each junction from stage to stage, through intergreens per pair of groups.

One call advances all junctions to ``now_ms``. A junction accepts a new stage when the last one shows in full. Groups
that are green in both stay green; the others end once their minimum green is over, pass their sequence, and each new
group starts as soon as every group it meets has been cleared; red-amber is part of the intergreen. A left turn that
yields never ends while its opposing traffic stays green (yellow trap): the opposing group is taken through red with
it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..model.aspects import GREEN, PERMISSIVE, RED, RED_AMBER
from ..model.compiled import CONFLICT, HAS_PRIORITY, NO_MEETING, SHARED, YIELDS, Signals
from .jit import inlined, kernel
from .state import Lamps, Machine

__all__ = ["advance_machine"]


@inlined
def is_open(aspect: int) -> bool:
    """Green, or bound to become green."""
    return aspect == GREEN or aspect == PERMISSIVE or aspect == RED_AMBER


@inlined
def _show(lamps: Lamps, group: int, aspect: int, now_ms: int) -> None:
    lamps.aspect[group] = aspect
    lamps.since_ms[group] = now_ms


@kernel
def advance_machine(signals: Signals, machine: Machine, request: npt.NDArray[np.int32], now_ms: int) -> None:
    """Advance every junction to ``now_ms``.

    ``request`` (J,) is the local stage wanted by each junction's controller, or -1 to keep. ``machine`` is modified
    in place.
    """
    for j in range(len(signals.device_id)):
        stages = signals.stage_ptr[j + 1] - signals.stage_ptr[j]
        if machine.settled[j] and 0 <= request[j] < stages and request[j] != machine.stage[j]:
            machine.stage[j] = request[j]
            machine.settled[j] = 0
        wanted = signals.stage_aspect_ptr[signals.stage_ptr[j] + machine.stage[j]]
        first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
        for g in range(first, last):
            _progress(signals, machine, g, signals.stage_aspect[wanted + g - first], now_ms)
        if not machine.settled[j]:
            _change(signals, machine, j, wanted, now_ms)


@inlined
def _progress(signals: Signals, machine: Machine, group: int, wanted: int, now_ms: int) -> None:
    """Move one group along its sequence, as time allows."""
    lamps = machine.lamps
    aspect = lamps.aspect[group]
    elapsed_ms = now_ms - lamps.since_ms[group]
    if aspect == RED_AMBER and elapsed_ms >= signals.start_ms[group]:
        _show(lamps, group, PERMISSIVE if wanted == PERMISSIVE else GREEN, now_ms)
        lamps.green_ms[group] = now_ms
    elif aspect > PERMISSIVE and elapsed_ms >= signals.stop_ms[group, machine.step[group]]:
        _next_stop(signals, machine, group, machine.step[group] + 1, now_ms)


@kernel
def _next_stop(signals: Signals, machine: Machine, group: int, step: int, now_ms: int) -> None:
    lamps = machine.lamps
    aspect = signals.stop_aspect[group, step] if step < 2 else RED
    machine.step[group] = step
    _show(lamps, group, aspect, now_ms)
    if aspect == RED:
        lamps.red_ms[group] = now_ms
        machine.drag[group] = 0


@kernel
def _change(signals: Signals, machine: Machine, j: int, wanted: int, now_ms: int) -> None:
    """One tick of the way to the wanted stage."""
    _drag_trapped(signals, machine, j, wanted)
    _end_greens(signals, machine, j, wanted, now_ms)
    _demote(signals, machine, j, wanted, now_ms)
    _start_greens(signals, machine, j, wanted, now_ms)
    _promote(signals, machine, j, wanted, now_ms)
    if _shows_in_full(signals, machine, j, wanted):
        machine.settled[j] = 1
        machine.since_ms[j] = now_ms


@inlined
def _ends(signals: Signals, machine: Machine, wanted: int, first: int, group: int) -> bool:
    """Is the group green and not to stay so?"""
    return is_open(machine.lamps.aspect[group]) and (
        signals.stage_aspect[wanted + group - first] == RED or machine.drag[group] == 1
    )


@kernel
def _drag_trapped(signals: Signals, machine: Machine, j: int, wanted: int) -> None:
    """Mark green groups that must end because a left turn that yields to them ends."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    changed = True
    while changed:
        changed = False
        for a in range(n):
            if not _ends(signals, machine, wanted, first, first + a):
                continue
            for b in range(n):
                opposing = first + b
                if (
                    signals.trap[signals.pair_ptr[j] + a * n + b]
                    and is_open(machine.lamps.aspect[opposing])
                    and not _ends(signals, machine, wanted, first, opposing)
                ):
                    machine.drag[opposing] = 1
                    changed = True


@kernel
def _may_end(signals: Signals, machine: Machine, wanted: int, first: int, group: int, now_ms: int) -> bool:
    lamps = machine.lamps
    return (
        _ends(signals, machine, wanted, first, group)
        and lamps.aspect[group] != RED_AMBER
        and now_ms - lamps.green_ms[group] >= signals.min_green_ms[group]
    )


@kernel
def _end_greens(signals: Signals, machine: Machine, j: int, wanted: int, now_ms: int) -> None:
    """End greens whose minimum is over, but no left turn before the traffic that it yields to."""
    first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
    for group in range(first, last):
        machine.leaving[group] = _may_end(signals, machine, wanted, first, group, now_ms)
    _keep_trapped(signals, machine, j)
    for group in range(first, last):
        if machine.leaving[group]:
            _next_stop(signals, machine, group, 0, now_ms)
            machine.lamps.end_ms[group] = now_ms


@kernel
def _keep_trapped(signals: Signals, machine: Machine, j: int) -> None:
    """Take back the leave of every left turn that opposing traffic would outlast, and of those that wait for it."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    changed = True
    while changed:
        changed = False
        for a in range(n):
            for b in range(n):
                opposing = first + b
                if (
                    machine.leaving[first + a]
                    and signals.trap[signals.pair_ptr[j] + a * n + b]
                    and is_open(machine.lamps.aspect[opposing])
                    and not machine.leaving[opposing]
                ):
                    machine.leaving[first + a] = 0
                    changed = True


@kernel
def _demote(signals: Signals, machine: Machine, j: int, wanted: int, now_ms: int) -> None:
    """Protected groups that will yield show it before those that they yield to start."""
    first = signals.group_ptr[j]
    for group in range(first, signals.group_ptr[j + 1]):
        if (
            machine.lamps.aspect[group] == GREEN
            and signals.stage_aspect[wanted + group - first] == PERMISSIVE
        ):
            _show(machine.lamps, group, PERMISSIVE, now_ms)


@kernel
def _start_greens(signals: Signals, machine: Machine, j: int, wanted: int, now_ms: int) -> None:
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    for a in range(n):
        group = first + a
        letter = signals.stage_aspect[wanted + a]
        if lamps.aspect[group] != RED or letter == RED:
            continue
        if now_ms - lamps.red_ms[group] < signals.revert_ms:
            continue
        if not _is_cleared(signals, machine, j, wanted, a, now_ms):
            continue
        if signals.start_ms[group] > 0:
            _show(lamps, group, RED_AMBER, now_ms)
        else:
            _show(lamps, group, letter, now_ms)
            lamps.green_ms[group] = now_ms


@kernel
def _is_cleared(signals: Signals, machine: Machine, j: int, wanted: int, a: int, now_ms: int) -> bool:
    """May local group ``a`` start: has every group that it meets been cleared, or does one of the two yield?"""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    yields = signals.stage_aspect[wanted + a] == PERMISSIVE
    for b in range(n):
        relation = signals.meeting[signals.pair_ptr[j] + a * n + b]
        intergreen_ms = signals.intergreen_ms[signals.pair_ptr[j] + b * n + a]
        if relation == NO_MEETING or (relation == SHARED and intergreen_ms == 0):
            continue
        other = first + b
        shown = lamps.aspect[other]
        if shown != GREEN and shown != PERMISSIVE:
            green_in_ms = now_ms + signals.start_ms[first + a] - lamps.end_ms[other]
            if green_in_ms < intergreen_ms:
                return False
        if is_open(shown) and (
            relation == CONFLICT
            or _ends(signals, machine, wanted, first, other)
            or (relation == YIELDS and not yields)
            or (relation == HAS_PRIORITY and shown != PERMISSIVE)
        ):
            return False
    return True


@kernel
def _promote(signals: Signals, machine: Machine, j: int, wanted: int, now_ms: int) -> None:
    """A yielding group becomes protected when all that it yields to has been cleared."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    for a in range(n):
        if lamps.aspect[first + a] != PERMISSIVE or signals.stage_aspect[wanted + a] != GREEN:
            continue
        clear = True
        for b in range(n):
            pair = signals.pair_ptr[j] + b * n + a
            if signals.meeting[pair] == HAS_PRIORITY and (
                is_open(lamps.aspect[first + b])
                or now_ms - lamps.end_ms[first + b] < signals.intergreen_ms[pair]
            ):
                clear = False
        if clear:
            _show(lamps, first + a, GREEN, now_ms)


@kernel
def _shows_in_full(signals: Signals, machine: Machine, j: int, wanted: int) -> bool:
    first = signals.group_ptr[j]
    for group in range(first, signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        letter = signals.stage_aspect[wanted + group - first]
        if aspect != letter and not (letter == RED and not is_open(aspect)):
            return False
    return True
