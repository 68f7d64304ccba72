"""Where the loops lie: stop-bar, advance and exit loops, walking upstream across edges where lanes are short."""

from __future__ import annotations

from dataclasses import dataclass

from greensplit.engine.model.site import ApproachLane, Detector, DetectorKind

from ..network import Connection, Lane, Network
from .groups import Bundle

__all__ = ["LoopPositions", "place_detectors", "upstream_chain"]

LEAST_LOOP_M = 0.5
EDGE_GAP_M = 0.2
ADVANCE_GAP_M = 12.0
OWN_LANE_M = 30.0
CHOICE_M = 10.0  # where a lane begins drivers still change into it
MAX_CHAIN = 40
TURN_AROUND = "t"


@dataclass(frozen=True, slots=True)
class LoopPositions:
    """Where loops are placed, metres before the stop line (exit: behind the junction)."""

    stop_bar_near_m: float = 2.0
    stop_bar_far_m: float = 8.0
    advance_m: float = 80.0
    advance_length_m: float = 2.0
    exit_m: float = 8.0
    exit_length_m: float = 2.0


@dataclass(frozen=True, slots=True)
class Reach:
    """A lane on the way to a stop line; its downstream end lies ``offset_m`` before the line."""

    lane: Lane
    offset_m: float


def upstream_chain(network: Network, lane: Lane) -> list[Reach]:
    """The lane and those that feed it straight on, up to the next signal; minor roads that join are passed by.

    Where a road can only be entered by turning around, at the edge of a network, it begins: what lies behind is the
    other carriageway.
    """
    chain = [Reach(lane, 0.0)]
    offset_m = 0.0
    while len(chain) < MAX_CHAIN:
        here = chain[-1].lane
        feeding = [
            c
            for c in network.incoming.get(here.id, [])
            if not c.source.startswith(":") and c.direction != TURN_AROUND
        ]
        if not feeding or any(c.light for c in feeding):
            break
        connection = min(
            feeding, key=lambda c: (c.direction != "s", abs(c.source_lane - here.index), c.source)
        )
        above = network.edges[connection.source].lanes[connection.source_lane]
        if any(reach.lane.id == above.id for reach in chain):
            break
        offset_m += here.length_m + _inner_length(network, connection)
        chain.append(Reach(above, offset_m))
    return chain


def _inner_length(network: Network, connection: Connection) -> float:
    return network.lanes[connection.via].length_m if connection.via in network.lanes else 0.0


def place_detectors(
    network: Network,
    device_id: int,
    lanes: tuple[ApproachLane, ...],
    bundles: tuple[Bundle, ...],
    positions: LoopPositions,
) -> tuple[tuple[Detector, ...], list[str]]:
    """All loops of a junction, channels from 1, and what was assumed, in words."""
    assumptions: list[str] = []
    spots: list[Spot] = []
    for lane in lanes:
        chain = upstream_chain(network, network.lanes[lane.id])
        spots.append(_stop_bar(lane, chain, positions, assumptions))
        advance = _advance(lane, chain, positions)
        if advance is None:
            reach_m = chain[-1].offset_m + chain[-1].lane.length_m
            assumptions.append(
                f"lane {lane.id}: no advance loop, {reach_m:.0f} m to the next junction upstream"
            )
        else:
            spots.append(advance)
    spots += _exits(network, bundles, positions)
    return tuple(_merge(spots, device_id)), assumptions


@dataclass(frozen=True, slots=True)
class Spot:
    """A loop before it is numbered; ``serves`` is the approach lane it is meant for, or the groups of an exit."""

    kind: DetectorKind
    lane: Lane
    position_m: float
    length_m: float
    distance_m: float
    serves: str
    groups: tuple[int, ...]


def _stop_bar(
    lane: ApproachLane, chain: list[Reach], positions: LoopPositions, assumptions: list[str]
) -> Spot:
    for reach in chain:
        spot = _cover(reach, positions.stop_bar_near_m, positions.stop_bar_far_m)
        if spot is not None:
            return Spot(DetectorKind.STOP_BAR, reach.lane, spot[0], spot[1], spot[2], lane.id, lane.groups)
    assumptions.append(
        f"lane {lane.id}: {chain[0].lane.length_m:.1f} m short, its stop-bar loop covers all of it"
    )
    whole = chain[0].lane
    length_m = max(0.1, whole.length_m - 2 * 0.05)
    return Spot(DetectorKind.STOP_BAR, whole, 0.05, length_m, 0.05, lane.id, lane.groups)


