"""A simulated field controller, without any protocol: it runs its junction whether or not somebody tells it how.

Who decides, the strongest first: the malfunction monitor (latched flash), the cabinet (flash, stop time, preempt,
manual stage), the centre as long as it writes (flash, all red, stage, masks, pattern), the controller's own plan. Every
accepted command restarts the backup timer; when it runs out the controls are zeroed and the own plan runs, until
somebody writes again. Nothing that the centre can say shortens a minimum green, a yellow, a clearance or a walk: the
signal machine knows no such order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import new_detectors, take_detections
from greensplit.engine.kernels.jit import settled
from greensplit.engine.kernels.local.control import advance_local
from greensplit.engine.kernels.local.preemption import DWELL, EXIT, TRACK
from greensplit.engine.kernels.local.state import (
    ACTUATED,
    ADAPTIVE,
    COORDINATED,
    FREE,
    OFF,
    TWELFTHS,
    new_local,
    new_orders,
)
from greensplit.engine.kernels.machine import ALL_RED, IN_STAGE, KEEP, advance_machine
from greensplit.engine.kernels.state import new_machine
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.aspects import DARK
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.compiled_local import compile_local
from greensplit.engine.model.site import Junction, Plan, Site

from ..field import (
    FLASH_PATTERN,
    FREE_PATTERN,
    MOST_SYNC_S,
    NO_CONTROLS,
    STANDBY_PATTERN,
    Alarm,
    Controls,
    FieldCommand,
    FieldStatus,
    FieldTables,
    Flash,
    Masks,
    Mode,
    PatternRequest,
    PreemptState,
    Remote,
    Verdict,
    callers_of,
    tables_of,
)
from .cabinet import DEFAULT_CONFIG, Cabinet, StandInConfig
from .centre import Centre
from .loops import LoopCards
from .masks import pick_stage
from .monitor import Lights, Monitor
from .shown import Wiring, burning, greens, on_groups

__all__ = ["Cabinet", "StandIn", "StandInConfig", "Wiring"]

PARTS: Final = {TRACK: PreemptState.TRACK, DWELL: PreemptState.DWELL, EXIT: PreemptState.EXIT}


class StandIn:
    """One junction and its controller. The clock is handed in: ``sense`` and ``advance`` with rising ``now_ms``.

    ``cabinet`` and ``wiring`` may be changed at any time; ``monitor`` has the malfunction log. ``backup_ms`` and
    ``config_id`` are parameters that a centre may read or write.
    """

    def __init__(self, junction: Junction, config: StandInConfig = DEFAULT_CONFIG) -> None:
        self.junction = junction
        self.config = config
        self.backup_ms = config.backup_ms
        self.config_id = 1
        self.cabinet = Cabinet()
        self.wiring = Wiring()
        self.monitor = Monitor(junction)
        self._centre = Centre(junction)
        self._site = Site(junction.id, (junction,), red_revert_ms=config.red_revert_ms)
        self._signals = compile_signals(self._site)
        self._detection = compile_detection(self._site)
        self._local = compile_local(self._site)
        self._offset_ms = self._local.offset_ms.copy()
        self._greens = tuple(sum(1 << number - 1 for number in s.green) for s in junction.stages)
        self._callers = callers_of(junction)
        self._advance_local = settled(advance_local)
        self._advance_machine = settled(advance_machine)
        self._take_detections = settled(take_detections)
        self._now_ms = 0
        self._new_arrays()
        self._power_up()

    def _new_arrays(self) -> None:
        self._request = np.full(1, KEEP, np.int32)
        self._withheld = np.zeros(1, np.int64)
        self._urgent = np.zeros(1, np.uint8)
        self._cause = np.zeros(1, np.uint8)
        self._level = np.zeros(len(self.junction.detectors), np.uint8)
        self._unlogged = np.zeros(0, EVENT_DTYPE)

    def _power_up(self) -> None:
        """The memory after power: nothing is known, all is red, the own plan runs."""
        self._centre.forget()
        self._machine = new_machine(self._signals)
        self._detectors = new_detectors(self._signals, self._detection)
        self._state = new_local(self._signals, self._local)
        self._orders = new_orders(1)
        self._cards = LoopCards(len(self.junction.detectors), self.config.period_ms)
        self._calls = 0
        self._has_restarted = False

    def reboot(self) -> None:
        """Power off and on: all red for the longest intergreen. The malfunction monitor keeps what it latched."""
        self.monitor.lose_power(self._now_ms)
        self._power_up()
        self._start_from_red()
        self._has_restarted = True

    def reset_monitor(self) -> None:
        """What a person at the cabinet does after a malfunction: the junction starts anew, from red."""
        self.monitor.reset()
        self._machine = new_machine(self._signals)
        self._state = new_local(self._signals, self._local)
        self._start_from_red()

    def _start_from_red(self) -> None:
        """Nobody knows what was green: all red for the longest intergreen."""
        longest_ms = int(self._signals.intergreen_ms.max(initial=self.junction.start_red_ms))
        self._machine.red_until_ms[0] = self._now_ms + longest_ms

    def sense(self, now_ms: int, events: DetectorEvents) -> None:
        """Take detector changes up to ``now_ms``; positions are those of the junction's detectors."""
        self._now_ms = max(self._now_ms, now_ms)
        self._take_detections(
            self._detectors,
            events.detector,
            events.t_ms,
            events.on,
            events.size,
            self._now_ms,
            self._unlogged,
        )
        self._cards.take(events, self._now_ms)
        for i in range(events.size):
            d = int(events.detector[i])
            if events.on[i] and 0 <= d < len(self._callers):
                self._calls |= self._callers[d]

    def command(self, command: FieldCommand, now_ms: int) -> Verdict:
        """Take a command that arrives at ``now_ms``, or say why not. Only an accepted one restarts the timer."""
        verdict = self._centre.take(command, now_ms)
        if verdict is Verdict.ACCEPTED:
            self._has_restarted = False
            if isinstance(command.order, PatternRequest):
                self._synchronise(command.order, now_ms)
        return verdict

    def store_plans(self, plans: Mapping[int, Plan]) -> None:
        """Other timing plans by number, which must be there already. ModelError where one is none."""
        stored = tuple(plans.get(number, known) for number, known in enumerate(self.junction.plans, 1))
        junction = replace(self.junction, plans=stored)
        site = replace(self._site, junctions=(junction,))
        local = compile_local(site)
        self._offset_ms = local.offset_ms.copy()
        for p in range(len(stored)):
            if p + 1 not in plans:  # it may run, synchronised by somebody
                local.offset_ms[p] = self._local.offset_ms[p]
        self._local = local
        self.junction, self._site = junction, site
        self.config_id += 1

    def touch(self, now_ms: int) -> None:
        """Restart the backup timer: some control object was written that means nothing here."""
        self._centre.touch(now_ms)

    @property
    def controls(self) -> Controls:
        """What is in force of what the centre said."""
        return self._centre.controls

    @property
    def refusals(self) -> dict[Verdict, int]:
        """How many commands were refused, and why."""
        return self._centre.refusals

    def _synchronise(self, request: PatternRequest, now_ms: int) -> None:
        """Let the cycle of a pattern be ``sync_s`` old now."""
        if 1 <= request.pattern <= len(self.junction.plans):
            p = request.pattern - 1
            shift_ms = 0 if request.sync_s == MOST_SYNC_S else now_ms - 1000 * request.sync_s
            self._local.offset_ms[p] = (self._offset_ms[p] + shift_ms) % self._local.cycle_ms[p]

    def advance(self, now_ms: int) -> None:
        """One tick of timers, local control, signal machine and malfunction monitor."""
        self._now_ms = max(self._now_ms, now_ms)
        if self._centre.runs_out(self._now_ms, self.backup_ms):
            self._local.offset_ms[:] = self._offset_ms
        if not self.cabinet.stop_time:
            self._run_junction()
        if not self._machine.dark[0]:
            self.monitor.judge(self.lights(), self._now_ms, self.config.tick_ms)

    def _run_junction(self) -> None:
        self._fill_orders()
        self._advance_local(
            self._signals,
            self._detectors,
            self._level,
            self._machine,
            self._local,
            self._orders,
            self._state,
            self._request,
            self._withheld,
            self._urgent,
            self._cause,
            self._now_ms,
        )
        self._advance_machine(
            self._signals, self._machine, self._request, self._withheld, self._urgent, self._now_ms
        )
        green = self._green()
        self._calls &= ~green
        self._centre.end_force_offs(green)

    def _fill_orders(self) -> None:
        """What local control is told in this tick, by whoever decides."""
        orders, controls = self._orders, self.controls
        self._request[0] = KEEP
        for mask in (orders.call, orders.hold, orders.omit, orders.force_off):
            mask[0] = 0
        orders.preempt[0] = self.cabinet.preempt | controls.preempt
        if self.is_flash_wanted:
            orders.mode[0] = OFF
        elif self.cabinet.manual_stage >= 0:
            self._follow(self.cabinet.manual_stage)
        elif controls.remote is Remote.ALL_RED:
            self._follow(ALL_RED)
        elif controls.stage >= 0:
            self._follow(controls.stage)
        else:
            self._fill_masks(controls.masks)

    def _follow(self, request: int) -> None:
        self._orders.mode[0] = ADAPTIVE
        self._request[0] = request

    def _fill_masks(self, masks: Masks) -> None:
        """Masks pick a free stage where the model has no rings; rings, and mere calls, are for local control."""
        self._orders.call[0] = masks.call
        if masks.hold | masks.force_off | masks.omit and not self.junction.rings:
            self._follow(pick_stage(self._greens, masks, self._green(), int(self._machine.stage[0])))
            self._orders.omit[0] = masks.omit
            return
        self._orders.hold[0] = masks.hold
        self._orders.omit[0] = masks.omit
        self._orders.force_off[0] = masks.force_off & ~masks.hold
        plan = self._plan()
        self._orders.plan[0] = plan
        constrained = masks.hold | masks.force_off | masks.omit
        self._orders.mode[0] = ACTUATED if plan == FREE or constrained else COORDINATED

    def _plan(self) -> int:
        """The plan that the pattern in force names, FREE for none; the own plan is the model's last."""
        pattern, plans = self.controls.pattern, len(self.junction.plans)
        if pattern == STANDBY_PATTERN:
            return plans - 1 if plans else FREE
        return pattern - 1 if pattern <= plans else FREE

    @property
    def is_flash_wanted(self) -> bool:
        """Does the cabinet or the centre want flash?"""
        return self.cabinet.flash or self._centre.wants_flash

    def _green(self) -> int:
        return greens(self._machine.lamps.aspect.tolist())

    @property
    def aspects(self) -> npt.NDArray[np.uint8]:
        """(G,) what the lamps show; all dark while the monitor has put the junction to flash."""
        shown = self._machine.lamps.aspect.copy()
        if self.monitor.latched is not None:
            shown.fill(DARK)
        return shown

    def lights(self) -> Lights:
        """The lamps that burn by the controller's will, and by its wiring's faults."""
        return burning(self._machine.lamps.aspect.tolist(), self.wiring)

    def tables(self) -> FieldTables:
        """What the controller says of itself."""
        return tables_of(self.junction, self.backup_ms)

    def status(self) -> FieldStatus:
        """The state after the last ``sense`` and ``advance``."""
        pattern, plan = self._pattern(), int(self._state.plan[0])
        cycle_ms = int(self._local.cycle_ms[plan]) if plan >= 0 else 0
        clock_ms = int(self._state.clock[0]) // TWELFTHS if plan >= 0 else 0
        return FieldStatus(
            t_ms=self._now_ms,
            aspects=tuple(self.aspects.tolist()),
            on=on_groups(
                self._machine.lamps.aspect.tolist(),
                self._machine.lamps.red_ms.tolist(),
                self._signals.clearance_ms.tolist(),
                self._now_ms,
            ),
            following=self._following(),
            calls=(self._calls | self.controls.masks.call) & ~self._green(),
            detector_on=self._cards.on_mask,
            detector_alarm=self._cards.alarm_mask,
            periods=self._cards.last,
            mode=self._mode(),
            flash=self._flash(),
            pattern=pattern,
            cycle_ms=cycle_ms,
            cycle_left_ms=cycle_ms - clock_ms,
            stage=int(self._machine.stage[0]) if self._machine.rest[0] == IN_STAGE else -1,
            preempts=self._preempts(),
            alarms=self._alarms(),
            controls=self.controls,
            config_id=self.config_id,
            clock_s=self.config.epoch_s + self._now_ms // 1000,
        )

    def _pattern(self) -> int:
        if self.is_flash_wanted or self.monitor.latched is not None:
            return FLASH_PATTERN
        plan = int(self._state.plan[0])
        return plan + 1 if plan >= 0 else FREE_PATTERN

    def _following(self) -> int:
        """Groups of the stage that the junction is on its way to, as far as they are not green."""
        if self._machine.rest[0] != IN_STAGE:
            return 0
        wanted = self._greens[int(self._machine.stage[0])] & ~int(self._machine.withheld[0])
        return wanted & ~self._green()

    def _mode(self) -> Mode:
        if self.cabinet.manual_stage >= 0 or self.cabinet.stop_time or self.cabinet.flash:
            return Mode.MANUAL
        if self._centre.has_fallen_back:
            return Mode.BACKUP
        if not self._centre.is_heard:
            return Mode.TIMEBASE
        return Mode.STANDBY if self.controls == NO_CONTROLS else Mode.SYSTEM

    def _flash(self) -> Flash:
        if self.monitor.latched is not None:
            return Flash.MMU
        if not self.is_flash_wanted:
            return Flash.NONE
        return Flash.LOCAL_MANUAL if self.cabinet.flash else Flash.AUTOMATIC

    def _preempts(self) -> tuple[PreemptState, ...]:
        """By rising number of the junction's preempts."""
        running, part = int(self._state.preempt[0]), int(self._state.preempt_part[0])
        inputs = self.cabinet.preempt | self.controls.preempt
        states = []
        for p, number in enumerate(self._local.preempt_number.tolist()):
            state = PreemptState.CALLED if inputs >> number - 1 & 1 else PreemptState.NOT_ACTIVE
            states.append(PARTS[part] if p == running and part in PARTS else state)
        return tuple(states)

    def _alarms(self) -> Alarm:
        flags = (
            (Alarm.LOCAL_FLASH, self.cabinet.flash),
            (Alarm.MMU_FLASH, self.monitor.latched is not None),
            (Alarm.STOP_TIME, self.cabinet.stop_time),
            (Alarm.POWER_RESTART, self._has_restarted),
            (Alarm.DETECTOR_FAULT, self._cards.alarm_mask != 0),
            (Alarm.PREEMPT, any(s is not PreemptState.NOT_ACTIVE for s in self._preempts())),
            (Alarm.LOCAL_OVERRIDE, self.cabinet.flash or self.cabinet.manual_stage >= 0),
        )
        found = Alarm.NONE
        for flag, is_on in flags:
            if is_on:
                found |= flag
        return found
