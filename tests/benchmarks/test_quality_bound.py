"""The conflict-free bound lies below every controller on the same vehicles, and does what it says."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from greensplit.benchmarks.quality import bound
from greensplit.benchmarks.quality.bound import simulate_conflict_free
from greensplit.controllers.catalogue import catalogue
from greensplit.sim.run import run
from greensplit.sim.spec import RunSpec

WINDOW = {"begin_s": 25200, "end_s": 25500}


@pytest.fixture(scope="module")
def free() -> dict[str, float]:
    """Five minutes of cologne1 without conflicts."""
    return run(RunSpec("cologne1", **WINDOW), simulate=simulate_conflict_free)  # type: ignore[arg-type]


@pytest.mark.parametrize("controller", [entry.name for entry in catalogue()])
def test_no_controller_is_below_the_bound(free: dict[str, float], controller: str) -> None:
    """The same vehicles are scheduled; each controller delays them more."""
    row = run(RunSpec("cologne1", controller, **WINDOW))  # type: ignore[arg-type]
    assert row["scheduled"] == free["scheduled"]
    assert row["corrected_delay_s"] > free["corrected_delay_s"]


def test_nobody_stops_where_nobody_is_heeded(free: dict[str, float]) -> None:
    """In five minutes of a busy crossing; vehicles still follow each other, so some time is lost."""
    assert free["stops"] == 0.0
    assert free["corrected_delay_s"] > 0.0


def test_types_of_a_copy_are_heedless_and_the_scenario_stays(tmp_path: Path) -> None:
    """Every type in a file, also inside a distribution; the file itself is not touched."""
    path = tmp_path / "r.rou.xml"
    text = '<routes><vType id="a"/><vTypeDistribution id="d"><vType id="b" sigma="0"/></vTypeDistribution></routes>'
    path.write_text(text)
    folder = tmp_path / "run"
    folder.mkdir()
    names: set[str] = set()
    copy = bound._heedless(path, folder, names)
    assert path.read_text() == text
    types = {kind.get("id"): kind.attrib for kind in ElementTree.parse(copy).iter("vType")}  # noqa: S314
    assert names == set(types) == {"a", "b"}
    assert all(bound.HEEDLESS.items() <= found.items() for found in types.values())
    assert types["b"]["sigma"] == "0"


def test_vehicles_without_a_type_are_heedless_too() -> None:
    """By the default type, unless a file defines that itself."""
    (default,) = bound._default_type({"a"})
    assert default.get("id") == "DEFAULT_VEHTYPE"
    assert bound._default_type({"DEFAULT_VEHTYPE"}) == []