def _cover(reach: Reach, near_m: float, far_m: float) -> tuple[float, float, float] | None:
    """Start, length and distance of a loop on the part of this lane between near and far, None if it has too little."""
    near = max(near_m - reach.offset_m, EDGE_GAP_M)
    far = min(far_m - reach.offset_m, reach.lane.length_m - EDGE_GAP_M)
    if far - near < LEAST_LOOP_M:
        return None
    return reach.lane.length_m - far, far - near, reach.offset_m + near


def _advance(lane: ApproachLane, chain: list[Reach], positions: LoopPositions) -> Spot | None:
    """The place nearest to ``advance_m``, at least ADVANCE_GAP_M behind the stop-bar loop.

    Rather on the lane itself, if it is long enough, than farther up where lanes are not parted yet and nobody knows who
    will turn.
    """
    places = [place for reach in chain if (place := _nearest(reach, positions)) is not None]
    if not places:
        return None
    own = [(reach, at_m) for reach, at_m in places if reach is chain[0] and at_m >= OWN_LANE_M]
    reach, near_m = min(
        own or places, key=lambda place: abs(place[0].offset_m + place[1] - positions.advance_m)
    )
    return Spot(
        DetectorKind.ADVANCE,
        reach.lane,
        reach.lane.length_m - near_m - positions.advance_length_m,
        positions.advance_length_m,
        reach.offset_m + near_m,
        lane.id,
        lane.groups,
    )


def _nearest(reach: Reach, positions: LoopPositions) -> tuple[Reach, float] | None:
    """Where on this lane, metres before its end, an advance loop comes nearest to its wanted place."""
    least_m = max(positions.stop_bar_far_m + ADVANCE_GAP_M - reach.offset_m, EDGE_GAP_M)
    start_m = CHOICE_M if reach.lane.length_m > OWN_LANE_M + CHOICE_M else EDGE_GAP_M
    most_m = reach.lane.length_m - positions.advance_length_m - start_m
    if most_m < least_m:
        return None
    return reach, min(max(positions.advance_m - reach.offset_m, least_m), most_m)


def _exits(network: Network, bundles: tuple[Bundle, ...], positions: LoopPositions) -> list[Spot]:
    """A loop behind the junction on every lane that its vehicle groups lead to."""
    served: dict[str, set[int]] = {}
    for bundle in bundles:
        for way in bundle.ways:
            if not way.is_crossing:
                connection = way.connection
                served.setdefault(network.lane_id(connection.target, connection.target_lane), set()).add(
                    bundle.number
                )
    spots = []
    for lane_id, groups in sorted(served.items()):
        lane = network.lanes[lane_id]
        if lane.length_m < positions.exit_m + positions.exit_length_m + EDGE_GAP_M:
            continue
        spots.append(
            Spot(
                DetectorKind.EXIT,
                lane,
                positions.exit_m,
                positions.exit_length_m,
                positions.exit_m,
                "",
                tuple(sorted(groups)),
            )
        )
    return spots


def _merge(spots: list[Spot], device_id: int) -> list[Detector]:
    """Number the loops; one that several approach lanes share upstream is one loop that serves them all.

    Lanes of unequal length want their advance loops at different places of the lane they share: the first is built.
    """
    places: dict[tuple[DetectorKind, str, float], list[Spot]] = {}
    for spot in spots:
        at_m = 0.0 if spot.kind is DetectorKind.ADVANCE else round(spot.position_m, 2)
        places.setdefault((spot.kind, spot.lane.id, at_m), []).append(spot)
    order = {kind: i for i, kind in enumerate(DetectorKind)}
    ranked = sorted(places.values(), key=lambda found: order[found[0].kind])
    return [_detector(found, device_id, channel) for channel, found in enumerate(ranked, start=1)]


def _detector(found: list[Spot], device_id: int, channel: int) -> Detector:
    spot = found[0]
    return Detector(
        id=f"gs{device_id}.{channel}",
        channel=channel,
        kind=spot.kind,
        lane=spot.lane.id,
        position_m=round(spot.position_m, 2),
        length_m=round(spot.length_m, 2),
        distance_m=round(spot.distance_m, 2),
        groups=tuple(sorted({number for each in found for number in each.groups})),
        lanes=tuple(each.serves for each in found if each.serves),
    )
