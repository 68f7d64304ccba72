"""One tick, the same for simulation and street.

    port.read -> detectors -> traffic -> controller -> local control -> signal machine -> interlock -> port.write
                 (events)                (decisions)   (orders)                           (faults)     (events)

The loop knows no simulator and no protocol: a ``Port`` brings detector events and takes lamp aspects. Time is
integer milliseconds since the start of the run, handed in by the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .decisions import DecisionLog
from .events import ALARM_ON, DEPLOYED_PATTERN, FREE_PATTERN, PATTERN_CHANGE, EventBuffer
from .kernels.coding import EVENTS_PER_GROUP, code_lamps
from .kernels.detectors import Detectors, new_detectors, take_detections
from .kernels.estimation.expected_flow import expect_at_loops
from .kernels.estimation.traffic import Traffic, new_traffic
from .kernels.estimation.travel import approach_lanes, compile_travel
from .kernels.estimation.update import update_traffic
from .kernels.health.assess import assess_detectors
from .kernels.health.peers import compile_peers
from .kernels.health.state import Health, new_health, new_memory
from .kernels.interlock import FAULT_NAMES, check_lamps
from .kernels.jit import settled
from .kernels.local.control import advance_local
from .kernels.local.state import FREE, Orders, new_local
from .kernels.machine import KEEP, advance_machine
from .kernels.state import NEVER_MS, Machine, new_faults, new_lamps, new_machine
from .model.compiled import Detection, Signals, compile_detection, compile_rules, compile_signals
from .model.compiled_local import compile_local
from .model.site import Site
from .model.upstream import Links, compile_links

__all__ = [
    "Controller",
    "DetectorEvents",
    "Loop",
    "Port",
    "Refusal",
    "Truth",
    "View",
]

INTERLOCK_ALARM: Final = 1
CLOCK_ALARM: Final = 2
NO_PLAN_YET: Final = -9


class DetectorEvents(NamedTuple):
    """Detector changes since the last tick: position in ``Detection``, time and new state; ``size`` are valid."""

    detector: npt.NDArray[np.int32]
    t_ms: npt.NDArray[np.int64]
    on: npt.NDArray[np.uint8]
    size: int


class Port(Protocol):
    """The narrow way between the loop and whatever stands outside."""

    drives_lamps: bool
    """False when the other side switches its lamps by itself and the loop only looks on."""

    def read(self, now_ms: int) -> DetectorEvents:
        """Detector events up to ``now_ms``."""
        ...

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Fill (G,) aspects that are shown now, where the port does not drive the lamps."""
        ...

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Show (G,) aspects; ``changed`` (J,) says at which junctions anything is new."""
        ...

    def fall_back(self, junction: int) -> None:
        """Leave a junction, all red by now, to its own fallback plan."""
        ...


class Truth(NamedTuple):
    """Perfect vision, which only a simulator has: every vehicle on its way to a junction, nearest signal first."""

    group: npt.NDArray[np.int32]  # (V,) group it needs, index over the whole site
    lane: npt.NDArray[
        np.int32
    ]  # (V,) approach lane of that group that it is on or comes to, as in ``Detection``
    distance_m: npt.NDArray[np.float64]  # (V,) to the stop line
    speed_mps: npt.NDArray[np.float64]  # (V,)
    has_stopped: npt.NDArray[np.uint8]  # (V,) on this approach
    waited_s: npt.NDArray[np.float32]  # (V,) since it first stopped on this approach, 0 before
    out_queue_veh: npt.NDArray[np.float64]  # (G,) vehicles standing on the lanes that the group leads to


class View(NamedTuple):
    """What a controller sees: the site's tables, the detectors, the signal state and the traffic. Read only.

    ``truth`` is None unless the run gives perfect vision.
    """

    signals: Signals
    detection: Detection
    detectors: Detectors
    health: Health
    machine: Machine
    traffic: Traffic
    links: Links
    now_ms: int
    truth: Truth | None = None


class Controller(Protocol):
    """Decides now, says when to ask again. Never touches lamps."""

    def decide(
        self,
        view: View,
        request: npt.NDArray[np.int32],
        cause: npt.NDArray[np.uint8],
        log: DecisionLog,
    ) -> int:
        """Fill ``request`` (J,) with the wanted local stage or -1, ``cause`` (J,) with the termination code of greens
        that end (4 gap-out, 5 max-out, 6 force-off); return the next time, ms, at which to be asked."""
        ...


class Refusal(NamedTuple):
    """What the interlock refused, or would have refused."""

    t_ms: int
    junction: str
    fault: str
    first_group: int
    second_group: int | None


class Loop:
    """Runs ticks over a site, through a port, under a controller.

    ``look`` brings perfect vision, where a run allows it. ``orders`` say per junction who decides: the controller,
    or local control on a plan or by itself; and what is held, omitted, forced off or preempted. They are read in
    every tick, so that who holds them may change them between ticks. Without orders the controller decides alone.
    Where the port does not let the loop drive the lamps the interlock only observes, and ``refusals`` is what it
    would have refused. ``decide_s`` is the wall time spent in decisions.
    """

    def __init__(
        self,
        site: Site,
        port: Port,
        controller: Controller | None,
        look: Callable[[], Truth] | None = None,
        orders: Orders | None = None,
        day_ms: int = 0,
    ) -> None:
        """Compile the model twice: the interlock has its own copy of the tables. ``day_ms``: time of day at 0."""
        self.site = site
        self.port = port
        self.controller = controller
        self.look = look
        self.orders = orders
        self.signals = compile_signals(site)
        self.detection = compile_detection(site)
        self.machine = new_machine(self.signals)
        self.detectors = new_detectors(self.signals, self.detection)
        self.links = compile_links(site)
        self.travel = compile_travel(self.detection, self.links, approach_lanes(site))
        self.traffic = new_traffic(self.signals, self.detection, self.links, self.travel)
        self.peers = compile_peers(site)
        self.health = new_health(self.peers)
        self.upstream_rate_per_s = np.full(len(self.detection.channel), np.nan, np.float32)
        self.events = EventBuffer()
        self.decisions = DecisionLog()
        self.refusals: list[Refusal] = []
        self.decide_s = 0.0
        self._guard = compile_rules(site)
        if orders is not None:
            self._local = compile_local(site)
            self._local_state = new_local(self.signals, self._local)
            self._plan = np.full(len(self.signals.device_id), NO_PLAN_YET, np.int32)
        self._memory = new_memory(self.peers)
        self._day_ms = day_ms
        self._settle_kernels()
        self._new_arrays(len(self.signals.device_id), len(self.signals.min_green_ms))

    def _settle_kernels(self) -> None:
        """Kernels whose arguments are always the arrays of this loop."""
        self._update_traffic = settled(update_traffic)
        self._advance_machine = settled(advance_machine)
        self._check_lamps = settled(check_lamps)
        self._code_lamps = settled(code_lamps)
        self._expect_at_loops = settled(expect_at_loops)
        self._assess_detectors = settled(assess_detectors)

    def _new_arrays(self, junctions: int, groups: int) -> None:
        self._lamps = new_lamps(groups)
        self._faults = new_faults(junctions)
        self._counted = np.zeros(junctions, np.int64)
        self._now_ms = NEVER_MS
        self._clock_is_back = False
        self._released = np.zeros(junctions, np.uint8)
        self._handed_over = np.zeros(junctions, np.bool_)
        self._wish = np.full(junctions, KEEP, np.int32)
        self._request = np.full(junctions, KEEP, np.int32)
        self._cause = np.zeros(junctions, np.uint8)
        self._withheld = np.zeros(junctions, np.int64)
        self._urgent = np.zeros(junctions, np.uint8)
        self._changed = np.zeros(junctions, np.uint8)
        self._coded = np.zeros(groups, np.uint8)
        self._clearing = np.zeros(groups, np.uint8)
        self._observed = np.zeros(groups, np.uint8)
        self._ask_ms = NEVER_MS
        self._assess_ms = self._next_assessment()

    @property
    def interlock_findings(self) -> int:
        """What the interlock refused or, where it only observes, would have refused."""
        return int(self._faults.findings.sum())

    def tick(self, read_ms: int, now_ms: int) -> None:
        """Read up to ``read_ms``, then decide, advance, check and write at ``now_ms``: once.

        The two differ where lamps are only observed, and seen later than detectors. A clock that goes back stands
        still until it has caught up: no green, yellow or clearance is counted twice, and an alarm is logged.
        """
        if self._now_ms == NEVER_MS:
            self._log_patterns(now_ms)
        now_ms = self._forward(now_ms)
        self._take(self.port.read(read_ms), read_ms)
        if self.port.drives_lamps:
            proposed = self._drive(now_ms)
        else:
            self.port.observe(self._observed)
            proposed = self._observed
        found = self._check_lamps(
            self._guard,
            self._lamps,
            self._faults,
            proposed,
            self._released,
            now_ms,
            not self.port.drives_lamps,
        )
        if found:
            self._report(now_ms)
        self._log_lamps(now_ms)
        if self.port.drives_lamps:
            self.port.write(self._lamps.aspect, self._changed)
            if self.refusals:
                self._hand_over(now_ms)

    def _forward(self, now_ms: int) -> int:
        """The time, but never before that of the last tick."""
        is_back = now_ms < self._now_ms
        if is_back and not self._clock_is_back:
            for device in self.signals.device_id:
                self.events.append(self._now_ms, int(device), ALARM_ON, CLOCK_ALARM)
        self._clock_is_back = is_back
        self._now_ms = max(self._now_ms, now_ms)
        return self._now_ms

    def _log_patterns(self, now_ms: int) -> None:
        """What every junction begins with: free under a controller, else its deployed plan."""
        if self.port.drives_lamps and self.orders is not None:
            return
        pattern = FREE_PATTERN if self.port.drives_lamps else DEPLOYED_PATTERN
        for device in self.signals.device_id:
            self.events.append(now_ms, int(device), PATTERN_CHANGE, pattern)

    def _take(self, found: DetectorEvents, read_ms: int) -> None:
        out = self.events.room(found.size)
        written = take_detections(
            self.detectors,
            found.detector,
            found.t_ms,
            found.on,
            found.size,
            read_ms,
            out,
        )
        self.events.commit(written)
        if read_ms >= self._assess_ms:
            self._assess(read_ms)
            self._assess_ms = self._next_assessment()

    def _next_assessment(self) -> int:
        return int(self._memory.due_ms.min(initial=np.iinfo(np.int64).max))

    def _assess(self, read_ms: int) -> None:
        self._expect_at_loops(
            self.detection,
            self.links,
            self.travel,
            self.traffic.outflow,
            self.traffic.arrivals,
            self.upstream_rate_per_s,
        )
        out = self.events.room(len(self.upstream_rate_per_s))
        written = self._assess_detectors(
            self.peers,
            self.detectors,
            self.health,
            self._memory,
            self.upstream_rate_per_s,
            read_ms,
            self._day_ms + read_ms,
            out,
        )
        self.events.commit(written)

    def _drive(self, now_ms: int) -> npt.NDArray[np.uint8]:
        self._estimate(now_ms)
        self._decide(now_ms)
        np.copyto(self._request, self._wish)
        if self.orders is not None:
            self._obey(self.orders, now_ms)
        self._advance_machine(self.signals, self.machine, self._request, self._withheld, self._urgent, now_ms)
        return self.machine.lamps.aspect

    def _decide(self, now_ms: int) -> None:
        """Ask the controller, where there is one and it is time to."""
        if self.controller is None or now_ms < self._ask_ms:
            return
        started = perf_counter()
        truth = None if self.look is None else self.look()
        view = View(
            self.signals,
            self.detection,
            self.detectors,
            self.health,
            self.machine,
            self.traffic,
            self.links,
            now_ms,
            truth,
        )
        self._wish.fill(KEEP)
        self._ask_ms = self.controller.decide(view, self._wish, self._cause, self.decisions)
        self.decide_s += perf_counter() - started

    def _estimate(self, now_ms: int) -> None:
        self._update_traffic(
            self.signals.group_ptr,
            self.detection,
            self.links,
            self.travel,
            self.detectors,
            self.machine.lamps,
            self.machine.stage,
            self.health.level,
            self.health.rate_per_s,
            self.traffic,
            now_ms,
        )

    def _obey(self, orders: Orders, now_ms: int) -> None:
        """Local control has the last word before the signal machine."""
        advance_local(
            self.signals,
            self.detectors,
            self.health.level,
            self.machine,
            self._local,
            orders,
            self._local_state,
            self._request,
            self._withheld,
            self._urgent,
            self._cause,
            now_ms,
        )
        for j in np.flatnonzero(self._local_state.plan != self._plan):
            plan = self._plan[j] = self._local_state.plan[j]
            pattern = FREE_PATTERN if plan == FREE else int(plan - self._local.plan_ptr[j]) + 1
            self.events.append(now_ms, int(self.signals.device_id[j]), PATTERN_CHANGE, pattern)

    def _log_lamps(self, now_ms: int) -> None:
        out = self.events.room(EVENTS_PER_GROUP * len(self._coded))
        written = self._code_lamps(
            self.signals,
            self._coded,
            self._lamps,
            self._clearing,
            self._cause,
            self._changed,
            now_ms,
            out,
        )
        self.events.commit(written)

    def _report(self, now_ms: int) -> None:
        """One refusal per junction and tick with findings, with both groups named; an alarm in the log."""
        for j in np.flatnonzero(self._faults.findings > self._counted):
            self._counted[j] = self._faults.findings[j]
            second = int(self._faults.second[j])
            self.refusals.append(
                Refusal(
                    now_ms,
                    self.site.junctions[j].id,
                    FAULT_NAMES[self._faults.code[j]],
                    int(self._faults.first[j]) + 1,
                    None if second < 0 else second + 1,
                )
            )
            if self.port.drives_lamps:
                self.events.append(now_ms, int(self.signals.device_id[j]), ALARM_ON, INTERLOCK_ALARM)
            else:
                self._faults.code[j] = 0

    def _hand_over(self, now_ms: int) -> None:
        for j in np.flatnonzero(self._released.astype(np.bool_) & ~self._handed_over):
            self._handed_over[j] = True
            self.port.fall_back(int(j))
            self.events.append(now_ms, int(self.signals.device_id[j]), PATTERN_CHANGE, DEPLOYED_PATTERN)
