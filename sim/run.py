"""The main job: one closed-loop run, from a specification to a run directory that says everything about itself."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from greensplit.engine.analytics.report import render_report
from greensplit.engine.errors import OutputError, StorageError
from greensplit.engine.files import write_atomically
from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.loop import Loop
from greensplit.engine.model.toml import write_site
from greensplit.engine.store.logfile import event_frame, write_log
from greensplit.engine.store.tables import write_table

from .geometry import network_drawing
from .links import is_gridlocked, read_links
from .outputs import scan_output
from .port import TICK_MS, LoopReader, SumoPort, WatchingPort
from .prepare import Prepared, prepare
from .spec import RunSpec
from .sumo import Simulator
from .trajectories import read_trajectories
from .trips import read_tripinfo, summarise, trip_table
from .truth import Eyes

__all__ = ["Outcome", "Progress", "run"]

Progress = Callable[[float], None]
"""Called with the share done, 0 to 1."""

PACKAGES = ("greensplit", "eclipse-sumo", "numpy", "numba", "polars", "sumo-rl")


@dataclass(slots=True)
class Outcome:
    """What the closed loop left: the loop with its log, how far it came, and the times it took."""

    loop: Loop
    end_s: int
    partial: bool
    inside_s: float
    loop_s: float
    emission_classes: dict[str, str]


def run(
    spec: RunSpec, out: Path | None = None, *, progress: Progress | None = None, keep_log: bool = True
) -> dict[str, Any]:
    """Run a specification and return its summary; with ``out``, leave a run directory there.

    ``keep_log`` False leaves out events, trips, drawings and the report. The directory appears only when it is
    whole; Ctrl-C ends the run early and leaves a valid one marked partial.
    Raises InputError and WorkError of every kind.
    """
    started = time.perf_counter()
    if out is not None:
        _must_be_free(out)
    with _workplace(out) as folder:
        prepared = prepare(spec, folder)
        outcome = close_the_loop(prepared, progress or _silent)
        summary = _summary(prepared, outcome, started)
        if out is not None:
            _write_run(prepared, outcome, summary, folder / "run", keep_log)
            _publish(folder / "run", out)
    return summary


def _silent(_: float) -> None:
    """No progress is shown."""


def _must_be_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out}: expected a new or empty run directory, found one with something in it")


@contextmanager
def _workplace(out: Path | None) -> Iterator[Path]:
    """A folder for SUMO's files beside the run directory, gone afterwards."""
    try:
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".greensplit-", dir=None if out is None else out.parent))
    except OSError as err:
        raise OutputError(f"{out}: expected a place to write to, found: {err.strerror}") from err
    try:
        (folder / "run").mkdir()
        yield folder
    except OSError as err:
        raise StorageError(f"{out or folder}: could not write: {err.strerror or err}") from err
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, out: Path) -> None:
    if out.exists():
        out.rmdir()
    folder.rename(out)


@contextmanager
def _interrupt_flag() -> Iterator[list[bool]]:
    """A flag that the first Ctrl-C raises; the second interrupts at once."""
    flag = [False]
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: object) -> None:
        flag[0] = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, before)


def close_the_loop(prepared: Prepared, progress: Progress) -> Outcome:
    """Run SUMO and the loop together through the window."""
    spec, scenario = prepared.spec, prepared.scenario
    simulator = Simulator(prepared.arguments, traci=spec.traci, gui=spec.gui)
    try:
        with _interrupt_flag() as interrupted, simulator.speaking():
            loop = _new_loop(prepared, simulator)
            lag_ms = 0 if loop.port.drives_lamps else TICK_MS
            steps = scenario.end_s - scenario.begin_s
            started = time.perf_counter()
            for step in range(steps):
                if step * TICK_MS >= lag_ms:
                    loop.tick(step * TICK_MS, step * TICK_MS - lag_ms)
                simulator.step()
                if step % 60 == 0:
                    progress(step / steps)
                if interrupted[0]:
                    break
            end_s = scenario.begin_s + step + 1
            loop_s = time.perf_counter() - started
            classes = _emission_classes(simulator)
        progress(1.0)
    finally:
        simulator.close()
    return Outcome(loop, end_s, end_s < scenario.end_s, simulator.inside_s, loop_s, classes)


