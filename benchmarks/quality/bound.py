"""A bound that no signal timing can beat: every link green all the time, and nobody heeds anybody who crosses.

What remains of the delay is geometry, speed limits and car-following, for the same vehicles and the same seed.
Switching the signals off would be no bound: vehicles yield then. Where a network stands still even so, at places
without signals, the run says nothing about signals and is no bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from greensplit.scenarios.tools import run_tool
from greensplit.scenarios.xmlio import scan, top_level, write_document
from greensplit.sim.derive.light import collect_lights
from greensplit.sim.network import read_network
from greensplit.sim.prepare import Prepared, prepare
from greensplit.sim.record import Record, versions
from greensplit.sim.run import Progress
from greensplit.sim.spec import RunSpec

from .measure import CONFLICT_FREE

__all__ = ["simulate_conflict_free"]

HEEDLESS = {"jmIgnoreFoeProb": "1", "jmIgnoreFoeSpeed": "1000", "jmIgnoreJunctionFoeProb": "1"}
DEFAULT_TYPE = "DEFAULT_VEHTYPE"


def simulate_conflict_free(spec: RunSpec, folder: Path, progress: Progress) -> Record:
    """Run the traffic of a specification without conflicts, whatever controller it names; a ``sim.run.Simulate``.

    Rewritten vehicle types and programs lie in ``folder`` only. Raises what ``prepare`` raises, and SimulatorError.
    """
    prepared = prepare(replace(spec, controller="fixed", vision=""), folder)
    run_tool("sumo", _arguments(prepared))
    progress(1.0)
    scenario = prepared.scenario
    return Record(
        manifest={
            "scenario": scenario.name,
            "controller": CONFLICT_FREE,
            "vision": "",
            "profile": spec.profile,
            "seed": spec.seed,
            "demand_seed": spec.demand_seed,
            "scale": spec.scale,
            "begin_s": scenario.begin_s,
            "end_s": scenario.end_s,
            "partial": False,
            "versions": versions(),
        },
        figures={},
        corridor=None,
        emission_classes={},
        measured_from_s=scenario.begin_s + spec.warmup_s,
    )


def _arguments(prepared: Prepared) -> list[str]:
    """SUMO's arguments with heedless types, green programs, and collisions that nobody looks for."""
    arguments = [part for part in prepared.arguments if part != "--collision.check-junctions"]
    arguments[arguments.index("--collision.action") + 1] = "none"
    types: set[str] = set()
    for option in ("--route-files", "--additional-files"):
        if option in arguments:
            place = arguments.index(option) + 1
            files = [_heedless(Path(name), prepared.folder, types) for name in arguments[place].split(",")]
            arguments[place] = ",".join(map(str, files))
    green = prepared.folder / "green.add.xml"
    write_document(green, "additional", [*_default_type(types), *_green_programs(prepared)])
    arguments[arguments.index("--additional-files") + 1] += f",{green}"
    return arguments


def _heedless(path: Path, folder: Path, types: set[str]) -> Path:
    """The file, or a copy in which every vehicle type is heedless; ``types`` learns their names."""
    found: list[str] = []
    tags: list[str] = []

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        tags.append(tag)
        if tag == "vType":
            found.append(attributes["id"])

    scan(path, on_start)
    if not found:
        return path
    types.update(found)
    copy = folder / f"heedless-{path.name}"
    write_document(copy, tags[0], _rewritten(path))
    return copy


def _rewritten(path: Path) -> Iterator[Element]:
    for element in top_level(path):
        for kind in element.iter("vType"):
            kind.attrib.update(HEEDLESS)
        yield element


def _default_type(types: set[str]) -> list[Element]:
    """The type of vehicles that name none, unless a file has defined it."""
    return [] if DEFAULT_TYPE in types else [Element("vType", {"id": DEFAULT_TYPE, **HEEDLESS})]


def _green_programs(prepared: Prepared) -> Iterator[Element]:
    network = read_network(prepared.scenario.net_file, prepared.scenario.additional_files)
    for light in collect_lights(network):
        logic = Element(
            "tlLogic", {"id": light.id, "type": "static", "programID": CONFLICT_FREE, "offset": "0"}
        )
        SubElement(logic, "phase", {"duration": "1000", "state": "G" * light.lamps})
        yield logic
