"""Two families of networks and demand made from a seed: an arterial and a grid.

Everything is drawn from the configuration, so equal configurations give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from greensplit.engine.errors import ScenarioError

from .base import CatalogueRow, Scenario
from .cache import built
from .lattice import NETCONVERT_OPTIONS, Lattice, Street, build_net
from .tools import sumo_version
from .traffic import BusLine, CarDemand, bus_stops, buses, cars, vehicle_types
from .walks import person_elements
from .xmlio import write_document

__all__ = ["GENERATED_NAMES", "ArterialConfig", "GridConfig", "generated_row", "load_arterial", "load_grid"]

GENERATED_NAMES = ("arterial", "grid")
BUILD_VERSION = 1
MIN_SPACING_M = 150.0
SPACING_SPREAD = 0.2
BAY_M = 80.0
FRINGE_M = 400.0
PEAK = (0.8, 0.95, 1.1, 1.25, 1.05, 0.85)
SOURCE = "generated from a seed"
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class ArterialConfig:
    """A main street with ``junctions`` cross streets.

    ``spacing_m`` is the mean distance; each varies by up to a fifth with the seed. Lanes are through lanes;
    the main street has left-turn bays too. Volumes are for each of its two, and each cross street's two,
    entries; shares are per junction. Pedestrians are counted an hour and crossing. ``bus_headway_s`` 0
    means no bus. ``profile`` is the relative volume of equal parts of ``duration_s``.
    """

    junctions: int = 6
    spacing_m: float = 350.0
    main_lanes: int = 2
    cross_lanes: int = 1
    speed_mps: float = 13.89
    main_veh_h: float = 900.0
    cross_veh_h: float = 220.0
    left_share: float = 0.08
    right_share: float = 0.08
    profile: tuple[float, ...] = PEAK
    pedestrians_per_crossing_h: float = 40.0
    bus_headway_s: float = 600.0
    seed: int = 0
    duration_s: int = 3600

    def __post_init__(self) -> None:
        _require(1 <= self.junctions <= 100, "junctions", "1 to 100", self.junctions)
        _require_common(self)


@dataclass(frozen=True, slots=True)
class GridConfig:
    """``rows`` x ``columns`` junctions, left-turn bays on all streets; the rest as in ArterialConfig."""

    rows: int = 3
    columns: int = 3
    spacing_m: float = 300.0
    main_lanes: int = 1
    cross_lanes: int = 1
    speed_mps: float = 13.89
    main_veh_h: float = 420.0
    cross_veh_h: float = 420.0
    left_share: float = 0.12
    right_share: float = 0.12
    profile: tuple[float, ...] = PEAK
    pedestrians_per_crossing_h: float = 40.0
    bus_headway_s: float = 600.0
    seed: int = 0
    duration_s: int = 3600

    def __post_init__(self) -> None:
        _require(1 <= self.rows <= 30, "rows", "1 to 30", self.rows)
        _require(1 <= self.columns <= 30, "columns", "1 to 30", self.columns)
        _require_common(self)


def load_arterial(config: ArterialConfig, *, cache_dir: Path) -> Scenario:
    """The arterial of a configuration, built once into ``cache_dir``.

    Raises SimulatorError when netconvert is missing or fails, OutputError when the cache cannot be written.
    """
    words = f"arterial of {config.junctions} junctions about {config.spacing_m:g} m apart"
    return _load("arterial", config, lambda rng: _arterial(config, rng), 0, words, cache_dir)


def load_grid(config: GridConfig, *, cache_dir: Path) -> Scenario:
    """The grid of a configuration, built once into ``cache_dir``; errors as in ``load_arterial``."""
    words = f"grid of {config.rows} x {config.columns} junctions about {config.spacing_m:g} m apart"
    return _load("grid", config, lambda rng: _grid(config, rng), config.rows // 2, words, cache_dir)


def generated_row(name: str) -> CatalogueRow:
    """The catalogue's line for ``arterial`` or ``grid`` with default parameters."""
    junctions = ArterialConfig().junctions if name == "arterial" else GridConfig().rows * GridConfig().columns
    return CatalogueRow(name, junctions, None, (0, 3600), SOURCE, LICENCE, "")


