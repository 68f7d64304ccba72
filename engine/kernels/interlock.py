"""The interlock: the last check before any lamp changes. Independent of the signal machine.

It keeps its own tables and its own timers, which only what it let through sets. A refusal latches: the junction's
green groups are brought to red by their own sequences, and ``released`` tells when all have been red long enough
that its fallback plan may start. Flash is all groups of a junction dark at once, from red and back to red. In
``observe`` mode nothing is altered: findings are counted.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..model.aspects import CLEARANCE, DARK, GREEN, GREEN_FLASH, PERMISSIVE, RED, RED_AMBER, YELLOW
from ..model.compiled import CONFLICT, HAS_PRIORITY, NO_MEETING, YIELDS, Rules
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
SHORT_START: Final = 9

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
    "short red-amber",
)


@inlined
def _goes(aspect: int) -> bool:
    return aspect == GREEN or aspect == PERMISSIVE


@kernel
def check_lamps(
    rules: Rules,
    lamps: Lamps,
    faults: Faults,
    proposed: npt.NDArray[np.uint8],
    released: npt.NDArray[np.uint8],
    now_ms: int,
    observe: bool,
) -> int:
    """Judge ``proposed`` (G,) aspects at ``now_ms`` and let them pass into ``lamps``, or refuse and latch; findings.

    ``lamps``, ``faults`` and ``released`` (J,) are modified in place;
    ``lamps.aspect`` is what may be shown.
    """
    found = 0
    for j in range(len(faults.code)):
        first, last = rules.group_ptr[j], rules.group_ptr[j + 1]
        if (observe or faults.code[j] == 0) and _is_news(lamps, proposed, first, last):
            findings = _judge_groups(rules, lamps, faults, proposed, j, now_ms, observe)
            findings += _judge_pairs(rules, lamps, faults, proposed, j, now_ms)
            found += findings
            if observe or findings == 0:
                for group in range(first, last):
                    _pass(lamps, group, proposed[group], now_ms)
        if not observe and faults.code[j] != 0:
            released[j] = _retreat(rules, lamps, first, last, now_ms)
    return found


@inlined
def _is_news(lamps: Lamps, proposed: npt.NDArray[np.uint8], first: int, last: int) -> bool:
    news = False
    for group in range(first, last):
        news = news or proposed[group] != lamps.aspect[group]
    return news


@inlined
def _pass(lamps: Lamps, group: int, aspect: int, now_ms: int) -> None:
    """Show ``aspect`` and keep the time. Between protected and permissive green no time begins."""
    before = lamps.aspect[group]
    lamps.aspect[group] = aspect
    if aspect != before and not (_goes(aspect) and _goes(before)):
        lamps.since_ms[group] = now_ms
        if _goes(aspect):
            lamps.green_ms[group] = now_ms
        if _goes(before):
            lamps.end_ms[group] = now_ms
        if aspect == RED:
            lamps.red_ms[group] = now_ms


@inlined
def _retreat(rules: Rules, lamps: Lamps, first: int, last: int, now_ms: int) -> int:
    """Bring a junction to red by its groups' own sequences; 1 once all have been red for their clearance.

    All greens end together, when the last minimum is over: what is shown is safe, and so no left turn ends alone.
    """
    done = 1
    may_end = _have_been_green(rules, lamps, first, last, now_ms)
    for group in range(first, last):
        aspect = lamps.aspect[group]
        elapsed_ms = now_ms - lamps.since_ms[group]
        if _goes(aspect):
            if may_end:
                _pass(lamps, group, rules.stop_aspect[group, 0], now_ms)
        elif aspect == RED_AMBER or aspect == DARK:
            _pass(lamps, group, RED, now_ms)
        elif aspect == GREEN_FLASH and elapsed_ms >= rules.stop_ms[group, 0]:
            _pass(lamps, group, rules.stop_aspect[group, 1], now_ms)
        elif (aspect == YELLOW or aspect == CLEARANCE) and elapsed_ms >= _final_ms(rules, group):
            _pass(lamps, group, RED, now_ms)
        cleared_ms = lamps.red_ms[group] + max(rules.clearance_ms[group], rules.revert_ms)
        if lamps.aspect[group] != RED or now_ms < cleared_ms:
            done = 0
    return done


@inlined
def _have_been_green(rules: Rules, lamps: Lamps, first: int, last: int, now_ms: int) -> bool:
    """Has every green of the junction had its minimum?"""
    over = True
    for group in range(first, last):
        if _goes(lamps.aspect[group]) and now_ms - lamps.green_ms[group] < rules.min_green_ms[group]:
            over = False
    return over


@inlined
def _final_ms(rules: Rules, group: int) -> int:
    """Time of the last aspect before red."""
    last = 1 if rules.stop_aspect[group, 1] != RED else 0
    return int(rules.stop_ms[group, last])


@inlined
def _find(faults: Faults, j: int, code: int, a: int, b: int, now_ms: int) -> int:
    faults.findings[j] += 1
    if faults.code[j] == 0:
        faults.code[j] = code
        faults.first[j] = a
        faults.second[j] = b
        faults.at_ms[j] = now_ms
    return 1


@inlined
def _judge_groups(
    rules: Rules,
    lamps: Lamps,
    faults: Faults,
    proposed: npt.NDArray[np.uint8],
    j: int,
    now_ms: int,
    observe: bool,
) -> int:
    """Number of groups of one junction whose step is not allowed for their own sake. Others may go dark at will."""
    first, last = rules.group_ptr[j], rules.group_ptr[j + 1]
    findings = 0
    all_dark = True
    for group in range(first, last):
        all_dark = all_dark and proposed[group] == DARK
    for group in range(first, last):
        before, aspect = lamps.aspect[group], proposed[group]
        code = 0
        if aspect == DARK or before == DARK:
            if not observe:
                code = _darkness_fault(rules, lamps, group, aspect, all_dark, now_ms)
        elif aspect != before:
            code = _sequence_fault(rules, lamps, group, aspect, now_ms)
        if code:
            findings += _find(faults, j, code, group - first, -1, now_ms)
    return findings


@inlined
def _darkness_fault(rules: Rules, lamps: Lamps, group: int, aspect: int, all_dark: bool, now_ms: int) -> int:
    """Into darkness with all others, from red that was long enough to clear; out of it to red."""
    before = lamps.aspect[group]
    code = 0
    if aspect != DARK:
        code = 0 if aspect == RED else WRONG_SEQUENCE
    elif not all_dark or (before != DARK and before != RED):
        code = WRONG_SEQUENCE
    elif before == RED and now_ms - lamps.red_ms[group] < rules.clearance_ms[group]:
        code = SHORT_CLEARANCE
    return code


@inlined
def _sequence_fault(rules: Rules, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    """Is the step from what the group shows to ``aspect`` allowed now? 0 or a fault code."""
    before = lamps.aspect[group]
    elapsed_ms = now_ms - lamps.since_ms[group]
    if _goes(before):
        code = _leaving_fault(rules, lamps, group, aspect, now_ms)
    elif before == RED or before == RED_AMBER:
        code = _entering_fault(rules, lamps, group, aspect, now_ms)
    elif before == GREEN_FLASH and aspect != rules.stop_aspect[group, 1]:
        code = SKIPPED_YELLOW if aspect == RED else WRONG_SEQUENCE
    elif before == GREEN_FLASH:
        code = SHORT_YELLOW if elapsed_ms < rules.stop_ms[group, 0] else 0
    elif aspect != RED:
        code = WRONG_SEQUENCE
    else:
        code = SHORT_YELLOW if elapsed_ms < _final_ms(rules, group) else 0
    return code


@inlined
def _leaving_fault(rules: Rules, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    code = 0
    if _goes(aspect):
        code = 0
    elif now_ms - lamps.green_ms[group] < rules.min_green_ms[group]:
        code = SHORT_GREEN
    elif aspect != rules.stop_aspect[group, 0]:
        code = SKIPPED_YELLOW
    return code


@inlined
def _entering_fault(rules: Rules, lamps: Lamps, group: int, aspect: int, now_ms: int) -> int:
    code = 0
    if lamps.aspect[group] == RED_AMBER:
        if not _goes(aspect):
            code = WRONG_SEQUENCE
        elif now_ms - lamps.since_ms[group] < rules.start_ms[group]:
            code = SHORT_START
    elif (aspect != RED_AMBER and not _goes(aspect)) or (rules.start_ms[group] > 0) != (aspect == RED_AMBER):
        code = WRONG_SEQUENCE
    elif now_ms - lamps.red_ms[group] < rules.revert_ms:
        code = SHORT_RED
    return code


@inlined
def _judge_pairs(
    rules: Rules, lamps: Lamps, faults: Faults, proposed: npt.NDArray[np.uint8], j: int, now_ms: int
) -> int:
    """Number of ordered pairs of groups that must not be as proposed."""
    first, n = rules.group_ptr[j], rules.group_ptr[j + 1] - rules.group_ptr[j]
    findings = 0
    for a in range(n):
        for b in range(n):
            pair = rules.pair_ptr[j] + a * n + b
            if rules.meeting[pair] != NO_MEETING and _goes(proposed[first + b]):
                code = _pair_fault(rules, lamps, proposed, j, pair, first + a, first + b, now_ms)
                if code:
                    findings += _find(faults, j, code, a, b, now_ms)
    return findings


@inlined
def _pair_fault(
    rules: Rules,
    lamps: Lamps,
    proposed: npt.NDArray[np.uint8],
    j: int,
    pair: int,
    a: int,
    b: int,
    now_ms: int,
) -> int:
    """May ``b`` be green, as proposed, beside what ``a`` shows and has shown?"""
    relation = rules.meeting[pair]
    a_goes, a_went, b_went = _goes(proposed[a]), _goes(lamps.aspect[a]), _goes(lamps.aspect[b])
    promoted = relation == HAS_PRIORITY and proposed[b] == GREEN and lamps.aspect[b] == PERMISSIVE
    end_ms = now_ms if a_went else lamps.end_ms[a]
    code = 0
    if a_goes and (relation == CONFLICT or (relation == YIELDS and proposed[a] == GREEN)):
        code = CONFLICTING_GREEN
    elif not a_goes and (promoted or not b_went) and now_ms - end_ms < rules.intergreen_ms[pair]:
        code = SHORT_CLEARANCE
    elif relation == YIELDS and a_went and not a_goes and b_went and _is_trap(rules, j, a, b):
        code = YELLOW_TRAP
    return code


@inlined
def _is_trap(rules: Rules, j: int, a: int, b: int) -> bool:
    """Is group ``a`` a left turn whose drivers take their yellow for that of ``b``?"""
    first = rules.group_ptr[j]
    found = False
    for i in range(rules.trap_ptr[j], rules.trap_ptr[j + 1]):
        if rules.trap[i, 0] == a - first and rules.trap[i, 1] == b - first:
            found = True
    return found
