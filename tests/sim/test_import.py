"""Networks of a user's: what SUMO accepts is accepted, what it refuses is refused in one line."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from greensplit.engine.errors import ModelError, NetworkError
from greensplit.engine.model.site import GroupKind, Step
from greensplit.engine.model.toml import read_site, write_site
from greensplit.sim.derive.site import derive_site
from greensplit.sim.network import read_network
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

CloseLoop = Callable[..., Any]
PROGRAMS = re.compile(r"<tlLogic.*?</tlLogic>\s*", re.DOTALL)
PROGRAM = (
    '<tlLogic id="c" type="static" programID="{name}" offset="0"><phase duration="{first}" state="{s1}"/>'
    '<phase duration="3" state="{s2}"/><phase duration="{second}" state="{s3}"/><phase duration="3" state="{s4}"/>'
    "</tlLogic>"
)


@pytest.fixture(scope="module")
def bare(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town without any program."""
    path = tmp_path_factory.mktemp("bare") / "net.xml"
    text, removed = PROGRAMS.subn("", town.read_text())
    assert removed == 2
    path.write_text(text)
    return path


def spec(net: Path, routes: Path, controller: str = "lookahead", **fields: Any) -> RunSpec:
    """A run of a user's files for 400 s."""
    return RunSpec("mine", controller, net=net, routes=(routes,), begin_s=0, end_s=400, **fields)


def states(net: Path, light: str) -> list[str]:
    """The states of a light's program in a network file."""
    found = re.search(rf'<tlLogic id="{light}".*?</tlLogic>', net.read_text(), re.DOTALL)
    assert found is not None
    return re.findall(r'state="([^"]+)"', found.group())


def four_states(net: Path) -> list[str]:
    """A stage, its yellow, another stage, its yellow, from the program of light c."""
    found = states(net, "c")
    yellows = [i for i, state in enumerate(found) if "y" in state]
    return [found[i + step] for i in (yellows[0], yellows[-1]) for step in (-1, 0)]


def test_a_light_for_people_only_is_left_to_its_own_program(town: Path, routes: Path) -> None:
    """It is no junction of the site; the site says so; the run goes on around it."""
    site = derive_site(read_network(town), "town")
    assert [junction.id for junction in site.junctions] == ["c"]
    assert any("light m controls no vehicles" in text for text in site.assumptions)
    assert sorted(group.kind for group in site.junctions[0].groups)[0] is GroupKind.PEDESTRIAN
    summary = run(spec(town, routes))
    assert (summary["arrived"], summary["interlock_refusals"]) == (60, 0)


@pytest.mark.parametrize("controller", ["lookahead", "fixed", "actuated", "delay-based"])
def test_a_network_without_programs_runs_under_every_controller(
    close_loop: CloseLoop, bare: Path, routes: Path, tmp_path: Path, controller: str
) -> None:
    """SUMO refuses such a network; it gets a copy with a program for the junction and the other light off."""
    closed = close_loop(spec(bare, routes, controller), tmp_path / "w")
    copy = tmp_path / "w" / "complete.net.xml"
    assert set("".join(states(copy, "m"))) == {"O"}
    assert PROGRAMS.sub("", copy.read_text()) == bare.read_text()
    trips = (closed.folder / "tripinfo.xml").read_text()
    assert trips.count("<tripinfo ") == 60
    assert trips.count('arrival="-1.00"') == 0
    assert closed.outcome.loop.interlock_findings == 0


def test_a_program_made_here_serves_everybody_and_passes_through_yellow(
    close_loop: CloseLoop, bare: Path, routes: Path, tmp_path: Path
) -> None:
    """Every lamp is green at some time; between green and red a vehicle lamp is yellow, also from the end round."""
    closed = close_loop(spec(bare, routes, "fixed"), tmp_path / "w")
    cycle = states(tmp_path / "w" / "complete.net.xml", "c")
    (junction,) = closed.prepared.site.junctions
    people = {lamp for g in junction.groups if g.kind is GroupKind.PEDESTRIAN for lamp in g.lamps}
    for lamp in range(len(cycle[0])):
        column = "".join(state[lamp] for state in cycle)
        assert set(column) & set("Gg")
        around = column + column[0]
        if lamp not in people:
            assert not re.search("[Gg]r", around)


