"""Incidents in a network: drawn from a seed, and afterwards the truth as SUMO lived it.

A place is told as an analyst needs it: the junction and approach whose stop line the lane leads to, and how far
before it. Places come from the lanes that feed signals; a stalled vehicle enters on the edge before, so that it
comes to a stop when it was asked to, within what traffic allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from greensplit.engine.errors import ScenarioError
from greensplit.engine.model.site import Site
from greensplit.scenarios.incidents import STALLED_PREFIX, Incident, IncidentKind

from .derive.loops import upstream_chain
from .network import Connection, Network
from .outputs import scan_output

__all__ = ["IncidentDraw", "check_places", "draw_incidents", "read_truth", "stop_arguments"]

ENDS_M = 15.0
STOP_FILE = "stops.xml"


@dataclass(frozen=True, slots=True)
class IncidentDraw:
    """What to draw: one incident in each of ``count`` equal slots of the window, ``least_s`` to ``most_s`` long."""

    count: int
    least_s: int = 360
    most_s: int = 900
    kinds: tuple[IncidentKind, ...] = (IncidentKind.STALLED,)
    surge_factor: float = 2.0


@dataclass(frozen=True, slots=True)
class _Place:
    """A lane on the way to a stop line; its end lies ``offset_m`` before the line."""

    lane: str
    edge: str
    length_m: float
    speed_mps: float
    offset_m: float
    junction: str
    device_id: int
    approach: str
    lanes: int
    upstream: int | None


def draw_incidents(
    network: Network, site: Site, draw: IncidentDraw, window_s: tuple[int, int], seed: int
) -> tuple[Incident, ...]:
    """Incidents of that seed; places are drawn by length, over all lanes that lead to a signal.

    Raises ScenarioError where a slot is shorter than the longest incident or no lane is long enough.
    """
    slot_s = (window_s[1] - window_s[0]) // draw.count
    if slot_s <= draw.most_s:
        raise ScenarioError(
            f"incidents: expected slots over {draw.most_s} s, found {slot_s} s for each of {draw.count}"
        )
    places = [place for place in _places(network, site).values() if _stall_route(network, place)]
    if not places:
        raise ScenarioError(
            f"{network.path}: expected a lane of over {2 * ENDS_M:g} m before a signal, found none"
        )
    rng = np.random.default_rng([seed, 11])
    return tuple(
        _draw_one(network, places, draw, window_s[0] + slot * slot_s, slot_s, slot, rng)
        for slot in range(draw.count)
    )


def _draw_one(
    network: Network,
    places: Sequence[_Place],
    draw: IncidentDraw,
    slot_start_s: int,
    slot_s: int,
    number: int,
    rng: np.random.Generator,
) -> Incident:
    weights = np.array([place.length_m - 2 * ENDS_M for place in places])
    place = places[int(rng.choice(len(places), p=weights / weights.sum()))]
    duration_s = int(rng.integers(draw.least_s, draw.most_s + 1))
    start_s = slot_start_s + int(rng.integers(0, slot_s - duration_s + 1) // 2)
    position_m = round(float(rng.uniform(ENDS_M, place.length_m - ENDS_M)), 1)
    kind = draw.kinds[int(rng.integers(len(draw.kinds)))]
    if kind is IncidentKind.SURGE:
        entry = place.edge if not _feeders(network, place.edge) else ""
        end_s = start_s + duration_s
        return Incident(str(number), kind, "", 0.0, start_s, end_s, entry, start_s, draw.surge_factor)
    if kind is IncidentKind.CLOSED and _can_be_closed(network, place):
        return Incident(str(number), kind, place.lane, 0.0, start_s, start_s + duration_s, "", start_s)
    route = _stall_route(network, place)
    way_m = position_m + sum(network.edges[edge].lanes[0].length_m for edge in route[:-2])
    depart_s = max(start_s - round(1.3 * way_m / place.speed_mps) - 5, slot_start_s)
    return Incident(
        str(number),
        IncidentKind.STALLED,
        place.lane,
        position_m,
        start_s,
        start_s + duration_s,
        " ".join(route),
        depart_s,
    )


def _places(network: Network, site: Site) -> dict[str, _Place]:
    """Lanes that lead to a signal, by id; one that feeds several is told for the nearest stop line."""
    numbers = {junction.id: junction.device_id for junction in site.junctions}
    above = {link.to_lane: numbers[link.from_junction] for link in site.links}
    found: dict[str, _Place] = {}
    for junction in site.junctions:
        for lane in junction.lanes:
            for reach in upstream_chain(network, network.lanes[lane.id]):
                here = reach.lane
                known = found.get(here.id)
                if known is not None and known.offset_m <= reach.offset_m:
                    continue
                found[here.id] = _Place(
                    here.id,
                    here.edge,
                    here.length_m,
                    here.speed_mps,
                    reach.offset_m,
                    junction.id,
                    junction.device_id,
                    lane.approach,
                    len([one for one in network.edges[here.edge].lanes if one.admits("passenger")]),
                    above.get(lane.id),
                )
    return found


def _feeders(network: Network, edge: str) -> list[Connection]:
    return [
        connection
        for lane in network.edges[edge].lanes
        for connection in network.incoming.get(lane.id, [])
        if not connection.source.startswith(":") and connection.direction != "t"
    ]


def _can_be_closed(network: Network, place: _Place) -> bool:
    """Whether the other lanes lead wherever this one does, and whoever comes onto it may come onto them."""
    lanes = [lane.id for lane in network.edges[place.edge].lanes if lane.admits("passenger")]
    others = [lane for lane in lanes if lane != place.lane]
    return (
        bool(_feeders(network, place.edge))
        and _targets(network, [place.lane]) <= _targets(network, others)
        and _sources(network, [place.lane]) <= _sources(network, others)
    )


def _targets(network: Network, lanes: Sequence[str]) -> set[str]:
    return {c.target for lane in lanes for c in network.outgoing.get(lane, [])}


def _sources(network: Network, lanes: Sequence[str]) -> set[str]:
    return {
        c.source for lane in lanes for c in network.incoming.get(lane, []) if not c.source.startswith(":")
    }


def _stall_route(network: Network, place: _Place) -> tuple[str, ...]:
    """Edges before, of and behind the place; empty where no car may stop there or it leads nowhere."""
    lane = network.lanes[place.lane]
    if lane.length_m <= 2 * ENDS_M or not lane.admits("passenger"):
        return ()
    leads = [c for c in network.outgoing.get(lane.id, []) if c.direction != "t"]
    if not leads:
        return ()
    onward = min(leads, key=lambda c: (c.direction != "s", c.target))
    before = sorted(_feeders(network, place.edge), key=lambda c: (c.direction != "s", c.source))
    return (*(c.source for c in before[:1]), place.edge, onward.target)


def stop_arguments(folder: Path) -> list[str]:
    """SUMO's options that record when vehicles stood."""
    return ["--stop-output", str(folder / STOP_FILE), "--stop-output.write-unfinished"]


