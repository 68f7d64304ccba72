"""What was found in a network, in words and drawings."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from greensplit.engine.analytics.report.drawing import draw_junction, draw_network
from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.naming import shown_groups
from greensplit.engine.model.site import DetectorKind, Junction, MeetingKind, SignalGroup, Site
from greensplit.engine.model.toml import write_site
from greensplit.scenarios.catalogue import load

from .derive.light import Light, collect_lights
from .derive.site import derive_site
from .geometry import find_corridor, network_drawing
from .network import Network, read_network

__all__ = ["describe_site", "draw_site", "find_site"]


def find_site(
    scenario: str,
    net: Path | None,
    additional: tuple[Path, ...],
    params: tuple[tuple[str, str], ...],
) -> tuple[Network, Site]:
    """The network of a scenario, or a network file, and its derived model."""
    if net is not None:
        network = read_network(net, additional)
        return network, derive_site(network, net.name.split(".")[0])
    found = load(scenario, cache_dir=cache_home(os.environ) / "scenarios", params=dict(params))
    network = read_network(found.net_file, found.additional_files)
    return network, derive_site(network, found.name)


def describe_site(site: Site, only: str = "") -> str:
    """The model for a person: junctions with groups, stages, intergreens and loops, then the assumptions."""
    shown = [junction for junction in site.junctions if only in ("", junction.id)]
    head = f"{site.name}: {len(site.junctions)} junctions, {len(site.links)} links between them\n"
    notes = [note for note in site.assumptions if not only or note.startswith(f"junction {only}:")]
    lines = [line for junction in shown for line in _describe_junction(junction)]
    told = [f"  - {note}" for note in notes] or ["  - nothing"]
    return "\n".join([head, *lines, "What could not be derived, and was assumed:", *told]) + "\n"


def _describe_junction(junction: Junction) -> list[str]:
    kinds = Counter(detector.kind for detector in junction.detectors)
    loops = ", ".join(f"{kinds[kind]} {str(kind).replace('_', '-')}" for kind in DetectorKind if kinds[kind])
    phases = {group.number: group.phase for group in junction.groups}
    return [
        f"junction {junction.device_id}: {junction.id}",
        "  groups",
        *(
            f"    {g.number:3d}  {_nema(g, phases)}{g.kind}, {g.name}; lamps {', '.join(map(str, g.lamps))}; "
            f"{', '.join(f'{step.aspect} {step.ms / 1000:g} s' for step in g.sequence.stop)}; "
            f"minimum green {g.min_green_ms / 1000:g} s"
            for g in junction.groups
        ),
        "  stages (a group in brackets yields)",
        *(
            f"    {s.name:4s} {shown_groups(s)}" + ("" if s.deployed else "   derived")
            for s in junction.stages
        ),
        *_describe_meetings(junction),
        f"  loops: {loops or 'none'}",
        "",
    ]


def _nema(group: SignalGroup, phases: dict[int, int]) -> str:
    """Phase or overlap of a group, given the phases of all groups."""
    if group.overlap:
        parents = "+".join(str(phase) for phase in sorted(phases[parent] for parent in group.parents))
        return f"overlap {chr(ord('A') + group.overlap - 1)} ({parents}), "
    return f"phase {group.phase}, " if group.phase else ""


def _describe_meetings(junction: Junction) -> list[str]:
    by_kind = {
        kind: [m for m in junction.meetings if m.kind is kind]
        for kind in (MeetingKind.CONFLICT, MeetingKind.PERMISSIVE, MeetingKind.SHARED)
    }
    conflicts = by_kind[MeetingKind.CONFLICT]
    times = sorted({ms for m in junction.meetings for ms in (m.intergreen_ms, m.reverse_ms) if ms})
    lines = [
        f"  {len(conflicts)} conflicts: " + " ".join(f"{m.first}-{m.second}" for m in conflicts),
        "  intergreens: " + (", ".join(f"{ms / 1000:g} s" for ms in times) or "none"),
    ]
    if by_kind[MeetingKind.PERMISSIVE]:
        yields = " ".join(f"{m.first} to {m.second}" for m in by_kind[MeetingKind.PERMISSIVE])
        lines.append(f"  yields: {yields}")
    if by_kind[MeetingKind.SHARED]:
        pairs = " ".join(f"{m.first}-{m.second}" for m in by_kind[MeetingKind.SHARED])
        lines.append(f"  green together though they meet, as deployed: {pairs}")
    return lines


def draw_site(network: Network, site: Site, out: Path, only: str = "") -> list[Path]:
    """Draw the network and its junctions as SVG into ``out``, and write the model beside them."""
    lights = {light.id: light for light in collect_lights(network)}
    written = [out / "network.svg", out / "model.toml"]
    draw_network(network_drawing(network, site, find_corridor(network, site)), written[0])
    write_site(site, written[1])
    for junction in site.junctions:
        if only in ("", junction.id):
            path = out / f"junction-{junction.device_id}.svg"
            draw_junction(_junction_drawing(network, junction, lights[junction.id]), path)
            written.append(path)
    return written


def _junction_drawing(network: Network, junction: Junction, light: Light) -> dict[str, Any]:
    group_of = {lamp: group.number for group in junction.groups for lamp in group.lamps}
    lanes: dict[str, dict[str, Any]] = {}
    links, crossings = [], []
    for lamp, ways in enumerate(light.ways):
        for way in ways:
            target = network.edges[way.connection.target].lanes[way.connection.target_lane]
            if way.is_crossing:
                crossings.append({"shape": _points(target.shape), "group": group_of.get(lamp, 0)})
                continue
            for lane in (way.lane, target):
                lanes[lane.id] = {"id": lane.id, "shape": _points(lane.shape), "width_m": lane.width_m}
            via = network.lanes.get(way.connection.via)
            inner = via.shape if via is not None else ()
            shape = [way.lane.shape[-1], *inner, target.shape[0]] if way.lane.shape and target.shape else []
            links.append({"shape": _points(tuple(shape)), "group": group_of.get(lamp, 0)})
    return {
        "id": junction.id,
        "lanes": list(lanes.values()),
        "links": links,
        "crossings": crossings,
        "groups": [{"number": g.number, "name": g.name, "kind": str(g.kind)} for g in junction.groups],
        "stages": [
            {
                "name": stage.name if stage.deployed else f"{stage.name} (derived)",
                "states": [
                    "g" if g.number in stage.permissive else "G" if g.number in stage.green else "r"
                    for g in junction.groups
                ],
            }
            for stage in junction.stages
        ],
    }


def _points(shape: tuple[tuple[float, float], ...]) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in shape]
