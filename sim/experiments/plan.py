"""Which runs a comparison is made of, checked before any of them starts."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from greensplit.engine.errors import InputError
from greensplit.engine.kernel_cache import cache_home

from ..spec import RunSpec

__all__ = ["Plan", "check_plan", "expand", "parse_seeds", "run_folder", "scenario_folder"]

MAX_SEEDS = 10_000
_RANGE = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")


@dataclass(frozen=True, slots=True)
class Plan:
    """Every scenario under every controller with every pair of a seed and a demand seed.

    A demand seed of None keeps the scenario's own departures. The other fields are those of RunSpec.
    """

    scenarios: tuple[str, ...]
    controllers: tuple[str, ...]
    seeds: tuple[int, ...]
    demand_seeds: tuple[int | None, ...] = (None,)
    profile: str = "R2"
    scale: float = 1.0
    begin_s: int | None = None
    end_s: int | None = None
    warmup_s: int = 0
    params: tuple[tuple[str, str], ...] = ()


def parse_seeds(text: str, option: str = "--seeds") -> tuple[int, ...]:
    """Seeds in ascending order from numbers and ranges with both ends in them, such as ``0,3,5-7``.

    Raises InputError, naming ``option``, for anything else, for a seed given twice and for over MAX_SEEDS of them.
    """
    seeds: list[int] = []
    for part in text.split(","):
        more = _parse_range(part.strip(), option)
        if len(seeds) + len(more) > MAX_SEEDS:
            raise InputError(f"{option}: expected at most {MAX_SEEDS} seeds, found more in {text}")
        seeds += more
    _must_be_single([str(seed) for seed in seeds], option)
    return tuple(sorted(seeds))


def _parse_range(part: str, option: str) -> range:
    match = _RANGE.fullmatch(part)
    if match is None:
        raise InputError(
            f"{option}: expected numbers and ranges such as 0-9 or 0,3,5-7, found {part or 'nothing'}"
        )
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise InputError(f"{option}: expected a range that goes up, found {part}")
    return range(first, last + 1)


def expand(plan: Plan) -> list[RunSpec]:
    """The runs of a plan in the order scenario, controller, seed, demand seed."""
    return [
        RunSpec(
            scenario=scenario,
            controller=controller,
            seed=seed,
            demand_seed=demand_seed,
            scale=plan.scale,
            profile=plan.profile,
            begin_s=plan.begin_s,
            end_s=plan.end_s,
            warmup_s=plan.warmup_s,
            params=plan.params,
        )
        for scenario, controller, seed, demand_seed in product(
            plan.scenarios, plan.controllers, plan.seeds, plan.demand_seeds
        )
    ]


def check_plan(plan: Plan) -> None:
    """InputError (ScenarioError for a scenario) when a name is unknown or given twice, or a number out of range.

    Builds and runs nothing.
    """
    from greensplit.controllers.catalogue import find
    from greensplit.controllers.profile import profile_for

    for option, names in (("SCENARIO", plan.scenarios), ("--controllers", plan.controllers)):
        if not names:
            raise InputError(f"{option}: expected at least one, found none")
        _must_be_single(names, option)
    for controller in plan.controllers:
        find(controller)
    for scenario in plan.scenarios:
        profile_for(plan.profile, scenario)
        _must_be_known(scenario)
    _must_be_single([scenario_folder(scenario) for scenario in plan.scenarios], "names of scenarios")
    for spec in expand(plan):
        spec.check()


def _must_be_known(scenario: str) -> None:
    from greensplit.scenarios.catalogue import load
    from greensplit.scenarios.crossings import CROSSINGS_NAMES, SUFFIX
    from greensplit.scenarios.generated import GENERATED_NAMES

    if scenario in GENERATED_NAMES:
        return
    original = scenario.removesuffix(SUFFIX) if scenario in CROSSINGS_NAMES else scenario
    load(original, cache_dir=cache_home(os.environ) / "scenarios")


def _must_be_single(names: Sequence[str], where: str) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise InputError(f"{where}: expected each once, found {name} {times} times")


def scenario_folder(scenario: str) -> str:
    """A scenario's name as part of a path: the file's name without its ending where it is a file."""
    return Path(scenario).name.removesuffix(".gz").removesuffix(".sumocfg")


def run_folder(root: Path, spec: RunSpec) -> Path:
    """Where a run goes: ``root/scenario/controller/seed-N``, with ``-demandM`` where departures are resampled."""
    demand = "" if spec.demand_seed is None else f"-demand{spec.demand_seed}"
    return root / scenario_folder(spec.scenario) / spec.controller / f"seed-{spec.seed}{demand}"
