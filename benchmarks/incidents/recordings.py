"""Days of one arterial in SUMO, kept as bins: each is simulated once per specification and versions."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from greensplit.engine.analytics.incidents.series import LanePlace, LaneSeries, lane_series, lanes_of
from greensplit.engine.files import atomic_path, write_atomically
from greensplit.engine.model.toml import read_site
from greensplit.engine.store.logfile import read_log
from greensplit.scenarios.incidents import IncidentKind, write_incidents
from greensplit.sim.apart import simulate_apart
from greensplit.sim.incidents import IncidentDraw, draw_incidents
from greensplit.sim.network import read_network
from greensplit.sim.prepare import load_scenario, load_site
from greensplit.sim.record import versions
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

__all__ = ["BIN_S", "DAY_S", "Day", "Recording", "record"]

BIN_S = 20.0
DAY_S = 86_400
HOURS = "0.15,0.1,0.08,0.08,0.12,0.3,0.8,1.4,1.5,1.2,1.05,1.05,1.1,1.1,1.15,1.3,1.5,1.6,1.3,0.95,0.7,0.55,0.4,0.25"
INCIDENT_HOURS_S = (6 * 3600, 22 * 3600)
FORMAT = 2


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the arterial: ``seed`` draws departures and drivers, ``incidents`` is how many happen (0: none)."""

    seed: int
    incidents: int = 0
    kinds: tuple[str, ...] = ("stalled", "closed")
    controller: str = "fixed"
    junctions: int = 4
    main_veh_h: float = 600.0
    cross_veh_h: float = 150.0

    def spec(self) -> RunSpec:
        """The run; the network is the same for every seed."""
        return RunSpec(
            scenario="arterial",
            controller=self.controller,
            seed=self.seed,
            demand_seed=self.seed,
            params=(
                ("seed", "0"),
                ("junctions", str(self.junctions)),
                ("main_veh_h", str(self.main_veh_h)),
                ("cross_veh_h", str(self.cross_veh_h)),
                ("pedestrians_per_crossing_h", "10"),
                ("duration_s", str(DAY_S)),
                ("profile", HOURS),
            ),
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """Bins of a day, the lanes they are of, and the incidents as SUMO lived them."""

    lanes: list[LanePlace]
    series: LaneSeries
    truth: list[dict[str, Any]]


def record(day: Day, root: Path) -> Recording:
    """The recording of a day, from ``root`` where it was made before."""
    place = root / _key(day)
    if not (place / "truth.json").exists():
        _simulate(day, place)
    with np.load(place / "bins.npz") as found:
        series = LaneSeries(0.0, BIN_S, **{name: found[name] for name in found.files})
    return Recording(
        lanes_of(read_site(place / "model.toml")), series, json.loads((place / "truth.json").read_text())
    )


def _key(day: Day) -> str:
    told = [FORMAT, asdict(day), BIN_S, HOURS, INCIDENT_HOURS_S if day.incidents else None, versions()]
    return f"day-{hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]}"


def _simulate(day: Day, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        folder = Path(scratch)
        spec = _with_incidents(day, folder)
        run(spec, folder / "run", simulate=simulate_apart)
        _keep(folder / "run", place)


def _with_incidents(day: Day, folder: Path) -> RunSpec:
    spec = day.spec()
    if not day.incidents:
        return spec
    scenario = load_scenario(spec)
    network = read_network(scenario.net_file, scenario.additional_files)
    draw = IncidentDraw(day.incidents, kinds=tuple(IncidentKind(kind) for kind in day.kinds))
    site = load_site(spec, scenario, network)
    incidents = draw_incidents(network, site, draw, INCIDENT_HOURS_S, day.seed)
    write_incidents(incidents, folder / "incidents.csv")
    return replace(spec, incidents=folder / "incidents.csv")


def _keep(run_folder: Path, place: Path) -> None:
    import polars as pl

    manifest = json.loads((run_folder / "run.json").read_text())
    start_ms = round(datetime.fromisoformat(manifest["epoch"]).timestamp() * 1000)
    end_ms = start_ms + (manifest["end_s"] - manifest["begin_s"]) * 1000
    lanes = lanes_of(read_site(run_folder / "model.toml"))
    series = lane_series(read_log(run_folder), lanes, start_ms=start_ms, end_ms=end_ms, bin_s=BIN_S)
    arrays = {
        name: getattr(series, name) for name in LaneSeries.__slots__ if name not in ("start_s", "bin_s")
    }
    with atomic_path(place / "bins.npz") as path, path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    shutil.copyfile(run_folder / "model.toml", place / "model.toml")
    truth = run_folder / "incidents.parquet"
    rows = pl.read_parquet(truth).drop("start", "end").to_dicts() if truth.exists() else []
    write_atomically(place / "truth.json", json.dumps(rows).encode())
