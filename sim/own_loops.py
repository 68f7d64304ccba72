"""The user's own induction loops in place of those that greensplit would lay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from greensplit.engine.errors import NetworkError
from greensplit.engine.model.site import Detector, DetectorKind, Junction, Site
from greensplit.scenarios.xmlio import top_level

from .derive.loops import upstream_chain
from .network import Network

__all__ = ["own_detectors"]

TAGS = ("inductionLoop", "e1Detector")
STOP_BAR_WITHIN_M = 20.0


@dataclass(frozen=True, slots=True)
class OwnLoop:
    """A loop of the user's file."""

    id: str
    lane: str
    position_m: float
    length_m: float


def own_detectors(site: Site, network: Network, path: Path) -> Site:
    """The site with the loops of a SUMO additional file.

    A loop up to STOP_BAR_WITHIN_M before a stop line is a stop-bar loop, farther upstream an advance loop, on a
    lane behind a junction an exit loop. Raises NetworkError for loops on unknown lanes, or when none serves a signal.
    """
    loops = [_read(network, element.attrib, path) for element in top_level(path) if element.tag in TAGS]
    junctions = tuple(replace(j, detectors=_assign(network, j, loops)) for j in site.junctions)
    if not any(junction.detectors for junction in junctions):
        raise NetworkError(
            f"{path}: expected induction loops before or behind signals, found {len(loops)} loops"
        )
    notes = tuple(
        f"junction {junction.id}: no loop of {path.name} serves lane {lane.id}"
        for junction in junctions
        for lane in junction.lanes
        if not any(lane.id in detector.lanes for detector in junction.detectors)
    )
    return replace(site, junctions=junctions, assumptions=(*site.assumptions, *notes))


def _read(network: Network, attributes: dict[str, str], path: Path) -> OwnLoop:
    try:
        lane = attributes["lane"]
        position_m = float(attributes["pos"])
        loop = OwnLoop(attributes["id"], lane, position_m, float(attributes.get("length", "0")))
    except (KeyError, ValueError) as err:
        raise NetworkError(f"{path}: expected loops with id, lane and pos, found {dict(attributes)}") from err
    if lane not in network.lanes:
        raise NetworkError(f"{path}: loop {loop.id}: expected a lane of the network, found {lane}")
    length_m = network.lanes[lane].length_m
    start_m = position_m if position_m >= 0 else length_m + position_m
    if not 0 <= start_m <= length_m:
        raise NetworkError(
            f"{path}: loop {loop.id}: expected pos within {length_m:.1f} m, found {position_m:g}"
        )
    return replace(loop, position_m=start_m)


def _assign(network: Network, junction: Junction, loops: list[OwnLoop]) -> tuple[Detector, ...]:
    found: list[Detector] = []
    for loop in loops:
        detector = _upstream(network, junction, loop) or _behind(network, junction, loop)
        if detector is not None:
            found.append(
                replace(
                    detector,
                    id=f"gs{junction.device_id}.{len(found) + 1}",
                    channel=len(found) + 1,
                )
            )
    return tuple(found)


def _upstream(network: Network, junction: Junction, loop: OwnLoop) -> Detector | None:
    serves: list[tuple[str, float]] = []
    groups: set[int] = set()
    for lane in junction.lanes:
        for reach in upstream_chain(network, network.lanes[lane.id]):
            if reach.lane.id == loop.lane:
                end_m = min(loop.position_m + loop.length_m, reach.lane.length_m)
                serves.append((lane.id, reach.offset_m + reach.lane.length_m - end_m))
                groups |= set(lane.groups)
    if not serves:
        return None
    distance_m = min(distance for _, distance in serves)
    kind = DetectorKind.STOP_BAR if distance_m <= STOP_BAR_WITHIN_M else DetectorKind.ADVANCE
    return _detector(loop, kind, distance_m, groups, tuple(lane for lane, _ in serves))


def _behind(network: Network, junction: Junction, loop: OwnLoop) -> Detector | None:
    lamps = {c.lamp for c in network.incoming.get(loop.lane, []) if c.light == junction.id}
    groups = {group.number for group in junction.groups if lamps & set(group.lamps)}
    return _detector(loop, DetectorKind.EXIT, loop.position_m, groups, ()) if groups else None


def _detector(
    loop: OwnLoop, kind: DetectorKind, distance_m: float, groups: set[int], lanes: tuple[str, ...]
) -> Detector:
    return Detector(
        id=loop.id,
        channel=1,
        kind=kind,
        lane=loop.lane,
        position_m=round(loop.position_m, 2),
        length_m=round(loop.length_m, 2),
        distance_m=round(distance_m, 2),
        groups=tuple(sorted(groups)),
        lanes=lanes,
    )
