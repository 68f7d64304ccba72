"""Loops that are cut: which ones, and that nothing of them is seen."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from greensplit.engine.errors import InputError
from greensplit.sim.dead_loops import pick_dead
from greensplit.sim.port import LoopReader
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

IDS = [f"gs1.{channel}" for channel in range(1, 21)]


def test_a_share_is_drawn_by_the_seed() -> None:
    """A fifth of twenty is four; the same seed gives the same four, other seeds others."""
    assert len(pick_dead(IDS, 0.2, 3, ())) == 4
    assert pick_dead(IDS, 0.2, 3, ()) == pick_dead(list(IDS), 0.2, 3, ())
    assert len({pick_dead(IDS, 0.2, seed, ()) for seed in range(20)}) > 15
    assert pick_dead(IDS, 0.0, 3, ()) == frozenset()
    assert pick_dead(IDS, 1.0, 3, ()) == frozenset(IDS)


def test_named_loops_are_dead_too() -> None:
    """With and without a share; a name that no loop has is an error with that name."""
    assert pick_dead(IDS, 0.0, 0, ("gs1.7",)) == {"gs1.7"}
    assert pick_dead(IDS, 0.2, 0, ("gs1.7",)) >= pick_dead(IDS, 0.2, 0, ()) | {"gs1.7"}
    with pytest.raises(InputError, match=r"found gs1\.99, nowhere"):
        pick_dead(IDS, 0.0, 0, ("nowhere", "gs1.7", "gs1.99"))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_beyond_all_loops_is_refused(share: float) -> None:
    """Before anything runs."""
    with pytest.raises(InputError, match="share of 0 to 1"):
        RunSpec("cologne1", dead_share=share).check()


def test_a_specification_with_dead_loops_survives_its_file() -> None:
    """As the process that simulates gets it."""
    spec = RunSpec("cologne1", dead_share=0.2, dead_loops=("gs1.7", "gs1.8"))
    assert RunSpec.from_plain(spec.plain()) == spec


@pytest.mark.parametrize("subscribe", [False, True], ids=["library", "socket"])
def test_a_dead_loop_stays_off_and_the_others_keep_their_numbers(subscribe: bool) -> None:
    """A vehicle on each of three loops; the middle one is cut."""
    data = {0x17: [("v", 5.0, 0.5, -1.0, "t")]}
    api = SimpleNamespace(
        getTimeSinceDetection=lambda _name: 0.0,
        getVehicleData=lambda _name: data[0x17],
        getAllSubscriptionResults=lambda: dict.fromkeys(("a", "b", "c"), data),
        subscribe=lambda _name, _values: None,
    )
    simulator = SimpleNamespace(api=SimpleNamespace(inductionloop=api))
    reader = LoopReader(simulator, ["a", "b", "c"], 0.0, subscribe=subscribe, dead={"b"})  # type: ignore[arg-type]
    events = reader.read(1000)
    assert events.detector.tolist() == [0, 2]
    assert events.on.tolist() == [1, 1]


def test_with_all_loops_cut_an_actuated_junction_serves_nobody_on_purpose() -> None:
    """Two minutes of cologne1 under local control: with loops it switches, without any it rests or keeps its order."""
    whole = RunSpec("cologne1", "local", begin_s=25200, end_s=25320)
    cut = RunSpec("cologne1", "local", begin_s=25200, end_s=25320, dead_share=1.0)
    assert run(cut)["corrected_delay_s"] != run(whole)["corrected_delay_s"]
