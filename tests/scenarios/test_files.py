"""The ground the scenarios stand on: XML of others, files of ours, the cache, SUMO's programs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from greensplit.engine.errors import NetworkError, OutputError, SimulatorError, StorageError
from greensplit.scenarios.cache import built
from greensplit.scenarios.times import on_grid_s, parse_time_s
from greensplit.scenarios.tools import run_netconvert, sumo_binary
from greensplit.scenarios.xmlio import scan, top_level, tree, write_atomically, write_document
from greensplit.scenarios.yielding import show_yielding

BOMB = '<!DOCTYPE routes [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><routes><trip id="&b;"/></routes>'


@pytest.mark.parametrize("read", [lambda p: scan(p, lambda _t, _a: None), lambda p: list(top_level(p)), tree])
def test_entities_in_foreign_xml_are_refused(read: object, tmp_path: Path) -> None:
    """No expansion, in none of the ways of reading."""
    path = tmp_path / "bomb.rou.xml"
    path.write_text(BOMB)
    assert callable(read)
    with pytest.raises(NetworkError, match=r"bomb\.rou\.xml: expected plain XML, found entities"):
        read(path)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    """The content breaks off in the middle: what was there stays, no temporary file remains."""

    def chunks() -> list[bytes]:
        raise OSError("disk full")

    path = tmp_path / "x.rou.xml"
    path.write_text("old")
    with pytest.raises(StorageError, match=r"x\.rou\.xml: could not be written: disk full"):
        write_atomically(path, (chunk for _ in range(1) for chunk in chunks()))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where a folder is needed."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="expected a place to write to"):
        write_document(tmp_path / "file" / "x.xml", "routes", [])


def test_attributes_with_special_characters_survive(tmp_path: Path) -> None:
    """Ids may hold quotes, ampersands and letters beyond ASCII."""
    name = 'Straße <1> & "2"'
    write_document(tmp_path / "x.xml", "routes", [Element("route", {"id": name})])
    assert [element.get("id") for element in top_level(tmp_path / "x.xml")] == [name]


def test_a_failed_build_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    """The next call builds afresh."""

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise SimulatorError("no")

    with pytest.raises(SimulatorError):
        built(tmp_path, "x", {"a": 1}, fail)
    assert list(tmp_path.iterdir()) == []
    assert (built(tmp_path, "x", {"a": 1}, lambda folder: (folder / "whole").touch()) / "whole").exists()


def test_the_first_of_two_simultaneous_builds_stays(tmp_path: Path) -> None:
    """Another process published meanwhile: its folder is used, ours is thrown away."""

    def build(folder: Path) -> None:
        other = built(tmp_path, "x", {}, lambda inner: (inner / "theirs").touch())
        (folder / "ours").touch()
        assert other.is_dir()

    folder = built(tmp_path, "x", {}, build)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("-5", -5.0),
        ("1:02:03", 3723.0),
        ("1:00:00:00", 86400.0),
        ("-0:01:00", -60.0),
    ],
)
def test_times_are_read_as_sumo_reads_them(text: str, seconds: float) -> None:
    """Seconds, HH:MM:SS, D:HH:MM:SS."""
    assert parse_time_s(text, "here") == seconds


@pytest.mark.parametrize("text", ["", "noon", "1:2", "1:2:3:4:5", "1:x:3"])
def test_other_texts_are_no_times(text: str) -> None:
    """MM:SS is none in SUMO either."""
    with pytest.raises(NetworkError, match="here: expected seconds or HH:MM:SS"):
        parse_time_s(text, "here")


def test_times_on_the_grid_stay_there() -> None:
    """0.29 * 100 is 28.999... in binary, and still 0.29 on the grid."""
    assert on_grid_s(0.29) == 0.29
    assert on_grid_s(0.299) == 0.29


def test_the_programs_are_those_of_the_installed_package() -> None:
    """And an unknown one is refused with the folder that was searched."""
    assert sumo_binary("netconvert").is_file()
    with pytest.raises(SimulatorError, match=r"netdoubt: expected the program in .*bin"):
        sumo_binary("netdoubt")


def test_without_eclipse_sumo_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a file that is missing, but the package."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SimulatorError, match="expected the package eclipse-sumo, found none"):
        sumo_binary("sumo")


def test_netconvert_s_own_words_reach_the_user(tmp_path: Path) -> None:
    """Its first error line, not a stack trace."""
    with pytest.raises(SimulatorError, match=r"netconvert failed with code 1: Error: .*gone"):
        run_netconvert([f"--node-files={tmp_path / 'gone.nod.xml'}"], tmp_path / "out.net.xml")


def test_a_shared_signal_is_shown_permissive_beside_a_crossing_its_turn_meets(tmp_path: Path) -> None:
    """Index 0 serves a straight and a right turn; the turn (request 1) yields to the crossing (request 2).

    In the first phase crossing and vehicles are green: G becomes g. In the second only vehicles are: G stays.
    """
    net = tmp_path / "x.net.xml"
    net.write_text(
        '<net><tlLogic id="J"><phase duration="9" state="GG"/><phase duration="9" state="Gr"/></tlLogic>'
        '<junction id="J" type="traffic_light" intLanes=":J_0_0 :J_1_0 :J_c0_0">'
        '<request index="0" response="000" foes="000"/><request index="1" response="100" foes="100"/>'
        '<request index="2" response="000" foes="010"/></junction>'
        '<connection from="a" to="b" fromLane="0" toLane="0" via=":J_0_0" tl="J" linkIndex="0"/>'
        '<connection from="a" to="c" fromLane="0" toLane="0" via=":J_1_0" tl="J" linkIndex="0"/>'
        '<connection from=":J_w0" to=":J_c0" fromLane="0" toLane="0" tl="J" linkIndex="1"/></net>'
    )
    assert show_yielding(net) == 1
    assert [phase.get("state") for phase in tree(net).iter("phase")] == ["gG", "Gr"]
    assert show_yielding(net) == 0