def _new_loop(prepared: Prepared, simulator: Simulator) -> Loop:
    spec, site = prepared.spec, prepared.site
    reader = LoopReader(
        simulator,
        prepared.detector_ids,
        prepared.scenario.begin_s,
        subscribe=spec.traci or spec.gui,
    )
    if prepared.entry.make is None:
        return Loop(site, WatchingPort(simulator, site, reader), None)
    eyes = Eyes(simulator, site, prepared.network) if prepared.vision == "perfect" else None
    controller = prepared.entry.make(prepared.profile)
    return Loop(site, SumoPort(simulator, site, reader), controller, eyes)


def _emission_classes(simulator: Simulator) -> dict[str, str]:
    """Emission class of every vehicle type that SUMO knows."""
    types = simulator.api.vehicletype
    return {kind: types.getEmissionClass(kind) for kind in types.getIDList()}


def _summary(prepared: Prepared, outcome: Outcome, started: float) -> dict[str, Any]:
    spec = prepared.spec
    table = measured_trips(prepared, outcome)
    links = read_links(prepared.folder / "links.xml")
    findings = outcome.loop.interlock_findings
    drives = outcome.loop.port.drives_lamps
    wall_s = time.perf_counter() - started
    return {
        "scenario": prepared.scenario.name,
        "controller": prepared.entry.name,
        "vision": prepared.vision,
        "profile": spec.profile,
        "seed": spec.seed,
        "demand_seed": spec.demand_seed,
        "scale": spec.scale,
        "begin_s": prepared.scenario.begin_s,
        "end_s": outcome.end_s,
        "partial": outcome.partial,
        **summarise(table, outcome.end_s),
        "throughput_veh_per_h": round(
            3600.0
            * table.filter(pl.col("arrival_s").is_not_null()).height
            / max(outcome.end_s - prepared.scenario.begin_s - spec.warmup_s, 1),
            2,
        ),
        "collisions": _count_collisions(prepared.folder / "collisions.xml"),
        "gridlock": is_gridlocked(links),
        "interlock_refusals": findings if drives else 0,
        "would_refuse": 0 if drives else findings,
        "switches": len(outcome.loop.decisions.rows) if drives else None,
        "wall_s": round(wall_s, 3),
        "simulator_s": round(outcome.inside_s, 3),
        "decide_s": round(outcome.loop.decide_s, 3),
        "outside_s": round(outcome.loop_s - outcome.inside_s - outcome.loop.decide_s, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "versions": versions(),
    }


def measured_trips(prepared: Prepared, outcome: Outcome) -> pl.DataFrame:
    """Trips of the vehicles that count: due after the warm-up and before the run ended."""
    from_s = prepared.scenario.begin_s + prepared.spec.warmup_s
    due = prepared.scheduled.filter(pl.col("depart_s").is_between(from_s, outcome.end_s, closed="left"))
    trips = read_tripinfo(prepared.folder / "tripinfo.xml")
    return trip_table(due, trips, outcome.end_s, outcome.emission_classes)


def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _count_collisions(path: Path) -> int:
    count = [0]

    def on_start(tag: str, _: object) -> None:
        count[0] += tag == "collision"

    scan_output(path, on_start)
    return count[0]


def _write_run(
    prepared: Prepared, outcome: Outcome, summary: dict[str, Any], folder: Path, keep_log: bool
) -> None:
    """Fill a run directory."""
    _write_json(folder / "run.json", _manifest(prepared, outcome))
    _write_json(folder / "summary.json", summary)
    write_table(prepared.scheduled, folder / "scheduled.parquet")
    if not keep_log:
        return
    epoch = datetime.fromisoformat(prepared.spec.epoch)
    write_log(event_frame(outcome.loop.events.rows(), epoch), folder / "events")
    write_table(measured_trips(prepared, outcome), folder / "trips.parquet")
    write_table(read_links(prepared.folder / "links.xml"), folder / "links.parquet")
    write_table(_decisions(prepared, outcome, epoch), folder / "decisions.parquet")
    drawing = network_drawing(prepared.network, prepared.site, prepared.corridor)
    _write_json(folder / "network.json", drawing)
    write_site(prepared.site, folder / "model.toml")
    write_atomically(folder / "detectors.csv", _detector_table(prepared).write_csv().encode())
    if prepared.corridor is not None:
        trajectories = read_trajectories(prepared.network, prepared.corridor, prepared.folder / "fcd.xml")
        write_table(trajectories, folder / "corridor.parquet")
    render_report([folder], folder / "report.html", bundle_cache=cache_home(os.environ) / "charts")


def _write_json(path: Path, value: Any) -> None:
    write_atomically(path, (json.dumps(value, indent=1, sort_keys=True) + "\n").encode())


def _manifest(prepared: Prepared, outcome: Outcome) -> dict[str, Any]:
    return {
        "scenario": prepared.scenario.name,
        "controller": prepared.entry.name,
        "vision": prepared.vision,
        "profile": prepared.spec.profile,
        "seed": prepared.spec.seed,
        "demand_seed": prepared.spec.demand_seed,
        "scale": prepared.spec.scale,
        "begin_s": prepared.scenario.begin_s,
        "end_s": outcome.end_s,
        "epoch": prepared.spec.epoch,
        "partial": outcome.partial,
        "complete": not outcome.partial,
        "source": prepared.scenario.source,
        "licence": prepared.scenario.licence,
        "assumptions": list(prepared.site.assumptions),
        "refusals": [refusal._asdict() for refusal in outcome.loop.refusals[:1000]],
        "configuration": prepared.spec.plain(),
        "scenario_hash": scenario_hash(prepared),
        "versions": versions(),
    }


def scenario_hash(prepared: Prepared) -> str:
    """SHA-256 over the scenario's network and demand files."""
    digest = hashlib.sha256()
    scenario = prepared.scenario
    for path in (scenario.net_file, *scenario.route_files, *scenario.additional_files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _decisions(prepared: Prepared, outcome: Outcome, epoch: datetime) -> pl.DataFrame:
    """Switches with their reasons; stages by name."""
    start_ms = round(epoch.timestamp() * 1000)
    junctions = prepared.site.junctions
    rows = [
        (
            start_ms + d.t_ms,
            junctions[d.junction].device_id,
            junctions[d.junction].stages[d.from_stage].name,
            junctions[d.junction].stages[d.to_stage].name,
            d.kind,
            d.reason,
            d.score,
            junctions[d.junction].stages[d.runner_up].name,
            d.runner_up_score,
        )
        for d in outcome.loop.decisions.rows
    ]
    return pl.DataFrame(
        rows,
        schema={
            "timestamp": pl.Int64,
            "device_id": pl.UInt32,
            "from_stage": pl.String,
            "to_stage": pl.String,
            "kind": pl.String,
            "reason": pl.String,
            "best_cost": pl.Float64,
            "runner_up": pl.String,
            "runner_up_cost": pl.Float64,
        },
        orient="row",
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


_FUNCTIONS = {"stop_bar": "Presence", "advance": "Advance"}


def _detector_table(prepared: Prepared) -> pl.DataFrame:
    """Detector configuration as analysts' tools expect it: DeviceId, Phase, Parameter, Function, and the lane."""
    rows = [
        (
            junction.device_id,
            group,
            detector.channel,
            _FUNCTIONS[detector.kind],
            detector.lane,
            detector.distance_m,
        )
        for junction in prepared.site.junctions
        for detector in junction.detectors
        if detector.kind in _FUNCTIONS
        for group in detector.groups
    ]
    schema = ["DeviceId", "Phase", "Parameter", "Function", "Lane", "DistanceM"]
    return pl.DataFrame(rows, schema=schema, orient="row")
