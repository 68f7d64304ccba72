"""Questions about detectors, approach lanes and the links between junctions."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..site import Detector, DetectorKind, Junction, Link, Site
from .words import repeated

__all__ = ["detection_questions", "link_questions"]

MAX_CHANNEL = 65_535


def detection_questions(junction: Junction) -> Iterator[str]:
    """Everything that is wrong with detectors and lanes."""
    yield from _do_detectors_serve_groups(junction)
    yield from _do_detectors_lie_on_lanes(junction)
    yield from _do_lanes_name_groups(junction)


def link_questions(site: Site) -> Iterator[str]:
    """Everything that is wrong with links."""
    groups = {junction.id: len(junction.groups) for junction in site.junctions}
    lanes = {junction.id: {lane.id for lane in junction.lanes} for junction in site.junctions}
    for link in site.links:
        yield from _does_the_link_join_junctions(link, groups, lanes)
        yield from _is_the_link_passable(link)


def _do_detectors_serve_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for channel, n in repeated(detector.channel for detector in junction.detectors).items():
        yield f"detector channel {channel}: expected once, found {n} times"
    for detector in junction.detectors:
        if not 1 <= detector.channel <= MAX_CHANNEL:
            yield f"detector {detector.id}: expected a channel from 1 to {MAX_CHANNEL}, found {detector.channel}"
        if not detector.groups:
            yield f"detector {detector.id}: expected at least one group that it serves, found none"
        if not all(1 <= group <= count for group in detector.groups):
            yield f"detector {detector.id}: expected groups of 1 to {count}, found {detector.groups}"


def _do_detectors_lie_on_lanes(junction: Junction) -> Iterator[str]:
    served = {lane.id: set(lane.groups) for lane in junction.lanes}
    for detector in junction.detectors:
        for name, metres in (
            ("position_m", detector.position_m),
            ("length_m", detector.length_m),
            ("distance_m", detector.distance_m),
        ):
            if not 0.0 <= metres < math.inf:
                yield f"detector {detector.id}: expected {name} of 0 or more, found {metres}"
        if detector.kind in (DetectorKind.STOP_BAR, DetectorKind.ADVANCE):
            yield from _does_the_detector_serve_its_lanes(detector, served, len(junction.groups))


def _does_the_detector_serve_its_lanes(
    detector: Detector, served: dict[str, set[int]], count: int
) -> Iterator[str]:
    strange = [lane for lane in detector.lanes if lane not in served]
    for lane in strange:
        yield f"detector {detector.id}: expected approach lanes of the junction, found {lane}"
    reached = {group for lane in detector.lanes for group in served.get(lane, ())}
    for group in detector.groups:
        if not strange and 1 <= group <= count and group not in reached:
            yield f"detector {detector.id}: expected groups of its lanes {sorted(reached)}, found {group}"


def _do_lanes_name_groups(junction: Junction) -> Iterator[str]:
    count = len(junction.groups)
    for name, n in repeated(lane.id for lane in junction.lanes).items():
        yield f"lane {name}: expected one of that name, found {n}"
    for lane in junction.lanes:
        if not lane.groups or not all(1 <= group <= count for group in lane.groups):
            yield f"lane {lane.id}: expected groups of 1 to {count}, found {lane.groups}"
        for name, value in (("storage_m", lane.storage_m), ("speed_mps", lane.speed_mps)):
            if not 0.0 <= value < math.inf:
                yield f"lane {lane.id}: expected {name} of 0 or more, found {value}"


def _does_the_link_join_junctions(
    link: Link, groups: dict[str, int], lanes: dict[str, set[str]]
) -> Iterator[str]:
    for end in (link.from_junction, link.to_junction):
        if end not in groups:
            yield f"link {link.from_junction} to {link.to_junction}: expected known junctions, found {end}"
    if not 1 <= link.from_group <= groups.get(link.from_junction, link.from_group):
        yield f"link from {link.from_junction}: expected a group of it, found {link.from_group}"
    if link.to_junction in lanes and link.to_lane not in lanes[link.to_junction]:
        yield f"link to {link.to_junction}: expected an approach lane of it, found {link.to_lane}"


def _is_the_link_passable(link: Link) -> Iterator[str]:
    where = f"link {link.from_junction} group {link.from_group} to {link.to_lane}"
    if link.travel_ms <= 0:
        yield f"{where}: expected travel_ms above 0, found {link.travel_ms}"
    for name, value in (("length_m", link.length_m), ("storage_veh", link.storage_veh)):
        if not 0.0 <= value < math.inf:
            yield f"{where}: expected {name} of 0 or more, found {value}"
