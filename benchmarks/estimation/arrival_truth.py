"""Arrivals as they were: when each vehicle was due at its stop line, and where it had been seen to leave before.

A vehicle is due when it would reach the stop line at the speed limit from where its front passed the advance position
of its lane; on lanes without one, and where it joined nearer, from where it first came in sight.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.model.compiled import Detection
from greensplit.engine.model.upstream import Links

from .recording import Recording
from .truth import Visits, find_truth

__all__ = ["Due", "due_counts", "due_vehicles", "loop_times", "source_departures"]

LATE_S = 60
REACH_EXIT_MS = 12_000  # from the stop line to the exit loop, at most

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]


class Due(NamedTuple):
    """A row per vehicle and stop line, by time. ``source`` is where it left the junction before, -1 none seen."""

    due_ms: F64  # (N,)
    lane: I32  # (N,)
    source: I32  # (N,)
    left_ms: F64  # (N,) when it passed the source


def due_vehicles(recording: Recording, detection: Detection, links: Links) -> Due:
    """Every vehicle of a recording at every stop line that it reached, or was about to reach when the run ended."""
    visits = find_truth(recording, detection.advance_m).visits
    reaches = (visits.cross_ms >= 0) | (visits.advance_ms >= 1000 * (recording.seconds - LATE_S))
    visits = visits._replace(**{name: column[reaches] for name, column in visits._asdict().items()})
    speed = np.maximum(detection.speed_mps[visits.lane], 1.0)
    has_passed = visits.advance_ms >= 0
    from_ms = np.where(has_passed, visits.advance_ms, visits.enter_ms)
    from_m = np.where(has_passed, detection.advance_m[visits.lane], visits.enter_m)
    due_ms = from_ms + 1000.0 * from_m / speed
    source, left_ms = _origins(recording, links, visits, from_ms)
    order = np.argsort(due_ms, kind="stable")
    return Due(due_ms[order], visits.lane[order], source[order], left_ms[order])


def _origins(
    recording: Recording, links: Links, visits: Visits, from_ms: npt.NDArray[np.int64]
) -> tuple[I32, F64]:
    """Each visit's source: the exit loop next hit after the vehicle's last crossing, or the group itself."""
    sources = _sources_of_groups(links)
    times = [loop_times(recording, int(loop)) for loop in links.source_detector]
    used = [np.zeros(len(found), np.bool_) for found in times]
    at_crossing: dict[tuple[int, int], tuple[int, float]] = {}
    for t_ms, vehicle, _, group in zip(*recording.crossings, strict=True):
        found = _next_exit(sources.get(int(group), []), links, times, used, float(t_ms))
        if found is not None:
            at_crossing[int(vehicle), int(t_ms)] = found
    last: dict[int, list[int]] = {}
    for vehicle, t_ms in at_crossing:
        last.setdefault(vehicle, []).append(t_ms)
    source, left_ms = np.full(len(from_ms), -1, np.int32), np.zeros(len(from_ms))
    for i, (vehicle, before_ms) in enumerate(zip(visits.vehicle.tolist(), from_ms.tolist(), strict=True)):
        earlier = [t_ms for t_ms in last.get(vehicle, []) if t_ms <= before_ms]
        if earlier:
            source[i], left_ms[i] = at_crossing[vehicle, max(earlier)]
    return source, left_ms


def _sources_of_groups(links: Links) -> dict[int, list[int]]:
    found: dict[int, set[int]] = {}
    for group, source in zip(links.way_group.tolist(), links.way_source.tolist(), strict=True):
        found.setdefault(group, set()).add(source)
    return {group: sorted(sources) for group, sources in found.items()}


def _next_exit(
    sources: list[int], links: Links, times: list[F64], used: list[npt.NDArray[np.bool_]], t_ms: float
) -> tuple[int, float] | None:
    """The first unused actuation after a crossing; where a group has no exit loop, the crossing itself."""
    best: tuple[float, int, int] | None = None
    for source in sources:
        if links.source_detector[source] < 0:
            return source, t_ms
        first = int(np.searchsorted(times[source], t_ms))
        for i in range(first, len(times[source])):
            if times[source][i] > t_ms + REACH_EXIT_MS:
                break
            if not used[source][i]:
                if best is None or times[source][i] < best[0]:
                    best = (float(times[source][i]), source, i)
                break
    if best is None:
        return None
    used[best[1]][best[2]] = True
    return best[1], best[0]


def loop_times(recording: Recording, loop: int) -> F64:
    """Times of the actuations of a loop, ms; none for loop -1."""
    tape = recording.tape
    found: F64 = tape.event_ms[(tape.event_detector == loop) & (tape.event_on == 1)].astype(np.float64)
    return found


def source_departures(recording: Recording, links: Links) -> list[F64]:
    """Times at which vehicles passed each source, ms: its loop's, or crossings in the group's name."""
    crossed = recording.crossings
    groups = {source: group for group, found in _sources_of_groups(links).items() for source in found}
    return [
        loop_times(recording, int(loop))
        if loop >= 0
        else crossed.t_ms[crossed.group == groups.get(source, -1)].astype(np.float64)
        for source, loop in enumerate(links.source_detector)
    ]


def due_counts(due: Due, lanes: int, seconds: int) -> npt.NDArray[np.int64]:
    """(seconds + 1, lanes) vehicles due before each second, so that differences are counts in windows."""
    counts = np.zeros((seconds + 1, lanes), np.int64)
    second = np.clip(due.due_ms // 1000, 0, None).astype(np.int64)
    within = second < seconds
    np.add.at(counts, (second[within] + 1, due.lane[within]), 1)
    return counts.cumsum(axis=0)
