"""Between the loop and a bridge: detector events and lamps as the field tells them, stages as the field takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.machine import KEEP
from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED_AMBER
from greensplit.engine.model.compiled import YIELDS, compile_detection, compile_signals
from greensplit.engine.model.site import Site

from .base import Bridge, Spoken
from .field import (
    NO_CONTROLS,
    FieldStatus,
    Masks,
    Mode,
    ModeRequest,
    Order,
    Remote,
    StageRequest,
    callers_of,
)
from .guard import Guard
from .reconstruct import Change, Quality, Reconstruction
from .standing import is_local

__all__ = ["FieldPort"]


OPEN: Final = (GREEN, PERMISSIVE, RED_AMBER)


class FieldPort:
    """The port of a ``FieldLoop``. ``spoken`` says per junction how it is asked for stages, by default as the
    bridge does it best.

    ``changes`` counts detector changes by Quality. ``guard`` holds what was refused.
    """

    drives_lamps = False

    def __init__(self, bridge: Bridge, site: Site, spoken: Sequence[Spoken] = ()) -> None:
        self.bridge = bridge
        self.guard = Guard(site)
        self.changes = [0] * len(Quality)
        self._site = site
        self._spoken = tuple(spoken) or (bridge.spoken[0],) * len(site.junctions)
        self._signals = compile_signals(site)
        self._detector_ptr = compile_detection(site).detector_ptr
        self._greens = [
            [sum(1 << number - 1 for number in stage.green) for stage in junction.stages]
            for junction in site.junctions
        ]
        self._detections = [Reconstruction(len(junction.detectors)) for junction in site.junctions]
        self._status: list[FieldStatus | None] = [None] * len(site.junctions)
        self._aim = np.full(len(site.junctions), KEEP, np.int32)
        self._shown = np.zeros(len(self._signals.min_green_ms), np.uint8)
        self._end_ms = np.full(len(self._shown), NEVER_MS, np.int64)
        self._callers = [callers_of(junction) for junction in site.junctions]
        self._waits = np.zeros(len(self._shown), np.uint8)

    def sample(self, now_ms: int) -> None:
        """A fast look at the detectors, some times a second."""
        for j, bits in self.bridge.sample(now_ms):
            self._detections[j].take(bits)

    def read(self, now_ms: int) -> DetectorEvents:
        """A look at everything; detector events since the last one."""
        self.look(now_ms)
        changes: list[tuple[int, Change]] = []
        for j, status in enumerate(self._status):
            if status is None:
                self._detections[j].forget()
            elif status.t_ms <= now_ms:
                changes += [(j, change) for change in self._detections[j].finish(status)]
        for _, change in changes:
            self.changes[change.quality] += 1
        return DetectorEvents(
            np.array([self._detector_ptr[j] + change.detector for j, change in changes], np.int32),
            np.array([change.t_ms for _, change in changes], np.int64),
            np.array([change.on for _, change in changes], np.uint8),
            len(changes),
        )

    def look(self, now_ms: int) -> None:
        """Ask all controllers how they are: what ``observe`` and ``aims`` tell."""
        self.bridge.read(now_ms)
        for j in range(len(self._site.junctions)):
            self._status[j] = status = self.bridge.status(j, now_ms)
            self._note_calls(j, status)
            if status is not None:
                self._note(j, status, now_ms)
        self.guard.see(self._shown, now_ms, self._waits)

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Lamps as they were seen last; where nobody answers, as they were before."""
        aspect[:] = self._shown

    def aims(self, aim: npt.NDArray[np.int32]) -> None:
        """Stages that the controllers show or are on their way to."""
        aim[:] = self._aim

    def ask(self, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """Check the stages and send them, in one go; what the guard refuses is given back."""
        orders: dict[int, Order] = {}
        for j, status in enumerate(self._status):
            stage = int(request[j]) if request[j] != KEEP else int(self._aim[j])
            if status is None or (stage < 0 and not self.guard.refused[j]):
                continue
            order = self._order(j, stage, status, now_ms)
            if self.guard.allows(j, order, now_ms):
                orders[j] = order
            elif status.controls != NO_CONTROLS:
                orders[j] = ModeRequest(Remote.LOCAL)
        self.bridge.write(orders, now_ms)

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Not needed: controllers switch their own lamps."""

    def fall_back(self, junction: int) -> None:
        """Not needed: a controller that is not written to falls back by itself."""

    def _order(self, j: int, stage: int, status: FieldStatus, now_ms: int) -> Order:
        greens = self._greens[j]
        if self._spoken[j] is Spoken.STAGE or not 0 <= stage < len(greens):
            return StageRequest(stage)
        everybody = (1 << len(self._site.junctions[j].groups)) - 1
        green = sum(1 << g for g, a in enumerate(status.aspects) if a in (GREEN, PERMISSIVE))
        wanted = greens[stage]
        return Masks(
            hold=wanted & green,
            force_off=green & ~wanted & self.guard.has_had_minimum(j, now_ms),
            omit=everybody & ~wanted,
            call=wanted,
        )

    def _note_calls(self, j: int, status: FieldStatus | None) -> None:
        """Who calls, as the controller tells or as its detectors show, while we are those who decide."""
        first, last = int(self._signals.group_ptr[j]), int(self._signals.group_ptr[j + 1])
        calls = 0
        if status is not None and status.mode is Mode.SYSTEM and not is_local(status):
            calls = status.calls
            for d, mask in enumerate(self._callers[j]):
                if status.detector_on & ~status.detector_alarm & 1 << d:
                    calls |= mask
        for g in range(last - first):
            self._waits[first + g] = calls >> g & 1

    def _note(self, j: int, status: FieldStatus, now_ms: int) -> None:
        first = int(self._signals.group_ptr[j])
        shown = np.array(status.aspects, np.uint8)
        before = self._shown[first : first + len(shown)].copy()
        went = (before == GREEN) | (before == PERMISSIVE)
        goes = (shown == GREEN) | (shown == PERMISSIVE)
        self._end_ms[first : first + len(shown)][went & ~goes] = now_ms
        self._aim[j] = self._told_aim(j, status)
        for a in np.flatnonzero(goes):
            shown[a] = PERMISSIVE if self._yields(j, int(a), shown, int(before[a]), now_ms) else GREEN
        self._shown[first : first + len(shown)] = shown

    def _told_aim(self, j: int, status: FieldStatus) -> int:
        """The stage that the controller names; else that with the greens that stay and follow, the first of such."""
        if status.stage >= 0:
            return status.stage
        ends = sum(1 << g for g, a in enumerate(status.aspects) if a not in OPEN)
        wanted = status.on & ~ends | status.following
        return next((s for s, green in enumerate(self._greens[j]) if green == wanted), int(self._aim[j]))

    def _yields(self, j: int, a: int, shown: npt.NDArray[np.uint8], before: int, now_ms: int) -> bool:
        """Is this green permissive? Protocols do not tell: it is in its stage, and beside those that it yields to.

        It stays so until they have been cleared.
        """
        signals, n = self._signals, len(shown)
        if self._aim[j] >= 0:
            stage = int(signals.stage_ptr[j]) + int(self._aim[j])
            if signals.stage_aspect[signals.stage_aspect_ptr[stage] + a] == PERMISSIVE:
                return True
        first, pairs = int(signals.group_ptr[j]), int(signals.pair_ptr[j])
        for b in range(n):
            if signals.meeting[pairs + a * n + b] == YIELDS:
                if int(shown[b]) in OPEN:
                    return True
                cleared_ms = self._end_ms[first + b] + signals.intergreen_ms[pairs + b * n + a]
                if before == PERMISSIVE and now_ms < cleared_ms:
                    return True
        return False
