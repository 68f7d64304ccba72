"""Timing plans of a controller: read, and written with everything read back. Class 9 only.

A stage's time is from the start of its green to that of the next stage: it holds the change between the two. All of a
plan goes in one frame. The plan in force is not touched: a controller may take over its half. Makers disagree on
whether ``coordinated`` is a stage's number or its place in the chain: it is sent as the engineer states it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from .catalogue import Value
from .errors import FrameError, RefusedError, ValueRefusedError
from .frame import Address
from .host import Host

__all__ = ["MOST_STAGES", "PlanTable", "plan_from", "plan_values", "read_plan", "write_plan"]

MOST_STAGES: Final = 16
MOST_PLANS: Final = 128
MOST_NUMBER: Final = 64
FIXED: Final = 0x10
ON_DEMAND: Final = 0x20
JUNCTION, CYCLE, COORDINATED, OFFSET, STAGES, TIMES, KINDS = range(2, 9)
"""Attributes of 9.2."""


class PlanTable(NamedTuple):
    """Stages in their order, numbered from 1, and their times; ``on_demand`` are those that may be left out."""

    stages: tuple[int, ...]
    times_s: tuple[int, ...]
    offset_s: int = 0
    coordinated: int = 1
    on_demand: frozenset[int] = frozenset()

    @property
    def cycle_s(self) -> int:
        """The sum of the times."""
        return sum(self.times_s)


def plan_values(number: int, plan: PlanTable, row: int = 1) -> dict[Address, Value]:
    """What to set for a plan of junction ``row``. ValueRefusedError where it is none."""
    _check(number, plan)
    rest = (0,) * (MOST_STAGES - len(plan.stages))
    kinds = tuple(ON_DEMAND if stage in plan.on_demand else FIXED for stage in plan.stages)
    columns: dict[int, Value] = {
        JUNCTION: row,
        CYCLE: plan.cycle_s,
        COORDINATED: plan.coordinated,
        OFFSET: plan.offset_s,
        STAGES: plan.stages + rest,
        TIMES: plan.times_s + rest,
        KINDS: kinds + rest,
    }
    return {Address(9, 2, attribute, number): value for attribute, value in columns.items()}


def _check(number: int, plan: PlanTable) -> None:
    wrong = (
        (not 1 <= number <= MOST_PLANS, f"number: expected 1 to {MOST_PLANS}, found {number}"),
        (
            not 1 <= len(plan.stages) <= MOST_STAGES,
            f"expected 1 to {MOST_STAGES} stages, found {len(plan.stages)}",
        ),
        (
            len(plan.times_s) != len(plan.stages),
            f"expected {len(plan.stages)} times, found {len(plan.times_s)}",
        ),
        (
            any(not 1 <= stage <= MOST_NUMBER for stage in plan.stages),
            f"stages: expected 1 to {MOST_NUMBER}, found {plan.stages}",
        ),
        (any(time_s < 1 for time_s in plan.times_s), f"times: expected 1 s or more, found {plan.times_s}"),
        (
            not 0 <= plan.offset_s < max(plan.cycle_s, 1),
            f"offset: expected 0 to below {plan.cycle_s} s, found {plan.offset_s}",
        ),
        (
            not plan.on_demand <= set(plan.stages),
            f"on demand: expected stages of the plan, found {sorted(plan.on_demand)}",
        ),
    )
    for is_wrong, what in wrong:
        if is_wrong:
            raise ValueRefusedError(f"plan {number}: {what}")


def plan_from(number: int, values: Mapping[Address, Value]) -> PlanTable:
    """The plan in attributes 3 to 8 of 9.2. FrameError where they are no plan."""
    held = {address.attribute: value for address, value in values.items()}
    stages, times_s, kinds = (_places(held[attribute]) for attribute in (STAGES, TIMES, KINDS))
    used = next((i for i, stage in enumerate(stages) if stage == 0), len(stages))
    if any(stages[used:]) or any(times_s[used:]):
        raise FrameError(f"plan {number}: expected nothing behind its last stage, found {stages}, {times_s}")
    found = PlanTable(
        stages[:used],
        times_s[:used],
        _number(held[OFFSET]),
        _number(held[COORDINATED]),
        frozenset(stage for stage, kind in zip(stages[:used], kinds, strict=False) if kind == ON_DEMAND),
    )
    cycle_s = _number(held[CYCLE])
    if found.cycle_s != cycle_s:
        raise FrameError(f"plan {number}: expected stages of {cycle_s} s in all, found {found.cycle_s}")
    return found


def read_plan(host: Host, number: int) -> PlanTable:
    """A plan as the controller holds it. Raises the errors of ``Host.get``; FrameError where it is no plan."""
    return plan_from(
        number, host.get([Address(9, 2, attribute, number) for attribute in range(CYCLE, KINDS + 1)])
    )


def write_plan(host: Host, number: int, plan: PlanTable) -> None:
    """Put a plan into the controller and read it back. RefusedError where it runs, or is not what was written."""
    values = plan_values(number, plan, host.profile.row)
    running = host.number(13, 2, 3, host.profile.row)
    if running == number:
        raise RefusedError(f"plan {number}: expected one that does not run, found it in force")
    host.set_and_confirm(values)


def _places(value: Value) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else ()


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0
