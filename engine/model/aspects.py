"""What a signal group can show, as small integers that the kernels compare.

``LETTER`` maps an aspect to the lamp letter of SUMO's state strings; a pedestrian clearance shows red there.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = [
    "ASPECT_NAMES",
    "CLEARANCE",
    "DARK",
    "GREEN",
    "GREEN_FLASH",
    "LETTERS",
    "PERMISSIVE",
    "RED",
    "RED_AMBER",
    "YELLOW",
    "aspect_of_letter",
]

RED: Final = 0
RED_AMBER: Final = 1
GREEN: Final = 2  # protected: nobody it meets is green, or they yield to it
PERMISSIVE: Final = 3  # green, but yields to the priority groups it meets
GREEN_FLASH: Final = 4
YELLOW: Final = 5
CLEARANCE: Final = 6  # flashing don't walk
DARK: Final = 7  # off or flashing yellow: not under control

ASPECT_NAMES: Final = (
    "red",
    "red_amber",
    "green",
    "permissive",
    "green_flash",
    "yellow",
    "clearance",
    "dark",
)
LETTERS: Final = np.frombuffer(b"ruGgGyro", dtype=np.uint8)

_ASPECT_OF: Final = {
    "r": RED,
    "s": RED,
    "u": RED_AMBER,
    "G": GREEN,
    "g": PERMISSIVE,
    "y": YELLOW,
    "Y": YELLOW,
    "o": DARK,
    "O": DARK,
}


def aspect_of_letter(letter: str) -> int:
    """Aspect that a SUMO lamp letter stands for; an unknown letter is dark."""
    return _ASPECT_OF.get(letter, DARK)
