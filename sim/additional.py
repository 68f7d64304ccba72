"""Files that greensplit adds to a simulation: its loops, SUMO's own controllers, the measurement of links."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from greensplit.engine.model.site import Detector, Site
from greensplit.scenarios.xmlio import write_document

from .derive.light import Light, is_stage_state
from .geometry import Corridor
from .network import Program

__all__ = [
    "LINK_PERIOD_S",
    "TRAJECTORY_WINDOW_S",
    "corridor_arguments",
    "write_links",
    "write_loops",
    "write_programs",
]

LINK_PERIOD_S = 60
MIN_GREEN_S = "5"
MAX_GREEN_S = "50"
TRAJECTORY_WINDOW_S = 900
TRAJECTORY_PERIOD_S = 2
LINK_ATTRIBUTES = "timeLoss waitingTime entered sampledSeconds speed"


def write_loops(site: Site, path: Path) -> list[str]:
    """Write every detector of the site as an induction loop; their ids, in the order of the compiled tables."""
    detectors = [detector for junction in site.junctions for detector in junction.detectors]
    write_document(path, "additional", (_loop(detector) for detector in detectors))
    return [detector.id for detector in detectors]


def _loop(detector: Detector) -> Element:
    return Element(
        "inductionLoop",
        {
            "id": detector.id,
            "lane": detector.lane,
            "pos": f"{detector.position_m:.2f}",
            "length": f"{detector.length_m:.2f}",
            "friendlyPos": "true",
            "period": "1000000",
            "file": "NUL",
        },
    )


def write_programs(lights: Iterable[Light], kind: str, path: Path) -> None:
    """Write each light's deployed program as SUMO's own controller of that kind (``actuated``, ``delay_based``).

    Stages get 5 to 50 s, changes keep their times.
    """
    elements = [_adaptive(light, kind) for light in lights if light.programs]
    write_document(path, "additional", elements)


def _adaptive(light: Light, kind: str) -> Element:
    program: Program = light.programs[-1]
    logic = Element(
        "tlLogic", {"id": light.id, "type": kind, "programID": f"greensplit-{kind}", "offset": "0"}
    )
    for phase in program.phases:
        attributes = {"duration": f"{phase.duration_ms / 1000:g}", "state": phase.state}
        if is_stage_state(phase.state, light.columns):
            attributes |= {"minDur": MIN_GREEN_S, "maxDur": MAX_GREEN_S}
        SubElement(logic, "phase", attributes)
    return logic


def write_links(path: Path, output: Path) -> None:
    """Write the request for per-minute measures of every edge, into ``output``."""
    data = Element(
        "edgeData",
        {
            "id": "greensplit-links",
            "file": str(output.resolve()),
            "period": str(LINK_PERIOD_S),
            "excludeEmpty": "true",
            "writeAttributes": LINK_ATTRIBUTES,
        },
    )
    write_document(path, "additional", [data])


def corridor_arguments(corridor: Corridor, folder: Path, begin_s: int, end_s: int) -> list[str]:
    """SUMO options that record the corridor; writes the list of its edges into ``folder``."""
    edges = folder / "corridor-edges.txt"
    edges.write_text("".join(f"edge:{edge}\n" for edge in corridor["edges"]), encoding="utf-8")
    start_s = max(begin_s, end_s - TRAJECTORY_WINDOW_S)
    return [
        "--fcd-output",
        str(folder / "fcd.xml"),
        "--fcd-output.attributes",
        "lane,pos",
        "--fcd-output.skip-empty",
        "--fcd-output.filter-edges.input-file",
        str(edges),
        "--device.fcd.begin",
        str(start_s),
        "--device.fcd.period",
        str(TRAJECTORY_PERIOD_S),
    ]
