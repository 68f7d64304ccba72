"""Every scenario by name: packaged, with crossings, generated, or a user's configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from greensplit.engine.errors import ScenarioError

from .base import CatalogueRow, Scenario
from .crossings import CROSSINGS_NAMES, CrossingsConfig, crossings_row, load_crossings
from .generated import GENERATED_NAMES, ArterialConfig, GridConfig, generated_row, load_arterial, load_grid
from .params import configured
from .resco import RESCO_NAMES, load_resco, resco_row
from .user import from_sumocfg

__all__ = ["NAMES", "catalogue", "load"]

NAMES = (*RESCO_NAMES, *CROSSINGS_NAMES, *GENERATED_NAMES)


def load(
    name_or_path: str, *, cache_dir: Path, seed: int = 0, params: Mapping[str, str] | None = None
) -> Scenario:
    """The scenario of that name, or of a ``.sumocfg`` file.

    ``seed`` draws generated networks, their demand, and the people of networks with crossings; the RESCO
    networks and a user's files do not depend on it. ``params`` sets fields of ArterialConfig, GridConfig or
    CrossingsConfig. Raises ScenarioError for an unknown name (listing near ones) or parameter and for data
    that are not installed, NetworkError for a user's files that cannot be used, SimulatorError and
    OutputError when building fails.
    """
    chosen = dict(params or {})
    if name_or_path in CROSSINGS_NAMES:
        config = configured(CrossingsConfig, chosen, name_or_path)
        return load_crossings(name_or_path, cache_dir=cache_dir, seed=seed, config=config)
    if name_or_path in GENERATED_NAMES:
        return _generated(name_or_path, {"seed": str(seed)} | chosen, cache_dir)
    if chosen:
        raise ScenarioError(f"{name_or_path}: expected no parameters, found {', '.join(sorted(chosen))}")
    if name_or_path in RESCO_NAMES:
        return load_resco(name_or_path)
    if name_or_path.endswith((".sumocfg", ".sumocfg.gz")):
        return from_sumocfg(Path(name_or_path))
    raise ScenarioError(_unknown(name_or_path))


def catalogue() -> list[CatalogueRow]:
    """One row per named scenario; quick: installed files are counted in one pass, nothing is built."""
    packaged = {name: resco_row(name) for name in RESCO_NAMES}
    crossings = [crossings_row(name, packaged) for name in CROSSINGS_NAMES]
    return [*packaged.values(), *crossings, *(generated_row(name) for name in GENERATED_NAMES)]


def _generated(name: str, chosen: Mapping[str, str], cache_dir: Path) -> Scenario:
    if name == "arterial":
        return load_arterial(configured(ArterialConfig, chosen, name), cache_dir=cache_dir)
    return load_grid(configured(GridConfig, chosen, name), cache_dir=cache_dir)


def _unknown(name: str) -> str:
    near = get_close_matches(name, NAMES, n=3, cutoff=0.4)
    hint = f"near: {', '.join(near)}" if near else f"there are {', '.join(NAMES)}"
    return f"{name}: expected the name of a scenario or a .sumocfg file, found neither; {hint}"
