"""A recording fed to health and estimation, tick by tick, as the loop does: loops up to now, lamps until now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.events import EVENT_DTYPE
from greensplit.engine.kernels.detectors import Detectors, new_detectors, take_detections
from greensplit.engine.kernels.estimation.expected_flow import expect_at_loops
from greensplit.engine.kernels.estimation.traffic import Traffic, new_traffic
from greensplit.engine.kernels.estimation.travel import approach_lanes, compile_travel
from greensplit.engine.kernels.estimation.update import update_traffic
from greensplit.engine.kernels.health.assess import assess_detectors
from greensplit.engine.kernels.health.peers import compile_peers
from greensplit.engine.kernels.health.state import new_health, new_memory
from greensplit.engine.kernels.state import Lamps, new_lamps
from greensplit.engine.model.aspects import GREEN, PERMISSIVE, RED
from greensplit.engine.model.compiled import compile_detection, compile_signals
from greensplit.engine.model.upstream import compile_links
from greensplit.sim.spec import RunSpec

from .recording import Recording, Tape, recorded

__all__ = ["Damage", "damaged", "judge_recordings", "no_damage", "replay"]

DEAD_SHARE = 0.2


def judge_recordings(
    specs: Iterable[RunSpec], judge: Callable[[Recording, float], dict[str, Any]]
) -> dict[str, Any]:
    """What ``judge`` finds in each recording, with no loop dead and with a share of DEAD_SHARE dead."""
    found: dict[str, Any] = {}
    for spec in specs:
        recording = recorded(spec)
        name = f"{spec.scenario} {spec.controller} {spec.seed}"
        found[name] = judge(recording, 0.0)
        found[f"{name}, {DEAD_SHARE:.0%} of loops dead"] = judge(recording, DEAD_SHARE)
    return found


class Damage(NamedTuple):
    """Loops that are dead from the start."""

    dead: npt.NDArray[np.bool_]  # (D,)
    stuck_on: npt.NDArray[np.bool_]  # (D,) of the dead


def no_damage(detectors: int) -> Damage:
    """All loops sound."""
    return Damage(np.zeros(detectors, np.bool_), np.zeros(detectors, np.bool_))


def damaged(detectors: int, share: float, seed: int) -> Damage:
    """That share of the loops dead, at random, half of them stuck on."""
    rng = np.random.default_rng(seed)
    dead = np.zeros(detectors, np.bool_)
    dead[rng.permutation(detectors)[: round(share * detectors)]] = True
    return Damage(dead, dead & (rng.random(detectors) < 0.5))


def replay(recording: Recording, damage: Damage | None = None) -> Iterator[tuple[int, Traffic]]:
    """Every second of a recording, and the traffic estimated for it: the same arrays each time.

    Nobody is told which loops are dead: the tests of health find them, or do not, and their ladder stands in.
    """
    site, tape = recording.site, recording.tape
    signals, detection, links = compile_signals(site), compile_detection(site), compile_links(site)
    travel = compile_travel(detection, links, approach_lanes(site))
    detectors, lamps = new_detectors(signals, detection), new_lamps(len(signals.min_green_ms))
    traffic = new_traffic(signals, detection, links, travel)
    damage = damage or no_damage(len(detection.channel))
    peers = compile_peers(site)
    health, memory = new_health(peers), new_memory(peers)
    upstream_per_s = np.full(len(detection.channel), np.nan, np.float32)
    alarms = np.zeros(len(detection.channel), EVENT_DTYPE)
    stage = np.zeros(len(signals.device_id), np.int32)
    stuck = np.flatnonzero(damage.stuck_on).astype(np.int32)
    _take_events(detectors, 0, stuck, np.zeros(len(stuck), np.int64), np.ones(len(stuck), np.uint8))
    for second in range(recording.seconds):
        now_ms = 1000 * second
        _take_events(detectors, now_ms, *_sound_events(tape, second, damage))
        expect_at_loops(detection, links, travel, traffic.outflow, traffic.arrivals, upstream_per_s)
        assess_detectors(peers, detectors, health, memory, upstream_per_s, now_ms, now_ms, alarms)
        update_traffic(
            signals.group_ptr,
            detection,
            links,
            travel,
            detectors,
            lamps,
            stage,
            health.level,
            health.rate_per_s,
            traffic,
            now_ms,
        )
        yield second, traffic
        _show_lamps(lamps, tape.aspect[second], now_ms)
        stage = np.maximum(tape.stage[second], 0).astype(np.int32)


def _sound_events(
    tape: Tape, t: int, damage: Damage
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Detector, time and state of the events of second ``t`` at loops that are not dead."""
    rows = slice(tape.event_ptr[t], tape.event_ptr[t + 1])
    sound = ~damage.dead[tape.event_detector[rows]]
    return tape.event_detector[rows][sound], tape.event_ms[rows][sound], tape.event_on[rows][sound]


def _take_events(
    detectors: Detectors,
    now_ms: int,
    index: npt.NDArray[np.int32],
    t_ms: npt.NDArray[np.int64],
    on: npt.NDArray[np.uint8],
) -> None:
    """Hand events to the detectors; nothing is logged."""
    out = np.zeros(len(index), EVENT_DTYPE)
    take_detections(detectors, index, t_ms, on, len(index), now_ms, out)


def _show_lamps(lamps: Lamps, aspect: npt.NDArray[np.uint8], now_ms: int) -> None:
    """Note what is shown from now on, and since when."""
    changed = lamps.aspect != aspect
    was_green = (lamps.aspect == GREEN) | (lamps.aspect == PERMISSIVE)
    is_green = (aspect == GREEN) | (aspect == PERMISSIVE)
    lamps.since_ms[changed] = now_ms
    lamps.green_ms[is_green & ~was_green] = now_ms
    lamps.end_ms[was_green & ~is_green] = now_ms
    lamps.red_ms[changed & (aspect == RED)] = now_ms
    lamps.aspect[:] = aspect
