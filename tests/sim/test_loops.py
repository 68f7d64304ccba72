"""Loops against physics: one known vehicle over a known loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from greensplit.sim.additional import corridor_arguments
from greensplit.sim.port import LoopReader
from greensplit.sim.sumo import Simulator
from greensplit.sim.trajectories import read_trajectories

BEGIN_S = 100
SPEED_MPS = 13.3
LENGTH_M = 5.0
START_M = 10.0
TYPE = (
    f'<vType id="t" length="{LENGTH_M}" maxSpeed="{SPEED_MPS}" sigma="0" speedFactor="1" tau="0.5" minGap="1" '
    'lcKeepRight="0" lcSpeedGain="0" lcStrategic="0" lcCooperative="0"/><route id="r" edges="e"/>'
)
Times = list[tuple[int, int]]


@pytest.fixture(scope="module")
def road(build_net: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kilometre of two lanes."""
    return build_net(
        tmp_path_factory.mktemp("road"),
        '<node id="a" x="0" y="0"/><node id="b" x="1000" y="0"/>',
        '<edge id="e" from="a" to="b" numLanes="2" speed="20"/>',
    )


def vehicle(name: str, *, depart_s: float = BEGIN_S, start_m: float = START_M, stop: str = "") -> str:
    """One that enters lane 0 at full speed and keeps it."""
    return (
        f'<vehicle id="{name}" type="t" route="r" depart="{depart_s}" departPos="{start_m}" '
        f'departSpeed="{SPEED_MPS}" departLane="0">{stop}</vehicle>'
    )


def reach_ms(position_m: float, *, start_m: float = START_M) -> int:
    """When the front of a vehicle that entered in the first step is at a position.

    It stands at ``start_m`` at the end of that step, 1000 ms, and drives at constant speed from there.
    """
    return round(1000.0 * (1.0 + (position_m - start_m) / SPEED_MPS))


@pytest.fixture
def watch(road: Path, tmp_path: Path) -> Callable[..., dict[str, Times]]:
    """Runs vehicles over loops {id: (position, length)}; per loop its (time in ms, state) events."""

    def run(
        vehicles: str,
        loops: dict[str, tuple[float, float]],
        *,
        steps: int = 25,
        traci: bool = False,
        act: Callable[[Any, int], None] = lambda _api, _step: None,
        options: Sequence[str] = (),
    ) -> dict[str, Times]:
        (tmp_path / "r.xml").write_text(f"<routes>{TYPE}{vehicles}</routes>")
        elements = "".join(
            f'<inductionLoop id="{name}" lane="e_0" pos="{pos}" length="{length}" period="9999" file="NUL"/>'
            for name, (pos, length) in loops.items()
        )
        (tmp_path / "a.xml").write_text(f"<additional>{elements}</additional>")
        files = ["-n", str(road), "-r", str(tmp_path / "r.xml"), "-a", str(tmp_path / "a.xml")]
        simulator = Simulator(
            [*files, "--begin", str(BEGIN_S), "--no-step-log", "--no-warnings", *options], traci=traci
        )
        found: dict[str, Times] = {name: [] for name in loops}
        try:
            reader = LoopReader(simulator, list(loops), BEGIN_S, subscribe=traci)
            for step in range(steps):
                events = reader.read(step * 1000)
                for i in range(events.size):
                    found[list(loops)[events.detector[i]]].append((int(events.t_ms[i]), int(events.on[i])))
                act(simulator.api, step)
                simulator.step()
        finally:
            simulator.close()
        return found

    return run


Watch = Callable[..., dict[str, Times]]


@pytest.mark.parametrize("traci", [False, True], ids=["library", "socket"])
def test_a_loop_is_on_from_the_front_to_the_rear_of_a_vehicle(watch: Watch, traci: bool) -> None:
    """On when the front reaches the loop's start, off when the rear leaves its end; to a millisecond."""
    found = watch(
        vehicle("v"), {"short": (100.0, 2.0), "long": (150.0, 6.0), "odd": (61.7, 0.5)}, traci=traci
    )
    for name, (position_m, length_m) in {
        "short": (100.0, 2.0),
        "long": (150.0, 6.0),
        "odd": (61.7, 0.5),
    }.items():
        (on_ms, on), (off_ms, off) = found[name]
        assert (on, off) == (1, 0)
        assert on_ms == pytest.approx(reach_ms(position_m), abs=1)
        assert off_ms == pytest.approx(reach_ms(position_m + length_m + LENGTH_M), abs=1)


