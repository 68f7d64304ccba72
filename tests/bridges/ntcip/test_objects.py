"""The object table against rows that everybody agrees on, and what its ranges refuse."""

from __future__ import annotations

from importlib.resources import files

import pytest

from greensplit.bridges.ntcip.objects import check_value, instance, object_types, type_at
from greensplit.engine.errors import BridgeError

ASC = "1.3.6.1.4.1.1206.4.2.1."
GLOBAL = "1.3.6.1.4.1.1206.4.2.6."
WELL_KNOWN = {
    "maxPhases": ASC + "1.1",
    "phaseMinimumGreen": ASC + "1.2.1.4",
    "phaseStatusGroupReds": ASC + "1.4.1.2",
    "phaseStatusGroupGreens": ASC + "1.4.1.4",
    "phaseStatusGroupWalks": ASC + "1.4.1.7",
    "phaseStatusGroupPhaseNexts": ASC + "1.4.1.11",
    "phaseControlGroupPhaseOmit": ASC + "1.5.1.2",
    "phaseControlGroupPedOmit": ASC + "1.5.1.3",
    "phaseControlGroupHold": ASC + "1.5.1.4",
    "phaseControlGroupForceOff": ASC + "1.5.1.5",
    "phaseControlGroupVehCall": ASC + "1.5.1.6",
    "phaseControlGroupPedCall": ASC + "1.5.1.7",
    "vehicleDetectorStatusGroupActive": ASC + "2.4.1.2",
    "volumeOccupancySequence": ASC + "2.5.1",
    "detectorVolume": ASC + "2.5.4.1.1",
    "detectorOccupancy": ASC + "2.5.4.1.2",
    "unitBackupTime": ASC + "3.3",
    "unitControlStatus": ASC + "3.5",
    "unitFlashStatus": ASC + "3.6",
    "unitControl": ASC + "3.10",
    "coordPatternStatus": ASC + "4.10",
    "systemPatternControl": ASC + "4.14",
    "systemSyncControl": ASC + "4.15",
    "splitTime": ASC + "4.9.1.3",
    "preemptState": ASC + "6.2.1.16",
    "preemptControlState": ASC + "6.3.1.2",
    "channelControlSource": ASC + "8.2.1.2",
    "overlapStatusGroupGreens": ASC + "9.4.1.4",
    "globalSetIDParameter": GLOBAL + "1.1",
    "dbCreateTransaction": GLOBAL + "2.1",
    "dbVerifyStatus": GLOBAL + "2.6",
    "globalTime": GLOBAL + "3.1",
    "dmsActivateMessage": "1.3.6.1.4.1.1206.4.2.3.6.3",
    "dmsMessageStatus": "1.3.6.1.4.1.1206.4.2.3.5.8.1.9",
}


@pytest.mark.parametrize(("name", "oid"), WELL_KNOWN.items())
def test_well_known_objects_are_where_everybody_has_them(name: str, oid: str) -> None:
    """Names and identifiers as in deployed field software."""
    assert ".".join(map(str, object_types()[name].oid)) == oid


def test_no_two_objects_share_an_identifier_and_every_index_is_named() -> None:
    """364 objects, all distinct; the index of a table's rows has as many numbers as names."""
    kinds = object_types()
    assert len(kinds) == len({kind.oid for kind in kinds.values()}) == 364
    assert instance("splitTime", 2, 8).oid[-2:] == (2, 8)
    assert instance("unitBackupTime").oid[-1] == 0


def test_the_table_carries_its_licence() -> None:
    """The line without which it may not be passed on."""
    text = files("greensplit.bridges.ntcip").joinpath("objects.csv").read_text("utf-8")
    assert (
        "Derived from NTCIP 1202. Copyright by AASHTO / ITE / NEMA. Used by permission."
        in text.splitlines()[0]
    )


@pytest.mark.parametrize(
    ("name", "row", "value", "words"),
    [
        ("phaseControlGroupHold", (1,), 256, "phaseControlGroupHold.1: expected 0 to 255, found 256"),
        ("phaseControlGroupHold", (1,), -1, "expected 0 to 255, found -1"),
        ("phaseControlGroupHold", (1,), True, "expected a number"),
        ("phaseControlGroupHold", (1,), b"\1", "expected a number"),
        ("unitFlashStatus", (), 9, "unitFlashStatus.0: expected 1 to 8, found 9"),
        ("dbCreateTransaction", (), 4, "expected one of normal, transaction, verifying, done; found 4"),
        ("dmsActivateMessage", (), bytes(11), "expected 12 to 12 octets, found 11"),
        ("moduleDeviceNode", (1,), 3, "expected an object identifier"),
    ],
)
def test_values_out_of_range_are_refused_in_words(
    name: str, row: tuple[int, ...], value: object, words: str
) -> None:
    """What was expected, what was found, where."""
    with pytest.raises(BridgeError) as refusal:
        check_value(instance(name, *row), value)
    assert words in str(refusal.value).replace("done, found", "done; found")


def test_an_identifier_is_found_again_with_its_row() -> None:
    """Scalars at .0 only, rows with the right number of indices."""
    for what in (instance("unitBackupTime"), instance("splitTime", 1, 16), instance("phaseRing", 3)):
        assert type_at(what.oid) == what
    assert type_at((*instance("unitBackupTime").oid[:-1], 1)) is None
    assert type_at(instance("splitTime", 1, 16).oid[:-1]) is None
