"""Control objects over the wire, written one by one: what each does to the lamps, and when the device lets go."""

from __future__ import annotations

import pytest

from greensplit.bridges.field import Mode
from greensplit.bridges.ntcip.bridge import NtcipBridge
from greensplit.bridges.ntcip.database import Database
from greensplit.bridges.ntcip.objects import Instance, Value, instance
from greensplit.bridges.standin.ntcip_tree import TRANSACTION_MS
from greensplit.engine.errors import BridgeError

from .proxy import Line, Proxy
from .wire import V3, Street, bridged, street

MAIN, SIDE = 0b011, 0b100  # stages S1 and S2 of the free junction, by its phases


def store(bridge: NtcipBridge) -> Database:
    """Reads and writes of the free junction's objects."""
    return Database(bridge.manager, bridge.lines[0].device)


def tell(bridge: NtcipBridge, **masks: int) -> None:
    """Write row 1 of control objects in one request."""
    items = [(instance(f"phaseControlGroup{name}", 1), mask) for name, mask in masks.items()]
    answer = bridge.manager.write({0: (bridge.lines[0].device, items)}, 1000)[0]
    assert not isinstance(answer, BridgeError), answer


def octet(bridge: NtcipBridge, name: str) -> int:
    what = instance(name, *(() if name.startswith("unit") else (1,)))
    value = store(bridge).read([what])[what]
    assert isinstance(value, int)
    return value


def until_green(here: Street, bridge: NtcipBridge, wanted: int, **masks: int) -> None:
    """Write the masks once a second until these phases are green."""
    for _ in range(30):
        tell(bridge, **masks)
        here.until(here.now_ms + 1000)
        if octet(bridge, "phaseStatusGroupGreens") == wanted:
            return
    raise AssertionError(f"expected greens {wanted:03b} within 30 s")


def test_a_force_off_ends_a_green_and_clears_itself() -> None:
    """The bit stands while the green does, and is zero in the next status without green."""
    with street() as here, bridged(here) as bridge:
        until_green(here, bridge, MAIN, PhaseOmit=SIDE, VehCall=MAIN)
        here.until(here.now_ms + 1000)
        tell(bridge, PhaseOmit=MAIN, Hold=0, VehCall=SIDE, ForceOff=MAIN)
        assert octet(bridge, "phaseControlGroupForceOff") == MAIN
        seen = set()
        for _ in range(120):
            here.until(here.now_ms + 100)
            seen.add(
                (octet(bridge, "phaseStatusGroupGreens") & MAIN, octet(bridge, "phaseControlGroupForceOff"))
            )
            tell(bridge, PhaseOmit=MAIN)
        assert (0, MAIN) not in seen
        assert (0, 0) in seen
        assert octet(bridge, "phaseStatusGroupGreens") == SIDE


def test_a_hold_keeps_a_green_against_a_call_and_lets_go() -> None:
    """Forty seconds longer than any minimum; then the other stage comes."""
    with street() as here, bridged(here) as bridge:
        until_green(here, bridge, MAIN, PhaseOmit=SIDE, VehCall=MAIN)
        tell(bridge, PhaseOmit=0, Hold=MAIN, VehCall=SIDE)
        for _ in range(40):
            here.until(here.now_ms + 1000)
            tell(bridge, Hold=MAIN)
            assert octet(bridge, "phaseStatusGroupGreens") == MAIN
        until_green(here, bridge, SIDE, Hold=0, ForceOff=MAIN, PhaseOmit=MAIN, VehCall=SIDE)


def test_an_omitted_phase_is_skipped_whatever_calls_it() -> None:
    """Forty seconds of calls; without the omit it comes."""
    with street() as here, bridged(here) as bridge:
        until_green(here, bridge, MAIN, PhaseOmit=SIDE, VehCall=MAIN)
        for _ in range(40):
            tell(bridge, PhaseOmit=SIDE, VehCall=SIDE)
            here.until(here.now_ms + 1000)
            assert not octet(bridge, "phaseStatusGroupGreens") & SIDE
        until_green(here, bridge, SIDE, PhaseOmit=MAIN, VehCall=SIDE, ForceOff=MAIN)


def test_backup_time_is_written_expires_to_the_tick_and_clears_the_controls() -> None:
    """7 s: under the system until just before, then backup mode and zeroes; a write brings it back."""
    with street() as here, bridged(here) as bridge:
        bridge.manager.write({0: (bridge.lines[0].device, [(instance("unitBackupTime"), 7)])}, 1000)
        assert octet(bridge, "unitBackupTime") == 7
        tell(bridge, Hold=MAIN, PhaseOmit=SIDE)
        written_ms = here.now_ms
        here.until(written_ms + 6900)
        assert octet(bridge, "unitControlStatus") == 2
        assert octet(bridge, "phaseControlGroupPhaseOmit") == SIDE
        here.until(written_ms + 7000)
        assert octet(bridge, "unitControlStatus") == 4
        for name in ("PhaseOmit", "Hold", "ForceOff", "VehCall", "PedOmit", "PedCall"):
            assert octet(bridge, f"phaseControlGroup{name}") == 0
        tell(bridge, Hold=MAIN)
        assert octet(bridge, "unitControlStatus") == 2


def test_reading_does_not_renew_the_backup_time() -> None:
    """Reads ten times a second, no write."""
    with street() as here, bridged(here) as bridge:
        tell(bridge, Hold=MAIN)
        written_ms = here.now_ms
        while here.now_ms < written_ms + 5000:
            here.until(here.now_ms + 100)
            octet(bridge, "phaseStatusGroupGreens")
        assert octet(bridge, "unitControlStatus") == 4


