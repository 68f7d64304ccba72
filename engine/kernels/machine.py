"""The signal machine: takes each junction from stage to stage, through intergreens per pair of groups.

One call advances all junctions to ``now_ms``. A junction accepts a new stage when the last one shows in full, or
earlier where the two differ only in groups that meet nothing that is starting or ending (two rings). Groups that are
green in both stay green; the others end once their minimum green and the countdown that they show are over, pass
their sequence, and each new group starts as soon as every group it meets has been cleared; red-amber is part of the
intergreen. A left turn that yields never ends while its opposing traffic stays green (yellow trap): the opposing
group is taken through red with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..model.aspects import DARK, GREEN, PERMISSIVE, RED, RED_AMBER
from ..model.compiled import CONFLICT, HAS_PRIORITY, NO_MEETING, SHARED, YIELDS, Signals
from .jit import inlined, kernel
from .state import NEVER_MS, Machine

__all__ = ["ALL_RED", "FLASH", "IN_FLASH", "IN_RED", "IN_STAGE", "KEEP", "advance_machine"]

KEEP: Final = -1
ALL_RED: Final = -2
FLASH: Final = -3

IN_STAGE: Final = 0
IN_RED: Final = 1
IN_FLASH: Final = 2


@kernel
def advance_machine(
    signals: Signals,
    machine: Machine,
    request: npt.NDArray[np.int32],
    withheld: npt.NDArray[np.int64],
    urgent: npt.NDArray[np.uint8],
    now_ms: int,
) -> None:
    """Advance every junction to ``now_ms``.

    ``request`` (J,) is the local stage wanted by each junction's controller, KEEP, ALL_RED or FLASH; anything else is
    KEEP. ``withheld`` (J,) has a bit per local group that must not start. ``urgent`` (J,) is 1 where a request is
    taken as soon as no group shows red-amber, and countdowns are broken off; clearances never are. ``machine`` is
    modified in place.
    """
    for j in range(len(signals.device_id)):
        if request[j] != KEEP:
            _accept(signals, machine, j, request[j], urgent[j])
        if withheld[j] != machine.withheld[j]:
            machine.withheld[j] = withheld[j]
            machine.pending[j] = 1
        if machine.moving[j]:
            _progress(signals, machine, j, now_ms)
        if machine.pending[j]:
            _change(signals, machine, j, now_ms)


@inlined
def is_open(aspect: int) -> bool:
    """Green, or bound to become green."""
    return aspect == GREEN or aspect == PERMISSIVE or aspect == RED_AMBER


@inlined
def _wanted(signals: Signals, machine: Machine, j: int, local: int) -> int:
    """What a local group is to show in the end."""
    aspect = signals.stage_aspect[signals.stage_aspect_ptr[signals.stage_ptr[j] + machine.stage[j]] + local]
    held_back = machine.withheld[j] >> local & 1 and not is_open(
        machine.lamps.aspect[signals.group_ptr[j] + local]
    )
    return RED if machine.rest[j] != IN_STAGE or held_back else aspect


@inlined
def _show(machine: Machine, j: int, group: int, aspect: int, now_ms: int) -> None:
    """Every change of a lamp goes through here."""
    machine.lamps.aspect[group] = aspect
    machine.lamps.since_ms[group] = now_ms
    if aspect != RED:
        machine.moving[j] = 1


@inlined
def _accept(signals: Signals, machine: Machine, j: int, request: int, urgent: int) -> None:
    """Take a new aim, where that is allowed now."""
    stages = signals.stage_ptr[j + 1] - signals.stage_ptr[j]
    rest = IN_STAGE
    stage = machine.stage[j]
    known = True
    if 0 <= request < stages:
        stage = request
    elif request == ALL_RED:
        rest = IN_RED
    elif request == FLASH:
        rest = IN_FLASH
    else:
        known = False
    news = known and (rest != machine.rest[j] or stage != machine.stage[j])
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        news = (
            news and machine.lamps.aspect[group] != RED_AMBER
        )  # what it was cleared against must not change
    if news and (urgent or machine.settled[j] or _is_apart(signals, machine, j, stage, rest)):
        machine.stage[j] = stage
        machine.rest[j] = rest
        machine.urgent[j] = urgent
        machine.settled[j] = 0
        machine.pending[j] = 1
        for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            if urgent:
                machine.drag[group] = 0
            if urgent or _wanted(signals, machine, j, group - signals.group_ptr[j]) != RED:
                machine.ends_ms[group] = NEVER_MS


@inlined
def _is_apart(signals: Signals, machine: Machine, j: int, stage: int, rest: int) -> bool:
    """On the way to one stage: does another leave all that starts or ends as it is, and what meets it too?

    So no group that waits for its start has more to wait for than when it was asked for.
    """
    apart = rest == IN_STAGE and machine.rest[j] == IN_STAGE
    n = signals.group_ptr[j + 1] - signals.group_ptr[j]
    before = signals.stage_aspect_ptr[signals.stage_ptr[j] + machine.stage[j]]
    after = signals.stage_aspect_ptr[signals.stage_ptr[j] + stage]
    for a in range(n):
        if signals.stage_aspect[before + a] != signals.stage_aspect[after + a]:
            for b in range(n):
                meets = a == b or signals.meeting[signals.pair_ptr[j] + a * n + b] != NO_MEETING
                apart = apart and not (meets and _is_under_way(signals, machine, j, b))
    return apart


@inlined
def _is_under_way(signals: Signals, machine: Machine, j: int, local: int) -> bool:
    """Is the group about to start or to end?"""
    group = signals.group_ptr[j] + local
    is_green = machine.lamps.aspect[group] == GREEN or machine.lamps.aspect[group] == PERMISSIVE
    stays = _wanted(signals, machine, j, local) != RED and machine.drag[group] == 0
    return bool(is_green != stays)


@inlined
def _is_between(aspect: int) -> bool:
    """Neither green nor red nor dark: on the way from one to the other."""
    return aspect == RED_AMBER or (aspect > PERMISSIVE and aspect != DARK)


@inlined
def _progress(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """Move groups along their sequences, as time allows."""
    lamps = machine.lamps
    moving = 0
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        if not _is_between(lamps.aspect[group]):
            continue
        elapsed_ms = now_ms - lamps.since_ms[group]
        if lamps.aspect[group] == RED_AMBER:
            if elapsed_ms >= signals.start_ms[group]:
                yields = _wanted(signals, machine, j, group - signals.group_ptr[j]) == PERMISSIVE
                _show(machine, j, group, PERMISSIVE if yields else GREEN, now_ms)
                lamps.green_ms[group] = now_ms
        elif elapsed_ms >= signals.stop_ms[group, machine.step[group]]:
            _next_stop(signals, machine, j, group, machine.step[group] + 1, now_ms)
        if _is_between(lamps.aspect[group]):
            moving = 1
    machine.moving[j] = moving


@inlined
def _next_stop(signals: Signals, machine: Machine, j: int, group: int, step: int, now_ms: int) -> None:
    aspect = signals.stop_aspect[group, step] if step < 2 else RED
    machine.step[group] = step
    _show(machine, j, group, aspect, now_ms)
    if aspect == RED:
        machine.lamps.red_ms[group] = now_ms
        machine.drag[group] = 0


@inlined
def _change(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """One tick of the way to what is wanted."""
    if machine.red_until_ms[j] == NEVER_MS:
        machine.red_until_ms[j] = now_ms + signals.start_red_ms[j]
    if machine.dark[j]:
        _leave_flash(signals, machine, j, now_ms)
    _drag_trapped(signals, machine, j)
    _announce_ends(signals, machine, j, now_ms)
    _end_greens(signals, machine, j, now_ms)
    _demote(signals, machine, j, now_ms)
    _start_greens(signals, machine, j, now_ms)
    _promote(signals, machine, j, now_ms)
    if machine.rest[j] == IN_FLASH:
        _enter_flash(signals, machine, j, now_ms)
    if _shows_in_full(signals, machine, j):
        machine.pending[j] = 0
        if not machine.settled[j]:
            machine.settled[j] = 1
            machine.since_ms[j] = now_ms


@inlined
def _leave_flash(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """From dark to red for everybody, and long enough, before anybody starts."""
    if machine.rest[j] != IN_FLASH:
        for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            _show(machine, j, group, RED, now_ms)
            machine.lamps.red_ms[group] = now_ms
        machine.dark[j] = 0
        machine.red_until_ms[j] = now_ms + signals.start_red_ms[j]


@inlined
def _enter_flash(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """Dark for everybody at once, when all have been seen red for their clearance, if only for a tick."""
    ready = machine.dark[j] == 0
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        red_for_ms = now_ms - machine.lamps.red_ms[group]
        if machine.lamps.aspect[group] != RED or red_for_ms < max(signals.clearance_ms[group], 1):
            ready = False
    if ready:
        machine.dark[j] = 1
        for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
            _show(machine, j, group, DARK, now_ms)


@inlined
def _ends(signals: Signals, machine: Machine, j: int, local: int) -> bool:
    """Is the group green, or about to be, and not to stay so?"""
    group = signals.group_ptr[j] + local
    return is_open(machine.lamps.aspect[group]) and (
        machine.drag[group] == 1 or _wanted(signals, machine, j, local) == RED
    )


@inlined
def _drag_trapped(signals: Signals, machine: Machine, j: int) -> None:
    """Mark green groups that must end because a left turn that yields to them ends."""
    first = signals.group_ptr[j]
    changed = True
    while changed:
        changed = False
        for i in range(signals.trap_ptr[j], signals.trap_ptr[j + 1]):
            turn, opposing = signals.trap[i, 0], signals.trap[i, 1]
            if (
                _ends(signals, machine, j, turn)
                and is_open(machine.lamps.aspect[first + opposing])
                and not _ends(signals, machine, j, opposing)
            ):
                machine.drag[first + opposing] = 1
                changed = True


@inlined
def _announce_ends(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """Fix when each green that must end will: after its minimum, and where countdowns are shown, all together."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    counted = False
    last_ms = now_ms
    for local in range(n):
        group = first + local
        if machine.ends_ms[group] != NEVER_MS or machine.lamps.aspect[group] == RED_AMBER:
            continue
        if _ends(signals, machine, j, local):
            counted = counted or signals.commit_ms[group] > 0
            last_ms = max(last_ms, machine.lamps.green_ms[group] + signals.min_green_ms[group])
            last_ms = max(last_ms, now_ms + signals.commit_ms[group])
    for local in range(n):
        group = first + local
        if machine.ends_ms[group] != NEVER_MS or machine.lamps.aspect[group] == RED_AMBER:
            continue
        if _ends(signals, machine, j, local):
            together = counted and not machine.urgent[j]
            green_until_ms = machine.lamps.green_ms[group] + signals.min_green_ms[group]
            machine.ends_ms[group] = last_ms if together else green_until_ms


