"""Programs for lights without one in the network file: SUMO does not load them so, and falls back to a program."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from greensplit.engine.errors import NetworkError
from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Junction, Site
from greensplit.scenarios.xmlio import write_atomically

from .derive.light import Light
from .network import Network
from .port import state_string

__all__ = ["with_programs"]

_FIRST_ELEMENT = re.compile(rb"<!--.*?-->|<(?:location|type|edge|junction)\b", re.DOTALL)
GREEN_MS = 20_000
TICK_MS = 1000


def with_programs(network: Network, lights: Iterable[Light], site: Site, path: Path) -> Path:
    """The network's own file, or ``path``: a copy in which every light has a program.

    Where the network file has none, a junction gets a fixed program through stages that together serve every group,
    20 s green each, the changes made by the signal machine; a light that the site leaves out is switched off. Programs
    in additional files come after those and so are the ones that SUMO runs.
    """
    junctions = {junction.id: junction for junction in site.junctions}
    bare = [light for light in lights if light.id not in network.programmed]
    if not bare:
        return network.path
    elements = [
        _program(light.id, _states(site, junctions[light.id]) if light.id in junctions else _off(light))
        for light in bare
    ]
    write_atomically(path, _inserted(network.path, b"".join(tostring(element) for element in elements)))
    return path


def _inserted(path: Path, text: bytes) -> Iterable[bytes]:
    """The network file with ``text`` before its first element: programs must precede the connections they control."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for match in _FIRST_ELEMENT.finditer(content):
        if not match.group().startswith(b"<!--"):
            return content[: match.start()], text, content[match.start() :]
    raise NetworkError(f"{path}: expected a network in an encoding that extends ASCII, found another")


def _off(light: Light) -> list[tuple[str, int]]:
    return [("O" * light.lamps, GREEN_MS)]


def _program(light: str, states: list[tuple[str, int]]) -> Element:
    logic = Element("tlLogic", {"id": light, "type": "static", "programID": "greensplit-plan", "offset": "0"})
    for state, ms in states:
        SubElement(logic, "phase", {"duration": f"{ms / 1000:g}", "state": state})
    return logic


def _cover(junction: Junction) -> list[int]:
    """Stages that together serve every group, the one with most unserved groups first."""
    unserved = {group.number for group in junction.groups}
    chosen: list[int] = []
    while unserved:
        best = max(range(len(junction.stages)), key=lambda s: len(unserved & set(junction.stages[s].green)))
        chosen.append(best)
        unserved -= set(junction.stages[best].green)
    return chosen


def _states(site: Site, junction: Junction) -> list[tuple[str, int]]:
    """Lamp states and their times, ms, of one cycle, from the first stage in full to the end of the change back to it.

    The machine runs the first stage, all others and the first again; what came before the end of its first showing is
    the machine's start and no part of the cycle.
    """
    alone = replace(site, junctions=(junction,), links=())
    signals = compile_signals(alone)
    machine = new_machine(signals)
    withheld, urgent = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    shown: list[str] = []
    cover = _cover(junction)
    now_ms = 0
    for stage in (*cover, cover[0]):
        reached = False
        while not reached or now_ms - machine.since_ms[0] < GREEN_MS:
            advance_machine(signals, machine, np.array([stage], np.int32), withheld, urgent, now_ms)
            reached = bool(machine.settled[0]) and machine.stage[0] == stage
            shown.append(state_string(junction, machine.lamps.aspect))
            now_ms += TICK_MS
    runs = [(state, TICK_MS * len(list(ticks))) for state, ticks in groupby(shown)]
    first = next(i for i, (_, ms) in enumerate(runs) if ms >= GREEN_MS)
    return [runs[-1], *runs[first + 1 : -1]]
