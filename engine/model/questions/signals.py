"""Questions about signal groups, how they meet, and the stages in which they are green."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..site import GroupKind, Junction, MeetingKind, Sequence, SignalGroup, Stage
from .words import MAX_MS, repeated

__all__ = ["MAX_GROUPS", "signal_questions"]

MAX_GROUPS = 62
"""As many as a bit mask in a signed 64-bit number holds, with two to spare."""
MAX_PASSAGE_MS = 25_500
"""NTCIP 1202: 255 tenths of a second."""
MAX_PHASE = 16
MAX_OVERLAP = 16
START_ASPECTS = ("red_amber",)


def signal_questions(junction: Junction) -> Iterator[str]:
    """Everything that is wrong with groups, meetings and stages."""
    yield from _is_the_size_in_range(junction)
    yield from _is_the_place_known(junction)
    yield from _are_groups_numbered_once(junction)
    yield from _are_times_in_range(junction)
    yield from _is_the_longest_green_long_enough(junction)
    yield from _do_sequences_make_sense(junction)
    yield from _is_each_lamp_in_one_group(junction)
    yield from _are_phases_and_overlaps_numbered_once(junction)
    yield from _do_overlaps_have_parents(junction)
    yield from _do_meetings_name_groups(junction)
    yield from _do_intergreens_cover_the_clearance(junction)
    yield from _do_stages_hold_known_groups(junction)
    yield from _are_stages_free_of_conflicts(junction)
    yield from _is_each_group_in_a_stage(junction)


def _is_the_size_in_range(junction: Junction) -> Iterator[str]:
    if not 1 <= len(junction.groups) <= MAX_GROUPS:
        yield f"expected 1 to {MAX_GROUPS} signal groups, found {len(junction.groups)}"
    if not junction.stages:
        yield "expected at least one stage, found none"


def _is_the_place_known(junction: Junction) -> Iterator[str]:
    for name, metres in (("x_m", junction.x_m), ("y_m", junction.y_m)):
        if not math.isfinite(metres):
            yield f"expected a finite {name}, found {metres}"


def _are_groups_numbered_once(junction: Junction) -> Iterator[str]:
    numbers = [group.number for group in junction.groups]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"expected groups numbered 1 to {len(numbers)} in order, found {numbers}"


def _are_times_in_range(junction: Junction) -> Iterator[str]:
    if not 0 <= junction.start_red_ms <= MAX_MS:
        yield f"expected start_red_ms from 0 to {MAX_MS} ms, found {junction.start_red_ms}"
    for group in junction.groups:
        for name, least_ms, most_ms, ms in _times(group):
            if not least_ms <= ms <= most_ms:
                yield f"group {group.number}: expected {name} from {least_ms} to {most_ms} ms, found {ms}"


def _times(group: SignalGroup) -> Iterator[tuple[str, int, int, int]]:
    """Name, least, most and value of each time; an aspect of 0 ms would be a skipped one."""
    yield "min_green_ms", 0, MAX_MS, group.min_green_ms
    yield "commit_ms", 0, MAX_MS, group.commit_ms
    yield "max_green_ms", 0, MAX_MS, group.max_green_ms
    yield "passage_ms", 0, MAX_PASSAGE_MS, group.passage_ms
    for step in (*group.sequence.start, *group.sequence.stop):
        yield step.aspect, 1, MAX_MS, step.ms


def _is_the_longest_green_long_enough(junction: Junction) -> Iterator[str]:
    for group in junction.groups:
        if 0 <= group.max_green_ms < group.min_green_ms <= MAX_MS:
            yield (
                f"group {group.number}: expected max_green_ms of at least its min_green_ms, {group.min_green_ms}; "
                f"found {group.max_green_ms}"
            )


def _do_sequences_make_sense(junction: Junction) -> Iterator[str]:
    for group in junction.groups:
        yield from _sequence_findings(group.number, group.kind, group.sequence)


def _sequence_findings(number: int, kind: GroupKind, sequence: Sequence) -> Iterator[str]:
    if len(sequence.start) > 1 or any(step.aspect not in START_ASPECTS for step in sequence.start):
        found = [step.aspect for step in sequence.start]
        yield f"group {number}: expected nothing or {START_ASPECTS[0]} between red and green, found {found}"
    stops = [step.aspect for step in sequence.stop]
    last = "clearance" if kind is GroupKind.PEDESTRIAN else "yellow"
    if stops not in ([last], ["green_flash", last]):
        yield f"group {number}: expected {last}, or green_flash and {last}, between green and red, found {stops}"


def _is_each_lamp_in_one_group(junction: Junction) -> Iterator[str]:
    count = len(junction.idle_lamps)
    lamps = [lamp for group in junction.groups for lamp in group.lamps]
    for lamp, n in repeated(lamps).items():
        yield f"lamp {lamp}: expected in one group, found in {n}"
    for lamp in lamps:
        if not 0 <= lamp < count:
            yield f"lamp {lamp}: expected 0 to {count - 1}, as many as idle_lamps has letters"
        elif junction.idle_lamps[lamp] != ".":
            yield f"lamp {lamp}: expected '.' in idle_lamps, since a group shows there"


def _are_phases_and_overlaps_numbered_once(junction: Junction) -> Iterator[str]:
    for group in junction.groups:
        for name, number, most in (
            ("phase", group.phase, MAX_PHASE),
            ("overlap", group.overlap, MAX_OVERLAP),
        ):
            if not 0 <= number <= most:
                yield f"group {group.number}: expected {name} from 0 to {most}, found {number}"
        if group.phase and group.overlap:
            yield (
                f"group {group.number}: expected a phase or an overlap, found phase {group.phase} and "
                f"overlap {group.overlap}"
            )
    vehicles = [group for group in junction.groups if group.kind is not GroupKind.PEDESTRIAN]
    for number, n in repeated(group.phase for group in vehicles if group.phase).items():
        yield f"phase {number}: expected one group with it (and its pedestrians), found {n}"
    for number, n in repeated(group.overlap for group in junction.groups if group.overlap).items():
        yield f"overlap {number}: expected one group with it, found {n}"


def _do_overlaps_have_parents(junction: Junction) -> Iterator[str]:
    phases = [group.number for group in junction.groups if group.phase]
    for group in junction.groups:
        if group.overlap and not group.parents:
            yield f"group {group.number}: expected parents of overlap {group.overlap}, found none"
        if group.parents and not group.overlap:
            yield f"group {group.number}: expected parents of overlaps only, found {group.parents}"
        if group.number in group.parents:
            yield f"group {group.number}: expected other groups as parents, found itself"
        for parent in group.parents:
            if parent not in phases and parent != group.number:
                yield f"group {group.number}: expected parents of {phases}, the groups with a phase; found {parent}"


def _do_meetings_name_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    pairs = [tuple(sorted((meeting.first, meeting.second))) for meeting in junction.meetings]
    for pair, n in repeated(pairs).items():
        yield f"groups {pair}: expected one meeting, found {n} that contradict or repeat each other"
    for meeting in junction.meetings:
        if meeting.first == meeting.second or not all(
            1 <= g <= count for g in (meeting.first, meeting.second)
        ):
            yield f"meeting of {meeting.first} and {meeting.second}: expected two different groups of 1 to {count}"


def _do_intergreens_cover_the_clearance(junction: Junction) -> Iterator[str]:
    stop_ms = {group.number: group.sequence.stop_ms for group in junction.groups}
    for meeting in junction.meetings:
        if meeting.kind is MeetingKind.SHARED and meeting.intergreen_ms == meeting.reverse_ms == 0:
            continue
        for first, second, ms in (
            (meeting.first, meeting.second, meeting.intergreen_ms),
            (meeting.second, meeting.first, meeting.reverse_ms),
        ):
            if not stop_ms.get(first, 0) <= ms <= MAX_MS:
                yield (
                    f"intergreen from group {first} to {second}: expected at least {stop_ms.get(first, 0)} ms, "
                    f"the time that group {first} takes to red, and at most {MAX_MS}; found {ms}"
                )


def _do_stages_hold_known_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for name, n in repeated(stage.name for stage in junction.stages).items():
        yield f"stage {name}: expected one of that name, found {n}"
    for stage in junction.stages:
        for group in stage.green:
            if not 1 <= group <= count:
                yield f"stage {stage.name}: expected groups of 1 to {count}, found {group}"
        if not set(stage.permissive) <= set(stage.green):
            yield f"stage {stage.name}: expected its permissive groups to be green in it, found {stage.permissive}"


def _are_stages_free_of_conflicts(junction: Junction) -> Iterator[str]:
    for stage in junction.stages:
        green = set(stage.green)
        for meeting in junction.meetings:
            if {meeting.first, meeting.second} <= green:
                yield from _quarrel(stage, meeting.kind, meeting.first, meeting.second)


def _quarrel(stage: Stage, kind: MeetingKind, first: int, second: int) -> Iterator[str]:
    if kind is MeetingKind.CONFLICT:
        yield f"stage {stage.name}: expected no conflict, found groups {first} and {second} green together"
    elif kind is MeetingKind.PERMISSIVE and first not in stage.permissive:
        yield f"stage {stage.name}: expected group {first} permissive, since it yields to group {second}"


def _is_each_group_in_a_stage(junction: Junction) -> Iterator[str]:
    served = {number for stage in junction.stages for number in stage.green}
    for group in junction.groups:
        if group.number not in served:
            yield f"group {group.number} ({group.name}): expected in at least one stage, found in none"
