"""From the engine through a real broker to the lamps of a stand-in, and back."""

from __future__ import annotations

from greensplit.bridges.base import LinkState
from greensplit.bridges.field import Mode, StageRequest

from .broker import Broker
from .street import Street, engine, serving


def test_a_stage_that_is_asked_for_shows_and_is_read_back(broker: Broker) -> None:
    """The order crosses the broker, the stand-in clears and shows it, the next status confirms it."""
    street = Street()
    with serving(street, broker) as addresses, engine(street, broker, addresses) as bridge:
        street.run(10)
        bridge.read(street.now_ms)
        assert bridge.health(0).state is LinkState.UP, bridge.health(0).why
        for stage, group in ((1, 2), (0, 1)):
            for _ in range(200):
                bridge.write({0: StageRequest(stage)}, street.now_ms)
                street.run(0.1)
                bridge.read(street.now_ms)
            assert street.greens() == [group]
            status = bridge.status(0, street.now_ms)
            assert status is not None
            assert status == street.stand_ins[0].status()
            assert status.mode is Mode.SYSTEM
        assert bridge.health(0).unconfirmed == 0
        assert not bridge.notes or [note.text for note in bridge.notes] == ["connected"]
        assert not bridge.noise


def test_a_look_in_lockstep_sees_what_happened_while_time_stood_still(broker: Broker) -> None:
    """A status of the same time, but from before the order, is not an answer."""
    street = Street()
    with serving(street, broker) as addresses, engine(street, broker, addresses) as bridge:
        street.run(1)
        for stage in (1, 0) * 20:
            bridge.read(street.now_ms)
            bridge.write({0: StageRequest(stage)}, street.now_ms)
            bridge.read(street.now_ms)
            status = bridge.status(0, street.now_ms)
            assert status is not None
            assert status.controls is not None
            assert status.controls.stage == stage
            street.run(0.3)
