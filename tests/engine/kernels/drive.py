"""Runs the signal machine through requests and writes down what each group shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.model.compiled import compile_signals
from greensplit.engine.model.site import Site

LETTERS = "ruGgFyc-"
"""Red, red-amber, green, permissive, green flash, yellow, clearance, dark; one letter a tick."""


def strips(site: Site, request: Callable[[int], int], until_ms: int, tick_ms: int = 1000) -> tuple[str, ...]:
    """One letter per tick from 0 for each group of the only junction; ``request`` gives the stage at a time."""
    signals = compile_signals(site)
    machine = new_machine(signals)
    rows = []
    for now_ms in range(0, until_ms, tick_ms):
        advance_machine(signals, machine, np.array([request(now_ms)], np.int32), now_ms)
        rows.append("".join(LETTERS[a] for a in machine.lamps.aspect))
    return tuple("".join(column) for column in zip(*rows, strict=True))


def switch_at(plan: dict[int, int], otherwise: int = -1) -> Callable[[int], int]:
    """Asks for stage ``plan[t]`` from time t, ms, on."""

    def request(now_ms: int) -> int:
        due = [t for t in plan if t <= now_ms]
        return plan[max(due)] if due else otherwise

    return request
