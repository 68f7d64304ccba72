"""Questions that a site must answer before it may be controlled. Each answer names junction, group, expected, found."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from ..errors import ModelError
from .site import GroupKind, Junction, MeetingKind, Sequence, SignalGroup, Site, Stage

__all__ = ["check", "validate"]

MAX_GROUPS = 64
MAX_MS = 600_000
MAX_DEVICE_ID = 2**31 - 1
LEAST_REVERT_MS = 2000  # NEMA TS 2: red revert of at least 2 s
START_ASPECTS = ("red_amber",)


def check(site: Site) -> None:
    """Raise ModelError with the first finding, and the number of findings, unless the site is valid."""
    findings = validate(site)
    if findings:
        more = f" ({len(findings) - 1} more findings)" if len(findings) > 1 else ""
        raise ModelError(findings[0] + more)


def validate(site: Site) -> list[str]:
    """Everything that is wrong with the site, in words; empty when it may be controlled."""
    findings = [*_are_ids_unique(site), *_are_device_ids_in_range(site), *_is_red_revert_in_range(site)]
    for junction in site.junctions:
        findings += [f"junction {junction.id}: {text}" for text in _questions(junction)]
    findings += _do_links_join_junctions(site)
    return findings


def _questions(junction: Junction) -> Iterator[str]:
    yield from _is_the_size_in_range(junction)
    yield from _are_groups_numbered_once(junction)
    yield from _are_times_in_range(junction)
    yield from _do_sequences_make_sense(junction)
    yield from _is_each_lamp_in_one_group(junction)
    yield from _do_meetings_name_groups(junction)
    yield from _do_intergreens_cover_the_clearance(junction)
    yield from _do_stages_hold_known_groups(junction)
    yield from _are_stages_free_of_conflicts(junction)
    yield from _is_each_group_in_a_stage(junction)
    yield from _do_detectors_serve_groups(junction)
    yield from _do_lanes_name_groups(junction)
    yield from _do_plans_name_stages(junction)


def _are_ids_unique(site: Site) -> Iterator[str]:
    for what, values in (
        ("junction id", [j.id for j in site.junctions]),
        ("device_id", [j.device_id for j in site.junctions]),
    ):
        yield from (
            f"{what} {value}: expected once, found {n} times" for value, n in _repeated(values).items()
        )


def _repeated(values: Iterable[object]) -> dict[object, int]:
    return {value: n for value, n in Counter(values).items() if n > 1}


def _are_device_ids_in_range(site: Site) -> Iterator[str]:
    for junction in site.junctions:
        if not 0 <= junction.device_id <= MAX_DEVICE_ID:
            yield (
                f"junction {junction.id}: expected a device_id from 0 to {MAX_DEVICE_ID}, found {junction.device_id}"
            )


def _is_red_revert_in_range(site: Site) -> Iterator[str]:
    if not LEAST_REVERT_MS <= site.red_revert_ms <= MAX_MS:
        yield f"red_revert_ms: expected {LEAST_REVERT_MS} to {MAX_MS} ms, found {site.red_revert_ms}"


def _is_the_size_in_range(junction: Junction) -> Iterator[str]:
    if not 1 <= len(junction.groups) <= MAX_GROUPS:
        yield f"expected 1 to {MAX_GROUPS} signal groups, found {len(junction.groups)}"
    if not junction.stages:
        yield "expected at least one stage, found none"


def _are_groups_numbered_once(junction: Junction) -> Iterator[str]:
    numbers = [group.number for group in junction.groups]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"expected groups numbered 1 to {len(numbers)} in order, found {numbers}"


def _are_times_in_range(junction: Junction) -> Iterator[str]:
    for group in junction.groups:
        for name, least_ms, ms in _times(group):
            if not least_ms <= ms <= MAX_MS:
                yield f"group {group.number}: expected {name} from {least_ms} to {MAX_MS} ms, found {ms}"


def _times(group: SignalGroup) -> Iterator[tuple[str, int, int]]:
    """Name, least and value of each time; an aspect of 0 ms would be a skipped one."""
    yield "min_green_ms", 0, group.min_green_ms
    yield "commit_ms", 0, group.commit_ms
    for step in (*group.sequence.start, *group.sequence.stop):
        yield step.aspect, 1, step.ms


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
    for lamp, n in _repeated(lamps).items():
        yield f"lamp {lamp}: expected in one group, found in {n}"
    for lamp in lamps:
        if not 0 <= lamp < count:
            yield f"lamp {lamp}: expected 0 to {count - 1}, as many as idle_lamps has letters"
        elif junction.idle_lamps[lamp] != ".":
            yield f"lamp {lamp}: expected '.' in idle_lamps, since a group shows there"


def _do_meetings_name_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    pairs = [tuple(sorted((meeting.first, meeting.second))) for meeting in junction.meetings]
    for pair, n in _repeated(pairs).items():
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
    for name, n in _repeated(stage.name for stage in junction.stages).items():
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


def _do_detectors_serve_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for channel, n in _repeated(detector.channel for detector in junction.detectors).items():
        yield f"detector channel {channel}: expected once, found {n} times"
    for detector in junction.detectors:
        if not 1 <= detector.channel <= 65535:
            yield f"detector {detector.id}: expected a channel from 1 to 65535, found {detector.channel}"
        if not detector.groups:
            yield f"detector {detector.id}: expected at least one group that it serves, found none"
        if not all(1 <= group <= count for group in detector.groups):
            yield f"detector {detector.id}: expected groups of 1 to {count}, found {detector.groups}"


def _do_lanes_name_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for lane in junction.lanes:
        if not lane.groups or not all(1 <= group <= count for group in lane.groups):
            yield f"lane {lane.id}: expected groups of 1 to {count}, found {lane.groups}"
        for name, value in (("storage_m", lane.storage_m), ("speed_mps", lane.speed_mps)):
            if not 0.0 <= value < math.inf:
                yield f"lane {lane.id}: expected {name} of 0 or more, found {value}"


def _do_plans_name_stages(junction: Junction) -> Iterator[str]:
    names = {stage.name for stage in junction.stages}
    for plan in junction.plans:
        for step in plan.steps:
            if step.stage not in names:
                yield f"plan {plan.name}: expected stages of {sorted(names)}, found {step.stage}"


def _do_links_join_junctions(site: Site) -> Iterator[str]:
    known = {junction.id: len(junction.groups) for junction in site.junctions}
    for link in site.links:
        for end in (link.from_junction, link.to_junction):
            if end not in known:
                yield f"link {link.from_junction} to {link.to_junction}: expected known junctions, found {end}"
        if not 1 <= link.from_group <= known.get(link.from_junction, link.from_group):
            yield f"link from {link.from_junction}: expected a group of it, found {link.from_group}"