@pytest.mark.parametrize("rights", ["read", "write"])
def test_a_user_moves_lamps_only_with_the_right_to_write(rights: str) -> None:
    """SNMPv3: the same name and passwords; a reader sees everything and is refused every control object."""
    options = {**V3, "rights": rights}
    with street(options) as here, bridged(here, {**options, "version": "3"}) as bridge:
        assert octet(bridge, "phaseStatusGroupReds") | octet(bridge, "phaseStatusGroupGreens")
        before = here.stand_ins[0].controls
        controls = [f"phaseControlGroup{n}" for n in ("PhaseOmit", "PedOmit", "Hold", "ForceOff", "VehCall")]
        items = [(instance(name, 1), 1) for name in controls]
        items += [(instance("systemPatternControl"), 255), (instance("preemptControlState", 1), 1)]
        answers = [bridge.manager.write({0: (bridge.lines[0].device, [item])}, 1000)[0] for item in items]
        refused = ["noAccess" in str(answer) for answer in answers]
        assert refused == [rights == "read"] * len(items)
        assert (here.stand_ins[0].controls == before) is (rights == "read")
        assert (here.stand_ins[0].status().mode is Mode.TIMEBASE) is (rights == "read")


def test_a_transaction_that_is_left_alone_is_given_up() -> None:
    """Kept until just before the limit; then parameters are as before and the next download succeeds."""
    cycle, state = instance("patternCycleTime", 1), instance("dbCreateTransaction")
    with street() as here, bridged(here) as bridge:
        database = store(bridge)
        before = database.read([cycle])
        for value in ((state, 2), (cycle, 77)):
            bridge.manager.write({0: (bridge.lines[0].device, [value])}, 1000)
        opened_ms = here.now_ms
        here.until(opened_ms + TRANSACTION_MS - 500, 500)
        assert database.read([state]) == {state: 2}
        here.until(opened_ms + TRANSACTION_MS, 500)
        assert database.read([state]) == {state: 1}
        assert database.read([cycle]) == before
        database.download([(cycle, 70)], lambda: None)
        assert database.read([cycle, state]) == {cycle: 70, state: 1}


def test_a_verified_transaction_that_is_left_alone_stores_nothing() -> None:
    """Done, but never ended."""
    cycle, state = instance("patternCycleTime", 1), instance("dbCreateTransaction")
    with street() as here, bridged(here) as bridge:
        database = store(bridge)
        before, number = database.read([cycle]), database.config_id()
        for value in ((state, 2), (cycle, 77), (state, 3)):
            bridge.manager.write({0: (bridge.lines[0].device, [value])}, 1000)
        assert database.read([state]) == {state: 6}
        here.until(here.now_ms + TRANSACTION_MS, 500)
        assert database.read([state]) == {state: 1}
        assert (database.read([cycle]), database.config_id()) == (before, number)


def test_a_download_takes_up_after_one_of_ours_that_broke_off() -> None:
    """No wait: what the broken one had written is dropped."""
    cycle, offset = instance("patternCycleTime", 1), instance("patternOffsetTime", 1)
    state = instance("dbCreateTransaction")
    with street() as here, bridged(here) as bridge:
        database = store(bridge)
        before = database.read([offset])
        for value in ((state, 2), (offset, 33)):
            bridge.manager.write({0: (bridge.lines[0].device, [value])}, 1000)
        database.download([(cycle, 70)], lambda: None)
        assert database.read([cycle, offset]) == {cycle: 70, **before}


def test_a_verdict_that_never_comes_leaves_the_controller_as_it_was() -> None:
    """The parameters were good, so the way from done to normal would store them."""
    cycle, state = instance("patternCycleTime", 1), instance("dbCreateTransaction")
    with street() as here, bridged(here) as bridge:
        database, tree = store(bridge), here.front.trees[0]
        before, number = database.read([cycle]), database.config_id()
        true = tree._value
        tree._value = lambda what: 0 if what.kind.name == "dbVerifyStatus" else true(what)  # type: ignore[method-assign]
        with pytest.raises(BridgeError, match="found no end of it"):
            database.download([(cycle, 70)], lambda: None)
        tree._value = true  # type: ignore[method-assign]
        assert database.read([state]) == {state: 1}
        assert (database.read([cycle]), database.config_id()) == (before, number)


def test_a_line_that_breaks_in_a_download_is_told_and_the_next_download_succeeds() -> None:
    """Cut before the verdict: the transaction stays open at the controller, and nothing is stored by it."""
    cycle, offset = instance("patternCycleTime", 1), instance("patternOffsetTime", 1)
    with street() as here:
        proxy = Proxy(here.addresses["free"], Line())
        with bridged(here, {}, {**here.addresses, "free": proxy.address}) as bridge:
            database, tree = (
                Database(bridge.manager, bridge.lines[0].device, timeout_ms=300),
                here.front.trees[0],
            )
            before = database.read([offset])
            true = tree._value

            def verdict_is_late(what: Instance) -> Value:
                return 0 if what.kind.name == "dbVerifyStatus" else true(what)

            def cut() -> None:
                proxy.line.is_cut = True

            tree._value = verdict_is_late  # type: ignore[method-assign]
            with pytest.raises(BridgeError, match="timeout"):
                database.download([(offset, 33)], cut)
            tree._value = true  # type: ignore[method-assign]
            proxy.line.is_cut = False
            database.download([(cycle, 70)], lambda: None)
            assert database.read([cycle, offset]) == {cycle: 70, **before}
        proxy.close()
