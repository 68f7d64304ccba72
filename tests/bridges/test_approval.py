"""Only what a named engineer has approved is driven."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from greensplit.bridges.approval import Approval, model_hash, read_approvals
from greensplit.bridges.base import BridgeSettings, LinkState
from greensplit.bridges.field import FieldTables, Mode, tables_of
from greensplit.engine.errors import InputError
from greensplit.engine.model.site import Junction

from .street import BACKUP_MS, order_for, street, two_crossroads

JUNCTION = two_crossroads().junctions[0]
TOLD = tables_of(JUNCTION, BACKUP_MS)


def test_a_controller_is_driven_when_its_model_was_approved_and_watched_when_not() -> None:
    """A as approved is driven; B, whose approval is of another model, shows its lamps and takes no orders."""
    approved = {
        "A": Approval(model_hash(JUNCTION, TOLD), "Ada"),
        "B": Approval("0" * 64, "Ada"),
    }
    with street("virtual", settings=BridgeSettings(approved=approved)) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        bridge.write({0: order_for(bridge, 0, 0), 1: order_for(bridge, 0, 0)}, here.now_ms)
        here.until(1100)
        assert here.status(0).mode is Mode.SYSTEM
        assert here.status(1).mode is Mode.TIMEBASE
        assert bridge.health(1).state is LinkState.MONITOR_ONLY
        assert bridge.status(1, here.now_ms) is not None
        assert "expected model 000000000000 that Ada approved" in bridge.health(1).why


def test_the_message_says_how_to_approve(tmp_path: Path) -> None:
    """What it says, written to the file, lets the controller be driven."""
    file = tmp_path / "approvals.toml"
    with street("virtual", settings=BridgeSettings(approved={})) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        why = bridge.health(0).why
    table, _, rest = why.partition("file of approvals: ")[2].partition(" ")
    file.write_text(f"{table}\n{rest.partition(', by')[0]}\nby = 'Ada'\n")
    settings = BridgeSettings(approved=read_approvals(file))
    with street("virtual", settings=settings) as (here, bridge):
        here.until(1000)
        bridge.read(here.now_ms)
        assert bridge.health(0).state is LinkState.UP
        assert bridge.health(1).state is LinkState.MONITOR_ONLY


@pytest.mark.parametrize(
    ("junction", "told"),
    [
        (replace(JUNCTION, id="C"), TOLD),
        (replace(JUNCTION, stages=JUNCTION.stages[::-1]), TOLD),
        (JUNCTION, replace(TOLD, backup_ms=BACKUP_MS + 1)),
        (JUNCTION, replace(TOLD, together=None)),
    ],
)
def test_whatever_changes_changes_the_hash(junction: Junction, told: FieldTables) -> None:
    """On either side."""
    assert model_hash(junction, told) != model_hash(JUNCTION, TOLD)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[A]\nhash = 'abc'\nby = 'Ada'\n", "expected 64 hexadecimal digits, found 'abc'"),
        (f"[A]\nhash = '{'a' * 64}'\nby = ' '\n", "expected the name of an engineer"),
        (f"[A]\nhash = '{'a' * 64}'\n", "expected a table with hash and by"),
        ("[A\n", "expected a TOML file of approvals"),
    ],
)
def test_files_that_approve_nothing(text: str, told: str, tmp_path: Path) -> None:
    """Each mistake is one line."""
    file = tmp_path / "approvals.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=told) as caught:
        read_approvals(file)
    assert str(caught.value).startswith(str(file))
