"""The eight RESCO networks, read in place from the data files of the installed package sumo-rl.

Ault and Sharon, "Reinforcement Learning Benchmarks for Traffic Signal Control", NeurIPS 2021 datasets track.
The data have licences of their own (``LICENCES``); nothing of them is copied by this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from greensplit.engine.errors import ScenarioError

from .base import CatalogueRow, Scenario
from .netfile import signal_ids
from .times import parse_time_s
from .tools import package_dir
from .xmlio import scan

__all__ = ["RESCO_NAMES", "load_resco", "missing_message", "resco_row"]

RESCO_NAMES = (
    "cologne1",
    "cologne3",
    "cologne8",
    "ingolstadt1",
    "ingolstadt7",
    "ingolstadt21",
    "grid4x4",
    "arterial4x4",
)
WINDOWS_S = {
    "cologne": (25200, 28800),
    "ingolstadt": (57600, 61200),
    "grid4x": (0, 3600),
    "arterial4x": (0, 3600),
}
LICENCES = {
    "cologne": "CC BY-NC-SA 3.0",
    "ingolstadt": "GPL-3.0",
    "grid4x": "CC BY-NC-SA 4.0",
    "arterial4x": "CC BY-NC-SA 4.0",
}
SOURCE = "RESCO, from the package sumo-rl"


def load_resco(name: str) -> Scenario:
    """The RESCO scenario ``name``.

    Raises ScenarioError for a name that is not in RESCO_NAMES and when the package sumo-rl is not installed.
    """
    if name not in RESCO_NAMES:
        raise ScenarioError(
            f"{name}: expected one of {', '.join(RESCO_NAMES)}, found no RESCO network of that name"
        )
    folder = _folder(name)
    if folder is None:
        raise ScenarioError(missing_message(name))
    begin_s, end_s = WINDOWS_S[_family(name)]
    return Scenario(
        name=name,
        net_file=_single(folder, "*.net.xml"),
        route_files=(_single(folder, "*.rou.xml"),),
        additional_files=(),
        begin_s=begin_s,
        end_s=end_s,
        source=SOURCE,
        licence=LICENCES[_family(name)],
        description=f"RESCO network {name} with its own programs and demand",
    )


def resco_row(name: str) -> CatalogueRow:
    """The catalogue's line for a RESCO network; counts are None when its data are not installed."""
    window_s, licence = WINDOWS_S[_family(name)], LICENCES[_family(name)]
    if _folder(name) is None:
        return CatalogueRow(name, None, None, window_s, SOURCE, licence, "install greensplit[resco]")
    scenario = load_resco(name)
    junctions = len(signal_ids(scenario.net_file))
    return CatalogueRow(name, junctions, _scheduled_veh(scenario), window_s, SOURCE, licence, "")


def missing_message(name: str) -> str:
    """What to tell someone who asks for ``name`` while its data are not installed."""
    return f"{name}: expected the package sumo-rl with its network, found none; install greensplit[resco]"


def _family(name: str) -> str:
    return name.rstrip("0123456789")


def _folder(name: str) -> Path | None:
    package = package_dir("sumo_rl")
    folder = package / "nets" / "RESCO" / name if package else None
    return folder if folder and folder.is_dir() else None


def _single(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ScenarioError(f"{folder}: expected one file {pattern}, found {len(found)}")
    return found[0]


def _scheduled_veh(scenario: Scenario) -> int:
    departs_s: list[float] = []

    def on_start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag in ("trip", "vehicle"):
            departs_s.append(parse_time_s(attributes["depart"], attributes["id"]))

    scan(scenario.route_files[0], on_start)
    return sum(scenario.begin_s <= depart_s < scenario.end_s for depart_s in departs_s)
