"""Every scenario by name: packaged, with crossings, generated, or a user's configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from greensplit.engine.errors import ScenarioError

from .base import CatalogueRow, Scenario
from .resco import RESCO_NAMES, load_resco, resco_row
from .user import from_sumocfg

__all__ = ["catalogue", "load", "names"]


def load(
    name_or_path: str, *, cache_dir: Path, seed: int = 0, params: Mapping[str, str] | None = None
) -> Scenario:
    """The scenario of that name, or of a ``.sumocfg`` file."""
    if name_or_path in RESCO_NAMES:
        return load_resco(name_or_path)
    if name_or_path.endswith(".sumocfg"):
        return from_sumocfg(Path(name_or_path))
    raise ScenarioError(_unknown(name_or_path))


def catalogue() -> list[CatalogueRow]:
    """One row per named scenario; quick: files are counted in one pass, nothing is built."""
    return [resco_row(name) for name in RESCO_NAMES]


def names() -> tuple[str, ...]:
    """The names that ``load`` knows."""
    return RESCO_NAMES


def _unknown(name: str) -> str:
    near = get_close_matches(name, names(), n=3, cutoff=0.4)
    hint = f"; near: {', '.join(near)}" if near else ""
    return f"{name}: expected one of {', '.join(names())} or a .sumocfg file, found no such scenario{hint}"
