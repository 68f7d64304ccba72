"""Measures of links, and the flag for gridlock."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from greensplit.sim.links import is_gridlocked, read_links

STILL, MOVING = 0.05, 0.2


def link_minutes(
    speeds: list[float], *, begin_s: float = 0.0, edge: str = "e", sampled: float = 120.0
) -> pl.DataFrame:
    """One link's rows, minute after minute."""
    n = len(speeds)
    return pl.DataFrame(
        {
            "begin_s": [begin_s + 60.0 * i for i in range(n)],
            "edge_id": [edge] * n,
            "sampled_veh_s": [sampled] * n,
            "speed_mps": speeds,
        }
    )


def test_five_minutes_of_standing_still_are_gridlock() -> None:
    """Exactly five whole minutes, after one of movement."""
    assert is_gridlocked(link_minutes([MOVING, *[STILL] * 5]))


def test_four_minutes_are_not() -> None:
    """Four, and movement before and after."""
    assert not is_gridlocked(link_minutes([MOVING, *[STILL] * 4, MOVING]))


def test_an_interruption_starts_the_count_again() -> None:
    """Four and four with one minute of movement between."""
    assert not is_gridlocked(link_minutes([STILL] * 4 + [MOVING] + [STILL] * 4))


def test_a_minute_in_which_the_link_was_empty_interrupts_too() -> None:
    """SUMO writes no row for it: three rows, a gap, three rows."""
    rows = pl.concat([link_minutes([STILL] * 3), link_minutes([STILL] * 3, begin_s=240.0)])
    assert not is_gridlocked(rows)


def test_minutes_of_several_links_do_not_add_up() -> None:
    """Three still minutes on each of two links."""
    rows = pl.concat(
        [link_minutes([STILL] * 3, edge="a"), link_minutes([STILL] * 3, begin_s=180.0, edge="b")]
    )
    assert not is_gridlocked(rows)


@pytest.mark.parametrize("begin_s", [0.0, 25_230.0, 30.0, 90.0, 7.0])
def test_a_run_may_begin_at_any_second(begin_s: float) -> None:
    """SUMO counts minutes from the run's first second, also where that is half past a minute."""
    assert is_gridlocked(link_minutes([STILL] * 5, begin_s=begin_s))
    assert not is_gridlocked(link_minutes([STILL] * 4, begin_s=begin_s))


def test_a_vehicle_that_was_there_for_part_of_the_minute_only_is_not_gridlock() -> None:
    """One that stands for 50 s of each minute has somewhere to go."""
    assert not is_gridlocked(link_minutes([STILL] * 9, sampled=50.0))


def test_no_vehicle_at_all_is_not_gridlock() -> None:
    """An empty table has an answer."""
    assert not is_gridlocked(link_minutes([]))


def test_edge_data_become_rows_with_units(tmp_path: Path) -> None:
    """90 s of waiting in a minute are 1.5 vehicles standing; in a last half minute, 45 s are the same."""
    path = tmp_path / "links.xml"
    path.write_text(
        '<meandata><interval begin="0.00" end="60.00" id="x">'
        '<edge id="a" sampledSeconds="100.00" waitingTime="90.00" timeLoss="95.00" speed="1.00" entered="7"/>'
        '</interval><interval begin="60.00" end="90.00" id="x">'
        '<edge id="a" sampledSeconds="50.00" waitingTime="45.00" timeLoss="46.00" speed="0.50" entered="2"/>'
        "</interval></meandata>"
    )
    assert read_links(path).rows() == [
        (0.0, "a", 95.0, 1.5, 7, 100.0, 1.0),
        (60.0, "a", 46.0, 1.5, 2, 50.0, 0.5),
    ]
