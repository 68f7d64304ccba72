"""A simulated field controller, without any protocol: it runs its junction whether or not somebody tells it how.

Who decides, the strongest first: the malfunction monitor (latched flash), the cabinet (flash, stop time, preempt,
manual stage), the centre as long as it writes (flash, all red, stage, masks, pattern), the controller's own plan. Every
accepted command restarts the backup timer; when it runs out the controls are zeroed and the own plan runs, until
somebody writes again. Nothing that the centre can say shortens a minimum green, a yellow, a clearance or a walk: the
signal machine knows no such order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from greensplit.engine.errors import BridgeError
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
from greensplit.engine.model.aspects import CLEARANCE, DARK, GREEN, PERMISSIVE, RED, RED_AMBER, YELLOW
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.compiled_local import compile_local
from greensplit.engine.model.site import Junction, Site

from ..field import (
    FLASH_PATTERN,
    FREE_PATTERN,
    MOST_SYNC_S,
    NO_CONTROLS,
    STANDBY_PATTERN,
    Alarm,
    FieldCommand,
    FieldStatus,
    FieldTables,
    Flash,
    Masks,
    Mode,
    ModeRequest,
    PatternRequest,
    PreemptRequest,
    PreemptState,
    Remote,
    StageRequest,
    Verdict,
    callers_of,
    check_command,
    tables_of,
)
from .loops import LoopCards
from .masks import pick_stage
from .monitor import Lights, Monitor

__all__ = ["Cabinet", "StandIn", "StandInConfig", "Wiring"]

NO_LIGHTS: Final = Lights(0, 0, 0)
EARLIEST_MS: Final = 2000  # a command from further ahead shows a wrong clock
PARTS: Final = {TRACK: PreemptState.TRACK, DWELL: PreemptState.DWELL, EXIT: PreemptState.EXIT}


@dataclass(frozen=True, slots=True)
class StandInConfig:
    """``tick_ms``: time between two advances. ``backup_ms`` 0 never falls back. ``epoch_s``: UTC at 0 of the clock."""

    tick_ms: int = 100
    backup_ms: int = 10_000
    period_ms: int = 1000
    red_revert_ms: int = 2000
    epoch_s: int = 1_704_067_200


@dataclass(slots=True)
class Cabinet:
    """The hand at the cabinet. ``manual_stage`` -1 for none; ``preempt`` inputs, bit 0 is number 1."""

    flash: bool = False
    stop_time: bool = False
    manual_stage: int = -1
    preempt: int = 0


@dataclass(slots=True)
class Wiring:
    """Faults between controller and lamps: lamps that burn always, lamps that never do."""

    stuck: Lights = NO_LIGHTS
    dead: Lights = NO_LIGHTS


class StandIn:
    """One junction and its controller. The clock is handed in: ``sense`` and ``advance`` with rising ``now_ms``.

    ``cabinet`` and ``wiring`` may be changed at any time; ``monitor`` has the malfunction log. ``backup_ms`` and
    ``config_id`` are parameters that a centre may read or write.
    """

    def __init__(self, junction: Junction, config: StandInConfig = StandInConfig()) -> None:
        self.junction = junction
        self.config = config
        self.backup_ms = config.backup_ms
        self.config_id = 1
        self.cabinet = Cabinet()
        self.wiring = Wiring()
        self.monitor = Monitor(junction)
        self.refusals: dict[Verdict, int] = {}
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
        self.controls = NO_CONTROLS
        self._machine = new_machine(self._signals)
        self._detectors = new_detectors(self._signals, self._detection)
        self._state = new_local(self._signals, self._local)
        self._orders = new_orders(1)
        self._cards = LoopCards(len(self.junction.detectors), self.config.period_ms)
        self._calls = 0
        self._written_ms: int | None = None
        self._has_fallen_back = False
        self._last_issued_ms: int | None = None
        self._last_key = 0
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
        verdict = self._verdict(command, now_ms)
        if verdict is not Verdict.ACCEPTED:
            self.refusals[verdict] = self.refusals.get(verdict, 0) + 1
            return verdict
        self._last_issued_ms, self._last_key = command.issued_ms, command.key
        self._has_restarted = False
        self.touch(now_ms)
        self._obey(command, now_ms)
        return verdict

    def touch(self, now_ms: int) -> None:
        """Restart the backup timer: some control object was written that means nothing here."""
        self._written_ms = now_ms
        self._has_fallen_back = False

    def _verdict(self, command: FieldCommand, now_ms: int) -> Verdict:
        try:
            check_command(command, self.junction)
        except BridgeError:
            return Verdict.OUT_OF_RANGE
        if command.issued_ms > now_ms + EARLIEST_MS:
            return Verdict.EARLY
        if command.expires_ms < now_ms:
            return Verdict.LATE
        if self._last_issued_ms is not None:
            if command.key and (command.key, command.issued_ms) == (self._last_key, self._last_issued_ms):
                return Verdict.DUPLICATE
            if command.issued_ms < self._last_issued_ms:
                return Verdict.STALE
        return Verdict.ACCEPTED

    def _obey(self, command: FieldCommand, now_ms: int) -> None:
        match command.order:
            case Masks() as masks:
                self.controls = replace(self.controls, masks=masks, stage=-1)
            case StageRequest(stage):
                self.controls = replace(self.controls, masks=Masks(), stage=stage)
            case PatternRequest(pattern, sync_s):
                self.controls = replace(self.controls, pattern=pattern, stage=-1)
                self._synchronise(pattern, sync_s, now_ms)
            case PreemptRequest(inputs):
                self.controls = replace(self.controls, preempt=inputs)
            case ModeRequest(Remote.LOCAL):
                self.controls = NO_CONTROLS
            case ModeRequest(remote):
                self.controls = replace(self.controls, remote=remote)

    def _synchronise(self, pattern: int, sync_s: int, now_ms: int) -> None:
        """Let the cycle of a pattern be ``sync_s`` old now."""
        if 1 <= pattern <= len(self.junction.plans):
            p = pattern - 1
            shift_ms = 0 if sync_s == MOST_SYNC_S else now_ms - 1000 * sync_s
            self._local.offset_ms[p] = (self._offset_ms[p] + shift_ms) % self._local.cycle_ms[p]

    def advance(self, now_ms: int) -> None:
        """One tick of timers, local control, signal machine and malfunction monitor."""
        self._now_ms = max(self._now_ms, now_ms)
        self._run_backup_timer()
        if not self.cabinet.stop_time:
            self._run_junction()
        if not self._machine.dark[0]:
            self.monitor.judge(self.lights(), self._now_ms, self.config.tick_ms)

    def _run_backup_timer(self) -> None:
        if self._written_ms is not None and self.backup_ms > 0:
            if self._now_ms - self._written_ms >= self.backup_ms:
                self.controls = NO_CONTROLS
                self._local.offset_ms[:] = self._offset_ms
                self._written_ms = None
                self._has_fallen_back = True

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
        masks = self.controls.masks
        if masks.force_off & ~green:
            self.controls = replace(self.controls, masks=replace(masks, force_off=masks.force_off & green))

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
        remote = self.controls.remote is Remote.FLASH or self.controls.pattern == FLASH_PATTERN
        return self.cabinet.flash or remote

    def _green(self) -> int:
        return sum(
            1 << g for g, a in enumerate(self._machine.lamps.aspect.tolist()) if a in (GREEN, PERMISSIVE)
        )

    @property
    def aspects(self) -> npt.NDArray[np.uint8]:
        """(G,) what the lamps show; all dark while the monitor has put the junction to flash."""
        shown = self._machine.lamps.aspect.copy()
        if self.monitor.latched is not None:
            shown.fill(DARK)
        return shown

    def lights(self) -> Lights:
        """The lamps that burn by the controller's will, and by its wiring's faults."""
        red = yellow = green = 0
        for g, aspect in enumerate(self._machine.lamps.aspect.tolist()):
            red |= (aspect in (RED, RED_AMBER)) << g
            yellow |= (aspect in (YELLOW, RED_AMBER, CLEARANCE)) << g
            green |= (aspect not in (RED, RED_AMBER, YELLOW, CLEARANCE, DARK)) << g
        stuck, dead = self.wiring.stuck, self.wiring.dead
        return Lights(
            (red | stuck.red) & ~dead.red,
            (yellow | stuck.yellow) & ~dead.yellow,
            (green | stuck.green) & ~dead.green,
        )

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
            on=self._on(),
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

    def _on(self) -> int:
        """Groups in green, clearance, or red clearance."""
        lamps, mask = self._machine.lamps, 0
        for g, aspect in enumerate(lamps.aspect.tolist()):
            clears = aspect == RED and self._now_ms - lamps.red_ms[g] < self._signals.clearance_ms[g]
            mask |= int(clears or aspect not in (RED, RED_AMBER, DARK)) << g
        return mask

    def _following(self) -> int:
        """Groups of the stage that the junction is on its way to, as far as they are not green."""
        if self._machine.rest[0] != IN_STAGE:
            return 0
        wanted = self._greens[int(self._machine.stage[0])] & ~int(self._machine.withheld[0])
        opened = sum(
            1 << g
            for g, aspect in enumerate(self._machine.lamps.aspect.tolist())
            if aspect in (GREEN, PERMISSIVE)
        )
        return wanted & ~opened

    def _mode(self) -> Mode:
        if self.cabinet.manual_stage >= 0 or self.cabinet.stop_time or self.cabinet.flash:
            return Mode.MANUAL
        if self._has_fallen_back:
            return Mode.BACKUP
        if self._written_ms is None:
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