def _load(
    name: str,
    config: ArterialConfig | GridConfig,
    lattice: Callable[[np.random.Generator], Lattice],
    bus_row: int,
    words: str,
    cache_dir: Path,
) -> Scenario:
    inputs = {
        "config": asdict(config),
        "options": NETCONVERT_OPTIONS,
        "sumo": sumo_version(),
        "build": BUILD_VERSION,
    }
    folder = built(cache_dir, name, inputs, lambda target: _build(config, lattice, bus_row, target))
    return Scenario(
        name=name,
        net_file=folder / "net.net.xml",
        route_files=(folder / "demand.rou.xml",),
        additional_files=(folder / "stops.add.xml",),
        begin_s=0,
        end_s=config.duration_s,
        source=SOURCE,
        licence=LICENCE,
        description=f"{words}, seed {config.seed}",
    )


def _build(
    config: ArterialConfig | GridConfig,
    lattice: Callable[[np.random.Generator], Lattice],
    bus_row: int,
    folder: Path,
) -> None:
    shape_rng, car_rng, person_rng = (np.random.default_rng([config.seed, stream]) for stream in range(3))
    drawn = lattice(shape_rng)
    net = build_net(drawn, folder, config.seed)
    timed = cars(drawn, _car_demand(config), car_rng)
    stops = []
    if config.bus_headway_s > 0:
        line = BusLine(bus_row, config.bus_headway_s, config.duration_s)
        timed += buses(drawn, line)
        stops = bus_stops(drawn, line)
    people = person_elements(net, config.pedestrians_per_crossing_h, 0, config.duration_s, person_rng)
    timed += [(float(person.attrib["depart"]), person) for person in people]
    timed.sort(key=lambda entry: entry[0])
    write_document(folder / "stops.add.xml", "additional", stops)
    write_document(
        folder / "demand.rou.xml", "routes", [*vehicle_types(), *(element for _, element in timed)]
    )


def _arterial(config: ArterialConfig, rng: np.random.Generator) -> Lattice:
    main = Street(config.main_lanes, config.speed_mps, BAY_M)
    cross = Street(config.cross_lanes, config.speed_mps, 0.0)
    return Lattice(_places_m(config.junctions, config.spacing_m, rng), (0.0,), FRINGE_M, main, cross)


def _grid(config: GridConfig, rng: np.random.Generator) -> Lattice:
    xs_m = _places_m(config.columns, config.spacing_m, rng)
    ys_m = _places_m(config.rows, config.spacing_m, rng)
    main = Street(config.main_lanes, config.speed_mps, BAY_M)
    cross = Street(config.cross_lanes, config.speed_mps, BAY_M)
    return Lattice(xs_m, ys_m, FRINGE_M, main, cross)


def _places_m(number: int, spacing_m: float, rng: np.random.Generator) -> tuple[float, ...]:
    gaps_m = spacing_m * (1 + rng.uniform(-SPACING_SPREAD, SPACING_SPREAD, number - 1))
    return (0.0, *(round(float(place_m), 1) for place_m in np.cumsum(gaps_m)))


def _car_demand(config: ArterialConfig | GridConfig) -> CarDemand:
    return CarDemand(
        main_veh_h=config.main_veh_h,
        cross_veh_h=config.cross_veh_h,
        left_share=config.left_share,
        right_share=config.right_share,
        profile=config.profile,
        duration_s=config.duration_s,
    )


def _require_common(config: ArterialConfig | GridConfig) -> None:
    shortest_m = MIN_SPACING_M / (1 - SPACING_SPREAD)
    _require(shortest_m <= config.spacing_m <= 5000, "spacing_m", f"{shortest_m:g} to 5000", config.spacing_m)
    for name in ("main_lanes", "cross_lanes"):
        _require(1 <= getattr(config, name) <= 4, name, "1 to 4", getattr(config, name))
    _require(1 <= config.speed_mps <= 40, "speed_mps", "1 to 40", config.speed_mps)
    for name in ("main_veh_h", "cross_veh_h", "pedestrians_per_crossing_h"):
        _require(0 <= getattr(config, name) <= 10000, name, "0 to 10000", getattr(config, name))
    shares = config.left_share, config.right_share
    _require(
        min(shares) >= 0 and sum(shares) <= 1, "left_share, right_share", "shares up to 1 in sum", shares
    )
    profile = config.profile
    _require(bool(profile) and min(profile) >= 0 and sum(profile) > 0, "profile", "positive weights", profile)
    headway_s = config.bus_headway_s
    _require(headway_s == 0 or 30 <= headway_s <= 36000, "bus_headway_s", "0 or 30 to 36000", headway_s)
    _require(60 <= config.duration_s <= 86400, "duration_s", "60 to 86400", config.duration_s)
    _require(0 <= config.seed < 2**31, "seed", "0 to 2147483647", config.seed)


def _require(holds: bool, name: str, expected: str, found: object) -> None:
    if not holds:
        raise ScenarioError(f"{name}: expected {expected}, found {found}")
