"""What the lamps of a controller show, as masks of groups and as the lamps that burn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from greensplit.engine.model.aspects import CLEARANCE, DARK, GREEN, PERMISSIVE, RED, RED_AMBER, YELLOW

from .monitor import Lights

__all__ = ["Wiring", "burning", "greens", "on_groups"]

NO_LIGHTS: Final = Lights(0, 0, 0)


@dataclass(slots=True)
class Wiring:
    """Faults between controller and lamps: lamps that burn always, lamps that never do."""

    stuck: Lights = NO_LIGHTS
    dead: Lights = NO_LIGHTS


def greens(aspects: Sequence[int]) -> int:
    """Groups that have green, protected or not."""
    return sum(1 << g for g, aspect in enumerate(aspects) if aspect in (GREEN, PERMISSIVE))


def on_groups(aspects: Sequence[int], red_ms: Sequence[int], clearance_ms: Sequence[int], now_ms: int) -> int:
    """Groups in green, clearance, or red clearance; ``red_ms`` is since when each is red."""
    mask = 0
    for g, aspect in enumerate(aspects):
        clears = aspect == RED and now_ms - red_ms[g] < clearance_ms[g]
        mask |= int(clears or aspect not in (RED, RED_AMBER, DARK)) << g
    return mask


def burning(aspects: Sequence[int], wiring: Wiring) -> Lights:
    """The lamps that burn by the controller's will, and by its wiring's faults."""
    red = yellow = green = 0
    for g, aspect in enumerate(aspects):
        red |= (aspect in (RED, RED_AMBER)) << g
        yellow |= (aspect in (YELLOW, RED_AMBER, CLEARANCE)) << g
        green |= (aspect not in (RED, RED_AMBER, YELLOW, CLEARANCE, DARK)) << g
    stuck, dead = wiring.stuck, wiring.dead
    return Lights(
        (red | stuck.red) & ~dead.red,
        (yellow | stuck.yellow) & ~dead.yellow,
        (green | stuck.green) & ~dead.green,
    )
