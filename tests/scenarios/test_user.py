"""A user's own configuration and files."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from greensplit.engine.errors import InputError, NetworkError, ScenarioError
from greensplit.scenarios.base import Scenario
from greensplit.scenarios.catalogue import load
from greensplit.scenarios.demand import read_demand
from greensplit.scenarios.user import from_files, from_sumocfg

TRIP = '<trip id="t{n}" from="west0_r0c0" to="r0c0_east0" depart="{depart}"/>'


@pytest.fixture
def folder(crossroads: Scenario, tmp_path: Path) -> Path:
    """A user's folder: compressed network and routes, a plain additional file in a subfolder."""
    (tmp_path / "net.xml.gz").write_bytes(gzip.compress(crossroads.net_file.read_bytes()))
    trips = TRIP.format(n=1, depart="100") + TRIP.format(n=2, depart="1:30:00")
    (tmp_path / "a.rou.xml.gz").write_bytes(gzip.compress(f"<routes>{trips}</routes>".encode()))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.add.xml").write_text(f"<additional>{TRIP.format(n=3, depart='50')}</additional>")
    return tmp_path


def configuration(folder: Path, text: str) -> Path:
    """A configuration file in ``folder`` with ``text`` inside its root element."""
    path = folder / "my.sumocfg"
    path.write_text(f"<configuration>{text}</configuration>")
    return path


def test_a_configuration_as_sumo_writes_it(folder: Path) -> None:
    """Sections, long names, file names relative to the configuration, clock times."""
    path = configuration(
        folder,
        '<input><net-file value="net.xml.gz"/><route-files value="a.rou.xml.gz"/>'
        '<additional-files value="sub/b.add.xml"/></input><time><begin value="0:01:00"/><end value="7200"/></time>',
    )
    scenario = from_sumocfg(path)
    assert scenario.name == "my"
    assert (scenario.begin_s, scenario.end_s) == (60, 7200)
    assert scenario.net_file == folder / "net.xml.gz"
    assert scenario.route_files == (folder / "a.rou.xml.gz",)
    assert scenario.additional_files == (folder / "sub" / "b.add.xml",)
    assert [v.vehicle_id for v in read_demand(scenario, seed=0).vehicles] == ["t1", "t2"]


def test_short_option_names_and_lists_without_sections(folder: Path) -> None:
    """n, r, a, b and e, the value as v, several files with spaces between."""
    (folder / "c.rou.xml").write_text(f"<routes>{TRIP.format(n=4, depart='70')}</routes>")
    path = configuration(
        folder, '<n v="net.xml.gz"/><r value="a.rou.xml.gz, c.rou.xml"/><b value="0"/><e value="3600"/>'
    )
    scenario = from_sumocfg(path)
    assert scenario.route_files == (folder / "a.rou.xml.gz", folder / "c.rou.xml")
    assert (scenario.begin_s, scenario.end_s) == (0, 3600)
    assert [v.vehicle_id for v in read_demand(scenario, seed=0).vehicles] == ["t4", "t1"]


def test_a_missing_end_is_the_full_hour_after_the_last_departure(folder: Path) -> None:
    """The last trip departs at 5400 s, so the end is 7200 s; the description says where it comes from."""
    path = configuration(folder, '<net-file value="net.xml.gz"/><route-files value="a.rou.xml.gz"/>')
    scenario = load(str(path), cache_dir=folder)
    assert scenario.end_s == 7200
    assert "1 signalised junctions" in scenario.description
    assert "no end given: ends at 7200 s, the full hour after the last departure" in scenario.description


@pytest.mark.parametrize(
    ("demand", "end_s"),
    [
        (TRIP.format(n=1, depart="3599.9"), 3600),
        (TRIP.format(n=1, depart="3600"), 7200),
        (TRIP.format(n=1, depart="triggered") + TRIP.format(n=2, depart="3"), 3600),
        ('<flow id="f" from="west0_r0c0" to="r0c0_east0" end="3600" number="2"/>', 3600),
        ('<flow id="f" from="west0_r0c0" to="r0c0_east0" end="3601" number="2"/>', 7200),
    ],
)
def test_the_derived_end_lies_after_every_departure(
    demand: str, end_s: int, crossroads: Scenario, tmp_path: Path
) -> None:
    """A departure at the full hour needs the next hour; a flow's end is no departure."""
    routes = tmp_path / "x.rou.xml"
    routes.write_text(f"<routes>{demand}</routes>")
    assert from_files(crossroads.net_file, [routes]).end_s == end_s


def test_options_that_are_not_used_are_named(folder: Path) -> None:
    """Who set a step length or a scale must not believe that it holds."""
    path = configuration(
        folder,
        '<net-file value="net.xml.gz"/><route-files value="a.rou.xml.gz"/><end value="9"/>'
        '<step-length value="0.5"/><scale value="2"/>',
    )
    assert from_sumocfg(path).description.endswith("options not used: scale, step-length")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('<route-files value="a.rou.xml.gz"/>', "my.sumocfg: expected a net-file, found route-files"),
        ('<net-file value="gone.net.xml"/>', "gone.net.xml: expected a file, found none"),
        (
            '<net-file value="net.xml.gz"/><r value="gone.rou.xml"/>',
            "gone.rou.xml: expected a file, found none",
        ),
        ('<net-file value="sub/b.add.xml"/>', "expected a SUMO network (root element net), found additional"),
        ('<net-file value="broken.xml"/>', "broken.xml: expected well-formed XML"),
        ('<net-file value="broken.xml.gz"/>', "broken.xml.gz: expected a readable file"),
        ('<net-file value="net.xml.gz,net.xml.gz"/>', "expected one net-file"),
        ('<net-file value="${HOME}/net.xml"/>', "variables are not supported"),
        (
            '<net-file value="net.xml.gz"/><begin value="dawn"/>',
            "begin: expected seconds or HH:MM:SS, found 'dawn'",
        ),
        ("<net-file", "my.sumocfg: expected well-formed XML"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused_in_words(
    text: str, complaint: str, folder: Path
) -> None:
    """One line with the file at fault, what was expected and what was found."""
    (folder / "broken.xml").write_text("<net><edge></net>")
    (folder / "broken.xml.gz").write_text("this is no gzip")
    with pytest.raises(NetworkError) as caught:
        from_sumocfg(configuration(folder, text))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_window_is_refused(folder: Path) -> None:
    """begin after end."""
    with pytest.raises(InputError, match="expected an end after the begin, found 100-50 s"):
        from_files(folder / "net.xml.gz", [folder / "a.rou.xml.gz"], begin_s=100, end_s=50)


def test_a_flow_for_ever_needs_an_end_of_the_scenario(crossroads: Scenario, tmp_path: Path) -> None:
    """Without any end there is no last departure to derive one from."""
    routes = tmp_path / "x.rou.xml"
    routes.write_text('<routes><flow id="f" from="west0_r0c0" to="r0c0_east0" period="9"/></routes>')
    with pytest.raises(ScenarioError, match="flow 'f': expected an end of the flow or of the scenario"):
        from_files(crossroads.net_file, [routes])


def test_no_route_file_and_no_end_is_refused(crossroads: Scenario) -> None:
    """Nothing departs, so nothing tells the end."""
    with pytest.raises(ScenarioError, match="no route file: expected departures, found none"):
        from_files(crossroads.net_file, [])
