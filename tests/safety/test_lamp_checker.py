"""The judge itself: it accepts good strips drawn by hand and rejects bad ones, each for the right reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from .lamp_checker import Judge

# Node J: rows 0 through from west, 1 left from west, 2 through from east, 3 through from north, 4 the crossing of
# the north leg. The left turn waits for the through from ahead and for people; 3 meets everything.
NET = """<net>
 <edge id="w"><lane id="w_0" index="0" length="90" speed="13.9" shape="-90,0 -10,0"/></edge>
 <edge id="e"><lane id="e_0" index="0" length="90" speed="13.9" shape="90,0 10,0"/></edge>
 <edge id="n"><lane id="n_0" index="0" length="90" speed="13.9" shape="0,90 0,10"/></edge>
 <edge id=":J_c0" function="crossing"><lane id=":J_c0_0" index="0" length="9.6" speed="1" shape="-5,9 5,9"/></edge>
 <edge id=":J_w0" function="walkingarea"><lane id=":J_w0_0" index="0" length="3" speed="1" shape="-6,9 -5,9"/></edge>
 <junction id="J" type="traffic_light" intLanes=":J_0_0 :J_5_0 :J_2_0 :J_3_0 :J_c0_0">
  <request index="0" response="00000" foes="01000"/>
  <request index="1" response="11100" foes="11100"/>
  <request index="2" response="00000" foes="01010"/>
  <request index="3" response="00101" foes="10111"/>
  <request index="4" response="01000" foes="01010"/>
 </junction>
 <connection from="w" to="x" fromLane="0" toLane="0" via=":J_0_0" tl="J" linkIndex="0" dir="s"/>
 <connection from="w" to="x" fromLane="0" toLane="0" via=":J_1_0" tl="J" linkIndex="1" dir="l"/>
 <connection from=":J_1" to="x" fromLane="0" toLane="0" via=":J_5_0" dir="l"/>
 <connection from="e" to="x" fromLane="0" toLane="0" via=":J_2_0" tl="J" linkIndex="2" dir="s"/>
 <connection from="n" to="x" fromLane="0" toLane="0" via=":J_3_0" tl="J" linkIndex="3" dir="s"/>
 <connection from=":J_w0" to=":J_c0" fromLane="0" toLane="0" tl="J" linkIndex="4" dir="s"/>
 <tlLogic id="J" type="static" programID="0" offset="0">
  <phase duration="20" state="GgGrr"/>
  <phase duration="3" state="yyyrr"/>
  <phase duration="2" state="rrrrr"/>
  <phase duration="20" state="rrrGr"/>
  <phase duration="4" state="rrryr"/>
  <phase duration="20" state="rrrrG"/>
  <phase duration="9" state="rrrrr"/>
 </tlLogic>
