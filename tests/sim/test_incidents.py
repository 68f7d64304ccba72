"""Incidents in SUMO: drawn from a seed, lived, told as truth, and found by the detector in the log."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from greensplit.cli.__main__ import app
from greensplit.engine.analytics.incidents.watch import site_of, watch
from greensplit.engine.errors import InputError, ScenarioError
from greensplit.scenarios.incidents import Incident, IncidentKind, write_incidents
from greensplit.sim.incidents import IncidentDraw, draw_incidents
from greensplit.sim.network import read_network
from greensplit.sim.prepare import load_scenario, load_site
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

FLOWS = "".join(
    f'<flow id="{way}" from="{way[:2]}" to="{way[2:]}" begin="0" end="7200" vehsPerHour="300"/>'
    for way in ("amcb", "bcma", "dccb")
)
STALLED = Incident("0", IncidentKind.STALLED, "mc_1", 150.0, 900, 1500, "am mc cb", 860)


@pytest.fixture
def spec(town: Path, tmp_path: Path) -> RunSpec:
    """Two hours of the town with its deployed programs; every loop is laid where there is room."""
    routes = tmp_path / "flows.rou.xml"
    routes.write_text(f"<routes>{FLOWS}</routes>")
    return RunSpec("town", controller="fixed", net=town, routes=(routes,), end_s=7200)


def test_a_stalled_vehicle_blocks_its_lane_and_the_log_shows_it(spec: RunSpec, tmp_path: Path) -> None:
    """150 m before the light, on the only lane: SUMO's truth, and an alarm while it lasts, from the log alone."""
    run(spec, tmp_path / "normal")
    write_incidents([STALLED], tmp_path / "list.csv")
    summary = run(replace(spec, incidents=tmp_path / "list.csv"), tmp_path / "blocked")
    truth = pl.read_parquet(tmp_path / "blocked" / "incidents.parquet").row(0, named=True)
    assert abs(truth["start_s"] - 900) < 60
    assert truth["end_s"] == 1500
    assert truth["lane"] == "mc_1"
    assert summary["scheduled"] == pl.read_parquet(tmp_path / "normal" / "trips.parquet").height
    found = watch(tmp_path / "blocked", site_of(tmp_path / "blocked", None), [tmp_path / "normal"])
    assert found.score is not None
    assert found.score["detected"] == 1
    assert found.score["false_alarms"] == 0
    assert found.alarms[0]["start"].endswith("+00:00")
    assert any("extrapolated" in note for note in found.notes)
    answer = CliRunner().invoke(
        app, ["incidents", str(tmp_path / "blocked"), "--normal", str(tmp_path / "normal"), "--json"]
    )
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["alarms"] == found.alarms


def test_a_log_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    """No model, no log, no columns."""
    with pytest.raises(InputError, match=r"model\.toml"):
        site_of(tmp_path, None)


def test_a_draw_is_that_of_its_seed_and_keeps_its_slots(spec: RunSpec) -> None:
    """Three incidents in three slots of ten minutes, on lanes that lead to a signal, at least two minutes each."""
    scenario = load_scenario(spec)
    network = read_network(scenario.net_file)
    site = load_site(spec, scenario, network)
    draw = IncidentDraw(3, 120, 300, kinds=tuple(IncidentKind))
    first, again, other = (draw_incidents(network, site, draw, (0, 1800), seed) for seed in (1, 1, 2))
    assert first == again != other
    for slot, incident in enumerate(first):
        assert slot * 600 <= incident.start_s < incident.end_s <= (slot + 1) * 600
        assert 120 <= incident.end_s - incident.start_s <= 300
    kinds = {i.kind for seed in range(20) for i in draw_incidents(network, site, draw, (0, 1800), seed)}
    assert kinds == {IncidentKind.STALLED, IncidentKind.SURGE}  # roads of one lane are never closed
    with pytest.raises(ScenarioError, match="expected slots over 900 s, found 600 s"):
        draw_incidents(network, site, IncidentDraw(3), (0, 1800), 0)


def test_a_place_that_the_network_lacks_is_refused(spec: RunSpec, tmp_path: Path) -> None:
    """Before anything runs."""
    write_incidents([replace(STALLED, lane="nowhere_0")], tmp_path / "list.csv")
    with pytest.raises(ScenarioError, match="expected a lane of the network, found nowhere_0"):
        run(replace(spec, incidents=tmp_path / "list.csv"))