def test_two_vehicles_on_a_long_loop_are_one_occupation(watch: Watch) -> None:
    """20 m apart over 40 m: on with the first front, off with the second rear; a short loop tells them apart."""
    pair = vehicle("first", start_m=30.0) + vehicle("second", start_m=10.0)
    found = watch(pair, {"long": (100.0, 40.0), "short": (200.0, 2.0)})
    assert [state for _, state in found["long"]] == [1, 0]
    assert found["long"][0][0] == pytest.approx(reach_ms(100.0, start_m=30.0), abs=1)
    assert found["long"][1][0] == pytest.approx(reach_ms(145.0, start_m=10.0), abs=1)
    expected = [
        reach_ms(200.0, start_m=30.0),
        reach_ms(207.0, start_m=30.0),
        reach_ms(200.0, start_m=10.0),
        reach_ms(207.0, start_m=10.0),
    ]
    assert [state for _, state in found["short"]] == [1, 0, 1, 0]
    assert [t_ms for t_ms, _ in found["short"]] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("traci", [False, True], ids=["library", "socket"])
def test_leaving_a_loop_by_changing_lane_ends_the_occupation_once(watch: Watch, traci: bool) -> None:
    """Over a 60 m loop from step 8 on, off it in step 10: off at the end of that step, and no ghost after it."""

    def act(api: Any, step: int) -> None:
        if step == 10:
            api.vehicle.changeLane("v", 1, 900.0)

    found = watch(vehicle("v"), {"long": (100.0, 60.0)}, act=act, traci=traci)
    (on_ms, on), (off_ms, off) = found["long"]
    assert (on, off) == (1, 0)
    assert on_ms == pytest.approx(reach_ms(100.0), abs=1)
    assert off_ms == 11_000


def test_a_vehicle_that_changes_onto_a_loop_switches_it_within_that_step(watch: Watch) -> None:
    """It drives beside the loop's start, moves over in the step from 8 to 9 s with its rear still before the loop."""

    def act(api: Any, step: int) -> None:
        if step == 2:
            api.vehicle.changeLane("v", 1, 900.0)
        if step == 8:
            api.vehicle.changeLane("v", 0, 900.0)

    found = watch(vehicle("v", start_m=5.0), {"long": (107.0, 30.0)}, act=act)
    # front 5 m at 1 s, 98.1 m at 8 s, 111.4 m at 9 s; rear 106.4 m: before the loop at 107 m
    assert [state for _, state in found["long"]] == [1, 0]
    assert 8_000 <= found["long"][0][0] <= 9_000
    assert found["long"][1][0] == pytest.approx(reach_ms(142.0, start_m=5.0), abs=1)


@pytest.mark.parametrize("traci", [False, True], ids=["library", "socket"])
def test_a_vehicle_that_is_taken_away_leaves_the_loop(watch: Watch, traci: bool) -> None:
    """Removed in step 10 while on the loop."""

    def act(api: Any, step: int) -> None:
        if step == 10:
            api.vehicle.remove("v")

    found = watch(vehicle("v"), {"long": (100.0, 60.0)}, act=act, traci=traci)
    assert [state for _, state in found["long"]] == [1, 0]
    assert 10_000 <= found["long"][1][0] <= 11_000


def test_a_vehicle_that_stops_on_a_loop_keeps_it_on(watch: Watch) -> None:
    """Ten seconds at a stop with its front at 103 m: one occupation that lasts at least as long."""
    stop = '<stop lane="e_0" startPos="95" endPos="103" duration="10"/>'
    found = watch(vehicle("v", stop=stop), {"l": (100.0, 6.0)}, steps=45)
    (on_ms, on), (off_ms, off) = found["l"]
    assert (on, off) == (1, 0)
    assert on_ms > reach_ms(100.0)
    assert off_ms - on_ms > 10_000


def test_library_and_socket_tell_the_same(watch: Watch) -> None:
    """Eight vehicles, three loops, some of them changing lane on the way: equal events."""
    several = "".join(vehicle(f"v{i}", depart_s=BEGIN_S + 3 * i) for i in range(8))
    loops = {"a": (60.0, 2.0), "b": (100.0, 6.0), "c": (115.0, 40.0)}

    def act(api: Any, step: int) -> None:
        for name in ("v1", "v4"):
            if step == 12 + 9 * (name == "v4"):
                api.vehicle.changeLane(name, 1, 900.0)

    direct = watch(several, loops, act=act, steps=45)
    assert direct == watch(several, loops, act=act, steps=45, traci=True)
    assert sum(len(times) for times in direct.values()) > 30


