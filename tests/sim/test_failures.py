"""What goes wrong: one line that says what, the right exit code, and nothing half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

import greensplit.sim.sumo
from greensplit.engine.errors import (
    GreensplitError,
    InputError,
    NetworkError,
    OutputError,
    ScenarioError,
    SimulatorError,
    WorkError,
)
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

RUN = """
import os, resource, signal, sys, time
from pathlib import Path
from greensplit.engine.errors import GreensplitError
from greensplit.sim.apart import simulate_apart
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec
mode, way, out, limit = sys.argv[1:]
if limit != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
done = []
def progress(share):
    if share > 0.3 and not done:
        done.append(share)
        if mode == "interrupt":
            os.killpg(0, signal.SIGINT)
        if mode == "kill":
            for child in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
        if mode == "twice":
            os.killpg(0, signal.SIGINT)
            time.sleep(0.1 * (way == "apart"))
            os.killpg(0, signal.SIGINT)
spec = RunSpec("cologne1", "lookahead", end_s=25500, traci=way == "socket")
try:
    run(spec, Path(out), progress=progress, simulate=simulate_apart if way == "apart" else None)
except GreensplitError as err:
    print(err)
    sys.exit(err.exit_code)
"""
WAYS = ["library", "socket"]
ALL_WAYS = [*WAYS, "apart"]


def run_apart(mode: str, way: str, out: Path, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs five minutes in a process of its own, in which something happens after two.

    A session of its own takes Ctrl-C as a terminal sends it: to every process of the group.
    """
    command = [sys.executable, "-c", RUN, mode, way, str(out), str(limit)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, start_new_session=True
    )


def must_be_one_line(done: subprocess.CompletedProcess[str], exit_code: int, words: str) -> None:
    """Exit code, one line on the output, no stack trace."""
    assert (done.returncode, done.stderr) == (exit_code, "")
    assert done.stdout.count("\n") == 1
    assert words in done.stdout


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A run directory that must not exist after the test, nor anything beside it."""
    yield tmp_path / "place" / "run"
    assert [*tmp_path.joinpath("place").glob("*"), *tmp_path.joinpath("place").glob(".*")] == []


@pytest.mark.parametrize("way", ALL_WAYS)
def test_ctrl_c_leaves_a_valid_directory_marked_partial(way: str, tmp_path: Path) -> None:
    """Interrupted at 120 of 300 s: what was measured until then, and no folder of ours beside it."""
    done = run_apart("interrupt", way, tmp_path / "run")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (summary["partial"], manifest["partial"], manifest["complete"]) == (True, True, False)
    assert summary["end_s"] == manifest["end_s"]
    # the socket's and the library's loop ends with the step; a process apart hears of it a little later
    assert summary["end_s"] == 25_321 or (way == "apart" and 25_321 < summary["end_s"] < 25_500)
    trips = pl.read_parquet(tmp_path / "run" / "trips.parquet")
    assert trips.height == summary["scheduled"]
    assert trips["scheduled_depart_s"].max() < summary["end_s"]
    assert trips["arrival_s"].max() <= summary["end_s"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("way", ALL_WAYS)
def test_ctrl_c_twice_stops_at_once_and_leaves_nothing(way: str, out: Path) -> None:
    """The second one is Python's own."""
    done = run_apart("twice", way, out)
    if way == "apart":
        must_be_one_line(done, 1, "expected it to end by itself, found SIGINT")
        return
    assert done.returncode in (1, 130, -signal.SIGINT)
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


def test_sumo_dying_in_the_middle_is_one_line(out: Path) -> None:
    """Its process is killed after two minutes."""
    must_be_one_line(run_apart("kill", "socket", out), 1, "SUMO stopped: ")


def test_a_crash_of_the_simulations_own_process_is_one_line(out: Path) -> None:
    """The process apart, with the library in it, is killed."""
    must_be_one_line(run_apart("kill", "apart", out), 1, "expected it to end by itself, found SIGKILL")


