"""Orders to local control and its state, struct of arrays over junctions, rings, groups and preempts."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...model.compiled import Signals
from ...model.compiled_local import Local
from ..state import NEVER_MS

__all__ = [
    "ACTUATED",
    "ADAPTIVE",
    "COORDINATED",
    "EVERYBODY_WAITS",
    "FREE",
    "NO_MODE",
    "NO_PREEMPT",
    "NO_RESTART",
    "OFF",
    "PRETIMED",
    "RINGS_RESTART",
    "TWELFTHS",
    "LocalState",
    "Orders",
    "new_local",
    "new_orders",
]

U8 = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

ADAPTIVE: Final = 0
ACTUATED: Final = 1
COORDINATED: Final = 2
PRETIMED: Final = 3
OFF: Final = 4
NO_MODE: Final = 255

FREE: Final = -1
NO_PREEMPT: Final = -1
NO_RESTART: Final = 0
RINGS_RESTART: Final = 1
EVERYBODY_WAITS: Final = 2
TWELFTHS: Final = 12


class Orders(NamedTuple):
    """What others want of local control, per junction. Masks have a bit per local group, preempts one per number."""

    mode: U8  # (J,)
    plan: I32  # (J,) local index, FREE for none
    call: I64  # (J,) groups called from outside
    hold: I64  # (J,) green groups whose step must not end
    omit: I64  # (J,) groups that must not start
    force_off: I64  # (J,) green groups whose step is to end
    preempt: I64  # (J,) active inputs, bit 0 is number 1
    red_rest: U8  # (J,) 1 to rest in red when nobody calls, else in the last green


class LocalState(NamedTuple):
    """What local control remembers."""

    mode: U8  # (J,) in effect, NO_MODE before the first tick
    plan: I32  # (J,) in effect, index among all plans, FREE for none
    last_ms: I64  # (J,) time of the last tick
    now_ms: I64  # (J,) time of this tick, never before the last
    active: I32  # (J,) junctions that run by themselves in this tick, the first of them
    run_mode: U8  # (J,) mode in this tick
    run_plan: I32  # (J,) plan in this tick, index among all plans, FREE for none
    restart: U8  # (J,) NO_RESTART, RINGS_RESTART or EVERYBODY_WAITS in this tick
    green: I64  # (J,) groups that show green
    called: I64  # (J,) groups that wait for green
    call_ms: I64  # (G,) since when, NEVER_MS for others
    seen_ms: I64  # (G,) last presence on a detector of the group
    standing: I64  # (J,) groups that call without any traffic: recall, no detector, orders
    withheld: I64  # (J,) groups that might not start in the last tick
    resting: U8  # (J,) 1 while in red because nobody calls
    position: I32  # (R,) step of each ring, its number of steps for none
    taken_ms: I64  # (R,) when the step was taken
    rival_ms: I64  # (R,) first competing call since the step was taken, NEVER_MS for none
    forced: U8  # (R,) 1 when the step's force-off has passed
    ending: U8  # (R,) 1 when the step may end
    reason: (
        U8  # (R,) why it may, or why the last one did: 4 gap-out, 5 max-out, 6 force-off, 0 nobody needs it
    )
    called_steps: I64  # (R,) positions of steps that are called
    following: I32  # (R,) next called step, -1 none
    goal: I32  # (R,) position that is to be taken in this tick
    clock: I64  # (J,) local cycle time in twelfths of ms
    in_transition: U8  # (J,) 1 while the local cycle is not where the master clock wants it
    inputs: I64  # (J,) preempt inputs in the last tick
    preempt: I32  # (J,) index among all preempts of the running preempt, NO_PREEMPT for none
    preempt_part: U8  # (J,) TRACK, DWELL or EXIT; 0 without one
    input_ms: I64  # (Q,) since when the input is active, NEVER_MS for not


def new_orders(junctions: int) -> Orders:
    """Adaptive everywhere, nothing special."""
    return Orders(
        mode=np.zeros(junctions, np.uint8),
        plan=np.full(junctions, FREE, np.int32),
        call=np.zeros(junctions, np.int64),
        hold=np.zeros(junctions, np.int64),
        omit=np.zeros(junctions, np.int64),
        force_off=np.zeros(junctions, np.int64),
        preempt=np.zeros(junctions, np.int64),
        red_rest=np.zeros(junctions, np.uint8),
    )


def new_local(signals: Signals, local: Local) -> LocalState:
    """Nothing has happened yet: every ring at its first step."""
    junctions, groups = len(signals.device_id), len(signals.min_green_ms)
    rings, preempts = len(local.stride), len(local.preempt_number)
    return LocalState(
        mode=np.full(junctions, NO_MODE, np.uint8),
        plan=np.full(junctions, FREE, np.int32),
        last_ms=np.full(junctions, NEVER_MS, np.int64),
        now_ms=np.full(junctions, NEVER_MS, np.int64),
        active=np.zeros(junctions, np.int32),
        run_mode=np.full(junctions, NO_MODE, np.uint8),
        run_plan=np.full(junctions, FREE, np.int32),
        restart=np.zeros(junctions, np.uint8),
        green=np.zeros(junctions, np.int64),
        called=np.zeros(junctions, np.int64),
        call_ms=np.full(groups, NEVER_MS, np.int64),
        seen_ms=np.full(groups, NEVER_MS, np.int64),
        standing=np.zeros(junctions, np.int64),
        withheld=np.zeros(junctions, np.int64),
        resting=np.zeros(junctions, np.uint8),
        position=np.zeros(rings, np.int32),
        taken_ms=np.full(rings, NEVER_MS, np.int64),
        rival_ms=np.full(rings, NEVER_MS, np.int64),
        forced=np.zeros(rings, np.uint8),
        ending=np.zeros(rings, np.uint8),
        reason=np.zeros(rings, np.uint8),
        called_steps=np.zeros(rings, np.int64),
        following=np.full(rings, -1, np.int32),
        goal=np.zeros(rings, np.int32),
        clock=np.zeros(junctions, np.int64),
        in_transition=np.zeros(junctions, np.uint8),
        inputs=np.zeros(junctions, np.int64),
        preempt=np.full(junctions, NO_PREEMPT, np.int32),
        preempt_part=np.zeros(junctions, np.uint8),
        input_ms=np.full(preempts, NEVER_MS, np.int64),
    )
