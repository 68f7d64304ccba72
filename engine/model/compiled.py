"""A site as arrays for the kernels: struct of arrays over all junctions, groups, pairs, stages, lanes, detectors.

Junction ``j`` owns groups ``group_ptr[j]:group_ptr[j + 1]``, and so on for stages, lanes and detectors. A pair of
local groups (a, b) of junction j is at ``pair_ptr[j] + a * n + b`` with n its number of groups; the aspect of local
group g in stage s (a global index) at ``stage_aspect[stage_aspect_ptr[s] + g]``.
"""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from . import aspects
from .site import DetectorKind, GroupKind, Junction, MeetingKind, Site

__all__ = [
    "CONFLICT",
    "HAS_PRIORITY",
    "NO_MEETING",
    "SHARED",
    "YIELDS",
    "Detection",
    "Rules",
    "Signals",
    "compile_detection",
    "compile_rules",
    "compile_signals",
]

NO_MEETING, CONFLICT, YIELDS, HAS_PRIORITY, SHARED = range(5)

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
T = TypeVar("T", np.int32, np.int64)


class Signals(NamedTuple):
    """Signal tables. Times in ms; ``stop_*`` has two columns, unused steps have aspect RED."""

    device_id: I32  # (J,)
    group_ptr: I32  # (J + 1,)
    stage_ptr: I32  # (J + 1,)
    pair_ptr: I64  # (J + 1,)
    is_pedestrian: U8  # (G,)
    min_green_ms: I32  # (G,)
    start_ms: I32  # (G,) red-amber, 0 where there is none
    stop_aspect: U8  # (G, 2)
    stop_ms: I32  # (G, 2)
    clearance_ms: I32  # (G,) red clearance: longest intergreen beyond the stop sequence
    commit_ms: I32  # (G,) countdown shown before the end of green, 0 where there is none
    meeting: U8  # (P,) NO_MEETING, CONFLICT, YIELDS (a to b), HAS_PRIORITY (a over b), SHARED
    intergreen_ms: I32  # (P,) end of green of a to start of green of b
    trap_ptr: I32  # (J + 1,)
    trap: I64  # (T, 2) local groups a, b: a is a left turn that yields to b
    stage_aspect: U8  # aspect of each local group in each stage
    stage_aspect_ptr: I32  # (S + 1,)
    stage_deployed: U8  # (S,) 1 where the stage comes from a deployed program
    start_red_ms: I32  # (J,) after power-up and after flash
    revert_ms: int


class Rules(NamedTuple):
    """The tables that the interlock holds lamps to, as in ``Signals``; nothing about stages."""

    group_ptr: I32
    pair_ptr: I64
    min_green_ms: I32
    start_ms: I32
    stop_aspect: U8
    stop_ms: I32
    clearance_ms: I32
    meeting: U8
    intergreen_ms: I32
    trap_ptr: I32
    trap: I64
    revert_ms: int


class Detection(NamedTuple):
    """Lane and detector tables. Distances in metres from the stop line."""

    lane_ptr: I32  # (J + 1,)
    detector_ptr: I32  # (J + 1,)
    channel: npt.NDArray[np.uint16]  # (D,)
    kind: U8  # (D,) position in DetectorKind
    stop_bar: I32  # (L,) detector of the lane, -1 none
    advance: I32  # (L,) detector of the lane, -1 none
    advance_share: F32  # (L,) share of the advance detector's vehicles that come to this lane
    advance_m: F32  # (L,)
    storage_m: F32  # (L,)
    speed_mps: F32  # (L,)
    lane_group_ptr: I32  # (L + 1,)
    lane_group: I32  # local group indices of each lane
    exit_ptr: I32  # (G + 1,)
    exit_detector: I32  # (X,) exit detectors of each group
    exit_group: I32  # (X,)


def compile_signals(site: Site) -> Signals:
    """Tables for the signal machine; each call makes its own copy from the model."""
    groups = [group for junction in site.junctions for group in junction.groups]
    tables = [_meeting_table(junction) for junction in site.junctions]
    sizes = [len(junction.groups) for junction in site.junctions]
    stages = [(junction, stage) for junction in site.junctions for stage in junction.stages]
    return Signals(
        device_id=np.array([junction.device_id for junction in site.junctions], np.int32),
        group_ptr=_ptr(sizes, np.int32),
        stage_ptr=_ptr([len(junction.stages) for junction in site.junctions], np.int32),
        pair_ptr=_ptr([n * n for n in sizes], np.int64),
        is_pedestrian=np.array([group.kind is GroupKind.PEDESTRIAN for group in groups], np.uint8),
        min_green_ms=np.array([group.min_green_ms for group in groups], np.int32),
        start_ms=np.array([sum(step.ms for step in group.sequence.start) for group in groups], np.int32),
        stop_aspect=_stop_column(site, 0).astype(np.uint8),
        stop_ms=_stop_column(site, 1),
        clearance_ms=np.concatenate(
            [_clearance(junction) for junction in site.junctions] or [np.zeros(0, np.int32)]
        ),
        commit_ms=np.array([group.commit_ms for group in groups], np.int32),
        meeting=np.concatenate([table[0].ravel() for table in tables] or [np.zeros(0, np.uint8)]),
        intergreen_ms=np.concatenate([table[1].ravel() for table in tables] or [np.zeros(0, np.int32)]),
        trap_ptr=_ptr([len(table[2]) for table in tables], np.int32),
        trap=np.array([pair for table in tables for pair in table[2]], np.int64).reshape(-1, 2),
        stage_aspect=np.array(
            [a for junction, stage in stages for a in _aspects(junction, stage.green, stage.permissive)],
            np.uint8,
        ),
        stage_aspect_ptr=_ptr([len(junction.groups) for junction, _ in stages], np.int32),
        stage_deployed=np.array([stage.deployed for _, stage in stages], np.uint8),
        start_red_ms=np.array([junction.start_red_ms for junction in site.junctions], np.int32),
        revert_ms=site.red_revert_ms,
    )


