"""Synthetic run directories: three junctions on an arterial, made with known numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from greensplit.engine.store.decisions import DECISION_SCHEMA

EPOCH = datetime(2024, 1, 1, 7, tzinfo=UTC)
BEGIN_S, END_S = 25200, 28800
SPACING_M = 400
GROUPS = [
    {"number": 1, "name": "arterial through", "kind": "vehicle"},
    {"number": 2, "name": "arterial left", "kind": "vehicle"},
    {"number": 3, "name": "side street", "kind": "vehicle"},
    {"number": 10, "name": "walk north", "kind": "pedestrian"},
]
# First second of green in the cycle of 80 s and its length, per group; yellow lasts 3 s, clearance 2 s.
GREENS = {1: (0, 38), 2: (43, 10), 3: (58, 17)}
CYCLE_S = 80


def arterial_edges(junctions: int) -> list[dict[str, Any]]:
    """Edges a0, a1, ... along the arterial, and one side street per junction."""
    edges = [
        {
            "id": f"a{i}",
            "shape": [[i * SPACING_M, 0], [(i + 0.5) * SPACING_M, 12], [(i + 1) * SPACING_M, 0]],
            "length_m": SPACING_M,
            "speed_mps": 13.9,
            "lanes": 2,
        }
        for i in range(junctions + 1)
    ]
    edges += [
        {
            "id": f"s{i}",
            "shape": [[i * SPACING_M, 250 if i % 2 else -250], [i * SPACING_M, 0]],
            "length_m": 250,
            "speed_mps": 8.3,
            "lanes": 1,
        }
        for i in range(1, junctions + 1)
    ]
    return edges


def network(junctions: int = 3, name: str = "Market Street") -> dict[str, Any]:
    """network.json of an arterial."""
    return {
        "edges": arterial_edges(junctions),
        "junctions": [
            {
                "id": f"J{i}",
                "device_id": i,
                "x": i * SPACING_M,
                "y": 0,
                "name": f"{name} {i}",
                "groups": GROUPS,
                "stages": [
                    {"name": "A", "groups": "1 (2)", "approaches": "arterial through, (left)"},
                    {"name": "B", "groups": "3", "approaches": "side street"},
                ],
                "approaches": [
                    {"name": "from west", "edges": [f"a{i - 1}"]},
                    {"name": "side street", "edges": [f"s{i}"]},
                ],
            }
            for i in range(1, junctions + 1)
        ],
        "corridor": {
            "name": name,
            "edges": [f"a{i}" for i in range(junctions + 1)],
            "length_m": SPACING_M * (junctions + 1),
            "junctions": [
                {"device_id": i, "distance_m": i * SPACING_M, "groups": [1]} for i in range(1, junctions + 1)
            ],
        },
    }


def signal_events(junctions: int, offset_s: int, end_s: int) -> pl.DataFrame:
    """Purdue events of a fixed cycle, each junction ``offset_s`` later than the one before."""
    rows: list[tuple[datetime, int, int, int]] = []
    for device in range(1, junctions + 1):
        for start_s in range(BEGIN_S + device * offset_s % CYCLE_S, end_s, CYCLE_S):
            for group, (green_s, length_s) in GREENS.items():
                at_s = start_s - BEGIN_S + green_s
                for code, after_s in (
                    (1, 0),
                    (7, length_s),
                    (8, length_s),
                    (9, length_s + 3),
                    (10, length_s + 3),
                    (11, length_s + 5),
                ):
                    rows.append((EPOCH + timedelta(seconds=at_s + after_s), device, code, group))
            for code, after_s in ((21, 58), (22, 65), (23, 73)):
                rows.append((EPOCH + timedelta(seconds=start_s - BEGIN_S + after_s), device, code, 10))
    schema: dict[str, Any] = {
        "timestamp": pl.Datetime("ms", "UTC"),
        "device_id": pl.UInt32,
        "event_id": pl.UInt16,
        "parameter": pl.UInt16,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("device_id", "timestamp", maintain_order=True)


def corridor_rows(junctions: int, offset_s: int, end_s: int) -> pl.DataFrame:
    """Vehicles at 12.5 m/s that wait at each junction for its group 1."""
    rows = []
    for number, depart_s in enumerate(range(BEGIN_S, end_s - 200, 9)):
        time_s, distance_m = float(depart_s), 0.0
        while distance_m < SPACING_M * (junctions + 1) and time_s < end_s:
            rows.append((f"car{number}", time_s, distance_m))
            ahead = distance_m + 12.5
            device = int(ahead // SPACING_M)
            phase_s = (time_s - BEGIN_S - device * offset_s) % CYCLE_S
            blocked = (
                1 <= device <= junctions
                and distance_m < device * SPACING_M <= ahead
                and phase_s >= GREENS[1][1]
            )
            distance_m = distance_m if blocked else ahead
            time_s += 1
    return pl.DataFrame(rows, schema=["vehicle_id", "time_s", "distance_m"], orient="row")


def trips(rng: np.random.Generator, delay_s: float, end_s: int) -> pl.DataFrame:
    """A trip every four seconds that loses ``delay_s`` on average; the last ten never depart."""
    scheduled = np.arange(BEGIN_S, end_s, 4, dtype=np.float64)
    shape = 1 + 0.6 * np.sin(np.pi * (scheduled - BEGIN_S) / max(end_s - BEGIN_S, 1)) - 0.382
    delay = delay_s * shape * rng.uniform(0.7, 1.3, len(scheduled))
    departs = [None if i >= len(scheduled) - 10 else t for i, t in enumerate(scheduled)]
    return pl.DataFrame(
        {
            "vehicle_id": [f"car{i}" for i in range(len(scheduled))],
            "kind": "passenger",
            "scheduled_depart_s": scheduled,
            "depart_s": departs,
            "arrival_s": [None if d is None else d + 120 for d in departs],
            "depart_delay_s": 0.0,
            "time_loss_s": delay,
            "waiting_s": delay * 0.6,
            "stops": 1,
            "route_length_m": 1600.0,
            "duration_s": 120.0,
            "corrected_delay_s": delay,
            "fuel_l": 0.1,
            "co2_kg": 0.25,
        }
    )


def links(rng: np.random.Generator, junctions: int, delay_s: float, end_s: int) -> pl.DataFrame:
    """Ten vehicles a minute on every edge; side streets lose three times as much."""
    rows = []
    for begin_s in range(BEGIN_S, end_s, 60):
        busy = 1 + np.sin(np.pi * (begin_s - BEGIN_S) / (end_s - BEGIN_S))
        for edge in arterial_edges(junctions):
            loss = delay_s * (1.5 if edge["id"].startswith("s") else 0.5) * busy * rng.uniform(0.6, 1.4)
            rows.append((float(begin_s), edge["id"], 10 * loss, 10 * loss / 60, 10, 600.0, 9.0))
    columns = [
        "begin_s",
        "edge_id",
        "time_loss_veh_s",
        "halted_veh",
        "entered_veh",
        "sampled_veh_s",
        "speed_mps",
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


def decisions(junctions: int, end_s: int, reason: str) -> pl.DataFrame:
    """A decision every 40 s, in turn a switch, a hold and a forced switch, the later the costlier."""
    rows = [
        (
            EPOCH + timedelta(seconds=at_s),
            1 + at_s // 120 % junctions,
            "A",
            "A" if at_s // 40 % 3 == 1 else "B",
            ("switch", "hold", "forced")[at_s // 40 % 3],
            "red for too long" if at_s // 40 % 3 == 2 else reason,
            "both loops" if at_s < 600 else "stop-bar loops only",
            100.0 + at_s,
            "C",
            140.0 + at_s if at_s // 40 % 3 < 2 else 60.0 + at_s,
            ["B", "C"],
            [100.0 + at_s, 140.0 + at_s],
        )
        for at_s in range(0, end_s - BEGIN_S, 40)
    ]
    return pl.DataFrame(rows, schema=DECISION_SCHEMA, orient="row")


def write_run(
    folder: Path,
    controller: str = "fixed",
    *,
    seed: int = 1,
    delay_s: float = 60.0,
    junctions: int = 3,
    end_s: int = BEGIN_S + 1200,
    offset_s: int = 0,
    scenario: str = "arterial3",
    street: str = "Market Street",
    reason: str = "six vehicles wait on the side street, two arrive on the arterial",
    meta: dict[str, Any] | None = None,
    summary: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
) -> Path:
    """A run directory with every file but those in ``without``."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    common = {
        "scenario": scenario,
        "controller": controller,
        "vision": "loops",
        "profile": "standard",
        "seed": seed,
        "demand_seed": 7,
        "scale": 1.0,
        "versions": {"greensplit": "0.1.0", "sumo": "1.28.0"},
    }
    run = (
        common
        | {
            "begin_s": BEGIN_S,
            "end_s": end_s,
            "epoch": EPOCH.isoformat(),
            "partial": False,
            "complete": True,
            "assumptions": ["Yellow is 3 s where the network gives none."],
            "weighing": {"measure": "delay, vehicle seconds", "lower_is_better": True},
        }
        | (meta or {})
    )
    totals = (
        common
        | {
            "scheduled": 300,
            "departed": 290,
            "arrived": 280,
            "never_departed": 10,
            "corrected_delay_s": delay_s,
            "trip_time_s": 120.0,
            "waiting_s": 0.6 * delay_s,
            "stops": delay_s / 40,
            "speed_kmh": 1500 / (60 + delay_s),
            "collisions": 0,
            "gridlock": False,
            "interlock_refusals": 0,
            "would_refuse": 0,
            "fuel_l": 28.0,
            "co2_kg": 70.0,
            "wall_s": 4.0,
            "simulator_s": 3.0,
            "peak_mb": 210.0,
        }
        | (summary or {})
    )
    for file, value in (
        ("run.json", run),
        ("summary.json", totals),
        ("network.json", network(junctions, street)),
    ):
        if file not in without:
            (folder / file).write_text(json.dumps(value), encoding="utf-8")
    tables: dict[str, Callable[[], pl.DataFrame]] = {
        "trips.parquet": lambda: trips(rng, delay_s, end_s),
        "links.parquet": lambda: links(rng, junctions, delay_s, end_s),
        "corridor.parquet": lambda: corridor_rows(junctions, offset_s, end_s),
        "decisions.parquet": lambda: decisions(junctions, end_s, reason),
        "events/date=2024-01-01/block.parquet": lambda: signal_events(junctions, offset_s, end_s),
    }
    for file, make in tables.items():
        if file not in without:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            make().write_parquet(folder / file)
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run directory in the test's own folder; keywords as in ``write_run``."""

    def make(name: str, controller: str = "fixed", **options: Any) -> Path:
        return write_run(tmp_path / "runs" / name, controller, **options)

    return make


@pytest.fixture(scope="session")
def bundle_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the chart library, so that it is made once in a test session."""
    return tmp_path_factory.mktemp("bundle")
