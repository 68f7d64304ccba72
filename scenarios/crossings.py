"""RESCO networks with pedestrian crossings, which the originals lack, and people who use them.

netconvert adds pavements, walking areas and crossings and extends each signal's own program: crossings get
green beside the parallel stages, ending early for clearance, or a pedestrian stage where no stage serves
them. The programs of the two synthetic networks are rebuilt instead. Traffic that yields to a green
crossing is permissive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from greensplit.engine.errors import ScenarioError

from .base import CatalogueRow, Scenario
from .cache import built, file_sha256
from .resco import RESCO_NAMES, load_resco
from .tools import run_netconvert, sumo_version
from .walks import person_elements
from .xmlio import write_document
from .yielding import show_yielding

__all__ = ["CROSSINGS_NAMES", "CrossingsConfig", "crossings_row", "load_crossings"]

SUFFIX = "-crossings"
CROSSINGS_NAMES = tuple(name + SUFFIX for name in RESCO_NAMES)
BUILD_VERSION = 1
GUESS_OPTIONS = ("--sidewalks.guess", "--crossings.guess", "--walkingareas")
DEPLOYED_PROGRAMS = ("--tls.crossing-min.time=5", "--tls.crossing-clearance.time=5")
# Their stages of 10 s leave people 5 s, and hold greens that netconvert's newer right-of-way matrix calls
# conflicting.
REBUILT_PROGRAMS = ("--tls.rebuild", "--tls.crossing-min.time=6", "--tls.crossing-clearance.time=10")
REBUILT_NAMES = ("grid4x4", "arterial4x4")


@dataclass(frozen=True, slots=True)
class CrossingsConfig:
    """Pedestrians: expected number an hour and signalised crossing."""

    pedestrians_per_crossing_h: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.pedestrians_per_crossing_h <= 1000:
            raise ScenarioError(
                f"pedestrians_per_crossing_h: expected 0 to 1000, found {self.pedestrians_per_crossing_h}"
            )


def load_crossings(name: str, *, cache_dir: Path, seed: int, config: CrossingsConfig) -> Scenario:
    """The RESCO scenario ``name`` (which ends in ``-crossings``), built once into ``cache_dir``.

    ``seed`` draws the pedestrians. The built files fall under the original's licence and are for local use.
    Raises ScenarioError when the data are not installed, SimulatorError when netconvert fails, OutputError
    when the cache cannot be written.
    """
    base = load_resco(name.removesuffix(SUFFIX))
    folder = built(
        cache_dir, name, _inputs(base, seed, config), lambda target: _build(base, target, seed, config)
    )
    return replace(
        base,
        name=name,
        net_file=folder / "net.net.xml",
        route_files=(*base.route_files, folder / "persons.rou.xml"),
        source=f"{base.source}, with crossings by netconvert",
        description=f"{base.description}, plus pedestrian crossings and pedestrians of seed {seed}",
    )


def crossings_row(name: str, originals: Mapping[str, CatalogueRow]) -> CatalogueRow:
    """The catalogue's line for a network with crossings: its counts are those of the original's row."""
    row = originals[name.removesuffix(SUFFIX)]
    return replace(row, name=name, source=f"{row.source}, with crossings by netconvert")


def _options(base_name: str) -> tuple[str, ...]:
    return (*GUESS_OPTIONS, *(REBUILT_PROGRAMS if base_name in REBUILT_NAMES else DEPLOYED_PROGRAMS))


def _inputs(base: Scenario, seed: int, config: CrossingsConfig) -> dict[str, object]:
    return {
        "net": file_sha256(base.net_file),
        "window_s": (base.begin_s, base.end_s),
        "options": _options(base.name),
        "sumo": sumo_version(),
        "build": BUILD_VERSION,
        "seed": seed,
        "config": asdict(config),
    }


def _build(base: Scenario, folder: Path, seed: int, config: CrossingsConfig) -> None:
    net = folder / "net.net.xml"
    run_netconvert((f"--sumo-net-file={base.net_file}", *_options(base.name)), net)
    show_yielding(net)
    rng = np.random.default_rng(seed)
    persons = person_elements(net, config.pedestrians_per_crossing_h, base.begin_s, base.end_s, rng)
    write_document(folder / "persons.rou.xml", "routes", persons)