def test_a_program_in_an_additional_file_is_the_one_that_runs(
    close_loop: CloseLoop, town: Path, bare: Path, routes: Path, tmp_path: Path
) -> None:
    """Loaded after the network's (or in place of none): SUMO shows it, the model takes it as the deployed plan."""
    s1, s2, s3, s4 = four_states(town)
    text = PROGRAM.format(name="mine", first=20, second=11, s1=s1, s2=s2, s3=s3, s4=s4)
    (tmp_path / "p.xml").write_text(f"<additional>{text}</additional>")
    for net in (town, bare):
        folder = tmp_path / net.parent.name
        closed = close_loop(spec(net, routes, "fixed", additional=(tmp_path / "p.xml",)), folder)
        (junction,) = closed.prepared.site.junctions
        assert (junction.plans[-1].name, junction.plans[-1].cycle_ms) == ("mine", 37_000)
        events = pl.DataFrame(closed.outcome.loop.events.rows())
        for group in (g for g in junction.groups if g.kind is GroupKind.VEHICLE):
            greens = events.filter(
                (pl.col("device") == 1) & (pl.col("event") == 1) & (pl.col("parameter") == group.number)
            )
            assert set(greens["t_ms"].diff().drop_nulls()) <= {37_000}
            assert greens.height >= 10 or set("".join(s[group.lamps[0]] for s in (s1, s2, s3, s4))) <= set(
                "Gg"
            )


def test_several_programs_of_one_light_give_all_their_stages(
    town: Path, routes: Path, tmp_path: Path, close_loop: CloseLoop
) -> None:
    """Two more, one of them with the stages in another order: three plans, the last one deployed, and it is said."""
    s1, s2, s3, s4 = four_states(town)
    programs = PROGRAM.format(name="day", first=30, second=30, s1=s1, s2=s2, s3=s3, s4=s4)
    programs += PROGRAM.format(name="night", first=10, second=12, s1=s3, s2=s4, s3=s1, s4=s2)
    (tmp_path / "p.xml").write_text(f"<additional>{programs}</additional>")
    closed = close_loop(spec(town, routes, additional=(tmp_path / "p.xml",)), tmp_path / "w")
    (junction,) = closed.prepared.site.junctions
    assert [plan.name for plan in junction.plans] == ["0", "day", "night"]
    assert [step.green_ms for step in junction.plans[-1].steps] == [10_000, 12_000]
    assert any("3 programs: night" in text for text in closed.prepared.site.assumptions)
    assert closed.outcome.loop.interlock_findings == 0


def test_one_light_over_two_junctions_is_one_controller(
    build_net: Callable[..., Path], tmp_path: Path, close_loop: CloseLoop
) -> None:
    """Two T junctions 30 m apart under one program: one device, at their middle, with the lamps of both."""
    names = {"a": (-300, 0), "b": (330, 0), "u": (0, 300), "v": (30, -300)}
    nodes = "".join(f'<node id="{n}" x="{x}" y="{y}"/>' for n, (x, y) in names.items())
    for name, x in (("p", 0), ("q", 30)):
        nodes += f'<node id="{name}" x="{x}" y="0" type="traffic_light" tl="J"/>'
    pairs = ("ap", "pa", "up", "pu", "pq", "qp", "qb", "bq", "vq", "qv")
    edges = "".join(f'<edge id="{x}" from="{x[0]}" to="{x[1]}" numLanes="1" speed="13.9"/>' for x in pairs)
    net = build_net(tmp_path / "net", nodes, edges)
    flows = "".join(
        f'<flow id="{a}-{b}" from="{a}" to="{b}" begin="0" end="200" number="6"/>'
        for a, b in (("ap", "qb"), ("bq", "pa"), ("up", "qv"), ("vq", "pu"))
    )
    (tmp_path / "r.xml").write_text(f"<routes>{flows}</routes>")
    closed = close_loop(spec(net, tmp_path / "r.xml"), tmp_path / "w")
    (junction,) = closed.prepared.site.junctions
    assert (junction.id, junction.x_m - 315.0, len(junction.idle_lamps)) == (
        "J",
        0.0,
        len(states(net, "J")[0]),
    )
    assert {lane.id for lane in junction.lanes} == {"ap_0", "up_0", "pq_0", "qp_0", "bq_0", "vq_0"}
    assert closed.outcome.loop.interlock_findings == 0
    assert (closed.folder / "tripinfo.xml").read_text().count('arrival="-1.00"') == 0


def test_compressed_files_give_the_same_as_plain_ones(
    town: Path, bare: Path, routes: Path, tmp_path: Path
) -> None:
    """Network, with and without programs, and routes as .gz."""
    zipped = tmp_path / "r.rou.xml.gz"
    zipped.write_bytes(gzip.compress(routes.read_bytes()))
    timing = {"wall_s", "simulator_s", "decide_s", "outside_s", "peak_mb", "scenario"}
    for net in (town, bare):
        packed = tmp_path / f"{net.parent.name}.net.xml.gz"
        packed.write_bytes(gzip.compress(net.read_bytes()))
        plain, compressed = run(spec(net, routes)), run(spec(packed, zipped))
        assert plain["arrived"] == 60
        assert {k: v for k, v in plain.items() if k not in timing} == {
            k: v for k, v in compressed.items() if k not in timing
        }


