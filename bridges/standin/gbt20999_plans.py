"""A stand-in's timing plans as rows of class 9, and rows that a host sets as its plans.

Only junctions without rings: a chain of stages cannot say what two rings do at once. The coordination number is a place
in the chain. Stages that nobody calls are left out whatever their kind says: so does this controller with all plans.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from greensplit.bridges.gbt20999.catalogue import Value
from greensplit.bridges.gbt20999.errors import FrameError, ValueRefusedError
from greensplit.bridges.gbt20999.frame import Address
from greensplit.bridges.gbt20999.plans import PlanTable, plan_from, plan_values
from greensplit.engine.errors import ModelError
from greensplit.engine.model.rings import Rings
from greensplit.engine.model.site import Junction, Plan, PlanStep
from greensplit.engine.model.timetable import lay_out_plan

from .controller import StandIn

__all__ = ["StoredPlans"]

SECOND_MS: Final = 1000

Rows = dict[Address, Value]


class StoredPlans:
    """Plans of one stand-in by number: its model's until a host writes others."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        junction = stand_in.junction
        numbers = () if junction.rings else range(1, len(junction.plans) + 1)
        self._tables = {number: _table(junction, junction.plans[number - 1]) for number in numbers}

    def read(self, attribute: int, number: int) -> Value:
        """One attribute of 9.2. ValueRefusedError where there is none."""
        if number not in self._tables:
            raise ValueRefusedError(f"plan {number}: expected a plan of stages, found none")
        return plan_values(number, self._tables[number])[Address(9, 2, attribute, number)]

    def write(self, rows: Rows) -> None:
        """Take what a host sets, all of it or nothing. ValueRefusedError where a plan would not be one."""
        if not rows:
            return
        tables, plans = {}, {}
        for number in {address.element for address in rows}:
            if number not in self._tables:
                raise ValueRefusedError(f"plan {number}: expected a plan of stages, found none")
            held = plan_values(number, self._tables[number])
            try:
                tables[number] = plan_from(number, held | {a: v for a, v in rows.items() if a in held})
            except FrameError as err:
                raise ValueRefusedError(str(err)) from err
            plan_values(number, tables[number])  # refuses what is out of range
            plans[number] = _plan(self._stand_in.junction, number, tables[number])
        try:
            self._stand_in.store_plans(plans)
        except ModelError as err:
            raise ValueRefusedError(str(err)) from err
        self._tables |= tables


def _numbers(junction: Junction) -> list[int]:
    """Stage numbers by position in the order of service."""
    numbers = {stage.name: number for number, stage in enumerate(junction.stages, 1)}
    return [numbers[step.name] for step in Rings(junction).rings[0].steps]


def _table(junction: Junction, plan: Plan) -> PlanTable:
    """The plan in whole seconds, from its coordinated stage on."""
    times, numbers = lay_out_plan(Rings(junction), plan), _numbers(junction)
    starts = sorted((start, numbers[k]) for k, start in enumerate(times.start_ms) if times.planned[k])
    edges_s = [round(start / SECOND_MS) for start, _ in starts] + [round(times.cycle_ms / SECOND_MS)]
    lengths_s = tuple(after - before for before, after in pairwise(edges_s))
    return PlanTable(tuple(number for _, number in starts), lengths_s, times.offset_ms // SECOND_MS)


def _plan(junction: Junction, number: int, table: PlanTable) -> Plan:
    """The plan of a table, whose stages are in the order of service, whichever comes first."""
    numbers, own = _numbers(junction), Rings(junction)
    order = [numbers.index(stage) for stage in table.stages if stage in numbers]
    falls = sum(after <= before for before, after in pairwise([*order, order[0]])) if order else 0
    if len(order) < len(table.stages) or falls > 1 or table.coordinated > len(order):
        raise ValueRefusedError(
            f"plan {number}: expected stages in the order {numbers}, found {table.stages}"
        )
    steps = []
    for k, after, time_s in zip(order, order[1:] + order[:1], table.times_s, strict=True):
        name, change_ms = (
            junction.stages[numbers[k] - 1].name,
            own.change(own.groups[0][k], own.groups[0][after]),
        )
        green_ms = SECOND_MS * time_s - change_ms
        if green_ms <= 0:
            raise ValueRefusedError(f"plan {number}: {name}: expected over {change_ms} ms, found {time_s} s")
        steps.append(PlanStep(name, green_ms))
    coordinated = steps[table.coordinated - 1].stage
    known = junction.plans[number - 1].name
    return Plan(known, SECOND_MS * table.cycle_s, SECOND_MS * table.offset_s, tuple(steps), coordinated)
