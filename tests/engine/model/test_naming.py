"""Junctions are found by what people call them; who is not found is told who is near."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greensplit.engine.errors import InputError
from greensplit.engine.model.naming import find_junction, served_approaches, shown_groups
from greensplit.engine.model.site import GroupKind, Site, Stage

from ..kernels.sites import crossroads, junction, site


def town(*names: str) -> Site:
    """Junctions of these names, numbered from 11."""
    one = crossroads().junctions[0]
    return site(
        *(
            junction(one.groups, one.meetings, one.stages, name=name, device_id=11 + i)
            for i, name in enumerate(names)
        )
    )


def test_a_junction_is_found_by_its_id_and_by_its_number() -> None:
    """An id that looks like another's number wins."""
    where = town("market", "12", "station")
    assert find_junction(where, "station").device_id == 13
    assert find_junction(where, "11").id == "market"
    assert find_junction(where, "12").device_id == 12


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("markt", "the 3 of test, found markt; did you mean market"),
        ("stat", "did you mean station"),
        ("zzz", r"the 3 of test \(market, bridge, station\), found zzz"),
    ],
)
def test_an_unknown_junction_is_told_its_neighbours(asked: str, words: str) -> None:
    """A slip, a part of the name, and a name that is near none."""
    with pytest.raises(InputError, match=words):
        find_junction(town("market", "bridge", "station"), asked)


def test_of_many_junctions_only_some_are_named() -> None:
    """One line, however large the town."""
    with pytest.raises(
        InputError, match=r"the 30 of test \(J0, J1, J2, J3, J4, J5, J6, J7, \.\.\.\), found west"
    ):
        find_junction(town(*(f"J{n}" for n in range(30))), "west")


def test_groups_that_yield_stand_in_brackets() -> None:
    """In the order of the stage."""
    assert shown_groups(Stage("A", (1, 2, 7), (2,))) == "1 (2) 7"


def test_a_stage_serves_approaches_by_name_and_crossings_by_number() -> None:
    """Groups from one approach stand together; a group whose name tells no approach stands for itself."""
    names = ("from west: straight", "from west: left", "bus gate", "crossing :c0_w0", "crossing :c1_w0")
    people = {4, 5}
    one = crossroads().junctions[0]
    groups = tuple(
        replace(
            one.groups[0],
            number=number,
            name=name,
            kind=GroupKind.PEDESTRIAN if number in people else GroupKind.VEHICLE,
        )
        for number, name in enumerate(names, start=1)
    )
    told = served_approaches(replace(one, groups=groups), Stage("A", (1, 2, 3, 4, 5), (2,)))
    assert told == "west straight, (left); bus gate; crossings 4, 5"