def compile_rules(site: Site) -> Rules:
    """Tables for the interlock: copies of its own, that nobody else writes to."""
    tables = compile_signals(site)._asdict()
    return Rules(**{name: tables[name] for name in Rules._fields})


def compile_detection(site: Site) -> Detection:
    """Lane and detector tables."""
    kinds = list(DetectorKind)
    detectors = [(j, d) for j, junction in enumerate(site.junctions) for d in junction.detectors]
    index = {(j, d.id): i for i, (j, d) in enumerate(detectors)}
    lanes = [(j, lane) for j, junction in enumerate(site.junctions) for lane in junction.lanes]
    exits = _exits(site)
    shared = [_lane_detectors(site.junctions[j], lane.id) for j, lane in lanes]
    return Detection(
        lane_ptr=_ptr([len(junction.lanes) for junction in site.junctions], np.int32),
        detector_ptr=_ptr([len(junction.detectors) for junction in site.junctions], np.int32),
        channel=np.array([d.channel for _, d in detectors], np.uint16),
        kind=np.array([kinds.index(d.kind) for _, d in detectors], np.uint8),
        stop_bar=np.array(
            [index.get((j, s[0]), -1) for (j, _), s in zip(lanes, shared, strict=True)], np.int32
        ),
        advance=np.array(
            [index.get((j, s[1]), -1) for (j, _), s in zip(lanes, shared, strict=True)], np.int32
        ),
        advance_share=np.array([s[2] for s in shared], np.float32),
        advance_m=np.array([s[3] for s in shared], np.float32),
        storage_m=np.array([lane.storage_m for _, lane in lanes], np.float32),
        speed_mps=np.array([lane.speed_mps for _, lane in lanes], np.float32),
        lane_group_ptr=_ptr([len(lane.groups) for _, lane in lanes], np.int32),
        lane_group=np.array([group - 1 for _, lane in lanes for group in lane.groups], np.int32),
        exit_ptr=_ptr([len(found) for found in exits], np.int32),
        exit_detector=np.array([d for found in exits for d in found], np.int32),
        exit_group=np.array([group for group, found in enumerate(exits) for _ in found], np.int32),
    )


def _ptr(sizes: list[int], dtype: type[T]) -> npt.NDArray[T]:
    return np.array([0, *accumulate(sizes)], dtype)


def _stop_column(site: Site, column: int) -> I32:
    rows = []
    for junction in site.junctions:
        for group in junction.groups:
            cells = [
                (aspects.ASPECT_NAMES.index(step.aspect), step.ms)[column] for step in group.sequence.stop
            ]
            rows.append([*cells, 0, 0][:2])
    return np.array(rows, np.int32).reshape(-1, 2)


def _meeting_table(junction: Junction) -> tuple[U8, I32, list[tuple[int, int]]]:
    """Relation and intergreen matrices of one junction, each (n, n), and its pairs with a yellow trap."""
    n = len(junction.groups)
    relation, intergreen = np.zeros((n, n), np.uint8), np.zeros((n, n), np.int32)
    traps = []
    there = {
        MeetingKind.CONFLICT: (CONFLICT, CONFLICT),
        MeetingKind.PERMISSIVE: (YIELDS, HAS_PRIORITY),
        MeetingKind.SHARED: (SHARED, SHARED),
    }
    for meeting in junction.meetings:
        a, b = meeting.first - 1, meeting.second - 1
        relation[a, b], relation[b, a] = there[meeting.kind]
        intergreen[a, b], intergreen[b, a] = meeting.intergreen_ms, meeting.reverse_ms
        if meeting.left_turn and meeting.kind is MeetingKind.PERMISSIVE:
            traps.append((a, b))
    return relation, intergreen, traps


def _clearance(junction: Junction) -> I32:
    _, intergreen, _ = _meeting_table(junction)
    stop = np.array([group.sequence.stop_ms for group in junction.groups], np.int32)
    longest: I32 = intergreen.max(axis=1, initial=0)
    red: I32 = np.maximum(longest - stop, 0)
    return red


def _aspects(junction: Junction, green: tuple[int, ...], permissive: tuple[int, ...]) -> list[int]:
    def aspect(number: int) -> int:
        if number not in green:
            return aspects.RED
        return aspects.PERMISSIVE if number in permissive else aspects.GREEN

    return [aspect(group.number) for group in junction.groups]


def _exits(site: Site) -> list[list[int]]:
    """Positions of the exit detectors of every group."""
    found: list[list[int]] = []
    first = 0
    for junction in site.junctions:
        for group in junction.groups:
            found.append(
                [
                    first + i
                    for i, d in enumerate(junction.detectors)
                    if d.kind is DetectorKind.EXIT and group.number in d.groups
                ]
            )
        first += len(junction.detectors)
    return found


def _lane_detectors(junction: Junction, lane_id: str) -> tuple[str, str, float, float]:
    """Ids of the lane's stop-bar and advance detectors ('' none), the advance share and distance."""
    stop = next(
        (d.id for d in junction.detectors if d.kind is DetectorKind.STOP_BAR and lane_id in d.lanes), ""
    )
    advance = next(
        (d for d in junction.detectors if d.kind is DetectorKind.ADVANCE and lane_id in d.lanes), None
    )
    if advance is None:
        return stop, "", 0.0, 0.0
    return stop, advance.id, 1.0 / len(advance.lanes), advance.distance_m
