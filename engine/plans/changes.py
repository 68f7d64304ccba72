"""What the signal machine shows between two stages, and through a whole plan: planned times are the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..errors import ModelError
from ..kernels.machine import advance_machine
from ..kernels.state import new_machine
from ..model.compiled import compile_signals
from ..model.site import Junction, Plan, Site

__all__ = ["TICK_S", "StageMachine", "plan_aspects"]

U8 = npt.NDArray[np.uint8]
TICK_S = 1
LONG_S = 200
MAX_CHANGE_S = 300
ROUNDS = 3


class StageMachine:
    """The signal machine of one junction, run through stages second by second."""

    def __init__(self, site: Site, junction: Junction) -> None:
        self.junction = junction
        self._signals = compile_signals(replace(site, junctions=(junction,), links=()))
        self._changes: dict[tuple[int, int], U8] = {}

    def change(self, first: int, second: int) -> U8:
        """Aspects (T, G) from the end of stage ``first``, long held, until ``second`` shows in full."""
        key = (first, second)
        if key not in self._changes:
            self._changes[key] = self._run([first, second], [LONG_S, 0])[1][0]
        return self._changes[key]

    def cycle(self, stages: Sequence[int], hold_s: Sequence[int]) -> U8:
        """Aspects (C, G) of a cycle in its steady state, from the start of the first stage's hold."""
        visits = self._run(list(stages) * ROUNDS, list(hold_s) * ROUNDS)[-len(stages) :]
        holds = [hold for _, hold in visits]
        changes = [change for change, _ in visits]
        return np.vstack(
            [
                rows
                for hold, change in zip(holds, [*changes[1:], changes[0]], strict=True)
                for rows in (hold, change)
            ]
        )

    def _run(self, stages: Sequence[int], hold_s: Sequence[int]) -> list[tuple[U8, U8]]:
        """Of each visit of a stage: aspects of the change to it, and of its hold."""
        machine = new_machine(self._signals)
        request, withheld, urgent = np.zeros(1, np.int32), np.zeros(1, np.int64), np.zeros(1, np.uint8)
        visits: list[tuple[U8, U8]] = []
        now_ms = 0
        for stage, held_s in zip(stages, hold_s, strict=True):
            request[0] = stage
            rows: list[U8] = []
            changed_s = -1
            while changed_s < 0 or len(rows) < changed_s + held_s:
                advance_machine(self._signals, machine, request, withheld, urgent, now_ms)
                if changed_s < 0 and machine.settled[0] and machine.stage[0] == stage:
                    changed_s = len(rows)
                    if held_s == 0:
                        break
                if len(rows) > MAX_CHANGE_S + held_s:
                    raise ModelError(
                        f"junction {self.junction.id}: expected stage {self.junction.stages[stage].name} within "
                        f"{MAX_CHANGE_S} s, found that the machine never shows it"
                    )
                rows.append(machine.lamps.aspect.copy())
                now_ms += 1000 * TICK_S
            seen = np.array(rows, np.uint8).reshape(-1, len(self.junction.groups))
            visits.append((seen[:changed_s], seen[changed_s:]))
        return visits


def plan_aspects(site: Site, junction: Junction, plan: Plan) -> U8:
    """Aspects (C, G) that the signal machine shows through a cycle of ``plan``, from the start of its first step.

    Raises ModelError where the plan has no steps or its cycle is not what its steps take.
    """
    if not plan.steps:
        raise ModelError(f"junction {junction.id}: plan {plan.name}: expected at least one step, found none")
    index = {stage.name: i for i, stage in enumerate(junction.stages)}
    stages = [index[step.stage] for step in plan.steps]
    rows = StageMachine(site, junction).cycle(stages, [step.green_ms // 1000 for step in plan.steps])
    if len(rows) * 1000 * TICK_S != plan.cycle_ms:
        raise ModelError(
            f"junction {junction.id}: plan {plan.name}: expected a cycle of {plan.cycle_ms} ms, "
            f"found that its steps take {len(rows) * 1000 * TICK_S}"
        )
    return rows
