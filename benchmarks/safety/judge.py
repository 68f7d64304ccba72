"""A judge of lamps, written apart from the signal machine and the interlock, for millions of junction-ticks a second.

It shares no table and no timer with them: its tables are made here from the site, one row per rule instead of a
matrix per junction, and it notes for itself what each group showed and since when. It judges what it is shown, tick
by tick; it never says what to show instead.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.jit import kernel
from greensplit.engine.model.aspects import ASPECT_NAMES, DARK, GREEN, PERMISSIVE, RED, RED_AMBER
from greensplit.engine.model.site import Meeting, MeetingKind, SignalGroup, Site

__all__ = [
    "OBJECTIONS",
    "Book",
    "Notes",
    "judge_lamps",
    "judge_release",
    "keep_notes",
    "new_notes",
    "open_book",
    "starts_despite",
]

CONFLICT: Final = 0
SHORT_GREEN: Final = 1
SKIPPED_STOP: Final = 2
SHORT_STOP: Final = 3
SHORT_CLEARANCE: Final = 4
SHORT_RED: Final = 5
TRAP: Final = 6
OUT_OF_ORDER: Final = 7

OBJECTIONS: Final = (
    "conflicting greens",
    "short green",
    "skipped yellow or clearance",
    "short yellow or clearance",
    "short intergreen",
    "short red or red-amber",
    "yellow trap",
    "out of order",
)

LONG_AGO_MS: Final = -(10**9)

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]


class Book(NamedTuple):
    """What must hold, from the site alone. Groups and rules of junction j are ``ptr[j]:ptr[j + 1]``."""

    group_ptr: I64  # (J + 1,)
    least_green_ms: I64  # (G,)
    rise_ms: I64  # (G,) red-amber, 0 none
    stop: U8  # (G, 2) aspects between green and red, RED where there is only one
    stop_ms: I64  # (G, 2)
    clear_ms: I64  # (G,) red that clears the group for all that may follow it
    rule_ptr: I64  # (J + 1,)
    before: I64  # (R,) the group that was green first
    after: I64  # (R,) the group that follows it
    gap_ms: I64  # (R,) from the end of ``before`` to the start of ``after``
    never_both: U8  # (R,)
    before_waits: U8  # (R,) ``before`` yields to ``after``: beside it, it is permissive
    after_waits: U8  # (R,) the other way round
    trap: U8  # (R,) ``before`` is a left turn whose drivers take their yellow for that of ``after``
    revert_ms: int


class Notes(NamedTuple):
    """What the judge has seen. Green and permissive are one run."""

    shown: U8  # (G,)
    since_ms: I64  # (G,) begin of the run
    end_ms: I64  # (G,) last end of green


def open_book(site: Site) -> Book:
    """Write down the rules of a site."""
    groups = [group for junction in site.junctions for group in junction.groups]
    first = np.cumsum([0, *(len(junction.groups) for junction in site.junctions)])
    rules = [_rules(junction.meetings, int(first[j])) for j, junction in enumerate(site.junctions)]
    columns = np.array([rule for of_one in rules for rule in of_one], np.int64).reshape(-1, 7).T
    before, after, gap_ms, never_both, before_waits, after_waits, trap = columns
    stop_ms = np.array([_stop_times(group) for group in groups], np.int64).reshape(-1, 2)
    clear_ms = np.zeros(len(groups), np.int64)
    np.maximum.at(clear_ms, before, gap_ms - stop_ms.sum(axis=1)[before])
    return Book(
        group_ptr=first.astype(np.int64),
        least_green_ms=np.array([group.min_green_ms for group in groups], np.int64),
        rise_ms=np.array([sum(step.ms for step in group.sequence.start) for group in groups], np.int64),
        stop=np.array([_stop_aspects(group) for group in groups], np.uint8).reshape(-1, 2),
        stop_ms=stop_ms,
        clear_ms=clear_ms,
        rule_ptr=np.cumsum([0, *map(len, rules)]).astype(np.int64),
        before=before.copy(),
        after=after.copy(),
        gap_ms=gap_ms.copy(),
        never_both=never_both.astype(np.uint8),
        before_waits=before_waits.astype(np.uint8),
        after_waits=after_waits.astype(np.uint8),
        trap=trap.astype(np.uint8),
        revert_ms=site.red_revert_ms,
    )


def new_notes(book: Book) -> Notes:
    """Everything has been red for long."""
    groups = len(book.least_green_ms)
    return Notes(
        np.full(groups, RED, np.uint8),
        np.full(groups, LONG_AGO_MS, np.int64),
        np.full(groups, LONG_AGO_MS, np.int64),
    )


def _rules(meetings: tuple[Meeting, ...], first: int) -> list[tuple[int, ...]]:
    """Both directions of every meeting; a pair that the program shows together without a gap has no rule."""
    rows: list[tuple[int, ...]] = []
    for met in meetings:
        if met.kind is MeetingKind.SHARED and not met.intergreen_ms and not met.reverse_ms:
            continue
        one, two = first + met.first - 1, first + met.second - 1
        clash, waits = met.kind is MeetingKind.CONFLICT, met.kind is MeetingKind.PERMISSIVE
        rows.append((one, two, met.intergreen_ms, clash, waits, False, waits and met.left_turn))
        rows.append((two, one, met.reverse_ms, clash, False, waits, False))
    return rows


def _stop_aspects(group: SignalGroup) -> list[int]:
    return [*(ASPECT_NAMES.index(step.aspect) for step in group.sequence.stop), RED][:2]


def _stop_times(group: SignalGroup) -> list[int]:
    return [*(step.ms for step in group.sequence.stop), 0][:2]


@kernel
def judge_lamps(book: Book, notes: Notes, lamps: U8, retreats: U8, now_ms: int, tally: I64) -> None:
    """Count into ``tally`` (J, 8) what is wrong with showing ``lamps`` (G,) at ``now_ms`` after what was noted.

    Only a junction that ``retreats`` (J,) may break off red-amber.
    """
    for j in range(len(book.group_ptr) - 1):
        dark = 0
        for g in range(book.group_ptr[j], book.group_ptr[j + 1]):
            dark += lamps[g] == DARK
            if lamps[g] != notes.shown[g]:
                wrong = _wrong_step(book, notes, g, lamps[g], retreats[j], now_ms)
                if wrong >= 0:
                    tally[j, wrong] += 1
        if dark > 0 and dark < book.group_ptr[j + 1] - book.group_ptr[j]:
            tally[j, OUT_OF_ORDER] += 1
        for r in range(book.rule_ptr[j], book.rule_ptr[j + 1]):
            wrong = _wrong_pair(book, notes, r, lamps[book.before[r]], lamps[book.after[r]], now_ms)
            if wrong >= 0:
                tally[j, wrong] += 1


@kernel
def keep_notes(notes: Notes, lamps: U8, now_ms: int) -> None:
    """Note what is shown from ``now_ms`` on."""
    for g in range(len(lamps)):
        was, now = notes.shown[g], lamps[g]
        if was != now:
            notes.shown[g] = now
            if not (_is_green(was) and _is_green(now)):
                notes.since_ms[g] = now_ms
                if _is_green(was):
                    notes.end_ms[g] = now_ms


@kernel
def judge_release(book: Book, notes: Notes, released: U8, now_ms: int, tally: I64) -> None:
    """Count junctions that are handed over while a group is not red or is not cleared yet for all that follow it."""
    for j in range(len(released)):
        if not released[j]:
            continue
        for g in range(book.group_ptr[j], book.group_ptr[j + 1]):
            if notes.shown[g] != RED or now_ms - notes.since_ms[g] < book.revert_ms:
                tally[j, SHORT_RED] += 1
        for r in range(book.rule_ptr[j], book.rule_ptr[j + 1]):
            if now_ms - notes.end_ms[book.before[r]] < book.gap_ms[r]:
                tally[j, SHORT_CLEARANCE] += 1


@kernel
def starts_despite(book: Book, shown: U8, lamps: U8, barred: I64) -> int:
    """How many groups left red for green from ``shown`` to ``lamps`` although ``barred`` (J,) has their bit."""
    found = 0
    for j in range(len(barred)):
        for g in range(book.group_ptr[j], book.group_ptr[j + 1]):
            held = (barred[j] >> (g - book.group_ptr[j])) & 1
            if held and shown[g] == RED and (lamps[g] == RED_AMBER or _is_green(lamps[g])):
                found += 1
    return found


@kernel
def _is_green(aspect: int) -> bool:
    return aspect == GREEN or aspect == PERMISSIVE


@kernel
def _wrong_step(book: Book, notes: Notes, g: int, now: int, retreats: int, now_ms: int) -> int:
    """What is wrong with the step of one group, -1 nothing."""
    was, lasted_ms = notes.shown[g], now_ms - notes.since_ms[g]
    if _is_green(was):
        if _is_green(now):
            return -1
        if lasted_ms < book.least_green_ms[g]:
            return SHORT_GREEN
        return -1 if now == book.stop[g, 0] else SKIPPED_STOP
    if was == RED:
        if now == DARK:
            return SHORT_CLEARANCE if lasted_ms < book.clear_ms[g] else -1
        rises = now == RED_AMBER
        if not (rises or _is_green(now)) or rises != (book.rise_ms[g] > 0):
            return OUT_OF_ORDER
        return SHORT_RED if lasted_ms < book.revert_ms else -1
    if was == RED_AMBER:
        if now == RED and retreats:
            return -1
        if not _is_green(now):
            return OUT_OF_ORDER
        return SHORT_RED if lasted_ms < book.rise_ms[g] else -1
    if was == DARK:
        return -1 if now == RED else OUT_OF_ORDER
    at = 0 if was == book.stop[g, 0] else 1
    due = book.stop[g, 1] if at == 0 else RED
    if now != due:
        return SKIPPED_STOP if now == RED else OUT_OF_ORDER
    return SHORT_STOP if lasted_ms < book.stop_ms[g, at] else -1


@kernel
def _wrong_pair(book: Book, notes: Notes, r: int, first: int, second: int, now_ms: int) -> int:
    """What is wrong between a group that shows ``first`` and the group after it that shows ``second``."""
    if not _is_green(second):
        return -1
    was_first, was_second = notes.shown[book.before[r]], notes.shown[book.after[r]]
    if _is_green(first):
        return CONFLICT if book.never_both[r] or (book.before_waits[r] and first == GREEN) else -1
    if book.trap[r] and _is_green(was_first) and _is_green(was_second):
        return TRAP
    starts = not _is_green(was_second)
    promoted = book.after_waits[r] and second == GREEN and was_second == PERMISSIVE
    if not (starts or promoted):
        return -1
    end_ms = now_ms if _is_green(was_first) else notes.end_ms[book.before[r]]
    return SHORT_CLEARANCE if now_ms - end_ms < book.gap_ms[r] else -1