def read_rows(script: list[list[tuple[float, float]]]) -> Times:
    """Events of one loop for which SUMO told (entry, exit) per step; exit -1 while under way."""
    now = [0]

    def rows(_name: str) -> list[tuple[str, float, float, float, str]]:
        return [(f"v{i}", 5.0, enter, leave, "t") for i, (enter, leave) in enumerate(script[now[0]])]

    loops = SimpleNamespace(
        getTimeSinceDetection=lambda _name: 0.0, getVehicleData=rows, getAllSubscriptionResults=dict
    )
    reader = LoopReader(
        SimpleNamespace(api=SimpleNamespace(inductionloop=loops)),  # type: ignore[arg-type]
        ["l"],
        0.0,
        subscribe=False,
    )
    found: Times = []
    for now[0] in range(len(script)):
        events = reader.read(1000 * (now[0] + 1))
        found += [(int(events.t_ms[i]), int(events.on[i])) for i in range(events.size)]
    return found


def test_an_exit_that_was_not_told_ends_when_the_loop_is_found_empty() -> None:
    """On at 0.5 s, still there at 2 s, nothing told in the third step: off at its end."""
    assert read_rows([[(0.5, -1.0)], [(0.5, -1.0)], [], []]) == [(500, 1), (3000, 0)]


def test_a_vehicle_after_one_whose_exit_was_not_told_is_a_new_occupation() -> None:
    """The first vanished; another enters at 1.4 s: off at the start of that step, on at 1.4 s."""
    assert read_rows([[(0.5, -1.0)], [(1.4, 1.9)]]) == [(500, 1), (1000, 0), (1400, 1), (1900, 0)]


def test_times_within_a_step_are_a_union() -> None:
    """Three vehicles from 0.1 to 0.3, 0.2 to 0.5 and 0.7 to 0.9 s are two occupations, in any order of telling."""
    assert read_rows([[(0.7, 0.9), (0.1, 0.3), (0.2, 0.5)]]) == [(100, 1), (500, 0), (700, 1), (900, 0)]


def test_an_exit_at_the_end_of_a_step_is_told_twice_and_counted_once() -> None:
    """SUMO repeats such a vehicle in the next step, here with and without another one."""
    assert read_rows([[(0.5, 1.0)], [(0.5, 1.0)], []]) == [(500, 1), (1000, 0)]
    assert read_rows([[(0.5, 1.0)], [(0.5, 1.0), (1.6, -1.0)], [(1.6, 2.2)]]) == [
        (500, 1),
        (1000, 0),
        (1600, 1),
        (2200, 0),
    ]


def test_a_vehicle_bumper_to_bumper_with_the_last_does_not_switch_the_loop() -> None:
    """One leaves at the millisecond at which the next enters."""
    assert read_rows([[(0.2, 0.6), (0.6, -1.0)], [(0.6, 1.3)]]) == [(200, 1), (1300, 0)]


def test_trajectories_use_the_clock_of_the_loops(watch: Watch, tmp_path: Path) -> None:
    """The front is drawn at 10 m + speed x time at every recorded time, like the loops see it."""
    corridor = {"edges": ["e"], "offsets_m": {"e": 0.0}}
    found = watch(
        vehicle("v"),
        {"l": (100.0, 2.0)},
        options=corridor_arguments(corridor, tmp_path, BEGIN_S, BEGIN_S + 25),
    )
    frame = read_trajectories(corridor, tmp_path / "fcd.xml")
    assert frame.height > 8
    for time_s, distance_m in frame.select("time_s", "distance_m").iter_rows():
        assert reach_ms(distance_m) == pytest.approx(1000 * (time_s - BEGIN_S), abs=10)
    on_s = BEGIN_S + found["l"][0][0] / 1000
    before = frame.filter(frame["time_s"] <= on_s)["distance_m"].max()
    after = frame.filter(frame["time_s"] >= on_s)["distance_m"].min()
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before <= 100.0 <= after
    assert math.isclose(after - before, 2 * SPEED_MPS, abs_tol=0.11)