</net>
"""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    path = tmp_path_factory.mktemp("net") / "cross.net.xml"
    path.write_text(NET)
    return Judge(path)


def strip(*runs: tuple[int, str]) -> list[str]:
    return [state for seconds, state in runs for _ in range(seconds)]


GOOD = {
    "the program itself": strip(
        (20, "GgGrr"),
        (3, "yyyrr"),
        (2, "rrrrr"),
        (20, "rrrGr"),
        (4, "rrryr"),
        (20, "rrrrG"),
        (9, "rrrrr"),
        (9, "GgGrr"),
    ),
    "shortest greens": strip(
        (1, "rrrrr"), (5, "GrGrr"), (3, "yryrr"), (2, "rrrrr"), (5, "rrrGr"), (4, "rrryr")
    ),
    "a turn that waits for people": strip(
        (1, "rrrrr"), (5, "rgrrr"), (20, "rgrrG"), (8, "rgrrr"), (9, "rGrrr")
    ),
    "a turn that outlasts the traffic ahead": strip((9, "GgGrr"), (3, "Ggyrr"), (9, "Ggrrr")),
    "a protected turn turned permissive": strip((9, "GGrrr"), (9, "GgGrr")),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_strip_is_accepted(judge: Judge, case: str) -> None:
    """Nothing to find."""
    assert judge.faults("J", GOOD[case]) == []


BAD = {
    "two protected greens that cross": (strip((9, "GrrGr")), "G and G cross", (0, 3)),
    "a straight path does not wait": (strip((9, "Grrgr")), "G and g cross", (0, 3)),
    "a turn protected against the traffic ahead": (strip((9, "rGGrr")), "G and G cross", (1, 2)),
    "a turn protected against people": (strip((9, "rGrrG")), "G and G cross", (1, 4)),
    "green to red": (strip((9, "Grrrr"), (9, "rrrrr")), "green to r", (0,)),
    "people see yellow": (strip((9, "rrrrG"), (9, "rrrry")), "green to y", (4,)),
    "yellow to green": (strip((9, "Grrrr"), (3, "yrrrr"), (9, "Grrrr")), "yellow to G", (0,)),
    "red to yellow": (strip((9, "rrrrr"), (3, "yrrrr"), (9, "rrrrr")), "red to yellow", (0,)),
    "a yellow of 2 s": (strip((9, "Grrrr"), (2, "yrrrr"), (9, "rrrrr")), "yellow of 2 s, 3 s needed", (0,)),
    "a yellow of 3 s where the program has 4": (
        strip((9, "rrrGr"), (3, "rrryr"), (9, "rrrrr")),
        "yellow of 3 s, 4 s needed",
        (3,),
    ),
    "a green of 4 s": (
        strip((3, "rrrrr"), (4, "Grrrr"), (3, "yrrrr"), (9, "rrrrr")),
        "green of 4 s, 5 s needed",
        (0,),
    ),
    "a red of 1 s": (
        strip((9, "Grrrr"), (3, "yrrrr"), (1, "rrrrr"), (9, "Grrrr")),
        "red of 1 s, 2 s needed",
        (0,),
    ),
    "an all-red of 1 s where the program has 2": (
        strip((9, "Grrrr"), (3, "yrrrr"), (1, "rrrrr"), (9, "rrrGr")),
        "starts 4 s after, 5 s needed",
        (0, 3),
    ),
    "green into the other's yellow": (
        strip((9, "rrrGr"), (2, "rrryr"), (9, "Grryr")),
        "starts 2 s after, 4 s needed",
        (3, 0),
    ),
    "a street 7 s after a crossing of 9.6 m": (
        strip((9, "rrrrG"), (7, "rrrrr"), (9, "rrrGr")),
        "starts 7 s after, 8 s needed",
        (4, 3),
    ),
    "a yellow trap": (strip((9, "GgGrr"), (3, "GyGrr"), (9, "GrGrr")), "yellow trap", (1, 2)),
    "a turn on red that no program shows": (
        strip((9, "rrrrr"), (9, "srrrr")),
        "a turn on red that no program shows",
        (0,),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_strip_is_rejected_for_its_reason(judge: Judge, case: str) -> None:
    """The rule and the lamps are named."""
    states, rule, lamps = BAD[case]
    found = {(fault.rule, fault.lamps) for fault in judge.faults("J", states)}
    assert (rule, lamps) in found


def test_only_what_a_program_shows_together_may_be_protected_together(tmp_path: Path) -> None:
    """With a program that shows 0 and 3 both protected, that very pair is accepted, and no other."""
    path = tmp_path / "shown.net.xml"
    phase = '<phase duration="9" state="GrrGr"/>'
    path.write_text(NET.replace("</tlLogic>", f"{phase}</tlLogic>"))
    judge = Judge(path)
    assert judge.faults("J", strip((9, "GrrGr"))) == []
    assert judge.faults("J", strip((9, "rrGGr"))) != []


def test_a_lamp_before_a_waiting_place_gets_the_row_behind_it(judge: Judge) -> None:
    """The left turn's first inner lane is not in the node's list; the lane behind the waiting place is row 1."""
    assert judge.lights["J"].paths[1][0].row == 1
