"""The plan that a good engineer would have installed: splits, cycles and offsets from what the scenario schedules.

One plan for the whole window: on three of five networks two for its halves did worse, on one better. The demand is
the scenario's own in that window, times ``RunSpec.plan_scale``: runs with more or less traffic, other departures or
another seed meet the same plan, as they would on the street. Short cycles are right where the timing's model is right
about turns through gaps, so plans with several least cycles are tried in simulation, as engineers do, and the best is
installed. Plans are kept in the cache under the hash of all that they follow from.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from greensplit.engine.kernel_cache import cache_home, source_hash
from greensplit.engine.model.site import Site
from greensplit.engine.model.toml import read_site, site_to_toml, write_site
from greensplit.engine.plans.demand import Demand
from greensplit.engine.plans.retime import retime
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.cache import built, file_sha256

from .apart import simulate_apart
from .network import Network
from .run import run
from .scheduled_demand import count_scheduled
from .spec import RunSpec

__all__ = ["PLAN_SEED", "retimed_site"]

PLAN_SEED = 0
LEAST_CYCLES_S = (30, 45, 60)
RUNS_PLANS = "plan"
PLANNING_FOLDERS = ("engine", "sim")


def retimed_site(spec: RunSpec, scenario: Scenario, network: Network, site: Site) -> Site:
    """The site with plans for its scheduled demand as the last of every junction.

    Raises what counting, timing and running raise: SimulatorError, ModelError.
    """
    files = (scenario.net_file, *scenario.route_files, *scenario.additional_files)
    inputs = {
        "files": [file_sha256(path) for path in files],
        "window": [scenario.begin_s, scenario.end_s, spec.warmup_s],
        "scale": spec.plan_scale,
        "profile": spec.profile,
        "site": site_to_toml(site),
        "code": source_hash(PLANNING_FOLDERS),
    }

    def build(folder: Path) -> None:
        window_s = scenario.end_s - scenario.begin_s
        demand = _scaled(count_scheduled(scenario, network, site, seed=PLAN_SEED), spec.plan_scale)
        _install_best(_trial(spec, scenario), site, demand, window_s, folder)

    return read_site(built(cache_home(os.environ) / "plans", scenario.name, inputs, build) / "plans.toml")


def _scaled(demand: Demand, scale: float) -> Demand:
    groups = {name: scale * counts for name, counts in demand.groups.items()}
    return replace(demand, groups=groups, turns={turn: scale * n for turn, n in demand.turns.items()})


def _trial(spec: RunSpec, scenario: Scenario) -> RunSpec:
    """The run in which a plan is tried: this scenario as it is, with the traffic that the plan is for."""
    return replace(
        spec,
        controller=RUNS_PLANS,
        seed=PLAN_SEED,
        demand_seed=None,
        scale=spec.plan_scale,
        vision="",
        traci=False,
        gui=False,
        net=scenario.net_file,
        routes=scenario.route_files,
        additional=scenario.additional_files,
        begin_s=scenario.begin_s,
        end_s=scenario.end_s,
    )


def _install_best(trial: RunSpec, site: Site, demand: Demand, window_s: int, folder: Path) -> None:
    """Leave in ``plans.toml`` the plans with the least delay."""
    delays: dict[Path, float] = {}
    for least_cycle_s in LEAST_CYCLES_S:
        model = folder / f"least-{least_cycle_s}.toml"
        retimed = retime(site, demand, least_part_s=window_s, least_cycle_s=least_cycle_s)
        write_site(retimed.site, model)
        told = run(replace(trial, model=model), simulate=simulate_apart)
        delays[model] = float(told["corrected_delay_s"])
    min(delays, key=lambda model: delays[model]).replace(folder / "plans.toml")
