"""The retimed rival in the real SUMO: its plan follows from the demand it is told, once, whatever the run's is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Plan
from greensplit.sim import retimed
from greensplit.sim.prepare import prepare
from greensplit.sim.spec import RunSpec

from .conftest import CloseLoop

END_S = 300


def spec_of(town: Path, routes: Path) -> RunSpec:
    return RunSpec("town", controller="retimed", net=town, routes=(routes,), begin_s=0, end_s=END_S)


def plans_of(spec: RunSpec, folder: Path) -> list[Plan]:
    folder.mkdir()
    return [junction.plans[-1] for junction in prepare(spec, folder).site.junctions]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, where nothing is planned yet; one candidate, so that there is one trial."""
    monkeypatch.setenv("GREENSPLIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(retimed, "LEAST_CYCLES_S", (30,))
    return tmp_path / "cache"


def test_the_plan_is_made_once_and_for_its_own_demand(
    own_cache: Path, town: Path, routes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another seed and twice the traffic meet the same plan, from the cache; ``plan_scale`` asks for another."""
    spec = spec_of(town, routes)
    first = plans_of(spec, tmp_path / "first")
    assert {plan.name for plan in first} == {"P1"}
    monkeypatch.setattr(retimed, "run", _no_run)
    assert plans_of(replace(spec, seed=7), tmp_path / "seed") == first
    assert plans_of(replace(spec, scale=2.0), tmp_path / "busy") == first
    with pytest.raises(AssertionError, match="tried"):
        plans_of(replace(spec, plan_scale=2.0), tmp_path / "planned busy")
    assert len(list((own_cache / "plans").iterdir())) == 1


def _no_run(*_: object, **__: object) -> None:
    raise AssertionError("expected plans from the cache, found that one is tried")


@pytest.mark.usefixtures("own_cache")
def test_the_candidate_with_the_least_delay_is_installed(
    town: Path, routes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of cycles of at least 30, 45 and 60 s, that for which the trial tells least delay; each is tried once."""
    tried: list[str] = []

    def told(spec: RunSpec, **_: object) -> dict[str, float]:
        assert spec.model is not None
        assert (spec.controller, spec.seed, spec.scale, spec.demand_seed) == ("plan", 0, 1.0, None)
        tried.append(spec.model.name)
        return {"corrected_delay_s": 10.0 if "45" in spec.model.name else 20.0}

    monkeypatch.setattr(retimed, "LEAST_CYCLES_S", (30, 45, 60))
    monkeypatch.setattr(retimed, "run", told)
    plans = plans_of(replace(spec_of(town, routes), seed=3, scale=1.5), tmp_path / "run")
    assert tried == ["least-30.toml", "least-45.toml", "least-60.toml"]
    assert {plan.cycle_ms for plan in plans} == {45_000}


@pytest.mark.usefixtures("own_cache")
def test_local_control_runs_the_plan_without_a_refusal(
    town: Path, routes: Path, close_loop: CloseLoop, tmp_path: Path
) -> None:
    """The real trial and the run itself: every junction in P1, nothing refused."""
    closed = close_loop(spec_of(town, routes), tmp_path / "run")
    assert closed.outcome.loop.refusals == []
    assert closed.outcome.loop.interlock_findings == 0
    events = closed.outcome.loop.events.rows()
    patterns = {int(row["parameter"]) for row in events if row["event"] == 131}
    last = {len(junction.plans) for junction in closed.prepared.site.junctions}
    assert patterns == last


def test_a_plan_scale_out_of_range_is_refused() -> None:
    """As the scale of the run."""
    with pytest.raises(InputError, match="plan scale: expected above 0 and at most 10, found 0"):
        RunSpec("town", plan_scale=0.0).check()
