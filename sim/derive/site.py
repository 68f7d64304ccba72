"""Assembles the model of a network: every light becomes a junction, every way from one to the next a link."""

from __future__ import annotations

from greensplit.engine.errors import NetworkError
from greensplit.engine.model.site import ApproachLane, GroupKind, Junction, Link, SignalGroup, Site
from greensplit.engine.model.validate import check

from ..network import Network
from .fit import fit_plans
from .groups import Bundle, approach_name, bundle_lamps
from .light import Light, collect_lights
from .links import derive_links
from .loops import LoopPositions, place_detectors, upstream_chain
from .meetings import relate
from .numbering import Number, number_groups
from .stages import derive_plans, derive_stages
from .timing import Timing, derive_timing

__all__ = ["derive_site"]


def derive_site(network: Network, name: str, positions: LoopPositions | None = None) -> Site:
    """The model of a network, with automatically placed loops.

    Raises NetworkError when the network has no traffic light, ModelError when what was found cannot be controlled.
    """
    lights = collect_lights(network)
    if not lights:
        raise NetworkError(f"{network.path}: expected at least one traffic light, found none")
    assumptions: list[str] = []
    junctions: list[Junction] = []
    for light in lights:
        bundles = bundle_lamps(light)
        if any(bundle.kind is not GroupKind.PEDESTRIAN for bundle in bundles):
            junctions.append(
                _junction(
                    network, light, bundles, len(junctions) + 1, positions or LoopPositions(), assumptions
                )
            )
        else:
            assumptions.append(f"light {light.id} controls no vehicles: left to its own program")
    links: tuple[Link, ...] = derive_links(network, tuple(junctions), lights)
    site = Site(name, tuple(junctions), links, assumptions=tuple(assumptions))
    check(site)
    return site


def _junction(
    network: Network,
    light: Light,
    bundles: tuple[Bundle, ...],
    device_id: int,
    positions: LoopPositions,
    assumptions: list[str],
) -> Junction:
    relations = relate(light, bundles)
    timing = derive_timing(light, bundles, relations)
    stages, stage_notes = derive_stages(light, bundles, relations)
    plans = derive_plans(light, bundles, stages)
    numbers, number_notes = number_groups(network, bundles, stages, plans)
    lanes = _lanes(network, bundles)
    detectors, loop_notes = place_detectors(network, device_id, lanes, bundles, positions)
    nodes = {way.node.id: way.node for ways in light.ways for way in ways}.values()
    junction = Junction(
        id=light.id,
        device_id=device_id,
        x_m=round(sum(node.x for node in nodes) / len(nodes), 2),
        y_m=round(sum(node.y for node in nodes) / len(nodes), 2),
        idle_lamps=_idle_lamps(light, bundles),
        groups=_groups(bundles, timing, numbers),
        meetings=timing.meetings,
        stages=stages,
        plans=plans,
        lanes=lanes,
        detectors=detectors,
    )
    fitted, plan_notes = fit_plans(junction)
    notes = [
        *_program_notes(light),
        *timing.assumptions,
        *stage_notes,
        *plan_notes,
        *number_notes,
        *loop_notes,
    ]
    assumptions += [f"junction {light.id}: {note}" for note in notes]
    return fitted


def _groups(
    bundles: tuple[Bundle, ...], timing: Timing, numbers: dict[int, Number]
) -> tuple[SignalGroup, ...]:
    return tuple(
        SignalGroup(
            b.number,
            b.name,
            b.kind,
            b.lamps,
            sequence,
            min_green_ms,
            b.turn_on_red,
            phase=numbers[b.number].phase,
            overlap=numbers[b.number].overlap,
            parents=numbers[b.number].parents,
        )
        for b, sequence, min_green_ms in zip(bundles, timing.sequences, timing.min_green_ms, strict=True)
    )


def _program_notes(light: Light) -> list[str]:
    if not light.programs:
        return ["no program in the network: stages are the maximal compatible sets, times are defaults"]
    if len(light.programs) > 1:
        return [f"{len(light.programs)} programs: {light.programs[-1].id}, loaded last, is the deployed one"]
    return []


def _idle_lamps(light: Light, bundles: tuple[Bundle, ...]) -> str:
    grouped = {lamp for bundle in bundles for lamp in bundle.lamps}
    shown = light.programs[-1].phases[0].state if light.programs else "O" * light.lamps
    return "".join("." if lamp in grouped else shown[lamp] for lamp in range(light.lamps))


def _lanes(network: Network, bundles: tuple[Bundle, ...]) -> tuple[ApproachLane, ...]:
    """Lanes that end at the stop lines, with the groups that serve them."""
    served: dict[str, set[int]] = {}
    names: dict[str, str] = {}
    for bundle in bundles:
        if bundle.kind is GroupKind.PEDESTRIAN:
            continue
        for way in bundle.ways:
            served.setdefault(way.lane.id, set()).add(bundle.number)
            names[way.lane.id] = f"from {approach_name(way)} ({way.connection.source})"
    lanes = []
    for lane_id, groups in sorted(served.items()):
        lane = network.lanes[lane_id]
        last = upstream_chain(network, lane)[-1]
        storage_m = round(last.offset_m + last.lane.length_m, 2)
        lanes.append(ApproachLane(lane_id, names[lane_id], tuple(sorted(groups)), storage_m, lane.speed_mps))
    return tuple(lanes)
