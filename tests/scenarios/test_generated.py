"""Generated arterials and grids: same bytes for the same seed, the volumes asked for, traffic that flows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import defusedxml.ElementTree
import numpy as np
import pytest

from greensplit.engine.errors import ScenarioError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.demand import read_demand, scheduled_rows
from greensplit.scenarios.generated import ArterialConfig, GridConfig, load_arterial, load_grid
from greensplit.scenarios.netfile import edge_ids, signal_ids

FILES = ("net_file", "route_files", "additional_files")


def contents(scenario: Scenario) -> list[bytes]:
    """Everything SUMO would read of a scenario."""
    return [
        path.read_bytes() for path in (scenario.net_file, *scenario.route_files, *scenario.additional_files)
    ]


@pytest.mark.parametrize(
    ("load", "config"),
    [
        (load_arterial, ArterialConfig(junctions=2, seed=3)),
        (load_grid, GridConfig(rows=2, columns=1, seed=3)),
    ],
)
def test_a_seed_fixes_every_byte_and_another_seed_changes_network_and_demand(
    load: Callable[..., Scenario], config: ArterialConfig | GridConfig, cache_dir: Path, tmp_path: Path
) -> None:
    """Two caches, one content; seed 4 has other distances and other vehicles."""
    first, again = load(config, cache_dir=cache_dir), load(config, cache_dir=tmp_path)
    other = load(replace(config, seed=4), cache_dir=cache_dir)
    assert contents(first) == contents(again)
    assert all(a != b for a, b in zip(contents(first)[:2], contents(other)[:2], strict=True))


def test_a_second_load_does_not_build_again(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder in the cache netconvert is not run: here it would fail."""
    config = ArterialConfig(junctions=1, duration_s=600)
    first = load_arterial(config, cache_dir=cache_dir)
    monkeypatch.setattr("greensplit.scenarios.generated.build_net", None)
    assert load_arterial(config, cache_dir=cache_dir) == first


@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_arterial_is_busy_and_still_flows_for_an_hour(
    seed: int, cache_dir: Path, run_sumo: Callable[..., Element]
) -> None:
    """No queue reaches back to an entry, nearly all arrive, but a vehicle loses over half a minute."""
    figures = hour_of(load_arterial(ArterialConfig(seed=seed), cache_dir=cache_dir), run_sumo)
    assert 30 < figures["time_loss_s"] < 150
    assert figures["depart_delay_s"] < 5
    assert figures["running"] < 0.08 * figures["inserted"]
    assert figures["collisions"] == 0


def test_the_default_grid_is_busy_and_still_flows_for_an_hour(
    cache_dir: Path, run_sumo: Callable[..., Element]
) -> None:
    """As for the arterial."""
    figures = hour_of(load_grid(GridConfig(), cache_dir=cache_dir), run_sumo)
    assert 30 < figures["time_loss_s"] < 200
    assert figures["depart_delay_s"] < 5
    assert figures["running"] < 0.08 * figures["inserted"]
    assert figures["collisions"] == 0


def hour_of(scenario: Scenario, run_sumo: Callable[..., Element]) -> dict[str, float]:
    """What SUMO reports of a whole run, with netconvert's own fixed programs."""
    root = run_sumo(scenario)
    parts = {name: root.find(name) for name in ("vehicles", "vehicleTripStatistics", "safety")}
    figures = {key: value for part in parts.values() if part is not None for key, value in part.items()}
    return {
        "inserted": float(figures["inserted"]),
        "running": float(figures["running"]),
        "time_loss_s": float(figures["timeLoss"]),
        "depart_delay_s": float(figures["departDelay"]),
        "collisions": float(figures["collisions"]),
    }


@pytest.mark.parametrize(
    ("load", "config", "junctions", "crossings"),
    [(load_arterial, ArterialConfig(), 6, 24), (load_grid, GridConfig(), 9, 36)],
)
def test_every_junction_has_a_signal_and_four_crossings_with_green(
    load: Callable[..., Scenario],
    config: ArterialConfig | GridConfig,
    junctions: int,
    crossings: int,
    cache_dir: Path,
    crossing_faults: Callable[[Path], tuple[int, list[str]]],
) -> None:
    """Judged by a checker that knows the network file only."""
    net = load(config, cache_dir=cache_dir).net_file
    assert len(signal_ids(net)) == junctions
    assert crossing_faults(net) == (crossings, [])


def test_left_turns_from_the_main_street_have_a_lane_of_their_own(cache_dir: Path) -> None:
    """2 through lanes plus the bay plus the pavement; the bay lane leads to the left only."""
    net = load_arterial(ArterialConfig(), cache_dir=cache_dir).net_file
    root = defusedxml.ElementTree.parse(net).getroot()
    lanes = {edge.get("id"): len(edge.findall("lane")) for edge in root.iter("edge")}
    assert lanes["r0c0_r0c1"] == 3
    assert lanes["r0c0_r0c1_bay"] == 4
    directions = {
        (int(link.attrib["fromLane"]), link.attrib["dir"])
        for link in root.iter("connection")
        if link.get("from") == "r0c0_r0c1_bay" and not link.attrib["to"].startswith(":")
    }
    assert directions == {(1, "r"), (1, "s"), (2, "s"), (3, "l")}