def test_buses_stop_and_people_ride_them(town: Path, tmp_path: Path, close_loop: CloseLoop) -> None:
    """A line with a stop, one person who rides it: the bus waits its 15 s, and counts as scheduled and arrived."""
    stops = '<busStop id="stop" lane="mc_1" startPos="100" endPos="130" lines="7"/>'
    (tmp_path / "stops.xml").write_text(f"<additional>{stops}</additional>")
    bus = (
        '<vType id="bus" vClass="bus"/><flow id="bus" type="bus" line="7" from="am" to="cb" begin="10" end="130" '
        'number="2"><stop busStop="stop" duration="15"/></flow>'
        '<person id="rider" depart="0"><walk from="mc" busStop="stop"/><ride to="cb" lines="7"/></person>'
    )
    (tmp_path / "r.xml").write_text(f"<routes>{bus}</routes>")
    closed = close_loop(spec(town, tmp_path / "r.xml", additional=(tmp_path / "stops.xml",)), tmp_path / "w")
    trips = (closed.folder / "tripinfo.xml").read_text()
    stopped = [float(value) for value in re.findall(r'<tripinfo [^>]*stopTime="([\d.]+)"', trips)]
    assert len(stopped) == 2
    assert min(stopped) >= 15.0
    assert "<ride " in trips
    assert closed.scheduled()["public_transport"].to_list() == [True, True]


