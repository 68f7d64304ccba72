"""Colours, dashes and classes of the report, chosen to be told apart with any colour vision and in print."""

from __future__ import annotations

__all__ = [
    "BASELINE_COLOUR",
    "CHANGE_COLOURS",
    "CLASS_COLOURS",
    "CLASS_LIMITS_S",
    "CLASS_WIDTHS_PX",
    "COLOURS",
    "DASHES",
    "LAMP_COLOURS",
    "NOT_MEASURED",
    "arm_colour",
    "arm_dash",
]

# Wong, Nature Methods 8 (2011): told apart with any colour vision; darkened to 3:1 on white (WCAG 1.4.11).
BASELINE_COLOUR = "#5b6470"
COLOURS = ("#0072b2", "#c44e00", "#007a5a", "#a8437c", "#7a5c00", "#3f3fa0", "#1a1a1a")
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 4), (12, 4), (5, 2, 1, 2))
LAMP_COLOURS = ("#009e73", "#f0b400", "#c23b22")
# Lightness falls with every class, so the order also reads without hue (ColorBrewer OrRd, low end greyed).
CLASS_LIMITS_S = (5, 15, 30, 60)
CLASS_COLOURS = ("#b9c4cc", "#fdbb84", "#ef6548", "#b30000", "#4d0000")
CLASS_WIDTHS_PX = (1.5, 2.5, 3.2, 4, 5)
CHANGE_COLOURS = ("#00634a", "#c44e00")
"""Better and worse: told apart by lightness and hue, each 4.5:1 on white."""
NOT_MEASURED = "#e3e7ea"


def arm_colour(index: int, is_baseline: bool) -> str:
    """Grey for the baseline, a colour of its own for every other controller (repeats after seven)."""
    return BASELINE_COLOUR if is_baseline else COLOURS[index % len(COLOURS)]


def arm_dash(index: int) -> tuple[int, ...]:
    """The dash pattern that tells controllers apart in print; repeats after seven."""
    return DASHES[index % len(DASHES)]
