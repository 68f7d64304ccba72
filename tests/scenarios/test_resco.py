"""The RESCO networks, read in place from sumo-rl."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from greensplit.engine.errors import ScenarioError
from greensplit.scenarios.resco import RESCO_NAMES, load_resco, resco_row

# Counted by hand with grep on sumo-rl 1.4.5: traffic lights, vehicles due in the window.
KNOWN = {
    "cologne1": (1, 2015),
    "cologne3": (3, 2856),
    "cologne8": (8, 2046),
    "ingolstadt1": (1, 1716),
    "ingolstadt7": (7, 3031),
    "ingolstadt21": (21, 4281),
    "grid4x4": (16, 1473),
    "arterial4x4": (16, 2484),
}


@pytest.mark.parametrize("name", RESCO_NAMES)
def test_the_catalogue_counts_junctions_and_scheduled_vehicles_of_each_network(name: str) -> None:
    """Counts are those of the files, vehicles before the window left out."""
    row = resco_row(name)
    assert (row.junctions, row.scheduled_veh) == KNOWN[name]
    assert row.available == ""


@pytest.mark.parametrize(
    ("name", "window_s", "licence"),
    [
        ("cologne8", (25200, 28800), "CC BY-NC-SA 3.0"),
        ("ingolstadt21", (57600, 61200), "GPL-3.0"),
        ("grid4x4", (0, 3600), "CC BY-NC-SA 4.0"),
        ("arterial4x4", (0, 3600), "CC BY-NC-SA 4.0"),
    ],
)
def test_each_family_has_its_window_and_licence(name: str, window_s: tuple[int, int], licence: str) -> None:
    """Windows are those of the networks' own configuration files."""
    scenario = load_resco(name)
    assert (scenario.begin_s, scenario.end_s) == window_s
    assert scenario.licence == licence
    assert f'<begin value="{window_s[0]}"/>' in (scenario.net_file.parent / f"{name}.sumocfg").read_text()


def test_finding_the_networks_does_not_import_the_package() -> None:
    """sumo-rl pulls in gymnasium and more; only its data are wanted."""
    load_resco("cologne1")
    assert "sumo_rl" not in sys.modules


def test_without_the_package_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever lacks sumo-rl is told what to install, and the catalogue still has the row."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ScenarioError, match=r"greensplit\[resco\]"):
        load_resco("cologne1")
    assert resco_row("cologne1").available == "install greensplit[resco]"
    assert resco_row("cologne1").junctions is None


def test_two_route_files_where_one_is_expected_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another version of the package with several demands must not be picked from by chance."""
    folder = tmp_path / "nets" / "RESCO" / "cologne1"
    folder.mkdir(parents=True)
    for name in ("a.net.xml", "a.rou.xml", "b.rou.xml"):
        (folder / name).touch()
    monkeypatch.setattr("greensplit.scenarios.resco.package_dir", lambda _name: tmp_path)
    with pytest.raises(ScenarioError, match=r"expected one file \*\.rou\.xml, found 2"):
        load_resco("cologne1")