@pytest.mark.parametrize(
    ("way", "limit"),
    [("library", 2_000), ("library", 20_000), ("library", 60_000), ("library", 400_000), ("apart", 60_000)],
)
def test_a_file_that_may_not_grow_is_one_line(way: str, limit: int, out: Path) -> None:
    """A limit on file size hits, one after the other, our tables, the events, SUMO's trips, the report."""
    must_be_one_line(run_apart("none", way, out, limit), 1, "")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts file systems of some kilobytes, where this user may."""
    mounted: list[Path] = []

    def mount(kilobytes: int) -> Path:
        place = tmp_path / f"disk-{kilobytes}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            assert "CI" not in os.environ, "CI is root and mounts"
            pytest.skip("mounting a file system needs root")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    ("way", "kilobytes"), [("library", 16), ("library", 64), ("library", 600), ("apart", 64), ("apart", 200)]
)
def test_a_full_disk_is_one_line(small_disk: Callable[[int], Path], way: str, kilobytes: int) -> None:
    """Full while preparing, while SUMO writes, or while the run directory is written: nothing is left on it."""
    place = small_disk(kilobytes)
    must_be_one_line(run_apart("none", way, place / "run"), 1, str(place))
    assert list(place.iterdir()) == []


def children() -> list[str]:
    """Processes that this one has started and that still run."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def spec(controller: str = "lookahead", **fields: object) -> RunSpec:
    """A short run of Cologne."""
    return RunSpec("cologne1", controller, **{"end_s": 25_230, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS)
def test_another_version_of_sumo_is_refused_and_left_nowhere(
    way: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Expected and found version are named; no process stays; the next run works."""
    traci, before = way == "socket", children()
    with monkeypatch.context() as patch:
        patch.setattr(greensplit.sim.sumo, "SUPPORTED_VERSION", "1.27")
        with pytest.raises(SimulatorError, match=r"SUMO: expected version 1\.27, found 1\.28"):
            run(spec(traci=traci), out)
    assert children() == before
    assert run(spec(traci=traci))["departed"] > 0


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (spec("lookahed"), InputError, "expected one of fixed,.*found lookahed; did you mean lookahead"),
        (spec(profile="R3"), InputError, "expected R1 or R2, found R3"),
        (spec(vision="some"), InputError, "vision: expected detectors or perfect, found some"),
        (spec("greedy", vision="detectors"), InputError, "greedy works with perfect, found detectors"),
        (spec(scale=0.0), InputError, "scale: expected above 0.*found 0"),
        (spec(scale=float("nan")), InputError, "scale: expected above 0.*found nan"),
        (spec(seed=-1), InputError, "seed: expected 0 to 2147483647, found -1"),
        (spec(seed=2**31), InputError, "seed: expected 0 to 2147483647, found 2147483648"),
        (spec(demand_seed=-1), InputError, "demand seed: expected"),
        (spec(warmup_s=-1), InputError, "warmup: expected 0 s or more, found -1"),
        (spec(warmup_s=30), InputError, "warmup: expected less than the window of 30 s, found 30"),
        (spec(begin_s=25_230), InputError, "window: expected begin before end, found 25230 to 25230"),
        (spec(begin_s=100, end_s=200), ScenarioError, "expected a vehicle due in 100-200 s, found none"),
        (spec(epoch="yesterday"), InputError, "epoch: expected .*found yesterday"),
        (RunSpec("colonge1", "lookahead"), ScenarioError, "colonge1.*near: cologne"),
        (RunSpec("/no/such.sumocfg", "lookahead"), NetworkError, r"/no/such\.sumocfg: expected"),
        (RunSpec("x", "lookahead", net=Path("/no/net.xml")), NetworkError, r"/no/net\.xml: expected a file"),
        (spec(model=Path("/no/model.toml")), InputError, r"/no/model\.toml: expected a readable model"),
        (spec(detectors=Path("/no/loops.xml")), NetworkError, r"/no/loops\.xml: expected an XML file"),
    ],
)
def test_a_wrong_wish_is_refused_in_words(
    wrong: RunSpec, kind: type[InputError], words: str, out: Path
) -> None:
    """What was expected and what was found, with exit code 2, and no directory."""
    with pytest.raises(kind, match=words) as caught:
        run(wrong, out)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_directory_with_something_in_it_is_not_touched(tmp_path: Path) -> None:
    """Refused before anything runs; an empty one is taken."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="full: expected a new or empty run directory"):
        run(spec(), tmp_path / "full")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file: expected a new or empty run directory"):
        run(spec(), tmp_path / "file")
    (tmp_path / "empty").mkdir()
    run(spec(), tmp_path / "empty")
    assert (tmp_path / "empty" / "summary.json").is_file()


def test_a_place_under_a_file_is_refused(tmp_path: Path) -> None:
    """The parent of the run directory is a file."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="expected a place to write to"):
        run(spec(), tmp_path / "file" / "run")


@pytest.mark.parametrize("way", WAYS)
def test_a_vehicle_that_cannot_drive_its_route_is_named_in_sumos_words(
    way: str, tmp_path: Path, out: Path
) -> None:
    """A route over two edges that do not meet: SUMO finds it at the departure; the next run works."""
    (tmp_path / "r.xml").write_text(
        '<routes><vehicle id="fine" depart="25200"><route edges="-32038056#3"/></vehicle>'
        '<vehicle id="lost" depart="25210"><route edges="-28198821#4 -28198821#4"/></vehicle></routes>'
    )
    net = Path(load_net())
    wrong = RunSpec(
        "x",
        "lookahead",
        net=net,
        routes=(tmp_path / "r.xml",),
        begin_s=25_200,
        end_s=25_300,
        traci=way == "socket",
    )
    with pytest.raises(GreensplitError, match="'lost' has no valid route"):
        run(wrong, out)
    assert run(spec(traci=way == "socket"))["departed"] > 0


def load_net() -> str:
    """Cologne's network file."""
    from greensplit.scenarios.resco import load_resco

    return str(load_resco("cologne1").net_file)


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ('<trip id="t" depart="5" from="nowhere" to="cd"/>', "nowhere"),
        ('<vehicle id="t" depart="5"><route edges="-32038056#3 nowhere"/></vehicle>', "nowhere"),
        ('<trip id="t" depart="soon" from="a" to="b"/>', "soon"),
        ("<trip", "well-formed XML"),
        ("", "expected a vehicle due"),
    ],
)
def test_routes_that_do_not_fit_the_network_are_refused(
    routes: str, words: str, tmp_path: Path, out: Path
) -> None:
    """The message names the route file."""
    (tmp_path / "mine.rou.xml").write_text(f"<routes>{routes}</routes>")
    wrong = RunSpec(
        "x", "lookahead", net=Path(load_net()), routes=(tmp_path / "mine.rou.xml",), begin_s=0, end_s=60
    )
    with pytest.raises(InputError, match=rf"mine\.rou\.xml.*{words}") as caught:
        run(wrong, out)
    assert caught.value.exit_code == 2


def test_work_that_fails_and_input_that_is_wrong_have_different_exit_codes() -> None:
    """2 for the user's, 1 for ours."""
    assert (InputError.exit_code, WorkError.exit_code) == (2, 1)
