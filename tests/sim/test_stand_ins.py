"""Stand-ins in this process and in another behave alike; a run over a bridge is a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from greensplit.engine.errors import InputError
from greensplit.engine.loop import DetectorEvents
from greensplit.engine.model.site import Site
from greensplit.sim.pool_process import RemotePool
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec
from greensplit.sim.stand_ins import LocalPool, PoolSpec

from ..engine.kernels.sites import crossroads


def test_a_pool_in_another_process_shows_the_same_lamps() -> None:
    """A minute with some vehicles, second by second."""
    first = crossroads().junctions[0]
    spec = PoolSpec(Site("two", (first, replace(first, id="K", device_id=2))), "virtual", {}, 0)
    local, remote = LocalPool(spec), RemotePool(spec)
    try:
        assert sorted(remote.addresses) == ["J", "K"]
        shown = set()
        for now_ms in range(0, 60_000, 1000):
            state = 1 - now_ms // 1000 % 2
            seen = [
                DetectorEvents(
                    np.array([now_ms // 10_000 % 2 * 2], np.int32),
                    np.array([now_ms], np.int64),
                    np.array([state], np.uint8),
                    1,
                )
            ]
            for pool in (local, remote):
                pool.sense(now_ms, seen * 2)
            lamps = [[a.tolist() for a in pool.act(now_ms)] for pool in (local, remote)]
            assert lamps[0] == lamps[1]
            shown.add(str(lamps[0]))
        assert len(shown) >= 4
    finally:
        local.close()
        remote.close()


def test_an_unknown_protocol_is_told_through_the_process() -> None:
    """As if it had been here."""
    with pytest.raises(InputError, match=r"expected one of .*, found morse"):
        RemotePool(PoolSpec(crossroads(), "morse", {}, 0))


@pytest.mark.parametrize("spoken", ["masks", "stage"])
def test_a_run_over_the_virtual_bridge(spoken: str) -> None:
    """Five minutes of Cologne: nothing that the interlock would refuse, no collision, nearly as quick as without."""
    spec = RunSpec("cologne8", begin_s=25_200, end_s=25_500)
    direct, bridged = run(spec), run(replace(spec, bridge="virtual", spoken=spoken))
    assert bridged["would_refuse"] == bridged["collisions"] == 0
    assert bridged["arrived"] >= 0.95 * direct["arrived"]
    assert bridged["corrected_delay_s"] == pytest.approx(direct["corrected_delay_s"], rel=0.15)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            RunSpec("cologne8", controller="fixed", bridge="virtual"),
            "expected a controller that decides from loops",
        ),
        (RunSpec("cologne8", bridge="morse"), "bridge: expected one of"),
        (RunSpec("cologne8", bridge="virtual", spoken="song"), "spoken: expected masks or stage, found song"),
    ],
)
def test_what_a_bridge_cannot_carry_is_told(spec: RunSpec, message: str) -> None:
    """One line, before anything runs."""
    with pytest.raises(InputError, match=message):
        run(spec)
