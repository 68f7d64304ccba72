"""Timing plans as SUMO reads them: a program for each plan, and the times of day at which SUMO changes to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from greensplit.engine.model.site import Junction, Plan, Site
from greensplit.engine.plans.changes import TICK_S, plan_aspects
from greensplit.scenarios.xmlio import write_document

from .port import state_string

__all__ = ["write_plan_programs"]

DayPlan = Sequence[tuple[int, str]]


def write_plan_programs(site: Site, day_plan: DayPlan, path: Path) -> None:
    """Write the plans that ``day_plan``, (start of day time in s, plan name), names as a SUMO additional file.

    The lamps are those that the signal machine shows. Programs are in the order of the day, so SUMO, which runs the
    last, needs the WAUT that follows them where there are several. Raises ModelError where a plan cannot be shown.
    """
    names = list(dict.fromkeys(name for _, name in day_plan))
    programs = [
        _program(site, junction, plan)
        for junction in site.junctions
        for plan in sorted(junction.plans, key=lambda plan: plan.name)
        if plan.name in names
    ]
    write_document(path, "additional", [*programs, *_timetable(site, day_plan)])


def _program(site: Site, junction: Junction, plan: Plan) -> Element:
    attributes = {"id": junction.id, "type": "static", "programID": plan.name}
    logic = Element("tlLogic", attributes | {"offset": f"{_first_step_ms(site, junction, plan) / 1000:g}"})
    shown = (state_string(junction, aspects) for aspects in plan_aspects(site, junction, plan))
    for state, seconds in groupby(shown):
        SubElement(logic, "phase", {"duration": f"{TICK_S * len(list(seconds))}", "state": state})
    return logic


def _first_step_ms(site: Site, junction: Junction, plan: Plan) -> int:
    """When the first step begins within the cycle, where the offset is that of the coordinated step."""
    del site, junction
    return plan.offset_ms


def _timetable(site: Site, day_plan: DayPlan) -> Iterator[Element]:
    """SUMO's WAUT; a program that starts within a day's first part starts the day."""
    if len(day_plan) < 2:
        return
    waut = Element("WAUT", {"id": "greensplit-day", "refTime": "0", "startProg": day_plan[0][1]})
    for start_s, name in day_plan[1:]:
        SubElement(waut, "wautSwitch", {"time": str(start_s), "to": name})
    yield waut
    for junction in site.junctions:
        yield Element("wautJunction", {"wautID": "greensplit-day", "junctionID": junction.id})
