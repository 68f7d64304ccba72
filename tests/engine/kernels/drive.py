"""Runs the signal machine through requests and writes down what each group shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import Machine, new_machine
from greensplit.engine.model.compiled import Signals, compile_signals
from greensplit.engine.model.site import Site

LETTERS = "ruGgFyc-"
"""Red, red-amber, green, permissive, green flash, yellow, clearance, dark; one letter a tick."""


def ask(signals: Signals, machine: Machine, request: npt.ArrayLike, now_ms: int) -> None:
    """One tick with nothing but requests."""
    junctions = len(signals.device_id)
    idle = np.zeros(junctions, np.int64), np.zeros(junctions, np.uint8)
    advance_machine(signals, machine, np.asarray(request, np.int32), *idle, now_ms)


def strips(
    site: Site,
    request: Callable[[int], int],
    until_ms: int,
    tick_ms: int = 1000,
    withheld: Callable[[int], int] = lambda _: 0,
    urgent: Callable[[int], int] = lambda _: 0,
) -> tuple[str, ...]:
    """One letter per tick from 0 for each group of the only junction; ``request`` gives the stage at a time."""
    signals = compile_signals(site)
    machine = new_machine(signals)
    rows = []
    for now_ms in range(0, until_ms, tick_ms):
        advance_machine(
            signals,
            machine,
            np.array([request(now_ms)], np.int32),
            np.array([withheld(now_ms)]),
            np.array([urgent(now_ms)], np.uint8),
            now_ms,
        )
        rows.append("".join(LETTERS[a] for a in machine.lamps.aspect))
    return tuple("".join(column) for column in zip(*rows, strict=True))


def switch_at(plan: dict[int, int], otherwise: int = -1) -> Callable[[int], int]:
    """Asks for stage ``plan[t]`` from time t, ms, on."""

    def request(now_ms: int) -> int:
        due = [t for t in plan if t <= now_ms]
        return plan[max(due)] if due else otherwise

    return request
