"""A run of SUMO kept for replay: loops, lamps and stages second by second, and where every vehicle was.

The run is under real control from loops alone. Recordings lie under ``runs/estimation``, named by everything that
decides them: scenario, controller, seed and the sources.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from greensplit.engine.files import atomic_path
from greensplit.engine.loop import DetectorEvents, Loop, Port
from greensplit.engine.model.site import Site
from greensplit.engine.model.toml import site_from_toml, site_to_toml
from greensplit.sim.port import TICK_MS, LoopReader, SumoPort, WatchingPort
from greensplit.sim.prepare import Prepared, prepare
from greensplit.sim.spec import RunSpec
from greensplit.sim.sumo import Simulator

from .sightings import Crossings, Places, Sightings, Watcher

__all__ = ["FOLDER", "Recording", "Tape", "read_recording", "record", "recorded"]

FOLDER = Path("runs/estimation")
SOURCES = ("engine", "controllers", "scenarios", "sim", "benchmarks/estimation/recording.py")
SOURCES_OF_TRUTH = ("benchmarks/estimation/sightings.py",)


class Tape(NamedTuple):
    """What loops and lamps did. Second t: events up to t are rows ``event_ptr[t]:event_ptr[t + 1]``."""

    event_ptr: npt.NDArray[np.int64]  # (T + 1,)
    event_detector: npt.NDArray[np.int32]  # (E,) position in ``Detection``
    event_ms: npt.NDArray[np.int64]  # (E,)
    event_on: npt.NDArray[np.uint8]  # (E,)
    aspect: npt.NDArray[np.uint8]  # (T, G) shown from second t to the next
    stage: npt.NDArray[np.int32]  # (T, J) local index; -1 where SUMO ran its own program
    settled: npt.NDArray[np.uint8]  # (T, J)


@dataclass(frozen=True)
class Recording:
    """One recorded run. Second t is the state at t seconds since its begin; vehicles at that very time."""

    scenario: str
    controller: str
    seed: int
    site_toml: str
    tape: Tape
    places: Places
    sightings: Sightings
    crossings: Crossings

    @cached_property
    def site(self) -> Site:
        """The model that the run was under."""
        return site_from_toml(self.site_toml, where=f"recording of {self.scenario}")

    @property
    def seconds(self) -> int:
        """Length of the run."""
        return len(self.tape.aspect)


def recorded(spec: RunSpec, folder: Path = FOLDER) -> Recording:
    """The recording of a specification: read where it exists, else run SUMO and keep it."""
    path = folder / f"{spec.scenario}-{spec.controller}-{spec.seed}-{_key(spec)}.npz"
    if path.exists():
        return read_recording(path)
    found = record(spec)
    _write(found, path)
    return found


def record(spec: RunSpec) -> Recording:
    """Run SUMO under the controller of a specification and watch."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(spec, Path(folder))
        simulator = Simulator(prepared.arguments)
        try:
            with simulator.speaking():
                return _watch(prepared, simulator)
        finally:
            simulator.close()


class _TapingPort:
    """A port that remembers what went through it; ``aspect`` (G,) is what is shown now."""

    def __init__(self, port: Port, groups: int) -> None:
        self.drives_lamps = port.drives_lamps
        self.aspect = np.zeros(groups, np.uint8)
        self.events: list[DetectorEvents] = []
        self._port = port

    def read(self, now_ms: int) -> DetectorEvents:
        """Detector events, kept."""
        self.events.append(self._port.read(now_ms))
        return self.events[-1]

    def observe(self, aspect: npt.NDArray[np.uint8]) -> None:
        """Lamps that SUMO switched, kept."""
        self._port.observe(aspect)
        self.aspect[:] = aspect

    def write(self, aspect: npt.NDArray[np.uint8], changed: npt.NDArray[np.uint8]) -> None:
        """Lamps that we switched, kept."""
        self._port.write(aspect, changed)
        self.aspect[:] = aspect

    def fall_back(self, junction: int) -> None:
        """Pass on."""
        self._port.fall_back(junction)


def _watch(prepared: Prepared, simulator: Simulator) -> Recording:
    spec, site, scenario = prepared.spec, prepared.site, prepared.scenario
    reader = LoopReader(simulator, prepared.detector_ids, scenario.begin_s, subscribe=False)
    make = prepared.entry.make
    inner = WatchingPort(simulator, site, reader) if make is None else SumoPort(simulator, site, reader)
    port = _TapingPort(inner, sum(len(junction.groups) for junction in site.junctions))
    loop = Loop(site, port, None if make is None else make(prepared.profile, site))
    watcher = Watcher(simulator, prepared.network, site)
    lag = 0 if port.drives_lamps else 1
    seconds = scenario.end_s - scenario.begin_s
    shown = np.zeros((seconds, len(port.aspect)), np.uint8)
    stage = np.full((seconds, len(site.junctions)), -1, np.int32)
    settled = np.zeros((seconds, len(site.junctions)), np.uint8)
    for step in range(seconds):
        watcher.look(step * TICK_MS)
        if step >= lag:
            loop.tick(step * TICK_MS, (step - lag) * TICK_MS)
            shown[step - lag] = port.aspect
            if port.drives_lamps:
                stage[step], settled[step] = loop.machine.stage, loop.machine.settled
        else:
            port.read(step * TICK_MS)
        simulator.step()
    if lag:
        shown[-1] = shown[-2]
    tape = _tape(port.events, shown, stage, settled)
    return Recording(
        spec.scenario,
        spec.controller,
        spec.seed,
        site_to_toml(site),
        tape,
        watcher.places,
        watcher.sightings(),
        watcher.crossings(),
    )


def _tape(
    events: list[DetectorEvents],
    aspect: npt.NDArray[np.uint8],
    stage: npt.NDArray[np.int32],
    settled: npt.NDArray[np.uint8],
) -> Tape:
    return Tape(
        np.cumsum([0, *(found.size for found in events)]).astype(np.int64),
        np.concatenate([found.detector for found in events]),
        np.concatenate([found.t_ms for found in events]),
        np.concatenate([found.on for found in events]),
        aspect,
        stage,
        settled,
    )


def _key(spec: RunSpec) -> str:
    """First hex digits of the SHA-256 over the specification and the sources that decide a recording."""
    root = Path(__file__).resolve().parent.parent.parent
    digest = hashlib.sha256(repr(spec).encode())
    for name in (*SOURCES, *SOURCES_OF_TRUTH):
        at = root / name
        for path in sorted(at.rglob("*.py")) if at.is_dir() else [at]:
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


PARTS: dict[str, Any] = {"tape": Tape, "places": Places, "sightings": Sightings, "crossings": Crossings}


def _write(recording: Recording, path: Path) -> None:
    arrays: dict[str, Any] = {
        name: np.array(getattr(recording, name)) for name in ("scenario", "controller", "seed", "site_toml")
    }
    for part in PARTS:
        arrays |= {f"{part}.{name}": value for name, value in getattr(recording, part)._asdict().items()}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def read_recording(path: Path) -> Recording:
    """A recording from its file."""
    with np.load(path, allow_pickle=False) as found:
        parts = {
            part: kind(**{name: found[f"{part}.{name}"] for name in kind._fields})
            for part, kind in PARTS.items()
        }
        return Recording(
            str(found["scenario"]),
            str(found["controller"]),
            int(found["seed"]),
            str(found["site_toml"]),
            **parts,
        )
