"""Kills real writers with SIGKILL at random moments and reads what they left."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from greensplit.engine.store.eventstore import EventStore, read_events

from .victim import DEVICES_PER_LIFE, PARAMETERS, SETTINGS, wall_ms

__all__ = ["Death", "Kills", "kill_repeatedly"]


class Death(NamedTuple):
    """One kill: when, and the newest event up to which all of that life are there, each once (UTC ms)."""

    life: int
    killed_ms: int
    whole_to_ms: int
    events: int


class Kills(NamedTuple):
    """``lost_s``: the longest time before a kill of which events are missing. ``wrong``: events that are missing before
    others, there twice, or changed by later lives."""

    deaths: tuple[Death, ...]
    lost_s: float
    wrong: int


def kill_repeatedly(folder: Path, kills: int, seed: int) -> Kills:
    """One store, ``kills`` writers one after the other, each killed within three seconds of its first sync."""
    draw = random.Random(seed)
    deaths, wrong = [], 0
    for life in range(kills):
        killed_ms = _killed(folder, life, draw.uniform(0.0, 3.0))
        frame = read_events(folder).collect()
        if draw.random() < 0.5:  # half of the time the next writer is the first to see what the crash left
            EventStore.open(folder, SETTINGS, wall_ms).close()
            frame = read_events(folder).collect()
        death, bad = _autopsy(frame, life, killed_ms)
        deaths.append(death)
        wrong += bad
    frame = read_events(folder).collect()
    wrong += sum(abs(_autopsy(frame, one.life, one.killed_ms)[0].events - one.events) for one in deaths)
    return Kills(tuple(deaths), max((one.killed_ms - one.whole_to_ms) / 1000 for one in deaths), wrong)


def _killed(folder: Path, life: int, after_s: float) -> int:
    """Start a writer and kill it ``after_s`` after its first sync; returns the moment."""
    command = [sys.executable, "-m", "greensplit.benchmarks.store.victim", str(folder), str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        if victim.stdout.readline() != "writing\n":
            raise SystemExit(f"life {life}: expected a writer, found one that ended")
        time.sleep(after_s)
        killed_ms = wall_ms()
        victim.kill()
    return killed_ms


def _autopsy(frame: pl.DataFrame, life: int, killed_ms: int) -> tuple[Death, int]:
    """What is left of a life; and its events behind a gap or there twice."""
    mine = frame.filter(pl.col("device_id") // DEVICES_PER_LIFE == life)
    number = (mine["device_id"] % DEVICES_PER_LIFE).cast(pl.Int64) * PARAMETERS + mine["parameter"]
    found = np.sort(number.to_numpy())
    whole = int(np.argmin(np.append(found == np.arange(len(found)), False)))
    last = mine.filter(number < whole)["timestamp"].dt.epoch("ms").max()
    return Death(life, killed_ms, int(last or 0), len(found)), len(found) - whole  # type: ignore[arg-type]
