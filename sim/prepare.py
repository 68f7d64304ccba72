"""From a specification to everything that a run needs: scenario, demand, network, model, files for SUMO."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from greensplit.controllers.catalogue import DEFAULT, Entry, find
from greensplit.controllers.profile import Profile, apply_profile, profile_for
from greensplit.engine.errors import InputError, NetworkError
from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.site import Junction, Site
from greensplit.engine.model.toml import read_site
from greensplit.engine.model.validate import check
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.demand import read_demand, resample, scheduled_rows, with_demand
from greensplit.scenarios.incidents import Incident, IncidentKind, read_incidents, with_incidents, with_surges
from greensplit.scenarios.user import from_files

from .additional import corridor_arguments, write_links, write_loops, write_programs
from .dead_loops import pick_dead
from .derive.light import collect_lights
from .derive.site import derive_site
from .geometry import Corridor, find_corridor
from .incidents import check_places, stop_arguments
from .network import Network, read_network
from .own_loops import own_detectors
from .programs import with_programs
from .record import write_csv
from .retimed import retimed_site
from .spec import RunSpec
from .sumo import RULES

__all__ = ["Prepared", "load_scenario", "load_site", "prepare"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to start; ``arguments`` are SUMO's, files lie in ``folder``."""

    spec: RunSpec
    scenario: Scenario
    entry: Entry
    profile: Profile
    vision: str
    network: Network
    site: Site
    corridor: Corridor | None
    detector_ids: list[str]
    dead_ids: frozenset[str]
    incidents: tuple[Incident, ...]
    folder: Path
    arguments: list[str]


def load_scenario(spec: RunSpec) -> Scenario:
    """The scenario of a specification, its window narrowed where the specification says so."""
    if spec.net is not None:
        scenario = from_files(
            spec.net,
            spec.routes,
            spec.additional,
            begin_s=spec.begin_s or 0,
            end_s=spec.end_s,
        )
    else:
        scenario = load(
            spec.scenario,
            cache_dir=cache_home(os.environ) / "scenarios",
            seed=spec.seed,
            params=dict(spec.params),
        )
    begin_s = scenario.begin_s if spec.begin_s is None else spec.begin_s
    end_s = scenario.end_s if spec.end_s is None else spec.end_s
    if not begin_s < end_s:
        raise InputError(f"window: expected begin before end, found {begin_s} to {end_s} s")
    if spec.warmup_s >= end_s - begin_s:
        raise InputError(
            f"warmup: expected less than the window of {end_s - begin_s} s, found {spec.warmup_s}"
        )
    return replace(scenario, begin_s=begin_s, end_s=end_s)


def load_site(spec: RunSpec, scenario: Scenario, network: Network) -> Site:
    """The derived model, or the edited copy that the user gave; then the user's own loops in place of ours."""
    site = derive_site(network, scenario.name, spec.loops)
    if spec.model is not None:
        edited = read_site(spec.model)
        check(edited)
        _must_fit(edited, site, network, spec.model)
        site = edited
    return own_detectors(site, network, spec.detectors) if spec.detectors is not None else site


def _must_fit(edited: Site, derived: Site, network: Network, path: Path) -> None:
    """The edited model must be about this network's lights and lanes."""
    lamps = {junction.id: len(junction.idle_lamps) for junction in derived.junctions}
    for junction in edited.junctions:
        if lamps.get(junction.id) != len(junction.idle_lamps):
            raise NetworkError(
                f"{path}: junction {junction.id}: expected {lamps.get(junction.id, 'no')} lamps as in the network, "
                f"found {len(junction.idle_lamps)}"
            )
        _must_know_lanes(junction, network, path)
    for link in edited.links:
        if link.to_lane not in network.lanes:
            raise NetworkError(
                f"{path}: link from {link.from_junction}: expected a lane of the network, found {link.to_lane}"
            )


def _must_know_lanes(junction: Junction, network: Network, path: Path) -> None:
    named = [(f"detector {detector.id}", detector.lane) for detector in junction.detectors]
    named += [("approach", lane.id) for lane in junction.lanes]
    for what, lane in named:
        if lane not in network.lanes:
            raise NetworkError(
                f"{path}: junction {junction.id}: {what}: expected a lane of the network, found {lane}"
            )


