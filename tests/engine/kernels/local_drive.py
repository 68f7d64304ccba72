"""Runs local control in front of the signal machine and behind the interlock, and writes down what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from greensplit.engine.kernels.detectors import Detectors, new_detectors
from greensplit.engine.kernels.interlock import FAULT_NAMES, check_lamps
from greensplit.engine.kernels.local.control import advance_local
from greensplit.engine.kernels.local.state import LocalState, Orders, new_local, new_orders
from greensplit.engine.kernels.machine import advance_machine
from greensplit.engine.kernels.state import (
    Machine,
    new_faults,
    new_lamps,
    new_machine,
)
from greensplit.engine.model.compiled import compile_detection, compile_rules, compile_signals
from greensplit.engine.model.compiled_local import compile_local
from greensplit.engine.model.site import Site

from .drive import LETTERS

Presence = Mapping[int, Sequence[tuple[int, int]]]
"""Times from and to which a channel is occupied, s."""


class Street:
    """Local control, machine and interlock of a site, and all that goes in and out of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.signals, self.guard = compile_signals(site), compile_rules(site)
        self.detection = compile_detection(site)
        self.local = compile_local(site)
        junctions = len(site.junctions)
        self.machine: Machine = new_machine(self.signals)
        self.detectors: Detectors = new_detectors(self.signals, self.detection)
        self.level = np.zeros(len(self.detection.channel), np.uint8)
        self.orders: Orders = new_orders(junctions)
        self.state: LocalState = new_local(self.signals, self.local)
        self.request = np.full(junctions, -1, np.int32)
        self.withheld = np.zeros(junctions, np.int64)
        self.urgent = np.zeros(junctions, np.uint8)
        self.cause = np.zeros(junctions, np.uint8)
        self._lamps = new_lamps(len(self.signals.min_green_ms))
        self._faults = new_faults(junctions)
        self._released = np.zeros(junctions, np.uint8)

    def tick(self, now_ms: int) -> None:
        """One tick; the interlock must have nothing to say."""
        advance_local(
            self.signals,
            self.detectors,
            self.level,
            self.machine,
            self.local,
            self.orders,
            self.state,
            self.request,
            self.withheld,
            self.urgent,
            self.cause,
            now_ms,
        )
        advance_machine(self.signals, self.machine, self.request, self.withheld, self.urgent, now_ms)
        check_lamps(
            self.guard,
            self._lamps,
            self._faults,
            self.machine.lamps.aspect,
            self._released,
            now_ms,
            False,
        )
        code = int(self._faults.code.max(initial=0))
        assert code == 0, (now_ms, FAULT_NAMES[code], self._faults.first, self._faults.second)

    def occupy(self, presence: Presence, now_ms: int) -> None:
        """Detectors as they are at ``now_ms``: on from the start of an interval up to, and not at, its end."""
        for d, channel in enumerate(self.detection.channel):
            for on_s, off_s in presence.get(int(channel), ()):
                if on_s * 1000 <= now_ms < off_s * 1000:
                    self.detectors.on[d] = 1
                    self.detectors.on_ms[d] = on_s * 1000
                elif self.detectors.on[d] and self.detectors.on_ms[d] == on_s * 1000:
                    self.detectors.on[d] = 0
                    self.detectors.off_ms[d] = off_s * 1000


@dataclass
class Shown:
    """One letter a second for each group, and why steps ended: (time in s, code)."""

    strips: tuple[str, ...]
    causes: list[tuple[int, int]] = field(default_factory=list)


def run(
    site: Site,
    until_s: int,
    presence: Presence | None = None,
    order: Callable[[Orders, int], None] | None = None,
    mode: int = 1,
    wish: Callable[[int], int] = lambda _: -1,
) -> Shown:
    """The only junction from 0 to ``until_s``; ``order`` may change the orders at a time in s."""
    street = Street(site)
    street.orders.mode[:] = mode
    rows, shown = [], Shown(())
    for now_s in range(until_s):
        street.occupy(presence or {}, now_s * 1000)
        if order is not None:
            order(street.orders, now_s)
        street.request[:] = wish(now_s)
        street.cause[:] = 0
        street.tick(now_s * 1000)
        rows.append("".join(LETTERS[a] for a in street.machine.lamps.aspect))
        if street.cause[0]:
            shown.causes.append((now_s, int(street.cause[0])))
    shown.strips = tuple("".join(column) for column in zip(*rows, strict=True))
    return shown
