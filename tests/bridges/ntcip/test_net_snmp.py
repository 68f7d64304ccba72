"""net-snmp's tools read, write and walk the stand-in, and agree with our manager on every object."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greensplit.bridges.field import Mode
from greensplit.bridges.ntcip.manager import Device, Manager
from greensplit.bridges.ntcip.objects import Value, instance, object_types, type_at
from greensplit.bridges.ntcip.snmp_library import SnmpLibrary
from greensplit.bridges.ntcip.transport import Community, Peer, User

from .wire import ACCESS, READER, V3, WRITER, Street, needs_net_snmp, net_snmp, street

ROOT = "1.3.6.1.4.1.1206"
HOLD = ".".join(map(str, instance("phaseControlGroupHold", 1).oid))
BACKUP = ".".join(map(str, instance("unitBackupTime").oid))
CLOCKS = ("globalTime", "eventLogTime")
pytestmark = needs_net_snmp


def device(here: Street, name: str, version: str = "v2c") -> Device:
    host, port = here.addresses[name].split(":")
    access = User(V3["user"], V3["auth"], V3["priv"]) if version == "v3" else None
    known = access or Community(WRITER, "1" if version == "v1" else "2c")
    return Device(Peer(host, int(port), known))


def told(text: str) -> dict[tuple[int, ...], str]:
    """Identifier and value of every line of a walk."""
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line and "No more" not in line)
    return {tuple(map(int, name.strip(".").split("."))): value.strip() for name, value in pairs}


def written(value: Value) -> str:
    """As net-snmp prints it with -OQ."""
    if isinstance(value, tuple):
        return "." + ".".join(map(str, value))
    if isinstance(value, bytes):
        return '"' + value.decode("ascii", "replace") + '"'
    return str(value)


def same(found: str, value: Value) -> bool:
    """Text, or octets in hexadecimal where they do not print."""
    if isinstance(value, bytes):
        octets = re.fullmatch(r'"((?:[0-9A-F]{2} )+)"', found)
        return found.strip('"') == written(value).strip('"') or (
            octets is not None and bytes.fromhex(octets[1]) == value
        )
    return found == written(value)


@pytest.mark.parametrize("version", ACCESS)
@pytest.mark.parametrize("name", ["free", "nema"])
def test_a_walk_and_our_manager_agree_on_every_object(version: str, name: str, tmp_path: Path) -> None:
    """Same objects, same values, in order and each once."""
    with street(V3) as here:
        tool = "snmpwalk" if version == "v1" else "snmpbulkwalk"
        seen = net_snmp(tool, ACCESS[version], here.addresses[name], ROOT, tmp=tmp_path)
        assert seen.returncode == 0, seen.stderr
        walked = told(seen.stdout)
        assert list(walked) == sorted(set(walked))
        transport = SnmpLibrary()
        manager, ours = Manager(transport), device(here, name, version)
        whats = [what for what, _ in manager.walk(ours, tuple(map(int, ROOT.split("."))), 5000)]
        assert [what.oid for what in whats] == list(walked)
        values = manager.read({0: (ours, whats)}, 5000)[0]
        transport.close()
    assert isinstance(values, dict)
    differ = [
        (what.label, walked[what.oid], value)
        for what, value in values.items()
        if what.kind.name not in CLOCKS and not same(walked[what.oid], value)
    ]
    assert differ == []


def test_no_object_of_the_two_standards_is_missing() -> None:
    """Between them the two junctions have rows of every table; only the passwords of 1201 are not served."""
    with street() as here:
        served = set()
        for tree in here.front.trees:
            found = tree.after((1, 3))
            while found is not None:
                what = type_at(found.oid)
                assert what is not None
                served.add(what.kind.name)
                found = tree.after(found.oid)
    expected = {
        n
        for n, kind in object_types().items()
        if kind.oid[9] == 1 or (kind.oid[9] == 6 and kind.oid[10] != 5)
    }
    assert len(expected) > 200
    assert served == expected


@pytest.mark.parametrize("version", ACCESS)
def test_a_writer_moves_lamps_and_reads_back(version: str, tmp_path: Path) -> None:
    """A hold that is written is read, and the controller is under the system."""
    with street(V3) as here:
        seen = net_snmp("snmpset", ACCESS[version], here.addresses["free"], HOLD, "i", "1", tmp=tmp_path)
        assert seen.returncode == 0, seen.stderr
        seen = net_snmp("snmpget", ACCESS[version], here.addresses["free"], HOLD, tmp=tmp_path)
        assert list(told(seen.stdout).values()) == ["1"]
        assert here.stand_ins[0].status().mode is Mode.SYSTEM


@pytest.mark.parametrize("version", ["v1", "v2c", "v3"])
def test_a_reader_moves_nothing(version: str, tmp_path: Path) -> None:
    """noSuchName in v1, noAccess later; in v3 a wrong password gets no further than authentication."""
    access = {
        "v1": ("-v1", "-c", READER),
        "v2c": ("-v2c", "-c", READER),
        "v3": tuple("password-xxx" if word == V3["auth"] else word for word in ACCESS["v3"]),
    }[version]
    with street(V3) as here:
        before = here.stand_ins[0].status()
        seen = net_snmp("snmpset", access, here.addresses["free"], HOLD, "i", "1", tmp=tmp_path)
        assert seen.returncode != 0
        wanted = {"v1": "noSuchName", "v2c": "noAccess", "v3": "Authentication failure"}[version]
        assert wanted in seen.stderr
        here.until(here.now_ms + 100)
        after = here.stand_ins[0].status()
        assert (after.mode, after.controls) == (before.mode, before.controls)


def test_a_wrong_community_gets_no_answer_and_v1_has_no_bulk(tmp_path: Path) -> None:
    """Exit code 1 is no answer in time."""
    with street() as here:
        wrong = net_snmp(
            "snmpget", ("-v1", "-c", "guess", "-r0", "-t1"), here.addresses["free"], BACKUP, tmp=tmp_path
        )
        bulk = net_snmp("snmpbulkwalk", ACCESS["v1"], here.addresses["free"], ROOT, tmp=tmp_path)
    assert wrong.returncode == 1
    assert "Timeout" in wrong.stderr
    assert bulk.returncode != 0
    assert here.front.agents[0].bad_communities >= 1


@pytest.mark.parametrize(("version", "words"), [("v1", "badValue"), ("v2c", "wrongValue")])
def test_a_set_is_all_or_nothing(version: str, words: str, tmp_path: Path) -> None:
    """A good hold beside reserved bits of unitControl: both are refused, and the second is named."""
    control = ".".join(map(str, instance("unitControl").oid))
    with street() as here:
        seen = net_snmp(
            "snmpset",
            ACCESS[version],
            here.addresses["free"],
            HOLD,
            "i",
            "1",
            control,
            "i",
            "3",
            tmp=tmp_path,
        )
        assert seen.returncode == 2
        assert words in seen.stderr
        assert control in seen.stderr
        assert here.stand_ins[0].controls.masks.hold == 0
        assert here.stand_ins[0].status().mode is not Mode.SYSTEM


@pytest.mark.parametrize(
    ("name", "value", "v1_word", "v2c_word"),
    [
        ("phaseControlGroupHold.1", ("i", "256"), "badValue", "wrongValue"),
        ("phaseControlGroupHold.1", ("s", "x"), "badValue", "wrongType"),
        ("phaseStatusGroupReds.1", ("i", "1"), "noSuchName", "notWritable"),
        ("phaseControlGroupHold.99", ("i", "1"), "noSuchName", "noCreation"),
    ],
)
def test_refusals_have_the_codes_of_their_version(
    name: str, value: tuple[str, str], v1_word: str, v2c_word: str, tmp_path: Path
) -> None:
    """RFC 3584 says which is which."""
    kind, row = name.split(".")
    oid = ".".join(map(str, (*object_types()[kind].oid, int(row))))
    with street() as here:
        for version, word in (("v1", v1_word), ("v2c", v2c_word)):
            seen = net_snmp("snmpset", ACCESS[version], here.addresses["free"], oid, *value, tmp=tmp_path)
            assert seen.returncode == 2
            assert word in seen.stderr