def prepare(spec: RunSpec, folder: Path) -> Prepared:
    """Check the specification, load everything, write SUMO's extra files and the list of scheduled vehicles."""
    spec.check()
    entry = find(spec.controller or DEFAULT)
    vision = spec.vision or entry.vision
    if vision != entry.vision and not entry.sees_either:
        raise InputError(f"vision: {entry.name} works with {entry.vision}, found {vision}")
    scenario = load_scenario(spec)
    profile = profile_for(spec.profile, scenario.name)
    network = read_network(scenario.net_file, scenario.additional_files)
    site = apply_profile(load_site(spec, scenario, network), profile)
    if entry.retimes:
        site = retimed_site(spec, scenario, network, site)
    incidents = () if spec.incidents is None else read_incidents(spec.incidents)
    check_places(network, incidents)
    scenario = with_incidents(_schedule(spec, scenario, incidents, folder), incidents, folder)
    corridor = find_corridor(network, site)
    detector_ids, arguments = _write_files(scenario, spec, entry, network, site, corridor, folder)
    return Prepared(
        spec=spec,
        scenario=scenario,
        entry=entry,
        profile=profile,
        vision=vision,
        network=network,
        site=site,
        corridor=corridor,
        detector_ids=detector_ids,
        dead_ids=pick_dead(detector_ids, spec.dead_share, spec.seed, spec.dead_loops),
        incidents=incidents,
        folder=folder,
        arguments=arguments,
    )


def _schedule(spec: RunSpec, scenario: Scenario, incidents: tuple[Incident, ...], folder: Path) -> Scenario:
    """The scenario with the demand of this run; the list of its vehicles is written before anything runs."""
    demand = read_demand(scenario, seed=spec.seed)
    must_be_written = demand.must_be_written
    if spec.demand_seed is not None or spec.scale != 1.0:
        demand = resample(demand, demand_seed=spec.demand_seed or 0, scale=spec.scale)
        must_be_written = True
    if any(incident.kind is IncidentKind.SURGE for incident in incidents):
        demand = with_surges(demand, incidents, spec.seed)
        must_be_written = True
    if must_be_written:
        scenario = with_demand(scenario, demand, folder)
    names = ("vehicle_id", "kind", "depart_s", "public_transport")
    rows = ((name, kind, due_s, str(public).lower()) for name, kind, due_s, public in scheduled_rows(demand))
    write_csv(folder / "scheduled.csv", names, rows)
    return scenario


def _write_files(
    scenario: Scenario,
    spec: RunSpec,
    entry: Entry,
    network: Network,
    site: Site,
    corridor: Corridor | None,
    folder: Path,
) -> tuple[list[str], list[str]]:
    """Loops, measures and programs for SUMO; the detectors' ids and SUMO's arguments."""
    detector_ids = write_loops(site, folder / "loops.add.xml")
    write_links(folder / "links.add.xml", folder / "links.xml")
    extra = [folder / "loops.add.xml", folder / "links.add.xml"]
    lights = collect_lights(network)
    net_file = with_programs(network, lights, site, folder / "complete.net.xml")
    if net_file != network.path:
        lights = collect_lights(read_network(net_file, scenario.additional_files))
    if entry.program not in ("", "deployed"):
        write_programs(lights, entry.program, folder / "programs.add.xml")
        extra.append(folder / "programs.add.xml")
    arguments = ["--net-file", str(net_file)]
    if scenario.route_files:
        arguments += ["--route-files", ",".join(map(str, scenario.route_files))]
    arguments += ["--additional-files", ",".join(map(str, (*scenario.additional_files, *extra)))]
    arguments += ["--begin", str(scenario.begin_s), "--end", str(scenario.end_s), "--seed", str(spec.seed)]
    arguments += [*RULES, *_outputs(folder), *(stop_arguments(folder) if spec.incidents else ())]
    if corridor is not None:
        arguments += corridor_arguments(corridor, folder, scenario.begin_s, scenario.end_s)
    return detector_ids, arguments


def _outputs(folder: Path) -> list[str]:
    return [
        "--tripinfo-output",
        str(folder / "tripinfo.xml"),
        "--tripinfo-output.write-unfinished",
        "--tripinfo-output.write-undeparted",
        "--device.emissions.probability",
        "1",
        "--collision-output",
        str(folder / "collisions.xml"),
    ]
