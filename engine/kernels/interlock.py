"""The interlock: the last check before any lamp changes. Independent of the signal machine.

It keeps its own tables and its own timers, which only what it let through sets. A refusal latches: the junction's
green groups are brought to red by their own sequences, and ``released`` tells when all have been red long enough
that its fallback plan may start. In ``observe`` mode nothing is altered: findings are counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..model.aspects import CLEARANCE, DARK, GREEN, GREEN_FLASH, PERMISSIVE, RED, RED_AMBER, YELLOW
from ..model.compiled import CONFLICT, HAS_PRIORITY, NO_MEETING, YIELDS, Signals
from .jit import inlined, kernel
from .state import Faults, Lamps

__all__ = ["FAULT_NAMES", "check_lamps"]

CONFLICTING_GREEN: Final = 1
SHORT_GREEN: Final = 2
SKIPPED_YELLOW: Final = 3
SHORT_YELLOW: Final = 4
SHORT_CLEARANCE: Final = 5
SHORT_RED: Final = 6
YELLOW_TRAP: Final = 7
WRONG_SEQUENCE: Final = 8

FAULT_NAMES: Final = (
    "none",
    "conflicting greens",
    "short minimum green",
    "skipped yellow or pedestrian clearance",
    "short yellow or pedestrian clearance",
    "short intergreen",
    "re-green before the red-revert time",
    "yellow trap",
    "aspect out of sequence",
)


@inlined
def _goes(aspect: int) -> bool:
    return aspect == GREEN or aspect == PERMISSIVE


@kernel
def check_lamps(
    signals: Signals,
    lamps: Lamps,
    faults: Faults,
    proposed: npt.NDArray[np.uint8],
    released: npt.NDArray[np.uint8],
    now_ms: int,
    observe: bool,
) -> None:
    """Judge ``proposed`` (G,) aspects at ``now_ms`` and let them pass into ``lamps``, or refuse and latch.

    ``signals`` is the interlock's own copy. ``lamps``, ``faults`` and ``released`` (J,) are modified in place;
    ``lamps.aspect`` is what may be shown.
    """
    for j in range(len(signals.device_id)):
        first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
        if not observe and faults.code[j] != 0:
            released[j] = _retreat(signals, lamps, first, last, now_ms)
            continue
        findings = _judge(signals, lamps, faults, proposed, j, now_ms, observe)
        if findings and not observe:
            released[j] = _retreat(signals, lamps, first, last, now_ms)
            continue
        for group in range(first, last):
            _pass(lamps, group, proposed[group], now_ms)


@kernel
def _pass(lamps: Lamps, group: int, aspect: int, now_ms: int) -> None:
    """Show ``aspect`` and keep the time."""
    before = lamps.aspect[group]
    if aspect == before:
        return
    if _goes(aspect) and _goes(before):
        lamps.aspect[group] = aspect
        return
    lamps.aspect[group] = aspect
    lamps.since_ms[group] = now_ms
    if _goes(aspect):
        lamps.green_ms[group] = now_ms
    if _goes(before):
        lamps.end_ms[group] = now_ms
    if aspect == RED:
        lamps.red_ms[group] = now_ms


@kernel
def _retreat(signals: Signals, lamps: Lamps, first: int, last: int, now_ms: int) -> int:
    """Bring a junction to red by its groups' own sequences; 1 once all have been red for their clearance.

    All greens end together, when the last minimum is over: what is shown is safe, and so no left turn ends alone.
    """
    done = 1
    may_end = _have_been_green(signals, lamps, first, last, now_ms)
    for group in range(first, last):
        aspect = lamps.aspect[group]
        elapsed_ms = now_ms - lamps.since_ms[group]
        if _goes(aspect):
            if may_end:
                _pass(lamps, group, signals.stop_aspect[group, 0], now_ms)
        elif aspect == RED_AMBER:
            _pass(lamps, group, RED, now_ms)
        elif aspect == GREEN_FLASH and elapsed_ms >= signals.stop_ms[group, 0]:
            _pass(lamps, group, signals.stop_aspect[group, 1], now_ms)
        elif (aspect == YELLOW or aspect == CLEARANCE) and elapsed_ms >= _final_ms(signals, group):
            _pass(lamps, group, RED, now_ms)
        cleared_ms = lamps.red_ms[group] + max(signals.clearance_ms[group], signals.revert_ms)
        if lamps.aspect[group] != RED or now_ms < cleared_ms:
            done = 0
    return done


@kernel
def _have_been_green(signals: Signals, lamps: Lamps, first: int, last: int, now_ms: int) -> bool:
    """Has every green of the junction had its minimum?"""
    for group in range(first, last):
        if _goes(lamps.aspect[group]) and now_ms - lamps.green_ms[group] < signals.min_green_ms[group]:
            return False
    return True


@inlined
def _final_ms(signals: Signals, group: int) -> int:
    """Time of the last aspect before red."""
    return int(
        signals.stop_ms[group, 1] if signals.stop_aspect[group, 1] != RED else signals.stop_ms[group, 0]
    )


@kernel
def _find(faults: Faults, j: int, code: int, a: int, b: int, now_ms: int) -> int:
    faults.findings[j] += 1
    if faults.code[j] == 0:
        faults.code[j] = code
        faults.first[j] = a
        faults.second[j] = b
        faults.at_ms[j] = now_ms
    return 1


@kernel
def _judge(
    signals: Signals,
    lamps: Lamps,
    faults: Faults,
    proposed: npt.NDArray[np.uint8],
    j: int,
    now_ms: int,
    observe: bool,
) -> int:
    """Number of findings of one junction. Only lamps that others switch may go dark."""
    first, last = signals.group_ptr[j], signals.group_ptr[j + 1]
    findings = 0
    changed = False
    for group in range(first, last):
        if proposed[group] != lamps.aspect[group]:
            changed = True
            code = _sequence_fault(signals, lamps, group, proposed[group], now_ms)
            if proposed[group] == DARK and not observe:
                code = WRONG_SEQUENCE
            if code:
                findings += _find(faults, j, code, group - first, -1, now_ms)
    if changed:
        findings += _judge_pairs(signals, lamps, faults, proposed, j, now_ms)
    return findings


@kernel
def _sequence_fault(signals: Signals, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    """Is the step from what the group shows to ``aspect`` allowed now? 0 or a fault code."""
    before = lamps.aspect[group]
    elapsed_ms = now_ms - lamps.since_ms[group]
    if aspect == DARK or before == DARK:
        return 0
    if _goes(before):
        return _leaving_green(signals, lamps, group, aspect, now_ms)
    if before == RED or before == RED_AMBER:
        return _entering_green(signals, lamps, group, aspect, now_ms)
    if before == GREEN_FLASH:
        if aspect != signals.stop_aspect[group, 1]:
            return SKIPPED_YELLOW if aspect == RED else WRONG_SEQUENCE
        return SHORT_YELLOW if elapsed_ms < signals.stop_ms[group, 0] else 0
    if aspect != RED:
        return WRONG_SEQUENCE
    return SHORT_YELLOW if elapsed_ms < _final_ms(signals, group) else 0


@kernel
def _leaving_green(signals: Signals, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    if _goes(aspect):
        return 0
    if now_ms - lamps.green_ms[group] < signals.min_green_ms[group]:
        return SHORT_GREEN
    if aspect != signals.stop_aspect[group, 0]:
        return SKIPPED_YELLOW
    return 0


@kernel
def _entering_green(signals: Signals, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    before = lamps.aspect[group]
    if before == RED_AMBER:
        if not _goes(aspect):
            return WRONG_SEQUENCE
        return SHORT_RED if now_ms - lamps.since_ms[group] < signals.start_ms[group] else 0
    if aspect != RED_AMBER and not _goes(aspect):
        return WRONG_SEQUENCE
    if (signals.start_ms[group] > 0) != (aspect == RED_AMBER):
        return WRONG_SEQUENCE
    return SHORT_RED if now_ms - lamps.red_ms[group] < signals.revert_ms else 0


@kernel
def _judge_pairs(
    signals: Signals, lamps: Lamps, faults: Faults, proposed: npt.NDArray[np.uint8], j: int, now_ms: int
) -> int:
    first, n = signals.group_ptr[j], signals.group_ptr[j + 1] - signals.group_ptr[j]
    findings = 0
    for a in range(n):
        for b in range(n):
            pair = signals.pair_ptr[j] + a * n + b
            if signals.meeting[pair] == NO_MEETING:
                continue
            code = _pair_fault(signals, lamps, proposed, pair, first + a, first + b, now_ms)
            if code:
                findings += _find(faults, j, code, a, b, now_ms)
    return findings


@kernel
def _pair_fault(
    signals: Signals,
    lamps: Lamps,
    proposed: npt.NDArray[np.uint8],
    pair: int,
    a: int,
    b: int,
    now_ms: int,
) -> int:
    """Does ``b`` start, or do both show green, against the relation of a to b? Judged from the side of ``a``."""
    relation = signals.meeting[pair]
    if _goes(proposed[a]) and _goes(proposed[b]):
        if relation == CONFLICT:
            return CONFLICTING_GREEN
        if relation == YIELDS and proposed[a] == GREEN:
            return CONFLICTING_GREEN
    starts = _goes(proposed[b]) and not _goes(lamps.aspect[b])
    if starts and not _goes(proposed[a]):
        end_ms = now_ms if _goes(lamps.aspect[a]) else lamps.end_ms[a]
        if now_ms - end_ms < signals.intergreen_ms[pair]:
            return SHORT_CLEARANCE
    if _is_promoted_early(signals, lamps, proposed, pair, a, b, now_ms):
        return SHORT_CLEARANCE
    ends = _goes(lamps.aspect[a]) and not _goes(proposed[a])
    if signals.trap[pair] and ends and _goes(lamps.aspect[b]) and _goes(proposed[b]):
        return YELLOW_TRAP
    return 0


@kernel
def _is_promoted_early(
    signals: Signals,
    lamps: Lamps,
    proposed: npt.NDArray[np.uint8],
    pair: int,
    a: int,
    b: int,
    now_ms: int,
) -> bool:
    """Does ``b``, which yields to ``a``, become protected before ``a`` is cleared?"""
    if signals.meeting[pair] != HAS_PRIORITY or _goes(proposed[a]):
        return False
    promoted = proposed[b] == GREEN and lamps.aspect[b] == PERMISSIVE
    end_ms = now_ms if _goes(lamps.aspect[a]) else lamps.end_ms[a]
    return bool(promoted and now_ms - end_ms < signals.intergreen_ms[pair])