def test_a_run_under_the_model_that_another_run_wrote_is_the_same(
    town: Path, routes: Path, tmp_path: Path
) -> None:
    """The model of a run directory, given back unchanged, changes nothing."""
    first = run(spec(town, routes), tmp_path / "first")
    second = run(spec(town, routes, model=tmp_path / "first" / "model.toml"), tmp_path / "second")
    assert first["corrected_delay_s"] == second["corrected_delay_s"]
    for name in ("model.toml", "trips.parquet", "decisions.parquet", "detectors.csv"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_one_changed_value_in_the_model_takes_effect(
    town: Path, routes: Path, tmp_path: Path, close_loop: CloseLoop
) -> None:
    """Yellow of 6 s instead of 3: every yellow of the log lasts 6 s."""
    site = derive_site(read_network(town), "town")
    (junction,) = site.junctions
    groups = tuple(
        group
        if group.kind is GroupKind.PEDESTRIAN
        else replace(group, sequence=replace(group.sequence, stop=(Step("yellow", 6000),)))
        for group in junction.groups
    )
    meetings = tuple(replace(m, intergreen_ms=30_000, reverse_ms=30_000) for m in junction.meetings)
    plans = tuple(replace(plan, cycle_ms=plan.cycle_ms + 60_000) for plan in junction.plans)
    edited = replace(junction, groups=groups, meetings=meetings, plans=plans)
    write_site(replace(site, junctions=(edited,)), tmp_path / "m.toml")
    closed = close_loop(spec(town, routes, model=tmp_path / "m.toml"), tmp_path / "w")
    rows = pl.DataFrame(closed.outcome.loop.events.rows()).filter(pl.col("event").is_in([8, 9]))
    by_group = rows.sort("parameter", "t_ms").with_columns(length_ms=pl.col("t_ms").diff().over("parameter"))
    yellows = by_group.filter(pl.col("event") == 9)["length_ms"]
    assert len(yellows) > 4
    assert set(yellows) == {6000}


def test_a_model_with_other_lamps_than_the_network_is_refused(
    town: Path, routes: Path, tmp_path: Path
) -> None:
    """The message names file, junction, and both numbers."""
    text = run_model(town, routes, tmp_path).read_text()
    found = re.search(r'idle_lamps = "(\.+)"', text)
    assert found is not None
    count = len(found.group(1))
    (tmp_path / "m.toml").write_text(text.replace(found.group(), f'idle_lamps = "{"." * count}r"'))
    with pytest.raises(
        NetworkError, match=rf"m\.toml: junction c: expected {count} lamps.*found {count + 1}"
    ):
        run(spec(town, routes, model=tmp_path / "m.toml"))


def test_a_model_with_a_loop_on_a_lane_that_is_not_there_is_refused(
    town: Path, routes: Path, tmp_path: Path
) -> None:
    """The message names file, detector and lane."""
    text = run_model(town, routes, tmp_path).read_text()
    (tmp_path / "m.toml").write_text(re.sub(r'lane = "mc_1"', 'lane = "gone_1"', text))
    with pytest.raises(
        NetworkError, match=r"m\.toml: junction c: detector gs1\.\d+: expected a lane.*gone_1"
    ):
        run(spec(town, routes, model=tmp_path / "m.toml"))


def test_a_model_with_a_key_of_no_meaning_is_refused(town: Path, routes: Path, tmp_path: Path) -> None:
    """The message names the file and the key."""
    text = run_model(town, routes, tmp_path).read_text()
    (tmp_path / "m.toml").write_text(text.replace("red_revert_ms", "red_revrt_ms"))
    with pytest.raises(ModelError, match=r"m\.toml: .*red_revrt_ms"):
        run(spec(town, routes, model=tmp_path / "m.toml"))


def run_model(town: Path, routes: Path, folder: Path) -> Path:
    """The model file of a run."""
    run(replace(spec(town, routes, "fixed"), end_s=20), folder / "model-run")
    assert read_site(folder / "model-run" / "model.toml").name == "net"
    return folder / "model-run" / "model.toml"


def test_own_loops_take_the_place_of_ours(
    town: Path, routes: Path, tmp_path: Path, close_loop: CloseLoop
) -> None:
    """Before a stop line, 100 m upstream across an unsignalised node's worth of road, and behind the junction."""
    length_m = read_network(town).lanes["mc_1"].length_m
    loops = (
        f'<inductionLoop id="x" lane="mc_1" pos="{length_m - 7:.2f}" length="5" period="60" file="x.xml"/>'
        f'<e1Detector id="y" lane="mc_1" pos="-102" length="2" period="60" file="x.xml"/>'
        '<inductionLoop id="z" lane="cb_1" pos="8" period="60" file="x.xml"/>'
        '<inductionLoop id="d" lane="dc_1" pos="-7" length="5" period="60" file="x.xml"/>'
    )
    (tmp_path / "own.xml").write_text(f"<additional>{loops}</additional>")
    closed = close_loop(spec(town, routes, detectors=tmp_path / "own.xml"), tmp_path / "w")
    (junction,) = closed.prepared.site.junctions
    found = [(d.kind.value, d.lane, round(d.distance_m, 1), d.lanes) for d in junction.detectors]
    assert found == [
        ("stop_bar", "mc_1", 2.0, ("mc_1",)),
        ("advance", "mc_1", 100.0, ("mc_1",)),
        ("exit", "cb_1", 8.0, ()),
        ("stop_bar", "dc_1", 2.0, ("dc_1",)),
    ]
    assert "junction c: no loop of own.xml serves lane bc_1" in closed.prepared.site.assumptions
    events = pl.DataFrame(closed.outcome.loop.events.rows()).filter(pl.col("event") == 82)
    # 20 cars come from a over mc; the two ways to b are 10 from a and 10 from d
    assert events.filter(pl.col("parameter") == 2).height == 20
    assert events.filter(pl.col("parameter") == 3).height == 20


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        ('<inductionLoop id="x" lane="nowhere_0" pos="1"/>', "loop x: expected a lane.*nowhere_0"),
        ('<inductionLoop id="x" lane="mc_1" pos="9999"/>', "loop x: expected pos within.*9999"),
        ('<inductionLoop id="x" pos="1"/>', "expected loops with id, lane and pos"),
        ("", "found 0 loops"),
    ],
)
def test_own_loops_that_cannot_be_used_are_refused(
    town: Path, routes: Path, tmp_path: Path, loop: str, words: str
) -> None:
    """The message names the file and the loop."""
    (tmp_path / "own.xml").write_text(f"<additional>{loop}</additional>")
    with pytest.raises(NetworkError, match=rf"own\.xml: .*{words}"):
        run(spec(town, routes, detectors=tmp_path / "own.xml"))


def test_a_state_shorter_than_the_lights_links_is_refused_by_name(
    town: Path, routes: Path, tmp_path: Path
) -> None:
    """Light c with one letter less in every state."""
    text = town.read_text()
    for state in states(town, "c"):
        text = text.replace(f'state="{state}"', f'state="{state[:-1]}"')
    (tmp_path / "net.xml").write_text(text)
    with pytest.raises(NetworkError, match=r"light c, program 0: expected states of at least \d+ letters"):
        run(spec(tmp_path / "net.xml", routes))


def test_nothing_is_written_into_the_users_folder(town: Path, routes: Path, tmp_path: Path) -> None:
    """Network, routes and loops lie in a folder that is the same after the run."""
    mine = tmp_path / "mine"
    mine.mkdir()
    shutil.copy(town, mine / "net.xml")
    shutil.copy(routes, mine / "r.xml")
    (mine / "own.xml").write_text(
        '<additional><inductionLoop id="x" lane="mc_1" pos="50" period="60" file="data.xml"/></additional>'
    )
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    run(spec(mine / "net.xml", mine / "r.xml", detectors=mine / "own.xml"), tmp_path / "out")
    assert {path.name: path.read_bytes() for path in mine.iterdir()} == before
