"""Detectors: on/off events to presence, counts, occupancy and headways. Bad input is counted and never disturbs."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..events import DETECTOR_OFF, DETECTOR_ON
from ..model.compiled import Detection, Signals
from .jit import inlined, kernel
from .state import NEVER_MS

__all__ = [
    "ODD_NAMES",
    "U16_MASK",
    "U32_MASK",
    "Detectors",
    "gained",
    "new_detectors",
    "occupied_until_ms",
    "quiet_ms",
    "take_detections",
]

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

BRIEF_MS: Final = 200  # shorter than a car of 4 m over a loop of 2 m at 108 km/h
LOST_OFF_MS: Final = 2000
LONGEST_MS: Final = 65_535  # of headways and gaps, as told
U16_MASK: Final = 0xFFFF
U32_MASK: Final = 0xFFFF_FFFF

UNKNOWN, FUTURE, DISORDERED, REPEATED, LOST_OFF, UNLOGGED = range(6)
ODD_NAMES: Final = (
    "unknown detector",
    "in the future",
    "out of order",
    "repeated state",
    "on while on, its off lost",
    "not logged",
)


class Detectors(NamedTuple):
    """Per detector: presence, actuations, headways. ``odd`` counts input that was not as it should be.

    Totals that many detectors have wrap around: ``gained`` is how much one has grown since it was read.
    """

    on: U8  # (D,)
    on_ms: I64  # (D,) last on
    off_ms: I64  # (D,) last off
    actuations: I32  # (D,) so far
    occupied_ms: U32  # (D,) total time on, up to the last off, modulo 2**32
    headway_ms: U16  # (D,) between the last two ons, at most LONGEST_MS, 0 before the second
    gap_ms: U16  # (D,) between the last on and the off before it, likewise
    brief: U16  # (D,) actuations that were too short for a vehicle, modulo 2**16
    device: U32  # (D,) as in the log
    channel: U16  # (D,) as in the log
    odd: I64  # (6,) events so far, kinds as in ODD_NAMES


def new_detectors(signals: Signals, detection: Detection) -> Detectors:
    """All off, never actuated."""
    n = len(detection.channel)
    return Detectors(
        on=np.zeros(n, np.uint8),
        on_ms=np.full(n, NEVER_MS, np.int64),
        off_ms=np.full(n, NEVER_MS, np.int64),
        actuations=np.zeros(n, np.int32),
        occupied_ms=np.zeros(n, np.uint32),
        headway_ms=np.zeros(n, np.uint16),
        gap_ms=np.zeros(n, np.uint16),
        brief=np.zeros(n, np.uint16),
        device=np.repeat(signals.device_id.astype(np.uint32), np.diff(detection.detector_ptr)),
        channel=detection.channel,
        odd=np.zeros(len(ODD_NAMES), np.int64),
    )


@inlined
def occupied_until_ms(detectors: Detectors, d: int, now_ms: int) -> int:
    """Total time on of detector ``d``, with the actuation that still lasts, modulo 2**32."""
    running_ms = now_ms - detectors.on_ms[d] if detectors.on[d] else 0
    return int((np.int64(detectors.occupied_ms[d]) + max(running_ms, 0)) & U32_MASK)


@inlined
def gained(total: int, before: int, mask: int) -> int:
    """What was added to a total that wraps around at ``mask`` since it was ``before``."""
    return int((np.int64(total) - np.int64(before)) & mask)


@inlined
def quiet_ms(detectors: Detectors, d: int, now_ms: int) -> int:
    """Time since the last actuation of detector ``d`` ended, 0 while on."""
    return 0 if detectors.on[d] else int(now_ms - detectors.off_ms[d])


@kernel
def take_detections(
    detectors: Detectors,
    index: npt.NDArray[np.int32],
    t_ms: npt.NDArray[np.int64],
    on: npt.NDArray[np.uint8],
    count: int,
    now_ms: int,
    out: npt.NDArray[np.void],
) -> int:
    """Take ``count`` events into the state (modified in place) and code them into ``out``; rows written.

    ``index`` (E,) is the detector's position in ``Detection``, ``on`` (E,) 0 or not. Events of one detector should
    come in the order of time. What is not as it should be is taken like this, and counted in ``detectors.odd``:

    - an unknown detector, or more than E events: dropped (the latter uncounted);
    - later than ``now_ms``: at ``now_ms``;
    - earlier than the detector's last change: at that change, so that no time on is negative;
    - a repeated off, or an on at most 2 s after the last on: ignored, not logged;
    - an on later than that while on: the off between them was lost. A new actuation, the lost off midway, as readers
      of such logs put it; only the on is logged;
    - more changes than ``out`` has rows: taken, not logged.
    """
    written = 0
    for i in range(min(count, len(index), len(t_ms), len(on))):
        d = index[i]
        if d < 0 or d >= len(detectors.on):
            detectors.odd[UNKNOWN] += 1
            continue
        at_ms = t_ms[i]
        last_ms = max(detectors.on_ms[d], detectors.off_ms[d])
        if at_ms > now_ms:
            detectors.odd[FUTURE] += 1
            at_ms = now_ms
        if at_ms < last_ms:
            detectors.odd[DISORDERED] += 1
            at_ms = last_ms
        is_on = on[i] != 0
        if (detectors.on[d] != 0) == is_on:
            if not is_on or at_ms - detectors.on_ms[d] <= LOST_OFF_MS:
                detectors.odd[REPEATED] += 1
                continue
            detectors.odd[LOST_OFF] += 1
            _end(detectors, d, (detectors.on_ms[d] + at_ms) // 2)
        if is_on:
            _begin(detectors, d, at_ms)
        else:
            _end(detectors, d, at_ms)
        if written == len(out):
            detectors.odd[UNLOGGED] += 1
            continue
        row = out[written]
        row["t_ms"] = at_ms
        row["device"] = detectors.device[d]
        row["event"] = DETECTOR_ON if is_on else DETECTOR_OFF
        row["parameter"] = detectors.channel[d]
        written += 1
    return written


@inlined
def _begin(detectors: Detectors, d: int, at_ms: int) -> None:
    if detectors.actuations[d]:
        detectors.headway_ms[d] = min(at_ms - detectors.on_ms[d], LONGEST_MS)
        detectors.gap_ms[d] = min(at_ms - detectors.off_ms[d], LONGEST_MS)
    detectors.on[d] = 1
    detectors.on_ms[d] = at_ms
    detectors.actuations[d] += 1


@inlined
def _end(detectors: Detectors, d: int, at_ms: int) -> None:
    lasted_ms = at_ms - detectors.on_ms[d]
    detectors.on[d] = 0
    detectors.off_ms[d] = at_ms
    detectors.occupied_ms[d] = (np.int64(detectors.occupied_ms[d]) + lasted_ms) & U32_MASK
    if lasted_ms < BRIEF_MS:
        detectors.brief[d] = (np.int64(detectors.brief[d]) + 1) & U16_MASK
