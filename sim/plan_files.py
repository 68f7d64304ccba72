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
    programs: list[Element] = []
    joined: list[bool] = []
    for junction in site.junctions:
        plans = [plan for name in names for plan in junction.plans if plan.name == name]
        joint_s = _joint_s(plans)
        joined.append(joint_s is not None)
        programs += [_program(site, junction, plan, joint_s) for plan in plans]
    write_document(path, "additional", [*programs, *_timetable(site.junctions, joined, day_plan)])


def _program(site: Site, junction: Junction, plan: Plan, joint_s: int | None) -> Element:
    attributes = {"id": junction.id, "type": "static", "programID": plan.name}
    logic = Element("tlLogic", attributes | {"offset": f"{plan.offset_ms / 1000:g}"})
    shown = (state_string(junction, aspects) for aspects in plan_aspects(site, junction, plan))
    for state, seconds in groupby(shown):
        SubElement(logic, "phase", {"duration": f"{TICK_S * len(list(seconds))}", "state": state})
    if joint_s is not None:
        SubElement(logic, "param", {"key": "GSP", "value": str(joint_s)})
    return logic


def _joint_s(plans: Sequence[Plan]) -> int | None:
    """A second of the cycle, late in the hold of the first stage, at which all plans of a junction show the same."""
    if len({plan.steps[0].stage for plan in plans}) > 1:
        return None
    return min(plan.steps[0].green_ms for plan in plans) // 1000 - 1


def _timetable(junctions: Sequence[Junction], joined: Sequence[bool], day_plan: DayPlan) -> Iterator[Element]:
    """SUMO's WAUT. A junction changes at its next good point, and then stretches its greens to the new offset."""
    if len(day_plan) < 2:
        return
    waut = Element("WAUT", {"id": "greensplit-day", "refTime": "0", "startProg": day_plan[0][1]})
    for start_s, name in day_plan[1:]:
        SubElement(waut, "wautSwitch", {"time": str(start_s), "to": name})
    yield waut
    for junction, is_joined in zip(junctions, joined, strict=True):
        switch = {"procedure": "GSP", "synchron": "true"} if is_joined else {}
        yield Element("wautJunction", {"wautID": "greensplit-day", "junctionID": junction.id} | switch)
