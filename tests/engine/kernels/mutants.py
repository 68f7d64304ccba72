"""Plants bugs in the signal machine and in its tables, in plain Python, and asks the interlock what it saw.

Run as ``NUMBA_DISABLE_JIT=1 python -m tests.engine.kernels.mutants`` from the root; prints one JSON object with the
names of the faults per mutant. The interlock keeps its own tables and code, so nothing planted reaches it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np

from greensplit.engine.kernels import machine
from greensplit.engine.kernels.interlock import FAULT_NAMES, check_lamps
from greensplit.engine.kernels.state import NEVER_MS, Machine, new_faults, new_lamps, new_machine
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import CONFLICT, SHARED, Signals, compile_signals
from greensplit.engine.model.site import Site

from .sites import crossing, left_turn, random_site

TICK_MS = 1000
TICKS = 240
Plant = Callable[[Signals], Any]


def _fill(name: str, value: int) -> Plant:
    """Overwrite a whole table of the machine."""
    return lambda signals: getattr(signals, name).fill(value)


def _shorten(name: str) -> Plant:
    """Take one tick from every time of a table."""

    def plant(signals: Signals) -> None:
        table = getattr(signals, name)
        np.maximum(table - TICK_MS, 0, out=table)

    return plant


def _conflicts_forgotten(signals: Signals) -> None:
    signals.intergreen_ms[signals.meeting == CONFLICT] = 0
    signals.meeting[signals.meeting == CONFLICT] = SHARED


def _transposed(signals: Signals) -> None:
    """Intergreens looked up the wrong way round."""
    n = np.diff(signals.group_ptr)
    for first, size in zip(signals.pair_ptr, n, strict=False):
        block = signals.intergreen_ms[first : first + size * size].reshape(size, size)
        block[:] = block.T.copy()


def _one_group_too_many(signals: Signals) -> None:
    """Every stage shows its first red group green as well."""
    for first, last in zip(signals.stage_aspect_ptr, signals.stage_aspect_ptr[1:], strict=False):
        shown = signals.stage_aspect[first:last]
        red = np.flatnonzero(shown == RED)
        shown[red[:1]] = GREEN


def _no_permissive(signals: Signals) -> None:
    signals.stage_aspect[signals.stage_aspect == PERMISSIVE] = GREEN


TABLES: dict[str, Plant] = {
    "intergreens of zero": _fill("intergreen_ms", 0),
    "intergreens a tick short": _shorten("intergreen_ms"),
    "intergreens the wrong way round": _transposed,
    "stop sequences of zero": _fill("stop_ms", 0),
    "stop sequences a tick short": _shorten("stop_ms"),
    "stop sequences that begin with red": _fill("stop_aspect", RED),
    "minimum greens of zero": _fill("min_green_ms", 0),
    "minimum greens a tick short": _shorten("min_green_ms"),
    "red-amber of zero": _fill("start_ms", 0),
    "red-amber for everybody": _fill("start_ms", 500),
    "no meetings": _fill("meeting", 0),
    "conflicts taken for shared": _conflicts_forgotten,
    "no traps": _fill("trap", 0),
    "one group too many in each stage": _one_group_too_many,
    "no stage permissive": _no_permissive,
}


@contextmanager
def _patched(**functions: Callable[..., Any]) -> Iterator[None]:
    with mock.patch.multiple(machine, **functions):
        yield


def _nothing(*_: Any) -> None:
    """A step that is left out."""


def _always(*_: Any) -> bool:
    return True


def _ends_too_soon(
    signals: Signals, state: Machine, wanted: int, first: int, group: int, _now_ms: int
) -> bool:
    ends: bool = machine._ends(signals, state, wanted, first, group)
    return ends and state.lamps.aspect[group] in (GREEN, PERMISSIVE)


def _straight_to_red(_signals: Signals, state: Machine, group: int, _step: int, now_ms: int) -> None:
    machine._show(state.lamps, group, RED, now_ms)
    state.lamps.red_ms[group] = now_ms


def _promote_at_once(signals: Signals, state: Machine, j: int, wanted: int, now_ms: int) -> None:
    first = signals.group_ptr[j]
    for group in range(first, signals.group_ptr[j + 1]):
        if state.lamps.aspect[group] == PERMISSIVE and signals.stage_aspect[wanted + group - first] == GREEN:
            machine._show(state.lamps, group, GREEN, now_ms)


def _untimed(lamps: Any, group: int, aspect: int, _now_ms: int) -> None:
    lamps.aspect[group] = aspect


def _early(lamps: Any, group: int, aspect: int, now_ms: int) -> None:
    lamps.aspect[group] = aspect
    lamps.since_ms[group] = now_ms - TICK_MS


CODE: dict[str, dict[str, Callable[..., Any]]] = {
    "no dragging and no waiting for opposing traffic": {"_drag_trapped": _nothing, "_keep_trapped": _nothing},
    "turns do not wait for opposing traffic": {"_keep_trapped": _nothing},
    "everything counts as cleared": {"_is_cleared": _always},
    "greens end at once": {"_may_end": _ends_too_soon},
    "yellow skipped": {"_next_stop": _straight_to_red},
    "turns are promoted at once": {"_promote": _promote_at_once},
    "aspects are not timed": {"_show": _untimed},
    "aspects are timed from the tick before": {"_show": _early},
}

STATE: dict[str, str] = {
    "ends of green are forgotten": "end_ms",
    "starts of green are forgotten": "green_ms",
    "starts of red are forgotten": "red_ms",
}


def _sites() -> list[Site]:
    return [left_turn(), crossing(), *(random_site(np.random.default_rng(seed), 1) for seed in range(24))]


def _faults(site: Site, seed: int, plant: Plant = _nothing, forget: str = "") -> str:
    """Name of the first fault that the interlock finds while the machine runs through random requests."""
    rng = np.random.default_rng(seed)
    signals, guard = compile_signals(site), compile_signals(site)
    plant(signals)
    state = new_machine(signals)
    lamps, faults, released = new_lamps(len(guard.min_green_ms)), new_faults(1), np.zeros(1, np.uint8)
    for k in range(TICKS):
        machine.advance_machine(signals, state, rng.integers(-1, 6, 1).astype(np.int32), k * TICK_MS)
        if forget:
            getattr(state.lamps, forget).fill(NEVER_MS)
        check_lamps(guard, lamps, faults, state.lamps.aspect, released, k * TICK_MS, False)
        if faults.code[0]:
            break
    return FAULT_NAMES[faults.code[0]]


def _names(**planted: Any) -> list[str]:
    return sorted({_faults(site, i, **planted) for i, site in enumerate(_sites())} - {"none"})


def main() -> None:
    """Run every mutant over the same sites and requests."""
    found = {"nothing": _names()}
    for name, plant in TABLES.items():
        found[name] = _names(plant=plant)
    for name, functions in CODE.items():
        with _patched(**functions):
            found[name] = _names()
    for name, field in STATE.items():
        found[name] = _names(forget=field)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
