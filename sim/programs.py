"""Programs for lights that have none in the network, so that SUMO can run them and fall back to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Junction, Site
from greensplit.scenarios.xmlio import write_document

from .derive.light import Light
from .port import state_string

__all__ = ["write_missing_programs"]

GREEN_MS = 20_000
TICK_MS = 1000


def write_missing_programs(lights: Iterable[Light], site: Site, path: Path) -> bool:
    """Write a fixed program for every junction without one; False, and no file, when there is none.

    Each runs through stages that together serve every group, 20 s green each, the changes made by the signal machine.
    """
    bare = {light.id for light in lights if not light.programs}
    junctions = [junction for junction in site.junctions if junction.id in bare]
    if junctions:
        write_document(path, "additional", [_program(site, junction) for junction in junctions])
    return bool(junctions)


def _program(site: Site, junction: Junction) -> Element:
    logic = Element(
        "tlLogic", {"id": junction.id, "type": "static", "programID": "greensplit-plan", "offset": "0"}
    )
    for state, ms in _states(site, junction):
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
    """Lamp states and their times, ms, from the first stage in full through all others back to it."""
    alone = replace(site, junctions=(junction,), links=())
    signals = compile_signals(alone)
    machine = new_machine(signals)
    runs: list[tuple[str, int]] = []
    now_ms = 0
    for stage in (*_cover(junction), _cover(junction)[0]):
        reached = False
        while not reached or now_ms - machine.since_ms[0] < GREEN_MS:
            advance_machine(signals, machine, np.array([stage], np.int32), now_ms)
            reached = bool(machine.settled[0]) and machine.stage[0] == stage
            state = state_string(junction, machine.lamps.aspect)
            if runs and runs[-1][0] == state:
                runs[-1] = (state, runs[-1][1] + TICK_MS)
            else:
                runs.append((state, TICK_MS))
            now_ms += TICK_MS
    return _one_cycle(runs)


def _one_cycle(runs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Cut the second showing of the first stage; a junction with one stage shows that for ever."""
    first = runs[0][0]
    return runs if len(runs) == 1 or runs[-1][0] != first else runs[:-1]