@inlined
def _end_greens(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """End the greens whose time has come, but no left turn before the traffic that it yields to."""
    first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
    for group in range(first, last):
        machine.leaving[group] = machine.ends_ms[group] != NEVER_MS and now_ms >= machine.ends_ms[group]
    _keep_trapped(signals, machine, j)
    for group in range(first, last):
        if machine.leaving[group]:
            machine.ends_ms[group] = NEVER_MS
            machine.lamps.end_ms[group] = now_ms
            _next_stop(signals, machine, j, group, 0, now_ms)


@inlined
def _keep_trapped(signals: Signals, machine: Machine, j: int) -> None:
    """Take back the leave of every left turn that opposing traffic would outlast, and of those that wait for it."""
    first = signals.group_ptr[j]
    changed = True
    while changed:
        changed = False
        for i in range(signals.trap_ptr[j], signals.trap_ptr[j + 1]):
            turn, opposing = first + signals.trap[i, 0], first + signals.trap[i, 1]
            if (
                machine.leaving[turn]
                and is_open(machine.lamps.aspect[opposing])
                and not machine.leaving[opposing]
            ):
                machine.leaving[turn] = 0
                changed = True


@inlined
def _demote(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """Protected groups that will yield show it before those that they yield to start."""
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        if machine.lamps.aspect[group] == GREEN:
            if _wanted(signals, machine, j, group - signals.group_ptr[j]) == PERMISSIVE:
                _show(machine, j, group, PERMISSIVE, now_ms)


@inlined
def _start_greens(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    for a in range(n):
        group = first + a
        if lamps.aspect[group] != RED or now_ms < machine.red_until_ms[j]:
            continue
        aspect = _wanted(signals, machine, j, a)
        if aspect == RED or now_ms - lamps.red_ms[group] < signals.revert_ms:
            continue
        if not _is_cleared(signals, machine, j, a, aspect == PERMISSIVE, now_ms):
            continue
        if signals.start_ms[group] > 0:
            _show(machine, j, group, RED_AMBER, now_ms)
        else:
            _show(machine, j, group, aspect, now_ms)
            lamps.green_ms[group] = now_ms


@inlined
def _is_cleared(signals: Signals, machine: Machine, j: int, a: int, yields: bool, now_ms: int) -> bool:
    """May local group ``a`` start: has every group that it meets been cleared, or does one of the two yield?"""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    for b in range(n):
        relation = signals.meeting[signals.pair_ptr[j] + a * n + b]
        if relation == NO_MEETING:
            continue
        intergreen_ms = signals.intergreen_ms[signals.pair_ptr[j] + b * n + a]
        if relation == SHARED and intergreen_ms == 0:
            continue
        shown = lamps.aspect[first + b]
        if shown != GREEN and shown != PERMISSIVE:
            if now_ms + signals.start_ms[first + a] - lamps.end_ms[first + b] < intergreen_ms:
                return False
        if is_open(shown) and (
            relation == CONFLICT
            or (relation == YIELDS and not yields)
            or (relation == HAS_PRIORITY and shown != PERMISSIVE)
            or _ends(signals, machine, j, b)
        ):
            return False
    return True


@inlined
def _promote(signals: Signals, machine: Machine, j: int, now_ms: int) -> None:
    """A yielding group becomes protected when all that it yields to has been cleared."""
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    lamps = machine.lamps
    for a in range(n):
        if lamps.aspect[first + a] != PERMISSIVE or _wanted(signals, machine, j, a) != GREEN:
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
            _show(machine, j, first + a, GREEN, now_ms)


@inlined
def _shows_in_full(signals: Signals, machine: Machine, j: int) -> bool:
    full = bool(machine.dark[j] == 1 or machine.rest[j] != IN_FLASH)
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        aspect = machine.lamps.aspect[group]
        wanted = _wanted(signals, machine, j, group - signals.group_ptr[j])
        if aspect != wanted and (wanted != RED or is_open(aspect)):
            full = False
    return full
