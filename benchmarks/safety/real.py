"""The models of the eight real networks, as one city for the stress."""

from __future__ import annotations

import os
from dataclasses import replace

from greensplit.engine.errors import ScenarioError
from greensplit.engine.kernel_cache import cache_home
from greensplit.engine.model.site import Site
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.resco import RESCO_NAMES
from greensplit.sim.derive.site import derive_site
from greensplit.sim.network import read_network

__all__ = ["real_city"]


def real_city(copies: int) -> tuple[Site | None, str]:
    """All junctions of the eight networks, ``copies`` times, and a note: how many, or why there are none.

    Their red-revert times must be alike, since a site has one.
    """
    try:
        sites = [_site(name) for name in RESCO_NAMES]
    except ScenarioError as problem:
        return None, f"skipped: {problem}"
    junctions = [junction for _ in range(copies) for site in sites for junction in site.junctions]
    (revert_ms,) = {site.red_revert_ms for site in sites}
    numbered = tuple(replace(junction, id=f"J{i}", device_id=i + 1) for i, junction in enumerate(junctions))
    return Site("eight networks", numbered, red_revert_ms=revert_ms), f"{len(junctions) // copies} junctions"


def _site(name: str) -> Site:
    scenario = load(name, cache_dir=cache_home(os.environ) / "scenarios", seed=0, params={})
    return derive_site(read_network(scenario.net_file, scenario.additional_files), name)
