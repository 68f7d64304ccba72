"""Which stage the masks name, by hand: groups are bits, the first on the right."""

from __future__ import annotations

import pytest

from greensplit.bridges.field import Masks
from greensplit.bridges.standin.masks import pick_stage
from greensplit.engine.kernels.machine import KEEP

APART = [0b001, 0b010, 0b100]
"""Three stages of one group each."""
JOINED = [0b0011, 0b0110, 0b1100]


@pytest.mark.parametrize(
    ("greens", "masks", "green", "current", "expected"),
    [
        (APART, Masks(call=0b010), 0b001, 0, 1),
        (APART, Masks(hold=0b001, call=0b010), 0b001, 0, 0),
        (APART, Masks(hold=0b100, call=0b010), 0b001, 0, 1),
        (APART, Masks(force_off=0b001, call=0b001), 0b001, 0, 1),
        (APART, Masks(force_off=0b010, call=0b010), 0b001, 0, 1),
        (APART, Masks(hold=0b001, force_off=0b001, call=0b010), 0b001, 0, 0),
        (APART, Masks(force_off=0b001, call=0b110), 0b001, 0, 1),
        (APART, Masks(force_off=0b001, omit=0b010, call=0b110), 0b001, 0, 2),
        (APART, Masks(omit=0b010, call=0b010), 0b001, 0, 0),
        (APART, Masks(omit=0b001, call=0b001), 0b001, 0, 0),
        (JOINED, Masks(force_off=0b0001, omit=0b0100, call=0b1100), 0b0011, 0, KEEP),
    ],
    ids=[
        "a call is served",
        "a held green stays",
        "what is not green cannot be held",
        "what is forced off goes, called or not",
        "what is not green cannot be forced off",
        "a hold is above a force-off",
        "of two that are called alike, the first",
        "what is omitted is passed over, called or not",
        "nothing comes for a call that is omitted",
        "an omit takes no green away",
        "no stage is left",
    ],
)
def test_masks_bar_and_call(greens: list[int], masks: Masks, green: int, current: int, expected: int) -> None:
    """Hold, force-off and omit bar stages; of the others calls decide."""
    assert pick_stage(greens, masks, green, current) == expected


@pytest.mark.parametrize(
    ("greens", "masks", "green", "current", "expected"),
    [
        ([0b0001, 0b0110], Masks(call=0b0111), 0b0001, 0, 1),
        ([0b0100, 0b0101], Masks(call=0b0100), 0b0001, 0, 1),
        ([0b1110, 0b0110], Masks(call=0b0110), 0b0001, 0, 1),
        ([0b0010, 0b0010], Masks(call=0b0010), 0b0001, 1, 1),
        ([0b0010, 0b0010], Masks(call=0b0010), 0b0001, -1, 0),
    ],
    ids=["most calls", "most greens kept", "fewest others", "the current one", "the first"],
)
def test_of_those_that_are_allowed(
    greens: list[int], masks: Masks, green: int, current: int, expected: int
) -> None:
    """Each rule decides where those before it do not."""
    assert pick_stage(greens, masks, green, current) == expected