def read_truth(
    network: Network, site: Site, incidents: Iterable[Incident], folder: Path, begin_s: int, end_s: int
) -> list[dict[str, Any]]:
    """One row per incident with incident_id, kind, lane, place and times, by start; a vehicle that never came to
    its stop has none.

    Times are seconds since the start of the run: of a stalled vehicle, when SUMO says that it stood.
    """
    stood = _stood(folder / STOP_FILE)
    places = _places(network, site)
    rows = []
    for incident in incidents:
        planned = (float(incident.start_s), float(incident.end_s))
        span = stood.get(incident.id) if incident.kind is IncidentKind.STALLED else planned
        if span is not None and span[0] >= 0.0:
            until_s = min(span[1], end_s) if span[1] >= 0.0 else end_s
            place = places.get(incident.lane)
            rows.append(_truth_row(incident, place, span[0] - begin_s, until_s - begin_s))
    return sorted(rows, key=lambda row: float(row["start_s"]))


def _truth_row(incident: Incident, place: _Place | None, start_s: float, end_s: float) -> dict[str, Any]:
    row: dict[str, Any] = {
        "incident_id": incident.id,
        "kind": str(incident.kind),
        "lane": incident.lane,
        "start_s": start_s,
        "end_s": end_s,
    }
    if place is None:
        return row | dict.fromkeys(
            ("device_id", "upstream_device_id", "junction", "approach", "distance_m", "lanes")
        )
    standing_m = place.length_m if incident.kind is IncidentKind.CLOSED else incident.position_m
    return row | {
        "device_id": place.device_id,
        "upstream_device_id": place.upstream,
        "junction": place.junction,
        "approach": place.approach,
        "distance_m": round(place.offset_m + place.length_m - standing_m, 1),
        "lanes": place.lanes,
    }


def check_places(network: Network, incidents: Iterable[Incident]) -> None:
    """Raises ScenarioError for an incident on a lane or a road that the network lacks."""
    for incident in incidents:
        roads = incident.route.split()
        if incident.kind is not IncidentKind.SURGE and incident.lane not in network.lanes:
            raise ScenarioError(
                f"incident {incident.id}: expected a lane of the network, found {incident.lane or 'none'}"
            )
        for road in roads:
            if road not in network.edges:
                raise ScenarioError(f"incident {incident.id}: expected edges of the network, found {road}")


def _stood(path: Path) -> dict[str, tuple[float, float]]:
    """Start and end of the stop of every stalled vehicle, s; the end is negative where it lasted."""
    found: dict[str, tuple[float, float]] = {}

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "stopinfo" and attributes["id"].startswith(STALLED_PREFIX):
            name = attributes["id"].removeprefix(STALLED_PREFIX)
            found[name] = (float(attributes["started"]), float(attributes["ended"]))

    scan_output(path, on_start)
    return found
