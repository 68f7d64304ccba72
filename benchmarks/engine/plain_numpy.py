"""The signal part of a tick as one would write it in numpy: detectors, signal machine, interlock.

For cities whose junctions are all alike and have neither red-amber nor flashing green nor turns that yield to opposing
traffic: less than the kernels do, on whole arrays of (junctions, groups) and (junctions, groups, groups).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from greensplit.engine.kernels.state import NEVER_MS
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import CONFLICT, HAS_PRIORITY, NO_MEETING, YIELDS, Signals

__all__ = ["NumpyTick"]

Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int64]


class NumpyTick:
    """State of a city and one method per part of the tick."""

    def __init__(self, signals: Signals, detectors: int) -> None:
        """Take the tables of the first junction for all."""
        junctions, n = len(signals.device_id), int(signals.group_ptr[1])
        self.meeting = signals.meeting[: n * n].reshape(n, n)
        self.intergreen_ms = signals.intergreen_ms[: n * n].reshape(n, n).astype(np.int64)
        self.stages = signals.stage_aspect[: n * int(signals.stage_ptr[1])].reshape(-1, n)
        self.stop_aspect, self.stop_ms = signals.stop_aspect[:n, 0], signals.stop_ms[:n, 0]
        self.min_green_ms, self.revert_ms = signals.min_green_ms[:n], signals.revert_ms
        self.aspect = np.zeros((junctions, n), np.uint8)
        self.since_ms, self.green_ms, self.end_ms, self.red_ms = (
            np.full((junctions, n), NEVER_MS) for _ in range(4)
        )
        self.guard = [self.aspect.copy(), *(self.since_ms.copy() for _ in range(4))]
        self.stage = np.zeros(junctions, np.int64)
        self.settled = np.zeros(junctions, np.bool_)
        self.on = np.zeros(detectors, np.bool_)
        self.on_ms, self.off_ms = np.full(detectors, NEVER_MS), np.full(detectors, NEVER_MS)
        self.actuations, self.occupied_ms = np.zeros(detectors, np.int64), np.zeros(detectors, np.int64)

    def tick(self, events: DetectorEvents, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """Detectors, machine, interlock; a refusal is an error."""
        self.take(events)
        self.advance(request, now_ms)
        if self.refused(now_ms).any():
            raise AssertionError("expected no refusal")

    def take(self, events: DetectorEvents) -> None:
        """Events in order of time; each detector goes on before it goes off."""
        on = events.on.astype(np.bool_)
        came, t_on = events.detector[on], events.t_ms[on]
        left, t_off = events.detector[~on], events.t_ms[~on]
        self.on_ms[came] = t_on
        np.add.at(self.actuations, came, 1)
        self.off_ms[left] = t_off
        np.add.at(self.occupied_ms, left, t_off - self.on_ms[left])
        self.on[events.detector] = on

    def advance(self, request: npt.NDArray[np.int32], now_ms: int) -> None:
        """One tick of the signal machine."""
        self._accept(request)
        wanted = self.stages[self.stage]
        stops = (self.aspect > PERMISSIVE) & (now_ms - self.since_ms >= self.stop_ms)
        self._show(stops, RED, now_ms)
        self.red_ms[stops] = now_ms
        must_end = _is_green(self.aspect) & (wanted == RED)
        ends = must_end & (now_ms - self.green_ms >= self.min_green_ms)
        self._show(ends, np.broadcast_to(self.stop_aspect, ends.shape)[ends], now_ms)
        self.end_ms[ends] = now_ms
        demoted = (self.aspect == GREEN) & (wanted == PERMISSIVE)
        self._show(demoted, PERMISSIVE, now_ms)
        self._start(wanted, must_end & ~ends, now_ms)
        self._promote(wanted, now_ms)
        full = (self.aspect == wanted) | ((wanted == RED) & ~_is_green(self.aspect))
        self.settled |= full.all(axis=1)

    def _show(self, where: Bools, aspect: Any, now_ms: int) -> None:
        self.aspect[where] = aspect
        self.since_ms[where] = now_ms

    def _accept(self, request: npt.NDArray[np.int32]) -> None:
        news = (request >= 0) & (request < len(self.stages)) & (request != self.stage)
        before, after = self.stages[self.stage], self.stages[np.where(news, request, self.stage)]
        under_way = _is_green(self.aspect) != (before != RED)
        met = under_way | (under_way.astype(np.uint8) @ (self.meeting != NO_MEETING).astype(np.uint8) > 0)
        news &= self.settled | ~((before != after) & met).any(axis=1)
        self.stage[news] = request[news]
        self.settled[news] = False

    def _start(self, wanted: npt.NDArray[np.uint8], ending: Bools, now_ms: int) -> None:
        """Group by group, since one that starts may keep the next from it."""
        for a in range(self.aspect.shape[1]):
            may = (self.aspect[:, a] == RED) & (wanted[:, a] != RED)
            may &= now_ms - self.red_ms[:, a] >= self.revert_ms
            relation, green = self.meeting[a], _is_green(self.aspect)
            cleared = now_ms - self.end_ms >= self.intergreen_ms[:, a]
            beside = (relation == YIELDS) & (wanted[:, a] == PERMISSIVE)[:, None]
            beside = beside | ((relation == HAS_PRIORITY) & (self.aspect == PERMISSIVE))
            fine = np.where(green, beside & ~ending, cleared) | (relation == NO_MEETING)
            may &= fine.all(axis=1)
            self.aspect[may, a] = wanted[may, a]
            self.since_ms[may, a] = now_ms
            self.green_ms[may, a] = now_ms

    def _promote(self, wanted: npt.NDArray[np.uint8], now_ms: int) -> None:
        for a in range(self.aspect.shape[1]):
            over = self.meeting[:, a] == HAS_PRIORITY
            open_or_recent = _is_green(self.aspect) | (now_ms - self.end_ms < self.intergreen_ms[:, a])
            promoted = (self.aspect[:, a] == PERMISSIVE) & (wanted[:, a] == GREEN)
            promoted &= ~(over & open_or_recent).any(axis=1)
            self.aspect[promoted, a] = GREEN
            self.since_ms[promoted, a] = now_ms

    def refused(self, now_ms: int) -> Bools:
        """(junctions,) where the step from what was shown breaks a rule; else it is shown."""
        shown, since_ms, green_ms, end_ms, red_ms = self.guard
        goes, went = _is_green(self.aspect), _is_green(shown)
        ends, starts = went & ~goes, goes & ~went
        fault = ends & (now_ms - green_ms < self.min_green_ms)
        fault |= ends & (self.aspect != self.stop_aspect)
        fault |= (shown > PERMISSIVE) & (self.aspect != shown) & (now_ms - since_ms < self.stop_ms)
        fault |= (shown > PERMISSIVE) & (self.aspect != shown) & (self.aspect != RED)
        fault |= starts & ((shown != RED) | (now_ms - red_ms < self.revert_ms))
        ended_ms = np.where(went, now_ms, end_ms)
        promoted = (self.aspect == GREEN) & (shown == PERMISSIVE)
        early = (now_ms - ended_ms)[:, :, None] < self.intergreen_ms
        opens = starts[:, None, :] | (promoted[:, None, :] & (self.meeting == HAS_PRIORITY))
        pairs = ~goes[:, :, None] & opens & early & (self.meeting != NO_MEETING)
        both = goes[:, :, None] & goes[:, None, :]
        pairs |= both & (self.meeting == CONFLICT)
        pairs |= both & (self.meeting == YIELDS) & (self.aspect == GREEN)[:, :, None]
        news = (self.aspect != shown) & (goes != went)
        news |= (self.aspect != shown) & ~goes
        since_ms[news] = now_ms
        green_ms[starts] = now_ms
        end_ms[ends] = now_ms
        red_ms[news & (self.aspect == RED)] = now_ms
        shown[:] = self.aspect
        refused: Bools = fault.any(axis=1) | pairs.any(axis=(1, 2))
        return refused


def _is_green(aspect: npt.NDArray[np.uint8]) -> Bools:
    green: Bools = (aspect == GREEN) | (aspect == PERMISSIVE)
    return green