def test_spacing_varies_about_its_mean_within_a_fifth(cache_dir: Path) -> None:
    """Five gaps between six junctions, all different, none outside 350 m +- 20 %."""
    net = load_arterial(ArterialConfig(seed=1), cache_dir=cache_dir).net_file
    junctions = defusedxml.ElementTree.parse(net).getroot().iter("junction")
    xs_m = sorted(float(j.attrib["x"]) for j in junctions if j.get("type") == "traffic_light")
    gaps_m = np.diff(xs_m)
    assert len(set(gaps_m.round(1))) == 5
    assert gaps_m.min() >= 0.8 * 350 - 0.2
    assert gaps_m.max() <= 1.2 * 350 + 0.2


def test_volumes_peak_as_the_profile_says(cache_dir: Path) -> None:
    """2 x 900 + 2 x 200 veh/h in halves of weight 1 : 3 are 550 and 1650 cars, give or take four sd."""
    config = ArterialConfig(junctions=1, main_veh_h=900, cross_veh_h=200, profile=(1.0, 3.0), bus_headway_s=0)
    rows = scheduled_rows(read_demand(load_arterial(config, cache_dir=cache_dir), seed=0))
    early = sum(depart_s < 1800 for _, _, depart_s, _ in rows)
    assert early == pytest.approx(550, abs=94)
    assert len(rows) - early == pytest.approx(1650, abs=163)


def test_cars_turn_by_the_given_shares(cache_dir: Path) -> None:
    """At a single junction about 20 % of 2240 cars go left and 10 % right (sd 19 and 14)."""
    config = ArterialConfig(junctions=1, left_share=0.2, right_share=0.1, bus_headway_s=0)
    demand = read_demand(load_arterial(config, cache_dir=cache_dir), seed=0)
    left = {("west0", "north0"), ("north0", "east0"), ("east0", "south0"), ("south0", "west0")}
    ends = [route_ends(vehicle.element) for vehicle in demand.vehicles]
    number = len(ends)
    assert sum(pair in left for pair in ends) / number == pytest.approx(0.2, abs=0.034)
    assert sum(pair[::-1] in left for pair in ends) / number == pytest.approx(0.1, abs=0.026)


def route_ends(vehicle: Element) -> tuple[str, str]:
    """The feeder nodes at which a vehicle enters and leaves."""
    route = vehicle.find("route")
    assert route is not None
    edges = route.attrib["edges"].split()
    return edges[0].split("_")[0], edges[-1].split("_")[1]


def test_buses_run_both_ways_at_their_headway_and_call_at_every_stop(cache_dir: Path) -> None:
    """An hour at 600 s is 6 buses each way; each calls behind each of the 6 junctions."""
    demand = read_demand(load_arterial(ArterialConfig(), cache_dir=cache_dir), seed=0)
    buses = [vehicle for vehicle in demand.vehicles if vehicle.public_transport]
    eastbound = [bus.depart_s for bus in buses if bus.element.get("line") == "eastbound"]
    assert eastbound == [0, 600, 1200, 1800, 2400, 3000]
    assert len(buses) == 12
    assert all(len(bus.element.findall("stop")) == 6 for bus in buses)


def test_without_a_headway_there_are_no_buses(cache_dir: Path) -> None:
    """bus_headway_s = 0 leaves the stops file empty."""
    config = ArterialConfig(junctions=1, bus_headway_s=0, duration_s=600)
    scenario = load_arterial(config, cache_dir=cache_dir)
    assert list(defusedxml.ElementTree.parse(scenario.additional_files[0]).getroot()) == []


def test_a_grid_has_the_rows_and_columns_asked_for(cache_dir: Path) -> None:
    """2 x 1 junctions: their road between them exists both ways, and there is no third."""
    edges = edge_ids(load_grid(GridConfig(rows=2, columns=1, seed=3), cache_dir=cache_dir).net_file)
    assert {"r0c0_r1c0", "r1c0_r0c0", "r1c0_north0", "west1_r1c0"} <= edges
    assert not any("r0c1" in edge or "r2c0" in edge for edge in edges)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"junctions": 0}, "junctions: expected 1 to 100, found 0"),
        ({"spacing_m": 100.0}, "spacing_m: expected 187.5 to 5000, found 100"),
        ({"left_share": 0.6, "right_share": 0.6}, "shares up to 1 in sum"),
        ({"profile": ()}, "profile: expected positive weights"),
        ({"speed_mps": float("nan")}, "speed_mps: expected 1 to 40, found nan"),
        ({"duration_s": 10}, "duration_s: expected 60 to 86400, found 10"),
    ],
)
def test_a_parameter_out_of_range_is_refused_by_name(wrong: dict[str, object], complaint: str) -> None:
    """Expected range and found value are in the message."""
    with pytest.raises(ScenarioError, match=complaint):
        ArterialConfig(**wrong)  # type: ignore[arg-type]
