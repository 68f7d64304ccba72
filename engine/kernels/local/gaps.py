"""When a step may end: minimum and walk served, gap or maximum, force-off, hold."""

from __future__ import annotations

from ...events import FORCE_OFF, GAP_OUT, MAX_OUT
from ...model.aspects import PERMISSIVE, RED, RED_AMBER
from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..jit import inlined
from ..state import NEVER_MS, Machine
from .state import LocalState

__all__ = ["judge_step"]

BUSY, DONE, EXTENDING, MAXED = 0, 1, 2, 3


@inlined
def _judge_group(
    signals: Signals,
    local: Local,
    machine: Machine,
    state: LocalState,
    j: int,
    r: int,
    group: int,
    withheld: int,
    in_plan: bool,
    now_ms: int,
) -> int:
    """BUSY: may not end yet; DONE: nobody needs it; EXTENDING: traffic; MAXED: traffic, but past its maximum."""
    bit = 1 << (group - signals.group_ptr[j])
    aspect = machine.lamps.aspect[group]
    green_ms = machine.lamps.green_ms[group]
    people = local.people[j] & bit != 0
    verdict = DONE
    if aspect == RED:
        verdict = DONE if withheld & bit else BUSY
    elif aspect == RED_AMBER:
        verdict = BUSY
    elif aspect > PERMISSIVE:
        verdict = BUSY if not people or local.people_end_early[j] else DONE
    elif now_ms - green_ms < signals.min_green_ms[group] or (people and local.people_end_early[j]):
        verdict = BUSY
    elif not people:
        seen_ms = max(state.seen_ms[group], green_ms)
        if state.seen_ms[group] == now_ms or now_ms - seen_ms < local.passage_ms[group]:
            timed = state.rival_ms[r] != NEVER_MS and not in_plan
            over = now_ms - max(green_ms, state.rival_ms[r]) >= local.max_green_ms[group]
            verdict = MAXED if timed and over else EXTENDING
    return verdict


@inlined
def judge_step(
    signals: Signals,
    local: Local,
    machine: Machine,
    state: LocalState,
    j: int,
    r: int,
    mask: int,
    staying: int,
    withheld: int,
    fixed: bool,
    in_plan: bool,
    hold: int,
    force_off: int,
    now_ms: int,
) -> None:
    """May the step of ring ``r``, with the groups ``mask``, end now, and why? Into ``ending`` and ``reason``.

    ``staying`` groups go on in what follows and hold nothing up. A ``fixed`` step ends at its force-off, not before.
    """
    worst = DONE
    busy = mask & hold != 0
    extending = False
    for group in range(signals.group_ptr[j], signals.group_ptr[j + 1]):
        bit = 1 << (group - signals.group_ptr[j])
        if mask & bit:
            verdict = _judge_group(signals, local, machine, state, j, r, group, withheld, in_plan, now_ms)
            busy = busy or verdict == BUSY
            if not staying & bit:
                extending = extending or verdict == EXTENDING
                worst = max(worst, verdict)
    forced = state.forced[r] == 1 or mask & force_off != 0
    if forced:
        reason = FORCE_OFF
    else:
        reason = MAX_OUT if worst == MAXED else GAP_OUT
    may_end = not busy and (forced or not (fixed or extending))
    state.ending[r] = 1 if may_end else 0
    if may_end:
        state.reason[r] = reason if mask else 0
